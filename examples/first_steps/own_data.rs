//! A log file becomes a model: what was read, which model the rows support, and what they do not tell.
//!
//! `cargo run --release --example own_data -- [FILE of columns t, theta, tau]`
#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use hnn::prelude::*;

fn main() -> Result<(), hnn::Error> {
    let path = match std::env::args().nth(1) {
        Some(path) => PathBuf::from(path),
        None => simulated_log()?,
    };
    let recording = Recording::read(path).time("t").angle("theta").input("tau").load()?;
    println!("{}", recording.report());

    // Without networks it takes a moment; with them (`hnn::identify(&recording)`) half a minute.
    let found = hnn::identify::Identify::default().without_networks().run(&recording)?;
    println!("{found}");
    found.write("target/examples/own_data")?;
    println!("open target/examples/own_data/index.html");
    Ok(())
}

/// A pendulum with friction that a motor drives, its angle measured to a milliradian.
fn simulated_log() -> Result<PathBuf, hnn::Error> {
    let torque = |t: f64| 1.5 * (1.3 * t).sin() + 0.8 * (3.1 * t).cos();
    let pendulum = FnField::new(2, |t: f64, x: &[f64], dx: &mut [f64]| {
        (dx[0], dx[1]) = (x[1], (torque(t) - 3.0 * x[0].sin() - 0.1 * x[1]) / 0.5);
    });
    let times = Vec::from_iter((0..1500).map(|k| 0.02 * f64::from(k)));
    let start = hnn::ndarray::array![0.5, 0.0];
    let run = solve(&pendulum, start.view(), &times, Tolerances::default())?;
    let path = PathBuf::from("target/examples/own_data.csv");
    hnn::files::write(&path, |file| {
        writeln!(file, "t,theta,tau")?;
        times
            .iter()
            .zip(run.states.rows())
            .try_for_each(|(t, x)| writeln!(file, "{t:.2},{:.3},{:.3}", x[0], torque(*t)))
    })?;
    Ok(path)
}
