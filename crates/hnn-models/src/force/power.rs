//! What changes the energy.

use hnn_integrators::{At, FieldError, Scalar, ThetaBar, Workspace, coordinate_major};
use hnn_systems::Hamiltonian;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use super::GeneralisedForce;
use crate::{ForceBars, Keep};

/// The power balance of a model with ports: `dH/dt = supplied - dissipated`, exactly, for each of B
/// states.
///
/// Of a port-Hamiltonian system, `dH/dt = y^T u - dH/dx^T R dH/dx` with the outputs
/// `y = G^T dH/dx`: with `R >= 0` it stores no more than its inputs supply. It is passive.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PowerBalance<T> {
    /// `dH/dt = dH/dx . dx/dt`, shape (B).
    pub rate: Array1<T>,
    /// What the inputs supply, `y . u`, shape (B).
    pub supplied: Array1<T>,
    /// What all other forces take, shape (B): of friction positive; what forces of the clock feed in
    /// counts negative.
    pub dissipated: Array1<T>,
    /// The outputs `y = G^T v` of the ports, conjugate to the inputs, shape (B, K).
    pub outputs: Array2<T>,
}

/// The balance of a model with a force that sees `effort` of the states and the energy's gradient.
pub(crate) fn power_balance<T: Scalar, M: Hamiltonian<T>, Q: GeneralisedForce<T>>(
    model: &M,
    force: &Q,
    (times, states, inputs): (ArrayView1<'_, T>, ArrayView2<'_, T>, ArrayView2<'_, T>),
    effort: impl FnOnce(&[T], &[T]) -> Vec<T>,
) -> Result<PowerBalance<T>, FieldError> {
    let batch = states.nrows();
    FieldError::check_lengths(model.dim(), [("the columns of the states", states.ncols())])?;
    FieldError::check_lengths(model.inputs(), [("the columns of the inputs", inputs.ncols())])?;
    let rows = [("the times", times.len()), ("the rows of the inputs", inputs.nrows())];
    FieldError::check_lengths(batch, rows)?;
    let (t, x, u) = (times.to_vec(), coordinate_major(states), coordinate_major(inputs));
    let at = At { t: &t, u: &u };
    let workspace = &mut Workspace::default();
    let (mut gradient, mut dx) = (vec![T::ZERO; x.len()], vec![T::ZERO; x.len()]);
    model.energy_gradient(batch, &x, &mut gradient, workspace)?;
    model.eval(at, &x, &mut dx, workspace)?;

    let effort = effort(&x, &gradient);
    let (mut q, mut residuals) = (vec![T::ZERO; effort.len()], Q::Residuals::default());
    force.add(at, &x, &effort, &mut q, Keep::Residuals(&mut residuals))?;
    // y = (dQ/du)^T effort.
    let mut y = vec![T::ZERO; u.len()];
    let (mut x_bar, mut effort_bar) = (vec![T::ZERO; x.len()], vec![T::ZERO; effort.len()]);
    let bars =
        ForceBars { x: &mut x_bar, q_dot: &mut effort_bar, u: Some(&mut y), theta: ThetaBar::None };
    force.add_vjp(&x, &effort, &mut residuals, &effort, bars)?;

    let power = |a: &[T], b: &[T]| {
        Array1::from_shape_fn(batch, |row| {
            let pairs = a.iter().zip(b).skip(row).step_by(batch);
            pairs.map(|(a, b)| *a * *b).sum::<T>()
        })
    };
    let supplied = power(&y, &u);
    Ok(PowerBalance {
        rate: power(&gradient, &dx),
        dissipated: &supplied - &power(&effort, &q),
        outputs: Array2::from_shape_fn(inputs.dim(), |(row, k)| y[k * batch + row]),
        supplied,
    })
}
