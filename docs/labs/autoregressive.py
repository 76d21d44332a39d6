# %% [markdown]
# # Laboratory: Autoregressive models
#
# Six questions. Where they can, they use laws of which everything can be counted; the text is the
# prose of this book, and its samples are shown as they come.

# %%
import math
import re
from pathlib import Path

import torch
from torch import nn

import genmath
from genmath.autoregressive import (
    acceptance_rate,
    log_prob,
    nll,
    perplexity,
    sample_logits,
    speculative_sample,
    tokens_per_call,
    truncate_logits,
)
from genmath.divergences import kl, tv
from genmath.figures import BLUE, GREEN, INK, ORANGE, axes, figure
from genmath.toys import digits

generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## Do the losses of the letters add up to the divergence of the whole?
#
# A random law of three letters from five choices, and a random model. Both sides of
# `autoregressive.teacher_forcing`, by counting all 125 sequences; then the bound of
# `autoregressive.errors` on the total variation.


# %%
def random_law(spread):
    return (spread * torch.randn(5, 5, 5, generator=generator, dtype=torch.float64)).flatten()


def factors(p):
    """p(x1), p(x2 | x1) and p(x3 | x1, x2) of a joint table."""
    p_1, p_12 = p.sum((1, 2)), p.sum(2)
    return p_1, p_12 / p_1[:, None], p / p_12[..., None]


truth = random_law(1.5)
print("   KL of the whole   sum of the letters       TV of the whole   sum of the letters")
for wrong in (0.1, 0.5, 1.5):
    p = truth.softmax(0).reshape(5, 5, 5)
    q = (truth + random_law(wrong)).softmax(0).reshape(5, 5, 5)
    whole, sums = [], []
    for distance in (kl, tv):
        per_letter = 0.0
        for before, mine, other in zip(
            (torch.ones(()), p.sum((1, 2)), p.sum(2)), factors(p), factors(q), strict=True
        ):
            per_letter += float((before * distance(mine, other)).sum())
        whole.append(float(distance(p.flatten(), q.flatten())))
        sums.append(per_letter)
    assert abs(whole[0] - sums[0]) < 1e-12
    assert whole[1] <= sums[1]
    print(f"{whole[0]:18.6f}{sums[0]:20.6f}{whole[1]:22.4f}{sums[1]:20.4f}")

# %% [markdown]
# KL adds up exactly. Total variation is at most the sum, and here not far below it.

# %% [markdown]
# ## Does the order of the pixels matter?
#
# Black-and-white digits of 8 × 8 pixels, and the simplest model: each pixel is a logistic
# regression on those before it. All factors at once are one matrix, strictly triangular in the
# order chosen. The chain rule is exact in every order (`autoregressive.chain_rule`); what such a
# *weak* factor can learn may still differ.

# %%
data = digits(low=0.0)
train, test = ((x.flatten(1) > 0.5).float() for x in (data.train, data.test))


class Triangular(nn.Module):
    """Logits of 64 pixels, each from those before it in an order."""

    def __init__(self, order):
        super().__init__()
        rank = torch.empty(64, dtype=torch.long)
        rank[order] = torch.arange(64)
        self.register_buffer("mask", (rank[:, None] > rank[None, :]).float())
        self.weight = nn.Parameter(torch.zeros(64, 64))
        self.bias = nn.Parameter(torch.zeros(64))

    def forward(self, x):
        logit = nn.functional.linear(x, self.weight * self.mask, self.bias)
        return torch.stack([torch.zeros_like(logit), logit], -1)  # of 0 and of 1


def bits(model, x):
    return float(nll(model(x), x.long()).detach()) / math.log(2) / 64


orders = {
    "row by row": torch.arange(64),
    "from the end": torch.arange(63, -1, -1),
    "at random": torch.randperm(64, generator=generator),
}
independent = train.mean(0).clamp(1e-3, 1 - 1e-3).logit()
alone = torch.stack([torch.zeros(64), independent], -1).expand(len(test), 64, 2)
print(f"pixels alone   {float(nll(alone, test.long())) / math.log(2) / 64:.3f} bits a pixel")
for name, order in orders.items():
    model = Triangular(order)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02, weight_decay=1e-4)
    for _ in range(300):
        optimizer.zero_grad()
        nll(model(train), train.long()).backward()
        optimizer.step()
    # The derivative of each output by each input: none by its own, nor by a later one.
    slopes = torch.func.jacrev(lambda x: model(x[None])[0, :, 1])(test[0]).detach()  # noqa: B023
    assert not slopes[order][:, order].triu().any()
    print(f"{name:14} {bits(model, train):.3f} seen, {bits(model, test):.3f} not seen")

# %% [markdown]
# What the pixels before tell saves a good part of the bits; the order hardly counts.

# %% [markdown]
# ## What is the next letter worth?
#
# The prose of some chapters of this book, in lower case, without formulas: letters, the space, the
# comma and the full stop. The model counts what followed the last $k$ letters, and leans on shorter
# contexts where it saw little. One chapter is kept apart. `autoregressive.short_memory` says that a
# longer memory cannot hurt a model that *knows* the probabilities; this one has to learn them.

# %%
ALPHABET = " abcdefghijklmnopqrstuvwxyz,."


HOME = Path(genmath.__file__).parent  # installed, the chapters are inside; else beside it
SEEN = (
    "derivations/divergences.py",
    "derivations/vae.py",
    "derivations/gan.py",
    "derivations/ddpm.py",
    "derivations/score.py",
)
APART = "derivations/flow_matching.py"


def prose(name):
    file = next(home / name for home in (HOME, HOME.parent) if (home / name).is_file())
    lines = file.read_text("utf-8").splitlines()
    text = " ".join(line[2:] for line in lines if line.startswith("# ") and "{{" not in line)
    text = re.sub(r"\$[^$]*\$|`[^`]*`|\[@[^]]*\]", " ", text).lower()
    text = "".join(letter if letter in ALPHABET else " " for letter in text)
    return re.sub(r" +", " ", re.sub(r" ([,.])", r"\1", text)).strip()


def numbers(text):
    return torch.tensor([ALPHABET.index(letter) for letter in text])


def letters(x):
    return "".join(ALPHABET[i] for i in x.tolist())


seen = numbers(" ".join(prose(name) for name in SEEN))
apart = numbers(prose(APART))
V = len(ALPHABET)


class Counts:
    """p(next | last k letters): counts, mixed with the law of a context that is shorter by one."""

    def __init__(self, text, k):
        self.k, law = k, torch.full((1, V), 1 / V)
        for length in range(k + 1):
            after = text[length:]
            before = self.code(text, length)[: len(after)]
            count = torch.zeros(V**length, V)
            count.index_put_((before, after), torch.ones(len(after)), accumulate=True)
            shorter = law.repeat(V, 1) if length else law
            law = (count + 5 * shorter) / (count.sum(1, keepdim=True) + 5)
        self.logits = law.log()

    def code(self, text, length):
        """The letters before each place as one number, the last of them counting least."""
        padded = nn.functional.pad(text, (length, 0 if length else 1))
        windows = padded.unfold(-1, length or 1, 1)[..., :length]
        return (windows * V ** torch.arange(length - 1, -1, -1)).sum(-1)[..., length:]

    def __call__(self, x):
        """Logits after each place of (B, L); where there are fewer than k letters, after spaces."""
        padded = nn.functional.pad(x, (self.k, 0))
        return self.logits[self.code(padded, self.k)[..., 1:]]


models = [Counts(seen, k) for k in range(5)]
print(f"{len(seen)} letters seen, {len(apart)} kept apart")
print("context    seen     apart    perplexity")
curve = []
for k, model in enumerate(models):
    losses = []
    for text in (seen, apart):
        x = text[None, 5:]
        logits = model(text[None])[:, 4:-1]
        losses.append(-float(log_prob(logits, x)) / x.shape[1])
    curve.append(losses)
    surprise = float(perplexity(log_prob(logits, x), x.shape[1]))
    print(f"{k:5}   {losses[0]:8.3f}  {losses[1]:8.3f}  {surprise:10.2f}")
assert curve[2][1] < curve[1][1] < curve[0][1]

# %% [markdown]
# In nats a letter; $\log 29 \approx 3.37$ is guessing. Each letter of memory helps, but less and
# less: with four letters the loss on what was seen has gone on falling, and the other one hardly.

# %% [markdown]
# ## What does the temperature do to a text?
#
# Samples of the model with four letters of memory, as they come: the first of the generator.


# %%
def write(model, n, **choose):
    own = torch.Generator().manual_seed(1)
    x = torch.zeros(1, 1, dtype=torch.long)
    for _ in range(n):
        x = torch.cat([x, sample_logits(model(x)[:, -1], generator=own, **choose)[:, None]], 1)
    return letters(x[0, 1:])


for choose in ({"temperature": 0.3}, {}, {"top_p": 0.8}, {"temperature": 2.0}):
    print(choose, "→", write(models[4], 150, **choose), "\n")

# %% [markdown]
# At a low temperature the text runs in circles; at a high one words fall apart. A nucleus leaves
# out what is improbable letter by letter. And which temperature makes the *likelihood* best? On a
# text that was not seen, a model that is too sure of itself gains by a temperature above one.

# %%
panel = axes(width=5.0, height=2.5, title="nats a letter, on the chapter kept apart")
taus = torch.linspace(0.6, 2.0, 57, dtype=torch.float64).tolist()
for k, color in ((1, INK), (2, BLUE), (3, GREEN), (4, ORANGE)):
    logits, x = models[k](apart[None])[:, 4:-1], apart[None, 5:]
    loss = [
        -float(log_prob(truncate_logits(logits, temperature=tau), x)) / x.shape[1] for tau in taus
    ]
    best = min(range(len(taus)), key=loss.__getitem__)
    panel.plot(taus, loss, color=color)
    panel.plot(taus[best], loss[best], "o", color=color, markersize=5)
    panel.text(2.02, loss[-1], f"{k} letters", color=color, fontsize=9, va="center")
    print(f"{k} letters: best temperature {taus[best]:.2f}")
panel.set(xlim=(0.6, 2.0), xlabel="temperature")
figure(
    panel,
    alt="Four curves of the loss against the temperature, each with a dot at its lowest point.",
    caption="The loss on the chapter kept apart, when all logits are divided by a temperature; "
    "dots: the best one.",
)

# %% [markdown]
# ## Does speculative decoding keep the law, and how much does it save?
#
# The target has four letters of memory; the drafts have less. For each draft: how often a letter
# is kept, the mean over contexts of $1 - D_{\mathrm{TV}}$ on sampled text
# (`autoregressive.speculative`), and the letters for each call of the target, beside the formula
# that assumes one rate everywhere (`autoregressive.speculative_block`).

# %%
target = models[4]
prefix = torch.zeros(64, 1, dtype=torch.long)
print("memory of the draft   kept    mean of 1 - TV   letters a call   formula")
for k in (0, 1, 2, 3):
    one = torch.zeros(1, 1, dtype=torch.long)
    runs = [
        speculative_sample(target, 100, draft=models[k], prefix=one, block=4, generator=generator)
        for _ in range(12)
    ]
    kept = sum(run.accepted for run in runs) / sum(run.drafted for run in runs)
    calls = sum(run.calls for run in runs)
    x = torch.cat([run.x for run in runs])
    p, q = (model(x)[:, :-1].softmax(-1) for model in (target, models[k]))
    rate = float(acceptance_rate(p, q).mean())
    print(f"{k:12}{kept:17.3f}{rate:15.3f}{1200 / calls:17.2f}{tokens_per_call(rate, 4):12.2f}")
    assert abs(kept - rate) < 0.08

# %% [markdown]
# The rate that was counted is near the mean over contexts. It is not the same mean: judged are the
# letters up to the first that is rejected, so places behind a hard one are judged less often.
#
# Is the law that of the target? Where all can be counted: three letters from five choices after a
# first one, 60 000 times, against the exact probabilities. The sum of squares over expectation
# should be near its mean, 124, within a few of its standard deviation, 16.

# %%
A = torch.randn(5, 5, generator=generator, dtype=torch.float64)
B = A + torch.randn(5, 5, generator=generator, dtype=torch.float64)
n, start = 60_000, torch.zeros(60_000, 1, dtype=torch.long)
P = A.softmax(-1)
exact = (P[0][:, None, None] * P[:, :, None] * P[None]).flatten()


def distance(x):
    seen_often = torch.bincount(x[:, 1] * 25 + x[:, 2] * 5 + x[:, 3], minlength=125)
    return float(((seen_often - n * exact) ** 2 / (n * exact)).sum())


fast = speculative_sample(
    lambda x: A[x], 3, draft=lambda x: B[x], prefix=start, block=2, generator=generator
)
drafted = start
for _ in range(3):
    drafted = torch.cat(
        [drafted, sample_logits(B[drafted[:, -1]], generator=generator)[:, None]], 1
    )
print(f"speculative: {distance(fast.x):.0f}; the draft alone: {distance(drafted):.0f}")
assert distance(fast.x) < 124 + 5 * 16 < distance(drafted)
