//! The damping of Levenberg and Marquardt.

/// How strongly steps are kept short, by delayed gratification (Transtrum and Sethna, Improvements
/// to the Levenberg-Marquardt algorithm for nonlinear least-squares minimization, arXiv:1201.5885):
/// `lambda` falls by much after a step that gained anything, and grows by little after one that
/// did not. So steps are about as long as they can be, which along the narrow canyons of a sum of
/// squares over a network is worth the failures; steps chosen by the ratio of gain to promise
/// crawl there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Damping {
    pub(super) lambda: f64,
    /// What the next failure multiplies it by.
    pub(super) growth: f64,
}

/// What `lambda` is divided by after a step that gained.
const FALL: f64 = 10.0;
/// What it is multiplied by after the first failure; after each one more, by `HASTE` times as much,
/// so that no start is too bad.
const GROWTH: f64 = 1.5;
const HASTE: f64 = 1.05;
/// Bounds of `lambda` in units of the largest `H_jj / D_jj`: beyond them it is rounding that moves,
/// or nothing.
const RANGE: (f64, f64) = (1e-18, 1e18);

impl Damping {
    pub(super) fn new(lambda: f64) -> Self {
        Self { lambda, growth: GROWTH }
    }

    /// After a step that gained.
    pub(super) fn accept(&mut self, unit: f64) {
        self.lambda = (self.lambda / FALL).max(RANGE.0 * unit);
        self.growth = GROWTH;
    }

    /// After a step that failed. False at the end of all damping.
    pub(super) fn reject(&mut self, unit: f64) -> bool {
        self.lambda *= self.growth;
        self.growth *= HASTE;
        self.lambda <= RANGE.1 * unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damping_falls_fast_grows_slowly_and_comes_to_its_end() {
        let mut damping = Damping::new(1.0);
        damping.accept(1.0);
        assert_eq!(damping.lambda, 0.1);
        let gone = (0..100).take_while(|_| damping.reject(1.0) && damping.lambda < 1.0).count();
        assert!((3..7).contains(&gone), "{gone}");
        let failures = (0..100).take_while(|_| damping.reject(1.0)).count();
        assert!((20..60).contains(&failures), "{failures}");
        for _ in 0..100 {
            damping.accept(1.0);
        }
        assert_eq!(damping.lambda, RANGE.0);
    }
}
