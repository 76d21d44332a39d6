# %% [markdown]
# # Generative adversarial networks
#
# A generator turns noise into samples. Its density may be impossible to evaluate, or may not exist: so how can it be
# trained to match data? Let a second network, the discriminator, try to tell its samples from data, and train the
# generator to make that hard. What does this game measure, what does the generator really follow, and why is the
# game hard to play?
#
# **The answer in a line:** against the best discriminator the game measures the Jensen–Shannon divergence, which is least where
# generator and data agree; but the generator follows a gradient with the discriminator *held fixed*, and which
# divergence that descends depends on its loss.
#
# {{ picture gan.question }}
#
# !!! board "On the board"
#
#     Two players and one value. The discriminator raises it, the generator lowers it: $\min_G \max_D V(D, G)$ with
#
#     {{ define gan.game }}
#
#     For a fixed generator the best discriminator is the share of the data at each place,
#
#     {{ define gan.D_star }}
#
#     and with it the value is the Jensen–Shannon divergence JS, up to two constants (`gan.minimax_value[value]`):
#
#     {{ define gan.C }}
#
#     In practice the generator minimises another loss, which is not flat where samples are rejected, that is where $D$ is near 0:
#
#     {{ define gan.practical_loss }}
#
#     $p$ is the density of the data and $q$ that of the samples. $D$, between 0 and 1, is the probability that $x$ is
#     data; it is the sigmoid of a network's output, its *logit* ($g$ above, $f$ in the last line). A sample is
#     $G(z, \theta)$: the network $G$ with the weights $\theta$, applied to noise $z$ from a density $r$. The mean over a density is $\mathbb{E}$.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Draw a batch of data and as many samples $G(z, \theta)$.
#     2. Discriminator: one gradient step on minus the value, `genmath.gan.discriminator_loss`.
#     3. Generator: fresh noise, discriminator held fixed, one gradient step on `genmath.gan.generator_loss`.
#        The gradient goes through the samples.
#     4. Repeat: `genmath.gan.training_step` does 1 to 3.
#
# !!! sample "Sample"
#
#     1. Draw noise $z$.
#     2. Return $G(z, \theta)$: one call, `genmath.gan.GAN.sample`. The discriminator is thrown away.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - $p$ is the density of the data, $q$ that of the generator. All that is said holds on a continuum, and for finitely many
#   points, too: there $p(x)$ is a probability and an integral is a sum. Where the generator learns, it has a parameter: $q_\theta$. Its samples are $G(z, \theta)$ with noise $z$ from a
#   density $r$. Papers write $p_{\mathrm{data}}$ for $p$, $p_g$ or $p_\theta$ for $q$, and $p_z$ for $r$.
# - $D(x)$, strictly between 0 and 1, is the discriminator's probability that $x$ is data. Networks put out its *logit*
#   $a$, any real number, and $D$ is the sigmoid of $a$. (Some programs call the logit $D$. In the chapter on
#   [Wasserstein distances](wasserstein.py) the output is not a probability at all, and is called a *critic*.)
# - $m = (p + q)/2$ is the mean of the two densities. $\mathrm{JS}$ is the mean of the two KL divergences to it, so it lies
#   between 0 and $\log 2$. $\mathrm{TV}$ is the total variation, $\frac12 \int |p - q|$. See [Divergences](divergences.py) for both.
# - The *forward* KL is $\mathrm{KL}(p \,\Vert\, q)$, which maximum likelihood minimises; the *reverse* KL is $\mathrm{KL}(q \,\Vert\, p)$.
# - The *support* of a density is where it is positive. Two supports are *disjoint* if they have no point in common.
# - $\sigma(a) = 1/(1 + e^{-a})$ is the sigmoid, and $\operatorname{softplus}(a) = \log(1 + e^a)$.
# - No hypothesis on supports is made unless it is printed: either density may vanish where the other does not, which is
#   the usual case for images. Where a density is differentiated in $\theta$ it is positive.
# - Logarithms are natural; expectations that appear are finite.

# %%
from genmath.book import chapter
from genmath.proof import *

divergences = chapter("divergences")

half = number(1) / 2
x, y, z = variables("x y z")
p, q = Density("p", x), Density("q", x)
m = define("m", (p(x) + q(x)) / 2)
g = Function("g")
D = define("D", sigmoid(g(x)))
D_star = define("D_star", p(x) / (p(x) + q(x)))


def value(D):
    """What the discriminator maximises and the generator minimises."""
    return E(p(x), log(D)) + E(q(x), log(1 - D))


game = define("V(D,G)", value(D))


# %% [markdown]
# ## The best discriminator
#
# !!! example "By hand"
#
#     Let there be two pictures only. Data show them with probabilities $0.8$ and $0.2$, the generator with $0.4$ and
#     $0.6$. One sees the first picture: the probability that it is from the data is $0.8/(0.8 + 0.4) = 2/3$. For the
#     second it is $0.2/(0.2 + 0.6) = 1/4$. The best discriminator says these numbers. The value is then
#     $0.8 \log\frac23 + 0.2 \log\frac14 + 0.4 \log\frac13 + 0.6 \log\frac34 \approx -1.214$.
#     The discriminator that always says $\frac12$ has $2 \log \frac12 \approx -1.386$, which is less.
#
# The discriminator maximises the mean log-probability of the right answer, on data and on samples alike
# [@goodfellow2014gan]. At each $x$ separately this is a question about one number, and its answer is the share of the
# data at that place. First look at one $x$: write $u$ for $p(x)$, $v$ for $q(x)$ and $t$ for $D(x)$, and find the best $t$
# (`gan.optimal_discriminator[point]`). Setting a derivative to zero would find a stationary point. We want more: the
# *global* maximum, over all functions at once (`gan.optimal_discriminator[game]`). So look at the *gap*, the value of
# $D^\star$ minus the value of $D$. It is the integral of $p \log(p/b) - p + b$ with $b = (p + q) D$, plus the same with $q$ for
# $p$ and $b = (p + q)(1 - D)$. (Both $b$ add up to $p + q$, so what is
# added cancels.) Neither term is negative, by $\log s \le s - 1$ at $s = b/p$. The gap vanishes only if $D$
# agrees with $D^\star$ wherever $p + q$ is positive. Elsewhere neither data nor samples occur, and the game says nothing
# about $D$.
#
# In code: `genmath.gan.optimal_discriminator`.

# %%
b_p = define("b_p", (p(x) + q(x)) * D)
b_q = define("b_q", (p(x) + q(x)) * (1 - D))
gap_p = define("g_p", p(x) * log(p(x) / b_p) - p(x) + b_p)
gap_q = define("g_q", q(x) * log(q(x) / b_q) - q(x) + b_q)
u, v = positives("u v")
t = fractions("t")
p_pos, q_pos = Density("p", x, positive=True), Density("q", x, positive=True)


@derivation("The best discriminator")
def optimal_discriminator(d):
    c_u, c_v = define("c_u", (u + v) * t), define("c_v", (u + v) * (1 - t))
    gap_u, gap_v = define("h_u", u * log(u / c_u) - u + c_u), define("h_v", v * log(v / c_v) - v + c_v)
    d.start(u * log(t) + v * log(1 - t), name="point", words="at one place")
    d.at_most(u * log(u / (u + v)) + v * log(v / (u + v)), by="$\\log s \\le s - 1$ at $s = c_u/u$ with $c_u = (u + v)\\,t$, and at $s = c_v/v$ with $c_v = (u + v)(1 - t)$", because=gap_u + gap_v)
    d.tight_when(t, u / (u + v))

    d.start(value(D), name="game", words="over all functions at once")
    d.at_most(value(D_star), by="the same at every $x$, with $u = p(x)$ and $v = q(x)$", because=integral(gap_p + gap_q, x))
    d.slip(
        "udl-gan-loss-sign",
        wrong=value(D) >= value(D_star),
        right=-value(D) >= -value(D_star),
        source="UDL errata (2nd/3rd printing) Eq. 15.6, 15.8",
        why="a loss to be minimised is minus the log-likelihood; without the minus signs its minimum is the worst discriminator",
        because=integral(gap_p + gap_q, x),
    )

    best = define("D_star", p_pos(x) / (p_pos(x) + q_pos(x)))
    d.start(log(best / (1 - best)), name="logit", words="its logit")
    d.equals(log(p_pos(x) / q_pos(x)), by="the common denominator cancels")


# %% [markdown]
# **What it means.** A discriminator is a *measuring instrument*: by `gan.optimal_discriminator[logit]` its logit is the
# log-ratio of two densities that nobody could evaluate. This is useful beyond the game, too.
#
# ## The value of the game
#
# Put the best discriminator in. What is left depends on the generator alone: it is Jensen–Shannon, up to two constants.
# Since $0 \le \mathrm{JS} \le \log 2$, it lies between $-\log 4$ and 0.
#
# !!! example "By hand"
#
#     The two pictures again. The mean of $(0.8, 0.2)$ and $(0.4, 0.6)$ is $m = (0.6, 0.4)$. The two KL divergences to it are
#     $0.0915$ and $0.0811$. JS is half of their sum, so $2\,\mathrm{JS} \approx 0.173$. And $-\log 4 \approx -1.386$: indeed
#     $-1.386 + 0.173 = -1.214$ up to rounding, the value found above.
#
# In code: `genmath.gan.discriminator_loss`, which is minus the value. With the logits $\log p/q$ of the best discriminator its
# mean is $\log 4 - 2\,\mathrm{JS}$.

# %%
C = -log(number(4)) + 2 * JS(p(x), q(x))


@derivation("The value of the game")
def minimax_value(d):
    d.start(value(D_star), name="value", words="with the best discriminator")
    d.equals(C, by="$p/(p + q)$ is half of $p/m$, and the halves are $-\\log 2$ for each expectation")
    d.at_least(-log(number(4)), by="JS is half the sum of two KL divergences, to the mean",
               because=(KL(p(x), m) + KL(q(x), m), divergences.kl_nonnegative(p(x), m), divergences.kl_nonnegative(q(x), m)))
    d.tight_when(q(x), p(x))
    d.slip(
        "pytorch-dcgan-lossD",
        wrong=equal(E(p(x), log(D_star)) + E(q(x), log(D_star)), C),
        right=equal(E(p(x), log(D_star)) + E(q(x), log(1 - D_star)), C),
        source="pytorch/tutorials PR #1051, PR #983",
        why="samples of the generator are scored by the probability that they are not data, 1 − D",
    )

    d.start(value(D_star), name="at_most_zero", words="it is never above zero")
    d.at_most(0, by="$\\log(1 + q/p)$ and $\\log(1 + p/q)$ are not negative",
              because=E(p(x), log(1 + q(x) / p(x))) + E(q(x), log(1 + p(x) / q(x))))


# %% [markdown]
# **What it means.** If the discriminator were always the best one, training a GAN would be minimising Jensen–Shannon.
# Nobody can compute that number for two clouds of pictures; the game estimates it, by asking a classifier.
#
# ## When the two ends are reached
#
# {{ picture gan.disjoint }}
#
# *The lower end.* By `gan.equality_cases[least]` the value exceeds $-\log 4$ by at least two integrals of squares, which
# are zero only if $p = m = q$. So *only* a generator that equals the data is at its optimum. And it is: the last step of
# `gan.minimax_value[value]` is an equality at $q = p$. Then $D^\star = \frac12$ everywhere: the discriminator
# can only guess.
#
# *The upper end.* By `gan.equality_cases[greatest]` and `gan.equality_cases[overlap]` the value is below 0 by at least
# $2 \int p q/(p + q)$, and by at most $4 \int \sqrt{p q}$. Both are zero exactly if $p q = 0$ everywhere, that is for
# *disjoint supports*. Then a perfect discriminator exists, and the value is 0 however near or far the two supports are.


# %%
@derivation("When the two ends are reached")
def equality_cases(d):
    d.start(value(D_star), name="least", words="near the least value")
    d.equals(-log(number(4)) + KL(p(x), m) + KL(q(x), m), by="the value of the game")
    d.at_least(-log(number(4)) + integral((sqrt(p(x)) - sqrt(m)) ** 2 + (sqrt(q(x)) - sqrt(m)) ** 2, x),
               by="KL is at least the integral of the squared difference of the two roots (Hellinger)",
               because=2 * E(p(x), log_gap(sqrt(m / p(x)))) + 2 * E(q(x), log_gap(sqrt(m / q(x)))))

    d.start(value(D_star), name="greatest", words="below zero by the overlap, at least")
    d.equals(E(p(x), log(p(x) / (p(x) + q(x)))) + E(q(x), log(q(x) / (p(x) + q(x)))), by="$1 - D^\\star$ is $q/(p + q)$")
    d.at_most(E(p(x), p(x) / (p(x) + q(x)) - 1) + E(q(x), q(x) / (p(x) + q(x)) - 1), by="$\\log s \\le s - 1$",
              because=E(p(x), log_gap(p(x) / (p(x) + q(x)))) + E(q(x), log_gap(q(x) / (p(x) + q(x)))))
    d.equals(-2 * integral(p(x) * (q(x) / (p(x) + q(x))), x), by="both terms are minus the same overlap")

    over_p, over_q = sqrt(1 + q(x) / p(x)), sqrt(1 + p(x) / q(x))
    excess = sqrt(p(x)) + sqrt(q(x)) - sqrt(p(x) + q(x))
    d.start(value(D_star), name="overlap", words="below zero by the overlap, at most")
    d.at_least(-2 * E(p(x), over_p - 1) - 2 * E(q(x), over_q - 1), by="$\\log s \\le s - 1$ at the root $s$ of $1 + q/p$, and of $1 + p/q$",
               because=2 * E(p(x), log_gap(over_p)) + 2 * E(q(x), log_gap(over_q)))
    d.at_least(-4 * integral(sqrt(p(x) * q(x)), x), by="with $a = \\sqrt p + \\sqrt q$ and $c = \\sqrt{p + q}$: $a^2 - ac$ is half of $(a - c)^2$, plus $\\sqrt{pq}$",
               because=integral(excess**2 + 2 * sqrt(p(x) * q(x)), x))


# %% [markdown]
# **What it means.** With disjoint supports there is no gradient to follow: move the samples a little, and neither the
# best discriminator's answers nor the value change. This is the usual case for images. Data and samples both lie on
# surfaces that are thin compared with the space of all pictures, and two thin surfaces hardly meet
# [@arjovsky2017towards]. In practice it helps that the discriminator is *not* the best one: a network that was trained for a
# few steps is smooth, and slopes between the two. The ways out by design are noise on data and samples, a penalty on the
# discriminator's slope (see below), or a distance that sees how far apart the supports are: [Wasserstein](wasserstein.py),
# where `wasserstein.parallel_lines` is an example like the picture, with a proof. The best critic of that distance keeps its
# slope between the supports, so a critic is trained to near its optimum.
#
# ## The two losses of the generator, in the logit
#
# {{ picture gan.losses }}
#
# The game asks the generator to minimise the mean of $\log(1 - D)$ over its samples: the *minimax*, or saturating, loss.
# (A loss *saturates* where it becomes flat.) Early on the discriminator rejects samples with confidence, $D \approx 0$, and
# this loss is flat. The remedy of the same paper [@goodfellow2014gan] is to maximise the mean of $\log D$ instead: the
# *non-saturating* loss $-\log D$. A program does not compute them from $D$. For a logit of large size a computer rounds $D$ to
# exactly 0 or 1, and the logarithm of zero is infinite. It uses softplus of the logit $a$, which is exact for every $a$:
# `gan.logit_losses[minimax_loss]` and `gan.logit_losses[non_saturating_loss]`.
#
# !!! example "By hand"
#
#     A sample is rejected with logit $a = -5$, so $D = 1/(1 + e^5) \approx 0.0067$. The derivative of a loss by $a$ says how
#     hard it pushes the logit. For the minimax loss its size is $D \approx 0.0067$, for the non-saturating loss
#     $1 - D \approx 0.9933$: $e^5 \approx 148$ times harder.
#
# Both derivatives are negative, so both losses push the logit up (`gan.logit_losses[saturating]` and
# `gan.logit_losses[non_saturating]`). They differ in how hard: with weight $D$ or $1 - D$. The non-saturating derivative divided by the minimax one,
# `gan.logit_losses[ratio]`, is $e^{-a}$, which for the best discriminator is $q/p$. The limit of confident rejection, $a \to -\infty$, is in `gan.logit_losses[vanishing]` and
# `gan.logit_losses[remaining]`: the first weight is at most $e^a$, so it vanishes exponentially, while the second is at
# least $1 - e^a$.
#
# In code: `genmath.gan.generator_loss`, with `"minimax"` and `"non_saturating"`.

# %%
a = reals("a")


@derivation("The generator's losses in the logit")
def logit_losses(d):
    d.start(log(1 - sigmoid(a)), name="minimax_loss", words="the minimax loss")
    d.equals(-softplus(a), by="$1 - \\sigma(a)$ is $1/(1 + e^a)$")
    d.slip(
        "cs236-gan-log-inside",
        wrong=equal(-softplus(a), 1 - log(sigmoid(a))),
        right=equal(-softplus(a), log(1 - sigmoid(a))),
        source="deepgenerativemodels/notes commit 8253b61 (gan/index.md)",
        why="the logarithm is of the probability of not being data, 1 − D; it is not 1 minus a logarithm",
    )
    d.start(-log(sigmoid(a)), name="non_saturating_loss", words="the non-saturating loss")
    d.equals(softplus(-a), by="$1/\\sigma(a)$ is $1 + e^{-a}$")

    d.start(diff(-softplus(a), a), name="saturating", words="how hard the minimax loss pushes")
    d.equals(-sigmoid(a), by="the derivative of softplus is the sigmoid: weight $D$")
    d.start(diff(softplus(-a), a), name="non_saturating", words="how hard the non-saturating loss pushes")
    d.equals(-(1 - sigmoid(a)), by="weight $1 - D$")
    d.start(diff(softplus(-a), a) / diff(-softplus(a), a), name="ratio", words="the ratio of the two")
    d.equals(exp(-a), by="$(1 - D)/D$")

    d.start(sigmoid(a), name="vanishing", words="a rejected sample: the first weight vanishes")
    d.at_most(exp(a), by="what is missing is $e^a \\sigma(a)$", because=exp(a) * sigmoid(a))
    d.start(1 - sigmoid(a), name="remaining", words="a rejected sample: the second stays")
    d.at_least(1 - exp(a), by="the same gap", because=exp(a) * sigmoid(a))


# %% [markdown]
# These weights reach the parameter $\theta$ through the sample $G(z, \theta)$, by the chain rule: the weight, times the slope
# $f'$ of the logit at the sample, times how the sample moves with $\theta$. A program that differentiates at *fixed* samples
# leaves out the last factor.
#
# In code: `genmath.gan.training_step`.

# %%
theta = reals("theta")
r = Density("r", z)
f = Function("f")
G = Function("G")
practical_loss = define("L_G", E(r(z), -log(sigmoid(f(G(z, theta))))))


@derivation("The generator's gradient through its samples")
def generator_gradient(d):
    at = define("a", f(G(z, theta)))
    push = f.prime(G(z, theta)) * diff(G(z, theta), theta)
    d.start(diff(E(r(z), log(1 - sigmoid(f(G(z, theta))))), theta), name="minimax", words="of the minimax loss")
    d.equals(-E(r(z), sigmoid(at) * push), by="chain rule, with weight $D$")
    d.start(diff(E(r(z), -log(sigmoid(f(G(z, theta))))), theta), name="non_saturating", words="of the non-saturating loss")
    d.equals(-E(r(z), (1 - sigmoid(at)) * push), by="chain rule, with weight $1 - D$")


# %% [markdown]
# **What it means.** All that the generator learns of the data is the slope of the discriminator at its own samples.
# Where the slope is zero, or where no sample is, it learns nothing.
#
# ## What the generator follows
#
# The generator's step holds the discriminator fixed. Write $\partial$ for the derivative by $\theta$. Let $D_\phi$ be the best
# discriminator for a parameter $\phi$ that stays: only the density that the samples come from is differentiated, by
# $\partial q = q\, \partial \log q$. That is `gan.frozen_gradient[frozen]`. Then put $\phi = \theta$: the discriminator is the best
# one for the present $\theta$, but has not been differentiated.
#
# - `gan.frozen_gradient[minimax]`: the saturating loss has the gradient of $2\,\mathrm{JS}$, that of the game's value. Here it
#   does not matter that $D^\star$ depends on $\theta$, too: it is at the maximum of the value, where a small change of $D$
#   changes nothing to first order.
# - `gan.frozen_gradient[non_saturating]`: the other loss has the gradient of
#   $\mathrm{KL}(q \,\Vert\, p) - 2\,\mathrm{JS}$ [@arjovsky2017towards]: the generator is drawn to where the data are
#   dense, by the reverse KL, and *pushed away* from agreement by $-2\,\mathrm{JS}$. Still $q = p$ is stationary for it: there
#   the gradient is zero.
# - `gan.frozen_gradient[substituted]`: put $D^\star$ into the loss first, and then differentiate all of it. Now the loss is
#   $\mathrm{KL}(q \,\Vert\, p) - \mathrm{KL}(q \,\Vert\, m) + \log 2$: *another function*. By
#   `gan.frozen_gradient[difference]` its gradient has one more term: how $D^\star$ changes as $\theta$ moves. A
#   step that holds the discriminator fixed does not follow this function.

# %%
phi = reals("phi")
data = Density("p", x, positive=True)
family = Density("q_theta", x, given=theta, positive=True)
Q = family(x | theta)
mean = define("m", (data(x) + Q) / 2)
D_phi = define("D_phi", data(x) / (data(x) + family(x | phi)))
D_theta = define("D_star", data(x) / (data(x) + Q))


@derivation("The gradient with the discriminator held fixed")
def frozen_gradient(d):
    score = diff(log(Q), theta)
    d.start(diff(E(Q, -log(D_phi)), theta), name="frozen", words="with a discriminator that stays")
    d.equals(-E(Q, log(D_phi) * score), by="only the density of the samples depends on $\\theta$")

    d.start(E(Q, log(1 - D_theta) * score), name="minimax", words="the minimax loss follows")
    d.equals(diff(2 * JS(data(x), Q), theta), by="what the logarithms in JS add, $p\\,\\partial q/(p + q) + q\\,\\partial q/(p + q)$, integrates to zero")

    d.start(-E(Q, log(D_theta) * score), name="non_saturating", words="the non-saturating loss follows")
    d.equals(E(Q, log(Q / data(x)) * score) - E(Q, log(1 - D_theta) * score), by="$(1 - D^\\star)/D^\\star$ is $q/p$")
    d.equals(diff(KL(Q, data(x)) - 2 * JS(data(x), Q), theta), by="the gradient of a KL, and the part before")

    d.start(E(Q, -log(D_theta)), name="substituted", words="another function: the best discriminator put in")
    d.equals(KL(Q, data(x)) - KL(Q, mean, over=x) + log(number(2)), by="$-\\log D^\\star$ is $\\log(q/p) - \\log(q/m) + \\log 2$")

    d.start(diff(E(Q, -log(D_theta)), theta) - (-E(Q, log(D_theta) * score)), name="difference", words="what its gradient has more")
    d.equals(E(Q, (1 - D_theta) * score), by="the derivative of $-\\log D^\\star$ by $\\theta$ is that of $\\log(p + q)$, which is $(1 - D^\\star)\\, \\partial \\log q$")


# %% [markdown]
# {{ picture gan.modes }}
#
# **What it means.** The two losses have the same best answer, $q = p$, for a generator that can do everything. One that
# cannot has to choose. In the picture it may only be one normal density. For Jensen–Shannon itself the choice makes little
# difference: its best normal is nearly that of maximum likelihood, with $\mathrm{JS} \approx 0.145$, and the larger peak alone
# has $0.163$. What the non-saturating loss follows prefers the one peak.
#
# {{ explorer discriminator }}
#
# ## A game that is not this one { .advanced }
#
# Let the discriminator minimise its *error rate* instead: with data and samples equally frequent, half the mean of $1 - D$
# over data and of $D$ over samples. Its best answer is a plain decision, 1 where data are denser; the least error is
# $\tfrac12(1 - \mathrm{TV})$. So this game measures total variation, not Jensen–Shannon. The generator *maximises* this
# error, as it wants to be mistaken for data: the most it can reach is $\tfrac12$, pure guessing, at $q = p$.
#
# In code: `genmath.gan.error_rate`.

# %%
decide = Function("D")
larger = indicator(p(x) > q(x))


def error(D):
    return (E(p(x), 1 - D) + E(q(x), D)) / 2


@derivation("The game of the error rate")
def error_game(d):
    d.given_that(decide(x) >= 0)
    d.given_that(decide(x) <= 1)
    more, less = positive_part(p(x) - q(x)), positive_part(q(x) - p(x))
    least = (1 - TV(p(x), q(x))) / 2
    d.start(error(decide(x)), name="least_error", words="no discriminator errs less")
    d.at_least(least, by="$D$ errs by $1 - D$ of what $p$ has more, and by $D$ of what $q$ has more",
               because=integral(more * (1 - decide(x)) + less * decide(x), x) / 2)
    d.start(error(larger), name="attained", words="a decision attains it")
    d.equals(least, by="1 where $p$ is larger, 0 elsewhere")
    d.slip(
        "notes-gan-error-game",
        wrong=equal(error(larger), (1 - JS(p(x), q(x)) / log(number(2))) / 2),
        right=equal(error(larger), least),
        source="homework essay on generative models, GAN section",
        why="A discriminator scored by how often it errs measures total variation. Jensen–Shannon is another number, even where both are "
        "scaled to agree at the two ends, equal and disjoint densities.",
    )
    d.start(least, name="generator", words="the most that a generator can reach")
    d.at_most(half, by="total variation is not negative", because=TV(p(x), q(x)) / 2)
    d.tight_when(q(x), p(x))
    d.slip(
        "notes-gan-generator-minimises-error",
        wrong=least >= half,
        right=least <= half,
        source="homework essay on generative models, GAN section",
        why="The discriminator wants few errors, the generator many. Where the generator matches the data even the best discriminator errs "
        "half of the time, and more is not to be had: the generator maximises.",
        because=TV(p(x), q(x)) / 2,
    )


# %% [markdown]
# **What it means.** A judge who may only say yes or no gives the generator a flat landscape: where densities do not
# overlap he never errs, and a small move changes nothing. At its best the generator leaves him tossing a coin.

# %% [markdown]
# ## Least squares { .advanced }
#
# Regress on labels instead: $s$ for data, $t$ for samples, by squared error [@mao2017least]. The best answer is the mean
# label at each place, $s D^\star + t\,(1 - D^\star)$ (`gan.least_squares[best]`, where $g$ is the answer). Take the labels 1 and −1, and a
# generator that wants the answer 0. The squared error about 0 (half over data, half over samples) is then, at the best answer, $\int (q - m)^2/m$, which is Pearson's $\chi^2$ of $q$ against $m$
# (`gan.least_squares[pearson]`).
#
# What the generator *follows* is, once more, another gradient. With labels 1 and 0, and a generator that wants 1,
# `gan.least_squares[frozen]` says which: that of $\mathrm{KL}(p \,\Vert\, m)$ minus a quarter of the $\chi^2$ of $p$ against $m$.
#
# In code: `"least_squares"` in `genmath.gan.discriminator_loss` and `genmath.gan.generator_loss`, with labels 1 and 0.

# %%
label_p, label_q = reals("s t")


def squared(D, for_p, for_q):
    return (E(p(x), (D - for_p) ** 2) + E(q(x), (D - for_q) ** 2)) / 2


@derivation("The least-squares game")
def least_squares(d):
    answer = label_p * D_star + label_q * (1 - D_star)
    d.start(squared(g(x), label_p, label_q), name="best", words="the best answer")
    d.at_least(squared(answer, label_p, label_q), by="squares about a mean: the excess is the squared distance to it",
               because=E(p(x), (g(x) - answer) ** 2) / 2 + E(q(x), (g(x) - answer) ** 2) / 2)

    signed = D_star - (1 - D_star)
    chi2 = (E(p(x), (q(x) / m - 1) ** 2) + E(q(x), (q(x) / m - 1) ** 2)) / 2
    d.start((E(p(x), signed**2) + E(q(x), signed**2)) / 2, name="pearson", words="the value is a Pearson divergence")
    d.equals(chi2, by="$D^\\star$ is $1 - q/(2m)$, and $m$ is the mean of $p$ and $q$")
    d.at_least(0, by="a mean of squares", because=chi2)
    d.tight_when(q(x), p(x))

    score = diff(log(Q), theta)
    d.start(E(Q, (D_theta - 1) ** 2 / 2 * score), name="frozen", words="what the generator follows")
    d.equals(diff(KL(data(x), mean, over=x) - integral((data(x) - mean) ** 2 / mean, x) / 4, theta),
             by="the two sides differ by a multiple of $\\partial q$, which integrates to zero")


# %% [markdown]
# **What it means.** The loss decides which divergence is played for. A squared error still pulls at samples which a
# discriminator is sure of, where the sigmoid of the first game has gone flat.

# %% [markdown]
# ## Any f-divergence { .advanced }
#
# In this section $f$ is a convex function with $f(1) = 0$, and no longer the logit. Its *f-divergence* is the mean of $f(p/q)$
# under $q$; KL, JS and TV are of this kind. The *conjugate* is $f^*(t) = \sup_u\, (t u - f(u))$, so that $f(u) \ge t u - f^*(t)$ for all
# $u$ and $t$ (Fenchel's inequality). This turns every f-divergence into a game [@nowozin2016fgan]. Any function $T$ of $x$,
# called a critic, gives a lower bound: `gan.fgan[bound]`. The discriminator's task is to raise it, and its maximum is the divergence
# (`divergences.fenchel_bound`; that chapter lists the functions $f$). The best
# critic is $f'(p/q)$. For Jensen–Shannon, with the paper's $f$, that is a *logarithm*: `gan.fgan[js_critic]`. By
# `gan.fgan[frozen]` the generator's gradient at the best critic is that of the divergence, for every convex $f$. There
# $u = p/q$, and the conjugate $f^*$ at the slope $f'(u)$ is $u f'(u) - f(u)$.
#
# In code: the same two losses, with the name of an f-divergence of `genmath.divergences`. Their critic is $f'(e^a)$ for the network's
# output $a$. So for every divergence the best output is $a = \log p/q$.

# %%
convex = Function("f", convex=True)
T = Function("T")
p_on, q_on = Density("p", x), Density("q", x, dominates=Density("p", x))
s = positives("u")


@derivation("f-GAN")
def fgan(d):
    d.start(E(q_on(x), convex(p_on(x) / q_on(x))), name="bound", words="every critic gives a lower bound")
    d.at_least(E(p_on(x), T(x)) - E(q_on(x), convex.conjugate(T(x))), by="Fenchel's inequality at every $x$",
               because=E(q_on(x), fenchel_gap(convex, p_on(x) / q_on(x), T(x))))

    js_f = s * log(s) - (s + 1) * log((s + 1) / 2)
    d.start(diff(js_f, s), name="js_critic", words="the best critic for Jensen–Shannon")
    d.equals(log(2 / (1 + 1 / s)), by="the derivatives of the two outer factors cancel")
    d.slip(
        "pml2-jsd-critic-log",
        wrong=equal(diff(js_f, s), 2 / (1 + 1 / s)),
        right=equal(diff(js_f, s), log(2 / (1 + 1 / s))),
        source="probml/pml2-book issue #311 (Table 26.2)",
        why="The best critic is the slope of f at the ratio of the densities. For Jensen–Shannon that slope is a logarithm, and the "
        "logarithm was left out.",
    )

    ratio = define("u", p(x) / Q)
    score = diff(log(Q), theta)
    d.start(diff(E(Q, convex(p(x) / Q)), theta), name="frozen", words="what the generator follows")
    d.equals(-E(Q, (ratio * convex.prime(ratio) - convex(ratio)) * score), by="$\\partial u$ is $-u\\, \\partial \\log q$")


# %% [markdown]
# **What it means.** Every f-divergence has its game: a critic's gain bounds it from below, and the best critic is the
# slope of $f$ at the ratio of the densities. Games differ in how hard they pull where that ratio is very large or
# very small.

# %% [markdown]
# ## Labels, and pairs { .advanced }
#
# Give generator and discriminator a label $y$, for example the class of a picture [@mirza2014conditional]. The generator has the
# density $q(x \mid y)$. If the labels that the generator is asked for are
# as frequent as in the data, the game is the one above on pairs, and its value an average, over labels, of
# Jensen–Shannon between the *conditional* densities. So it is least only where each class is right.
# `gan.conditional[projection]`: the best logit splits into a part that asks "does $x$ show $y$?" and one that asks "is $x$
# real?" [@miyato2018cgans].
#
# The game on pairs $(x, z)$ is also how an encoder is trained without a reconstruction loss: one player draws $x$ from data
# and encodes it with the density $e(z \mid x)$, the other draws $z$ from $r$ and generates with $q(x \mid z)$: `gan.bigan`
# [@donahue2017adversarial]. At the optimum the joint densities agree. Let encoder and generator be deterministic maps,
# $E_\phi$ (no mean here) and $G_\xi$, with the parameters $\phi$ and $\xi$. Then they invert each other: $G_\xi(E_\phi(x)) = x$. Each map
# has its own parameters (in `pml2-bigan-indices` they were swapped).
#
# In code: `genmath.nets.Discriminator` and `genmath.nets.Generator`, with `classes`.

# %%
pair = Density("p", x, y)
made = Density("q", x, given=y)
both = define("q(x,y)", made(x | y) * pair(y))
D_pair = define("D", sigmoid(g(x, y)))
D_pair_star = define("D_star", pair(x, y) / (pair(x, y) + both))
pair_pos, made_pos = Density("p", x, y, positive=True), Density("q", x, y, positive=True)


def pair_value(D):
    return E(pair(x, y), log(D)) + E((pair(y), made(x | y)), log(1 - D))


@derivation("The conditional game")
def conditional(d):
    c_p, c_q = define("b_p", (pair(x, y) + both) * D_pair), define("b_q", (pair(x, y) + both) * (1 - D_pair))
    h_p = define("g_p", pair(x, y) * log(pair(x, y) / c_p) - pair(x, y) + c_p)
    h_q = define("g_q", both * log(both / c_q) - both + c_q)
    d.start(pair_value(D_pair), name="best", words="the value of the game on pairs")
    d.at_most(pair_value(D_pair_star), by="the best discriminator, of pairs", because=integral(h_p + h_q, x, y))
    d.equals(-log(number(4)) + 2 * E(pair(y), JS(pair(x | y), made(x | y))), by="the density of the labels cancels in $D^\\star$")

    d.start(log(pair_pos(x, y) / made_pos(x, y)), name="projection", words="the best logit splits")
    d.equals(log(pair_pos(y | x) / made_pos(y | x)) + log(pair_pos(x) / made_pos(x)), by="product rule, for both densities")


encoder, decoder, prior = Density("e", z, given=x), Density("q", x, given=z), Density("r", z)


@derivation("The game on pairs of data and code")
def bigan(d):
    coded, drawn = define("p(x,z)", encoder(z | x) * p(x)), define("q(x,z)", decoder(x | z) * prior(z))
    best = define("D_star", coded / (coded + drawn))
    d.start(E((p(x), encoder(z | x)), log(best)) + E((prior(z), decoder(x | z)), log(1 - best)))
    d.equals(-log(number(4)) + 2 * JS(coded, drawn, over=(x, z)), by="`gan.minimax_value`, with pairs for $x$")


# %% [markdown]
# **What it means.** A discriminator that sees pairs makes the generator get both parts right *together*: the digit
# that goes with the label, the code that goes with the picture. Nothing about the game itself is new.

# %% [markdown]
# ## A mode that is missed
#
# {{ picture gan.price }}
#
# A *mode* is a peak of the density, here: one kind of picture. *Mode collapse* is the name for a generator that makes only a
# few kinds of pictures, and makes them well. Why does the game allow this? In this section $r$ and $s$ are the densities of
# two kinds of data ($r$ is no noise), and $\pi$ is the share of the first. So the data are a mixture, $p = \pi r + (1 - \pi) s$. Let the generator
# make only the first part, perfectly: $q = r$. What does that cost?
#
# !!! example "By hand"
#
#     One picture in ten is a cat, and the generator never makes one: $\pi = 0.9$. Reverse KL: $-\log 0.9 \approx 0.105$.
#     Total variation: $0.1$. Jensen–Shannon: $0.036$, a twentieth of its maximum $\log 2$. Forward KL: infinite, since
#     cats occur and the model says that they cannot.
#
# Each line below is exact, with or without overlap of $r$ and $s$. What the overlap changes stands apart: $\Delta$ in `gan.missing_mode[js]`,
# the last mean in `gan.missing_mode[reverse_kl]`, and the total variation between $s$ and $r$ in `gan.missing_mode[tv]`. Without
# overlap the first two are zero and the last is one. (The checked densities are positive everywhere, so here "without overlap"
# is a limit.) Then Jensen–Shannon is a number between 0 and $\log 2$ that depends on $\pi$ alone, total variation is
# $1 - \pi$, and the reverse KL is $-\log \pi$.
#
# In code: `genmath.gan.missing_mode_js`.

# %%
share = fractions("pi")
r_mode, s_mode = Density("r", x, positive=True), Density("s", x, positive=True)
mixture = define("p", share * r_mode(x) + (1 - share) * s_mode(x))


@derivation("A generator that misses a mode")
def missing_mode(d):
    odds = (1 - share) * s_mode(x) / r_mode(x)
    overlap = define("Delta", (1 + share) * E(r_mode(x), log(1 + odds / (1 + share))) - share * E(r_mode(x), log(1 + odds / share))
                     + (1 - share) * E(s_mode(x), log(1 + r_mode(x) / mixture)))
    d.start(JS(mixture, r_mode(x), over=x), name="js", words="Jensen–Shannon")
    d.equals((share * log(2 * share / (1 + share)) + (1 - share) * log(number(2)) + log(2 / (1 + share))) / 2 - overlap / 2,
             by="split the data into its two modes and take out of each logarithm what it is without overlap")
    d.start(KL(r_mode(x), mixture, over=x), name="reverse_kl", words="the reverse KL")
    d.equals(-log(share) - E(r_mode(x), log(1 + odds / share)), by="the mixture is $\\pi r\\, (1 + (1 - \\pi)s/(\\pi r))$")
    d.start(TV(mixture, r_mode(x), over=x), name="tv", words="total variation")
    d.equals((1 - share) * TV(s_mode(x), r_mode(x)), by="$p - q$ is $(1 - \\pi)(s - r)$")


# %% [markdown]
# **What it means.** For a rare mode Jensen–Shannon, total variation and the reverse KL are small, so the game hardly punishes that it is missed. And as long as
# the supports are apart these costs do not change when the samples move a little, so nothing tells the generator where
# the missed mode is. Nor can it see it: it learns only from slopes at its own samples.
#
# There is a second kind of collapse, over time. If the discriminator lags, the best that a generator can do against it is
# to put *all* samples where $D$ happens to be largest. The discriminator then learns to reject that place, the generator
# moves all samples to the next, and so on. The order matters: in $\min_G \max_D V$ the discriminator answers the generator,
# in $\max_D \min_G V$ the generator answers a fixed discriminator, and for that a single picture may be enough. Remedies that are used: a discriminator that sees whole batches
# [@salimans2016improved], penalties on its slope, and other distances.
#
# ## Why GAN samples are sharp
#
# Samples of a [VAE](vae.py) blur, those of a GAN do not. Three reasons are usually given.
#
# 1. *A sample is never an average.* A decoder that is trained by a squared error answers with the mean of all pictures
#    that a code may stand for, and the mean of sharp pictures is a blurred one. The generator is a map from noise to
#    pictures, and no loss compares its sample with one particular picture.
# 2. *Samples are judged one by one.* A single blurred sample is easy to reject, so blur costs at once. A missing mode
#    cannot be seen in any single sample.
# 3. *What is followed contains the reverse KL* (`gan.frozen_gradient[non_saturating]`). It is large where samples are and
#    data are not, and small where data are and samples are not; maximum likelihood has it the other way round.
#
# The third is not the whole story. One can play the game for the forward KL, too (`gan.fgan`), and its pictures were as
# realistic [@nowozin2016fgan]. So the kind of model and of discriminator seems to matter more than which divergence it is.
# None of the three is a theorem.
#
# ## How to judge a model without a density
#
# {{ picture gan.judge }}
#
# A VAE reports a bound on its likelihood. A GAN has no density to report, and the losses of the two players are no
# measure: they say who is winning, not how good the samples are. What is done instead compares a set of samples with a
# set of data, in the *features* of a network that was trained to classify.
#
# - **FID**, the Fréchet inception distance [@heusel2017gans]: mean and covariance of the features, for data and for
#   samples, and the squared Wasserstein distance $W_2$ between the two normal densities with these moments, `wasserstein.w2_normal`
#   (`genmath.wasserstein.gaussian_w2_squared`). Small is good. It is biased for few samples, so it is compared for the same
#   number only, usually 50,000.
# - **Inception score** [@salimans2016improved]: the exponential of the mean KL divergence from the classifier's answer for
#   one sample to its mean answer over all. It asks for samples that are recognised and varied; it never looks at the data.
# - **Precision and recall** [@kynkaanniemi2019improved]: the share of samples that lie close to data, and the share of data
#   that lie close to samples. Sharp but collapsed means high precision and low recall, which one number cannot say.
#
# All three are fooled by a generator that has learned the training set by heart: compare with held-out data, and look
# at the nearest training pictures. And good samples, a good likelihood and features that serve other tasks are three different things:
# a model may have any of them without the others [@theis2016note]. What each of these numbers sees, and what it does not,
# is the chapter [Evaluating generative models](evaluation.py).
#
# ## Why the game is hard to play
#
# {{ picture gan.spiral }}
#
# Even with exact gradients two players need not arrive. The smallest example has one number each, $x$ who minimises and $y$
# who maximises the product $x y$. The *equilibrium*, where neither can do better by a move of its own, is the origin. $x$ steps
# against its derivative $y$, and $y$ steps along its derivative $x$. Write $\eta$ for the size of the steps, or $\eta_x$ and $\eta_y$ if
# they differ, and $x'$, $y'$ for the numbers after a step. A GAN with a linear discriminator and a single data point
# is this game near its equilibrium [@mescheder2018which].
#
# !!! example "By hand"
#
#     Start at $(x, y) = (1, 0)$ with steps of size $\frac12$, both at once. $x$ sees $y = 0$ and stays; $y$ sees $x = 1$ and
#     climbs: $(1, 0.5)$. Then $x$ falls by $\frac12 \cdot 0.5$ and $y$ climbs by $\frac12$: $(0.75, 1)$. The squared distances
#     from the origin are $1$, $1.25$ and $1.5625$: each is $1.25 = 1 + (\frac12)^2$ times the one before.
#
# **Both at once.** Each step of size $\eta$ multiplies the distance from the equilibrium by exactly $\sqrt{1 + \eta^2}$,
# `gan.simultaneous_steps[growth]`: the players spiral outwards, however small the step. In the language of eigenvalues: the
# step is a matrix, and its eigenvalues are the roots $\lambda$ of its characteristic polynomial
# (`gan.simultaneous_steps[characteristic]`). They are $1 \pm i\eta$, whose absolute value is $\sqrt{1 + \eta^2}$.
#
# **In turn.** Now $y$ sees the new $x$ (`gan.alternating_steps[step]`). The matrix of the step has determinant 1, which is the
# product of its two eigenvalues, and its trace is $2 - \eta_x \eta_y$. The eigenvalues are the roots of
# `gan.alternating_steps[characteristic]`, a quadratic polynomial with the discriminant `gan.alternating_steps[discriminant]`. That is
# negative exactly for $0 < \eta_x \eta_y < 4$. Then the eigenvalues are a conjugate pair of complex numbers with the product 1, so both have
# absolute value 1: the players stay bounded, and come no nearer. The same without complex numbers: a quadratic form in $x$
# and $y$ is *conserved*, that is, no step changes it (`gan.alternating_steps[conserved]`). Written as a sum of squares, both its coefficients
# are positive exactly for $\eta_x\eta_y < 4$. So all later points stay on one ellipse.
#
# If the product is 4 or more, they leave. Every number from 4 on can be written as $\eta_x\eta_y = (1 + \lambda)^2/\lambda$ with $\lambda \ge 1$
# (here $-\lambda$ is an eigenvalue). A sum of multiples of $x$ and $y$ is multiplied by $-\lambda$ in each step
# (`gan.alternating_steps[beyond]`): for $\lambda > 1$ its size grows without bound, unless it is zero at the start. For a product of
# exactly 4, $\lambda = 1$ and it only changes its sign. But $x$ itself grows: in every two steps it moves by the same amount
# (`gan.alternating_steps[edge]`), which is zero only if that sum was zero at the start.

# %%
eta, eta_x, eta_y = positives("eta eta_x eta_y")
X, Y, lam = reals("x y lambda")
lam_1 = at_least_one("lambda")
X_next = define("x_prime", X - eta_x * Y)
Y_next = define("y_prime", Y + eta_y * X_next)


def form(at_x, at_y):
    return eta_y * at_x**2 - eta_x * eta_y * at_x * at_y + eta_x * at_y**2


@derivation("Simultaneous steps diverge")
def simultaneous_steps(d):
    d.start((X - eta * Y) ** 2 + (Y + eta * X) ** 2, name="growth", words="the distance grows")
    d.equals((1 + eta**2) * (X**2 + Y**2), by="the mixed terms cancel")
    d.start((lam - 1) * (lam - 1) - (-eta) * eta, name="characteristic", words="the characteristic polynomial")
    d.equals((lam - 1) ** 2 + eta**2, by="the determinant of $\\lambda$ minus the step: roots $1 \\pm i\\eta$, whose product is $1 + \\eta^2$")


@derivation("Alternating steps stay bounded for a product below 4")
def alternating_steps(d):
    product_ = eta_x * eta_y
    d.start(Y_next, name="step", words="the second half of a step")
    d.equals(eta_y * X + (1 - product_) * Y, by="$y$ sees the new $x$")
    d.start((lam - 1) * (lam - (1 - product_)) - (-eta_x) * eta_y, name="characteristic", words="the characteristic polynomial")
    d.equals(lam**2 - (2 - product_) * lam + 1, by="trace $2 - \\eta_x \\eta_y$, determinant 1")
    d.start((2 - product_) ** 2 - 4, name="discriminant", words="its discriminant")
    d.equals(-product_ * (4 - product_), by="the trace squared minus four determinants")

    d.start(form(X_next, Y_next), name="conserved", words="what no step changes")
    d.equals(form(X, Y), by="multiply out")
    d.equals(eta_y * (X - eta_x * Y / 2) ** 2 + eta_x * (1 - product_ / 4) * Y**2, by="complete the square")

    large = define("eta_y", (1 + lam_1) ** 2 / (lam_1 * eta_x))
    x_1, y_1 = X_next, define("y_prime", Y + large * X_next)
    d.start(large * x_1 - (1 + lam_1) * y_1, name="beyond", words="a product above 4")
    d.equals(-lam_1 * (large * X - (1 + lam_1) * Y), by="a row vector that the step multiplies by $-\\lambda$")

    four = define("eta_y", 4 / eta_x)
    x_1, y_1 = X - eta_x * Y, Y + four * (X - eta_x * Y)
    d.start(x_1 - eta_x * y_1 - X, name="edge", words="a product of exactly 4")
    d.equals(-4 * (X - eta_x * Y / 2), by="two steps at $\\lambda = 1$; the bracket only changes its sign in each step")


# %% [markdown]
# **What it means.** The gradient of a game turns. Who minimises one function sees its value fall with every small step. For
# two players there is no such function. So a GAN that oscillates need not have a bug, and a small step is
# no cure.
#
# **What helps.** First, look ahead: take a trial step to $(\tilde x, \tilde y)$, and then step from the old point with the gradient
# found there (*extragradient*). The distance is multiplied by the root of $1 - \eta^2 + \eta^4$ in each step
# (`gan.remedies[extragradient]`): less than 1 for every $0 < \eta < 1$.
#
# Second, put friction on the discriminator: a penalty on its gradient at the data [@mescheder2018which], called R1. It is
# $\tfrac\gamma2\, \mathbb{E}\,\Vert\nabla_x a\Vert^2$ for the logit $a$, with a weight $\gamma > 0$. For the linear logit, data $x$ times the
# discriminator's number $y$, that is $\tfrac\gamma2 y^2$ (`gan.remedies[r1]`). Its derivative $\gamma y$ slows $y$ down. The step of both at once then has
# the determinant in `gan.remedies[penalty]`. If the eigenvalues are a complex pair, the square of their absolute value is this
# determinant, and it is below 1 exactly for $\gamma > \eta$.
#
# In code: `genmath.gan.bilinear_orbit` for the game, `genmath.gan.r1_penalty` for the penalty.

# %%
gamma = positives("gamma")


@derivation("Two remedies in the bilinear game")
def remedies(d):
    x_try, y_try = define("x_tilde", X - eta * Y), define("y_tilde", Y + eta * X)
    d.start((X - eta * y_try) ** 2 + (Y + eta * x_try) ** 2, name="extragradient", words="looking ahead")
    d.equals((1 - eta**2 + eta**4) * (X**2 + Y**2), by="multiply out")

    d.start(1 * (1 - eta * gamma) - (-eta) * eta, name="penalty", words="friction: the determinant of a step")
    d.equals(1 - eta * (gamma - eta), by="the determinant of the step with friction $\\eta\\gamma$ on $y$")

    d.start(gamma / 2 * E(p(x), diff(Y * x, x) ** 2), name="r1", words="friction comes from a gradient penalty")
    d.equals(gamma * Y**2 / 2, by="the slope of the logit $y x$ is $y$, at every $x$")
    d.slip(
        "labml-r1-square",
        wrong=equal(gamma / 2 * E(p(x), absolute(diff((Y * x) ** 2, x))), gamma * Y**2 / 2),
        right=equal(gamma / 2 * E(p(x), absolute(diff(Y * x, x)) ** 2), gamma * Y**2 / 2),
        source="labml_nn/gan/stylegan/__init__.py",
        why="The penalty is the squared length of a gradient. Here the discriminator was squared first and its gradient taken then, which "
        "is something else.",
    )


# %% [markdown]
# **What it means.** With both remedies the players spiral inwards. Looking ahead with $\eta = 0.5$ leaves 81 % of the
# squared distance after each step; friction, as long as the two eigenvalues are complex, works
# where it is stronger than the step is long.

# %% [markdown]
# {{ explorer game }}
#
# ## Disagreement of classifiers { .advanced }
#
# Jensen–Shannon also scores how much several classifiers disagree on one input, for example to select which synthetic
# images to label. It is the entropy of their mean *probability* minus the mean of their entropies
# (`divergences.js_entropy`). Here are two classifiers with two classes and the logits $a$ and $b$: their probabilities of the first
# class are $c_1 = \sigma(a)$ and $c_2 = \sigma(b)$, with the mean $c$. If one averages the logits instead, one gets another number, which can even be negative.

# %%
b = reals("b")


def coin(prob):
    return -prob * log(prob) - (1 - prob) * log(1 - prob)


def coin_kl(first, second):
    return first * log(first / second) + (1 - first) * log((1 - first) / (1 - second))


@derivation("The disagreement of two classifiers")
def disagreement(d):
    first, second = define("c_1", sigmoid(a)), define("c_2", sigmoid(b))
    mean_prob = define("c", (first + second) / 2)
    split = (coin_kl(first, mean_prob) + coin_kl(second, mean_prob)) / 2
    d.start(split)
    d.equals(coin(mean_prob) - (coin(first) + coin(second)) / 2, by="the terms with the logarithm of the mean add up to its entropy")
    d.slip(
        "datasetgan-js-logits",
        wrong=equal(split, coin(sigmoid((a + b) / 2)) - (coin(first) + coin(second)) / 2),
        right=equal(split, coin(mean_prob) - (coin(first) + coin(second)) / 2),
        source="nv-tlabs/datasetGAN_release issue #27",
        why="To average two classifiers, average their probabilities and then take the entropy. The mean of their logits belongs to "
        "another probability.",
    )


# %% [markdown]
# **What it means.** Classifiers that say the same disagree by 0, whatever it is they say. One that says 0.9 and one
# that says 0.1 disagree by 0.37 nats, of 0.69 at the most.

# %% [markdown]
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - The game: $\min_G \max_D$ of $\mathbb{E}_p \log D + \mathbb{E}_q \log(1 - D)$.
#     - Best discriminator: $D^\star = p/(p + q)$; its logit is $\log p/q$ (`gan.optimal_discriminator`).
#     - With it the value is $-\log 4 + 2\,\mathrm{JS}$, least at $q = p$ (`gan.minimax_value`).
#     - Disjoint supports: the value is 0 wherever the samples are, and there is no gradient (`gan.equality_cases`).
#     - Minimax loss: weight $D$, flat when rejected. Non-saturating loss: weight $1 - D$ (`gan.logit_losses`); it follows
#       $\mathrm{KL}(q \,\Vert\, p) - 2\,\mathrm{JS}$ (`gan.frozen_gradient`).
#     - A missed mode is cheap (`gan.missing_mode`): mode collapse.
#     - The gradient of a game turns: simultaneous steps spiral outwards (`gan.simultaneous_steps`).
#
# ## Questions
#
# ??? question "The discriminator's loss stays at $\log 4 \approx 1.386$. Is that good?"
#
#     It is what the best discriminator has at $q = p$, where it can only say $\frac12$. But one that has learned nothing
#     also says $\frac12$. The loss alone does not tell the two apart.
#
# ??? question "At a place the data are three times as dense as the samples. What does the best discriminator say, and what is its logit?"
#
#     $D^\star = 3/(3 + 1) = 0.75$, and its logit is $\log 3 \approx 1.1$ (`gan.optimal_discriminator[logit]`).
#
# ??? question "Should one train the discriminator to its optimum before each step of the generator?"
#
#     In theory the step with the minimax loss then follows the gradient of $2\,\mathrm{JS}$. But if the supports are disjoint that optimum is flat,
#     and the generator learns nothing (`gan.equality_cases[greatest]`). For a Wasserstein critic the answer is yes.
#
# ??? question "The minimax and the non-saturating loss have their optimum at the same place. Why does it matter which one is used?"
#
#     The way there differs. With $D \approx 0$ the minimax loss pushes with weight $D$, hardly at all
#     (`gan.logit_losses[vanishing]`); and a generator that cannot reach $q = p$ ends elsewhere.
#
# ??? question "A generator makes perfect pictures of nine of ten equally frequent classes. What does the best discriminator say to a sample?"
#
#     Where it makes samples it makes them with $q = p/0.9$, so $D^\star = p/(p + q) = 0.9/1.9 \approx 0.47$: hardly a
#     suspicion. On the tenth class it says 1, but there is no sample there that could feel it.
#
# ??? question "Two players of the bilinear game make steps a tenth as large. Do they arrive now?"
#
#     No. With $\eta = 0.01$ a simultaneous step still multiplies the distance by $\sqrt{1.0001}$; after 1000 steps it is
#     $5\,\%$ larger. They only go round more slowly.
#
# {{ spot cs236-gan-log-inside among gan.logit_losses[non_saturating_loss] gan.logit_losses[ratio] }}
#
# ## What these results do not say
#
# - **The discriminator is never the best one.** It is a network, trained for a few steps on finitely many samples. The value $V$ of one that is not the best gives a lower bound of Jensen–Shannon, $(V + \log 4)/2$, only
#   for expectations: on the samples it was trained on it may exceed it. So the curves of a GAN's losses do not tell how good the samples are.
# - **Frozen and exact.** The generator follows the gradients of `gan.frozen_gradient` only where the discriminator *is* $D^\star$ for the present generator. Whether that descent ends anywhere
#   is another question: the value being least at $q = p$ says nothing about how players get there, and the bilinear game shows that they may not.
# - **Densities.** Where samples of the generator lie on a thin set, $q$ is no density against the base measure of the data. A perfect discriminator then exists, the value is 0, and $\log p/q$ is infinite: the
#   chapter's gradients in $\theta$ need positive densities. Noise on data and samples, or another distance, is the way out.
# - **Local, linear, two numbers.** The bilinear game is the linear part, near equilibrium, of a GAN with one number for each player. Curvature can help or harm, and the bounds for $\eta$ are of this
#   game alone. That eigenvalues of size below one mean convergence nearby, and that a conserved form keeps the players bounded, is argued in prose: the checker has the polynomials and the forms.
# - **A mode that is missed is not proved to occur.** `gan.missing_mode` prices it. That the price is small is one reason among several.
# - **f-GAN needs $q > 0$ wherever $p > 0$**, or an extra term (see Divergences), and critics that may be any function.
#
# ## Where sources slip
#
# Each is refuted with numbers and its correction proved, beside the result it breaks.
#
# - `gan.optimal_discriminator`: a loss without its minus signs (`udl-gan-loss-sign`).
# - `gan.minimax_value`: generated samples scored as if they were data (`pytorch-dcgan-lossD`).
# - `gan.logit_losses`: one minus a logarithm for the logarithm of one minus (`cs236-gan-log-inside`).
# - `gan.error_game`: the game of the error rate taken for that of Jensen–Shannon (`notes-gan-error-game`), and a generator that minimises
#   the error (`notes-gan-generator-minimises-error`).
# - `gan.fgan`: a critic without its logarithm (`pml2-jsd-critic-log`).
# - `gan.remedies`: the square inside the norm of the R1 penalty (`labml-r1-square`).
# - `gan.disagreement`: averaged logits for averaged probabilities (`datasetgan-js-logits`).
#
# Two are no formulas. In notebook 15.1 of UDL (commit 1cf21ea) the generator's gradient was called with data and finished samples in place of the noise and
# $\theta$ (`udl-gan-toy-args`); the right factors are in `gan.generator_gradient`. In a sentence on bidirectional GANs (probml/pml2-book issue #68) the parameters of encoder and generator were
# exchanged (`pml2-bigan-indices`); see `gan.bigan`. That Jensen–Shannon has its halves is in `divergences.js_bounds`.
#
# ## References
#
# - [@goodfellow2014gan]: the game (eq. 1), the best discriminator (proposition 1), the value (theorem 1), the two losses (section 3), steps in turn (algorithm 1).
# - [@arjovsky2017towards]: perfect discriminators on disjoint supports (theorem 2.1), what the non-saturating loss follows (theorem 2.5).
# - [@mao2017least]: the least-squares game, and Pearson's $\chi^2$ (section 3).
# - [@nowozin2016fgan]: f-GAN (eq. 4), its critics (tables 1 and 2).
# - [@mirza2014conditional]: labels.
# - [@miyato2018cgans]: the projection discriminator (section 3).
# - [@donahue2017adversarial]: the game on pairs, with encoder and generator that invert each other.
# - [@radford2016unsupervised]: the convolutional pair, and walks through the latent space.
# - [@mescheder2018which]: the example of one data point (section 2), R1 (eq. 9).
# - [@gidel2019negative]: steps in turn and at once in bilinear games.
# - [@korpelevich1976extragradient]: the step that looks ahead.
# - [@salimans2016improved]: the inception score (section 4), a discriminator that sees whole batches (section 3.2).
# - [@heusel2017gans]: the Fréchet inception distance.
# - [@kynkaanniemi2019improved]: precision and recall of samples.
# - [@theis2016note]: samples, likelihoods and distances may disagree.
