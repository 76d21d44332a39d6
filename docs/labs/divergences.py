# %% [markdown]
# # Laboratory: Divergences
#
# Five questions about the divergences of the chapter, each answered by an experiment whose true
# answer is known: a closed form, or a sum over a fine grid. Every cell compares with that truth
# and fails where they differ.

# %%
import math

import torch

from genmath.divergences import (
    JS,
    KL,
    f_divergence,
    f_divergence_from_samples,
    fenchel_bound,
    gaussian_kl,
    js,
    kl,
    tv,
)
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure, slider
from genmath.nets import MLP
from genmath.toys import GaussianMixture

torch.set_default_dtype(torch.float64)
LOG2 = math.log(2)


def normal(x, mean, std):
    """The normal density on a grid."""
    return torch.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


# %% [markdown]
# ## What happens as two densities part?
#
# Let $p$ be the standard normal and move $q$, a normal with standard deviation 0.7, away from it.
# A fine grid turns both into tables of probabilities, on which KL either way, Jensen–Shannon and
# total variation are sums. For KL there is also the closed form, the truth to compare with:
#
# {{ divergences.gaussian_kl }}

# %%
grid = torch.linspace(-12, 18, 6001)
step = grid[1] - grid[0]
std_q = 0.7
log_var_p, log_var_q = torch.tensor(0.0), torch.tensor(2 * math.log(std_q))

distances = torch.linspace(0, 6, 25)
p = normal(grid, 0, 1) * step
forward, reverse, jensen_shannon, variation = [], [], [], []
for d in distances:
    q = normal(grid, d, std_q) * step
    forward.append(kl(p, q).item())
    reverse.append(kl(q, p).item())
    jensen_shannon.append(js(p, q).item())
    variation.append(tv(p, q).item())
    of_p, of_q = (torch.tensor(0.0), log_var_p), (d, log_var_q)
    assert abs(forward[-1] - gaussian_kl(*of_p, *of_q, batch_dims=0)) < 1e-9
    assert abs(reverse[-1] - gaussian_kl(*of_q, *of_p, batch_dims=0)) < 1e-9
    assert 0 <= jensen_shannon[-1] <= LOG2

print("distance  KL(p ‖ q)  KL(q ‖ p)      JS     TV")
for i in (0, 4, 8, 16, 24):
    row = f"{forward[i]:10.3f} {reverse[i]:10.3f} {jensen_shannon[i]:7.4f} {variation[i]:6.4f}"
    print(f"{distances[i]:8.0f} {row}")
print(f"the last step of the distance, {distances[-1] - distances[-2]:.2f}, adds")
print(
    f"{forward[-1] - forward[-2]:.2f} to KL(p ‖ q), {reverse[-1] - reverse[-2]:.2f} to KL(q ‖ p),"
)
print(f"{jensen_shannon[-1] - jensen_shannon[-2]:.1e} to JS; log 2 = {LOG2:.4f}")

# %%
left, right = axes(title="density"), axes(title="divergence, nats (TV has no unit)")
view = torch.linspace(-4, 9, 131)
left.plot(view, normal(view, 0, 1), color=INK, lw=1)
left.text(-1.1, 0.3, "p", ha="right", style="italic")
right.set(yscale="log", ylim=(0.008, 60), xlabel="distance between the means", xlim=(0, 6))
right.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
curves = [
    (forward, BLUE, r"$\mathrm{KL}(p\,\Vert\,q)$", 1.0),
    (reverse, ORANGE, r"$\mathrm{KL}(q\,\Vert\,p)$", 0.95),
    (variation, PURPLE, "TV", 1.15),
    (jensen_shannon, GREEN, "JS → log 2", 0.72),
]
for values, color, name, lift in curves:
    right.plot(distances, values, color=color)
    right.text(6.1, values[-1] * lift, name, color=color, va="center", fontsize=9)
right.axhline(LOG2, color=INK, lw=0.6, ls=":")
frames = {}
for i, d in enumerate(distances):
    moving = normal(view, d, std_q)
    frames[f"{d:.2f}"] = [
        *left.plot(view, moving, color=ORANGE),
        left.text(d, 0.59, "q", color=ORANGE, ha="center", style="italic"),
        left.fill_between(view, torch.minimum(moving, normal(view, 0, 1)), color=INK, alpha=0.12),
        *(
            right.plot(d, values[i], "o", color=color, markersize=5)[0]
            for values, color, _, _ in curves
        ),
    ]
left.set(ylim=(0, 0.65), xlim=(-4, 9))
left.set_xlabel("x", style="italic")
slider(
    left,
    right,
    frames=frames,
    label="distance",
    start=8,
    alt="Left: two bell curves, the right one moved by the slider, with their overlap shaded. "
    "Right: four divergences against the distance; both KL curves keep rising, JS and TV "
    "flatten out.",
    caption="As q moves away both KL grow with the square of the distance; JS and TV saturate.",
)

# %% [markdown]
# Both KL keep growing, and at different rates: each squares the distance in the units of its
# *second* argument, and $q$ is the narrower. Jensen–Shannon cannot pass $\log 2$, and long before
# it is there it has stopped changing: the last line of the table is the gradient that a generator
# far from the data would have to live on. The bound that JS obeys, for any two densities:
#
# {{ divergences.js_bounds[upper] }}

# %% [markdown]
# ## And if the supports do not meet?
#
# Normals are positive everywhere. Take instead two uniform densities of length one, the second
# shifted by $\theta$. For $\theta < 1$ they share a piece of length $1 - \theta$; outside it one
# of them is zero. So KL is infinite for every shift that is not zero, while JS is $\theta \log 2$
# and TV is $\theta$, up to $\theta = 1$.

# %%
cells = 100  # cells a unit of length; the shifts are whole cells, so the tables are exact
shifts = torch.arange(0, 2 * cells + 1, 10) / cells
table = torch.zeros(len(shifts), 3 * cells)
for row, shift in zip(table, shifts, strict=True):
    start = round(shift.item() * cells)
    row[start : start + cells] = 1 / cells
first = table[:1].expand_as(table)
assert torch.equal(torch.isinf(kl(first, table)), shifts > 0)
assert torch.allclose(js(first, table), shifts.clamp(max=1) * LOG2, atol=1e-12)
assert torch.allclose(tv(first, table), shifts.clamp(max=1), atol=1e-12)
print("shift    KL       JS     TV")
for i in (0, 1, 5, 10, 20):
    values = kl(first, table)[i], js(first, table)[i], tv(first, table)[i]
    print("{:5.1f} {:5.0f} {:8.4f} {:6.2f}".format(shifts[i], *values))

# %%
panel = axes(width=4.2, title="divergence")
panel.plot(shifts, js(first, table), color=GREEN)
panel.plot(shifts, tv(first, table), color=PURPLE)
panel.text(2.02, LOG2, "JS, nats", color=GREEN, va="center", fontsize=9)
panel.text(2.02, 1, "TV", color=PURPLE, va="center", fontsize=9)
panel.plot([0], [0], "o", color=BLUE, markersize=5)
panel.annotate(
    "KL: 0 here, infinite\neverywhere else", (0, 0), (0.75, 0.1), color=BLUE, fontsize=9,
    arrowprops={"arrowstyle": "-", "color": BLUE, "lw": 0.6, "shrinkB": 5},
)  # fmt: skip
panel.set(xlabel="shift θ", xlim=(-0.05, 2), ylim=(-0.05, 1.15), xticks=[0, 0.5, 1, 1.5, 2])
figure(
    panel,
    alt="JS and TV rise linearly until the shift is one and are constant beyond it.",
    caption="Two uniform densities of length one: past a shift of one, nothing changes any more.",
)

# %% [markdown]
# Once the supports are disjoint, every one of these numbers is the same for a near miss and for a
# far one. This is why a generator that puts its samples on the wrong surface gets no direction
# from JS, and the reason for transport distances. A network also never sees infinity: it sees a
# large number that depends on how $q$ was cut off.

# %% [markdown]
# ## Which mode does a fit choose?
#
# Fit one normal to a mixture with weights 0.6 and 0.4. Minimising $\mathrm{KL}(p \,\|\, q)$ is
# maximum likelihood (`divergences.maximum_likelihood`), and for a normal its minimum is known:
# the mean and variance of the mixture. Minimising $\mathrm{KL}(q \,\|\, p)$ is what variational
# inference does. It has no closed form here, so we search from three starts and keep the best.
# The slider sets how far apart the modes are.

# %%
x = torch.linspace(-9, 9, 1801)
dx = x[1] - x[0]
weights, mode_std = [0.6, 0.4], 0.6


def fit(loss, starts):
    """The least loss and the (mean, std) that has it, best of the starts."""
    best = (math.inf, 0.0, 0.0)
    for mean, std in starts:
        parameter = torch.tensor([mean, math.log(std)], requires_grad=True)
        optimiser = torch.optim.LBFGS(
            [parameter], max_iter=60, tolerance_grad=1e-10, line_search_fn="strong_wolfe"
        )

        def closure(optimiser=optimiser, parameter=parameter):
            optimiser.zero_grad()
            value = loss(parameter[0], parameter[1])
            value.backward()
            return value

        optimiser.step(closure)
        found = closure().item(), parameter[0].item(), parameter[1].exp().item()
        best = min(best, found)
    return best


def log_normal(z):
    return -(z**2 + math.log(2 * math.pi)) / 2


def kl_from(mixture):
    """KL(p ‖ q) of the mixture p to the normal q, summed over the grid."""
    log_p = mixture.log_prob(x)
    return lambda mean, log_std: (
        log_p.exp() * (log_p - log_normal((x - mean) / log_std.exp()) + log_std)
    ).sum() * dx  # fmt: skip


def kl_to(mixture):
    """KL(q ‖ p), summed over a grid that moves along with q."""
    return lambda mean, log_std: (
        log_normal(x).exp() * (log_normal(x) - log_std - mixture.log_prob(mean + log_std.exp() * x))
    ).sum() * dx  # fmt: skip


separations = torch.linspace(0, 6, 21).tolist()
covering, seeking = [], []
for gap in separations:
    mixture = GaussianMixture(weights, [-gap / 2, gap / 2], std=mode_std)
    exact = mixture.mean.item(), mixture.covariance.sqrt().item()
    covering.append(fit(kl_from(mixture), [(0.3, 1.5)]))
    assert abs(covering[-1][1] - exact[0]) < 1e-4
    assert abs(covering[-1][2] - exact[1]) < 1e-4
    starts = [(-gap / 2, mode_std), (gap / 2, mode_std), exact]
    seeking.append(fit(kl_to(mixture), starts))

gap = separations[-1]
print(f"modes at {-gap / 2:.0f} and {gap / 2:.0f}, each of std {mode_std}")
print("                   mean      std   KL, nats")
for name, (value, mean, std) in (("p ‖ q", covering[-1]), ("q ‖ p", seeking[-1])):
    print(f"least KL({name}) {mean:7.3f} {std:8.3f} {value:10.3f}")
print(f"log(1/0.6) = {math.log(1 / 0.6):.3f} nats")
assert abs(seeking[-1][0] - math.log(1 / 0.6)) < 2e-3  # one mode kept, the other missed
jump = max(range(len(separations) - 1), key=lambda i: abs(seeking[i + 1][1] - seeking[i][1]))
print(f"its mean jumps between distances {separations[jump]:.1f} and {separations[jump + 1]:.1f}")

# %%
left, right = axes(title="density"), axes(title="mean of the fit")
view = torch.linspace(-6, 6, 161)
right.plot(separations, [fit[1] for fit in covering], color=BLUE)
right.plot(separations, [fit[1] for fit in seeking], color=ORANGE)
for sign, name in ((-1, "heavier mode"), (1, "lighter mode")):
    right.plot(separations, [sign * s / 2 for s in separations], color=INK, lw=0.6, ls=":")
    right.text(3.9, sign * 2.65, name, fontsize=9, ha="right", va="center")
right.text(
    6.1,
    covering[-1][1],
    r"$\mathrm{least}$" "\n" r"$\mathrm{KL}(p\,\Vert\,q)$",
    color=BLUE,
    fontsize=9,
    va="center",
)
right.text(
    6.1,
    seeking[-1][1] + 0.35,
    r"$\mathrm{least}$" "\n" r"$\mathrm{KL}(q\,\Vert\,p)$",
    color=ORANGE,
    fontsize=9,
    va="center",
)
right.set(xlabel="distance of the modes", xlim=(0, 6), xticks=[0, 2, 4, 6])
frames = {}
for i, gap in enumerate(separations):
    density = GaussianMixture(weights, [-gap / 2, gap / 2], std=mode_std).log_prob(view).exp()
    frames[f"{gap:.1f}"] = [
        left.fill_between(view, density, color=INK, alpha=0.15, lw=0),
        *left.plot(view, normal(view, *covering[i][1:]), color=BLUE),
        *left.plot(view, normal(view, *seeking[i][1:]), color=ORANGE, ls="--"),
        *right.plot(gap, covering[i][1], "o", color=BLUE, markersize=5),
        *right.plot(gap, seeking[i][1], "o", color=ORANGE, markersize=5),
    ]
left.set(ylim=(0, 0.75), xlim=(-6, 6))
left.set_xlabel("x", style="italic")
slider(
    left,
    right,
    frames=frames,
    label="distance of the modes",
    start=14,
    alt="Left: a mixture of two bumps in grey and two fitted normals, a wide one over both and a "
    "narrow one on the heavier bump. Right: the mean of each fit against the distance of the "
    "modes; that of KL(q ‖ p) jumps to the heavier mode.",
    caption="The mixture (grey), the normal that covers it, and the normal that seeks a mode "
    "(dashed).",
)

# %% [markdown]
# While the modes overlap, the two fits nearly agree. Then they do not: $\mathrm{KL}(p \,\|\, q)$
# charges for every place where data are and $q$ is not, so its fit covers both modes and puts
# much of its mass where there is nothing. $\mathrm{KL}(q \,\|\, p)$ charges only where $q$ itself
# puts mass, so its fit takes one mode and leaves the other, at the price of $\log (1/0.6)$ nats,
# whatever the distance. Once the modes are far enough apart, the minimum jumps to the heavier one,
# as the plot shows; a gradient method started at the lighter one would have stayed there.

# %% [markdown]
# ## How tight is a bound by a critic?
#
# JS is bounded from below by two expectations of a free function, which samples can estimate.
# This is the game of a GAN, with the discriminator $D$ in the place of the critic:
#
# {{ divergences.f_js[bound] }}
#
# We know both densities, a mixture and a normal, so we know JS and the best discriminator. A
# small network is trained twice: on fresh samples in every step, and again and again on the same
# 40 samples. For each we look at the bound as its training samples show it, and at the bound
# itself, a sum over the grid.

# %%
mixture = GaussianMixture([0.5, 0.5], [-1.5, 1.5], std=0.6)
other = GaussianMixture([1.0], [0.5], std=1.2)
log_p, log_q = mixture.log_prob(x), other.log_prob(x)
p, q = log_p.exp() * dx, log_q.exp() * dx
exact = f_divergence(JS, p, q).item()
assert abs(exact - js(p, q).item()) < 1e-12


def critic(net, points):
    """T = log(2 D)/2 with D = sigmoid of the network: always inside the domain of the conjugate."""
    logit = net(points.unsqueeze(1)).squeeze(1)
    return (LOG2 + torch.nn.functional.logsigmoid(logit)) / 2


def bound(logit):
    """The bound itself: both expectations as sums over the grid."""
    log_d, log_not_d = (torch.nn.functional.logsigmoid(sign * logit) for sign in (1, -1))
    return ((p * (LOG2 + log_d)).sum() + (q * (LOG2 + log_not_d)).sum()).item() / 2


assert abs(bound(log_p - log_q) - exact) < 1e-9  # attained at D = p/(p + q)


def train(samples, steps=1500, every=25):
    generator = torch.Generator().manual_seed(1)
    net = MLP(1, hidden=32, layers=2, time=False, out=1, generator=generator)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    curve = []
    for i in range(steps + 1):
        from_p, from_q = samples()
        estimate = fenchel_bound(JS, critic(net, from_p), critic(net, from_q))
        if i % every == 0:
            with torch.no_grad():
                curve.append((i, estimate.item(), bound(net(x.unsqueeze(1)).squeeze(1))))
        optimiser.zero_grad()
        (-estimate).backward()
        optimiser.step()
    return net, curve


generator = torch.Generator().manual_seed(0)


def draw(n):
    return tuple(
        density.sample(n, generator=generator, dtype=torch.float64) for density in (mixture, other)
    )


few = draw(40)
fresh_net, fresh_curve = train(lambda: draw(500))
few_net, few_curve = train(lambda: few)
assert all(true <= exact + 1e-9 for _, _, true in fresh_curve + few_curve)
assert fresh_curve[-1][2] > 0.95 * exact
print(f"JS                       {exact:7.4f} nats")
print(f"fresh samples: the bound {fresh_curve[-1][2]:7.4f}")
print(f"40 samples: the bound    {few_curve[-1][2]:7.4f}")
print(f"40 samples: as they show {few_curve[-1][1]:7.4f}")
assert few_curve[-1][1] > exact > few_curve[-1][2]

# %%
left, right = axes(title="bound, nats"), axes(title="discriminator")
at = [i for i, _, _ in fresh_curve]
left.axhline(exact, color=INK, lw=0.8, ls=":")
left.text(1530, exact + 0.03, "JS", va="center", fontsize=9)
left.plot(at, [true for _, _, true in fresh_curve], color=BLUE)
left.plot(at, [true for _, _, true in few_curve], color=ORANGE)
left.plot(at, [seen for _, seen, _ in few_curve], color=ORANGE, ls="--")
left.text(1530, fresh_curve[-1][2] - 0.035, "fresh", color=BLUE, va="center", fontsize=9)
left.text(1530, few_curve[-1][2], "40, true", color=ORANGE, va="center", fontsize=9)
left.text(1530, few_curve[-1][1], "40, as seen", color=ORANGE, va="center", fontsize=9)
low = min(true for _, _, true in few_curve[4:])
left.set(
    xlabel="step of training", xlim=(0, 1500), xticks=[0, 500, 1000, 1500],
    ylim=(min(low, 0.0) - 0.02, few_curve[-1][1] + 0.03),
)  # fmt: skip
shown = (x > -4) & (x < 5)
with torch.no_grad():
    curves = {
        "p/(p + q)": (torch.sigmoid(log_p - log_q), INK, ":"),
        "fresh": (torch.exp(2 * critic(fresh_net, x)) / 2, BLUE, "-"),
        "40": (torch.exp(2 * critic(few_net, x)) / 2, ORANGE, "-"),
    }
for values, color, dash in curves.values():
    right.plot(x[shown], values[shown], color=color, ls=dash, lw=1.2)
right.set(ylim=(-0.03, 1.03), xlim=(-4, 5))
right.set_xlabel("x", style="italic")
figure(
    left,
    right,
    alt="Left: the bound during training. With fresh samples it rises to JS; with 40 samples the "
    "value they show rises above JS while the true bound falls. Right: the discriminator from "
    "fresh samples follows p/(p+q), the one from 40 samples is much steeper.",
    caption="Blue: fresh samples. Orange: 40 samples, the true bound (solid) and what they show "
    "(dashed). Dotted: the exact values.",
)

# %% [markdown]
# With fresh samples the bound climbs to JS and never passes it, and the network becomes $p/(p +
# q)$. With 40 samples the number on the training samples passes JS, although the bound is a
# bound: it holds for expectations, not for the samples that chose the critic. The true bound of
# that critic falls meanwhile. A discriminator's loss on its own training samples is therefore no
# estimate of a divergence.

# %% [markdown]
# ## How many samples does an estimate need?
#
# KL is a mean under $p$ of $\log p/q$, and as an f-divergence a mean under $q$ of $\frac pq \log
# \frac pq$. Both are unbiased from samples where the densities are known. For unit normals at
# distance $d$ the variance of a draw is known too: $d^2$ for the first, and for the second a
# number that grows like $e^{d^2}$ (in the cell).

# %%
n, repeats = 1000, 400
steps = torch.arange(0.25, 4.01, 0.25)
direct, weighted = [], []
for d in steps:
    noise = torch.randn(n, repeats, generator=generator)

    def log_ratio(points, d=d):
        return d * points - d**2 / 2

    direct.append(log_ratio(d + noise).mean(0))
    estimate = f_divergence_from_samples(KL, log_ratio(noise), torch.zeros_like(noise))
    weighted.append(estimate)
direct, weighted = torch.stack(direct), torch.stack(weighted)
truth = steps**2 / 2
std_direct = steps / math.sqrt(n)
variance = torch.exp(steps**2) * (9 * steps**4 / 4 + steps**2) - steps**4 / 4
std_weighted = (variance / n).sqrt()
assert ((direct.mean(1) - truth).abs() < 5 * std_direct / math.sqrt(repeats)).all()
near = steps <= 1
assert ((weighted.mean(1) - truth).abs() < 5 * std_weighted / math.sqrt(repeats))[near].all()
assert ((weighted.std(1) / std_weighted - 1).abs() < 0.3)[near].all()
print(f"std of a mean of {n} draws, share too low")
print("  d   KL   under p   under q   too low, q")
for i in (3, 7, 15):
    low = (weighted[i] < truth[i]).double().mean()
    print(
        f"{steps[i]:3.0f} {truth[i]:4.1f} {std_direct[i]:9.3f} {std_weighted[i]:9.2f} {low:11.0%}"
    )

# %%
panel = axes(width=4.6, height=2.8, title="estimate of KL, nats")
for values, color, name, height in (
    (direct, BLUE, "mean under p", 8.0),
    (weighted, ORANGE, "mean under q", 3.2),
):
    low, middle, high = torch.quantile(values, torch.tensor([0.05, 0.5, 0.95]), dim=1)
    panel.fill_between(steps, low, high, color=color, alpha=0.25, lw=0)
    panel.plot(steps, middle, color=color)
    panel.text(4.05, middle[-1] if color == ORANGE else height - 0.5, name, color=color, fontsize=9)
panel.plot(steps, truth, color=INK, lw=1, ls=":")
panel.text(4.05, 8.3, "exact", fontsize=9)
panel.set(xlabel="distance d of the means", xlim=(0, 4), ylim=(0, 9), xticks=[0, 1, 2, 3, 4])
figure(
    panel,
    alt="Estimates of KL from 1000 samples against the distance of the means. The mean under p "
    "follows the exact parabola; the mean under q falls far below it beyond a distance of "
    "three.",
    caption="Median and middle nine tenths of 400 estimates, each from 1000 draws.",
)

# %% [markdown]
# The two estimators have the same mean, and one of them is useless at large distances: nearly all
# of its mean sits on draws that never come. The typical estimate is then too *low*, without any
# sign of it in the sample. The same happens to every average of weights $p/q$, the
# importance-weighted bound (`vae.iwae`) included.

# %% [markdown]
# ## References
#
# - [@lin1991divergence]: Jensen–Shannon and its bound.
# - [@nguyen2010estimating]: the bound by a critic.
# - [@nowozin2016fgan]: its members, and the game of a GAN.
# - [@arjovsky2017towards]: what disjoint supports do to a generator.
