//! The embedded font: widths and outlines of text.

use std::sync::LazyLock;

use tiny_skia::PathBuilder;
use ttf_parser::{Face, OutlineBuilder};

/// DejaVu Sans 2.37, cut down to Latin, Greek and mathematics: figures look the same on every
/// machine, and need no font installed.
static BYTES: &[u8] = include_bytes!("../fonts/DejaVuSans-subset.ttf");

static FACE: LazyLock<Face<'static>> =
    LazyLock::new(|| Face::parse(BYTES, 0).expect("the embedded font is valid"));

/// Families to try in an SVG: the embedded font, then fonts of the same widths.
pub(crate) const FAMILIES: &str = "'DejaVu Sans', 'Bitstream Vera Sans', Verdana, sans-serif";

/// Width of a line of text.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let units: f64 = text.chars().map(|c| f64::from(advance(glyph(c)))).sum();
    units * size / f64::from(FACE.units_per_em())
}

/// The size at which a line of text fits into this room; `size` where that is small enough.
pub(crate) fn fitting(text: &str, size: f64, room: f64) -> f64 {
    size * (room / width(text, size).max(1e-9)).min(1.0)
}

/// Appends the outlines of a line of text that starts at the origin, `y` downwards.
pub(crate) fn outline(text: &str, size: f64, path: &mut PathBuilder) {
    let scale = size as f32 / f32::from(FACE.units_per_em());
    let mut pen = 0.0;
    let mut base = None;
    for c in text.chars() {
        let glyph = glyph(c);
        let start = match base {
            Some(base) if is_accent(c) => over(glyph, base),
            _ => (pen, 0.0),
        };
        let at = (start.0 * scale, start.1 * scale);
        let outline = FACE.outline_glyph(glyph, &mut Outliner { path, scale, at });
        base = outline.map(|bounds| Bounds { start, bounds });
        pen += f32::from(advance(glyph));
    }
}

/// A glyph's place and box, in units of the font.
#[derive(Clone, Copy)]
struct Bounds {
    start: (f32, f32),
    bounds: ttf_parser::Rect,
}

/// Combining marks that stand above their letter: the dots of time derivatives, hats, bars.
fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{315}').contains(&c) || c == '\u{20d7}'
}

/// Where an accent starts so that it stands centred above the glyph before it.
fn over(accent: ttf_parser::GlyphId, base: Bounds) -> (f32, f32) {
    const GAP: f32 = 150.0;
    let Some(mark) = FACE.glyph_bounding_box(accent) else { return base.start };
    let middle = |r: ttf_parser::Rect| 0.5 * (f32::from(r.x_min) + f32::from(r.x_max));
    let across = base.start.0 + middle(base.bounds) - middle(mark);
    let up = base.start.1 + f32::from(base.bounds.y_max) + GAP - f32::from(mark.y_min);
    (across, up.max(0.0))
}

/// The glyph of a character; a box (glyph 0) where the font lacks it.
fn glyph(c: char) -> ttf_parser::GlyphId {
    FACE.glyph_index(c).unwrap_or_default()
}

fn advance(glyph: ttf_parser::GlyphId) -> u16 {
    FACE.glyph_hor_advance(glyph).unwrap_or(0)
}

struct Outliner<'a> {
    path: &'a mut PathBuilder,
    scale: f32,
    at: (f32, f32),
}

impl Outliner<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.at.0 + x * self.scale, -self.at.1 - y * self.scale)
    }
}

impl OutlineBuilder for Outliner<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
