"""How far samples are from held-out data, for recipes that say nothing better."""

from __future__ import annotations

from genmath._base.torch import Tensor, nn, torch
from genmath.evaluation import frechet_distance
from genmath.toys import moons_density
from genmath.train.data import Data
from genmath.wasserstein import wasserstein


def distance(samples: Tensor, data: Data) -> tuple[str, float]:
    """Points by the 2-Wasserstein distance of stratified sets, pictures by Fréchet's of pixels."""
    held = data.test.x.to(samples.device)
    if data.event.kind == "points":
        return "W2", float(wasserstein(samples, held))
    return "Fréchet", float(frechet_distance(samples.flatten(1), held.flatten(1)))


def likelihood(log_prob: Tensor, data: Data) -> dict[str, float]:
    """Minus the mean log-likelihood of the held-out data; of moons also how much better the exact
    density does, which is the KL divergence from it."""
    found = {"nats": -float(log_prob.mean())}
    if data.name == "moons":
        exact = moons_density().log_prob(data.test.x.double())
        found["gap"] = found["nats"] + float(exact.mean())
    return found


def reader(data: Data) -> nn.Module:
    """A small classifier of pictures, trained on the data: pictures to logits."""
    x, y = data.batch(1500, 0)
    assert y is not None, "labels"
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        size, classes = x[0].numel(), data.event.classes
        net = nn.Sequential(
            nn.Flatten(), nn.Linear(size, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, classes)
        )
        optimizer = torch.optim.Adam(net.parameters(), 1e-2)
        for _ in range(100):
            optimizer.zero_grad()
            loss: Tensor = nn.functional.cross_entropy(net(x), y)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return net.eval().requires_grad_(False)
