//! A block of trajectories on its way.

use ndarray::ArrayView2;

use super::segments::Segment;
use crate::{FieldError, Interval, Scalar, SolveError, Workspace, coordinate_major};

/// `steps` equal steps of a batch, in place.
pub(super) type Advance<'a, T> = dyn Fn(usize, Interval<'_, T>, &mut [T], &mut Workspace<T>) -> Result<(), FieldError>
    + Sync
    + 'a;

/// A block of trajectories that goes segment after segment.
pub(super) struct March<'a, T> {
    advance: &'a Advance<'a, T>,
    /// Global index of the first trajectory.
    first: usize,
    batch: usize,
    x: Vec<T>,
    /// The state at the begin of the segment, to find the step that failed.
    before: Vec<T>,
    t: Vec<T>,
    dt: Vec<T>,
    workspace: Workspace<T>,
}

/// What went wrong in a step.
enum Failure {
    Field(FieldError),
    NonFinite { row: usize },
}

impl<'a, T: Scalar> March<'a, T> {
    pub(super) fn new(advance: &'a Advance<'a, T>, first: usize, x0: ArrayView2<'_, T>) -> Self {
        let batch = x0.nrows();
        let (t, dt) = (vec![T::ZERO; batch], vec![T::ZERO; batch]);
        let (x, before, workspace) = (coordinate_major(x0), Vec::new(), Workspace::default());
        Self { advance, first, batch, x, before, t, dt, workspace }
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
        let over = Interval::new(&self.t, &self.dt);
        (self.advance)(steps, over, &mut self.x, &mut self.workspace).map_err(Failure::Field)?;
        match self.x.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => Err(Failure::NonFinite { row: at % self.batch }),
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
