//! Combinations of features that do not change.

use nalgebra::DMatrix;
use ndarray::Array2;

use super::sample::Sample;
use crate::SystemError;

/// Combinations of features whose size is smaller, relative to the largest, are constants or identities among features.
const IDENTITY: f64 = 1e-8;

/// The conserved combinations of features, each by its terms, of the features' gradients at the states: those
/// of the fewest terms that elimination finds.
pub(super) fn null_space(
    sample: &Sample,
    gradients: &[Array2<f64>],
    tolerance: f64,
) -> Result<Vec<Vec<(f64, usize)>>, SystemError> {
    let (features, states) = (gradients.len(), sample.states.nrows());
    let scale = 1.0 / (states as f64).sqrt();
    let scaled = Vec::from_iter(gradients.iter().map(|g| sample.scaled(g.view()) * scale));
    let sizes = Vec::from_iter(scaled.iter().map(|g| norm(g.iter())));
    // Features of size 1; one that is constant stays 0.
    let inverse = |k: usize| if sizes[k] > 0.0 { 1.0 / sizes[k] } else { 0.0 };
    let rates = Vec::from_iter(gradients.iter().map(|g| sample.rates(g.view()) * scale));
    // No decomposition ends with numbers that are none.
    if !rates.iter().flatten().chain(&sizes).all(|x| x.is_finite()) {
        let hint = "a feature, or its rate, is beyond all bounds: take units in which numbers are nearer to 1";
        return Err(SystemError::Undetermined { what: "what is conserved", hint });
    }
    let dim = sample.states.ncols();
    let of_size = DMatrix::from_fn(states * dim, features, |row, k| {
        scaled[k][[row / dim, row % dim]] * inverse(k)
    });
    let of_rate = DMatrix::from_fn(states, features, |row, k| rates[k][row] * inverse(k));
    let (values, directions) = singular(of_size);
    let largest = values.iter().copied().fold(0.0, f64::max);
    let kept = Vec::from_iter((0..values.len()).filter(|i| values[*i] > IDENTITY * largest));
    // Its columns are combinations of size 1, at right angles to each other.
    let whitened =
        DMatrix::from_fn(features, kept.len(), |k, i| directions[(kept[i], k)] / values[kept[i]]);
    let (values, directions) = singular(of_rate * &whitened);
    let slow = (0..values.len()).filter(|i| values[*i] <= tolerance * sample.rate);
    let slow =
        slow.map(|i| Vec::from_iter((&whitened * directions.row(i).transpose()).iter().copied()));
    let combinations = eliminated(slow.collect(), tolerance).into_iter().map(|(pivot, row)| {
        let terms = row.iter().enumerate().filter(|(_, c)| **c != 0.0);
        terms.map(|(k, c)| (c * inverse(k) / inverse(pivot), k)).collect()
    });
    Ok(combinations.collect())
}

fn norm<'a>(numbers: impl Iterator<Item = &'a f64>) -> f64 {
    numbers.map(|x| x * x).sum::<f64>().sqrt()
}

/// The singular values of a tall matrix, and its right singular vectors, a row each.
fn singular(matrix: DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    let columns = matrix.ncols();
    if columns == 0 {
        return (Vec::new(), matrix.resize(0, 0, 0.0));
    }
    let decomposed = matrix.qr().r().svd(false, true);
    let directions = decomposed.v_t.unwrap_or_else(|| DMatrix::zeros(0, columns));
    (decomposed.singular_values.iter().copied().collect(), directions)
}

/// The reduced echelon form of rows, each with the column of its pivot, 1: of all entries the largest is the next pivot.
/// Entries of up to `negligible` are rounded to 0.
fn eliminated(mut rows: Vec<Vec<f64>>, negligible: f64) -> Vec<(usize, Vec<f64>)> {
    let mut done: Vec<(usize, Vec<f64>)> = Vec::new();
    while !rows.is_empty() {
        let entries = rows
            .iter()
            .enumerate()
            .flat_map(|(i, row)| row.iter().enumerate().map(move |(k, c)| (i, k, c.abs())));
        let largest =
            entries.fold((0, 0, 0.0), |best, one| if one.2 > best.2 { one } else { best });
        let (index, pivot, size) = largest;
        if size == 0.0 {
            break;
        }
        let mut row = rows.swap_remove(index);
        let inverse = 1.0 / row[pivot];
        row.iter_mut().for_each(|c| *c *= inverse);
        for other in rows.iter_mut().chain(done.iter_mut().map(|(_, row)| row)) {
            let factor = other[pivot];
            other.iter_mut().zip(&row).for_each(|(other, c)| *other -= factor * c);
            other[pivot] = 0.0;
        }
        done.push((pivot, row));
    }
    for (_, row) in &mut done {
        row.iter_mut().filter(|c| c.abs() <= negligible).for_each(|c| *c = 0.0);
    }
    done
}
