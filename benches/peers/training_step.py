"""One training step of an HNN with JAX (pip: jax, numpy), the same as benches/training_step.rs.

2-200-200-1, tanh, f32, 25 trajectories of 30 points, Adam, one thread: the derivative loss alone,
with the one-step loss, and with the full-trajectory loss; and the energy gradient of one state.

    taskset -c 0 python benches/peers/training_step.py [--quick]
"""

import os
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np

ROUNDS = 3 if "--quick" in sys.argv else 31
TRAJECTORIES, POINTS = 25, 30


def network():
    rng = np.random.default_rng(0)
    sizes = [2, 200, 200, 1]
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        w = np.linalg.qr(rng.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out))))[0]
        w = w if fan_out >= fan_in else w.T
        bound = 1 / np.sqrt(fan_in)
        b = rng.uniform(-bound, bound, fan_out) if fan_out > 1 else np.zeros(1)
        layers.append((jnp.asarray(w, jnp.float32), jnp.asarray(b, jnp.float32)))
    return layers


def energy(theta, x):
    for w, b in theta[:-1]:
        x = jnp.tanh(x @ w.T + b)
    return jnp.sum(x @ theta[-1][0].T)


def field(theta, x):
    g = jax.grad(energy, argnums=1)(theta, x)
    return jnp.stack([g[..., 1], -g[..., 0]], axis=-1)


def rk4(theta, x, dt):
    k1 = field(theta, x)
    k2 = field(theta, x + dt / 2 * k1)
    k3 = field(theta, x + dt / 2 * k2)
    k4 = field(theta, x + dt * k3)
    return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


T = np.linspace(0, 3, POINTS)
DT = float(T[1])
PHASE = np.linspace(0, 6, TRAJECTORIES)[:, None]
RADIUS = np.linspace(0.1, 1, TRAJECTORIES)[:, None]
X = np.stack([RADIUS * np.cos(2 * T + PHASE), -RADIUS * np.sin(2 * T + PHASE)], axis=-1)
X = jnp.asarray(X, jnp.float32)
DX = jnp.stack([2 * X[..., 1], -2 * X[..., 0]], axis=-1)


def derivative(theta):
    return jnp.mean((field(theta, X) - DX) ** 2)


def one_step(theta):
    return derivative(theta) + jnp.mean((rk4(theta, X[:, :-1], DT) - X[:, 1:]) ** 2)


def full(theta):
    def step(x, _):
        x = rk4(theta, x, DT)
        return x, x

    states = jax.lax.scan(step, X[:, 0], None, length=POINTS - 1)[1]
    return derivative(theta) + jnp.mean((states - jnp.swapaxes(X[:, 1:], 0, 1)) ** 2)


def trainer(loss):
    def adam(theta, m, v, step):
        value, g = jax.value_and_grad(loss)(theta)
        g = jax.tree.map(lambda g, w: g + 1e-4 * w, g, theta)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        c1, c2 = 1 - 0.9**step, 1 - 0.999**step
        update = lambda w, m, v: w - 1e-3 * (m / c1) / (jnp.sqrt(v / c2) + 1e-8)
        return jax.tree.map(update, theta, m, v), m, v, value

    return jax.jit(adam)


def main():
    names = {"derivative loss": derivative, "+ one-step loss": one_step, "+ full trajectory": full}
    states, steps, seconds = {}, {}, {name: [] for name in names}
    for name, loss in names.items():
        theta = network()
        zeros = jax.tree.map(jnp.zeros_like, theta)
        states[name], steps[name] = (theta, zeros, zeros), trainer(loss)
    for round in range(ROUNDS + 1):
        for name in names:
            begin = time.process_time()
            *state, value = steps[name](*states[name], jnp.float32(round + 1))
            value.block_until_ready()
            states[name] = tuple(state)
            if round > 0:
                seconds[name].append(time.process_time() - begin)
    print(f"one training step, median of {ROUNDS} rounds, ms:")
    base = np.median(seconds["derivative loss"])
    for name, times in seconds.items():
        print(f"  {name:18} {1e3 * np.median(times):8.3f}  {np.median(times) / base:5.2f} x")

    gradient, theta, x = jax.jit(jax.grad(energy, argnums=1)), network(), X[0, 0]
    gradient(theta, x).block_until_ready()
    begin = time.process_time()
    for _ in range(1000):
        gradient(theta, x).block_until_ready()
    print(f"energy gradient of one state: {1e3 * (time.process_time() - begin):.2f} microseconds")


if __name__ == "__main__":
    main()
