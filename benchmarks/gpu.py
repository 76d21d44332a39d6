"""What a graphics card makes of the book's networks and samplers: shares of its peak, not seconds.

    python benchmarks/gpu.py                       on the card
    python benchmarks/gpu.py --tiny --device cpu   the same in miniature, to see that it runs
    python benchmarks/gpu.py --write docs/train/gpu.json   what the page on many GPUs shows

step      a training step of a DiT on codes: floating-point operations, counted by torch, a second,
          as a share of what one large product of matrices reaches on this card in this run, and of
          the peak that is printed for it, where it is known
sampler   50 steps of Euler's method over 50 calls of the network alone
recipe    the text-to-image recipe: its figures, and its time

Each is run without and with torch.compile; a median over rounds, after a warm-up.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from genmath.flow_matching import cfm_loss
from genmath.nets import DiT
from genmath.paths import LinearPath
from genmath.samplers import Euler, sample

# Dense bf16 operations a second, from the makers' data sheets.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12}


def seconds(run: Callable[[], object], device: torch.device, rounds: int) -> float:
    """The median time of a run, the card waited for."""
    taken = []
    for _ in range(rounds + 2):
        if device.type == "cuda":
            torch.cuda.synchronize()
        began = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[2:])


def reachable(device: torch.device, n: int, rounds: int) -> float:
    """Operations a second of a product of two n × n matrices in bf16."""
    a, b = torch.randn(2, n, n, device=device, dtype=torch.bfloat16)
    return 2 * n**3 / seconds(lambda: a @ b, device, rounds)


def network(device: torch.device, tiny: bool) -> tuple[DiT, tuple[int, ...]]:
    generator = torch.Generator().manual_seed(0)
    hidden, layers, heads, side = (64, 2, 4, 8) if tiny else (1024, 24, 16, 32)
    net = DiT(4, hidden, layers, heads, 2, classes=10, generator=generator)
    return net.to(device), (4 if tiny else 64, 4, side, side)


def training(device: torch.device, tiny: bool, compiled: bool, rounds: int) -> dict[str, float]:
    """Operations and seconds of a step: loss, gradients, Adam, in bf16 where the network is."""
    net, shape = network(device, tiny)
    x = torch.randn(shape, device=device)
    label = torch.arange(len(x), device=device) % 10
    generator = torch.Generator(device).manual_seed(0)
    optimizer = torch.optim.Adam(net.parameters(), 1e-4, fused=True)
    if compiled:
        net.compile()

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16):
            loss = cfm_loss(lambda z, t: net(z, t, label).float(), x, generator=generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    plain, _ = network(device, tiny)  # what is compiled is not counted
    with FlopCounterMode(display=False) as counter, torch.autocast(device.type, torch.bfloat16):
        cfm_loss(lambda z, t: plain(z, t, label).float(), x, generator=generator).backward()
    return {"flop": counter.get_total_flops(), "seconds": seconds(step, device, rounds)}


def sampling(device: torch.device, tiny: bool, compiled: bool, rounds: int) -> float:
    """A run of Euler's method over as many calls of the network alone."""
    net, shape = network(device, tiny)
    net = net.to(torch.bfloat16).eval()
    steps, path = (4 if tiny else 50), LinearPath()
    x = torch.randn(shape, device=device, dtype=torch.bfloat16)
    label = torch.arange(len(x), device=device) % 10
    t = torch.full((len(x),), 0.5, device=device)
    if compiled:
        net.compile(
            mode="max-autotune-no-cudagraphs" if device.type == "cpu" else "reduce-overhead"
        )

    @torch.no_grad()
    def alone() -> None:
        for _ in range(steps):
            net(x, t.to(x.dtype), label).clone()

    def whole() -> None:
        sample(
            lambda z, s: net(z, s.to(z.dtype), label).clone(), shape, path, Euler(), steps=steps,
            prediction="velocity", start=x, dtype=x.dtype,
        )  # fmt: skip

    return seconds(whole, device, rounds) / seconds(alone, device, rounds)


def text_to_image(device: torch.device, tiny: bool, precision: str) -> dict[str, float]:
    """The recipe from its settings, and how long it took."""
    from genmath.train import fit, recipe

    changes = {"steps": 2, "batch": 8} if tiny else {}
    made = recipe("text-to-image").changed(changes)
    began = time.perf_counter()
    fitted = fit(made, precision=precision)
    took = time.perf_counter() - began
    found = made.evaluate(fitted.model, fitted.data, torch.Generator(device).manual_seed(0))
    return {**found, "seconds": took}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small sizes and few rounds")
    parser.add_argument("--only", nargs="+", default=["step", "sampler", "recipe"])
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--write", type=Path, help="a JSON file for the page")
    asked = parser.parse_args()
    if asked.device == "cuda" and not torch.cuda.is_available():
        parser.error("there is no card here: --tiny --device cpu runs it in miniature")
    device = torch.device(asked.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    rounds, ways = (1, 10)[not asked.tiny], (False, True)[: 2 - asked.no_compile]
    found: dict[str, object] = {"device": name, "torch": torch.__version__, "tiny": asked.tiny}

    if "step" in asked.only:
        best = reachable(device, 256 if asked.tiny else 8192, rounds)
        peak = next((p for key, p in PEAKS.items() if key in name), None)
        for compiled in ways:
            step = training(device, asked.tiny, compiled, rounds)
            rate = step["flop"] / step["seconds"]
            shares = {"of a product": rate / best} | ({"of the peak": rate / peak} if peak else {})
            found["step, compiled" if compiled else "step"] = shares
            said = ", ".join(f"{share:.0%} {of}" for of, share in shares.items())
            print(f"step     {'compiled' if compiled else 'plain':9} {said}", flush=True)
    if "sampler" in asked.only:
        for compiled in ways:
            ratio = sampling(device, asked.tiny, compiled, rounds)
            found["sampler, compiled" if compiled else "sampler"] = ratio
            print(f"sampler  {'compiled' if compiled else 'plain':9} {ratio:.2f} x", flush=True)
    if "recipe" in asked.only:
        figures = text_to_image(device, asked.tiny, "no" if device.type == "cpu" else "bf16")
        found["recipe"] = figures
        print("recipe   " + ", ".join(f"{k} {v:.3g}" for k, v in figures.items()), flush=True)
    if asked.write:
        asked.write.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
