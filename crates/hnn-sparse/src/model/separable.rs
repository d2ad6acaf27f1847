//! Formulas `T(p) + V(q)`, for explicit symplectic methods.

use std::sync::Arc;

use hnn_integrators::{
    At, Bars, DifferentiableSeparable, FieldError, Parameters, Scalar, Separable, ThetaBar,
    VectorField, Workspace,
};

use super::differentiable::Derivatives;
use super::{Compiled, ModelTerm, SparseHamiltonian, SparseResiduals, field};
use crate::SparseError;
use crate::expression::{Atom, Expression};

/// A [`SparseHamiltonian`] that is known to be `H = T(p) + V(q)`: it takes explicit symplectic
/// steppers and their discrete adjoints. Its parameters are the coefficients, as the formula's own.
///
/// ```
/// use hnn_integrators::{FixedStep, VELOCITY_VERLET};
/// use hnn_sparse::{Ansatz, Expression, Library, SparseHamiltonian};
/// use ndarray::array;
/// let library = Library::from_features(1, [Expression::coordinate(1).powi(2), Expression::cos(1.0, 0)])?;
/// let pendulum = SparseHamiltonian::from_coefficients(&Ansatz::new(&library)?, &[0.5, -1.0])?;
/// let separable = pendulum.separate()?;
/// let run = FixedStep::count(VELOCITY_VERLET, 1000)
///     .run(&separable, (0.0, 10.0), array![[1.0_f64, 0.5]].view())
///     .expect("defined everywhere");
/// assert!((run.last()[[0, 0]] + 0.84485).abs() < 1e-3);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SeparableSparseHamiltonian {
    model: SparseHamiltonian,
    velocity: Half,
    force: Half,
}

/// The velocity as a function of `p`, or the force as one of `q`.
#[derive(Debug, Clone)]
struct Half {
    field: Compiled,
    jacobian: Compiled,
    derivatives: Arc<Derivatives>,
}

impl Half {
    /// A function of the coordinates from `first` on; `fields[j]` is what term `j` adds to it in
    /// units of its coefficient.
    fn new(first: usize, fields: &[Vec<Expression>], coefficients: &[f64]) -> Self {
        let n = fields.first().map_or(0, Vec::len);
        let mut field = Compiled::new(2 * n, n, coefficients, &|i, j| fields[j][i].clone());
        field.program.renumber(first);
        let (derivatives, jacobian) = Derivatives::new(2 * n, first, 0, fields, coefficients);
        Self { field, jacobian, derivatives: Arc::new(derivatives) }
    }

    fn set(&mut self, coefficients: &[f64]) {
        self.field.set(coefficients);
        self.jacobian.set(coefficients);
    }
}

impl SparseHamiltonian {
    /// As a separable Hamiltonian.
    ///
    /// # Errors
    /// If a term is neither a function of `q` nor of `p` alone, if there is friction, or a custom
    /// function (which takes whole states).
    pub fn separate(self) -> Result<SeparableSparseHamiltonian, SparseError> {
        if let Some(term) = self.entangled_term() {
            return Err(SparseError::NotSeparable { term });
        }
        let hamiltonian = self.hamiltonian();
        let custom = hamiltonian.atoms().find(|atom| matches!(atom, Atom::Custom(..)));
        if let Some(Atom::Custom(function, _)) = custom {
            return Err(SparseError::NotSeparable { term: function.name().to_owned() });
        }
        let (n, coefficients) = (self.state_dim() / 2, self.coefficients());
        // Term by term, the derivatives by the n coordinates from `first` on.
        let slopes = |first: usize, sign: f64| -> Vec<Vec<Expression>> {
            let slope =
                |term: &ModelTerm, i: usize| sign * term.column.feature().derivative(first + i);
            self.terms.iter().map(|term| (0..n).map(|i| slope(term, i)).collect()).collect()
        };
        let velocity = Half::new(n, &slopes(n, 1.0), &coefficients);
        let force = Half::new(0, &slopes(0, -1.0), &coefficients);
        Ok(SeparableSparseHamiltonian { model: self, velocity, force })
    }
}

impl SeparableSparseHamiltonian {
    /// The formula.
    #[must_use]
    pub fn model(&self) -> &SparseHamiltonian {
        &self.model
    }

    fn half_vjp<T: Scalar>(
        &self,
        half: &Half,
        [x, cotangent]: [&[T]; 2],
        bars: Bars<'_, T>,
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let n = self.model.state_dim() / 2;
        let (batch, terms) = (x.len() / n, Parameters::<T>::num_params(&self.model));
        bars.check(batch, [n, 0, terms], [x, cotangent])?;
        let Half { derivatives, jacobian, .. } = half;
        derivatives.vjp(jacobian, batch, [x, &[], cotangent], bars, workspace)
    }
}

impl<T: Scalar> VectorField<T> for SeparableSparseHamiltonian {
    fn dim(&self) -> usize {
        self.model.state_dim()
    }

    fn inputs(&self) -> usize {
        VectorField::<T>::inputs(&self.model)
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.model.eval(at, x, dx, workspace)
    }
}

impl<T: Scalar> Separable<T> for SeparableSparseHamiltonian {
    fn velocity(
        &self,
        p: &[T],
        velocity: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let n = self.model.state_dim() / 2;
        let batch = p.len() / n;
        let slices = [("the momenta", p.len()), ("the velocities", velocity.len())];
        FieldError::check_lengths(n * batch, slices)?;
        field::run(&self.velocity.field, batch, [p, &[]], velocity, workspace)
    }

    fn force(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the positions", q.len()), ("the forces", force.len())];
        FieldError::check_lengths(self.model.state_dim() / 2 * at.batch(), slices)?;
        field::run(&self.force.field, at.batch(), [q, &[]], force, workspace)
    }
}

/// The coefficients, in the order of the terms.
impl<T: Scalar> Parameters<T> for SeparableSparseHamiltonian {
    fn num_params(&self) -> usize {
        Parameters::<T>::num_params(&self.model)
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        self.model.copy_params(out)
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        self.model.set_params(theta)?;
        let coefficients = self.model.coefficients();
        self.velocity.set(&coefficients);
        self.force.set(&coefficients);
        Ok(())
    }
}

impl<T: Scalar> DifferentiableSeparable<T> for SeparableSparseHamiltonian {
    type Residuals = SparseResiduals<T>;

    fn velocity_recorded(
        &self,
        p: &[T],
        velocity: &mut [T],
        residuals: &mut SparseResiduals<T>,
    ) -> Result<(), FieldError> {
        self.velocity(p, velocity, residuals.workspace())
    }

    fn velocity_vjp(
        &self,
        p: &[T],
        residuals: &mut SparseResiduals<T>,
        cotangent: &[T],
        p_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let bars = Bars::new(p_bar).with_theta(theta_bar);
        self.half_vjp(&self.velocity, [p, cotangent], bars, residuals.workspace())
    }

    fn force_recorded(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        residuals: &mut SparseResiduals<T>,
    ) -> Result<(), FieldError> {
        self.force(at, q, force, residuals.workspace())
    }

    fn force_vjp(
        &self,
        q: &[T],
        residuals: &mut SparseResiduals<T>,
        cotangent: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        self.half_vjp(&self.force, [q, cotangent], bars, residuals.workspace())
    }
}
