//! The constrained Hamiltonian neural network.

use hnn_integrators::{
    At, Bars, Constrained, ConstrainedRecord, Constraint, DifferentiableConstrained,
    DifferentiableField, FieldError, Inertia, LaneState, Parameters, Scalar, StateForm, ThetaBar,
    VectorField, Workspace,
};
use hnn_systems::Hamiltonian;

use crate::parameters::parameters;
use crate::{DifferentiableEnergy, Keep, ModelError, Record};

/// `H = p^T M^-1 p / 2 + V(q)` with a learned potential energy `V`, masses known or learned, and
/// known constraints `Phi(q) = 0` (CHNN, Finzi, Wang and Wilson 2020).
///
/// The field is that of [`Constrained`]. In Cartesian coordinates, with rods for constraints
/// ([`Rods`](hnn_systems::Rods)), masses are constant and potentials simple where in angles both are not:
/// what is left to learn is little. States are `(q, p)`, or `(q, v)` where momenta are not known
/// ([`StateForm`]); of masses and potential the data then determine the ratio alone.
///
/// Parameters: those of `V`, then, where they are learned, the logarithms of the masses.
///
/// ```
/// use hnn_integrators::{StateForm, VectorField};
/// use hnn_models::{Architecture, ConstrainedHnn, Initialisation, Mlp};
/// use hnn_systems::Rods;
/// let network = Mlp::<f64>::new(Architecture::new(&[4, 16, 1])?, Initialisation::Orthogonal, 1);
/// // A double pendulum in the plane: `[x1, x2, y1, y2, v..]`, one mass for each point.
/// let rods = Rods::<2, 2, 2>::chain([1.0, 0.5])?;
/// let model = ConstrainedHnn::new(network, rods, StateForm::Lagrangian, &[1.0, 1.0])?;
/// let model = model.with_learned_masses();
/// let dx = model.eval_state(0.0, &[1.0, 1.5, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0])?;
/// assert_eq!(dx[..4], [0.0, 0.0, 1.0, 2.0]);
/// // Whatever the potential is, the first point goes round the origin: v^2 / l.
/// assert!((dx[4] + 1.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConstrainedHnn<V, C, T> {
    potential: V,
    constraint: C,
    masses: Masses<T>,
}

/// Masses by their logarithms, of one coordinate after the other and again from the first.
#[derive(Debug, Clone, PartialEq)]
struct Masses<T> {
    logarithms: Vec<T>,
    learned: bool,
    inertia: Inertia<T>,
}

impl<T: Scalar> Masses<T> {
    fn replace(&mut self, logarithms: &[T]) {
        self.logarithms.copy_from_slice(logarithms);
        let count = self.inertia.inverse_masses().len();
        self.inertia = repeated(self.inertia.form(), logarithms, count);
    }
}

/// The masses of so many coordinates.
fn repeated<T: Scalar>(form: StateForm, logarithms: &[T], count: usize) -> Inertia<T> {
    Inertia::from_logarithms(form, (0..count).map(|i| logarithms[i % logarithms.len()]))
}

impl<T: Scalar> Parameters<T> for Masses<T> {
    fn num_params(&self) -> usize {
        if self.learned { self.logarithms.len() } else { 0 }
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.num_params())?;
        out.copy_from_slice(&self.logarithms[..self.num_params()]);
        Ok(())
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.num_params())?;
        if self.learned {
            self.replace(theta);
        }
        Ok(())
    }
}

impl<V, C, T: Scalar> ConstrainedHnn<V, C, T> {
    /// From the potential, the constraints, the form of states and the masses: one for each coordinate,
    /// or fewer, which repeat. Of `N` points whose coordinates stand axis by axis
    /// ([`Particles`](hnn_systems::Particles)) they are one for each point.
    ///
    /// # Errors
    /// If the potential sees another number of coordinates than are constrained, or is no energy, a mass
    /// is not finite and positive, or the number of coordinates is no multiple of that of the masses.
    pub fn new(
        potential: V,
        constraint: C,
        form: StateForm,
        masses: &[f64],
    ) -> Result<Self, ModelError>
    where
        V: DifferentiableEnergy<T>,
        C: Constraint,
    {
        Inertia::new(form, masses.iter().map(|mass| T::from_f64(*mass)).collect())?;
        let logarithms = masses.iter().map(|mass| T::from_f64(mass.ln())).collect();
        Self::with_log_masses(potential, constraint, form, logarithms)
    }

    /// From the masses' logarithms.
    pub(crate) fn with_log_masses(
        potential: V,
        constraint: C,
        form: StateForm,
        logarithms: Vec<T>,
    ) -> Result<Self, ModelError>
    where
        V: DifferentiableEnergy<T>,
        C: Constraint,
    {
        potential.check()?;
        let expected = <C::Position<T> as LaneState<T>>::DIM;
        let given = potential.input_dim();
        if given != expected {
            return Err(ModelError::InputSize { role: "potential energy", given, expected });
        }
        if logarithms.is_empty() || !expected.is_multiple_of(logarithms.len()) {
            return Err(ModelError::Masses { given: logarithms.len(), coordinates: expected });
        }
        let inertia = repeated(form, &logarithms, expected);
        let masses = Masses { logarithms, learned: false, inertia };
        Ok(Self { potential, constraint, masses })
    }

    /// The same with masses that are learned, from those given.
    #[must_use]
    pub fn with_learned_masses(mut self) -> Self {
        self.masses.learned = true;
        self
    }

    /// Whether the masses are learned.
    pub fn has_learned_masses(&self) -> bool {
        self.masses.learned
    }

    /// The potential energy.
    pub fn potential(&self) -> &V {
        &self.potential
    }

    /// The logarithms of the masses.
    pub fn log_masses(&self) -> &[T] {
        &self.masses.logarithms
    }
}

parameters!(impl<T: Scalar, V: Parameters<T>, C> for ConstrainedHnn<V, C, T>: potential, masses);

impl<T, V, C> VectorField<T> for ConstrainedHnn<V, C, T>
where
    T: Scalar,
    V: DifferentiableEnergy<T>,
    C: Constraint,
{
    fn dim(&self) -> usize {
        2 * self.potential.input_dim()
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

    fn block_len(&self) -> usize {
        self.potential.block_len()
    }
}

impl<T, V, C> Constrained<T> for ConstrainedHnn<V, C, T>
where
    T: Scalar,
    V: DifferentiableEnergy<T>,
    C: Constraint,
{
    type Constraint = C;

    fn constraint(&self) -> &C {
        &self.constraint
    }

    fn inertia(&self) -> &Inertia<T> {
        &self.masses.inertia
    }

    fn force(
        &self,
        batch: usize,
        q: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.potential.gradient(batch, q, force, Keep::Nothing(workspace))?;
        negate(force);
        Ok(())
    }
}

fn negate<T: Scalar>(x: &mut [T]) {
    x.iter_mut().for_each(|x| *x = -*x);
}

impl<T, V, C> DifferentiableConstrained<T> for ConstrainedHnn<V, C, T>
where
    T: Scalar,
    V: DifferentiableEnergy<T>,
    C: Constraint,
{
    /// A direction among the positions, and what the potential keeps.
    type ForceResiduals = Record<T, V::Residuals>;

    fn force_recorded(
        &self,
        batch: usize,
        q: &[T],
        force: &mut [T],
        residuals: &mut Self::ForceResiduals,
    ) -> Result<(), FieldError> {
        let (_, kept) = residuals.begin(batch, q.len());
        self.potential.gradient(batch, q, force, Keep::Residuals(kept))?;
        negate(force);
        Ok(())
    }

    fn force_vjp(
        &self,
        q: &[T],
        residuals: &mut Self::ForceResiduals,
        cotangent: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let Bars { x: q_bar, theta, .. } = bars;
        FieldError::check_cotangents(q.len(), [q, cotangent, q_bar])?;
        let (w, kept) = residuals.recorded(q.len())?;
        w.copy_from_slice(cotangent);
        negate(w);
        let own = theta.part(..self.potential.num_params());
        self.potential.gradient_vjp(q, kept, w, q_bar, own)
    }

    /// `d ln m` moves `1 / m` by `-1 / m`.
    fn inverse_masses_vjp(
        &self,
        inverse_masses_bar: &[T],
        theta: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let weights = self.masses.inertia.inverse_masses();
        let batch = inverse_masses_bar.len() / weights.len();
        FieldError::check_lengths(
            weights.len() * batch,
            [("the masses' cotangents", inverse_masses_bar.len())],
        )?;
        if !self.masses.learned || batch == 0 {
            return Ok(());
        }
        let mut own = theta.part(self.potential.num_params()..);
        for (i, bar) in inverse_masses_bar.chunks_exact(batch).enumerate() {
            let k = i % self.masses.logarithms.len();
            own.add_rows(k, bar.iter().map(|bar| -(weights[i] * *bar)));
        }
        Ok(())
    }
}

impl<T, V, C> DifferentiableField<T> for ConstrainedHnn<V, C, T>
where
    T: Scalar,
    V: DifferentiableEnergy<T>,
    C: Constraint,
{
    type Residuals = ConstrainedRecord<T, Record<T, V::Residuals>>;

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

/// `H`, whatever form states have.
impl<T, V, C> Hamiltonian<T> for ConstrainedHnn<V, C, T>
where
    T: Scalar,
    V: DifferentiableEnergy<T>,
    C: Constraint,
{
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        FieldError::check_lengths(self.dim() * batch, [("the states", x.len())])?;
        let (q, s) = x.split_at(x.len() / 2);
        self.potential.energy(q, energy, workspace)?;
        for (row, energy) in energy.iter_mut().enumerate() {
            let own = s.iter().skip(row).step_by(batch).copied();
            *energy += self.masses.inertia.kinetic(own);
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
        FieldError::check_lengths(self.dim() * batch, slices)?;
        let (q, s) = x.split_at(x.len() / 2);
        let (by_q, by_s) = gradient.split_at_mut(q.len());
        self.potential.gradient(batch, q, by_q, Keep::Nothing(workspace))?;
        for (at, (slope, s)) in by_s.iter_mut().zip(s).enumerate() {
            *slope = self.masses.inertia.kinetic_slope(at / batch, *s);
        }
        Ok(())
    }
}
