# %% [markdown]
# # Style and image translation
#
# Show this photograph in the manner of that painting. Show this summer street in winter. Turn the sketch into a
# picture. Each time something is to stay (what is in the picture: the *content*) and something is to change (how it is
# shown: the *style*, or the *domain*). What is style, as a formula? And if nobody has pairs, no winter picture
# of *this* street: what tells a network which winter picture belongs to it?
#
# **The answer in a line:** style can be measured by moments of features, and changing moments is transport.
# Without pairs, two networks are trained to undo one another; that keeps the information, but it does *not* say which picture
# belongs to which.
#
# {{ picture translation.question }}
#
# !!! board "On the board"
#
#     AdaIN gives the values $x$ of a channel the mean $\mu_2$ and the standard deviation $\sigma_2$ of the style:
#
#     {{ define translation.styled }}
#
#     The style loss compares Gram matrices, and that is a comparison of two clouds of features by a kernel:
#
#     {{ translation.gram[mmd] }}
#
#     Without pairs: a translator $G$, another one back, and the cycle must close. But for *every* map $S$ that can be undone,
#
#     {{ translation.cycle[any] }}
#
#     What the cycle does guarantee is that $y$ says much about $x$: with the mean absolute error $\ell$ of what comes back,
#
#     {{ translation.cycle_entropy[laplace] }}
#
#     $\mu_1$ is the mean of the content's values and $S$, in the first line, their standard deviation. $p$ and $q$ are the densities of the
#     features of two pictures, here with two channels. $\mathbb{H}$ is the entropy, $r(x \mid y)$ the density of all $x$ that are translated to $y$, $F$ the
#     translator back, and $b$ any number $> 0$: the best is $b = \ell$.
#
# <div class="two" markdown="block">
#
# !!! train "Train (CycleGAN)"
#
#     1. Take a batch of each domain; they do not belong together.
#     2. Translate both, and translate back. Both translators: one step on *fooling both critics*, plus a weight times the
#        absolute error of what came back, `genmath.translation.CycleGAN.generator_loss`.
#     3. Both critics: one step on telling translated from real, with some older translations among them
#        (`genmath.translation.ImageBuffer`).
#     4. Repeat: `genmath.translation.training_step` does 2 and 3.
#
# !!! sample "Translate"
#
#     1. CycleGAN: one call of a translator, `genmath.translation.CycleGAN`. The critics are thrown away.
#     2. With two diffusion models: run the first backwards from $x$ to its noise, then the second from this noise,
#        `genmath.translation.ddib`.
#     3. A style alone: `genmath.translation.adain` on features, and a decoder.
#
# </div>
#
# ## Notation and hypotheses
#
# - A picture has *channels* (colours, or features of a network) and *places*. In the sections on style, $x$ is the value of one channel at a place drawn at random, and its density $r(x)$ says how
#   often each value occurs in the picture. A density may count points, so all holds for the values of a real picture.
# - From the section on pairs on, $x$ is a whole picture of the first domain and $y$ one of the second, written as one number where the statement is the same for each coordinate. $r(x, y)$ is the joint density of pictures and their translations; $r(x \mid y)$ and the others follow from it.
# - $\sigma$ and $\omega$ are standard deviations. $\mathcal{N}(x;\, \mu, \sigma^2)$ is the normal density with its **variance** at the third place. $\mathbf{I}$ is the identity matrix.
# - Logarithms are natural. Expectations that appear are finite. Where a density stands in a logarithm, it is positive.

# %%
from genmath.book import chapter
from genmath.proof import *

kl_nonnegative = chapter("divergences").kl_nonnegative

half = number(1) / 2
x, y, w = variables("x y w")
r = Density("r", x)
another_x = copies(x, 1)[0]
S, sigma_1, sigma_2, sigma_3 = positives("S sigma_1 sigma_2 sigma_3")
mu_2, mu_3 = reals("mu_2 mu_3")
mu_1 = define("mu_1", E(r(another_x), another_x))
V = define("V", E(r(another_x), (another_x - mu_1) ** 2))
styled = define("a(x)", mu_2 + sigma_2 / S * (x - mu_1))

# %% [markdown]
# ## Style as two moments
#
# !!! example "By hand"
#
#     A channel of the content has the values $0, 0, 4, 4$: mean 2, standard deviation 2. The style has mean 5 and
#     standard deviation 1. AdaIN maps $x$ to $5 + \frac12 (x - 2)$, so the values become $4, 4, 6, 6$. Where the content was
#     dark it still is darker than elsewhere. That is what stays. The mean squared move is $\frac{16 + 16 + 4 + 4}{4} = 10$, which is $(2 - 5)^2 + (2 - 1)^2$.
#
# *Adaptive instance normalisation* [@huang2017adain]: subtract the mean of each channel over the picture, divide by its
# standard deviation, then give it those of the style. The line of the board does all of this. Why should it be this map and no other that has the
# right two moments? Because it is the *cheapest*: it moves the values least.
#
# `translation.adain[mean]` and `translation.adain[variance]` are the two moments; $V$ is the variance, so with $S^2 = V$ the second is $\sigma_2^2$.
# `translation.adain[cost]` is what the move costs; put $V = S^2$ and it is $(\mu_1 - \mu_2)^2 + (S - \sigma_2)^2$, by `translation.adain[deviations]`. No
# map, and no coupling whatever, to values with this mean and deviation costs less: `wasserstein.w2_line`. So AdaIN is the
# optimal transport map from the content's values to *some* density with the wanted moments; if the values are normal, to the
# normal one of the style. For each channel by itself: see the last sections for what that misses.
#
# {{ picture translation.moments }}
#
# In code: `genmath.translation.adain`.


# %%
@derivation("AdaIN gives a channel two moments, at the least cost")
def adain(d):
    d.start(E(r(x), styled), name="mean", words="the new mean")
    d.equals(mu_2, by="the mean of $x - \\mu_1$ is zero")
    d.start(E(r(x), (styled - mu_2) ** 2), name="variance", words="the new variance")
    d.equals(sigma_2**2 * V / S**2, by="a factor comes out squared; for $S^2 = V$ it is $\\sigma_2^2$")
    d.start(E(r(x), (x - styled) ** 2), name="cost", words="the mean squared move")
    d.equals((mu_1 - mu_2) ** 2 + (1 - sigma_2 / S) ** 2 * V, by="$x - a(x)$ is $\\mu_1 - \\mu_2$ plus $1 - \\sigma_2/S$ times what has mean zero")
    d.start((1 - sigma_2 / S) ** 2 * S**2, name="deviations", words="for the true deviation")
    d.equals((S - sigma_2) ** 2, by="multiply the roots")
    d.start(mu_3 + sigma_3 / sigma_2 * (styled - mu_2), name="again", words="another style on top")
    d.equals(mu_3 + sigma_3 / S * (x - mu_1), by="what the first style gave is taken away again")


# %% [markdown]
# **What it means.** To restyle is to transport. And styles do not add up: by `translation.adain[again]` a second AdaIN put directly on the first forgets it. That is
# why a generator can be told a *new* style at every layer.
#
# ## Style as a Gram matrix
#
# Two numbers a channel are few. Take *pairs* of channels, too: the Gram matrix of a picture has, for the channels $i$ and $j$, the mean over all
# places of the product of both [@gatys2016image]. The *style loss* is the sum of the squared differences of all entries. It looks like a choice among many. It is a known distance:
# the square of the *maximum mean discrepancy* (MMD) of the two clouds of features, with the kernel $(x \cdot y)^2$ [@li2017demystifying].
#
# !!! example "By hand"
#
#     One picture has the features $(1, 0)$ and $(0, 1)$ at its two places, another has $(1, 1)/\sqrt2$ and $(1, -1)/\sqrt2$. Both Gram matrices are
#     half of the identity: the style loss is 0. A third has $(1, 0)$ twice, with the Gram matrix $1, 0; 0, 0$. The squared differences are $\frac14$ and $\frac14$: the loss is
#     $\frac12$. By the kernel: within the first picture the mean of $(x \cdot x')^2$ is $\frac{1 + 0 + 0 + 1}{4} = \frac12$, within the third it is $1$, between them
#     $\frac12$, and $\frac12 - 2 \cdot \frac12 + 1 = \frac12$.
#
# The squared MMD with a kernel $k$ is $\mathbb{E}\, k(x, x') - 2\, \mathbb{E}\, k(x, y) + \mathbb{E}\, k(y, y')$, where $x, x'$ are two independent features of the one
# picture and $y, y'$ of the other. `translation.gram[mmd]` says it for two channels (with more of them the sums are longer, and the argument is the same). `translation.gram[means]` is the same for the plain kernel $x \cdot y$, which compares means.
#
# {{ picture translation.shuffled }}
#
# In code: `genmath.translation.gram`, `genmath.translation.style_loss`.

# %%
x_1, x_2, y_1, y_2 = variables("x_1 x_2 y_1 y_2")
p_pair, q_pair = Density("p", x_1, x_2), Density("q", y_1, y_2)
(u_1, u_2), (v_1, v_2) = copies(x_1, 1) + copies(x_2, 1), copies(y_1, 1) + copies(y_2, 1)
first = {"two": (p_pair(x_1, x_2), p_pair(u_1, u_2)), "mixed": (p_pair(x_1, x_2), q_pair(y_1, y_2)), "other": (q_pair(y_1, y_2), q_pair(v_1, v_2))}


def entry(i, j):
    """A difference of two entries of Gram matrices."""
    return E(p_pair(x_1, x_2), (x_1, x_2)[i] * (x_1, x_2)[j]) - E(q_pair(y_1, y_2), (y_1, y_2)[i] * (y_1, y_2)[j])


def discrepancy(k):
    return E(first["two"], k(x_1 * u_1 + x_2 * u_2)) - 2 * E(first["mixed"], k(x_1 * y_1 + x_2 * y_2)) + E(first["other"], k(y_1 * v_1 + y_2 * v_2))


@derivation("The style loss is an MMD")
def gram(d):
    d.start(entry(0, 0) ** 2 + 2 * entry(0, 1) ** 2 + entry(1, 1) ** 2, name="mmd", words="squared difference of two Gram matrices")
    d.equals(discrepancy(lambda s: s**2), by="the product of two means is a mean over independent copies, and the products of channels add up to the square of an inner product")
    means = [E(p_pair(x_1, x_2), a) - E(q_pair(y_1, y_2), b) for a, b in ((x_1, y_1), (x_2, y_2))]
    d.start(means[0] ** 2 + means[1] ** 2, name="means", words="squared difference of two means")
    d.equals(discrepancy(lambda s: s), by="the same with the inner product itself")

    a, b, c, e = reals("a b c e")
    d.start((a**2 + c**2) / 2, name="places", words="two places of two channels: an entry")
    d.equals((c**2 + a**2) / 2, by="the order of the places does not matter")
    d.slip(
        "deeplearningai-gram-reshape",
        wrong=equal((a**2 + b**2) / 2, (c**2 + e**2) / 2),
        right=equal((a**2 + c**2) / 2, (c**2 + a**2) / 2),
        source="marcopeix/Deep_Learning_AI issue #1",
        why="With places first and channels last, the memory holds a b, c e: two channels at the first place, then two at the second. A reshape to channels "
        "first cuts this line into a b and c e, which mixes channels: exchange the places, and the entry changes. It takes a transpose.",
    )


# %% [markdown]
# **What it means.** A style loss of zero says that two clouds of features have the same second moments, and nothing more. The Gram matrix does not know
# *where* a feature is: shuffle the places and it stays. It does not see beyond second moments either: a value that is $\pm 1$ with equal chance and a standard normal one have the same.
# What makes it work for textures is that the features of a *network* see neighbourhoods. AdaIN and the Gram loss are two answers to one question: which moments?
#
# ## Pairs: the conditional game
#
# If pairs are given (a sketch and its photograph), translation is regression. Why do pictures by regression look flat? A pixel that may be black or white, given the
# sketch, is white with probability $\rho$. The squared error is least at the grey value $\rho$ (`translation.pixel[squared]`), which may never occur. The absolute error, which pix2pix uses, is a straight line in the value $c$
# that is shown (`translation.pixel[absolute]`): it is least at an end, at the more frequent value ($\rho \ne \frac12$). That is sharp, and always the same.
#
# !!! example "By hand"
#
#     White with probability $\rho = 0.3$. Squared error: grey $0.3$ has $0.21$, black $0.3$. Absolute error: black has $0.3$, grey $0.3$ has
#     $0.3 + 0.4 \cdot 0.3 = 0.42$, white $0.7$. The one shows a grey that does not exist, the other never shows white.
#
# {{ picture translation.pixel }}
#
# To show white in three of ten cases one needs a judge of the whole: a discriminator that sees *pairs* $(x, y)$ [@isola2017pix2pix]. With the best one the value is
# $-\log 4$ plus twice the mean of the Jensen–Shannon divergence *given* $x$, `gan.conditional[best]`. What if it sees only $y$? Then the game is about $r(y)$ alone. With $r$ for true pairs and $q$ for made ones, `translation.unpaired` says for the KL divergence what is left out: that of pairs
# is that of the second pictures plus the mean divergence of the first given the second. The unpaired game sees the first term only.

# %%
b = variables("b", domain="bit")
rho, c = fractions("rho c")
pairs = Density("r", x, y, positive=True)
made = Density("q", x, y, positive=True)


@derivation("One pixel, two losses")
def pixel(d):
    d.start(E(Bernoulli(b, rho), (b - c) ** 2), name="squared", words="squared error")
    d.equals(rho * (1 - rho) + (c - rho) ** 2, by="the variance, plus the square of what is off")
    d.start(E(Bernoulli(b, rho), absolute(b - c)), name="absolute", words="absolute error")
    d.equals(rho + (1 - 2 * rho) * c, by="white costs $1 - c$, black costs $c$: a straight line")


@derivation("What the unpaired game does not see")
def unpaired(d):
    d.start(KL(pairs(x, y), made(x, y)))
    d.equals(KL(pairs(y), made(y)) + E(pairs(y), KL(pairs(x | y), made(x | y))), by="the chain rule of KL")
    d.at_least(KL(pairs(y), made(y)), by="a mean of KL divergences is not negative",
               because=(E(pairs(y), KL(pairs(x | y), made(x | y))), kl_nonnegative(pairs(x | y), made(x | y))))


# %% [markdown]
# **What it means.** Without pairs, "the translations look like winter" is all that a discriminator can ask. Which street is in the picture is free.
#
# ## The cycle, and what it leaves free
#
# So ask for more [@zhu2017cyclegan]: let a second network $F$ translate back, and let $F(G(x))$ be $x$ again. Does that fix $G$?
#
# !!! example "By hand"
#
#     Domain A has two pictures, 3 and 8, equally frequent, domain B has them inverted, white on black. The translator that we want maps 3 to the inverted 3. Another one maps 3
#     to the inverted *8*, and 8 to the inverted 3. Its translations look exactly like B, and its inverse closes the cycle: both losses are the same as for the first.
#
# It does not. Let $G$ be a perfect translator that can be undone, and $S$ any such map of B onto itself. Use $S \circ G$ in place of $G$ and undo it on the way back: the
# cycle closes (`translation.cycle[any]`). If $S$ leaves the density of B as it is, the critic is satisfied as well. Such an $S$ is a *symmetry* (an automorphism) of the domain. In the plane every rotation is one for standard normal data: `translation.cycle[rotation]` and `translation.cycle[same_density]`, with an
# orthogonal matrix $Q$. So the two losses together leave **every symmetry of the domain free**.
#
# {{ picture translation.cycle }}
#
# What breaks the tie for a given $S$ is a domain that $S$ changes. For two pictures with the probabilities $\rho$ and $1 - \rho$ the exchange costs the total variation $|2 \rho - 1|$ (`translation.symmetry[two_points]`). For a normal density with the variances $\alpha$ and $\beta$ along the
# axes a rotation by the angle $\theta$ costs the KL divergence of `translation.symmetry[rotation]`: nothing if $\alpha = \beta$, and nothing at half a turn. All the while each translation moves, in the mean square, by `translation.symmetry[moved]`.
#
# {{ explorer translation }}
#
# In code: `genmath.translation.CycleGAN`.

# %%
G, T = Function("G", invertible=True), Function("S", invertible=True)
X = vectors("x")
Q = matrices("Q", domain="orthogonal")


@derivation("A closed cycle leaves every symmetry free", dims=(1, 2, 3))
def cycle(d):
    d.start(G.inverse(T.inverse(T(G(x)))), name="any", words="another translator, and its way back")
    d.equals(x, by="$S$ is undone, then $G$")
    d.start(transpose(Q) * (Q * X), name="rotation", words="there and back by a rotation")
    d.equals(X, by="$Q^\\top Q$ is the identity")
    d.start(Normal(Q * X, 0, identity), name="same_density", words="what the critic sees of it")
    d.equals(Normal(X, 0, identity), by="a rotation changes no length")


alpha, beta = positives("alpha beta")
theta = reals("theta")


@derivation("What an unequal domain charges")
def symmetry(d):
    d.start(TV(Bernoulli(b, rho), Bernoulli(b, 1 - rho)), name="two_points", words="two pictures, exchanged")
    d.equals(absolute(2 * rho - 1), by="both differ by $|2 \\rho - 1|$, and total variation takes half of the sum")

    turned_x, turned_y = cos(theta) * x + sin(theta) * y, cos(theta) * y - sin(theta) * x
    laws = Normal(x, 0, alpha), Normal(y, 0, beta)
    d.start(E(laws, (turned_x**2 - x**2) / (2 * alpha) + (turned_y**2 - y**2) / (2 * beta)), name="rotation", words="a bell, turned")
    d.equals(sin(theta) ** 2 * (alpha - beta) ** 2 / (2 * alpha * beta), by="second moments, and the squares of sine and cosine are one together")
    d.start(E(laws, (turned_x - x) ** 2 + (turned_y - y) ** 2), name="moved", words="how far translations move")
    d.equals(2 * (1 - cos(theta)) * (alpha + beta), by="the same")


# %% [markdown]
# The left side of `translation.symmetry[rotation]` is the KL divergence from the normal density to itself turned: the mean of the difference of the two logarithms. Other symmetries stay free even for $\alpha \ne \beta$: measure each axis in its own deviation, then turn, then go back.
#
# **What it means.** A zero cycle loss is a statement about *information*, not about meaning. That CycleGAN often finds what we want comes from the domains (real ones have few *simple* symmetries) and from the networks, which seem to
# find simple maps first. Neither is in the loss.
#
# ## What the cycle does guarantee
#
# A closed cycle says that $x$ can be found again from $y$. How much does $y$ then say about $x$? Let translations be random, with the joint density $r(x, y)$. By `translation.cycle_entropy[any]` *any* guess $q(x \mid y)$ of the way back gives an upper bound of the conditional entropy [@li2017alice]. Take
# the guess "$F(y)$, with errors as often as a Laplace density of the scale $b$ says": its bound is the absolute error, the very loss of the cycle, divided by $b$, plus $\log 2b$ (`translation.cycle_entropy[laplace]`). The best scale is $b = \ell$ (`translation.cycle_entropy[scale]`), so
# $\mathbb{H} \le 1 + \log 2\ell$: **a small cycle loss forces the uncertainty about $x$ down.**
#
# !!! example "By hand"
#
#     $\ell = 0.05$: the mean entropy of $x$ given $y$ is at most $1 + \log 0.1 \approx -1.30$ nats. For comparison, a uniform density on an interval of the length $e^{-1.30} \approx 0.27$ has this entropy.
#
# {{ picture translation.entropy }}
#
# In code: `genmath.translation.cycle_loss`.

# %%
guess = Density("q", x, given=y, positive=True)
back = Function("F")
scale = positives("b")
ell = define("ell", E(pairs(x, y), absolute(x - back(y))))
loss = positives("ell")


@derivation("The cycle loss bounds a conditional entropy")
def cycle_entropy(d):
    spread = E(pairs(y), H(pairs(x | y)))
    d.start(spread, name="any", words="any guess of the way back")
    d.at_most(-E(pairs(x, y), log(guess(x | y))), by="the gap is the mean KL divergence to the guess", because=(E(pairs(y), KL(pairs(x | y), guess(x | y))), kl_nonnegative(pairs(x | y), guess(x | y))))
    around = Laplace(x, back(y), scale)
    d.start(spread, name="laplace", words="a guess with absolute errors")
    d.at_most(-E(pairs(x, y), log(around)), by="the same, with a Laplace density around $F(y)$", because=(E(pairs(y), KL(pairs(x | y), around)), kl_nonnegative(pairs(x | y), around)))
    d.equals(ell / scale + log(2 * scale), by="the logarithm of the Laplace density")
    d.start(loss / scale + log(2 * scale), name="scale", words="the best scale")
    d.at_least(1 + log(2 * loss), by="$\\log s \\le s - 1$ at $s = \\ell/b$", because=log_gap(loss / scale))
    d.tight_when(scale, loss)


# %% [markdown]
# **What it means.** The entropy is of *real numbers*, and these can be written small. A translator from photographs to maps must throw away the leaves of the trees, and still be undone: CycleGAN learned to *hide* them in the
# map, as a faint pattern [@chu2017steganography]. `translation.hidden[least]` has it in one line: let $x$ be standard normal, and its trace in $y$ be $\delta x$ plus noise of the deviation $s$. The best linear guess of $x$ has the right side as its mean squared error. Without noise it errs by nothing, however faint $\delta$ is (`translation.hidden[no_noise]`). So noise
# on $y$, before it is translated back, narrows this door: then one trace has to be strong to be read, and a strong one the critic may see. Many faint ones still add up.

# %%
eps = variables("epsilon")
delta, s = positives("delta s")
k = reals("k")


@derivation("A faint trace is enough")
def hidden(d):
    d.start(E((Normal(x, 0, 1), Normal(eps, 0, s**2)), (x - k * (delta * x + eps)) ** 2), name="least", words="any linear guess from a noisy trace")
    d.at_least(s**2 / (delta**2 + s**2), by="complete the square in $k$", because=(delta**2 + s**2) * (k - delta / (delta**2 + s**2)) ** 2)
    d.tight_when(k, delta / (delta**2 + s**2))
    d.start(E(Normal(x, 0, 1), (x - delta * x / delta) ** 2), name="no_noise", words="without noise")
    d.equals(0, by="the trace is made as large as it was")


# %% [markdown]
# ## The identity loss
#
# A third loss is often added: a picture that is already in the domain should not be changed by the translator *to* this domain, $\mathbb{E}\,|G(y) - y|$ over pictures $y$ of B. It prefers, among all that
# the other two leave free, what changes little: colours, for instance, stay. It is no harmless prior, though. Let A be data, B the same data moved by $c$, and $G(x) = x + c$ the perfect
# translator. On B it goes on moving, and pays $|c|$ (`translation.identity_loss`). For the inverted digits, $G(x) = -x$, it pays $2\,\mathbb{E}\,|y|$. It asks for $G$ to be the identity on B, and the true $G$ is that only if it leaves B alone.

# %%
shift = reals("c")
r_y, r_x = Density("p", y), Density("r", x)


@derivation("What the identity loss charges the right translator")
def identity_loss(d):
    d.start(E(r_y(y), absolute(y + shift - y)))
    d.equals(absolute(shift), by="each picture of B is moved on by $c$")
    d.slip(
        "torchgan-identity-swapped",
        wrong=equal(E((r_x(x), r_y(y)), absolute(x + shift - y)), absolute(shift)),
        right=equal(E(r_y(y), absolute(y + shift - y)), absolute(shift)),
        source="torchgan/torchgan issue #125 and fastai/course-v3 PR #449",
        why="The loss compares what the translator makes of a picture with this picture. Compared with a picture of the other domain, which has nothing to do with it, "
        "it asks for one and the same answer to everything: the median of that domain.",
    )


# %% [markdown]
# **What it means.** Use it where the two domains lie close together and only the manner differs. Its weight is a choice about what "the same content" means, and
# no result of this chapter makes that choice for you.
#
# ## By way of the noise
#
# {{ picture translation.bridge }}
#
# Two diffusion models, each trained on its domain alone, can translate together [@su2023ddib]. The exact flow of a model (the ODE of `ddim.flow`) maps noise to data, one to one. In this section, call it $A$ for the first domain and $B$ for the second. Translate by
# $B \circ A^{-1}$: from the picture to its noise, from the noise to the other domain. There and back again is the identity, *exactly* and without any cycle loss: `translation.ddib[cycle]`. No network has ever seen both domains. (Numerical steps are not exact; `ddim.inversion` says how well each can be undone.)
#
# Which picture belongs to which? The one with the same *noise*. That is a choice as well, and for normal domains it is a good one. With the exact flow of normal data, `ddim.gaussian_flow`, from clean data to a level with $\alpha$ and $\sigma$ and down in the other domain,
# the translation is `translation.ddib[normal]`, and for pure noise, $\alpha = 0$, it is `translation.ddib[noise]`: $\omega_1, \omega_2$ are the standard deviations and $m_1, m_2$ the means of the two domains. **It is AdaIN**, the optimal map.
#
# In code: `genmath.translation.ddib`.

# %%
A, B = Function("A", invertible=True), Function("B", invertible=True)
level = nonnegatives("alpha")
sigma, omega_1, omega_2 = positives("sigma omega_1 omega_2")
m_1, m_2 = reals("m_1 m_2")
D_1, D_2 = define("D_1", level**2 * omega_1**2 + sigma**2), define("D_2", level**2 * omega_2**2 + sigma**2)


@derivation("Through the noise: an exact cycle")
def ddib(d):
    d.start(A(B.inverse(B(A.inverse(x)))), name="cycle", words="there and back again")
    d.equals(x, by="each flow undoes itself")
    noised = define("z", level * m_1 + sqrt(D_1) / omega_1 * (x - m_1))
    there = m_2 + sqrt(D_1 / D_2) * (omega_2 / omega_1) * (x - m_1) + level * omega_2 / sqrt(D_2) * (m_1 - m_2)
    d.start(m_2 + omega_2 / sqrt(D_2) * (noised - level * m_2), name="normal", words="normal domains, by way of one level")
    d.equals(there, by="put the noisy point in")
    pure = define("z", sigma / omega_1 * (x - m_1))
    d.start(m_2 + omega_2 / sigma * pure, name="noise", words="by way of pure noise")
    d.equals(m_2 + omega_2 / omega_1 * (x - m_1), by="$\\alpha = 0$, where both domains have the variance $\\sigma^2$")


# %% [markdown]
# **What it means.** Stop at a level before pure noise, and more of the first picture is carried over, and less of the second domain comes in: the means are only partly exchanged. SDEdit is that with fresh noise (`guidance.editing`).
#
# Another answer to "which belongs to which" is optimal transport itself, or its version with entropy: among all plans that have the two domains as marginals, the one that is closest to what a Brownian motion does. This is the *Schrödinger bridge*. For its two ends it is entropic transport with the squared distance as the cost:
# everything about it is in `wasserstein.entropic_dual` and `wasserstein.sinkhorn_step`. It has a price, too: the plan is no map (`wasserstein.entropic_bias`).
#
# ## A generator that is told a style
#
# StyleGAN [@karras2019stylegan] is a GAN whose generator does not read the noise $z$ at its beginning. A small network, the *mapping*, makes a style $w$ of it, and every layer is told $w$ by AdaIN. AdaIN replaces the two moments that the layer before gave (`translation.adain[again]`), so each layer may be told another style. The convolution between them has used the old one: it is not forgotten.
#
# *Style mixing.* Coarse layers are told $w$ and fine ones $w'$, of another noise: the pose of the one, the colours of the other. Each layer still sees styles from the same density (`translation.mixing[each]`). What changes is what they have to do with one another: the mean of a product of two features changes by their covariance, which
# mixing takes away (`translation.mixing[together]`). Trained so, a layer cannot rely on what the others were told.
#
# *Truncation.* Rare styles make bad pictures, as few were seen in training. Pull each style towards the mean $m$, by a factor $\psi < 1$: the mean stays (`translation.truncation[mean]`), the variance shrinks by $\psi^2$ (`translation.truncation[variance]`), each style moves by a mean square of $(1 - \psi)^2$ variances (`translation.truncation[moved]`), and a normal density loses the entropy $-\log \psi$ in every
# coordinate (`translation.truncation[entropy]`). That is the price: with $\psi = 0.7$ and 512 coordinates it is 183 nats of variety.
#
# {{ picture translation.truncation }}
#
# In code: `genmath.translation.StyleGenerator`, `genmath.translation.truncate`.

# %%
styles = Density("p", w)
another_w = copies(w, 1)[0]
f, g = Function("f"), Function("g")
psi, v = positives("psi v")
m = reals("m")
m_w = define("m", E(styles(another_w), another_w))
V_w = define("V", E(styles(another_w), (another_w - m_w) ** 2))


@derivation("Mixing styles")
def mixing(d):
    both = styles(w), styles(another_w)
    d.start(E(both, f(w) + g(another_w)), name="each", words="each layer by itself")
    d.equals(E(styles(w), f(w) + g(w)), by="both styles have the same density")
    d.start(E(styles(w), f(w) * g(w)) - E(both, f(w) * g(another_w)), name="together", words="two layers together")
    d.equals(E(styles(w), (f(w) - E(styles(another_w), f(another_w))) * (g(w) - E(styles(another_w), g(another_w)))), by="the mean of a product less the product of the means")


@derivation("Truncating styles")
def truncation(d):
    cut = define("w_psi", m_w + psi * (w - m_w))
    d.start(E(styles(w), cut), name="mean", words="the mean stays")
    d.equals(m_w, by="what is shrunk has mean zero")
    d.start(E(styles(w), (cut - m_w) ** 2), name="variance", words="the variance shrinks")
    d.equals(psi**2 * V_w, by="a factor comes out squared")
    d.start(E(styles(w), (w - cut) ** 2), name="moved", words="how far styles move")
    d.equals((1 - psi) ** 2 * V_w, by="each moves by $(1 - \\psi)(w - m)$")
    d.start(H(Normal(w, m, psi**2 * v)), name="entropy", words="the variety that is lost")
    d.equals(H(Normal(w, m, v)) + log(psi), by="the entropy of a normal density is half the logarithm of its variance, and a constant")


# %% [markdown]
# **What it means.** Truncation trades variety for quality; how much variety, we can say. A comparison of two generators by pictures is one of their $\psi$, too.
#
# ## Is the space of styles straighter? { .advanced }
#
# The noise $z$ has a fixed density, a round cloud. If in the data a combination is missing (no bald men with long beards, say), the map from the round cloud must bend around the gap. The styles $w$ may have *any* density, so the mapping can do the bending, and what comes after it may be straight [@karras2019stylegan]. This is a hope and no theorem: nothing in the game asks for it. But what it *would* buy can be computed.
#
# Walk from one picture to another, at the times 0 to 1, along a curve $\gamma(t)$. The energy of the walk, the mean squared speed, is at least the squared distance of its ends (`translation.straightness[least]`), with equality only on a straight line at constant speed. Now an example. Let a picture be one number $u$, the generator from styles the identity, and the mapping the exponential, $u = e^z$. A straight walk in
# $w$ has the least energy. A straight walk in $z$, from 0 to $a$, has that energy times `translation.straightness[example]`: $\frac a2 \coth \frac a2$, which is 1.31 for $a = 2$ and about $\frac a2$ for large $a$.
#
# {{ picture translation.walks }}
#
# To make the generator straight on purpose, StyleGAN2 adds a penalty [@karras2020stylegan2]. With the slopes $J$ of the picture by $w$, and a standard normal picture $y$, it compares $\Vert J^\top y\Vert$ with its mean. The mean square of this length is the sum of all squared slopes (`translation.path_length[square]`), whose estimate needs one pass backwards and no matrix. The squared length varies least, for a given mean, if all singular values of $J$ are the same: its
# variance is twice the sum of the fourth powers of the singular values (`translation.path_length[variance]`), and for a given sum of squares that is least where all are equal (`translation.path_length[equal]`, for three of them). Then every direction of $w$ changes the picture equally fast.
#
# In code: `genmath.translation.path_lengths`.

# %%
time = variables("t")
curve = Function("gamma")
a = positives("a")
J = matrices("J", columns=2)
Y = vectors("y")
s_1, s_2, s_3 = reals("s_1 s_2 s_3")


@derivation("A straight walk has the least energy")
def straightness(d):
    d.start(integral(curve.prime(time) ** 2, time, between=(0, 1)), name="least", words="every walk")
    d.at_least((curve(1) - curve(0)) ** 2, by="the mean of a square is at least the square of the mean", because=integral((curve.prime(time) - (curve(1) - curve(0))) ** 2, time, between=(0, 1)))
    d.start(integral(diff(exp(a * time), time) ** 2, time, between=(0, 1)) / (exp(a) - 1) ** 2, name="example", words="a walk in the noise, over one in the styles")
    d.equals(a * (exp(a) + 1) / (2 * (exp(a) - 1)), by="integrate, and divide by the squared distance of the ends")


@derivation("The length of a pulled-back picture", dims=(1, 2))
def path_length(d):
    whole = trace(transpose(J) * J)
    d.start(E(Normal(Y, 0, identity), norm2(transpose(J) * Y)), name="square", words="its mean square")
    d.equals(whole, by="the second moment of $y$ is the identity")
    d.start(E(Normal(Y, 0, identity), (norm2(transpose(J) * Y) - whole) ** 2), name="variance", words="the variance of its square")
    d.equals(2 * trace(transpose(J) * J * transpose(J) * J), by="fourth moments of a normal vector")
    d.start(s_1**4 + s_2**4 + s_3**4, name="equal", words="three singular values")
    d.at_least((s_1**2 + s_2**2 + s_3**2) ** 2 / 3, by="a sum of squared differences is left", because=((s_1**2 - s_2**2) ** 2 + (s_2**2 - s_3**2) ** 2 + (s_3**2 - s_1**2) ** 2) / 3)


# %% [markdown]
# **What it means.** The penalty asks for one speed in all directions, not for a small one. That "straight" is also "meaningful" is an experience with faces, and not a result.
#
# ## Whitening and colouring { .advanced }
#
# AdaIN moves each channel by itself, and so leaves the correlations of channels as they are in the content. The matrix version, *whitening and colouring* [@li2017wct], takes them off and puts those of the style on: with $R_1$ and $R_2$ the roots of the two covariances, $x - m_1$ is multiplied by $R_2 R_1^{-1}$. Then the covariance is that of the style, $R_2^2$ (`translation.whitening[covariance]`).
# Is it the optimal map? Only if $R_2 R_1^{-1}$ is symmetric, as for commuting covariances; the optimal one is the matrix $A$ of `wasserstein.w2_normal`. Diffusion models of normal domains give this map in place of the optimal one, as each flow only stretches along the axes of its own domain. So for normal domains "DDIB is optimal transport" holds if, and only if, the covariances commute.
#
# {{ picture translation.correlation }}

# %%
R_1, R_2 = covariances("R_1 R_2")


@derivation("Whitening and colouring", dims=(1, 2, 3))
def whitening(d):
    d.start((R_2 * inverse(R_1)) * (R_1 * R_1) * transpose(R_2 * inverse(R_1)), name="covariance", words="the new covariance")
    d.equals(R_2 * R_2, by="the roots of the first covariance cancel")


# %% [markdown]
# **What it means.** Many maps give the same covariance: any rotation may stand between whitening and colouring. It is the symmetry of the round cloud again, and the cheapest choice is a choice.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - AdaIN: new mean, new deviation, at the least cost (`translation.adain`, `wasserstein.w2_line`). The last style wins.
#     - Gram style loss $=$ MMD with the kernel $(x \cdot y)^2$ (`translation.gram`): second moments, no places.
#     - With pairs: squared error shows the mean, absolute error the median (`translation.pixel`); a critic of pairs sees the rest (`gan.conditional`).
#     - Without pairs: a closed cycle and a satisfied critic leave every symmetry of the domain free (`translation.cycle`); an unequal domain charges for simple ones (`translation.symmetry`).
#     - The cycle loss bounds the conditional entropy: $\mathbb{H} \le 1 + \log 2\ell$ (`translation.cycle_entropy`). Traces may be faint (`translation.hidden`).
#     - Two diffusion models through the noise: an exact cycle; for normal domains on the line it is AdaIN (`translation.ddib`).
#     - Truncation: variance times $\psi^2$ (`translation.truncation`); mixing takes the covariance of layers away (`translation.mixing`).
#
# ## Questions
#
# ??? question "A channel has mean 3 and deviation 2, the style has mean 0 and deviation 1. Where does AdaIN move the value 7?"
#
#     To $0 + \frac12 (7 - 3) = 2$: it was two deviations above the mean, and it still is.
#
# ??? question "Two pictures have the same Gram matrix. Are they the same texture?"
#
#     Not by that. Shuffle the places of a picture and its Gram matrix stays (`translation.gram[places]`). With features of a network, which see neighbourhoods, it says more, and still only second moments.
#
# ??? question "CycleGAN is trained on digits and inverted digits, and its losses are perfect. Is a translated 3 an inverted 3?"
#
#     The losses do not say so: they are the same for a translator that exchanges digits in any way that leaves the density of B as it is and can be undone (`translation.cycle[any]`).
#
# ??? question "Why is a small cycle loss possible from photographs to maps, where so much is thrown away?"
#
#     It is not thrown away: it is hidden. A trace of any size is enough if nothing disturbs it (`translation.hidden[no_noise]`).
#
# ??? question "Is the cycle of DDIB closed because it was trained to be?"
#
#     No. Flows can be undone, so it is closed for any two models, even for bad ones (`translation.ddib[cycle]`). That the translation lands in the other domain is what the models are needed for.
#
# ??? question "A generator is sampled with the truncation 0.5. What becomes of the variance of its styles, and of a linear generator's pictures?"
#
#     A quarter of both (`translation.truncation[variance]`). For a generator that is not linear the second is an approximation near the mean style.
#
# {{ spot torchgan-identity-swapped among translation.pixel[absolute] translation.adain[mean] }}
#
# ## What these results do not say
#
# - **Content and style have no definition here.** Moments of features are one that can be computed; which network's features, and which layers, is a choice.
# - **No result says that CycleGAN finds the translator that one wants.** The results say what the losses leave free. A cycle loss that is not zero, and critics that are not the best, leave more free.
# - **The entropy is a differential one.** For a translator without noise on real numbers $r(x \mid y)$ has no density, and the bound is about nothing; with noise it is meant as it stands. For finitely many pictures `translation.cycle_entropy[any]` holds with probabilities as the guess, the Laplace bound does not.
# - **DDIB's cycle is exact for exact flows.** Steps of finite size, each inverted approximately, leave an error: the laboratory measures it.
# - **One coordinate, two channels.** `translation.ddib[normal]` and `translation.cycle_entropy` are for one coordinate (of more, each has its own $\ell$, and the bounds add up; `genmath.translation.cycle_loss` sums the errors), `translation.gram` for two channels, `translation.path_length[equal]` for three singular values. More of them are longer sums; the checker has not seen them.
# - **Straightness** is an example. That a trained mapping makes the generator straighter is an observation about trained networks.
#
# ## Where sources slip
#
# - `translation.gram`: a reshape in place of a transpose (`deeplearningai-gram-reshape`).
# - `translation.identity_loss`: the translated picture compared with a picture of the other domain (`torchgan-identity-swapped`).
#
# ## References
#
# - [@huang2017adain]: AdaIN (eq. 8).
# - [@gatys2016image]: Gram matrices and the style loss.
# - [@li2017demystifying]: the style loss as an MMD with the quadratic kernel.
# - [@li2017wct]: whitening and colouring.
# - [@isola2017pix2pix]: pairs, a critic of pairs and the absolute error.
# - [@zhu2017cyclegan]: the cycle (eq. 2) and the identity loss.
# - [@li2017alice]: the cycle loss as a bound of a conditional entropy.
# - [@chu2017steganography]: hidden traces.
# - [@shrivastava2017learning]: the buffer of older pictures.
# - [@su2023ddib]: translation through the noise of two models.
# - [@karras2019stylegan]: style mixing, the mapping and truncation.
# - [@karras2020stylegan2]: path length regularisation (eq. 4).
