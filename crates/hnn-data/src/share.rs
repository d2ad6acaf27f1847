//! The part of many things that one of several processes takes.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::DataError;

/// Share `index` (from 0) of `count`: of files or trials among the ranks of MPI, of seeds and settings
/// among the jobs of a batch system. Written `I/N`.
///
/// Shares are consecutive, and as equal as they can be: no thing is in two of them, or in none.
///
/// ```
/// use hnn_data::Share;
/// let share: Share = "1/3".parse()?; // as Slurm's $SLURM_ARRAY_TASK_ID/3, counted from 0
/// assert_eq!(share, Share::new(1, 3)?);
/// assert_eq!(share.of(10), 3..6);
/// assert!("3/3".parse::<Share>().is_err());
/// # Ok::<(), hnn_data::DataError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Share {
    index: usize,
    count: usize,
}

/// What a text says.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    index: usize,
    count: usize,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Share {
    type Error = DataError;

    fn try_from(given: Unchecked) -> Result<Self, DataError> {
        Self::new(given.index, given.count)
    }
}

impl Share {
    /// All there is.
    pub const ALL: Self = Self { index: 0, count: 1 };

    /// Share `index` of `count`.
    ///
    /// # Errors
    /// If `index` is not less than `count`.
    pub fn new(index: usize, count: usize) -> Result<Self, DataError> {
        if index < count {
            return Ok(Self { index, count });
        }
        Err(DataError::Share { given: format!("{index}/{count}") })
    }

    /// Which of `things` are in it, by their numbers; none where there are more shares than things.
    #[must_use]
    pub fn of(self, things: usize) -> Range<usize> {
        let begin = |index: usize| (index as u128 * things as u128 / self.count as u128) as usize;
        begin(self.index)..begin(self.index + 1)
    }

    /// Its number, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.index
    }

    /// How many shares there are.
    #[must_use]
    pub fn count(self) -> usize {
        self.count
    }
}

/// `I/N`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Share {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let number = |text: &str| text.trim().parse().ok();
        let numbers = text.split_once('/').and_then(|(i, n)| number(i).zip(number(n)));
        let (index, count) = numbers.ok_or(DataError::Share { given: text.to_owned() })?;
        Self::new(index, count)
    }
}
