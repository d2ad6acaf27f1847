//! Explicit symplectic methods for separable Hamiltonians `H = T(p) + V(q, t)`.
//!
//! All are compositions of the two exact flows: the *drift* `q += a h grad T(p)` and the *kick*
//! `p -= b h grad V(q)`, in turn (Hairer, Lubich, Wanner, *Geometric Numerical Integration*, II.5
//! and V.3). Where a step ends as the next one begins, the two flows are merged, so that a force
//! is never evaluated twice.

mod adjoint;
mod blanes_moan;
mod differentiable_analytic;
mod euler;
mod fused;
mod kahan_li8;
mod pefrl;
mod reverse;
mod ruth3;
mod separable;
mod step;
mod verlet;
mod yoshida;

pub use adjoint::{DifferentiableSeparable, SplittingTape};
pub use blanes_moan::BlanesMoanSrkn6;
pub(crate) use differentiable_analytic::{Force, Velocity};
pub use euler::SymplecticEuler;
pub use fused::SplittingRun;
pub use kahan_li8::KahanLi8;
pub use pefrl::Pefrl;
pub use ruth3::Ruth3;
pub use separable::{AnalyticSeparable, Separable};
pub use verlet::{PositionVerlet, VelocityVerlet};
pub use yoshida::{Yoshida4, Yoshida6, Yoshida8};

/// Which of the two flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// `q += a h grad T(p)`.
    Drift,
    /// `p -= b h grad V(q)`.
    Kick,
}

impl Flow {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Drift => Self::Kick,
            Self::Kick => Self::Drift,
        }
    }
}

/// The coefficients of a splitting method: flows in turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Splitting<'a> {
    /// Name of the method.
    pub name: &'a str,
    /// Order of convergence.
    pub order: usize,
    /// The flow that comes first.
    pub first: Flow,
    /// Lengths of the flows in units of the step; those of each kind sum to 1.
    pub lengths: &'a [f64],
}

impl Splitting<'_> {
    /// Whether the method is its own inverse with the step reversed: then it is time-reversible,
    /// and of even order.
    #[must_use]
    pub fn is_symmetric(&self) -> bool {
        self.lengths.len() % 2 == 1 && self.lengths.iter().eq(self.lengths.iter().rev())
    }

    /// The flows of one step.
    pub(crate) fn flows(&self) -> impl DoubleEndedIterator<Item = (Flow, f64)> + ExactSizeIterator {
        let (first, second) = (self.first, self.first.other());
        self.lengths
            .iter()
            .enumerate()
            .map(move |(i, length)| (if i % 2 == 0 { first } else { second }, *length))
    }
}

/// An explicit symplectic method, given by its splitting: a [`Stepper`](crate::Stepper) for every
/// [`Separable`] field, and for no other.
///
/// ```compile_fail
/// use hnn_integrators::{FixedStep, FnField, VelocityVerlet};
/// use ndarray::array;
/// // A closure is not known to be separable.
/// let field = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| { dx[0] = x[1]; dx[1] = -x[0] });
/// let run = FixedStep::count(VelocityVerlet, 10).run(&field, (0.0, 1.0), array![[1.0, 0.0]].view());
/// ```
pub trait SplittingMethod: crate::Method {
    /// The coefficients.
    fn splitting(&self) -> Splitting<'_>;
}

/// Declares a splitting method of fixed coefficients: a unit struct with its documentation.
///
/// (A blanket implementation of `Stepper` for every `SplittingMethod` would collide with that for
/// every `ExplicitRungeKutta`.)
macro_rules! splitting_method {
    ($(#[$doc:meta])* $method:ident, $name:expr, $order:expr, $first:ident, $lengths:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $method;

        impl $crate::Method for $method {
            fn name(&self) -> &str {
                $name
            }
            fn order(&self) -> usize {
                $order
            }
        }

        impl $crate::symplectic::SplittingMethod for $method {
            fn splitting(&self) -> $crate::symplectic::Splitting<'_> {
                const LENGTHS: &[f64] = &$lengths;
                let first = $crate::symplectic::Flow::$first;
                $crate::symplectic::Splitting { name: $name, order: $order, first, lengths: LENGTHS }
            }
        }

        $crate::symplectic::splitting_stepper!($method);
    };
}
use splitting_method;

/// Makes a splitting method a stepper, with its adjoint.
macro_rules! splitting_stepper {
    ($method:ty) => {
        impl<T, F> $crate::Stepper<T, F> for $method
        where
            T: $crate::Scalar,
            F: $crate::Separable<T> + ?Sized,
        {
            fn step(
                &self,
                field: &F,
                t: &[T],
                dt: &[T],
                x: &[T],
                out: &mut [T],
                workspace: &mut $crate::Workspace<T>,
            ) -> Result<(), $crate::FieldError> {
                let states = [("the states", x.len()), ("the next states", out.len())];
                $crate::FieldError::check_step(field.dim(), (t, dt), states)?;
                out.copy_from_slice(x);
                self.advance(field, 1, t, dt, out, workspace)
            }

            fn advance(
                &self,
                field: &F,
                steps: usize,
                t: &[T],
                dt: &[T],
                x: &mut [T],
                workspace: &mut $crate::Workspace<T>,
            ) -> Result<(), $crate::FieldError> {
                use $crate::symplectic::{SplittingMethod, step};
                step::advance(self.splitting(), field, steps, t, dt, x, workspace)
            }
        }

        impl<T, F> $crate::DifferentiableStepper<T, F> for $method
        where
            T: $crate::Scalar,
            F: $crate::DifferentiableSeparable<T> + ?Sized,
        {
            type Tape = $crate::SplittingTape<T, F::Residuals>;

            fn record(
                &self,
                field: &F,
                t: &[T],
                dt: &[T],
                x: &[T],
                out: &mut [T],
                tape: &mut Self::Tape,
            ) -> Result<(), $crate::FieldError> {
                use $crate::symplectic::{SplittingMethod, adjoint};
                adjoint::record(self.splitting(), field, (t, dt), x, out, tape)
            }

            fn pull_back(
                &self,
                field: &F,
                tape: &mut Self::Tape,
                x_bar: &mut [T],
                theta_bar: Option<&mut [T]>,
            ) -> Result<(), $crate::FieldError> {
                use $crate::symplectic::{SplittingMethod, adjoint};
                adjoint::pull_back(self.splitting(), field, tape, x_bar, theta_bar)
            }

            fn fly(&self, field: &F, run: &mut $crate::RolloutRun<'_, T>) -> bool {
                field.fly_splitting($crate::symplectic::SplittingMethod::splitting(self), run)
            }

            fn pull_back_flight(&self, field: &F, run: &mut $crate::AdjointRun<'_, T>) -> bool {
                field.pull_back_splitting($crate::symplectic::SplittingMethod::splitting(self), run)
            }
        }

        impl<T, F> $crate::ReversibleStepper<T, F> for $method
        where
            T: $crate::Scalar,
            F: $crate::DifferentiableSeparable<T> + ?Sized,
        {
            fn reverse(
                &self,
                field: &F,
                t: &[T],
                dt: &[T],
                x: &mut [T],
                x_bar: &mut [T],
                theta_bar: Option<&mut [T]>,
                tape: &mut Self::Tape,
            ) -> Result<(), $crate::FieldError> {
                use $crate::symplectic::{SplittingMethod, reverse};
                reverse::reverse(self.splitting(), field, (t, dt), x, x_bar, theta_bar, tape)
            }
        }
    };
}
use splitting_stepper;

/// The flows `w_1/2, w_1, (w_1 + w_2)/2, w_2, ..., w_1/2` of a symmetric composition of Verlet
/// steps `w_1, w_2, ..., w_m, ..., w_2, w_1`, from its first half including the middle one.
/// `N = 4 m - 1` flows for `m` numbers given.
pub(crate) const fn composed<const M: usize, const N: usize>(half: [f64; M]) -> [f64; N] {
    assert!(N == 4 * M - 1);
    let mut lengths = [0.0; N];
    let steps = 2 * M - 1;
    let mut i = 0;
    while i < steps {
        let weight = if i < M { half[i] } else { half[steps - 1 - i] };
        lengths[2 * i] += 0.5 * weight;
        lengths[2 * i + 1] = weight;
        lengths[2 * i + 2] += 0.5 * weight;
        i += 1;
    }
    lengths
}
