//! The passes through the layers that every exact formula is made of.
//!
//! A hidden quantity of layer `l` with `H_l` units has shape `(H_l, B)`; those of all hidden
//! layers follow each other in one slice.

use std::ops::Range;

use hnn_integrators::simd::{Isa, Kernel, dispatch};
use hnn_integrators::{Lane, Scalar, ThetaBar, Wide};

use super::elementwise::{add_product, product};
use super::{Layer, Mlp, linalg};

impl Layer {
    /// Where this layer's units lie in a slice of all hidden units.
    pub(super) fn units(&self, batch: usize) -> Range<usize> {
        self.unit * batch..(self.unit + self.rows) * batch
    }

    pub(super) fn shape(&self, batch: usize) -> (usize, usize, usize) {
        (self.rows, self.cols, batch)
    }
}

impl<T: Scalar> Mlp<T> {
    /// Forward through the hidden layers: `a_l = sigma(W_l a_(l-1) + b_l)`, and the first `N`
    /// derivatives of sigma there.
    pub(super) fn forward<const N: usize>(
        &self,
        batch: usize,
        x: &[T],
        a: &mut [T],
        mut derivatives: [&mut [T]; N],
    ) {
        let mut input = x;
        let mut rest = a;
        for layer in self.split_layers().0 {
            let (a, next) = rest.split_at_mut(layer.rows * batch);
            linalg::affine(a, self.weights(layer), self.bias(layer), input, layer.shape(batch));
            let units = layer.units(batch);
            let out = derivatives.each_mut().map(|d| &mut d[units.clone()]);
            self.architecture.activation().apply(a, out);
            if let Some(dropout) = &self.dropout {
                // A factor of sigma is one of its derivatives, too.
                dropout.apply(layer.unit, batch, a);
                for derivative in &mut derivatives {
                    dropout.apply(layer.unit, batch, &mut derivative[units.clone()]);
                }
            }
            (input, rest) = (a, next);
        }
    }

    /// The last layer: `y = W a_L + b`.
    pub(super) fn output(&self, batch: usize, x: &[T], a: &[T], y: &mut [T]) {
        let (hidden, output) = self.split_layers();
        let input = hidden.last().map_or(x, |layer| &a[layer.units(batch)]);
        linalg::affine(y, self.weights(output), self.bias(output), input, output.shape(batch));
    }

    /// Tangent through the hidden layers along `x_dot`: `at_units(units, z_dot)` turns
    /// `z_dot_l = W_l a_dot_(l-1)` into `a_dot_l = s1_l * z_dot_l` in place.
    pub(super) fn tangent(
        &self,
        batch: usize,
        x_dot: &[T],
        a_dot: &mut [T],
        mut at_units: impl FnMut(Range<usize>, &mut [T]),
    ) {
        let mut input = x_dot;
        let mut rest = a_dot;
        for layer in self.split_layers().0 {
            let (a_dot, next) = rest.split_at_mut(layer.rows * batch);
            linalg::affine(a_dot, self.weights(layer), None, input, layer.shape(batch));
            at_units(layer.units(batch), a_dot);
            (input, rest) = (a_dot, next);
        }
    }

    /// Reverse through the hidden layers, from the last to the first, ending in `x_bar`.
    ///
    /// `start(r)` gives the cotangent of the last hidden layer's output (of `x` if there is no
    /// hidden layer); `at_units(units, r, d)` makes the cotangent `d_l` of the layer's
    /// preactivation of it; the next `r` is `W_l^T d_l`. `scratch` holds `widest * B` numbers.
    pub(super) fn reverse(
        &self,
        batch: usize,
        scratch: &mut [T],
        x_bar: &mut [T],
        d: &mut [T],
        start: impl FnOnce(&mut [T]),
        mut at_units: impl FnMut(Range<usize>, &[T], &mut [T]),
    ) {
        let hidden = self.split_layers().0;
        let Some(last) = hidden.last() else { return start(x_bar) };
        start(&mut scratch[..last.rows * batch]);
        for (index, layer) in hidden.iter().enumerate().rev() {
            let units = layer.units(batch);
            let d = &mut d[units.clone()];
            at_units(units, &scratch[..layer.rows * batch], d);
            let below = if index == 0 { &mut *x_bar } else { &mut scratch[..layer.cols * batch] };
            linalg::transposed(below, self.weights(layer), d, layer.shape(batch));
        }
    }

    /// Reverse through the hidden layers for the cotangents `zeta_l` of the preactivations, where nothing
    /// but what stands in `zeta` depends on them: `zeta_(l-1) += s1_(l-1) * W_l^T zeta_l`, ending in
    /// `x_bar = W_1^T zeta_1`. `scratch` holds `widest * B` numbers.
    pub(super) fn reverse_values(
        &self,
        batch: usize,
        scratch: &mut [T],
        x_bar: &mut [T],
        zeta: &mut [T],
        s1: &[T],
    ) {
        let hidden = self.split_layers().0;
        let transposed = |out: &mut [T], layer: &Layer, zeta: &[T]| {
            linalg::transposed(out, self.weights(layer), zeta, layer.shape(batch));
        };
        for pair in hidden.windows(2).rev() {
            let (units, rho) = (pair[0].units(batch), &mut scratch[..pair[1].cols * batch]);
            transposed(rho, &pair[1], &zeta[pair[1].units(batch)]);
            add_product(&mut zeta[units.clone()], [rho, &s1[units]]);
        }
        match hidden.first() {
            Some(first) => transposed(x_bar, first, &zeta[first.units(batch)]),
            None => x_bar.fill(T::ZERO),
        }
    }

    /// Reverse through the hidden layers of a one-output network: the cotangents `r_l = dy/da_l` and
    /// `d_l = r_l * s1_l`, and the gradient.
    pub(super) fn reverse_output(
        &self,
        batch: usize,
        s1: &[T],
        [r, d]: [&mut [T]; 2],
        gradient: &mut [T],
    ) {
        let hidden = self.split_layers().0;
        let Some(last) = hidden.last() else {
            return self.broadcast_output_weights(batch, gradient);
        };
        self.broadcast_output_weights(batch, &mut r[last.units(batch)]);
        for (index, layer) in hidden.iter().enumerate().rev() {
            let units = layer.units(batch);
            let d = &mut d[units.clone()];
            product(d, [&r[units.clone()], &s1[units]]);
            let below = match index {
                0 => &mut *gradient,
                _ => &mut r[hidden[index - 1].units(batch)],
            };
            linalg::transposed(below, self.weights(layer), d, layer.shape(batch));
        }
    }

    /// Adds `d_l a_(l-1)^T` to the weights' cotangents of the hidden layers.
    pub(super) fn add_weight_gradients(
        &self,
        batch: usize,
        x: &[T],
        a: &[T],
        d: &[T],
        theta_bar: &mut ThetaBar<'_, T>,
    ) {
        let mut input = x;
        for layer in self.split_layers().0 {
            let w_bar = theta_bar.reborrow().part(layer.weights());
            linalg::add_outer(w_bar, &d[layer.units(batch)], input, layer.shape(batch));
            input = &a[layer.units(batch)];
        }
    }

    /// Adds `d_l` to the biases' cotangents of the hidden layers.
    pub(super) fn add_bias_gradients(
        &self,
        batch: usize,
        d: &[T],
        theta_bar: &mut ThetaBar<'_, T>,
    ) {
        for layer in self.split_layers().0 {
            let b_bar = theta_bar.reborrow().part(layer.biases());
            linalg::add_row_sums(b_bar, &d[layer.units(batch)], batch);
        }
    }

    /// The row of the last layer of a one-output network, each weight repeated over the batch.
    pub(super) fn broadcast_output_weights(&self, batch: usize, r: &mut [T]) {
        let w = self.weights(self.split_layers().1).rows;
        r.chunks_exact_mut(batch.max(1)).zip(w).for_each(|(row, w)| row.fill(*w));
    }
}

/// `out[row] = sum over units of a * b * c`, each of shape (units, B), with `B = out.len()`.
pub(super) fn unit_sums<T: Scalar>(out: &mut [T], factors: [&[T]; 3]) {
    struct UnitSums<'a, T> {
        out: &'a mut [T],
        factors: [&'a [T]; 3],
    }
    impl<T: Scalar> Kernel for UnitSums<'_, T> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            let [a, b, c] = self.factors;
            let batch = self.out.len();
            self.out.fill(T::ZERO);
            if batch == 1 {
                self.out[0] = triple_dot::<T, I>(a, b, c);
                return;
            }
            let rows = a.chunks_exact(batch).zip(b.chunks_exact(batch)).zip(c.chunks_exact(batch));
            for ((a, b), c) in rows {
                for i in 0..batch {
                    self.out[i] += a[i] * b[i] * c[i];
                }
            }
        }
    }
    if !out.is_empty() {
        dispatch(UnitSums { out, factors });
    }
}

/// `sum of a * b * c`.
#[inline(always)]
fn triple_dot<T: Scalar, I: Isa>(a: &[T], b: &[T], c: &[T]) -> T {
    let mut sum = Wide::<T, 16, I>::splat(T::ZERO);
    let whole = a.len() - a.len() % 16;
    for i in (0..whole).step_by(16) {
        sum = (Wide::load(&a[i..]) * Wide::load(&b[i..])).mul_add(Wide::load(&c[i..]), sum);
    }
    let tail = (whole..a.len()).map(|i| a[i] * b[i] * c[i]);
    sum.0.into_iter().chain(tail).fold(T::ZERO, |sum, product| sum + product)
}

/// `out = sum over k of coefficients_k * z_k`: `out` and each of the K `z_k` have shape (units, B),
/// each of the K coefficients shape (B), repeated over the units.
pub(super) fn combine<T: Scalar>(out: &mut [T], z: &[T], coefficients: &[T]) {
    struct Combine<'a, T> {
        out: &'a mut [T],
        z: &'a [T],
        coefficients: &'a [T],
    }
    impl<T: Scalar> Kernel for Combine<'_, T> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            let terms = self.z.len() / self.out.len().max(1);
            let batch = self.coefficients.len() / terms.max(1);
            let each = self.z.chunks_exact(self.out.len().max(1));
            for (k, (z, coefficients)) in
                each.zip(self.coefficients.chunks_exact(batch)).enumerate()
            {
                let rows = self.out.chunks_exact_mut(batch).zip(z.chunks_exact(batch));
                for (out, z) in rows {
                    for i in 0..batch {
                        let sum = if k == 0 { T::ZERO } else { out[i] };
                        out[i] = sum + coefficients[i] * z[i];
                    }
                }
            }
        }
    }
    if !out.is_empty() {
        dispatch(Combine { out, z, coefficients });
    }
}
