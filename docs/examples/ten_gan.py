import torch

from genmath.gan import discriminator_loss, generator_loss
from genmath.nets import MLP
from genmath.toys import eight_gaussians

torch.manual_seed(0)  # the networks' first weights
rng = torch.Generator().manual_seed(0)  # everything else
steps = 1000
generator = MLP(2, hidden=64, time=False)  # G(z)
discriminator = MLP(2, hidden=64, time=False, out=1)  # the logit a(x)
optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.9))
optimizer_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))

for _ in range(steps):
    x = eight_gaussians(256, generator=rng)  # train 1
    made = generator(torch.randn(256, 2, generator=rng))  # train 2
    loss_d = discriminator_loss(discriminator(x), discriminator(made.detach()))  # train 3
    optimizer_d.zero_grad()  # train 4
    loss_d.backward()
    optimizer_d.step()
    loss_g = generator_loss(discriminator(made))  # train 5
    optimizer_g.zero_grad()  # train 6
    loss_g.backward()
    optimizer_g.step()

with torch.no_grad():
    z = torch.randn(1024, 2, generator=rng)  # sample 1
    x = generator(z)  # sample 2
