"""How the cost of an HNN grows with the number of states, with JAX (pip: jax, numpy), the same as
benches/batch_sizes.rs.

2-200-200-1, tanh, f32 and f64, one thread: the gradient of the derivative loss, and the field, each in the
faster of two forms: the gradient of one state's energy mapped over the states, and of the sum of
all states' energies.

    taskset -c 0 python benches/peers/batch_sizes.py [--quick]
"""

import os
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
ROUNDS = 3 if "--quick" in sys.argv else 15
BATCHES = [1, 8, 32, 750, 4096]
STATES = 8192


def network(dtype):
    rng = np.random.default_rng(0)
    sizes = [2, 200, 200, 1]
    layer = lambda m, n: (rng.normal(size=(m, n)) / np.sqrt(n), rng.normal(size=m) / np.sqrt(n))
    layers = [layer(m, n) for n, m in zip(sizes, sizes[1:])]
    return jax.tree.map(lambda a: jnp.asarray(a, dtype), layers)


def energies(theta, x):
    for w, b in theta[:-1]:
        x = jnp.tanh(x @ w.T + b)
    return x @ theta[-1][0][0]


def of_sum(theta, x):
    g = jax.grad(lambda x: jnp.sum(energies(theta, x)))(x)
    return jnp.stack([g[:, 1], -g[:, 0]], axis=1)


def mapped(theta, x):
    g = jax.vmap(jax.grad(energies, argnums=1), (None, 0))(theta, x)
    return jnp.stack([g[:, 1], -g[:, 0]], axis=1)


def forms(field):
    loss = lambda theta, x: jnp.mean((field(theta, x) - x) ** 2)
    return {"gradient": jax.jit(jax.value_and_grad(loss)), "field": jax.jit(field)}


def main():
    entries = []
    for dtype in [np.float32, np.float64]:
        for batch in BATCHES:
            theta = network(dtype)
            x = np.sin(np.arange(batch)[:, None] + 1.5 * np.arange(2))
            x = jnp.asarray(x, dtype)
            for field in [of_sum, mapped]:
                for name, run in forms(field).items():
                    name = f"{name} f{8 * np.dtype(dtype).itemsize}"
                    entries.append((name, batch, run, theta, x, []))
    for round in range(ROUNDS + 1):
        for name, batch, run, theta, x, times in entries:
            count = min(max(STATES // batch, 1), 200)
            begin = time.process_time()
            for _ in range(count):
                jax.block_until_ready(run(theta, x))
            if round > 0:
                times.append(1e6 * (time.process_time() - begin) / count)
    print(f"median of {ROUNDS} rounds, the faster form, microseconds:")
    best = {}
    for name, batch, _, _, _, times in entries:
        best[name, batch] = min(best.get((name, batch), np.inf), np.median(times))
    for (name, batch), median in best.items():
        print(f"  {name} {batch:<12} {median:11.1f}")


if __name__ == "__main__":
    main()
