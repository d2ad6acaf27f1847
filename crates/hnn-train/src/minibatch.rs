//! Mini-batches.

use std::ops::Range;

use chacha20::ChaCha12Rng;
use hnn_integrators::TooLarge;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::error::require;

/// Of a row: in the order, and in a batch of them all.
const BYTES: usize = 16;

fn check_rows(rows: usize) -> Result<(), TooLarge> {
    TooLarge::check("rows to draw from", rows, BYTES, "train on a part of them at a time")
}

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
    groups: Groups,
    size: usize,
    seed: u64,
    draw: Draw,
    rows: Vec<usize>,
}

/// Which rows belong together.
#[derive(Debug, Clone, PartialEq)]
enum Groups {
    /// Each of so many rows is a group.
    Points(usize),
    /// Group `i` is the rows from number `i` up to number `i + 1`.
    Bounds(Vec<u32>),
}

impl Groups {
    fn len(&self) -> usize {
        match self {
            Self::Points(rows) => *rows,
            Self::Bounds(bounds) => bounds.len() - 1,
        }
    }

    fn rows(&self, group: u32) -> Range<usize> {
        let index = group as usize;
        match self {
            Self::Points(_) => index..index + 1,
            Self::Bounds(bounds) => bounds[index] as usize..bounds[index + 1] as usize,
        }
    }
}

/// How far the drawing is: what a resumed run goes on from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Draw {
    /// The groups in this epoch's order.
    order: Vec<u32>,
    /// How many of them have been drawn.
    position: usize,
    rng: Generator,
}

/// A generator of random numbers: its seed and its stream, and how far it has come there.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Generator {
    seed: [u8; 32],
    stream: u64,
    word_pos: u128,
}

impl Generator {
    fn new(seed: u64) -> Self {
        Self::at(&ChaCha12Rng::seed_from_u64(seed))
    }

    fn at(rng: &ChaCha12Rng) -> Self {
        let (seed, stream, word_pos) = (rng.get_seed(), rng.get_stream(), rng.get_word_pos());
        Self { seed, stream, word_pos }
    }

    fn shuffle(&mut self, order: &mut [u32]) {
        let mut rng = ChaCha12Rng::from_seed(self.seed);
        rng.set_stream(self.stream);
        rng.set_word_pos(self.word_pos);
        order.shuffle(&mut rng);
        *self = Self::at(&rng);
    }
}

impl MiniBatch {
    /// Batches of `size` of `rows` points.
    ///
    /// # Errors
    /// If either is 0, or there are more than 2^26 rows.
    pub fn points(rows: usize, size: usize, seed: u64) -> Result<Self, TrainError> {
        require(rows > 0, "the number of rows to draw from", rows, "at least 1")?;
        check_rows(rows)?;
        Self::of(Groups::Points(rows), size, seed)
    }

    /// Batches of `size` trajectories, given by their lengths; their rows follow each other.
    ///
    /// # Errors
    /// If there is no trajectory, one is empty, they have more than 2^26 rows, or `size` is 0.
    pub fn trajectories(lengths: &[usize], size: usize, seed: u64) -> Result<Self, TrainError> {
        require(!lengths.is_empty(), "the number of trajectories to draw from", 0, "at least 1")?;
        let mut bounds = vec![0];
        let mut end = 0_usize;
        for length in lengths {
            require(*length > 0, "the length of a trajectory to draw", 0, "at least 1 row")?;
            end = end.saturating_add(*length);
            check_rows(end)?;
            bounds.push(end as u32);
        }
        Self::of(Groups::Bounds(bounds), size, seed)
    }

    fn of(groups: Groups, size: usize, seed: u64) -> Result<Self, TrainError> {
        require(size > 0, "the batch size", size, "at least 1")?;
        let count = groups.len();
        let order = Vec::from_iter(0..count as u32);
        let draw = Draw { order, position: count, rng: Generator::new(seed) };
        Ok(Self { groups, size: size.min(count), seed, draw, rows: Vec::new() })
    }

    /// The rows of the next batch; the last one of an epoch may be smaller.
    pub fn next_rows(&mut self) -> &[usize] {
        let Draw { order, position, rng } = &mut self.draw;
        if *position >= order.len() {
            rng.shuffle(order);
            *position = 0;
        }
        let end = (*position + self.size).min(order.len());
        self.rows.clear();
        self.rows.extend(order[*position..end].iter().flat_map(|group| self.groups.rows(*group)));
        *position = end;
        &self.rows
    }

    /// The rows that were drawn last.
    pub(crate) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// What a run must have in common with the one it resumes.
    pub(crate) fn settings(&self) -> String {
        let rows: usize = match &self.groups {
            Groups::Points(rows) => *rows,
            Groups::Bounds(bounds) => bounds.last().map_or(0, |end| *end as usize),
        };
        let Self { size, seed, groups, .. } = self;
        format!("{size} of {} groups of {rows} rows, seed {seed}", groups.len())
    }

    pub(crate) fn draw(&self) -> &Draw {
        &self.draw
    }

    /// Goes on from where another run was, if that drew from as many groups.
    pub(crate) fn resume(&mut self, draw: Draw) -> bool {
        let count = self.groups.len();
        let fits = draw.order.len() == count
            && draw.position <= count
            && draw.order.iter().all(|group| (*group as usize) < count);
        if fits {
            self.draw = draw;
        }
        fits
    }
}
