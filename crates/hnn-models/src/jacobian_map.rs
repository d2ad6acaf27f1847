//! Maps with their Jacobian, and the pull-back through it.

use hnn_integrators::{FieldError, Scalar, ThetaBar};

use crate::{DifferentiableMap, Keep};

/// A map `y = N(x; theta)` that also gives its Jacobian, and pulls cotangents of derivatives along
/// directions back.
///
/// ```
/// use hnn_integrators::Workspace;
/// use hnn_models::{Architecture, Initialisation, JacobianMap, Keep, Mlp};
/// let map = Mlp::<f64>::new(Architecture::new(&[2, 8, 3])?, Initialisation::Orthogonal, 0);
/// let (x, mut y, mut jacobian) = ([0.1, 0.2], [0.0; 3], [0.0; 6]);
/// let workspace = &mut Workspace::default();
/// map.jacobian(1, &x, &mut y, &mut jacobian, Keep::Nothing(workspace))?;
/// // The derivatives by the first input, then those by the second.
/// let mut moved = [0.0; 3];
/// let h = 1e-6;
/// map.jacobian(1, &[0.1, 0.2 + h], &mut moved, &mut [0.0; 6], Keep::Nothing(workspace))?;
/// assert!(((moved[2] - y[2]) / h - jacobian[5]).abs() < 1e-5);
/// // Every implementor says the same to slices that do not fit.
/// let error = map.check_jacobian(1, &x, &y, &jacobian[..5]).expect_err("too short");
/// assert_eq!(error.to_string(), "the Jacobians hold 5 numbers, but 6 are needed: pass 6");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait JacobianMap<T: Scalar>: DifferentiableMap<T> {
    /// What an evaluation of the Jacobian keeps for its pull-back.
    type JacobianResiduals: Default + Send + 'static;

    /// Checks the lengths of the slices that [`jacobian`](Self::jacobian) takes.
    ///
    /// # Errors
    /// If one has another length.
    fn check_jacobian(
        &self,
        batch: usize,
        x: &[T],
        y: &[T],
        jacobian: &[T],
    ) -> Result<(), FieldError> {
        self.check_eval(batch, x, y)?;
        FieldError::check_lengths(self.input_dim() * y.len(), [("the Jacobians", jacobian.len())])
    }

    /// Checks the lengths of the slices that [`jacobian_vjp`](Self::jacobian_vjp) takes, for
    /// `batch` recorded rows.
    ///
    /// # Errors
    /// If one has another length.
    fn check_jacobian_vjp(
        &self,
        batch: usize,
        x: &[T],
        y_bar: &[T],
        tangents: &[(&[T], &[T])],
        x_bar: &[T],
    ) -> Result<(), FieldError> {
        let [inputs, outputs] = [self.input_dim(), self.output_dim()].map(|each| each * batch);
        let states = [("the states", x.len()), ("the states' cotangents", x_bar.len())];
        FieldError::check_lengths(inputs, states)?;
        FieldError::check_lengths(outputs, [("the cotangents", y_bar.len())])?;
        for (direction, y_dot_bar) in tangents {
            FieldError::check_lengths(inputs, [("the directions", direction.len())])?;
            FieldError::check_lengths(outputs, [("the directions' cotangents", y_dot_bar.len())])?;
        }
        Ok(())
    }

    /// `y = N(x)` and `dy/dx`, for `batch` rows. With K outputs and D inputs, dy_k/dx_j of all
    /// rows lies at `(j * K + k) * B`.
    ///
    /// # Errors
    /// If the engine fails.
    fn jacobian(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        jacobian: &mut [T],
        keep: Keep<'_, T, Self::JacobianResiduals>,
    ) -> Result<(), FieldError>;

    /// Pulls `phi = y_bar . N(x) + sum over j of tangents[j].1 . (dN/dx) tangents[j].0` back, for
    /// cotangents (K * B) and directions (D * B) held fixed: **overwrites** `x_bar`, and **adds**
    /// `dphi/dtheta` to `theta_bar`, summed over the rows or row by row.
    /// May be called once for each recording: it may overwrite the residuals.
    ///
    /// # Errors
    /// If the engine fails.
    fn jacobian_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::JacobianResiduals,
        y_bar: &[T],
        tangents: &[(&[T], &[T])],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError>;
}
