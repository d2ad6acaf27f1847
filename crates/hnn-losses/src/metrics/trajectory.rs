//! Errors of fields and of rollouts.

use hnn_integrators::{Scalar, VectorField, Workspace, coordinate_major, rows};
use hnn_systems::Hamiltonian;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayView3, Axis};

use super::Spread;
use crate::LossError;
use crate::derivative::{check_field, check_shape};

/// Derivative MSE: the mean over rows of the mean over coordinates of `(f(t, x) - dx)^2`, for states
/// and derivatives of shape (N, D) at times of length N. The spread is over rows.
///
/// ```
/// use hnn_integrators::FnField;
/// use hnn_losses::metrics::derivative_mse;
/// use ndarray::array;
/// // x' = t, against derivatives of which the last is wrong by 2.
/// let ramp = FnField::new(1, |t, _x: &[f64], dx: &mut [f64]| dx[0] = t);
/// let (t, x, dx) = (array![0.0, 1.0], array![[5.0], [5.0]], array![[0.0], [3.0]]);
/// assert_eq!(derivative_mse(&ramp, t.view(), x.view(), dx.view())?.mean, 2.0);
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
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
    let (lanes, (batch, dim)) = (coordinate_major(x), x.dim());
    check_field(field, dim)?;
    let mut f = vec![T::ZERO; lanes.len()];
    field.eval(&t.to_vec(), &lanes, &mut f, &mut Workspace::default())?;
    let squares = (&rows(&f, batch, dim) - &dx).mapv(|e| (e * e).to_f64());
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
/// # Errors
/// If the shapes differ, there is no trajectory, or the energy is undefined.
pub fn energy_mse(
    system: &(impl Hamiltonian<f64> + ?Sized),
    model: ArrayView3<'_, f64>,
    truth: ArrayView3<'_, f64>,
) -> Result<Spread, LossError> {
    check_rollouts(model, truth)?;
    let difference = energies(system, model)? - energies(system, truth)?;
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
    system: &(impl Hamiltonian<f64> + ?Sized),
    x: ArrayView3<'_, f64>,
) -> Result<Array2<f64>, LossError> {
    let (m, t, dim) = x.dim();
    check_shape("states", &[dim], &[system.dim()], "the dimension of the system")?;
    let mut energies = Array2::zeros((m, t));
    for (x, mut row) in x.outer_iter().zip(energies.outer_iter_mut()) {
        let mut energy = vec![0.0; t];
        system.energy(&coordinate_major(x), &mut energy, &mut Default::default())?;
        row.assign(&Array1::from(energy));
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
