//! An unknown force from outside, learned beside the energy.

use std::f64::consts::TAU;

use hnn_integrators::{At, FieldError, Scalar, TooLarge};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{GeneralisedForce, InputPort};
use crate::parameters::parameters;
use crate::{ForceBars, Keep, ModelError, Record};

/// An unknown force that depends on time, `F(x, t) = sum_k a_k(x) c_k(t)`, with given functions
/// `c_k` of the clock ([`Harmonics`]) and learned amplitudes `a_k`.
///
/// It is a port whose inputs are the functions: of constant amplitudes `F(t)`
/// ([`on_momenta`](ExternalForce::on_momenta), an [`InputPort`]), or of amplitudes that depend on the
/// state (a [`StatePort`](crate::StatePort)).
///
/// *What the data cannot tell apart.* A constant force `c` moves a body as the tilted potential
/// `V(q) - c q` does, and any force that does not depend on time as some other energy or friction.
/// The convention here: `F` has zero mean over the period, or the window, at every state, since
/// every `c_k` has. So what does not depend on time belongs to the energy (and the friction), and
/// the split is unique; the true force's mean is found in the slope of the learned potential.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_models::{Architecture, ExternalForce, Harmonics, Hnn, Initialisation, Mlp};
/// let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1);
/// let free = Hnn::new(network.clone())?.eval_state(0.3, &[0.3, 0.5])?;
/// // Two harmonics of a drive of period 1.5: cosines, then sines.
/// let mut force = ExternalForce::on_momenta(1, Harmonics::periodic(1.5, 2)?)?;
/// hnn_integrators::Parameters::<f64>::set_params(&mut force, &[0.0, 0.0, 0.7, 0.0])?;
/// let model = Hnn::forced(network, force)?;
/// let driven = model.eval_state(0.3, &[0.3, 0.5])?;
/// let force = 0.7 * (std::f64::consts::TAU * 0.3 / 1.5).sin();
/// assert!((driven[1] - free[1] - force).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalForce<P> {
    port: P,
    harmonics: Harmonics,
}

/// Functions of time with zero mean, that a force is a sum of.
///
/// ```
/// use hnn_models::Harmonics;
/// assert_eq!(Harmonics::periodic(1.5, 2)?.len(), 4); // two cosines, two sines
/// assert_eq!(Harmonics::window(0.0, 20.0, 3)?.len(), 3);
/// assert!(Harmonics::periodic(0.0, 2).is_err());
/// # Ok::<(), hnn_models::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Harmonics {
    begin: f64,
    period: f64,
    count: usize,
    sines: bool,
}

/// What a text or a file says.
#[derive(Deserialize)]
struct Unchecked {
    begin: f64,
    period: f64,
    count: usize,
    sines: bool,
}

impl TryFrom<Unchecked> for Harmonics {
    type Error = ModelError;

    fn try_from(given: Unchecked) -> Result<Self, ModelError> {
        let Unchecked { begin, period, count, sines } = given;
        Self { begin, period, count, sines }.checked()
    }
}

impl Harmonics {
    /// Of a force of known period: `cos(2 pi k t / period)` for k = 1, ..., count, then the sines.
    ///
    /// # Errors
    /// If the period is not a positive number, or the count is 0.
    pub fn periodic(period: f64, count: usize) -> Result<Self, ModelError> {
        Self { begin: 0.0, period, count, sines: true }.checked()
    }

    /// Of any force in a window of time: `cos(pi k (t - begin) / (end - begin))` for k = 1, ...,
    /// count. Outside the window it goes on as in a mirror, which means nothing.
    ///
    /// # Errors
    /// If the window does not end after its begin, or the count is 0.
    pub fn window(begin: f64, end: f64, count: usize) -> Result<Self, ModelError> {
        Self { begin, period: 2.0 * (end - begin), count, sines: false }.checked()
    }

    fn checked(self) -> Result<Self, ModelError> {
        if !(self.period > 0.0 && self.period.is_finite() && self.begin.is_finite()) {
            let (name, given) = ("the period (or the window's length) of a force", self.period);
            return Err(ModelError::Setting { name, given, expected: "a positive number" });
        }
        if self.count == 0 {
            let (name, expected) = ("the number of harmonics", "at least 1");
            return Err(ModelError::Setting { name, given: 0.0, expected });
        }
        Ok(self)
    }

    /// Number of functions: the inputs of the port.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.sines { self.count.saturating_mul(2) } else { self.count }
    }

    /// Never: there is at least one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All functions at the times of a batch.
    fn fill<T: Scalar>(&self, t: &[T], values: &mut [T]) {
        for (index, values) in values.chunks_exact_mut(t.len().max(1)).enumerate() {
            let frequency = TAU * (index % self.count + 1) as f64 / self.period;
            let (frequency, begin) = (T::from_f64(frequency), T::from_f64(self.begin));
            for (value, t) in values.iter_mut().zip(t) {
                let (sin, cos) = (frequency * (*t - begin)).sin_cos();
                *value = if index < self.count { cos } else { sin };
            }
        }
    }
}

impl ExternalForce<InputPort> {
    /// `F(t)` on n momenta or velocities, of constant amplitudes that start at 0.
    ///
    /// # Errors
    /// If the amplitudes take more memory than one call may.
    pub fn on_momenta(n: usize, harmonics: Harmonics) -> Result<Self, ModelError> {
        let count = n as u128 * harmonics.len() as u128;
        let remedy = "take fewer harmonics: a handful describe a smooth force";
        TooLarge::check("amplitudes of a force", count, size_of::<f64>(), remedy)?;
        let amplitudes = InputPort::with_matrix(Array2::zeros((n, harmonics.len())))?;
        Self::new::<f64>(amplitudes.fitted(), harmonics)
    }
}

impl<P> ExternalForce<P> {
    /// The force of a port whose inputs are the functions of time.
    ///
    /// # Errors
    /// If the port has another number of inputs than there are functions, or the harmonics were read
    /// from a damaged file.
    pub fn new<T: Scalar>(port: P, harmonics: Harmonics) -> Result<Self, ModelError>
    where
        P: GeneralisedForce<T>,
    {
        let harmonics = harmonics.checked()?;
        let (given, expected) = (port.inputs(), harmonics.len());
        if given != expected {
            return Err(ModelError::InputSize { role: "external force's port", given, expected });
        }
        Ok(Self { port, harmonics })
    }

    /// The port that holds the amplitudes.
    pub fn port(&self) -> &P {
        &self.port
    }

    /// The functions of time.
    #[must_use]
    pub fn harmonics(&self) -> Harmonics {
        self.harmonics
    }
}

parameters!(ExternalForce<P>: port);

impl<T: Scalar, P: GeneralisedForce<T>> GeneralisedForce<T> for ExternalForce<P> {
    /// The functions at the times of the batch.
    type Residuals = Record<T, P::Residuals>;

    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError> {
        self.port.check(dim, rows)
    }

    fn add(
        &self,
        At { t, u }: At<'_, T>,
        x: &[T],
        q_dot: &[T],
        force: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(0, [("the inputs", u.len())])?;
        let (values, parts) = keep.split(t.len(), self.harmonics.len() * t.len());
        let values = &mut values[..self.harmonics.len() * t.len()];
        self.harmonics.fill(t, values);
        self.port.add(At { t, u: values }, x, q_dot, force, parts)
    }

    fn add_vjp(
        &self,
        x: &[T],
        q_dot: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        bars.check_inputs(0)?;
        let bars = ForceBars { u: None, ..bars };
        self.port.add_vjp(x, q_dot, &mut residuals.parts, force_bar, bars)
    }
}
