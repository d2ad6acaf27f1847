//! What the coefficients of every Runge-Kutta method must satisfy, explicit or implicit.

use super::TableauError;

/// Sums of exact decimals and fractions are off by rounding only.
const TOLERANCE: f64 = 1e-12;

/// Also true where either is NaN.
pub(super) fn differ(a: f64, b: f64) -> bool {
    !((a - b).abs() <= TOLERANCE)
}

/// Checks coefficients of lengths that go together: nodes are row sums, weights sum to 1, and the
/// conditions of the stated order hold (up to order 4; Hairer, Norsett, Wanner I, table II.2.1).
/// Rows of explicit methods end before the diagonal.
pub(super) fn check(
    order: usize,
    rows: &[&[f64]],
    b: &[f64],
    c: &[f64],
) -> Result<(), TableauError> {
    for (row, (a, &node)) in rows.iter().zip(c).enumerate() {
        let sum: f64 = a.iter().sum();
        if differ(sum, node) {
            return Err(TableauError::RowSum { row, sum, node });
        }
    }
    let sum: f64 = b.iter().sum();
    if differ(sum, 1.0) {
        return Err(TableauError::WeightSum { sum });
    }
    let dot = |a: &[f64], v: &[f64]| -> f64 { a.iter().zip(v).map(|(a, v)| a * v).sum() };
    let times_a = |v: &[f64]| -> Vec<f64> { rows.iter().map(|row| dot(row, v)).collect() };
    let power = |power| -> Vec<f64> { c.iter().map(|c| c.powi(power)).collect() };
    let (c2, c3, ac) = (power(2), power(3), times_a(c));
    let (ac2, aac) = (times_a(&c2), times_a(&ac));
    let c_ac: Vec<f64> = c.iter().zip(&ac).map(|(c, ac)| c * ac).collect();
    for (needed, condition, stage_values, value) in [
        (2, "sum b c = 1/2", c, 1.0 / 2.0),
        (3, "sum b c^2 = 1/3", &c2, 1.0 / 3.0),
        (3, "sum b a c = 1/6", &ac, 1.0 / 6.0),
        (4, "sum b c^3 = 1/4", &c3, 1.0 / 4.0),
        (4, "sum b c a c = 1/8", &c_ac, 1.0 / 8.0),
        (4, "sum b a c^2 = 1/12", &ac2, 1.0 / 12.0),
        (4, "sum b a a c = 1/24", &aac, 1.0 / 24.0),
    ] {
        let residual = dot(b, stage_values) - value;
        if needed <= order && differ(residual, 0.0) {
            return Err(TableauError::Order { stated: order, condition, residual });
        }
    }
    Ok(())
}
