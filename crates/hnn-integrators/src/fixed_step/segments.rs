//! The plan of a fixed-step run.

use super::Steps;
use crate::{Scalar, SolveError, TooLarge, check};

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

/// Segments over one interval, a state kept after every `save_every` steps and at the end.
pub(super) fn over<T: Scalar>(
    steps: Steps,
    save_every: Option<usize>,
    (start, end): (T, T),
) -> Result<Vec<Segment<T>>, SolveError> {
    check::times(&[start, end])?;
    let (from, to) = (start.to_f64(), end.to_f64());
    let (whole, dt) = match steps {
        Steps::Count(0) => return Err(SolveError::NoSteps),
        Steps::Count(count) => (count, step_size(from, to, count)?),
        Steps::Size(dt) => whole_steps(from, to, dt)?,
    };
    // A remainder is one more, shorter step.
    let remainder = to - (from + whole as f64 * dt);
    let noticeable = 1e-9 * dt.abs().min((to - from).abs());
    let shorter = matches!(steps, Steps::Size(_)) && remainder.abs() > noticeable;
    let last = whole + usize::from(shorter);
    let every = save_every.unwrap_or(last).max(1);
    let remedy = "save every k-th state only, or observe the run";
    TooLarge::check("states to save", last / every, size_of::<Segment<T>>(), remedy)?;
    let time = |step| if step == last { end } else { T::from_f64(from + step as f64 * dt) };
    let segment = |before, until, dt| {
        let saved = until == last || until % every == 0;
        let (start, end) = (time(before), time(until));
        Segment { before, steps: until - before, start, dt: T::from_f64(dt), end, saved }
    };
    let mut segments: Vec<_> = (0..whole)
        .step_by(every)
        .map(|before| segment(before, whole.min(before.saturating_add(every)), dt))
        .collect();
    if shorter {
        segments.push(segment(whole, last, remainder));
    }
    Ok(segments)
}

/// More steps than numbers count one by one.
const TOO_MANY: f64 = 1e15;

fn step_size(from: f64, to: f64, count: usize) -> Result<f64, SolveError> {
    let dt = (to - from) / count as f64;
    if (count as f64) < TOO_MANY {
        Ok(dt)
    } else {
        Err(SolveError::StepSize { dt, interval: (to - from).abs() })
    }
}

/// Number and size of the whole steps in an interval. A multiple up to rounding counts as one.
fn whole_steps(from: f64, to: f64, dt: f64) -> Result<(usize, f64), SolveError> {
    check::positive("the step size", dt)?;
    let interval = (to - from).abs();
    let ratio = interval / dt;
    if !(ratio < TOO_MANY) {
        return Err(SolveError::StepSize { dt, interval });
    }
    let whole = ratio.round();
    if whole >= 1.0 && (ratio - whole).abs() <= 1e-9 * whole {
        return Ok((whole as usize, (to - from) / whole));
    }
    Ok((ratio.floor() as usize, dt.copysign(to - from)))
}

/// Segments from time to time.
pub(super) fn between<T: Scalar>(steps: Steps, times: &[T]) -> Result<Vec<Segment<T>>, SolveError> {
    check::times(times)?;
    let mut before = 0;
    let segment = |pair: &[T]| {
        let (from, to) = (pair[0].to_f64(), pair[1].to_f64());
        let steps = match steps {
            Steps::Count(0) => return Err(SolveError::NoSteps),
            Steps::Count(count) => step_size(from, to, count).map(|_| count)?,
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
    times.windows(2).map(segment).collect()
}
