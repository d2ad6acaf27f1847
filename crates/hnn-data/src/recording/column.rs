//! What a column of a recording is.

use std::f64::consts::PI;
use std::fmt;

/// A column of a recording, by its name or its number, and its unit.
///
/// Wherever a column is asked for, a name (`"theta"`) or a number counted from 0 (`2`) does, too.
/// A name is that of the header, or its part before a unit in brackets (`"t"` for `t [s]`).
///
/// ```
/// use hnn_data::Column;
/// let encoder = Column::new("angle").degrees().wrapped();
/// let clock = Column::new(0).scaled(1e-3); // milliseconds
/// let slow = Column::new("torque").held(); // sampled less often than the rest
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Column {
    pub(crate) key: ColumnKey,
    pub(crate) factor: f64,
    pub(crate) wrap: Wrap,
    pub(crate) is_held: bool,
}

/// The name of a column, or its number, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ColumnKey {
    /// Its name in the header.
    Name(String),
    /// Its number, counted from 0.
    Number(usize),
}

/// Whether the turns of an angle are to be added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Wrap {
    /// As the numbers say.
    Auto,
    Wrapped,
    Continuous,
}

impl From<&str> for ColumnKey {
    fn from(name: &str) -> Self {
        Self::Name(name.trim().into())
    }
}

impl From<String> for ColumnKey {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}

impl From<usize> for ColumnKey {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for ColumnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?}"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<usize> for Column {
    fn from(number: usize) -> Self {
        Self::new(number)
    }
}

impl Column {
    /// A column by its name in the header, or by its number, counted from 0.
    #[must_use]
    pub fn new(key: impl Into<ColumnKey>) -> Self {
        Self { key: key.into(), factor: 1.0, wrap: Wrap::Auto, is_held: false }
    }

    /// The file's numbers are degrees (or degrees a second): they become radians.
    #[must_use]
    pub fn degrees(self) -> Self {
        self.scaled(PI / 180.0)
    }

    /// The file's numbers are multiplied by a factor, as `1e-3` for milliseconds. Factors of
    /// several calls multiply.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { factor: self.factor * factor, ..self }
    }

    /// An angle that jumps by a turn where it leaves its range: the turns are added up. Without
    /// a word, they are where an angle stays within one turn and jumps by more than half of it.
    #[must_use]
    pub fn wrapped(self) -> Self {
        Self { wrap: Wrap::Wrapped, ..self }
    }

    /// An angle whose jumps are real.
    #[must_use]
    pub fn continuous(self) -> Self {
        Self { wrap: Wrap::Continuous, ..self }
    }

    /// Where a number is missing, the last one of the trial counts: for what is logged less often
    /// than the rest, such as commands.
    #[must_use]
    pub fn held(self) -> Self {
        Self { is_held: true, ..self }
    }
}

/// What a column measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Role {
    /// The time.
    Time,
    /// A position.
    Position,
    /// A position that is an angle, in radians.
    Angle,
    /// The velocity of a position.
    Velocity,
    /// The momentum of a position.
    Momentum,
    /// A coordinate of the state that is not said to be any of these.
    State,
    /// The time derivative of a coordinate of the state.
    Derivative,
    /// An input, such as a motor's torque.
    Input,
}

impl Role {
    pub(crate) fn is_state(self) -> bool {
        self.order() < 3
    }

    /// The place in the rows: positions, then velocities or momenta, then derivatives, then
    /// inputs; the time is no part of them.
    pub(crate) fn order(self) -> usize {
        match self {
            Self::Position | Self::Angle => 0,
            Self::State => 1,
            Self::Velocity | Self::Momentum => 2,
            Self::Derivative => 3,
            Self::Input => 4,
            Self::Time => 5,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Time => "time",
            Self::Position => "position",
            Self::Angle => "angle",
            Self::Velocity => "velocity",
            Self::Momentum => "momentum",
            Self::State => "state",
            Self::Derivative => "derivative",
            Self::Input => "input",
        })
    }
}
