//! Inputs over time, each trajectory its own.

mod driven;

use std::fmt;

pub use driven::Driven;
use ndarray::{Array2, ArrayView2};
use thiserror::Error;

use crate::{Scalar, SolveError, VectorField};

/// How a signal goes from sample to sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Between {
    /// Each sample is held until the next one: what a computer sends to a motor.
    Held,
    /// In straight lines: what is measured.
    Linear,
}

/// The inputs of one trajectory: samples of all of them at times of their own.
///
/// ```
/// use hnn_integrators::Signal;
/// use ndarray::array;
/// let (times, torque) = ([0.0, 1.0, 3.0], array![[2.0], [-1.0], [5.0]]);
/// let mut u = [0.0];
/// Signal::held(&times, torque.view()).at(2.0, &mut u)?;
/// assert_eq!(u, [-1.0]);
/// Signal::linear(&times, torque.view()).at(2.0, &mut u)?;
/// assert_eq!(u, [2.0]);
/// let error = Signal::held(&times, torque.view()).at(4.0, &mut u).expect_err("after the last");
/// assert!(error.to_string().contains("hold_ends"));
/// Signal::held(&times, torque.view()).hold_ends().at(4.0, &mut u)?;
/// assert_eq!(u, [5.0]);
/// # Ok::<(), hnn_integrators::SignalError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Signal<T> {
    times: Vec<T>,
    /// Of shape (N, K).
    values: Array2<T>,
    between: Between,
    hold_ends: bool,
}

/// The inputs of all trajectories.
#[derive(Clone, Copy)]
pub enum Signals<'a, T> {
    /// Samples, one signal a trajectory. Steps never cross a sample.
    Sampled(&'a [Signal<T>]),
    /// A function `u(trajectory, t)`, which writes the `K` inputs. Of its jumps a solver knows nothing:
    /// an adaptive one finds them by shorter steps, one of fixed steps not at all.
    Function(&'a (dyn Fn(usize, T, &mut [T]) + Sync)),
}

impl<T: fmt::Debug> fmt::Debug for Signals<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sampled(signals) => f.debug_tuple("Sampled").field(signals).finish(),
            Self::Function(_) => f.write_str("Function"),
        }
    }
}

/// What is wrong with a signal.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SignalError {
    /// No sample.
    #[error("there is no sample: pass at least one")]
    Empty,
    /// Another number of times than of samples.
    #[error("{times} times for {samples} samples: pass a time for each row of inputs")]
    Length {
        /// Times given.
        times: usize,
        /// Rows of inputs given.
        samples: usize,
    },
    /// Another number of inputs than the field has.
    #[error("{given} inputs, but the field has {expected}: pass {expected} columns")]
    Inputs {
        /// Inputs given.
        given: usize,
        /// Inputs of the field.
        expected: usize,
    },
    /// Times that do not increase.
    #[error(
        "time {index} is {given} after {previous}: pass finite times that increase, whichever way the trajectory goes"
    )]
    Times {
        /// Index of the sample.
        index: usize,
        /// Its time.
        given: f64,
        /// The time before it.
        previous: f64,
    },
    /// An input that is infinite or NaN.
    #[error("sample {sample} holds {value} for input {input}: pass finite numbers")]
    NotFinite {
        /// Index of the sample.
        sample: usize,
        /// Index of the input.
        input: usize,
        /// The number.
        value: f64,
    },
    /// Times at which the signal is not known.
    #[error(
        "asked for from t = {from} to t = {to}, but its samples go from {first} to {last}: pass more samples, or have the first and the last one held (`hold_ends`)"
    )]
    Outside {
        /// Earliest time asked for.
        from: f64,
        /// Latest time asked for.
        to: f64,
        /// Time of the first sample.
        first: f64,
        /// Time of the last one.
        last: f64,
    },
}

impl<T: Scalar> Signal<T> {
    /// Each sample, a row of `values` (N, K), held until the time of the next. The last one counts at its
    /// own time only.
    ///
    /// What is passed is checked where the signal is used.
    #[must_use]
    pub fn held(times: &[T], values: ArrayView2<'_, T>) -> Self {
        let (times, values) = (times.to_vec(), values.to_owned());
        Self { times, values, between: Between::Held, hold_ends: false }
    }

    /// Straight lines between the samples, the rows of `values` (N, K).
    #[must_use]
    pub fn linear(times: &[T], values: ArrayView2<'_, T>) -> Self {
        Self { between: Between::Linear, ..Self::held(times, values) }
    }

    /// Before the first sample that one counts, and after the last one that. Otherwise a trajectory
    /// that goes beyond them is an error.
    #[must_use]
    pub fn hold_ends(self) -> Self {
        Self { hold_ends: true, ..self }
    }

    /// Writes the `K` inputs at a time. At the time of a held sample that one counts.
    ///
    /// # Errors
    /// What is wrong with the signal, a slice of another length than `K`, or a time outside the
    /// samples.
    pub fn at(&self, t: T, u: &mut [T]) -> Result<(), SignalError> {
        self.check(u.len(), t, t)?;
        self.write(t, u);
        Ok(())
    }

    /// Writes the inputs at a time, going forward.
    fn write(&self, t: T, u: &mut [T]) {
        let piece = self.piece(t, true);
        u.iter_mut().enumerate().for_each(|(k, u)| *u = self.value(piece, t, k));
    }

    /// Checks everything, for a field of so many inputs over an interval of either direction.
    pub(crate) fn check(&self, inputs: usize, start: T, end: T) -> Result<(), SignalError> {
        let (times, samples) = (self.times.len(), self.values.nrows());
        let (Some(first), Some(last)) = (self.times.first(), self.times.last()) else {
            return Err(SignalError::Empty);
        };
        if times != samples {
            return Err(SignalError::Length { times, samples });
        }
        if self.values.ncols() != inputs {
            return Err(SignalError::Inputs { given: self.values.ncols(), expected: inputs });
        }
        for (index, given) in self.times.iter().enumerate() {
            let previous = if index == 0 { -T::INFINITY } else { self.times[index - 1] };
            if !(*given > previous && given.is_finite()) {
                let (given, previous) = (given.to_f64(), previous.to_f64());
                return Err(SignalError::Times { index, given, previous });
            }
        }
        for ((sample, input), value) in self.values.indexed_iter() {
            if !value.is_finite() {
                return Err(SignalError::NotFinite { sample, input, value: value.to_f64() });
            }
        }
        let (from, to) = if start < end { (start, end) } else { (end, start) };
        // Up to rounding, as sums of step sizes reach it.
        let slack = resolution(*first, *last);
        let inside = from >= *first - slack && to <= *last + slack;
        if !(self.hold_ends || inside) {
            let [from, to, first, last] = [from, to, *first, *last].map(|t| t.to_f64());
            return Err(SignalError::Outside { from, to, first, last });
        }
        Ok(())
    }

    /// The piece on which a trajectory goes on from a time: piece `i` ends with sample `i`, piece 0
    /// lies before the first one, piece `N` after the last one. Within a piece there is no jump and
    /// no kink.
    pub(crate) fn piece(&self, t: T, forward: bool) -> usize {
        self.times.partition_point(|sample| if forward { *sample <= t } else { *sample < t })
    }

    /// Where a piece ends, in the direction of the trajectory; the last one has no end.
    pub(crate) fn end_of(&self, piece: usize, forward: bool) -> Option<T> {
        let sample = if forward { piece } else { piece.checked_sub(1)? };
        self.times.get(sample).copied()
    }

    /// Whether the inputs may jump where a piece ends.
    pub(crate) fn jumps(&self) -> bool {
        self.between == Between::Held
    }

    /// Input `k` at a time on a piece.
    pub(crate) fn value(&self, piece: usize, t: T, k: usize) -> T {
        let (before, after) = (piece.saturating_sub(1), piece.min(self.times.len() - 1));
        let (low, high) = (self.values[[before, k]], self.values[[after, k]]);
        if self.between == Between::Held || before == after {
            return low;
        }
        let (begin, end) = (self.times[before], self.times[after]);
        low + (t - begin) / (end - begin) * (high - low)
    }
}

/// A few times the distance of the numbers around two times.
pub(crate) fn resolution<T: Scalar>(a: T, b: T) -> T {
    T::from_f64(8.0) * T::EPSILON * Scalar::max(a.abs(), b.abs())
}

impl<T: Scalar> Signals<'_, T> {
    /// Writes the inputs of a trajectory at a time, going forward.
    pub(crate) fn write(&self, trajectory: usize, t: T, u: &mut [T]) {
        match self {
            Self::Sampled(signals) => signals[trajectory].write(t, u),
            Self::Function(function) => function(trajectory, t, u),
        }
    }
}

/// Checks that a field with inputs has its signals, for each trajectory over its own interval.
pub(crate) fn check<T: Scalar, F: VectorField<T> + ?Sized>(
    field: &F,
    intervals: impl ExactSizeIterator<Item = (T, T)>,
) -> Result<(), SolveError> {
    match (field.inputs(), field.signals()) {
        (0, None) => Ok(()),
        (inputs, None) => Err(SolveError::NoSignal { inputs }),
        (0, Some(_)) => Err(SolveError::NoInputs),
        (inputs, Some(signals)) => check_signals(signals, inputs, intervals),
    }
}

/// Checks signals of so many inputs, for each trajectory over its own interval.
pub(crate) fn check_signals<T: Scalar>(
    signals: Signals<'_, T>,
    inputs: usize,
    intervals: impl ExactSizeIterator<Item = (T, T)>,
) -> Result<(), SolveError> {
    let Signals::Sampled(signals) = signals else { return Ok(()) };
    let (given, expected) = (signals.len(), intervals.len());
    if given != expected {
        return Err(SolveError::Rows { what: "signals", given, expected });
    }
    for (trajectory, (signal, (start, end))) in signals.iter().zip(intervals).enumerate() {
        signal
            .check(inputs, start, end)
            .map_err(|source| SolveError::Signal { trajectory, source })?;
    }
    Ok(())
}
