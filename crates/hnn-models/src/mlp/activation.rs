//! Activations and their exact derivatives.

use hnn_integrators::simd::{Baseline, Isa, Kernel, dispatch};
use hnn_integrators::{Lane, Scalar, Wide};
use serde::{Deserialize, Serialize};

/// A smooth activation `sigma(z)`, with its first three derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Activation {
    /// `tanh z`.
    Tanh,
    /// `ln(1 + e^z)`.
    Softplus,
    /// `sin z`.
    Sin,
    /// `1 / (1 + e^-z)`.
    Sigmoid,
    /// `z / (1 + e^-z)` (Ramachandran et al. 2017; also called SiLU).
    Swish,
}

impl Activation {
    /// All activations.
    pub const ALL: [Self; 5] = [Self::Tanh, Self::Softplus, Self::Sin, Self::Sigmoid, Self::Swish];

    /// `[sigma(z), sigma'(z), sigma''(z), sigma'''(z)]`.
    ///
    /// ```
    /// use hnn_models::Activation;
    /// let [value, slope, ..] = Activation::Tanh.derivatives(0.0_f64);
    /// assert_eq!((value, slope), (0.0, 1.0));
    /// ```
    #[inline(always)]
    pub fn derivatives<L: Lane>(self, z: L) -> [L; 4] {
        let c = L::constant;
        match self {
            Self::Tanh => {
                let a = z.tanh();
                let square = a * a;
                let s1 = c(1.0) - square;
                [a, s1, c(-2.0) * a * s1, s1 * (c(6.0) * square - c(2.0))]
            }
            Self::Sin => {
                let (sin, cos) = z.sin_cos();
                [sin, cos, -sin, -cos]
            }
            Self::Sigmoid => sigmoid(z),
            Self::Softplus => {
                let [s, s1, s2, _] = sigmoid(z);
                let size = z.abs();
                let positive_part = (z + size) * c(0.5);
                [positive_part + (-size).exp().ln_1p(), s, s1, s2]
            }
            Self::Swish => {
                let [s, s1, s2, s3] = sigmoid(z);
                [z * s, s + z * s1, c(2.0) * s1 + z * s2, c(3.0) * s2 + z * s3]
            }
        }
    }

    /// Replaces `z` by `sigma(z)` and writes the first `N` derivatives.
    pub(crate) fn apply<T: Scalar, const N: usize>(self, z: &mut [T], out: [&mut [T]; N]) {
        let z = Apply { z, out };
        match self {
            Self::Tanh => dispatch(Formula::<T, N, 0>(z)),
            Self::Softplus => dispatch(Formula::<T, N, 1>(z)),
            Self::Sin => dispatch(Formula::<T, N, 2>(z)),
            Self::Sigmoid => dispatch(Formula::<T, N, 3>(z)),
            Self::Swish => dispatch(Formula::<T, N, 4>(z)),
        }
    }

    const fn from_index(index: usize) -> Self {
        [Self::Tanh, Self::Softplus, Self::Sin, Self::Sigmoid, Self::Swish][index]
    }
}

#[inline(always)]
fn sigmoid<L: Lane>(z: L) -> [L; 4] {
    let one = L::constant(1.0);
    let s = one / (one + (-z).exp());
    let s1 = s * (one - s);
    [s, s1, s1 * (one - s - s), s1 * (one - L::constant(6.0) * s1)]
}

struct Apply<'a, T, const N: usize> {
    z: &'a mut [T],
    out: [&'a mut [T]; N],
}

/// The activation as a constant, so that each kernel holds one formula and no branch.
struct Formula<'a, T, const N: usize, const INDEX: usize>(Apply<'a, T, N>);

impl<T: Scalar, const N: usize, const INDEX: usize> Kernel for Formula<'_, T, N, INDEX> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Apply { z, mut out } = self.0;
        let activation = const { Activation::from_index(INDEX) };
        if !I::FMA {
            return all_derivatives::<T, INDEX>(z, &mut out);
        }
        // No `map` of arrays: the compiler does not always inline that.
        for out in &mut out {
            *out = &mut std::mem::take(out)[..z.len()];
        }
        // One number an iteration: the compiler makes vectors of it, and better ones than of
        // lanes (which it takes apart and shuffles).
        for i in 0..z.len() {
            let [value, derivatives @ ..] = activation.derivatives(Wide::<T, 1, I>::new([z[i]]));
            z[i] = value.0[0];
            for k in 0..N {
                out[k][i] = derivatives[k].0[0];
            }
        }
    }
}

/// For processors without FMA, few by now: all derivatives, whichever are wanted, so that it is compiled once
/// for every number of them.
#[inline(never)]
fn all_derivatives<T: Scalar, const INDEX: usize>(z: &mut [T], out: &mut [&mut [T]]) {
    const BLOCK: usize = 64;
    let activation = const { Activation::from_index(INDEX) };
    let mut all = [[T::ZERO; BLOCK]; 3];
    for (block, z) in z.chunks_mut(BLOCK).enumerate() {
        for i in 0..z.len() {
            let lane = Wide::<T, 1, Baseline>::new([z[i]]);
            let [value, derivatives @ ..] = activation.derivatives(lane);
            z[i] = value.0[0];
            for k in 0..3 {
                all[k][i] = derivatives[k].0[0];
            }
        }
        for (out, all) in out.iter_mut().zip(&all) {
            out[block * BLOCK..][..z.len()].copy_from_slice(&all[..z.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel for old processors, which no other processor dispatches to, over whole blocks and a rest.
    #[test]
    fn without_fma_the_numbers_are_those_of_the_formulas() {
        let start = Vec::from_iter((0..150).map(|i| 0.1 * f64::from(i) - 7.0));
        for index in 0..Activation::ALL.len() {
            let (mut z, mut s1, mut s2) = (start.clone(), vec![0.0; 150], vec![0.0; 150]);
            let mut out = [&mut s1[..], &mut s2];
            match index {
                0 => all_derivatives::<f64, 0>(&mut z, &mut out),
                1 => all_derivatives::<f64, 1>(&mut z, &mut out),
                2 => all_derivatives::<f64, 2>(&mut z, &mut out),
                3 => all_derivatives::<f64, 3>(&mut z, &mut out),
                _ => all_derivatives::<f64, 4>(&mut z, &mut out),
            }
            for i in 0..start.len() {
                let activation = Activation::from_index(index);
                let lane = Wide::<f64, 1, Baseline>::new([start[i]]);
                let [value, first, second, _] = activation.derivatives(lane).map(|d| d.0[0]);
                assert_eq!([z[i], s1[i], s2[i]], [value, first, second], "{activation:?} at {i}");
            }
        }
    }
}
