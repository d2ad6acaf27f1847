//! The systems, one file each.

mod damped;
mod pendulum;
mod spring;

pub use damped::{Damped, DampedPendulum};
pub use pendulum::Pendulum;
pub use spring::Spring;

/// Makes canonical systems of energies: `dx/dt = J grad H`.
macro_rules! canonical_field {
    ($([$($generics:tt)*])? $system:ty) => {
        impl $(<$($generics)*>)? hnn_integrators::AnalyticField for $system {
            type State<L: hnn_integrators::Lane> =
                <Self as $crate::AnalyticHamiltonian>::State<L>;
            #[inline(always)]
            fn eval_lanes<L: hnn_integrators::Lane>(
                &self,
                _t: L,
                x: &Self::State<L>,
            ) -> Self::State<L> {
                $crate::canonical(&$crate::AnalyticHamiltonian::gradient_lanes(self, x))
            }
        }
    };
}
use canonical_field;
