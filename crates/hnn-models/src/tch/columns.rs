//! Several quantities of one evaluation: columns of one tensor, so that they come from the device
//! in one piece, each in a slice of its own.

use hnn_integrators::{FieldError, Workspace};
use tch::Tensor;

use super::network::Inner;
use super::{TchNetwork, TchResiduals, TchScalar};

impl<T: TchScalar> TchNetwork<T> {
    /// As [`eval`](Self::eval), the columns put into `slices` one after the other.
    pub(super) fn eval_columns<const N: usize>(
        &self,
        x: &[T],
        slices: [&mut [T]; N],
        workspace: &mut Workspace<T>,
        f: impl FnOnce(&Inner<T>, &Tensor) -> Result<Tensor, FieldError>,
    ) -> Result<(), FieldError> {
        let (columns, _) = workspace.split(total_len(&slices));
        self.eval(x, columns, f)?;
        distribute(columns, slices);
        Ok(())
    }

    /// As [`record`](Self::record), the columns put into `slices` one after the other.
    pub(super) fn record_columns<const N: usize>(
        &self,
        x: &[T],
        slices: [&mut [T]; N],
        residuals: &mut TchResiduals<T>,
        f: impl FnOnce(&Inner<T>, &Tensor) -> Result<(Tensor, Tensor), FieldError>,
    ) -> Result<(), FieldError> {
        let TchResiduals { recorded, scratch } = residuals;
        scratch.resize(total_len(&slices), T::default());
        self.record(x, scratch, recorded, f)?;
        distribute(scratch, slices);
        Ok(())
    }
}

fn total_len<T>(slices: &[&mut [T]]) -> usize {
    slices.iter().map(|slice| slice.len()).sum()
}

fn distribute<T: Copy, const N: usize>(mut columns: &[T], slices: [&mut [T]; N]) {
    for slice in slices {
        let (first, rest) = columns.split_at(slice.len());
        slice.copy_from_slice(first);
        columns = rest;
    }
}
