//! The loss of derivatives: equations (1) and (2) of the HNN literature.

mod rows;

use std::fmt;
use std::ops::Range;

use hnn_data::DataSet;
use hnn_integrators::{At, Bars, DifferentiableField, FieldObject, Scalar, compiled_here};
use ndarray::{ArrayView1, ArrayView2};

use self::rows::{Rows, Scratch};
use crate::blocks::{Blocks, on_all_threads};
use crate::checks::{check_field, check_finite, check_shape, coordinate_weights, selected};
use crate::compiled::{FieldLoss, loss_of_fields};
use crate::groups::Groups;
use crate::jacobian::FieldJacobian;
use crate::row_totals::RowTotals;
use crate::trajectory::Slopes;
use crate::{ErrorMeasure, LossError, ResidualLayout, ResidualRows, RowSelection};

/// The mean squared error of the field against measured derivatives,
/// `L = mean over rows and coordinates of (f(t, x, u; theta) - dx/dt)^2`.
///
/// For an HNN this is the loss of Greydanus et al. 2019,
/// `|dH/dq + dp/dt|^2 + |dH/dp - dq/dt|^2`; with friction in the field it is
/// `|dH/dq + F + dp/dt|^2 + |dH/dp - dq/dt|^2`. The papers write the sum of squares; this is the
/// mean over all `N * D` entries. [`with_error_measure`](Self::with_error_measure) takes another measure of the
/// errors than the square. Rows of a [data set](Self::from_data) come with their inputs `u`, for fields that
/// have some; [`with_inputs`](Self::with_inputs) adds them to arrays.
///
/// ```
/// use hnn_integrators::DualField;
/// use hnn_losses::{DerivativeLoss, Loss, RowSelection};
/// use ndarray::array;
/// // A spring whose stiffness k is to be found, now 2.
/// let model = DualField::new([2.0], |_t, [q, p]: [_; 2], [k]| [p, -k * q]);
/// // Two states of the spring k = 1, and their derivatives.
/// let x = array![[1.0, 0.0], [0.0, 0.5]];
/// let dx = array![[0.0, -1.0], [0.5, 0.0]];
/// let mut loss = DerivativeLoss::new(array![0.0, 0.0].view(), x.view(), dx.view())?;
/// let mut gradient = [0.0];
/// let value = loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut gradient)?;
/// // (k - 1)^2 / 4 and its derivative.
/// assert_eq!((value, gradient), (0.25, [0.5]));
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
pub struct DerivativeLoss<T> {
    rows: Rows<T>,
    measure: ErrorMeasure,
    blocks: Blocks<T, Scratch<T>>,
    groups: Groups,
    row_scratches: Vec<RowScratch<T>>,
    totals: RowTotals,
}

/// What a block of residuals needs.
type RowScratch<T> = (Scratch<T>, FieldJacobian<T>);

/// What it is made of, without the data.
impl<T> fmt::Debug for DerivativeLoss<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivativeLoss")
            .field("rows", &self.rows.t.len())
            .field("dim", &self.rows.dim)
            .field("inputs", &self.rows.inputs)
            .field("measure", &self.measure)
            .finish_non_exhaustive()
    }
}

impl<T: Scalar> DerivativeLoss<T> {
    /// From `N` samples: times (N), states (N, D) and derivatives (N, D).
    ///
    /// # Errors
    /// If there is no sample, the shapes differ, or a number is NaN or infinite.
    pub fn new(
        t: ArrayView1<'_, T>,
        x: ArrayView2<'_, T>,
        dx: ArrayView2<'_, T>,
    ) -> Result<Self, LossError> {
        type New<T> = fn(
            ArrayView1<'_, T>,
            ArrayView2<'_, T>,
            ArrayView2<'_, T>,
        ) -> Result<DerivativeLoss<T>, LossError>;
        compiled_here!(T => New<T>, DerivativeLoss::checked)(t, x, dx)
    }

    fn checked(
        t: ArrayView1<'_, T>,
        x: ArrayView2<'_, T>,
        dx: ArrayView2<'_, T>,
    ) -> Result<Self, LossError> {
        let rows = x.nrows();
        if x.is_empty() {
            return Err(LossError::Empty { what: "samples" });
        }
        check_shape("derivatives", dx.shape(), x.shape(), "one derivative a state")?;
        check_shape("times", t.shape(), &[rows], "one time a state")?;
        check_finite("times", t.to_owned().insert_axis(ndarray::Axis(1)).view())?;
        check_finite("states", x)?;
        check_finite("derivatives", dx)?;
        let rows = Rows {
            dim: x.ncols(),
            inputs: 0,
            t: t.to_vec(),
            x: x.iter().copied().collect(),
            u: Vec::new(),
            dx: dx.iter().copied().collect(),
            weights: vec![T::ONE; x.ncols()],
            precisions: Vec::new(),
        };
        Ok(Self {
            rows,
            measure: ErrorMeasure::default(),
            blocks: Blocks::default(),
            groups: Groups::default(),
            row_scratches: Vec::new(),
            totals: RowTotals::default(),
        })
    }

    /// From all points of a data set, with their inputs.
    ///
    /// ```
    /// use hnn_data::Recording;
    /// use hnn_integrators::DualField;
    /// use hnn_losses::{DerivativeLoss, Loss, RowSelection};
    /// // dv/dt = k u, of which a recording has the derivatives.
    /// let (t, v, a, u) = ([0.0, 1.0], [0.0, 3.0], [2.0, 4.0], [1.0, 2.0]);
    /// let columns = [("t", &t[..]), ("v", &v), ("a", &a), ("u", &u)];
    /// let reader = Recording::from_columns(columns).time("t").state("v").derivative("a").input("u");
    /// let data = reader.load()?.data_set()?;
    /// let model = DualField::with_inputs([1.0], |_t, [_v]: [_; 1], [u]: [_; 1], [k]| [k * u]);
    /// let value = DerivativeLoss::from_data(&data)?.value(&model, RowSelection::All)?;
    /// assert_eq!(value, (1.0 + 4.0) / 2.0);
    /// let deaf = DualField::new([1.0], |_t, [_v]: [_; 1], [k]| [k]);
    /// let mut loss = DerivativeLoss::from_data(&data)?;
    /// let error = loss.value(&deaf, RowSelection::All).expect_err("has no inputs");
    /// assert!(error.to_string().contains("the data have 1 inputs a row, but the field has 0"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If its derivatives are not known.
    pub fn from_data(data: &DataSet<T>) -> Result<Self, LossError> {
        if data.derivatives().ncols() == 0 {
            return Err(LossError::NoDerivatives);
        }
        Self::new(data.times().into(), data.states(), data.derivatives())?
            .with_inputs(data.inputs())
    }

    /// The same with the inputs `u` of each sample, shape (N, K).
    ///
    /// # Errors
    /// If there are more or fewer rows, or a number is NaN or infinite.
    pub fn with_inputs(mut self, u: ArrayView2<'_, T>) -> Result<Self, LossError> {
        check_shape("inputs", u.shape(), &[self.len(), u.ncols()], "one row of inputs a state")?;
        check_finite("inputs", u)?;
        self.rows.inputs = u.ncols();
        self.rows.u = u.iter().copied().collect();
        Ok(self)
    }

    /// The same with the cost of each error divided by the square of the standard error `sigma` of its
    /// derivative, shape (N, D): what is known well counts more. Those of a recording's derivatives are
    /// [`Differentiated::derivative_errors`](hnn_data::Differentiated::derivative_errors). The loss is
    /// then near 1 for the true field. Multiplies [weights of the coordinates](Self::with_coordinate_weights).
    ///
    /// ```
    /// use hnn_integrators::DualField;
    /// use hnn_losses::{DerivativeLoss, Loss, RowSelection};
    /// use ndarray::array;
    /// let (t, x, dx) = (array![0.0, 1.0], array![[1.0], [1.0]], array![[1.1], [3.0]]);
    /// let sigma = array![[0.1], [2.0]];
    /// let loss = DerivativeLoss::new(t.view(), x.view(), dx.view())?;
    /// let model = DualField::new([1.0], |_t, [x]: [_; 1], [k]| [k * x]);
    /// let value = loss.with_standard_errors(sigma.view())?.value(&model, RowSelection::All)?;
    /// assert!((value - 1.0).abs() < 1e-12);
    /// # Ok::<(), hnn_losses::LossError>(())
    /// ```
    ///
    /// # Errors
    /// If the shape differs, or a standard error is no positive number.
    pub fn with_standard_errors(mut self, sigma: ArrayView2<'_, T>) -> Result<Self, LossError> {
        let shape = [self.len(), self.rows.dim];
        check_shape("standard errors", sigma.shape(), &shape, "one for each derivative")?;
        let precision = |sigma: &T| (T::ONE / *sigma) * (T::ONE / *sigma);
        let possible = |sigma: &T| {
            let precision = precision(sigma);
            *sigma > T::ZERO && precision > T::ZERO && precision.is_finite()
        };
        if let Some(((row, _), sigma)) = sigma.indexed_iter().find(|(_, sigma)| !possible(sigma)) {
            return Err(LossError::StandardError { row, given: sigma.to_f64() });
        }
        self.rows.precisions = sigma.iter().map(precision).collect();
        Ok(self)
    }

    /// The same with the mean of another measure of the errors.
    ///
    /// # Errors
    /// If a threshold is not a positive number.
    pub fn with_error_measure(mut self, measure: ErrorMeasure) -> Result<Self, LossError> {
        if let ErrorMeasure::Huber { threshold } = measure
            && !(threshold > 0.0 && threshold.is_finite())
        {
            return Err(LossError::Weight { what: "Huber threshold", weight: threshold });
        }
        self.measure = measure;
        Ok(self)
    }

    /// The same with the costs of each coordinate multiplied by a weight of its own: derivatives in
    /// different units, or of different noise `sigma`, count alike with `1 / sigma^2`; one that was
    /// not measured counts nothing with 0.
    ///
    /// # Errors
    /// If there are more or fewer weights than coordinates, one is negative or not finite, or all are
    /// 0.
    pub fn with_coordinate_weights(mut self, weights: &[f64]) -> Result<Self, LossError> {
        self.rows.weights = coordinate_weights(weights, self.rows.dim)?;
        Ok(self)
    }

    /// Number of samples `N`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.t.len()
    }

    /// Whether there is no sample (never: the constructor refuses).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.t.is_empty()
    }
}

impl<T: Scalar> DerivativeLoss<T> {
    /// The times, states and inputs.
    pub(crate) fn samples(&self) -> [&[T]; 3] {
        [&self.rows.t, &self.rows.x, &self.rows.u]
    }

    /// The derivatives, to be compared elsewhere.
    pub(crate) fn slopes(&self, scale: T) -> Slopes<'_, T> {
        let Rows { dx, weights, precisions, .. } = &self.rows;
        Slopes { dx, measure: self.measure, weights, precisions, scale }
    }
}

loss_of_fields!(DerivativeLoss);

impl<T: Scalar> FieldLoss<T> for DerivativeLoss<T> {
    fn name(&self) -> &str {
        "derivative"
    }

    fn constant_values(&self) -> Vec<(String, f64)> {
        let (rows, own) = (&self.rows, self.num_rows());
        let entries = self.totals.rows(own) * rows.dim as f64;
        let means = self.totals.means(own, rows.sums());
        vec![(self.name().to_owned(), rows.constant_cost(self.measure, &means) / entries)]
    }

    fn noise_values(&self) -> Vec<(String, f64)> {
        if self.rows.precisions.is_empty() {
            return Vec::new();
        }
        // An error is of its standard error's size; in fewer rows than all, so much less of the mean.
        let share = self.num_rows() as f64 / self.totals.rows(self.num_rows());
        let weights: f64 = self.rows.weights.iter().map(|weight| weight.to_f64()).sum();
        vec![(self.name().to_owned(), share * weights / self.rows.dim as f64)]
    }

    fn num_rows(&self) -> usize {
        self.rows.t.len()
    }

    fn row_sums(&self, selection: RowSelection<'_>, sums: &mut Vec<f64>) -> Result<(), LossError> {
        RowTotals::append(selection, self.num_rows(), self.rows.sums(), sums)
    }

    fn set_row_sums(&mut self, sums: &mut &[f64]) -> Result<(), LossError> {
        self.totals.set(self.rows.dim, sums)
    }

    fn is_elsewhere(&self, selection: RowSelection<'_>) -> bool {
        self.totals.is_elsewhere(selection)
    }

    fn entries(&self, selection: RowSelection<'_>) -> Result<f64, LossError> {
        let own = selected(selection, self.num_rows())?;
        Ok(self.totals.selected(own) * self.rows.dim as f64)
    }

    fn sum(
        &mut self,
        field: &dyn FieldObject<T>,
        selection: RowSelection<'_>,
        scale: T,
        theta_bar: Option<&mut [T]>,
    ) -> Result<f64, LossError> {
        let Self { rows, measure, blocks, .. } = self;
        let measure = *measure;
        check_field(field, rows.dim, rows.inputs)?;
        let count = selected(selection, rows.t.len())?;
        blocks.run(count, field.block_len(), theta_bar, |items, scratch, theta_bar| {
            match selection {
                RowSelection::All => rows.gather(items, scratch),
                RowSelection::Rows(selected) => {
                    rows.gather(selected[items].iter().copied(), scratch);
                }
            }
            let Scratch { t, x, u, target, weights, f, x_bar, residuals, workspace } = scratch;
            let at = At { t, u };
            match theta_bar {
                None => field.eval(at, x, f, workspace)?,
                Some(_) => field.eval_kept(at, x, f, residuals)?,
            }
            let mut sum = 0.0;
            for ((f, target), weight) in f.iter_mut().zip(target).zip(weights) {
                let measure = measure.of_weight(*weight);
                let (cost, f_bar) = measure.compare(*f, *target, scale * *weight);
                sum += weight.to_f64() * cost;
                *f = f_bar;
            }
            if let Some(theta_bar) = theta_bar {
                field.vjp_kept(x, residuals, f, Bars::new(x_bar).with_theta(theta_bar))?;
            }
            Ok(sum)
        })
    }

    /// A group is a block of samples.
    fn layout(
        &mut self,
        field: &dyn FieldObject<T>,
        selection: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        let (name, Rows { dim, inputs, t, weights, .. }) = (self.name().to_owned(), &self.rows);
        if self.measure == ErrorMeasure::Absolute {
            return Err(LossError::NoResiduals { loss: name });
        }
        check_field(field, *dim, *inputs)?;
        self.groups = Groups::new(&name, (selection, t.len()), weights, field.block_len())?;
        Ok(self.groups.layout.clone())
    }

    /// The residual of the `c`-th coordinate that counts, of sample `b` of the `B` of a group, is
    /// number `c * B + b`.
    fn write(
        &mut self,
        field: &dyn FieldObject<T>,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        let Self { rows: data, measure, groups: all, row_scratches, totals, .. } = self;
        let params = field.num_params();
        all.layout.check(&groups, params, &rows)?;
        let scale = (1.0 / (totals.selected(all.len()) * data.dim as f64)).sqrt();
        let coordinates = &all.columns[..];
        let parts = all.layout.cut(params, rows, groups.map(|group| group..group + 1));
        on_all_threads(row_scratches, parts, |(scratch, jacobian), (group, rows)| {
            let samples = all.samples(group.start);
            data.gather(samples.iter().copied(), scratch);
            let (lanes, values) = (samples.len(), rows.values);
            let Scratch { t, x, u, target, weights, f, workspace, .. } = scratch;
            let at = At { t, u };
            let weighted = |row: usize, f: T| {
                let place = coordinates[row / lanes] * lanes + row % lanes;
                let (error, of_row) = (f - target[place], weights[place]);
                let of_error = measure.of_weight(of_row).weight(error.to_f64());
                let weight = T::from_f64(scale * (of_row.to_f64() * of_error).sqrt());
                (weight * error, weight)
            };
            match rows.jacobian {
                Some(out) => {
                    out.by_theta.fill(T::ZERO);
                    jacobian.evaluate(field, coordinates, (at, x), out.by_theta, |row, f| {
                        let weight;
                        (values[row], weight) = weighted(row, f);
                        weight
                    })?;
                }
                None => {
                    field.eval(at, x, f, workspace)?;
                    for (row, value) in values.iter_mut().enumerate() {
                        let at = coordinates[row / lanes] * lanes + row % lanes;
                        *value = weighted(row, f[at]).0;
                    }
                }
            }
            Ok(())
        })
    }
}
