//! Vector fields, and what trains.

mod bars;
mod differentiable;
mod dual_field;
mod fn_field;
mod object;
mod separable;
mod vector_field;

pub use bars::{Bars, ThetaBar, ThetaRows};
pub use differentiable::{DifferentiableField, Mode, Parameters};
pub use dual_field::DualField;
pub use fn_field::{FnField, FnFieldVjp};
pub use object::{FieldObject, Kept};
pub use separable::{DifferentiableSeparable, Separable};
pub(crate) use vector_field::{ByReference, check_dimension};
pub use vector_field::{VectorField, coordinate_major, rows};
