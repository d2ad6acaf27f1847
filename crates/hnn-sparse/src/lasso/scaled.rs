//! A regression in columns of root mean square 1, excluded ones left out.

use crate::{Gram, Penalty, SparseError, error::same_length};

/// `(1/2) u^T Q u - c^T u + lambda sum_a v_a (rho |u_a| + (1 - rho) / 2 u_a^2)`, where `u = s w`.
#[derive(Debug, Clone)]
pub(crate) struct Scaled {
    /// Which column of the regression each unknown is.
    pub(crate) columns: Vec<usize>,
    /// `s`: `w_j = u_a / s_a`.
    pub(crate) scales: Vec<f64>,
    /// L1 penalty of each unknown in units of lambda.
    pub(crate) weights: Vec<f64>,
    /// Ridge penalty of each unknown in units of lambda.
    ridge_weights: Vec<f64>,
    /// `Q`, row after row; diagonal 1.
    pub(crate) q: Vec<f64>,
    /// `c`.
    pub(crate) c: Vec<f64>,
    /// `|y|^2 / n`.
    pub(crate) target_square: f64,
    pub(crate) l1_share: f64,
}

/// Columns whose correlation misses 1 by less are the same.
const SAME: f64 = 4.0 * f64::EPSILON;

impl Scaled {
    pub(crate) fn new(gram: &Gram, penalty: &Penalty) -> Result<Self, SparseError> {
        if let Some(weights) = &penalty.weights {
            same_length("penalty weights, one a column", weights.len(), gram.columns())?;
        }
        let all_scales = gram.column_scales();
        let included = |&j: &usize| penalty.weight(j) < f64::INFINITY;
        let columns: Vec<usize> = (0..gram.columns()).filter(included).collect();
        if let Some(&column) = columns.iter().find(|&&j| all_scales[j] == 0.0) {
            let name = gram.names()[column].clone();
            return Err(SparseError::ZeroColumn { column, name });
        }
        let scales: Vec<f64> = columns.iter().map(|&j| all_scales[j]).collect();
        let n = gram.rows() as f64;
        let inverse: Vec<f64> = scales.iter().map(|s| 1.0 / s).collect();
        let mut q = Vec::with_capacity(columns.len() * columns.len());
        for (a, &i) in columns.iter().enumerate() {
            let factor = inverse[a] / n;
            let row = gram.matrix.row(i);
            q.extend(columns.iter().zip(&inverse).map(|(&j, inverse)| row[j] * inverse * factor));
            q[a * columns.len() + a] = 1.0;
        }
        let weight = |(&j, s): (&usize, &f64)| {
            if penalty.standardize { penalty.weight(j) } else { penalty.weight(j) / s }
        };
        let weights: Vec<f64> = columns.iter().zip(&scales).map(weight).collect();
        let ridge =
            |(weight, s): (&f64, &f64)| if penalty.standardize { *weight } else { weight / s };
        let scaled = Self {
            ridge_weights: weights.iter().zip(&scales).map(ridge).collect(),
            weights,
            c: columns.iter().zip(&scales).map(|(&j, s)| gram.target[j] / (s * n)).collect(),
            target_square: gram.target_square / n,
            l1_share: penalty.l1_share,
            columns,
            scales,
            q,
        };
        scaled.refuse_duplicates(gram)?;
        Ok(scaled)
    }

    /// Two equal columns have no unique coefficients.
    fn refuse_duplicates(&self, gram: &Gram) -> Result<(), SparseError> {
        for a in 0..self.len() {
            let same = |&b: &usize| self.row(a)[b].abs() >= 1.0 - SAME;
            let Some(b) = (a + 1..self.len()).find(same) else { continue };
            let (first, second) = (self.columns[a], self.columns[b]);
            return Err(SparseError::DuplicateColumns {
                first,
                first_name: gram.names()[first].clone(),
                second,
                second_name: gram.names()[second].clone(),
            });
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn row(&self, a: usize) -> &[f64] {
        &self.q[a * self.len()..][..self.len()]
    }

    /// Threshold of unknown `a`: the L1 part of its penalty.
    pub(crate) fn threshold(&self, lambda: f64, a: usize) -> f64 {
        lambda * self.l1_share * self.weights[a]
    }

    /// What the elastic net adds to the diagonal.
    pub(crate) fn ridge(&self, lambda: f64, a: usize) -> f64 {
        lambda * (1.0 - self.l1_share) * self.ridge_weights[a]
    }

    /// Coefficients of all the regression's columns.
    pub(crate) fn unscale(&self, u: &[f64], columns: usize) -> Vec<f64> {
        let mut w = vec![0.0; columns];
        for (a, &j) in self.columns.iter().enumerate() {
            w[j] = u[a] / self.scales[a];
        }
        w
    }
}
