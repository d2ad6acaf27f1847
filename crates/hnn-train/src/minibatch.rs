//! Mini-batches.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

use crate::TrainError;
use crate::error::require;

/// Random mini-batches of groups of rows: every group once an epoch, in an order that the seed
/// decides.
///
/// ```
/// use hnn_train::MiniBatch;
/// let mut batches = MiniBatch::points(10, 4, 0)?;
/// let (a, b) = (batches.next_rows().len(), batches.next_rows().len());
/// assert_eq!((a, b), (4, 4));
/// assert_eq!(batches.next_rows().len(), 2);
/// # Ok::<(), hnn_train::TrainError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MiniBatch {
    groups: Vec<Vec<usize>>,
    size: usize,
    position: usize,
    rng: ChaCha12Rng,
    rows: Vec<usize>,
}

impl MiniBatch {
    /// Batches of `size` of `rows` points.
    ///
    /// # Errors
    /// If either is 0.
    pub fn points(rows: usize, size: usize, seed: u64) -> Result<Self, TrainError> {
        Self::groups((0..rows).map(|row| vec![row]).collect(), size, seed)
    }

    /// Batches of `size` trajectories, given by their lengths; their rows follow each other.
    ///
    /// # Errors
    /// If there is no trajectory, or `size` is 0.
    pub fn trajectories(lengths: &[usize], size: usize, seed: u64) -> Result<Self, TrainError> {
        let mut start = 0;
        let rows = |length: &usize| {
            start += length;
            (start - length..start).collect()
        };
        Self::groups(lengths.iter().map(rows).collect(), size, seed)
    }

    fn groups(groups: Vec<Vec<usize>>, size: usize, seed: u64) -> Result<Self, TrainError> {
        require(!groups.is_empty(), "the number of groups to draw from", 0, "at least 1")?;
        require(size > 0, "the batch size", size, "at least 1")?;
        let position = groups.len();
        let rng = ChaCha12Rng::seed_from_u64(seed);
        Ok(Self { groups, size, position, rng, rows: Vec::new() })
    }

    /// The rows of the next batch; the last one of an epoch may be smaller.
    pub fn next_rows(&mut self) -> &[usize] {
        if self.position >= self.groups.len() {
            self.groups.shuffle(&mut self.rng);
            self.position = 0;
        }
        let end = (self.position + self.size).min(self.groups.len());
        self.rows.clear();
        self.rows.extend(self.groups[self.position..end].iter().flatten());
        self.position = end;
        &self.rows
    }
}
