//! Data sets sampled from a system.

mod energy_shell;
mod orbits;
mod starts;

pub use self::energy_shell::EnergyShell;
pub use self::starts::Starts;

use hnn_data::DataSet;
use hnn_integrators::{Grid, Signals, SolveError, Tolerances, TooLarge, VectorField, solve_batch};
use ndarray::{Array2, ArrayView2, s};
use rand::RngExt;
use rand_distr::StandardNormal;

use self::starts::{Purpose, stream};

use crate::SystemError;
use crate::error::Constants;

/// How a data set is sampled from a system.
///
/// ```
/// use hnn_systems::{DampedPendulum, Sampling};
/// let data = Sampling { noise: 0.1, ..Sampling::pendulum() }.sample(&DampedPendulum::default(), 0)?;
/// assert_eq!((data.num_trajectories(), data.len()), (50, 50 * 45));
/// let (train, test) = data.split_at(25)?;
/// # Ok::<(), hnn_systems::SystemError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sampling {
    /// Law of the starting states.
    pub starts: Starts,
    /// Number of trajectories.
    pub trajectories: usize,
    /// Time of the first point.
    pub t_start: f64,
    /// Time of the last point.
    pub t_end: f64,
    /// Points a trajectory, equally spaced, both ends included.
    pub points: usize,
    /// Standard deviation of the normal noise on each coordinate of the states. The derivatives
    /// are those of the noise-free states.
    pub noise: f64,
    /// Relative tolerance of the adaptive solver, in units of the largest value that each coordinate
    /// has had.
    pub tolerance: f64,
}

impl Sampling {
    /// The spring of the HNN paper's code: 50 trajectories of 30 points on [0, 3], starting at
    /// radii in [0.1, 1], without noise.
    #[must_use]
    pub fn spring() -> Self {
        Self {
            starts: Starts::Ring { low: 0.1, high: 1.0 },
            trajectories: 50,
            t_start: 0.0,
            t_end: 3.0,
            points: 30,
            noise: 0.0,
            tolerance: 1e-12,
        }
    }

    /// The pendulum of the HNN paper's code, also for the damped pendulum: 50 trajectories of 45
    /// points on [0, 3], starting at radii in [1.3, 2.3], without noise.
    #[must_use]
    pub fn pendulum() -> Self {
        Self { starts: Starts::Ring { low: 1.3, high: 2.3 }, points: 45, ..Self::spring() }
    }

    /// The double pendulum: 125 trajectories of 50 points on [0, 5], starting at rest with both
    /// angles uniform in `[-pi/2, pi/2]`, without noise. Serves canonical and Lagrangian
    /// coordinates alike, for at rest they are the same.
    #[must_use]
    pub fn double_pendulum() -> Self {
        let right_angle = std::f64::consts::FRAC_PI_2;
        let angle = (-right_angle, right_angle);
        Self {
            starts: Starts::Box(vec![angle, angle, (0.0, 0.0), (0.0, 0.0)]),
            trajectories: 125,
            t_end: 5.0,
            points: 50,
            ..Self::spring()
        }
    }

    /// Two bodies, as in the HNN paper's code: 1000 nearly circular orbits of 50 points on
    /// [0, 20].
    #[must_use]
    pub fn two_bodies() -> Self {
        Self {
            starts: Starts::TwoBodies { low: 0.5, high: 1.5, noise: 0.05 },
            trajectories: 1000,
            t_end: 20.0,
            points: 50,
            ..Self::spring()
        }
    }

    /// Three bodies, as in the HNN paper's code: 5000 nearly circular orbits of 20 points on
    /// [0, 5].
    #[must_use]
    pub fn three_bodies() -> Self {
        Self {
            starts: Starts::ThreeBodies { low: 0.9, high: 1.2, noise: 0.2 },
            trajectories: 5000,
            t_end: 5.0,
            points: 20,
            ..Self::spring()
        }
    }

    /// Samples a system of dimension D; the times of all trajectories are equal. A system with inputs
    /// comes with their signals ([`Driven`](hnn_integrators::Driven)), and the data have its inputs.
    ///
    /// The same seed gives the same data; with another noise the starts stay the same.
    ///
    /// # Errors
    /// If a setting is out of range, or the solver or the field fails.
    pub fn sample(
        &self,
        system: &dyn VectorField<f64>,
        seed: u64,
    ) -> Result<DataSet<f64>, SystemError> {
        check_points(self.trajectories.saturating_mul(self.points), system.dim())?;
        let starts = self.starts.draw(self.trajectories, system.dim(), seed)?;
        self.sample_from(system, starts.view(), seed)
    }

    /// Samples a system from starting states of its user's, shape (M, D); `starts` and
    /// `trajectories` of `self` are not looked at.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn sample_from(
        &self,
        system: &dyn VectorField<f64>,
        starts: ArrayView2<'_, f64>,
        seed: u64,
    ) -> Result<DataSet<f64>, SystemError> {
        let times = self.times()?;
        if starts.nrows() == 0 {
            return Err(SystemError::Empty { what: "starting state" });
        }
        check_points(starts.nrows().saturating_mul(times.len()), starts.ncols())?;
        let tolerances = Tolerances::relative(self.tolerance);
        if starts.nrows() > 1 && system.signals().is_none() {
            // Where the first takes more steps than a call may, the others mostly do too, and each
            // would be taken through all of them.
            let first = starts.slice(s![..1, ..]);
            solve_batch(system, first, &times, tolerances).map_err(SolveError::from)?;
        }
        let truth = solve_batch(system, starts, &times, tolerances).map_err(SolveError::from)?;
        let all_times = std::iter::repeat_n(&times[..], starts.nrows());
        let mut exact = DataSet::from_batch(&truth, all_times)?;
        if let Some(signals) = system.signals() {
            exact = with_inputs(exact, signals, &times, system.inputs())?;
        }
        let exact = exact.with_derivatives_of(system)?;
        if self.noise == 0.0 {
            return Ok(exact);
        }
        let noisy = exact.iter().enumerate().map(|(index, one)| {
            let (mut one, mut rng) = (one.to_owned(), stream(seed, index, Purpose::Noise));
            one.states.mapv_inplace(|x| x + self.noise * rng.sample::<f64, _>(StandardNormal));
            one
        });
        Ok(DataSet::new(noisy)?)
    }

    /// The times of each trajectory.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn times(&self) -> Result<Vec<f64>, SystemError> {
        let check = Constants("sampling");
        check.not_negative("noise", self.noise)?;
        check.positive("tolerance", self.tolerance)?;
        check.positive("t_end - t_start", self.t_end - self.t_start)?;
        if self.points < 2 {
            let (what, purpose) = ("points", "a trajectory");
            return Err(SystemError::TooFew { what, purpose, given: self.points, needed: 2 });
        }
        check_points(self.points, 1)?;
        let last = (self.points - 1) as f64;
        let at = |k: usize| self.t_start + (self.t_end - self.t_start) * (k as f64 / last);
        Ok((0..self.points).map(at).collect())
    }
}

/// The data with the inputs that the signals have at the times, which all trajectories share.
fn with_inputs(
    data: DataSet<f64>,
    signals: Signals<'_, f64>,
    times: &[f64],
    inputs: usize,
) -> Result<DataSet<f64>, SystemError> {
    let batch = data.num_trajectories();
    let clock = Vec::from_iter(times.iter().flat_map(|t| std::iter::repeat_n(*t, batch)));
    let u = signals.at_states(&Grid::times(batch, &clock), inputs)?;
    let at = |row: usize, k: usize| {
        let (trajectory, state) = (row / times.len(), row % times.len());
        u[(state * inputs + k) * batch + trajectory]
    };
    let u = Array2::from_shape_fn((data.len(), inputs), |(row, k)| at(row, k));
    Ok(data.with_inputs(u)?)
}

/// Checks the size of what is to be drawn before it is allocated: points, and numbers a point.
fn check_points(points: usize, width: usize) -> Result<(), TooLarge> {
    let remedy = "draw fewer, or in several calls with seeds of their own";
    // No array has so long a row either.
    TooLarge::check("points to draw", points.max(1), width.max(1).saturating_mul(8), remedy)
}
