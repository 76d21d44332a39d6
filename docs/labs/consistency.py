# %% [markdown]
# # Laboratory: Few steps and one
#
# Four questions about the chapter's results. The first uses flows that are known exactly. The
# others train small networks on the same data, and count calls: consistency models, a mean
# velocity, and an ordinary flow, whose sampler needs many.

# %%
import torch

from genmath.consistency import (
    ConsistencyModel,
    distillation_loss,
    line_flow_map,
    mean_flow_loss,
    normal_flow_map,
    sample,
    sample_mean_flow,
    training_loss,
)
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure
from genmath.flow_matching import cfm_loss
from genmath.nets import MLP
from genmath.paths import LinearPath
from genmath.samplers import Heun
from genmath.samplers import sample as run
from genmath.solvers import Adaptive, carry
from genmath.toys import GaussianMixture, digits
from genmath.wasserstein import wasserstein

generator = torch.Generator().manual_seed(0)
straight = LinearPath()

# %% [markdown]
# ## Is the end really the same from everywhere on the path?
#
# Two-peaked data on the line. The exact map (`consistency.line`) from the noise to the data,
# against a solver that follows the exact velocity; and from five points along one path.

# %%
mixture = GaussianMixture([0.4, 0.6], [-1.5, 1.0], std=0.2)
start = torch.linspace(-2, 2, 9, dtype=torch.float64)


def exact_velocity(x, t):
    return mixture.velocity(x, *straight.coefficients(t, x), *straight.derivatives(t, x))


exact = line_flow_map(start, 1.0, 0.0, mixture=mixture)
followed = carry(exact_velocity, start, Adaptive(1e-8, 1e-8), start=1.0, end=0.0)
print("noise   the map   the solver")
for row in zip(start.tolist(), exact.tolist(), followed.tolist(), strict=True):
    print("{:5.2f}   {:7.4f}      {:7.4f}".format(*row))
assert (exact - followed).abs().max() < 1e-4
for t in (0.9, 0.7, 0.5, 0.3, 0.1):
    on_the_way = line_flow_map(start, 1.0, t, mixture=mixture)
    again = line_flow_map(on_the_way, t, 0.0, mixture=mixture)
    assert (again - exact).abs().max() < 1e-8

# %% [markdown]
# The map agrees with the solver, which calls the velocity hundreds of times, and from every point
# of a path it leads to the same end.
#
# ## What does a coarse grid cost?
#
# `consistency.training_normal`: a consistency model that is trained with few steps makes samples
# that vary too little. A network with one slope a step, trained with its own loss on standard
# normal data, against the formula:

# %%


class Slopes(torch.nn.Module):
    """A slope for each time of the grid; 1 at the data."""

    def __init__(self, steps):
        super().__init__()
        self.free = torch.nn.Parameter(torch.ones(steps))

    def forward(self, x, t):
        table = torch.cat([torch.ones(1), self.free])
        return table[(t * len(self.free)).round().long()].unsqueeze(1) * x


print("steps   trained   formula")
for steps in (1, 2, 4, 16):
    model = Slopes(steps)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 500)
    for _ in range(500):
        optimiser.zero_grad()
        training_loss(
            model, torch.randn(256, 1, generator=generator), steps=steps, generator=generator
        ).backward()
        optimiser.step()
        schedule.step()
    formula = 1.0
    for i in range(1, steps + 1):
        t, s = i / steps, (i - 1) / steps
        formula *= ((1 - s) * (1 - t) + s * t) / ((1 - t) ** 2 + t**2)
    trained = model.free[-1].item()
    print(f"{steps:5d}   {trained:7.3f}   {formula:7.3f}")
    assert abs(trained - formula) < 0.04
ones = torch.ones(1)
assert torch.equal(normal_flow_map(ones, 1.0, 0.0), ones)

# %% [markdown]
# The exact map multiplies by 1: the flow of standard normal data returns every point to where it
# began. With one step all samples are 0; with sixteen 8 % of the standard deviation is missing.
#
# ## One call, two, four
#
# Eight Gaussians in the plane, the same number of training steps for four networks of one size:
# the velocity, by flow matching; the end of the path, distilled from the exact velocity, and the
# same without a teacher; and the mean velocity, by MeanFlow. The distance is $W_2$, exact,
# between 400 samples and 400 data points; the exact flow from the same noise has one, too.

# %%
ring = GaussianMixture.ring()
STEPS = 1000


def trained(parameters, loss, lr=2e-3):
    optimiser = torch.optim.Adam(parameters, lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss(ring.sample(256, generator=generator)).backward()
        optimiser.step()
        schedule.step()


field = MLP(2, hidden=96, layers=3, activation=torch.nn.SiLU, generator=generator)
trained(field.parameters(), lambda x0: cfm_loss(field, x0, generator=generator))


def ring_velocity(x, t):
    return ring.velocity(x, *straight.coefficients(t, x), *straight.derivatives(t, x))


def consistency_model():
    net = MLP(2, hidden=96, layers=3, activation=torch.nn.SiLU, generator=generator)
    return ConsistencyModel(net)


taught, alone = consistency_model(), consistency_model()
trained(
    taught.parameters(),
    lambda x0: distillation_loss(taught, x0, teacher=ring_velocity, steps=8, generator=generator),
    lr=5e-3,
)
trained(
    alone.parameters(),
    lambda x0: training_loss(alone, x0, steps=16, generator=generator),
    lr=5e-3,
)

chord_net = MLP(3, hidden=96, layers=3, out=2, activation=torch.nn.SiLU, generator=generator)


def chord(x, s, t):
    return chord_net(torch.cat([x, (t - s).unsqueeze(1)], 1), t)


trained(chord_net.parameters(), lambda x0: mean_flow_loss(chord, x0, generator=generator))

# %%
data = ring.sample(400, generator=generator, stratified=True)
noise = torch.randn(400, 2, generator=generator)


def distance(samples):
    return wasserstein(samples, data).item()


found = {name: {} for name in ("flow, Heun", "distilled", "no teacher", "mean velocity")}
for steps in (1, 2, 4, 8, 25):
    samples = run(
        field, (400, 2), straight, Heun(), steps=steps, prediction="velocity", start=noise
    )
    found["flow, Heun"][2 * steps] = distance(samples)
for calls in (1, 2, 4):
    fresh = None if calls == 1 else generator
    for name, model in (("distilled", taught), ("no teacher", alone)):
        samples = sample(model, (400, 2), steps=calls, start=noise, generator=fresh)
        found[name][calls] = distance(samples)
    samples = sample_mean_flow(chord, (400, 2), steps=calls, start=noise)
    found["mean velocity"][calls] = distance(samples)
for name, row in found.items():
    print(f"{name:14s}", *(f"{calls}: {value:.3f}  " for calls, value in row.items()))
floor = distance(carry(ring_velocity, noise.double(), start=1.0, end=0.0).float())
print(f"the exact flow: {floor:.3f}")
for name in ("distilled", "no teacher", "mean velocity"):
    assert found[name][1] < 0.6 * found["flow, Heun"][2]
assert found["flow, Heun"][50] < 2 * floor

# %%
panel = axes(width=4.6, height=2.6, title="W2 to the data, against calls")
for (name, row), color in zip(found.items(), (INK, ORANGE, PURPLE, BLUE), strict=True):
    panel.loglog(list(row), list(row.values()), "o-", color=color, markersize=4, label=name)
panel.axhline(floor, color=GREEN, lw=0.8, ls=":")
panel.legend(frameon=False, fontsize=9)
panel.set(xlabel="calls of the network")
panel.set_xticks([1, 2, 4, 8, 16, 50], ["1", "2", "4", "8", "16", "50"])
panel.set_yticks([0.2, 0.4, 0.8], ["0.2", "0.4", "0.8"])
panel.minorticks_off()
panels = [panel]
for title, samples in (
    (
        "flow, 2 calls",
        run(field, (400, 2), straight, Heun(), steps=1, prediction="velocity", start=noise),
    ),
    ("distilled, 1", sample(taught, (400, 2), start=noise)),
    ("mean velocity, 1", sample_mean_flow(chord, (400, 2), start=noise)),
):
    dots = axes(width=2.1, height=2.1, title=title)
    dots.plot(*data.T, "o", color=INK, markersize=1)
    dots.plot(*samples.T, "o", color=ORANGE, markersize=1.4)
    dots.set(xticks=[], yticks=[], xlim=(-2.4, 2.4), ylim=(-2.4, 2.4), aspect="equal")
    panels.append(dots)
figure(
    *panels,
    alt="Error against calls for four models: the flow's falls steeply from two calls to eight, "
    "those of the others start low and stay. Below, samples over eight clusters of data.",
    caption="Samples over data (dark). In one call the few-step models reach the ring of clusters, "
    "with samples between them; two calls of the flow stay in the middle. Dotted: the exact flow.",
)

# %% [markdown]
# In one or two calls the few-step models are far better than the flow; with eight calls the flow
# is as good as the exact one. What the others learned at training, a solver finds out at
# sampling. More calls with fresh noise bring the distilled model a little, and the one without a
# teacher hardly anything: each call adds the network's own error again. Between the clusters lie
# samples that should not be there: the exact end is a steep function there
# (`consistency.distillation_error` has its slope in it), and the network is not steep enough.
# Without a teacher the targets scatter (`consistency.training_target`), and the same number of
# training steps brings less.
#
# ## Digits in one call
#
# The same on images: the digits of scikit-learn, by a mean velocity. No exact truth is known
# here; look at them.

# %%
images = digits().train.flatten(1)
big = MLP(65, hidden=256, layers=3, out=64, activation=torch.nn.SiLU, generator=generator)


def picture_chord(x, s, t):
    return big(torch.cat([x, (t - s).unsqueeze(1)], 1), t)


optimiser = torch.optim.Adam(big.parameters(), lr=1e-3)
for step in range(500):
    x0 = images[torch.randint(len(images), (128,), generator=generator)]
    optimiser.zero_grad()
    loss = mean_flow_loss(picture_chord, x0, generator=generator)
    loss.backward()
    optimiser.step()
    if step % 200 == 199:
        print(f"step {step + 1}: loss {loss.item():.2f}")

# %%
rows = []
begin = torch.randn(12, 64, generator=generator)
for calls in (1, 2, 4, 16):
    made = sample_mean_flow(picture_chord, (12, 64), steps=calls, start=begin)
    rows.append(made.reshape(12, 8, 8))
    assert made.isfinite().all()
panels = []
for calls, row in zip((1, 2, 4, 16), rows, strict=True):
    panel = axes(width=6.2, height=0.75, title=f"{calls} call{'s' * (calls > 1)}")
    strip = torch.cat([torch.nn.functional.pad(image, (1, 1), value=-1.0) for image in row], 1)
    panel.imshow(strip, cmap="gray_r", vmin=-1, vmax=1, aspect="equal")
    panel.axis("off")
    panels.append(panel)
figure(
    *panels,
    alt="Four rows of small grey pictures of digits, the same twelve in each; the more calls, the "
    "sharper.",
    caption="Twelve noises, carried to data by a mean velocity in 1, 2, 4 and 16 calls.",
)

# %% [markdown]
# One network answers for every number of calls. After so short a training the pictures are rough;
# a few calls make the strokes firmer, and the digit is decided in the first.
