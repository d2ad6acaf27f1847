//! Steps of any splitting method, over slices.

use super::{Flow, Separable, Splitting, SplittingRun};
use crate::{FieldError, Scalar, Workspace};

/// `steps` equal steps in place: the fused kernel where the field has one, else flow by flow.
pub(super) fn advance<T: Scalar, F: Separable<T> + ?Sized>(
    splitting: Splitting<'_>,
    field: &F,
    steps: usize,
    t: &[T],
    dt: &[T],
    x: &mut [T],
    workspace: &mut Workspace<T>,
) -> Result<(), FieldError> {
    FieldError::check_step(field.dim(), (t, dt), [("the states", x.len())])?;
    let mut run = SplittingRun { splitting, steps, t, dt, x };
    if field.advance_splitting(&mut run) {
        return Ok(());
    }
    let x = run.x;
    let (own, inner) = workspace.split(x.len() / 2 + t.len());
    let (slope, now) = own.split_at_mut(x.len() / 2);
    let mut clock = 0.0;
    for step in 0..steps {
        for (flow, length) in splitting.merged(step, steps) {
            times_at(clock, t, dt, now);
            follow(field, flow, length, now, dt, x, slope, inner)?;
            if flow == Flow::Drift {
                clock += length;
            }
        }
    }
    Ok(())
}

impl Splitting<'_> {
    /// The flows of step number `step` of `steps`, where the last flow of a step is merged with
    /// the first one of the next if they are of one kind.
    pub(super) fn merged(
        &self,
        step: usize,
        steps: usize,
    ) -> impl Iterator<Item = (Flow, f64)> + '_ {
        let last = self.lengths.len() - 1;
        let merges = self.merges();
        let skipped = usize::from(merges && step > 0);
        let closing = if merges && step + 1 < steps { self.lengths[0] } else { 0.0 };
        self.flows().enumerate().skip(skipped).map(move |(i, (flow, length))| {
            (flow, if i == last { length + closing } else { length })
        })
    }

    /// Whether a step ends with the kind of flow that begins the next.
    pub(super) fn merges(&self) -> bool {
        self.lengths.len() % 2 == 1
    }
}

/// `now = t + clock dt`, row by row.
pub(super) fn times_at<T: Scalar>(clock: f64, t: &[T], dt: &[T], now: &mut [T]) {
    let clock = T::from_f64(clock);
    for (now, (t, dt)) in now.iter_mut().zip(t.iter().zip(dt)) {
        *now = *t + clock * *dt;
    }
}

/// One flow: a drift of the positions, or a kick of the momenta.
#[allow(clippy::too_many_arguments)]
fn follow<T: Scalar, F: Separable<T> + ?Sized>(
    field: &F,
    flow: Flow,
    length: f64,
    now: &[T],
    dt: &[T],
    x: &mut [T],
    slope: &mut [T],
    workspace: &mut Workspace<T>,
) -> Result<(), FieldError> {
    let (q, p) = x.split_at_mut(x.len() / 2);
    let moved = match flow {
        Flow::Drift => {
            field.velocity(p, slope, workspace)?;
            q
        }
        Flow::Kick => {
            field.force(now, q, slope, workspace)?;
            p
        }
    };
    move_along(length, dt, slope, moved);
    Ok(())
}

/// `moved += length dt slope`, each row with its own `dt`.
pub(super) fn move_along<T: Scalar>(length: f64, dt: &[T], slope: &[T], moved: &mut [T]) {
    let (length, batch) = (T::from_f64(length), dt.len().max(1));
    for (moved, slope) in moved.chunks_exact_mut(batch).zip(slope.chunks_exact(batch)) {
        for ((moved, slope), dt) in moved.iter_mut().zip(slope).zip(dt) {
            *moved += length * *dt * *slope;
        }
    }
}
