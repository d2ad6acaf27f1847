//! Methods as values: their coefficients.

mod conditions;
mod dop853;
mod dormand_prince5;
mod explicit;
mod implicit;
mod pair;
mod splitting;
mod symplectic;
mod tableau;
mod tsitouras5;

pub use dop853::DOP853;
pub use dormand_prince5::DORMAND_PRINCE5;
pub use explicit::{EULER, HEUN, MIDPOINT, RALSTON3, RK4, THREE_EIGHTHS};
pub use implicit::{GAUSS_LEGENDRE4, GAUSS_LEGENDRE6, IMPLICIT_MIDPOINT, ImplicitTableau};
pub use pair::EmbeddedPair;
pub(crate) use splitting::Substep;
pub use splitting::{Flow, Splitting};
pub use symplectic::{
    BLANES_MOAN_SRKN6, KAHAN_LI8, PEFRL, POSITION_VERLET, RUTH3, SYMPLECTIC_EULER, VELOCITY_VERLET,
    YOSHIDA4, YOSHIDA6, YOSHIDA8,
};
pub(crate) use tableau::Coefficients;
pub use tableau::{Tableau, TableauError};
pub use tsitouras5::TSITOURAS5;

/// What a text says of a tableau, explicit or implicit.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    name: String,
    order: usize,
    a: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
}
