//! Coefficients from whole trajectories, by least squares on windows that grow.
//!
//! A regression on noisy states is biased: the noise is inside the features. Here the trajectories
//! themselves are fitted, which is not.

mod windows;

use std::num::NonZeroUsize;

use hnn_integrators::{At, TooLarge, VectorField, Workspace, coordinate_major, rows};
use hnn_losses::Window;

use self::windows::{Accuracy, Fit, Problem};
use crate::equations::root_mean_square;
use crate::{Observations, SparseError, SparseHamiltonian, error::require, error::same_length};

/// Refines the coefficients of a formula by multiple shooting (Bock 1983).
///
/// Every trajectory is cut into windows with starts of their own. [Least squares](hnn_train::LeastSquares) on starts and
/// coefficients together make the squared distance to all measured states least, each coordinate in
/// units of its noise. The windows then grow, twice as long each time, until they are whole
/// trajectories, have 1000 points, or are so long that the formula does not follow them any more, as
/// in chaos.
///
/// ```
/// use hnn_sparse::{Ansatz, Expression, Library, Observations, Shooting, SparseHamiltonian};
/// use ndarray::Array2;
/// let times: Vec<f64> = (0..60).map(|k| 0.2 * k as f64).collect();
/// let states = Array2::from_shape_fn((60, 2), |(k, i)| {
///     if i == 0 { times[k].cos() } else { -times[k].sin() }
/// });
/// let mut observations = Observations::new(2);
/// observations.push(times, states)?;
/// let (q, p) = (Expression::coordinate(0), Expression::coordinate(1));
/// let ansatz = Ansatz::new(&Library::from_features(1, [q.powi(2), p.powi(2)])?)?;
/// let rough = SparseHamiltonian::from_coefficients(&ansatz, &[0.45, 0.52])?;
/// let refined = Shooting::default().refine(&rough, &observations)?;
/// assert!((refined.model.coefficients()[0] - 0.5).abs() < 1e-5);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Shooting {
    points: usize,
    steps: NonZeroUsize,
}

impl Default for Shooting {
    /// First windows of 20 points, 4 Runge-Kutta steps between points.
    fn default() -> Self {
        Self { points: 20, steps: const { NonZeroUsize::new(4).unwrap() } }
    }
}

/// A refined formula.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Refined {
    /// The formula; its standard errors are those of the fit.
    pub model: SparseHamiltonian,
    /// Root mean square distance to the measured states, of each coordinate: the noise.
    pub residuals: Vec<f64>,
    /// The windows that were fitted at last: whole trajectories, or shorter ones.
    pub window: Window,
    /// Steps of least squares.
    pub iterations: usize,
}

/// The most states that are stepped together.
const BLOCK: u128 = 128;
/// The most steps between two points: who needs more has times in other units than the formula.
const MOST_STEPS: usize = 10_000;
/// Windows of so many points grow no more: longer ones take long, and tell little that they do not.
const LONGEST: usize = 1000;
/// A distance of so many times the noise that shorter windows left: the formula has lost its
/// trajectories.
const LOST: f64 = 10.0;

/// What a text says.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    points: usize,
    steps: usize,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Shooting {
    type Error = SparseError;

    fn try_from(given: Unchecked) -> Result<Self, SparseError> {
        Self::default().with_points(given.points)?.with_steps(given.steps)
    }
}

impl Shooting {
    /// Points of the first windows: fewer are easier to fit from a rough formula. As many as a
    /// trajectory has, or more, make a window of all of it, however long.
    ///
    /// # Errors
    /// If there are fewer than 2.
    pub fn with_points(mut self, points: usize) -> Result<Self, SparseError> {
        require(points >= 2, "the points of a window", points, "at least 2")?;
        self.points = points;
        Ok(self)
    }

    /// Steps of the classical Runge-Kutta method between two points.
    ///
    /// # Errors
    /// If there is none, or more than 10 000.
    pub fn with_steps(mut self, steps: usize) -> Result<Self, SparseError> {
        let valid = NonZeroUsize::new(steps).filter(|_| steps <= MOST_STEPS);
        let what = "the number of steps between two points";
        require(valid.is_some(), what, steps, "from 1 to 10000")?;
        self.steps = valid.unwrap_or(NonZeroUsize::MIN);
        Ok(self)
    }

    /// Fits the coefficients, starting from those of `model`.
    ///
    /// # Errors
    /// If the states have another dimension, there are fewer of them than unknowns, the fit takes too
    /// much memory, a trajectory leaves the formula's domain or runs to infinity, or the first windows
    /// do not converge.
    pub fn refine(
        &self,
        model: &SparseHamiltonian,
        observations: &Observations,
    ) -> Result<Refined, SparseError> {
        let dim = model.state_dim();
        same_length("coordinates of the states", observations.dim(), dim)?;
        let (given, expected) = (observations.inputs(), model.input_names().len());
        if given != expected {
            return Err(SparseError::Inputs { given, expected });
        }
        let points: usize = observations.trajectories.iter().map(|t| t.times.len()).sum();
        let trajectories = observations.trajectories.iter().filter(|t| !t.times.is_empty()).count();
        let params = model.terms().len();
        let (given, needed) = (points * dim, params + dim * trajectories + 1);
        if given < needed {
            return Err(SparseError::TooFew { what: "measured numbers", given, needed });
        }
        require_memory(self.steps, dim, params)?;
        let problem = Problem::new(self.steps, observations, sizes(model, observations)?)?;
        let first = problem.fit(&problem.begin(model, self.points), Accuracy::Rough)?;
        let mut longer: Vec<Fit> = vec![];
        while let fit = longer.last().unwrap_or(&first)
            && let Window::Steps(steps @ ..LONGEST) = fit.window
        {
            let from = fit.with_window(problem.window(2 * steps));
            match problem.fit(&from, Accuracy::Rough) {
                Ok(fit) if fit.distance <= LOST => longer.push(fit),
                _ => break,
            }
        }
        let refined =
            |fit: &Fit| problem.fit(fit, Accuracy::Full).and_then(|fit| problem.finish(fit));
        let whole = longer.iter().rev().find_map(|fit| refined(fit).ok());
        whole.map_or_else(|| refined(&first), Ok)
    }
}

/// Checks that the recorded steps between two points have room.
fn require_memory(steps: NonZeroUsize, dim: usize, params: usize) -> Result<(), SparseError> {
    let [steps, dim, params] = [steps.get(), dim, params].map(|count| count as u128);
    let numbers = 4 * steps * BLOCK * (4 * dim + dim * (dim + params));
    let remedy = "take fewer steps between points, or fewer terms";
    Ok(TooLarge::check("numbers of recorded steps", numbers, 8, remedy)?)
}

/// The sizes of the coordinates: their root mean squares, or, of one at rest, how far the formula would
/// move it in the time of the data.
fn sizes(model: &SparseHamiltonian, observations: &Observations) -> Result<Vec<f64>, SparseError> {
    let mut sizes = observations.sizes();
    if sizes.iter().all(|size| *size > 0.0) {
        return Ok(sizes);
    }
    let mut moved = vec![vec![]; sizes.len()];
    for observed in observations.trajectories.iter().filter(|t| !t.times.is_empty()) {
        let count = observed.times.len();
        let (x, u) = (coordinate_major(observed.states.view()), observed.input_lanes());
        let mut rates = vec![0.0; x.len()];
        let at = At { t: &observed.times, u: &u };
        model.eval(at, &x, &mut rates, &mut Workspace::default())?;
        let rates = rows(&rates, count, observations.dim());
        for (moved, rates) in moved.iter_mut().zip(rates.columns()) {
            moved.extend(rates.iter().map(|rate| rate * observed.duration()));
        }
    }
    for (size, moved) in sizes.iter_mut().zip(&moved).filter(|(size, _)| **size == 0.0) {
        let far = root_mean_square(moved.iter().copied());
        // Where nothing moves it, any size will do.
        *size = if far > 0.0 { far } else { 1.0 };
    }
    Ok(sizes)
}
