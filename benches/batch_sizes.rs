//! How the cost of an HNN (2-200-200-1, tanh) grows with the number of states, in `f32` and `f64`, on one
//! thread: the gradient of the derivative loss, and the field.
//!
//! `cargo bench -p hnn-benches --bench batch_sizes`, or one line of the table alone with its name
//! (`-- "gradient f32 750"`); `benches/peers/batch_sizes.py` measures the same
//! with JAX.
#![allow(clippy::print_stdout)]

use std::hint::black_box;

use hnn_benches::{Clock, Error, Options, median, on_threads};
use hnn_integrators::{At, Scalar, VectorField, Workspace};
use hnn_losses::{DerivativeLoss, Loss, Selection};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use ndarray::{Array2, ArrayView1};

/// Numbers of states.
const BATCHES: [usize; 5] = [1, 8, 32, 750, 4096];
/// States of all runs of a round together, about.
const STATES: usize = 8192;

/// Something timed, and the microseconds that each round took.
struct Entry {
    name: String,
    batch: usize,
    run: Box<dyn FnMut() -> Result<(), Error>>,
    times: Vec<f64>,
}

fn main() -> Result<(), Error> {
    let rounds = Options::from_args().pick(15, 3);
    hnn_benches::announce();
    on_threads(1, || run(rounds))
}

fn run(rounds: usize) -> Result<(), Error> {
    let mut entries = entries_of::<f32>()?;
    entries.extend(entries_of::<f64>()?);
    if let Some(name) = std::env::args().skip(1).find(|arg| !arg.starts_with("--")) {
        entries.retain(|entry| entry.name == name);
    }
    for round in 0..=rounds {
        for Entry { batch, run, times, .. } in &mut entries {
            let count = (STATES / *batch).clamp(1, 200);
            let clock = Clock::start();
            for _ in 0..count {
                run()?;
            }
            if round > 0 {
                times.push(1e6 * clock.seconds() / count as f64);
            }
        }
    }
    println!("median of {rounds} rounds, microseconds:");
    for Entry { name, times, .. } in &mut entries {
        println!("  {name:20} {:11.1}", median(times));
    }
    Ok(())
}

/// The gradient and the field at every number of states.
fn entries_of<T: Scalar>() -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for batch in BATCHES {
        let architecture = Architecture::new(&[2, 200, 200, 1])?;
        let model = Hnn::new(Mlp::<T>::new(architecture, Initialisation::Orthogonal, 0))?;
        let x = Array2::from_shape_fn((batch, 2), |(row, i)| {
            T::from_f64((row as f64 + 1.5 * i as f64).sin())
        });
        let times = vec![T::ZERO; batch];
        let mut loss = DerivativeLoss::new(ArrayView1::from(&times), x.view(), x.view())?;
        let (field, mut theta_bar) =
            (model.clone(), vec![T::ZERO; model.energy_network().params().len()]);
        let gradient = move || {
            theta_bar.fill(T::ZERO);
            black_box(loss.value_and_gradient(&field, Selection::All, 1.0, &mut theta_bar)?);
            Ok(())
        };
        let (x, mut dx) = (hnn_integrators::coordinate_major(x.view()), vec![T::ZERO; 2 * batch]);
        let mut workspace = Workspace::default();
        let evaluation = move || {
            model.eval(At::time(&times), &x, &mut dx, &mut workspace)?;
            black_box(&dx);
            Ok(())
        };
        let entry = |what: &str, run| Entry {
            name: format!("{what} {} {batch}", T::NAME),
            batch,
            run,
            times: Vec::new(),
        };
        entries.push(entry("gradient", Box::new(gradient)));
        entries.push(entry("field", Box::new(evaluation)));
    }
    Ok(entries)
}
