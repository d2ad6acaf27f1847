//! Inputs: forces and torques from outside.

use hnn_integrators::Lane;

/// A force or torque from outside, as a function of time and state: a motor, a wind, a controller.
///
/// ```
/// use hnn_integrators::Lane;
/// use hnn_systems::Input;
/// /// A force that dies away.
/// struct Fading;
/// impl Input for Fading {
///     #[inline(always)]
///     fn value<L: Lane>(&self, t: L, _x: &[L]) -> L {
///         (-t).exp()
///     }
/// }
/// assert_eq!(Fading.value(0.0, &[1.0, 2.0]), 1.0);
/// ```
pub trait Input: Send + Sync {
    /// The input at time `t` and state `x`. Mark it `#[inline(always)]`.
    fn value<L: Lane>(&self, t: L, x: &[L]) -> L;
}

/// The same input at all times; 0 by default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Constant(pub f64);

impl Input for Constant {
    #[inline(always)]
    fn value<L: Lane>(&self, _t: L, _x: &[L]) -> L {
        L::constant(self.0)
    }
}

/// `amplitude cos(omega t + phase)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Harmonic {
    /// Amplitude, in the input's unit.
    pub amplitude: f64,
    /// Angular frequency in rad/s.
    pub omega: f64,
    /// Phase in rad.
    pub phase: f64,
}

impl Input for Harmonic {
    #[inline(always)]
    fn value<L: Lane>(&self, t: L, _x: &[L]) -> L {
        let angle = L::constant(self.omega).mul_add(t, L::constant(self.phase));
        L::constant(self.amplitude) * angle.cos()
    }
}

/// A linear controller: `-(k_1 x_1 + ... + k_D x_D)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feedback<const D: usize> {
    /// The gains `k`.
    pub gains: [f64; D],
}

impl<const D: usize> Input for Feedback<D> {
    #[inline(always)]
    fn value<L: Lane>(&self, _t: L, x: &[L]) -> L {
        let mut sum = L::constant(0.0);
        for (&x, &gain) in x.iter().zip(&self.gains) {
            sum -= L::constant(gain) * x;
        }
        sum
    }
}
