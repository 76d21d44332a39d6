# %% [markdown]
# # Denoising diffusion
#
# Destroying data is easy: add a little noise, shrink a little, and repeat until nothing is left but noise.
# Can each of these small steps be undone by a network, so that a sample of pure noise is turned back, step by
# step, into a sample of the data? And what should the network be trained to do? A diffusion model
# [@sohldickstein2015deep] [@ho2020ddpm] is a latent variable model: a model with hidden variables, called
# latents. Here they are the noisy copies of the data. So the answer comes from a lower bound on the logarithm
# of the model's density at the data, the *evidence lower bound* or ELBO, `vae.elbo`. What is new is that the
# encoder, which draws the latents when the data are given, is not learned. It adds normal noise, and so every
# term of the bound has a closed form.
#
# **The answer in a line:** apart from its two ends, the negative ELBO is a sum of KL divergences between
# normals, and each of them is a weighted squared error of a network that guesses the noise, plus a constant.
# (The KL divergence of two densities is the mean, under the first, of the logarithm of first over second.
# It is never negative, and zero only if they are the same: [Divergences](divergences.py).)
#
# {{ picture ddpm.question }}
#
# !!! board "On the board"
#
#     Noise the data in one jump, undo one step when the data are known, and train a network on the noise:
#
#     {{ define ddpm.noisy }}
#
#     {{ define ddpm.mu_tilde }}
#
#     {{ define ddpm.beta_tilde }}
#
#     {{ define ddpm.simple_loss }}
#
#     $x_0$ is a data point and $\epsilon$ standard normal noise. $\beta_t$ is the variance of the noise added
#     at step $t$, and $\bar\alpha_t$ the product of all $1 - \beta_s$ up to it: the share of the data's
#     variance that is left. $\tilde\mu_t$ and $\tilde\beta_t$ are the mean and variance of $x_{t-1}$ when
#     $x_t$ and $x_0$ are both known; $k_0$ and $k_t$ are two positive numbers made of the $\beta_s$, written
#     out at `ddpm.posterior`. $\epsilon_\theta$ is the network with its parameters $\theta$: it sees $x_t$ and
#     $t$. $L_{\mathrm{simple}}(t)$ is its mean squared error at step $t$, over data from the density $q$ and
#     over the noise; it is written for one coordinate. The steps $t$ of a batch are drawn uniformly.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Draw data $x_0$, steps $t$ from $1, \dots, T$ and noise $\epsilon$: `genmath.ddpm.draw_steps`.
#     2. Jump to $x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\epsilon$: `genmath.ddpm.add_noise`.
#     3. Take a gradient step on the mean of $\|\epsilon - \epsilon_\theta(x_t, t)\|^2$:
#        `genmath.ddpm.denoising_loss` does all three.
#
# !!! sample "Sample"
#
#     1. Draw $x_T$ from the standard normal.
#     2. For $t = T, \dots, 1$: put the guessed noise into the mean $\tilde\mu_t$
#        (`ddpm.posterior_mean_from_eps`), and add noise of variance $\tilde\beta_t$ or $\beta_t$, except at
#        the last step: `genmath.ddpm.ancestral_step`.
#     3. Return $x_0$: `genmath.ddpm.sample` is the loop.
#
# </div>
#
# ## Notation and hypotheses
#
# - Steps are $t = 1, \dots, T$; $x_0$ is data and $x_T$ is nearly noise. *Early* means small $t$, little
#   noise; *late* means large $t$. The code keeps $\beta_t$ and $\bar\alpha_t$ in tables of $T + 1$ entries;
#   entry 0 is clean data. It is easy to be off by one: see the end of this chapter.
# - $\mathcal{N}(x;\, m, v)$ is the density at $x$ of a normal with mean $m$ and **variance** $v$.
#   $\mathbb{E}_{q(x)}[f(x)]$ is the mean of $f(x)$ when $x$ is drawn from $q$.
# - $q$ stands for the densities of the data and of the noising, $p$ for those of the model. Which one is
#   meant is seen from the variables: $q(x_t \mid x_0)$ is the density of $x_t$ when $x_0$ is given.
# - $\beta_t$, strictly between 0 and 1, is the *variance* of the noise added at step $t$. The forward
#   step has density $q(x_t \mid x_{t-1})$, normal with mean $\sqrt{1 - \beta_t}\, x_{t-1}$ and variance
#   $\beta_t$ in each coordinate.
# - $\bar\alpha_t$ is the product of all $1 - \beta_s$ with $s \le t$. Papers write $\alpha_t$ for
#   $1 - \beta_t$ [@ho2020ddpm], and some write $\alpha_t$ for our $\bar\alpha_t$ [@song2021ddim]; here
#   $1 - \beta_t$ has no letter of its own. Formulas in which $\bar\alpha_{t-1}$ occurs take it strictly between
#   0 and 1, which means $t \ge 2$; the first step is treated apart.
# - $\mathrm{SNR}_t$ is the signal-to-noise ratio $\bar\alpha_t / (1 - \bar\alpha_t)$.
# - Every covariance is a multiple of the identity, so coordinates are independent given $x_0$. The
#   statements about densities are written for one coordinate; those about losses for vectors of $d$
#   coordinates, checked for $d \le 3$.
# - Logarithms are natural, so divergences are in nats.

# %%
from genmath.proof import *

x0, x1, xp, xt, eps = variables("x_0 x_1 x_{t-1} x_t eps")
beta, abar_prev, beta_1 = fractions("beta_t alpha_bar_{t-1} beta_1")
abar = define("alpha_bar_t", (1 - beta) * abar_prev)
step = Normal(xt, sqrt(1 - beta) * xp, beta)
before = Normal(xp, sqrt(abar_prev) * x0, 1 - abar_prev)
after = Normal(xt, sqrt(abar) * x0, 1 - abar)

b = Sequence("beta", domain="unit")
s, t, T = naturals("s t T")
f, g = Function("f"), Function("g")


q_0, eps_hat = Density("q", x0), Function("eps_theta")
noisy = define("x_t", sqrt(abar) * x0 + sqrt(1 - abar) * eps)
simple_loss = define("L_{simple}(t)", E((q_0(x0), Normal(eps, 0, 1)), (eps - eps_hat(noisy)) ** 2))


def alpha_bar(n):
    """The product of 1 - beta_s over s = 1, ..., n."""
    return product(1 - b[s], s, 1, n)


# %% [markdown]
# ## Noising in one jump
#
# !!! example "By hand"
#
#     Take $x_0 = 1$ and two steps with $\beta_1 = 0.1$ and $\beta_2 = 0.2$. The first step has mean
#     $\sqrt{0.9} \approx 0.949$ and variance $0.1$. The second shrinks both and adds its own noise: the mean
#     becomes $\sqrt{0.8} \cdot 0.949 \approx 0.849$ and the variance $0.8 \cdot 0.1 + 0.2 = 0.28$. In one
#     jump: $\bar\alpha_2 = 0.9 \cdot 0.8 = 0.72$, so the mean is $\sqrt{0.72} \approx 0.849$ and the variance
#     $1 - 0.72 = 0.28$. The same.
#
# Training needs $x_t$ for a random $t$, and running $t$ steps to get it would be slow. It is not needed: the
# steps are linear and the noise is normal, so $t$ steps are one step with a larger variance. The result,
# $q(x_t \mid x_0)$, is called the *forward marginal*: *forward* because noise is added, *marginal* because
# the points between $x_0$ and $x_t$ have been integrated out. The proof is by induction. The base,
# `ddpm.forward_marginal[base]`, is the first step; `ddpm.forward_marginal[clean]` is the
# convention of the tables, the empty product. The step, `ddpm.forward_marginal[step]`, says that one forward
# step takes the formula for $t - 1$ to the formula for $t$. Each of these is checked; that together they give
# every $t$ is the principle of induction.
#
# Four more parts are used later. `ddpm.forward_marginal[recursion]` goes from $\bar\alpha_t$ to
# $\bar\alpha_{t+1}$, and `ddpm.forward_marginal[remaining]` is the same for the variance.
# `ddpm.forward_marginal[noise]` is what code does, draw the noise and add it: every function $f$ of the result
# has the same mean as under the forward marginal, so both are the same distribution.
# `ddpm.forward_marginal[stationary]` says that noise stays noise: if $x_{t-1}$ is standard normal, so is
# $x_t$. This is why the scale $\sqrt{1 - \beta_t}$ is there.
#
# In code: `genmath.ddpm.add_noise`; the tables are `genmath.paths.Schedule`.


# %%
@derivation("The forward marginal, by induction")
def forward_marginal(d):
    d.start(alpha_bar(0), name="clean", words="clean data: an empty product")
    d.equals(1, by="a product without factors is one: entry 0 of the table is clean data")

    abar_1 = define("alpha_bar_1", alpha_bar(1))
    d.start(Normal(x1, sqrt(1 - b[1]) * x0, b[1]), name="base", words="the first step")
    d.equals(Normal(x1, sqrt(abar_1) * x0, 1 - abar_1), by="the product over one step is its only factor")

    d.start(alpha_bar(t + 1), name="recursion", words=r"one more factor of $\bar\alpha$")
    d.equals((1 - b[t + 1]) * alpha_bar(t), by="split off the last factor of the product")

    d.start(1 - alpha_bar(t + 1), name="remaining", words="how the variance of the noise grows")
    d.equals((1 - b[t + 1]) * (1 - alpha_bar(t)) + b[t + 1],
             by="the old noise shrinks with the signal and the new noise is added")

    d.start(integral(step * Normal(xp, 0, 1), xp), name="stationary", words="noise stays noise")
    d.equals(Normal(xt, 0, 1), by="the shrunk variance and the added one sum to one")

    d.start(E(Normal(eps, 0, 1), f(sqrt(abar) * x0 + sqrt(1 - abar) * eps)), name="noise", words="as code draws it")
    d.equals(E(after, f(xt)), by="$x_t$ is linear in $\\epsilon$: change the variable of integration")

    d.start(integral(step * before, xp), name="step", words=r"from $t - 1$ to $t$")
    d.equals(after, by="a linear map of a normal plus normal noise is normal: means map, variances add")

    d.slip(
        "hf-cov-sqrt",
        wrong=equal(integral(step * before, xp), Normal(xt, sqrt(abar) * x0, sqrt(1 - abar))),
        right=equal(integral(step * before, xp), after),
        source="huggingface/diffusion-models-class issues #18 (fixed in unit1/01) and #63",
        why="the standard deviation stands where the variance belongs",
    )
    d.slip(
        "hf-noise-scaled-beta",
        wrong=equal(E(Normal(eps, 0, 1), f(sqrt(1 - beta) * xp + beta * eps)), E(step, f(xt))),
        right=equal(E(Normal(eps, 0, 1), f(sqrt(1 - beta) * xp + sqrt(beta) * eps)), E(step, f(xt))),
        source="huggingface/diffusion-models-class issue #63",
        why="beta_t is the variance of the noise, so the noise is scaled by its root",
    )
    noise_1, noise_2 = define("beta_bar_t", product(b[s], s, 1, t)), define("beta_bar_{t+1}", product(b[s], s, 1, t + 1))
    d.slip(
        "digress-betabar",
        wrong=equal(noise_2, (1 - b[t + 1]) * noise_1 + b[t + 1]),
        right=equal(1 - alpha_bar(t + 1), (1 - b[t + 1]) * (1 - alpha_bar(t)) + b[t + 1]),
        source="cvignac/DiGress issue #41",
        why="The share of noise after t steps is 1 minus the product of the shares of signal, ᾱ_t. The product of the shares of noise is "
        "something else: it shrinks with every step, while noise grows.",
    )


# %% [markdown]
# **What it means.** The squared scale of the data, $\bar\alpha_t$, and the variance of the noise,
# $1 - \bar\alpha_t$, add up to one at every step, so data of variance 1 keep variance 1 on the whole way. One
# number, $\bar\alpha_t$, says where on the way a
# point is, and training may jump to any $t$ at the price of one draw.
#
# ## Is anything left of the data?
#
# The list of all $\beta_t$ is called a *schedule*. Two are common. In the *linear* one $\beta_t$ grows along a
# line, from $0.0001$ to $0.02$ in 1000 steps. The *cosine* one starts from the wish for $\bar\alpha_t$, nearly the
# squared cosine of an angle that grows from 0 to 90 degrees, and takes the $\beta_t$ that give it.
#
# {{ picture ddpm.signal }}
#
# The model starts from pure noise, so $\bar\alpha_T$ should be nearly zero. Its logarithm is a sum, and the
# inequality $\log u \le u - 1$, used once for $u = 1 - \beta_s$ and once for $u = 1 / (1 - \beta_s)$, gives a
# bound on each side.
#
# Two conclusions follow. The bounds are checked for every $T$ and every sequence; the two limits are argued
# here in words.
#
# *One fixed sequence, T growing.* If the $\beta_s$ add up to infinity, `ddpm.alpha_bar_vanishes[upper]` sends
# the logarithm to minus infinity and the signal dies. If they add up to something finite, then
# $\beta_s \to 0$, so from some step on they are all below a half. There the bound of
# `ddpm.alpha_bar_vanishes[lower]` is at least minus twice a finite sum, and the finitely many earlier factors
# are positive. So the signal dies exactly when the sum of the $\beta_s$ is infinite.
#
# *A finer and finer schedule.* Practice refines one curve instead: step $s$ gets $\beta(s/T)/T$, where
# $\beta$ is a bounded positive curve on $[0, 1]$ with a Riemann integral. Let $M$ be any number above the
# curve. Once $T > M$, all steps are below $c = M / T < 1$, and `ddpm.alpha_bar_vanishes[upper]` and
# `ddpm.alpha_bar_vanishes[small_steps]` put the logarithm between minus the sum of the steps and the same
# thing over $1 - c$. (There a step below $c$ is written $c\,w_s$, with $w_s$ between 0 and 1.) The sum is a
# Riemann sum of the curve and $c \to 0$, so both ends tend to minus the
# integral of the curve. The limit of $\bar\alpha_T$ is the exponential of that, and it is *not zero*: more
# steps do not remove the signal, only a larger integral does.


# %%
@derivation("How much signal is left")
def alpha_bar_vanishes(d):
    log_signal = log(alpha_bar(T))
    d.start(log_signal, name="upper", words="an upper bound")
    d.equals(total(log(1 - b[s]), s, 1, T), by="the logarithm of a product is the sum of the logarithms")
    d.at_most(-total(b[s], s, 1, T), by="$\\log u \\le u - 1$ at $u = 1 - \\beta_s$",
              because=total(log_gap(1 - b[s]), s, 1, T))

    d.start(log_signal, name="lower", words="a lower bound")
    d.equals(-total(log(1 / (1 - b[s])), s, 1, T), by="the logarithm of a reciprocal changes sign")
    d.at_least(-total(b[s] / (1 - b[s]), s, 1, T), by="$\\log u \\le u - 1$ at $u = 1/(1 - \\beta_s)$",
               because=total(log_gap(1 / (1 - b[s])), s, 1, T))

    c, w = fractions("c"), Sequence("w", domain="unit")
    beta_s = define("beta_s", c * w[s])
    d.start(log(product(1 - beta_s, s, 1, T)), name="small_steps", words="when every step is small")
    d.at_least(-total(beta_s / (1 - beta_s), s, 1, T), by="the lower bound, for steps below c",
               because=total(log_gap(1 / (1 - beta_s)), s, 1, T))
    d.at_least(-total(beta_s, s, 1, T) / (1 - c), by="every step is below $c$, so every denominator is above $1 - c$",
               because=total(beta_s * (c - beta_s) / ((1 - c) * (1 - beta_s)), s, 1, T))


# %% [markdown]
# **What it means.** What counts is the sum of the $\beta_t$. For the usual thousand steps from 0.0001 to 0.02 it is
# 10.05, and no more than 0.00005 of the squared signal is left.

# %% [markdown]
# ## The posterior: undoing one step, if the data were known
#
# {{ picture ddpm.posterior }}
#
# The reverse step $q(x_{t-1} \mid x_t)$ cannot be computed, since it depends on the whole data distribution.
# Given the clean data as well, it can: by Bayes' rule $q(x_{t-1} \mid x_t, x_0)$ is the product of
# $q(x_t \mid x_{t-1})$ and $q(x_{t-1} \mid x_0)$, divided by $q(x_t \mid x_0)$. (Once $x_{t-1}$ is known, $x_0$
# says nothing more about $x_t$.) This density of the earlier point is called the *posterior*. All three
# factors are normal, and the quotient is a normal *exactly*, including the constant in front. We write
# $\tilde\mu_t$ for its mean and $\tilde\beta_t$ for its variance.
#
# One over a variance is called a *precision*. There are two sources. From $x_0$ we know that $x_{t-1}$ lies near
# $\sqrt{\bar\alpha_{t-1}}\, x_0$, with variance $1 - \bar\alpha_{t-1}$. From $x_t$ we know, solving the forward
# step for $x_{t-1}$, that it lies near $x_t / \sqrt{1 - \beta_t}$, with variance $\beta_t / (1 - \beta_t)$. The
# precision of the posterior, $\lambda$ below, is the sum of both precisions; its mean weighs the two places by
# their precisions. At the first step nothing is left to be
# uncertain about: with the table's $\bar\alpha_0 = 1$ the mean is the data (`ddpm.posterior[first_weight]`)
# and the variance is zero (`ddpm.posterior[first_variance]`). In these two lines $\sigma_1$ is
# the variance $1 - \bar\alpha_1$ itself, and not its root; elsewhere it is a standard deviation.
#
# In code: `genmath.ddpm.posterior`.

# %%
beta_tilde = define("beta_tilde_t", (1 - abar_prev) / (1 - abar) * beta)
k_0 = define("k_0", sqrt(abar_prev) * beta / (1 - abar))
k_t = define("k_t", sqrt(1 - beta) * (1 - abar_prev) / (1 - abar))
mu_tilde = define("mu_tilde_t", k_0 * x0 + k_t * xt)


@derivation("The posterior of the previous step")
def posterior(d):
    precision = define("lambda", (1 - beta) / beta + 1 / (1 - abar_prev))
    d.start(1 / precision, name="variance", words="its variance")
    d.equals(beta_tilde, by="one fraction; its numerator is the variance left at step $t$")

    d.start((sqrt(1 - beta) * xt / beta + sqrt(abar_prev) * x0 / (1 - abar_prev)) / precision, name="mean", words="its mean")
    d.equals(mu_tilde, by="the mean weighs both sources by their precisions")

    abar_0 = define("alpha_bar_0", 1)
    noise_1 = define("sigma_1", 1 - (1 - beta_1) * abar_0)
    d.start(sqrt(abar_0) * beta_1 / noise_1, name="first_weight", words="at the first step: the weight of the data")
    d.equals(1, by="at $t = 1$ the mean is the data, with weight one")
    d.start((1 - abar_0) / noise_1 * beta_1, name="first_variance", words="at the first step: the variance")
    d.equals(0, by="at $t = 1$ the data are known")

    d.start(step * before / after)
    d.equals(Normal(xp, mu_tilde, beta_tilde), by="complete the square in $x_{t-1}$: what is left over cancels, and so do the normalisers")

    d.slip(
        "varun-posterior-variance",
        wrong=equal(1 / precision, beta * (1 - abar_prev) / beta),
        right=equal(1 / precision, beta * (1 - abar_prev) / (1 - abar)),
        source="varun-ml/diffusion-models-tutorial PR #1",
        why="The denominator is 1 − ᾱ_t, of all steps together. With α_t it is β_t, which cancels: the variance would no longer depend on "
        "the size of its step.",
    )
    a = positives("a")
    d.slip(
        "labml-beta-tilde",
        wrong=equal(1 / precision, (1 - abar_prev) / a),
        right=equal(1 / precision, (1 - abar_prev) / (1 - abar) * beta),
        source="labml issue #220, commits 4eec7a4e and a2d6e805",
        why="The denominator is a letter a that is defined nowhere, and as a free letter it makes the claim false. In a second file the "
        "slip survived the first correction by 14 months.",
    )


# %% [markdown]
# !!! example "By hand"
#
#     Again $\beta_1 = 0.1$ and $\beta_2 = 0.2$, with $x_0 = 1$ and $x_2 = 0$. From the data, $x_1$ has mean
#     $0.949$ and variance $0.1$, so precision $10$. From $x_2 = 0$, $x_1$ lies around $0$ with variance
#     $0.2 / 0.8 = 0.25$, so precision $4$. Together: precision $14$, variance $1/14 \approx 0.071$, and mean
#     $(10 \cdot 0.949 + 4 \cdot 0) / 14 \approx 0.678$. The formula agrees:
#     $\tilde\beta_2 = \frac{0.1}{0.28} \cdot 0.2 \approx 0.071$.
#
# ## The same mean, from the noise
#
# A network sees $x_t$ and not $x_0$. If it guesses the noise $\epsilon$ in
# $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$, the data follow by solving for $x_0$,
# and the posterior mean takes a form from which $x_0$ and $\bar\alpha_{t-1}$ have both vanished. Put the
# network's guess for $\epsilon$ into it and you have the sampler's step.
#
# **Why predict the noise?** Guessing $x_0$, guessing $\epsilon$ and guessing the mean say the same thing, since
# $x_t$ is known. But the noise has variance one at every step, so a network is asked for numbers of the same
# size at all noise levels. Late in the chain the best guess of the data is hardly more than their mean; the
# best guess of the noise is nearly the input itself, which a network can copy. Early it is the other way
# round: there $x_t$ is nearly the data, and its noise is hard to see. Other predictions are compared in
# [Flow matching](flow_matching.py) under *Five names for one prediction*.
#
# {{ picture ddpm.prediction }}
#
# In code: `genmath.ddpm.posterior_mean_from_eps` and `genmath.ddpm.ancestral_step`.


# %%
@derivation("The posterior mean in terms of the noise")
def posterior_mean_from_eps(d):
    x_t = define("x_t", sqrt(abar) * x0 + sqrt(1 - abar) * eps)
    d.start(k_0 * x0 + k_t * x_t)
    d.equals((x_t - beta / sqrt(1 - abar) * eps) / sqrt(1 - beta), by="collect the terms in $x_0$ and in $\\epsilon$")
    d.slip(
        "classic-mu-alpha",
        wrong=equal(k_0 * x0 + k_t * x_t, (x_t - beta / sqrt(1 - abar) * eps) / sqrt(abar)),
        right=equal(k_0 * x0 + k_t * x_t, (x_t - beta / sqrt(1 - abar) * eps) / sqrt(1 - beta)),
        source="a common slip, no single source",
        why="One step back divides by the root of α_t. To divide by the root of ᾱ_t is to undo all steps at once.",
    )


# %% [markdown]
# **Try it.** Draw a few points, choose DDIM with fresh noise $\eta = 1$, which is a DDPM that skips steps, and lower the number
# of steps: the particles miss the points.
#
# {{ explorer path }}
#
# ## The bound
#
# So far nothing says that the noise is the right thing to guess. We want the model to give the data a high
# density; from this the loss is derived now.
#
# The model draws $x_T$ from $p_T$ and each earlier variable from $p_t(x_{t-1} \mid x_t)$. A *path* is
# $(x_1, \dots, x_T)$. Write $p$ for the model's density of data and path together, $p_\theta$ for its density of
# the data $x_0$ alone, and $q$ for the encoder: the forward chain, which draws the path when $x_0$ is given.
#
# 1. $p_\theta$ is the integral of $p$ over all paths. Divide by $q$ and multiply with it: that is the average of
#    $p / q$, the *weight* of a path, over paths drawn from $q$. So $-\log p_\theta$ is minus the logarithm of an average.
# 2. The logarithm of an average is at least the average of the logarithm (*Jensen's inequality*). So
#    $-\log p_\theta$ is at most minus the average of $\log (p / q)$.
# 3. Both $p$ and $q$ are products with one factor for each step. Bayes' rule turns every forward factor but the
#    first around: $q(x_t \mid x_{t-1})$ is the posterior $q(x_{t-1} \mid x_t, x_0)$ times
#    $q(x_t \mid x_0) / q(x_{t-1} \mid x_0)$. In the product these ratios cancel with each other and with the first
#    factor, $q(x_1 \mid x_0)$. Only $q(x_T \mid x_0)$ is left of them.
# 4. The logarithm of the product is a sum, with one term for each step. $L_T$ is the KL from $q(x_T \mid x_0)$ to
#    the start $p_T$, and no network changes it. For each $t \ge 2$ there is one $L_{t-1}$, the mean KL from the
#    posterior to the model's reverse step $p_t$. And $L_0$ is the mean of $-\log p_1(x_0 \mid x_1)$, the
#    *reconstruction*.
#
# **The sum bounds the negative log-likelihood $-\log p_\theta$ from above: it is the negative ELBO, to be
# minimised.** In the formulas below $q_{t|0}$ is $q(x_t \mid x_0)$, $q_{t-1|t,0}$ is the posterior, and a small
# variable at the sign of a divergence is the one that it integrates over.
#
# This derivation does not need normal densities. Any chains with positive densities will do, discrete ones
# included, if each variable depends only on its neighbour (*Markov chains*). It is
# checked for $T \le 3$; every step of the argument reads the same for larger $T$. `ddpm.negative_elbo[gap]`
# says how much Jensen's inequality gives away: the KL from the encoder to $p_{post}$, the model's own density
# of the path when the data are given.
#
# In code: `genmath.ddpm.bound_terms`, whose `total` is this bound, and `genmath.likelihood.bits_per_dim` for the units.


# %%
@derivation("The bound, step by step", T=(1, 2, 3))
def negative_elbo(d, T):
    xs = variables("x_0 x_1 x_2 x_3")[: T + 1]
    q = [Density(f"q_{i}", xs[i], given=xs[i - 1], positive=True)(xs[i] | xs[i - 1]) for i in range(1, T + 1)]
    p = [Density(f"p_{i}", xs[i - 1], given=xs[i], positive=True)(xs[i - 1] | xs[i]) for i in range(1, T + 1)]
    prior = Density("p_T", xs[T], positive=True)(xs[T])
    encoder, model = define("q", times(q)), define("p", times([prior, *p]))
    marginal = [q[0], *(define(f"q_{{{i}|0}}", integral(times(q[:i]), *xs[1:i])) for i in range(2, T + 1))]
    px = define("p_theta", integral(model, *xs[1:]))

    d.start(E(tuple(q), log_gap(model / encoder / px)), name="gap", words="what Jensen's inequality gives away")
    d.equals(KL(encoder, define("p_{post}", model / px), over=xs[1:]),
             by="the weights average to the marginal, which leaves minus the logarithm of their ratio to it")

    d.start(-log(px), name="bound", words="the bound")
    d.equals(-log(E(tuple(q), model / encoder)), by="the weights p/q of the paths average to the marginal")
    d.at_most(-E(tuple(q), log(model / encoder)), by="Jensen: $\\log u \\le u - 1$ at $u = p/(q\\, p_\\theta)$",
              because=E(tuple(q), log_gap(model / encoder / px)))
    terms = KL(marginal[T - 1], prior, over=xs[T])
    for i in range(T, 1, -1):
        turned = define(f"q_{{{i - 1}|{i},0}}", q[i - 1] * marginal[i - 2] / marginal[i - 1])
        terms = terms + E(tuple(q), KL(turned, p[i - 1], over=xs[i - 1]))
    terms = terms - E(tuple(q), log(p[0]))
    d.equals(terms, by="Bayes' rule turns the forward factors around, and the marginals cancel in a row")

    if T == 2:
        d.slip(
            "notes-ddpm-elbo-sign",
            wrong=log(px) >= terms,
            right=-log(px) <= terms,
            source="lecture notes 'The mathematics of generative models', 5.3",
            why="called the ELBO, the sum would bound the log-likelihood from below; it bounds its negative from "
            "above, and maximising it would be wrong",
            because=E(tuple(q), log_gap(model / encoder / px)),
        )


# %% [markdown]
# **What it means.** The bound falls into $T + 1$ pieces, and all but that of the data compare two densities at one step. So training
# need not run a chain: it draws a step at random, jumps there, and compares.

# %% [markdown]
# ## Each term is a squared error
#
# Now the steps are normal again. The model's reverse step has the mean $\mu_\theta$ of a network and a variance
# $\sigma_t^2$ that is *chosen*, so the KL in $L_{t-1}$ is between normals of different variances. It is the squared
# distance of the means over twice the model's variance, plus a constant that no network changes, called $C_t$ below.
# (`ddpm.transition_kl` is for any variance $v$ of the posterior; in a DDPM it is $\tilde\beta_t$. From here on
# points, means and noise are vectors of $d$ coordinates; $\mathbf{I}$ is the identity matrix.)
#
# The constant depends only on $\rho$, the variance of the posterior divided by the model's. It is zero for one choice
# only, $\sigma_t^2 = \tilde\beta_t$. `ddpm.transition_constant[beta]`
# shows what it is for $\sigma_t^2 = \beta_t$, and bounds it from below by a square. That square is positive
# because $\bar\alpha_{t-1} > \bar\alpha_t$, so $\rho < 1$. Leave the constant out, and the reported likelihood is too good.
#
# In code: `genmath.ddpm.transition_term`.

# %%
X0, XP, XT, EPS = vectors("x_0 x_{t-1} x_t eps")
mu_theta, mu_post, eps_theta, x_theta = mean_vectors("mu_theta mu_tilde_t eps_theta x_theta")
sigma, v = positives("sigma_t v")
dim = define("d", trace(identity))


def cost(variance):
    """What the bound pays for a reverse step of variance sigma_t², where the posterior has another."""
    return dim / 2 * (variance / sigma**2 - 1 + log(sigma**2 / variance))


@derivation("One term of the bound", dims=(1, 2, 3), takes=(mu_post, v, mu_theta, sigma))
def transition_kl(d):
    d.start(KL(Normal(XP, mu_post, v * identity), Normal(XP, mu_theta, sigma**2 * identity)))
    d.equals(norm2(mu_post - mu_theta) / (2 * sigma**2) + cost(v),
             by="the mean squared distance to the model's mean is that of the means plus $d$ times $v$")


constant = define("C_t", cost(beta_tilde))


@derivation("The constant of the variance", dims=(1, 2, 3))
def transition_constant(d):
    ratio = define("rho", beta_tilde / sigma**2)
    d.start(constant, name="any", words="for any variance")
    d.equals(dim / 2 * log_gap(ratio), by="the constant depends on the ratio of the variances only")
    d.at_least(dim / 2 * (1 - sqrt(ratio)) ** 2, by="$\\log u \\le u - 1$ at $u = \\sqrt{\\rho}$",
               because=dim * log_gap(sqrt(ratio)))

    ratio = define("rho", (1 - abar_prev) / (1 - abar))
    d.start(dim / 2 * (beta_tilde / beta - 1 + log(beta / beta_tilde)), name="beta", words=r"for $\sigma_t^2 = \beta_t$")
    d.equals(dim / 2 * log_gap(ratio), by="$\\beta_t$ cancels from the ratio of the variances")
    d.at_least(dim / 2 * (1 - sqrt(ratio)) ** 2, by="$\\log u \\le u - 1$ at $u = \\sqrt{\\rho}$",
               because=dim * log_gap(sqrt(ratio)))


# %% [markdown]
# **What it means.** The network has one task, to put its mean where the posterior's mean is. Nothing else in
# these terms depends on it. (The reconstruction $L_0$ depends on it too, and in the same way:
# `ddpm.reconstruction_term`.)
#
# Now write both means of `ddpm.transition_kl` in terms of the noise: the true noise in one, the guessed noise
# in the other. $x_t$ is known to both, so it cancels, and the squared distance of the means becomes a squared
# error of the noise **times a weight**. That weight depends on the step and on the variance chosen. The loss
# that is used in practice, $L_{\mathrm{simple}}$ [@ho2020ddpm], puts 1 in its place and draws $t$ uniformly.
# It is the bound *reweighted*. Suppose that the network can fit every step by itself: then each term is
# minimised alone, a positive weight does not matter, and the minimiser is the same. But the value of
# $L_{\mathrm{simple}}$ is not the value of the bound, so it says nothing about the likelihood.
#
# **Why weight 1?** The weight of the bound is largest at the first steps, where a little noise has to be taken
# from nearly clean data. That decides the likelihood, which counts every last digit of a pixel, and it is not
# what an eye sees. Weight 1 moves the effort of the network to the middle of the chain, where shapes are
# decided: worse likelihoods, better pictures [@ho2020ddpm].
#
# {{ picture ddpm.weights }}
#
# In code: `genmath.ddpm.loss_weight` and `genmath.ddpm.denoising_loss`.

# %%
squared = norm2(EPS - eps_theta)
weight = beta**2 / (2 * sigma**2 * (1 - beta) * (1 - abar))
mean_eps = define("mu_tilde_t", (XT - beta / sqrt(1 - abar) * EPS) / sqrt(1 - beta))
mean_net = define("mu_theta", (XT - beta / sqrt(1 - abar) * eps_theta) / sqrt(1 - beta))


@derivation("The loss in terms of the noise", dims=(1, 2, 3))
def loss_weight(d):
    d.start(weight * squared, name="simple", words="a distance of the means")
    d.equals(norm2(mean_eps - mean_net) / (2 * sigma**2), by="both means hold the same $x_t$, so only the two noises differ")

    d.start(beta**2 / (2 * beta_tilde * (1 - beta) * (1 - abar)), name="posterior", words="the weight for the variance of the posterior")
    d.equals(beta / (2 * (1 - beta) * (1 - abar_prev)), by="the weight for the variance of the posterior")

    d.start(KL(Normal(XP, mean_eps, beta_tilde * identity), Normal(XP, mean_net, sigma**2 * identity)))
    d.equals(norm2(mean_eps - mean_net) / (2 * sigma**2) + constant, by="one term of the bound, as above, for the variance of the posterior",
             because=transition_kl(mean_eps, beta_tilde, mean_net, sigma))
    d.equals(weight * squared + constant, by="$x_t$ cancels from the difference of the means")

    d.slip(
        "notes-lsimple-by-substitution",
        wrong=equal(norm2(mean_eps - mean_net) / (2 * sigma**2) + constant, squared),
        right=equal(norm2(mean_eps - mean_net) / (2 * sigma**2) + constant, weight * squared + constant),
        source="lecture notes 'The mathematics of generative models', 5.3",
        why="substitution gives a weighted error and a constant; L_simple drops both",
    )


# %% [markdown]
# The same divergence for a network $x_\theta$ that guesses the data [@kingma2021vdm]. With the variance of the
# posterior there is no constant, and the weight is half of what the signal-to-noise ratio loses at the step: the
# bound pays for a loss of signal at the step where it happens. `ddpm.snr_weight[noise]` is the same weight for an
# error of the noise, and agrees with `ddpm.loss_weight[posterior]`.
#
# In code: `genmath.ddpm.snr_weight`.

# %%
snr_prev = define("SNR_{t-1}", abar_prev / (1 - abar_prev))
snr = define("SNR_t", abar / (1 - abar))


@derivation("The loss in terms of the data", dims=(1, 2, 3))
def snr_weight(d):
    d.start(beta / (2 * (1 - beta) * (1 - abar_prev)), name="noise", words="for an error of the noise")
    d.equals((snr_prev / snr - 1) / 2, by="the weight of the noise is half a relative loss of signal")

    d.start((snr_prev - snr) / 2, name="weight", words="for an error of the data")
    d.equals(k_0**2 / (2 * beta_tilde), by="the squared coefficient of $x_0$ over twice the variance")

    true, guess = define("mu_tilde_t", k_0 * X0 + k_t * XT), define("mu_theta", k_0 * x_theta + k_t * XT)
    d.start(KL(Normal(XP, true, beta_tilde * identity), Normal(XP, guess, beta_tilde * identity)))
    d.equals(norm2(true - guess) / (2 * beta_tilde), by="equal variances leave only the distance of the means")
    d.equals((snr_prev - snr) / 2 * norm2(X0 - x_theta), by="$x_t$ cancels; the coefficient of $x_0$ makes the weight")


# %% [markdown]
# **What it means.** Each step costs half the signal-to-noise ratio that it destroys, times how badly the data are
# guessed there. Over a fine chain the costs add up to an integral that does not depend on how the steps were
# spaced; only its two ends matter [@kingma2021vdm].
#
# ## The two ends of the chain { .advanced }
#
# $L_T$ compares what is left of the data with the prior $p_T$, a standard normal, and holds no network: it is the
# price of a chain that is too short. $L_0$ is the mean of minus the logarithm of a density at the data point itself, so it is no KL. Its
# normal has a standard deviation that is chosen, here called $\sigma_1$. For continuous data and a small variance
# it can be negative without bound. (Images are integers, and the
# original paper [@ho2020ddpm] integrates this normal over the bin of each pixel:
# `genmath.ddpm.discretized_log_likelihood`.)
#
# In code: `genmath.ddpm.prior_term` and `genmath.ddpm.reconstruction_term`.


# %%
@derivation("The prior term", dims=(1, 2, 3))
def prior_term(d):
    at_t = fractions("alpha_bar_T")
    XE = vectors("x_T")
    d.start(KL(Normal(XE, sqrt(at_t) * X0, (1 - at_t) * identity), Normal(XE, 0 * X0, identity)))
    d.equals((at_t * norm2(X0) - dim * (at_t + log(1 - at_t))) / 2, by="second moments of a normal around the prior's mean")


@derivation("The reconstruction term", dims=(1, 2, 3))
def reconstruction_term(d):
    sigma_1 = positives("sigma_1")
    x_1 = define("x_1", sqrt(1 - beta_1) * X0 + sqrt(beta_1) * EPS)
    mean_1 = define("mu_theta", (x_1 - sqrt(beta_1) * eps_theta) / sqrt(1 - beta_1))
    d.start(-log(Normal(X0, mean_1, sigma_1**2 * identity)))
    d.equals(beta_1 / (2 * sigma_1**2 * (1 - beta_1)) * squared + dim / 2 * log(2 * pi * sigma_1**2),
             by="the data cancel from the distance to the mean, and the scaled error of the noise is left")


# %% [markdown]
# **What it means.** The ends add little. At the far end there is nothing to train, and next to nothing to pay once
# the signal is gone. At the near end stands one more squared error of the noise, which is why $L_\text{simple}$ may
# treat it like the others.

# %% [markdown]
# ## Why so many steps?
#
# The bound holds for any chain, but it gives little away only if the true step back (the one that does not know
# $x_0$) is nearly normal, as the model's is.
# A point between two peaks may come from either. A long step back must then reach one of the two, so its
# density has two peaks, and a normal has only one. A short step is different: over so short a distance the
# density changes little, and the true step back *is* nearly normal. This
# is why a DDPM takes hundreds of steps, one call of the network each, and why its sampler cannot simply skip
# some: a step that was trained short would have to be long. [Implicit diffusion](ddim.py) shows what can be done about it.
#
# {{ picture ddpm.reverse_step }}
#
# ## Which variance? { .advanced }
#
# The bound may also be minimised over the variance of the reverse step [@bao2022analytic]. Take any joint
# density $r$ of two neighbouring steps. Let the model's reverse step be a normal whose mean is a function $g$ of
# $x_t$, with variance $s$. What the bound pays is the mean of minus its logarithm, called *cross-entropy*. It
# depends on $g$ through the mean squared error alone. Over all $g$ that error is least for the conditional mean
# $m$, the mean of $x_{t-1}$ when $x_t$ is given. And if the error is $v$, the cross-entropy is least when the
# variance $s$ *is* $v$. So the optimal variance is the smallest mean squared error with which
# $x_{t-1}$ can be guessed from $x_t$. With $d$ coordinates and one variance for all, it is the average of
# theirs.


# %%
@derivation("The best normal reverse step")
def best_reverse_step(d):
    r = Density("r", xp, xt)
    y = copies(xp, 1)[0]
    error = E(r(xp, xt), (xp - g(xt)) ** 2)
    variance = positives("s")
    d.start(E(r(xp, xt), -log(Normal(xp, g(xt), variance))), name="cross_entropy", words="what the bound pays")
    d.equals(log(2 * pi * variance) / 2 + error / (2 * variance), by="the logarithm of the normal density")

    mean = define("m", E(r(y | xt), y))
    d.start(error, name="mean", words="the best mean")
    d.equals(E(r(xp, xt), (xp - mean) ** 2) + E(r(xt), (mean - g(xt)) ** 2),
             by="given $x_t$, the deviation from the conditional mean averages to zero, so the cross term vanishes")
    d.at_least(E(r(xp, xt), (xp - mean) ** 2), by="a square is not negative",
               because=E(r(xt), (mean - g(xt)) ** 2))

    d.start(log(2 * pi * variance) / 2 + v / (2 * variance), name="variance", words="the best variance")
    d.at_least(log(2 * pi * v) / 2 + number(1) / 2, by="$\\log u \\le u - 1$ at $u = v/s$", because=log_gap(v / variance) / 2)
    d.tight_when(variance, v)


# %% [markdown]
# How large is that error? One part of it nobody can avoid: even with the data known, $x_{t-1}$ scatters
# around the posterior mean. The rest comes from not knowing the data. `ddpm.reverse_error` says so for any
# joint density of data and $x_t$, any coefficients $k$ and $l$, and any function $\hat x$ of $x_t$ that
# is put in the place of the data. $\hat\mu_t$ is the mean with $\hat x$ in it.

# %%
k, l = reals("k l")
r_0 = Density("r", x0, xt)
x_hat = Function("x_hat")


@derivation("What is not known about the data costs", takes=(k, l, v))
def reverse_error(d):
    mean, guess = define("mu_tilde_t", k * x0 + l * xt), define("mu_hat_t", k * x_hat(xt) + l * xt)
    d.start(E((r_0(x0, xt), Normal(xp, mean, v)), (xp - guess) ** 2), name="error", words="the error of a guess")
    d.equals(v + k**2 * E(r_0(x0, xt), (x0 - x_hat(xt)) ** 2),
             by="given $x_0$ and $x_t$, the mean squared deviation of $x_{t-1}$ is its variance, and the cross term averages to zero")
    d.at_least(v, by="a square is not negative", because=k**2 * E(r_0(x0, xt), (x0 - x_hat(xt)) ** 2))


# %% [markdown]
# Now the interval. The data $q(x_0)$ is an arbitrary density with mean $m$ and variance $c$ in the coordinate at hand.
#
# - `ddpm.optimal_variance[lower]`: no mean has an error below the variance of the posterior. (Every function
#   of $x_t$ is of the form taken, since $k_0$ is not 0.) `ddpm.optimal_variance[point]`: if the data are a
#   single point, the posterior mean can be used, and its error is that variance.
# - `ddpm.optimal_variance[upper]`: for data of variance $c \le 1$, one particular linear mean already does no
#   worse than $\beta_t$; the best mean is no worse than that. `ddpm.optimal_variance[normal]`: for data from
#   the standard normal, *no* mean does better.
#
# So among data whose coordinates have variance at most 1 the optimal variance lies between the posterior's and $\beta_t$, and
# both ends occur. The lines below are checked; that the smallest error over all means has both bounds too, and that $d$ coordinates
# average, is said in words only.
#
# In code: `genmath.ddpm.reverse_variance`, with the two ends of the interval, `"posterior"` and `"beta"`.


# %%
@derivation("Where the optimal reverse variance lies")
def optimal_variance(d):
    q = Density("q", x0)
    y = copies(x0, 1)[0]
    m = define("m", E(q(y), y))
    c = define("c", E(q(y), y**2) - m**2)
    d.given_that(c <= 1)
    posterior_step = Normal(xp, mu_tilde, beta_tilde)
    data = (q(x0), before, step)

    guess = define("mu_hat_t", k_0 * x_hat(xt) + k_t * xt)
    d.start(E((r_0(x0, xt), posterior_step), (xp - guess) ** 2), name="lower", words="no mean is better than this")
    d.at_least(beta_tilde, by="the lemma, with the coefficients and the variance of the posterior",
               because=reverse_error(k_0, k_t, beta_tilde))

    d.start(E(posterior_step, (xp - mu_tilde) ** 2), name="point", words="for a single data point")
    d.equals(beta_tilde, by="for known data the best mean is the posterior mean")

    d.start(E(data, (xp - (sqrt(1 - beta) * xt + beta * sqrt(abar_prev) * m)) ** 2), name="upper", words=r"a linear mean, for data of variance $c$")
    d.equals(beta**2 * (abar_prev * c + 1 - abar_prev) + beta * (1 - beta),
             by="$x_t$ is linear in $x_{t-1}$: a part of the signal is missed and a part of the noise is let in")
    d.at_most(beta, by="the variance of the data is at most one", because=beta**2 * abar_prev * (1 - c))

    missed = E(Normal(xt, 0, 1), (sqrt(1 - beta) * xt - g(xt)) ** 2)
    reverse = Normal(xp, sqrt(1 - beta) * xt, beta)
    d.start(Normal(xt, 0, 1) * reverse, name="reversible", words="standard normal data run backwards as forwards")
    d.equals(Normal(xp, 0, 1) * step, by="for standard normal data the chain runs backwards as it runs forwards")
    d.start(E((Normal(xt, 0, 1), reverse), (xp - g(xt)) ** 2), name="normal", words="for standard normal data")
    d.equals(beta + missed, by="given $x_t$, the mean squared deviation of $x_{t-1}$ is its variance")
    d.at_least(beta, by="a square is not negative", because=missed)

    d.false_alarm(
        "pidm-sigma-choice",
        beta_tilde <= beta,
        source="jhbastek/PhysicsInformedDiffusionModels issue #4",
        why="the code takes beta_t and the paper beta_tilde_t: both are legitimate, they are the two ends of the interval. "
        "State which one is meant",
    )


# %% [markdown]
# Without the hypothesis on the data the upper bound is larger. For every density of $x_{t-1}$, even one
# without a variance, the mean $x_t / \sqrt{1 - \beta_t}$ has the same error,
# `ddpm.unrestricted_variance[any]`. The error of the linear mean $\kappa\, x_t$ when $x_{t-1}$ is normal of
# variance $v$ is `ddpm.unrestricted_variance[wide]`; for a normal the best mean is linear, so as $v$ grows the optimal
# variance tends to this bound.


# %%
@derivation("The optimal reverse variance of arbitrary data")
def unrestricted_variance(d):
    any_density = Density("q_{t-1}", xp)
    d.start(E((any_density(xp), step), (xp - xt / sqrt(1 - beta)) ** 2), name="any", words="for any density")
    d.equals(beta / (1 - beta), by="the signal cancels and only the rescaled noise of the step is left")

    gain = define("kappa", sqrt(1 - beta) * v / ((1 - beta) * v + beta))
    d.start(E((Normal(xp, 0, v), step), (xp - gain * xt) ** 2), name="wide", words="for a wide normal")
    d.equals(beta * v / ((1 - beta) * v + beta), by="the best linear guess of one normal from another")
    d.at_most(beta / (1 - beta), by="the denominator loses a positive term")


# %% [markdown]
# **What it means.** DDPM's two choices are right for two kinds of data: the posterior's variance for a single point, the larger
# one for standard normal data. Between them lies the best one for all data whose coordinates have variance at most 1.

# %% [markdown]
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - Forward: $q(x_t \mid x_0)$ is normal with mean $\sqrt{\bar\alpha_t}\, x_0$ and variance $1 - \bar\alpha_t$
#       (`ddpm.forward_marginal`).
#     - Back, if the data were known: normal, a mean weighted by precisions, variance $\tilde\beta_t$
#       (`ddpm.posterior`).
#     - The negative ELBO is a sum of KL divergences between normals (`ddpm.negative_elbo`), each a weighted squared
#       error of the noise (`ddpm.loss_weight`).
#     - $L_{\mathrm{simple}}$ puts the weight to one: same optimum, other emphasis, no likelihood.
#     - For data whose coordinates have variance at most 1 the best variance of the sampler lies between $\tilde\beta_t$ and
#       $\beta_t$ (`ddpm.optimal_variance`).
#     - Many steps, because only short steps back are nearly normal.
#
# ## Questions
#
# ??? question "With $\beta_t = 0.02$ for every step, how many steps leave less than 1 % of the data's variance?"
#
#     $0.98^t < 0.01$ means $t > \log 0.01 / \log 0.98 \approx 227.95$: 228 steps are enough. The bounds of
#     `ddpm.alpha_bar_vanishes` enclose the logarithm: $0.02\, t \le -\log \bar\alpha_t \le 0.02\, t / 0.98$.
#
# ??? question "Why is the posterior variance smaller than the variance of the forward step?"
#
#     Because it knows more: $x_{t-1}$ is told where it came from and where it went. Precisions add, so
#     $1/\tilde\beta_t$ is larger than $1/\beta_t$ alone.
#
# ??? question "A network outputs the data instead of the noise. What changes in the sampler?"
#
#     Only how the posterior mean is written: $k_0 \hat x_0 + k_t x_t$ in place of
#     `ddpm.posterior_mean_from_eps`. The loss changes its weight: see `ddpm.snr_weight`.
#
# ??? question "Somebody reports $L_{\mathrm{simple}}$ in bits per dimension. What is wrong?"
#
#     (Bits per dimension are nats over $d \log 2$, a unit for likelihoods.) It is no bound on the
#     log-likelihood: the weights are changed and the constants and the far end are left out.
#     `genmath.ddpm.bound_terms` gives the bound.
#
# ??? question "Why can the sampler not take every tenth step with the same network?"
#
#     The network could be asked, since it knows every $t$. But the normal step back was right for a short step
#     only; over ten steps the true one has several peaks. One has to change the chain, as [Implicit diffusion](ddim.py) does.
#
# {{ spot classic-mu-alpha among ddpm.posterior_mean_from_eps ddpm.forward_marginal[remaining] }}
#
# ## What the results do not say
#
# - They do not say that the true reverse step is normal. The bound holds for any model, but a normal one is tight only for small
#   steps; that is why there are many of them.
# - `ddpm.alpha_bar_vanishes` gives bounds for every finite $T$. The limits drawn from them are argued in words only.
# - `ddpm.negative_elbo` is checked for chains of at most three steps, and for positive densities.
# - That $L_{\mathrm{simple}}$ has the same minimiser holds for a network that can fit every step by itself. A real network shares
#   its weights among the steps, and then the weights of the loss decide where it errs.
# - Nothing here is about a *trained* network: no statement bounds what its errors do to the samples.
#
# ## Where sources slip
#
# Beside each derivation stand the published slips it refutes, each with its counterexample: `hf-cov-sqrt`, `hf-noise-scaled-beta` and
# `digress-betabar` at the forward marginal, `varun-posterior-variance` and `labml-beta-tilde` at the posterior,
# `classic-mu-alpha` at the mean from
# the noise, `notes-ddpm-elbo-sign` at the bound, `notes-lsimple-by-substitution` at the loss. `pidm-sigma-choice` is shown as what
# it is, a difference without a mistake. Two slips are in code and state no formula that could be checked:
#
# - `labml-ddpm-last-noise`: labml's `p_sample` adds noise at the last step too. Algorithm 2 of the paper
#   [@ho2020ddpm] returns the mean at $t = 1$; that is a rule of the sampler, not an identity.
#   `genmath.ddpm.ancestral_step` draws none there, and a test says so.
# - `udl-nb-t-plus-1`: in notebooks 18_3 and 18_4 of *Understanding Deep Learning* [@prince2023understanding]
#   the model at index $t$ should map from $z_{t+1}$ and is trained on $z_t$, so that model 0 sees data
#   without noise. Which array entry a network is trained on is not in any equation; the tables here keep
#   entry 0 for clean data, and training at step 0 gives NaN.
#
# ## References
#
# - [@ho2020ddpm]: forward chain (eq. 2), bound (eqs. 3, 5), forward marginal (eq. 4), posterior (eqs. 6, 7),
#   one term (eq. 8), mean from the noise (eqs. 10, 11), its weight (eq. 12), discretised decoder (eq. 13),
#   $L_{\mathrm{simple}}$ (eq. 14); the two variances (section 3.2).
# - [@sohldickstein2015deep]: the idea, and the bounds on the entropy of a reverse step.
# - [@kingma2021vdm]: the bound in terms of the SNR.
# - [@bao2022analytic]: the optimal reverse variance and its bounds.
# - [@song2021ddim]: writes $\alpha_t$ for $\bar\alpha_t$.
# - [@prince2023understanding]: the notebooks of chapter 18.
