# %% [markdown]
# # Laboratory: Normalizing flows
#
# Six questions about the chapter's results. The data are the two moons, whose density is known
# exactly, so that every model can be compared with the truth: no flow can have a lower mean
# negative log-likelihood than the entropy.

# %%
import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure, ramp
from genmath.likelihood import bits_per_dim
from genmath.normalizing_flow import MAF, NSF, Flow, Glow, RealNVP
from genmath.toys import GaussianMixture, digits, moons, moons_density

truth = moons_density()
test = moons(10_000, generator=torch.Generator().manual_seed(9), stratified=True)
few = test[:2000]
best, best_of_few = (truth.log_prob(x.double()).mean().item() for x in (test, few))
side = torch.linspace(-3, 3, 80)
places = torch.cartesian_prod(side, side)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def train(model, draw, steps, rate=5e-3):
    """Maximum likelihood; the gap to the truth on the way."""
    flow, generator, gaps = Flow(model), rng(1), []
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        if step % 100 == 0 and draw is moons:
            with torch.no_grad():
                gaps.append(best_of_few - flow.log_prob(few).mean().item())
        optimizer.zero_grad()
        (-flow.log_prob(draw(256, generator=generator)).mean()).backward()
        optimizer.step()
        schedule.step()
    return gaps


# %% [markdown]
# ## Affine couplings, splines and MAF on two moons
#
# The same number of steps for each. Printed is the KL divergence of the model from the truth, in
# nats: how much worse than the best possible log-likelihood it is, on fresh points
# (`normalizing_flow.maximum_likelihood`).

# %%
models = {
    "RealNVP, 6 layers": RealNVP(2, 6, hidden=32, generator=rng()),
    "NSF, 3 layers": NSF(2, 3, hidden=32, generator=rng()),
    "MAF, 4 layers": MAF(2, 4, hidden=32, generator=rng()),
}
colors = dict(zip(models, (ORANGE, BLUE, GREEN), strict=True))
curves, gaps = {}, {}
for name, model in models.items():
    curves[name] = train(model, moons, 700)
    with torch.no_grad():
        gaps[name] = best - Flow(model).log_prob(test).mean().item()
print(f"the best mean log-likelihood on these points: {best:.4f} nats")
for name, gap in gaps.items():
    print(f"{name:20s} gap {gap:.4f} nats")
assert gaps["NSF, 3 layers"] < 0.03 < 0.3
assert min(gaps.values()) > -0.005
panels = []
for name, density in (
    ("the truth", truth.log_prob(places.double()).exp()),
    *((name, Flow(model).log_prob(places).exp().detach()) for name, model in models.items()),
):
    panel = axes(2.6, 2.4, title=name)
    shades = {"levels": [0.01 + 0.04 * i for i in range(9)], "cmap": ramp(PURPLE), "extend": "max"}
    panel.contourf(side, side, density.reshape(80, 80).T, **shades)
    panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[], yticks=[])
    panels.append(panel)
figure(
    *panels,
    alt="Two crescents: the true density and those of three flows; that of splines is closest.",
    caption="Densities after 700 steps.",
)

# %%
panel = axes(4.6, 2.6, title="KL to the truth while training, in nats")
for name, curve in curves.items():
    panel.semilogy(range(0, 700, 100), [max(g, 1e-3) for g in curve], color=colors[name])
    panel.text(615, max(curve[-1], 1e-3), name, color=colors[name], fontsize=9, va="center")
panel.minorticks_off()
panel.set(xlabel="steps", xlim=(0, 850))
panel.set_yticks([0.01, 0.03, 0.1, 0.3], ["0.01", "0.03", "0.1", "0.3"])
figure(
    panel,
    alt="Three falling curves on a logarithmic axis.",
    caption="Measured every 100 steps on 2000 fresh points.",
)

# %% [markdown]
# ## Do the data look like noise?
#
# Maximum likelihood in the data is least KL in the noise. So the data, sent through a trained
# flow, must look standard normal: mean 0, variance 1, no correlation, and no more points far out
# than a bell has.

# %%
with torch.no_grad():
    z = models["NSF, 3 layers"](test).to
print("mean       ", " ".join(f"{v:7.3f}" for v in z.mean(0)))
print("variance   ", " ".join(f"{v:7.3f}" for v in z.var(0)))
print(f"correlation {torch.corrcoef(z.T)[0, 1]:7.3f}")
print(f"farther than 2: {(z.norm(dim=1) > 2).double().mean():.3f}, a bell has 0.135")
assert z.mean(0).abs().max() < 0.1
assert (z.var(0) - 1).abs().max() < 0.2

# %% [markdown]
# ## How exact is the way back?
#
# On paper $f^{-1}(f(x)) = x$. In the machine each layer rounds, and the way back multiplies
# rounding errors by how much it stretches. The largest error over 10 000 points, for three
# precisions:

# %%
print("                      float64   float32  bfloat16")
for name, model in models.items():
    errors = []
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        model.to(dtype)
        with torch.no_grad():
            x = test.to(dtype)
            errors.append((model.inverse(model(x).to).to - x).abs().max().item())
    model.float()
    print(f"{name:20s}" + "".join(f"{e:10.1e}" for e in errors))
    assert errors[0] < 1e-8

# %% [markdown]
# With bfloat16 a number has less than three digits, and a deep flow loses them. The
# log-likelihood of this library is summed in float32 at least; the maps themselves are only as
# exact as the numbers that come in. So flows are trained and inverted in float32 or better.
#
# ## Density or samples: what costs what?
#
# MAF computes all coordinates at once from $x$ to $z$ and one by one from $z$ to $x$. Counted is
# how often its network is called.

# %%
print("coordinates   density   samples (calls of the network of one layer)")
for d in (2, 8, 32):
    maf, calls = MAF(d, 1, generator=rng()), []
    hook = maf.parts[0].net.register_forward_hook(lambda *_, calls=calls: calls.append(1))
    with torch.no_grad():
        drawn = Flow(maf).sample((50,), generator=rng())
        back = len(calls)
        Flow(maf).log_prob(drawn)
    print(f"{d:11d}{len(calls) - back:10d}{back:10d}")
    assert back == d
    assert len(calls) - back == 1

# %% [markdown]
# ## Two modes, and the bridge between them
#
# The noise is in one piece, and an invertible map keeps pieces. So there is always a way from one
# mode to the other along which the density of the flow is not zero. How much of the probability
# lies on the bridge? We count samples that are farther than five standard deviations from both
# modes: of the true density there are next to none.

# %%
modes = GaussianMixture([0.5, 0.5], [[-1.8, 0.0], [1.8, 0.0]], std=0.2)
print("steps    on the bridge")
for steps in (100, 400):
    model = NSF(2, 3, hidden=32, generator=rng())
    train(model, modes.sample, steps)
    with torch.no_grad():
        x = Flow(model).sample((20_000,), generator=rng(2)).double()
    far = torch.stack([(x - mode).norm(dim=1) for mode in modes.means]).amin(0) > 1.0
    print(f"{steps:5d}{far.double().mean():13.4f}")
    assert far.any()
with torch.no_grad():
    learned = Flow(model).log_prob(places).reshape(80, 80).T
panel = axes(3.4, 3.0, title="log-density, and samples")
panel.contourf(
    side, side, learned.clamp(min=-13.9), levels=[-14 + 2 * i for i in range(9)], cmap=ramp(PURPLE)
)
panel.plot(*x[:2000].T, ".", color=INK, markersize=1.2)
panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[], yticks=[])
figure(
    panel,
    alt="Two round clusters joined by a thin band of small density, with a few samples on it.",
    caption="The bridge gets thinner with training and never disappears.",
)

# %% [markdown]
# ## Images
#
# Glow on digits of 8 × 8 pixels with 17 grey levels. A grey level is a whole number, and whole
# numbers have no density; so uniform noise is added to each, which makes the result a bound. In
# bits for each pixel: knowing nothing costs $\log_2 17 \approx 4.09$.

# %%
images = digits(low=0.0)
generator = rng(3)


def noisy(x):
    """Levels 0..16 with uniform noise, in units that the flow likes."""
    return (x * 16 + torch.rand(x.shape, generator=generator)) * SCALE - 2


SCALE = 4 / 17  # of one grey level
glow = Glow(1, 8, 2, 3, generator=rng())
flow, optimizer = Flow(glow), torch.optim.Adam(glow.parameters(), lr=2e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 200)
for _ in range(200):
    some = torch.randint(len(images.train), (128,), generator=generator)
    optimizer.zero_grad()
    (-flow.log_prob(noisy(images.train[some])).mean()).backward()
    torch.nn.utils.clip_grad_norm_(glow.parameters(), 50.0)
    optimizer.step()
    schedule.step()
with torch.no_grad():
    nats = -flow.log_prob(noisy(images.test)).mean()
    drawn = flow.sample((24,), generator=rng(1))
bits = bits_per_dim(nats, 64, width=SCALE).item()
print(f"on test digits: {bits:.2f} bits a pixel after 200 steps")
assert 2.0 < bits < 3.2
back = ((drawn + 2) / (SCALE * 16)).clamp(0, 1).reshape(2, 12, 8, 8)
framed = torch.nn.functional.pad(back, (1, 1, 1, 1))
panel = axes(6.0, 1.2, title="samples, as they are")
panel.imshow(
    framed.permute(0, 2, 1, 3).reshape(20, 120).numpy(),
    cmap=ramp(BLUE),
    vmin=0,
    vmax=1,
    interpolation="none",
)
panel.set(xticks=[], yticks=[])
panel.spines[:].set_visible(False)
figure(
    panel,
    alt="Twenty-four small images: strokes like those of digits, few of them legible.",
    caption="After 200 steps: strokes and gaps are learned, digits hardly.",
)

# %% [markdown]
# ## References
#
# - [@dinh2017density], [@durkan2019neural], [@papamakarios2017masked]: the three kinds of layers.
# - [@papamakarios2021normalizing]: a survey.
