//! The mechanical systems of ODEBench (d'Ascoli et al. 2023): `x0' = x1`, `x1' = f(x0, x1)`, out of
//! 150 states of one trajectory each.
//!
//! `cargo run --release --example odebench`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use chacha20::ChaCha8Rng;
use clap::Parser;
use hnn_data::DataSet;
use hnn_examples::{exit, roll_out};
use hnn_integrators::{FnField, VectorField};
use hnn_published_examples::{Figure, PublishedOptions, Result, Scores, timed};
use hnn_sparse::{
    Ansatz, AnsatzColumn, Expression, Library, ModelTerm, Observations, Selection, Shooting,
    SparseHamiltonian, WeakForm,
};
use hnn_systems::Sampling;
use ndarray::{Array3, arr2, s};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde::Serialize;

/// ODEBench's mechanical systems: formulas out of states, without derivatives.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: PublishedOptions,
    /// Noises: each state is multiplied by 1 + noise * normal.
    #[arg(long, value_delimiter = ',', default_value = "0,0.01")]
    noises: Vec<f64>,
}

/// The acceleration.
type Force = fn(f64, f64) -> f64;

/// A system of the benchmark.
struct System {
    id: u32,
    force: Force,
    /// Where the data begin, and where the formula is tried as well.
    starts: [[f64; 2]; 2],
}

const SYSTEMS: [System; 9] = [
    System { id: 24, force: |x, _| -2.1 * x, starts: [[0.4, -0.03], [0.0, 0.2]] },
    System { id: 25, force: |x, v| -4.5 * x - 0.43 * v, starts: [[0.12, 0.043], [0.0, -0.3]] },
    System { id: 28, force: |x, _| -0.9 * x.sin(), starts: [[-1.9, 0.0], [0.3, 0.8]] },
    System { id: 32, force: |x, v| -0.18 * v + x - x.powi(3), starts: [[-1.8, -1.8], [5.8, 0.0]] },
    System {
        id: 36,
        force: |x, v| -x.sin() - v - 0.07 * x.cos() * v,
        starts: [[0.45, 0.9], [1.34, -0.8]],
    },
    System {
        id: 37,
        force: |x, v| -x - 0.43 * (x * x - 1.0) * v,
        starts: [[2.2, 0.0], [0.1, 3.2]],
    },
    System {
        id: 40,
        force: |x, v| -x + 0.886 * v * (1.0 - x * x),
        starts: [[0.63, -0.03], [0.2, 0.2]],
    },
    System {
        id: 43,
        force: |x, v| 1.67 - x.sin() - 0.64 * v,
        starts: [[1.47, -0.2], [-1.9, 0.03]],
    },
    System {
        id: 44,
        force: |x, v| 1.67 - x.sin() - 0.64 * v * v.abs(),
        starts: [[1.47, -0.2], [-1.9, 0.03]],
    },
];

/// The share of the variance that counts as success.
const SUCCESS: f64 = 0.9;

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let shares = [("ODEFormer, all 63 systems, start 1", 0.66), ("the same, start 2", 0.33)];
    let published = shares.map(|(model, value)| Figure { model, metric: "share_solved", value });
    options.shared.run("odebench", options, &published, |seed, _output| {
        let noises = options.noises.iter();
        noises.map(|noise| trial(options, *noise, seed)).collect()
    })
}

fn trial(options: &Options, noise: f64, seed: u64) -> Result<Scores> {
    let (model, label) = match noise {
        0.0 => ("hnn", "formulas, no noise".to_owned()),
        _ => ("hnn_noise", format!("formulas, noise {noise}")),
    };
    let systems = if options.shared.quick { &SYSTEMS[..2] } else { &SYSTEMS[..] };
    let mut solved = [0.0; 2];
    let (_, seconds) = timed(|| {
        for system in systems {
            let data = system.data(noise, seed)?;
            let found = identify(&data);
            let scores = match &found {
                Ok(formula) => system.judge(formula)?,
                Err(_) => [f64::NEG_INFINITY; 2],
            };
            let success = scores.map(|r2| f64::from(u8::from(r2 > SUCCESS)));
            solved[0] += success[0] * success[1];
            solved[1] += success[0];
            let text = found.map_or_else(|e| e.to_string(), |formula| formula.to_text());
            println!(
                "{}, noise {noise}: {text}; R^2 {:.4}, {:.4}",
                system.id, scores[0], scores[1]
            );
        }
        Ok(())
    })?;
    let count = systems.len() as f64;
    let metrics = vec![("solved", solved[0]), ("share_solved", solved[0] / count)];
    Ok(Scores { model, label, metrics, seconds })
}

/// One trajectory of states, without slopes: what the benchmark gives.
fn identify(data: &DataSet<f64>) -> Result<SparseHamiltonian> {
    let ansatz = ansatz()?;
    let observations = Observations::from(data);
    let equations = WeakForm::default().equations(&observations, &ansatz)?;
    // x0' = x1 is given.
    let selection = Selection::default().know(&ansatz.names()[0], 0.5);
    prune(selection.run(&equations)?.into_model(), &ansatz, &observations)
}

/// Terms of fewer standard errors are noise.
const LEAST_T: f64 = 4.0;

/// Fits the formula to the trajectory, which noise of the states does not bias, and drops its weakest
/// term until trajectories tell all of them from 0.
fn prune(
    mut model: SparseHamiltonian,
    ansatz: &Ansatz,
    observations: &Observations,
) -> Result<SparseHamiltonian> {
    loop {
        // A formula that no trajectory follows for long stays what the weak form made of it.
        let Ok(refined) = Shooting::default().refine(&model, observations) else {
            return Ok(model);
        };
        model = refined.model;
        let t_value = |term: &ModelTerm| (term.coefficient() / term.std_error()).abs();
        let weakest = model.terms().iter().min_by(|a, b| t_value(a).total_cmp(&t_value(b)));
        let Some(weakest) = weakest.filter(|term| t_value(term) < LEAST_T) else {
            return Ok(model);
        };
        let kept = |column: &AnsatzColumn| {
            let known = model.terms().iter().find(|term| term.column() == column);
            known
                .filter(|term| term.column() != weakest.column())
                .map_or(0.0, ModelTerm::coefficient)
        };
        let coefficients = Vec::from_iter(ansatz.columns().iter().map(kept));
        model = SparseHamiltonian::from_coefficients(ansatz, &coefficients)?;
    }
}

/// One library for all systems: powers and waves in the potential, the same times the velocity in the
/// friction, and drag.
fn ansatz() -> Result<Ansatz> {
    let (x, v) = (Expression::coordinate(0), Expression::coordinate(1));
    let [sin, cos] = [Expression::sin(1.0, 0), Expression::cos(1.0, 0)];
    let powers = (1..=4).map(|power| x.powi(power));
    let energy = [v.powi(2)].into_iter().chain(powers).chain([sin.clone(), cos.clone()]);
    let [viscous, _, drag] = Expression::friction(1, 1.0);
    let products = [x.clone(), x.powi(2), sin, cos].map(|factor| factor * v.clone());
    let forces = [viscous, drag].into_iter().chain(products);
    Ok(Ansatz::new(&Library::from_features(1, energy)?)?.with_force(0, forces)?)
}

impl System {
    fn field(&self) -> impl VectorField<f64> {
        let force = self.force;
        FnField::new(2, move |_t: f64, x: &[f64], dx: &mut [f64]| {
            (dx[0], dx[1]) = (x[1], force(x[0], x[1]));
        })
    }

    /// States of 150 points on [0, 10].
    fn data(&self, noise: f64, seed: u64) -> Result<DataSet<f64>> {
        let sampling = Sampling { t_end: 10.0, points: 150, ..Sampling::spring() };
        let data = sampling.sample_from(&self.field(), arr2(&[self.starts[0]]).view(), seed)?;
        let mut rng = ChaCha8Rng::seed_from_u64(1000 * seed + u64::from(self.id));
        let states = data.states().mapv(|x| {
            let deviation: f64 = StandardNormal.sample(&mut rng);
            x * (1.0 + noise * deviation)
        });
        let times = data.times().to_vec();
        Ok(DataSet::new([hnn_data::Trajectory::states_only(times, states)])?)
    }

    /// `R^2` of the formula, integrated from both starts, without noise.
    fn judge(&self, formula: &SparseHamiltonian) -> Result<[f64; 2]> {
        let times = Vec::from_iter((0..150).map(|k| 10.0 * f64::from(k) / 149.0));
        let starts = arr2(&self.starts);
        let truth = roll_out(&self.field(), starts.view(), &times, 1e-10)?.states;
        let model = roll_out(formula, starts.view(), &times, 1e-8)?.states;
        Ok([0, 1].map(|start| share_explained(&model, &truth, start)))
    }
}

/// `1 - |model - truth|^2 / |truth - mean|^2`, the mean over the coordinates.
fn share_explained(model: &Array3<f64>, truth: &Array3<f64>, start: usize) -> f64 {
    let shares = (0..2).map(|i| {
        let [model, truth] = [model, truth].map(|states| states.slice(s![start, .., i]));
        let variance = truth.var(0.0) * truth.len() as f64;
        let square = (&model - &truth).mapv(|e| e * e).sum();
        if square.is_finite() { 1.0 - square / variance } else { f64::NEG_INFINITY }
    });
    shares.sum::<f64>() / 2.0
}
