//! A loss whose rows are shared out among ranks.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use hnn_integrators::Scalar;

use crate::{Loss, LossError, Ranks, ResidualLayout, ResidualRows, RowSelection, RowShare};

/// The loss of the rows of all [ranks](Ranks), on each of which there is a share of them: the value, the
/// gradient and the terms of the whole, the same on every rank.
///
/// Rows are counted rank after rank, so that a batch of rows, drawn with one seed on all ranks, is the
/// batch of the whole. Residuals are a rank's own; whoever makes sums of them
/// ([`LeastSquares`](https://docs.rs/hnn-train) does) adds these up by [`row_share`](Loss::row_share).
/// Where the loss fails on one rank, all of them get the same error, with the rank and its rows.
///
/// Made of a loss of this rank's rows: one of this crate, or a [`TotalLoss`](crate::TotalLoss) of such with
/// its penalties. `L = sum_r S_r / d`, where `S_r` is the sum over the rows of rank `r`, and the divisor
/// `d` is of the rows of all.
///
/// ```
/// use hnn_integrators::DualField;
/// use hnn_losses::{DerivativeLoss, Distributed, Loss, LossError, RowSelection, on_threads};
/// use ndarray::{array, s};
///
/// let model = DualField::new([2.0], |_t, [x]: [_; 1], [k]| [-k * x]);
/// let (t, x, dx) = (array![0.0, 1.0], array![[1.0], [2.0]], array![[-1.0], [-2.0]]);
/// // With MPI: `mpi::run(|ranks| ...)`.
/// let values = on_threads(2, |ranks| -> Result<f64, LossError> {
///     // The row that this rank has read.
///     let k = ranks.rank()..ranks.rank() + 1;
///     let rows = s![k.clone(), ..];
///     let own = DerivativeLoss::new(t.slice(s![k]), x.slice(rows.clone()), dx.slice(rows))?;
///     Distributed::new(own, ranks).value(&model, RowSelection::All)
/// });
/// assert_eq!(values, [Ok(2.5), Ok(2.5)]); // (1 + 4) / 2
/// ```
pub struct Distributed<T, F: ?Sized> {
    loss: Box<dyn Loss<T, F>>,
    share: RowShare,
    /// The selected rows that are here, as the loss counts them.
    selected: Vec<usize>,
    /// The terms at the last evaluation.
    terms: Vec<(String, f64)>,
    numbers: Vec<f64>,
    theta_bar: Vec<T>,
}

impl<T: Scalar, F: ?Sized> fmt::Debug for Distributed<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Distributed")
            .field("loss", &self.loss.name())
            .field("share", &self.share)
            .finish_non_exhaustive()
    }
}

impl<T: Scalar, F: ?Sized> Distributed<T, F> {
    /// Of the loss of this rank's rows. All ranks call this together.
    pub fn new(loss: impl Loss<T, F> + 'static, ranks: &Arc<dyn Ranks>) -> Self {
        let share = RowShare::new(Arc::clone(ranks), loss.num_rows().unwrap_or(0));
        let terms = loss.terms();
        let (selected, numbers, theta_bar) = (Vec::new(), Vec::new(), Vec::new());
        Self { loss: Box::new(loss), share, selected, terms, numbers, theta_bar }
    }

    /// Number of rows of all ranks, from which batches are drawn.
    #[must_use]
    pub fn total_rows(&self) -> usize {
        self.share.total()
    }

    /// Finds the rows of a selection that are here, and tells the loss the sums over those of all ranks.
    fn select(&mut self, selection: RowSelection<'_>) -> Result<(), LossError> {
        let Self { loss, share, selected, numbers, .. } = self;
        if let RowSelection::Rows(rows) = selection {
            if let Some(row) = rows.iter().find(|row| **row >= share.total()) {
                return Err(LossError::NoSuchRow { row: *row, rows: share.total() });
            }
            let Range { start, end } = share.rows();
            selected.clear();
            selected.extend(rows.iter().filter(|row| (start..end).contains(row)));
            selected.iter_mut().for_each(|row| *row -= start);
        }
        numbers.clear();
        let sums = loss.row_sums(own(selection, selected), numbers);
        share.agree(sums)?;
        share.add_up(Ok::<_, LossError>(()), numbers)?;
        share.agree(loss.set_row_sums(&mut &numbers[..]))
    }

    /// Evaluates the loss on the selected rows that are here, and adds up over the ranks.
    fn evaluate(
        &mut self,
        selection: RowSelection<'_>,
        evaluate: impl FnOnce(&mut dyn Loss<T, F>, RowSelection<'_>, &mut [T]) -> Result<f64, LossError>,
    ) -> Result<f64, LossError> {
        self.select(selection)?;
        let Self { loss, share, selected, terms, numbers, theta_bar } = self;
        let own = own(selection, selected);
        let value = evaluate(&mut **loss, own, theta_bar);
        numbers.clear();
        numbers.push(*value.as_ref().unwrap_or(&0.0));
        let of_terms = loss.terms();
        numbers.extend(of_terms.iter().map(|(_, value)| *value));
        numbers.extend(theta_bar.iter().map(|g| g.to_f64()));
        share.add_up(value.map(|_| ()), numbers)?;
        *terms = of_terms;
        terms.iter_mut().zip(&numbers[1..]).for_each(|((_, value), sum)| *value = *sum);
        Ok(numbers[0])
    }

    /// The values of all ranks, term by term.
    fn added_up(&self, mut values: Vec<(String, f64)>) -> Vec<(String, f64)> {
        let mut numbers: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        self.share.ranks().add_up(&mut numbers);
        values.iter_mut().zip(numbers).for_each(|((_, value), sum)| *value = sum);
        values
    }
}

impl<T: Scalar, F: ?Sized> Loss<T, F> for Distributed<T, F> {
    fn name(&self) -> &str {
        self.loss.name()
    }

    fn value(&mut self, field: &F, selection: RowSelection<'_>) -> Result<f64, LossError> {
        self.theta_bar.clear();
        self.evaluate(selection, |loss, own, _| loss.value(field, own))
    }

    fn value_and_gradient(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
        weight: f64,
        theta_bar: &mut [T],
    ) -> Result<f64, LossError> {
        self.theta_bar.clear();
        self.theta_bar.resize(theta_bar.len(), T::ZERO);
        let value = self.evaluate(selection, |loss, own, theta_bar| {
            loss.value_and_gradient(field, own, weight, theta_bar)
        })?;
        let gradient = &self.numbers[1 + self.terms.len()..];
        theta_bar.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += T::from_f64(*g));
        Ok(value)
    }

    /// The residuals that are here, with the numbers of those that are elsewhere.
    fn residual_layout(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        self.select(selection)?;
        let Self { loss, share, selected, numbers, .. } = self;
        let layout = loss.residual_layout(field, own(selection, selected)).and_then(|layout| {
            let has_locals = layout.num_locals() > 0;
            let error = LossError::LocalsOfRanks { loss: loss.name().to_owned() };
            if has_locals { Err(error) } else { Ok(layout) }
        });
        share.agree(layout.as_ref().map(|_| ()))?;
        let mut layout = layout?;
        numbers.clear();
        layout.copy_counts(numbers);
        share.add_up(Ok::<_, LossError>(()), numbers)?;
        layout.set_counts(numbers);
        Ok(layout)
    }

    fn residuals(
        &mut self,
        field: &F,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        self.loss.residuals(field, groups, rows)
    }

    fn begin_step(&mut self, step: usize, steps: usize) -> Result<(), LossError> {
        self.share.agree(self.loss.begin_step(step, steps))
    }

    /// The states of all ranks, in their order: what one process with all rows would save.
    fn save_state(&self, state: &mut Vec<f64>) {
        let mut own = Vec::new();
        self.loss.save_state(&mut own);
        let bytes: Vec<u8> = own.iter().flat_map(|number| number.to_le_bytes()).collect();
        for bytes in self.share.ranks().gather(&bytes) {
            state.extend(bytes.as_chunks().0.iter().map(|number| f64::from_le_bytes(*number)));
        }
    }

    fn restore_state(&mut self, state: &mut &[f64]) -> Result<(), LossError> {
        let mut own = Vec::new();
        self.loss.save_state(&mut own);
        let lengths = RowShare::new(self.share.shared_ranks(), own.len());
        let Some(all) = state.split_off(..lengths.total()) else {
            return Err(LossError::Shape {
                what: "saved state of all ranks",
                given: vec![state.len()],
                expected: vec![lengths.total()],
                hint: "the numbers that the losses of all ranks save",
            });
        };
        self.share.agree(self.loss.restore_state(&mut &all[lengths.rows()]))
    }

    fn terms(&self) -> Vec<(String, f64)> {
        self.terms.clone()
    }

    fn constant_values(&self) -> Vec<(String, f64)> {
        self.added_up(self.loss.constant_values())
    }

    fn noise_values(&self) -> Vec<(String, f64)> {
        self.added_up(self.loss.noise_values())
    }

    fn num_rows(&self) -> Option<usize> {
        Some(self.share.total())
    }

    fn row_share(&self) -> Option<&RowShare> {
        Some(&self.share)
    }
}

/// A rank's part of a selection.
fn own<'a>(selection: RowSelection<'_>, selected: &'a [usize]) -> RowSelection<'a> {
    match selection {
        RowSelection::All => RowSelection::All,
        RowSelection::Rows(_) => RowSelection::Rows(selected),
    }
}
