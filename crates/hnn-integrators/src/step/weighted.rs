//! Weighted sums of slopes.

use crate::Scalar;

/// `out = x + dt sum_j weights_j slopes_j`, each row with its own `dt`. `slopes` holds the
/// stages one after the other, each laid out as `x`.
pub(crate) fn add_scaled_stages<T: Scalar>(
    x: &[T],
    dt: &[T],
    weights: &[f64],
    slopes: &[T],
    out: &mut [T],
) {
    out.fill(T::ZERO);
    for (weight, slope) in weights.iter().zip(slopes.chunks_exact(x.len().max(1))) {
        if *weight != 0.0 {
            let weight = T::from_f64(*weight);
            out.iter_mut().zip(slope).for_each(|(out, slope)| *out += weight * *slope);
        }
    }
    let batch = dt.len().max(1);
    for (out, x) in out.chunks_exact_mut(batch).zip(x.chunks_exact(batch)) {
        for ((out, x), dt) in out.iter_mut().zip(x).zip(dt) {
            *out = *x + *dt * *out;
        }
    }
}

/// `out += weight x`.
pub(crate) fn add_scaled<T: Scalar>(weight: T, x: &[T], out: &mut [T]) {
    if weight != T::ZERO {
        out.iter_mut().zip(x).for_each(|(out, x)| *out += weight * *x);
    }
}
