//! The residuals of the derivative loss.

use std::ops::Range;

use hnn_integrators::{At, DifferentiableField, Scalar};

use super::{DerivativeLoss, selected};
use crate::blocks::on_all_threads;
use crate::{ErrorMeasure, LossError, ResidualLayout, ResidualRows, Selection};

/// The samples of a layout.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    rows: Vec<usize>,
    /// Where the samples of each group end.
    ends: Vec<usize>,
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
        super::check_field(field, self.rows.dim)?;
        let count = selected(selection, self.rows.t.len())?;
        let Prepared { rows, ends, layout } = &mut self.prepared;
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
            layout.push_group([(term, (*end - begin) * self.rows.dim)], 0);
            begin = *end;
        }
        Ok(layout.clone())
    }

    /// The residual of coordinate `i` of sample `b` of the `B` of a group is number `i * B + b`.
    pub(super) fn write(
        &mut self,
        field: &F,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        let Self { rows: data, measure, prepared, row_scratches, .. } = self;
        let params = field.num_params();
        prepared.layout.check(&groups, params, &rows)?;
        let scale = (1.0 / prepared.layout.len() as f64).sqrt();
        let parts = prepared.layout.cut(params, rows, groups.map(|group| group..group + 1));
        let states = parts.into_iter().map(|(groups, rows)| (prepared.samples(groups.start), rows));
        on_all_threads(row_scratches, states.collect(), |(scratch, jacobian), (samples, rows)| {
            data.gather(samples.iter().copied(), scratch);
            let (lanes, values) = (samples.len(), rows.values);
            let target = &scratch.target;
            let weighted = |k: usize, f: T| {
                let error = f - target[k];
                let of_coordinate = data.weights[k / lanes].to_f64();
                let of_error = measure.weight(error.to_f64());
                let weight = T::from_f64(scale * (of_coordinate * of_error).sqrt());
                (weight * error, weight)
            };
            match rows.jacobian {
                Some(out) => {
                    out.by_theta.fill(T::ZERO);
                    jacobian.evaluate(field, &scratch.t, &scratch.x, out.by_theta, |i, b, f| {
                        let weight;
                        (values[i * lanes + b], weight) = weighted(i * lanes + b, f);
                        weight
                    })?;
                }
                None => {
                    let at = At::time(&scratch.t);
                    field.eval(at, &scratch.x, values, &mut scratch.workspace)?;
                    values.iter_mut().enumerate().for_each(|(k, f)| *f = weighted(k, *f).0);
                }
            }
            Ok(())
        })
    }
}
