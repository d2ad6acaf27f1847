//! From noisy states to a formula: energy and friction of a pendulum, as text, with standard errors.
//!
//! `cargo run --release --example formula`
#![allow(clippy::print_stdout)]

use hnn::plots::trajectories;
use hnn::prelude::*;
use hnn::sparse::{Ansatz, Expression, Friction, Library, Observations, Selection, WeakForm};

fn main() -> Result<(), hnn::Error> {
    // States alone, with noise.
    let truth = DampedPendulum::default(); // H = p^2 + 3 (1 - cos q), friction 0.1 p
    let sampling =
        Sampling { trajectories: 20, t_end: 5.0, points: 101, noise: 0.01, ..Sampling::pendulum() };
    let data: DataSet<f64> = sampling.sample(&truth, 0)?;

    // What the energy may be made of, and a friction in proportion to dq/dt.
    let energy = Library::monomials(1, 1..=3)?.union(&Library::trigonometric(1, &[1.0], 0)?)?;
    let drag = Library::from_features(1, [Expression::constant(1.0)])?;
    let ansatz = Ansatz::new(&energy)?.with_friction(&drag, Friction::Shared)?;

    // Integrals over windows instead of derivatives, which noise would drown.
    let equations = WeakForm::default().equations(&Observations::from(&data), &ansatz)?;
    let found = Selection::default().run(&equations)?;
    println!("{found}");

    // The formula is a field like any other.
    let model = found.model();
    let times = Vec::from_iter((0..=400).map(|k| 0.05 * f64::from(k)));
    let start = data.starts().row(0).to_owned();
    let exact = solve(&truth, start.view(), &times, Tolerances::default())?;
    let learned = solve(model, start.view(), &times, Tolerances::default())?;
    let motions = [
        Motion::new("true pendulum", &times, exact.states.view())?.truth(),
        Motion::new("formula", &times, learned.states.view())?,
    ];
    let panels = trajectories(&motions, &["angle q (rad)", "momentum p"])?;
    Figure::grid(1, panels)?.save("target/examples/formula.png")?;
    Ok(())
}
