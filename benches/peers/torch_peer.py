"""The cases of benches/engine with PyTorch on the CPU, and rollouts by SciPy on its field."""

import torch

torch.set_num_threads(1)
import numpy as np

import model
from serve import serve

BATCHES = [1, 8, 32, 750, 4096]
TRAJECTORIES, POINTS = 25, 30


def network(sizes, activation=torch.nn.Tanh, dtype=torch.float32):
    torch.manual_seed(0)
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:-1]):
        layers += [torch.nn.Linear(fan_in, fan_out), activation()]
    layers.append(torch.nn.Linear(sizes[-2], sizes[-1], bias=False))
    net = torch.nn.Sequential(*layers)
    for layer in net:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.orthogonal_(layer.weight)
    return net.to(dtype)


def energy_gradient(net, x, create_graph=False):
    if not x.requires_grad:
        x = x.detach().requires_grad_()
    (g,) = torch.autograd.grad(net(x).sum(), x, create_graph=create_graph)
    return g


def field(net, x, create_graph=False):
    n = x.shape[1] // 2
    g = energy_gradient(net, x, create_graph)
    return torch.cat([g[:, n:], -g[:, :n]], dim=1)


def graph_field(net, x):
    """The field, to be differentiated by the states as well."""
    if not x.requires_grad:
        x = x.requires_grad_()
    return field(net, x, create_graph=True)


def states(batch, dtype):
    x = np.sin(np.arange(batch)[:, None] + 1.5 * np.arange(2))
    return torch.as_tensor(x, dtype=dtype)


def batch_case(what, batch, dtype):
    net, x = network([2, 200, 200, 1], dtype=dtype), states(batch, dtype)

    def gradient():
        net.zero_grad()
        (field(net, x, create_graph=True) - x).square().mean().backward()

    return gradient if what == "gradient" else lambda: field(net, x)


def one_state(dtype):
    net, x = network([2, 200, 200, 1], dtype=dtype), torch.tensor([[0.1, 0.2]], dtype=dtype)
    return lambda: energy_gradient(net, x)


def rk4(net, x, dt):
    k1 = graph_field(net, x)
    k2 = graph_field(net, x + dt / 2 * k1)
    k3 = graph_field(net, x + dt / 2 * k2)
    k4 = graph_field(net, x + dt * k3)
    return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def spring():
    """States (M, T, 2) of H = q^2 + p^2 on [0, 3], their derivatives, and the step."""
    t = torch.linspace(0, 3, POINTS)
    phase = torch.linspace(0, 6, TRAJECTORIES)[:, None]
    radius = torch.linspace(0.1, 1, TRAJECTORIES)[:, None]
    x = torch.stack([radius * torch.cos(2 * t + phase), -radius * torch.sin(2 * t + phase)], dim=2)
    dx = torch.stack([2 * x[..., 1], -2 * x[..., 0]], dim=2)
    return x, dx, 3.0 / (POINTS - 1)


def adam(net, loss, decay):
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=decay)

    def step():
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()

    return step


def hnn_step(name):
    net = network([2, 200, 200, 1])
    x, dx, dt = spring()

    def derivative():
        return (graph_field(net, x.reshape(-1, 2).clone()) - dx.reshape(-1, 2)).square().mean()

    def one_step():
        begin, end = x[:, :-1].reshape(-1, 2).clone(), x[:, 1:].reshape(-1, 2)
        return derivative() + (rk4(net, begin, dt) - end).square().mean()

    def trajectory():
        state, predicted = x[:, 0].clone(), []
        for _ in range(1, POINTS):
            state = rk4(net, state, dt)
            predicted.append(state)
        return derivative() + (torch.stack(predicted, dim=1) - x[:, 1:]).square().mean()

    losses = {"derivative": derivative, "one-step": one_step, "trajectory": trajectory}
    return adam(net, losses[name], 1e-4)


def lagrangian_field(net, x):
    """Euler-Lagrange by rows of the Hessian: the fastest form found (vmap(hessian) is slower)."""
    n = x.shape[1] // 2
    x = x.detach().requires_grad_()
    v = x[:, n:]
    (g,) = torch.autograd.grad(net(x).sum(), x, create_graph=True)
    rows = [torch.autograd.grad(g[:, n + i].sum(), x, create_graph=True)[0] for i in range(n)]
    hessian = torch.stack(rows, dim=1)
    right = g[:, :n] - torch.einsum("bij,bj->bi", hessian[:, :, :n], v)
    return torch.cat([v, torch.linalg.solve(hessian[:, :, n:], right)], dim=1)


def double_pendulum(kind):
    activation = {"HNN": torch.nn.Tanh, "LNN": torch.nn.Softplus}[kind]
    net = network([4, 200, 200, 1], activation)
    x, dx = torch.randn(512, 4), torch.randn(512, 4)
    of = {"HNN": lambda: field(net, x, create_graph=True), "LNN": lambda: lagrangian_field(net, x)}
    return adam(net, lambda: (of[kind]() - dx).square().mean(), 0.0)


def acceleration():
    net, x = network([4, 200, 200, 1], torch.nn.Softplus), torch.tensor([[0.1, 0.2, -0.3, 0.4]])
    return lambda: lagrangian_field(net, x)


def rollout(method):
    from scipy.integrate import solve_ivp

    net = network([2, 200, 200, 1], dtype=torch.float64)
    linear = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
    with torch.no_grad():
        for layer, (w, b) in zip(linear, model.layers()):
            layer.weight.copy_(torch.tensor(w))
            if layer.bias is not None:
                layer.bias.copy_(torch.tensor(b))
    slope = lambda _, x: field(net, torch.as_tensor(x)[None])[0].numpy()
    return lambda: solve_ivp(slope, (0, 20), [1.0, 0.0], method=method, rtol=1e-9, atol=1e-9)


def cases():
    made = {}
    for dtype, name in [(torch.float32, "f32"), (torch.float64, "f64")]:
        made[f"energy-gradient {name}"] = lambda dtype=dtype: one_state(dtype)
        for batch in BATCHES:
            for what in ["gradient", "field"]:
                arguments = (what, batch, dtype)
                made[f"{what} {name} {batch}"] = lambda a=arguments: batch_case(*a)
    for loss in ["derivative", "one-step", "trajectory"]:
        made[f"step {loss}"] = lambda loss=loss: hnn_step(loss)
    for kind in ["HNN", "LNN"]:
        made[f"double pendulum {kind}"] = lambda kind=kind: double_pendulum(kind)
    made["acceleration LNN"] = acceleration
    for method in ["DOP853", "RK45"]:
        made[f"rollout: SciPy {method}"] = lambda method=method: rollout(method)
    return made


serve(f"PyTorch {torch.__version__}", cases())
