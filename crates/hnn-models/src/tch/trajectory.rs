//! Trajectory losses as tensors, computed wholly in libtorch and differentiated by it
//! alone: the independent check of the discrete adjoint, and the way to train on a GPU with no
//! transfer but the flat parameters and their gradient.
//!
//! | what | here |
//! |---|---|
//! | the increment of a step of RK4, and the next state | [`rk4`], [`next_point`] |
//! | the one-step loss, masked at the ends of trajectories | [`one_step_loss`] |
//! | the loss over the whole trajectory | [`full_trajectory_loss`] |
//!
//! ```
//! use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
//! use hnn_models::tch::{TchEnergy, trajectory};
//! use tch::Device;
//!
//! let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1);
//! let model = Hnn::new(TchEnergy::mlp(network, Device::Cpu)?)?;
//! // One trajectory of three states (q, p), 0.1 apart.
//! let states = ndarray::array![[[1.0, 0.0], [0.98, -0.2], [0.92, -0.39]]];
//! let x = trajectory::states(states.view(), Device::Cpu)?;
//! let (loss, gradient) = trajectory::value_and_gradient(&model, |field| {
//!     trajectory::full_trajectory_loss(field, &x, 0.1)
//! })?;
//! assert!(loss > 0.0 && gradient.len() == 64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use hnn_integrators::FieldError;
use ndarray::{ArrayView, Dimension};
use tch::{Device, Kind, Reduction, Tensor};

use super::network::{Graph, engine, failed, flatten, gradients};
use super::{TchScalar, TensorField};

/// A vector field on tensors of states of shape (B, D).
pub type Field<'a> = dyn Fn(&Tensor) -> Result<Tensor, FieldError> + 'a;

/// States as a tensor of the same shape on a device.
///
/// # Errors
/// If the device fails.
pub fn states<T: TchScalar, D: Dimension>(
    x: ArrayView<'_, T, D>,
    device: Device,
) -> Result<Tensor, FieldError> {
    let shape: Vec<i64> = x.shape().iter().map(|&len| len as i64).collect();
    let numbers: Vec<T> = x.iter().copied().collect();
    let tensor = Tensor::f_from_slice(&numbers).and_then(|t| t.f_view(&shape[..]));
    tensor.and_then(|t| t.f_to_device(device)).map_err(engine)
}

/// The increment of a step of the classical Runge-Kutta method of order 4: `x(t + dt) - x(t)`.
///
/// # Errors
/// If the field fails.
pub fn rk4(field: &Field<'_>, x: &Tensor, dt: f64) -> Result<Tensor, FieldError> {
    let k1 = field(x)?;
    let k2 = field(&(x + &k1 * (dt / 2.0)))?;
    let k3 = field(&(x + &k2 * (dt / 2.0)))?;
    let k4 = field(&(x + &k3 * dt))?;
    Ok((k1 + 2.0 * k2 + 2.0 * k3 + k4) * (dt / 6.0))
}

/// The state one step of [`rk4`] later.
///
/// # Errors
/// If the field fails.
pub fn next_point(field: &Field<'_>, x: &Tensor, dt: f64) -> Result<Tensor, FieldError> {
    Ok(x + rk4(field, x, dt)?)
}

/// Mean over all entries of `(f(x) - dx)^2`, `x` and `dx` of shape (B, D).
///
/// # Errors
/// If the field fails.
pub fn derivative_loss(field: &Field<'_>, x: &Tensor, dx: &Tensor) -> Result<Tensor, FieldError> {
    field(x)?.f_mse_loss(dx, Reduction::Mean).map_err(engine)
}

/// The one-step loss: from every measured state one step, compared with the next measured state.
///
/// `x` has shape (M, T, D): M trajectories of T states, `dt` apart. A trajectory's last state has
/// no successor: its row has weight 0. The sum is divided by the `(M T - 1) D` entries, those of
/// weight 0 included.
///
/// # Errors
/// If `x` has another shape, or the field fails.
pub fn one_step_loss(field: &Field<'_>, x: &Tensor, dt: f64) -> Result<Tensor, FieldError> {
    let (m, t, d) = trajectories(x)?;
    let rows = x.reshape([m * t, d]);
    let (now, next) = (rows.narrow(0, 0, m * t - 1), rows.narrow(0, 1, m * t - 1));
    let index = Tensor::arange_start(1, m * t, (Kind::Int64, x.device()));
    let inside = index.remainder(t).ne(0).to_kind(x.kind()).unsqueeze(1);
    let difference = (next_point(field, &now, dt)? - next) * inside;
    Ok(difference.square().mean(x.kind()))
}

/// The full-trajectory loss: `T - 1` chained steps from the first state of every trajectory, mean
/// over the `M (T - 1) D` entries of the squared distance to the measured states.
///
/// `x` has shape (M, T, D): M trajectories of T states, `dt` apart.
///
/// # Errors
/// If `x` has another shape, or the field fails.
pub fn full_trajectory_loss(field: &Field<'_>, x: &Tensor, dt: f64) -> Result<Tensor, FieldError> {
    let (_, t, _) = trajectories(x)?;
    let mut state = x.select(1, 0);
    let mut predicted = Vec::new();
    for _ in 1..t {
        state = next_point(field, &state, dt)?;
        predicted.push(state.shallow_clone());
    }
    let measured = x.narrow(1, 1, t - 1);
    Tensor::stack(&predicted, 1).f_mse_loss(&measured, Reduction::Mean).map_err(engine)
}

fn trajectories(x: &Tensor) -> Result<(i64, i64, i64), FieldError> {
    match x.size()[..] {
        [m, t, d] if m > 0 && t > 1 => Ok((m, t, d)),
        _ => Err(failed(format!(
            "trajectories of shape {:?}: give (M, T, D), M of them with T >= 2 states each",
            x.size()
        ))),
    }
}

/// The value of a loss that is written in tensors, and its gradient with respect to the model's
/// flat parameter vector.
///
/// # Errors
/// If the loss fails, or is no single number.
pub fn value_and_gradient<T: TchScalar>(
    model: &impl TensorField<T>,
    loss: impl FnOnce(&Field<'_>) -> Result<Tensor, FieldError>,
) -> Result<(T, Vec<T>), FieldError> {
    tch::with_grad(|| {
        let loss = loss(&|x| model.tensor_field(x))?;
        let params = model.tensor_params();
        let found = gradients(&loss, &params.iter().collect::<Vec<_>>(), Graph::Drop)?;
        let mut gradient = vec![T::default(); params.iter().map(Tensor::numel).sum()];
        flatten(&found, &mut gradient).map_err(engine)?;
        let mut value = [T::default()];
        let single = loss.f_reshape([1]).map_err(engine)?;
        flatten(&[single], &mut value).map_err(engine)?;
        Ok((value[0], gradient))
    })
}
