//! A system, its data, and the test starts.

use hnn_data::DataSet;
use hnn_integrators::VectorField;
use hnn_systems::{Hamiltonian, Pendulum, Sampling, Spring, Starts};
use ndarray::{Array1, Axis, concatenate};

use super::OscillatorOptions;
use hnn_examples::{ExampleError, Judge, Recipe, Result, Rollouts};

/// Number of test starts of each law.
const STARTS: usize = 15;

/// Number of trajectories to train on, and to validate with.
const SPLIT: usize = 25;

/// Number of times at which a drawn curve is sampled: enough for it to look smooth.
const DRAWN: usize = 1001;

/// A system, how its data are sampled, and what models of it are judged by: rollouts on
/// t in [0, 20] at 100 times, from 15 *ring* and 15 *grey* starts.
pub struct Setting {
    /// What the system is called.
    pub name: &'static str,
    /// The true system.
    pub system: Box<dyn Hamiltonian<f64>>,
    pub(super) sampling: Sampling,
    judge: Judge,
    /// The curves that are drawn, from the *ring* starts.
    pub(super) curves: Judge,
    /// The *ring* start whose trajectory is drawn: the one of median energy.
    pub(super) drawn: usize,
    /// Least squares for noisy states of it.
    pub(super) noisy: Recipe,
    /// Number of trajectories to train on.
    training: usize,
}

/// The errors of one model: coordinate MSE and energy MSE.
#[derive(Debug, Clone, Copy)]
pub(super) struct Errors {
    pub(super) ring: (f64, f64),
    /// Median over the starts of each one's coordinate MSE: one start near the separatrix does not
    /// outweigh the others.
    pub(super) ring_median: f64,
    pub(super) grey: (f64, f64),
}

impl Setting {
    /// The spring `H = q^2 + p^2`.
    ///
    /// # Errors
    /// If the truth cannot be computed.
    pub fn spring(options: &OscillatorOptions) -> Result<Self> {
        let (system, noisy) = (Box::new(Spring::default()), Recipe::noisy_least_squares());
        Self::new("spring", system, Sampling::spring(), noisy, options)
    }

    /// The pendulum `H = 3 (1 - cos q) + p^2`.
    ///
    /// # Errors
    /// If the truth cannot be computed.
    pub fn pendulum(options: &OscillatorOptions) -> Result<Self> {
        let (system, noisy) = (Box::new(Pendulum::default()), Recipe::noisy_pendulum());
        Self::new("pendulum", system, Sampling::pendulum(), noisy, options)
    }

    fn new(
        name: &'static str,
        system: Box<dyn Hamiltonian<f64>>,
        sampling: Sampling,
        noisy: Recipe,
        options: &OscillatorOptions,
    ) -> Result<Self> {
        let tolerance = if options.quick { 1e-6 } else { options.tolerance };
        let sampling = Sampling { noise: options.noise.unwrap_or(0.0), ..sampling };
        let times = Array1::linspace(0.0, 20.0, 100).to_vec();
        let ring = sampling.starts.draw(STARTS, 2, 2_000_000)?;
        let grey = Starts::GREY.draw(STARTS, 2, 1_000_000)?;
        let starts = concatenate![Axis(0), ring, grey];
        let judge = Judge::new(&*system, starts, times, tolerance)?;
        let fine = Array1::linspace(0.0, 20.0, DRAWN).to_vec();
        let curves = Judge::new(&*system, ring, fine, tolerance)?;
        let mut by_energy: Vec<usize> = (0..STARTS).collect();
        let energy = |row: &usize| system.energy_state(&curves.starts.row(*row).to_vec());
        let energies = by_energy.iter().map(energy).collect::<Result<Vec<f64>, _>>()?;
        by_energy.sort_by(|a, b| energies[*a].total_cmp(&energies[*b]));
        let drawn = by_energy[STARTS / 2];
        Ok(Self { name, system, sampling, judge, curves, drawn, noisy, training: SPLIT })
    }

    /// A title that names the system and the noise.
    #[must_use]
    pub fn title(&self, what: &str) -> String {
        format!("{}, noise {}: {what}", self.name, self.sampling.noise)
    }

    /// The same with fewer trajectories to train on.
    ///
    /// # Errors
    /// If it is none, or more than there are.
    pub fn with_training(self, trajectories: usize) -> Result<Self> {
        if (1..=SPLIT).contains(&trajectories) {
            return Ok(Self { training: trajectories, ..self });
        }
        let reason = format!("give 1 to {SPLIT}");
        Err(ExampleError::Option { option: "--trajectories", reason })
    }

    /// The trajectories to train on, and 25 to validate with.
    pub(super) fn data(&self, seed: u64) -> Result<(DataSet<f64>, DataSet<f64>)> {
        let (train, validation) = self.sampling.sample(&*self.system, seed)?.split_at(SPLIT)?;
        let train = if self.training < SPLIT { train.split_at(self.training)?.0 } else { train };
        Ok((train, validation))
    }

    /// Rolls a model out and compares it with the truth; with it go the curves to draw.
    pub(super) fn judge(&self, field: &dyn VectorField<f64>) -> Result<(Rollouts, Errors)> {
        let rollouts = self.judge.roll_out(field)?;
        let errors = |range| rollouts.errors(&*self.system, &self.judge.truth, range);
        let single = (0..STARTS).map(|start| Ok(errors(start..start + 1)?.0));
        let mut single = single.collect::<Result<Vec<f64>>>()?;
        single.sort_by(f64::total_cmp);
        let (ring, grey) = (errors(0..STARTS)?, errors(STARTS..2 * STARTS)?);
        Ok((self.curves.roll_out(field)?, Errors { ring, ring_median: single[STARTS / 2], grey }))
    }
}
