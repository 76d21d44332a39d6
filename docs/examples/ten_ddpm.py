import torch

from genmath.ddpm import add_noise, ancestral_step, draw_steps
from genmath.nets import MLP
from genmath.paths import cosine_schedule
from genmath.toys import eight_gaussians

torch.manual_seed(0)  # a network's first weights
rng = torch.Generator().manual_seed(0)  # everything else
steps, schedule = 2500, cosine_schedule(50)
net = MLP(2, hidden=128, steps=schedule.T)  # eps_theta(x_t, t)
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)

for _ in range(steps):
    x0 = eight_gaussians(256, generator=rng)  # train 1
    t = draw_steps(256, schedule, generator=rng)  # train 2
    noise = torch.randn(256, 2, generator=rng)  # train 3
    x_t = add_noise(x0, noise, t, schedule)  # train 4
    loss = ((noise - net(x_t, t)) ** 2).sum(1).mean()  # train 5
    optimizer.zero_grad()  # train 6
    loss.backward()
    optimizer.step()

x = torch.randn(1024, 2, generator=rng)  # sample 1
with torch.no_grad():
    for t in range(schedule.T, 0, -1):  # sample 2
        x = ancestral_step(net(x, t), x, t, schedule, generator=rng)  # sample 3
