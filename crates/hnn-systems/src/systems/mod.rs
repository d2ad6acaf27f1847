//! The systems, one file each.

mod cart_pole;
mod chain;
mod chain_pendulum;
mod damped;
mod double_pendulum;
mod duffing;
mod elastic_pendulum;
mod gyroscope;
mod henon_heiles;
mod kepler;
mod n_body;
mod pendulum;
mod spherical_pendulum;
mod spring;

pub use cart_pole::{CartForce, CartPole};
pub use chain::Chain;
pub use chain_pendulum::ChainPendulum;
pub use damped::{Damped, DampedPendulum};
pub use double_pendulum::{DoublePendulum, LagrangianDoublePendulum};
pub use duffing::Duffing;
pub use elastic_pendulum::ElasticPendulum;
pub use gyroscope::Gyroscope;
pub use henon_heiles::HenonHeiles;
pub use kepler::Kepler;
pub use n_body::NBody;
pub use pendulum::Pendulum;
pub use spherical_pendulum::SphericalPendulum;
pub use spring::Spring;

use hnn_integrators::{AnalyticSeparable, Lane, LaneState};

/// `(dV/dq, dT/dp)` from the force and the velocity of a separable system.
#[inline(always)]
fn separable_gradient<L: Lane, H: AnalyticSeparable, S: LaneState<L>>(system: &H, x: &S) -> S {
    let n = S::DIM / 2;
    let (mut gradient, (q, p)) = (*x, x.as_ref().split_at(n));
    let force = system.force_lanes(L::constant(0.0), &H::Half::from_fn(|i| q[i]));
    let velocity = system.velocity_lanes(&H::Half::from_fn(|i| p[i]));
    for i in 0..n {
        gradient.as_mut()[i] = -force.as_ref()[i];
        gradient.as_mut()[n + i] = velocity.as_ref()[i];
    }
    gradient
}

/// Makes canonical systems of energies: `dx/dt = J grad H`. Kernels of those marked `compiled` are
/// compiled here, and with `where used` all the same ones where they are used; of the others the
/// essential ones are, where they are used.
macro_rules! canonical_field {
    (compiled where used $system:ty) => {
        canonical_field!(@ $system, [], [hnn_integrators::compile_kernels!(where used);]);
    };
    (compiled $system:ty) => {
        canonical_field!(@ $system, [], [hnn_integrators::compile_kernels!();]);
    };
    ($system:ty) => {
        canonical_field!(@ $system, [], []);
    };
    ($system:ty, $($generics:tt)+) => {
        canonical_field!(@ $system, [<$($generics)+>], []);
    };
    (@ $system:ty, [$($generics:tt)*], [$($kernels:tt)*]) => {
        impl $($generics)* hnn_integrators::AnalyticField for $system {
            $($kernels)*
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
            #[inline(always)]
            fn vjp_lanes<L: hnn_integrators::Lane>(
                &self,
                _t: L,
                x: &Self::State<L>,
                v: &Self::State<L>,
            ) -> Self::State<L> {
                $crate::analytic::canonical_vjp(self, x, v)
            }
        }
    };
}
use canonical_field;
