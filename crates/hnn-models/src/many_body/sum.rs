//! The sum of two energies.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use crate::force::add;
use crate::parameters::parameters;
use crate::{DifferentiableEnergy, Keep, ModelError, Network, Record};

/// The sum of two energies of the same coordinates, such as those of pairs and of each body.
///
/// Parameters: those of the first, then those of the second.
///
/// ```
/// use hnn_models::{
///     Architecture, EnergySum, Initialisation, Mlp, Network, OneBodyEnergy, PairEnergy, Separation,
/// };
/// let network = |inputs| -> Result<_, hnn_models::ModelError> {
///     let architecture = Architecture::new(&[inputs, 16, 1])?;
///     Ok(Mlp::<f64>::new(architecture, Initialisation::Orthogonal, 1))
/// };
/// // Four ions in a trap.
/// let pairs = PairEnergy::new(network(1)?, Separation::Inverse, 3, 4)?;
/// let ions = EnergySum::new(pairs, OneBodyEnergy::new(network(3)?, 4)?)?;
/// assert_eq!(ions.input_dim(), 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EnergySum<A, B> {
    first: A,
    second: B,
}

impl<A, B> EnergySum<A, B> {
    /// Of two energies.
    ///
    /// # Errors
    /// If they have different numbers of inputs, or one is no energy.
    pub fn new<T: Scalar>(first: A, second: B) -> Result<Self, ModelError>
    where
        A: DifferentiableEnergy<T>,
        B: DifferentiableEnergy<T>,
    {
        first.check()?;
        second.check()?;
        let (given, expected) = (second.input_dim(), first.input_dim());
        if given != expected {
            return Err(ModelError::InputSize { role: "second energy's", given, expected });
        }
        Ok(Self { first, second })
    }

    /// The first energy.
    pub fn first(&self) -> &A {
        &self.first
    }

    /// The second energy.
    pub fn second(&self) -> &B {
        &self.second
    }
}

parameters!(EnergySum<A, B>: first, second);

impl<T, A, B> Network<T> for EnergySum<A, B>
where
    T: Scalar,
    A: DifferentiableEnergy<T>,
    B: DifferentiableEnergy<T>,
{
    fn input_dim(&self) -> usize {
        self.first.input_dim()
    }

    fn coordinate(&self, index: usize) -> crate::Coordinate {
        self.first.coordinate(index)
    }
}

impl<T, A, B> DifferentiableEnergy<T> for EnergySum<A, B>
where
    T: Scalar,
    A: DifferentiableEnergy<T>,
    B: DifferentiableEnergy<T>,
{
    /// What the second adds, and the residuals of both.
    type Residuals = Record<T, (A::Residuals, B::Residuals)>;

    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (more, inner) = workspace.split(energy.len());
        self.first.energy(x, energy, inner)?;
        self.second.energy(x, more, inner)?;
        add(energy, more);
        Ok(())
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the gradients", gradient.len())];
        FieldError::check_lengths(self.first.input_dim() * batch, slices)?;
        let (more, mut parts) = keep.split(batch, x.len());
        self.first.gradient(batch, x, gradient, parts.part(|parts| &mut parts.0))?;
        self.second.gradient(batch, x, more, parts.part(|parts| &mut parts.1))?;
        add(gradient, more);
        Ok(())
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        w: &[T],
        x_bar: &mut [T],
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let own = self.first.num_params();
        theta_bar.check_parameters(own + self.second.num_params())?;
        let (more, (first, second)) = residuals.recorded(x.len())?;
        self.first.gradient_vjp(x, first, w, x_bar, theta_bar.reborrow().part(..own))?;
        self.second.gradient_vjp(x, second, w, more, theta_bar.part(own..))?;
        add(x_bar, more);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.first.block_len().min(self.second.block_len())
    }
}
