//! A block of trajectories on its way.

use ndarray::ArrayView2;

use super::segments::Segment;
use crate::signal::{Signal, Signals, resolution};
use crate::{FieldError, Inputs, Interval, Scalar, SolveError, Workspace, coordinate_major};

/// `steps` equal steps of a batch, in place.
pub(super) type Advance<'a, T> = dyn Fn(usize, Interval<'_, T>, &mut [T], &mut Workspace<T>) -> Result<(), FieldError>
    + Sync
    + 'a;

/// What a run integrates: its steps, and the inputs meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Course<'a, T> {
    pub(super) advance: &'a Advance<'a, T>,
    pub(super) signals: Option<Signals<'a, T>>,
    /// How many inputs.
    pub(super) inputs: usize,
}

/// A block of trajectories that goes segment after segment.
pub(super) struct March<'a, T> {
    course: Course<'a, T>,
    /// Global index of the first trajectory.
    first: usize,
    batch: usize,
    x: Vec<T>,
    /// The state at the begin of the segment, to find the step that failed.
    before: Vec<T>,
    t: Vec<T>,
    dt: Vec<T>,
    /// The inputs at the begin and at the end of a step.
    begin: Vec<T>,
    end: Vec<T>,
    workspace: Workspace<T>,
}

/// What went wrong in a step.
enum Failure {
    Field(FieldError),
    NonFinite { row: usize },
}

impl<'a, T: Scalar> March<'a, T> {
    pub(super) fn new(course: Course<'a, T>, first: usize, x0: ArrayView2<'_, T>) -> Self {
        let batch = x0.nrows();
        let (x, before, workspace) = (coordinate_major(x0), Vec::new(), Workspace::default());
        let (numbers, inputs) = (|| vec![T::ZERO; batch], vec![T::ZERO; course.inputs * batch]);
        let (t, dt, begin, end) = (numbers(), numbers(), inputs.clone(), inputs);
        Self { course, first, batch, x, before, t, dt, begin, end, workspace }
    }

    /// The current states, of shape (B, D).
    pub(super) fn states(&self) -> ArrayView2<'_, T> {
        let dim = self.x.len() / self.batch;
        let lanes = ArrayView2::from_shape((dim, self.batch), &self.x);
        lanes.expect("the buffer holds dim * batch numbers").reversed_axes()
    }

    /// Advances all trajectories by a segment.
    pub(super) fn advance_by(&mut self, segment: &Segment<T>) -> Result<(), SolveError> {
        self.before.clone_from(&self.x);
        match self.advance(segment.steps, segment.start, segment.dt) {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.locate(segment, failure)),
        }
    }

    fn advance(&mut self, steps: usize, start: T, dt: T) -> Result<(), Failure> {
        self.t.fill(start);
        self.dt.fill(dt);
        let (advance, first) = (self.course.advance, self.first);
        let over = Interval::new(&self.t, &self.dt);
        let advanced = match self.course.signals {
            None => advance(steps, over, &mut self.x, &mut self.workspace),
            Some(Signals::Function(function)) => {
                let of_row = |row: usize, t: T, u: &mut [T]| function(first + row, t, u);
                let over = Interval { u: Inputs::Function(&of_row), ..over };
                advance(steps, over, &mut self.x, &mut self.workspace)
            }
            Some(Signals::Sampled(signals)) => {
                let signals = &signals[first..first + self.batch];
                let time = |step| start + T::from_usize(step) * dt;
                (0..steps).try_for_each(|step| self.cut_step(signals, time(step), time(step + 1)))
            }
        };
        advanced.map_err(Failure::Field)?;
        match self.x.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => Err(Failure::NonFinite { row: at % self.batch }),
        }
    }

    /// A step, cut into shorter ones where samples lie inside it: each row at its own. A row with fewer
    /// of them than others waits at the end, with steps of length 0.
    fn cut_step(&mut self, signals: &[Signal<T>], start: T, end: T) -> Result<(), FieldError> {
        let forward = end > start;
        // A sample as close as this to a time is at that time.
        let close = Scalar::min(resolution(start, end), T::from_f64(1e-3) * (end - start).abs());
        let close = if forward { close } else { -close };
        self.t.fill(start);
        loop {
            let mut arrived = true;
            for (row, signal) in signals.iter().enumerate() {
                let now = self.t[row];
                let piece = signal.piece(now + close, forward);
                let cut = signal.end_of(piece, forward);
                let cut = cut.filter(|cut| (*cut < end - close) == forward && *cut != end - close);
                arrived &= cut.is_none();
                let until = cut.unwrap_or(end);
                self.dt[row] = until - now;
                for k in 0..self.course.inputs {
                    self.begin[k * self.batch + row] = signal.value(piece, now, k);
                    self.end[k * self.batch + row] = signal.value(piece, until, k);
                }
            }
            let u = Inputs::Linear { begin: &self.begin, end: &self.end };
            let over = Interval { t: &self.t, dt: &self.dt, u };
            (self.course.advance)(1, over, &mut self.x, &mut self.workspace)?;
            if arrived {
                return Ok(());
            }
            self.t.iter_mut().zip(&self.dt).for_each(|(t, dt)| *t += *dt);
        }
    }

    /// Goes along the segment again step by step, to name the step that failed.
    fn locate(&mut self, segment: &Segment<T>, mut failure: Failure) -> SolveError {
        self.x.clone_from(&self.before);
        let time = |step: usize| segment.start + T::from_usize(step) * segment.dt;
        let mut good = 0;
        while good < segment.steps {
            if let Err(found) = self.advance(1, time(good), segment.dt) {
                failure = found;
                break;
            }
            good += 1;
        }
        let (step, time) = (segment.before + good, time(good).to_f64());
        match failure {
            Failure::Field(source) => SolveError::field(self.first, step, time, source),
            Failure::NonFinite { row } => {
                SolveError::NonFinite { trajectory: self.first + row, step, time }
            }
        }
    }
}
