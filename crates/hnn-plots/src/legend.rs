//! Where the legend goes, so that it covers no curve, and how it looks.

use crate::font;
use crate::panel::{Entry, Panel};
use crate::scene::{Anchor, Point, Rect, Scene, Stroke};
use crate::style::{Color, Mark};

const SIZE: f64 = 11.5;
const ROW: f64 = 18.0;
const SAMPLE: f64 = 30.0;
const GAP: f64 = 7.0;
const PADDING: f64 = 8.0;

/// Where the legend of a panel goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place {
    /// No legend in this panel.
    Nowhere,
    /// Inside the axes, in this rectangle.
    Inside(Rect),
    /// In rows above the axes.
    Above,
}

/// The labelled series and reference lines of a panel, each label once.
pub(crate) fn entries(panel: &Panel, color_of: impl Fn(&str) -> Color) -> Vec<Entry> {
    let series = panel.series.iter().map(|s| Entry {
        label: s.label.clone(),
        color: s.color.unwrap_or_else(|| color_of(&s.label)),
        dash: s.dash,
        mark: s.mark,
        width: s.width,
    });
    let rules = panel.rules.iter().map(|r| Entry {
        label: r.label.clone(),
        color: Color::INK,
        dash: r.dash,
        mark: Mark::Line,
        width: 1.0,
    });
    let mut entries: Vec<Entry> = Vec::new();
    for entry in series.chain(rules) {
        if !entry.label.is_empty() && entries.iter().all(|e| e.label != entry.label) {
            entries.push(entry);
        }
    }
    entries
}

fn entry_width(entry: &Entry) -> f64 {
    SAMPLE + GAP + font::width(&entry.label, SIZE)
}

/// Looks for a free rectangle inside the axes; without one, the legend goes above them.
pub(crate) fn place(entries: &[Entry], area: Rect, ink: &[Point]) -> Place {
    let widest = entries.iter().map(entry_width).fold(0.0, f64::max);
    let width = widest + 2.0 * PADDING;
    let height = entries.len() as f64 * ROW + PADDING;
    let inset = 8.0;
    if width + 2.0 * inset > area.width || height + 2.0 * inset > area.height {
        return Place::Above;
    }
    let at = |across: f64, down: f64| Rect {
        left: area.left + inset + across * (area.width - width - 2.0 * inset),
        top: area.top + inset + down * (area.height - height - 2.0 * inset),
        width,
        height,
    };
    let places = [
        (1.0, 0.0),
        (0.0, 0.0),
        (1.0, 1.0),
        (0.0, 1.0),
        (0.5, 0.0),
        (0.5, 1.0),
        (1.0, 0.5),
        (0.0, 0.5),
    ];
    let free = |rect: &Rect| {
        let wide = Rect {
            left: rect.left - 5.0,
            top: rect.top - 5.0,
            width: rect.width + 10.0,
            height: rect.height + 10.0,
        };
        ink.iter().all(|point| !wide.contains(*point))
    };
    let found = places.iter().map(|&(across, down)| at(across, down)).find(free);
    found.map_or(Place::Above, Place::Inside)
}

/// Draws the legend as a column in a box.
pub(crate) fn draw_box(scene: &mut Scene, entries: &[Entry], rect: Rect) {
    scene.rectangle(rect, Color::WHITE, 0.9);
    scene.line(rect.outline(), Stroke::solid(Color::GRID, 1.0));
    for (row, entry) in entries.iter().enumerate() {
        let middle = rect.top + 0.5 * PADDING + (row as f64 + 0.5) * ROW;
        draw_entry(scene, entry, (rect.left + PADDING, middle));
    }
}

/// The entries in rows of at most this width.
fn rows(entries: &[Entry], width: f64) -> Vec<Vec<(f64, &Entry)>> {
    let mut rows: Vec<Vec<(f64, &Entry)>> = vec![Vec::new()];
    let mut pen = 0.0;
    for entry in entries {
        let needed = entry_width(entry);
        if pen > 0.0 && pen + needed > width {
            rows.push(Vec::new());
            pen = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((pen, entry));
        }
        pen += needed + 2.5 * PADDING;
    }
    rows
}

/// Height of the legend as rows of at most this width.
pub(crate) fn rows_height(entries: &[Entry], width: f64) -> f64 {
    rows(entries, width).len() as f64 * ROW + 4.0
}

/// Draws the legend as rows, from this corner on.
pub(crate) fn draw_rows(scene: &mut Scene, entries: &[Entry], (left, top): Point, width: f64) {
    for (number, row) in rows(entries, width).iter().enumerate() {
        for (pen, entry) in row {
            draw_entry(scene, entry, (left + pen, top + (number as f64 + 0.5) * ROW));
        }
    }
}

fn draw_entry(scene: &mut Scene, entry: &Entry, (left, middle): Point) {
    let center = left + 0.5 * SAMPLE;
    if entry.mark == Mark::Bars {
        let swatch =
            Rect { left: left + 8.0, top: middle - 5.0, width: SAMPLE - 12.0, height: 10.0 };
        scene.rectangle(swatch, entry.color, 1.0);
    }
    if entry.mark.has_line() {
        let stroke = Stroke { color: entry.color, width: entry.width, dash: entry.dash.pattern() };
        scene.line(vec![(left, middle), (left + SAMPLE, middle)], stroke);
    }
    if let Some(radius) = entry.mark.radius() {
        scene.disc((center, middle), radius.max(2.0), entry.color);
    }
    scene.text(&entry.label, (left + SAMPLE + GAP, middle + 0.36 * SIZE), SIZE, Anchor::Start);
}
