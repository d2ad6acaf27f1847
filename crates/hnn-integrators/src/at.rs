//! Where and when a batch is evaluated: its times, its inputs, and those of a step.

use std::fmt;

use crate::{FieldError, Scalar};

/// The times and the inputs of a batch: where, beside its states, a field is evaluated.
///
/// ```
/// use hnn_integrators::At;
/// // Two states at their own times, with one input each.
/// let at = At { t: &[0.0, 0.1], u: &[2.0, -2.0] };
/// assert_eq!(at.batch(), 2);
/// assert!(At::time(&[0.0]).u.is_empty());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At<'a, T> {
    /// The time of each of the `B` states.
    pub t: &'a [T],
    /// The `K` inputs of each state: `K * B` numbers, coordinate-major. Empty for most fields.
    pub u: &'a [T],
}

impl<'a, T> At<'a, T> {
    /// Times alone, for a field without inputs.
    #[must_use]
    pub const fn time(t: &'a [T]) -> Self {
        Self { t, u: &[] }
    }

    /// Number of states `B`.
    #[must_use]
    pub const fn batch(&self) -> usize {
        self.t.len()
    }
}

/// The inputs of a batch during a step.
#[derive(Clone, Copy, Default)]
pub enum Inputs<'a, T> {
    /// The field has none.
    #[default]
    None,
    /// From `begin` to `end` in a straight line; held where both are the same. Each `K * B`
    /// numbers, coordinate-major.
    Linear {
        /// At the begin of the step.
        begin: &'a [T],
        /// At its end.
        end: &'a [T],
    },
    /// A function `u(row, t)` of the row of the batch and the time, which writes the row's `K`
    /// inputs.
    Function(&'a (dyn Fn(usize, T, &mut [T]) + Sync)),
}

impl<T: fmt::Debug> fmt::Debug for Inputs<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Linear { begin, end } => {
                f.debug_struct("Linear").field("begin", begin).field("end", end).finish()
            }
            Self::Function(_) => f.write_str("Function"),
        }
    }
}

/// A step of a batch: when each row begins, how long its step is, and its inputs meanwhile.
///
/// ```
/// use hnn_integrators::{FnField, Inputs, Interval, RK4, Stepper, Workspace};
/// // dx/dt = u, two rows; the input rises from 0 to 1 in the first and is held at 2 in the second.
/// let field = FnField::with_inputs(1, 1, |_t: f64, _x: &[f64], u: &[f64], dx: &mut [f64]| {
///     dx[0] = u[0];
/// });
/// let u = Inputs::Linear { begin: &[0.0, 2.0], end: &[1.0, 2.0] };
/// let over = Interval { t: &[0.0; 2], dt: &[0.5; 2], u };
/// let mut out = [0.0_f64; 2];
/// RK4.step(&field, over, &[0.0; 2], &mut out, &mut Workspace::default())?;
/// assert!((out[0] - 0.25).abs() < 1e-15 && (out[1] - 1.0).abs() < 1e-15);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Interval<'a, T> {
    /// The time of each row at the begin of the step.
    pub t: &'a [T],
    /// The step size of each row; may be negative.
    pub dt: &'a [T],
    /// The inputs.
    pub u: Inputs<'a, T>,
}

impl<'a, T: Scalar> Interval<'a, T> {
    /// A step without inputs.
    #[must_use]
    pub const fn new(t: &'a [T], dt: &'a [T]) -> Self {
        Self { t, dt, u: Inputs::None }
    }

    /// Number of rows `B`.
    #[must_use]
    pub const fn batch(&self) -> usize {
        self.t.len()
    }

    /// Checks the slices of a step of a field: as many step sizes as times, the inputs that the
    /// field needs, and the states, given by their lengths, of `dim` numbers a row.
    ///
    /// # Errors
    /// If one has another length.
    pub fn check<const N: usize>(
        &self,
        dim: usize,
        inputs: usize,
        states: [(&'static str, usize); N],
    ) -> Result<(), FieldError> {
        let batch = self.batch();
        FieldError::check_lengths(batch, [("the step sizes", self.dt.len())])?;
        match self.u {
            Inputs::None => {
                FieldError::check_lengths(inputs.saturating_mul(batch), [("the inputs", 0)])?
            }
            Inputs::Linear { begin, end } => FieldError::check_lengths(
                inputs.saturating_mul(batch),
                [("the inputs at the begin", begin.len()), ("the inputs at the end", end.len())],
            )?,
            Inputs::Function(_) => {}
        }
        FieldError::check_lengths(dim.saturating_mul(batch), states)
    }

    /// How many numbers the inputs are that are given at the begin and at the end.
    pub(crate) const fn inputs(&self) -> usize {
        match self.u {
            Inputs::Linear { begin, .. } => begin.len(),
            Inputs::None | Inputs::Function(_) => 0,
        }
    }

    /// Writes the times `t + step dt`.
    pub(crate) fn shifted_times(&self, step: usize, t: &mut [T]) {
        let step = T::from_usize(step);
        for (now, (t, dt)) in t.iter_mut().zip(self.t.iter().zip(self.dt)) {
            *now = *t + step * *dt;
        }
    }

    /// The inputs during one of `steps` equal parts; buffers for their values are given.
    pub(crate) fn part<'b>(
        &self,
        step: usize,
        steps: usize,
        first: &'b mut [T],
        last: &'b mut [T],
    ) -> Inputs<'b, T>
    where
        'a: 'b,
    {
        let Inputs::Linear { begin, end } = self.u else { return self.u };
        for (k, (begin, end)) in begin.iter().zip(end).enumerate() {
            let share = |step: usize| T::from_usize(step) / T::from_usize(steps);
            first[k] = *begin + share(step) * (*end - *begin);
            last[k] = *begin + share(step + 1) * (*end - *begin);
        }
        Inputs::Linear { begin: first, end: last }
    }

    /// Writes the times `t + c dt` and the inputs there.
    pub(crate) fn at(&self, c: f64, t: &mut [T], u: &mut [T]) {
        self.stretched(c, 1, t, u);
    }

    /// As [`at`](Self::at), where the interval is the first of `steps` equal ones, over all of which
    /// the inputs go from their begin to their end.
    pub(crate) fn stretched(&self, c: f64, steps: usize, t: &mut [T], u: &mut [T]) {
        let node = T::from_f64(c);
        for (now, (t, dt)) in t.iter_mut().zip(self.t.iter().zip(self.dt)) {
            *now = *t + node * *dt;
        }
        if u.is_empty() {
            return;
        }
        match self.u {
            Inputs::None => {}
            Inputs::Linear { begin, end } => {
                let share = node / T::from_usize(steps);
                for (u, (begin, end)) in u.iter_mut().zip(begin.iter().zip(end)) {
                    *u = *begin + share * (*end - *begin);
                }
            }
            Inputs::Function(function) => {
                let (batch, count) = (t.len(), u.len() / t.len().max(1));
                // Inputs are few: no memory is allocated for them.
                let (mut few, mut many) = ([T::ZERO; 16], Vec::new());
                let own = few.get_mut(..count).unwrap_or_else(|| {
                    many.resize(count, T::ZERO);
                    &mut many
                });
                for (row, t) in t.iter().enumerate() {
                    function(row, *t, own);
                    own.iter().enumerate().for_each(|(k, value)| u[k * batch + row] = *value);
                }
            }
        }
    }
}
