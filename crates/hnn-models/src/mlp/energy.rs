//! A perceptron with one output as an energy: exact formulas for its gradient, and for the
//! derivatives of that gradient.
//!
//! With `r_l = dH/da_l` and `d_l = r_l * s1_l` (one reverse pass), `g = grad_x H = W_1^T d_1`.
//! For fixed directions `w`, `w . g = D_w H` is the derivative of `H` along `w`: one tangent pass,
//! `z_dot_l = W_l a_dot_(l-1)`, `a_dot_l = s1_l * z_dot_l`, `a_dot_0 = w`. The cotangents of the
//! tangent stream are the `r_l`, `d_l` that made `g`; those of the value stream are
//! `zeta_l = rho_l * s1_l + r_l * z_dot_l * s2_l`, `rho_(l-1) = W_l^T zeta_l`, `rho_L = 0`. So
//!
//! `W_l_bar = zeta_l a_(l-1)^T + d_l a_dot_(l-1)^T`, `b_l_bar = sum zeta_l`,
//! `w_bar = sum a_dot_L` for the output weights, and `Hess(H) w = W_1^T zeta_1`:
//! six matrix products for a hidden layer, in all.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace, compiled_here};

use super::blocks::in_blocks;
use super::elementwise::elementwise_all;
use super::{Mlp, linalg};
use crate::sections::sections;
use crate::{DifferentiableEnergy, Keep, ModelError, Record};

/// The hidden quantities, each of `hidden units * B` numbers.
struct Sections<'a, T> {
    a: &'a mut [T],
    s1: &'a mut [T],
    /// sigma'' when recorded, `zeta` in the pull-back.
    s2: &'a mut [T],
    r: &'a mut [T],
    d: &'a mut [T],
    a_dot: &'a mut [T],
    /// `widest * B` numbers.
    scratch: &'a mut [T],
}

impl<T: Scalar> Mlp<T> {
    fn energy_len(&self, batch: usize) -> usize {
        (6 * self.hidden_units() + self.widest()) * batch
    }

    fn energy_sections<'a>(&self, batch: usize, buffer: &'a mut [T]) -> Sections<'a, T> {
        let hidden = self.hidden_units() * batch;
        let mut take = sections(buffer);
        Sections {
            a: take(hidden),
            s1: take(hidden),
            s2: take(hidden),
            r: take(hidden),
            d: take(hidden),
            a_dot: take(hidden),
            scratch: take(self.widest() * batch),
        }
    }

    /// The gradient, and nothing kept.
    fn plain_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) {
        let hidden = self.hidden_units() * batch;
        let mut take = sections(workspace.split(3 * hidden).0);
        // The cotangents take the place of the activations, which the gradient does not need.
        let (d, s1, r) = (take(hidden), take(hidden), take(hidden));
        self.forward(batch, x, d, [s1]);
        self.reverse_output(batch, s1, [r, d], gradient);
    }

    fn energy_of(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        self.check_states(batch, [("the states", x.len())])?;
        self.check_outputs(batch, [("the energies", batch)])?;
        in_blocks(batch, x, energy, workspace, &mut |batch, x, energy, workspace| {
            let (a, _) = workspace.split(self.hidden_units() * batch);
            self.forward(batch, x, a, []);
            self.output(batch, x, a, energy);
        });
        Ok(())
    }

    fn gradient_of(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Record<T>>,
    ) -> Result<(), FieldError> {
        self.check_states(batch, [("the states", x.len()), ("the gradients", gradient.len())])?;
        match keep {
            Keep::Nothing(workspace) => {
                in_blocks(batch, x, gradient, workspace, &mut |batch, x, gradient, workspace| {
                    self.plain_gradient(batch, x, gradient, workspace);
                });
            }
            Keep::Residuals(record) => {
                let (buffer, ()) = record.begin(batch, self.energy_len(batch));
                let Sections { a, s1, s2, r, d, .. } = self.energy_sections(batch, buffer);
                self.forward(batch, x, a, [s1, s2]);
                self.reverse_output(batch, s1, [r, d], gradient);
            }
        }
        Ok(())
    }

    fn pull_gradient_back(
        &self,
        x: &[T],
        residuals: &mut Record<T>,
        w: &[T],
        x_bar: &mut [T],
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        let (expected, slices) = (self.architecture.input_dim() * batch, [x, w, &*x_bar]);
        FieldError::check_cotangents(expected, slices)?;
        theta_bar.check(self.theta.len(), batch)?;
        let (buffer, ()) = residuals.recorded(self.energy_len(batch))?;
        let Sections { a, s1, s2, r, d, a_dot, scratch } = self.energy_sections(batch, buffer);
        self.tangent(batch, w, a_dot, |units, z_dot| {
            let out = [&mut s2[units.clone()], z_dot];
            let inputs = [&r[units.clone()], &s1[units]];
            elementwise_all(out, inputs, |[s2, z_dot], [r, s1]| [r * s2 * z_dot, z_dot * s1]);
        });
        let zeta = s2;
        self.reverse_values(batch, scratch, x_bar, zeta, s1);
        if theta_bar.is_wanted() {
            self.add_weight_gradients(batch, x, a, zeta, &mut theta_bar);
            self.add_weight_gradients(batch, w, a_dot, d, &mut theta_bar);
            self.add_bias_gradients(batch, zeta, &mut theta_bar);
            let (hidden, output) = self.split_layers();
            let last = hidden.last().map_or(w, |layer| &a_dot[layer.units(batch)]);
            linalg::add_row_sums(theta_bar.part(output.weights()), last, batch);
        }
        Ok(())
    }
}

impl<T: Scalar> DifferentiableEnergy<T> for Mlp<T> {
    type Residuals = Record<T>;

    fn check(&self) -> Result<(), ModelError> {
        let given = self.architecture.output_dim();
        if given == 1 {
            return Ok(());
        }
        Err(ModelError::OutputSize { role: "energy", given, expected: 1 })
    }

    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        type Method<T> = fn(&Mlp<T>, &[T], &mut [T], &mut Workspace<T>) -> Result<(), FieldError>;
        compiled_here!(T => Method<T>, Mlp::energy_of)(self, x, energy, workspace)
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Record<T>>,
    ) -> Result<(), FieldError> {
        type Method<T> =
            fn(&Mlp<T>, usize, &[T], &mut [T], Keep<'_, T, Record<T>>) -> Result<(), FieldError>;
        compiled_here!(T => Method<T>, Mlp::gradient_of)(self, batch, x, gradient, keep)
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Record<T>,
        w: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        type Method<T> = fn(
            &Mlp<T>,
            &[T],
            &mut Record<T>,
            &[T],
            &mut [T],
            ThetaBar<'_, T>,
        ) -> Result<(), FieldError>;
        compiled_here!(T => Method<T>, Mlp::pull_gradient_back)(
            self, x, residuals, w, x_bar, theta_bar,
        )
    }
}
