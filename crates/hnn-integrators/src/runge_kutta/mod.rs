//! Explicit Runge-Kutta methods.
//!
//! `X_i = x + h sum_j a_ij k_j`, `k_i = f(t + c_i h, X_i)`, `x(t + h) = x + h sum_i b_i k_i`
//! (Hairer, Norsett, Wanner, *Solving Ordinary Differential Equations I*, II.1).

mod adjoint;
mod custom;
mod embedded;
mod euler;
mod heun;
mod midpoint;
mod ralston3;
mod rk4;
mod step;
mod tableau;
mod three_eighths;

pub use adjoint::RungeKuttaTape;
pub use custom::CustomRungeKutta;
pub use euler::Euler;
pub use heun::Heun;
pub use midpoint::Midpoint;
pub use ralston3::Ralston3;
pub use rk4::{Rk4, rk4};
pub(crate) use step::{add_scaled_stages, advance_time};
pub use tableau::{Tableau, TableauError};
pub use three_eighths::ThreeEighths;

/// An explicit Runge-Kutta method, given by its tableau. It is then a
/// [`Stepper`](crate::Stepper) for every [`VectorField`](crate::VectorField), and a
/// [`DifferentiableStepper`](crate::DifferentiableStepper) for every
/// [`DifferentiableField`](crate::DifferentiableField).
pub trait ExplicitRungeKutta: Send + Sync {
    /// The Butcher tableau.
    fn tableau(&self) -> Tableau<'_>;
}

impl<M: ExplicitRungeKutta> crate::Method for M {
    fn name(&self) -> &str {
        self.tableau().name
    }
    fn order(&self) -> usize {
        self.tableau().order
    }
}

/// Declares a method of a fixed tableau: a unit struct with its documentation.
macro_rules! explicit_method {
    ($(#[$doc:meta])* $method:ident, $tableau:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $method;

        impl $crate::runge_kutta::ExplicitRungeKutta for $method {
            #[inline(always)]
            fn tableau(&self) -> $crate::runge_kutta::Tableau<'_> {
                const TABLEAU: $crate::runge_kutta::Tableau<'static> = $tableau;
                TABLEAU
            }
        }
    };
}
use explicit_method;
