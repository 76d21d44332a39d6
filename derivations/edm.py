# %% [markdown]
# # EDM and fast solvers
#
# Take two diffusion models with the same network, the same data and the same time to train. One makes good
# pictures in ten calls of its network, the other needs hundreds. The theory of the chapters before allows both: it
# leaves open in which units the network sees a noisy picture, what it is asked to say, how much each of its errors
# counts, and how the samples are made. EDM [@karras2022elucidating] (named after the title of its paper) takes these choices apart, so that each can be made
# for a reason. This chapter does so with proofs, and then asks the same of the solver: which step of an ODE solver is the
# right one for this ODE?
#
# **The answer in a line:** let the network see and say numbers of size one at every noise level; then solve by hand the part of the
# ODE that is known, and put what the network said last time to use again.
#
# {{ picture edm.question }}
#
# !!! board "On the board"
#
#     The guess of the data is a part of the input plus a part of what the network says:
#
#     {{ define edm.denoiser }}
#
#     {{ define edm.c_skip }}
#
#     {{ define edm.c_out }}
#
#     {{ define edm.c_in }}
#
#     {{ define edm.V }}
#
#     A step of the solver DPM-Solver++(2M), from level $t$ to $s$, where $u$ is the level before $t$:
#
#     {{ define edm.next_place }}
#
#     {{ define edm.ahead }}
#
#     A noisy point is $x_t = \alpha_t x_0 + \sigma_t \epsilon$: the data $x_0$ and standard normal noise $\epsilon$, each with its scale. EDM has $\alpha_t = 1$. $\sigma_d$ is the
#     root mean square of the data in one coordinate, so $V$ is the mean square of $x_t$. $F_\theta$ is what the network says; it sees $c_{\mathrm{in}} x_t$. $D_t$ is the guess of the data at $x_t$, $D_u$ the one before, and $\bar D$ the guess that both together suggest for the step. The step has the
#     length $h = \log(\alpha_s / \sigma_s) - \log(\alpha_t / \sigma_t)$, and the one before it was $r$ times as long.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Draw data $x_0$, noise $\epsilon$ and a level with a normal $\log \sigma$.
#     2. Let the network see $c_{\mathrm{in}} x_t$, and compare its answer with $F^\star = (x_0 - c_{\mathrm{skip}} x_t) / c_{\mathrm{out}}$.
#     3. Take a gradient step on the mean of $\|F_\theta - F^\star\|^2$. `genmath.edm.edm_loss` does all three, for a `genmath.edm.Preconditioned` network.
#
# !!! sample "Sample"
#
#     1. Choose levels: `genmath.paths.EDMPath.steps`. Draw $x$ at the first of them from a normal of variance $\alpha^2 + \sigma^2$, nearly $\sigma^2$ in EDM.
#     2. For each level, ask once, and step to the next: `genmath.samplers.DPMSolver`, or `genmath.samplers.UniPC`. (EDM's own sampler is `genmath.samplers.Heun`, with `genmath.samplers.Churn`.)
#     3. The last step goes to clean data. `genmath.samplers.sample` is the loop.
#
# </div>
#
# ## Notation and hypotheses
#
# - $x_t = \alpha_t x_0 + \sigma_t \epsilon$, with $\alpha_t, \sigma_t > 0$, as in [Implicit diffusion](ddim.py). Where only one level is meant, the index is left out.
#   On a *variance-preserving* path $\alpha^2 + \sigma^2 = 1$, and $\alpha^2 = \bar\alpha$ is the $\bar\alpha_t$ of [Denoising diffusion](ddpm.py). EDM has $\alpha = 1$ and calls $\sigma$ the noise level; any other path becomes EDM's if one
#   divides $x_t$ by $\alpha_t$.
# - $\mathrm{SNR} = \alpha^2 / \sigma^2$ is the signal-to-noise ratio.
# - $\sigma_d^2$ is the second moment of the data in one coordinate, their variance if their mean is zero. EDM assumes $\sigma_d = 0.5$ for its pictures. **It is a number to be measured**, not a constant.
# - A *prediction* of the data, the noise, $v = \alpha \epsilon - \sigma x_0$, the score or the velocity says the same in other words (`flow_matching.predictions`). $v$ is not the velocity. $\hat x_0$ is a guess of the data.
# - $\mathcal{N}(x;\, m, v)$ is the density of a normal with mean $m$ and **variance** $v$; $\mathbb{E}_{q(x)}[f(x)]$ is the mean of $f(x)$ over draws $x$ from $q$.
# - $u$ is a level on the board, later the time since the start of a step, or a place in a list; $F$, $a$, $b$, $c$, $r$ and $\rho$, too, mean in each section what is said there. Logarithms are natural. $\lambda = \log(\alpha/\sigma)$, half the logarithm of the signal-to-noise ratio, is the solver's clock. $[a]_+$ means $\max(a, 0)$, so that $\min(a, b) = a - [a - b]_+$.
# - Statements about single numbers hold for each coordinate; those about losses are for vectors of $d$ coordinates, checked for $d \le 3$.

# %%
from genmath.proof import *

x0, eps, xt, xs = variables("x_0 eps x_t x_s")
alpha, sigma, sigma_d = positives("alpha sigma sigma_d")
alpha_s, sigma_s, alpha_t, sigma_t = positives("alpha_s sigma_s alpha_t sigma_t")
h, r = positives("h r")
net, now, before = reals("F_theta D_t D_u")

V = define("V", alpha**2 * sigma_d**2 + sigma**2)
c_skip = define("c_skip", alpha * sigma_d**2 / V)
c_out = define("c_out", sigma * sigma_d / sqrt(V))
c_in = define("c_in", 1 / sqrt(V))
denoiser = define("D_theta", c_skip * xt + c_out * net)
ahead = define("D_bar", now + (now - before) / (2 * r))
next_place = define("x_s", sigma_s / sigma_t * xt + alpha_s * (1 - exp(-h)) * ahead)

q = Density("q", x0)
noisy = define("x_t", alpha * x0 + sigma * eps)
XT, X0 = vectors("x_t x_0")
guess, said = mean_vectors("x_hat_0 F_theta")


# %% [markdown]
# ## One error, five sizes
#
# A network that predicts the noise is trained on the error of the noise. Another predicts the data, and is trained on the error of the data. Both losses have the same best network. But a real network cannot make all
# errors zero, and the losses disagree on which error is the worse one. By how much? At a given $x_t$ the predictions are linear in one another. So every error is a multiple of every other, and the multiple depends on the noise level alone.
#
# !!! example "By hand"
#
#     Let $\alpha = 0.6$ and $\sigma = 0.8$, so $\mathrm{SNR} = 0.5625$. A guess of the data that is off by $1$ means a guess of the noise that is off by $0.6 / 0.8 = 0.75$, and a guess of $v$ that is off by $1 / 0.8 = 1.25$. Near
#     the data, at $\alpha = 0.995$ and $\sigma = 0.1$, they are off by $9.95$ and $10$. There it takes a very good guess of the data to have a fair guess of the noise.
#
# Hold $x_t$ fixed, and let $\hat x_0$ be any guess of the data. `genmath.edm.weight_ratio` is the square of the multiple, for any two of the five. The chain without a name is for the noise.

# %%


def noise_in(data):
    """The noise in x_t that goes with a guess of the data."""
    return (XT - alpha * data) / sigma


@derivation("One error in five units", dims=(1, 2, 3))
def errors(d):
    a_dot, s_dot = reals("alpha_prime sigma_prime")
    snr = define("SNR", alpha**2 / sigma**2)
    error = norm2(guess - X0)

    d.start(norm2((alpha * noise_in(guess) - sigma * guess) - (alpha * noise_in(X0) - sigma * X0)), name="v", words="the error of $v$")
    d.equals((alpha**2 + sigma**2) ** 2 / sigma**2 * error, by="noise and data are off in opposite directions, and $v$ is a difference")
    d.start(norm2(noise_in(guess) / sigma - noise_in(X0) / sigma), name="score", words="the error of the score")
    d.equals(snr / sigma**2 * error, by=r"the score is minus the noise over $\sigma$")
    d.start(norm2((a_dot * guess + s_dot * noise_in(guess)) - (a_dot * X0 + s_dot * noise_in(X0))), name="velocity", words="the error of the velocity")
    d.equals((a_dot - s_dot * alpha / sigma) ** 2 * error, by=r"data and noise move with $\alpha'$ and $\sigma'$")

    d.start(norm2(noise_in(guess) - noise_in(X0)))
    d.equals(snr * error, by="$x_t$ cancels, and the data are scaled by the ratio of signal and noise")


# %% [markdown]
# **What it means.** "We use the plain squared error" says nothing until one says *of what*. The plain error of the noise is the error of the data with the weight $\mathrm{SNR}$: it is strict near the data and careless far from them.
# The plain error of $v$ is, on a variance-preserving path, the error of the data with the weight $\mathrm{SNR} + 1$: it never goes below 1.
#
# {{ picture edm.weights }}
#
# ## A weight with a ceiling: Min-SNR
#
# The weight $\mathrm{SNR}$ grows without bound towards the data. Then most of what is trained is the last, invisible bit of noise. *Min-SNR* [@hang2023minsnr] puts a ceiling on it: the error of the data has the weight $\min(\mathrm{SNR}, \gamma)$, and
# $\gamma = 5$ is usual. A program that predicts the noise or $v$ has to translate the weight.
#
# !!! example "By hand"
#
#     $\gamma = 5$. At $\mathrm{SNR} = 9$ the weight is 5 on the data, $5/9 \approx 0.56$ on the noise, and $5/10 = 0.5$ on $v$. At $\mathrm{SNR} = 1$ it is 1 on the data, 1 on the noise, and $1/2$ on $v$.
#
# The translation is the same for any weight $m$ on the error of the data; Min-SNR is $m = \min(\mathrm{SNR}, \gamma)$. The squared error of the noise is SNR times that of the data, and smaller where SNR is below 1. The path is variance preserving, and one coordinate is enough. In code: `genmath.edm.min_snr_weight`.

# %%
gamma = positives("gamma")
abar = fractions("alpha_bar")
one_guess = reals("x_hat_0")


@derivation("Min-SNR in three units")
def min_snr(d):
    snr = define("SNR", abar / (1 - abar))
    m = positives("m")

    def noise(data):
        return (xt - sqrt(abar) * data) / sqrt(1 - abar)

    def v(data):
        return sqrt(abar) * noise(data) - sqrt(1 - abar) * data

    d.start(m * (one_guess - x0) ** 2, name="eps", words="as a weight on the error of the noise")
    d.equals(m / snr * (noise(one_guess) - noise(x0)) ** 2, by="the error of the noise is larger by the signal-to-noise ratio")
    d.start(m * (one_guess - x0) ** 2)
    d.equals(m / (snr + 1) * (v(one_guess) - v(x0)) ** 2, by=r"on a variance-preserving path $1/\sigma^2$ is the signal-to-noise ratio plus one")

    least, other = define("m", snr - positive_part(snr - gamma)), define("m_1", snr + 1 - positive_part(snr + 1 - gamma))
    d.slip(
        "hf-minsnr-v",
        wrong=equal(least * (one_guess - x0) ** 2, other / (snr + 1) * (v(one_guess) - v(x0)) ** 2),
        right=equal(least * (one_guess - x0) ** 2, least / (snr + 1) * (v(one_guess) - v(x0)) ** 2),
        source="huggingface/diffusers PR #5238, issue #5654, mended by PR #6307",
        why="To divide by SNR + 1 the program added 1 to the SNR itself, and so it stood in the minimum too. At high noise, where the weight should vanish, it was 1.",
    )


# %% [markdown]
# **What it means.** One loss has a different formula for each prediction. If a paper gives a weight, it has to say of which error.
#
# ## Which levels, and how much each counts { .advanced }
#
# A loss also draws noise levels. To draw a level twice as often is to count it twice: only the product of density and weight matters for the mean. Let $p$ be the density with which levels, here called $x$, are drawn,
# $w$ a weight and $\ell$ the error at a level. Draw instead from any positive density $r$, and correct the weight.

# %%
x = variables("x")
p, other_p = Density("p", x), Density("r", x, positive=True)
w, loss_at = Function("w"), Function("ell")


@derivation("Drawing levels in another way")
def levels(d):
    d.start(E(p(x), w(x) * loss_at(x)))
    d.equals(E(other_p(x), p(x) / other_p(x) * w(x) * loss_at(x)), by="the density that is drawn from cancels")


# %% [markdown]
# **What it means.** The mean is the same, its *scatter* is not: draw where the network still learns something. EDM draws $\log \sigma$ from a normal, since at very low noise there is nothing to see, and at very high noise nothing to say but the mean.
# [Flow matching](flow_matching.py) draws times with a normal logit, and shifts them for large pictures (`flow_matching.logit_normal_time`, `flow_matching.shift_time`): the same choice of a density, on another axis.
#
# ## Three demands on the scales
#
# What should the network see, and what should it say? EDM demands three things at *every* noise level:
#
# 1. the input of the network has the size 1;
# 2. the target of the network has the size 1;
# 3. an error of the network is amplified as little as possible.
#
# Networks are built for numbers of size 1, and they learn badly from others. In EDM $\sigma$ goes up to 80: without scales the network would see numbers of that size at one level and of the size 0.5 at another. The third demand decides between saying the data and saying the noise. Near the data one should say the noise: it is multiplied by
# a small $\sigma$ and subtracted from an input that is nearly right. Far from the data one should say the data: the noise times 80 would be off by 80 times the error. In between one should say a mixture.
#
# {{ picture edm.scales }}
#
# *The first two demands.* The size of a number is the root of its mean square. For any density $q$ of data with second moment $S$, `edm.scaled[input]` is the mean square of $x_t$. If $S = \sigma_d^2$, it is $V$, and the factor $c_{\mathrm{in}}$ makes it 1.
# The network does not have to say all of $x_0$: let $c\, x_t$ be given to it for free, with any number $c$. The mean square of what is left for it is `edm.scaled[target]`; $c_{\mathrm{out}}$ is the root of that, for the $c$ that the third demand will choose.
#
# In code: `genmath.edm.preconditioning`; a network with its scales is `genmath.edm.Preconditioned`.

# %%
c = reals("c")


@derivation("The size of what a network sees, and of what is left to say")
def scaled(d):
    S = define("S", E(q(x0), x0**2))
    both = (q(x0), Normal(eps, 0, 1))
    d.start(E(both, noisy**2), name="input", words="what the network sees")
    d.equals(alpha**2 * S + sigma**2, by="noise has mean zero and variance one, whatever the data are")
    d.start(E(both, (x0 - c * noisy) ** 2), name="target", words="what is left of the data")
    d.equals((1 - c * alpha) ** 2 * S + c**2 * sigma**2, by="the data that are missed, and the noise that is let in")

    d.start(c_in**2 * V, name="one", words="the scaled input")
    d.equals(1, by="that is how the scale was chosen")


# %% [markdown]
# *The third demand.* The network's error is multiplied by $c_{\mathrm{out}}$ in the guess of the data. So choose $c$ such that what is left is *least*. That is a parabola in $c$.

# %%


@derivation("The least that is left to say")
def least(d):
    d.start((1 - c_skip * alpha) ** 2 * sigma_d**2 + c_skip**2 * sigma**2, name="size", words="what is left at the best share")
    d.equals(c_out**2, by="put the best share in: what is missed and what is let in are over one denominator")

    d.start(c_out**2, name="far", words="far from the data")
    d.at_most(sigma_d**2, by="the whole spread of the data", because=alpha**2 * sigma_d**4 / V)
    d.start(c_out**2, name="near", words="near the data")
    d.at_most(sigma**2 / alpha**2, by="the whole noise, in the scale of the data", because=sigma**4 / (alpha**2 * V))

    d.start((1 - c * alpha) ** 2 * sigma_d**2 + c**2 * sigma**2)
    d.at_least(sigma**2 * sigma_d**2 / V, by="complete the square in the share", because=V * (c - c_skip) ** 2)
    d.tight_when(c, c_skip)


# %% [markdown]
# !!! example "By hand"
#
#     EDM with $\sigma_d = 0.5$ at $\sigma = 0.5$: $V = 0.5$, so $c_{\mathrm{skip}} = 0.25/0.5 = 0.5$, $c_{\mathrm{out}} = 0.25/\sqrt{0.5} \approx 0.354$ and $c_{\mathrm{in}} \approx 1.414$. At $\sigma = 80$: $c_{\mathrm{skip}} \approx 0.00004$ and
#     $c_{\mathrm{out}} \approx 0.500$: the network says the data. At $\sigma = 0.002$: $c_{\mathrm{skip}} \approx 0.99998$ and $c_{\mathrm{out}} \approx 0.002$: it says the noise, with the sign turned.
#
# **What it means.** $c_{\mathrm{skip}} x_t$ is the best *linear* guess of the data. The network has to say only what a linear guess cannot know. At every level its error is amplified by less than $\sigma_d$, by `edm.least[far]`, and by less than $\sigma/\alpha$, by `edm.least[near]`: the first counts at high noise, the second at low noise. A network
# that predicts the data has the first bound alone, one that predicts the noise the second.
#
# How the network is *told* the level is no consequence of the three demands: EDM gives it $\log(\sigma)/4$, a number of moderate size that an engineer chose.
#
# ## The weight that goes with it
#
# One choice is left, the weight of the loss. Give the squared error of the data the weight $1/c_{\mathrm{out}}^2$. Then the loss is the plain squared error of the network's own answer, whose target $F^\star$ has the size 1 at every level (`edm.weight`). A network that answers 0, as a network often does
# at first, has the same loss at every level: it is 1 in each coordinate, as `edm.weight[start]` says, if $\sigma_d$ is right. So at the start no level shouts the others down.

# %%


@derivation("The weight that makes all levels alike", dims=(1, 2, 3))
def weight(d):
    target = define("F_star", (X0 - c_skip * XT) / c_out)
    answer = define("D_theta", c_skip * XT + c_out * said)
    d.start(((1 - c_skip * alpha) ** 2 * sigma_d**2 + c_skip**2 * sigma**2) / c_out**2, name="start", words="the loss of a network that answers 0")
    d.equals(1, by="what is left of the data, in units of itself")

    d.start(norm2(answer - X0) / c_out**2)
    d.equals(norm2(said - target), by="the free part cancels, and the scale of the answer is divided out")

    d.slip(
        "af3-loss-weight",
        wrong=equal((sigma**2 + sigma_d**2) / (sigma + sigma_d) ** 2, (sigma**2 + sigma_d**2) / (sigma * sigma_d) ** 2),
        right=equal(1 / (sigma**2 * sigma_d**2 / (sigma**2 + sigma_d**2)), (sigma**2 + sigma_d**2) / (sigma * sigma_d) ** 2),
        source="lucidrains/alphafold3-pytorch issues #68 and #124, about equation 6 of the supplement it follows",
        why="A sum stands where EDM's weight has a product, so the weight is no longer one over the square of c_out: errors at low noise hardly count. The dimension tells it: a weight on a squared length is one over a squared length.",
    )


# %% [markdown]
# **What it means.** The weight is not one more thing to tune: it follows from the scales, and the wish that all levels start alike. On the error of the data it is $1/c_{\mathrm{out}}^2 = \mathrm{SNR} + 1/\sigma_d^2$, the sum of the weight of a noise predictor and a constant. On the error of the noise it is that over $\mathrm{SNR}$, and on the error of $v$, on a variance-preserving path, that over $\mathrm{SNR} + 1$.
#
# ## Normal data leave nothing to say
#
# Suppose that the data are normal, with independent coordinates of mean 0 and variance $\sigma_d^2$. Then the mean of the data given $x_t$ is linear in $x_t$, and it is $c_{\mathrm{skip}} x_t$ exactly. The best network answers 0, everywhere and always.

# %%


@derivation("For normal data the free part is the whole answer")
def normal(d):
    d.start(integral(x0 * Normal(xt, alpha * x0, sigma**2) * Normal(x0, 0, sigma_d**2) / Normal(xt, 0, V), x0))
    d.equals(c_skip * xt, by="Bayes' rule, and complete the square: the mean of the data given the noisy point")


# %% [markdown]
# **What it means.** The size of the network's *target* is 1, but for normal data it is pure noise to the network: nothing in $x_t$ tells which way it goes. What the network learns is exactly how the data are *not* of this kind: not normal, or with coordinates that depend on each other. That also says what the loss can come to: it starts near 1
# and falls by what can be known.
#
# ## The same network under another name
#
# On a variance-preserving path with data of variance 1 the three demands have a familiar answer: $c_{\mathrm{skip}} = \alpha$, $c_{\mathrm{out}} = \sigma$, $c_{\mathrm{in}} = 1$. And the target is $-v$. So $v$-prediction [@salimans2022progressive] *is* EDM's scaling, in other coordinates.

# %%


@derivation("EDM's target is minus v")
def same_as_v(d):
    point = define("x_t", sqrt(abar) * x0 + sqrt(1 - abar) * eps)
    d.start((x0 - sqrt(abar) * point) / sqrt(1 - abar))
    d.equals(-(sqrt(abar) * eps - sqrt(1 - abar) * x0), by=r"$1 - \bar\alpha$ of the data is left, and a part of the noise comes in")


# %% [markdown]
# **What it means.** Who trains a $v$-predictor on data of variance 1 with the plain squared error has EDM's preconditioning and EDM's weight without knowing it. What is left of EDM then is how levels are drawn, and the sampler.
#
# ## The ODE, and what of it is known
#
# Now the sampler. The ODE is that of [Implicit diffusion](ddim.py): data and noise are guessed, and the point moves as if both were frozen (`ddim.flow`). There $x/\alpha$ was drawn against $\sigma/\alpha$, and the slope was the guessed noise. Networks with EDM's scales guess the data. For them the mirror image is natural: draw
# $x/\sigma$ against $\alpha/\sigma$, and **the slope is the guess of the data**.
#
# As there, write $\alpha_t = e^{a(t)}$ and $\sigma_t = e^{b(t)}$ with smooth $a$ and $b$. Let $x(t)$ be the curve of one sample and $D(t)$ the guess of the data on it. `edm.exact[velocity]` is the velocity, `edm.exact[ode]` the slope in the new coordinates. For EDM's path, $\alpha = 1$, `edm.exact[edm]` is its velocity in $\sigma$: the guessed noise.
# Let $F$ be any function with the derivative $D(t)$ times that of $\alpha/\sigma$. Then the curve in `edm.exact[solution]`, $x(t)$ at $s = t$, solves the ODE.
#
# Measure time by $\lambda = \log(\alpha/\sigma)$ and count $u$ from the start of a step of length $h$; $L$ is $\lambda$ at the start. The last chain says that what the data add in the step is $\alpha_s$ times an integral of the guesses, with weights that fall off exponentially backwards in time and add up to $1 - e^{-h}$.

# %%
t, s, u, L = reals("t s u L")
a, b, curve, F, D = Function("a"), Function("b"), Function("x"), Function("F"), Function("D")


@derivation("The exact step of the probability flow")
def exact(d):
    velocity = a.prime(t) * exp(a(t)) * D(t) + b.prime(t) * (curve(t) - exp(a(t)) * D(t))
    noise = (curve(t) - exp(a(t)) * D(t)) / exp(b(t))
    d.start(diff(exp(a(t)), t) * D(t) + diff(exp(b(t)), t) * noise, name="velocity", words="the velocity, with data and noise frozen")
    d.equals(velocity, by=r"$\alpha' = a' \alpha$ and $\sigma' = b' \sigma$")

    d.start((velocity - b.prime(t) * curve(t)) / exp(b(t)), name="ode", words=r"the slope of $x/\sigma$")
    d.equals(D(t) * diff(exp(a(t)) / exp(b(t)), t), by=r"the linear part is gone, and what is left is the guess times the slope of $\alpha/\sigma$")

    d.start(diff(sigma * eps + x0, sigma), name="edm", words="on EDM's path, with data and noise frozen")
    d.equals((sigma * eps + x0 - x0) / sigma, by=r"with $\alpha = 1$ the point moves with $\sigma$, along the noise")

    solved = exp(b(s)) / exp(b(t)) * curve(t) + exp(b(s)) * (F(s) - F(t))
    d.start(diff(solved, s), name="solution", words="the exact solution")
    d.equals(b.prime(s) * solved + exp(b(s)) * F.prime(s), by=r"the rule for products; with $F' = (\alpha/\sigma)' D$ this is the velocity at $s$")

    d.start(sigma_s * integral(exp(L + u) * D(u), u, between=(0, h)))
    d.equals(sigma_s * exp(L + h) * integral(exp(-(h - u)) * D(u), u, between=(0, h)), by=r"take out the value at the end; $\sigma_s e^{L + h}$ is $\alpha_s$")


# %% [markdown]
# **What it means.** Nothing has been approximated yet. The factor in front of $x$ and the exponential weights are known, and only $D$ is not. A method that first solves what is known and then approximates the rest is called an *exponential integrator*.
#
# ## DDIM again, and what its step loses
#
# The simplest approximation keeps the guess as it was at the start of the step. Since the weights add up to $1 - e^{-h}$, that is DDIM: `ddim.euler[exponential_data]`. What does it lose? `edm.first_order` says so for any smooth $D$: the *change* of the guess, with a weight that is largest for early changes, because they are missed for the longest
# time. If the slope of the guess is nowhere above $M$ in size, what is lost is at most $M$ times the total weight, and the weight is at most $h^2/2$ (`edm.first_order[size]`); in $x_s$ there is the factor $\alpha_s$ besides: half the step loses a quarter as much. There are twice as many steps then, so in all half as much is lost: *first order*.

# %%


@derivation("What a step of DDIM loses")
def first_order(d):
    d.start(integral(1 - exp(-(h - u)), u, between=(0, h)), name="size", words="the total weight")
    d.equals(h - 1 + exp(-h), by="integrate the exponential")
    d.at_most(h**2 / 2, by="its second derivative is at most one", because=integral((h - u) * (1 - exp(-u)), u, between=(0, h)))

    d.start(integral(exp(-(h - u)) * (D(u) - D(0)), u, between=(0, h)))
    d.equals(integral((1 - exp(-(h - u))) * D.prime(u), u, between=(0, h)), by="by parts: what has changed by a moment is missed from then on")


# %% [markdown]
# **What it means.** Few steps are enough where the guess of the data changes little. Far from the data it hardly changes, since it is nearly the mean of all data; so $\lambda$ is a good clock, in which the guess changes at a moderate pace.
#
# ## Remember the last answer
#
# {{ picture edm.line }}
#
# To know how the guess changes one would ask the network twice in a step, as Heun's method does below. But there is another answer at hand, the one of the step before. *DPM-Solver++(2M)* [@lu2022dpmsolverpp] draws a line through the last two guesses and continues it ("2" is the order, "M" means multistep: the method uses several steps). One call of the network a step, as before.
#
# Let $D_t$ be the guess at the start of the step and $D_u$ the one before, at a distance $r h$. `edm.multistep[line]` integrates the line exactly; in it, $k$ is its slope. DPM-Solver++ does not use the weight of the slope that comes out, but a shortcut, $\frac{h}{2}(1 - e^{-h})$, which makes the formula short. `edm.multistep[shortcut]` is the difference of the two weights: it is of third order in $h$, as
# `edm.multistep[shortcut_size]` says, so the order of the method does not suffer.
#
# The last chain is what code does: the step of DDIM plus a correction from the change of the guess.
#
# !!! example "By hand"
#
#     EDM, from $\sigma = 2$ to $\sigma = 1$, and before that from $4$ to $2$: each step halves the noise, $h = \log 2 \approx 0.693$ and $r = 1$. Let $x = 1.5$, $D_t = 0.4$ and $D_u = 0.2$. DDIM keeps half of $x$ and takes half of the guess: $0.75 + 0.2 = 0.95$. 2M takes the guess
#     $0.4 + (0.4 - 0.2)/2 = 0.5$ and comes to $0.75 + 0.25 = 1.00$.
#
# In code: `genmath.samplers.DPMSolver`. The first step has no answer before it and is DDIM's. So is the last step to clean data: there $h$ is infinite, and the line would be continued for ever.

# %%


@derivation("DPM-Solver++(2M)")
def multistep(d):
    k = define("k", (now - before) / (r * h))
    d.start(integral(exp(-(h - u)) * (now + u * k), u, between=(0, h)), name="line", words="a line, integrated exactly")
    d.equals((1 - exp(-h)) * now + (h - 1 + exp(-h)) * k, by="integrate by parts once")

    shortcut = (h - 1 + exp(-h)) - h * (1 - exp(-h)) / 2
    d.start(shortcut, name="shortcut", words="the weight of the slope, and the one that is used")
    d.equals(integral((h - u) * u * exp(-u) / 2, u, between=(0, h)), by="both sides and their slopes agree at zero, and their second derivatives everywhere")
    d.start(shortcut, name="shortcut_size", words="it does not matter")
    d.at_most(h**3 / 12, by="the exponential is at most one", because=integral((h - u) * u * (1 - exp(-u)) / 2, u, between=(0, h)))

    gain = define("h", log(alpha_s / sigma_s) - log(alpha_t / sigma_t))
    ddim_step = alpha_s * now + sigma_s * (xt - alpha_t * now) / sigma_t
    d.start(sigma_s / sigma_t * xt + alpha_s * (1 - exp(-gain)) * ahead)
    d.equals(ddim_step + (alpha_s - sigma_s * alpha_t / sigma_t) * (now - before) / (2 * r),
             by="the step of DDIM from the guess now, and half of what the guess has changed, brought to the length of this step")

    constant = sigma_s / sigma_t * xt + alpha_s * (1 - exp(-r * gain)) * now
    d.slip(
        "kdiffusion-2m-h-last",
        wrong=equal(constant, ddim_step),
        right=equal(sigma_s / sigma_t * xt + alpha_s * (1 - exp(-gain)) * now, ddim_step),
        source="crowsonkb/k-diffusion issue #56",
        why="A change against blur: the length of the last step in place of this one, in the factor 1 − exp(−h). But then a step is wrong even where the guess does not change, and where every method of this family is exact.",
    )


# %% [markdown]
# Now the order. Let the guess change by $k_1 u + k_2 u^2$ after a time $u$, with any numbers $k_1$ and $k_2$: the first terms of its Taylor series. (What it was at the start is integrated exactly.) Then it differed by $-k_1 r h + k_2 r^2 h^2$ at the answer before. What the step loses is $k_1$ times what the shortcut changes, at most $h^3/12$ by `edm.multistep[shortcut_size]`, plus $k_2$ times
# `edm.second_order`. That is of third order too: its first part by `edm.second_order[curved]`, and in the second $1 - e^{-h}$ is at most $h$. So all steps together lose something of second order. A guess that is no parabola adds terms of higher order; that is an argument in words. The order of the method for whole curves is measured in [the laboratory](../labs/edm.py), against an exact flow.

# %%


@derivation("What a step of DPM-Solver++(2M) loses to curvature")
def second_order(d):
    bent = h**2 - 2 * h + 2 - 2 * exp(-h)
    d.start(bent, name="curved", words="its first part")
    d.at_most(h**3 / 3, by="exponentials are at most one", because=integral((h - u) ** 2 * (1 - exp(-u)), u, between=(0, h)))

    d.start(integral(exp(-(h - u)) * u**2, u, between=(0, h)) + (1 - exp(-h)) * (r * h) ** 2 / (2 * r))
    d.equals(bent + r * h**2 * (1 - exp(-h)) / 2, by="integrate by parts twice: the curvature is missed, and the answer before is off by it")


# %% [markdown]
# **What it means.** A better method at the same price. It costs one tensor of memory: the last guess.
#
# **Try it.** One exact network, one number of calls, and several solvers. At four calls none is good; at eight the memory already pays.
#
# {{ explorer solvers }}
#
# ## Correct the step when the next answer comes { .advanced }
#
# The network is asked at the new place anyway, for the next step. That answer also tells how well the step before went. *UniPC* [@zhao2023unipc] uses it: predict as above; ask at the predicted place; put a parabola through the new answer and the two before it, and do the step again with that. The next step starts from the corrected place, but the network is not asked
# there: the answer at the predicted place serves. So the price is the same, one call a step.
#
# Places are counted in units of the step here: $-r$ is the answer before, 0 the start, 1 the end. $I_n$ is what the exact integral gives for the power $n$. The three weights $w_s$, $w_t$ and $w_u$ of the answers at $1$, $0$ and $-r$ integrate every parabola exactly: a constant (`edm.corrected[constant]`), the power $u$ (`edm.corrected[slope]`) and the power $u^2$, hence all sums of them.
#
# `edm.corrected[carried]` is worth knowing when one writes it: predicted and corrected place differ by a sum of answers, so it is enough to carry the *predicted* place, and UniPC is a multistep method with one more answer in its memory. There $\rho$ is the factor of the next step, $y$ the predicted place, and $p$ and $c$ with their indices are coefficients of predictor and corrector.
#
# In code: `genmath.samplers.UniPC`.

# %%


@derivation("UniPC's corrector")
def corrected(d):
    I_0 = define("I_0", 1 - exp(-h))
    I_1 = define("I_1", 1 - I_0 / h)
    I_2 = define("I_2", 1 - 2 * I_1 / h)
    w_s = define("w_s", (I_2 + r * I_1) / (1 + r))
    w_u = define("w_u", (I_2 - I_1) / (r * (1 + r)))
    w_t = define("w_t", I_0 - w_s - w_u)

    y, new, old = reals("y D_s D_t")
    rho, c_s, c_t, p_t, p_s, p_u = reals("rho c_s c_t p_t p_s p_u")
    fixed = define("x_s", y + c_s * new + (c_t - p_t) * old)
    d.start(rho * fixed + p_s * new + p_u * old, name="carried", words="the next place, from the predicted one")
    d.equals(rho * y + (rho * c_s + p_s) * new + (rho * (c_t - p_t) + p_u) * old, by="collect the answers")

    d.start(w_s + w_t + w_u, name="constant", words="a constant guess")
    d.equals(integral(h * exp(-h * (1 - u)), u, between=(0, 1)), by="the weights add up to what all answers together count")
    d.start(w_s - r * w_u, name="slope", words="a guess that changes at an even pace")
    d.equals(integral(h * exp(-h * (1 - u)) * u, u, between=(0, 1)), by="integrate by parts once")
    d.start(w_s + r**2 * w_u)
    d.equals(integral(h * exp(-h * (1 - u)) * u**2, u, between=(0, 1)), by="integrate by parts twice")


# %% [markdown]
# **What it means.** A parabola instead of a line, at no price. The paper calls the method of this section UniPC of order 2; measured, its error falls with the third power of the step. The gain is largest where steps are short. With five or six steps the answer at the predicted place may be too far off to help.
#
# ## Heun's method, as EDM has it
#
# EDM itself asks twice a step. On its path the velocity in $\sigma$ is $(x - D)/\sigma$. *Heun's method* takes an Euler step as a trial, asks again at its end, and goes back to take the step with the *mean* of both velocities.
#
# {{ picture edm.heun }}
#
# !!! example "By hand"
#
#     The numbers from above: $\sigma$ from 2 to 1, $x = 1.5$ and $D = 0.4$. The velocity is $(1.5 - 0.4)/2 = 0.55$, and Euler comes to $0.95$, as DDIM did. There let the network answer $0.55$: the velocity is $0.40$. With the mean, $0.475$, the step ends at $1.025$.
#
# Let $F$ be the curve as a function of time, from $t$ over a step $h$. `edm.heun[euler]` is what Euler's step misses, `edm.heun[trapezoid]` what is missed if both slopes are known: one power of $h$ more. Heun's second slope is not known exactly, it is asked at the end of Euler's step. That place is off by something of second order, so the slope is, and
# times $h$ it is of third order again. On the simplest ODE, whose velocity is the place itself, the last chain has all of it: one step of Heun multiplies by $1 + h + h^2/2$, the curve by $e^h$.

# %%


@derivation("What Euler's and Heun's steps miss")
def heun(d):
    d.start(F(t + h) - F(t) - h * F.prime(t), name="euler", words="Euler's method")
    d.equals(integral((h - u) * diff(F.prime(t + u), u), u, between=(0, h)), by="by parts: the slope's change, for the time that is left")
    d.start(F(t + h) - F(t) - h / 2 * (F.prime(t) + F.prime(t + h)), name="trapezoid", words="the mean of the two true slopes")
    d.equals(-integral(u * (h - u) / 2 * diff(diff(F.prime(t + u), u), u), u, between=(0, h)), by="by parts twice")

    d.start(exp(h) - (1 + h + h**2 / 2))
    d.equals(integral((h - u) ** 2 / 2 * exp(u), u, between=(0, h)), by="the remainder of the Taylor series")


# %% [markdown]
# **What it means.** Heun buys an order with a second call. 2M gets it with memory. At equal calls Heun has only half as many steps, twice as long, so for a smooth ODE memory is often the better bargain. EDM's last step, to $\sigma = 0$, is Euler's: there the velocity cannot be asked. In code: `genmath.samplers.Heun` on a `genmath.paths.EDMPath`.
#
# ## Where to put the levels
#
# {{ picture edm.levels }}
#
# The levels of a sampler go from $\sigma_{\max}$ down to $\sigma_{\min}$, and then to zero. EDM takes levels whose $\rho$-th *roots* are evenly spaced, and $\rho = 7$. Let $u$ from 0 to 1 say where a level stands in the list, and let $A$ and $B$ be the $\rho$-th roots of $\sigma_{\max}$ and $\sigma_{\min}$. `edm.rho_grid` says how fast the level changes with $u$, so how long a step is, if there are many: $\sigma^{1 - 1/\rho}$ times a constant.
#
# With $\rho = 1$ all steps are alike, and nearly all are wasted on high noise. As $\rho$ grows, the steps become proportional to the level itself: the levels become evenly spaced in their *logarithms*, which are even steps of the clock $\lambda$. For let $\eta$ stand for $1/\rho$, $a$ for $\log \sigma_{\max}$ and $b$ for $\log \sigma_{\min}$. The logarithm of a level is $\log(\dots)/\eta$, with the logarithm in `edm.rho_grid[geometric]`; that is 0 at $\eta = 0$, so the quotient tends to its slope there, and
# at $\eta = 0$ the slope is $(1 - u)\,a + u\,b$.
#
# In code: `genmath.paths.rho_levels`.

# %%


@derivation("Levels with evenly spaced roots")
def rho_grid(d):
    A, B, rho = positives("A B rho")
    place = fractions("u")
    low, high, eta = reals("b a eta")
    mixture = (1 - place) * exp(eta * high) + place * exp(eta * low)
    d.start(diff(log(mixture), eta), name="geometric", words="for large roots: the logarithm of a level")
    d.equals(((1 - place) * exp(eta * high) * high + place * exp(eta * low) * low) / mixture, by="the chain rule: a mean of the two logarithms")

    level = define("sigma", ((1 - place) * A + place * B) ** rho)
    d.start(diff(level, place))
    d.equals(rho * (B - A) * level ** (1 - 1 / rho), by="the chain rule; one power less is the level over its root")


# %% [markdown]
# **What it means.** $\rho$ says how much of the work is done near the data. Why 7? It is found by trial, not derived. The right spacing depends on the solver: an exponential integrator is exact where the guess does not change, so it needs few levels at high noise.
#
# ## Churn: throw noise in, take it out again
#
# A deterministic sampler keeps its errors. Fresh noise can make it forget them: why, is argued in words below. EDM adds it in small doses, called *churn*: before a step, noise lifts the level from $\sigma$ to $\hat\sigma = (1 + \gamma)\sigma$. Then the solver goes from $\hat\sigma$ to the next level.
#
# {{ picture edm.churn }}
#
# !!! example "By hand"
#
#     $\sigma = 1$ and $\gamma = 0.2$: $\hat\sigma = 1.2$. The variance has to grow from 1 to $1.44$, so the fresh noise has the variance $0.44$ and the standard deviation $0.663$, much more than the $0.2$ by which the level has grown.
#
# `edm.churn[marginal]`: the point is then distributed as a point of level $\hat\sigma$ should be, for any data point. The amount is $\gamma = \min(S/N, \sqrt 2 - 1)$, where $S$ is a setting and $N$ the number of steps. `edm.churn[cap]` is the cap, with $S$ for $S/N$, and `edm.churn_cap` shows where the strange number comes from: the variance at most doubles, so there is never more fresh noise than old.
#
# What does churn do? Let the step after it lead back to $\sigma$. With the noise $\hat\epsilon$ that the network guesses at $\hat\sigma$, the step subtracts $(\hat\sigma - \sigma)\hat\epsilon$ from the point. Since the score is $-\hat\epsilon/\hat\sigma$, this adds $\tau$ times the score, with $\tau$ half the fresh variance, up to a
# term of second order (`edm.churn`). Fresh noise of variance $2\tau$ and a drift of $\tau$ times the score: a step of *Langevin dynamics* (`score.langevin`), which pulls a point that has strayed back to where the density is.
#
# In code: `genmath.samplers.Churn` around one of the deterministic samplers of single steps.

# %%


@derivation("Churn keeps the marginals")
def churn(d):
    grow = positives("gamma")
    setting = nonnegatives("S")
    lifted = define("sigma_hat", (1 + grow) * sigma)
    d.start(integral(Normal(xs, xt, lifted**2 - sigma**2) * Normal(xt, x0, sigma**2), xt), name="marginal", words="the level that it claims to have")
    d.equals(Normal(xs, x0, lifted**2), by="variances of independent noises add up")

    d.start(setting - positive_part(setting - (sqrt(2) - 1)), name="cap", words="the cap")
    d.at_most(sqrt(2) - 1, by="the smaller of two numbers", because=positive_part(sqrt(2) - 1 - setting))

    tau = define("tau", (lifted**2 - sigma**2) / 2)
    d.start((lifted - sigma) * lifted)
    d.equals(tau + (lifted - sigma) ** 2 / 2, by="a product as a difference of squares")

    d.slip(
        "smea-churn-max",
        wrong=setting + positive_part(sqrt(2) - 1 - setting) <= sqrt(2) - 1,
        right=setting - positive_part(setting - (sqrt(2) - 1)) <= sqrt(2) - 1,
        because=positive_part(sqrt(2) - 1 - setting),
        source="Koishi-Star/Euler-Smea-Dyn-Sampler issue #11",
        why="The larger number was taken where the cap wants the smaller. So noise was added even with the setting 0, and without a cap for a large one; pictures came out with striped noise.",
    )


# %%
@derivation("The largest dose")
def churn_cap(d):
    grow = nonnegatives("gamma")
    d.given_that(grow <= sqrt(2) - 1)
    d.start((1 + grow) ** 2 - 1)
    d.at_most(1, by="the variance is at most doubled", because=(sqrt(2) - 1 - grow) * (1 + grow + sqrt(2)))


# %% [markdown]
# **What it means.** With an exact network and enough steps churn does nothing but cost: the marginals are right anyway. With a trained one it repairs. How much of it is best, is a matter of trial; EDM's best settings have none for small pictures (CIFAR-10) and some for those of ImageNet.
#
# ## What the results do not say
#
# - The three demands are about sizes *on average*, over one coordinate and one level. They do not say that the network finds its target easy.
# - `edm.least` chooses the best share among *linear* ones. That the network's error is independent of the share is assumed, not proved.
# - `edm.second_order`, with the shortcut, is about one step, for a guess that is a parabola in $\lambda$ along the true curve. That errors of single steps add up to one order less needs a bound on how fast the ODE drives curves apart. It is said in words here, and measured.
# - Nothing says that a method of higher order is better at *five* steps. Order is about many steps.
# - Not proved at all: that $\rho = 7$, $\sigma_d = 0.5$, $\log(\sigma)/4$ or $\gamma = 5$ are good. They are found by trial, on pictures.
#
# ## Where sources slip
#
# Beside the derivations stand `hf-minsnr-v` at Min-SNR, `af3-loss-weight` at EDM's weight, `kdiffusion-2m-h-last` at the multistep method and `smea-churn-max` at churn. One more is no formula:
#
# - `physicsnemo-sigma-data`: in NVIDIA/physicsnemo (PR #1534) the loss was told $\sigma_d$, and the network kept its default of $0.5$. Scales and weight then belong to different data. Here the loss takes $\sigma_d$ from the network, so there is one number.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - The squared error of the noise is SNR times that of the data, that of $v$ is SNR + 1 times it (`edm.errors`; for $v$ on a variance-preserving path). A weight belongs to one of them.
#     - Three demands: input of size 1, target of size 1, least amplification. Together they give $c_{\mathrm{in}}$, $c_{\mathrm{out}}$ and $c_{\mathrm{skip}}$ (`edm.scaled`, `edm.least`), and the weight is $1/c_{\mathrm{out}}^2$ (`edm.weight`).
#     - On a variance-preserving path with data of variance 1 this is $v$-prediction (`edm.same_as_v`).
#     - In $\lambda = \log(\alpha/\sigma)$ the exact step is a known factor times the place, plus an integral of the guesses with known exponential weights (`edm.exact`). A constant guess: DDIM. A line through the last two: DPM-Solver++(2M). A parabola with the next one: UniPC.
#     - DDIM loses something of second order in a step, 2M of third (`edm.first_order`, `edm.second_order`).
#     - Churn adds noise of variance $\hat\sigma^2 - \sigma^2$ and keeps the marginals (`edm.churn`).
#
# ## Questions
#
# ??? question "A network predicts the noise with the plain squared error. Which weight has the error of the data?"
#
#     $\mathrm{SNR}$, by `edm.errors`. It is huge near the data: at $\sigma = 0.01$ it is ten thousand.
#
# ??? question "Why does Min-SNR for $v$ go to zero at high noise, and is that a fault?"
#
#     It is $\min(\mathrm{SNR}, \gamma)/(\mathrm{SNR} + 1)$, and SNR goes to zero there. Min-SNR gives the data the weight SNR at high noise, as the plain error of the noise does. Somebody who wants the noisiest levels to count has to choose another loss, for instance EDM's, with the weight $\mathrm{SNR} + 1/\sigma_d^2$. Adding 1 inside the minimum is no
#     translation of Min-SNR: see the slip.
#
# ??? question "What does EDM's network say at very high noise, and at very low noise?"
#
#     At high noise $c_{\mathrm{skip}}$ is near 0 and $c_{\mathrm{out}}$ near $\sigma_d$: it says the data over $\sigma_d$. At low noise $c_{\mathrm{skip}}$ is near 1 and $c_{\mathrm{out}}$ near $\sigma$ (for $\alpha = 1$): it says minus the noise.
#
# ??? question "The data are scaled to twice their size, and $\sigma_d$ is left at 0.5. What goes wrong?"
#
#     Input and target are no longer of size 1 at every level: at low noise the input has the size 2, and at high noise the target has. And the free share is no longer the best one. Nothing is *false*: the loss has the same minimiser. It is only learned less well.
#
# ??? question "Why is the last step to clean data of first order in 2M?"
#
#     There $\lambda$ is infinite and so is $h$. A line through the last two guesses, continued to infinity, has no meaning. The step returns the last guess; that is what every solver here does at $\sigma = 0$.
#
# ??? question "The guess of the data is constant along a curve. Which of the methods of this chapter are exact?"
#
#     All exponential integrators, with one step of any length: DDIM, 2M, UniPC. The average of a constant is the constant. Heun's method in $\sigma$ is exact too, since on EDM's path the curve is then a straight line.
#
# ??? question "Ten calls of the network are allowed. How many steps has Heun, and how many has 2M?"
#
#     Heun has five and a bit: two calls a step, but one in the last, so eleven calls make six steps and nine make five. 2M has ten.
#
# {{ spot hf-minsnr-v among edm.weight edm.min_snr[eps] }}
#
# ## References
#
# - [@karras2022elucidating]: the design space; preconditioning (equation 7, table 1, appendix B.6), levels (equation 5), the two samplers (algorithms 1 and 2).
# - [@hang2023minsnr]: Min-SNR.
# - [@salimans2022progressive]: $v$-prediction.
# - [@lu2022dpmsolver], [@lu2022dpmsolverpp]: exponential integrators for the noise, and for the data.
# - [@zhao2023unipc]: predictor and corrector.
# - [@song2021ddim]: DDIM, the method of first order.
