//! Sums of losses.

use std::fmt;
use std::ops::Range;

use hnn_integrators::Scalar;

use crate::loss::check_locals;
use crate::parts::Parts;
use crate::{Loss, LossError, ResidualLayout, ResidualRows, RowSelection, RowShare};

/// `L = sum of weight_i * L_i`, with each term's own value kept for the log; a term that is itself a
/// sum is logged as its terms.
///
/// `L_HNN + alpha L_traj + lambda |W|^2` is
/// `TotalLoss::new(hnn).plus(alpha, traj)?.plus(lambda, L2Penalty::new())?`.
///
/// ```
/// use hnn_integrators::DualField;
/// use hnn_losses::{DerivativeLoss, L2Penalty, Loss, RowSelection, TotalLoss};
/// use ndarray::array;
/// let model = DualField::new([3.0], |_t, [q, p]: [_; 2], [k]| [p, -k * q]);
/// let (x, dx) = (array![[1.0, 0.0]], array![[0.0, -1.0]]);
/// let derivative = DerivativeLoss::new(array![0.0].view(), x.view(), dx.view())?;
/// let mut loss = TotalLoss::new(derivative).plus(0.5, L2Penalty::new())?;
/// assert_eq!(loss.value(&model, RowSelection::All)?, 2.0 + 0.5 * 9.0);
/// assert_eq!(loss.terms(), [("derivative".to_owned(), 2.0), ("l2".to_owned(), 9.0)]);
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
pub struct TotalLoss<T, F: ?Sized> {
    terms: Vec<Term<T, F>>,
    parts: Parts,
}

struct Term<T, F: ?Sized> {
    weight: f64,
    loss: Box<dyn Loss<T, F>>,
    last: f64,
}

/// The weight and the name of each term.
impl<T: Scalar, F: ?Sized> fmt::Debug for TotalLoss<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.terms.iter().map(|term| (term.weight, term.loss.name()));
        f.debug_tuple("TotalLoss").field(&Vec::from_iter(terms)).finish()
    }
}

impl<T: Scalar, F: ?Sized> TotalLoss<T, F> {
    /// The sum of one term of weight 1.
    pub fn new(loss: impl Loss<T, F> + 'static) -> Self {
        let term = Term { weight: 1.0, loss: Box::new(loss) as Box<_>, last: 0.0 };
        Self { terms: vec![term], parts: Parts::default() }
    }

    /// The sum of no terms, to be added by [`plus`](Self::plus).
    #[must_use]
    pub fn empty() -> Self {
        Self { terms: Vec::new(), parts: Parts::default() }
    }

    /// The sum with one more term.
    ///
    /// # Errors
    /// If the weight is negative or not finite.
    pub fn plus(mut self, weight: f64, loss: impl Loss<T, F> + 'static) -> Result<Self, LossError> {
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(LossError::Weight { what: "loss term", weight });
        }
        self.terms.push(Term { weight, loss: Box::new(loss), last: 0.0 });
        Ok(self)
    }
}

impl<T: Scalar, F: ?Sized> Loss<T, F> for TotalLoss<T, F> {
    fn name(&self) -> &str {
        "total"
    }

    fn value(&mut self, field: &F, selection: RowSelection<'_>) -> Result<f64, LossError> {
        self.terms.iter_mut().try_fold(0.0, |sum, term| {
            term.last = term.loss.value(field, selection)?;
            Ok(sum + term.weight * term.last)
        })
    }

    fn value_and_gradient(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
        weight: f64,
        theta_bar: &mut [T],
    ) -> Result<f64, LossError> {
        self.terms.iter_mut().try_fold(0.0, |sum, term| {
            let weight = weight * term.weight;
            term.last = term.loss.value_and_gradient(field, selection, weight, theta_bar)?;
            Ok(sum + term.weight * term.last)
        })
    }

    fn residual_layout(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        let mut parts = Parts::default();
        if self.row_share().is_some() {
            // The rows of the others would count once on each rank.
            return Err(LossError::NotShared { loss: "total".to_owned() });
        }
        for Term { weight, loss, .. } in &mut self.terms {
            parts.push(loss.residual_layout(field, selection)?, *weight);
        }
        self.parts = parts;
        Ok(self.parts.layout().clone())
    }

    fn residuals(
        &mut self,
        field: &F,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        let Self { terms, parts } = self;
        parts.write(groups, rows, |term, groups, rows| {
            terms[term].loss.residuals(field, groups, rows)
        })
    }

    fn copy_locals(&self, out: &mut [T]) -> Result<(), LossError> {
        check_locals(out.len(), self.parts.layout().num_locals())?;
        let mut terms = self.terms.iter().zip(self.parts.locals());
        terms.try_for_each(|(term, own)| term.loss.copy_locals(&mut out[own]))
    }

    fn set_locals(&mut self, locals: &[T]) -> Result<(), LossError> {
        check_locals(locals.len(), self.parts.layout().num_locals())?;
        let mut terms = self.terms.iter_mut().zip(self.parts.locals());
        terms.try_for_each(|(term, own)| term.loss.set_locals(&locals[own]))
    }

    fn begin_step(&mut self, step: usize, steps: usize) -> Result<(), LossError> {
        self.terms.iter_mut().try_for_each(|term| term.loss.begin_step(step, steps))
    }

    fn save_state(&self, state: &mut Vec<f64>) {
        self.terms.iter().for_each(|term| term.loss.save_state(state));
    }

    fn restore_state(&mut self, state: &mut &[f64]) -> Result<(), LossError> {
        self.terms.iter_mut().try_for_each(|term| term.loss.restore_state(state))
    }

    fn num_rows(&self) -> Option<usize> {
        let mut counts = self.terms.iter().filter_map(|term| term.loss.num_rows());
        let first = counts.next()?;
        counts.all(|count| count == first).then_some(first)
    }

    fn row_sums(&self, selection: RowSelection<'_>, sums: &mut Vec<f64>) -> Result<(), LossError> {
        let has_state = |term: &&Term<T, F>| {
            let mut state = Vec::new();
            term.loss.save_state(&mut state);
            !state.is_empty()
        };
        let terms = self.terms.iter().filter(has_state).count();
        if terms > 1 {
            return Err(LossError::StatesOfRanks { terms });
        }
        self.terms.iter().try_for_each(|term| term.loss.row_sums(selection, sums))
    }

    fn set_row_sums(&mut self, sums: &mut &[f64]) -> Result<(), LossError> {
        self.terms.iter_mut().try_for_each(|term| term.loss.set_row_sums(sums))
    }

    fn row_share(&self) -> Option<&RowShare> {
        self.terms.iter().find_map(|term| term.loss.row_share())
    }

    fn constant_values(&self) -> Vec<(String, f64)> {
        self.terms.iter().flat_map(|term| term.loss.constant_values()).collect()
    }

    fn noise_values(&self) -> Vec<(String, f64)> {
        self.terms.iter().flat_map(|term| term.loss.noise_values()).collect()
    }

    fn terms(&self) -> Vec<(String, f64)> {
        let named = |term: &Term<T, F>| {
            let own = term.loss.terms();
            if own.is_empty() { vec![(term.loss.name().to_owned(), term.last)] } else { own }
        };
        self.terms.iter().flat_map(named).collect()
    }
}
