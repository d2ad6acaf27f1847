"""One training step of an HNN with PyTorch (pip: torch, numpy), the same as benches/training_step.rs.

2-200-200-1, tanh, f32, 25 trajectories of 30 points, Adam, one thread: the derivative loss alone,
with the one-step loss, and with the full-trajectory loss.

    taskset -c 0 python benches/peers/training_step_torch.py [--quick]
"""

import statistics
import sys
import time

import torch

ROUNDS = 3 if "--quick" in sys.argv else 31
TRAJECTORIES, POINTS = 25, 30

torch.set_num_threads(1)
torch.manual_seed(0)


def network():
    layers = torch.nn.Sequential(
        torch.nn.Linear(2, 200), torch.nn.Tanh(),
        torch.nn.Linear(200, 200), torch.nn.Tanh(),
        torch.nn.Linear(200, 1, bias=False),
    )
    for layer in layers:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.orthogonal_(layer.weight)
    return layers


def field(energy, x):
    """(dH/dp, -dH/dq), with the graph of its own derivatives."""
    if not x.requires_grad:
        x = x.requires_grad_(True)
    (gradient,) = torch.autograd.grad(energy(x).sum(), x, create_graph=True)
    dq, dp = gradient.split(1, dim=1)
    return torch.cat([dp, -dq], dim=1)


def rk4(energy, x, dt):
    k1 = field(energy, x)
    k2 = field(energy, x + dt / 2 * k1)
    k3 = field(energy, x + dt / 2 * k2)
    k4 = field(energy, x + dt * k3)
    return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def spring():
    """States (M, T, 2) and derivatives of H = q^2 + p^2 on t in [0, 3]."""
    angle = 2 * torch.pi * torch.rand(TRAJECTORIES, 1)
    radius = 0.1 + 0.9 * torch.rand(TRAJECTORIES, 1)
    t = torch.linspace(0, 3, POINTS)
    phase = angle - 2 * t
    x = torch.stack([radius * torch.cos(phase), radius * torch.sin(phase)], dim=2)
    dx = torch.stack([2 * x[..., 1], -2 * x[..., 0]], dim=2)
    return x, dx, 3.0 / (POINTS - 1)


def one_step(energy, x, dt):
    rows = x.reshape(-1, 2)
    inside = (torch.arange(1, len(rows)) % POINTS != 0).unsqueeze(1)
    difference = rk4(energy, rows[:-1].clone(), dt) - rows[1:]
    return (difference * inside).square().mean()


def full_trajectory(energy, x, dt):
    state, predicted = x[:, 0].clone(), []
    for _ in range(1, POINTS):
        state = rk4(energy, state, dt)
        predicted.append(state)
    return (torch.stack(predicted, dim=1) - x[:, 1:]).square().mean()


def step_of(trajectory):
    energy = network()
    optimiser = torch.optim.Adam(energy.parameters(), lr=1e-3, weight_decay=1e-4)
    x, dx, dt = spring()

    def step():
        optimiser.zero_grad()
        rows = x.reshape(-1, 2).clone()
        loss = (field(energy, rows) - dx.reshape(-1, 2)).square().mean()
        if trajectory is not None:
            loss = loss + trajectory(energy, x, dt)
        loss.backward()
        optimiser.step()

    return step


def main():
    steps = {
        "derivative loss": step_of(None),
        "+ one-step loss": step_of(one_step),
        "+ full trajectory": step_of(full_trajectory),
    }
    times = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(ROUNDS):
        for name, step in steps.items():
            begin = time.process_time()
            step()
            times[name].append(time.process_time() - begin)
    first = statistics.median(times["derivative loss"])
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:20} {1e3 * median:8.3f} ms  {median / first:5.2f}")


if __name__ == "__main__":
    main()
