# %% [markdown]
# # Text to picture and clip
#
# "A small red circle left of a blue square." Somebody types this, waits a second, and sees a picture that nobody has seen before, and that shows just this. Asked for a clip, the circle moves. No single chapter of this book explains that; together they do. Which parts does such a system have, what does each of them do, and what is still missing
# between a model that draws *some* picture and one that draws the picture that was *asked for*?
#
# **The answer in a line:** everything that was proved of $x$ holds for $x$ *given a text* $c$, for each text alone. So the parts of this book are joined and not changed: a frozen text encoder, a frozen first stage, one network that is told the text, and guidance. A clip is a picture with one more axis, and that axis is where the cost is.
#
# {{ picture multimodal.question }}
#
# !!! board "On the board"
#
#     Pictures $x$ with texts $c$ and codes $z$ have the joint density $r$. The negative bound, averaged over all of them, is an entropy and two gaps, as without a text:
#
#     {{ multimodal.conditional_bound[parts] }}
#
#     A network that is told only $e$, what a frozen encoder says of the text, learns the mean of its target given $e$:
#
#     {{ define multimodal.known }}
#
#     A clip's frames come by the chain rule, whatever the network looks like:
#
#     {{ multimodal.frames[chain] }}
#
#     $p_\theta(x \mid z, c)$ is the decoder and $p_\psi(z \mid c)$ the prior, both told the text. $\mathbb{H}$ is the entropy, $D_{\mathrm{KL}}$ the KL divergence. $v$ is what the network has to guess at the noisy $x$: noise, data or a velocity. In the last line $x_1, x_2, x_3$ are frames.
#
# <div class="two" markdown="block">
#
# !!! train "Train"
#
#     1. A text encoder, `genmath.nets.TextEncoder`, on pairs of a picture and its text, by `genmath.contrastive.clip_loss`; then freeze it.
#     2. A first stage that turns pictures into codes and back; then freeze it: `genmath.latent.FirstStage`.
#     3. A network that guesses the velocity of a noisy code, told the time and the tokens of the text: `genmath.nets.Captioned`, by `genmath.latent.LatentDiffusion.loss`. In some steps the text is left out: `genmath.guidance.drop_labels`.
#
# !!! sample "Sample"
#
#     1. Write the text as tokens, and the empty text as its null: in the shapes world `genmath.shapes.tokenise`.
#     2. Draw noise, and carry it to a code with a guided velocity: `genmath.guidance.Guided`, in each step of a sampler.
#     3. Decode once: `genmath.latent.LatentDiffusion.sample` does both. Draw several, and keep the one that fits the text best: `genmath.multimodal.best_of`.
#
# </div>

# %% [markdown]
# ## The whole system
#
# {{ picture multimodal.system }}
#
# Every box of the picture is a chapter. The numbers are those of the picture.
#
# | | what happens | rests on |
# |---|---|---|
# | 1 | a text becomes tokens, and a transformer reads them | `attention.average`, `attention.sinusoids` |
# | 2 | the encoder learned from pairs which text fits which picture, and is frozen | `contrastive.clip`, `multimodal.joint_space`, `multimodal.frozen` |
# | 3 | a picture becomes a code, and back | `latent.two_stages`, `latent.best_decoder`; in tokens `vq.point_posterior` |
# | 4 | noise becomes a code along a learned velocity | `flow_matching.cfm_loss`, `flow_matching.equal_gradients` |
# | 5 | the network sees text and time | `attention.mask`, `attention.adaln`, `attention.cost` |
# | 6 | one network learns both answers, with the text and without | `guidance.dropout` |
# | 7 | the answers are combined, with a scale | `guidance.bayes`, `guidance.classifier_free`, `multimodal.two_conditions` |
# | 8 | a solver takes few steps, a distilled network fewer | `edm.errors`, `consistency.mean_flow` |
# | 9 | a picture is given: changed, filled, made larger | `guidance.editing`, `guidance.measurement`, `multimodal.cascade` |
# | 10 | a clip: frames, and attention across them | `multimodal.frames`, `multimodal.clip_cost` |
# | 11 | several are drawn, one is kept | `multimodal.tilted`, `multimodal.best_of` |
#
# The second way to the same end has no noise: the picture becomes tokens (`vq.bits`), and a transformer writes text and picture as one sequence, each token given all before it [@ramesh2021zero]. Its loss is the cross-entropy of [Autoregressive models](autoregressive.py); what follows about texts holds for it, too.
#
# ### What it reaches
#
# In the shapes world a picture can be read by a program, so "shows what was asked for" is a fact: shape, colour, size and place of each thing are as captioned, or not. `python benchmarks/text_to_image.py` trains the system, text encoder and all, for 300 seconds of one core on pictures of $16 \times 16$ pixels. Of 200 captions that were kept from training it draws 100 % as captioned, in 2 to 30 steps and without guidance. (Here the encoder learns together with the network: there are no more texts than pictures to learn from.)
#
# By codes it goes as well, with four times as many pixels. `--latent` first trains an autoencoder of pictures of $32 \times 32$ for a quarter of the time, and freezes it: all of 200 pictures that it rebuilds are read as before. The network then works on $4 \times 4$ codes of 16 numbers. After 200 seconds for both, 98 of 100 new captions are right in 2 to 10 steps, and with scale 1.5 all in 10. With `--distil` (and `--seconds 240`) a student learns for 60 seconds where the guided flow of a model ends that was trained for 120
# (`consistency.distillation_error`): in 1, 2 and 4 steps the teacher has 94, 99 and 100 %, the student 100 % in each.
#
# Captions are new, but each *pair* of a colour and a shape was seen. With `--together pair` the captions of the test name pairs that were never together in training: a "red triangle" by someone who has seen red things and triangles. Without guidance 17 % are right, with scale 3 it is 85 % (10 steps). The network knows what the words mean, but leans to what it has seen together; guidance pushes it to what was said. (That is an
# observation, and no result.)
#
# ## Notation and hypotheses
#
# - $x$ is a picture (or a clip), $c$ a text, $z$ a code. $r(x, z, c)$ is the joint density of data: draw a picture with its text, then a code from the encoder. All of $r(x)$, $r(c)$, $r(z \mid c)$ and so on belong to it. Texts are discrete: read an integral over $c$ as a sum, a density of $c$ as a probability.
# - Densities are taken to be positive where their logarithm is taken, and expectations that appear are finite. Logarithms are natural, the unit is the nat.
# - $e$ is what a frozen text encoder says of $c$: some vectors. Where $e$ is a function of $c$, knowing both is knowing $c$.
# - The *score* is the derivative of a log-density in a noisy $x$; where pictures are ranked, it is the number that the judge gives. One coordinate is written where all are treated alike.
# - A *frame* is one picture of a clip. There are $n$ frames of $m$ tokens each, and the network has the width $d$.
# - $\mathcal{N}(x;\, m, v)$ is the normal density with mean $m$ and **variance** $v$.

# %%
from genmath.book import chapter
from genmath.proof import *

kl_nonnegative = chapter("divergences").kl_nonnegative

x, y, z, c, e, v = variables("x y z c e v")
r = Density("r", x, z, c, positive=True)
decoder = Density("p_theta", x, given=(z, c), positive=True)
blind = Density("p_eta", x, given=z, positive=True)
prior = Density("p_psi", z, given=c, positive=True)


# %% [markdown]
# ## Two stages, given a text
#
# Take one text, and look only at the pictures that have it. They are data like any other, so the bound of [Latent diffusion](latent.py) holds for them: entropy, gap of the decoder, gap of the prior (`latent.two_stages`). Average over the texts. That is all; the text is written into every density, and nothing else changes.
#
# But must the *decoder* be told the text? In practice it is not, and is some $p_\eta(x \mid z)$: the first stage was trained before anybody thought of texts. `multimodal.conditional_bound[blind]` says what that costs: its own gap, and on top of it what the text says about the picture *beyond the code*, the mutual information of $x$ and $c$ given $z$.
#
# !!! example "By hand"
#
#     Four pictures, equally frequent: a red and a blue circle, a red and a blue square. The code tells the shape and not the colour, the text tells both. Given the code alone a picture is one of two, given code and text it is certain. A decoder that is not told the text pays $\log 2 \approx 0.69$ nats more than one that is; trained by the squared error it shows the mean of red and blue (`latent.best_decoder`). With a code that tells the
#     colour too, the text adds nothing.
#
# In code: `genmath.latent.LatentDiffusion.loss`, with the text as `condition`.


# %%
@derivation("Two stages, given a text")
def conditional_bound(d):
    gap = E(r(z, c), KL(r(x | (z, c)), decoder(x | (z, c))))
    prior_gap = E(r(c), KL(r(z | c), prior(z | c)))
    d.start(-E(r(x, z, c), log(decoder(x | (z, c)) * prior(z | c) / r(z | (x, c)))), name="parts", words="entropy and two gaps")
    d.equals(E(r(c), H(r(x | c))) + gap + prior_gap, by="for each text, the chain rule of KL: first the codes, then the picture given its code")

    hidden, own = E(r(z, c), KL(r(x | (z, c)), r(x | z))), E(r(z), KL(r(x | z), blind(x | z)))
    d.start(E(r(z, c), KL(r(x | (z, c)), blind(x | z))), name="blind", words="a decoder that is not told the text")
    d.equals(hidden + own, by="multiply and divide by $r(x \\mid z)$ inside the logarithm")
    d.at_least(hidden, by="a KL divergence is never negative", because=(own, kl_nonnegative(r(x | z), blind(x | z))))


# %% [markdown]
# **What it means.** The text may be left to the prior alone if the code keeps what texts speak of. That is a demand on the first stage: what a caption can name must survive the encoder, or no prior can put it back.
#
# ### What a text is worth
#
# How many nats does a text save? The entropy of pictures falls from $\mathbb{H}[r(x)]$ to the mean entropy given the text. The difference is the mutual information, the divergence from $r(x, c)$ to $r(x)\, r(c)$ (`multimodal.worth[information]`). As texts are discrete it is at most the entropy of the texts (`multimodal.worth[most]`): a text cannot
# say more than it says.
#
# !!! example "By hand"
#
#     A world of one thing: 2 sizes, 4 colours, 3 shapes, 9 places, all equally frequent: $2 \cdot 4 \cdot 3 \cdot 9 = 216$ captions, $\log 216 \approx 5.4$ nats, less than eight bits. A picture of $16 \times 16$ pixels of three colours with 256 levels could have up to $768 \cdot \log 256 \approx 4259$ nats. The text decides what one sees at first sight, and leaves the model all the rest.
#
# {{ picture multimodal.worth }}


# %%
@derivation("What a text is worth")
def worth(d):
    d.start(H(r(x)) - E(r(c), H(r(x | c))), name="information", words="by how much it narrows the picture down")
    d.equals(KL(r(x, c), r(x) * r(c)), by="$r(x \\mid c)/r(x)$ is $r(x, c)$ over $r(x)\\, r(c)$")
    d.given_that(r(c | x) <= 1)
    d.start(KL(r(x, c), r(x) * r(c)), name="most", words="at most what it says")
    d.equals(H(r(c)) - E(r(x), H(r(c | x))), by="the same, with picture and text exchanged")
    d.at_most(H(r(c)), by="a probability is at most one", because=(E(r(x, c), log_gap(r(c | x))), E(r(x, c), 1 - r(c | x))))


# %% [markdown]
# **What it means.** Better captions make better models: not because the network gets larger, but because $\mathbb{H}[r(x \mid c)]$ gets smaller. And a model can follow only what its captions said: of what they never mention it draws some variant or other.
#
# ## The text enters as a condition
#
# The network is told $e$, what the frozen encoder says of the text. In training its guess $g(x, e)$ is for a target $v$ (noise, data, a velocity) at a noisy $x$; $q$ is the joint law of $x$, $c$, $e$ and $v$. Which answer is the best, and what does the freezing cost?
#
# By `multimodal.frozen` the squared error has three parts. The last is in the problem: even who knows the text cannot know the target. The first is what training can make small: the best answer is the mean of $v$ given $x$ and $e$. The middle part is what the encoder does not tell: how far that mean is from the one given the whole text.
# If $e$ is a function of $c$ from which all that matters for pictures can be read, it is zero, and then the network learns exactly the conditional velocity, as if nothing were frozen.
#
# !!! example "By hand"
#
#     Two texts, equally frequent, "red" and "rouge". For both the best guess of a coordinate is $1$. An encoder that cannot tell the two loses nothing. Two texts "red" and "blue", with best guesses $1$ and $-1$: if the encoder cannot tell them apart, the best answer of a network is $0$, and the middle part of the squared error is $1$, whatever the network is.
#
# That one network can learn the answer with the text and the one without is `guidance.dropout`: with probability $\eta$ the text is replaced by the empty one, and the two optima do not disturb each other.
#
# In code: `genmath.flow_matching.cfm_loss`, `genmath.guidance.drop_labels`.

# %%
q = Density("q", x, c, e, v)
(v_1,) = copies(v, 1)
g = Function("g")
full = define("v_{xce}", E(q(v_1 | (x, c, e)), v_1))
known = define("v_{xe}", E(q(v_1 | (x, e)), v_1))


@derivation("What a frozen encoder costs")
def frozen(d):
    learned, untold, open_ = E(q(x, e), (g(x, e) - known) ** 2), E(q(x, c, e), (known - full) ** 2), E(q(x, c, e, v), (full - v) ** 2)
    d.start(E(q(x, c, e, v), (g(x, e) - v) ** 2))
    d.equals(learned + E(q(x, e, v), (known - v) ** 2), by="given $x$ and $e$ the target deviates from its mean by zero on average")
    d.equals(plus([learned, untold, open_]), by="the same once more, given the text as well")


# %% [markdown]
# **What it means.** A frozen encoder is a good bargain where it was trained on more texts than there are pictures: it costs only what it cannot tell apart, and the network need not learn to read. What it was never asked to tell ("left of" or "right of", how many, which word belongs to which) may be missing, and then it is for good. That is why several encoders are used side by side, and
# their vectors put next to each other: with more in $e$ the middle part can only shrink.
#
# ## What the joint space says
#
# How is an encoder trained that knows what pictures look like? By pairs: a picture encoder and a text encoder give vectors, and their inner product, the *fit* $s(x, c)$, is to be large for a picture with its own text and small for others [@radford2021learning]. The loss is a classification, which of the texts of the batch belongs to the picture. Its best answer is the logarithm of a density ratio,
# up to a number $b(x)$ that depends on the picture alone (`contrastive.best_critic`); with the loss in both directions $b$ is one number (`contrastive.clip`):
#
# {{ define multimodal.fit }}
#
# So the fit of a pair says how much more frequent it is than by chance. Then $r(c \mid x)$ is a softmax of the fits (`multimodal.joint_space[texts]`) *with the frequencies of the texts as weights*: so a picture is classified by texts, without training ("a photo of a dog", "a photo of a cat"). Without the weights, as one usually does it, the result is the
# posterior for texts that are all equally frequent (`multimodal.joint_space[bare]`).
#
# {{ picture multimodal.joint }}
#
# !!! example "By hand"
#
#     Two texts: "dog" with frequency $0.9$, "dog with a hat" with $0.1$. Of a picture they have the densities $1$ and $3$ (in some unit). The posterior of "with a hat" is $0.1 \cdot 3/(0.9 \cdot 1 + 0.1 \cdot 3) = 0.25$. A softmax of the fits without the weights says $3/4$.
#
# In code: `genmath.nets.TextEncoder`, `genmath.nets.ViT`.

# %%
(c_1,) = copies(c, 1)
b = Function("b")


def fits(text):
    return log(r(x, text) / (r(x) * r(text))) + b(x)


fit = define("s(x,c)", fits(c))


@derivation("What the fits of texts to a picture say")
def joint_space(d):
    tau = positives("tau")
    d.start(r(c) * exp(fit) / E(r(c_1), exp(fits(c_1))), name="texts", words="a softmax with weights")
    d.equals(r(c | x), by="the number of the picture cancels, and so does its density")
    d.start(exp(fit) / integral(exp(fits(c_1)), c_1), name="bare", words="without weights")
    d.equals(r(x | c) / integral(r(x | c_1), c_1), by="$r(x, c)/r(c)$ is the density of the picture given the text")
    u = reals("u")
    d.start(exp(-log(tau)) * u, name="temperature", words="a temperature, learned by its logarithm")
    d.equals(u / tau, by="the exponential of minus a logarithm")
    d.slip(
        "m3d-logit-scale",
        wrong=equal(log(1 / tau) * u, u / tau),
        right=equal(exp(log(1 / tau)) * u, u / tau),
        source="BAAI-DCAI/M3D issue #52",
        why="The learned number is the logarithm of one over the temperature; the fits were multiplied by the logarithm itself. At the usual start, 0.07, that is 2.66 in place of 14.3.",
    )


# %% [markdown]
# **What it means.** "Fits well" means: more frequent than by chance. A fit is not a probability, and fits of different pictures may not be compared if the loss went in one direction only. A text encoder trained so knows what can be *seen*; it need not know grammar.
#
# ## Ranking: drawing more and keeping the best
#
# A model draws pictures for a text, and a judge gives each a number $s(x, c)$: the fit of an encoder, or what people like. How should the law be changed to have a higher number? Ask for much of it, $\lambda$ times, but for each nat by which the law leaves the model $p(x \mid c)$, pay one: the best law is the model *tilted* by $e^{\lambda s}$ (`multimodal.tilted[bound]`, `multimodal.tilted[attained]`).
# It is the softmax of [attention](attention.py) again, with pictures in place of places.
#
# With the fit as judge, and a model that is right, we know the tilted law: $r(x \mid c)\, r(c \mid x)^\lambda$ up to a factor (`multimodal.tilted[clip]`), *the tilted law of guidance* with scale $1 + \lambda$. So ranking by an encoder and guidance pull in the same direction. (This is for fits that were learned in both directions, so that $b$ is a constant. Otherwise it is a number of the picture, and is ranked, too.)
#
# {{ picture multimodal.tilt }}
#
# The simplest way to a higher number is to draw $n$ pictures and keep the best. What does that cost in nats? Let a score be told by its *rank* among all that the model draws, a number $u$ between 0 and 1: without ranking, $u$ is uniform (if no two scores are equal). The rank of the best of $n$ has the density $n\, u^{n-1}$ and the mean $n/(n + 1)$, and the divergence of the best from the model is $\log n - 1 + 1/n$, whatever the judge is
# (`multimodal.best_of`): at most $\log n$.
#
# !!! example "By hand"
#
#     The best of 4: mean rank $0.8$, and $\log 4 - 1 + \frac14 \approx 0.64$ nats. The best of 100: mean rank $0.990$, and $3.62$ nats. A hundred calls are $25$ times four, and cost $3$ nats more.
#
# In code: `genmath.multimodal.best_of`.

# %%
pair = Density("r", x, c, positive=True)
p = Density("p", x, given=c, positive=True)
other = Density("q", x, given=c, positive=True)
judge = Function("s")
lam = positives("lambda")
Z = define("Z", E(p(x | c), exp(lam * judge(x, c))))
tilt = define("q_star", p(x | c) * exp(lam * judge(x, c)) / Z)


@derivation("The best law for a judge is the tilted one")
def tilted(d):
    d.start(integral(tilt * (lam * judge(x, c) - log(tilt / p(x | c))), x), name="attained", words="the tilted law")
    d.equals(log(Z), by="the logarithm of the tilted law over the model is $\\lambda s - \\log Z$")
    d.start(lam * E(other(x | c), judge(x, c)) - KL(other(x | c), p(x | c)), name="bound", words="any other law")
    d.equals(log(Z) - KL(other(x | c), tilt, over=x), by="$\\lambda s$ is the logarithm of tilted law over model, plus $\\log Z$")
    d.at_most(log(Z), by="$\\log u \\le u - 1$ at $u = q^\\star/q$", because=E(other(x | c), log_gap(tilt / other(x | c))))
    d.start(pair(x | c) * exp(lam * log(pair(x | c) / pair(x))), name="clip", words="with the fit as judge")
    d.equals(pair(x | c) * (pair(c | x) / pair(c)) ** lam, by="Bayes' rule; $r(c)$ is the same for all pictures")


# %%
rank = variables("u", domain="unit")
n = naturals("n")


@derivation("What keeping the best of n costs")
def best_of(d):
    d.start(KL(Beta(rank, n, 1), Beta(rank, 1, 1)), name="price", words="how far from the model")
    d.equals(log(n) - 1 + 1 / n, by="the density of the best rank is $n u^{n-1}$, that of any rank is 1")
    d.at_most(log(n), by="$n$ is at least one", because=1 - 1 / n)
    d.start(E(Beta(rank, n, 1), rank), name="rank", words="the mean rank")
    d.equals(n / (n + 1), by="the integral of $n u^n$")


# %% [markdown]
# **What it means.** Few nats go a long way, at first; then each further nat costs about $e$ times as many pictures. And only the judge is satisfied: a fault that has nothing to do with the score is drawn as often as before, and one that goes along with a high score more often.
#
# ## Two conditions
#
# "Make the sky darker", with a picture $y$ to be changed. Or a text *and* a sketch. Or a text that says what should *not* be there. There are two conditions now, and one would like a scale for each. Bayes' rule for scores (`guidance.bayes`) once more: the score given both is that of $x$, plus a push from the first, plus a push from the second *when the first is known*
# (`multimodal.two_conditions[both]`).
#
# - **A scale for each** [@brooks2023instructpix2pix]. Ask the network three times: told nothing ($\epsilon_n$), told the picture ($\epsilon_y$), told both ($\epsilon_{yc}$). Go $u$ times from the first answer to the second, and $s$ times from the second to the third: the score of $r(x)\, r(y \mid x)^u\, r(c \mid x, y)^s$ at this level (`multimodal.two_conditions[scales]`).
# - **"This and that"** by adding the pushes of two texts that were asked apart [@liu2022compositional]. It leaves out that the two may have to do with each other: `multimodal.two_conditions[and]` has a term too many, which vanishes where, given the *noisy* $x$, one text says nothing about the other.
# - **"Not that"**, a negative text in place of the empty one (`multimodal.two_conditions[not]`): it pushes *away* from $y$ with strength $s$, and towards $c$ with $1 + s$.
#
# {{ picture multimodal.scales }}
#
# !!! example "By hand"
#
#     Guesses of one coordinate: $0$ told nothing, $1$ told the picture, $1.2$ told both. With $u = 1.5$ and $s = 7$: $0 + 1.5 \cdot 1 + 7 \cdot 0.2 = 2.9$. With $u = s = 1$ it is $1.2$, the law given both.
#
# As always with scales above 1, this is a formula for *one level* of noise; what a sampler makes of it is another law (`guidance.tilted`).
#
# In code: `genmath.multimodal.guide_two`.

# %%
data = Density("r", x, y, c, positive=True)
s, u = reals("s u")
null, first, both = reals("epsilon_n epsilon_y epsilon_{yc}")


def score(law):
    """The derivative of the logarithm of a density in the noisy point."""
    return diff(log(law), x)


@derivation("Two conditions, a scale for each")
def two_conditions(d):
    at_null, at_first, at_both = score(data(x)), score(data(x | y)), score(data(x | (y, c)))
    d.start(at_both, name="both", words="given both")
    d.equals(plus([at_null, score(data(y | x)), score(data(c | (x, y)))]), by="Bayes' rule, for one condition after the other")
    d.start(plus([at_null, u * (at_first - at_null), s * (at_both - at_first)]), name="scales", words="a scale for each")
    d.equals(plus([at_null, u * score(data(y | x)), s * score(data(c | (x, y)))]), by="the differences are the two pushes")
    d.equals(score(data(x) * data(y | x) ** u * data(c | (x, y)) ** s), by="a factor of a logarithm is a power")
    d.start(plus([null, u * (first - null), s * (both - first)]), name="network", words="for a network")
    d.equals(plus([s * both, (u - s) * first, (1 - u) * null]), by="the coefficients sum to one")
    d.start(at_first + score(data(x | c)) - at_null, name="and", words="two pushes, asked apart")
    d.equals(at_both + (score(data(c | x)) - score(data(c | (x, y)))), by="the push of the text is another one when $y$ is known")
    d.start(score(data(x | c)) + s * (score(data(x | c)) - at_first), name="not", words="a negative text")
    d.equals(at_null + (1 + s) * score(data(c | x)) - s * score(data(y | x)), by="both scores are that of $x$ and a push")


# %% [markdown]
# **What it means.** The order matters: the second push is that of the text for someone who has seen the picture. A network that was trained with *either* condition left out at times, and both, knows all three answers.
#
# ## Cascades
#
# Large pictures are often drawn in two steps: a small picture $l$ from the text, then the large one $x$ from the small one and the text [@ho2022cascaded]. By the chain rule the gaps add up (`multimodal.cascade[chain]`): each model is trained alone, and none can repair what the other did. The second model learned from small pictures of *data* but is given small
# pictures of the *first model*. They differ, and it was never shown such.
#
# The remedy is to noise the small picture, in training and in use. Noise makes two laws more alike. Two normal laws of variance $v$ whose means are $m$ apart differ by $m^2/(2v)$ nats; noised to $\alpha$ and $\sigma$ by `multimodal.cascade[noised]`, and that is less (`multimodal.cascade[less]`). The price: the second model sees less of the small picture, and must invent more.
#
# !!! example "By hand"
#
#     $m = 1$, $v = \frac14$: $2$ nats apart, and one draw tells them in 84 of 100 cases. With $\alpha = 0.8$, $\sigma = 0.6$: $0.64/(2\,(0.16 + 0.36)) \approx 0.62$ nats.

# %%
small = variables("l")
levels = Density("r", small, x, c, positive=True)
low = Density("p_1", small, given=c, positive=True)
high = Density("p_2", x, given=(small, c), positive=True)
alpha, sigma, var = positives("alpha sigma v")
apart = reals("m")


@derivation("A cascade")
def cascade(d):
    d.start(E(levels(small, x, c), log(levels(small, x | c) / (low(small | c) * high(x | (small, c))))), name="chain", words="the gap of both")
    d.equals(E(levels(c), KL(levels(small | c), low(small | c))) + E(levels(small, c), KL(levels(x | (small, c)), high(x | (small, c)))), by="chain rule of KL")
    noised = define("V", alpha**2 * var + sigma**2)
    d.start(KL(Normal(small, 0, noised), Normal(small, alpha * apart, noised)), name="noised", words="two laws, noised")
    d.equals(alpha**2 * apart**2 / (2 * noised), by="means are multiplied, variances added")
    d.start(apart**2 / (2 * var) - alpha**2 * apart**2 / (2 * noised), name="less", words="by how much less they differ")
    d.equals(sigma**2 * apart**2 / (2 * var * noised), by="a common denominator")
    d.at_least(0, by="every factor is positive, or a square")


# %% [markdown]
# **What it means.** A cascade trades a hard problem for two easier ones and a seam between them. Latent diffusion is a cascade, too: its second model is the decoder, which is shown codes of data and is given codes of the prior.
#
# ## A clip
#
# A clip is a sequence of frames. Two ways to model it: *jointly*, all frames as one large noisy picture with an axis more, or *one after the other*, each frame given those before it. By the chain rule both can be exact (`multimodal.frames[chain]`): the gap of a joint model is the sum of its gaps frame by frame. It is written for three frames.
#
# In practice who draws frame by frame looks back only a little. With the last frame alone to go by, the third frame costs what the first would have said beyond the second (`multimodal.frames[window]`), however good the network is.
#
# {{ picture multimodal.window }}
#
# !!! example "By hand"
#
#     Clips of three frames are cut out of a long bounce, at random times. From the middle frame alone nobody can tell whether the thing falls or rises (unless it is at the top or on the ground), and the text, "bouncing", does not say it either. Both are as likely: the third frame costs $\log 2 \approx 0.69$ nats, which the first frame would have saved.
#
# And *errors run on*. Let each frame add an error of $b$, and let an error in one frame come back in the next with the factor $a$. After $n$ frames they have added up to $b\,(1 - a^n)/(1 - a)$ if $0 < a < 1$ (`multimodal.drift[fading]`), and to $n b$ if nothing is forgotten (`multimodal.drift[lasting]`).
#
# {{ picture multimodal.drift }}
#
# !!! example "By hand"
#
#     A brightness that is too high by $0.01$ a frame. With $a = 0.9$ it comes to rest at $0.1$. With $a = 1$ it is $0.24$ after 24 frames, one second, and the clip is washed out.
#
# A joint model has no first frame from which errors could run on; but it sees all frames at once and must pay for it.

# %%
f_1, f_2, f_3 = variables("x_1 x_2 x_3")
clips = Density("r", f_1, f_2, f_3, c, positive=True)
model = Density("p", f_1, f_2, f_3, given=c, positive=True)
last = Density("p_{last}", f_3, given=(f_2, c), positive=True)


@derivation("A clip, frame by frame")
def frames(d):
    one = E(clips(c), KL(clips(f_1 | c), model(f_1 | c)))
    two = E(clips(f_1, c), KL(clips(f_2 | (f_1, c)), model(f_2 | (f_1, c))))
    three = E(clips(f_1, f_2, c), KL(clips(f_3 | (f_1, f_2, c)), model(f_3 | (f_1, f_2, c))))
    d.start(E(clips(c), KL(clips(f_1, f_2, f_3 | c), model(f_1, f_2, f_3 | c))), name="chain", words="the gap of a clip")
    d.equals(plus([one, two, three]), by="chain rule of KL")

    forgotten = E(clips(f_1, f_2, c), KL(clips(f_3 | (f_1, f_2, c)), clips(f_3 | (f_2, c))))
    own = E(clips(f_2, c), KL(clips(f_3 | (f_2, c)), last(f_3 | (f_2, c))))
    d.start(E(clips(f_1, f_2, c), KL(clips(f_3 | (f_1, f_2, c)), last(f_3 | (f_2, c)))), name="window", words="who sees the last frame alone")
    d.equals(forgotten + own, by="multiply and divide by the law given the last frame")
    d.at_least(forgotten, by="a KL divergence is never negative", because=(own, kl_nonnegative(clips(f_3 | (f_2, c)), last(f_3 | (f_2, c)))))


# %%
k = naturals("k")
a = fractions("a")
step = reals("b")


@derivation("Errors that run on")
def drift(d):
    d.start(total(a ** (k - 1) * step, k, 1, n), name="fading", words="a part of each comes back")
    d.equals(step * (1 - a**n) / (1 - a), by="a geometric sum", because=induction(n))
    d.start(total(step, k, 1, n), name="lasting", words="all of each comes back")
    d.equals(n * step, by="each adds the same", because=induction(n))


# %% [markdown]
# ### What attention over a clip costs
#
# A clip of $n$ frames with $m$ tokens each has $n m$ tokens. A block costs $24\, n m\, d^2$ FLOPs in its matrices and $4\, (nm)^2 d$ in its pairs (`attention.cost`). *Factorised*, a token looks within its frame, or at its own place in all frames (`attention.factorised`). There are two ways to build that.
#
# - **Alternating** [@ma2024latte]: one block looks within frames, the next one across. Each has one attention, so two such blocks have the matrices of two plain ones, and only pairs are saved: never a loss (`multimodal.clip_cost[alternating]`).
# - **Both in a block** [@ho2022video]: two attentions, with matrices for each: $8 d^2$ more FLOPs a token. What is saved is `multimodal.clip_cost[both]`: it is worth it only if $(n - 1)(m - 1) > 1 + 2d$. For short clips of small codes with a wide network, factorising in this way costs *more*.
#
# {{ explorer clip }}
#
# !!! example "By hand"
#
#     8 frames of $4 \times 4$ tokens, $d = 128$: $(7)(15) = 105$, and $1 + 2d = 257$. Whole attention is cheaper than both in a block. 16 frames of $16 \times 16$ tokens, $d = 512$: $15 \cdot 255 = 3825 > 1025$. Now factorising saves $4 \cdot 4096 \cdot 512 \cdot (3825 - 1025) \approx 2.3 \cdot 10^{10}$ FLOPs a block, of $6.0 \cdot 10^{10}$.
#
# In code: `genmath.multimodal.clip_cost`, and `genmath.nets.DiT` with `factorised`.

# %%
m, width = naturals("m d")
tokens = n * m
whole = define("W", 24 * tokens * width**2 + 4 * tokens**2 * width)


@derivation("Attention over a clip, whole and factorised")
def clip_cost(d):
    within, across = 4 * n * m**2 * width, 4 * m * n**2 * width
    matrices = 24 * tokens * width**2
    d.start(2 * whole - ((matrices + within) + (matrices + across)), name="alternating", words="what alternating saves in two blocks")
    d.equals(4 * tokens * width * (n * (m - 1) + m * (n - 1)), by="the matrices are the same")
    d.at_least(0, by="there is at least one frame, and one token")
    d.start(whole - plus([matrices, 8 * tokens * width**2, within, across]), name="both", words="what both in a block save")
    d.equals(4 * tokens * width * ((n - 1) * (m - 1) - 1 - 2 * width), by="common factors; $nm - n - m$ is $(n - 1)(m - 1) - 1$")


# %% [markdown]
# **What it means.** Count before you factorise. What is lost was said in [Attention](attention.py): a thing that moves is at another place in the next frame, and is found only in two steps.
#
# ## Beyond pictures: scenes { .advanced }
#
# A *scene* in space is a density of matter $\sigma$ and a colour at every place. A ray from the eye meets segments $1, 2, \dots, n$. Segment $i$ has the length $\delta$ and takes the share $1 - e^{-\sigma \delta}$ of the light (`multimodal.volume[segment]`: a constant density, integrated). Let $T_i$ be the light that is left after $i$ segments, with $T_0 = 1$; the segment takes the share $a_i$ of what arrives, so its *weight* is $T_{i-1} a_i$.
# The colour of the ray is the sum of the colours times these weights [@mildenhall2020nerf] [@max1995optical].
#
# {{ picture multimodal.ray }}
#
# The weights telescope (`multimodal.volume[sum]`): each is what was there before, less what is there after. Their sum is $1$ less the light that is left, so at most one, and what is missing is the background.
#
# !!! example "By hand"
#
#     Shares $0.5, 0.5, 0.2$. Weights: $0.5$, then $0.5 \cdot 0.5 = 0.25$, then $0.25 \cdot 0.2 = 0.05$. Sum $0.8$, and the light left is $0.5 \cdot 0.5 \cdot 0.8 = 0.2$.
#
# In code: `genmath.multimodal.volume_weights`.

# %%
i = naturals("i")
left = Sequence("T", domain="positive")
share = define("a_i", 1 - left[i] / left[i - 1])
density, length = positives("sigma delta")
where, light, taken = reals("t"), positives("T"), fractions("a")


@derivation("The weights along a ray telescope")
def volume(d):
    d.start(integral(density * exp(-density * where), where, between=(0, length)), name="segment", words="what a segment takes")
    d.equals(1 - exp(-density * length), by="the derivative of the exponential")
    d.start(total(left[i - 1] * share, i, 1, n), name="sum", words="all weights")
    d.equals(left[0] - left[n], by="each is the light before, less the light after", because=induction(n))
    d.at_most(left[0], by="the light that is left is not negative", because=left[n])
    d.start(light - light * taken, name="step", words="what one segment leaves")
    d.equals(light * (1 - taken), by="a share is taken of what arrives")
    d.slip(
        "truxify-inclusive-cumprod",
        wrong=equal(light - light * (1 - taken) * taken, light * (1 - taken)),
        right=equal(light - light * taken, light * (1 - taken)),
        source="KanishJebaMathewM/Truxify pull request #3664, backend/ml/nerf/model.py",
        why="The product of what is let through contained the segment itself: a segment was dimmed by its own matter, an opaque wall got the weight 0, and the weights no longer add up to what the ray has lost.",
    )


# %% [markdown]
# **What it means.** Rendering is differentiable, and its weights are probabilities: of the place where a photon that enters at the eye is stopped.
#
# ### Score distillation
#
# Can a model of *pictures* make a scene? Render the scene with parameters $\theta$ from some side: $x = g(\theta)$. Noise it, $x_t = \alpha\, g(\theta) + \sigma \epsilon$, and ask the network, told the text, for the noise. If the picture were likely, the guess would be about the noise itself. *Score distillation* [@poole2023dreamfusion] moves $\theta$ *against* $(\hat\epsilon - \epsilon)\, \alpha\, g'(\theta)$.
#
# It is *not* the gradient of the squared error: this has one more factor, the slope of the network (`multimodal.distillation[error]`), which is left out. Is what remains the gradient of anything? Yes, up to a factor that depends on the level alone: of the divergence from the noisy renderings to the noisy pictures of the model. In `multimodal.distillation[divergence]` $\ell$ is the log-density of the model at this level; as $\ell' = -\hat\epsilon/\sigma$, it is the
# mean of $\hat\epsilon\, \alpha g'/\sigma$, and the noise $\epsilon$ that is taken off is zero on average (`multimodal.distillation[noise]`): it only calms the gradient.
#
# What does it leave out? *One* scene is moved, so nothing asks for variety. Let renderings be normal with mean $\mu$ and variance $w$, over many scenes, and the model's pictures normal with variance $V$. The mean of the divergences of the single scenes, `multimodal.spread[single]`, is least at $w = 0$: all scenes become the most likely one.
# The divergence of the renderings *as a law*, `multimodal.spread[law]`, has an entropy in it and is zero at $w = V$, $\mu = 0$. (To keep that entropy is the idea of [@wang2023prolificdreamer].)
#
# {{ picture multimodal.distilled }}
#
# In code: `genmath.multimodal.score_distillation`.

# %%
eps, theta = variables("epsilon"), reals("theta")
render, guess, ell = Function("g"), Function("eps_hat"), Function("ell")
noise = Normal(eps, 0, 1)
x_t = define("x_t", alpha * render(theta) + sigma * eps)
mu, V, w = reals("mu"), positives("V"), positives("w")


@derivation("What score distillation is the gradient of")
def distillation(d):
    d.start(diff((guess(alpha * render(theta) + sigma * eps) - eps) ** 2 / 2, theta), name="error", words="the slope of the squared error")
    d.equals((guess(x_t) - eps) * guess.prime(x_t) * (alpha * render.prime(theta)), by="the chain rule, through the network")
    rendered = alpha * render(theta) + sigma * eps
    d.start(diff(E(noise, log(Normal(rendered, alpha * render(theta), sigma**2)) - ell(rendered)), theta), name="divergence", words="the slope of the divergence")
    d.equals(E(noise, -ell.prime(x_t)) * (alpha * render.prime(theta)), by="the density of the noise does not change; the rendering moves")
    d.start(E(noise, (guess(x_t) - eps) * (alpha * render.prime(theta))), name="noise", words="what score distillation follows, on average")
    d.equals(E(noise, guess(x_t)) * (alpha * render.prime(theta)), by="the noise has the mean zero")
    d.slip(
        "sdf-sds-sign",
        wrong=equal(E(noise, -guess(x_t) - eps), E(noise, guess(x_t))),
        right=equal(E(noise, guess(x_t) - eps), E(noise, guess(x_t))),
        source="ashawkey/stable-dreamfusion issue #139 (comment)",
        why="A minus in front of the guess: the scene would be moved to where the model finds it less likely.",
    )


@derivation("Single scenes and a law of scenes")
def spread(d):
    level = define("D", alpha**2 * V + sigma**2)
    d.start(E(Normal(x, mu, w), KL(Normal(y, alpha * x, sigma**2), Normal(y, 0, level))), name="single", words="the mean over single scenes")
    d.equals(alpha**2 * (mu**2 + w) / (2 * level) + (sigma**2 / level - 1 - log(sigma**2 / level)) / 2, by="the mean square of a rendering is $\\mu^2 + w$")
    d.start(KL(Normal(y, alpha * mu, alpha**2 * w + sigma**2), Normal(y, 0, level)), name="law", words="the law of all scenes")
    d.equals(alpha**2 * (mu**2 + w) / (2 * level) + (sigma**2 / level - 1 - log((alpha**2 * w + sigma**2) / level)) / 2, by="noise adds its variance before the logarithm is taken")


# %% [markdown]
# **What it means.** Score distillation climbs to a mode and stays. That is why its pictures look alike, and why it wants large guidance scales: it does not sample.
#
# ## Molecules and proteins { .advanced }
#
# A molecule turned in space is the same molecule. Its law should not change under a rotation $Q$, and what a network says of the turned one should be the turned answer: it should be *equivariant*. Where does that come from? Let the energy (minus the log-density) depend on distances between atoms alone. Distances do not change (`multimodal.symmetry[distance]`), so the energy is *invariant*; and the force between two atoms, minus its gradient (`multimodal.symmetry[force]`), turns with them
# (`multimodal.symmetry[turned]`): invariant energy, equivariant score. It is checked for two atoms in up to three dimensions; where the energy is a sum over pairs, the force is a sum of such terms.
#
# {{ picture multimodal.symmetric }}
#
# And a network that is *not* equivariant? Ask it twice, as it is and turned, turn the second answer back, and take the mean. If the right answer $t$ turns with the question, the squared error of the mean is less than the average of theirs, by a quarter of their squared distance (`multimodal.symmetry[averaged]`, where $a$ and $b$ are the two answers).
#
# !!! example "By hand"
#
#     Right answer $t = 2$ at $x$, and so $-2$ at $-x$ (a reflection). The network says $3$ and $-1.5$. Squared errors $1$ and $0.25$, mean $0.625$. The symmetric answer is $(3 + 1.5)/2 = 2.25$ with squared error $0.0625$; and a quarter of $1.5^2$ is $0.5625$, the rest.

# %%
X = vectors("x")
A, B, C, goal = mean_vectors("x y a t")
b_ = mean_vectors("b")
Q = matrices("Q", domain="orthogonal")
phi = Function("phi")


@derivation("An invariant energy has a force that turns", dims=(1, 2, 3))
def symmetry(d):
    d.start(norm2(Q * A - Q * B), name="distance", words="a distance, turned")
    d.equals(norm2(A - B), by="a rotation keeps lengths")
    d.start(diff(phi(norm2(X - B)), X), name="force", words="the slope of the energy of a pair")
    d.equals(2 * phi.prime(norm2(X - B)) * (X - B), by="chain rule")
    d.start(2 * phi.prime(norm2(Q * A - Q * B)) * (Q * A - Q * B), name="turned", words="the same for turned atoms")
    d.equals(Q * (2 * phi.prime(norm2(A - B)) * (A - B)), by="the distance is the same, the direction turned")
    back = transpose(Q) * b_
    d.start((norm2(C - goal) + norm2(back - goal)) / 2, name="averaged", words="two answers, the second turned back")
    d.equals(norm2((C + back) / 2 - goal) + norm2(C - back) / 4, by="the mean of squares is the square of the mean and the variance")
    d.at_least(norm2((C + back) / 2 - goal), by="a square is not negative", because=norm2(C - back) / 4)


# %% [markdown]
# **What it means.** Symmetry can be built in, or, for a finite group of turns, bought with a call for each. Either way the network need not learn it from data [@hoogeboom2022equivariant] [@kohler2020equivariant].
#
# ## Physics { .advanced }
#
# A weather, a flow, a field on a grid: samples must obey a law, such as "nothing is lost". Two ways.
#
# *As a measurement.* Write the law as a residual that should be zero, say a difference equation $A x = 0$ up to an error of size $\tau$. Then it is a linear measurement with the result $y = 0$, and its gradient is `guidance.measurement`: with the covariance that is still open in the denominator, not with $\tau^2$ alone.
#
# *By construction.* Let $v_1, \dots, v_n$ be what a network says of the change in each cell, and let the right changes $u_1, \dots, u_n$ have a known mean $\bar u$ (zero, if nothing is lost). Shift what the network says to that mean. Then the total is right exactly (`multimodal.conserved[total]`), and the squared error has *fallen* by $n\,(\bar v - \bar u)^2$
# (`multimodal.conserved[error]`). And if each cell changes by what flows in less what flows out, $F_{i-1} - F_i$, the total is what enters at the one end less what leaves at the other (`multimodal.conserved[fluxes]`): the sum of the ray again.
#
# !!! example "By hand"
#
#     Right: $1, -1, 0$. The network says $1.2, -0.7, 0.1$, mean $0.2$. Shifted: $1.0, -0.9, -0.1$. Squared errors: $0.04 + 0.09 + 0.01 = 0.14$ before, $0 + 0.01 + 0.01 = 0.02$ after, and $3 \cdot 0.2^2 = 0.12$ is the difference.

# %%
j = naturals("j")
said, right, flux = Sequence("v"), Sequence("u"), Sequence("F")
mean_said, mean_right = define("v_bar", total(said[j], j, 1, n) / n), define("u_bar", total(right[j], j, 1, n) / n)


@derivation("Changes with the right total")
def conserved(d):
    shifted = said[i] - mean_said + mean_right
    d.start(total(shifted, i, 1, n), name="total", words="the total, after the shift")
    d.equals(total(right[i], i, 1, n), by="deviations from the mean sum to zero")
    lost = n * (mean_said - mean_right) ** 2
    d.start(total((said[i] - right[i]) ** 2, i, 1, n), name="error", words="the squared error before it")
    d.equals(total((shifted - right[i]) ** 2, i, 1, n) + lost, by="the deviations sum to zero, so the cross term vanishes")
    d.at_least(total((shifted - right[i]) ** 2, i, 1, n), by="a square is not negative", because=lost)
    d.start(total(flux[i - 1] - flux[i], i, 1, n), name="fluxes", words="what flows from cell to cell")
    d.equals(flux[0] - flux[n], by="what leaves a cell enters the next", because=induction(n))


# %% [markdown]
# **What it means.** A known total can be had exactly, at no price and with no more error. What is not linear is steered towards, or its residual is added to the loss [@bastek2025physics].
#
# ## Sound { .advanced }
#
# A second of sound is often 16 000 numbers or more. Two old ideas make it easier.
#
# *Companding.* The ear hears ratios. The *μ-law* squeezes a sample $x$, from 0 to 1 in size, to $\log(1 + \mu x)/\log(1 + \mu)$ before it is rounded (and keeps the sign). `multimodal.mu_law[back]` is the way back. Its slope is large for soft sounds (`multimodal.mu_law[slope]`): at $x = 0$ it is $\mu/\log(1 + \mu)$, for the usual $\mu = 255$ about $46$. So the softest sounds are rounded $46$ times as finely, in the limit of silence.
#
# *Magnitude and phase.* Cut into short pieces, a sound is a sum of tones, each with a size and a phase. A tone of size 1 and phase $\varphi$ is the point $(\cos\varphi, \sin\varphi)$. One hears sizes, and hardly phases. But a squared error in samples compares waves: the mean of two tones of size 1 whose phases differ by $\varphi$ has the squared size $\frac12 (1 + \cos\varphi)$ (`multimodal.phase[mean]`), and nothing at all is left where
# they are opposed. With $\varphi$ and $\varphi + \pi$ equally likely, half of the squared size is lost on average (`multimodal.phase[half]`). Who does not know the phase should not average waves: that is `latent.blur` for the ear. So one models magnitudes, often their logarithms, and finds phases afterwards [@griffin1984signal], or draws waves from a model of their law [@oord2016wavenet].
#
# {{ picture multimodal.sound }}
#
# In code: `genmath.multimodal.mu_law`, `genmath.multimodal.inverse_mu_law`.

# %%
mu_ = positives("mu")
soft = positives("x")
turn = reals("varphi")


def compress(amount):
    return log(1 + mu_ * amount) / log(1 + mu_)


@derivation("The mu-law")
def mu_law(d):
    d.start(compress(((1 + mu_) ** soft - 1) / mu_), name="back", words="there and back")
    d.equals(soft, by="the logarithm of a power")
    d.start(diff(compress(soft), soft), name="slope", words="its slope")
    d.equals(mu_ / ((1 + mu_ * soft) * log(1 + mu_)), by="the derivative of a logarithm")


@derivation("The mean of two tones")
def phase(d):
    def size(angle):
        return ((1 + cos(angle)) / 2) ** 2 + (sin(angle) / 2) ** 2

    d.start(size(turn), name="mean", words="the squared size of the mean")
    d.equals((1 + cos(turn)) / 2, by="the squares of sine and cosine sum to one")
    d.start((size(turn) + ((1 - cos(turn)) / 2) ** 2 + (sin(turn) / 2) ** 2) / 2, name="half", words="the same, with the opposite phase as likely")
    d.equals(number(1) / 2, by="the cosines cancel")


# %% [markdown]
# **What it means.** Choose the coordinates in which squared errors mean what the ear means. Then all of this book applies again.
#
# ## Summary
#
# !!! summary "To learn by heart"
#
#     - All that holds for $x$ holds for $x$ given $c$, for each text: entropy, gap of the decoder, gap of the prior (`multimodal.conditional_bound`).
#     - A decoder that is not told the text pays what the text says beyond the code. A text is worth at most its own entropy (`multimodal.worth`).
#     - A frozen encoder costs exactly what it cannot tell apart (`multimodal.frozen`).
#     - A fit is a log density ratio; a softmax of fits with the frequencies of the texts is $r(c \mid x)$ (`multimodal.joint_space`).
#     - The best law for a judge is the tilted one (`multimodal.tilted`); the best of $n$ is $\log n - 1 + 1/n$ nats away (`multimodal.best_of`).
#     - Two conditions: a scale for each, and the second push is for someone who knows the first (`multimodal.two_conditions`).
#     - Clips: the chain rule; who forgets a frame pays its information; errors run on (`multimodal.frames`, `multimodal.drift`).
#     - Factorised attention with both kinds in a block pays off if $(n - 1)(m - 1) > 1 + 2d$; alternating never loses (`multimodal.clip_cost`).
#     - Weights along a ray telescope, at most 1 (`multimodal.volume`). Score distillation leaves out the slope of the network and the entropy of scenes (`multimodal.distillation`, `multimodal.spread`).
#
# ## Questions
#
# ??? question "The captions of your data never mention colours. Which part of the bound do you see that in, and what will the model draw for the word red?"
#
#     The mean entropy given the text is larger: colours stay open. For a caption with a new word the network answers as its encoder places the word; nothing in the data said what it should mean. It draws the colours of the data, in whatever shares.
#
# ??? question "Your first stage loses small letters. Can a better prior, or a better text encoder, write them?"
#
#     No. The gap of the decoder does not depend on the prior (`multimodal.conditional_bound[parts]`). A decoder that is told the text could use it: that is the difference of `multimodal.conditional_bound[blind]`.
#
# ??? question "A judge prefers saturated pictures. You keep the best of 16. How far can the law have moved, and in which direction?"
#
#     By $\log 16 - 1 + \frac{1}{16} \approx 1.84$ nats, if scores have no ties, towards saturated pictures and what goes along with them; nothing else was asked for.
#
# ??? question "You guide with a picture at scale 1.5 and a text at scale 7. At which scales do you get the law given the picture alone?"
#
#     At $u = 1$, $s = 0$: then the second difference is not used (`multimodal.two_conditions[scales]`).
#
# ??? question "A clip has 16 frames of 64 tokens, the network the width 768. Does an attention across frames beside that within frames make a block cheaper than one over the whole clip?"
#
#     $(15)(63) = 945$, and $1 + 2 \cdot 768 = 1537$. No: it costs more. Alternating blocks would be cheaper.
#
# ??? question "The weights along a ray sum to 0.7. What do the other 0.3 mean?"
#
#     Light that no segment took: it comes from the background. Whoever divides the colour by 0.7 makes the scene opaque there.
#
# ??? question "Score distillation is run a hundred times from different starts, for a model with two equally likely pictures. Do both occur in equal shares?"
#
#     Not by any result here. Each run climbs to a mode near its start. Shares of samples are not what is followed: the entropy is missing (`multimodal.spread`).
#
# {{ spot truxify-inclusive-cumprod among multimodal.volume[sum] multimodal.best_of[price] }}
#
# ## What the results do not say
#
# - **Nothing about good pictures.** A small gap in nats may hide in what one does not see, as in [Latent diffusion](latent.py).
# - **`multimodal.joint_space` is about the best fit.** Two encoders of a few hundred numbers with an inner product cannot express every density ratio, and a batch shows few texts.
# - **`multimodal.tilted[clip]` and the scales are laws of one level.** What a guided sampler draws is another law (`guidance.tilted`); and the judge of clean pictures is not that of noisy ones.
# - **`multimodal.best_of` needs scores without ties.** With ties ranks are not uniform; the divergence is then at most that.
# - **The chain of frames is written for three,** and the drift for one number with a constant factor. Real errors are not the same in every frame.
# - **FLOPs are not seconds.**
# - **Score distillation with guidance** follows another law at each level, the tilted one; these are the noised versions of no one law of pictures (`guidance.tilted`).
# - **Symmetry is shown for pairs of atoms** up to three dimensions, and averaging for one rotation and its inverse.
#
# ## Where sources slip
#
# - `multimodal.joint_space`: a logarithm of a temperature used as the temperature (`m3d-logit-scale`).
# - `multimodal.volume`: a product that contains the segment itself (`truxify-inclusive-cumprod`).
# - `multimodal.distillation`: a sign (`sdf-sds-sign`).
#
# ## References
#
# - [@rombach2022high]: latent diffusion with texts (section 3.3). [@saharia2022photorealistic]: frozen language models as text encoders, and a cascade.
# - [@ramesh2021zero]: text and picture tokens as one sequence. [@radford2021learning]: two encoders and one space. [@ramesh2022hierarchical]: from the text's vector to the picture's, and from there to the picture.
# - [@esser2024scaling]: joint attention of text and picture, by flow matching.
# - [@brooks2023instructpix2pix]: two scales (section 3.2.1). [@liu2022compositional]: several conditions.
# - [@beirami2024theoretical]: the best of $n$.
# - [@ho2022cascaded]: cascades, and noise on what is handed over. [@ho2022video]: clips by diffusion. [@ma2024latte]: ways to factorise.
# - [@max1995optical], [@mildenhall2020nerf]: light along a ray. [@poole2023dreamfusion], [@wang2023prolificdreamer]: score distillation, and what it leaves out.
# - [@hoogeboom2022equivariant], [@kohler2020equivariant]: equivariant models. [@bastek2025physics]: residuals in diffusion models.
# - [@griffin1984signal], [@oord2016wavenet]: phases, and waves.
