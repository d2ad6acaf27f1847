//! Models behind one type: a test of every model with every stepper is compiled once a stepper.

use hnn_integrators::{
    At, Bars, DifferentiableField, FieldError, FieldObject, Kept, Parameters, VectorField,
    Workspace,
};

/// Any model.
pub(crate) struct Erased(Box<dyn FieldObject<f64>>);

impl Erased {
    pub(crate) fn new<F>(field: F) -> Self
    where
        F: DifferentiableField<f64> + 'static,
    {
        Self(Box::new(field))
    }
}

impl Parameters<f64> for Erased {
    fn num_params(&self) -> usize {
        self.0.num_params()
    }
    fn copy_params(&self, out: &mut [f64]) -> Result<(), FieldError> {
        self.0.copy_params(out)
    }
    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
        self.0.set_params(theta)
    }
}

impl VectorField<f64> for Erased {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        self.0.eval(at, x, dx, workspace)
    }
}

impl DifferentiableField<f64> for Erased {
    type Residuals = Kept;

    fn eval_recorded(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut Kept,
    ) -> Result<(), FieldError> {
        self.0.eval_kept(at, x, dx, residuals)
    }
    fn vjp(
        &self,
        x: &[f64],
        residuals: &mut Kept,
        v: &[f64],
        bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        self.0.vjp_kept(x, residuals, v, bars)
    }
}
