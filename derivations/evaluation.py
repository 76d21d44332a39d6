# %% [markdown]
# # Evaluating generative models
#
# A model has made ten thousand pictures. Are they good? A person who looks at a few of them sees whether each looks real. Nobody sees by looking whether all kinds of pictures occur, each
# as often as it should, and whether the pictures are new. And a likelihood, where there is one, answers another question. So one measures: what does each number see, what does it not see, and how sure is it?
#
# **The answer in a line:** a measure compares two laws through a few features of theirs. It can have its best value for laws that differ, it has an error that
# depends on the number of samples, and most measures like some bad model, as the pictures below show. So one reports several, with their intervals.
#
# {{ picture evaluation.question }}
#
# !!! board "On the board"
#
#     Data $x$ from $p$, samples $y$ from $q$, both seen through the features of a network. Three numbers.
#
#     The **Fréchet distance** compares mean and spread. With one feature:
#
#     {{ define evaluation.frechet }}
#
#     The **inception score** asks a classifier for the class $c$ of each sample, and is $e^I$:
#
#     {{ define evaluation.information }}
#
#     The **maximum mean discrepancy** (MMD), here its square, compares means of all features of a kernel $\kappa$:
#
#     {{ define evaluation.discrepancy }}
#
#     $\mu_1, \mu_2$ are the means and $\sigma_1, \sigma_2$ the standard deviations of the feature for data and for samples. $q(c \mid y)$ is the classifier's answer for the sample $y$, and $q(c)$ its mean answer. $\kappa(x, y)$ is a
#     number that says how alike $x$ and $y$ are; $x_1$ is a second point of data and $y_1$ a second sample. $\mathbb{E}$ is a mean, KL a divergence.

# %% [markdown]
# ## Notation and hypotheses
#
# - $p(x)$ is the law of the data, $q(y)$ that of the samples; both live in the same space. All is said of *features*: $x$ stands for the numbers that a fixed network makes of a picture. FID takes 2048 of them, from a
#   classifier called Inception. A measure is a measure of these features: change the network, and you have another.
# - $N$ is the number of points in a set. $x_1, x_2, \dots$ are independent points of one law.
# - $c$ is a class, one of $K$; sums over $c$ are written as integrals.
# - A *plug-in* estimate is the formula for laws, applied to a set of points as if it were the law. Its *bias* is its mean minus the true value.
# - Means that appear are finite. Other hypotheses stand under each result.
# - Other names: *Fréchet distance* for $W_2^2$ of normal laws, of which the chapter on [Wasserstein distances](wasserstein.py) has the proof, `wasserstein.w2_normal`; *KID* is the MMD² with the cubic kernel.

# %%
from genmath.proof import *

x, y, c = variables("x y c")
p, q = Density("p", x), Density("q", y)
half = number(1) / 2
mu_1, mu_2 = reals("mu_1 mu_2")
sigma, sigma_1, sigma_2 = positives("sigma sigma_1 sigma_2")
(x_1,), (y_1,) = copies(x, 1), copies(y, 1)
frechet = define("F", (mu_1 - mu_2) ** 2 + (sigma_1 - sigma_2) ** 2)


# %% [markdown]
# ## The Fréchet distance, and the same distance for different laws
#
# !!! example "By hand"
#
#     One feature. For the data it has mean 2 and standard deviation 1, for the samples mean $1.5$ and standard deviation $0.5$. The Fréchet distance is
#     $(2 - 1.5)^2 + (1 - 0.5)^2 = 0.5$. Now let the samples spread too widely, with standard deviation $1.5$: again $0.5$. The number does not say which.
#
# FID takes the mean and the covariance of the features, for data and for samples, and returns the squared distance $W_2^2$ of the two *normal* laws with these moments [@heusel2017gans]. For normal laws that is
# the distance of the laws. For others it is a lower bound of it: `wasserstein.w2_line` shows this with one feature.
#
# {{ picture evaluation.blind }}
#
# So two laws with equal means and covariances have the Fréchet distance zero. A uniform law from $-\sqrt 3$ to $\sqrt 3$ has mean 0 and variance 1, as the standard normal law has (`evaluation.blind[three]`: $s$ is this uniform number, made of a $u$ that is uniform between 0 and 1, and since the line holds for every number $t$, the first three moments agree). The fourth moments differ: $9/5$ and 3. Samples
# that are uniform where the data are normal get a perfect score.
#
# In code: `genmath.evaluation.frechet_distance`.


# %%
u = variables("u")
shift = reals("t")
flat = define("s", sqrt(number(12)) * (u - half))


@derivation("The same moments, another law")
def blind(d):
    d.start(E(Uniform(u, 0, 1), (shift + flat) ** 3), name="three", words="three equal moments")
    d.equals(E(Normal(x, 0, 1), (shift + x) ** 3), by="mean 0, variance 1, third moment 0, for both: multiply out")
    d.start(E(Normal(x, 0, 1), x**4) - E(Uniform(u, 0, 1), flat**4), name="fourth", words="another fourth moment")
    d.equals(number(6) / 5, by="it is 3 for the normal law, and $\\frac95$ for the uniform one")


# %% [markdown]
# **What it means.** A Fréchet distance of zero says that two moments agree. Features of a network are not normal, so this is not equality of laws. It is often a good alarm: what changes the pictures mostly changes these moments, too.
#
# ## Why FID depends on the number of samples
#
# {{ picture evaluation.bias }}
#
# Draw two sets of points from one law. A law has the distance zero from itself; the computed distance never is zero, since two means of finitely many points differ a little. Write $a$ and $v_p$ for mean and variance under $p$, and $b$ and $v_q$ under $q$. The squared difference of two
# means of $n$ points is too large by the variances over $n$, on average and *for all laws with a variance* (`evaluation.mean_bias`).
#
# The standard deviations differ, too. For a normal law and $N$ points the sample variance $w$ (divided by $N - 1$) has a Gamma law with $n = N - 1$ *degrees of freedom* (until now the letter was the number of points); this is a classical theorem that we do not prove. Then `evaluation.fid_bias[known]` is the mean of
# $(\sqrt w - \sigma)^2$ exactly, if the data's $\sigma$ is known; and `evaluation.fid_bias[two]` if both are estimated, with $n$ and $m$ degrees of freedom. $\Gamma$ is the Gamma function.
#
# !!! example "By hand"
#
#     Two points, and data whose law is known to be standard normal: $n = 1$, and $\Gamma(1)/(\Gamma(\frac12)\sqrt{1/2}) = \sqrt{2/\pi} \approx 0.798$. The spread costs $2 (1 - 0.798) = 0.404$ and the mean $1/N = 0.5$: on average FID is $0.904$, for a perfect model. For 100 points it is
#     $0.010 + 0.005 = 0.015$.
#
# In code: `genmath.evaluation.frechet_distance`, which warns where there are no more points than features (`genmath.evaluation.FewSamples`).

# %%
a_mean, b_mean = define("a", E(p(x), x)), define("b", E(q(y), y))
v_p, v_q = define("v_p", E(p(x), (x - a_mean) ** 2)), define("v_q", E(q(y), (y - b_mean) ** 2))
w, w_1 = variables("w w_1", domain="positive")
n, m = naturals("n m")


@derivation("The squared difference of two sample means", n=(2, 3))
def mean_bias(d, n):
    data, made = copies(x, n), copies(y, n)
    laws = (*(p(each) for each in data), *(q(each) for each in made))
    d.start(E(laws, (plus(list(data)) / n - plus(list(made)) / n) ** 2))
    d.equals((a_mean - b_mean) ** 2 + (v_p + v_q) / n, by="independent points: only the square of each stays, and the product of the two means")


def spread(w, n):
    """The law of the sample variance, divided by its degrees of freedom n."""
    return Gamma(w, n / 2, n / (2 * sigma**2))


def shrink(n):
    """The mean of the sample standard deviation, over the true one."""
    return gamma(n / 2 + half) / (gamma(n / 2) * sqrt(n / 2))


@derivation("The squared difference of two sample deviations")
def fid_bias(d):
    d.start(E(spread(w, n), sqrt(w)), name="deviation", words="a sample deviation is too small")
    d.equals(sigma * shrink(n), by="the integral is a Gamma function")
    d.start(E(spread(w, n), (sqrt(w) - sigma) ** 2), name="known", words="against a known deviation")
    d.equals(2 * sigma**2 * (1 - shrink(n)), by="the sample variance has the right mean")
    d.start(E((spread(w, n), spread(w_1, m)), (sqrt(w) - sqrt(w_1)) ** 2), name="two", words="two samples of one law")
    d.equals(2 * sigma**2 * (1 - shrink(n) * shrink(m)), by="they are independent")


# %% [markdown]
# **What it means.** FID of few samples is too large on average, and two models may be compared only for equal numbers. The bias falls as $1/N$, so it can also be fitted and removed: compute FID for several $N$, draw it over $1/N$, and extend the line to 0 [@chong2020effectively]. How large
# the bias is depends on the model, too: it grows with the variance.
#
# ## Two features { .advanced }
#
# With two features, and data whose law is known to be standard normal, the spread term is $\operatorname{tr} S + 2 - 2 \operatorname{tr} S^{1/2}$ for the sample covariance $S$ with $n$ degrees of freedom. Let $n = a + 1$ with $a \ge 1$ (this $a$ is no mean). The square roots
# of the two eigenvalues of $n S$ have a product $v$ and a sum $u$. Changing variables in the known density of the eigenvalues, $v$ has the Gamma law with shape $a$, and $u^2 = 4 v + 2 e$ with an independent exponential $e$ (this change of variables is not checked here). So
# $\operatorname{tr} S^{1/2} = \sqrt{(4 v + 2 e)/n}$, and since $\operatorname{tr} S$ has mean 2, the mean of the spread term is the left side of `evaluation.fid_plane[spread]`: at least $1/n$. Together with the mean's $2/N$ a perfect model has an FID of more than $3/N$ on average.

# %%
v, e = variables("v e", domain="positive")
a = positives("a")
roots = (Gamma(v, a, 1), Exponential(e, 1))
root = sqrt(4 * v + 2 * e)
top = sqrt(4 * a + 2)


@derivation("The bias with two features")
def fid_plane(d):
    d.start(E(roots, 4 * v + 2 * e), name="square", words="the mean square")
    d.equals(4 * a + 2, by="the means of a Gamma and an exponential law")
    d.start(4 - 2 * E(roots, root) / sqrt(a + 1), name="spread", words="the spread term")
    d.at_least(4 - 2 * top / sqrt(a + 1), by="the mean of a root is at most the root of the mean",
               because=E(roots, (root - top) ** 2) / (top * sqrt(a + 1)))
    d.at_least(1 / (a + 1), by="a square", because=(top / sqrt(a + 1) - 2) ** 2 / 2)


# %% [markdown]
# **What it means.** More features, more bias. Near equality the spread term is about $d (d + 1)/(4 N)$ for $d$ uncorrelated normal features of variance 1 and a known law of the data (a rule of thumb from a Taylor series, which the picture above checks by simulation): the number of samples must grow with the *square* of the number of
# features. That is one reason for large sets, such as the 50,000 of the papers.
#
# ## The inception score
#
# {{ picture evaluation.inception }}
#
# A classifier looks at each sample $y$ and answers with probabilities $q(c \mid y)$. Good samples are recognised, so each answer should be sharp; and varied, so the mean answer $q(c)$ should be flat. Both are in one number: the mean divergence from the mean answer
# [@salimans2016improved]. It is the *mutual information* of sample and class (`divergences.mutual_information`): what is unknown about the class before the sample is seen, minus what is unknown after. The score is the exponential of it, and lies between 1 and the number $K$ of classes.
#
# !!! example "By hand"
#
#     Two classes. Half of the samples get the answer $(0.9, 0.1)$, half $(0.1, 0.9)$. The mean answer is $(0.5, 0.5)$, and the divergence of each answer from it is $0.9 \log 1.8 + 0.1 \log 0.2 \approx 0.368$: the score is $e^{0.368} \approx 1.445$, of 2 at most. If all samples got
#     $(0.9, 0.1)$ it would be 1.
#
# What does it not see? Let the classifier look at one property $u$ of the picture only, with the answer $r(c \mid u)$, the shape of a digit, say, and not at its style. Then `evaluation.class_collapse`: only the law of $u$ counts. A model that makes *one picture of each class*, all equally often, has the best score, if the classifier is sure of each.
# And the data $p$ do not occur at all.
#
# In code: `genmath.evaluation.inception_score`.

# %%
seen = Density("q", y, c, positive=True)
K = define("K", integral(1, c))
information = define("I", E(seen(y), KL(seen(c | y), seen(c))))
missing = E(seen(c), log_gap(1 / (K * seen(c)))) + E(seen(y, c), log_gap(seen(c | y)) + (1 - seen(c | y)))


@derivation("The inception score lies between 1 and K")
def inception(d):
    d.given_that(seen(c | y) <= 1)
    d.start(information, name="entropies", words="sharp and varied")
    d.equals(H(seen(c)) - E(seen(y), H(seen(c | y))), by="split the logarithm; the mean of $\\log q(c)$ needs only the law of $c$")
    d.start(exp(information), name="least", words="at least one")
    d.at_least(1 + information, by="$e^s \\ge 1 + s$", because=log_gap(exp(information)))
    d.at_least(1, by="a mean divergence", because=E(seen(y, c), log_gap(seen(c) / seen(c | y))))
    d.start(K, name="most", words="at most the number of classes")
    d.equals(exp(information) * exp(log(K) - information), by="the exponents add up")
    d.at_least(exp(information), by="$I \\le \\log K$: the entropy of the mean answer is at most $\\log K$, and no answer has an entropy below zero",
               because=exp(information) * (log_gap(exp(log(K) - information)) + missing))


answer = Density("r", c, given=u, positive=True)
both = Density("q", y, u)


@derivation("What the classifier does not look at does not count")
def class_collapse(d):
    d.start(E(both(y, u), KL(answer(c | u), E(both(y, u), answer(c | u)), over=c)))
    d.equals(E(both(u), KL(answer(c | u), E(both(u), answer(c | u)), over=c)), by="the answer depends on $u$ alone, so $y$ integrates out")


# %% [markdown]
# **What it means.** The inception score measures a channel: how many classes can be told from the samples. Ten perfect pictures reach the maximum for ten classes. It also says nothing about pictures of a kind for which the classifier has no class. The hypothesis under `evaluation.inception` says that
# classes are counted: a probability is at most one.
#
# ## Kernels: MMD and KID
#
# {{ picture evaluation.witness }}
#
# Compare the means of one feature $\varphi$. If they differ, the laws differ. Equal means prove little, so take many features, and add the squared differences. This needs no list of the features: it is enough to know the *kernel*, the sum of the products $\varphi(x)\,\varphi(x_1)$ of two points.
# `evaluation.mmd`: the three means of the board are the squared distance of the two mean features [@gretton2012kernel].

# %%
phi = [Function(f"phi_{i}") for i in (1, 2, 3)]
kappa = Function("kappa")


def three_means(kernel):
    """Two points of data, two samples, and one of each."""
    return E((p(x), p(x_1)), kernel(x, x_1)) + E((q(y), q(y_1)), kernel(y, y_1)) - 2 * E((p(x), q(y)), kernel(x, y))


discrepancy = define("M", three_means(kappa))


def added(terms):
    return plus(terms) if len(terms) > 1 else terms[0]


@derivation("MMD is the distance of two mean features", n=(1, 2, 3))
def mmd(d, n):
    d.start(three_means(lambda s, t: added([f(s) * f(t) for f in phi[:n]])))
    d.equals(added([(E(p(x), f(x)) - E(q(y), f(y))) ** 2 for f in phi[:n]]), by="independent points: the mean of a product is the product of the means")


# %% [markdown]
# **What it means.** MMD is zero if, and only if, all features of the kernel have equal means under both laws. So everything depends on which features the kernel has.
#
# !!! example "By hand"
#
#     The cubic kernel $(s t + 1)^3 = 1 + 3 s t + 3 s^2 t^2 + s^3 t^3$ has the features $1, \sqrt 3\, s, \sqrt 3\, s^2, s^3$. Data: 0 and 2, each with probability ½. Samples: always 1. The means of $s, s^2, s^3$ are $1, 2, 4$ and $1, 1, 1$. So MMD² is
#     $3 \cdot 0 + 3 \cdot 1 + 9 = 12$.
#
# KID uses the cubic kernel [@binkowski2018demystifying]. It compares the first three moments (`evaluation.cubic_kernel`) and *no more*: the uniform law of above has the same three moments as the normal law (`evaluation.blind[three]`), so KID cannot tell the two apart either.
# The Gaussian kernel with bandwidth $h$ has infinitely many features. `evaluation.gaussian_kernel` is its mean over two normal laws; put into the three means it gives the MMD² of normal laws, in closed form. That this kernel is *characteristic*, zero only for equal laws, is a theorem that we do not prove.

# %%
h = positives("h")


@derivation("The cubic kernel compares three moments")
def cubic_kernel(d):
    def moment(power):
        return (E(p(x), x**power) - E(q(y), y**power)) ** 2

    d.start(three_means(lambda s, t: (s * t + 1) ** 3))
    d.equals(3 * moment(1) + 3 * moment(2) + moment(3), by="the binomial theorem, and `evaluation.mmd`")


@derivation("The Gaussian kernel over two normal laws")
def gaussian_kernel(d):
    wide = h**2 + sigma_1**2 + sigma_2**2
    d.start(E((Normal(x, mu_1, sigma_1**2), Normal(y, mu_2, sigma_2**2)), exp(-((x - y) ** 2) / (2 * h**2))))
    d.equals(h / sqrt(wide) * exp(-((mu_1 - mu_2) ** 2) / (2 * wide)), by="complete the square; the variances add up")


# %% [markdown]
# **What it means.** A very small bandwidth sees only points that coincide, a very large one only the means; between them one sees shapes. Often $h$ is set to the median distance of two points.
#
# Now the estimates. A mean over pairs of *different* points has the right mean value (`evaluation.mmd_estimates[unbiased]`). If one also counts each point with itself, the estimate is too large, by a multiple of $1/n$ (`evaluation.mmd_estimates[biased]`). For FID no estimate has the right mean for all laws [@binkowski2018demystifying], which is the
# argument for KID. The price: the unbiased estimate of zero is negative in part of all cases.
#
# In code: `genmath.evaluation.mmd` and `genmath.evaluation.kid`, with `genmath.evaluation.gaussian_kernel` and `genmath.evaluation.polynomial_kernel`.


# %%
@derivation("The two estimates of a mean over pairs", n=(2, 3))
def mmd_estimates(d, n):
    points = copies(x, n)
    laws = tuple(p(each) for each in points)
    pairs = E((p(x), p(x_1)), kappa(x, x_1))
    d.start(E(laws, plus([kappa(s, t) for s in points for t in points if s is not t]) / (n * (n - 1))), name="unbiased", words="pairs of different points")
    d.equals(pairs, by="each pair has the same mean")
    d.start(E(laws, plus([kappa(s, t) for s in points for t in points]) / n**2), name="biased", words="with each point itself")
    d.equals(pairs + (E(p(x), kappa(x, x)) - pairs) / n, by="one pair in $n$ is a point with itself")


# %% [markdown]
# **What it means.** KID of different numbers of samples may be compared; FID may not.
#
# ## Precision and recall
#
# {{ picture evaluation.balls }}
#
# One number cannot say *how* a model is bad. Samples that are all good, but of one kind, and samples of all kinds, half of them rubbish, may have the same FID. So ask two questions [@sajjadi2018assessing]. **Precision**: which share of the samples lies where data are? **Recall**: which share of the data
# lies where samples are? For densities that is $\mathbb{E}_q\, \mathbf{1}[p > 0]$ and $\mathbb{E}_p\, \mathbf{1}[q > 0]$: for recall the mean is over the *data*. An erratum to a textbook has it over the samples, and then recall would be precision.

# %%
p_at, q_at = Density("p", x), Density("q", x)
made_here, real_here = indicator(q_at(x) > 0), indicator(p_at(x) > 0)


@derivation("Recall is a mean over the data")
def recall(d):
    missed = E(p_at(x), 1 - made_here)
    d.start(E(p_at(x), made_here))
    d.equals(1 - missed, by="what is not missed")
    d.slip(
        "udl-recall-erratum-wrong",
        wrong=equal(E(q_at(x), real_here), 1 - missed),
        right=equal(E(p_at(x), made_here), 1 - missed),
        source="UDL errata of 18 June 2025, 4th printing, Fig. 14.5",
        why="Recall asks how much of the data the model can make. The correction was pasted into both sentences, so that recall was the share of the samples that look like data, which is precision.",
    )


# %% [markdown]
# From points nobody can read where a density is zero. So one puts a *ball* around each point of data, up to its $k$-th nearest neighbour among the data, and says that data are in the union of the balls [@kynkaanniemi2019improved]. Two variants count more carefully [@naeem2020reliable]:
#
# - **Density**: in how many balls of the data does a sample lie, on average, divided by $k$? One outlier among the data has a huge ball, and lets all samples in it count for precision; for density it is only one ball of many.
# - **Coverage**: which share of the data's balls contains a sample? The balls are those of the data, so that outliers among the *samples* do not help.
#
# What would a perfect model get? Let $p = q$, and let no two distances be equal. To a point $x$ of data a sample $x_2$ is nearer than another point of data $x_1$ with probability ½: exchange them, and nothing changes (`evaluation.nearest[exchange]`, where $\delta$ is the distance, or any other number that says how far). In the same way the sample is among the $k$ nearest of $N$ with probability $k/N$, so that density is 1
# on average. With $N$ samples and $N$ points of data a ball is missed if the $k$ nearest of the other $2N - 1$ points are all data. There are $N - 1$ such points, so the probability is $\frac{N-1}{2N-1} \cdots \frac{N-k}{2N-k}$, at most $2^{-k}$ (`evaluation.nearest[missed]`, with $N = m + k$): for the usual $k = 5$ a perfect model covers about 97 % or more.
#
# In code: `genmath.evaluation.prdc`.


# %%
away = Function("delta")


@derivation("What a perfect model gets", k=(1, 2))
def nearest(d, k):
    first, second = copies(x, 2)
    laws = (p(x), p(first), p(second))
    if k == 1:
        d.start(E(laws, indicator(away(x, second) > away(x, first))), name="exchange", words="who is nearer")
        d.equals(E(laws, indicator(away(x, first) > away(x, second))), by="the names of the two points do not matter")
    shares = [(m + k - i) / (2 * (m + k) - i) for i in range(1, k + 1)]

    def product_of(factors):
        return times(factors) if len(factors) > 1 else factors[0] if factors else number(1)

    short = [product_of(shares[: i - 1]) * (i / (2 * (2 * (m + k) - i))) * half ** (k - i) for i in range(1, k + 1)]
    d.start(product_of(shares), name="missed", words="no sample in a ball")
    d.at_most(half**k, by="each factor is at most one half", because=added(short))


# %% [markdown]
# **What it means.** A perfect model need not get 1: compare with what *held-out data* get, in place of the samples.
#
# {{ picture evaluation.fools }}
#
# ## Can anybody tell? The classifier two-sample test
#
# Give half of the points to a classifier, data and samples in equal numbers, and let it sort the others [@lopezpaz2017revisiting]. If the laws are equal, no classifier does better than a coin. If it is right in a share $t > \frac12$ of new cases in the mean, the laws differ: by `gan.error_game[least_error]` no classifier errs less than $\frac12(1 - \mathrm{TV})$, so the total variation is at least
# $2 t - 1$. How sure is that? `evaluation.accuracy`: over $n$ independent answers the observed accuracy has the variance $t(1 - t)/n$.
#
# !!! example "By hand"
#
#     Of 400 held-out points 230 are sorted rightly: $0.575$. A coin has a standard deviation of $\sqrt{1/1600} = 0.025$, so this is three of them: the laws very probably differ. The estimate of the bound is $\mathrm{TV} \ge 0.15$.
#
# In code: `genmath.evaluation.c2st`, with nearest neighbours as the classifier; for a network of your own, `genmath.gan.error_rate` on points that were held out.

# %%
bit = variables("b", domain="bit")
t = fractions("t")


@derivation("How much an accuracy varies", n=(2, 3))
def accuracy(d, n):
    answers = copies(bit, n)
    d.start(E(tuple(Bernoulli(each, t) for each in answers), (plus(list(answers)) / n - t) ** 2))
    d.equals(t * (1 - t) / n, by="independent answers: the mixed terms have mean zero")


# %% [markdown]
# **What it means.** The test is as good as its classifier: one that fails proves nothing. And with enough points *any* difference that the classifier uses is found, also one that nobody cares about. The accuracy says how large it is at least, the p-value only how sure.
#
# ## Likelihood and good samples are different things
#
# {{ picture evaluation.mixture }}
#
# Take a good model $p_\theta$ and spoil it: 99 times in 100 it returns noise from some density $s$. With $w = 0.99$ its density is $(1 - w)\, p_\theta + w\, s$, which is nowhere less than a hundredth of what it was. So the mean log-likelihood on data $r$ falls by at most $\log 100 \approx 4.6$ nats
# (`evaluation.noise_mixture`). For pictures with thousands of pixels a log-likelihood is thousands of nats, and nobody would notice; nearly all samples are noise [@theis2016note].
#
# The reverse: a model that has *memorised*, a narrow bump of width $h$ on each training picture. Its samples are perfect, for FID as well, which does not see that they are copies. For a test point at distance $b$ from the nearest picture, one coordinate's log-density $-b^2/(2h^2) - \log h$ (without a constant) goes to $-\infty$ as $h \to 0$: `evaluation.memorised` bounds it by $-b^2/(4h^2)$ and terms
# without $h$. So its likelihood may be as bad as one likes, if the test data are new.

# %%
theta_model = Density("p_theta", x, positive=True)
held_out, noise = Density("r", x), Density("s", x)
share = fractions("w")
b = positives("b")
spoiled = define("m", (1 - share) * theta_model(x) + share * noise(x))


@derivation("Noise in most samples costs a constant")
def noise_mixture(d):
    d.start(E(held_out(x), log(spoiled)))
    d.at_least(E(held_out(x), log(theta_model(x))) + log(1 - share), by="the mixture is at least $(1 - w)\\, p_\\theta$",
               because=E(held_out(x), log(1 + share * noise(x) / ((1 - share) * theta_model(x)))))


@derivation("A narrow bump gives nothing to what is new")
def memorised(d):
    d.start(-(b**2) / (2 * h**2) - log(h))
    d.at_most(-(b**2) / (4 * h**2) - half + half * log(2 / b**2), by="$\\log s \\le s - 1$ at $s = b^2/(2h^2)$", because=half * log_gap(b**2 / (2 * h**2)))


# %% [markdown]
# **What it means.** All four cases occur: good samples with a good or a bad likelihood, bad samples with a good or a bad one. Choose the measure by what the model is *for*: to compress or to detect, the likelihood; to make pictures, a measure of samples; and never on the training data.
#
# ## The likelihood of a model with hidden variables { .advanced }
#
# A VAE has no exact likelihood, but bounds: `vae.iwae` rises to it with the number of draws. *Annealed importance sampling* [@neal2001annealed] goes through laws between a simple $q$ and the unnormalised $f$ whose integral is wanted. In each step a point moves by a rule that leaves one of those laws unchanged. Here is one step: draw $x$ from $q$,
# and move it to $y$ by $\pi(y \mid x)$, where $\pi$ is the joint law of two neighbours in a chain whose law is $\pi(x)$. The weight is $\frac{\pi(x)}{q(x)} \frac{f(y)}{\pi(y)}$, and its mean is the integral of $f$ (`evaluation.annealed`): exactly, however badly the move mixes. The logarithm of an unbiased weight is too small on average, so this bounds
# the log-likelihood from below, as in `vae.iwae`.

# %%
chain = Density("pi", x, y, positive=True)
begin = Density("q", x, positive=True)
f = Function("f")


@derivation("The mean weight of an annealed step")
def annealed(d):
    d.start(E((begin(x), chain(y | x)), chain(x) / begin(x) * f(y) / chain(y)))
    d.equals(integral(f(y), y), by="$q$ cancels; then $\\pi(x)\\, \\pi(y \\mid x)$ integrates over $x$ to $\\pi(y)$, which cancels, too")


# %% [markdown]
# **What it means.** A likelihood that was reported for such a model is a bound, and a better bound may make a model look better without changing it. Say which bound, and how many draws.
#
# ## How sure is a number? The bootstrap
#
# Draw a new set of the same size *from the set itself*, with repetition, and compute the measure again; do this a thousand times. The spread of these values shows how much the measure would vary with other data. It shows the bias, too: `evaluation.mean_bias` holds for every law, also for the one that sits on the points of a set, so resampling adds the same kind of error a
# second time. If the resampled values are higher than the value by $\Delta$ on average, then the value itself is probably higher than the truth by about $\Delta$. The *basic* interval therefore reflects the resampled values at the value.
#
# In code: `genmath.evaluation.bootstrap`.
#
# {{ explorer evaluation }}
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - FID is $W_2^2$ of two normal laws: it compares mean and covariance, and is zero for many laws that differ (`evaluation.blind`).
#     - Its bias falls about as $1/N$: compare equal numbers only (`evaluation.mean_bias`, `evaluation.fid_bias`).
#     - IS is the exponential of a mutual information, from 1 to $K$ (`evaluation.inception`); it never sees the data, nor a collapse inside a class (`evaluation.class_collapse`).
#     - MMD is the distance of mean features (`evaluation.mmd` has its square); KID, with the cubic kernel, compares three moments and has no bias (`evaluation.cubic_kernel`, `evaluation.mmd_estimates`).
#     - Precision: samples near data. Recall: data near samples (`evaluation.recall`).
#     - A classifier that is right in a share $t$ of new cases shows $\mathrm{TV} \ge 2t - 1$.
#     - 99 % noise costs at most $\log 100$ nats (`evaluation.noise_mixture`).
#
# ## Questions
#
# ??? question "A paper reports FID 3.2 with 50,000 samples, you find 4.0 with 10,000. Is your model worse?"
#
#     One cannot say. With fewer samples FID is larger on average for the same model (`evaluation.mean_bias`, `evaluation.fid_bias`). Compute both with equal numbers.
#
# ??? question "What is the FID of the training set, offered as samples?"
#
#     Zero against itself, and near zero against other data. FID does not see memorising; look at the nearest training pictures, and compare with held-out data.
#
# ??? question "A model makes each of the ten digits once, perfectly, and repeats these ten pictures for ever. What are its inception score, precision and recall?"
#
#     The score is 10, the best there is, if the classifier is sure of each; precision is 1 or near it; recall is small, since few data lie near those ten.
#
# ??? question "KID came out as −0.0003. A bug?"
#
#     No. The unbiased estimate of a small number is negative in part of all cases (`evaluation.mmd_estimates[unbiased]`). The squared distance itself is not.
#
# ??? question "A classifier cannot tell samples from data. Are the laws equal?"
#
#     Perhaps the classifier is too weak, or it has seen too few points. It is the other answer that proves something.
#
# ??? question "Your model's log-likelihood is 5 nats lower than another's, on pictures of 3072 numbers. Are its samples worse?"
#
#     That does not follow, in either direction: mixing with 99 % noise costs less than 5 nats (`evaluation.noise_mixture`).
#
# {{ spot udl-recall-erratum-wrong among evaluation.cubic_kernel evaluation.inception[entropies] }}
#
# ## What these results do not say
#
# - **Features decide.** All measures are of features. Two laws of pictures may have equal laws of features; and features that were trained on photographs may be blind to what matters in an X-ray.
# - **The Gamma law** of a sample variance, and the law of two eigenvalues, are cited. So are: a Gaussian kernel sees all differences; the rule $d(d+1)/(4N)$; the probability $k/N$, whose case of two points is checked.
# - **Only small numbers are checked.** `evaluation.mean_bias`, `evaluation.mmd_estimates` and `evaluation.accuracy` are checked for two and three points, `evaluation.mmd` for up to three features, `evaluation.nearest` for up to two neighbours. The pattern is the same for all numbers.
# - **The lower bound on TV holds in the mean.** The accuracy on finitely many held-out points may exceed what the laws allow; the p-value is for that.
# - **Nothing here measures** whether pictures please, whether they follow a text, or whether they are fair.
#
# ## Where sources slip
#
# - `evaluation.recall`: an erratum that makes recall equal to precision (`udl-recall-erratum-wrong`).
#
# ## References
#
# - [@heusel2017gans]: the Fréchet inception distance.
# - [@salimans2016improved]: the inception score (section 4).
# - [@chong2020effectively]: the bias of both, and how to extrapolate.
# - [@gretton2012kernel]: MMD and its estimates.
# - [@binkowski2018demystifying]: KID, and the bias of FID.
# - [@sajjadi2018assessing]: precision and recall of laws.
# - [@kynkaanniemi2019improved]: with balls to the nearest neighbours.
# - [@naeem2020reliable]: density and coverage.
# - [@lopezpaz2017revisiting]: the classifier two-sample test.
# - [@theis2016note]: likelihood and samples.
# - [@neal2001annealed]: annealed importance sampling.
