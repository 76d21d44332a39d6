# %% [markdown]
# # Flow matching
#
# A velocity field moves points: follow the arrows from noise, and you arrive somewhere. If the arrows are right, noise that
# follows them arrives as data. But which arrows are right, and how can a network learn them when nobody can compute them?
# Between one data point and one draw of noise the answer is easy, for example a straight line with a constant velocity. Many
# such lines cross at every place, each with a velocity of its own. What should the one arrow there be?
#
# **The answer in a line:** the mean of the velocities that meet there; and a network trained on the velocity of single random
# lines, by squared error, learns exactly that mean.
#
# {{ picture flow_matching.question }}
#
# !!! board "On the board"
#
#     Join data and noise by a straight line, and train a network on the velocity of the line:
#
#     {{ define flow_matching.straight }}
#
#     {{ define flow_matching.line_loss }}
#
#     What the best network answers is the mean of the velocities that meet at $x$:
#
#     {{ define flow_matching.u_t }}
#
#     $x_0$ is a data point, drawn from the density $q$ of the data; $\epsilon$ is standard normal noise and $t$ a time, uniform on $[0, 1]$;
#     **data are at 0 and noise at 1**. $\mathbb{E}$ is a mean, and its index says over what. The velocity of a line is $\epsilon - x_0$, and
#     $v_\theta$ is the network with its parameters $\theta$. $x$ is a place. Take all lines that start at one data point $x_0$: $p_t(x \mid x_0)$
#     is the density of their positions at time $t$, and $u_t(x \mid x_0)$ is the velocity of the one that is at $x$ then. $p_t(x)$ is the density of the
#     positions of all lines. So $u_t(x)$ is a weighted mean; the weights are $q(x_0)\, p_t(x \mid x_0)/p_t(x)$, Bayes' rule. All of these are written out below.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. Draw data $x_0$, noise $\epsilon$ and times $t$.
#     2. Go to $x_t = (1 - t)\, x_0 + t\, \epsilon$, and take the velocity $\epsilon - x_0$: `genmath.flow_matching.conditional_path`.
#     3. Take a gradient step on the mean of $\|v_\theta(x_t, t) - (\epsilon - x_0)\|^2$: `genmath.flow_matching.cfm_loss` does all
#        three.
#
# !!! sample "Sample"
#
#     1. Draw $x$ from the standard normal, at $t = 1$.
#     2. Choose a step $h$, for example $1/50$. For $t = 1, 1 - h, \dots, h$ walk against the velocity (it points to the noise): replace $x$
#        by $x - h\, v_\theta(x, t)$. This is Euler's method, `genmath.samplers.Euler`;
#        `genmath.samplers.Heun` needs fewer steps.
#     3. Return $x$, at $t = 0$: `genmath.samplers.sample` is the loop, with `prediction="velocity"`.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - Time $t$ runs from 0 to 1, **data at 0 and noise at 1**. Some papers run the other way; the dictionary is under
#   *Noise at 1, or noise at 0?* Data are $x_0$. Noise is $\epsilon$; where the second end of a line may be anything, it is $z$.
# - A path has two functions of time, $\alpha(t)$ and $\sigma(t)$, positive for $0 < t < 1$, and goes through
#   $x_t = \alpha(t)\, x_0 + \sigma(t)\, \epsilon$. The straight path is $\alpha(t) = 1 - t$, $\sigma(t) = t$. A prime is a derivative in time.
# - The *velocity* is $\mathrm{d} x_t / \mathrm{d} t$. It is not the $v$ of v-prediction (`flow_matching.predictions`). In the sections on
#   lines $v$ is the letter for the velocity of one random line.
# - *Conditional* means: for one data point. *Marginal* means: for all data together, averaged over the data point.
# - $\mathbb{E}_{q(x_0)}[\dots]$ is the mean when $x_0$ has the density $q$. $q$ (of the data) and $r$ (a joint density) are arbitrary. From a joint
#   density $r(x, v)$ come $r(x)$, the density of $x$ alone, and $r(v \mid x)$, that of $v$ at a given $x$.
# - Where nothing is differentiated in $x$ the letter $x$ may stand for anything, for example a position in many dimensions, together with its
#   time and a label. Where something is differentiated in $x$, the coordinates $x_1, \dots, x_n$ are written out, or $x$ is one coordinate.
# - Functions of time are smooth, and derivatives and integrals may be exchanged; each result lists what it assumed.

# %%
from genmath.proof import *

x, x0, eps, z, v, y = variables("x x_0 eps z v y")
t, h = reals("t h")
alpha, sigma = Function("alpha", positive=True), Function("sigma", positive=True)
f, g, w = Function("f"), Function("g"), Function("w")
q = Density("q", x0)

time, net = variables("t"), Function("v_theta")
straight = define("x_t", (1 - time) * x0 + time * eps)
line_loss = define("L(theta)", E((Uniform(time, 0, 1), q(x0), Normal(eps, 0, 1)), (net(straight, time) - (eps - x0)) ** 2))


# %% [markdown]
# ## One data point
#
# Fix a data point and a draw of noise. The position at time $t$ is a formula, so its velocity is the formula's derivative. For a fixed data point
# the same velocity can also be computed without the noise, from the position: solve $x_t = \alpha x_0 + \sigma \epsilon$ for the noise,
# and put it in. That is a *field* for this data point: an arrow at every place, here $u_t(x \mid x_0)$ of the board.
#
# !!! example "By hand"
#
#     The straight path, $x_0 = 1$ and $\epsilon = -0.5$. At $t = 0.25$ the position is $0.75 \cdot 1 + 0.25 \cdot (-0.5) = 0.625$, and the velocity is
#     $\epsilon - x_0 = -1.5$ at all times. From place and data point alone: on the straight path
#     $u_t(x \mid x_0) = (x - x_0)/t$, here $(0.625 - 1)/0.25 = -1.5$. The same.
#
# In code: `genmath.flow_matching.conditional_path`.

# %%
x_t = define("x_t", alpha(t) * x0 + sigma(t) * eps)


def field(at, target):
    """The conditional velocity at a place, for one data point."""
    return alpha.prime(t) * target + sigma.prime(t) / sigma(t) * (at - alpha(t) * target)


@derivation("The velocity of a conditional path")
def conditional_velocity(d):
    d.start(diff(x_t, t))
    d.equals(alpha.prime(t) * x0 + sigma.prime(t) * eps, by="data and noise do not change with time")
    d.equals(field(x_t, x0), by=r"the noise is $(x_t - \alpha x_0)/\sigma$")


# %% [markdown]
# Now let the noise be random. For one data point $x_t$ is normal around $\alpha(t)\, x_0$, with standard deviation $\sigma(t)$. Call its density $p$
# and the field $u$. They obey the **continuity equation**, in one coordinate $\partial_t\, p = -\partial_x (p\, u)$.
#
# Think of cars on a road, with $p$ cars per metre and the speed $u$. In a second $p\, u$ cars pass a post. The number of cars between two posts
# changes only by those that pass a post: what comes in at the first minus what goes out at the second. For posts close to each other that is
# minus the derivative of $p\, u$, times their distance. In several coordinates ($n$ is their number, and $u_i$ is the $i$-th component of the field) the outflows of all
# coordinates are added.
#
# The derivative in time is taken *at a fixed place* (`flow_matching.continuity[density]`). Somebody who moves with the flow sees another
# change, `flow_matching.continuity[along]`. The left side there is the rate that they see: what changes with time, plus what changes because they
# move. For them the density falls where arrows run apart; how much they do is the *divergence* of the field, $\partial_1 u_1 + \dots + \partial_n u_n$.
#
# In code: `genmath.flow_matching.conditional_path`.


# %%
@derivation("The continuity equation of a conditional path", n=(1, 2))
def continuity(d, n):
    places, targets = copies(x, n), copies(x0, n)
    density = define("p", times([Normal(x_i, alpha(t) * y_i, sigma(t) ** 2) for x_i, y_i in zip(places, targets, strict=True)]))
    velocity = [define(f"u_{i}", field(x_i, y_i)) for i, (x_i, y_i) in enumerate(zip(places, targets, strict=True), 1)]
    outflow = plus([diff(density * u_i, x_i) for u_i, x_i in zip(velocity, places, strict=True)])
    divergence = plus([diff(u_i, x_i) for u_i, x_i in zip(velocity, places, strict=True)])
    moving = plus([diff(density, t), *(u_i * diff(density, x_i) for u_i, x_i in zip(velocity, places, strict=True))])

    d.start(moving, name="along", words="for somebody who moves with the flow")
    d.equals(-density * divergence, by="who moves with the flow sees the density change by the divergence alone")

    d.start(diff(density, t), name="density", words="at a fixed place")
    d.equals(-outflow, by="the derivatives of a normal density in time and in its place")

    if n > 1:
        return
    d.slip(
        "fmguide-total-derivative",
        wrong=equal(moving, -outflow),
        right=equal(diff(density, t), -outflow),
        source="facebookresearch/flow_matching issue #33",
        why="The equation is about the density at a fixed place. Whoever is carried along by the flow sees another rate: to it comes u "
        "times the slope of p.",
    )


# %% [markdown]
# **What it means.** A field moves a density. For one data point both are known in closed form, and they fit together.
#
# ## All data: the marginalisation trick
#
# Draw the data point from $q$. For one data point the density at time $t$ is the normal density $p_t(x \mid x_0)$ of the section before; it is called
# the *kernel*. The density of all, $p_t(x)$, is the average of the kernels over data points. So is the flow: what streams through a
# place, density times velocity, is the average of what each data point sends there. Divide it by the density $p_t(x)$, and you have *one* field for
# all, $u_t(x)$: at each place the mean of the conditional velocities. The weight of a data point is the probability that the line which is at $x$
# comes from it.
#
# {{ picture flow_matching.mean }}
#
# !!! example "By hand"
#
#     Data at $-1$ and $1$ with equal probability, the straight path, $t = 0.5$. Which lines are at $x = 0.5$? From $0.5\, x_0 + 0.5\, \epsilon = 0.5$
#     follows $\epsilon = 1 - x_0$: the line of the data point $1$ needs the noise $0$, that of the data point $-1$ the noise $2$. The standard normal
#     density $\propto e^{-\epsilon^2/2}$ is $1$ to $e^{-2} \approx 0.135$ there, so the weights are $1/1.135 \approx 0.881$ and $0.135/1.135 \approx 0.119$.
#     The velocities $\epsilon - x_0$, or $(x - x_0)/t$, are $-1$ and $3$. Their mean: $0.881 \cdot (-1) + 0.119 \cdot 3 \approx -0.52$.
#
# That field and the marginal densities obey the continuity equation, whatever $q$ is: this is the *marginalisation trick*, written in one coordinate.
# `flow_matching.marginal_velocity[posterior]` says that the weights sum to one. In code: `genmath.toys.GaussianMixture.velocity`, exact for mixtures
# of normal densities.

# %%
kernel = define("p_t(x|x_0)", Normal(x, alpha(t) * x0, sigma(t) ** 2))
arrow = define("u_t(x|x_0)", field(x, x0))
p_t = define("p_t(x)", E(q(x0), kernel))
u_t = define("u_t(x)", E(q(x0), kernel * arrow) / p_t)


@derivation("The marginalisation trick")
def marginal_velocity(d):
    d.start(integral(q(x0) * kernel / p_t, x0), name="posterior", words="the weights sum to one")
    d.equals(1, by=r"$q(x_0)\, p_t(x \mid x_0)/p_t(x)$ is the density of the data point, given the place")

    d.start(diff(p_t, t), name="continuity", words="the mean field carries the marginal density")
    d.equals(-diff(E(q(x0), kernel * arrow), x), by="`flow_matching.continuity` for each data point, averaged")
    d.equals(-diff(p_t * u_t, x), by="multiply and divide by $p_t(x)$: the mean velocity carries the whole flow")


# %% [markdown]
# **What it means.** There is one field that carries all of the noise to all of the data, and nobody had to invent it: it is an average of fields
# that are known. What cannot be computed is the average, since it runs over the whole data distribution.
#
# ## Any two ends, in any pairing { .advanced }
#
# Noise need not be independent of the data, and need not be normal. Take any joint density $q(x_0, z)$ of two ends (such a joint density is called a
# *coupling*), join each pair by a straight line, and let the points lie around the line with a small standard deviation $\rho$: a tube around the line. All
# points of a tube have the velocity $z - x_0$. The trick works as before. It is used where pairs are chosen so that lines are short (see *Pairing within a batch*).

# %%
rho = positives("rho")
pair = Density("q", x0, z)
tube = define("p_t(x|x_0,z)", Normal(x, (1 - t) * x0 + t * z, rho**2))
p_pair = define("p_t(x)", E(pair(x0, z), tube))
u_pair = define("u_t(x)", E(pair(x0, z), tube * (z - x0)) / p_pair)


@derivation("The marginalisation trick for any coupling")
def coupling_velocity(d):
    d.start(diff(p_pair, t))
    d.equals(-diff(E(pair(x0, z), tube * (z - x0)), x), by="each tube moves along its line, as a whole")
    d.equals(-diff(p_pair * u_pair, x), by="multiply and divide by $p_t(x)$")


# %% [markdown]
# **What it means.** Nothing was asked about where pairs come from: any joint density with the right ends gives the
# right density at every time. The pairing changes the field, and near pairs make it straighter.

# %% [markdown]
# ## The lines cross, the flow bends
#
# A sampler does not follow the lines. It follows their mean velocity, and at a place where lines cross there is one such velocity: paths of a flow with a smooth
# field cannot cross. So where the lines go through each other, the flow must turn away.
#
# {{ picture flow_matching.crossing }}
#
# Why is the flow right nevertheless? Because it moves the same *crowd*. Two people who meet and go through each other, and two people who meet and
# turn around, make the same crowd at each moment.
#
# The next result says so without differentiating a density. Instead it takes the mean of a smooth function $f$ of the position: who knows these means for
# every smooth $f$ knows the density. Let $r(x, v)$ be the joint density, at one moment, of the position and the velocity of a random line, and
# $u$ the mean of $v$ at a given $x$. After a further time $h$ the position is $x + h v$.
# `flow_matching.lines[moving]` is how the mean of $f$ changes; `flow_matching.lines[mean]` says that at $h = 0$ it changes as if everybody at
# $x$ had the mean velocity $u$. This is the continuity equation in its *weak form*: with means of functions in place of densities.

# %%
r = Density("r", x, v)
(v_1,) = copies(v, 1)
mean_v = define("u", E(r(v_1 | x), v_1))


@derivation("Random lines flow like their mean velocity")
def lines(d):
    d.start(diff(E(r(x, v), f(x + h * v)), h), name="moving", words="how a mean changes as the lines move")
    d.equals(E(r(x, v), f.prime(x + h * v) * v), by="chain rule")

    d.start(E(r(x, v), f.prime(x) * v), name="mean", words="the mean velocity does the same")
    d.equals(E(r(x), f.prime(x) * mean_v), by="average the velocity first, at each place")


# %% [markdown]
# **What it means.** Lines and flow have the same density at every time. They do not have the same paths: which noise belongs to which data
# point is decided anew by the flow.
#
# **Try it.** Take the straight path and one Euler step: every particle goes to the mean of the points. Then add steps.
#
# {{ explorer path }}
#
# ## What to train on
#
# The mean field cannot be computed, but a mean is what squared error finds.
#
# {{ picture flow_matching.regression }}
#
# Of all single answers to a random number $v$, the one with the least mean squared error is the mean of $v$. The same holds at each place.
# Let $g$ be any function of $x$, for example a network; $x$ stands for all that the network sees, position and time. As before $v$ is the velocity of a
# random line through $x$, and $u$ is the mean of $v$ at $x$. The loss against the velocities of *single* lines (the *conditional* loss, which can be
# sampled) differs from the loss against the *mean* field (the *marginal* loss, which cannot) by something in which $g$ does not occur: the variance of
# the velocities at one place, averaged over places. So both have the same minimiser, $g = u$; and that constant is the loss that remains at the end,
# which is why a flow matching loss does not go to zero. A weight $w(x) > 0$, for example one that depends on time, moves no minimiser.
#
# !!! example "By hand"
#
#     Once more $x = 0.5$ at $t = 0.5$, with data at $-1$ and $1$. The targets there are $-1$ with probability $0.881$ and $3$ with $0.119$. Who answers
#     the mean, $-0.523$, is $0.477$ away from the first and $3.523$ from the second. The mean squared error is
#     $0.881 \cdot 0.477^2 + 0.119 \cdot 3.523^2 \approx 1.68$. Who answers $-1$ is right with probability $0.881$, else $4$ away:
#     $0.119 \cdot 4^2 \approx 1.91$. That is $1.68 + 0.477^2$: the constant, plus the squared distance of the answer from the mean.
#
# In code: `genmath.flow_matching.cfm_loss`.

# %%
spread = E(r(x, v), w(x) * (v - mean_v) ** 2)


@derivation("The conditional loss is the marginal loss plus a constant")
def cfm_loss(d):
    d.given_that(w(x) >= 0)
    d.start(E(r(x, v), w(x) * (g(x) - v) ** 2))
    d.equals(E(r(x), w(x) * (g(x) - mean_v) ** 2) + spread,
             by="at each place $v$ deviates from its mean by zero on average, so the cross term vanishes")
    d.at_least(spread, by="a square is not negative", because=E(r(x), w(x) * (g(x) - mean_v) ** 2))


# %% [markdown]
# In particular their gradients are equal, for every network $v_\theta$ and any parameter $\theta$; one parameter is written. The second line is the
# gradient that training follows: it is an average over single lines, and $v$ enters it linearly.

# %%
theta = reals("theta")


@derivation("Conditional and marginal loss have equal gradients")
def equal_gradients(d):
    d.start(diff(E(r(x, v), (net(x, theta) - v) ** 2), theta))
    d.equals(E(r(x, v), 2 * (net(x, theta) - v) * diff(net(x, theta), theta)), by="differentiate under the integral")
    d.equals(E(r(x), 2 * (net(x, theta) - mean_v) * diff(net(x, theta), theta)),
             by="$v$ enters linearly, so at each place its mean $u$ may take its place")
    d.equals(diff(E(r(x), (net(x, theta) - mean_v) ** 2), theta), by="the marginal loss, differentiated under the integral")


# %% [markdown]
# **What it means.** Nobody computes the mean field. One draws a line, takes its velocity as the target, and lets squared error do the averaging.
#
# ## Why is this cheaper than likelihood?
#
# A model that moves noise to data along a field is a continuous normalizing flow. [That chapter](cnf.py) gives its
# log-likelihood, `cnf.instantaneous`: the log-density of the noise at which a data point arrives, and the integral of the divergence of the field along the
# way. One may train on that. Compare what a gradient step then needs. (A *solver* follows the flow in small steps; a *stage* is one look at the field within a
# step, and a good method takes several. The Jacobian of the field is the matrix of its derivatives; its trace is the divergence. A likelihood is in *nats* when the logarithm is the natural one.)
#
# | for one data point | maximum likelihood of the flow | flow matching |
# | --- | --- | --- |
# | calls of the network | one for each stage of a solver, one after the other: often dozens | one, at one random time |
# | divergence | at every stage: the trace of a Jacobian, or a random estimate of it | none |
# | gradient | back through all stages, or a second differential equation backwards | back through one call |
# | the way from noise to data | found by training; it may become winding, and the solver slow | chosen before, for example straight lines |
# | what the loss says | a likelihood, in nats | a mean squared error whose least value is not zero |
#
# In this library `genmath.cnf.log_prob` takes 20 steps of a method with four stages unless told otherwise: 101 calls, of which 41 have a backward pass for
# every coordinate, against one call of `genmath.flow_matching.cfm_loss`.
#
# The reason is in the first picture. Likelihood only knows the two ends, so the flow has to be run to see where it leads. In flow matching the density at *every*
# time is chosen beforehand, and each time can be trained by itself. The solver runs only when one samples. What one gives up: the loss is no
# likelihood, and does not measure how good the samples are. The trained field is a flow all the same, so its likelihood can be computed afterwards:
# `genmath.cnf.log_prob`.
#
# ## Five names for one prediction
#
# At a fixed time write $\alpha$, $\sigma$, $\alpha'$, $\sigma'$ for the four numbers $\alpha(t)$, $\sigma(t)$ and their derivatives. The *score* of a density is
# the derivative of its logarithm in the place; the score of the kernel is $S = -(x_t - \alpha x_0)/\sigma^2 = -\epsilon/\sigma$. A network may predict any of five
# things: the data $x_0$, the noise $\epsilon$, the velocity $U = \alpha' x_0 + \sigma' \epsilon$, the score $S$, or the $v$ of v-prediction,
# $V = \alpha \epsilon - \sigma x_0$. Given the position $x_t$, each of the five tells the other four. Two short names are used:
# $\Delta = \alpha \sigma' - \alpha' \sigma$ and $n = \alpha^2 + \sigma^2$. On the straight path $\Delta = 1$.
#
# All of it is linear with coefficients that depend on time alone, so the same holds between the *means* of these quantities given
# $x_t$, which is what a network predicts.
#
# $V$ is the velocity only for the path $\alpha = \cos t$, $\sigma = \sin t$. In code: `genmath.predictions.convert`.

# %%
a, s = positives("alpha sigma")
a_dot, s_dot = reals("alpha_prime sigma_prime")
X0, EPS = vectors("x_0 eps")
X = define("x_t", a * X0 + s * EPS)
U = define("U", a_dot * X0 + s_dot * EPS)
V = define("V", a * EPS - s * X0)
S = define("S", -(EPS / s))
bend = define("Delta", a * s_dot - a_dot * s)
size = define("n", a**2 + s**2)


@derivation("Velocity, score, noise, data and v", dims=(1, 2, 3))
def predictions(d):
    d.start(U, name="velocity_from_eps", words="velocity from the noise")
    d.equals(a_dot / a * X + bend / a * EPS, by=r"the data are $(x_t - \sigma \epsilon)/\alpha$")
    d.start(U, name="velocity_from_score", words="velocity from the score")
    d.equals(a_dot / a * X - s * bend / a * S, by=r"the noise is $-\sigma S$")
    d.start(U, name="velocity_from_x0", words="velocity from the data")
    d.equals(s_dot / s * X - bend / s * X0, by=r"the noise is $(x_t - \alpha x_0)/\sigma$")
    d.start(U, name="velocity_from_v", words="velocity from $V$")
    d.equals((a * a_dot + s * s_dot) / size * X + bend / size * V, by=r"solve $x_t$ and $V$ for the data, $(\alpha x_t - \sigma V)/n$, and the noise, $(\sigma x_t + \alpha V)/n$")

    d.given_that(absolute(bend) > 0)
    d.start((s_dot * X - s * U) / bend, name="x0_from_velocity", words="data from the velocity")
    d.equals(X0, by="two linear equations for data and noise: the noise cancels")
    d.start((a * U - a_dot * X) / bend, name="eps_from_velocity", words="noise from the velocity")
    d.equals(EPS, by="the data cancel")
    d.start((a_dot * X - a * U) / (s * bend), name="score_from_velocity", words="score from the velocity")
    d.equals(S, by=r"the score is $-\epsilon/\sigma$")
    d.start((size * U - (a * a_dot + s * s_dot) * X) / bend, name="v_from_velocity", words="$V$ from the velocity")
    d.equals(V, by="`flow_matching.predictions[velocity_from_v]`, solved for $V$")

    d.start((a * X - s * V) / size, name="x0_from_v", words="data from $V$")
    d.equals(X0, by=r"put in $x_t$ and $V$: the noise cancels, and the data stand there $n$ times")
    d.start((s * X + a * V) / size, name="eps_from_v", words="noise from $V$")
    d.equals(EPS, by=r"the data cancel, and the noise stands there $n$ times")


# %% [markdown]
# Now average `flow_matching.predictions[velocity_from_score]` over the data points that may have led to $x$. The mean of the kernel's score is the score of
# $p_t(x)$. So the mean velocity is a multiple of the position plus a multiple of the **score of the marginal density**: a flow
# matching network is a score network, and a diffusion model, which learns the score, has a velocity.


# %%
@derivation("The velocity from the score of the marginal density")
def marginal_score(d):
    d.start(u_t)
    d.equals(alpha.prime(t) / alpha(t) * x
             - (sigma(t) * sigma.prime(t) - alpha.prime(t) / alpha(t) * sigma(t) ** 2) * diff(log(p_t), x),
             by=r"the score of $p_t$ is the mean of the scores of the kernels, $-(x - \alpha x_0)/\sigma^2$")


# %% [markdown]
# **What it means.** Diffusion and flow matching do not learn different things. They choose another path, another of the five to predict, and so
# another weight of the same squared error.
#
# ## Noise at 1, or noise at 0?
#
# Here, and in the literature on diffusion, data stand at $t = 0$. The first papers on flow matching put them at the other end. Nothing but names changes,
# but formulas of one kind in a program of the other send every sample the wrong way:
#
# | | here, and [@esser2024scaling] | [@lipman2023flow], [@liu2023flow] |
# | --- | --- | --- |
# | data | $x_0$, at time 0 | $x_1$, at time 1 |
# | noise | $\epsilon$, at time 1 | $x_0$, at time 0 |
# | straight path | $(1 - t)\, x_0 + t\, \epsilon$ | $(1 - \tau)\, x_0 + \tau\, x_1$ |
# | target | $\epsilon - x_0$: noise minus data | $x_1 - x_0$: data minus noise |
# | a sampler's step | from 1 to 0, $x - h v$ | from 0 to 1, $x + h v$ |
#
# Mind that $x_0$ is data in the middle column and noise in the last. When time runs the other way, $\tau = 1 - t$, every velocity changes its sign, and nothing else.
# `flow_matching.reverse_time[lipman]` is the path of the first flow matching paper in its own
# time $\tau$, with our letters for data and noise; the noise does not vanish completely at the data but shrinks to the
# standard deviation $\rho$. In code:
# `genmath.paths.reverse_time`.

# %%
tau, least = fractions("tau rho")


@derivation("Time reversed")
def reverse_time(d):
    d.start(diff(alpha(1 - t) * x0 + sigma(1 - t) * eps, t), name="velocity", words="every velocity changes its sign")
    d.equals(-(alpha.prime(1 - t) * x0 + sigma.prime(1 - t) * eps), by="chain rule: $1 - t$ falls as $t$ grows")

    x_tau = define("x_tau", (1 - (1 - least) * tau) * eps + tau * x0)
    d.start(diff(x_tau, tau), name="lipman", words="the path of Lipman et al. in their time")
    d.equals(x0 - (1 - least) * eps, by="data and noise do not change with time")
    d.equals((x0 - (1 - least) * x_tau) / (1 - (1 - least) * tau), by=r"the noise is $(x_\tau - \tau x_0)/(1 - (1 - \rho) \tau)$")


# %% [markdown]
# **What it means.** Papers differ in the direction of time, and in nothing else: $1 - t$ for $t$, and a sign. Before
# taking over a formula, look at which end its noise is.

# %% [markdown]
# ## Which path is which { .advanced }
#
# Two families have names. The *second moment* of $x$ is the mean of $x^2$; that of the data is $m_2$. At one time $\alpha$ and $\sigma$ are two numbers.
# The *variance preserving* path has $\alpha^2 = \bar\alpha$ and $\sigma^2 = 1 - \bar\alpha$: data with second moment one keep it. The *variance
# exploding* path has $\alpha = 1$: it leaves the data as they are and adds noise. `flow_matching.second_moment[start]` is the second moment of
# noise of standard deviation $\sigma$.

# %%
abar = fractions("alpha_bar")
preserving, exploding = Normal(x, sqrt(abar) * x0, 1 - abar), Normal(x, x0, s**2)
m_2 = define("m_2", E(q(x0), x0**2))


@derivation("The second moment along a path")
def second_moment(d):
    d.start(E((q(x0), Normal(x, a * x0, s**2)), x**2), name="any", words="along any path")
    d.equals(a**2 * m_2 + s**2, by="the second moment of a normal is its squared mean plus its variance")
    d.start(E((q(x0), preserving), x**2), name="preserving", words="variance preserving")
    d.equals(1 + abar * (m_2 - 1), by="what the data lose the noise replaces")
    d.start(E((q(x0), exploding), x**2), name="exploding", words="variance exploding")
    d.equals(m_2 + s**2, by="the noise is added on top")
    d.start(E(Normal(eps, 0, 1), (s * eps) ** 2), name="start", words="of the noise alone")
    d.equals(s**2, by="the second moment of a normal")

    d.slip(
        "fmguide-ve-vp-swapped",
        wrong=equal(E((q(x0), exploding), x**2), 1 + 1 * (m_2 - 1)),
        right=equal(E((q(x0), preserving), x**2), 1 + abar * (m_2 - 1)),
        source="facebookresearch/flow_matching issue #26 (Flow Matching Guide, Eqs. 4.70 and 4.71)",
        why="The two names were swapped. With α = 1 noise is added to what is there and the variance grows; it is kept where α is the root "
        "of 1 − σ².",
    )
    d.slip(
        "mit-pinit-factor2",
        wrong=equal(E(Normal(eps, 0, 1), (2 * s * eps) ** 2), s**2),
        right=equal(E(Normal(eps, 0, 1), (s * eps) ** 2), s**2),
        source="eje24/iap-diffusion-labs commit be7e4a9 (fix #8)",
        why="noise declared with standard deviation s was drawn with 2s",
    )


# %% [markdown]
# **What it means.** Networks want inputs of size about 1. Along the variance preserving path data of that size keep
# it; along the exploding one, at $\sigma = 80$, the input is eighty times too large, and is divided before the
# network sees it.

# %% [markdown]
# ## A case with formulas: normal data
#
# One case has every quantity in closed form: normal data of mean $m$ and variance $c$. Then the density at time $t$ is normal, with a variance called
# $s_t$ here, and the field is a straight line in $x$.
#
# In code: `genmath.toys.GaussianMixture.velocity`, which mixes such fields.

# %%
m = reals("m")
c = positives("c")
bell = Normal(x0, m, c)
total_variance = define("s_t", alpha(t) ** 2 * c + sigma(t) ** 2)


@derivation("The velocity for normal data")
def gaussian_velocity(d):
    d.start(E(bell, kernel), name="density", words="the density at each time")
    d.equals(Normal(x, alpha(t) * m, total_variance), by=r"$\alpha$ times a normal plus a normal: the mean is $\alpha m$, and the variances add")
    d.start(E(bell, kernel * arrow) / E(bell, kernel), name="velocity", words="the field is a straight line")
    d.equals(alpha.prime(t) * m
             + (alpha(t) * alpha.prime(t) * c + sigma(t) * sigma.prime(t)) / total_variance * (x - alpha(t) * m),
             by="the mean of the data point given the place, for two normals")


# %% [markdown]
# !!! example "By hand"
#
#     Let the data be standard normal, as the noise is, and the path straight: $m = 0$, $c = 1$. Nothing would have to be moved at all. Yet the lines of random
#     pairs run everywhere. The variance at time $t$ is $s_t = (1 - t)^2 + t^2$, and the field is $u_t(x) = (2t - 1)\, x / s_t$. The path of the flow is
#     $x(t) = \sqrt{s_t}\, x(1)$ (differentiate it to see that it follows the field). It starts at the noise $x(1)$, comes in to $\sqrt{1/2} \approx 0.71$ of it
#     at $t = \frac12$, where the field is zero, and returns to where it started. **The lines are straight and the flow is not.**
#
# ## Rectified flow
#
# Take the straight path, $X$ from the data and $Z$ from the noise: $X_t = (1 - t) X + t Z$. Its velocity $V = Z - X$ does not depend on time; it is
# what the network is trained on, and by `flow_matching.cfm_loss` what it learns is the mean of $V$ given $X_t$. **$V$ points from the data to the
# noise**, so the sampler, which starts at the noise, walks *against* it: `flow_matching.rectified_flow[step]` goes back by $h$ along one line, and
# `flow_matching.rectified_flow[walk]` says that $T$ such steps of length $1/T$ lead from $Z$ to $X$ exactly. `flow_matching.rectified_flow[one_point]` is the
# field for one data point, at a time $\tau$ that is not 0.
#
# !!! example "By hand"
#
#     Data $X = 2$, noise $Z = -1$: $V = -3$. At $t = 0.5$ the line is at $X_t = 0.5$. One step back of length $h = 0.5$ ends at $0.5 - 0.5 \cdot (-3) = 2$, the
#     data point. With a plus it would end at $-1$, the noise.
#
# The sampler is Euler's method for an ordinary differential equation: look at the arrow, walk a short way along it (here: against it), look again. A step
# for a stochastic differential equation (SDE) would also add fresh noise, of strength $\eta$ (`flow_matching.rectified_flow[scatter]`; $v(x, t)$ is any field
# there). Here nothing is added: the same noise always leads to the same sample.
#
# **Why is one step not enough, if the lines are straight?** Because the sampler knows the mean velocity, and no line. At $t = 1$ the place is pure noise and
# tells nothing about the data point. So the field there is $x$ minus the mean of the data, and one step of length 1 sends *every* sample to that
# mean. With several steps the sampler looks at the field again on the way, where the place tells more about the data point.
#
# {{ picture flow_matching.euler }}
#
# In code: `genmath.flow_matching.conditional_path` on a `genmath.paths.LinearPath`, and `genmath.samplers.Euler`.

# %%
X, Z = variables("X Z")
X_t = define("X_t", (1 - t) * X + t * Z)
line = define("V", Z - X)
T, k = naturals("T k")
eta = positives("eta")
step_size = positives("h")
vel = Function("v")


@derivation("Rectified flow: the target and the sampler")
def rectified_flow(d):
    d.start(diff(X_t, t), name="target", words="what the network is trained on")
    d.equals(line, by="$X$ and $Z$ do not change with time")

    d.start(line, name="one_point", words="the field of one data point")
    d.equals((define("X_tau", (1 - tau) * X + tau * Z) - X) / tau, by=r"the noise is $(X_\tau - (1 - \tau) X)/\tau$")

    back = define("X_{t-h}", (1 - (t - h)) * X + (t - h) * Z)
    d.start(back, name="step", words="one step back along a line")
    d.equals(X_t - h * line, by="one step back along the line")

    d.start(Z - total(line / T, k, 1, T), name="walk", words="a whole line in $T$ steps")
    d.equals(X, by="$T$ steps of length $1/T$")

    scattered = (x - step_size * vel(x, t) + eta * sqrt(step_size) * eps) ** 2
    d.start(E(Normal(eps, 0, 1), scattered), name="scatter", words="a step of an SDE scatters")
    d.equals((x - step_size * vel(x, t)) ** 2 + eta**2 * step_size, by="the noise of an SDE adds its variance in every step")

    d.slip(
        "notes-rf-sampler-direction",
        wrong=equal(back, X_t + h * line),
        right=equal(back, X_t - h * line),
        source="CS231n lecture 14 notes, rectified flow sampling",
        why="V points from the data to the noise; who walks from noise to data subtracts it",
    )
    d.slip(
        "notes-rf-sde-euler",
        wrong=equal(E(Normal(eps, 0, 1), scattered), (x - step_size * vel(x, t)) ** 2),
        right=equal(E(Normal(eps, 0, 1), scattered), (x - step_size * vel(x, t)) ** 2 + eta**2 * step_size),
        source="CS231n lecture 14 notes, three views of diffusion",
        why="An Euler step for the SDE scatters with variance η² h. This sampler does not scatter: it is Euler's method for the "
        "probability-flow ODE, run from t = 1 to 0.",
    )


# %% [markdown]
# **What it means.** Straight lines make the target simple, and one line alone would need one step. They do not make the model a one-step model; for
# that the flow itself must become straight.
#
# ## Reflow
#
# A trained flow maps each noise $z$ to *one* data point: a new pairing, which replaces the random one. Train a second model on straight lines between the new pairs.
#
# {{ picture flow_matching.reflow }}
#
# !!! example "By hand"
#
#     Standard normal data and noise again. A random pair has the mean squared distance $E[(Z - X)^2] = 1 + 1 = 2$. The flow above returns every point to where it
#     started, so it pairs each noise with itself, and the new pairs have distance 0. The lines between them do not move at all: one step is exact.
#
# Here is one sense in which the new pairing is never worse. Let it cost $c(D)$ to carry something by the displacement $D$, target minus source; for
# example $c(D) = D^2$. Then the new pairs cost no more than the old ones on average, for **every** convex price $c$.
#
# In this proof time runs from the source to the target; which of the two ends is the data does not matter.
# Let $r(t, x, z, v)$ be the joint density of the following four. A random moment $t$, uniform on $[0, 1]$. A position $x$, where at that moment
# a random line of the old pairing is. The velocity $v$ of that line; since it goes on for the time 1, it is also the line's displacement. And $z$, the start of
# the flow's own path that goes through $x$ at time $t$. The flow's velocity $u$ is the mean of $v$ given $t$ and $x$. Given $z$, the mean of $u$
# over the times of that path is the displacement $D$ of the path.
# Jensen's inequality says that a convex $c$ of a mean is at most the mean of $c$. The first bound uses it along each path of the flow, the second at
# each place for the lines that meet there.
# In between nothing is said about paths any more, only that flow and lines have the same marginal density at each time, which is `flow_matching.lines`.
#
# `flow_matching.reflow[square]` says how much is gained at least for the squared distance: the constant of `flow_matching.cfm_loss`. If it is zero, at
# no place do two lines of different velocity meet, and the flow runs straight.
#
# In code: `genmath.flow_matching.reflow_pairs`.

# %%
law = Density("r", time, x, z, v)
cost = Function("c", convex=True)
flow = define("u", E(law(v_1 | (time, x)), v_1))
displacement = define("D", E(law(time, x | z), flow))


@derivation("Reflow does not increase convex transport costs")
def reflow(d):
    d.start(E(law(time, x), flow**2), name="square", words="what is gained for the squared distance")
    d.equals(E(law(v), v**2) - E(law(time, x, v), (v - flow) ** 2), by="a mean square is the square of the mean plus the variance")

    d.start(E(law(z), cost(displacement)), name="cost", words="for any convex price")
    d.at_most(E(law(time, x, z), cost(flow)), by="Jensen along a path of the flow: $c$ lies above its tangent at the mean",
              because=E(law(time, x, z), tangent_gap(cost, flow, displacement)))
    d.equals(E(law(time, x), cost(flow)), by="the start of the path does not occur any more")
    d.at_most(E(law(time, x, v), cost(v)), by="Jensen at each place, for the lines that meet there",
              because=E(law(time, x, v), tangent_gap(cost, v, flow)))
    d.equals(E(law(v), cost(v)), by="a line has one velocity at all times")


# %% [markdown]
# **What it means.** Each crossing of lines is a detour that the flow does not take. What reflow gains is at least what the first model could not
# learn: the loss that stayed. The price: one has to sample a whole training set from the first model, and its errors become the data of the second.
#
# ## Pairing within a batch
#
# The pairing may also be chosen before training: draw a batch of sources (noise) and a batch of targets (data), and pair them one to one so that the
# sum of the prices, for example of the squared distances, is as small as possible. This is called the *optimal assignment*.
#
# {{ picture flow_matching.pairing }}
#
# Does that change which sources and targets are seen? No. Let $P_{ij}$ be the weight of the pair of source $i$ and target $j$, a function of the whole
# batch, with rows and columns that sum to one. In an assignment each weight is 1 or 0: paired or not. For a random pair from the batch, the mean of any
# function $f$ of the target is what it is without pairing. The batch of sources is here one letter $z$, with any density $p$; the targets
# $x_{0,1}, x_{0,2}, \dots$ have the density $q$. Two and three targets are written out; the last row of $P$ is one minus the others, since columns
# sum to one. Sources and targets play the same part, so the same holds for the sources.
#
# What a pairing does change is the *joint* law, which is its purpose. `flow_matching.minibatch_pairing[cheaper]` is about two sources $z_1, z_2$, two targets
# $x_{0,1}, x_{0,2}$ and any price $c$ of a pair. There are two assignments: $C$ is the price of the straight one (1 with 1, 2 with 2), $C'$ that of the crossed one.
# The smaller of the two is $C - (C - C')_+$, where $(\,\cdot\,)_+$ is the number itself if it is positive, else 0. On average it costs no more than
# independent pairs.
#
# In code: `genmath.flow_matching.ot_pairing`.

# %%
source, target = Density("p", z), Density("q", x0)
price = Function("c")


@derivation("A pairing within a batch keeps both ends", n=(2, 3))
def minibatch_pairing(d, n):
    targets = copies(x0, n)
    batch = (source(z), *(target(x_j) for x_j in targets))
    columns = []
    for j in range(1, n + 1):
        rows = [define(f"P_{{{i}{j}}}", Function(f"P_{i}{j}")(z, *targets)) for i in range(1, n)]
        columns.append(plus([*rows, 1 - plus(rows)]))
    d.start(E(batch, plus([column * f(x_j) for column, x_j in zip(columns, targets, strict=True)]) / n), name="target", words="the targets keep their law")
    d.equals(E(target(x0), f(x0)), by="every column sums to one, so each target counts once")
    if n > 2:
        return
    (z_1, z_2), (x_1, x_2) = copies(z, 2), targets
    pairs = (source(z_1), source(z_2), target(x_1), target(x_2))
    straight = define("C", price(z_1, x_1) + price(z_2, x_2))
    crossed = define("C_prime", price(z_1, x_2) + price(z_2, x_1))
    d.start(E(pairs, straight - positive_part(straight - crossed)) / 2, name="cheaper", words="the best assignment costs no more")
    d.at_most(E(pairs, straight) / 2, by="the better of two assignments", because=E(pairs, positive_part(straight - crossed)) / 2)
    d.equals(E((source(z), target(x0)), price(z, x0)), by="without a choice the pairs are independent")


# %% [markdown]
# **What it means.** Pairing leaves the question as it was, noise to data, and makes it easier: fewer lines of different velocity meet at a place, so the
# loss that stays is smaller and the flow straighter. Unlike reflow it needs no first model, but an assignment in every batch.
#
# ## Which times to train on { .advanced }
#
# The loss is an average over times, and times may be drawn where the task is hard.
#
# {{ picture flow_matching.times }}
#
# Two densities are in use besides the uniform one. **Logit-normal** times are $t = \operatorname{sigmoid}(y) = 1/(1 + e^{-y})$ for a normal $y$ of mean $\mu$ and
# standard deviation $\delta$. The other way round, $y = \log \frac{t}{1 - t}$, the *log-odds* of $t$. `flow_matching.logit_normal_time[density]` is the change
# of variables between the two, at any value $b$ of $y$. So the average of a loss $L(t)$ over logit-normal times is the average of
# $L(\operatorname{sigmoid}(y))$ over a normal $y$: `flow_matching.logit_normal_time[average]`. For the loss 1 it says that the density integrates to one.
#
# **Shifted** times: the *odds* of a time are $t/(1 - t)$. A shift multiplies them by a factor $s$, which gives the new time $s\,t/(1 + (s - 1)\,t)$ (in the
# derivation the time is $\tau$, and $\tau_{\mathrm{back}}$ is the time before the shift). For $s > 1$ every time moves towards the noise: with $s = 3$ the time $\frac12$, with
# odds 1, moves to $\frac34$, with odds 3. Two shifts are one shift by the product of their factors, the factor $1/s$ undoes the factor $s$, and a
# shifted logit-normal is logit-normal with the mean $\mu + \log s$.
# On the straight path the odds of $t$ are $\sigma/\alpha$, so a shift multiplies the ratio of noise to data. Larger images hide less under the same noise; in this
# way they get more of it.
#
# In code: `genmath.paths.logit_normal_time`, `genmath.paths.logit_normal_density`, `genmath.paths.shift_time` and `genmath.paths.shifted_density`.

# %%
mu, b, ell = reals("mu b ell")
factor, factor_2, deviation = positives("s s_2 delta")


def logit(at):
    return log(at / (1 - at))


def logit_normal_density(at, mean):
    """The density of sigmoid(y) for y ~ N(mean, δ²)."""
    return Normal(logit(at), mean, deviation**2) / (at * (1 - at))


@derivation("The logit-normal density of times")
def logit_normal_time(d):
    d.start(logit_normal_density(sigmoid(b), mu) * diff(sigmoid(b), b), name="density", words="the density is that of a normal, in other coordinates")
    d.equals(Normal(b, mu, deviation**2), by=r"the log-odds of $t = \operatorname{sigmoid}(b)$ are $b$, and its slope is $t (1 - t)$")

    loss = Function("L")
    d.start(integral(logit_normal_density(sigmoid(y), mu) * diff(sigmoid(y), y) * loss(sigmoid(y)), y), name="average", words="an average over times")
    d.equals(E(Normal(y, mu, deviation**2), loss(sigmoid(y))), by="the same under the integral")


def shifted(at, by):
    return by * at / (1 + (by - 1) * at)


@derivation("Shifted times")
def shift_time(d):
    moved, back = shifted(tau, factor), define("tau_back", shifted(tau, 1 / factor))
    d.start(logit(moved), name="log_odds", words="the log-odds move")
    d.equals(logit(tau) + log(factor), by="the odds are multiplied by $s$")

    d.start(shifted(moved, factor_2), name="compose", words="two shifts are one")
    d.equals(shifted(tau, factor * factor_2), by="the factors of the odds multiply")
    d.start(shifted(moved, 1 / factor), name="inverse", words="a shift is undone")
    d.equals(tau, by="multiply the odds by $s$, then by $1/s$")

    d.start(shifted(1, factor) - shifted(0, factor), name="ends", words="both ends stay")
    d.equals(1, by="0 goes to 0 and 1 goes to 1")
    d.start(diff(moved, tau), name="slope", words="how densely times are moved")
    d.equals(factor / (1 + (factor - 1) * tau) ** 2, by="quotient rule")

    d.start(diff(back, tau), name="density", words="the density of shifted uniform times")
    d.equals(factor / (factor + (1 - factor) * tau) ** 2, by="a uniform density is 1, so the new density is the slope of the way back")
    d.start(logit_normal_density(back, mu) * diff(back, tau), name="logit_normal", words="a shifted logit-normal is logit-normal")
    d.equals(logit_normal_density(tau, mu + log(factor)), by=r"the log-odds move by $\log s$")


# %% [markdown]
# **What it means.** Both recipes spend the training where it is hard. A shift moves times towards the noise, as large
# pictures need it: $s = 3$ sends 0.5 to 0.75.

# %% [markdown]
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - A line from data to noise: $x_t = (1 - t)\, x_0 + t\, \epsilon$, with velocity $\epsilon - x_0$.
#     - The field that carries noise to data is the **mean** of the velocities at each place (`flow_matching.marginal_velocity`).
#     - Squared error on single lines has the minimiser and the gradient of squared error on the mean field (`flow_matching.cfm_loss`,
#       `flow_matching.equal_gradients`); the least loss is not zero.
#     - For each data point and training step one call of the network, no solver, no divergence.
#     - Lines cross and flows do not: same densities (`flow_matching.lines`), other paths, and these bend.
#     - Velocity, score, noise, data and $v$ are five names for one prediction (`flow_matching.predictions`).
#     - Straighter flows need fewer steps: reflow after training (`flow_matching.reflow`), pairing before (`flow_matching.minibatch_pairing`).
#
# ## Questions
#
# ??? question "The training loss has stopped at 1.7. Is the network bad?"
#
#     The number does not tell. The least possible loss is the mean variance of the velocities that meet at a place, by `flow_matching.cfm_loss`. It would
#     be zero only if no two lines of different velocity met. Compare networks by the difference of their losses, or look at samples.
#
# ??? question "What does a single Euler step from the noise give, with the exact field?"
#
#     The mean of the data, for every start. At $t = 1$ place and data point are independent, so the mean velocity at $x$ is $x$ minus the mean of the data, and
#     $x - 1 \cdot (x - E[x_0]) = E[x_0]$.
#
# ??? question "A paper writes the target as data minus noise. Which way does its sampler walk?"
#
#     With the velocity, from noise at its time 0 to data at its time 1. Here the target is noise minus data and the sampler subtracts it. Both do the same
#     (`flow_matching.reverse_time`).
#
# ??? question "Why may a data point and a noise be paired at random, although the flow will pair them otherwise?"
#
#     The loss needs the mean velocity at each place, and for that any pairing with the right two ends will do. The flow then makes a pairing of its own;
#     at each time its density is that of the lines (`flow_matching.lines`).
#
# ??? question "A flow matching model was trained on the straight path. How do you get the score from it?"
#
#     By `flow_matching.predictions[score_from_velocity]` with $\alpha = 1 - t$, $\sigma = t$, so $\alpha' = -1$, $\sigma' = 1$ and $\Delta = 1$: the score is
#     $-(x + (1 - t)\, u)/t$. For one data point at 0 this is right: $u = x/t$ gives $-x/t^2$.
#
# ??? question "Why is reflow done with the pairs of the flow, and not with the nearest data point for each noise?"
#
#     The nearest data point would not keep the ends: a data point near the middle of the noise would get many, one far out hardly any. The pairs of the flow have the noise at
#     one end and, for the exact field, the data at the other.
#
# {{ spot notes-rf-sampler-direction among flow_matching.rectified_flow[target] flow_matching.rectified_flow[walk] }}
#
# ## What these results do not say
#
# - **Nothing about a trained network.** The mean field carries noise to data exactly. What the errors of a network do to its samples, and what
#   the steps of a solver add, is not bounded here. The loss at the end does not tell either: most of it is the constant of
#   `flow_matching.cfm_loss`.
# - **The field gives the marginals, not the lines.** The continuity equation says that the *densities* at each time are right. That the field's own paths
#   carry one density to the next needs more: a field that is smooth enough for the differential equation to have one solution. Where data
#   lie on a thin set, for example on single points, the velocities $(x - x_0)/t$ grow without bound as $t$ goes to 0, and how a sampler takes its last step is a choice.
# - **Its paths are not straight.** The lines are straight; their mean field is not, except where lines do not cross. One Euler step is exact
#   for one line (`flow_matching.rectified_flow`), not for a model.
# - **Reflow is for the exact velocity.** It needs the exact field and a unique solution, so that the flow has the marginals of the lines; an error of the network stays in
#   the new pairs for good, and each round adds its own. That costs do not grow says nothing about their falling to the optimum, and the theorem
#   speaks of prices of the displacement in one coordinate, or of a sum of such prices, which the squared distance is.
# - **A batch is not the data.** An optimal pairing within a batch keeps both ends exactly, but it is not the optimal coupling of the two densities; the
#   smaller the batch and the larger the dimension, the closer it is to no pairing at all. It also correlates the pairs of one batch.
# - **Weights and times change the loss, not its minimiser** — for a network that can fit each time by itself. A real network shares its parameters
#   between times, and then weights and times decide where it errs.
# - **Densities with noise around them.** The strong form of the continuity equation is shown for normal kernels, by coordinates for at most two of them, and
#   for smooth functions of time; without noise the weak form `flow_matching.lines` takes its place.
#
# ## Where sources slip
#
# Beside the results stand the published slips that they refute, each with its counterexample:
#
# - `flow_matching.continuity`: a total derivative for a partial one (`fmguide-total-derivative`).
# - `flow_matching.second_moment`: two families of paths with their labels exchanged (`fmguide-ve-vp-swapped`), and a standard deviation doubled
#   (`mit-pinit-factor2`).
# - `flow_matching.rectified_flow`: a sampler that walks the wrong way (`notes-rf-sampler-direction`), and one taken for a solver of an SDE
#   (`notes-rf-sde-euler`).
#
# One is no formula but a matter of shapes: in torchcfm (atong01/conditional-flow-matching, commits e394b02, 014ce47 and d4fada1) a time of shape (B,)
# was multiplied with data of shape (B, C, H, W), which broadcasts against the *last* axis and is silent when that has length B
# (`cfm-broadcast`). Here a time has one value a sample and is broadcast in one place; `genmath.flow_matching.conditional_path` is tested with B equal to the last axis.
#
# ## References
#
# - [@lipman2023flow]: the marginalisation trick (theorem 1), equal gradients (theorem 2), conditional Gaussian paths and their velocity (theorem 3), the path of
#   `flow_matching.reverse_time` (eqs. 20 to 22). Their time runs from noise to data.
# - [@liu2023flow]: rectified flow (eq. 1), marginals (theorem 3.3), convex transport costs (theorem 3.5), straight flows (theorem 3.6).
# - [@albergo2023building]: interpolants between two densities and their velocity as a conditional mean.
# - [@tong2024improving]: couplings of both ends, and pairs by optimal transport within a batch (section 3).
# - [@pooladian2023multisample]: that pairing within a batch keeps both ends (lemma 3.1).
# - [@esser2024scaling]: logit-normal times (eq. 19), shifted times for larger images (eq. 23).
# - [@lipman2024guide]: one account of all of these, and velocity, score and noise in terms of each other (section 4).
