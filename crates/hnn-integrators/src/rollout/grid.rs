//! The times and the inputs of chained steps.

use crate::kernel;
use crate::{FieldError, Inputs, Interval, Scalar};

/// When the states of a batch are, each row by a clock of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clock<'a, T> {
    /// Equal steps, the same of all rows.
    Equal {
        /// Time of the first state.
        start: T,
        /// Step size.
        dt: T,
        /// Number of steps.
        steps: usize,
    },
    /// The time of each of the `B` rows at state 0, at state 1, and so on: `(steps + 1) * B`
    /// numbers. A row whose time stands still keeps its state.
    Times(&'a [T]),
}

/// The inputs of a batch along its states: `K * B` numbers (coordinate-major) at state 0, at state
/// 1, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Samples<'a, T> {
    /// The field has no inputs.
    #[default]
    None,
    /// Each held until the next state.
    Held(&'a [T]),
    /// In straight lines from state to state.
    Linear(&'a [T]),
}

/// Chained steps of `batch` rows: their clock and their inputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid<'a, T> {
    /// Number of rows `B`.
    pub batch: usize,
    /// When the states are.
    pub clock: Clock<'a, T>,
    /// The inputs meanwhile.
    pub inputs: Samples<'a, T>,
}

impl<'a, T: Scalar> Grid<'a, T> {
    /// Equal steps of `batch` rows, without inputs.
    #[must_use]
    pub fn equal(batch: usize, start: T, dt: T, steps: usize) -> Self {
        Self { batch, clock: Clock::Equal { start, dt, steps }, inputs: Samples::None }
    }

    /// Rows with times of their own (see [`Clock::Times`]), without inputs.
    #[must_use]
    pub fn times(batch: usize, times: &'a [T]) -> Self {
        Self { batch, clock: Clock::Times(times), inputs: Samples::None }
    }

    /// The same with inputs.
    #[must_use]
    pub fn with_inputs(self, inputs: Samples<'a, T>) -> Self {
        Self { inputs, ..self }
    }

    /// Number of steps.
    #[must_use]
    pub fn steps(&self) -> usize {
        match self.clock {
            Clock::Equal { steps, .. } => steps,
            Clock::Times(times) => (times.len() / self.batch.max(1)).saturating_sub(1),
        }
    }

    /// Checks that there is a row, a time for each at each state, and as many inputs as a field
    /// needs.
    pub(super) fn check(&self, inputs: usize) -> Result<(), FieldError> {
        let Self { batch, clock, inputs: samples } = *self;
        FieldError::check_lengths(batch.max(1), [("the rows", batch)])?;
        let states = self.steps().saturating_add(1);
        if let Clock::Times(times) = clock {
            FieldError::check_lengths(states.saturating_mul(batch), [("the times", times.len())])?;
        }
        let given = match samples {
            Samples::None => 0,
            Samples::Held(u) | Samples::Linear(u) => u.len(),
        };
        FieldError::check_lengths(
            states.saturating_mul(inputs.saturating_mul(batch)),
            [("the inputs", given)],
        )
    }

    /// The inputs during a step, of so many numbers a state.
    fn inputs_of(&self, step: usize, len: usize) -> Inputs<'a, T> {
        match self.inputs {
            Samples::None => Inputs::None,
            Samples::Held(u) => {
                let held = &u[step * len..(step + 1) * len];
                Inputs::Linear { begin: held, end: held }
            }
            Samples::Linear(u) => {
                let (begin, end) = u[step * len..(step + 2) * len].split_at(len);
                Inputs::Linear { begin, end }
            }
        }
    }

    /// Some steps from `from` on, as kernels want them: `t` and `dt` are room for a number a row.
    pub(super) fn kernel_clock<'b>(
        &self,
        from: usize,
        steps: usize,
        t: &'b mut Vec<T>,
        dt: &'b mut Vec<T>,
    ) -> kernel::Clock<'b, T>
    where
        'a: 'b,
    {
        match self.clock {
            Clock::Equal { .. } => {
                self.begin(0, t, dt);
                kernel::Clock::Equal { t, dt, first: from }
            }
            Clock::Times(times) => {
                kernel::Clock::Times(&times[from * self.batch..(from + steps + 1) * self.batch])
            }
        }
    }

    /// A step, its times and sizes written to `t` and `dt`; `inputs` a row.
    pub(super) fn interval<'b>(
        &self,
        step: usize,
        inputs: usize,
        t: &'b mut Vec<T>,
        dt: &'b mut Vec<T>,
    ) -> Interval<'b, T>
    where
        'a: 'b,
    {
        self.begin(step, t, dt);
        Interval { t, dt, u: self.inputs_of(step, inputs * self.batch) }
    }

    fn begin(&self, step: usize, t: &mut Vec<T>, dt: &mut Vec<T>) {
        let batch = self.batch;
        t.resize(batch, T::ZERO);
        dt.resize(batch, T::ZERO);
        match self.clock {
            Clock::Equal { start, dt: size, .. } => {
                t.fill(start + T::from_usize(step) * size);
                dt.fill(size);
            }
            Clock::Times(times) => {
                let (now, next) = times[step * batch..(step + 2) * batch].split_at(batch);
                t.copy_from_slice(now);
                for (dt, (now, next)) in dt.iter_mut().zip(now.iter().zip(next)) {
                    *dt = *next - *now;
                }
            }
        }
    }
}
