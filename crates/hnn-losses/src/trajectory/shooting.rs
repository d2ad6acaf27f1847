//! Windows of data, shot through from their starts: the loss of trajectories but for its stepper.

use hnn_integrators::Scalar;
use ndarray::ArrayView2;

use super::derivatives::Derivatives;
use super::residuals::{Prepared, RowScratch};
use super::rollout::{Problem, Stepped, Windows};
use super::slopes::{Slopes, Sums};
use super::starts::FittedStarts;
use super::windows::{Plan, Rows};
use super::{TrajectoryData, Window};
use crate::blocks::Blocks;
use crate::checks::{check_field, check_finite, check_shape, count};
use crate::loss::check_locals;
use crate::{LossError, RowSelection};

/// What the sum of the squared errors is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Reduction {
    /// The number of entries compared: (states predicted) * D.
    #[default]
    Mean,
    /// `(N - 1) D` for `N` rows, whether a row has a successor or not: the mean of a one-step loss
    /// whose last steps are masked. In a mini-batch of `n` rows,
    /// `n / N` of that.
    MaskedMean,
    /// 1: the sum of the squared errors.
    Sum,
}

/// What a [`TrajectoryLoss`](super::TrajectoryLoss) is made of, but for its stepper.
pub(crate) struct Shooting<T> {
    pub(super) rows: Rows<T>,
    pub(super) plan: Plan,
    pub(super) reduction: Reduction,
    pub(super) segment: usize,
    pub(super) curriculum: Vec<(f64, Window)>,
    pub(super) starts: Option<FittedStarts<T>>,
    pub(super) derivatives: Option<Derivatives<T>>,
    pub(super) blocks: Blocks<T, Windows<T>, Sums>,
    pub(super) prepared: Prepared,
    pub(super) row_scratches: Vec<RowScratch<T>>,
    /// Of the rows of all ranks, where there are several: the states compared, the rows selected, and both of all.
    pub(super) whole: Option<[f64; 4]>,
}

impl<T: Scalar> Shooting<T> {
    pub(super) fn new(window: Window, data: TrajectoryData<'_, T>) -> Result<Self, LossError> {
        let rows = Rows::new(data)?;
        let plan = Plan::new(&rows, window)?;
        Ok(Self {
            rows,
            plan,
            reduction: Reduction::default(),
            segment: 32,
            curriculum: Vec::new(),
            starts: None,
            derivatives: None,
            blocks: Blocks::default(),
            prepared: Prepared::default(),
            row_scratches: Vec::new(),
            whole: None,
        })
    }

    pub(super) fn set_derivatives(
        &mut self,
        weight: f64,
        dx: ArrayView2<'_, T>,
    ) -> Result<(), LossError> {
        let shape = [self.rows.len(), self.rows.dim];
        check_shape("derivatives", dx.shape(), &shape, "one derivative a state")?;
        check_finite("derivatives", dx)?;
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(LossError::Weight { what: "derivatives", weight });
        }
        let dx = dx.iter().copied().collect();
        let weights = vec![T::from_f64(weight); self.rows.dim];
        self.derivatives = Some(Derivatives { dx, weights });
        Ok(())
    }

    pub(super) fn name(&self) -> &'static str {
        match self.plan.window() {
            // One name for a column of the log, whatever the window at present.
            _ if !self.curriculum.is_empty() => "windows",
            Window::Steps(1) => "one-step",
            Window::Steps(_) => "window",
            Window::Whole => "trajectory",
        }
    }

    /// The loss of states that stay where their window begins, if nothing but states is compared, and in
    /// windows that stay as they are.
    pub(super) fn constant_values(&self) -> Vec<(String, f64)> {
        let Self { rows, plan, derivatives: None, .. } = self else { return Vec::new() };
        if !self.curriculum.is_empty() {
            return Vec::new();
        }
        let mut sum = 0.0;
        for stretch in rows.cut(plan.window()) {
            let start = &rows.x[stretch.row * rows.dim..][..rows.dim];
            for step in 1..=stretch.steps {
                rows.state_errors(&[stretch], step, start, |i, error| {
                    sum += (rows.weights[i] * error * error).to_f64();
                });
            }
        }
        let value = self.divisor(RowSelection::All).map(|divisor| sum / divisor);
        value.map_or_else(|_| Vec::new(), |value| vec![(self.name().to_owned(), value)])
    }

    pub(super) fn set_window(&mut self, window: Window) -> Result<(), LossError> {
        if window != self.plan.window() {
            self.plan = Plan::new(&self.rows, window)?;
        }
        Ok(())
    }

    pub(super) fn begin_step(&mut self, step: usize, steps: usize) -> Result<(), LossError> {
        if let Some(starts) = &mut self.starts {
            starts.step();
        }
        let fraction = step as f64 / steps.max(1) as f64;
        let stage = self.curriculum.iter().rfind(|(from, _)| *from <= fraction);
        stage.copied().map_or(Ok(()), |(_, window)| self.set_window(window))
    }

    pub(super) fn copy_locals(&self, out: &mut [T]) -> Result<(), LossError> {
        check_locals(out.len(), self.num_locals())?;
        out.iter_mut().zip(self.locals()).for_each(|(out, local)| *out = local);
        Ok(())
    }

    pub(super) fn set_locals(&mut self, locals: &[T]) -> Result<(), LossError> {
        check_locals(locals.len(), self.num_locals())?;
        self.replace_locals(locals);
        Ok(())
    }

    /// What the divisor is made of: the states compared, the rows selected, and both of all.
    pub(super) fn sums(&self, selection: RowSelection<'_>) -> Result<[f64; 4], LossError> {
        let chosen = count(selection, self.rows.len())?;
        let compared = |selection| self.plan.compared(selection, self.starts.is_some().into());
        let all = [compared(RowSelection::All), self.rows.len()];
        Ok([compared(selection), chosen, all[0], all[1]].map(|count| count as f64))
    }

    pub(super) fn divisor(&self, selection: RowSelection<'_>) -> Result<f64, LossError> {
        let [compared, chosen, all, n] = match self.whole {
            Some(whole) => whole,
            None => self.sums(selection)?,
        };
        let (compared, chosen) = match selection {
            RowSelection::All => (all, n),
            RowSelection::Rows(_) => (compared, chosen),
        };
        let dim = self.rows.dim as f64;
        Ok(match self.reduction {
            Reduction::Mean => compared * dim,
            Reduction::MaskedMean => (n - 1.0) * dim * chosen / n,
            Reduction::Sum => 1.0,
        })
    }

    pub(super) fn evaluate(
        &mut self,
        on: Stepped<'_, T>,
        selection: RowSelection<'_>,
        weight: f64,
        theta_bar: Option<&mut [T]>,
        slopes: Option<Slopes<'_, T>>,
    ) -> Result<Sums, LossError> {
        check_field(on.field, self.rows.dim, self.rows.inputs)?;
        if self.whole.is_some() && selection == RowSelection::Rows(&[]) {
            // The rows are elsewhere.
            return Ok(Sums::default());
        }
        self.plan.choose(selection, on.field.block_len())?;
        if self.plan.chosen.is_empty() {
            return Ok(Sums::default());
        }
        let divisor = self.divisor(selection)?;
        let scale = T::from_f64(2.0 * weight / divisor);
        let Self { rows, plan, segment, starts: fitted, derivatives, blocks, .. } = self;
        let derivatives = derivatives.as_ref();
        let (rows, segment) = (&*rows, *segment);
        let (starts, is_fitted) = (fitted.as_ref().map_or(&rows.x[..], |s| &s.x), fitted.is_some());
        let sums = blocks.run(plan.blocks.len(), 1, theta_bar, |index, rollout, theta_bar| {
            let stretches = &plan.chosen[plan.blocks[index.start].clone()];
            let problem =
                Problem { on, rows, starts, fitted: is_fitted, derivatives, slopes, stretches };
            Ok(match theta_bar {
                None => Sums::of_states(rollout.value(&problem)?),
                Some(theta_bar) => {
                    rollout.value_and_gradient(&problem, segment, scale, theta_bar)?
                }
            })
        });
        if let Some(fitted) = fitted {
            fitted.clear();
            blocks.scratches().for_each(|rollout| fitted.take(&mut rollout.moves));
        }
        let Sums { states, slopes } = sums?;
        Ok(Sums { states: states / divisor, slopes })
    }
}
