import math
from functools import partial

import torch
from torch import nn

from genmath.vae import VAE, gaussian_log_likelihood, iwae_bound

torch.manual_seed(0)  # torch draws a network's first weights from its global generator
rng = torch.Generator().manual_seed(0)  # everything else is drawn from this one

a = torch.randn(1024, 1, generator=rng)  # one hidden cause, bent into a parabola in the plane
data = torch.cat([a, a**2 - 1], 1) + 0.2 * torch.randn(1024, 2, generator=rng)

encoder = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 2))  # mean and log-variance
decoder = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 2))  # the mean of x
likelihood = partial(gaussian_log_likelihood, log_var=2 * math.log(0.2))
vae = VAE(encoder, decoder, latent_shape=1, likelihood=likelihood)

optimizer = torch.optim.Adam(vae.parameters(), lr=1e-2)
for _ in range(1000):
    optimizer.zero_grad()
    loss = vae.loss(data, generator=rng)  # minus the bound, in nats, averaged over the batch
    loss.backward()
    optimizer.step()

with torch.no_grad():
    elbo = vae.elbo(data, generator=rng)  # reconstruction, kl and total: one value a sample
    tighter = iwae_bound(vae.log_weights(data, 64, generator=rng))  # 64 draws of z
    samples = vae.sample(1024, generator=rng)  # the means of p(x|z) at z from the prior
