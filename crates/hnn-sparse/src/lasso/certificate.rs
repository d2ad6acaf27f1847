//! Proofs of how far a solution is from optimal.

use super::scaled::Scaled;

/// How far a solution is from optimal, at most.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Certificate {
    /// The duality gap over `|y|^2 / (2 n)`: the objective exceeds its minimum by no more.
    ///
    /// With columns that are never penalised it holds to first order, since the dual point must be
    /// orthogonal to those.
    pub gap: f64,
    /// Worst violation of the optimality conditions (Karush, Kuhn, Tucker) over lambda, of columns
    /// scaled to root mean square 1.
    pub kkt: f64,
}

/// Certifies `u`, given `gradient = c - Q u` of every unknown.
///
/// With the residual `r` scaled down by `scale` to a feasible dual point, and the ridge as
/// additional rows, the gap is the sum of terms that are all small near the optimum:
/// `(1 - scale)^2 |r|^2 / 2 + sum of (threshold |u| - scale gradient u)`.
pub(crate) fn certify(scaled: &Scaled, lambda: f64, u: &[f64], gradient: &[f64]) -> Certificate {
    let mut scale = 1.0_f64;
    let mut kkt = 0.0_f64;
    let mut residual_square = scaled.target_square;
    for (a, (&u, &gradient)) in u.iter().zip(gradient).enumerate() {
        let (threshold, ridge) = (scaled.threshold(lambda, a), scaled.ridge(lambda, a));
        let inner = gradient - ridge * u;
        residual_square -= u * (scaled.c[a] + inner);
        if threshold > 0.0 {
            scale = scale.min(threshold / inner.abs());
        }
        let violation = if u == 0.0 {
            (inner.abs() - threshold).max(0.0)
        } else {
            (inner - threshold * u.signum()).abs()
        };
        kkt = kkt.max(violation);
    }
    // In scaled units |r|^2 = |y|^2 - u (c + gradient), plus ridge u^2.
    let mut gap = 0.5 * (1.0 - scale).powi(2) * residual_square.max(0.0);
    for (a, (&u, &gradient)) in u.iter().zip(gradient).enumerate() {
        let (threshold, ridge) = (scaled.threshold(lambda, a), scaled.ridge(lambda, a));
        gap += (threshold * u.abs() - scale * (gradient - ridge * u) * u).abs();
    }
    Certificate {
        gap: gap / (0.5 * scaled.target_square).max(f64::MIN_POSITIVE),
        kkt: kkt / lambda,
    }
}
