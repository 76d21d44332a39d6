# %% [markdown]
# # Wasserstein distances
#
# Two heaps of sand of the same mass lie on a line, and one is to be moved so that it becomes the other. How much work is that, if a grain costs the way
# that it goes? A divergence compares the two amounts of sand at each place; it does not see how far apart the places are. Think of a generator whose
# samples do not overlap with the data. Whether they are near or far, a divergence such as Jensen–Shannon is the same. The work is not, and it tells which way to go.
#
# **The answer in a line:** the least cost over all couplings (plans of who goes where) equals the most that any function of slope at most one can see: the largest
# difference of its two means. The first is a number to compute, the second is a network to train.
#
# {{ picture wasserstein.question }}
#
# !!! board "On the board"
#
#     The least cost of moving $p$ to $q$, and its *dual*, a greatest value that is the same number:
#
#     $W_1(p, q) = \inf_{\pi}\, \mathbb{E}_{\pi(x, y)}\, |x - y|$, the cheapest plan $\pi$, equals
#     $\sup_{f}\, \mathbb{E}_{p(x)} f(x) - \mathbb{E}_{q(y)} f(y)$, the best critic $f$ of slope at most one:
#     $|f(x) - f(y)| \le |x - y|$.
#
#     The easy half, for every coupling and every critic of slope at most one:
#
#     {{ wasserstein.lipschitz }}
#
#     and what a critic tells a generator:
#
#     {{ wasserstein.generator_gradient }}
#
#     $\pi$ is a coupling: a joint density of $x$ and $y$; it says which mass goes where. Its marginals $\pi(x)$ and $\pi(y)$ are $p$ and $q$. The infimum is over all couplings, the supremum over all
#     functions $f$ of slope at most one; $f$ is called the critic, and $f'$ is its derivative. $G(z, \theta)$ is the generator with the parameter $\theta$, which makes a sample of noise $z$ from the density $r$. The supremum over critics is what a Wasserstein GAN trains [@arjovsky2017wasserstein].
#     That both sides are equal is a theorem; this chapter proves it in the cases named at its end.
#
# ## Notation and hypotheses
#
# - $\pi(x, y)$ is a **coupling**, or plan: a joint density whose marginals are the two densities to compare. Its marginals are written $\pi(x)$ and
#   $\pi(y)$, or $p$ and $q$ where they are given first. How much of the mass at $x$ goes to $y$ is $\pi(y \mid x)$.
# - $c(x, y)$ is the price of a pair, often a distance. $W_1$ is the least mean distance over all couplings, and $W_2$ the root of the least mean
#   squared distance. $W_1$ is measured in the units of $x$, not in nats.
# - A pair of **potentials** for a price is two functions with $f(x) - g(y) \le c(x, y)$ for all $x$ and $y$. If the price is a distance, one function is enough, $g = f$: it is called a
#   potential, or critic, and the condition says that $f$ has slope at most one (it is 1-Lipschitz). What the critic *sees* is the difference of its means, $\mathbb{E}_p f - \mathbb{E}_q f$.
# - Sums and integrals are written alike. What is shown for arbitrary densities also holds for finitely many points with weights, and it holds in many dimensions as on the line.
#   Means that appear are finite. That a best coupling and a best potential *exist* is not shown here.
# - Other names: *earth mover's distance* and *Kantorovich–Rubinstein distance* for $W_1$, *Fréchet distance* for $W_2$ of normal densities; many write $\gamma$ for the plan, and
#   $\|f\|_L \le 1$ for the slope. In the dual of many books the potentials add, $f(x) + g(y) \le c(x, y)$; here the second is subtracted.

# %%
from genmath.proof import *

x, y, z = variables("x y z")
plan = Density("pi", x, y)
p, q = Density("p", x), Density("q", y)
f, g, c = Function("f"), Function("g"), Function("c")
half = number(1) / 2


# %% [markdown]
# ## Couplings
#
# !!! example "By hand"
#
#     Four grains, each a quarter of the mass, lie at $0, 0, 1, 4$ and are wanted at $1, 3, 3, 5$. In order: $0 \to 1$, $0 \to 3$, $1 \to 3$, $4 \to 5$. The mean way is
#     $(1 + 3 + 2 + 1)/4 = 1.75$. If each grain is split and a quarter of it goes to each of the four places, the cost is the mean over all 16 pairs, $2.375$. Another plan leaves the grain at 1 where it is:
#     $0 \to 3$, $0 \to 3$, $1 \to 1$, $4 \to 5$ costs $1.75$, too. A best plan need not be unique.
#
# A coupling says who goes where, so its *marginals* are what is prescribed: all that leaves $x$ is what lies there, and all that arrives at $y$ is
# what belongs there. There is always one, the independent coupling $p(x)\, q(y)$: everything is spread over everything.


# %%
@derivation("The marginals of a coupling")
def couplings(d):
    d.start(integral(plan(x, y), y), name="leaves", words="what leaves")
    d.equals(plan(x), by="all that leaves $x$")
    d.start(integral(plan(x, y), x), name="arrives", words="what arrives")
    d.equals(plan(y), by="all that arrives at $y$")
    d.start(integral(p(x) * q(y), y), name="independent", words="the independent coupling")
    d.equals(p(x), by="$q$ integrates to one")

    d.slip(
        "labml-wgan-marginals",
        wrong=equal(integral(plan(x, y), y), plan(x, y)),
        right=equal(integral(plan(x, y), y), plan(x)),
        source="labml.ai, annotated Wasserstein GAN (labml_nn/gan/wasserstein)",
        why="γ(x, y) is the joint density, and its marginals are the two densities that are compared. The text called γ(x, y) itself the "
        "marginals.",
    )


# %% [markdown]
# **What it means.** A coupling is a plan of transport in which nothing is lost: every place sends out what $p$ has
# there and receives what $q$ has there. There always is one: send everything everywhere, in proportion.

# %% [markdown]
# ## Weak duality
#
# How can one know that a plan is best? By a *price list* that no plan can beat.
#
# Somebody offers to do the transport for us. For a grain at $x$ we pay them $f(x)$, and when it arrives at $y$ they pay back $g(y)$: in all $f(x) - g(y)$. If for no pair this is more
# than the price $c(x, y)$ that it costs ourselves, then the whole transport is not more expensive either. This holds for **every** coupling and **every** pair of potentials
# (`wasserstein.weak_duality[bound]`), so the best potentials see at most what the best coupling costs. `wasserstein.weak_duality[gap]` says by how much the two sides differ: by the mean of
# $c - (f - g)$, what is left of the price. So if nothing is left, for almost every pair that the coupling makes, then the potentials are the best, and the coupling, too.
#
# !!! example "By hand"
#
#     For the four grains take the critic that falls with slope one from 0 to 3, is flat to 4, and falls again to 5: $f(0) = 0$, $f(1) = -1$, $f(3) = f(4) = -3$, $f(5) = -4$. Its mean is
#     $(0 + 0 - 1 - 3)/4 = -1$ where the grains lie and $(-1 - 3 - 3 - 4)/4 = -2.75$ where they are wanted. It sees $-1 + 2.75 = 1.75$. A plan costs the same, so both are best.
#
# {{ picture wasserstein.costs }}
#
# `wasserstein.lipschitz` is the case of one function and a distance. Its left side is what a critic is trained to raise.
#
# In code: `genmath.wasserstein.critic_loss`.


# %%
@derivation("Weak duality")
def weak_duality(d):
    d.given_that(f(x) - g(y) <= c(x, y))
    d.start(E(plan(x, y), c(x, y)) - (E(plan(x), f(x)) - E(plan(y), g(y))), name="gap", words="by how much the two sides differ")
    d.equals(E(plan(x, y), c(x, y) - (f(x) - g(y))), by="the mean of a function of $x$ alone needs the marginal alone")
    d.start(E(plan(x), f(x)) - E(plan(y), g(y)), name="bound", words="no potential sees more")
    d.equals(E(plan(x, y), f(x) - g(y)), by="both means under the coupling")
    d.at_most(E(plan(x, y), c(x, y)), by="no pair gains more than its price",
              because=E(plan(x, y), c(x, y) - (f(x) - g(y))))


@derivation("Kantorovich and Rubinstein: the easy half")
def lipschitz(d):
    d.given_that(f(x) - f(y) <= absolute(x - y))
    d.start(E(plan(x), f(x)) - E(plan(y), f(y)))
    d.at_most(E(plan(x, y), absolute(x - y)), by="the slope of $f$ is at most one",
              because=E(plan(x, y), absolute(x - y) - (f(x) - f(y))))


# %% [markdown]
# **What it means.** A critic that sees much proves that *no* plan is cheap; a plan that is cheap proves that no critic sees much. Where the two numbers are equal, nothing remains to be searched.
#
# Now let the price be the squared distance. For every coupling its mean is at least the square of the mean distance, so $W_1 \le W_2$. For the four grains the plan in order is the best for squares, too (on the line it always is, which is not proved here): $W_2^2 = (1 + 9 + 4 + 1)/4 = 3.75$, so $W_2 \approx 1.94$. The other
# plan, as good for $W_1$, has $4.75$. Squares punish long ways.


# %%
@derivation("W1 is at most W2")
def w1_w2(d):
    mean = define("m", E(plan(x, y), absolute(x - y)))
    d.start(E(plan(x, y), (x - y) ** 2))
    d.at_least(mean**2, by="a mean square is the square of the mean plus the variance",
               because=E(plan(x, y), (absolute(x - y) - mean) ** 2))


# %% [markdown]
# **What it means.** Squares punish long hauls. A plan that moves half of the mass by 2 and leaves the rest pays 1 by
# distance, and $\sqrt{2}$ by the root of the mean square.

# %% [markdown]
# ## On the line
#
# {{ picture wasserstein.area }}
#
# In one dimension everything is explicit. Stand at a place $t$ and count what goes by. $F(t)$ is the mass of the first density to the left of $t$, $G(t)$ that of the
# second ($G$ is no generator here). $A$ is what a coupling carries across $t$ to the right, and $B$ what it carries across $t$ to the left. The difference $A - B$ is $F(t) - G(t)$: the marginals prescribe it.
# The sum $A + B$ is what goes by. Let $s$ be any number from $-1$ to 1: then at least $s\,(F(t) - G(t))$ must go by. Take the sign of $F - G$ for $s$, and this is $|F(t) - G(t)|$.

# %%
t, slope = reals("t s")
from_left, to_left = indicator(t > x), indicator(t > y)
F, G = define("F", E(plan(x), from_left)), define("G", E(plan(y), to_left))
A = define("A", E(plan(x, y), from_left * (1 - to_left)))
B = define("B", E(plan(x, y), to_left * (1 - from_left)))


@derivation("What goes by a place")
def crossings(d):
    d.given_that(slope <= 1)
    d.given_that(slope >= -1)
    d.start(A + B)
    d.at_least(slope * (A - B), by="$s = \\pm 1$ counts one direction against the other", because=A * (1 - slope) + B * (slope - -1))
    d.equals(slope * (F - G), by="what is on the left in both cancels")


# %% [markdown]
# **What it means.** A pair passes all $t$ between $x$ and $y$, and their length is its way. So the cost of a coupling is the integral over $t$ of what goes by, and never less than $\int |F - G|$. Now keep the order: the leftmost mass goes to the leftmost
# place, the next to the next. Then at each place mass goes by in one direction only, and the cost is exactly this integral. So
#
# $W_1(p, q) = \int |F(t) - G(t)| \, dt$.
#
# Two samples of the same size are sorted and compared in order: nothing is cheaper to compute. The proof for points in a row is at the end of this chapter, `wasserstein.line_bound` and `wasserstein.line`.
#
# In code: `genmath.wasserstein.wasserstein_1d` and `genmath.wasserstein.potential_1d`.


# %% [markdown]
# ## Densities that do not overlap
#
# {{ picture wasserstein.slope }}
#
# Take two parallel lines in the plane, at distance $\theta$. The points of one are $(\theta, z)$ and those of the other $(0, z)$, and on each line there is a density of $z$. On its own line a density is twice the mean of the two, since the other is zero there. Their Jensen–Shannon divergence is $\log 2$ **whatever $\theta$ is** (`wasserstein.parallel_lines[js]`), so
# a generator learns nothing from it about which way to go. KL is infinite. And $W_1$ is $\theta$ when both lines carry the same density $r$: `wasserstein.parallel_lines[coupling]` goes straight across, from $(\theta, z)$ to $(0, z)$. The first coordinate is a
# potential: two points $(u, z)$ and $(v, z_1)$ are at least as far apart as their first coordinates $u$ and $v$ (`wasserstein.parallel_lines[potential]`). This potential sees $\theta$ (`wasserstein.parallel_lines[value]`). The slope of this value in $\theta$ is one at every distance (`wasserstein.parallel_lines[slope]`).
#
# The best discriminator belongs to this divergence; what it does to the generator's gradient is in the chapter on [Adversarial networks](gan.py). Here it is enough that $\theta$ does not occur in $\log 2$.

# %%
r, r_p, r_q = Density("r", z), Density("p", z), Density("q", z)
theta = positives("theta")


@derivation("Parallel lines: JS sees nothing, W1 the distance")
def parallel_lines(d):
    d.start(E(r_p(z), log(r_p(z) / (r_p(z) / 2))) / 2 + E(r_q(z), log(r_q(z) / (r_q(z) / 2))) / 2, name="js", words="Jensen–Shannon")
    d.equals(log(number(2)), by="on its line each density is twice the mean of both")

    (z_1,) = copies(z, 1)
    u, v = reals("u v")
    d.start(E(r(z), sqrt((theta - 0) ** 2 + (z - z) ** 2)), name="coupling", words="a coupling")
    d.equals(theta, by="straight across")
    d.start((u - v) ** 2 + (z - z_1) ** 2, name="potential", words="a potential")
    d.at_least((u - v) ** 2, by="a distance is at least that of one coordinate", because=(z - z_1) ** 2)
    d.start(E(r(z), theta) - E(r(z), 0), name="value", words="what it sees")
    d.equals(theta, by="the first coordinate is $\\theta$ on one line and $0$ on the other")
    d.start(diff(E(r(z), sqrt((theta - 0) ** 2 + (z - z) ** 2)), theta), name="slope", words="the slope in $\\theta$")
    d.equals(1, by="$W_1$ is $\\theta$")


# %% [markdown]
# **What it means.** Where Jensen–Shannon is constant, the work still has a slope, and following it leads to the data.
#
# ## Training with a critic
#
# A generator $G(z, \theta)$ follows the critic ($\theta$ is now the parameter of the generator). It moves its samples to where the critic $f$ is higher, so its loss is the mean of $-f$. With the critic held fixed, this loss changes by minus the critic's slope $f'$ at each sample, times how the sample moves. (That the *best* critic may be held fixed, although it
# changes with $\theta$ too, is the envelope theorem, which this book does not prove.)
#
# In code: `genmath.wasserstein.generator_loss`.

# %%
made = Function("G")
parameter = reals("theta")


@derivation("What a critic tells the generator")
def generator_gradient(d):
    d.start(diff(E(r(z), -f(made(z, parameter))), parameter))
    d.equals(-E(r(z), f.prime(made(z, parameter)) * diff(made(z, parameter), parameter)), by="chain rule, sample by sample")


# %% [markdown]
# !!! train "Train a Wasserstein GAN"
#
#     1. Draw data and samples; for several steps raise what the critic sees, $\mathbb{E}_p f - \mathbb{E}_q f$: `genmath.wasserstein.critic_loss`.
#     2. Keep its slope near or below one: `genmath.wasserstein.gradient_penalty` or, as at first, `genmath.wasserstein.clip_weights`.
#     3. Move the generator one step along the critic: `genmath.wasserstein.generator_loss`. Again from 1.
#
# In step 2 theory and practice differ. The next sections say what the gradient penalty and what clipping does.
#
# ## The slope of a best critic
#
# Take a pair $x$, $y$ that a best coupling makes. By `wasserstein.weak_duality[gap]` a best critic leaves nothing of its distance: $f(x) - f(y) = |x - y|$. Since it can nowhere rise faster than with slope one, it must rise with slope one
# all the way from $y$ to $x$. In letters: let $L = |x - y|$, and for $0 \le s \le 1$ let $\varphi(s)$ be the critic's value at $y + s\,(x - y)$. The *shortfall* of the pair is $L - (\varphi(1) - \varphi(0))$, and that of a point in between is
# $s L - (\varphi(s) - \varphi(0))$. `wasserstein.slope_one[segment]`: the second is never more than the first. For a best critic the first is zero, and the second cannot be negative, so $\varphi(s) - \varphi(0) = s L$.
#
# Let $e$ be the unit vector from $y$ to $x$, and $g$ the gradient of $f$ at a point in between (no potential here). The derivative in the direction $e$ is $g \cdot e = 1$, and the length of $g$ is at most one.
# `wasserstein.slope_one[direction]` says that then $g$ *is* $e$: the squared distance of $g$ from $e$ is at most twice $1 - g \cdot e$. Hence $|\nabla f| = 1$ on the segments between **optimally coupled** pairs, wherever $f$ is differentiable. This is the reason for the gradient
# penalty, and the word "optimally" is the part of it that the penalty drops.

# %%
s, eps_t = fractions("s epsilon")
L = positives("L")
phi = Function("varphi")
GRADIENT, UNIT = mean_vectors("g e")


@derivation("Along an optimal pair a best critic rises at full speed", dims=(1, 2, 3))
def slope_one(d):
    d.given_that(phi(1) - phi(s) <= (1 - s) * L)
    d.given_that(norm2(GRADIENT) <= 1)
    d.given_that(norm2(UNIT) <= 1)
    d.start(phi(s) - phi(0), name="segment", words="along the segment")
    d.at_least(s * L - (L - (phi(1) - phi(0))), by="the rest of the way cannot make up for more than its length",
               because=(1 - s) * L - (phi(1) - phi(s)))
    d.start(norm2(GRADIENT - UNIT), name="direction", words="its direction")
    d.at_most(2 * (1 - dot(GRADIENT, UNIT)), by="expand the square; neither is longer than one",
              because=(1 - norm2(GRADIENT), 1 - norm2(UNIT)))


# %% [markdown]
# **What it means.** On the roads of the mass a best critic rises at the greatest speed allowed, and in the direction
# of the road. So its gradient tells the generator where its samples are wanted, near or far.

# %% [markdown]
# ### The gradient penalty
#
# The WGAN with gradient penalty adds $\lambda\,(|\nabla f(\hat x)| - 1)^2$ to the critic's loss, with a weight $\lambda$, at random points $\hat x$ between a data point and a sample that were drawn *independently*. For such pairs the
# argument above fails: `wasserstein.independent_pairs[shortfall]` is `wasserstein.weak_duality[gap]` for the independent coupling. For a best critic the mean shortfall of independent pairs is their mean distance minus $W_1$. That is more than
# zero, unless the independent coupling is itself a best one.
#
# An example on the line. Data at $-a$ and $a$, samples at $-a-h$ and $a+h$. Each sample belongs to the data point next to it, so $W_1 = h$ (`wasserstein.independent_pairs[near]`). One best critic is $0$ between the data and falls outside with slope 1, to $-h$ at
# the samples (`wasserstein.independent_pairs[value]`). Between $-a$ and $a + h$, an independent pair, lies the point $0$ (`wasserstein.independent_pairs[between]`), and around it this critic is flat: the penalty is at its
# worst there. Some best critics escape it by a kink in the middle, for example $-|x|$ with the slopes $\pm 1$; but no smooth one does. `wasserstein.independent_pairs[far]` holds for **any** critic $f$: what it sees between the opposite
# pairs, $a$ with $-a-h$ and $-a$ with $a+h$, is what it sees between the near ones, over a way that is longer by $2a$. Training can be caught by this: a straight line of slope one pays no penalty, although it sees nothing here,
# and on the way to a better critic the slope has to pass through zero. A penalty for slopes *above* one only, the one-sided form, has no such barrier.
#
# In code: `genmath.wasserstein.gradient_penalty`.

# %%
a, h = positives("a h")


@derivation("The penalty's pairs are independent")
def independent_pairs(d):
    d.start(E((p(x), q(y)), c(x, y) - (f(x) - f(y))), name="shortfall", words="the mean shortfall of independent pairs")
    d.equals(E((p(x), q(y)), c(x, y)) - (E(p(x), f(x)) - E(q(y), f(y))), by="each mean needs one of the densities")

    d.start((absolute(a - (a + h)) + absolute(-a - (-(a + h)))) / 2, name="near", words="the best plan")
    d.equals(h, by="each sample goes to the data point next to it")
    top, bottom = define("f_a", number(0)), define("f_{a+h}", -h)
    d.start((top + top) / 2 - (bottom + bottom) / 2, name="value", words="what the critic sees")
    d.equals(h, by="nothing at the data, $-h$ at the samples")
    share = define("s", a / (2 * a + h))
    d.start((1 - share) * (-a) + share * (a + h), name="between", words="a point between an independent pair")
    d.equals(0, by="$a$ of the way $2a + h$")
    d.start((f(a) - f(-(a + h))) / 2 + (f(-a) - f(a + h)) / 2, name="far", words="opposite pairs")
    d.equals((f(a) + f(-a)) / 2 - (f(a + h) + f(-(a + h))) / 2, by="the same four values")


# %% [markdown]
# Even where all pairs are optimal the penalty changes the result. Let all data be at $\theta > 0$ and all samples at 0. A critic of constant slope $s$ sees $s\,\theta$ and pays $\lambda (s - 1)^2$.
# The best slope is *larger* than one, $1 + \theta/(2\lambda)$, and what the critic sees minus its penalty exceeds the distance $\theta$ by $\theta^2/(4\lambda)$.


# %%
@derivation("A penalised critic overshoots")
def penalty_bias(d):
    theta, lam, slope = positives("theta lambda s")
    d.start(slope * theta - lam * (slope - 1) ** 2)
    d.at_most(theta + theta**2 / (4 * lam), by="complete the square", because=lam * (slope - 1 - theta / (2 * lam)) ** 2)
    d.tight_when(slope, 1 + theta / (2 * lam))


# %% [markdown]
# Two things go wrong in code. The point between data and sample needs **one** random weight a sample; with one for each coordinate it leaves the line that the two span. In `wasserstein.penalty_points[on_the_line]` data point $x$ and sample $y$ have two coordinates and $\epsilon$ is the one weight; zero means on the line. And
# the length of a gradient is that of the *whole* gradient, over channels and pixels alike. A critic of slope one must pay no penalty: `wasserstein.penalty_points[free]` is the critic $\frac12 (x_{11} + x_{12} + x_{21} + x_{22})$ on an image
# of two channels and two pixels. The norm over channels alone wants every pixel to have slope one by itself.


# %%
@derivation("Points and lengths of the gradient penalty")
def penalty_points(d):
    x_1, x_2, y_1, y_2 = reals("x_1 x_2 y_1 y_2")
    other = fractions("delta")

    def across(first, second):
        """How far from the line through x and y the point with these weights is, times a length."""
        at_1, at_2 = first * x_1 + (1 - first) * y_1, second * x_2 + (1 - second) * y_2
        return (at_1 - y_1) * (x_2 - y_2) - (at_2 - y_2) * (x_1 - y_1)

    d.start(across(eps_t, eps_t), name="on_the_line", words="one weight a sample")
    d.equals(0, by="both coordinates go the same part of their way")
    whole = (sqrt(4 * half**2) - 1) ** 2
    channels = ((sqrt(2 * half**2) - 1) ** 2 + (sqrt(2 * half**2) - 1) ** 2) / 2
    d.start(whole, name="free", words="a critic that must pay no penalty")
    d.equals(0, by="four squares of a half sum to one")
    d.slip(
        "wgangp-alpha-per-pixel",
        wrong=equal(across(eps_t, other), 0),
        right=equal(across(eps_t, eps_t), 0),
        source="hwalsuklee/tensorflow-generative-model-collections issue #33",
        why="One weight gives a point between the two images. With a weight for every pixel it is somewhere in the box whose corners they "
        "are.",
    )
    d.slip(
        "wgangp-channel-norm",
        wrong=equal(channels, 0),
        right=equal(whole, 0),
        source="eriklindernoren/PyTorch-GAN issue #20; caogang/wgan-gp issue #25; Zeleni9/pytorch-wgan issue #40",
        why="The gradient for an image is one long vector with one length. A norm along dimension 1 of a (B, C, H, W) tensor is taken over "
        "the colours of each pixel alone, and asks for length one at every pixel.",
    )


# %% [markdown]
# **What it means.** The details decide. One weight for each sample keeps the point on the segment between its pair, a
# weight for each coordinate does not; and a slope has to be a length, with its root, or a critic that is as it should
# be pays a fine.

# %% [markdown]
# ## Clipping
#
# {{ picture wasserstein.clipped }}
#
# The first WGAN kept the slope in bounds by clipping: no weight may exceed a number $c$ in size (here $c$ is no price). What is then measured? Take the simplest critic, $f(x) = w_1 x_1 + w_2 x_2$, and densities that are shifted copies, by
# $\theta = (\theta_1, \theta_2)$. $W_1$ is the length of $\theta$. The clipped critic sees at most $c\,(|\theta_1| + |\theta_2|)$ (`wasserstein.clipping[bound]`), reached by weights that are all $\pm c$ (`wasserstein.clipping[attained]`). That is another
# distance: along the diagonal of two coordinates it is $\sqrt 2$ times larger than along an axis (`wasserstein.clipping[diagonal]`), in a space of $d$ dimensions $\sqrt d$ times. No choice of $c$ mends that.
#
# In code: `genmath.wasserstein.clip_weights`.


# %%
@derivation("A clipped critic measures another distance")
def clipping(d):
    bound = positives("c")
    w_1, w_2, t_1, t_2 = reals("w_1 w_2 theta_1 theta_2")
    for w in (w_1, w_2):
        d.given_that(w <= bound)
        d.given_that(w >= -bound)

    def lacks(w, shift):
        return positive_part(shift) * (bound - w) + positive_part(-shift) * (w - -bound)

    d.start(w_1 * t_1 + w_2 * t_2, name="bound", words="the most it sees")
    d.at_most(bound * (absolute(t_1) + absolute(t_2)), by="each weight is at most $c$ in size",
              because=lacks(w_1, t_1) + lacks(w_2, t_2))
    corner = [bound * (2 * indicator(shift > 0) - 1) for shift in (t_1, t_2)]
    d.start(corner[0] * t_1 + corner[1] * t_2, name="attained", words="which is attained")
    d.equals(bound * (absolute(t_1) + absolute(t_2)), by="each weight has the sign of its shift")
    d.start(bound * (absolute(a) + absolute(a)), name="diagonal", words="along the diagonal")
    d.equals(sqrt(number(2)) * (bound * sqrt(a**2 + a**2)), by="the length of the diagonal $(a, a)$")


# %% [markdown]
# The slope of a network is bounded by the product of the bounds of its layers: `wasserstein.layer_slopes[layers]` for a layer $g$ with the bound $K$ and after it a layer $f$ with the bound $M$, and so on. For one linear layer the least bound is its largest *singular* value: the largest factor
# by which its matrix lengthens a vector. `wasserstein.layer_slopes[frobenius]` is a bound that is easy to see, the root of the sum of the squared entries, for a matrix $m$ with two rows and columns. *Eigenvalues* bound nothing: the shear
# $(x_1, x_2) \mapsto (x_1 + x_2, x_2)$ has eigenvalues 1 and 1 and lengthens some vectors.
#
# In code: `genmath.wasserstein.lipschitz_bound`.


# %%
@derivation("Slopes of layers multiply")
def layer_slopes(d):
    u, v, x_1, x_2 = reals("u v x_1 x_2")
    m_11, m_12, m_21, m_22 = reals("m_11 m_12 m_21 m_22")
    K, M = positives("K M")
    d.given_that(absolute(g(u) - g(v)) <= K * absolute(u - v))
    d.given_that(absolute(f(g(u)) - f(g(v))) <= M * absolute(g(u) - g(v)))
    d.start(absolute(f(g(u)) - f(g(v))), name="layers", words="two layers")
    d.at_most(M * absolute(g(u) - g(v)), by="the slope of the second layer",
              because=M * absolute(g(u) - g(v)) - absolute(f(g(u)) - f(g(v))))
    d.at_most(M * K * absolute(u - v), by="the slope of the first", because=M * (K * absolute(u - v) - absolute(g(u) - g(v))))

    d.start((m_11 * x_1 + m_12 * x_2) ** 2 + (m_21 * x_1 + m_22 * x_2) ** 2, name="frobenius", words="one linear layer")
    d.at_most((m_11**2 + m_12**2 + m_21**2 + m_22**2) * (x_1**2 + x_2**2), by="Cauchy–Schwarz in each row",
              because=(m_11 * x_2 - m_12 * x_1) ** 2 + (m_21 * x_2 - m_22 * x_1) ** 2)

    sheared = (x_1 + x_2) ** 2 + x_2**2
    d.slip(
        "udl-lipschitz-eigenvalue",
        wrong=sheared <= x_1**2 + x_2**2,
        right=sheared <= (1 + 1 + 1) * (x_1**2 + x_2**2),
        source="Understanding Deep Learning, errata (4th printing), section 16.3.7",
        why="The largest factor by which a matrix stretches is its largest singular value, not its largest eigenvalue. Here both "
        "eigenvalues are 1, and some vectors become longer.",
        because=(x_2 - x_1) ** 2 + x_1**2,
    )


# %% [markdown]
# **What it means.** Slopes of layers multiply: ten layers of slope 1.5 allow 57, ten of slope 0.5 leave less than a
# thousandth. Clipping bounds each factor from above and none from below, so with depth the signal explodes or
# vanishes.

# %% [markdown]
# ## Normal densities
#
# !!! example "By hand"
#
#     $\mathcal{N}(0, 1)$ and $\mathcal{N}(3, 4)$ have means 0 and 3, variances 1 and 4, standard deviations 1 and 2: $W_2^2 = 3^2 + (2 - 1)^2 = 10$. The map that moves the first to the second is $T(x) = 3 + 2x$.
#
# With the squared distance as the price, quadratic potentials are best for normal densities. First on the line, and for **any** coupling of any two densities: let $m_1$, $m_2$ be their means and $v_1$, $v_2$ their
# variances, and $\sigma_1 = \sqrt{v_1}$, $\sigma_2 = \sqrt{v_2}$ the standard deviations. For every number $s > 0$ there is a bound (`wasserstein.w2_line[every]`): the two sides differ by the mean of a square. With $s^2 = \sigma_2/\sigma_1$ the bound becomes $(m_1 - m_2)^2 + (\sigma_1 - \sigma_2)^2$ (`wasserstein.w2_line[best]`). For two normal densities, with means $\mu_1$ and
# $\mu_2$, the coupling $y = T(x) = \mu_2 + (\sigma_2/\sigma_1)(x - \mu_1)$ reaches it (`wasserstein.w2_line[reached]`). So it is $W_2^2$ for normal densities, and a lower bound for all others with the same means and variances.

# %%
m_1, m_2 = define("m_1", E(plan(x), x)), define("m_2", E(plan(y), y))
v_1, v_2 = define("v_1", E(plan(x), (x - m_1) ** 2)), define("v_2", E(plan(y), (y - m_2) ** 2))
stretch, sigma_1, sigma_2 = positives("s sigma_1 sigma_2")
mu_1, mu_2 = reals("mu_1 mu_2")


@derivation("W2 on the line is at least that of normal densities")
def w2_line(d):
    d.start(E(plan(x, y), (x - y) ** 2), name="every", words="for every coupling")
    d.at_least((m_1 - m_2) ** 2 + (1 - stretch**2) * v_1 + (1 - 1 / stretch**2) * v_2, by="a square, averaged over the coupling",
               because=E(plan(x, y), (stretch * (x - m_1) - (y - m_2) / stretch) ** 2))

    d.start((1 - sigma_2 / sigma_1) * sigma_1**2 + (1 - sigma_1 / sigma_2) * sigma_2**2, name="best", words="the best bound")
    d.equals((sigma_1 - sigma_2) ** 2, by="$s^2 = \\sigma_2/\\sigma_1$")
    moved = mu_2 + sigma_2 / sigma_1 * (x - mu_1)
    d.start(E(Normal(x, mu_1, sigma_1**2), (x - moved) ** 2), name="reached", words="which normal densities reach")
    d.equals((mu_1 - mu_2) ** 2 + (sigma_1 - sigma_2) ** 2, by="the first two moments of $x - T(x)$")


# %% [markdown]
# **What it means.** Means and deviations are moved separately, each by its own distance. Compare KL, which divides by the variance: as a normal density becomes narrow, $W_2$ stays finite and KL does not. FID, by which generators are judged, is this number for normal densities that are fitted to the features of a network, in many dimensions ([Adversarial networks](gan.py)).
#
# For isotropic normal densities in $d$ dimensions (covariances $\sigma_1^2$ and $\sigma_2^2$ times the identity) no matrices are needed: $W_2^2$ is $\Vert m_1 - m_2\Vert^2 + d\,(\sigma_1 - \sigma_2)^2$. The proof is at the end of this chapter, `wasserstein.w2_normal`.
#
# ## Slices
#
# In many dimensions the line can still be used: project both densities on a random direction, compute $W_2^2$ on that line, and average. Take one pair first, with the difference $w = x - y$. On the direction $u$ its squared distance is $(u \cdot w)^2$. On average over directions this is a fixed share of $\Vert w\Vert^2$: the share is one if $u$ is a
# standard normal vector, as here, and $1/d$ if $u$ has unit length, as in the code. Each direction may choose a cheaper coupling of its own. So the result, after a root, is at most $W_2$ ($W_2/\sqrt d$ for unit length), and it is cheap to compute: on a line one only sorts.
#
# In code: `genmath.wasserstein.sliced_wasserstein`.

# %%
U, V = vectors("u"), mean_vectors("w")


@derivation("A squared distance is a mean over directions", dims=(1, 2, 3))
def slices(d):
    d.start(E(Normal(U, 0, identity), dot(U, V) ** 2))
    d.equals(norm2(V), by="the second moment of $u$ is the identity")


# %% [markdown]
# **What it means.** No length hides from all directions: seen along random ones, it comes out right on average. Along
# one direction transport is a matter of sorting, so a distance in many dimensions can be estimated by sorting many
# times.

# %% [markdown]
# ## Entropic transport
#
# {{ picture wasserstein.entropic }}
#
# To find the best plan between points one minimises a linear function of $\pi$ under linear conditions, a *linear program*. That is slow, and its solution can jump when the data change a little. So add a second cost: $\varepsilon > 0$ times $\mathrm{KL}(\pi(x, y) \,\Vert\, \pi(x)\,\pi(y))$, the divergence of the plan from independence [@cuturi2013sinkhorn]. Now the best plan is smooth, and spread out.
# From here on the two potentials *add*: let $f$ and $g$ be any two functions, and let $w$ be $\pi(x)\,\pi(y)$ times the exponential of $(f(x) + g(y) - c(x, y))/\varepsilon$. `wasserstein.entropic_dual[dual]` holds for **every** plan: both costs together exceed the dual value on the right by $\varepsilon$ times the integral of
# $\pi \log(\pi/w) - \pi + w$. This is never negative, and zero only if $\pi = w$. So a plan that *has the form of $w$* for some $f$ and $g$ is the best of all with its marginals, and the only best one: `wasserstein.entropic_dual[attained]`. The two sides meet (this is called *strong* duality), and no linear program is needed.
#
# In code: `genmath.wasserstein.sinkhorn`.

# %%
epsilon = positives("epsilon")
K, scale_u, scale_v = Function("K", positive=True), Function("u", positive=True), Function("v", positive=True)
positive_plan = Density("pi", x, y, positive=True)
q_row = Density("q", y)


@derivation("Entropic transport: the dual")
def entropic_dual(d):
    gibbs = define("w", plan(x) * plan(y) * exp((f(x) + g(y) - c(x, y)) / epsilon))
    d.start(E(plan(x, y), c(x, y)) + epsilon * KL(plan(x, y), plan(x) * plan(y)), name="dual", words="the dual")
    d.at_least(E(plan(x), f(x)) + E(plan(y), g(y)) - epsilon * (integral(gibbs, x, y) - 1),
               by="the gap is $\\varepsilon$ times that of $\\pi$ against $w$",
               because=epsilon * integral(plan(x, y) * log(plan(x, y) / gibbs) - plan(x, y) + gibbs, x, y))

    whole = positive_plan
    price = define("c", f(x) + g(y) - epsilon * log(whole(x, y) / (whole(x) * whole(y))))
    d.start(E(whole(x, y), price) + epsilon * KL(whole(x, y), whole(x) * whole(y)), name="attained", words="where it is attained")
    d.equals(E(whole(x), f(x)) + E(whole(y), g(y)), by="the logarithm of the plan cancels")


# %% [markdown]
# How to find $f$ and $g$? Think of the plan as a table $p(x)\, q(y)\, u(x)\, K(x, y)\, v(y)$ with $K = e^{-c/\varepsilon}$, $u = e^{f/\varepsilon}$ and $v = e^{g/\varepsilon}$; it has a row for each $x$ and a column for each $y$. Row $x$ should add up to $p(x)$ and column $y$ to $q(y)$. Make the rows right, then the columns, and repeat. A step for the rows sets $u(x)$ to
# $1/m(x)$, where $m(x)$ is the mean of $K(x, y)\,v(y)$ over $q$; so the new $f$ is $-\varepsilon \log m$, a smooth version of the least $c - g$. `wasserstein.sinkhorn_step[row]`: then the plan's rows are right. `wasserstein.sinkhorn_step[ascent]`: no step lowers the dual, and it rises by $\varepsilon$ times how wrong the rows were, the mean of $\rho - 1 - \log \rho$, where
# $\rho(x)$ is the sum of row $x$ before the step, divided by $p(x)$. So at the **fixed point** rows and columns are both right, and by `wasserstein.entropic_dual` the plan is the best one. Before that, the plan is *no coupling*, and its cost
# may be far from any answer; so how wrong the marginals are has to be reported with it.


# %%
@derivation("Sinkhorn's step")
def sinkhorn_step(d):
    taken = define("m", E(q_row(y), K(x, y) * scale_v(y)))
    ratio = define("rho", E(q_row(y), scale_u(x) * K(x, y) * scale_v(y)))
    d.start(integral(p(x) * q_row(y) * (1 / taken) * K(x, y) * scale_v(y), y), name="row", words="the rows are right")
    d.equals(p(x), by="$u$ is one over the mean of $K v$")
    d.start(E(p(x), -epsilon * log(taken)) - E(p(x), epsilon * log(scale_u(x))) + epsilon * (E(p(x), ratio) - 1), name="ascent", words="the dual rises")
    d.equals(epsilon * E(p(x), log_gap(ratio)), by="the new plan has mass one, the old one the mean of $\\rho$")
    d.at_least(0, by="the logarithm lies below its tangent at 1")


# %% [markdown]
# **What it means.** Every half-step puts one marginal right and spoils the other a little, while the dual never
# falls: so the two can be taken in turn until both are right. A half-step is a product of a matrix and a vector, and
# nothing dearer.

# %% [markdown]
# {{ explorer transport }}
#
# ## The price of smoothness { .advanced }
#
# How much more than the least cost does the entropic plan cost? Not less, since it is a coupling. And not much more: it has the least sum of cost and $\varepsilon$ times divergence, so its sum is at most that of the best plan without entropy. For $n$ points
# of equal weight on both sides that plan can be a permutation (each point sends all its mass to one point), and its divergence is $\log n$ (`wasserstein.entropic_bias[permutation]`), so the cost exceeds the least one by at most $\varepsilon \log n$.
#
# The bias is there even between a density and itself. Two points at distance 1, both of weight ½, coupled with themselves: without entropy nothing is moved. With $k = e^{-1/\varepsilon}$ the plan of `wasserstein.entropic_bias[marginal]` is Sinkhorn's fixed point: each point keeps $\frac14 \cdot 2/(1 + k)$ and sends $k$ times as much to the other, in all $\frac12$. It moves `wasserstein.entropic_bias[moved]`, which vanishes only as $\varepsilon \to 0$.


# %%
@derivation("The bias of entropic transport")
def entropic_bias(d):
    count, index = naturals("n i")
    d.start(total(1 / count * log((1 / count) / (1 / count * (1 / count))), index, 1, count), name="permutation", words="the divergence of a permutation")
    d.equals(log(count), by="each of $n$ pairs has $n$ times the mass that independence gives it")

    k = define("k", exp(-1 / epsilon))
    stays, moves = half * half * (2 / (1 + k)), half * half * (2 / (1 + k)) * k
    d.start(stays + moves, name="marginal", words="its marginals")
    d.equals(half, by="$e^{(f + g)/\\varepsilon} = 2/(1 + k)$ for both pairs of potentials")
    d.start(2 * moves, name="moved", words="what is moved")
    d.equals(sigmoid(-1 / epsilon), by="both points send the same to the other")


# %% [markdown]
# **What it means.** With $\epsilon > 0$ the best plan moves mass for nothing. Between two points at distance 1 and
# the same two points it carries 27 % across at $\epsilon = 1$, and less than 0.01 % at $\epsilon = 0.1$. So this cost
# is not 0 between equal densities.

# %% [markdown]
# ## Strong duality on finite spaces { .advanced }
#
# That the two sides, least cost and best potential, *meet* is the hard half. On finitely many points it is the duality of linear programs. Where coupling and
# potential can be written down, their equal values are the whole proof: by `wasserstein.weak_duality` neither can be improved.
#
# **Three points**, any distances. Compare what lies at each point with what belongs there; either two points have too much and one too little, or the
# other way round. Let 1 and 2 have too much, $e_1$ and $e_2$ more than the $r_1$ and $r_2$ that belong there. Then both send this surplus to 3, and the potential is the distance from 3. Write $d_{ij}$ for the distance of the points $i$ and $j$, and $\pi_{ij}$ for what a plan moves from $i$ to $j$. `wasserstein.three_points[every]` says that no plan is
# cheaper than what that potential sees (the two hypotheses are triangle inequalities, they make it a potential), and `wasserstein.three_points[surplus]` that what it sees is the cost of the plan
# which moves $e_1$ from 1 and $e_2$ from 2. When one point has too much, exchange the roles of the two densities.

# %%
d_12, d_13, d_23, e_1, e_2 = nonnegatives("d_12 d_13 d_23 e_1 e_2")
r_1, r_2, r_3 = nonnegatives("r_1 r_2 r_3")


@derivation("Strong duality on three points")
def three_points(d):
    d.given_that(d_12 + d_13 >= d_23)
    d.given_that(d_12 + d_23 >= d_13)
    moved = {(i, j): nonnegatives(f"pi_{i}{j}") for i in (1, 2, 3) for j in (1, 2, 3) if i != j}
    length = {(1, 2): d_12, (1, 3): d_13, (2, 3): d_23}
    d.start(plus([mass * length[min(pair), max(pair)] for pair, mass in moved.items()]), name="every", words="no plan is cheaper")
    d.at_least(d_13 * (moved[1, 2] + moved[1, 3] - moved[2, 1] - moved[3, 1])
               + d_23 * (moved[2, 1] + moved[2, 3] - moved[1, 2] - moved[3, 2]),
               by="no pair gains more than its distance",
               because=moved[1, 2] * (d_12 + d_23 - d_13) + moved[2, 1] * (d_12 + d_13 - d_23)
               + 2 * moved[3, 1] * d_13 + 2 * moved[3, 2] * d_23)

    d.start(d_13 * ((r_1 + e_1) - r_1) + d_23 * ((r_2 + e_2) - r_2) + 0 * (r_3 - (r_3 + e_1 + e_2)), name="surplus", words="it sees what the plan costs")
    d.equals(e_1 * d_13 + e_2 * d_23, by="the two surpluses, each times its way to 3")


# %% [markdown]
# **Four points** need many cases, and here are three spaces with numbers: a square whose sides are the roads; a star with three arms; and a space of no
# particular shape. For each a plan and a potential are given by whole numbers (of grains, and of the unit of length). The marginals are those of the plan, so it is a coupling. `wasserstein.four_points[slope]` sums, over all pairs, by how much the potential
# exceeds the distance: by nothing, so it is a potential. `wasserstein.four_points[value]` says that the two sides meet, which makes both of them best. The tests of this chapter do
# the same for random spaces, and let an exact simplex method find both.

# %%
EXAMPLES = {  # distances 12 13 14 23 24 34; the plan, in grains; the potential
    1: ((1, 2, 1, 1, 2, 1), {(1, 1): 2, (1, 2): 4, (3, 4): 3, (4, 4): 3}, (1, 0, 1, 0)),
    2: ((1, 2, 3, 3, 4, 5), {(1, 1): 1, (2, 1): 2, (2, 3): 1, (4, 3): 4}, (2, 3, 0, 5)),
    3: ((2, 3, 3, 2, 4, 3), {(1, 1): 2, (3, 2): 2, (3, 3): 1, (4, 1): 2, (4, 2): 2, (4, 4): 1}, (1, 0, 2, 4)),
}


@derivation("Strong duality on four points, by examples", example=(1, 2, 3))
def four_points(d, example):
    lengths, plan, heights = EXAMPLES[example]
    points = (1, 2, 3, 4)
    pairs = [(i, j) for i in points for j in points if i < j]
    length = dict(zip(pairs, map(number, lengths), strict=True))
    height = dict(zip(points, map(number, heights), strict=True))
    plan = {pair: number(mass) for pair, mass in plan.items()}
    apart = {pair: mass for pair, mass in plan.items() if pair[0] != pair[1]}

    d.start(plus([positive_part(height[i] - height[j] - length[min(i, j), max(i, j)])
                  for i in points for j in points if i != j]), name="slope", words="it is a potential")
    d.equals(0, by="no slope is more than one")

    d.start(plus([mass * length[min(pair), max(pair)] for pair, mass in apart.items()]), name="value", words="the two sides meet")
    d.equals(plus([mass * height[i] for (i, _), mass in plan.items()])
             - plus([mass * height[j] for (_, j), mass in plan.items()]),
             by="the potential uses up the distance of every pair of the plan")


# %% [markdown]
# **What it means.** The critic that sees most and the cheapest plan meet, and neither side keeps anything back. On three
# points this is shown for all weights, on four, where kinds of plans are many, by examples.

# %% [markdown]
# ## On the line, point by point { .advanced }
#
# What was said on the line, for points in a row with the gaps $h_k$ between neighbours, now with the costs themselves. $A_k$ and $B_k$ are what goes by in gap $k$ to the right and to the left, $F_k$ and $G_k$ the masses of the two densities to the left of it. `wasserstein.line_bound` holds for any plan $\pi_{ij}$ (mass from $i$ to $j$), and its right side is what a potential with the slopes
# $-s_k$ sees, for any $s_k$ from $-1$ to 1. In `wasserstein.line`, `wasserstein.line[monotone]` and the parts after it are plans that keep the order. Cut the total mass at all $F_k$ and all $G_k$; each piece has one point that it comes from and one that it
# goes to, and along the pieces both only ever move on. In a table of sources and targets the pieces form a **staircase** from one corner to the other, one cell a piece, and each order of the cuts gives another
# staircase. The masses $m_i$ of its cells may be any numbers, so this is every monotone plan, for any two densities. In each gap mass goes by in one direction only, so it costs $\sum_k h_k |F_k - G_k|$. `wasserstein.line[potential]` has slope $+1$ or $-1$ in
# each gap, according to the sign of $G_k - F_k$, and sees the same. So on the line all three are equal: the best coupling, the best potential, and the integral.

# %%
def row(n):
    """Gaps between n points in a row, and the distance of two of the points."""
    gaps = {k: positives(f"h_{k}") for k in range(1, n)}
    return gaps, lambda i, j: plus([gaps[k] for k in range(min(i, j), max(i, j))])


def sums(name, mass, gaps, chosen):
    """For each gap a letter for the sum of the masses that are chosen."""
    return {k: define(f"{name}_{k}", plus([m for (i, j), m in mass.items() if chosen(i, j, k)])) for k in gaps}


@derivation("W1 on the line: every plan", n=(2, 3))
def line_bound(d, n):
    gaps, distance = row(n)
    mass = {(i, j): nonnegatives(f"pi_{{{i}{j}}}") for i in range(1, n + 1) for j in range(1, n + 1)}
    slopes = {k: reals(f"s_{k}") for k in gaps}
    newest = slopes[n - 1]  # what was said of the others for fewer points still holds
    d.given_that(newest <= 1)
    d.given_that(newest >= -1)
    right, left = sums("A", mass, gaps, lambda i, j, k: i <= k < j), sums("B", mass, gaps, lambda i, j, k: j <= k < i)
    before, after = sums("F", mass, gaps, lambda i, j, k: i <= k), sums("G", mass, gaps, lambda i, j, k: j <= k)
    d.start(plus([m * distance(i, j) for (i, j), m in mass.items() if i != j]))
    d.equals(plus([h * (right[k] + left[k]) for k, h in gaps.items()]), by="a way is the sum of the gaps that it passes")
    d.at_least(plus([h * slopes[k] * (right[k] - left[k]) for k, h in gaps.items()]), by="`wasserstein.crossings` in each gap",
               because=plus([h * (right[k] * (1 - slopes[k]) + left[k] * (slopes[k] - -1)) for k, h in gaps.items()]))
    d.equals(plus([h * slopes[k] * (before[k] - after[k]) for k, h in gaps.items()]), by="what is on the left in both cancels")


def staircases(n):
    """All ways through a table from the first cell to the last, one row or one column at a time."""
    ways = [[(1, 1)]]
    for _ in range(2 * n - 2):
        ways = [[*way, cell] for way in ways for cell in ((way[-1][0] + 1, way[-1][1]), (way[-1][0], way[-1][1] + 1)) if max(cell) <= n]
    return ways


@derivation("W1 on the line: the monotone plan and its potential", n=(2, 3))
def line(d, n):
    gaps, distance = row(n)
    for number_of_way, way in enumerate(staircases(n), 1):
        mass = {cell: nonnegatives(f"m_{i}") for i, cell in enumerate(way, 1)}
        before, after = sums("F", mass, gaps, lambda i, j, k: i <= k), sums("G", mass, gaps, lambda i, j, k: j <= k)
        d.start(plus([m * distance(i, j) for (i, j), m in mass.items() if i != j]), name="monotone" if number_of_way == 1 else f"staircase_{number_of_way}",
                words=f"monotone plans of staircase {number_of_way}")
        d.equals(plus([h * absolute(before[k] - after[k]) for k, h in gaps.items()]), by="in each gap mass goes by in one direction only")

    cdf = {k: reals(f"F_{k}") for k in gaps} | {0: number(0), n: number(1)}
    cdg = {k: reals(f"G_{k}") for k in gaps} | {0: number(0), n: number(1)}
    sign = {k: define(f"s_{k}", 1 - 2 * indicator(cdf[k] > cdg[k])) for k in gaps}
    height = {i: plus([sign[k] * gaps[k] for k in range(1, i)]) for i in range(2, n + 1)}
    d.start(plus([height[i] * (cdf[i] - cdf[i - 1] - (cdg[i] - cdg[i - 1])) for i in height]), name="potential", words="the potential sees the same")
    d.equals(plus([h * absolute(cdf[k] - cdg[k]) for k, h in gaps.items()]),
             by="sum by parts: each gap counts with $F - G$, and the slope turns its sign")


# %% [markdown]
# **What it means.** On a line nobody overtakes: the cheapest plan sends mass off in order from left to right, and
# costs the area between the two distribution functions. One sorts, and needs no search.

# %% [markdown]
# ## Normal densities in many dimensions { .advanced }
#
# In $d$ dimensions let $A$ be symmetric and positive definite, and $T(x) = m_2 + A\,(x - m_1)$. `wasserstein.w2_normal[every]`: for any two points, and so on average for **every coupling**, the squared distance is at least a function of $x$ plus a function of $y$;
# what is left, with $S$ the root of $A$ ($S^2 = A$), $u = x - m_1$ and $v = y - m_2$, is the squared length of $S u - S^{-1} v$, and it is zero where $y = T(x)$. `wasserstein.w2_normal[source]` and `wasserstein.w2_normal[target]` are the means of these two functions under normal densities with the means $m_1$, $m_2$ and the covariances $\Sigma_1$, $\Sigma_2$; only traces remain, of the covariances, of $A \Sigma_1$ and of $A^{-1} \Sigma_2$.
# $T$ carries the covariance $\Sigma_1$ to $\Sigma_2 = A \Sigma_1 A$, and then the last two traces are the same (`wasserstein.w2_normal[same]`). `wasserstein.w2_normal[reached]` is what the coupling $y = T(x)$ costs, which is the bound. So
#
# {{ wasserstein.w2_normal[reached] }}
#
# is $W_2^2$. In the usual closed form the last trace is that of $(\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2}$. With $R = \Sigma_1^{1/2}$, `wasserstein.w2_root` says that $R A R$ squares to $R \Sigma_2 R$, and `wasserstein.w2_normal[trace]` that it has the trace
# of $A \Sigma_1$. (Given $\Sigma_1$ and $\Sigma_2$, the matrix $A$ is $R^{-1} (R \Sigma_2 R)^{1/2} R^{-1}$.)
#
# In code: `genmath.wasserstein.gaussian_w2_squared`.

# %%
X, Y = vectors("x y")
M_1, M_2 = mean_vectors("m_1 m_2")
S, R, A_map, B_map, Sigma, Sigma_b = covariances("S R A B Sigma_1 Sigma_2")


@derivation("W2 of normal densities: every coupling", dims=(1, 2, 3))
def w2_normal(d):
    u, v = X - M_1, Y - M_2
    image = define("Sigma_2", A_map * Sigma * A_map)

    d.start(norm2((M_1 + u) - (M_2 + v)), name="every", words="for every pair of points")
    d.at_least(norm2(M_1 - M_2) + 2 * dot(M_1 - M_2, u) - 2 * dot(M_1 - M_2, v) + norm2(u) - norm2(S * u) + norm2(v) - norm2(inverse(S) * v),
               by="what is left is a squared length", because=norm2(S * u - inverse(S) * v))
    d.start(E(Normal(X, M_1, Sigma), 2 * dot(M_1 - M_2, u) + norm2(u) - dot(u, A_map * u)), name="source", words="the function of the source")
    d.equals(trace(Sigma) - trace(A_map * Sigma), by="the mean of $u^{\\top} A u$ is the trace of $A\\Sigma_1$, and $u$ has mean zero")
    d.start(E(Normal(Y, M_2, Sigma_b), norm2(v) - 2 * dot(M_1 - M_2, v) - dot(v, inverse(A_map) * v)), name="target", words="the function of the target")
    d.equals(trace(Sigma_b) - trace(inverse(A_map) * Sigma_b), by="the same for $v$")
    d.start(trace(inverse(A_map) * (A_map * Sigma * A_map)), name="same", words="both traces are the same")
    d.equals(trace(A_map * Sigma), by="$A$ cancels")
    d.start(E(Normal(X, M_1, Sigma), norm2(X - (M_2 + A_map * u))), name="reached", words="what the map costs")
    d.equals(norm2(M_1 - M_2) + trace(Sigma) + trace(image) - 2 * trace(A_map * Sigma), by="the first two moments of $x - T(x)$")
    d.start(trace(R * A_map * R), name="trace", words="the trace of the root")
    d.equals(trace(A_map * (R * R)), by="a trace may be rotated")


@derivation("The root in W2 of normal densities", dims=(1, 2))
def w2_root(d):
    d.start(R * (A_map * (R * R) * A_map) * R)
    d.equals((R * A_map * R) * (R * A_map * R), by="$R\\,\\Sigma_2 R$ with $\\Sigma_2 = A R^2 A$")


# %% [markdown]
# **What it means.** From one normal density to another the cheapest map is affine, and only means and covariances
# count. In one dimension the squared cost is the squared difference of the means plus that of the standard
# deviations. FID, by which generated pictures are compared, is this formula for features of pictures, as if these
# were normal.

# %% [markdown]
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - A coupling is a joint density with the two given marginals (`wasserstein.couplings`); $W_1$ is the least mean distance over couplings.
#     - Every critic of slope at most one sees at most what any coupling costs (`wasserstein.lipschitz`); the best of both meet.
#     - On the line $W_1 = \int |F - G|$: keep the order (`wasserstein.crossings`).
#     - Densities that do not overlap: JS is $\log 2$ at any distance, $W_1$ is the distance, with slope one (`wasserstein.parallel_lines`).
#     - A best critic has slope one between *optimally coupled* pairs (`wasserstein.slope_one`); the gradient penalty uses independent ones.
#     - Clipping measures another distance (`wasserstein.clipping`).
#     - Normal densities on the line: $W_2^2 = (\mu_1 - \mu_2)^2 + (\sigma_1 - \sigma_2)^2$ (`wasserstein.w2_line`).
#     - Entropy makes the plan smooth, unique and biased (`wasserstein.entropic_dual`, `wasserstein.entropic_bias`).
#
# ## Questions
#
# ??? question "Data lie at 0, samples at $\theta$. What are KL, JS, total variation and $W_1$?"
#
#     For $\theta \ne 0$: infinite, $\log 2$, $1$ and $|\theta|$. Only the last has a slope that says which way to move.
#
# ??? question "A plan costs 3 and a critic of slope at most one sees 2.9. What do you know of $W_1$?"
#
#     It lies between 2.9 and 3: a critic is a lower bound, a plan an upper one.
#
# ??? question "Why does a WGAN train its critic for many steps, while in a GAN a perfect discriminator is feared?"
#
#     A critic of bounded slope does not become flat: the better it is, the closer is what it sees to $W_1$, and its slope stays a direction for every sample. A perfect discriminator is flat at the samples.
#
# ??? question "Your critic's weights are multiplied by ten. What happens to the loss, and to $W_1$?"
#
#     The loss is multiplied, by ten for a linear critic and by more for a deep one; the distance is the same. Without a bound on the slope the loss says nothing.
#
# ??? question "Somebody computes $W_1$ between two samples of the same density and finds 0.3. Is the code wrong?"
#
#     No. Two finite samples differ, so the distance is positive, and in many dimensions it falls slowly as the samples get larger. Compare with the same number for two samples of the data.
#
# ??? question "What are $W_2$ and $W_1$ between $\mathcal{N}(0, 1)$ and $\mathcal{N}(3, 1)$? And $W_2$ between $\mathcal{N}(0, 1)$ and $\mathcal{N}(0, 9)$?"
#
#     Both are 3: every grain moves by 3. For the second pair $W_2 = |1 - 3| = 2$: the deviations are subtracted, not the variances.
#
# {{ spot udl-lipschitz-eigenvalue among wasserstein.layer_slopes[frobenius] wasserstein.parallel_lines[potential] }}
#
# ## What these results do not say
#
# - **Existence.** That a best coupling and a best potential exist, and that the two sides meet in general, is a theorem of analysis [@villani2009optimal] which no finite computation shows. Here it is proved for three points with any distances, on the line for
#   two and three points with any gaps and masses, and for normal densities; on four points it is checked for examples; and `wasserstein.crossings` and `wasserstein.weak_duality` hold in general.
# - **A trained critic is not a best one.** What a network sees is a *lower* bound if its slope is at most one, and no bound at all if only a penalty says so (`wasserstein.penalty_bias`). The loss curve of a WGAN is no distance.
# - **From samples.** The distance between two samples is not that between their densities. In $d > 2$ dimensions the error of $W_1$ falls like $n^{-1/d}$ only, and it has a sign: samples of *one* density are at a distance from each other.
# - **The gradient penalty has no theorem.** On optimal pairs a best critic has slope one. That a critic of slope one at random points in between be best, or exist, does not follow; `wasserstein.independent_pairs` shows what goes wrong.
# - **Closeness.** A small $W_1$ says that the densities are close as a whole, not that a single sample looks right: sharp edges cost little, since moving them a little is cheap.
# - **Dimensions.** Gaussian results are checked for $d \le 3$ by components (the root for $d \le 2$).
#
# ## Where sources slip
#
# Beside the results stand the published slips they break, each with its counterexample:
#
# - `wasserstein.couplings`: the joint density called a marginal (`labml-wgan-marginals`).
# - `wasserstein.penalty_points`: a random weight for every pixel (`wgangp-alpha-per-pixel`), and a norm over channels alone (`wgangp-channel-norm`).
# - `wasserstein.layer_slopes`: the largest eigenvalue for the largest singular value (`udl-lipschitz-eigenvalue`).
#
# One is no formula but a property of a program: the gradient of $\sqrt{\textstyle\sum g^2}$ at $g = 0$ is not a number, and one critic that is flat at one point turns every weight into NaN
# (keras-team/keras-io issue #624, `wgangp-sqrt-nan`). The usual guard is $\sqrt{\textstyle\sum g^2 + \epsilon}$, which changes every norm a little. `genmath.wasserstein.gradient_penalty` leaves the norm as it is and takes the gradient 0, one of the
# subgradients, at that point.
#
# ## References
#
# - [@villani2009optimal]: duality (theorem 5.10), in general.
# - [@santambrogio2015optimal]: transport on the line (chapter 2), and transport rays.
# - [@arjovsky2017wasserstein]: parallel lines (example 1), the dual as a loss, clipping (algorithm 1), the generator's gradient (theorem 3).
# - [@gulrajani2017improved]: slope one on optimal pairs (proposition 1), the gradient penalty (eq. 3).
# - [@petzka2018regularization]: that the penalty's pairs are not coupled optimally.
# - [@dowson1982frechet]: $W_2$ of normal densities.
# - [@bonneel2015sliced]: slices.
# - [@cuturi2013sinkhorn]: entropic transport and its fixed point.
# - [@peyre2019computational]: the line (remark 2.30), entropic duality and steps (chapter 4).
# - [@schmitzer2019stabilized]: scalings within the log domain, as the code does them.
# - [@bhatia2019bures]: the distance by any factors of the covariances, as the code computes it.
# - [@miyato2018spectral]: the product of spectral norms as a bound.
