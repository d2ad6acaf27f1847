//! The damping of Levenberg and Marquardt.

/// How strongly steps are kept short, after Nielsen (Damping parameter in Marquardt's method,
/// IMM-REP-1999-05): `lambda` follows the ratio of what a step gains to what the linearised
/// residuals promise. It falls smoothly where that is near 1, and grows ever faster while steps
/// fail, so that no start is too bad for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Damping {
    pub(super) lambda: f64,
    /// What the next failure multiplies it by.
    pub(super) growth: f64,
}

/// What `lambda` falls by at most in a step.
const MOST_FALL: f64 = 1.0 / 3.0;
/// Bounds of `lambda` in units of the largest `H_jj / D_jj`: beyond them it is rounding that moves,
/// or nothing.
const RANGE: (f64, f64) = (1e-18, 1e18);

impl Damping {
    pub(super) fn new(lambda: f64) -> Self {
        Self { lambda, growth: 2.0 }
    }

    /// After a step that gained `ratio` of what was promised.
    pub(super) fn accept(&mut self, ratio: f64, unit: f64) {
        let fall = (1.0 - (2.0 * ratio - 1.0).powi(3)).max(MOST_FALL);
        self.lambda = (self.lambda * fall).max(RANGE.0 * unit);
        self.growth = 2.0;
    }

    /// After a step that failed. False at the end of all damping.
    pub(super) fn reject(&mut self, unit: f64) -> bool {
        self.lambda *= self.growth;
        self.growth *= 2.0;
        self.lambda <= RANGE.1 * unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damping_falls_by_a_third_stays_and_grows_to_its_end() {
        let mut damping = Damping::new(1.0);
        damping.accept(1.0, 1.0);
        assert_eq!(damping.lambda, MOST_FALL);
        damping.accept(0.5, 1.0);
        assert_eq!(damping.lambda, MOST_FALL);
        let failures = (0..100).take_while(|_| damping.reject(1.0)).count();
        assert!((5..15).contains(&failures), "{failures}");
        for _ in 0..100 {
            damping.accept(1e300, 1.0);
        }
        assert_eq!(damping.lambda, RANGE.0);
    }
}
