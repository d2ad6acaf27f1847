//! Masses, and what the second half of a state is.

use crate::{FieldError, Scalar};

/// What the second half of a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StateForm {
    /// Momenta: `x = (q, p)`, `p = M q'`.
    #[default]
    Canonical,
    /// Velocities: `x = (q, v)`, `v = q'`, for data whose masses are not known.
    Lagrangian,
}

/// The masses `m` of the `n` coordinates of a mechanical system, `M = diag(m)`, and the form of its
/// states `x = (q, s)`.
///
/// `q' = E s` and `s' = D f` for a force `f`, with diagonal `E` and `D`: `E = M^-1`, `D = 1` for
/// momenta, `E = 1`, `D = M^-1` for velocities.
///
/// ```
/// use hnn_integrators::{Inertia, StateForm};
/// let inertia = Inertia::new(StateForm::Canonical, vec![2.0, 4.0])?;
/// assert_eq!(inertia.inverse_masses(), [0.5, 0.25]);
/// assert!(Inertia::new(StateForm::Canonical, vec![2.0, 0.0]).is_err());
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Inertia<T> {
    form: StateForm,
    inverse: Vec<T>,
}

impl<T: Scalar> Inertia<T> {
    /// Of states of a form, and a mass for each coordinate.
    ///
    /// # Errors
    /// If a mass or its inverse is not finite and positive ([`FieldError::Mass`]).
    pub fn new(form: StateForm, masses: Vec<T>) -> Result<Self, FieldError> {
        let mut inverse = masses;
        for (index, mass) in inverse.iter_mut().enumerate() {
            let given = mass.to_f64();
            *mass = T::ONE / *mass;
            if !(given > 0.0 && given.is_finite() && mass.is_finite() && *mass > T::ZERO) {
                return Err(FieldError::Mass { index, given });
            }
        }
        Ok(Self { form, inverse })
    }

    /// From the logarithms of the masses, as they are learned: of any finite ones all masses are positive,
    /// but where they overflow slopes are not finite.
    pub fn from_logarithms(form: StateForm, logarithms: impl IntoIterator<Item = T>) -> Self {
        let inverse = logarithms.into_iter().map(|log| (-log).exp()).collect();
        Self { form, inverse }
    }

    /// The same masses, for states of another form.
    #[must_use]
    pub fn with_form(self, form: StateForm) -> Self {
        Self { form, ..self }
    }

    /// What the second half of a state is.
    #[must_use]
    pub const fn form(&self) -> StateForm {
        self.form
    }

    /// `1 / m` of each coordinate.
    #[must_use]
    pub fn inverse_masses(&self) -> &[T] {
        &self.inverse
    }

    /// Coordinate `i` of the diagonals `E`, `D` and `E D = M^-1`.
    pub(crate) fn factors(&self, i: usize) -> [T; 3] {
        match self.form {
            StateForm::Canonical => [self.inverse[i], T::ONE, self.inverse[i]],
            StateForm::Lagrangian => [T::ONE, self.inverse[i], self.inverse[i]],
        }
    }

    /// The velocity of coordinate `i`, whose second half is `s`.
    pub fn velocity(&self, i: usize, s: T) -> T {
        self.factors(i)[0] * s
    }

    /// The second half of a state whose coordinate `i` has the velocity `v`.
    pub fn second_half(&self, i: usize, v: T) -> T {
        v / self.factors(i)[0]
    }

    /// The kinetic energy `v^T M v / 2` of one state, whose second half is `s`.
    pub fn kinetic(&self, s: impl IntoIterator<Item = T>) -> T {
        let terms = s.into_iter().enumerate().map(|(i, s)| s * self.kinetic_slope(i, s));
        T::from_f64(0.5) * terms.sum::<T>()
    }

    /// Its derivative by coordinate `i` of the second half: a velocity by momenta, a momentum by
    /// velocities.
    pub fn kinetic_slope(&self, i: usize, s: T) -> T {
        let [e, d, _] = self.factors(i);
        e * s / d
    }
}
