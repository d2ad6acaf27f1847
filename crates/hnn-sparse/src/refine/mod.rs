//! Coefficients from whole trajectories: multiple shooting.
//!
//! A regression on noisy states is biased: the noise is inside the features. Here the trajectories
//! themselves are fitted, which is not.

mod flow;
mod normal;

use hnn_integrators::{At, Between, TooLarge, VectorField, Workspace, coordinate_major, rows};

use crate::data::Observed;
use crate::equations::root_mean_square;
use crate::{Observations, SparseError, SparseHamiltonian, error::require, error::same_length};
use flow::Flow;
use normal::{Normal, Segment};

/// Refines the coefficients of a formula by multiple shooting (Bock 1983).
///
/// Every trajectory is cut into segments with starts of their own, joined by continuity
/// conditions; Gauss-Newton steps on starts and coefficients together make the squared distance
/// to all measured states least, each coordinate in units of its noise.
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
pub struct Shooting {
    points: usize,
    steps: usize,
}

impl Default for Shooting {
    /// Segments of 20 points, 4 Runge-Kutta steps between points.
    fn default() -> Self {
        Self { points: 20, steps: 4 }
    }
}

/// A refined formula.
#[derive(Debug, Clone)]
pub struct Refined {
    /// The formula; its standard errors are those of the fit.
    pub model: SparseHamiltonian,
    /// Root mean square distance to the measured states, of each coordinate: the noise.
    pub residuals: Vec<f64>,
    /// Gauss-Newton iterations.
    pub iterations: usize,
}

/// A step this small, relative to standard errors, ends the iteration.
const SMALL_STEP: f64 = 1e-3;
/// Where there is no noise: a step that changes no coefficient, or the states, by more than this
/// share of their own size.
const TINY_STEP: f64 = 1e-13;
/// The most steps between two points: who needs more has times in other units than the formula.
const MOST_STEPS: usize = 10_000;
/// The most iterations of a round.
const MOST_ITERATIONS: usize = 50;
/// How often the noise of the coordinates is estimated anew.
const ROUNDS: usize = 2;

impl Shooting {
    /// Points of a segment: fewer are easier to fit from a rough formula. As many as a trajectory has,
    /// or more, make a segment of all of it.
    ///
    /// # Errors
    /// If there are fewer than 2.
    pub fn points(mut self, points: usize) -> Result<Self, SparseError> {
        require(points >= 2, "the points of a segment", points, "at least 2")?;
        self.points = points;
        Ok(self)
    }

    /// Steps of the classical Runge-Kutta method between two points.
    ///
    /// # Errors
    /// If there is none, or more than 10 000.
    pub fn steps(mut self, steps: usize) -> Result<Self, SparseError> {
        let valid = (1..=MOST_STEPS).contains(&steps);
        require(valid, "the number of steps between two points", steps, "from 1 to 10000")?;
        self.steps = steps;
        Ok(self)
    }

    /// Fits the coefficients, starting from those of `model`.
    ///
    /// # Errors
    /// If the states have another dimension, there are fewer of them than unknowns, the fit takes too
    /// much memory, a trajectory leaves the formula's domain or runs to infinity, or the iteration does
    /// not converge.
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
        let observed = &observations.trajectories;
        let count: usize = observed.iter().map(|t| t.times.len()).sum();
        let trajectories = observed.iter().filter(|t| !t.times.is_empty()).count();
        let (given, needed) = (count * dim, model.terms().len() + dim * trajectories + 1);
        if given < needed {
            return Err(SparseError::TooFew { what: "measured numbers", given, needed });
        }
        let segments = cut(observed, self.points);
        require_memory(dim, model.terms().len(), count, segments.len())?;
        let sizes = sizes(model, observations)?;
        let (steps, model, deviations) = (self.steps, model.clone(), sizes.clone());
        let between = observations.between;
        let mut fit = Fit { steps, observed, between, segments, model, deviations };
        let (mut iterations, mut outcome) = (0, fit.linearise()?);
        for _ in 0..ROUNDS {
            // No noise is below the rounding of a coordinate's own size.
            let noise = outcome.residuals(count).into_iter().zip(&sizes);
            fit.deviations = noise.map(|(noise, size)| noise.max(f64::EPSILON * size)).collect();
            outcome = fit.linearise()?;
            iterations += fit.converge(&mut outcome)?;
        }
        let residuals = outcome.residuals(count);
        let errors: Vec<f64> = outcome.variances().iter().map(|v| v.sqrt()).collect();
        Ok(Refined { model: fit.model.with_std_errors(&errors), residuals, iterations })
    }
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

/// Checks that the rows of all points, the segments' triangles and the flow have room.
fn require_memory(
    dim: usize,
    params: usize,
    points: usize,
    segments: usize,
) -> Result<(), SparseError> {
    let [dim, params, points, segments] =
        [dim, params, points, segments].map(|count| count as u128);
    let columns = 2 * dim + params + 1;
    let rows = points * dim * columns;
    let triangles = segments * columns * columns;
    let flow = 8 * segments * dim * (1 + dim + params);
    let remedy = "take more points a segment, fewer terms, or fewer data";
    Ok(TooLarge::check("numbers of a fit by shooting", rows + triangles + flow, 8, remedy)?)
}

/// Segments of about `points` intervals, the measured states as their starts.
fn cut(observed: &[Observed], points: usize) -> Vec<Segment> {
    let mut segments = vec![];
    for (trajectory, observed) in observed.iter().enumerate() {
        let Some(last) = observed.times.len().checked_sub(1) else { continue };
        for first in (0..last.max(1)).step_by(points) {
            let start = observed.states.row(first).to_vec();
            let end = first.saturating_add(points).min(last);
            segments.push(Segment { trajectory, first, last: end, start });
        }
    }
    segments
}

struct Fit<'a> {
    /// Between two points.
    steps: usize,
    observed: &'a [Observed],
    between: Between,
    segments: Vec<Segment>,
    model: SparseHamiltonian,
    /// Noise of each coordinate.
    deviations: Vec<f64>,
}

impl Fit<'_> {
    /// Runs all segments and sets up the linear least-squares problem of a Gauss-Newton step.
    fn linearise(&self) -> Result<Normal, SparseError> {
        let batch = self.segments.len();
        let dim = self.deviations.len();
        let starts: Vec<f64> =
            (0..dim).flat_map(|i| self.segments.iter().map(move |s| s.start[i])).collect();
        let mut flow = Flow::new(&self.model, &starts);
        let mut normal = Normal::new(&self.segments, &self.deviations, self.model.terms().len());
        let mut dt = vec![0.0; batch];
        let mut inputs = [(); 2].map(|()| vec![0.0; self.model.input_names().len() * batch]);
        let longest = self.segments.iter().map(|s| s.last - s.first).max().unwrap_or(0);
        for step in 0..=longest {
            for (lane, segment) in self.segments.iter().enumerate() {
                let point = segment.first + step;
                if point > segment.last {
                    continue;
                }
                let observed = &self.observed[segment.trajectory];
                let final_point = point + 1 == observed.times.len();
                normal.pass(lane, flow.segment(lane), observed.states.row(point), {
                    point < segment.last || final_point
                });
            }
            if step < longest {
                for (lane, segment) in self.segments.iter().enumerate() {
                    let point = (segment.first + step).min(segment.last);
                    let next = (point + 1).min(segment.last);
                    let Observed { times, inputs: u, .. } = &self.observed[segment.trajectory];
                    dt[lane] = (times[next] - times[point]) / self.steps as f64;
                    let until = if self.between == Between::Held { point } else { next };
                    for (inputs, row) in inputs.iter_mut().zip([point, until]) {
                        let row = u.row(row);
                        row.iter().enumerate().for_each(|(k, u)| inputs[k * batch + lane] = *u);
                    }
                }
                flow.advance(self.steps, &dt, inputs.each_ref().map(Vec::as_slice))?;
            }
        }
        normal.finish(&self.segments);
        if normal.misfit().is_finite() {
            return Ok(normal);
        }
        let reason =
            "a trajectory of the formula runs to infinity: start from a better formula, or take \
                      fewer points a segment or more steps between them"
                .to_owned();
        Err(SparseError::NoConvergence { iterations: 0, reason })
    }

    /// Gauss-Newton steps, shortened where they do not lower the misfit.
    fn converge(&mut self, outcome: &mut Normal) -> Result<usize, SparseError> {
        for iteration in 1..=MOST_ITERATIONS {
            let Some((step, starts)) = outcome.step() else {
                let reason = "the data do not determine all coefficients; drop terms".to_owned();
                return Err(SparseError::NoConvergence { iterations: iteration, reason });
            };
            let small = outcome.is_small(&step, &self.model.coefficients(), SMALL_STEP, TINY_STEP);
            let (coefficients, segments) = (self.model.coefficients(), self.segments.clone());
            let mut share = 1.0;
            loop {
                self.shift(&coefficients, &segments, share, &step, &starts)?;
                let next = self.linearise();
                // Close to the minimum rounding decides: any step is good.
                if let Ok(next) = next
                    && (next.misfit() <= outcome.misfit() || small)
                {
                    *outcome = next;
                    break;
                }
                share *= 0.5;
                if share < 1e-4 {
                    let reason = "no step lowers the misfit: start from a better formula, or take \
                                  fewer points a segment"
                        .to_owned();
                    return Err(SparseError::NoConvergence { iterations: iteration, reason });
                }
            }
            if small {
                return Ok(iteration);
            }
        }
        let reason =
            "the steps are still large: start from a better formula, or take fewer points a \
                      segment"
                .to_owned();
        Err(SparseError::NoConvergence { iterations: MOST_ITERATIONS, reason })
    }

    fn shift(
        &mut self,
        coefficients: &[f64],
        segments: &[Segment],
        share: f64,
        step: &[f64],
        starts: &[Vec<f64>],
    ) -> Result<(), SparseError> {
        let moved: Vec<f64> =
            coefficients.iter().zip(step.iter()).map(|(c, d)| c + share * d).collect();
        self.model.set_coefficients(&moved)?;
        for ((target, old), step) in self.segments.iter_mut().zip(segments).zip(starts) {
            for (i, start) in target.start.iter_mut().enumerate() {
                *start = old.start[i] + share * step[i];
            }
        }
        Ok(())
    }
}
