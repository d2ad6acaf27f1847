//! Weights of sums that stand for integrals and derivatives, for steps of any size.

/// Points that each interval's integrand is interpolated through.
const STENCIL: usize = 6;

/// Weights `w` with `sum w_k f(t_k)` the integral of `f` over all of `times`, exact for polynomials
/// of degree 5: over each interval the polynomial through the six nearest points.
pub(crate) fn integral_weights(times: &[f64]) -> Vec<f64> {
    let mut weights = vec![0.0; times.len()];
    for interval in 0..times.len().saturating_sub(1) {
        add_interval(times, interval, &mut weights);
    }
    weights
}

/// Adds the weights of the integral over one interval.
pub(crate) fn add_interval(times: &[f64], interval: usize, weights: &mut [f64]) {
    let points = STENCIL.min(times.len());
    let first = (interval + 1).saturating_sub(points / 2).min(times.len() - points);
    let (from, to) = (times[interval], times[interval + 1]);
    let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
    // Three Gauss points integrate the interpolant exactly.
    let offset = 0.6_f64.sqrt();
    for (node, weight) in [(-offset, 5.0 / 9.0), (0.0, 8.0 / 9.0), (offset, 5.0 / 9.0)] {
        let stencil = &times[first..first + points];
        for k in 0..points {
            weights[first + k] += half * weight * lagrange(stencil, k, middle + half * node);
        }
    }
}

/// Lagrange's polynomial `k` of these nodes at `t`.
pub(super) fn lagrange(nodes: &[f64], k: usize, t: f64) -> f64 {
    let others = nodes.iter().enumerate().filter(|(j, _)| *j != k);
    others.map(|(_, node)| (t - node) / (nodes[k] - node)).product()
}

/// Weights of the derivative at `times[at]` of the polynomial through `times`.
pub(crate) fn derivative_weights(times: &[f64], at: usize) -> Vec<f64> {
    let t = times[at];
    let slope = |k: usize| {
        let others =
            |skip: usize| times.iter().enumerate().filter(move |(j, _)| *j != k && *j != skip);
        let denominator: f64 = others(k).map(|(_, node)| times[k] - node).product();
        let terms = (0..times.len()).filter(|&skip| skip != k);
        terms.map(|skip| others(skip).map(|(_, node)| t - node).product::<f64>()).sum::<f64>()
            / denominator
    };
    (0..times.len()).map(slope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: [f64; 8] = [0.0, 0.3, 0.35, 0.9, 1.4, 1.5, 2.2, 3.0];

    #[test]
    fn polynomials_are_integrated_exactly() {
        for count in 2..=TIMES.len() {
            let times = &TIMES[..count];
            let weights = integral_weights(times);
            for degree in 0..count.min(6) as i32 {
                let sum: f64 = weights.iter().zip(times).map(|(w, t)| w * t.powi(degree)).sum();
                let exact = times[count - 1].powi(degree + 1) / f64::from(degree + 1);
                assert!((sum - exact).abs() < 1e-12 * exact, "degree {degree}, {count} points");
            }
        }
    }

    #[test]
    fn polynomials_are_differentiated_exactly() {
        let times = &TIMES[2..7];
        for at in 0..5 {
            let weights = derivative_weights(times, at);
            for degree in 1..5 {
                let sum: f64 = weights.iter().zip(times).map(|(w, t)| w * t.powi(degree)).sum();
                let exact = f64::from(degree) * times[at].powi(degree - 1);
                assert!((sum - exact).abs() < 1e-11, "degree {degree} at {at}");
            }
        }
    }
}
