//! Singular values by one-sided Jacobi rotations.
//!
//! Small values come out as accurately as large ones (Demmel and Veselic 1992), and it is little code to
//! compile.

/// More sweeps than any matrix needs.
const MOST_SWEEPS: usize = 40;

/// The singular values of a matrix given by its columns, the largest first, each with its right singular
/// vector: as many as there are columns, or rows where these are fewer.
pub(super) fn singular(mut columns: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
    let largest = columns.iter().flatten().fold(0.0, |most, x| f64::max(most, x.abs()));
    let (scale, count) = (if largest > 0.0 { largest } else { 1.0 }, columns.len());
    columns.iter_mut().flatten().for_each(|x| *x /= scale);
    let rows = columns.first().map_or(0, Vec::len);
    make_triangular(&mut columns);
    let mut vectors = Vec::from_iter((0..count).map(|k| unit(count, k)));
    make_orthogonal(&mut columns, &mut vectors);
    let sizes = columns.iter().map(|column| scale * dot(column, column).sqrt());
    let mut all = Vec::from_iter(sizes.zip(vectors));
    // By insertion: the library's sort is more code than all the rest.
    for end in 1..count {
        let mut k = end;
        while k > 0 && all[k - 1].0 < all[k].0 {
            all.swap(k - 1, k);
            k -= 1;
        }
    }
    all.truncate(rows);
    all
}

fn unit(count: usize, k: usize) -> Vec<f64> {
    let mut vector = vec![0.0; count];
    vector[k] = 1.0;
    vector
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Puts the triangle of the QR decomposition in a tall matrix's place, by Householder's reflections.
fn make_triangular(columns: &mut [Vec<f64>]) {
    let (count, rows) = (columns.len(), columns.first().map_or(0, Vec::len));
    for k in 0..count.min(rows) {
        let (done, rest) = columns.split_at_mut(k + 1);
        let normal = &mut done[k][k..];
        let size = dot(normal, normal).sqrt();
        let end = if normal[0] > 0.0 { -size } else { size };
        normal[0] -= end;
        // Half of the normal's square.
        let half = -end * normal[0];
        if half > 0.0 {
            for column in rest {
                let factor = dot(normal, &column[k..]) / half;
                column[k..].iter_mut().zip(&*normal).for_each(|(x, n)| *x -= factor * n);
            }
        }
        normal.fill(0.0);
        normal[0] = end;
    }
    columns.iter_mut().for_each(|column| column.truncate(count));
}

/// Rotates pairs of columns, and the vectors with them, until all are at right angles.
fn make_orthogonal(columns: &mut [Vec<f64>], vectors: &mut [Vec<f64>]) {
    for _ in 0..MOST_SWEEPS {
        let mut rotated = false;
        for q in 1..columns.len() {
            for p in 0..q {
                let (a, b) = (dot(&columns[p], &columns[p]), dot(&columns[q], &columns[q]));
                let c = dot(&columns[p], &columns[q]);
                if c.abs() > f64::EPSILON * (a * b).sqrt() {
                    let turn = tangent(a, b, c);
                    rotate(columns, p, q, turn);
                    rotate(vectors, p, q, turn);
                    rotated = true;
                }
            }
        }
        if !rotated {
            return;
        }
    }
}

/// Tangent of the smaller angle that puts two columns at right angles, from their squares and their product.
fn tangent(a: f64, b: f64, c: f64) -> f64 {
    let cotangent = (b - a) / (2.0 * c);
    1.0_f64.copysign(cotangent) / (cotangent.abs() + cotangent.hypot(1.0))
}

fn rotate(columns: &mut [Vec<f64>], p: usize, q: usize, tangent: f64) {
    let cos = 1.0 / tangent.hypot(1.0);
    let (first, second) = columns.split_at_mut(q);
    for (x, y) in first[p].iter_mut().zip(&mut second[0]) {
        let old = *x;
        *x = cos * (old - tangent * *y);
        *y = cos * (*y + tangent * old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `A v = s u`: the products have the values as sizes, and are at right angles, as the vectors are.
    fn decomposes(columns: &[Vec<f64>], expected: &[f64]) {
        let all = singular(columns.to_vec());
        let values = Vec::from_iter(all.iter().map(|(value, _)| *value));
        let largest = expected.iter().copied().fold(1e-300, f64::max);
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-14 * largest, "{values:?}");
        }
        let product = |v: &[f64]| {
            let row = |i: usize| columns.iter().zip(v).map(|(column, v)| column[i] * v).sum();
            Vec::<f64>::from_iter((0..columns[0].len()).map(row))
        };
        for (i, (value, v)) in all.iter().enumerate() {
            for (j, (_, w)) in all.iter().enumerate() {
                let (unit, square) = if i == j { (1.0, value * value) } else { (0.0, 0.0) };
                assert!((dot(v, w) - unit).abs() < 1e-14);
                let inner = dot(&product(v), &product(w));
                assert!((inner - square).abs() <= 1e-14 * largest * largest);
            }
        }
    }

    #[test]
    fn values_and_vectors_are_those_of_the_matrix() {
        // The golden ratio and its inverse.
        let golden = 0.5 * (1.0 + 5.0_f64.sqrt());
        decomposes(&[vec![1.0, 0.0], vec![1.0, 1.0]], &[golden, 1.0 / golden]);
        decomposes(&[vec![3.0, 0.0, 4.0], vec![0.0, 1e-9, 0.0]], &[5.0, 1e-9]);
        // Of rank 1, and wider than tall.
        decomposes(&[vec![1.0, 2.0], vec![2.0, 4.0]], &[5.0, 0.0]);
        decomposes(&[vec![3.0], vec![4.0], vec![0.0]], &[5.0]);
        decomposes(&[vec![0.0; 3], vec![0.0; 3]], &[0.0, 0.0]);
        decomposes(&[vec![1e140, 0.0], vec![0.0, 1e120]], &[1e140, 1e120]);
        assert_eq!(singular(vec![]), []);
    }
}
