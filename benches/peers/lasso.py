"""LASSO paths: this project beside scikit-learn, one thread, alternating rounds.

    pip install numpy scikit-learn
    cargo build --release -p hnn-sparse --example lasso_path
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benches/peers/lasso.py

Objective |X w - y|^2 / (2 n) + lambda |w|_1 with columns of root mean square 1, 100 lambdas from
lambda_max down. Cases: (i) 20 000 x 44, the gradients of monomials up to degree 8 in (q, p), to
lambda_max / 1e3; (i5) the same to 1e5; (ii) 4000 x 1000 normal, AR(1) 0.5, to 1e3; (ii-b) 0.95.
scikit-learn uses its Gram path (precompute=True) at tol 1e-6. Ours runs at a gap of 1e-12 in (i),
and of 1e-6 in (ii); `tight` is 1e-12 everywhere. Prints seconds (medians) and the largest gap
relative to |y|^2 / 2n.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
from sklearn.linear_model import lasso_path

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
BINARY = os.path.join(TARGET, "release", "examples", "lasso_path")
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5


def identification(points, rng):
    """Rows of a quartic oscillator H = p^2/2 + q^4/4 - q^2/2 with 5 % noise on its derivatives."""
    q, p = rng.uniform(-1.5, 1.5, points), rng.uniform(-1.5, 1.5, points)
    columns = []
    for degree in range(1, 9):
        for b in range(degree + 1):
            a = degree - b
            by_q = a * q ** max(a - 1, 0) * p**b
            by_p = b * q**a * p ** max(b - 1, 0)
            columns.append(np.concatenate([by_p, -by_q]))
    target = np.concatenate([p, q - q**3])
    return np.stack(columns, 1), target + 0.05 * target.std() * rng.standard_normal(2 * points)


def autoregressive(rho, rng, n=4000, m=1000, active=50):
    x = rng.standard_normal((n, m))
    for j in range(1, m):
        x[:, j] = rho * x[:, j - 1] + np.sqrt(1 - rho**2) * x[:, j]
    w = np.zeros(m)
    w[rng.choice(m, active, replace=False)] = rng.standard_normal(active)
    y = x @ w
    return x, y + 0.5 * y.std() * rng.standard_normal(n)


def sklearn_path(x, y, share):
    start = time.perf_counter()
    alphas = np.abs(x.T @ y).max() / len(y) * share ** (np.arange(100) / 99)
    _, w, _ = lasso_path(x, y, alphas=alphas, precompute=True, tol=1e-6, max_iter=100000)
    return time.perf_counter() - start, alphas, w


def largest_gap(x, y, alphas, w):
    n, gaps = len(y), []
    for k, alpha in enumerate(alphas):
        residual = y - x @ w[:, k]
        gradient = x.T @ residual / n
        scale = min(1.0, alpha / np.abs(gradient).max())
        gap = (1 - scale) ** 2 * residual @ residual / (2 * n)
        gap += np.sum(alpha * np.abs(w[:, k]) - scale * gradient * w[:, k])
        gaps.append(gap / (y @ y / (2 * n)))
    return max(gaps)


def ours(folder, x, share, tolerance):
    command = [BINARY, folder, str(x.shape[0]), str(x.shape[1]), repr(share), repr(tolerance)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    rng = np.random.default_rng(0)
    first = identification(10_000, rng)
    cases = [
        ("i", first, 1e-3, 1e-12),
        ("i5", first, 1e-5, 1e-12),
        ("ii", autoregressive(0.5, rng), 1e-3, 1e-6),
        ("ii-b", autoregressive(0.95, rng), 1e-3, 1e-6),
    ]
    for name, (x, y), share, tolerance in cases:
        x = np.ascontiguousarray(x / np.sqrt((x**2).mean(0)))
        fortran = np.asfortranarray(x)
        with tempfile.TemporaryDirectory() as folder:
            x.astype("<f8").tofile(os.path.join(folder, "x.f64"))
            y.astype("<f8").tofile(os.path.join(folder, "y.f64"))
            theirs, mine, tight = [], [], []
            for _ in range(ROUNDS):
                seconds, alphas, w = sklearn_path(fortran, y, share)
                theirs.append(seconds)
                mine.append(ours(folder, x, share, tolerance))
                tight.append(ours(folder, x, share, 1e-12))
        middle = lambda runs: sorted(runs, key=lambda run: run["seconds"])[len(runs) // 2]
        report = {
            "case": name,
            "sklearn_seconds": float(np.median(theirs)),
            "sklearn_gap": float(largest_gap(x, y, alphas, w)),
            "ours": middle(mine),
            "tight": middle(tight),
        }
        report["speedup"] = report["sklearn_seconds"] / report["ours"]["seconds"]
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
