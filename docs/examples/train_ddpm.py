import math

import torch
from torch import nn

from genmath.ddpm import denoising_loss, sample
from genmath.paths import cosine_schedule

torch.manual_seed(0)  # torch draws a network's first weights from its global generator
rng = torch.Generator().manual_seed(0)  # everything else is drawn from this one
schedule = cosine_schedule(50)  # tables of length 51: entry 0 is clean data

angle = torch.arange(8) * math.pi / 4
centres = 2 * torch.stack([angle.cos(), angle.sin()], 1)


def draw_data(n):  # eight small Gaussians on a circle
    which = torch.randint(8, (n,), generator=rng)
    return centres[which] + 0.1 * torch.randn(n, 2, generator=rng)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Linear(5, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 2))

    def forward(self, x_t, t):  # t is an integer tensor, one step a sample
        s = math.pi * t[:, None] / schedule.T
        return self.layers(torch.cat([x_t, s, s.sin(), s.cos()], 1))


model, steps = Net(), 2000
optimizer = torch.optim.Adam(model.parameters())
rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps)
for _ in range(steps):
    x0 = draw_data(256)
    loss = denoising_loss(model, x0, schedule, generator=rng, prediction="v")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    rate.step()

samples = sample(model, (1024, 2), schedule, generator=rng, prediction="v")
