//! One trajectory, every accepted step of which is seen.

use std::ops::ControlFlow;

use ndarray::{Array3, ArrayView1, Axis};

use super::block::AdaptiveJob;
use super::observe::{Observer, StepTaken};
use super::{Adaptive, AdaptiveRun, Solution, Statistics};
use crate::field::ByReference;
use crate::{Scalar, SolveError, VectorField, check};

impl Adaptive {
    /// Integrates one trajectory without keeping anything: `observe(t, state)` sees the start and
    /// the end of every accepted step, and may stop there. Returns the time reached.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use hnn_integrators::{Adaptive, DORMAND_PRINCE5, FnField, Tolerances};
    /// use ndarray::array;
    /// let decay = FnField::new(1, |_t, x: &[f64], dx: &mut [f64]| dx[0] = -x[0]);
    /// let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-9));
    /// let mut steps = 0;
    /// let t = solver.observe(&decay, (0.0, 100.0), array![1.0].view(), |_t, x| {
    ///     steps += 1;
    ///     if x[0] < 0.1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// })?;
    /// assert!(t > 10.0_f64.ln() && t < 4.0 && steps > 10);
    /// # Ok::<(), hnn_integrators::SolveError>(())
    /// ```
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn observe<T, F>(
        &self,
        field: &F,
        (start, end): (T, T),
        x0: ArrayView1<'_, T>,
        mut observe: impl FnMut(T, &[T]) -> ControlFlow<()>,
    ) -> Result<T, SolveError>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
    {
        check::times(&[start, end])?;
        check::start(x0.insert_axis(Axis(0)), field.dim())?;
        if observe(start, &x0.to_vec()).is_break() {
            return Ok(start);
        }
        let mut steps = Steps { observe, reached: start };
        let (_, status) = self.watched(field, 0, x0, &[start, end], &mut steps)?;
        status.map(|()| steps.reached)
    }

    /// As [`solve`](Self::solve), every accepted step shown to an observer; how it ended is told
    /// beside the solution. `trajectory` is its number in messages.
    pub(super) fn watched<T, F>(
        &self,
        field: &F,
        trajectory: usize,
        x0: ArrayView1<'_, T>,
        times: &[T],
        observer: &mut impl Observer<T>,
    ) -> Result<(Solution<T>, Result<(), SolveError>), SolveError>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
    {
        check::times(times)?;
        self.check_settings()?;
        let x0 = x0.insert_axis(Axis(0));
        check::start(x0, field.dim())?;
        let mut states = Array3::from_elem((1, times.len(), x0.ncols()), T::NAN);
        let own_times = [times];
        let mut run = AdaptiveRun {
            pair: &self.method,
            settings: self.settings,
            first: trajectory,
            x0,
            times: &own_times,
            out: states.view_mut(),
            statistics: vec![Statistics::default()],
            statuses: vec![Ok(())],
        };
        let (field, observer) = (&ByReference(field), Some(observer as &mut dyn Observer<T>));
        T::solve_block(AdaptiveJob { field, run: &mut run, observer });
        let (statistics, status) = (run.statistics[0], run.statuses.swap_remove(0));
        let states = states.index_axis_move(Axis(0), 0);
        Ok((Solution { times: times.to_vec(), states, statistics }, status))
    }
}

/// Shows the ends of the steps to a closure.
struct Steps<T, O> {
    observe: O,
    /// End of the last step seen.
    reached: T,
}

impl<T: Scalar, O: FnMut(T, &[T]) -> ControlFlow<()>> Observer<T> for Steps<T, O> {
    fn observe(&mut self, _trajectory: usize, step: &StepTaken<'_, T>) -> Option<T> {
        self.reached = step.t_end();
        let end: Vec<T> = (0..step.dim()).map(|i| step.end(i)).collect();
        (self.observe)(step.t_end(), &end).is_break().then_some(step.t_end())
    }
}
