"""The pictures of the chapter on divergences: densities on the line, summed on a grid."""

from __future__ import annotations

import math

import torch

from genmath import divergences
from genmath.figures import BLUE, GREEN, INK, ORANGE, PURPLE, Html, axes, figure, slider

X = torch.linspace(-8, 8, 1601, dtype=torch.float64)
DX = float(X[1] - X[0])
SHOWN = X[300:-300:5]


def _normal(x, mean, std):
    return torch.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


def _peaks(x, apart, std=0.6):
    return (_normal(x, -apart / 2, std) + _normal(x, apart / 2, std)) / 2


def _of_tables(divergence, p, q):
    return float(divergence(p * DX, q * DX))


def question() -> Html:
    """Two candidates for one density, and four opinions which of them is closer."""
    left, right = axes(title="data and two models"), axes(title="how far from the data")
    data = _peaks(X, 4)
    wide, narrow = _normal(X, 0, math.sqrt(4 + 0.36)), _normal(X, 2, 0.6)
    left.fill_between(SHOWN, _peaks(SHOWN, 4), color=INK, alpha=0.2, lw=0)
    left.plot(SHOWN, _normal(SHOWN, 0, math.sqrt(4 + 0.36)), color=BLUE)
    left.plot(SHOWN, _normal(SHOWN, 2, 0.6), color=ORANGE)
    left.text(-4.9, 0.12, "A", color=BLUE, fontsize=11)
    left.text(2.9, 0.5, "B", color=ORANGE, fontsize=11)
    left.set(yticks=[], xlim=(-5, 5), ylim=(0, 0.75), xlabel="x")
    rows = {
        "KL(data, model)": lambda q: _of_tables(divergences.kl, data, q),
        "KL(model, data)": lambda q: _of_tables(divergences.kl, q, data),
        "Jensen–Shannon": lambda q: _of_tables(divergences.js, data, q),
        "total variation": lambda q: _of_tables(divergences.tv, data, q),
    }
    closer = []
    for row, of in enumerate(rows.values()):
        a, b = of(wide), of(narrow)
        closer.append("A" if a < b else "B")
        for up, value, color in ((0.17, a, BLUE), (-0.17, b, ORANGE)):
            right.barh(-row + up, min(value, 2.5), 0.3, color=color, alpha=0.6)
            right.text(min(value, 2.5) + 0.05, -row + up, f"{value:.2f}", fontsize=9, va="center")
    assert closer == ["A", "B", "A", "A"]
    right.set_yticks([0, -1, -2, -3], list(rows))
    right.set(xticks=[], xlim=(0, 3.3))
    return figure(
        left,
        right,
        alt="Left: data with two peaks, a wide bell A over both and a narrow bell B on one. Right: bars. KL from data to "
        "model is smaller for A, KL from model to data for B; Jensen–Shannon and total variation are slightly smaller for A.",
        caption="Which model is closer to the data (grey), A (blue) or B (orange)? Right: four divergences, all explained in this "
        "chapter; a short bar means close. KL with the data first prefers A, which covers everything; KL with the model first "
        "prefers B, which puts little where no data are. The longest bar is cut.",
    )


def sign() -> Html:
    """The one inequality behind the sign, between numbers and under an integral."""
    left, right = axes(title="between numbers"), axes(title="under the integral")
    u = torch.linspace(0.06, 3.2, 80, dtype=torch.float64)
    left.fill_between(u, u.log(), u - 1, color=GREEN, alpha=0.15, lw=0)
    left.plot(u, u - 1, color=BLUE)
    left.plot(u, u.log(), color=ORANGE)
    left.plot([1], [0], "o", color=INK, markersize=4)
    left.text(1.5, 1.25, "u − 1", color=BLUE, fontsize=10)
    left.text(2.4, 0.45, "log u", color=ORANGE, fontsize=10)
    left.set(xlabel="u", ylim=(-2.8, 2.3))
    p, q = _normal(SHOWN, -0.6, 1), _normal(SHOWN, 0.7, 1.3)
    plain = p * torch.log(p / q)
    assert float(plain.min()) < 0 <= float((plain - p + q).min())
    right.axhline(0, color=INK, lw=0.6)
    right.plot(SHOWN, plain, color=ORANGE)
    right.fill_between(SHOWN, plain - p + q, color=GREEN, alpha=0.25, lw=0)
    right.plot(SHOWN, plain - p + q, color=GREEN)
    right.text(-4.8, 0.3, "p log(p/q)", color=ORANGE, fontsize=9)
    right.text(1.9, 0.22, "… − p + q", color=GREEN, fontsize=9)
    right.set(xlabel="x", yticks=[0])
    return figure(
        left,
        right,
        alt="Left: the logarithm lies below the line u − 1 and touches it at one. Right: the integrand p log p/q is negative "
        "in places; with minus p plus q added it is nowhere negative.",
        caption="Left: the logarithm lies below its tangent at u = 1. Right: the integrand of KL (orange) is negative at some x. "
        "If we subtract p and add q, the integral stays the same, since both integrate to one; the new integrand (green) is nowhere negative.",
    )


def _best_reverse(data):
    """The normal q of least KL(q ‖ data), the one at the right among equals."""
    best = (math.inf, 0.0, 1.0)
    for mean in torch.linspace(0, 2.6, 53).tolist():
        for std in torch.linspace(0.5, 2.2, 86).tolist():
            q = _normal(X, mean, std)
            best = min(best, (_of_tables(divergences.kl, q, data), mean, std))
    return best


def modes() -> Html:
    """The best normal by either order of KL, for peaks further and further apart."""
    panel = axes(width=4.8, height=2.6, title="data with two peaks, and the best normal")
    frames = {}
    for apart in (2.0, 3.0, 4.0, 5.0):
        data = _peaks(X, apart)
        std = math.sqrt(0.36 + apart**2 / 4)
        covering = _of_tables(divergences.kl, data, _normal(X, 0, std))
        for nearby in ((0.1, std), (0, std * 1.05), (0, std * 0.95)):
            assert covering < _of_tables(divergences.kl, data, _normal(X, *nearby))
        _, mean, narrow = _best_reverse(data)
        assert (mean < 0.1) == (apart < 3.5), "it gives up a peak when they are far apart"
        frames[f"{apart:.0f}"] = [
            panel.fill_between(SHOWN, _peaks(SHOWN, apart), color=INK, alpha=0.2, lw=0),
            *panel.plot(SHOWN, _normal(SHOWN, 0, std), color=BLUE),
            *panel.plot(SHOWN, _normal(SHOWN, mean, narrow), color=ORANGE),
        ]
    panel.text(-4.9, 0.74, "least KL(data, model): covers", color=BLUE, fontsize=9)
    panel.text(-4.9, 0.66, "least KL(model, data): seeks one", color=ORANGE, fontsize=9)
    panel.set(yticks=[], xlim=(-5, 5), ylim=(0, 0.8), xlabel="x")
    return slider(
        panel,
        frames=frames,
        label="distance of the peaks",
        start=2,
        alt="Grey: two peaks. With the data first the best normal is a wide bell over both peaks; with the model first it is a narrow "
        "bell on one of them, once the peaks are far enough apart.",
        caption="Both bells are the best normal, each for one order of the arguments. Move the slider: while the peaks (grey) are close, the "
        "two bells are similar; when the peaks are far apart, the blue one covers the valley too, and the orange one leaves out a peak.",
    )


def disjoint() -> Html:
    """Boxes that are moved apart: what each number says of the distance."""
    left, right = axes(title="two boxes"), axes(title="what is measured")
    for at, color, name in ((0.0, BLUE, "p"), (1.6, ORANGE, "q")):
        left.fill_between([at, at + 1], [1, 1], color=color, alpha=0.35, lw=0)
        left.text(at + 0.5, 0.45, name, ha="center", fontsize=11, style="italic")
    left.annotate("", (1.6, 1.12), (0, 1.12), arrowprops={"arrowstyle": "<->", "lw": 0.8})
    left.text(0.8, 1.17, "shift θ", ha="center", fontsize=9)
    left.set(yticks=[], xlim=(-0.3, 2.9), ylim=(0, 1.4), xlabel="x")
    shifts, js, tv = [i / 10 for i in range(26)], [], []
    for i in range(26):
        p, q = torch.zeros(2, 36, dtype=torch.float64)
        p[:10], q[i : i + 10] = 0.1, 0.1
        js.append(float(divergences.js(p, q)))
        tv.append(float(divergences.tv(p, q)))
        assert math.isinf(float(divergences.kl(p, q))) == (i > 0)
    assert js[10:] == [js[10]] * 16
    assert abs(js[10] - math.log(2)) < 1e-12
    right.plot(shifts, tv, color=GREEN)
    right.plot(shifts, js, color=PURPLE)
    right.plot(shifts, shifts, color=BLUE)
    right.text(1.55, 0.79, "total variation", color=GREEN, fontsize=9)
    right.text(1.55, 0.46, "JS: log 2", color=PURPLE, fontsize=9)
    right.text(1.3, 1.9, "W₁", color=BLUE, fontsize=9)
    right.text(0.08, 2.25, "KL: infinite", color=ORANGE, fontsize=9)
    right.set(xlabel="shift θ", ylim=(0, 2.5))
    return figure(
        left,
        right,
        alt="Left: two boxes of width one, shifted. Right: against the shift, total variation and Jensen–Shannon rise until the boxes "
        "no longer overlap and are then constant; the Wasserstein distance rises on; KL is infinite at once.",
        caption="The densities p and q are boxes, and q is shifted by θ. From θ = 1 on they do not overlap, and JS and total variation "
        "(explained below) are flat: no derivative says in which direction to move q. KL is infinite for every shift but 0. The Wasserstein "
        "distance W₁, of a later chapter, is the shift itself.",
    )


def event() -> Html:
    """Total variation as an area, and the event that attains it."""
    panel = axes(width=4.6, height=2.4)
    p, q = _normal(SHOWN, -0.7, 0.8), _normal(SHOWN, 0.8, 1.2)
    tv = _of_tables(divergences.tv, _normal(X, -0.7, 0.8), _normal(X, 0.8, 1.2))
    larger = (_normal(X, -0.7, 0.8) > _normal(X, 0.8, 1.2)).double()
    attained = float(((_normal(X, -0.7, 0.8) - _normal(X, 0.8, 1.2)) * larger).sum() * DX)
    assert abs(attained - tv) < 1e-6
    panel.fill_between(SHOWN, p, q, where=p > q, color=BLUE, alpha=0.3, lw=0)
    panel.fill_between(SHOWN, p, q, where=p < q, color=ORANGE, alpha=0.3, lw=0)
    panel.plot(SHOWN, p, color=BLUE)
    panel.plot(SHOWN, q, color=ORANGE)
    panel.text(-1.75, 0.42, "p", color=BLUE, fontsize=11, style="italic", ha="right")
    panel.text(2.1, 0.25, "q", color=ORANGE, fontsize=11, style="italic")
    event = SHOWN[p > q]
    panel.plot([float(event[0]), float(event[-1])], [-0.03, -0.03], color=BLUE, lw=3)
    panel.text(
        float(event.mean()), -0.1, "the event: p is larger", color=BLUE, fontsize=9, ha="center"
    )
    panel.set(yticks=[], ylim=(-0.14, 0.55))
    return figure(
        panel,
        alt="Two overlapping bells. The area where p exceeds q is blue, the area where q exceeds p orange; a bar marks where p is larger.",
        caption=f"The blue area (p above q) and the orange one (q above p) are equal, and each is the total variation, here {tv:.2f}. "
        "The event “p is larger” contains all of the blue area.",
    )


def lines() -> Html:
    """A convex function as the upper edge of its supporting lines."""
    panel = axes(width=4.6, height=2.6)
    u = torch.linspace(0.005, 2.8, 120, dtype=torch.float64)
    for t, color in ((0.2, GREEN), (1.0, BLUE), (1.7, PURPLE)):
        at = math.exp(t - 1)
        line = u * t - math.exp(t - 1)
        assert bool((line <= u * u.log() + 1e-9).all())
        panel.plot(u, line, color=color, lw=0.9)
        panel.plot([at], [at * math.log(at)], "o", color=color, markersize=4)
    panel.plot(u, u * u.log(), color=ORANGE, lw=1.8)
    panel.text(1.95, 1.75, "f(u) = u log u", color=ORANGE, fontsize=9, ha="right")
    panel.text(1.55, -0.9, "slope 1: starts at −f*(1) = −1", color=BLUE, fontsize=9)
    panel.plot([0], [-1], "_", color=BLUE, markersize=10, clip_on=False)
    panel.set(xlabel="u, the ratio p/q", xlim=(0, 2.9), ylim=(-2.1, 2.9))
    return figure(
        panel,
        alt="The curve u log u and three of its tangents; every tangent lies below the curve and touches it in one point.",
        caption="Three lines u t − f*(t), for three slopes t: each lies below the curve f and touches it once. The text below "
        "says what f* is. Choose a line for every x, by its slope T(x): the mean of the lines is below the mean of the curve, "
        "and can be estimated from samples.",
    )
