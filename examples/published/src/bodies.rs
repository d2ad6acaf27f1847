//! Bodies that attract each other: the tables of the HNN paper's repository.

use std::path::Path;

use hnn_data::DataSet;
use hnn_examples::{Bars, Judge, Kind, Optimiser, Output, Recipe};
use hnn_integrators::VectorField;
use hnn_losses::DerivativeLoss;
use hnn_models::{
    Initialisation, KineticEnergy, Mlp, PairEnergy, Persist, SeparableHnn, Separation,
};
use hnn_plots::{Figure, Motion, Panel, energy};
use hnn_sparse::{Ansatz, Argument, Expression, Library, Samples, Selection, SparseHamiltonian};
use hnn_systems::{Hamiltonian, NBody, Sampling};
use ndarray::{Array1, Axis, s};

use crate::{PublishedOptions, Result, Scores, energy_error, losses, timed, train};

/// `N` bodies in the plane, and how they are learned.
pub struct Bodies<const N: usize> {
    /// How the data are sampled.
    pub sampling: Sampling,
    /// Orbits to train on; the others are test orbits.
    pub training: usize,
    /// How networks of the whole state are trained, where not by the paper's recipe; `None` if not at all.
    pub recipe: Option<Recipe>,
    /// How the network that all pairs share is trained, where not by the paper's recipe.
    pub pairs: Recipe,
    /// Points that least squares and regression take, which need all of them at once, and fewer.
    pub points: usize,
    /// The names of the HNN of the whole state and of that of pairs in `results.json`.
    pub names: [&'static str; 2],
}

/// Test orbits that models are rolled out along.
const ROLLOUTS: usize = 50;

impl<const N: usize> Bodies<N> {
    /// Trains and judges the models of one seed: networks of the whole state; and where they are not those of the
    /// paper's recipe, the network of pairs and the formula.
    ///
    /// # Errors
    /// If training fails, or a file cannot be written.
    pub fn trial(
        &self,
        options: &PublishedOptions,
        seed: u64,
        output: &Output,
    ) -> Result<Vec<Scores>> {
        let system = NBody::<N>::default();
        let few = |count: usize| if options.quick { count / 20 } else { count };
        let trajectories = few(self.sampling.trajectories);
        let sampling = Sampling { trajectories, ..self.sampling.clone() };
        let (training, test) = sampling.sample(&system, seed)?.split_at(few(self.training))?;
        let starts = test.starts();
        let starts = starts.slice(s![..starts.nrows().min(few(ROLLOUTS).max(5)), ..]).to_owned();
        let times = Array1::linspace(sampling.t_start, sampling.t_end, 101).to_vec();
        let judge = Judge::new(&system, starts, times, 1e-9)?;
        let points = few(self.points);
        let some = chosen(&system, &training, &evenly(training.len(), points))?;

        let mut fields = vec![];
        let recipe = if options.protocol { Some(protocol()) } else { self.recipe.clone() };
        if let Some(recipe) = recipe {
            let recipe = if options.quick { recipe.quick(20) } else { recipe };
            let data = if recipe.optimiser == Optimiser::Adam { &training } else { &some };
            for (kind, name) in [(Kind::Hnn, self.names[0]), (Kind::Baseline, "baseline")] {
                let path = output.path(&format!("{}_{seed}.safetensors", kind.key()));
                let (field, seconds) = train(kind, &recipe, seed, data, &path)?;
                fields.push((name, kind.label(), field, seconds));
            }
        }
        if !options.protocol {
            let recipe = self.pairs.clone();
            let recipe = if options.quick { recipe.quick(20) } else { recipe };
            let path = output.path(&format!("pairs_{seed}.safetensors"));
            // Half of the points are those of the closest encounters, whose forces outweigh all others.
            let mut rows = evenly(training.len(), points / 2);
            rows.extend(closest(&training, points / 2));
            let near = chosen(&system, &training, &rows)?;
            let (field, seconds) = pair_network::<N>(&recipe, seed, &near, &path)?;
            fields.push((self.names[1], "HNN of pairs", field, seconds));
            let (formula, seconds) = timed(|| Self::formula(&some))?;
            println!("{formula}");
            fields.push(("formula", "formula", Box::new(formula), seconds));
        }
        let mut motions = vec![judge.motion("truth", &system)?.truth()];
        let mut all = vec![];
        for (model, label, field, seconds) in fields {
            let mut metrics = losses(&*field, [&training, &test])?.to_vec();
            metrics.push(energy_error(&judge, &*field, &system)?);
            all.push(Scores { model, label: label.to_owned(), metrics, seconds });
            motions.push(judge.motion(label, &*field)?);
        }
        if seed == options.first_seed {
            draw(&system, &motions, output)?;
        }
        Ok(all)
    }

    /// Squares of the momenta, and powers of the distance of each pair.
    fn formula(train: &DataSet<f64>) -> Result<SparseHamiltonian> {
        let pairs = (0..N).flat_map(|i| (i + 1..N).map(move |j| (i, j)));
        let apart = |i, j| vec![Argument::Difference(i, j), Argument::Difference(N + i, N + j)];
        let distances = Vec::from_iter(pairs.map(|(i, j)| apart(i, j)));
        let powers = Library::radial(2 * N, &distances, &[-3, -2, -1, 1, 2], true)?;
        let momenta = (2 * N..4 * N).map(|i| Expression::coordinate(i).powi(2));
        let library = Library::from_features(2 * N, momenta)?.union(&powers)?;
        let equations = Samples::try_from(train)?.equations(&Ansatz::new(&library)?)?;
        Ok(Selection::default().run(&equations)?.into_model())
    }
}

/// Trains an HNN whose potential is a network of the logarithm of the distance, the same for all pairs of `N` bodies in the plane, and
/// saves it at `path`; all bodies have the same mass, which is learned. With it come the seconds that it took.
fn pair_network<const N: usize>(
    recipe: &Recipe,
    seed: u64,
    data: &DataSet<f64>,
    path: &Path,
) -> Result<(Box<dyn VectorField<f64>>, f64)> {
    let bars = Bars::new(recipe.steps);
    let trained = timed(|| {
        let network = Mlp::new(recipe.architecture(1, 1)?, Initialisation::Orthogonal, seed);
        let pairs = PairEnergy::new(network, Separation::Logarithm, 2, N)?
            .scaled(data.states(), data.derivatives())?;
        let kinetic = KineticEnergy::new(&[START_MASS], 2 * N)?.with_learned_masses();
        let mut model = SeparableHnn::new(kinetic, pairs)?;
        let mut loss = DerivativeLoss::new(data.times().into(), data.states(), data.derivatives())?;
        let solver = recipe.solver(recipe.steps, path.with_extension("checkpoint"))?;
        solver.fit(&mut model, &mut loss, None, &mut bars.observer("HNN of pairs"))?;
        model.save(path)?;
        let field: Box<dyn VectorField<f64>> = Box::new(model);
        Ok(field)
    });
    bars.finish();
    trained
}

/// The mass that a pair network begins with.
const START_MASS: f64 = 2.0;

/// The paper's: 200 and 200 units, tanh, Adam at 1e-3 on batches of 200 points, no decay.
fn protocol() -> Recipe {
    Recipe { steps: 10_000, batch: 200, weight_decay: 0.0, ..Recipe::protocol() }
}

/// About so many rows, evenly out of all.
fn evenly(rows: usize, count: usize) -> Vec<usize> {
    (0..rows).step_by((rows / count.max(1)).max(1)).collect()
}

/// So many rows, those in which two bodies are closest to each other.
fn closest(data: &DataSet<f64>, count: usize) -> Vec<usize> {
    let bodies = data.dim() / 4;
    let states = data.states();
    let distance = |row: &usize| {
        let x = states.row(*row);
        let apart = |i: usize, j: usize| (x[i] - x[j]).hypot(x[bodies + i] - x[bodies + j]);
        let pairs = (0..bodies).flat_map(|i| (i + 1..bodies).map(move |j| (i, j)));
        pairs.map(|(i, j)| apart(i, j)).fold(f64::INFINITY, f64::min)
    };
    let mut rows = Vec::from_iter(0..data.len());
    rows.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    rows.truncate(count);
    rows
}

/// Some of the points.
fn chosen(
    system: &dyn VectorField<f64>,
    data: &DataSet<f64>,
    rows: &[usize],
) -> Result<DataSet<f64>> {
    Ok(DataSet::from_states(system, 0.0, data.states().select(Axis(0), rows))?)
}

/// The path of the first body, and the true energy along it.
fn draw(system: &dyn Hamiltonian<f64>, motions: &[Motion], output: &Output) -> Result<()> {
    let bodies = system.dim() / 4;
    let empty = Panel::new("the first body").with_x_label("x").with_y_label("y");
    let orbit = motions.iter().try_fold(empty, |panel, motion| -> Result<_> {
        Ok(panel.series(motion.path(0, bodies)?))
    })?;
    let energy = energy(motions, |x| system.energy_state(x).unwrap_or(f64::NAN))?;
    output.figure("orbit", &Figure::grid(2, vec![orbit, energy])?)?;
    Ok(())
}
