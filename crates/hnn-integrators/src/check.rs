//! Checks of what a user hands over, shared by all solvers.

use ndarray::ArrayView2;

use crate::{Scalar, SolveError, TooLarge};

/// Initial states must be there, have the field's dimension and be finite.
pub(crate) fn start<T: Scalar>(x0: ArrayView2<'_, T>, dim: usize) -> Result<(), SolveError> {
    if x0.nrows() == 0 {
        return Err(SolveError::EmptyBatch);
    }
    if x0.ncols() != dim {
        return Err(SolveError::Dimension { given: x0.ncols(), expected: dim });
    }
    for ((trajectory, coordinate), value) in x0.indexed_iter() {
        if !value.is_finite() {
            let value = value.to_f64();
            return Err(SolveError::NonFiniteStart { trajectory, coordinate, value });
        }
    }
    Ok(())
}

/// A call must be allowed to take the memory of the states of all trajectories at so many times.
pub(crate) fn room<T: Scalar>(x0: ArrayView2<'_, T>, times: usize) -> Result<(), SolveError> {
    let (count, each) = (x0.nrows().saturating_mul(times), x0.ncols() * size_of::<T>());
    let remedy = "save fewer times, or solve in several calls";
    Ok(TooLarge::check("states to save", count, each, remedy)?)
}

/// Times must be finite and strictly monotone, in either direction.
pub(crate) fn times<T: Scalar>(times: &[T]) -> Result<(), SolveError> {
    let Some(first) = times.first() else { return Err(SolveError::NoTimes) };
    let wrong = |index: usize, previous: T| SolveError::Times {
        index,
        given: times[index].to_f64(),
        previous: previous.to_f64(),
        spacing: (previous.abs() * T::EPSILON).to_f64(),
    };
    if !first.is_finite() {
        return Err(wrong(0, *first));
    }
    let backward = times.last() < Some(first);
    for (index, pair) in times.windows(2).enumerate() {
        let ordered = if backward { pair[1] < pair[0] } else { pair[1] > pair[0] };
        if !(ordered && pair[1].is_finite()) {
            return Err(wrong(index + 1, pair[0]));
        }
    }
    Ok(())
}

/// A setting that must be positive and finite.
pub(crate) fn positive<T: Scalar>(name: &'static str, given: T) -> Result<(), SolveError> {
    if given > T::ZERO && given.is_finite() {
        Ok(())
    } else {
        Err(SolveError::NotPositive { name, given: given.to_f64() })
    }
}

/// A setting that must be finite and not negative.
pub(crate) fn not_negative(name: &'static str, given: f64) -> Result<(), SolveError> {
    if given >= 0.0 && given.is_finite() {
        Ok(())
    } else {
        Err(SolveError::Negative { name, given })
    }
}
