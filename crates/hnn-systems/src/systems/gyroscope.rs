//! A heavy top, as three points of a rigid body.

use hnn_integrators::{Constrained, Scalar};

use crate::error::Constants;
use crate::{ConstrainedSystem, End, Rod, Rods, SystemError, Weights};

/// A rigid body that turns about a fixed point, the origin: Euler's top, and with gravity a heavy one.
///
/// Its coordinates are the ends of its three principal axes, points 1 m from the origin, axis by axis
/// `[x_1, x_2, x_3, y_1, .., z_3, p..]`, `z` upwards. Rods to the origin and between the points
/// make them a frame: of 9 coordinates 6 are held. A body of principal moments `J` moves as such a
/// frame does with the masses `m_1 = (J_2 + J_3 - J_1) / 2` and so on:
///
/// `H = sum of |p_j|^2 / (2 m_j) + G z_3`, `G = m g l` the largest torque of its weight, whose
/// centre lies on the third axis.
///
/// Source: Landau and Lifshitz, *Mechanics*, sections 32 to 35.
///
/// ```
/// use hnn_systems::{Gyroscope, Hamiltonian};
/// let top = Gyroscope::<f64>::gyroscope([1.0, 1.0, 0.5], 3.0)?;
/// // Its axis is level, and it spins at 10 rad/s: H = J_3 10^2 / 2.
/// let x = top.tilted(std::f64::consts::FRAC_PI_2, 10.0, 0.0);
/// assert!((top.energy_state(&x)? - 25.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Gyroscope<T = f64> = ConstrainedSystem<Weights<3, 3>, Rods<3, 3, 6>, T>;

impl<T: Scalar> Gyroscope<T> {
    /// From the principal moments of inertia in kg m^2, and the largest torque of the weight in N m.
    ///
    /// # Errors
    /// If a moment is not positive or not less than the sum of the others, as they are of any body that
    /// is not flat, the torque negative, or one of them not finite.
    pub fn gyroscope(moments: [f64; 3], torque: f64) -> Result<Self, SystemError> {
        let check = Constants("gyroscope");
        let torque = check.not_negative("torque", torque)?;
        let half = moments.iter().sum::<f64>() / 2.0;
        for moment in moments {
            check.positive("moment of inertia", moment)?;
            check.positive("sum of two moments less the third", half - moment)?;
        }
        let masses = moments.map(|moment| half - moment);
        let rod = |k: usize| match k {
            0..3 => Rod { from: End::Fixed([0.0; 3]), to: k, length: 1.0 },
            _ => Rod { from: End::Point(k % 3), to: (k + 1) % 3, length: 2.0_f64.sqrt() },
        };
        let rods = Rods::new(std::array::from_fn(rod))?;
        Self::new(Weights([0.0, 0.0, torque]), rods, &[masses; 3].concat())
    }

    /// The state whose third axis is tilted by an angle from the vertical up, in rad, towards `x`, while
    /// the body spins about that axis and precesses about the vertical, in rad/s.
    #[must_use]
    pub fn tilted(&self, tilt: f64, spin: f64, precession: f64) -> Vec<T> {
        let (sin, cos) = tilt.sin_cos();
        let axes = [[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]];
        let omega = [spin * sin, 0.0, spin * cos + precession];
        let velocity = |point: usize, axis: usize| {
            let (i, j) = ((axis + 1) % 3, (axis + 2) % 3);
            omega[i] * axes[point][j] - omega[j] * axes[point][i]
        };
        let entry = |i: usize| (i % 3, i / 3);
        let positions = (0..9).map(|i| T::from_f64(axes[entry(i).0][entry(i).1]));
        let rates = (0..9).map(|i| {
            let velocity = velocity(entry(i).0, entry(i).1);
            self.inertia().second_half(i, T::from_f64(velocity))
        });
        positions.chain(rates).collect()
    }
}
