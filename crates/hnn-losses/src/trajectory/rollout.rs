//! A block of windows, integrated together, and its errors on the way back.

use hnn_integrators::{
    Bars, Checkpoints, FieldError, FieldObject, Grid, Motion, Rollout, Scalar, Visit,
};

use super::derivatives::{Comparison, Derivatives, WindowStates};
use super::slopes::{Slopes, Sums};
use super::starts::{Move, moves_of};
use super::windows::{Rows, Stretch};

/// The scratch memory of a block.
#[derive(Debug, Default)]
pub(super) struct Windows<T> {
    times: Vec<T>,
    /// The inputs at each state.
    u: Vec<T>,
    x0: Vec<T>,
    start_bar: Vec<T>,
    rollout: Rollout<T>,
    comparison: Comparison<T>,
    /// Where fitted starts should go, from all blocks since they were last taken.
    pub(super) moves: Vec<Move<T>>,
}

/// A field, and the method and this field.
#[derive(Clone, Copy)]
pub(crate) struct Stepped<'a, T: Scalar> {
    pub(crate) field: &'a dyn FieldObject<T>,
    pub(crate) motion: &'a dyn Motion<T>,
}

/// What is integrated: by which stepper, which field, along which windows of the data.
pub(super) struct Problem<'a, T: Scalar> {
    pub(super) on: Stepped<'a, T>,
    pub(super) rows: &'a Rows<T>,
    /// The state of each row that a window may begin at.
    pub(super) starts: &'a [T],
    /// Whether these are fitted as well.
    pub(super) fitted: bool,
    /// Derivatives that the field is compared with along the windows, if any.
    pub(super) derivatives: Option<&'a Derivatives<T>>,
    /// Derivatives that the field is compared with where the windows begin, if any; counted in
    /// the gradient only.
    pub(super) slopes: Option<Slopes<'a, T>>,
    /// The longest first.
    pub(super) stretches: &'a [Stretch],
}

impl<T: Scalar> Problem<'_, T> {
    fn states<'b>(&'b self, step: usize, x: &'b [T]) -> WindowStates<'b, T> {
        WindowStates { rows: self.rows, stretches: self.stretches, step, x }
    }

    /// The times and inputs at the states.
    fn grid<'b>(&self, times: &'b [T], u: &'b [T]) -> Grid<'b, T> {
        Grid::times(self.stretches.len(), times).with_inputs(self.rows.samples(u))
    }

    /// Whether the states after `step` steps are compared with measured ones: the first ones are
    /// the measured ones, unless they are fitted.
    fn compares(&self, step: usize) -> bool {
        step > 0 || self.fitted
    }

    /// The weighted sum of the squared errors of the states `x` after `step` steps;
    /// `each(index, error)` sees the errors times their weights.
    fn squared_error(&self, step: usize, x: &[T], mut each: impl FnMut(usize, T)) -> f64 {
        let mut sum = 0.0;
        if self.compares(step) {
            let (rows, lanes) = (self.rows, self.stretches.len());
            rows.state_errors(self.stretches, step, x, |index, error| {
                let weighted = rows.weights[index / lanes] * error;
                sum += (weighted * error).to_f64();
                each(index, weighted);
            });
        }
        sum
    }
}

impl<T: Scalar> Windows<T> {
    /// The sum of the squared errors of all states.
    pub(super) fn value(&mut self, problem: &Problem<'_, T>) -> Result<f64, FieldError> {
        self.start(problem);
        let Self { times, u, x0, rollout, comparison, .. } = self;
        let (grid, mut sum) = (problem.grid(times, u), 0.0);
        let field = problem.on.field;
        rollout.walk_along(problem.on.motion, grid, x0, &mut |step, x| {
            sum += problem.squared_error(step, x, |_, _| {});
            if let Some(derivatives) = problem.derivatives {
                sum += comparison.value(field, derivatives, problem.states(step, x))?;
            }
            Ok(())
        })?;
        Ok(sum)
    }

    /// The sum of the squared errors of all states; **adds** `scale` times half its gradient to
    /// `theta_bar`.
    pub(super) fn value_and_gradient(
        &mut self,
        problem: &Problem<'_, T>,
        segment: usize,
        scale: T,
        theta_bar: &mut [T],
    ) -> Result<Sums, FieldError> {
        self.start(problem);
        let Self { times, u, x0, start_bar, rollout, comparison, moves } = self;
        let grid = problem.grid(times, u);
        let (mut sums, mut slopes_seen) = (Sums::default(), problem.slopes.is_none());
        let field = problem.on.field;
        let mut visit = |visit: Visit<'_, T>| {
            match visit {
                Visit::State { step, x, x_bar, mut theta_bar } => {
                    sums.states +=
                        problem.squared_error(step, x, |i, error| x_bar[i] += scale * error);
                    let states = problem.states(step, x);
                    if let Some(derivatives) = problem.derivatives {
                        sums.states += comparison.pull_back(
                            field,
                            derivatives,
                            states,
                            scale,
                            x_bar,
                            theta_bar.reborrow(),
                        )?;
                    }
                    if let (0, false, Some(slopes)) = (step, slopes_seen, &problem.slopes) {
                        sums.slopes +=
                            comparison.pull_back_slopes(field, slopes, states, theta_bar)?;
                    }
                }
                Visit::Slope { step: 0, slope } => {
                    if let Some(slopes) = &problem.slopes {
                        sums.slopes +=
                            slopes.compare(problem.stretches, slope.value, slope.cotangent);
                        slopes_seen = true;
                    }
                }
                Visit::Slope { .. } => {}
            }
            Ok(())
        };
        rollout.gradient_along(
            problem.on.motion,
            grid,
            x0,
            Checkpoints::Segments(segment),
            &mut visit,
            Bars::new(start_bar).with_theta(theta_bar),
        )?;
        if problem.fitted && scale != T::ZERO {
            moves.extend(moves_of(problem.stretches, &problem.rows.weights, start_bar, scale));
        }
        Ok(sums)
    }

    /// Gathers the first states, the times and the inputs of all.
    fn start(&mut self, problem: &Problem<'_, T>) {
        let Problem { rows, stretches, starts, .. } = problem;
        let (lanes, steps) = (stretches.len(), stretches[0].steps);
        self.x0.resize(lanes * rows.dim, T::ZERO);
        self.start_bar.resize(lanes * rows.dim, T::ZERO);
        self.times.resize((steps + 1) * lanes, T::ZERO);
        self.u.resize((steps + 1) * lanes * rows.inputs, T::ZERO);
        rows.gather(stretches, starts, &mut self.x0);
        if rows.inputs > 0 {
            let each = self.u.chunks_exact_mut(lanes * rows.inputs).enumerate();
            each.for_each(|(step, u)| rows.inputs_at(stretches, step, u));
        }
        for (step, times) in self.times.chunks_exact_mut(lanes).enumerate() {
            rows.times(stretches, step, times);
        }
    }
}
