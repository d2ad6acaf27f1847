//! Sparse identification of Hamiltonians: from data, or from a trained network, to a formula.
//!
//! A [`Library`] holds the terms that `H` may have; an [`Ansatz`] adds those of a friction. Data
//! become linear [`Equations`] for the coefficients, and [`Selection`] finds the few terms that
//! explain them. An [`InverseDynamics`] is the same for the Lagrangian behind measured torques. [`Lasso`] is the plain LASSO, with a certificate for every solution.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `mpi` | no | equations shared out among ranks of MPI, over a system's Open MPI or MPICH; reading its headers needs libclang |
//! | `serde` | no | settings, reports, results and data sets are `Serialize` and `Deserialize`; what has rules is checked on its way in |

mod ansatz;
mod cross_validation;
mod data;
mod diagnosis;
mod distill;
mod equations;
mod error;
mod expression;
mod gram;
mod inverse;
mod lasso;
mod library;
mod linalg;
mod model;
mod program;
mod refine;
mod selection;
mod size;
mod unknowns;

pub use ansatz::{Ansatz, AnsatzColumn, Friction};
pub use cross_validation::{CrossValidation, Folds};
pub use data::{Differentiation, IntegralForm, Observations, Samples, WeakForm};
pub use diagnosis::{Combination, Diagnosis};
pub use distill::{Distillation, Distilled};
pub use equations::Equations;
pub use error::SparseError;
pub use expression::{Argument, CustomFunction, Expression};
pub use gram::Gram;
pub use inverse::{InverseDynamics, SparseLagrangian};
pub use lasso::{Certificate, Lasso, LassoSolution, Penalty};
pub use library::Library;
pub use model::{ModelTerm, SeparableSparseHamiltonian, SparseHamiltonian, SparseResiduals};
pub use refine::{Refined, Shooting};
pub use selection::{Criterion, FoundTerm, Selection, SparseFit};
