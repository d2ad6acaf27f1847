//! Friction as users know it: viscous, dry, quadratic.

use hnn_integrators::{At, FieldError, Lane, Parameters, Scalar, ThetaBar, TooLarge};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::GeneralisedForce;
use crate::{Coordinate, DifferentiableMap, ForceBars, Keep, ModelError, Network};

/// One kind of friction, of a velocity `v` and a constant that is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FrictionTerm {
    /// `b v`: viscous.
    Viscous,
    /// `c tanh(v / width)`: dry friction (Coulomb's), smooth within the width.
    Coulomb {
        /// In the unit of the velocity, positive: well below the velocities of the data, and not below
        /// their noise.
        width: f64,
    },
    /// `k |v| v`: drag in a turbulent medium.
    Quadratic,
}

impl FrictionTerm {
    /// The term for a constant of 1, and its derivative.
    fn of<T: Scalar>(self, v: T) -> (T, T) {
        match self {
            Self::Viscous => (v, T::ONE),
            Self::Coulomb { width } => {
                let inverse = T::from_f64(width.recip());
                let sign = (v * inverse).tanh();
                (sign, (T::ONE - sign * sign) * inverse)
            }
            Self::Quadratic => {
                let speed = Lane::abs(v);
                (speed * v, speed + speed)
            }
        }
    }

    /// What its constant is measured in, from the sizes of a force and of a velocity.
    pub(crate) fn unit(self, force: f64, velocity: f64) -> f64 {
        match self {
            Self::Viscous => force / velocity,
            Self::Coulomb { .. } => force,
            Self::Quadratic => force / velocity / velocity,
        }
    }
}

/// A friction law with constants that are fitted, for each degree of freedom its own:
/// `F_i = sum over terms of constant * term(v_i)`.
///
/// What `v` is depends on where it stands, as for [`Dissipative`](super::Dissipative):
///
/// - As a [`GeneralisedForce`], `Q = -F(dq/dt)`: the velocity itself, of an [`Hnn`](crate::Hnn) as
///   of an [`Lnn`](crate::Lnn). This is Rayleigh's form, and the physical one.
/// - As a [`DifferentiableMap`], behind a [`FrictionForce`](super::FrictionForce), `F(p)` of the
///   second half of the state: with an HNN, the momentum.
///
/// Constants start at 0. A parameter is a constant over its [unit](Self::units): 1, or the size that
/// the data give it ([`Scales::friction_law`](crate::Scales::friction_law)); of a law that is
/// [`non_negative`](Self::non_negative), the square root of that.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_models::{Architecture, FrictionLaw, FrictionTerm, Hnn, Initialisation, Mlp};
/// use ndarray::array;
/// let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1);
/// let terms = [FrictionTerm::Viscous, FrictionTerm::Coulomb { width: 0.01 }];
/// let law = FrictionLaw::new(1, &terms)?.with_constants(array![[0.2], [0.3]].view())?;
/// let free = Hnn::new(network.clone())?.eval_state(0.0, &[0.3, 0.5])?;
/// let model = Hnn::forced(network, law)?;
/// let (dq, dp) = (free[0], free[1] - 0.2 * free[0] - 0.3 * (free[0] / 0.01).tanh());
/// let damped = model.eval_state(0.0, &[0.3, 0.5])?;
/// assert!(damped[0] == dq && (damped[1] - dp).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FrictionLaw<T> {
    terms: Vec<FrictionTerm>,
    n: usize,
    /// Of each term, n numbers; as the parameters.
    units: Vec<f64>,
    is_non_negative: bool,
    theta: Vec<T>,
}

impl<T: Scalar> FrictionLaw<T> {
    /// A law of these terms for `n` degrees of freedom.
    ///
    /// # Errors
    /// If there is no term, `n` is 0, or a width is not a positive number.
    pub fn new(n: usize, terms: &[FrictionTerm]) -> Result<Self, ModelError> {
        let count = n.saturating_mul(terms.len());
        let (each, remedy) =
            (size_of::<T>() + size_of::<f64>(), "give the number of degrees of freedom");
        TooLarge::check("constants of a friction law", count, each, remedy)?;
        Self::from_parameters(terms, vec![1.0; count], false, vec![T::ZERO; count])
    }

    /// From its parts.
    pub(crate) fn from_parameters(
        terms: &[FrictionTerm],
        units: Vec<f64>,
        is_non_negative: bool,
        theta: Vec<T>,
    ) -> Result<Self, ModelError> {
        let n = units.len() / terms.len().max(1);
        let setting = |name, given, expected| Err(ModelError::Setting { name, given, expected });
        if n == 0 {
            return setting(
                "a friction law's number of constants",
                0.0,
                "at least 1: give terms, and a degree of freedom for each",
            );
        }
        FieldError::check_parameters(units.len(), n * terms.len())?;
        FieldError::check_parameters(theta.len(), units.len())?;
        for term in terms {
            if let FrictionTerm::Coulomb { width } = *term
                && !(T::from_f64(width.recip()) > T::ZERO && T::from_f64(width.recip()).is_finite())
            {
                return setting(
                    "the width of dry friction",
                    width,
                    "a positive number, in the unit of the velocity",
                );
            }
        }
        if let Some(unit) =
            units.iter().find(|unit| !(T::from_f64(**unit) > T::ZERO && unit.is_finite()))
        {
            return setting("the unit of a friction constant", *unit, "a positive number");
        }
        Ok(Self { terms: terms.to_vec(), n, units, is_non_negative, theta })
    }

    /// The same with constants of shape (terms, n), to start from.
    ///
    /// # Errors
    /// If their shape is another, or one is not finite, or negative where that is excluded.
    pub fn with_constants(mut self, constants: ArrayView2<'_, T>) -> Result<Self, ModelError> {
        let (rows, columns) = constants.dim();
        FieldError::check_lengths(self.terms.len(), [("the rows of friction constants", rows)])?;
        FieldError::check_lengths(self.n, [("the columns of friction constants", columns)])?;
        for ((theta, unit), constant) in self.theta.iter_mut().zip(&self.units).zip(constants) {
            let share = *constant / T::from_f64(*unit);
            *theta = if self.is_non_negative { share.sqrt() } else { share };
            if !theta.is_finite() {
                let (name, given) = ("a friction constant", constant.to_f64());
                let expected = "finite, and not negative in a law that is so";
                return Err(ModelError::Setting { name, given, expected });
            }
        }
        Ok(self)
    }

    /// The same with constants that are squares, and so never negative. One that is 0 starts at a
    /// hundredth of its unit instead, since a square has no slope at 0.
    #[must_use]
    pub fn non_negative(mut self) -> Self {
        if !self.is_non_negative {
            self.theta.iter_mut().for_each(|theta| *theta = theta.max(T::ZERO).sqrt());
        }
        let start = T::from_f64(0.1);
        self.theta.iter_mut().filter(|theta| **theta == T::ZERO).for_each(|theta| *theta = start);
        self.is_non_negative = true;
        self
    }

    /// The fitted constants, of shape (terms, n).
    #[must_use]
    pub fn constants(&self) -> Array2<T> {
        Array2::from_shape_fn((self.terms.len(), self.n), |(term, i)| {
            self.constant(term * self.n + i)
        })
    }

    /// The terms.
    #[must_use]
    pub fn terms(&self) -> &[FrictionTerm] {
        &self.terms
    }

    /// What each parameter is measured in, those of the first term first. A constant's standard error
    /// is that of its parameter times the unit, where the law is not
    /// [`non_negative`](Self::non_negative).
    #[must_use]
    pub fn units(&self) -> &[f64] {
        &self.units
    }

    /// Whether no constant can be negative.
    #[must_use]
    pub fn is_non_negative(&self) -> bool {
        self.is_non_negative
    }

    /// The parameters.
    pub(crate) fn parameters(&self) -> &[T] {
        &self.theta
    }

    fn constant(&self, k: usize) -> T {
        let theta = self.theta[k];
        T::from_f64(self.units[k]) * if self.is_non_negative { theta * theta } else { theta }
    }

    /// Adds `sign F(v)` to the force.
    fn apply(&self, v: &[T], sign: T, force: &mut [T]) {
        let batch = v.len() / self.n;
        for (k, term) in self.each() {
            let (constant, rows) = (sign * self.constant(k), self.rows(k, batch));
            let force = force[rows.clone()].iter_mut().zip(&v[rows]);
            force.for_each(|(force, v)| *force += constant * term.of(*v).0);
        }
    }

    /// For the cotangent of `sign F(v)`: adds to those of the velocities and of the parameters.
    fn pull(&self, v: &[T], sign: T, bar: &[T], v_bar: &mut [T], theta_bar: &mut ThetaBar<'_, T>) {
        let batch = v.len() / self.n;
        for (k, term) in self.each() {
            let (constant, rows) = (sign * self.constant(k), self.rows(k, batch));
            let slope = sign * T::from_f64(self.units[k]);
            let twice = self.theta[k] + self.theta[k];
            let slope = if self.is_non_negative { slope * twice } else { slope };
            let (v, bar) = (&v[rows.clone()], &bar[rows.clone()]);
            for (v_bar, (v, bar)) in v_bar[rows].iter_mut().zip(v.iter().zip(bar)) {
                *v_bar += constant * term.of(*v).1 * *bar;
            }
            theta_bar.add_rows(k, v.iter().zip(bar).map(|(v, bar)| slope * term.of(*v).0 * *bar));
        }
    }

    /// Each parameter and its term.
    fn each(&self) -> impl Iterator<Item = (usize, FrictionTerm)> {
        self.terms.iter().flat_map(|term| std::iter::repeat_n(*term, self.n)).enumerate()
    }

    /// Where the degree of freedom of a parameter lies in a batch.
    fn rows(&self, k: usize, batch: usize) -> std::ops::Range<usize> {
        let i = k % self.n;
        i * batch..(i + 1) * batch
    }
}

impl<T: Scalar> Parameters<T> for FrictionLaw<T> {
    fn num_params(&self) -> usize {
        self.theta.len()
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.theta.len())?;
        out.copy_from_slice(&self.theta);
        Ok(())
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.theta.len())?;
        self.theta.copy_from_slice(theta);
        Ok(())
    }
}

/// `Q = -F(dq/dt)`.
impl<T: Scalar> GeneralisedForce<T> for FrictionLaw<T> {
    type Residuals = ();

    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError> {
        if (dim, rows) == (2 * self.n, self.n) {
            return Ok(());
        }
        let (role, given, expected) = ("friction law", self.n, rows);
        Err(ModelError::OutputSize { role, given, expected })
    }

    fn add(
        &self,
        at: At<'_, T>,
        x: &[T],
        q_dot: &[T],
        force: &mut [T],
        _keep: Keep<'_, T, ()>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(2 * self.n * at.batch(), [("the states", x.len())])?;
        let slices = [("the velocities", q_dot.len()), ("the forces", force.len())];
        FieldError::check_lengths(self.n * at.batch(), slices)?;
        self.apply(q_dot, -T::ONE, force);
        Ok(())
    }

    fn add_vjp(
        &self,
        x: &[T],
        q_dot: &[T],
        (): &mut (),
        force_bar: &[T],
        mut bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        bars.check_inputs(0)?;
        let batch = force_bar.len() / self.n;
        let slices = [("the states", x.len()), ("the states' cotangents", bars.x.len())];
        FieldError::check_lengths(2 * self.n * batch, slices)?;
        let slices = [
            ("the cotangents", force_bar.len()),
            ("the velocities", q_dot.len()),
            ("the velocities' cotangents", bars.q_dot.len()),
        ];
        FieldError::check_lengths(self.n * batch, slices)?;
        bars.theta.check(self.theta.len(), batch)?;
        self.pull(q_dot, -T::ONE, force_bar, bars.q_dot, &mut bars.theta);
        Ok(())
    }
}

impl<T: Scalar> Network<T> for FrictionLaw<T> {
    fn input_dim(&self) -> usize {
        2 * self.n
    }

    fn coordinate(&self, index: usize) -> Coordinate {
        if index < self.n { Coordinate::Number } else { Coordinate::Velocity }
    }
}

/// `F(p)`, of the second half of the state.
impl<T: Scalar> DifferentiableMap<T> for FrictionLaw<T> {
    type Residuals = ();

    fn output_dim(&self) -> usize {
        self.n
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        _keep: Keep<'_, T, ()>,
    ) -> Result<(), FieldError> {
        self.check_eval(batch, x, y)?;
        y.fill(T::ZERO);
        self.apply(&x[self.n * batch..], T::ONE, y);
        Ok(())
    }

    fn vjp(
        &self,
        x: &[T],
        (): &mut (),
        y_bar: &[T],
        x_bar: &mut [T],
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = y_bar.len() / self.n;
        self.check_eval(batch, x, y_bar)?;
        FieldError::check_lengths(x.len(), [("the states' cotangents", x_bar.len())])?;
        theta_bar.check(self.theta.len(), batch)?;
        x_bar.fill(T::ZERO);
        let half = self.n * batch;
        self.pull(&x[half..], T::ONE, y_bar, &mut x_bar[half..], &mut theta_bar);
        Ok(())
    }
}
