//! Starting states over a whole range of energies.

use ndarray::{Array2, ArrayView1};
use rand::RngExt;
use rand_distr::StandardNormal;

use super::check_points;
use super::starts::{Purpose, stream};
use crate::error::Constants;
use crate::{Hamiltonian, SystemError};

/// Starting states whose energy is uniform in a range: positions uniform in a box where the
/// potential leaves room, momenta (or velocities) of a random direction, scaled to the energy.
///
/// For systems whose energy is quadratic in the second half of the state, `H = T + V` with
/// `T(q, s p) = s^2 T(q, p)`, in canonical or Lagrangian coordinates.
///
/// ```
/// use hnn_systems::{DoublePendulum, EnergyShell, Hamiltonian};
/// let pi = std::f64::consts::PI;
/// let law = EnergyShell { positions: vec![(-pi, pi); 2], energies: (-25.0, 30.0) };
/// let system = DoublePendulum::default();
/// let starts = law.draw(&system, 20, 0)?;
/// let energies = system.energy_rows(starts.view())?;
/// assert!(energies.iter().all(|e| (-25.0..=30.0).contains(e)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EnergyShell {
    /// Bounds of each position, in the units of the system.
    pub positions: Vec<(f64, f64)>,
    /// Lowest and highest energy.
    pub energies: (f64, f64),
}

/// Positions tried for one energy.
const TRIES: usize = 10_000;

impl EnergyShell {
    /// `count` states, shape (count, D); each has a stream of random numbers of its own.
    ///
    /// # Errors
    /// If bounds are not finite or out of order, there are not half as many bounds as the system
    /// has dimensions, the states take more memory than a call may, or the potential leaves no room
    /// for an energy that was drawn.
    pub fn draw(
        &self,
        system: &dyn Hamiltonian<f64>,
        count: usize,
        seed: u64,
    ) -> Result<Array2<f64>, SystemError> {
        let (n, dim) = (self.positions.len(), system.dim());
        if 2 * n != dim {
            let what = "bounds of the positions";
            return Err(SystemError::Dimension { what, given: n, expected: dim / 2 });
        }
        let check = Constants("energy shell");
        for &(low, high) in self.positions.iter().chain([&self.energies]) {
            check.not_below("upper bound", high, low)?;
        }
        check_points(count, dim)?;
        let mut starts = Array2::zeros((count, dim));
        for (index, mut row) in starts.outer_iter_mut().enumerate() {
            row.assign(&ArrayView1::from(&self.draw_one(system, index, seed)?));
        }
        Ok(starts)
    }

    fn draw_one(
        &self,
        system: &dyn Hamiltonian<f64>,
        index: usize,
        seed: u64,
    ) -> Result<Vec<f64>, SystemError> {
        let mut rng = stream(seed, index, Purpose::Start);
        let (n, (low, high)) = (self.positions.len(), self.energies);
        let energy = rng.random_range(low..=high);
        let mut x = vec![0.0; 2 * n];
        for _ in 0..TRIES {
            for (q, &(low, high)) in x.iter_mut().zip(&self.positions) {
                *q = rng.random_range(low..=high);
            }
            x[n..].fill(0.0);
            let room = energy - system.energy_state(&x)?;
            x[n..].fill_with(|| rng.sample(StandardNormal));
            let kinetic = system.energy_state(&x)? - energy + room;
            if room >= 0.0 && kinetic > 0.0 {
                let scale = (room / kinetic).sqrt();
                x[n..].iter_mut().for_each(|p| *p *= scale);
                return Ok(x);
            }
        }
        Err(SystemError::NoRoom { energy, tries: TRIES })
    }
}
