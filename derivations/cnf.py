# %% [markdown]
# # Continuous normalizing flows
#
# A smooth field of arrows carries every point somewhere, and with the points it carries a density. Where the flow spreads
# out, the density thins; where it converges, the density rises. How much exactly? If we can say, a flow from data to
# noise gives the *log-likelihood of the data* with no bound and no sampling: follow a data point to the noise, where
# the density is known, and add up on the way how much it was thinned out.
#
# **The answer in a line:** along the flow, $\log p$ falls at the rate of the field's divergence, which is the
# trace of its Jacobian; and that trace can be estimated without bias from one random direction.
#
# {{ picture cnf.question }}
#
# !!! board "On the board"
#
#     A point moves with the field $f$ from data at $t = 0$ to noise at $t = 1$. Its log-density falls at the rate of the
#     divergence of $f$. So the log-density at the data is that of the noise plus all that was lost on the way:
#
#     {{ cnf.likelihood }}
#
#     $\ell(t)$ is $\log p$ at time $t$, at the place where the point is then; $\ell(0)$ is the log-likelihood of the data
#     point, and $\ell(1)$ the log-density of the noise where it arrives. $\mathrm{div}$ is the divergence of the field
#     there, $\partial_1 f_1 + \dots + \partial_n f_n$, where $\partial_i$ is the derivative in the $i$-th coordinate: the trace of
#     the field's Jacobian, the matrix of all $\partial_j f_i$. In one coordinate:
#
#     {{ cnf.instantaneous[along] }}
#
#     On the left is the rate of $\log p$ for somebody who moves with the field: what changes with time, plus what changes because
#     they move. $R$ is zero for the density that the field carries; why is said below.
#
# <div class="two" markdown="block">
#
# !!! train "Train by likelihood"
#
#     1. Draw data $x$, and for each a random direction $w$: every entry is $1$ or $-1$, with probability one half.
#     2. Run a solver from $t = 0$ to $1$; on the way add up $w^\top A w$, with the Jacobian $A$ of the field:
#        `genmath.solvers.transport`.
#     3. Add the log-density of the noise at the place of arrival: `genmath.cnf.log_prob` does 2 and 3.
#     4. Take a gradient step on minus the mean.
#
# !!! sample "Sample"
#
#     1. Draw noise.
#     2. Run the solver from $t = 1$ to $0$: `genmath.cnf.sample`. No divergence is needed.
#
# </div>
#
# Most flows are trained otherwise today, by [Flow matching](flow_matching.py); their likelihood is still computed as here.

# %% [markdown]
# ## Notation and hypotheses
#
# - Time $t$ runs from 0 to 1, **data at 0 and noise at 1**, as in all chapters. Many papers on flows run the other way, from
#   noise at $t_0$ to data at $t_1$ [@chen2018neural] [@grathwohl2019ffjord]: there the integral of the divergence enters
#   the log-density of the data with a minus sign.
# - The field has the components $f_1, \dots, f_n$, which may depend on time. Its flow $\varphi(t, z)$ starts at $z$ and moves
#   with the field: $\partial_t \varphi = f(t, \varphi)$.
# - The *divergence* is $\operatorname{div} f = \partial_1 f_1 + \dots + \partial_n f_n$. (It has nothing to do with the
#   divergences of two densities.) The Jacobian of the flow has the entries $J_{ij} = \partial \varphi_i / \partial z_j$, and
#   $D$ is its determinant.
# - Fields, flows and densities are any smooth functions, in $n = 1, 2, 3$ coordinates that are written out.
# - $p(t, x)$ is a density at every time $t$, positive everywhere.
# - How to write the derivative $\partial_1 f$ at the place $\varphi$? Here the place is shifted by $e = (e_1, e_2, \dots)$, and one
#   differentiates in the shift: $\partial_{e_1} f(\varphi_1 + e_1, \varphi_2)$ at $e = 0$ is $\partial_1 f$ at $\varphi$. In the same way a
#   shift $s$ of the time gives the derivative in time. The equations hold for every shift, so they hold for the shift 0.

# %%
from genmath.proof import *

t, s, h, a = reals("t s h a")
x, z, w, y = variables("x z w y")
p = Function("p", positive=True)


def alternate(terms):
    """The first, less the second, plus the third."""
    total, *others = terms
    for i, term in enumerate(others):
        total = total + term if i % 2 else total - term
    return total


def pairs(n):
    """All pairs of a smaller and a larger index."""
    return [(i, j) for i in range(n) for j in range(i + 1, n)]


def signs(n):
    """All choices of n signs."""
    return [(sign, *rest) for sign in (1, -1) for rest in signs(n - 1)] if n else [()]


def without(matrix, i, j):
    return [[*row[:j], *row[j + 1 :]] for k, row in enumerate(matrix) if k != i]


def determinant(matrix):
    """The determinant, expanded by the first row."""
    if len(matrix) == 1:
        return matrix[0][0]
    return alternate([matrix[0][j] * determinant(without(matrix, 0, j)) for j in range(len(matrix))])


def cofactor(matrix, i, j):
    """What multiplies the entry (i, j) in the determinant."""
    minor = determinant(without(matrix, i, j))
    return define(f"C_{i + 1}{j + 1}", -minor if (i + j) % 2 else minor)


def letters(name, n):
    """The entries of an n by n matrix of parameters."""
    return [[reals(f"{name}_{i}{j}") for j in range(1, n + 1)] for i in range(1, n + 1)]


def multiplied(name, A, B):
    """The product of two matrices, with a letter for each entry."""
    n = range(len(A))
    return [[define(f"{name}_{i + 1}{j + 1}", plus([A[i][k] * B[k][j] for k in n])) for j in n] for i in n]


def matched(matrix, other):
    """The sum of the products of the cofactors of one matrix and the entries of another."""
    n = range(len(matrix))
    if len(n) == 1:
        return other[0][0]
    return plus([cofactor(matrix, i, j) * other[i][j] for i in n for j in n])


# %% [markdown]
# ## The one idea
#
# {{ picture cnf.cells }}
#
# Points are neither made nor lost. So if the flow makes a small cell larger, the density in it falls by the same factor:
# *area times density stays*. Now take a short time $h$. In one coordinate take an interval of length $\delta$. Its two ends move
# with slightly different velocities, $f(x)$ and $f(x + \delta) \approx f(x) + f'(x)\,\delta$; its length becomes
# $\delta\,(1 + h f'(x))$. In several coordinates each side of a small box grows in this way, and the volume by
# about the factor $1 + h\,(\partial_1 f_1 + \dots + \partial_n f_n)$. The sum in it is the divergence. The logarithm of the factor is about
# $h \operatorname{div} f$, so in the time $h$ the log-density loses $h \operatorname{div} f$. Add up all short times: **the log-density
# loses the integral of the divergence**. The rest of the chapter makes this exact and says how to compute it.
#
# !!! example "By hand"
#
#     The data of the first picture have the density $0.6$ times a normal with mean $1$ and deviation $0.3$, and a second
#     peak that is far from $x = 1$. The normal has the height $1/(0.3 \sqrt{2 \pi}) \approx 1.330$ at its mean, so
#     $\log p(1) \approx \log(0.6 \cdot 1.330) \approx -0.226$. Now the same by the flow. A solver (not by hand) says that it carries $x = 1$ to
#     $0.524$, and that the divergence adds up to $0.831$ on the way. The noise has the log-density
#     $-\frac12 \log 2\pi - \frac12\, 0.524^2 \approx -1.056$ there. And $-1.056 + 0.831 = -0.225$: the same up to rounding.
#
# {{ picture cnf.along }}
#
# ## Change of variables
#
# First one map, in one coordinate: let $x = T(z)$ with an increasing $T$. For any number $b$, $x \le T(b)$ says the same as $z \le b$. So
# the two probabilities are equal: $F(T(b))$, with the distribution function $F$ of $x$, is the probability of $z \le b$. Differentiate
# by $b$: the density of $z$ at $b$ is the density of $x$ at $T(b)$, *times the slope* $T'(b)$. Where $T$ stretches, the density of $x$ is
# smaller. In the second part $p_x = F'$ is the density of $x$, and $g = T'$ the slope.
#
# !!! example "By hand"
#
#     Let $z$ be standard normal and $x = 2z$. The density of $z$ at $0$ is $0.399$. All lengths are doubled, so the density
#     of $x$ at $0$ is $0.199$: a normal with deviation 2. In logarithms: $\log 2 \approx 0.693$ is lost.

# %%
b = reals("b")
F, T = Function("F"), Function("T")
slope, value = Function("g", positive=True), Function("p_x", positive=True)


@derivation("Change of variables in one coordinate")
def change_of_variables(d):
    d.start(diff(F(T(b)), b), name="density", words="a density and a slope")
    d.equals(F.prime(T(b)) * T.prime(b), by="chain rule: the derivative of a distribution function is the density")

    d.start(log(value(T(b)) * slope(b)), name="log", words="with logarithms")
    d.equals(log(value(T(b))) + log(slope(b)), by="the same with logarithms; $g$ is the slope of $T$")


# %% [markdown]
# **What it means.** A map takes the logarithm of its slope away from the log-density. For many maps, one after the other, these logarithms add up.
#
# ## Several coordinates: determinants { .advanced }
#
# In several coordinates the slope becomes the factor by which small volumes grow: the absolute value of the determinant of the
# Jacobian. For normal densities it can be seen at once. Start with standard normal $z_1, z_2, \dots$ and let
# $x_i = \mu_i + l_{i1} z_1 + \dots + l_{ii} z_i$, with a triangular matrix of entries $l_{ij}$ and positive $l_{ii}$; every normal density with a
# positive definite covariance can be made in this way. Given the coordinates before it, $x_i$ is normal with the standard deviation $l_{ii}$; its mean is called $m_i$. The
# density of $x$, here $p_x$, is the product of these, and the determinant is the product of the diagonal $l_{11} l_{22} \cdots$.
# `cnf.affine[inverse]` is the direction in which one trains: from $x$ back to $z$.
#
# When two linear maps with the matrices $A$ and $B$ are done one after the other, the matrix is $M = AB$, and the determinants $D_A$ and
# $D_B$ multiply (`cnf.composition`), so that **log-determinants add**.


# %%
@derivation("Change of variables for normal densities", n=(1, 2, 3))
def affine(d, n):
    zs = copies(z, n)
    shift = [reals(f"mu_{i}") for i in range(1, n + 1)]
    L = [[positives(f"l_{i}{j}") if i == j else reals(f"l_{i}{j}") for j in range(1, i + 1)] for i in range(1, n + 1)]
    before = [define(f"m_{i + 1}", plus([shift[i], *[L[i][j] * zs[j] for j in range(i)]])) for i in range(n)]
    after = [define(f"x_{i + 1}", before[i] + L[i][i] * zs[i]) for i in range(n)]
    standard = times([Normal(z_i, 0, 1) for z_i in zs])
    moved = define("p_x", times([Normal(x_i, m_i, L[i][i] ** 2) for i, (x_i, m_i) in enumerate(zip(after, before, strict=True))]))
    d.start(standard, name="density", words="from the standard normal")
    d.equals(moved * times([L[i][i] for i in range(n)]), by="a normal density is divided by its standard deviation")

    d.start(log(moved), name="inverse", words="the way back, in logarithms")
    d.equals(log(standard) - plus([log(L[i][i]) for i in range(n)]), by="the log-determinant of the way back is minus that of the way there")


@derivation("Determinants multiply", n=(1, 2, 3))
def composition(d, n):
    A, B = letters("A", n), letters("B", n)
    d.start(determinant(multiplied("M", A, B)))
    d.equals(define("D_A", determinant(A)) * define("D_B", determinant(B)), by="expand both sides")


# %% [markdown]
# **What it means.** What is doubled and then tripled is six times as large. Determinants of maps in a row multiply,
# so along a flow their logarithms add. What is dear is the single determinant: for a full matrix of $d$ rows it takes
# about $d^3$ operations.

# %% [markdown]
# ## A small step needs only a trace
#
# {{ picture cnf.square }}
#
# Let the map be a small step along a field, $x + h f(x)$. Its Jacobian is $I + hA$, with the Jacobian $A$ of the field. To first order in
# $h$ its determinant is $1 + h \operatorname{tr} A$: the trace is what is left of a determinant when steps get small. That is why a
# continuous flow needs only a *trace*, for any field. A *discrete* flow is a chain of finitely many maps, its layers, and
# each layer must have a special form so that its determinant is cheap: see [Normalizing flows](normalizing_flow.py).
#
# !!! example "By hand"
#
#     Take $A$ with the rows $(1, 2)$ and $(0, 3)$, and $h = 0.1$. Then $I + hA$ has the rows $(1.1, 0.2)$ and $(0, 1.3)$, and its
#     determinant is $1.43$. The trace alone gives $1 + 0.1 \cdot 4 = 1.4$; what is left is $h^2 \det A = 0.03$. With $h = 0.01$
#     the two are $1.0403$ and $1.04$.


# %%
@derivation("The determinant of a small step", n=(2, 3))
def small_step(d, n):
    A = letters("A", n)
    step = [[1 + h * A[i][j] if i == j else h * A[i][j] for j in range(n)] for i in range(n)]
    squares = [h**2 * determinant([[A[i][i], A[i][j]], [A[j][i], A[j][j]]]) for i, j in pairs(n)]
    cube = [h**3 * determinant(A)] if n == 3 else []
    d.start(determinant(step))
    d.equals(plus([1 + h * plus([A[i][i] for i in range(n)]), *squares, *cube]), by="sort by powers of $h$")


# %% [markdown]
# **What it means.** $\log(1 + h \operatorname{tr} A)$ is $h \operatorname{tr} A$ to first order, and what was left out is of the
# order $h^2$. In a unit of time there are $1/h$ steps, so what was left out adds up to something of the order $h$, and
# vanishes. A determinant of a large matrix takes $n^3$ operations; a trace takes $n$ numbers.
#
# ## The determinant along a flow { .advanced }
#
# Now continuously. Let $J(t)$ be any matrix that depends on time, and $D$ its determinant. The cofactor $C_{ij}$ is what multiplies the entry
# $J_{ij}$ in the determinant. Three steps:
#
# - `cnf.log_determinant[jacobi]`: the derivative of the determinant is the sum of the derivatives of the entries, each times its cofactor.
# - `cnf.log_determinant[trace]`: if $J' = A J$ (the product has the entries $M_{ij}$), that sum is $\operatorname{tr} A$ times the
#   determinant, *whatever $J$ is*. Hence $D' = D \operatorname{tr} A$, Liouville's formula.
# - `cnf.log_determinant[solution]` solves it. Let $B$ be a function with $B' = \operatorname{tr} A$, and $G = e^{B(t) - B(0)}$. The right side is
#   then zero, so $D/G$ does not change with time. At $t = 0$ it is $D(0)$, so $D(t) = D(0) \exp \int_0^t \operatorname{tr} A$.
#
# A flow starts with $J = I$, so **its determinant is positive at all times**: a flow never folds space over.
#
# In code: `genmath.solvers.transport` returns $\int \operatorname{tr} A$ as the log-determinant.

# %%
B, volume = Function("B"), Function("D")
grown = define("G", exp(B(t) - B(0)))


@derivation("The log-determinant grows at the rate of the trace", n=(1, 2, 3))
def log_determinant(d, n):
    J = [[Function(f"J_{i}{j}")(t) for j in range(1, n + 1)] for i in range(1, n + 1)]
    d.start(diff(define("D", determinant(J)), t), name="jacobi", words="the derivative of a determinant")
    d.equals(matched(J, [[diff(entry, t) for entry in row] for row in J]), by="product rule: the derivative of each entry is multiplied by its cofactor")

    A, K = letters("A", n), letters("J", n)
    d.start(matched(K, multiplied("M", A, K)), name="trace", words="only the trace remains")
    d.equals(plus([A[i][i] for i in range(n)]) * define("D", determinant(K)), by="a row with the cofactors of another row gives zero")

    if n < 3:
        return
    d.start(diff(volume(t) / grown, t), name="solution", words="Liouville's formula")
    d.equals((diff(volume(t), t) - B.prime(t) * volume(t)) / grown, by="quotient rule; zero if $D' = B' D$")


# %% [markdown]
# Why is $J' = AJ$ for the Jacobian of a flow? $\partial_t J_{ij} = \partial_{z_j} \partial_t \varphi_i = \partial_{z_j} [f_i(\varphi)]$. By the
# chain rule this is $\sum_k A_{ik} J_{kj}$, where $A$ is **the Jacobian of the field** at the place where the flow is; so its
# trace is the divergence there. One row $i$ and one column are written, at one moment: $z$ is one coordinate of the start, and
# $f_i$ is taken at $\varphi + e$.


# %%
@derivation("The Jacobian of a flow moves with that of the field", n=(1, 2, 3))
def jacobian(d, n):
    e = [reals(f"e_{i}") for i in range(1, n + 1)]
    flow = [Function(f"varphi_{i}")(z) for i in range(1, n + 1)]
    component = define("f_i", Function("f_i")(*[f + e_k for f, e_k in zip(flow, e, strict=True)]))
    d.start(diff(component, z))
    d.equals(plus([diff(component, e_k) * diff(f, z) for f, e_k in zip(flow, e, strict=True)]), by="chain rule")


# %% [markdown]
# **What it means.** There are two roads to the same number: carry a small cube along the flow and measure it at the
# end, or add up the divergence of the field on the way. The second needs derivatives of the field alone, and never
# the flow's.

# %% [markdown]
# ## The density along a flow
#
# Mass is kept: where volumes grow, density falls, and density times the volume factor $D$ (the determinant of the flow's Jacobian) stays as it is. Two things are
# needed for that, and the folded section before proves the second: the point moves with the field, $\varphi_i' = f_i$, and
# the relative rate at which volumes grow is the divergence, $D' = D \operatorname{div} f$.
#
# Follow one point along its path $\varphi(t)$. The first line of `cnf.conservation[mass]` is how $p(t, \varphi)\, D$ changes for
# it. ($\partial/\partial s$ is the derivative of $p$ in time at a fixed place, $\partial/\partial e_i$ that in the $i$-th coordinate.)
# Now put in the two things: the second line becomes the first of `cnf.conservation[continuity]`, which says that it is
# $D$ times the left side of the **continuity equation** $\partial_t p + \operatorname{div}(p f) = 0$. So the two are the same
# statement: a density obeys the equation if and only if $p(t, \varphi(t, z))\, D(t, z) = p(0, z)$ for all $z$, which is the
# change of variables for the map $\varphi$, in any smooth flow. The flow matching chapter shows the equation for its paths
# (`flow_matching.continuity`).


# %%
@derivation("Mass is kept if and only if the continuity equation holds", n=(1, 2, 3))
def conservation(d, n):
    e = [reals(f"e_{i}") for i in range(1, n + 1)]
    path = [Function(f"varphi_{i}") for i in range(1, n + 1)]
    place = [f(t) + e_i for f, e_i in zip(path, e, strict=True)]
    density = define("p", p(t + s, *place))
    field = [define(f"f_{i}", Function(f"f_{i}")(t + s, *place)) for i in range(1, n + 1)]
    D = volume(t)

    d.start(diff(density * D, t), name="mass", words="how density times volume changes")
    d.equals(D * plus([diff(density, s), *[f.prime(t) * diff(density, e_i) for f, e_i in zip(path, e, strict=True)]]) + density * volume.prime(t),
             by="product rule and chain rule")

    d.start(D * plus([diff(density, s), *[f_i * diff(density, e_i) for f_i, e_i in zip(field, e, strict=True)]])
            + density * (D * plus([diff(f_i, e_i) for f_i, e_i in zip(field, e, strict=True)])), name="continuity", words="it is the continuity equation")
    d.equals(D * plus([diff(density, s), *[diff(density * f_i, e_i) for f_i, e_i in zip(field, e, strict=True)]]),
             by="product rule backwards")


# %% [markdown]
# **What it means.** Nothing gets lost: what a place loses, $-\partial_t p$, is what flows out of it,
# $\operatorname{div}(p f)$. The product $p f$, density times velocity, is called the *flux*.
#
# Divide by the density, and neither $\varphi$ nor $D$ is needed any more. At every place, in `cnf.instantaneous[along]`, the first line is the
# rate at which $\log p$ changes for somebody who moves with the field. $R$ is the left side of the continuity equation; it is
# zero for the density that the field carries. What is left is **minus the divergence**. `cnf.instantaneous[against]` is the way
# back, from noise to data, on a clock $s$ that runs from 0 at the noise: the field is walked against, and $\log p$ *rises* at
# the rate of the divergence.
#
# Is there only one field that carries a given density? No. `cnf.instantaneous[curl]`: add to $f$ any field $g$ whose flux has no divergence,
# $\operatorname{div}(p g) = 0$ (written $\mathrm{div}_{pg}$ there). The density stays the same, although the points move otherwise. So many flows
# have the same density at every time.


# %%
@derivation("The log-density along a flow falls at the rate of the divergence", n=(1, 2, 3))
def instantaneous(d, n):
    places = copies(x, n)

    def fields(name, at):
        return [define(f"{name}_{i}", Function(f"{name}_{i}")(at, *places)) for i in range(1, n + 1)]

    def carried(density, field):
        """The rate of log p for somebody who moves with the field, without the part of the time."""
        return [f * diff(log(density), x_i) for f, x_i in zip(field, places, strict=True)]

    def spread(field):
        return define("div", plus([diff(f, x_i) for f, x_i in zip(field, places, strict=True)]))

    def flux(density, field):
        return [diff(density * f, x_i) for f, x_i in zip(field, places, strict=True)]

    f, density = fields("f", t), define("p", p(t, *places))
    R = define("R", plus([diff(density, t), *flux(density, f)]))
    d.start(plus([diff(log(density), t), *carried(density, f)]), name="along", words="for somebody who moves with the field")
    d.equals(-spread(f) + R / density, by="product rule in the continuity equation, divided by $p$")

    back, reversed_ = fields("f", 1 - s), define("p", p(1 - s, *places))
    R_back = define("R", plus([-diff(reversed_, s), *flux(reversed_, back)]))
    d.start(diff(log(reversed_), s) - plus(carried(reversed_, back)), name="against", words="for somebody who moves against it")
    d.equals(spread(back) - R_back / reversed_, by="time runs the other way: both signs change")

    g = fields("g", t)
    d.start(plus([diff(density, t), *flux(density, [f_i + g_i for f_i, g_i in zip(f, g, strict=True)])]), name="curl", words="many fields, one density")
    d.equals(R + define("div_{pg}", plus(flux(density, g))), by="the flux is linear in the field")


# %% [markdown]
# The rate is known at every time, so integrate it. Let $\ell(t)$ be $\log p$ at time $t$, at the place where the point is then.
# The letter $\mathrm{div}$ stands below for $-\ell'(t)$; by `cnf.instantaneous[along]` that *is* the divergence of the field on
# the way. The fundamental theorem of calculus says the rest.
#
# In code: `genmath.cnf.log_prob` follows the data to the noise and adds up the divergence.

# %%
ell = Function("ell")
lost = define("div", -ell.prime(t))


@derivation("The log-likelihood of a data point")
def likelihood(d):
    d.start(ell(0))
    d.equals(ell(1) + integral(lost, t, between=(0, 1)), by="the log-density that is lost on the way is the integral of its rate")


# %% [markdown]
# **What it means.** This is an equation, not a bound. In a [VAE](vae.py) many hidden codes may lead to one data point, and one must average
# over them. A flow can be walked back, so exactly one point of noise belongs to each data point. The price is that a solver must
# follow the field to know a single likelihood.
#
# ## A case in closed form
#
# Let each coordinate grow at its own rate, $f_i = B_i'(t)\, x_i$, where $B_i$ is any smooth function. The divergence is the sum of the $B_i'(t)$. Then $x_i$ is
# multiplied by $G_i = e^{B_i(t) - B_i(0)}$ (`cnf.linear[place]`). Start with independent normal coordinates of means $m_i$ and variances $c_i$: $p_0$ is
# their density at $x$. At time $t$ they are normal still; $p_t$ is their density at the place to which $x$ was carried. Its logarithm has fallen by
# the sum of the $B_i(t) - B_i(0)$, the integral of the divergence **from 0 to $t$** (`cnf.linear[density]`).
#
# !!! example "By hand"
#
#     One coordinate, $f(x) = x$, so $B(t) = t$, from the standard normal density. The divergence is 1 everywhere. At time 1 all
#     points are multiplied by $e$: the density is normal with deviation $e \approx 2.718$, and at the origin it is
#     $0.399/e \approx 0.147$. Its logarithm has fallen by 1, the integral of the divergence.
#
# In code: `genmath.cnf.log_prob` reproduces it to all digits.


# %%
@derivation("Normal densities in a linear field", n=(1, 2, 3))
def linear(d, n):
    places = copies(x, n)
    rates = [Function(f"B_{i}") for i in range(1, n + 1)]
    growth = [define(f"G_{i}", exp(rate(t) - rate(0))) for i, rate in enumerate(rates, 1)]
    m, c = [reals(f"m_{i}") for i in range(1, n + 1)], [positives(f"c_{i}") for i in range(1, n + 1)]
    if n == 3:
        d.start(diff(growth[0] * places[0], t), name="place", words="where a point is carried")
        d.equals(rates[0].prime(t) * (growth[0] * places[0]), by="chain rule: it moves with the field")
    first = define("p_0", times([Normal(*triple) for triple in zip(places, m, c, strict=True)]))
    later = define("p_t", times([Normal(g * x_i, g * m_i, g**2 * c_i) for g, x_i, m_i, c_i in zip(growth, places, m, c, strict=True)]))
    thinned = plus([rate(t) - rate(0) for rate in rates])
    d.start(log(later), name="density", words="what its log-density becomes")
    d.equals(log(first) - thinned, by="every standard deviation has grown by its $G$")

    if n > 1:
        return
    d.slip(
        "cnf-upper-limit",
        wrong=equal(log(later), log(first) - (rates[0](1) - rates[0](0))),
        right=equal(log(later), log(first) - thinned),
        source="creatis-myriad/creatis-myriad.github.io PR #245",
        why="the integral of the divergence ran to 1 where the density was that of time t",
    )


# %% [markdown]
# **What it means.** Here a solver can be measured: where each point is carried, and what its log-density becomes, are
# both known.

# %% [markdown]
# {{ explorer flow }}
#
# ## Steps of a solver
#
# {{ picture cnf.steps }}
#
# A computer takes steps of a length $h$. Runge–Kutta methods look at the field at a few places within a step, $k_1, k_2, \dots$ are its values there, and
# walk along a mean of them. A method of *order* 4 is one where half the step divides the error at the end by about $2^4 = 16$; and so on. Try them on $f = a x$, where
# the flow multiplies $x$ by $e^{u}$ in a step, $u = ha$. The factor of a method agrees with the series of $e^u$ up to the power 1 (Euler), 2 (midpoint) or
# 4 (the classical method, RK4): its order cannot be higher. That they have these orders for every smooth field is a theorem [@hairer1993solving].
#
# `cnf.steps[gap]` is about the log-determinant. We integrate the trace, and do not take the determinant of the step that was
# made. The two differ: here the trace is $a$, and its integral over a step is $u$. But Euler's step stretches by $1 + u$, and its log-determinant
# $\log(1 + u)$ is at most $u$. So a computed log-density is neither exactly that of the computed map nor exactly that of the flow; both errors
# vanish with the step, at the order of the method.
#
# !!! example "By hand"
#
#     With $u = 0.1$ the exact factor is $e^{0.1} \approx 1.10517$. Euler: $1.1$. Midpoint: $1.105$. The integrated trace says that
#     the log-density fell by $0.1$; the determinant of Euler's step says $\log 1.1 \approx 0.0953$.
#
# Along the path the trace is a function of time alone, and to integrate it over a step two values are enough: one in the middle, and one at the end that
# is also the next step's first. Simpson's rule weighs them $\tfrac16, \tfrac46, \tfrac16$ and is exact for cubics (`cnf.steps[simpson]`), so that its
# order is 4. RK4 would take the trace at all four of its places: twice as many backward passes for the same order.
#
# In code: `genmath.solvers.Tableau`, of which `EULER`, `MIDPOINT` and `RK4` are instances.

# %%
ahead = nonnegatives("u")
u = define("u", h * a)


@derivation("What a step does in a linear field")
def steps(d):
    def field(at):
        return a * at

    k_1 = define("k_1", field(x))
    d.start(x + h * k_1, name="euler", words="Euler's step")
    d.equals((1 + u) * x, by="the slope at the start")

    k_2 = define("k_2", field(x + h / 2 * k_1))
    d.start(x + h * k_2, name="midpoint", words="the midpoint step")
    d.equals((1 + u + u**2 / 2) * x, by="the slope half a step ahead")

    k_3 = define("k_3", field(x + h / 2 * k_2))
    k_4 = define("k_4", field(x + h * k_3))
    d.start(x + h * (k_1 + 2 * k_2 + 2 * k_3 + k_4) / 6, name="rk4", words="the classical Runge–Kutta step")
    d.equals((1 + u + u**2 / 2 + u**3 / 6 + u**4 / 24) * x, by="four slopes, the inner ones twice")

    d.start(log(1 + ahead), name="gap", words="the log-determinant of Euler's step")
    d.at_most(ahead, by="the logarithm lies below its tangent at one", because=log_gap(1 + ahead))

    c_0, c_1, c_2, c_3 = reals("c_0 c_1 c_2 c_3")

    def trace(at):
        return c_0 + c_1 * at + c_2 * at**2 + c_3 * at**3

    d.start(integral(trace(s), s, between=(0, h)), name="simpson", words="a cubic trace, integrated over a step by Simpson's rule")
    d.equals(h * (c_0 + 4 * trace(h / 2) + trace(h)) / 6, by="the mean of $s^k$ over the step is $h^k/(k+1)$; compare for $k = 0, 1, 2, 3$")


# %% [markdown]
# **What it means.** A step is as good as its share of the exponential. At $u = 0.1$ Euler's step is off by 0.005, the
# classical Runge–Kutta step by less than 0.0000001. And Euler's own map has a smaller log-determinant than the trace
# would say: whoever adds up traces has not
# computed the density of the steps that were taken.

# %% [markdown]
# ## A trace from one direction
#
# {{ picture cnf.directions }}
#
# The exact divergence costs one derivative for each coordinate, too many for images. Take a random direction $w$ instead and
# compute the number $q = w^\top A w = \sum_{ij} A_{ij} w_i w_j$, where $A$ is the Jacobian of the field. One backward pass gives $w^\top A$ without
# writing down $A$. By `cnf.hutchinson[any]` the mean of $q$ depends only on the second moments $M_{ij} = \mathbb{E}[w_i w_j]$; so
# it is $\operatorname{tr} A$ *for every $A$* exactly where $M_{ij}$ is 1 for $i = j$ and 0 otherwise. Independent standard normal entries
# and independent random signs are of that kind.
#
# How noisy is it? Only the symmetric part $S = (A + A^\top)/2$ counts, for $w^\top A w = w^\top S w$. Let $Q$ be the sum of all squared entries of $S$,
# and $\Delta$ the part of it from the diagonal. For normal directions the variance is **twice $Q$**; for signs $\Delta$ drops out,
# since $w_i^2 = 1$. Signs are never worse (`cnf.hutchinson[better]`), and for a diagonal Jacobian they are exact. The mean over signs is a
# finite sum: $q_{+-}$ is the value for $w = (1, -1)$, for example. As $-w$ gives the same value as $w$, the first sign is plus.
#
# !!! example "By hand"
#
#     $A$ with the rows $(1, 2)$ and $(0, 3)$ has the trace 4. For signs $w = (1, 1)$ or $(-1, -1)$: $1 + 2 + 3 = 6$. For
#     $w = (1, -1)$ or $(-1, 1)$: $1 - 2 + 3 = 2$. The mean is 4 and the variance 4. By the formulas: $S$ has the rows $(1, 1)$ and
#     $(1, 3)$, so $Q = 1 + 1 + 1 + 9 = 12$ and $\Delta = 1 + 9 = 10$; signs have variance $2(12 - 10) = 4$, normal directions $2 \cdot 12 = 24$.
#
# In code: `genmath.solvers.transport` with a `probe`, or with a `generator` for random signs.


# %%
@derivation("Hutchinson's estimator and its variance", n=(1, 2, 3))
def hutchinson(d, n):
    A, index = letters("A", n), range(n)
    tr = define("tr", plus([A[i][i] for i in index]))
    S = {(i, j): define(f"S_{i + 1}{j + 1}", A[i][i] if i == j else (A[i][j] + A[j][i]) / 2) for i in index for j in index if i <= j}
    diagonal = define("Delta", plus([S[i, i] ** 2 for i in index]))
    squares = define("Q", plus([S[i, i] ** 2 for i in index] + [2 * S[i, j] ** 2 for i, j in pairs(n)]))

    ws = [variables(f"w_{i}") for i in range(1, n + 1)]
    bend = define("q", plus([A[i][j] * ws[i] * ws[j] for i in index for j in index]))
    moments = [[define(f"M_{i}{j}", E(Density("r", *ws)(*ws), w_i * w_j)) for j, w_j in enumerate(ws, 1)] for i, w_i in enumerate(ws, 1)]
    d.start(E(Density("r", *ws)(*ws), bend), name="any", words="the mean for any directions")
    d.equals(plus([A[i][j] * moments[i][j] for i in index for j in index]), by="the mean is linear")

    normal = tuple(Normal(w_i, 0, 1) for w_i in ws)
    d.start(E(normal, bend), name="normal", words="normal directions: the mean")
    d.equals(tr, by="mean square one, and uncorrelated")
    d.start(E(normal, (bend - tr) ** 2), name="normal_variance", words="normal directions: the variance")
    d.equals(2 * squares, by="the fourth moment of a normal is 3")

    def signed(w):
        return plus([A[i][i] for i in index] + [w[i] * w[j] * (A[i][j] + A[j][i]) for i, j in pairs(n)])

    values = [define("q_{" + "".join("+" if sign > 0 else "-" for sign in w) + "}", signed(w)) for w in [(1, *rest) for rest in signs(n - 1)]]
    d.start(plus(values) / len(values), name="signs", words="random signs: the mean")
    d.equals(tr, by="the products of two signs cancel")
    d.start(plus([(value - tr) ** 2 for value in values]) / len(values), name="signs_variance", words="random signs: the variance")
    d.equals(2 * (squares - diagonal), by="different products of two signs are uncorrelated")
    d.start(2 * (squares - diagonal), name="better", words="signs are never worse")
    d.at_most(2 * squares, by="the diagonal comes on top", because=2 * diagonal)


# %% [markdown]
# **What it means.** One backward pass in place of $n$, and right on average. For signs the noise depends only on how large the
# symmetric part of the Jacobian is off its diagonal.
#
# One direction is drawn for each sample and kept all along the way, so that the field of the solver stays smooth. The path
# does not depend on the direction, so the log-density is a sum over times of unbiased estimates and is itself unbiased (apart from the
# error of the solver). **The density is not**: let $y$ be the error of the log-density, with mean zero and any density $r$. The density is wrong by the
# factor $e^y$. Since $e^y \ge 1 + y$, its mean is at least one, and above one unless there is no error at all. So on average densities come out too
# large. For example let $y$ be $\frac12$ or $-\frac12$, half the time each: too large by the factor $(e^{0.5} + e^{-0.5})/2 \approx 1.128$.


# %%
r_y = Density("r", y)


@derivation("An unbiased log-density is a biased density")
def exponentiated(d):
    d.start(E(r_y(y), exp(y)))
    d.at_least(1 + E(r_y(y), y), by="the exponential lies above its tangent at zero", because=E(r_y(y), log_gap(exp(y))))


# %% [markdown]
# **What it means.** A trace without bias gives a log-density without bias, and its exponential is too large on
# average: normal noise of variance 1 in the logarithm raises the density by a factor of 1.65. Log-densities can be
# averaged, densities made from them cannot.

# %% [markdown]
# ## Why is training by likelihood slow?
#
# {{ picture cnf.cost }}
#
# To know the likelihood of one data point, the flow has to be run from the data to the noise. A gradient step on the
# likelihood [@chen2018neural] [@grathwohl2019ffjord] therefore needs
#
# - *many calls, one after the other*: twenty steps of RK4 are a hundred calls of the network, five a step, none of which can start before the one
#   before has ended;
# - *divergences, two a step*: each is $n$ backward passes, or one with a random direction;
# - *the way back*: the gradient goes through all calls, which keeps all of them in memory, or solves a second differential
#   equation backwards (the *adjoint* method), which takes about as many calls again;
# - *more and more steps*: likelihood only asks where the flow ends, not how it gets there. While it trains, the field may
#   become winding, and a solver with a tolerance then takes more steps.
#
# [Flow matching](flow_matching.py) removes all four. It fixes the density at *every* time beforehand, so that each time can be
# trained by itself, by a squared error at one random place: one call, no divergence, no solver. What it learns is a field, so
# this chapter applies to it: afterwards its likelihood costs one run of a solver. The chapter [Stochastic differential
# equations](sde.py) does the same for diffusion models, by their probability flow.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - Volume times density stays: $\log p$ falls by the logarithm of the volume's growth (`cnf.change_of_variables`).
#     - For a small step that logarithm is $h$ times the trace of the field's Jacobian (`cnf.small_step`).
#     - So $\log p$ of a moving point falls at the rate of the divergence (`cnf.instantaneous`), and
#       $\log p(x) = \log p_{\mathrm{noise}} + \int_0^1 \operatorname{div} f\, \mathrm{d}t$ along its path (`cnf.likelihood`).
#     - The same as an equation at one place: $\partial_t p + \operatorname{div}(p f) = 0$ (`cnf.conservation`).
#     - $w^\top A w$ with random signs has the mean $\operatorname{tr} A$ (`cnf.hutchinson`): unbiased for the log-density, not for the
#       density (`cnf.exponentiated`).
#     - Training by likelihood runs a solver for each gradient; flow matching does not.
#
# ## Questions
#
# ??? question "A field turns the plane around the origin, $f(x_1, x_2) = (-x_2, x_1)$. What happens to the density?"
#
#     The divergence is $0 + 0$, so every point keeps its log-density; the density is turned as a whole. The standard normal
#     density does not change at all, although every point moves: see `cnf.instantaneous[curl]`.
#
# ??? question "The field is $f(x) = -2x$ in one coordinate. By which factor has the density at a moving point grown after time 1?"
#
#     The divergence is $-2$ everywhere, so $\log p$ rises by 2 and the density by $e^2 \approx 7.39$. Distances shrink by the
#     same factor.
#
# ??? question "Why does a layer of a discrete flow need a special form, and a continuous flow does not?"
#
#     A layer needs a determinant, which costs $n^3$ operations unless the Jacobian is, for example, triangular. A small step
#     needs a trace only (`cnf.small_step`), and a trace can be estimated for any field.
#
# ??? question "Can a flow in one coordinate exchange two points?"
#
#     No. To pass each other they would have to be at the same place at the same time, and from there on they would move
#     together. The determinant stays positive.
#
# ??? question "Somebody reports the mean over directions of $p(x)$, computed from estimated traces. What is wrong?"
#
#     The estimate of $\log p$ is unbiased, its exponential is too large on average (`cnf.exponentiated`). Average the
#     logarithms.
#
# ??? question "A model has a better log-likelihood with five steps of Euler than with a hundred. Which number should be reported?"
#
#     That with a hundred, after checking that two hundred do not change it. The number from few steps belongs to no density at all: as a
#     function of the data point its exponential need not integrate to one.
#
# {{ spot cnf-upper-limit among cnf.likelihood cnf.linear[place] }}
#
# ## What these results do not say
#
# - **The field must have a flow.** A field that is not Lipschitz may have several flows through a point, or one that reaches infinity in finite time, as $f = x^2$ does.
#   Then there is no map and no density to speak of. The code ends with an error that says when and where.
# - **A flow cannot do everything.** Its paths do not cross and its determinant is positive, so it keeps the topology of space: one bell becomes two separate
#   modes only with a bridge of small density between them, and in one coordinate the order of points never changes. Noise that is poured onto a surface has no density left.
# - **The continuity equation at one time** is what is checked, for smooth fields and densities of at most three coordinates written out. That the solution of a differential equation exists
#   and depends smoothly on its start is a theorem that is used here and not proved [@hairer1993solving]. The change of variables for arbitrary maps of several coordinates is proved
#   only for maps that are the flow of a field, and for normal densities.
# - **The solver's error is not in the formulas.** A log-density computed with few steps is that of no density at all: it need not integrate to one, and may be too high. Compare
#   with twice the steps, or with a smaller tolerance, before you believe a number.
# - **A field with kinks has a divergence that jumps**, for example that of a network with ReLU units. Every solver then loses its order, and an adaptive one takes very many steps.
# - **A tolerance bounds the error of one step**, as estimated, and not that of the result.
# - **The variance of an estimated trace is for one time and one direction.** Along the path the errors add up with one and the same direction, so they do not average out; more directions, or more
#   runs, do. In high dimension the symmetric part of the Jacobian may be large off its diagonal, and then so is the variance.
# - **Exact likelihood is not a better model.** It is exact for the field that was learned.
#
# ## Where sources slip
#
# - `cnf.linear`: the integral of the divergence taken to the end of time for a density in the middle (`cnf-upper-limit`).
#
# ## References
#
# - [@chen2018neural]: the instantaneous change of variables (theorem 1), and gradients by a second differential equation.
# - [@grathwohl2019ffjord]: an estimated trace along the flow, with one direction for each solve (section 3.1).
# - [@hutchinson1990stochastic]: the estimator with random signs, and that they have the least variance among its kind; [@avron2011randomized]: variances for normal directions and signs (table 1 and lemmas).
# - [@rezende2015variational]: flows of finitely many layers, and the infinitesimal limit (section 3.2).
# - [@papamakarios2021normalizing]: a survey; change of variables (section 2.1), continuous time (section 4).
# - [@lipman2023flow]: the log-density of a flow that was learned by its velocities (appendix C).
# - [@hairer1993solving]: Runge–Kutta methods and their order (chapter II).
