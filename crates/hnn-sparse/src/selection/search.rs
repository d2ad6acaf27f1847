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
    /// The number of equations with noise of their own.
    rows: f64,
    required: Vec<usize>,
    /// Columns that may be in: not forbidden, not 0 in every row.
    allowed: Vec<usize>,
    seen: HashMap<Vec<usize>, Seen>,
}

/// What is kept of a set of columns that was looked at.
#[derive(Clone, Copy)]
struct Seen {
    score: f64,
    residual_square: f64,
}

pub(crate) struct Outcome {
    pub(crate) fit: LeastSquares,
    pub(crate) score: f64,
    pub(crate) next_score: f64,
    pub(crate) compared: usize,
    /// A set of terms, not larger, that explains the data as well as their noise lets us tell, with
    /// a different formula.
    pub(crate) rival: Option<LeastSquares>,
    /// Whether the allowed columns are nearly dependent, so that the data may not tell.
    pub(crate) fit_is_shaky: bool,
}

/// A rival's squared residual is at most this many times the best one's.
const RIVAL_RESIDUAL: f64 = 9.0;
/// Its difference to the best one shows in the equations less than this many times the noise,
const RIVAL_NOISE: f64 = 20.0;
/// and less than this share of its terms' own sizes,
const HIDDEN: f64 = 0.1;
/// which are more than this share of the best one's.
const DIFFERENT: f64 = 0.01;
/// Most rivals that are looked at, those with the fewest terms first.
const MOST_RIVALS: usize = 100;

/// Columns of which less than this share is new may be told apart by rounding alone.
const SHAKY: f64 = 1e-9;

impl<'a> Search<'a> {
    pub(crate) fn new(
        triangle: &'a Triangle,
        criterion: Criterion,
        (floor, rows): (f64, f64),
        required: Vec<usize>,
        absent: &[usize],
    ) -> Self {
        let usable = |j: &usize| !absent.contains(j) && triangle.column_square(*j) > 0.0;
        // Required columns come first: of two that depend on each other the first is kept.
        let mut allowed: Vec<usize> = required.iter().copied().filter(usable).collect();
        allowed.extend((0..triangle.columns()).filter(|j| usable(j) && !required.contains(j)));
        Self { triangle, criterion, floor, rows, required, allowed, seen: HashMap::new() }
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
            x.score.total_cmp(&y.score).then(a.len().cmp(&b.len())).then_with(|| a.cmp(b))
        });
        let (best, Seen { score, .. }) = ranked.remove(0);
        let fit = LeastSquares::new(self.triangle, &best);
        let all = LeastSquares::new(self.triangle, &self.allowed);
        Ok(Outcome {
            score,
            next_score: ranked.first().map_or(f64::INFINITY, |(_, next)| next.score),
            compared,
            rival: self.rival(&fit, &ranked),
            fit,
            fit_is_shaky: all.len() < self.allowed.len() || all.smallest_new_share() < SHAKY,
        })
    }

    /// A fit on no more terms that the data tell from the best one by their noise alone, if the
    /// noise is inside the features: what the two differ by nearly cancels in the equations, to
    /// what noise of the states makes of it. Such a difference may well be significant for a
    /// regression, which takes the features for exact.
    fn rival(&self, best: &LeastSquares, others: &[(Vec<usize>, Seen)]) -> Option<LeastSquares> {
        let least = best.residual_square.max(self.floor);
        let noise = (least / self.triangle.target_square()).sqrt();
        let near = |(set, seen): &&(Vec<usize>, Seen)| {
            set.len() <= best.len() && seen.residual_square <= RIVAL_RESIDUAL * least
        };
        let mut near: Vec<_> = others.iter().filter(near).map(|(set, _)| set).collect();
        near.sort_by_key(|set| set.len());
        let coefficients = |fit: &LeastSquares| {
            let mut w = vec![0.0; self.triangle.columns()];
            fit.columns.iter().zip(fit.coefficients()).for_each(|(&j, c)| w[j] = c);
            w
        };
        let size = |w: &[f64]| {
            let square = |(j, w): (usize, &f64)| w * w * self.triangle.column_square(j);
            w.iter().enumerate().filter(|(_, w)| **w != 0.0).map(square).sum::<f64>().sqrt()
        };
        let w = coefficients(best);
        near.into_iter().take(MOST_RIVALS).map(|set| LeastSquares::new(self.triangle, set)).find(
            |fit| {
                let other = coefficients(fit);
                let difference: Vec<f64> = w.iter().zip(&other).map(|(a, b)| a - b).collect();
                let whole = size(&difference);
                let visible = self.triangle.image(&difference) / whole;
                whole > DIFFERENT * size(&w) && visible < HIDDEN.min(RIVAL_NOISE * noise)
            },
        )
    }

    /// Scores a fit; false if its set was seen before.
    fn look_at(&mut self, fit: &LeastSquares) -> bool {
        let mut key = fit.columns.clone();
        key.sort_unstable();
        let residual_square = fit.residual_square.max(self.floor);
        // Terms explain their share of any noise, and as many as there are equations all of it.
        let unexplained = (1.0 - fit.len() as f64 / self.rows).max(0.0);
        let noise_square = (fit.residual_square / unexplained).max(self.floor);
        let score = self.criterion.score_of(noise_square, self.rows, self.allowed.len(), fit.len());
        self.seen.insert(key, Seen { score, residual_square }).is_none()
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
        let order = |a: &(&Vec<usize>, &Seen), b: &(&Vec<usize>, &Seen)| {
            let by_score = a.1.score.total_cmp(&b.1.score);
            by_score.then(a.0.len().cmp(&b.0.len())).then_with(|| a.0.cmp(b.0))
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
