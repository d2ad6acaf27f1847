//! A page that shows double pendulums in motion, for any browser.

use std::path::Path;

use ndarray::ArrayView2;
use serde_json::json;

use hnn_examples::Result;

/// Writes a self-contained HTML page: double pendulums of unit lengths side by side, one a motion
/// of states (T, D) whose first two coordinates are the angles, `seconds` between two states.
///
/// # Errors
/// If the file cannot be written.
pub fn write_animation(
    path: &Path,
    title: &str,
    motions: &[(&str, ArrayView2<'_, f64>)],
    seconds: f64,
) -> Result<()> {
    let rounded = |x: f64| (x * 1e4).round() / 1e4;
    let motions: Vec<_> = motions
        .iter()
        .map(|(label, states)| {
            let finite = states.outer_iter().take_while(|x| x.iter().all(|x| x.is_finite()));
            let angles: Vec<_> = finite.map(|x| [rounded(x[0]), rounded(x[1])]).collect();
            json!({ "label": label, "angles": angles })
        })
        .collect();
    let data = json!({ "title": title, "seconds": seconds, "motions": motions });
    // A label is no end of the script.
    let data = data.to_string().replace('<', "\\u003c");
    let page = include_str!("animation.html").replace("DATA", &data);
    hnn_files::write_all(path, page.as_bytes())?;
    println!("wrote {}", path.display());
    Ok(())
}
