//! Table of DeLaN (Lutter, Ritter and Peters 2019): the torques of a two-joint arm that writes
//! characters, and their inertial, Coriolis and gravity parts, which no model is shown.
//!
//! `cargo run --release --example delan`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hnn_data::{DataSet, Recording};
use hnn_examples::{Bars, Output, exit};
use hnn_integrators::{At, VectorField, Workspace, coordinate_major, rows};
use hnn_losses::TorqueLoss;
use hnn_models::{
    Activation, Angles, Architecture, Initialisation, InputPort, Lnn, MechanicalLagrangian, Mlp,
};
use hnn_plots::{Panel, Series};
use hnn_published_examples::{Figure, PublishedOptions, Result, Scores, timed};
use hnn_sparse::{Expression, InverseDynamics, Library, Samples, Selection, SparseLagrangian};
use hnn_train::{LeastSquares, MiniBatch, Trainer};
use ndarray::{Array2, Array3, ArrayView2, s};
use serde::Serialize;

/// DeLaN's characters: a Lagrangian network, and the formula.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: PublishedOptions,
}

const METRICS: [&str; 4] = ["torque_mse", "inertial_mse", "coriolis_mse", "gravity_mse"];
/// The characters that are kept for the test.
const TEST: [&str; 3] = ["e", "q", "v"];

type Model = Lnn<MechanicalLagrangian<Angles<Mlp<f64>>, Angles<Mlp<f64>>>, InputPort>;

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let published = Figure::row("DeLaN", METRICS, [4.327e-4, 7.338e-4, 2.227e-4, 7.338e-4]);
    let published =
        published.chain([Figure { model: "DeLaN", metric: "microseconds", value: 659.0 }]);
    let published = Vec::from_iter(published);
    let arm = Arm::read(&options.shared)?;
    options
        .shared
        .run("delan", options, &published, |seed, output| arm.trial(&options.shared, seed, output))
}

/// The rows to train on, and those to test with; of these also the parts of the torque.
struct Arm {
    train: DataSet<f64>,
    test: DataSet<f64>,
    parts: [Array2<f64>; 3],
}

impl Arm {
    fn read(options: &PublishedOptions) -> Result<Self> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/data/two_joint_characters.csv");
        let reader = Recording::read(file).trial("character").time("t").angle("q1").angle("q2");
        let reader = reader.velocity("v1").velocity("v2").derivative("a1").derivative("a2");
        let inputs = ["tau", "inertial", "coriolis", "gravity"];
        let names = inputs.iter().flat_map(|name| [format!("{name}1"), format!("{name}2")]);
        let recording = names.fold(reader, |reader, name| reader.input(&*name)).load()?;
        let (test, train): (Vec<usize>, Vec<usize>) = (0..recording.trials().len())
            .partition(|trial| TEST.contains(&recording.trials()[*trial].as_str()));
        let [train, test] = [train, test].map(|trials| recording.select(&trials));
        let (train, test) = (train?.data_set()?, test?.data_set()?);
        let columns = |data: &DataSet<f64>, part: usize| {
            data.inputs().slice(s![.., 2 * part..2 * part + 2]).to_owned()
        };
        let parts = [1, 2, 3].map(|part| columns(&test, part));
        let torques = [&train, &test].map(|data| columns(data, 0));
        let [of_train, of_test] = torques;
        let train = if options.quick { train.select(&[0, 1, 2])? } else { train };
        let of_train = of_train.slice(s![..train.len(), ..]).to_owned();
        Ok(Self { train: train.with_inputs(of_train)?, test: test.with_inputs(of_test)?, parts })
    }

    fn trial(&self, options: &PublishedOptions, seed: u64, output: &Output) -> Result<Vec<Scores>> {
        let (network, seconds) = timed(|| self.network(options, seed))?;
        let masses = |x: ArrayView2<'_, f64>| Ok(network.mass_matrices(x)?);
        let network = Inverse { field: &network, masses: &masses };
        if seed == options.first_seed {
            self.draw(&network, output)?;
        }
        let mut all = vec![self.score("hnn", "LNN", seconds, &network)?];
        if !options.protocol {
            let (formula, seconds) = timed(|| self.formula())?;
            println!("{formula}");
            let entries = [[0, 0], [0, 1], [1, 0], [1, 1]].map(|[i, k]| formula.mass(i, k));
            let masses = |x: ArrayView2<'_, f64>| {
                Ok(Array3::from_shape_fn((x.nrows(), 2, 2), |(row, i, k)| {
                    entries[2 * i + k].value(&[x[[row, 0]], x[[row, 1]], 0.0, 0.0])
                }))
            };
            let formula = Inverse { field: &formula, masses: &masses };
            all.push(self.score("formula", "formula", seconds, &formula)?);
        }
        Ok(all)
    }

    /// `L = v^T M(q) v / 2 - V(q)`, by the torques alone.
    fn network(&self, options: &PublishedOptions, seed: u64) -> Result<Model> {
        let hidden: &[usize] = if options.protocol { &[64, 64] } else { &[16] };
        let activation = if options.protocol { Activation::Softplus } else { Activation::Tanh };
        let network = |outputs, seed| -> Result<_> {
            let architecture = Architecture::new(&[&[4], hidden, &[outputs]].concat())?;
            let architecture = architecture.with_activation(activation);
            let network = Mlp::new(architecture, Initialisation::Orthogonal, seed);
            Ok(Angles::new::<f64>(network, &[true, true])?)
        };
        let lagrangian = MechanicalLagrangian::new(network(3, 1000 + seed)?, network(1, seed)?)?;
        let mut model = Lnn::forced(lagrangian, InputPort::new(2))?;
        let mut loss = TorqueLoss::from_data(&self.train)?;
        if options.protocol {
            let steps = if options.quick { 20 } else { 5000 };
            let bars = Bars::new(steps);
            Trainer::new(steps)
                .with_minibatch(MiniBatch::points(self.train.len(), 512, seed)?)
                .fit(&mut model, &mut loss, None, &mut bars.observer("LNN"))?;
            bars.finish();
        } else {
            let steps = if options.quick { 20 } else { 300 };
            let bars = Bars::new(steps);
            let solver = LeastSquares::new(steps);
            solver.fit(&mut model, &mut loss, None, &mut bars.observer("LNN"))?;
            bars.finish();
        }
        Ok(model)
    }

    /// Products of velocities, with and without cosines of the elbow, and the joints' heights.
    fn formula(&self) -> Result<SparseLagrangian> {
        let (v1, v2) = (Expression::coordinate(2), Expression::coordinate(3));
        let (sin, cos) = (|i| Expression::sin(1.0, i), |i| Expression::cos(1.0, i));
        let kinetic = [0.5 * v1.powi(2), v1 * v2.clone(), 0.5 * v2.powi(2)];
        let bent = kinetic.clone().map(|term| term * Expression::cos(1.0, 1));
        let heights = [sin(0), sin(0) * cos(1) + cos(0) * sin(1)];
        let features = kinetic.into_iter().chain(bent).chain(heights);
        let lagrangian =
            Library::from_features(2, features)?.with_coordinate_names(["q1", "q2", "v1", "v2"])?;
        let equations =
            Samples::try_from(&self.train)?.equations(&InverseDynamics::new(&lagrangian)?)?;
        Ok(Selection::default().run(&equations)?.into_model())
    }

    /// Squared errors summed over both joints, the mean over the test rows.
    fn score(
        &self,
        model: &'static str,
        label: &str,
        seconds: f64,
        inverse: &Inverse<'_>,
    ) -> Result<Scores> {
        let (x, a) = (self.test.states(), self.test.derivatives());
        let error = |found: &Array2<f64>, right: ArrayView2<'_, f64>| {
            (found - &right).mapv(|e| e * e).sum() / right.nrows() as f64
        };
        let begin = Instant::now();
        let torques = inverse.torques(x, a.slice(s![.., 2..]))?;
        let microseconds = 1e6 * begin.elapsed().as_secs_f64() / x.nrows() as f64;
        let parts = inverse.parts(x, a.slice(s![.., 2..]))?;
        let errors = parts.iter().zip(&self.parts).map(|(found, right)| error(found, right.view()));
        let errors = [error(&torques, self.test.inputs())].into_iter().chain(errors);
        let metrics = METRICS.into_iter().zip(errors).chain([("microseconds", microseconds)]);
        Ok(Scores { model, label: label.to_owned(), metrics: metrics.collect(), seconds })
    }

    /// The torque of the first joint over the rows of the test, and its parts.
    fn draw(&self, inverse: &Inverse<'_>, output: &Output) -> Result<()> {
        let (x, a) = (self.test.states(), self.test.derivatives());
        let a = a.slice(s![.., 2..]);
        let found = [inverse.torques(x, a)?].into_iter().chain(inverse.parts(x, a)?);
        let right = [self.test.inputs().to_owned()].into_iter().chain(self.parts.clone());
        let names = ["torque", "inertial part", "Coriolis part", "gravity part"];
        let panels = names.into_iter().zip(found.zip(right)).map(|(name, (found, right))| {
            let over_rows = |label: &str, torque: &Array2<f64>| {
                let rows = (0..torque.nrows()).map(|row| row as f64);
                Series::new(label, rows, torque.column(0).iter().copied())
            };
            let panel = Panel::new(name).with_x_label("test row").with_y_label("first joint");
            let panel = panel.series(over_rows("truth", &right)?.truth());
            Ok(panel.series(over_rows("LNN", &found)?))
        });
        let panels = panels.collect::<Result<Vec<_>>>()?;
        output.figure("parts", &hnn_plots::Figure::grid(2, panels)?)?;
        Ok(())
    }
}

/// Mass matrices of states, shape (B, 2, 2).
type Masses<'a> = dyn Fn(ArrayView2<'_, f64>) -> Result<Array3<f64>> + 'a;

/// What torques a motion needs: `M (a - a_0)`, where `a_0` are the accelerations without torques.
struct Inverse<'a> {
    field: &'a dyn VectorField<f64>,
    masses: &'a Masses<'a>,
}

impl Inverse<'_> {
    fn torques(&self, x: ArrayView2<'_, f64>, a: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
        let (count, times) = (x.nrows(), vec![0.0; x.nrows()]);
        let (u, mut slopes) = (vec![0.0; 2 * count], vec![0.0; 4 * count]);
        let at = At { t: &times, u: &u };
        self.field.eval(at, &coordinate_major(x), &mut slopes, &mut Workspace::default())?;
        let free = rows(&slopes, count, 4);
        let excess = &a - &free.slice(s![.., 2..]);
        let masses = (self.masses)(x)?;
        Ok(Array2::from_shape_fn((count, 2), |(row, i)| {
            (0..2).map(|k| masses[[row, i, k]] * excess[[row, k]]).sum()
        }))
    }

    /// The parts: of the acceleration, of the velocities, and at rest.
    fn parts(&self, x: ArrayView2<'_, f64>, a: ArrayView2<'_, f64>) -> Result<[Array2<f64>; 3]> {
        let mut rest = x.to_owned();
        rest.slice_mut(s![.., 2..]).fill(0.0);
        let still = Array2::zeros(a.dim());
        let gravity = self.torques(rest.view(), still.view())?;
        let moving = self.torques(x, still.view())?;
        Ok([self.torques(x, a)? - &moving, moving - &gravity, gravity])
    }
}
