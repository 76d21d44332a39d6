# %% [markdown]
# # Score matching
#
# A density has to integrate to one. So a model $p(x) = \tilde p(x)/Z$, with any positive function $\tilde p$, needs the
# *normaliser* $Z = \int \tilde p(x)\, \mathrm{d}x$, and for a flexible $\tilde p$ nobody can compute this integral. The *score*
# $\nabla \log p$ is the direction in which the log-density rises. It does not see the normaliser:
# $\log p = \log \tilde p - \log Z$, and the constant $\log Z$ has no slope. Can the score be
# learned from samples alone, although samples show neither $p$ nor its slope? And once we have it, can we draw from
# $p$ with nothing but this field of arrows?
#
# **The answer in a line:** add noise of size $\sigma$ and learn to guess the noise; the best guess is $-\sigma$ times the
# score of the *noisy* density, and small steps along the score plus fresh noise leave that density as it is.
#
# {{ picture score.question }}
#
# !!! board "On the board"
#
#     Train a network to undo noise, at every noise level $\sigma$:
#
#     {{ define score.dsm_loss }}
#
#     The best network $s_\theta$ is the score of the noisy density $p_\sigma$. With it we also know the average of the
#     data $x_0$ that may have led to $x$ (*Tweedie's formula*):
#
#     {{ score.tweedie }}
#
#     Sample with steps uphill and fresh noise $z$ (*Langevin dynamics*):
#
#     {{ define score.walk }}
#
#     $x_0$ is a data point and $\epsilon$ standard normal noise; $x = \alpha x_0 + \sigma\epsilon$ is what the
#     network $s_\theta$ sees, often with $\alpha = 1$. $p_0$ is the density of the data, and $p_\sigma(x_0 \mid x)$ that
#     of the data once $x$ is known (Bayes' rule). $x_k$ is the sample after $k$ steps, $\eta$ the size of a step, $z$
#     standard normal, and $\theta$ the weights of the network.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Draw data $x_0$, noise $\epsilon$, and for each sample a level $\sigma$ from a *ladder*, a list of levels from
#        large to small: `genmath.score.geometric_levels`.
#     2. Add the noise: $x = \alpha x_0 + \sigma\epsilon$.
#     3. Take a gradient step on the mean of $\|\sigma s_\theta(x, \sigma) + \epsilon\|^2$:
#        `genmath.score.denoising_loss` does 2 and 3.
#
# !!! sample "Sample"
#
#     1. Take the largest $\sigma$ of the ladder, and draw $x$ from a normal of that size.
#     2. Take some steps of `genmath.score.langevin_step` with $\eta$ in proportion to $\sigma^2$. Go to the next smaller
#        $\sigma$, and so on: `genmath.score.annealed_langevin` is the loop.
#     3. Remove the noise that is left: `genmath.score.tweedie`.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - $x_0$ is data with any density $p_0(x_0)$, which may be zero in places. $x = \alpha x_0 + \sigma\epsilon$ is data
#   seen through noise, with $\alpha, \sigma > 0$ and $\epsilon$ standard normal: the *kernel* of $x$ given $x_0$ is
#   normal with mean $\alpha x_0$ and variance $\sigma^2$. Papers on score matching take $\alpha = 1$, so noise is only
#   added; with $\alpha = \sqrt{\bar\alpha_t}$, $\sigma = \sqrt{1 - \bar\alpha_t}$ it is the kernel of
#   `ddpm.forward_marginal`.
# - $p_\sigma(x)$ is the density of the noisy $x$, the average of the kernel over the data. It is positive and smooth
#   whatever $p_0$ is. It is also called the *marginal* density: the data point is averaged out. $p_\sigma(x_0 \mid x)$ is what
#   Bayes' rule makes of kernel and data, the *posterior*: which data may have led to $x$.
# - *Score* means the derivative of a log-density by the place $x$, written $\partial \log p$ on the line and $\nabla \log p$ for a
#   vector $x$. (Statistics uses the word for the derivative by
#   a parameter: `vae.score_function_gradient` is that other one.) $s$ is any smooth function, the model of a score.
# - Statements about an arbitrary density are written for one coordinate, or for two where coordinates meet; for
#   a sum over coordinates they hold term by term. Statements about normal densities are for vectors, checked for
#   $d \le 3$ dimensions.
# - Where a statement needs a point in the plane, $u$ and $v$ are its two coordinates.

# %%
from genmath.proof import *

x0, x, y, eps = variables("x_0 x y eps")
alpha, sigma = positives("alpha sigma")
s, f = Function("s"), Function("f")

data = Density("p_0", x0)
kernel = Normal(x, alpha * x0, sigma**2)
noisy = define("p_sigma", integral(kernel * data(x0), x0))
posterior = define("p_sigma(x_0|x)", kernel * data(x0) / noisy)
marginal_score = diff(log(noisy), x)
noise = define("eps", (x - alpha * x0) / sigma)

s_net = Function("s_theta")
eta = positives("eta")
x_k, z = variables("x_k z")
dsm_loss = define("L(sigma)", E((data(x0), Normal(eps, 0, 1)), (sigma * s_net(alpha * x0 + sigma * eps, sigma) + eps) ** 2))
walk = define("x_{k+1}", x_k + eta * s_net(x_k, sigma) + sqrt(2 * eta) * z)

# %% [markdown]
# ## The score of the kernel
#
# Take one sample of data and one of noise. The log-density of $x$ given $x_0$ is a parabola. Its slope points *back* to where
# $x$ came from, and is the noise times $-1/\sigma$. It does not depend on the data distribution, which is why it
# can serve as a training target. `score.kernel_score[any]` is the same for a normal density with any mean $\mu$ and any
# covariance $\Sigma$. ($\mathbf{I}$ is the identity matrix.)
#
# In code: `genmath.score.kernel_score`.

# %%
X, X0, EPS = vectors("x x_0 eps")
mean = mean_vectors("mu")
cov = covariances("Sigma")
KERNEL = Normal(X, alpha * X0, sigma**2 * identity)


@derivation("The score of the Gaussian kernel", dims=(1, 2, 3))
def kernel_score(d):
    d.start(diff(log(Normal(X, mean, cov)), X), name="any", words="for any covariance")
    d.equals(-(inverse(cov) * (X - mean)), by="the logarithm is a quadratic form; differentiate it")

    d.start(diff(log(KERNEL), X), name="place", words="as a way back to the data")
    d.equals(-(X - alpha * X0) / sigma**2, by="the same, for equal variances")

    noised = define("x", alpha * X0 + sigma * EPS)
    d.start(-(noised - alpha * X0) / sigma**2, name="noise", words="as the noise")
    d.equals(-EPS / sigma, by="$x - \\alpha x_0$ is $\\sigma$ times the noise")

    right = equal(diff(log(KERNEL), X), -(X - alpha * X0) / sigma**2)
    d.slip(
        "acids-dsm-sign",
        wrong=equal(diff(log(KERNEL), X), (X - alpha * X0) / sigma**2),
        right=right,
        source="acids-ircam/diffusion_models PR #7, issue #11 (open)",
        why="the score points back to the data, not away from it",
    )
    d.slip(
        "pml2-dsm-gradient-variable",
        wrong=equal(diff(log(KERNEL), X0), -(X - alpha * X0) / sigma**2),
        right=right,
        source="probml/pml2-book issue #253 (Eqs. 24.31-24.34, fixed)",
        why="The score is the slope in the noisy variable x. The slope in the clean x₀ has another sign and a factor α.",
    )
    s_t = mean_vectors("s_t")
    d.slip(
        "lebellig-sm-sign",
        wrong=equal(norm2(s_t - diff(log(KERNEL), X)), norm2(s_t - (X - alpha * X0) / sigma**2)),
        right=equal(norm2(s_t - diff(log(KERNEL), X)), norm2(s_t + (X - alpha * X0) / sigma**2)),
        source="lebellig/flow-matching issue #2 (typo confirmed; Eq. 43)",
        why="The score points from x back to the data, so minus the score is plus the displacement over the variance.",
    )
    d.false_alarm(
        "fa-acids-5",
        equal(-(noised - alpha * X0) / sigma**2, -EPS / sigma),
        source="acids-ircam/diffusion_models issue #5",
        why="“the target should be −noise”: the noise is standard there, so the score is −noise/sigma, as in the code",
    )
    d.false_alarm(
        "fa-scoresde-26",
        equal(-EPS / sigma, -(sigma * EPS) / sigma**2),
        source="yang-song/score_sde_pytorch issue #26",
        why="“the standard deviation should be squared”: it is, before one of the two cancels against that of x − x₀",
    )


# %% [markdown]
# **What it means.** A noisy sample whose noise is known gives an arrow $-\epsilon/\sigma$, back to where it came from. The
# smaller $\sigma$ is, the longer is the arrow.
#
# ## Denoising instead of matching
#
# {{ picture score.target }}
#
# Here $q(x, x_0)$ is any positive joint density of noisy $x$ and data $x_0$. Nothing has to be normal: any way of corrupting data
# will do. From it we have the density $q(x)$ of $x$ alone, and $q(x \mid x_0)$ of $x$ given $x_0$.
#
# We want $s(x)$ to match the *marginal* score $\partial \log q(x)$. This is *explicit* score matching, and its loss is
# $J = \mathbb{E}\,(s(x) - \partial \log q(x))^2$. Nobody can evaluate that score. The *conditional* score
# $\partial \log q(x \mid x_0)$ can be evaluated (for normal noise it is $-\epsilon/\sigma$). To match it on average is the
# *denoising* loss, and it is the same task: the two losses differ by a number $C$ that contains no model.
#
# $C$ is the mean squared distance between the conditional and the marginal score. It is the part
# of the target that $x$ does not determine.
#
# !!! example "By hand"
#
#     Data standard normal, $\alpha = \sigma = 1$. Then $x = x_0 + \epsilon$ has variance 2, the marginal score is $-x/2$,
#     and the conditional one $-\epsilon$. The best model $s(x) = -x/2$ has the denoising loss
#     $\mathbb{E}(\epsilon - x/2)^2 = \mathbb{E}\big(\tfrac12 (\epsilon - x_0)\big)^2 = \tfrac12$. This is $C$, and not zero. The model $s = 0$
#     has $\mathbb{E}\epsilon^2 = 1$. Its explicit loss is $\mathbb{E}(x/2)^2 = \tfrac12$: indeed $1 = J + C = \tfrac12 + \tfrac12$.
#
# In code: `genmath.score.denoising_loss`.

# %%
q = Density("q", x, x0, positive=True)
conditional = diff(log(q(x | x0)), x)
marginal = diff(log(q(x)), x)
J = define("J", E(q(x), (s(x) - marginal) ** 2))
C = define("C", E(q(x, x0), (conditional - marginal) ** 2))


@derivation("Denoising score matching is explicit score matching plus a constant")
def denoising(d):
    d.start(C, name="constant", words="the part that no model changes")
    d.equals(E(q(x, x0), conditional**2) - E(q(x), marginal**2),
             by="given $x$, the conditional score averages to the marginal one, since $q(x, x_0)\\, \\partial\\log q(x \\mid x_0) = \\partial q(x, x_0)$")

    d.start(E(q(x, x0), (s(x) - conditional) ** 2), name="losses", words="the two losses")
    d.equals(J + C, by="the cross term averages to zero for the same reason")
    d.at_least(C, by="the explicit loss is a mean of squares", because=J)


# %% [markdown]
# **What it means.** Training pairs $(x, x_0)$ cost nothing (take data, add noise), so the score of *noisy* data can be learned by plain regression.
# But **a denoising loss at its optimum is not zero**, and its value says nothing about how good the model is as long as
# $C$ is not known.
#
# ## What a network that guesses the noise learns
#
# Squared error has one best answer: the mean of what is to be guessed, *given what is seen*. This is general: the
# target $y$ and the guess $g$ may be anything; $q(y \mid x)$ is the density of the target once $x$ is seen, and $m$ its
# mean. The network never sees $x_0$, so it cannot return $\epsilon$; what it
# returns, if it is perfect, is the average of all noises that could have led to this $x$.

# %%
guessed = Density("q", y, given=x)
g = reals("g")
conditional_mean = define("m", E(guessed(y | x), y))


@derivation("The best guess under squared error is the conditional mean")
def best_guess(d):
    d.start(E(guessed(y | x), (g - y) ** 2))
    d.equals((g - conditional_mean) ** 2 + E(guessed(y | x), (y - conditional_mean) ** 2), by="expand around the mean; the cross term averages to zero")
    d.at_least(E(guessed(y | x), (y - conditional_mean) ** 2), by="the conditional variance is left, whatever the guess",
               because=(g - conditional_mean) ** 2)
    d.tight_when(g, conditional_mean)


# %% [markdown]
# !!! example "By hand"
#
#     Two data points, $-1$ and $1$, equally likely; $\alpha = 1$, $\sigma = 0.5$, and $x = 0.5$ is seen. It came from $1$
#     with noise $-1$, or from $-1$ with noise $3$. The kernel's densities are in the ratio $e^{-1/2} : e^{-9/2}$. By Bayes' rule
#     the probabilities are in the same ratio, since the two points are equally likely: $0.982$ and $0.018$. The best guess of the noise is $0.982 \cdot (-1) + 0.018 \cdot 3 \approx -0.928$. No
#     noise that occurs has this value.
#
# And this average is $-\sigma$ times the score of the *noisy* density $p_\sigma$. Here the density of the data is arbitrary again.
# Most sources jump from `score.kernel_score` to this line by writing $\epsilon$ where its mean given $x$ belongs. They are
# different things: $-\epsilon/\sigma$ is random given $x$, a score is not.
#
# In code: `genmath.predictions.convert` with `source="eps", target="score"`.


# %%
@derivation("The best noise prediction is the marginal score")
def eps_optimum(d):
    d.start(-(sigma * marginal_score))
    d.equals(-(sigma * integral(diff(kernel, x) * data(x0), x0) / noisy), by="derivative of a logarithm, and under the integral")
    d.equals(integral(noise * posterior, x0), by="the kernel's score is $-\\epsilon/\\sigma$, and kernel times data over $p_\\sigma$ is the posterior")
    d.slip(
        "notes-score-marginal",
        wrong=equal(marginal_score, -(noise / sigma)),
        right=equal(marginal_score, -(integral(noise * posterior, x0) / sigma)),
        source="lecture notes 'The mathematics of generative models', 5.4",
        why="−ε/σ is the score if x₀ is known (σ is √(1 − ᾱ) there). The score of the noisy data is its mean over all x₀ from which x may "
        "have come.",
    )


# %% [markdown]
# **What it means.** A network $\epsilon_\theta(x)$ that guesses the noise, as in [Denoising diffusion](ddpm.py) (DDPM), *is* a
# score network: $s_\theta = -\epsilon_\theta/\sigma$. Two communities trained the same function under two names.
#
# ## Tweedie's formula
#
# {{ picture score.denoiser }}
#
# Solve $x = \alpha x_0 + \sigma\epsilon$ for the data: the same conditional mean tells where the data are, on average. The best
# denoiser walks from $x$ by the score times $\sigma^2$, the variance of the noise (and then divides by $\alpha$). The formula is
# older than these models: it needs only the density of what is *observed*, and not that of the data.
#
# !!! example "By hand"
#
#     The two points again, with $x = 0.5$. The score is $-(-0.928)/0.5 \approx 1.856$: uphill is to the right. Tweedie's
#     formula gives $0.5 + 0.25 \cdot 1.856 \approx 0.964$, and directly $0.982 \cdot 1 + 0.018 \cdot (-1) \approx 0.964$.
#
# In code: `genmath.score.tweedie`.


# %%
@derivation("Tweedie's formula")
def tweedie(d):
    d.start(integral(x0 * posterior, x0))
    d.equals((x - sigma * integral(noise * posterior, x0)) / alpha, by="$x_0 = (x - \\sigma\\epsilon)/\\alpha$, and $x$ is known")
    d.equals((x + sigma**2 * marginal_score) / alpha, by="`score.eps_optimum`")


# %% [markdown]
# **What it means.** Score, best guess of the noise and best guess of the data are one piece of knowledge: any of them
# gives the others by arithmetic.
#
# ## How sure can the denoiser be?
#
# The denoiser returns $m$, the mean of the data given $x$. The variance around $m$ follows from the second derivative of
# $\log p_\sigma$. Where that is zero the variance is
# $\sigma^2/\alpha^2$, that of the noise alone; where it is negative (near a peak) the data are better known than that. Since a
# variance is not negative, **noise bounds the curvature**: no log-density seen through noise of variance
# $\sigma^2$ bends down more sharply than that of the kernel, whose second derivative is $-1/\sigma^2$.
#
# `score.tweedie_covariance[covariance]` is the covariance of two coordinates $u, v$ with independent noises. It is written as an average over the data
# with weight $\rho$, the kernel divided by $p_\sigma$: this is the average under the posterior. So the whole covariance matrix is
# $\frac{\sigma^2}{\alpha^2}(I + \sigma^2 \nabla\nabla^\top \log p_\sigma)$, where $\nabla\nabla^\top$ is the matrix of second derivatives.
#
# In code: `genmath.score.tweedie_covariance`.

# %%
u0, v0, u, v = variables("u_0 v_0 u v")
pair = Density("p_0", u0, v0)
both = Normal(u, alpha * u0, sigma**2) * Normal(v, alpha * v0, sigma**2)
noisy_pair = define("p_sigma", integral(both * pair(u0, v0), u0, v0))
weight = define("rho", both / noisy_pair)
denoised = define("m", integral(x0 * posterior, x0))


@derivation("Tweedie's formula for the variance")
def tweedie_covariance(d):
    variance = integral((x0 - denoised) ** 2 * posterior, x0)
    d.start(variance, name="variance", words="the variance of the data, given $x$")
    d.equals(integral(x0**2 * posterior, x0) - denoised**2, by="the posterior integrates to one and has mean $m$")
    d.equals(sigma**2 / alpha**2 * (1 + sigma**2 * diff(marginal_score, x)), by="differentiate the log-density twice under the integral")

    d.start(diff(marginal_score, x), name="curvature", words="how sharply the log-density can bend")
    d.equals(alpha**2 / sigma**4 * variance - 1 / sigma**2, by="solve for the second derivative")
    d.at_least(-(1 / sigma**2), by="a variance is not negative", because=alpha**2 / sigma**4 * variance)

    d.start(E(pair(u0, v0), u0 * v0 * weight) - E(pair(u0, v0), u0 * weight) * E(pair(u0, v0), v0 * weight), name="covariance", words="between two coordinates")
    d.equals(sigma**4 / alpha**2 * diff(diff(log(noisy_pair), u), v), by="the mixed derivative; independent noises add nothing to it")


# %% [markdown]
# What can be done with a denoiser? The data below are a few points, so Tweedie's formula can be evaluated exactly. The explorer
# uses it at many levels of noise to move particles from noise to data; other chapters explain its samplers.
#
# {{ explorer path }}
#
# ## Without noise: Hyvärinen's score matching
#
# Can the explicit loss be computed without corrupting the data? Now $p$ is the density of the data themselves, and
# $s^\star = \partial \log p$ its score. Expand the square. The cross term $\mathbb{E}\,[s\, s^\star]$ contains the unknown score, but
# $p\, s^\star = \partial p$, so integration by parts turns it into $-\mathbb{E}\,[s']$. What is left is an average over data of
# things that are known, $s^2 + 2 s'$, and a number without the model. This needs a
# smooth density and a product $p\,s$ that goes to zero at infinity; it is listed as an assumption, since data on an
# interval, or on a surface, break it. `score.hyvarinen[coordinate]` is the same for
# one of several coordinates. Their sum is the squared length of $s$ plus twice its *divergence*, the sum of the derivatives
# of each $s_i$ by its own coordinate.
#
# In code: `genmath.score.hyvarinen_loss`.

# %%
p = Density("p", x, positive=True)
score = define("s_star", diff(log(p(x)), x))
r = Density("p", u, v, positive=True)
s_u, s_v = Function("s_1")(u, v), Function("s_2")(u, v)
r_u, r_v = diff(log(r(u, v)), u), diff(log(r(u, v)), v)


@derivation("Score matching by parts")
def hyvarinen(d):
    d.start(E(p(x), (s(x) - score) ** 2), name="line", words="on the line")
    d.equals(E(p(x), s(x) ** 2 - 2 * s(x) * score) + E(p(x), score**2), by="expand the square")
    d.equals(E(p(x), s(x) ** 2 + 2 * s.prime(x)) + E(p(x), score**2), by="$p$ times its score is $\\partial p$: integrate by parts")

    d.start(E(r(u, v), (s_u - r_u) ** 2), name="coordinate", words="for one of two coordinates")
    d.equals(E(r(u, v), s_u**2 + 2 * diff(s_u, u)) + E(r(u, v), r_u**2), by="the same along one coordinate, the others held")


# %% [markdown]
# **What it means.** No noise, no density, only data and the model's own slope. At the data $s^2$ should be small and $s'$
# negative: short arrows that point from both sides to the data, as at a peak. Why is it not used instead of denoising? The
# divergence costs one backward pass for each coordinate, and where no data are the loss says nothing. Noise helps with both.
#
# ## Sliced score matching { .advanced }
#
# In many dimensions the divergence costs one derivative for each coordinate. Look at the score along a random
# *direction* $w$ instead: one directional derivative is enough, and it comes from one backward pass. Write $s_w = w \cdot s$ for
# the component of $s$ along $w$ and $s_w^\star$ for that of the true score. In the mean square of their difference only the
# mean of the product is unknown, and matters; `score.sliced[cross_term]` turns it into that of $-D_w$, where $D_w$ is the
# derivative of $s_w$ along $w$. So minimise the mean of $s_w^2 + 2 D_w$.
#
# Averaged over standard normal directions this is the full loss *at every point* (`score.sliced[average]`). One random direction
# gives the right value on average, but a noisy one. Let $A$ be the matrix of derivatives of $s$, symmetric, with $a$ and $c$ on
# the diagonal and $b$ beside it. Then $D_w = w^\top A w$ has the trace $a + c$ as
# its mean (`score.sliced[hutchinson]`) and twice the sum of the squared entries of $A$ as its variance (`score.sliced[spread]`).
#
# In code: `genmath.score.sliced_loss`.

# %%
w_1, w_2 = reals("w_1 w_2")
z_1, z_2 = variables("w_1 w_2")
a, b, c = reals("a b c")
directions = (Normal(z_1, 0, 1), Normal(z_2, 0, 1))


def along(first, second, by):
    """The component of a field along a direction."""
    return by[0] * first + by[1] * second


def slope(field, by):
    """The derivative of a field along a direction."""
    return by[0] * diff(field, u) + by[1] * diff(field, v)


@derivation("Sliced score matching")
def sliced(d):
    s_w = define("s_w", along(s_u, s_v, (w_1, w_2)))
    true_w = define("s_star_w", along(r_u, r_v, (w_1, w_2)))
    d.start(E(r(u, v), s_w * true_w), name="cross_term", words="the cross term along a direction")
    d.equals(-E(r(u, v), define("D_w", slope(s_w, (w_1, w_2)))), by="$p$ times $w \\cdot \\nabla\\log p$ is $w \\cdot \\nabla p$: integrate by parts along the direction")

    s_z = define("s_w", along(s_u, s_v, (z_1, z_2)))
    d.start(E(directions, s_z**2 + 2 * define("D_w", slope(s_z, (z_1, z_2)))), name="average", words="averaged over directions")
    d.equals(s_u**2 + s_v**2 + 2 * (diff(s_u, u) + diff(s_v, v)), by="the coordinates of the direction have mean square one and are uncorrelated")

    bend = a * z_1**2 + 2 * b * z_1 * z_2 + c * z_2**2
    d.start(E(directions, bend), name="hutchinson", words="the trace as an average")
    d.equals(a + c, by="the trace: the mixed term averages to zero")
    d.start(E(directions, (bend - (a + c)) ** 2), name="spread", words="the price: its variance")
    d.equals(2 * (a**2 + 2 * b**2 + c**2), by="fourth moments of a normal are 3")


# %% [markdown]
# **What it means.** A random direction stands in for all derivatives, and is right on average. Its price is variance,
# which grows with the squares of the entries: several directions, averaged, bring it down.

# %% [markdown]
# ## Many noise levels at once
#
# {{ picture score.levels }}
#
# Little noise gives a score close to that of the data, but only where data are; much noise gives one everywhere, but of
# a blurred density. So train one network for a ladder of levels. More noise, of variance $\tau^2$, on top of noise of variance
# $\sigma^2$ is again noise, of variance $\sigma^2 + \tau^2$ (`score.noise_levels[nested]`; $p_{\sigma,\tau}$ is the density of
# that noisier data). So each level is a blurred version of the one below.
#
# How should the levels be weighted against each other? The target grows like $1/\sigma$ as the noise shrinks. The weight
# $\sigma^2$ makes the target's mean square one for each coordinate at *every* level (`score.noise_levels[size]`), and turns the loss into a squared error of the
# noise (`score.noise_levels[weight]`): the network's score is $s_\theta$, and its guess of the noise is $-\sigma s_\theta$.
#
# In code: `genmath.score.denoising_loss`, whose default weight is this one.

# %%
tau = positives("tau")
s_theta = mean_vectors("s_theta")
NOISED = define("x", alpha * X0 + sigma * EPS)


@derivation("Scores for every noise level", dims=(1, 2, 3))
def noise_levels(d):
    blurred = define("p_sigma_tau", integral(Normal(y, alpha * x0, sigma**2 + tau**2) * data(x0), x0))
    d.start(integral(Normal(y, x, tau**2) * kernel * data(x0), x, x0), name="nested", words="noise on top of noise")
    d.equals(blurred, by="independent noises add, and so do their variances")

    d.start(E(KERNEL, sigma**2 * norm2(diff(log(KERNEL), X))), name="size", words="the size of the weighted target")
    d.equals(trace(identity), by="the weighted target is the noise, of mean square one in each coordinate")

    d.start(sigma**2 * norm2(s_theta + (NOISED - alpha * X0) / sigma**2), name="weight", words="the weighted loss is an error of the noise")
    d.equals(norm2(EPS + sigma * s_theta), by="$x - \\alpha x_0 = \\sigma\\epsilon$: the weight goes into the square")


# %% [markdown]
# **What it means.** This is the loss on the board. In terms of the noise it is the $L_{\mathrm{simple}}$ of
# [Denoising diffusion](ddpm.py), reached without a chain and without a bound; there $\alpha$ shrinks as $\sigma$ grows, here it may stay 1.
#
# ## Energy-based models { .advanced }
#
# Give the model as an *energy* $U_\theta$, low where data are likely: $p_\theta(x) = \exp(-U_\theta(x))/Z_\theta$ with the normaliser
# $Z_\theta$. Its score by the place is $-\nabla U_\theta$: the normaliser is gone (`score.energy_gradient[place]`), so score matching can train
# it. Maximum likelihood needs the other derivative, by the parameter $\theta$,
# and there the normaliser matters. Let $q$ be the density of the data. The derivative of $\log Z_\theta$ becomes an average over the *model*: lower
# the energy of data, raise that of the model's own samples, until the averages of the energy's derivative over both are equal. To draw these samples one needs Langevin
# dynamics, the next section.
#
# In code: `genmath.score.energy_score` and `genmath.score.contrastive_loss`.

# %%
theta, Z_free = reals("theta"), positives("Z")
U = Function("U")
Z = define("Z_theta", integral(exp(-U(theta, x)), x))
model = define("p_theta", exp(-U(theta, x)) / Z)
any_data = Density("q", x)


@derivation("The two gradients of an energy-based model")
def energy_gradient(d):
    d.start(diff(log(exp(-U(theta, x)) / Z_free), x), name="place", words="by the place")
    d.equals(-diff(U(theta, x), x), by="the normaliser does not depend on the place")

    d.start(diff(E(any_data(x), -log(model)), theta), name="likelihood", words="by the parameter")
    d.equals(E(any_data(x), diff(U(theta, x), theta)) + diff(log(Z), theta), by="minus the log-density is the energy plus $\\log Z$")
    d.equals(E(any_data(x), diff(U(theta, x), theta)) - integral(model * diff(U(theta, x), theta), x),
             by="$\\partial \\log Z$ is minus the mean of $\\partial U$ under the model")


# %% [markdown]
# **What it means.** By the place, the unknown constant drops out, so Langevin steps and score matching never meet it.
# By the parameter it does not: the energy of the data is lowered and that of the model's own samples raised, and
# these have to be drawn.

# %% [markdown]
# ## Langevin dynamics
#
# Why not simply climb? A walker that only follows the arrows ends on a peak, and all walkers end on few points: that is
# optimisation, and no sampling. Noise has to push them off again, just so much that the peaks are as crowded as $p$ says.
#
# Take a step along the score and add noise, $x \leftarrow x + h\,\nabla\log p(x) + \sqrt{2h}\,z$ with standard normal $z$. The first
# part is called the *drift*. In the limit of small steps $h$ the density $p$ stays as it is. There are two ways to see it; $s^\star = \partial \log p$
# is the score on the line.
#
# - `score.langevin[flux]`: the drift carries the mass $p\, s^\star$ uphill, and noise carries $\partial p$ downhill, from crowded places to
#   empty ones. The two are equal *at every point*, so nothing flows.
# - `score.langevin[generator]`: take any smooth function $f$ and expand it at $x$ to second order (Taylor). The drift changes its mean by
#   the average of $h f' s^\star$. The noise has mean zero, so only its square counts: it gives $\tfrac12 f''$ times the variance
#   $2h$. Together this is $h$ times the average of $f' s^\star + f''$, and that is zero.
#
# This is why the noise is $\sqrt{2h}$ and not $\sqrt{h}$. (With drift $\tfrac h2 \nabla \log p$ it is $\sqrt h$.)
#
# In code: `genmath.score.langevin_step`.


# %%
@derivation("Langevin dynamics leaves the density as it is")
def langevin(d):
    d.start(p(x) * score - diff(p(x), x), name="flux", words="nothing flows")
    d.equals(0, by="$p$ times the derivative of $\\log p$ is the derivative of $p$")

    change = E(p(x), f.prime(x) * score + diff(f.prime(x), x))
    d.start(change, name="generator", words="no mean changes")
    d.equals(integral(f.prime(x) * diff(p(x), x) + diff(f.prime(x), x) * p(x), x), by="$p$ times its score is $\\partial p$")
    d.equals(0, by="the integrand is the derivative of $f' p$")
    d.slip(
        "classic-langevin-step",
        wrong=equal(E(p(x), f.prime(x) * score + diff(f.prime(x), x) / 2), 0),
        right=equal(change, 0),
        source="a common slip, no single source",
        why="A step of h∇log p needs noise √(2h) z, or h/2 needs √h z. Here the noise is too weak for the step, and what settles is too "
        "narrow: p² up to its normaliser.",
    )


# %% [markdown]
# **What it means.** Uphill drift and noise balance for one density only, and to keep this balance one needs nothing but its score. On the
# board the score is the network's, and $h$ is called $\eta$. Papers often write $\epsilon$ or $\epsilon/2$ for $h$: look at
# the noise to see which step is meant.
#
# ## A step of finite size { .advanced }
#
# {{ picture score.bias }}
#
# A step of finite size is not exact. How large is the error? For a normal target with mean $\mu$ and variance $\sigma^2$ there is a
# formula. Write the step as $h = 2c\sigma^2$ with $0 < c < 1$. After $k$ steps let the walkers be normal with mean $m_k$ and variance
# $v_k$. Then they are normal after the next step, too (`score.langevin_bias[step]`): the difference of the mean and $\mu$ is multiplied by $1 - 2c$, and
# the variance becomes $v_{k+1} = (1 - 2c)^2 v_k + 2h$. One normal density stays as it is
# (`score.langevin_bias[fixed]`): it has the right mean, and a variance $v_h = \sigma^2/(1 - c)$ that is *too large*. In terms of the
# step that is an error of $h/2$ to first order (`score.langevin_bias[bias]`), and more steps do not help: smaller ones do. What removes it is a
# *Metropolis correction*, a rule that rejects some of the steps. At $c \ge 1$, a step of $2\sigma^2$ or more, the variance grows without end. The distance to the
# variance $v_h$ shrinks by $(1 - 2c)^2$ (`score.langevin_bias[contraction]`). For a small $c$ this is close to 1, so a small error costs many steps.
#
# !!! example "By hand"
#
#     $\sigma = 1$ and $h = 0.2$, so $c = 0.1$. The variance that stays is $1/0.9 \approx 1.111$, too large by $0.111$; the
#     first-order rule says $h/2 = 0.1$. Check: a step multiplies $x$ by $1 - 2c = 0.8$, so the variance by $0.64$, and adds
#     noise of variance $2h = 0.4$: $0.64 \cdot 1.111 + 0.4 \approx 1.111$.
#
# In code: `genmath.score.langevin_variance`.

# %%
after = variables("x_{k+1}")
step = fractions("c")
h = define("h", 2 * step * sigma**2)
mu, m_k = reals("mu m_k")
v_k = positives("v_k")
v_h = define("v_h", sigma**2 / (1 - step))
v_next = define("v_{k+1}", (1 - 2 * step) ** 2 * v_k + 2 * h)
target_score = diff(log(Normal(x, mu, sigma**2)), x)


@derivation("The bias of a Langevin step, for a normal target")
def langevin_bias(d):
    move = Normal(after, x + h * target_score, 2 * h)
    d.start(integral(move * Normal(x, m_k, v_k), x), name="step", words="one step")
    d.equals(Normal(after, mu + (1 - 2 * step) * (m_k - mu), v_next), by="the score is $-(x - \\mu)/\\sigma^2$: a linear map and independent noise")

    d.start(integral(move * Normal(x, mu, v_h), x), name="fixed", words="the law that stays")
    d.equals(Normal(after, mu, v_h), by="solve $v = (1 - 2c)^2 v + 4c\\sigma^2$")

    d.start(v_next - v_h, name="contraction", words="how fast it is approached")
    d.equals((1 - 2 * step) ** 2 * (v_k - v_h), by="subtract the equation of the variance that stays")

    d.start(v_h - sigma**2, name="bias", words="how wrong it is")
    d.equals(h / 2 / (1 - step), by="put both over $1 - c$, and use $h = 2c\\sigma^2$")
    d.at_least(h / 2, by="$1/(1 - c) \\ge 1$", because=h * step / (2 * (1 - step)))


# %% [markdown]
# **What it means.** Steps of finite size settle at a density that is too wide, by at least half a step in variance,
# however long they run. Patience does not help, smaller steps do.

# %% [markdown]
# ## Annealing
#
# {{ picture score.walk }}
#
# If two peaks are far apart, a walker hardly ever crosses the gap between them: so plain Langevin steps do not find out how much
# weight each peak should have. *Annealing* helps: run Langevin dynamics at the largest noise first, then at each smaller one,
# starting where the last stopped. Where the noise is large the peaks run together and walkers pass freely from one to the other, so
# the right number of them comes to each. As the noise shrinks the peaks separate, and each walker stays at its peak. (More under
# *What the score does not see*.)
#
# How large should a step be at each level? Let it be $h = 2c\sigma^2$, in proportion to the variance of the level, with one number
# $c$ for all levels. For the kernel around one data point the score has size
# $1/\sigma$ in each coordinate, so the mean square of the drift is $c$ times that of the noise (`score.annealed_steps[balance]`): the same at every level. The
# *relative* error of the variance is the same, too: the variance is too large by the factor $1/(1-c)$ of `score.langevin_bias`. A step of one size for all would be too large at
# the smallest noise or too small at the largest.
#
# In code: `genmath.score.geometric_levels` and `genmath.score.annealed_langevin`, which is `genmath.samplers.Langevin` with
# `annealed=True`.


# %%
@derivation("Steps in proportion to the variance", dims=(1, 2, 3))
def annealed_steps(d):
    d.start(E(KERNEL, norm2(h * diff(log(KERNEL), X))), name="balance", words="drift against noise")
    d.equals(step * (2 * h * trace(identity)), by="the kernel's score has mean square $d/\\sigma^2$, and $h^2/\\sigma^2 = 2hc$")


# %% [markdown]
# **What it means.** Steps in proportion to the variance keep drift and noise in the same ratio at every level: no
# level drowns, none is rushed through.

# %% [markdown]
# ## What the score does not see
#
# {{ picture score.blind }}
#
# The score is a *local* thing. Take a mixture $p_w$ of two narrow bumps, normal densities with means $-m$ and $m$; the second has the weight $w$.
# Given $x$, the second bump has the probability $r$ (Bayes' rule, `score.mixture_score[share]`), and the score of $p_w$ is the average of the two bumps' scores,
# weighted by $1 - r$ and $r$ (`score.mixture_score[mixture]`). As a function of $x$ this $r$ is a steep sigmoid, a smooth step from 0 to 1: near a bump only that
# bump counts, and *how much weight each bump has* is visible only between them, where there are no data.

# %%
m, w = positives("m"), fractions("w")
bump_a, bump_b = Normal(x, -m, sigma**2), Normal(x, m, sigma**2)
uneven = define("p_w", (1 - w) * bump_a + w * bump_b)
share = define("r", sigmoid(log(w / (1 - w)) + 2 * m * x / sigma**2))


@derivation("The score of a mixture of two")
def mixture_score(d):
    d.start(w * bump_b / uneven, name="share", words="the share of the second bump")
    d.equals(share, by="divide by the numerator; the quadratic terms cancel")

    d.start(diff(log(uneven), x), name="mixture", words="the score")
    d.equals((1 - share) * (-m - x) / sigma**2 + share * (m - x) / sigma**2, by="each bump's own score, weighed by its share")
    d.equals((m * (2 * share - 1) - x) / sigma**2, by="collect")

    d.start(integral(Normal(y, x, tau**2) * uneven, x), name="noised", words="after more noise")
    d.equals((1 - w) * Normal(y, -m, sigma**2 + tau**2) + w * Normal(y, m, sigma**2 + tau**2), by="noise widens each bump and keeps the weights")


# %% [markdown]
# How little does the loss say about the weights? Measure lengths in units of the bumps' width, so that $\sigma = 1$. Let the data $p$ have equal
# weights, and let the model $p_w$ be exact except for the weight $w$: its mean is wrong by $(2w - 1) m$. Both mixtures have a common factor $g$,
# which is $\exp(-m^2/2)$ times the standard normal density. The other factor is a weighted sum of $e^{-u}$ and $e^{u}$ with $u = mx$: with
# equal weights it is $c$ (the hyperbolic cosine of $u$), with the weights of the model it is $c_w$. So the two scores differ by
#
# {{ define score.delta }}
#
# which is bounded, and large only around the midpoint $x = 0$: elsewhere $c$ and $c_w$ are huge. The mean of $\delta^2$ will contain the factor
# $h = 1/(c\, c_w^2)$ (here $h$ and $c$ have nothing to do with a step). `score.score_difference[bound]` says that this factor is at most the number $b = 1/(4w(1 - w))$.

# %%
near, far = Normal(x, -m, 1), Normal(x, m, 1)
fair = define("p", near / 2 + far / 2)
tilted = define("p_w", (1 - w) * near + w * far)
lift = define("u", m * x)
midpoint = Normal(x, 0, 1)
overlap = define("g", exp(-(m**2) / 2) * midpoint)
cosh = define("c", (exp(-lift) + exp(lift)) / 2)
cosh_w = define("c_w", (1 - w) * exp(-lift) + w * exp(lift))
most = define("b", 1 / (4 * w * (1 - w)))
between = define("h", 1 / (cosh * cosh_w**2))
delta = define("delta", (1 - 2 * w) * m / (cosh * cosh_w))


@derivation("Where two mixtures have different scores")
def score_difference(d):
    d.start(integral(x * tilted, x), name="mean", words="the mean of the wrong model")
    d.equals((2 * w - 1) * m, by="the mean of a mixture is the mixture of the means")

    d.start(fair, name="fair", words="the data")
    d.equals(overlap * cosh, by="$(x \\pm m)^2 = x^2 + m^2 \\pm 2mx$")
    d.start(tilted, name="tilted", words="the model")
    d.equals(overlap * cosh_w, by="the same with weights")

    d.start(diff(log(fair), x) - diff(log(tilted), x), name="difference", words="the difference of the scores")
    d.equals(delta, by="$2m$ times the difference of the shares")

    d.start(between, name="bound", words="a bound")
    d.equals(1 / (cosh * cosh_w**2), by="this is what $h$ stands for")
    d.at_most(1 / cosh_w**2, by="the hyperbolic cosine is at least one", because=(exp(-lift / 2) - exp(lift / 2)) ** 2 / (2 * cosh * cosh_w**2))
    d.at_most(most, by="$(a + b)^2 \\ge 4ab$, and the two exponentials are reciprocal",
              because=((1 - w) * exp(-lift) - w * exp(lift)) ** 2 / (4 * w * (1 - w) * cosh_w**2))


# %% [markdown]
# There are hardly any data around the midpoint. So the explicit loss of the wrong model, the mean of $\delta^2$ over the data, is
# *exponentially small* in the squared distance of the bumps: `score.blind_spot` bounds it by $K b$, where
# $K = ((1 - 2w) m)^2 e^{-m^2/2}$. Infinitely many data do not change this.
#
# !!! example "By hand"
#
#     Bumps at $\pm 4$ and $w = 0.1$: the model gives the right bump a tenth of the weight, where the data give it a half. The bound is
#     $(0.8 \cdot 4)^2 e^{-8} / (4 \cdot 0.1 \cdot 0.9) \approx 0.0095$. The explicit loss itself, in the caption of the picture, is $0.0011$; that
#     of the right model is 0. A training curve cannot show such a difference.
#
# Noise cures it. With noise of variance $\tau^2$ the bumps have variance $\sigma^2 + \tau^2$ and the old weights
# (`score.mixture_score[noised]`). If $\tau$ is as large as $m$ they overlap, so there are data between them, and the weight can be seen. This is the reason
# for a ladder of noise levels, and for annealing.


# %%
@derivation("The weight of far modes is invisible to score matching")
def blind_spot(d):
    scale = define("K", ((1 - 2 * w) * m) ** 2 * exp(-(m**2) / 2))
    d.start((E(near, delta**2) + E(far, delta**2)) / 2)
    d.equals(scale * E(midpoint, between), by="the data's density is $gc$, which cancels one $c$")
    d.at_most(scale * most, by="`score.score_difference`", because=(scale * E(midpoint, most - between), score_difference["bound"]()))


# %% [markdown]
# **What it means.** A model may have a nearly perfect score and give 90 % of its weight to what should have 50 %. Where
# the weights matter, samples have to be counted; the loss does not show it. It is also why a plain Langevin
# chain, even with the exact score, keeps for very long the weights with which it began.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - The score $\nabla\log p$ points uphill and needs no normaliser.
#     - Given the data point, the score of a noisy sample is $-\epsilon/\sigma$ (`score.kernel_score`).
#     - Regression on that target learns the score of the *noisy* density, up to a constant of the loss
#       (`score.denoising`): guess the noise, divide by $-\sigma$ (`score.eps_optimum`).
#     - Tweedie: $\mathbb{E}[x_0 \mid x] = (x + \sigma^2 \nabla\log p_\sigma(x))/\alpha$ (`score.tweedie`).
#     - Langevin: $x \leftarrow x + h \nabla\log p(x) + \sqrt{2h}\, z$ keeps $p$ (`score.langevin`).
#     - The score of clean data does not see the weights of far modes (peaks of the density; `score.blind_spot`): hence many noise levels, from
#       large to small.
#
# ## Questions
#
# ??? question "Why learn the score, and not the density?"
#
#     A density must integrate to one. For a flexible function this needs an integral over all images. Any smooth
#     function may be tried as a score: a normaliser only adds a constant to $\log p$, and a constant has slope zero.
#
# ??? question "The density is normal with mean 3 and variance 4. What is its score at 5, and what does it say?"
#
#     $-(5 - 3)/4 = -\tfrac12$: to the left, back to the mean. At 3 it is zero.
#
# ??? question "Your denoising loss has stopped at 0.3. Is the model good?"
#
#     The number does not tell. The loss is the explicit loss plus an unknown $C$ (`score.denoising`). Two models with
#     the same noise may be compared, since $C$ is the same for both.
#
# ??? question "Why is the squared error of the score multiplied by $\sigma^2$ in the loss?"
#
#     The target $-\epsilon/\sigma$ is huge at small noise, and those levels would dominate the sum. With the weight the target has
#     mean square one at every level (`score.noise_levels[size]`).
#
# ??? question "Somebody leaves out the noise of the Langevin step. What are the samples?"
#
#     The walkers climb, and stop where the score is zero: at the peaks. With noise $\sqrt{h}$ in place of $\sqrt{2h}$ they
#     crowd too closely around the peaks: the density that is kept is $p^2$, normalised.
#
# ??? question "Does Tweedie's formula return a sample of the data?"
#
#     No, an average of the data that may have led to $x$. Between two faces it is a blurred face. It is close to a
#     sample only where the noise is so small that only one data point can have led to $x$.
#
# {{ spot acids-dsm-sign among score.tweedie score.kernel_score[noise] }}
#
# ## What these results do not say
#
# - **They are about the density of the *noisy* data.** A denoising loss teaches the score of $p_\sigma$, not that of the
#   data. For data on a surface, or a finite set of samples, the clean score does not exist. The perfect denoiser of a finite
#   training set returns averages of training samples, and with less and less noise the training samples themselves: nothing new.
# - **The optimum is over all functions.** A network is from a family, is trained by few gradient steps and on finite
#   data. It need not even be the gradient of anything: a field with the components $s_1, s_2$ and
#   $\partial_u s_2 \ne \partial_v s_1$ is no score.
# - **A mean over data is blind where there are no data.** `score.blind_spot` bounds a loss by an exponentially small number for
#   a model that is plainly wrong; a loss near its minimum is no evidence about far modes. The other way round, the loss's value
#   alone says nothing, since the smallest possible loss, the $C$ of `score.denoising`, is unknown.
# - **Boundary terms vanish by assumption.** Score matching by parts needs $p\,s \to 0$ at infinity and a smooth $p$. Pixels
#   in $[0, 1]$, an exponential density or a uniform one break it: a term at the border remains.
# - **To keep a density is not to reach it fast.** `score.langevin` says that $p$, once reached, is kept. How long it takes to reach it is another
#   matter: between two far modes it is exponentially long in practice, for the same reason as in `score.blind_spot`. And
#   the first-order statement is for small steps; the formula for the error of a step is for a normal target only.
# - **Annealing is a recipe.** Nothing here says how many levels or steps are enough.
# - **Statements for one coordinate** hold term by term for a sum over coordinates, with the other coordinates held. The
#   `label` of each result says what was checked.

# %% [markdown]
# ## Where sources slip
#
# Every item below is recorded beside the result that it breaks; the checker refutes the published form with a
# counterexample and proves the corrected one.
#
# - `score.kernel_score`: the sign of the kernel's score (`acids-dsm-sign`), the derivative by the clean variable instead of
#   the noisy one (`pml2-dsm-gradient-variable`), a score matched with the wrong sign (`lebellig-sm-sign`); and two false
#   alarms, `fa-acids-5` and `fa-scoresde-26`, where the reported code was right.
# - `score.eps_optimum`: the conditional score written for the marginal one (`notes-score-marginal`).
# - `score.langevin`: noise of size $\sqrt h$ with a drift of size $h$ (`classic-langevin-step`).
#
# Every item on our list for this chapter could be written as a claim, so all of them are here.

# %% [markdown]
# ## References
#
# - [@hyvarinen2005estimation]: score matching by parts (theorem 1).
# - [@vincent2011connection]: denoising score matching and its constant (section 4.2 and the appendix), the link to denoising autoencoders.
# - [@song2019sliced]: sliced score matching (section 3).
# - [@efron2011tweedie]: Tweedie's formula, its history and its use; the formula itself is in [@robbins1956empirical]. For the second order:
#   [@meng2021estimating].
# - [@song2019generative]: noise-conditional scores, the weight $\sigma^2$ (section 4.2), annealed Langevin dynamics (algorithm 1) and the
#   argument on separated modes (section 3.2).
# - [@song2020improved]: how to choose the levels and the step (techniques 1, 2 and 4).
# - [@roberts1996exponential]: Langevin dynamics, when it converges and when a discretised one does not.
# - [@lecun2006tutorial]: energy-based models; their gradient as data minus model is in [@hinton2002training] (section 2).
# - [@wenliang2020blindness]: the blindness of score-based methods to the weights of isolated components.
