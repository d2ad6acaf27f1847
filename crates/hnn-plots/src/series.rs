//! Data to be drawn, with its label and style.

use crate::PlotError;
use crate::style::{Color, Dash, Mark};

/// The largest size of a value that can be drawn: ranges and their products stay finite.
const LARGEST: f64 = 1e150;

/// A number to be drawn: `f32` or `f64`, by value or by reference, as slices, vectors and `ndarray`
/// arrays yield it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value(f64);

macro_rules! value_from {
    ($($number:ty),*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self(f64::from(number.to_owned()))
            }
        }
    )*};
}

value_from!(f64, &f64, f32, &f32);

/// The points of one curve, its label and its style.
///
/// The colour, unless set, follows the label: in one figure a label has one colour in every panel.
///
/// ```
/// use hnn_plots::{Color, Series};
/// let t = [0.0, 0.5, 1.0];
/// let energy = ndarray::array![1.0f32, 0.9, 0.85];
/// let series = Series::new("HNN", &t, &energy)?.with_color(Color::BLUE);
/// assert_eq!(series.label(), "HNN");
/// # Ok::<(), hnn_plots::PlotError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Series {
    pub(crate) label: String,
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
    /// Lower and upper ends of the error bars or of the band.
    pub(crate) spread: Option<Spread>,
    pub(crate) color: Option<Color>,
    pub(crate) dash: Dash,
    pub(crate) mark: Mark,
    pub(crate) width: f64,
}

/// An interval about each point.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
    pub(crate) band: bool,
}

impl Series {
    /// A curve through the points (`x[i]`, `y[i]`).
    ///
    /// # Errors
    /// If there are no points, the lengths differ, or a value is not finite.
    pub fn new<X, Y>(label: impl Into<String>, x: X, y: Y) -> Result<Self, PlotError>
    where
        X: IntoIterator<Item: Into<Value>>,
        Y: IntoIterator<Item: Into<Value>>,
    {
        let label = label.into();
        let x = finite(&label, "x", x)?;
        let y = finite(&label, "y", y)?;
        if x.is_empty() {
            return Err(PlotError::Empty { label });
        }
        check_length(&label, "y", y.len(), x.len())?;
        Ok(Self {
            label,
            x,
            y,
            spread: None,
            color: None,
            dash: Dash::Solid,
            mark: Mark::Line,
            width: 1.8,
        })
    }

    /// Values at the places 0, 1, 2, ... of a [categorical axis](crate::by_category).
    ///
    /// # Errors
    /// As [`Series::new`].
    pub fn from_values<Y>(label: impl Into<String>, values: Y) -> Result<Self, PlotError>
    where
        Y: IntoIterator<Item: Into<Value>>,
    {
        let label = label.into();
        let y = finite(&label, "y", values)?;
        Self::new(label, (0..y.len()).map(|i| i as f64), y)
    }

    /// Draws the series as the truth: a broad grey line, on which the models' thinner ones lie.
    #[must_use]
    pub fn truth(self) -> Self {
        self.with_color(Color::GREY).with_width(4.0)
    }

    /// Sets the colour.
    #[must_use]
    pub fn with_color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// Sets how the line is broken up.
    #[must_use]
    pub fn with_dash(mut self, dash: Dash) -> Self {
        self.dash = dash;
        self
    }

    /// Sets what marks the points.
    #[must_use]
    pub fn with_mark(mut self, mark: Mark) -> Self {
        self.mark = mark;
        self
    }

    /// Sets the line's width, in units of half a PNG pixel (1.8 unless set).
    #[must_use]
    pub fn with_width(mut self, width: f64) -> Self {
        self.width = width.clamp(0.1, 50.0);
        self
    }

    /// Adds error bars from `y - error` to `y + error`.
    ///
    /// # Errors
    /// If there is not one error a point, or one is not finite.
    pub fn with_error_bars<E>(self, error: E) -> Result<Self, PlotError>
    where
        E: IntoIterator<Item: Into<Value>>,
    {
        let error = finite(&self.label, "error bar", error)?;
        check_length(&self.label, "error bar", error.len(), self.y.len())?;
        let low = self.y.iter().zip(&error).map(|(y, e)| y - e.abs()).collect();
        let high = self.y.iter().zip(&error).map(|(y, e)| y + e.abs()).collect();
        Ok(Self { spread: Some(Spread { low, high, band: false }), ..self })
    }

    /// Adds a shaded band from `low` to `high`.
    ///
    /// # Errors
    /// If there is not one pair a point, or a value is not finite.
    pub fn with_band<L, H>(self, low: L, high: H) -> Result<Self, PlotError>
    where
        L: IntoIterator<Item: Into<Value>>,
        H: IntoIterator<Item: Into<Value>>,
    {
        let low = finite(&self.label, "lower bound", low)?;
        let high = finite(&self.label, "upper bound", high)?;
        check_length(&self.label, "lower bound", low.len(), self.y.len())?;
        check_length(&self.label, "upper bound", high.len(), self.y.len())?;
        Ok(Self { spread: Some(Spread { low, high, band: true }), ..self })
    }

    /// The same without the segments that end in the points where `breaks` is true: before each lies a
    /// point that no axis can show.
    pub(crate) fn broken_before(self, breaks: impl Fn(usize) -> bool) -> Self {
        let gap = |k: usize| (k > 0 && breaks(k)).then_some(f64::NAN);
        let with_gaps = |values: &[f64]| {
            values.iter().enumerate().flat_map(|(k, v)| gap(k).into_iter().chain([*v])).collect()
        };
        Self { x: with_gaps(&self.x), y: with_gaps(&self.y), ..self }
    }

    /// The label in the legend; an empty one stays out of it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Every height that must fit into the panel.
    pub(crate) fn heights(&self) -> impl Iterator<Item = f64> {
        let spread = self.spread.iter().flat_map(|s| s.low.iter().chain(&s.high));
        self.y.iter().chain(spread).copied()
    }
}

/// The values as `f64`, all of them finite.
pub(crate) fn finite<I>(label: &str, what: &'static str, values: I) -> Result<Vec<f64>, PlotError>
where
    I: IntoIterator<Item: Into<Value>>,
{
    let values: Vec<f64> = values.into_iter().map(|value| value.into().0).collect();
    match values.iter().position(|v| v.is_nan() || v.abs() >= LARGEST) {
        None => Ok(values),
        Some(index) => {
            let value = values[index];
            Err(PlotError::NotFinite { label: label.into(), what, index, value })
        }
    }
}

pub(crate) fn check_length(
    label: &str,
    what: &'static str,
    given: usize,
    expected: usize,
) -> Result<(), PlotError> {
    if given == expected {
        Ok(())
    } else {
        Err(PlotError::Length { label: label.into(), what, given, expected })
    }
}
