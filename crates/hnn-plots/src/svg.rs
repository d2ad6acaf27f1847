//! A scene as SVG.

use std::fmt::Write;

use crate::font;
use crate::scene::{Anchor, Point, Scene, Shape, Stroke, Text};
use crate::style::Color;

/// The scene as an SVG document; text stays text, so that it can be searched and copied.
pub(crate) fn document(scene: &Scene) -> String {
    let (width, height) = (scene.width, scene.height);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"{}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        font::FAMILIES
    );
    for shape in &scene.shapes {
        push(&mut out, shape);
    }
    out.push_str("</svg>\n");
    out
}

fn push(out: &mut String, shape: &Shape) {
    // Writing to a String cannot fail.
    let _ = match shape {
        Shape::Line { points, stroke } => writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" \
             stroke-linejoin=\"round\"{}/>",
            list(points),
            hex(stroke.color),
            stroke.width,
            dash(stroke)
        ),
        Shape::Polygon { points, fill, opacity } => writeln!(
            out,
            "<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{opacity}\"/>",
            list(points),
            hex(*fill)
        ),
        Shape::Disc { center: (x, y), radius, fill } => {
            writeln!(
                out,
                "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\" fill=\"{}\"/>",
                hex(*fill)
            )
        }
        Shape::Text(text) => push_text(out, text),
    };
}

fn push_text(out: &mut String, text: &Text) -> std::fmt::Result {
    let anchor = match text.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let (x, y) = text.at;
    let turn = if text.upwards {
        format!(" transform=\"rotate(-90 {x:.2} {y:.2})\"")
    } else {
        String::new()
    };
    writeln!(
        out,
        "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{:.2}\" fill=\"{}\" text-anchor=\"{anchor}\"{turn}>{}</text>",
        text.size,
        hex(text.color),
        escape(&text.text)
    )
}

fn list(points: &[Point]) -> String {
    let mut list = String::with_capacity(points.len() * 14);
    for (x, y) in points {
        let _ = write!(list, "{x:.2},{y:.2} ");
    }
    list.pop();
    list
}

fn dash(stroke: &Stroke) -> String {
    if stroke.dash.is_empty() {
        return String::new();
    }
    let lengths: Vec<String> =
        stroke.dash.iter().map(|d| format!("{:.2}", d * stroke.width)).collect();
    format!(" stroke-dasharray=\"{}\"", lengths.join(" "))
}

fn hex(Color(red, green, blue): Color) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text as XML character data, without the control characters that XML 1.0 forbids.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
