from genmath.proof import *

a, b = positives("a b")


@derivation("A mean")
def mean(d):
    d.start(0.5 * (a + b))
    d.equals(a / 2 + b / 2, by="multiply out")
