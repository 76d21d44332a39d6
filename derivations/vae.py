# %% [markdown]
# # Variational autoencoders
#
# Think of an image $x$ as made in two steps: first draw a short *code* $z$, which nobody sees, from a simple density
# $p_\theta(z)$, the *prior*; then draw $x$ from $p_\theta(x \mid z)$, which a neural network computes from $z$. The
# letter $\theta$ stands for the parameters of this model. To train it by maximum likelihood we need
# $\log p_\theta(x)$; but $p_\theta(x)$, the *evidence*, is an average over *every* code that could have produced $x$.
# How can we raise a number that we cannot compute?
#
# **The answer in a line:** guess the code with a second network $q_\phi(z \mid x)$, with parameters $\phi$. The guess
# gives a lower bound on $\log p_\theta(x)$ that can be estimated and differentiated. The gap is exactly the KL
# divergence from the guess to the *posterior* $p_\theta(z \mid x)$, the true density of the code when $x$ is known.
#
# {{ picture vae.question }}
#
# !!! board "On the board"
#
#     The evidence lower bound (ELBO). Its first term says how well $x$ is rebuilt from its code, the second how far
#     the guess is from the prior:
#
#     {{ vae.elbo }}
#
#     If the encoder is normal with mean $\mu$ and variance $e^\ell$, and the prior is standard normal, the second term
#     is, in each coordinate of the code:
#
#     {{ vae.gaussian_prior_kl }}
#
#     $x$ is an observation and $z$ its code; $p_\theta(x \mid z)$ is the decoder, $p_\theta(z)$ the prior and
#     $q_\phi(z \mid x)$ the encoder. $\mathbb{E}$ is the mean when $z$ is drawn from the density below it.
#     $D_{\mathrm{KL}}(q \,\Vert\, p)$, the mean of $\log q - \log p$ under $q$, is the KL divergence of
#     [Divergences](divergences.py). The network gives $\mu$ and $\ell$, which depend on $x$.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Encode a batch: mean $\mu$ and log-variance $\ell$ of each code.
#     2. Draw $z = \mu + e^{\ell/2} \epsilon$ with standard normal $\epsilon$: `genmath.vae.reparameterize`.
#     3. Decode: compute $\log p_\theta(x \mid z)$ from $z$. Take a gradient step in $\theta$ and $\phi$ that raises the
#        bound, averaged over the batch: `genmath.vae.elbo`; `genmath.vae.VAE` joins the three.
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
#   are the marginals and conditionals of this one joint density. "Evidence" is just the name of the density of $x$
#   alone, $p_\theta(x)$; its logarithm is the *log-evidence*.
# - $q_\phi(z \mid x)$ is the *encoder*: any density of $z$, one for each $x$.
# - If $z$ takes only some values, as a coin does, read each integral over $z$ as a sum. Logarithms are natural; the
#   unit of their values is called the *nat*.
# - The model's density is taken to be positive, so that every logarithm exists; where the encoder has to be positive
#   too, the page says so.
# - $\sigma$ is a standard deviation. $\ell$ is the *logarithm of a variance*, $\ell = \log \sigma^2$, except where the
#   page says that it is a logit: several of the slips at the end of this chapter confuse a standard deviation with a variance.
# - $\mathbb{H}[p]$ is the entropy of a density, the mean of $-\log p$ under $p$.
# - $\partial$ is a derivative; "$\partial p = p\, \partial \log p$" is the derivative of a logarithm, read backwards.

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
# The evidence is an average of the likelihood over the prior, so one could draw codes $z$ from the prior and average
# $p_\theta(x \mid z)$. `vae.evidence[variance]` shows what that costs. Divide the variance of one such draw by
# $p_\theta(x)^2$: what is left is the average of $p_\theta(z \mid x)/p_\theta(z)$ over the posterior, minus one. (This is
# the χ²-divergence from posterior to prior.) If an observation tells much about its code, the posterior is narrow and
# high, and this number is large: almost every code drawn from the prior contributes nothing.


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
# The gradient is no easier. It is an average over the posterior, and the posterior is what we do not have: by Bayes'
# rule it is $p(x, z)/p(x)$, and its denominator is the evidence itself. Here $\theta$ is one of the parameters, and we
# write $p(x \mid \theta)$ for $p_\theta(x)$, so that we can differentiate by it.

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
# **What it means.** To raise the evidence one has to know which codes explain $x$, and that is the posterior. A draw
# from the prior seldom does, and nobody has the posterior: an encoder is trained to stand in for it.

# %% [markdown]
# ## The evidence lower bound
#
# !!! example "By hand"
#
#     Let the code be a fair coin, $z \in \{0, 1\}$. We have seen one observation $x$; it has probability $0.1$ given
#     $z = 0$ and $0.9$ given $z = 1$.
#
#     - The evidence: $p(x) = 0.5 \cdot 0.1 + 0.5 \cdot 0.9 = 0.5$, so $\log p(x) \approx -0.693$.
#     - The posterior, by Bayes' rule: $p(z = 1 \mid x) = 0.5 \cdot 0.9 / 0.5 = 0.9$, and $0.1$ for $z = 0$.
#     - Suppose that the encoder guesses $q(z = 1 \mid x) = 0.8$ and $q(z = 0 \mid x) = 0.2$.
#     - Reconstruction, the mean of $\log p(x \mid z)$ under $q$: $0.8 \log 0.9 + 0.2 \log 0.1 \approx -0.545$.
#     - KL from $q$ to the prior: $0.8 \log \frac{0.8}{0.5} + 0.2 \log \frac{0.2}{0.5} \approx 0.193$.
#     - The bound is $-0.545 - 0.193 = -0.738$, below $-0.693$ by $0.044$.
#     - KL from $q$ to the posterior: $0.8 \log \frac{0.8}{0.9} + 0.2 \log \frac{0.2}{0.1} \approx 0.044$, the same number.
#
# Now in general: take the average of $\log p_\theta(x)$ over codes drawn from the encoder. Whatever the encoder is, the
# log-evidence splits into a part that we can estimate and a KL divergence that we cannot compute, but which is never
# negative. Training raises the first part, the bound. It is *tight*, that is equal to the log-evidence, where the
# encoder is the posterior [@kingma2014vae].
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
# The same without an inequality: the log-evidence is a sum of three terms. The first rewards codes from which $x$ can
# be rebuilt (*reconstruction*). The second is subtracted, and is large where the encoder is far from the prior
# (*regularisation*); in this chapter "the KL term" is this one. The third is the gap, the KL divergence to the posterior.


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
# **What it means.** The bound is the log-evidence minus the gap. When it rises, the evidence of the model has risen, or
# the encoder has come closer to the posterior, or both. The bound alone does not say which of these happened.
#
# ### By Jensen's inequality
#
# Many texts take another road. Read the evidence as the average, over codes from the encoder, of *importance weights*
# $w = p_\theta(x, z)/q_\phi(z \mid x)$, and move the logarithm inside the average. Jensen's inequality says that this
# cannot make it larger: the logarithm of an average is at least the average of the logarithms. We need not take it on
# trust. What is lost, *Jensen's gap*, is the average of $u - 1 - \log u$ at $u = w/p_\theta(x)$, and this number is
# never negative, since $\log u \le u - 1$. (Here the encoder is positive, so that we may divide by it.)

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
# **What it means.** What is lost by moving the logarithm into the mean, and how far the encoder is from the
# posterior, are one number. An encoder that hits the posterior loses nothing.

# %% [markdown]
# ### All data at once
#
# So far $x$ was one observation. Now draw $x$ from the density $r(x)$ of the data, then a code from the encoder, and
# write $r(x, z)$ for the joint density of the two. So $r(z \mid x)$ is another name of the encoder. To maximise the
# bound, averaged over the data, is to minimise *one* KL divergence between two joint densities, data with their codes
# against the model. The entropy $\mathbb{H}[r(x)]$ of the data is a constant, which no parameter changes.

# %%
r = Density("r", x, z)


@derivation("The mean bound is a KL divergence between joint densities")
def joint_kl(d):
    d.start(KL(r(x, z), p(x, z)))
    d.equals(E(r(x, z), log(r(x))) + E(r(x, z), log(r(z | x) / p(x, z))), by="product rule r(x, z) = r(x) r(z | x)")
    d.equals(-H(r(x)) - E(r(x), E(r(z | x), log(p(x, z) / r(z | x)))), by="average over z first: the bound of `vae.elbo` at each x")


# %% [markdown]
# The KL term, averaged over the data, splits too [@hoffman2016elbo]. Let $r(z)$ be the density of the codes of *all*
# data together, the *aggregate posterior*. One part is the KL divergence from $r(z)$ to the prior $p(z)$. The other is the
# *mutual information* of $x$ and $z$, the KL divergence from $r(x, z)$ to $r(x)\, r(z)$: how much a code tells about
# *which* $x$ it came from. To sample we decode draws from the prior, so these should look like codes of data: for this
# only the divergence to the prior must be zero. The mutual information is what makes codes useful.

# %%
prior = Density("p", z, positive=True)


@derivation("The aggregate-posterior view of the KL term")
def aggregate_posterior(d):
    d.start(E(r(x), KL(r(z | x), prior(z))))
    d.equals(E(r(x, z), log(r(x, z) / (r(x) * r(z)))) + KL(r(z), prior(z)), by="multiply and divide by r(z) inside the logarithm")
    d.equals(KL(r(x, z), r(x) * r(z)) + KL(r(z), prior(z)), by="the first term is the mutual information of x and z")
    d.at_least(KL(r(x, z), r(x) * r(z)), by="a KL divergence is never negative", because=kl_nonnegative(r(z), prior(z)))


# %% [markdown]
# **What it means.** The KL term is at least what the code tells about $x$. Whoever presses it to 0
# gets codes that say nothing: the posterior has collapsed.

# %% [markdown]
# ## The three terms in closed form
#
# To train we compute the bound. It needs the KL term, which has a formula when encoder and prior are normal, and the
# logarithm of the decoder's density, for which there are two usual choices: one for black-and-white pixels and one for
# real numbers.
#
# ### A Gaussian encoder
#
# With $q$ normal and a standard normal prior the KL term needs no sampling. For each $x$ the encoder's network gives the
# mean $\mu$ and the log-variance $\ell$ of the code, which may be any real numbers. Below, $z$ is one coordinate of the
# code, and $\mathcal{N}(z; \mu, e^\ell)$ is the normal density of $z$ with mean $\mu$ and variance $e^\ell$. Codes have
# many coordinates: for independent ones the divergences add up (`divergences.kl_independent`).
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
# **What it means.** An encoder with mean 0 and log-variance 0 pays nothing and says nothing. A mean of 2 costs 2
# nats; half the standard deviation costs 0.32.

# %% [markdown]
# ### A Bernoulli decoder
#
# Let $x$ be one pixel, 0 or 1. The decoder gives a real number for it, a *logit*. In this section $\ell$ is this logit
# (not a log-variance): the pixel is 1 with probability $\mathrm{sigmoid}(\ell) = 1/(1 + e^{-\ell})$. The result is
# written with $\mathrm{softplus}(\ell) = \log(1 + e^\ell)$, and so stays exact in a computer when the logit is large:
# the probability itself would be rounded to 0 or 1, and the logarithm of 0 is $-\infty$. The identity holds for every
# real $x$, but only for $x \in \{0, 1\}$ is it the logarithm of a probability.
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
# **What it means.** The network gives the logit, and softplus takes it as it is: no probability is rounded to 0
# before its logarithm, even at a logit of 100. For grey pixels, between 0 and 1, the same line is a loss and no
# likelihood.

# %% [markdown]
# ### A Gaussian decoder, and its best variance
#
# Let $x$ be one real number. Now $\mu$ and $\ell$ are the mean and the log-variance of $x$ given the code; the decoder
# gives them.
#
# In code: `genmath.vae.gaussian_log_likelihood`.


# %%
@derivation("The Gaussian likelihood by mean and log-variance")
def gaussian_likelihood(d):
    d.start(log(Normal(x, mu, exp(ell))))
    d.equals(-((x - mu) ** 2 / exp(ell) + ell + log(2 * pi)) / 2, by="the logarithm of the normal density")


# %% [markdown]
# Write $v$ for the decoder's variance. If $v$ is fixed, the log-likelihood is $-(x - \mu)^2/(2v)$ plus a constant: a
# squared error. A small $v$ makes reconstruction count more against the KL term, a large one less, as β does
# below. It need not be chosen by hand [@rybkin2021simple]: average over the data, $x$ from $r(x)$, and write $m > 0$ for
# the mean squared error, the average of $(x - \mu)^2$. The best *variance* is $v = m$.

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
           why="The loss m/(2σ²) + log σ is smallest where the variance σ² is the mean squared error m. The code set σ itself to it.", because=log_gap(m / sigma**2) / 2)


# %% [markdown]
# **Why samples blur.** Sometimes the code does not say which of two values a pixel has. Then the best normal covers
# both, and its mean is a value between them. That is the price of maximum likelihood: a model that gives no probability
# to something that occurs loses much; a model that gives some probability to what never occurs loses little (*mode
# covering*, see [Divergences](divergences.py)). A generative adversarial network ([GAN](gan.py)) is trained only to make
# samples that look real. It may drop one of the two values: its samples are sharp, but some kinds are missing.
#
# {{ picture vae.blur }}
#
# ## Gradients through a random draw
#
# The reconstruction term is an average of $f(z) = \log p_\theta(x \mid z)$ over codes drawn from $q_\phi$, and we need its
# derivative by $\phi$. But a drawn number $z$ has no derivative by $\phi$. There are two ways out, for any function $f$ that
# does not depend on $\phi$. In this section $x$ is fixed, so we write $q(z \mid \phi)$ for the encoder with the parameter
# $\phi$.
#
# The first way works for any density, and for discrete codes too [@williams1992simple]: draw $z$, and multiply
# $f(z)$ by the *score*, here the derivative of the log-density by its parameter $\phi$. The average of the product is the
# gradient.

# %%
phi = reals("phi")
qs = Density("q", z, given=phi, positive=True)


@derivation("The score-function gradient")
def score_function_gradient(d):
    d.start(diff(E(qs(z | phi), f(z)), phi))
    d.equals(integral(diff(qs(z | phi), phi) * f(z), z), by="differentiate under the integral")
    d.equals(E(qs(z | phi), f(z) * diff(log(qs(z | phi)), phi)), by="∂q = q ∂log q")


# %% [markdown]
# The second way (*reparameterisation*) draws standard normal noise $\epsilon$ first, whose density has no parameter, and
# puts $z = \mu + \sigma\epsilon$ [@kingma2014vae] [@rezende2014stochastic]. Now $z$ is a function of $\mu$ and $\sigma$, and
# the chain rule gives the derivative of $f(z)$ by them: the *path gradient*. It needs the derivative $f'$, and a $z$ that can
# be written as a smooth function of the parameters and of such noise. Both ways estimate the same number: for normal $q$
# this is integration by parts, for the mean $\mu$ and for the scale $\sigma$.
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
# **What it means.** Two estimators have the same mean. The path gradient asks how $f$ changes where the draw is moved,
# the score only how much $f$ was worth: the path needs a derivative of $f$, the score would do for a die.

# %% [markdown]
# ### Which has the smaller variance?
#
# {{ picture vae.gradients }}
#
# The two estimates have the same mean but not the same variance [@mohamed2020monte]. Take the derivative by $\mu$. One
# draw $z$ from $\mathcal{N}(\mu, \sigma^2)$ gives $g_{\mathrm{score}} = f(z)(z - \mu)/\sigma^2$ by the first way and
# $g_{\mathrm{path}} = f'(z)$ by the second. For $f(z) = z^2$ the path gradient is far better: its variance does not even
# depend on $\mu$. The variance with the score grows with the fourth power of $\mu$ and, at fixed $\mu \ne 0$, without
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
# It is not always so. Take a bump at zero, $f(z) = \exp(-\rho z^2/(2\sigma^2))$ with $\rho \ge 1$, and draws from
# $\mathcal{N}(0, \sigma^2)$, so that $\mu = 0$. For every draw the path gradient is −ρ times the one with the score. Their
# means are equal (`vae.reparameterization_gradient`), so both means are zero, and the variances are the means of the
# squares. The variance of the path gradient is ρ² times the other: for a bump narrower than $q$, that is for ρ > 1, the
# score is better. Which way is better depends on $f$.

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
# **What it means.** Neither always wins. Along the path the gradient is quieter where $f$ is smooth; a narrow bump is
# steep, and there the score's gradient is quieter. Decoders are mostly smooth at the width of an encoder, hence the
# habit.

# %% [markdown]
# ## β: another price for the KL term
#
# Multiply the KL term by a number β, as β-VAE does [@higgins2017beta]. Write $R$ for the reconstruction and $K$ for the
# KL term; the *objective* is then $R - \beta K$, and the bound is the case β = 1. (Information theory calls $-R$ the
# *distortion* and $K$ the *rate* [@alemi2018fixing].) For β ≥ 1 something non-negative is taken away from the bound: the
# objective is still a lower bound, only a looser one.
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
# log-evidence by $1 - \beta$ times the KL divergence from posterior to prior. This is zero only where the two are equal:
# the last line shows it, since the integral of a square is zero only if the square is zero everywhere.


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
# Which encoder is the best for another β? Take the *tempered* posterior, prior times likelihood to the power 1/β:
# $p_\beta = p_\theta(z)\, p_\theta(x \mid z)^{1/\beta}/Z_\beta$, where the number $Z_\beta$ makes it integrate to one. For every
# β > 0 the objective is $\beta \log Z_\beta$, in which there is no encoder, minus β times the KL divergence from the encoder
# to $p_\beta$. So the best encoder is $p_\beta$: the observation counts less than in the posterior for β > 1, and more for
# β < 1.

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
# **What it means.** At $\beta = 1$ the best encoder is the posterior. At $\beta = 2$ the likelihood counts half: the
# encoder believes the data less and stays nearer to the prior.

# %% [markdown]
# {{ explorer vae }}
#
# ### As a constrained problem
#
# There is another view of β. Suppose that we want the best reconstruction $R$ with a KL term of at most $c$ nats, a
# *budget*: $K \le c$. Then β ≥ 0 is the price of a nat (a Lagrange multiplier). For every encoder within the budget, $R$ is at
# most the *priced objective* $R - \beta(K - c)$. (That a price gives such an upper bound is called *weak duality*.)

# %%
c = positives("c")
price = nonnegatives("beta")


@derivation("β is the price of a KL budget: weak duality")
def beta_dual(d):
    d.given_that(rate <= c)
    d.start(reconstruction)
    d.at_most(reconstruction - price * (rate - c), by="within the budget the added term is non-negative", because=price * (c - rate))


# %% [markdown]
# Conversely, an encoder that maximises $R - \beta K$ is also the best one for the budget that it uses itself. Fix one
# observation and write $f(z)$ for its log-likelihood. Compare two encoders: $q^\star$, with $R^\star$, $K^\star$ and
# $J^\star = R^\star - \beta K^\star$, and $q$, with $R$, $K$ and $J = R - \beta K$. If $J^\star \ge J$, and $q$ uses no more
# KL than $q^\star$, then $q$ reconstructs no better.

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
# **What it means.** $\beta$ is a price. Whoever does best at a price could not reconstruct better with no more nats;
# that every budget has a price is not said.

# %% [markdown]
# ## More draws: importance-weighted bounds { .advanced }
#
# {{ picture vae.draws }}
#
# Draw $k$ codes $z_1, \dots, z_k$ from the encoder. Each has an importance weight
# $w_i = p_\theta(x, z_i)/q_\phi(z_i \mid x)$, as above. Average the weights *before* taking the logarithm
# [@burda2016importance]. The average still has mean $p_\theta(x)$ but varies less, so Jensen's inequality loses less. With
# one draw this is the evidence lower bound again. Below, $m_{12}$ is the mean of the weights 1 and 2, and so on.
#
# In code: `genmath.vae.iwae_bound` of `genmath.vae.VAE.log_weights`.


# %%
def weights(k):
    """The encoder's densities at k independent codes, and the importance weights w_1, ..., w_k."""
    codes = copies(z, k)
    return tuple(qp(c | x) for c in codes), [define(f"w_{i}", p(x, c) / qp(c | x)) for i, c in enumerate(codes, 1)]


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
# **What it means.** Draws that are averaged *before* the logarithm give a bound of their own; with one draw it is the
# old one.

# %% [markdown]
# The bound does not fall when a draw is added. Three facts show it. The mean of $k + 1$ weights is the mean of $k + 1$ smaller
# means, each of which leaves one weight out: for three weights, of $m_{12}$, $m_{13}$ and $m_{23}$. The logarithm of a mean is at
# least the mean of the logarithms (`vae.log_of_mean`, for positive numbers $u_i$ with mean $\bar u$). And each of the smaller
# means has the same distribution as the mean of $k$ weights.

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
# **What it means.** On average more draws never make the bound worse; for one set of draws they may. What they cost
# is time, and, as the next lines show, some of what the encoder learns.

# %% [markdown]
# ### Its gradient
#
# Write $f_i(\phi) = \log w_i$ for the log-weight of draw $i$ as a function of the parameter, with the noise held fixed. The
# gradient is a weighted mean of the gradients $f_i'$; the weights in it are $w_i$ divided by the sum of all, the
# *normalised* weights. In code it is enough to differentiate the logarithm of the mean. If you write the loss as a weighted
# sum of log-weights instead, you must hold the normalised weights fixed (`detach` in PyTorch).


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
# **What it means.** Each draw's gradient counts by its share of the weight. If one weight is a hundred times the
# others, these might as well not have been drawn.

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
#     Not necessarily: the encoder may have come closer to the posterior while the evidence stayed the same. The
#     bound is the log-evidence minus the gap, and we see only this difference.
#
# ??? question "The KL term is exactly zero for every observation. What has happened?"
#
#     The encoder ignores $x$ and returns the prior. The code tells nothing about $x$, and the decoder models $x$ without
#     it. This is called *posterior collapse*. The bound may still be high.
#
# ??? question "Why can one not simply draw $z$ and differentiate the loss by $\phi$?"
#
#     A drawn number has no derivative by the parameters of the density it was drawn from. One either writes the draw as a
#     function of $\phi$ and of noise without parameters, or multiplies the loss by the score.
#
# ??? question "What is the KL term of a Gaussian encoder with $\mu = 0$ and $\ell = 0$? And with $\ell = 2$?"
#
#     Zero: it is the prior. With $\ell = 2$: $\frac12(e^2 - 1 - 2) \approx 2.19$ nats.
#
# ??? question "A colleague minimises the squared error plus the KL term, without a factor. Which normal decoder is that?"
#
#     The one with variance ½: minus its log-likelihood is $(x - \mu)^2/(2 \cdot \frac12)$ for each number $x$, up to a constant.
#     Any other variance changes the weight of the KL term, as $\beta$ does; the best variance is the mean squared error
#     (`vae.optimal_variance`).
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
#   above the log-evidence. The importance-weighted bound, too, is below the log-evidence on average, not for every draw.
# - **More draws help the bound, not every gradient.** The monotonicity in $k$ is proved here for the first few steps only
#   (the label says which; theorem 1 of the paper [@burda2016importance] has every $k$), and it says nothing about the
#   signal-to-noise ratio of the encoder's gradient, which falls [@rainforth2018tighter].
# - **Densities are positive here.** If a model gives density zero to some data, as a decoder does that is zero outside
#   a bounded set, their log-evidence is $-\infty$; then there is nothing to bound.
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
