import torch

from genmath.flow_matching import conditional_path
from genmath.nets import MLP
from genmath.toys import eight_gaussians

torch.manual_seed(0)  # a network's first weights
rng = torch.Generator().manual_seed(0)  # everything else
steps, T = 2500, 20
net = MLP(2, hidden=128)  # v_theta(x_t, t)
optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)

for _ in range(steps):
    x0 = eight_gaussians(256, generator=rng)  # train 1
    noise = torch.randn(256, 2, generator=rng)  # train 2
    t = torch.rand(256, generator=rng)  # train 3
    x_t, velocity = conditional_path(x0, noise, t)  # train 4
    loss = ((net(x_t, t) - velocity) ** 2).sum(1).mean()  # train 5
    optimizer.zero_grad()  # train 6
    loss.backward()
    optimizer.step()

x = torch.randn(1024, 2, generator=rng)  # sample 1
with torch.no_grad():
    for k in range(T, 0, -1):  # sample 2
        x = x - net(x, k / T) / T  # sample 3
