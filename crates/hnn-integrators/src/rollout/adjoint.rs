//! Gradients of long runs of equal steps, with arrays in and out.

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::{Checkpoints, Counts, Grid, Rollout, Visit};
use crate::{
    Bars, DifferentiableStepper, FieldError, Parameters, Scalar, SolveError, VectorField, check,
    coordinate_major, rows,
};

/// The gradient of a loss through a long run of equal steps: by the initial states and by the
/// field's parameters, the exact derivative of the run as computed (discrete adjoint).
///
/// Keeping all states of a run takes memory for all of them. Here the user chooses:
///
/// | [`Checkpoints`] | states kept | steps forward | for |
/// |---|---|---|---|
/// | `All` | `N` | `N` | short runs |
/// | `Segments` of `L` | `N / L + L` | `2 N` | runs of thousands of steps |
/// | `Logarithmic` | `O(log N)` | `O(N log N)` | every method; the default |
/// | `Count` | as many as said, and 16 | the fewest possible | memory of a known size |
/// | `Reversible` | 1 | `N` | splitting methods |
///
/// Besides, each step is recorded (or, in a kernel, recomputed) and pulled back once.
///
/// The loss is a function of the states at all steps. It is seen through `pull(step, states,
/// states_bar)`, which is called for every step, from the last one back to 0, and **adds** to
/// `states_bar` the derivative of the loss by the states at that step, both of shape (B, D).
///
/// ```
/// use hnn_integrators::{Adjoint, Checkpoints, DualField, Lane, RK4};
/// use ndarray::array;
/// // A damped pendulum with the parameters (g / l, friction); the loss is the squared angle at
/// // the end, through 10_000 steps with at most 21 states kept.
/// let field = DualField::new([1.0, 0.1], |_t, [q, p]: [_; 2], [a, c]| [p, -a * q.sin() - c * p]);
/// let adjoint = Adjoint::count(RK4, 10_000).with_checkpoints(Checkpoints::Logarithmic);
/// let x0 = array![[1.0, 0.5]];
/// let gradient = adjoint.run(&field, (0.0, 20.0), x0.view(), |step, x, mut x_bar| {
///     if step == 10_000 {
///         x_bar[[0, 0]] += 2.0 * x[[0, 0]];
///     }
/// })?;
/// assert_eq!(gradient.start_bar.shape(), [1, 2]);
/// assert_eq!(gradient.theta_bar.len(), 2);
/// assert!(gradient.kept <= 21);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
///
/// By a splitting method, keeping nothing:
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
/// use hnn_integrators::{Adjoint, Checkpoints, VELOCITY_VERLET};
/// use ndarray::array;
/// let loss = |step, x: ndarray::ArrayView2<f64>, mut x_bar: ndarray::ArrayViewMut2<f64>| {
///     if step == 1000 { x_bar.assign(&x) } // half of the squared state at the end
/// };
/// let (adjoint, x0) = (Adjoint::count(VELOCITY_VERLET, 1000), array![[1.0, 0.5]]);
/// let sure = adjoint.run(&Pendulum, (0.0, 10.0), x0.view(), loss)?;
/// let adjoint = adjoint.with_checkpoints(Checkpoints::Reversible);
/// let cheap = adjoint.run(&Pendulum, (0.0, 10.0), x0.view(), loss)?;
/// assert!((cheap.start_bar[[0, 0]] - sure.start_bar[[0, 0]]).abs() < 1e-12);
/// assert_eq!((cheap.kept, cheap.advanced), (1, 1000));
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Adjoint<S> {
    stepper: S,
    steps: usize,
    checkpoints: Checkpoints,
}

/// A run and the gradient of a loss of it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
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

    /// Which states are kept. The gradient is the same whatever the choice: to the last bit, but for
    /// `Segments` of another length and `Reversible`, which round differently.
    #[must_use]
    pub fn with_checkpoints(self, checkpoints: Checkpoints) -> Self {
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
        mut pull: impl FnMut(usize, ArrayView2<'_, T>, ArrayViewMut2<'_, T>),
    ) -> Result<Gradient<T>, SolveError>
    where
        T: Scalar,
        F: VectorField<T> + Parameters<T> + ?Sized,
        S: DifferentiableStepper<T, F>,
    {
        check::start(x0, field.dim())?;
        check::times(&[interval.0, interval.1])?;
        if self.steps == 0 {
            return Err(SolveError::NoSteps);
        }
        let (batch, dim) = x0.dim();
        let (start, end) = (interval.0.to_f64(), interval.1.to_f64());
        let dt = (end - start) / self.steps as f64;
        let grid = Grid::equal(batch, interval.0, T::from_f64(dt), self.steps);
        let mut rollout = Rollout::default();
        let mut start_bar = vec![T::ZERO; batch * dim];
        let mut theta_bar = vec![T::ZERO; field.num_params()];
        let mut bad = None;
        let visit = |visit: Visit<'_, T>| {
            let Visit::State { step, x, x_bar, .. } = visit else { return Ok(()) };
            if let Some(at) = x.iter().position(|x| !x.is_finite()) {
                bad = Some(at % batch);
                return Err(FieldError::Undefined { row: at % batch, reason: String::new() });
            }
            let shape = (dim, batch);
            let views = (ArrayView2::from_shape(shape, x), ArrayViewMut2::from_shape(shape, x_bar));
            if let (Ok(x), Ok(x_bar)) = views {
                pull(step, x.reversed_axes(), x_bar.reversed_axes());
            }
            Ok(())
        };
        let x0 = coordinate_major(x0);
        let bars = Bars::new(&mut start_bar).with_theta(&mut theta_bar);
        let kept = self.checkpoints;
        let done = rollout.gradient(&self.stepper, field, grid, &x0, kept, visit, bars);
        if let Err(source) = done {
            let time = |step: usize| start + step as f64 * dt;
            let Some(trajectory) = bad else {
                return Err(SolveError::field(0, rollout.step(), time(rollout.step()), source));
            };
            let step = first_bad(&mut rollout, (&self.stepper, field), grid, &x0).unwrap_or(0);
            return Err(SolveError::NonFinite { trajectory, step, time: time(step) });
        }
        let shaped = |x: &[T]| rows(x, batch, dim);
        let (end, start_bar) = (shaped(rollout.end()), shaped(&start_bar));
        let Counts { kept, advanced } = rollout.counts();
        Ok(Gradient { end, start_bar, theta_bar, kept, advanced })
    }
}

/// How many steps are good before a state that is not finite.
fn first_bad<T, S, F>(
    rollout: &mut Rollout<T>,
    (stepper, field): (&S, &F),
    grid: Grid<'_, T>,
    x0: &[T],
) -> Option<usize>
where
    T: Scalar,
    F: VectorField<T> + Parameters<T> + ?Sized,
    S: DifferentiableStepper<T, F>,
{
    let mut good = None;
    let look = |step: usize, x: &[T]| {
        if x.iter().all(|x| x.is_finite()) {
            return Ok(());
        }
        good = good.or(Some(step.saturating_sub(1)));
        Err(FieldError::Irreversible)
    };
    // It ends with the error of `look`.
    let _ = rollout.walk(stepper, field, grid, x0, look);
    good
}
