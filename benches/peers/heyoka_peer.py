"""The formulas of benches/engine/formulas.rs by heyoka's Taylor method, at a tolerance of 1e-9."""

import heyoka
import numpy as np
from heyoka import make_vars, sin, sqrt, taylor_adaptive, taylor_adaptive_batch

from serve import serve

MU = 0.012277471
ORBIT, PERIOD = [0.994, 0.0, 0.0, -2.0015851063790825], 17.06521656015796


def orbit():
    x, y, vx, vy = make_vars("x", "y", "vx", "vy")
    d1, d2 = (x + MU) ** 2 + y**2, (x - (1 - MU)) ** 2 + y**2
    w1, w2 = (1 - MU) / (d1 * sqrt(d1)), MU / (d2 * sqrt(d2))
    system = [
        (x, vx),
        (y, vy),
        (vx, x + 2.0 * vy - w1 * (x + MU) - w2 * (x - (1 - MU))),
        (vy, y - 2.0 * vx - (w1 + w2) * y),
    ]
    method = taylor_adaptive(system, ORBIT, tol=1e-9)

    def run():
        method.time = 0.0
        method.state[:] = ORBIT
        method.propagate_until(PERIOD)

    return run


def pendulums():
    q, p = make_vars("q", "p")
    phase = 0.618033988749895 * np.arange(1000)
    starts = np.stack([2 * (phase % 1) - 1, 0.5 + 0.4 * np.sin(3 * phase)])
    lanes = heyoka.recommended_simd_size()
    blocks = np.array_split(starts, range(lanes, 1000, lanes), axis=1)
    blocks = [np.ascontiguousarray(block) for block in blocks if block.shape[1] == lanes]
    rest = starts[:, len(blocks) * lanes :]
    batch = taylor_adaptive_batch([(q, p), (p, -sin(q))], np.zeros((2, lanes)), tol=1e-9)
    single = taylor_adaptive([(q, p), (p, -sin(q))], [0.0, 0.0], tol=1e-9)

    def run():
        for block in blocks:
            batch.set_time(0.0)
            batch.state[:] = block
            batch.propagate_until(10.0)
        for start in rest.T:
            single.time = 0.0
            single.state[:] = start
            single.propagate_until(10.0)

    return run


serve(f"heyoka {heyoka.__version__}", {"orbit": orbit, "pendulums": pendulums})
