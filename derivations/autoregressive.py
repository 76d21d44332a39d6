# %% [markdown]
# # Autoregressive models
#
# A picture of 64 black-or-white pixels is one of $2^{64}$ pictures, more than $10^{19}$. A generative model has to give each of them a probability, and all of these have to add
# up to one. No table can hold so many numbers. How can a network do it, so that the sum is *exactly* one, the probability of a picture can be computed, and a picture can be drawn?
#
# **The answer in a line:** one pixel at a time. The probability of a picture is the product of the probability of the first pixel, that of the second when the first is
# known, that of the third when two are known, and so on. Each factor is the output of a classifier, and classifiers we can train.
#
# {{ picture autoregressive.question }}
#
# !!! board "On the board"
#
#     The chain rule, here for three letters:
#
#     {{ autoregressive.chain_rule[forward] }}
#
#     To train the factors is to make them guess the next letter. What is lost in all is what is lost letter by letter:
#
#     {{ autoregressive.teacher_forcing }}
#
#     $x_1, x_2, x_3$ are the parts of one observation: pixels, letters, words, samples of a sound. $p(x_3 \mid x_1, x_2)$ is the probability of the third when the first two are known. In the second line
#     $p$ are the data and $q$ is the model; $D_{\mathrm{KL}}$ is the divergence of [Divergences](divergences.py), and $\mathbb{E}$ the mean over beginnings that are drawn from the *data*.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Take an observation. Give the network all of it, masked so that its output at place $t$ sees only what stands before $t$.
#     2. The loss is minus the log-probability that the outputs give to the true letters, added up: `genmath.autoregressive.nll`.
#     3. Take a gradient step. All places are trained in one pass.
#
# !!! sample "Sample"
#
#     1. From what is there so far, compute the logits of the next letter.
#     2. Draw it: `genmath.autoregressive.sample_logits`. Append it, and go on from 1. The networks of `genmath.nets`
#        do both: `genmath.nets.GPT`.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - An observation is a sequence $x_1, \dots, x_T$. Its parts are called *letters* or *tokens* here, whatever they are. An integral $\int \dots \mathrm{d}x$ means the sum over the choices where $x$ is a letter. A letter is one of $V$ choices, the *vocabulary*; results that are shown for arbitrary
#   densities hold for real numbers as well.
# - $p(x_t \mid x_1, \dots, x_{t-1})$ is the *factor* of $x_t$, and what stands before the letter is its *context* or *prefix*. For brevity we often write out just three letters; a result for any number of letters follows by
#   taking a whole beginning as one letter and going on.
# - A network gives *logits*: real numbers $\ell_1, \dots, \ell_V$, one for each choice. The probabilities are their *softmax*, $e^{\ell_k}$ divided by the sum of all $e^{\ell_j}$.
# - Logarithms are natural; the unit is the nat. A nat is $1/\log 2 \approx 1.44$ bits. For pictures one reports *bits per dimension*: nats divided by $\log 2$ and by the number of sub-pixels (`genmath.likelihood.bits_per_dim`). The loss in bits is the length of the text in a code that is made for the model (`likelihood.code_length`).
# - $\mathbb{H}$ is the entropy, the mean of minus the log-probability. $D_{\mathrm{TV}}$ is total variation, half the sum of $|p - q|$. $(u)_+$ is the larger of $u$ and 0.
# - *Autoregressive* means: regressed on itself. The next letter is explained by the letters before it.

# %%
from genmath.proof import *

x_1, x_2, x_3 = variables("x_1 x_2 x_3")
p = Density("p", x_1, x_2, x_3)
q = Density("q", x_1, x_2, x_3, dominates=p)


# %% [markdown]
# ## The chain rule
#
# !!! example "By hand"
#
#     Three pixels, each 0 or 1. The first is 1 with probability $0.5$. The second is the same as the first with probability $0.8$. The third is 1 with probability $0.9$ if both are 1, with $0.1$ if both are 0,
#     and with $0.5$ if they differ. The picture $1, 1, 0$ has probability $0.5 \cdot 0.8 \cdot (1 - 0.9) = 0.04$, so $-\log 0.04 \approx 3.22$ nats, or $4.64$ bits. The eight pictures together have probability one: at each
#     fork of the tree above the two branches add up to one, and so do all the ends.
#
# The product rule, used twice, writes a joint probability as a product of factors. No order of the letters is special: from the last to the first, or any other one, is as exact (`autoregressive.chain_rule[other]`). What
# is easy to *learn* may depend on the order, and for pictures one usually goes row by row. If everything is given some $y$, a class, a caption, a picture, then so is each factor (`autoregressive.chain_rule[condition]`): this is
# how a text model describes a picture, and how a translation is made.

# %%
y = variables("y")
conditional = Density("p", x_1, x_2, given=y, positive=True)


@derivation("The chain rule of probability")
def chain_rule(d):
    d.start(p(x_1, x_2, x_3), name="other", words="another order")
    d.equals(p(x_3) * p(x_1 | x_3) * p(x_2 | (x_1, x_3)), by="the product rule, from the last letter on")
    d.start(conditional(x_1, x_2 | y), name="condition", words="with a condition")
    d.equals(conditional(x_1 | y) * conditional(x_2 | (x_1, y)), by="the product rule, with $y$ known throughout")
    d.start(p(x_1, x_2, x_3), name="forward", words="in order")
    d.equals(p(x_1, x_2) * p(x_3 | (x_1, x_2)), by="the product rule: the last letter, given the others")
    d.equals(p(x_1) * p(x_2 | x_1) * p(x_3 | (x_1, x_2)), by="the product rule again")
    d.slip("pixelcnn-rgb-maskA", equal(p(x_1, x_2, x_3), p(x_1) * p(x_2) * p(x_3)),
           equal(p(x_1, x_2, x_3), p(x_1) * p(x_2 | x_1) * p(x_3 | (x_1, x_2))),
           source="carpedm20/pixel-rnn-tensorflow issue #4",
           why="A mask that hides all three colours of a pixel from one another makes them independent. Green may see red, and blue may see both.")


# %% [markdown]
# The other direction is what makes it a *model*: whatever the factors are, as long as each of them is a density of its letter, their product is a density of the whole. Nothing has to be normalised over all pictures.
# Softmax takes care of each factor, and the sum over $V$ choices is all that is ever computed.

# %%
q_1 = Density("q_1", x_1)
q_2 = Density("q_2", x_2, given=x_1)
q_3 = Density("q_3", x_3, given=(x_1, x_2))


@derivation("Any factors make a density")
def normalised(d):
    d.start(integral(q_1(x_1) * q_2(x_2 | x_1) * q_3(x_3 | (x_1, x_2)), x_1, x_2, x_3))
    d.equals(integral(q_1(x_1) * q_2(x_2 | x_1), x_1, x_2), by="the last factor integrates to one, whatever stands before")
    d.equals(1, by="so does the one before it, and the first")


# %% [markdown]
# **What it means.** A model that gives a probability up to a factor has to sum over all pictures to know the factor; here it costs nothing. The price is paid elsewhere: letters come one after the other.
#
# ### How many numbers?
#
# A table of all sequences of $T$ letters has $V^T - 1$ free numbers (the last follows, as all add to one). Do factors save anything? Not by themselves: the factor of $x_t$ needs $V - 1$ numbers for each of the
# $V^{t-1}$ beginnings, and all of these together are as many as before. The saving comes from what computes the factors: *one network* for all of them, whose number of weights does not grow with $V^T$. It can
# do so because beginnings that look alike have similar continuations. That is an assumption about the data, and so is whatever the network cannot express.

# %%
V, T, t = naturals("V T t")


@derivation("Tables of factors are as large as one table of all")
def parameters(d):
    d.start(total((V - 1) * V ** (t - 1), t, 1, T))
    d.equals(V**T - 1, by="a geometric sum", because=induction(T))


# %% [markdown]
# ## Training: guess the next letter
#
# The logarithm of a product is a sum, so the loss of an observation is the sum of the losses of its letters. The mean of this over the data, when the model is exact, is the entropy. It adds up in the same way.
#
# In code: `genmath.autoregressive.log_prob`, `genmath.autoregressive.nll`.


# %%
@derivation("The log-likelihood and the entropy are sums over the letters")
def sums(d):
    factors = Density("q", x_1, x_2, x_3, positive=True)
    d.start(-log(factors(x_1, x_2, x_3)), name="loss", words="the loss of an observation")
    d.equals(-log(factors(x_1)) - log(factors(x_2 | x_1)) - log(factors(x_3 | (x_1, x_2))), by="the logarithm of the chain rule")
    d.start(H(p(x_1, x_2, x_3)), name="entropy", words="the entropy")
    d.equals(E(p(x_1, x_2, x_3), -log(p(x_1)) - log(p(x_2 | x_1)) - log(p(x_3 | (x_1, x_2)))), by="the same logarithm, averaged")
    d.equals(H(p(x_1)) + E(p(x_1), H(p(x_2 | x_1))) + E(p(x_1, x_2), H(p(x_3 | (x_1, x_2)))), by="each term needs only the letters in it")


# %% [markdown]
# Look at one place. The context $c$ and the next letter $v$ come from the data; the model answers with a density $q(v \mid c)$. Its mean loss is the entropy of the next letter, which nobody can remove, plus how
# far the model is from the truth, both averaged over contexts. So the loss is least where the model has the probabilities of the data, for every context that occurs.

# %%
v, c = variables("v c")
data = Density("p", v, c)
guess = Density("q", v, given=c, positive=True)


@derivation("The loss of the next letter")
def next_token(d):
    d.start(E(data(v, c), -log(guess(v | c))))
    d.equals(E(data(c), H(data(v | c))) + E(data(c), KL(data(v | c), guess(v | c))), by="minus $\\log q$ is minus $\\log p$ plus $\\log p/q$")
    d.at_least(E(data(c), H(data(v | c))), by="a mean of divergences is not negative",
               because=E(data(c), integral(data(v | c) * log(data(v | c) / guess(v | c)) - data(v | c) + guess(v | c), v)))


# %% [markdown]
# Adding this up over the places gives the result on the board: the KL divergence from the data to the model is the sum of those of the factors. So training each factor on *true* beginnings, which is called **teacher forcing**,
# is maximum likelihood for the whole, neither more nor less (`divergences.maximum_likelihood`). It needs no sampling, and all places are trained at once.


# %%
@derivation("Teacher forcing is maximum likelihood")
def teacher_forcing(d):
    d.start(KL(p(x_1, x_2, x_3), q(x_1, x_2, x_3)))
    d.equals(
        KL(p(x_1), q(x_1)) + E(p(x_1), KL(p(x_2 | x_1), q(x_2 | x_1))) + E(p(x_1, x_2), KL(p(x_3 | (x_1, x_2)), q(x_3 | (x_1, x_2)))),
        by="the logarithm of the ratio is a sum, and each term needs only the letters in it",
    )


# %% [markdown]
# **What it means.** There is one loss for all places, and nothing is approximated: the likelihood that is printed during training is the likelihood of the model. On data that were not trained on, two models of the same letters can be compared by it, whatever networks they are.
#
# What does a gradient step do to the logits? In proportion to its size it raises that of the letter that came by what its probability lacks to one, and lowers every other one by its probability. Averaged over the data, it stands still where the
# probabilities are the frequencies. Below, letter 1 is the one that came, letter 2 any other one, and $R$ is the sum of the exponentials of all logits but the one by which a line differentiates: not the same in the two lines.

# %%
ell_1, ell_2 = reals("ell_1 ell_2")
R = positives("R")


@derivation("The gradient of the loss by the logits")
def loss_gradient(d):
    d.start(diff(-log(exp(ell_1) / (exp(ell_1) + R)), ell_1), name="came", words="by the logit of the letter that came")
    d.equals(exp(ell_1) / (exp(ell_1) + R) - 1, by="its probability, less one")
    d.start(diff(-log(exp(ell_1) / (exp(ell_2) + R)), ell_2), name="other", words="by the logit of another letter")
    d.equals(exp(ell_2) / (exp(ell_2) + R), by="its probability: only the sum depends on it")


# %% [markdown]
# ### With a condition
#
# A caption for a picture, a translation of a sentence, a picture of a class: the data are pairs, and the model is $q(x \mid y)$. Nothing changes but that $y$ is known to every factor. The divergence, averaged over the conditions, is again the sum of those of
# the letters. The density of $y$ itself is not modelled, and nothing is learned about a $y$ that never occurs.

# %%
pairs = Density("p", x_1, x_2, y)
told = Density("q", x_1, x_2, given=y, positive=True)


@derivation("Training with a condition")
def captions(d):
    d.start(E(pairs(y), KL(pairs(x_1, x_2 | y), told(x_1, x_2 | y))))
    d.equals(E(pairs(y), KL(pairs(x_1 | y), told(x_1 | y))) + E(pairs(x_1, y), KL(pairs(x_2 | (x_1, y)), told(x_2 | (x_1, y)))),
             by="the chain rule at each $y$, averaged")


# %% [markdown]
# ### Perplexity
#
# Language models report $\exp$ of the mean loss of a letter, the *perplexity*. It is one over the geometric mean of the probabilities: the model is as surprised as if it had to guess among so many equally likely letters.
#
# !!! example "By hand"
#
#     Three letters got the probabilities $\frac12, \frac14, \frac18$. Their product is $\frac1{64}$, and the perplexity is the third root of 64, which is 4. If all $V$ letters are alike to the model, the perplexity is $V$.
#
# Perplexities of models with different vocabularies cannot be compared: a word is more surprising than a character, and a text has fewer words than characters. Compare the loss of the whole text, or bits per character.
#
# In code: `genmath.autoregressive.perplexity`.

# %%
given_to = Sequence("p", domain="positive")
i, N = naturals("i N")


@derivation("Perplexity")
def perplexity(d):
    d.start(exp(-total(log(1 / V), i, 1, N) / N), name="uniform", words="where all letters are alike")
    d.equals(V, by="each of the $N$ terms is $-\\log V$")
    d.start(exp(-total(log(given_to[i]), i, 1, N) / N), name="mean", words="of $N$ letters")
    d.equals((1 / product(given_to[i], i, 1, N)) ** (1 / N), by="a sum of logarithms is the logarithm of the product")


# %% [markdown]
# ## Do small errors pile up?
#
# In training the model sees beginnings of the *data*; when it samples, it sees its own. An error at one place leads to a beginning that training never showed, and the next factor may be poor there. This is called
# *exposure bias*. How bad can it be?
#
# {{ picture autoregressive.errors }}
#
# Measure by total variation: the largest difference between the probabilities that two distributions give to any event. For whole sequences it is at most the *sum* of the errors of the factors, each averaged over beginnings
# of the data: that is, over what training looks at. The reason is the triangle inequality: change the model into the truth one factor at a time. Below, $x_1$ is a whole beginning and $x_2$ the next letter; $p_1$, $p_2$ are their true factors and $q_1$, $q_2$ those of the model. Used again for the beginning, and so on, it gives the sum over all letters.

# %%
p_1, p_2 = Density("p_1", x_1), Density("p_2", x_2, given=x_1)
p_first, p_next = p_1(x_1), p_2(x_2 | x_1)
q_first, q_next = q_1(x_1), q_2(x_2 | x_1)


@derivation("Errors of the letters add up, at most")
def errors(d):
    in_turn = absolute(p_first - q_first) * q_next + p_first * absolute(p_next - q_next)
    d.start(TV(p_first * p_next, q_first * q_next, over=(x_1, x_2)))
    d.at_most(integral(in_turn, x_1, x_2) / 2, by="the triangle inequality: one factor after the other is changed",
              because=integral(in_turn - absolute(p_first * p_next - q_first * q_next), x_1, x_2) / 2)
    d.equals(TV(p_first, q_first) + E(p_first, TV(p_next, q_next)), by="the factor behind integrates to one, the one before is averaged over")


# %% [markdown]
# **What it means.** If the mean error of a factor is $\varepsilon$, samples of length $T$ are off by at most $T \varepsilon$: errors add up, they do not multiply. But they do add up. With $\varepsilon = 0.01$ the bound says nothing
# any more after 100 letters, and a text whose every word is fine can still lose its thread. By Pinsker's inequality (`divergences.pinsker_weak`) a factor with a small divergence has a small error. What teacher forcing does not promise is a good factor
# after a beginning that *never* occurs in the data; the model reaches such a beginning no more often than the sum allows.
#
# ### What a short memory loses
#
# Suppose that the model looks back only so far: the factor of $x_3$ sees $x_2$, and $x_1$ is out of its sight. What is the best that it can do? The KL divergence from the data splits into two parts. One is zero when the model knows the
# probability of $x_3$ given $x_2$. The other nobody can remove who does not see $x_1$: it is the mean divergence between $p(x_1, x_3 \mid x_2)$ and the product of its marginals, the *conditional mutual information* of $x_1$ and $x_3$.
#
# !!! example "By hand"
#
#     Let $x_1$ and $x_2$ be two fair coins, and $x_3$ a copy of $x_1$. Who sees both knows $x_3$. Who sees $x_2$ alone has to guess, and loses $\log 2 \approx 0.69$ nats however well trained.

# %%
memory = Density("q", x_3, given=x_2, positive=True)
short = define("m", p(x_1, x_2) * memory(x_3 | x_2))
lost = E(p(x_2), KL(p(x_1, x_3 | x_2), p(x_1 | x_2) * p(x_3 | x_2), over=(x_1, x_3)))


@derivation("A short memory loses the conditional mutual information")
def short_memory(d):
    d.start(KL(p(x_1, x_2, x_3), short, over=(x_1, x_2, x_3)))
    d.equals(lost + E(p(x_2), KL(p(x_3 | x_2), memory(x_3 | x_2))), by="multiply and divide by $p(x_3 \\mid x_2)$ inside the logarithm")
    d.at_least(lost, by="a mean of divergences is not negative",
               because=E(p(x_2), integral(p(x_3 | x_2) * log(p(x_3 | x_2) / memory(x_3 | x_2)) - p(x_3 | x_2) + memory(x_3 | x_2), x_3)))


# %% [markdown]
# **What it means.** The same holds for every summary of the past. A recurrent network keeps a *hidden state* $h_t$, computed from $h_{t-1}$ and $x_t$; its factors see the past through it only. Put the state in the place of $x_2$: what is
# lost is what the past still tells about the next letter when the state is known. It is zero exactly if the state says all of it. A state of fixed size has to forget; attention keeps the whole past and pays for it with time and memory.
#
# ## Drawing a letter
#
# The network gave $V$ probabilities, the computer gives uniform random numbers. Two ways to a letter.
#
# **By the cumulative sum.** Divide the interval from 0 to 1 into pieces as long as the probabilities; a uniform number falls into piece $k$ with probability $p_k$. For real numbers this is the inverse of the distribution
# function.
#
# In code: `genmath.autoregressive.inverse_transform`.

# %%
P = Sequence("p", domain="positive")
j, k, n = naturals("j k n")
w = reals("u")


def reached(last):
    return total(P[j], j, 1, last)


@derivation("A uniform number falls into each piece with its probability")
def inverse_transform(d):
    d.start(integral(number(1), w, between=(reached(k), reached(k + 1))))
    d.equals(reached(k + 1) - reached(k), by="the density of a uniform number is 1, so a piece counts by its length")
    d.equals(P[k + 1], by="two sums that differ by their last term")


# %% [markdown]
# {{ picture autoregressive.race }}
#
# **By a race.** Give each letter a clock that has not rung before $t$ with probability $e^{-\lambda t}$, an *exponential time* with the *rate* $\lambda = e^{\ell_k}$: the larger the logit, the sooner. The first clock to ring is that of a given letter with probability $e^{\ell}$ over the sum of all: the softmax. To see it, let
# the clock with logit $\ell$ ring at time $z$; the $n$ others, with logits $\ell_1, \dots, \ell_n$, ring later with probabilities $e^{-e^{\ell_j} z}$. Average over $z$. The race computes no sum and no probability.
#
# Taking minus the logarithm of the times turns the race round. If $t$ is a standard exponential time, $t\,e^{-\ell}$ is one with rate $e^{\ell}$, and $-\log(t\, e^{-\ell}) = \ell + G$ with $G = -\log t$, which has the
# distribution function $e^{-e^{-g}}$ of **Gumbel**. So: add Gumbel noise to each logit and take the largest. This is the *Gumbel-max trick*.
#
# In code: `genmath.autoregressive.sample_logits`.

# %%
ell, g = reals("ell g")
after = positives("t")
ring = variables("z", domain="positive")
other = Sequence("ell")
rate = define("lambda", total(exp(other[j]), j, 1, n))


@derivation("The largest of logits plus Gumbel noise is a draw from the softmax")
def gumbel_max(d):
    d.start(integral(exp(-w), w, between=(exp(ell) * after, infinity)), name="clock", words="a clock has not rung before $t$")
    d.equals(exp(-exp(ell) * after), by="a standard exponential time $u$ has the density $e^{-u}$, and $u\\, e^{-\\ell} > t$ means $u > e^{\\ell} t$")
    d.start(-log(after * exp(-ell)), name="key", words="logit plus noise")
    d.equals(ell - log(after), by="the logarithm of a product")
    d.start(integral(exp(-w), w, between=(exp(-g), infinity)), name="noise", words="the noise is at most $g$")
    d.equals(exp(-exp(-g)), by="$-\\log u \\le g$ means $u \\ge e^{-g}$")
    d.slip("uvadlc-gumbel-cdf", equal(integral(exp(-w), w, between=(exp(-g), infinity)), exp(exp(-g))),
           equal(integral(exp(-w), w, between=(exp(-g), infinity)), exp(-exp(-g))),
           source="phlippe/uvadlc_notebooks commit 9a1684a", why="A lost sign: the printed distribution function is larger than one everywhere.")
    d.start(E(Exponential(ring, exp(ell)), product(exp(-exp(other[j]) * ring), j, 1, n)), name="first", words="the first clock to ring")
    d.equals(E(Exponential(ring, exp(ell)), exp(-rate * ring)), by="the first of the $n$ others rings with the sum of their rates, $\\lambda$")
    d.equals(exp(ell) / (exp(ell) + rate), by="an exponential, integrated")


# %% [markdown]
# ## Drawing from another distribution
#
# Samples of a good model can be dull, or derail after one unlucky letter. So one draws from a distribution that is *not* the model's: sharper, or without its tail. What is done to it exactly?
#
# ### Temperature
#
# {{ picture autoregressive.temperature }}
#
# Divide the logits by a number $\tau > 0$, the *temperature*: then the probabilities are proportional to $p^{1/\tau}$. For $\tau < 1$ the probable becomes more probable; as $\tau \to 0$ only the most probable letter remains; as
# $\tau \to \infty$ all are alike.
#
# !!! example "By hand"
#
#     Probabilities $0.6, 0.3, 0.1$ and $\tau = \frac12$: the squares $0.36, 0.09, 0.01$ add up to $0.46$, so $0.783, 0.196, 0.022$. With $\tau = 2$: the roots $0.775, 0.548, 0.316$ add up to $1.639$, so $0.473, 0.334, 0.193$.
#
# Why just this family? Among all distributions $r$ it makes $\mathbb{E}_r[\log p] + \tau\, \mathbb{H}(r)$ largest, a compromise between two wishes: letters that the model finds probable, and variety, which is entropy. The temperature is the price of entropy.
#
# In code: `genmath.autoregressive.truncate_logits`.

# %%
x = variables("x")
tau = positives("tau")
model = Density("p", x, positive=True)
rival = Density("r", x, positive=True)
Z = define("Z_tau", integral(model(x) ** (1 / tau), x))
tempered = define("p_tau", model(x) ** (1 / tau) / Z)


@derivation("Temperature is the price of entropy")
def temperature(d):
    d.start(integral(tempered * log(model(x)), x) - tau * integral(tempered * log(tempered), x), name="attained", words="the tempered law attains the bound")
    d.equals(tau * log(Z), by="the logarithm of the tempered law is $\\log p$ over $\\tau$, less $\\log Z_\\tau$")
    d.start(E(rival(x), log(model(x))) + tau * H(rival(x)), name="bound", words="no law does better")
    d.equals(tau * log(Z) - tau * KL(rival(x), tempered, over=x), by="$\\log p$ is $\\tau$ times the logarithm of the tempered law, plus $\\tau \\log Z_\\tau$")
    d.at_most(tau * log(Z), by="$\\log u \\le u - 1$ at $u = p_\\tau / r$", because=tau * E(rival(x), log_gap(tempered / rival(x))))


# %% [markdown]
# **What it means.** At $\tau = 1$ the best compromise is the model itself, and the value is $\log 1 = 0$: mean log-probability and entropy cancel. A lower price of entropy buys probability and sells variety; no other way to sharpen the law gives more of the one for the same of the other.
#
# Tempering each factor is *not* tempering the whole. Raise the joint probability of two letters to the power $1/\tau$ and normalise once: then the first letter has the probability below, in which the sum $Z_2$ over the continuations of
# $x_1$ stands. Tempering the first factor alone leaves $Z_2$ out. For $\tau < 1$ the number $Z_2$ is large where the future is certain: the whole sequence prefers a beginning with a sure continuation, while the tempered factor does
# not look ahead.
#
# !!! example "By hand"
#
#     The first letter is $a$ with probability $0.6$ and $b$ with $0.4$. After $a$ two letters have $0.5$ each; after $b$ one has $0.9$. As $\tau \to 0$ the factors pick $a$, and then a letter of $0.5$: a sequence of probability $0.3$. The most
#     probable sequence begins with $b$ and has $0.36$. Taking the best letter each time (*greedy*) misses it.
#
# *Beam search* keeps several beginnings and looks for a sequence of high probability. With two beginnings it finds the one with $0.36$; but it is a search, not sampling: run twice, it answers the same.

# %%
two = Density("p", x_1, x_2, positive=True)
whole = define("Z", integral(two(x_1, x_2) ** (1 / tau), x_1, x_2))
future = define("Z_2", integral(two(x_2 | x_1) ** (1 / tau), x_2))


@derivation("The first letter of a tempered sequence looks ahead")
def whole_sequence(d):
    d.start(integral(two(x_1, x_2) ** (1 / tau) / whole, x_2))
    d.equals(two(x_1) ** (1 / tau) * future / whole, by="a power of the product rule; the first factor does not depend on $x_2$")


# %% [markdown]
# ### Cutting the tail: top-k and nucleus
#
# Among 50 000 words there are thousands that do not fit, each with a tiny probability, and together they may have several per cent. Draw 100 words and you hit them. So keep only a set $S$ of probable choices, and give them
# the probabilities $p(k)/m$, where $m$ is the mass of $S$. *Top-k* keeps the $k$ most probable; *top-p* or *nucleus* sampling keeps the fewest whose mass reaches a given number [@holtzman2020curious].
#
# What is the price? The KL divergence from the truncated law to the model is $\log(1/m)$, and in total variation it is $1 - m$. Of all laws on $S$ it is the nearest to the model: any other, with probabilities $r(k)$ in proportion to some weights $w(k)$, has
# $\log(1/m)$ plus its own divergence to the truncated law (`autoregressive.truncation[other]`). The other way round, from the model to the truncated law, KL is infinite: what was cut off can never be drawn, and a
# likelihood under it may be zero.
#
# !!! example "By hand"
#
#     Of $0.6, 0.3, 0.1$ a nucleus of mass $0.8$ keeps two: $m = 0.9$, probabilities $\frac23, \frac13$. The price is $\log \frac{1}{0.9} \approx 0.105$ nats a letter, and ten letters cost a nat.

# %%
kept = FiniteSet("S").members("k")
prob, weight = Function("p", positive=True), Function("w", positive=True)
mass = define("m", total(prob(kept), kept))
nucleus = define("p_S", prob(kept) / mass)
others = define("r", weight(kept) / total(weight(kept), kept))


@derivation("What truncation costs")
def truncation(d):
    d.start((total(nucleus - prob(kept), kept) + (1 - mass)) / 2, name="shift", words="in total variation")
    d.equals(1 - mass, by="what is kept grows by what is cut off, and what is cut off loses it")
    d.start(total(others * log(others / prob(kept)), kept), name="other", words="any other law on the same set")
    d.equals(log(1 / mass) + total(others * log(others / nucleus), kept), by="multiply and divide by the truncated law inside the logarithm")
    d.start(total(nucleus * log(nucleus / prob(kept)), kept), name="price", words="in nats")
    d.equals(log(1 / mass), by="the ratio is $1/m$ for every choice that is kept")


# %% [markdown]
# {{ explorer sampling }}
#
# ## Faster, and exactly the same
#
# A large model takes one pass for each letter, and each pass must wait for the one before. But it can *judge* many letters in one pass: that is what it does in training. So let a small, fast model, the *draft*, propose a few letters, and let the large one, the
# *target*, say which of them to keep [@leviathan2023fast] [@chen2023accelerating].
#
# {{ picture autoregressive.speculative }}
#
# A letter $x$ comes from the draft $q$. Keep it with probability $\min(1, p(x)/q(x))$: always if the target likes it at least as much. Else throw it away and draw from what the target has more than the draft, $(p - q)_+$, normalised. Then the
# letter has **exactly** the law $p$. And it is kept with probability $1 - D_{\mathrm{TV}}(p, q)$: the overlap of the two. In the display $a = \min(1, p/q)$ is the probability to keep $x$, written as $1 - (1 - p/q)_+$, $A$ its mean, and $r$ the law that is drawn from after a rejection.
#
# !!! example "By hand"
#
#     $p = (0.6, 0.3, 0.1)$ and $q = (0.4, 0.4, 0.2)$. The first letter is always kept, the second with probability $\frac34$, the third with $\frac12$: in all $0.4 + 0.3 + 0.1 = 0.8$. After a rejection ($0.2$) the first letter is taken, since only
#     there is $p > q$. So the first letter comes with $0.4 + 0.2 = 0.6$, the second with $0.3$, the third with $0.1$: that is $p$.
#
# In code: `genmath.autoregressive.speculative_sample`, `genmath.autoregressive.acceptance_rate`.

# %%
target, draft = Density("p", x), Density("q", x, positive=True)
excess = integral(positive_part(target(x) - draft(x)), x)
keep = define("a", 1 - positive_part(1 - target(x) / draft(x)))
A = define("A", E(draft(x), keep))
residual = define("r", positive_part(target(x) - draft(x)) / excess)


@derivation("Speculative decoding returns the law of the target")
def speculative(d):
    d.given_that(excess > 0)
    d.start(A, name="rate", words="how often a draft is kept")
    d.equals(1 - TV(target(x), draft(x)), by="what is not kept is where $q$ exceeds $p$, and this is half of $|p - q|$")
    d.start(draft(x) * keep + (1 - A) * residual, name="law", words="kept, or drawn after a rejection")
    d.equals(draft(x) * keep + positive_part(target(x) - draft(x)), by="$1 - A$ is the integral of $(p - q)_+$, too")
    d.equals(target(x), by="what is kept is $p - (p - q)_+$, the smaller of the two")


# %% [markdown]
# **What it means.** Nothing is traded: not a word of the text is worse than the target's. What the draft decides is the time. It has to be *near* the target, in total variation, for the contexts that occur; a draft that is right where the target is sure saves most.
#
# The draft proposes a block of $n$ letters; they are judged in order up to the first that is rejected, and one more letter comes from the target itself: the replacement, or a further one when all were kept. If each is kept with the same
# probability $a < 1$, whatever came before, a pass of the target yields $1 + a + \dots + a^n$ letters on average (`autoregressive.speculative_block`): the $j$-th proposal counts if all up to it were kept, with probability $a^j$, and one more letter comes in any case. With $a = 0.8$ and $n = 4$ this is $3.4$.
#
# In code: `genmath.autoregressive.tokens_per_call`.

# %%
a = fractions("a")


@derivation("Letters for each call of the target")
def speculative_block(d):
    d.start(total(a ** (j - 1), j, 1, n + 1))
    d.equals((1 - a ** (n + 1)) / (1 - a), by="a geometric sum", because=induction(n))


# %% [markdown]
# ### The cache
#
# Attention computes for each letter a *key* and a *value*, and each letter looks at its own and at those of all letters before it. They do not change when a letter is appended, since no letter sees what comes after it. So keep them: the *KV cache*. The
# numbers are the same, only computed once (the tests of `genmath.nets.GPT` compare them). Without it letter $t$ costs $t$ letters to process, in all $n(n+1)/2$; with it one each. Comparisons of letter with letter fall from $n(n+1)(n+2)/6$ to $n(n+1)/2$.


# %%
@derivation("What the cache saves")
def cache(d):
    d.start(total(j, j, 1, n), name="letters", words="letters processed without it")
    d.equals(n * (n + 1) / 2, by="the sum of the first numbers", because=induction(n))
    d.start(total(j * (j + 1) / 2, j, 1, n), name="pairs", words="pairs compared without it")
    d.equals(n * (n + 1) * (n + 2) / 6, by="the sum of the triangular numbers", because=induction(n))


# %% [markdown]
# ## Networks that do not look ahead
#
# In training the network sees the whole observation. If the output for $x_t$ could see $x_t$ itself, it would copy it, the loss would fall to zero, and the model would be worth nothing. So connections are cut by *masks*.
#
# **MADE** [@germain2015made] is a plain network with masks. Number the inputs $1, \dots, d$; the degree of an input is its number. Give each hidden unit a *degree*, a number that says how far it may see, and allow only connections from a unit to one of at least its degree, and to the output for
# $x_o$ only from units of degree less than $o$. Then along every path from an input $i$ to an output $o$ the degrees do not fall, and the last step is strict. So there is a path only if $i < o$: the matrix of all connections, the product of the masks, is strictly triangular.
# The derivation follows one path through two hidden units, of degrees $h_1$ and $h_2$.
#
# In code: `genmath.nets.MADE`.

# %%
input_, h_1, h_2, output = reals("i h_1 h_2 o")


@derivation("A path through the masks leads from an earlier input to a later output")
def masks(d):
    d.given_that(h_1 >= input_)
    d.given_that(h_2 >= h_1)
    d.given_that(output > h_2)
    d.start(output)
    d.more_than(h_2, by="the output sees units of lower degree only", because=output - h_2)
    d.at_least(h_1, by="degrees do not fall from layer to layer", because=h_2 - h_1)
    d.at_least(input_, by="a unit sees inputs up to its degree", because=h_1 - input_)


# %% [markdown]
# **PixelCNN** [@oord2016pixel] does it with convolutions. A *convolution* computes each output from a small window around its place, with one set of weights, the *kernel*, for all places. Here the kernel is zero below the pixel and to the right of it in the same row. In the first layer the pixel itself is hidden as well (*mask A*); later layers may look at their own place, which holds only what was before
# it (*mask B*). For colours the order within a pixel is red, green, blue: mask A lets green see red and blue see both.
#
# {{ picture autoregressive.blind_spot }}
#
# Stacking such kernels has a flaw. With $3 \times 3$ kernels a step up goes at most one to the right, and in its own row one only goes to the left: what lies above, farther to the right than up, is never seen, however deep the network is. This is the *blind spot*. Two stacks remove it [@oord2016conditional]: a
# vertical one that sees all rows above, without any mask inside a row, and a horizontal one that sees the row to the left and is told what the vertical one knows. (The $1 \times 1$ convolutions that join them have one weight at the place itself: no mask belongs there.)
#
# In code: `genmath.nets.PixelCNN`.
#
# **WaveNet** [@oord2016wavenet] hears sounds, 16 000 numbers a second. Its causal convolutions have gaps, *dilations*, that double from layer to layer: kernels of $k$ numbers with dilation $\delta$ reach $(k - 1)\,\delta$ further back. After $L$ layers one output sees $1 + (k - 1)(2^L - 1)$
# numbers, with a cost in proportion to $L$.
#
# {{ picture autoregressive.dilations }}
#
# In code: `genmath.nets.WaveNet`, `genmath.autoregressive.receptive_field`.

# %%
kernel, layers, layer = naturals("k L l")


@derivation("The receptive field of dilated convolutions")
def receptive_field(d):
    d.start(1 + total((kernel - 1) * 2 ** (layer - 1), layer, 1, layers))
    d.equals(1 + (kernel - 1) * (2**layers - 1), by="dilations that double add up to a power of two, less one", because=induction(layers))


# %% [markdown]
# **Recurrent networks** carry a hidden state from letter to letter: constant memory, and training that cannot run over all places at once. **Transformers** let every place attend to all earlier ones: the scores of later places are set to $-\infty$ before the softmax, the *causal mask*. A place still sees itself. So the input is shifted by one: at place $t$ goes in $x_{t-1}$ (at the first a start sign), and the output is for $x_t$. WaveNet and recurrent
# networks do the same. Whatever the network, the test is the same: change $x_s$, or take a derivative by it, and no output for $x_t$ may move unless $s < t$. The tests of this book do it for every such network.
#
# In code: `genmath.nets.GRULM`, `genmath.nets.GPT`. All of them have `log_prob` and `sample`, the latter with a temperature, `top_k`, `top_p`, a condition and a beginning; those that can keep a memory sample with it.
#
# ## Pixels with 256 levels
#
# A softmax over 256 levels treats them as unrelated names: it has to learn from data that 127 is next to 128. PixelCNN++ [@salimans2017pixelcnn] gives the pixel a density instead, a mixture of logistic ones, and integrates it over the bin of each level, from half below to half above; the first and the last
# bin go on to infinity. Then near levels have near probabilities, and few numbers are enough.
#
# {{ picture autoregressive.bins }}
#
# The distribution function of the logistic law with mean $\mu$ and scale $s$ is $\mathrm{sigmoid}((x - \mu)/s)$, so each bin is a difference of two sigmoids. Neighbours share an edge, the differences telescope, and all bins together have probability one, whatever $\mu$ and $s$ are. In a computer
# the difference of two numbers near one loses all its digits; the second form below, where $\alpha < \beta$ stand for $(c_j - \mu)/s$ at two neighbouring edges, loses none if $1 - e^{\alpha - \beta}$ is computed by `expm1`. $c_1, \dots, c_{n+1}$ are the edges.
#
# !!! example "By hand"
#
#     Four levels $0, 1, 2, 3$ with $\mu = 2.2$ and $s = 0.5$. At the edges $0.5, 1.5, 2.5$ the sigmoid is $0.032, 0.198, 0.646$. So the levels have $0.032$, $0.166$, $0.448$ and $1 - 0.646 = 0.354$; together one.
#
# In code: `genmath.autoregressive.DiscretizedLogisticMixture`.

# %%
mu, low, high = reals("mu alpha beta")
s = positives("s")
edge = Sequence("c")


def below(at):
    return sigmoid((at - mu) / s)


@derivation("Bins of a logistic law")
def logistic_bins(d):
    d.given_that(high > low)
    d.start(integral(sigmoid((w - mu) / s) * sigmoid(-(w - mu) / s) / s, w, between=(low, high)), name="bin", words="one bin, by its edges")
    d.equals(below(high) - below(low), by="the density is the derivative of the sigmoid")
    d.start(log(sigmoid(high) - sigmoid(low)), name="stable", words="its logarithm, without cancellation")
    d.equals(log(sigmoid(high)) + log(sigmoid(-low)) + log(1 - exp(low - high)), by="a common denominator; $1 - \\mathrm{sigmoid}(\\alpha) = \\mathrm{sigmoid}(-\\alpha)$")
    d.start(below(edge[1]) + total(below(edge[j + 1]) - below(edge[j]), j, 1, n) + 1 - below(edge[n + 1]), name="whole", words="all bins together")
    d.equals(1, by="what one bin adds at an edge the next takes away", because=induction(n))


# %% [markdown]
# To draw, first choose a component of the mixture; then take a uniform number $u$ and put $x = \mu + s \log \frac{u}{1-u}$, which is the inverse of the distribution function; then round to the nearest of the levels, beyond the ends to the first or the last.

# %%
uniform = fractions("u")
drawn = define("x", mu + s * log(uniform / (1 - uniform)))


@derivation("A logistic draw from a uniform number")
def logistic_draw(d):
    d.start(sigmoid((drawn - mu) / s))
    d.equals(uniform, by="the logarithm of the odds is the inverse of the sigmoid")


# %% [markdown]
# The three colours of a pixel are three letters, and green may see red. PixelCNN++ computes all three from the pixels before and then lets the mean of green depend linearly on the red that came, that of blue on red and green: these are factors as any others, and the likelihood stays exact.
#
# A colour picture of $256 \times 256$ pixels has 196 608 sub-pixels, and as many steps to sample. Comparing all pairs in attention takes $2 \cdot 10^{10}$ numbers a layer. Three ways out: a network with a short memory, several pixels at a time (which assumes that they are independent when those before are known), or fewer and richer letters: a picture
# as $32 \times 32$ *tokens* of a learned code, and an autoregressive model of these ([Discrete codes](vq.py)).
#
# ## Three pixels to play with
#
# {{ explorer chain }}
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - $p(x) = \prod_t p(x_t \mid x_1, \dots, x_{t-1})$, in any order, exact (`autoregressive.chain_rule`); any factors make a density (`autoregressive.normalised`).
#     - Loss, entropy and KL are sums over the letters (`autoregressive.sums`, `autoregressive.teacher_forcing`): guessing the next letter of true texts *is* maximum likelihood.
#     - The error of samples is at most the sum of the letters' errors (`autoregressive.errors`).
#     - Who sees only a part of the past loses the conditional mutual information (`autoregressive.short_memory`).
#     - Gumbel noise and the largest: a draw from the softmax (`autoregressive.gumbel_max`).
#     - Temperature is the price of entropy (`autoregressive.temperature`); truncation to mass $m$ costs $\log(1/m)$ (`autoregressive.truncation`).
#     - Speculative decoding: the law of the target, at the rate $1 - D_{\mathrm{TV}}$ (`autoregressive.speculative`).
#
# ## Questions
#
# ??? question "Is a model that goes through a picture from the last pixel to the first worse than one that goes forward?"
#
#     Not as a formula: the chain rule is exact in every order. A trained network may find one order easier than the other.
#
# ??? question "A colleague's PixelCNN reaches 0.01 bits per pixel on photographs. What do you suspect?"
#
#     That an output sees its own pixel: a mask B in the first layer, or a shift by one that is missing. Take the derivative of an output by its own input: it must be zero.
#
# ??? question "The model is trained on true beginnings only. Is that an approximation of maximum likelihood?"
#
#     No, it is maximum likelihood (`autoregressive.teacher_forcing`). That samples are made from other beginnings is another matter; the sum of the errors bounds what that can do (`autoregressive.errors`).
#
# ??? question "You sample with temperature $0.7$ from each factor. Do you draw sequences in proportion to $p^{1/0.7}$?"
#
#     No. For that the first factor would have to know how certain the continuations are (`autoregressive.whole_sequence`). Tempering the factors is cheaper, and another distribution.
#
# ??? question "The draft model is poor. Are the texts of speculative decoding poorer?"
#
#     No, only slower: the law is that of the target, whatever the draft is. If the two have hardly anything in common, almost every proposal is rejected.
#
# ??? question "What is the perplexity of a fair die, and of one that always shows six, under a model that gives each side the probability $\frac16$?"
#
#     Six in both cases: the model gives $\frac16$ to whatever comes. The second die could be modelled with perplexity one.
#
# {{ spot uvadlc-gumbel-cdf among autoregressive.gumbel_max[key] autoregressive.gumbel_max[clock] }}
#
# ## What these results do not say
#
# - **An exact likelihood is not a good one.** The sum is one for every network, trained or not.
# - **A good likelihood is no promise of good samples.** The bound on errors grows with the length, and a divergence of a tenth of a nat a letter is a hundred nats after a thousand.
# - **Written for two or three letters, said for all.** The step to any number (take a beginning as one letter, and go on) is an argument in words.
# - **The rate of speculative decoding depends on the context.** `autoregressive.speculative_block` assumes one rate for all places, independent of one another; measured rates vary, and the laboratory shows by how much.
# - **A mask is as good as its code.** `autoregressive.masks` is about degrees. That a program has these degrees is what the tests by derivatives show.
# - **Probabilities are not densities.** Letters are discrete, and the likelihood here is a probability. A model of real numbers has a density; to compare the two, noise has to be added to the data (`likelihood.dequantization`).

# %% [markdown]
# ## Where sources slip
#
# - `autoregressive.chain_rule`: colours of a pixel that do not see one another (`pixelcnn-rgb-maskA`).
# - `autoregressive.gumbel_max`: a distribution function that is larger than one (`uvadlc-gumbel-cdf`).
#
# One slip is no formula. `pixelcnn-1x1-mask` (anantzoid/Conditional-PixelCNN-decoder issue #9): masks A and B were applied to the $1 \times 1$ convolutions that join the two stacks, too. Their only weight is the one at the centre, and mask A removes it: nothing flows through. The remedy is not to mask them, since what they join
# has been shifted already.

# %% [markdown]
# ## References
#
# - [@shannon1951prediction]: guessing the next letter of a text, and the entropy of English.
# - [@bengio2003neural]: a neural network for the next word.
# - [@germain2015made]: masks for a plain network (section 4).
# - [@oord2016pixel]: PixelRNN and PixelCNN, masks A and B, softmax over 256 levels.
# - [@oord2016conditional]: gated PixelCNN, the blind spot and the two stacks (section 2).
# - [@salimans2017pixelcnn]: discretised logistic mixtures (section 2.1).
# - [@oord2016wavenet]: dilated causal convolutions (section 2.1).
# - [@vaswani2017attention]: attention and the causal mask (section 3.2).
# - [@bengio2015scheduled]: training and sampling see different beginnings.
# - [@maddison2014sampling]: sampling by Gumbel noise.
# - [@holtzman2020curious]: nucleus sampling (section 3.1).
# - [@leviathan2023fast] [@chen2023accelerating]: speculative decoding; its rate and its block (section 3 of the first).
