//! The models of both examples, made of the networks of whichever engine trains them.

use hnn_integrators::Scalar;
use hnn_models::{Angles, Baseline, Hnn, KineticPrior, Lnn, MechanicalLagrangian, Mlp};

use hnn_examples::{Networks, OnEngine, Optimiser, Result};

use crate::{Contender, Training};

/// The two positions are angles: all networks that know it see their cosines and sines.
const ANGLES: [bool; 4] = [true, true, false, false];

/// Weights of the derivatives: all; or those alone that a Lagrangian says anything about.
const ALL: [f64; 4] = [1.0; 4];
const ACCELERATIONS: [f64; 4] = [0.0, 0.0, 1.0, 1.0];

/// A network, as it is read back for evaluation.
type Network = Mlp<f64>;
type PeriodicBaseline = Baseline<Angles<Network>>;

/// Models in canonical coordinates: a baseline and a Hamiltonian network.
pub struct Canonical<'a> {
    /// How they are trained.
    pub training: &'a Training<'a>,
    /// Whether they see the angles as they are.
    pub plain: bool,
}

impl Canonical<'_> {
    /// Trains (or loads) them.
    ///
    /// # Errors
    /// As [`Training::learn`], and if the engine is not there.
    pub fn learn(self) -> Result<Vec<Contender>> {
        self.training.recipe.on_engine(self)
    }
}

impl OnEngine for Canonical<'_> {
    type Output = Vec<Contender>;

    fn run<N: Networks<f32> + Networks<f64>>(self, engine: &N) -> Result<Vec<Contender>> {
        match self.training.recipe.optimiser {
            Optimiser::LeastSquares => self.train::<f64, N>(engine),
            Optimiser::Adam => self.train::<f32, N>(engine),
        }
    }
}

impl Canonical<'_> {
    fn train<T: Scalar, N: Networks<T>>(self, engine: &N) -> Result<Vec<Contender>> {
        let training = self.training;
        if self.plain {
            let baseline = Baseline::new(engine.map(training.network(4, 4, 0)?)?)?;
            let hnn = Hnn::new(engine.energy(training.network(4, 1, 1)?)?)?;
            return Ok(vec![
                training.learn::<T, _, Baseline<Network>>("baseline", "baseline", baseline, ALL)?,
                training.learn::<T, _, Hnn<Network>>("hnn", "HNN", hnn, ALL)?,
            ]);
        }
        let hnn = Angles::new(engine.energy(training.network(6, 1, 1)?)?, &ANGLES)?;
        Ok(vec![
            baseline(training, engine)?,
            training.learn::<T, _, Hnn<Angles<Network>>>("hnn", "HNN", Hnn::new(hnn)?, ALL)?,
        ])
    }
}

/// Models in Lagrangian coordinates: a baseline, a Lagrangian network whose Lagrangian is any
/// function of (q, v), and one with a mass matrix and a potential energy.
pub struct Lagrangian<'a> {
    /// How they are trained.
    pub training: &'a Training<'a>,
    /// Those asked for; all if there are none.
    pub models: &'a [String],
}

impl Lagrangian<'_> {
    /// The models, in the order of the tables.
    pub const NAMES: [&'static str; 3] = ["baseline", "lnn", "mechanical"];

    /// Trains (or loads) them.
    ///
    /// # Errors
    /// As [`Training::learn`], and if the engine is not there.
    pub fn learn(self) -> Result<Vec<Contender>> {
        self.training.recipe.on_engine(self)
    }
}

impl OnEngine for Lagrangian<'_> {
    type Output = Vec<Contender>;

    fn run<N: Networks<f32> + Networks<f64>>(self, engine: &N) -> Result<Vec<Contender>> {
        match self.training.recipe.optimiser {
            Optimiser::LeastSquares => self.train::<f64, N>(engine),
            Optimiser::Adam => self.train::<f32, N>(engine),
        }
    }
}

impl Lagrangian<'_> {
    fn train<T: Scalar, N: Networks<T>>(self, engine: &N) -> Result<Vec<Contender>> {
        let asked = |key| self.models.is_empty() || self.models.iter().any(|model| model == key);
        let train = [baseline::<T, N>, free, mechanical];
        let models = Self::NAMES.into_iter().zip(train).filter(|(key, _)| asked(*key));
        models.map(|(_, train)| train(self.training, engine)).collect()
    }
}

fn baseline<T: Scalar, N: Networks<T>>(training: &Training<'_>, engine: &N) -> Result<Contender> {
    let network = engine.map(training.network(6, 4, 0)?)?;
    let model = Baseline::new(Angles::new(network, &ANGLES)?)?;
    training.learn::<T, _, PeriodicBaseline>("baseline", "baseline", model, ALL)
}

fn free<T: Scalar, N: Networks<T>>(training: &Training<'_>, engine: &N) -> Result<Contender> {
    let network = engine.energy(training.network(6, 1, 1)?)?;
    let model = Lnn::new(KineticPrior::new(Angles::new(network, &ANGLES)?, 1.0)?)?;
    type Free = Lnn<KineticPrior<Angles<Network>>>;
    training.learn::<T, _, Free>("lnn", "LNN, any L(q, v)", model, ACCELERATIONS)
}

fn mechanical<T: Scalar, N: Networks<T>>(training: &Training<'_>, engine: &N) -> Result<Contender> {
    let factor = engine.map(training.network(4, 3, 2)?)?;
    let potential = engine.energy(training.network(4, 1, 3)?)?;
    let lagrangian = MechanicalLagrangian::new(factor, potential)?;
    let model = Lnn::new(Angles::new(lagrangian, &ANGLES)?)?;
    type Mechanical = Lnn<Angles<MechanicalLagrangian<Network, Network>>>;
    training.learn::<T, _, Mechanical>("mechanical", "LNN, T - V", model, ACCELERATIONS)
}
