//! The size of the first step.
//!
//! Hairer's choice (Hairer, Norsett, Wanner I, II.4): an explicit Euler step of 1 % of the state's
//! own scale shows the second derivative, which gives the step.

use super::Tolerances;

/// Norms of one trajectory, in units of the tolerance.
#[derive(Debug)]
pub(super) struct FirstStep {
    /// Norm of the slope.
    slope: f64,
    /// Size of the trial step.
    pub(super) trial: f64,
}

impl FirstStep {
    /// From the state, its slope, and the longest step allowed.
    pub(super) fn new(
        tolerances: Tolerances,
        longest: f64,
        x: impl Iterator<Item = f64> + Clone,
        slope: impl Iterator<Item = f64>,
    ) -> Self {
        let state = norm(tolerances, x.clone(), x.clone());
        let slope = norm(tolerances, slope, x);
        let small = state < 1e-5 || slope < 1e-5;
        let trial = if small { 1e-6 } else { 0.01 * state / slope };
        Self { slope, trial: trial.min(longest) }
    }

    /// The step, from the change of the slope over the trial step.
    pub(super) fn choose(
        &self,
        tolerances: Tolerances,
        order: usize,
        change: impl Iterator<Item = f64>,
        x: impl Iterator<Item = f64>,
    ) -> f64 {
        let second = norm(tolerances, change, x) / self.trial;
        let largest = self.slope.max(second);
        let by_error = if largest <= 1e-15 {
            (self.trial * 1e-3).max(1e-6)
        } else {
            (0.01 / largest).powf(1.0 / order as f64)
        };
        // Where the field has no value there, the trial step itself is the answer.
        if second.is_finite() { by_error.min(100.0 * self.trial) } else { self.trial }
    }
}

/// Root mean square of `v_i / (atol + rtol |x_i|)`.
fn norm(tolerances: Tolerances, v: impl Iterator<Item = f64>, x: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (v, x) in v.zip(x) {
        let scale = tolerances.atol + tolerances.rtol * x.abs();
        sum += if v == 0.0 { 0.0 } else { (v / scale).powi(2) };
        count += 1.0;
    }
    if count == 0.0 { 0.0 } else { (sum / count).sqrt() }
}
