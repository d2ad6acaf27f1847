"""One training step of an LNN and of an HNN with PyTorch (pip: torch, numpy), the same as
benches/lnn_step.rs: 4-200-200-1, f32, 512 states, derivative loss, Adam, one thread; and the
acceleration of one state.

    taskset -c 0 python benches/peers/lnn_step.py [--quick]
"""

import sys
import time

import numpy as np
import torch

torch.set_num_threads(1)
torch.manual_seed(0)
ROUNDS = 3 if "--quick" in sys.argv else 41
BATCH, N = 512, 2


def network(activation):
    layers = []
    for fan_in, fan_out in [(4, 200), (200, 200)]:
        layers += [torch.nn.Linear(fan_in, fan_out), activation()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(200, 1, bias=False))


def hnn(net, x):
    x = x.requires_grad_()
    (g,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    return torch.cat([g[:, N:], -g[:, :N]], dim=1)


def lnn(net, x):
    """Euler-Lagrange by rows of the Hessian: the fastest form found (vmap(hessian) is slower)."""
    x = x.requires_grad_()
    v = x[:, N:]
    (g,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    rows = [torch.autograd.grad(g[:, N + i].sum(), x, create_graph=True)[0] for i in range(N)]
    hessian = torch.stack(rows, dim=1)
    right = g[:, :N] - torch.einsum("bij,bj->bi", hessian[:, :, :N], v)
    acceleration = torch.linalg.solve(hessian[:, :, N:], right)
    return torch.cat([v, acceleration], dim=1)


def trainer(field, activation):
    net = network(activation)
    x = torch.randn(BATCH, 4)
    y = torch.randn(BATCH, 4)
    adam = torch.optim.Adam(net.parameters(), 1e-3)

    def step():
        adam.zero_grad()
        ((field(net, x.detach()) - y) ** 2).mean().backward()
        adam.step()

    return step


steps = {"HNN": trainer(hnn, torch.nn.Tanh), "LNN": trainer(lnn, torch.nn.Softplus)}
times = {name: [] for name in steps}
for round in range(ROUNDS + 3):
    for name, step in steps.items():
        begin = time.thread_time()
        step()
        if round >= 3:
            times[name].append(time.thread_time() - begin)
base = np.median(times["HNN"])
for name, seconds in times.items():
    print(f"{name}: {1e3 * np.median(seconds):.3f} ms, {np.median(seconds) / base:.2f} x")

net, state = network(torch.nn.Softplus), torch.randn(1, 4)
seconds = []
for round in range(ROUNDS):
    begin = time.thread_time()
    for _ in range(20):
        lnn(net, state.detach())
    seconds.append((time.thread_time() - begin) / 20)
print(f"acceleration of one state: {1e6 * np.median(seconds):.1f} microseconds")
