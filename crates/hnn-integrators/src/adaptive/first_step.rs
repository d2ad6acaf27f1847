//! The size of the first step.
//!
//! Hairer's choice (Hairer, Norsett, Wanner I, II.4), with times in units of the field's own: an
//! explicit Euler step of 1 % of the state's own scale shows the second derivative, which gives the
//! step. Coordinates of which no size is known are left out.

use super::Tolerances;

/// Norms of one trajectory, in units of the tolerance.
#[derive(Debug)]
pub(super) struct FirstStep {
    tolerances: Tolerances,
    /// The longest step allowed.
    pub(super) longest: f64,
    /// Norms of the state and of the slope.
    state: f64,
    slope: f64,
    /// Size of the trial step.
    pub(super) trial: f64,
}

/// A norm that counts as nothing.
const NOTHING: f64 = 1e-5;

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
        let small = state < NOTHING || slope * longest < NOTHING;
        let trial = if small { 1e-6 * longest } else { (0.01 * state / slope).min(longest) };
        Self { tolerances, longest, state, slope, trial }
    }

    /// The step, from the change of the slope over the trial step.
    pub(super) fn choose(
        &self,
        order: usize,
        change: impl Iterator<Item = f64>,
        x: impl Iterator<Item = f64>,
    ) -> f64 {
        let second = norm(self.tolerances, change, x) / self.trial;
        // Where the field has no value there, the trial step itself is the answer.
        if !second.is_finite() {
            return self.trial;
        }
        // How fast the state changes by itself, and its slope.
        let own = (self.slope / self.state).max((second / self.state).sqrt());
        let rate = (if self.state < NOTHING { 0.0 } else { own }).max(1.0 / self.longest);
        let largest = (self.slope / rate).max(second / (rate * rate));
        let by_error = if largest <= 1e-15 {
            self.trial * 1e-3
        } else {
            (0.01 / largest).powf(1.0 / order as f64) / rate
        };
        by_error.min(100.0 * self.trial)
    }
}

/// Root mean square of `v_i / (atol + rtol |x_i|)`.
fn norm(tolerances: Tolerances, v: impl Iterator<Item = f64>, x: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (v, x) in v.zip(x) {
        let scale = tolerances.atol + tolerances.rtol * x.abs();
        if scale > 0.0 {
            sum += (v / scale).powi(2);
            count += 1.0;
        }
    }
    if count == 0.0 { 0.0 } else { (sum / count).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first step of `x'' = -(rate^2) x` from rest, with velocities in any units.
    fn of_spring(amplitude: f64, rate: f64, unit: f64) -> f64 {
        let (x, slope) = ([amplitude, 0.0], [0.0, -rate * rate * amplitude * unit]);
        let longest = 60.0 / rate;
        let first =
            FirstStep::new(Tolerances::default(), longest, x.into_iter(), slope.into_iter());
        let change = [slope[1] * first.trial / unit, 0.0];
        first.choose(5, change.into_iter(), x.into_iter()) * rate
    }

    #[test]
    fn units_change_nothing() {
        let expected = of_spring(1.0, 1.0, 1.0);
        assert!((0.001..0.1).contains(&expected), "{expected}");
        for (amplitude, rate, unit) in [
            (1e-15, 1.0, 1.0),
            (1e15, 1.0, 1.0),
            (1.0, 1e9, 1.0),
            (1.0, 1e-9, 1.0),
            (1.0, 1.0, 1e-12),
        ] {
            let step = of_spring(amplitude, rate, unit);
            assert!((step / expected - 1.0).abs() < 1e-6, "{amplitude} {rate} {unit}: {step}");
        }
    }

    /// Nothing that gives a size: a step that is short for the interval, not for its unit.
    #[test]
    fn a_start_at_the_origin() {
        for longest in [1e-9, 1.0, 1e9] {
            let (x, slope) = ([0.0; 2], [0.0, 3.0]);
            let first =
                FirstStep::new(Tolerances::default(), longest, x.into_iter(), slope.into_iter());
            let step = first.choose(5, [1.0, 0.0].into_iter(), x.into_iter());
            assert!(step > 0.0 && step < 1e-3 * longest, "{step}");
        }
    }
}
