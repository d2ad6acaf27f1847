//! Errors of fields and of rollouts.

use hnn_integrators::{At, FieldError, Scalar, VectorField, Workspace, coordinate_major, rows};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayView3, Axis};

use super::Spread;
use crate::LossError;
use crate::derivative::check_shape;

/// Derivative MSE: the mean over rows of the mean over coordinates of `(f(x) - dx)^2`, for states
/// and derivatives of shape (N, D) at times `t` (N), each row's its own. The spread is over rows.
///
/// # Errors
/// If the shapes differ, there is no row, or the field fails.
pub fn derivative_mse<T: Scalar, F: VectorField<T> + ?Sized>(
    field: &F,
    t: ArrayView1<'_, T>,
    x: ArrayView2<'_, T>,
    dx: ArrayView2<'_, T>,
) -> Result<Spread, LossError> {
    check_shape("derivatives", dx.shape(), x.shape(), "one derivative a state")?;
    check_shape("times", t.shape(), &[x.nrows()], "one time a state")?;
    check_shape("states", x.shape(), &[x.nrows(), field.dim()], "the dimension of the field")?;
    let lanes = coordinate_major(x);
    let mut f = vec![T::ZERO; lanes.len()];
    field.eval(At::time(&t.to_vec()), &lanes, &mut f, &mut Workspace::default())?;
    let f = rows(&f, x.nrows(), x.ncols());
    let squares = (&f - &dx).mapv(|e| (e * e).to_f64());
    spread_of_means(squares)
}

/// Coordinate MSE of rollouts: the mean of `(x_model(t) - x_true(t))^2` over coordinates and
/// times, for states of shape (M, T, D). The spread is over the `M` trajectories.
///
/// # Errors
/// If the shapes differ or there is no trajectory.
pub fn coordinate_mse(
    model: ArrayView3<'_, f64>,
    truth: ArrayView3<'_, f64>,
) -> Result<Spread, LossError> {
    check_rollouts(model, truth)?;
    let squares = (&model - &truth).mapv(|e| e * e);
    let (m, t, d) = squares.dim();
    spread_of_means(squares.into_shape_with_order((m, t * d)).expect("a fresh array is contiguous"))
}

/// Energy MSE of rollouts: the mean of `(H(x_model(t)) - H(x_true(t)))^2` over times, with the
/// *true* system's energy, for states of shape (M, T, D). The spread is over the `M` trajectories.
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
pub fn energy_mse(
    energy: impl Fn(ArrayView2<'_, f64>) -> Result<Array1<f64>, FieldError>,
    model: ArrayView3<'_, f64>,
    truth: ArrayView3<'_, f64>,
) -> Result<Spread, LossError> {
    check_rollouts(model, truth)?;
    let difference = energies(&energy, model)? - energies(&energy, truth)?;
    spread_of_means(difference.mapv(|e| e * e))
}

/// Squared distance to the truth at each time, averaged over trajectories and coordinates: shape
/// (T), for plots of the error over time.
///
/// # Errors
/// If the shapes differ or there is no trajectory.
pub fn squared_errors(
    model: ArrayView3<'_, f64>,
    truth: ArrayView3<'_, f64>,
) -> Result<Array1<f64>, LossError> {
    check_rollouts(model, truth)?;
    let squares = (&model - &truth).mapv(|e| e * e);
    let scale = 1.0 / (squares.len_of(Axis(0)) * squares.len_of(Axis(2))) as f64;
    Ok(squares.sum_axis(Axis(2)).sum_axis(Axis(0)) * scale)
}

/// `H` of states of shape (M, T, D): shape (M, T).
pub(super) fn energies(
    energy: impl Fn(ArrayView2<'_, f64>) -> Result<Array1<f64>, FieldError>,
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

pub(super) fn check_rollouts(
    model: ArrayView3<'_, f64>,
    truth: ArrayView3<'_, f64>,
) -> Result<(), LossError> {
    check_shape("model's rollout", model.shape(), truth.shape(), "the truth at the same times")?;
    if truth.is_empty() {
        return Err(LossError::Empty { what: "rollouts" });
    }
    Ok(())
}

/// Means of the rows, and their spread.
fn spread_of_means(values: Array2<f64>) -> Result<Spread, LossError> {
    let means = values.mean_axis(Axis(1)).ok_or(LossError::Empty { what: "rows" })?;
    Spread::of(&means.to_vec())
}
