//! Vector fields, and what trains.

mod arguments;
mod bars;
mod differentiable;
mod dual_field;
mod fn_field;
mod separable;
mod vector_field;

#[doc(hidden)]
pub use arguments::{
    Arguments, ArrayInputs, DualArguments, NoInputs, PullBackArguments, SliceInputs,
};
pub use bars::{Bars, ThetaBar, ThetaRows};
pub use differentiable::{DifferentiableField, Mode, Parameters};
pub use dual_field::DualField;
pub use fn_field::{FnField, FnFieldVjp};
pub use separable::{DifferentiableSeparable, Separable};
pub(crate) use vector_field::{ByReference, check_dimension};
pub use vector_field::{VectorField, coordinate_major, rows};
