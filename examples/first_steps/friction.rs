//! A pendulum that slows down: one network learns its energy, another one its friction.
//!
//! `cargo run --release --example friction`
#![allow(clippy::print_stdout)]

use hnn::plots::energy;
use hnn::prelude::*;

fn main() -> Result<(), hnn::Error> {
    let truth = DampedPendulum::default(); // dp/dt = -dH/dq - 0.1 p
    let (train, test) = Sampling::pendulum().sample(&truth, 0)?.split_at(40)?;
    let scales = Scales::new(train.states(), train.derivatives())?;
    let network = |seed| -> Result<Mlp<f64>, hnn::Error> {
        Ok(Mlp::new(Architecture::new(&[2, 16, 16, 1])?, Initialisation::Orthogonal, seed))
    };
    let weights = scales.derivative_weights();
    let mut loss = DerivativeLoss::from_data(&train)?.with_coordinate_weights(&weights)?;
    let solver = LeastSquares::new(60);

    // Without friction it cannot slow down; R(q, p) >= 0 can only take energy out.
    let mut without = Hnn::new(scales.energy(network(0)?)?)?;
    println!("no friction: {}", solver.fit(&mut without, &mut loss, None, &mut ())?);
    let dissipative = Dissipative::new(network(1)?)?;
    let mut model = Hnn::forced(scales.energy(network(0)?)?, dissipative)?;
    println!("friction: {}", solver.fit(&mut model, &mut loss, None, &mut ())?);

    let times = Vec::from_iter((0..=400).map(|k| 0.05 * f64::from(k)));
    let start = test.starts().row(0).to_owned();
    let motion = |label, field: &dyn VectorField<f64>| -> Result<Motion, hnn::Error> {
        let run = solve(field, start.view(), &times, Tolerances::default())?;
        Ok(Motion::new(label, &times, run.states.view())?)
    };
    let motions = [
        motion("true pendulum", &truth)?.truth(),
        motion("HNN", &without)?,
        motion("HNN + friction", &model)?,
    ];
    let panel = energy(&motions, |x| 3.0 * (1.0 - x[0].cos()) + x[1] * x[1])?;
    Figure::new(panel.with_title("Energy over time")).save("target/examples/friction.png")?;
    Ok(())
}
