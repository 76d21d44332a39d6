# %% [markdown]
# # Discrete codes and their prior
#
# A transformer writes texts because a text is a sequence of *tokens*: each place holds one of some thousand numbers, and a classifier guesses the next. A picture is no such sequence. It has a million real numbers, most of them are
# noise that nobody sees, and neighbours are nearly equal. Can we write a picture as a short sequence of tokens, so that everything that works for texts works for pictures too?
#
# **The answer in a line:** learn a *codebook* of $K$ vectors. An encoder makes a small grid of vectors from the picture, each is replaced by the nearest one in the book, and its number is the token. A decoder makes the picture from the tokens, and a second
# model learns which tokens follow which.
#
# {{ picture vq.question }}
#
# !!! board "On the board"
#
#     The bound of [Variational autoencoders](vae.py), when the encoder is certain of one code $z$:
#
#     {{ vq.point_posterior }}
#
#     What is trained, seen from one number that comes out of the encoder. A bar means: held fixed.
#
#     {{ define vq.J }}
#
#     In the first line $x$ is the picture and $z$ its code; $p_\theta(x \mid z)$ is the decoder and $p_\theta(z)$ the prior of the codes. In the second $z$ is what the encoder gives and $e$ the nearest code; $\bar z$ and $\bar e$ have the same values but are not
#     differentiated. $L$ is the loss of the decoder, minus its log-likelihood, as a function of the code that it gets, and $\beta > 0$ the weight of the *commitment*.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     First stage:
#
#     1. Encode a batch; replace each vector by the nearest code: `genmath.vq.nearest_code`.
#     2. Decode the codes, with the gradient going straight past the replacement: `genmath.vq.straight_through`. Step on the commitment minus the log-likelihood.
#     3. Move each code towards the mean of the vectors that chose it: `genmath.vq.VectorQuantizer`.
#
#     Second stage, with the first one frozen: train an autoregressive model on the tokens of the data, `genmath.vq.TwoStage`.
#
# !!! sample "Sample"
#
#     1. Draw tokens one by one from the second model, given a label or a text if there is one.
#     2. Look up their codes and decode them: `genmath.vq.TwoStage` does both.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - The *codebook* has $K$ vectors $e_1, \dots, e_K$, the *codes*. The number $k$ of a code is its *token*. To *quantise* a vector is to replace it by a code.
# - The encoder makes of a picture $x$ one vector or a grid of them. Where one is enough we speak of one, and of one of its coordinates, a real number: $z$. What is said for vectors is shown for $d \le 3$ coordinates.
# - In densities $z$ stands for the code itself. Codes are discrete: read an integral over $z$ as a sum over the codes, and a density as a probability, at most 1. So $K = \int 1 \,\mathrm{d}z$.
# - $\mathbb{H}$ is the entropy and $D_{\mathrm{KL}}$ the divergence of [Divergences](divergences.py). Logarithms are natural; a nat is $1/\log 2 \approx 1.44$ bits.
# - *Held fixed* (a bar, sg for *stop gradient* in papers, `detach` in PyTorch) means: the value counts, the derivative is zero.
# - $\|x\|$ is the length of a vector, $\langle x, y \rangle$ the inner product.

# %%
from genmath.book import chapter
from genmath.proof import *

half = number(1) / 2
kl_nonnegative = chapter("divergences").kl_nonnegative

# %% [markdown]
# ## The nearest code
#
# {{ picture vq.voronoi }}
#
# Every place belongs to the code that is nearest: the plane falls into *cells*, one for each code (a *Voronoi* map). Where does the border between the cells of two codes $a$ and $b$ run? The difference of the two squared distances is linear in $x$, since $\|x\|^2$ cancels. So
# it is zero on a line, in space on a plane: through the midpoint of $a$ and $b$, at a right angle to what joins them.
#
# !!! example "By hand"
#
#     Codes $a = (0, 0)$ and $b = (2, 1)$; $x = (1.2, 0.3)$. The squared distances are $1.44 + 0.09 = 1.53$ and $0.64 + 0.49 = 1.13$, so $b$ is nearer, by $0.40$. The formula: the midpoint is $(1, 0.5)$, $x$ minus the midpoint is $(0.2, -0.2)$, and $2\,(0.2 \cdot 2 - 0.2 \cdot 1) = 0.4$.
#
# Cells are *convex*: with $x$ and $y$ the whole segment $(1 - t)\,x + t\,y$ between them is in the cell (`vq.nearest[convex]`, for each other code $b$), because a linear function that is not negative at both ends is not negative between them. And if all vectors have length one, the nearest code is the one with the largest
# inner product, the *cosine* of the angle (`vq.nearest[cosine]`).
#
# In code: `genmath.vq.nearest_code`.

# %%
X = vectors("x")
A, B, x_, y_ = mean_vectors("a b x y")
u_, v_ = mean_vectors("u v", domain="direction")
t = fractions("t")
between = (1 - t) * x_ + t * y_


@derivation("The border between two codes, and what follows", dims=(1, 2, 3))
def nearest(d):
    d.start(norm2(X - A) - norm2(X - B), name="border", words="two squared distances")
    d.equals(2 * dot(X, B - A) + norm2(A) - norm2(B), by="the square of $x$ cancels: what is left is linear in $x$")
    d.equals(2 * dot(X - (A + B) / 2, B - A), by="it is zero at the midpoint")
    d.given_that(norm2(x_ - B) >= norm2(x_ - A))
    d.given_that(norm2(y_ - B) >= norm2(y_ - A))
    d.start(norm2(between - B) - norm2(between - A), name="convex", words="between two points of a cell")
    d.equals((1 - t) * (norm2(x_ - B) - norm2(x_ - A)) + t * (norm2(y_ - B) - norm2(y_ - A)), by="a linear function of the place")
    d.at_least(0, by="both ends are in the cell of $a$",
               because=((1 - t) * (norm2(x_ - B) - norm2(x_ - A)), t * (norm2(y_ - B) - norm2(y_ - A))))
    d.start(norm2(u_ - v_), name="cosine", words="for vectors of length one")
    d.equals(2 - 2 * dot(u_, v_), by="expand the square")


# %% [markdown]
# **What it means.** A quantiser is a map of countries with straight borders. Inside a country nothing changes: move $x$ a little, and its token stays what it is. That is what makes tokens robust, and what makes their gradient zero.

# %% [markdown]
# ## The bound when the encoder is certain
#
# The encoder of a variational autoencoder gives a density of codes. Here it names *one* code and is certain of it. What becomes of the evidence lower bound? There is no mean to take, the entropy of such an encoder is zero, and what remains is the logarithm of
# decoder times prior, at that code. The gap is $-\log p_\theta(z \mid x)$: it is small where the model, too, believes that $x$ came from this code.

# %%
x, z = variables("x z")
p = Density("p_theta", x, z, positive=True)


@derivation("The bound with one code")
def point_posterior(d):
    d.given_that(p(z | x) <= 1)
    d.start(log(p(x)))
    d.equals(log(p(x | z)) + log(p(z)) - log(p(z | x)), by="Bayes' rule, at any code $z$")
    d.at_least(log(p(x | z)) + log(p(z)), by="a probability is at most one", because=(log_gap(p(z | x)), 1 - p(z | x)))


# %% [markdown]
# **What it means.** *Any* code gives a bound, the best one gives the highest. With a uniform prior the best is the code from which the decoder rebuilds $x$ most probably. The quantiser takes another one: the code nearest to what the encoder said. It is a guess at the best code
# that costs no call of the decoder.
#
# While the first stage is trained, the prior is uniform: each code has the probability $1/K$. Then the KL term of the bound, from the encoder $q_\phi(z \mid x)$ to the prior, is for an encoder that is certain the *constant* $\log K$ (`vq.bits`). It has no gradient, so nobody writes it into the loss. It is the price of a token: $\log_2 K$ bits.

# %%
q = Density("q_phi", z, given=x)
K = define("K", integral(number(1), z))


@derivation("The KL term to a uniform prior")
def bits(d):
    d.start(KL(q(z | x), 1 / K, over=z))
    d.equals(log(K) - H(q(z | x)), by="the logarithm of $1/K$ is a constant, and $q$ sums to one")


# %% [markdown]
# For an encoder that is certain the entropy is $-1 \cdot \log 1 = 0$, and the KL term is $\log K$. For a grid of $n$ tokens the terms add up (`divergences.kl_independent`): $n \log K$.
#
# !!! example "By hand"
#
#     The digits of the laboratory have $8 \times 8$ pixels of 17 levels, $64 \cdot \log_2 17 \approx 262$ bits. As $4 \times 4$ tokens from a book of 16 codes they have $16 \cdot 4 = 64$ bits. What the tokens leave open about the pixels comes on top: that is the reconstruction term.
#
# **What it means.** A KL term that cannot move cannot collapse either: the encoder has no reason to say nothing. (A decoder that ignores its tokens is still possible, and so are codes that nobody uses.)

# %% [markdown]
# ## A gradient straight through
#
# {{ picture vq.straight }}
#
# The decoder's loss depends on the encoder only through the choice of the code, and that is constant inside a cell. So the true gradient by the encoder is *zero* almost everywhere: nothing is learned. The *straight-through* estimator [@bengio2013estimating] pretends that the quantiser is not
# there: the gradient that arrives at the code is handed to the encoder as it is.
#
# Is that the gradient of anything? Yes, exactly: of the loss at $z + c$, where the shift $c = e - z$ is held fixed. Read it as a promise that the code will move along with $z$. On a quadratic loss with curvature $\lambda$ and its minimum at $a$ one sees what the promise costs (`vq.straight_through[bias]`). The straight-through gradient is the slope at the *code*; the
# slope at $z$ itself would be another one, and the difference is $\lambda$ times the quantisation error.
#
# In code: `genmath.vq.straight_through`.

# %%
L = Function("L")
z_, e, c, a, s, w = reals("z e c a s u")
z_bar, e_bar = reals("z_bar e_bar")
lam, Delta = positives("lambda Delta")


@derivation("What the straight-through gradient is the gradient of")
def straight_through(d):
    d.start(diff(L(z_ + c), z_), name="exact", words="with the shift held fixed")
    d.equals(L.prime(z_ + c), by="the chain rule; $z + c$ is the code")
    d.start(diff(lam * (e - a) ** 2 / 2, e), name="bias", words="on a quadratic")
    d.equals(lam * (e - a), by="the slope at the code, which the encoder is given")
    d.equals(diff(lam * (z_ - a) ** 2 / 2, z_) + lam * (e - z_), by="the slope at $z$, and curvature times error")
    d.start(integral((z_ + w) / Delta, w, between=(-Delta / 2, Delta / 2)), name="mean", words="the mean of the code, with a uniform error")
    d.equals(z_, by="errors to both sides cancel")
    d.start(integral(w**2 / Delta, w, between=(-Delta / 2, Delta / 2)), name="square", words="the mean square of the error")
    d.equals(Delta**2 / 12, by="a parabola, integrated")
    d.start((1 - s) * (2 * (0 - a)) + s * (2 * (1 - a)), name="share", words="between two codes")
    d.equals(2 * (s - a), by="collect the terms")


# %% [markdown]
# If codes stand $\Delta$ apart on a line and $z$ falls anywhere between them with equal probability, the error $u = e - z$ is uniform on an interval of length $\Delta$ around zero: the bias $\lambda u$ is zero on average (`vq.straight_through[mean]`), and its mean square is $\lambda^2 \Delta^2/12$ (`vq.straight_through[square]`).
# For a linear loss there is none at all.
#
# !!! example "By hand"
#
#     Codes 0 and 1, the loss $(e - a)^2$ with $a = 0.3$. Left of $\frac12$ the code is 0, and the encoder is told the slope $2\,(0 - 0.3) = -0.6$: it moves to the right. Right of $\frac12$ the code is 1, the slope $2\,(1 - 0.3) = 1.4$: back to the left. It never rests. It hovers about the
#     border $\frac12$ and takes code 1 in a share $s$ of the steps. The mean slope $2\,(s - a)$ (`vq.straight_through[share]`) is zero for $s = 0.3$: the *mean* of the codes is $a$, though $z$ stays near $0.5$ and no single code is right.
#
# **What it means.** The estimator is biased for the loss that we have and exact for one that we do not have. Where codes are dense it is nearly right. Where they are coarse it looks for a border and stays there; the commitment, below, is what pulls the encoder off the borders.

# %% [markdown]
# ## Three terms, and whom they teach
#
# The loss of [@oord2017vqvae] has three terms, and stop-gradients say which of them teaches whom. The decoder's loss teaches decoder and encoder, the latter straight through. The second term moves the *code* to the encoder's output, the third, the commitment, the *encoder's output* to its code. The last two have the same value, up to the weight of the commitment, but not
# the same gradients. Here everything is one number; squares of vectors are sums of such.
#
# In code: `genmath.vq.VectorQuantizer`, with `decay=None`.

# %%
beta = positives("beta")
J = define("J", L(z_ + (e_bar - z_bar)) + (z_bar - e) ** 2 + beta * (z_ - e_bar) ** 2)


@derivation("The gradients of the three terms")
def gradients(d):
    d.start(diff(J, z_), name="encoder", words="what the encoder is told")
    d.equals(L.prime(z_ + (e_bar - z_bar)) + 2 * beta * (z_ - e_bar), by="the second term holds $z$ fixed; the argument of the slope is the code")
    d.slip("taming-vq-beta", equal(diff((z_ - e_bar) ** 2 + beta * (z_bar - e) ** 2, z_), 2 * beta * (z_ - e_bar)),
           equal(diff(beta * (z_ - e_bar) ** 2 + (z_bar - e) ** 2, z_), 2 * beta * (z_ - e_bar)),
           source="CompVis/taming-transformers, taming/modules/vqvae/quantize.py (the comment on VectorQuantizer2 says so; kept as the default)",
           why="β stood at the codebook term: the encoder was held with weight 1 and the codes followed with weight β.")
    d.start(diff(J, e), name="code", words="what the code is told")
    d.equals(2 * (e - z_bar), by="the other two terms hold $e$ fixed")
    d.slip("vq-detach-reversed", equal(diff((z_ - e_bar) ** 2, e), 2 * (e - z_)), equal(diff((z_bar - e) ** 2, e), 2 * (e - z_bar)),
           source="MishaLaskin/vqvae issue #6, PR #20",
           why="The stop-gradients were interchanged: the term named after the codebook held the codes fixed, and trained the encoder.")


# %% [markdown]
# **What it means.** The decoder's loss never reaches the codes: they learn only from the vectors that choose them. And who holds the wrong side fixed gets the same number for the loss and another training.
#
# ### The codebook learns by k-means
#
# Add up the second term over the $n$ vectors $z_1, \dots, z_n$ that chose one code. Its gradient vanishes where the code is their mean $m$, and nowhere else. To choose the nearest code and to move each code to the mean of those that chose it is *k-means*: `likelihood.kmeans_step` shows that the mean is the best
# place. So a vector quantiser is k-means on what the encoder says, while the encoder keeps changing its mind.

# %%
zs = Sequence("z")
i, n, step, k = naturals("i n t k")
m = define("m", total(zs[i], i, 1, n) / n)


@derivation("The codebook loss vanishes at the mean")
def codebook(d):
    d.start(diff(total((zs[i] - e) ** 2, i, 1, n), e))
    d.equals(2 * n * (e - m), by="each square gives twice its distance, and the sum of the vectors is $n\\,m$")


# %% [markdown]
# ### By running means
#
# {{ picture vq.ema }}
#
# One can do without the gradient. Keep for each code a running count $N$ and a running sum of the vectors that chose it, and let the code be sum over count. Before a batch the count is $N_0$ and the code $e_0$, so the sum is $N_0\,e_0$. In the batch $n > 0$ vectors with mean $m$ choose the code. Both are
# averaged with a *decay* $\gamma$ between 0 and 1 (*exponential moving average*, EMA). Then the code takes a step towards $m$ (`vq.ema[step]`), the same as a gradient step on the codebook loss whose size is its own for each code (`vq.ema[gradient]`). If all batches have the same mean, the
# distance to it shrinks by $\gamma$ each time (`vq.ema[converges]`, where the count has settled at $N_0 = n$). So the fixed point is that of k-means, the mean.
#
# !!! example "By hand"
#
#     $\gamma = 0.9$, $N_0 = 10$, $e_0 = 2$. Five vectors with mean 4 choose the code. Count: $9 + 0.5 = 9.5$. Sum: $0.9 \cdot 20 + 0.1 \cdot 20 = 20$. The code is now $20/9.5 \approx 2.105$: a nineteenth of the way.
#
# In code: `genmath.vq.VectorQuantizer`.

# %%
gamma_ = fractions("gamma")
N_0, batch = positives("N_0 n")
e_0, mean = reals("e_0 m")
N_1 = define("N_1", gamma_ * N_0 + (1 - gamma_) * batch)
e_1 = define("e_1", (gamma_ * (N_0 * e_0) + (1 - gamma_) * (batch * mean)) / N_1)


@derivation("Running means are steps towards the mean")
def ema(d):
    d.start(e_1, name="step", words="one batch")
    d.equals(e_0 + (1 - gamma_) * batch / N_1 * (mean - e_0), by="take out what is left of the old code")
    d.start(e_0 - (1 - gamma_) / (2 * N_1) * (2 * batch * (e_0 - mean)), name="gradient", words="as a gradient step of `vq.codebook`")
    d.equals(e_1, by="the same step")
    d.start(gamma_**step * e_0 + total((1 - gamma_) * gamma_ ** (step - k) * mean, k, 1, step), name="converges", words="after $t$ batches with one mean")
    d.equals(mean + gamma_**step * (e_0 - mean), by="a geometric sum", because=induction(step))


# %% [markdown]
# **What it means.** A code is the mean of what chose it lately. The memory is about $1/(1 - \gamma)$ batches. It has to be long enough to average and short enough to follow an encoder that moves.
#
# {{ explorer codebook }}
#
# ### Commitment
#
# What the encoder is told by the decoder is a slope $g$. If only that counted, it would push $z$ along, far from any code, until another one is nearer; codes would run after it. The commitment is a spring. Near the code the loss is $g\,z + \beta (z - e)^2$, and its minimum lies at a distance
# $|g|/(2\beta)$ from the code.
#
# !!! example "By hand"
#
#     With the usual $\beta = 0.25$ a slope of $0.5$ holds the encoder's output one unit off its code. If codes stand less than two units apart, that is beyond the border.

# %%
g = reals("g")


@derivation("The spring of the commitment")
def commitment(d):
    d.start(g * z_ + beta * (z_ - e) ** 2)
    d.at_least(g * e - g**2 / (4 * beta), by="complete the square", because=beta * (z_ - e + g / (2 * beta)) ** 2)
    d.tight_when(z_, e - g / (2 * beta))


# %% [markdown]
# **What it means.** A push must be strong to change a token: this calms the training, and a large $\beta$ freezes it. $\beta$ has the unit of a loss over a squared distance; if the encoder's outputs grow tenfold, the same $\beta$ is a hundred times as strict.

# %% [markdown]
# ## Who uses the codebook?
#
# {{ picture vq.usage }}
#
# A code that nobody chooses gets no gradient and no mean: it is *dead*, and mostly stays so while the others improve. One watches the *perplexity* of the codes, $\exp$ of the entropy of $r(z)$, the share of the tokens that are $z$: $K$ if all are used alike, less otherwise. The shortfall of the entropy is a divergence, from the law of the codes to the uniform one.
#
# !!! example "By hand"
#
#     Four codes with shares $\frac12, \frac14, \frac18, \frac18$: the entropy is $1.75$ bits, and the perplexity $2^{1.75} \approx 3.36$. The book is used as if it had $3.36$ codes.
#
# Dead codes are *restarted*: put on a vector of the batch. That cannot raise the squared error of the batch if nobody chose the code, since each vector may keep the one that it has.
#
# In code: `genmath.vq.code_perplexity`.

# %%
r = Density("r", z, positive=True)


@derivation("The perplexity of the codes is at most K")
def perplexity(d):
    d.start(H(r(z)), name="entropy", words="the entropy of the codes")
    d.equals(log(K) - KL(r(z), 1 / K, over=z), by="the divergence from the uniform law is $\\log K$ less the entropy")
    d.at_most(log(K), by="$\\log u \\le u - 1$ at $u = 1/(K r)$", because=E(r(z), log_gap(1 / (K * r(z)))))
    shortfall = KL(r(z), 1 / K, over=z)
    d.start(K, name="perplexity", words="the number of codes, and their perplexity")
    d.equals(exp(H(r(z))) * exp(shortfall), by="the exponential of the first line")
    d.at_least(exp(H(r(z))) * (1 + shortfall), by="$e^s \\ge 1 + s$", because=exp(H(r(z))) * log_gap(exp(shortfall)))
    d.at_least(exp(H(r(z))), by="the divergence is not negative", because=exp(H(r(z))) * E(r(z), log_gap(1 / (K * r(z)))))


# %% [markdown]
# **What it means.** A book of 8192 codes with a perplexity of 500 holds nine bits in thirteen. But a low perplexity is no fault by itself: what is missing to $\log K$ is exactly what a prior can save, as the next section shows.

# %% [markdown]
# ## Two stages
#
# The first stage is trained with a uniform prior. Now keep it as it is: encoder, codes, decoder. Every picture of the data has its tokens. Write $r(x, z)$ for the law of a picture from the data together with its code, and $r(z)$ for that of the codes of all data. Put any prior
# $p_\psi(z)$ with parameters $\psi$ in the place of the uniform one. The bound of `vq.point_posterior` holds for every prior; averaged over the data it splits into the reconstruction, which $\psi$ cannot change, the entropy of the codes, and a divergence.

# %%
pairs = Density("r", x, z)
decoder = Density("p_theta", x, given=z, positive=True)
prior = Density("p_psi", z, positive=True)


@derivation("A better prior is a better bound, by as much")
def two_stages(d):
    d.start(E(pairs(x, z), log(decoder(x | z)) + log(prior(z))))
    d.equals(E(pairs(x, z), log(decoder(x | z))) - H(pairs(z)) - KL(pairs(z), prior(z)), by="the prior sees the codes alone: its mean is an entropy and a divergence")
    d.at_most(E(pairs(x, z), log(decoder(x | z))) - H(pairs(z)), by="a divergence is not negative", because=kl_nonnegative(pairs(z), prior(z)))


# %% [markdown]
# **What it means.** To train the prior on the tokens by maximum likelihood is to raise the bound of the whole model. A nat won there is a nat won in the bound of $\log p(x)$, no more and no less. What can be won in all, over the uniform prior, is $\log K - \mathbb{H}[r(z)]$, the shortfall of `vq.perplexity`.
#
# {{ picture vq.bound }}
#
# ### Tokens of a grid
#
# A picture has several tokens, $z_1, z_2, \dots$. The simplest prior takes each by itself. Even the best of these loses the divergence of the joint law from the product of its marginals, the mutual information of the tokens. An autoregressive prior can reach zero: the loss is then the entropy of the
# tokens (`autoregressive.teacher_forcing`). That is why the second stage is autoregressive: a transformer, say.
#
# In code: `genmath.vq.TwoStage`, over `genmath.nets.GPT`.

# %%
z_1, z_2 = variables("z_1 z_2")
grid = Density("r", z_1, z_2, positive=True)
first, second = Density("p_1", z_1, positive=True), Density("p_2", z_2, positive=True)


@derivation("What a prior of single tokens loses")
def single_tokens(d):
    d.start(E(grid(z_1, z_2), -log(first(z_1)) - log(second(z_2))))
    d.equals(H(grid(z_1, z_2)) + KL(grid(z_1, z_2), grid(z_1) * grid(z_2)) + KL(grid(z_1), first(z_1)) + KL(grid(z_2), second(z_2)),
             by="multiply and divide by the marginals inside the logarithms")


# %% [markdown]
# **With a label or a text.** All of this can also be done given some $y$: the prior is then a law of tokens given $y$, and the chain rule holds with $y$ known throughout (`autoregressive.chain_rule[condition]`). For a text no new machine is needed. Put the words *before* the tokens of the picture, in one sequence with one vocabulary of words and codes, and let
# the transformer go on: the words are its prefix, the picture its continuation [@ramesh2021zero]. Here only the tokens of the picture are drawn and counted.

# %% [markdown]
# ## Without a codebook: rounding
#
# {{ picture vq.fsq }}
#
# A learned book is fragile: codes die, and three losses pull at each other. *Finite scalar quantisation* [@mentzer2024finite] has no book. Take few channels, squash each into $(-1, 1)$, $y = \tanh z$, cut the interval into $L$ equal pieces (here $L$ counts levels and is no loss), and replace the number by the middle of its piece, straight through. The codes are all
# combinations: with 8, 5, 5 and 5 levels there are 1000. All cells are there from the beginning, so no loss has to place them, and there is nothing to commit to.
#
# An error is at most half a piece, $1/L$ (`vq.fsq[cell]`, where $y$ lies in piece number $k$); its mean square is $1/(3 L^2)$ if $y$ is uniform there. The token is the numbers of the pieces, read as the digits of one number. If $M$ tokens are there for the channels so far, from 0 to
# $M - 1$, a channel with $L$ levels more leads to the largest token $M L - 1$ (`vq.fsq[token]`). There are $M L$ combinations, and different digits make different numbers: so none is missing and none is twice.
#
# !!! example "By hand"
#
#     $L = 5$ and $z = 0.4$: $y = \tanh 0.4 \approx 0.380$. The pieces have the length $0.4$; $0.380$ is in the fourth, from $0.2$ to $0.6$, and becomes $0.4$. The error is $0.02$, at most $0.2$.
#
# In the paper the pieces at both ends are half as long, and for an even number of levels $\tanh$ is shifted so that 0 falls on a level: $\tanh(z + s)$ must be a given number $c$ at $z = 0$, so $s$ is the inverse of $\tanh$ at $c$ (`vq.fsq[shift]`). With equal pieces no shift is needed.
#
# In code: `genmath.vq.FSQ`.

# %%
y = reals("y")
levels, piece, M = naturals("L k M")
inside = fractions("c")
length = define("Delta", 2 / levels)


@derivation("Cutting an interval into equal pieces")
def fsq(d):
    middle = define("e_k", (2 * piece - 1) / levels - 1)
    d.given_that(y >= 2 * (piece - 1) / levels - 1)
    d.given_that(2 * piece / levels - 1 >= y)
    d.start(absolute(y - middle), name="cell", words="the error in a piece")
    d.at_most(1 / levels, by="the ends of the piece are $1/L$ away from its middle", because=1 / levels - absolute(y - middle))
    d.start(integral(w**2 / length, w, between=(-length / 2, length / 2)), name="error", words="its mean square")
    d.equals(1 / (3 * levels**2), by="`vq.straight_through[square]` with pieces of length $2/L$")
    d.start((M - 1) + M * (levels - 1), name="token", words="the largest token, with one channel more")
    d.equals(M * levels - 1, by="the new digit counts $M$ each")
    d.start(tanh(log((1 + inside) / (1 - inside)) / 2), name="shift", words="the inverse of the squashing")
    d.equals(inside, by="$\\tanh$ is a quotient of exponentials")
    d.slip("fsq-tan-shift", equal(tanh(tan(inside)), inside), equal(tanh(log((1 + inside) / (1 - inside)) / 2), inside),
           source="lucidrains/vector-quantize-pytorch issue #94 (the code in the appendix of arXiv 2309.15505; confirmed by an author)",
           why="tan is not the inverse of tanh; for small numbers the two are close.")


# %% [markdown]
# **What it means.** A bit more for a channel is twice as many levels and a quarter of the squared error: about 6 decibels a bit, as for any fine quantiser.

# %% [markdown]
# ## Mix, then harden: Gumbel-softmax
#
# {{ picture vq.gumbel }}
#
# Another way to a gradient keeps the encoder uncertain. It gives logits, one for each code, and a code is *drawn*: add Gumbel noise to the logits and take the largest (`autoregressive.gumbel_max`). An arg max has no gradient. So replace it by a softmax at a temperature $\tau$ [@jang2017categorical]
# [@maddison2017concrete]: the result is a mixture of codes instead of one, and its path gradient exists.
#
# For two codes the weight of the first is a sigmoid (`vq.gumbel_softmax[two]`); if noise and logit favour it by $\delta > 0$, what is left to the other is at most $e^{-\delta/\tau}$: as $\tau \to 0$ the mixture becomes the draw. At a temperature above zero it is in general biased; at $\tau = 1$ all is explicit. The difference of two Gumbel
# variables is logistic noise, $\log\frac{u}{1-u}$ for a uniform $u$ (`autoregressive.logistic_draw`): by `autoregressive.gumbel_max[first]` it lies above $-\ell$ with the probability $1/(1 + e^{-\ell})$. With $a = e^{-\ell}$, where $\ell$ is the difference of the logits, the first code is drawn with probability $1/(1 + a)$; its mean weight in the mixture is another number. For $a < 1$, where the first code is the more probable one, it is smaller (`vq.gumbel_softmax[lack]`, `vq.gumbel_softmax[pulled]`): the mixture is pulled to the middle.
#
# !!! example "By hand"
#
#     $a = \frac13$: the code has probability $0.75$. Its mean weight at $\tau = 1$ is $\frac32 - \frac34 \log 3 \approx 0.676$. With equal logits the weight $y$ is uniform on $(0, 1)$: the mean of $y^2$ is $\frac13$, where the draw, 0 or 1, has $\frac12$. The gradient of that mean by $\ell$ is $\frac16$ (`vq.gumbel_softmax[slope]`); that of the
#     draw is $p\,(1 - p) = \frac14$.
#
# In code: `genmath.vq.GumbelSoftmax`.

# %%
ell_1, ell_2, G_1, G_2, ell = reals("ell_1 ell_2 G_1 G_2 ell")
tau, lead, odds = positives("tau delta a")
v = reals("v")
uniform = fractions("u")


@derivation("The limit of Gumbel-softmax, and its bias")
def gumbel_softmax(d):
    one, two = exp((ell_1 + G_1) / tau), exp((ell_2 + G_2) / tau)
    d.given_that(odds < 1)
    d.start(one / (one + two), name="two", words="the weight of the first of two codes")
    d.equals(sigmoid((ell_1 + G_1 - (ell_2 + G_2)) / tau), by="divide by the numerator")
    d.start(1 - sigmoid(lead / tau), name="limit", words="what is left to the other")
    d.at_most(exp(-lead / tau), by="it is the exponential times the weight of the first", because=exp(-lead / tau) * (1 - sigmoid(lead / tau)))
    d.start(sigmoid(ell + log(uniform / (1 - uniform))), name="draw", words="the weight at temperature 1")
    d.equals(uniform / (uniform + (1 - uniform) * exp(-ell)), by="a sigmoid of a logarithm is a quotient")
    d.start(integral(w / (w + (1 - w) * odds), w, between=(0, 1)), name="mean", words="its mean")
    d.equals(1 / (1 - odds) + odds * log(odds) / (1 - odds) ** 2, by="a rational function, integrated")
    lack = -2 * (1 - odds) - (1 + odds) * log(odds)
    d.start(1 / (1 + odds) - (1 / (1 - odds) + odds * log(odds) / (1 - odds) ** 2), name="lack", words="what it lacks to the probability")
    d.equals(odds / ((1 - odds) ** 2 * (1 + odds)) * lack, by="a common denominator")
    d.start(lack, name="pulled", words="its last factor")
    d.at_least(0, by="it is zero at $a = 1$, and its slope is minus the gap of $\\log u \\le u - 1$ at $u = 1/a$", because=integral(log_gap(1 / v), v, between=(odds, 1)))
    d.start(integral(2 * w * (w * (1 - w)), w, between=(0, 1)), name="slope", words="the gradient of the mean square, at equal logits")
    d.equals(number(1) / 6, by="the weight is $u$, and its slope by the logit $u\\,(1 - u)$")


# %% [markdown]
# **What it means.** The path gradient is unbiased for the *mixture's* loss and in general biased for that of the draw. A low temperature has little bias and, since the slope of the sigmoid is then steep and narrow, a large variance. One cools slowly. The score-function gradient (`vae.score_function_gradient`) has no bias at any temperature and
# needs no mixture, and its variance is mostly larger. With *straight-through* Gumbel-softmax the decoder sees the drawn code, and the gradient is that of the mixture.

# %% [markdown]
# ## Rate and distortion { .advanced }
#
# {{ picture vq.rate }}
#
# Bits against error: how well can one do? Let $d(z) \ge 0$ be the error of representing a given $x$ by the code $z$, and let $m(z)$ be the law that prices the codes: $z$ costs $-\log m(z)$ nats. An encoder $q$ pays the divergence from $q$ to $m$, in nats: the *rate*. The Lagrangian adds the error and $\lambda$ times the rate. The best
# encoder is known (`vq.rate_distortion`): it takes a code with a probability in proportion to $m(z)\,e^{-d(z)/\lambda}$. This is the tempered posterior of `vae.beta_optimum`, with minus the error for the log-likelihood. If the error is the squared distance, it becomes the nearest code as $\lambda \to 0$; and it is the E-step of a mixture with weights $m(z)$ and variance $\lambda/2$; the case of two equal weights is
# `likelihood.hard_choice`. That a price $\lambda$ bounds what any encoder with a given budget of nats can reach is `vae.beta_dual`.
#
# An encoder that must name one code pays $-\log m(z)$ for it; for codes $a$ and $b$ write $p_a$ and $p_b$ for $m$, and take the squared distance as error. Then the best code need not be the nearest one: rare codes have to be nearer. The borders stay straight and keep their directions, but move towards the rarer code (`vq.priced`).

# %%
q_z, price_law = Density("q", z, positive=True), Density("m", z, positive=True)
error = Function("d")
Z = define("Z_lambda", integral(price_law(z) * exp(-error(z) / lam), z))
best = define("q_lambda", price_law(z) * exp(-error(z) / lam) / Z)
p_a, p_b = fractions("p_a p_b")


@derivation("The best encoder at a price of the nat")
def rate_distortion(d):
    d.start(E(q_z(z), error(z)) + lam * KL(q_z(z), price_law(z)))
    d.equals(lam * KL(q_z(z), best, over=z) - lam * log(Z), by="multiply and divide by $Z_\\lambda$ inside the logarithm")
    d.at_least(-lam * log(Z), by="$\\log u \\le u - 1$ at $u = q_\\lambda/q$, and both sum to one", because=lam * E(q_z(z), log_gap(best / q_z(z))))
    d.tight_when(q_z(z), best)


@derivation("Borders when codes have prices", dims=(1, 2, 3))
def priced(d):
    d.start((norm2(X - A) - lam * log(p_a)) - (norm2(X - B) - lam * log(p_b)))
    d.equals(2 * dot(X - (A + B) / 2, B - A) + lam * log(p_b / p_a), by="`vq.nearest[border]`, and the difference of the prices")


# %% [markdown]
# **What it means.** The first stage chooses a point on a curve: bits a token against error. The number of codes, the size of the grid and the strength of the decoder move it; the loss itself, with its constant $\log K$, does not trade the one for the other.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - Quantise: take the nearest code. Cells are convex, with straight borders (`vq.nearest`).
#     - With one code the bound is $\log p(x \mid z) + \log p(z)$ (`vq.point_posterior`); a uniform prior makes the KL term $\log K$ (`vq.bits`).
#     - Straight through: the exact gradient of $L(z + c)$ with $c = e - z$ fixed; its bias on a quadratic is curvature times error (`vq.straight_through`).
#     - The codebook term moves the code, the commitment moves the encoder (`vq.gradients`). The codebook does k-means, with EMA online (`vq.ema`).
#     - Perplexity of the codes $\le K$ (`vq.perplexity`).
#     - A nat of a better prior is a nat of a better bound (`vq.two_stages`).
#     - FSQ: round, and have no codebook (`vq.fsq`). Gumbel-softmax: a mixture in the place of the draw, with a bias that is computed for two codes at $\tau = 1$ (`vq.gumbel_softmax`).
#
# ## Questions
#
# ??? question "The codebook loss and the commitment loss have the same value, except for the factor β. Why not write one term?"
#
#     Because their gradients go to different places: one moves the code, the other the encoder. One term $(z - e)^2$ without a stop-gradient would move both with the same weight.
#
# ??? question "Where is the KL term in the loss of a VQ-VAE?"
#
#     It is $n \log K$, a constant, and a constant has no gradient. In the bound it must be counted.
#
# ??? question "You double $K$, the perplexity stays what it was. Was it worth it?"
#
#     The new codes are not used, or as if they were not. The price of a token with a uniform prior has risen by one bit. With a trained prior nothing was lost, but nothing was won.
#
# ??? question "Two teams report the reconstruction error of their tokenisers. Which one is better?"
#
#     Without the number of bits the question has no answer: more tokens or more codes lower the error. Compare at equal bits, or compare the bound.
#
# ??? question "Why does the prior of the second stage have to be trained on tokens of data, not on uniform ones?"
#
#     The bound averages $\log p_\psi(z)$ over the codes of the data. Uniform tokens decode to patches that do not fit together: the decoder never saw such grids.
#
# ??? question "Can the loss of the prior fall below the entropy of the tokens on data that it has not seen?"
#
#     Not on average over the true law of the tokens: there it is that entropy plus a divergence (`autoregressive.next_token`). On the training set it can, by learning it by heart.
#
# {{ spot vq-detach-reversed among vq.gradients[encoder] vq.gradients[code] }}
#
# ## What these results do not say
#
# - **That training converges.** k-means goes down with every step because the vectors stay where they are. Here the encoder moves too, by a gradient that is not that of the loss.
# - **That the nearest code is the best one.** It is the nearest for the encoder, not for the decoder. Any code gives a bound (`vq.point_posterior`); the bound does not say how far it is from the evidence.
# - **That the two-stage bound is the evidence.** The gap is $-\log p(z \mid x)$ at the chosen code, and where many codes explain the picture about equally well, as with a strong decoder, it is large.
# - **That a mean squared error is a likelihood.** It is minus a log-likelihood, up to a factor and a constant, for one variance of the decoder (`vae.optimal_variance`). Bits of a first stage that is trained with perceptual or adversarial losses are bits of tokens, not of pictures.
# - **The bias of Gumbel-softmax in general.** It is computed for two codes and $\tau = 1$. For other numbers of codes and other $\tau > 0$ we only say, without a proof, that the gradient of the mixture is in general not that of the draw.
# - **Lines for $d \le 3$.** The results on borders are checked entry by entry for up to three coordinates.

# %% [markdown]
# ## Where sources slip
#
# - `vq.gradients`: $\beta$ at the wrong term (`taming-vq-beta`), and stop-gradients at the wrong sides (`vq-detach-reversed`). Both still train; what they train is something else.
# - `vq.fsq`: a shift by the tangent instead of the inverse of the hyperbolic one (`fsq-tan-shift`).
#
# All of them are formulas, so none is left unchecked.

# %% [markdown]
# ## References
#
# - [@oord2017vqvae]: the quantiser (equation 1), the loss (equation 3), the running means (appendix A.1 of the arXiv version), the prior over tokens.
# - [@bengio2013estimating]: the straight-through estimator.
# - [@razavi2019generating]: two grids of tokens, and large pictures.
# - [@esser2021taming]: an adversarial first stage, and a transformer as prior.
# - [@ramesh2021zero]: text and picture as one sequence of tokens.
# - [@jang2017categorical], [@maddison2017concrete]: Gumbel-softmax.
# - [@mentzer2024finite]: finite scalar quantisation.
# - [@yu2022vectorquantized]: codes of length one, and cosines.
# - [@gray1998quantization]: quantisation, rate and distortion before neural networks.
