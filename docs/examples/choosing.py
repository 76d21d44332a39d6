from genmath.proof import *

Y = FiniteSet("Y")
k, l, m = Y.members("k l m")
theta, a, b = reals("theta a b")
g = variables("g")
w = variables("w", domain="positive")
i, n = naturals("i n")
s, rate = positives("s rate")
logit, h = Function("f"), Function("h")
u, sign = variables("u", domain=(0, s)), variables("epsilon", domain={-1, 1})
x = vectors("x")
p, T = Density("p", x, positive=True), Map("T")


def softmax(k):
    return exp(logit(k, theta)) / total(exp(logit(l, theta)), l)


@derivation("The slope of a log-softmax: one's own, less the mean")
def score(d):
    mean = total(softmax(m) * diff(logit(m, theta), theta), m)
    d.start(diff(log(softmax(k)), theta))
    d.equals(diff(logit(k, theta), theta) - mean, by="the quotient rule")


@derivation("The larger of two Gumbel letters is the first with a softmax's probability")
def gumbel_max(d):
    density, below = exp(-(g - a) - exp(-(g - a))), exp(-exp(-(g - b)))
    d.start(integral(density * below, g))
    d.equals(exp(a) / (exp(a) + exp(b)), by="substituting the exponential")


@derivation("A tail is the mean of an indicator")
def tail(d):
    d.start(E(Exponential(w, rate), indicator(w > s)))
    d.equals(exp(-rate * s), by="integrating from s on")


@derivation("Bins of a logistic density telescope")
def bins(d):
    def edge(k):
        return sigmoid((k + number(1) / 2 - a) / s)

    d.start(edge(0) + total(edge(i) - edge(i - 1), i, 1, n) + (1 - edge(n)))
    d.equals(1, by="neighbours cancel")


@derivation("Many small shares")
def shares(d):
    d.start(limit((1 - s / n) ** n, n, infinity))
    d.equals(exp(-s), by="the logarithm of 1 - s/n is -s/n, and less")


@derivation("The variance of a uniform letter")
def spread(d):
    d.start(integral(u**2, u) / s - (integral(u, u) / s) ** 2)
    d.equals(s**2 / 12, by="powers between the ends")


@derivation("A random sign forgets the odd part")
def signs(d):
    d.start(integral(h(sign * a), sign) / 2)
    d.equals((h(a) + h(-a)) / 2, by="its two values")


@derivation("The log-density of an image", dims=(1, 2))
def image(d):
    z = T(x)
    d.start(log(p(T.inverse(z)) * absolute(det(T.inverse.jacobian(z)))))
    d.equals(log(p(x)) - log(absolute(det(T.jacobian(x)))), by="the change of variables")
