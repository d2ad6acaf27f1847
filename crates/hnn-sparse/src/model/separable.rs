//! Formulas `T(p) + V(q)`, for explicit symplectic methods.

use hnn_integrators::{FieldError, Scalar, Separable, VectorField, Workspace};

use super::{Compiled, SparseHamiltonian, field};
use crate::SparseError;
use crate::expression::{Atom, Expression};

/// A [`SparseHamiltonian`] that is known to be `H = T(p) + V(q)`: it takes explicit symplectic
/// steppers.
///
/// ```
/// use hnn_integrators::{FixedStep, VelocityVerlet};
/// use hnn_sparse::{Ansatz, Expression, Library, SparseHamiltonian};
/// use ndarray::array;
/// let library = Library::from_features(1, [Expression::coordinate(1).powi(2), Expression::cos(1.0, 0)])?;
/// let pendulum = SparseHamiltonian::from_coefficients(&Ansatz::new(&library)?, &[0.5, -1.0])?;
/// let separable = pendulum.separate()?;
/// let run = FixedStep::count(VelocityVerlet, 1000)
///     .run(&separable, (0.0, 10.0), array![[1.0_f64, 0.5]].view())
///     .expect("defined everywhere");
/// assert!((run.last()[[0, 0]] + 0.84485).abs() < 1e-3);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SeparableSparseHamiltonian {
    model: SparseHamiltonian,
    velocity: Compiled,
    force: Compiled,
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
        let part =
            |i: usize, j: usize| -> Expression { self.terms[j].column.feature().derivative(i) };
        let mut velocity = Compiled::new(2 * n, n, &coefficients, &|i, j| part(n + i, j));
        velocity.program.renumber(n);
        let force = Compiled::new(2 * n, n, &coefficients, &|i, j| -part(i, j));
        Ok(SeparableSparseHamiltonian { model: self, velocity, force })
    }
}

impl SeparableSparseHamiltonian {
    /// The formula.
    #[must_use]
    pub fn model(&self) -> &SparseHamiltonian {
        &self.model
    }
}

impl<T: Scalar> VectorField<T> for SeparableSparseHamiltonian {
    fn dim(&self) -> usize {
        self.model.state_dim()
    }

    fn eval(
        &self,
        t: &[T],
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.model.eval(t, x, dx, workspace)
    }
}

impl<T: Scalar> Separable<T> for SeparableSparseHamiltonian {
    fn velocity(
        &self,
        p: &[T],
        velocity: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = p.len() / (self.model.state_dim() / 2);
        field::run(&self.velocity, batch, p, velocity, workspace)
    }

    fn force(
        &self,
        t: &[T],
        q: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        field::run(&self.force, t.len(), q, force, workspace)
    }
}
