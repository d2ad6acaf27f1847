//! A block of trajectories on its way.

use ndarray::ArrayView2;

use super::legs::Leg;
use crate::{FieldError, Scalar, SolveError, Stepper, Workspace, coordinate_major};

/// A block of trajectories that flies leg after leg.
pub(super) struct Flight<'a, T, S, F: ?Sized> {
    stepper: &'a S,
    field: &'a F,
    /// Global index of the first trajectory.
    first: usize,
    batch: usize,
    x: Vec<T>,
    /// The state at the begin of the leg, to find the step that failed.
    before: Vec<T>,
    t: Vec<T>,
    dt: Vec<T>,
    workspace: Workspace<T>,
}

/// What went wrong in a step.
enum Trouble {
    Field(FieldError),
    NonFinite { row: usize },
}

impl<'a, T, S, F> Flight<'a, T, S, F>
where
    T: Scalar,
    S: Stepper<T, F>,
    F: ?Sized,
{
    pub(super) fn new(stepper: &'a S, field: &'a F, first: usize, x0: ArrayView2<'_, T>) -> Self {
        let batch = x0.nrows();
        let (t, dt) = (vec![T::ZERO; batch], vec![T::ZERO; batch]);
        let (x, before, workspace) = (coordinate_major(x0), Vec::new(), Workspace::default());
        Self { stepper, field, first, batch, x, before, t, dt, workspace }
    }

    /// The current states, of shape (B, D).
    pub(super) fn states(&self) -> ArrayView2<'_, T> {
        let dim = self.x.len() / self.batch;
        let lanes = ArrayView2::from_shape((dim, self.batch), &self.x);
        lanes.expect("the buffer holds dim * batch numbers").reversed_axes()
    }

    /// Advances all trajectories by a leg.
    pub(super) fn fly(&mut self, leg: &Leg<T>) -> Result<(), SolveError> {
        self.before.clone_from(&self.x);
        match self.advance(leg.steps, leg.start, leg.dt) {
            Ok(()) => Ok(()),
            Err(trouble) => Err(self.locate(leg, trouble)),
        }
    }

    fn advance(&mut self, steps: usize, start: T, dt: T) -> Result<(), Trouble> {
        self.t.fill(start);
        self.dt.fill(dt);
        self.stepper
            .advance(self.field, steps, &self.t, &self.dt, &mut self.x, &mut self.workspace)
            .map_err(Trouble::Field)?;
        match self.x.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => Err(Trouble::NonFinite { row: at % self.batch }),
        }
    }

    /// Flies the leg again step by step, to name the step that failed.
    fn locate(&mut self, leg: &Leg<T>, mut trouble: Trouble) -> SolveError {
        self.x.clone_from(&self.before);
        let time = |step: usize| leg.start + T::from_usize(step) * leg.dt;
        let mut good = 0;
        while good < leg.steps {
            if let Err(found) = self.advance(1, time(good), leg.dt) {
                trouble = found;
                break;
            }
            good += 1;
        }
        let (step, time) = (leg.before + good, time(good).to_f64());
        match trouble {
            Trouble::Field(source) => SolveError::field(self.first, step, time, source),
            Trouble::NonFinite { row } => {
                SolveError::NonFinite { trajectory: self.first + row, step, time }
            }
        }
    }
}
