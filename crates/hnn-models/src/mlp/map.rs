//! A perceptron as a map `y = N(x)`: forward, and one reverse pass (back-propagation).

use hnn_integrators::{FieldError, Scalar, ThetaBar, compiled_here};

use super::blocks::in_blocks;
use super::elementwise::product;
use super::{Mlp, linalg};
use crate::{DifferentiableMap, Keep, Record};

impl<T: Scalar> Mlp<T> {
    /// Activations, their slopes, and the cotangents, each `hidden units * B` numbers; then
    /// `widest * B` numbers of scratch.
    fn map_len(&self, batch: usize) -> usize {
        (3 * self.hidden_units() + self.widest()) * batch
    }

    fn outputs_of(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        keep: Keep<'_, T, Record<T>>,
    ) -> Result<(), FieldError> {
        self.check_eval(batch, x, y)?;
        match keep {
            Keep::Nothing(workspace) => {
                in_blocks(batch, x, y, workspace, &mut |batch, x, y, workspace| {
                    let (a, _) = workspace.split(self.hidden_units() * batch);
                    self.forward(batch, x, a, []);
                    self.output(batch, x, a, y);
                });
            }
            Keep::Residuals(record) => {
                let hidden = self.hidden_units() * batch;
                let (a, rest) = record.begin(batch, self.map_len(batch)).0.split_at_mut(hidden);
                self.forward(batch, x, a, [&mut rest[..hidden]]);
                self.output(batch, x, a, y);
            }
        }
        Ok(())
    }

    fn pull_outputs_back(
        &self,
        x: &[T],
        residuals: &mut Record<T>,
        y_bar: &[T],
        x_bar: &mut [T],
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        self.check_states(
            batch,
            [("the states", x.len()), ("the states' cotangents", x_bar.len())],
        )?;
        self.check_outputs(batch, [("the cotangents", y_bar.len())])?;
        theta_bar.check(self.theta.len(), batch)?;
        let hidden_len = self.hidden_units() * batch;
        let (a, rest) = residuals.recorded(self.map_len(batch))?.0.split_at_mut(hidden_len);
        let (s1, rest) = rest.split_at_mut(hidden_len);
        let (d, scratch) = rest.split_at_mut(hidden_len);
        let output = self.split_layers().1;
        self.reverse(
            batch,
            scratch,
            x_bar,
            d,
            |r| linalg::transposed(r, self.weights(output), y_bar, output.shape(batch)),
            |units, r, d| product(d, [r, &s1[units]]),
        );
        self.add_weight_gradients(batch, x, a, d, &mut theta_bar);
        self.add_bias_gradients(batch, d, &mut theta_bar);
        self.add_output_gradients(batch, x, a, y_bar, &mut theta_bar);
        if output.has_bias {
            linalg::add_row_sums(theta_bar.part(output.biases()), y_bar, batch);
        }
        Ok(())
    }
}

impl<T: Scalar> DifferentiableMap<T> for Mlp<T> {
    type Residuals = Record<T>;

    fn output_dim(&self) -> usize {
        self.architecture.output_dim()
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        keep: Keep<'_, T, Record<T>>,
    ) -> Result<(), FieldError> {
        type Method<T> =
            fn(&Mlp<T>, usize, &[T], &mut [T], Keep<'_, T, Record<T>>) -> Result<(), FieldError>;
        compiled_here!(T => Method<T>, Mlp::outputs_of)(self, batch, x, y, keep)
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Record<T>,
        y_bar: &[T],
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
        compiled_here!(T => Method<T>, Mlp::pull_outputs_back)(
            self, x, residuals, y_bar, x_bar, theta_bar,
        )
    }
}
