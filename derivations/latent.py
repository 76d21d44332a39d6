# %% [markdown]
# # Latent diffusion
#
# A colour picture of 512 × 512 pixels is a list of 786 432 numbers. A diffusion model has to look at all of them, at
# every one of its many steps. But most of these numbers say little: a blue sky needs few words. Can we first
# squeeze the picture into a short *code*, train the diffusion model on codes, and unpack a picture only at the
# end? What do we lose, and who is to blame for a bad sample: the one who unpacks, or the one who draws codes?
#
# **The answer in a line:** train an autoencoder and freeze it; then train a diffusion model on its codes. The
# mean negative bound on the log-likelihood is the sum of the entropy of the data and two gaps, one for each stage. Each
# stage closes its own gap, and neither can close the gap of the other [@rombach2022high].
#
# {{ picture latent.question }}
#
# !!! board "On the board"
#
#     Data $x$ with their codes $z$ have the density $r$. The model draws a code from the prior $p_\psi$ and
#     decodes it with $p_\theta$. The negative bound, averaged over the data, is
#
#     {{ latent.two_stages[parts] }}
#
#     The decoder that minimises the squared error is the mean of the data with this code:
#
#     {{ define latent.conditional_mean }}
#
#     The diffusion sees codes that were shifted and scaled:
#
#     {{ define latent.scaled_code }}
#
#     $\mathbb{H}$ is the entropy and $D_{\mathrm{KL}}$ the KL divergence; the first KL is the gap of the first stage
#     (the decoder), the second the gap of the second stage (the prior). $m(z)$ is a mean over all data $x_1$ that
#     share the code $z$. $M$ is the mean of all codes and $S$ their standard deviation; $1/S$ is called the *scale
#     factor*.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. First stage: encode $x$, decode it, and take a gradient step on the squared error, plus a small price on
#        the code, plus (for images) an error of features and a discriminator's judgement:
#        `genmath.latent.FirstStage.loss`.
#     2. Freeze it. Measure mean and deviation of the codes: `genmath.latent.LatentDiffusion.calibrate`.
#     3. Second stage: train a diffusion or a flow on the scaled codes, as on any other data:
#        `genmath.latent.LatentDiffusion.loss`.
#
# !!! sample "Sample"
#
#     1. Draw a code with any sampler of the second stage.
#     2. Undo the scale and the shift.
#     3. Decode once: `genmath.latent.LatentDiffusion.sample` does all three.
#
# </div>
#
# ## Notation and hypotheses
#
# - $x$ is an observation and $z$ its code. $r(x, z)$ is the joint density of data with their codes: draw $x$ from
#   the data, then $z$ from the encoder. So $r(z \mid x)$ *is* the encoder, $r(z)$ the density of the codes of all
#   data, and $r(x \mid z)$ the density of all data that share a code. (So codes are random, or there are finitely many: a code of real numbers without noise has no such density.)
# - $p_\theta(x \mid z)$ is the decoder and $p_\psi(z)$ the prior. They have parameters of their own, $\theta$ and
#   $\psi$. $q_\phi(z \mid x)$ is an encoder that is being trained.
# - Densities are taken to be positive where their logarithm is taken. Logarithms are natural, the unit is the nat.
#   Expectations that appear are finite.
# - $\mathcal{N}(x;\, m, v)$ is the normal density with mean $m$ and **variance** $v$. $\epsilon$ is standard normal.
# - On a path the noisy code is $z_t = \alpha z + \sigma \epsilon$, with data at $t = 0$ and noise at $t = 1$.
# - Codes and data are written as one number where the statement is the same for each coordinate.

# %%
from genmath.book import chapter
from genmath.proof import *

vae = chapter("vae")
kl_nonnegative = chapter("divergences").kl_nonnegative

half = number(1) / 2
x, z, w, eps = variables("x z w eps")
r = Density("r", x, z, positive=True)
decoder = Density("p_theta", x, given=z, positive=True)
prior = Density("p_psi", z, positive=True)
q = Density("q_phi", z, given=x, positive=True)
f, g = Function("f"), Function("g")
N = Normal(eps, 0, 1)

another_x, another_z = copies(x, 1)[0], copies(z, 1)[0]
conditional_mean = define("m(z)", E(r(another_x | z), another_x))
codes = Density("r", z)
mean_code = define("M", E(codes(another_z), another_z))
S = positives("S")
scaled_code = define("u", (z - mean_code) / S)

# %% [markdown]
# ## The first stage, from the simplest to the one in use
#
# An *autoencoder* is a pair of maps: the encoder makes a code of $x$, the decoder makes of the code something like
# $x$. Four kinds, each adding one thing:
#
# 1. **Linear, squared error.** The best code of $k$ numbers is the projection onto the $k$ directions of largest
#    variance: principal components (PCA), `likelihood.reconstruction` and `likelihood.best_direction`.
# 2. **Networks, squared error.** Now what is decoded lies on a curved surface. Nothing says where in their space the codes
#    are, nor how far apart: two data may have neighbouring codes, and between them there may be nothing.
# 3. **A small price on the code.** The encoder gives a normal density in place of a point, and pays its KL
#    divergence to a standard normal, times a small number. With the price 1 this is the VAE, `vae.elbo`; in
#    latent diffusion the price is tiny, about $10^{-6}$ [@rombach2022high]. It does not make the codes normal. It
#    keeps them from running away, and the noise makes the decoder smooth. (Instead of a price one may let codes
#    be entries of a table, as in [Discrete codes](vq.py) [@esser2021taming].)
# 4. **Features and a discriminator.** For images the squared error blurs. Two more terms sharpen: see below.
#
# Whatever the kind, the codes of the data have *some* density $r(z)$, and it is no standard normal. To sample one
# has to learn it. That is the second stage.
#
# In code: `genmath.latent.FirstStage`.
#
# ## Two stages, two gaps
#
# !!! example "By hand"
#
#     Let there be four pictures, equally frequent: $\mathbb{H}[r(x)] = \log 4 \approx 1.386$. The encoder gives
#     pictures 1 and 2 the code A, and pictures 3 and 4 the code B. So $r(z)$ is $\frac12, \frac12$, and given its
#     code a picture is one of two. A decoder that knows this, and a prior that says $\frac12, \frac12$, pay
#     $\log 2 + \log 2 = 1.386$: no gap. Now let the prior say $0.9, 0.1$. It pays
#     $-\frac12 \log 0.9 - \frac12 \log 0.1 \approx 1.204$ for the code. The total rises by $0.511$, which is the KL
#     divergence from $(\frac12, \frac12)$ to $(0.9, 0.1)$. A better decoder could not help: it was right already.
#
# Average the bound of `vae.elbo` over the data. By `vae.joint_kl` its negative is the entropy of the data plus *one*
# KL divergence, from data with their codes to the model. The model first draws a code and then decodes it, so
# this KL falls into two, by the chain rule: that of the codes, and that of the data once the code is known.
#
# {{ picture latent.gaps }}
#
# In code: `genmath.latent.FirstStage.loss` is for the decoder's gap, `genmath.latent.LatentDiffusion.loss` for the prior's.


# %%
@derivation("The two stages have a gap each")
def two_stages(d):
    model = decoder(x | z) * prior(z)
    gap = E(r(z), KL(r(x | z), decoder(x | z)))
    bound = -E(r(x), E(r(z | x), log(model / r(z | x))))
    d.start(bound, name="parts", words="entropy and two gaps")
    d.equals(H(r(x)) + E(r(x, z), log(r(x, z) / model)), by="the mean bound is a KL divergence between joint densities: `vae.joint_kl`")
    d.equals(H(r(x)) + gap + KL(r(z), prior(z)), by="chain rule of KL: first the codes, then the data given their code")
    d.start(bound, name="least", words="no model does better")
    d.at_least(H(r(x)), by="both gaps are KL divergences, which are never negative",
               because=(gap + KL(r(z), prior(z)), kl_nonnegative(r(x | z), decoder(x | z)), kl_nonnegative(r(z), prior(z))))


# %% [markdown]
# **What it means.** With the encoder frozen, $r$ is fixed, and the three parts have nothing in common: the entropy
# has no parameter, the first gap only $\theta$, the second only $\psi$. So it is *no approximation* to train the
# decoder first and the prior afterwards; the two problems do not touch. It also says what cannot be repaired. A
# decoder that knows only the mean of a density has a gap, and no prior will close it. And a VAE whose prior is
# the standard normal has the second gap, however good its decoder is, unless $r(z)$ is standard normal. Latent diffusion replaces that prior.
#
# ## What the first stage throws away
#
# A code of a few numbers cannot tell all pictures apart. What is lost? Count in nats. The entropy of the data is
# the *mutual information* of $x$ and $z$, the KL divergence from $r(x, z)$ to $r(x)\, r(z)$, plus the mean entropy
# of $x$ when the code is known. The first is what the code keeps, the second what it throws away.
#
# {{ picture latent.compression }}
#
# The decoder pays for the details: at least what was thrown away, `latent.bits[details]`. The prior pays for the
# code: at least what was kept, `latent.bits[rate]`. The sum of the two lower bounds is the entropy of the data,
# whatever the code is, `latent.bits[split]`. So, with the best decoder and prior, the code decides only *which stage pays*, and not how much both
# pay together.


# %%
@derivation("What the code keeps and what it throws away")
def bits(d):
    kept, lost = KL(r(x, z), r(x) * r(z)), E(r(z), H(r(x | z)))
    d.start(H(r(x)), name="split", words="kept and thrown away")
    d.equals(kept + lost, by="$r(x, z)$ is $r(z)\\, r(x \\mid z)$: the logarithm of the quotient is a difference")

    gap = E(r(z), KL(r(x | z), decoder(x | z)))
    d.start(E(r(x, z), -log(decoder(x | z))), name="details", words="what the decoder pays")
    d.equals(lost + gap, by="for each code, cross-entropy is entropy plus KL")
    d.at_least(lost, by="a KL divergence is never negative", because=(gap, kl_nonnegative(r(x | z), decoder(x | z))))

    d.start(E(r(x), KL(r(z | x), prior(z))), name="rate", words="what the prior pays")
    d.equals(kept + KL(r(z), prior(z)), by="multiply and divide by $r(z)$ inside the logarithm: `vae.aggregate_posterior`")
    d.at_least(kept, by="a KL divergence is never negative", because=kl_nonnegative(r(z), prior(z)))


# %% [markdown]
# **What it means.** Most nats of a photograph are in details that nobody sees: the last digits of each pixel. A good
# first stage throws these away and keeps what an eye sees. The diffusion model, the expensive one, then works on
# the few nats that matter. This is why latent diffusion makes good pictures and is seldom used for likelihoods: the
# details must be paid for by a decoder that is not made for it.
#
# ## A diffusion as prior
#
# The prior is now a diffusion model: behind the code stand its noisy copies. Write $w$ for all of them together. The
# model draws $w$ and $z$ from $p_\psi(z, w)$ and decodes $z$. The noising $s(w \mid z)$ has nothing to learn. So there
# are two encoders, one behind the other, and one bound for both. Write the bound with the entropy of the encoder as a term of its own,
# `latent.latent_bound[split]`. Then only the *cross-entropy*, the mean of $-\log p_\psi(z)$ over codes, holds the
# prior, and the mean of the diffusion's own negative bound $L(z)$ takes the place of the cross-entropy, `latent.latent_bound[chain]`.


# %%
noisy = Density("p_psi", z, w, positive=True)
noising = Density("s", w, given=z, positive=True)
L = define("L(z)", -E(noising(w | z), log(noisy(z, w) / noising(w | z))))


@derivation("The bound of a model with a diffusion as prior")
def latent_bound(d):
    evidence = define("p(x)", integral(decoder(x | z) * noisy(z), z))
    weight = define("w_1", decoder(x | z) * noisy(z) / q(z | x))
    d.start(log(evidence), name="split", words="entropy and cross-entropy")
    d.at_least(E(q(z | x), log(weight)), by="the evidence lower bound: `vae.elbo_jensen`", because=E(q(z | x), log_gap(weight / evidence)))
    d.equals(E(q(z | x), log(decoder(x | z))) - KL(q(z | x), noisy(z)), by="the logarithm of a product")
    d.equals(E(q(z | x), log(decoder(x | z))) + H(q(z | x)) - E(q(z | x), -log(noisy(z))), by="KL is cross-entropy minus entropy")
    d.slip(
        "pml2-elbo-q-without-log",
        wrong=equal(E(q(z | x), log(decoder(x | z) * noisy(z)) - q(z | x)), E(q(z | x), log(decoder(x | z))) - KL(q(z | x), noisy(z))),
        right=equal(E(q(z | x), log(decoder(x | z) * noisy(z)) - log(q(z | x))), E(q(z | x), log(decoder(x | z))) - KL(q(z | x), noisy(z))),
        source="probml/pml2-book issue #23 (Eqs. 22.16, 22.17, fixed)",
        why="The entropy is the mean of minus the logarithm of q; the logarithm was lost.",
    )

    weight = define("w_2", decoder(x | z) * noisy(z, w) / (q(z | x) * noising(w | z)))
    d.start(log(evidence), name="chain", words="with the noisy copies of the code")
    d.equals(log(E((q(z | x), noising(w | z)), weight)), by="the weights average to the evidence: both encoders cancel")
    d.at_least(E((q(z | x), noising(w | z)), log(weight)), by="Jensen: $\\log u \\le u - 1$ at $u = w_2/p(x)$", because=E((q(z | x), noising(w | z)), log_gap(weight / evidence)))
    d.equals(E(q(z | x), log(decoder(x | z))) + H(q(z | x)) - E(q(z | x), L), by="the logarithm of a product")


# %% [markdown]
# What is $L(z)$? The negative bound of `ddpm.negative_elbo`, with the code $z_0 = z$ in the place of the data. For normal steps
# it is a sum over steps, and each term is a weighted squared error of the guessed noise plus a constant:
# `latent.cross_entropy[step]`. Here $\epsilon_\psi$ is the network, $v$ the variance of the true step back from $z_t$ to $z_{t-1}$
# (both ends known), and $v_t$ that of the model's; the means are written by the noise with two numbers $\kappa$ and $\rho$, as in
# `ddpm.posterior_mean_from_eps`. In a DDPM $\kappa = \beta_t/\sigma$ and $\rho = \sqrt{1 - \beta_t}$, which gives the
# weight of `ddpm.loss_weight`. The constant does not depend on $\psi$. Neither does the
# term of the far end, `latent.cross_entropy[far_end]`, but it depends on the *encoder*, by the mean square of its codes.
#
# In code: `genmath.latent.LatentDiffusion.loss`; with `genmath.ddpm.loss_weight` as weight it is a term of the bound.

# %%
z0, zp, zt, zT = variables("z_0 z_{t-1} z_t z_T")
alpha, sigma, kappa, rho, v, v_t = positives("alpha sigma kappa rho v v_t")
abar_T, c_0, s = fractions("alpha_bar_T"), reals("c_0"), positives("s")
eps_hat = Function("eps_psi")
code = Density("q_phi", z0, given=x)


@derivation("The cross-entropy of a diffusion is a denoising loss")
def cross_entropy(d):
    z_t = define("z_t", alpha * z0 + sigma * eps)
    mean, guess = define("mu_tilde_t", (z_t - kappa * eps) / rho), define("mu_psi", (z_t - kappa * eps_hat(z_t)) / rho)
    weight, constant = define("w_t", kappa**2 / (2 * v_t * rho**2)), define("C_t", half * (v / v_t - 1 - log(v / v_t)))
    draws = (code(z0 | x), N)
    d.start(E(draws, KL(Normal(zp, mean, v), Normal(zp, guess, v_t))), name="step", words="a step of the chain")
    d.equals(weight * E(draws, (eps - eps_hat(z_t)) ** 2) + constant,
             by="the KL of `ddpm.transition_kl`; $z_t$ cancels from the difference of the means")

    d.start(E(code(z0 | x), KL(Normal(zT, sqrt(abar_T) * z0, 1 - abar_T), Normal(zT, 0, 1))), name="far_end", words="the far end of the chain")
    d.equals((abar_T * (E(code(z0 | x), z0**2) - 1) - log(1 - abar_T)) / 2, by="`ddpm.prior_term`, averaged over codes")

    noised, smoothed = Normal(zt, c_0, s), Normal(zt, 0, v + s)
    scores = diff(log(noised), zt) - diff(log(smoothed), zt)
    d.start(diff(KL(noised, smoothed), s), name="rate", words="in continuous time, for a normal prior")
    d.equals(-half * E(noised, scores**2), by="both sides by second moments; the scores are $(c_0 - z_t)/s$ and $-z_t/(v + s)$")


# %% [markdown]
# **What it means.** The diffusion model of the codes is trained by the same squared error as one of pictures. Nothing
# about it needs to know that its data are codes.
#
# In continuous time the sum over steps becomes an integral [@vahdat2021score]. `latent.cross_entropy[rate]` shows its
# integrand where all is known: a code $c_0$, a normal prior of variance $v$, and noise of variance $s$ added to both. The KL of the
# two falls, as $s$ grows, at half the mean squared difference of the scores. Add up the fall from
# little noise to much, and the KL at little noise is an integral of squared errors plus what is left at the end. (A score is
# minus a guess of the noise over its deviation: `score.eps_optimum`.)
#
# ## Why the encoder is frozen
#
# The denoising loss is a function of the encoder, too. Why not train both with it, end to end? Because a code that
# says nothing is the easiest to denoise.
#
# {{ picture latent.collapse }}
#
# - `latent.collapse[constant]`: if all codes are the same number $c_0$, the noise is what is left of $z_t$, and the
#   loss is zero.
# - `latent.collapse[shrunk]`: take *any* encoder $f$ and multiply its codes by $a$. Even the guess $z_t/\sigma$,
#   which needs no network, is then wrong by the code alone, and as $a \to 0$ its loss goes to zero. So from any
#   encoder on, shrinking leads to a loss of zero.
# - `latent.collapse[normal]`: for normal codes of variance $v$ the least possible loss is known, and by
#   `latent.collapse[slope]` it grows with $v$. (`latent.collapse[bayes]` turns noise and noisy code around.) A step
#   down always makes the codes smaller.

# %%
a = reals("a")
data = Density("r", x)


@derivation("The denoising loss alone asks for a constant code")
def collapse(d):
    z_t = define("z_t", alpha * c_0 + sigma * eps)
    d.start(E(N, (eps - (z_t - alpha * c_0) / sigma) ** 2), name="constant", words="a constant code costs nothing")
    d.equals(0, by="if the code is known, the noise is what is left of $z_t$")

    z_t = define("z_t", alpha * (a * f(x)) + sigma * eps)
    d.start(E((data(x), N), (eps - z_t / sigma) ** 2), name="shrunk", words="any encoder, shrunk")
    d.equals(alpha**2 * a**2 / sigma**2 * E(data(x), f(x) ** 2), by="the guess $z_t/\\sigma$ is wrong by the code, over $\\sigma$")

    n = define("n", alpha**2 * v + sigma**2)
    least = alpha**2 * v / n
    back = (Normal(zt, 0, n), Normal(eps, sigma * zt / n, least))
    d.start(N * Normal(zt, sigma * eps, alpha**2 * v), name="bayes", words="noise and noisy code, turned around")
    d.equals(back[0] * back[1], by="Bayes' rule for normal densities: complete the square in $\\epsilon$")

    missed = E(back[0], (sigma * zt / n - g(zt)) ** 2)
    d.start(E(back, (eps - g(zt)) ** 2), name="normal", words="normal codes: the least loss")
    d.equals(least + missed, by="given $z_t$, the mean squared deviation of the noise is its variance")
    d.at_least(least, by="a square is not negative", because=missed)

    d.start(diff(alpha**2 * v / (alpha**2 * v + sigma**2), v), name="slope", words="how it grows with the variance of the codes")
    d.equals(alpha**2 * sigma**2 / n**2, by="the quotient rule")
    d.more_than(0, by="a quotient of squares")


# %% [markdown]
# What does the whole bound add against this? The reconstruction. Look at the smallest example: data are normal with
# variance $c$, the encoder draws $z$ from a normal with mean $a x$ and variance $\tau^2$, and decoder and prior are
# the best linear and normal ones. The decoder's variance $\eta^2$ is fixed. Then everything depends on one number: $m$, the mean
# squared error of the decoded mean, which lies between 0 and $c$. By `latent.joint_bound[bound]` the scale of the
# codes has dropped out: only the ratio of $a$ to $\tau$ is left in $m$, and multiplying all codes by a number
# changes nothing. By `latent.joint_bound[best]` the best error is $m = \eta^2$, if $\eta^2 \le c$. (With $\eta^2 > c$ it is out of reach, and the collapsed code is the best.) A collapsed code has $m = c$, and for $\eta^2 < c$, by
# `latent.joint_bound[price]` it pays a price that grows with $c/\eta^2$. Codes that merely shrink, with their noise, are not collapsed in this
# sense: they say as much as before, and the decoder undoes the scale.
#
# !!! example "By hand"
#
#     Let $c = 1$ and $\eta^2 = 0.04$. Collapsed, the bound is lower than at its best by
#     $\frac12 (25 - 1 - \log 25) \approx 10.4$ nats for each coordinate. The denoising loss itself, with weight 1, lies
#     between 0 and 1 for each coordinate: this is all that a collapse can gain there.
#
# But note `latent.joint_bound[free]`. If the decoder may choose its variance, too, it takes $\eta^2 = m$, and the bound is
# minus the entropy of the data *whatever the code is*. In this example the bound then has no opinion about the code
# at all, and a collapsed one is as good as any other.

# %%
c, tau, eta, m = positives("c tau eta m")


def of_error(m):
    """The bound of a linear code with error m, for a decoder of variance eta²."""
    return -half * log(2 * pi * eta**2) - m / (2 * eta**2) - half * log(c / m)


@derivation("What the whole bound adds against collapse")
def joint_bound(d):
    spread = define("v", a**2 * c + tau**2)
    error = define("m", c * tau**2 / spread)
    xs, encoder = Normal(x, 0, c), Normal(z, a * x, tau**2)
    d.start(E((xs, encoder), log(Normal(x, a * c / spread * z, eta**2))) - E(xs, KL(encoder, Normal(z, 0, spread))), name="bound", words="the mean bound of a linear code")
    d.equals(of_error(error), by="second moments of normals; the KL is half the logarithm of $v/\\tau^2$, which is $c/m$")

    d.start(of_error(m), name="best", words="the best error")
    best = -half * (log(2 * pi * eta**2) + 1 + log(c / eta**2))
    d.at_most(best, by="$\\log u \\le u - 1$ at $u = m/\\eta^2$", because=half * log_gap(m / eta**2))
    d.tight_when(m, eta**2)

    d.start(best - of_error(c), name="price", words="what a collapsed code pays")
    d.equals(half * log_gap(c / eta**2), by="the constants cancel")

    d.start(-half * log(2 * pi * m) - m / (2 * m) - half * log(c / m), name="free", words="if the decoder chooses its variance")
    d.equals(-half * log(2 * pi * exp(1) * c), by="$m$ cancels: minus the entropy of the data is left")


# %% [markdown]
# **What it means.** Two ways are sound. *Freeze* the encoder: then the data of the diffusion cannot move, and the
# two gaps of `latent.two_stages` are trained one after the other. Or train all with the *whole* bound, reconstruction
# and entropy of the encoder included [@vahdat2021score]. What is not sound is the denoising loss alone with a free
# encoder. Freezing is simpler, and one first stage serves many diffusion models.
#
# ## The scale of the codes
#
# Codes have any unit that the first stage happened to choose. The diffusion cares: on a variance preserving path the
# noise is measured against data of variance one. Codes with a deviation of 5 stay visible far too long, and those
# with 0.2 drown at once.
#
# {{ picture latent.scale }}
#
# `latent.scale[shift]` says it exactly: noising the codes $k z$ with $\sigma$ is noising $z$ with $\sigma/k$, and then
# multiplying by $k$. A scale of the codes is a *shift of the noise schedule*: it multiplies the signal-to-noise ratio by $k^2$
# at every time. So divide by the deviation: then the noisy code keeps variance one all along, `latent.scale[unit]` with $V = S^2$ ($V$ is there the variance of the codes).
# `latent.scale[end]` is what it costs if the scale is off and the path stops at an $\alpha > 0$: sampling starts from a standard normal, but the noised codes
# end with the variance $u$, where $V$ is the variance of the codes that the diffusion sees. (At $\alpha = 0$ it is 1, and nothing is lost.)
#
# The paper estimates the deviation from the first batch [@rombach2022high]; the factor $0.18215$ in the configuration of
# Stable Diffusion is one over such a deviation. It belongs to *one* autoencoder; with another it is wrong.
#
# In code: `genmath.latent.LatentDiffusion.calibrate`.

# %%
k, V = positives("k V")
level = fractions("alpha")


@derivation("The scale of the codes shifts the noise")
def scale(d):
    spread = define("V", E(codes(another_z), (another_z - mean_code) ** 2))
    d.start(E((codes(z), N), (level * scaled_code + sqrt(1 - level**2) * eps) ** 2), name="unit", words="the mean square of a noisy scaled code")
    d.equals(level**2 * spread / S**2 + 1 - level**2, by="code and noise are independent, and the noise has mean 0 and variance 1")

    d.start(E(N, f(alpha * (k * z) + sigma * eps)), name="shift", words="a scale in place of another noise")
    d.equals(E(N, f(k * (alpha * z + sigma / k * eps))), by="take the factor $k$ out")

    u = define("u", level**2 * V + 1 - level**2)
    d.start(KL(Normal(zt, 0, u), Normal(zt, 0, 1)), name="end", words="what a wrong scale costs at the noisy end")
    d.equals(half * log_gap(u), by="KL between normals of mean 0")

    d.start(f(k * z / k), name="undone", words="the scale is undone before the decoder")
    d.equals(f(z), by="the decoder $f$ sees the code that the encoder made")
    d.slip(
        "monai-scale-outside",
        wrong=equal(f(k * z) * k, f(z)),
        right=equal(f(k * z / k), f(z)),
        source="Project-MONAI/GenerativeModels issue #212 and priyammaz/PyTorch-Adventures issue #4",
        why="The factor stood behind the decoder. A decoder is not linear: to scale its output is not to scale its code.",
    )


# %% [markdown]
# **What it means.** Before the diffusion is trained: measure, divide. Before decoding: undo. Everything that a paper
# says of noise schedules is meant for data of variance one.
#
# ## What compression buys
#
# A network that works on $n$ places pays for each place (convolutions, the layers of a transformer), and attention
# pays for each *pair* of places. An encoder that shrinks both sides of an image by the factor $F$ leaves $n/F^2$
# places. So the cost falls at least by $F^2$ and at most by $F^4$.
#
# !!! example "By hand"
#
#     An image of 1024 × 1024 has $n = 1\,048\,576$ places. With $F = 8$ the code has 128 × 128 = 16 384. A
#     convolution of the same width costs 64 times less, attention between all pairs 4096 times less. And this is
#     for one call; a sampler of 50 steps saves 50 times as much, while the decoder is called only once.
#
# {{ picture latent.cost }}
#
# In code: `genmath.latent.cost_ratio`.

# %%
c_1, c_2, places = positives("c_1 c_2 n")
F = at_least_one("F")


@derivation("What compression buys")
def cost(d):
    before = c_1 * places + c_2 * places**2
    after = define("c", c_1 * (places / F**2) + c_2 * (places / F**2) ** 2)
    d.start(after, name="most", words="no more than this")
    d.at_most(before / F**2, by="the pairs fall by more than the places", because=c_2 * places**2 * (F**2 - 1) / F**4)
    d.start(after, name="least", words="no less than this")
    d.at_least(before / F**4, by="the places fall by less than the pairs", because=c_1 * places * (F**2 - 1) / F**4)


# %% [markdown]
# **What it means.** Few ideas make a model 64 times cheaper. The price is a decoder that has to invent what was thrown
# away. The paper finds a good balance for $F$ from 4 to 16; with 32 too much is lost at the first stage
# [@rombach2022high]. (The formulas of a whole transformer are in [Attention](attention.py), `attention.cost`.)
#
# ## Why decoders blur
#
# Many pictures share a code. Which one does the decoder show? Under squared error: their mean. The proof is one
# line: the error of any decoder $g$ is that of the conditional mean, plus the squared distance to it.


# %%
@derivation("The best decoder under squared error is the conditional mean")
def best_decoder(d):
    within, between = E(r(x, z), (x - conditional_mean) ** 2), E(r(z), (conditional_mean - g(z)) ** 2)
    d.start(E(r(x, z), (x - g(z)) ** 2))
    d.equals(within + between, by="given the code, the deviation from the conditional mean averages to zero, so the cross term vanishes")
    d.at_least(within, by="a square is not negative", because=between)


# %% [markdown]
# !!! example "By hand"
#
#     The code says "a hair is here or one pixel further". So a pixel is $-1$ or $1$, each with probability one half.
#     The conditional mean is 0: grey, which never occurs. Its squared error is 1. A decoder that draws $-1$ or $1$ at
#     random makes pixels that do occur; half of the time it is right, half of the time wrong by 2 (squared, 4), so its mean
#     squared error is 2.
#
# {{ picture latent.blur }}
#
# Both errors are cases of general laws. `latent.blur[variance]`: what is decoded has too little variance, and what is missing is
# *exactly* the variance that the code leaves open, $\mathbb{E}$ of the variance of $x$ given $z$. `latent.blur[twice]`: a
# decoder that draws from the true density $r(x \mid z)$ makes data that look right, and its squared error is *exactly
# twice* the least. So whoever measures the squared error will always prefer the blurred one. Better looks and less error are
# different aims, and between them one has to choose [@blau2018perception].


# %%
@derivation("What the conditional mean loses")
def blur(d):
    centre = define("M", E(r(another_x), another_x))
    within = E(r(x, z), (x - conditional_mean) ** 2)
    d.start(E(r(z), (conditional_mean - centre) ** 2), name="variance", words="the variance of what is decoded")
    d.equals(E(r(x), (x - centre) ** 2) - within, by="the law of total variance: the cross term averages to zero")
    d.at_most(E(r(x), (x - centre) ** 2), by="a square is not negative", because=within)

    d.start(E((r(x, z), r(another_x | z)), (x - another_x) ** 2), name="twice", words="a decoder that draws errs twice as much")
    d.equals(2 * within, by="given the code, data and draw are independent and have the same mean and variance")


# %% [markdown]
# **What it means.** A blurred reconstruction is no failure of the network. It is the right answer to the squared error.
# To get another answer, ask another question: that is what the next two terms do. (A VAE whose decoder is normal with
# a fixed variance is trained by the squared error, too. If its *mean* is shown, it blurs for this reason; if it is
# *sampled*, independent noise is added to each pixel, which does not look right either.)
#
# {{ explorer blur }}
#
# ## Features and a discriminator
#
# **Features.** Compare not pixels but what a network sees in them: $f(x)$ against $f(g(z))$, with a network $f$ that was
# trained to recognise things and stays fixed. This is called a *perceptual* loss [@zhang2018unreasonable]. By
# `latent.features` the best decoder is then one whose features are the mean of the features, if there are pictures with these.


# %%
@derivation("The best decoder in features")
def features(d):
    mean = define("f_bar(z)", E(r(another_x | z), f(another_x)))
    within, between = E(r(x, z), (f(x) - mean) ** 2), E(r(z), (mean - f(g(z))) ** 2)
    d.start(E(r(x, z), (f(x) - f(g(z))) ** 2))
    d.equals(within + between, by="given the code, the features deviate from their mean by zero on average")
    d.at_least(within, by="a square is not negative", because=between)


# %% [markdown]
# !!! example "By hand"
#
#     The hair again: a pixel is $-1$ or $1$. Let the feature be the contrast, $f(x) = |x|$. It is 1 for both, so the mean
#     of the features is 1, and the best decoders show $-1$ or $1$: sharp. The grey pixel has the feature 0 and the error 1.
#
# {{ picture latent.features }}
#
# So features that do not see *where* a detail is, but *that* one is there, forgive a wrong place and punish a blur. Linear
# features cannot do this: the mean of linear features is the feature of the mean, and the grey pixel is best again.
#
# **A discriminator.** A second network learns to tell reconstructions from data, and the decoder is trained to mislead it
# [@larsen2016autoencoding] [@esser2021taming]. Against the best discriminator the game measures the Jensen–Shannon
# divergence, `gan.minimax_value`, between the data and what is decoded. It is zero only if both have the same density; and
# that of conditional means is another, since its variance is too small.
#
# ## The adaptive weight
#
# How much should the discriminator count? Its gradient changes by orders of magnitude while it learns. VQGAN
# [@esser2021taming] measures: let $A$ be the length of the gradient of the reconstruction loss by the last weights of the
# decoder, and $B$ that of the adversarial loss. The weight is $\lambda = A/(B + \delta)$ with a small $\delta$. With it both pull
# equally hard.
#
# !!! example "By hand"
#
#     The gradient of the reconstruction is $(3, 4)$ and so has length 5, that of the adversarial loss is $(0, -0.1)$. The
#     weight is $5/0.1 = 50$, and the second becomes $(0, -5)$. The sum is $(3, -1)$: the discriminator has turned the
#     direction of the step, but could not shout the other down.
#
# {{ picture latent.weight }}
#
# In the derivation $e_1$ and $e_2$ are the two directions, so the gradients are $A e_1$ and $B e_2$. By
# `latent.adaptive_weight[sum]` (with $\delta = 0$) the sum is shortest where they oppose each other: then it vanishes,
# and the last weights of the decoder stand still. By `latent.adaptive_weight[bound]` the weighted gradient is never longer than $A$. `latent.adaptive_weight[sign]`, for one weight with the gradients $b_1$ and $b_2$: the adversarial gradient keeps its sign, since lengths have none.
#
# In code: `genmath.latent.adaptive_weight`.

# %%
e_1, e_2 = mean_vectors("e_1 e_2", domain="direction")
A, B, delta = positives("A B delta")
b_1, b_2 = reals("b_1 b_2")


@derivation("With the adaptive weight both gradients pull equally hard", dims=(1, 2, 3))
def adaptive_weight(d):
    d.start(norm2(A * e_1 + A / B * (B * e_2)), name="sum", words="the squared length of the sum")
    d.equals(2 * A**2 * (1 + dot(e_1, e_2)), by="two vectors of length $A$")

    weight = define("lambda", A / (B + delta))
    d.start(norm2(weight * (B * e_2)), name="bound", words="the squared length of the weighted gradient")
    d.at_most(A**2, by="$B/(B + \\delta)$ is at most one", because=A**2 * (1 - (B / (B + delta)) ** 2))

    d.start(absolute(b_1) / (absolute(b_2) + delta) * b_2 * b_2, name="sign", words="one weight: the direction is kept")
    d.at_least(0, by="the weight is a quotient of lengths, and the rest a square")
    d.slip(
        "vqgan-weight-without-norms",
        wrong=b_1 / (b_2 + delta) * b_2 * b_2 >= 0,
        right=absolute(b_1) / (absolute(b_2) + delta) * b_2 * b_2 >= 0,
        source="Esser, Rombach, Ommer 2021, equation 7, as printed",
        why="The weight is printed as a quotient of gradients. It is one of their lengths, as in the authors' code: a quotient of two "
        "numbers with their signs can be negative, and then the decoder would help the discriminator.",
    )


# %% [markdown]
# **What it means.** The weight makes the two losses equally strong at each step, whatever their units are. It is computed, not
# differentiated: it is a number, and gradients do not flow through it.
#
# ## Editing, in codes
#
# Whatever a diffusion model can do with pictures, it can do with codes. `genmath.latent.LatentDiffusion.img2img` encodes a picture,
# noises the code up to a time $t$, and carries it back; a small $t$ keeps the picture and a large one forgets it (`guidance.editing`).
# `genmath.latent.LatentDiffusion.inpaint` puts the known part back after each step, which is not quite the law of the rest given the known
# part (`guidance.replaced`). Labels and texts guide as always: [Guidance](guidance.py). Two things are new in codes. One code covers a patch of
# pixels, so only a code all of whose pixels are known counts as known. (An encoder that sees beyond the patch may still know something of what is
# hidden.) And the decoder changes the known pixels, too, so they are pasted at the end.
#
# ## Several levels { .advanced }
#
# Why only one code behind the data? A *hierarchical* VAE has several: $z_n$ is drawn first, then $z_{n-1}$ given $z_n$, and so on down to
# $x$. The encoder of a top-down model goes the same way, but knows $x$ [@sonderby2016ladder] [@vahdat2020nvae]. The bound has one KL for each level, averaged over the levels
# above. It is checked for two and three levels.


# %%
@derivation("The bound with several levels", n=(2, 3))
def hierarchy(d, n):
    zs = variables("z_1 z_2 z_3")[:n]
    p = [Density("p_0", x, given=zs[0], positive=True)(x | zs[0])]
    p += [Density(f"p_{i}", zs[i - 1], given=zs[i], positive=True)(zs[i - 1] | zs[i]) for i in range(1, n)]
    p += [Density(f"p_{n}", zs[-1], positive=True)(zs[-1])]
    down = [Density(f"q_{i}", zs[i - 1], given=(zs[i], x), positive=True)(zs[i - 1] | (zs[i], x)) for i in range(1, n)]
    down += [Density(f"q_{n}", zs[-1], given=x, positive=True)(zs[-1] | x)]
    above = [tuple(reversed(down[i:])) for i in range(n)]  # what is drawn before the level i
    model, encoder = define("p", times(p)), define("q", times(down))
    evidence = define("p(x)", integral(model, *zs))
    d.start(log(evidence))
    d.equals(log(E(above[0], model / encoder)), by="the weights average to the evidence")
    d.at_least(E(above[0], log(model / encoder)), by="Jensen: $\\log u \\le u - 1$ at $u = p/(q\\, p(x))$", because=E(above[0], log_gap(model / encoder / evidence)))
    bound = E(above[0], log(p[0])) - KL(down[-1], p[-1], over=zs[-1])
    for i in range(n - 1, 0, -1):
        bound = bound - E(above[i], KL(down[i - 1], p[i], over=zs[i - 1]))
    d.equals(bound, by="the logarithm of the products, level by level")


# %% [markdown]
# **What it means.** A diffusion model is a hierarchical VAE with three restrictions [@luo2022understanding]: all levels have the size of the data; the encoder is
# *fixed*, it only adds noise; and it is a *Markov chain* that goes up from the data, so each level depends on the one below it. For
# that encoder the bound is `ddpm.negative_elbo`. What was hard about many levels, that the upper ones collapse, cannot happen: nobody can choose
# not to use a level when the encoder is fixed. Latent diffusion puts one learned level below such a chain.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - Negative bound = entropy of the data + gap of the decoder + gap of the prior (`latent.two_stages`). With a frozen
#       encoder each has its own parameters.
#     - With the best decoder and prior the code decides which stage pays, not how much both pay (`latent.bits`).
#     - A diffusion as prior: its cross-entropy is a weighted denoising loss plus constants (`latent.cross_entropy`).
#     - The denoising loss alone collapses the encoder (`latent.collapse`); reconstruction pays against it
#       (`latent.joint_bound`).
#     - Scale the codes to variance one, undo it before decoding (`latent.scale`).
#     - Shrinking both sides by $F$ saves between $F^2$ and $F^4$ (`latent.cost`).
#     - Squared error shows the mean, and the mean has too little variance; drawing has twice the error
#       (`latent.best_decoder`, `latent.blur`).
#
# ## Questions
#
# ??? question "A latent diffusion model makes blurred pictures. Which stage do you look at first, and how?"
#
#     At the first: encode and decode *data*. If these are blurred, no prior will help (`latent.two_stages`). If they are sharp, look at the prior.
#
# ??? question "Codes have the deviation 5. Somebody trains without scaling. What happens to the signal-to-noise ratio?"
#
#     It is 25 times as large at every time (`latent.scale[shift]` with $k = 5$). Too few times are spent where shapes are decided; and if a variance preserving path stops at an $\alpha > 0$, the
#     codes end with the variance $1 + 24\, \alpha^2$, while sampling starts with 1.
#
# ??? question "Why is the KL price of a first stage so small, when it is 1 in a VAE?"
#
#     In a VAE the prior is a standard normal, and codes must look like it, since one samples from it. Here the prior is learned afterwards. The
#     price only keeps the codes in a bounded place and the decoder smooth. With the price 1 too much would be thrown away.
#
# ??? question "The encoder is trained together with the diffusion, by the denoising loss in the codes and the squared error in pixels, without the entropy of the encoder. Can it still collapse?"
#
#     It cannot become constant at no price: the squared error pays. But nothing fixes the *scale*: halve the codes, let the decoder double them, and the denoising
#     loss falls (`latent.collapse[slope]`) while the pixels are the same. The whole bound does not change under this (`latent.joint_bound[bound]`), because the entropy of the encoder falls as well.
#
# ??? question "A decoder draws from $r(x \mid z)$ exactly. Is the gap of the first stage zero? Is its squared error the least?"
#
#     Yes (`latent.two_stages`), and no: its squared error is twice the least (`latent.blur[twice]`).
#
# ??? question "The first stage shrinks a 256 × 256 image by $F = 8$. How many pairs of places does attention see, before and after?"
#
#     $65\,536^2 \approx 4.3 \cdot 10^9$ before, $1024^2 \approx 1.0 \cdot 10^6$ after: $8^4 = 4096$ times fewer.
#
# {{ spot monai-scale-outside among latent.scale[shift] latent.blur[twice] }}
#
# ## What the results do not say
#
# - `latent.two_stages` says nothing about *samples*. A gap of a few nats may be plain to see, and one of many nats may lie in details that nobody sees; and codes on which the decoder was
#   never trained may be decoded to anything.
# - `latent.collapse[normal]` is for normal codes of one number. For others only the two ends are shown: that a constant code costs nothing, and that
#   shrinking leads there.
# - `latent.joint_bound` is one example, linear and normal. It shows that the whole bound *can* pay against collapse, not that it always does.
# - `latent.cross_entropy` is one step of the chain for one coordinate; that the terms add up is `ddpm.negative_elbo`.
# - `latent.cost` counts places and pairs of one layer. A real network has layers of several sizes.
# - Nothing here says that perceptual features are those of a human eye.
#
# ## Where sources slip
#
# `monai-scale-outside` at the scale, `vqgan-weight-without-norms` at the adaptive weight, `pml2-elbo-q-without-log` at the bound.
#
# ## References
#
# - [@rombach2022high]: latent diffusion; the first stages and the scale (section 3.1, appendix G), compression factors (section 4.1).
# - [@esser2021taming]: VQGAN, discriminator and adaptive weight (section 3.1, eq. 7).
# - [@vahdat2021score]: encoder and diffusion trained together, by the whole bound; the cross-entropy as an integral over time.
# - [@sonderby2016ladder], [@vahdat2020nvae]: hierarchical VAEs from the top down. [@luo2022understanding]: diffusion as one of them.
# - [@blau2018perception]: distortion against perception; the factor 2.
# - [@zhang2018unreasonable]: perceptual loss. [@larsen2016autoencoding]: a discriminator on an autoencoder.
# - [@kingma2014vae]: the VAE.
