//! Random calls of every public constructor, and of whatever fits, solves or runs.

mod data;
#[cfg(feature = "identify")]
mod identify;
mod integrators;
mod losses;
mod models;
#[cfg(feature = "plots")]
mod plots;
mod sparse;
mod systems;
mod train;

use hnn::Error;

use crate::odd::Odd;
use crate::watch::{attack, rounds};

type Call = fn(&mut Odd) -> Result<(), Error>;

/// Makes random calls of a kind. Neither all of them may come to a result nor none.
fn calls(name: &str, seed: u64, share: u64, call: Call) {
    let results = attack(name, rounds(20_000) * share / 100, |round| {
        match call(&mut Odd::new(seed, round)) {
            Ok(()) => true,
            Err(error) => {
                let message = error.to_string();
                assert!((10..2100).contains(&message.len()), "{message}");
                false
            }
        }
    });
    assert!((0.05..0.95).contains(&results), "{name}: {results} of the calls gave results");
}

#[test]
fn of_integrators() {
    calls("integrators", 10, 25, integrators::call);
}

#[test]
fn of_systems_and_data() {
    calls("systems", 11, 15, systems::call);
    calls("data", 12, 15, data::call);
}

#[cfg(feature = "identify")]
#[test]
fn of_recordings_to_identify() {
    calls("identify", 18, 1, identify::call);
}

#[test]
fn of_models_losses_and_training() {
    calls("models", 13, 12, models::call);
    calls("losses", 14, 8, losses::call);
    calls("train", 15, 7, train::call);
}

#[test]
fn of_formulas_and_figures() {
    calls("sparse", 16, 15, sparse::call);
    #[cfg(feature = "plots")]
    calls("plots", 17, 3, plots::call);
}
