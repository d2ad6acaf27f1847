//! Pruning of proposals and the choice among everything seen.

use std::collections::HashMap;

use super::candidates::propose;
use super::criterion::Criterion;
use crate::SparseError;
use crate::linalg::{LeastSquares, Triangle};

pub(crate) struct Search<'a> {
    triangle: &'a Triangle,
    criterion: Criterion,
    floor: f64,
    required: Vec<usize>,
    /// Columns that may be in: not forbidden, not 0 in every row.
    allowed: Vec<usize>,
    seen: HashMap<Vec<usize>, f64>,
}

pub(crate) struct Outcome {
    pub(crate) fit: LeastSquares,
    pub(crate) score: f64,
    pub(crate) next_score: f64,
    pub(crate) compared: usize,
    /// Whether the allowed columns are nearly dependent, so that the data may not tell.
    pub(crate) fit_is_shaky: bool,
}

/// Columns of which less than this share is new may be told apart by rounding alone.
const SHAKY: f64 = 1e-9;

impl<'a> Search<'a> {
    pub(crate) fn new(
        triangle: &'a Triangle,
        criterion: Criterion,
        floor: f64,
        required: Vec<usize>,
        absent: &[usize],
    ) -> Self {
        let usable = |j: &usize| !absent.contains(j) && triangle.column_square(*j) > 0.0;
        // Required columns come first: of two that depend on each other the first is kept.
        let mut allowed: Vec<usize> = required.iter().copied().filter(usable).collect();
        allowed.extend((0..triangle.columns()).filter(|j| usable(j) && !required.contains(j)));
        Self { triangle, criterion, floor, required, allowed, seen: HashMap::new() }
    }

    pub(crate) fn run(mut self, names: &[String]) -> Result<Outcome, SparseError> {
        let proposals = propose(self.triangle, names, &self.allowed)?;
        for mut set in proposals {
            set.extend(&self.required);
            set.sort_unstable();
            set.dedup();
            self.prune(set);
        }
        let empty = self.required.clone();
        self.look_at(&LeastSquares::new(self.triangle, &empty));
        self.improve();
        let compared = self.seen.len();
        let mut ranked: Vec<_> = self.seen.drain().collect();
        // Ties (data without noise) go to the smaller, then the earlier set: the same every time.
        ranked.sort_by(|(a, x), (b, y)| {
            x.total_cmp(y).then(a.len().cmp(&b.len())).then_with(|| a.cmp(b))
        });
        let (best, score) = ranked.swap_remove(0);
        let others = ranked.iter().map(|(_, score)| *score);
        let all = LeastSquares::new(self.triangle, &self.allowed);
        Ok(Outcome {
            fit: LeastSquares::new(self.triangle, &best),
            score,
            next_score: others.fold(f64::INFINITY, f64::min),
            compared,
            fit_is_shaky: all.len() < self.allowed.len() || all.smallest_new_share() < SHAKY,
        })
    }

    /// Scores a fit; false if its set was seen before.
    fn look_at(&mut self, fit: &LeastSquares) -> bool {
        let mut key = fit.columns.clone();
        key.sort_unstable();
        let square = fit.residual_square.max(self.floor);
        let score =
            self.criterion.score(square, self.triangle.rows(), self.allowed.len(), fit.len());
        self.seen.insert(key, score).is_none()
    }

    /// Drops the term that matters least, again and again, and scores every set on the way. Stops
    /// at a set seen before: what follows was seen too.
    fn prune(&mut self, set: Vec<usize>) {
        let mut fit = LeastSquares::new(self.triangle, &set);
        while self.look_at(&fit) {
            let Some(weakest) = self.weakest(&fit) else { return };
            fit.remove(weakest);
        }
    }

    /// The place of the term whose loss raises the residual least.
    fn weakest(&self, fit: &LeastSquares) -> Option<usize> {
        let increases = fit.increases();
        let free = (0..fit.len()).filter(|&k| !self.required.contains(&fit.columns[k]));
        free.min_by(|&a, &b| increases[a].total_cmp(&increases[b]))
    }

    fn best(&self) -> Option<Vec<usize>> {
        let order = |a: &(&Vec<usize>, &f64), b: &(&Vec<usize>, &f64)| {
            a.1.total_cmp(b.1).then(a.0.len().cmp(&b.0.len())).then_with(|| a.0.cmp(b.0))
        };
        self.seen.iter().min_by(order).map(|(set, _)| set.clone())
    }

    /// Adds or swaps single terms as long as that helps.
    fn improve(&mut self) {
        while let Some(best) = self.best() {
            for k in 0..self.allowed.len() {
                let new = self.allowed[k];
                if best.contains(&new) {
                    continue;
                }
                let mut set = best.clone();
                set.push(new);
                let mut fit = LeastSquares::new(self.triangle, &set);
                self.look_at(&fit);
                let swapped = self.weakest(&fit).filter(|&weakest| fit.columns[weakest] != new);
                if let Some(weakest) = swapped {
                    fit.remove(weakest);
                    self.look_at(&fit);
                }
            }
            if self.best().as_ref() == Some(&best) {
                return;
            }
        }
    }
}
