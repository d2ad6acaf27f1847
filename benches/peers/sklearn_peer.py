"""LASSO paths by scikit-learn, whose regressions it writes for benches/engine/lasso.rs.

Objective |X w - y|^2 / (2 n) + lambda |w|_1 with columns of root mean square 1, 100 lambdas from lambda_max down.
`features`: 20 000 x 44, the gradients of monomials up to degree 8 in (q, p), to lambda_max / 1e3; `features far`:
the same to 1e5; `correlated`: 4000 x 1000 normal, AR(1) 0.5, to 1e3. scikit-learn uses its Gram path
(precompute=True) at tol 1e-6.
"""

import os

import numpy as np
import sklearn
from sklearn.linear_model import lasso_path

from serve import serve


def features(points, rng):
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


def correlated(rho, rng, n=4000, m=1000, active=50):
    x = rng.standard_normal((n, m))
    for j in range(1, m):
        x[:, j] = rho * x[:, j - 1] + np.sqrt(1 - rho**2) * x[:, j]
    w = np.zeros(m)
    w[rng.choice(m, active, replace=False)] = rng.standard_normal(active)
    y = x @ w
    return x, y + 0.5 * y.std() * rng.standard_normal(n)


def regression(name):
    rng = np.random.default_rng(0)
    x, y = correlated(0.5, rng) if name.endswith("correlated") else features(10_000, rng)
    return x / np.sqrt((x**2).mean(0)), y


def write(name):
    for what, numbers in zip("xy", regression(name)):
        file = os.path.join(os.environ["HNN_PEERS"], f"{name}.{what}.f64")
        np.ascontiguousarray(numbers, "<f8").tofile(file)


def path(name, share):
    x, y = regression(name)
    x = np.asfortranarray(x)

    def run():
        alphas = np.abs(x.T @ y).max() / len(y) * share ** (np.arange(100) / 99)
        lasso_path(x, y, alphas=alphas, precompute=True, tol=1e-6, max_iter=100000)

    return run


shares = {"lasso features": 1e-3, "lasso features far": 1e-5, "lasso correlated": 1e-3}
for name in shares:
    write(name)
makers = {name: lambda name=name, share=share: path(name, share) for name, share in shares.items()}
serve(f"scikit-learn {sklearn.__version__}", makers)
