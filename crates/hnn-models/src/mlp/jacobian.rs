//! A perceptron as a map with its Jacobian: one tangent pass for each input, and the pull-back of
//! derivatives along directions.
//!
//! For `y_dot_bar . D_t N` with t fixed the tangent stream's cotangents are those of
//! back-propagation, `r_L = W^T y_dot_bar`, `d_l = r_l * s1_l`, `r_(l-1) = W_l^T d_l`, and the
//! value's are `zeta_l = rho_l * s1_l + r_l * s2_l * z_l(t)`, as for an
//! [energy](super::energy); tangents along any direction are sums of the recorded ones.

use hnn_integrators::{FieldError, Scalar, ThetaBar, compiled_here};

use super::elementwise::{add_product, add_triple_product, product, scale};
use super::passes::combine;
use super::{Mlp, linalg};
use crate::sections::sections;
use crate::{JacobianMap, Keep, Record};

/// The hidden quantities, each of `hidden units * B` numbers.
struct Sections<'a, T> {
    a: &'a mut [T],
    s1: &'a mut [T],
    s2: &'a mut [T],
    /// Tangents along each input.
    z: &'a mut [T],
    z_t: &'a mut [T],
    d: &'a mut [T],
    zeta: &'a mut [T],
    /// `widest * B` numbers.
    scratch: &'a mut [T],
    /// D * B numbers.
    direction: &'a mut [T],
}

impl<T: Scalar> Mlp<T> {
    fn jacobian_len(&self, batch: usize) -> usize {
        let inputs = self.architecture.input_dim();
        ((6 + inputs) * self.hidden_units() + self.widest() + inputs) * batch
    }

    fn jacobian_sections<'a>(&self, batch: usize, buffer: &'a mut [T]) -> Sections<'a, T> {
        let hidden = self.hidden_units() * batch;
        let inputs = self.architecture.input_dim();
        let mut take = sections(buffer);
        Sections {
            a: take(hidden),
            s1: take(hidden),
            s2: take(hidden),
            z: take(inputs * hidden),
            z_t: take(hidden),
            d: take(hidden),
            zeta: take(hidden),
            scratch: take(self.widest() * batch),
            direction: take(inputs * batch),
        }
    }

    /// Adds `y_bar a^T` to the output layer's weights.
    pub(super) fn add_output_gradients(
        &self,
        batch: usize,
        x: &[T],
        a: &[T],
        y_bar: &[T],
        theta_bar: &mut ThetaBar<'_, T>,
    ) {
        let (hidden, output) = self.split_layers();
        let last = hidden.last().map_or(x, |layer| &a[layer.units(batch)]);
        let w_bar = theta_bar.reborrow().part(output.weights());
        linalg::add_outer(w_bar, y_bar, last, output.shape(batch));
    }

    fn jacobian_of(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        jacobian: &mut [T],
        keep: Keep<'_, T, Record<T>>,
    ) -> Result<(), FieldError> {
        self.check_jacobian(batch, x, y, jacobian)?;
        let (buffer, _) = keep.split(batch, self.jacobian_len(batch));
        let Sections { a, s1, s2, z, d: a_dot, direction, .. } =
            self.jacobian_sections(batch, buffer);
        self.forward(batch, x, a, [s1, s2]);
        self.output(batch, x, a, y);
        let (hidden, output) = self.split_layers();
        for (j, y_dot) in jacobian.chunks_exact_mut(y.len().max(1)).enumerate() {
            direction.fill(T::ZERO);
            direction[j * batch..(j + 1) * batch].fill(T::ONE);
            let z = &mut z[j * a_dot.len()..(j + 1) * a_dot.len()];
            self.tangent(batch, direction, a_dot, |units, z_dot| {
                z[units.clone()].copy_from_slice(z_dot);
                scale(z_dot, &s1[units]);
            });
            let last = hidden.last().map_or(&*direction, |layer| &a_dot[layer.units(batch)]);
            linalg::affine(y_dot, self.weights(output), None, last, output.shape(batch));
        }
        Ok(())
    }

    fn pull_jacobian_back(
        &self,
        x: &[T],
        residuals: &mut Record<T>,
        y_bar: &[T],
        tangents: &[(&[T], &[T])],
        x_bar: &mut [T],
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        self.check_jacobian_vjp(batch, x, y_bar, tangents, x_bar)?;
        theta_bar.check(self.theta.len(), batch)?;
        let (buffer, ()) = residuals.recorded(self.jacobian_len(batch))?;
        let Sections { a, s1, s2, z, z_t, d, zeta, scratch, .. } =
            self.jacobian_sections(batch, buffer);
        let output = self.split_layers().1;
        let back = |y_bar: &[T], r: &mut [T]| {
            linalg::transposed(r, self.weights(output), y_bar, output.shape(batch));
        };
        zeta.fill(T::ZERO);
        for (direction, y_dot_bar) in tangents {
            combine(z_t, z, direction);
            let start = |r: &mut [T]| back(y_dot_bar, r);
            self.reverse(batch, scratch, x_bar, d, start, |units, r, d| {
                let (s2, z_t) = (&s2[units.clone()], &z_t[units.clone()]);
                product(d, [r, &s1[units.clone()]]);
                add_triple_product(&mut zeta[units], [r, s2, z_t]);
            });
            if theta_bar.is_wanted() {
                scale(z_t, s1);
                self.add_weight_gradients(batch, direction, z_t, d, &mut theta_bar);
                self.add_output_gradients(batch, direction, z_t, y_dot_bar, &mut theta_bar);
            }
        }
        let start = |rho: &mut [T]| back(y_bar, rho);
        self.reverse(batch, scratch, x_bar, zeta, start, |units, rho, zeta| {
            add_product(zeta, [rho, &s1[units]]);
        });
        self.add_weight_gradients(batch, x, a, zeta, &mut theta_bar);
        self.add_bias_gradients(batch, zeta, &mut theta_bar);
        self.add_output_gradients(batch, x, a, y_bar, &mut theta_bar);
        if output.has_bias {
            linalg::add_row_sums(theta_bar.part(output.biases()), y_bar, batch);
        }
        Ok(())
    }
}

impl<T: Scalar> JacobianMap<T> for Mlp<T> {
    type JacobianResiduals = Record<T>;

    fn jacobian(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        jacobian: &mut [T],
        keep: Keep<'_, T, Record<T>>,
    ) -> Result<(), FieldError> {
        type Method<T> = fn(
            &Mlp<T>,
            usize,
            &[T],
            &mut [T],
            &mut [T],
            Keep<'_, T, Record<T>>,
        ) -> Result<(), FieldError>;
        compiled_here!(T => Method<T>, Mlp::jacobian_of)(self, batch, x, y, jacobian, keep)
    }

    fn jacobian_vjp(
        &self,
        x: &[T],
        residuals: &mut Record<T>,
        y_bar: &[T],
        tangents: &[(&[T], &[T])],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        type Method<T> = fn(
            &Mlp<T>,
            &[T],
            &mut Record<T>,
            &[T],
            &[(&[T], &[T])],
            &mut [T],
            ThetaBar<'_, T>,
        ) -> Result<(), FieldError>;
        compiled_here!(T => Method<T>, Mlp::pull_jacobian_back)(
            self, x, residuals, y_bar, tangents, x_bar, theta_bar,
        )
    }
}
