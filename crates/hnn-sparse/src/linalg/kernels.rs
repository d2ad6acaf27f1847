//! Dot products and sums of vectors, for use inside kernels.

use hnn_integrators::simd::Isa;
use hnn_integrators::{Lane, Wide};

const LANES: usize = 8;

/// `a . b`, in eight partial sums. For use inside a [`Kernel`](hnn_integrators::simd::Kernel).
#[inline(always)]
pub(crate) fn dot_wide<I: Isa>(a: &[f64], b: &[f64]) -> f64 {
    let length = a.len().min(b.len());
    let whole = length - length % LANES;
    let mut sums = Wide::<f64, LANES, I>::splat(0.0);
    for at in (0..whole).step_by(LANES) {
        sums = Wide::load(&a[at..]).mul_add(Wide::load(&b[at..]), sums);
    }
    let mut sum = sums.0.iter().sum::<f64>();
    for at in whole..length {
        sum += a[at] * b[at];
    }
    sum
}

/// `y += factor x`. For use inside a [`Kernel`](hnn_integrators::simd::Kernel).
#[inline(always)]
pub(crate) fn axpy_wide<I: Isa>(factor: f64, x: &[f64], y: &mut [f64]) {
    let length = x.len().min(y.len());
    let whole = length - length % LANES;
    let wide_factor = Wide::<f64, LANES, I>::splat(factor);
    for at in (0..whole).step_by(LANES) {
        let sum = wide_factor.mul_add(Wide::load(&x[at..]), Wide::load(&y[at..]));
        sum.store(&mut y[at..]);
    }
    for at in whole..length {
        y[at] += factor * x[at];
    }
}
