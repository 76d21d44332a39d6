# %% [markdown]
# # Divergences
#
# How far is one distribution from another? A generative model is a density; training moves it towards the density of the
# data, and "towards" needs a number that is zero when the two are equal and positive otherwise. Such a number is called a
# *divergence*. There are several. Which of them a model is trained with decides what it gets wrong: whether it covers
# too much or leaves something out.
#
# **The answer in a line:** each divergence of this chapter is the mean of a convex function of the ratio of the two
# densities. Convexity makes it non-negative. It also gives a lower bound that can be estimated from samples, without
# knowing the densities.
#
# {{ picture divergences.question }}
#
# !!! board "On the board"
#
#     The Kullback–Leibler divergence, and why maximum likelihood minimises it:
#
#     {{ define divergences.kullback_leibler }}
#
#     {{ divergences.maximum_likelihood }}
#
#     All divergences of this kind, and a bound that samples can estimate:
#
#     {{ define divergences.f_mean }}
#
#     {{ divergences.fenchel_bound }}
#
#     $p$ and $q$ are two densities of $x$, and $\mathbb{E}_p$ is the mean when $x$ is drawn from $p$. In the second line $p$
#     is the density of the data, $p_\theta$ the model with parameters $\theta$, and $\mathbb{H}[p]$ the *entropy* of the data, the
#     mean of $-\log p(x)$ under $p$, which no parameter changes. $D_f$ has a convex function $f$ with $f(1) = 0$ in it, and $f^*$ is the convex conjugate of $f$:
#     $f^*(t)$ is the largest value of $u t - f(u)$ over all $u$. $T$ is any function of $x$, called a *critic*.
#
# ## Notation and hypotheses
#
# - The letters $p$ and $q$ are densities of $x$. If $x$ takes only some values, as a coin or a die does, they are tables of
#   probabilities, and each integral is a sum. What is shown for arbitrary densities holds for both cases.
# - A *mean under* $p$ is an expectation: the average of a function of $x$ when $x$ is drawn from $p$. Means that appear are
#   assumed finite.
# - Logarithms are natural, so the unit is the nat. Divide by $\log 2$ for bits.
# - A density may be zero at some $x$; there $0 \log 0$ counts as $0$. The set where it is positive is its *support*. "$q$ is
#   positive wherever $p$ is" is a hypothesis, printed where a result needs it; without it KL is infinite.
# - Papers call $D_{\mathrm{KL}}(p \,\Vert\, q)$ with $p$ the data and $q$ the model *forward*, *inclusive* or
#   *mode-covering*, and the swapped one *reverse*, *exclusive* or *mode-seeking*. This chapter only says which comes first.

# %%
from genmath.proof import *

half = number(1) / 2
x, y = variables("x y")
p = Density("p", x)
q = Density("q", x, dominates=p)  # positive wherever p is
q_any = Density("q", x)  # for what needs no hypothesis
kullback_leibler = define("D_{KL}", E(p(x), log(p(x) / q(x))))


# %% [markdown]
# ## Kullback–Leibler
#
# Draw $x$ from $p$ and ask how much more probable $p$ makes it than $q$ does: $\log p(x) - \log q(x)$. The mean of this over $p$ is the
# Kullback–Leibler divergence [@kullback1951information].
#
# !!! example "By hand"
#
#     A fair coin $p = (0.5, 0.5)$ and a biased one $q = (0.9, 0.1)$; the first number is the probability of heads:
#     $0.5 \log \frac{0.5}{0.9} + 0.5 \log \frac{0.5}{0.1} \approx -0.294 + 0.805 = 0.511$. One term is negative, the sum
#     is not. The other way round: $0.9 \log \frac{0.9}{0.5} + 0.1 \log \frac{0.1}{0.5} \approx 0.529 - 0.161 = 0.368$. KL is *not symmetric*.
#
# Why can the sum not be negative? It follows from one inequality between numbers: the logarithm lies below its tangent at 1, $\log u \le u - 1$ for every $u > 0$. Put $u = q/p$:
# then $\log \frac{p}{q} = -\log \frac{q}{p} \ge 1 - \frac{q}{p}$. Multiply by $p$: $p \log \frac{p}{q} - p + q \ge 0$ at every $x$.
#
# {{ picture divergences.sign }}
#
# In code: `genmath.divergences.kl`, for tables.


# %%
@derivation("KL is non-negative", takes=(p(x), q(x)))
def kl_nonnegative(d):
    d.start(KL(p(x), q(x)))
    d.equals(
        integral(p(x) * log(p(x) / q(x)) - p(x) + q(x), x),
        by="both densities integrate to one, so subtracting $p$ and adding $q$ changes nothing",
    )
    d.at_least(0, by="$\\log u \\le u - 1$ at $u = q/p$ makes the integrand non-negative at every $x$")
    d.tight_when(q(x), p(x))


# %% [markdown]
# **What it means.** On average, data drawn from $p$ are at least as probable under $p$ itself as under any other density. No model can beat the truth in
# mean log-likelihood.
#
# Equal densities give zero. That *only* equal densities do so follows from a stronger bound. It uses the same inequality, now with $u = \sqrt{q/p}$. What is left
# is the integral of the square $(\sqrt p - \sqrt q)^2$, and it is zero only if the two densities are equal. This integral is the *squared Hellinger distance* (some books put a half
# in front of it). For the two coins it is $(\sqrt{0.5} - \sqrt{0.9})^2 + (\sqrt{0.5} - \sqrt{0.1})^2 \approx 0.211$, below $0.511$.


# %%
@derivation("KL is at least the squared Hellinger distance", takes=(p(x), q(x)))
def kl_hellinger(d):
    d.start(KL(p(x), q(x)))
    d.equals(2 * E(p(x), -log(sqrt(q(x) / p(x)))), by="$\\log u$ is twice the logarithm of $\\sqrt u$")
    d.at_least(
        2 * E(p(x), 1 - sqrt(q(x) / p(x))),
        by="$\\log u \\le u - 1$ at $u = \\sqrt{q/p}$",
        because=2 * E(p(x), log_gap(sqrt(q(x) / p(x)))),
    )
    d.equals(
        integral((sqrt(p(x)) - sqrt(q(x))) ** 2, x),
        by="complete the square: both densities integrate to one",
    )
    d.tight_when(q(x), p(x))


# %% [markdown]
# **What it means.** A small KL divergence makes two densities close in a second sense too: the squared distance of
# their roots is no larger. It never exceeds 2, and stays finite where KL is infinite.

# %% [markdown]
# ## Maximum likelihood
#
# Training by maximum likelihood maximises the mean of $\log p_\theta(x)$ over the data $p$. Minus this mean is called the *cross-entropy*. It differs from $D_{\mathrm{KL}}(p \,\Vert\, p_\theta)$ only by the entropy
# $\mathbb{H}[p]$ of the data, which no parameter can change. So to maximise the mean log-likelihood *is* to minimise KL from the data to the model, in this order of the arguments. Hence three facts
# below: the difference between two models $p_\theta$ and $p_\phi$ is the same number in mean log-likelihood and in KL, up to sign; so is the gradient; and the cross-entropy is never below the entropy of the data.
# (In the gradient $\theta$ is one parameter, and $p_\theta(x \mid \theta)$ is the model as a function of it.)
#
# !!! example "By hand"
#
#     Of ten throws seven are heads: the data are $p = (0.7, 0.3)$. The model $(0.7, 0.3)$ has mean log-likelihood
#     $0.7 \log 0.7 + 0.3 \log 0.3 \approx -0.611$, minus the entropy of the data, and no model has more. The fair coin has $\log 0.5 \approx -0.693$. The difference $0.082$ is
#     $D_{\mathrm{KL}}(p \,\Vert\, (0.5, 0.5)) = 0.7 \log 1.4 + 0.3 \log 0.6$.

# %%
theta = reals("theta")
family = Density("p_theta", x, given=theta, positive=True)
model = Density("p_theta", x, positive=True)
rival = Density("p_phi", x, positive=True)


@derivation("Maximum likelihood minimises KL")
def maximum_likelihood(d):
    d.start(KL(p(x), model(x)) - KL(p(x), rival(x)), name="difference", words="two models compared")
    d.equals(
        E(p(x), log(rival(x))) - E(p(x), log(model(x))),
        by="the entropy of the data is in both and cancels",
    )
    d.start(diff(KL(p(x), family(x | theta)), theta), name="gradient", words="its gradient")
    d.equals(
        -E(p(x), diff(family(x | theta), theta) / family(x | theta)),
        by="only the model depends on $\\theta$; the derivative of a logarithm",
    )
    d.start(-E(p(x), log(model(x))), name="cross_entropy", words="the cross-entropy")
    d.at_least(
        H(p(x)),
        by="their difference is $D_{\\mathrm{KL}}(p \\,\\Vert\\, p_\\theta)$",
        because=kl_nonnegative(p(x), model(x)),
    )
    d.tight_when(model(x), p(x))
    d.start(KL(p(x), model(x)))
    d.equals(-H(p(x)) - E(p(x), log(model(x))), by="split the logarithm of the ratio")


# %% [markdown]
# **What it means.** The data come first. Where there are data and the model has almost no probability, the ratio $p/p_\theta$ is large and so is the loss. Where the model has probability
# and there are no data, the integrand is zero; the model loses only because this probability is missing elsewhere.
#
# For independent data $x_1, \dots, x_N$ the likelihood is a product. For a few hundred examples it is often so small that a computer rounds it to zero (*underflow*); its logarithm is a sum, which has no such problem.
# Write $L_i = p_\theta(x_i)$ for the likelihood of one example. Averaged over all data sets of $n$ examples, the sum is $n$ times the mean log-likelihood above. So one minimises an
# average of minus log-likelihoods, and may estimate it from minibatches.

# %%
L = Sequence("L", domain="positive")
i, N = naturals("i N")


@derivation("The log-likelihood of independent data is a sum")
def log_likelihood_iid(d):
    d.start(log(product(L[i], i, 1, N)))
    d.equals(
        total(log(L[i]), i, 1, N), by="the logarithm of a product is the sum of the logarithms"
    )


@derivation("The mean log-likelihood of independent data", n=(1, 2, 3))
def log_likelihood_mean(d, n):
    data = copies(x, n)
    likelihood = times(model(x_i) for x_i in data)
    d.start(E(tuple(p(x_i) for x_i in data), log(likelihood)))
    d.equals(
        n * E(p(x), log(model(x))),
        by="each example has the density $p$, and the others integrate to one",
    )


# %% [markdown]
# **What it means.** The loss that is printed in training is the sum divided by $N$: an estimate of one and the same
# number, whatever $N$ is. Losses on data sets of different sizes can be compared after that division, and only then.

# %% [markdown]
# ### Covering or choosing
#
# {{ picture divergences.modes }}
#
# What if the model can never be equal to the data, as when it is a single normal and the data have two peaks (*modes*)? Then the order of the arguments decides which error the model makes.
#
# - **Data first**, $D_{\mathrm{KL}}(p_{\mathrm{data}} \,\Vert\, p_\theta)$: leaving out a peak costs much, filling the valley between the peaks costs little. The best normal has the mean and the
#   variance of the data, as always when a normal is fitted by maximum likelihood, and *covers the modes*. This is maximum likelihood, and the reason why models trained by it produce averages, such as blurred images.
# - **Model first**, $D_{\mathrm{KL}}(p_\theta \,\Vert\, p_{\mathrm{data}})$: now the mean is over what the *model* makes. A sample in the valley costs much, a peak that is left out costs
#   nothing directly. The best normal *seeks one mode*. The encoder of a variational autoencoder is fitted in this order (`vae.elbo`).
#
# Suppose that the data are two equal peaks that do not overlap, and the model is exactly one of them. On this peak the model's density is twice that of the data, so $D_{\mathrm{KL}}(p_\theta \,\Vert\, p_{\mathrm{data}}) = \log 2 \approx 0.693$.
# The other order is infinite, since the model is zero on the other peak.
#
# ## Several variables
#
# For a pair of variables $x$ and $y$, KL splits as the logarithm of the product $p(x)\,p(y \mid x)$ does: into the KL of the first variable, and the mean KL of the second given the first. Two facts follow. Leaving
# out a variable cannot raise KL; and the KL of independent coordinates adds up. The second fact is why KL grows with the number of pixels. The first is used by diffusion models: they look at an image together with
# all its noisier copies (a *path*), and the KL between the images alone is at most the KL between the paths.

# %%
p_joint = Density("p", x, y)
q_joint = Density("q", x, y, dominates=p_joint)
p_given, q_given = p_joint(y | x), q_joint(y | x)
p_1, p_2 = Density("p_1", x), Density("p_2", y)
q_1, q_2 = Density("q_1", x, dominates=p_1), Density("q_2", y, dominates=p_2)


@derivation("The chain rule of KL")
def kl_chain_rule(d):
    d.start(KL(p_joint(x, y), q_joint(x, y)))
    d.equals(
        E(p_joint(x, y), log(p_joint(x) / q_joint(x)) + log(p_given / q_given)),
        by="the product rule, $p(x, y) = p(x)\\,p(y \\mid x)$, for both densities",
    )
    d.equals(
        KL(p_joint(x), q_joint(x)) + E(p_joint(x), KL(p_given, q_given)),
        by="average over $y$ first, with $x$ held",
    )


@derivation("Leaving out a variable cannot raise KL")
def kl_marginal(d):
    d.start(KL(p_joint(x, y), q_joint(x, y)))
    d.equals(KL(p_joint(x), q_joint(x)) + E(p_joint(x), KL(p_given, q_given)), by="the chain rule")
    d.at_least(
        KL(p_joint(x), q_joint(x)),
        by="a mean of divergences is not negative",
        because=E(p_joint(x), integral(p_given * log(p_given / q_given) - p_given + q_given, y)),
    )


@derivation("KL adds over independent coordinates")
def kl_independent(d):
    d.start(KL(p_1(x) * p_2(y), q_1(x) * q_2(y)))
    d.equals(
        KL(p_1(x), q_1(x)) + KL(p_2(y), q_2(y)),
        by="the logarithm of a product is a sum; the other coordinate integrates to one",
    )


# %% [markdown]
# **What it means.** If you see more, you can tell two densities apart more easily. Two distributions of paths may be very different although their end points have the same distribution. But if the end points differ,
# so do the paths.
#
# ## Mutual information
#
# How much does $y$ tell about $x$? Compare the joint density $p(x, y)$ with the product of its marginals, $r = p(x)\,p(y)$, which would be the joint density if $x$ and $y$ were independent. The KL from the first to the second is the
# *mutual information*. It is a KL, hence not negative. It is also the entropy that $x$ loses, on average, when $y$ becomes known. If $y$ is a fair coin and $x$ a copy of it, $x$ has entropy $\log 2$ and loses all of it; if they are
# independent, it loses nothing.

# %%
apart = define("r", p_joint(x) * p_joint(y))


@derivation("Mutual information")
def mutual_information(d):
    d.start(KL(p_joint(x, y), apart), name="entropies", words="as a loss of entropy")
    d.equals(
        E(p_joint(y), KL(p_joint(x | y), p_joint(x))),
        by="product rule: the ratio $p(x, y) / (p(x)\\,p(y))$ is $p(x \\mid y) / p(x)$",
    )
    d.equals(
        H(p_joint(x)) - E(p_joint(y), H(p_joint(x | y))),
        by="split the logarithm; the mean of $\\log p(x)$ needs only the marginal of $x$",
    )
    d.start(KL(p_joint(x, y), apart), name="nonnegative", words="its sign")
    d.at_least(
        0,
        by="it is a KL",
        because=integral(p_joint(x, y) * log(p_joint(x, y) / apart) - p_joint(x, y) + apart, x, y),
    )
    d.slip(
        "d2l-mi-sign",
        wrong=equal(KL(p_joint(x, y), apart), -E(p_joint(x, y), log(p_joint(x, y) / apart))),
        right=equal(KL(p_joint(x, y), apart), E(p_joint(x, y), log(p_joint(x, y) / apart))),
        source="d2l-ai/d2l-en PR #828 (commit c3432de2)",
        why="Mutual information is a KL divergence, so it is not negative. A minus sign belongs "
        "to entropies, not to it.",
    )


# %% [markdown]
# **What it means.** $y$ tells about $x$ as much as it lowers the entropy of $x$ on average, and never less than
# nothing. Of a fair coin its copy tells $\log 2$, about 0.69 nats; a second coin tells 0.

# %% [markdown]
# ## Normal densities
#
# Between normals KL has a closed form: the logarithm of a normal density is a quadratic function of $x$, so only means and variances are needed. First for one real variable $x$: from a normal with mean $\mu_1$ and standard deviation $\sigma_1$
# to one with $\mu_2$ and $\sigma_2$, the formula is
# $\log \frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{2 \sigma_2^2} - \frac12$.
#
# !!! example "By hand"
#
#     - $\sigma_1 = \sigma_2$, and the means are one standard deviation apart: $0 + \frac{1 + 1}{2} - \frac12 = \frac12$.
#     - Equal means, $\sigma_1 = 2$ and $\sigma_2 = 1$: $\log \frac12 + \frac42 - \frac12 \approx 0.807$.
#     - Equal means, $\sigma_1 = 1$ and $\sigma_2 = 2$: $\log 2 + \frac18 - \frac12 \approx 0.318$.
#
#     If the second density is the model, then in the second case it is too narrow, in the third too wide. Too narrow costs more.

# %%
m_1, m_2 = reals("mu_1 mu_2")
s_1, s_2 = positives("sigma_1 sigma_2")


@derivation("KL between normals on the line", takes=(m_1, s_1, m_2, s_2))
def gaussian_kl(d):
    d.start(KL(Normal(x, m_1, s_1**2), Normal(x, m_2, s_2**2)))
    d.equals(
        E(
            Normal(x, m_1, s_1**2),
            log(s_2 / s_1) - (x - m_1) ** 2 / (2 * s_1**2) + (x - m_2) ** 2 / (2 * s_2**2),
        ),
        by="the logarithms of the two densities; their $2\\pi$ cancel",
    )
    d.equals(
        log(s_2 / s_1) + (s_1**2 + (m_1 - m_2) ** 2) / (2 * s_2**2) - half,
        by="the second moment about any point is the variance plus the squared distance to it",
    )


# %% [markdown]
# The output of a network can be any real number, so it gives the log-variance $\ell = \log \sigma^2$. Now the first normal has mean $\mu$ and log-variance $\ell$, the second $\nu$ and $\kappa$. Then KL is half the sum of $e^{\ell - \kappa} - 1 - (\ell - \kappa)$,
# an exponential minus its tangent, and of the squared difference of the means over the second variance; written like this, it loses no accuracy in a computer when the variances are nearly equal. With a diagonal covariance the coordinates are independent, so the
# divergences $D_1, D_2, \dots$ of the coordinates add up. The sum is checked for $d \le 3$ coordinates, and `divergences.kl_independent` adds one coordinate after another to any $d$.
#
# In code: `genmath.divergences.gaussian_kl`.

# %%
nu, mu = reals("nu mu")
ell, kappa = reals("ell kappa")


@derivation("KL between normals by log-variance")
def gaussian_kl_log_variance(d):
    d.start(KL(Normal(x, mu, exp(ell)), Normal(x, nu, exp(kappa))), name="pair", words="two normals")
    d.equals(
        (exp(ell - kappa) - 1 - (ell - kappa) + (mu - nu) ** 2 * exp(-kappa)) / 2,
        by="the closed form on the line with $\\sigma^2 = e^\\ell$",
    )
    d.start(KL(Normal(x, mu, exp(ell)), Normal(x, 0, 1)), name="standard", words="against the standard normal")
    d.equals((exp(ell) - 1 - ell + mu**2) / 2, by="$\\nu = 0$ and $\\kappa = 0$")


@derivation("KL between normals with diagonal covariances", d=(1, 2, 3))
def gaussian_kl_diagonal(it, d):
    firsts, seconds, terms = [], [], []
    for i, x_i in enumerate(copies(x, d), 1):
        m_i, n_i, l_i, k_i = reals(f"mu_{i} nu_{i} ell_{i} kappa_{i}")
        firsts.append(Normal(x_i, m_i, exp(l_i)))
        seconds.append(Normal(x_i, n_i, exp(k_i)))
        gap = exp(l_i - k_i) - 1 - (l_i - k_i) + (m_i - n_i) ** 2 * exp(-k_i)
        terms.append(define(f"D_{i}", gap / 2))
    joint_p, joint_q = (
        define(name, times(normals)) for name, normals in (("p", firsts), ("q", seconds))
    )
    it.start(KL(joint_p, joint_q, over=copies(x, d)))
    it.equals(
        sum(terms[1:], terms[0]),
        by="independent coordinates add, each with the closed form by log-variance",
    )


# %% [markdown]
# **What it means.** Each coordinate adds something for a wrong width and something for a wrong mean, and the distance of the means is measured in standard deviations of the *second* density. With the standard normal as the second
# density this is a term in the loss of a variational autoencoder (`vae.gaussian_prior_kl`).
#
# ## Jensen–Shannon
#
# KL is infinite if $q$ is zero on a set to which $p$ gives probability. A way out: compare each density with their average $m = (p + q)/2$ instead of with the other, and average the two divergences:
# $\frac12 D_{\mathrm{KL}}(p \,\Vert\, m) + \frac12 D_{\mathrm{KL}}(q \,\Vert\, m)$ is the *Jensen–Shannon* divergence $D_{\mathrm{JS}}$, JS for short [@lin1991divergence]. This needs no hypothesis on supports, since $m$ is positive wherever either density is; the result does
# not change when $p$ and $q$ are swapped, and is at most $\log 2$.
#
# !!! example "By hand"
#
#     For the coins $(0.5, 0.5)$ and $(0.9, 0.1)$ the average is $m = (0.7, 0.3)$. The first coin has KL $0.5 \log \frac{0.5}{0.7} + 0.5 \log \frac{0.5}{0.3} \approx 0.087$ to it, the second
#     $0.9 \log \frac{0.9}{0.7} + 0.1 \log \frac{0.1}{0.3} \approx 0.116$; JS is the average of the two, $0.102$. For $(1, 0)$ and $(0, 1)$, $m$ is the fair coin, and both KL are $\log 2 \approx 0.693$; more is not possible.
#
# In code: `genmath.divergences.js`, for tables.

# %%
m = define("m", (p(x) + q_any(x)) / 2)


@derivation("JS lies between 0 and log 2")
def js_bounds(d):
    d.start(JS(p(x), q_any(x)), name="lower", words="a lower bound")
    d.equals((KL(p(x), m) + KL(q_any(x), m)) / 2, by="half the KL of each to their mean")
    d.at_least(
        0,
        by="both are divergences",
        because=(
            KL(p(x), m) / 2 + KL(q_any(x), m) / 2,
            kl_nonnegative(p(x), m),
            kl_nonnegative(q_any(x), m),
        ),
    )
    d.tight_when(q_any(x), p(x))
    d.slip(
        "classic-js-no-half",
        wrong=equal(JS(p(x), q_any(x)), KL(p(x), m) + KL(q_any(x), m)),
        right=equal(JS(p(x), q_any(x)), KL(p(x), m) / 2 + KL(q_any(x), m) / 2),
        source="a common slip, no single source",
        why="JS weighs each of the two KL divergences by one half, as a fair coin does. Without the halves it can reach 2 log 2, and one "
        "toss of a coin cannot tell as much.",
    )
    d.start(JS(p(x), q_any(x)), name="upper", words="an upper bound")
    d.equals(
        E(p(x), log(2 * p(x) / (p(x) + q_any(x)))) / 2
        + E(q_any(x), log(2 * q_any(x) / (p(x) + q_any(x)))) / 2,
        by="the mean written out",
    )
    d.at_most(
        log(number(2)),
        by="$p/(p + q) \\le 1$: what is lost is $\\log(1 + q/p) \\ge 0$, zero where the supports are disjoint",
        because=E(p(x), log(1 + q_any(x) / p(x))) / 2 + E(q_any(x), log(1 + p(x) / q_any(x))) / 2,
    )


# %% [markdown]
# **What it means.** Densities that do not overlap have the largest JS there is, whether they lie side by side or
# miles apart. JS says *that* two densities differ, and cannot say how far they are from each other.

# %% [markdown]
# ### When the supports are disjoint
#
# {{ picture divergences.disjoint }}
#
# Supports are *disjoint* if no $x$ is in both. Then nothing is lost in the last step above, and JS is exactly $\log 2$, whether the two densities are near or far. Suppose that $q$ is a *generator*, a network that makes samples, and that it is
# trained by JS alone. Then its gradient is zero: a small move changes nothing. This is not rare. Images fill only a thin part of the space of all pixel values, like a curve in a plane, and so do the samples of a generator; two such thin sets
# hardly meet. There are three ways out, and each has a chapter: noise is added, so that supports overlap ([Denoising diffusion](ddpm.py)); the *discriminator*, a network that tells data from samples, is kept smooth ([Adversarial networks](gan.py)); or the distance itself is
# measured ([Wasserstein distances](wasserstein.py)).
#
# ### Two other ways to write JS
#
# First, JS is the entropy of the average $m$ minus the average of the two entropies. (In code, average *probabilities*; the average of a network's outputs before the softmax, its *logits*, gives another density.) Second, JS is a mutual information: toss a fair coin, and
# draw $x$ from $p$ if it shows heads (1) and from $q$ if it shows tails (0). The joint density of $x$ and the coin is $p(x, 1) = p(x)/2$ and $p(x, 0) = q(x)/2$; alone, $x$ has the density $m$. JS is the mutual information of $x$ and the coin.
# It says how much one draw tells, on average, about which density it came from. A fair coin has entropy $\log 2$, and no draw can tell more: this is the bound above.

# %%
heads, tails = define("p(x,1)", p(x) / 2), define("p(x,0)", q_any(x) / 2)


@derivation("JS by entropies")
def js_entropy(d):
    d.start(JS(p(x), q_any(x)))
    d.equals(
        H(m) - (H(p(x)) + H(q_any(x))) / 2,
        by="split the logarithms; the two terms with $\\log m$ add up to the entropy of $m$",
    )


@derivation("JS is the information of a coin")
def js_mutual_information(d):
    d.start(E(p(x), log(heads / (m / 2))) / 2 + E(q_any(x), log(tails / (m / 2))) / 2)
    d.equals(
        JS(p(x), q_any(x)),
        by="the joint density of $x$ and the coin against the product of $m$ and one half",
    )


# %% [markdown]
# **What it means.** JS is what one sample tells about the coin that chose its density: one bit if the densities do
# not overlap, nothing if they are equal. Reading that bit is what a discriminator learns.

# %% [markdown]
# ## Total variation
#
# {{ picture divergences.event }}
#
# An *event* is a set of values of $x$. Each of the two densities gives it a probability; the *total variation* $D_{\mathrm{TV}}$ (TV for short) is the largest difference of these two probabilities over all events. The event of all $x$ with $p(x) > q(x)$
# has this largest difference. For the two coins it is the event "tails", which $p$ gives $0.5$ and $q$ gives $0.1$: the total variation is $0.4$. As a formula, TV is half of the integral of $|p - q|$; some authors leave out the half, and then it goes up to 2.
#
# An event is the same as its indicator, the function that is 1 on it and 0 elsewhere. The last result below says more: any function $\phi$ with values between 0 and 1 has means under $p$ and $q$ that differ by at most TV.
#
# In code: `genmath.divergences.tv`, for tables.

# %%
larger = indicator(p(x) > q_any(x))
phi = Function("phi")


@derivation("Total variation is attained where p is larger")
def total_variation(d):
    d.start(TV(p(x), q_any(x)), name="at_most_one", words="it is at most one")
    d.at_most(
        1,
        by="what is missing is the overlap: $p$ where $q$ is larger, $q$ where $p$ is",
        because=integral(p(x) * (1 - larger) ** 2 + q_any(x) * larger, x),
    )
    d.start(E(p(x), larger) - E(q_any(x), larger))
    d.equals(
        integral(positive_part(p(x) - q_any(x)), x), by="the event keeps where $p - q$ is positive"
    )
    d.equals(
        TV(p(x), q_any(x)),
        by="$p - q$ integrates to zero, so its positive part is half of its absolute value",
    )


@derivation("Total variation bounds every test function")
def total_variation_bound(d):
    d.given_that(phi(x) >= 0)
    d.given_that(phi(x) <= 1)
    excess, lack = positive_part(p(x) - q_any(x)), positive_part(q_any(x) - p(x))
    d.start(TV(p(x), q_any(x)))
    d.at_least(
        E(p(x), phi(x)) - E(q_any(x), phi(x)),
        by="$\\phi$ misses part of where $p$ is larger, and keeps part of where $q$ is",
        because=integral(excess * (1 - phi(x)) + lack * phi(x), x),
    )


# %% [markdown]
# **What it means.** Toss a fair coin, draw $x$ from $p$ or from $q$ accordingly, and let somebody guess from $x$ which it was. The guess is right with probability at most $\frac12 (1 + D_{\mathrm{TV}})$, and the best rule is: say $p$ where $p(x) > q(x)$.
#
# ### Side by side
#
# {{ explorer divergences }}
#
# ## f-divergences
#
# All of these have one form [@csiszar1967information] [@ali1966general]. Take a convex function $f$ with $f(1) = 0$, put the ratio $u = p(x)/q(x)$ into it, and take the mean under $q$. For KL, $f(u) = u \log u$: indeed $q \cdot \frac{p}{q} \log \frac{p}{q} = p \log \frac{p}{q}$.
# For total variation, $f(u) = \frac12 |u - 1|$. A convex function lies above its tangent at 1, and the mean of the ratio under $q$ is 1; so the mean of $f$ is at least $f(1) = 0$.
#
# {{ picture divergences.lines }}
#
# It lies above other lines too. For a slope $t$, let the *convex conjugate* $f^*(t)$ be the largest value of $u t - f(u)$ over all $u$ for which $f$ is defined (the supremum, if none is the largest). Then $u t - f(u) \le f^*(t)$ for every such $u$, that is $f(u) \ge u t - f^*(t)$: a line with slope $t$ that starts at $-f^*(t)$ and lies below the curve.
# For $f(u) = u \log u$ the derivative $t - \log u - 1$ is zero at $u = e^{t - 1}$, which gives $f^*(t) = e^{t - 1}$.
#
# Now choose a slope $T(x)$ for every $x$, put $u = p(x)/q(x)$, and take the mean under $q$. The first term, the mean of $\frac{p}{q} T$ under $q$, is the mean of $T$ under $p$. So the divergence is at least a mean under $p$ minus a mean under $q$, and each of them can be
# estimated from samples [@nguyen2010estimating]. The discriminator of a generative adversarial network (GAN) gives such a $T$ [@nowozin2016fgan].
#
# In code: `genmath.divergences.f_divergence` for tables, `genmath.divergences.f_divergence_from_samples`, and `genmath.divergences.fenchel_bound`.

# %%
f = Function("f", convex=True)
T = Function("T")
u = define("u", p(x) / q(x))
f_mean = define("D_f", E(q(x), f(p(x) / q(x))))


@derivation("f-divergences are non-negative")
def f_divergence_nonnegative(d):
    d.start(E(q(x), f(p(x) / q(x))))
    d.at_least(
        f(1),
        by="$f$ lies above its tangent at 1, and the ratio has mean one",
        because=E(q(x), tangent_gap(f, p(x) / q(x), 1)),
    )
    d.tight_when(p(x), q(x))


@derivation("The variational bound of an f-divergence")
def fenchel_bound(d):
    d.start(E(q(x), f(p(x) / q(x))))
    d.at_least(
        E(p(x), T(x)) - E(q(x), f.conjugate(T(x))),
        by="Fenchel's inequality, $f(u) + f^*(t) \\ge u t$, at every $x$",
        because=E(q(x), fenchel_gap(f, p(x) / q(x), T(x))),
    )


# %% [markdown]
# **What it means.** Nobody knows $p/q$ of real images. But any critic $T$ gives a number that is not above the divergence and that samples of both can estimate. One trains the critic to make this number large; it comes as close to the divergence
# as the critics allow. The best critic is $T = f'(p/q)$, the slope at which the line touches the curve: from it one can often compute the ratio $p/q$.
#
# ## The members, one by one { .advanced }
#
# Now each divergence with its own $f$ and its own formula for $f^*$; $u$ is the ratio $p/q$. There are three statements for each: it *is* an f-divergence, the bound holds for every critic, and with the critic $T^\star$ the bound is equal to the divergence. (Where the conjugate is finite only for
# some slopes, the critic is written by another function: $T = -e^g$ for the swapped KL, and $T = \frac12 \log(2D)$ with $D = \mathrm{sigmoid}(g)$ for JS, where $g$ is any function of $x$.) In the bound for KL the tilted density is $w = q\, e^{T - 1}$, and the gap is the integral of $p \log(p/w) - p + w$. One more member is the χ²-divergence, with $f(u) = (u - 1)^2$. It punishes
# large ratios most: for the two coins, $p$ fair and $q$ biased, it is $\frac{(0.5 - 0.9)^2}{0.9} + \frac{(0.5 - 0.1)^2}{0.1} \approx 1.78$.

# %%
def best_critic(value):
    return define("T_star", value)


@derivation("KL as an f-divergence")
def f_kl(d):
    d.start(E(q(x), u * log(u)), name="member", words="it is a member")
    d.equals(KL(p(x), q(x)), by="$f(u) = u \\log u$; $q$ cancels")
    tilted = define("w", q(x) * exp(T(x) - 1))
    d.start(KL(p(x), q(x)), name="bound", words="the bound for every critic")
    d.at_least(
        E(p(x), T(x)) - E(q(x), exp(T(x) - 1)),
        by="$f^*(t) = e^{t - 1}$; the gap is that of $p$ against the tilted density $w$",
        because=integral(p(x) * log(p(x) / tilted) - p(x) + tilted, x),
    )
    t = best_critic(1 + log(p(x) / q(x)))
    d.start(E(p(x), t) - E(q(x), p(x) / q(x)), name="attained", words="the critic that attains it")
    d.equals(KL(p(x), q(x)), by="at $T = f'(p/q)$ the conjugate is $p/q$, whose mean is one")


q_low = Density("q", x)
p_high = Density("p", x, dominates=q_low)


@derivation("The other KL as an f-divergence")
def f_reverse_kl(d):
    d.start(E(q_low(x), -log(p_high(x) / q_low(x))), name="member", words="it is a member")
    d.equals(KL(q_low(x), p_high(x)), by="$f(u) = -\\log u$")
    g = Function("g")
    tilted = define("w", p_high(x) * exp(g(x)))
    d.start(KL(q_low(x), p_high(x)), name="bound", words="the bound for every critic")
    d.at_least(
        E(p_high(x), -exp(g(x))) - E(q_low(x), -1 - g(x)),
        by="$f^*(t) = -1 - \\log(-t)$ for $t < 0$; with $t = -e^g$ it is $-1 - g$",
        because=integral(q_low(x) * log(q_low(x) / tilted) - q_low(x) + tilted, x),
    )
    t = best_critic(-q_low(x) / p_high(x))
    d.start(E(p_high(x), t) - E(q_low(x), -1 - log(q_low(x) / p_high(x))), name="attained", words="the critic that attains it")
    d.equals(KL(q_low(x), p_high(x)), by="at $T = f'(p/q)$, that is at $g = \\log(q/p)$")


@derivation("χ² as an f-divergence")
def f_chi2(d):
    d.start(E(q(x), (p(x) / q(x) - 1) ** 2), name="member", words="it is a member")
    d.equals(E(p(x), p(x) / q(x)) - 1, by="$f(u) = (u - 1)^2$; expand the square")
    d.start(E(q(x), (u - 1) ** 2), name="bound", words="the bound for every critic")
    d.at_least(
        E(p(x), T(x)) - E(q(x), T(x) + T(x) ** 2 / 4),
        by="$f^*(t) = t + t^2/4$; the gap is a square",
        because=E(q(x), (u - 1 - T(x) / 2) ** 2),
    )
    t = best_critic(2 * (u - 1))
    d.start(E(p(x), t) - E(q(x), t + t**2 / 4), name="attained", words="the critic that attains it")
    d.equals(E(q(x), (u - 1) ** 2), by="at $T = f'(p/q)$ the square is zero")


@derivation("Total variation as an f-divergence")
def f_tv(d):
    d.given_that(T(x) >= -half)
    d.given_that(T(x) <= half)
    d.start(E(q(x), absolute(u - 1) / 2), name="member", words="it is a member")
    d.equals(TV(p(x), q(x)), by="$f(u) = |u - 1|/2$, and $q$ is not negative")
    excess, lack = positive_part(p(x) - q_any(x)), positive_part(q_any(x) - p(x))
    d.start(TV(p(x), q_any(x)), name="bound", words="the bound for every critic")
    d.at_least(
        E(p(x), T(x)) - E(q_any(x), T(x)),
        by="$f^*(t) = t$ for $|t| \\le 1/2$",
        because=integral(excess * (half - T(x)) + lack * (half + T(x)), x),
    )
    t = best_critic(larger - half)
    d.start(E(p(x), t) - E(q_any(x), t), name="attained", words="the critic that attains it")
    d.equals(TV(p(x), q_any(x)), by="at $T = 1/2$ where $p$ is larger and $-1/2$ elsewhere")


D = define("D", sigmoid(Function("g")(x)))
share_p = define("b_p", (p(x) + q(x)) * D)
share_q = define("b_q", (p(x) + q(x)) * (1 - D))
gap_p = define("g_p", p(x) * log(p(x) / share_p) - p(x) + share_p)
gap_q = define("g_q", q(x) * log(q(x) / share_q) - q(x) + share_q)


@derivation("JS as an f-divergence")
def f_js(d):
    d.start(
        E(q(x), (u * log(u) - (u + 1) * log((u + 1) / 2)) / 2),
        name="member",
        words="it is a member",
    )
    d.equals(JS(p(x), q(x)), by="$f(u) = \\frac12 \\left(u \\log u - (u + 1) \\log \\frac{u + 1}{2}\\right)$")
    d.start(JS(p(x), q(x)), name="bound", words="the bound for every critic")
    d.at_least(
        E(p(x), log(2 * D)) / 2 + E(q(x), log(2 * (1 - D))) / 2,
        by="$f^*(t) = -\\frac12 \\log(2 - e^{2t})$; with $T = \\frac12 \\log(2D)$ it is $-\\frac12 \\log(2(1 - D))$",
        because=integral(gap_p + gap_q, x) / 2,
    )
    best = define("D_star", p(x) / (p(x) + q_any(x)))
    d.start(
        E(p(x), log(2 * best)) / 2 + E(q_any(x), log(2 * (1 - best))) / 2,
        name="attained",
        words="the critic that attains it",
    )
    d.equals(JS(p(x), q_any(x)), by="at $D = p/(p + q)$, the posterior of the coin")


# %% [markdown]
# **What it means.** Each member has its own critic, and its own range for it: for KL with its arguments swapped it stays below 0,
# for total variation between $-1/2$ and $1/2$. The last layer of the network has to keep to this range; a critic that
# was trained for one member measures nothing for another.

# %% [markdown]
# ## KL is convex in the pair { .advanced }
#
# Take two pairs of densities, $p_1, q_1$ and $p_2, q_2$, and mix them with the same weight $0 < \lambda < 1$: $p_\lambda = \lambda p_1 + (1 - \lambda) p_2$, and $q_\lambda$ likewise. The divergence of the mixtures is at most the weighted mean of the two divergences. The difference is again an
# integral of terms $a \log (a/b) - a + b \ge 0$, now with a component $p_i$ for $a$ and its share $p_\lambda q_i / q_\lambda$ of the mixture for $b$.

# %%
a_1, a_2 = Density("p_1", x), Density("p_2", x)
c_1, c_2 = Density("q_1", x, positive=True), Density("q_2", x, positive=True)
lam = fractions("lambda")
p_mix = define("p_lambda", lam * a_1(x) + (1 - lam) * a_2(x))
q_mix = define("q_lambda", lam * c_1(x) + (1 - lam) * c_2(x))
share_1 = define("b_1", p_mix * c_1(x) / q_mix)
share_2 = define("b_2", p_mix * c_2(x) / q_mix)
gap_1 = a_1(x) * log(a_1(x) / share_1) - a_1(x) + share_1
gap_2 = a_2(x) * log(a_2(x) / share_2) - a_2(x) + share_2
gap_mix = define("g", lam * gap_1 + (1 - lam) * gap_2)


@derivation("KL is convex in the pair")
def kl_convex(d):
    d.start(lam * KL(a_1(x), c_1(x)) + (1 - lam) * KL(a_2(x), c_2(x)))
    d.at_least(
        KL(p_mix, q_mix, over=x),
        by="the log-sum inequality, point by point, against each component's share of the mixture",
        because=integral(gap_mix, x),
    )


# %% [markdown]
# **What it means.** Mixing hides. Two mixtures are no easier to tell apart than the pairs they were mixed from, on
# average: whoever also sees which pair was used can only gain.

# %% [markdown]
# ## Total variation against KL { .advanced }
#
# If KL is small, so is total variation: the two probabilities of every event are nearly equal. Pinsker's inequality says that KL is at least $2 D_{\mathrm{TV}}^2$, and 2 is the best constant [@cover2006elements]. Below we prove half of it, that KL is at least $D_{\mathrm{TV}}^2$. This needs only the
# Hellinger bound above and the Cauchy–Schwarz inequality for the product $|p - q| = |\sqrt p - \sqrt q|\,(\sqrt p + \sqrt q)$. In the lines below $h$ is the squared Hellinger distance, $a = \sqrt p - \sqrt q$, and $b$ is $\sqrt p + \sqrt q$ with the sign of $a$, so that
# $a b = |p - q|$.

# %%
(x_1,) = copies(x, 1)
hellinger = define("h", integral((sqrt(p(x)) - sqrt(q(x))) ** 2, x))


def gap_and_sum(v):
    sign = 2 * indicator(p(v) > q(v)) - 1
    return sqrt(p(v)) - sqrt(q(v)), sign * (sqrt(p(v)) + sqrt(q(v)))


a, b = (define(name, e) for name, e in zip("ab", gap_and_sum(x), strict=True))
a_prime, b_prime = (
    define(name, e) for name, e in zip(("a_prime", "b_prime"), gap_and_sum(x_1), strict=True)
)


@derivation("Pinsker's inequality with a weaker constant")
def pinsker_weak(d):
    d.start(KL(p(x), q(x)))
    d.at_least(hellinger, by="the Hellinger bound", because=kl_hellinger(p(x), q(x)))
    d.at_least(
        hellinger * (4 - hellinger) / 4,
        by="what is taken off is a square over four",
        because=hellinger**2 / 4,
    )
    d.equals(
        integral(a**2, x) * integral(b**2, x) / 4,
        by="$(\\sqrt p - \\sqrt q)^2 + (\\sqrt p + \\sqrt q)^2 = 2p + 2q$ integrates to four; a sign squares to one",
    )
    d.at_least(
        integral(a * b, x) ** 2 / 4,
        by="Cauchy–Schwarz, with Lagrange's identity for the gap",
        because=integral((a * b_prime - a_prime * b) ** 2, x, x_1) / 8,
    )
    d.equals(TV(p(x), q(x)) ** 2, by="$a b = |p - q|$, whose integral is twice the total variation")


# %% [markdown]
# **What it means.** A KL divergence of 0.01 nats leaves at most 0.1 of total variation: no event differs in
# probability by more than 0.1 under the two densities. The best constant, which needs a longer proof, would say
# 0.071.

# %% [markdown]
# ## Normal densities with full covariances { .advanced }
#
# Now $x$ is a vector with $d$ coordinates, and the two normals have mean vectors $\mu_1, \mu_2$ and covariance matrices $\Sigma_1, \Sigma_2$. KL has three parts besides the constant $-d$: the logarithm of the ratio of the determinants, a trace that compares the shapes, and the squared distance of the means, measured by
# the covariance of the second density. A covariance is *isotropic* if it is a number $v$ times the identity matrix $I$. Two isotropic covariances of *different* size occur in every step of a diffusion model.
#
# In code: `genmath.divergences.gaussian_kl_full`, by Cholesky factors.

# %%
X = vectors("x")
M, M_1, M_2 = mean_vectors("mu mu_1 mu_2")
S, S_1, S_2 = covariances("Sigma Sigma_1 Sigma_2")
v_1, v_2 = positives("v_1 v_2")
dim = define("d", trace(identity))
shape = trace(inverse(S_2) * S_1)
shift = dot(M_1 - M_2, inverse(S_2) * (M_1 - M_2))


@derivation("KL between normals", dims=(1, 2, 3), takes=(M_1, S_1, M_2, S_2))
def gaussian_kl_full(d):
    kl = KL(Normal(X, M_1, S_1), Normal(X, M_2, S_2))
    d.start(kl)
    d.equals(
        (log(det(S_2) / det(S_1)) - dim + shape + shift) / 2,
        by="take logarithms and average: the mean of $(x - m)^{\\top} A (x - m)$ is $\\mathrm{tr}(A\\Sigma)$ plus the value "
        "at the mean",
    )
    d.slip(
        "udl-gauss-kl-bracket",
        wrong=equal(kl, log(det(S_2) / det(S_1) - dim + shape + shift) / 2),
        right=equal(kl, (log(det(S_2) / det(S_1)) - dim + shape + shift) / 2),
        source="UDL errata (2nd/3rd printing) Eq. C.32",
        why="The bracket of the logarithm closes too late. For equal densities both give zero, so "
        "the easiest check does not find it.",
    )


@derivation("KL between isotropic normals", dims=(1, 2, 3), takes=(M_1, v_1, M_2, v_2))
def gaussian_kl_isotropic(d):
    d.start(KL(Normal(X, M_1, v_1 * identity), Normal(X, M_2, v_2 * identity)))
    d.equals(
        dim / 2 * (v_1 / v_2 - 1 + log(v_2 / v_1)) + norm2(M_1 - M_2) / (2 * v_2),
        by="$d$ equal coordinates, each with variance $v_1$ against $v_2$",
    )


@derivation("KL to the standard normal", dims=(1, 2, 3), takes=(M, S))
def gaussian_kl_standard(d):
    d.start(KL(Normal(X, M, S), Normal(X, 0, identity)))
    d.equals(
        (trace(S) + norm2(M) - dim - log(det(S))) / 2,
        by="the mean of $\\|x\\|^2$ is $\\mathrm{tr}\\,\\Sigma + \\|\\mu\\|^2$",
    )


# %% [markdown]
# **What it means.** Three differences are paid for: in volume (the determinants), in shape (the trace) and in place,
# measured by the spread of the second density. A VAE's encoder pays the last of the three formulas. DDPM's steps pay
# the second; where both variances are equal it is the squared distance of the means over twice the variance.

# %% [markdown]
# The next result is about a slip in print; you may skip it. The sum $S$ of the matrices $x x^{\top}$ of independent normal vectors with mean zero and covariance $V$ has a *Wishart* density. It contains the factor $\exp(-\frac12 \mathrm{tr}\, V^{-1} S)$. A published proof of the KL between two
# such densities, with $V_1$ and $V_2$, lost a sign in the ratio of these factors.

# %%
V_1, V_2, S_w = covariances("V_1 V_2 S")


@derivation("The exponents in a ratio of Wishart densities", dims=(1, 2, 3))
def wishart_ratio(d):
    first, second = trace(inverse(V_1) * S_w) / 2, trace(inverse(V_2) * S_w) / 2
    ratio = exp(-first) / exp(-second)
    d.start(log(ratio))
    d.equals(-first + second, by="the second density stands in the denominator: its sign turns")
    d.slip(
        "statproof-wishart-kl",
        wrong=equal(ratio, exp(-first - second)),
        right=equal(ratio, exp(-first + second)),
        source="StatProofBook commit 9fecb5a (P/wish-kl)",
        why="The density that is divided by changes the sign of its exponent. Here its sign was kept, and the slip went through five lines "
        "of a published proof.",
    )


# %% [markdown]
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - $D_{\mathrm{KL}}(p \,\Vert\, q)$ is the mean under $p$ of $\log p/q$. It is never negative, because $\log u \le u - 1$ (`divergences.kl_nonnegative`).
#     - Maximum likelihood is least KL from data to model (`divergences.maximum_likelihood`). Data first covers the modes, model first seeks one.
#     - KL of a pair is KL of the first plus the mean KL of the second given the first (`divergences.kl_chain_rule`).
#     - Normals: $\log \frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{2 \sigma_2^2} - \frac12$ (`divergences.gaussian_kl`).
#     - JS lies between $0$ and $\log 2$ (`divergences.js_bounds`), and is $\log 2$ when the supports are disjoint, at any distance.
#     - Total variation is half the integral of $|p - q|$, and the largest difference over events (`divergences.total_variation`).
#     - Every critic gives a lower bound of an f-divergence (`divergences.fenchel_bound`).
#
# ## Questions
#
# ??? question "Why does maximum likelihood minimise KL from data to model, and not the other?"
#
#     Its objective is a mean over the *data*. The other order is a mean over the model's samples of $\log p_\theta - \log p_{\mathrm{data}}$, and nobody can evaluate $p_{\mathrm{data}}$.
#
# ??? question "The data are two far peaks, the model is one normal. What is the best model for either order?"
#
#     Data first: the normal with the mean and variance of the data, wide and with its middle where no data are. Model first: nearly the normal of one peak, with a KL of nearly $\log 2$ (for two equal, normal peaks).
#
# ??? question "What is $D_{\mathrm{KL}}(p \,\Vert\, q)$ for $p$ uniform on $[0, 1]$ and $q$ uniform on $[0, 2]$? And swapped?"
#
#     The ratio is 2 wherever $p$ is positive: $\log 2$. Swapped it is infinite, since $q$ has mass on $(1, 2]$ where $p$ has none.
#
# ??? question "A discriminator tells data and samples apart without an error. What is JS, and what does the generator learn from it?"
#
#     $\log 2$: one draw tells everything about the coin, that is whether it came from the data. If the supports stay disjoint, JS stays $\log 2$ under small moves of the generator, and its gradient is zero.
#
# ??? question "Every pixel of an image is shown twice. Does KL between two densities of images double?"
#
#     No. By the chain rule the copy adds the mean KL of the copy given the original, which is zero: given the original, the copy is the same under both densities. KL doubles when a second, *independent* image is added, drawn from the same density as the first.
#
# ??? question "Somebody reports a mutual information of $-0.03$ nats. What happened?"
#
#     It is a KL and cannot be negative. Either a sign is lost or it is an *estimate* from finitely many samples, and those may fall below zero.
#
# {{ spot classic-js-no-half among divergences.js_entropy divergences.f_js[member] }}
#
# ## What these results do not say
#
# - **Supports.** Where $q$ vanishes and $p$ does not, KL is infinite, and every bound with it on
#   the larger side says nothing. An f-divergence then needs a further term for the mass of $p$
#   outside the support of $q$, which a mean under $q$ cannot see. The results above state
#   the hypothesis instead; `genmath.divergences.f_divergence` adds the term for tables.
# - **Samples.** A bound by a critic holds for expectations. An average over finitely many samples,
#   with a critic chosen on those very samples, may exceed the divergence.
# - **Order.** KL is not symmetric. Swapping its arguments gives another divergence with another
#   optimum (`divergences.f_reverse_kl`), although both vanish for equal densities only.
# - **Distance.** KL obeys no triangle inequality. Total variation does; for Jensen–Shannon it is
#   the square root that does. Neither is proved here.
# - **Pinsker.** The constant in `divergences.pinsker_weak` is half of the best one.
# - **Dimension.** Full covariances are checked for $d \le 3$, by components. So are diagonal ones,
#   but there `divergences.kl_independent` carries the result to any $d$.
#
# ## Where sources slip
#
# Each of these is refuted with numbers and its correction proved, beside the result it breaks.
#
# - `divergences.mutual_information`: a minus sign before mutual information (`d2l-mi-sign`).
# - `divergences.gaussian_kl_full`: the bracket of the logarithm closed too late
#   (`udl-gauss-kl-bracket`).
# - `divergences.wishart_ratio`: the sign of the second density's exponent
#   (`statproof-wishart-kl`).
# - `divergences.js_bounds`: Jensen–Shannon without its halves (`classic-js-no-half`).
#
# One is not a formula: StatProofBook's theorem on the KL of normals (P/norm-kl) named gamma
# distributions in its hypothesis, a copy of the neighbouring page, mended in commit 1329514
# (`statproof-norm-kl-gam`). The result it states is `divergences.gaussian_kl`.
#
# ## References
#
# - [@kullback1951information]: the divergence, and its sign.
# - [@cover2006elements]: chain rule (theorem 2.5.3), non-negativity (theorem 2.6.3), log-sum
#   inequality and convexity (theorems 2.7.1 and 2.7.2), Pinsker (lemma 11.6.1).
# - [@tsybakov2009introduction]: total variation, Hellinger and KL compared (section 2.4).
# - [@bishop2006pattern]: KL of normals (exercise 2.13).
# - [@kingma2014vae]: KL to the standard normal (appendix B).
# - [@lin1991divergence]: Jensen–Shannon.
# - [@csiszar1967information]: f-divergences.
# - [@ali1966general]: f-divergences, found independently.
# - [@nguyen2010estimating]: the variational bound.
# - [@nowozin2016fgan]: the variational bound (eqs. 2 and 4) and the members (table 1, whose
#   $f$ of Jensen–Shannon is twice the one here).
