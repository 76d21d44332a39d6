"""What fits cost beside scikit-learn, side by side in one run, from the same start to the same end.

    python benchmarks/likelihood.py

"EM" takes 50 steps, "k-means" runs until nothing moves, "bumps" is the log-density of a kernel
density estimate. Printed is the median over rounds of the time over that of scikit-learn.
"""

from __future__ import annotations

import warnings

import numpy as np
import sklearn
import torch
from _turns import Run, ratios, rounds_asked_for
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture as SklearnMixture
from sklearn.neighbors import KernelDensity
from torch import Tensor

from genmath.likelihood import fit_mixture, kde_log_prob, kmeans
from genmath.toys import GaussianMixture


def groups(n: int, d: int, k: int) -> tuple[Tensor, Tensor]:
    """Examples in k groups, and a start."""
    generator = torch.Generator().manual_seed(0)
    centres = 3 * torch.randn(k, d, generator=generator, dtype=torch.float64)
    which = torch.randint(0, k, (n,), generator=generator)
    x = centres[which] + torch.randn(n, d, generator=generator, dtype=torch.float64)
    return x, x[:k]


def em(n: int, d: int, k: int, covariance: str) -> dict[str, Run]:
    x, start = groups(n, d, k)
    table = x.numpy()
    precision = {"full": np.stack([np.eye(d) / 4] * k), "diagonal": np.full((k, d), 0.25)}

    def of_sklearn() -> Tensor:
        peer = SklearnMixture(
            k,
            covariance_type={"full": "full", "diagonal": "diag"}[covariance],
            tol=0.0,
            reg_covar=0.0,
            max_iter=50,
            weights_init=[1 / k] * k,
            means_init=start.numpy(),
            precisions_init=precision[covariance],
        )
        return torch.from_numpy(peer.fit(table).means_)

    def ours() -> Tensor:
        mixture = GaussianMixture([1 / k] * k, start, std=2.0)
        options = {"steps": 50, "tolerance": 1e-300}
        return fit_mixture(x, k, covariance=covariance, start=mixture, **options).mixture.means

    return {"scikit-learn": of_sklearn, "ours": ours}


def means(n: int, d: int, k: int) -> dict[str, Run]:
    x, start = groups(n, d, k)

    def of_sklearn() -> Tensor:
        peer = KMeans(k, init=start.numpy(), n_init=1, tol=0.0, max_iter=100)
        return torch.from_numpy(peer.fit(x.numpy()).cluster_centers_)

    return {"scikit-learn": of_sklearn, "ours": lambda: kmeans(x, k, start=start).centres}


def bumps(n: int, d: int) -> dict[str, Run]:
    x, _ = groups(n, d, 4)

    def of_sklearn() -> Tensor:
        peer = KernelDensity(bandwidth=0.5).fit(x.numpy())
        return torch.from_numpy(peer.score_samples(x[:500].numpy()))

    return {"scikit-learn": of_sklearn, "ours": lambda: kde_log_prob(x[:500], x, bandwidth=0.5)}


def main() -> None:
    warnings.filterwarnings("ignore", module="sklearn")
    rounds = rounds_asked_for(__doc__ or "")
    print(f"scikit-learn {sklearn.__version__}")
    contests = {
        "EM, full, n = 2000, d = 2, K = 6": em(2000, 2, 6, "full"),
        "EM, full, n = 2000, d = 16, K = 6": em(2000, 16, 6, "full"),
        "EM, diagonal, n = 2000, d = 16, K = 6": em(2000, 16, 6, "diagonal"),
        "k-means, n = 10,000, d = 2, K = 8": means(10_000, 2, 8),
        "bumps, 500 at 5000, d = 2": bumps(5000, 2),
        "bumps, 500 at 5000, d = 16": bumps(5000, 16),
    }
    for name, runs in contests.items():
        got = ratios(runs, rounds, to="scikit-learn")
        print(f"{name:40} {got['ours']:5.2f} of scikit-learn", flush=True)


if __name__ == "__main__":
    main()
