//! Binomial checkpointing: which states to keep so that few steps are taken twice.
//!
//! Griewank, Walther, *Algorithm 799: revolve*, ACM Trans. Math. Softw. 26 (2000), 19-45;
//! *Evaluating Derivatives*, 2nd ed. (2008), section 12.3.

/// Which states of a run are kept for the way back; the others are computed again from the kept
/// ones.
///
/// With `c` states kept, `C(c + r, c)` steps can be pulled back so that none is taken forward more
/// than `r` times again. The schedule is the optimal one: no other takes fewer steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checkpoints {
    /// Every state: `N` of them for `N` steps, and no step is taken twice.
    All,
    /// As many as the logarithm of the number of steps, and no step taken more often than that:
    /// the smallest `c` with `C(2c, c) >= N` (7 for 10^3 steps, 12 for 10^6).
    #[default]
    Logarithmic,
    /// This many, the start being one of them: 2 take `O(N^(3/2))` steps, 3 `O(N^(4/3))`, ...
    Count(usize),
}

impl Checkpoints {
    /// The most states kept in a run of `steps` steps, at least 1.
    ///
    /// ```
    /// use hnn_integrators::Checkpoints;
    /// assert_eq!(Checkpoints::Logarithmic.most(1_000), 7);
    /// assert_eq!(Checkpoints::Logarithmic.most(1_000_000), 12);
    /// ```
    #[must_use]
    pub fn most(self, steps: usize) -> usize {
        let count = match self {
            Self::All => steps,
            Self::Logarithmic => (1..).find(|c| reach(*c, *c) >= steps).unwrap_or(steps),
            Self::Count(count) => count.min(steps),
        };
        count.max(1)
    }
}

/// `C(kept + repeats, kept)`: the most steps that can be pulled back with so many states kept, the
/// start being one of them, if no step is repeated more often.
fn reach(kept: usize, repeats: usize) -> usize {
    let (small, large) = (kept.min(repeats) as u128, kept.max(repeats) as u128);
    let mut product = 1_u128;
    for k in 1..=small {
        product = product * (large + k) / k;
        if product > usize::MAX as u128 {
            return usize::MAX;
        }
    }
    product as usize
}

/// Of `steps >= 2` steps to be pulled back with `kept >= 2` states, that at their start included:
/// how many to advance before the next state is kept.
pub(super) fn advance_by(steps: usize, kept: usize) -> usize {
    let repeats = (1..).find(|r| reach(kept, *r) >= steps).unwrap_or(1);
    let rest = reach(kept - 1, repeats - 1).min(steps - 1);
    reach(kept, repeats - 1).min(steps - rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps taken beyond one recording each, by the rule.
    fn cost(steps: usize, kept: usize) -> usize {
        match (steps, kept) {
            (0 | 1, _) => 0,
            (_, 1) => steps * (steps - 1) / 2,
            _ => {
                let first = advance_by(steps, kept);
                assert!((1..steps).contains(&first));
                first + cost(steps - first, kept - 1) + cost(first, kept)
            }
        }
    }

    /// No choice of the kept states is better: compared with all of them.
    #[test]
    fn the_schedule_is_optimal() {
        const MOST: usize = 70;
        let mut best: Vec<usize> = (0..=MOST).map(|n| n * n.saturating_sub(1) / 2).collect();
        for kept in 2..=9 {
            let fewer = best.clone();
            for steps in 2..=MOST {
                let by = |first: usize| first + fewer[steps - first] + best[first];
                best[steps] = (1..steps).map(by).min().expect("a choice");
                assert_eq!(cost(steps, kept), best[steps], "{steps} steps, {kept} kept");
            }
        }
    }

    #[test]
    fn logarithmic_counts() {
        for (steps, most) in [(0, 1), (1, 1), (2, 1), (3, 2), (6, 2), (7, 3), (184_756, 10)] {
            assert_eq!(Checkpoints::Logarithmic.most(steps), most, "{steps}");
        }
        assert!(Checkpoints::Logarithmic.most(usize::MAX) < 40);
        assert_eq!(reach(usize::MAX, 3), usize::MAX);
        assert_eq!((Checkpoints::All.most(9), Checkpoints::Count(0).most(9)), (9, 1));
    }
}
