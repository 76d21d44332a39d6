"""How long judge A takes as a claim grows.

    python benchmarks/growth.py

"normal" is the KL divergence of two normal laws with full covariance matrices in d dimensions, in
the book's notation; "product" is the product of n factors a_i + 1 against its 2^n terms; "chain" is
the joint density of n normal steps x_k ~ N(a x_(k-1), b), as of a diffusion, with every step but
the last integrated out. A fresh process each, the median of three; "open" where A proves nothing.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time

from genmath.proof import (
    KL,
    Normal,
    covariances,
    det,
    dot,
    equal,
    integral,
    inverse,
    log,
    mean_vectors,
    number,
    positives,
    reals,
    trace,
    variables,
    vectors,
)
from genmath.proof.language.claims import Claim
from genmath.proof.language.tree import Add, Mul, Node
from genmath.proof.symbolic.judge import prove

RUNS = 3


def normal(d: int) -> Claim:
    x, (m, n) = vectors("x"), mean_vectors("m n")
    a, b = covariances("A B")
    gap = m - n
    quadratic = dot(gap, inverse(b) * gap)
    value = (trace(inverse(b) * a) + quadratic - d + log(det(b)) - log(det(a))) / 2
    return Claim(KL(Normal(x, m, a), Normal(x, n, b)), "=", value, dims=(d,))


def product(n: int) -> Claim:
    letters = [reals(f"a_{k}") for k in range(n)]
    whole = Mul(*(a + 1 for a in letters))
    parts: list[Node] = []
    for some in itertools.product((False, True), repeat=n):
        chosen = [a for a, there in zip(letters, some, strict=True) if there]
        parts.append(Mul(*chosen) if len(chosen) > 1 else chosen[0] if chosen else number(1))
    return equal(whole, Add(*parts))


def chain(n: int) -> Claim:
    a, b = reals("a"), positives("b")
    x = [reals("x_0"), *(variables(f"x_{k}") for k in range(1, n + 1))]
    whole = Normal(x[1], a * x[0], b)
    variance: Node = b
    for k in range(1, n):
        whole = integral(Normal(x[k + 1], a * x[k], b) * whole, x[k])
        variance = a**2 * variance + b
    return equal(whole, Normal(x[n], a**n * x[0], variance))


CLAIMS = {
    "normal": (normal, (2, 3, 4)),
    "product": (product, (6, 8, 10)),
    "chain": (chain, (2, 4, 6)),
}


def main() -> None:
    if len(sys.argv) == 3:
        make, size = CLAIMS[sys.argv[1]][0], int(sys.argv[2])
        claim = make(size)
        start = time.process_time()
        proved = prove(claim).proved
        print(time.process_time() - start if proved else "open")
        return
    for name, (_, sizes) in CLAIMS.items():
        for size in sizes:
            said = [_elsewhere(name, size) for _ in range(RUNS)]
            if "open" in said:
                print(f"{name} {size}: open")
            else:
                print(f"{name} {size}: {1000 * statistics.median(map(float, said)):.0f} ms")


def _elsewhere(name: str, size: int) -> str:
    """In a process that remembers nothing."""
    command = [sys.executable, __file__, name, str(size)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
