//! Energy shaping with damping injection.

use hnn_integrators::{FieldError, StateForm};
use hnn_systems::Hamiltonian;
use nalgebra::DVector;

use super::plant::Plant;
use crate::ModelError;

/// Holds a fully actuated system at a set point `q*`: the inputs cancel its potential `V`, and put a
/// desired one and damping in its place,
///
/// `u = G^-1 (dV/dq - dV_d/dq - K_d dq/dt)`,
///
/// with `V_d = sum_i k_i (q_i - q*_i)^2 / 2`, or `sum_i k_i (1 - cos(q_i - q*_i))` over angles
/// ([`with_angles`](Self::with_angles)), `K_d = diag(d)`.
///
/// The closed loop has the energy `H_d = T + V_d` ([`lyapunov`](Self::lyapunov)), least at the set
/// point at rest, and `dH_d/dt = -dq/dt . (K_d + R) dq/dt`: with an exact model it never rises. With
/// a learned one the state ends where `dV_d/dq` balances the error of `dV/dq`: the stiffer, the nearer.
///
/// The model is anything with an energy and inputs in which it is affine: an [`Hnn`](crate::Hnn) or
/// [`Lnn`](crate::Lnn) with a port, the energy of an [`AnyModel`](crate::AnyModel), a true system.
/// Its kinetic energy is quadratic in the momenta or velocities, `V(q) = H(q, 0)`.
///
/// ```
/// use hnn_integrators::{StateForm, Tolerances, solve};
/// use hnn_models::control::{ClosedLoop, EnergyShaping};
/// use hnn_models::{Architecture, Initialisation, InputPort, Lnn, MechanicalLagrangian, Mlp};
/// let network = |seed| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(&[1, 16, 1])?, Initialisation::Orthogonal, seed))
/// };
/// let lagrangian = MechanicalLagrangian::new(network(1)?, network(2)?)?;
/// let model = Lnn::forced(lagrangian, InputPort::new(1))?;
/// // Stiffness 4 and damping 2, to q = 0.5.
/// let shaping = EnergyShaping::new(&model, StateForm::Lagrangian, &[0.5], &[4.0], &[2.0])?;
/// let held = ClosedLoop::new(&model, |t, x, u| shaping.input(t, x, u));
/// let run = solve(&held, ndarray::aview1(&[-0.3, 0.1]), &[0.0, 30.0], Tolerances::default())?;
/// assert!((run.states[[1, 0]] - 0.5).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EnergyShaping<'a, M: ?Sized> {
    plant: Plant<'a, M>,
    target: Vec<f64>,
    stiffness: Vec<f64>,
    damping: Vec<f64>,
    angles: Vec<bool>,
}

impl<'a, M: Hamiltonian<f64> + ?Sized> EnergyShaping<'a, M> {
    /// A controller to the set point `target`, with a stiffness and a damping for each coordinate.
    /// `form` says whether the second half of the model's states are momenta or velocities.
    ///
    /// # Errors
    /// If the model has not as many inputs as coordinates, its states are not of that form, there
    /// are not n numbers of each kind, or a stiffness is not positive, a damping negative, or one of
    /// them not finite.
    pub fn new(
        model: &'a M,
        form: StateForm,
        target: &[f64],
        stiffness: &[f64],
        damping: &[f64],
    ) -> Result<Self, ModelError> {
        let (dim, inputs) = (model.dim(), model.inputs());
        if dim == 0 || dim % 2 != 0 {
            return Err(ModelError::OddDimension { dim });
        }
        let n = dim / 2;
        if inputs != n {
            return Err(ModelError::Actuation { inputs, coordinates: n });
        }
        let lists =
            [("the target", target), ("the stiffness", stiffness), ("the damping", damping)];
        FieldError::check_lengths(n, lists.map(|(name, list)| (name, list.len())))?;
        let check = |name, list: &[f64], least: &dyn Fn(f64) -> bool, expected| {
            let wrong = list.iter().find(|x| !(x.is_finite() && least(**x)));
            wrong.map_or(Ok(()), |given| Err(ModelError::Setting { name, given: *given, expected }))
        };
        check("a coordinate of the target", target, &|_| true, "finite")?;
        check("a stiffness", stiffness, &|k| k > 0.0, "a positive number")?;
        check("a damping", damping, &|d| d >= 0.0, "a number, and not negative")?;
        let [target, stiffness, damping] = [target, stiffness, damping].map(<[f64]>::to_vec);
        let shaping = Self {
            plant: Plant { model, form },
            target,
            stiffness,
            damping,
            angles: vec![false; n],
        };
        shaping.check_form()?;
        Ok(shaping)
    }

    /// The same with these coordinates taken as angles: turns of them make no difference.
    ///
    /// # Errors
    /// If there are not n marks.
    pub fn with_angles(self, angles: &[bool]) -> Result<Self, ModelError> {
        FieldError::check_lengths(self.angles.len(), [("the marks of angles", angles.len())])?;
        Ok(Self { angles: angles.to_vec(), ..self })
    }

    /// The model that is controlled.
    pub fn model(&self) -> &'a M {
        self.plant.model
    }

    /// Writes the inputs at a time and a state.
    ///
    /// # Errors
    /// If a slice has another length, the model cannot be evaluated, or its port is singular there.
    pub fn input(&self, t: f64, x: &[f64], u: &mut [f64]) -> Result<(), FieldError> {
        let n = self.plant.n();
        FieldError::check_lengths(n, [("the inputs", u.len())])?;
        let seen = self.plant.see(t, x)?;
        let port = self.plant.port(x, &seen)?;
        let slope = self.plant.model.energy_gradient_state(&self.plant.at_rest(&x[..n]))?;
        let force = DVector::from_fn(n, |i, _| {
            slope[i] - self.desired(i, x[i]).1 - self.damping[i] * seen.slope[i]
        });
        let inputs = port.lu().solve(&force).ok_or_else(|| FieldError::Undefined {
            row: 0,
            reason: "the matrix of the model's port is singular or not finite, so that no inputs exert the force asked for: keep away from there, or give the system another port".to_owned(),
        })?;
        u.copy_from_slice(inputs.as_slice());
        Ok(())
    }

    /// The energy `H_d = H(x) - V(q) + V_d(q)` of the closed loop, 0 at rest at the set point.
    ///
    /// # Errors
    /// If the state has another dimension than the model, or the energy cannot be evaluated.
    pub fn lyapunov(&self, x: &[f64]) -> Result<f64, FieldError> {
        let energy = self.plant.model.energy_state(x)?;
        let q = &x[..self.plant.n()];
        let potential = self.plant.model.energy_state(&self.plant.at_rest(q))?;
        let desired = q.iter().enumerate().map(|(i, q)| self.desired(i, *q).0);
        Ok(energy - potential + desired.sum::<f64>())
    }

    /// The share of a coordinate in `V_d`, and its slope.
    fn desired(&self, i: usize, q: f64) -> (f64, f64) {
        let (k, distance) = (self.stiffness[i], q - self.target[i]);
        if self.angles[i] {
            let (sin, cos) = distance.sin_cos();
            (k * (1.0 - cos), k * sin)
        } else {
            (0.5 * k * distance * distance, k * distance)
        }
    }

    /// The system as a controller that pumps energy sees it, and the energy at the set point.
    pub(super) fn plant(&self) -> (&Plant<'a, M>, Vec<f64>) {
        (&self.plant, self.plant.at_rest(&self.target))
    }

    /// Checks, at one moving state, that `dq/dt` is `dH/dp`, or `v`, and the inputs act on the
    /// second half alone.
    fn check_form(&self) -> Result<(), ModelError> {
        let (plant, mut x) = self.plant();
        let n = plant.n();
        x[n..].iter_mut().enumerate().for_each(|(i, v)| *v = 1.0 / (1.0 + i as f64));
        let seen = plant.see(0.0, &x)?;
        let expected = match plant.form {
            StateForm::Canonical => &seen.gradient[n..],
            StateForm::Lagrangian => &x[n..],
        };
        let size = expected.iter().fold(f64::MIN_POSITIVE, |most, v| most.max(v.abs()));
        let mut pairs = seen.slope.iter().zip(expected);
        let is_velocity = pairs.all(|(slope, v)| (slope - v).abs() <= 1e-6 * size);
        if is_velocity && seen.response.rows(0, n).iter().all(|entry| *entry == 0.0) {
            return Ok(());
        }
        Err(ModelError::StateForm { form: plant.form })
    }
}

impl<M: ?Sized> std::fmt::Debug for EnergyShaping<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnergyShaping")
            .field("target", &self.target)
            .field("stiffness", &self.stiffness)
            .field("damping", &self.damping)
            .finish_non_exhaustive()
    }
}
