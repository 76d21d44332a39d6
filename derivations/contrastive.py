# %% [markdown]
# # Learning without labels
#
# Labels are dear, and pictures are free. A person who has seen a million pictures without a name needs only a few named ones to learn what a cat is: she already knows what looks alike. Can a network learn the same from pictures alone? What should it be asked, if there is no
# right answer in the data? And why does it not cheat, and say the same of every picture?
#
# **The answer in a line:** make two views of each picture and let the network find the partner of a view among others; whoever can do this well knows what two views have in common, and the loss says how much at least: $\log N$ less the loss is a lower bound of a mutual information.
#
# {{ picture contrastive.question }}
#
# !!! board "On the board"
#
#     The loss of one view, the *anchor*, that looks for its partner among $M + 1$ candidates:
#
#     {{ define contrastive.ell }}
#
#     What it says about the data, for any classifier $s$ that guesses the place $k$ of the partner from all that is seen, $w$:
#
#     {{ contrastive.classification[bound] }}
#
#     $a$ is the cosine of the anchor's feature with that of its partner, $s_j$ that with the $j$-th other view, $\tau$ the *temperature*. In the second line $L$ is the mean of the loss, $-\log s(k \mid w)$; $\mathbb{H}$ is the entropy of the place, $\log N$ if all $N$ places are
#     equally probable; on the right stands the mutual information of place and candidates, which is at most that of two views (`contrastive.positions`).
#
# <div class="two" markdown="block">
#
# !!! train "Pretrain, without labels"
#
#     1. Two views of every picture of a batch: parts of it, turned, with other light. `genmath.contrastive.augment`.
#     2. A network makes a feature of each view.
#     3. A gradient step on `genmath.contrastive.nt_xent`: each view has to find its partner. For pictures and captions it is `genmath.contrastive.clip_loss`.
#     4. Variants: a slow copy of the network makes the partners' features, `genmath.contrastive.MomentumEncoder`; old features serve as others, `genmath.contrastive.MemoryQueue`; or there are no others at all, `genmath.contrastive.dino_loss`, `genmath.contrastive.vicreg_loss`.
#
# !!! sample "Use, with few labels"
#
#     1. Freeze the network.
#     2. Compute the features of the few pictures that have a label.
#     3. A linear classifier on them, in one solve: `genmath.contrastive.linear_probe`.
#     4. Nothing is sampled: such a model knows what is alike, and not how pictures are distributed.
#
# </div>

# %% [markdown]
# ## Notation and hypotheses
#
# - A *view* of a picture is what is left after a random change: another part, other light, another angle. $x$ and $y$ are two views of one picture, or a picture and its caption; $r(x, y)$ is their joint density, $r(x)$ and $r(y)$ the densities of each alone. The two are a *positive pair*.
#   Views of different pictures are *negatives*; here they are called *others*.
# - A *critic* $f(x, y)$ is any number that says how well two views fit. The usual one is the cosine of two features over a temperature, $\langle u, v \rangle / \tau$ with $\Vert u \Vert = \Vert v \Vert = 1$.
# - $N$ candidates, exactly one of which is the partner; $M = N - 1$ others. A *batch* of NT-Xent has $N$ pictures and $2N$ views.
# - Mutual information is the KL divergence of the joint density from the product of its marginals, `divergences.mutual_information`. It is 0 for independent views.
# - *Self-supervised*: the question is made from the data, and so is its answer. *Representation*, *embedding*, *feature*: the vector that the network makes of a view.
# - Densities are positive where they stand in a logarithm, and expectations that appear are finite.

# %%
from genmath.proof import *

w, k = variables("w k")
p = Density("p", w, k, positive=True)
s = Density("s", k, given=w, positive=True)
n = Density("n", w, positive=True)
loss = define("L", -E(p(w, k), log(s(k | w))))
place_information = KL(p(w, k), p(w) * p(k))
miss = E(p(w), integral(p(k | w) * log(p(k | w) / s(k | w)) - p(k | w) + s(k | w), k))

j, M = naturals("j M")
score = Sequence("s")
a = reals("a")
tau = positives("tau")
ell = define("ell", -a / tau + log(exp(a / tau) + total(exp(score[j] / tau), j, 1, M)))


# %% [markdown]
# ## Find the partner
#
# !!! example "By hand"
#
#     An anchor and four candidates. The partner has the cosine $0.9$, the others $0.5$, $0.1$ and $-0.3$; the temperature is $0.5$. The exponentials of cosine over temperature are $6.05, 2.72, 1.22, 0.55$, together $10.54$. The softmax gives the partner $6.05/10.54 = 0.574$, and the loss is $-\log 0.574 = 0.555$. Who guesses among four has $\log 4 = 1.386$.
#
# The task: an anchor, $N$ candidates, one of them the partner. The others are drawn without looking at the anchor. Where the partner stands, $k$, is drawn at random. The network sees everything but that, $w$, and gives a probability $s(k \mid w)$ to each place. Its loss is that of any classifier, the cross-entropy.
# So it obeys what any classifier obeys: the loss is at least the entropy that $k$ has when $w$ is known, and the difference is the divergence of its answer from the best one. Turn this round, and the loss *measures*: what $w$ tells about $k$ is at least the entropy of $k$ less the loss.
#
# In code: `genmath.contrastive.info_nce`.


# %%
@derivation("InfoNCE is a classification")
def classification(d):
    d.start(loss, name="loss", words="the mean loss of a classifier")
    d.equals(E(p(w), H(p(k | w))) + E(p(w), KL(p(k | w), s(k | w))), by="multiply and divide by $p(k \\mid w)$ inside the logarithm")
    d.at_least(E(p(w), H(p(k | w))), by="a mean of divergences is not negative", because=miss)
    d.start(H(p(k)) - loss, name="bound", words="what the loss says about the data")
    d.at_most(place_information, by="the same divergence is what is missing", because=miss)
    d.slip(
        "classic-infonce-bound",
        wrong=equal(place_information, E(p(w, k), log(p(k | w)))),
        right=equal(place_information, H(p(k)) + E(p(w, k), log(p(k | w)))),
        source="a common slip, no single source",
        why="Minus the loss is taken for the information. For the best classifier it is the information less $\\log N$, the entropy of the place. As a bound it is true and says nothing: minus a cross-entropy is never above 0.",
    )


# %% [markdown]
# **What it means.** Contrastive learning is supervised learning with a label that costs nothing: the place of the partner.
#
# ### From the place to the views
#
# So $w$ tells something about $k$. But we wanted to know what a view tells about its partner. Compare the candidates with a world in which *no* partner is among them, of a density $n(w)$: all $N$ candidates are drawn without looking at the anchor. Where the partner stands in place $k$, the law of $w$ differs from that world in one candidate only. So its divergence from it
# is that of one pair: the mutual information of two views, whatever $k$ is. This is shown for two candidates (`contrastive.positions[two]`) and three (`contrastive.positions[three]`); more candidates are further factors that cancel. And the mean of these divergences is what $w$ tells about $k$, and something that is not negative (`contrastive.positions[split]`).
#
# Together, for $N$ candidates with equally probable places and any critic:
# the mutual information of two views is at least the information about the place, and this is at least $\log N$ less the loss.
#
# In code: `genmath.contrastive.mutual_information_bound`.

# %%
x, y = variables("x y")
y_1, y_2, y_3 = copies(y, 3)
r = Density("r", x, y, positive=True)
information = KL(r(x, y), r(x) * r(y))


@derivation("What the place tells is at most what a view tells")
def positions(d):
    d.start(E(p(k), KL(p(w | k), n(w))), name="split", words="from a world without partners")
    d.equals(place_information + KL(p(w), n(w)), by="multiply and divide by $p(w)$ inside the logarithm")
    d.at_least(place_information, by="a divergence is not negative", because=integral(p(w) * log(p(w) / n(w)) - p(w) + n(w), w))
    d.start(KL(r(x, y_1) * r(y_2), r(x) * r(y_1) * r(y_2), over=(x, y_1, y_2)), name="two", words="two candidates, the first is the partner")
    d.equals(information, by="the density of the other is in both, and cancels")
    d.start(KL(r(x, y_2) * r(y_1) * r(y_3), r(x) * r(y_1) * r(y_2) * r(y_3), over=(x, y_1, y_2, y_3)), name="three", words="three candidates, the second is the partner")
    d.equals(information, by="the densities of the others are in both, and cancel")


# %% [markdown]
# ### Never above the logarithm of N
#
# The cross-entropy of a classifier is not negative (`contrastive.ceiling`). So $\log N$ less the loss is at most $\log N$, however much the views have in common. In the display $S$ is the sum over the others, $\sum_j e^{s_j/\tau}$.
#
# !!! example "By hand"
#
#     A picture is one fair coin, and both views show it: the mutual information is $\log 2 = 0.693$. Take two candidates. With probability $\frac12$ the other shows the same, and the best guess is $\frac12$; else the partner is known. The loss is $\frac12 \log 2$, and $\log 2 - \frac12 \log 2 = 0.347$: half of the truth. With four candidates
#     the bound is $0.541$, with eight $0.626$, with 64 $0.685$.
#
# {{ picture contrastive.bound }}

# %%
S = positives("S")


@derivation("The loss of an anchor")
def ceiling(d):
    d.start(-log(exp(a / tau) / (exp(a / tau) + S)))
    d.equals(log(1 + S * exp(-a / tau)), by="divide by the exponential of the partner")
    d.at_least(0, by="the logarithm of a number above 1", because=log(1 + S * exp(-a / tau)))


# %% [markdown]
# **What it means.** Views that share 10 nats need more than $e^{10} \approx 22\,000$ candidates before the bound can say so. This is why contrastive training likes large batches, and why a measured bound near $\log N$ is a statement about $N$. A bound is also no estimate: a weak critic makes it small for views that share much.
#
# ## The best critic
#
# What does a network learn that does this perfectly? Say that each candidate $i$ has a number $\rho_i > 0$: how much more probable it is as the partner of the anchor than by itself, $r(y_i \mid x)/r(y_i)$. All places are equally probable beforehand. Then the probability that place $i$ is the partner's is $\rho_i$ over the sum of all (`contrastive.best_critic[place]`: $m$ is the density
# of the candidates if none was the partner, $c$ the number of places).
#
# A softmax of critics gives exactly this, if the critic is the logarithm of $\rho$; a number $b$ that depends on the anchor alone may be added, for it cancels (`contrastive.best_critic[critic]`). And only then: two candidates' critics differ by the logarithm of the ratio of their softmax (`contrastive.best_critic[only]`). So the best critic is
# $\log \frac{r(y \mid x)}{r(y)} + b(x)$: the *pointwise mutual information*, up to a function of the anchor.

# %%
C = FiniteSet("C")
i, l = C.members("i l")
rho, f = Function("rho", positive=True), Function("f")
alone = positives("m")
b = reals("b")
places = define("c", total(number(1), l))


@derivation("The best critic is a log-ratio")
def best_critic(d):
    d.start(alone * rho(i) * (1 / places) / total(alone * rho(l) * (1 / places), l), name="place", words="the probability of a place, by Bayes' rule")
    d.equals(rho(i) / total(rho(l), l), by="common factors cancel")
    d.start(exp(log(rho(i)) + b) / total(exp(log(rho(l)) + b), l), name="critic", words="the softmax of the log-ratio")
    d.equals(rho(i) / total(rho(l), l), by="the factor $e^b$ cancels")
    d.start(log(exp(f(i)) / total(exp(f(l)), l)) - log(exp(f(C.members("k"))) / total(exp(f(l)), l)), name="only", words="two places compared")
    d.equals(f(i) - f(C.members("k")), by="both have the same denominator")


# %% [markdown]
# **What it means.** A critic is a *measuring instrument*, as a discriminator is (`gan.optimal_discriminator[logit]`): it ends at a log-ratio of densities that nobody could write down. What it does *not* learn: the density of pictures. Anything that all views share, such as a frame around every picture, is in no ratio.
#
# And what it need not learn: whatever the two views do not share. If views differ in colour, then colour helps nobody to find the partner. **The choice of views decides what a feature knows.**
#
# ## NT-Xent, exactly
#
# SimCLR [@chen2020simple] sets this task with all views of a batch at once. $N$ pictures have two views each: $2N$ anchors. The candidates of an anchor are all $2N - 1$ views but itself; one of them is the partner. Cosines over a temperature are the critic, and the loss is the mean over all $2N$ anchors. (*Normalized temperature-scaled cross-entropy*: NT-Xent.)
#
# Below, $\ell_i$ and $h_i$ are the losses of the first and the second view of picture $i$. So the loss is the mean of two tasks: find the second view by the first, and the first by the second (`contrastive.nt_xent[batch]`).
#
# !!! example "By hand"
#
#     Directions in the plane: $0^\circ$ and $30^\circ$ are the views of one picture, $90^\circ$ and $120^\circ$ those of another; $\tau = 0.5$. The anchor at $0^\circ$: the partner's cosine is $0.866$, over $0.5$ that is $1.732$, and the exponential $5.65$. The others have the cosines $0$ and $-0.5$, with the exponentials $1$ and $0.37$. Its loss is $\log (7.02/5.65) = 0.217$.
#     The anchor at $30^\circ$ has an other at $60^\circ$ distance: $\log(9.37/5.65) = 0.506$. The second picture has the same two numbers, so the loss is $(0.217 + 0.506)/2 = 0.361$.
#
# In code: `genmath.contrastive.nt_xent`.

# %%
T = positives("T")
N, picture = naturals("N i")
there, back = Sequence("ell"), Sequence("h")
all_losses = total(there[picture] + back[picture], picture, 1, N)
both_tasks = (total(there[picture], picture, 1, N) / N + total(back[picture], picture, 1, N) / N) / 2


@derivation("NT-Xent")
def nt_xent(d):
    d.start(-log(exp(a / tau) / (exp(a / tau) + total(exp(score[j] / tau), j, 1, M))), name="anchor", words="the loss of one view")
    d.equals(ell, by="the logarithm of a ratio")
    d.start(all_losses / (2 * N), name="batch", words="the mean over all views")
    d.equals(both_tasks, by="a sum over both views of each picture")
    d.slip(
        "contrastive-norm",
        wrong=equal(all_losses / (2 * (N - 1)), both_tasks),
        right=equal(all_losses / (2 * N), both_tasks),
        source="lucidrains/contrastive-learner issue #2",
        why="The mean over $2N$ anchors was taken by dividing by $2(N - 1)$: twice too much for two pictures. What is one less than the number of views is the number of candidates of an anchor, not that of anchors.",
    )
    d.start(-log(exp(a / tau) / (exp(a / tau) + S + T)), name="more", words="more others")
    d.at_least(-log(exp(a / tau) / (exp(a / tau) + S)), by="a larger sum in the denominator", because=log(1 + T / (exp(a / tau) + S)))


# %% [markdown]
# How does one sum exponentials that overflow? Take a number $b$ off every score, and add it again after the logarithm: the usual $b$ is the largest score of the anchor. It has to be one number for the whole sum.

# %%
own = Function("c")


@derivation("A sum of exponentials without overflow")
def stable(d):
    d.start(b + log(total(exp(f(l) - b), l)))
    d.equals(log(total(exp(f(l)), l)), by="the factor $e^{-b}$ comes out of the sum")
    d.slip(
        "cebra-logsumexp-broadcast",
        wrong=equal(own(i) + log(total(exp(f(l) - own(l)), l)), log(total(exp(f(l)), l))),
        right=equal(own(i) + log(total(exp(f(l) - own(i)), l)), log(total(exp(f(l)), l))),
        source="AdaptiveMotorControlLab/CEBRA issue #48",
        why="The number was subtracted along the wrong axis: each candidate had its own, and the anchor's was added again. What comes out is the logarithm of another sum.",
    )


# %% [markdown]
# **What it means.** May one write $\log(2N - 1)$ less the loss as a bound of the mutual information? The bound above asks that others are drawn independently; here they come in pairs. Keep of each other picture only one view: then the hypothesis holds, with $N$ candidates, and the loss becomes smaller (`contrastive.nt_xent[more]`, where $T$ is the sum over the views that are left out). So
# $\log N$ less NT-Xent *is* a bound. With $2N - 1$ in place of $N$ this argument proves nothing.
#
# Another hypothesis is broken by the batch itself: if two pictures of it show the same thing, they are still told to be apart (*false negatives*). The best critic knows that: it says $\rho$, and no probability 1.
#
# ## Which others are pushed
#
# What does a step do? The slope by the cosine of an other is its softmax weight over $\tau$; by the partner's cosine, minus what the partner lacks of 1, over $\tau$. So the partner is pulled as much as all others together are pushed (`contrastive.slopes[balance]`). Two others are pushed in the ratio $e^{(s - t)/\tau}$ of their cosines $s$ and $t$ (`contrastive.slopes[ratio]`).
# In the displays $S$ is the sum of the exponentials of all others, $Z$ that of all candidates, and $R$ that of all candidates but the one whose cosine moves.
#
# !!! example "By hand"
#
#     The four candidates from above, at $\tau = 0.5$: the partner has $0.574$, so the pull is $(1 - 0.574)/0.5 = 0.852$. The others are pushed by $0.516$, $0.232$ and $0.104$: together $0.852$. The nearest gets 61 % of the push. At $\tau = 0.1$ it gets 98 %, and all of it is smaller: the pull is $0.183$.
#
# {{ picture contrastive.weights }}
#
# In code: `genmath.contrastive.info_nce`, whose gradient torch takes.

# %%
s_1, s_2 = reals("s t")
R, Z = positives("R Z")
partner_weight = define("w", exp(a / tau) / (exp(a / tau) + S))


@derivation("Pull and push")
def slopes(d):
    d.start(diff(log(exp(s_1 / tau) + R), s_1), name="other", words="by the cosine of an other")
    d.equals(exp(s_1 / tau) / (exp(s_1 / tau) + R) / tau, by="the slope of the logarithm of a sum of exponentials")
    d.start(diff(-a / tau + log(exp(a / tau) + S), a), name="partner", words="by that of the partner")
    d.equals(-(1 - partner_weight) / tau, by="the same, and $-1/\\tau$ from the first term")
    d.start(S / (exp(a / tau) + S) / tau, name="balance", words="all pushes together")
    d.equals((1 - partner_weight) / tau, by="all weights add up to one")
    d.start(exp(s_1 / tau) / Z / (exp(s_2 / tau) / Z), name="ratio", words="two others compared")
    d.equals(exp((s_1 - s_2) / tau), by="the same denominator $Z$")


# %% [markdown]
# ### Cold and hot
#
# Let $m$ be the largest cosine of an anchor with any candidate, and $m - \delta_j$ those of the other $M$, all smaller. $\tau$ times the logarithm of the sum of exponentials lies between $m$ and $m + \tau \log(1 + M)$. So $\tau\, \ell$ is near $m - a$ where $\tau$ is small: how far the partner is from being the nearest. Only the nearest candidate counts, and a partner that is the nearest costs almost nothing. Where $\tau$ is large,
# all weights are alike (the ratio above tends to 1), and every other is pushed as much as any.

# %%
m = reals("m")
delta = Sequence("delta", domain="positive")
others = total(exp((m - delta[j]) / tau), j, 1, M)
left = total(exp(-delta[j] / tau), j, 1, M)
soft = tau * log(exp(m / tau) + others)


@derivation("A softmax between the nearest and all")
def temperature(d):
    d.start(soft, name="below", words="at least the largest")
    d.equals(m + tau * log(1 + left), by="take the largest out of the sum")
    d.at_least(m, by="the logarithm of a number above 1", because=tau * log(1 + left))
    d.start(soft, name="above", words="and not far above it")
    d.at_most(m + tau * log(1 + M), by="each exponential is at most the largest, and $\\log u \\le u - 1$", because=tau * log_gap((1 + left) / (1 + M)) + tau / (1 + M) * total(1 - exp(-delta[j] / tau), j, 1, M))


# %% [markdown]
# **What it means.** The temperature says how hard the task is. Cold: the network separates what is nearly alike, duplicates of a thing included. Hot: it only keeps groups apart, and details fade. Values from 0.05 to 0.5 are usual; CLIP trains it.
#
# {{ explorer contrastive }}
#
# ## Alignment and uniformity
#
# With many others the loss splits in two [@wang2020understanding]. Take $\log M$ off it: what is left is minus the partner's score, and the logarithm of a *mean* over the others, $A$, plus a remainder that falls as $1/M$ (`contrastive.limit_of_many[split]`). Now let $M$ grow: $A$ comes near to the mean $\mu$ over *all* views. Two bounds say how fast. Above: with $\varepsilon$ for the remainder, the mean of the logarithm is
# at most the logarithm of the mean, plus $\varepsilon/\mu$ (`contrastive.limit_of_many[above]`). Below: it lacks at most the mean of $(A - \mu)^2/(A \mu)$ (`contrastive.limit_of_many[below]`).
#
# Cosines lie between $-1$ and $1$, so $A$ and $\mu$ lie between $e^{-1/\tau}$ and $e^{1/\tau}$, and $\varepsilon \le e^{1/\tau}/M$. A mean of $M$ independent numbers has an $M$-th of their variance $v$. So for a fixed anchor and partner the loss less $\log M$ is
# $-a/\tau + \log \mu$, up to at most $e^{2/\tau}/M$ above and $e^{2/\tau} v/M$ below: an error of order $1/M$.
#
# {{ picture contrastive.circle }}
#
# In code: `genmath.contrastive.align_uniform`.

# %%
A = variables("A", domain="positive")
q = Density("q", A)
epsilon = positives("epsilon")
mean_A = define("mu", E(q(A), A))
average = define("A", total(exp(score[j] / tau), j, 1, M) / M)


@derivation("Many others: alignment and uniformity")
def limit_of_many(d):
    d.start(ell - log(M), name="split", words="the loss less the logarithm")
    d.equals(-a / tau + log(average + exp(a / tau) / M), by="take $M$ out of the logarithm")
    d.start(E(q(A), log(A + epsilon)), name="above", words="the second part, from above")
    d.at_most(log(mean_A) + epsilon / mean_A, by="$\\log u \\le u - 1$ at $u = (A + \\varepsilon)/\\mu$", because=E(q(A), log_gap((A + epsilon) / mean_A)))
    d.start(E(q(A), log(A)), name="below", words="and from below")
    d.at_least(log(mean_A) - E(q(A), (A - mean_A) ** 2 / (A * mean_A)), by="$\\log u \\le u - 1$ at $u = \\mu/A$", because=E(q(A), log_gap(mean_A / A)))


# %% [markdown]
# **What it means.** The first part is *alignment*: partners should be near. On the sphere it is a squared distance (`contrastive.sphere[distance]`). The second is *uniformity*: features should be spread so that a mean of $e^{\text{cosine}/\tau}$ is small. Either alone is easy to have: all features in one point are perfectly aligned, and random ones are spread.
#
# How far apart can things be? Not all opposite to one another: three cosines add up to $-\frac32$ or more, and have it at the corners of a triangle (`contrastive.sphere[three]`). A logarithm of a mean of exponentials is at least the mean (`contrastive.sphere[mean]`); so equal cosines of $-\frac12$ make the second part least for three views. For $n$ views it is $-1/(n - 1)$: corners of a
# simplex, if the space has $n - 1$ dimensions or more. For infinitely many, the uniform density on the sphere [@wang2020understanding].

# %%
e_1, e_2, e_3 = mean_vectors("u v w", domain="direction")
g_1, g_2 = reals("s t")
pair_mean = define("A", (exp(g_1) + exp(g_2)) / 2)


@derivation("Distances and cosines", dims=(1, 2, 3))
def sphere(d):
    d.start(norm2(e_1 - e_2), name="distance", words="the squared distance of two features")
    d.equals(2 - 2 * dot(e_1, e_2), by="both have length one")
    d.start(dot(e_1, e_2) + dot(e_2, e_3) + dot(e_3, e_1), name="three", words="three features")
    d.at_least(-number(3) / 2, by="half the squared length of their sum is what is above", because=norm2(e_1 + e_2 + e_3) / 2)
    d.start(log(pair_mean), name="mean", words="the logarithm of a mean")
    d.at_least((g_1 + g_2) / 2, by="$\\log u \\le u - 1$, twice", because=(log_gap(exp(g_1) / pair_mean) + log_gap(exp(g_2) / pair_mean)) / 2)


# %% [markdown]
# ## Without others: why does it not collapse?
#
# Pull partners together and push nobody: the constant feature has the loss 0. Still, BYOL [@grill2020bootstrap] and SimSiam [@chen2021exploring] do just that, and it works. They have two things: a *predictor*, a small network on one side only, and a *stop-gradient*: the other side counts as a fixed target.
#
# The smallest model that shows it [@tian2021understanding] has one number each. The encoder multiplies a view by $w$, the predictor by $p$; the loss is half the mean of $(p\,w\,x - t)^2$ with the target $t = w\,y$. Write $v$ for the mean of $x^2$, and $c$ for that of $xy$; $c$ is what the views share.
#
# *With* a stop-gradient the target's factor is a fixed number $u$, and only afterwards is $u = w$ put in: the slope by $w$ is $p\,w\,(p v - c)$ and that by $p$ is $w^2 (p v - c)$ (`contrastive.collapse[weight]` and `[predictor]`). *Without* it the slope by $w$ is $w$ times a mean square (`contrastive.collapse[without]`): descent moves $w$ towards 0, and nothing holds it.

# %%
view = Density("r", x, y)
weight_, predictor, target = reals("w p u")
v_, c_ = define("v", E(view(x, y), x**2)), define("c", E(view(x, y), x * y))
stopped = E(view(x, y), (predictor * weight_ * x - target * y) ** 2) / 2
not_stopped = E(view(x, y), (predictor * weight_ * x - weight_ * y) ** 2) / 2
v, c, eta, both = positives("v c eta p")


@derivation("Collapse, and what prevents it")
def collapse(d):
    d.start(diff(stopped, weight_), name="weight", words="with stop-gradient, by the encoder")
    d.equals(predictor * (predictor * weight_ * v_ - target * c_), by="the target is a fixed number")
    d.start(diff(stopped, predictor), name="predictor", words="and by the predictor")
    d.equals(weight_ * (predictor * weight_ * v_ - target * c_), by="the same")
    d.start(diff(not_stopped, weight_), name="without", words="without it, by the encoder")
    d.equals(weight_ * E(view(x, y), (predictor * x - y) ** 2), by="the loss is the square of $w$ times a mean")
    W, P = reals("w p")
    move_w, move_p = -(P * W * (P * v - c)) - eta * W, -(W**2 * (P * v - c)) - eta * P
    d.start(2 * W * move_w - 2 * P * move_p, name="balance", words="how the difference of squares moves")
    d.equals(-2 * eta * (W**2 - P**2), by="the slopes of the loss cancel, the decay is left")
    d.start(-(both**2 * (both * v - c)) - eta * both, name="together", words="how both move once they are equal")
    d.equals(-both * v * ((both - c / (2 * v)) ** 2 - (c**2 - 4 * v * eta) / (4 * v**2)), by="complete the square")


# %% [markdown]
# **What it means.** Let weights move down these slopes, with a small decay $\eta$ towards 0. Then $w^2 - p^2$ shrinks to 0 as $e^{-2\eta t}$ (`contrastive.collapse[balance]`): encoder and predictor become equally large. Let both be positive. Once they are equal, $p$ moves as in `contrastive.collapse[together]`. If $c > 2 \sqrt{v \eta}$ this is zero at two numbers above 0, $\frac{1}{2v}(c \pm \sqrt{c^2 - 4 v \eta})$, positive between them, and negative outside:
# whoever starts above the smaller one goes to the larger one, near $c/v$ if $\eta$ is small. *No collapse.* Whoever starts below, or has too large a decay, goes to 0. If the views share nothing, $c = 0$, there is nothing but 0.
#
# The predictor is needed: with $p$ fixed at 1 the slope by $w$ is $w(v - c)$, and $v > c$ for views that differ and are equally large. The stop-gradient is needed, too, as seen.
#
# !!! example "By hand"
#
#     $v = 1$, $c = 0.9$, $\eta = 0.05$. The root of $0.81 - 0.2$ is $0.781$, so the two numbers are $0.0595$ and $0.8405$. Start at $0.5$: $-0.25 \cdot (-0.4) - 0.025 = 0.075 > 0$, upwards. Start at $0.03$: $0.0009 \cdot 0.87 - 0.0015 < 0$, downwards.
#
# {{ picture contrastive.collapse }}
#
# ### DINO: centre and sharpen
#
# DINO [@caron2021emerging] lets the student say what the teacher says of another view: a cross-entropy of two softmaxes over $K$ outputs. Write $P$ for the teacher's softmax and $Q$ for the student's, $\tau_t$ and $\tau_s$ for their temperatures, and $g$ for the teacher's outputs. The loss is the entropy of $P$ and a divergence (`contrastive.dino[split]`). There are two ways to make the divergence zero that are worth nothing: for all pictures the same
# choice (entropy 0), or for all pictures a uniform $P$ (and $Q$ the same).
#
# *Centring* takes the teacher's mean output off. If it says the same of all $N$ pictures, zero is left at every output (`contrastive.dino[centred]`), and $P$ is uniform: centring alone cannot stay at one choice, but a uniform output suits it. *Sharpening* is $\tau_t < \tau_s$. The student agrees with the teacher if its outputs are those of the teacher times $\tau_s/\tau_t > 1$
# (`contrastive.dino[sharpened]`); the teacher, a slow copy of the student, follows. So differences between outputs grow from round to round: sharpening alone does not stay near uniform, but drifts to one choice. DINO does both.
#
# !!! example "By hand"
#
#     Outputs $2, 1, 0$. At temperature 1 the softmax is $0.665, 0.245, 0.090$, with the entropy $0.832$. Sharpened, at $0.5$: $0.867, 0.117, 0.016$, entropy $0.441$. A student with the same outputs at temperature 1 has the cross-entropy $0.557$; to have $0.441$ it must say $4, 2, 0$, or these plus one number.
#
# {{ picture contrastive.dino }}
#
# In code: `genmath.contrastive.dino_loss`.

# %%
output = variables("o")
teacher_says, student_says = Density("P", output, positive=True), Density("Q", output, positive=True)
teach = Function("g")
tau_t, tau_s = positives("tau_t tau_s")


def softmax(logit, at):
    return exp(logit(i) / at) / total(exp(logit(l) / at), l)


@derivation("Centring and sharpening")
def dino(d):
    d.start(-E(teacher_says(output), log(student_says(output))), name="split", words="the loss of a student")
    d.equals(H(teacher_says(output)) + KL(teacher_says(output), student_says(output)), by="multiply and divide by $P$ inside the logarithm")
    d.at_least(H(teacher_says(output)), by="a divergence is not negative", because=E(teacher_says(output), log_gap(student_says(output) / teacher_says(output))))
    d.start(teach(i) - total(teach(i), j, 1, N) / N, name="centred", words="one output for all pictures, less its mean")
    d.equals(0, by="the mean of equal numbers is that number")
    d.start(softmax(lambda o: tau_s / tau_t * teach(o), tau_s), name="sharpened", words="a student that agrees")
    d.equals(softmax(teach, tau_t), by="its temperature cancels")


# %% [markdown]
# **What it means.** A loss can fall for a bad reason, so watch the entropy of the *mean* output over a batch, and the mean of the entropies: $\log K$ and near 0 is good. (Their difference is the mutual information of picture and output.) Both near $\log K$ is one collapse, both near 0 the other.
#
# DINO stands for *self-distillation with no labels*; some notes expand the name differently (`notes-dino-name`, CS231n lecture 13).
#
# ### A slow teacher
#
# MoCo [@he2020momentum], BYOL and DINO have a second network that is never trained: after each step its weights become $m$ times their own plus $1 - m$ times the student's. Unroll this: with $\theta_0$ at first, and the students $w_1, \dots, w_t$, the teacher is a weighted mean of them all (`contrastive.ema[step]`: if the formula holds after $t$ steps, it holds after $t + 1$). A student of age $k$ (the newest has age 1)
# has the weight $(1 - m)\,m^{k-1}$, and all together have $1 - m^t$ (`contrastive.ema[sum]`).
#
# !!! example "By hand"
#
#     $m = 0.99$. The newest student weighs $0.01$, the one 69 steps before it half of that ($0.99^{69} = 0.4998$). After 100 steps the first teacher still weighs $0.99^{100} = 0.366$. After many steps the share of what is of age $k$ or more is $m^{k-1}$, and the mean age is the sum of these shares: it tends to $1/0.01 = 100$ (`contrastive.ema[age]`).
#
# {{ picture contrastive.ema }}
#
# In code: `genmath.contrastive.MomentumEncoder`.

# %%
decay = fractions("m")
positive_decay = positives("m")
t, index = naturals("t k")
start_ = reals("theta_0")
student = Sequence("w")


def unrolled(steps):
    return positive_decay**steps * start_ + (1 - positive_decay) * total(positive_decay ** (steps - index) * student[index], index, 1, steps)


@derivation("A running mean of weights")
def ema(d):
    d.start(positive_decay * unrolled(t) + (1 - positive_decay) * student[t + 1], name="step", words="one step more")
    d.equals(unrolled(t + 1), by="the factor $m$ goes into every term, and the new one has the power 0")
    d.start(total((1 - decay) * decay ** (index - 1), index, 1, t), name="sum", words="all students together")
    d.equals(1 - decay**t, by="a geometric sum", because=induction(t))
    d.start(total(decay ** (index - 1), index, 1, t), name="age", words="the shares of what is at least so old, together")
    d.equals((1 - decay**t) / (1 - decay), by="a geometric sum", because=induction(t))


# %% [markdown]
# **What it means.** The teacher is a mean over about $1/(1 - m)$ steps: smoother than the student, and behind it. MoCo needs it for its *queue*: the features of many past batches serve as others (`genmath.contrastive.MemoryQueue`), and are made by a network that has hardly moved meanwhile. So the number of others does not depend on the size of a batch.
#
# ## CLIP: pictures and captions
#
# Two views need not be of one kind. CLIP [@radford2021learning] takes a picture $x$ and its caption $y$, with an encoder for each, and sets both tasks: find the caption of a picture among those of the batch, and the picture of a caption. The loss is half the sum. Each term is InfoNCE, so each gives a bound of the same mutual information, and so does the mean: $\log N$ less the loss.
#
# The best critic of the first task is the log-ratio plus any function of $x$, that of the second plus any function of $y$. For both at once: plus a number. With it, captions weighted by their frequency times the exponential of the critic have exactly the law of the captions of a picture (`contrastive.clip[captions]`), and the other way round (`contrastive.clip[pictures]`). This is *zero-shot classification*: write a caption for each class,
# and take a softmax of the scores. If the classes are not equally frequent, add the logarithms of their frequencies to the scores.
#
# In code: `genmath.contrastive.clip_loss`.

# %%
ratio_critic = define("f", log(r(x, y) / (r(x) * r(y))) + b)


@derivation("The best critic of both tasks classifies")
def clip(d):
    d.start(r(y) * exp(ratio_critic) / integral(r(y) * exp(ratio_critic), y), name="captions", words="captions of a picture")
    d.equals(r(y | x), by="the integral is $e^b$: conditional densities integrate to one")
    d.start(r(x) * exp(ratio_critic) / integral(r(x) * exp(ratio_critic), x), name="pictures", words="pictures of a caption")
    d.equals(r(x | y), by="the same, with the roles exchanged")


# %% [markdown]
# **What it means.** A text-to-picture model that reads its caption through CLIP's text encoder gets what captions share with pictures, and little of what they do not: grammar, counting, who stands left of whom, as far as the batch does not force the network to tell such captions apart.
#
# ## Fill in what is hidden
#
# Another way without labels is the *pretext task*: hide something, and let the network say what it was. Turn a picture by 0, 90, 180 or 270 degrees and ask for the angle [@gidaris2018unsupervised]; shuffle its pieces; take the colour away; cover three quarters of it, as masked autoencoders do [@he2022masked]. All are conditional likelihoods. With $y$ for what is hidden, $x$ for what is seen, and a model
# $q(y \mid x)$: the entropy of what is hidden, less the loss, is a bound of their mutual information, and the gap is the divergence of the model from the truth (`contrastive.hidden`). InfoNCE is the same bound with one question in place of another: *which of N?* in place of *what?*
#
# !!! example "By hand"
#
#     Four angles, equally probable: $\log 4 = 1.386$. A network with a loss of $0.3$ has found $1.09$ nats about the angle. A picture of a ball tells nothing about it, and costs at least $1.386$ on average, whatever the network does.
#
# The squared error of a masked autoencoder is minus the log-likelihood of a normal density with a fixed variance, up to a factor and a constant. So its best answer is the mean of what might be there: blurred, if the picture leaves it open.

# %%
model = Density("q", y, given=x, positive=True)


@derivation("Saying what is hidden bounds the information, too")
def hidden(d):
    d.start(H(r(y)) + E(r(x, y), log(model(y | x))))
    d.equals(information - E(r(x), KL(r(y | x), model(y | x))), by="multiply and divide by $r(y \\mid x)$ inside the logarithm")
    d.at_most(information, by="a mean of divergences is not negative",
              because=E(r(x), integral(r(y | x) * log(r(y | x) / model(y | x)) - r(y | x) + model(y | x), y)))


# %% [markdown]
# **What it means.** Two kinds of knowledge. Contrast asks for what two views share, and forgets the rest. Reconstruction must say every pixel, noise included. Features of the first kind are often better with a linear classifier, those of the second often better when the whole network is trained on.
#
# Contrast makes features *invariant*: the same for all views. To predict the angle they must *not* be invariant to it, but change with it (*equivariant*). Neither is better; the task decides.
#
# ### Invariant and equivariant parts { .advanced }
#
# Take one change that undoes itself: a mirror, written as $x \mapsto -x$. Any feature $F$ is the sum of two parts, half the sum and half the difference of what it says of $x$ and of its mirror image. The first does not see the mirror (`contrastive.parts[invariant]`), the second changes its sign with it (`contrastive.parts[equivariant]`). A contrastive loss whose views are mirrored
# wants the second part gone; who has to tell left from right needs it.

# %%
F, here = Function("F"), reals("x")
mirrored = -here


@derivation("A feature and its mirror image")
def parts(d):
    d.start((F(here) + F(mirrored)) / 2 + (F(here) - F(mirrored)) / 2, name="sum", words="both parts together")
    d.equals(F(here), by="the mirror image cancels")
    d.start((F(mirrored) + F(-mirrored)) / 2, name="invariant", words="the first part, of the mirror image")
    d.equals((F(here) + F(mirrored)) / 2, by="twice mirrored is not mirrored")
    d.start((F(mirrored) - F(-mirrored)) / 2, name="equivariant", words="the second part, of the mirror image")
    d.equals(-((F(here) - F(mirrored)) / 2), by="the same, and the terms have changed places")


# %% [markdown]
# ### Spread without others: VICReg { .advanced }
#
# Why others at all, if they only serve to spread the features? VICReg [@bardes2022vicreg] writes what it wants: partners near (*invariance*), every feature with a standard deviation of at least 1 (*variance*), different features uncorrelated (*covariance*). For one feature, with $\mu$ and $\nu$ for its means on both sides, the mean squared distance of partners is the two variances, less twice the covariance *between views*, and the square of the difference of
# the means (`contrastive.vicreg`). So near partners alone are had by no variance at all; with the variances held at 1, they are had by correlation.
#
# In code: `genmath.contrastive.vicreg_loss`.

# %%
mean_x, mean_y = define("mu", E(view(x, y), x)), define("nu", E(view(x, y), y))


@derivation("The distance of partners")
def vicreg(d):
    d.start(E(view(x, y), (x - y) ** 2))
    d.equals(
        E(view(x, y), (x - mean_x) ** 2) + E(view(x, y), (y - mean_y) ** 2) - 2 * E(view(x, y), (x - mean_x) * (y - mean_y)) + (mean_x - mean_y) ** 2,
        by="the square, multiplied out about both means",
    )


# %% [markdown]
# ## Few labels: the linear probe
#
# Is the feature any good? Freeze the network, take a few pictures with labels, and fit a *linear* classifier. It is weak on purpose: what it finds was already there, in plain sight. And it has one best answer, so there is no training to argue about. For squared errors, with the features of the labelled pictures as rows of $X$, the answers $y$ and a price $\lambda > 0$ for large weights, it is
# $w^\star = (X^\top X + \lambda \mathbf{I})^{-1} X^\top y$. Any other $w$ is worse by exactly two squares. (Checked for as many pictures as features; nothing in it depends on that.)
#
# In code: `genmath.contrastive.linear_probe`.

# %%
X = matrices("X")
W, answers = mean_vectors("w y")
price = positives("lambda")
best = define("w_star", inverse(transpose(X) * X + price * identity) * transpose(X) * answers)


@derivation("The best ridge classifier", dims=(1, 2))
def probe(d):
    d.start(norm2(X * W - answers) + price * norm2(W))
    d.equals(norm2(X * best - answers) + price * norm2(best) + norm2(X * (W - best)) + price * norm2(W - best), by="the mixed terms cancel: $w^\\star$ is a point without slope")
    d.at_least(norm2(X * best - answers) + price * norm2(best), by="squares are not negative", because=norm2(X * (W - best)) + price * norm2(W - best))


# %% [markdown]
# **What it means.** In the [laboratory](../labs/contrastive.py) features that were learned without a label are compared with raw pixels and with those of a network that was never trained, for 10 to 100 labels. Compare with both: a random network can be a surprisingly good feature, and pixels of small digits are no bad one.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - Finding the partner is a classification: the place's entropy less the loss is at most what the candidates tell about it (`contrastive.classification`), and this is at most the mutual information of two views (`contrastive.positions`). With equally probable places: $\log N$ less the loss.
#     - It is never above $\log N$ (`contrastive.ceiling`).
#     - Best critic: $\log r(y \mid x)/r(y)$ plus a function of the anchor (`contrastive.best_critic`); with CLIP, plus a number (`contrastive.clip`).
#     - NT-Xent: $2N$ anchors, $2N - 1$ candidates each, itself left out (`contrastive.nt_xent`).
#     - The partner is pulled as much as all others are pushed; near others are pushed more, by $e^{\text{difference}/\tau}$ (`contrastive.slopes`).
#     - Many others: alignment and uniformity, up to order $1/M$ (`contrastive.limit_of_many`).
#     - Without others: predictor and stop-gradient (`contrastive.collapse`), or centring and sharpening (`contrastive.dino`), or variances that are held (`contrastive.vicreg`).
#     - A teacher with decay $m$ remembers about $1/(1 - m)$ steps (`contrastive.ema`).
#     - A masked autoencoder and a rotation task are conditional likelihoods (`contrastive.hidden`).
#     - Judge features by a linear probe, whose best weights are a formula (`contrastive.probe`).
#
# ## Questions
#
# ??? question "The loss of a batch of 256 candidates is 0.05. How much do two views share?"
#
#     At least $\log 256 - 0.05 = 5.5$ nats, if the loss is a mean over fresh data and the others were drawn independently. It may be far more: the bound cannot say more than $\log 256 = 5.55$.
#
# ??? question "A network says the same of every view. What is its InfoNCE loss?"
#
#     All scores are equal, so the softmax is uniform, and the loss is $\log N$: that of guessing. The bound is 0. With others, collapse is punished.
#
# ??? question "Views are made by mirroring only. Why are the features poor?"
#
#     Two such views share nearly every pixel up to the mirror, so nearly any detail finds the partner. Nothing forces the network to look at what the picture shows.
#
# ??? question "You double the batch. By how much does the bound rise at most?"
#
#     For the same critic by $\log 2 = 0.69$ nats: so much does $\log N$ rise, and its loss does not fall with more others (`contrastive.nt_xent[more]`). Where the bound is already near the mutual information, it rises by less.
#
# ??? question "The temperature goes to zero. Which others still matter?"
#
#     The nearest one alone: weights of two others stand in the ratio $e^{(s - t)/\tau}$ (`contrastive.slopes[ratio]`), which goes to infinity.
#
# ??? question "A batch of NT-Xent has 4 pictures. How many candidates has an anchor, and how many terms the mean?"
#
#     $2 \cdot 4 - 1 = 7$ candidates, one of them the partner; 8 terms.
#
# ??? question "SimSiam without its predictor: what happens in the model of one number?"
#
#     The slope by $w$ is $w(v - c)$ with $v > c$: $w$ shrinks to 0. Stop-gradient alone does not help.
#
# ??? question "A teacher has decay 0.999. For how many steps does it look back?"
#
#     The mean age of what it averages is $1/0.001 = 1000$ steps.
#
# {{ spot contrastive-norm among contrastive.slopes[balance] contrastive.ema[sum] }}
#
# ## What these results do not say
#
# - **More mutual information is not a better feature.** A critic that compares all pixels can have a perfect loss. What features are good for is decided by views and network; the bound only prices the game.
# - **The bound holds for expectations.** On the batches it was trained on, the loss may be too small, and $\log N$ less it too large. Measure on fresh data.
# - **Others must not look at the anchor.** Duplicates and classes in a batch do not break the bound if pictures are drawn independently. Hard negatives that were *chosen* do.
# - **Three candidates stand for N** in `contrastive.positions`; the argument for more is in words.
# - **Uniformity is not shown to be attained** on the sphere; the triangle is a case of three features.
# - **One number is no network.** `contrastive.collapse` shows that predictor and stop-gradient *can* hold a feature up, for one linear feature and small steps. BYOL's networks have normalisation layers and a slow teacher besides.
# - **Centring and sharpening** are shown for outputs that are the same for all pictures; that their balance works for networks is an experience, not a result.
#
# ## Where sources slip
#
# Each is refuted with numbers and its correction proved, beside the result it breaks.
#
# - `contrastive.classification`: minus the loss for the information, without $\log N$ (`classic-infonce-bound`).
# - `contrastive.nt_xent`: a mean that divides by one pair too few (`contrastive-norm`).
# - `contrastive.stable`: a number taken off along the wrong axis (`cebra-logsumexp-broadcast`).
#
# One is no formula: a wrong expansion of DINO's name (`notes-dino-name`).
#
# ## References
#
# - [@oord2018representation]: InfoNCE, its bound and its best critic (section 2.3).
# - [@poole2019variational]: bounds of mutual information, and the ceiling of this one.
# - [@chen2020simple]: SimCLR and NT-Xent (equation 1).
# - [@wang2020understanding]: alignment and uniformity (theorem 1).
# - [@he2020momentum]: MoCo, slow teacher and queue (equation 2).
# - [@grill2020bootstrap] [@chen2021exploring]: BYOL and SimSiam.
# - [@tian2021understanding]: why they do not collapse.
# - [@caron2021emerging]: DINO (algorithm 1).
# - [@bardes2022vicreg]: VICReg.
# - [@radford2021learning]: CLIP (figure 3).
# - [@gidaris2018unsupervised] [@he2022masked]: rotations, and masked autoencoders.
