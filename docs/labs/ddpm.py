# %% [markdown]
# # Laboratory: Denoising diffusion
#
# Six questions about the chapter's results, on data whose density is a mixture of normals. Then
# everything is known exactly: the density of $x_t$ at every step, the best guess of the noise,
# and so the sampler *without any error of a network*. What is left to see is the mathematics.

# %%
import math

import torch

from genmath import ddpm
from genmath.figures import BLUE, GREEN, INK, ORANGE, axes, figure, slider
from genmath.paths import cosine_schedule, linear_schedule
from genmath.toys import GaussianMixture

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(0)


def standard_pair(std, weight=0.3):
    """Two modes on the line, of the given std, with mean 0 and variance 1 together."""
    spread = math.sqrt((1 - std**2) / (weight * (1 - weight)))
    return GaussianMixture([weight, 1 - weight], [-(1 - weight) * spread, weight * spread], std=std)


data = standard_pair(0.3)
assert abs(data.mean) < 1e-12
assert abs(data.covariance - 1) < 1e-12
grid = torch.linspace(-7, 7, 1401)
dx = grid[1] - grid[0]


def normal(x, mean, variance):
    return torch.exp(-((x - mean) ** 2) / (2 * variance)) / torch.sqrt(2 * math.pi * variance)


def distribution_function(density):
    """The integral of a density up to each point of the grid, by the trapezoidal rule."""
    return (torch.cumsum(density, 0) - density / 2) * dx


def interpolate(y, places, values):
    """The values at y, on straight lines between the places."""
    i = torch.searchsorted(places, y).clamp(1, len(places) - 1)
    w = ((y - places[i - 1]) / (places[i] - places[i - 1])).clamp(0, 1)
    return values[i - 1] + w * (values[i] - values[i - 1])


def off(samples, places, cdf):
    """The largest distance between the distribution function of samples and a known one."""
    levels = (torch.arange(len(samples)) + 0.5) / len(samples)
    return (interpolate(samples.sort().values, places, cdf) - levels).abs().max().item()


# %% [markdown]
# ## Is one jump really the same as t small steps?
#
# The forward marginal says so (`ddpm.forward_marginal[step]`). Here 20,000 points are noised the
# slow way, a step at a time for 1000 steps, and at some steps their empirical distribution is
# compared with the exact density of $x_t$.

# %%
schedule = linear_schedule(1000)
n = 20_000
chain = data.sample(n, generator=generator, dtype=torch.float64)
shown_steps = list(range(0, 1001, 50))
snapshots, worst = {}, 0.0
for t in range(schedule.T + 1):
    if t > 0:
        beta = schedule.beta[t]
        chain = torch.sqrt(1 - beta) * chain
        chain = chain + torch.sqrt(beta) * torch.randn(n, generator=generator)
    if t in shown_steps:
        alpha, sigma = schedule.coefficients(t, chain)
        density = data.log_prob(grid, alpha, sigma).exp()
        worst = max(worst, off(chain, grid, distribution_function(density)))
        snapshots[t] = (density, torch.histc(chain, 45, -4.5, 4.5) / (n * 0.2))
print("largest distance of the distribution functions")
print(f"seen here                          {worst:.4f}")
print(f"exact draws, once in 1000 trials   {1.95 / math.sqrt(n):.4f}")
assert worst < 2.5 / math.sqrt(n)

# %%
left, right = axes(title="density of x at step t"), axes(title="share of the variance")
edges = torch.linspace(-4.5, 4.5, 46)
view = slice(None, None, 7)
right.plot(schedule.alpha_bar, color=BLUE)
right.plot(schedule.sigma**2, color=ORANGE)
right.text(150, 0.87, "data", color=BLUE, fontsize=9)
right.text(550, 0.87, "noise", color=ORANGE, fontsize=9)
right.set(xlabel="step t", ylim=(-0.03, 1.08))
frames = {
    f"t = {t}": [
        left.stairs(histogram, edges, fill=True, color=INK, alpha=0.15),
        *left.plot(grid[view], density[view], color=ORANGE),
        *right.plot(t, schedule.alpha_bar[t], "o", color=BLUE, markersize=5),
        *right.plot(t, schedule.sigma[t] ** 2, "o", color=ORANGE, markersize=5),
    ]
    for t, (density, histogram) in snapshots.items()
}
left.set(xlim=(-3.5, 3.5), ylim=(0, 1.0))
left.set_xlabel("x", style="italic")
slider(
    left,
    right,
    frames=frames,
    label="step",
    start=3,
    alt="Left: a histogram of points noised step by step and the exact density over it, from two "
    "peaks at step 0 to one bell at step 1000. Right: the share of data falls, that of noise "
    "rises.",
    caption="Grey: points noised one step at a time. Orange: the exact density, in one jump.",
)

# %% [markdown]
# Histogram and curve agree at every step, within what the number of points allows. Noise wins
# long before the last step. What is left of the data at the end depends on the schedule's curve
# and, once there are many steps, not on their number: the next cell refines one curve, from $0.1$
# to $20$ per unit of time, and compares with the limit that the bounds of
# `ddpm.alpha_bar_vanishes` give.

# %%
limit = math.exp(-(0.1 + 20) / 2)
for T in (50, 100, 1000, 10_000):
    left_over = linear_schedule(T, 0.1 / T, 20 / T).alpha_bar[-1].item()
    print(f"T = {T:6d}: alpha_bar_T = {left_over:.3e}")
print(f"exp(-∫ beta):          {limit:.3e}")
assert abs(left_over / limit - 1) < 0.01

# %% [markdown]
# ## Where does a step back lead, if the data were known?
#
# The posterior of the previous step weighs two sources: where $x_0$ would have been carried, and
# where $x_t$ can have come from. Ten steps of the cosine schedule, $x_0 = 1$ and $x_t = -0.5$;
# the product of the two densities, normalised on the grid, is compared with the closed form
# `ddpm.posterior`.

# %%
few = cosine_schedule(10)
x0, x_t = torch.tensor([1.0]), torch.tensor([-0.5])
panel = axes(width=4.6, height=2.8, title="density of x at step t − 1")
frames = {}
print(" t   weights of x_0, x_t     mean  variance")
for t in range(2, 11):
    beta = few.beta[t]
    from_data = normal(grid, few.alpha[t - 1] * x0, few.sigma[t - 1] ** 2)
    from_x_t = normal(x_t, torch.sqrt(1 - beta) * grid, beta)  # as a function of x_{t-1}
    from_x_t = from_x_t / (from_x_t.sum() * dx) if t < 10 else from_x_t
    product = from_data * from_x_t
    product = product / (product.sum() * dx)
    mean, variance = ddpm.posterior(x_t, x0, t, few)
    assert (product - normal(grid, mean, variance)).abs().max() < 1e-9
    one, zero = torch.ones(1), torch.zeros(1)
    weights = [ddpm.posterior(*pair, t, few).mean.item() for pair in ((zero, one), (one, zero))]
    print(f"{t:2d} {weights[0]:13.3f} {weights[1]:7.3f} {mean.item():9.3f} {variance.item():9.4f}")
    frames[f"t = {t}"] = [
        *panel.plot(grid[::7], from_data[::7], color=BLUE),
        *panel.plot(grid[::7], from_x_t[::7], color=GREEN),
        panel.fill_between(grid[::7], product[::7], color=ORANGE, alpha=0.25, lw=0),
        *panel.plot(grid[::7], product[::7], color=ORANGE),
    ]
panel.plot(x0, [0], "o", color=BLUE, markersize=5, clip_on=False)
panel.plot(x_t, [0], "o", color=GREEN, markersize=5, clip_on=False)
panel.set(xlim=(-3.5, 3.5), ylim=(0, 2.6))
panel.set_xlabel("x", style="italic")
for height, name, color in (
    (2.4, "from the data", BLUE),
    (2.15, "from the next step", GREEN),
    (1.9, "posterior", ORANGE),
):
    panel.text(-3.4, height, name, color=color, fontsize=9)
slider(
    panel,
    frames=frames,
    label="step",
    start=3,
    alt="Three densities of the previous step: one around the scaled data point, one around the "
    "rescaled later point, and the posterior between them, narrower than both.",
    caption="The posterior is narrower than either source. Dots: the data point (blue) and x at "
    "step t.",
)

# %% [markdown]
# Near the data the source that comes from $x_0$ is the sharper one and decides; later $x_t$
# counts for more. The last step of this schedule has $\beta_{10} = 0.999$: there $x_t$ tells
# almost nothing, and the weight goes down again. The two weights do not sum to one, since data
# shrink on their way to noise.

# %% [markdown]
# ## Is the true step back normal?
#
# The data are *not* known, and the true reverse step is the posterior averaged over all of them.
# On the grid it can be written down: $q(x_{t-1})\, q(x_t \mid x_{t-1})$, normalised. The model
# takes a normal instead. The slider shows the step at half time, for chains of different length,
# from the point between the modes that may have come from either. The cost is the KL from the
# true step to the normal with its mean and variance, averaged over $x_t$ and summed over the
# steps.


# %%
def reverse_step(t, schedule):
    """The true q(x_{t-1} | x_t) on the grid, one column for each x_t, and the density of x_t."""
    before, after = (
        data.log_prob(grid, schedule.alpha[s].item(), schedule.sigma[s].item()).exp()
        for s in (t - 1, t)
    )
    beta = schedule.beta[t]
    joint = before[:, None] * normal(grid[None, :], torch.sqrt(1 - beta) * grid[:, None], beta)
    return joint / (joint.sum(0) * dx), after


lengths = [2, 4, 8, 16, 32]
cost, examples = [], {}
print("steps   KL to the best normals, nats")
for T in lengths:
    cosine = cosine_schedule(T)
    cost.append(0.0)
    for t in range(1, T + 1):
        true, after = reverse_step(t, cosine)
        mean = (grid[:, None] * true).sum(0) * dx
        variance = (grid[:, None] ** 2 * true).sum(0) * dx - mean**2
        # With the best guess of the noise, the model's mean is the mean of the true step.
        eps = data.eps(grid, *cosine.coefficients(t, grid))
        of_model = ddpm.posterior_mean_from_eps(grid, eps, t, cosine)
        assert (of_model - mean)[after > 1e-3].abs().max() < 1e-4
        best = normal(grid[:, None], mean, variance)
        some = true > 1e-12
        log_ratio = torch.log(torch.where(some, true, 1.0) / torch.where(some, best, 1.0))
        cost[-1] += ((true * log_ratio).sum(0) @ after).item() * dx.item() ** 2
        if t == T // 2:
            share = data.responsibilities(grid, *cosine.coefficients(t, grid))[:, 0]
            between = (share - 0.5).abs().argmin()
            examples[T] = (true[:, between], best[:, between])
    print(f"{T:5d} {cost[-1]:25.4f}")
assert cost == sorted(cost, reverse=True)

# %%
left, right = (
    axes(title="density one step earlier"),
    axes(title="KL to the best normals, nats"),
)
right.loglog(lengths, cost, "o-", color=ORANGE, markersize=4)
right.minorticks_off()
right.set_yticks([0.01, 0.1], ["0.01", "0.1"])
frames = {
    f"{T} steps": [
        left.fill_between(grid[::7], true[::7], color=INK, alpha=0.2, lw=0),
        *left.plot(grid[::7], best[::7], color=ORANGE),
        *right.plot(T, cost[i], "o", color=ORANGE, markersize=8),
    ]
    for i, (T, (true, best)) in enumerate(examples.items())
}
left.set(xlim=(-3, 3), ylim=(0, 1.5))
left.set_xlabel("previous x")
right.set(xlabel="steps of the chain")
right.set_xticks(lengths, [str(T) for T in lengths])
slider(
    left,
    right,
    frames=frames,
    label="chain",
    start=1,
    alt="Left: the true reverse step has two peaks in a short chain and becomes one bell in a long"
    " one. Right: its KL to the best normal falls with the number of steps.",
    caption="One step back at half time: the true density (grey), and the normal with its mean and"
    " variance.",
)

# %% [markdown]
# In a chain of two steps the true step back has two peaks, one for each mode of the data, and no
# normal is close. The longer the chain, the smaller the step and the more normal it is. This, and
# nothing about networks, is why a diffusion model of this kind needs many steps.

# %% [markdown]
# ## How many steps do good samples need?
#
# The same seen in the samples: the exact noise is used as the prediction, so whatever is wrong
# comes from the steps. On the line the sampler's distribution can be computed without samples, by
# pushing the density through each step on the grid. Its distance from the data is $W_1$, the area
# between the two distribution functions, for both reverse variances of the paper, $\beta_t$ and
# the posterior's.


# %%
def exact_eps(mixture, schedule):
    """The best possible network: the mean of the noise given x_t."""

    def model(x, t):
        return mixture.eps(x, *schedule.coefficients(t, x))

    return model


def pushed_forward(T, variance):
    """The places y and the distribution function there of what the sampler returns."""
    schedule = cosine_schedule(T)
    model = exact_eps(data, schedule)
    density = normal(grid, torch.tensor(0.0), torch.tensor(1.0))
    for t in range(T, 1, -1):
        eps = model(grid, torch.full(grid.shape, t))
        mean = ddpm.posterior_mean_from_eps(grid, eps, t, schedule)
        step = normal(grid[:, None], mean, ddpm.reverse_variance(schedule, variance)[t])
        density = (step @ density) * dx
        assert abs(density.sum() * dx - 1) < 1e-4
    # The last step returns the mean, an increasing function of x_1.
    eps = model(grid, torch.full(grid.shape, 1))
    mean = ddpm.posterior_mean_from_eps(grid, eps, 1, schedule)
    return mean, distribution_function(density)


cdf_data = distribution_function(data.log_prob(grid).exp())
lengths = [4, 8, 16, 32, 64]
distance = {"beta": [], "posterior": []}
for variance, values in distance.items():
    for T in lengths:
        cdf = interpolate(grid, *pushed_forward(T, variance))
        values.append(((cdf - cdf_data).abs().sum() * dx).item())
print("W1 to the data, exact, without a sample:")
print("steps    " + "".join(f"{T:7d}" for T in lengths))
for variance, values in distance.items():
    print(f"{variance:9s}" + "".join(f"{value:7.4f}" for value in values))
    assert values == sorted(values, reverse=True)

T, n = 16, 20_000
samples = ddpm.sample(
    exact_eps(data, cosine_schedule(T)), (n,), cosine_schedule(T), generator=generator,
    dtype=torch.float64,
)  # fmt: skip
error = off(samples, *pushed_forward(T, "beta"))
print(f"{n} draws of ddpm.sample, {T} steps:\noff this distribution by {error:.4f}")
assert error < 2.2 / math.sqrt(n)

# %% [markdown]
# And in the plane, with the same starting noise for every number of steps:

# %%
ring = GaussianMixture.ring(8, radius=1.3, std=0.12)
start_noise = torch.randn(330, 2, generator=generator)
panels = {
    "beta": axes(3.3, 3.3, title="variance β"),
    "posterior": axes(3.3, 3.3, title="posterior variance"),
}
frames = {}
for T in (2, 4, 8, 16, 32, 128):
    cosine = cosine_schedule(T)
    frames[f"{T}"] = []
    for variance, panel in panels.items():
        points = ddpm.sample(
            exact_eps(ring, cosine), start_noise.shape, cosine, start=start_noise,
            variance=variance, generator=generator, dtype=torch.float64,
        )  # fmt: skip
        frames[f"{T}"] += panel.plot(*points.T, ".", color=BLUE, markersize=2.5)
for panel in panels.values():
    panel.plot(*ring.means.T, "+", color=ORANGE, markersize=7)
    panel.set(
        xlim=(-2.1, 2.1), ylim=(-2.1, 2.1), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2]
    )
slider(
    *panels.values(),
    frames=frames,
    label="steps",
    start=2,
    alt="Samples of a ring of eight clusters for 2 to 128 steps, once with each reverse variance; "
    "with few steps they are smeared or shrunk, with many they form the eight clusters.",
    caption="Dots: samples with exact noise prediction. Crosses: the eight means.",
)

# %%
panel = axes(width=4.2, title="W₁ to the data")
for values, color, name in zip(
    distance.values(), (BLUE, ORANGE), ("variance β", "posterior variance"), strict=True
):
    panel.loglog(lengths, values, "o-", color=color, markersize=4)
    panel.text(lengths[-1] * 1.1, values[-1], name, color=color, fontsize=9, va="center")
panel.minorticks_off()
panel.set(xlabel="steps")
panel.set_xticks(lengths, [str(T) for T in lengths])
panel.set_yticks([0.01, 0.03, 0.1, 0.3], ["0.01", "0.03", "0.1", "0.3"])
figure(
    panel,
    alt="Distance to the data against the number of steps on double logarithmic axes, for both "
    "variances; both fall.",
    caption="Exact distances, without network and without sampling error.",
)

# %% [markdown]
# Both variances lead to the data as the chain grows, the distance falling nearly in inverse
# proportion to the number of steps. For these data $\beta_t$ is the better choice at every length;
# the next experiment says why.

# %% [markdown]
# ## Which variance is best?
#
# The optimal reverse variance is the smallest mean squared error with which $x_t$ tells
# $x_{t-1}$. For data of variance one it lies between the two choices of the paper:
#
# {{ ddpm.optimal_variance[lower] }}
#
# {{ ddpm.optimal_variance[upper] }}
#
# Both ends are attained, by a single point and by a normal. Where in between it is, for data
# between those two, the grid tells.


# %%
def optimal_variance(mixture, t, schedule):
    """The posterior variance, plus what is not known about the data."""
    alpha, sigma = schedule.coefficients(t, wide)
    density = mixture.log_prob(wide, alpha, sigma).exp() * (wide[1] - wide[0])
    denoised = mixture.denoiser(wide, alpha, sigma)
    second_moment = mixture.covariance + mixture.mean**2
    unknown = second_moment - (density * denoised**2).sum()
    k_0 = ddpm.posterior(torch.zeros(1), torch.ones(1), t, schedule).mean
    return (ddpm.reverse_variance(schedule, "posterior")[t] + k_0**2 * unknown).item()


wide = torch.linspace(-9, 9, 6001)
schedule = cosine_schedule(50)
steps = range(3, 51)
families = {
    "one point": GaussianMixture([1.0], [0.7], std=0.0),
    "modes of std 0.1": standard_pair(0.1),
    "modes of std 0.3": standard_pair(0.3),
    "modes of std 0.5": standard_pair(0.5),
    "normal": GaussianMixture([1.0], [0.0], std=1.0),
}
low, high = (ddpm.reverse_variance(schedule, name) for name in ("posterior", "beta"))
places = {
    name: torch.tensor(
        [(optimal_variance(m, t, schedule) - low[t]) / (high[t] - low[t]) for t in steps]
    )
    for name, m in families.items()
}
assert places["one point"].abs().max() < 1e-9
assert (places["normal"] - 1).abs().max() < 1e-7
assert all(((0 <= place + 1e-9) & (place <= 1 + 1e-7)).all() for place in places.values())
print("where the optimal variance lies,")
print("0 posterior's, 1 beta: smallest  largest")
for name, place in places.items():
    print(f"{name:17s} {place.min().abs():8.3f}  {place.max():7.3f}")
print(f"ratio of the ends: {low[3] / high[3]:.2f} (step 3), {low[50] / high[50]:.3f} (step 50)")

# %%
panel = axes(width=4.6, height=2.8, title="place between the two ends")
for (name, place), color, dash in zip(
    places.items(), (INK, BLUE, ORANGE, GREEN, INK), ("-", "-", "-", "-", "--"), strict=True
):
    panel.plot(steps, place, color=color, ls=dash)
    where = {"modes of std 0.1": 9, "modes of std 0.3": 11, "modes of std 0.5": 13}.get(name)
    if where is None:
        panel.text(50.5, place[-1], name, fontsize=9, va="center")
    else:
        panel.text(where, place[where - 3] - 0.03, name.removeprefix("modes of "), color=color,
                   fontsize=9, va="top")  # fmt: skip
panel.set(xlabel="step t", ylim=(-0.05, 1.05), yticks=[0, 1], xlim=(0, 50))
panel.set_yticks([0, 1], ["posterior", "β"])
figure(
    panel,
    alt="Place of the optimal variance between the posterior variance and beta at every step, for "
    "five data sets.",
    caption="Data of two modes, with variance one, for three widths of the modes; a single point"
    " and a normal are the two ends.",
)

# %% [markdown]
# Wherever the modes are not resolved yet, at large $t$, the optimal variance is close to
# $\beta_t$: seen through much noise all data look normal. Where a mode is resolved, its width
# decides. The two ends differ by much only at the first steps, as the last line of the output
# says, which is why the choice hardly matters in long chains.

# %% [markdown]
# ## What does each step of the bound cost?
#
# The negative ELBO is a sum over steps (`ddpm.negative_elbo`), and the negative log-likelihood is
# known here, on average the entropy of the mixture. What the bound has too much is what the
# normal steps lose.

# %%
x0 = ring.sample(3000, generator=generator, stratified=True, dtype=torch.float64)
entropy = -ring.log_prob(x0).mean().item()
print(f"mean of -log p(x_0): {entropy:.3f} nats")
print("steps  bound  too much by     L_T      L_0")
lengths, totals, terms = [10, 30, 100, 300], [], {}
for T in lengths:
    cosine = cosine_schedule(T)
    parts = ddpm.bound_terms(exact_eps(ring, cosine), x0, cosine, generator=generator)
    excess = parts.total + ring.log_prob(x0)
    error = excess.std().item() / math.sqrt(len(x0))
    totals.append(excess.mean().item())
    terms[T] = parts.transitions.mean(1)
    print(
        f"{T:5d} {parts.total.mean():6.3f} {totals[-1]:6.3f} ± {error:.3f} "
        f"{parts.prior.mean():7.0e} {parts.reconstruction.mean():8.3f}"
    )
    assert totals[-1] > -4 * error
assert totals == sorted(totals, reverse=True)

# %%
panel = axes(width=4.6, height=2.8, title="nats a unit of time")
for T, color, at in ((10, BLUE, 0.6), (30, ORANGE, 0.12), (300, GREEN, 0.3)):
    time = torch.arange(2, T + 1) / T
    panel.plot(time, terms[T] * T, color=color)
    lift = 1.3 if T < 300 else 0.6
    i = round(at * T) - 2
    panel.text(at, terms[T][i] * T * lift, f"{T} steps", color=color, fontsize=9,
               va="bottom" if T < 300 else "top", ha="left" if T < 300 else "right")  # fmt: skip
panel.set(xlabel="time t/T", yscale="log", xlim=(0, 1))
panel.minorticks_off()
panel.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
figure(
    panel,
    alt="The terms of the bound against time for chains of 10 to 300 steps; the curves for long "
    "chains coincide.",
    caption="Each term of the bound, times the number of steps.",
)

# %% [markdown]
# Longer chains have more terms and each is smaller, so that per unit of time they approach one
# curve. The sum falls towards the negative log-likelihood and stays above it. Most of it is paid
# near the data, where there is detail to get right; the prior's term is nothing.

# %% [markdown]
# ## References
#
# - [@ho2020ddpm]: the chain, the two variances, the bound.
# - [@nichol2021improved]: the cosine schedule.
# - [@bao2022analytic]: the optimal variance.
# - [@sohldickstein2015deep]: why the reverse step becomes normal.
