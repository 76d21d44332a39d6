# %% [markdown]
# # Laboratory: Likelihood
#
# Six questions about fitting densities. In all but the fifth the data come from densities that are
# known, so that the answer can be compared with the truth.

# %%
import math

import torch
from torch.distributions import Normal

from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure
from genmath.likelihood import (
    bits_per_dim,
    dequantization_bound,
    fit,
    fit_mixture,
    fit_ppca,
    kde_log_prob,
    kmeans,
    roc,
)
from genmath.toys import GaussianMixture, digits

generator = torch.Generator().manual_seed(0)


def draw(*shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


# %% [markdown]
# ## How wrong is a fit from few examples?
#
# Fit a normal density to $n$ draws from a standard normal, ten thousand times. The mean is right
# on average, the variance is too small by the factor $(n - 1)/n$ (`likelihood.variance_bias`), and
# the variance of the fitted mean is the Cramér–Rao bound $1/n$ (`likelihood.cramer_rao`).

# %%
print("  n   mean of s²   (n − 1)/n    n · variance of the mean")
for n in (2, 3, 5, 10, 50):
    best = fit(draw(n, 10_000))
    mean_variance, spread = best.variance.mean().item(), best.mean.var().item()
    print(f"{n:3d} {mean_variance:11.3f} {(n - 1) / n:11.3f} {n * spread:18.3f}")
    assert abs(mean_variance - (n - 1) / n) < 5 * best.variance.std().item() / 100
    assert abs(n * spread - 1) < 0.08

# %% [markdown]
# ## Where does EM end?
#
# Data from three groups in the plane, with known density. EM starts from
# `genmath.likelihood.kmeans`, eight times for each number of components, with other random numbers
# each time. The likelihood never falls; where it ends differs.

# %%
truth = GaussianMixture([0.5, 0.3, 0.2], [[-2.0, 0.0], [2.0, 0.5], [0.5, 2.2]], std=[0.8, 0.5, 0.4])
used = truth.sample(300, generator=generator, dtype=torch.float64)
new = truth.sample(3000, generator=generator, dtype=torch.float64)
ends = {}
for k in range(1, 8):
    fits = [fit_mixture(used, k, generator=generator, tolerance=1e-5, floor=1e-3) for _ in range(8)]
    ends[k] = [(f.log_likelihood[-1].item(), f.mixture.log_prob(new).mean().item()) for f in fits]
exact = truth.log_prob(new).mean().item()
print(" K   best on used   of all starts on new")
for k, values in ends.items():
    on_new = [b for _, b in values]
    print(f"{k:2d} {max(a for a, _ in values):12.3f} {min(on_new):14.3f} … {max(on_new):.3f}")
print(f"the truth on new data: {exact:.3f}")
assert max(b for values in ends.values() for _, b in values) < exact + 0.02
assert abs(max(ends[3])[1] - exact) < 0.05

# %%
panel = axes(width=4.6, height=2.6, title="mean log-likelihood, nats")
for k, values in ends.items():
    panel.plot([k] * len(values), [a for a, _ in values], "o", color=BLUE, markersize=4)
    panel.plot([k + 0.12] * len(values), [b for _, b in values], "o", color=ORANGE, markersize=4)
panel.axhline(exact, color=INK, lw=0.8, ls=":")
panel.text(5.4, exact + 0.02, "the truth, on new data", fontsize=9)
panel.text(1.3, ends[1][0][0] + 0.06, "used", color=BLUE, fontsize=9)
panel.text(1.3, ends[1][0][0] - 0.1, "new", color=ORANGE, fontsize=9)
panel.set(xlabel="components")
figure(
    panel,
    alt="Against the number of components: the log-likelihood on the data used rises with "
    "each component; on new data it is highest at three and four and falls slowly after.",
    caption="Eight starts for each number of components. On the data used more is better; on new "
    "data three are enough.",
)

# %% [markdown]
# The likelihood on the used data rises with every component and says nothing about how many there
# are. On new data the best mixture comes closest to the truth with three or four components and
# loses a little with each further one. Some starts end in a worse place than others.

# %% [markdown]
# ## Hard or soft?
#
# Two groups of different widths. k-means cuts in the middle between its centres. The wide group
# loses its outer part to the narrow one, and the centre of the narrow group moves.

# %%
pair = GaussianMixture([0.7, 0.3], [[0.0], [3.0]], std=[1.2, 0.3])
line = pair.sample(4000, generator=generator, dtype=torch.float64)
hard = kmeans(line, 2, generator=generator)
soft = fit_mixture(
    line, 2, start=GaussianMixture([0.5, 0.5], hard.centres, std=0.5), tolerance=1e-9
)
print("           centres          ")
print("truth      0.000   3.000")
print("k-means " + "".join(f"{c:8.3f}" for c in sorted(hard.centres.flatten().tolist())))
print("EM      " + "".join(f"{c:8.3f}" for c in sorted(soft.mixture.means.flatten().tolist())))
wrong_hard, wrong_soft = (
    (centres.sort(0).values - pair.means).abs().max().item()
    for centres in (hard.centres, soft.mixture.means)
)
assert wrong_soft < 0.1 < wrong_hard

# %% [markdown]
# ## How wide should the bumps be?
#
# A kernel density estimate from 200 examples, on new data. Its mean is the smoothed density
# (`likelihood.kernel_density`), so it falls short of the truth by a bias, from wide bumps, and by
# chance, from narrow ones.

# %%
source = GaussianMixture([0.4, 0.6], [-1.5, 1.0], std=[0.4, 0.6])
examples = source.sample(200, generator=generator, dtype=torch.float64)
fresh = source.sample(2000, generator=generator, dtype=torch.float64)
widths = [0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8, 1.2]
scores = [kde_log_prob(fresh, examples, bandwidth=h).mean().item() for h in widths]
smooth = [source.log_prob(fresh, 1.0, h).mean().item() for h in widths]
ceiling = source.log_prob(fresh).mean().item()
best_width = widths[scores.index(max(scores))]
print(f"best bandwidth {best_width}: {max(scores):.3f} nats; the truth has {ceiling:.3f}")
assert max(scores) < ceiling
assert 0.1 <= best_width <= 0.3

panel = axes(width=4.6, height=2.5, title="mean log-density of new data")
panel.axhline(ceiling, color=INK, lw=0.8, ls=":")
panel.semilogx(widths, scores, "o-", color=ORANGE, markersize=4)
panel.semilogx(widths, smooth, color=BLUE)
panel.text(0.35, smooth[5] + 0.05, "smoothed truth", color=BLUE, fontsize=9)
panel.text(0.035, scores[1] - 0.12, "from 200 examples", color=ORANGE, fontsize=9)
panel.minorticks_off()
panel.set_xticks([0.03, 0.1, 0.3, 1], ["0.03", "0.1", "0.3", "1"])
panel.set(xlabel="bandwidth")
figure(
    panel,
    alt="Against the bandwidth: the estimate from examples rises to a top near 0.2 and falls; "
    "the smoothed true density starts at the ceiling and falls.",
    caption="Blue: what infinitely many examples would give. The distance to it is chance, the "
    "distance of blue from the dotted line is bias.",
)

# %% [markdown]
# ## What does noise on pixels cost?
#
# The digits of 8 × 8 pixels have levels 0 to 16. Probabilistic PCA is fitted to them with uniform
# noise added. Its log-density of noisy digits is a lower bound of a model of the levels
# (`likelihood.dequantization`); the units matter.

# %%
table = digits(low=0.0, dtype=torch.float64)
levels = (table.train.flatten(1) * 16).round()
held = (table.test.flatten(1) * 16).round()
noisy = levels + torch.rand(levels.shape, generator=generator, dtype=torch.float64)
print("kept dimensions   bits per dimension of new digits, at most")
found = {}
for latent in (1, 5, 10, 20, 40):
    model = fit_ppca(noisy, latent)
    bound = dequantization_bound(model.log_prob, held, generator=generator, k=4)
    found[latent] = bits_per_dim(-bound.mean(), 64).item()
    print(f"{latent:15d} {found[latent]:10.3f}")
uniform = math.log2(17)
print(f"all levels equally likely: {uniform:.3f}")
assert found[40] < found[20] < found[5] < uniform

# %% [markdown]
# One direction and one variance for all the rest is no better than to call all levels equally
# likely: most pixels near the border are always zero, and a model with the same noise everywhere
# cannot say so. The variance of the rest is its mean over all that is left out
# (`likelihood.ppca_noise`); with every direction that is kept the rest is quieter.

# %% [markdown]
# ## Which score finds what is strange?
#
# In 100 dimensions, good examples are standard normal. Faulty ones are *too quiet*: standard
# deviation 0.8. Their density under the good model is *higher* than that of nearly every good
# example. The log-density as a score for strangeness ranks them last; the distance of the
# log-density from its typical value finds them; the likelihood ratio is best
# (`likelihood.neyman_pearson`).

# %%
good, quiet, loud = draw(2000, 100), 0.8 * draw(2000, 100), 1.2 * draw(2000, 100)
law = Normal(torch.tensor(0.0).double(), 1.0)


def log_density(x, std=1.0):
    return (law.log_prob(x / std) - math.log(std)).sum(1)


typical = log_density(good).mean()
print("area under the ROC curve      too quiet   too loud")
areas = {}
for name, score in (
    ("small density", lambda x, std: -log_density(x)),
    ("untypical density", lambda x, std: (log_density(x) - typical).abs()),
    ("likelihood ratio", lambda x, std: log_density(x, std) - log_density(x)),
):
    areas[name] = [
        roc(score(faulty, std), score(good, std)).area.item()
        for faulty, std in ((quiet, 0.8), (loud, 1.2))
    ]
    print(f"{name:28s} {areas[name][0]:9.3f} {areas[name][1]:10.3f}")
assert areas["small density"][0] < 0.05
assert areas["likelihood ratio"][0] >= areas["untypical density"][0] > 0.9

# %%
length = good.norm(dim=1)
panel = axes(width=4.6, height=2.4, title="length of an example")
for x, color, name, at in (
    (quiet, PURPLE, "too quiet", 7.2),
    (good, INK, "good", 9.8),
    (loud, GREEN, "too loud", 11.6),
):
    panel.hist(x.norm(dim=1), bins=40, color=color, alpha=0.4, density=True)
    panel.text(at, 0.68, name, color=color, fontsize=9)
panel.set(yticks=[], xlim=(0, 14.5), ylim=(0, 0.85))
figure(
    panel,
    alt="Three narrow hills over the length of an example: the quiet ones near 8, the good "
    "ones near 10, the loud ones near 12; nothing near zero.",
    caption="All three lie on shells. The density of the good model is highest at length 0, where "
    "nothing is.",
)

# %% [markdown]
# ## References
#
# - [@dempster1977maximum]: EM.
# - [@parzen1962estimation]: bumps.
# - [@nalisnick2019deep]: strange examples of high density.
