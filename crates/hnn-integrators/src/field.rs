//! Vector fields over batches of states.

use ndarray::{Array2, ArrayView2};

use crate::{AdaptiveRun, ExplicitRun, FieldError, Scalar, Workspace};

/// A dynamics `dx/dt = f(t, x)` over a batch of states; object-safe.
///
/// Implemented by every system, every learned model and by closures. `D = dim()` coordinates;
/// canonical systems order them `[q_1..q_n, p_1..p_n]`, Lagrangian ones `[q, v]`.
pub trait VectorField<T: Scalar>: Send + Sync {
    /// Dimension `D` of the state.
    fn dim(&self) -> usize;

    /// `dx = f(t, x)` for a batch.
    ///
    /// `t` holds the time of each of the `B = t.len()` states; `x` and `dx` hold `D * B` numbers,
    /// coordinate-major (see the [crate's page](crate)).
    ///
    /// # Errors
    /// If a slice has another length ([`FieldError::check_lengths`]), where the field is undefined,
    /// or if its engine fails.
    fn eval(
        &self,
        t: &[T],
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// Takes many equal steps of an explicit method in one fused kernel, where the field has one
    /// (every [`AnalyticField`](crate::AnalyticField) does). Returns whether it did; otherwise
    /// the states are untouched, and the caller steps through [`eval`](Self::eval).
    fn advance_explicit(&self, run: &mut ExplicitRun<'_, T>) -> bool {
        let _ = run;
        false
    }

    /// Integrates a block of trajectories adaptively in one fused kernel, where the field has one
    /// (every [`AnalyticField`](crate::AnalyticField) does). Returns whether it did; otherwise
    /// nothing is touched.
    fn solve_adaptive(&self, run: &mut AdaptiveRun<'_, T>) -> bool {
        let _ = run;
        false
    }

    /// How many states a block should hold when a large batch is cut into blocks: enough to fill
    /// the vector units, few enough to stay in cache. An engine with threads of its own answers
    /// `usize::MAX`.
    fn block_len(&self) -> usize {
        128
    }
}

/// Conveniences for [`VectorField`], with shapes checked.
pub trait VectorFieldExt<T: Scalar>: VectorField<T> {
    /// `f(t, x)` for one state.
    ///
    /// # Errors
    /// If `x` has another dimension than the field, or the field's own error.
    fn eval_state(&self, t: T, x: &[T]) -> Result<Vec<T>, FieldError> {
        check_dimension(self.dim(), x.len())?;
        let mut dx = vec![T::ZERO; x.len()];
        self.eval(&[t], x, &mut dx, &mut Workspace::default())?;
        Ok(dx)
    }

    /// `f(t, x)` for states of shape (B, D), a row a state, at one time.
    ///
    /// # Errors
    /// If the rows have another dimension than the field, or the field's own error.
    fn eval_rows(&self, t: T, x: ArrayView2<'_, T>) -> Result<Array2<T>, FieldError> {
        check_dimension(self.dim(), x.ncols())?;
        let lanes = coordinate_major(x);
        let mut dx = vec![T::ZERO; lanes.len()];
        let times = vec![t; x.nrows()];
        self.eval(&times, &lanes, &mut dx, &mut Workspace::default())?;
        Ok(rows(&dx, x.nrows(), x.ncols()))
    }
}

impl<T: Scalar, F: VectorField<T> + ?Sized> VectorFieldExt<T> for F {}

/// Copies states of shape (B, D) into one coordinate-major slice.
pub fn coordinate_major<T: Scalar>(x: ArrayView2<'_, T>) -> Vec<T> {
    x.t().iter().copied().collect()
}

/// Copies a coordinate-major slice into an array of shape (B, D).
///
/// `lanes` must hold `batch * dim` numbers.
pub fn rows<T: Scalar>(lanes: &[T], batch: usize, dim: usize) -> Array2<T> {
    Array2::from_shape_fn((batch, dim), |(row, i)| lanes[i * batch + row])
}

pub(crate) fn check_dimension(expected: usize, given: usize) -> Result<(), FieldError> {
    if given == expected { Ok(()) } else { Err(FieldError::Dimension { given, expected }) }
}
