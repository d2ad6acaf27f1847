//! A scene as PNG, anti-aliased.

use hnn_integrators::TooLarge;
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke as SkiaStroke,
    StrokeDash, Transform,
};

use crate::scene::{Anchor, Point, Scene, Shape, Stroke, Text};
use crate::style::Color;
use crate::{PlotError, font};

/// Pixels of the PNG a unit of the scene.
pub(crate) const PIXELS: f64 = 2.0;

/// Of a pixel: in the image, in the copy that is encoded, and in the file.
const BYTES: usize = 10;

/// The scene as the bytes of a PNG file.
pub(crate) fn bytes(scene: &Scene) -> Result<Vec<u8>, PlotError> {
    let (width, height) = ((scene.width * PIXELS) as u32, (scene.height * PIXELS) as u32);
    let remedy = "make the figure smaller, or save it as SVG";
    TooLarge::check("pixels", u64::from(width) * u64::from(height), BYTES, remedy)?;
    let mut pixmap = Pixmap::new(width, height).ok_or(PlotError::Size { width, height })?;
    pixmap.fill(tiny_skia::Color::WHITE);
    for shape in &scene.shapes {
        draw(&mut pixmap, shape);
    }
    pixmap.encode_png().map_err(|error| PlotError::Encode { reason: error.to_string() })
}

fn draw(pixmap: &mut Pixmap, shape: &Shape) {
    let scale = Transform::from_scale(PIXELS as f32, PIXELS as f32);
    match shape {
        Shape::Line { points, stroke } => {
            if let Some(path) = path(points, false) {
                pixmap.stroke_path(&path, &paint(stroke.color, 1.0), &pen(stroke), scale, None);
            }
        }
        Shape::Polygon { points, fill, opacity } => {
            if let Some(path) = path(points, true) {
                fill_path(pixmap, &path, &paint(*fill, *opacity), scale);
            }
        }
        Shape::Disc { center: (x, y), radius, fill } => {
            if let Some(path) = PathBuilder::from_circle(*x as f32, *y as f32, *radius as f32) {
                fill_path(pixmap, &path, &paint(*fill, 1.0), scale);
            }
        }
        Shape::Text(text) => draw_text(pixmap, text, scale),
    }
}

fn draw_text(pixmap: &mut Pixmap, text: &Text, scale: Transform) {
    let mut outline = PathBuilder::new();
    font::outline(&text.text, text.size, &mut outline);
    let Some(path) = outline.finish() else { return };
    let width = font::width(&text.text, text.size);
    let shift = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -0.5 * width,
        Anchor::End => -width,
    };
    let turn = if text.upwards { -90.0 } else { 0.0 };
    let transform = scale
        .pre_translate(text.at.0 as f32, text.at.1 as f32)
        .pre_rotate(turn)
        .pre_translate(shift as f32, 0.0);
    fill_path(pixmap, &path, &paint(text.color, 1.0), transform);
}

fn fill_path(pixmap: &mut Pixmap, path: &Path, paint: &Paint<'_>, transform: Transform) {
    pixmap.fill_path(path, paint, FillRule::Winding, transform, None);
}

fn path(points: &[Point], close: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (i, &(x, y)) in points.iter().enumerate() {
        if i == 0 {
            builder.move_to(x as f32, y as f32);
        } else {
            builder.line_to(x as f32, y as f32);
        }
    }
    if close {
        builder.close();
    }
    builder.finish()
}

fn paint(Color(red, green, blue): Color, opacity: f64) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, (opacity * 255.0).round() as u8);
    paint.anti_alias = true;
    paint
}

fn pen(stroke: &Stroke) -> SkiaStroke {
    let lengths: Vec<f32> = stroke.dash.iter().map(|d| (d * stroke.width) as f32).collect();
    SkiaStroke {
        width: stroke.width as f32,
        line_join: LineJoin::Round,
        line_cap: LineCap::Butt,
        dash: StrokeDash::new(lengths, 0.0),
        ..SkiaStroke::default()
    }
}
