//! Golden files: numbers of independent software, and data measured by others.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde_json::Value;

/// A golden file of this crate's folder `data`, by its name without `.json`; its `description` says
/// how it was made.
///
/// ```
/// let file = hnn_testing::golden("damped_pendulum");
/// let states = hnn_testing::matrix(&file["cases"][0]["states"]);
/// assert_eq!(states.dim(), (45, 2));
/// ```
#[track_caller]
pub fn golden(name: &str) -> Value {
    read_json(Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name).with_extension("json"))
}

/// A JSON file, such as a golden file of one crate alone.
#[track_caller]
pub fn read_json(path: impl AsRef<Path>) -> Value {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A recording of this crate's folder `data/recordings`, whose `README.md` says what each is.
#[must_use]
pub fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/recordings").join(name)
}

/// Data measured by others, which are not part of the repository; `None`, and a word, where the
/// file is not there.
pub fn measured(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        eprintln!("skipped: no file {}", path.display());
        return None;
    }
    Some(path)
}

/// All numbers of nested lists, row by row.
#[track_caller]
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

/// A list of lists of numbers, a row an inner list.
#[track_caller]
pub fn matrix(value: &Value) -> Array2<f64> {
    let (numbers, rows) = (numbers(value), value.as_array().expect("rows").len());
    Array2::from_shape_vec((rows, numbers.len() / rows), numbers).expect("equal rows")
}
