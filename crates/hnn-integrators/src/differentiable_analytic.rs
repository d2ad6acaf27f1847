//! Vector-Jacobian products of formulas.

use crate::fused_adjoint::{self, Way};
use crate::simd::{Isa, Kernel, dispatch};
use crate::{
    AdjointRun, AnalyticField, DifferentiableField, FieldError, LaneState, Parameters, RolloutRun,
    Scalar, Tableau, VectorField, Wide, Workspace,
};

/// A formula has no trainable parameters; its constants are part of it.
impl<T: Scalar, F: AnalyticField> Parameters<T> for F {
    fn num_params(&self) -> usize {
        0
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), 0)
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), 0)
    }
}

/// The residuals are the times.
impl<T: Scalar, F: AnalyticField> DifferentiableField<T> for F {
    type Residuals = Vec<T>;

    fn eval_recorded(
        &self,
        t: &[T],
        x: &[T],
        dx: &mut [T],
        residuals: &mut Vec<T>,
    ) -> Result<(), FieldError> {
        residuals.clear();
        residuals.extend_from_slice(t);
        self.eval(t, x, dx, &mut Workspace::default())
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Vec<T>,
        v: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let len = VectorField::<T>::dim(self) * residuals.len();
        FieldError::check_cotangents(len, [x, v, &*x_bar], theta_bar.as_deref(), 0)?;
        dispatch(PullBack { field: self, t: residuals, x, v, x_bar });
        Ok(())
    }

    fn fly_explicit(&self, tableau: Tableau<'_>, run: &mut RolloutRun<'_, T>) -> bool {
        fused_adjoint::explicit(self, tableau, Way::There(run))
    }

    fn pull_back_explicit(&self, tableau: Tableau<'_>, run: &mut AdjointRun<'_, T>) -> bool {
        fused_adjoint::explicit(self, tableau, Way::Back(run))
    }
}

struct PullBack<'a, T, F> {
    field: &'a F,
    t: &'a [T],
    x: &'a [T],
    v: &'a [T],
    x_bar: &'a mut [T],
}

impl<T: Scalar, F: AnalyticField> Kernel for PullBack<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let (batch, mut row) = (self.t.len(), 0);
        while row + 1 < batch {
            self.pull_back_at::<I, 16>(row);
            row += 16;
        }
        if row < batch {
            self.pull_back_at::<I, 1>(row);
        }
    }
}

impl<T: Scalar, F: AnalyticField> PullBack<'_, T, F> {
    #[inline(always)]
    fn pull_back_at<I: Isa, const W: usize>(&mut self, row: usize) {
        let batch = self.t.len();
        let of = |i: usize| i * batch + row..(i + 1) * batch;
        let t = Wide::<T, W, I>::load_padded(&self.t[row..]);
        let x = F::State::from_fn(|i| Wide::<T, W, I>::load_padded(&self.x[of(i)]));
        let v = F::State::from_fn(|i| Wide::<T, W, I>::load_padded(&self.v[of(i)]));
        for (i, bar) in self.field.vjp_lanes(t, &x, &v).as_ref().iter().enumerate() {
            bar.store_padded(&mut self.x_bar[of(i)]);
        }
    }
}
