//! Room for titles, labels and ticks about the axes of a panel.

use crate::axis::Axis;
use crate::ink::{Frame, Ink};
use crate::legend::{self, Place};
use crate::panel::{Entry, Panel};
use crate::scene::{Point, Rect};
use crate::ticks::Ticks;
use crate::{PlotError, font};

/// The most that the margins at either side take, more or less.
const SIDES: f64 = 130.0;
pub(crate) const TITLE_SIZE: f64 = 14.0;
pub(crate) const LABEL_SIZE: f64 = 12.5;
pub(crate) const TICK_SIZE: f64 = 11.0;
pub(crate) const TICK_LENGTH: f64 = 4.0;
pub(crate) const TITLE_ROOM: f64 = 26.0;
pub(crate) const TOP_TICK_ROOM: f64 = 18.0;
pub(crate) const LABEL_ROOM: f64 = 20.0;
pub(crate) const EXPONENT_ROOM: f64 = 15.0;

/// A panel whose axes and legend are settled.
pub(crate) struct Plan<'a> {
    pub(crate) panel: &'a Panel,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) entries: Vec<Entry>,
    pub(crate) place: Place,
}

/// The room about the axes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Margins {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

impl Margins {
    pub(crate) fn inside(&self, cell: Rect) -> Rect {
        Rect {
            left: cell.left + self.left,
            top: cell.top + self.top,
            width: (cell.width - self.left - self.right).max(1.0),
            height: (cell.height - self.top - self.bottom).max(1.0),
        }
    }

    /// The larger of either on each side.
    pub(crate) fn max(&self, other: &Self) -> Self {
        Self {
            left: self.left.max(other.left),
            right: self.right.max(other.right),
            top: self.top.max(other.top),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

impl<'a> Plan<'a> {
    pub(crate) fn new(panel: &'a Panel, entries: Vec<Entry>) -> Result<Self, PlotError> {
        let (x, y) = panel.axes()?;
        // A title and labels say enough of a single curve.
        let place = if entries.len() > 1 { Place::Above } else { Place::Nowhere };
        Ok(Self { panel, x, y, entries, place })
    }

    pub(crate) fn frame(&self, area: Rect) -> Frame<'_> {
        Frame { area, x: &self.x, y: &self.y }
    }

    pub(crate) fn ink(&self, area: Rect) -> Vec<Ink> {
        let (frame, series) = (self.frame(area), &self.panel.series);
        series.iter().enumerate().map(|(i, s)| Ink::of(s, &frame, i, series.len())).collect()
    }

    /// Moves the legend inside the axes where that covers no curve.
    pub(crate) fn place_legend(&mut self, cell: Rect) {
        if self.place == Place::Nowhere || self.panel.arrows.is_some() {
            return;
        }
        self.place = Place::Nowhere;
        let area = self.margins(cell).inside(cell);
        self.place = self.free_place(area);
    }

    /// Finds the legend's place inside the axes anew, once these are aligned with their
    /// neighbours; without a free one it stays where it was, held inside.
    pub(crate) fn settle_inside(&mut self, area: Rect) {
        let Place::Inside(old) = self.place else { return };
        self.place = match self.free_place(area) {
            Place::Inside(rect) => Place::Inside(rect),
            _ => {
                let left = old.left.min(area.right() - old.width).max(area.left);
                let top = old.top.min(area.bottom() - old.height).max(area.top);
                Place::Inside(Rect { left, top, ..old })
            }
        };
    }

    fn free_place(&self, area: Rect) -> Place {
        let mut samples: Vec<Point> = self.ink(area).iter().flat_map(Ink::samples).collect();
        samples.extend(self.rule_samples(area));
        legend::place(&self.entries, area, &samples)
    }

    fn rule_samples(&self, area: Rect) -> Vec<Point> {
        let frame = self.frame(area);
        let along = |k: usize| k as f64 / 100.0;
        let point = |vertical: bool, place: f64, k: usize| match vertical {
            true => (place, area.top + along(k) * area.height),
            false => (area.left + along(k) * area.width, place),
        };
        let places = self.panel.rules.iter().filter_map(|rule| {
            let place = if rule.vertical { frame.x(rule.at) } else { frame.y(rule.at) };
            place.map(|place| (rule.vertical, place))
        });
        places
            .flat_map(|(vertical, place)| (0..=100).map(move |k| point(vertical, place, k)))
            .collect()
    }

    pub(crate) fn x_ticks(&self, width: f64) -> Ticks {
        let label = |label: &str| font::width(label, TICK_SIZE) + 0.7 * TICK_SIZE;
        self.x.ticks((width / 75.0) as usize, &|ticks| has_room(ticks, &self.x, width, &label))
    }

    pub(crate) fn y_ticks(&self, height: f64) -> Ticks {
        let label = |_: &str| 1.7 * TICK_SIZE;
        self.y.ticks((height / 48.0) as usize, &|ticks| has_room(ticks, &self.y, height, &label))
    }

    /// The room that titles, labels and ticks need.
    pub(crate) fn margins(&self, cell: Rect) -> Margins {
        let panel = self.panel;
        let mut bottom = TICK_LENGTH + 18.0 + 6.0;
        if !panel.x.label.is_empty() || self.x_ticks(cell.width).exponent != 0 {
            bottom += LABEL_ROOM;
        }
        let mut top = 8.0;
        if !panel.title.is_empty() {
            top += TITLE_ROOM;
        }
        if let Some(axis) = &panel.top {
            top += TOP_TICK_ROOM + if axis.label.is_empty() { 0.0 } else { LABEL_ROOM };
        }
        if self.place == Place::Above {
            top += legend::rows_height(&self.entries, cell.width - SIDES);
        }
        let height = cell.height - top - bottom;
        let ticks = self.y_ticks(height);
        if ticks.exponent != 0 {
            top += EXPONENT_ROOM;
        }
        let widest =
            ticks.ticks.iter().map(|t| font::width(&t.label, TICK_SIZE)).fold(0.0, f64::max);
        let mut left = 12.0 + widest + TICK_LENGTH + 4.0;
        if !panel.y.label.is_empty() {
            left += LABEL_ROOM;
        }
        Margins { left, right: 22.0, top, bottom }
    }
}

/// Whether labels that take so much of an axis of a length have room side by side.
fn has_room(ticks: &Ticks, axis: &Axis, length: f64, label: &dyn Fn(&str) -> f64) -> bool {
    let ticks = Vec::from_iter(ticks.labelled());
    ticks.windows(2).all(|pair| {
        let [a, b] = [pair[0], pair[1]].map(|tick| axis.fraction_of_coordinate(tick.at) * length);
        b - a >= 0.5 * (label(&pair[0].label) + label(&pair[1].label))
    })
}
