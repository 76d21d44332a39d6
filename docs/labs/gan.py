# %% [markdown]
# # Laboratory: Generative adversarial networks
#
# Five questions about the chapter's results, and a pair of networks for images. Where both
# densities are known, so is the best discriminator, the value of the game and every gradient: what
# is learned stands beside what is exact.

# %%
import math

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from genmath.divergences import js, kl
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure
from genmath.gan import (
    GAN,
    bilinear_orbit,
    discriminator_loss,
    generator_loss,
    missing_mode_js,
    optimal_discriminator,
    slerp,
    training_step,
)
from genmath.nets import MLP, Discriminator, Generator
from genmath.toys import GaussianMixture, digits

generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## Does a discriminator learn the ratio of two densities?
#
# Data from three bumps, samples from one wide bell. Both densities are known, so the best logit is
# known everywhere: it is the log-ratio (`gan.optimal_discriminator[logit]`). A network that only
# ever sees samples is trained with `genmath.gan.discriminator_loss`.


# %%
def learn(data, made, steps):
    """A network that has learned to tell samples of two mixtures apart; they hold still."""
    dim = math.prod(data.event)
    net = MLP(dim, 64, 2, time=False, out=1, generator=generator)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3, fused=True)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        x, y = (
            mixture.sample(512, generator=generator).reshape(-1, dim) for mixture in (data, made)
        )
        optimizer.zero_grad()
        discriminator_loss(net(x), net(y)).backward()
        optimizer.step()
        decay.step()
    return net.requires_grad_(False)


def exact_logit(data, made, x):
    return data.log_prob(x) - made.log_prob(x)


def report(data, made, net):
    """Learned and exact on fresh samples: loss, and distance of D."""
    x, y = (mixture.sample(100_000, generator=generator) for mixture in (data, made))
    loss = discriminator_loss(net(x), net(y))
    least = discriminator_loss(exact_logit(data, made, x), exact_logit(data, made, y))
    both = torch.cat([x, y])
    best = optimal_discriminator(data.log_prob(both), made.log_prob(both))
    rms = (torch.sigmoid(net(both)).squeeze(1) - best).pow(2).mean().sqrt()
    print(f"loss learned {loss:.4f}, of the exact ratio {least:.4f}")
    print(f"distance of D from the best (rms over data and samples): {rms:.4f}")
    assert loss > least - 0.002  # nothing beats the best, but for the noise of the average
    return least


bumps = GaussianMixture([0.5, 0.3, 0.2], [[-2.0], [0.5], [2.5]], std=0.4)
bell = GaussianMixture([1.0], [[0.0]], std=1.5)
net = learn(bumps, bell, 1200)
least = report(bumps, bell, net)

# %% [markdown]
# The value of the game is minus the least loss, and that is $-\log 4$ plus twice Jensen–Shannon
# (`gan.minimax_value`). The average over samples and a sum over a fine grid agree.

# %%
grid = torch.linspace(-9, 9, 20_001, dtype=torch.float64).unsqueeze(1)
width = 18 / 20_000
p, q = (mixture.log_prob(grid).exp() * width for mixture in (bumps, bell))
print(f"Jensen–Shannon on a grid       {js(p, q):.4f}")
print(f"(log 4 − least loss)/2         {(math.log(4) - least) / 2:.4f}")
assert abs(js(p, q) - (math.log(4) - least) / 2) < 0.003

left, right = axes(title="D, learned and exact"), axes(title="the logit")
x = torch.linspace(-7, 7, 400).unsqueeze(1)
exact, learned = exact_logit(bumps, bell, x), net(x).squeeze(1)
for panel, f in ((left, torch.sigmoid), (right, lambda a: a)):
    panel.plot(x, f(exact), color=INK, lw=1)
    panel.plot(x, f(learned), color=ORANGE, lw=1.5)
    panel.set(xlabel="x")
left.fill_between(x.squeeze(1), bumps.log_prob(x).exp(), color=BLUE, alpha=0.25, lw=0)
left.fill_between(x.squeeze(1), bell.log_prob(x).exp(), color=GREEN, alpha=0.25, lw=0)
left.text(-5.4, 0.4, "data", color=BLUE, fontsize=9)
left.text(-7, 0.06, "samples", color=GREEN, fontsize=9)
right.set(ylim=(-40, 12))
right.text(-3.5, -30, "exact", color=INK, fontsize=9)
right.text(3.2, 4, "learned", color=ORANGE, fontsize=9)
figure(
    left,
    right,
    alt="Left: the learned probability follows the exact one over three bumps, also far out where "
    "it is near zero. Right: the learned logit follows the exact one where there are samples, and "
    "runs straight where the exact one bends down.",
    caption="Both logits agree where data or samples occur. Elsewhere the loss is silent.",
)

# %% [markdown]
# In the tails the exact log-ratio is a parabola and the network's is a straight line. Neither data
# nor samples are there, so this costs nothing; but a generator that strayed there would follow it.
#
# The same in the plane: five bumps on a ring against one bell.

# %%
ring5 = GaussianMixture.ring(5, radius=1.5, std=0.25)
round_bell = GaussianMixture([1.0], [[0.0, 0.0]], std=1.2)
plane = learn(ring5, round_bell, 1200)
report(ring5, round_bell, plane)
ticks = torch.linspace(-3, 3, 61)
points = torch.cartesian_prod(ticks, ticks)
panels = []
for name, value in (
    ("exact", optimal_discriminator(ring5.log_prob(points), round_bell.log_prob(points))),
    ("learned", torch.sigmoid(plane(points)).squeeze(1)),
):
    panel = axes(3.0, 2.6, title=name)
    shown = panel.imshow(
        value.reshape(61, 61).T, origin="lower", extent=(-3, 3, -3, 3), vmin=0, vmax=1,
        cmap="viridis",
    )  # fmt: skip
    panel.set(xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    panels.append(panel)
panel.figure.colorbar(shown, ax=panel, ticks=[0, 0.5, 1])
figure(
    *panels,
    alt="Two maps of D over the plane: five round spots on a ring near one, zero elsewhere. The "
    "learned map has the same spots with slightly softer edges.",
    caption="The probability of being data.",
)

# %% [markdown]
# ## Where do the generator's gradients vanish?
#
# Data $\mathcal N(0, 1)$, samples $\mathcal N(\mu, 1)$, and the best discriminator for each
# $\mu$, *held fixed* while the samples' density moves. All is summed on a grid, in float64. The
# chapter says what these gradients are (`gan.frozen_gradient`); the last column is the gradient of
# the *substituted* loss, which no generator follows.

# %%
line = torch.linspace(-20, 32, 8001, dtype=torch.float64)
spacing = 52 / 8000


def log_normal(mean):
    return -((line - mean) ** 2) / 2 - math.log(2 * math.pi) / 2


def loss_by_density(mu, held_at, loss):
    """The generator's loss for samples at mu, against the best discriminator for `held_at`."""
    logit = log_normal(0.0) - log_normal(held_at)
    each = -torch.nn.functional.softplus(logit) if loss == "minimax" else (
        torch.nn.functional.softplus(-logit)
    )  # fmt: skip
    return (log_normal(mu).exp() * each * spacing).sum()


def slope(f, at):
    mu = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(f(mu), mu)[0].item()


def js_at(mu):
    return js(log_normal(0.0).exp() * spacing, log_normal(mu).exp() * spacing)


def kl_at(mu):
    return kl(log_normal(mu).exp() * spacing, log_normal(0.0).exp() * spacing)


shifts = [0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0]
table = []
print("   μ     minimax    non-saturating   substituted")
for at in shifts:
    flat = slope(lambda mu, at=at: loss_by_density(mu, at, "minimax"), at)
    steep = slope(lambda mu, at=at: loss_by_density(mu, at, "non_saturating"), at)
    other = slope(lambda mu: loss_by_density(mu, mu, "non_saturating"), at)
    table.append((flat, steep, other))
    print(f"{at:5.2f}   {flat:10.2e}   {steep:10.4f}   {other:10.4f}")
    assert abs(flat - slope(lambda mu: 2 * js_at(mu), at)) < 1e-9
    assert abs(steep - slope(lambda mu: kl_at(mu) - 2 * js_at(mu), at)) < 1e-9
panel = axes(4.4, 2.8, title="slope in μ, discriminator held fixed")
for column, (name, color) in enumerate((("minimax", ORANGE), ("non-saturating", BLUE))):
    panel.semilogy(shifts, [row[column] for row in table], "o-", color=color, markersize=4)
    panel.text(shifts[-1] + 0.2, table[-1][column], name, color=color, fontsize=9, va="center")
panel.set(xlabel="distance μ of the samples from the data", xlim=(0, 11.5), xticks=[0, 2, 4, 6, 8])
figure(
    panel,
    alt="On a logarithmic axis the slope of the minimax loss rises to a distance of two and then "
    "falls, to less than a thousandth at eight; that of the non-saturating loss keeps rising.",
    caption="Confident rejection: one loss goes flat, the other pulls harder.",
)

# %% [markdown]
# The minimax slope is that of $2\,\mathrm{JS}$, which cannot exceed $2\log 2$ and so must flatten.
# The non-saturating one is that of $\mathrm{KL}(q \Vert p) - 2\,\mathrm{JS}$, far out close to
# $\mu$. Near $\mu = 0$ both are about $\mu/2$: the KL pulls with $\mu$, and $-2\,\mathrm{JS}$
# pushes back with half of that. The substituted loss has yet another slope.
#
# The ratio of the two weights is $\exp(-a)$ (`gan.logit_losses[ratio]`), and by the logit it can be
# computed where $D$ itself is 0 in floating point.

# %%
print("logit    D in float32   slope of minimax   slope of non-saturating")
for a in (-2.0, -20.0, -80.0, -100.0):
    logit = torch.tensor([a], requires_grad=True)
    flat, steep = (
        torch.autograd.grad(generator_loss(logit, loss), logit)[0].item()
        for loss in ("minimax", "non_saturating")
    )
    print(f"{a:6.0f}   {torch.sigmoid(logit).item():10.1e}   {flat:14.1e}   {steep:18.4f}")
    assert -1.001 < steep < -0.85

# %% [markdown]
# ## What does it cost to miss a mode?
#
# A perfect generator of a part of the data. By `gan.missing_mode` the price depends on the share of
# the part alone, not on where the rest is.

# %%
kept = torch.linspace(0.001, 1, 400, dtype=torch.float64)
panel = axes(4.4, 2.8, title="the price of making only a part")
for name, value, color, at in (
    ("reverse KL", -kept.log(), BLUE, (0.2, 1.75)),
    ("total variation", 1 - kept, GREEN, (0.03, 1.04)),
    ("Jensen–Shannon", missing_mode_js(kept), ORANGE, (0.03, 0.14)),
):
    panel.plot(kept, value, color=color)
    panel.text(*at, name, color=color, fontsize=9)
panel.set(ylim=(0, 2.2), xlabel="share of the data that the generator makes")
figure(
    panel,
    alt="Three curves that fall to zero as the share goes to one. The reverse KL is highest, then "
    "total variation, then Jensen-Shannon, which never exceeds log 2.",
    caption="The forward KL, that of maximum likelihood, is infinite for every share below one.",
)

# %%
mixed = GaussianMixture([0.9, 0.1], [[0.0], [40.0]], std=1.0)
axis = torch.linspace(-10, 50, 60_001, dtype=torch.float64).unsqueeze(1)
made = GaussianMixture([1.0], [[0.0]], std=1.0)
p, q = (mixture.log_prob(axis).exp() * 1e-3 for mixture in (mixed, made))
ninety = missing_mode_js(torch.tensor(0.9, dtype=torch.float64))
print(f"nine tenths made: JS {js(p, q):.6f} on a grid, {ninety:.6f} by the formula")
assert abs(js(p, q) - ninety) < 1e-9

# %% [markdown]
# ## Collapse, and what helps
#
# Eight narrow bumps on a ring. The generator learns three times as fast as the discriminator and
# Adam has much momentum ($\beta_1 = 0.9$): this invites trouble. Two runs differ in one thing,
# the R1 penalty of `gan.remedies` with $\gamma = 1$. In both an exponential moving average of the
# generator's weights is kept beside it.

# %%
ring = GaussianMixture.ring(8, radius=2.0, std=0.05)
codes = torch.randn(2000, 2, generator=generator)


def run(gamma, steps=2000):
    """Samples of the generator and of its average, on the way."""
    nets = torch.Generator().manual_seed(0)
    gan = GAN(
        MLP(2, 64, 2, time=False, generator=nets),
        MLP(2, 64, 2, time=False, out=1, generator=nets),
        2,
    )
    d, g = (
        torch.optim.Adam(net.parameters(), lr, betas=(0.9, 0.99), fused=True)
        for net, lr in ((gan.discriminator, 1e-3), (gan.generator, 3e-3))
    )
    average = AveragedModel(gan.generator, multi_avg_fn=get_ema_multi_avg_fn(0.99))
    seen = {"last": [], "average": []}
    for step in range(1, steps + 1):
        x = ring.sample(128, generator=nets)
        training_step(gan, x, d, g, gamma=gamma, average=average, generator=nets)
        if step % (steps // 4) == 0:
            with torch.no_grad():
                seen["last"].append(gan.generator(codes))
                seen["average"].append(average(codes))
    return seen


def quality(x):
    """Share of samples within four standard deviations of a bump, and bumps with one in 100."""
    near = torch.cdist(x, ring.means.float()).min(1)
    good = near.values < 0.2
    share = torch.bincount(near.indices[good], minlength=8) / len(x)
    return good.float().mean().item(), int((share > 0.01).sum())


runs = {"no penalty": run(0.0), "R1": run(1.0)}
print("                         share on a bump, and bumps reached, after")
print("                     500        1000       1500       2000 steps")
for name, seen in runs.items():
    for weights, rows in seen.items():
        cells = "   ".join("{:4.0%} {:2d} ".format(*quality(x)) for x in rows)
        print(f"{name:11s} {weights:8s} {cells}")
panels = []
for name, x in (
    ("no penalty", runs["no penalty"]["last"][-1]),
    ("R1", runs["R1"]["last"][-1]),
    ("R1, averaged weights", runs["R1"]["average"][-1]),
):
    panel = axes(2.2, 2.3, title=name)
    panel.plot(*ring.sample(400, generator=generator).T, "o", color=INK, markersize=1.5)
    panel.plot(*x[:1000].T, "o", color=ORANGE, markersize=1.5)
    panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    panels.append(panel)
figure(
    *panels,
    alt="Three scatter plots with eight black bumps. Without penalty the orange samples are a wide "
    "cloud beside most bumps; with R1 they lie on the ring; with averaged weights, closer to it.",
    caption="Data (black) and samples (orange) at the end.",
)

# %% [markdown]
# Without the penalty the samples never settle: at none of the four moments is the ring covered.
# With it they do from 1000 steps on, and the average of the weights, which smooths the chase of the
# two players out, then puts more samples on the bumps than the generator itself. This is one seed
# of one small network; the numbers show what *can* happen and no more.
#
# ## The bilinear game
#
# The same in its smallest form, with exact answers (`gan.simultaneous_steps`,
# `gan.alternating_steps`, `gan.remedies`).

# %%
eta = 0.3
orbits = {
    "at once": bilinear_orbit(1.0, 0.0, steps=25, eta_x=eta),
    "in turn": bilinear_orbit(1.0, 0.0, steps=60, eta_x=eta, kind="alternating"),
    "looking ahead": bilinear_orbit(1.0, 0.0, steps=60, eta_x=eta, kind="extragradient"),
    "with friction": bilinear_orbit(1.0, 0.0, steps=60, eta_x=eta, friction=0.6),
}
colors = dict(zip(orbits, (ORANGE, BLUE, GREEN, PURPLE), strict=True))
panels = []
for names in (("at once", "in turn"), ("looking ahead", "with friction")):
    panel = axes(3.0, 3.0)
    for name in names:
        panel.plot(*orbits[name].T, "o-", color=colors[name], markersize=2.5, lw=0.8, label=name)
    panel.plot(0, 0, "+", color=INK)
    panel.legend(frameon=False, fontsize=9, loc="upper left")
    panel.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xlabel="x", ylabel="y")
    panels.append(panel)
figure(
    *panels,
    alt="Left: steps at once spiral outwards, steps in turn stay on an ellipse. Right: looking "
    "ahead and friction spiral into the origin.",
    caption="Two players from the same start, step size 0.3. The equilibrium is the cross.",
)

# %%
sizes = {name: orbit.norm(dim=1) for name, orbit in orbits.items()}
growth = sizes["at once"][1:] / sizes["at once"][:-1]
print(f"at once: each step multiplies the distance by {growth.min():.6f} to {growth.max():.6f}")
print(f"√(1 + η²) is {math.sqrt(1 + eta**2):.6f}")
assert torch.allclose(growth, torch.full_like(growth, math.sqrt(1 + eta**2)), rtol=1e-12)
ahead = sizes["looking ahead"][1:] / sizes["looking ahead"][:-1]
assert torch.allclose(ahead, torch.full_like(ahead, math.sqrt(1 - eta**2 + eta**4)), rtol=1e-12)

# %% [markdown]
# How long do steps in turn stay bounded? The largest distance in the first 200 steps and in the
# first 2000, against the product of the two step sizes: below 4 they are the same, at 4 the second
# is ten times the first, and beyond it there is no end.

# %%
products = [0.5, 1.0, 2.0, 3.0, 3.9, 3.99, 4.0, 4.001, 4.01]
print("η_x η_y    in 200 steps    in 2000 steps")
for product in products:
    far = bilinear_orbit(1.0, 0.0, steps=2000, eta_x=1.0, eta_y=product, kind="alternating")
    early, late = far[:201].norm(dim=1).max().item(), far.norm(dim=1).max().item()
    print(f"{product:6.3f}   {early:12.2f}   {late:16.4g}")
    assert (late < 1.02 * early) == (product < 4)

# %% [markdown]
# ## A small pair for images
#
# `genmath.nets.Generator` and `genmath.nets.Discriminator` on the 8 × 8 digits, with labels,
# trained for a few seconds. In the lower rows the label is fixed and the code walks along a great
# circle (`genmath.gan.slerp`).

# %%
images = digits()
nets = torch.Generator().manual_seed(1)
gan = GAN(
    Generator(16, hidden=24, classes=10, generator=nets),
    Discriminator(hidden=24, classes=10, generator=nets),
    16,
)
d, g = (
    torch.optim.Adam(net.parameters(), 2e-3, betas=(0.5, 0.99), fused=True)
    for net in (gan.discriminator, gan.generator)
)
average = AveragedModel(gan.generator, multi_avg_fn=get_ema_multi_avg_fn(0.99))
for _ in range(500):
    rows = torch.randint(len(images.train), (64,), generator=nets)
    losses = training_step(
        gan, images.train[rows], d, g, images.train_labels[rows], gamma=0.2, average=average,
        generator=nets,
    )  # fmt: skip
with torch.no_grad():
    labels = torch.arange(10).repeat(3)
    made = average(torch.randn(30, 16, generator=nets), labels)
    ends = torch.randn(2, 2, 16, generator=nets)
    walk = slerp(ends[0], ends[1], 10)  # (10, 2, 16): two walks
    rows = [average(walk[:, i], torch.full((10,), label)) for i, label in enumerate((3, 8))]
sheet = torch.cat([made, *rows]).reshape(5, 10, 8, 8)
sheet = torch.nn.functional.pad(sheet, (1, 1, 1, 1), value=-1.0)
panel = axes(5.0, 2.6)
panel.imshow(sheet.permute(0, 2, 1, 3).reshape(50, 100), cmap="gray_r", vmin=-1, vmax=1)
panel.axhline(29.5, color=ORANGE, lw=1)
panel.set_axis_off()
figure(
    panel,
    alt="Five rows of ten small grey pictures. The first three show the digits nought to nine; the "
    "last two change one three and one eight gradually.",
    caption="Three samples of each label; below the line, a walk from code to code for 3 and 8.",
)

# %%
centres = torch.stack([images.train[images.train_labels == k].mean(0).flatten() for k in range(10)])
with torch.no_grad():
    many = average(torch.randn(500, 16, generator=nets), torch.arange(10).repeat(50))
for name, x, y in (
    ("test images", images.test, images.test_labels),
    ("samples", many, torch.arange(10).repeat(50)),
):
    right = (torch.cdist(x.flatten(1), centres).argmin(1) == y).float().mean()
    print(f"{name:12s} nearest to the mean image of their own label: {right:.0%}")
print(
    f"losses at the end: discriminator {losses.discriminator:.2f}, generator {losses.generator:.2f}"
)
print(f"at q = p they would be {math.log(4):.2f} and {math.log(2):.2f}")

# %% [markdown]
# The samples are *more* typical of their labels than real digits are. That is no merit: the odd
# handwriting is missing, and within a label all samples look alike. Modes can be missed inside a
# class, too, and the losses, not far from those of agreement, do not show it.

# %% [markdown]
# ## Exercises
#
# 1. Train the one-dimensional discriminator on 200 fixed data and 200 fixed samples, for many
#    steps. Its loss falls below the exact least. Why does that not contradict
#    `gan.optimal_discriminator`?
# 2. Replace the loss of `learn` by `"least_squares"`. Which function of the two densities does the
#    network learn now? (`gan.least_squares[best]`)
# 3. In the collapse experiment give both players $\beta_1 = 0.5$, or the same learning rate. Which
#    of the two matters more?
# 4. For which step sizes does looking ahead converge in the bilinear game, and where is it fastest?
#    (`gan.remedies[extragradient]`)
