"""Exact transport between finitely many points, by the solver of POT."""

from __future__ import annotations

from genmath._base.torch import Tensor, torch

MAX_ITERATIONS = 10**8
EPS = torch.finfo(torch.float64).eps


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
    a, b, wide = (x.detach().to("cpu", torch.float64) for x in (a, b, costs))
    # What all of a row or a column costs more decides nothing, and would drown what does.
    rows = wide.amin(1)
    columns = (wide - rows.unsqueeze(1)).amin(0)
    reduced = (wide - rows.unsqueeze(1)) - columns
    # The solver compares with fixed numbers: in units of the smallest cost that matters nothing is
    # below them. A power of two rounds nothing.
    above = reduced[reduced > 64 * EPS * wide.abs()]  # what is below is the rounding of the costs
    least = above.amin() if len(above) else reduced.new_ones(())
    unit = torch.exp2(torch.log2(least).floor())
    reduced = reduced / unit
    arrays = (x.numpy() for x in (a, b, reduced))
    plan, log = emd(*arrays, numItermax=MAX_ITERATIONS, log=True, center_dual=False)
    if log["warning"] is not None:
        raise RuntimeError(f"{caller}: {log['warning']}")
    plan, u, v = (torch.from_numpy(found) for found in (plan, log["u"], log["v"]))
    _certify(caller, reduced, plan, a, b, u, v)
    u = torch.where(a > 0, u, (reduced - v).amin(1))  # a point without weight is the solver's whim
    v = torch.where(b > 0, v, (reduced - u.unsqueeze(1)).amin(0))
    return plan, u * unit + rows, v * unit + columns


def _certify(
    caller: str,
    costs: Tensor,
    plan: Tensor,
    a: Tensor,
    b: Tensor,
    u: Tensor,
    v: Tensor,
) -> None:
    """Refuse a plan that the potentials do not prove to be the cheapest.

    The least cost that matters is one. By weak duality no plan is cheaper by more than what the
    potentials fall short of its cost, and what they exceed a cost by. Costs of very different sizes
    cost the solver its digits.
    """
    slack = costs - (u.unsqueeze(1) + v)
    there = (a > 0).unsqueeze(1) & (b > 0)
    short = (plan * slack).sum() / a.sum()
    excess = -torch.where(there, slack, 0.0).amin()
    size = (plan * costs).sum() / a.sum() + 1
    rounding = 64 * EPS * torch.cat([u, v]).abs().amax()
    gap = float(torch.maximum(short, excess))
    if not (gap <= 1e-6 * size + rounding and rounding <= size / 8):
        raise ValueError(
            f"{'costs' if caller != 'ot_pairing' else 'x0, noise'}: got costs of such different "
            f"sizes that the solver of {caller} loses the small ones beside the large ones (the "
            f"plan is proved to within {gap + float(rounding):.2g} only), expected costs that "
            "differ less: leave out outliers, or put a lower price on what is forbidden"
        )


def permutation(caller: str, costs: Tensor) -> Tensor:
    """The cheapest assignment of the rows of (n, n) costs to its columns."""
    # With weights of 1, and not 1/n, the solver only adds integers: its plan is a permutation.
    ones = torch.ones(len(costs), dtype=torch.float64)
    return solve(caller, costs, ones, ones)[0].argmax(1)
