# %% [markdown]
# # Laboratory: Discrete codes and their prior
#
# Five questions. The first three have exact answers to be measured against; the last two train on
# digits, from pixels to tokens and back.

# %%
import math
from functools import partial

import torch
from torch import nn

from genmath.figures import BLUE, axes, figure, ramp
from genmath.likelihood import kmeans
from genmath.nets import GPT
from genmath.toys import GaussianMixture, digits
from genmath.vae import gaussian_log_likelihood
from genmath.vq import (
    FSQ,
    VQVAE,
    GumbelSoftmax,
    TwoStage,
    VectorQuantizer,
    code_perplexity,
    nearest_code,
    straight_through,
)

generator = torch.Generator().manual_seed(0)

# %% [markdown]
# ## Do running means end where k-means does?
#
# Points of eight clusters, all of them in every batch, and twelve codes. k-means goes on until no
# point changes its code. From the same start the running means go to such a place too. Once the
# choices stand still, the distance of a code from the mean of its points shrinks by the decay each
# time (`vq.ema[converges]`).

# %%
mixture = GaussianMixture.ring(8, radius=2.0, std=0.3)
x = mixture.sample(800, generator=generator).double()
start = kmeans(x, 12, generator=generator, steps=1).centres
best = kmeans(x, 12, start=start)
for decay in (0.5, 0.9):
    quantizer = VectorQuantizer(12, 2, decay=decay, generator=generator).double()
    quantizer.table.copy_(start)
    quantizer.count.copy_(torch.bincount(nearest_code(x, start), minlength=12))
    quantizer.total.copy_(quantizer.count[:, None] * start)
    gaps = []
    for _ in range(400):
        tokens = quantizer(x).tokens
        means = torch.stack([x[tokens == k].mean(0) for k in range(12)])
        gaps.append(float((quantizer.table - means).norm(dim=1).max()))
    error = float((x - quantizer.table[nearest_code(x, quantizer.table)]).square().sum(1).mean())
    print(
        f"decay {decay}: error {error:.6f}, k-means {float(best.distortion[-1]):.6f};",
        f"gap after 40 batches {gaps[40]:.1e}, after 80 {gaps[80]:.1e}",
    )
    assert gaps[-1] < 1e-6

# %% [markdown]
# Both stand still where each code is the mean of its points. It need not be the *same* place: on
# the way points may choose another code than in k-means, and there are many fixed points.

# %% [markdown]
# ## How good is the bound with one code?
#
# Patches of 2 × 2 pixels from digits, one token each from a book of 16, and a decoder that says:
# the code, with normal noise. With 16 codes the evidence is a sum, so the gap of
# `vq.point_posterior` is known.

# %%
data = digits(low=0.0)
patches = data.train.unfold(2, 2, 2).unfold(3, 2, 2).reshape(-1, 4).double()
codes = kmeans(patches, 16, generator=generator).centres
tokens = nearest_code(patches, codes)
share = torch.bincount(tokens, minlength=16).double() / len(tokens)
print(f"perplexity {float(code_perplexity(tokens, 16)):.2f} of 16 codes")
print("std     uniform prior: bound    evidence     best prior: bound    evidence     gap")
for std in (0.05, 0.1, 0.2, 0.4):
    log_var = 2 * math.log(std)
    seen = torch.stack(
        [gaussian_log_likelihood(c.expand_as(patches), patches, log_var=log_var) for c in codes], 1
    )
    row = []
    for prior in (torch.full((16,), 1 / 16, dtype=torch.float64), share):
        joint = seen + prior.log()
        chosen = joint.gather(1, tokens[:, None])[:, 0]
        evidence = joint.logsumexp(1)
        gap = -(joint.log_softmax(1).gather(1, tokens[:, None])[:, 0])
        assert torch.allclose(evidence - chosen, gap)
        row += [float(chosen.mean()), float(evidence.mean())]
    print(
        f"{std:4}{row[0]:24.3f}{row[1]:12.3f}{row[2]:20.3f}{row[3]:12.3f}{float(gap.mean()):9.3f}"
    )
saved = math.log(16) - float(torch.special.entr(share).sum())
assert abs((row[2] - row[0]) - saved) < 1e-9
print(f"a better prior is worth log 16 - H = {saved:.3f} nats in each row")

# %% [markdown]
# With little noise the code is certain and the gap small. With much noise several codes would do,
# and a bound that bets on one of them loses: here, at worst about two fifths of the price of the
# token. What the prior gains is the same in each row, exactly what `vq.two_stages` says.

# %% [markdown]
# ## Which gradient is the truth?
#
# Two codes, worth $f = 0$ and $f = 1$, and the logit $\ell$ between them. The mean of $f$ over
# draws is $\mathrm{sigmoid}(\ell)$, and so its gradient is known. Three estimators, 200 000 draws
# each, at $\ell = 1$, for the loss $f^2$, which is the same for a draw and another one for a
# mixture: the score-function gradient (`vae.score_function_gradient`), Gumbel-softmax, and its
# straight-through form.

# %%
n = 200_000
ell = torch.tensor(1.0, dtype=torch.float64)
p = float(torch.sigmoid(ell))
truth = p * (1 - p)
print(f"exact gradient {truth:.4f}")
u = torch.rand(n, generator=generator, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
hard = (ell + u.logit() > 0).double()
score = hard**2 * (hard - p)
print(
    f"score function          mean {float(score.mean()):.4f}   deviation {float(score.std()):.2f}"
)
assert abs(float(score.mean()) - truth) < 0.005
for tau in (2.0, 1.0, 0.5, 0.1):
    logit = ell.expand(n).clone().requires_grad_()
    y = torch.sigmoid((logit + u.logit()) / tau)
    for name, weight in (("mixture", y), ("straight through", straight_through(y, hard))):
        (slope,) = torch.autograd.grad((weight**2).sum(), logit, retain_graph=True)
        mean, deviation = float(slope.mean()), float(slope.std())
        print(f"tau {tau:3} {name:16} mean {mean:.4f}   deviation {deviation:.2f}")

# %% [markdown]
# Only the score-function gradient has the right mean at every temperature. The mixture's is wrong
# at high temperatures and comes near as $\tau \to 0$, while its deviation grows. The
# straight-through form has another bias: the slope of the mixture times the slope of the loss at
# the draw.

# %% [markdown]
# ## Which quantiser for digits?
#
# An encoder of two convolutions makes 4 × 4 vectors of a digit of 8 × 8 pixels, a decoder comes
# back. Between them, at the same 16 codes for each place: a learned book, rounding on 4 × 4
# levels, and Gumbel-softmax. 220 steps each.

# %%
train, test = data.train, data.test
likelihood = partial(gaussian_log_likelihood, log_var=2 * math.log(0.15))


def networks(channels, dim, seed=0):
    torch.manual_seed(seed)
    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 4, stride=2, padding=1), nn.SiLU(), nn.Conv2d(32, channels, 3, padding=1)
    )
    decoder = nn.Sequential(
        nn.Conv2d(dim, 32, 3, padding=1),
        nn.SiLU(),
        nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1),
    )
    return encoder, decoder


def first_stage(quantizer, steps=220):
    model = VQVAE(*networks(quantizer.channels, quantizer.dim), quantizer, likelihood)
    if isinstance(quantizer, VectorQuantizer):
        with torch.no_grad():
            quantizer.start(model.encoder(train[:400]), generator=generator)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    for i in range(steps):
        if isinstance(quantizer, GumbelSoftmax):
            quantizer.temperature = max(0.3, math.exp(-i / 100))
        batch = train[torch.randint(0, len(train), (64,), generator=generator)]
        optimizer.zero_grad()
        model.loss(batch, generator=generator).backward()
        optimizer.step()
    return model.eval()


quantizers = {
    "learned book, EMA": VectorQuantizer(16, 4, decay=0.9, restart=0.1, generator=generator),
    "learned book, gradient": VectorQuantizer(16, 4, decay=None, generator=generator),
    "FSQ, 4 x 4 levels": FSQ([4, 4]),
    "Gumbel-softmax": GumbelSoftmax(16, 4, generator=generator),
}
models = {}
print("                        squared error a pixel   perplexity of 16")
for name, quantizer in quantizers.items():
    models[name] = model = first_stage(quantizer)
    with torch.no_grad():
        tokens = model.encode(test)
        error = float((model.decode(tokens) - test).square().mean())
    print(f"{name:24}{error:16.4f}{float(code_perplexity(tokens, 16)):20.1f}")
blank = float((train.mean(0) - test).square().mean())
print(f"the mean digit          {blank:16.4f}")

# %% [markdown]
# All of them rebuild digits that they have not seen; which one is ahead after so few steps depends
# on the step size and the seed, and no conclusion should be drawn from it. The book that is
# updated by gradients uses fewer codes than the one that restarts them.

# %% [markdown]
# ## From tokens to digits
#
# Now the second stage, on the tokens of the first model: `genmath.nets.GPT` over 16 tokens. Three
# priors: any digit; a digit of a class; a digit of a *text*, two words before the tokens, such as
# "heavy seven". The text says the digit and whether it has more ink than the median of its class.

# %%
first = models["learned book, EMA"].requires_grad_(False)
names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
vocabulary = ["light", "heavy", *names]
ink = data.train.sum((1, 2, 3))
median = torch.stack([ink[data.train_labels == k].median() for k in range(10)])


def text_of(images, labels):
    heavy = (images.sum((1, 2, 3)) > median[labels]).long()
    return torch.stack([heavy, 2 + labels], 1)


def second_stage(prior, words=0, told=None, steps=210):
    model = TwoStage(first, prior, words=words)
    optimizer = torch.optim.AdamW(prior.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(steps):
        i = torch.randint(0, len(train), (64,), generator=generator)
        given = {} if told is None else {told[0]: told[1][i]}
        optimizer.zero_grad()
        model.loss(train[i], **given).backward()
        optimizer.step()
        schedule.step()
    return model.eval()


words = text_of(train, data.train_labels)
plain = second_stage(GPT(16, 16, hidden=64, generator=generator))
labelled = second_stage(
    GPT(16, 16, hidden=64, classes=10, generator=generator), told=("cond", data.train_labels)
)
written = second_stage(
    GPT(16 + 12, 2 + 16, hidden=64, generator=generator), words=12, told=("text", words)
)

test_words = text_of(test, data.test_labels)
tokens = first.encode(train).flatten(1)
single = torch.stack([(tokens == k).double().mean(0) for k in range(16)], 1).clamp(min=1e-4).log()
of_test = first.encode(test).flatten(1)
with torch.no_grad():
    bits = {
        "uniform": -16 * math.log(16),
        "each place alone": float(single[torch.arange(16), of_test].sum(1).mean()),
        "GPT": float(plain.log_prior(of_test).mean()),
        "GPT, given the class": float(labelled.log_prior(of_test, cond=data.test_labels).mean()),
        "GPT, given the text": float(written.log_prior(of_test, text=test_words).mean()),
    }
    seen = first.log_likelihood(test, first.encode(test)).mean().item()
    bound = plain.bound(test).total.mean().item()
print("prior                 bits of the tokens   bound of log p(x), nats")
for name, log_prior in bits.items():
    print(f"{name:22}{-log_prior / math.log(2):16.1f}{seen + log_prior:22.1f}")
assert abs(bound - (seen + bits["GPT"])) < 1e-3

# %% [markdown]
# The reconstruction is the same in all rows, so every bit saved on the tokens raises the bound by
# one bit, which is 0.69 nats. Whoever is told the class or the text has a bound of
# $\log p(x \mid y)$ instead. Samples, ten in each row: of the text, the upper row is light, the
# lower heavy.

# %%
labels = torch.arange(10)
rows = {
    "any digit": plain.sample(10, shape=(4, 4), generator=generator),
    "by class": labelled.sample(10, shape=(4, 4), cond=labels, generator=generator),
}
for heavy in (0, 1):
    text = torch.stack([torch.full((10,), heavy), 2 + labels], 1)
    name = f"“{vocabulary[heavy]} zero”, “{vocabulary[heavy]} one”, …"
    rows[name] = written.sample(10, shape=(4, 4), text=text, generator=generator)
panels = []
for name, images in rows.items():
    panel = axes(width=6.4, height=0.95, title=name)
    sheet = torch.nn.functional.pad(images[:, 0], (1, 1, 0, 0)).permute(1, 0, 2).flatten(1)
    panel.imshow(sheet.clamp(0, 1).numpy(), cmap=ramp(BLUE), vmin=0, vmax=1)
    panel.set(xticks=[], yticks=[])
    for spine in panel.spines.values():
        spine.set_visible(False)
    panels.append(panel)
figure(
    *panels,
    alt="Four rows of ten small pictures of digits: mixed ones; zero to nine; zero to nine thinly "
    "written; and zero to nine boldly written.",
    caption="Decoded tokens, as they were drawn: the first of the generator.",
)

# %% [markdown]
# Do the samples obey? The digit is read by the nearest of all training digits; the first line says
# how well that reads true ones. The ink is counted.

# %%


def read(images):
    return data.train_labels[torch.cdist(images.flatten(1), train.flatten(1)).argmin(1)]


many = labels.repeat(20)
print(f"read of true digits: {float((read(test) == data.test_labels).float().mean()):.0%}")
rebuilt = first.decode(first.encode(test))
print(f"of rebuilt ones:     {float((read(rebuilt) == data.test_labels).float().mean()):.0%}")
images = labelled.sample(200, shape=(4, 4), cond=many, generator=generator)
print(f"by class:            {float((read(images) == many).float().mean()):.0%}")
for heavy in (0, 1):
    text = torch.stack([torch.full((200,), heavy), 2 + many], 1)
    images = written.sample(200, shape=(4, 4), text=text, generator=generator)
    right = float((read(images) == many).float().mean())
    more = float((images.sum((1, 2, 3)) > median[many]).float().mean())
    print(f"text, {vocabulary[heavy]}:         {right:.0%}, more ink than the median: {more:.0%}")

# %% [markdown]
# Most of them do, in the digit and in the ink, after seconds of training: a text as a prefix
# steers a picture with no other machinery than the next token. What the first stage loses of a
# digit hardly matters for reading it; the prior's errors do.
