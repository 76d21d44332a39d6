# %% [markdown]
# # Laboratory: Continuous normalizing flows
#
# Four questions about the chapter's results. In the first three the field is exact, so every error
# seen comes from the steps or from the estimated trace; in the last one a network has learned it.

# %%
import math

import torch
from torch import nn

from genmath.cnf import log_prob, sample
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure, ramp, slider
from genmath.flow_matching import cfm_loss
from genmath.nets import MLP
from genmath.paths import LinearPath
from genmath.solvers import EULER, MIDPOINT, RK4, Adaptive, FixedSteps, transport
from genmath.toys import GaussianMixture

generator = torch.Generator().manual_seed(0)
path = LinearPath()
data = GaussianMixture([0.4, 0.6], [[-1.1, -0.5], [1.0, 0.6]], std=[0.4, 0.55])


def velocity(x, t):
    """The exact field that carries the data to standard normal noise."""
    return data.velocity(x, *path.coefficients(t, x), *path.derivatives(t, x))


# %% [markdown]
# ## Area and density together
#
# A grid is drawn on the noise, and the flow carries it to the data. Move the slider. Where cells
# shrink the density rises, where they grow it falls: area times density is the same for a cell all
# the way (`cnf.conservation`). The colour is the exact density.

# %%
lines = torch.linspace(-2.4, 2.4, 13, dtype=torch.float64)
fine = torch.linspace(-2.4, 2.4, 49, dtype=torch.float64)
rows = torch.stack(torch.meshgrid(fine, lines, indexing="xy"), -1)  # (13, 49, 2)
grid = torch.cat([rows, rows.flip(-1)])
times = [1.0, 0.8, 0.6, 0.4, 0.2, 0.0]
side = torch.linspace(-3, 3, 60, dtype=torch.float64)
places = torch.stack(torch.meshgrid(side, side, indexing="xy"), -1).reshape(-1, 2)

shades = {"levels": [0.01 + 0.05 * i for i in range(9)], "cmap": ramp(ORANGE), "extend": "max"}
panel, frames = axes(4.2, 4.2), {}
where = grid.reshape(-1, 2)
for i, t in enumerate(times):
    if i:
        with torch.no_grad():
            where = transport(velocity, where, FixedSteps(20), start=times[i - 1], end=t).x
    density = data.log_prob(places, path.alpha(t), path.sigma(t)).exp().reshape(60, 60)
    drawn = [panel.contourf(side, side, density, **shades)]
    drawn += [panel.plot(*line.T, color=BLUE, lw=0.8)[0] for line in where.reshape(26, 49, 2)]
    frames[f"t = {t:.1f}"] = drawn
panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
slider(
    panel,
    frames=frames,
    label="from noise to data",
    alt="A square grid on a round bell is carried to two clusters: its cells shrink where the "
    "clusters form and are drawn out between them.",
    caption="The grid moves with the flow; the colour is the density at that time.",
)

# %% [markdown]
# The same with numbers: the area of a small square is followed from the noise to the data, and the
# product with the density at its centre is printed. The last column is the exponential of what
# `transport` integrates.

# %%
corner = 1e-3 * torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=torch.float64)
square = torch.tensor([0.3, 0.5], dtype=torch.float64) + corner - corner.mean(0)


def area(x):
    """Of a polygon, by the shoelace formula."""
    u, v = x.unbind(1)
    return (u * v.roll(-1) - v * u.roll(-1)).sum().abs() / 2


print("  t    area/first   density   product   exp(log_det)")
with torch.no_grad():
    first = area(square)
    for t in times:
        x, log_det = square, torch.zeros(4)
        if t < 1:
            x, log_det = transport(velocity, square, FixedSteps(100), start=1.0, end=t)
        p = data.log_prob(x.mean(0, keepdim=True), path.alpha(t), path.sigma(t)).exp()
        factor = log_det.mean().exp()
        product = area(x) / first * p.item()
        print(f"{t:4.1f}{area(x) / first:12.5f}{p.item():11.5f}{product:10.5f}{factor:12.5f}")
        assert abs(area(x) / first - factor) < 1e-5
        assert abs(product - math.exp(-0.17) / (2 * math.pi)) < 1e-5

# %% [markdown]
# ## How exact for how many calls?
#
# The exact log-density of the data is known, so the error of each method can be measured. Half as
# long steps divide it by 2, 4 or 16 (`cnf.steps`). The adaptive solver chooses its steps by a
# tolerance; its error is not that tolerance, but goes down with it.

# %%
x = data.sample(400, generator=generator, dtype=torch.float64)
truth = data.log_prob(x)


def error(solver, field=velocity):
    """The mean error of the log-density, and the number of calls of the field."""
    calls = 0

    def counted(x, t):
        nonlocal calls
        calls += 1
        return field(x, t)

    with torch.no_grad():
        return (log_prob(counted, x, solver) - truth).abs().mean().item(), calls


results = {
    name: [error(FixedSteps(n // stages, tableau)) for n in (8, 16, 32, 64, 128, 256)]
    for name, tableau, stages in (("Euler", EULER, 1), ("midpoint", MIDPOINT, 2), ("RK4", RK4, 4))
}
results["dopri5"] = [error(Adaptive(10.0**-k, 10.0**-k)) for k in (2, 3, 4, 5, 6, 7)]
for name, row in results.items():
    print(f"{name:8s}" + "".join(f"{calls:4d}: {e:.1e}" for e, calls in row))
for name, order in (("Euler", 1), ("midpoint", 2), ("RK4", 4)):
    assert abs(math.log2(results[name][-2][0] / results[name][-1][0]) - order) < 0.5
panel = axes(4.6, 3.0, title="mean error of the log-density, in nats")
for (name, row), color in zip(results.items(), (INK, GREEN, BLUE, ORANGE), strict=True):
    panel.loglog([c for _, c in row], [e for e, _ in row], "o-", color=color, markersize=4)
    (e, calls), left = row[-1], name == "dopri5"
    panel.text(calls * (0.88 if left else 1.12), e, name, color=color, fontsize=9, va="center",
               ha="right" if left else "left")  # fmt: skip
panel.minorticks_off()
panel.set(xlabel="calls of the field", xlim=(6, 700))
panel.set_xticks([8, 32, 128, 512], ["8", "32", "128", "512"])
panel.set_yticks([1, 1e-3, 1e-6], ["1", "0.001", "0.000001"])
figure(
    panel,
    alt="Error of the log-density against the number of calls on double logarithmic axes: Euler "
    "falls slowly, midpoint faster, RK4 and dopri5 fastest.",
    caption="The exact field of two normal components, four solvers.",
)

# %% [markdown]
# ## The price of an estimated trace
#
# In the plane an exact trace takes two derivatives, in a space of a million pixels a million. An
# estimate takes one. Here the number of coordinates grows; the field is linear with a random
# matrix, so both variances are known (`cnf.hutchinson`). Bars: measured over 2000 directions;
# dots: the chapter's formula. Signs gain most where the diagonal is a large part.

# %%
sizes, measured, formula = [2, 8, 32], {"signs": [], "normal": []}, {"signs": [], "normal": []}
for d in sizes:
    A = torch.randn(d, d, generator=generator, dtype=torch.float64) / math.sqrt(d)
    S = (A + A.T) / 2
    squares, diagonal = (S**2).sum(), (S.diagonal() ** 2).sum()
    formula["signs"].append(math.sqrt(2 * (squares - diagonal)))
    formula["normal"].append(math.sqrt(2 * squares))
    at = torch.zeros(2000, d, dtype=torch.float64)
    shape = (2000, d)
    draws = {
        "signs": 2.0 * torch.randint(2, shape, generator=generator, dtype=torch.float64) - 1,
        "normal": torch.randn(shape, generator=generator, dtype=torch.float64),
    }
    for name, w in draws.items():
        with torch.no_grad():
            log_det = transport(lambda x, t, A=A: x @ A.T, at, FixedSteps(1), probe=w).log_det
        measured[name].append(log_det.std().item())
        assert abs(log_det.mean() - A.trace()) < 5 * measured[name][-1] / math.sqrt(2000)
        assert abs(measured[name][-1] / formula[name][-1] - 1) < 0.1
panel = axes(3.6, 2.6, title="standard deviation of log p, in nats")
for (name, row), color, shift in zip(measured.items(), (BLUE, ORANGE), (-0.2, 0.2), strict=True):
    spots = [i + shift for i in range(len(sizes))]
    panel.bar(spots, row, 0.34, color=color)
    panel.plot(spots, formula[name], "o", color=INK, markersize=4)
    panel.text(0, row[-1] * (0.95 if shift > 0 else 0.8), name, color=color, fontsize=9)
panel.set_xticks(range(len(sizes)), [f"d = {d}" for d in sizes])
figure(
    panel,
    alt="Standard deviations of the estimated log-density for 2, 8 and 32 coordinates, with random "
    "signs and with normal directions; signs are lower for few, and all agree with the formula.",
    caption="One direction a sample.",
)

# %% [markdown]
# The estimate of the log-density is right on average; its exponential is not
# (`cnf.exponentiated`). Two coordinates, one place, all four directions of signs:

# %%
place = torch.tensor([[0.2, -0.1]], dtype=torch.float64)
signs = torch.tensor([[1, 1], [1, -1], [-1, 1], [-1, -1]], dtype=torch.float64)
with torch.no_grad():
    exact = log_prob(velocity, place, FixedSteps(60))
    each = log_prob(velocity, place.expand(4, 2), FixedSteps(60), probe=signs)
print(f"exact log p      {exact.item():.6f}     exact p       {exact.exp().item():.6f}")
print(f"mean estimate    {each.mean():.6f}     mean of exp   {each.exp().mean():.6f}")
assert abs(each.mean() - exact) < 1e-9
assert each.exp().mean() > exact.exp()

# %% [markdown]
# ## A learned flow knows its likelihood
#
# A network learns the field by flow matching, which never computes a density. Afterwards
# the density is there: here at every place, beside the true one, with what it integrates to. The
# network is smooth; with a kinked activation such as ReLU its divergence jumps, and every solver
# loses its order.


# %%
with torch.random.fork_rng(devices=[]):
    torch.manual_seed(0)
    net = MLP(2, layers=2, activation=nn.Tanh)
optimiser = torch.optim.Adam(net.parameters(), lr=4e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 1500)
for _ in range(1500):
    optimiser.zero_grad()
    cfm_loss(net, data.sample(256, generator=generator), generator=generator).backward()
    optimiser.step()
    schedule.step()
net.double().requires_grad_(False)

with torch.no_grad():
    learned = log_prob(net, places, FixedSteps(20)).exp().reshape(60, 60)
    drawn = sample(net, (300, 2), generator=generator, dtype=torch.float64)
    likelihood = log_prob(net, x, FixedSteps(40))
true = data.log_prob(places).exp().reshape(60, 60)
step = (side[1] - side[0]).item()
print(f"the learned density integrates to  {learned.sum().item() * step**2:.4f}")
print(f"mean log-likelihood, learned       {likelihood.mean():.4f} nats")
print(f"mean log-likelihood, true          {truth.mean():.4f} nats")
assert abs(learned.sum().item() * step**2 - 1) < 5e-3
assert 0 < truth.mean() - likelihood.mean() < 0.1
panels = []
for title, density in (("true", true), ("learned", learned)):
    panel = axes(3.0, 3.0, title=f"{title} density")
    panel.contourf(side, side, density, **shades)
    panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    panels.append(panel)
panels[1].plot(*drawn.T, ".", color=PURPLE, markersize=2)
figure(
    *panels,
    alt="Two clusters: the true density, and the learned one with samples on it. They look alike.",
    caption="The density of a flow that was trained without one; samples of it in purple.",
)

# %% [markdown]
# The gap to the true log-likelihood is the KL divergence of the true density from the learned one
# (`divergences.maximum_likelihood`), measured on 400 points. Exact likelihood makes models
# comparable; it does not make them good.

# %% [markdown]
# ## References
#
# - [@grathwohl2019ffjord]: the estimated trace along a flow.
# - [@chen2018neural]: the instantaneous change of variables.
