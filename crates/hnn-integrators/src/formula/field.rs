//! Formulas as vector fields: what is asked of them over slices, kernels do.

use super::{AnalyticField, AnalyticSeparable, Force, LaneState, Velocity};
use crate::kernel::{self, Job};
use crate::{
    At, Bars, DifferentiableField, DifferentiableSeparable, FieldError, Parameters, Scalar,
    Separable, ThetaBar, VectorField, Workspace,
};

impl<T: Scalar, F: AnalyticField> VectorField<T> for F {
    fn dim(&self) -> usize {
        <F::State<T> as LaneState<T>>::DIM
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(VectorField::<T>::dim(self) * at.batch(), slices)?;
        T::formula_eval(self, at.t, x, dx);
        Ok(())
    }

    fn kernel(&self, job: &mut Job<'_, T>) -> bool {
        T::formula_kernel(self, job)
    }

    /// Lanes are refilled from the block, so it should be much longer than a vector.
    fn block_len(&self) -> usize {
        1024
    }
}

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
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Vec<T>,
    ) -> Result<(), FieldError> {
        residuals.clear();
        residuals.extend_from_slice(at.t);
        self.eval(at, x, dx, &mut Workspace::default())
    }

    fn vjp(&self, x: &[T], t: &mut Vec<T>, v: &[T], bars: Bars<'_, T>) -> Result<(), FieldError> {
        bars.check(t.len(), [VectorField::<T>::dim(self), 0, 0], [x, v])?;
        T::formula_pull_back(self, t, x, v, bars.x);
        Ok(())
    }
}

impl<T: Scalar, F: AnalyticSeparable> Separable<T> for F {
    fn velocity(
        &self,
        p: &[T],
        velocity: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let n = <F::Half<T> as LaneState<T>>::DIM;
        let (t, _) = workspace.split(p.len() / n.max(1));
        t.fill(T::ZERO);
        let slices = [("the momenta", p.len()), ("the velocities", velocity.len())];
        FieldError::check_lengths(n * t.len(), slices)?;
        kernel::eval(&Velocity(self), t, p, velocity);
        Ok(())
    }

    fn force(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the positions", q.len()), ("the forces", force.len())];
        FieldError::check_lengths(<F::Half<T> as LaneState<T>>::DIM * at.batch(), slices)?;
        kernel::eval(&Force(self), at.t, q, force);
        Ok(())
    }

    fn splitting_kernel(&self, job: &mut Job<'_, T>) -> bool {
        T::splitting_kernel(self, job)
    }
}

/// The residuals are the times (zeros for the velocity, which knows no time).
impl<T: Scalar, F: AnalyticSeparable> DifferentiableSeparable<T> for F {
    type Residuals = Vec<T>;

    fn velocity_recorded(
        &self,
        p: &[T],
        velocity: &mut [T],
        residuals: &mut Vec<T>,
    ) -> Result<(), FieldError> {
        residuals.clear();
        residuals.resize(p.len() / <F::Half<T> as LaneState<T>>::DIM.max(1), T::ZERO);
        let n = <F::Half<T> as LaneState<T>>::DIM;
        let slices = [("the momenta", p.len()), ("the velocities", velocity.len())];
        FieldError::check_lengths(n * residuals.len(), slices)?;
        kernel::eval(&Velocity(self), residuals, p, velocity);
        Ok(())
    }

    fn velocity_vjp(
        &self,
        p: &[T],
        residuals: &mut Vec<T>,
        cotangent: &[T],
        p_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let bars = Bars::new(p_bar).with_theta(theta_bar);
        pull_back_half(&Velocity(self), (residuals, p), cotangent, bars)
    }

    fn force_recorded(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        residuals: &mut Vec<T>,
    ) -> Result<(), FieldError> {
        residuals.clear();
        residuals.extend_from_slice(at.t);
        self.force(at, q, force, &mut Workspace::default())
    }

    fn force_vjp(
        &self,
        q: &[T],
        residuals: &mut Vec<T>,
        cotangent: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        pull_back_half(&Force(self), (residuals, q), cotangent, bars)
    }
}

/// The vector-Jacobian product of what a flow reads.
fn pull_back_half<T: Scalar, H: AnalyticField>(
    half: &H,
    (t, x): (&[T], &[T]),
    v: &[T],
    bars: Bars<'_, T>,
) -> Result<(), FieldError> {
    bars.check(t.len(), [<H::State<T> as LaneState<T>>::DIM, 0, 0], [x, v])?;
    kernel::pull_back(half, t, x, v, bars.x);
    Ok(())
}
