//! The derivative loss and a trajectory loss of the same data, with what both compute done once.

use std::fmt;
use std::ops::Range;

use hnn_integrators::{DifferentiableField, DifferentiableStepper, Scalar};

use crate::checks::{check_gradient, selected};
use crate::compiled::FieldLoss;
use crate::parts::Parts;
use crate::trajectory::Slopes;
use crate::{
    DerivativeLoss, Loss, LossError, ResidualLayout, ResidualRows, RowSelection, TrajectoryLoss,
};

/// `L = L_HNN + alpha L_traj` of the same measured states.
///
/// Values and gradients are those of `TotalLoss::new(derivative).plus(alpha, trajectory)`, up to
/// rounding, and the log has the same two terms. But a step from a measured state begins with the
/// field at that state, which is what the derivative loss compares: where the stepper says so
/// ([`start_slope`](DifferentiableStepper::start_slope); explicit Runge-Kutta methods), that field
/// is evaluated and pulled back once. With one-step windows and RK4 that is one evaluation in five.
/// With other steppers it is evaluated once more; where the windows' starts are fitted, they are
/// not the measured states, and nothing is shared.
///
/// ```
/// use hnn_data::DataSet;
/// use hnn_integrators::{DualField, FixedStep, Parameters, RK4};
/// use hnn_losses::{DerivativeLoss, JointLoss, Loss, RowSelection, TrajectoryLoss, Window};
/// use ndarray::array;
/// // Two trajectories of a spring of stiffness 1, and a model that takes it for 1.2.
/// let mut model = DualField::new([1.0], |_t, [q, p]: [_; 2], [k]| [p, -k * q]);
/// let starts = array![[1.0, 0.0], [0.0, 0.5]];
/// let run = FixedStep::count(RK4, 20).with_save_every(1).run(&model, (0.0, 3.0), starts.view())?;
/// let data = DataSet::try_from(&run)?.with_derivatives_of(&model)?;
/// model.set_params(&[1.2])?;
/// let derivative = DerivativeLoss::from_data(&data)?;
/// let one_step = TrajectoryLoss::new(RK4, Window::Steps(1), &data)?;
/// let mut loss = JointLoss::new(derivative, 100.0, one_step)?;
/// let mut gradient = [0.0];
/// let value = loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut gradient)?;
/// let terms = loss.terms();
/// assert_eq!((terms[0].0, terms[1].0), ("derivative", "one-step"));
/// assert_eq!(value, terms[0].1 + 100.0 * terms[1].1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JointLoss<T, S> {
    derivative: DerivativeLoss<T>,
    alpha: f64,
    trajectory: TrajectoryLoss<T, S>,
    /// The selected rows at which no window begins.
    rest: Vec<usize>,
    /// The two terms at the last evaluation.
    last: [f64; 2],
    parts: Parts,
}

impl<T: Scalar, S: fmt::Debug> fmt::Debug for JointLoss<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JointLoss")
            .field("derivative", &self.derivative)
            .field("alpha", &self.alpha)
            .field("trajectory", &self.trajectory)
            .finish_non_exhaustive()
    }
}

impl<T: Scalar, S> JointLoss<T, S> {
    /// The sum of the derivative loss and `alpha` times the trajectory loss.
    ///
    /// # Errors
    /// If the two have different times, states or inputs, or `alpha` is negative or not finite.
    pub fn new(
        derivative: DerivativeLoss<T>,
        alpha: f64,
        trajectory: TrajectoryLoss<T, S>,
    ) -> Result<Self, LossError> {
        if !(alpha >= 0.0 && alpha.is_finite()) {
            return Err(LossError::Weight { what: "trajectory loss", weight: alpha });
        }
        trajectory.check_data(derivative.samples())?;
        Ok(Self {
            derivative,
            alpha,
            trajectory,
            rest: Vec::new(),
            last: [0.0; 2],
            parts: Parts::default(),
        })
    }

    /// The trajectory loss.
    pub fn trajectory(&self) -> &TrajectoryLoss<T, S> {
        &self.trajectory
    }

    /// The name and the value of each of the two at the last evaluation.
    pub fn terms(&self) -> [(&str, f64); 2] {
        let [derivative, trajectory] = self.last;
        [(FieldLoss::name(&self.derivative), derivative), (self.trajectory.term(), trajectory)]
    }

    /// The value, its terms noted.
    fn note(&mut self, derivative: f64, trajectory: f64) -> f64 {
        self.last = [derivative, trajectory];
        derivative + self.alpha * trajectory
    }

    fn find_rest(&mut self, selection: RowSelection<'_>) -> Result<(), LossError> {
        let rows = self.derivative.len();
        selected(selection, rows)?;
        self.rest.clear();
        let begins = |row: &usize| self.trajectory.begins_at(*row);
        match selection {
            RowSelection::All => self.rest.extend((0..rows).filter(|row| !begins(row))),
            RowSelection::Rows(chosen) => {
                self.rest.extend(chosen.iter().filter(|row| !begins(row)))
            }
        }
        Ok(())
    }
}

impl<T, F, S> Loss<T, F> for JointLoss<T, S>
where
    T: Scalar,
    F: DifferentiableField<T>,
    S: DifferentiableStepper<T, F>,
{
    fn name(&self) -> &str {
        "joint"
    }

    fn value(&mut self, field: &F, selection: RowSelection<'_>) -> Result<f64, LossError> {
        let derivative = self.derivative.value(field, selection)?;
        let trajectory = self.trajectory.value(field, selection)?;
        Ok(self.note(derivative, trajectory))
    }

    fn value_and_gradient(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
        weight: f64,
        theta_bar: &mut [T],
    ) -> Result<f64, LossError> {
        check_gradient(theta_bar.len(), field.num_params())?;
        let Self { derivative, alpha, trajectory, .. } = self;
        let alpha = weight * *alpha;
        if trajectory.fitted_starts().is_some() {
            let first = derivative.value_and_gradient(field, selection, weight, theta_bar)?;
            let second = trajectory.value_and_gradient(field, selection, alpha, theta_bar)?;
            return Ok(self.note(first, second));
        }
        if self.derivative.is_elsewhere(selection) {
            return Ok(self.note(0.0, 0.0));
        }
        self.find_rest(selection)?;
        let Self { derivative, trajectory, rest, .. } = self;
        let entries = derivative.shared().entries(selection)?;
        let scale = T::from_f64(weight / entries);
        let slopes: Slopes<'_, T> = derivative.slopes(scale);
        let sums =
            trajectory.evaluate(field, selection, alpha, Some(&mut *theta_bar), Some(slopes))?;
        let mut sum = sums.slopes;
        if !rest.is_empty() {
            let rest = RowSelection::Rows(rest);
            sum += derivative.object().sum(field, rest, scale, Some(theta_bar))?;
        }
        Ok(self.note(sum / entries, sums.states))
    }

    fn residual_layout(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        let mut parts = Parts::default();
        parts.push(self.derivative.residual_layout(field, selection)?, 1.0);
        parts.push(self.trajectory.residual_layout(field, selection)?, self.alpha);
        self.parts = parts;
        Ok(self.parts.layout().clone())
    }

    fn residuals(
        &mut self,
        field: &F,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        let Self { derivative, trajectory, parts, .. } = self;
        parts.write(groups, rows, |part, groups, rows| match part {
            0 => derivative.residuals(field, groups, rows),
            _ => trajectory.residuals(field, groups, rows),
        })
    }

    fn copy_locals(&self, out: &mut [T]) -> Result<(), LossError> {
        self.trajectory.copy_locals(out)
    }

    fn set_locals(&mut self, locals: &[T]) -> Result<(), LossError> {
        self.trajectory.set_locals(locals)
    }

    fn begin_step(&mut self, step: usize, steps: usize) -> Result<(), LossError> {
        self.trajectory.begin_step(step, steps)
    }

    fn save_state(&self, state: &mut Vec<f64>) {
        self.trajectory.save_state(state);
    }

    fn restore_state(&mut self, state: &mut &[f64]) -> Result<(), LossError> {
        self.trajectory.restore_state(state)
    }

    fn num_rows(&self) -> Option<usize> {
        Some(self.derivative.len())
    }

    fn row_sums(&self, selection: RowSelection<'_>, sums: &mut Vec<f64>) -> Result<(), LossError> {
        self.derivative.shared().row_sums(selection, sums)?;
        self.trajectory.row_sums(selection, sums)
    }

    fn set_row_sums(&mut self, sums: &mut &[f64]) -> Result<(), LossError> {
        self.derivative.object().set_row_sums(sums)?;
        self.trajectory.set_row_sums(sums)
    }

    fn constant_values(&self) -> Vec<(String, f64)> {
        let mut values = self.derivative.shared().constant_values();
        values.extend(self.trajectory.constant_values());
        values
    }

    fn noise_values(&self) -> Vec<(String, f64)> {
        self.derivative.shared().noise_values()
    }

    fn terms(&self) -> Vec<(String, f64)> {
        self.terms().map(|(name, value)| (name.to_owned(), value)).into()
    }
}
