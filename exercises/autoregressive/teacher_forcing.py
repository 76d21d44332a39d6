r"""Guess the next letter.

A model of three letters is trained on true beginnings. First show that the divergence of the whole is the sum of those of its factors. Then look at one place: the mean loss of
the next letter $v$ after the context $c$ is an entropy plus a divergence. Which of the two can training change, and why is the sum never below the first?
"""

from genmath.proof import *

x_1, x_2, x_3, v, c = variables("x_1 x_2 x_3 v c")
p = Density("p", x_1, x_2, x_3)
q = Density("q", x_1, x_2, x_3, dominates=p)
data = Density("p", v, c)
guess = Density("q", v, given=c, positive=True)


@derivation("The divergence of the whole")
def whole(d):
    d.start(KL(p(x_1, x_2, x_3), q(x_1, x_2, x_3)))
    d.equals(
        E(p(x_1, x_2, x_3), log(p(x_1) / q(x_1)) + log(p(x_2 | x_1) / q(x_2 | x_1)) + log(p(x_3 | (x_1, x_2)) / q(x_3 | (x_1, x_2)))),
        by="the chain rule for both",
    )  # fill
    d.equals(
        KL(p(x_1), q(x_1)) + E(p(x_1), KL(p(x_2 | x_1), q(x_2 | x_1))) + E(p(x_1, x_2), KL(p(x_3 | (x_1, x_2)), q(x_3 | (x_1, x_2)))),
        by="each term needs only the letters in it",
    )


@derivation("One place")
def place(d):
    d.start(E(data(v, c), -log(guess(v | c))))
    d.equals(E(data(c), H(data(v | c))) + E(data(c), KL(data(v | c), guess(v | c))), by="minus the logarithm of the guess, by that of the truth")  # fill
    d.at_least(
        E(data(c), H(data(v | c))), by="divergences are not negative",
        because=E(data(c), integral(data(v | c) * log(data(v | c) / guess(v | c)) - data(v | c) + guess(v | c), v)),
    )  # fill because
