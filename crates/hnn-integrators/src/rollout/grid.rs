//! The times and the inputs of chained steps.

use crate::{FieldError, Inputs, Interval, Scalar, Signals, SolveError, TooLarge, kernel, signal};

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
/// 1, and so on. Of [`Signals`], [`Signals::at_states`] makes them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum GridInputs<'a, T> {
    /// The field has no inputs.
    #[default]
    None,
    /// Each held until the next state.
    Held(&'a [T]),
    /// In straight lines from state to state.
    Linear(&'a [T]),
}

/// Chained steps of `batch` rows: their clock and their inputs.
///
/// ```
/// use hnn_integrators::{Grid, GridInputs};
/// // Two rows, two steps of 0.1, and an input of both rows at each of the three states.
/// let u = [0.0, 1.0, 0.5, 1.0, 1.0, 1.0];
/// let grid = Grid::equal(2, 0.0, 0.1, 2).with_inputs(GridInputs::Linear(&u));
/// assert_eq!((grid.batch, grid.steps()), (2, 2));
/// // One step of each row by its own clock.
/// assert_eq!(Grid::times(2, &[0.0, 5.0, 0.1, 5.2]).steps(), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid<'a, T> {
    /// Number of rows `B`.
    pub batch: usize,
    /// When the states are.
    pub clock: Clock<'a, T>,
    /// The inputs meanwhile.
    pub inputs: GridInputs<'a, T>,
}

impl<'a, T: Scalar> Grid<'a, T> {
    /// Equal steps of `batch` rows, without inputs.
    #[must_use]
    pub fn equal(batch: usize, start: T, dt: T, steps: usize) -> Self {
        Self { batch, clock: Clock::Equal { start, dt, steps }, inputs: GridInputs::None }
    }

    /// Rows with times of their own (see [`Clock::Times`]), without inputs.
    #[must_use]
    pub fn times(batch: usize, times: &'a [T]) -> Self {
        Self { batch, clock: Clock::Times(times), inputs: GridInputs::None }
    }

    /// The same with inputs.
    #[must_use]
    pub fn with_inputs(self, inputs: GridInputs<'a, T>) -> Self {
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
        self.check_rows()?;
        let (batch, states) = (&self.batch, self.steps().saturating_add(1));
        let given = match self.inputs {
            GridInputs::None => 0,
            GridInputs::Held(u) | GridInputs::Linear(u) => u.len(),
        };
        let needed = states.saturating_mul(inputs.saturating_mul(*batch));
        FieldError::check_lengths(needed, [("the inputs", given)])
    }

    /// Checks that there is a row, and a time for each at each state.
    fn check_rows(&self) -> Result<(), FieldError> {
        let Self { batch, clock, .. } = self;
        FieldError::check_lengths((*batch).max(1), [("the rows", *batch)])?;
        let Clock::Times(times) = clock else { return Ok(()) };
        let needed = self.steps().saturating_add(1).saturating_mul(*batch);
        FieldError::check_lengths(needed, [("the times", times.len())])
    }

    /// The inputs during a step, of so many numbers a state.
    fn inputs_of(&self, step: usize, len: usize) -> Inputs<'a, T> {
        match self.inputs {
            GridInputs::None => Inputs::None,
            GridInputs::Held(u) => {
                let held = &u[step * len..(step + 1) * len];
                Inputs::Linear { begin: held, end: held }
            }
            GridInputs::Linear(u) => {
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

    /// The time of a row at a state.
    fn time(&self, step: usize, row: usize) -> T {
        match self.clock {
            Clock::Equal { start, dt, .. } => start + T::from_usize(step) * dt,
            Clock::Times(times) => times[step * self.batch + row],
        }
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

impl<T: Scalar> Signals<'_, T> {
    /// The inputs of every row at the states of a grid, as its [`GridInputs`] hold them, for a field of so
    /// many inputs.
    ///
    /// From state to state a grid's inputs are held or go in straight lines. That is the signal itself where
    /// its samples lie at the states.
    ///
    /// ```
    /// use hnn_integrators::{Grid, GridInputs, Signal, Signals};
    /// use ndarray::array;
    /// let (times, torque) = ([0.0, 1.0, 3.0], array![[2.0], [-1.0], [5.0]]);
    /// let signals = [Signal::linear(&times, torque.view())];
    /// let grid = Grid::equal(1, 0.0, 1.0, 3);
    /// let u = Signals::Sampled(&signals).at_states(&grid, 1)?;
    /// assert_eq!(u, [2.0, -1.0, 2.0, 5.0]);
    /// let grid = grid.with_inputs(GridInputs::Linear(&u));
    /// # Ok::<(), hnn_integrators::SolveError>(())
    /// ```
    ///
    /// # Errors
    /// A signal that does not fit, or a grid without rows or with more states than there is room for.
    pub fn at_states(&self, grid: &Grid<'_, T>, inputs: usize) -> Result<Vec<T>, SolveError> {
        grid.check_rows().map_err(|source| SolveError::field(0, 0, 0.0, source))?;
        let (batch, states) = (grid.batch, grid.steps().saturating_add(1));
        let each = inputs.saturating_mul(batch);
        let (bytes, remedy) = (each.saturating_mul(size_of::<T>()), "take fewer states at a time");
        TooLarge::check("states with inputs", states, bytes, remedy)?;
        let interval = |row: usize| {
            let times = || (0..states).map(|step| grid.time(step, row));
            (times().fold(T::INFINITY, Scalar::min), times().fold(-T::INFINITY, Scalar::max))
        };
        if inputs == 0 {
            return Err(SolveError::NoInputs);
        }
        signal::check_signals(*self, inputs, (0..batch).map(interval))?;
        let (mut u, mut own) = (vec![T::ZERO; states * each], vec![T::ZERO; inputs]);
        for (step, u) in u.chunks_exact_mut(each.max(1)).enumerate() {
            for row in 0..batch {
                self.write(row, grid.time(step, row), &mut own);
                own.iter().enumerate().for_each(|(k, value)| u[k * batch + row] = *value);
            }
        }
        Ok(u)
    }
}
