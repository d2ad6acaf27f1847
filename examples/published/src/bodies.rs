//! Bodies that attract each other: the tables of the HNN paper's repository.

use hnn_data::DataSet;
use hnn_examples::{Kind, Optimiser, Output, Recipe};
use hnn_integrators::VectorField;
use hnn_plots::{Figure, Motion, Panel, energy};
use hnn_sparse::{Ansatz, Argument, Expression, Library, Samples, Selection, SparseHamiltonian};
use hnn_systems::{Hamiltonian, NBody, Sampling};
use ndarray::{Array1, s};

use crate::{Judge, PublishedOptions, Result, Scores, timed, train};

/// `N` bodies in the plane, and how they are learned.
pub struct Bodies<const N: usize> {
    /// How the data are sampled.
    pub sampling: Sampling,
    /// Orbits to train on; the others are test orbits.
    pub training: usize,
    /// How networks are trained, where not by the paper's recipe; `None` if not at all.
    pub recipe: Option<Recipe>,
    /// Points that least squares and regression take, which need all of them at once, and fewer.
    pub points: usize,
    /// The names of the HNN and of the formula in `results.json`.
    pub names: [&'static str; 2],
}

/// Test orbits that models are rolled out along.
const ROLLOUTS: usize = 50;

impl<const N: usize> Bodies<N> {
    /// Trains and judges the models of one seed: networks, and where they are not those of the paper's
    /// recipe the formula.
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
        let judge = Judge::new(&system, [&training, &test], starts, times, 1e-9)?;
        let some = some(&system, &training, few(self.points))?;

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
            let (formula, seconds) = timed(|| Self::formula(&some))?;
            println!("{formula}");
            fields.push((self.names[1], "formula", Box::new(formula), seconds));
        }
        let mut motions = vec![judge.motion("truth", &system)?.truth()];
        let mut all = vec![];
        for (model, label, field, seconds) in fields {
            let metrics = judge.with_energy(&*field, &system)?;
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

/// The paper's: 200 and 200 units, tanh, Adam at 1e-3 on batches of 200 points, no decay.
fn protocol() -> Recipe {
    Recipe { steps: 10_000, batch: 200, weight_decay: 0.0, ..Recipe::protocol() }
}

/// About so many points, evenly out of all.
fn some(system: &dyn VectorField<f64>, data: &DataSet<f64>, count: usize) -> Result<DataSet<f64>> {
    let stride = (data.len() / count.max(1)).max(1);
    let states = data.states().slice(s![..;stride, ..]).to_owned();
    Ok(DataSet::of_states(system, 0.0, states)?)
}

/// The path of the first body, and the true energy along it.
fn draw(system: &dyn Hamiltonian<f64>, motions: &[Motion], output: &Output) -> Result<()> {
    let bodies = system.dim() / 4;
    let empty = Panel::new("the first body").x_label("x").y_label("y");
    let orbit = motions.iter().try_fold(empty, |panel, motion| -> Result<_> {
        Ok(panel.series(motion.path(0, bodies)?))
    })?;
    let energy = energy(motions, |x| system.energy_state(x).unwrap_or(f64::NAN))?;
    output.figure("orbit", &Figure::grid(2, vec![orbit, energy])?)?;
    Ok(())
}
