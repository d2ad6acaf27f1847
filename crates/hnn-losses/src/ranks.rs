//! Processes that each have a share of the rows.

use std::fmt::{Debug, Display};
use std::ops::Range;
use std::sync::Arc;

use crate::LossError;

/// Processes ("ranks") that run the same program, each on its share of the rows: those of MPI
/// (`mpi::run`, with feature `mpi`), threads ([`on_threads`](crate::on_threads)), or what a user has in
/// their place.
///
/// All ranks call the same methods in the same order, and each waits for the others. What an
/// implementation cannot deliver ends the program on all ranks: there is nothing to go on with.
///
/// ```
/// use hnn_losses::Ranks;
/// /// A program of one process.
/// #[derive(Debug)]
/// struct Alone;
/// impl Ranks for Alone {
///     fn rank(&self) -> usize {
///         0
///     }
///     fn count(&self) -> usize {
///         1
///     }
///     fn add_up(&self, _numbers: &mut [f64]) {}
///     fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
///         vec![own.to_vec()]
///     }
/// }
/// assert_eq!(Alone.gather(b"rows"), [b"rows"]);
/// ```
pub trait Ranks: Debug + Send + Sync {
    /// The number of this one, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn count(&self) -> usize;

    /// Replaces `numbers`, as many on each rank, by their sums over the ranks, place by place. The order
    /// of the terms is that of the ranks, so that all ranks get the same bits, run after run.
    fn add_up(&self, numbers: &mut [f64]);

    /// What each rank has given, in their order.
    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>>;
}

/// The rows of this process, and the ranks that have the others: what a loss whose rows are a share
/// [hands](crate::Loss::row_share) to those who add up over rows themselves.
#[derive(Debug, Clone)]
pub struct RowShare {
    ranks: Arc<dyn Ranks>,
    rows: Range<usize>,
    total: usize,
}

impl RowShare {
    /// So many rows here, behind those of the ranks before this one.
    pub(crate) fn new(ranks: Arc<dyn Ranks>, own: usize) -> Self {
        let mut lengths = vec![0.0; ranks.count()];
        lengths[ranks.rank()] = own as f64;
        ranks.add_up(&mut lengths);
        let length = |of: &f64| *of as usize;
        let before: usize = lengths[..ranks.rank()].iter().map(length).sum();
        let total = lengths.iter().map(length).sum();
        Self { ranks, rows: before..before + own, total }
    }

    /// The ranks.
    #[must_use]
    pub fn ranks(&self) -> &dyn Ranks {
        &*self.ranks
    }

    pub(crate) fn shared_ranks(&self) -> Arc<dyn Ranks> {
        Arc::clone(&self.ranks)
    }

    /// The rows that this process has, among those of all.
    #[must_use]
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Number of rows of all ranks.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Replaces `numbers`, as many on each rank, by their sums over the ranks, if `own`, what they come
    /// from, is good on all of them.
    ///
    /// # Errors
    /// [`LossError::Rank`] on all ranks, the same, with the first one's error.
    pub fn add_up(
        &self,
        own: Result<(), impl Display>,
        numbers: &mut Vec<f64>,
    ) -> Result<(), LossError> {
        numbers.push(if own.is_err() { 1.0 } else { 0.0 });
        self.ranks.add_up(numbers);
        let failures = numbers.pop().unwrap_or_default();
        if failures == 0.0 {
            return Ok(());
        }
        let reason = own.err().map(|error| error.to_string()).unwrap_or_default();
        let Range { start, end } = self.rows;
        let own = if reason.is_empty() { reason } else { format!("{start} {end} {reason}") };
        Err(self.first_error(&self.ranks.gather(own.as_bytes())))
    }

    /// Whether all is good on all ranks.
    ///
    /// # Errors
    /// As [`add_up`](Self::add_up).
    pub fn agree(&self, own: Result<(), impl Display>) -> Result<(), LossError> {
        self.add_up(own, &mut Vec::new())
    }

    /// Whether something is so on any rank.
    #[must_use]
    pub fn any(&self, here: bool) -> bool {
        let mut count = [f64::from(u8::from(here))];
        self.ranks.add_up(&mut count);
        count[0] > 0.0
    }

    /// The first error of those that ranks gave, each with its rows.
    fn first_error(&self, given: &[Vec<u8>]) -> LossError {
        let rank = given.iter().position(|error| !error.is_empty()).unwrap_or_default();
        let text = String::from_utf8_lossy(given.get(rank).map_or(&[][..], |text| text));
        let mut parts = text.splitn(3, ' ');
        let mut row = || parts.next().and_then(|row| row.parse().ok()).unwrap_or_default();
        let rows = row()..row();
        let reason = parts.next().unwrap_or_default().to_owned();
        LossError::Rank { rank, ranks: self.ranks.count(), rows, reason }
    }
}
