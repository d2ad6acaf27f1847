//! Models behind one type: a test of every model with every stepper is compiled once a stepper.

use std::any::Any;

use hnn_integrators::{
    At, Bars, DifferentiableField, FieldError, Parameters, VectorField, Workspace,
};

/// What an erased model keeps for its vector-Jacobian product.
#[derive(Default)]
pub(crate) struct AnyResiduals(Option<Box<dyn Any + Send>>);

impl AnyResiduals {
    fn of<R: Default + Send + 'static>(&mut self) -> &mut R {
        self.0.get_or_insert_with(|| Box::new(R::default())).downcast_mut().expect("one model")
    }
}

trait AnyField: VectorField<f64> + Parameters<f64> {
    fn record(
        &self,
        t: &[f64],
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut AnyResiduals,
    ) -> Result<(), FieldError>;

    fn pull_back(
        &self,
        x: &[f64],
        residuals: &mut AnyResiduals,
        v: &[f64],
        bars: Bars<'_, f64>,
    ) -> Result<(), FieldError>;
}

impl<F> AnyField for F
where
    F: DifferentiableField<f64>,
    F::Residuals: 'static,
{
    fn record(
        &self,
        t: &[f64],
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut AnyResiduals,
    ) -> Result<(), FieldError> {
        self.eval_recorded(At::time(t), x, dx, residuals.of::<F::Residuals>())
    }

    fn pull_back(
        &self,
        x: &[f64],
        residuals: &mut AnyResiduals,
        v: &[f64],
        bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        self.vjp(x, residuals.of::<F::Residuals>(), v, bars)
    }
}

/// Any model.
pub(crate) struct Erased(Box<dyn AnyField>);

impl Erased {
    pub(crate) fn new<F>(field: F) -> Self
    where
        F: DifferentiableField<f64> + 'static,
        F::Residuals: 'static,
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
    type Residuals = AnyResiduals;

    fn eval_recorded(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut AnyResiduals,
    ) -> Result<(), FieldError> {
        self.0.record(at.t, x, dx, residuals)
    }
    fn vjp(
        &self,
        x: &[f64],
        residuals: &mut AnyResiduals,
        v: &[f64],
        bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        self.0.pull_back(x, residuals, v, bars)
    }
}
