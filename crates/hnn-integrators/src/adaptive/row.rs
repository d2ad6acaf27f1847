//! The rows of a block.

use super::control::SMALLEST_ERROR;
use crate::{FieldError, Scalar};

/// A trajectory under way.
#[derive(Debug, Clone)]
pub(super) struct Row<T> {
    /// Index in the block.
    pub(super) index: usize,
    pub(super) t: T,
    /// Size of the next step, with its sign.
    pub(super) h: T,
    /// Error of the last accepted step, in units of the tolerance.
    pub(super) previous: f64,
    /// Whether the last try was rejected: the step may not grow at once.
    pub(super) retry: bool,
    /// The next time to give the state at.
    pub(super) next: usize,
    /// The field's last complaint, to be told if smaller steps do not help.
    pub(super) trouble: Option<FieldError>,
    pub(super) done: bool,
}

impl<T: Scalar> Row<T> {
    /// At the first time of the trajectory.
    pub(super) fn new(index: usize, t: T) -> Self {
        Self {
            index,
            t,
            h: T::ZERO,
            previous: SMALLEST_ERROR,
            retry: false,
            next: 0,
            trouble: None,
            done: false,
        }
    }
}

/// How a try of a step came out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    Accepted(f64),
    Rejected(f64),
    Idle,
}
