//! Squares of residuals that are functions, as a loss.

use std::ops::Range;

use hnn_integrators::{FieldError, Parameters, Scalar};
use hnn_losses::{JacobianRows, Loss, LossError, ResidualLayout, ResidualRows, RowSelection};
use hnn_train::{LeastSquares, TrainingRecord};

/// A model that is its parameters.
#[derive(Clone)]
pub(super) struct Constants<T = f64>(pub(super) Vec<T>);

impl<T: Scalar> Parameters<T> for Constants<T> {
    fn num_params(&self) -> usize {
        self.0.len()
    }
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        self.0.copy_from_slice(theta);
        Ok(())
    }
}

/// A residual: its value, its derivatives by the parameters and by the group's locals.
pub(super) type Residual = (f64, Vec<f64>, Vec<f64>);

/// Residuals as a function of the parameters, a group's locals, and the residual's number.
pub(super) struct Squares<R> {
    residual: R,
    /// Numbers of residuals and of locals of each group, by term.
    pub(super) terms: Vec<(&'static str, Vec<(usize, usize)>)>,
    pub(super) locals: Vec<f64>,
    pub(super) prior: f64,
    layout: ResidualLayout,
    pub(super) values: usize,
    pub(super) jacobians: usize,
}

pub(super) fn squares<R: Fn(&[f64], &[f64], usize) -> Residual + Send>(
    groups: Vec<(usize, usize)>,
    residual: R,
) -> Squares<R> {
    let locals = vec![1.0; groups.iter().map(|(_, locals)| locals).sum()];
    let (layout, terms) = (ResidualLayout::default(), vec![("squares", groups)]);
    Squares { residual, terms, locals, prior: 0.0, layout, values: 0, jacobians: 0 }
}

impl<R: Fn(&[f64], &[f64], usize) -> Residual> Squares<R> {
    fn layout(&self) -> ResidualLayout {
        let mut layout = ResidualLayout::default();
        layout.prior = self.prior;
        for (name, groups) in &self.terms {
            let term = layout.add_term(*name);
            groups.iter().for_each(|(n, locals)| layout.push_group([(term, *n)], *locals));
        }
        layout
    }

    fn at<T: Scalar>(&self, theta: &[T], group: usize, residual: usize) -> Residual {
        let theta: Vec<f64> = theta.iter().map(|w| w.to_f64()).collect();
        (self.residual)(&theta, &self.locals[self.layout.locals(group)], residual)
    }
}

impl<T: Scalar, R> Loss<T, Constants<T>> for Squares<R>
where
    R: Fn(&[f64], &[f64], usize) -> Residual + Send,
{
    fn name(&self) -> &str {
        "squares"
    }
    fn value(&mut self, model: &Constants<T>, _: RowSelection<'_>) -> Result<f64, LossError> {
        self.layout = self.layout();
        self.values += 1;
        let mut sum = self.prior * model.0.iter().map(|w| w.to_f64().powi(2)).sum::<f64>();
        for group in 0..self.layout.num_groups() {
            for i in self.layout.residuals(group) {
                sum += self.at(&model.0, group, i).0.powi(2);
            }
        }
        Ok(sum)
    }
    fn value_and_gradient(
        &mut self,
        _: &Constants<T>,
        _: RowSelection<'_>,
        _: f64,
        _: &mut [T],
    ) -> Result<f64, LossError> {
        Err(LossError::NoSteps)
    }
    fn residual_layout(
        &mut self,
        _: &Constants<T>,
        _: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        self.layout = self.layout();
        Ok(self.layout.clone())
    }
    fn residuals(
        &mut self,
        model: &Constants<T>,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        let (mut values, mut by_theta, mut by_locals) = (Vec::new(), Vec::new(), Vec::new());
        for group in groups {
            for i in self.layout.residuals(group) {
                let (value, theta, locals) = self.at(&model.0, group, i);
                assert_eq!(locals.len(), self.layout.locals(group).len());
                values.push(T::from_f64(value));
                by_theta.extend(theta.into_iter().map(T::from_f64));
                by_locals.extend(locals.into_iter().map(T::from_f64));
            }
        }
        rows.values.copy_from_slice(&values);
        if let Some(JacobianRows { by_theta: theta, by_locals: locals }) = rows.jacobian {
            theta.copy_from_slice(&by_theta);
            locals.copy_from_slice(&by_locals);
            self.jacobians += 1;
        }
        Ok(())
    }
    fn copy_locals(&self, out: &mut [T]) -> Result<(), LossError> {
        assert_eq!(out.len(), self.locals.len());
        out.iter_mut().zip(&self.locals).for_each(|(x, l)| *x = T::from_f64(*l));
        Ok(())
    }
    fn set_locals(&mut self, locals: &[T]) -> Result<(), LossError> {
        assert_eq!(locals.len(), self.locals.len());
        self.locals = locals.iter().map(|x| x.to_f64()).collect();
        Ok(())
    }
    fn save_state(&self, state: &mut Vec<f64>) {
        state.extend(&self.locals);
    }
    fn restore_state(&mut self, state: &mut &[f64]) -> Result<(), LossError> {
        let locals = state.split_off(..self.locals.len()).ok_or(LossError::NoSteps)?;
        self.locals = locals.to_vec();
        Ok(())
    }
}

pub(super) fn fit<T: Scalar>(
    settings: &LeastSquares,
    start: &[f64],
    loss: &mut dyn Loss<T, Constants<T>>,
) -> (Vec<f64>, TrainingRecord) {
    let mut model = Constants(start.iter().map(|w| T::from_f64(*w)).collect());
    let record = settings.fit(&mut model, loss, None, &mut ()).expect("fits");
    (model.0.iter().map(|w| w.to_f64()).collect(), record)
}

pub(super) fn close(given: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(given.len(), expected.len());
    for (a, b) in given.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance * b.abs(), "{given:?}, expected {expected:?}");
    }
}

/// Numbers that look random, in (-1, 1).
pub(super) fn noise(i: usize) -> f64 {
    let x = (12.9898 * (i as f64 + 1.0)).sin() * 43_758.545_3;
    2.0 * (x - x.floor()) - 1.0
}
