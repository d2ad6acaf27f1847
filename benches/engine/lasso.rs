//! LASSO paths of 100 weights on regressions that `peers/sklearn_peer.py` writes.

use std::hint::black_box;

use hnn_benches::{Case, Error, Run, folder};
use hnn_sparse::{Gram, Lasso};
use ndarray::{Array1, Array2};

/// The name, the numbers of rows and columns, the least weight relative to the largest, and the gap.
type Problem = (&'static str, usize, usize, f64, f64);

const PROBLEMS: [Problem; 3] = [
    ("lasso features", 20_000, 44, 1e-3, 1e-12),
    ("lasso features far", 20_000, 44, 1e-5, 1e-12),
    ("lasso correlated", 4000, 1000, 1e-3, 1e-6),
];

pub(crate) fn cases() -> Vec<Case> {
    PROBLEMS.map(|problem| Case::new(problem.0, move || path(problem))).into()
}

fn path((name, rows, columns, share, gap): Problem) -> Result<Run, Error> {
    let file = |what| read(&format!("{name}.{what}.f64"));
    let (x, y) = (Array2::from_shape_vec((rows, columns), file("x")?)?, Array1::from(file("y")?));
    let mut lasso = Lasso::default().with_gap_tolerance(gap);
    if gap > 1e-10 {
        lasso = lasso.with_kkt_tolerance(f64::INFINITY);
    }
    Ok(Box::new(move || {
        black_box(lasso.path(&Gram::new(x.view(), y.view())?, 100, share)?);
        Ok(())
    }))
}

fn read(name: &str) -> Result<Vec<f64>, Error> {
    let path = folder()?.join(name);
    let bytes = std::fs::read(&path)
        .map_err(|e| format!("{}: {e}: benches/peers/run has it written", path.display()))?;
    Ok(bytes.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect())
}
