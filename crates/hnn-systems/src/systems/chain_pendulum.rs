//! Pendulums that hang from each other, in Cartesian coordinates.

use hnn_integrators::{Constrained, FieldError, Scalar};
use ndarray::{Array2, ArrayView2};

use crate::error::Constants;
use crate::hamiltonian::check_dimension;
use crate::{ConstrainedSystem, Rods, SystemError, Weights};

/// A chain of `N` point masses on massless rods, the first of which hangs from the origin, in
/// Cartesian coordinates `[x_1..x_N, y_1..y_N, p_x1.., p_y1..]`, `y` upwards.
///
/// `H = sum of |p_j|^2 / (2 m_j) + m_j g y_j`, with `N` rods. For `N = 1` a pendulum, for `N = 2` the
/// [`DoublePendulum`](crate::DoublePendulum). Chaotic from `N = 2` on.
///
/// Source: Finzi, Wang and Wilson, *Simplifying Hamiltonian and Lagrangian neural networks via
/// explicit constraints* (2020).
///
/// ```
/// use hnn_systems::{ChainPendulum, Hamiltonian};
/// let chain = ChainPendulum::<3, f64>::chain([1.0; 3], [1.0; 3], 9.81)?;
/// // Hanging at rest.
/// let x = chain.from_angles(ndarray::array![[0.0; 6]].view())?;
/// let energy = chain.energy_state(&x.row(0).to_vec())?;
/// assert!((energy + 9.81 * (1.0 + 2.0 + 3.0)).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type ChainPendulum<const N: usize, T = f64> =
    ConstrainedSystem<Weights<2, N>, Rods<2, N, N>, T>;

impl<const N: usize, T: Scalar> ChainPendulum<N, T> {
    /// From the masses in kg, the rods' lengths in m, both from the top down, and gravity in m/s^2.
    ///
    /// # Errors
    /// If a mass or length is not positive, gravity negative, or one of them not finite.
    pub fn chain(masses: [f64; N], lengths: [f64; N], gravity: f64) -> Result<Self, SystemError> {
        let gravity = Constants("chain pendulum").not_negative("gravity", gravity)?;
        let weights = Weights(masses.map(|mass| mass * gravity));
        Self::new(weights, Rods::chain(lengths)?, &[masses, masses].concat())
    }

    /// States of this system, a row a state, of rows `[theta_1..theta_N, theta'_1..theta'_N]`: angles from
    /// the vertical down, in rad, and their rates.
    ///
    /// # Errors
    /// If the rows have not `2 N` numbers.
    pub fn from_angles(&self, angles: ArrayView2<'_, T>) -> Result<Array2<T>, FieldError> {
        check_dimension(2 * N, angles.ncols())?;
        let mut states = Array2::zeros((angles.nrows(), 4 * N));
        for (angles, mut x) in angles.outer_iter().zip(states.outer_iter_mut()) {
            let mut end = [T::ZERO; 4];
            for (k, rod) in self.constraint().rods().iter().enumerate() {
                let ((sin, cos), rate) = (angles[k].sin_cos(), angles[N + k]);
                let along = [sin, -cos, cos * rate, sin * rate];
                for i in 0..4 {
                    end[i] += T::from_f64(rod.length) * along[i];
                    x[i * N + k] = end[i];
                }
            }
            (0..2 * N).for_each(|i| x[2 * N + i] = self.inertia().second_half(i, x[2 * N + i]));
        }
        Ok(states)
    }

    /// The way back: angles in `(-pi, pi]` and their rates, a row a state, of states of this system.
    ///
    /// # Errors
    /// If the rows have not `4 N` numbers.
    pub fn to_angles(&self, states: ArrayView2<'_, T>) -> Result<Array2<T>, FieldError> {
        check_dimension(4 * N, states.ncols())?;
        let mut angles = Array2::zeros((states.nrows(), 2 * N));
        for (x, mut angles) in states.outer_iter().zip(angles.outer_iter_mut()) {
            let mut above = [T::ZERO; 4];
            for k in 0..N {
                let velocity = |axis: usize| {
                    let i = axis * N + k;
                    self.inertia().velocity(i, x[2 * N + i])
                };
                let here = [x[k], x[N + k], velocity(0), velocity(1)];
                let [dx, dy, vx, vy] = std::array::from_fn(|i| here[i] - above[i]);
                let angle = dx.to_f64().atan2(-dy.to_f64());
                angles[k] = T::from_f64(angle);
                angles[N + k] = (dx * vy - dy * vx) / (dx * dx + dy * dy);
                above = here;
            }
        }
        Ok(angles)
    }
}
