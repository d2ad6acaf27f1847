//! Learns the energy of a mechanical system from data, and integrates it.
//!
//! This crate gathers the libraries of the workspace under one name; each is a crate of its own,
//! for those who need only that one.
//!
//! | module | crate | what it holds |
//! |---|---|---|
//! | [`integrators`] | `hnn-integrators` | vector fields, steppers, adaptive solvers, discrete adjoints |
//! | [`data`] | `hnn-data` | recordings read from files, data sets, derivatives of measured states |
//! | [`systems`] | `hnn-systems` | true systems with exact energies, data sets sampled from them |
//! | [`models`] | `hnn-models` | networks, baseline, HNN, HNN with friction, LNN; with feature `tch`, libtorch as a second engine |
//! | [`losses`] | `hnn-losses` | losses, penalties, metrics |
//! | [`sparse`] | `hnn-sparse` | Hamiltonians as short formulas: feature libraries, LASSO, selection |
#![cfg_attr(
    feature = "identify",
    doc = "| [`identify`](mod@identify) | `hnn-identify` | from a recording to a model, in one call (feature `identify`, on by default) |"
)]
//! | [`train`] | `hnn-train` | optimisers, the trainer, early stopping, records |
#![cfg_attr(
    feature = "plots",
    doc = "| [`plots`] | `hnn-plots` | phase portraits, trajectories, energies, errors (feature `plots`, on by default) |"
)]
//! | [`files`] | `hnn-files` | files that are written as a whole or not at all |
//!
//! [`prelude`] has the names that most programs need; [`Error`] is what each crate's own error becomes
//! by `?`.
//!
//! **The book**, in the folder `docs` of the repository (`mdbook serve docs`, or read `docs/src/SUMMARY.md` as it
//! is), begins with a tutorial from a log file to a controller. It has the twenty most frequent tasks, a page each on
//! data, noise, inputs, units, a system, network, method or loss of your own, and on choosing a model, a solver
//! and an optimiser; then the theory, and what was measured. This documentation says what each item does.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `identify` | yes | from a recording to a model in one call |
//! | `plots` | yes | figures as PNG and SVG; what runs on an embedded machine stays small without |
//! | `serde` | no | settings, reports, results and data sets are `Serialize` and `Deserialize`; what has rules is checked on its way in |
//! | `mpi` | no | losses and equations shared out among ranks of MPI, over a system's Open MPI or MPICH; reading its headers needs libclang |
//! | `tch` | no | libtorch as a second engine, `models::tch`; `scripts/with-libtorch cargo ..` finds or fetches libtorch |
//! | `tch-download-libtorch` | no | the same, and the build downloads libtorch itself |
//! | `doc-only` | no | for documentation: `tch` builds without libtorch, and links to nothing |
//!
//! # A Hamiltonian neural network in a dozen lines
//!
//! ```
//! use hnn::prelude::*;
//!
//! let truth = Pendulum::default(); // H = p^2 + 3 (1 - cos q)
//! let sampling = Sampling { trajectories: 10, points: 16, ..Sampling::pendulum() };
//! let (train, test) = sampling.sample(&truth, 0)?.split_at(8)?;
//! let scales = Scales::new(train.states(), train.derivatives())?; // any units will do
//! let mut loss = DerivativeLoss::new(train.times().into(), train.states(), train.derivatives())?
//!     .with_coordinate_weights(&scales.derivative_weights())?;
//! let network = Mlp::new(Architecture::new(&[2, 20, 1])?, Initialisation::Orthogonal, 0);
//! let mut model = Hnn::new(scales.energy(network)?)?;
//! let mut trainer = Trainer::new(400).with_schedule(Schedule::Cosine { from: 3e-2, to: 0.0 });
//! let record = trainer.fit(&mut model, &mut loss, None, &mut ())?;
//!
//! // The learned energy integrates from a start that it has not seen, and is conserved.
//! let solution = solve(&model, test.starts().row(0), &[0.0, 10.0, 20.0], Tolerances::default())?;
//! let energies = truth.energy_rows(solution.states.view())?;
//! assert!((energies[2] - energies[0]).abs() < 0.05 * energies[0]);
//! # assert!(record.final_loss() < 1e-2);
//! # Ok::<(), hnn::Error>(())
//! ```

mod error;

pub use error::Error;
#[doc(inline)]
pub use hnn_data as data;
#[doc(inline)]
pub use hnn_files as files;
#[cfg(feature = "identify")]
#[doc(inline)]
pub use hnn_identify as identify;
#[cfg(feature = "identify")]
#[doc(inline)]
pub use hnn_identify::identify;
#[doc(inline)]
pub use hnn_integrators as integrators;
#[doc(inline)]
pub use hnn_losses as losses;
#[doc(inline)]
pub use hnn_models as models;
#[cfg(feature = "plots")]
#[doc(inline)]
pub use hnn_plots as plots;
#[doc(inline)]
pub use hnn_sparse as sparse;
#[doc(inline)]
pub use hnn_systems as systems;
#[doc(inline)]
pub use hnn_train as train;

/// The array library whose types the workspace takes and gives.
pub use ndarray;

pub mod prelude;

/// The book's pages and the README, whose code runs as tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/src/tutorial.md")]
    struct Tutorial;
    #[doc = include_str!("../../../docs/src/tasks.md")]
    struct Tasks;
    #[doc = include_str!("../../../docs/src/your-own-data.md")]
    struct YourOwnData;
    #[doc = include_str!("../../../docs/src/noise.md")]
    struct Noise;
    #[doc = include_str!("../../../docs/src/inputs.md")]
    struct Inputs;
    #[doc = include_str!("../../../docs/src/scales.md")]
    struct Scales;
    #[doc = include_str!("../../../docs/src/constants.md")]
    struct Constants;
    #[doc = include_str!("../../../docs/src/sparse.md")]
    struct Sparse;
    #[doc = include_str!("../../../docs/src/choosing-a-model.md")]
    struct ChoosingAModel;
    #[doc = include_str!("../../../docs/src/choosing-a-solver.md")]
    struct ChoosingASolver;
    #[doc = include_str!("../../../docs/src/training.md")]
    struct Training;
    #[doc = include_str!("../../../docs/src/checkpoints.md")]
    struct Checkpoints;
    #[doc = include_str!("../../../docs/src/own-system.md")]
    struct OwnSystem;
    #[doc = include_str!("../../../docs/src/own-network.md")]
    struct OwnNetwork;
    #[doc = include_str!("../../../docs/src/own-method.md")]
    struct OwnMethod;
    #[doc = include_str!("../../../docs/src/own-loss.md")]
    struct OwnLoss;
    #[doc = include_str!("../../../docs/src/plots.md")]
    struct Plots;
    #[doc = include_str!("../../../docs/src/running.md")]
    struct Running;
    #[doc = include_str!("../../../docs/src/speed.md")]
    struct Speed;
    #[doc = include_str!("../../../docs/src/least-squares.md")]
    struct LeastSquares;
    #[doc = include_str!("../../../docs/src/integrators.md")]
    struct Integrators;
    #[doc = include_str!("../../../docs/src/systems.md")]
    struct Systems;
    #[doc = include_str!("../../../docs/src/losses.md")]
    struct Losses;
    #[doc = include_str!("../../../docs/src/files.md")]
    struct Files;
    #[doc = include_str!("../../../docs/src/errors.md")]
    struct Errors;
    #[doc = include_str!("../../../docs/src/clusters.md")]
    struct Clusters;
}
