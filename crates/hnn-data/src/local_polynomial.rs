//! Values, slopes and curvatures by polynomials that are fitted to the rows around a time.

/// The highest degree whose weights are at hand.
pub(crate) const DEGREE: usize = 6;
/// Fewest rows of a window: one more than the highest degree has coefficients.
pub(crate) const FEWEST: usize = DEGREE + 2;

/// Polynomials of degrees 0 to [`DEGREE`] that are orthonormal on the times of a window.
///
/// The fit of degree `p` to numbers `x` is the sum of `q_k (q_k . x)` over `k` up to `p`; its
/// `d`-th derivative at the centre is the sum of `z_dk (q_k . x)`, for every `p` with the same `z`.
#[derive(Debug, Default)]
pub(crate) struct Basis {
    /// Times from the centre.
    times: Vec<f64>,
    /// The polynomials one after another.
    q: Vec<f64>,
    /// Their values, slopes and curvatures at the centre.
    z: [[f64; DEGREE + 1]; 3],
}

/// A derivative of the fits of two degrees, `p` and `p + 2`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fit {
    /// By degree `p`.
    pub(crate) value: f64,
    /// Its variance for noise of variance 1.
    pub(crate) variance: f64,
    /// What degree `p + 2` adds to it, and the variance of that.
    pub(crate) change: f64,
    pub(crate) change_variance: f64,
}

impl Basis {
    /// For the times of a window, at least [`FEWEST`], around a centre. Windows that look alike, as on
    /// a regular clock, cost nothing.
    pub(crate) fn set(&mut self, times: &[f64], centre: f64) {
        let half = (times[times.len() - 1] - times[0]) * 0.5;
        let is_same = self.times.len() == times.len()
            && self.times.iter().zip(times).all(|(own, t)| (t - centre - own).abs() <= 1e-9 * half);
        if is_same {
            return;
        }
        self.times.clear();
        self.times.extend(times.iter().map(|t| t - centre));
        let m = times.len();
        self.q.clear();
        self.q.resize(m * (DEGREE + 1), 0.0);
        // Monomials and their derivatives at the centre go through the same steps.
        self.z = [[0.0; DEGREE + 1]; 3];
        for k in 0..=DEGREE {
            let (before, rest) = self.q.split_at_mut(m * k);
            let own = &mut rest[..m];
            for (q, t) in own.iter_mut().zip(&self.times) {
                *q = (t / half).powi(k as i32);
            }
            let mut at = [0.0; 3];
            if k < 3 {
                at[k] = [1.0, 1.0, 2.0][k] / half.powi(k as i32);
            }
            for _twice in 0..2 {
                for (j, other) in before.chunks_exact(m).enumerate() {
                    let along = dot(own, other);
                    own.iter_mut().zip(other).for_each(|(q, other)| *q -= along * other);
                    (0..3).for_each(|d| at[d] -= along * self.z[d][j]);
                }
            }
            let norm = dot(own, own).sqrt();
            own.iter_mut().for_each(|q| *q /= norm);
            (0..3).for_each(|d| self.z[d][k] = at[d] / norm);
        }
    }

    /// The `d`-th derivative at the centre by degree `p`, at most `DEGREE - 2`.
    pub(crate) fn fit(&self, x: impl Fn(usize) -> f64, d: usize, p: usize) -> Fit {
        let m = self.times.len();
        let mut fit = Fit { value: 0.0, variance: 0.0, change: 0.0, change_variance: 0.0 };
        for (k, q) in self.q.chunks_exact(m).take(p + 3).enumerate() {
            let z = self.z[d][k];
            let part = z * q.iter().enumerate().map(|(row, q)| q * x(row)).sum::<f64>();
            if k <= p {
                fit.value += part;
                fit.variance += z * z;
            } else {
                fit.change += part;
                fit.change_variance += z * z;
            }
        }
        fit
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
