from genmath.proof import *

a, b = positives("a b")


@derivation("The arithmetic mean is at least the geometric mean")
def am_gm(d):
    d.start((a + b) / 2)
    d.at_least(sqrt(a * b), by="a square is not negative", because=(sqrt(a) - sqrt(b)) ** 2 / 2)
    d.tight_when(a, b)
