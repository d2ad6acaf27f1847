//! Formulas of one unit and one row at a time, compiled for each instruction set.

use hnn_integrators::Scalar;
use hnn_integrators::simd::{Isa, Kernel, dispatch};

/// `out *= factor`.
pub(super) fn scale<T: Scalar>(out: &mut [T], factor: &[T]) {
    elementwise(out, [factor], |out, [factor]| out * factor);
}

/// `out = a * b`.
pub(super) fn product<T: Scalar>(out: &mut [T], factors: [&[T]; 2]) {
    elementwise(out, factors, |_, [a, b]| a * b);
}

/// `out += a * b`.
pub(super) fn add_product<T: Scalar>(out: &mut [T], factors: [&[T]; 2]) {
    elementwise(out, factors, |out, [a, b]| out + a * b);
}

/// `out += a * b * c`.
pub(super) fn add_triple_product<T: Scalar>(out: &mut [T], factors: [&[T]; 3]) {
    elementwise(out, factors, |out, [a, b, c]| out + a * b * c);
}

/// `out[i] = f(out[i], [inputs_1[i], ..])`. Each closure is a kernel of its own: what several
/// formulas need is a function above.
pub(super) fn elementwise<T: Scalar, const N: usize>(
    out: &mut [T],
    inputs: [&[T]; N],
    f: impl Fn(T, [T; N]) -> T,
) {
    elementwise_all([out], inputs, |[out], inputs| [f(out, inputs)]);
}

/// `[out_1[i], ..] = f([out_1[i], ..], [inputs_1[i], ..])`, all outputs read before one is written.
pub(super) fn elementwise_all<T: Scalar, const M: usize, const N: usize>(
    out: [&mut [T]; M],
    inputs: [&[T]; N],
    f: impl Fn([T; M], [T; N]) -> [T; M],
) {
    struct Elementwise<'a, T, F, const M: usize, const N: usize> {
        out: [&'a mut [T]; M],
        inputs: [&'a [T]; N],
        f: F,
    }
    impl<T, F, const M: usize, const N: usize> Kernel for Elementwise<'_, T, F, M, N>
    where
        T: Scalar,
        F: Fn([T; M], [T; N]) -> [T; M],
    {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            // Loops of a fixed length, no `map` of arrays: the compiler does not always inline that,
            // and what is not inlined is no vector code.
            let Self { mut out, mut inputs, f } = self;
            let len = out[0].len();
            for out in &mut out {
                *out = &mut std::mem::take(out)[..len];
            }
            for input in &mut inputs {
                *input = &input[..len];
            }
            for i in 0..len {
                let (mut now, mut values) = ([T::ZERO; M], [T::ZERO; N]);
                for k in 0..M {
                    now[k] = out[k][i];
                }
                for k in 0..N {
                    values[k] = inputs[k][i];
                }
                let next = f(now, values);
                for k in 0..M {
                    out[k][i] = next[k];
                }
            }
        }
    }
    dispatch(Elementwise { out, inputs, f });
}
