//! Events: times at which a function of the state crosses zero.

use std::fmt;

use ndarray::{ArrayView1, ArrayView2, Axis};

use super::observe::{Observer, StepTaken};
use super::{Adaptive, BatchSolution, Solution};
use crate::{Scalar, SolveError, SolveFailure, VectorField, check, parallel, signal};

/// Which crossings count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Crossing {
    /// From below zero to zero or above, as integrated.
    Rising,
    /// From above zero to zero or below, as integrated.
    Falling,
    /// Both.
    #[default]
    Either,
}

/// An event: `g(t, x)` crosses zero.
#[derive(Clone, Copy)]
pub struct Event<'a, T> {
    /// `g(t, x)`, continuous along the trajectory; NaN is an error.
    pub function: &'a (dyn Fn(T, &[T]) -> T + Sync),
    /// Which crossings count.
    pub crossing: Crossing,
    /// Whether the integration stops there.
    pub terminal: bool,
}

impl<T> fmt::Debug for Event<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("crossing", &self.crossing)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

/// One crossing.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Occurrence<T> {
    /// Index of the event.
    pub event: usize,
    /// When.
    pub time: T,
    /// The state there (D numbers).
    pub state: Vec<T>,
}

/// A trajectory with its events.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct EventSolution<T> {
    /// The states at the times asked for; NaN after the end where a terminal event stopped it.
    pub solution: Solution<T>,
    /// All crossings, in the order of the integration.
    pub occurrences: Vec<Occurrence<T>>,
    /// Whether a terminal event stopped the integration.
    pub stopped: bool,
}

/// A trajectory with its events, or why it ended before its time.
pub type EventResult<T> = Result<EventSolution<T>, SolveFailure<EventSolution<T>>>;

/// Parts of a step in which crossings are looked for, so that two of them in one step are seen.
const PARTS: usize = 8;

impl Adaptive {
    /// As [`solve`](Self::solve), finding the events on the way: each crossing to rounding on
    /// the method's interpolant. A crossing at the very end of a step is found once; one that lies
    /// at the start is none. Each step is searched in eight parts: of two crossings within one of
    /// them neither is seen; [`with_max_step`](Self::with_max_step) keeps steps short where that may be.
    ///
    /// ```
    /// use hnn_integrators::{Adaptive, Crossing, DORMAND_PRINCE5, Event, FnField, Tolerances};
    /// use ndarray::array;
    /// // A stone falls from 1 m.
    /// let fall = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
    ///     dx[0] = x[1];
    ///     dx[1] = -9.81;
    /// });
    /// let ground =
    ///     Event { function: &|_t, x: &[f64]| x[0], crossing: Crossing::Falling, terminal: true };
    /// let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-10));
    /// let run = solver.solve_events(&fall, array![1.0, 0.0].view(), &[0.0, 9.0], &[ground])?;
    /// assert!(run.stopped);
    /// assert!((run.occurrences[0].time - (2.0 / 9.81f64).sqrt()).abs() < 1e-9);
    /// # Ok::<(), hnn_integrators::SolveError>(())
    /// ```
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn solve_events<T, F>(
        &self,
        field: &F,
        x0: ArrayView1<'_, T>,
        times: &[T],
        events: &[Event<'_, T>],
    ) -> EventResult<T>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
    {
        let mut runs = self.solve_batch_events(field, x0.insert_axis(Axis(0)), times, events)?;
        runs.swap_remove(0)
    }

    /// [`solve_events`](Self::solve_events) for many trajectories, from the states `x0` (M, D) at
    /// `times[0]`: each with its own steps, its own crossings, and its own end.
    ///
    /// ```
    /// use hnn_integrators::{Adaptive, Crossing, DORMAND_PRINCE5, Event, FnField, Tolerances};
    /// use ndarray::array;
    /// // The period of a pendulum grows with its amplitude.
    /// let pendulum = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
    ///     dx[0] = x[1];
    ///     dx[1] = -x[0].sin();
    /// });
    /// let back = Event { function: &|_t, x: &[f64]| x[1], crossing: Crossing::Falling, terminal: true };
    /// let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-11));
    /// let starts = array![[0.1, 0.0], [1.0, 0.0], [3.0, 0.0]];
    /// let runs = solver.solve_batch_events(&pendulum, starts.view(), &[0.0, 50.0], &[back])?;
    /// let mut periods = Vec::new();
    /// for run in runs {
    ///     periods.push(run?.occurrences[0].time);
    /// }
    /// assert!((periods[0] - 6.287_112).abs() < 1e-5);
    /// assert!(periods[0] < periods[1] && periods[1] < periods[2]);
    /// # Ok::<(), hnn_integrators::SolveError>(())
    /// ```
    ///
    /// # Errors
    /// As [`solve`](Self::solve) for bad input; a trajectory that fails has its own error, and the
    /// others go on.
    pub fn solve_batch_events<T, F>(
        &self,
        field: &F,
        x0: ArrayView2<'_, T>,
        times: &[T],
        events: &[Event<'_, T>],
    ) -> Result<Vec<EventResult<T>>, SolveError>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
    {
        check::times(times)?;
        self.check_settings()?;
        check::start(x0, field.dim())?;
        check::room(x0, times.len())?;
        let interval = (times[0], times[times.len() - 1]);
        signal::check(field, std::iter::repeat_n(interval, x0.nrows()))?;
        let size = field.block_len().clamp(1, x0.nrows());
        let blocks = x0.axis_chunks_iter(Axis(0), size).enumerate().collect();
        let runs = parallel::map(blocks, |(index, x0): (usize, ArrayView2<'_, T>)| {
            let mut watches = Watches {
                events,
                trajectories: x0.outer_iter().map(|_| Watch::default()).collect(),
                state: vec![T::ZERO; x0.ncols()],
                weights: Vec::new(),
            };
            let run = self.watched(field, index * size, x0, times, &mut watches);
            watches.results(index * size, times, run)
        });
        Ok(runs.into_iter().flatten().collect())
    }
}

/// Looks for crossings along a block of trajectories, step by step.
struct Watches<'e, 'a, T> {
    events: &'e [Event<'a, T>],
    trajectories: Vec<Watch<T>>,
    state: Vec<T>,
    weights: Vec<f64>,
}

/// What has been found along a trajectory.
#[derive(Default)]
struct Watch<T> {
    occurrences: Vec<Occurrence<T>>,
    stopped: bool,
    /// An event whose function was NaN, and when.
    undefined: Option<(usize, T)>,
}

impl<T: Scalar> Watches<'_, '_, T> {
    /// The results of the trajectories, the first of which is number `first`.
    fn results(self, first: usize, times: &[T], run: BatchSolution<T>) -> Vec<EventResult<T>> {
        let BatchSolution { states, statistics, statuses } = run;
        let runs = states.outer_iter().zip(statistics).zip(statuses).zip(self.trajectories);
        runs.enumerate()
            .map(|(row, (((states, statistics), status), watch))| {
                let (times, states) = (times.to_vec(), states.to_owned());
                let solution = Solution { times, states, statistics };
                let Watch { occurrences, stopped, undefined } = watch;
                let solution = EventSolution { solution, occurrences, stopped };
                let undefined = undefined.map(|(event, time)| SolveError::UndefinedEvent {
                    trajectory: first + row,
                    event,
                    time: time.to_f64(),
                });
                match undefined.or(status.err()) {
                    None => Ok(solution),
                    Some(error) => Err(SolveFailure { error, partial: Some(Box::new(solution)) }),
                }
            })
            .collect()
    }

    /// The crossings of an event in a step, as fractions of it; or where its function is NaN.
    fn crossings(&mut self, event: usize, step: &StepTaken<'_, T>) -> Result<Vec<T>, T> {
        let Self { events, state, weights, .. } = self;
        let event = &events[event];
        let mut value = |theta: T| {
            step.state(theta, weights, state);
            (event.function)(step.time(theta), state)
        };
        let mut found = Vec::new();
        let (mut left, mut g_left) = (T::ZERO, value(T::ZERO));
        if is_nan(g_left) {
            return Err(left);
        }
        for part in 1..=PARTS {
            let right = T::from_usize(part) / T::from_usize(PARTS);
            let g_right = value(right);
            if is_nan(g_right) {
                return Err(right);
            }
            let rises = g_left < T::ZERO && g_right >= T::ZERO;
            let falls = g_left > T::ZERO && g_right <= T::ZERO;
            let counts = match event.crossing {
                Crossing::Rising => rises,
                Crossing::Falling => falls,
                Crossing::Either => rises || falls,
            };
            if counts {
                found.push(root(&mut value, (left, g_left), (right, g_right)));
            }
            (left, g_left) = (right, g_right);
        }
        Ok(found)
    }
}

impl<T: Scalar> Observer<T> for Watches<'_, '_, T> {
    fn observe(&mut self, trajectory: usize, step: &StepTaken<'_, T>) -> Option<T> {
        let mut found: Vec<(T, usize)> = Vec::new();
        for event in 0..self.events.len() {
            match self.crossings(event, step) {
                Ok(crossings) => found.extend(crossings.into_iter().map(|theta| (theta, event))),
                Err(theta) => {
                    let time = step.time(theta);
                    self.trajectories[trajectory].undefined = Some((event, time));
                    return Some(time);
                }
            }
        }
        found.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        for (theta, event) in found {
            let (time, mut state) = (step.time(theta), vec![T::ZERO; step.dim()]);
            step.state(theta, &mut self.weights, &mut state);
            let watch = &mut self.trajectories[trajectory];
            watch.occurrences.push(Occurrence { event, time, state });
            if self.events[event].terminal {
                watch.stopped = true;
                return Some(time);
            }
        }
        None
    }
}

/// The root of a function that changes sign between two points: bisection with secants (the
/// Illinois method), until the bracket is at rounding.
fn root<T: Scalar>(
    f: &mut impl FnMut(T) -> T,
    (mut a, mut fa): (T, T),
    (mut b, mut fb): (T, T),
) -> T {
    let half = T::from_f64(0.5);
    for round in 0..200 {
        if fb == T::ZERO || (b - a).abs() <= T::EPSILON * b.abs() {
            break;
        }
        let secant = b - fb * (b - a) / (fb - fa);
        // Every third point is the middle, so that the bracket always shrinks.
        let inside = secant > Scalar::min(a, b) && secant < Scalar::max(a, b);
        let c = if inside && round % 3 != 2 { secant } else { a + half * (b - a) };
        let fc = f(c);
        if (fc < T::ZERO) == (fb < T::ZERO) {
            fa *= half;
        } else {
            (a, fa) = (b, fb);
        }
        (b, fb) = (c, fc);
    }
    b
}

fn is_nan<T: Scalar>(x: T) -> bool {
    x.partial_cmp(&x).is_none()
}
