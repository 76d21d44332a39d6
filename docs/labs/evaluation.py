# %% [markdown]
# # Laboratory: Evaluating generative models
#
# Five questions, on laws that are known and on the digits, where every measure can be put to the
# test: what it sees, what it misses, how sure it is.

# %%
import math
from functools import partial

import torch

from genmath.evaluation import (
    bootstrap,
    c2st,
    embed,
    frechet_distance,
    gaussian_kernel,
    inception_score,
    kid,
    mmd,
    polynomial_kernel,
    prdc,
)
from genmath.figures import BLUE, GREEN, INK, ORANGE, axes, figure
from genmath.toys import digits

generator = torch.Generator().manual_seed(0)


def normal(*shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


# %% [markdown]
# ## How large is the Fréchet distance of a perfect model?
#
# Two sets of $N$ points of the same standard normal law, one feature, many times. The truth is 0.
# The chapter says what the mean of the computed distance is: $2/N$ for the means
# (`evaluation.mean_bias`) and an exact term with Gamma functions for the deviations
# (`evaluation.fid_bias[two]`).


# %%
def shrink(degrees):
    """The mean of a sample deviation over the true one."""
    half = degrees / 2
    return math.exp(math.lgamma(half + 0.5) - math.lgamma(half)) / math.sqrt(half)


print("  N   mean of 2000   exact")
for count in (2, 5, 20, 100):
    draws = normal(2000, 2, count, 1)
    found = torch.stack([frechet_distance(*pair) for pair in draws])
    exact = 2 / count + 2 * (1 - shrink(count - 1) ** 2)
    print(f"{count:3d}   {found.mean():12.4f}   {exact:5.4f}")
    assert abs(found.mean() - exact) < 4 * found.std() / math.sqrt(2000)

# %% [markdown]
# ## Which measure tells a uniform law from a normal one?
#
# Equal means, variances and third moments (`evaluation.blind`). Neither the Fréchet distance nor
# KID can see a difference; a Gaussian kernel and a classifier can.

# %%
bell = normal(4000, 1)
flat = math.sqrt(12) * (torch.rand(4000, 1, generator=generator, dtype=torch.float64) - 0.5)
fresh = normal(4000, 1)
measures = {
    "Fréchet": frechet_distance,
    "KID": kid,
    "MMD, Gaussian kernel": partial(mmd, kernel=gaussian_kernel(0.5)),
    "right answers of neighbours": lambda x, y: c2st(x, y, generator=generator).accuracy,
}
table = {name: (measure(bell, fresh), measure(bell, flat)) for name, measure in measures.items()}
print("                              normal    uniform")
for name, (same, other) in table.items():
    print(f"{name:28s} {same:8.4f}   {other:8.4f}")
assert table["MMD, Gaussian kernel"][1] > 20 * abs(table["MMD, Gaussian kernel"][0])
assert table["right answers of neighbours"][1] > 0.55

# %% [markdown]
# ## What do the measures say of four models of the digits?
#
# No model is trained here: the samples are made with known faults. *Held out* are digits that were
# not in the training set; *blurred* are those, smoothed; *one of each* repeats ten pictures, the
# one of each class that the classifier is surest of; *half noise* replaces half of the samples by
# random pixels. The features are those of a small network that was trained to name the digits: its
# last hidden layer, 16 numbers, and its logits for the inception score.

# %%
data = digits(test_fraction=0.5)
net = torch.nn.Sequential(
    torch.nn.Flatten(),
    torch.nn.Linear(64, 64),
    torch.nn.ReLU(),
    torch.nn.Linear(64, 16),
    torch.nn.Tanh(),
    torch.nn.Linear(16, 10),
)
with torch.no_grad():
    for parameter in net.parameters():
        parameter.uniform_(-0.2, 0.2, generator=generator)
optimizer = torch.optim.Adam(net.parameters(), 3e-3)
for _ in range(400):
    which = torch.randint(len(data.train), (128,), generator=generator)
    loss = torch.nn.functional.cross_entropy(net(data.train[which]), data.train_labels[which])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
right = (net(data.test).argmax(1) == data.test_labels).double().mean()
print(f"the classifier is right on {100 * right:.1f} % of the held-out digits")

n = len(data.test) // 2
held = data.test[:n]
blurred = torch.nn.functional.avg_pool2d(held, 3, stride=1, padding=1)
sure = net(data.test).detach().softmax(1)
one_each = data.test[sure.argmax(0)].repeat(n // 10, 1, 1, 1)
noise = 2 * torch.rand(held.shape, generator=generator) - 1
noisy = torch.where(torch.arange(n).reshape(-1, 1, 1, 1) % 2 == 0, held, noise)
models = {"held out": held, "blurred": blurred, "one of each": one_each, "half noise": noisy}

real = data.test[n : 2 * n]
features = partial(embed, net[:5])
scores = {}
print("              Fréchet     KID      IS   prec.  recall  density  coverage  told apart")
for name, fake in models.items():
    x, y = features(real), features(fake)
    k = min(len(x), len(y))
    found = prdc(x, y)
    apart = c2st(x[:k], y[:k], generator=generator)
    score = inception_score(embed(net, fake))
    scores[name] = (frechet_distance(x, y), kid(x, y), score, *found, apart.accuracy)
    shown = scores[name]
    print(
        f"{name:12s} {shown[0]:8.3f} {shown[1]:8.3f} {shown[2]:7.2f} {shown[3]:7.2f} "
        f"{shown[4]:7.2f} {shown[5]:8.2f} {shown[6]:9.2f} {shown[7]:11.2f}"
    )
assert scores["one of each"][2] > scores["held out"][2]
assert scores["one of each"][4] < 0.5 < scores["held out"][4]
assert scores["half noise"][3] < scores["held out"][3]

# %% [markdown]
# *One of each* has the best inception score of all: ten pictures are enough for that
# (`evaluation.class_collapse`). Its precision is perfect, and KID, which compares three moments,
# does not notice either. Recall and coverage see at once that nearly all of the digits are missing.
# The held-out digits show what a perfect model may expect: with these numbers of points it does not
# get a Fréchet distance of 0, nor a precision of 1.
#
# ## How sure is one of a Fréchet distance?
#
# Intervals by the bootstrap, for samples with a known truth: normal data and samples with two
# features, moved by $0.3$. The true squared distance is $2 \cdot 0.3^2 = 0.18$.

# %%
truth = 2 * 0.3**2
inside = 0
rows = []
for _ in range(40):
    x, y = normal(100, 2), 0.3 + normal(100, 2)
    found = bootstrap(frechet_distance, (x, y), repeats=200, generator=generator)
    rows.append([float(part) for part in found])
    inside += rows[-1][1] <= truth <= rows[-1][2]
mean = torch.tensor(rows).mean(0)
print(f"the truth is {truth:.3f}")
print(f"mean of the computed distances {mean[0]:.3f}, of their estimated bias {mean[3]:.3f}")
print(f"{inside} of 40 intervals at 95 % contain the truth")
assert mean[0] > truth
assert abs(mean[0] - mean[3] - truth) < 0.03
assert inside >= 32

panel = axes(5.6, 2.6, title="40 intervals for one distance")
for i, (value, low, high, _) in enumerate(sorted(rows)):
    hit = low <= truth <= high
    panel.plot([i, i], [low, high], color=BLUE if hit else ORANGE, lw=1.2)
    panel.plot(i, value, ".", color=INK, markersize=4)
panel.axhline(truth, color=GREEN, lw=1)
panel.set(xticks=[])
panel.text(0, truth + 0.015, "truth", color=GREEN, fontsize=9)
figure(
    panel,
    alt="Forty vertical intervals, sorted by their value; a horizontal line, the truth, crosses "
    "nearly all of them. Most of the dots in them lie above the line.",
    caption="Dots are the computed distances: most are too large. The basic interval reflects the "
    "resampled values at its dot, and reaches lower than it.",
)

# %% [markdown]
# ## Does the number of neighbours or the bandwidth matter?
#
# The same two sets, a ring of data and samples on three of its five spots, under many choices.

# %%
ring = 1.5 * torch.stack(
    [torch.tensor([math.cos(a), math.sin(a)]) for a in torch.arange(5) * 2 * math.pi / 5]
)
places = torch.randint(5, (600,), generator=generator)
x = ring[places].double() + 0.25 * normal(600, 2)
y = ring[places % 3].double() + 0.25 * normal(600, 2)
print("   k   precision   recall   coverage")
for k in (1, 3, 5, 20):
    found = prdc(x, y, k)
    print(f"{k:4d}   {found.precision:9.2f}   {found.recall:6.2f}   {found.coverage:8.2f}")
values = {h: mmd(x, y, gaussian_kernel(h)) for h in (0.01, 0.1, 0.5, 2.0, 20.0)}
print("bandwidth  " + "  ".join(f"{h:g}: {value:.5f}" for h, value in values.items()))
print(f"cubic kernel: {mmd(x, y, polynomial_kernel()):.3f}")
assert values[0.5] > values[0.01]
assert values[0.5] > values[20.0]

# %% [markdown]
# More neighbours make larger balls, so none of these numbers falls. From $k = 3$ on recall stays
# near $0.6$, three spots of five; with one neighbour many points fall between the balls. A very
# small bandwidth sees nothing but noise, and with a very large one the kernel is nearly constant.
