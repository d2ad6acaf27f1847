//! LASSO and selection: the formulas of the spring, the pendulum and Henon-Heiles out of noisy
//! data, and why the LASSO alone is not enough.
//!
//! `cargo run --release --example lasso`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use chacha20::ChaCha8Rng;
use clap::Parser;
use hnn_examples::{Output, Row, Sweep, Table, exit, roll_out, scientific, seed_range};
use hnn_plots::{Figure, Motion, Panel, Series, regularisation_path, squared_error};
use hnn_sparse::{
    Ansatz, CrossValidation, Equations, Expression, Folds, Gram, Lasso, LassoSolution, Library,
    Samples, Selection, SparseFit, SparseHamiltonian,
};
use hnn_systems::{Hamiltonian, Pendulum, Spring};
use ndarray::{Array1, Array2, Axis, array, s};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use serde::Serialize;

/// Errors of the libraries and of the examples alike.
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Formulas out of noisy derivatives: spring, pendulum, Henon-Heiles.
#[derive(Debug, Parser, Serialize)]
struct Options {
    /// Number of seeds (data and noise).
    #[arg(long, default_value_t = 10)]
    seeds: u64,
    /// Number of states of each data set.
    #[arg(long, default_value_t = 500)]
    points: usize,
    /// Noise of the derivatives, relative to the standard deviation of each.
    #[arg(long, default_value_t = 0.05)]
    noise: f64,
    /// Output folder [default: target/examples/lasso].
    #[arg(long)]
    out: Option<PathBuf>,
    /// The data sets in several jobs.
    #[command(flatten)]
    #[serde(skip)]
    sweep: Sweep,
    /// A short run that shows that everything works.
    #[arg(long)]
    quick: bool,
}

/// A true system, and where its formula is looked for.
struct Case {
    name: &'static str,
    truth: Box<dyn Hamiltonian<f64>>,
    library: Library,
    /// The terms of the true formula.
    terms: Vec<(&'static str, f64)>,
    /// Half the width of the box of the states.
    half_width: f64,
    start: Array2<f64>,
}

/// The methods.
const METHODS: [&str; 3] = ["lasso, cross-validated", "lasso, 1-SE rule", "selection, EBIC(2)"];
/// How good the formula of a method is.
const METRICS: [&str; 3] = ["exact_support", "terms", "coefficient_error"];

/// Each metric of each method on one data set.
type Scores = [[f64; METRICS.len()]; METHODS.len()];

/// The formulas that one data set gives.
struct Formulas {
    path: Vec<LassoSolution>,
    cross_validated: LassoSolution,
    one_std_error: LassoSolution,
    found: SparseFit,
    scales: Array1<f64>,
    ansatz: Ansatz,
}

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(mut options: Options) -> Result<()> {
    if options.quick {
        (options.seeds, options.points) = (options.seeds.min(2), options.points.min(200));
    }
    let seeds = seed_range(0, options.seeds)?;
    let begin = Instant::now();
    let output = Output::new("lasso", options.out.as_deref())?;
    let cases = cases()?;
    let of_case = |case| seeds.clone().map(move |seed| (case, seed));
    let settings = Vec::from_iter(cases.iter().flat_map(of_case));
    let scores = options.sweep.run(&output, &options, &settings, |share| -> Result<_> {
        share.iter().map(|(case, seed)| Ok(case.score(&case.identify(&options, *seed)?))).collect()
    })?;
    let Some(scores) = scores else { return Ok(()) };
    let mut rows = vec![];
    let mut printed = Table::new(&["system and method", "exact", "terms", "worst coefficient"]);
    for (case, scores) in cases.iter().zip(scores.chunks(options.seeds as usize)) {
        let first = case.identify(&options, 0)?;
        println!("\n{} ({} features):\n{}", case.name, case.library.len(), first.found);
        case.tabulate(scores, &mut rows, &mut printed)?;
        case.draw(&first, &output)?;
    }
    println!("\n{printed}");
    Ok(output.results(&options, begin.elapsed().as_secs_f64(), &rows)?)
}

fn cases() -> Result<Vec<Case>> {
    let polynomials = Library::monomials(1, 1..=4)?;
    let sines = Library::trigonometric(1, &[1.0, 2.0], 1)?;
    Ok(vec![
        Case {
            name: "spring",
            truth: Box::new(Spring::default()),
            library: polynomials.clone(),
            terms: vec![("q^2", 1.0), ("p^2", 1.0)],
            half_width: 1.0,
            start: array![[0.8, 0.0]],
        },
        Case {
            name: "pendulum",
            truth: Box::new(Pendulum::default()),
            library: polynomials.union(&sines)?,
            terms: vec![("p^2", 1.0), ("cos(q)", -3.0)],
            half_width: 2.0,
            start: array![[1.5, 0.0]],
        },
        henon_heiles()?,
    ])
}

/// H = (p1^2 + p2^2 + q1^2 + q2^2) / 2 + q1^2 q2 - q2^3 / 3 (Henon and Heiles 1964).
fn henon_heiles() -> Result<Case> {
    let x = Expression::coordinate;
    let terms = vec![
        ("q1^2", 0.5),
        ("q2^2", 0.5),
        ("p1^2", 0.5),
        ("p2^2", 0.5),
        ("q1^2 q2", 1.0),
        ("q2^3", -1.0 / 3.0),
    ];
    let squares = [x(0), x(1), x(2), x(3)].map(|x| x.powi(2));
    let features = squares.into_iter().chain([x(0).powi(2) * x(1), x(1).powi(3)]);
    let ansatz = Ansatz::new(&Library::from_features(2, features)?)?;
    let coefficients: Vec<f64> = terms.iter().map(|(_, c)| *c).collect();
    Ok(Case {
        name: "henon_heiles",
        truth: Box::new(SparseHamiltonian::from_coefficients(&ansatz, &coefficients)?),
        library: Library::monomials(2, 1..=4)?,
        terms,
        half_width: 1.0,
        start: array![[0.1, 0.2, 0.3, -0.1]],
    })
}

impl Case {
    fn equations(&self, options: &Options, seed: u64) -> Result<Equations> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shape = (options.points, self.library.dim());
        let half = self.half_width;
        let states = Array2::from_shape_simple_fn(shape, || rng.random_range(-half..half));
        let mut dx = self.truth.eval_rows(0.0, states.view())?;
        let deviations = dx.std_axis(Axis(0), 0.0);
        for mut row in dx.rows_mut() {
            for (value, deviation) in row.iter_mut().zip(&deviations) {
                let noise: f64 = StandardNormal.sample(&mut rng);
                *value += options.noise * deviation * noise;
            }
        }
        Ok(Samples::new(states, dx)?.equations(&Ansatz::new(&self.library)?)?)
    }

    fn identify(&self, options: &Options, seed: u64) -> Result<Formulas> {
        let equations = self.equations(options, seed)?;
        let gram = Gram::from_equations(&equations)?;
        let folds = Folds::ByPoint { count: 5 };
        let validation = CrossValidation::run(&equations, &Lasso::default(), folds, 100, 1e-4)?;
        Ok(Formulas {
            cross_validated: validation.best().clone(),
            one_std_error: validation.one_std_error().clone(),
            path: validation.path,
            found: Selection::default().run(&equations)?,
            scales: gram.column_scales(),
            ansatz: equations.ansatz().clone(),
        })
    }

    /// The true coefficients, one a column.
    fn truth_of(&self, ansatz: &Ansatz) -> Vec<f64> {
        let known = |name: &String| self.terms.iter().find(|(term, _)| term == name);
        ansatz.names().iter().map(|name| known(name).map_or(0.0, |(_, c)| *c)).collect()
    }

    fn score(&self, formulas: &Formulas) -> Scores {
        let truth = self.truth_of(&formulas.ansatz);
        let cross_validated = formulas.cross_validated.coefficients.clone();
        let one_std_error = formulas.one_std_error.coefficients.clone();
        [cross_validated, one_std_error, selected(formulas)].map(|w| {
            let exact = truth.iter().zip(&w).all(|(a, b)| (*a == 0.0) == (*b == 0.0));
            let terms = w.iter().filter(|w| **w != 0.0).count();
            let errors = truth.iter().zip(&w).map(|(a, b)| (a - b).abs());
            [f64::from(u8::from(exact)), terms as f64, errors.fold(0.0, f64::max)]
        })
    }

    fn tabulate(&self, scores: &[Scores], rows: &mut Vec<Row>, printed: &mut Table) -> Result<()> {
        for (method, name) in METHODS.iter().enumerate() {
            let model = format!("{}, {name}", self.name);
            let mut cells = vec![model.clone()];
            for (metric, name) in METRICS.iter().enumerate() {
                let values = Vec::from_iter(scores.iter().map(|score| score[method][metric]));
                let row = Row::of(&model, name, &values)?;
                cells.push(scientific(row.mean));
                rows.push(row);
            }
            printed.row(cells);
        }
        Ok(())
    }

    /// The path with the terms found, and rollouts of the formulas against the truth.
    fn draw(&self, formulas: &Formulas, output: &Output) -> Result<()> {
        let figure =
            Figure::grid(2, vec![self.path_panel(formulas)?, self.rollout_panel(formulas)?])?;
        let title = format!("{}: {}", self.name, formulas.found.model());
        Ok(output.figure(self.name, &figure.with_title(title))?)
    }

    fn path_panel(&self, formulas: &Formulas) -> Result<Panel> {
        let lambdas: Vec<f64> = formulas.path.iter().map(|solution| solution.lambda).collect();
        let found: Vec<usize> = formulas.found.terms.iter().map(|term| term.column).collect();
        let size =
            |solution: &LassoSolution, j: usize| solution.coefficients[j] * formulas.scales[j];
        let mut series = vec![];
        for term in &formulas.found.terms {
            let values: Vec<f64> = formulas.path.iter().map(|s| size(s, term.column)).collect();
            series.push(Series::new(term.name.as_str(), lambdas.as_slice(), values)?);
        }
        let largest_other = |solution: &LassoSolution| {
            let others = (0..formulas.scales.len()).filter(|j| !found.contains(j));
            others.map(|j| size(solution, j).abs()).fold(0.0, f64::max)
        };
        let others: Vec<f64> = formulas.path.iter().map(largest_other).collect();
        series.push(Series::new("largest other", lambdas.as_slice(), others)?.truth());
        let chosen = [
            ("cross-validated", formulas.cross_validated.lambda),
            ("1-SE rule", formulas.one_std_error.lambda),
        ];
        let terms = formulas.path.iter().step_by(20);
        let terms: Vec<_> = terms.map(|s| (s.lambda, s.support().len())).collect();
        Ok(regularisation_path("coefficient × column size", series, &chosen, &terms))
    }

    fn rollout_panel(&self, formulas: &Formulas) -> Result<Panel> {
        let times = Array1::linspace(0.0, 20.0, 201).to_vec();
        let plain = &formulas.one_std_error.coefficients;
        let plain = SparseHamiltonian::from_coefficients(&formulas.ansatz, plain)?;
        let motion =
            |label: &str, field: &dyn hnn_integrators::VectorField<f64>| -> Result<Motion> {
                let states = roll_out(field, self.start.view(), &times, 1e-10)?.states;
                Ok(Motion::new(label, times.as_slice(), states.slice(s![0, .., ..]))?)
            };
        let truth = motion("truth", &*self.truth)?.truth();
        let motions =
            [motion("LASSO, 1-SE rule", &plain)?, motion("selection", formulas.found.model())?];
        Ok(squared_error(&truth, &motions)?)
    }
}

/// The selected coefficients, one a column.
fn selected(formulas: &Formulas) -> Vec<f64> {
    let mut w = vec![0.0; formulas.scales.len()];
    formulas.found.terms.iter().for_each(|term| w[term.column] = term.coefficient);
    w
}
