//! From a network to a formula.

use chacha20::ChaCha8Rng;
use hnn_integrators::{TooLarge, Workspace, coordinate_major, rows};
use hnn_systems::Hamiltonian;
use ndarray::{Array2, ArrayView2};
use rand::{RngExt, SeedableRng};

use crate::data::column_sizes;
use crate::equations::root_mean_square;
use crate::{Ansatz, Library, Samples, Selection, SparseError, SparseFit};
use crate::{error::require, error::same_length};

/// A network's error is a smooth function of the state, so more samples do not average it out, and
/// at some states it is larger than where it was measured.
const SAFETY: f64 = 2.0;

/// Distils any [`Hamiltonian`], such as a trained network, into a formula: its gradient is sampled
/// over a domain, and the terms are selected that explain it.
///
/// A network is no formula, so with many samples every term of a large library would be
/// significant. [`with_relative_error`](Self::with_relative_error) says how well the network's gradient is
/// known; residuals below twice that are taken for its error, not for terms.
///
/// ```
/// use hnn_sparse::{Distillation, Library};
/// use hnn_systems::Pendulum;
/// let library = Library::monomials(1, 1..=4)?.union(&Library::trigonometric(1, &[1.0], 0)?)?;
/// let distilled = Distillation::new(&[(-2.0, 2.0), (-1.5, 1.5)])?
///     .run(&Pendulum::default(), &library)?;
/// assert_eq!(distilled.found.names(), ["p^2", "cos(q)"]);
/// assert!(distilled.relative_error < 1e-12);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Distillation {
    domain: Vec<(f64, f64)>,
    samples: usize,
    seed: u64,
    relative_error: f64,
    selection: Selection,
}

/// A formula distilled from a model.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Distilled {
    /// The formula, and how sure it is.
    pub found: SparseFit,
    /// Root mean square distance of the formula's gradient to the model's, over fresh samples of
    /// the domain, relative to the root mean square of the model's: each component's relative to
    /// its own, and the root mean square of those, so that units do not matter.
    pub relative_error: f64,
}

/// What a text says.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    domain: Vec<(f64, f64)>,
    samples: usize,
    seed: u64,
    relative_error: f64,
    selection: Selection,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Distillation {
    type Error = SparseError;

    fn try_from(given: Unchecked) -> Result<Self, SparseError> {
        let sampled = Self::new(&given.domain)?.with_samples(given.samples)?.with_seed(given.seed);
        Ok(sampled.with_relative_error(given.relative_error).with_selection(given.selection))
    }
}

impl Distillation {
    /// Over a box: the interval of every coordinate. 1000 samples, seed 0, the selection's
    /// defaults, gradients known to 1e-3.
    ///
    /// # Errors
    /// If an interval is empty, or its length not finite.
    pub fn new(domain: &[(f64, f64)]) -> Result<Self, SparseError> {
        for &(low, high) in domain {
            let valid = (high - low).is_finite() && low < high;
            let expected = "rising, and of finite length";
            require(valid, "an interval of the domain", format!("({low}, {high})"), expected)?;
        }
        Ok(Self {
            domain: domain.to_vec(),
            samples: 1000,
            seed: 0,
            relative_error: 1e-3,
            selection: Selection::default(),
        })
    }

    /// Number of states at which the gradient is sampled.
    ///
    /// # Errors
    /// If it is 0, or so many do not fit in memory.
    pub fn with_samples(mut self, samples: usize) -> Result<Self, SparseError> {
        require(samples > 0, "the number of samples", samples, "positive")?;
        self.require_room(samples)?;
        self.samples = samples;
        Ok(self)
    }

    /// Seed of the sampled states.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How well the model's gradient is known, relative to its root mean square: for a network its
    /// error on held-out data. [`run`](Self::run) refuses a number that is negative or not finite.
    #[must_use]
    pub fn with_relative_error(mut self, error: f64) -> Self {
        self.relative_error = error;
        self
    }

    /// Replaces the selection's settings.
    #[must_use]
    pub fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// States uniform in the domain, shape (B, D).
    ///
    /// # Errors
    /// If so many do not fit in memory.
    pub fn draw(&self, count: usize, seed: u64) -> Result<Array2<f64>, SparseError> {
        self.require_room(count)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut states = Array2::zeros((count, self.domain.len()));
        for mut row in states.rows_mut() {
            for (value, &(low, high)) in row.iter_mut().zip(&self.domain) {
                *value = rng.random_range(low..high);
            }
        }
        Ok(states)
    }

    /// States, fields and fresh states to test at, row after row and coordinate after coordinate.
    fn require_room(&self, samples: usize) -> Result<(), SparseError> {
        Ok(TooLarge::check("samples", samples, 64 * self.domain.len(), "take fewer samples")?)
    }

    /// Finds the formula in the library that the model's energy has over the domain.
    ///
    /// # Errors
    /// If the dimensions differ, the relative error is negative or not finite, the model is
    /// undefined somewhere, or no term explains it.
    pub fn run(
        &self,
        model: &dyn Hamiltonian<f64>,
        library: &Library,
    ) -> Result<Distilled, SparseError> {
        let states = self.draw(self.samples, self.seed)?;
        self.run_at(model, library, states)
    }

    /// As [`run`](Self::run) at states of one's own, shape (B, D), such as those of the training
    /// data: a network knows nothing beyond them. The error is taken there too.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_at(
        &self,
        model: &dyn Hamiltonian<f64>,
        library: &Library,
        states: Array2<f64>,
    ) -> Result<Distilled, SparseError> {
        same_length("coordinates of the library", library.dim(), model.dim())?;
        same_length("coordinates of the states", states.ncols(), model.dim())?;
        let fresh = match self.domain.len() == states.ncols() {
            true => self.draw(self.samples, self.seed.wrapping_add(1))?,
            false => states.clone(),
        };
        let flow = canonical_flow(model, states.view())?;
        let known_to = SAFETY * self.relative_error;
        let samples = Samples::new(states, flow)?.with_relative_error(known_to);
        let found = self.selection.run(&samples.equations(&Ansatz::new(library)?)?)?;
        let truth = canonical_flow(model, fresh.view())?;
        let formula = canonical_flow(found.model(), fresh.view())?;
        Ok(Distilled { found, relative_error: distance(&formula, &truth) })
    }
}

/// The root mean square distance, that of each column relative to what it should be. A column that
/// should be 0 is compared with all of them.
fn distance(formula: &Array2<f64>, truth: &Array2<f64>) -> f64 {
    let difference = formula - truth;
    let sizes = column_sizes(truth);
    let all = root_mean_square(sizes.iter().copied());
    let errors = column_sizes(&difference).into_iter().zip(&sizes);
    let relative = errors.map(|(error, &size)| error / if size > 0.0 { size } else { all });
    root_mean_square(relative.collect::<Vec<_>>().into_iter())
}

/// `J grad H` at states of shape (B, D): the model's field without friction.
fn canonical_flow(
    model: &dyn Hamiltonian<f64>,
    states: ArrayView2<'_, f64>,
) -> Result<Array2<f64>, SparseError> {
    let (batch, dim) = states.dim();
    let lanes = coordinate_major(states);
    let mut gradient = vec![0.0; lanes.len()];
    model.energy_gradient(batch, &lanes, &mut gradient, &mut Workspace::default())?;
    let (by_q, by_p) = gradient.split_at(batch * (dim / 2));
    let flow: Vec<f64> = by_p.iter().copied().chain(by_q.iter().map(|g| -g)).collect();
    Ok(rows(&flow, batch, dim))
}
