# %% [markdown]
# # Laboratory: Latent diffusion
#
# Six questions about codes. Two have exact answers, by formulas for normal densities; for the
# others networks are trained on handwritten digits.

# %%
import math

import torch
from torch import nn

from genmath.figures import BLUE, ORANGE, axes, figure
from genmath.flow_matching import cfm_loss
from genmath.gan import discriminator_loss
from genmath.latent import FirstStage, LatentDiffusion
from genmath.nets import MLP, Discriminator
from genmath.paths import LinearPath
from genmath.samplers import Heun, sample
from genmath.toys import digits
from genmath.wasserstein import sliced_wasserstein

generator = torch.Generator().manual_seed(0)
torch.manual_seed(0)
images = digits()
x, test = images.train, images.test

# %% [markdown]
# ## Whose gap is it?
#
# Take normal data with the covariance of the digits, a linear encoder that keeps $k$ directions
# with a little noise, and a linear decoder with one variance for all pixels. Then every term of
# `latent.two_stages` is a formula. The three parts have to add up to the negative bound, which is
# computed on its own:

# %%
flat = x.flatten(1).double()
covariance = torch.cov(flat.T) + 0.01 * torch.eye(64, dtype=torch.float64)
variances, directions = torch.linalg.eigh(covariance)
variances, directions = variances.flip(0), directions.flip(1)


def entropy(cov):
    return 0.5 * (len(cov) * math.log(2 * math.pi * math.e) + torch.logdet(cov)).item()


def two_gaps(k, noise=0.1, prior_std=None):
    """Entropy, the decoder's gap, the prior's gap, and the negative bound, in nats."""
    encode = directions[:, :k].T
    codes = encode @ covariance @ encode.T + noise * torch.eye(k, dtype=torch.float64)
    back = covariance @ encode.T @ torch.linalg.inv(codes)
    left = covariance - back @ encode @ covariance  # of x when its code is known
    v = left.trace() / 64  # the best single variance
    prior = codes if prior_std is None else prior_std**2 * torch.eye(k, dtype=torch.float64)
    decoder_gap = 0.5 * (64 * torch.log(v) - torch.logdet(left)).item()
    ratio = torch.linalg.solve(prior, codes)
    prior_gap = 0.5 * (ratio.trace() - k - torch.logdet(ratio)).item()
    reconstruction = 0.5 * (64 * torch.log(2 * math.pi * v) + left.trace() / v).item()
    encoder_entropy = 0.5 * k * math.log(2 * math.pi * math.e * noise)
    cross = 0.5 * (k * math.log(2 * math.pi) + torch.logdet(prior) + ratio.trace()).item()
    return entropy(covariance), decoder_gap, prior_gap, reconstruction + cross - encoder_entropy


print(" k  prior       entropy  decoder    prior     bound")
for k in (4, 12, 32):
    for name, std in (("best", None), ("N(0, 1)", 1.0)):
        h, first, second, bound = two_gaps(k, prior_std=std)
        assert abs(h + first + second - bound) < 1e-8
        print(f"{k:2d}  {name:10s} {h:8.2f} {first:8.2f} {second:8.2f} {bound:9.2f}")

# %% [markdown]
# A longer code makes the decoder's gap smaller: what one variance for all pixels cannot say is
# said by the code. The prior changes its own gap alone, to the last digit.

# %% [markdown]
# ## Does the denoising loss collapse an encoder?
#
# A linear encoder to 12 numbers and a network that denoises its codes, trained together. Once by
# the denoising loss alone; once with the squared error of a linear decoder added, but without the
# entropy of the encoder. `latent.collapse` says what must happen.


# %%
def together(reconstruct, steps=500):
    """The standard deviation of the codes and the squared error, as both are trained."""
    encoder, decoder = nn.Linear(64, 12), nn.Linear(12, 64)
    network = MLP(12, 64, 2, generator=generator)
    modules = nn.ModuleList([encoder, decoder, network])
    optimizer = torch.optim.Adam(modules.parameters(), 5e-3, fused=True)
    curve = []
    for _ in range(steps):
        batch = x[torch.randint(len(x), (128,), generator=generator)].flatten(1)
        z = encoder(batch)
        error = ((decoder(z) - batch) ** 2).sum(1).mean()
        # The loss for the noise: the code is taken out of the target by hand.
        t = torch.rand(128, 1, generator=generator)
        noise = torch.randn(128, 12, generator=generator)
        guess = network((1 - t) * z + t * noise, t[:, 0])
        loss = ((guess - noise) ** 2).sum(1).mean() + (error if reconstruct else 0.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        curve.append((z.detach().std(0).mean().item(), error.item()))
    return curve


alone, both = together(False), together(True)
print("step     alone: codes' std   with squared error: codes' std   error")
for i in (0, 100, 499):
    print(f"{i:4d} {alone[i][0]:18.4f} {both[i][0]:28.4f} {both[i][1]:12.2f}")
assert alone[-1][0] < 0.1 * alone[0][0]

# %%
panel = axes(4.6, 2.6, title="standard deviation of the codes")
panel.semilogy([c[0] for c in alone], color=ORANGE)
panel.semilogy([c[0] for c in both], color=BLUE)
panel.text(505, alone[-1][0], "denoising loss alone", color=ORANGE, fontsize=9, va="center")
panel.text(505, both[-1][0], "with squared error", color=BLUE, fontsize=9, va="center")
panel.minorticks_off()
panel.set_yticks([0.03, 0.1, 0.3], ["0.03", "0.1", "0.3"])
panel.set(xlabel="step of training", xlim=(0, 500))
figure(
    panel,
    alt="On a logarithmic axis the deviation of the codes falls to a tenth when the denoising loss "
    "is alone, and stays of the same size when a squared error is added.",
    caption="Both encoders start alike.",
)

# %% [markdown]
# By itself the loss presses the codes towards nothing. With the squared error they stay, but after
# their first growth they shrink slowly, and the error still falls: nothing fixes their scale.

# %% [markdown]
# ## How much does a decoder blur?
#
# A first stage of convolutions, from 64 pixels to 16 numbers. Once with the squared error alone,
# once with a discriminator whose weight is adaptive (`latent.adaptive_weight`). The first should
# have the smaller error and too little variance: what is missing is the error itself
# (`latent.blur[variance]`).


# %%
def stage():
    """Images of 8 × 8 to codes of 4 × 2 × 2, and back."""
    encoder = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.SiLU(),
        nn.Conv2d(16, 32, 4, stride=2, padding=1), nn.SiLU(),
        nn.Conv2d(32, 8, 4, stride=2, padding=1),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.ConvTranspose2d(4, 32, 4, stride=2, padding=1), nn.SiLU(),
        nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1), nn.SiLU(),
        nn.Conv2d(16, 1, 3, padding=1),
    )  # fmt: skip
    return FirstStage(encoder, decoder, kl=1e-3, adversarial_weight=0.8)


def batches(steps, size=128):
    for _ in range(steps):
        yield x[torch.randint(len(x), (size,), generator=generator)]


def train(module, loss, steps, lr=2e-3, after=None):
    optimizer = torch.optim.Adam(
        [p for p in module.parameters() if p.requires_grad], lr, fused=True
    )
    decay = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    for batch in batches(steps):
        optimizer.zero_grad()
        loss(batch).backward()
        optimizer.step()
        decay.step()
        if after is not None:
            after(batch)


plain, sharp = stage(), stage()
sharp.load_state_dict(plain.state_dict())
train(plain, lambda batch: plain.loss(batch, generator=generator).total, 500)
critic = Discriminator(8, hidden=16, generator=generator)
referee = torch.optim.Adam(critic.parameters(), 2e-3, betas=(0.5, 0.99), fused=True)


def judge(batch):
    with torch.no_grad():
        made = sharp(batch)
    referee.zero_grad()
    discriminator_loss(critic(batch), critic(made)).backward()
    referee.step()


train(
    sharp,
    lambda batch: sharp.loss(batch, discriminator=critic, generator=generator).total,
    500,
    after=judge,
)
print("                 squared error   variance of what is shown   of the data   variance + error")
whole = test.flatten(1).var(0, correction=0).sum().item()
for name, one in (("squared error", plain), ("discriminator", sharp)):
    with torch.no_grad():
        shown = one(test)
    error = ((shown - test) ** 2).flatten(1).sum(1).mean().item()
    variance = shown.flatten(1).var(0, correction=0).sum().item()
    print(f"{name:15s} {error:14.2f} {variance:27.2f} {whole:13.2f} {variance + error:18.2f}")

# %%
with torch.no_grad():
    rows = [test[:10], plain(test[:10]), sharp(test[:10])]


def sheet(rows, alt, caption):
    board = torch.cat([row.clamp(-1, 1) for row in rows]).reshape(len(rows), -1, 8, 8)
    board = nn.functional.pad(board, (1, 1, 1, 1), value=-1.0)
    height, width = 10 * len(rows), 10 * board.shape[1]
    panel = axes(5.0, 0.52 * len(rows))
    panel.imshow(board.permute(0, 2, 1, 3).reshape(height, width), cmap="gray_r", vmin=-1, vmax=1)
    panel.set_axis_off()
    return figure(panel, alt=alt, caption=caption)


sheet(
    rows,
    "Three rows of ten digits: the data, and two softer copies of them.",
    "Digits that were not trained on; rebuilt under squared error; rebuilt with a discriminator.",
)

# %% [markdown]
# For the squared error, variance and error add up nearly to the variance of the data, as the law
# says they do for the conditional mean. With the discriminator the error is larger, and the
# variance is not.

# %% [markdown]
# ## What does a wrong scale cost?
#
# Normal codes of deviation $s$ on the straight path have an exact velocity, so nothing is trained
# here: whatever is wrong with the samples comes from the steps of the sampler. They are even in
# time, as if the deviation were 1.


# %%
def exact_velocity(s):
    """Of normal codes of deviation s, from the path's own formulas."""
    path = LinearPath()

    def model(z, t):
        alpha, sigma = path.coefficients(t, z)
        d_alpha, d_sigma = path.derivatives(t, z)
        return (sigma * d_sigma + alpha * d_alpha * s**2) / (sigma**2 + alpha**2 * s**2) * z

    return model


start = torch.randn(2000, 1, generator=generator, dtype=torch.float64)
print("deviation of the samples over that of the codes")
print("codes' deviation " + "".join(f"{n:4d} steps" for n in (5, 10, 20)))
off = {}
for s in (0.1, 1.0, 10.0):
    ratios = []
    for n in (5, 10, 20):
        options = {"prediction": "velocity", "start": start, "dtype": torch.float64}
        made = sample(exact_velocity(s), (2000, 1), LinearPath(), Heun(), steps=n, **options)
        ratios.append((made.std() / (s * start.std())).item())
    off[s] = abs(ratios[1] - 1)
    print(f"{s:16g} " + "".join(f"{ratio:10.4f}" for ratio in ratios))
assert off[1.0] < min(off[0.1], off[10.0]) / 5

# %% [markdown]
# With the deviation 1 ten steps are plenty. With another the same steps stand in the wrong places:
# large codes take their size in the first steps from the noise, small ones in the last.

# %% [markdown]
# ## Codes or pixels?
#
# The same kind of network and the same number of steps, once on the 64 pixels and once on the 16
# codes of the frozen first stage. Quality is the sliced Wasserstein distance to digits that were
# not trained on; beside it stands that of real digits, and of real digits that went through the
# first stage: no prior can do better than these.

# %%
latent = LatentDiffusion(plain, MLP(16, 128, 2, generator=generator), (4, 2, 2), LinearPath())
latent.calibrate(x)
print(f"codes: mean {latent.shift.item():.3f}, standard deviation {1 / latent.scale.item():.3f}")
train(latent, lambda batch: latent.loss(batch, generator=generator), 800)
pixels = MLP(64, 128, 2, generator=generator)
train(pixels, lambda batch: cfm_loss(pixels, batch, generator=generator), 800)
options = {"steps": 20, "generator": generator}
with torch.no_grad():
    made = {
        "codes": latent.sample(1000, Heun(), **options),
        "pixels": sample(
            pixels, (1000, 1, 8, 8), LinearPath(), Heun(), prediction="velocity", **options
        ),
        "real digits, rebuilt": plain(x[:1000]),
        "real digits": x[:1000],
    }
for name, value in made.items():
    far = sliced_wasserstein(value, test, directions=256, generator=generator)
    print(f"{name:22s} {far.item():.4f}")

# %%
sheet(
    [value[:10] for value in made.values()],
    "Four rows of ten small pictures: samples by codes, samples by pixels, digits that were "
    "rebuilt, and real digits.",
    "Ten of each, in the order of the table.",
)

# %% [markdown]
# By this distance the codes are a little worse: their samples (first row) are blurred as all that
# the decoder shows, those by pixels (second row) have speckles. On pictures of 64 pixels there is
# nothing to gain: the cost of these networks hardly depends on the size of the data. The gain of
# `latent.cost` is that of pictures with many places; its price is the third row.

# %% [markdown]
# ## What does editing keep?
#
# A digit is noised in its code up to a time $t$ and carried back. In another edit its lower half is
# made anew.

# %%
threes = test[images.test_labels == 3][:10]
upper = torch.zeros(1, 8, 8, dtype=torch.bool)
upper[:, :4] = True
edits = {
    t: latent.img2img(threes, t, Heun(), steps=10, generator=generator) for t in (0.2, 0.5, 0.9)
}
filled = latent.inpaint(threes, upper, Heun(), steps=20, generator=generator)
assert torch.equal(filled[:, :, :4], threes[:, :, :4])
for t, value in edits.items():
    far = ((value - threes) ** 2).flatten(1).sum(1).mean()
    print(f"t = {t}: squared distance to the original {far:.1f}")
sheet(
    [threes, *edits.values(), filled],
    "Five rows: ten threes; three rows that differ from them more and more; threes with a new "
    "lower half.",
    "Threes; noised to 0.2, 0.5 and 0.9 and carried back; the lower half made anew.",
)

# %% [markdown]
# The later the noise, the less is kept. In the last row the upper halves are the originals.
