# %% [markdown]
# # Attention and transformers
#
# A picture of a red ball on a blue box is to be made from the words "a red ball on a blue box". Which part of the picture needs which word? The ball needs "red" and the box needs "blue"; and the shadow of the ball needs to know where the ball is. A layer that looks at a fixed
# neighbourhood cannot know beforehand where to look. How can a network *choose* what it looks at, so that the choice can be trained, and what does that cost?
#
# **The answer in a line:** everything asks a question of everything and takes a weighted average of the answers, with the weights from a softmax of how well the question fits what each says that it can be found by. It is an average, so it has slopes; and as everything asks everything, its cost grows with the square of their number.
#
# {{ picture attention.question }}
#
# !!! board "On the board"
#
#     What a place takes is an average of the values, by weights that are a softmax of the scores:
#
#     {{ attention.average[output] }}
#
#     The products of queries and keys have a spread that grows with the number of features. The temperature takes it away:
#
#     {{ attention.scaling[scaled] }}
#
#     $j$ runs through the $n$ places that are looked at. $s_j$ is the *score* of place $j$: how well its *key* fits the *query* of the place that asks, $s_j = \langle q, k_j \rangle$. $v_j$ is the *value* that it offers, and $a$ are the weights. $\tau$ is the *temperature*; for
#     queries and keys of $d$ features it is $\sqrt d$. In the second line $a$ and $b$ are the variances of an entry of the query and of an entry of the key.
#
# <div class="two" markdown="block">
#
# !!! train "Train a diffusion transformer"
#
#     1. Cut the noisy picture (or its code) into patches, a *token* each: `genmath.attention.image_tokens` says how many. Tell each where it stands: `genmath.attention.sinusoids`.
#     2. In every block each token takes from all tokens, `genmath.attention.attention`, and then thinks for itself, a perceptron. Both read a normed input that time and class scale and shift: `genmath.attention.modulate`.
#     3. Put the patches together again. The whole network is `genmath.nets.DiT`, and the loss that of the diffusion model, as `genmath.ddpm.denoising_loss`.
#
# !!! sample "Sample"
#
#     1. A diffusion model samples as any other: the transformer is only its network. All tokens see all: no mask.
#     2. An autoregressive one, `genmath.nets.GPT`, draws a token at a time; each sees itself and those before it: `genmath.nets.causal_mask`. Keys and values of old tokens are kept.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - A *token* is a vector of $d$ numbers, its *features*; $d$ is the *width*. There are $n$ tokens: patches of a picture, words, frames. Where a token stands is its *place*.
# - Each token $x$ has a *query* $q = W_q x$, a *key* $k = W_k x$ and a *value* $v = W_v x$, with trained matrices. Query: what am I looking for? Key: what can I be found by? Value: what do I hand over?
# - $\langle q, k \rangle$ is the inner product, the sum of the products of entries. $\Vert q \Vert^2 = \langle q, q \rangle$.
# - The *softmax* of scores divides each $e^{s_j/\tau}$ by the sum of all of them, $Z_\tau$. Its results are > 0 and add up to one.
# - *Self-attention*: queries, keys and values come from the same tokens. *Cross-attention*: the queries from one set (the picture), keys and values from another (the text). *Heads*: $h$ attentions side by side, each on its own $d/h$ features, whose results are put side by side again.
# - A *block* is attention and then a perceptron with one hidden layer of $4d$ numbers; the result of each is *added* to what it read. A transformer is a pile of $L$ blocks.
# - A *FLOP* is an addition or a multiplication. A product of an $m \times k$ and a $k \times n$ matrix takes about $2 m k n$.

# %%
from genmath.proof import *

j, n = naturals("j n")
s, value, weight = Sequence("s"), Sequence("v"), Sequence("w", domain="positive")
tau = positives("tau")


def over_all(term):
    return total(term, j, 1, n)


Z = define("Z_tau", over_all(exp(s[j] / tau)))
a = define("a", exp(s[j] / tau) / Z)


# %% [markdown]
# ## An average that chooses
#
# !!! example "By hand"
#
#     Three places with the scores $2, 1, 0$ and the values $10, 20, 60$, at temperature 1. The exponentials are $7.39, 2.72, 1$, together $11.11$. The weights are $0.665, 0.245, 0.090$, and the average is $6.65 + 4.89 + 5.40 = 16.9$. With the scores $20, 10, 0$ the first weight is
#     $0.99995$: nearly a choice. With equal scores all weights are $\frac13$, and the average is 30.
#
# The weights add up to one (`attention.average[weights]`), so what is taken lies between the smallest and the largest value: attention mixes, it does not invent. Only differences of scores count: a number added to all of them cancels.
#
# In code: `genmath.attention.attention`, `genmath.attention.attention_weights`.


# %%
@derivation("Attention is an average")
def average(d):
    d.start(over_all(a * value[j]), name="output", words="what is taken")
    d.equals(over_all(exp(s[j] / tau) * value[j]) / over_all(exp(s[j] / tau)), by="the sum in the denominator is the same for all places")
    d.start(over_all(a), name="weights", words="the weights together")
    d.equals(1, by="each is divided by the sum of all")


# %% [markdown]
# ### Near keys: attention as a kernel
#
# Statistics knows this average. To guess a curve at a place where nothing was measured, average the measured values with weights that fall with the distance, by a bell, say (Nadaraya and Watson, 1964). The bell around the query $q$ with variance $\tau$ is the exponential of the score over $\tau$, up to two factors.
# One depends on the query alone and cancels in the average. The other depends on the length of the key: if all keys are equally long, attention *is* that average, and a high score means a short distance.
#
# {{ picture attention.kernel }}

# %%
q, k = mean_vectors("q k")


@derivation("A bell around the query, in terms of the score", dims=(1, 2, 3))
def kernel(d):
    d.start(exp(-norm2(q - k) / (2 * tau)))
    d.equals(exp(dot(q, k) / tau) * exp(-norm2(q) / (2 * tau)) * exp(-norm2(k) / (2 * tau)), by="the square of a difference")


# %% [markdown]
# **What it means.** The temperature is the width of the bell, squared. A small one looks at the nearest key only; a large one averages all. Longer keys get more weight than their distance earns, by the factor $e^{\Vert k \Vert^2/(2\tau)}$.
#
# Some models therefore divide queries and keys by their length first (*QK-norm*). Then the bell and the exponential of the score over $\tau$ differ by a constant factor, which cancels in the average: attention *is* the kernel average. And no score is above 1 (`attention.directions[most]`) or, with $-k$ in the place of $k$, below $-1$, whatever training does to the matrices: at temperature $\tau$ no place gets more than
# $e^{2/\tau}$ times the weight of another, so $\tau$ has to be learned or chosen small.

# %%
q_unit, k_unit = mean_vectors("q k", domain="direction")


@derivation("Queries and keys of length one", dims=(1, 2, 3))
def directions(d):
    d.start(exp(-norm2(q_unit - k_unit) / (2 * tau)), name="bell", words="the bell")
    d.equals(exp(-1 / tau) * exp(dot(q_unit, k_unit) / tau), by="both squares are 1")
    d.start(dot(q_unit, k_unit), name="most", words="the score")
    d.at_most(1, by="half the squared distance is what is missing", because=norm2(q_unit - k_unit) / 2)


# %% [markdown]
# ### The perfect denoiser is attention
#
# Here is why attention fits diffusion so well. Let the data be finitely many pictures, each as probable as any other. A noisy one is $x_t = \alpha x_0 + \sqrt v\, \epsilon$, where $\epsilon$ is standard normal. The best guess of $x_0$ is its mean given $x_t$ (`score.best_guess`): an average of the pictures, with a bell around $x_t$ as weight. Multiply the square out: it
# is attention, with the query $x_t$, the scaled pictures $\alpha x_0$ as keys, the temperature $v$, the pictures themselves as values, and half the square of a key taken off its score. Below it is written for one number; for a picture the squares of all its pixels add up in the exponent.
#
# {{ picture attention.denoiser }}

# %%
x_t, alpha = reals("x_t alpha")
noise = positives("v")
x_0 = Sequence("x_0")


bell = exp(-((x_t - alpha * x_0[j]) ** 2) / (2 * noise))
matched = exp((x_t - alpha * x_0[j] / 2) * alpha * x_0[j] / noise)


@derivation("The exact denoiser of finitely many data is attention over them")
def denoiser(d):
    d.start(over_all(bell * x_0[j]) / over_all(bell))
    d.equals(over_all(matched * x_0[j]) / over_all(matched), by="the square, multiplied out; what depends on the query alone cancels")


# %% [markdown]
# **What it means.** With much noise the scores are all alike, and the guess is the mean of all data; with little noise one picture gets all the weight. The noise level is the temperature. A sampler with exactly this denoiser would in the end return only pictures of the data. Trained networks make new pictures because they only come near to this average.
#
# ## Why softmax?
#
# Many functions give weights that add up to one. Softmax is the answer to a question. Choose weights $r$ so that the mean score is high, but do not put all on one place: a mean score plus $\tau$ times the entropy. The largest value is $\tau \log Z_\tau$, and softmax has it. (For letters this is
# `autoregressive.temperature`.) So the temperature is the price of entropy: at $\tau \to 0$ attention is a lookup of the best key, at $\tau \to \infty$ a plain mean. Any weights $> 0$ that add up to one can be written as $r$ below, with positive numbers $w$.

# %%
r = define("r", weight[j] / over_all(weight[j]))


@derivation("Softmax has the most score and entropy")
def softmax(d):
    d.start(over_all(a * s[j]) - tau * over_all(a * log(a)), name="attained", words="the softmax")
    d.equals(tau * log(Z), by="the logarithm of $a$ is the score over $\\tau$, less $\\log Z_\\tau$")
    d.start(over_all(r * s[j]) - tau * over_all(r * log(r)), name="bound", words="any other weights")
    d.equals(tau * log(Z) - tau * over_all(r * log(r / a)), by="the score is $\\tau$ times the logarithm of $a$, plus $\\tau \\log Z_\\tau$")
    d.at_most(tau * log(Z), by="$\\log u \\le u - 1$ at $u = a / r$", because=tau * over_all(r * log_gap(a / r)))


# %% [markdown]
# {{ explorer attention }}
#
# ### Heads
#
# One average can hardly look at two places at once: with half the weight on each it returns their mean, and from a mean of 10 and 60 nobody can tell the two. So a layer has several *heads*. Each has its own queries, keys and values of $d/h$ features, and so its own weights; the results are put side by side, and one more matrix mixes them. One head may look at
# the place before, another at places of the same colour. (Two heads that look at different places return both values, 10 *and* 60.)
#
# ### How it learns where to look
#
# How does the average $o$ change if one score rises? Take the temperature 1; let $s$ be the score of a place, $a$ its weight and $v$ its value; $R$ is the sum of the exponentials of the others, and $B$ the same sum with their values. The slope is the weight of the place, times how far its value lies *above the average*. So training raises the scores of values
# that would help and lowers those that would harm. And a weight near 0 or 1 has almost no slope: a place that nobody looks at is not told that it should be looked at.
#
# {{ picture attention.saturation }}

# %%
score_, v, B = reals("s v B")
R = positives("R")
taken = (exp(score_) * v + B) / (exp(score_) + R)
o = define("o", taken)
mine = define("a", exp(score_) / (exp(score_) + R))


@derivation("How what is taken depends on a score and on a value")
def slopes(d):
    d.start(diff(taken, score_), name="score", words="by a score")
    d.equals(mine * (v - o), by="the quotient rule")
    d.start(diff(taken, v), name="value", words="by a value")
    d.equals(mine, by="what is taken is linear in the values")


# %% [markdown]
# ## Why divide by the root of d?
#
# A score is a sum of $d$ products; in this section $d$ counts the features of *one head*. When training begins, the entries of query and key are about independent, with mean 0 and variance 1. One product then has the variance 1, and $d$ of them add up to $d$: the scores of 64 features have the standard deviation 8, and the softmax of such scores is nearly a choice
# (the picture above), which has almost no slope and learns slowly. Divide by $\sqrt d$ and the standard deviation is 1, whatever $d$ is.
#
# First one product more: $u$ is the sum so far, of any law; $m$ and $l$ are the means of the new entries. Then $d$ of them, and the division.
#
# !!! example "By hand"
#
#     $d = 4$, and entries $\pm 1$ with equal chances. The products are $\pm 1$, and their sum is $-4, -2, 0, 2, 4$ with the probabilities $\frac1{16}, \frac4{16}, \frac6{16}, \frac4{16}, \frac1{16}$. The mean square is $(16 + 4 \cdot 4 + 0 + 4 \cdot 4 + 16)/16 = 4$. Divided by $\sqrt 4 = 2$, the mean square is 1.

# %%
query, key, before = variables("q k u")
p_q, p_k, p_u = Density("p_q", query), Density("p_k", key), Density("p", before)
mean_q, mean_k = define("m", E(p_q(query), query)), define("l", E(p_k(key), key))


@derivation("One more product of independent entries adds the product of their variances")
def product_variance(d):
    d.start(E((p_u(before), p_q(query), p_k(key)), (before + (query - mean_q) * (key - mean_k)) ** 2))
    d.equals(
        E(p_u(before), before**2) + E(p_q(query), (query - mean_q) ** 2) * E(p_k(key), (key - mean_k) ** 2),
        by="the mixed term has the mean 0; the mean of a product of independent squares is the product of the means",
    )


# %%
i, width, heads = naturals("i d h")
var_q, var_k = positives("a b")


@derivation("The spread of a score")
def scaling(d):
    d.start(total(var_q * var_k, i, 1, width), name="raw", words="a sum of $d$ products")
    d.equals(width * var_q * var_k, by="each adds the same", because=induction(width))
    d.start(total(var_q * var_k, i, 1, width) / sqrt(width) ** 2, name="scaled", words="divided by the root of $d$")
    d.equals(var_q * var_k, by="a factor counts in the variance by its square", because=induction(width))
    d.slip("vit-pytorch-scale", equal(total(var_q * var_k, i, 1, width) / sqrt(heads * width) ** 2, var_q * var_k),
           equal(total(var_q * var_k, i, 1, width) / sqrt(width) ** 2, var_q * var_k),
           source="lucidrains/vit-pytorch issue #65",
           why="The scores were divided by the root of the whole width, $h$ heads together. The sum runs over the features of one head; the scores come out too small by the root of $h$, and the attention too flat.")


# %% [markdown]
# ## A set, not a sequence
#
# Nothing in the average says who stands where. Write three tokens and any functions: a score $s(x, y)$ of two tokens and a value $v(y)$ of one. Put the tokens in another order, and the one that asks takes the same as before. So if all tokens are permuted, the results are permuted in the same way, and not changed: attention is
# *equivariant* under permutations. (A perceptron that is used on each token alone is so, too, and with it the whole transformer. Under a causal mask, by which a token sees only itself and those before it, attention is so no longer: who sees whom then depends on the order.) A sentence read backwards has the same words; without more, a transformer cannot tell them apart. So places must be told.

# %%
x_1, x_2, x_3 = reals("x_1 x_2 x_3")
fits, offers = Function("s"), Function("v")


def attend(asks, *seen):
    return plus([exp(fits(asks, x)) * offers(x) for x in seen]) / plus([exp(fits(asks, x)) for x in seen])


def shares(asked):
    """The weights with which the first looks at all, normalised over what `asked` says."""
    return plus([exp(fits(x_1, x)) / plus([exp(fits(*asked(x, y))) for y in (x_1, x_2, x_3)]) for x in (x_1, x_2, x_3)])


@derivation("Another order of three tokens changes nothing for the one that asks")
def permutation(d):
    d.start(attend(x_1, x_1, x_2, x_3))
    d.equals(attend(x_1, x_3, x_1, x_2), by="a sum does not know the order of its terms")
    d.slip("labml-softmax-axis", equal(shares(lambda x, y: (y, x)), 1), equal(shares(lambda x, y: (x_1, y)), 1),
           source="labmlai/annotated_deep_learning_paper_implementations issue #146",
           why="The softmax ran over the wrong index: over those who ask, for each that is looked at. Then the weights of one that asks do not add up to one, and what it takes is no average.")


# %% [markdown]
# ### Waves that tell the place
#
# The first remedy adds a vector to each token that says its place $t$: for several *rates* $\omega$ a pair $(\sin \omega t, \cos \omega t)$ [@vaswani2017attention]. Think of the hands of a clock: seconds, minutes, hours. One pair is a point on the circle, at the angle $\phi = \omega t$. What is good about it? Go on by
# $\delta$ places, and the point turns by the angle $\psi = \omega \delta$, wherever it was: a shift is a *rotation*, the same for all places. And the product of two such vectors knows only how far the places are apart.
#
# {{ picture attention.waves }}
#
# The derivation turns both by a further angle and shows that nothing changes: a slope of zero. For the product of the points at $\phi$ and $\phi + \psi$ the value is that at $\phi = 0$, which is $\cos \psi$. In the other two, the point at $\phi + \psi$ is turned back by $\psi$; the value is that at $\psi = 0$, so $\sin \phi$ and
# $\cos \phi$: turned back, it is the point at $\phi$.
#
# In code: `genmath.attention.sinusoids`.

# %%
phi, psi, turn = reals("phi psi theta")


@derivation("A shift turns each pair of waves")
def sinusoids(d):
    d.start(diff(sin(phi) * sin(phi + psi) + cos(phi) * cos(phi + psi), phi), name="product", words="the product of two places, both moved on")
    d.equals(0, by="the product rule: what one term gains the other loses")
    d.start(diff(cos(psi) * sin(phi + psi) - sin(psi) * cos(phi + psi), psi), name="sine", words="moved on by an angle and turned back by it: the sine")
    d.equals(0, by="the four terms of the product rule cancel in pairs")
    d.start(diff(sin(psi) * sin(phi + psi) + cos(psi) * cos(phi + psi), psi), name="cosine", words="the cosine")
    d.equals(0, by="they cancel in pairs again")


# %% [markdown]
# The rates fall from pair to pair by the same factor, from 1 (a turn in about six places) to near $1/b$, with a base $b$ that is usually 10 000. So the fast pairs tell neighbours apart and the slow ones beginning and end. Pair number $k$ of $d/2$ has the rate $b^{-2(k-1)/d}$.

# %%
base = positives("b")
pair = naturals("k")


def speed(of):
    return base ** (-2 * (of - 1) / width)


@derivation("The rates of the pairs")
def rates(d):
    d.start(base ** (-2 * ((pair + 1) - 1) / width) / base ** (-2 * (pair - 1) / width), name="ratio", words="from one pair to the next")
    d.equals(base ** (-number(2) / width), by="a quotient of powers is the power of the difference")
    d.slip("cs336-rope-exponent", equal(base ** (-(2 * pair - 1) / width), base ** (-2 * (pair - 1) / width)),
           equal(base ** (-(2 * pair - 2) / width), base ** (-2 * (pair - 1) / width)),
           source="stanford-cs336/assignment1-basics issue #22",
           why="The exponent was printed with $2k - 1$ for $2(k - 1)$: half a pair too far. The first pair then no longer turns by 1 a place, and a model so built does not fit weights trained with the other rates.")


# %% [markdown]
# ### Rotations that tell the distance
#
# The second remedy, RoPE [@su2021roformer], adds nothing to the tokens. It turns queries and keys: features in pairs, each pair by the angle $\omega t$ of its place. Both are as long as before (`attention.rope[length]`). Let the query be turned by $\phi$ and the key by $\psi$. Turn both by the *same* angle $\theta$ more, and their product stays (`attention.rope[both]`). So only the
# *difference* of the places counts. For a query at the angle $\psi$ and a key that is not turned the score is that of `attention.rope[apart]`: for $\psi = 0$ the plain product.
#
# !!! example "By hand"
#
#     Query $(1, 0)$, key $(1, 0)$, rate $\omega = \pi/6$. At places 3 and 1 the query is turned by $90°$ to $(0, 1)$ and the key by $30°$ to $(0.866, 0.5)$: product $0.5$. At places 10 and 8 they are turned by $300°$ to $(0.5, -0.866)$ and by $240°$ to $(-0.5, -0.866)$: product $-0.25 + 0.75 = 0.5$. Both are $\cos 60°$.
#
# In code: `genmath.attention.rope`. In two dimensions half of the pairs turn with the row and half with the column; for a video a third axis is the time.

# %%
q_1, q_2, k_1, k_2 = reals("q_1 q_2 k_1 k_2")


def turned(pair, by):
    return pair[0] * cos(by) - pair[1] * sin(by), pair[0] * sin(by) + pair[1] * cos(by)


def inner(first, second):
    return first[0] * second[0] + first[1] * second[1]


@derivation("Turned queries and keys know the difference of their places")
def rope(d):
    asks = [define(f"a_{i}", part) for i, part in enumerate(turned((q_1, q_2), phi + turn), 1)]
    found = [define(f"b_{i}", part) for i, part in enumerate(turned((k_1, k_2), psi + turn), 1)]
    d.start(diff(inner(asks, found), turn), name="both", words="both turned further")
    d.equals(0, by="the slopes of the two factors cancel")
    d.start(inner(turned((q_1, q_2), psi), (k_1, k_2)), name="apart", words="turned apart")
    d.equals((q_1 * k_1 + q_2 * k_2) * cos(psi) + (q_1 * k_2 - q_2 * k_1) * sin(psi), by="multiplied out, and sorted by cosine and sine")
    d.start(plus([part**2 for part in turned((q_1, q_2), phi)]), name="length", words="the length")
    d.equals(q_1**2 + q_2**2, by="$\\sin^2 + \\cos^2 = 1$")


# %% [markdown]
# ## Who may look: masks
#
# In an autoregressive model a token may not see those after it (`autoregressive.masks`). A batch of sentences of unequal length is padded, and the padding must not be seen. A *mask* takes a number $u$ off the scores of what is hidden. In the derivation $Z$ and $Y$ are the sums of exponentials of what is seen and of what is hidden, $A$ and $B$ the same sums with the values. What is hidden gets
# the weight $\lambda$, at most $e^{-u} Y / Z$: for $u = 100$ that is $4 \cdot 10^{-44}$ times $Y/Z$. In code one takes $u = \infty$, and the weight is exactly zero. The result moves from the average of what is seen towards that of what is hidden by just this share.
#
# In code: `genmath.attention.local_mask`, `genmath.attention.group_mask`.

# %%
A, hidden, u = reals("A B u")
seen_mass, hidden_mass = positives("Z Y")
leak = exp(-u) * hidden_mass / (seen_mass + exp(-u) * hidden_mass)
lam = define("lambda", leak)


@derivation("What a mask lets through")
def mask(d):
    d.start((A + exp(-u) * hidden) / (seen_mass + exp(-u) * hidden_mass), name="mixture", words="what is taken")
    d.equals((1 - lam) * (A / seen_mass) + lam * (hidden / hidden_mass), by="a weighted mean of the averages of the two groups")
    d.start((A + exp(-u) * hidden) / (seen_mass + exp(-u) * hidden_mass) - A / seen_mass, name="apart", words="how far that is from the average of what is seen")
    d.equals(lam * (hidden / hidden_mass - A / seen_mass), by="the share, times how far the two averages are apart")
    d.start(leak, name="leak", words="the share of what is hidden")
    d.at_most(exp(-u) * hidden_mass / seen_mass, by="a smaller denominator makes a larger fraction",
              because=(exp(-u) * hidden_mass) ** 2 / (seen_mass * (seen_mass + exp(-u) * hidden_mass)))


# %% [markdown]
# **What it means.** With $u = 0$ the first line says what *joint* attention is. Put the tokens of picture and text in one row, each kind with its own matrices for queries, keys and values, and let all look at all: that is MM-DiT [@esser2024scaling]. A picture token then takes
# $(1 - \lambda)$ of a self-attention over the picture and $\lambda$ of a cross-attention to the text, and it chooses $\lambda$ itself, by the scores. In a network with cross-attention the two are separate layers. Joint attention reduces to either under a mask: hide the picture from itself, and only the cross-attention is left; hide the text, and it is self-attention (`attention.mask[apart]`).
#
# In code: `genmath.nets.DiT` has both, cross-attention to a text and, with `joint=True`, one attention for both.
#
# {{ picture attention.masks }}
#
# ## What a block is made of
#
# ### Norms
#
# Sums of many terms grow, and the softmax of large scores saturates. So before attention and before the perceptron each token is *normed*. LayerNorm takes off the mean $m$ of its features and divides by their standard deviation; RMSNorm divides by the root of their mean square $r$. What do the two forget? LayerNorm a factor $a > 0$ and a shift $b$ of all
# features; RMSNorm a factor. In the derivation $i$ runs through the features, and $n$ is their number, not that of the tokens. First the mean and the variance of $a x + b$; then one normed feature, with $\mu$ and $v$ for mean and variance. If features that are normed so are multiplied by $1 + \gamma$ and shifted by $\beta$, their mean is $\beta$: whoever sets $\gamma$ and $\beta$ says what mean the layer sees (`attention.norms[told]`), and with $1 + \gamma$ what spread, whatever they were before. (Here all features have one $\gamma$ and one $\beta$; in a network each has its own.)
#
# !!! example "By hand"
#
#     Features $1, 2, 6$: mean 3, variance $(4 + 1 + 9)/3 = \frac{14}{3}$, standard deviation $2.16$; normed $-0.93, -0.46, 1.39$. Features $12, 22, 62$, ten times as much and 2 more: mean 32, standard deviation $21.6$; normed the same.

# %%
feature = FiniteSet("F").members("i")
x = Function("x")
count = define("n", total(number(1), feature))
mean = define("m", total(x(feature), feature) / count)
factor, variance, square = positives("a v r")
shift, one, mu = reals("b x mu")
gamma, beta = reals("gamma beta")


@derivation("What norms forget")
def norms(d):
    d.start(total(factor * x(feature) + shift, feature) / count, name="mean", words="the mean")
    d.equals(factor * mean + shift, by="a sum is linear")
    d.start(total((factor * x(feature) + shift - (factor * mean + shift)) ** 2, feature) / count, name="variance", words="the variance")
    d.equals(factor**2 * (total((x(feature) - mean) ** 2, feature) / count), by="the shift cancels, the factor comes out squared")
    d.start((factor * one + shift - (factor * mu + shift)) / sqrt(factor**2 * variance), name="layer_norm", words="a feature after LayerNorm")
    d.equals((one - mu) / sqrt(variance), by="factor and shift cancel")
    d.start(total((1 + gamma) * ((x(feature) - mean) / sqrt(variance)) + beta, feature) / count, name="told", words="the mean, where a scale and a shift are told")
    d.equals(beta, by="normed features have the mean 0")
    d.start(factor * one / sqrt(factor**2 * square), name="rms_norm", words="a feature after RMSNorm")
    d.equals(one / sqrt(square), by="the factor cancels")


# %% [markdown]
# **What it means.** A normed layer sees the direction of its input and not its size. So a block may be fed with what many blocks have added up. It also means that the slope falls as the input grows: multiply $x$ by 10, and a change of $x$ by 1 counts a tenth.
#
# ### Time and class: scale, shift and a gate
#
# How does a block of a diffusion model learn the time $t$ and the class $c$? The time goes through the waves above, as if it were a place; the class has a row of a table. A small network makes of both, for each block, three vectors: a *scale* $\gamma$, a *shift* $\beta$ and a *gate* $g$. The block computes $x + g\, F((1 + \gamma)\, \hat x + \beta)$, where $\hat x$ is the normed token and $F$ is attention or perceptron. This is **adaLN**;
# with the last layer of the small network set to zero at the start it is **adaLN-zero** [@peebles2023dit]. Then $g = 0$ at first, and *the whole pile of blocks is the identity*, however deep.
#
# Would it then learn at all? Let the gate be $g = w\, y$ with a weight $w$ and a number $y$ that the small network makes of time and class, and look at $w = 0$ in the three lines. There $h$ is the token, and the norm is left out. What two blocks $F$ and $G$ add is zero, and so is the slope by what is *inside* $F$, here $\theta$. But the slope by $w$ is not: the gates open first, and then the rest begins to move. (Setting $F$ to zero *and* the gate to zero would stop both.)
#
# In code: `genmath.attention.modulate`, `genmath.attention.adaln_branch`.

# %%
h, w, y, inside = reals("h w y theta")
F, G = Function("F"), Function("G")


def block(branch, reads, at):
    return reads + w * y * branch((1 + gamma) * reads + beta, at)


@derivation("A pile of blocks that begins as the identity, and learns")
def adaln(d):
    first, second = F((1 + gamma) * h + beta, inside), G((1 + gamma) * block(F, h, inside) + beta, inside)
    d.start(block(G, block(F, h, inside), inside) - h, name="added", words="what two blocks add")
    d.equals(w * (y * first + y * second), by="the gate is a factor of both")
    d.start(diff(h + w * y * F(h, inside), inside), name="inside", words="the slope by what is inside the branch")
    d.equals(w * (y * diff(F(h, inside), inside)), by="the gate is a factor here, too")
    d.start(diff(h + w * y * F(h, inside), w), name="gate", words="the slope by the weight of the gate")
    d.equals(y * F(h, inside), by="but not here")


# %% [markdown]
# ### Depth { .advanced }
#
# Each block adds something to its input. Suppose that what is added is about independent of the input when training begins. Then variances add up (`attention.depth[added]`, where what is added is multiplied by a number $c$). Begin with the variance 1: after $L$ blocks, each of which adds the variance $b$, there is $1 + Lb$: the later a block, the less its part counts. Two ways out: shut the gates (above), or scale what is added.
# A transformer of $L$ blocks adds $2L$ times, attention and perceptron; if each has the variance 1 and is multiplied by $1/\sqrt{2L}$, as in GPT-2 [@radford2019language], the variance, with the 1 of the start, is 2, however deep. And where what is added grows *with* its input (no norms), the variance is multiplied by $1 + b$ each time; with $b/L$ in place of $b$ it stays below $e^b$.
#
# {{ picture attention.depth }}

# %%
L, layer = naturals("L l")
grows = positives("b")
stream, branch = variables("x f")
p_x, p_f = Density("p", stream), Density("q", branch)
mean_f = define("m", E(p_f(branch), branch))
c = reals("c")


@derivation("How a sum of many layers grows")
def depth(d):
    d.start(E((p_x(stream), p_f(branch)), (stream + c * (branch - mean_f)) ** 2), name="added", words="one layer")
    d.equals(E(p_x(stream), stream**2) + c**2 * E(p_f(branch), (branch - mean_f) ** 2), by="independent: the mixed term has the mean 0")
    d.start(1 + total(grows, layer, 1, L), name="plain", words="all layers, as they are")
    d.equals(1 + L * grows, by="each adds the same", because=induction(L))
    d.start(1 + total((1 / sqrt(2 * L)) ** 2, layer, 1, 2 * L), name="scaled", words="scaled, twice a layer")
    d.equals(2, by="$2L$ terms of $1/(2L)$")
    d.start(log(product(1 + grows / L, layer, 1, L)), name="multiplied", words="where each multiplies")
    d.equals(L * log(1 + grows / L), by="the logarithm of a power")
    d.at_most(grows, by="$\\log(1 + u) \\le u$", because=L * log_gap(1 + grows / L))


# %% [markdown]
# ## What it costs
#
# A block has the matrices for queries, keys and values ($d \times 3d$ together), one after the heads ($d \times d$), and the two of the perceptron ($d \times 4d$ and $4d \times d$): $12 d^2$ numbers, without biases. Every token goes through all of them, at 2 FLOPs for each number; and all pairs of tokens meet twice, for the scores and for the averages, at $2d$ FLOPs each time.
# How many heads there are does not count: $h$ heads of $d/h$ features cost as much as one of $d$ (`attention.cost[heads]`).
#
# !!! example "By hand"
#
#     DiT-XL/2 [@peebles2023dit] has 28 blocks of width 1152 and 256 tokens for a picture of $256 \times 256$. A block has $12 \cdot 1152^2 = 15.9$ million numbers in its matrices; all 28 have 446 million. A token costs $2 \cdot 446$ million FLOPs in them, 256 tokens $228 \cdot 10^9$. The pairs cost $28 \cdot 4 \cdot 256^2 \cdot 1152 = 8.5 \cdot 10^9$.
#     Together 237 GFLOP. The paper says 118.6 Gflops: it counts a multiplication *with* its addition as one.
#
# In code: `genmath.attention.block_cost`.

# %%
linear_flops = [2 * n * width * (3 * width), 2 * n * width * width, 2 * n * width * (4 * width), 2 * n * (4 * width) * width]
pair_flops = [2 * n * n * width, 2 * n * n * width]


@derivation("What a block costs")
def cost(d):
    d.start(plus([width * (3 * width), width * width, width * (4 * width), (4 * width) * width]), name="parameters", words="numbers in its matrices")
    d.equals(12 * width**2, by="$3 + 1 + 4 + 4$")
    d.start(plus(linear_flops + pair_flops), name="flops", words="FLOPs for $n$ tokens")
    d.equals(24 * n * width**2 + 4 * n**2 * width, by="each number counts twice for each token; scores and averages are two products")
    d.slip("dit-gflops", equal(plus(linear_flops + pair_flops), 12 * n * width**2 + 2 * n**2 * width),
           equal(plus(linear_flops + pair_flops), 24 * n * width**2 + 4 * n**2 * width),
           source="facebookresearch/DiT issue #14, on table 4 of the paper",
           why="Multiply-adds, called Gflops. Compare them with the FLOPs of a processor's data sheet or of torch's counter, and everything comes out twice as fast as it is.")
    d.start(plus([2 * n * width, 3 * n * width, n * width, 2 * n * width, 4 * n * width, 4 * n * width]), name="memory", words="numbers that training keeps")
    d.equals(16 * n * width, by="each layer keeps what it read: the stream and its norm, twice; queries, keys and values; the averages; the hidden layer before and after its bend")
    d.start(heads * (2 * n * n * (width / heads)) + heads * (2 * n * n * (width / heads)), name="heads", words="the pairs, in $h$ heads")
    d.equals(4 * n**2 * width, by="the features of all heads together are $d$")
    d.start(4 * n**2 * width / (24 * n * width**2 + 4 * n**2 * width), name="share", words="the share of the pairs")
    d.equals(n / (n + 6 * width), by="reduced")


# %% [markdown]
# **What it means.** The term with the square of $n$ is not the larger one until $n = 6d$: with a width of 1152 from 6 912 tokens on. Far below that, twice as many tokens cost about twice as much; at $n = 6d$ three times, far above four times.
#
# *Memory* is another matter. To train, a block keeps what its layers have read: $16 n d$ numbers (`attention.cost[memory]`). If it stores the weights of all pairs as well, there are $h n^2$ more, and these are the larger part from $n = 16 d/h$ on, sixteen times the features of a head: for heads of 64 features from 1 024 tokens on. One need not store them, as the next section shows. To sample
# token by token a block keeps keys and values, $2 n d$ numbers (what that saves: `autoregressive.cache`).
#
# {{ picture attention.costs }}
#
# adaLN gives each block six vectors (scale, shift and gate, twice) by one matrix of $d \times 6d$: half as many numbers again, but they are used once a picture and not once a token, so that they cost almost nothing.
#
# ### A softmax in pieces { .advanced }
#
# FlashAttention [@dao2022flashattention] never has the whole matrix of weights. It takes the keys in pieces, and keeps of those that it has seen three things: their largest score $m$, the sum $Z$ of the exponentials of (score $- m$), and the same sum $A$ with the values. So no exponential is larger than 1. A next piece has $l$, $Y$ and $B$.
# To join them, let $M$ be the larger of $m$ and $l$ and multiply by $e^{m - M}$ and $e^{l - M}$. The average does not depend on $M$: it is exactly that of all keys, $e^m A + e^l B$ over $e^m Z + e^l Y$. Memory then grows with $n$ and not with $n^2$; the FLOPs of the matrix products forward are the same (backward computes the scores once more).
#
# !!! example "By hand"
#
#     Scores $2, 1$ and then $3$; values $10, 20, 60$. First piece: $m = 2$, $Z = 1 + 0.368 = 1.368$, $A = 10 + 7.36 = 17.36$. Second: $l = 3$, $Y = 1$, $B = 60$. Join: $M = 3$, so $0.368 \cdot 1.368 + 1 = 1.503$ and $0.368 \cdot 17.36 + 60 = 66.39$: average $44.2$. All at once: $(7.39 \cdot 10 + 2.72 \cdot 20 + 20.09 \cdot 60)/30.19 = 44.2$.

# %%
first_top, second_top, top = reals("m l M")


@derivation("Two pieces of a softmax, joined")
def pieces(d):
    d.start((exp(first_top - top) * A + exp(second_top - top) * hidden) / (exp(first_top - top) * seen_mass + exp(second_top - top) * hidden_mass))
    d.equals((exp(first_top) * A + exp(second_top) * hidden) / (exp(first_top) * seen_mass + exp(second_top) * hidden_mass), by="a common factor $e^{-M}$ cancels")


# %% [markdown]
# ### How many tokens?
#
# Latent diffusion first shrinks a picture by $f$ in each direction, usually 8, and the transformer takes patches of $p \times p$, usually $2 \times 2$. A picture of $H \times W$ has $HW/(fp)^2$ tokens. A video of $T$ frames shrinks in time, too: the first frame stays alone, of the others each $c$ become one. Twice the side of a picture is four times the tokens, and sixteen times the
# FLOPs of the pairs.
#
# In code: `genmath.attention.image_tokens`, `genmath.attention.video_tokens`.

# %%
H, W, f, p = positives("H W f p")


@derivation("How many tokens a picture and a video have")
def tokens(d):
    d.start(H / (f * p) * (W / (f * p)), name="picture", words="a picture")
    d.equals(H * W / (f * p) ** 2, by="each direction is divided by both")
    d.start(number(1024) / (8 * 2) * (number(1024) / (8 * 2)), name="megapixel", words="1024 by 1024, eightfold, patches of two")
    d.equals(4096, by="64 a side")
    d.start((1 + number(128) / 4) * (number(720) / (8 * 2)) * (number(1280) / (8 * 2)), name="video", words="129 frames of 720 by 1280, fourfold in time")
    d.equals(118800, by="33 times 45 times 80")


# %% [markdown]
# ### Fewer pairs
#
# A video of 118 800 tokens has $1.4 \cdot 10^{10}$ pairs. Two ways to have fewer. *Windows*: each token looks at itself and at $w$ tokens to each side, about $2wn$ pairs; what is farther is reached only after several layers, $L$ of which see $1 + 2wL$ tokens. *Factorised attention*: $t$ frames of $s$ tokens, $n = ts$. First every token looks at its own frame, then at its own place in all frames: $n(s + t)$ pairs
# in place of $n \cdot st$. That $s + t$ is least, for a given number of tokens, when frames and tokens in a frame are equally many.
#
# !!! example "By hand"
#
#     The video above: $t = 33$, $s = 3600$. Full attention: $118\,800^2 = 1.41 \cdot 10^{10}$ pairs. Factorised: $118\,800 \cdot 3633 = 4.3 \cdot 10^8$, a 33rd. What is lost: a thing that moves to another place in the next frame is seen only in two steps, through its own place or its own frame.

# %%
per_frame, frames = naturals("s t")


reach = naturals("w")


@derivation("Windows and factorised attention")
def factorised(d):
    d.start(1 + total(2 * reach, layer, 1, L), name="windows", words="what a pile of windows sees")
    d.equals(1 + 2 * reach * L, by="each layer reaches further by one window to both sides", because=induction(L))
    d.start(frames * per_frame**2 + per_frame * frames**2, name="pairs", words="pairs, within frames and across them")
    d.equals(per_frame * frames * (per_frame + frames), by="common factors")
    d.start(per_frame + frames, name="least", words="for each token")
    d.at_least(2 * sqrt(per_frame * frames), by="the square of a difference is not negative", because=(sqrt(per_frame) - sqrt(frames)) ** 2)


# %% [markdown]
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - Attention is an average with softmax weights (`attention.average`): a kernel around the query where keys are equally long (`attention.kernel`, `attention.directions`).
#     - The exact denoiser of finitely many data is attention over them (`attention.denoiser`).
#     - Softmax has the most mean score plus $\tau$ times entropy (`attention.softmax`).
#     - Scores of $d$ features have the variance $d$: divide by $\sqrt d$ (`attention.scaling`).
#     - No order without positions (`attention.permutation`); RoPE: only differences count (`attention.rope`).
#     - Joint attention is a mean of self- and cross-attention with a share that is chosen (`attention.mask[mixture]`).
#     - adaLN-zero: the identity at first, and the gates open first (`attention.adaln`).
#     - A block: $12 d^2$ parameters, $24 n d^2 + 4 n^2 d$ FLOPs, $16 n d$ numbers kept for training; the pairs are half of the FLOPs at $n = 6d$, and more beyond (`attention.cost`).
#     - A softmax can be summed up in pieces, exactly: memory without $n^2$ (`attention.pieces`).
#
# ## Questions
#
# ??? question "All keys are the same vector. What does attention return?"
#
#     The plain mean of the values: all scores are equal, whatever the query is.
#
# ??? question "You double all queries. Which temperature gives the old result?"
#
#     Twice the old one: the scores have doubled, and only score over temperature counts.
#
# ??? question "A colleague forgets to divide by the root of d and says that the network can learn the factor anyway, by smaller matrices. Is that right?"
#
#     It can express it. But at the start the softmax is nearly a choice, and where weights are near 0 or 1 the slopes by the scores nearly vanish (`attention.slopes`): what it would have to learn it learns slowly.
#
# ??? question "Does a transformer without positions and with a causal mask know the order?"
#
#     Yes, somewhat: the mask is not symmetric. The first token sees one, the second two, and so on; the size of what is averaged differs. `attention.permutation` speaks of attention without a mask.
#
# ??? question "RoPE makes the score a function of the distance. Does a far token get less weight?"
#
#     Not by itself. The score of a pair of features oscillates with the distance (`attention.rope[apart]`); whether the sum over all pairs of features falls depends on query and key.
#
# ??? question "Both the gate and the last matrix of the branch are set to zero. What happens?"
#
#     The block stays the identity for ever: the slope by the gate is what the branch says, zero, and the slope by the matrix has the gate as a factor, zero.
#
# ??? question "You generate pictures of twice the side. What happens to the cost of a block?"
#
#     Four times the tokens: the matrices cost four times, the pairs sixteen times. Which of the two one feels depends on whether $n$ is far below or far above $6d$.
#
# {{ spot vit-pytorch-scale among attention.scaling[raw] attention.cost[share] }}
#
# ## What these results do not say
#
# - **Weights are not reasons.** A large weight says that a value was taken, not that it mattered: it may be cancelled by what comes after.
# - **The variances hold at the start.** After training queries and keys are not independent, and scores may be large; models norm queries and keys against that.
# - **Equal lengths of keys are a hypothesis** of the kernel view. Trained keys have different lengths.
# - **Permutation is shown for three tokens and any functions.** A sum of $n$ terms knows its order no better; that is an argument in words.
# - **Rotations are shown for one pair.** Features in several pairs add up pair by pair.
# - **FLOPs are not seconds.** Reading and writing memory can take longer than computing; a processor reaches its data sheet only for large matrices. The cost counts matrix products: norms, softmax and activations come on top, in proportion to $n d$ and $h n^2$.
# - **Masks in floating point.** A finite $u$ leaks by rounding as well, and a row in which all is hidden has no average at all: $0/0$.

# %% [markdown]
# ## Where sources slip
#
# - `attention.scaling`: the root of the whole width in place of that of a head (`vit-pytorch-scale`).
# - `attention.permutation`: a softmax over the wrong index (`labml-softmax-axis`).
# - `attention.rates`: an exponent that is half a pair off (`cs336-rope-exponent`).
# - `attention.cost`: multiply-adds that are called FLOPs (`dit-gflops`).

# %% [markdown]
# ## References
#
# - [@vaswani2017attention]: scaled dot products, heads and waves (sections 3.2 and 3.5).
# - [@nadaraya1964estimating] [@watson1964smooth]: averages with a kernel.
# - [@su2021roformer]: rotations of queries and keys (section 3).
# - [@ba2016layer] [@zhang2019root]: LayerNorm and RMSNorm, and what they forget.
# - [@dosovitskiy2021image]: patches as tokens.
# - [@peebles2023dit]: diffusion transformers, adaLN-zero (section 3.2).
# - [@esser2024scaling]: joint attention of text and picture.
# - [@radford2019language]: norms before, and layers scaled by their number (section 2.3).
# - [@dao2022flashattention]: attention without storing the scores.
# - [@ho2019axial]: attention along one axis at a time.
