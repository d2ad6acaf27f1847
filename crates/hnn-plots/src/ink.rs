//! Where a series leaves its ink: values become points of the image.

use crate::axis::Axis;
use crate::scene::{Point, Rect};
use crate::series::Series;
use crate::style::Mark;
use crate::thin;

/// The rectangle inside the axes, and what its sides mean.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) area: Rect,
    pub(crate) x: &'a Axis,
    pub(crate) y: &'a Axis,
}

impl Frame<'_> {
    pub(crate) fn x(&self, value: f64) -> Option<f64> {
        self.x.fraction(value).map(|f| self.area.left + f * self.area.width)
    }

    pub(crate) fn y(&self, value: f64) -> Option<f64> {
        self.y.fraction(value).map(|f| self.area.bottom() - f * self.area.height)
    }

    pub(crate) fn point(&self, x: f64, y: f64) -> Option<Point> {
        Some((self.x(x)?, self.y(y)?))
    }

    /// The height of a value, held inside the frame.
    fn held_y(&self, value: f64) -> f64 {
        self.y(value).unwrap_or(f64::INFINITY).clamp(self.area.top, self.area.bottom())
    }
}

/// The shapes of one series, all of them inside the frame.
#[derive(Debug, Default)]
pub(crate) struct Ink {
    pub(crate) lines: Vec<Vec<Point>>,
    pub(crate) discs: Vec<Point>,
    pub(crate) bars: Vec<Rect>,
    pub(crate) error_bars: Vec<(Point, Point)>,
    pub(crate) band: Vec<Point>,
}

impl Ink {
    /// The shapes of series number `index` of `count` in its panel; series that share a
    /// categorical axis stand side by side.
    pub(crate) fn of(series: &Series, frame: &Frame<'_>, index: usize, count: usize) -> Self {
        let share = match (frame.x.is_category(), series.mark) {
            (false, _) => 0.0,
            (true, Mark::Bars) => 0.8 / count as f64,
            (true, _) => 0.5 / count as f64,
        };
        let shift = share * (index as f64 - 0.5 * (count as f64 - 1.0));
        let x: Vec<f64> = series.x.iter().map(|x| x + shift).collect();
        let mut ink = Self::default();
        if series.mark.has_line() {
            ink.lines = lines(&x, &series.y, series.width, frame);
        }
        if let Some(radius) = series.mark.radius() {
            let points = x.iter().zip(&series.y).filter_map(|(&x, &y)| frame.point(x, y));
            let points = points.filter(|p| frame.area.contains(*p));
            ink.discs = thin::discs(points.collect(), radius);
        }
        if series.mark == Mark::Bars {
            let width = if share > 0.0 { 0.92 * share } else { 0.8 };
            ink.bars = thin::bars(bars(&x, &series.y, width, frame));
        }
        if let Some(spread) = &series.spread {
            if spread.band {
                ink.band = band(&x, &spread.low, &spread.high, frame);
            } else {
                ink.error_bars = error_bars(&x, &spread.low, &spread.high, frame);
            }
        }
        ink
    }

    /// Points spread over everything drawn, for the legend to keep away from.
    pub(crate) fn samples(&self) -> Vec<Point> {
        let corners = |rect: &Rect| {
            let (l, t, r, b) = (rect.left, rect.top, rect.right(), rect.bottom());
            let m = 0.5 * (l + r);
            [((l, t), (r, t)), ((l, t), (l, b)), ((m, t), (m, b)), ((r, t), (r, b))]
        };
        let segments = self.lines.iter().flat_map(|line| line.windows(2).map(|w| (w[0], w[1])));
        let mut samples = self.discs.clone();
        for (a, b) in segments
            .chain(self.error_bars.iter().copied())
            .chain(self.bars.iter().flat_map(corners))
        {
            let steps = ((b.0 - a.0).hypot(b.1 - a.1) / 4.0).ceil().max(1.0);
            let at = |k: f64| (a.0 + (b.0 - a.0) * k / steps, a.1 + (b.1 - a.1) * k / steps);
            samples.extend((0..=steps as usize).map(|k| at(k as f64)));
        }
        samples
    }
}

/// The curve through the points, in pieces where it leaves the frame or meets a value that a
/// logarithmic axis cannot show.
fn lines(x: &[f64], y: &[f64], width: f64, frame: &Frame<'_>) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    let mut previous = None;
    for (&x, &y) in x.iter().zip(y) {
        let next = frame.point(x, y);
        if let (Some(a), Some(b)) = (previous, next)
            && let Some((from, to)) = frame.area.clip(a, b)
        {
            match pieces.last_mut() {
                Some(piece) if piece.last() == Some(&from) => piece.push(to),
                _ => pieces.push(vec![from, to]),
            }
        }
        previous = next;
    }
    let thinned = pieces.iter().map(|piece| thin::curve(piece));
    thinned.flat_map(|piece| thin::covered(piece, width, frame.area)).collect()
}

fn bars(x: &[f64], y: &[f64], width: f64, frame: &Frame<'_>) -> Vec<Rect> {
    let bar = |(&x, &y): (&f64, &f64)| {
        let left = frame.x(x - 0.5 * width)?.clamp(frame.area.left, frame.area.right());
        let right = frame.x(x + 0.5 * width)?.clamp(frame.area.left, frame.area.right());
        let (end, foot) = (frame.held_y(y), frame.held_y(0.0));
        let (top, bottom) = (end.min(foot), end.max(foot));
        Some(Rect { left, top, width: right - left, height: bottom - top })
    };
    x.iter().zip(y).filter_map(bar).collect()
}

fn error_bars(x: &[f64], low: &[f64], high: &[f64], frame: &Frame<'_>) -> Vec<(Point, Point)> {
    let bar = |(&x, (&low, &high)): (&f64, (&f64, &f64))| {
        let x = frame.x(x).filter(|x| *x >= frame.area.left && *x <= frame.area.right())?;
        Some((x, frame.held_y(high), frame.held_y(low)))
    };
    let bars = x.iter().zip(low.iter().zip(high)).filter_map(bar).collect();
    thin::spans(bars).into_iter().map(|(x, top, bottom)| ((x, top), (x, bottom))).collect()
}

fn band(x: &[f64], low: &[f64], high: &[f64], frame: &Frame<'_>) -> Vec<Point> {
    let held_x = |x: f64| Some(frame.x(x)?.clamp(frame.area.left, frame.area.right()));
    let edge = |side: &[f64]| -> Vec<Point> {
        let points = x.iter().zip(side).filter_map(|(&x, &y)| Some((held_x(x)?, frame.held_y(y))));
        thin::curve(&points.collect::<Vec<_>>())
    };
    let mut polygon = edge(high);
    polygon.extend(edge(low).into_iter().rev());
    polygon
}
