# %% [markdown]
# # Laboratory: Stochastic differential equations
#
# Six questions about the chapter's results, on a mixture of two normals on the line. Its score is
# known at every time, so the samplers run *without any error of a network*, and their laws can be
# computed instead of drawn.

# %%
import math
from itertools import pairwise

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure, slider
from genmath.paths import VPPath
from genmath.samplers import DDIM, Ancestral, Euler, Grid, Heun, ReverseSDE, sample
from genmath.sde import forward_step, log_likelihood
from genmath.solvers import FixedSteps
from genmath.toys import GaussianMixture

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(0)
path = VPPath()
pair = GaussianMixture([0.3, 0.7], [-1.4, 0.6], std=0.4)
assert abs(pair.mean) < 1e-12
assert abs(pair.covariance - 1) < 1e-12
edges = torch.linspace(-6, 6, 2**13 + 1)
dx = (edges[1] - edges[0]).item()


def exact_eps(x, t):
    """The best possible network: the mean of the noise given x_t."""
    return pair.eps(x, *path.coefficients(t, x))


def exact_cdf(x, t):
    """The distribution function of x_t."""
    alpha, sigma = path.alpha(t), path.sigma(t)
    width = math.hypot(alpha * 0.4, sigma)
    return torch.special.ndtr((x.unsqueeze(1) - alpha * pair.means) / width) @ pair.weights


def interpolate(x, places, values):
    """The values at x, on straight lines between the places."""
    i = torch.searchsorted(places, x).clamp(1, len(places) - 1)
    w = ((x - places[i - 1]) / (places[i] - places[i - 1])).clamp(0, 1)
    return torch.lerp(values[i - 1], values[i], w)


def off(x, t):
    """The largest distance between the distribution function of draws and the exact one."""
    levels = (torch.arange(len(x)) + 0.5) / len(x)
    return (exact_cdf(x.sort().values, t) - levels).abs().max().item()


def draws(n, t):
    """n exact draws of x_t."""
    data = pair.sample(n, generator=generator, dtype=torch.float64)
    return path.interpolate(data, torch.randn(n, generator=generator), t)


# %% [markdown]
# ## Do the paths of the forward SDE have the marginals of the kernel?
#
# They should, whatever the data (`sde.linear_marginal`). The forward equation is simulated by Euler
# and Maruyama's method, 1000 steps for 10,000 paths, and compared with the exact density of $x_t$,
# which is known in one jump.

# %%
n, steps = 10_000, 1000
x = pair.sample(n, generator=generator, dtype=torch.float64)
times = torch.linspace(0, 1, steps + 1).tolist()
shown = [round(u * steps) for u in (0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1)]
kept, histograms, worst = [x[:24]], {}, 0.0
for i, (t, s) in enumerate(pairwise(times)):
    if i in shown:
        histograms[t] = torch.histc(x, 50, -4, 4) / (n * 0.16)
        worst = max(worst, off(x, t))
    x = forward_step(x, t, s - t, path, generator=generator)
    if (i + 1) % 5 == 0:
        kept.append(x[:24])
histograms[1.0] = torch.histc(x, 50, -4, 4) / (n * 0.16)
worst = max(worst, off(x, 1.0))
print("largest distance of the distribution functions")
print(f"seen here, over {len(shown)} times           {worst:.4f}")
print(f"exact draws, once in 1000 trials   {1.95 / math.sqrt(n):.4f}")
assert worst < 2.5 / math.sqrt(n)

# %%
left, right = axes(title="paths of the forward SDE"), axes(title="density at time t")
for curve in torch.stack(kept).T:
    left.plot(times[::5], curve, color=BLUE if curve[0] < -0.4 else ORANGE, lw=0.6)
left.set(xlim=(0, 1), ylim=(-4, 4), xlabel="t", yticks=[-4, -2, 0, 2, 4])
view = torch.linspace(-4, 4, 161)
bars = torch.linspace(-4, 4, 51)
frames = {
    f"t = {t:g}": [
        left.axvline(t, color=INK, lw=1),
        right.stairs(histogram, bars, fill=True, color=INK, alpha=0.15),
        *right.plot(view, pair.log_prob(view, path.alpha(t), path.sigma(t)).exp(), color=GREEN),
    ]
    for t, histogram in histograms.items()
}
right.set(xlim=(-4, 4), ylim=(0, 0.75))
right.set_xlabel("x", style="italic")
slider(
    left,
    right,
    frames=frames,
    label="time",
    start=3,
    alt="Left: random paths from two modes that mix and become noise. Right: at the chosen time, a "
    "histogram of all paths and the exact density, from two peaks to one bell.",
    caption="Grey: where 10,000 simulated paths are at time t. Green: the exact density.",
)

# %% [markdown]
# ## How near is DDPM to the SDE?
#
# A step of DDPM *is* the SDE over a stretch of time, if $\beta_t = 1 - e^{-b}$ and $b$ is the
# integral of $\beta(t)$ over the stretch (`sde.ddpm_step[exact]`). Two things are done in its
# place: to read off $\beta_t = \beta(t)\,h$, and to take an Euler step. From $t = 0$ to $\frac12$
# each is a recursion of two numbers: the factor of the data, and the variance, here for data of
# variance one. Where they should arrive is known, and so their errors are exact.

# %%
half, one = 0.5, torch.ones(1)


def forward_errors(n):
    """Errors of the factor and of the variance: exact steps, β_t = β(t) h, and Euler steps."""
    h = half / n
    chains = [[1.0, 1.0] for _ in range(3)]
    for t in (i * h for i in range(n)):
        kept = path.alpha(min(t + h, half)) / path.alpha(t)
        beta = h * path.squared_diffusion(t)
        euler = forward_step(one, t, h, path, noise=0 * one).item()
        steps = ((kept, 1 - kept**2), (math.sqrt(1 - beta), beta), (euler, beta))
        for chain, (factor, fresh) in zip(chains, steps, strict=True):
            chain[:] = factor * chain[0], factor**2 * chain[1] + fresh
    return [
        abs(a - b) for chain in chains for a, b in zip(chain, (path.alpha(half), 1), strict=True)
    ]


print("        errors of the factor   variance")
print("   n   exact  β(t) h   Euler      Euler")
lengths = [10, 100, 1000]
rows = [forward_errors(n) for n in lengths]
for length, (exact, _, read, _, euler, variance) in zip(lengths, rows, strict=True):
    print(f"{length:4d}{exact:8.0e}{read:8.0e}{euler:8.0e}{variance:11.0e}")
for i in (2, 4, 5):
    assert abs(math.log10(rows[-2][i] / rows[-1][i]) - 1) < 0.02
assert max(max(row[0], row[1], row[3]) for row in rows) < 1e-12

# %% [markdown]
# The two short cuts are of first order: ten times the steps, a tenth of the error. A chain of DDPM
# keeps the variance in any case, at any number of steps; it only has another schedule.

# %% [markdown]
# ## Same marginals, different paths?
#
# One family of equations leads back to the data, with noise $\lambda g$ and the more score the more
# noise (`sde.reverse_family[backwards]`). $\lambda = 0$ is the probability-flow ODE, $\lambda = 1$
# Anderson's reverse SDE, and any other number is allowed. The paths below all start at the same
# sixteen places.

# %%
start = exact_cdf(edges, 1.0)
sixteen = interpolate((torch.arange(16) + 0.5) / 16, start, edges)
squares = [(1 - i / 400) ** 2 for i in range(401)]  # smaller steps near the data
sizes = (0.0, 0.5, 1.0, 2.0)
left, right = axes(title="paths to the data"), axes(title="where 10,000 of them end")
frames = {}
for size in sizes:
    go = {"steps": squares, "dtype": torch.float64, "generator": generator}
    curves = sample(exact_eps, (16,), path, ReverseSDE(size), start=sixteen, trajectory=True, **go)
    x = sample(exact_eps, (n,), path, ReverseSDE(size), start=draws(n, 1.0), **go)
    frames[f"{size:g}"] = [
        artist
        for curve in curves[::4].T
        for artist in left.plot(
            squares[::4], curve, color=BLUE if curve[-1] < -0.4 else ORANGE, lw=0.7
        )
    ]
    histogram = torch.histc(x, 50, -4, 4) / (n * 0.16)
    frames[f"{size:g}"].append(right.stairs(histogram, bars, fill=True, color=INK, alpha=0.15))
right.plot(view, pair.log_prob(view).exp(), color=GREEN)
left.set(xlim=(1, 0), ylim=(-4, 4), xlabel="t, from noise to data", yticks=[-4, -2, 0, 2, 4])
right.set(xlim=(-4, 4), ylim=(0, 0.75))
right.set_xlabel("x", style="italic")
slider(
    left,
    right,
    frames=frames,
    label="noise λ",
    start=2,
    alt="Left: paths from noise to two modes. Without noise they are smooth and do not cross; with "
    "more noise they are rougher and cross often. Right: the histogram of their ends is the same "
    "for all and follows the exact density.",
    caption="The same starts and the same score. Green: the exact density of the data.",
)

# %% [markdown]
# The histograms are told apart by nothing. The table looks at the marginals on the way too, and
# then at three things that are no marginal: how often two runs from one start end in the same mode,
# the correlation of $x$ at $t = 0.3$ with $x$ at the end, and the sum of the squared moves.

# %%
alpha, sigma = path.coefficients(0.3, one)
forward = alpha / math.hypot(alpha, sigma)  # the data have variance one
unrelated = 0.3**2 + 0.7**2
inside = [round(400 * (1 - math.sqrt(t))) for t in (0.6, 0.3, 0.1, 0.03, 0.0)]
print("                  same    corre-   squared")
print("  λ   marginals   mode    lation     moves")
told = {}
for size in sizes:
    first = draws(n, 1.0)
    go = {"steps": squares, "start": first, "dtype": torch.float64, "generator": generator}
    run = sample(exact_eps, (n,), path, ReverseSDE(size), trajectory=True, **go)
    again = sample(exact_eps, (n,), path, ReverseSDE(size), **go)
    worst = max(off(run[i], squares[i]) for i in inside)
    same = ((run[-1] < -0.4) == (again < -0.4)).double().mean().item()
    late = torch.corrcoef(torch.stack([run[inside[1]], run[-1]]))[0, 1].item()
    moves = run.diff(dim=0).pow(2).sum(0).mean().item()
    told[size] = same, late, moves
    print(f"{size:3.1f}{worst:12.4f}{same:7.2f}{late:10.3f}{moves:10.2f}")
    assert worst < 2.5 / math.sqrt(n)
total = -2 * math.log(path.alpha(1.0))  # the integral of g²
print(f"forward SDE    {unrelated:7.2f}{forward:10.3f}{total:10.2f}")
assert told[0.0][0] == 1
assert abs(told[1.0][0] - unrelated) < 0.02
assert abs(told[1.0][1] - forward) < 0.02
assert abs(told[1.0][2] / total - 1) < 0.03

# %% [markdown]
# The column *marginals* is the largest distance from the exact distribution function, at five times
# on the way; for exact draws it would be about as large. In all other columns the family falls
# apart (`sde.path_laws`). Only Anderson's equation, $\lambda = 1$, has the correlations of the
# forward SDE: it is the forward process itself, seen backwards. The ODE remembers its start for
# good, and with $\lambda = 2$ nearly everything is forgotten between $t = 0.3$ and the end. Equal
# marginals are a weak kind of equality.

# %% [markdown]
# ## How many steps do five samplers need?
#
# All start from the exact density at $t = 1$, have the exact prediction, and take $n$ steps to the
# times $(i/n)^2$. The error is the $W_1$ distance of what comes out from the data, the area between
# the distribution functions. Nothing is drawn: a grid of weights stands for the density, a step
# $x \leftarrow a x + b\,\epsilon(x) + c z$ moves every weight to its place, and then spreads them
# by a normal density of width $c$.

# %%
frequencies = 2 * math.pi * torch.fft.rfftfreq(len(edges), dx)


def onto_the_grid(places, mass):
    """Weights on the grid with the same sum and the same mean: each goes to its two neighbours."""
    x = ((places - edges[0]) / dx).clamp(0, len(edges) - 1.001)
    i, share = x.long(), x.frac()
    split = torch.cat([mass * (1 - share), mass * share])
    return torch.zeros_like(edges).index_add(0, torch.cat([i, i + 1]), split)


def law(sampler, times, model=exact_eps):
    """Places and weights of what the sampler makes of x_1."""
    places = edges
    mass = torch.cat([torch.zeros(1), exact_cdf(edges + dx / 2, times[0])]).diff()

    def asked(x, i):
        return model(x, torch.full_like(x, times[i]))

    for at, a, b, c, correct, *_ in sampler.moves(Grid(path, times), "eps"):
        said = asked(places, at)
        moved = a * places + b * said
        if correct:
            again = asked(moved, correct.at)
            moved = correct.x * places + correct.predicted * said + correct.again * again
        places = moved
        if c:
            spread = torch.exp(-((c * frequencies) ** 2) / 2)
            mass = torch.fft.rfft(onto_the_grid(places, mass)) * spread
            places, mass = edges, torch.fft.irfft(mass, len(edges))
    return places, mass


def cdf_of(found):
    """The distribution function of weights, as places and values."""
    places, order = found[0].sort()
    mass = found[1][order]
    return places, mass.cumsum(0) - mass / 2


def w1(found):
    """The distance of a law from the data."""
    return ((interpolate(edges, *cdf_of(found)) - exact_cdf(edges, 0.0)).abs().sum() * dx).item()


def squared_times(n):
    return [(1 - i / n) ** 2 for i in range(n + 1)]


def order(errors):
    """Minus the slope of a line through the last three points, n doubled from one to the next."""
    return math.log2(errors[-3] / errors[-1]) / 2


samplers = {
    "ancestral": (Ancestral("posterior"), ORANGE, "-"),
    "reverse SDE": (ReverseSDE(), PURPLE, "-"),
    "Euler": (Euler(), INK, "--"),
    "DDIM": (DDIM(), BLUE, "--"),
    "Heun": (Heun(), GREEN, "--"),
}
lengths = [4, 8, 16, 32, 64, 128]
print("W1 from the data")
print("steps       " + "".join(f"{n:9d}" for n in lengths) + "    order")
errors = {}
for name, (sampler, *_) in samplers.items():
    errors[name] = [w1(law(sampler, squared_times(n))) for n in lengths]
    seen = order(errors[name])
    print(f"{name:12s}" + "".join(f"{e:9.1e}" for e in errors[name]) + f"{seen:9.2f}")
    assert abs(seen - (2 if name == "Heun" else 1)) < 0.15
for sampler, *_ in samplers.values():  # the laws are those of the samplers
    x = sample(exact_eps, (n,), path, sampler, steps=squared_times(8), start=draws(n, 1.0),
               generator=generator, dtype=torch.float64)  # fmt: skip
    levels = (torch.arange(n) + 0.5) / n
    there = interpolate(x.sort().values, *cdf_of(law(sampler, squared_times(8))))
    assert (there - levels).abs().max() < 2 / math.sqrt(n)

# %%
panel = axes(width=4.6, height=3.2, title="W1 from the data")
for name, (_, color, dash) in samplers.items():
    panel.loglog(lengths, errors[name], "o" + dash, color=color, markersize=4)
    lift = {"ancestral": 1.15, "DDIM": 1.05, "reverse SDE": 0.9, "Euler": 0.85}.get(name, 1.0)
    panel.text(lengths[-1] * 1.15, errors[name][-1] * lift, name, color=color, fontsize=9,
               va="center")  # fmt: skip
panel.minorticks_off()
panel.set(xlabel="steps")
panel.set_xticks(lengths, [str(n) for n in lengths])
panel.set_yticks([0.1, 1e-2, 1e-3, 1e-4, 1e-5], ["0.1", "10⁻²", "10⁻³", "10⁻⁴", "10⁻⁵"])
figure(
    panel,
    alt="Error against the number of steps for five samplers on double logarithmic axes. Four are "
    "parallel lines of slope minus one; Heun's is far below them and twice as steep.",
    caption="Solid: with fresh noise. Dashed: deterministic. Heun asks the network twice a step.",
)

# %% [markdown]
# With a perfect network the theory is all there is: four samplers of first order and one of second.
# Within one order only the constant differs. It depends on the data and on the times, so which of
# the four lines is the lowest is no law. The slopes are.

# %% [markdown]
# ## Why then add noise at all?
#
# Because networks err. Two wrong models run through the family: one says 5&nbsp;% too little noise,
# at every place and time; the other is the exact score of *another* density, with weights 0.45 and
# 0.55 instead of 0.3 and 0.7.

# %%
other = GaussianMixture([0.45, 0.55], [-1.4, 0.6], std=0.4)
models = {
    "exact": (exact_eps, GREEN),
    "5 % too little": (lambda x, t: 0.95 * exact_eps(x, t), ORANGE),
    "wrong weights": (lambda x, t: other.eps(x, *path.coefficients(t, x)), BLUE),
}
sizes = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
print("W1 from the data, 48 steps")
print("λ             " + "".join(f"{size:7g}" for size in sizes))
found = {}
for name, (model, _) in models.items():
    found[name] = [w1(law(ReverseSDE(size), squared_times(48), model)) for size in sizes]
    print(f"{name:14s}" + "".join(f"{e:7.3f}" for e in found[name]))
assert found["exact"] == sorted(found["exact"])
assert min(found["5 % too little"]) < found["5 % too little"][0] / 3
assert max(found["wrong weights"]) < 1.2 * min(found["wrong weights"])

# %%
panel = axes(width=4.6, height=2.8, title="W1 from the data")
for name, (_, color) in models.items():
    panel.plot(sizes, found[name], "o-", color=color, markersize=4, clip_on=False)
    panel.text(2.06, found[name][-1] + (0.012 if name == "5 % too little" else -0.006), name,
               color=color, fontsize=9, va="center")  # fmt: skip
panel.set(xlabel="noise λ", xlim=(0, 2), ylim=(0, 0.35), xticks=[0, 0.5, 1, 1.5, 2],
          yticks=[0, 0.1, 0.2, 0.3])  # fmt: skip
figure(
    panel,
    alt="Error against the noise λ. It rises slowly for the exact model; for one that says too "
    "little noise it falls steeply and rises again; for wrong weights it is high and flat.",
    caption="What the noise of the reverse SDE mends, and what it does not.",
)

# %% [markdown]
# An error that belongs to no density is mended: fresh noise forgets what went wrong at earlier
# times, and the score leads back to where it says the data are. Beyond some strength the noise
# costs more in steps than it mends. An error that *is* a density is not touched. The sampler
# reaches the marginals of that density, and the whole family agrees on them.

# %% [markdown]
# ## Is the likelihood along the ODE exact?
#
# Log-densities are carried along the probability-flow ODE with the divergence of its velocity
# (`sde.likelihood`), by a fourth-order method. With the exact score the result can be compared with
# the exact log-density, at 241 places.


# %%
def exact_score(x, t):
    return pair.score(x, *path.coefficients(t, x))


def prior(x):
    return pair.log_prob(x, path.alpha(1.0), path.sigma(1.0))


places = torch.linspace(-3, 3, 241)
lengths = [8, 16, 32, 64, 128]
with torch.no_grad():
    nats = {n: log_likelihood(exact_score, places, path, FixedSteps(n), prior=prior)
            for n in lengths}  # fmt: skip
    normal = log_likelihood(exact_score, places, path, FixedSteps(128))
errors = [(nats[n] - pair.log_prob(places)).abs().max().item() for n in lengths]
print("steps   largest error, nats")
for length, error in zip(lengths, errors, strict=True):
    print(f"{length:5d}{error:15.1e}")
print(f"order {order(errors):.2f}")
print(f"off, with N(0, 1) at t = 1: {(normal - nats[128]).abs().max():.1e}")
assert abs(order(errors) - 4) < 0.3
assert errors[-1] < 1e-6

# %% [markdown]
# The likelihood of an inexact model is exact too, but of what? Of the density that *its ODE* makes
# of the noise. For the model that says too little noise this density is found in two ways: by the
# likelihood at each place, and by carrying the weights of a grid, as above, with Heun's method. The
# other samplers make other densities of the same model.


# %%
def too_little(x, t):
    return 0.95 * exact_score(x, t)


with torch.no_grad():
    fine = torch.linspace(-6, 6, 1201)
    density = log_likelihood(too_little, fine, path, FixedSteps(128), prior=prior).exp()
by_likelihood = torch.cumulative_trapezoid(density, fine)
wrong = models["5 % too little"][0]
laws = {"ODE": law(Heun(), squared_times(256), wrong),
        "SDE": law(ReverseSDE(), squared_times(256), wrong)}  # fmt: skip
apart = {name: (interpolate(fine[1:], *cdf_of(found)) - by_likelihood).abs().max().item()
         for name, found in laws.items()}  # fmt: skip
weights = pair.log_prob(fine).exp() * (fine[1] - fine[0])
gap = (weights * (pair.log_prob(fine) - density.log())).sum().item()
print("the density by likelihood")
print(f"  total mass              {by_likelihood[-1]:.6f}")
print("  largest distance of distribution functions")
print(f"    from the ODE's        {apart['ODE']:.1e}")
print(f"    from the SDE's        {apart['SDE']:.1e}")
print(f"  KL of the data from it  {gap:.3f} nats")
print("W1 from the data")
print(f"  ODE                     {w1(laws['ODE']):.3f}")
print(f"  SDE                     {w1(laws['SDE']):.3f}")
assert abs(by_likelihood[-1] - 1) < 1e-4
assert apart["ODE"] < 1e-3 < 1e-2 < apart["SDE"]
assert gap > 0

# %%
panel = axes(width=4.4, height=2.6, title="density")
middle = (view[1:] + view[:-1]) / 2
steps_of = interpolate(view, *cdf_of(laws["SDE"])).diff() / view.diff()
panel.fill_between(view, pair.log_prob(view).exp(), color=INK, alpha=0.15, lw=0)
panel.plot(fine[200:1001:4], density[200:1001:4], color=BLUE)
panel.plot(middle, steps_of, color=ORANGE, ls="--")
panel.set(xlim=(-4, 4), ylim=(0, None))
panel.set_xlabel("x", style="italic")
figure(
    panel,
    alt="Three densities with two peaks: the data, the density of the ODE, whose peaks are "
    "too wide, and that of the SDE, which is nearer to the data.",
    caption="Grey: the data. Blue: the density that the likelihood belongs to. Dashed: what the "
    "reverse SDE makes of the same model.",
)

# %% [markdown]
# A reported likelihood and a gallery of samples by a stochastic sampler are therefore statements
# about two different densities, unless the score is exact.

# %% [markdown]
# ## References
#
# - [@song2021sde]: the forward and reverse SDE, the ODE and its likelihood.
# - [@anderson1982reverse]: the reverse SDE.
# - [@karras2022elucidating]: Heun's method, and how much fresh noise is good (section 4).
