# %% [markdown]
# # Score matching
#
# A density that can be evaluated needs a normaliser, and for a flexible model the normaliser is an integral that
# nobody can compute. The *score* $\nabla \log p$, the direction in which the log-density rises, does not see the
# normaliser at all: a constant factor of $p$ is a constant summand of $\log p$, and has no slope. Can the score be
# learned from samples alone, although samples show neither $p$ nor its slope? And once we have it, can we draw from
# $p$ with nothing but this field of arrows?
#
# **The answer in a line:** add noise and learn to guess the noise; the best guess is minus sigma times the score of
# the *noisy* density, and small steps along the score plus fresh noise leave that density as it is.
#
# {{ picture score.question }}
#
# !!! board "On the board"
#
#     Train a network to undo noise, at every noise level $\sigma$:
#
#     {{ define score.dsm_loss }}
#
#     At its best it knows the score of the noisy density $p_\sigma$, and with it where the data are on average:
#
#     {{ score.tweedie }}
#
#     Sample with steps uphill and fresh noise $z$ (*Langevin dynamics*):
#
#     {{ define score.walk }}
#
#     $x_0$ is a data point and $\epsilon$ standard normal noise; $x = \alpha x_0 + \sigma\epsilon$ is what the
#     network $s_\theta$ sees, often with $\alpha = 1$. $p_0$ is the density of the data, and $p_\sigma(x_0 \mid x)$ that
#     of the data once $x$ is known (Bayes' rule). $\eta$ is the size of a step, $z$ standard normal.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Draw data $x_0$, noise $\epsilon$, and for each sample a level $\sigma$ from a ladder:
#        `genmath.score.geometric_levels`.
#     2. Add the noise: $x = \alpha x_0 + \sigma\epsilon$.
#     3. Take a gradient step on the mean of $\|\sigma s_\theta(x, \sigma) + \epsilon\|^2$:
#        `genmath.score.denoising_loss` does 2 and 3.
#
# !!! sample "Sample"
#
#     1. Draw $x$ from a wide normal, and take the largest $\sigma$.
#     2. Some steps of `genmath.score.langevin_step` with $\eta$ in proportion to $\sigma^2$; then the next smaller
#        $\sigma$, and so on: `genmath.score.annealed_langevin` is the loop.
#     3. Take the last noise out: `genmath.score.tweedie`.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - $x_0$ is data with any density $p_0(x_0)$, which may vanish in places. $x = \alpha x_0 + \sigma\epsilon$ is data
#   seen through noise, with $\alpha, \sigma > 0$ and $\epsilon$ standard normal: the *kernel* of $x$ given $x_0$ is
#   normal with mean $\alpha x_0$ and variance $\sigma^2$. Papers on score matching take $\alpha = 1$, so noise is only
#   added; with $\alpha = \sqrt{\bar\alpha_t}$, $\sigma = \sqrt{1 - \bar\alpha_t}$ it is the kernel of
#   `ddpm.forward_marginal`.
# - $p_\sigma(x)$ is the density of the noisy $x$, the average of the kernel over the data. It is positive and smooth
#   whatever $p_0$ is. $p_\sigma(x_0 \mid x)$ is what Bayes' rule makes of kernel and data.
# - *Score* means the derivative of a log-density by the place $x$. (Statistics uses the word for the derivative by
#   a parameter: `vae.score_function_gradient` is that other one.) $s$ is any smooth function, the model of a score.
# - Statements about an arbitrary density are written for one coordinate, or for two where coordinates meet; for
#   a sum over coordinates they hold term by term. Statements about normal densities are for vectors, checked for
#   $d \le 3$.
# - $u$ and $v$, where a random direction occurs, are its two coordinates.

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
# One sample of data and one of noise: the log-density of $x$ given $x_0$ is a parabola, its slope points *back* to where
# $x$ came from, and is the noise itself up to $-1/\sigma$. It does not depend on the data distribution, which is why it
# can serve as a training target. `score.kernel_score[any]` is the same for any covariance.
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
        why="the derivative is by the noisy variable; by the clean one it has another sign and a factor alpha",
    )
    s_t = mean_vectors("s_t")
    d.slip(
        "lebellig-sm-sign",
        wrong=equal(norm2(s_t - diff(log(KERNEL), X)), norm2(s_t - (X - alpha * X0) / sigma**2)),
        right=equal(norm2(s_t - diff(log(KERNEL), X)), norm2(s_t + (X - alpha * X0) / sigma**2)),
        source="lebellig/flow-matching issue #2 (typo confirmed; Eq. 43)",
        why="minus the score is plus the displacement over the variance",
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
# **What it means.** A noisy sample whose noise is known is worth an arrow: back to where it came from, the longer
# the less noise there is.
#
# ## Denoising instead of matching
#
# {{ picture score.target }}
#
# We want $s(x)$ to match the score of the density of $x$, the *marginal* score: that is explicit score matching, with loss $J$.
# Nobody can evaluate that score. The score of $x$ *given* $x_0$ can be evaluated, and to match it on average is the same task: the
# two losses differ by a number $C$ that contains no model. Nothing here is normal: $q(x, x_0)$ is any positive joint density, so
# any way of corrupting data will do.
#
# $C$ is the mean squared distance between the conditional and the marginal score, the part
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
# **What it means.** Training pairs $(x, x_0)$ are free, so the score of *noisy* data can be learned by plain regression.
# But **a denoising loss at its optimum is not zero**, and its value says nothing about how good the model is as long as
# $C$ is not known.
#
# ## What a network that guesses the noise learns
#
# Squared error has one best answer: the mean of what is to be guessed, *given what is seen*. This is general: the
# target $y$ and the guess $g$ may be anything. The network never sees $x_0$, so it cannot return $\epsilon$; what it
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
#     with noise $-1$, or from $-1$ with noise $3$. The kernel's densities are as $e^{-1/2}$ to $e^{-9/2}$, so the
#     probabilities are $0.982$ and $0.018$. The best guess of the noise is $0.982 \cdot (-1) + 0.018 \cdot 3 \approx -0.928$. No
#     noise that occurs has this value.
#
# And this average is, up to $-\sigma$, the score of the *noisy marginal*. Here the density of the data is arbitrary again.
# Most sources jump from `score.kernel_score` to this line by writing $\epsilon$ where its conditional mean belongs. They are
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
        why="only the score given x₀ is −ε/σ (σ is √(1 − ᾱ) there); the marginal score is its conditional mean",
    )


# %% [markdown]
# **What it means.** DDPM's noise network *is* a score network: $s_\theta = -\epsilon_\theta/\sigma$. The two communities
# trained the same function under two names.
#
# ## Tweedie's formula
#
# {{ picture score.denoiser }}
#
# Solve $x = \alpha x_0 + \sigma\epsilon$ for the data: the same conditional mean tells where the data are, on average. The best
# denoiser walks from $x$ along the score, by the variance of the noise. This is an old formula of empirical Bayes: it needs the density of the *observations* only.
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
# The next derivative tells. Where the log-density is flat the variance is
# $\sigma^2/\alpha^2$, that of the noise alone; where it is curved downwards the data are better known than that. Since a
# variance is not negative, **noise bounds the curvature**: no density seen through noise of variance
# $\sigma^2$ bends down more sharply than the kernel does.
#
# `score.tweedie_covariance[covariance]` is the entry off the diagonal, for two coordinates $u, v$ with their own noises. It is written as an average over the data
# with weight $\rho$, the kernel over $p_\sigma$, which is the average under the posterior. With it the whole covariance matrix is
# $\frac{\sigma^2}{\alpha^2}(I + \sigma^2 \nabla\nabla^\top \log p_\sigma)$.
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
# {{ explorer path }}
#
# ## Without noise: Hyvärinen's score matching
#
# Can the explicit loss be computed without corrupting the data? Integrate the cross term by parts: the unknown score
# moves onto the model as a derivative, and what is left is an average over data of things that are known. This wants a
# smooth density and a product $p\,s$ that vanishes at infinity; the page lists it as an assumption, since data on an
# interval, or on a surface, break it. `score.hyvarinen[coordinate]` is the same for
# one of several coordinates; their sum has the squared length of the model and twice its divergence.
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
# **What it means.** No noise, no density, only data and the model's own slope: the model should be flat at the data and
# fall there. Why is it not used instead of denoising? The divergence costs one backward pass for each coordinate, and
# where no data are the loss says nothing. Noise mends both.
#
# ## Sliced score matching { .advanced }
#
# In many dimensions the divergence costs one derivative for each coordinate. Look at the score along a random
# *direction* $w$ instead: one directional derivative is enough, and it comes from one backward pass. Write $s_w$ for
# the component of $s$ along $w$ and $s_w^\star$ for that of the true score. In the square of their difference only the
# product is unknown; `score.sliced[cross_term]` turns it into $D_w$, the derivative of $s_w$ along $w$. So minimise the mean of
# $s_w^2 + 2 D_w$.
#
# Averaged over standard normal directions this is the full loss *at every point* (`score.sliced[average]`). It is unbiased but noisy:
# for a symmetric Jacobian $A$, with the entries $a, b, c$ here, the directional derivative $w^\top A w$ has the trace as
# its mean (`score.sliced[hutchinson]`) and twice the sum of squares of $A$ as its variance (`score.sliced[spread]`).
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
# ## Many noise levels at once
#
# {{ picture score.levels }}
#
# Little noise gives a score close to that of the data, but only where data are; much noise gives one everywhere, but of
# a blurred density. So train one network for a ladder of levels. More noise on top of noise is again noise of a larger
# variance (`score.noise_levels[nested]`), so the levels are one family.
#
# How should they be weighed against each other? The target grows like $1/\sigma$ as the noise shrinks. The weight
# $\sigma^2$ makes the target's mean square one for each coordinate at *every* level (`score.noise_levels[size]`), and turns the loss into a squared error of the
# noise (`score.noise_levels[weight]`), where the network's score is $s$ and its guess of the noise $-\sigma s$.
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
# Give the model as an *energy*, $p_\theta(x) = \exp(-U_\theta(x))/Z_\theta$. Its score by the place is $-\nabla U$: the
# normaliser is gone (`score.energy_gradient[place]`), and score matching trains it. Maximum likelihood needs the other derivative, by the parameter,
# and there the normaliser matters. It becomes an average over the *model*: lower the energy of data, raise that of the
# model's own samples, until both pull alike. These samples are what Langevin dynamics is for.
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
# ## Langevin dynamics
#
# Why not simply climb? A walker that only follows the arrows ends on a peak, and all walkers end on few points: that is
# optimisation, and no sampling. Noise has to push them off again, just so much that the peaks are as crowded as $p$ says.
#
# Take a step along the score and add noise, $x \leftarrow x + h\,\nabla\log p(x) + \sqrt{2h}\,z$. In the limit of small
# steps $h$ the density $p$ stays as it is. Two ways to see it. `score.langevin[flux]`: what drifts uphill and what diffuses down are equal *at every
# point*, so nothing flows. `score.langevin[generator]`: to first order in $h$ the mean of any function $f$ changes by $h$ times
# the average of $f' s^\star + f''$, and that is zero. The drift gives the first part, half the noise's variance, $\tfrac12 \cdot 2h$, the
# second: which is why the noise is $\sqrt{2h}$ and not $\sqrt{h}$. (With drift $\tfrac h2 \nabla \log p$ it is $\sqrt h$.)
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
        why="the step h∇log p with noise √h z: either h with √(2h), or h/2 with √h. As written p is not stationary: the "
        "law that is left is colder, p² up to its normaliser",
    )


# %% [markdown]
# **What it means.** Drift and noise balance for one density only, and the balance needs nothing but its score. On the
# board the score is the network's, and $h$ is called $\eta$. Papers often write $\epsilon$ or $\epsilon/2$ for $h$: look at
# the noise to see which step is meant.
#
# ## A step of finite size { .advanced }
#
# {{ picture score.bias }}
#
# A step of finite size is not exact. How large is the error? For a normal target the answer is closed. Write the step as
# $h = 2c\sigma^2$ with $0 < c < 1$. Then the law stays normal (`score.langevin_bias[step]`), contracts by $1 - 2c$ in each step, and has a fixed
# point (`score.langevin_bias[fixed]`): normal, with the right mean and a variance that is *too large*, by the factor $1/(1 - c)$. In terms of the
# step that is an error of $h/2$ to first order (`score.langevin_bias[bias]`), and no number of steps removes it: smaller steps do, or a
# Metropolis correction. At $c \ge 1$, a step above $2\sigma^2$, the iteration diverges. The distance to the
# fixed variance shrinks by $(1 - 2c)^2$ (`score.langevin_bias[contraction]`), so a small bias costs many steps.
#
# !!! example "By hand"
#
#     $\sigma = 1$ and $h = 0.2$, so $c = 0.1$. The variance that stays is $1/0.9 \approx 1.111$, too large by $0.111$; the
#     first-order rule says $h/2 = 0.1$. Check: a step multiplies by $0.8$ and adds $0.4$, and
#     $0.64 \cdot 1.111 + 0.4 \approx 1.111$.
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
    d.equals((1 - 2 * step) ** 2 * (v_k - v_h), by="subtract the equation of the fixed point")

    d.start(v_h - sigma**2, name="bias", words="how wrong it is")
    d.equals(h / 2 / (1 - step), by="one fraction, in terms of $h = 2c\\sigma^2$")
    d.at_least(h / 2, by="$1/(1 - c) \\ge 1$", because=h * step / (2 * (1 - step)))


# %% [markdown]
# ## Annealing
#
# {{ picture score.walk }}
#
# Run Langevin dynamics at the largest noise first, then at each smaller one, starting where the last stopped. Where the
# noise is large the peaks run together, walkers pass freely, and sort themselves by weight; as it shrinks they stay in
# their valleys, already in the right numbers. (Why this is needed is said under
# *What the score does not see*.) How large a step at each
# level? Let it be $h = 2c\sigma^2$, in proportion to the variance of the level. Around a sample of data the score has size
# $1/\sigma$, so the mean square of the drift is $c$ times that of the noise (`score.annealed_steps[balance]`): the same at every level. The
# *relative* bias is the same, too, $1/(1-c)$ in `score.langevin_bias`. A step of one size for all would be too large at
# the bottom of the ladder or too small at the top.
#
# In code: `genmath.score.geometric_levels` and `genmath.score.annealed_langevin`, which is `genmath.samplers.Langevin` with
# `annealed=True`.


# %%
@derivation("Steps in proportion to the variance", dims=(1, 2, 3))
def annealed_steps(d):
    d.start(E(KERNEL, norm2(h * diff(log(KERNEL), X))), name="balance", words="drift against noise")
    d.equals(step * (2 * h * trace(identity)), by="the kernel's score has mean square $d/\\sigma^2$, and $h^2/\\sigma^2 = 2hc$")


# %% [markdown]
# ## What the score does not see
#
# {{ picture score.blind }}
#
# The score is a *local* thing. Take a mixture of two narrow bumps at $-m$ and $m$, the second with weight $w$. Its score is the average of the two bumps' scores, weighed by
# how likely each bump is given $x$ (`score.mixture_score[mixture]`), and that likelihood is a steep sigmoid: near a bump only that
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
# How little of the weight can be learned? Measure lengths in units of the bumps' width. Let the data have equal weights,
# and let the model be exact but for the weight $w$: its mean is off by $(2w - 1) m$. Both mixtures are $g$, the overlap
# $\exp(-m^2/2)$ times the normal density at the midpoint, times a sum of two exponentials; so the two scores differ by a bounded function
# that is large only around the midpoint.

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
# There are hardly any data around the midpoint. The explicit loss of the wrong model, with infinitely many data and a
# perfect fit everywhere else, is *exponentially small* in the squared distance of the bumps.
#
# !!! example "By hand"
#
#     Bumps at $\pm 4$ and $w = 0.1$: the model gives its right bump a fifth of the weight that it has. The bound is
#     $(0.8 \cdot 4)^2 e^{-8} / (4 \cdot 0.1 \cdot 0.9) \approx 0.0095$. The true excess, in the picture, is $0.0011$. A training
#     curve cannot show it.
#
# Noise cures it. With noise of variance $\tau^2$ the bumps have variance $\sigma^2 + \tau^2$ and the old weights
# (`score.mixture_score[noised]`); in units of their new width they are close together, and the weight can be seen. This is the reason
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
#     - The score of clean data does not see the weights of far modes (`score.blind_spot`): hence many noise levels, from
#       large to small.
#
# ## Questions
#
# ??? question "Why learn the score, and not the density?"
#
#     A density must integrate to one, and to make a flexible function do so is an integral over all images. Any smooth
#     function may be tried as a score: a normaliser is a constant summand of $\log p$ and has slope zero.
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
# ??? question "Why does the weight $\sigma^2$ stand in the loss?"
#
#     The target $-\epsilon/\sigma$ is huge at small noise, and those levels would rule the sum. With the weight the target has
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
#     sample only where the noise is so small that one data point is meant.
#
# {{ spot acids-dsm-sign among score.tweedie score.kernel_score[noise] }}
#
# ## What these results do not say
#
# - **They are about the density of the *noisy* data.** A denoising loss teaches the score of $p_\sigma$, not that of the
#   data. For data on a surface, or a finite set of samples, the clean score does not exist; the perfect denoiser of a finite
#   training set only returns training samples.
# - **The optimum is over all functions.** A network is from a family, is trained by few gradient steps and on finite
#   data. It need not even be the gradient of anything: a field $s$ with $\partial_u s_v \ne \partial_v s_u$ is no
#   score.
# - **A mean over data is blind where there are no data.** `score.blind_spot` bounds a loss by an exponentially small number for
#   a model that is plainly wrong; a loss near its floor is no evidence about far modes. The other way round, the loss's value
#   alone says nothing, since the floor $C$ of `score.denoising` is unknown.
# - **Boundary terms vanish by assumption.** Score matching by parts needs $p\,s \to 0$ at infinity and a smooth $p$. Pixels
#   in $[0, 1]$, an exponential density or a uniform one break it: a term at the border remains.
# - **Stationary is not fast.** `score.langevin` says that $p$, once reached, is kept. How long it takes to reach it is another
#   matter: between two far modes it is exponentially long in practice, for the same reason as in `score.blind_spot`. And
#   the first-order statement is for small steps; the closed form of the bias is for a normal target only.
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
# Nothing on our list for this chapter is beyond what a claim can express.

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
