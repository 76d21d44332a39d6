# %% [markdown]
# # Normalizing flows
#
# Data have a complicated density, and noise has a simple one. Is there a map that carries every data point to a place in the noise, so that the data become
# noise? If the map can be inverted, the same map makes data out of noise. And if we know how much it stretches space at each place, then we know the density of
# the data exactly: no bound, no sampling, one formula.
#
# **The answer in a line:** the log-density of $x$ is that of the noise at $z = f(x)$, plus the logarithm of how much $f$ stretches volume at $x$. So build $f$ from
# layers that are easy to invert and whose stretching is easy to compute.
#
# {{ picture normalizing_flow.question }}
#
# !!! board "On the board"
#
#     Let $z = f(x)$ with an invertible $f$, and let $z$ have the density $p$. Then the density $p_x$ of $x$ is
#
#     {{ define normalizing_flow.p_x }}
#
#     in one coordinate; $f'(x)$ is the slope of $f$. In logarithms:
#
#     {{ normalizing_flow.change_of_variables[log] }}
#
#     In several coordinates the slope becomes the **determinant** of the Jacobian, the matrix of all $\partial z_i / \partial x_j$. A flow is made of layers whose
#     determinant is cheap. A *coupling layer* keeps $x_1$ and maps $x_2$ to $z_2 = e^{s} x_2 + t$, where $s$ and $t$ are any functions of $x_1$:
#
#     {{ normalizing_flow.coupling[determinant] }}
#
#     $\partial/\partial x_i$ is the derivative in $x_i$. The log-determinant is $s$; with many coordinates it is the sum of all $s$, and for layers in a row the logarithms add.
#
# <div class="two" markdown="block">
#
# !!! train "Train by likelihood"
#
#     1. Take a batch of data $x$.
#     2. Carry it through all layers to $z$; on the way add up the log-determinants: `genmath.normalizing_flow.Flow.log_prob`.
#     3. Add $\log p(z)$, a standard normal density.
#     4. Take a gradient step on minus the mean.
#
# !!! sample "Sample"
#
#     1. Draw noise $z$.
#     2. Carry it through the inverse layers, in the opposite order: `genmath.normalizing_flow.Flow.sample`.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - **Maps go from data to noise**, $x \mapsto z = f(x)$, and log-determinants are those of this direction. Many texts write $x = g(z)$ with the *generator*
#   $g = f^{-1}$; then the logarithm has a minus sign (`normalizing_flow.change_of_variables[other]`). Both are the same formula. Always ask: *of which
#   direction is this determinant?*
# - $p$ is the density of the noise: any density where nothing else is said, standard normal in practice. $r$ is the density of the data, and $p_x$ the density that the flow gives to $x$: the *model*.
# - In one coordinate $f$ is any smooth map of the line onto itself whose slope is never zero. In several coordinates, determinants are written out for 2 and 3.
# - $\log$ is the natural logarithm; log-densities are in *nats*.

# %%
from genmath.proof import *

x, z, y = variables("x z y")
a, b = reals("a b")


def determinant(matrix):
    """The determinant, expanded by the first row."""
    if len(matrix) == 1:
        return matrix[0][0]
    total, *others = [
        entry * determinant([[*row[:j], *row[j + 1 :]] for row in matrix[1:]]) for j, entry in enumerate(matrix[0])
    ]
    for j, term in enumerate(others):
        total = total + term if j % 2 else total - term
    return total


def letters(name, n):
    """The entries of an n by n matrix of parameters."""
    return [[reals(f"{name}_{i}{j}") for j in range(1, n + 1)] for i in range(1, n + 1)]


def row(name, n):
    """n parameters."""
    return [reals(f"{name}_{i}") for i in range(1, n + 1)]


def dot_product(u, v):
    return plus([u_i * v_i for u_i, v_i in zip(u, v, strict=True)])


# %% [markdown]
# ## One coordinate
#
# {{ picture normalizing_flow.slope }}
#
# Take a short interval of length $\delta$ at $x$. The map carries it to an interval of length about $|f'(x)|\,\delta$ at $z = f(x)$. The probability in both is the same,
# for the points are the same. Probability is density times length. So $p_x(x)\,\delta = p(z)\,|f'(x)|\,\delta$, and $\delta$ cancels.
#
# **Where the map stretches, the data are denser than the noise at their image; where it presses, they are thinner.** That is how a flow makes two peaks out of one bell: it stretches the places where data
# are, and squeezes the empty space between them.
#
# !!! example "By hand"
#
#     Let $z$ be standard normal and $f(x) = 2x - 6$. The slope is 2 everywhere. At $x = 3$ we have $z = 0$, where the normal density is $0.399$. So
#     $p_x(3) = 0.399 \cdot 2 = 0.798$. In fact $x = 3 + z/2$ is normal with mean 3 and standard deviation $\frac12$, and the height of that bell is $0.399/0.5 = 0.798$.
#
# The first part of the derivation says what "the density of $x$" means: draw $x$ from $p_x$, map it, and every function $k$ of the result has the mean that it has
# under $p$. (With $k = 1$: the total mass of $p_x$ is one.) The second takes logarithms. The third is the other convention: the same density at the place $x = f^{-1}(z)$, with
# the slope of the inverse.
#
# In code: `genmath.normalizing_flow.Flow.log_prob`.

# %%
p, q = Density("p", z), Density("p", z, positive=True)
r = Density("r", x, positive=True)
k = Function("k")
f = Function("f", invertible=True)
p_x = define("p_x", p(f(x)) * absolute(f.prime(x)))
model = define("p_x", q(f(x)) * absolute(f.prime(x)))


@derivation("Change of variables in one coordinate")
def change_of_variables(d):
    d.start(integral(k(f(x)) * p_x, x), name="law", words="if $x$ has the density $p_x$, then $f(x)$ has the density $p$")
    d.equals(E(p(z), k(z)), by="substitute $z = f(x)$")

    d.start(log(model), name="log", words="in logarithms")
    d.equals(log(q(f(x))) + log(absolute(f.prime(x))), by="the logarithm of a product")

    d.start(log(q(f(f.inverse(z))) * absolute(f.prime(f.inverse(z)))), name="other", words="the other convention")
    d.equals(log(q(z)) - log(absolute(f.inverse.prime(z))), by="the slope of the inverse is one over the slope")


# %% [markdown]
# **What it means.** To know the density at $x$ one needs two numbers: where $x$ goes, and how much the map stretches there. A network that is invertible and tells
# its slope is a density model.
#
# ## Layers in a row
#
# One simple map cannot do much, so do many, one after the other. By the chain rule slopes multiply, so **log-slopes add**. In several coordinates a small box is
# carried to a small parallelepiped, and the factor of its volume is the absolute value of the determinant of the Jacobian. The chain rule multiplies Jacobians, $A$ and $B$;
# determinants multiply too (`normalizing_flow.composition[determinants]`), so **log-determinants add**: each layer reports its own, at the place where the point is when it
# enters that layer. For a linear map $z = Ax$ and a normal density with mean $\mu$ and covariance $\Sigma$ the whole formula can be checked at once (`normalizing_flow.linear`): $z$ is normal with mean $A\mu$ and covariance $A \Sigma A^\top$.
#
# !!! example "By hand"
#
#     Two layers in the plane, first $B$ and then $A$: $A$ has the rows $(2, 0), (1, 1)$ and $B$ the rows $(1, 3), (0, 1)$. The determinants are 2 and 1. $AB$ has the rows $(2, 6), (1, 4)$, and its
#     determinant is $8 - 6 = 2 = 2 \cdot 1$.
#
# In code: `genmath.normalizing_flow.Chain`.

# %%
g = Function("g", invertible=True)
A, B = matrices("A B")
point, mu, S = vectors("x"), mean_vectors("mu"), covariances("Sigma")


@derivation("Log-determinants add", dims=(1, 2, 3))
def composition(d):
    d.start(log(absolute(diff(g(f(x)), x))), name="slopes", words="in one coordinate")
    d.equals(log(absolute(g.prime(f(x)))) + log(absolute(f.prime(x))), by="chain rule")

    d.start(log(absolute(det(A * B))), name="determinants", words="in several coordinates")
    d.equals(log(absolute(det(A))) + log(absolute(det(B))), by="determinants multiply")


@derivation("A linear map of a normal density", dims=(1, 2))
def linear(d):
    d.start(log(Normal(point, mu, S)))
    d.equals(log(Normal(A * point, A * mu, A * S * transpose(A))) + log(absolute(det(A))), by="the change of variables for $z = A x$")


# %% [markdown]
# **What it means.** A deep flow needs no new formula: each layer reports one number, and the numbers are added. The order of the layers matters for where the point is, and not for how the sum is made. Whatever is linear in a
# flow turns normal densities into normal densities; only what bends can make two peaks.
#
# ## Maximum likelihood makes the data look like noise
#
# {{ picture normalizing_flow.trained }}
#
# [Maximum likelihood](likelihood.py) chooses $f$ so that $\mathrm{KL}(r \,\|\, p_x)$ is small, where $r$ is the density of the data: see `divergences.maximum_likelihood`. There is a second view. Send the *data* through $f$.
# They get a density $r_z$ in the space of the noise. Is it close to $p$? An invertible map loses no information, so the divergence is **the same number** in both spaces.
#
# So one may look at training from either side: pull the noise back and compare with the data, or push the data forward and test whether they are standard normal. That is a useful check of a
# trained flow: the coordinates of $z$ must be bells and *independent*. That they are uncorrelated is quickly tested, but not enough.

# %%
r_z = define("r_z", r(f.inverse(z)) * absolute(f.inverse.prime(z)))


@derivation("KL in the data is KL in the noise")
def maximum_likelihood(d):
    d.start(KL(r(x), model, over=x))
    d.equals(KL(r_z, q(z), over=z), by="substitute $z = f(x)$: the slopes cancel inside the logarithm")


# %% [markdown]
# **What it means.** Maximum likelihood in $x$ is least KL in $z$. Nothing is gained or lost by an invertible map; only the shape of the problem changes.
#
# ## Is there always a flow?
#
# {{ picture normalizing_flow.uniform }}
#
# Yes. In one coordinate there is even a famous one: the **distribution function** $F$ of the data, whose slope is the density. Let $u = F(x)$. The probability that $x$ lies between $a$
# and $b$ is the integral of the density $F'$, which is $F(b) - F(a)$. That is the *length* of the interval where $u$ then lies. So $u$ is **uniform** on $(0, 1)$, whatever the data
# are. Do it again for the noise, with its distribution function $G$: then $G^{-1}(F(x))$ has the density of the noise.
#
# In several coordinates do it for one coordinate after the other: $u_1 = F(x_1)$, then $u_2$ is the distribution function of $x_2$ *given $x_1$*, and so on. This is the
# **Knothe–Rosenblatt map**. Its Jacobian is triangular, for $u_1$ does not depend on $x_2$; on the diagonal stand the slopes of the two distribution functions. With the coordinates $x$ and $y$ these are $r(x)$ and
# $r(y \mid x)$. The determinant is their product, the next section says why. That is the density itself, so the density of $u$ is $r/r = 1$.
#
# So triangular maps can turn every positive density into every other. That is why the layers below are triangular: **nothing is lost in principle**. In practice the conditional distribution functions
# are unknown, and a flow learns them.

# %%
F = Function("F")
u = variables("u")
joint = Density("r", x, y, positive=True)


@derivation("Distribution functions make everything uniform")
def uniform(d):
    d.start(integral(F.prime(x), x, between=(a, b)), name="line", words="the probability of an interval")
    d.equals(F(b) - F(a), by="the fundamental theorem of calculus")
    d.equals(integral(1, u, between=(F(a), F(b))), by="it is the length of the interval of $u = F(x)$")

    d.start(joint(x) * joint(y | x), name="triangular", words="two coordinates, one after the other")
    d.equals(joint(x, y), by="product rule: the product of the two slopes is the density")


# %% [markdown]
# **What it means.** A flow between any two positive densities exists, even a triangular one. It is never the only one: rotate the noise, and a standard normal density stays as it is. So likelihood alone does not say *which* code $z$ a data point gets.
#
# ## Triangular Jacobians
#
# A determinant of $n$ coordinates takes about $n^3$ operations, too many for a layer. For some matrices it is cheap. The most useful kind is **triangular**, with zeros above the diagonal: expand by the first row, where only the first entry is not zero, and so on.
# So the determinant is the product of the diagonal, and what stands below does not matter.
#
# The derivation shows a little more. Let $L$ have ones on its diagonal, letters $l_{ij}$ below and zeros above; let $U$ have letters $u_{ij}$ on and above its diagonal. The determinant of the product $LU$ is the product of the diagonal of $U$.
# With a diagonal $U$, the product is any triangular matrix without a zero on its diagonal; with a full one, it is a matrix as in Glow (see below).


# %%
@derivation("Determinants of triangles", n=(2, 3))
def triangular(d, n):
    number_ = {True: number(1), False: number(0)}
    L = [[reals(f"l_{i + 1}{j + 1}") if j < i else number_[i == j] for j in range(n)] for i in range(n)]
    U = [[reals(f"u_{i + 1}{j + 1}") if j >= i else number(0) for j in range(n)] for i in range(n)]
    product = [[plus([L[i][m] * U[m][j] for m in range(min(i, j) + 1)]) for j in range(n)] for i in range(n)]
    d.start(determinant(product))
    d.equals(times([U[i][i] for i in range(n)]), by="determinants multiply, and that of a triangle is its diagonal")


# %% [markdown]
# **What it means.** What is below the diagonal is free: it may be as complicated as one likes, and costs nothing in the determinant. Coupling and autoregressive layers live from this.
#
# ## Coupling layers
#
# {{ picture normalizing_flow.coupling }}
#
# How does one build an invertible network? A trick does it: **keep half of the coordinates, and let them decide what happens to the others.** Keep $x_1$. Compute $s(x_1)$ and
# $t(x_1)$ by any network at all. Then stretch and shift the other half: $z_2 = e^{s(x_1)} x_2 + t(x_1)$.
#
# - To invert, $s$ and $t$ need not be inverted. $x_1$ was kept, so compute $s(x_1)$ and $t(x_1)$ *again*, and undo: $x_2 = (z_2 - t)\, e^{-s}$.
# - The Jacobian is triangular, since $x_1$ does not depend on $x_2$. So its determinant is the product of the diagonal: ones and $e^{s}$. The derivatives of $s$ and $t$ stand below
#   the diagonal and never enter. `normalizing_flow.coupling[mixed]` shows it with a linear map $A$ behind the layer, where $c = \partial z_2/\partial x_1$ appears everywhere and drops out.
# - With $s = 0$ the map keeps volume. That is NICE [@dinh2015nice]. With $s$ it is RealNVP [@dinh2017density].
#
# One layer leaves half of the coordinates as they are, so the next layer keeps the other half. Here $x_1$ and $x_2$ are one coordinate each. With more of them the diagonal
# holds one $e^{s}$ for each coordinate that is mapped, so the log-determinant is the *sum of all $s$*.
#
# !!! example "By hand"
#
#     $s(x_1) = x_1$, $t(x_1) = 1 - x_1$, at $x = (0.5, 2)$. Then $z_2 = e^{0.5} \cdot 2 + 0.5 \approx 3.797$, and the log-determinant is $0.5$. Back: $(3.797 - 0.5)\, e^{-0.5} \approx 2$.
#     The log-density at $x$, with standard normal noise: $-\log 2\pi - \frac12 (0.5^2 + 3.797^2) + 0.5 \approx -8.67$.
#
# In code: `genmath.normalizing_flow.Coupling`, `genmath.normalizing_flow.RealNVP`.


# %%
s, t = Function("s"), Function("t")
kept, other = reals("x_1 x_2")
scale, shift = s(kept), t(kept)


@derivation("A coupling layer")
def coupling(d):
    mapped = define("z_2", exp(scale) * other + shift)
    d.start(diff(kept, kept) * diff(mapped, other), name="determinant", words="its determinant")
    d.equals(exp(scale), by="the product of the diagonal, since the Jacobian is triangular")

    rows = letters("A", 2)
    below_diagonal = define("c", diff(mapped, kept))
    full = [[define(f"M_{i}1", first + second * below_diagonal), define(f"M_{i}2", second * exp(scale))] for i, (first, second) in enumerate(rows, 1)]
    d.start(determinant(full), name="mixed", words="with any linear map behind it")
    d.equals(exp(scale) * determinant(rows), by="what stands below the diagonal drops out")

    d.start(diff(kept, kept) * diff(other + shift, other), name="volume", words="shifts alone keep volume")
    d.equals(1, by="the diagonal is made of ones")

    d.start((mapped - shift) * exp(-scale), name="inverse", words="the way back")
    d.equals(other, by="undo the shift, then the scale")
    d.slip(
        "udl-elementwise-jacobian",
        wrong=equal(diff(mapped, kept), 0),
        right=equal(diff(mapped, kept), s.prime(kept) * exp(scale) * other + t.prime(kept)),
        source="Understanding Deep Learning, 4th printing, section 16.3.3 (its errata)",
        why="The Jacobian of a coupling layer was called diagonal. The kept coordinate sets the scale and the shift of the other one, so an entry stands below the diagonal; only the determinant does not see it.",
    )


# %% [markdown]
# **What it means.** All the freedom is in $s$ and $t$, which may be networks of any kind. The price: one layer changes each coordinate only by a stretch and a shift. Many layers are
# needed, and each must keep another part. Glow [@kingma2018glow] puts a learned linear mixing between them (see below).
#
# {{ explorer coupling }}
#
# ## Splines: a bent map of each coordinate
#
# {{ picture normalizing_flow.spline }}
#
# A coupling layer may use *any increasing map* of $x_2$ whose parameters come from $x_1$. A straight line can stretch, but it cannot make two peaks. A **monotone spline** can
# [@durkan2019neural]: cut the interval into bins, and put into each bin a piece of curve that rises from one corner to the other with given slopes at the ends.
#
# In one bin of width $w$ and height $h$, let $u$ between 0 and 1 be the place in the bin, $m = h/w$ the mean slope, and $d_0, d_1 > 0$ the slopes at the left and right end. The curve is a
# *rational-quadratic*, one quadratic divided by another: $\rho$ is how far it has risen, $\beta$ its denominator, and $\sigma$ its slope: $\beta = m + (d_0 + d_1 - 2m)\,u(1-u)$, $\rho = h\,(m u^2 + d_0\,u(1-u))/\beta$ and
# $\sigma = m^2\,(d_1 u^2 + 2m\,u(1-u) + d_0 (1-u)^2)/\beta^2$.
#
# - The denominator is positive (`normalizing_flow.spline[denominator]`), and so is the slope: every term of its numerator is positive (`normalizing_flow.spline[slope]`, `normalizing_flow.spline[increasing]`). So no constraint is needed but positive numbers, which a network gives by a softplus, $\log(1 + e^a)$, and bin sizes, which it gives by a softmax.
# - At the ends the slope is exactly $d_0$ and $d_1$, so two neighbours that share the slope at their common corner join smoothly.
# - The inverse solves a quadratic equation (`normalizing_flow.spline[quadratic]`): given the rise $y$ above the lower corner, find $u$. The curve rises, so exactly one root lies between 0 and 1.
# - Outside the bins the spline is a straight line of slope one: the first bin has $d_0 = 1$, the last $d_1 = 1$, and every point of the line has an image.
#
# !!! example "By hand"
#
#     $w = h = 1$, $d_0 = 1$, $d_1 = 3$, so $m = 1$. In the middle, $u = \frac12$: the denominator is $\beta = 1 + (1 + 3 - 2) \cdot \frac14 = 1.5$, the curve has risen by
#     $(\frac14 + \frac14)/1.5 = \frac13$, and its slope is $(3 \cdot \frac14 + 2 \cdot \frac14 + \frac14)/1.5^2 = 1.5/2.25 = \frac23$.
#
# In code: `genmath.normalizing_flow.Spline`, `genmath.normalizing_flow.NSF`.

# %%
place = fractions("u")
h, w, d_0, d_1 = positives("h w d_0 d_1")
mean = define("m", h / w)


def below(at):
    return define("beta", mean + (d_0 + d_1 - 2 * mean) * at * (1 - at))


def rise(at):
    return define("rho", h * (mean * at**2 + d_0 * at * (1 - at)) / below(at))


def slope_of_spline(at):
    return mean**2 * (d_1 * at**2 + 2 * mean * at * (1 - at) + d_0 * (1 - at) ** 2) / below(at) ** 2


@derivation("One bin of a monotone rational-quadratic spline")
def spline(d):
    d.start(below(place), name="denominator", words="the denominator is positive")
    d.more_than(0, by="it is a sum of positive terms", because=mean * ((1 - place) ** 2 + place**2) + (d_0 + d_1) * place * (1 - place))

    d.start(diff(rise(place), place) / w, name="slope", words="its slope")
    d.equals(slope_of_spline(place), by="quotient rule; a step in $x$ is $w$ times a step in $u$")

    rising = define("sigma", slope_of_spline(place))
    d.start(rising, name="increasing", words="the slope is positive")
    d.more_than(0, by="every term is positive", because=rising)

    d.start(slope_of_spline(number(0)), name="left", words="the slope at the left end")
    d.equals(d_0, by="only the last term is left")
    d.start(slope_of_spline(number(1)), name="right", words="the slope at the right end")
    d.equals(d_1, by="only the first term is left")

    risen = reals("y")
    bend = d_0 + d_1 - 2 * mean
    d.start((rise(place) - risen) * below(place), name="quadratic", words="the way back is a quadratic equation")
    d.equals((h * (mean - d_0) + risen * bend) * place**2 + (h * d_0 - risen * bend) * place - mean * risen, by="sort by powers of $u$")


# %% [markdown]
# **What it means.** A spline with enough bins comes as close as one likes to any increasing map of an interval, so one layer can already make several peaks. On the two moons of the laboratory three spline layers come closer to the truth than six affine ones.
#
# ## One coordinate after the other: MAF and IAF
#
# {{ picture normalizing_flow.passes }}
#
# A coupling layer has two blocks. Take the idea to its end: let *every* coordinate be mapped by a map that depends on **all coordinates before it**, $z_i = f_i(x_1, \dots, x_i)$. The Jacobian is again
# triangular, and the log-determinant is the sum of the log-slopes $\log \partial z_i/\partial x_i$.
#
# With affine maps this is an old friend. Let $x_i$ given the coordinates before it be normal, with a mean $m_i$ and a standard deviation $\sigma_i$ that depend on them: an **autoregressive model**, as in [the chapter before](autoregressive.py), of numbers in place of symbols. Its density is
# the density of the noise at $z_i = (x_i - m_i)/\sigma_i$, with the log-determinant $-\sum_i \log \sigma_i$ (`normalizing_flow.autoregressive[normal]`). So an autoregressive model with normal conditionals *is* a flow of one
# layer: a **masked autoregressive flow** [@papamakarios2017masked]. Several layers, with the order of the coordinates changed between them, say more.
#
# Which way is fast?
#
# - **Density of data** ($x \to z$): all $x$ are known, so a masked network (one that lets output $i$ see only inputs before $i$) gives all $m_i$ and $\sigma_i$ in *one pass*.
# - **Sampling** ($z \to x$): $m_2$ needs $x_1$, $m_3$ needs $x_1$ and $x_2$ … so it takes *as many passes as there are coordinates*.
#
# Read the same layer the other way, and the costs change sides. This is **inverse autoregressive flow** [@kingma2016improving]: $x_i = m_i + \sigma_i z_i$, where $m_i$ and $\sigma_i$ depend on the *noise* before. Samples in one pass, with their
# own densities; but the density of somebody else's $x$ takes many. A variational posterior (see *Flows as posteriors* below) only needs the density of its own samples, so IAF fits there. A fast sampler can also be *distilled*: an IAF student draws
# in parallel, and a trained autoregressive teacher says how likely the draws are; that made WaveNet fast [@oord2018parallel].
#
# !!! example "By hand"
#
#     $m_1 = 0$, $\sigma_1 = 1$, $m_2 = x_1^2$, $\sigma_2 = \frac12$. At $x = (1, 2)$: $z = (1, (2 - 1)/0.5) = (1, 2)$, and the log-determinant is $-\log 0.5 \approx 0.693$. Back from $z = (1, 2)$: first $x_1 = 1$, and only
#     then $m_2 = 1$ is known and $x_2 = 1 + 0.5 \cdot 2 = 2$.
#
# In code: `genmath.normalizing_flow.Autoregressive`, `genmath.normalizing_flow.MAF`, `genmath.normalizing_flow.IAF`.


# %%
@derivation("Autoregressive flows", n=(2, 3))
def autoregressive(d, n):
    xs = row("x", n)
    means = [reals("m_1"), *[define(f"m_{i}", Function(f"m_{i}")(*xs[: i - 1])) for i in range(2, n + 1)]]
    logs = [reals("a_1"), *[define(f"a_{i}", Function(f"a_{i}")(*xs[: i - 1])) for i in range(2, n + 1)]]
    spreads = [define(f"sigma_{i}", exp(a_i)) for i, a_i in enumerate(logs, 1)]
    noise = [define(f"z_{i}", (x_i - m_i) / s_i) for i, (x_i, m_i, s_i) in enumerate(zip(xs, means, spreads, strict=True), 1)]
    d.start(log(times([Normal(x_i, m_i, s_i**2) for x_i, m_i, s_i in zip(xs, means, spreads, strict=True)])), name="normal", words="an autoregressive model is a flow of one layer")
    d.equals(log(times([Normal(z_i, 0, 1) for z_i in noise])) - plus(logs), by="a normal density is divided by its standard deviation; $a_i = \\log \\sigma_i$")

    if n > 2:
        return
    m, log_spread, noise_ = reals("m a z")
    back = define("x", m + exp(log_spread) * noise_)
    d.start(log(diff(back, noise_)), name="inverse", words="the log-slope of the way back")
    d.equals(log_spread, by="$x = m + e^a z$")
    d.slip(
        "maf-inverse-logdet",
        wrong=equal(log(diff(back, noise_)), -log_spread),
        right=equal(log(diff(back, noise_)), log_spread),
        source="ikostrikov/pytorch-flows, issue 16",
        why="The code returned the same log-determinant for both directions. If one direction stretches, the other one presses: the signs must be opposite, and a density computed with the wrong one does not integrate to one.",
    )


# %% [markdown]
# **What it means.** Coupling, MAF and IAF are one idea: a triangular map. They differ in which side is computed at once.
#
# ## Cheap determinants without triangles { .advanced }
#
# {{ picture normalizing_flow.planar }}
#
# **Planar flows** [@rezende2015variational]. Move every point along one direction $u = (u_1, u_2, \dots)$, by an amount that depends on one number: $z = x + u\, h(\alpha)$ with
# $\alpha = w_1 x_1 + w_2 x_2 + \dots + b$. The Jacobian is the identity plus a matrix of rank one, and its determinant is one plus a number (`normalizing_flow.planar[determinant]`, the *determinant lemma*): no $n^3$.
# *Sylvester flows* move along several directions, here two: the columns of $V$, by amounts that depend on the two numbers $W^\top x$. The Jacobian is $I + V D W^\top$ with a diagonal $D$ of slopes, and a determinant of two rows is
# left, whatever the number of coordinates (`normalizing_flow.sylvester`).
#
# For $h = \tanh$ the slope $h'$ is $1 - \tanh^2$, between 0 and 1. Let $c = w_1 u_1 + w_2 u_2 + \dots$. If $c > -1$, the determinant $1 + c\,h'$ is positive (`normalizing_flow.planar_positive`). Then the map is invertible: $w_1 z_1 + w_2 z_2 + \dots + b = \alpha + c \tanh \alpha$ rises with
# $\alpha$, so $z$ tells $\alpha$, and $x = z - u\,h(\alpha)$. To have $c > -1$ for
# all parameters, replace $u$ by $v = u + (m - c)\, w/N$, where $N$ is the **squared** length of $w$. Then $w_1 v_1 + w_2 v_2 + \dots$ is exactly $m$, which one chooses above $-1$ (`normalizing_flow.planar[moved]`).
#
# In code: `genmath.normalizing_flow.Planar`.


# %%
@derivation("Planar flows", n=(2, 3))
def planar(d, n):
    us, ws, xs = row("u", n), row("w", n), row("x", n)
    h = Function("h")
    along = define("alpha", dot_product(ws, xs) + b)
    zs = [define(f"z_{i}", x_i + u_i * h(along)) for i, (x_i, u_i) in enumerate(zip(xs, us, strict=True), 1)]
    result = 1 + h.prime(along) * dot_product(ws, us)
    d.start(determinant([[diff(z_i, x_j) for x_j in xs] for z_i in zs]), name="determinant", words="the determinant lemma")
    d.equals(result, by="all 2 by 2 subdeterminants of a matrix of rank one are zero")

    c = define("c", dot_product(ws, us))
    m, N = reals("m"), define("N", dot_product(ws, ws))
    moved = [define(f"v_{i}", u_i + (m - c) * w_i / N) for i, (u_i, w_i) in enumerate(zip(us, ws, strict=True), 1)]
    d.given_that(N > 0)
    d.start(dot_product(ws, moved), name="moved", words="a direction that is allowed")
    d.equals(m, by="the product of $w$ with itself is $N$")

    if n > 2:
        return
    d.slip(
        "planar-uhat-norm",
        wrong=equal(dot_product(ws, [u_i + (m - c) * w_i / sqrt(N) for u_i, w_i in zip(us, ws, strict=True)]), m),
        right=equal(dot_product(ws, moved), m),
        source="pyro-ppl/pyro PR 2192; tonyduan/normalizing-flows issue 2",
        why="The direction was moved along $w$ divided by its length, where the square of the length belongs. The product with $w$ is then not the number that was chosen, and the map may fold space after all.",
    )
    slope = reals("s")
    once = determinant([[1 + slope * us[0] * ws[0], slope * us[0] * ws[1]], [slope * us[1] * ws[0], 1 + slope * us[1] * ws[1]]])
    d.slip(
        "planar-double-slope",
        wrong=equal(once, 1 + slope**2 * dot_product(us, ws)),
        right=equal(once, 1 + slope * dot_product(us, ws)),
        source="danielward27/flowjax PR 170",
        why="The slope of the activation was multiplied into both vectors. The Jacobian holds it once, so the determinant does, too.",
    )


V, W = matrices("V W", columns=2)
D = matrices("D", rows=2, columns=2, domain="diagonal")


@derivation("Sylvester flows: a small determinant for a large one", dims=(2, 3))
def sylvester(d):
    d.start(det(identity + V * D * transpose(W)))
    d.equals(det(identity_of(2) + D * transpose(W) * V), by="Sylvester's identity")


@derivation("A planar flow does not fold")
def planar_positive(d):
    c, v = reals("c v")
    d.given_that(c > -1)
    d.start(1 + c * (1 - tanh(v) ** 2))
    d.more_than(0, by="a sum of two terms that are not negative and never zero together", because=(1 + c) * (1 - tanh(v) ** 2) + tanh(v) ** 2)


# %% [markdown]
# **What it means.** A map that changes few directions has a small determinant to compute. But one planar layer makes one fold-free wrinkle along one line, so many are needed; in many coordinates couplings and splines have displaced them.
#
# **Linear mixing by LU** [@kingma2018glow]. Between couplings one wants to mix the coordinates by a matrix. Its determinant costs $n^3$ operations, unless it is kept as a product of triangular factors:
# $L$ with ones on its diagonal, and $U$. Then the determinant is the product of the diagonal of $U$. A fixed permutation in front only changes the sign. In images this is applied to the channels of every
# pixel: an *invertible 1 × 1 convolution*. See `normalizing_flow.triangular`. In code: `genmath.normalizing_flow.Mixing`; a scale and a shift for each coordinate are `genmath.normalizing_flow.ActNorm`;
# with couplings by convolutions they make `genmath.normalizing_flow.Glow`.
#
# **Residual flows** [@behrmann2019invertible] [@chen2019residual]. Let $z = x + g(x)$ with any network $g$ that changes less than its argument: $|g(u) - g(v)| \le L\,|u - v|$ with $L < 1$. Then one can go back, by
# repeating $x \leftarrow z - g(x)$: each step multiplies the distance of two candidates by at most $L$ (`normalizing_flow.residual[contraction]`, where $s$ is $z$), so there cannot be two solutions, the repetition converges to one, and the error after $k$ steps is at most $L^k$ times the first.
#
# The log-determinant is a series. In one coordinate with $g' = a$ it is $\log(1 + a) = a - a^2/2 + a^3/3 - \dots$, and cut after $n$ terms the error is an integral of $\pm s^n/(1 + s)$ from 0 to $a$
# (`normalizing_flow.residual[cut]` gives its derivative). For $|a| \le L$ this is at most $\frac{L^{n+1}}{(n + 1)(1 - L)}$. In several coordinates the powers of $a$ become **traces of powers of the Jacobian** $A$ of $g$:
# $\log\det(I + A) = \operatorname{tr} A - \operatorname{tr} A^2/2 + \dots$. Why? A matrix has eigenvalues
# $a_1, a_2, \dots$; $\log\det(I + A)$ is the sum of all $\log(1 + a_i)$, and the trace of $A^k$ is the sum of all $a_i^k$. In the plane, $a_1 + a_2$ is the trace and $a_1 a_2$ the determinant, so `normalizing_flow.residual[powers]` is $a_1^2 + a_2^2$.
# The traces are estimated from random directions, as in `cnf.hutchinson`.
#
# In code: `genmath.normalizing_flow.Residual`, `genmath.normalizing_flow.log_det_series`.

# %%
L = fractions("L")


@derivation("Residual flows", n=(1, 2, 3))
def residual(d, n):
    if n == 1:
        v, w, s = reals("v w s")
        g = Function("g")
        d.given_that(absolute(g(v) - g(w)) <= L * absolute(v - w))
        d.start(absolute((s - g(v)) - (s - g(w))), name="contraction", words="a step of the way back brings points together")
        d.at_most(L * absolute(v - w), by="the hypothesis on $g$", because=L * absolute(v - w) - absolute(g(v) - g(w)))

    step = reals("a")
    d.given_that(1 + step > 0)
    series = plus([step, *[-(step**i) / i if i % 2 == 0 else step**i / i for i in range(2, n + 1)]])
    d.start(diff(log(1 + step) - series, step), name="cut", words="what the cut series leaves out")
    d.equals((-step) ** n / (1 + step), by="a geometric sum")

    if n == 2:
        M = letters("A", 2)
        squares = plus([M[i][m] * M[m][i] for i in range(2) for m in range(2)])
        d.start(squares, name="powers", words="the trace of the square of a Jacobian")
        d.equals((M[0][0] + M[1][1]) ** 2 - 2 * determinant(M), by="expand")


# %% [markdown]
# **What it means.** Here the Jacobian is full: every output depends on every input. The price is paid twice: the way back is a loop, and the log-determinant a series that must be cut (which makes it wrong by at most a known amount) or cut at a random place (which keeps it right on average).
#
# ## Flows as posteriors
#
# In a [variational autoencoder](vae.py) the posterior $q$ is often a normal density with independent coordinates, and the bound is loose where the true one is not. Put a flow on top. In this section $x$ is the *hidden variable*; the data point is fixed and not
# written. Draw $z$ from the simple $q$, and use $x = g(z)$ with an increasing map
# $g$. Its density $q_x$ is known at the samples, which is all that the bound needs. Let $w(x)$ be the logarithm of the joint density of data and hidden variable, as a function of the hidden variable. The bound is the mean of $w - \log q_x$, and by the change of variables:

# %%
simple = Density("q", z, positive=True)
rising = Function("g", increasing=True)
joint_log = Function("w")
q_x = define("q_x", simple(rising.inverse(x)) * rising.inverse.prime(x))


@derivation("The evidence bound of a posterior that is a flow")
def posterior(d):
    d.start(integral(q_x * (joint_log(x) - log(q_x)), x))
    d.equals(E(simple(z), joint_log(rising(z)) - log(simple(z)) + log(rising.prime(z))), by="substitute $x = g(z)$")


# %% [markdown]
# **What it means.** Draw from the simple density, transform, and *add* the log-slope of $g$. Nothing is inverted: that is why IAF, which is slow backwards, is at home here. In code:
# `genmath.normalizing_flow.Flow.rsample_and_log_prob`.
#
# ## What a flow cannot do
#
# {{ picture normalizing_flow.bridge }}
#
# A flow bends space like rubber. It cannot tear it and cannot glue it.
#
# - **Topology.** The noise is in one piece, so the data are in one piece. Two separate modes are always joined by a *bridge* of small positive density, and a ring has a gap or a filled hole. To make the bridge thin the map from data
#   to noise must be nearly flat there.
# - **Tails.** Suppose that the slope of $f$ lies between $1/L$ and $L$ everywhere, and $f(0) = 0$. Let $v = f(x)$ and let $s$ be the slope there. Then the density of $x$ is at most $L$ times
#   the standard normal density at $x/L$, and at least $1/L$ times that at $Lx$ (`normalizing_flow.tails`, `normalizing_flow.tails_below`). So **data with heavy tails cannot be reached** by such a flow from normal noise. Splines with linear ends, and layers whose scales are bounded and whose shifts grow at most in proportion to their input, behave in the same way. Heavy tails need noise with heavy tails.
# - **Dimension.** Noise and data have equally many coordinates. Data on a surface of lower dimension have no density at all, and the likelihood grows without limit; add noise first.

# %%
reach = positives("L")
at, v = reals("x v")
steep = positives("s")


@derivation("A map that presses little has no heavy tails")
def tails(d):
    d.given_that(v**2 >= at**2 / reach**2)
    d.given_that(steep <= reach)
    d.start(log(Normal(v, 0, 1) * steep))
    d.at_most(log(Normal(at / reach, 0, 1) * reach), by="both parts are at most as large", because=(v**2 - at**2 / reach**2) / 2 + log(reach / steep))


@derivation("A map that stretches little has no light tails")
def tails_below(d):
    d.given_that(v**2 <= reach**2 * at**2)
    d.given_that(steep >= 1 / reach)
    d.start(log(Normal(v, 0, 1) * steep))
    d.at_least(log(Normal(reach * at, 0, 1) / reach), by="both parts are at least as large", because=(reach**2 * at**2 - v**2) / 2 + log(steep * reach))


# %% [markdown]
# **What it means.** The logarithm of the density can fall no slower and no faster than a parabola. A Cauchy density falls like $1/x^2$, its logarithm like $-2 \log |x|$: far outside every such flow gives its points much too little. Look at the largest losses of single points before you trust a mean.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - $\log p_x(x) = \log p(f(x)) + \log |\det \partial f/\partial x|$: where the map stretches, the data are denser than the noise at their image (`normalizing_flow.change_of_variables`).
#     - Layers in a row: log-determinants add (`normalizing_flow.composition`).
#     - Maximum likelihood in the data is least KL in the noise (`normalizing_flow.maximum_likelihood`).
#     - Coupling: keep one half, map the other half by functions of the first; triangular, inverted without inverting a network (`normalizing_flow.coupling`).
#     - Splines are increasing maps of a coordinate with many pieces; the way back is a quadratic equation (`normalizing_flow.spline`).
#     - An autoregressive model is a flow of one layer. MAF: density at once, samples one coordinate at a time. IAF: the other way round (`normalizing_flow.autoregressive`).
#     - Every positive density can be reached in principle (`normalizing_flow.uniform`); with slopes bounded above and below no heavy tails (`normalizing_flow.tails`), and never two separate pieces.
#
# ## Questions
#
# ??? question "A map stretches by 3 at a point. Is the data density there three times or a third of the noise density at its image?"
#
#     Three times: $p_x(x) = p(f(x)) \cdot 3$, for a map *from data to noise*. If 3 is the stretching of the generator, from noise to data, it is a third. Say the direction first.
#
# ??? question "Why does nobody differentiate the networks s and t for the determinant of a coupling layer?"
#
#     Their derivatives stand below the diagonal of a triangular matrix, and the determinant is the product of the diagonal (`normalizing_flow.triangular`, `normalizing_flow.coupling[mixed]`).
#
# ??? question "A coupling layer keeps the first half. What happens if all layers keep the same half?"
#
#     The first half is never changed: its model is the noise itself, standard normal. So layers take turns, or the coordinates are mixed in between.
#
# ??? question "You need samples in real time, and never the density of data. MAF or IAF?"
#
#     IAF: one pass for all coordinates. But training by maximum likelihood needs the density of data, which takes IAF one pass a coordinate; so train otherwise, for example by distilling an autoregressive teacher.
#
# ??? question "Somebody multiplies all data by 255 and reports a log-likelihood that is lower by 5.54 nats a dimension. Is the model worse?"
#
#     No. Multiplying by 255 stretches the data, and the density falls by the factor 255 in each dimension: $\log 255 \approx 5.54$. Log-densities can only be compared in the same units.
#
# ??? question "The histograms of all coordinates of $z = f(x)$ are perfect bells. Is the flow perfect?"
#
#     Not necessarily: the coordinates may still depend on one another. Every marginal can be normal and the joint density not.
#
# {{ spot maf-inverse-logdet among normalizing_flow.coupling[inverse] normalizing_flow.composition[slopes] }}
#
# ## What these results do not say
#
# - **Several coordinates.** The change of variables is proved here for every map of the line, and for linear maps of normal densities. For triangular maps of several coordinates it follows by one coordinate at a time; for an arbitrary smooth map it is a theorem of analysis that is
#   used and not proved here. Determinants are checked for up to three coordinates.
# - **That a flow exists does not mean that it is found.** Knothe–Rosenblatt needs all conditional distribution functions. Layers of bounded depth approximate it, and training may stop elsewhere.
# - **Invertible on paper, not always in the machine.** A layer that presses by a large factor loses digits on the way, and the inverse multiplies the error by this factor. Errors are about the rounding error times the largest stretching of the way back.
# - **A high likelihood is not a good sample,** nor is a low likelihood a sign of an anomaly: a change of units, or a constant background, moves it.
# - **Bounds at infinity.** `normalizing_flow.tails` is about maps that stretch and press by bounded factors *everywhere*. A map whose slope goes to zero far out can make heavy tails.
#
# ## Where sources slip
#
# - `normalizing_flow.coupling`: the Jacobian of a coupling layer is triangular, not diagonal (`udl-elementwise-jacobian`).
# - `normalizing_flow.autoregressive`: the same sign of the log-determinant for both directions (`maf-inverse-logdet`).
# - `normalizing_flow.planar`: the length of $w$ in place of its square (`planar-uhat-norm`), and the slope counted twice (`planar-double-slope`).
#
# ## References
#
# - [@papamakarios2021normalizing]: a survey; autoregressive flows (section 3.1), residual flows (section 3.3), Knothe–Rosenblatt (section 2.2).
# - [@dinh2015nice], [@dinh2017density]: coupling layers, shifts and then scales.
# - [@kingma2018glow]: mixing by LU, actnorm.
# - [@durkan2019neural]: monotone rational-quadratic splines (section 3.1).
# - [@papamakarios2017masked], [@kingma2016improving]: MAF and IAF. [@germain2015made]: the masks.
# - [@rezende2015variational]: planar flows, and flows as posteriors.
# - [@behrmann2019invertible], [@chen2019residual]: residual flows.
# - [@oord2018parallel]: an IAF that was distilled from a WaveNet.
