//! Several quantities of one evaluation: columns of one tensor, so that they come from the device
//! in one piece, each in a slice of its own.

use hnn_integrators::{FieldError, Scalar};
use tch::Tensor;
use tch::kind::Element;

use super::energy::tracked;
use super::network::{Graph, Inner};
use super::{TchNetwork, TchResiduals};
use crate::Keep;

impl<T: Scalar + Element> TchNetwork<T> {
    /// Evaluates `f` at states that gradients are taken with respect to, and puts the columns of
    /// the second tensor that it gives into `slices` one after the other. The first is what a
    /// pull-back starts from; `f` is told what becomes of its graph.
    pub(super) fn columns<const N: usize>(
        &self,
        x: &[T],
        slices: [&mut [T]; N],
        keep: Keep<'_, T, TchResiduals<T>>,
        f: impl FnOnce(&Inner<T>, &Tensor, Graph) -> Result<(Tensor, Tensor), FieldError>,
    ) -> Result<(), FieldError> {
        let len = slices.iter().map(|slice| slice.len()).sum();
        let mut columns = match keep {
            Keep::Nothing(workspace) => {
                let (columns, _) = workspace.split(len);
                self.eval(x, columns, |inner, x| Ok(f(inner, &tracked(x)?, Graph::Drop)?.1))?;
                &*columns
            }
            Keep::Residuals(TchResiduals { recorded, scratch }) => {
                scratch.resize(len, T::default());
                self.record(x, scratch, recorded, |inner, x| f(inner, x, Graph::Keep))?;
                &*scratch
            }
        };
        for slice in slices {
            let (first, rest) = columns.split_at(slice.len());
            slice.copy_from_slice(first);
            columns = rest;
        }
        Ok(())
    }
}
