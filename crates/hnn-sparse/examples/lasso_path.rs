//! Times a LASSO path on a regression read from disk: this crate's half of
//! `benches/peers/lasso.py`, which also says what to run.
//!
//! Usage: `lasso_path FOLDER ROWS COLUMNS SMALLEST_SHARE GAP_TOLERANCE`, where the folder holds
//! `x.f64` (row after row) and `y.f64` as little-endian numbers. Prints the seconds, the largest
//! gap and the largest violation as JSON.

use std::error::Error;
use std::time::Instant;

use hnn_sparse::{Gram, Lasso};
use ndarray::{Array1, Array2};

fn read(path: String) -> Result<Vec<f64>, Box<dyn Error>> {
    let bytes = std::fs::read(path)?;
    let number = |chunk: &[u8]| chunk.try_into().map(f64::from_le_bytes);
    Ok(bytes.chunks_exact(8).map(number).collect::<Result<_, _>>()?)
}

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, rows, columns, share, tolerance] = arguments.as_slice() else {
        return Err("usage: lasso_path FOLDER ROWS COLUMNS SMALLEST_SHARE GAP_TOLERANCE".into());
    };
    let x = Array2::from_shape_vec(
        (rows.parse()?, columns.parse()?),
        read(format!("{folder}/x.f64"))?,
    )?;
    let y = Array1::from(read(format!("{folder}/y.f64"))?);
    let tolerance: f64 = tolerance.parse()?;
    let mut lasso = Lasso::default().gap_tolerance(tolerance);
    if tolerance > 1e-10 {
        lasso = lasso.kkt_tolerance(f64::INFINITY);
    }
    // Once to warm up, then the shortest of three: the script takes medians over its rounds.
    let mut best = (f64::INFINITY, 0.0, vec![]);
    for _ in 0..4 {
        let start = Instant::now();
        let gram = Gram::new(x.view(), y.view())?;
        let gram_seconds = start.elapsed().as_secs_f64();
        let path = lasso.path(&gram, 100, share.parse()?)?;
        let seconds = start.elapsed().as_secs_f64();
        if seconds < best.0 {
            best = (seconds, gram_seconds, path);
        }
    }
    let (seconds, gram_seconds, path) = best;
    let gap = path.iter().map(|s| s.certificate.gap).fold(0.0, f64::max);
    let kkt = path.iter().map(|s| s.certificate.kkt).fold(0.0, f64::max);
    let (converged, sweeps) =
        (path.iter().all(|s| s.converged), path.iter().map(|s| s.sweeps).sum::<usize>());
    let last = path.last().map_or(0, |s| s.support().len());
    println!(
        "{{\"seconds\": {seconds}, \"gram_seconds\": {gram_seconds}, \"gap\": {gap:e}, \"kkt\": {kkt:e}, \
         \"converged\": {converged}, \"sweeps\": {sweeps}, \"last_support\": {last}}}"
    );
    Ok(())
}
