# %% [markdown]
# # Laboratory: Autoregressive models
#
# Five questions. Where they can, they use laws of which everything can be counted; the text is the
# prose of this book, and its samples are shown as they come.

# %%
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
from genmath.likelihood import bits_per_dim
from genmath.nets import GPT, MADE
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
# KL adds up exactly. Total variation is at most the sum, and here about two thirds of it.

# %% [markdown]
# ## Does the order of the pixels matter?
#
# Black-and-white digits of 8 × 8 pixels, and MADE: one network whose masks make it a product of 64
# factors, in any order one likes. The chain rule is exact in every order
# (`autoregressive.chain_rule`); what a network of this size learns of it may differ. That no output
# sees its own pixel, nor a later one (`autoregressive.masks`), is tried on one digit: turn a pixel
# round, and look which logits change.

# %%
data = digits(low=0.0)
train, test = ((x.flatten(1) > 0.5).long() for x in (data.train, data.test))


def bits(log_likelihood):
    """Per pixel."""
    return float(bits_per_dim(-log_likelihood.detach().mean(), 64))


frequent = train.double().mean(0).clamp(1e-3, 1 - 1e-3)
alone = torch.stack([1 - frequent, frequent], -1).log().expand(len(test), 64, 2)
print(f"pixels alone   {bits(log_prob(alone, test)):.3f} bits a pixel")
orders = {
    "row by row": torch.arange(64),
    "from the end": torch.arange(63, -1, -1),
    "at random": torch.randperm(64, generator=generator),
}
for name, order in orders.items():
    net = MADE(64, hidden=256, layers=1, order=order.tolist(), generator=generator)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(200):
        x = train[torch.randint(0, len(train), (128,), generator=generator)]
        optimizer.zero_grad()
        nll(net(x), x).backward()
        optimizer.step()
    # The logits of a pixel, when each pixel in turn is turned round.
    flipped = net(test[0] ^ torch.eye(64).long()) - net(test[:1])
    felt = (flipped.abs().amax(-1) > 1e-4)[order][:, order]  # which pixel (row) changes which
    assert felt.any()
    assert not felt.tril().any()
    print(
        f"{name:14} {bits(net.log_prob(train)):.3f} seen, {bits(net.log_prob(test)):.3f} not seen"
    )

# %% [markdown]
# What the pixels before tell saves a quarter of the bits. The order hardly counts.

# %% [markdown]
# ## What is the next letter worth?
#
# The prose of some chapters of this book, in lower case, without formulas: letters, the space, the
# comma and the full stop. A first model counts what followed the last $k$ letters, and leans on
# shorter contexts where it saw little. One chapter is kept apart. `autoregressive.short_memory`
# says that a longer memory cannot hurt a model that *knows* the probabilities; this one has to
# learn them.

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
        """Logits of each place of (B, L) from those before it; before the first stand spaces."""
        return self.logits[self.code(nn.functional.pad(x, (self.k, 0)), self.k)[..., :-1]]


models = {f"{k} letters": Counts(seen, k) for k in range(5)}
print(f"{len(seen)} letters seen, {len(apart)} kept apart")

# %% [markdown]
# Beside it a small transformer, `genmath.nets.GPT`: two layers, 64 features, windows of 128
# letters, 400 steps.

# %%
T = 128
gpt = GPT(V, T, hidden=64, layers=2, heads=4, generator=generator)
optimizer = torch.optim.AdamW(gpt.parameters(), lr=6e-3)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=400)
for _ in range(400):
    start = torch.randint(0, len(seen) - T, (8,), generator=generator)
    x = seen[start[:, None] + torch.arange(T)]
    optimizer.zero_grad()
    (nll(gpt(x), x) / T).backward()
    optimizer.step()
    schedule.step()
models["GPT"] = gpt


def windows(text, n=100):
    return text[: len(text) // T * T].reshape(-1, T)[:n]


print("memory         seen     apart    perplexity")
for name, model in models.items():
    with torch.no_grad():
        losses = [log_prob(model(x), x) for x in map(windows, (seen, apart))]
    one, other = (-float(loss.mean()) / T for loss in losses)
    print(f"{name:10} {one:8.3f}  {other:8.3f}  {float(perplexity(losses[1], T)):10.2f}")

# %% [markdown]
# In nats a letter; $\log 29 \approx 3.37$ is guessing. Each letter of memory helps, but less and
# less: with four letters the loss on what was seen has gone on falling, the other one little. A few
# seconds of training bring the transformer near counts of three letters on what it has not seen;
# and its two columns lie closer together, since it knows less by heart.

# %% [markdown]
# ## What does the temperature do to a text?
#
# Samples of the transformer, as they come: the first of the generator.

# %%
for choose in ({"temperature": 0.3}, {}, {"top_p": 0.8}, {"temperature": 2.0}):
    own = torch.Generator().manual_seed(1)
    print(choose, "→", letters(gpt.sample(1, generator=own, **choose)[0]), "\n")

# %% [markdown]
# A low temperature repeats what is frequent; at a high one words fall apart. A nucleus leaves out
# what is improbable letter by letter. And which temperature makes the *likelihood* best? On a text
# that was not seen, a model that is too sure of itself gains by a temperature above one.

# %%
panel = axes(width=5.0, height=2.5, title="nats a letter, on the chapter kept apart")
taus = torch.linspace(0.6, 2.0, 29, dtype=torch.float64).tolist()
x = windows(apart)
for name, color in (("1 letters", INK), ("3 letters", BLUE), ("4 letters", GREEN), ("GPT", ORANGE)):
    with torch.no_grad():
        logits = models[name](x)
    loss = [float(nll(truncate_logits(logits, temperature=tau), x)) / T for tau in taus]
    best = min(range(len(taus)), key=loss.__getitem__)
    panel.plot(taus, loss, color=color)
    panel.plot(taus[best], loss[best], "o", color=color, markersize=5)
    panel.text(2.02, loss[-1], name.replace("1 letters", "1 letter"), color=color, fontsize=9)
    print(f"{name}: best temperature {taus[best]:.2f}")
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
# The target is the transformer, the drafts count letters, which costs next to nothing. For each
# draft: how often a letter is kept; the mean over sampled texts of $1 - D_{\mathrm{TV}}$ at each
# place (`autoregressive.speculative`); and the letters for each call of the target, beside the
# formula that assumes one rate everywhere (`autoregressive.speculative_block`).

# %%
print("draft        kept    mean of 1 - TV   letters a call   formula")
for k in range(5):
    draft = models[f"{k} letters"]
    runs = [
        speculative_sample(gpt, 1, draft=draft, length=T, block=4, generator=generator)
        for _ in range(8)
    ]
    kept = sum(run.accepted for run in runs) / sum(run.drafted for run in runs)
    x = torch.cat([run.x for run in runs])
    with torch.no_grad():
        p, q = (model(x).softmax(-1) for model in (gpt, draft))
    rate = float(acceptance_rate(p, q).mean())
    a_call = 8 * T / sum(run.calls for run in runs)
    print(f"{k} letters{kept:9.3f}{rate:15.3f}{a_call:17.2f}{tokens_per_call(rate, 4):12.2f}")
    assert abs(kept - rate) < 0.1

# %% [markdown]
# The rate that was counted is near the mean over contexts. It is not the same mean: judged are the
# letters up to the first that is rejected, so places behind a hard one are judged less often; and
# hard places come in groups, hence mostly fewer letters a call than by the formula. Four letters
# are a worse draft than three: what they know by heart is too sure of itself.
#
# Is the law that of the target? Where all can be counted: three letters from five choices,
# 60 000 times, against the exact probabilities. The sum of the squared differences, each over its
# expectation, should be near its mean, 124, within a few times its standard deviation, 16.

# %%
A = torch.randn(5, 5, generator=generator, dtype=torch.float64)
B = A + torch.randn(5, 5, generator=generator, dtype=torch.float64)
n, P = 60_000, A.softmax(-1)
exact = (P[0][:, None, None] * P[:, :, None] * P[None]).flatten()


def markov(logits):
    """The next letter depends on the last one; before the first stands letter 0."""
    return lambda x: logits[nn.functional.pad(x[:, :-1], (1, 0))]


def distance(x):
    counted = torch.bincount(x[:, 0] * 25 + x[:, 1] * 5 + x[:, 2], minlength=125)
    return float(((counted - n * exact) ** 2 / (n * exact)).sum())


fast = speculative_sample(markov(A), n, draft=markov(B), length=3, block=2, generator=generator)
x = torch.zeros(n, 3, dtype=torch.long)
for i in range(3):
    x[:, i] = sample_logits(markov(B)(x)[:, i], generator=generator)
print(f"speculative: {distance(fast.x):.0f}; the draft alone: {distance(x):.0f}")
assert distance(fast.x) < 124 + 5 * 16 < distance(x)
