//! Axes: from values to fractions of the panel's side.

use crate::PlotError;
use crate::ticks::{self, HasRoom, Ticks};

/// How values are spread along an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scale {
    Linear,
    Log,
    /// Named places at 0, 1, 2, ...
    Category(Vec<String>),
}

/// What the user said of an axis.
#[derive(Debug, Clone)]
pub(crate) struct AxisSpec {
    pub(crate) label: String,
    pub(crate) scale: Scale,
    pub(crate) range: Option<(f64, f64)>,
    /// Free space at either end, as a share of the range.
    pub(crate) padding: f64,
    /// A logarithmic axis shows at most this many decades below its largest value.
    pub(crate) decades: f64,
    /// Whether zero, where it is the lowest value, is the very end: the foot of bars.
    pub(crate) foot: bool,
}

impl AxisSpec {
    pub(crate) fn new(padding: f64) -> Self {
        Self {
            label: String::new(),
            scale: Scale::Linear,
            range: None,
            padding,
            decades: 16.0,
            foot: false,
        }
    }
}

/// An axis whose range is settled; coordinates are values, or their logarithms.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    /// Settles the range so that it holds the values. `name` and `panel` are for errors.
    pub(crate) fn new(
        spec: &AxisSpec,
        values: impl Iterator<Item = f64>,
        name: &'static str,
        panel: &str,
    ) -> Result<Self, PlotError> {
        let scale = spec.scale.clone();
        if let Scale::Category(names) = &scale {
            return Ok(Self { low: -0.5, high: names.len() as f64 - 0.5, scale });
        }
        let log = scale == Scale::Log;
        if let Some((low, high)) = spec.range {
            let usable =
                low < high && low.abs() < 1e150 && high.abs() < 1e150 && (!log || low > 0.0);
            if !usable {
                return Err(PlotError::Range { panel: panel.into(), axis: name, low, high });
            }
            let (low, high) = if log { (low.log10(), high.log10()) } else { (low, high) };
            return Ok(Self { scale, low, high });
        }
        let coordinates =
            values.filter(|v| !log || *v > 0.0).map(|v| if log { v.log10() } else { v });
        let (low, high) = coordinates
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        if low > high {
            return Err(if log {
                PlotError::NothingPositive { panel: panel.into(), axis: name }
            } else {
                PlotError::EmptyPanel { panel: panel.into() }
            });
        }
        let low = if log { low.max(high - spec.decades) } else { low };
        let foot = spec.foot && low == 0.0 && high > 0.0;
        let (low, high) = widen(low, high, log, spec.padding);
        let low = if foot { 0.0 } else { low };
        Ok(Self { scale, low, high })
    }

    /// Where a value lies, 0 at the low and 1 at the high end; nothing for a gap, and for a value that
    /// a logarithmic axis cannot show.
    pub(crate) fn fraction(&self, value: f64) -> Option<f64> {
        match self.scale {
            _ if value.is_nan() => None,
            Scale::Log if value <= 0.0 => None,
            Scale::Log => Some(self.fraction_of_coordinate(value.log10())),
            _ => Some(self.fraction_of_coordinate(value)),
        }
    }

    pub(crate) fn fraction_of_coordinate(&self, coordinate: f64) -> f64 {
        (coordinate - self.low) / (self.high - self.low)
    }

    /// The range in values.
    pub(crate) fn range(&self) -> (f64, f64) {
        match self.scale {
            Scale::Log => (10f64.powf(self.low), 10f64.powf(self.high)),
            _ => (self.low, self.high),
        }
    }

    /// About `target` ticks; more, if they have room, where these are too few to read a scale from.
    pub(crate) fn ticks(&self, target: usize, has_room: HasRoom<'_>) -> Ticks {
        match &self.scale {
            Scale::Linear => ticks::linear(self.low, self.high, target, has_room),
            Scale::Log => ticks::logarithmic(self.low, self.high, target, has_room),
            Scale::Category(names) => {
                let tick =
                    |(i, name): (usize, &String)| ticks::Tick { at: i as f64, label: name.clone() };
                Ticks { ticks: names.iter().enumerate().map(tick).collect(), exponent: 0 }
            }
        }
    }

    pub(crate) fn is_category(&self) -> bool {
        matches!(self.scale, Scale::Category(_))
    }
}

/// Adds the padding; a range of no length, or of one lost in rounding, becomes a legible one.
fn widen(low: f64, high: f64, log: bool, padding: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if high - low > 1e-12 * size && high - low > f64::MIN_POSITIVE / f64::EPSILON {
        let margin = padding * (high - low);
        (low - margin, high + margin)
    } else {
        let margin = match (log, size > f64::MIN_POSITIVE / f64::EPSILON) {
            (true, _) => 0.5,
            (false, true) => 0.1 * size,
            (false, false) => 1.0,
        };
        (low - margin, high + margin)
    }
}
