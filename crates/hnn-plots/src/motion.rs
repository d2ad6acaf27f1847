//! A solution over time, true or predicted, and the curves it gives.

use std::f64::consts::TAU;

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::PlotError;
use crate::series::{Series, Value, check_length, finite};
use crate::style::{Color, Dash};

/// States of one system at given times: what a solver returns for the truth or for a model.
///
/// ```
/// use hnn_plots::Motion;
/// let states = ndarray::array![[1.0, 0.0], [0.9, -0.2], [0.6, -0.3]];
/// let motion = Motion::new("HNN", &[0.0, 0.1, 0.2], states.view())?;
/// assert_eq!(motion.label(), "HNN");
/// # Ok::<(), hnn_plots::PlotError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Motion {
    label: String,
    times: Vec<f64>,
    states: Array2<f64>,
    /// Whether each coordinate is an angle that is drawn within a turn.
    wrapped: Vec<bool>,
    /// Lower and upper edge of a band, of the states' shape.
    band: Option<[Array2<f64>; 2]>,
    is_truth: bool,
    color: Option<Color>,
    dash: Dash,
}

impl Motion {
    /// `states` of shape (T, D), row `i` at time `times[i]`.
    ///
    /// # Errors
    /// If it is empty, times and rows differ in number, or a value is not finite.
    pub fn new<T: Copy + Into<Value>>(
        label: impl Into<String>,
        times: impl IntoIterator<Item: Into<Value>>,
        states: ArrayView2<'_, T>,
    ) -> Result<Self, PlotError> {
        let label = label.into();
        let times = finite(&label, "time", times)?;
        if times.is_empty() || states.ncols() == 0 {
            return Err(PlotError::Empty { label });
        }
        check_length(&label, "state", states.nrows(), times.len())?;
        let states = numbers(&label, "coordinate", states)?;
        let wrapped = vec![false; states.ncols()];
        let (band, is_truth, color, dash) = (None, false, None, Dash::Solid);
        Ok(Self { label, times, states, wrapped, band, is_truth, color, dash })
    }

    /// Draws the coordinates that `angles` says are angles, in rad, within half a turn of 0: a line that
    /// leaves on one side comes back on the other. Errors count modulo a turn.
    ///
    /// ```
    /// # use hnn_plots::Motion;
    /// let states = ndarray::array![[3.0, 1.0], [3.5, 1.0]];
    /// let motion = Motion::new("over the top", [0.0, 0.5], states.view())?.wrapped(&[true, false])?;
    /// # Ok::<(), hnn_plots::PlotError>(())
    /// ```
    ///
    /// # Errors
    /// If there is not one entry a coordinate.
    pub fn wrapped(self, angles: &[bool]) -> Result<Self, PlotError> {
        check_length(&self.label, "angle or not", angles.len(), self.dim())?;
        Ok(Self { wrapped: angles.to_vec(), ..self })
    }

    /// Adds a shaded band to its coordinates over time, such as where 95 of 100 models lie that the data
    /// support as well: its edges, of the states' shape. Angles drawn within a turn have none.
    ///
    /// # Errors
    /// If an edge has another shape, or a value is not finite.
    pub fn with_band<T: Copy + Into<Value>>(
        self,
        low: ArrayView2<'_, T>,
        high: ArrayView2<'_, T>,
    ) -> Result<Self, PlotError> {
        let edge = |what, edge: ArrayView2<'_, T>| {
            check_length(&self.label, what, edge.nrows(), self.times.len())?;
            check_length(&self.label, "coordinate of a band", edge.ncols(), self.dim())?;
            numbers(&self.label, what, edge)
        };
        let band = Some([edge("lower bound", low)?, edge("upper bound", high)?]);
        Ok(Self { band, ..self })
    }

    /// Draws it as the truth: broad and grey, behind the models.
    #[must_use]
    pub fn truth(self) -> Self {
        Self { is_truth: true, ..self }
    }

    /// Sets the colour.
    #[must_use]
    pub fn with_color(self, color: Color) -> Self {
        Self { color: Some(color), ..self }
    }

    /// Sets how the line is broken up.
    #[must_use]
    pub fn with_dash(self, dash: Dash) -> Self {
        Self { dash, ..self }
    }

    /// The label in the legend.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Dimension `D` of the states.
    pub fn dim(&self) -> usize {
        self.states.ncols()
    }

    /// Coordinate `i` over time.
    ///
    /// # Errors
    /// If there is no such coordinate.
    pub fn coordinate(&self, i: usize) -> Result<Series, PlotError> {
        self.check_has(i)?;
        let curve = self.curve((ArrayView1::from(&self.times), false), self.column(i))?;
        match &self.band {
            Some([low, high]) if !self.wrapped[i] => curve.with_band(low.column(i), high.column(i)),
            _ => Ok(curve),
        }
    }

    /// Coordinate `j` over coordinate `i`: the path in phase space.
    ///
    /// # Errors
    /// If there is no such coordinate.
    pub fn path(&self, i: usize, j: usize) -> Result<Series, PlotError> {
        self.check_has(i.max(j))?;
        self.curve(self.column(i), self.column(j))
    }

    /// A coordinate, and whether it is drawn within a turn.
    fn column(&self, i: usize) -> (ArrayView1<'_, f64>, bool) {
        (self.states.column(i), self.wrapped[i])
    }

    /// A line that breaks where an angle passes half a turn.
    fn curve(
        &self,
        x: (ArrayView1<'_, f64>, bool),
        y: (ArrayView1<'_, f64>, bool),
    ) -> Result<Series, PlotError> {
        let turns = |(values, is_angle): (ArrayView1<'_, f64>, bool), k: usize| match is_angle {
            true => (values[k] / TAU).round(),
            false => 0.0,
        };
        let places = 0..self.times.len();
        let drawn = |of: (ArrayView1<'_, f64>, bool)| {
            places.clone().map(move |k| of.0[k] - TAU * turns(of, k)).collect::<Vec<_>>()
        };
        let series = Series::new(&self.label, drawn(x), drawn(y))?;
        let passes = |k: usize| [x, y].iter().any(|of| turns(*of, k) != turns(*of, k - 1));
        Ok(self.styled(series.broken_before(passes)))
    }

    /// The squared error `|x(t) - x_true(t)|^2 / D` over time, the mean over the coordinates; of
    /// [wrapped](Self::wrapped) ones modulo a turn.
    ///
    /// # Errors
    /// If `truth` has other times or another dimension.
    pub fn squared_error(&self, truth: &Self) -> Result<Series, PlotError> {
        check_length(&self.label, "time", self.times.len(), truth.times.len())?;
        check_length(&self.label, "coordinate", self.dim(), truth.dim())?;
        // Up to the rounding of times of their size, whatever their unit.
        let size = truth.times.iter().fold(0.0_f64, |size, t| size.max(t.abs()));
        let differs = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-9 * size;
        if let Some(index) = self.times.iter().zip(&truth.times).position(differs) {
            let (given, expected) = (self.times[index], truth.times[index]);
            return Err(PlotError::Times { label: self.label.clone(), index, given, expected });
        }
        let rows = self.states.rows().into_iter().zip(truth.states.rows());
        let error = |((a, b), wrapped): ((&f64, &f64), &bool)| {
            let turns = if *wrapped { ((a - b) / TAU).round() } else { 0.0 };
            (a - b - TAU * turns).powi(2) / self.dim() as f64
        };
        let errors: Vec<f64> =
            rows.map(|(x, y)| x.iter().zip(y).zip(&self.wrapped).map(error).sum()).collect();
        self.over_time(&errors)
    }

    /// The energy along the solution, by any function of the state.
    ///
    /// # Errors
    /// If an energy is not finite.
    pub fn energy(&self, energy: impl Fn(&[f64]) -> f64) -> Result<Series, PlotError> {
        let energies: Vec<f64> =
            self.states.rows().into_iter().map(|row| energy(&row.to_vec())).collect();
        self.over_time(&energies)
    }

    fn over_time(&self, values: impl IntoIterator<Item: Into<Value>>) -> Result<Series, PlotError> {
        Ok(self.styled(Series::new(&self.label, &self.times, values)?))
    }

    fn styled(&self, series: Series) -> Series {
        let series = if self.is_truth { series.truth() } else { series.with_dash(self.dash) };
        match self.color {
            Some(color) => series.with_color(color),
            None => series,
        }
    }

    fn check_has(&self, i: usize) -> Result<(), PlotError> {
        if i < self.dim() {
            return Ok(());
        }
        let (given, expected) = (self.dim(), i.saturating_add(1));
        Err(PlotError::Dimension { what: "the state of a motion", given, expected })
    }
}

/// The numbers of an array.
fn numbers<T: Copy + Into<Value>>(
    label: &str,
    what: &'static str,
    of: ArrayView2<'_, T>,
) -> Result<Array2<f64>, PlotError> {
    let numbers = finite(label, what, of.iter().copied())?;
    Ok(Array2::from_shape_vec(of.dim(), numbers).unwrap_or_default())
}
