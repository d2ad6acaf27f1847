//! A pole on a cart.

use hnn_integrators::{AnalyticField, Lane};

use crate::error::Constants;
use crate::{AnalyticHamiltonian, SystemError};

/// A pole hinged to a cart on a rail, with friction and a force on the cart, in Lagrangian
/// coordinates `[x, theta, v, w]`: the cart's place and speed, the pole's angle from the vertical
/// **up** and its rate.
///
/// With the pole's moment of inertia about its centre, `J = m l^2 / 3`, and a force `u`:
///
/// `(M + m) v' + m l cos(theta) w' = m l w^2 sin(theta) - b v + u`,
/// `m l cos(theta) v' + (J + m l^2) w' = m g l sin(theta) - c w`.
///
/// Energy `(M + m) v^2 / 2 + m l v w cos(theta) + (J + m l^2) w^2 / 2 + m g l cos(theta)`; it
/// changes at the rate `u v - b v^2 - c w^2`.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `cart_mass` | `M` | kg | 1 |
/// | `pole_mass` | `m` | kg | 0.1 |
/// | `half_length` | `l`, from the hinge to the pole's centre | m | 0.5 |
/// | `gravity` | `g` | m/s^2 | 9.8 |
/// | `cart_friction` | `b`, viscous | N s/m | 0.1 |
/// | `pole_friction` | `c`, viscous | N m s | 0.002 |
/// | `force` | `u(t, x)` on the cart | N | 0 |
///
/// Source: Barto, Sutton and Anderson, *Neuronlike adaptive elements ...*, IEEE Trans. Syst. Man
/// Cybern. 13 (1983), 834, the masses and length of which these are; friction here is viscous.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::{CartForce, CartPole};
/// // A controller that balances the pole.
/// let balanced = CartPole::default().with_force(CartForce::Feedback([-1.0, -28.0, -3.0, -7.0]));
/// let dx: Vec<f64> = balanced.eval_state(0.0, &[0.0, 0.1, 0.0, 0.0])?;
/// assert!(dx[3] < 0.0); // the pole turns back
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CartPole {
    cart_mass: f64,
    pole_mass: f64,
    half_length: f64,
    gravity: f64,
    cart_friction: f64,
    pole_friction: f64,
    force: CartForce,
}

/// The force on the cart of a [`CartPole`], in N.
///
/// One of your own is a field of your own, by the cart's [`eval_under`](CartPole::eval_under):
///
/// ```
/// use hnn_integrators::{AnalyticField, Lane, VectorField};
/// use hnn_systems::CartPole;
/// /// A push that dies away.
/// struct Fading(CartPole);
/// impl AnalyticField for Fading {
///     type State<L: Lane> = [L; 4];
///     #[inline(always)]
///     fn eval_lanes<L: Lane>(&self, t: L, x: &[L; 4]) -> [L; 4] {
///         self.0.eval_under((-t).exp(), x)
///     }
/// }
/// let pushed: Vec<f64> = Fading(CartPole::default()).eval_state(0.0, &[0.0; 4])?;
/// assert!(pushed[2] > 0.0 && pushed[3] < 0.0); // the cart sets off, the pole falls behind
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CartForce {
    /// The same at all times.
    Constant(f64),
    /// `amplitude cos(omega t + phase)`.
    Harmonic {
        /// Amplitude in N.
        amplitude: f64,
        /// Angular frequency in rad/s.
        omega: f64,
        /// Phase in rad.
        phase: f64,
    },
    /// A linear controller, `-(k_1 x + k_2 theta + k_3 v + k_4 w)`, by its gains `k`.
    Feedback([f64; 4]),
}

impl CartForce {
    /// The force at time `t` and state `x`.
    #[inline(always)]
    fn value<L: Lane>(&self, t: L, x: &[L; 4]) -> L {
        match *self {
            Self::Constant(force) => L::constant(force),
            Self::Harmonic { amplitude, omega, phase } => {
                L::constant(amplitude) * L::constant(omega).mul_add(t, L::constant(phase)).cos()
            }
            Self::Feedback([a, b, c, d]) => {
                let [a, b, c, d] = [a, b, c, d].map(L::constant);
                -(a * x[0] + b * x[1] + c * x[2] + d * x[3])
            }
        }
    }
}

impl CartPole {
    /// A cart-pole of the given masses, half length of the pole and gravity, without friction and
    /// force.
    ///
    /// # Errors
    /// If a mass or the length is not positive, gravity negative, or one of them not finite.
    pub fn new(
        cart_mass: f64,
        pole_mass: f64,
        half_length: f64,
        gravity: f64,
    ) -> Result<Self, SystemError> {
        let check = Constants("cart-pole");
        Ok(Self {
            cart_mass: check.positive("mass of the cart", cart_mass)?,
            pole_mass: check.positive("mass of the pole", pole_mass)?,
            half_length: check.positive("half length", half_length)?,
            gravity: check.not_negative("gravity", gravity)?,
            cart_friction: 0.0,
            pole_friction: 0.0,
            force: CartForce::Constant(0.0),
        })
    }

    /// The same with viscous friction of the cart (N s/m) and of the pole's hinge (N m s).
    ///
    /// # Errors
    /// If one of them is negative or not finite.
    pub fn with_friction(self, cart: f64, pole: f64) -> Result<Self, SystemError> {
        let check = Constants("cart-pole");
        let cart_friction = check.not_negative("friction of the cart", cart)?;
        let pole_friction = check.not_negative("friction of the pole", pole)?;
        Ok(Self { cart_friction, pole_friction, ..self })
    }

    /// The same with another force on the cart.
    #[must_use]
    pub fn with_force(self, force: CartForce) -> Self {
        Self { force, ..self }
    }

    /// The field at state `x` under a force `u` in place of the cart's own.
    #[inline(always)]
    pub fn eval_under<L: Lane>(&self, u: L, x: &[L; 4]) -> [L; 4] {
        let &[_, theta, v, w] = x;
        let (sin, cos) = theta.sin_cos();
        let [a, b, c] = self.inertia();
        let push = L::constant(b) * sin * w * w - L::constant(self.cart_friction) * v + u;
        let turn = L::constant(b * self.gravity) * sin - L::constant(self.pole_friction) * w;
        let determinant = L::constant(a * c) - L::constant(b * b) * cos * cos;
        let (scale, b) = (L::constant(1.0) / determinant, L::constant(b) * cos);
        let dv = (L::constant(c) * push - b * turn) * scale;
        let dw = (L::constant(a) * turn - b * push) * scale;
        [v, w, dv, dw]
    }

    /// The mass matrix `[a, b cos; b cos, c]`: its `a`, `b` and `c`.
    #[inline(always)]
    fn inertia(&self) -> [f64; 3] {
        let moment = self.pole_mass * self.half_length;
        [self.cart_mass + self.pole_mass, moment, 4.0 / 3.0 * moment * self.half_length]
    }
}

impl Default for CartPole {
    fn default() -> Self {
        Self {
            cart_mass: 1.0,
            pole_mass: 0.1,
            half_length: 0.5,
            gravity: 9.8,
            cart_friction: 0.1,
            pole_friction: 0.002,
            force: CartForce::Constant(0.0),
        }
    }
}

impl AnalyticHamiltonian for CartPole {
    type State<L: Lane> = [L; 4];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, &[_, theta, v, w]: &[L; 4]) -> L {
        let ([a, b, c], cos) = (self.inertia().map(L::constant), theta.cos());
        let weight = L::constant(self.gravity);
        L::constant(0.5) * (a * v * v + c * w * w) + b * cos * (v * w + weight)
    }
}

impl AnalyticField for CartPole {
    type State<L: Lane> = [L; 4];

    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, x: &[L; 4]) -> [L; 4] {
        self.eval_under(self.force.value(t, x), x)
    }
}
