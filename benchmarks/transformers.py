"""What the transformers cost beside the lines a careful person would write, and torch's own layer.

    python benchmarks/transformers.py

"step" is a training step of a DiT, loss, gradients and fused Adam, told time, class and a text by
cross-attention; the bare one is the same with one product for all of a block's scales and gates,
places and patches laid out once, and no checks. "call" is the same without gradients, as a sampler
asks. "block" is forward and backward of a block that is told nothing against torch's own
nn.TransformerEncoderLayer. They start from the same weights and must end in the same numbers; all
take turns within one process; printed is the median over rounds of the time over the bare one.
"""

from __future__ import annotations

import torch
from _turns import Run, ratios, rounds_asked_for
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, linear, silu
from torch.nn.functional import scaled_dot_product_attention as attend

from genmath.nets import DiT
from genmath.nets.blocks import Block
from genmath.nets.patches import from_patches, to_patches
from genmath.nets.positions import sinusoids
from genmath.nets.time import waves

STEPS = 2


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def heads_of(x: Tensor, heads: int) -> Tensor:
    return x.view(*x.shape[:2], heads, -1).transpose(1, 2)


class Bare(nn.Module):
    """The parameters of a DiT, and the lines it comes down to."""

    def __init__(self, net: DiT, grid: tuple[int, int]) -> None:
        super().__init__()
        self.net = net
        self.places = sinusoids(grid, net.first.out_features, net.first.weight)

    def forward(self, x: Tensor, t: Tensor, label: Tensor, context: Tensor) -> Tensor:
        net = self.net
        told = net.told.time(waves(t, net.told.n)) + net.told.label(label)
        none = net.context.none.weight.expand(len(x), 1, -1)
        tokens = torch.cat([none, net.context.project(context)], 1)
        told = silu(told + net.context.summary(tokens.mean(1)))
        h = net.first(to_patches(x, net.patch)).flatten(1, 2) + self.places
        width = h.shape[-1]
        for block in net.blocks:
            a, heads = block.attention, block.attention.heads
            weight = torch.cat([block.norm.tell.weight, block.before.tell.weight])
            bias = torch.cat([block.norm.tell.bias, block.before.tell.bias])
            shift, scale, gate, shift_2, scale_2, gate_2 = (
                linear(told, weight, bias).unsqueeze(1).chunk(6, -1)
            )
            b = layer_norm(h, (width,)) * (1 + scale) + shift
            k, v = a.hold.layer(b).chunk(2, -1)
            seen = attend(heads_of(a.ask(b), heads), heads_of(k, heads), heads_of(v, heads))
            h = h + gate * a.answer(seen.transpose(1, 2).flatten(2))
            a = block.look.attention
            k, v = a.hold.layer(tokens).chunk(2, -1)
            asked = heads_of(a.ask(block.look.norm(h)), heads)
            seen = attend(asked, heads_of(k, heads), heads_of(v, heads))
            h = h + a.answer(seen.transpose(1, 2).flatten(2))
            up, _, down = block.perceptron
            b = layer_norm(h, (width,)) * (1 + scale_2) + shift_2
            h = h + gate_2 * down(gelu(up(b)))
        shift, scale = net.norm.tell(told).unsqueeze(1).chunk(2, -1)
        h = net.last(layer_norm(h, (width,)) * (1 + scale) + shift)
        side = x.shape[-1] // net.patch[1]
        return from_patches(h.unflatten(1, (-1, side)), net.patch)


def diffusion(batch: int, hidden: int, side: int) -> dict[str, dict[str, Run]]:
    x, noise = torch.randn(2, batch, 4, side, side, generator=rng())
    t, label = torch.rand(batch, generator=rng()), torch.arange(batch) % 10
    context = torch.randn(batch, 8, 32, generator=rng())

    def made() -> DiT:
        net = DiT(4, hidden, 4, 4, classes=10, context_dim=32, generator=rng())
        generator = rng()
        with torch.no_grad():  # from weights without a zero, as after some steps
            for p in net.parameters():
                p.add_(torch.randn(p.shape, generator=generator), alpha=0.02)
        return net

    def train(bare: bool) -> Tensor:
        net: nn.Module = made()
        net = Bare(net, (side // 2, side // 2)) if bare else net
        optimizer = torch.optim.Adam(net.parameters(), 1e-4, fused=True)
        for _ in range(STEPS):
            loss = ((net(x, t, label, context) - noise) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.detach()

    ours = made()
    theirs = Bare(ours, (side // 2, side // 2))

    def call(net: nn.Module) -> Tensor:
        with torch.no_grad():
            for _ in range(STEPS):
                out = net(x, t, label, context)
        return out

    return {
        "step": {"ours": lambda: train(False), "bare": lambda: train(True)},
        "call": {"ours": lambda: call(ours), "bare": lambda: call(theirs)},
    }


def blocks(batch: int, n: int, width: int) -> dict[str, Run]:
    ours = Block(width, 4)
    theirs = nn.TransformerEncoderLayer(
        width, 4, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
    )
    a = ours.attention
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([a.ask.weight, a.hold.layer.weight]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([a.ask.bias, a.hold.layer.bias]))
    theirs.self_attn.out_proj.load_state_dict(a.answer.state_dict())
    theirs.linear1.load_state_dict(ours.perceptron[0].state_dict())
    theirs.linear2.load_state_dict(ours.perceptron[2].state_dict())
    x = torch.randn(batch, n, width, generator=rng())

    def run(net: nn.Module) -> Tensor:
        net.zero_grad()
        given = x.clone().requires_grad_()
        (net(given) ** 2).mean().backward()
        return given.grad

    return {"ours": lambda: run(ours), "bare": lambda: run(theirs)}


def main() -> None:
    rounds = rounds_asked_for(__doc__)
    for batch, hidden, side in ((16, 64, 8), (32, 128, 16)):
        for what, runs in diffusion(batch, hidden, side).items():
            shape = f"[{batch}, 4, {side}, {side}], {hidden} wide"
            print(f"{what:5} {shape:30} {ratios(runs, rounds)['ours']:6.2f}", flush=True)
    for shape in ((16, 16, 64), (32, 64, 128)):
        got = ratios(blocks(*shape), rounds)["ours"]
        print(f"block {list(shape)!s:30} {got:6.2f}", flush=True)


if __name__ == "__main__":
    main()
