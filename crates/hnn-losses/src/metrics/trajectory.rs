//! Errors of fields and of rollouts.

use hnn_data::DataSet;
use hnn_integrators::{At, FieldError, Scalar, VectorField, Workspace, coordinate_major, rows};
use ndarray::{
    Array, Array1, Array2, Array3, ArrayView, ArrayView1, ArrayView2, ArrayView3, ArrayViewD, Axis,
    Dimension, s,
};

use super::Spread;
use crate::LossError;
use crate::checks::{check_field, check_shape};
use crate::measure::within_turn;

/// Derivative MSE: the mean over rows of the mean over coordinates of `(f(t, x) - dx)^2`, for states
/// and derivatives of shape (N, D) at times `t` (N), each row's its own, of a field without inputs.
/// The spread is over rows.
///
/// # Errors
/// If the shapes differ, there is no row, the field has inputs, or it fails.
pub fn derivative_mse<T: Scalar, F: VectorField<T> + ?Sized>(
    field: &F,
    t: ArrayView1<'_, T>,
    x: ArrayView2<'_, T>,
    dx: ArrayView2<'_, T>,
) -> Result<Spread, LossError> {
    derivative_errors(field, (t, x.slice(s![.., ..0])), x, dx)
}

/// As [`derivative_mse`], at all points of a data set, with their inputs.
///
/// ```
/// use hnn_data::{DataSet, Trajectory};
/// use hnn_integrators::FnField;
/// use hnn_losses::metrics::derivative_mse_of;
/// use ndarray::array;
/// let integrator = FnField::with_inputs(1, 1, |_t: f64, _x: &[f64], u: &[f64], dx: &mut [f64]| {
///     dx[0] = u[0];
/// });
/// let states = Trajectory::new(vec![0.0, 1.0], array![[0.0], [1.0]], array![[1.0], [2.0]]);
/// let data = DataSet::new([Trajectory { inputs: array![[1.0], [5.0]], ..states }])?;
/// assert_eq!(derivative_mse_of(&integrator, &data)?.mean, (0.0 + 9.0) / 2.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the data have no derivatives, another dimension or another number of inputs than the field, or
/// the field fails.
pub fn derivative_mse_of<T: Scalar, F: VectorField<T> + ?Sized>(
    field: &F,
    data: &DataSet<T>,
) -> Result<Spread, LossError> {
    if data.derivatives().ncols() == 0 {
        return Err(LossError::NoDerivatives);
    }
    derivative_errors(
        field,
        (data.times().into(), data.inputs()),
        data.states(),
        data.derivatives(),
    )
}

fn derivative_errors<T: Scalar, F: VectorField<T> + ?Sized>(
    field: &F,
    (t, u): (ArrayView1<'_, T>, ArrayView2<'_, T>),
    x: ArrayView2<'_, T>,
    dx: ArrayView2<'_, T>,
) -> Result<Spread, LossError> {
    check_shape("derivatives", dx.shape(), x.shape(), "one derivative a state")?;
    check_shape("times", t.shape(), &[x.nrows()], "one time a state")?;
    check_shape("states", x.shape(), &[x.nrows(), field.dim()], "the dimension of the field")?;
    check_field(field, x.ncols(), u.ncols())?;
    let [lanes, u] = [x, u].map(coordinate_major);
    let mut f = vec![T::ZERO; lanes.len()];
    let at = At { t: &t.to_vec(), u: &u };
    field.eval(at, &lanes, &mut f, &mut Workspace::default())?;
    let f = rows(&f, x.nrows(), x.ncols());
    let squares = (&f - &dx).mapv(|e| (e * e).to_f64());
    spread_of_means(squares)
}

/// Coordinate MSE of rollouts: the mean of `(x_model(t) - x_true(t))^2` over coordinates and
/// times, for states of shape (M, T, D), or (T, D) of one rollout. The spread is over the `M`
/// trajectories.
///
/// # Errors
/// If the shapes differ or there is no trajectory.
pub fn coordinate_mse<D: Dimension>(
    model: ArrayView<'_, f64, D>,
    truth: ArrayView<'_, f64, D>,
) -> Result<Spread, LossError> {
    let squares = squares(rollouts(model, truth)?);
    let (m, t, d) = squares.dim();
    spread_of_means(squares.into_shape_with_order((m, t * d)).expect("a fresh array is contiguous"))
}

fn squares([model, truth]: [ArrayView3<'_, f64>; 2]) -> Array3<f64> {
    (&model - &truth).mapv(|e| e * e)
}

/// As [`coordinate_mse`], of trajectories with times of their own: those of a model
/// ([`DataSet::rollout_of`]) against those that were measured.
///
/// # Errors
/// If the trajectories have other lengths, or the states another dimension.
pub fn coordinate_mse_of<T: Scalar>(
    model: &DataSet<T>,
    truth: &DataSet<T>,
) -> Result<Spread, LossError> {
    let hint = "the points of the truth's trajectories";
    check_shape("model's trajectories", model.lengths(), truth.lengths(), hint)?;
    check_shape("model's states", model.states().shape(), truth.states().shape(), hint)?;
    let means = model.iter().zip(truth.iter()).map(|(model, truth)| {
        let squares = (&model.states - &truth.states).mapv(|e| (e * e).to_f64());
        squares.sum() / squares.len().max(1) as f64
    });
    Spread::new(&Vec::from_iter(means))
}

/// A model's states with each angle moved by whole turns to where it is nearest to the truth's:
/// what all other metrics then say is a distance modulo a turn.
///
/// `angles` says of each coordinate whether it is an angle (rad); the states are of any shape whose
/// last axis are the coordinates.
///
/// ```
/// use hnn_losses::metrics::{coordinate_mse, nearest_turns};
/// use ndarray::array;
/// // The model has gone round once more, and is 0.1 behind.
/// let turn = std::f64::consts::TAU;
/// let (model, truth) = (array![[[3.0 + turn, 0.5]]], array![[[3.1, 0.5]]]);
/// let model = nearest_turns(model.view(), truth.view(), &[true, false])?;
/// assert!((coordinate_mse(model.view(), truth.view())?.mean - 0.005).abs() < 1e-12);
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
///
/// # Errors
/// If the shapes differ, or there are more or fewer coordinates than `angles`.
pub fn nearest_turns<T: Scalar, D: Dimension>(
    model: ArrayView<'_, T, D>,
    truth: ArrayView<'_, T, D>,
    angles: &[bool],
) -> Result<Array<T, D>, LossError> {
    let hint = "the truth at the same times";
    check_shape("model's states", model.shape(), truth.shape(), hint)?;
    let coordinates = truth.shape().last().copied().unwrap_or_default();
    check_shape("angles", &[angles.len()], &[coordinates], "whether each coordinate is one")?;
    let mut nearest = model.to_owned();
    let lanes = nearest.lanes_mut(Axis(truth.ndim() - 1)).into_iter();
    for (mut model, truth) in lanes.zip(truth.lanes(Axis(truth.ndim() - 1))) {
        for (i, _) in angles.iter().enumerate().filter(|(_, is_angle)| **is_angle) {
            model[i] = truth[i] + within_turn(model[i] - truth[i]);
        }
    }
    Ok(nearest)
}

/// Energy MSE of rollouts: the mean of `(H(x_model(t)) - H(x_true(t)))^2` over times, with the
/// *true* system's energy, for states of shape (M, T, D), or (T, D) of one rollout. The spread is
/// over the `M` trajectories.
///
/// `energy` gives `H` of states of shape (T, D): of a system, `|x| system.energy_rows(x)`.
///
/// ```
/// use hnn_losses::metrics::energy_mse;
/// use ndarray::{Axis, array};
/// let (model, truth) = (array![[[1.0, 1.0]]], array![[[1.0, 0.5]]]);
/// // H = q^2 + p^2.
/// let energy = |x: ndarray::ArrayView2<f64>| Ok(x.mapv(|x| x * x).sum_axis(Axis(1)));
/// assert_eq!(energy_mse(energy, model.view(), truth.view())?.mean, 0.75 * 0.75);
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
///
/// # Errors
/// If the shapes differ, there is no trajectory, or the energy is undefined.
pub fn energy_mse<D: Dimension>(
    energy: impl Fn(ArrayView2<'_, f64>) -> Result<Array1<f64>, FieldError>,
    model: ArrayView<'_, f64, D>,
    truth: ArrayView<'_, f64, D>,
) -> Result<Spread, LossError> {
    energy_errors(&energy, rollouts(model, truth)?)
}

fn energy_errors(
    energy: Energy<'_>,
    [model, truth]: [ArrayView3<'_, f64>; 2],
) -> Result<Spread, LossError> {
    let difference = energies(energy, model)? - energies(energy, truth)?;
    spread_of_means(difference.mapv(|e| e * e))
}

/// Squared distance to the truth at each time, averaged over trajectories and coordinates: shape
/// (T), of states of shape (M, T, D), or (T, D) of one rollout; for plots of the error over time.
///
/// # Errors
/// If the shapes differ or there is no trajectory.
pub fn squared_errors<D: Dimension>(
    model: ArrayView<'_, f64, D>,
    truth: ArrayView<'_, f64, D>,
) -> Result<Array1<f64>, LossError> {
    Ok(means_over_trajectories(squares(rollouts(model, truth)?)))
}

fn means_over_trajectories(squares: Array3<f64>) -> Array1<f64> {
    let scale = 1.0 / (squares.len_of(Axis(0)) * squares.len_of(Axis(2))) as f64;
    squares.sum_axis(Axis(2)).sum_axis(Axis(0)) * scale
}

/// The energies of states of shape (B, D), a row a state.
pub(super) type Energy<'a> = &'a dyn Fn(ArrayView2<'_, f64>) -> Result<Array1<f64>, FieldError>;

/// `H` of states of shape (M, T, D): shape (M, T).
pub(super) fn energies(
    energy: Energy<'_>,
    x: ArrayView3<'_, f64>,
) -> Result<Array2<f64>, LossError> {
    let (m, t, _) = x.dim();
    let mut energies = Array2::zeros((m, t));
    for (x, mut row) in x.outer_iter().zip(energies.outer_iter_mut()) {
        let energy = energy(x)?;
        check_shape("energies", energy.shape(), &[t], "one energy a state")?;
        row.assign(&energy);
    }
    Ok(energies)
}

/// Rollouts of the same shape, (M, T, D), or (T, D) of one, as several.
pub(super) fn rollouts<'a, D: Dimension>(
    model: ArrayView<'a, f64, D>,
    truth: ArrayView<'a, f64, D>,
) -> Result<[ArrayView3<'a, f64>; 2], LossError> {
    pair(model.into_dyn(), truth.into_dyn())
}

fn pair<'a>(
    model: ArrayViewD<'a, f64>,
    truth: ArrayViewD<'a, f64>,
) -> Result<[ArrayView3<'a, f64>; 2], LossError> {
    check_shape("model's rollout", model.shape(), truth.shape(), "the truth at the same times")?;
    if truth.is_empty() {
        return Err(LossError::Empty { what: "rollouts" });
    }
    Ok([several(model)?, several(truth)?])
}

fn several(mut states: ArrayViewD<'_, f64>) -> Result<ArrayView3<'_, f64>, LossError> {
    if states.ndim() == 2 {
        states = states.insert_axis(Axis(0));
    }
    let given = states.shape().to_vec();
    states.into_dimensionality().map_err(|_| LossError::Rollout { given })
}

/// Means of the rows, and their spread.
fn spread_of_means(values: Array2<f64>) -> Result<Spread, LossError> {
    let means = values.mean_axis(Axis(1)).ok_or(LossError::Empty { what: "rows" })?;
    Spread::new(&means.to_vec())
}
