//! Which rows of the data a loss is evaluated on.

/// The rows of a data set that make a batch.
///
/// A term that compares several rows (a step, a window) is part of the batch if the row it starts
/// from is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSelection<'a> {
    /// The whole data set (a full batch).
    All,
    /// These rows (a mini-batch).
    Rows(&'a [usize]),
}
