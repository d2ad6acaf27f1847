//! One trajectory, every accepted step of which is seen.

use std::ops::ControlFlow;

use ndarray::{Array3, ArrayView1, ArrayView2, Axis};

use super::block::AdaptiveJob;
use super::observe::{Observer, StepTaken};
use super::{Adaptive, AdaptiveRun, BatchSolution, Statistics};
use crate::field::ByReference;
use crate::{Scalar, SolveError, VectorField, check, signal};

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
        self.check_settings()?;
        check::start(x0.insert_axis(Axis(0)), field.dim())?;
        signal::check(field, std::iter::once((start, end)))?;
        if observe(start, &x0.to_vec()).is_break() {
            return Ok(start);
        }
        let mut steps = Steps { observe, reached: start };
        let x0 = x0.insert_axis(Axis(0));
        let mut run = self.watched(field, 0, x0, &[start, end], &mut steps);
        run.statuses.swap_remove(0).map(|()| steps.reached)
    }

    /// As [`solve_batch`](Self::solve_batch) for one block, every accepted step shown to an observer.
    /// `first` is the number of its first trajectory in messages.
    pub(super) fn watched<T, F>(
        &self,
        field: &F,
        first: usize,
        x0: ArrayView2<'_, T>,
        times: &[T],
        observer: &mut impl Observer<T>,
    ) -> BatchSolution<T>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
    {
        let (batch, dim) = x0.dim();
        let mut states = Array3::from_elem((batch, times.len(), dim), T::NAN);
        let own_times = vec![times; batch];
        let mut run = AdaptiveRun {
            pair: &self.method,
            settings: self.settings,
            first,
            x0,
            times: &own_times,
            out: states.view_mut(),
            statistics: vec![Statistics::default(); batch],
            statuses: vec![Ok(()); batch],
        };
        let (field, observer) = (&ByReference(field), Some(observer as &mut dyn Observer<T>));
        T::solve_block(AdaptiveJob { field, run: &mut run, observer });
        let (statistics, statuses) = (run.statistics, run.statuses);
        BatchSolution { states, statistics, statuses }
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
