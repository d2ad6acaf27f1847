//! The trajectory losses as tensors: the independent check of the discrete adjoint.

use hnn_integrators::FieldError;
use ndarray::{ArrayView, Dimension};
use tch::{Kind, Reduction, Tensor};

use crate::device;
use crate::tensors::{TensorField, gradients, numbers};

/// A vector field on tensors of states of shape (B, D).
pub(crate) type Field<'a> = dyn Fn(&Tensor) -> Result<Tensor, FieldError> + 'a;

/// States as a tensor of the same shape, on the tests' device.
pub(crate) fn states<D: Dimension>(x: ArrayView<'_, f64, D>) -> Tensor {
    let shape: Vec<i64> = x.shape().iter().map(|&len| len as i64).collect();
    Tensor::from_slice(&x.iter().copied().collect::<Vec<f64>>())
        .view(&shape[..])
        .to_device(device())
}

/// The state one step of the classical Runge-Kutta method of order 4 later.
pub(crate) fn next_point(field: &Field<'_>, x: &Tensor, dt: f64) -> Result<Tensor, FieldError> {
    let k1 = field(x)?;
    let k2 = field(&(x + &k1 * (dt / 2.0)))?;
    let k3 = field(&(x + &k2 * (dt / 2.0)))?;
    let k4 = field(&(x + &k3 * dt))?;
    Ok(x + (k1 + 2.0 * k2 + 2.0 * k3 + k4) * (dt / 6.0))
}

/// Mean over all entries of `(f(x) - dx)^2`, `x` and `dx` of shape (B, D).
pub(crate) fn derivative_loss(
    field: &Field<'_>,
    x: &Tensor,
    dx: &Tensor,
) -> Result<Tensor, FieldError> {
    Ok(field(x)?.mse_loss(dx, Reduction::Mean))
}

/// From every measured state one step, compared with the next; `x` of shape (M, T, D). A
/// trajectory's last state has no successor: its row has weight 0. The sum is divided by the
/// `(M T - 1) D` entries that the masked mean is taken of, those of weight 0 included.
pub(crate) fn one_step_loss(field: &Field<'_>, x: &Tensor, dt: f64) -> Result<Tensor, FieldError> {
    let (m, t, d) = x.size3().expect("three axes");
    let rows = x.reshape([m * t, d]);
    let (now, next) = (rows.narrow(0, 0, m * t - 1), rows.narrow(0, 1, m * t - 1));
    let index = Tensor::arange_start(1, m * t, (Kind::Int64, x.device()));
    let inside = index.remainder(t).ne(0).to_kind(x.kind()).unsqueeze(1);
    let difference = (next_point(field, &now, dt)? - next) * inside;
    Ok(difference.square().mean(x.kind()))
}

/// `T - 1` chained steps from the first state of every trajectory, mean over the `M (T - 1) D`
/// entries of the squared distance to the measured states; `x` of shape (M, T, D).
pub(crate) fn full_trajectory_loss(
    field: &Field<'_>,
    x: &Tensor,
    dt: f64,
) -> Result<Tensor, FieldError> {
    let t = x.size()[1];
    let mut state = x.select(1, 0);
    let mut predicted = Vec::new();
    for _ in 1..t {
        state = next_point(field, &state, dt)?;
        predicted.push(state.shallow_clone());
    }
    let measured = x.narrow(1, 1, t - 1);
    Ok(Tensor::stack(&predicted, 1).mse_loss(&measured, Reduction::Mean))
}

/// The value of a loss that is written in tensors, and its gradient by the flat parameter vector.
pub(crate) fn value_and_gradient(
    model: &impl TensorField,
    loss: impl FnOnce(&Field<'_>) -> Result<Tensor, FieldError>,
) -> (f64, Vec<f64>) {
    let loss = loss(&|x| model.tensor_field(x)).expect("defined");
    let params = model.tensor_params();
    let found = gradients(&loss, &params.iter().collect::<Vec<_>>());
    (numbers(&[loss])[0], numbers(&found))
}
