//! A page that shows pendulums in motion, for any browser.

use std::path::Path;

use ndarray::{ArrayView1, ArrayView2};
use serde_json::json;

use crate::Result;

/// Writes a self-contained HTML page: pendulums side by side, of `links` rods of unit lengths, one a
/// motion of states (T, D) whose first coordinates are the rods' angles from hanging, `seconds`
/// between two states.
///
/// # Errors
/// If the file cannot be written.
pub fn write_animation(
    path: &Path,
    title: &str,
    links: usize,
    motions: &[(&str, ArrayView2<'_, f64>)],
    seconds: f64,
) -> Result<()> {
    let rounded = |x: f64| (x * 1e4).round() / 1e4;
    let motions: Vec<_> = motions
        .iter()
        .map(|(label, states)| {
            let finite = states.outer_iter().take_while(|x| x.iter().all(|x| x.is_finite()));
            let angles =
                |x: ArrayView1<'_, f64>| Vec::from_iter(x.iter().take(links).map(|x| rounded(*x)));
            let angles = Vec::from_iter(finite.map(angles));
            json!({ "label": label, "angles": angles })
        })
        .collect();
    let data = json!({ "title": title, "links": links, "seconds": seconds, "motions": motions });
    // A label is no end of the script.
    let data = data.to_string().replace('<', "\\u003c");
    let page = include_str!("animation.html").replace("DATA", &data);
    hnn_files::write_all(path, page.as_bytes())?;
    println!("wrote {}", path.display());
    Ok(())
}
