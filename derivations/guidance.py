# %% [markdown]
# # Guidance
#
# A diffusion model draws pictures. Now you want *a cat*, or the missing half of *this* picture, or a sharp picture of which you have only a blurred copy. All of these are
# conditional laws: the law of the picture, given something. How is a sampler steered there? And why do all programs steer *harder* than probability says, and what do
# they draw then?
#
# **The answer in a line:** the score of a conditional law is the score without the condition plus the gradient of a log-likelihood; guidance multiplies that gradient by a number, the
# *scale*. With scale 1 the sampler draws the conditional law. With a larger scale it draws something else than what the formula seems to say, and for normal laws we can compute what.
#
# {{ picture guidance.question }}
#
# !!! board "On the board"
#
#     Bayes' rule for scores, and guidance without a classifier:
#
#     {{ guidance.bayes[score] }}
#
#     {{ define guidance.eps_s }}
#
#     $x$ is a noisy point, at some level of noise, and $y$ what is wanted: a label, a text, a measurement. $r$ is the density of such pairs, and $\frac{\partial}{\partial x} \log r(x)$ is a *score*.
#     $\epsilon_\theta(x, y)$ is a network's guess of the noise in $x$ when it is told $y$; $n$ is the *null*, the value that tells it nothing. $\epsilon_s$ is what the sampler is given instead, and $s$ is the
#     **scale**: 0 without the condition, 1 with it, and usually 2 to 10. Many papers write $w = s - 1$, some $w = s$.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Draw data with their labels. Replace each label by the null with probability $\eta$, for example $0.1$: `genmath.guidance.drop_labels`.
#     2. Train as always, with the label as one more input of the network: for example the loss of [Denoising diffusion](ddpm.py).
#
# !!! sample "Sample"
#
#     1. At each step ask the network twice, with $y$ and with the null $n$.
#     2. Take $\epsilon_s = s\, \epsilon_\theta(x, y) + (1 - s)\, \epsilon_\theta(x, n)$: `genmath.guidance.guide`.
#     3. Use it where the sampler wants the guessed noise. `genmath.guidance.Guided` wraps a network for every sampler, and asks both in one batch.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - Data are $x_0$. A noisy point is $x = \alpha x_0 + \sigma \epsilon$ with standard normal $\epsilon$; the pair of numbers $\alpha$, $\sigma$ is the *level*. In the examples
#   $\alpha^2 + \sigma^2 = 1$, and the level is told by $u = \alpha$ alone: $u = 0$ is noise, $u = 1$ is data.
# - The *score* of a density is the derivative of its logarithm. The best guess of the noise is $-\sigma$ times the score ([Score matching](score.py)), so what is said of scores holds for guessed noise.
# - $r(x, y)$ is any positive joint density of a noisy point and a condition, smooth in $x$. One coordinate of $x$ is written; the others are treated alike. The result holds at every level, with the $r$ of that level.
# - The *conditional law* is $r(x \mid y)$. "Unconditional" means $r(x)$, the law of all data.
# - A *sampler without noise* follows the probability flow, one with noise the reverse SDE ([Stochastic differential equations](sde.py)). Both are meant with small steps and an exact network, so that what is found is due to guidance alone.
# - $\mathcal{N}(x;\, m, v)$ is the density of a normal with mean $m$ and **variance** $v$. Elsewhere $a$, $q$, $v$, $z$, $C$, $V$ and $\tau$ mean in each section what is said there.

# %%
from genmath.proof import *

x, y, v, z, x0 = variables("x y v z x_0")
s, n, m, a = reals("s n m a")
w = nonnegatives("w")
r = Density("r", x, y, positive=True)
net = Function("eps_theta")
eps_s = define("eps_s", s * net(x, y) + (1 - s) * net(x, n))


# %% [markdown]
# ## A label bends the score
#
# You walk uphill on the density of all pictures, and want to end at a cat. At each place add a push towards where a classifier is surer of "cat". How long must the push be? Bayes' rule says it: $r(x \mid y) = r(x)\, r(y \mid x)/r(y)$. Take logarithms
# and differentiate in $x$. The denominator does not depend on $x$ and drops out.
#
# !!! example "By hand"
#
#     Let $x$ and $y$ be standard normal with correlation $0.8$. Then $r(x \mid y) = \mathcal{N}(x;\, 0.8 y,\, 0.36)$ and $r(y \mid x) = \mathcal{N}(y;\, 0.8 x,\, 0.36)$. At $x = 0$, $y = 1$: the score of $r(x)$ is $0$, the
#     gradient of the classifier $0.8\, (y - 0.8 x)/0.36 \approx 2.22$. Their sum is the score of the conditional: $-(x - 0.8)/0.36 \approx 2.22$. It fits.
#
# The classifier must know *noisy* points: $r(y \mid x)$ belongs to the level. One trained on clean pictures is a wrong one at all other levels.
#
# *Classifier guidance* [@dhariwal2021diffusion] multiplies the push by $s$. `guidance.bayes[guided]` says what score that is: that of $r(x \mid y)^s\, r(x)^{1-s}$, without a normaliser.
#
# In code: `genmath.guidance.ClassifierGuided`.


# %%
def score(law):
    """The derivative of the logarithm of a density in the noisy point."""
    return diff(log(law), x)


@derivation("Bayes' rule for scores")
def bayes(d):
    d.start(score(r(x | y)), name="score", words="the score of the conditional law")
    d.equals(score(r(x)) + score(r(y | x)), by="Bayes' rule; $r(y)$ does not depend on $x$")

    d.start(score(r(x)) + s * score(r(y | x)), name="guided", words="the push, multiplied by the scale")
    d.equals((1 - s) * score(r(x)) + s * score(r(x | y)), by="the push is the difference of the two scores")
    d.equals(score(r(x | y) ** s * r(x) ** (1 - s)), by="a factor of a logarithm is a power")


# %% [markdown]
# **What it means.** A model of all data and a classifier make a model of each class, and the model need not be trained again. At $s = 1$ this is no approximation.
#
# ## Without a classifier
#
# Read the same equation from right to left. The push *is* the difference of two scores, so who has a conditional and an unconditional network has a classifier, without training one. *Classifier-free guidance* [@ho2022classifier] uses
# that: start at the null, and go $s$ times as far as the condition is.
#
# {{ picture guidance.line }}
#
# `guidance.classifier_free[implied]` says which classifier it is: $r(y \mid x)$, by Bayes. (For two *networks* there need not be such a function: their difference need not be the gradient of anything.)
#
# In code: `genmath.guidance.guide`.


# %%
@derivation("Classifier-free guidance")
def classifier_free(d):
    d.start(net(x, n) + s * (net(x, y) - net(x, n)), name="network", words="the null, plus the scale times the difference")
    d.equals(eps_s, by="collect")

    d.start(score(r(x)) + s * (score(r(x | y)) - score(r(x))), name="implied", words="the classifier that is meant")
    d.equals(score(r(x)) + s * score(r(y | x)), by="`guidance.bayes[score]`")

    far = net(x, n) + (1 + w) * (net(x, y) - net(x, n))
    d.start(far, name="paper", words=r"with $w = s - 1$")
    d.equals((1 + w) * net(x, y) - w * net(x, n), by="the coefficients sum to one")
    d.slip(
        "sdf-cfg-comment",
        wrong=equal(far, (1 + w) * net(x, y) + w * net(x, n)),
        right=equal(far, (1 + w) * net(x, y) - w * net(x, n)),
        source="ashawkey/stable-dreamfusion issue #32 (comment)",
        why="The coefficients sum to 1 + 2w. Where both guesses are the same, guidance has to change nothing; this would multiply the guess.",
    )


# %% [markdown]
# **What it means.** Three numbers to remember: $s = 0$ ignores the condition, $s = 1$ is the conditional law, and $s > 1$ goes past it, away from what all data have in common.
#
# ## One network for both
#
# Two networks would cost twice the training. Instead one network learns both guesses: in training its label is sometimes replaced by the null. What does it learn? Let $v$ be the target (noise, data, velocity: anything), $g$ the answer when the label is shown
# and $h$ the answer when the null is. With probability $1 - \eta$ the loss is that of $g$, with probability $\eta$ that of $h$.
#
# So the loss is a mixture of two (`guidance.dropout[mixed]`), and each splits into a squared error and a part that no network changes (`guidance.dropout[told]`, `guidance.dropout[untold]`). The best $g$ is the mean of the target given $x$ *and* $y$, and the best $h$ its mean given $x$ alone, for every $\eta$ strictly between 0 and 1: the two do not compete, as long as the network
# can be any function of its inputs.
#
# In code: `genmath.guidance.drop_labels`.

# %%
q = Density("q", x, y, v)
(v_1,) = copies(v, 1)
g, h = Function("g"), Function("h")
eta = fractions("eta")
told = define("v_{xy}", E(q(v_1 | x, y), v_1))
untold = define("v_x", E(q(v_1 | x), v_1))


@derivation("The loss with dropped labels")
def dropout(d):
    d.start(E(q(x, y, v), (1 - eta) * (g(x, y) - v) ** 2 + eta * (h(x) - v) ** 2), name="mixed", words="the loss with dropped labels")
    d.equals((1 - eta) * E(q(x, y, v), (g(x, y) - v) ** 2) + eta * E(q(x, v), (h(x) - v) ** 2), by="the second answer does not see the label")
    d.start(E(q(x, y, v), (g(x, y) - v) ** 2), name="told", words="where the label is shown")
    d.equals(E(q(x, y), (g(x, y) - told) ** 2) + E(q(x, y, v), (v - told) ** 2), by="given $x$ and $y$ the target deviates from its mean by zero on average, so the cross term vanishes")
    d.start(E(q(x, v), (h(x) - v) ** 2), name="untold", words="where the null is shown")
    d.equals(E(q(x), (h(x) - untold) ** 2) + E(q(x, v), (v - untold) ** 2), by="the same, given $x$ alone")


# %% [markdown]
# **What it means.** To drop ten per cent of the labels is enough in practice, since the null is the easier task. The number $\eta$ says how much of the training goes into which answer, not what the answers are.
#
# ## In every prediction
#
# A network may predict noise, data, $v$, the score or a velocity. Each is a linear function of every other, with coefficients that depend on the level, plus a multiple of $x$ (`flow_matching.predictions`): $Q = a P + b x$. Does it matter in which of them one guides? Not at all,
# since the coefficients of guidance sum to one: the multiple of $x$ comes out once. (With other coefficients it would matter. That is why the slip above would not even be the *same* mistake in two programs.)
#
# In code: `genmath.guidance.guide`, before or after `genmath.predictions.convert`.

# %%
P_y, P_n, X = mean_vectors("P_y P_n x")
b = reals("b")


@derivation("Guidance commutes with conversion", dims=(1, 2, 3))
def every_prediction(d):
    Q_y, Q_n = define("Q_y", a * P_y + b * X), define("Q_n", a * P_n + b * X)
    d.start(s * Q_y + (1 - s) * Q_n)
    d.equals(a * (s * P_y + (1 - s) * P_n) + b * X, by="$s$ and $1 - s$ sum to one, so $b x$ is there once")


# %% [markdown]
# **What it means.** "Guidance with scale 3" means the same for a network of noise, of data or of velocities.
#
# ## More than probability asks
#
# At each level the guided score is that of $r(x \mid y)^s\, r(x)^{1-s}$, which is $r(x)\, r(y \mid x)^s$ up to a factor. Call it the *tilted law* of the level. For $s > 1$ it becomes small where the classifier is unsure: points that could belong to another class are avoided. That is one reason why pictures made
# with $s > 1$ look typical of their class, and alike.
#
# It is tempting to conclude that the sampler draws the tilted law of clean data. **It does not.** A sampler is told a score at every level, and it draws a law only if the densities of all levels fit together: each must be the noised version of the clean one. The tilted laws do not. Noising is
# averaging, and an average of powers is no power of an average.
#
# {{ picture guidance.levels }}
#
# The smallest example shows it. Data are standard normal, and given $y$ they are normal with mean $m$ and variance $c = 1 - k$, where $0 < k < 1$ is the share of the variance that the label explains. At the level $u$ the unconditional law is standard normal still; the conditional one has the mean
# $u m$ and the variance $v = 1 - k u^2$. Write $s = 1 + w$.
#
# - `guidance.tilted[level]`: the tilted law at the level $u$ is normal, its precision (one over the variance) is $s/v + (1 - s)$. Its mean is $s\, u m/(1 + w k u^2)$. For clean data, $u = 1$, it has the mean $s m/(1 + wk)$ and the variance $c/(1 + wk)$.
# - `guidance.tilted[noised]`: clean data of mean $m_0$ and variance $c_0$, noised to the level $u$, have the variance $u^2 c_0 + 1 - u^2$.
# - `guidance.tilted[gap]`: put the clean tilted variance there, and subtract that of the tilted law of the level. For $w > 0$ the noised one is wider at every level between noise and data.
#
# !!! example "By hand"
#
#     $c = 0.36$, so $k = 0.64$; $s = 3$, $w = 2$. Clean: the tilted variance is $0.36/(1 + 2 \cdot 0.64) \approx 0.158$. At $u^2 = 0.5$: $v = 0.68$, and the tilted law has the variance $0.68/(1 + 0.64) \approx 0.415$. Noise the clean one: $0.5 \cdot 0.158 + 0.5 \approx 0.579$. If the
#     tilted laws fitted together, the two numbers would be equal.
#
# In code: `genmath.guidance.Guided`.

# %%
k, u = fractions("k u")
c = define("c", 1 - k)
v_u = define("v", 1 - k * u**2)
n_u = define("N", 1 + w * k * u**2)
m_0, c_0 = reals("m_0"), positives("c_0")


@derivation("The tilted laws do not fit together")
def tilted(d):
    guided = (1 + w) * score(Normal(x, u * m, v_u)) - w * score(Normal(x, 0, 1))
    d.start(guided, name="level", words="the guided score of one level")
    d.equals(score(Normal(x, (1 + w) * u * m / n_u, v_u / n_u)), by="powers of normal densities: precisions are added with their exponents")

    d.start(integral(Normal(x, u * x0, 1 - u**2) * Normal(x0, m_0, c_0), x0), name="noised", words="clean normal data, noised")
    d.equals(Normal(x, u * m_0, u**2 * c_0 + 1 - u**2), by="means map, variances add")

    gap = w * (1 + w) * k**2 * u**2 * (1 - u**2) / ((1 + w * k) * n_u)
    d.start(u**2 * c / (1 + w * k) + 1 - u**2 - v_u / n_u, name="gap", words="how much wider the noised tilted law is")
    d.equals(gap, by="a common denominator")
    d.at_least(0, by="every factor is positive", because=gap)


# %% [markdown]
# **What it means.** In the example, for $s > 1$, no density of clean data has these scores at all levels. Words like "the sampler draws $r(x \mid y)^s r(x)^{1-s}$" have no meaning beyond one level.
#
# ## What the sampler draws
#
# Then what comes out? In the example everything can be solved. Take $u$ as the clock, from $u = 0$ (noise) to $u = 1$ (data). The probability flow moves a point with the velocity $(x + \text{score})/u$ (`flow_matching.marginal_score`, with $\alpha = u$). Put the guided score in. The velocity
# is linear in $x$ (`guidance.samples[velocity]`), so its solutions are linear in the starting point $z$: $X = v^{s/2}\, (z + M)$ with a function $M(u)$ for the mean, where $M' = s\, m\, v^{-s/2-1}$ makes `guidance.samples[solution]` the velocity.
# At the start $v = 1$, so $X = z$ is standard normal if $M(0) = 0$. At the end $v = c$. So:
#
# > without noise, guidance with scale $s$ makes a normal of variance $c^s$.
#
# At $s = 1$ the solution is $\sqrt v\, z + u m$ (`guidance.samples[one]`): mean $m$ and variance $c$, the conditional law. At $s = 3$ it has a closed form, too, and its end is $c^{3/2} z + m (1 + 2c)$ (`guidance.samples[three]`).
#
# {{ picture guidance.samples }}
#
# How does it compare with the tilted law? For $s > 1$ the sampler's variance is smaller (`guidance.narrower[variance]`, in logarithms): the tilted law adds precisions, the sampler multiplies variances. And its mean is farther out, at least for $s = 3$ and $m \ge 0$ (`guidance.narrower[mean]`).
#
# !!! example "By hand"
#
#     $m = 0.8$, $c = 0.36$, $s = 3$ once more. The conditional law: mean $0.8$, variance $0.36$. The tilted law: mean $3 \cdot 0.8/(1 + 2 \cdot 0.64) \approx 1.053$, variance $0.158$. The sampler: mean $0.8\, (1 + 0.72) = 1.376$, variance
#     $0.36^3 \approx 0.047$.
#
# In code: `genmath.guidance.Guided`, with any sampler without noise.

# %%
S = positives("s")
M = Function("M")


def guided_at(place):
    """The guided score of the example, at a place."""
    return -(S * (place - u * m) / v_u) - (1 - S) * place


@derivation("What guidance makes of normal data, without noise")
def samples(d):
    d.start(S * score(Normal(x, u * m, v_u)) + (1 - S) * score(Normal(x, 0, 1)), name="score", words="the guided score")
    d.equals(guided_at(x), by="the score of a normal is minus the distance from its mean, over its variance")

    d.start((x + guided_at(x)) / u, name="velocity", words="the velocity of the flow")
    d.equals(S * (m - k * u * x) / v_u, by=r"$1 - v = k u^2$")

    way = define("X", v_u ** (S / 2) * (z + M(u)))
    d.start(diff(way, u), name="solution", words="how its solutions move")
    d.equals(v_u ** (S / 2) * M.prime(u) - S * k * u * way / v_u, by=r"product rule, and $v' = -2 k u$")

    one = define("X", sqrt(v_u) * z + u * m)
    d.start(diff(one, u), name="one", words=r"at scale 1")
    d.equals((m - k * u * one) / v_u, by="the velocity at scale 1")

    three = define("X", v_u ** (number(3) / 2) * z + u * m * (1 + 2 * v_u))
    d.start(diff(three, u), name="three", words=r"at scale 3")
    d.equals(3 * (m - k * u * three) / v_u, by="the velocity at scale 3")


m_pos = nonnegatives("m")


@derivation("Narrower and farther out than the tilted law")
def narrower(d):
    d.start(log(c ** (1 + w)), name="variance", words="the logarithm of the variance")
    d.equals(log(c) + w * log(c), by="the logarithm of a power")
    d.at_most(log(c) - w * (1 - c), by=r"$\log t \le t - 1$ at $t = c$", because=w * log_gap(c))
    d.at_most(log(c / (1 + w * k)), by=r"the same at $t = 1 + w k$", because=log_gap(1 + w * k))

    d.start(m_pos * (1 + 2 * c), name="mean", words="the mean at scale 3")
    d.at_least(3 * m_pos / (1 + 2 * k), by="the gap has the factors $m$, $k$ and $1 - k$", because=4 * m_pos * k * c / (1 + 2 * k))


# %% [markdown]
# **What it means.** Guidance is an *extrapolation*: of logarithms of variances, from $\log 1$ by way of $\log c$ to $s \log c$. Diversity shrinks exponentially in the scale. Only $s = 0$ and $s = 1$ draw laws that anybody wrote down.
#
# {{ explorer guidance }}
#
# ## With noise it is another law
#
# With an exact score the samplers with and without noise agree in their results. With a guided score they do not: nothing forces them to. The reverse SDE has twice the score in its drift, and adds noise: in the clock $u$ its drift is $(x + 2\, \text{score})/u$ and the variance of its noise
# grows at the rate $2/u$ (`sde.reverse_family` with $\lambda = 1$; on this path $g^2\, \mathrm{d}t$ is $2\, \mathrm{d}u/u$ in size). For a linear drift mean $\mu$ and variance $P$ of the particles obey two equations: $\mu'$ is the drift at $\mu$, and $P' = 2 \cdot \text{slope of the drift} \cdot P + 2/u$. Both have
# solutions in closed form, here for $s \ge 1$.
#
# At the end, $u = 1$: the mean is $m\, (1 - c^s)/(1 - c)$, that is $m\, (1 + c + \dots + c^{s-1})$ for whole $s$, and the variance $(c - c^{2s})/((2s - 1)(1 - c))$. At $s = 1$ they are $m$ and $c$.
#
# !!! example "By hand"
#
#     $m = 0.8$, $c = 0.36$, $s = 3$: mean $0.8\, (1 + 0.36 + 0.1296) \approx 1.192$, variance $(0.36 - 0.0022)/(5 \cdot 0.64) \approx 0.112$. In the mean and in the variance it lies between the tilted law ($1.053$; $0.158$) and the sampler without noise ($1.376$; $0.047$).
#
# In code: `genmath.guidance.Guided`, with `genmath.samplers.Ancestral`.

# %%
mu = define("mu", m * (1 - v_u**S) / (k * u))
half_more = at_least_one("s")
P_u = define("P", (v_u - v_u ** (2 * half_more)) / ((2 * half_more - 1) * k * u**2))


@derivation("What guidance makes of normal data, with noise")
def noisy_samples(d):
    d.start(diff(mu, u), name="mean", words="how the mean moves")
    d.equals((mu + 2 * guided_at(mu)) / u, by="the drift at the mean")
    d.start(diff(P_u, u), name="variance", words="how the variance moves")
    d.equals(2 / u * (1 - 2 * (half_more / v_u + 1 - half_more)) * P_u + 2 / u, by="twice the slope of the drift, and the fresh noise")


# %% [markdown]
# **What it means.** Under guidance the sampler is part of the model. Who changes from DDIM to DDPM changes the law that is drawn, also with a perfect network and small steps.
#
# ## Guidance in the middle only
#
# Which levels matter? A deviation from the mean is multiplied by $(v_2/v_1)^{s/2}$ on the way from level $u_1$ to a cleaner $u_2$, where $v_1$ and $v_2$ are the conditional variances there (`guidance.samples[solution]`); without guidance the exponent is $\tfrac12$. So guide only between $u_1$ and $u_2$, and let $s = 1$ elsewhere: the variance in the end is
# $c\, (v_2/v_1)^{s-1}$. Only the *ratio of the conditional variances* at the two ends counts. Early, where noise hides everything, $v$ is near 1 and guidance changes little in width; late, it does most of its shrinking.
#
# {{ picture guidance.interval }}
#
# For real pictures guiding only at middle levels keeps more variety and gives better pictures at the same time [@kynkaanniemi2024interval]. Outside of the interval one call of the network is saved, too.
#
# In code: `genmath.guidance.Guided` with `interval=`.

# %%
v_1p, v_2p, c_p = positives("v_1 v_2 c")


@derivation("Guidance on an interval of levels")
def interval(d):
    before, during, after = sqrt(v_1p), (v_2p / v_1p) ** (S / 2), sqrt(c_p / v_2p)
    d.start((before * during * after) ** 2, name="variance", words="the variance in the end")
    d.equals(c_p * (v_2p / v_1p) ** (S - 1), by="before and after, the exponent is a half")


# %% [markdown]
# **What it means.** An interval is a scale in disguise: it shrinks less, and at chosen levels. For data with several modes there is a second effect. Which mode a sample ends on is decided early, so early guidance empties modes, and late guidance does not: see the laboratory.
#
# ## What else to lead away from { .advanced }
#
# The null is one choice of what to move away from. The formula of classifier-free guidance and `guidance.every_prediction` hold for any second prediction.
#
# - A *negative prompt* puts another condition $n$ in the place of the null: the guided score of a level is that of $r(x \mid y)^s\, r(x \mid n)^{1-s}$.
# - *Autoguidance* [@karras2024autoguidance] leads away from a **worse model of the same condition**. In the example: the worse model knows the mean but is too wide, with a variance $V > c$. Here noise of variance $\tau$ is simply added ($\alpha = 1$; then the flow has the velocity
#   $-\tfrac12$ score in the clock $\tau$). The solution stays centred at $m$ for every scale, and its end has the width $c^{s/2}\, V^{(1-s)/2}$ per unit of $z$, the standard normal start (the deviation from $m$ over $\sqrt\tau$ at large $\tau$): for $s > 1$ less variety, and no shift.
#
# In code: `genmath.guidance.Guided` with another null, or with `against=`.

# %%
tau, V = positives("tau V")


@derivation("Autoguidance keeps the mean")
def autoguidance(d):
    rate = (S / (c_p + tau) + (1 - S) / (V + tau)) / 2
    d.start(-(S * score(Normal(x, m, c_p + tau)) + (1 - S) * score(Normal(x, m, V + tau))) / 2, name="velocity", words="the velocity of the flow")
    d.equals(rate * (x - m), by="both laws have the mean $m$")
    way = define("X", m + (c_p + tau) ** (S / 2) * (V + tau) ** ((1 - S) / 2) * z)
    d.start(diff(way, tau), name="solution", words="its solutions")
    d.equals(rate * (way - m), by="the logarithm of a product of powers, differentiated")


# %% [markdown]
# **What it means.** The shift of the mean in classifier-free guidance comes from the null, whose mean is another. What makes samples narrower is the *difference in width*.
#
# ## Rescaling, and the price { .advanced }
#
# At large scales the guided prediction is larger than any prediction that the network was trained on; colours burn out. *Rescaling* [@lin2024common] multiplies it by a number, so that the numbers of each sample spread as those of the conditional prediction do. Let $G$ be the guided prediction of one
# sample with its mean taken away, and $C$ the conditional one: the factor is $\|C\|/\|G\|$. That is not an affine combination, so it depends on what is predicted, and the sampler no longer follows a guided score at all. It is a repair, and its authors say so.
#
# The price of guidance is two calls of the network in each step, or one of a batch twice as large. A network can be trained to give the guided prediction by itself; then the scale is one more input.
#
# In code: `genmath.guidance.rescaled`.

# %%
G, C = mean_vectors("G C")


@derivation("Rescaled, it spreads as the conditional prediction does", dims=(1, 2, 3))
def rescaling(d):
    d.given_that(norm2(G) > 0)
    d.start(norm2(sqrt(norm2(C) / norm2(G)) * G))
    d.equals(norm2(C), by="a factor comes out squared")


# %% [markdown]
# **What it means.** Rescaling keeps the direction that guidance found and takes back its length.
#
# ## A part is known: replacing it
#
# Now the condition is a part of the picture itself: a point has two parts $a$ and $b$, and $b_0$ is known. The simplest sampler ignores that, and after each step overwrites $b$ by the known $b_0$, noised to the level reached. So the network always sees a $b$ that is right. **Does it draw the law of $a$ given
# $b_0$? No.** The network answers with the score of $a$ given this *noisy* $b$. It does not know that you have the clean one, and at high noise, where $u$ is small, a noisy $b$ says almost nothing about $a$.
#
# Two standard normal numbers of correlation $\rho$ show it. At the level $u$ the numbers have the variance 1 still, and the covariance $\rho_u = u^2 \rho$ (`guidance.replaced[pair]`), so that given $b$ the law of $a$ is normal with mean $\rho_u b$ and variance $1 - \rho_u^2$. Averaged over the fresh noise in $b$, the score that the sampler uses is that of `guidance.replaced[used]`: it pulls to $u^3 \rho\, b_0$. The law it should follow is that of $a$
# given the *clean* $b_0$, whose score pulls to $u \rho\, b_0$ (`guidance.replaced[wanted]`). The two agree in pure noise, at $u = 0$, where neither knows anything of $b_0$, and again at the very end only, where it is too late to move far.
#
# {{ picture guidance.inpainting }}
#
# In code: `genmath.guidance.inpaint`.

# %%
p_a, p_b, a_0, b_0 = variables("a b a_0 b_0")
rho = fractions("rho")
together = define("rho_u", u**2 * rho)
beside = Normal(a_0, rho * b_0, 1 - rho**2)


@derivation("The score that replacement uses")
def replaced(d):
    d.start(E((Normal(b_0, 0, 1), beside), (u * a_0) * (u * b_0)), name="pair", words="the covariance of the noisy pair")
    d.equals(together, by="the noise of the one knows nothing of the other, so both are only shrunk")

    d.start(E(Normal(p_b, u * b_0, 1 - u**2), -((p_a - together * p_b) / (1 - together**2))), name="used", words="the score that is used, in the mean")
    d.equals(-((p_a - u**3 * rho * b_0) / (1 - u**4 * rho**2)), by="the fresh $b$ has the mean $u b_0$")

    d.start(integral(Normal(p_a, u * a_0, 1 - u**2) * beside, a_0), name="wanted", words="the law whose score is wanted")
    d.equals(Normal(p_a, u * rho * b_0, 1 - u**2 * rho**2), by="given the clean $b_0$ the other number is normal, and noise is added")


# %% [markdown]
# With small steps the fresh noise averages out, and the sampler is a linear process again: the reverse SDE with the drift $(a + 2 \cdot \text{used score})/u$. Its mean and variance have closed forms (`guidance.replacement`). At the end, $u = 1$: the mean is $b_0\, (1 - \sqrt{1 - \rho^2})/\rho$ instead of $\rho\, b_0$, and the variance
# is $(1 - \rho^2)$ times $\tfrac{1}{2 \rho} \log \tfrac{1 + \rho}{1 - \rho}$, a factor above 1. For small $\rho$ the mean goes *half* the way, for $\rho$ near 1 nearly all of it: so it is for a pixel that its known neighbours nearly determine.
#
# !!! example "By hand"
#
#     $\rho = 0.8$, $b_0 = 1$. Right: mean $0.8$, variance $0.36$. By replacement: mean $(1 - 0.6)/0.8 = 0.5$, and variance $0.36 \cdot \tfrac{1}{1.6} \log 9 \approx 0.494$.
#
# *RePaint* [@lugmayr2022repaint] repeats each step: put the noise of the step back, and take it again with the $b$ of this level. Repeated often, the part $a$ comes to rest in the law whose score is used *at this level*: mean $u^3 \rho\, b_0$ and variance $1 - u^4 \rho^2$. That is still the wrong law at
# $u < 1$. But at $u \to 1$ it becomes the right one, and with enough repetitions the sampler still moves there. The laboratory shows how many it takes.

# %%
level = define("q", 1 - rho**2 * u**4)
beta_0 = reals("b_0")
mean_a = define("mu", beta_0 * (1 - sqrt(level)) / (rho * u))
var_a = define("P", level / (2 * rho * u**2) * log((1 + rho * u**2) / (1 - rho * u**2)))


@derivation("What replacement draws")
def replacement(d):
    d.start(diff(mean_a, u), name="mean", words="how the mean moves")
    d.equals((mean_a - 2 * (mean_a - u**3 * rho * beta_0) / level) / u, by="the drift at the mean")
    d.start(diff(var_a, u), name="variance", words="how the variance moves")
    d.equals(2 / u * (1 - 2 / level) * var_a + 2 / u, by="twice the slope of the drift, and the fresh noise")


# %% [markdown]
# **What it means.** Where correlations are weak, replacement forgets half of what the known part says. The seams that one sees in such pictures fit that.
#
# ## The measurement inside the score
#
# The right way is Bayes again: add the gradient of $\log r(y \mid x)$, the likelihood of the measurement *at the noisy point*. Let the measurement be linear with normal noise, $y$ is $a x_0$ plus noise of variance $\tau^2$; inpainting ($a$ picks coordinates), super-resolution ($a$ averages) and
# deblurring are of this kind. Then $r(y \mid x)$ is an average over the data that may be behind $x$: $\mathcal{N}(y;\, a x_0, \tau^2)$ averaged over $x_0$ given $x$. If that law is normal, with the mean $\hat x$ (the network's guess of the data) and the variance $C$, the average is normal: its
# variance is $a^2 C + \tau^2$ (`guidance.measurement[likelihood]`). So, if $C$ does not depend on $x$, the gradient divides the residual $y - a \hat x$ by $a^2 C + \tau^2$, **not by $\tau^2$** (`guidance.measurement[push]`; $\hat x'$ is the derivative of the guess). For normal data of variance $V$ what is open about $x_0$ is `guidance.posterior`:
# $C = V \sigma^2/(\alpha^2 V + \sigma^2)$.
#
# - **DPS** [@chung2023dps] puts the guess in the place of the data, that is $C = 0$. At high noise $C$ is largest, and where $a^2 C$ is large beside $\tau^2$ the push is far too strong; in practice a step size is tuned against that.
# - **ΠGDM** [@song2023pigdm] keeps a $C$ that is a number times the identity. For standard normal data its number is right.
#
# With several numbers $a$ is a matrix $A$, and the variance is $A C A^\top + \tau^2 \mathbf{I}$. In code: `genmath.guidance.Measured`.

# %%
alpha, sigma, C_x = positives("alpha sigma C")
noise_y = positives("tau")
guess, x_hat = reals("x_hat"), Function("x_hat")
spread_x = define("D", alpha**2 * V + sigma**2)
behind = Normal(x0, m + alpha * V / spread_x * (x - alpha * m), V * sigma**2 / spread_x)


@derivation("The likelihood of a linear measurement at a noisy point")
def measurement(d):
    d.start(integral(Normal(y, a * x0, noise_y**2) * Normal(x0, guess, C_x), x0), name="likelihood", words="the likelihood at a noisy point")
    d.equals(Normal(y, a * guess, a**2 * C_x + noise_y**2), by="what is open about the data adds to the noise of the measurement")

    d.start(diff(log(Normal(y, a * x_hat(x), a**2 * C_x + noise_y**2)), x), name="push", words="its gradient")
    d.equals(a * x_hat.prime(x) * (y - a * x_hat(x)) / (a**2 * C_x + noise_y**2), by="chain rule")


@derivation("What a noisy point says of normal data")
def posterior(d):
    d.start(Normal(x, alpha * x0, sigma**2) * Normal(x0, m, V))
    d.equals(Normal(x, alpha * m, spread_x) * behind, by="Bayes' rule: complete the square in $x_0$")


# %% [markdown]
# **What it means.** The network's guess is not the data. How sure it is belongs into the formula, and it is never sure at high noise.
#
# ### What leaving the covariance out does
#
# Standard normal data, $\alpha = u$: the guess is $\hat x = u x$, and with $C = 0$ the score with its push is $-x + a u\, (y - a u x)/\tau^2$. Write $q = a^2/\tau^2$: the square of signal over noise of the measurement. The right answer is normal with mean $\frac{y}{a} \frac{q}{1+q}$ and variance $\frac{1}{1 + q}$.
#
# Without noise the deviation from the mean is multiplied by $e^{-q u^2/2}$ in all (`guidance.left_out[flow]`), so the variance in the end is $e^{-q}$. With noise mean and variance are `guidance.left_out[mean]` and `guidance.left_out[variance]`, at the end $\frac{y}{a}(1 - e^{-q})$ and $(1 - e^{-2q})/(2q)$. With noise the mean is always past the right one
# (`guidance.left_out[past]`), and without noise the variance is always too small (`guidance.left_out[narrow]`).
#
# {{ picture guidance.dps }}
#
# !!! example "By hand"
#
#     $q = 9$: the noise of the measurement is a third of the signal. Right: $0.9\, y/a$, variance $0.1$. DPS with noise: $0.9999\, y/a$, variance $0.056$. Without noise: variance $e^{-9} \approx 0.0001$. It believes the measurement, and forgets the data.

# %%
q_s, a_s = positives("q a")
y_s = reals("y")


@derivation("What DPS makes of normal data")
def left_out(d):
    way = define("X", exp(-q_s * u**2 / 2) * z)
    d.start(diff(way, u), name="flow", words="a deviation, without noise")
    d.equals(-q_s * u * way, by=r"the slope of the velocity is $-a^2 u/\tau^2$")

    mean = define("mu", y_s / a_s * (1 - exp(-q_s * u**2)) / u)
    d.start(diff(mean, u), name="mean", words="the mean, with noise")
    d.equals((mean + 2 * (-mean + q_s / a_s * u * (y_s - a_s * u * mean))) / u, by="the drift at the mean")

    variance = define("P", (1 - exp(-2 * q_s * u**2)) / (2 * q_s * u**2))
    d.start(diff(variance, u), name="variance", words="the variance, with noise")
    d.equals(2 / u * (1 - 2 * (1 + q_s * u**2)) * variance + 2 / u, by="twice the slope of the drift, and the fresh noise")

    d.start(1 - exp(-q_s), name="past", words="its mean is past the right one")
    d.at_least(q_s / (1 + q_s), by=r"$e^q \ge 1 + q$", because=exp(-q_s) * log_gap(exp(q_s)) / (1 + q_s))

    d.start(log(exp(-q_s)), name="narrow", words="without noise it is too narrow")
    d.at_most(log(1 / (1 + q_s)), by=r"$\log(1 + q) \le q$", because=log_gap(1 + q_s))


# %% [markdown]
# **What it means.** A point estimate in a formula that asks for a law makes samples too sure. The step size that is tuned in practice stands in for $a^2 C$.
#
# ## Editing: some noise, and back
#
# A sketch $g$ is to become a picture. *SDEdit* [@meng2022sdedit] adds noise to it, to a middle level, and runs the sampler from there. Little noise keeps the sketch with its faults; much noise gives a fine picture of something else. For normal data, mean $m$ and variance $V$, the trade-off is a formula. Let
# $D = \alpha^2 V + \sigma^2$ be the variance at the level, and $\kappa = \alpha \sqrt{V/D}$, a number that falls from 1 to 0 as noise is added.
#
# - Without noise the way back is $m + \sqrt{V/D}\, (x - \alpha m)$. It ends with mean $m + \kappa\, (g - m)$ and variance $V (1 - \kappa^2)$ (`guidance.editing[mean]`, `guidance.editing[variance]`).
# - With noise each sample is a draw from the data behind $x$, `guidance.posterior`. It keeps less of the sketch: $\kappa^2$ in the place of $\kappa$ (`guidance.editing[noisy]`).
#
# {{ picture guidance.editing }}
#
# So, without noise on the way back, one number says it all: what is kept of the sketch, $\kappa$, and what is new, $V(1 - \kappa^2)$. *DDIM inversion* takes another way to a middle level: up along the flow, without noise. Then the way back returns to the sketch itself, up to the error of the steps, which for normal data is `ddim.inversion`; a
# change is made only by another condition on the way back, or by another scale: up to $u = 0$ with scale 1 and down again with scale $s$ multiplies each deviation from the mean by $c^{(s-1)/2}$ (`guidance.samples[solution]`), so that the picture does not return.
#
# In code: `genmath.guidance.edit` and `genmath.ddim.ddim_invert`.

# %%
sketch = reals("g")


@derivation("What editing keeps")
def editing(d):
    kept = define("kappa", alpha * sqrt(V / spread_x))
    start = Normal(x, alpha * sketch, sigma**2)
    back = define("B", m + sqrt(V / spread_x) * (x - alpha * m))
    d.start(E(start, back), name="mean", words="the mean, without noise on the way back")
    d.equals(m + kept * (sketch - m), by=r"the noisy sketch has the mean $\alpha g$")
    d.start(E(start, (back - m - kept * (sketch - m)) ** 2), name="variance", words="the variance")
    d.equals(V * (1 - kept**2), by=r"$\sigma^2 V/D$, and $\sigma^2 = D - \alpha^2 V$")
    d.start(integral(start * behind, x), name="noisy", words="with noise on the way back")
    d.equals(Normal(x0, m + kept**2 * (sketch - m), V * (1 - kept**4)), by="a normal mean of a normal: variances add")


# %% [markdown]
# **What it means.** How much of a sketch survives depends on the signal at the level where one starts, not on the number of steps.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - Conditional score = score + gradient of the log-likelihood of the condition, at the noisy point (`guidance.bayes`).
#     - Classifier-free: $s\,\epsilon(x, y) + (1 - s)\,\epsilon(x, n)$, in any prediction, since $s + (1 - s) = 1$ (`guidance.every_prediction`).
#     - Dropping labels trains both at once (`guidance.dropout`).
#     - At each level the score of $r(x \mid y)^s r(x)^{1-s}$; but these do not fit together (`guidance.tilted`).
#     - For normal data the flow makes the variance $c^s$ in place of $c$, and at $s = 3$ a mean $1 + 2c$ times as far out (`guidance.samples`); with noise it is another law (`guidance.noisy_samples`). Only $s = 1$ draws the conditional law.
#     - Replacing the known part is not conditioning (`guidance.replaced`). A measurement wants its likelihood at the noisy point, with the covariance that is open (`guidance.measurement`).
#
# ## Questions
#
# ??? question "Both guesses of the network are the same at some $x$. What does guidance with $s = 7$ do there?"
#
#     Nothing: $7 \epsilon - 6 \epsilon = \epsilon$. Where the label says nothing, guidance does nothing.
#
# ??? question "A paper says $w = 2$ in $\epsilon(x, n) + w\,(\epsilon(x, y) - \epsilon(x, n))$, another $w = 2$ in $(1 + w)\,\epsilon(x, y) - w\,\epsilon(x, n)$. Which is stronger?"
#
#     The second: its scale is 3, that of the first is 2. Ask at which value of the letter the conditional model comes out: $w = 1$ in the first, $w = 0$ in the second.
#
# ??? question "The label explains half of the variance. With which share of the conditional standard deviation do samples at $s = 5$ come out, without noise?"
#
#     $c = 0.5$. The standard deviation is $c^{s/2} = 0.5^{2.5} \approx 0.177$, that of the conditional law is $0.5^{0.5} \approx 0.707$: a quarter, $c^{(s-1)/2}$.
#
# ??? question "Why is the classifier of classifier guidance trained on noisy pictures?"
#
#     Bayes' rule is used at each level, for the noisy $x$. $r(y \mid x)$ is there the probability of the label given the noisy point, which is less sure than that of the clean one.
#
# ??? question "With an exact network DDIM and DDPM draw the same law. Why not under guidance?"
#
#     They agree because both keep the laws that *one* noising has at its levels. The guided scores belong to no noising, so nothing is kept. In the example the variance is $c^s$ for the one, $(c - c^{2s})/((2s - 1)(1 - c))$ for the other.
#
# ??? question "Inpainting by replacement looks fine when only a few pixels are missing. Why?"
#
#     Their neighbours are known and correlation is near one. Then $(1 - \sqrt{1 - \rho^2})/\rho^2$, the share of the way that the mean goes, is near one too. A large hole has weak correlations, and there it is near a half.
#
# {{ spot sdf-cfg-comment among guidance.every_prediction guidance.bayes[guided] }}
#
# ## What the results do not say
#
# - Nothing is proved about guidance of data that are not normal. That the guided sampler narrows and overshoots there, too, is measured in the laboratory on mixtures, where it can also drop whole modes.
# - The flow and the SDE are solved with small steps, in the limit, and from the level $u = 0$. That mean and variance determine the law is so because everything is linear and normal; that the equations of mean and variance hold is in [Stochastic differential equations](sde.py).
# - `guidance.samples` gives the mean for $s = 1$ and $s = 3$; for other scales it is an integral, $s\,m\,c^{s/2} \int_0^1 (1 - k t^2)^{-s/2-1}\,\mathrm{d}t$.
# - Real networks are not exact. Much of what guidance does for pictures may be that it leads away from what a network gets wrong, as autoguidance does on purpose; no result here is about that.
# - `guidance.replacement` is for small steps with fresh noise in every step. What RePaint comes to rest in is argued in words, and measured.
# - `guidance.measurement` is exact if the data given $x$ are normal. For others it is a model of them.
#
# ## Where sources slip
#
# - `sdf-cfg-comment`, beside `guidance.classifier_free`: a plus for a minus, so that the coefficients do not sum to one.
# - No formula but a common claim: "guidance samples from $p(x)\, p(y \mid x)^s$". At one level that is the guided score; for the sampler it is false already for normal data (`guidance.narrower`).
#
# ## References
#
# - [@dhariwal2021diffusion]: classifier guidance, algorithms 1 and 2.
# - [@ho2022classifier]: classifier-free guidance, with $w = s - 1$, and dropped labels.
# - [@song2021sde]: conditional sampling by Bayes' rule, and inpainting by replacement (section 5 and appendix I).
# - [@bradley2024predictor]: guidance with DDIM and with DDPM draws different laws, neither of them the tilted one.
# - [@chidambaram2024guidance]: what guidance does to mixtures.
# - [@kynkaanniemi2024interval], [@karras2024autoguidance], [@lin2024common]: intervals, autoguidance, rescaling.
# - [@lugmayr2022repaint], [@chung2023dps], [@song2023pigdm]: RePaint, DPS, ΠGDM.
# - [@meng2022sdedit]: editing by noising.
