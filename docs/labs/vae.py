# %% [markdown]
# # Laboratory: Variational autoencoders
#
# Seven questions about the evidence lower bound. Where they can, they use models with a known
# truth: linear ones by formula, and one with a code of two numbers by a sum over a grid of codes.
# Digits have no such truth, except for the model that ignores its code.

# %%
import math
from functools import partial

import torch

from genmath.divergences import gaussian_kl
from genmath.figures import BLUE, GREEN, INK, ORANGE, axes, figure, ramp, slider
from genmath.nets import MLP
from genmath.toys import GaussianMixture, digits
from genmath.vae import VAE, elbo, gaussian_log_likelihood, interpolate, iwae_bound

generator = torch.Generator().manual_seed(0)
double = partial(torch.tensor, dtype=torch.float64)

# %% [markdown]
# ## What closes the gap?
#
# The smallest model with a code: $z \sim N(0, 1)$ and $x \mid z \sim N(w z, s^2)$. Its evidence
# is normal, and so is the posterior of the code, so every term is a formula. One observation, one
# normal encoder $q$ that starts as the prior, gradient steps on the bound. At each of them the
# bound and the gap must add up to the log-evidence:
#
# {{ vae.decomposition }}

# %%
w, s, x = 1.5, 0.8, double([[2.0]])
evidence_variance = w**2 + s**2
log_evidence = gaussian_log_likelihood(0 * x, x, log_var=math.log(evidence_variance)).item()
posterior_mean, posterior_variance = w * x / evidence_variance, s**2 / evidence_variance
posterior_log_var = double([[math.log(posterior_variance)]])


def bound(mean, log_var):
    """The ELBO of x, exactly: the mean of log p(x|z) under q has a correction for q's variance."""
    log_likelihood = gaussian_log_likelihood(w * mean, x, log_var=2 * math.log(s))
    return elbo(log_likelihood - w**2 * log_var.exp().sum(1) / (2 * s**2), mean, log_var)


q = torch.zeros(2, 1, 1, dtype=torch.float64, requires_grad=True)  # mean and log-variance
path = []
for _ in range(121):
    terms = bound(*q)
    gap = gaussian_kl(*q.detach(), posterior_mean, posterior_log_var)
    assert abs(terms.total + gap - log_evidence) < 1e-12
    path.append((*q.detach().flatten().tolist(), terms.total.item(), gap.item()))
    (gradient,) = torch.autograd.grad(terms.total.sum(), q)
    with torch.no_grad():
        q += 0.1 * gradient
print(f"log-evidence {log_evidence:.4f} nats")
print("step    mean     std     bound      gap")
for i in (0, 5, 20, 120):
    mean, log_var, total, gap = path[i]
    print(f"{i:4d} {mean:7.3f} {math.exp(log_var / 2):7.3f} {total:9.4f} {gap:8.4f}")
assert path[-1][3] < 1e-3

# %%
left, right = axes(title="density of the code z"), axes(title="nats")
z = torch.linspace(-3.2, 3.2, 161, dtype=torch.float64)


def density(mean, log_var):
    points = z[:, None]
    return gaussian_log_likelihood(mean + 0 * points, points, log_var=log_var).exp()


left.fill_between(z, density(posterior_mean, posterior_log_var), color=INK, alpha=0.15, lw=0)
left.text(1.7, 0.7, "posterior", fontsize=9)
left.set(xlim=(-3.2, 3.2), ylim=(0, 1.0))
left.set_xlabel("z", style="italic")
shown = range(21)
right.axhline(log_evidence, color=INK, lw=0.8, ls=":")
right.text(20.4, log_evidence + 0.1, "log-evidence", fontsize=9, va="center")
right.plot(shown, [path[i][2] for i in shown], color=ORANGE)
right.text(20.4, path[20][2] - 0.35, "bound", color=ORANGE, fontsize=9, va="center")
right.set(xlabel="gradient step", xlim=(-0.5, 20))
frames = {}
for i in shown:
    mean, log_var, total, gap = path[i]
    frames[f"{i}, gap {gap:.3f} nats"] = [
        *left.plot(z, density(mean, log_var), color=ORANGE),
        *right.plot([i, i], [total, log_evidence], color=BLUE, lw=2),
        *right.plot(i, total, "o", color=ORANGE, markersize=5),
    ]
slider(
    left,
    right,
    frames=frames,
    label="gradient step",
    alt="Left: the encoder's density moves from the prior onto the shaded posterior. Right: the "
    "bound rises to the log-evidence, and the gap between them shrinks to nothing.",
    caption="Orange: the encoder and its bound. Blue: the gap, its KL divergence to the posterior.",
)

# %% [markdown]
# The model never changes here, so the log-evidence does not; raising the bound can only shrink
# the gap, and at the end the encoder *is* the posterior. With a normal posterior and a normal
# encoder nothing is left. In the third experiment something will be.

# %% [markdown]
# ## What do more draws buy?
#
# Keep an encoder that is wrong, and average $k$ weights before taking the logarithm (`vae.iwae`).
# One weight is the ELBO (`vae.iwae_one`); more weights can only help (`vae.iwae_increases`). The
# same model as a `genmath.vae.VAE` with fixed weights:


# %%
def frozen(encoder_mean, encoder_std):
    """The linear model above with the encoder N(encoder_mean x, encoder_std²), whatever x is."""
    encoder, decoder = torch.nn.Linear(1, 2), torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        encoder.weight.copy_(double([[encoder_mean], [0.0]]))
        encoder.bias.copy_(double([0.0, 2 * math.log(encoder_std)]))
        decoder.weight.fill_(w)
    likelihood = partial(gaussian_log_likelihood, log_var=2 * math.log(s))
    return VAE(encoder, decoder, 1, likelihood).double()


ks = [1, 2, 4, 8, 16, 32, 64, 128]
encoders = {"the prior": (0.0, 1.0), "half-way": (0.26, 0.7)}
bounds = {}
columns = [ks.index(k) for k in (1, 4, 16, 128)]
print("k           " + "".join(f"{ks[i]:8d}" for i in columns))
for name, (slope, std) in encoders.items():
    model = frozen(slope, std)
    with torch.no_grad():
        weights = model.log_weights(x.expand(4000, 1), 128, generator=generator)
    estimates = [iwae_bound(weights[:k]) for k in ks]
    bounds[name] = [estimate.mean().item() for estimate in estimates]
    errors = [estimate.std().item() / math.sqrt(4000) for estimate in estimates]
    exact = bound(slope * x, double([[2 * math.log(std)]])).total.item()
    assert abs(bounds[name][0] - exact) < 5 * errors[0]
    assert all(b < log_evidence + 5 * e for b, e in zip(bounds[name], errors, strict=True))
    assert bounds[name] == sorted(bounds[name])
    print(f"{name:12s}" + "".join(f"{bounds[name][i]:8.3f}" for i in columns))
print(f"log-evidence{log_evidence:8.3f}")
share = (estimates[0] > log_evidence).double().mean().item()
print(f"half-way, k = 1: {share:.0%} of the draws lie above it")

# %%
panel = axes(width=4.2, title="bound, nats")
panel.axhline(log_evidence, color=INK, lw=0.8, ls=":")
panel.text(140, log_evidence + 0.12, "log-evidence", fontsize=9, va="center")
styles = zip(bounds.items(), (BLUE, ORANGE), (-4.7, -4.2), strict=True)
for (name, values), color, height in styles:
    panel.semilogx(ks, values, "o-", color=color, markersize=4)
    panel.text(8, height, f"encoder: {name}", color=color, fontsize=9)
panel.set(xlabel="number of weights k", xlim=(0.9, 128))
panel.minorticks_off()
panel.set_xticks(ks, [str(k) for k in ks])
figure(
    panel,
    alt="The importance-weighted bound against the number of weights for two encoders; both rise "
    "to the log-evidence, the better encoder from higher up.",
    caption="Each point is a mean over 4000 groups of k draws.",
)

# %% [markdown]
# Both encoders end at the log-evidence, the worse one later: more draws make up for an encoder.
# The bound is one for the *mean*; single draws lie above the log-evidence quite often, as the
# last line says.

# %% [markdown]
# ## Where does the loss go in training?
#
# Eight clusters in the plane, a two-dimensional code, two small networks. The decoder's noise has
# the width of the clusters. The two terms of the bound are watched on test data. Their difference,
# the bound, has a ceiling: averaged over all data it is at most the mean log-density of the data's
# own density. It falls short of this by two gaps: the model's, and the encoder's. With a code of
# two numbers the evidence of the trained model is a sum over a grid of codes, so both are known.

# %%
ring = GaussianMixture.ring(8, radius=2.0, std=0.2)
log_var_x = 2 * math.log(0.2)
test = ring.sample(800, generator=generator, stratified=True)
ceiling = ring.log_prob(test).mean().item()
vae = VAE(
    MLP(2, hidden=64, layers=2, time=False, out=4, generator=generator),
    MLP(2, hidden=64, layers=2, time=False, generator=generator),
    2,
    partial(gaussian_log_likelihood, log_var=log_var_x),
)


def train(model, batch, steps, beta=1.0, lr=2e-3, watch=None):
    """Adam on the loss; at ever rarer steps the two terms on the data to watch."""
    watched = {round(1.15**i) - 1 for i in range(1 + int(math.log(steps + 1, 1.15)))} | {steps}
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    curve = []
    for i in range(steps + 1):
        if watch is not None and i in watched:
            with torch.no_grad():
                terms = model.elbo(watch, generator=generator)
            curve.append((i, terms.reconstruction.mean().item(), terms.kl.mean().item()))
        for group in optimiser.param_groups:
            group["lr"] = lr * min(1.0, 2 * (1 - i / (steps + 1)))  # constant, then down to nothing
        optimiser.zero_grad()
        model.loss(batch(), generator=generator, beta=beta).backward()
        optimiser.step()
    return curve


curve = train(vae, lambda: ring.sample(256, generator=generator), 3000, watch=test)

axis = torch.linspace(-4.5, 4.5, 151)
codes = torch.cartesian_prod(axis, axis)
log_prior = gaussian_log_likelihood(torch.zeros_like(codes), codes, log_var=0.0)
log_cell = 2 * math.log(axis[1] - axis[0])
with torch.no_grad():
    decoded = vae.decode(codes)


def log_evidence_of(points):
    """log p(x) of the trained model: the joint density summed over the grid of codes."""
    rows = []
    for part in points.split(100):
        distance = torch.cdist(part, decoded, compute_mode="donot_use_mm_for_euclid_dist") ** 2
        log_likelihood = -distance / (2 * math.exp(log_var_x)) - log_var_x - math.log(2 * math.pi)
        rows.append(torch.logsumexp(log_likelihood + log_prior, 1) + log_cell)
    return torch.cat(rows)


with torch.no_grad():
    of_elbo = torch.stack([vae.elbo(test, generator=generator).total for _ in range(50)]).mean(0)
    of_iwae = iwae_bound(vae.log_weights(test, 500, generator=generator))
    of_model = log_evidence_of(test)
print("mean over the test set, nats")
for name, value in (
    ("bound, ELBO", of_elbo.mean()),
    ("bound, 500 weights", of_iwae.mean()),
    ("log-evidence of the model", of_model.mean()),
    ("log-density of the data", ceiling),
):
    print(f"{name:26s} {value:7.3f}")
print(f"{'gap of the encoder':26s} {of_model.mean() - of_elbo.mean():7.3f}")
print(f"{'gap of the model':26s} {ceiling - of_model.mean():7.3f}")
error = of_elbo.std().item() / math.sqrt(len(test))
assert of_elbo.mean() < of_iwae.mean() < of_model.mean() + 0.01
assert abs(of_iwae.mean() - of_model.mean()) < 0.05
assert of_model.mean() < ceiling + 3 * error

# %%
left, right = axes(3.4, 3.0, title="nats, on test data"), axes(3.3, 3.0, title="codes of test data")
at, reconstruction, kl = (torch.tensor(values) for values in zip(*curve, strict=True))
left.axhline(ceiling, color=INK, lw=0.8, ls=":")
left.text(3300, ceiling + 0.5, "ceiling", fontsize=9, va="center")
for values, color, name, up in (
    (kl, GREEN, "KL", 0.0),
    (reconstruction, BLUE, "reconstruction", 0.3),
    (reconstruction - kl, ORANGE, "bound", -0.6),
):
    left.semilogx(at + 1, values, color=color)
    left.text(3300, values[-1] + up, name, color=color, fontsize=9, va="center")
left.minorticks_off()
left.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
left.set(
    xlabel="step of training", ylim=(-16, kl.max() + 1), xlim=(1, 3001), yticks=range(-15, 6, 5)
)
with torch.no_grad():
    mean, _ = vae.encode(test)
    which = ring.responsibilities(test, 1.0, 0.0).argmax(1)
right.plot(*mean[::2].T, ".", color=BLUE, markersize=2.5)
for k in range(8):
    right.text(*1.75 * mean[which == k].mean(0), str(k + 1), fontsize=10, ha="center", va="center")
right.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
figure(
    left,
    right,
    alt="Left, on a logarithmic axis of steps: the KL term rises from zero, the reconstruction "
    "term rises with it, and their difference, the bound, climbs towards the ceiling. Right: "
    "the codes form eight groups on a ring, in the order of the clusters.",
    caption="The two terms and the bound in training; where the encoder puts the clusters 1 to 8.",
)

# %%
left, right = axes(3.3, 3.3, title="data"), axes(3.3, 3.3, title="density of the model")
left.plot(*test.T, ".", color=INK, markersize=2)
for k, center in enumerate(ring.means):
    left.text(*0.6 * center, str(k + 1), fontsize=10, ha="center", va="center")
view = torch.linspace(-3, 3, 81)
points = torch.cartesian_prod(view, view)
image = log_evidence_of(points).exp().reshape(81, 81).T
total_mass = image.sum() * (view[1] - view[0]) ** 2
print(f"mass of the model in this square: {total_mass:.3f}")
assert 0.9 < total_mass < 1.01
right.imshow(
    image, extent=(-3, 3, -3, 3), origin="lower", cmap=ramp(BLUE), vmin=0, interpolation="none"
)
for panel in (left, right):
    panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
figure(
    left,
    right,
    alt="Left: data in eight numbered clusters on a ring. Right: the density of the trained model, "
    "highest at the same eight places, with bridges between neighbours.",
    caption="The bridges are codes between two groups: a continuous decoder cannot jump.",
)

# %% [markdown]
# In the first steps the decoder ignores the code: the KL term is small and the reconstruction is
# poor. Then both rise together, since information about $x$ has to be paid for; the price falls
# again while the reconstruction stays. The bound ends below its ceiling, and the exact evidence
# says how the rest is shared: part is the encoder's, whose normal is not the true posterior, and
# part the model's, the bridges in the picture. The importance-weighted bound, at 500 draws, is
# the evidence again, up to a hundredth of a nat.

# %% [markdown]
# ## From autoencoder to collapse: what does β set?
#
# For normal data and linear networks the best encoder and decoder for a $\beta$ are known. A
# direction of the data with variance $\lambda$ is used as long as $\lambda > \beta s^2$, with $s$
# the decoder's noise; it is then reconstructed up to an error of $\beta s^2$ and costs $\frac12
# \log (\lambda / \beta s^2)$ nats of KL. Beyond that it *collapses*: no KL, and an error of
# $\lambda$. This is the rate-distortion curve of a normal source. A linear VAE in two dimensions
# is trained for fourteen values of $\beta$.

# %%
lambdas = torch.tensor([4.0, 0.5])
s2 = 0.25
normal_data = torch.randn(4000, 2, generator=generator)
normal_data = normal_data - normal_data.mean(0)
whiten = torch.linalg.cholesky(torch.linalg.inv(normal_data.T @ normal_data / len(normal_data)))
normal_data = normal_data @ whiten * lambdas.sqrt()  # covariance diag(λ), exactly


def theory(beta):
    """KL and squared error of each direction, for the best linear networks."""
    error = torch.minimum(lambdas, torch.tensor(beta * s2))
    return torch.log(lambdas / error) / 2, error


linear = VAE(
    torch.nn.Linear(2, 4), torch.nn.Linear(2, 2), 2,
    partial(gaussian_log_likelihood, log_var=math.log(s2)),
)  # fmt: skip
betas = torch.logspace(-1, 1.6, 14).tolist()
rates, errors = [], []
with torch.no_grad():  # a start that is not symmetric
    for parameter in linear.parameters():
        parameter.normal_(0, 0.3, generator=generator)
train(linear, lambda: normal_data, 1000, beta=0.3, lr=1e-2)
for beta in betas:
    train(linear, lambda: normal_data, 500, beta=beta, lr=1e-2)
    with torch.no_grad():
        mean, log_var = linear.encode(normal_data)
        each = (log_var.exp() + mean**2 - 1 - log_var).mean(0) / 2
        rates.append(each.sort(descending=True).values)
        # ‖x - decoded‖² averaged over q as well: the decoder is linear, so its noise adds
        noise = (linear.decoder.weight**2 * log_var.exp().mean(0)).sum()
        errors.append(((normal_data - linear.decode(mean)) ** 2).sum(1).mean() + noise)
    rate, error = theory(beta)
    assert (rates[-1] - rate).abs().max() < 0.05
    assert abs(errors[-1] / error.sum() - 1) < 0.05
print("       KL of two directions        error")
print("    β  trained     exact      trained exact")
for i in (0, 4, 7, 9, 12):
    rate, error = theory(betas[i])
    print(
        f"{betas[i]:5.2f}  {rates[i][0]:.2f} {rates[i][1]:.2f}   {rate[0]:.2f} {rate[1]:.2f} "
        f"{errors[i]:10.3f} {error.sum():5.3f}"
    )

# %%
left, right = axes(title="KL of a direction, nats"), axes(title="KL, nats")
fine = torch.logspace(-1, 1.6, 100).tolist()
known = torch.stack([theory(beta)[0] for beta in fine])
for k, color in ((0, BLUE), (1, ORANGE)):
    left.semilogx(fine, known[:, k], color=color, lw=1)
    left.plot(betas, [rate[k] for rate in rates], "o", color=color, markersize=4)
    across, up = ((0.23, 2.25), (0.1, 0.4))[k]
    left.text(across, up, f"variance {lambdas[k]:g}", color=color, fontsize=9)
left.minorticks_off()
left.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
left.set(xlabel="β")
right.plot([theory(beta)[1].sum() for beta in fine], known.sum(1), color=INK, lw=1)
right.plot(errors, [rate.sum() for rate in rates], "o", color=INK, markersize=4)
right.text(0.35, 3.1, "autoencoder", fontsize=9)
right.text(4.4, 0.25, "collapse", fontsize=9, ha="right")
right.set(xlabel="squared error", xlim=(0, 4.7), ylim=(-0.15, 3.9))
figure(
    left,
    right,
    alt="Left: the KL of each direction falls with the logarithm of beta and reaches zero at a "
    "threshold, the smaller direction first. Right: KL against squared error, dots on the "
    "exact curve.",
    caption="Dots: trained networks. Lines: theory. β slides along the curve on the right.",
)

# %% [markdown]
# Each trained model sits on the curve. A small $\beta$ gives an autoencoder: every direction is
# coded, at any price. As $\beta$ grows the direction with the smaller variance is given up first,
# then the other; after that the code says nothing. Posterior collapse is here no failure of the
# optimiser, it is the optimum.

# %% [markdown]
# ## What do the codes of digits look like?
#
# Handwritten digits of 8 × 8 pixels, made black or white so that the Bernoulli decoder is a
# probability. A code of two numbers can be shown whole: the decoder on a grid of codes, spaced so
# that each cell has the same probability under the prior.

# %%
data = digits()
images, held_out = ((part.flatten(1) > 0).float() for part in (data.train, data.test))


def digit_vae(latents, beta, steps):
    model = VAE(
        MLP(64, hidden=128, layers=2, time=False, out=2 * latents, generator=generator),
        MLP(latents, hidden=128, layers=2, time=False, out=64, generator=generator),
        latents,
    )

    def batch():
        return images[torch.randint(len(images), (128,), generator=generator)]

    return model, train(model, batch, steps, beta=beta, watch=held_out)


flat, flat_curve = digit_vae(2, 1.0, 2500)
levels = (torch.arange(11) + 0.5) / 11
quantiles = torch.special.ndtri(levels)
with torch.no_grad():
    plane = torch.cartesian_prod(-quantiles, quantiles).flip(1)
    tiles = torch.sigmoid(flat.decode(plane))
    mean, _ = flat.encode(held_out)
framed = torch.nn.functional.pad(tiles.reshape(11, 11, 8, 8), (1, 1, 1, 1))  # a gap between digits
mosaic = framed.permute(0, 2, 1, 3).reshape(110, 110)
_, reconstruction, kl = flat_curve[-1]
print(f"on test digits: reconstruction {reconstruction:.2f}, KL {kl:.2f}")

# %%
left, right = axes(3.3, 3.4, title="decoded codes"), axes(3.3, 3.4, title="codes of test digits")
left.imshow(mosaic, cmap=ramp(BLUE), vmin=0, vmax=1, interpolation="none")
left.set(xticks=[], yticks=[])
left.spines[:].set_visible(False)
right.plot(*mean.T, ".", color=BLUE, markersize=1.5)
for digit in range(10):
    center = mean[data.test_labels == digit].median(0).values
    right.text(*center, str(digit), fontsize=13, ha="center", va="center")
right.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
figure(
    left,
    right,
    alt="Left: a mosaic of decoded digits that change smoothly from one to the next. Right: codes "
    "of test digits with the name of each digit at the middle of its group.",
    caption="The plane of codes, and where the encoder puts digits it has not seen.",
)

# %% [markdown]
# Both pictures are of one plane, the left one spaced by probability: a digit is decoded about
# where it is encoded. Digits that look alike lie together, and on the way from one group to the
# next the decoder passes through shapes that are neither. Where many groups meet, in the middle,
# it can only blur: two numbers are too few for ten digits and their handwriting.

# %% [markdown]
# ## And what does β do to digits?
#
# Codes of eight numbers, three values of $\beta$. A collapsed model has a known optimum: it
# ignores the code, and its best reconstruction is that of independent pixels with their mean.

# %%
models = {beta: digit_vae(8, beta, 1800) for beta in (0.1, 1.0, 30.0)}
pixel_mean = images.mean(0).clamp(1e-3, 1 - 1e-3)
independent = torch.where(held_out > 0, pixel_mean, 1 - pixel_mean).log().sum(1).mean().item()
print(f"independent pixels {independent:.2f} nats on test digits")
print("    β   reconstruction      KL    bound")
for beta, (_, curve) in models.items():
    _, reconstruction, kl = curve[-1]
    print(f"{beta:5.1f} {reconstruction:16.2f} {kl:7.2f} {reconstruction - kl:8.2f}")
bounds = {beta: curve[-1][1] - curve[-1][2] for beta, (_, curve) in models.items()}
assert bounds[0.1] < bounds[30.0] < bounds[1.0]
assert models[30.0][1][-1][2] < 0.1
assert abs(models[30.0][1][-1][1] - independent) < 0.5


# %%
def typical(digit):
    """The test image of a digit that is nearest to the mean of its kind."""
    kind = (data.test_labels == digit).nonzero().squeeze(1)
    return int(kind[(held_out[kind] - held_out[kind].mean(0)).norm(dim=1).argmin()])


def strip(panel, rows, names):
    """Rows of images with their names on the left."""
    tiles = torch.nn.functional.pad(torch.stack(rows).unflatten(2, (8, 8)), (1, 1, 1, 1))
    picture = tiles.permute(0, 2, 1, 3).flatten(2).flatten(0, 1)
    panel.imshow(picture, cmap=ramp(BLUE), vmin=0, vmax=1, interpolation="none")
    panel.set(xticks=[])
    panel.set_yticks([4.5 + 10 * i for i in range(len(rows))], names)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)


chosen = held_out[[typical(digit) for digit in range(10)]]
reconstructed, sampled = [chosen], []
with torch.no_grad():
    for model, _ in models.values():
        reconstructed.append(torch.sigmoid(model.decode(model.encode(chosen)[0])))
        sampled.append(torch.sigmoid(model.sample(10, generator=generator)))
left, right = axes(3.5, 1.8, title="reconstructions"), axes(3.5, 1.8, title="samples")
named = [f"β = {beta:g}" for beta in models]
strip(left, reconstructed, ["test", *named])
strip(right, [torch.zeros_like(chosen), *sampled], ["", *named])
figure(
    left,
    right,
    alt="Ten test digits and, for three values of beta, their reconstructions and ten samples. "
    "With 0.1 sharp reconstructions and malformed samples, with 1 softer reconstructions and "
    "better samples, with 30 the same blurred average everywhere.",
    caption="Test digits and their reconstructions; samples from the prior.",
)

# %% [markdown]
# At $\beta = 0.1$ the reconstructions are best, but the codes cost more than they are worth: the
# bound is below that of the model that ignores them, and many codes drawn from the prior decode
# to no digit. At $\beta = 30$ everything is the mean digit, at the value that independent pixels
# reach. The bound is best for $\beta = 1$: it is what was maximised there.

# %% [markdown]
# ## How should one walk between two codes?
#
# On a straight line between two draws from the prior the middle has half their variance: in high
# dimension the decoder has seen few such codes. `genmath.vae.interpolate` with `kind="gaussian"`
# keeps every point distributed as the prior.

# %%
ends = torch.randn(2, 20_000, 8, generator=generator)
walks = {kind: interpolate(*ends, 11, kind=kind) for kind in ("linear", "gaussian")}
weight = torch.linspace(0, 1, 11)
lengths = {kind: (walk**2).sum(-1).mean(1) for kind, walk in walks.items()}
assert (lengths["linear"] / (8 * (weight**2 + (1 - weight) ** 2)) - 1).abs().max() < 0.02
assert (lengths["gaussian"] / 8 - 1).abs().max() < 0.02
print("mean of ‖z‖² half way")
for kind, values in lengths.items():
    print(f"{kind:8s} {values[5]:6.2f}")
print("draws from the prior with less than half of it")
for d in (8, 64):  # ‖z‖² is chi-squared
    print(f"{d:2d} numbers {torch.special.gammainc(double(d / 2), double(d / 4)):.4f}")

# %%
model = models[1.0][0]
with torch.no_grad():
    first, last = model.encode(chosen[[3, 6]])[0].split(1)
    rows = [
        torch.sigmoid(model.decode(interpolate(first, last, 9, kind=kind).flatten(0, 1)))
        for kind in walks
    ]
left, right = (
    axes(3.5, 1.2, title="from a 3 to a 6"),
    axes(3.3, 2.2, title=r"$\mathrm{mean\ of}\ \Vert z\Vert^2$"),
)
strip(left, rows, list(walks))
for (kind, values), color, height in zip(lengths.items(), (ORANGE, BLUE), (3.2, 8.7), strict=True):
    right.plot(weight, values, color=color)
    right.text(0.5, height, kind, color=color, fontsize=9, ha="center", va="center")
right.set(xlabel="way from source to target", xlim=(0, 1), ylim=(0, 9.5))
figure(
    left,
    right,
    alt="Left: two rows of decoded digits from a 3 to a 6. Right: the mean squared length of the "
    "code along the way, dipping to half for the linear walk and constant for the gaussian one.",
    caption="The two walks decoded, and how long their codes are on average.",
)

# %% [markdown]
# The linear walk loses half of the squared length on the way, the other none, as their formulas
# say. On these digits the two rows look nearly alike: with eight numbers, codes of half the
# squared length are not rare under the prior, and the decoder has been trained on them. With
# sixty-four they would be.

# %% [markdown]
# ## References
#
# - [@kingma2014vae]: the bound, and the picture of the plane of codes.
# - [@burda2016importance]: the importance-weighted bound.
# - [@higgins2017beta]: the weight β.
# - [@alemi2018fixing]: KL and error as rate and distortion.
