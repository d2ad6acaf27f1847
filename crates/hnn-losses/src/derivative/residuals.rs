//! The residuals of the derivative loss.

use std::ops::Range;

use hnn_integrators::{At, DifferentiableField, Scalar};

use super::{DerivativeLoss, Scratch, counted, selected};
use crate::blocks::on_all_threads;
use crate::{ErrorMeasure, LossError, ResidualLayout, ResidualRows, Selection};

/// The samples of a layout.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    rows: Vec<usize>,
    /// Where the samples of each group end.
    ends: Vec<usize>,
    /// The coordinates that count: what has no weight is no residual.
    coordinates: Vec<usize>,
    layout: ResidualLayout,
}

impl Prepared {
    fn samples(&self, group: usize) -> &[usize] {
        let begin = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[begin..self.ends[group]]
    }
}

impl<T: Scalar, F: DifferentiableField<T>> DerivativeLoss<T, F> {
    /// A group is a block of samples, which are evaluated together.
    pub(super) fn prepare(
        &mut self,
        field: &F,
        selection: Selection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        if self.measure == ErrorMeasure::Absolute {
            return Err(LossError::NoResiduals { loss: "derivative".to_owned() });
        }
        super::check_field(field, self.rows.dim, self.rows.inputs)?;
        let count = selected(selection, self.rows.t.len())?;
        let Prepared { rows, ends, coordinates, layout } = &mut self.prepared;
        *coordinates = counted(&self.rows.weights);
        rows.clear();
        match selection {
            Selection::All => rows.extend(0..count),
            Selection::Rows(chosen) => rows.extend_from_slice(chosen),
        }
        let blocks = count.div_ceil((field.block_len() / self.rows.dim).max(1));
        ends.clear();
        ends.extend((1..=blocks).map(|block| block * count / blocks));
        *layout = ResidualLayout::default();
        let (term, mut begin) = (layout.add_term("derivative"), 0);
        for end in ends {
            layout.push_group([(term, (*end - begin) * coordinates.len())], 0);
            begin = *end;
        }
        Ok(layout.clone())
    }

    /// The residual of the `c`-th coordinate that counts, of sample `b` of the `B` of a group, is
    /// number `c * B + b`.
    pub(super) fn write(
        &mut self,
        field: &F,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        let Self { rows: data, measure, prepared, row_scratches, .. } = self;
        let params = field.num_params();
        prepared.layout.check(&groups, params, &rows)?;
        let scale = (1.0 / (prepared.rows.len() * data.dim) as f64).sqrt();
        let coordinates = &prepared.coordinates[..];
        let parts = prepared.layout.cut(params, rows, groups.map(|group| group..group + 1));
        let states = parts.into_iter().map(|(groups, rows)| (prepared.samples(groups.start), rows));
        on_all_threads(row_scratches, states.collect(), |(scratch, jacobian), (samples, rows)| {
            data.gather(samples.iter().copied(), scratch);
            let (lanes, values) = (samples.len(), rows.values);
            let Scratch { t, x, u, target, weights, f, workspace, .. } = scratch;
            let at = At { t, u };
            let weighted = |row: usize, f: T| {
                let place = coordinates[row / lanes] * lanes + row % lanes;
                let (error, of_row) = (f - target[place], weights[place]);
                let of_error = measure.of_weight(of_row).weight(error.to_f64());
                let weight = T::from_f64(scale * (of_row.to_f64() * of_error).sqrt());
                (weight * error, weight)
            };
            match rows.jacobian {
                Some(out) => {
                    out.by_theta.fill(T::ZERO);
                    jacobian.evaluate(field, coordinates, (at, x), out.by_theta, |row, f| {
                        let weight;
                        (values[row], weight) = weighted(row, f);
                        weight
                    })?;
                }
                None => {
                    field.eval(at, x, f, workspace)?;
                    for (row, value) in values.iter_mut().enumerate() {
                        let at = coordinates[row / lanes] * lanes + row % lanes;
                        *value = weighted(row, f[at]).0;
                    }
                }
            }
            Ok(())
        })
    }
}
