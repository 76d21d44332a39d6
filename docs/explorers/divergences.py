"""Two densities on the line, and five numbers for how far apart they are."""

from explorers import Choice, Explorer, Slider, law

from genmath.book import chapter
from genmath.proof import *
from genmath.proof.functions import javascript

divergences = chapter("divergences")
x = variables("x")
m1, m2, m = reals("m_1 m_2 m")
s, t = positives("s t")
w = fractions("w")


def cdf(mean, deviation):
    return (1 + erf((x - mean) / (deviation * sqrt(number(2))))) / 2


P = w * Normal(x, m1, s**2) + (1 - w) * Normal(x, m2, s**2)
Q = Normal(x, m, t**2)
between = (w * cdf(m1, s) + (1 - w) * cdf(m2, s)) - cdf(m, t)
kinds = {
    "forward": divergences.f_kl["member"],
    "reverse": divergences.f_reverse_kl["member"],
    "js": divergences.f_js["member"],
    "tv": divergences.total_variation,
}
inside = {
    "forward_at": P * log(P / Q),
    "reverse_at": Q * log(Q / P),
    "js_at": (P * log(P / ((P + Q) / 2)) + Q * log(Q / ((P + Q) / 2))) / 2,
    "tv_at": absolute(P - Q) / 2,
    "w1_at": absolute(between),
}


def of_both(result, name):
    found = law(result, "p(x)"), law(result, "q(x)")
    return javascript(result, name, densities=dict(zip(found, (P, Q), strict=True)))


EXPLORER = Explorer(
    title="Two densities, and five numbers for how far apart they are",
    shows="Above, the densities p, with two peaks, and q, with one. Below, what the chosen divergence adds up at each place.",
    scripts=[
        javascript(P, "p"),
        javascript(Q, "q"),
        *(of_both(result, name) for name, result in kinds.items()),
        javascript(integral(absolute(between), x), "w1"),
        *(javascript(node, name) for name, node in inside.items()),
    ],
    uses=[
        "divergences.f_kl",
        "divergences.f_reverse_kl",
        "divergences.f_js",
        "divergences.total_variation",
        "wasserstein.line",
    ],
    controls=[
        Choice(
            "kind",
            "shown below",
            {"forward": "KL(p ‖ q)", "reverse": "KL(q ‖ p)", "js": "JS", "tv": "TV", "w1": "W₁"},
        ),
        Slider("m", "$q$: mean", -5, 5, 1.4, 0.02),
        Slider("t", "$q$: deviation", 0.2, 3, 0.8, 0.02),
        Slider("m_1", "$p$: left peak", -5, 5, -1.6),
        Slider("m_2", "$p$: right peak", -5, 5, 1.6),
        Slider("s", "$p$: width", 0.2, 2, 0.6),
        Slider("w", "$p$: weight left", 0, 1, 0.4),
    ],
    numbers={
        "forward": r"$\mathrm{KL}(p \,\Vert\, q)$",
        "reverse": r"$\mathrm{KL}(q \,\Vert\, p)$",
        "js": r"$\mathrm{JS} \le \log 2$",
        "tv": r"$\mathrm{TV} \le 1$",
        "w1": "$W_1$",
    },
    actions={"fit": "Let q fall to the least"},
    words=r"""
**Try this.** Choose $\mathrm{KL}(p \,\Vert\, q)$ and let $q$ fall: it *covers* both peaks, for wherever $p$ has mass and $q$ has none the area below
grows without end. Start again with $\mathrm{KL}(q \,\Vert\, p)$: now $q$ *seeks* one peak and forgets the other, and which one depends on where it began. Then pull
$q$ far away: JS and TV stop at $\log 2$ and 1 and tell $q$ no longer where to go; $W_1$ still grows by as much as $q$ moves. Areas below the axis are what the two KL subtract; the whole is never
negative (`divergences.kl_nonnegative`).
""",
)
