//! When a pendulum passes its lowest point, and how its motion depends on start and constants.
//!
//! `cargo run --release --example event_and_gradient`
#![allow(clippy::print_stdout)]

use hnn::integrators::{Adaptive, Adjoint, Crossing, DORMAND_PRINCE5, Event};
use hnn::ndarray::array;
use hnn::prelude::*;

fn main() -> Result<(), hnn::Error> {
    // Constants that have derivatives: q' = p, p' = -k sin q - b p.
    let pendulum =
        DualField::new([3.0, 0.1], |_t, [q, p]: [_; 2], [k, b]| [p, -k * q.sin() - b * p]);

    // Events: each time at which q rises through 0.
    let lowest =
        Event { function: &|_t, x: &[f64]| x[0], crossing: Crossing::Rising, terminal: false };
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-10));
    let times = Vec::from_iter((0..=500).map(|k| 0.05 * f64::from(k)));
    let start = array![2.5, 0.0];
    let run = solver.solve_events(&pendulum, start.view(), &times, &[lowest])?;
    let passed = Vec::from_iter(run.occurrences.iter().map(|occurrence| occurrence.time));
    let periods = Vec::from_iter(passed.windows(2).map(|pair| pair[1] - pair[0]));
    println!("period of each swing: {periods:.4?} s"); // shorter as it slows down

    // The exact derivative of the angle after 10 s, by 1000 steps of RK4 as they were computed.
    let x0 = array![[2.5, 0.0]];
    let gradient = Adjoint::count(RK4, 1000).run(
        &pendulum,
        (0.0, 10.0),
        x0.view(),
        |step, _x, mut x_bar| {
            if step == 1000 {
                x_bar[[0, 0]] = 1.0;
            }
        },
    )?;
    println!("d q(10) / d (q0, p0) = {:.6}", gradient.start_bar.row(0));
    println!("d q(10) / d (k, b)   = {:.6?}", gradient.theta_bar);

    let q = run.solution.states.column(0).to_owned();
    let panel = Panel::new("A pendulum, and where it passes its lowest point")
        .with_x_label("time t (s)")
        .with_y_label("angle q (rad)")
        .series(Series::new("angle", times, q)?)
        .series(
            Series::new("events", passed.clone(), passed.iter().map(|_| 0.0))?
                .with_mark(hnn::plots::Mark::Points),
        );
    Figure::new(panel).save("target/examples/event_and_gradient.png")?;
    Ok(())
}
