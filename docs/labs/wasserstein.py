# %% [markdown]
# # Laboratory: Wasserstein distances
#
# Seven questions about the chapter's results. Exact distances are the ruler: on the line by
# sorting, in the plane by a linear program.

# %%
import math

import torch
from torch import nn

from genmath.divergences import js
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure, ramp
from genmath.toys import GaussianMixture
from genmath.wasserstein import (
    clip_weights,
    critic_loss,
    generator_loss,
    gradient_penalty,
    lipschitz_bound,
    pairwise_costs,
    potential_1d,
    sinkhorn,
    transport_plan,
    wasserstein,
    wasserstein_1d,
)

generator = torch.Generator().manual_seed(0)


def normal(*shape):
    return torch.randn(*shape, generator=generator)


# %% [markdown]
# ## What do JS and W1 see when densities part?
#
# Two boxes of width 1, and two normal densities of standard deviation 0.3, one of each pair moved
# by $\theta$. Where the boxes overlap they agree and JS sees nothing; the rest of either counts
# $\log 2$. From $\theta = 1$ on they are disjoint, and JS stays at $\log 2$
# (`wasserstein.parallel_lines`). Normal densities are disjoint nowhere, but soon nearly so.

# %%
cells = torch.linspace(-2, 6, 3201, dtype=torch.float64)[:-1] + 0.00125
shifts = torch.linspace(0, 3, 61, dtype=torch.float64)


def box(theta):
    inside = ((cells > theta) & (cells < theta + 1)).double()
    return inside / inside.sum()


def bell(theta):
    mass = torch.exp(-((cells - theta) ** 2) / (2 * 0.3**2))
    return mass / mass.sum()


curves = {}
for name, density in (("boxes", box), ("normal densities", bell)):
    first = density(0.0)
    others = [density(theta) for theta in shifts.tolist()]
    curves[name] = (
        torch.stack([js(first, other) for other in others]),
        torch.stack(
            [wasserstein_1d(cells, cells, 1, x_weights=first, y_weights=q) for q in others]
        ),
    )
overlap = (1 - shifts).clamp(min=0)
torch.testing.assert_close(curves["boxes"][0], (1 - overlap) * math.log(2), rtol=0, atol=4e-3)
for _, w1 in curves.values():
    torch.testing.assert_close(w1, shifts, rtol=0, atol=4e-3)

left, right = axes(title="the distance"), axes(title="its slope in θ")
for (divergence, _), color in zip(curves.values(), (BLUE, ORANGE), strict=True):
    left.plot(shifts, divergence, color=color)
    right.plot(shifts[1:], divergence.diff() / shifts.diff(), color=color)
left.plot(shifts, w1, color=GREEN)
right.plot(shifts[1:], w1.diff() / shifts.diff(), color=GREEN)
left.text(1.75, 2.05, "W1, of both", color=GREEN, fontsize=9, ha="right")
left.text(1.9, 0.8, "JS, boxes", color=BLUE, fontsize=9)
left.text(1.2, 0.4, "JS, normal densities", color=ORANGE, fontsize=9)
right.text(1.1, 0.88, "W1", color=GREEN, fontsize=9)
for panel in (left, right):
    panel.set(xlabel="shift θ", xlim=(0, 3))
left.set_ylim(0, 3)
figure(
    left,
    right,
    alt="Left: W1 grows in a straight line, JS of boxes and of normal densities level off at "
    "log 2. Right: the slope of W1 is one everywhere, that of JS falls to zero.",
    caption="For the boxes, a generator that follows the slope of JS stands still from θ = 1 on.",
)

# %% [markdown]
# ## How do plan, potential and integral meet?
#
# Two histograms on a grid. The cost of the exact plan by a linear program, the difference of the
# potential's means under the two, and the area between the two distribution functions are one
# number (`wasserstein.line`).

# %%
grid = torch.linspace(-3, 3, 61, dtype=torch.float64)


def histogram(*bells):
    mass = sum(w * torch.exp(-((grid - m) ** 2) / (2 * s**2)) for w, m, s in bells)
    return mass / mass.sum()


p = histogram((0.6, -1.8, 0.35), (0.4, 1.5, 0.3))
q = histogram((1.0, -0.1, 0.6))
best = transport_plan(pairwise_costs(grid, grid, 1.0), p, q)
potential = potential_1d(grid, grid, grid, x_weights=p, y_weights=q)
area = ((p.cumsum(0) - q.cumsum(0)).abs()[:-1] * grid.diff()).sum()
numbers = {
    "plan, by a linear program": best.cost,
    "potential": (potential * (p - q)).sum(),
    "area between F and G": area,
    "wasserstein_1d": wasserstein_1d(grid, grid, 1, x_weights=p, y_weights=q),
}
for name, value in numbers.items():
    print(f"{name:28s}{value:.12f}")
    torch.testing.assert_close(value, area, rtol=1e-9, atol=1e-9)

# %%
top, middle, bottom = (axes(2.3, 2.3, title=t) for t in ("densities", "F and G", "potential"))
top.plot(grid, p, color=BLUE)
top.plot(grid, q, color=ORANGE)
middle.fill_between(grid, p.cumsum(0), q.cumsum(0), color=GREEN, alpha=0.25, lw=0)
middle.plot(grid, p.cumsum(0), color=BLUE)
middle.plot(grid, q.cumsum(0), color=ORANGE)
bottom.plot(grid, potential, color=GREEN)
top.text(-2.9, 0.072, "p", color=BLUE, fontsize=10)
top.text(0.55, 0.06, "q", color=ORANGE, fontsize=10)
figure(
    top,
    middle,
    bottom,
    alt="A density with two peaks and one with a single peak between them; their distribution "
    "functions with the area between shaded; a potential with a valley in the middle.",
    caption="The potential falls by one per unit where more of p is on the left, and rises where "
    "more of q is.",
)

# %% [markdown]
# ## Does a trained critic find the exact potential?
#
# The same problem from samples, and a network as critic. With the gradient penalty, for $\lambda =
# 10$; with its one-sided form, which asks for slopes of *at most* one; with all weights clipped to
# ±0.1; and with every layer divided by its largest singular value. What a critic sees depends on
# its scale, so both what it sees and its largest slope are printed. Their ratio is a lower bound of
# $W_1$ by `wasserstein.lipschitz`, and the fair number to compare.

# %%
data = GaussianMixture([0.6, 0.4], [[-1.8], [1.5]], std=[0.35, 0.3])


def samples(n):
    return data.sample(n, generator=generator), -0.1 + 0.6 * normal(n, 1)


def critic_step(critic, adam, real, fake, penalty=0.0, one_sided=False, clip=None):
    loss = critic_loss(critic(real), critic(fake))
    if penalty:
        loss = loss + gradient_penalty(
            critic, real, fake, weight=penalty, one_sided=one_sided, generator=generator
        )
    adam.zero_grad()
    loss.backward()
    adam.step()
    if clip is not None:
        clip_weights(critic, clip)


def optimiser(critic, lr=5e-3):
    return torch.optim.Adam(critic.parameters(), lr=lr, betas=(0.5, 0.99), fused=True)


def train(critic, draw, steps, **options):
    adam = optimiser(critic)
    for _ in range(steps):
        critic_step(critic, adam, *draw(256), **options)
    return critic.eval()


def layers(dim, seed, wrap=lambda layer: layer):
    torch.manual_seed(seed)
    return nn.Sequential(
        wrap(nn.Linear(dim, 64)), nn.SiLU(), wrap(nn.Linear(64, 64)), nn.SiLU(),
        wrap(nn.Linear(64, 1)),
    )  # fmt: skip


spectral = nn.utils.parametrizations.spectral_norm
critics = {
    "penalty": train(layers(1, 0), samples, 600, penalty=10.0),
    "one-sided": train(layers(1, 0), samples, 600, penalty=10.0, one_sided=True),
    "clipping": train(layers(1, 0), samples, 600, clip=0.1),
    "spectral norm": train(layers(1, 0, spectral), samples, 600),
}
x, y = (z.double().squeeze(1) for z in samples(100_000))
exact = wasserstein_1d(x, y, 1).item()
places = torch.linspace(-3, 3, 601)
found, shapes = {}, {}
print(f"exact W1 {exact:.3f}; distance of the means {(x.mean() - y.mean()).abs():.3f}\n")
print("               sees   largest slope   ratio   bound of the slope")
for name, critic in critics.items():
    with torch.no_grad():
        shapes[name] = critic(places.unsqueeze(1)).squeeze(1)
        sees = -critic_loss(critic(x.float().unsqueeze(1)), critic(y.float().unsqueeze(1))).item()
    slope = (shapes[name].diff() / places.diff()).abs().max().item()
    found[name] = sees / slope
    bound = lipschitz_bound(critic)
    print(f"{name:15s}{sees:6.3f}{slope:12.3f}{found[name]:12.3f}{bound:16.3f}")
    assert slope <= bound * 1.001
    assert found[name] < exact

# %%
panel = axes(width=4.8, height=3.0, title="critics, each divided by its largest slope")
curve = potential_1d(x, y, places.double())
panel.plot(places, curve - curve.mean(), color=INK, lw=1)
panel.text(3.1, 0.95, "exact", color=INK, fontsize=9, va="center")
for (name, shape), color, at in zip(
    shapes.items(),
    (BLUE, ORANGE, PURPLE, GREEN),
    (-2.75, 1.45, -1.5, -0.9),
    strict=True,
):
    slope = (shape.diff() / places.diff()).abs().max()
    panel.plot(places, (shape - shape.mean()) / slope, color=color, lw=1)
    panel.text(3.1, at, name, color=color, fontsize=9, va="center")
panel.set(xlabel="x", xlim=(-3.1, 4.6))
figure(
    panel,
    alt="The exact potential is a valley with straight sides; the critic with a one-sided penalty "
    "follows it, the one with the usual penalty is nearly a straight line, the others lie between.",
    caption="Only differences of a critic mean anything, so each is shown around its own mean.",
)
assert found["one-sided"] > 0.9 * exact
assert found["penalty"] < 0.6 * exact

# %% [markdown]
# The usual penalty is caught. A straight line of slope one pays nothing, and sees no more than the
# distance of the means. To fold it into a valley, the slope has to pass through zero at points
# between independent pairs, and there it costs the most (`wasserstein.independent_pairs`). A
# smaller $\lambda$ gets over that, and the one-sided penalty never asks for it.
#
# The bound by singular values is far above the largest slope of the first three: a product of
# bounds is only as good as its worst case.
#
# ## Why does a penalised critic report too much?
#
# All data at $\theta$, all samples at 0, so $W_1 = \theta$. With the penalty the best slope is
# larger than one, and what the critic sees minus what it pays is the right side of
#
# {{ wasserstein.penalty_bias }}
#
# A network trained on this for different $\lambda$:

# %%
theta = 1.5


def points(n):
    return torch.full((n, 1), theta), torch.zeros(n, 1)


print("lambda    slope, found and predicted    sees less pays, found and predicted")
for weight in (0.5, 1.0, 2.0, 10.0):
    critic = train(layers(1, 1), points, 250, penalty=weight)
    real, fake = points(2)
    with torch.no_grad():
        slope = ((critic(real) - critic(fake)) / theta).mean().item()
    pays = gradient_penalty(critic, *points(1000), weight=weight, generator=generator).item()
    net = slope * theta - pays
    predicted = 1 + theta / (2 * weight), theta + theta**2 / (4 * weight)
    print(f"{weight:6.1f}{slope:12.3f}{predicted[0]:10.3f}{net:18.3f}{predicted[1]:12.3f}")
    assert abs(slope - predicted[0]) < 0.1 * predicted[0]
    assert net < predicted[1] + 1e-4

# %% [markdown]
# ## Penalty or clipping: where do samples go?
#
# The simplest generator: 256 free points, each of which moves up the critic's slope
# (`wasserstein.generator_gradient`). Data are eight clusters on a ring, the points start in the
# middle. After each move the critic takes five steps of its own. The ruler is the exact $W_1$ from
# fresh data.

# %%
ring = GaussianMixture.ring(8, radius=2.0, std=0.12)
fresh = ring.sample(256, generator=generator, stratified=True)
begin = 0.3 * normal(256, 2)


def move(moves=200, **options):
    cloud = begin.clone().requires_grad_()
    critic = layers(2, 2)
    adam = torch.optim.Adam([cloud], lr=0.1, betas=(0.5, 0.9))
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(adam, moves)
    own = optimiser(critic, 2e-3)
    history = [wasserstein(cloud.detach(), fresh, 1).item()]
    for step in range(moves):
        for _ in range(5):
            real = ring.sample(256, generator=generator)
            critic_step(critic, own, real, cloud.detach(), **options)
        adam.zero_grad()
        generator_loss(critic(cloud)).backward()
        adam.step()
        slower.step()
        if step % 10 == 9:
            history.append(wasserstein(cloud.detach(), fresh, 1).item())
    return cloud.detach(), history


runs = {
    "one-sided": move(penalty=10.0, one_sided=True),
    "penalty": move(penalty=10.0),
    "clip 0.1": move(clip=0.1),
    "clip 0.01": move(clip=0.01),
}
floor = wasserstein(ring.sample(256, generator=generator, stratified=True), fresh, 1).item()
colors = dict(zip(runs, (BLUE, GREEN, ORANGE, PURPLE), strict=True))
panels = [axes(2.9, 2.6, title="exact W1 from the data")]
for (name, (_, history)), lift in zip(runs.items(), (0, -0.04, 0.06, 0), strict=True):
    panels[0].plot([10 * i for i in range(len(history))], history, color=colors[name])
    panels[0].text(204, history[-1] + lift, name, color=colors[name], fontsize=9, va="center")
panels[0].axhline(floor, color=INK, lw=0.6, ls=":")
panels[0].set(xlabel="moves", xlim=(0, 270), ylim=(0, None), xticks=[0, 100, 200])
for name in ("one-sided", "clip 0.1"):
    panel = axes(2.3, 2.6, title=name)
    panel.plot(*fresh.T, ".", color=INK, markersize=2)
    panel.plot(*runs[name][0].T, ".", color=colors[name], markersize=3)
    panel.set(xlim=(-2.8, 2.8), ylim=(-2.8, 2.8), aspect="equal", xticks=[], yticks=[])
    panels.append(panel)
figure(
    *panels,
    alt="W1 against moves for four critics; the one with a one-sided penalty falls lowest, the "
    "one clipped at 0.01 not at all. Two clouds of points over eight clusters.",
    caption="Dotted line: the distance of two sets of data. Black: data. Coloured: the points.",
)

# %%
for name, (_, history) in runs.items():
    print(f"{name:12s} W1 at the end {history[-1]:.3f}")
print(f"{'the data':12s}               {floor:.3f}")
ends = {name: history[-1] for name, (_, history) in runs.items()}
assert ends["one-sided"] < 0.3 * runs["one-sided"][1][0]
assert ends["one-sided"] < 0.6 * min(end for name, end in ends.items() if name != "one-sided")
assert ends["clip 0.01"] > 0.9 * runs["clip 0.01"][1][0]

# %% [markdown]
# With weights of at most 0.01 three layers are all but linear, and a linear critic sees only where
# the mean is, which is right from the start. One network, one seed and one learning rate each: the
# ranking of the two in the middle may well be another one elsewhere.
#
# ## What does smoothness cost?
#
# Sinkhorn's plans for the two histograms, for the squared distance. A large $\varepsilon$ is quick
# and blurred; a small one is sharp and slow. The plan's own cost never undercuts the exact one, and
# the excess is below $\varepsilon$ times the divergence of the exact plan
# (`wasserstein.entropic_bias`).

# %%
costs = pairwise_costs(grid, grid)
sharp = transport_plan(costs, p, q)
apart = torch.outer(p, q)
room = torch.special.xlogy(sharp.plan, sharp.plan / apart).sum()
print(f"exact cost {sharp.cost:.5f}\n\nepsilon    cost    excess     bound     steps    error")
plans = {}
for epsilon in (2.0, 0.5, 0.1, 0.03, 0.01):
    smooth = sinkhorn(costs, epsilon, p, q, steps=100_000)
    plans[f"{epsilon:g}"] = smooth.plan
    excess = smooth.cost - sharp.cost
    print(f"{epsilon:7.2f}{smooth.cost:9.5f}{excess:9.5f}{epsilon * room:10.5f}"
          f"{smooth.steps:9d}   {smooth.error:.1e}")  # fmt: skip
    assert -1e-5 < excess < epsilon * room
plans["0"] = sharp.plan
panels = []
for epsilon in ("2", "0.1", "0"):
    panel = axes(2.3, 2.4, title=f"ε = {epsilon}")
    panel.imshow(
        plans[epsilon], extent=(-3, 3, -3, 3), origin="lower", cmap=ramp(BLUE), vmin=0,
        vmax=plans[epsilon].max().item() / 2, interpolation="none",
    )  # fmt: skip
    panel.set(xlabel="to", ylabel="from", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    panels.append(panel)
figure(
    *panels,
    alt="Plans between the two histograms as pictures: a broad cloud for epsilon 2, a soft curve "
    "for 0.1, a thin rising staircase for 0.",
    caption="From spread out to sharp; 0 is the linear program, a staircase.",
)

# %% [markdown]
# What an early stop would have reported: the same steps, without asking for convergence.

# %%
print("steps     cost    error of the marginals")
for steps in (1, 3, 10, 100, 1000):
    early = sinkhorn(costs, 0.03, p, q, tolerance=None, steps=steps)
    print(f"{steps:5d}{early.cost:9.4f}{early.error:12.4f}")
assert early.error < 0.1

# %% [markdown]
# ## How far apart are two samples of one density?
#
# Not at all, one would like to hear. But the distance between *samples* is positive, and in many
# dimensions it falls slowly: a sample of a normal density against another one.

# %%
sizes = [32, 64, 128, 256, 512]
panel = axes(width=4.2, height=2.8, title="mean W1 between two samples of one density")
for d, color in ((1, BLUE), (2, ORANGE), (5, GREEN), (10, PURPLE)):
    distance, repeats = (
        (wasserstein, 6) if d > 1 else (lambda a, b, _: wasserstein_1d(a[:, 0], b[:, 0], 1), 200)
    )
    row = [
        sum(distance(normal(n, d), normal(n, d), 1).item() for _ in range(repeats)) / repeats
        for n in sizes
    ]
    rate = math.log(row[0] / row[-1]) / math.log(sizes[-1] / sizes[0])
    print(f"d = {d:2d}: " + " ".join(f"{value:.3f}" for value in row) + f"   like n^-{rate:.2f}")
    panel.loglog(sizes, row, "o-", color=color, markersize=4)
    panel.text(sizes[-1] * 1.1, row[-1], f"d = {d}", color=color, fontsize=9, va="center")
    assert rate < 0.65 if d == 1 else rate < 0.5
panel.minorticks_off()
panel.set(xlabel="n", xlim=(28, 900))
panel.set_xticks(sizes, [str(n) for n in sizes])
panel.set_yticks([2, 1, 0.5, 0.2, 0.1], ["2", "1", "0.5", "0.2", "0.1"])
figure(
    panel,
    alt="Mean distance of two samples against their size for four dimensions; the lines are "
    "flatter the more dimensions there are.",
    caption="In ten dimensions sixteen times the data takes away a quarter of the distance.",
)

# %% [markdown]
# ## References
#
# - [@arjovsky2017wasserstein]: parallel lines, clipping.
# - [@gulrajani2017improved]: the gradient penalty.
# - [@miyato2018spectral]: layers divided by their singular values.
# - [@cuturi2013sinkhorn]: entropic transport.
