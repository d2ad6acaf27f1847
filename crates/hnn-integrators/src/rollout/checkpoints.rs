//! Binomial checkpointing: which states to keep so that few steps are taken twice.
//!
//! Griewank, Walther, *Algorithm 799: revolve*, ACM Trans. Math. Softw. 26 (2000), 19-45;
//! *Evaluating Derivatives*, 2nd ed. (2008), section 12.3.

/// Which states of a run are kept for the way back; the others are computed again from the kept
/// ones.
///
/// The way back goes by segments of up to [`SEGMENT`](Self::SEGMENT) steps, whose states (and, for
/// fields without kernels, recorded stages) are held while they are pulled back. With `c` segments'
/// starts kept, `C(c + r, c)` segments can be pulled back so that none is taken forward more than
/// `r` times again. The schedule is the optimal one: no other takes fewer steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Checkpoints {
    /// Every state: `N` of them for `N` steps, and no step is taken twice.
    All,
    /// The start of every segment of so many steps (at least 1), and the states of one segment at a
    /// time: every step but the last segment's is taken twice. `sqrt(N)` steps keep the fewest.
    Segments(usize),
    /// As many segments' starts as the logarithm of the number of segments, and none taken more
    /// often than that: the smallest `c` with `C(2c, c) >= N / SEGMENT`.
    #[default]
    Logarithmic,
    /// This many segments' starts, the first one's included: 2 take `O(N^(3/2))` steps, 3
    /// `O(N^(4/3))`, ...
    Count(usize),
    /// The state at hand and nothing else: each step is undone on the way back. For splitting
    /// methods only ([`FieldError::Irreversible`](crate::FieldError::Irreversible)).
    ///
    /// Undoing a step is exact but for rounding. The states on the way back, and with them the
    /// gradient, are therefore off by about machine epsilon times the number of steps times the
    /// growth of a small disturbance over the run: in regular motion that growth is at most linear
    /// in time, in chaotic motion exponential; there take another choice.
    Reversible,
}

impl Checkpoints {
    /// Steps of a segment, but for [`Segments`](Self::Segments).
    pub const SEGMENT: usize = 16;

    /// Steps of a segment in a run of `steps` steps, and how many segments' starts are kept at most.
    pub(super) fn plan(self, steps: usize) -> (usize, usize) {
        let segment = match self {
            Self::Segments(steps) => steps.max(1),
            _ => Self::SEGMENT,
        };
        let segments = steps.div_ceil(segment);
        let most = match self {
            Self::All | Self::Segments(_) | Self::Reversible => segments,
            Self::Logarithmic => (1..).find(|c| reach(*c, *c) >= segments).unwrap_or(segments),
            Self::Count(count) => count.min(segments),
        };
        (segment, most.max(1))
    }
}

/// `C(kept + repeats, kept)`: the most segments that can be pulled back with so many starts kept, the
/// first one's included, if none is repeated more often.
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

/// Of `steps >= 2` segments to be pulled back with `kept >= 2` states, that at their start included:
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
        let most = |steps: usize| Checkpoints::Logarithmic.plan(16 * steps).1;
        for (segments, expected) in [(0, 1), (1, 1), (2, 1), (3, 2), (6, 2), (7, 3), (184_756, 10)]
        {
            assert_eq!(most(segments), expected, "{segments}");
        }
        assert!(Checkpoints::Logarithmic.plan(usize::MAX).1 < 40);
        assert_eq!(reach(usize::MAX, 3), usize::MAX);
        assert_eq!(Checkpoints::All.plan(33), (16, 3));
        assert_eq!(Checkpoints::Segments(0).plan(9), (1, 9));
        assert_eq!(Checkpoints::Count(0).plan(9), (16, 1));
    }
}
