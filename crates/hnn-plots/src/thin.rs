//! Leaving out what would not be seen: a million points draw in seconds, and look the same.

use std::collections::BTreeMap;

use crate::scene::{Point, Rect};

/// From so many shapes on, those that others cover are looked for.
const MANY: usize = 10_000;
/// The side of a PNG pixel.
const PIXEL: f64 = 0.5;
/// Shorter segments are cheap, and without them a smooth curve would have gaps.
const LONG: f64 = 10.0 * PIXEL;
/// Closer than this part of the radius, one disc covers the other but for its edge.
const DISCS_APART: f64 = 0.55;

/// A curve without the points that move it by less than a quarter of a pixel: points that are
/// closer than an eighth to the last one kept, and of points that follow each other in one column of a
/// quarter, all but the first, the last, the highest and the lowest.
pub(crate) fn curve(points: &[Point]) -> Vec<Point> {
    let last = points.last().copied();
    let mut kept: Vec<Point> = Vec::with_capacity(points.len().min(4096));
    for &point in points {
        let far = |&(x, y): &Point| (x - point.0).abs().max((y - point.1).abs()) > PIXEL / 8.0;
        if kept.last().is_none_or(far) {
            kept.push(point);
        }
    }
    kept.extend(last.filter(|end| kept.last() != Some(end)));
    let column = |point: &Point| (4.0 * point.0 / PIXEL).floor();
    let runs = kept.chunk_by(|a, b| column(a) == column(b));
    runs.flat_map(|run| {
        let height = |a: &usize, b: &usize| run[*a].1.total_cmp(&run[*b].1);
        let (low, high) = ((0..run.len()).min_by(height), (0..run.len()).max_by(height));
        let mut ends = [0, low.unwrap_or(0), high.unwrap_or(0), run.len() - 1];
        ends.sort_unstable();
        let repeats = |i: usize| i > 0 && ends[i] == ends[i - 1];
        (0..4).filter(|i| !repeats(*i)).map(|i| run[ends[i]]).collect::<Vec<_>>()
    })
    .collect()
}

/// A curve of many points without the long segments that lie on earlier ones from end to end.
pub(crate) fn covered(points: Vec<Point>, width: f64, area: Rect) -> Vec<Vec<Point>> {
    if points.len() < MANY {
        return vec![points];
    }
    // A line through a cell covers all of it, or nearly.
    let mut grid = Grid::new(area, (0.5 * width).max(PIXEL));
    points
        .chunk_by(|a, b| grid.ink(*a, *b) || (a.0 - b.0).hypot(a.1 - b.1) < LONG)
        .filter(|piece| piece.len() > 1)
        .map(<[Point]>::to_vec)
        .collect()
}

/// The cells of an area that a line went through.
struct Grid {
    area: Rect,
    cell: f64,
    columns: usize,
    inked: Vec<bool>,
}

impl Grid {
    fn new(area: Rect, cell: f64) -> Self {
        let columns = (area.width / cell) as usize + 2;
        let rows = (area.height / cell) as usize + 2;
        Self { area, cell, columns, inked: vec![false; columns * rows] }
    }

    /// Draws a segment, and tells whether it goes through a cell that no other one did.
    fn ink(&mut self, a: Point, b: Point) -> bool {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let steps = (dx.abs().max(dy.abs()) / self.cell).ceil().max(1.0);
        (0..=steps as usize).fold(false, |is_new, k| {
            let share = k as f64 / steps;
            let x = (a.0 + share * dx - self.area.left) / self.cell;
            let y = (a.1 + share * dy - self.area.top) / self.cell;
            let cell = self.inked.get_mut(y as usize * self.columns + x as usize);
            cell.is_some_and(|cell| !std::mem::replace(cell, true)) || is_new
        })
    }
}

/// Many discs without those that others cover.
pub(crate) fn discs(centers: Vec<Point>, radius: f64) -> Vec<Point> {
    if centers.len() < MANY {
        return centers;
    }
    let cell = |z: f64| (z / (DISCS_APART * radius)).floor() as i64;
    let mut kept = BTreeMap::new();
    for center in centers {
        kept.entry((cell(center.0), cell(center.1))).or_insert(center);
    }
    kept.into_values().collect()
}

/// Many upright spans (place, top, bottom), with those of one column that overlap made one.
pub(crate) fn spans(mut spans: Vec<(f64, f64, f64)>) -> Vec<(f64, f64, f64)> {
    if spans.len() < MANY {
        return spans;
    }
    let column = |span: &(f64, f64, f64)| (span.0 / PIXEL).floor() as i64;
    spans.sort_by(|a, b| column(a).cmp(&column(b)).then(a.1.total_cmp(&b.1)));
    let mut merged: Vec<(f64, f64, f64)> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if column(last) == column(&span) && span.1 <= last.2 => {
                last.2 = last.2.max(span.2);
            }
            _ => merged.push(span),
        }
    }
    merged
}

/// Many bars, with those of one column made one.
pub(crate) fn bars(bars: Vec<Rect>) -> Vec<Rect> {
    if bars.len() < MANY {
        return bars;
    }
    let ends = bars.iter().map(|bar| (bar.left, bar.top, bar.bottom())).collect();
    let rect = |(left, top, bottom)| Rect { left, top, width: PIXEL, height: bottom - top };
    spans(ends).into_iter().map(rect).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect { left: 40.0, top: 30.0, width: 700.0, height: 400.0 };

    /// Numbers in [0, 1) that look random.
    fn noise() -> impl FnMut() -> f64 {
        let mut state = 1_u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
            (state >> 33) as f64 / 2.0_f64.powi(31)
        }
    }

    #[test]
    fn a_curve_keeps_its_shape_and_its_extremes() {
        let mut noise = noise();
        let points: Vec<Point> =
            (0..200_000).map(|i| (40.0 + 700.0 * f64::from(i) / 2e5, 30.0 + noise())).collect();
        let mut spiked = points.clone();
        spiked[100_000].1 = 300.0;
        let kept = curve(&spiked);
        assert!(kept.len() < 25_000 && kept.contains(&spiked[100_000]), "{}", kept.len());
        assert_eq!((kept[0], kept.last()), (spiked[0], spiked.last()));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
        let few = &points[..3];
        assert_eq!(curve(&[few[0], (50.0, 40.0), few[2]]).len(), 3);
        assert!(curve(&[]).is_empty() && curve(&[few[0]]) == [few[0]]);
    }

    #[test]
    fn covered_segments_go_and_all_that_they_inked_stays() {
        let mut noise = noise();
        let cloud: Vec<Point> =
            (0..60_000).map(|_| (40.0 + 700.0 * noise(), 30.0 + 400.0 * noise())).collect();
        let ink = |pieces: &[Vec<Point>]| {
            let mut grid = Grid::new(AREA, 0.9);
            for pair in pieces.iter().flat_map(|piece| piece.windows(2)) {
                grid.ink(pair[0], pair[1]);
            }
            grid.inked
        };
        let all = vec![cloud.clone()];
        let pieces = covered(cloud, 1.8, AREA);
        let segments: usize = pieces.iter().map(|piece| piece.len() - 1).sum();
        assert!(segments < 30_000, "{segments}");
        assert!(ink(&pieces) == ink(&all));
        // A smooth curve stays whole.
        let smooth: Vec<Point> = (0..60_000)
            .map(|i| f64::from(i) / 6e4)
            .map(|s| (40.0 + 700.0 * s, 230.0 + 200.0 * (20.0 * s).sin()))
            .collect();
        assert_eq!(covered(smooth.clone(), 1.8, AREA), [smooth]);
    }

    #[test]
    fn discs_and_spans_that_are_dropped_are_near_ones_that_stay() {
        let mut noise = noise();
        let centers: Vec<Point> = (0..50_000).map(|_| (60.0 * noise(), 60.0 * noise())).collect();
        let kept = discs(centers.clone(), 3.6);
        assert!(kept.len() < 1000);
        let near = |a: &Point| kept.iter().any(|b| (a.0 - b.0).hypot(a.1 - b.1) < 3.0);
        assert!(centers.iter().step_by(100).all(near));
        let tall: Vec<_> = (0..50_000).map(|_| (100.0 * noise(), 5.0 * noise(), 9.0)).collect();
        let merged = spans(tall);
        assert!(merged.len() <= 200);
        assert!(merged.iter().all(|(_, top, bottom)| *top < 1.0 && *bottom == 9.0));
        // Spans that do not touch stay two.
        let apart =
            (0..50_000).map(|i| (0.1, f64::from(i % 2) * 50.0, f64::from(i % 2) * 50.0 + 9.0));
        assert_eq!(spans(apart.collect()), [(0.1, 0.0, 9.0), (0.1, 50.0, 59.0)]);
    }
}
