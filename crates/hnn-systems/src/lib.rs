//! Mechanical systems with exact energies, and data sets sampled from them.
//!
//! A system is an energy written once over a lane type ([`AnalyticHamiltonian`]); its field, its
//! gradient, the SIMD path and the scalar path follow. Every system is a
//! [`VectorField`](hnn_integrators::VectorField) and a [`Hamiltonian`] for `f32` and `f64`, as a
//! learned model is, so solvers, metrics and plots take either.
//!
//! ```
//! use hnn_integrators::VectorField;
//! use hnn_systems::{DampedPendulum, Hamiltonian};
//!
//! let pendulum = DampedPendulum::default();
//! let x = [1.0, 0.5];
//! let dx: Vec<f64> = pendulum.eval_state(0.0, &x)?;
//! let gradient = pendulum.energy_gradient_state(&x)?;
//! // Friction takes energy at the rate 2 lambda p^2.
//! let power = gradient[0] * dx[0] + gradient[1] * dx[1];
//! assert!((power + 2.0 * 0.1 * 0.5 * 0.5_f64).abs() < 1e-15);
//! # Ok::<(), hnn_integrators::FieldError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `serde` | no | settings, reports, results and data sets are `Serialize` and `Deserialize`; what has rules is checked on its way in |

mod analytic;
mod chaos;
mod conserved;
mod constrained;
mod error;
mod from_energy;
mod hamiltonian;
mod phase_space;
mod sampling;
mod systems;

pub use analytic::{AnalyticHamiltonian, canonical, dual_gradient};
pub use chaos::{
    Lyapunov, LyapunovExponent, PoincareSection, SectionCrossings, distances, growth_rate,
};
pub use conserved::{Conservation, ConservationReport, Features, Quantity};
pub use constrained::{ConstrainedSystem, End, Rod, Rods, Weights};
pub use error::SystemError;
pub use from_energy::FromEnergy;
pub use hamiltonian::Hamiltonian;
pub use phase_space::{Particles, PhaseSpace};
pub use sampling::{EnergyShell, Sampling, Starts};
pub use systems::{
    CartForce, CartPole, Chain, ChainPendulum, Damped, DampedPendulum, DoublePendulum, Duffing,
    ElasticPendulum, Gyroscope, HenonHeiles, Kepler, LagrangianDoublePendulum, NBody, Pendulum,
    SphericalPendulum, Spring,
};
