//! A mechanical system of a potential and constraints.

use hnn_integrators::lane::Dual;
use hnn_integrators::{
    At, Bars, Constrained, ConstrainedRecord, Constraint, DifferentiableConstrained,
    DifferentiableField, FieldError, Inertia, LaneState, Parameters, Scalar, StateForm,
    VectorField, Workspace,
};

use crate::{AnalyticHamiltonian, Hamiltonian, SystemError};

/// A mechanical system `H = p^T M^-1 p / 2 + V(q)` held by constraints `Phi(q) = 0`, `V` and
/// `Phi` given by formulas. States are `(q, p)`, or `(q, v)` ([`in_velocities`](Self::in_velocities)).
///
/// See [`Constrained`] for its field; [`RATTLE`](hnn_integrators::RATTLE) and
/// [`Projected`](hnn_integrators::Projected) methods keep the constraints. The systems of this crate:
/// [`ChainPendulum`](crate::ChainPendulum), [`SphericalPendulum`](crate::SphericalPendulum),
/// [`Gyroscope`](crate::Gyroscope).
///
/// ```
/// use hnn_integrators::{FixedStep, RATTLE};
/// use hnn_systems::{ConstrainedSystem, Hamiltonian, Rods, Weights};
/// use ndarray::array;
/// // A pendulum of 1 kg on a rod of 1 m, let go from the right.
/// let rod = Rods::<2, 1, 1>::chain([1.0])?;
/// let pendulum: ConstrainedSystem<Weights<2, 1>, _> =
///     ConstrainedSystem::new(Weights([9.81]), rod, &[1.0; 2])?;
/// let start = array![[1.0, 0.0, 0.0, 0.0]];
/// let run = FixedStep::size(RATTLE, 0.01).run(&pendulum, (0.0, 10.0), start.view())?;
/// let x = run.last().row(0).to_vec();
/// assert!((x[0].hypot(x[1]) - 1.0).abs() < 1e-14);
/// assert!(pendulum.energy_state(&x)?.abs() < 1e-3 * 9.81);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConstrainedSystem<V, C, T = f64> {
    potential: V,
    constraint: C,
    inertia: Inertia<T>,
}

impl<V: AnalyticHamiltonian, C: Constraint, T: Scalar> ConstrainedSystem<V, C, T> {
    /// From a potential energy of the positions, the constraints, and a mass in kg for each
    /// position.
    ///
    /// # Errors
    /// If the numbers of positions differ, or a mass is not finite and positive.
    pub fn new(potential: V, constraint: C, masses: &[f64]) -> Result<Self, SystemError> {
        let expected = <C::Position<T> as LaneState<T>>::DIM;
        let of_potential = <V::State<T> as LaneState<T>>::DIM;
        for (what, given) in [("potential", of_potential), ("masses", masses.len())] {
            if given != expected {
                return Err(SystemError::Dimension { what, given, expected });
            }
        }
        let masses = masses.iter().map(|mass| T::from_f64(*mass)).collect();
        let inertia = Inertia::new(StateForm::Canonical, masses)?;
        Ok(Self { potential, constraint, inertia })
    }

    /// The same with states `(q, v)`.
    #[must_use]
    pub fn in_velocities(self) -> Self {
        Self { inertia: self.inertia.with_form(StateForm::Lagrangian), ..self }
    }

    /// The potential energy.
    pub const fn potential(&self) -> &V {
        &self.potential
    }

    /// The positions of one row, as the potential takes them.
    fn positions(&self, q: &[T], batch: usize, row: usize) -> V::State<T> {
        V::State::from_fn(|i| q[i * batch + row])
    }

    /// Checks the slices of a call, of `per_row` numbers a row.
    fn check<const N: usize>(
        per_row: usize,
        batch: usize,
        slices: [(&'static str, usize); N],
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(per_row.saturating_mul(batch), slices)
    }

    const N: usize = <C::Position<T> as LaneState<T>>::DIM;
}

impl<V: AnalyticHamiltonian, C: Constraint, T: Scalar> VectorField<T>
    for ConstrainedSystem<V, C, T>
{
    fn dim(&self) -> usize {
        2 * Self::N
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.constrained_slope(at.batch(), x, dx, workspace)
    }
}

impl<V: AnalyticHamiltonian, C: Constraint, T: Scalar> Constrained<T>
    for ConstrainedSystem<V, C, T>
{
    type Constraint = C;

    fn constraint(&self) -> &C {
        &self.constraint
    }

    fn inertia(&self) -> &Inertia<T> {
        &self.inertia
    }

    fn force(
        &self,
        batch: usize,
        q: &[T],
        force: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        Self::check(Self::N, batch, [("the positions", q.len()), ("the forces", force.len())])?;
        for row in 0..batch {
            let gradient = self.potential.gradient_lanes(&self.positions(q, batch, row));
            let entries = gradient.as_ref().iter().enumerate();
            entries.for_each(|(i, slope)| force[i * batch + row] = -*slope);
        }
        Ok(())
    }
}

/// A formula has no trainable parameters.
impl<V: AnalyticHamiltonian, C: Constraint, T: Scalar> Parameters<T>
    for ConstrainedSystem<V, C, T>
{
    fn num_params(&self) -> usize {
        0
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), 0)
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), 0)
    }
}

impl<V: AnalyticHamiltonian, C: Constraint, T: Scalar> DifferentiableConstrained<T>
    for ConstrainedSystem<V, C, T>
{
    type ForceResiduals = ();

    fn force_recorded(
        &self,
        batch: usize,
        q: &[T],
        force: &mut [T],
        _residuals: &mut (),
    ) -> Result<(), FieldError> {
        self.force(batch, q, force, &mut Workspace::default())
    }

    /// `-Hess(V) cotangent`, the derivative of the force along it.
    fn force_vjp(
        &self,
        q: &[T],
        _residuals: &mut (),
        cotangent: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = q.len() / Self::N;
        bars.check(batch, [Self::N, 0, 0], [q, cotangent])?;
        for row in 0..batch {
            let line = V::State::from_fn(|i| {
                let at = i * batch + row;
                Dual::<T, 1> { value: q[at], tangent: [cotangent[at]] }
            });
            let gradient = self.potential.gradient_lanes(&line);
            let entries = gradient.as_ref().iter().enumerate();
            entries.for_each(|(i, slope)| bars.x[i * batch + row] = -slope.tangent[0]);
        }
        Ok(())
    }
}

impl<V: AnalyticHamiltonian, C: Constraint, T: Scalar> DifferentiableField<T>
    for ConstrainedSystem<V, C, T>
{
    type Residuals = ConstrainedRecord<T, ()>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        self.constrained_slope_recorded(at.batch(), x, dx, residuals)
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        self.constrained_slope_vjp(x, residuals, v, bars)
    }
}

/// `H`, whatever form states have; the constraints' reactions do no work.
impl<V: AnalyticHamiltonian, C: Constraint, T: Scalar> Hamiltonian<T>
    for ConstrainedSystem<V, C, T>
{
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        Self::check(2 * Self::N, batch, [("the states", x.len())])?;
        let (q, s) = x.split_at(x.len() / 2);
        for (row, energy) in energy.iter_mut().enumerate() {
            *energy = self.potential.energy_lanes(&self.positions(q, batch, row));
            *energy += self.inertia.kinetic((0..Self::N).map(|i| s[i * batch + row]));
        }
        Ok(())
    }

    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the gradients", gradient.len())];
        Self::check(2 * Self::N, batch, slices)?;
        let half = x.len() / 2;
        let (by_q, by_s) = gradient.split_at_mut(half);
        self.force(batch, &x[..half], by_q, workspace)?;
        by_q.iter_mut().for_each(|slope| *slope = -*slope);
        for (at, slope) in by_s.iter_mut().enumerate() {
            *slope = self.inertia.kinetic_slope(at / batch, x[half + at]);
        }
        Ok(())
    }
}
