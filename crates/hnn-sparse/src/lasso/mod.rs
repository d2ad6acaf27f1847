//! LASSO and elastic net from a Gram matrix, each solution with its certificate.
//!
//! A path is warm-started; the sequential strong rule (Tibshirani et al. 2012) guesses which
//! unknowns matter and the optimality conditions check it; coordinate descent finds the support,
//! and one Cholesky solve on it gives the coefficients to rounding.

mod certificate;
mod penalty;
mod scaled;
mod working;

pub use certificate::Certificate;
pub use penalty::Penalty;

use certificate::certify;
use hnn_integrators::TooLarge;
use scaled::Scaled;
use working::{Polish, Swept, Working};

use crate::{Gram, SparseError, error::require, error::same_length};

/// A LASSO or elastic net solver.
///
/// ```
/// use hnn_sparse::{Gram, Lasso, Penalty};
/// use ndarray::array;
/// let x = array![[1.0, 0.1], [0.0, 1.0], [1.0, -0.2], [2.0, 0.3]];
/// let gram = Gram::new(x.view(), array![2.0, 0.1, 2.0, 4.0].view())?;
/// // scikit-learn: Lasso(alpha=0.1, fit_intercept=False).fit(X, y)
/// let lasso = Lasso::default().with_penalty(Penalty::default().with_standardisation(false));
/// let solution = lasso.solve(&gram, 0.1)?;
/// assert!(solution.converged && solution.certificate.gap < 1e-12);
/// assert_eq!(solution.support(), [0]);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lasso {
    penalty: Penalty,
    gap_tolerance: f64,
    kkt_tolerance: f64,
    max_sweeps: usize,
}

impl Default for Lasso {
    /// Gap at most 1e-12, violation at most 1e-9 lambda, at most 10 000 sweeps a lambda.
    fn default() -> Self {
        Self {
            penalty: Penalty::default(),
            gap_tolerance: 1e-12,
            kkt_tolerance: 1e-9,
            max_sweeps: 10_000,
        }
    }
}

/// A solution of a LASSO or an elastic net.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LassoSolution {
    /// Its lambda, in this crate's scale (see [`Penalty`]).
    pub lambda: f64,
    /// The coefficients `w`, one a column.
    pub coefficients: Vec<f64>,
    /// How far from optimal it is, at most.
    pub certificate: Certificate,
    /// Whether the certificate is within the tolerances asked for.
    pub converged: bool,
    /// Sweeps of coordinate descent it took.
    pub sweeps: usize,
}

impl LassoSolution {
    /// The columns with a coefficient different from 0.
    #[must_use]
    pub fn support(&self) -> Vec<usize> {
        let pairs = self.coefficients.iter().enumerate();
        pairs.filter(|(_, w)| **w != 0.0).map(|(j, _)| j).collect()
    }
}

impl Lasso {
    /// Replaces the penalty.
    #[must_use]
    pub fn with_penalty(mut self, penalty: Penalty) -> Self {
        self.penalty = penalty;
        self
    }

    /// The largest duality gap (over `|y|^2 / 2n`) that is good enough. A solver refuses a negative
    /// number and NaN.
    #[must_use]
    pub fn with_gap_tolerance(mut self, tolerance: f64) -> Self {
        self.gap_tolerance = tolerance;
        self
    }

    /// The largest violation of the optimality conditions (over lambda) that is good enough;
    /// infinity asks for the gap alone. A solver refuses a negative number and NaN.
    #[must_use]
    pub fn with_kkt_tolerance(mut self, tolerance: f64) -> Self {
        self.kkt_tolerance = tolerance;
        self
    }

    /// The most sweeps of coordinate descent a lambda. A solution that needs more says so:
    /// [`converged`](LassoSolution::converged) is false.
    #[must_use]
    pub fn with_max_sweeps(mut self, sweeps: usize) -> Self {
        self.max_sweeps = sweeps;
        self
    }

    /// The smallest lambda at which every penalised coefficient is 0.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn lambda_max(&self, gram: &Gram) -> Result<f64, SparseError> {
        let scaled = Scaled::new(gram, &self.penalty)?;
        let mut path = Path::start(self, &scaled)?;
        Ok(path.lambda_max(&scaled))
    }

    /// The solution at one lambda.
    ///
    /// # Errors
    /// If lambda is negative, 0 or not finite, a tolerance is negative or NaN, a column is 0 in
    /// every row, two columns are the same, or the weights do not fit.
    pub fn solve(&self, gram: &Gram, lambda: f64) -> Result<LassoSolution, SparseError> {
        let mut path = self.path_at(gram, &[lambda])?;
        path.pop().ok_or(SparseError::TooFew { what: "lambdas", given: 0, needed: 1 })
    }

    /// The solutions at `count` lambdas, from [`lambda_max`](Self::lambda_max) down to
    /// `smallest_share` of it in equal ratios.
    ///
    /// # Errors
    /// As [`solve`](Self::solve), if there is no lambda or there are too many, if the share does
    /// not lie in (0, 1), or if `y` is 0 or orthogonal to all penalised columns.
    pub fn path(
        &self,
        gram: &Gram,
        count: usize,
        smallest_share: f64,
    ) -> Result<Vec<LassoSolution>, SparseError> {
        self.path_while(gram, count, smallest_share, |_| true)
    }

    /// As [`path`](Self::path), as long as `go_on` says so of the last solution.
    ///
    /// # Errors
    /// As [`path`](Self::path).
    pub fn path_while(
        &self,
        gram: &Gram,
        count: usize,
        smallest_share: f64,
        go_on: impl Fn(&LassoSolution) -> bool,
    ) -> Result<Vec<LassoSolution>, SparseError> {
        let inside = smallest_share > 0.0 && smallest_share < 1.0;
        require(inside, "the smallest lambda's share of the largest", smallest_share, "in (0, 1)")?;
        require(count > 0, "the number of lambdas", count, "at least 1")?;
        let each = size_of::<LassoSolution>() + 8 * gram.columns();
        TooLarge::check("lambdas of a path", count, each, "take fewer")?;
        let scaled = Scaled::new(gram, &self.penalty)?;
        let mut path = Path::start(self, &scaled)?;
        let largest = path.lambda_max(&scaled);
        if largest == 0.0 {
            let reason = "y is 0, or orthogonal to all columns that are penalised".to_owned();
            return Err(SparseError::NothingFound { reason });
        }
        let steps = count.saturating_sub(1).max(1) as f64;
        let mut solutions = vec![];
        for k in 0..count {
            let lambda = largest * smallest_share.powf(k as f64 / steps);
            let solution = path.solve(&scaled, lambda, gram.columns());
            let last = !go_on(&solution);
            solutions.push(solution);
            if last {
                break;
            }
        }
        Ok(solutions)
    }

    /// With columns left out that are 0 in every row, as they may be in a part of the data.
    pub(crate) fn without_zero_columns(&self, gram: &Gram) -> Result<Self, SparseError> {
        let scales = gram.column_scales();
        let weight =
            |j: usize| if scales[j] == 0.0 { f64::INFINITY } else { self.penalty.weight(j) };
        if let Some(weights) = &self.penalty.weights {
            same_length("penalty weights, one a column", weights.len(), gram.columns())?;
        }
        let weights = (0..gram.columns()).map(weight).collect::<Vec<_>>();
        Ok(self.clone().with_penalty(self.penalty.clone().with_weights(weights)?))
    }

    /// The solutions at these lambdas, each started from the one before: give them falling.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    pub fn path_at(&self, gram: &Gram, lambdas: &[f64]) -> Result<Vec<LassoSolution>, SparseError> {
        for &lambda in lambdas {
            let valid = lambda > 0.0 && lambda.is_finite();
            require(valid, "lambda", lambda, "positive and finite (for 0 use least squares)")?;
        }
        let scaled = Scaled::new(gram, &self.penalty)?;
        let mut path = Path::start(self, &scaled)?;
        Ok(lambdas.iter().map(|&lambda| path.solve(&scaled, lambda, gram.columns())).collect())
    }
}

/// The state of a path between two lambdas.
struct Path<'a> {
    options: &'a Lasso,
    working: Working,
    /// `c - Q u` of every unknown.
    gradient: Vec<f64>,
    /// The lambda before; infinity at the start.
    lambda: f64,
}

impl<'a> Path<'a> {
    fn start(options: &'a Lasso, scaled: &Scaled) -> Result<Self, SparseError> {
        let tolerances = [
            ("the tolerance of the duality gap", options.gap_tolerance),
            ("the tolerance of the optimality conditions", options.kkt_tolerance),
        ];
        for (name, tolerance) in tolerances {
            require(tolerance >= 0.0, name, tolerance, "not negative (infinity asks for nothing)")?;
        }
        let mut path = Self {
            options,
            working: Working::new(scaled.len()),
            gradient: scaled.c.clone(),
            lambda: f64::INFINITY,
        };
        // What is never penalised is there from the start.
        let free: Vec<usize> = (0..scaled.len()).filter(|&a| scaled.weights[a] == 0.0).collect();
        if !free.is_empty() {
            path.working.extend(scaled, &free, &path.gradient);
            path.descend(scaled, f64::MIN_POSITIVE);
            path.working.refresh(scaled, &mut path.gradient);
        }
        Ok(path)
    }

    fn lambda_max(&mut self, scaled: &Scaled) -> f64 {
        let penalised = (0..scaled.len()).filter(|&a| scaled.weights[a] > 0.0);
        penalised.map(|a| self.gradient[a].abs() / scaled.threshold(1.0, a)).fold(0.0, f64::max)
    }

    fn solve(&mut self, scaled: &Scaled, lambda: f64, columns: usize) -> LassoSolution {
        let reach = |path: &Self, a: usize| {
            // The strong rule: a gradient grows by no more than the thresholds fall.
            let fall = (path.lambda - lambda).max(0.0);
            let growth = if fall.is_finite() { scaled.threshold(fall, a) } else { 0.0 };
            path.gradient[a].abs() + growth
        };
        let mut sweeps = 0;
        let mut guess = true;
        loop {
            let joins = |a: &usize| {
                let size = if guess { reach(self, *a) } else { self.gradient[*a].abs() };
                !self.working.contains(*a) && size > scaled.threshold(lambda, *a)
            };
            let new: Vec<usize> = (0..scaled.len()).filter(joins).collect();
            if new.is_empty() && !guess {
                break;
            }
            self.working.extend(scaled, &new, &self.gradient);
            sweeps += self.descend(scaled, lambda);
            self.working.refresh(scaled, &mut self.gradient);
            guess = false;
        }
        self.lambda = lambda;
        let mut u = vec![0.0; scaled.len()];
        for (&a, &value) in self.working.members.iter().zip(&self.working.u) {
            u[a] = value;
        }
        let certificate = certify(scaled, lambda, &u, &self.gradient);
        let Lasso { gap_tolerance, kkt_tolerance, .. } = *self.options;
        let converged = certificate.gap <= gap_tolerance && certificate.kkt <= kkt_tolerance;
        let coefficients = scaled.unscale(&u, columns);
        LassoSolution { lambda, coefficients, certificate, converged, sweeps }
    }

    /// Solves on the working set; the number of sweeps it took.
    fn descend(&mut self, scaled: &Scaled, lambda: f64) -> usize {
        let gap_is_enough = self.options.kkt_tolerance == f64::INFINITY;
        for sweep in 1..=self.options.max_sweeps {
            let Swept { changed, sign_changed } = self.working.sweep(scaled, lambda);
            if gap_is_enough && self.working.gap(scaled, lambda) <= self.options.gap_tolerance {
                return sweep;
            }
            if sign_changed && sweep % 8 != 0 {
                continue;
            }
            let mut outcome = Polish::Shortened;
            while outcome == Polish::Shortened {
                outcome = self.working.polish(scaled, lambda);
            }
            if outcome == Polish::Exact && !self.working.violates(scaled, lambda) {
                return sweep;
            }
            // Rounding is all that is left: more sweeps would do the same.
            if !changed && outcome == Polish::Singular {
                return sweep;
            }
        }
        self.options.max_sweeps
    }
}
