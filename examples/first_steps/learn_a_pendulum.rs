//! Learns the energy of a pendulum from exact trajectories, and swings it.
//!
//! `cargo run --release --example learn_a_pendulum`
#![allow(clippy::print_stdout)]

use hnn::plots::phase_portrait;
use hnn::prelude::*;

fn main() -> Result<(), hnn::Error> {
    // H = p^2 + 3 (1 - cos q): 50 short trajectories, the last 10 not to be learned.
    let truth = Pendulum::default();
    let (train, test) = Sampling::pendulum().sample(&truth, 0)?.split_at(40)?;

    // A network H(q, p), and the field dq/dt = dH/dp, dp/dt = -dH/dq that it makes.
    let scales = Scales::new(train.states(), train.derivatives())?;
    let layers = Architecture::new(&[2, 16, 16, 1])?;
    let network = Mlp::new(layers, Initialisation::Orthogonal, 0);
    let mut model = Hnn::new(scales.energy(network)?)?;
    let weights = scales.derivative_weights();
    let mut loss = DerivativeLoss::from_data(&train)?.with_coordinate_weights(&weights)?;
    let record = LeastSquares::new(100).fit(&mut model, &mut loss, None, &mut ())?;
    println!("{record}");

    // It moves on its own from a start that it has not seen.
    let times = Vec::from_iter((0..=400).map(|k| 0.05 * f64::from(k)));
    let start = test.starts().row(0).to_owned();
    let exact = solve(&truth, start.view(), &times, Tolerances::default())?;
    let learned = solve(&model, start.view(), &times, Tolerances::default())?;
    let errors = &learned.states - &exact.states;
    let largest = errors.iter().fold(0.0_f64, |largest, error| largest.max(error.abs()));
    println!("largest error of angle and momentum over 20 s: {largest:.1e}");

    let motions = [
        Motion::new("true pendulum", &times, exact.states.view())?.truth(),
        Motion::new("HNN", &times, learned.states.view())?,
    ];
    Figure::new(phase_portrait(&truth, &motions)?).save("target/examples/learn_a_pendulum.png")?;
    Ok(())
}
