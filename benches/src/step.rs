//! One training step.

use std::hint::black_box;

use hnn_integrators::DifferentiableField;
use hnn_losses::{Loss, RowSelection};
use hnn_train::{Adam, Optimiser};

use crate::{Error, Run};

/// A full-batch step of a model with Adam at the rate 1e-3.
///
/// # Errors
/// If a setting of the optimiser makes no sense.
pub fn training_step<F, L>(mut model: F, mut loss: L, mut adam: Adam<f32>) -> Result<Run, Error>
where
    F: DifferentiableField<f32> + 'static,
    L: Loss<f32, F> + 'static,
{
    let mut theta = vec![0.0; model.num_params()];
    model.copy_params(&mut theta)?;
    adam.start(theta.len())?;
    let mut gradient = theta.clone();
    Ok(Box::new(move || {
        gradient.fill(0.0);
        black_box(loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut gradient)?);
        adam.step(&mut theta, &mut gradient, 1e-3)?;
        model.set_params(&theta)?;
        Ok(())
    }))
}
