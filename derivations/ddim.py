# %% [markdown]
# # Implicit diffusion
#
# A diffusion model ([Denoising diffusion](ddpm.py), or DDPM) needs many steps for a sample, often a thousand, because only
# short steps back are nearly normal. Does it have to be that many? The loss that trained the network sees only pairs of $x_0$ and $x_t$, never a whole
# chain. So any other chain with the same pairs can be sampled with the same network: one that skips
# steps, one that adds less noise, even one that adds none and turns noise into data like a function.
#
# **The answer in a line:** keep the distribution of each $x_t$ given $x_0$ and choose freely how much of the noise is old and how
# much is fresh; with no fresh noise, the sampler is Euler's method for an ODE.
#
# (An *ODE*, an ordinary differential equation, gives the velocity of a moving point at each place and time. *Euler's method* follows it in
# straight steps: it takes the velocity at the start of a step and keeps it to the end.)
#
# {{ picture ddim.question }}
#
# !!! board "On the board"
#
#     Guess the data, and noise them again to the level of any earlier step $s$, with old and fresh noise:
#
#     {{ define ddim.data_guess }}
#
#     {{ define ddim.next_point }}
#
#     {{ define ddim.c_s }}
#
#     How much of it is fresh, for a DDPM's $\bar\alpha$:
#
#     {{ define ddim.v_eta }}
#
#     A noisy point is $x_t = \alpha_t x_0 + \sigma_t \epsilon$: $x_0$ is the data, $\epsilon$ standard normal noise, $\alpha_t$ the scale of the data and $\sigma_t$ that of the noise.
#     $\hat\epsilon = \epsilon_\theta(x_t, t)$ is the noise that the network guesses in $x_t$, and $\hat x_0$ the guess of the data that goes with it.
#     $z$ is fresh standard normal noise; multiplied with $\sqrt v$ it has the variance $v$. $c_s$ is what the old noise is multiplied with. In a DDPM $\bar\alpha_t$ is the square of $\alpha_t$.
#     The number $\eta$ from 0 to 1 is chosen: $\eta = 0$ is DDIM (denoising diffusion implicit model), without fresh noise; $\eta = 1$ has the noise of DDPM.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. There is nothing to train: the network is the one of [Denoising diffusion](ddpm.py).
#     2. If there is none yet: `genmath.ddpm.denoising_loss`.
#
# !!! sample "Sample"
#
#     1. Choose steps $T = t_1 > t_2 > \dots > 0$, say 50 of 1000: `genmath.ddim.subsequence`. Draw $x_T$ from the standard normal.
#     2. For each $t$ of them and the next one $s$: guess the noise $\hat\epsilon$ in $x_t$, the data $\hat x_0$, and go to $x_s$: `genmath.ddim.ddim_step`.
#     3. Return $x_0$: `genmath.samplers.sample` with a `genmath.samplers.DDIM` is the loop.
#
# </div>
#
# ## Notation and hypotheses
#
# - $x_t = \alpha_t x_0 + \sigma_t \epsilon$ with $\epsilon$ standard normal: so $q(x_t \mid x_0)$ is normal with mean
#   $\alpha_t x_0$ and variance $\sigma_t^2$. In a DDPM $\alpha_t = \sqrt{\bar\alpha_t}$ and $\sigma_t = \sqrt{1 - \bar\alpha_t}$
#   (`ddpm.forward_marginal`); nothing below needs that until we compare with it.
# - A step goes from $t$ to an earlier $s < t$, **any** earlier one. The variance of its fresh noise is $v = h \sigma_s^2$, where the share $h$ is
#   strictly between 0 and 1. The two ends, $v = 0$ and clean data, are treated apart.
# - $q(x_t \mid x_0)$ is called a *marginal* of the chain: it is about one step $t$, whatever the other steps do. $\mathcal{N}(x;\, m, v)$ is the density at $x$ of a
#   normal with mean $m$ and variance $v$.
# - The *signal-to-noise ratio* is $\mathrm{SNR}_t = \alpha_t^2 / \sigma_t^2$.
# - $c_s$ is what the old noise is multiplied with, $\sqrt{\sigma_s^2 - v}$.
# - $\eta$ scales the fresh noise: 0 is the deterministic DDIM, 1 is DDPM.
# - Coordinates are independent given $x_0$, so statements about densities are written for one of them.
# - **Other letters.** The DDIM paper [@song2021ddim] writes $\alpha_t$ for our $\bar\alpha_t$ and $\sigma_t$ for the *fresh* noise of a step, our $\sqrt v$. Papers
#   that scale the data away [@karras2022elucidating] work with $x / \alpha$ and write $\sigma$ for our ratio $\rho = \sigma / \alpha$.

# %%
from genmath.book import chapter
from genmath.proof import *

x0, xs, xt, eps, z = variables("x_0 x_s x_t eps z")
alpha_s, sigma_s, alpha_t, sigma_t = positives("alpha_s sigma_s alpha_t sigma_t")
h, eta = fractions("h eta")
v = define("v", h * sigma_s**2)
c_s = define("c_s", sqrt(sigma_s**2 - v))
x_guess, eps_guess = reals("x_hat_0 eps_hat")
data_guess = define("x_hat_0", (xt - sigma_t * eps_guess) / alpha_t)
next_point = define("x_s", alpha_s * data_guess + c_s * eps_guess + sqrt(v) * z)
f = Function("f")

now = Normal(xt, alpha_t * x0, sigma_t**2)
earlier = Normal(xs, alpha_s * x0, sigma_s**2)
mean = alpha_s * x0 + c_s * (xt - alpha_t * x0) / sigma_t


# %% [markdown]
# ## Why steps may be skipped
#
# Three facts; the second and the third are proved below:
#
# 1. **The network knows nothing of steps.** Its loss asks for the noise in $x_t$, for one $t$ at a time. No neighbour $x_{t-1}$ occurs in it. So what it learns is a
#    property of the pair $(x_0, x_t)$ alone.
# 2. **Many chains have these pairs.** Given $x_0$, let $x_s$ be any mixture of old and fresh noise with the right total variance: every pair $(x_0, x_s)$ is as before
#    (`ddim.marginal`), whether $s$ is one step away or five hundred.
# 3. **Their losses differ in weights only.** Each such chain has a bound on the negative log-likelihood, as DDPM has (`ddpm.negative_elbo`). Its terms are the same squared errors of the noise with other
#    weights (`ddim.training`), so the same network is best for all.
#
# What a DDPM assumes is something else: that the step back without knowing $x_0$ is nearly normal, which is true for short steps only. A long step has its price here
# too. It uses a *guess* of $x_0$ where the chain wants $x_0$, and the guess is made once for the whole step. What that loses is worked out below, under *What a step loses*.
#
# ## Old noise, fresh noise, the same marginals
#
# {{ picture ddim.joint }}
#
# Given $x_0$ and $x_t$, the noise in $x_t$ is known: it is $(x_t - \alpha_t x_0) / \sigma_t$, the *old* noise. Let $x_s$ be $\alpha_s x_0$ plus $c_s$ times the old noise plus
# fresh noise of variance $v$, so that the two variances $c_s^2$ and $v$ add up to $\sigma_s^2$. Averaged over $x_t$, this gives $q(x_s \mid x_0)$, whatever the share of fresh noise.
#
# !!! example "By hand"
#
#     Let $\alpha_t = 0.6$, $\sigma_t = 0.8$ and $\alpha_s = 0.8$, $\sigma_s = 0.6$. For $x_0 = 1$ and $x_t = 1.4$ the noise in $x_t$ is $(1.4 - 0.6)/0.8 = 1$. Without fresh
#     noise $x_s = 0.8 + 0.6 \cdot 1 = 1.4$. With half of the variance fresh, $v = 0.18$, the old noise is multiplied with $c_s = \sqrt{0.36 - 0.18} \approx 0.424$: $x_s$ has mean
#     $0.8 + 0.424 = 1.224$ and variance $0.18$. Over all $x_t$ the old noise has variance 1, and $0.424^2 + 0.18 = 0.36 = \sigma_s^2$, as without fresh noise.
#
# `ddim.marginal[noise]` says it as code does it, for every function $f$ of the result. `ddim.marginal[deterministic]` is the end at which no fresh noise is added:
# then $x_s$ given $x_0$ and $x_t$ is a point and has no density, but functions of it still have the right mean.
# `ddim.marginal[excess]` is a warning: add more noise, of variance $w$, without a smaller $c_s$, and the variance of $x_s$ is too large by exactly $w$.
#
# The chain starts at its last step with $q(x_T \mid x_0)$ and walks down any sub-sequence of the steps. The step shown here takes the
# marginal at each of them to the marginal at the next; that all of them follow is the principle of induction.
#
# In code: `genmath.samplers.DDIM` for a whole chain, `genmath.ddim.ddim_step` for one step.


# %%
@derivation("The marginals are kept")
def marginal(d):
    kept = E(earlier, f(xs))
    d.start(E((Normal(eps, 0, 1), Normal(z, 0, 1)), f(alpha_s * x0 + c_s * eps + sqrt(v) * z)), name="noise", words="as code draws it")
    d.equals(kept, by=r"a sum of two independent normals is normal, and the variances add up to $\sigma_s^2$")

    d.start(E(now, f(alpha_s * x0 + sigma_s * (xt - alpha_t * x0) / sigma_t)), name="deterministic", words="without fresh noise")
    d.equals(kept, by="shift and scale: the old noise alone has the right variance")

    w = positives("w")
    d.start(integral(Normal(xs, mean, v + w) * now, xt), name="excess", words="noise that has no room")
    d.equals(Normal(xs, alpha_s * x0, sigma_s**2 + w), by="the mean makes room for $v$ and not for $w$")

    d.start(integral(Normal(xs, mean, v) * now, xt))
    d.equals(Normal(xs, alpha_s * x0, c_s**2 + v),
             by="a linear map of a normal plus normal noise is normal: the old noise has mean zero, and variances add")
    d.equals(earlier, by=r"$c_s$ was chosen so that old and fresh noise make $\sigma_s^2$")


# %% [markdown]
# **What it means.** How $x_s$ depends on $x_t$ is free; how each of them depends on $x_0$ is not. Training sees only the second.
#
# ## The step
#
# A sampler does not know $x_0$. It knows $x_t$ and a network's guess $\hat\epsilon$ of the noise in it; solving for the data gives
# a guess $\hat x_0$. The step is the mean above with the guesses in it, plus fresh noise: it noises the guessed data again, to the level of $s$,
# partly with the guessed noise. The last line is the same as one linear combination of $x_t$ and the guess. `ddim.step[data]` is for a
# network that guesses $x_0$.
#
# !!! example "By hand"
#
#     The levels as before, $x_t = 1.4$, and a network that guesses $\hat\epsilon = 0.5$. Then $\hat x_0 = (1.4 - 0.8 \cdot 0.5)/0.6 \approx 1.667$. Without fresh noise
#     $x_s = 0.8 \cdot 1.667 + 0.6 \cdot 0.5 \approx 1.633$. As one combination: $1.333 \cdot 1.4 - 0.467 \cdot 0.5 \approx 1.633$.
#
# `ddim.step[same_guess]` takes a step from $t$ to a step $u$ in between and one from $u$ to $s$ with one and the same guess, without fresh noise. It lands where the step from $t$ to
# $s$ lands: steps in between change something only because the network is asked again. At the step to clean data $\bar\alpha_0 = 1$: it returns the
# guess of the data (`ddim.step[last]`), and there is no noise to add (`ddim.step[last_noise]`).
#
# In code: `genmath.ddim.ddim_step`; `genmath.ddim.subsequence` chooses the steps.

# %%
alpha_u, sigma_u = positives("alpha_u sigma_u")


def data_in(x, alpha, sigma, noise):
    """The data in x = alpha x_0 + sigma noise."""
    return (x - sigma * noise) / alpha


@derivation("The step from what a network predicts")
def step(d):
    d.start(alpha_s * x_guess + c_s * (xt - alpha_t * x_guess) / sigma_t, name="data", words="from a guess of the data")
    d.equals((alpha_s - c_s * alpha_t / sigma_t) * x_guess + c_s / sigma_t * xt, by="collect the terms in the guess and in $x_t$")

    x_u = define("x_u", alpha_u * data_in(xt, alpha_t, sigma_t, eps_guess) + sigma_u * eps_guess)
    d.start(alpha_s * data_in(x_u, alpha_u, sigma_u, eps_guess) + sigma_s * eps_guess, name="same_guess", words="two steps with one guess")
    d.equals(alpha_s * data_in(xt, alpha_t, sigma_t, eps_guess) + sigma_s * eps_guess,
             by="$x_u$ holds the same data and the same noise as $x_t$")

    abar_0 = define("alpha_bar_0", 1)
    d.start(sqrt(abar_0) * x_guess, name="last", words="the step to clean data")
    d.equals(x_guess, by="entry 0 of the tables is clean data: the guess is returned")
    d.start(sqrt(1 - abar_0), name="last_noise", words="no noise at clean data")
    d.equals(0, by="and no noise is left")

    guess = define("x_hat_0", data_in(xt, alpha_t, sigma_t, eps_guess))
    d.start(alpha_s * guess + c_s * (xt - alpha_t * guess) / sigma_t)
    d.equals(alpha_s * guess + c_s * eps_guess, by="the noise in $x_t$ that goes with the guessed data is the guessed noise")
    d.equals(alpha_s / alpha_t * xt + (c_s - alpha_s * sigma_t / alpha_t) * eps_guess, by="collect the terms in $x_t$ and in the guess")

    noised = define("x_t", alpha_t * x0 + sigma_t * eps)
    d.slip(
        "lucid-ddim-prev",
        wrong=equal(data_in(noised, alpha_s, sigma_s, eps), x0),
        right=equal(data_in(noised, alpha_t, sigma_t, eps), x0),
        source="lucidrains/denoising-diffusion-pytorch issue #81, PR #83 (merged)",
        why="Noise that belongs to step t was removed with the coefficients of the step before, so even the true noise gave wrong data. "
        "And the last pair of steps was (0, 0), which goes nowhere, where the last step to clean data belongs.",
    )


# %% [markdown]
# **What it means.** A step jumps to the guessed data and back to the level of $s$. The first guesses are vague, hardly more than the mean of the data; but little of
# them is used before the network is asked again.
#
# ## How much fresh noise: eta
#
# The paper measures fresh noise by $\eta$. Here is its variance for a DDPM, with $\bar\alpha$ as in the tables: the **square** of $\eta$ times a variance that we
# have met. For neighbouring steps it is the variance of DDPM's posterior (`ddpm.posterior`), and for a longer step the same with
# $\beta$ the noise of the whole jump, $1 - \bar\alpha_t / \bar\alpha_s$.
#
# !!! example "By hand"
#
#     The levels above are $\bar\alpha_s = 0.64$ and $\bar\alpha_t = 0.36$. The noise of the jump is $\beta = 1 - 0.36/0.64 = 0.4375$, and
#     $\tilde\beta = \frac{0.36}{0.64} \cdot 0.4375 \approx 0.246$. For $\eta = 1$ that is the variance of the fresh noise; for $\eta = 0.5$ it is a quarter of it, $0.062$, and
#     $0.36 - 0.062 = 0.298$ is left for the old noise.
#
# `ddim.step_variance[snr]` is the form that needs only $\sigma_s^2 = 1 - \bar\alpha_s$ and the two signal-to-noise ratios. So it can be used for any $\alpha_t$ and $\sigma_t$, and it is how the code computes it.
# `ddim.step_variance[room]` says what is left for the old noise. It is never negative for $\eta \le 1$, so the root exists and nothing has to be clamped.
# `ddim.step_variance[last]` is the step to clean data again.
#
# In code: `genmath.ddim.step_variance`.

# %%
abar_s, beta = fractions("alpha_bar_s beta")
abar_t = define("alpha_bar_t", (1 - beta) * abar_s)
v_eta = define("v", eta**2 * ((1 - abar_s) / (1 - abar_t)) * (1 - abar_t / abar_s))
beta_tilde = define("beta_tilde", (1 - abar_s) / (1 - abar_t) * beta)


@derivation("The variance of the fresh noise")
def step_variance(d):
    snr_s, snr_t = define("SNR_s", abar_s / (1 - abar_s)), define("SNR_t", abar_t / (1 - abar_t))
    d.start(v_eta, name="snr", words="from the signal-to-noise ratios")
    d.equals(eta**2 * (1 - abar_s) * (1 - snr_t / snr_s), by="the share of the signal-to-noise ratio that the jump loses")

    d.start(1 - abar_s - v_eta, name="room", words="what is left for the old noise")
    d.at_least((1 - eta**2) * (1 - abar_s), by=r"the fresh noise is at most a share $\eta^2$ of all noise at $s$",
               because=eta**2 * (1 - abar_s) * snr_t / snr_s)

    abar_0 = define("alpha_bar_0", 1)
    d.start(eta**2 * ((1 - abar_0) / (1 - abar_t)) * (1 - abar_t / abar_0), name="last", words="no fresh noise at clean data")
    d.equals(0, by="at clean data there is no noise, old or fresh")

    d.start(v_eta)
    d.equals(eta**2 * beta_tilde, by=r"$1 - \bar\alpha_t/\bar\alpha_s$ is the noise of the jump, so the rest is the variance of DDPM's posterior")

    d.slip(
        "coursia-ddim-variance",
        wrong=1 - abar_s - eta**2 * (1 - abar_t) >= 0,
        right=1 - abar_s - v_eta >= 0,
        source="jsboige/CoursIA PR #16158",
        why="At the earlier time there is room for a variance of 1 − ᾱ_s. Fresh noise was given η² (1 − ᾱ_t), which for η = 1 is more: "
        "nothing is left for the old noise, and a clamp hid the root of a negative number.",
    )
    d.slip(
        "inbarhub-eta-direction",
        wrong=equal((1 - abar_s - eta * beta_tilde) + eta**2 * beta_tilde, 1 - abar_s),
        right=equal((1 - abar_s - eta**2 * beta_tilde) + eta**2 * beta_tilde, 1 - abar_s),
        source="inbarhub/DDPM_inversion issue #12",
        why="η scales the standard deviation of the fresh noise, so its variance has η². One part was written with η and the other with "
        "η²: they add up at η = 0 and at η = 1, where one tries it, and nowhere between.",
    )


# %% [markdown]
# **What it means.** $\eta$ is a dial between two samplers of one network. It says how much of the old noise is replaced by new noise at each step. At $\eta = 0$ nothing is: the sample is a
# **function** of the noise at the start.
#
# {{ picture ddim.function }}
#
# It is useful that nothing is random after the start: the same start gives the same sample, so two models can be compared on one start; starts can be blended, and the samples change
# gradually; and the function can be inverted (*Running it backwards*). It does not make the samples less diverse: all variety comes from the start then.
#
# **Try it.** Choose DDIM and a few steps, then move η from 0 to 1: with η = 0 the same start always ends at the same place.
#
# {{ explorer path }}
#
# ## With eta = 1 it is DDPM
#
# Bayes' rule gave the posterior of one step back. Its density and the step above with $\eta = 1$ are the same normal. Nothing in
# the argument needs $t - 1$ to be the step before $t$: read $\beta_t$ as the noise of a jump and $\bar\alpha_{t-1}$ as the signal at its end.
# `ddim.posterior[direction]` is the coefficient of the old noise. $k_0$ and $k_t$ are the two weights of DDPM's posterior mean.
#
# In code: `genmath.ddpm.posterior`, and `genmath.ddim.ddim_step` with `eta=1`.

# %%
xp = variables("x_{t-1}")
beta_1, abar_prev = fractions("beta_t alpha_bar_{t-1}")
abar = define("alpha_bar_t", (1 - beta_1) * abar_prev)
tilde = define("beta_tilde_t", (1 - abar_prev) / (1 - abar) * beta_1)


@derivation("Eta = 1 is the posterior of DDPM")
def posterior(d):
    old = sqrt(1 - abar_prev - tilde)
    d.start(old, name="direction", words="how much of the old noise is kept")
    d.equals(sqrt(1 - beta_1) * (1 - abar_prev) / sqrt(1 - abar), by="what is left is a square")

    forward = Normal(xt, sqrt(1 - beta_1) * xp, beta_1)
    d.start(forward * Normal(xp, sqrt(abar_prev) * x0, 1 - abar_prev) / Normal(xt, sqrt(abar) * x0, 1 - abar))
    k_0, k_t = sqrt(abar_prev) * beta_1 / (1 - abar), sqrt(1 - beta_1) * (1 - abar_prev) / (1 - abar)
    mu_tilde = define("mu_tilde_t", define("k_0", k_0) * x0 + define("k_t", k_t) * xt)
    d.equals(Normal(xp, mu_tilde, tilde), by="Bayes' rule, as in `ddpm.posterior`", because=chapter("ddpm").posterior())
    d.equals(Normal(xp, sqrt(abar_prev) * x0 + old * (xt - sqrt(abar) * x0) / sqrt(1 - abar), tilde),
             by="the same mean, with the noise in $x_t$ written out")


# %% [markdown]
# **What it means.** DDPM is one member of the family, and it may skip steps like any other: then it is called *respaced*. What it loses by that is more than DDIM loses
# (`ddim.gaussian_loss`).
#
# ## The chain that has been changed { .advanced }
#
# The marginals are the same as before, but the process is not. Turn the new step around by Bayes' rule: the step from $x_s$ to $x_t$ now depends on $x_0$ as well. Its mean has the
# coefficient $k$ for $x_s$ and, in `ddim.forward[pull]`, another one for $x_0$. In a *Markov chain* the next point depends only on the present one. So the noising process is
# no longer a Markov chain, which is why the paper calls its models non-Markovian. `ddim.forward[markov]`: for the
# variance of DDPM $k$ is $\alpha_t / \alpha_s$. Then the coefficient of $x_0$ is zero, and $x_t$ is a multiple of $x_s$ plus noise.


# %%
@derivation("The forward process of the changed chain")
def forward(d):
    k = define("k", c_s * sigma_t / sigma_s**2)
    d.start(alpha_t * x0 + k * (xs - alpha_s * x0), name="pull", words="the step forward depends on the data")
    d.equals(k * xs + (alpha_t - k * alpha_s) * x0, by="collect the terms in $x_s$ and in $x_0$")

    snr_s, snr_t = define("SNR_s", alpha_s**2 / sigma_s**2), define("SNR_t", alpha_t**2 / sigma_t**2)
    of_ddpm = define("v", sigma_s**2 * (1 - snr_t / snr_s))
    d.start(sqrt(sigma_s**2 - of_ddpm) * sigma_t / sigma_s**2, name="markov", words="for the variance of DDPM it does not: the coefficient k")
    d.equals(alpha_t / alpha_s, by="then $k$ carries the whole signal from $x_s$ to $x_t$")

    d.start(Normal(xs, mean, v) * now / earlier)
    d.equals(Normal(xt, alpha_t * x0 + k * (xs - alpha_s * x0), v * sigma_t**2 / sigma_s**2),
             by="complete the square in $x_t$: what is left over cancels, and so do the normalisers")


# %% [markdown]
# **What it means.** Its step forward needs $x_0$, so without it nobody could run this chain, and nobody has to:
# training only used the density at each single time, and that has not changed.

# %% [markdown]
# ## No new training
#
# Each choice of fresh noise is a model of its own, with a bound of its own. But its terms are again KL divergences between normals of equal variance, and each is the
# *same* squared error of the noise times a weight. Only the weights depend on the choice. A network that can fit every step by itself therefore
# has the same optimum for all of them, the one of $L_{\mathrm{simple}}$, and can be trained once. (With $v = 0$ the weight is infinite: there is no bound then,
# the step is a function.)
#
# !!! example "By hand"
#
#     The levels above, for $\eta = 1$: the fresh noise has variance $0.246$ and $c = \sqrt{0.36 - 0.246} = 0.3375$. The squared error of the noise has the weight
#     $(0.8 \cdot 0.8/0.6 - 0.3375)^2 / (2 \cdot 0.246) \approx 1.08$. For $\eta = 0.5$ it is $(1.067 - 0.546)^2/(2 \cdot 0.0615) \approx 2.20$. Twice the weight, the same error.
#
# In the formula $c$ is any coefficient of the old noise. $s^2$ is any variance of the fresh noise (here $s$ is not a step). $\mu$ is the mean of $x_s$ with the true noise, and
# $\mu_\theta$ the one with the network's guess $\epsilon_\theta$.

# %%
X0, XS, XT, EPS = vectors("x_0 x_s x_t eps")
eps_theta = mean_vectors("eps_theta")


@derivation("The loss is that of DDPM with other weights", dims=(1, 2, 3))
def training(d):
    c, spread = nonnegatives("c"), positives("s")
    of_truth = define("mu", alpha_s * data_in(XT, alpha_t, sigma_t, EPS) + c * EPS)
    of_network = define("mu_theta", alpha_s * data_in(XT, alpha_t, sigma_t, eps_theta) + c * eps_theta)
    d.start(KL(Normal(XS, of_truth, spread**2 * identity), Normal(XS, of_network, spread**2 * identity)))
    d.equals(norm2(of_truth - of_network) / (2 * spread**2), by="equal variances leave only the distance of the means")
    d.equals((alpha_s * sigma_t / alpha_t - c) ** 2 / (2 * spread**2) * norm2(EPS - eps_theta), by="$x_t$ cancels from the difference of the means")


# %% [markdown]
# **What it means.** This is what permits the whole chapter: a network is trained once, and the number of steps and $\eta$ are chosen afterwards.
#
# ## Without noise it is an ODE
#
# What do the samples of a deterministic chain do as its steps become small? They follow a curve.
#
# {{ picture ddim.straight }}
#
# Let $t$ be a real number now, a time. Both scales are positive, so we may write $\alpha_t = e^{a(t)}$ and $\sigma_t = e^{b(t)}$ with smooth functions $a$ and $b$; a prime is the
# derivative by the time. Let $x(t)$ be the curve of one sample, and $e(t)$ the noise that the network guesses at $x(t)$.
#
# 1. *The velocity.* At time $t$ the guessed data are $\hat x_0 = (x - \sigma_t e) / \alpha_t$. Hold them and the noise fixed for a moment: then $\alpha_t \hat x_0 + \sigma_t e$ moves with the
#    velocity $\alpha_t' \hat x_0 + \sigma_t' e$. Written with $x$ this is $a' x + \sigma_t (b' - a') e$ (`ddim.flow[velocity]`). That $x(t)$ moves with this velocity is our ODE; with the exact
#    network it is called the *probability-flow ODE*.
# 2. *Another variable.* The part $a' x$ has nothing to do with the network. Divide $x$ by $\alpha_t$ and it is gone: `ddim.flow[scaled]` is the derivative of $x / \alpha$, and
#    `ddim.flow[ode]` says that it is $e(t)$ times the derivative of $\rho = \sigma / \alpha$. So **if $x / \alpha$ is drawn against $\rho$, the slope is the noise itself.**
# 3. *The solution.* Let $F$ be any function whose derivative is $\rho' e$. The curve in `ddim.flow[solution]` is $x(t)$ at $s = t$, and it solves the ODE. The part $a' x$ is solved exactly, and
#    only $F(s) - F(t)$, the integral of the noise over $\rho$, is left to be approximated.

# %%
r, t, s = reals("r t s")
a, b, e, curve, F = Function("a"), Function("b"), Function("e"), Function("x"), Function("F")


@derivation("The ODE in the variable that makes it simple")
def flow(d):
    def alpha(time):
        return exp(a(time))

    def sigma(time):
        return exp(b(time))

    velocity = a.prime(t) * curve(t) + sigma(t) * (b.prime(t) - a.prime(t)) * e(t)
    d.start(diff(alpha(t), t) * data_in(curve(t), alpha(t), sigma(t), e(t)) + diff(sigma(t), t) * e(t), name="velocity", words="the velocity, with data and noise frozen")
    d.equals(velocity, by=r"$\alpha' = a' \alpha$ and $\sigma' = b' \sigma$; collect the terms in $x$ and in the noise")

    d.start(diff(curve(t) / alpha(t), t), name="scaled", words=r"the slope of $x / \alpha$")
    d.equals((curve.prime(t) - a.prime(t) * curve(t)) / alpha(t), by="the rule for quotients")

    d.start((velocity - a.prime(t) * curve(t)) / alpha(t), name="ode", words="the linear part is gone")
    d.equals(e(t) * diff(sigma(t) / alpha(t), t), by=r"the linear part is gone, and $\rho' = (b' - a') \rho$")

    solved = alpha(s) / alpha(t) * curve(t) + alpha(s) * (F(s) - F(t))
    d.start(diff(solved, s), name="solution", words="the exact solution")
    d.equals(a.prime(s) * solved + alpha(s) * F.prime(s), by=r"the rule for products; with $F' = \rho' e$ this is the velocity at $s$")


# %% [markdown]
# Now hold the noise fixed over one step, at the network's guess. Then $F$ is $\rho$ times that guess, and the solution is Euler's method for $x / \alpha$ against $\rho$: the DDIM step with
# $v = 0$. The solver DPM-Solver measures a step by another $h$, which is not the share above: the difference of $\log(\alpha / \sigma)$, half the logarithm of the signal-to-noise ratio, between $s$ and $t$. Its method of
# first order is the same step, for a network that guesses the noise (`ddim.euler[exponential]`) and for one that guesses the data (`ddim.euler[exponential_data]`): one method under three names.
#
# A plain Euler step in $x$ against $t$ is in general *another* method: it also approximates the part $a' x$. Neither is better for all data. DDIM is exact for a
# single point (below). If $\alpha_t^2 + \sigma_t^2 = 1$ (a *variance-preserving* path) and the data are standard normal, the velocity is zero: the points do not move, and the plain step is exact
# (the laboratory compares them). On the straight path of
# [Flow matching](flow_matching.py), $\alpha = 1 - t$ and $\sigma = t$, the two are the same, since there data and noise that are frozen move along a line:
# $\alpha_s \hat x_0 + \sigma_s \hat\epsilon = x_t - (t - s)(\hat\epsilon - \hat x_0)$.


# %%
@derivation("DDIM is Euler's method")
def euler(d):
    rho_t, rho_s = define("rho_t", sigma_t / alpha_t), define("rho_s", sigma_s / alpha_s)
    gain = define("h", log(alpha_s / sigma_s) - log(alpha_t / sigma_t))
    guess = define("x_hat_0", data_in(xt, alpha_t, sigma_t, eps_guess))
    ddim = alpha_s * guess + sigma_s * eps_guess

    d.start(alpha_s / alpha_t * xt - sigma_s * (exp(gain) - 1) * eps_guess, name="exponential", words="as DPM-Solver writes it, for the noise")
    d.equals(ddim, by=r"$e^h = \rho_t / \rho_s$")
    d.start(sigma_s / sigma_t * xt + alpha_s * (1 - exp(-gain)) * guess, name="exponential_data", words="as DPM-Solver writes it, for the data")
    d.equals(ddim, by="collect the terms in the guess of the data and in the noise")
    d.start(alpha_s * (xt / alpha_t + (rho_s - rho_t) * eps_guess))
    d.equals(ddim, by=r"the old ratio times the guess is what $x_t / \alpha_t$ loses, the new one what $x_s / \alpha_s$ gets")


# %% [markdown]
# **What it means.** To skip steps is to take longer steps of a solver. All that is known about solvers applies. This one is of *first order*: with twice as many steps the error is about half.
# Better methods ask the network twice in a step or remember earlier answers.
#
# ## Where it is exact: a single point
#
# If the data are one point $\mu$, the noise in $x_t$ is known, and it stays the same along the whole curve. So the slope of $x / \alpha$ against $\rho$ never changes: the curve is a straight
# line, and one step of any length is exact.


# %%
@derivation("A single data point needs one step")
def one_point(d):
    point = reals("mu")
    noised = define("x_t", alpha_t * point + sigma_t * eps)
    d.start((noised - alpha_t * point) / sigma_t, name="noise", words="the network sees the noise exactly")
    d.equals(eps, by="the only data point is subtracted")

    known = define("eps_hat", (noised - alpha_t * point) / sigma_t)
    d.start(alpha_s * data_in(noised, alpha_t, sigma_t, known) + sigma_s * known)
    d.equals(alpha_s * point + sigma_s * eps, by="the data guessed are the data, and the noise is the noise")

    alpha_i, sigma_i = positives("alpha_i sigma_i")
    d.slip(
        "sd-ddim-encode-t",
        wrong=equal((noised - alpha_i * point) / sigma_i, eps),
        right=equal((noised - alpha_t * point) / sigma_t, eps),
        source="Stability-AI/stablediffusion PR #226 (open)",
        why="The sampler visits a few of the steps, t = τ_i. The network was given i in place of τ_i and so was asked about another level "
        "of noise: even for a single data point its answer is not the noise.",
    )


# %% [markdown]
# **What it means.** All that a long step loses comes from not knowing which data point is meant. With a single point
# there is nothing left to know.

# %% [markdown]
# ## What a step loses: normal data
#
# {{ picture ddim.few }}
#
# With more than one data point the guess changes along the way, and a step that asks only once misses that. How much is it? Let the data be normal with mean $m$ and standard
# deviation $\omega$. Everything is known: $x_t$ is normal with mean $\alpha_t m$ and variance $D_t = \alpha_t^2 \omega^2 + \sigma_t^2$ (`ddim.gaussian_step[marginal]`), the data given $x_t$ are
# normal with a mean called $\mu_0$ (`ddim.gaussian_step[posterior]`), and the exact network predicts the mean of the noise given $x_t$ (`ddim.gaussian_step[noise]`). Put that into the step: it is
# linear in $x_t$, with the slope $g$ in `ddim.gaussian_step[step]`. So the variance after the step is $g^2 D_t + v$.
#
# !!! example "By hand"
#
#     Standard normal data, so $D_t = D_s = 1$, and the levels above. Without fresh noise the slope is $0.8 \cdot 0.6 + 0.6 \cdot 0.8 = 0.96$: the variance after the step is
#     $0.96^2 \approx 0.92$ where it should be 1. With $\eta = 1$ the slope is $0.48 + 0.3375 \cdot 0.8 = 0.75$, and the variance is $0.75^2 + 0.246 \approx 0.81$.
#
# Start a step at the true marginal. The mean stays true. The variance does not: the last line says what it lacks, for **every** amount of fresh noise. It
# lacks something even though the network is exact, because one guess serves the whole step.
#
# In code: the exact network is `genmath.toys.GaussianMixture`.

# %%
m = reals("m")
omega = positives("omega")
D_t = define("D_t", alpha_t**2 * omega**2 + sigma_t**2)
D_s = define("D_s", alpha_s**2 * omega**2 + sigma_s**2)


def exact_noise(x, alpha, sigma, variance):
    """The mean of the noise in x, for normal data."""
    return sigma * (x - alpha * m) / variance


@derivation("One step on normal data")
def gaussian_step(d):
    d.start(integral(now * Normal(x0, m, omega**2), x0), name="marginal", words="the density at each time")
    d.equals(Normal(xt, alpha_t * m, D_t), by="a linear map of a normal plus normal noise is normal")

    data_mean = define("mu_0", m + alpha_t * omega**2 / D_t * (xt - alpha_t * m))
    d.start(now * Normal(x0, m, omega**2) / Normal(xt, alpha_t * m, D_t), name="posterior", words="the data, given the place")
    d.equals(Normal(x0, data_mean, omega**2 * sigma_t**2 / D_t), by="complete the square in $x_0$")

    d.start((xt - alpha_t * data_mean) / sigma_t, name="noise", words="what the exact network answers")
    d.equals(exact_noise(xt, alpha_t, sigma_t, D_t), by="the noise is what $x_t$ has beyond its data")

    known = define("eps_hat", exact_noise(xt, alpha_t, sigma_t, D_t))
    slope = define("g", (alpha_s * alpha_t * omega**2 + c_s * sigma_t) / D_t)
    d.start(alpha_s * data_in(xt, alpha_t, sigma_t, known) + c_s * known, name="step", words="the step is linear")
    d.equals(alpha_s * m + slope * (xt - alpha_t * m), by="collect the deviations from the mean")

    d.start(slope**2 * D_t + v)
    d.equals(D_s - omega**2 * (alpha_s * sigma_t - alpha_t * c_s) ** 2 / D_t, by="complete the square: the fresh noise restores what $c_s$ left out")
    d.at_most(D_s, by="a square is not negative", because=omega**2 * (alpha_s * sigma_t - alpha_t * c_s) ** 2 / D_t)


# %% [markdown]
# **What it means.** The guess of the data is a conditional mean, and means vary less than the data. A long step moves towards the mean, so samples come out too close to it: too
# little contrast, too little variety.
#
# And the deterministic step lacks least, as long as the signal-to-noise ratio grows along the step, which means $\alpha_s \sigma_t \ge \alpha_t \sigma_s$. Look at what is missing: it has the square of
# $\alpha_s \sigma_t - \alpha_t c_s$ in it. This difference is not negative, and it becomes larger when $c_s$ becomes smaller to make room for fresh noise. So with an exact network and few steps, less fresh noise is better. With an imperfect one fresh noise also
# forgets old errors, and that is not in this formula.
#
# {{ picture ddim.loss }}


# %%
@derivation("Fresh noise costs variance")
def gaussian_loss(d):
    d.given_that(alpha_s * sigma_t >= alpha_t * sigma_s)
    freed = alpha_t * (v / (sigma_s + c_s))
    d.start(omega**2 * (alpha_s * sigma_t - alpha_t * c_s) ** 2 / D_t)
    d.at_least(omega**2 * (alpha_s * sigma_t - alpha_t * sigma_s) ** 2 / D_t,
               by=r"$c_s$ is smaller than $\sigma_s$ by $v$ over the sum of both",
               because=omega**2 * freed * (2 * (alpha_s * sigma_t - alpha_t * sigma_s) + freed) / D_t)


# %% [markdown]
# The exact curve of the ODE scales the deviation from the mean by the ratio of the standard deviations: `ddim.gaussian_flow[flow]` checks that this solves the ODE, with the exact
# noise at $s$ on the right. It can be undone: going from $t$ to $s$ and back to $t$ leaves no error at all (`ddim.gaussian_flow[inverse]`).
#
# Compare it with the step. Draw each time $t$ as an arrow in the plane, from the origin to the point $(\alpha_t \omega, \sigma_t)$. Its length is the standard deviation $\sqrt{D_t}$. The inner product of the
# arrows of $t$ and $s$ is the numerator of the slope $g$ of the deterministic step. So $g$ is the exact ratio of the standard deviations times the *cosine* of the
# angle between the two arrows (`ddim.gaussian_flow[cosine]` is its square). Pure noise is the arrow $(0, 1)$ and clean data are $(\omega, 0)$, so all steps together turn by a right angle, $\pi / 2$. Let $n$ steps
# turn by equal angles. They end with the standard deviation $\omega \cos^n(\pi / 2n)$ in place of $\omega$: zero for one step, $0.88\,\omega$ for ten, $0.976\,\omega$ for fifty. What is lost falls like $1/n$: DDIM is a
# method of first order.


# %%
@derivation("The exact flow of normal data")
def gaussian_flow(d):
    def alpha(time):
        return exp(a(time))

    def spread(time):
        return sqrt(exp(2 * a(time)) * omega**2 + exp(2 * b(time)))

    x_s = alpha(s) * m + spread(s) / spread(t) * (curve(t) - alpha(t) * m)
    noise = exp(b(s)) * (x_s - alpha(s) * m) / spread(s) ** 2
    d.start(diff(x_s, s), name="flow", words="a solution of the ODE")
    d.equals(a.prime(s) * x_s + exp(b(s)) * (b.prime(s) - a.prime(s)) * noise, by="the rule for products; the right side is the velocity at $s$")

    def moved(x, of, to):
        return alpha_at[to] * m + sqrt(variance_at[to] / variance_at[of]) * (x - alpha_at[of] * m)

    alpha_at, variance_at = {"t": alpha_t, "s": alpha_s}, {"t": D_t, "s": D_s}
    d.start(moved(define("x_s", moved(xt, "t", "s")), "s", "t"), name="inverse", words="there and back")
    d.equals(xt, by="the ratio of the standard deviations and its reciprocal")

    slope = define("g", (alpha_s * alpha_t * omega**2 + sigma_s * sigma_t) / D_t)
    sine = omega**2 * (alpha_s * sigma_t - alpha_t * sigma_s) ** 2 / (D_s * D_t)
    d.start(slope**2 * D_t / D_s, name="cosine", words="what a step loses, as an angle")
    d.equals((alpha_s * omega * alpha_t * omega + sigma_s * sigma_t) ** 2 / (D_s * D_t), by="the squared inner product over the squared lengths")
    d.equals(1 - sine, by="the square of the cosine and of the sine are one together")
    d.at_most(1, by="a square is not negative", because=sine)


# %% [markdown]
# **What it means.** With the exact flow at hand, the loss of a step is a number: it leaves normal data too narrow,
# never too wide, and two short steps lose less than a long one.

# %% [markdown]
# ## Running it backwards { .advanced }
#
# A deterministic sampler is a function of the noise it starts from. Which noise ends in *this* picture? The answer is used to edit pictures. There are two ways to it.
#
# *Reverse the ODE.* Take the same step upwards, from $s$ to $t$, with the noise guessed at $x_s$ (the sampler with its steps in reverse order). For normal data
# `ddim.inversion[round_trip]` says what is left of a deviation from the mean that went up this way and then down: not
# all of it, it is multiplied by the squared cosine from above. So this way is exact only if the data are a single point, and only to first order otherwise.
#
# *Invert the step.* The sampler guessed the noise at the $x_t$ that we look for. So $x_t$ is the unknown of an equation, $x_s = A x_t + B\, \hat\epsilon(x_t)$, with the coefficients of `ddim.step`. Solve it by repetition: start with any $x_t$, guess the noise there,
# solve the equation for the other $x_t$, and repeat with the answer. If the answers settle, they have found the exact inverse of the sampler's step, also when the step is long.
# Does it settle? On normal data the last line says that the distance of two attempts $y$ and $z$ is multiplied by $\kappa$ each time ($z$ is no noise here);
# `ddim.inversion[sign]` and `ddim.inversion[rate]` say that $\kappa$ lies between 0 and 1, and it is below 1 strictly, since what is subtracted is positive. So the error shrinks by the factor $\kappa$
# in each repetition, for a step of any length. For other data it needs a step short enough for the guess to change little. One repetition is what most code calls DDIM inversion.
#
# In code: `genmath.ddim.ddim_invert`.


# %%
@derivation("Inverting a step")
def inversion(d):
    def slope(alpha, sigma, to_alpha, to_sigma, variance):
        return (to_alpha * alpha * omega**2 + to_sigma * sigma) / variance

    d.start(slope(alpha_t, sigma_t, alpha_s, sigma_s, D_t) * slope(alpha_s, sigma_s, alpha_t, sigma_t, D_s), name="round_trip", words="up and down with the reversed ODE")
    d.equals(1 - omega**2 * (alpha_s * sigma_t - alpha_t * sigma_s) ** 2 / (D_s * D_t), by="the square of the cosine, once more")

    A, B = define("A", alpha_s / alpha_t), define("B", sigma_s - alpha_s * sigma_t / alpha_t)
    kappa = define("kappa", -B * sigma_t / (A * D_t))
    one, other = reals("y z")

    def attempt(x):
        return (xs - B * exact_noise(x, alpha_t, sigma_t, D_t)) / A

    x_s = define("x_s", A * xt + B * exact_noise(xt, alpha_t, sigma_t, D_t))
    d.start((x_s - B * exact_noise(xt, alpha_t, sigma_t, D_t)) / A, name="fixed_point", words="the right answer stays")
    d.equals(xt, by="the $x_t$ that the sampler came from stays where it is")

    d.given_that(alpha_s * sigma_t >= alpha_t * sigma_s)
    d.start(kappa, name="sign", words="the factor is not negative")
    d.at_least(0, by="the step goes to less noise", because=(alpha_s * sigma_t - alpha_t * sigma_s) * sigma_t / (alpha_s * D_t))

    d.start(kappa, name="rate", words="the factor is below one")
    d.equals(1 - (alpha_s * alpha_t * omega**2 + sigma_s * sigma_t) * alpha_t / (alpha_s * D_t), by="one minus the slope of the step over $A$")
    d.at_most(1, by="the slope of the step is positive", because=(alpha_s * alpha_t * omega**2 + sigma_s * sigma_t) * alpha_t / (alpha_s * D_t))

    d.start(attempt(one) - attempt(other))
    d.equals(kappa * (one - other), by="the guess is linear in $x$, so the difference of two attempts is too")


# %% [markdown]
# **What it means.** A step backwards is an equation for its own result. For normal data, putting the guess in again
# shrinks its error by the same factor every time, so a few rounds do where that factor is well below 1.

# %% [markdown]
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - The loss of a diffusion model knows only pairs $(x_0, x_t)$. Every chain with the same pairs may use the same network
#       (`ddim.marginal`, `ddim.training`).
#     - A step: guess the data, noise them again to level $s$, with a part $c_s$ of old noise and fresh noise of variance $v$, where $c_s^2 + v = \sigma_s^2$ (`ddim.step`).
#     - $v = \eta^2 \tilde\beta$, where $\tilde\beta$ is the variance of DDPM's posterior: with $\eta = 1$ it is DDPM (`ddim.posterior`), with $\eta = 0$ the sample is a function of the start.
#     - $\eta = 0$ is Euler's method for $x/\alpha$ against $\sigma/\alpha$ (`ddim.euler`), exact for a single point.
#     - A long step loses variance, because the guess is made once (`ddim.gaussian_step`); fresh noise loses more (`ddim.gaussian_loss`); the loss of $n$ steps is about proportional to $1/n$.
#
# ## Questions
#
# ??? question "Why can the network of a DDPM with 1000 steps be used with 50, without training it again?"
#
#     Its loss is a sum over single steps, and each compares $\epsilon$ with a guess from $x_t$ alone. What is best at step $t$ does not depend on which other steps are
#     visited. The chain over the 50 has a bound with the same terms and other weights: `ddim.training`.
#
# ??? question "What does one single step give, from pure noise to clean data?"
#
#     The guess of the data at pure noise: there $x_T$ says nothing about $x_0$, so the best guess is the mean of the data, for every start. For normal data this is
#     $\cos(\pi/2) = 0$ in `ddim.gaussian_flow[cosine]`.
#
# ??? question "A program multiplies $\tilde\beta$ by $\eta$ and not by $\eta^2$ in one of the two places. When does nobody notice?"
#
#     At $\eta = 0$ and at $\eta = 1$, where both agree. In between the variances of old and fresh noise do not add up to $\sigma_s^2$: see the slip at `ddim.step_variance`.
#
# ??? question "Is DDIM with $\eta = 0$ less diverse than DDPM, since it is deterministic?"
#
#     Not for that reason: all its variety is in the start. With few steps it lacks some variance, by `ddim.gaussian_step`, but DDPM with as few steps lacks more, by `ddim.gaussian_loss`.
#
# ??? question "Take two steps with the same guess of the noise instead of one. What is gained?"
#
#     Nothing: `ddim.step[same_guess]`. Steps in between help because the network is asked again, at a point where more is decided.
#
# ??? question "Run the sampler upwards from a picture and then down again. Does the picture return?"
#
#     Not exactly. Going up guesses the noise at the wrong end of each step; for normal data each multiplies the deviation from the mean by a squared cosine (`ddim.inversion[round_trip]`). To return exactly, solve each step for the
#     point it came from: `genmath.ddim.ddim_invert`.
#
# {{ spot lucid-ddim-prev among ddim.one_point[noise] ddim.step }}
#
# ## What the results do not say
#
# - The marginals that are kept are those *given* $x_0$. The sampler puts a guess in the place of $x_0$, and then nothing is kept exactly: `ddim.gaussian_step` shows the
#   loss for a network without any error of its own.
# - Every derivation has one step, from $t$ to $s$. That a whole chain follows is the principle of induction; that its error is of first order for data that
#   are not normal is a theorem about Euler's method for smooth right-hand sides, which is not proved here. The laboratory measures it on a mixture.
# - `ddim.flow` rewrites the ODE and says what its solutions are. That the ODE of the *exact* network carries the marginals of the data is not shown here; it is
#   in the chapter on stochastic differential equations. Two processes with the same marginals may still be as different as DDIM and DDPM are.
# - A sample starts from standard normal noise, which is the marginal at $T$ only if $\bar\alpha_T$ is nearly zero, and it fits only if the first step *is* $T$. A
#   sub-sequence that begins earlier starts from the wrong noise; `"leading"` in `genmath.ddim.subsequence` does, and is there because published samples were made with it.
# - DDPM with the larger variance $\beta_t$ is no member of this family: its mean makes room for $\tilde\beta_t$ only, so by `ddim.marginal[excess]` its marginals are too wide.
# - The same network serves every amount of fresh noise if it fits every step by itself (`ddim.training`). A real one does not, and then the best $\eta$ is a matter of trial.
# - Inversion is exact for the sampler that is inverted, with the same steps and the same network. Guidance, rounding to 8 bits and an autoencoder's own error are not in it.
#
# ## Where sources slip
#
# Beside each derivation stand the published slips it refutes, each with its counterexample: `lucid-ddim-prev` at the step, `coursia-ddim-variance` and
# `inbarhub-eta-direction` at the variance, `sd-ddim-encode-t` at the single data point. Two belong to code and have a test instead of a formula: noise that is drawn
# and then multiplied by 0 at $\eta = 0$, which costs time and moves the state of the generator; and a last step from 0 to 0.
#
# ## References
#
# - [@song2021ddim]: the family (7), its forward process (8), the step (12), the ODE (13, 14), the variance by $\eta$ (16); lemma 1 and theorem 1 for the marginals and the loss. Its
#   $\alpha_t$ is our $\bar\alpha_t$.
# - [@ho2020ddpm]: the posterior (6, 7), which is $\eta = 1$.
# - [@song2021sde]: the probability-flow ODE.
# - [@salimans2022progressive]: DDIM as an integrator of the ODE, and in terms of the guess of the data.
# - [@lu2022dpmsolver]: the exact solution with the linear part taken out, and DDIM as the solver of first order.
# - [@lin2024common]: why a sub-sequence must begin at $T$.
# - [@mokady2023nulltext]: inversion with one repetition, and what it loses.
# - [@pan2023effective]: inversion of the step by repetition.
