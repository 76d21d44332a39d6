# %% [markdown]
# # Likelihood
#
# A photograph is a list of numbers. Most lists of numbers look like noise; a few look like a photograph. A *generative
# model* is a density $p_\theta(x)$ that is large for the few and small for the rest. With it one can draw new examples, say how
# surprising an example is, and fill in what is missing. But nobody tells us the density. We only have examples. Which density
# do they speak for, and how do we find it?
#
# **The answer in a line:** choose the parameters under which the examples are most probable. Because of a logarithm this is a sum
# over the examples, and most proofs here that a fit is the best use one inequality between numbers, $\log u \le u - 1$.
#
# {{ picture likelihood.question }}
#
# !!! board "On the board"
#
#     A classifier learns the left side, a generative model learns what stands on the right:
#
#     {{ likelihood.bayes[posterior] }}
#
#     Fit a normal density to $n$ numbers: no other choice of $\mu$ and $v$ makes them more probable than the mean and the
#     variance of the data.
#
#     {{ define likelihood.m }}
#
#     {{ define likelihood.s2 }}
#
#     {{ likelihood.normal_ml }}
#
#     If there are hidden variables $z$, improve the mean over them, and the likelihood follows (*EM*):
#
#     {{ likelihood.em_bound }}
#
#     $x$ is an example, $y$ its label. $x_1, \dots, x_n$ are numbers, $\mathcal{N}(x;\, \mu, v)$ is the normal density with mean $\mu$ and
#     variance $v$, and $m$ and $s^2$ are the mean and the variance of the numbers. $\phi$ are the parameters that we have and $\theta$ any others; $p(x, z \mid \theta)$ is
#     the density of example and hidden variable together, and $\mathbb{E}$ a mean over $z$ when $x$ is known, under the present parameters $\phi$.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     A mixture of normal densities, by EM:
#
#     1. Start with centres from `genmath.likelihood.kmeans`.
#     2. *E-step*: for each example, how probable is it that each component made it? `likelihood.responsibilities`.
#     3. *M-step*: mean and covariance of each component, with these probabilities as weights: `likelihood.m_step`.
#     4. Repeat 2 and 3 until the log-likelihood stands still: `genmath.likelihood.fit_mixture` is the loop.
#
# !!! sample "Sample"
#
#     1. Draw a component $k$ with its weight.
#     2. Draw $x$ from the normal density of component $k$: `genmath.toys.GaussianMixture.sample` does both.
#
# </div>
#
# ## Notation and hypotheses
#
# - $p(x)$ is a density: it is not negative and integrates to one. If $x$ takes only some values, it is a table of probabilities, and
#   integrals are sums. What is shown for arbitrary densities holds for both.
# - $p_\theta$ is a *model*, with parameters $\theta$. As a function of $x$, with $\theta$ held, $p_\theta(x)$ is a probability or a density. As a function of
#   $\theta$, with the data held, it is called the *likelihood*. It does not integrate to one over $\theta$.
# - $\mathbb{E}_p[f(x)]$ is the mean of $f(x)$ when $x$ is drawn from $p$. Means that appear are assumed finite.
# - $\mathcal{N}(x;\, \mu, v)$ is the density at $x$ of a normal with mean $\mu$ and **variance** $v$; for a vector, with mean vector $\mu$ and covariance matrix $\Sigma$.
# - $\mathrm{sigmoid}(a) = 1 / (1 + e^{-a})$ turns any number into one between 0 and 1.
# - Logarithms are natural, and the unit is the nat; one bit is $\log 2 \approx 0.693$ nats.
# - The *entropy* of $p$ is the mean $\mathbb{E}_p[-\log p(x)]$. The *Kullback–Leibler divergence*, KL, from $p$ to $q$ is $\mathbb{E}_p[\log (p(x) / q(x))]$; it is never negative, and zero only
#   if the two agree (`divergences.kl_nonnegative`).
# - $n$ is the number of examples, $d$ the number of coordinates of one. Statements for vectors are checked for the $d$ that their labels say.

# %%
from genmath.proof import *

half = number(1) / 2
x, y, z = variables("x y z")
i, n = naturals("i n")
xs = Sequence("x")
mu = reals("mu")
v, sigma = positives("v sigma")


# %% [markdown]
# ## Three kinds of model
#
# A *discriminative* model learns $p(y \mid x)$: given an image $x$, which label $y$? A *generative* model learns $p(x)$: which images are there at all?
# A *conditional* generative model learns $p(x \mid y)$: which images belong to this label? All three are parts of one joint density $p(x, y)$, and
# Bayes' rule connects them. With a conditional generative model and the frequencies $p(y)$ of the labels one can classify. A classifier alone cannot
# generate: it knows nothing of $p(x)$. The second line says it in terms of training. Data come from $p_{\mathrm{data}}$; the log-likelihood of pairs is that of a classifier plus that
# of a model of images.
#
# !!! example "By hand"
#
#     Three of ten animals are tigers. Eight of ten tigers show their stripes, and one of ten other animals seems striped. We see
#     stripes. The joint probabilities are $0.3 \cdot 0.8 = 0.24$ and $0.7 \cdot 0.1 = 0.07$. So it is a tiger with probability $0.24 / 0.31 \approx 0.77$.

# %%
joint = Density("p", x, y, positive=True)
data = Density("p_data", x, y)


@derivation("Bayes' rule turns a generative model into a classifier")
def bayes(d):
    d.start(joint(y | x), name="posterior", words="a classifier from a generative model")
    d.equals(joint(x | y) * joint(y) / integral(joint(x | y) * joint(y), y),
             by="the product rule, written in both orders; the denominator sums the numerator over all labels")
    d.start(E(data(x, y), log(joint(x, y))), name="training", words="the log-likelihood of pairs")
    d.equals(E(data(x, y), log(joint(y | x))) + E(data(x), log(joint(x))),
             by="the logarithm of the product rule; the second term needs only $x$")


# %% [markdown]
# **What it means.** A classifier spreads its probability over the *labels* of one $x$. The sum over the labels is one for every $x$, also for an image of pure noise: a
# classifier must answer, however absurd the question. A generative model spreads its probability over all $x$. It can say "there is no such thing" by
# making $p(x)$ small.
#
# {{ picture likelihood.competition }}
#
# ## Probability is scarce
#
# {{ picture likelihood.scarce }}
#
# A density integrates to one. So probability cannot be created: what a model gives to one place it takes from another. That is why
# fitting a density is hard work. To make a cat likely the model has to make everything else less likely. Below, $\max(a, 0)$ is $a$ where $a$ is positive, and zero elsewhere.

# %%
p = Density("p", x)
q = Density("q", x)


@derivation("Mass competes")
def mass_competes(d):
    d.start(integral(p(x) - q(x), x), name="balance", words="two densities differ by nothing in sum")
    d.equals(0, by="both integrate to one")
    d.start(integral(positive_part(p(x) - q(x)), x), name="moved", words="what is raised here falls elsewhere")
    d.equals(integral(positive_part(q(x) - p(x)), x),
             by="a number is its positive part minus the positive part of its negative; by the line above both parts have the same integral")


# %% [markdown]
# **What it means.** Go from one model $q$ to another, $p$. The mass that is gained is the mass that is lost. This amount is the *total variation* between the two (`divergences.total_variation`).
#
# ## A generative classifier
#
# Let each of two classes have a normal density: mean $\mu_1$ or $\mu_0$, and **one** covariance matrix $\Sigma$ for both. A share $\pi_1$ of the examples is in class 1. What is the probability of class 1 when $x$ is seen?
# Both log-densities are the same quadratic function of $x$, up to terms that are linear in $x$. In the ratio the quadratic parts cancel. What is left is the sigmoid of a linear
# function: *logistic regression*. If the covariances differ, the quadratic parts stay, and the border between the classes is curved.
#
# !!! example "By hand"
#
#     On the line, $\mu_1 = 1$, $\mu_0 = -1$, variance 1, equal shares. Then, by the formulas below, $w = \mu_1 - \mu_0 = 2$ and $b = 0$: the probability of class 1 is $\mathrm{sigmoid}(2x)$. At $x = 0.5$ it is $\mathrm{sigmoid}(1) \approx 0.73$; at $x = 10$, where
#     neither class has any data, it is $0.999999998$. The classifier is most certain where it knows least.

# %%
X = vectors("x")
mu_0, mu_1 = mean_vectors("mu_0 mu_1")
Sigma, Sigma_0, Sigma_1 = covariances("Sigma Sigma_0 Sigma_1")
share = fractions("pi_1")


@derivation("Normal classes with one covariance give a logistic classifier", dims=(1, 2, 3))
def logistic_posterior(d):
    one, zero = share * Normal(X, mu_1, Sigma), (1 - share) * Normal(X, mu_0, Sigma)
    w = define("w", inverse(Sigma) * (mu_1 - mu_0))
    b = define("b", log(share / (1 - share)) - (dot(mu_1, inverse(Sigma) * mu_1) - dot(mu_0, inverse(Sigma) * mu_0)) / 2)
    d.start(one / (one + zero))
    d.equals(sigmoid(dot(w, X) + b), by="divide by the numerator: the ratio of the two terms is an exponential of a linear function of $x$")


@derivation("Normal classes with two covariances give a quadratic classifier", dims=(1, 2))
def quadratic_posterior(d):
    one, zero = share * Normal(X, mu_1, Sigma_1), (1 - share) * Normal(X, mu_0, Sigma_0)
    far_0 = define("D_0", dot(X - mu_0, inverse(Sigma_0) * (X - mu_0)))
    far_1 = define("D_1", dot(X - mu_1, inverse(Sigma_1) * (X - mu_1)))
    d.start(one / (one + zero))
    d.equals(sigmoid(log(share / (1 - share)) + log(det(Sigma_0) / det(Sigma_1)) / 2 + (far_0 - far_1) / 2),
             by="the same; now the squared distances do not cancel")


# %% [markdown]
# **What it means.** A generative and a discriminative model may have the same form. They differ in what they are *trained* for: the generative one also has to explain $x$ (`likelihood.bayes[training]`). With few examples this often helps, with many it can
# hurt if the normal densities are wrong [@ng2002discriminative].
#
# ## A map of generative models
#
# {{ picture likelihood.taxonomy }}
#
# Three questions sort the models of this book [@goodfellow2016tutorial].
#
# 1. **Is there a density?** An *explicit* model has a formula or a bound for $p_\theta(x)$. An *implicit* one can only be sampled.
# 2. **Is the density exact?** It is *tractable* if a computer gets $\log p_\theta(x)$ exactly, and *approximate* if it gets a bound, or only a slope.
# 3. **How is it sampled?** *Directly*, in one pass of a network, or by *iteration*, in many small steps.
#
# | chapter | density | sampled |
# |---|---|---|
# | this one: families, mixtures | explicit, exact | directly |
# | [Autoregressive models](autoregressive.py) | explicit, exact | one number after the other |
# | [Normalizing flows](normalizing_flow.py) | explicit, exact | directly |
# | [Continuous normalizing flows](cnf.py) | explicit, exact up to the solver | in steps |
# | [Variational autoencoders](vae.py) | explicit, a lower bound | directly |
# | [Discrete codes](vq.py) | explicit, a lower bound | one token after the other |
# | [Generative adversarial networks](gan.py), [Wasserstein distances](wasserstein.py) | implicit | directly |
# | [Style and image translation](translation.py): CycleGAN | implicit, given a picture of another domain | directly |
# | [Denoising diffusion](ddpm.py), [Implicit diffusion](ddim.py), [Latent diffusion](latent.py) | explicit, a lower bound | in steps |
# | [Score matching](score.py) | only the slope of the log-density | in steps |
# | [Stochastic differential equations](sde.py), [Flow matching](flow_matching.py), [EDM](edm.py) | explicit, by a flow | in steps |
# | [Few steps and one](consistency.py) | implicit | directly, or in a few steps |
#
# [Divergences](divergences.py) are the measures by which they are compared. [Evaluating generative models](evaluation.py) says what is measured of samples. [Guidance](guidance.py) steers a model that is sampled in steps, and [Attention](attention.py) is what most of their networks are made of. [Text to picture and clip](multimodal.py) puts the parts together. [Learning without labels](contrastive.py) models no density at all: it learns what two views of a thing have in common.
#
# ## Maximum likelihood
#
# {{ picture likelihood.surface }}
#
# A coin shows heads with probability $\theta$. *Probability* asks: $\theta = 0.7$ is known, how probable are seven heads and then three tails? *Likelihood* turns the question around: these ten throws have been seen;
# for which $\theta$ were they most probable? The numbers are the same, $\theta^7 (1 - \theta)^3$, but now $\theta$ varies and the data do not.
#
# For independent examples the likelihood is a product with one factor for each. Take the logarithm: it grows when its argument does, so the maximum stays where it was, and the product becomes a sum (`divergences.log_likelihood_iid`). On a computer the
# product of a thousand densities is often zero or infinity; the sum is an ordinary number. (Four hundred factors of $0.1$: the product is $10^{-400}$, and the smallest positive number of double precision is about $5 \cdot 10^{-324}$. The sum is $-400 \log 10 \approx -921$.) *Maximum likelihood* [@fisher1922mathematical] chooses the $\theta$ with the largest sum. On average over data it is the $\theta$ with the least
# Kullback–Leibler divergence from the data to the model (`divergences.maximum_likelihood`).
#
# In school one sets the derivative to zero. That finds a place where the function is level, which might be a minimum. The proofs here do more: they name the gap between the maximum and any other choice, and show that it is not negative. The gap is made of
# $u - 1 - \log u$, which is never negative because the logarithm lies nowhere above its tangent at 1.
#
# {{ explorer likelihood }}
#
# ### A normal density
#
# The data are any $n$ numbers that are not all equal. Their mean is $m$, and $s^2$ is their mean squared distance from $m$. In the last line the gap is $\frac n2 \big[\big(\frac{s^2}{v} - 1 - \log \frac{s^2}{v}\big) + \frac{(m - \mu)^2}{v}\big]$. Both parts are zero only for $\mu = m$ and $v = s^2$.
#
# !!! example "By hand"
#
#     The numbers $1, 2, 6$ have mean $3$ and $s^2 = (4 + 1 + 9)/3 = 14/3 \approx 4.67$. The largest log-likelihood is $-\frac32 (\log(2\pi \cdot 4.67) + 1) \approx -6.57$. With $\mu = 2$ and the same variance it is lower, by
#     $\frac32 \cdot \frac{1}{4.67} \approx 0.32$.
#
# In code: `genmath.likelihood.fit`.

# %%
m = define("m", total(xs[i], i, 1, n) / n)
s2 = define("s^2", total((xs[i] - m) ** 2, i, 1, n) / n)


@derivation("The best normal density has the mean and the variance of the data")
def normal_ml(d):
    d.given_that(s2 > 0)
    log_likelihood = total(log(Normal(xs[i], mu, v)), i, 1, n)
    d.start(log_likelihood)
    d.equals(-(n / 2) * (log(2 * pi * v) + (s2 + (m - mu) ** 2) / v),
             by="the logarithm of a normal density; the mean squared distance from $\\mu$ is $s^2 + (m - \\mu)^2$")
    d.at_most(-(n / 2) * (log(2 * pi * s2) + 1), by="$\\log u \\le u - 1$ at $u = s^2/v$, and a square is not negative",
              because=n / 2 * (log_gap(s2 / v) + (m - mu) ** 2 / v))
    squares = total((xs[i] - mu) ** 2, i, 1, n) / (2 * sigma**2)
    both = total(log(Normal(xs[i], mu, sigma**2)), i, 1, n)
    d.slip(
        "sml-normal-loglik-sign",
        wrong=equal(both, n / 2 * log(2 * pi * sigma**2) - squares),
        right=equal(both, -(n / 2) * log(2 * pi * sigma**2) - squares),
        source="uu-sml/sml-book-page issue #2 (draft, eq. 3.21; confirmed)",
        why="The normaliser stands in the denominator: its logarithm is subtracted. (There the mean is that of a linear regression.) With the wrong sign a wider density is always better.",
    )
    one = log(Normal(xs[1], mu, sigma**2))
    square = ((xs[1] - mu) / sigma) ** 2 / 2
    d.slip(
        "ros-normal-log-score",
        wrong=equal(one, -log(2 * pi) / 2 - log(sigma) / 2 - square),
        right=equal(one, -log(2 * pi) / 2 - log(sigma) - square),
        source="avehtari/ROS-Examples issue #28 (p. 174; in the errata)",
        why="Half of the logarithm of the *variance* is the whole logarithm of the standard deviation.",
    )


# %% [markdown]
# **What it means.** A normal density sees two numbers of the data and no more. Data with two groups, or with one far outlier, get the same normal as any other data with this mean and this variance.
#
# For vectors the answer is the same: the mean vector and the covariance matrix of the data. What any other normal density lacks, for each example on average, is the KL divergence from the best normal to it, `divergences.gaussian_kl_full`.
#
# Here are also the two slopes, the *score* of the two parameters. They are arrows in the explorer above. The first is zero at $\mu = m$. With this $\mu$ the second is zero at $\sigma = s$, the standard deviation of the data.

# %%
@derivation("The slopes of a normal log-likelihood")
def normal_slopes(d):
    log_likelihood = total(log(Normal(xs[i], mu, sigma**2)), i, 1, n)
    d.start(diff(log_likelihood, mu), name="mean", words="by the mean")
    d.equals(n * (m - mu) / sigma**2, by="the normaliser does not contain $\\mu$")
    d.start(diff(log_likelihood, sigma), name="width", words="by the standard deviation")
    d.equals(n * ((s2 + (m - mu) ** 2) / sigma**3 - 1 / sigma), by="differentiate $-\\log \\sigma$ and $-1/(2\\sigma^2)$")


# %% [markdown]
# **Is the answer right on average?** The mean is. The variance is too small: on average it is $(n - 1)/n$ times the true one, since distances are measured from $m$, and $m$ was chosen to be close to these very numbers. Let the data be drawn from any density $p$, with variance $V$: the factor is always the same.
# It is checked for up to four examples. Dividing by $n - 1$ instead removes this *bias*; but then it is not the maximum of the likelihood.

# %%
@derivation("The variance of maximum likelihood is too small on average", n=(2, 3, 4))
def variance_bias(d, n):
    drawn = copies(x, n)
    densities = tuple(p(each) for each in drawn)
    m = define("m", plus(drawn) / n)
    variance = define("V", E(p(x), x**2) - E(p(x), x) ** 2)
    d.start(E(densities, plus([(each - m) ** 2 for each in drawn]) / n))
    d.equals(number(n - 1) / n * variance, by="expand the squares; independent examples have no covariance, so $m$ has the variance $V/n$")
    if n == 2:
        d.slip(
            "classic-ml-variance-unbiased",
            wrong=equal(E(densities, plus([(each - m) ** 2 for each in drawn]) / n), variance),
            right=equal(E(densities, plus([(each - m) ** 2 for each in drawn]) / n), variance / 2),
            source="a common slip, no single source",
            why="The mean is fitted to the same data, so the data are closer to it than to the true mean.",
        )


# %% [markdown]
# **What it means.** The most likely model fits its own data too closely. With two examples half of the variance is lost, with a hundred one per cent. On its own data the largest likelihood of a family is at least that of the true parameters, if the family has them. That is why one measures on other data.
#
# ### Coins, dice, counts and waiting times
#
# For a coin the answer is the share of heads, $f$ below. For a die with $K$ sides it is the list of frequencies: $n_k$ is how often side $k$ was seen. A model gives each side a positive weight $w_k$ and divides by the sum $W$ of all weights (a *softmax*, if the weights are exponentials). For the rate $\lambda$ of an exponential density, $\lambda e^{-\lambda x}$ for $x > 0$, that of
# waiting times, it is one over the mean. For counts, as of raindrops on a tile, it is a Poisson table, $e^{-\lambda} \lambda^x / x!$, whose mean is the mean of the data. Each time the gap is built of the same piece, $u - 1 - \log u$.
#
# !!! example "By hand"
#
#     Seven heads in ten throws: $7 \log 0.7 + 3 \log 0.3 \approx -6.11$, and the fair coin has $10 \log 0.5 \approx -6.93$. Waiting times $1, 2, 3$ have mean $2$, so the best rate is $\frac12$, with
#     log-likelihood $-3 (\log 2 + 1) \approx -5.08$.

# %%
theta, share_heads = fractions("theta f")
lam = positives("lambda")
k, K = naturals("k K")
seen, weights = Sequence("n", domain="positive"), Sequence("w", domain="positive")
times_, counts = Sequence("x", domain="positive"), Sequence("x", domain="count")


@derivation("The best coin has the share of heads")
def coin_ml(d):
    d.start(share_heads * log(theta) + (1 - share_heads) * log(1 - theta))
    d.at_most(share_heads * log(share_heads) + (1 - share_heads) * log(1 - share_heads),
              by="$\\log u \\le u - 1$ at $u = \\theta/f$, and at the same ratio for tails; the two linear parts cancel",
              because=share_heads * log_gap(theta / share_heads) + (1 - share_heads) * log_gap((1 - theta) / (1 - share_heads)))


@derivation("The best die has the frequencies")
def die_ml(d):
    n, W = define("n", total(seen[k], k, 1, K)), define("W", total(weights[k], k, 1, K))
    d.start(total(seen[k] * log(weights[k] / W), k, 1, K))
    d.at_most(total(seen[k] * log(seen[k] / n), k, 1, K), by="$\\log u \\le u - 1$ at the ratio of the model's probability to the frequency, for each side",
              because=total(seen[k] * log_gap(weights[k] * n / (seen[k] * W)), k, 1, K))


@derivation("The best exponential density has the mean of the data")
def exponential_ml(d):
    m = define("m", total(times_[i], i, 1, n) / n)
    d.start(total(log(Exponential(times_[i], lam)), i, 1, n))
    d.equals(n * (log(lam) - lam * m), by="the data enter through their mean only")
    d.at_most(-(n * (log(m) + 1)), by="$\\log u \\le u - 1$ at $u = \\lambda m$", because=n * log_gap(lam * m))


@derivation("The best Poisson table has the mean of the data")
def poisson_ml(d):
    m = define("m", total(counts[i], i, 1, n) / n)
    c = define("c", total(log_gamma(counts[i] + 1), i, 1, n))
    d.given_that(total(counts[i], i, 1, n) > 0)
    d.start(total(log(Poisson(counts[i], lam)), i, 1, n))
    d.equals(n * (m * log(lam) - lam) - c, by="$\\log \\Gamma(x_i + 1) = \\log (x_i!)$, and the factorials contain no $\\lambda$")
    d.at_most(n * (m * log(m) - m) - c, by="$\\log u \\le u - 1$ at $u = \\lambda/m$", because=n * m * log_gap(lam / m))


# %% [markdown]
# **What it means.** These are not four tricks. In each case the best model gives some number the mean that it has in the data: heads or not, side $k$ or not, the waiting time, the count. The next section says why.
#
# ## Exponential families { .advanced }
#
# Take any positive density $h(x)$ and tilt it by $e^{\eta t(x)}$, with some function $t$ and a parameter $\eta$. Divided by its integral $e^{A(\eta)}$ this is a density $p_\eta$ again: an *exponential family*. Coins, counts, waiting times and normal densities are of this kind. (With several functions $t$ there are several
# parameters; one is enough here.)
#
# The function $A$ knows everything. Its slope is the mean of $t$ under the model, and its second derivative is the variance of $t$, which is not negative: $A$ is convex. The mean log-likelihood of data in which $t$ has mean $\tau$ is $\eta \tau - A(\eta)$ plus a term without $\eta$: a linear function minus a convex one, so every local maximum is a global one. If the model
# has matched the mean, $\tau = \mathbb{E}_{p_\eta}[t]$, then no other value $\varphi$ of the parameter is better than $\eta$, and the gap is a KL divergence: `likelihood.exponential_family[maximum]`. This is called *moment matching*.

# %%
h, t = Density("h", x, positive=True), Function("t")
eta, phi = reals("eta varphi")


def log_normaliser(at):
    return log(E(h(x), exp(at * t(x))))


A, A_phi = define("A(eta)", log_normaliser(eta)), define("A(varphi)", log_normaliser(phi))
p_eta, p_phi = define("p_eta", h(x) * exp(eta * t(x) - A)), define("p_varphi", h(x) * exp(phi * t(x) - A_phi))
tau = define("tau", integral(p_eta * t(x), x))


@derivation("Exponential families match moments")
def exponential_family(d):
    d.start(diff(A, eta), name="mean", words="the slope of the log-normaliser")
    d.equals(integral(p_eta * t(x), x), by="differentiate under the integral")
    spread = integral(p_eta * (t(x) - diff(A, eta)) ** 2, x)
    d.start(diff(diff(A, eta), eta), name="variance", words="its second derivative")
    d.equals(spread, by="differentiate once more")
    d.at_least(0, by="a variance is not negative", because=spread)
    d.start((eta * tau - A) - (phi * tau - A_phi), name="maximum", words="where the moments match, nothing is better")
    d.equals(KL(p_eta, p_phi, over=x), by="$h$ cancels in the ratio; $\\tau$ is the mean of $t$ under the first density")
    d.at_least(0, by="$\\log u \\le u - 1$ at the ratio of the densities", because=integral(p_eta * log(p_eta / p_phi) - p_eta + p_phi, x))


# %% [markdown]
# **What it means.** To fit an exponential family is to match a mean. Training follows the difference of two means, that of the data and that of the model. The same two means come back where a density is given by an energy, `score.energy_gradient`.
#
# ## How well can one know a parameter? { .advanced }
#
# The *score* of a parameter is the slope of the log-likelihood, $\partial \log p_\theta(x)$, where $\partial$ is the derivative by $\theta$, one number. (In [Score matching](score.py) the word means the slope by $x$.) At the true $\theta$ the score of one example pulls up or down, but on average it does not pull at all: otherwise another $\theta$ would explain
# the data better. How strongly it pulls, the mean of its square, is the *Fisher information* $I$. It is also minus the mean second derivative of the log-likelihood: a sharp top means much information.
#
# An *estimator* $T(x)$ is a number computed from the data. Its mean is $\mathbb{E}[T]$. If that changes with $\theta$, then $T$ must vary together with the score; by a fixed amount: their covariance is the slope of the mean. If the score varies little, $T$ has to vary much. This is the Cauchy–Schwarz inequality, and here it is called the *Cramér–Rao bound* [@rao1945information] [@cramer1946mathematical]. For an unbiased estimator the slope of the mean
# is one, so its variance is at least $1/I$. ($\bar T$ below is the mean of $T$, and $p_\theta(x \mid \theta)$ the model as a function of $\theta$.)
#
# !!! example "By hand"
#
#     A coin has $I = \frac{1}{\theta (1 - \theta)}$ (`likelihood.fisher_information[coin]`), and a throw as an estimator of $\theta$ has variance $\theta(1 - \theta)$: exactly the bound. For $n$ throws the information is $n$ times as much (`likelihood.fisher_information[adds]` is the step from one to two), and the share of heads has
#     a variance of $\theta(1 - \theta)/n$, exactly the bound again. For $\theta = 0.7$ and $n = 100$ that is a standard deviation of $0.046$.

# %%
par = reals("theta")
family = Density("p_theta", x, given=par, positive=True)
p_par = family(x | par)
T = Function("T")
bit = variables("x", domain="bit")
(x_1,) = copies(x, 1)


@derivation("The score and the Fisher information")
def fisher_information(d):
    d.start(E(p_par, diff(log(p_par), par)), name="mean", words="the score pulls nowhere on average")
    d.equals(0, by="density times score is the derivative of the density, and the integral of the density is one for every $\\theta$")
    d.start(E(p_par, diff(log(p_par), par) ** 2), name="two_ways", words="the information in two ways")
    d.equals(-E(p_par, diff(diff(log(p_par), par), par)), by="differentiate the line above once more")
    twin = family(x_1 | par)
    d.start(E((p_par, twin), diff(log(p_par * twin), par) ** 2), name="adds", words="of two independent examples")
    d.equals(2 * E(p_par, diff(log(p_par), par) ** 2), by="the scores add, and each has mean zero: the cross term vanishes")
    d.start(E(Bernoulli(bit, theta), diff(log(Bernoulli(bit, theta)), theta) ** 2), name="coin", words="of one throw of a coin")
    d.equals(1 / (theta * (1 - theta)), by="heads give $1/\\theta$, tails $-1/(1 - \\theta)$")


@derivation("The Cramér–Rao bound")
def cramer_rao(d):
    mean = define("T_bar", E(p_par, T(x)))
    d.start(diff(E(p_par, T(x)), par), name="slope", words="the mean of an estimator moves with the score")
    d.equals(E(p_par, (T(x) - mean) * diff(log(p_par), par)), by="differentiate the density; the score has mean zero, so a constant may be taken off")
    here, there = diff(log(p_par), par), diff(log(family(x_1 | par)), par)
    d.start(E(p_par, (T(x) - mean) ** 2) * E(p_par, here**2), name="bound", words="variance times information")
    d.at_least(E(p_par, (T(x) - mean) * here) ** 2, by="Cauchy–Schwarz, with Lagrange's identity for the gap",
               because=E((p_par, family(x_1 | par)), ((T(x) - mean) * there - (T(x_1) - mean) * here) ** 2) / 2)


# %% [markdown]
# **What it means.** Precision costs examples: to halve the standard deviation of an estimate takes four times as many. No cleverness gets below the bound without a bias.
#
# ## When you know something beforehand
#
# Three throws, three heads: maximum likelihood says that tails never come. That is too much to say after three throws. Give $\theta$ a density of its own, the *prior*. Bayes' rule makes of it a density of $\theta$ given the data: likelihood times prior, divided by a number. The $\theta$ where it is largest is the *maximum a posteriori*, MAP. In logarithms: the log-likelihood plus the logarithm of the prior, a *penalty*.
# A normal prior is a quadratic penalty, known as weight decay.
#
# Below, the $x_i$ are normal with unknown mean $\mu$ and known variance $v$, and $\mu$ has a normal prior with mean zero and variance $\tau^2$. The best $\mu$ is $\mu^\star = \frac{n \tau^2}{n \tau^2 + v}\, m$, the mean $m$ of the data pulled towards zero. ($\tau$ is now a standard deviation.) Many examples, or a wide prior, make the pull vanish.
#
# !!! example "By hand"
#
#     One number, $6$, and $v = \tau^2 = 1$: the best mean is $\mu^\star = 3$. After nine numbers with mean $6$ it is $5.4$.

# %%
tau_ = positives("tau")


@derivation("A normal prior pulls the mean towards zero")
def map_estimate(d):
    def objective(at):
        return total(log(Normal(xs[i], at, v)), i, 1, n) + log(Normal(at, 0, tau_**2))

    best = define("mu_star", n * tau_**2 * m / (n * tau_**2 + v))
    d.start(objective(mu))
    d.at_most(objective(best), by="both are quadratic functions of $\\mu$: complete the square",
              because=(n / v + 1 / tau_**2) * (mu - best) ** 2 / 2)


# %% [markdown]
# **What it means.** A penalty on the parameters is a prior in disguise, and the strength of the penalty says how narrow the prior is. The data outvote it: their weight $n/v$ grows, and that of the prior, $1/\tau^2$, does not.
#
# ## Bits: a good model is a short code
#
# {{ picture likelihood.codes }}
#
# A code writes each value $x$ as a word of $\ell(x)$ bits. If a text of such words is to be read without gaps between them, the words cannot all be short: *Kraft's inequality* says that $\sum_x 2^{-\ell(x)} \le 1$ [@cover2006elements]. (Think of the words as branches of a tree: a word of length $\ell$ uses up the share $2^{-\ell}$ of it.) Given that, **no code is shorter on average than the entropy** [@shannon1948mathematical], and the
# lengths $\ell(x) = -\log_2 p(x)$ reach it where they are whole numbers. The integral of the hypothesis is a sum if $x$ is from a table.
#
# Conversely a model $q$ is a code with lengths $-\log_2 q(x)$. Its mean length under the data, $\mathbb{E}_p[-\log_2 q(x)]$, is called the cross-entropy, and what it wastes is the KL divergence from the data to the model (`divergences.maximum_likelihood`). To compress and to model is the same task.
#
# !!! example "By hand"
#
#     Three letters with probabilities $\frac12, \frac14, \frac14$: the words `0`, `10`, `11` have the mean length $\frac12 + \frac24 + \frac24 = 1.5$ bits, and this is the entropy. A code made for equal probabilities needs $\log_2 3 \approx 1.585$ bits (in long texts). The price of the wrong model is $0.085$ bits a letter.

# %%
length = Function("ell")
pixel = positives("c")


@derivation("No code beats the entropy")
def code_length(d):
    kraft = define("r", exp(-(log(number(2)) * length(x))))
    d.given_that(integral(kraft, x) <= 1)
    d.start(log(number(2)) * E(p(x), length(x)))
    d.equals(E(p(x), -log(kraft)), by="write the share of the tree as $r(x) = 2^{-\\ell(x)}$")
    d.at_least(H(p(x)), by="$\\log u \\le u - 1$ at $u = r/p$; the shares add up to at most one",
               because=integral(p(x) * log(p(x) / kraft) - p(x) + kraft, x) + (1 - integral(kraft, x)))


# %% [markdown]
# **What it means.** The entropy of the data is the price that nobody can undercut. Whoever compresses better has the better model, and minus the log-likelihood, in bits, is the length of the file.
#
# ### Densities are not probabilities
#
# A density may exceed one: a normal with standard deviation $0.1$ is $3.99$ high. So a log-likelihood may be positive, and "negative log-likelihood $-2.3$" is no mistake. The value depends on the *unit*. If the unit is made $c$ times smaller (metres to centimetres: $c = 100$), the numbers become $c$ times larger: $y = c\,x$ has the density $p(y/c)/c$; all log-densities go down by $\log c$, for a good and for a bad model alike.
# Images have $d$ numbers, so the shift is $d \log c$. Numbers in nats can only be compared in the same units. The usual ones are: values $0, 1, \dots, 255$, bins of width one, and *bits per dimension*: **minus** the log-likelihood in nats, divided by $d \log 2$. Less is better. If a network sees values scaled to $[0, 1]$, add $\log_2 256 = 8$ bits per dimension: $c = 256$ above.
#
# In code: `genmath.likelihood.bits_per_dim`.

# %%
@derivation("A change of unit shifts the entropy")
def change_of_unit(d):
    scaled = define("p_c", p(y / pixel) / pixel)
    d.start(integral(scaled * -log(scaled), y))
    d.equals(H(p(x)) + log(pixel), by="substitute $y = c\\,x$; the mean of $\\log c$ is $\\log c$")


# %% [markdown]
# **What it means.** An entropy of a density has no zero of its own: choose the unit, and it is what you like. Differences between two models do not depend on the unit, and so KL does not.
#
# ### Pixels are whole numbers
#
# {{ picture likelihood.dequantization }}
#
# Pixels are whole numbers, and densities are for real ones. Fit a density to whole numbers directly, and it becomes a row of spikes, as high as you like. The remedy is to add noise $u$ between 0 and 1 to each pixel (*dequantisation*). Then a density $p$ of the noisy pixel is also a model of the whole number: the probability $P_k$ of the pixel $k$ is the mass of $p$ between $k$ and $k + 1$.
# Inside this bin, $p(k + u) = P_k\, \pi_k(u)$, where $\pi_k$ is the density of $u$ within the bin. Whatever the density $q$ of the noise is, the mean of $\log p(k + u) - \log q(u)$ is a *lower bound* of $\log P_k$, and the gap is the KL divergence from $q$ to $\pi_k$. For uniform noise $q = 1$, and the bound is the mean log-density of the noisy pixel [@theis2016note].
# With a network for $q$ the bound is tighter: *variational* dequantisation [@ho2019flow].
#
# !!! example "By hand"
#
#     A model that is $1.2$ high on the left half of a bin and $0.4$ on the right half has $P_k = 0.8$ and $\log P_k \approx -0.223$. Uniform noise gives $\frac12 (\log 1.2 + \log 0.4) \approx -0.367$. Noise that prefers the left half, three to one, as the model does, gives $-0.223$: no gap.
#
# In code: `genmath.likelihood.dequantization_bound`.

# %%
u = variables("u")
mass = positives("P_k")
inside, noise = Density("pi_k", u, positive=True), Density("q", u, positive=True)


@derivation("Dequantisation gives a lower bound")
def dequantization(d):
    density = define("p(k+u)", mass * inside(u))
    d.start(log(mass))
    d.equals(E(noise(u), log(density / noise(u))) + KL(noise(u), inside(u)), by="split the logarithm of the density in the bin")
    d.at_least(E(noise(u), log(density / noise(u))), by="KL is not negative", because=E(noise(u), log_gap(inside(u) / noise(u))))
    d.tight_when(noise(u), inside(u))


# %% [markdown]
# **What it means.** The log-likelihood of noisy pixels can be compared with that of a discrete model. Averaged over the noise it is never too good. It is the same bound as that of a [variational autoencoder](vae.py): the noise is the code, and the "decoder" rounds down.
#
# ## Mixtures, and how EM fits them
#
# {{ picture likelihood.em }}
#
# One bell is not enough for most data. A *mixture* is a weighted mean of $K$ normal densities: $\sum_k w_k\, \mathcal{N}(x;\, \mu_k, \Sigma_k)$. Read it as a story: a component $z = k$ is drawn with probability $w_k$, then $x$ from its normal. The component is not observed: it is a *hidden* (or *latent*) variable. If we knew it, the fit would be easy, one normal for each group.
# If we knew the fit, the hidden variable would be easy: Bayes' rule gives the probability that component $k$ made $x$, its *responsibility*. *EM* [@dempster1977maximum] takes turns.
#
# Why does that help? The logarithm of a *sum* over components has no simple maximum. But the sum can be bounded. Let $\phi$ be the present parameters. For any others, $\theta$, the log-likelihood rises by the mean rise of $\log p(x, z \mid \theta)$, where $z$ is drawn from $p(z \mid x, \phi)$, its *posterior*, **plus** a KL divergence, which is not negative. So whoever raises the mean raises the likelihood by at least as much.
# (This is for one example; for many, add up both sides.) The *E-step* computes the posterior under $\phi$; the *M-step* chooses the $\theta$ that raises the mean most. At $\theta = \phi$ both sides are zero: the bound touches.

# %%
par_new, par_old = reals("theta phi")
hidden = Density("p", x, z, given=par_new, positive=True)


@derivation("EM never lowers the likelihood")
def em_bound(d):
    now = hidden(z | x, par_old)
    rise = E(now, log(hidden(x, z | par_new) / hidden(x, z | par_old)))
    d.start(log(hidden(x | par_new)) - log(hidden(x | par_old)))
    d.equals(rise + KL(now, hidden(z | x, par_new)), by="Bayes' rule: joint over posterior is the density of $x$, for $\\theta$ and for $\\phi$")
    d.at_least(rise, by="KL is not negative", because=E(now, log_gap(hidden(z | x, par_new) / now)))


# %% [markdown]
# **What it means.** EM has no step size and never goes downhill. It need not find the highest top: where it ends depends on where it starts.
#
# ### The two steps for normal components
#
# The E-step is Bayes' rule for two components with weights $w$ and $1 - w$, means $\mu_1, \mu_2$ and variances $v_1, v_2$; with more components the sum has more terms. The M-step is the fit of a normal density in which example $i$ counts $r_i$ times, its responsibility. $R$ is the sum of the $r_i$, the *effective number* of examples, and $m_r$ and $v_r$ are the mean and the variance with these weights. (On the line; along each axis of a diagonal covariance it is the same.) The best weight of a component
# is its share of the responsibilities, $R/n$: that is `likelihood.die_ml`, with the $R$ for the counts.
#
# !!! example "By hand"
#
#     Data $0, 1, 5$; two components with means $0$ and $5$, variances $1$ and equal weights. For $x = 0$ half the difference of the squared distances is $\frac{25 - 0}{2} = 12.5$. The responsibilities of the first are $\mathrm{sigmoid}(12.5) \approx 1.000$, $\mathrm{sigmoid}(7.5) \approx 0.999$ and $\approx 0.000$. Its new mean is about $0.5$ and its new variance about $0.25$. The second component holds a single point; its variance falls towards zero, and its
#     likelihood grows without limit. See *What these results do not say*.
#
# In code: `genmath.likelihood.fit_mixture`.

# %%
w = fractions("w")
a_1, a_2 = reals("mu_1 mu_2")
v_1, v_2 = positives("v_1 v_2")
rs = Sequence("r", domain="positive")
R = define("R", total(rs[i], i, 1, n))
m_r = define("m_r", total(rs[i] * xs[i], i, 1, n) / R)
s2_r = define("v_r", total(rs[i] * (xs[i] - m_r) ** 2, i, 1, n) / R)


@derivation("Responsibilities of two components")
def responsibilities(d):
    first, second = w * Normal(x, a_1, v_1), (1 - w) * Normal(x, a_2, v_2)
    d.start(first / (first + second), name="first", words="of the first component")
    d.equals(sigmoid(log(w / (1 - w)) + log(v_2 / v_1) / 2 + (x - a_2) ** 2 / (2 * v_2) - (x - a_1) ** 2 / (2 * v_1)),
             by="divide by the numerator: what is left is one over one plus an exponential")
    d.slip(
        "bios8366-e-step",
        wrong=equal(first / (first + second), (1 - w) * Normal(x, a_1, v_1) / (w * Normal(x, a_2, v_2) + (1 - w) * Normal(x, a_1, v_1))),
        right=equal(first / (first + second), w * Normal(x, a_1, v_1) / ((1 - w) * Normal(x, a_2, v_2) + w * Normal(x, a_1, v_1))),
        source="fonnesbeck/Bios8366 issue #9 (fixed)",
        why="The two weights are exchanged: the M-step returns the weight of one component, and the E-step gives it to the other.",
    )


@derivation("The weighted mean and variance of the M-step")
def m_step(d):
    d.given_that(s2_r > 0)
    d.start(total(rs[i] * log(Normal(xs[i], mu, v)), i, 1, n))
    d.equals(-(R / 2) * (log(2 * pi * v) + (s2_r + (m_r - mu) ** 2) / v), by="as for one normal density, with weights")
    d.at_most(-(R / 2) * (log(2 * pi * s2_r) + 1), by="$\\log u \\le u - 1$ at the ratio of the variances, and a square is not negative",
              because=R / 2 * (log_gap(s2_r / v) + (m_r - mu) ** 2 / v))


# %% [markdown]
# **What it means.** Each half of EM is something known: Bayes' rule, and a mean and a variance. An example in the middle counts for both components, in parts.
#
# {{ explorer mixture }}
#
# ### k-means is EM with a hard choice
#
# *k-means* [@lloyd1982least] gives each example wholly to the nearest centre, then moves each centre to the mean of its examples. It lowers the *distortion*, the sum of squared distances to the own centre. Neither step can raise it. The first, because each example takes the nearest centre. The second, because no place $c$ has a smaller sum of squares than the mean: `likelihood.kmeans_step`. (For vectors: in each coordinate.)
#
# k-means is what EM becomes when all components have the same weight and the same small variance. The responsibility of the nearer of two components is $\mathrm{sigmoid}(b)$, where $b$ is the difference of the squared distances over $2v$. What it leaves to the other lies between $\frac12 e^{-b}$ and $e^{-b}$: if one centre is nearer, it vanishes faster than any power of $v$ as the variance $v$ goes to zero.
#
# In code: `genmath.likelihood.kmeans`, whose start is that of k-means++ [@arthur2007kmeans].

# %%
c = reals("c")
b = nonnegatives("b")


@derivation("The mean has the least sum of squares")
def kmeans_step(d):
    d.start(total((xs[i] - c) ** 2, i, 1, n))
    d.equals(total((xs[i] - m) ** 2, i, 1, n) + n * (m - c) ** 2, by="the distances from the mean add up to zero")
    d.at_least(total((xs[i] - m) ** 2, i, 1, n), by="a square is not negative", because=n * (m - c) ** 2)


@derivation("Responsibilities become a hard choice", dims=(1, 2))
def hard_choice(d):
    near, far = Normal(X, mu_1, v * identity), Normal(X, mu_0, v * identity)
    d.start(near / (near + far), name="soft", words="equal weights and variances")
    d.equals(sigmoid((norm2(X - mu_0) - norm2(X - mu_1)) / (2 * v)), by="the normalisers cancel")
    d.start(1 - sigmoid(b), name="at_most", words="what is left to the other, from above")
    d.at_most(exp(-b), by="it is one over one plus the exponential of $b$", because=exp(-b) * (1 - sigmoid(b)))
    d.start(1 - sigmoid(b), name="at_least", words="and from below")
    d.at_least(exp(-b) / 2, by="the nearer component has at least half", because=exp(-b) * (sigmoid(b) - half))


# %% [markdown]
# **What it means.** k-means assumes round clusters of one size, without saying so. Where the clusters are wide and narrow, or long, a mixture does better.
#
# ## Principal components { .advanced }
#
# {{ picture likelihood.principal }}
#
# Data with many coordinates often lie near a line or a plane. *Principal component analysis*, PCA, finds it. Take centred data $x$ (their mean is zero) and a direction $e$, any vector that is not zero. The best copy of $x$ on the line along $e$ is its projection: any other multiple $a\,e$ is farther away (`likelihood.reconstruction`). The squared error of the projection is $\|x\|^2$ minus the squared length that
# the line keeps. (For a plane take two orthogonal directions, one after the other: what the first line leaves out is projected on the second.) On average over the data the first term is fixed. So **the direction with the least error is the one with the most variance**. In a *linear autoencoder* with a code of one number, $a$ is what the encoder makes of $x$, and the decoder multiplies it by $e$: whatever the encoder is, it does no better than the projection, and the best decoder is the direction of PCA.
#
# Which direction is that? Turn the axes to the eigenvectors of the covariance matrix of the data. Then the coordinates are uncorrelated, with variances $\lambda_1 \ge \lambda_2, \lambda_3$. The variance along $e$ is a weighted mean of the $\lambda_j$, at most the largest, and the first axis reaches it.
#
# *Probabilistic* PCA [@tipping1999probabilistic] makes a density of this: a normal with the largest variances kept and one variance $v$ for all that is left out. Maximum likelihood gives $v$ as the *mean* of the $r$ variances that are left out, $\bar\lambda$. (In the last display $\lambda_1, \dots, \lambda_r$ are those left out, no longer the largest.)
#
# In code: `genmath.likelihood.fit_ppca`.

# %%
E_, X_ = mean_vectors("e x")
a = reals("a")
lam_1, lam_2, lam_3 = positives("lambda_1 lambda_2 lambda_3")
e_1, e_2, e_3 = reals("e_1 e_2 e_3")
left, r = Sequence("lambda", domain="positive"), naturals("r")


@derivation("The best copy on a line is the projection", dims=(1, 2, 3))
def reconstruction(d):
    d.given_that(norm2(E_) > 0)
    kept = dot(E_, X_) / norm2(E_)
    d.start(norm2(X_ - a * E_))
    d.equals(norm2(X_) - dot(E_, X_) ** 2 / norm2(E_) + norm2(E_) * (a - kept) ** 2, by="complete the square in $a$")
    d.at_least(norm2(X_) - dot(E_, X_) ** 2 / norm2(E_), by="a square is not negative", because=norm2(E_) * (a - kept) ** 2)


@derivation("No direction has more variance than the first axis")
def best_direction(d):
    whole = e_1**2 + e_2**2 + e_3**2
    d.given_that(whole > 0)
    d.given_that(lam_1 >= lam_2)
    d.given_that(lam_1 >= lam_3)
    d.start((lam_1 * e_1**2 + lam_2 * e_2**2 + lam_3 * e_3**2) / whole)
    d.at_most(lam_1, by="a weighted mean is at most the largest", because=((lam_1 - lam_2) * e_2**2 + (lam_1 - lam_3) * e_3**2) / whole)


@derivation("The noise of probabilistic PCA is the mean of what is left out")
def ppca_noise(d):
    mean = define("lambda_bar", total(left[i], i, 1, r) / r)
    d.start(-(total(log(v) + left[i] / v, i, 1, r) / 2))
    d.at_most(-(r / 2) * (log(mean) + 1), by="$\\log u \\le u - 1$ at $u = \\bar\\lambda/v$", because=r / 2 * log_gap(mean / v))


# %% [markdown]
# **What it means.** Probabilistic PCA is maximum likelihood for a normal density that is allowed few directions. What it throws away it calls noise, and all that noise gets one size. A [variational autoencoder](vae.py) is the same with bent lines.
#
# ## Densities from bumps
#
# {{ picture likelihood.bumps }}
#
# The simplest model of all has nothing to learn: put a bump, a normal density with variance $v$, on each example, and average. This is a *kernel density estimate* [@parzen1962estimation]. It is a density, since each bump is one. What does it estimate? On average over data sets, the density of the data *plus noise*: smoothed by the same bump. Its standard deviation $\sqrt v$ is called the *bandwidth*.
#
# These smoothed densities come back in the chapters on diffusion. There noise is added to the data on purpose, and $v$ runs from nearly zero to very large. How the smoothing changes as $v$ grows is the *heat equation*: tops sink and valleys fill, at half the second derivative. So for a small $v$ the estimate is wrong by about $\frac v2$ times the second derivative of the density: too low at the peaks.
#
# In code: `genmath.likelihood.kde_log_prob`.

# %%
source = Density("p", y)
smoothed = E(source(y), Normal(x, y, v))


@derivation("A kernel density estimate is, on average, the smoothed density", n=(1, 2, 3))
def kernel_density(d, n):
    examples = copies(y, n)
    estimate = plus([Normal(x, each, v) for each in examples]) / n
    d.start(integral(estimate, x), name="mass", words="it is a density")
    d.equals(1, by="each bump integrates to one")
    d.start(E(tuple(source(each) for each in examples), estimate), name="mean", words="its mean over data sets")
    d.equals(smoothed, by="every example has the same density")


@derivation("Smoothing follows the heat equation")
def smoothing(d):
    d.start(diff(smoothed, v))
    d.equals(diff(diff(smoothed, x), x) / 2, by="the normal density does so, and derivatives pass under the mean")


# %% [markdown]
# **What it means.** The estimate is honest about another density than that of the data: the one with noise. With more examples the bandwidth may shrink. In many dimensions this takes far too many examples: the bumps would have to fill a space in which a few thousand examples are far from one another.
#
# ## Is this example strange?
#
# {{ picture likelihood.shell }}
#
# A density seems made to find what does not belong: flag $x$ if $p(x)$ is small. Three facts say when that is right.
#
# **With an alternative, the ratio is best.** Suppose that good examples have the density $q$ and faulty ones $p$ (here neither is a model of the other). A *test* raises an alarm at $x$ with probability $\varphi(x)$. The best test $\varphi^\star$ raises it exactly where $p(x) > c\,q(x)$, for a number $c > 0$; below it is written as an indicator, which is 1 there and 0 elsewhere. Then no test with as few false alarms finds more faults. This is the *Neyman–Pearson lemma* [@neyman1933problem]: another test may save false alarms, but then it misses more faults: at least $c$ times as many (in probability) as it saves.

# %%
alarm = Function("varphi")
price = positives("c")


@derivation("The likelihood ratio is the best test")
def neyman_pearson(d):
    best = indicator(p(x) > price * q(x))
    d.given_that(alarm(x) >= 0)
    d.given_that(alarm(x) <= 1)
    d.start(E(p(x), best - alarm(x)))
    d.at_least(price * E(q(x), best - alarm(x)), by="$\\varphi^\\star$ alarms where $p - c\\,q$ is positive, and nowhere else",
               because=integral(positive_part(p(x) - price * q(x)) * (1 - alarm(x)) + positive_part(price * q(x) - p(x)) * alarm(x), x))


# %% [markdown]
# **What it means.** There is no strangeness without an alternative. Whoever names no density of faults has chosen one without saying so: to threshold $q(x)$ alone is to take all $x$ of the coordinates in use for equally probable faults.
#
# **A density alone depends on the coordinates.** Describe the same things by $y = g(x)$, with an increasing map $g$ (for a decreasing one take the slope without its sign). The density of $y$ has a factor, the slope of the inverse map (`cnf.change_of_variables`). So $x$ may have a higher density than $x'$ while $g(x)$ has a lower one than $g(x')$. In a *ratio* of two densities the factor cancels: the ratio belongs to the thing, not to its coordinates [@lelan2021perfect].
#
# !!! example "By hand"
#
#     Speeds are uniform between 1 and 2 kilometres a minute: no speed is stranger than another. Describe the same cars by the time $y = 1/x$ for one kilometre: it has the density $1/y^2$ between $\frac12$ and $1$. Now the fastest cars ($y = \frac12$) are four times as dense as the slowest ($y = 1$). Nothing about the cars has changed.

# %%
g = Function("g", increasing=True)
q_positive = Density("q", x, positive=True)


@derivation("A ratio of densities does not depend on coordinates")
def ratio_invariant(d):
    slope = define("J", diff(g.inverse(y), y))
    d.start((p(g.inverse(y)) * slope) / (q_positive(g.inverse(y)) * slope))
    d.equals(p(g.inverse(y)) / q_positive(g.inverse(y)), by="the slope of the inverse map is in both densities")


# %% [markdown]
# **What it means.** "The most probable image" is not a property of the images. It changes when brightness is measured on a logarithmic scale.
#
# **In high dimension the peak is empty.** Draw $x$ from a standard normal in $d$ dimensions. Its density is highest at the origin. But the squared length $\|x\|^2$ has mean $d$ and variance $2d$: for large $d$ nearly every draw has a length close to $\sqrt d$, with a spread of about $0.7$, for $d = 10$ as for $d = 1000$. For $d = 100$ the origin is $e^{50}$ times as dense as a usual draw, and nothing like a draw. The *typical* examples lie on a shell. A
# constant grey image may have a higher density under a good model of photographs than any photograph [@nalisnick2019deep]. (Checked for $d \le 3$. For more coordinates: they are independent, so means and variances add.)

# %%
@derivation("Where the mass of a normal density is", dims=(1, 2, 3))
def squared_length(d):
    dim = define("d", trace(identity))
    d.start(E(Normal(X, 0, identity), norm2(X)), name="mean", words="the mean of the squared length")
    d.equals(dim, by="each coordinate has variance one")
    d.start(E(Normal(X, 0, identity), norm2(X) ** 2) - dim**2, name="variance", words="its variance")
    d.equals(2 * dim, by="the fourth moment of a standard normal number is three")


# %% [markdown]
# **What it means.** Small density does not mean strange, and large density does not mean normal. Use a ratio against a density of "everything else" [@ren2019likelihood], or ask whether the log-density is *typical*. How good a score is, whatever it is, its *ROC curve* says: the share of faults found against the share of false alarms, for all thresholds. The area under it is the probability that a fault scores higher than a good example (a tie counts half): `genmath.likelihood.roc`.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - Bayes: $p(y \mid x) \propto p(x \mid y)\, p(y)$. A classifier normalises over labels, a generative model over $x$ (`likelihood.bayes`).
#     - What a density gains in one place it loses in another (`likelihood.mass_competes`).
#     - Maximum likelihood: mean and variance of the data (`likelihood.normal_ml`), share of heads (`likelihood.coin_ml`), frequencies (`likelihood.die_ml`). On average the variance is only $(n-1)/n$ of the true one (`likelihood.variance_bias`).
#     - The score has mean zero; variance of an unbiased estimator $\ge 1/I$ (`likelihood.fisher_information`, `likelihood.cramer_rao`).
#     - No code beats the entropy (`likelihood.code_length`). Bits per dimension: minus the log-likelihood in nats, over $d \log 2$, for bins of width one.
#     - EM: responsibilities, then weighted fits. The likelihood never falls (`likelihood.em_bound`).
#     - Best test: threshold the ratio of two densities (`likelihood.neyman_pearson`).
#     - $\|x\|^2 = d \pm \sqrt{2d}$ for a standard normal (`likelihood.squared_length`).
#
# ## Questions
#
# ??? question "Why maximise the logarithm of the likelihood, and not the likelihood?"
#
#     The logarithm is increasing, so the maximum is at the same place. It turns a product over examples into a sum: its gradient is a sum over examples, which a random part of them (a *minibatch*) estimates, and it neither underflows nor overflows.
#
# ??? question "Your model reports a log-likelihood of $+2.1$ nats. Is it broken?"
#
#     No. A density may exceed one, and the value depends on the unit of $x$. In a unit ten times smaller the numbers are ten times larger, and for one number $x$ it is $2.1 - \log 10 \approx -0.2$. For a *table* of probabilities it would be broken.
#
# ??? question "Could EM reach an infinite likelihood?"
#
#     No step reaches it, but there is no limit: let one component sit on a single example while its variance goes to zero. Its density there grows without limit, while the other components take care of the rest. The likelihood of a mixture has no maximum over all parameters. One wants a good *local* maximum, or bounds the variances from below.
#
# ??? question "A classifier and a generative model see an image of noise. What does each say?"
#
#     The classifier names a label, perhaps with high certainty: its probabilities add up to one over the labels. The generative model may give it a small density. But whether small means strange is another question: see *Is this example strange?*
#
# ??? question "Model A has $3.2$ bits per dimension on images with values in $0, \dots, 255$, and model B $-4.7$ bits per dimension on the same images scaled to $[0, 1]$. Which is better?"
#
#     Add $\log_2 256 = 8$ to B: $3.3$. A is better by $0.1$ bits per dimension, if both numbers are bounds of the same kind.
#
# ??? question "k-means and EM start from the same centres. Do they end at the same?"
#
#     Not in general. k-means cuts in the middle between two centres, with no regard to the widths of the clusters; EM weighs by density and lets clusters overlap. They agree in the limit of one small variance for all components.
#
# ??? question "Why not choose the number of components with the largest likelihood?"
#
#     Its best value never falls when a component is added, and without a floor for the variances it has no limit from two components on. Compare on examples that were *not* used for the fit.
#
# {{ spot sml-normal-loglik-sign among likelihood.m_step likelihood.exponential_ml }}
#
# ## What these results do not say
#
# - **A local maximum.** EM never goes down, but it may stop at a local maximum or a saddle. For the closed forms above the maximum is over all parameters.
# - **Mixtures have no best fit.** With a component on one example and a variance that goes to zero the likelihood grows without limit. `genmath.likelihood.fit_mixture` names the component that does so, and `floor=` keeps variances up; with a floor it is no longer exact maximum likelihood.
# - **The right family.** Maximum likelihood finds the member of the family that is nearest to the data in KL. If no member is near, it finds a bad one.
# - **Finitely many examples.** The maximum on the data at hand is not the maximum on the next data. A family that is flexible enough repeats the examples.
# - **Cramér–Rao** is a bound, and for most families no unbiased estimator with few examples reaches it. It needs a density whose support (where it is positive) does not depend on $\theta$: for a uniform density on $[0, \theta]$ it is false. (The hypotheses printed under the result exclude this case.)
# - **Kraft** is taken as a hypothesis here: that every code which can be read without gaps obeys it is a theorem of its own [@cover2006elements].
# - **The best direction** is shown for three coordinates, in the axes of the covariance. The bandwidth's error is shown as a differential equation; "about $\frac v2$ times the second derivative" is its first step.
# - **Two components.** Responsibilities are typed for two. The bound for EM is for hidden variables of any kind.
#
# ## Where sources slip
#
# - `likelihood.normal_ml`: the normaliser added instead of subtracted (`sml-normal-loglik-sign`); half the logarithm of the standard deviation (`ros-normal-log-score`).
# - `likelihood.variance_bias`: the variance of maximum likelihood taken for unbiased (`classic-ml-variance-unbiased`).
# - `likelihood.responsibilities`: the two weights exchanged (`bios8366-e-step`).
#
# Another is a missing square: the variance of a component as a mean of *distances* (as reported of eqs. 16.16 and 16.22 in hal3/ciml issue #292, which is open: `ciml-variance-norm`). The right formula is `likelihood.m_step`.
#
# ## References
#
# - [@fisher1922mathematical]: likelihood, and its maximum.
# - [@bishop2006pattern]: generative and discriminative models (section 4.2), mixtures and EM (chapter 9), principal components (chapter 12).
# - [@murphy2023probabilistic]: exponential families, Fisher information.
# - [@ng2002discriminative]: when a generative classifier wins.
# - [@goodfellow2016tutorial]: the map of generative models.
# - [@rao1945information], [@cramer1946mathematical]: the bound that has their names.
# - [@shannon1948mathematical], [@cover2006elements]: codes and entropy; Kraft's inequality (section 5.2).
# - [@theis2016note]: dequantisation, and what a likelihood does not say of samples.
# - [@ho2019flow]: variational dequantisation.
# - [@dempster1977maximum]: EM.
# - [@lloyd1982least], [@arthur2007kmeans]: k-means, and its start.
# - [@tipping1999probabilistic]: probabilistic PCA.
# - [@parzen1962estimation]: kernel density estimates.
# - [@neyman1933problem]: the best test.
# - [@nalisnick2019deep], [@lelan2021perfect], [@ren2019likelihood]: densities and strange examples.
