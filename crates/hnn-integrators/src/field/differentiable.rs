//! Vector fields with a vector-Jacobian product.

use crate::{At, Bars, FieldError, Scalar, VectorField};

/// Whether a model computes for its training or for its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// For use: a deterministic function.
    #[default]
    Evaluation,
    /// For a training step: what is random in a model (dropout) is drawn anew for each step, as a
    /// function of the model's seed and the step, and stays the same within it.
    Training {
        /// The step, from 0.
        step: u64,
    },
}

/// Something with a flat vector of trainable parameters `theta`.
pub trait Parameters<T: Scalar> {
    /// Number of parameters `P`.
    fn num_params(&self) -> usize;

    /// Copies the flat parameter vector into `out` (length `P`).
    ///
    /// # Errors
    /// If `out` has another length, or the engine fails.
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError>;

    /// Replaces the parameters by `theta` (length `P`).
    ///
    /// # Errors
    /// If `theta` has another length, or the engine fails.
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError>;

    /// Switches between training and evaluation. A model made of others hands the mode on to them;
    /// one without anything random needs nothing.
    fn set_mode(&mut self, _mode: Mode) {}
}

/// A vector field `f(t, x, u; theta)` that trains: it can pull a cotangent back to the state and to
/// its parameters.
///
/// [`eval_recorded`](Self::eval_recorded) keeps in the residuals whatever
/// [`vjp`](Self::vjp) needs; one residuals object serves any number of calls, and is reused
/// without allocating.
pub trait DifferentiableField<T: Scalar>: VectorField<T> + Parameters<T> {
    /// What an evaluation keeps for its vector-Jacobian product. Empty when created, grown on
    /// first use.
    type Residuals: Default + Send + 'static;

    /// `dx = f(t, x, u)` as [`VectorField::eval`], keeping the residuals of the evaluation.
    ///
    /// # Errors
    /// As [`VectorField::eval`].
    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError>;

    /// The vector-Jacobian product at the recorded evaluation: for the cotangent `v` of `dx`
    /// (D * B, coordinate-major), **overwrites** `bars.x = (df/dx)^T v`, row by row, and **adds**
    /// `(df/du)^T v` to `bars.u`, row by row, and `(df/dtheta)^T v` to `bars.theta`, summed over the
    /// rows or row by row, where they are asked for.
    ///
    /// `x` must be the states that were recorded. May be called once for each recording.
    ///
    /// # Errors
    /// If a slice has another length ([`Bars::check`]), or the engine fails.
    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError>;
}
