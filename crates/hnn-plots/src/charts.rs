//! The charts of the field, each a function that returns a panel to refine or to draw.

use hnn_integrators::VectorField;

use crate::axis::Scale;
use crate::field::Arrows;
use crate::panel::Panel;
use crate::series::{Series, Value};
use crate::style::{Color, Dash, Mark};
use crate::{Motion, PlotError};

const TIME: &str = "time t (s)";

/// Solutions in the plane (q, p) over the arrows of a vector field of dimension 2, usually the true
/// one; the range holds every solution.
///
/// # Errors
/// If there is no solution, a dimension is not 2, or the field fails.
pub fn phase_portrait(
    field: &dyn VectorField<f64>,
    motions: &[Motion],
) -> Result<Panel, PlotError> {
    let paths = paths(motions)?;
    let mut bare = Panel::new("Phase portrait");
    (bare.x.padding, bare.y.padding) = (0.08, 0.08);
    bare.series = paths;
    let (x, y) = bare.axes()?;
    with_arrows(bare, field, x.range(), y.range())
}

/// A [`phase_portrait`] of the given range of `q` and `p`; without solutions it shows the field
/// alone.
///
/// # Errors
/// If a range is not usable, a dimension is not 2, or the field fails.
pub fn phase_portrait_within(
    field: &dyn VectorField<f64>,
    q: (f64, f64),
    p: (f64, f64),
    motions: &[Motion],
) -> Result<Panel, PlotError> {
    let mut panel = Panel::new("Phase portrait");
    panel.series = paths(motions)?;
    with_arrows(panel, field, q, p)
}

fn paths(motions: &[Motion]) -> Result<Vec<Series>, PlotError> {
    motions.iter().map(|motion| motion.path(0, 1)).collect()
}

fn with_arrows(
    panel: Panel,
    field: &dyn VectorField<f64>,
    q: (f64, f64),
    p: (f64, f64),
) -> Result<Panel, PlotError> {
    let mut panel =
        panel.with_x_label("q").with_y_label("p").with_x_range(q.0, q.1).with_y_range(p.0, p.1);
    panel.axes_of_ranges()?;
    panel.arrows = Some(Arrows::sample(field, q, p)?);
    Ok(panel)
}

/// The first coordinates over time, a panel a coordinate; `labels` name them, such as
/// `["angle θ (rad)", "momentum p"]`. Coordinates beyond the labels are left out.
///
/// # Errors
/// If a solution has fewer coordinates than there are labels.
pub fn trajectories(motions: &[Motion], labels: &[&str]) -> Result<Vec<Panel>, PlotError> {
    let panel = |(i, label): (usize, &&str)| {
        let series = motions.iter().map(|motion| motion.coordinate(i));
        Ok(over_time("", label, series.collect::<Result<_, PlotError>>()?))
    };
    labels.iter().enumerate().map(panel).collect()
}

/// The squared error of each solution against the truth over time, on a logarithmic axis.
///
/// # Errors
/// If a solution has other times than the truth, or another dimension.
pub fn squared_error(truth: &Motion, motions: &[Motion]) -> Result<Panel, PlotError> {
    let errors = motions.iter().map(|motion| motion.squared_error(truth));
    let errors = errors.collect::<Result<_, _>>()?;
    Ok(over_time("Squared error of the trajectory", "squared error", errors).with_log_y())
}

/// The energy along each solution, by a function of the state: the true energy, so that models are
/// judged by what they conserve, not by what they believe.
///
/// # Errors
/// If an energy is not finite.
pub fn energy(motions: &[Motion], energy: impl Fn(&[f64]) -> f64) -> Result<Panel, PlotError> {
    let energies = motions.iter().map(|motion| motion.energy(&energy));
    Ok(over_time("Energy", "energy H", energies.collect::<Result<_, _>>()?))
}

fn over_time(title: &str, label: &str, series: Vec<Series>) -> Panel {
    let mut panel = Panel::new(title).with_x_label(TIME).with_y_label(label);
    panel.series = series;
    panel
}

/// The losses of one training run.
///
/// ```
/// use hnn_plots::{Figure, LossCurve, loss_curves};
/// let run = LossCurve::new("HNN", [0, 100, 200], [1.0, 0.1, 0.05])?
///     .with_validation([0, 200], [1.1, 0.07])?;
/// let svg = Figure::new(loss_curves(&[run])).to_svg()?;
/// assert!(svg.contains("HNN, validation"));
/// # Ok::<(), hnn_plots::PlotError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LossCurve {
    label: String,
    train: Series,
    validation: Option<Series>,
}

impl LossCurve {
    /// The training loss at these steps.
    ///
    /// # Errors
    /// If there are no steps, the lengths differ, or a loss is not finite.
    pub fn new(
        label: impl Into<String>,
        steps: impl IntoIterator<Item = u64>,
        losses: impl IntoIterator<Item: Into<Value>>,
    ) -> Result<Self, PlotError> {
        let label = label.into();
        let train = Series::new(format!("{label}, train"), as_floats(steps), losses)?;
        Ok(Self { label, train, validation: None })
    }

    /// The validation loss, at steps of its own.
    ///
    /// # Errors
    /// As [`LossCurve::new`].
    pub fn with_validation(
        self,
        steps: impl IntoIterator<Item = u64>,
        losses: impl IntoIterator<Item: Into<Value>>,
    ) -> Result<Self, PlotError> {
        let label = format!("{}, validation", self.label);
        let validation =
            Some(Series::new(label, as_floats(steps), losses)?.with_dash(Dash::Dashed));
        Ok(Self { validation, ..self })
    }
}

fn as_floats(steps: impl IntoIterator<Item = u64>) -> impl Iterator<Item = f64> {
    steps.into_iter().map(|step| step as f64)
}

/// Training losses (solid) and validation losses (dashed) over the steps, on a logarithmic axis; a
/// run has one colour.
pub fn loss_curves(runs: &[LossCurve]) -> Panel {
    let panel = Panel::new("Loss").with_x_label("training step").with_y_label("loss").with_log_y();
    runs.iter().enumerate().fold(panel, |panel, (i, run)| {
        let color = Color::for_model(i);
        let panel = panel.series(run.train.clone().with_color(color).with_width(1.4));
        match run.validation.clone() {
            Some(validation) => panel.series(validation.with_color(color)),
            None => panel,
        }
    })
}

/// A metric over a setting, both axes logarithmic: discs joined by lines, with error bars where the
/// series have them. A setting of zero has no place on a logarithmic axis: use [`by_category`].
pub fn sweep(
    title: impl Into<String>,
    setting: impl Into<String>,
    metric: impl Into<String>,
    series: Vec<Series>,
) -> Panel {
    let mut panel =
        Panel::new(title).with_x_label(setting).with_y_label(metric).with_log_x().with_log_y();
    panel.series = series.into_iter().map(|s| s.with_mark(Mark::LinePoints)).collect();
    panel
}

/// A metric by named settings or models: every series has one value a name
/// ([`Series::from_values`]), and the series of one name stand side by side.
///
/// `mark` says how: [`Mark::Bars`] on a linear axis; on a logarithmic one, where a bar's length
/// means nothing, [`Mark::Points`].
///
/// # Errors
/// If there are no names, or a series has not one value a name.
pub fn by_category<S: AsRef<str>>(
    title: impl Into<String>,
    names: &[S],
    metric: impl Into<String>,
    mark: Mark,
    series: Vec<Series>,
) -> Result<Panel, PlotError> {
    let mut panel = Panel::new(title).with_y_label(metric);
    let names: Vec<String> = names.iter().map(|name| name.as_ref().into()).collect();
    if names.is_empty() {
        return Err(PlotError::EmptyPanel { panel: panel.title });
    }
    Panel::check_categories(&names, &series)?;
    panel.x.scale = Scale::Category(names);
    panel.series = series.into_iter().map(|s| s.with_mark(mark)).collect();
    Ok(panel)
}

/// A quantity along a regularisation path, such as the error of a LASSO or its coefficients, over
/// the strength λ on a logarithmic axis; `chosen` are named strengths, drawn as vertical lines, and
/// `terms` the number of terms at some strengths, written along the top.
pub fn regularisation_path(
    quantity: impl Into<String>,
    series: Vec<Series>,
    chosen: &[(&str, f64)],
    terms: &[(f64, usize)],
) -> Panel {
    const DASHES: [Dash; 3] = [Dash::Dashed, Dash::Dotted, Dash::DashDot];
    let mut panel = Panel::new("Regularisation path")
        .with_x_label("regularisation strength λ")
        .with_y_label(quantity)
        .with_log_x();
    panel.series = series;
    for (i, (label, strength)) in chosen.iter().enumerate() {
        panel = panel.vertical_line(*label, *strength, DASHES[i % DASHES.len()]);
    }
    if !terms.is_empty() {
        let ticks = terms.iter().map(|(strength, count)| (*strength, count.to_string()));
        panel = panel.with_top_axis("number of terms", ticks);
    }
    panel
}
