//! A list of shapes: what the layout hands to the SVG and PNG writers.

use crate::style::Color;

/// Image units; a unit is two pixels of the PNG.
pub(crate) type Point = (f64, f64);

/// A rectangle, `y` downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Rect {
    pub(crate) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The corners, from the upper left one round and back, with one side more to close the joint.
    pub(crate) fn outline(&self) -> Vec<Point> {
        let (left, top, right, bottom) = (self.left, self.top, self.right(), self.bottom());
        vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, top)]
    }

    pub(crate) fn contains(&self, (x, y): Point) -> bool {
        x >= self.left && x <= self.right() && y >= self.top && y <= self.bottom()
    }

    /// The part of the segment from `a` to `b` inside the rectangle (Liang and Barsky, 1984).
    pub(crate) fn clip(&self, a: Point, b: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut enter, mut leave) = (0.0f64, 1.0f64);
        let sides = [
            (-dx, a.0 - self.left),
            (dx, self.right() - a.0),
            (-dy, a.1 - self.top),
            (dy, self.bottom() - a.1),
        ];
        for (outwards, distance) in sides {
            if outwards == 0.0 {
                if distance < 0.0 {
                    return None;
                }
            } else if outwards < 0.0 {
                enter = enter.max(distance / outwards);
            } else {
                leave = leave.min(distance / outwards);
            }
        }
        // The end itself, not the end up to rounding, so that pieces of a curve join.
        let at = |s: f64| if s < 1.0 { (a.0 + s * dx, a.1 + s * dy) } else { b };
        (enter <= leave).then(|| (at(enter), at(leave)))
    }
}

/// The ink of a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stroke {
    pub(crate) color: Color,
    pub(crate) width: f64,
    /// Lengths of ink and gap in units of the width.
    pub(crate) dash: &'static [f64],
}

impl Stroke {
    pub(crate) fn solid(color: Color, width: f64) -> Self {
        Self { color, width, dash: &[] }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// One line of text; `at` is its anchor on the baseline.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) at: Point,
    pub(crate) size: f64,
    pub(crate) anchor: Anchor,
    pub(crate) color: Color,
    /// Turned by 90 degrees, to be read from below upwards.
    pub(crate) upwards: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Line { points: Vec<Point>, stroke: Stroke },
    Polygon { points: Vec<Point>, fill: Color, opacity: f64 },
    Disc { center: Point, radius: f64, fill: Color },
    Text(Text),
}

/// Shapes on a white ground, the first one at the back.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
}

impl Scene {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    pub(crate) fn line(&mut self, points: Vec<Point>, stroke: Stroke) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line { points, stroke });
        }
    }

    pub(crate) fn polygon(&mut self, points: Vec<Point>, fill: Color, opacity: f64) {
        self.shapes.push(Shape::Polygon { points, fill, opacity });
    }

    pub(crate) fn rectangle(&mut self, rect: Rect, fill: Color, opacity: f64) {
        self.polygon(rect.outline(), fill, opacity);
    }

    pub(crate) fn disc(&mut self, center: Point, radius: f64, fill: Color) {
        self.shapes.push(Shape::Disc { center, radius, fill });
    }

    pub(crate) fn text(&mut self, text: &str, at: Point, size: f64, anchor: Anchor) {
        let text = Text { text: text.into(), at, size, anchor, color: Color::INK, upwards: false };
        self.shapes.push(Shape::Text(text));
    }

    pub(crate) fn text_upwards(&mut self, text: &str, at: Point, size: f64) {
        let text = Text {
            text: text.into(),
            at,
            size,
            anchor: Anchor::Middle,
            color: Color::INK,
            upwards: true,
        };
        self.shapes.push(Shape::Text(text));
    }
}
