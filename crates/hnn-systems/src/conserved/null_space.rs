//! Combinations of features that do not change.

use ndarray::Array2;

use super::sample::Sample;
use super::singular::singular;
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
    let of_size = Vec::from_iter((0..features).map(|k| scaled_by(scaled[k].iter(), inverse(k))));
    let of_rate = Vec::from_iter((0..features).map(|k| scaled_by(rates[k].iter(), inverse(k))));
    let sizes = singular(of_size);
    let largest = sizes.iter().map(|(size, _)| *size).fold(0.0, f64::max);
    let kept = sizes.iter().filter(|(size, _)| *size > IDENTITY * largest);
    // Combinations of size 1, at right angles to each other.
    let whitened =
        Vec::from_iter(kept.map(|(size, direction)| scaled_by(direction.iter(), 1.0 / size)));
    let changes = singular(whitened.iter().map(|weights| combined(&of_rate, weights)).collect());
    let slow = changes.iter().filter(|(change, _)| *change <= tolerance * sample.rate);
    let slow = slow.map(|(_, direction)| combined(&whitened, direction));
    let combinations = eliminated(slow.collect(), tolerance).into_iter().map(|(pivot, row)| {
        let terms = row.iter().enumerate().filter(|(_, c)| **c != 0.0);
        terms.map(|(k, c)| (c * inverse(k) / inverse(pivot), k)).collect()
    });
    Ok(combinations.collect())
}

fn norm<'a>(numbers: impl Iterator<Item = &'a f64>) -> f64 {
    numbers.map(|x| x * x).sum::<f64>().sqrt()
}

fn scaled_by<'a>(numbers: impl Iterator<Item = &'a f64>, factor: f64) -> Vec<f64> {
    numbers.map(|x| x * factor).collect()
}

/// The sum of some columns, each with its weight.
fn combined(columns: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; columns.first().map_or(0, Vec::len)];
    for (column, weight) in columns.iter().zip(weights) {
        sum.iter_mut().zip(column).for_each(|(sum, x)| *sum += weight * x);
    }
    sum
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
