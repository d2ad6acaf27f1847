//! Models behind one type: a test of every model with every stepper is compiled once a stepper.

use hnn_integrators::{DifferentiableField, FieldObject};

/// Any model.
pub(crate) type Erased = Box<dyn FieldObject<f64>>;

pub(crate) fn erased(field: impl DifferentiableField<f64> + 'static) -> Erased {
    Box::new(field)
}
