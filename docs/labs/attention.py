# %% [markdown]
# # Laboratory: Attention and transformers
#
# Six experiments. In the first three everything is known exactly: a denoiser that is attention, the
# scores at the start of training, and what RoPE makes of places. Then a small network shows what
# positions are good for, a pile of blocks what gates do at the start; and last we count.

# %%
import math

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from genmath.attention import (
    adaln_branch,
    attention,
    attention_weights,
    block_cost,
    rope,
    sinusoids,
)
from genmath.figures import BLUE, ORANGE, axes, figure
from genmath.toys import GaussianMixture

generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## The exact denoiser is attention
#
# Two hundred points on a spiral. The best guess of a clean point, from a noisy one, is the
# posterior mean of a mixture of two hundred normals of width zero.
# `genmath.toys.GaussianMixture` computes it as such; `attention` with the points as keys and
# values computes it, too (`attention.denoiser`). The half square of the key is one more
# feature. The numbers agree at all levels of noise.

# %%
turn = torch.linspace(0.5, 3.2, 200, dtype=torch.float64) * math.pi
points = torch.stack([turn.cos(), turn.sin()], 1) * turn[:, None] / 6
mixture = GaussianMixture([1 / 200] * 200, points.tolist(), std=1e-6)
noise = torch.randn(500, 2, generator=generator, dtype=torch.float64)


def by_attention(x, alpha, sigma):
    keys = torch.cat([alpha * points, -(alpha**2) * points.square().sum(1, keepdim=True) / 2], 1)
    queries = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], 1)
    return attention(queries, keys, points, temperature=sigma**2)


print("alpha  sigma   largest difference   places looked at")
for alpha, sigma in ((0.995, 0.1), (0.9, 0.436), (0.5, 0.866), (0.1, 0.995)):
    x = alpha * points[torch.randint(0, 200, (500,), generator=generator)] + sigma * noise
    exact = mixture.denoiser(x, alpha, sigma)
    apart = (exact - by_attention(x, alpha, sigma)).abs().max().item()
    scores = (alpha * x @ points.T - alpha**2 * points.square().sum(1) / 2) / sigma**2
    weights = scores.softmax(1)
    entropy = -(weights * weights.clamp(min=1e-300).log()).sum(1).mean()
    print(f"{alpha:5.3f}  {sigma:5.3f}   {apart:18.1e}   {entropy.exp():8.1f}")
    assert apart < 1e-6

# %% [markdown]
# The last column is the exponential of the mean entropy of the weights: how many of the 200
# points take part. The noise is the temperature.
#
# ## Scores at the start
#
# Take 64 queries and 64 keys with independent standard normal entries. Without the division by the
# root of the number of features the deviation of the scores grows with that root, the largest
# weight goes to one, and the mean slope of a weight by its own score, $a(1 - a)$, falls. With it
# nothing depends on the number of features (`attention.scaling`).

# %%
print("           raw: deviation  largest   slope      divided: deviation  largest   slope")
for d in (4, 16, 64, 256, 1024):
    q, k = (torch.randn(64, d, generator=generator, dtype=torch.float64) for _ in range(2))
    line = f"d = {d:5d}"
    for temperature in (1.0, math.sqrt(d)):
        weights = attention_weights(q, k, temperature=temperature)
        deviation = (q @ k.T / temperature).std()
        slope = (weights * (1 - weights)).mean()
        line += f"{deviation:15.2f}{weights.amax(1).mean():11.2f}{slope:12.5f}"
    print(line)

# %% [markdown]
# ## How far apart, and not where
#
# A query at one place, the same key at all others, turned by RoPE, in float64. The score is a
# curve of the distance; move everything by a thousand places, and the difference is rounding.

# %%
size = 32
q, k = (torch.randn(1, size, generator=generator, dtype=torch.float64) for _ in range(2))
places = torch.arange(64)


def scores(start):
    turned = rope(k.expand(64, size), places + start)
    return (rope(q, torch.tensor([start])) @ turned.T)[0]


panel = axes(width=5.0, height=2.4, title="score of the same query and key")
panel.plot(places, scores(0), color=BLUE, lw=3)
panel.plot(places, scores(1000), color=ORANGE, lw=1)
panel.set(xlabel="distance")
print(f"largest difference after 1000 places: {(scores(0) - scores(1000)).abs().max():.1e}")
assert (scores(0) - scores(1000)).abs().max() < 1e-9
figure(
    panel,
    alt="An oscillating curve of the score against the distance, drawn twice; the two lie on one "
    "another.",
    caption="Thick: the query at place 0. Thin: the query at place 1000. The score oscillates; it "
    "does not simply fall with the distance.",
)

# %% [markdown]
# ## What positions are for
#
# A task: eight random numbers; for each place, return the number one place to the left. A single
# attention, trained, with and without places. Without them each place is a function of its own
# number and of the *set* of the others (`attention.permutation`), and the best guess is the mean of
# the seven others: its loss is $1 - \frac17 \approx 0.857$.

# %%
length, width = 8, 32


class Shift(nn.Module):
    """One head whose queries and keys are told places in one of three ways."""

    def __init__(self, told):
        super().__init__()
        self.told = told
        self.read, self.out = nn.Linear(1, width), nn.Linear(width, 1)
        self.ask = nn.Linear(width, 3 * width)

    def forward(self, x):
        h = self.read(x[..., None])
        if self.told == "sinusoids":
            h = h + sinusoids(torch.arange(length), width, base=100.0)
        q, k, v = self.ask(h).chunk(3, -1)
        if self.told == "rope":
            q, k = (rope(part, torch.arange(length), base=100.0) for part in (q, k))
        return self.out(attention(q, k, v))[..., 0]


for told in ("nothing", "sinusoids", "rope"):
    torch.manual_seed(0)
    model = Shift(told)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    draws = torch.Generator().manual_seed(1)
    for _ in range(600):
        x = torch.randn(64, length, generator=draws)
        loss = ((model(x) - x.roll(1, 1))[:, 1:] ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{told:10s} loss {loss.item():.3f}")

# %% [markdown]
# ## Gates that begin shut
#
# Thirty blocks, each a perceptron with a gate. With gates at 0 the pile is the identity at first;
# with gates at 1 each block adds variance to what came in (`attention.depth`). Either way every
# gate has a slope, but only with gates at 0 does the branch behind it have none
# (`attention.adaln`).

# %%
blocks, x = 30, torch.randn(64, 16, generator=generator)
torch.manual_seed(0)
branches = [nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 16)) for _ in range(blocks)]
zero = torch.zeros(16)
panel = axes(width=4.8, height=2.5, title="slope by the gate of each block")
for start, color in ((0.0, BLUE), (1.0, ORANGE)):
    gates = [torch.full((16,), start, requires_grad=True) for _ in range(blocks)]
    h = x
    for branch, gate in zip(branches, gates, strict=True):
        h = adaln_branch(branch, h, zero, zero, gate)
    ((h - 2 * x) ** 2).sum(1).mean().backward()
    slopes = [gate.grad.norm().item() for gate in gates]
    inside = sum(p.grad.norm().item() for branch in branches for p in branch.parameters())
    print(
        f"gates at {start:g}: variance {x.var():.2f} -> {h.var():.2f}; slopes inside {inside:.1f}"
    )
    for branch in branches:
        branch.zero_grad()
    panel.plot(range(1, blocks + 1), slopes, color=color)
    panel.text(blocks, slopes[-1], f" {start:g}", color=color, fontsize=9)
    assert start or (torch.equal(h, x) and inside == 0)
panel.set(yscale="log", xlabel="block")
figure(
    panel,
    alt="Two jagged curves of slopes against the number of the block.",
    caption="Gates that begin at 0 (blue) and at 1 (orange).",
)

# %% [markdown]
# ## Counting
#
# The formulas of the chapter beside torch's own counter, for a block that is run: attention by
# matrix products, so that all is counted. They agree to the last FLOP.

# %%
print("     n      d    FLOPs by the formula        counted")
for n, d in ((64, 64), (256, 128), (1024, 96)):
    ask, answer = nn.Linear(d, 3 * d), nn.Linear(d, d)
    up, down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        q, k, v = ask(torch.zeros(n, d)).chunk(3, -1)
        down(functional.gelu(up(answer(attention_weights(q, k) @ v))))
    formula = block_cost(n, d).flops
    print(f"{n:6d} {d:6d} {formula:23,d} {counter.get_total_flops():14,d}")
    assert formula == counter.get_total_flops()
