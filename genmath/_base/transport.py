"""Transport between finitely many points: exact, by the solver of POT, and Sinkhorn's steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, NoReturn

from genmath._base.torch import Tensor, torch

MAX_ITERATIONS = 10**8
MANY = 100  # points, from which on a rough solution first saves time
FAR = 1e20  # larger scalings are taken into the logarithms, long before anything overflows
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
        raise ImportError("POT is not installed; run: pip install POT", name="ot") from None
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
    unit = torch.exp2(torch.log2(_least(reduced, wide)).floor())
    reduced = reduced / unit
    seen = reduced
    while True:
        arrays = (x.numpy() for x in (a, b, seen))
        plan, log = emd(*arrays, numItermax=MAX_ITERATIONS, log=True, center_dual=False)
        if log["warning"] is not None:
            raise RuntimeError(f"{caller}: {log['warning']}")
        plan, u, v = (torch.from_numpy(found) for found in (plan, log["u"], log["v"]))
        unproved = _unproved(reduced, plan, a, b, u, v)
        if unproved is None:
            break
        # A single move that costs more than this whole plan is not worth it, and the solver need
        # not know how much more it costs. The next proof, by the costs given, says whether it was.
        ceiling = 2 * (plan * reduced).sum() / torch.cat([a, b])[torch.cat([a, b]) > 0].amin() + 1
        if not ceiling < seen.amax():
            _refuse_sizes(caller, unproved)
        seen = reduced.clamp(max=float(ceiling))
    u = torch.where(a > 0, u, (reduced - v).amin(1))  # a point without weight is the solver's whim
    v = torch.where(b > 0, v, (reduced - u.unsqueeze(1)).amin(0))
    return plan, u * unit + rows, v * unit + columns


def _unproved(
    costs: Tensor, plan: Tensor, a: Tensor, b: Tensor, u: Tensor, v: Tensor
) -> float | None:
    """By how much a plan may be dearer than the cheapest, if the potentials do not prove it to be.

    The least cost that matters is one. By weak duality no plan is cheaper by more than what the
    potentials fall short of its cost, and what they exceed a cost by. Costs of very different sizes
    cost the solver its digits.
    """
    slack = costs - (u.unsqueeze(1) + v)
    there = (a > 0).unsqueeze(1) & (b > 0)
    short = (plan * slack).sum() / a.sum()
    excess = -torch.where(there, slack, 0.0).amin()
    size = float((plan * costs).sum() / a.sum()) + 1
    rounding = 64 * EPS * float(torch.cat([u, v]).abs().amax())
    gap = float(torch.maximum(short, excess))
    return None if _proved(gap, rounding, size) else gap + rounding


def _proved(gap: float, rounding: float, size: float) -> bool:
    return gap <= 1e-6 * size + rounding and rounding <= size / 8


def _refuse_sizes(caller: str, error: float) -> NoReturn:
    raise ValueError(
        f"{'costs' if caller != 'ot_pairing' else 'x0, noise'}: got costs of such different "
        f"sizes that the solver of {caller} loses the small ones beside the large ones (the "
        f"plan is proved to within {error:.2g} only), expected costs that "
        "differ less: leave out outliers, or put a lower price on what is forbidden"
    )


def _least(reduced: Tensor, costs: Tensor) -> Tensor:
    """The smallest cost that matters: what is below is the rounding of the costs."""
    above = reduced[reduced > 64 * EPS * costs.abs()]
    return above.amin() if len(above) else reduced.new_ones(())


def permutation(caller: str, costs: Tensor) -> Tensor:
    """The cheapest assignment of the rows of (n, n) costs to its columns, by shortest paths."""
    try:
        from scipy.optimize import linear_sum_assignment
    except ModuleNotFoundError:
        raise ImportError("scipy is not installed; run: pip install scipy", name="scipy") from None
    wide = costs.detach().to("cpu", torch.float64)
    reduced = wide - wide.amin(1, keepdim=True)
    reduced.sub_(reduced.amin(0))
    n = len(wide)
    zero = torch.zeros(n, dtype=torch.float64)
    # Near the best potentials little is left to search; where they drown the costs, without them.
    tries = [_near(reduced)] if n >= MANY else []
    for f, g in [*tries, (zero.unsqueeze(1), zero)]:
        left = (reduced - f).sub_(g)
        left.sub_(left.amin(1, keepdim=True))
        chosen = torch.from_numpy(linear_sum_assignment(left.numpy())[1])
        paid = reduced.gather(1, chosen.unsqueeze(1)).squeeze(1)
        # The search compares sums of at most 2 n lengths. Where their rounding is small beside what
        # is paid it decides nothing; elsewhere potentials have to prove the answer.
        if 64 * n * EPS * float(left.amax()) <= 1e-6 * float(paid.mean()):
            return chosen
        gap, rounding = _short(reduced, chosen, paid, g)
        if _proved(gap, rounding, float(paid.mean() + _least(reduced, wide))):
            return chosen
    return _refuse_sizes(caller, gap + rounding)


def _near(costs: Tensor) -> tuple[Tensor, Tensor]:
    """Potentials of a few rough Sinkhorn steps, for costs whose rows and columns all have a 0."""
    usual = float(costs.flatten()[:: max(1, costs.numel() // 1000)].median())
    narrow = costs.float()
    f, g = torch.zeros(len(costs), 1), torch.zeros(len(costs))
    for share, steps in ((0.1, 8), (0.02, 20)):
        epsilon = max(share * usual, 1e-30)
        # exp is slow where it underflows
        kernel = ((narrow - f).sub_(g) / -epsilon).clamp_(-80, 80).exp_()
        v = torch.ones_like(g)
        for _ in range(steps):
            u = (kernel @ v).reciprocal_()
            v = (u @ kernel).reciprocal_()
        f, g = f + epsilon * u.log().unsqueeze(1), g + epsilon * v.log()
    return f.double().nan_to_num_(0, 0, 0), g.double().nan_to_num_(0, 0, 0)


def _short(costs: Tensor, chosen: Tensor, paid: Tensor, g: Tensor) -> tuple[float, float]:
    """By what an assignment may be beaten a row, and what rounding hides.

    Potentials u_i + g_j <= costs_ij that are tight on the assignment are lengths of shortest paths:
    g_j falls to costs_ij less what row i pays plus its g. Where no cycle gains, the fall ends.
    """
    row = torch.argsort(chosen)  # of each column
    longer = costs[row] - paid[row].unsqueeze(1)
    sums, gap, enough = torch.empty_like(longer), 0.0, 1e-7 * float(paid.mean())
    for _ in row:
        before, g = g, torch.add(longer, g.unsqueeze(1), out=sums).amin(0)
        gap = float((before - g).amax())
        if gap <= enough:
            break
    return gap, 64 * EPS * float(torch.cat([g, paid[row] - g]).abs().amax())


def balance(
    costs: Tensor,
    epsilon: float,
    rows: Tensor,
    columns: Tensor,
    g: Tensor | None,
    most: int,
    least: float | None,
) -> tuple[Tensor, Tensor, int, bool]:
    """Sinkhorn's steps from the potentials g: f and g, how many, and whether the marginals are
    wrong by at most ``least``; float64."""
    f = (costs if g is None else costs - g).amin(1)
    if g is None:  # those of epsilon 0
        g = (costs - f.unsqueeze(1)).amin(0)
    weighty = bool((rows > 0).all() & (columns > 0).all())
    taken, converged = 0, False
    while not converged and taken < most:
        # The steps are scalings u, v of what the potentials lead to, which are ten times as fast as
        # the same in the log domain, until they grow so large that they have to be taken in.
        kernel = _led_to(costs, f, g, epsilon, weighty)
        u = (kernel @ columns).reciprocal_()
        v = (kernel.T @ (rows * u)).reciprocal_()
        if not _moderate(u, v):  # where a single step leads as far, it is taken by logarithms
            f = -epsilon * ((g - costs).div_(epsilon) + columns.log()).logsumexp(1)
            g = -epsilon * ((f - costs.T).div_(epsilon) + rows.log()).logsumexp(1)
            kernel = _led_to(costs, f, g, epsilon, weighty)
            u, v = torch.ones_like(f), torch.ones_like(g)
        taken, between = taken + 1, 1
        while True:
            next_u = (kernel @ (columns * v)).reciprocal_()
            # The columns are right, and row i of the plan sums to (u / next_u)_i a_i.
            if least is not None:
                converged = torch.dot(rows, (u / next_u).sub_(1).abs_()).item() <= least
            if converged or taken == most:
                break
            # To look costs as much as a step: more and more of them are taken between two looks.
            several = min(between, most - taken)
            next_v = (kernel.T @ (rows * next_u)).reciprocal_()
            for _ in range(several - 1):
                next_u = (kernel @ (columns * next_v)).reciprocal_()
                next_v = (kernel.T @ (rows * next_u)).reciprocal_()
            if not _moderate(next_u, next_v):
                break
            u, v, taken, between = next_u, next_v, taken + several, min(2 * between, 8)
        f, g = f + epsilon * u.log(), g + epsilon * v.log()
    return f, g, taken, converged


def _led_to(costs: Tensor, f: Tensor, g: Tensor, epsilon: float, weighty: bool) -> Tensor:
    """The plan over the weights. Between two points without weight it may overflow."""
    exponent = (g - costs).add_(f.unsqueeze(1)).div_(epsilon)
    return (exponent if weighty else exponent.clamp_(max=700.0)).exp_()


def _moderate(u: Tensor, v: Tensor) -> bool:
    low, high = torch.cat([u, v]).aminmax()
    return low.item() > 1 / FAR and high.item() < FAR


class Blocks(NamedTuple):
    """Costs that are looked at some rows, or some columns, at a time; ``of_rows(i, j)`` are those
    of the rows i to j, ``of_columns(i, j)`` transposed; float64."""

    of_rows: Callable[[int, int], Tensor]
    of_columns: Callable[[int, int], Tensor]
    size: int

    def plan(
        self, f: Tensor, g: Tensor, rows: Tensor, columns: Tensor, epsilon: float
    ) -> Iterator[tuple[slice, Tensor, Tensor]]:
        """Some rows, their costs and their part of the plan, again and again."""
        for i in range(0, len(rows), self.size):
            at = slice(i, min(i + self.size, len(rows)))
            costs = self.of_rows(at.start, at.stop)
            exponent = (f[at].unsqueeze(1) + g - costs).div_(epsilon)
            weight = rows[at].log().unsqueeze(1) + columns.log()
            yield at, costs, exponent.add_(weight).exp_()


def balance_in_blocks(
    costs: Blocks,
    epsilon: float,
    rows: Tensor,
    columns: Tensor,
    g: Tensor | None,
    most: int,
    least: float | None,
) -> tuple[Tensor, Tensor, int, bool]:
    """What `balance` does, in the log domain throughout, and nothing is as large as all costs."""

    def to_f(g: Tensor) -> Tensor:
        return _half(costs, costs.of_rows, len(rows), g, columns, epsilon)

    def to_g(f: Tensor) -> Tensor:
        return _half(costs, costs.of_columns, len(columns), f, rows, epsilon)

    next_f = to_f(_start(costs, len(rows), len(columns)) if g is None else g)
    taken, converged = 0, False
    while True:
        f, g = next_f, to_g(next_f)
        taken += 1
        if taken == most and least is None:
            return f, g, taken, False
        next_f = to_f(g)
        # The columns are right, and row i of the plan sums to exp((f - next_f) / epsilon) a_i.
        if least is not None:
            wrong = ((f - next_f) / epsilon).expm1().abs_()
            converged = torch.dot(rows, wrong).item() <= least
        if converged or taken == most:
            return f, g, taken, converged


def balance_with_itself(
    costs: Blocks, epsilon: float, masses: Tensor, most: int, least: float
) -> tuple[Tensor, Tensor, int, bool]:
    """The same of a set with itself, where f = g: the mean of a potential and the next settles in a
    dozen steps, where alternating ones may take any number. Feydy et al. 2019, section 3."""
    f = torch.zeros_like(masses)
    for taken in range(1, most + 1):
        next_f = _half(costs, costs.of_rows, len(masses), f, masses, epsilon)
        wrong = ((f - next_f) / epsilon).expm1().abs_()
        if torch.dot(masses, wrong).item() <= least:
            return f, next_f, taken, True
        f = (f + next_f) / 2
    return f, next_f, most, False


def _start(costs: Blocks, n: int, m: int) -> Tensor:
    """The potentials g that `balance` starts from."""
    ends = [range(0, size, costs.size) for size in (n, m)]
    f = torch.cat([costs.of_rows(i, min(i + costs.size, n)).amin(1) for i in ends[0]])
    return torch.cat([(costs.of_columns(i, min(i + costs.size, m)) - f).amin(1) for i in ends[1]])


def _half(
    costs: Blocks,
    part: Callable[[int, int], Tensor],
    n: int,
    potential: Tensor,
    masses: Tensor,
    epsilon: float,
) -> Tensor:
    """Half a step: the n potentials at which the plan has the right sums over the other side."""
    level = potential / epsilon + masses.log()
    found = [
        torch.sub(level, part(i, min(i + costs.size, n)), alpha=1 / epsilon).logsumexp(1)
        for i in range(0, n, costs.size)
    ]
    return -epsilon * torch.cat(found)
