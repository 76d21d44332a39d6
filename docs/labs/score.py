# %% [markdown]
# # Laboratory: Score matching
#
# Five questions about the chapter's results, on mixtures of normals. Their score is known exactly
# at every noise level, so nothing is learned here, and what goes wrong is no network's fault.

# %%
import math

import torch

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure, slider
from genmath.score import (
    annealed_langevin,
    denoising_loss,
    geometric_levels,
    langevin_step,
    langevin_variance,
    tweedie,
)
from genmath.toys import GaussianMixture

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## What do the arrows show?
#
# Three narrow modes in the plane, seen through more and more noise ($\alpha = 1$). A score is long
# at low noise and short at high noise (of size about $1/\sigma$ where the noisy data are, longer
# away from them), so the arrows are drawn in another unit: by Tweedie's formula (`score.tweedie`) a
# step of $\sigma^2$ along the score leads to the best guess of the data, and every arrow covers a
# quarter of that way.

# %%
three = GaussianMixture([0.5, 0.3, 0.2], [[-1.6, -1.0], [1.6, -1.0], [0.3, 1.7]], std=0.15)
levels = geometric_levels(6.4, 0.1, 9).flip(0)
line = torch.linspace(-2.75, 2.75, 12)
places = torch.cartesian_prod(line, line)
x0 = three.sample(20_000, generator=generator, stratified=True, dtype=torch.float64)
noise = torch.randn(x0.shape, generator=generator)
panel = axes(3.6, 3.6)
frames, shares, sure = {}, [], []
for sigma in levels.tolist():
    guess = tweedie(three.score(places, 1.0, sigma), places, 1.0, sigma)
    assert torch.allclose(guess, three.denoiser(places, 1.0, sigma), atol=1e-9)
    x = x0 + sigma * noise
    shares.append(sigma**2 * three.score(x, 1.0, sigma).pow(2).sum(1).mean().item() / 2)
    sure.append((three.responsibilities(x, 1.0, sigma).amax(1) > 0.99).double().mean().item())
    way = (guess - places) / 4
    seen = x[:200][(x[:200].abs() < 3).all(1)]
    frames[f"{sigma:.2f}"] = [
        *panel.plot(*seen.T, ".", color=ORANGE, markersize=3),
        panel.quiver(
            *places.T, *way.T, angles="xy", scale_units="xy", scale=1, color=BLUE,
            width=0.005, headwidth=4, headlength=4, headaxislength=3.5, minlength=0.3,
        ),
    ]  # fmt: skip
panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
slider(
    panel,
    frames=frames,
    label="noise σ",
    start=2,
    alt="Arrows over a plane with three clusters. With little noise each arrow points to the "
    "nearest cluster; with much noise all point to the middle of the data.",
    caption="Blue: a quarter of the way to the best guess of the data. Orange: noisy data.",
)

# %%
print("noise σ   mode known   noise known")
for sigma, known, share in zip(levels.tolist(), sure, shares, strict=True):
    print(f"{sigma:7.2f}{known:13.0%}{share:14.3f}")
assert sure[0] > 0.999
assert sure == sorted(sure, reverse=True)
dip = min(range(3, 9), key=lambda i: shares[i])
assert shares[3] > shares[dip] < shares[8]

# %% [markdown]
# With little noise the plane falls into three parts. In each the arrows know one mode only, and on
# the borders between them, where they would have to say how the modes compare, there are no data.
# With much noise all arrows point to the mean of everything. In between they learn which modes
# there are, and how heavy each is.
#
# *Mode known* is the share of noisy data that one mode explains with more than 99&nbsp;%. *Noise
# known* is $\sigma^2$ times the mean square of the score, for each coordinate: the part of the
# noise that $x$ determines. If all data were one point it would be 1 at every level
# (`score.noise_levels[size]`); the rest is the floor of the denoising loss, and no network gets
# below it. The floor is high twice: at little noise, which is lost in the width of a mode, and
# where it is just being decided which mode a point came from.

# %% [markdown]
# ## Does Langevin dynamics find the weights?
#
# Two round modes of width 1 in the plane at $\pm(m, m)/\sqrt2$, with weights 0.8 and 0.2. Both
# samplers start at the same 2000 places, have the exact score, and ask for it 1000 times. One walks
# in the density of the data from the beginning; the other walks down ten noise levels, a hundred
# steps at each.

# %%
weights, n = [0.8, 0.2], 2000
down = geometric_levels(16.0, 0.5, 10)
begin = 16.0 * torch.randn(n, 2, generator=generator)


def two_modes(m):
    at = m / math.sqrt(2)
    return GaussianMixture(weights, [[-at, -at], [at, at]], std=1.0)


def heavier(mixture, x, sigma=0.0):
    """The share of samples, seen through noise sigma, that belong to the heavier mode."""
    return mixture.responsibilities(x, 1.0, sigma)[:, 0].mean().item()


def plain(mixture, x, steps):
    for _ in range(steps):
        x = langevin_step(mixture.score(x), x, 0.1, generator=generator)
    return x


def annealed(mixture, x, levels):
    return annealed_langevin(lambda x, sigma: mixture.score(x, 1.0, sigma.unsqueeze(1)), x.shape,
                             levels, step=0.2, repeats=100, generator=generator, start=x,
                             dtype=torch.float64)  # fmt: skip


print("share of the heavier mode, which has 0.8")
print("  m     plain   annealed")
ends, found = {}, {}
for m in (1, 2, 3, 4, 6):
    mixture = two_modes(m)
    ends[m] = walked, cooled = plain(mixture, begin, 1000), annealed(mixture, begin, down)
    found[m] = heavier(mixture, walked), heavier(mixture, cooled, down[-1].item())
    print(f"{m:3d}{found[m][0]:10.3f}{found[m][1]:11.3f}")
    assert abs(found[m][1] - 0.8) < 0.04
assert abs(found[1][0] - 0.8) < 0.04
assert abs(found[6][0] - 0.5) < 0.04

# %%
left, right = axes(3.0, 3.0, title="plain"), axes(3.0, 3.0, title="annealed")
for panel, x in zip((left, right), ends[4], strict=True):
    heavy = x.sum(1) < 0
    panel.plot(*x[:500][heavy[:500]].T, ".", color=BLUE, markersize=3)
    panel.plot(*x[:500][~heavy[:500]].T, ".", color=ORANGE, markersize=3)
    for side, of, color, at in ((-1, heavy, BLUE, "left"), (1, ~heavy, ORANGE, "right")):
        share = of.double().mean().item()
        panel.text(side * 5.8, -side * 0.6, f"{share:.0%}", color=color, ha=at, va="center",
                   fontsize=11)  # fmt: skip
    panel.set(xlim=(-6, 6), ylim=(-6, 6), aspect="equal", xticks=[-4, 0, 4], yticks=[-4, 0, 4])
figure(
    left,
    right,
    alt="Samples of two round modes. With plain Langevin dynamics each mode has about half of "
    "them; with annealing the lower left one has about four fifths.",
    caption="m = 4: 500 of the samples, and the shares of all. The modes have 80 % and 20 %.",
)

# %%
x, mixture, walked = ends[4][0], two_modes(4), 1000
print("m = 4, plain: the share as it goes on")
print(f"{walked:6d} steps {found[4][0]:8.3f}")
for more in (1000, 2000, 4000):
    x, walked = plain(mixture, x, more), walked + more
    print(f"{walked:6d} steps {heavier(mixture, x):8.3f}")
assert found[4][0] < heavier(mixture, x) < 0.75

# %% [markdown]
# For near modes both are right. At $m = 4$ plain Langevin dynamics finds two good modes, each of
# the right shape, and gives them the shares in which the start happened to be divided. It is not
# wrong for ever (`score.langevin` says that the data's density is where it stays), but walks across
# the gap are so rare that eight times the steps do not mend it. At the largest noise there is no
# gap: annealing decides between the modes while they still touch, and keeps what it decided.

# %% [markdown]
# ## How blind is score matching?
#
# The data are an even mixture of two bumps of width 1 at $\pm m$; the model is exact but for its
# weights, 0.9 and 0.1. The explicit loss is the mean, over data, of the squared difference of the
# scores, here summed over a grid. It stands beside the KL divergence in nats, and beside the bound
# of the chapter, in which $\delta$ is the difference of the scores and $K$ contains a factor
# $e^{-m^2/2}$:
#
# {{ score.blind_spot }}

# %%
heavy = 0.9
grid = torch.linspace(-14, 14, 5601)
dx = (grid[1] - grid[0]).item()


def bumps(m, w):
    return GaussianMixture([w, 1 - w], [-m, m], std=1.0)


def losses(m, sigma=0.0, stretch=1.0):
    """KL and explicit loss of the model, data and model both seen through noise."""
    x = grid * stretch
    data, model = bumps(m, 0.5), bumps(m, heavy)
    log_p, log_q = (density.log_prob(x, 1.0, sigma) for density in (data, model))
    gap = data.score(x, 1.0, sigma) - model.score(x, 1.0, sigma)
    p = log_p.exp() * dx * stretch
    return (p * (log_p - log_q)).sum().item(), (p * gap**2).sum().item()


def bound(m):
    w = 1 - heavy
    return ((1 - 2 * w) * m) ** 2 * math.exp(-(m**2) / 2) / (4 * w * (1 - w))


apart = [0.25 * i for i in range(1, 33)]
kl, fisher = zip(*(losses(m) for m in apart), strict=True)
limit = -math.log(4 * heavy * (1 - heavy)) / 2
assert all(value <= bound(m) * (1 + 1e-9) for m, value in zip(apart, fisher, strict=True))
assert abs(kl[-1] - limit) < 1e-6
print("  m      KL      loss     bound   one sample in")
for m in (1, 2, 3, 4, 5, 6):
    i = apart.index(m)
    p = bumps(m, 0.5).log_prob(grid).exp() * dx
    gap = (bumps(m, 0.5).score(grid) - bumps(m, heavy).score(grid)).abs()
    there = p[gap > 0.1].sum().item()
    print(f"{m:3d}{kl[i]:8.3f}{fisher[i]:10.1e}{bound(m):10.1e}{1 / there:16,.0f}")

# %%
panel = axes(width=4.4, height=2.8)
for values, color, name, dash in (
    (kl, BLUE, "KL, nats", "-"),
    (fisher, ORANGE, "explicit loss", "-"),
    ([bound(m) for m in apart], ORANGE, "bound", ":"),
):
    panel.semilogy(apart, values, dash, color=color, label=name)
panel.text(8.15, kl[-1], "KL, nats", color=BLUE, fontsize=9, va="center")
panel.text(8.15, fisher[-1], "explicit loss", color=ORANGE, fontsize=9, va="center")
panel.text(8.15, bound(8) * 30, "its bound", color=ORANGE, fontsize=9, va="center")
panel.minorticks_off()
panel.set(xlabel="m", xlim=(0, 8), ylim=(1e-15, 30), xticks=[0, 2, 4, 6, 8])
panel.set_yticks([1, 1e-4, 1e-8, 1e-12], ["1", "10⁻⁴", "10⁻⁸", "10⁻¹²"])
figure(
    panel,
    alt="KL and the explicit loss against the distance of the bumps, on a logarithmic axis. KL "
    "rises to one half and stays there; the loss falls faster than exponentially, and its bound "
    "runs parallel above it.",
    caption="The same wrong model, judged by two measures.",
)

# %% [markdown]
# KL settles at a number that no one would overlook, while the loss falls out of sight. The last
# column says why: only one sample in so many falls where the two scores differ by more than 0.1. At
# $m = 6$ that is two samples in a hundred million.
#
# Noise brings the weights back into sight. Below is the loss of the same model when data and model
# are both seen through noise $\tau$, times $\tau^2$ as in training (`score.noise_levels`).

# %%
taus = torch.logspace(-2, 4, 301)
shown = {}
print("  m       area         KL")
for m, color in ((2, BLUE), (4, ORANGE), (6, GREEN)):
    seen = [losses(m, tau, max(math.hypot(1, tau), 1.0))[1] * tau**2 for tau in taus.tolist()]
    area = torch.trapezoid(torch.tensor(seen), taus.log()).item()
    shown[m] = seen, color
    print(f"{m:3d}{area:11.6f}{losses(m)[0]:11.6f}")
    assert abs(area / losses(m)[0] - 1) < 1e-4
panel = axes(width=4.4, height=2.8, title="τ² × explicit loss")
for m, (seen, color) in shown.items():
    panel.semilogx(taus, seen, color=color)
    top = max(range(len(seen)), key=lambda i: seen[i])
    side = {2: "right", 4: "center", 6: "left"}[m]
    panel.text(taus[top], seen[top] + 0.012, f"m = {m}", color=color, fontsize=9, ha=side)
panel.minorticks_off()
panel.set(xlabel="noise τ", xlim=(0.1, 100), ylim=(0, 0.38), yticks=[0, 0.1, 0.2, 0.3])
panel.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
figure(
    panel,
    alt="The weighted explicit loss against the noise, for three distances of the bumps. Each is "
    "zero at little noise, peaks where the noise is about as wide as the bumps are apart, and "
    "falls again.",
    caption="A model with wrong weights, seen through noise.",
)

# %% [markdown]
# What is invisible without noise is plain at a noise about as wide as the bumps are apart. And
# nothing is lost: the area under each curve, over $\log \tau$, *is* the KL divergence without
# noise, to as many digits as the sum has. This is a known identity [@lyu2009interpretation]. So for
# a model whose scores at all levels belong to one density, the loss with levels spread evenly in
# $\log \tau$ and the weight $\tau^2$ is maximum likelihood in another form.

# %% [markdown]
# ## What does a finite step cost?
#
# For normal data the law of the chain is known after every step (`score.langevin_bias`). With steps
# of size $h$ it settles at a variance $v_h$ that is too large:
#
# {{ score.langevin_bias[bias] }}
#
# Here $\sigma = 1$, the chains start with variance 4, and 40,000 of them are simulated beside the
# closed form. The last column counts the steps after which the variance stays within one per cent
# of where it ends.

# %%
chains, length = 40_000, 60
sizes = {0.05: BLUE, 0.3: ORANGE, 1.0: GREEN, 1.6: PURPLE}
drawn = {}
for h in sizes:
    x = 2.0 * torch.randn(chains, generator=generator)
    drawn[h] = [x.var().item()]
    for _ in range(length):
        x = langevin_step(-x, x, h, generator=generator)
        drawn[h].append(x.var().item())
print("step h   in the end     drawn   steps")
for h, variances in drawn.items():
    exact = [langevin_variance(h, steps=k, start=4.0) for k in range(1001)]
    for k, variance in enumerate(variances):
        assert abs(variance / exact[k] - 1) < 5 * math.sqrt(2 / chains)
    limit = langevin_variance(h)
    needed = next(k for k, v in enumerate(exact) if abs(v / limit - 1) < 0.01)  # it is monotone
    print(f"{h:6.2f}{limit:13.4f}{variances[-1]:10.4f}{needed:8d}")

# %%
left, right = axes(title="variance in the end"), axes(title="variance after k steps")
steps = torch.linspace(0.01, 1.75, 100).tolist()
left.plot(steps, [langevin_variance(h) for h in steps], color=INK, lw=1)
left.plot(steps, [1 + h / 2 for h in steps], color=INK, lw=0.7, ls=":")
left.text(1.78, 1.85, "1 + h/2", fontsize=9, va="center")
for h, color in sizes.items():
    left.plot(h, drawn[h][-1], "o", color=color, markersize=5)
    exact = [langevin_variance(h, steps=k, start=4.0) for k in range(31)]
    right.plot(exact, color=color, lw=1)
    right.plot(range(0, 31, 2), drawn[h][:31:2], "o", color=color, markersize=3, clip_on=False)
    lift = {0.05: 0.2, 0.3: -0.25}.get(h, 0.0)
    right.text(31, exact[-1] + lift, f"h = {h:g}", color=color, fontsize=9, va="center")
left.set(xlabel="step h", xlim=(0, 1.75), ylim=(0, 6), xticks=[0, 0.5, 1, 1.5])
right.set(xlabel="k", xlim=(0, 30), ylim=(0, 5.5), xticks=[0, 10, 20, 30])
figure(
    left,
    right,
    alt="Left: the variance of the stationary law against the step, rising from one to infinity at "
    "a step of two. Right: the variance of the chain against the number of steps for four sizes; "
    "small steps come slowly to about one, larger ones quickly to a variance that is too large.",
    caption="Lines: the closed form. Dots: 40,000 chains.",
)

# %% [markdown]
# The bias and the speed are one bargain: a step of 1 forgets its start at once and settles at twice
# the variance, a step of 0.05 is right to 2.6&nbsp;% and needs 56 steps to say so. More steps never
# remove the bias. At $h = 2$ there is no stationary law at all.

# %% [markdown]
# ## What does a noise predictor predict?
#
# The best prediction is the *mean* of the noise given $x$ (`score.best_guess`), and this mean is
# $-\sigma$ times the score of the noisy density (`score.eps_optimum`). Both are checked here from
# draws alone: 400,000 pairs of a data point and a noise, sorted by their $x$ into 40 bins of equal
# count, and the mean of the noise in each.

# %%
pair = GaussianMixture([0.4, 0.6], [-1.0, 1.0], std=0.2)
count, bins = 400_000, 40
data = pair.sample(count, generator=generator, dtype=torch.float64)
eps = torch.randn(count, generator=generator)
fine = torch.linspace(-12, 12, 9601)
frames, table = {}, []
left, right = axes(title="noise against x"), axes(title="noise, given x = 0.1")
view, noises = torch.linspace(-3.5, 3.5, 141), torch.linspace(-8, 8, 401)
inside = noises.abs() <= 3.5
for sigma in (0.2, 0.4, 0.7, 1.0, 1.5, 2.5):
    x = data + sigma * eps
    best = pair.eps(x, 1.0, sigma)
    by_x = x.argsort().reshape(bins, -1)
    drawn_mean, exact = eps[by_x].mean(1), best[by_x].mean(1)
    spread = (eps - best)[by_x].std(1) / math.sqrt(count // bins)
    worst = ((drawn_mean - exact) / spread).abs().max().item()
    assert worst < 4.5
    floor = denoising_loss(lambda x, s: pair.score(x, 1.0, s), data, 1.0, sigma, noise=eps).item()
    p = pair.log_prob(fine, 1.0, sigma).exp() * (fine[1] - fine[0])
    least = 1 - (p * pair.eps(fine, 1.0, sigma) ** 2).sum().item()
    assert abs(floor - least) < 5 * math.sqrt(2 / count)
    table.append((sigma, worst, floor, least))
    # The density of the noise given x, by Bayes' rule; its mean is the prediction.
    at = torch.tensor([0.1])
    given = torch.exp(-(noises**2) / 2) * pair.log_prob(at - sigma * noises).exp()
    given = given / torch.trapezoid(given, noises)
    mean = pair.eps(at, 1.0, sigma).item()
    assert abs(torch.trapezoid(given * noises, noises).item() - mean) < 0.01
    if sigma >= 0.7:  # nearly no noise is like the prediction
        assert given[(noises - mean).abs().argmin()] < 0.05 * given.max()
    frames[f"{sigma:.1f}"] = [
        *left.plot(x[:300], eps[:300], ".", color=INK, markersize=2),
        *left.plot(view, pair.eps(view, 1.0, sigma), color=ORANGE),
        *left.plot(x[by_x].mean(1), drawn_mean, "o", color=BLUE, markersize=4),
        right.fill_between(
            noises[inside], (given / given.max())[inside], color=INK, alpha=0.2, lw=0
        ),
        right.axvline(mean, color=ORANGE),
    ]
left.set(xlim=(-3.5, 3.5), ylim=(-3.2, 3.2))
left.set_xlabel("x", style="italic")
right.set(xlim=(-3.5, 3.5), ylim=(0, 1.1), yticks=[])
right.set_xlabel("ε", style="italic")
slider(
    left,
    right,
    frames=frames,
    label="noise σ",
    start=2,
    alt="Left: pairs of noisy data and noise; the mean noise at each place follows the exact "
    "prediction, an S-shaped curve. Right: the density of the noise given one place has two bumps, "
    "and the prediction lies between them.",
    caption="Black: single draws. Blue: their means. Orange: minus σ times the exact score.",
)

# %%
print("           worst     least loss")
print("noise σ      bin    drawn    exact")
for sigma, worst, floor, least in table:
    print(f"{sigma:5.1f}{worst:11.1f}{floor:9.4f}{least:9.4f}")

# %% [markdown]
# The blue dots were computed without any density, and lie on the score: *worst bin* is the largest
# difference, in standard errors of the mean. On the right is what the network is asked about at
# $x = 0.1$. The point came from one mode or from the other, so the noise was either negative or
# positive. The prediction lies between the two, where from $\sigma = 0.7$ on hardly any noise is.
# It is not the noise of this sample, and no training will make it so. What is left of the loss is
# the variance of the noise given $x$, and its exact value is one minus the share of the noise that
# is known (`score.denoising[constant]`).

# %% [markdown]
# ## References
#
# - [@song2019generative]: the score field, and annealing on two modes (section 3).
# - [@wenliang2020blindness]: blindness to weights.
# - [@lyu2009interpretation]: the KL divergence as an integral over noise levels.
# - [@roberts1996exponential]: the bias of finite steps.
