//! Penalties on the parameters.

use hnn_integrators::{Parameters, Scalar};

use crate::derivative::check_gradient;
use crate::{Loss, LossError, Selection};

/// `|theta|^2`, the sum of the squares of all parameters (biases included).
///
/// With weight `lambda` in a [`TotalLoss`](crate::TotalLoss) its gradient is
/// `2 lambda theta`; PyTorch's `weight_decay = w` adds `w theta`, so `w = 2 lambda`.
#[derive(Debug, Clone, Default)]
pub struct L2Penalty<T> {
    theta: Vec<T>,
}

impl<T: Scalar> L2Penalty<T> {
    /// The penalty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn refresh<F: Parameters<T> + ?Sized>(&mut self, field: &F) -> Result<f64, LossError> {
        self.theta.resize(field.num_params(), T::ZERO);
        field.copy_params(&mut self.theta)?;
        Ok(self.theta.iter().map(|w| (*w * *w).to_f64()).sum())
    }
}

impl<T: Scalar, F: Parameters<T> + ?Sized> Loss<T, F> for L2Penalty<T> {
    fn name(&self) -> &str {
        "l2"
    }

    fn value(&mut self, field: &F, _selection: Selection<'_>) -> Result<f64, LossError> {
        self.refresh(field)
    }

    fn value_and_gradient(
        &mut self,
        field: &F,
        _selection: Selection<'_>,
        weight: f64,
        theta_bar: &mut [T],
    ) -> Result<f64, LossError> {
        check_gradient(theta_bar.len(), field.num_params())?;
        let value = self.refresh(field)?;
        let factor = T::from_f64(2.0 * weight);
        theta_bar.iter_mut().zip(&self.theta).for_each(|(sum, w)| *sum += factor * *w);
        Ok(value)
    }
}
