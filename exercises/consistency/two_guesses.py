r"""Two guesses of the teacher, one of the student.

A teacher takes two DDIM steps: from $x_t$ with the guess $\hat x_1$ of the data, and from where that leads with the guess $\hat x_2$. A step goes to the guess, and noises it again with the noise that goes with it. Show that one step of the student lands in the same place
if its guess is a weighted mean of the two. Write the weights by $\rho = \alpha/\sigma$ at the three times.
"""

from genmath.proof import *

x_t, first, second = variables("x_t x_hat_1 x_hat_2")
s_t, s_m, s_s = positives("sigma_t sigma_m sigma_s")
r_t, r_m, r_s = positives("rho_t rho_m rho_s")
middle = define("x_m", s_m * r_m * first + s_m / s_t * (x_t - s_t * r_t * first))
end = define("x_s", s_s * r_s * second + s_s / s_m * (middle - s_m * r_m * second))


@derivation("The guess of the student")
def guess(d):
    d.start((end - s_s / s_t * x_t) / s_s)
    d.equals((r_m - r_t) * first + (r_s - r_m) * second, by="the first guess is used up to the middle, the second from there")  # fill
    d.equals((r_s - r_t) * ((r_m - r_t) / (r_s - r_t) * first + (r_s - r_m) / (r_s - r_t) * second), by="a mean, with weights that sum to one")
