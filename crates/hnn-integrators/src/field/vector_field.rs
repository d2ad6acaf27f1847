//! Vector fields over batches of states.

use ndarray::{Array2, ArrayView2};

use crate::kernel::Job;
use crate::{At, FieldError, Scalar, Signals, Workspace, compiled_here};

/// A dynamics `dx/dt = f(t, x, u)` over a batch of states; object-safe.
///
/// Implemented by every system, every learned model and by closures. `D = dim()` coordinates;
/// canonical systems order them `[q_1..q_n, p_1..p_n]`, Lagrangian ones `[q, v]`. `K = inputs()`
/// inputs `u`, none for most.
pub trait VectorField<T: Scalar>: Send + Sync {
    /// Dimension `D` of the state.
    fn dim(&self) -> usize;

    /// Number `K` of inputs.
    fn inputs(&self) -> usize {
        0
    }

    /// `dx = f(t, x, u)` for a batch.
    ///
    /// `at` holds the time and the `K` inputs of each of the `B = at.batch()` states; `x` and `dx`
    /// hold `D * B` numbers, coordinate-major (see the [crate's page](crate)).
    ///
    /// # Errors
    /// If a slice has another length ([`FieldError::check_lengths`]), where the field is undefined,
    /// or if its engine fails.
    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// How many states a block should hold when a large batch is cut into blocks: enough to fill
    /// the vector units, few enough to stay in cache. An engine with threads of its own answers
    /// `usize::MAX`.
    fn block_len(&self) -> usize {
        128
    }

    /// `f(t, x)` for one state of a field without inputs.
    ///
    /// # Errors
    /// If `x` has another dimension than the field, or the field's own error.
    fn eval_state(&self, t: T, x: &[T]) -> Result<Vec<T>, FieldError> {
        eval_state(self.dim(), t, x, &|at, x, dx, workspace| self.eval(at, x, dx, workspace))
    }

    /// `f(t, x)` for states of shape (B, D), a row a state, at one time, of a field without inputs.
    ///
    /// # Errors
    /// If the rows have another dimension than the field, or the field's own error.
    fn eval_rows(&self, t: T, x: ArrayView2<'_, T>) -> Result<Array2<T>, FieldError> {
        let rows = compiled_here!(T => EvalRows<T>, eval_rows);
        rows(self.dim(), t, x, &|at, x, dx, workspace| self.eval(at, x, dx, workspace))
    }

    /// What the inputs are, where the field comes with them ([`Driven`](crate::Driven)).
    #[doc(hidden)]
    fn signals(&self) -> Option<Signals<'_, T>> {
        None
    }

    /// Does a job in one kernel, where the field has one (every
    /// [`AnalyticField`](crate::AnalyticField) does); says whether it did. Otherwise nothing is
    /// touched.
    #[doc(hidden)]
    fn kernel(&self, _job: &mut Job<'_, T>) -> bool {
        false
    }
}

/// [`VectorField::eval`] of some field.
type Eval<'a, T> =
    &'a dyn Fn(At<'_, T>, &[T], &mut [T], &mut Workspace<T>) -> Result<(), FieldError>;

fn eval_state<T: Scalar>(
    dim: usize,
    t: T,
    x: &[T],
    eval: Eval<'_, T>,
) -> Result<Vec<T>, FieldError> {
    check_dimension(dim, x.len())?;
    let mut dx = vec![T::ZERO; x.len()];
    eval(At::time(&[t]), x, &mut dx, &mut Workspace::default())?;
    Ok(dx)
}

type EvalRows<T> = fn(usize, T, ArrayView2<'_, T>, Eval<'_, T>) -> Result<Array2<T>, FieldError>;

fn eval_rows<T: Scalar>(
    dim: usize,
    t: T,
    x: ArrayView2<'_, T>,
    eval: Eval<'_, T>,
) -> Result<Array2<T>, FieldError> {
    check_dimension(dim, x.ncols())?;
    let lanes = coordinate_major(x);
    let mut dx = vec![T::ZERO; lanes.len()];
    let times = vec![t; x.nrows()];
    eval(At::time(&times), &lanes, &mut dx, &mut Workspace::default())?;
    Ok(rows(&dx, x.nrows(), x.ncols()))
}

/// The methods of a [`VectorField`] that another one has.
macro_rules! field_of {
    (|$holder:ident| $field:expr) => {
        fn dim(&self) -> usize {
            let $holder = self;
            $field.dim()
        }

        fn inputs(&self) -> usize {
            let $holder = self;
            $field.inputs()
        }

        fn eval(
            &self,
            at: $crate::At<'_, T>,
            x: &[T],
            dx: &mut [T],
            workspace: &mut $crate::Workspace<T>,
        ) -> Result<(), $crate::FieldError> {
            let $holder = self;
            $field.eval(at, x, dx, workspace)
        }

        fn block_len(&self) -> usize {
            let $holder = self;
            $field.block_len()
        }

        fn signals(&self) -> Option<$crate::Signals<'_, T>> {
            let $holder = self;
            $field.signals()
        }

        fn kernel(&self, job: &mut $crate::kernel::Job<'_, T>) -> bool {
            let $holder = self;
            $field.kernel(job)
        }
    };
}
pub(super) use field_of;

/// A field that may be unsized, as one that may become an object.
pub(crate) struct ByReference<'a, F: ?Sized>(pub(crate) &'a F);

impl<T: Scalar, F: VectorField<T> + ?Sized> VectorField<T> for ByReference<'_, F> {
    field_of!(|holder| holder.0);
}

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
