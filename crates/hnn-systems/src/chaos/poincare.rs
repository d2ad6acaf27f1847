//! Sections through trajectories.

use hnn_integrators::{Adaptive, Crossing, DOP853, Event, Tolerances, VectorField};
use ndarray::{Array2, ArrayView2};

use crate::SystemError;
use crate::error::Constants;

/// A Poincaré section: the states in which trajectories cross the surface `g(x) = 0`.
///
/// Of a system with two degrees of freedom, at one energy, regular motion leaves closed curves in it, and chaos
/// fills areas (Hénon and Heiles, Astron. J. 69 (1964), 73). Crossings are events of the adaptive solver: found to
/// rounding on the interpolant of DOP853, so to the tolerance of the solver; of two crossings within an eighth of a step
/// neither is seen.
///
/// Works for every field, true or learned.
///
/// ```
/// use hnn_integrators::Crossing;
/// use hnn_systems::{Kepler, PoincareSection};
/// use ndarray::array;
/// // A circular orbit of period 2 pi, `[x, y, px, py]`, crosses the x axis upwards once a turn.
/// let section = PoincareSection::new(|x: &[f64]| x[1], Crossing::Rising);
/// let crossings = section.crossings(&Kepler::default(), array![[1.0, 0.0, 0.0, 1.0]].view(), 20.0)?;
/// let times = &crossings[0].times;
/// assert_eq!(times.len(), 3);
/// assert!((times[0] - std::f64::consts::TAU).abs() < 1e-9);
/// # Ok::<(), hnn_systems::SystemError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoincareSection<G> {
    surface: G,
    crossing: Crossing,
    tolerance: f64,
}

/// Where one trajectory crosses a [`PoincareSection`].
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SectionCrossings {
    /// When, in the order of the motion: K times.
    pub times: Vec<f64>,
    /// The states there, shape (K, D).
    pub states: Array2<f64>,
}

impl<G: Fn(&[f64]) -> f64 + Sync> PoincareSection<G> {
    /// The surface `g(x) = 0`, `g` continuous, and which crossings count.
    pub fn new(surface: G, crossing: Crossing) -> Self {
        Self { surface, crossing, tolerance: 1e-10 }
    }

    /// The same with another relative tolerance of the solver than 1e-10.
    #[must_use]
    pub fn with_tolerance(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    /// The crossings of the trajectories from the states `starts`, shape (M, D), at time 0, up to the time `duration`. A start on
    /// the surface is no crossing.
    ///
    /// # Errors
    /// If the tolerance or the duration is not positive, the starts have another dimension than the field, the
    /// surface is NaN somewhere, or a trajectory cannot be integrated to its end.
    pub fn crossings(
        &self,
        field: &dyn VectorField<f64>,
        starts: ArrayView2<'_, f64>,
        duration: f64,
    ) -> Result<Vec<SectionCrossings>, SystemError> {
        let check = Constants("Poincaré section");
        check.positive("tolerance", self.tolerance)?;
        check.positive("duration", duration)?;
        let surface = |_t: f64, x: &[f64]| (self.surface)(x);
        let event = Event { function: &surface, crossing: self.crossing, terminal: false };
        let solver = Adaptive::new(DOP853, Tolerances::relative(self.tolerance));
        let runs = solver.solve_batch_events(field, starts, &[0.0, duration], &[event])?;
        runs.into_iter()
            .map(|run| {
                let found = run.map_err(|failure| failure.error)?.occurrences;
                let states = Array2::from_shape_fn((found.len(), starts.ncols()), |(k, i)| {
                    found[k].state[i]
                });
                Ok(SectionCrossings { times: found.iter().map(|one| one.time).collect(), states })
            })
            .collect()
    }
}
