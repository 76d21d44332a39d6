# %% [markdown]
# # Few steps and one
#
# A flow carries noise to data, but a sampler has to follow it: ten, twenty, fifty looks at the velocity, one call of the network each.
# All of that work only finds out where the path *ends*. Could a network learn the end itself, and answer in one call?
# And how is it trained, when nobody knows the end without following the path?
#
# **The answer in a line:** the end of the path does not change while one moves along the path; so a network is trained to give the same
# answer at two neighbouring points of a path, and the right answer at the data, where the path ends.
#
# {{ picture consistency.question }}
#
# !!! board "On the board"
#
#     The answer may not change along the path of the flow, and at the data it is the point itself:
#
#     {{ define consistency.change }}
#
#     {{ define consistency.model }}
#
#     The same idea for a step that ends anywhere: the mean velocity $u$ of the step, and what it is trained on:
#
#     {{ define consistency.u }}
#
#     {{ define consistency.u_tgt }}
#
#     $x$ is a place, $t$ a time, **data at 0 and noise at 1**; the earlier time $s \le t$ is where a step ends. $f(x, t)$ is the network's answer,
#     and $v$ the velocity of the flow at $x$: $\mathrm{D} f$ is how fast $f$ changes for somebody who moves with the flow, and it should be 0.
#     $\Psi$ is how $f$ is built: $F$ is any network, and $c_{\mathrm{skip}}$, $c_{\mathrm{out}}$ are numbers that depend on the time and are 1 and 0 at the
#     data (written out in *A condition at the end*). $\Phi$ is the place at time $s$ to which the flow carries $x$ from time $t$. $V$ is the velocity of one random line,
#     noise minus data on the straight path, and $u_x$, $u_t$ are the derivatives of the network $u$ in its place and in its time $t$.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Draw data $x_0$, noise $\epsilon$ and two neighbouring times $s < t$.
#     2. Go to $x_t$ and, **with the same noise**, to $x_s$. (With a teacher: a step of its flow from $x_t$ to time $s$.)
#     3. Take a gradient step on $\|f_\theta(x_t, t) - f_{\theta^-}(x_s, s)\|^2$, where $\theta^-$ are the same weights *held fixed*:
#        `genmath.consistency.training_loss`, `genmath.consistency.distillation_loss`.
#     4. For a mean velocity: `genmath.consistency.mean_flow_loss`.
#
# !!! sample "Sample"
#
#     1. Draw $x$ from the standard normal.
#     2. Return $f_\theta(x, 1)$: one call.
#     3. Or go on: noise the answer to a smaller time, and ask again: `genmath.consistency.sample`.
#     4. With a mean velocity: $x - (t - s)\, u_\theta(x, s, t)$, from 1 to 0 in one step or in several: `genmath.consistency.sample_mean_flow`.
#
# </div>
#
# ## Notation and hypotheses
#
# - $x_t = \alpha\, x_0 + \sigma\, \epsilon$ with $\alpha$, $\sigma$ functions of the time, as in [Flow matching](flow_matching.py). At $t = 0$ they are 1 and 0.
#   The straight path has $\alpha = 1 - t$, $\sigma = t$. With an index, $\alpha_t$, they are numbers: their values at that time.
# - $v(x, t)$ is the velocity of the flow: the mean, over all lines through $x$ at time $t$, of their velocities $V$
#   (`flow_matching.marginal_velocity`). A *path of the flow* is a curve with this velocity.
# - $\Phi$ is the *flow map*: where the flow carries $x$ from time $t$ to time $s$. The *consistency function* is the flow map to $s = 0$.
# - $r(x, V)$ is the joint density of the place and the velocity of a random line at one moment. It is positive. Means are finite.
# - A target is *held fixed* (stop-gradient, $\theta^-$) when it is computed with the present weights but no gradient flows through it.
# - Papers on mean velocities write $r$ for our $s$; there and here it is the end of the step. Many papers on consistency models run the noise level
#   from $\varepsilon > 0$ to 80 with $\alpha = 1$; then the data end is at $\varepsilon$ in place of 0.

# %%
from genmath.proof import *

x, x0, eps, v, z, xs, xt = variables("x x_0 eps V z x_s x_t")
t, s, theta = reals("t s theta")
m, k = reals("m k")
c, h = positives("c h")
alpha, sigma = Function("alpha", positive=True), Function("sigma", positive=True)
f, g = Function("f"), Function("g")
(x0_1,) = copies(x0, 1)
q = Density("q", x0)

# %% [markdown]
# ## Where the flow ends
#
# Begin with a case in which everything is known. Data on the line, normal with mean $m$ and variance $c$. Then $x_t$ is normal too, with mean $\alpha(t)\, m$ and a variance
# that we call $S_t$. A flow that carries normals to normals can do it by moving and stretching: measure how many standard deviations $x$ lies
# from the mean, and go to the place that lies as many from the new mean.
#
# !!! example "By hand"
#
#     The straight path, $m = 0$ and $c = 0.25$. At $t = 1$ the standard deviation is 1, at $t = 0$ it is 0.5. So $x = 1.2$ at the noise ends at $0.6$. On the way, at $t = 0.5$,
#     the variance is $0.25 \cdot 0.25 + 0.25 = 0.3125$, its root is $0.559$, and the path is at $1.2 \cdot 0.559 \approx 0.671$. From there the flow also ends at
#     $0.671 \cdot 0.5/0.559 = 0.6$.
#
# `consistency.flow_map[moves]`: this map moves with the velocity of flow matching ($v_s$ is `flow_matching.gaussian_velocity` at the place reached).
# `consistency.flow_map[constant]`: who moves *along the path* sees no change in where it leads.
#
# In code: `genmath.consistency.normal_flow_map`; `genmath.solvers.carry` follows any other velocity, step by step.

# %%
spread = {time: define(f"S_{time.name}", alpha(time) ** 2 * c + sigma(time) ** 2) for time in (t, s)}


def normal_velocity(at, time):
    slope = (alpha(time) * alpha.prime(time) * c + sigma(time) * sigma.prime(time)) / spread[time]
    return alpha.prime(time) * m + slope * (at - alpha(time) * m)


@derivation("The flow map of normal data")
def flow_map(d):
    moved = define("Phi", alpha(s) * m + sqrt(spread[s] / spread[t]) * (x - alpha(t) * m))
    d.start(diff(moved, s), name="moves", words="it moves with the flow")
    d.equals(define("v_s", normal_velocity(moved, s)), by="the derivative of a standard deviation is half that of the variance, over the standard deviation")

    d.start(diff(moved, t) + define("v", normal_velocity(x, t)) * diff(moved, x), name="constant", words="its end does not depend on where on the path one starts")
    d.equals(0, by="the start moves by as much as the measure of it")


# %% [markdown]
# On the line there is a second case, for data of any kind. Paths of a flow cannot overtake one another there. So the mass to the left of a point,
# $P(x, t)$, is the same all along its path. What flows through a place, velocity times density, is what the left side loses; so the velocity is
# $v = -\partial_t P / \partial_x P$. For somebody at the place $\varphi(t) + e$ the mass to the left changes by the density times what their own velocity is
# *more* than $v$: not at all, if they move with the flow ($e$ and $\tau$ are there to differentiate at a place and at a time).
#
# In code: `genmath.consistency.line_flow_map`, exact for mixtures of normals: it finds the point with as much mass to its left.

# %%
e, tau = reals("e tau")
way = Function("varphi")


@derivation("On the line the flow keeps the mass on each side")
def line(d):
    mass = define("P", Function("P")(way(t) + e, t + tau))
    density, flow = diff(mass, e), define("v", -diff(mass, tau) / diff(mass, e))
    d.given_that(density > 0)
    d.start(diff(mass, t))
    d.equals(density * (way.prime(t) - flow), by="chain rule; the velocity is what the left side loses, over the density")


# %% [markdown]
# **What it means.** The end of the path is a function of any point on it. It may be hard to compute, but it is there, and it has the same value at all
# points of the path: $f(x_t, t) = f(x_s, s)$. This is called *self-consistency*, and it is all that training will use.
#
# {{ picture consistency.end }}
#
# ## A condition at the end
#
# Is a function that never changes along the paths the consistency function? No. If $f$ does not change along paths, neither does $2 f$, nor $f^3$, nor any
# function $g$ of $f$ (`consistency.boundary[any]`; $v$ is the velocity there, $\mathrm{D} f$ the change of $f$ along the path). Nor does a constant: a network that always
# answers $k$ is perfectly consistent, its loss is zero, and it is wrong by `consistency.boundary[constant]`, at least the whole variance of the data.
#
# What singles out the right one is its value **at the data**: $f(x, 0) = x$. It need not be learned. It is built in, by writing
# $\Psi = c_{\mathrm{skip}}\, x + c_{\mathrm{out}}\, F$ with numbers that are 1 and 0 at the data, whatever the network $F$ answers (`consistency.boundary[end]`, `consistency.boundary[silent]`). The choice here, with the
# deviation $\sigma_d$ of the data, has two more merits. The network may be given $x_t$ over its own deviation, which stands in the denominators already (`consistency.boundary[input]`). And for normal
# data of mean 0 what $c_{\mathrm{skip}}\, x_t$ leaves of the data point $x_0$ has the size $c_{\mathrm{out}}$ (`consistency.boundary[rest]`). It leaves no more of the end of the path, so the $F$ of the exact answer is at most of size one.
#
# In code: `genmath.consistency.ConsistencyModel`.

# %%
alpha_t, sigma_t = positives("alpha_t sigma_t")
deviation = positives("sigma_d")
velocity = reals("v")
F = reals("F")


def skip(a, b):
    return a * deviation**2 / (a**2 * deviation**2 + b**2)


def out(a, b):
    return b * deviation / sqrt(a**2 * deviation**2 + b**2)


c_skip, c_out = define("c_skip", skip(alpha_t, sigma_t)), define("c_out", out(alpha_t, sigma_t))
model = define("Psi", c_skip * x + c_out * F)
change = define("Df", diff(f(x, t), t) + velocity * diff(f(x, t), x))


@derivation("Consistency needs a condition at the end")
def boundary(d):
    d.start(diff(g(f(x, t)), t) + velocity * diff(g(f(x, t)), x), name="any", words="any function of a consistent one is consistent")
    d.equals(g.prime(f(x, t)) * change, by="chain rule; zero where $f$ does not change along the path")

    mean = define("m", E(q(x0_1), x0_1))
    d.start(E(q(x0), (k - x0) ** 2), name="constant", words="what a constant costs")
    d.equals(E(q(x0), (x0 - mean) ** 2) + (k - mean) ** 2, by="a mean square is the variance plus the squared mean")
    d.at_least(E(q(x0), (x0 - mean) ** 2), by="a square is not negative", because=(k - mean) ** 2)

    d.start(define("c_skip", skip(number(1), number(0))), name="end", words="at the data the point counts fully")
    d.equals(1, by=r"there $\alpha$ is 1 and $\sigma$ is 0")
    d.start(define("c_out", out(number(1), number(0))), name="silent", words="at the data the network does not count")
    d.equals(0, by=r"there $\sigma$ is 0")

    bell = (Normal(x0, 0, deviation**2), Normal(eps, 0, 1))
    noisy = define("x_t", alpha_t * x0 + sigma_t * eps)
    d.start(E(bell, noisy**2), name="input", words="the size of the input")
    d.equals(alpha_t**2 * deviation**2 + sigma_t**2, by="data and noise are independent, so variances add")
    d.start(E(bell, (x0 - c_skip * noisy) ** 2), name="rest", words="what is left for the network")
    d.equals(c_out**2, by="a part of the data is missed and a part of the noise let in")

    d.slip(
        "notes-consistency-boundary",
        wrong=equal(g(f(x, t)), f(x, t)),
        right=equal(diff(g(f(x, t)), t) + velocity * diff(g(f(x, t)), x), g.prime(f(x, t)) * change),
        source="lecture notes 'The mathematics of generative models', 6.3",
        why="Consistency along the path was given as the definition. Every function g of the consistency function satisfies it as well; "
        "only the value at the data singles out one.",
    )
    d.slip(
        "classic-consistency-boundary",
        wrong=equal(E(q(x0), (k - x0) ** 2), 0),
        right=equal(E(q(x0), (k - x0) ** 2), E(q(x0), (x0 - mean) ** 2) + (k - mean) ** 2),
        source="a common slip, no single source: the loss without the boundary condition",
        why="A constant map has zero consistency loss. It is far from right.",
    )


# %% [markdown]
# **What it means.** The consistency loss alone is blind: it sees differences. The condition at the data is the only place where the data themselves enter the answer; from there
# the right value is handed on from each time to the next, up to the noise.
#
# ## Learning from a teacher
#
# Let a flow be known, from flow matching or diffusion: the *teacher*. Cut the time into $N$ intervals. From $x_t$ take one step of a solver along the teacher's velocity, to $\hat x_s$,
# and train $f(x_t, t)$ to answer what $f(\hat x_s, s)$ answers. This is *consistency distillation* [@song2023consistency].
#
# How far is such a model from the true end $x_0$ of the path? Compare at one interval ($x_s$ is the true point of the path at $s$):
#
# - the network's two answers differ by what the loss measures;
# - the solver is off by $|\hat x_s - x_s|$, and the network makes of that at most $L$ times as much. This is a hypothesis on the network: its answer at time $s$ is *Lipschitz* in the
#   place, with the constant $L$;
# - the rest is the error at the earlier time $s$.
#
# So from one time to the next the error grows by no more than these two: `consistency.distillation_error`. At the data it is zero, by the condition at the end. Add up: **the error at the
# noise is at most the sum of all local errors.** (The sum is an induction over the intervals; each step of it is what is checked.) With a solver of order $p$ its local errors are of the order
# $N^{-p-1}$, their sum of the order $N^{-p}$.

# %%
L = positives("L")
place, before, guess = reals("x_t x_s x_hat_s")


@derivation("Errors of distillation add up")
def distillation_error(d):
    late, early, walked = f(place, t), f(before, s), f(guess, s)
    d.given_that(absolute(walked - early) <= L * absolute(guess - before))
    d.start(absolute(late - x0))
    d.at_most(absolute(late - walked) + absolute(walked - early) + absolute(early - x0), by="triangle inequality, twice",
              because=absolute(late - walked) + absolute(walked - early) + absolute(early - x0) - absolute(late - x0))
    d.at_most(absolute(late - walked) + L * absolute(guess - before) + absolute(early - x0), by="the network is Lipschitz at the earlier time",
              because=L * absolute(guess - before) - absolute(walked - early))


# %% [markdown]
# Training reports a mean of squares, so here is the same in squares. With the exact path ($\hat x_s = x_s$) let $x_0, x_1, \dots, x_N$ be its points on the grid, with any joint density $r$, and $f_0, \dots, f_N$ the network at those times.
#
# !!! example "By hand"
#
#     $N = 50$ intervals, and on each the answers differ by 0.02, always in the same direction: the mean squared loss is $0.0004$, and looks like nothing. The error at the noise is
#     $50 \cdot 0.02 = 1$: in squares $50^2 \cdot 0.0004$.

# %%
@derivation("The squared error is at most N times the sum of the squared losses", N=(2, 3, 4))
def loss_to_error(d, N):
    points = [variables(f"x_{i}") for i in range(N + 1)]
    joint = Density("r", *points)(*points)
    answers = [Function(f"f_{i}")(x_i) for i, x_i in enumerate(points)]
    jumps = [define(f"delta_{i}", answers[i] - answers[i - 1]) for i in range(1, N + 1)]
    d.start(E(joint, (answers[N] - answers[0]) ** 2))
    d.equals(E(joint, plus(jumps) ** 2), by="a sum of differences")
    d.at_most(N * plus([E(joint, jump**2) for jump in jumps]), by="the square of a sum is at most $N$ times the sum of the squares",
              because=E(joint, plus([(jumps[i] - jumps[j]) ** 2 for i in range(N) for j in range(i)])))


# %% [markdown]
# **What it means.** What is handed on is not amplified: errors add, no more (only the solver's own enter times $L$). But they do add. With the mean loss $\ell$ over the intervals, the squared error can be $N^2 \ell$: a finer grid asks for a smaller loss, and losses
# on different grids cannot be compared.
#
# ## Learning without a teacher
#
# A teacher's Euler step is $x_t - (t - s)\, v(x_t, t)$, and $v$ is the mean of the velocities $V$ of the lines through $x_t$. So take *one* line in place of the mean, as flow matching does: on the straight path the step along one line leads to
# the point $x_s$ of the same data and **the same noise**. This is *consistency training*: no teacher, no solver.
#
# Is the target unbiased? Here one must be careful. Write $h = t - s$, and $\bar v$ for the mean of $V$ at $x$.
#
# - The *place* is: `consistency.training_target[place]`. On average the single lines end where the teacher's step ends.
# - The *answer* there is not, since $f$ is no straight line: for a quadratic one, `consistency.training_target[bent]`, with $a x^2 + l x + k$ in the place of $f$, it is off by $a$, half the second derivative, times $h^2$ times the variance of the velocities. This
#   vanishes faster than the step.
# - The *loss* is not: `consistency.training_target[loss]`, where $g$ is the network at the time $t$ and $f$ that at the time $s$. It is the loss against the mean answer $T$, plus the spread of the answers. That spread contains the network. As long as the target is held fixed it is a
#   constant. If gradients flow through both, then it is trained to be small as well, and a function that answers the same everywhere has none.
#   For a straight line with slope $l$ both terms are of the order $h^2$, `consistency.training_target[line]`: **relative to the rest of the loss, the spread does not go away with finer steps.**

# %%
r = Density("r", x, v, positive=True)
(v_1,) = copies(v, 1)
v_bar = define("v_bar", E(r(v_1 | x), v_1))
curve, slope, level = reals("a l k")


def bent(at):
    return curve * at**2 + slope * at + level


@derivation("What consistency training averages over")
def training_target(d):
    d.start(E(r(v | x), x - h * v), name="place", words="the mean place is the teacher's")
    d.equals(x - h * v_bar, by="the place is linear in the velocity")

    d.start(E(r(v | x), bent(x - h * v)), name="bent", words="the mean answer of a bent function is not")
    d.equals(bent(x - h * v_bar) + curve * h**2 * E(r(v | x), (v - v_bar) ** 2), by="the mean of a square is the square of the mean plus the variance")

    answer = define("T", E(r(v_1 | x), f(x - h * v_1)))
    d.start(E(r(x, v), (g(x) - f(x - h * v)) ** 2), name="loss", words="the loss is the one against the mean answer, and a spread")
    d.equals(E(r(x), (g(x) - answer) ** 2) + E(r(x, v), (f(x - h * v) - answer) ** 2),
             by="at each place the answer deviates from its mean by zero on average")

    d.start(E(r(x, v), (g(x) - (slope * (x - h * v) + level)) ** 2), name="line", words="for a straight answer")
    d.equals(E(r(x), (g(x) - (slope * (x - h * v_bar) + level)) ** 2) + slope**2 * h**2 * E(r(x, v), (v - v_bar) ** 2), by="the answer is linear in the velocity")

    d.slip(
        "classic-consistency-training-unbiased",
        wrong=equal(E(r(x, v), (g(x) - (slope * (x - h * v) + level)) ** 2), E(r(x), (g(x) - (slope * (x - h * v_bar) + level)) ** 2)),
        right=equal(E(r(x, v), (g(x) - (slope * (x - h * v) + level)) ** 2),
                    E(r(x), (g(x) - (slope * (x - h * v_bar) + level)) ** 2) + slope**2 * h**2 * E(r(x, v), (v - v_bar) ** 2)),
        source="a common slip, no single source: 'the training loss is an unbiased estimate of the distillation loss'",
        why="The velocity is estimated without bias, the loss is not: the spread of the velocities is in it, times the squared slope of the network. It is of the same "
        "order in the step as the loss itself.",
    )


# %% [markdown]
# **What it means.** Holding the target fixed is not a trick to save memory: it is what makes the single line legitimate. The fixed point, the place where training stops, is not the minimum of the loss. It is
# the function that answers, at each place, the mean of its own answers one step earlier:
# $f(x, t) = T(x)$. An average of past weights as the target (EMA) moves until it equals the weights it follows, so it has the same fixed point; it only makes the target move slowly.
#
# ## The same noise { .advanced }
#
# Why must $x_s$ and $x_t$ share their noise? Let them be a Markov chain instead: $x_t$ is made of $x_s$ by fresh noise, as in [a DDPM](ddpm.py). (In the derivation $r$ is the joint density of $x_0$ and $x_s$, and $p(x_t \mid x_s)$ adds the fresh noise.) Each of $x_s$, $x_t$ has the right
# density then. But suppose that the answer at $s$ is the best guess of the data given $x_s$, called $G$. The mean of these answers at $x_t$ is the best guess of the data given $x_t$. So, from the data upwards, the fixed point at every time is the
# *denoiser*, the blurred mean of all data that may have led here, however fine the steps are.
#
# {{ picture consistency.same_noise }}

# %%
chain, later = Density("r", x0, xs, positive=True), Density("p", xt, given=xs, positive=True)


@derivation("With fresh noise consistency training learns the denoiser")
def fresh_noise(d):
    best = define("G", E(chain(x0_1 | xs), x0_1))
    marginal = define("p(x_t)", integral(chain(xs) * later(xt | xs), xs))
    d.start(integral(chain(xs) * later(xt | xs) * best, xs) / marginal)
    d.equals(integral(chain(x0, xs) * later(xt | xs) * x0, x0, xs) / marginal, by="given $x_s$, the later noise says nothing about the data")


# %% [markdown]
# **What it means.** With the same noise two points of one line are compared, and the spread of the answers at $x_t$ is of the order $h^2$ per step. With fresh noise it is of the order $h$, and over all steps it never becomes small.
#
# ## What a coarse grid costs
#
# With the same noise and finitely many steps the fixed point lies between the two: with one step it is the denoiser at $t = 1$, the mean of the data; with many it is the flow.
#
# {{ picture consistency.coarse }}
#
# For normal data it can be computed, here with $m = 0$. Let the answer at $s$ be $\kappa\, x_s$. The mean of $x_s$ at a given $x_t$ is $\gamma\, x_t$, where $\gamma$ is the covariance of the two over the
# variance $D_t$ of $x_t$ (`consistency.training_normal[slope]` shows that no other slope $k$ has a smaller error). So the answer at $t$ is $\kappa \gamma\, x_t$, and its variance is that of the answer at $s$, times a number below 1: the squared correlation
# of $x_s$ and $x_t$ (`consistency.training_normal[lost]`).
#
# !!! example "By hand"
#
#     Straight path, $c = 1$, two steps. From $t = \frac12$ to $0$: $D_t = \frac12$, the covariance is $\frac12$, $\gamma = 1$, so the answer at $\frac12$ is $x$ itself, with variance $\frac12$ where
#     it should be 1. From 1 to $\frac12$: $D_t = 1$, covariance $\frac12$, $\gamma = \frac12$. The answer at the noise is $\frac12 x$: standard deviation $0.5$, where the data have 1. With 20
#     steps it is 0.94.

# %%
alpha_s, sigma_s = positives("alpha_s sigma_s")
kappa = reals("kappa")


@derivation("Consistency training on normal data")
def training_normal(d):
    both = (Normal(x0, 0, c), Normal(eps, 0, 1))
    at_s, at_t = define("x_s", alpha_s * x0 + sigma_s * eps), define("x_t", alpha_t * x0 + sigma_t * eps)
    D_s, D_t = define("D_s", alpha_s**2 * c + sigma_s**2), define("D_t", alpha_t**2 * c + sigma_t**2)
    gamma_ = define("gamma", (alpha_s * alpha_t * c + sigma_s * sigma_t) / D_t)
    apart = c * (alpha_s * sigma_t - alpha_t * sigma_s) ** 2 / (D_s * D_t)
    d.start(E(both, (at_s - k * at_t) ** 2), name="slope", words="the best linear guess of the earlier point")
    d.equals(D_s * apart + D_t * (k - gamma_) ** 2, by="complete the square in $k$")
    d.at_least(D_s * apart, by="a square is not negative", because=D_t * (k - gamma_) ** 2)

    d.start((kappa * gamma_) ** 2 * D_t, name="lost", words="the variance of the answer at the later time")
    d.equals(kappa**2 * D_s * (1 - apart), by="the squared correlation is one minus a square")
    d.at_most(kappa**2 * D_s, by="a square is not negative", because=kappa**2 * D_s * apart)


# %% [markdown]
# **What it means.** Every step loses a little variance, the share $c\, (t - s)^2/(D_s D_t)$ of it on the straight path; over $N$ steps the share that is lost is of the order $1/N$. This is the loss of a DDIM sampler with the exact denoiser (`ddim.gaussian_flow[cosine]`), step for step:
# for a linear answer the mean over lines is the step along the mean. So in practice the grid is made finer while training goes on.
#
# ## Infinitely small steps { .advanced }
#
# Let $h \to 0$. The difference of the two answers over $h$ becomes $\mathrm{D} f$, the change along the path: `consistency.continuous_time[step]` differentiates the answer at the point to which a step of that length leads, back along the velocity (put $h = 0$ there). In several coordinates,
# `consistency.tangent`, it is one product of the network's Jacobian with the velocity, and a derivative in time: a *Jacobian–vector product*, as dear as two calls.
#
# With the target held fixed the gradient of the squared difference is, `consistency.continuous_time[gradient]`, linear in the target ($T$ there is the mean of the target $y$ at the place $x$, for any joint density $r$ of the two; $z$ is any number and cancels, and with $z = y$ the first term alone is the gradient with $y$ held fixed). So the single line $V$ may take the place of the mean velocity in $\mathrm{D} f$, which is linear in it:
# **in continuous time the gradient is unbiased**, and there is no error of a grid. This is what the first continuous-time models, and later ones that made them stable, train on [@song2023consistency] [@lu2025simplifying].

# %%
y = variables("y")
pair = Density("r", x, y, positive=True)
(y_1,) = copies(y, 1)
net = Function("f_theta")


@derivation("The limit of small steps")
def continuous_time(d):
    walked = f(x - h * velocity, t - h)
    d.start(-diff(walked, h), name="step", words="how fast the answer at the walked point changes")
    d.equals(-(diff(walked, x) * (-velocity) - diff(walked, t)), by="chain rule: the place moves by the velocity, the time by one")

    d.start(E(pair(x, y), diff((net(x, theta) - z) ** 2, theta) + 2 * (z - y) * diff(net(x, theta), theta)), name="gradient", words="the gradient, with the target held fixed")
    d.equals(E(pair(x), 2 * (net(x, theta) - define("T", E(pair(y_1 | x), y_1))) * diff(net(x, theta), theta)), by="the target enters linearly, so its mean may take its place")


@derivation("The change of an answer along a path", n=(1, 2, 3))
def tangent(d, n):
    moves = [reals(f"e_{i}") for i in range(1, n + 1)]
    ways = [Function(f"varphi_{i}") for i in range(1, n + 1)]
    answer = define("f", Function("f")(*[w(t) + e_i for w, e_i in zip(ways, moves, strict=True)], t + tau))
    d.start(diff(answer, t))
    d.equals(plus([diff(answer, tau), *[w.prime(t) * diff(answer, e_i) for w, e_i in zip(ways, moves, strict=True)]]), by="chain rule")


# %% [markdown]
# **What it means.** Training in continuous time asks for one derivative in the direction $(v, 1)$ of place and time. Nothing is approximated by a grid any more; what is left is the noise of the gradient.
#
# ## More than one call
#
# One call gives a sample. It can be improved: noise it again to an earlier time, with **fresh** noise, and ask again. (Fresh, because the answer is not independent of the noise that it came from.) If the answers at all times were exact, this would change nothing about the density of the samples: data, noised to the
# level $t$, have the density that the flow has at $t$, and the exact answer carries that back to data.
#
# But what if the first samples are wrong? Normal data, mean $m$ and variance $c$; samples of another mean $\hat m$ and variance $\hat c$; the exact answer. One round of noising and answering multiplies the error of the mean by $\rho$ and that
# of the variance by $\rho^2$, where $\rho^2 = \alpha_t^2 c/(\alpha_t^2 c + \sigma_t^2)$ is the share of the data in the variance: a number below 1.

# %%
m_hat = reals("m_hat")
c_hat = positives("c_hat")


@derivation("A round of noising and answering, for normal data")
def multistep(d):
    D_t = define("D_t", alpha_t**2 * c + sigma_t**2)
    rho = define("rho", sqrt(alpha_t**2 * c / D_t))
    wrong = (Normal(x0, m_hat, c_hat), Normal(eps, 0, 1))
    answer = define("x_new", m + sqrt(c / D_t) * (alpha_t * x0 + sigma_t * eps - alpha_t * m))
    d.start(E(wrong, answer) - m, name="mean", words="the error of the mean")
    d.equals(rho * (m_hat - m), by="the exact answer of normal data is linear")

    d.start(E(wrong, (answer - m - rho * (m_hat - m)) ** 2) - c, name="variance", words="the error of the variance")
    d.equals(rho**2 * (c_hat - c), by="variances of independent parts add")

    d.start(rho**2, name="share", words="the factor is below one")
    d.less_than(1, by="some of the variance is noise", because=sigma_t**2 / D_t)


# %% [markdown]
# **What it means.** With exact answers the error shrinks, and more where more noise is added. Something weaker holds in general, in another measure: given the sample, the noise is drawn alike for right and wrong samples, so noising keeps the KL
# divergence of the pair (`divergences.kl_chain_rule`), forgetting the sample can only lower it (`divergences.kl_marginal`), and the exact answer is an invertible map, which keeps it. **With exact answers the error of the marginal never grows.** A real network
# adds its own error at each call; so a few calls help, and many do not.
#
# {{ picture consistency.rounds }}
#
# One hypothesis is easily forgotten: that data, noised with *fresh* noise, have the density that the flow has at that time. It holds for the flow of independent pairs. It does **not** hold for a straightened one. Standard normal data after reflow: each noise is paired
# with itself, nothing moves, and at $t = \frac12$ the flow has the variance 1. Noised data have there $\frac14 + \frac14 = \frac12$. The exact end of the straight flow is the place itself, so the second call makes samples of variance $\frac12$. In general, for normal data of variance $c$
# and $m = 0$, where the straight flow pairs $\epsilon$ with $\sqrt c\, \epsilon$ and its exact answer divides by $w_t = \alpha_t + \sigma_t/\sqrt c$: `consistency.after_reflow`.


# %%
@derivation("Fresh noise after reflow")
def after_reflow(d):
    root = define("w_t", alpha_t + sigma_t / sqrt(c))
    both = (Normal(x0, 0, c), Normal(eps, 0, 1))
    d.start(root * (sqrt(c) * eps), name="end", words="the straight path of a noise, and its end")
    d.equals(alpha_t * (sqrt(c) * eps) + sigma_t * eps, by="a multiple of the noise at every time")

    d.start(E(both, ((alpha_t * x0 + sigma_t * eps) / root) ** 2), name="variance", words="the variance of the second answer")
    d.equals((alpha_t**2 * c + sigma_t**2) / root**2, by="variances of independent parts add")

    d.start((alpha_t**2 * c + sigma_t**2) / root**2, name="narrow", words="it is too small")
    d.less_than(c, by="two numbers' squares are less than the square of their sum", because=2 * alpha_t * sigma_t * sqrt(c) / root**2)


# %% [markdown]
# **What it means.** Asking a straightened model several times with fresh noise makes its samples too narrow. There a step that ends elsewhere is needed, without new noise: the flow map.
#
# ## The mean velocity of a step
#
# A consistency model knows one end, the data. A *flow map* knows all: from any $t$ to any $s$. It is best told by the **mean velocity**: displacement over time,
# $u = (x - \Phi)/(t - s)$. The velocity $v$ is the slope of the path at a point; $u$ is the slope of the chord. With $u$ one step of any length is exact: $\Phi = x - (t - s)\, u$. And for $s \to t$ it is the velocity.
#
# {{ picture consistency.chord }}
#
# How can $u$ be learned without following the path? Move the start of the step along the path, with the end held: what the definition says about $\Phi$, which then does not change, becomes an equation for $u$ and $v$. That is the **MeanFlow identity**
# [@geng2025meanflow]: velocity minus mean velocity is the length of the step times the change of the mean velocity along the path. In `consistency.mean_flow`, $\Phi$ is *any* map; $\mathrm{D}$ is the change along the path, $\partial_t + v_1 \partial_{x_1} + \dots$, and one component of $u$ is written.
# The identity holds for it exactly if the last term, $\mathrm{D} \Phi$, vanishes, as it does for the map of the flow. Again that alone singles out nothing; what does is $\Phi = x$ at $t = s$, and this is built in as long as $u$ is finite there.
#
# !!! example "By hand"
#
#     Normal data with $m = 0$, $c = 0.25$, the straight path, $s = 0$. From $t = 1$, $x = 1.2$ the end is $0.6$, so $u = 0.6$. The velocity there is $x (t - (1 - t) c)/S_t = 1.2$. The identity says that $u$ changes along the path at the
#     rate $1.2 - 0.6 = 0.6$. Check: at $t = 0.9$ the path is at $1.2 \sqrt{0.8125} \approx 1.0817$, the mean velocity is $0.4817/0.9 \approx 0.535$, and $(0.6 - 0.535)/0.1 \approx 0.65$: near 0.6, for a step so long.
#
# In code: `genmath.consistency.sample_mean_flow`.

# %%
Phi = Function("Phi")
u = define("u", (x - Phi(x, s, t)) / (t - s))


@derivation("The MeanFlow identity", n=(1, 2))
def mean_flow(d, n):
    places = [variables(f"x_{i}") for i in range(1, n + 1)]
    field = [define(f"v_{i}", Function(f"v_{i}")(*places, t)) for i in range(1, n + 1)]
    end = define("Phi_1", Function("Phi_1")(*places, s, t))
    mean = define("u_1", (places[0] - end) / (t - s))

    def along(of):
        return plus([diff(of, t), *[v_i * diff(of, x_i) for v_i, x_i in zip(field, places, strict=True)]])

    d.given_that(absolute(t - s) > 0)
    d.start(field[0] - (t - s) * along(mean))
    d.equals(mean + along(end), by="quotient rule: the place moves by the velocity, and the length of the step grows by one")


# %% [markdown]
# So a network $u_\theta$ is trained to be what the identity says: velocity minus $(t - s)$ times its own change along the path, the target held fixed. And in place of the unknown velocity stands that of one line, $V$, twice: by itself and in
# the change along the path. Is *this* target unbiased? Yes, and at any length of the step: it is linear in $V$, `consistency.mean_flow_loss[target]`. ($u_x$ and $u_t$ are the network's derivatives at this place and these times; the network is $u(x)$ there.)
#
# But it is the target that is unbiased, not the loss. With gradients through the target, `consistency.mean_flow_loss[spread]`, the variance of the velocities is paid for with a factor that contains the network's slope. Then the network would learn to make that factor small.
# The stop-gradient is often said to be there to save a second backward pass. It does; but without it the answer would be another one.
#
# In code: `genmath.consistency.mean_flow_loss`, with the change along the line by `torch.func.jvp`.

# %%
u_x, u_t, u_now = Function("u_x"), Function("u_t"), Function("u")


def target_of(at):
    return at - (t - s) * (at * u_x(x) + u_t(x))


u_tgt = define("u_tgt", target_of(v))


@derivation("The MeanFlow target is unbiased, its loss is not")
def mean_flow_loss(d):
    d.start(E(r(v | x), u_tgt), name="target", words="the mean target")
    d.equals(target_of(v_bar), by="the target is linear in the velocity of the line")

    d.start(E(r(v | x), (u_now(x) - u_tgt) ** 2), name="spread", words="the loss at one place")
    d.equals((u_now(x) - target_of(v_bar)) ** 2 + (1 - (t - s) * u_x(x)) ** 2 * E(r(v | x), (v - v_bar) ** 2),
             by="a mean square is the square of the mean plus the variance")

    d.slip(
        "classic-meanflow-without-stop",
        wrong=equal(E(r(v | x), (u_now(x) - u_tgt) ** 2), (u_now(x) - target_of(v_bar)) ** 2 + E(r(v | x), (v - v_bar) ** 2)),
        right=equal(E(r(v | x), (u_now(x) - u_tgt) ** 2),
                    (u_now(x) - target_of(v_bar)) ** 2 + (1 - (t - s) * u_x(x)) ** 2 * E(r(v | x), (v - v_bar) ** 2)),
        source="a common slip, no single source: 'the stop-gradient only saves a second backward pass'",
        why="As for flow matching the variance was taken for a constant. Here its factor contains the network; only with the target held fixed does it not count.",
    )


# %% [markdown]
# **What it means.** With $s = t$ this is flow matching. With $s < t$ the network teaches itself, from its own derivative, what follows from the velocities in between. No grid, no teacher, no solver.
#
# ## Two half steps are one step
#
# There is a second way to learn long steps, without derivatives: a step of length $2 h$ must do what two steps of length $h$ do. In mean velocities, `consistency.shortcut`: **the mean velocity of the whole is the mean of those of the halves**, the second taken where the first has
# led ($A$ and $B$ are the maps of the two halves). A *shortcut model* [@frans2025shortcut] is trained on that for long steps, and by flow matching for very short ones.
#
# Again a second part is needed, here flow matching: *every* field satisfies the rule of the halves with its own flow, even the field that is zero everywhere.
#
# In code: `genmath.consistency.shortcut_target`.

# %%
first_half, second_half = Function("A"), Function("B")


@derivation("Two half steps are one step")
def shortcut(d):
    middle = define("x_m", first_half(x))
    end = define("x_s", second_half(middle))
    d.start((x - end) / (2 * h))
    d.equals((define("u_1", (x - middle) / h) + define("u_2", (middle - end) / h)) / 2, by="the two displacements add up, and the middle cancels")


# %% [markdown]
# ## Progressive distillation
#
# The oldest way [@salimans2022progressive] does the same with whole models. A teacher samples with DDIM in $2 N$ steps (`ddim.step`: go to the guessed data, and noise them again). A student with $N$ steps is trained to land, with one step, where the teacher lands with two. Then the student
# becomes the teacher. Which guess of the data must the student make? `consistency.progressive[target]`: the guess $\tilde x$ that is solved for, and a step with it does land there. `consistency.progressive[weights]`: it is
# a **weighted mean of the teacher's two guesses** $\hat x_1$ and $\hat x_2$, and the weights are how much $\rho = \alpha/\sigma$ grows over each half. In the last step to the data $\rho$ grows without bound, and the second guess alone counts.
#
# For a network that predicts $V = \alpha \epsilon - \sigma x_0$ on a path with $\alpha = \cos \phi$, $\sigma = \sin \phi$ a step back by the angle $\delta$ is a rotation, `consistency.progressive_v[step]`, without a division at any time. The student's target is the $V$ with which the
# rotation leads to the teacher's end: for a student's step by $2 \delta$, short of half a turn, $\tilde V = (\cos 2\delta\, x_t - x_s)/\sin 2\delta$. When the teacher takes two steps by $\delta$, with the answers $V_1$ and $V_2$, this is `consistency.progressive_v[two]`.
#
# In code: `genmath.consistency.progressive_target`.

# %%
alpha_m, sigma_m = positives("alpha_m sigma_m")
guess_1, guess_2, V, V_1, V_2 = variables("x_hat_1 x_hat_2 V V_1 V_2")
phi, delta = reals("phi delta")


def ddim_step(at, data, of, to):
    """Go to the guessed data, and noise them again with the noise that goes with them."""
    return to[0] * data + to[1] / of[1] * (at - of[0] * data)


@derivation("What the student of two steps has to guess")
def progressive(d):
    late, half, early = (alpha_t, sigma_t), (alpha_m, sigma_m), (alpha_s, sigma_s)
    d.given_that(alpha_s * sigma_t - sigma_s * alpha_t > 0)
    middle = define("x_m", ddim_step(xt, guess_1, late, half))
    end = define("x_s", ddim_step(middle, guess_2, half, early))
    solved = define("x_tilde", (end - sigma_s / sigma_t * xt) / (alpha_s - sigma_s / sigma_t * alpha_t))
    d.start(ddim_step(xt, solved, late, early), name="target", words="one step with this guess")
    d.equals(end, by="the guess was solved for")

    r_t, r_m, r_s = (define(f"rho_{n}", a / b) for n, (a, b) in zip("tms", (late, half, early), strict=True))
    d.start(solved, name="weights", words="it is a mean of the two guesses")
    d.equals(((r_m - r_t) * guess_1 + (r_s - r_m) * guess_2) / (r_s - r_t), by="collect the terms in the two guesses; those in $x_t$ cancel")


def rotated(at, answer):
    return cos(delta) * at - sin(delta) * answer


@derivation("Progressive distillation in v")
def progressive_v(d):
    data, noise = define("x_hat", cos(phi) * xt - sin(phi) * V), define("eps_hat", sin(phi) * xt + cos(phi) * V)
    alpha_back, sigma_back = define("alpha_s", cos(phi) * cos(delta) + sin(phi) * sin(delta)), define("sigma_s", sin(phi) * cos(delta) - cos(phi) * sin(delta))
    d.start(alpha_back * data + sigma_back * noise, name="step", words="a step is a rotation")
    d.equals(rotated(xt, V), by="addition of angles; squares of sine and cosine add up to one")

    d.given_that(sin(delta) > 0)
    d.given_that(cos(delta) > 0)
    twice, once = cos(delta) ** 2 - sin(delta) ** 2, 2 * sin(delta) * cos(delta)
    end = define("x_s", rotated(rotated(xt, V_1), V_2))
    d.start((twice * xt - end) / once, name="two", words="the target of two steps")
    d.equals((cos(delta) * V_1 + V_2 - sin(delta) * xt) / (2 * cos(delta)), by="the angle is doubled; divide by the common factor")


# %% [markdown]
# **What it means.** The algebra is exact: a student that meets its targets samples just as the teacher does, in half the calls. What is lost is that one network must now say in one call what took two; each round adds its error to the last.
#
# ## When one step is enough
#
# Is there a flow that needs no distillation? If a path is straight and walked at constant speed, its velocity is its mean velocity, and one Euler step is exact. [Reflow](flow_matching.py) makes paths straighter. How bent a path is: the mean square of how far its velocity ($w$, at a uniform time) is from
# its mean $D$, `consistency.straight[energy]`; zero for straight paths at constant speed, and for no others.
#
# The error of *one* Euler step from the noise is `consistency.straight[euler]`: the acceleration, weighted by the time. Mind that this is another condition. It is a mean with signs, and may vanish for a path that bends and bends back. So "**one step is exact if and only if the path is straight**" is
# half wrong. What is true: straight paths at constant speed are those on which *every* step, from every time to every time, is exact.
#
# !!! example "By hand"
#
#     The path $\varphi(t) = t (t - 1)^2$ starts and ends at 0, and its velocity at $t = 1$ is 0: one step from there is exact. In between it is up at $0.148$, and a step from $t = \frac13$, where the velocity is 0 as well, to the data, is off by all of that.
#
# {{ picture consistency.straight }}
#
# **Try it.** One step against many, along curved and along straight paths; and what the exact flow map does in one.
#
# {{ explorer flow_map }}

# %%
moment = variables("t")
time_ = reals("tau")


@derivation("Straight paths")
def straight(d):
    speed = Function("w")
    uniform = Uniform(moment, 0, 1)
    mean = define("D", E(uniform, speed(moment)))
    d.start(E(uniform, (speed(moment) - mean) ** 2), name="energy", words="how bent a path is")
    d.equals(E(uniform, speed(moment) ** 2) - mean**2, by="a variance is the mean square minus the square of the mean")

    error = way(0) - (way(1) - way.prime(1))
    d.start(error, name="euler", words="the error of one Euler step from the noise")
    d.equals(integral(time_ * diff(diff(way(time_), time_), time_), time_, between=(0, 1)), by="integrate by parts")


# %% [markdown]
# **What it means.** Straightness is enough for one step, and it is more than needed. A distilled model does not straighten anything: it learns where the bent path ends.
#
# ## Matching the distribution
#
# All methods so far copy the *paths* of a teacher: which noise leads to which sample. Nobody who looks at samples cares. One may ask only that the **density** of the samples be right. Let a generator $G_\theta$ make a sample of noise $z$ in one call, and look at its samples through noise of level $t$, so that
# all densities are positive and have scores. $r$ is here the density of the noise $z$, $p_\theta$ that of the noised samples, $p$ that of the noised data. What is the gradient of the reverse KL divergence, $D_{\mathrm{KL}}(p_\theta \,\Vert\, p)$?
#
# The density $p_\theta$ stands there twice. `consistency.matching[logarithm]`: in the logarithm it need not be differentiated, because it integrates to one. So the gradient is that of a mean of a *fixed* function of the sample, and goes through the sample. `consistency.matching[samples]`, where $\ell$ is the logarithm of $p$, and $\tilde\ell$ that of $p_\theta$ with the present
# $\theta$, held fixed; their derivatives are the scores: **the gradient is the mean of a difference of two scores**, that of the samples minus that of the data, times the derivative of the noised sample, $\alpha_t\, \partial_\theta G$.
#
# {{ picture consistency.matching }}
#
# The score of the data is the teacher. The score of the samples is learned beside the generator, by denoising score matching on its samples, and always has to follow it. This is *distribution matching distillation* (DMD) [@yin2024dmd]. No KL is ever computed, only its gradient.
# A descent step moves a sample *against* the difference: up the score of the data, down its own. The second keeps samples apart. A reverse KL looks for modes: it hardly minds to miss one. DMD therefore adds a regression on pairs of the teacher, or, in its second version, an adversarial loss.
#
# In code: `genmath.consistency.dmd_loss`.

# %%
G = Function("G")
noise_of, data_law = Density("r", z), Density("p", x, positive=True)
log_tilde, log_data = Function("ell_tilde"), Function("ell")


@derivation("The gradient of the reverse KL is a difference of scores")
def matching(d):
    kernel = Normal(x, alpha_t * G(z, theta), sigma_t**2)
    p_theta = define("p_theta", E(noise_of(z), kernel))
    d.start(diff(integral(p_theta * log(p_theta / data_law(x)), x), theta), name="logarithm", words="the logarithm need not be differentiated")
    d.equals(integral(diff(p_theta, theta) * log(p_theta / data_law(x)), x), by="the density integrates to one for every parameter")

    d.start(diff(E((noise_of(z), kernel), log_tilde(x) - log_data(x)), theta), name="samples", words="the gradient through the samples")
    d.equals(E((noise_of(z), kernel), (log_tilde.prime(x) - log_data.prime(x)) * alpha_t * define("G_prime", diff(G(z, theta), theta))),
             by="the sample moves, and the kernel with it: integrate by parts")


# %% [markdown]
# ## Adversarial distillation
#
# The density may also be compared by a discriminator, as in [a GAN](gan.py): it is trained to tell the samples of the one-step generator from data, both at many noise levels, and the generator to fool it. With the best discriminator the value of that game is the Jensen–Shannon divergence of the two densities, twice, less
# $\log 4$ (`gan.minimax_value`), so it has no blur and no teacher's error in it. Why it works better here than from nothing: the generator starts as a good diffusion model, so that the two densities overlap (`gan.logit_losses` says what happens otherwise), noise makes them overlap more, and a distillation loss
# beside it keeps modes from being lost (`gan.missing_mode`).
#
# ## Which is which
#
# | method | what the network answers | needs a teacher | a training step costs | can use more steps |
# | --- | --- | --- | --- | --- |
# | consistency distillation | the end of the path | yes | 2 calls and a solver step | yes, with fresh noise |
# | consistency training | the end of the path | no | 2 calls | yes, with fresh noise |
# | MeanFlow | the mean velocity of any step | no | one call and its derivative | yes, without noise |
# | shortcut | the mean velocity of any step | no | 3 calls | yes, without noise |
# | progressive distillation | the prediction of the next longer step | yes, one a round | 3 calls | one grid a round |
# | reflow | the velocity | yes, to make pairs | 1 call | yes |
# | DMD, adversarial | a sample | a score; or none | 3 calls, and a second network | if built so |
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - The consistency function answers where the path ends; along a path it does not change, and at the data it is the point itself. **Both** are needed (`consistency.boundary`).
#     - Distillation: same answer at $x_t$ and one solver step later. Errors add up over the steps, no more (`consistency.distillation_error`).
#     - Training without a teacher: same data, **same noise**, target **held fixed** (`consistency.training_target`, `consistency.fresh_noise`). A coarse grid loses variance (`consistency.training_normal`).
#     - More calls: noise again, answer again; with exact answers errors shrink (`consistency.multistep`), but not on a straightened flow (`consistency.after_reflow`).
#     - Mean velocity: $u = v - (t - s)\, \mathrm{D} u$ (`consistency.mean_flow`), with one line for $v$ (`consistency.mean_flow_loss`). Two halves: the mean of their mean velocities (`consistency.shortcut`).
#     - Progressive distillation: the weighted mean of two guesses (`consistency.progressive`).
#     - Matching densities: score of the samples minus score of the data (`consistency.matching`).
#
# ## Questions
#
# ??? question "A consistency loss falls to $10^{-9}$ within a minute. Should one be glad?"
#
#     Look whether the condition at the data is built in. Without it a constant has loss zero (`consistency.boundary[constant]`).
#
# ??? question "Somebody makes the grid ten times finer, and the loss falls by a factor of a hundred. Is the model better?"
#
#     One cannot tell: on a grid of $N$ intervals the differences are of the order $1/N$ and their squares of the order $1/N^2$ for one and the same model. What bounds the error along exact paths is $N^2$ times the mean loss (`consistency.loss_to_error`), which is unchanged here. (Without a teacher the spread is in the loss, too, and $N^2$ times it does not get small: `consistency.training_target[line]`.)
#
# ??? question "Why does the sampler with several calls add fresh noise, when training insists on the same noise?"
#
#     Training compares two points of one line. The sampler has to reach the density of the flow at the smaller time, which is that of data with *independent* noise. An exact answer is not independent of the noise it came from: for standard normal data $f(\epsilon, 1) = \epsilon$, so with the old noise the point at $t = \frac12$ has the variance 1 in place of $\frac12$, and the second answer has the variance 2.
#
# ??? question "Standard normal data, straight path. What does a one-step Euler sampler give, a consistency model trained with one interval, and an exact one?"
#
#     The first two give the mean of the data, 0, for every noise. The exact one gives $f(x, 1) = x$, since the flow returns every point to where it started.
#
# ??? question "In the MeanFlow target, may the two velocities be those of two different lines through $x$?"
#
#     The mean would be the same, since the target is linear in each and neither multiplies the other. But one has only one line through a given $x_t$, and it serves for both.
#
# ??? question "Why does DMD need a second network that follows the generator?"
#
#     The gradient needs the score of the *samples'* density (`consistency.matching[samples]`), which is nobody's formula. Left out, every sample would only climb the data's score, and all would gather on peaks of the noised density.
#
# {{ spot notes-consistency-boundary among consistency.boundary[any] consistency.shortcut }}
#
# ## What the results do not say
#
# - **That training finds the fixed point.** With the target held fixed, training is no descent on any loss; that it converges is seen, not shown here.
# - **How large $L$ is.** `consistency.distillation_error` takes the Lipschitz constant of the trained network as given. Near the border between two modes the exact consistency function is steep, and $L$ is large.
# - **Anything about quality.** An exact consistency function of a poor teacher is poor. And a model that cannot be steep puts some samples between the modes.
# - `consistency.training_normal` and `consistency.multistep` are for normal data. For others the picture and the laboratory show what they look like.
# - `consistency.matching` is written for one coordinate and one noise level; DMD averages over levels, with weights of its own.
# - `consistency.loss_to_error` is checked for 2 to 4 intervals.
#
# ## Where sources slip
#
# Beside the results stand the slips that break them: a definition without its condition at the data (`notes-consistency-boundary`, `classic-consistency-boundary`), a loss taken for unbiased because its velocity is (`classic-consistency-training-unbiased`), and the
# stop-gradient taken for mere thrift (`classic-meanflow-without-stop`).
#
# ## References
#
# - [@song2023consistency]: the consistency function and its condition (section 3), distillation (theorem 1), training (theorem 2), sampling in several steps (algorithm 1).
# - [@song2024improved]: consistency training with a grid that is refined, without EMA.
# - [@lu2025simplifying]: continuous time, made stable.
# - [@geng2025meanflow]: mean velocities, their identity and loss.
# - [@frans2025shortcut]: shortcut models.
# - [@salimans2022progressive]: progressive distillation, and predicting $v$.
# - [@liu2023flow]: straight flows and one step.
# - [@yin2024dmd]: distribution matching distillation.
# - [@sauer2024add]: adversarial distillation.
