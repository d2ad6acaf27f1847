//! From a settled panel to shapes.

use crate::field::Arrows;
use crate::font;
use crate::ink::{Frame, Ink};
use crate::layout::{
    EXPONENT_ROOM, LABEL_ROOM, LABEL_SIZE, Plan, TICK_LENGTH, TICK_SIZE, TITLE_ROOM, TITLE_SIZE,
    TOP_TICK_ROOM,
};
use crate::legend::{self, Place};
use crate::panel::TopAxis;
use crate::scene::{Anchor, Point, Rect, Scene, Stroke};
use crate::series::Series;
use crate::style::{Color, Dash};
use crate::ticks::superscript;

/// Draws the panel with its axes about `area` of its `cell`.
pub(crate) fn panel(
    scene: &mut Scene,
    plan: &Plan<'_>,
    cell: Rect,
    area: Rect,
    color_of: &dyn Fn(&Series) -> Color,
) {
    let frame = plan.frame(area);
    grid(scene, plan, &frame);
    if let Some(field) = &plan.panel.arrows {
        arrows(scene, field, &frame);
    }
    rules(scene, plan, &frame);
    let inks = plan.ink(area);
    let colors: Vec<Color> = plan.panel.series.iter().map(color_of).collect();
    for (ink, color) in inks.iter().zip(&colors) {
        if !ink.band.is_empty() {
            scene.polygon(ink.band.clone(), *color, 0.2);
        }
    }
    for ((series, ink), color) in plan.panel.series.iter().zip(inks).zip(&colors) {
        curve(scene, series, ink, *color);
    }
    starts(scene, plan, &frame);
    scene.line(area.outline(), Stroke::solid(Color::INK, 0.9));
    tick_labels(scene, plan, &frame);
    labels(scene, plan, &frame);
    // At the cell's top, whatever stands below: titles side by side are level.
    let size = font::fitting(&plan.panel.title, TITLE_SIZE, area.width);
    let baseline = cell.top + TITLE_ROOM;
    scene.text(&plan.panel.title, (area.left, baseline), size, Anchor::Start);
}

fn grid(scene: &mut Scene, plan: &Plan<'_>, frame: &Frame<'_>) {
    if plan.panel.arrows.is_some() {
        return;
    }
    let area = frame.area;
    let stroke = Stroke::solid(Color::GRID, 0.7);
    for tick in plan.y_ticks(area.height).ticks.iter().filter(|t| !t.label.is_empty()) {
        let y = area.bottom() - frame.y.fraction_of_coordinate(tick.at) * area.height;
        scene.line(vec![(area.left, y), (area.right(), y)], stroke);
    }
    if frame.x.is_category() {
        return;
    }
    for tick in plan.x_ticks(area.width).ticks.iter().filter(|t| !t.label.is_empty()) {
        let x = area.left + frame.x.fraction_of_coordinate(tick.at) * area.width;
        scene.line(vec![(x, area.top), (x, area.bottom())], stroke);
    }
}

/// Arrows along the flow as it looks in the image; their lengths grow with the square root of the
/// speed, so that slow regions keep their direction legible.
fn arrows(scene: &mut Scene, field: &Arrows, frame: &Frame<'_>) {
    let area = frame.area;
    let (columns, rows) = (Arrows::COLUMNS as f64, Arrows::ROWS as f64);
    let cell = (area.width / columns).min(area.height / rows);
    let per_unit = (area.width / (field.x.1 - field.x.0), area.height / (field.y.1 - field.y.0));
    let in_image = |v: &[f64; 2]| (v[0] * per_unit.0, -v[1] * per_unit.1);
    let speed = |(x, y): Point| x.hypot(y);
    let fastest = field.arrows.iter().map(|(_, v)| speed(in_image(v))).fold(0.0, f64::max);
    for (state, velocity) in &field.arrows {
        let velocity = in_image(velocity);
        let share = (speed(velocity) / fastest).sqrt();
        let (Some(x), Some(y)) = (frame.x(state[0]), frame.y(state[1])) else { continue };
        if share > 0.02 && frame.area.contains((x, y)) {
            let length = 0.92 * cell * share;
            let along = (velocity.0 / speed(velocity), velocity.1 / speed(velocity));
            arrow(scene, (x, y), along, length);
        }
    }
}

/// An arrow of this length whose middle is at `center`.
fn arrow(scene: &mut Scene, center: Point, along: Point, length: f64) {
    let at = |ahead: f64, aside: f64| {
        (center.0 + ahead * along.0 - aside * along.1, center.1 + ahead * along.1 + aside * along.0)
    };
    let head = (0.45 * length).min(5.0);
    let neck = 0.5 * length - head;
    scene.line(vec![at(-0.5 * length, 0.0), at(neck, 0.0)], Stroke::solid(Color::ARROW, 1.0));
    let tip = vec![at(0.5 * length, 0.0), at(neck, 0.42 * head), at(neck, -0.42 * head)];
    scene.polygon(tip, Color::ARROW, 1.0);
}

fn rules(scene: &mut Scene, plan: &Plan<'_>, frame: &Frame<'_>) {
    let area = frame.area;
    for rule in &plan.panel.rules {
        let stroke = Stroke { color: Color::INK, width: 1.0, dash: rule.dash.pattern() };
        let ends = if rule.vertical {
            frame.x(rule.at).map(|x| ((x, area.top), (x, area.bottom())))
        } else {
            frame.y(rule.at).map(|y| ((area.left, y), (area.right(), y)))
        };
        if let Some((from, to)) = ends.and_then(|(a, b)| area.clip(a, b)) {
            scene.line(vec![from, to], stroke);
        }
    }
}

fn curve(scene: &mut Scene, series: &Series, ink: Ink, color: Color) {
    for bar in ink.bars {
        scene.rectangle(bar, color, 1.0);
    }
    let dash = if series.mark.has_line() { series.dash } else { Dash::Solid };
    for line in ink.lines {
        scene.line(line, Stroke { color, width: series.width, dash: dash.pattern() });
    }
    // On a bar of its own colour an error bar would vanish.
    let bar_color =
        if series.mark.has_line() || series.mark.has_points() { color } else { Color::INK };
    for (high, low) in ink.error_bars {
        let stroke = Stroke::solid(bar_color, 1.2);
        scene.line(vec![high, low], stroke);
        for (x, y) in [high, low] {
            scene.line(vec![(x - 3.5, y), (x + 3.5, y)], stroke);
        }
    }
    for disc in ink.discs {
        scene.disc(disc, series.mark.radius().unwrap_or_default(), color);
    }
}

/// Marks where the paths of a phase portrait start.
fn starts(scene: &mut Scene, plan: &Plan<'_>, frame: &Frame<'_>) {
    if plan.panel.arrows.is_none() {
        return;
    }
    let mut marked: Vec<Point> = Vec::new();
    for series in &plan.panel.series {
        if let Some(start) = frame.point(series.x[0], series.y[0])
            && frame.area.contains(start)
            && !marked.contains(&start)
        {
            scene.disc(start, 4.0, Color::INK);
            marked.push(start);
        }
    }
}

fn tick_labels(scene: &mut Scene, plan: &Plan<'_>, frame: &Frame<'_>) {
    let area = frame.area;
    let stroke = Stroke::solid(Color::INK, 0.9);
    let length = |label: &str| if label.is_empty() { 0.55 * TICK_LENGTH } else { TICK_LENGTH };
    let mut free_from = f64::NEG_INFINITY;
    for tick in &plan.x_ticks(area.width).ticks {
        let x = area.left + frame.x.fraction_of_coordinate(tick.at) * area.width;
        scene.line(vec![(x, area.bottom()), (x, area.bottom() + length(&tick.label))], stroke);
        let half = 0.5 * font::width(&tick.label, TICK_SIZE);
        if x - half > free_from {
            let at = (x, area.bottom() + TICK_LENGTH + 13.0);
            scene.text(&tick.label, at, TICK_SIZE, Anchor::Middle);
            if !tick.label.is_empty() {
                free_from = x + half + 3.0;
            }
        }
    }
    for tick in &plan.y_ticks(area.height).ticks {
        let y = area.bottom() - frame.y.fraction_of_coordinate(tick.at) * area.height;
        scene.line(vec![(area.left - length(&tick.label), y), (area.left, y)], stroke);
        let at = (area.left - TICK_LENGTH - 4.0, y + 0.36 * TICK_SIZE);
        scene.text(&tick.label, at, TICK_SIZE, Anchor::End);
    }
    if let Some(axis) = &plan.panel.top {
        top_ticks(scene, axis, frame);
    }
}

fn top_ticks(scene: &mut Scene, axis: &TopAxis, frame: &Frame<'_>) {
    let area = frame.area;
    let mut places: Vec<(f64, &str)> =
        axis.ticks.iter().filter_map(|(at, label)| Some((frame.x(*at)?, label.as_str()))).collect();
    places.retain(|(x, _)| *x >= area.left && *x <= area.right());
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free_from = f64::NEG_INFINITY;
    for (x, label) in places {
        let half = 0.5 * font::width(label, TICK_SIZE);
        if x - half > free_from {
            scene.line(
                vec![(x, area.top - TICK_LENGTH), (x, area.top)],
                Stroke::solid(Color::INK, 0.9),
            );
            scene.text(label, (x, area.top - TICK_LENGTH - 4.0), TICK_SIZE, Anchor::Middle);
            free_from = x + half + 6.0;
        }
    }
}

/// Legend, the labels of the axes and their powers of ten, from the frame outwards.
fn labels(scene: &mut Scene, plan: &Plan<'_>, frame: &Frame<'_>) {
    let (panel, area) = (plan.panel, frame.area);
    let power = |exponent| format!("\u{d7}10{}", superscript(exponent));
    let middle = (area.left + 0.5 * area.width, area.top + 0.5 * area.height);
    let label_y = area.bottom() + TICK_LENGTH + 18.0 + 16.0;
    let size = font::fitting(&panel.x.label, LABEL_SIZE, area.width);
    scene.text(&panel.x.label, (middle.0, label_y), size, Anchor::Middle);
    let exponent = plan.x_ticks(area.width).exponent;
    if exponent != 0 {
        scene.text(&power(exponent), (area.right(), label_y), TICK_SIZE, Anchor::End);
    }
    let ticks = plan.y_ticks(area.height);
    let widest = ticks.ticks.iter().map(|t| font::width(&t.label, TICK_SIZE)).fold(0.0, f64::max);
    let label_x = area.left - TICK_LENGTH - 4.0 - widest - 10.0;
    let size = font::fitting(&panel.y.label, LABEL_SIZE, area.height + 40.0);
    scene.text_upwards(&panel.y.label, (label_x, middle.1), size);

    let mut above = area.top - 6.0;
    if let Some(axis) = &panel.top {
        above -= TOP_TICK_ROOM;
        if !axis.label.is_empty() {
            scene.text(&axis.label, (middle.0, above), LABEL_SIZE, Anchor::Middle);
            above -= LABEL_ROOM;
        }
    }
    if ticks.exponent != 0 {
        scene.text(&power(ticks.exponent), (area.left, above + 1.0), TICK_SIZE, Anchor::Start);
        above -= EXPONENT_ROOM;
    }
    match plan.place {
        Place::Nowhere => {}
        Place::Inside(rect) => legend::draw_box(scene, &plan.entries, rect),
        Place::Above => {
            above -= legend::rows_height(&plan.entries, area.width);
            legend::draw_rows(scene, &plan.entries, (area.left, above + 4.0), area.width);
        }
    }
}
