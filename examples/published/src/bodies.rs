//! Bodies that attract each other: the tables of the HNN paper's repository.

use hnn_data::DataSet;
use hnn_examples::{Bars, Kind, Learned, LossKind, Objective, Optimiser, Output, Recipe, learn};
use hnn_integrators::VectorField;
use hnn_plots::{Figure, Motion, Panel, energy};
use hnn_sparse::{Ansatz, Argument, Expression, Library, Samples, Selection, SparseHamiltonian};
use hnn_systems::{Hamiltonian, NBody, Sampling};
use ndarray::{Array1, Axis, s};

use crate::{Judge, PublishedOptions, Result, Scores, timed};

/// `N` bodies in the plane, and how they are learned.
pub struct Bodies<const N: usize> {
    /// How the data are sampled.
    pub sampling: Sampling,
    /// Orbits to train on; the others are test orbits.
    pub training: usize,
    /// The networks' recipe, where they are not the protocol's.
    pub recipe: Recipe,
    /// Points that least squares take: they need all of them at once, and fewer of them.
    pub points: usize,
}

/// Test orbits that models are rolled out along.
const ROLLOUTS: usize = 50;

impl<const N: usize> Bodies<N> {
    /// Trains and judges the models of one seed.
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
        let sampling =
            Sampling { trajectories: few(self.sampling.trajectories), ..self.sampling.clone() };
        let (train, test) = sampling.sample(&system, seed)?.split_at(few(self.training))?;
        let starts = test.starts();
        let starts = starts.slice(s![..starts.nrows().min(few(ROLLOUTS).max(5)), ..]).to_owned();
        let times = Array1::linspace(sampling.t_start, sampling.t_end, 101).to_vec();
        let judge = Judge::new(&system, [&train, &test], starts, times, 1e-9)?;
        let mut recipe = if options.protocol { protocol() } else { self.recipe.clone() };
        if options.quick {
            recipe = recipe.quick(20);
        }
        let chosen = match recipe.optimiser {
            Optimiser::LeastSquares => &some(&system, &train, few(self.points))?,
            Optimiser::Adam => &train,
        };
        let mut motions = vec![self.motion("truth", &judge, &system)?.truth()];
        let mut all = vec![];
        for (kind, model, label) in
            [(Kind::Hnn, "hnn", "HNN"), (Kind::Baseline, "baseline", "baseline")]
        {
            let path = output.path(&format!("{model}_{seed}.safetensors"));
            let bars = Bars::new(recipe.steps);
            let (field, seconds) = timed(|| {
                let (objective, mut observer) =
                    (Objective::new(LossKind::Derivative), bars.observer(label));
                learn(kind, &recipe, objective, seed, chosen, &path, &mut observer)?;
                Ok(Learned::load(kind, &path)?.into_field())
            })?;
            bars.finish();
            let metrics = judge.with_energy(&*field, &system)?;
            all.push(Scores { model, label: label.to_owned(), metrics, seconds });
            motions.push(self.motion(label, &judge, &*field)?);
        }
        if !options.protocol {
            let (formula, seconds) =
                timed(|| Self::formula(&some(&system, &train, few(self.points))?))?;
            println!("{formula}");
            let metrics = judge.with_energy(&formula, &system)?;
            all.push(Scores { model: "formula", label: "formula".to_owned(), metrics, seconds });
            motions.push(self.motion("formula", &judge, &formula)?);
        }
        if seed == options.first_seed {
            draw(&system, &motions, output)?;
        }
        Ok(all)
    }

    /// Squares of the momenta, and powers of the distance of each pair.
    fn formula(train: &DataSet<f64>) -> Result<SparseHamiltonian> {
        let pairs = (0..N).flat_map(|i| (i + 1..N).map(move |j| (i, j)));
        let distances =
            Vec::from_iter(pairs.map(|(i, j)| {
                vec![Argument::Difference(i, j), Argument::Difference(N + i, N + j)]
            }));
        let momenta = (2 * N..4 * N).map(|i| Expression::coordinate(i).powi(2));
        let library = Library::from_features(2 * N, momenta)?.union(&Library::radial(
            2 * N,
            &distances,
            &[-3, -2, -1, 1, 2],
            true,
        )?)?;
        let equations = Samples::try_from(train)?.equations(&Ansatz::new(&library)?)?;
        Ok(Selection::default().run(&equations)?.into_model())
    }

    /// The first test orbit.
    fn motion(
        &self,
        label: &str,
        judge: &Judge<'_>,
        field: &dyn VectorField<f64>,
    ) -> Result<Motion> {
        let states = judge.roll_out(field)?.states;
        let states = states.slice(s![0, .., ..]);
        // A rollout that left all bounds is drawn as far as it went.
        let rows = states.axis_iter(Axis(0)).take_while(|row| row.iter().all(|x| x.is_finite()));
        let rows = rows.count().max(1);
        Ok(Motion::new(label, &judge.times[..rows], states.slice(s![..rows, ..]))?)
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
