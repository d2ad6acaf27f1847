//! Swinging up with little force.

use hnn_integrators::FieldError;
use hnn_systems::Hamiltonian;

use super::EnergyShaping;
use crate::ModelError;

/// Swings a system up to the set point of an [`EnergyShaping`] with inputs that are too weak to lift
/// it: energy is pumped in,
///
/// `u = -k (H - H*) y`, `y = G^T dq/dt`, cut off at the limit,
///
/// with `H*` the energy at rest at the set point, since `dH/dt = y . u` (Astrom and Furuta 2000). Where
/// the shaped energy falls below a level, the shaping takes over, its inputs cut off at the limit too.
///
/// For one degree of freedom, the orbits of energy `H*` lead past an unstable set point, and the swing-up
/// ends there; of more, pumping reaches the energy, but nothing says that the orbit comes by. At rest
/// `y = 0`, and nothing is pumped: begin with a push.
///
/// ```
/// use hnn_integrators::StateForm;
/// use hnn_models::control::{EnergyShaping, SwingUp};
/// use hnn_models::{Architecture, Initialisation, InputPort, Lnn, MechanicalLagrangian, Mlp};
/// let network = |seed| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(&[1, 16, 1])?, Initialisation::Orthogonal, seed))
/// };
/// let lagrangian = MechanicalLagrangian::new(network(1)?, network(2)?)?;
/// let model = Lnn::forced(lagrangian, InputPort::new(1))?;
/// let shaping = EnergyShaping::new(&model, StateForm::Lagrangian, &[0.5], &[4.0], &[2.0])?;
/// let controller = SwingUp::new(shaping, 1.0, 0.3, 0.1)?; // inputs of at most 0.3
/// let mut u = [0.0];
/// controller.input(0.0, &[-2.0, 5.0], &mut u)?;
/// assert!(!controller.catches(&[-2.0, 5.0])? && u[0].abs() <= 0.3);
/// assert!(controller.catches(&[0.5, 0.0])?); // at rest, at the set point
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SwingUp<'a, M: ?Sized> {
    shaping: EnergyShaping<'a, M>,
    gain: f64,
    limit: f64,
    catch: f64,
}

impl<'a, M: Hamiltonian<f64> + ?Sized> SwingUp<'a, M> {
    /// Pumping with gain `k`, inputs at most `limit`, and a catch where the shaped energy
    /// ([`EnergyShaping::lyapunov`]) is below `catch`: so low that the shaping stays within the limit.
    ///
    /// # Errors
    /// If one of them is not a positive number.
    pub fn new(
        shaping: EnergyShaping<'a, M>,
        gain: f64,
        limit: f64,
        catch: f64,
    ) -> Result<Self, ModelError> {
        let settings = [("the gain", gain), ("the limit", limit), ("the catch", catch)];
        match settings.into_iter().find(|(_, x)| !(*x > 0.0 && x.is_finite())) {
            None => Ok(Self { shaping, gain, limit, catch }),
            Some((name, given)) => {
                Err(ModelError::Setting { name, given, expected: "a positive number" })
            }
        }
    }

    /// The controller that catches.
    pub fn shaping(&self) -> &EnergyShaping<'a, M> {
        &self.shaping
    }

    /// Whether the shaping has taken over at a state.
    ///
    /// # Errors
    /// As [`EnergyShaping::lyapunov`].
    pub fn catches(&self, x: &[f64]) -> Result<bool, FieldError> {
        Ok(self.shaping.lyapunov(x)? < self.catch)
    }

    /// Writes the inputs at a time and a state.
    ///
    /// # Errors
    /// As [`EnergyShaping::input`].
    pub fn input(&self, t: f64, x: &[f64], u: &mut [f64]) -> Result<(), FieldError> {
        if self.catches(x)? {
            self.shaping.input(t, x, u)?;
        } else {
            let (plant, target) = self.shaping.plant();
            FieldError::check_lengths(plant.n(), [("the inputs", u.len())])?;
            let seen = plant.see(t, x)?;
            let excess = plant.model.energy_state(x)? - plant.model.energy_state(&target)?;
            for (u, response) in u.iter_mut().zip(seen.response.column_iter()) {
                // dH/dt = y u for each input: y is the energy's slope along its response.
                let y: f64 = seen.gradient.iter().zip(&response).map(|(g, r)| g * r).sum();
                *u = -self.gain * excess * y;
            }
        }
        u.iter_mut().for_each(|u| *u = u.clamp(-self.limit, self.limit));
        Ok(())
    }
}
