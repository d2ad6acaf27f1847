//! The loss of trajectories, from one step to all of them.

use std::fmt;
use std::ops::Range;

use hnn_integrators::{Between, DifferentiableField, DifferentiableStepper, Scalar, compiled_here};
use ndarray::ArrayView2;

use super::rollout::Stepped;
use super::shooting::{Reduction, Shooting};
use super::slopes::{Slopes, Sums};
use super::starts::FittedStarts;
use super::windows::Rows;
use super::{TrajectoryData, Window};
use crate::checks::{check_gradient, check_shape, coordinate_weights};
use crate::loss::take_sums;
use crate::{Loss, LossError, ResidualLayout, ResidualRows, RowSelection};

/// The squared error of integrated trajectories against measured ones,
/// `L = mean over windows, states and coordinates of (x_model(t_i) - x_i)^2`.
///
/// From the first measured state of each [`Window`], one step of `stepper` leads to the time of
/// each state after it; the gradient is the discrete adjoint, exact for the steps as computed.
/// Windows of one step make the one-step loss, whole trajectories the full-trajectory loss. Any
/// stepper with an adjoint serves, for any model it steps. Inputs of the data go in straight lines
/// from row to row, unless they are [held](Self::with_inputs_between).
///
/// A window is part of a mini-batch if the row it begins at is; a mini-batch in which none begins
/// has the value 0.
///
/// ```
/// use hnn_integrators::{DualField, RK4};
/// use hnn_losses::{Loss, RowSelection, TrajectoryData, TrajectoryLoss, Window};
/// use ndarray::{Array2, array};
/// // A spring that is too soft.
/// let model = DualField::new([1.8], |_t, [q, p]: [_; 2], [k]| [k * p, -k * q]);
/// // Two trajectories of the spring H = q^2 + p^2: three states, and two.
/// let times = array![0.0, 0.1, 0.3, 5.0, 5.1];
/// let states = Array2::from_shape_fn((5, 2), |(row, i)| {
///     let angle = 2.0 * times[row];
///     if i == 0 { f64::cos(angle) } else { -f64::sin(angle) }
/// });
/// let data = TrajectoryData::new(times.view(), states.view(), &[3, 2]);
/// let mut one_step = TrajectoryLoss::new(RK4, Window::Steps(1), data)?;
/// let mut full = TrajectoryLoss::new(RK4, Window::Whole, data)?;
/// let loss = |l: &mut TrajectoryLoss<_, _>| l.value(&model, RowSelection::All);
/// assert!(loss(&mut one_step)? < loss(&mut full)?);
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
pub struct TrajectoryLoss<T, S> {
    stepper: S,
    shooting: Shooting<T>,
}

/// What it is made of, without the data.
impl<T: Scalar, S: fmt::Debug> fmt::Debug for TrajectoryLoss<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shooting { rows, plan, reduction, curriculum, starts, derivatives, .. } =
            &self.shooting;
        f.debug_struct("TrajectoryLoss")
            .field("stepper", &self.stepper)
            .field("window", &plan.window())
            .field("rows", &rows.len())
            .field("dim", &rows.dim)
            .field("inputs", &rows.inputs)
            .field("reduction", reduction)
            .field("curriculum", curriculum)
            .field("fitted_starts", &starts.is_some())
            .field("derivatives", &derivatives.is_some())
            .finish_non_exhaustive()
    }
}

impl<T: Scalar, S> TrajectoryLoss<T, S> {
    /// The loss of windows of the data: a [`TrajectoryData`], or a
    /// [`DataSet`](hnn_data::DataSet) by reference.
    ///
    /// # Errors
    /// If there are no data, their shapes do not fit, a number is NaN or infinite, times do not
    /// increase, windows have no steps, or no trajectory has a second state.
    pub fn new<'a>(
        stepper: S,
        window: Window,
        data: impl Into<TrajectoryData<'a, T>>,
    ) -> Result<Self, LossError>
    where
        T: 'a,
    {
        type New<T> = fn(Window, TrajectoryData<'_, T>) -> Result<Shooting<T>, LossError>;
        let shooting = compiled_here!(T => New<T>, Shooting::new)(window, data.into())?;
        Ok(Self { stepper, shooting })
    }

    /// The same with another divisor.
    #[must_use]
    pub fn with_reduction(mut self, reduction: Reduction) -> Self {
        self.shooting.reduction = reduction;
        self
    }

    /// The same with inputs that go so from row to row: held where each was set and kept, as by a
    /// computer; by default [`Between::Linear`], as measured ones do.
    ///
    /// ```
    /// use hnn_integrators::{Between, DualField, RK4};
    /// use hnn_losses::{Loss, RowSelection, TrajectoryData, TrajectoryLoss, Window};
    /// use ndarray::array;
    /// // dx/dt = u with u = 1, then 3: held, x goes from 0 to 1; in a straight line, to 2.
    /// let (times, x, u) = (array![0.0, 1.0], array![[0.0], [1.0]], array![[1.0], [3.0]]);
    /// let data = TrajectoryData::new(times.view(), x.view(), &[2]).with_inputs(u.view());
    /// let model = DualField::with_inputs([1.0], |_t, [_x]: [_; 1], [u]: [_; 1], [gain]| [gain * u]);
    /// let loss = |between| {
    ///     let loss = TrajectoryLoss::new(RK4, Window::Whole, data)?.with_inputs_between(between);
    ///     { loss }.value(&model, RowSelection::All)
    /// };
    /// assert!(loss(Between::Held)? < 1e-20);
    /// assert!((loss(Between::Linear)? - 1.0).abs() < 1e-12);
    /// # Ok::<(), hnn_losses::LossError>(())
    /// ```
    #[must_use]
    pub fn with_inputs_between(mut self, between: Between) -> Self {
        self.shooting.rows.between = between;
        self
    }

    /// The same with the tapes of `steps` steps (at least 1) held at a time. Longer windows are
    /// integrated twice, from the states kept at every `steps`-th step. By default 32.
    #[must_use]
    pub fn with_segments(mut self, steps: usize) -> Self {
        self.shooting.segment = steps.max(1);
        self
    }

    /// The same with windows that change during training: from the given fraction of a run's
    /// steps on, the given window. Errors that grow along a trajectory make long windows hard to
    /// train from a random start; short ones first lead there.
    ///
    /// ```
    /// use hnn_losses::Window;
    /// // One step for the first half, 10 steps in the third quarter, then whole trajectories.
    /// let curriculum =
    ///     [(0.0, Window::Steps(1)), (0.5, Window::Steps(10)), (0.75, Window::Whole)];
    /// ```
    ///
    /// # Errors
    /// If a fraction is not in [0, 1], the fractions do not increase, or windows have no steps.
    pub fn with_curriculum(mut self, stages: &[(f64, Window)]) -> Result<Self, LossError> {
        let mut least = 0.0;
        for (fraction, window) in stages {
            if !(least..=1.0).contains(fraction) {
                return Err(LossError::Curriculum { fraction: *fraction, least });
            }
            if *window == Window::Steps(0) {
                return Err(LossError::NoSteps);
            }
            least = *fraction;
        }
        self.shooting.curriculum = stages.to_vec();
        Ok(self)
    }

    /// The same with the states that windows begin at fitted as well: multiple shooting proper.
    ///
    /// Noise in a measured start bends the whole window after it, and the field learns to undo
    /// that (errors in variables). A fitted start `s` is a state of its own for each window, begins
    /// as the measured one, and is compared with it: the loss gains `(s - x_0)^2`, and is then the
    /// maximum-likelihood one for equal, independent noise on all measured states.
    ///
    /// Each step of a trainer moves the starts by `-rate / (k + 1)` times half the gradient of the
    /// window's sum of squares, for a window of `k` steps: for a small rate stable wherever the flow
    /// does not stretch much; 0.1 suits windows of up to a few oscillations. `value` and
    /// `value_and_gradient` alone move nothing, and the gradient is that of the parameters with the
    /// starts held. A loss for validation should keep the measured starts.
    ///
    /// # Errors
    /// If the rate is not in (0, 1].
    pub fn with_fitted_starts(mut self, rate: f64) -> Result<Self, LossError> {
        if !(rate > 0.0 && rate <= 1.0) {
            return Err(LossError::StartRate { rate });
        }
        self.shooting.starts =
            Some(FittedStarts::new(rate, self.shooting.rows.dim, &self.shooting.rows.x));
        Ok(self)
    }

    /// The same with the field compared with measured derivatives `dx` (N, D) along the windows:
    /// the loss gains `weight * (f(t_i, x_model(t_i)) - dx_i)^2`, summed over the coordinates of the
    /// windows' states, their starts included, and divided by what the states' errors are.
    ///
    /// [`DerivativeLoss`](crate::DerivativeLoss) takes the field at the measured states. Noise in
    /// these biases it, by a share of about (noise / spread of the states)^2; integrated windows
    /// with [fitted starts](Self::with_fitted_starts) are smooth, and most of that bias is gone.
    ///
    /// # Errors
    /// If the shapes differ, a number is NaN or infinite, or the weight is negative or not finite.
    pub fn with_derivatives(
        mut self,
        weight: f64,
        dx: ArrayView2<'_, T>,
    ) -> Result<Self, LossError> {
        type Set<T> = fn(&mut Shooting<T>, f64, ArrayView2<'_, T>) -> Result<(), LossError>;
        compiled_here!(T => Set<T>, Shooting::set_derivatives)(&mut self.shooting, weight, dx)?;
        Ok(self)
    }

    /// The same with the squared errors of each coordinate's derivatives multiplied by a weight of its own,
    /// as [`with_coordinate_weights`](Self::with_coordinate_weights) does those of the states:
    /// `1 / rate^2` where coordinates have different units.
    ///
    /// # Errors
    /// If there are no [derivatives](Self::with_derivatives), there are more or fewer weights than
    /// coordinates, one is negative or not finite, or all are 0.
    pub fn with_derivative_weights(mut self, weights: &[f64]) -> Result<Self, LossError> {
        let weights = coordinate_weights::<T>(weights, self.shooting.rows.dim)?;
        let derivatives = self.shooting.derivatives.as_mut().ok_or(LossError::NoDerivatives)?;
        derivatives.weights.iter_mut().zip(weights).for_each(|(own, weight)| *own *= weight);
        Ok(self)
    }

    /// The same with the squared errors of each coordinate of the states multiplied by a weight of its
    /// own: states in different units, or of different noise `sigma`, count alike with `1 / sigma^2`.
    ///
    /// With a weight of 0 for what was not measured, and [fitted starts](Self::with_fitted_starts), angles
    /// alone are enough: velocities are then unknowns at the begin of each window, and the numbers given for
    /// them are where their fit begins.
    ///
    /// # Errors
    /// If there are more or fewer weights than coordinates, one is negative or not finite, or all are
    /// 0.
    pub fn with_coordinate_weights(mut self, weights: &[f64]) -> Result<Self, LossError> {
        self.shooting.rows.weights = coordinate_weights(weights, self.shooting.rows.dim)?;
        Ok(self)
    }

    /// The same with the errors of angles taken modulo a turn, in [-pi, pi]: for angles that were
    /// measured in (-pi, pi], or that count turns which the model need not count. `angles` says of
    /// each coordinate whether it is an angle (rad).
    ///
    /// A [recording](hnn_data::Recording) undoes the wraps of its angles as it is read.
    ///
    /// # Errors
    /// If there are more or fewer coordinates.
    pub fn with_angles(mut self, angles: &[bool]) -> Result<Self, LossError> {
        let dim = [self.shooting.rows.dim];
        check_shape("angles", &[angles.len()], &dim, "whether each coordinate is one")?;
        self.shooting.rows.angles = angles.to_vec();
        Ok(self)
    }

    /// The fitted starts, shape (N, D): those of the rows at which windows begin have been fitted,
    /// the others are the measured states. `None` without
    /// [`with_fitted_starts`](Self::with_fitted_starts).
    pub fn fitted_starts(&self) -> Option<ArrayView2<'_, T>> {
        self.shooting.starts.as_ref().and_then(FittedStarts::view)
    }

    /// The window at present.
    pub fn window(&self) -> Window {
        self.shooting.plan.window()
    }

    /// Goes on with another window: a curriculum begins with short ones.
    ///
    /// # Errors
    /// If windows have no steps.
    pub fn set_window(&mut self, window: Window) -> Result<(), LossError> {
        type Set<T> = fn(&mut Shooting<T>, Window) -> Result<(), LossError>;
        compiled_here!(T => Set<T>, Shooting::set_window)(&mut self.shooting, window)
    }
}

impl<T: Scalar, S> TrajectoryLoss<T, S> {
    /// As [`Loss::constant_values`].
    pub(crate) fn constant_values(&self) -> Vec<(String, f64)> {
        type Values<T> = fn(&Shooting<T>) -> Vec<(String, f64)>;
        compiled_here!(T => Values<T>, Shooting::constant_values)(&self.shooting)
    }

    /// What its term is called.
    pub(crate) fn term(&self) -> &'static str {
        self.shooting.name()
    }

    /// Whether a window begins at a row.
    pub(crate) fn begins_at(&self, row: usize) -> bool {
        self.shooting.plan.begins_at(row)
    }

    /// Checks that these are the loss's own times, states and inputs, row by row.
    pub(crate) fn check_data(&self, samples: [&[T]; 3]) -> Result<(), LossError> {
        type Check<T> = fn(&Rows<T>, [&[T]; 3]) -> Result<(), LossError>;
        compiled_here!(T => Check<T>, Rows::check_same)(&self.shooting.rows, samples)
    }

    /// The value; **adds** `weight` times its gradient to `theta_bar`. With it goes the sum of what
    /// the errors of the `slopes` cost where windows begin, whose gradient is added, too.
    pub(crate) fn evaluate<F>(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
        weight: f64,
        theta_bar: Option<&mut [T]>,
        slopes: Option<Slopes<'_, T>>,
    ) -> Result<Sums, LossError>
    where
        F: DifferentiableField<T>,
        S: DifferentiableStepper<T, F>,
    {
        type Evaluate<T> = fn(
            &mut Shooting<T>,
            Stepped<'_, T>,
            RowSelection<'_>,
            f64,
            Option<&mut [T]>,
            Option<Slopes<'_, T>>,
        ) -> Result<Sums, LossError>;
        let evaluate = compiled_here!(T => Evaluate<T>, Shooting::evaluate);
        let motion = &(&self.stepper, field);
        let on = Stepped { field, motion };
        evaluate(&mut self.shooting, on, selection, weight, theta_bar, slopes)
    }
}

impl<T, F, S> Loss<T, F> for TrajectoryLoss<T, S>
where
    T: Scalar,
    F: DifferentiableField<T>,
    S: DifferentiableStepper<T, F>,
{
    fn name(&self) -> &str {
        self.shooting.name()
    }

    fn value(&mut self, field: &F, selection: RowSelection<'_>) -> Result<f64, LossError> {
        Ok(self.evaluate(field, selection, 0.0, None, None)?.states)
    }

    fn value_and_gradient(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
        weight: f64,
        theta_bar: &mut [T],
    ) -> Result<f64, LossError> {
        check_gradient(theta_bar.len(), field.num_params())?;
        Ok(self.evaluate(field, selection, weight, Some(theta_bar), None)?.states)
    }

    fn constant_values(&self) -> Vec<(String, f64)> {
        self.constant_values()
    }

    fn residual_layout(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        type Prepare<T> = fn(
            &mut Shooting<T>,
            Stepped<'_, T>,
            RowSelection<'_>,
        ) -> Result<ResidualLayout, LossError>;
        let prepare = compiled_here!(T => Prepare<T>, Shooting::prepare);
        let motion = &(&self.stepper, field);
        prepare(&mut self.shooting, Stepped { field, motion }, selection)
    }

    fn residuals(
        &mut self,
        field: &F,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        type Write<T> = fn(
            &mut Shooting<T>,
            Stepped<'_, T>,
            Range<usize>,
            ResidualRows<'_, T>,
        ) -> Result<(), LossError>;
        let write = compiled_here!(T => Write<T>, Shooting::write);
        let motion = &(&self.stepper, field);
        write(&mut self.shooting, Stepped { field, motion }, groups, rows)
    }

    fn copy_locals(&self, out: &mut [T]) -> Result<(), LossError> {
        type Copy<T> = fn(&Shooting<T>, &mut [T]) -> Result<(), LossError>;
        compiled_here!(T => Copy<T>, Shooting::copy_locals)(&self.shooting, out)
    }

    fn set_locals(&mut self, locals: &[T]) -> Result<(), LossError> {
        type Set<T> = fn(&mut Shooting<T>, &[T]) -> Result<(), LossError>;
        compiled_here!(T => Set<T>, Shooting::set_locals)(&mut self.shooting, locals)
    }

    fn begin_step(&mut self, step: usize, steps: usize) -> Result<(), LossError> {
        type Begin<T> = fn(&mut Shooting<T>, usize, usize) -> Result<(), LossError>;
        compiled_here!(T => Begin<T>, Shooting::begin_step)(&mut self.shooting, step, steps)
    }

    fn num_rows(&self) -> Option<usize> {
        Some(self.shooting.rows.len())
    }

    fn row_sums(&self, selection: RowSelection<'_>, sums: &mut Vec<f64>) -> Result<(), LossError> {
        type Of<T> = fn(&Shooting<T>, RowSelection<'_>) -> Result<[f64; 4], LossError>;
        sums.extend(compiled_here!(T => Of<T>, Shooting::sums)(&self.shooting, selection)?);
        Ok(())
    }

    fn set_row_sums(&mut self, sums: &mut &[f64]) -> Result<(), LossError> {
        self.shooting.whole = take_sums(sums, 4)?.try_into().ok();
        Ok(())
    }

    fn save_state(&self, state: &mut Vec<f64>) {
        if let Some(starts) = &self.shooting.starts {
            starts.save(state);
        }
    }

    fn restore_state(&mut self, state: &mut &[f64]) -> Result<(), LossError> {
        type Restore<T> = fn(&mut FittedStarts<T>, &mut &[f64]) -> Result<(), LossError>;
        let restore = compiled_here!(T => Restore<T>, FittedStarts::restore);
        self.shooting.starts.as_mut().map_or(Ok(()), |starts| restore(starts, state))
    }
}
