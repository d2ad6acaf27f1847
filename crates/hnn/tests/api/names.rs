//! No two public names are alike: all modules may be brought in by globs at once.

#![allow(unused_imports)]

use hnn::data::*;
use hnn::files::*;
#[cfg(feature = "identify")]
use hnn::identify::*;
use hnn::integrators::lane::*;
use hnn::integrators::*;
use hnn::losses::metrics::*;
use hnn::losses::*;
use hnn::models::control::*;
use hnn::models::*;
#[cfg(feature = "plots")]
use hnn::plots::*;
use hnn::prelude::*;
use hnn::sparse::*;
use hnn::systems::*;
use hnn::train::*;

fn named<T>() {}

/// Each of these names is one that two crates had, or nearly had; an ambiguous one does not compile.
#[test]
fn globs_do_not_collide() {
    let _ = (Column::new("t"), RowSelection::All, GridInputs::<f64>::None, Selection::default());
    named::<(Samples, SparseFit, AnsatzColumn)>();
    named::<(Signal<f64>, Gap, Spread, Statistics)>();
    named::<(Checkpoints, Checkpoint, Friction, Separation, Adjoint<Tableau>)>();
    #[cfg(feature = "identify")]
    named::<(Identification, Candidate, Constant, Feature, Score)>();
    #[cfg(feature = "plots")]
    named::<(Series, Panel, Figure, Color)>();
}
