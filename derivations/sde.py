# %% [markdown]
# # Stochastic differential equations
#
# A diffusion model ([Denoising diffusion](ddpm.py), DDPM) adds noise to data in many steps, and the variance of step $t$ is the
# number $\beta_t$ of a table. Let the steps become small and many. The chain of noisy copies turns into a random curve that
# drifts and trembles, and the table into a function of time. What is gained? One equation tells how the
# *density* moves, whatever the data are. Read backwards it shows how to return from noise to data. It also shows a
# surprise: there are many ways to return. One of them trembles as much as the way out did, one does not tremble at
# all, and the density cannot tell them apart.
#
# **The answer in a line:** the density moves by drift and diffusion (Fokker–Planck); for the density, diffusion is the same as a
# drift against the score; so any part of the noise may be replaced by such a drift, in either direction of time.
#
# {{ picture sde.question }}
#
# !!! board "On the board"
#
#     Out: $\mathrm{d}x = f x\, \mathrm{d}t + g\, \mathrm{d}w$. In a short time $h$ the point moves by $f x\, h$, the *drift*, and by
#     $g \sqrt h\, z$, fresh noise with standard normal $z$. The density of the noisy data moves by the Fokker–Planck equation:
#
#     {{ sde.linear_marginal }}
#
#     Back: steps of the drift $b_\lambda$ with noise $\lambda g$, for any $\lambda \ge 0$:
#
#     {{ define sde.back_drift }}
#
#     $\lambda = 1$ is the reverse *stochastic differential equation* (SDE). $\lambda = 0$ is the *probability flow*, an ordinary differential equation
#     $\mathrm{d}x/\mathrm{d}t = u_t(x)$:
#
#     {{ define sde.flow_velocity }}
#
#     $p_t$ is the density at time $t$ of $x = \alpha(t) x_0 + \sigma(t) \epsilon$, data $x_0$ at $t = 0$ and noise at $t = 1$, with
#     standard normal $\epsilon$. The derivative of $\log p_t$ by $x$ is the *score*, which a network learns. $f(t)$ and $g(t)^2$
#     follow from $\alpha$ and $\sigma$: they are written out at `sde.linear_sde`. $w$ is *Brownian motion*: in a time $h$ it moves
#     by a normal amount of variance $h$, whatever it did before.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Draw data $x_0$, a time $t$ between 0 and 1 and noise $\epsilon$.
#     2. Jump to $x_t = \alpha(t) x_0 + \sigma(t)\epsilon$: `genmath.paths.Path.interpolate`.
#     3. Take a gradient step on $\|\sigma(t)\, s_\theta(x_t, t) + \epsilon\|^2$, as in [Score matching](score.py):
#        `genmath.score.denoising_loss`.
#
# !!! sample "Sample"
#
#     1. Draw $x$ from the noise at $t = 1$.
#     2. In small steps $h$ down to $t = 0$: $x \leftarrow x - h\, b_\lambda(x) + \lambda g \sqrt{h}\, z$ with the network
#        $s_\theta$ as the score. `genmath.samplers.ReverseSDE`; without noise `genmath.samplers.Euler` or `genmath.samplers.Heun`.
#     3. Return $x$: `genmath.samplers.sample` is the loop.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - Time $t$ runs from 0 to 1, data at 0 and noise at 1. (Flow matching papers often run it the other way, and DDPM counts
#   steps $1, \dots, T$.) A *stochastic differential equation* (SDE) $\mathrm{d}x = b\, \mathrm{d}t + g\, \mathrm{d}w$ is short for:
#   over a short time $h$ the point moves by $b h + g \sqrt h\, \epsilon$ with fresh standard normal $\epsilon$. $b$ is the *drift*, $g$ the
#   *diffusion coefficient*; $g^2$ is a variance per unit of time.
# - $p$ is the density of the point at one moment, smooth; where a score $\partial \log p$ occurs, it is positive. $\partial$ is the
#   derivative by the place $x$, $\partial_t$ that by time, and a prime is the derivative of a function of one variable.
# - *Boundary terms vanish*: where we integrate by parts, certain products must go to zero at infinity. They are listed with each result.
# - That the limit $h \to 0$ exists is a theorem about stochastic processes which this book does not prove. What is checked are the equations of the limit: how
#   means, moments and densities move.

# %%
from genmath.proof import *

x, y, x0, eps = variables("x y x_0 eps")
u, v = variables("u v")
t, h = positives("t h")
f = Function("f")
alpha, sigma = Function("alpha", positive=True), Function("sigma", positive=True)
data = Density("q", x0)


# %% [markdown]
# ## Drift and noise
#
# {{ picture sde.drift }}
#
# A path is made of many small steps, each a bit of drift and a bit of fresh noise. The drift is of size $h$, the noise of
# size $\sqrt h$: with $b = g = 1$ and $h = 0.01$ the noise of one step is ten times the drift. Over $100$ steps the drifts add up to
# $1$, since they have one direction; the sum of the noises is of size $\sqrt{100} \cdot 0.1 = 1$ as well, since they
# mostly cancel. That is why $\sqrt h$ is the right size: with a smaller power of $h$ the sum of the noises would grow without end as $h \to 0$,
# with a larger one it would disappear.
#
# ## Itô's formula: why the second derivative counts
#
# {{ picture sde.squares }}
#
# A smooth curve moves by $b h$ in a short time $h$, and the square of this, $b^2 h^2$, is so small that it can be forgotten. The noise of a step, the *tremble*
# $\epsilon_h = \sqrt h\, \epsilon$, has a square of size $h$: not small compared with the drift. The mean of the square is $h$ (`sde.ito[square]`), and its variance
# is $2h^2$ (`sde.ito[sure]`), which *is* small. A unit of time has $1/h$ steps: there the squares have a sum of mean $1$ and
# variance $2h$, so in the limit the sum is not random. That is what "$\mathrm{d}w^2 = \mathrm{d}t$" means.
#
# Let $f$ be any smooth function (not the number $f$ of the board), and start at $x$ with constant $b$ and $g$. `sde.ito[after]` says how the point $y$ after a time $h$
# is distributed: it is normal. `sde.ito[rate]` says how the mean of $f(y)$ changes with $h$:
# by the slope of $f$ times the drift, and by half the *second* derivative times $g^2$. Both sides are exact for every $h$, not only in the limit.
#
# !!! example "By hand"
#
#     $f(x) = x^2$, no drift, $g = 1$, start at 0. The slope of $f$ at 0 is zero, so a smooth curve through 0 would not
#     change $f$ to first order. But after a time $h$ the point is $\sqrt h\, \epsilon$, and the mean of its square is $h$: the
#     rate is 1, which is $\tfrac12 f'' g^2$ with $f'' = 2$.

# %%
b, g = reals("b"), positives("g")
tremble = define("epsilon_h", sqrt(h) * eps)
moved = Normal(y, x + b * h, g**2 * h)


@derivation("Itô's formula in the mean")
def ito(d):
    d.start(E(Normal(eps, 0, 1), tremble**2), name="square", words="the squared tremble, in the mean")
    d.equals(h, by="the variance of the tremble")
    d.start(E(Normal(eps, 0, 1), (tremble**2 - h) ** 2), name="sure", words="its variance")
    d.equals(2 * h**2, by="the fourth moment of a standard normal is 3")

    d.start(E(Normal(eps, 0, 1), f(x + b * h + g * sqrt(h) * eps)), name="after", words="after a time $h$")
    d.equals(E(moved, f(y)), by="a shifted and scaled normal is normal")

    d.start(diff(E(moved, f(y)), h), name="rate", words="how a mean changes")
    d.equals(integral(f(y) * (-diff(b * moved, y) + g**2 / 2 * diff(diff(moved, y), y)), y),
             by="in $h$, a normal density changes by moving and by spreading")
    d.equals(E(moved, b * f.prime(y) + g**2 / 2 * diff(f.prime(y), y)), by="integrate by parts: once for the drift, twice for the spread")


# %% [markdown]
# **What it means.** Noise has no direction, but where a function is curved it changes the mean: on a valley floor every
# move leads up.
#
# ## The Fokker–Planck equation
#
# {{ picture sde.density }}
#
# Now the point is random, with density $p$, and drift and diffusion depend on where it is. By Itô's formula the mean of a function $f$ of the point changes at the rate
# $\mathbb{E}_p[b f' + \tfrac12 g^2 f'']$. Integrate by parts until no derivative is left on $f$: the rate is the integral of $f$ times
# *something that does not depend on $f$*. But the mean of $f$ is $\int f p\, \mathrm{d}x$, so its rate is $\int f\, \partial_t p\, \mathrm{d}x$. Since this holds for every
# $f$ ($f$ is called a *test function*), that something is the rate $\partial_t p$ at which the density itself changes:
# $\partial_t p = -\partial(b p) + \tfrac12 \partial^2 (g^2 p)$.
#
# `sde.fokker_planck[current]` writes the right side as minus the derivative of a *current*, the amount of mass that passes a place in a unit of time. (That
# $\partial_t p$ is minus the derivative of the current is called the *continuity equation*, see `flow_matching.continuity`: mass only moves.) The drift has the
# current $b p$: it carries the density along. For constant $g$ diffusion has the current $-\tfrac12 g^2\, \partial p$: against the slope, from more to less. The rest of the
# chapter rests on this. `sde.fokker_planck[plane]` is the equation for two coordinates $u, v$, with the drift $(b_1, b_2)$ and the same $g$ for both.
#
# In code: `genmath.paths.Path` has the drift and the squared diffusion coefficient of its own equation.

# %%
p = Density("p", x)
drift, noise = Function("b"), Function("g")
flat = Density("p", u, v)
test = Function("f")(u, v)
b_u, b_v = Function("b_1")(u, v), Function("b_2")(u, v)


@derivation("The Fokker–Planck equation")
def fokker_planck(d):
    d.start(E(p(x), drift(x) * f.prime(x) + noise(x) ** 2 / 2 * diff(f.prime(x), x)), name="weak", words="no derivative on $f$")
    d.equals(integral(f(x) * (-diff(drift(x) * p(x), x) + diff(diff(noise(x) ** 2 * p(x), x), x) / 2), x),
             by="integrate by parts: once for the drift, twice for the diffusion")

    d.start(-diff(drift(x) * p(x), x) + diff(diff(noise(x) ** 2 * p(x), x), x) / 2, name="current", words="as a current")
    d.equals(-diff(drift(x) * p(x) - diff(noise(x) ** 2 * p(x), x) / 2, x), by="both are derivatives")

    spread = g**2 / 2
    d.start(E(flat(u, v), b_u * diff(test, u) + b_v * diff(test, v) + spread * (diff(diff(test, u), u) + diff(diff(test, v), v))),
            name="plane", words="in the plane")
    d.equals(integral(test * (-diff(b_u * flat(u, v), u) - diff(b_v * flat(u, v), v)
                              + spread * (diff(diff(flat(u, v), u), u) + diff(diff(flat(u, v), v), v))), u, v),
             by="the same along each coordinate, the other held")


# %% [markdown]
# **What it means.** Single points move at random, their density does not: its motion is a differential equation without
# chance. Drift carries mass, diffusion moves it from where there is more to where there is less.
#
# ## Linear drift: two numbers are enough
#
# All of the usual noising processes have a drift proportional to the position, $b = f x$. From here on $f$ is a number that depends on time, as on the board, and $g$ depends on time only.
# Let $p'$ be the rate of change of $p$ by the Fokker–Planck equation. Multiply it by the test functions $1$, $x$ and $(x - c)^2$ with any number $c$, and integrate.
# The mass does not change. The mean $m$ obeys
# $m' = f m$. And with $c = m$ the variance $v$ obeys $v' = 2 f v + g^2$ (`sde.moment_equations[variance]`, `sde.moment_equations[centred]`): the drift acts on it twice, since it is a square, and the noise adds $g^2$. We did
# not use a normal density: these hold for every data distribution.
#
# In code: `genmath.sde.linear_sde_moments`.

# %%
rate = reals("f")
m = define("m", E(p(x), x))
variance = define("v", E(p(x), (x - m) ** 2))
centre = reals("c")
change = define("p_prime", -diff(rate * x * p(x), x) + g**2 / 2 * diff(diff(p(x), x), x))


@derivation("Moment equations of a linear SDE")
def moment_equations(d):
    d.start(integral(change, x), name="mass", words="the mass")
    d.equals(0, by="a derivative integrates to zero")
    d.start(integral(x * change, x), name="mean", words="the mean")
    d.equals(rate * m, by="integrate by parts")
    d.start(integral((x - centre) ** 2 * change, x), name="variance", words="the second moment around any centre")
    d.equals(2 * rate * E(p(x), (x - centre) * x) + g**2, by="integrate by parts; half the second derivative of the square is 1")
    d.start(2 * rate * E(p(x), (x - m) * x) + g**2, name="centred", words="the variance")
    d.equals(2 * rate * variance + g**2, by="$x$ is $m$ plus a deviation that averages to zero")


# %% [markdown]
# With a linear drift normal densities stay normal. So for one data point $x_0$ these two numbers say everything about the *kernel*, the density of $x$ at time $t$ given $x_0$.
# Now solve the two equations for $f$ and $g^2$: to have the
# kernel with mean $\alpha(t) x_0$ and variance $\sigma(t)^2$, take $f = \alpha'/\alpha$ and $g^2 = (\sigma^2)' - 2 f \sigma^2$. So **any** path $\alpha(t) x_0 + \sigma(t) \epsilon$ of this book is the path of an SDE, as long
# as this $g^2$ is not negative, that is, as long as $r = \sigma/\alpha$ never falls (`sde.path_noise`). `sde.linear_sde` says that the kernel then obeys the Fokker–Planck equation, in one coordinate and in two.
# `sde.linear_marginal` says the same of $p_t$, the average of the kernels over the data with any density $q(x_0)$: the equation is linear in the density.
#
# In code: `genmath.paths.Path.drift` and `genmath.paths.Path.squared_diffusion`.

# %%
f_t = define("f(t)", alpha.prime(t) / alpha(t))
g2_t = define("g(t)^2", 2 * sigma(t) * sigma.prime(t) - 2 * f_t * sigma(t) ** 2)
path = Normal(x, alpha(t) * x0, sigma(t) ** 2)
p_t = define("p_t(x)", E(data(x0), path))


def fokker_planck_of(density, drifts, squared, places):
    """The right side of the Fokker–Planck equation, by coordinates."""
    return plus([-diff(b_i * density, z) + squared / 2 * diff(diff(density, z), z) for b_i, z in zip(drifts, places, strict=True)])


@derivation("The SDE of a path", n=(1, 2))
def linear_sde(d, n):
    places, starts = copies(x, n), copies(x0, n)
    kernel = Normal(places[0], alpha(t) * starts[0], sigma(t) ** 2)
    for x_i, y_i in list(zip(places, starts, strict=True))[1:]:
        kernel = kernel * Normal(x_i, alpha(t) * y_i, sigma(t) ** 2)
    kernel = define("p", kernel)
    d.start(diff(kernel, t), name="kernel", words="the kernel obeys the equation")
    d.equals(fokker_planck_of(kernel, [f_t * x_i for x_i in places], g2_t, places), by="the derivatives of a normal density in time and place")


@derivation("The noise that a path asks for")
def path_noise(d):
    ratio = define("r(t)", sigma(t) / alpha(t))
    d.start(g2_t)
    d.equals(2 * alpha(t) ** 2 * ratio * diff(ratio, t), by="quotient rule")


@derivation("The marginals of a linear SDE")
def linear_marginal(d):
    d.start(diff(p_t, t))
    d.equals(fokker_planck_of(p_t, [f_t * x], g2_t, [x]), by="`sde.linear_sde` for each data point, averaged")


# %% [markdown]
# **What it means.** For a linear drift two ordinary equations, for a factor and for a variance, replace the equation
# for a density. That is why data can be noised to any time in a single draw.

# %% [markdown]
# ### Ornstein–Uhlenbeck
#
# The oldest of these processes pulls to the origin at a constant rate $\theta > 0$, with a constant $g$: $\mathrm{d}x = -\theta x\, \mathrm{d}t + g\, \mathrm{d}w$. From the start $x_0$ its mean is
# $c(t)\, x_0$ with $c(t) = e^{-\theta t}$: it forgets where it started. Its variance approaches $v_{\mathrm{rest}} = g^2/(2\theta)$, at which the noise adds as much as the pull takes away. The normal
# density $\pi$ with mean 0 and this variance stays as it is, it is *stationary* (`sde.ornstein_uhlenbeck[stationary]`). In this state let the point be at $x$ now and at $y$ a time $t$ later. The pair $(x, y)$ has
# the same density as $(y, x)$, so the process looks the same forwards and backwards (`sde.ornstein_uhlenbeck[reversible]`); and the covariance of $x$ and $y$ is $e^{-\theta t}$ times the variance
# (`sde.ornstein_uhlenbeck[memory]`).
#
# !!! example "By hand"
#
#     $\theta = 1$, $g = 1$, start at $x_0 = 2$. The variance after a time $t$ is $v_{\mathrm{rest}} (1 - e^{-2\theta t})$, with $v_{\mathrm{rest}} = 1/2$. At $t = \log 2 \approx 0.693$ we have $e^{-t} = 1/2$:
#     the mean has come down to $1$, and the variance is $\tfrac12 (1 - \tfrac14) = 0.375$.
#
# In code: `genmath.sde.ornstein_uhlenbeck_moments`.

# %%
theta = positives("theta")
settled = define("v_rest", g**2 / (2 * theta))
memory = define("c(t)", exp(-theta * t))


def kernel_of(point, start):
    """The density a time t after the start."""
    return Normal(point, memory * start, settled * (1 - exp(-2 * theta * t)))


@derivation("The Ornstein–Uhlenbeck process")
def ornstein_uhlenbeck(d):
    k = define("p", kernel_of(x, x0))
    d.start(diff(k, t), name="kernel", words="the kernel")
    d.equals(fokker_planck_of(k, [-theta * x], g**2, [x]), by="the mean decays at the rate $\\theta$, the variance approaches its limit at the rate $2\\theta$")

    rest = define("pi", Normal(x, 0, settled))
    d.start(fokker_planck_of(rest, [-theta * x], g**2, [x]), name="stationary", words="what stays")
    d.equals(0, by="$v' = -2\\theta v + g^2$ is zero at $v = g^2/(2\\theta)$")

    d.start(Normal(x, 0, settled) * kernel_of(y, x), name="reversible", words="the same read backwards")
    d.equals(Normal(y, 0, settled) * kernel_of(x, y), by="the exponent is symmetric in x and y")

    d.start(E((Normal(x, 0, settled), kernel_of(y, x)), x * y), name="memory", words="how much is remembered")
    d.equals(memory * settled, by="given $x$, the mean of $y$ is $c x$")

    d.slip(
        "mit-ou-variance",
        wrong=equal(fokker_planck_of(Normal(x, 0, g**2 / theta), [-theta * x], g**2, [x]), 0),
        right=equal(fokker_planck_of(rest, [-theta * x], g**2, [x]), 0),
        source="eje24/iap-diffusion-labs commit fcb1285",
        why="A variance is made of squares, and each of the two factors is pulled back at the rate θ. So 2θ times the variance balances "
        "g², not θ times.",
    )


# %% [markdown]
# **What it means.** It forgets at the rate $\theta$: at time $3/\theta$ a twentieth of the start is left. What
# remains is a density at rest, and at rest forwards and backwards look the same.

# %% [markdown]
# ### Variance preserving, variance exploding
#
# The two processes of diffusion models. *Variance preserving*: the Ornstein–Uhlenbeck process with $\theta = \tfrac12$ and $g = 1$, in which time runs $\beta(t)$ times as fast,
# $\mathrm{d}x = -\tfrac12 \beta x\, \mathrm{d}t + \sqrt{\beta}\, \mathrm{d}w$. With $B(t)$ for the integral of $\beta$ from 0 to $t$, so that $\beta = B'$,
# its kernel has $\alpha = e^{-B/2}$ and $\sigma^2 = 1 - e^{-B}$. The name: $\alpha^2 + \sigma^2 = 1$, so data of variance 1 keep this variance. *Variance exploding*: no drift, only noise, $\mathrm{d}x = g\, \mathrm{d}w$ with $g^2 = (\sigma^2)'$; the data stay where they are and the variance grows, up to a large number.
#
# A third one has the drift of the first and a smaller variance: $\sigma = 1 - e^{-B}$, so $\sigma^2$ is the *square* of the first one's variance. By `sde.linear_sde` its $g^2$ is $2 \sigma \sigma' - 2 f \sigma^2$ with
# $f = -\tfrac12 \beta$, which is `sde.vp_kernel[sub]`: less noise is added as long as some of the data is left.
#
# In code: `genmath.paths.VPPath` and `genmath.paths.VEPath`.

# %%
B = Function("B", positive=True)
beta_t = define("beta(t)", B.prime(t))
vp = define("p", Normal(x, exp(-B(t) / 2) * x0, 1 - exp(-B(t))))
less = define("sigma(t)", 1 - exp(-B(t)))
ve = define("p", Normal(x, x0, sigma(t) ** 2))


@derivation("The variance preserving kernel")
def vp_kernel(d):
    d.start(diff(vp, t), name="kernel", words="the kernel")
    d.equals(fokker_planck_of(vp, [-(beta_t / 2 * x)], beta_t, [x]), by="$\\alpha' = -\\beta\\alpha/2$ and $(\\sigma^2)' = \\beta(1 - \\sigma^2)$")
    d.start(2 * less * diff(less, t) + beta_t * less**2, name="sub", words="the noise of the third process")
    d.equals(beta_t * (1 - exp(-2 * B(t))), by="the slope of $\\sigma$ is $\\beta e^{-B}$")


@derivation("The variance exploding kernel")
def ve_kernel(d):
    d.start(diff(ve, t))
    d.equals(fokker_planck_of(ve, [0], diff(sigma(t) ** 2, t), [x]), by="the mean stays and the variance is $\\sigma^2$: the heat equation")


# %% [markdown]
# **What it means.** There are two ways to drown data: shrink them and keep the variance, or leave them and let the
# noise grow. Divided by their factors, the two are one path on different clocks.

# %% [markdown]
# ## DDPM is this SDE, at times on a grid
#
# {{ picture sde.grid }}
#
# Take a piece of time and let $b$ be the integral of $\beta(t)$ over it (in this section $b$ is not a drift). Over this piece the variance preserving SDE multiplies the point by $e^{-b/2}$ and
# adds noise of variance $1 - e^{-b}$. The forward step of DDPM, from $x_{t-1}$ to $x_t$, multiplies by $r = \sqrt{1 - \beta_t}$ and adds noise of variance $\beta_t$. With
# $\beta_t = 1 - e^{-b}$ the two are the same, *exactly* (`sde.ddpm_step[exact]`). So the forward chain of a DDPM is no approximation of the SDE: it is the SDE, seen only at the times of
# a grid. The $\bar\alpha_t$ of DDPM, the product of all factors $1 - \beta_t$ so far, is $e^{-B}$.
#
# An approximation comes in when one sets "$\beta_t = \beta(t) h$", or takes an *Euler step* of the SDE: it treats the drift as constant during the step, so it multiplies by
# $1 - b/2$ and adds noise of variance $b$. How far is that from the exact step? The factor $1 - \beta_t/2$ is larger than $\sqrt{1 - \beta_t}$ by at most $\tfrac12 \beta_t^2$, and
# at least $\tfrac18 \beta_t^2$ (`sde.ddpm_step[factor]`, `sde.ddpm_step[factor_below]`); $b$ is larger than $\beta_t$ by at most $\beta_t^2/(1 - \beta_t)$ (`sde.ddpm_step[excess]`). Both are errors of second order in *one* step. But
# about $1/\beta_t$ steps are needed until $\beta(t)$ has integrated to 1, and their errors add up: an error of first order is left.
#
# In one case there is a formula for the total error. Start with a standard normal, which the exact step keeps
# (`ddpm.forward_marginal[stationary]`). Euler steps with $b = 4c$ keep another normal, of variance $v_b = 1/(1 - c)$ (`sde.ddpm_step[fixed]`). In each Euler step the distance of the variance $v_k$ from
# $v_b$ is multiplied by $(1 - b/2)^2$ (`sde.ddpm_step[contraction]`). So in the end the variance is wrong by $c/(1 - c)$, a quarter of $b$ to first order (`sde.ddpm_step[bias]`).
#
# !!! example "By hand"
#
#     A DDPM step with $\beta_t = 0.02$ takes the SDE through $b = -\log 0.98 \approx 0.02020$. It multiplies by $\sqrt{0.98} \approx 0.98995$;
#     "$1 - \beta_t/2$" would be $0.99$, too large by $0.00005$, which is about $\beta_t^2/8$.
#
# In code: `genmath.sde.forward_step`, and `genmath.paths.Schedule` for the exact step.

# %%
xp, xt = variables("x_{t-1} x_t")
beta, c = fractions("beta_t c")
elapsed = define("b", -log(1 - beta))
root = define("r", sqrt(1 - beta))
length = define("b", 4 * c)
v_b = define("v_b", 1 / (1 - c))
v_k = positives("v_k")


@derivation("DDPM and the discretised SDE")
def ddpm_step(d):
    d.start(Normal(xt, exp(-elapsed / 2) * xp, 1 - exp(-elapsed)), name="exact", words="the exact step")
    d.equals(Normal(xt, root * xp, beta), by="$e^{-b} = 1 - \\beta_t$")

    d.start(1 - beta / 2 - root, name="factor", words="the factor of the Euler step, from above")
    d.equals(beta**2 / (2 * (1 + root) ** 2), by="it is half the square of $1 - r$, and $(1 - r)(1 + r) = \\beta_t$")
    d.at_most(beta**2 / 2, by="the root is positive", because=beta**2 / 2 * (1 - 1 / (1 + root) ** 2))
    d.start(1 - beta / 2 - root, name="factor_below", words="the same from below")
    d.at_least(beta**2 / 8, by="the root is below 1, so the square of $1 + r$ is below 4",
               because=beta**3 / 8 * (3 + root) / (1 + root) ** 3)

    d.start(elapsed - beta, name="excess_below", words="the noise of the Euler step, from below")
    d.at_least(0, by="the logarithm lies below its tangent", because=log_gap(1 - beta))
    d.start(elapsed - beta, name="excess", words="the same from above")
    d.at_most(beta**2 / (1 - beta), by="the same at the reciprocal", because=log_gap(1 / (1 - beta)))

    euler = Normal(y, (1 - length / 2) * x, length)
    d.start(integral(euler * Normal(x, 0, v_b), x), name="fixed", words="the law that Euler steps keep")
    d.equals(Normal(y, 0, v_b), by="solve $v = (1 - b/2)^2 v + b$")
    d.start((1 - length / 2) ** 2 * v_k + length - v_b, name="contraction", words="how fast it is approached")
    d.equals((1 - length / 2) ** 2 * (v_k - v_b), by="subtract the equation of the variance that Euler steps keep")
    d.start(v_b - 1, name="bias", words="how wrong it is")
    d.equals(length / 4 / (1 - c), by="it is $c/(1 - c)$, and $c = b/4$")


# %% [markdown]
# **What it means.** The continuous time is not a new model. It is the old one without a fixed number of steps: train at
# any $t$, choose the grid when you sample.
#
# ## Back in time
#
# A drop of ink spreads in water. In a film of it that runs backwards, mass flows from where there is little to where there is much.
# Noise never does that; a drift *along the score* does.
#
# Diffusion has the current $-\tfrac12 g^2\, \partial p$, against the slope of $p$. Now $\partial p = p\, \partial \log p$, so this is also the current of a drift $-\tfrac12 g^2\, \partial \log p$, against the score:
# the density cannot tell the two apart. Choose a number $0 \le \lambda \le 1$ and replace the
# part $1 - \lambda^2$ of the diffusion: add $-\tfrac12 (1 - \lambda^2) g^2\, \partial \log p$ to the drift, and reduce the noise from $g$ to $\lambda g$. The right side of the Fokker–Planck equation is the same for every $\lambda$ (`sde.reverse_family[forwards]`).
#
# Time read backwards changes the sign of $\partial_t p$, so the right side changes its sign, too. To have positive diffusion on the way back we need negative diffusion here. So replace *more than all* of it, the part $1 + \lambda^2$: with the drift
# $b - \tfrac12 (1 + \lambda^2)\, g^2\, \partial \log p$ there is a negative diffusion left, $-\tfrac12 \lambda^2 g^2 \partial^2 p$ (`sde.reverse_family[backwards]`). Read backwards, all signs change: the drift is run in the other direction, and the
# negative diffusion becomes a positive one. This is a process with noise $\lambda g$, now for any $\lambda \ge 0$, that runs from noise to data and has the **same density $p_t$ at every time**. (The density at one time is called a *marginal* of the process.)
#
# - $\lambda = 1$ is Anderson's **reverse SDE**, with drift $b - g^2\, \partial \log p$.
# - $\lambda = 0$ is the **probability flow**, an ordinary differential equation (ODE) with velocity $b - \tfrac12 g^2\, \partial \log p$: no noise at all, in both directions of time.
#
# The drift $b$ may be any function of the place; only $g$ must be the same at every place. In the lines below $s_1$ and $s_2$ are the coordinates of the score. `genmath.samplers.ReverseSDE` takes steps of this equation, for any $\lambda$; in code also
# `genmath.sde.reverse_drift` and `genmath.sde.probability_flow_velocity`.

# %%
lam = nonnegatives("lambda")
line = Density("p", x, positive=True)
plane = Density("p", u, v, positive=True)


@derivation("One density, many processes", n=(1, 2))
def reverse_family(d, n):
    places = (x,) if n == 1 else (u, v)
    density = define("p", line(x) if n == 1 else plane(u, v))
    drifts = [define(f"b_{i}", Function(f"b_{i}")(*places)) for i in range(1, n + 1)]
    scores = [define(f"s_{i}", diff(log(density), z)) for i, z in enumerate(places, 1)]
    less = [b_i - (1 - lam**2) / 2 * g**2 * s_i for b_i, s_i in zip(drifts, scores, strict=True)]
    back = [b_i - (1 + lam**2) / 2 * g**2 * s_i for b_i, s_i in zip(drifts, scores, strict=True)]

    d.start(fokker_planck_of(density, drifts, g**2, places), name="forwards", words="noise traded for score")
    d.equals(fokker_planck_of(density, less, lam**2 * g**2, places), by="$p$ times its score is the slope of $p$")
    d.start(fokker_planck_of(density, drifts, g**2, places), name="backwards", words="more than all of it")
    d.equals(fokker_planck_of(density, back, -(lam**2) * g**2, places), by="the same, with the part $1 + \\lambda^2$ of the diffusion replaced")
    if n > 1:
        return

    kernel_score = -((x - alpha(t) * x0) / sigma(t) ** 2)
    log_kernel = log(path)
    d.slip(
        "mit-lab2-double-nabla",
        wrong=equal(g**2 / 2 * diff(log_kernel, x), g**2 / 2 * diff(kernel_score, x)),
        right=equal(g**2 / 2 * diff(log_kernel, x), g**2 / 2 * kernel_score),
        source="eje24/iap-diffusion-labs commit 0f50ff6",
        why="(αz − x)/σ² already is the score; there is no second gradient to take",
    )


# %% [markdown]
# {{ picture sde.marginals }}
#
# **What it means.** Forwards, data are destroyed by noise; backwards, the score does the work, and noise is optional.
# Everything that is not known about the data sits in the score. With a perfect one all $\lambda$ are equally right. With a learned one
# noise helps to forget earlier errors, and no noise allows long, smooth steps: [Implicit diffusion](ddim.py) is about the second.
#
# Try it: below the data are a few points, so the score is known exactly. Choose the reverse SDE or a sampler without noise (Euler, Heun), and compare the paths
# and the densities.
#
# {{ explorer path }}
#
# ### What "the same marginals" does not mean
#
# {{ picture sde.memory }}
#
# The processes agree at each moment, not as random curves. Take the stationary Ornstein–Uhlenbeck process. Its probability flow stands still (`sde.path_laws[flow]`): every point stays
# where it is, so the covariance of its places at two moments is the full variance. The process itself forgets: there the covariance is smaller, by the factor $c(t) = e^{-\theta t}$ (`sde.ornstein_uhlenbeck[memory]`). And with
# $\lambda = 1$ the way back has the drift $+\theta x$ (`sde.path_laws[reverse]`), which in reversed time is a pull $-\theta x$: the same process again. So it must be, since this process looks the same backwards.


# %%
@derivation("Equal marginals, different paths")
def path_laws(d):
    rest_score = diff(log(Normal(x, 0, settled)), x)
    d.start(-theta * x - g**2 / 2 * rest_score, name="flow", words="the flow stands still")
    d.equals(0, by="the score is $-x/v$, and $g^2/(2v) = \\theta$")
    d.start(-theta * x - g**2 * rest_score, name="reverse", words="the way back with noise")
    d.equals(theta * x, by="twice as much score")
    d.start(settled - memory * settled, name="gap", words="what the flow remembers more")
    d.equals(settled * (1 - exp(-theta * t)), by="the covariance along the flow minus that along the process")
    d.at_least(0, by="the process forgets", because=settled * (1 - exp(-theta * t)))


# %% [markdown]
# **What it means.** At rest the flow moves nothing and the SDE never stops moving, yet no single snapshot tells them
# apart. What is asked at two times, such as how far a particle has come, tells them apart at once.

# %% [markdown]
# ## The score from a velocity { .advanced }
#
# A [flow matching](flow_matching.py) model predicts the velocity of the probability flow, and the score follows from it (`flow_matching.predictions`), so one may sample from it with noise, too. On the
# straight path with data at 0 we have $x_t = (1 - t) x_0 + t \epsilon$, and for one data point and one noise the velocity is $V = \epsilon - x_0$. So the noise is $\epsilon = x_t + (1 - t) V$, and the kernel's score is $-\epsilon/t$ (`sde.velocity_score[score]`). `sde.velocity_score[there]` is the same in the other direction of time,
# with data at 1: there $x_t = t x_0 + (1 - t) \epsilon$ and $V = x_0 - \epsilon$, so the sign of the velocity changes.
#
# Also with data at 1, take the path $\alpha = t$, $\sigma = \sqrt{1 - t}$. Its $g^2$ is $2/\alpha$ times $\sigma^2 \alpha' - \alpha \sigma' \sigma$, and `sde.velocity_score[diffusion]` computes the second factor. At $t = 1$ the product $\sigma' \sigma$ is infinity times 0; but it is $-\tfrac12$ at every $t$ before,
# so the whole has the limit one half there, and is nowhere less.

# %%
tau = fractions("t")
noise_end = define("V", eps - x0)
point = define("x_t", (1 - tau) * x0 + tau * eps)
other_point = define("x_t", tau * x0 + (1 - tau) * eps)
other_velocity = define("V", x0 - eps)


@derivation("The score from a velocity, in both directions of time")
def velocity_score(d):
    d.start(-(eps / tau), name="score", words="data at 0")
    d.equals(-(point + (1 - tau) * noise_end) / tau, by="the data cancel")
    d.start(-(eps / (1 - tau)), name="there", words="data at 1")
    d.equals(-(other_point - tau * other_velocity) / (1 - tau), by="the data cancel")

    spread = define("sigma(t)", sqrt(1 - tau))
    rising = spread**2 * diff(tau, tau) - tau * diff(spread, tau) * spread
    d.start(rising, name="diffusion", words="the noise of a path")
    d.equals(1 - tau / 2, by="$\\sigma'\\sigma$ is half the slope of $\\sigma^2$, and that slope is $-1$")
    d.at_least(number(1) / 2, by="$t$ is below 1", because=(1 - tau) / 2)

    d.slip(
        "flowgrpo-velocity-sde",
        wrong=equal(-(eps / (1 - tau)), -(other_point + tau * other_velocity) / (1 - tau)),
        right=equal(-(eps / (1 - tau)), -(other_point - tau * other_velocity) / (1 - tau)),
        source="yifan123/flow_grpo issue #145",
        why="with data at t = 1 the velocity points the other way; its sign was kept when the direction of time was changed",
    )
    d.slip(
        "mit-lab2-t1-value",
        wrong=equal(rising, spread**2 * diff(tau, tau)),
        right=equal(rising, 1 - tau / 2),
        source="eje24/iap-diffusion-labs, lab two, cell 59",
        why="σ′σ is −1/2 at every t. At t = 1 it looks like infinity times 0, and was taken for 0.",
    )


# %% [markdown]
# **What it means.** A network that knows the velocity knows the score, one division away: a flow that was trained
# without noise can be sampled with it. Where the noise ends the division fails, so one stops just short of it.

# %% [markdown]
# ## The likelihood along the flow
#
# The probability flow is an ordinary differential equation, so we can follow a point that moves with the velocity $u$. Where points move apart the density falls. How fast they do is the *divergence*
# $\nabla\cdot u$: the derivative of $u$, or in several dimensions the sum of the derivatives of each $u_i$ by its own coordinate.
#
# The rate of $\log p$ that the moving point sees is $\partial_t \log p + u\, \partial \log p$ (chain rule). By `sde.along` this is minus the divergence, plus $(\partial_t p + \partial(p u))/p$, for any positive function $p(t, x)$. For
# the probability flow of a linear SDE the last part is zero, whatever the data: it is the continuity equation (`sde.likelihood[flow]`).
#
# So integrate the divergence from the data to the noise, along the way from $x_0$ to its noise $x_1$: $\log p_0(x_0) = \log p_1(x_1) + \int_0^1 \nabla\cdot u\, \mathrm{d}t$. So from the score we get the density of a data point. For normal data, with variance $s(t)$ at time $t$, we can compute everything: the
# flow multiplies by $\sqrt{s_1/s_0}$ from time 0 to time 1, its divergence is half the derivative of $\log s$, and `sde.likelihood[gaussian]` is the result.
#
# !!! example "By hand"
#
#     Data with variance $s_0 = 4$, noise with $s_1 = 1$: the flow is $x_1 = x_0/2$. From $x_0 = 2$ we arrive at $1$, where
#     $\log p_1 = -\tfrac12 - \tfrac12 \log 2\pi \approx -1.419$. The integral of the divergence adds $\tfrac12 \log \tfrac14 \approx -0.693$: together $-2.112$, the
#     log-density at 2 of a normal of variance 4.
#
# In code: `genmath.sde.log_likelihood`.

# %%
P = Function("p", positive=True)
s_0, s_1 = positives("s_0 s_1")
back_drift = define("b_lambda(x)", f_t * x - (1 + lam**2) / 2 * g2_t * diff(log(p_t), x))
flow_velocity = define("u_t(x)", f_t * x - g2_t / 2 * diff(log(p_t), x))


@derivation("The log-density along any field", n=(1, 2))
def along(d, n):
    places = copies(x, n)
    density = define("p", P(t, *places))
    field = [define(f"u_{i}", Function(f"u_{i}")(t, *places)) for i in range(1, n + 1)]
    failure = (diff(density, t) + plus([diff(density * u_i, z) for u_i, z in zip(field, places, strict=True)])) / density
    d.start(diff(log(density), t) + plus([u_i * diff(log(density), z) for u_i, z in zip(field, places, strict=True)]))
    d.equals(failure - plus([diff(u_i, z) for u_i, z in zip(field, places, strict=True)]), by="product rule")


@derivation("The log-density along the flow")
def likelihood(d):
    d.start(diff(log(p_t), t) + flow_velocity * diff(log(p_t), x), name="flow", words="along the flow")
    d.equals(-diff(flow_velocity, x), by="`sde.linear_marginal` with the diffusion traded for score: the continuity equation holds")

    d.start(log(Normal(x0, 0, s_0)), name="gaussian", words="for normal data")
    d.equals(log(Normal(sqrt(s_1 / s_0) * x0, 0, s_1)) + log(s_1 / s_0) / 2, by="the flow multiplies by $\\sqrt{s_1/s_0}$, and the density is divided by that")


# %% [markdown]
# **What it means.** The sampler without noise is one-to-one between noise and data. So each image has *its* noise, and we can compute its
# density. The sampler with noise offers neither. [Continuous normalizing flows](cnf.py) start from here.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - $\mathrm{d}x = b\, \mathrm{d}t + g\, \mathrm{d}w$: a step $bh + g\sqrt{h}\, \epsilon$.
#     - Itô: the mean of $f$ changes at the rate $b f' + \tfrac12 g^2 f''$ (`sde.ito`).
#     - Fokker–Planck: $\partial_t p = -\partial(b p) + \tfrac12 g^2 \partial^2 p$, if $g$ is the same everywhere (`sde.fokker_planck`).
#     - Any path $\alpha(t) x_0 + \sigma(t)\epsilon$ has an SDE, with $f = \alpha'/\alpha$ and $g^2 = (\sigma^2)' - 2f\sigma^2$ (`sde.linear_sde`).
#     - Back: drift $fx - g^2 \partial\log p_t$ with noise $g$, or $fx - \tfrac12 g^2 \partial\log p_t$ without (`sde.reverse_family`).
#     - A DDPM is the variance preserving SDE on a grid, exactly: $1 - \beta_t = e^{-b}$ (`sde.ddpm_step`).
#
# ## Questions
#
# ??? question "Brownian motion, $\mathrm{d}w$ alone, from 0. Where is it after a time 4?"
#
#     Normal with mean 0 and variance 4: a typical distance of 2. After a time 16 it is 4; the distance grows like the root of time.
#
# ??? question "Why does $\tfrac12 f''$ occur in Itô's formula, and not in the chain rule of a smooth curve?"
#
#     The second-order term of Taylor's formula is half the second derivative times the squared step. For a smooth curve that is of size $h^2$; for
#     the noise it is of size $h$, like the drift.
#
# ??? question "Start the variance preserving SDE in a standard normal. What do the three processes do: out, back with noise, back without?"
#
#     The score is $-x$. Out: $-\tfrac12\beta x$ and noise $\sqrt\beta$, and the normal stays. Back with noise: the drift in forward
#     time is $-\tfrac12\beta x + \beta x = \tfrac12\beta x$, run backwards: the same process. Without noise: $-\tfrac12\beta x + \tfrac12\beta x = 0$,
#     nothing moves.
#
# ??? question "May I take twice the noise on the way back?"
#
#     Yes: $\lambda = 2$, with the drift $fx - \tfrac52 g^2 \partial\log p_t$. The marginals are the same, the steps have to be smaller.
#
# ??? question "Somebody takes the drift of the probability flow, and adds the noise of the reverse SDE. What goes wrong?"
#
#     Half of the drift along the score is missing, so the noise is not pulled back: the samples are too spread out, and their density is
#     not $p_t$. Drift and noise must have the same $\lambda$.
#
# ??? question "Is a DDPM with 1000 steps an Euler discretisation of the SDE?"
#
#     Not forwards: its step is exactly what the SDE does over a piece of time (`sde.ddpm_step[exact]`), while Euler would multiply by $1 - b/2$. Backwards it is an
#     approximation, since the true step back is not normal: see [Denoising diffusion](ddpm.py).
#
# In the lines below $v_{\mathrm{rest}}$ is the variance at which an Ornstein–Uhlenbeck process settles, and $c(t) = e^{-\theta t}$.
#
# {{ spot mit-ou-variance among sde.path_laws[flow] sde.ornstein_uhlenbeck[memory] }}
#
# ## What these results do not say
#
# - **Nothing about the limit itself.** That the steps converge to a process, that the process has a smooth density, and that the Fokker–Planck equation has only
#   one solution, are theorems with hypotheses on $b$ and $g$. Linear processes meet them. A network's score need not.
# - **Marginals are not paths.** The processes for all $\lambda$ have the same density at each time *if the score is exact*. With a learned score they do not: the errors of the flow add up, those of the reverse SDE are partly forgotten, and
#   the noise needs more and smaller steps. Which is better for a given number of steps must be found by experiments.
# - **The way back does not start at pure noise.** The exact start is the marginal at $t = 1$, which is not quite a standard normal; the share of the data's variance that is left there is $\alpha(1)^2$ (`ddpm.alpha_bar_vanishes`).
# - **A likelihood of the ODE is that of the model, not of the data.** With a learned score the formula gives the density of the *flow with that score*, and only if the divergence is that of the field that was followed. Steps of a solver
#   and a random estimate of the divergence add errors of their own, and so does the rounding of the data (pixels are integers).
# - **At the ends the coefficients may grow without bound.** The score grows like $1/\sigma$ near the data if these lie on a thin set, and $g^2$ of the straight path grows without bound at the noise end, where $\alpha$ is zero. Where to stop is a choice.
# - **Equations for two coordinates** are checked with a common $g$; for more they hold term by term. The label says what was checked.
#
# ## Where sources slip
#
# Beside the results stand the published slips they break, each with its counterexample:
#
# - `sde.ornstein_uhlenbeck`: a stationary variance twice too large (`mit-ou-variance`).
# - `sde.reverse_family`: a gradient of what already is a gradient (`mit-lab2-double-nabla`).
# - `sde.velocity_score`: a velocity whose sign was kept when the direction of time was changed (`flowgrpo-velocity-sde`), and a product of 0 and infinity taken for 0
#   (`mit-lab2-t1-value`).
#
# That the sampler of rectified flow is no solver of an SDE is `notes-rf-sde-euler`, with `flow_matching.rectified_flow`.
#
# ## References
#
# - [@song2021sde]: diffusion models as SDEs, VP, VE and sub-VP (section 3.4 and appendix B), the reverse SDE (eq. 6), the probability flow ODE (eq. 13) and its likelihood (section 4.3).
# - [@anderson1982reverse]: the reverse of a diffusion.
# - [@haussmann1986time]: the same with weak hypotheses, for the law of the whole path.
# - [@risken1996fokker]: the Fokker–Planck equation and the Ornstein–Uhlenbeck process.
# - [@sarkka2019applied]: Itô's formula, linear equations and their moments, Euler–Maruyama steps, with the limits that are left out here.
# - [@maoutsa2020interacting]: the probability flow of any diffusion.
# - [@karras2022elucidating]: one parameter between ODE and SDE, and what it does to a learned model (section 4 and appendix B.5).
# - [@albergo2023stochastic]: the same family for interpolants, with bounds on the errors of a learned score.
