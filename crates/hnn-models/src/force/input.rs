//! Forces from outside.

use hnn_integrators::{At, FieldError, Scalar};
use ndarray::{Array2, ArrayView2};

use super::GeneralisedForce;
use crate::parameters::parameters;
use crate::{ForceBars, Keep, ModelError};

/// The port of the inputs: `Q = G u` with a constant `G` of shape (n, K).
///
/// With it an [`Hnn`](crate::Hnn) is a port-Hamiltonian system `dx/dt = (J - R) dH/dx + G u`: the
/// power that the inputs feed in is `y . u` with `y = G^T dq/dt`. The inputs are those of the
/// evaluation, [`At::u`](hnn_integrators::At).
///
/// ```
/// use hnn_integrators::{At, VectorField, Workspace};
/// use hnn_models::{Architecture, Hnn, Initialisation, InputPort, Mlp};
/// let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1);
/// let free = Hnn::new(network.clone())?.eval_state(0.0, &[0.3, 0.5])?;
/// // A torque of 2 on the momentum.
/// let model = Hnn::forced(network, InputPort::new(1))?;
/// assert_eq!(VectorField::<f64>::inputs(&model), 1);
/// let mut dx = [0.0; 2];
/// model.eval(At { t: &[0.0], u: &[2.0] }, &[0.3, 0.5], &mut dx, &mut Workspace::default())?;
/// assert_eq!(dx, [free[0], free[1] + 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct InputPort {
    matrix: Array2<f64>,
}

impl InputPort {
    /// One input for each of n momenta: `G = I`.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self { matrix: Array2::eye(n) }
    }

    /// The port of a matrix `G` of shape (n, K).
    ///
    /// # Errors
    /// If an entry is NaN or infinite.
    pub fn with_matrix(matrix: Array2<f64>) -> Result<Self, ModelError> {
        match matrix.iter().find(|entry| !entry.is_finite()) {
            None => Ok(Self { matrix }),
            Some(entry) => {
                let (name, expected) = ("an entry of the port's matrix", "finite");
                Err(ModelError::Setting { name, given: *entry, expected })
            }
        }
    }

    /// The matrix `G`.
    #[must_use]
    pub fn matrix(&self) -> ArrayView2<'_, f64> {
        self.matrix.view()
    }
}

parameters!(impl<T: Scalar> for InputPort:);

impl<T: Scalar> GeneralisedForce<T> for InputPort {
    type Residuals = ();

    fn check(&self, dim: usize) -> Result<(), ModelError> {
        check_outputs("input port", self.matrix.nrows(), dim)
    }

    fn inputs(&self) -> usize {
        self.matrix.ncols()
    }

    fn add(
        &self,
        At { t, u }: At<'_, T>,
        _x: &[T],
        _q_dot: &[T],
        force: &mut [T],
        _keep: Keep<'_, T, ()>,
    ) -> Result<(), FieldError> {
        let (n, inputs) = self.matrix.dim();
        FieldError::check_lengths(inputs * t.len(), [("the inputs", u.len())])?;
        FieldError::check_lengths(n * t.len(), [("the forces", force.len())])?;
        for ((i, k), entry) in self.matrix.indexed_iter() {
            let entry = T::from_f64(*entry);
            let u = &u[k * t.len()..(k + 1) * t.len()];
            let force = &mut force[i * t.len()..(i + 1) * t.len()];
            force.iter_mut().zip(u).for_each(|(force, u)| *force += entry * *u);
        }
        Ok(())
    }

    fn add_vjp(
        &self,
        _x: &[T],
        _q_dot: &[T],
        (): &mut (),
        force_bar: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        let (n, inputs) = self.matrix.dim();
        let batch = force_bar.len() / n.max(1);
        FieldError::check_lengths(n * batch, [("the cotangents", force_bar.len())])?;
        bars.check_inputs(inputs * batch)?;
        bars.theta.check(0, batch)?;
        let Some(u_bar) = bars.u else { return Ok(()) };
        for ((i, k), entry) in self.matrix.indexed_iter() {
            let entry = T::from_f64(*entry);
            let u_bar = &mut u_bar[k * batch..(k + 1) * batch];
            let force_bar = &force_bar[i * batch..(i + 1) * batch];
            u_bar.iter_mut().zip(force_bar).for_each(|(u, force)| *u += entry * *force);
        }
        Ok(())
    }
}

/// A known input `Q = u(t)`, such as a motor's torque: `u(t, out)` writes the n forces at time t.
///
/// A closure has no form in a file, so a model with an input is no [`Persist`](crate::Persist):
/// save its Lagrangian, and put the input on again when it is loaded. Forces fix what a Lagrangian
/// alone leaves open, its factor: with a known torque the energies come out in the torque's units.
#[derive(Debug, Clone, Copy)]
pub struct InputForce<U> {
    n: usize,
    input: U,
}

impl<U> InputForce<U> {
    /// An input of n forces.
    pub fn new<T: Scalar>(n: usize, input: U) -> Self
    where
        U: Fn(T, &mut [T]) + Send + Sync,
    {
        Self { n, input }
    }
}

parameters!(impl<T: Scalar, U> for InputForce<U>:);

impl<T: Scalar, U: Fn(T, &mut [T]) + Send + Sync> GeneralisedForce<T> for InputForce<U> {
    /// Scratch.
    type Residuals = Vec<T>;

    fn check(&self, dim: usize) -> Result<(), ModelError> {
        check_outputs("input force", self.n, dim)
    }

    fn add(
        &self,
        At { t, .. }: At<'_, T>,
        _x: &[T],
        _q_dot: &[T],
        force: &mut [T],
        keep: Keep<'_, T, Vec<T>>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.n * t.len(), [("the forces", force.len())])?;
        let u = match keep {
            Keep::Nothing(workspace) => workspace.split(self.n).0,
            Keep::Residuals(scratch) => {
                scratch.resize(self.n, T::ZERO);
                scratch
            }
        };
        for (row, now) in t.iter().enumerate() {
            u.fill(T::ZERO);
            (self.input)(*now, u);
            u.iter().enumerate().for_each(|(i, u)| force[i * t.len() + row] += *u);
        }
        Ok(())
    }

    fn add_vjp(
        &self,
        _: &[T],
        _: &[T],
        _: &mut Vec<T>,
        _: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        bars.check_inputs(0)?;
        bars.theta.check_parameters(0)
    }
}

/// Checks that a force has n numbers for states of dimension 2n.
fn check_outputs(role: &'static str, given: usize, dim: usize) -> Result<(), ModelError> {
    let expected = dim / 2;
    if given == expected {
        return Ok(());
    }
    Err(ModelError::OutputSize { role, given, expected })
}
