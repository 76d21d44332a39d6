# %% [markdown]
# # Laboratory: Text to picture and clip
#
# Seven questions about the whole system, in the shapes world: small pictures with captions, and a
# reader that says exactly what a picture shows. In place of a trained network stands the best one
# there is for finitely many pictures, their exact denoiser. So what is off is due to what the
# chapter speaks of, and not to training.

# %%
import math
from itertools import pairwise

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from genmath.figures import BLUE, GREEN, ORANGE, axes, figure
from genmath.guidance import edit, inpaint
from genmath.multimodal import best_of, clip_cost, score_distillation, volume_weights
from genmath.nets import DiT
from genmath.paths import LinearPath
from genmath.samplers import Euler, sample
from genmath.shapes import caption, draw, read, scenes

generator = torch.Generator().manual_seed(0)
alone = [scene for scene in scenes() if scene.other is None]
print(len(alone), "scenes of one thing, such as", caption(alone[0]))

# %% [markdown]
# ## What must the code keep?
#
# Take the scenes themselves as data, all equally frequent, the whole caption as text, and a code
# that keeps a part of it. A decoder that is not told the text pays the mutual information of
# picture and text given the code (`multimodal.conditional_bound`), on top of its own gap, which is
# zero here. It is counted from the table of all scenes.

# %%


def entropy(values):
    shares = torch.tensor([values.count(v) for v in set(values)], dtype=torch.float64) / len(values)
    return -(shares * shares.log()).sum().item()


def blind_pays(code):
    """I(x; c | z) where the text names the whole scene: what the code leaves open."""
    return entropy([(code(s), s) for s in alone]) - entropy([code(s) for s in alone])


CODES = {
    "nothing": lambda s: 0,
    "shape and place": lambda s: (s.thing.shape, s.place),
    "all but the size": lambda s: (s.thing.shape, s.thing.colour, s.place),
    "everything": lambda s: s,
}
for name, code in CODES.items():
    print(f"the code keeps {name:17} a blind decoder pays {blind_pays(code):.3f} nats more")
assert abs(blind_pays(CODES["nothing"]) - math.log(216)) < 1e-9
assert abs(blind_pays(CODES["shape and place"]) - math.log(8)) < 1e-9
assert abs(blind_pays(CODES["everything"])) < 1e-9

# %% [markdown]
# A code that drops colour and size leaves $\log 8$ nats that only the text knows.
#
# ## What does a frozen encoder forget?
#
# The sampler is told what an encoder says of the text: the whole caption, or the caption without
# its colour, or without its place. The velocity is exact: the mean over all pictures whose text
# reads the same to the encoder. The reader says what came out.

# %%
data = draw([s for s in alone for _ in range(4)], 16, generator=generator)
of = [s for s in alone for _ in range(4)]
path = LinearPath()


class Exact:
    """The velocity of the straight path for finitely many pictures, one set for each sample."""

    def __init__(self, allowed):
        self.allowed = allowed  # (B, N), which pictures fit what is told

    def __call__(self, x, t):
        t = t.reshape(-1, 1)[:1]
        flat, rows = x.flatten(1), data.flatten(1)
        square = ((1 - t) * rows).pow(2).sum(1) - 2 * (1 - t) * flat @ rows.T
        scores = -square / (2 * t.clamp(min=1e-3) ** 2)
        weights = scores.masked_fill(~self.allowed, -torch.inf).softmax(1)
        return ((flat - weights @ rows) / t.clamp(min=1e-3)).reshape(x.shape)


ENCODERS = {
    "the whole caption": lambda s: s,
    "no colour": lambda s: (s.thing.size, s.thing.shape, s.place),
    "no place": lambda s: s.thing,
}
wanted = alone[::3]


def drawn(encoder, model=Exact, repeats=1):
    allowed = torch.tensor([[encoder(w) == encoder(s) for s in of] for w in wanted])
    allowed = allowed.repeat(repeats, 1)
    x = sample(model(allowed), (len(allowed), 3, 16, 16), path, Euler(), steps=16,
               prediction="velocity", generator=generator)  # fmt: skip
    return x, read(x)


shares = {}
for name, encoder in ENCODERS.items():
    _, seen = drawn(encoder)
    shares[name] = sum(a == b for a, b in zip(seen, wanted, strict=True)) / len(wanted)
    pairs = zip(seen, wanted, strict=True)
    told = sum(s is not None and encoder(s) == encoder(w) for s, w in pairs) / len(wanted)
    print(f"{name:18} as captioned: {shares[name]:.0%}; as the encoder told: {told:.0%}")
    assert told > 0.95
assert shares["the whole caption"] > 0.95
assert shares["no colour"] < 0.5
assert shares["no place"] < 0.3

# %% [markdown]
# The sampler does what it is told, and what it is not told it draws at random: one colour of four,
# one place of nine. No guidance and no training would mend that.
#
# ## Can a judge repair it?
#
# Draw $n$ pictures for each caption with the encoder that forgot the colour, and keep the one that
# a judge likes best. The judge is exact, too: 1 for a picture as captioned, 0 for others, and a
# little noise against ties. With one colour of four right by chance, the best of $n$ is right with
# probability $1 - 0.75^n$.

# %%
for n in (1, 2, 4, 8):
    x, seen = drawn(ENCODERS["no colour"], repeats=n)
    right = torch.tensor([a == b for a, b in zip(seen, wanted * n, strict=True)]).reshape(n, -1).T
    scores = right + 1e-3 * torch.rand(right.shape, generator=generator)
    share = best_of(right.unsqueeze(2).float(), scores).mean().item()
    formula, nats = 1 - 0.75**n, math.log(n) - 1 + 1 / n
    print(f"best of {n}: as captioned {share:.0%}, by formula {formula:.0%}; {nats:.2f} nats")
    assert abs(share - formula) < 0.2

# %% [markdown]
# A judge repairs what is drawn often enough to be found, at the price of $n$ pictures for one.
#
# ## What does an edit keep of a picture?
#
# A picture is noised up to a time $t$ and brought back, told the same thing in another colour and
# nothing of its place (`guidance.editing`). Is it drawn so, and where it was?

# %%
OTHER = {"red": "blue", "blue": "yellow", "yellow": "green", "green": "red"}
changed = [s._replace(thing=s.thing._replace(colour=OTHER[s.thing.colour])) for s in wanted]
allowed = torch.tensor([[s.thing == w.thing for s in of] for w in changed])
given, there = draw(wanted, 16, generator=generator), {}
for t in (0.5, 0.8, 0.9, 0.95, 1.0):
    x = edit(Exact(allowed), given, t, path, Euler(), steps=16, prediction="velocity",
             generator=generator)  # fmt: skip
    seen = list(zip(read(x), changed, strict=True))
    there[t] = sum(a == b for a, b in seen) / len(seen)
    told = sum(a is not None and a.thing == b.thing for a, b in seen) / len(seen)
    print(f"noised up to {t:4}: as told {told:.0%}, in its place {there[t]:.0%}")
    assert told > 0.95
assert there[0.5] > 0.8
assert there[1.0] < 0.3

# %% [markdown]
# What the text leaves open the picture decides, as long as the noise lets it be seen; from noise
# alone it is one place of nine.
#
# Now the right half is hidden from pictures whose thing stands in the middle column, cut in two,
# and is filled without any text (`guidance.replaced`). The left half says what the right one has to
# be.

# %%
which = [i for i, s in enumerate(of) if s.place in ("top", "middle", "bottom")][::4]
known = (torch.arange(16) < 8).expand(3, 16, 16)
filled = {}
for repeats in (1, 4):
    everything = torch.ones(len(which), len(of), dtype=torch.bool)
    x = inpaint(Exact(everything), data[which], known, path, Euler(), steps=16, repeats=repeats,
                prediction="velocity", generator=generator)  # fmt: skip
    seen = zip(read(x), (of[i] for i in which), strict=True)
    filled[repeats] = sum(a == b for a, b in seen) / len(which)
    print(f"each step made {repeats} times: filled as it was {filled[repeats]:.0%}")
assert filled[1] < 0.9

# %% [markdown]
# The model is exact, and its pictures are these: one of them has that left half, and to draw given
# the half would be to draw it, always. Replacing the known part after each step does less. Made
# once, the steps guess the hidden half before the known one is seen through the noise, and cannot
# go back; made four times, some can.
#
# ## Is the count of FLOPs right?
#
# torch counts the operations of matrix products itself. Two blocks of `genmath.nets.DiT` on a clip,
# with attention over all of it, and alternating. What does not belong to a block, the layers that
# tell the time and those at both ends, is taken off by counting a network with two blocks more.

# %%


PLAIN = SDPBackend.MATH  # the kernel whose products torch counts on a CPU


def counted(factorised, frames, side, width):
    """FLOPs that two blocks add."""
    flops = []
    x = torch.zeros(1, 3, frames, side, side)
    for layers in (2, 4):
        net = DiT(3, width, layers, 4, (1, 1, 1), factorised=factorised, generator=generator)
        with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(PLAIN):
            net(x, torch.zeros(1))
        flops.append(counter.get_total_flops())
    return flops[1] - flops[0]


panel = axes(title="FLOPs of a block, a token")
panel.set(xlabel="frames", xscale="log", yscale="log")
for kind, color in (("whole", BLUE), ("alternating", GREEN)):
    points = []
    for frames in (4, 8, 16, 32):
        told = 2 * 2 * 64 * 6 * 64  # adaLN's matrices, once a picture and block
        count = counted(kind == "alternating", frames, 4, 64) - told
        formula = 2 * clip_cost(frames, 16, 64, attention=kind)
        assert abs(count / formula - 1) < 0.02, (kind, frames, count, formula)
        points.append(count / 2 / (frames * 16))
    panel.plot((4, 8, 16, 32), points, "o", color=color)
    line = [clip_cost(n, 16, 64, attention=kind) / (n * 16) for n in range(1, 65)]
    panel.plot(range(1, 65), line, color=color, label=kind)
both = [clip_cost(n, 16, 64, attention="both") / (n * 16) for n in range(1, 65)]
panel.plot(range(1, 65), both, color=ORANGE, label="both in a block")
panel.legend(frameon=False, fontsize=8)
figure(
    panel,
    alt="Three curves: attention over the whole clip grows with the frames, alternating hardly; "
    "both in a block begins highest and crosses the first one. Dots lie on two curves.",
    caption="Lines: the formulas. Dots: what torch counts. Frames of 16 tokens, width 64.",
)

# %% [markdown]
# Up to a few per mille the count is the formula. Both kinds in a block pay off here from
# $n = 10$ frames on, since $(n - 1) \cdot 15 > 1 + 128$.
#
# ## Does score distillation sample?
#
# The model's pictures are one number, normal with mean 1 and standard deviation 0.5. Move 500
# scenes, each its own number, from starts that are spread widely.

# %%
theta = (3 * torch.randn(500, 1, generator=generator)).requires_grad_()
optimizer = torch.optim.SGD([theta], lr=0.1)
level, variance = 0.6, 0.25
alpha = math.sqrt(1 - level**2)
for step in range(600):
    noise = torch.randn(500, 1, generator=generator)
    x_t = (alpha * theta + level * noise).detach()
    guess = level * (x_t - alpha) / (alpha**2 * variance + level**2)  # exact
    optimizer.zero_grad()
    (500 * score_distillation(theta, guess, noise, weight=alpha)).backward()
    optimizer.param_groups[0]["lr"] = 0.1 if step < 400 else 0.01
    optimizer.step()
ends = theta.detach()
mean, deviation = ends.mean().item(), ends.std().item()
print(f"scenes: mean {mean:.3f}, deviation {deviation:.3f}; pictures: mean 1, deviation 0.5")
assert abs(mean - 1) < 0.05
assert deviation < 0.15

# %% [markdown]
# They all come to the most likely picture. What is left of a spread is the noise of the gradients,
# and gets smaller with the rate.
#
# ## Does a picture depend on how finely a ray is cut?
#
# A ray through matter that is constant in three pieces, cut into more and more segments.

# %%
matter, edges = torch.tensor([0.4, 2.0, 0.1]).double(), (0.0, 1.0, 1.5, 3.0)
colour = torch.tensor([1.0, 0.2, 0.6]).double()
for cuts in (1, 4, 64):
    lengths = torch.tensor([(b - a) / cuts for a, b in pairwise(edges)]).double()
    density, of_segment, lengths = (v.repeat_interleave(cuts) for v in (matter, colour, lengths))
    weights = volume_weights(density, lengths)
    shown, total = (weights * of_segment).sum().item(), weights.sum().item()
    print(f"{3 * cuts:3} segments: colour {shown:.9f}, weights together {total:.9f}")
    if cuts == 1:
        first = shown
    assert abs(shown - first) < 1e-6
left = math.exp(-(0.4 * 1 + 2 * 0.5 + 0.1 * 1.5))
assert abs(total - (1 - left)) < 1e-6

# %% [markdown]
# Not at all, up to rounding: the exponential makes the shares fit together.
