//! Scratch memory that is allocated once and reused.

use crate::{Kept, Scalar};

/// Scratch memory of a vector field or a stepper, grown on first use and reused afterwards, so
/// that an integration or a training step does not allocate.
///
/// A caller [`split`](Workspace::split)s off what it needs and hands the rest on to whatever it
/// calls. The contents of a slice are unspecified.
///
/// ```
/// use hnn_integrators::Workspace;
/// let mut workspace = Workspace::<f64>::default();
/// let (stages, inner) = workspace.split(8);
/// stages.fill(1.0);
/// let (scratch, _) = inner.split(3);
/// assert_eq!((stages.len(), scratch.len()), (8, 3));
/// ```
#[derive(Debug, Default)]
pub struct Workspace<T> {
    own: Vec<T>,
    residuals: Kept,
    inner: Option<Box<Workspace<T>>>,
}

impl<T: Scalar> Workspace<T> {
    /// A slice of `len` numbers, and a workspace for whatever is called next.
    pub fn split(&mut self, len: usize) -> (&mut [T], &mut Workspace<T>) {
        if self.own.len() < len {
            self.own.resize(len, T::ZERO);
        }
        let inner = self.inner.get_or_insert_default();
        (&mut self.own[..len], inner)
    }

    /// Residuals, those of the last call where they are of the same type, for an evaluation that is
    /// pulled back within one call; and a workspace for whatever is called next.
    pub fn residuals<R: Default + Send + 'static>(&mut self) -> (&mut R, &mut Workspace<T>) {
        (self.residuals.of(), self.inner.get_or_insert_default())
    }
}
