//! The linearised residuals, whatever form their equations have.

use super::settings::Scaling;

/// What multiplies the squares: `E = sum_k w_k |r_k|^2 + prior |theta|^2`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    pub(super) prior: f64,
    /// One a term, or none where all are 1.
    pub(super) of_terms: Vec<f64>,
}

impl Weights {
    /// Those of the loss itself.
    pub(super) fn plain(prior: f64) -> Self {
        Self { prior, of_terms: Vec::new() }
    }

    pub(super) fn of_term(&self, term: usize) -> f64 {
        self.of_terms.get(term).copied().unwrap_or(1.0)
    }
}

/// `|x|^2`.
pub(super) fn square(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum()
}

/// At a point; parameters first, then locals.
#[derive(Debug, Default)]
pub(super) struct Linear {
    /// Half the gradient of `E`: `J^T r + prior theta`.
    pub(super) gradient: Vec<f64>,
    /// The diagonal of `H = J^T J + prior`.
    pub(super) diagonal: Vec<f64>,
    /// `D`, of the damping.
    pub(super) scale: Vec<f64>,
}

impl Linear {
    /// Begins anew: all but the scale is 0.
    pub(super) fn resize(&mut self, num_params: usize, num_locals: usize) {
        self.gradient.clear();
        self.diagonal.clear();
        for numbers in [&mut self.gradient, &mut self.diagonal, &mut self.scale] {
            numbers.resize(num_params + num_locals, 0.0);
        }
    }

    /// Adds the prior to what the rows gave.
    pub(super) fn add_prior(&mut self, prior: f64, theta: &[f64]) {
        for (i, w) in theta.iter().enumerate() {
            self.gradient[i] += prior * w;
            self.diagonal[i] += prior;
        }
    }

    /// Takes the diagonal into the scale.
    pub(super) fn rescale(&mut self, scaling: Scaling) {
        match scaling {
            Scaling::Identity => self.scale.fill(1.0),
            Scaling::Diagonal => {
                // Something of which nothing is known yet is held as the best known one is.
                let most = self.diagonal.iter().copied().fold(0.0, f64::max);
                for (scale, diagonal) in self.scale.iter_mut().zip(&self.diagonal) {
                    *scale = scale.max(*diagonal);
                    if *scale == 0.0 {
                        *scale = f64::EPSILON * most;
                    }
                }
            }
        }
    }

    /// The largest `H_jj / D_jj`: the unit of the damping.
    pub(super) fn unit(&self) -> f64 {
        let ratios = self.diagonal.iter().zip(&self.scale).map(|(h, d)| h / d);
        ratios.filter(|ratio| ratio.is_finite()).fold(f64::MIN_POSITIVE, f64::max)
    }

    /// The largest `|g_j| / sqrt(H_jj E)`.
    pub(super) fn cosine(&self, objective: f64) -> f64 {
        let pairs = self.gradient.iter().zip(&self.diagonal);
        let largest =
            pairs.filter(|(g, _)| **g != 0.0).map(|(g, h)| g.abs() / h.sqrt()).fold(0.0, f64::max);
        if objective > 0.0 { largest / objective.sqrt() } else { 0.0 }
    }

    /// What the linearised residuals promise of a step that solves
    /// `(H + lambda D) s = -g`: `lambda s^T D s - g^T s`.
    pub(super) fn promise(&self, lambda: f64, step: &[f64]) -> f64 {
        let terms = step.iter().zip(&self.gradient).zip(&self.scale);
        terms.map(|((s, g), d)| lambda * d * s * s - g * s).sum()
    }
}

/// The equations of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Damped<'a> {
    pub(super) prior: f64,
    pub(super) theta: &'a [f64],
    pub(super) linear: &'a Linear,
    pub(super) lambda: f64,
}

impl Damped<'_> {
    /// What is added to a place of the diagonal.
    pub(super) fn of(&self, place: usize) -> f64 {
        self.lambda * self.linear.scale[place]
    }
}
