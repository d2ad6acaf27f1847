//! What the data can tell, before anything is fitted.

use std::fmt;

use nalgebra::DMatrix;

use crate::linalg::Triangle;
use crate::unknowns::Unknowns;
use crate::{Equations, SparseError};

/// What equations can and cannot tell about their unknowns.
///
/// ```
/// use hnn_sparse::{Ansatz, Diagnosis, Library, Samples};
/// use ndarray::Array2;
/// // One orbit of a harmonic oscillator: H and every function of H have the same level sets.
/// let x = Array2::from_shape_fn((50, 2), |(k, i)| {
///     let t = 0.1 * k as f64;
///     if i == 0 { t.cos() } else { -t.sin() }
/// });
/// let dx = Array2::from_shape_fn((50, 2), |(k, i)| if i == 0 { x[[k, 1]] } else { -x[[k, 0]] });
/// let ansatz = Ansatz::new(&Library::monomials(1, 2..=4)?)?;
/// let diagnosis = Diagnosis::new(&Samples::new(x, dx)?.equations(&ansatz)?)?;
/// assert!(diagnosis.condition > 1e14);
/// // H^2 - 2 E H, up to a factor.
/// assert_eq!(diagnosis.free.len(), 1);
/// assert_eq!(diagnosis.free[0].to_string(), "q^2 + p^2 - 0.5 q^4 - q^2 p^2 - 0.5 p^4");
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Diagnosis {
    /// Number of equations.
    pub rows: usize,
    /// Largest over smallest singular value of the equations, columns scaled to the same norm,
    /// zero columns left out.
    pub condition: f64,
    /// Columns that are 0 in every row.
    pub zero: Vec<String>,
    /// Pairs of columns that are the same up to a factor.
    pub duplicates: Vec<(String, String)>,
    /// Combinations that may be added to the formula without changing any equation.
    pub free: Vec<Combination>,
    /// Combinations that the equations feel less than a part in 10^6, or less than three times the
    /// noise that no combination explains.
    pub nearly_free: Vec<Combination>,
}

/// A linear combination of columns.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Combination {
    /// Column, its name and its number.
    pub terms: Vec<(usize, String, f64)>,
    /// The part of the data that feels it: its singular value over the largest.
    pub visibility: f64,
}

impl fmt::Display for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let round = |number: f64| (number * 1e4).round() / 1e4;
        let terms = self.terms.iter().map(|(_, name, number)| (round(*number), name.clone()));
        f.write_str(&crate::expression::signed_sum(crate::expression::Syntax::Text, terms))
    }
}

/// Singular values below this share of the largest are rounding.
const FREE: f64 = 1e-13;
/// Below this share a combination is hard to tell,
const NEARLY_FREE: f64 = 1e-6;
/// and below this many times the noise; but not above this share.
const IN_NOISE: (f64, f64) = (3.0, 0.1);
/// Columns whose correlation misses 1 by less are the same.
const SAME: f64 = 1e-12;
/// Shares of a combination below this are rounding.
const NEGLIGIBLE: f64 = 1e-4;

impl Diagnosis {
    /// Of these equations.
    ///
    /// # Errors
    /// If a number is not finite.
    pub fn new<A: Unknowns>(equations: &Equations<A>) -> Result<Self, SparseError> {
        Ok(Self::of_triangle(&Triangle::of(equations)?, equations))
    }

    pub(crate) fn of_triangle<A: Unknowns>(triangle: &Triangle, equations: &Equations<A>) -> Self {
        let names = equations.names();
        let norms: Vec<f64> =
            (0..triangle.columns()).map(|j| triangle.column_square(j).sqrt()).collect();
        let used: Vec<usize> = (0..names.len()).filter(|&j| norms[j] > 0.0).collect();
        let r = triangle.standardised();
        let matrix = DMatrix::from_fn(names.len(), used.len(), |i, k| r[[i, used[k]]]);
        let mut duplicates = vec![];
        for (a, &j) in used.iter().enumerate() {
            for (b, &k) in used.iter().enumerate().skip(a + 1) {
                if matrix.column(a).dot(&matrix.column(b)).abs() >= 1.0 - SAME {
                    duplicates.push((names[j].clone(), names[k].clone()));
                }
            }
        }
        let zero =
            (0..names.len()).filter(|&j| norms[j] == 0.0).map(|j| names[j].clone()).collect();
        if used.is_empty() {
            let (condition, rows) = (f64::INFINITY, equations.rows());
            let (free, nearly_free) = (vec![], vec![]);
            return Self { rows, condition, zero, duplicates, free, nearly_free };
        }
        let svd = matrix.svd(false, true);
        let largest = svd.singular_values.max();
        let smallest = svd.singular_values.min();
        let basis_below = |low: f64, high: f64| -> Vec<(f64, Vec<f64>)> {
            let Some(v_t) = &svd.v_t else { return vec![] };
            let shares = svd.singular_values.iter().map(|s| s / largest).enumerate();
            let chosen = shares.filter(|(_, share)| *share >= low && *share < high);
            chosen.map(|(k, share)| (share, v_t.row(k).iter().copied().collect())).collect()
        };
        let name =
            |(visibility, v): (f64, Vec<f64>)| combination(visibility, &v, &used, &norms, names);
        let freedom = triangle.rows().saturating_sub(used.len()).max(1) as f64;
        let mean_target = triangle.target_square() / triangle.rows().max(1) as f64;
        let square = triangle.rest() / freedom;
        let noise = if square > 0.0 { (square / mean_target).sqrt() } else { 0.0 };
        let hidden = (IN_NOISE.0 * noise).min(IN_NOISE.1).max(NEARLY_FREE);
        let free = sparsest(basis_below(0.0, FREE));
        Self {
            rows: equations.rows(),
            condition: largest / smallest,
            zero,
            duplicates,
            free: free.into_iter().map(name).collect(),
            nearly_free: basis_below(FREE, hidden).into_iter().map(name).collect(),
        }
    }

    /// Clear sentences about what cannot be told of a formula with these columns.
    pub(crate) fn warnings_for(&self, energy: &str, support: &[usize]) -> Vec<String> {
        let touches = |c: &&Combination| c.terms.iter().any(|(j, ..)| support.contains(j));
        let sentence = |c: &Combination| {
            format!(
                "the data cannot identify {energy}: c ({c}) can be added for any number c without changing \
                 an equation; add trajectories of other energies, or forbid terms"
            )
        };
        self.free.iter().filter(touches).map(sentence).collect()
    }
}

/// A basis of the same space with as many zeros as elimination gives (reduced echelon form with
/// the largest pivots).
fn sparsest(mut basis: Vec<(f64, Vec<f64>)>) -> Vec<(f64, Vec<f64>)> {
    let mut used = vec![];
    for row in 0..basis.len() {
        let size = |j: &usize| basis[row].1[*j].abs();
        let columns = (0..basis[row].1.len()).filter(|j| !used.contains(j));
        let Some(pivot) = columns.max_by(|a, b| size(a).total_cmp(&size(b))) else { break };
        used.push(pivot);
        let source = basis[row].1.clone();
        for (other, (_, vector)) in basis.iter_mut().enumerate() {
            let factor = vector[pivot] / source[pivot];
            if other != row {
                vector.iter_mut().zip(&source).for_each(|(v, s)| *v -= factor * s);
            }
        }
    }
    basis
}

/// In units of the features, the largest number 1.
fn combination(
    visibility: f64,
    v: &[f64],
    used: &[usize],
    norms: &[f64],
    names: &[String],
) -> Combination {
    let largest = v.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    let significant = (0..v.len()).filter(|&k| v[k].abs() > NEGLIGIBLE * largest);
    let numbers: Vec<(usize, f64)> =
        significant.map(|k| (used[k], v[k] / norms[used[k]])).collect();
    let unit = numbers
        .iter()
        .fold(0.0_f64, |a, (_, b)| if b.abs() > a.abs() * (1.0 + 1e-9) { *b } else { a });
    let term = |(j, number): (usize, f64)| (j, names[j].clone(), number / unit);
    Combination { terms: numbers.into_iter().map(term).collect(), visibility }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} equations, condition number {:.2e}", self.rows, self.condition)?;
        for name in &self.zero {
            write!(f, "\n  {name} is zero in every row: its coefficient is free")?;
        }
        for (first, second) in &self.duplicates {
            write!(f, "\n  {first} and {second} are the same up to a factor")?;
        }
        for combination in &self.free {
            write!(f, "\n  no equation feels {combination}")?;
        }
        for combination in &self.nearly_free {
            let visibility = combination.visibility;
            write!(f, "\n  the equations hardly feel ({visibility:.1e}) {combination}")?;
        }
        Ok(())
    }
}
