//! The loss of torques: inverse dynamics.

use std::fmt;
use std::ops::Range;

use hnn_data::DataSet;
use hnn_integrators::{
    At, Bars, DifferentiableField, FieldObject, Kept, Scalar, ThetaBar, Workspace,
};

use crate::blocks::{Blocks, on_all_threads};
use crate::checks::{check_field, coordinate_weights, selected};
use crate::compiled::{FieldLoss, loss_of_fields};
use crate::groups::Groups;
use crate::row_totals::RowTotals;
use crate::{LossError, ResidualLayout, ResidualRows, RowSelection};

/// The mean squared error of the inputs that a field needs for the measured motion, against the
/// measured ones: `L = mean over rows and inputs of (u(x, dx/dt; theta) - u)^2`.
///
/// Of a field `f = f_0(x) + B(x) u` with an input for each momentum or velocity, the second half of
/// the state, the inputs that the motion needs are `B^-1 (dx/dt - f_0)`: of an
/// LNN `M dv/dt + C - F`, of an HNN with a port
/// `G^-1 (dp/dt + dH/dq - Q)`. Its errors are in the units of the inputs.
///
/// Take it where the noise is in the measured torques: [`DerivativeLoss`](crate::DerivativeLoss) takes these for
/// exact, and finds too large an inertia. The motion must be known well; velocities and
/// accelerations of measured angles are those of
/// [`Recording::differentiate`](hnn_data::Recording::differentiate). The first half of the field,
/// `dq/dt`, is not looked at; where it is to be learned, as of an HNN, add a derivative loss.
///
/// ```
/// use hnn_data::{DataSet, Trajectory};
/// use hnn_integrators::DualField;
/// use hnn_losses::{Loss, RowSelection, TorqueLoss};
/// use ndarray::array;
/// // I v' = u - b v, with I = 2 and b = 0.5; the model takes I for 3.
/// let model = DualField::with_inputs([3.0, 0.5], |_t, [_q, v]: [_; 2], [u]: [_; 1], [inertia, b]| {
///     [v, (u - b * v) / inertia]
/// });
/// let motion = Trajectory::new(vec![0.0], array![[0.0, 2.0]], array![[2.0, 0.25]]);
/// let data = DataSet::new([Trajectory { inputs: array![[1.5]], ..motion }])?;
/// let (mut loss, mut gradient) = (TorqueLoss::from_data(&data)?, [0.0_f64; 2]);
/// let value: f64 = loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut gradient)?;
/// // The torque needed is I v' + b v = 1.75.
/// assert!((value - 0.25 * 0.25).abs() < 1e-12);
/// assert!((gradient[0] - 2.0 * 0.25 * 0.25).abs() < 1e-12); // 2 r v'
/// assert!((gradient[1] - 2.0 * 0.25 * 2.0).abs() < 1e-12); // 2 r v
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TorqueLoss<T> {
    rows: Rows<T>,
    blocks: Blocks<T, Scratch<T>>,
    scratches: Vec<Scratch<T>>,
    groups: Groups,
    totals: RowTotals,
}

/// The data, a row a sample.
struct Rows<T> {
    /// Number of inputs, half the dimension.
    n: usize,
    t: Vec<T>,
    x: Vec<T>,
    /// The derivatives of the second half of the state.
    dv: Vec<T>,
    u: Vec<T>,
    /// The size of each input.
    sizes: Vec<T>,
    weights: Vec<T>,
}

/// A block's samples, each with several inputs: none, each one alone, and the measured ones.
#[derive(Default)]
struct Scratch<T> {
    t: Vec<T>,
    x: Vec<T>,
    u: Vec<T>,
    f: Vec<T>,
    /// The cotangents of the field, and of the states.
    v: Vec<T>,
    x_bar: Vec<T>,
    /// The inputs that each sample needs.
    needed: Vec<T>,
    /// `B^-1` of each sample, row by row.
    inverses: Vec<T>,
    by_theta: Vec<T>,
    residuals: Kept,
    workspace: Workspace<T>,
}

/// What it is made of, without the data.
impl<T> fmt::Debug for TorqueLoss<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rows { n, t, .. } = &self.rows;
        f.debug_struct("TorqueLoss")
            .field("rows", &t.len())
            .field("inputs", n)
            .finish_non_exhaustive()
    }
}

impl<T: Scalar> TorqueLoss<T> {
    /// Of all points of a data set, with their derivatives and inputs.
    ///
    /// # Errors
    /// If its derivatives are not known, or there are not half as many inputs as coordinates.
    pub fn from_data(data: &DataSet<T>) -> Result<Self, LossError> {
        let (dim, n) = (data.dim(), data.inputs().ncols());
        if data.derivatives().ncols() == 0 {
            return Err(LossError::NoDerivatives);
        }
        if n == 0 || 2 * n != dim {
            return Err(LossError::NotActuated { inputs: n, dim });
        }
        let size = |k: usize| {
            let column = data.inputs().column(k).to_owned();
            let most = column.iter().fold(T::ZERO, |most, u| Scalar::max(most, u.abs()));
            if most > T::ZERO { most } else { T::ONE }
        };
        let rows = Rows {
            n,
            t: data.times().to_vec(),
            x: data.states().iter().copied().collect(),
            dv: data.derivatives().slice(ndarray::s![.., n..]).iter().copied().collect(),
            u: data.inputs().iter().copied().collect(),
            sizes: (0..n).map(size).collect(),
            weights: vec![T::ONE; n],
        };
        let (blocks, scratches, groups) = (Blocks::default(), Vec::new(), Groups::default());
        Ok(Self { rows, blocks, scratches, groups, totals: RowTotals::default() })
    }

    /// The same with the squared errors of each input multiplied by a weight of its own, such as
    /// `1 / sigma^2` of its noise.
    ///
    /// # Errors
    /// If there are more or fewer weights than inputs, one is negative or not finite, or all are 0.
    pub fn with_input_weights(mut self, weights: &[f64]) -> Result<Self, LossError> {
        self.rows.weights = coordinate_weights(weights, self.rows.n)?;
        Ok(self)
    }
}

impl<T: Scalar> Rows<T> {
    /// The measured numbers of an input.
    fn inputs(&self, k: usize) -> impl Iterator<Item = f64> {
        self.u[k..].iter().step_by(self.n).map(|u| u.to_f64())
    }

    /// The sum of each input.
    fn sums(&self) -> impl Iterator<Item = f64> {
        (0..self.n).map(|k| self.inputs(k).sum())
    }

    /// The sum of the costs of constants in place of the inputs that the field needs.
    fn constant_cost(&self, constants: &[f64]) -> f64 {
        let of = |(k, constant): (usize, &f64)| {
            let squares = self.inputs(k).map(|u| (u - constant).powi(2));
            self.weights[k].to_f64() * squares.sum::<f64>()
        };
        constants.iter().enumerate().map(of).sum()
    }

    /// Samples of a block: each is evaluated with several inputs.
    fn block_len(&self, field: &dyn FieldObject<T>) -> usize {
        (field.block_len() / (self.n + 2)).max(1)
    }

    /// Evaluates the field at some samples, `repeats` times with all inputs, and finds the inputs
    /// that they need. The cotangents of the field are 0.
    fn evaluate(
        &self,
        field: &dyn FieldObject<T>,
        samples: &[usize],
        repeats: usize,
        record: bool,
        scratch: &mut Scratch<T>,
    ) -> Result<(), LossError> {
        let (n, lanes) = (self.n, samples.len());
        let batch = repeats * (n + 2) * lanes;
        let Scratch { t, x, u, f, v, x_bar, .. } = scratch;
        t.resize(batch, T::ZERO);
        u.resize(n * batch, T::ZERO);
        for buffer in [&mut *x, f, v, x_bar] {
            buffer.resize(2 * n * batch, T::ZERO);
        }
        v.fill(T::ZERO);
        for place in 0..batch {
            let (sample, inputs) = (samples[place % lanes], place / lanes % (n + 2));
            t[place] = self.t[sample];
            for i in 0..2 * n {
                x[i * batch + place] = self.x[sample * 2 * n + i];
            }
            for k in 0..n {
                u[k * batch + place] = match inputs {
                    measured if measured == n + 1 => self.u[sample * n + k],
                    one if one == k + 1 => self.sizes[k],
                    _ => T::ZERO,
                };
            }
        }
        let at = At { t, u };
        if record {
            field.eval_kept(at, x, f, &mut scratch.residuals)?;
        } else {
            field.eval(at, x, f, &mut scratch.workspace)?;
        }
        scratch.needed.resize(lanes * n, T::ZERO);
        scratch.inverses.resize(lanes * n * n, T::ZERO);
        samples
            .iter()
            .enumerate()
            .try_for_each(|(lane, sample)| self.find_inputs(*sample, lane, [batch, lanes], scratch))
    }

    /// The inputs that a sample needs.
    fn find_inputs(
        &self,
        sample: usize,
        lane: usize,
        [batch, lanes]: [usize; 2],
        Scratch { f, needed, inverses, .. }: &mut Scratch<T>,
    ) -> Result<(), LossError> {
        let n = self.n;
        let slope = |inputs: usize, i: usize| f[(n + i) * batch + inputs * lanes + lane];
        let gain = |i: usize, k: usize| (slope(k + 1, i) - slope(0, i)) / self.sizes[k];
        let inverse = &mut inverses[lane * n * n..][..n * n];
        let mut matrix: Vec<T> = (0..n * n).map(|at| gain(at / n, at % n)).collect();
        // Up to rounding of the slopes that the gains are differences of.
        let slack = T::EPSILON.sqrt();
        for i in 0..n {
            let gains = (0..n).map(|k| gain(i, k) * self.u[sample * n + k]);
            let size = (0..n + 2).map(|inputs| slope(inputs, i).abs()).sum::<T>();
            let error = slope(0, i) + gains.sum() - slope(n + 1, i);
            if error.abs() > slack * size {
                return Err(LossError::NotAffine { row: sample });
            }
        }
        if !invert(&mut matrix, inverse, n) {
            return Err(LossError::Unactuated { row: sample });
        }
        for k in 0..n {
            let rest = |i: usize| self.dv[sample * n + i] - slope(0, i);
            needed[lane * n + k] = (0..n).map(|i| inverse[k * n + i] * rest(i)).sum();
        }
        Ok(())
    }

    /// Input `k` that a sample needs, minus the measured one.
    fn error(&self, sample: usize, lane: usize, k: usize, scratch: &Scratch<T>) -> T {
        scratch.needed[lane * self.n + k] - self.u[sample * self.n + k]
    }

    /// **Adds** to the cotangents of the field, in one of the repeats, what the cotangent of an
    /// error makes of it: with `needed = B^-1 (dv - f_0)`, `d needed = -B^-1 (d f_0 + dB needed)`.
    fn pull_back(
        &self,
        lanes: usize,
        lane: usize,
        [repeat, k]: [usize; 2],
        bar: T,
        Scratch { t, v, needed, inverses, .. }: &mut Scratch<T>,
    ) {
        let (n, batch) = (self.n, t.len());
        for i in 0..n {
            let lambda = bar * inverses[(lane * n + k) * n + i];
            let place = (n + i) * batch + repeat * (n + 2) * lanes + lane;
            v[place] -= lambda;
            for j in 0..n {
                let share = lambda * needed[lane * n + j] / self.sizes[j];
                v[place] += share;
                v[place + (j + 1) * lanes] -= share;
            }
        }
    }
}

loss_of_fields!(TorqueLoss);

impl<T: Scalar> FieldLoss<T> for TorqueLoss<T> {
    fn name(&self) -> &str {
        "torque"
    }

    fn constant_values(&self) -> Vec<(String, f64)> {
        let (rows, own) = (&self.rows, self.num_rows());
        let entries = self.totals.rows(own) * rows.n as f64;
        let means = self.totals.means(own, rows.sums());
        vec![(self.name().to_owned(), rows.constant_cost(&means) / entries)]
    }

    fn is_elsewhere(&self, selection: RowSelection<'_>) -> bool {
        self.totals.is_elsewhere(selection)
    }

    fn entries(&self, selection: RowSelection<'_>) -> Result<f64, LossError> {
        let own = selected(selection, self.num_rows())?;
        Ok(self.totals.selected(own) * self.rows.n as f64)
    }

    fn num_rows(&self) -> usize {
        self.rows.t.len()
    }

    fn row_sums(&self, selection: RowSelection<'_>, sums: &mut Vec<f64>) -> Result<(), LossError> {
        RowTotals::append(selection, self.num_rows(), self.rows.sums(), sums)
    }

    fn set_row_sums(&mut self, sums: &mut &[f64]) -> Result<(), LossError> {
        self.totals.set(self.rows.n, sums)
    }

    fn sum(
        &mut self,
        field: &dyn FieldObject<T>,
        selection: RowSelection<'_>,
        scale: T,
        theta_bar: Option<&mut [T]>,
    ) -> Result<f64, LossError> {
        let Self { rows, blocks, .. } = self;
        let twice = scale + scale;
        check_field(field, 2 * rows.n, rows.n)?;
        let count = selected(selection, rows.t.len())?;
        blocks.run(count, rows.block_len(field), theta_bar, |items, scratch, theta_bar| {
            let samples: Vec<usize> = match selection {
                RowSelection::All => items.collect(),
                RowSelection::Rows(chosen) => chosen[items].to_vec(),
            };
            rows.evaluate(field, &samples, 1, theta_bar.is_some(), scratch)?;
            let mut sum = 0.0;
            for (lane, sample) in samples.iter().enumerate() {
                for k in 0..rows.n {
                    let error = rows.error(*sample, lane, k, scratch);
                    sum += (rows.weights[k] * error * error).to_f64();
                    let bar = twice * rows.weights[k] * error;
                    rows.pull_back(samples.len(), lane, [0, k], bar, scratch);
                }
            }
            if let Some(theta_bar) = theta_bar {
                let Scratch { x, v, x_bar, residuals, .. } = scratch;
                field.vjp_kept(x, residuals, v, Bars::new(x_bar).with_theta(theta_bar))?;
            }
            Ok(sum)
        })
    }

    /// A group is a block of samples; the residual of the `c`-th input that counts, of sample `b` of
    /// its `B`, is number `c * B + b`.
    fn layout(
        &mut self,
        field: &dyn FieldObject<T>,
        selection: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        let Rows { n, t, weights, .. } = &self.rows;
        check_field(field, 2 * n, *n)?;
        let block = self.rows.block_len(field);
        self.groups = Groups::new("torque", (selection, t.len()), weights, block)?;
        Ok(self.groups.layout.clone())
    }

    fn write(
        &mut self,
        field: &dyn FieldObject<T>,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        let Self { rows: data, groups: all, scratches, totals, .. } = self;
        let params = field.num_params();
        all.layout.check(&groups, params, &rows)?;
        let inputs = &all.columns[..];
        let scale = (1.0 / (totals.selected(all.len()) * data.n as f64)).sqrt();
        let factor = |k: usize| T::from_f64(scale * data.weights[k].to_f64().sqrt());
        let parts = all.layout.cut(params, rows, groups.map(|group| group..group + 1));
        on_all_threads(scratches, parts, |scratch, (group, rows)| {
            let samples = all.samples(group.start);
            let (lanes, wanted) = (samples.len(), rows.jacobian.is_some());
            let repeats = if wanted { inputs.len() } else { 1 };
            data.evaluate(field, samples, repeats, wanted, scratch)?;
            for (row, value) in rows.values.iter_mut().enumerate() {
                let (k, lane) = (inputs[row / lanes], row % lanes);
                *value = factor(k) * data.error(samples[lane], lane, k, scratch);
                if wanted {
                    data.pull_back(lanes, lane, [row / lanes, k], factor(k), scratch);
                }
            }
            let Some(jacobian) = rows.jacobian else { return Ok(()) };
            let Scratch { t, x, v, x_bar, by_theta, residuals, .. } = scratch;
            by_theta.clear();
            by_theta.resize(t.len() * params, T::ZERO);
            let bars = Bars::new(x_bar).with_theta(ThetaBar::rows(by_theta, params));
            field.vjp_kept(x, residuals, v, bars)?;
            jacobian.by_theta.fill(T::ZERO);
            for (place, of_place) in by_theta.chunks_exact(params.max(1)).enumerate() {
                let row = place / ((data.n + 2) * lanes) * lanes + place % lanes;
                let out = &mut jacobian.by_theta[row * params..][..params];
                out.iter_mut().zip(of_place).for_each(|(out, share)| *out += *share);
            }
            Ok(())
        })
    }
}

/// The inverse of a matrix of `n` rows, by Gauss and Jordan with pivots; the matrix is spent. False
/// if it has none.
fn invert<T: Scalar>(matrix: &mut [T], inverse: &mut [T], n: usize) -> bool {
    inverse.fill(T::ZERO);
    (0..n).for_each(|i| inverse[i * n + i] = T::ONE);
    for column in 0..n {
        let size = |row: &usize| matrix[row * n + column].abs().to_f64();
        let Some(pivot) = (column..n).max_by(|a, b| size(a).total_cmp(&size(b))) else {
            return false;
        };
        let factor = T::ONE / matrix[pivot * n + column];
        if !factor.is_finite() {
            return false;
        }
        for numbers in [&mut *matrix, &mut *inverse] {
            (0..n).for_each(|k| numbers.swap(pivot * n + k, column * n + k));
            (0..n).for_each(|k| numbers[column * n + k] *= factor);
        }
        for row in (0..n).filter(|row| *row != column) {
            let share = matrix[row * n + column];
            for numbers in [&mut *matrix, &mut *inverse] {
                for k in 0..n {
                    let above = numbers[column * n + k];
                    numbers[row * n + k] -= share * above;
                }
            }
        }
    }
    true
}
