//! Separable Hamiltonians.

use super::{SplittingRun, fused};
use crate::simd::{Isa, Kernel, dispatch};
use crate::{AnalyticField, FieldError, Lane, LaneState, Scalar, VectorField, Wide, Workspace};

/// A field of a separable Hamiltonian `H = T(p) + V(q, t)`: the velocity depends on the momenta
/// alone, the force on the positions (and the time) alone. The state is `[q_1..q_n, p_1..p_n]`.
pub trait Separable<T: Scalar>: VectorField<T> {
    /// `velocity = grad T(p)`; both hold `n * B` numbers, coordinate-major.
    ///
    /// # Errors
    /// As [`VectorField::eval`].
    fn velocity(
        &self,
        p: &[T],
        velocity: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// `force = -grad V(q, t)` for the `B = t.len()` states; `q` and `force` hold `n * B` numbers,
    /// coordinate-major.
    ///
    /// # Errors
    /// As [`VectorField::eval`].
    fn force(
        &self,
        t: &[T],
        q: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// Takes many equal steps of a splitting method in one fused kernel, where the field has one
    /// (every [`AnalyticSeparable`] does). Returns whether it did; otherwise the states are
    /// untouched.
    fn advance_splitting(&self, run: &mut SplittingRun<'_, T>) -> bool {
        let _ = run;
        false
    }
}

/// A separable Hamiltonian given by formulas, written once for every lane type. It is then
/// [`Separable`] for `f32` and `f64`.
///
/// ```
/// use hnn_integrators::{AnalyticField, AnalyticSeparable, FixedStep, Lane, VelocityVerlet};
/// use ndarray::array;
/// /// `H = p^2/2 - cos q`.
/// struct Pendulum;
/// impl AnalyticField for Pendulum {
///     type State<L: Lane> = [L; 2];
///     #[inline(always)]
///     fn eval_lanes<L: Lane>(&self, t: L, [q, p]: &[L; 2]) -> [L; 2] {
///         [self.velocity_lanes(&[*p])[0], self.force_lanes(t, &[*q])[0]]
///     }
/// }
/// impl AnalyticSeparable for Pendulum {
///     type Half<L: Lane> = [L; 1];
///     #[inline(always)]
///     fn velocity_lanes<L: Lane>(&self, p: &[L; 1]) -> [L; 1] {
///         *p
///     }
///     #[inline(always)]
///     fn force_lanes<L: Lane>(&self, _t: L, [q]: &[L; 1]) -> [L; 1] {
///         [-q.sin()]
///     }
/// }
/// let energy = |q: f64, p: f64| 0.5 * p * p - q.cos();
/// let run = FixedStep::size(VelocityVerlet, 0.01);
/// let end = run.run(&Pendulum, (0.0, 100.0), array![[1.0, 0.0]].view())?;
/// let [q, p] = [end.last()[[0, 0]], end.last()[[0, 1]]];
/// assert!((energy(q, p) - energy(1.0, 0.0)).abs() < 1.1e-5);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
pub trait AnalyticSeparable: AnalyticField {
    /// `[L; n]`, half of a state.
    type Half<L: Lane>: LaneState<L>;

    /// `grad T(p)`. Mark it `#[inline(always)]`: it is compiled for each instruction set.
    fn velocity_lanes<L: Lane>(&self, p: &Self::Half<L>) -> Self::Half<L>;

    /// `-grad V(q, t)`. Mark it `#[inline(always)]`.
    fn force_lanes<L: Lane>(&self, t: L, q: &Self::Half<L>) -> Self::Half<L>;
}

impl<T: Scalar, F: AnalyticSeparable> Separable<T> for F {
    fn velocity(
        &self,
        p: &[T],
        velocity: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let n = <F::Half<T> as LaneState<T>>::DIM;
        let batch = p.len() / n.max(1);
        let slices = [("the momenta", p.len()), ("the velocities", velocity.len())];
        FieldError::check_lengths(n * batch, slices)?;
        dispatch(EvalHalf { field: self, batch, t: None, x: p, out: velocity });
        Ok(())
    }

    fn force(
        &self,
        t: &[T],
        q: &[T],
        force: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the positions", q.len()), ("the forces", force.len())];
        FieldError::check_lengths(<F::Half<T> as LaneState<T>>::DIM * t.len(), slices)?;
        dispatch(EvalHalf { field: self, batch: t.len(), t: Some(t), x: q, out: force });
        Ok(())
    }

    fn advance_splitting(&self, run: &mut SplittingRun<'_, T>) -> bool {
        fused::advance(self, run)
    }
}

/// The force where there is a time, else the velocity.
struct EvalHalf<'a, T, F> {
    field: &'a F,
    batch: usize,
    t: Option<&'a [T]>,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Scalar, F: AnalyticSeparable> Kernel for EvalHalf<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let batch = self.batch;
        for row in (0..batch).step_by(16) {
            let of = |i: usize| i * batch + row..(i + 1) * batch;
            let x = F::Half::from_fn(|i| Wide::<T, 16, I>::load_padded(&self.x[of(i)]));
            let y = match self.t {
                Some(t) => self.field.force_lanes(Wide::load_padded(&t[row..]), &x),
                None => self.field.velocity_lanes(&x),
            };
            for (i, lane) in y.as_ref().iter().enumerate() {
                lane.store_padded(&mut self.out[of(i)]);
            }
        }
    }
}
