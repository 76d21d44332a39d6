import torch

from genmath.nets import MLP
from genmath.toys import eight_gaussians
from genmath.vae import elbo, gaussian_log_likelihood, reparameterize

torch.manual_seed(0)  # the networks' first weights
rng = torch.Generator().manual_seed(0)  # everything else
steps, log_var = 1000, -3.0  # log_var: of the decoder's normal density, the same for all x
encoder = MLP(2, hidden=128, time=False, out=4)  # mean and log-variance of a code of two numbers
decoder = MLP(2, hidden=128, time=False)  # the mean of x, given its code
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)

for _ in range(steps):
    x = eight_gaussians(256, generator=rng)  # train 1
    mean, ell = encoder(x).chunk(2, dim=1)  # train 2
    z = reparameterize(mean, ell, generator=rng)  # train 3
    log_likelihood = gaussian_log_likelihood(decoder(z), x, log_var=log_var)  # train 4
    loss = -elbo(log_likelihood, mean, ell).total.mean()  # train 5
    optimizer.zero_grad()  # train 6
    loss.backward()
    optimizer.step()

with torch.no_grad():
    z = torch.randn(1024, 2, generator=rng)  # sample 1
    x = reparameterize(decoder(z), torch.full_like(z, log_var), generator=rng)  # sample 2
