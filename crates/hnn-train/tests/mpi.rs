//! Rows shared out among the ranks of MPI: `scripts/check mpi` runs this program, a mode at a time.
//!
//! ```text
//! mpirun -n 3 mpi same FOLDER             losses and fits are those of one process
//! mpirun -n 2 mpi train FILE STEPS        trains, goes on from FILE, and prints what came out
//! mpirun -n 2 mpi fail                    ends with the error of one rank
//! mpirun -n 2 mpi wait FOLDER             each rank writes its process's number, and trains for long
//! mpirun -n 2 mpi time ROWS HIDDEN        prints how long steps of a network take
//! ```
#![allow(clippy::print_stdout)]

#[path = "ranks/fits.rs"]
mod fits;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use hnn_data::{DataSet, Share};
use hnn_integrators::Parameters;
use hnn_losses::{DerivativeLoss, Distributed, Ranks, mpi};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_systems::Pendulum;
use hnn_train::{LeastSquares, Trainer};
use ndarray::Array2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // One thread a rank, as many ranks as there are cores.
    mpi::run(|ranks| match arguments[..] {
        ["same"] => same(ranks),
        ["train", file, steps] => train(ranks, Path::new(file), steps.parse()?),
        ["fail"] => Err(fits::failure(ranks)?.into()),
        ["panic"] => panic_on_last(ranks),
        ["time", rows, hidden] => time(ranks, rows.parse()?, hidden.parse()?),
        ["wait", folder] => wait(ranks, Path::new(folder)),
        _ => Err("give one of the modes".into()),
    })
}

/// The numbers of one process, printed to be compared between runs.
fn same(ranks: &Arc<dyn Ranks>) -> Result<(), Box<dyn Error>> {
    let fits: [(f64, &dyn Fn(fits::Team<'_>) -> Result<Vec<f64>, Box<dyn Error>>); 4] = [
        (1e-12, &fits::losses),
        (1e-12, &|ranks| fits::training(ranks, 20, None)),
        (1e-12, &fits::least_squares),
        (1e-9, &fits::matrix_free),
    ];
    for (tolerance, fit) in fits {
        let (one, all) = (fit(None)?, fit(Some(ranks))?);
        for (given, expected) in all.iter().zip(&one) {
            let error = (given - expected).abs();
            if !(error <= tolerance * expected.abs().max(1e-3)) || all.len() != one.len() {
                return Err(format!("{given} instead of {expected}").into());
            }
        }
        let bits: Vec<u8> = all.iter().flat_map(|number| number.to_le_bytes()).collect();
        let given = ranks.gather(&bits);
        if given.iter().any(|other| *other != bits) {
            return Err("ranks have different numbers".into());
        }
        if ranks.rank() == 0 {
            println!("{} numbers {all:?}", all.len());
        }
    }
    Ok(())
}

fn train(ranks: &Arc<dyn Ranks>, file: &Path, steps: usize) -> Result<(), Box<dyn Error>> {
    let numbers = fits::training(Some(ranks), steps, Some(file))?;
    if ranks.rank() == 0 {
        numbers.iter().for_each(|number| println!("{number:e}"));
    }
    Ok(())
}

fn panic_on_last(ranks: &Arc<dyn Ranks>) -> Result<(), Box<dyn Error>> {
    assert!(ranks.rank() + 1 < ranks.count(), "the last rank");
    ranks.add_up(&mut [0.0]);
    Ok(())
}

/// Prints the seconds of a training step and of a step of least squares, on so many rows of all ranks.
fn time(ranks: &Arc<dyn Ranks>, rows: usize, hidden: usize) -> Result<(), Box<dyn Error>> {
    let own = Share::new(ranks.rank(), ranks.count())?.of(rows);
    let at = |row: usize, i: usize| (((7 + 4 * i) * (own.start + row)) as f64).sin();
    let states = Array2::from_shape_fn((own.len(), 2), |(row, i)| at(row, i));
    let data = DataSet::from_states(&Pendulum::default(), 0.0, states)?;
    for name in ["gradient", "least squares"] {
        let layers = Architecture::new(&[2, hidden, 1])?;
        let mut model = Hnn::new(Mlp::<f64>::new(layers, Initialisation::Orthogonal, 3))?;
        let mut loss = Distributed::new(DerivativeLoss::from_data(&data)?, ranks);
        let steps = 2;
        let mut fit = |steps| match name {
            "gradient" => Trainer::new(steps).fit(&mut model, &mut loss, None, &mut ()),
            _ => LeastSquares::new(steps).fit(&mut model, &mut loss, None, &mut ()),
        };
        fit(1)?;
        let times = (0..3).map(|_| Ok(fit(steps)?.seconds / steps as f64));
        let times = times.collect::<Result<Vec<f64>, Box<dyn Error>>>()?;
        let best = times.into_iter().fold(f64::INFINITY, f64::min);
        if ranks.rank() == 0 {
            println!("{name}: {best:.4} s a step, {} parameters", model.num_params());
        }
    }
    Ok(())
}

/// Goes on until it is killed.
fn wait(ranks: &Arc<dyn Ranks>, folder: &Path) -> Result<(), Box<dyn Error>> {
    let file = folder.join(ranks.rank().to_string());
    std::fs::write(file, std::process::id().to_string())?;
    loop {
        fits::losses(Some(ranks))?;
    }
}
