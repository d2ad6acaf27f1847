//! The linear least-squares problem of one Gauss-Newton step, starts eliminated one by one.
//!
//! A chain: every segment's rows hold its own start and the coefficients, every joint's rows two
//! starts. Reflections eliminate start after start (the square-root information filter of Bierman
//! 1977), so chaotic trajectories do no harm: nothing is propagated over more than a segment.

use nalgebra::{DMatrix, DVector};
use ndarray::ArrayView1;

use crate::linalg::{LeastSquares, Triangle};

/// A piece of a trajectory with a start of its own.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) trajectory: usize,
    /// First and last point; the last is the next segment's first.
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) start: Vec<f64>,
}

/// A segment's end, and its derivatives by the segment's start and by the coefficients.
struct End {
    state: Vec<f64>,
    by_start: Vec<f64>,
    by_theta: Vec<f64>,
}

/// Joints hold to this share of the noise.
const JOINT: f64 = 1e-3;

/// The least-squares problem of a Gauss-Newton step.
pub(super) struct Normal {
    deviations: Vec<f64>,
    params: usize,
    /// Of each segment: rows `[own start, theta, minus residual]` in units of the noise.
    points: Vec<Vec<Vec<f64>>>,
    ends: Vec<Option<End>>,
    /// Of each segment: its start from the next one's and the coefficients.
    chain: Vec<Triangle>,
    theta: LeastSquares,
    /// Of each coefficient: how far the states go with it, in units of the noise, where the starts
    /// cannot make up for it.
    influence: Vec<f64>,
    misfit: f64,
    /// The squared size of the measured states in units of the noise.
    signal: f64,
    /// The squared residuals of each coordinate, likewise.
    squares: Vec<f64>,
}

impl Normal {
    pub(super) fn new(segments: &[Segment], deviations: &[f64], params: usize) -> Self {
        Self {
            deviations: deviations.to_vec(),
            params,
            points: vec![vec![]; segments.len()],
            ends: segments.iter().map(|_| None).collect(),
            chain: vec![],
            theta: LeastSquares::new(&Triangle::empty(params), &[]),
            influence: vec![],
            misfit: 0.0,
            signal: 0.0,
            squares: vec![0.0; deviations.len()],
        }
    }

    /// Takes in a segment's state at a point; `measured` says whether its residual counts here
    /// (the last point of a segment is the next one's first).
    pub(super) fn pass(
        &mut self,
        lane: usize,
        (state, by_start, by_theta): (Vec<f64>, Vec<f64>, Vec<f64>),
        observed: ArrayView1<'_, f64>,
        measured: bool,
    ) {
        let (dim, p) = (self.deviations.len(), self.params);
        for i in (0..dim).filter(|_| measured) {
            let residual = state[i] - observed[i];
            let weight = 1.0 / self.deviations[i];
            self.squares[i] += (residual * weight).powi(2);
            self.misfit += (residual * weight).powi(2);
            self.signal += (observed[i] * weight).powi(2);
            let mut row: Vec<f64> = by_start[i * dim..(i + 1) * dim].to_vec();
            row.extend(&by_theta[i * p..(i + 1) * p]);
            row.push(-residual);
            row.iter_mut().for_each(|value| *value *= weight);
            self.points[lane].push(row);
        }
        self.ends[lane] = Some(End { state, by_start, by_theta });
    }

    /// Eliminates the starts, one after the other.
    pub(super) fn finish(&mut self, segments: &[Segment]) {
        let (dim, p) = (self.deviations.len(), self.params);
        let mut global = Triangle::empty(p);
        let mut carried: Vec<Vec<f64>> = vec![];
        for (lane, segment) in segments.iter().enumerate() {
            // Columns: own start, the next one's, theta.
            let mut rows: Vec<Vec<f64>> = std::mem::take(&mut self.points[lane]);
            rows.append(&mut carried);
            for row in &mut rows {
                row.splice(dim..dim, std::iter::repeat_n(0.0, dim));
            }
            let next = segments.get(lane + 1).filter(|next| next.trajectory == segment.trajectory);
            if let (Some(next), Some(end)) = (next, self.ends[lane].take()) {
                rows.extend(self.joint(&end, &next.start));
            }
            let mut triangle = Triangle::empty(2 * dim + p);
            triangle.add_rows(&rows);
            let rest = (dim..=2 * dim + p).map(|i| triangle.row(i)[dim..].to_vec());
            if next.is_some() {
                carried = rest.collect();
            } else {
                let rows: Vec<Vec<f64>> = rest.map(|row| row[dim..].to_vec()).collect();
                global.add_rows(&rows);
            }
            self.chain.push(triangle);
        }
        self.influence = (0..p).map(|j| global.column_square(j).sqrt()).collect();
        self.theta = LeastSquares::new(&global, &(0..p).collect::<Vec<_>>());
    }

    /// Rows that join a segment's end to the next one's start.
    fn joint(&mut self, end: &End, start: &[f64]) -> Vec<Vec<f64>> {
        let (dim, p) = (self.deviations.len(), self.params);
        let mut rows = vec![];
        for i in 0..dim {
            let defect = end.state[i] - start[i];
            let weight = 1.0 / (JOINT * self.deviations[i]);
            self.misfit += (defect * weight).powi(2);
            let mut row = end.by_start[i * dim..(i + 1) * dim].to_vec();
            row.extend((0..dim).map(|k| if k == i { -1.0 } else { 0.0 }));
            row.extend(&end.by_theta[i * p..(i + 1) * p]);
            row.push(-defect);
            row.iter_mut().for_each(|value| *value *= weight);
            rows.push(row);
        }
        rows
    }

    /// Squared distance to the measured states in units of the noise, and of the joints in units of
    /// what they hold to.
    pub(super) fn misfit(&self) -> f64 {
        self.misfit
    }

    /// Root mean square residual of each coordinate over `count` points.
    pub(super) fn residuals(&self, count: usize) -> Vec<f64> {
        let parts = self.squares.iter().zip(&self.deviations);
        parts.map(|(square, deviation)| deviation * (square / count as f64).sqrt()).collect()
    }

    /// The Gauss-Newton step of the coefficients and of every segment's start; none if the data
    /// do not determine it.
    pub(super) fn step(&self) -> Option<(Vec<f64>, Vec<Vec<f64>>)> {
        let dim = self.deviations.len();
        if self.theta.len() < self.params {
            return None;
        }
        let theta = self.theta.coefficients();
        let mut starts: Vec<Vec<f64>> = vec![];
        for triangle in self.chain.iter().rev() {
            // The last segment of a trajectory has zeros for the next start.
            let next = starts.last().cloned().unwrap_or_else(|| vec![0.0; dim]);
            let known: Vec<f64> = next.into_iter().chain(theta.iter().copied()).collect();
            let own = DMatrix::from_fn(dim, dim, |i, k| triangle.row(i)[k]);
            let right = DVector::from_fn(dim, |i, _| {
                let row = &triangle.row(i)[dim..];
                let sum: f64 = row.iter().zip(&known).map(|(a, b)| a * b).sum();
                row[known.len()] - sum
            });
            starts.push(own.solve_upper_triangular(&right)?.as_slice().to_vec());
        }
        starts.reverse();
        Some((theta, starts))
    }

    /// Whether each part of a step is small against its standard error, or tiny against its coefficient,
    /// or in what it does to the states against these.
    pub(super) fn is_small(
        &self,
        step: &[f64],
        coefficients: &[f64],
        share: f64,
        tiny: f64,
    ) -> bool {
        let variances = self.theta.unit_variances();
        let signal = self.signal.sqrt();
        let mut parts = step.iter().zip(&variances).zip(coefficients).zip(&self.influence);
        parts.all(|(((step, variance), c), influence)| {
            step.abs() <= share * variance.sqrt()
                || step.abs() <= tiny * c.abs()
                || step.abs() * influence <= tiny * signal
        })
    }

    /// Variances of the coefficients.
    pub(super) fn variances(&self) -> Vec<f64> {
        self.theta.unit_variances()
    }
}
