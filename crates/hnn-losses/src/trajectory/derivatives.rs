//! Measured derivatives, compared with the field along integrated windows.

use hnn_integrators::{At, Bars, FieldError, FieldObject, Kept, Scalar, ThetaBar, Workspace};

use super::slopes::Slopes;
use super::windows::{Rows, Stretch};

/// The derivatives, and their weights beside the states.
#[derive(Debug)]
pub(super) struct Derivatives<T> {
    /// A derivative a row of the data.
    pub(super) dx: Vec<T>,
    /// That of each coordinate.
    pub(super) weights: Vec<T>,
}

/// The scratch memory of one comparison.
#[derive(Debug, Default)]
pub(super) struct Comparison<T> {
    t: Vec<T>,
    u: Vec<T>,
    f: Vec<T>,
    f_bar: Vec<T>,
    x_bar: Vec<T>,
    residuals: Kept,
    workspace: Workspace<T>,
}

/// The states `x` that some stretches have reached after `step` steps.
#[derive(Clone, Copy)]
pub(super) struct WindowStates<'a, T> {
    pub(super) rows: &'a Rows<T>,
    pub(super) stretches: &'a [Stretch],
    pub(super) step: usize,
    pub(super) x: &'a [T],
}

impl<T: Scalar> Comparison<T> {
    /// The weighted sum of the squared errors of the field.
    pub(super) fn value(
        &mut self,
        field: &dyn FieldObject<T>,
        derivatives: &Derivatives<T>,
        at: WindowStates<'_, T>,
    ) -> Result<f64, FieldError> {
        self.prepare(&at);
        field.eval(At { t: &self.t, u: &self.u }, at.x, &mut self.f, &mut self.workspace)?;
        Ok(self.compare(derivatives, &at, T::ZERO))
    }

    /// The weighted sum of the squared errors of the field; **adds** `scale` times half its
    /// gradient to `x_bar` and `theta_bar`.
    pub(super) fn pull_back(
        &mut self,
        field: &dyn FieldObject<T>,
        derivatives: &Derivatives<T>,
        at: WindowStates<'_, T>,
        scale: T,
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<f64, FieldError> {
        self.prepare(&at);
        field.eval_kept(At { t: &self.t, u: &self.u }, at.x, &mut self.f, &mut self.residuals)?;
        let sum = self.compare(derivatives, &at, scale);
        let Self { f_bar, x_bar: own, residuals, .. } = self;
        field.vjp_kept(at.x, residuals, f_bar, Bars::new(own).with_theta(theta_bar))?;
        x_bar.iter_mut().zip(own).for_each(|(sum, own)| *sum += *own);
        Ok(sum)
    }

    /// What the errors of the field cost; **adds** the scaled gradient of that to `theta_bar`.
    pub(super) fn pull_back_slopes(
        &mut self,
        field: &dyn FieldObject<T>,
        slopes: &Slopes<'_, T>,
        at: WindowStates<'_, T>,
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<f64, FieldError> {
        self.prepare(&at);
        field.eval_kept(At { t: &self.t, u: &self.u }, at.x, &mut self.f, &mut self.residuals)?;
        let Self { f, f_bar, x_bar, residuals, .. } = self;
        f_bar.fill(T::ZERO);
        let sum = slopes.compare(at.stretches, f, f_bar);
        field.vjp_kept(at.x, residuals, f_bar, Bars::new(x_bar).with_theta(theta_bar))?;
        Ok(sum)
    }

    fn prepare(&mut self, at: &WindowStates<'_, T>) {
        self.t.resize(at.stretches.len(), T::ZERO);
        for buffer in [&mut self.f, &mut self.f_bar, &mut self.x_bar] {
            buffer.resize(at.x.len(), T::ZERO);
        }
        self.u.resize(at.stretches.len() * at.rows.inputs, T::ZERO);
        at.rows.times(at.stretches, at.step, &mut self.t);
        at.rows.inputs_at(at.stretches, at.step, &mut self.u);
    }

    /// The weighted sum of the squared errors; `scale` times half its gradient goes to `f_bar`,
    /// 0 where a stretch is over.
    fn compare(&mut self, derivatives: &Derivatives<T>, at: &WindowStates<'_, T>, scale: T) -> f64 {
        let Derivatives { dx, weights } = derivatives;
        let (f_bar, mut sum) = (&mut self.f_bar, 0.0);
        f_bar.fill(T::ZERO);
        at.rows.errors(dx, at.stretches, at.step, &self.f, |index, error| {
            let weighted = weights[index / at.stretches.len()] * error;
            sum += (weighted * error).to_f64();
            f_bar[index] = scale * weighted;
        });
        sum
    }
}
