//! What can go wrong in making a figure.

use std::path::PathBuf;

use hnn_integrators::{FieldError, TooLarge};

/// Why a figure could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A series has no points.
    #[error("the series `{label}` is empty; give at least one point")]
    Empty {
        /// Label of the series.
        label: String,
    },
    /// Two arrays that belong together have different lengths.
    #[error(
        "`{label}`: {given} values of {what} were given for {expected} points; give one a point"
    )]
    Length {
        /// Label of the series.
        label: String,
        /// Which values, such as `y` or `error bar`.
        what: &'static str,
        /// How many were given.
        given: usize,
        /// How many points there are.
        expected: usize,
    },
    /// A value is NaN, infinite, or too large to be drawn (above 1e150).
    #[error(
        "`{label}`: {what} number {index} is {value}; only finite values below 1e150 in size can \
         be drawn, so cut the series off before it diverges"
    )]
    NotFinite {
        /// Label of the series.
        label: String,
        /// Which values, such as `x` or `y`.
        what: &'static str,
        /// Index of the first such value.
        index: usize,
        /// The value.
        value: f64,
    },
    /// Two solutions to be compared are given at different times.
    #[error("`{label}`: time number {index} is {given}, that of the truth {expected}")]
    Times {
        /// Label of the solution.
        label: String,
        /// Index of the first time that differs.
        index: usize,
        /// The time given.
        given: f64,
        /// The time of the truth.
        expected: f64,
    },
    /// A logarithmic axis has nothing positive to show.
    #[error("the logarithmic {axis} axis of `{panel}` has no positive value to show")]
    NothingPositive {
        /// Title of the panel.
        panel: String,
        /// `x` or `y`.
        axis: &'static str,
    },
    /// A range whose ends are not finite, not ordered, or not positive on a logarithmic axis.
    #[error(
        "the range {low}..{high} of the {axis} axis of `{panel}` is unusable; give low < high, \
         both finite, and both positive on a logarithmic axis"
    )]
    Range {
        /// Title of the panel.
        panel: String,
        /// `x` or `y`.
        axis: &'static str,
        /// The lower end given.
        low: f64,
        /// The upper end given.
        high: f64,
    },
    /// A panel without any data.
    #[error("the panel `{panel}` has nothing to show; add a series")]
    EmptyPanel {
        /// Title of the panel.
        panel: String,
    },
    /// A grid without panels or without columns.
    #[error("a figure needs at least one panel and one column; got {panels} and {columns}")]
    EmptyFigure {
        /// Panels given.
        panels: usize,
        /// Columns given.
        columns: usize,
    },
    /// An image too small or too large to be drawn.
    #[error(
        "an image of {width} x {height} pixels cannot be drawn; each side of a panel needs at \
         least 200 pixels, and each side of the image at most 16000"
    )]
    Size {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// An image takes more memory than one call may.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A state or a field of the wrong dimension.
    #[error("{what} has dimension {given}, expected {expected}")]
    Dimension {
        /// What has the wrong dimension.
        what: &'static str,
        /// Its dimension.
        given: usize,
        /// The dimension it should have.
        expected: usize,
    },
    /// The vector field of a phase portrait could not be evaluated.
    #[error("the vector field of the phase portrait failed: {0}")]
    Field(#[from] FieldError),
    /// The file's extension names no format that can be written.
    #[error("`{}` ends in neither .png nor .svg; the ending chooses the format", path.display())]
    UnknownFormat {
        /// The path given.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system answered.
        source: std::io::Error,
    },
    /// The PNG encoder failed.
    #[error("cannot encode the image: {reason}")]
    Encode {
        /// What the encoder answered.
        reason: String,
    },
}
