"""Exact transport between finitely many points, by the solver of POT."""

from __future__ import annotations

from genmath._base.torch import Tensor, torch

MAX_ITERATIONS = 10**8


def distances(a: Tensor, b: Tensor) -> Tensor:
    """|a_i - b_j| of the rows of (n, d) and (m, d), from differences: the expanded square loses all
    its digits for points far from the origin."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def solve(caller: str, costs: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The cheapest plan with marginals a and b, and u and v with u_i + v_j <= costs_ij; float64."""
    try:
        from ot.lp import emd
    except ModuleNotFoundError:
        raise ImportError(
            'POT is not installed; run: pip install "genmath[ot]"', name="ot"
        ) from None
    if 1 in costs.shape:  # there is one plan, and POT does not always find it
        u, v = (costs[:, 0], 0 * b) if costs.shape[1] == 1 else (0 * a, costs[0])
        return torch.outer(a, b) / a.sum(), u.detach(), v.detach()
    given = (x.detach().cpu().numpy() for x in (a, b, costs))
    plan, log = emd(*given, numItermax=MAX_ITERATIONS, log=True, center_dual=False)
    if log["warning"] is not None:
        raise RuntimeError(f"{caller}: {log['warning']}")
    return torch.from_numpy(plan), torch.from_numpy(log["u"]), torch.from_numpy(log["v"])


def permutation(caller: str, costs: Tensor) -> Tensor:
    """The cheapest assignment of the rows of (n, n) costs to its columns."""
    # With weights of 1, and not 1/n, the solver only adds integers: its plan is a permutation.
    ones = torch.ones(len(costs), dtype=torch.float64)
    return solve(caller, costs, ones, ones)[0].argmax(1)
