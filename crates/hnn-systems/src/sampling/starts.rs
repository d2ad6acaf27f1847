//! Laws that starting states are drawn from.

use chacha20::ChaCha12Rng;
use ndarray::Array2;
use rand::{Rng, RngExt, SeedableRng};

use super::check_points;
use super::orbits::{three_bodies, two_bodies};
use crate::SystemError;
use crate::error::Constants;

/// A law that starting states are drawn from.
///
/// ```
/// use hnn_systems::Starts;
/// let ring = Starts::Ring { low: 1.3, high: 2.3 }.draw(50, 2, 0)?;
/// let radius = |row: usize| ring.row(row).dot(&ring.row(row)).sqrt();
/// assert!((0..50).all(|row| (1.3..=2.3).contains(&radius(row))));
/// # Ok::<(), hnn_systems::SystemError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Starts {
    /// A direction drawn uniformly from the box `[-1, 1]^D` (so the corners are more frequent),
    /// rescaled to a radius uniform in `[low, high]`: the training law of the HNN paper's code
    /// (Greydanus, Dzamba and Yosinski 2019). As test starts: *ring*.
    Ring {
        /// Smallest radius.
        low: f64,
        /// Largest radius.
        high: f64,
    },
    /// Each coordinate's size uniform in `[low, high]`, its sign random. With `[0.2, 1]`, the
    /// test starts *grey*.
    Signed {
        /// Smallest size of a coordinate.
        low: f64,
        /// Largest size of a coordinate.
        high: f64,
    },
    /// Each coordinate uniform between bounds of its own; equal bounds fix it.
    Box(Vec<(f64, f64)>),
    /// Nearly circular orbits of two bodies ([`NBody<2>`](crate::NBody)) opposite each other:
    /// each coordinate of the first is uniform in `[low, high]`, the speeds are those of a circle
    /// times `1 + noise * normal`.
    TwoBodies {
        /// Smallest coordinate of the first body.
        low: f64,
        /// Its largest coordinate.
        high: f64,
        /// Relative noise of the speeds.
        noise: f64,
    },
    /// Nearly circular orbits of three bodies ([`NBody<3>`](crate::NBody)) on a triangle: its
    /// radius is uniform in `[low, high]`, each speed that of a circle times `1 + noise * u`, `u`
    /// uniform in `[-1, 1]`.
    ThreeBodies {
        /// Smallest radius.
        low: f64,
        /// Largest radius.
        high: f64,
        /// Relative noise of the speeds.
        noise: f64,
    },
}

impl Starts {
    /// The test starts *grey*: each coordinate's size uniform in `[0.2, 1]`, its sign random.
    pub const GREY: Self = Self::Signed { low: 0.2, high: 1.0 };

    /// `count` states of dimension `dim`, shape (count, D).
    ///
    /// Each state has a stream of random numbers of its own: the first states are the same
    /// whatever `count` is, and the same on every machine.
    ///
    /// # Errors
    /// If bounds are not finite or out of order, a box has another dimension, a coordinate overflows,
    /// or the states take more memory than a call may.
    pub fn draw(&self, count: usize, dim: usize, seed: u64) -> Result<Array2<f64>, SystemError> {
        self.check(dim)?;
        check_points(count, dim)?;
        let mut starts = Array2::zeros((count, dim));
        for (index, mut row) in starts.outer_iter_mut().enumerate() {
            let state = self.draw_one(dim, &mut stream(seed, index, Purpose::Start));
            let check = Constants("law of the starts");
            state.iter().try_for_each(|x| check.finite("a coordinate", *x).map(drop))?;
            row.assign(&ndarray::ArrayView1::from(&state));
        }
        Ok(starts)
    }

    /// Dimension of the states, where the law knows it.
    fn dim(&self) -> Option<usize> {
        match self {
            Self::Ring { .. } | Self::Signed { .. } => None,
            Self::Box(bounds) => Some(bounds.len()),
            Self::TwoBodies { .. } => Some(8),
            Self::ThreeBodies { .. } => Some(12),
        }
    }

    fn check(&self, dim: usize) -> Result<(), SystemError> {
        let check = Constants("law of the starts");
        if let Some(given) = self.dim()
            && given != dim
        {
            let what = "law of the starts";
            return Err(SystemError::Dimension { what, given, expected: dim });
        }
        match self {
            Self::Ring { low, high } | Self::Signed { low, high } => {
                check.not_negative("low", *low)?;
                check.not_below("high", *high, *low)?;
            }
            Self::Box(bounds) => {
                for &(low, high) in bounds {
                    check.not_below("upper bound", high, low)?;
                }
            }
            Self::TwoBodies { low, high, noise } | Self::ThreeBodies { low, high, noise } => {
                check.positive("low", *low)?;
                check.not_below("high", *high, *low)?;
                check.not_negative("noise", *noise)?;
            }
        }
        Ok(())
    }

    fn draw_one(&self, dim: usize, rng: &mut impl Rng) -> Vec<f64> {
        match self {
            Self::Ring { low, high } => {
                let direction = Vec::from_iter((0..dim).map(|_| rng.random_range(-1.0..=1.0)));
                let length = direction.iter().map(|x: &f64| x * x).sum::<f64>().sqrt();
                let radius = rng.random_range(*low..=*high);
                direction.iter().map(|x| x / length * radius).collect()
            }
            Self::Signed { low, high } => {
                let size = |rng: &mut _| RngExt::random_range(rng, *low..=*high);
                let mut signed = || if rng.random::<bool>() { size(rng) } else { -size(rng) };
                (0..dim).map(|_| signed()).collect()
            }
            Self::Box(bounds) => {
                bounds.iter().map(|&(low, high)| rng.random_range(low..=high)).collect()
            }
            Self::TwoBodies { low, high, noise } => two_bodies(*low, *high, *noise, rng),
            Self::ThreeBodies { low, high, noise } => three_bodies(*low, *high, *noise, rng),
        }
    }
}

/// What random numbers are for: each purpose has streams of its own, so that noise does not
/// change the starts.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Start,
    Noise,
}

/// The stream of random numbers of one trajectory.
pub(super) fn stream(seed: u64, trajectory: usize, purpose: Purpose) -> ChaCha12Rng {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    rng.set_stream(2 * trajectory as u64 + purpose as u64);
    rng
}
