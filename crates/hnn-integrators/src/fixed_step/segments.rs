//! The plan of a fixed-step run.

use super::Steps;
use crate::{Scalar, SolveError, check};

/// Equal steps, taken at one go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment<T> {
    /// Steps of the run before this segment.
    pub(super) before: usize,
    pub(super) steps: usize,
    pub(super) start: T,
    pub(super) dt: T,
    pub(super) end: T,
    /// Whether the state at the end is kept.
    pub(super) saved: bool,
}

/// The segments of a run.
#[derive(Debug)]
pub(super) enum Plan<T> {
    /// Steps over one interval, made one by one: there may be more than there is memory for.
    Over(Over<T>),
    /// Steps from time to time.
    Between(Vec<Segment<T>>),
}

impl<T: Scalar> Plan<T> {
    /// How many segments there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Over(over) => over.segments(),
            Self::Between(segments) => segments.len(),
        }
    }

    /// All segments, in order.
    pub(super) fn segments(&self) -> impl Iterator<Item = Segment<T>> + '_ {
        (0..self.len()).map(move |index| match self {
            Self::Over(over) => over.segment(index),
            Self::Between(segments) => segments[index],
        })
    }
}

/// Steps over one interval: `whole` equal ones, and one more that is shorter where there is a
/// remainder.
#[derive(Debug)]
pub(super) struct Over<T> {
    start: T,
    end: T,
    whole: usize,
    last: usize,
    every: usize,
    dt: f64,
    remainder: f64,
}

impl<T: Scalar> Over<T> {
    fn segments(&self) -> usize {
        self.whole.div_ceil(self.every) + usize::from(self.last > self.whole)
    }

    fn segment(&self, index: usize) -> Segment<T> {
        let before = index.saturating_mul(self.every).min(self.whole);
        let (until, dt) = if before < self.whole {
            (self.whole.min(before.saturating_add(self.every)), self.dt)
        } else {
            (self.last, self.remainder)
        };
        let saved = until == self.last || until.is_multiple_of(self.every);
        let (start, end) = (self.time(before), self.time(until));
        Segment { before, steps: until - before, start, dt: T::from_f64(dt), end, saved }
    }

    fn time(&self, step: usize) -> T {
        if step == self.last {
            return self.end;
        }
        T::from_f64(self.start.to_f64() + step as f64 * self.dt)
    }
}

/// Segments over one interval, a state kept after every `save_every` steps and at the end.
pub(super) fn over<T: Scalar>(
    steps: Steps,
    save_every: Option<usize>,
    (start, end): (T, T),
) -> Result<Plan<T>, SolveError> {
    check::times(&[start, end])?;
    let (from, to) = (start.to_f64(), end.to_f64());
    let (whole, dt) = match steps {
        Steps::Count(count) => (countable(count, from, to)?, (to - from) / count as f64),
        Steps::Size(dt) => whole_steps(from, to, dt)?,
    };
    // A remainder is one more, shorter step.
    let remainder = to - (from + whole as f64 * dt);
    let noticeable = 1e-9 * dt.abs().min((to - from).abs());
    let shorter = matches!(steps, Steps::Size(_)) && remainder.abs() > noticeable;
    let last = whole + usize::from(shorter);
    let every = save_every.unwrap_or(last).max(1);
    Ok(Plan::Over(Over { start, end, whole, last, every, dt, remainder }))
}

/// More steps than this have no number of their own.
const MOST_STEPS: f64 = 1e15;

/// A number of steps that can be counted.
fn countable(count: usize, from: f64, to: f64) -> Result<usize, SolveError> {
    let interval = (to - from).abs();
    match count as f64 {
        0.0 => Err(SolveError::NoSteps),
        steps if steps < MOST_STEPS => Ok(count),
        steps => Err(SolveError::StepSize { dt: interval / steps, interval }),
    }
}

/// Number and size of the whole steps in an interval. A multiple up to rounding counts as one.
fn whole_steps(from: f64, to: f64, dt: f64) -> Result<(usize, f64), SolveError> {
    check::positive("the step size", dt)?;
    let interval = (to - from).abs();
    let ratio = interval / dt;
    if !(ratio < MOST_STEPS) {
        return Err(SolveError::StepSize { dt, interval });
    }
    let whole = ratio.round();
    if whole >= 1.0 && (ratio - whole).abs() <= 1e-9 * whole {
        return Ok((whole as usize, (to - from) / whole));
    }
    Ok((ratio.floor() as usize, dt.copysign(to - from)))
}

/// Segments from time to time.
pub(super) fn between<T: Scalar>(steps: Steps, times: &[T]) -> Result<Plan<T>, SolveError> {
    check::times(times)?;
    let mut before = 0;
    let segment = |pair: &[T]| {
        let (from, to) = (pair[0].to_f64(), pair[1].to_f64());
        let steps = match steps {
            Steps::Count(count) => countable(count, from, to)?,
            Steps::Size(dt) => {
                let (whole, size) = whole_steps(from, to, dt)?;
                let covered = (whole as f64 * size).abs() >= (1.0 - 1e-12) * (to - from).abs();
                whole + usize::from(!covered)
            }
        };
        let dt = T::from_f64((to - from) / steps as f64);
        let segment = Segment { before, steps, start: pair[0], dt, end: pair[1], saved: true };
        before += steps;
        Ok(segment)
    };
    let segments: Result<_, SolveError> = times.windows(2).map(segment).collect();
    segments.map(Plan::Between)
}
