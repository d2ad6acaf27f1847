//! Gradients of long runs: the discrete adjoint with little memory.

mod reversible;
mod schedule;
mod sweep;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

pub use reversible::ReversibleStepper;
pub use schedule::Checkpoints;
use sweep::{Grid, Sweep};

use crate::{DifferentiableStepper, Parameters, Scalar, SolveError, VectorField, check, rows};

/// The gradient of a loss through a long run of equal steps: by the initial states and by the
/// field's parameters, the exact derivative of the run as computed (discrete adjoint).
///
/// Keeping all states of a run takes memory for all of them. Here the user chooses:
///
/// | | states kept | steps forward | for |
/// |---|---|---|---|
/// | [`run`](Self::run), [`Checkpoints::All`] | `N` | `N` | short runs |
/// | [`run`](Self::run), [`Checkpoints::Logarithmic`] | `O(log N)` | `O(N log N)` | every method; the default |
/// | [`run`](Self::run), [`Checkpoints::Count`] | as many as said | the fewest possible | memory of a known size |
/// | [`run_reversible`](Self::run_reversible) | 1 | `N` | splitting methods |
///
/// Besides, each step is recorded (or, in a kernel, recomputed) and pulled back once.
///
/// The loss is a function of the states at all steps. It is seen through `pull(step, states,
/// states_bar)`, which is called for every step, from the last one back to 0, and **adds** to
/// `states_bar` the derivative of the loss by the states at that step, both of shape (B, D).
///
/// ```
/// use hnn_integrators::{Adjoint, Checkpoints, DualField, Lane, Rk4};
/// use ndarray::array;
/// // A damped pendulum with the parameters (g / l, friction); the loss is the squared angle at
/// // the end, through 10_000 steps with at most 8 states kept.
/// let field = DualField::new([1.0, 0.1], |_t, [q, p]: [_; 2], [a, c]| [p, -a * q.sin() - c * p]);
/// let adjoint = Adjoint::count(Rk4, 10_000).checkpoints(Checkpoints::Logarithmic);
/// let x0 = array![[1.0, 0.5]];
/// let gradient = adjoint.run(&field, (0.0, 20.0), x0.view(), |step, x, mut x_bar| {
///     if step == 10_000 {
///         x_bar[[0, 0]] += 2.0 * x[[0, 0]];
///     }
/// })?;
/// assert_eq!(gradient.start_bar.shape(), [1, 2]);
/// assert_eq!(gradient.theta_bar.len(), 2);
/// assert_eq!(gradient.kept, 8);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjoint<S> {
    stepper: S,
    steps: usize,
    checkpoints: Checkpoints,
}

/// A run and the gradient of a loss of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient<T> {
    /// The states at the end, of shape (B, D).
    pub end: Array2<T>,
    /// The derivative of the loss by the initial states, of shape (B, D).
    pub start_bar: Array2<T>,
    /// The derivative of the loss by the parameters, summed over the trajectories: `P` numbers.
    pub theta_bar: Vec<T>,
    /// The most states (of all B trajectories) that were kept at a time.
    pub kept: usize,
    /// Steps taken forward. Besides, each of the `N` steps is recorded or recomputed on the way back.
    pub advanced: usize,
}

impl<S> Adjoint<S> {
    /// A run of `count` equal steps, with logarithmically many states kept.
    pub fn count(stepper: S, count: usize) -> Self {
        Self { stepper, steps: count, checkpoints: Checkpoints::default() }
    }

    /// Which states are kept. The gradient is the same to the last bit whatever the choice.
    #[must_use]
    pub fn checkpoints(self, checkpoints: Checkpoints) -> Self {
        Self { checkpoints, ..self }
    }

    /// Runs over `interval = (start, end)` from the states `x0` of shape (B, D), and pulls the
    /// loss back.
    ///
    /// # Errors
    /// No or non-finite states, another dimension than the field's, no steps, an empty or
    /// non-finite interval, a state that becomes non-finite, or the field's own error.
    pub fn run<T, F>(
        &self,
        field: &F,
        interval: (T, T),
        x0: ArrayView2<'_, T>,
        pull: impl FnMut(usize, ArrayView2<'_, T>, ArrayViewMut2<'_, T>),
    ) -> Result<Gradient<T>, SolveError>
    where
        T: Scalar,
        F: VectorField<T> + Parameters<T> + ?Sized,
        S: DifferentiableStepper<T, F>,
    {
        let grid = self.grid(field.dim(), interval, x0)?;
        let mut sweep = Sweep::new(&self.stepper, field, grid, x0, field.num_params(), pull);
        sweep.run(self.checkpoints.most(self.steps))?;
        Ok(sweep.finish())
    }

    /// As [`run`](Self::run), keeping nothing but the state at hand: each step is undone on the
    /// way back ([`ReversibleStepper`]). Memory does not grow with the number of steps, and no
    /// step is taken twice.
    ///
    /// Undoing a step is exact but for rounding. The states on the way back, and with them the
    /// gradient, are therefore off by about machine epsilon times the number of steps times the
    /// growth of a small disturbance over the run: in regular motion that growth is at most linear
    /// in time (10^4 steps of a pendulum: 1e-12), in chaotic motion exponential; there use
    /// [`run`](Self::run).
    ///
    /// ```
    /// # use hnn_integrators::{AnalyticField, AnalyticSeparable, Lane};
    /// # struct Pendulum;
    /// # impl AnalyticField for Pendulum {
    /// #     type State<L: Lane> = [L; 2];
    /// #     fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] { [*p, -q.sin()] }
    /// # }
    /// # impl AnalyticSeparable for Pendulum {
    /// #     type Half<L: Lane> = [L; 1];
    /// #     fn velocity_lanes<L: Lane>(&self, p: &[L; 1]) -> [L; 1] { *p }
    /// #     fn force_lanes<L: Lane>(&self, _t: L, [q]: &[L; 1]) -> [L; 1] { [-q.sin()] }
    /// # }
    /// use hnn_integrators::{Adjoint, VelocityVerlet};
    /// use ndarray::array;
    /// let loss = |step, x: ndarray::ArrayView2<f64>, mut x_bar: ndarray::ArrayViewMut2<f64>| {
    ///     if step == 1000 { x_bar.assign(&x) } // half of the squared state at the end
    /// };
    /// let (adjoint, x0) = (Adjoint::count(VelocityVerlet, 1000), array![[1.0, 0.5]]);
    /// let cheap = adjoint.run_reversible(&Pendulum, (0.0, 10.0), x0.view(), loss)?;
    /// let sure = adjoint.run(&Pendulum, (0.0, 10.0), x0.view(), loss)?;
    /// assert!((cheap.start_bar[[0, 0]] - sure.start_bar[[0, 0]]).abs() < 1e-12);
    /// assert_eq!((cheap.kept, cheap.advanced), (1, 1000));
    /// # Ok::<(), hnn_integrators::SolveError>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_reversible<T, F>(
        &self,
        field: &F,
        interval: (T, T),
        x0: ArrayView2<'_, T>,
        pull: impl FnMut(usize, ArrayView2<'_, T>, ArrayViewMut2<'_, T>),
    ) -> Result<Gradient<T>, SolveError>
    where
        T: Scalar,
        F: VectorField<T> + Parameters<T> + ?Sized,
        S: ReversibleStepper<T, F>,
    {
        let grid = self.grid(field.dim(), interval, x0)?;
        let mut sweep = Sweep::new(&self.stepper, field, grid, x0, field.num_params(), pull);
        sweep.run_reversible()?;
        Ok(sweep.finish())
    }

    fn grid<T: Scalar>(
        &self,
        dim: usize,
        (start, end): (T, T),
        x0: ArrayView2<'_, T>,
    ) -> Result<Grid, SolveError> {
        check::start(x0, dim)?;
        check::times(&[start, end])?;
        if self.steps == 0 {
            return Err(SolveError::NoSteps);
        }
        let (start, end) = (start.to_f64(), end.to_f64());
        Ok(Grid { start, dt: (end - start) / self.steps as f64, steps: self.steps })
    }
}
