"""The picture on the landing page: noise becomes data, by the exact flow."""

from __future__ import annotations

import torch

from genmath.figures import BLUE, INK, Html, axes, slider
from genmath.paths import CosinePath
from genmath.samplers import DDIM, sample
from genmath.toys import GaussianMixture


def flow() -> Html:
    data, path = GaussianMixture.ring(), CosinePath()
    generator = torch.Generator().manual_seed(0)
    times = [1 - i / 64 for i in range(65)]
    ways = sample(
        lambda x, t: data.denoiser(x, *path.coefficients(t, x)),
        (260, 2),
        path,
        DDIM(),
        steps=times,
        prediction="x0",
        generator=generator,
        dtype=torch.float64,
        trajectory=True,
    )
    panel = axes(width=4.4, height=4.4)
    for way in ways[:, :24].unbind(1):
        panel.plot(*way[::4].T, color=INK, lw=0.4, alpha=0.3)
    frames = {
        f"t = {times[i]:.2f}": panel.plot(*ways[i].T, "o", color=BLUE, markersize=2.6)
        for i in range(0, 65, 4)
    }
    panel.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
    panel.axis("off")
    return slider(
        panel,
        frames=frames,
        label="time",
        alt="A round cloud of points moves along thin curves and gathers in eight clusters on a circle.",
        caption="Noise (t = 1) flows to data (t = 0) along the probability-flow ODE of a mixture whose score is known exactly: no "
        "network, no error.",
    )
