//! A system of your own: its energy, written once, gives its field, its motions and its data.
//!
//! `cargo run --release --example own_system`
#![allow(clippy::print_stdout)]

use hnn::ndarray::{Axis, array};
use hnn::plots::phase_portrait;
use hnn::prelude::*;

/// A double well: H = p^2 / 2 - q^2 / 2 + q^4 / 4.
struct DoubleWell;

impl AnalyticHamiltonian for DoubleWell {
    type State<L: Lane> = [L; 2];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, [q, p]: &[L; 2]) -> L {
        let square = *q * *q;
        L::constant(0.5) * (*p * *p - square) + L::constant(0.25) * square * square
    }
}

fn main() -> Result<(), hnn::Error> {
    let well = FromEnergy(DoubleWell);
    // In the left well, in the right one, and over the hill between them.
    let starts = array![[-1.4, 0.0], [0.5, 0.0], [1.6, 0.0]];
    let times = Vec::from_iter((0..=600).map(|k| 0.02 * f64::from(k)));
    let run = solve_batch(&well, starts.view(), &times, Tolerances::default())?;
    let mut motions = Vec::new();
    for (row, states) in run.states.axis_iter(Axis(0)).enumerate() {
        let energies = well.energy_rows(states)?;
        let drift = (energies[times.len() - 1] - energies[0]).abs();
        println!("from q = {:>4}: H = {:+.4}, drift {drift:.1e}", starts[[row, 0]], energies[0]);
        motions.push(Motion::new(format!("H = {:+.3}", energies[0]), &times, states)?);
    }
    Figure::new(phase_portrait(&well, &motions)?).save("target/examples/own_system.png")?;

    // Any system makes data: states and their derivatives, here with noise on the states.
    let sampling = Sampling { noise: 0.01, ..Sampling::pendulum() };
    let data: DataSet<f64> = sampling.sample(&well, 0)?;
    println!("{} states of {} trajectories", data.len(), data.num_trajectories());
    Ok(())
}
