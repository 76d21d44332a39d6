# %% [markdown]
# # Variational autoencoders
#
# A generative model with hidden causes first draws a code $z$ from a simple prior $p_\theta(z)$, then an
# observation $x$ from $p_\theta(x \mid z)$. To train it by maximum likelihood we need $\log p_\theta(x)$, which
# averages over *every* code that could have produced $x$. How can we raise a number that we cannot compute?
#
# **The answer in a line:** guess the code with a second network $q_\phi(z \mid x)$; the guess gives a lower bound
# on $\log p_\theta(x)$ that can be computed and differentiated, and the gap is exactly the KL divergence from the
# guess to the true posterior.
#
# {{ picture vae.question }}
#
# !!! board "On the board"
#
#     The evidence lower bound, reconstruction minus regularisation:
#
#     {{ vae.elbo }}
#
#     and for a Gaussian encoder with mean $\mu$ and log-variance $\ell$, in each coordinate of the code:
#
#     {{ vae.gaussian_prior_kl }}
#
#     $x$ is an observation and $z$ its code; $p_\theta(x \mid z)$ is the decoder, $p_\theta(z)$ the prior and
#     $q_\phi(z \mid x)$ the encoder. $D_{\mathrm{KL}}$ is the divergence of [Divergences](divergences.py).
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Encode a batch: mean $\mu$ and log-variance $\ell$ of each code.
#     2. Draw $z = \mu + e^{\ell/2} \epsilon$ with standard normal $\epsilon$: `genmath.vae.reparameterize`.
#     3. Decode, and take a gradient step that raises the mean bound: `genmath.vae.elbo`;
#        `genmath.vae.VAE` joins the three.
#
# !!! sample "Sample"
#
#     1. Draw $z$ from the prior.
#     2. Decode it: $x$ is drawn from $p_\theta(x \mid z)$, or its mean is shown.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - $x$ is an observation, $z$ its hidden code. $p_\theta(x, z)$ is the model; its prior $p_\theta(z)$, its
#   likelihood or *decoder* $p_\theta(x \mid z)$, its evidence $p_\theta(x)$ and its posterior $p_\theta(z \mid x)$
#   are the marginals and conditionals of this one joint density.
# - $q_\phi(z \mid x)$ is the *encoder*: any density of $z$, one for each $x$.
# - Sums and integrals are written alike. All values are in nats. The model's density is taken to be positive,
#   so that every logarithm exists; where the encoder has to be positive too, the page says so.
# - $\ell$ is the *logarithm of a variance*, $\sigma$ a standard deviation: several of the slips at the end of
#   this chapter confuse the two.

# %%
from genmath.book import chapter
from genmath.proof import *

x, z = variables("x z")
p = Density("p_theta", x, z, positive=True)
q = Density("q_phi", z, given=x)
kl_nonnegative = chapter("divergences").kl_nonnegative
kl_hellinger = chapter("divergences").kl_hellinger

# %% [markdown]
# ## Why the evidence is hard
#
# The evidence is an average of the likelihood over the prior, so one could draw codes from the prior and average.
# `vae.evidence[variance]` shows what that costs. The variance of one such draw, measured in units of the squared
# evidence, is a divergence from posterior to prior (the χ²-divergence): an observation that tells much about its code
# makes the posterior narrow, and almost every code drawn from the prior then contributes nothing.


# %%
@derivation("The evidence, and what it costs to average over the prior")
def evidence(d):
    d.start(p(x), name="average", words="an average over the prior")
    d.equals(integral(p(x, z), z), by="the marginal: add up all codes that could have produced x")
    d.equals(E(p(z), p(x | z)), by="product rule p(x, z) = p(z) p(x | z)")
    d.slip("udl-1726-stray-dz", equal(p(x), integral(E(p(z), p(x | z)), z)), equal(p(x), E(p(z), p(x | z))),
           source="udlbook/udlbook issue #56 (Eq. 17.26, fixed)",
           why="The expectation already contains the integral over z; a second one multiplies by the total volume.")
    d.start(E(p(z), p(x | z) ** 2) - E(p(z), p(x | z)) ** 2, name="variance", words="the variance of one draw")
    d.equals(p(x) ** 2 * E(p(z), (p(x | z) / p(x)) ** 2) - p(x) ** 2, by="the mean of one draw is p(x)")
    d.equals(p(x) ** 2 * (E(p(z | x), p(z | x) / p(z)) - 1), by="Bayes' rule: p(x | z) / p(x) = p(z | x) / p(z)")


# %% [markdown]
# The gradient is no easier. It is an average over the posterior, and the posterior is what we do not have: its
# normaliser is the evidence itself.

# %%
theta = reals("theta")
pt = Density("p", x, z, given=theta, positive=True)


@derivation("The gradient of the evidence is an average over the posterior")
def evidence_gradient(d):
    d.start(diff(log(pt(x | theta)), theta))
    d.equals(integral(diff(pt(x, z | theta), theta), z) / pt(x | theta),
             by="derivative of a logarithm, and of the integral of p(x, z | θ)")
    d.equals(E(pt(z | (x, theta)), diff(log(pt(x, z | theta)), theta)), by="∂p = p ∂log p, and p(x, z | θ) / p(x | θ) is the posterior")


# %% [markdown]
# ## The evidence lower bound
#
# !!! example "By hand"
#
#     Let the code be a fair coin, $z \in \{0, 1\}$, and let $x$ have probability $0.1$ given $z = 0$ and $0.9$
#     given $z = 1$. Then $p(x) = 0.5$ and $\log p(x) \approx -0.693$. Guess $q(z = 1) = 0.8$. Reconstruction:
#     $0.8 \log 0.9 + 0.2 \log 0.1 \approx -0.545$. KL to the prior:
#     $0.8 \log 1.6 + 0.2 \log 0.4 \approx 0.193$. The bound is $-0.738$, below $-0.693$ by $0.044$; and that is
#     the KL from $q$ to the true posterior $(0.1, 0.9)$: $0.8 \log \frac{0.8}{0.9} + 0.2 \log \frac{0.2}{0.1} \approx 0.044$.
#
# Insert the encoder. Whatever it is, the log-evidence splits into a part that we can estimate and a KL divergence that
# we cannot compute, but whose sign we know. Training raises the first part; the bound is *tight* where the encoder is
# the posterior [@kingma2014vae].
#
# In code: `genmath.vae.elbo`, `genmath.vae.VAE.elbo`.


# %%
@derivation("The evidence lower bound")
def elbo(d):
    d.start(log(p(x)))
    d.equals(E(q(z | x), log(p(x))), by="q integrates to one, and log p(x) does not depend on z")
    d.equals(E(q(z | x), log(p(x, z) / p(z | x))), by="Bayes' rule")
    d.equals(E(q(z | x), log(p(x, z) / q(z | x))) + KL(q(z | x), p(z | x)), by="multiply and divide by q inside the logarithm")
    d.at_least(E(q(z | x), log(p(x, z) / q(z | x))), by="a KL divergence is never negative",
               because=kl_nonnegative(q(z | x), p(z | x)))
    d.equals(E(q(z | x), log(p(x | z))) - KL(q(z | x), p(z)), by="product rule p(x, z) = p(x | z) p(z)")
    d.tight_when(q(z | x), p(z | x))
    bound = E(q(z | x), log(p(x | z))) - KL(q(z | x), p(z))
    d.slip("elbo-minimise", log(p(x)) <= bound, log(p(x)) >= bound,
           source="probml/pml2-book issue #58 (p815 l44, fixed)",
           why="Only an upper bound is worth minimising; this is a lower bound on log p(x), so it is maximised.",
           because=kl_nonnegative(q(z | x), p(z | x)))
    d.false_alarm("fa-wiseodd-43", -log(p(x)) <= E(q(z | x), -log(p(x | z))) + KL(q(z | x), p(z)),
                  source="wiseodd/generative-models issue #43",
                  why="“It must be reconstruction − KL”: not for losses. The code's reconstruction is −log p(x | z), so the two add.",
                  because=kl_nonnegative(q(z | x), p(z | x)))


# %% [markdown]
# {{ picture vae.gap }}
#
# The same without an inequality. The first term rewards codes from which $x$ can be rebuilt (*reconstruction*), the
# second charges for an encoder that is unlike the prior (*regularisation*), the third is the gap.


# %%
@derivation("Log-evidence = reconstruction − regularisation + gap")
def decomposition(d):
    d.start(log(p(x)))
    d.equals(E(q(z | x), log(p(x, z) / q(z | x))) + KL(q(z | x), p(z | x)), by="`vae.elbo`, before the gap is dropped")
    d.equals(E(q(z | x), log(p(x | z))) - KL(q(z | x), p(z)) + KL(q(z | x), p(z | x)), by="product rule p(x, z) = p(x | z) p(z)")
    right = equal(log(p(x)), E(q(z | x), log(p(x | z))) - KL(q(z | x), p(z)) + KL(q(z | x), p(z | x)))
    d.slip("classic-kl-swap",
           equal(log(p(x)), E(q(z | x), log(p(x | z))) - KL(p(z), q(z | x)) + KL(q(z | x), p(z | x))), right,
           source="a common slip, no single source", why="Swapped KL arguments: the average is over the encoder, so the encoder comes first.")
    d.slip("elbo-prior-symbol",
           equal(log(p(x)), E(q(z | x), log(p(x | z))) - KL(q(z | x), p(x), over=z) + KL(q(z | x), p(z | x))), right,
           source="probml/pml2-book issue #91 (Eq. 20.71)", why="KL compares two distributions over z: the prior, not the evidence.")


# %% [markdown]
# **What it means.** Raising the bound does two things at once: it raises the evidence of the model, and it moves the
# encoder towards the posterior. The bound alone does not say which of the two happened.
#
# ### By Jensen's inequality
#
# Many texts take another road. Read the evidence as the average of *importance weights*
# $w = p_\theta(x, z)/q_\phi(z \mid x)$ and move the logarithm inside the average. Jensen's inequality is here no
# black box: its gap is the average of $u - 1 - \log u$ at $u = w/p_\theta(x)$, and that is never negative.

# %%
qp = Density("q_phi", z, given=x, positive=True)
w = define("w", p(x, z) / qp(z | x))


@derivation("The evidence lower bound by Jensen's inequality")
def elbo_jensen(d):
    d.start(log(p(x)))
    d.equals(log(E(qp(z | x), w)), by="the weights average to p(x): q cancels")
    d.at_least(E(qp(z | x), log(w)), by="Jensen: the logarithm lies below its tangent, $\\log u \\le u - 1$ at $u = w/p(x)$",
               because=E(qp(z | x), log_gap(w / p(x))))


# %% [markdown]
# Both roads lead to the same place because they drop the same thing: Jensen's gap *is* the KL divergence to the
# posterior.


# %%
@derivation("Jensen's gap is the KL divergence to the posterior")
def jensen_gap(d):
    d.start(E(qp(z | x), log_gap(w / p(x))))
    d.equals(E(qp(z | x), -log(w / p(x))), by="w/p(x) averages to one, so u − 1 averages to zero")
    d.equals(KL(qp(z | x), p(z | x)), by="Bayes' rule: w/p(x) is p(z | x)/q(z | x)")


# %% [markdown]
# ### All data at once
#
# Average over data from $r(x)$ and let $r(x, z)$ be data with their codes, so that $r(z \mid x)$ is the encoder.
# Maximising the mean bound is minimising *one* KL divergence between two joint densities; the entropy of the data
# is a constant.

# %%
r = Density("r", x, z)


@derivation("The mean bound is a KL divergence between joint densities")
def joint_kl(d):
    d.start(KL(r(x, z), p(x, z)))
    d.equals(E(r(x, z), log(r(x))) + E(r(x, z), log(r(z | x) / p(x, z))), by="product rule r(x, z) = r(x) r(z | x)")
    d.equals(-H(r(x)) - E(r(x), E(r(z | x), log(p(x, z) / r(z | x)))), by="average over z first: the bound of `vae.elbo` at each x")


# %% [markdown]
# The regularisation term splits in the same way [@hoffman2016elbo]: into what a code tells about *which* $x$ it came
# from (the mutual information), and how far all codes together, the *aggregate posterior* $r(z)$, are from the prior.
# Only the second must vanish for samples from the prior to look like codes; the first is what makes codes useful.

# %%
prior = Density("p", z, positive=True)


@derivation("The aggregate-posterior view of the KL term")
def aggregate_posterior(d):
    d.start(E(r(x), KL(r(z | x), prior(z))))
    d.equals(E(r(x, z), log(r(x, z) / (r(x) * r(z)))) + KL(r(z), prior(z)), by="multiply and divide by r(z) inside the logarithm")
    d.equals(KL(r(x, z), r(x) * r(z)) + KL(r(z), prior(z)), by="the first term is the mutual information of x and z")
    d.at_least(KL(r(x, z), r(x) * r(z)), by="a KL divergence is never negative", because=kl_nonnegative(r(z), prior(z)))


# %% [markdown]
# ## The three terms in closed form
#
# ### A Gaussian encoder
#
# With $q$ normal and a standard normal prior the KL term needs no sampling. The network gives the mean $\mu$ and the
# log-variance $\ell$, which may be any real numbers. Codes have many coordinates: for independent ones the divergences add
# up (`divergences.kl_independent`).
#
# In code: `genmath.divergences.gaussian_kl`, and the `kl` of `genmath.vae.elbo`.

# %%
mu, ell = reals("mu ell")
sigma = positives("sigma")
qn = Normal(z, mu, exp(ell))
f = Function("f")


@derivation("The KL term of a Gaussian encoder, by mean and log-variance")
def gaussian_prior_kl(d):
    d.start(KL(qn, Normal(z, 0, 1)))
    d.equals(E(qn, z**2 / 2 - (z - mu) ** 2 / (2 * exp(ell)) - ell / 2), by="the logarithms of the two densities")
    d.equals(-(1 + ell - mu**2 - exp(ell)) / 2, by="second moments: E z² = μ² + exp ℓ and E(z − μ)² = exp ℓ")
    by_sd = KL(Normal(z, mu, sigma**2), Normal(z, 0, 1))
    d.slip("notes-vae-kl-comment-sign", equal(KL(qn, Normal(z, 0, 1)), (1 + ell - mu**2 - exp(ell)) / 2),
           equal(KL(qn, Normal(z, 0, 1)), -(1 + ell - mu**2 - exp(ell)) / 2),
           source="lecture notes 'The mathematics of generative models', 2.5, code comment",
           why="The comment lost its minus sign (the code below it is right); as written it is never positive.")
    d.slip("vae-kl-missing-half", equal(by_sd, mu**2 + sigma**2 - log(sigma) - number(1) / 2),
           equal(by_sd, (mu**2 + sigma**2) / 2 - log(sigma) - number(1) / 2),
           source="SupaeroDataScience/deep-learning PR #6 (merged)",
           why="Missing ½ on μ² + σ²: at μ = 0, σ = 1 the wrong form gives ½ instead of 0.")
    d.slip("vae-kl-logsigma-squared", equal(by_sd, (exp(2 * log(sigma)) + mu**2 - 1 + log(sigma) ** 2) / 2),
           equal(by_sd, (exp(2 * log(sigma)) + mu**2 - 1 - 2 * log(sigma)) / 2),
           source="FluxML/model-zoo PR #147",
           why="log(σ²) = 2 log σ, with a minus sign; (log σ)² is another function, with slope 0 instead of −2 at σ = 1.")
    d.false_alarm("fa-pytorch-vae-sign", equal(-(E(qn, f(z)) - KL(qn, Normal(z, 0, 1))), -E(qn, f(z)) + -(1 + ell - mu**2 - exp(ell)) / 2),
                  source="pytorch/examples issues #824, #298, #225",
                  why="“The sign of KLD is reversed”: no. The loss is the negative bound, BCE + KLD with KLD = −½(1 + ℓ − μ² − exp ℓ).")
    d.false_alarm("fa-pytorchvae-69", equal(by_sd, -(1 + log(sigma**2) - mu**2 - exp(log(sigma**2))) / 2),
                  source="AntixK/PyTorch-VAE issue #69",
                  why="“log_var is used as log σ”: no. With log_var = log σ² the formula is the KL of N(μ, σ²).")


# %% [markdown]
# ### A Bernoulli decoder
#
# The decoder gives a logit $\ell$ for each pixel. Written with softplus the likelihood loses no digits when the
# logit is large: the probabilities themselves would round to 0 or 1. The identity holds for every real $x$, but only
# for $x \in \{0, 1\}$ is it the logarithm of a probability.
#
# In code: `genmath.vae.bernoulli_log_likelihood`.

# %%
pixel = reals("x")


@derivation("The Bernoulli likelihood in logits")
def bernoulli_likelihood(d):
    d.start(log(sigmoid(ell) ** pixel * (1 - sigmoid(ell)) ** (1 - pixel)))
    d.equals(pixel * log(sigmoid(ell)) + (1 - pixel) * log(sigmoid(-ell)), by="the logarithm of a product; 1 − sigmoid(ℓ) = sigmoid(−ℓ)")
    d.equals(pixel * ell - softplus(ell), by="log sigmoid(ℓ) = ℓ − softplus(ℓ) and log sigmoid(−ℓ) = −softplus(ℓ)")


# %% [markdown]
# ### A Gaussian decoder, and its best variance
#
# In code: `genmath.vae.gaussian_log_likelihood`.


# %%
@derivation("The Gaussian likelihood by mean and log-variance")
def gaussian_likelihood(d):
    d.start(log(Normal(x, mu, exp(ell))))
    d.equals(-((x - mu) ** 2 / exp(ell) + ell + log(2 * pi)) / 2, by="the logarithm of the normal density")


# %% [markdown]
# With a fixed variance the likelihood is a squared error up to scale and constant, and the choice of the variance
# weighs reconstruction against the KL term, just as β does below. It need not be chosen by hand [@rybkin2021simple]:
# average over data $r(x)$, and write $m > 0$ for the mean squared error. The best *variance* is $m$.

# %%
v, m = positives("v m")


@derivation("The best decoder variance is the mean squared error")
def optimal_variance(d):
    d.start(E(r(x), log(Normal(x, mu, v))), name="mean", words="the mean log-likelihood")
    d.equals(-(log(2 * pi * v) + E(r(x), (x - mu) ** 2) / v) / 2, by="the logarithm of the normal density, averaged")
    d.start(-(log(2 * pi * v) + m / v) / 2, name="best", words="the best variance")
    d.at_most(-(log(2 * pi * m) + 1) / 2, by="$\\log u \\le u - 1$ at $u = m/v$", because=log_gap(m / v) / 2)
    d.tight_when(v, m)
    d.slip("vae-sigma-optimal", m / (2 * sigma**2) + log(sigma) >= m / (2 * m**2) + log(m),
           m / (2 * sigma**2) + log(sigma) >= m / (2 * sqrt(m) ** 2) + log(sqrt(m)),
           source="orybkin/sigma-vae-pytorch issue #1",
           why="The loss m/(2σ²) + log σ is smallest at σ² = MSE, not at σ = MSE.", because=log_gap(m / sigma**2) / 2)


# %% [markdown]
# **Why samples blur.** Where the code does not decide between two values of a pixel, the best normal covers both,
# and its mean is a value between them. That is the price of maximum likelihood: to give no probability to
# something that occurs costs more than to give some to what never does (*mode covering*, see [Divergences](divergences.py)). A GAN
# is asked for samples that look real, and may drop one of the two: sharp, and incomplete ([GAN](gan.py)).
#
# {{ picture vae.blur }}
#
# ## Gradients through a random draw
#
# The reconstruction term is an average under $q_\phi$, and $\phi$ is what we differentiate by: a draw of $z$ has no
# gradient. There are two ways out. The first holds for any density, discrete ones included [@williams1992simple]:
# weigh $f$ by the *score*, here the derivative of the log-density by its parameter.

# %%
phi = reals("phi")
qs = Density("q", z, given=phi, positive=True)


@derivation("The score-function gradient")
def score_function_gradient(d):
    d.start(diff(E(qs(z | phi), f(z)), phi))
    d.equals(integral(diff(qs(z | phi), phi) * f(z), z), by="differentiate under the integral")
    d.equals(E(qs(z | phi), f(z) * diff(log(qs(z | phi)), phi)), by="∂q = q ∂log q")


# %% [markdown]
# The second draws the noise first, $z = \mu + \sigma\epsilon$, and differentiates along the draw [@kingma2014vae]
# [@rezende2014stochastic]. It needs the derivative of $f$, and a density that is a smooth image of fixed noise. Both
# estimate the same number: for normal $q$ this is integration by parts, for the mean and for the scale.
#
# In code: `genmath.vae.reparameterize`.

# %%
eps = variables("eps")
qg = Normal(z, mu, sigma**2)
e = Normal(eps, 0, 1)


@derivation("Reparameterisation gradient = score-function gradient")
def reparameterization_gradient(d):
    d.start(diff(E(qg, f(z)), mu), name="mean", words="by the mean")
    d.equals(E(qg, f(z) * (z - mu) / sigma**2), by="`vae.score_function_gradient` with the score of a normal density")
    d.equals(E(e, diff(f(mu + sigma * eps), mu)), by="integrate by parts, then put z = μ + σϵ")
    d.equals(E(e, f.prime(mu + sigma * eps)), by="chain rule")
    d.start(diff(E(qg, f(z)), sigma), name="scale", words="by the scale")
    d.equals(E(qg, f(z) * ((z - mu) ** 2 / sigma**3 - 1 / sigma)), by="`vae.score_function_gradient` with the score of a normal density")
    d.equals(E(e, diff(f(mu + sigma * eps), sigma)), by="integrate by parts, then put z = μ + σϵ")
    d.equals(E(e, f.prime(mu + sigma * eps) * eps), by="chain rule")
    d.start(E(qn, f(z)), name="draw", words="the draw, with a log-variance")
    d.equals(E(e, f(mu + exp(ell / 2) * eps)), by="put z = μ + σϵ with σ = exp(ℓ/2)")


# %% [markdown]
# ### Which has the smaller variance?
#
# {{ picture vae.gradients }}
#
# The means agree, the variances do not [@mohamed2020monte]. For $f(z) = z^2$ the path wins by far: its variance does
# not even depend on $\mu$, while the score's grows with the fourth power of $\mu$ and, at fixed $\mu \ne 0$, without
# limit as σ → 0.

# %%
g_score = define("g_score", z**2 * (z - mu) / sigma**2)
g_path = define("g_path", 2 * z)


@derivation("Two gradients of the mean, for f(z) = z²")
def gradient_variances(d):
    d.start(E(qg, g_score), name="means", words="both have the same mean")
    d.equals(E(qg, g_path), by="`vae.reparameterization_gradient`")
    d.equals(2 * mu, by="the mean of a normal density")
    d.start(E(qg, g_path**2) - (2 * mu) ** 2, name="path", words="the variance along the path")
    d.equals(4 * sigma**2, by="second moment")
    d.start(E(qg, g_score**2) - (2 * mu) ** 2, name="score", words="the variance with the score")
    d.equals(mu**4 / sigma**2 + 14 * mu**2 + 15 * sigma**2, by="moments up to the sixth")
    d.at_least(4 * sigma**2, by="every term is non-negative", because=mu**4 / sigma**2 + 14 * mu**2 + 11 * sigma**2)


# %% [markdown]
# It is not always so. Take a bump at zero, $f(z) = \exp(-\rho z^2/(2\sigma^2))$, and draws from $N(0, \sigma^2)$. Draw
# by draw the path's gradient is −ρ times the score's. Their means are equal (`vae.reparameterization_gradient`), so
# both means are zero and the second moments are the variances. The path's variance is ρ² times the score's: for a bump
# narrower than $q$, that is for ρ > 1, the score wins. Which is better is a matter of $f$.

# %%
rho = at_least_one("rho")
q0 = Normal(z, 0, sigma**2)
bump = exp(-(rho * z**2) / (2 * sigma**2))
b_path = define("g_path", diff(bump, z))
b_score = define("g_score", bump * z / sigma**2)


@derivation("Two gradients of the mean, for a narrow bump")
def gradient_variances_bump(d):
    d.start(E(q0, b_path), name="means", words="both have the same mean")
    d.equals(-(rho * E(q0, b_score)), by="the derivative of the bump is −ρ z/σ² times the bump")
    d.start(E(q0, b_path**2), name="variances", words="their variances")
    d.equals(rho**2 * E(q0, b_score**2), by="the same, squared")
    d.at_least(E(q0, b_score**2), by="$\\rho^2 \\ge 1$", because=(rho**2 - 1) * E(q0, b_score**2))


# %% [markdown]
# ## β: another price for the KL term
#
# Multiply the KL term by β, as β-VAE does [@higgins2017beta]. Write $R$ for the reconstruction and $K$ for the KL term
# (in information theory, minus the *distortion* and the *rate* [@alemi2018fixing]). For β ≥ 1 something non-negative
# is taken away: the objective is still a bound, only a looser one.
#
# In code: `beta=` of `genmath.vae.elbo`.

# %%
beta, below = at_least_one("beta"), fractions("beta")
reconstruction = define("R", E(q(z | x), log(p(x | z))))
rate = define("K", KL(q(z | x), p(z)))


@derivation("For β ≥ 1 the objective is still a bound")
def beta_vae(d):
    d.start(log(p(x)))
    d.at_least(reconstruction - rate, by="`vae.elbo`", because=kl_nonnegative(q(z | x), p(z | x)))
    d.at_least(reconstruction - beta * rate, by="$\\beta \\ge 1$ and the KL divergence is never negative",
               because=((beta - 1) * KL(q(z | x), p(z)), kl_nonnegative(q(z | x), p(z))))


# %% [markdown]
# For β < 1 it is in general no bound, and one case shows it: with the posterior as encoder the objective *exceeds* the
# log-evidence by $1 - \beta$ times a KL divergence, which is zero only where posterior and prior are equal (its last
# form, a squared distance of square roots, shows that).


# %%
@derivation("For β < 1 the objective can exceed the log-evidence")
def beta_below_one(d):
    d.start(E(p(z | x), log(p(x | z))) - below * KL(p(z | x), p(z)))
    d.equals(log(p(x)) + (1 - below) * KL(p(z | x), p(z)), by="`vae.elbo` is tight at the posterior: log p(x) is the objective with β = 1")
    d.at_least(log(p(x)) + (1 - below) * integral((sqrt(p(z | x)) - sqrt(p(z))) ** 2, z), by="KL is at least the squared Hellinger distance",
               because=((1 - below) * (KL(p(z | x), p(z)) - integral((sqrt(p(z | x)) - sqrt(p(z))) ** 2, z)), kl_hellinger(p(z | x), p(z))))


# %% [markdown]
# {{ picture vae.tempered }}
#
# What is maximised instead? For every β > 0 the objective is a number without the encoder in it, minus β times a KL
# divergence to the *tempered* posterior $p_\beta$, prior times likelihood to the power 1/β. So the best encoder is
# $p_\beta$: the observation counts less than in the posterior for β > 1, and more for β < 1.

# %%
temperature = positives("beta")
Z = define("Z_beta", integral(p(z) * p(x | z) ** (1 / temperature), z))
tempered = define("p_beta", p(z) * p(x | z) ** (1 / temperature) / Z)


@derivation("The best encoder for β is a tempered posterior")
def beta_optimum(d):
    d.start(E(qp(z | x), log(p(x | z))) - temperature * KL(qp(z | x), p(z)))
    d.equals(temperature * log(Z) - temperature * KL(qp(z | x), tempered, over=z), by="multiply and divide by Z inside the logarithm")
    d.at_most(temperature * log(Z), by="$\\log u \\le u - 1$ at $u = p_\\beta/q$, and both integrate to one",
              because=temperature * E(qp(z | x), log_gap(tempered / qp(z | x))))
    d.tight_when(qp(z | x), tempered)


# %% [markdown]
# {{ explorer vae }}
#
# ### As a constrained problem
#
# β is the price (a Lagrange multiplier) of a budget: reconstruct as well as possible, using at most $c$ nats of KL. The
# priced objective bounds what any encoder within the budget can reach.

# %%
c = positives("c")
price = nonnegatives("beta")


@derivation("β is the price of a KL budget: weak duality")
def beta_dual(d):
    d.given_that(rate <= c)
    d.start(reconstruction)
    d.at_most(reconstruction - price * (rate - c), by="within the budget the added term is non-negative", because=price * (c - rate))


# %% [markdown]
# Conversely, a maximiser of the priced objective solves the constrained problem for the budget that it uses. Fix one
# observation and write $f(z)$ for its log-likelihood, $J$ for the priced objective. If $q^\star$ is no worse than $q$ at the
# price β, and $q$ spends no more than $q^\star$, then $q$ reconstructs no better.

# %%
q_z, q_star = Density("q", z), Density("q_star", z)
R, R_star = define("R", E(q_z(z), f(z))), define("R_star", E(q_star(z), f(z)))
K, K_star = define("K", KL(q_z(z), prior(z))), define("K_star", KL(q_star(z), prior(z)))
J, J_star = define("J", R - price * K), define("J_star", R_star - price * K_star)


@derivation("A maximiser at price β is best among encoders with its budget")
def beta_constraint(d):
    d.given_that(J_star >= J)
    d.given_that(K_star >= K)
    d.start(R_star)
    d.equals(J_star + price * K_star, by="add back what was charged")
    d.at_least(J + price * K, by="q* is no worse at the price β, and q spends no more", because=(J_star - J, price * (K_star - K)))
    d.equals(R, by="add back what was charged")


# %% [markdown]
# ## More draws: importance-weighted bounds { .advanced }
#
# {{ picture vae.draws }}
#
# Draw $k$ codes and average their weights *before* taking the logarithm [@burda2016importance]. The average still has
# mean $p_\theta(x)$ but fluctuates less, so less is lost. With one draw this is the evidence lower bound again.
#
# In code: `genmath.vae.iwae_bound` of `genmath.vae.VAE.log_weights`.


# %%
def weights(k):
    """The encoder's densities at k independent codes, and the importance weights w_1, ..., w_k."""
    codes = copies(z, k)
    return tuple(qp(c | x) for c in codes), [define(f"w_{i}", p(x, c) / qp(c | x)) for i, c in enumerate(codes, 1)]


def plus(terms):
    total, *others = terms
    for term in others:
        total = total + term
    return total


def mean(w, leave_out=None):
    """The mean of the weights as a letter: m_{12} is the mean of w_1 and w_2."""
    kept = {i: w_i for i, w_i in enumerate(w, 1) if i != leave_out}
    if len(kept) == 1:
        return next(iter(kept.values()))
    return define(f"m_{{{''.join(map(str, kept))}}}", plus(list(kept.values())) / len(kept))


@derivation("The importance-weighted bound", k=(1, 2, 3))
def iwae(d, k):
    encoders, w = weights(k)
    d.start(log(p(x)))
    d.equals(log(E(encoders, mean(w))), by="each weight averages to p(x), and so does their mean")
    d.at_least(E(encoders, log(mean(w))), by="Jensen: $\\log u \\le u - 1$ at $u$ = the mean weight over p(x)",
               because=E(encoders, log_gap(mean(w) / p(x))))


@derivation("One weight gives the evidence lower bound")
def iwae_one(d):
    encoders, w = weights(1)
    d.start(E(encoders, log(w[0])))
    d.equals(E(qp(z | x), log(p(x | z))) - KL(qp(z | x), p(z)), by="product rule p(x, z) = p(x | z) p(z)")


# %% [markdown]
# The bound does not fall when a draw is added. The mean of $k + 1$ weights is the mean of the $k + 1$ means that leave one
# weight out; the logarithm is concave; and each of these means has the same law as the mean of $k$ weights. Below, $m_{12}$ is
# the mean of the weights 1 and 2, and so on.

# %%
u = positives("u_1 u_2 u_3")
COUNT = {2: "two", 3: "three"}


@derivation("The logarithm of a mean is at least the mean of the logarithms", takes=u, n=(2, 3))
def log_of_mean(d, n):
    u_bar = plus(u[:n]) / n
    d.start(log(u_bar), name=COUNT[n], words=f"for {COUNT[n]} numbers")
    d.at_least(plus([log(u_i) for u_i in u[:n]]) / n, by="$\\log t \\le t - 1$ at each $t = u_i/\\bar u$, and these t average to one",
               because=plus([log_gap(u_i / u_bar) for u_i in u[:n]]) / n)


@derivation("The importance-weighted bound does not fall with k", k=(1, 2))
def iwae_increases(d, k):
    encoders, w = weights(k + 1)
    fewer = [mean(w, leave_out=i) for i in range(1, k + 2)]
    logs = plus([log(m) for m in fewer]) / (k + 1)
    concave = log_of_mean[COUNT[k + 1]](*fewer, *u[k + 1 :])
    d.start(E(encoders, log(mean(w))))
    d.at_least(E(encoders, logs), by="the mean of the means that leave one out, and `vae.log_of_mean`",
               because=(E(encoders, log(plus(fewer) / (k + 1)) - logs), concave))
    encoders, w = weights(k)
    d.equals(E(encoders, log(mean(w))), by="the codes are independent and alike: it does not matter which one is left out")


# %% [markdown]
# ### Its gradient
#
# Write $f_i(\phi)$ for the log-weight of draw $i$. The gradient is a mean of the log-weights' gradients under the *normalised*
# weights. In code one differentiates the logarithm of the mean and is done; who writes the loss as a weighted sum of
# log-weights has to hold the normalised weights fixed (detach them).


# %%
@derivation("The gradient of the importance-weighted bound", k=(2, 3))
def iwae_gradient(d, k):
    f = [Function(f"f_{i}") for i in range(1, k + 1)]
    w = [define(f"w_{i}", exp(f_i(phi))) for i, f_i in enumerate(f, 1)]
    shares = [w_i / plus(w) for w_i in w]
    weighted = plus([share * f_i.prime(phi) for share, f_i in zip(shares, f, strict=True)])
    d.start(diff(log(mean(w)), phi))
    d.equals(weighted, by="chain rule: ∂w = w ∂log w, and the number of draws cancels")
    if k == 2:
        differentiated = diff(plus([share * f_i(phi) for share, f_i in zip(shares, f, strict=True)]), phi)
        d.slip("iwae-weights-not-detached", equal(diff(log(mean(w)), phi), differentiated), equal(diff(log(mean(w)), phi), weighted),
               source="AntixK/PyTorch-VAE PR #53 / issue #34 (open)",
               why="If the loss is a weighted sum, the normalised weights must be held fixed; differentiating them too adds a term.")


# %% [markdown]
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - $\log p(x)$ = reconstruction − KL to the prior + KL to the posterior (`vae.decomposition`); the last term is
#       the gap, and it is not negative (`vae.elbo`).
#     - The gap of Jensen's inequality is the same KL divergence (`vae.jensen_gap`).
#     - Gaussian encoder: $\frac12(\mu^2 + e^\ell - 1 - \ell)$ in each coordinate (`vae.gaussian_prior_kl`).
#     - Draw $z = \mu + \sigma \epsilon$ and differentiate along the draw (`vae.reparameterization_gradient`).
#     - $\beta > 1$: still a bound, a looser one, and codes that say less (`vae.beta_vae`, `vae.beta_optimum`).
#     - $k$ draws averaged before the logarithm give a bound at least as good (`vae.iwae`).
#
# ## Questions
#
# ??? question "The bound of your model rises during training. Has the likelihood risen?"
#
#     Not necessarily: the encoder may have come closer to the posterior while the evidence stayed. The bound is the
#     evidence minus the gap, and only their difference is seen.
#
# ??? question "The KL term is exactly zero for every observation. What has happened?"
#
#     The encoder ignores $x$ and returns the prior: posterior collapse. The decoder then models $x$ without the
#     code. The bound may be perfectly good; the code tells nothing.
#
# ??? question "Why can one not simply draw $z$ and differentiate the loss by $\phi$?"
#
#     A drawn number has no derivative by the parameters of the law it was drawn from. One either writes the draw as a
#     function of $\phi$ and fixed noise, or weighs the loss by the score.
#
# ??? question "What is the KL term of a Gaussian encoder with $\mu = 0$ and $\ell = 0$? And with $\ell = 2$?"
#
#     Zero: it is the prior. With $\ell = 2$: $\frac12(e^2 - 1 - 2) \approx 2.19$ nats.
#
# ??? question "A colleague minimises the squared error plus the KL term, without a factor. Which decoder is that?"
#
#     $\|x - \mu\|^2$ is minus the log-likelihood of a normal with variance ½, up to a constant. Any other variance changes
#     the weight of the KL term, as $\beta$ does; the best is the mean squared error (`vae.optimal_variance`).
#
# {{ spot classic-kl-swap among vae.jensen_gap vae.decomposition }}
#
# ## What these results do not say
#
# - **A tight bound for some encoder is not a tight bound for yours.** The encoder is taken from a family (diagonal
#   Gaussians, say), shares its weights over all $x$, and is trained by the same gradient steps. The gap is a KL divergence
#   that nobody measures; a higher bound may mean a better model or only a smaller gap.
# - **A good bound is not a good code.** A decoder that models $x$ well without $z$ can make both the KL term and the
#   information in the code zero (*posterior collapse* [@bowman2016generating]), and the bound sees nothing wrong.
# - **The bound holds for averages.** A minibatch with one draw of $z$ gives an unbiased *estimate* of it, which may lie
#   above the log-evidence. The importance-weighted bound is below it on average too, not draw by draw.
# - **More draws help the bound, not every gradient.** The monotonicity in $k$ is proved here for the first steps only
#   (the label says which; theorem 1 of the paper [@burda2016importance] has every $k$), and it says nothing about the
#   signal-to-noise ratio of the encoder's gradient, which falls [@rainforth2018tighter].
# - **Densities are positive here.** A decoder with bounded support or a model that puts no mass on some data makes the
#   log-evidence $-\infty$; then there is nothing to bound.
# - **Grey pixels are not binary.** For $x$ strictly between 0 and 1 the Bernoulli expression is a cross-entropy but not a
#   log-density, and numbers in nats obtained from it cannot be compared with a density's.
# - **The gradients are exchanged with integrals**, and the boundary terms of the integration by parts vanish: this is
#   assumed, and listed under each result. Functions with jumps, such as an arg max in the decoder, break it: the path
#   gradient is then wrong, the score's is not.

# %% [markdown]
# ## Where sources slip
#
# Every item below is recorded beside the result that it breaks; the checker refutes the published form with a
# counterexample and proves the corrected one.
#
# - `vae.evidence`: a stray integral sign around an expectation (`udl-1726-stray-dz`).
# - `vae.elbo`: minimising a lower bound (`elbo-minimise`); and a false alarm, `fa-wiseodd-43`: losses add what bounds subtract.
# - `vae.decomposition`: KL with its arguments swapped (`classic-kl-swap`), or against the evidence instead of the prior
#   (`elbo-prior-symbol`).
# - `vae.gaussian_prior_kl`: a lost minus sign (`notes-vae-kl-comment-sign`), a lost half (`vae-kl-missing-half`), the square of a
#   logarithm for the logarithm of a square (`vae-kl-logsigma-squared`); and two false alarms, `fa-pytorch-vae-sign` and
#   `fa-pytorchvae-69`, where the reported code was right.
# - `vae.optimal_variance`: a variance taken for a standard deviation (`vae-sigma-optimal`).
# - `vae.iwae_gradient`: normalised weights that are differentiated (`iwae-weights-not-detached`).
#
# All of them are formulas, so none is left unchecked.

# %% [markdown]
# ## References
#
# - [@kingma2014vae]: the decomposition (eq. 1), the bound (eqs. 2, 3), the Gaussian objective (eq. 10), the KL term
#   (appendix B), the two decoders (appendix C).
# - [@rezende2014stochastic]: gradients of Gaussian averages (section 3).
# - [@williams1992simple]: the score-function gradient.
# - [@mohamed2020monte]: when which estimator has the smaller variance.
# - [@higgins2017beta]: the constrained problem and its objective (eq. 4).
# - [@alemi2018fixing]: reconstruction and KL term as distortion and rate.
# - [@hoffman2016elbo]: the aggregate posterior.
# - [@bowman2016generating]: a decoder strong enough to ignore its code.
# - [@burda2016importance]: the bound and its gradient (section 3), and that it does not fall with $k$ (theorem 1).
# - [@rainforth2018tighter]: the signal-to-noise ratio of the encoder's gradient.
# - [@rybkin2021simple]: the best decoder variance.
