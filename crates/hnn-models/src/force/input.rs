//! Forces from outside.

use hnn_integrators::{At, FieldError, Parameters, Scalar};
use ndarray::{Array2, ArrayView2};

use super::GeneralisedForce;
use crate::parameters::parameters;
use crate::{ForceBars, Keep, ModelError};

/// The port of the inputs: `Q = G u` with a constant `G` of shape (n, K), given or
/// [fitted](Self::fitted). One that depends on the state is a [`StatePort`](crate::StatePort).
///
/// With it an [`Hnn`](crate::Hnn) is a port-Hamiltonian system `dx/dt = (J - R) dH/dx + G u`: the
/// power that the inputs feed in is `y . u` with `y = G^T dq/dt`
/// ([`Hnn::power_balance`](crate::Hnn::power_balance)). The inputs are those of the
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
    fitted: bool,
}

impl InputPort {
    /// One input for each of n momenta: `G = I`.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self { matrix: Array2::eye(n), fitted: false }
    }

    /// The port of a matrix `G` of shape (n, K).
    ///
    /// # Errors
    /// If an entry is NaN or infinite.
    pub fn with_matrix(matrix: Array2<f64>) -> Result<Self, ModelError> {
        match matrix.iter().find(|entry| !entry.is_finite()) {
            None => Ok(Self { matrix, fitted: false }),
            Some(entry) => {
                let (name, expected) = ("an entry of the port's matrix", "finite");
                Err(ModelError::Setting { name, given: *entry, expected })
            }
        }
    }

    /// The same port with the entries of `G` as parameters, row by row: gains that training finds,
    /// from those given on.
    ///
    /// ```
    /// use hnn_integrators::Parameters;
    /// use hnn_models::InputPort;
    /// let mut port = InputPort::new(1).fitted();
    /// Parameters::<f64>::set_params(&mut port, &[1.5])?;
    /// assert_eq!(port.matrix(), ndarray::array![[1.5]]);
    /// # Ok::<(), hnn_integrators::FieldError>(())
    /// ```
    #[must_use]
    pub fn fitted(self) -> Self {
        Self { fitted: true, ..self }
    }

    /// Whether the entries of `G` are parameters.
    #[must_use]
    pub fn is_fitted(&self) -> bool {
        self.fitted
    }

    /// Number of parameters.
    fn num_entries(&self) -> usize {
        if self.fitted { self.matrix.len() } else { 0 }
    }

    /// The matrix `G`.
    #[must_use]
    pub fn matrix(&self) -> ArrayView2<'_, f64> {
        self.matrix.view()
    }
}

impl<T: Scalar> Parameters<T> for InputPort {
    fn num_params(&self) -> usize {
        self.num_entries()
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.num_entries())?;
        out.iter_mut().zip(&self.matrix).for_each(|(out, entry)| *out = T::from_f64(*entry));
        Ok(())
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.num_entries())?;
        self.matrix.iter_mut().zip(theta).for_each(|(entry, given)| *entry = given.to_f64());
        Ok(())
    }
}

impl<T: Scalar> GeneralisedForce<T> for InputPort {
    /// The inputs, where the gains are fitted.
    type Residuals = Vec<T>;

    fn check(&self, _dim: usize, rows: usize) -> Result<(), ModelError> {
        check_outputs("input port", self.matrix.nrows(), rows)
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
        keep: Keep<'_, T, Vec<T>>,
    ) -> Result<(), FieldError> {
        let (n, inputs) = self.matrix.dim();
        FieldError::check_lengths(inputs * t.len(), [("the inputs", u.len())])?;
        FieldError::check_lengths(n * t.len(), [("the forces", force.len())])?;
        if let (true, Keep::Residuals(kept)) = (self.fitted, keep) {
            kept.clear();
            kept.extend_from_slice(u);
        }
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
        kept: &mut Vec<T>,
        force_bar: &[T],
        mut bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        let (n, inputs) = self.matrix.dim();
        let batch = force_bar.len() / n.max(1);
        FieldError::check_lengths(n * batch, [("the cotangents", force_bar.len())])?;
        bars.check_inputs(inputs * batch)?;
        bars.theta.check(self.num_entries(), batch)?;
        if self.fitted && bars.theta.is_wanted() {
            FieldError::check_lengths(inputs * batch, [("the residuals", kept.len())])?;
            for entry in 0..self.matrix.len() {
                let (i, k) = (entry / inputs, entry % inputs);
                let forces = force_bar[i * batch..(i + 1) * batch].iter();
                let shares = forces.zip(&kept[k * batch..(k + 1) * batch]);
                bars.theta.add_rows(entry, shares.map(|(force, u)| *force * *u));
            }
        }
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
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_models::{Architecture, Hnn, Initialisation, InputForce, Mlp};
/// let energy = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 0);
/// let free = Hnn::new(energy.clone())?;
/// let driven = Hnn::forced(energy, InputForce::new(1, |t: f64, u: &mut [f64]| u[0] = t.cos()))?;
/// let (free, driven) = (free.eval_state(0.0, &[0.5, 1.0])?, driven.eval_state(0.0, &[0.5, 1.0])?);
/// assert!(driven[0] == free[0] && (driven[1] - free[1] - 1.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

    fn check(&self, _dim: usize, rows: usize) -> Result<(), ModelError> {
        check_outputs("input force", self.n, rows)
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

/// Checks that a force has as many numbers as the model needs.
fn check_outputs(role: &'static str, given: usize, expected: usize) -> Result<(), ModelError> {
    if given == expected {
        return Ok(());
    }
    Err(ModelError::OutputSize { role, given, expected })
}
