//! Products and sums of vectors.

use hnn_integrators::simd::{Isa, Kernel, dispatch};
use hnn_integrators::{Lane, Scalar, Wide};

const LANES: usize = 16;

/// `a . b`, in `f64`.
pub(crate) fn dot<T: Scalar>(a: &[T], b: &[f64]) -> f64 {
    dispatch(Dot { a, b })
}

/// `y += factor x`, in `f64`.
pub(crate) fn axpy<T: Scalar>(factor: f64, x: &[T], y: &mut [f64]) {
    dispatch(Axpy { factor, x, y });
}

/// The first numbers of a slice, in `f64`.
#[inline(always)]
fn load<T: Scalar, I: Isa>(slice: &[T]) -> Wide<f64, LANES, I> {
    let mut values = [0.0; LANES];
    for i in 0..LANES {
        values[i] = slice[i].to_f64();
    }
    Wide::new(values)
}

struct Dot<'a, T> {
    a: &'a [T],
    b: &'a [f64],
}

impl<T: Scalar> Kernel for Dot<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let mut sums = Wide::<f64, LANES, I>::splat(0.0);
        let (a, b) = (self.a.chunks_exact(LANES), self.b.chunks_exact(LANES));
        let rest = a.remainder().iter().zip(b.remainder());
        let rest: f64 = rest.map(|(a, b)| a.to_f64() * b).sum();
        for (a, b) in a.zip(b) {
            sums = load::<T, I>(a).mul_add(Wide::load(b), sums);
        }
        sums.0.iter().sum::<f64>() + rest
    }
}

struct Axpy<'a, T> {
    factor: f64,
    x: &'a [T],
    y: &'a mut [f64],
}

impl<T: Scalar> Kernel for Axpy<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let factor = Wide::<f64, LANES, I>::splat(self.factor);
        let mut x = self.x.chunks_exact(LANES);
        let mut y = self.y.chunks_exact_mut(LANES);
        for (x, y) in (&mut x).zip(&mut y) {
            factor.mul_add(load::<T, I>(x), Wide::load(y)).store(y);
        }
        for (x, y) in x.remainder().iter().zip(y.into_remainder()) {
            *y += self.factor * x.to_f64();
        }
    }
}
