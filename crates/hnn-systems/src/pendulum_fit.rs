//! A pendulum with friction, fitted to data by least squares.

use hnn_data::DataSet;
use hnn_integrators::{AnalyticField, Lane, Scalar};

use crate::error::Constants;
use crate::{AnalyticHamiltonian, SystemError};

/// A pendulum with friction of two parameters: `theta'' = -a sin theta - c theta'`, the state
/// being `[theta, theta']`.
///
/// The yardstick that a learned model of a real pendulum has to beat. Energy
/// `H = a (1 - cos theta) + theta'^2 / 2`, per moment of inertia.
///
/// | constant | meaning | unit |
/// |---|---|---|
/// | `a` | `g / l` of a mathematical pendulum | 1/s^2 |
/// | `c` | damping rate | 1/s |
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::PendulumFit;
/// let fit = PendulumFit::new(1.3, 0.01)?;
/// assert_eq!(fit.eval_state(0.0, &[0.0, 1.0])?, [1.0, -0.01]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PendulumFit {
    a: f64,
    c: f64,
}

impl PendulumFit {
    /// A pendulum of given constants. A fit may have found a negative `c`: no friction but
    /// noise.
    ///
    /// # Errors
    /// If one of them is not finite.
    pub fn new(a: f64, c: f64) -> Result<Self, SystemError> {
        let check = Constants("pendulum fit");
        check.finite("a", a)?;
        check.finite("c", c)?;
        Ok(Self { a, c })
    }

    /// Least squares of `theta'' = -a sin theta - c theta'` over all points of a data set whose
    /// states are `[theta, theta']`: the two normal equations, in `f64`.
    ///
    /// The derivatives decide: from a pendulum sampled every `dt`, forward differences give a
    /// `c` that is too large by about `a dt / 2`. See
    /// [`DerivativeScheme`](hnn_data::DerivativeScheme).
    ///
    /// # Errors
    /// If the states are not of dimension 2, their derivatives are not known, or the points do not
    /// determine `a` and `c`: a pendulum at rest, or fewer than two points.
    pub fn least_squares<T: Scalar>(data: &DataSet<T>) -> Result<Self, SystemError> {
        for (what, given) in [
            ("states of angle and angular velocity", data.dim()),
            ("their derivatives", data.derivatives().ncols()),
        ] {
            if given != 2 {
                return Err(SystemError::Dimension { what, given, expected: 2 });
            }
        }
        let (mut aa, mut ac, mut cc, mut ay, mut cy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (x, dx) in data.states().outer_iter().zip(data.derivatives().outer_iter()) {
            let (s, v, y) = (-x[0].to_f64().sin(), -x[1].to_f64(), dx[1].to_f64());
            (aa, ac, cc) = (aa + s * s, ac + s * v, cc + v * v);
            (ay, cy) = (ay + s * y, cy + v * y);
        }
        let determinant = aa * cc - ac * ac;
        if determinant <= 1e-12 * aa * cc {
            return Err(SystemError::Undetermined {
                what: "a and c of the pendulum fit",
                hint: "take points of different angles and velocities",
            });
        }
        Self::new((ay * cc - cy * ac) / determinant, (aa * cy - ac * ay) / determinant)
    }

    /// `a`, in 1/s^2.
    #[must_use]
    pub fn a(&self) -> f64 {
        self.a
    }

    /// `c`, in 1/s.
    #[must_use]
    pub fn c(&self) -> f64 {
        self.c
    }
}

impl AnalyticField for PendulumFit {
    type State<L: Lane> = [L; 2];

    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, &[theta, v]: &[L; 2]) -> [L; 2] {
        [v, -(L::constant(self.a) * theta.sin() + L::constant(self.c) * v)]
    }
}

impl AnalyticHamiltonian for PendulumFit {
    type State<L: Lane> = [L; 2];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, &[theta, v]: &[L; 2]) -> L {
        let height = L::constant(1.0) - theta.cos();
        L::constant(self.a) * height + L::constant(0.5) * v * v
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, &[theta, v]: &[L; 2]) -> [L; 2] {
        [L::constant(self.a) * theta.sin(), v]
    }
}
