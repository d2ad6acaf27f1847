//! One set of axes and what is drawn on it.

use crate::PlotError;
use crate::axis::{Axis, AxisSpec, Scale};
use crate::field::Arrows;
use crate::series::{Series, check_length};
use crate::style::{Color, Dash, Mark};

/// One set of axes with its curves; a [`Figure`](crate::Figure) holds one or several.
///
/// ```
/// use hnn_plots::{Figure, Panel, Series};
/// let t: Vec<f64> = (0..200).map(|i| 0.1 * f64::from(i)).collect();
/// let q: Vec<f64> = t.iter().map(|t| (-0.05 * t).exp() * t.cos()).collect();
/// let panel = Panel::new("A damped oscillator")
///     .with_x_label("time t (s)")
///     .with_y_label("angle θ (rad)")
///     .series(Series::new("true system", &t, &q)?.truth());
/// let svg = Figure::new(panel).to_svg()?;
/// assert!(svg.contains("angle θ (rad)"));
/// # Ok::<(), hnn_plots::PlotError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Panel {
    pub(crate) title: String,
    pub(crate) x: AxisSpec,
    pub(crate) y: AxisSpec,
    pub(crate) series: Vec<Series>,
    pub(crate) arrows: Option<Arrows>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) top: Option<TopAxis>,
}

/// A straight reference line across the panel.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) label: String,
    pub(crate) at: f64,
    pub(crate) vertical: bool,
    pub(crate) dash: Dash,
}

/// A second labelling of the horizontal axis.
#[derive(Debug, Clone)]
pub(crate) struct TopAxis {
    pub(crate) label: String,
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Panel {
    /// A panel with this title, linear axes and nothing on it.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x: AxisSpec::new(0.0),
            y: AxisSpec::new(0.06),
            series: Vec::new(),
            arrows: None,
            rules: Vec::new(),
            top: None,
        }
    }

    /// Sets the title.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Labels the horizontal axis: quantity, symbol, unit.
    #[must_use]
    pub fn with_x_label(mut self, label: impl Into<String>) -> Self {
        self.x.label = label.into();
        self
    }

    /// Labels the vertical axis: quantity, symbol, unit.
    #[must_use]
    pub fn with_y_label(mut self, label: impl Into<String>) -> Self {
        self.y.label = label.into();
        self
    }

    /// Makes the horizontal axis logarithmic; points that are not positive leave a gap.
    #[must_use]
    pub fn with_log_x(mut self) -> Self {
        self.x.scale = Scale::Log;
        self
    }

    /// Makes the vertical axis logarithmic; points that are not positive leave a gap, and at most
    /// 16 decades are shown.
    #[must_use]
    pub fn with_log_y(mut self) -> Self {
        self.y.scale = Scale::Log;
        self
    }

    /// Shows `low` to `high` of the horizontal axis instead of all points.
    #[must_use]
    pub fn with_x_range(mut self, low: f64, high: f64) -> Self {
        self.x.range = Some((low, high));
        self
    }

    /// Shows `low` to `high` of the vertical axis instead of all points.
    #[must_use]
    pub fn with_y_range(mut self, low: f64, high: f64) -> Self {
        self.y.range = Some((low, high));
        self
    }

    /// Adds a curve.
    #[must_use]
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Adds a vertical reference line, such as a chosen regularisation strength.
    #[must_use]
    pub fn vertical_line(self, label: impl Into<String>, x: f64, dash: Dash) -> Self {
        self.rule(Rule { label: label.into(), at: x, vertical: true, dash })
    }

    /// Adds a horizontal reference line, such as a published figure.
    #[must_use]
    pub fn horizontal_line(self, label: impl Into<String>, y: f64, dash: Dash) -> Self {
        self.rule(Rule { label: label.into(), at: y, vertical: false, dash })
    }

    fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Labels places of the horizontal axis a second time, along the top: for instance the number
    /// of terms at some of the regularisation strengths. Labels that would touch are left out.
    #[must_use]
    pub fn with_top_axis(
        mut self,
        label: impl Into<String>,
        ticks: impl IntoIterator<Item = (f64, String)>,
    ) -> Self {
        self.top = Some(TopAxis { label: label.into(), ticks: ticks.into_iter().collect() });
        self
    }

    /// The settled axes, horizontal and vertical.
    pub(crate) fn axes(&self) -> Result<(Axis, Axis), PlotError> {
        if self.series.is_empty() && self.arrows.is_none() {
            return Err(PlotError::EmptyPanel { panel: self.title.clone() });
        }
        for rule in &self.rules {
            crate::series::finite(&rule.label, "position", [rule.at])?;
        }
        let places =
            |vertical| self.rules.iter().filter(move |r| r.vertical == vertical).map(|r| r.at);
        let mut x_spec = self.x.clone();
        if self.series.iter().any(|s| s.mark.has_points()) {
            // Discs at the ends should not straddle the frame.
            x_spec.padding = x_spec.padding.max(0.04);
        }
        let x = self.series.iter().flat_map(|s| s.x.iter().copied()).chain(places(true));
        let x = Axis::new(&x_spec, x, "x", &self.title)?;
        let mut y_spec = self.y.clone();
        y_spec.foot =
            y_spec.scale == Scale::Linear && self.series.iter().any(|s| s.mark == Mark::Bars);
        let foot = y_spec.foot.then_some(0.0);
        let y = self.series.iter().flat_map(Series::heights).chain(places(false)).chain(foot);
        let y = Axis::new(&y_spec, y, "y", &self.title)?;
        Ok((x, y))
    }

    /// Whether both ranges given by the user are usable.
    pub(crate) fn axes_of_ranges(&self) -> Result<(Axis, Axis), PlotError> {
        let none = std::iter::empty;
        let x = Axis::new(&self.x, none(), "x", &self.title)?;
        Ok((x, Axis::new(&self.y, none(), "y", &self.title)?))
    }

    pub(crate) fn check_categories(names: &[String], series: &[Series]) -> Result<(), PlotError> {
        series.iter().try_for_each(|s| check_length(&s.label, "y", s.y.len(), names.len()))
    }
}

/// What the legend says of one label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) label: String,
    pub(crate) color: Color,
    pub(crate) dash: Dash,
    pub(crate) mark: Mark,
    pub(crate) width: f64,
}
