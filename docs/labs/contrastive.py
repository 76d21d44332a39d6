# %% [markdown]
# # Laboratory: Learning without labels
#
# Three questions: is the bound a bound, where the truth is known? Are features that were learned
# without a label worth anything with 10 to 100 labels? And what does collapse look like?

# %%
import math
from functools import partial

import torch
from torch import nn

from genmath.contrastive import (
    MemoryQueue,
    MomentumEncoder,
    augment,
    dino_loss,
    info_nce,
    linear_probe,
    mutual_information_bound,
    nt_xent,
    similarities,
)
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, axes, figure
from genmath.toys import digits

generator = torch.Generator().manual_seed(0)
torch.manual_seed(0)

# %% [markdown]
# ## Is the bound a bound?
#
# Pairs of normal numbers with correlation $\rho$ share $-\frac12 \log(1 - \rho^2)$ nats. The best
# critic is known: the log-ratio of `contrastive.best_critic`. Two worse ones: the same at half its
# size, and minus the squared distance.

# %%
rho = 0.95
shared = -math.log(1 - rho**2) / 2


def ratio(x, y, size=1.0):
    """log r(y | x) / r(y), up to a function of x."""
    return size * (y**2 / 2 - (y - rho * x) ** 2 / (2 * (1 - rho**2)))


critics = {
    "the log-ratio": ratio,
    "half of it": partial(ratio, size=0.5),
    "squared distance": lambda x, y: -((x - y) ** 2),
}
print(f"shared: {shared:.3f} nats\n\n    N   log N", *(f"{name:>17}" for name in critics))
for n in (2, 8, 32, 128):
    row = []
    for critic in critics.values():
        seen = []
        for _ in range(8192 // min(n, 64)):
            x = torch.randn(n, generator=generator)
            noise = torch.randn(n, generator=generator)
            y = rho * x + math.sqrt(1 - rho**2) * noise
            seen.append(mutual_information_bound(critic(x[:64, None], y)))
        row.append(float(torch.stack(seen).mean()))
    print(f"{n:5d}{math.log(n):8.3f}", *(f"{value:17.3f}" for value in row))
    assert max(row) < min(shared, math.log(n))
    assert row[0] == max(row)

# %% [markdown]
# Every number is below what is shared, and below $\log N$. The exact critic is the best of the
# three for each $N$, and with more candidates it comes near the truth.
#
# ## Ten labels
#
# Digits of $8 \times 8$ pixels. A small convolutional network is trained on all 1438 training
# pictures *without* their labels, in four ways: SimCLR, MoCo, DINO, and a masked autoencoder. Then
# it is frozen, and a linear probe gets a few labels of each digit. Two rows to compare with: the
# pixels themselves, and the same network without training.

# %%
data = digits(low=0.0)
train, test = data.train, data.test


def network():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 64),
    )


view = partial(
    augment, crop=0.65, rotate=20, contrast=0.4, brightness=0.2, noise=0.05, generator=generator
)


def few(labels_each, seed):
    """The places of as many training pictures of each digit."""
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
    labels = data.train_labels[order]
    return torch.cat([order[labels == digit][:labels_each] for digit in range(10)])


def probes(features):
    """Accuracy on test pictures with 10, 20, 50 and 100 labels, a mean over five choices."""
    with torch.no_grad():
        x, x_test = features(train).flatten(1), features(test).flatten(1)
    mean, spread = x.mean(0), x.std(0) + 1e-3
    x, x_test = (x - mean) / spread, (x_test - mean) / spread
    found = []
    for each in (1, 2, 5, 10):
        chosen = [few(each, seed) for seed in range(5)]
        probe = [linear_probe(x[i], data.train_labels[i], kind="ridge") for i in chosen]
        found.append(sum(p.accuracy(x_test, data.test_labels) for p in probe) / 5)
    return found


def pretrain(loss, *more, steps=160, batch=128):
    """A network with its head, trained by a loss of two views; the probe reads the network."""
    torch.manual_seed(1)
    encoder = network()
    full = nn.Sequential(encoder, nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32))
    slow = MomentumEncoder(full, decay=0.97)
    parameters = [*full.parameters(), *(p for part in more for p in part.parameters())]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3)
    for _ in range(steps):
        x = train[torch.randint(0, len(train), (batch,), generator=generator)]
        optimizer.zero_grad()
        loss(full, slow, x).backward()
        optimizer.step()
        slow.update(full)
    return full.eval()


def simclr(full, slow, x):
    return nt_xent(full(view(x)), full(view(x)), temperature=0.3)


queue = MemoryQueue(512, 32)


def moco(full, slow, x):
    keys = slow(view(x))
    scores = similarities(full(view(x)), torch.cat([keys, queue()]), temperature=0.2)
    queue.push(keys)
    return info_nce(scores)


centre = torch.zeros(32)


def dino(full, slow, x):
    one, two = view(x), view(x)
    teachers = slow(one), slow(two)
    loss = partial(dino_loss, centre=centre, teacher_temperature=0.05)
    total = loss(full(one), teachers[1]) + loss(full(two), teachers[0])
    centre.lerp_(torch.cat(teachers).mean(0), 0.1)
    return total / 2


decoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64))


def masked(full, slow, x):
    """Half of the 2 × 2 patches are covered; the squared error counts where they were."""
    cover = torch.rand(len(x), 1, 4, 4, generator=generator) < 0.5
    cover = cover.repeat_interleave(2, 2).repeat_interleave(2, 3)
    made = decoder(full[0](x.masked_fill(cover, 0.5))).reshape(x.shape)
    return ((made - x).square() * cover).sum((1, 2, 3)).mean()


rows = {"pixels": lambda x: x, "random network": network()}
rows["SimCLR"] = pretrain(simclr)[0]
rows["MoCo"] = pretrain(moco)[0]
rows["DINO"] = pretrain(dino)[0]
rows["masked"] = pretrain(masked, decoder)[0]
print("labels              10     20     50    100")
accuracy = {}
for name, features in rows.items():
    accuracy[name] = probes(features)
    print(f"{name:16}", *(f"{share:6.1%}" for share in accuracy[name]))

# %%
panel = axes(width=4.8, height=2.8, title="accuracy of the probe")
styles = zip(accuracy, (INK, INK, BLUE, GREEN, ORANGE, PURPLE), strict=True)
for name, color in styles:
    line = "--" if name == "random network" else "-"
    panel.plot([10, 20, 50, 100], accuracy[name], line, color=color, label=name)
panel.set(xscale="log", xlabel="labels", xticks=[10, 20, 50, 100], ylim=(0.4, 1))
panel.set_xticklabels(["10", "20", "50", "100"])
panel.minorticks_off()
panel.legend(fontsize=8, frameon=False, loc="lower right")
figure(
    panel,
    alt="Accuracy against the number of labels, six rising curves: SimCLR and MoCo on top, pixels, "
    "the random network, DINO and the masked autoencoder close together below.",
    caption="Mean over five choices of the labelled pictures.",
)

# %% [markdown]
# SimCLR and MoCo are ahead of the pixels and of the random network for every number of labels. So
# much is learned in seconds, from views alone. DINO and the masked autoencoder gain little here,
# and with 10 labels they are behind the pixels: both are made for larger networks and longer
# training, and this is no comparison of methods. The random network is no worse than the pixels
# from 50 labels on.
#
# ## Collapse
#
# Partners near, and nothing else: the loss falls to 0. What do the features know then? The *spread*
# is the mean distance of a normed feature from the mean of all, which is at most 1.

# %%


def nothing_else(full, slow, x):
    return 2 - 2 * torch.cosine_similarity(full(view(x)), full(view(x))).mean()


def spread(full):
    with torch.no_grad():
        normed = nn.functional.normalize(full(test), dim=1)
    return float((normed - normed.mean(0)).norm(dim=1).mean())


fallen = pretrain(nothing_else)
with torch.no_grad():
    loss = float(nothing_else(fallen, None, test))
standing = pretrain(simclr)
print(f"partners near, nothing else: loss {loss:.4f}, spread {spread(fallen):.3f}")
print(f"SimCLR:                                   spread {spread(standing):.3f}")
assert spread(fallen) < 0.05 < spread(standing)
print(f"probe with 100 labels: {probes(fallen[0])[-1]:.1%}, SimCLR {probes(standing[0])[-1]:.1%}")

# %% [markdown]
# The feature that the loss speaks of is the same for all pictures. The layer below it, which the
# probe reads, is no better than that of the random network: nothing was learned.
