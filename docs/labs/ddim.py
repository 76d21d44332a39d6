# %% [markdown]
# # Laboratory: Implicit diffusion
#
# Six questions about the chapter's results, on data whose density is a mixture of normals. The
# exact noise prediction is known there, so every error that is seen comes from the steps and none
# from a network, except where an error is added on purpose.

# %%
import math
import warnings
from itertools import pairwise

import torch

from genmath.ddim import ddim_invert, ddim_step, step_variance, subsequence
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure
from genmath.paths import CosinePath, LinearPath, VPPath, linear_schedule
from genmath.predictions import convert
from genmath.samplers import DDIM, Amplified, Ancestral, Euler, Heun, ReverseSDE, sample
from genmath.toys import GaussianMixture
from genmath.wasserstein import wasserstein_1d

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(0)
schedule = linear_schedule(1000)


def exact_eps(mixture):
    """The best possible network: the mean of the noise given x_t."""

    def model(x, t):
        return mixture.eps(x, *schedule.coefficients(t, x))

    return model


# %% [markdown]
# ## What does a step lose?
#
# For normal data the variance that a step lacks is known (`ddim.gaussian_step`):
#
# {{ ddim.gaussian_step }}
#
# Chaining it gives the standard deviation of the samples exactly, without drawing any. The last
# column draws 50 000 and must agree.


# %%
def std_of_samples(omega, steps, eta):
    """The standard deviation that the sampler ends with, started at N(0, 1)."""
    variance = 1.0
    for t, s in pairwise(steps):
        alpha_t, sigma_t = schedule.alpha[t].item(), schedule.sigma[t].item()
        alpha_s, sigma_s = schedule.alpha[s].item(), schedule.sigma[s].item()
        fresh = step_variance(t, s, schedule, eta=eta)
        kept = math.sqrt(sigma_s**2 - fresh)
        slope = (alpha_s * alpha_t * omega**2 + kept * sigma_t) / (
            (alpha_t * omega) ** 2 + sigma_t**2
        )
        variance = slope**2 * variance + fresh
    return math.sqrt(variance)


omega, etas, lengths = 0.5, (0.0, 0.5, 1.0), [2, 4, 8, 16, 32, 64, 128, 1000]
bell = GaussianMixture([1.0], [0.0], std=omega)
table = {eta: [std_of_samples(omega, subsequence(n, schedule), eta) for n in lengths]
         for eta in etas}  # fmt: skip
print(f"standard deviation of the samples; the data have {omega}")
print("steps   " + "".join(f"eta {eta:<6}" for eta in etas) + "drawn with eta 1")
for i, n in enumerate(lengths):
    drawn = ""
    if n <= 32:
        x = sample(exact_eps(bell), (50_000,), schedule, DDIM(1.0), steps=n, generator=generator,
                   dtype=torch.float64)  # fmt: skip
        drawn = f"{x.std():.4f}"
        assert abs(x.std() / table[1.0][i] - 1) < 4 / math.sqrt(2 * len(x))
    print(f"{n:5d}   " + "".join(f"{table[eta][i]:<10.4f}" for eta in etas) + drawn)
    assert table[1.0][i] < table[0.5][i] < table[0.0][i] < omega

# %%
panel = axes(width=4.2, title="missing standard deviation")
for eta, color, lift in zip(etas, (BLUE, ORANGE, GREEN), (0.85, 1.15, 1.1), strict=True):
    missing = [omega - std for std in table[eta]]
    panel.loglog(lengths, missing, "o-", color=color, markersize=4)
    panel.text(lengths[-1] * 1.15, missing[-1] * lift, f"eta {eta:g}", color=color, fontsize=9,
               va="center")  # fmt: skip
panel.minorticks_off()
panel.set(xlabel="steps")
panel.set_xticks([2, 8, 32, 128, 1000], ["2", "8", "32", "128", "1000"])
panel.set_yticks([0.1, 0.01, 0.001], ["0.1", "0.01", "0.001"])
figure(
    panel,
    alt="Missing standard deviation against the number of steps on double logarithmic axes, for "
    "three values of eta; all fall, and eta zero is lowest.",
    caption="What the samples lack in width, exactly.",
)

# %% [markdown]
# All lose width, less with more steps, and the deterministic sampler loses least at every length
# (`ddim.gaussian_loss`). Halving the error takes twice the steps: the method is of first order.

# %% [markdown]
# ## Does it hold for other data?
#
# Two modes on the line. The distance from the data is $W_1$, the area between the distribution
# functions. With $\eta = 0$ the sampler is a function, so its samples come from evenly spread
# quantiles of the normal; for the others the density is pushed through each step on a grid.

# %%
pair = GaussianMixture([0.3, 0.7], [-1.2, 0.6], std=0.25)
grid = torch.linspace(-6, 6, 2001)
dx = (grid[1] - grid[0]).item()
cdf_data = (pair.log_prob(grid).exp() * dx).cumsum(0)


def w1(eta, steps):
    """The exact distance of the sampler's distribution from the data, up to the grid."""
    if eta == 0:
        u = (torch.arange(4000) + 0.5) / 4000
        ends = sample(exact_eps(pair), u.shape, schedule, DDIM(), steps=steps,
                      start=torch.special.ndtri(u), dtype=torch.float64)  # fmt: skip
        wanted = grid[torch.searchsorted(cdf_data, u).clamp(max=len(grid) - 1)]
        return (ends.sort().values - wanted).abs().mean().item()
    density = torch.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
    for t, s in pairwise(steps[:-1]):
        eps = exact_eps(pair)(grid, torch.full(grid.shape, t))
        mean = ddim_step(eps, grid, t, s, schedule, eta=eta, noise=torch.zeros_like(grid))
        v = step_variance(t, s, schedule, eta=eta)
        kernel = torch.exp(-((grid[:, None] - mean) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
        density = kernel @ density * dx
        assert abs(density.sum() * dx - 1) < 1e-3
    # The last step returns the predicted data: weights at places, no density.
    last = steps[-2]
    eps = exact_eps(pair)(grid, torch.full(grid.shape, last))
    places, order = ddim_step(eps, grid, last, 0, schedule).sort()
    weights = (density * dx)[order].cumsum(0)
    here = torch.searchsorted(places, grid).clamp(max=len(places) - 1)
    return ((weights[here] - cdf_data).abs().sum() * dx).item()


lengths = [4, 8, 16, 32]
distance = {eta: [w1(eta, subsequence(n, schedule)) for n in lengths] for eta in (0.0, 0.5, 1.0)}
print("W1 to the data")
print("steps   " + "".join(f"{n:8d}" for n in lengths))
for eta, row in distance.items():
    print(f"eta {eta:<4g}" + "".join(f"{value:8.4f}" for value in row))
    assert row == sorted(row, reverse=True)
assert all(a < b < c for a, b, c in zip(*distance.values(), strict=True))

# %% [markdown]
# The order of the three is the same as for one bell. This is with an exact network; a trained one
# makes errors that a little fresh noise can wash out again, and then the best $\eta$ need not be 0.

# %% [markdown]
# ## Is the right variable always the better one?
#
# In the variable $x / \alpha$ against $\rho = \sigma / \alpha$ the slope of the ODE is the noise
# itself (`ddim.flow`), and Euler's method makes no error on a straight line. On the left the curves
# of twelve samples as they are, on the right the same in that variable, from $\rho = 3$ on.

# %%
start = torch.special.ndtri((torch.arange(12) + 0.5) / 12)
curves = sample(exact_eps(pair), start.shape, schedule, DDIM(), steps=1000, start=start,
                dtype=torch.float64, trajectory=True)  # fmt: skip
steps = torch.arange(1000, -1, -1)
alpha, rho = schedule.alpha[steps], schedule.sigma[steps] / schedule.alpha[steps]
left, right = axes(title="x against t"), axes(title="x/α against σ/α")
some = rho <= 3
for curve in curves.T:
    color = BLUE if curve[-1] < -0.3 else ORANGE
    left.plot(steps[::5], curve[::5], color=color, lw=1)
    right.plot(rho[some][::5], (curve / alpha)[some][::5], color=color, lw=1)
left.set(xlabel="step t")
right.set(xlabel="σ/α")
figure(
    left,
    right,
    alt="Curves of twelve samples from noise to data. Against the step they are flat at first and "
    "bend in the last third; in the scaled variables they are straight and bend near the data.",
    caption="The same curves in two pairs of variables; the colour is the mode they end in.",
)

# %% [markdown]
# Straight on the right, but *flat* on the left: for data of variance one a variance-preserving
# path changes the width of nothing, and $x$ hardly moves. So the question is what the data are. For
# normal data the answer is exact (`ddim.gaussian_flow`): both methods multiply the noise by a
# number that should be the standard deviation of the data. Here it is for 16 steps, evenly spaced
# in time on the continuous path, DDIM against Euler's method in $x$ and $t$.

# %%
path, one = VPPath(), torch.ones(1)
widths = [0.0, 0.05, *(i / 10 for i in range(1, 16))]


def scale(omega, sampler):
    """What the sampler makes of the noise 1, over what the ODE makes of it, less one; in absolute
    numbers where the data are a point and the ODE makes 0 of it."""
    bell = GaussianMixture([1.0], [0.0], std=omega)

    def model(x, t):
        return bell.eps(x, *path.coefficients(t, x))

    end = sample(model, (1,), path, sampler, steps=16, start=one, dtype=torch.float64).item()
    alpha, sigma = path.coefficients(1.0, one)
    return end - omega / math.hypot(alpha * omega, sigma)


errors = {name: [scale(omega, method) for omega in widths]
          for name, method in (("DDIM", DDIM()), ("Euler in x and t", Euler()))}  # fmt: skip
assert abs(errors["DDIM"][widths.index(0.0)]) < 1e-12
assert abs(errors["Euler in x and t"][widths.index(1.0)]) < 1e-12
panel = axes(width=4.4, height=2.8, title="error of the width, 16 steps")
for (name, row), color in zip(errors.items(), (BLUE, ORANGE), strict=True):
    panel.plot(widths, row, "o-", color=color, markersize=3)
    panel.text(1.54, row[-1], name, color=color, fontsize=9, va="center")
panel.axhline(0, color=INK, lw=0.6)
panel.set(xlabel="standard deviation of the data", xticks=[0, 0.5, 1, 1.5])
figure(
    panel,
    alt="Error of the width of the samples against the standard deviation of normal data. DDIM is "
    "exact at zero, Euler's method in x and t is exact at one.",
    caption="DDIM is exact for a single point, the other for standard normal data.",
)

# %% [markdown]
# Each method is exact where its curves are straight: DDIM for a single point (`ddim.one_point`),
# the other for standard normal data, which do not move at all. Real data, scaled to variance one,
# look like the second from afar and like the first from near by, where a mode is resolved. So the
# variable that makes the ODE simple is not by itself the more accurate one; what DDIM has in any
# case is that it needs no derivative in time, works between any two noise levels, and takes fresh
# noise where it is wanted.

# %% [markdown]
# ## Can the noise be found again?
#
# Two inversions of the deterministic sampler. *Reversed*: run the ODE up, with the noise guessed
# where each step starts. *Iterated*: solve each step for the $x_t$ it came from (`ddim.inversion`),
# with 1 to 10 repetitions. Both are followed by the sampler, and should lead back to the data.

# %%
ring = GaussianMixture.ring(8, radius=1.3, std=0.12)
x0 = ring.sample(64, generator=generator, stratified=True, dtype=torch.float64)
model = exact_eps(ring)
lengths, repetitions = [20, 50, 100, 200], [1, 2, 5, 10]


def there_and_back(n, k):
    """The largest distance from the data after inversion and sampling; k = 0: the ODE reversed."""
    steps = subsequence(n, schedule)
    if k == 0:
        up = sample(model, x0.shape, schedule, DDIM(), steps=steps[::-1], start=x0,
                    dtype=torch.float64)  # fmt: skip
    else:
        up = ddim_invert(model, x0, schedule, steps=steps, iterations=k)
    down = sample(model, x0.shape, schedule, DDIM(), steps=steps, start=up, dtype=torch.float64)
    return (down - x0).norm(dim=1).median().item()


errors = {k: [there_and_back(n, k) for n in lengths] for k in (0, *repetitions)}
print("median distance from the data after going there and back")
print("steps        " + "".join(f"{n:10d}" for n in lengths))
for k, row in errors.items():
    name = "reversed" if k == 0 else f"iterated {k}"
    print(f"{name:13s}" + "".join(f"{value:10.1e}" for value in row))
assert all(row == sorted(row, reverse=True) for row in errors.values())
assert errors[0][-1] > 1e-3
assert errors[10][-1] < 1e-12

# %%
panel = axes(width=4.4, height=2.8, title="median distance from the data")
for (k, row), color in zip(errors.items(), (INK, BLUE, ORANGE, GREEN, PURPLE), strict=True):
    panel.loglog(lengths, row, "o--" if k == 0 else "o-", color=color, markersize=4)
    name = "reversed" if k == 0 else f"{k} repetition{'s' if k > 1 else ''}"
    lift = 2.2 if k == 0 else 0.6 if k == 1 else 1.0
    panel.text(lengths[-1] * 1.08, row[-1] * lift, name, color=color, fontsize=9, va="center")
panel.minorticks_off()
panel.set(xlabel="steps")
panel.set_xticks(lengths, [str(n) for n in lengths])
panel.set_yticks([1, 1e-4, 1e-8, 1e-12], ["1", "10⁻⁴", "10⁻⁸", "10⁻¹²"])
figure(
    panel,
    alt="Distance from the data after going to the noise and back, against the number of steps. "
    "The reversed ODE and one repetition fall slowly together; ten repetitions fall to rounding.",
    caption="Data to noise to data, with the same steps both ways.",
)

# %% [markdown]
# The reversed ODE and a single repetition are inversions of first order: ten times more steps,
# about ten times less error. Each further repetition multiplies the error by a factor that
# shrinks with the step, and with ten of them, at 200 steps, nothing but rounding is left. Each step
# costs as many network calls as it has repetitions.

# %% [markdown]
# ## What lies between two samples?
#
# A deterministic sampler is a function of the noise, so samples can be joined through the noise.
# There are two ways: the straight line between two noises, and the arc that keeps their
# length. In many dimensions noise has a length close to the root of the dimension, and a straight
# line leaves the noises that the sampler knows: half-way between two independent ones the length
# is $1/\sqrt{2}$ of it. In the plane the difference is a matter of route.

# %%
across = torch.linspace(-3, 3, 61)
plane = torch.stack(torch.meshgrid(across, across, indexing="xy"), -1).reshape(-1, 2)


def to_data(noise):
    return sample(model, noise.shape, schedule, DDIM(), steps=100, start=noise,
                  dtype=torch.float64)  # fmt: skip


def nearest(x):
    """Which mode of the ring a point belongs to."""
    return ring.responsibilities(x).argmax(1)


w = torch.linspace(0, 1, 81)[:, None]
first, second = torch.tensor([1.5, 0.2]), torch.tensor([-1.4, 0.5])
angle = torch.arccos((first @ second) / (first.norm() * second.norm()))
routes = {
    "straight line": (1 - w) * first + w * second,
    "arc": (torch.sin((1 - w) * angle) * first + torch.sin(w * angle) * second) / angle.sin(),
}
left, right = axes(3.3, 3.3, title="noise"), axes(3.3, 3.3, title="data")
modes = nearest(to_data(plane))
for mode, color in enumerate([BLUE, ORANGE, GREEN, PURPLE] * 2):
    left.plot(*plane[modes == mode].T, ".", color=color, markersize=2)
    right.plot(*ring.means[mode], "o", color=color, markersize=7)
for (name, route), dash in zip(routes.items(), ("--", "-"), strict=True):
    ends = to_data(route)
    left.plot(*route.T, dash, color=INK, lw=1.4)
    right.plot(*ends.T, dash, color=INK, lw=1.4)
    visited = len(set(nearest(ends).tolist()))
    print(f"{name}: smallest length of the noise {route.norm(dim=1).min():.2f},"
          f" {visited} modes on the way")  # fmt: skip
left.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
right.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
figure(
    left,
    right,
    alt="Left: the plane of noises, in eight sectors coloured by the mode they lead to, and two "
    "routes between the same two noises, a straight line and an arc. Right: the two routes among "
    "the samples.",
    caption="Where each noise leads, and two routes between the same two samples: the straight line"
    " (dashed) and the arc.",
)

# %% [markdown]
# The sectors are what the ODE makes of the ring: neighbouring noises lead to the same mode, and the
# border between two sectors is where a small change of the noise changes the sample much. Both
# routes jump there; no route between two modes avoids it.

# %% [markdown]
# ## Who amplifies the error of a network?
#
# So far the model was exact. Now each of the five predictions (`genmath.predictions`) is the exact
# one plus 1 % of its own size, and six samplers carry the same noise to the data, on three paths.
# Printed is what the error adds: the distance $W_1$ of the samples to those of the exact model, in
# hundredths.

# %%
paths = {"VP": (VPPath(), 1.0), "cosine": (CosinePath(), 0.999), "line": (LinearPath(), 0.999)}
samplers = {
    "DDIM": DDIM(), "DDIM, eta = 1": DDIM(1.0), "ancestral": Ancestral(), "Euler": Euler(),
    "Heun": Heun(), "reverse SDE": ReverseSDE(),
}  # fmt: skip
names = ("x0", "v", "velocity", "eps", "score")
target = GaussianMixture([0.3, 0.7], [[-1.0], [0.6]], std=0.3)


def said_with_error(path, prediction, share):
    def model(x, t):
        (a, s), (da, ds) = path.coefficients(t, x), path.derivatives(t, x)
        exact = convert(
            target.denoiser(x, a, s), x, a, s,
            source="x0", target=prediction, d_alpha=da, d_sigma=ds,
        )  # fmt: skip
        sizes = {
            "x0": 1.0,
            "eps": 1.0,
            "v": 1.0,
            "score": 1 / s,
            "velocity": (da**2 + ds**2) ** 0.5,
        }
        return exact + share * sizes[prediction] * torch.sin(3 * x)

    return model


def drawn(path, begin, sampler, prediction, share, n):
    times = torch.linspace(begin, 0.001, n + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Amplified)
        return sample(
            said_with_error(path, prediction, share), (1000, 1), path, sampler, steps=times,
            prediction=prediction, generator=torch.Generator().manual_seed(3), dtype=torch.float64,
        )  # fmt: skip


added = {}
for name, (path, begin) in paths.items():
    for n in (10, 50):
        print(f"{name}, {n} steps".ljust(18) + "".join(p.rjust(10) for p in names))
        for label, sampler in samplers.items():
            row = []
            for p in names:
                x, y = (
                    drawn(path, begin, sampler, p, share, n).squeeze(1) for share in (0.0, 0.01)
                )
                row.append(100 * wasserstein_1d(x, y, 1).item())
                added[name, n, label, p] = row[-1]
            print(label.ljust(18) + "".join(f"{e:10.3g}" for e in row))
        print()
for name, n in ((name, n) for name in ("cosine", "line") for n in (10, 50)):
    for label in ("DDIM", "Euler", "Heun"):
        assert added[name, n, label, "eps"] > 5 * added[name, n, label, "v"]
        assert added[name, n, label, "v"] < 1.1
    assert added[name, n, "Heun", "x0"] > 3 * added[name, n, "DDIM", "x0"]

# %% [markdown]
# Where the path begins with next to no data ($\sigma/\alpha$ is 152 on the first path, 637 and 999
# on the others), "eps" and "score" say next to nothing about $x_0$. A sampler without noise divides
# their error by $\alpha$ in its first move and keeps it; `genmath.samplers.sample` warns
# (`genmath.samplers.Amplified`). Fresh noise forgets it again, and `genmath.samplers.steps_inside`
# leaves that end out.
#
# At the other end "x0" says next to nothing about the noise. Heun's method asks for a velocity
# there, at $t = 0.001$, and so divides the error by $\sigma$; DDIM and Euler do not ask. With "v"
# or "velocity" no sampler amplifies anything, at either end.
#
# ## References
#
# - [@song2021ddim]: the sampler, its inversion and interpolation (section 5).
# - [@pan2023effective]: the iterated inversion.
