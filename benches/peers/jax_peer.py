"""The cases of benches/engine with JAX, and rollouts with diffrax, all jitted. Where a case has several forms,
`benches/peers/run` takes the faster."""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax

jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np

import model
from serve import serve

BATCHES = [1, 8, 32, 750, 4096]
TRAJECTORIES, POINTS = 25, 30


def network(sizes, dtype):
    """Orthogonal weights; biases but for the last layer."""
    rng = np.random.default_rng(0)
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        w = np.linalg.qr(rng.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out))))[0]
        bound = 1 / np.sqrt(fan_in)
        b = rng.uniform(-bound, bound, fan_out)
        layers.append((w if fan_out >= fan_in else w.T, b))
    return jax.tree.map(lambda a: jnp.asarray(a, dtype), layers)


def energy(theta, x, activation=jnp.tanh):
    """H of states (..., D)."""
    for w, b in theta[:-1]:
        x = activation(x @ w.T + b)
    return x @ theta[-1][0][0]


def gradient_of_sum(theta, x):
    return jax.grad(lambda x: jnp.sum(energy(theta, x)))(x)


def gradient_mapped(theta, x):
    return jax.vmap(jax.grad(energy, argnums=1), (None, 0))(theta, x)


FORMS = {"sum": gradient_of_sum, "vmap": gradient_mapped}


def field_by(gradient):
    def field(theta, x):
        rows = x.reshape(-1, x.shape[-1])
        g = gradient(theta, rows)
        n = x.shape[-1] // 2
        return jnp.concatenate([g[:, n:], -g[:, :n]], axis=1).reshape(x.shape)

    return field


def states(batch, dtype):
    return jnp.asarray(np.sin(np.arange(batch)[:, None] + 1.5 * np.arange(2)), dtype)


def call(function, *arguments):
    compiled = jax.jit(function)
    return lambda: jax.block_until_ready(compiled(*arguments))


def field(form, batch, dtype):
    return call(field_by(FORMS[form]), network([2, 200, 200, 1], dtype), states(batch, dtype))


def gradient(form, batch, dtype):
    of, x = field_by(FORMS[form]), states(batch, dtype)
    loss = jax.value_and_grad(lambda theta: jnp.mean((of(theta, x) - x) ** 2))
    return call(loss, network([2, 200, 200, 1], dtype))


def energy_gradient(dtype):
    theta = network([2, 200, 200, 1], dtype)
    return call(jax.grad(energy, argnums=1), theta, jnp.asarray([0.1, 0.2], dtype))


def spring():
    """States (M, T, 2) of H = q^2 + p^2 on [0, 3], their derivatives, and the step."""
    t = np.linspace(0, 3, POINTS)
    phase = np.linspace(0, 6, TRAJECTORIES)[:, None]
    radius = np.linspace(0.1, 1, TRAJECTORIES)[:, None]
    x = np.stack([radius * np.cos(2 * t + phase), -radius * np.sin(2 * t + phase)], axis=-1)
    x = jnp.asarray(x, jnp.float32)
    return x, jnp.stack([2 * x[..., 1], -2 * x[..., 0]], axis=-1), jnp.float32(t[1])


def adam_step(loss, theta, decay):
    """A step of Adam at the rate 1e-3, that takes itself along."""

    def step(theta, m, v, count):
        value, g = jax.value_and_grad(loss)(theta)
        g = jax.tree.map(lambda g, w: g + decay * w, g, theta)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        c1, c2 = 1 - 0.9**count, 1 - 0.999**count
        update = lambda w, m, v: w - 1e-3 * (m / c1) / (jnp.sqrt(v / c2) + 1e-8)
        return jax.tree.map(update, theta, m, v), m, v, count + 1, value

    compiled = jax.jit(step)
    zeros = jax.tree.map(jnp.zeros_like, theta)
    state = [theta, zeros, zeros, jnp.float32(1)]

    def run():
        *state[:], value = compiled(*state)
        value.block_until_ready()

    return run


def hnn_step(form, loss_of):
    field = field_by(FORMS[form])

    def rk4(theta, x, dt):
        k1 = field(theta, x)
        k2 = field(theta, x + dt / 2 * k1)
        k3 = field(theta, x + dt / 2 * k2)
        k4 = field(theta, x + dt * k3)
        return x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    x, dx, dt = spring()

    def derivative(theta):
        return jnp.mean((field(theta, x) - dx) ** 2)

    def one_step(theta):
        return derivative(theta) + jnp.mean((rk4(theta, x[:, :-1], dt) - x[:, 1:]) ** 2)

    def trajectory(theta):
        def step(x, _):
            x = rk4(theta, x, dt)
            return x, x

        states = jax.lax.scan(step, x[:, 0], None, length=POINTS - 1)[1]
        return derivative(theta) + jnp.mean((states - jnp.swapaxes(x[:, 1:], 0, 1)) ** 2)

    losses = {"derivative": derivative, "one-step": one_step, "trajectory": trajectory}
    return adam_step(losses[loss_of], network([2, 200, 200, 1], jnp.float32), 1e-4)


def lagrangian_field(theta, x):
    """Euler-Lagrange of one state."""
    of = lambda x: energy(theta, x, jax.nn.softplus)
    g, h = jax.grad(of)(x), jax.hessian(of)(x)
    n = x.shape[0] // 2
    a = jnp.linalg.solve(h[n:, n:], g[:n] - h[n:, :n] @ x[n:])
    return jnp.concatenate([x[n:], a])


def double_pendulum(kind):
    rng = np.random.default_rng(0)
    x, dx = (jnp.asarray(rng.normal(size=(512, 4)), jnp.float32) for _ in range(2))
    fields = {"HNN": field_by(gradient_mapped), "LNN": jax.vmap(lagrangian_field, (None, 0))}
    loss = lambda theta: jnp.mean((fields[kind](theta, x) - dx) ** 2)
    return adam_step(loss, network([4, 200, 200, 1], jnp.float32), 0.0)


def acceleration():
    x = jnp.asarray([0.1, 0.2, -0.3, 0.4], jnp.float32)
    return call(lagrangian_field, network([4, 200, 200, 1], jnp.float32), x)


def rollout(solver):
    import diffrax

    layers = [(jnp.asarray(w), b if b is None else jnp.asarray(b)) for w, b in model.layers()]

    def vector_field(_, x, theta):
        g = jax.grad(lambda x: energy(theta, x))(x)
        return jnp.stack([g[1], -g[0]])

    def solve(theta, x0):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(vector_field), getattr(diffrax, solver)(), 0.0, 20.0, None, x0, theta,
            stepsize_controller=diffrax.PIDController(rtol=1e-9, atol=1e-9), max_steps=100_000,
        ).ys

    return call(solve, layers, jnp.asarray([1.0, 0.0]))


def cases():
    made = {}
    for dtype, name in [(jnp.float32, "f32"), (jnp.float64, "f64")]:
        made[f"energy-gradient {name}"] = lambda dtype=dtype: energy_gradient(dtype)
        for batch in BATCHES:
            for form in FORMS:
                arguments = (form, batch, dtype)
                made[f"gradient {name} {batch}: {form}"] = lambda a=arguments: gradient(*a)
                made[f"field {name} {batch}: {form}"] = lambda a=arguments: field(*a)
    for loss in ["derivative", "one-step", "trajectory"]:
        for form in FORMS:
            made[f"step {loss}: {form}"] = lambda form=form, loss=loss: hnn_step(form, loss)
    for kind in ["HNN", "LNN"]:
        made[f"double pendulum {kind}"] = lambda kind=kind: double_pendulum(kind)
    made["acceleration LNN"] = acceleration
    for solver in ["Dopri8", "Dopri5", "Tsit5"]:
        made[f"rollout: diffrax {solver}"] = lambda solver=solver: rollout(solver)
    return made


serve(f"JAX {jax.__version__}", cases())
