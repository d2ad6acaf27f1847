//! Standard errors from the scatter of groups of residuals.

use hnn_integrators::Scalar;
use ndarray::Array1;

use super::normal::Normal;
use super::rows::{Read, Rows};
use crate::TrainError;

/// `sqrt(diag(H^-1 (sum_g s_g s_g^T) H^-1))` with the scores `s_g = J^T r` of groups, of equations that
/// have been read. Locals are at their best, where their scores are 0.
pub(super) fn errors<T: Scalar>(
    mut normal: Normal,
    rows: &mut Rows<'_, T>,
    mean: &[f64],
) -> Result<Array1<f64>, TrainError> {
    let (groups, params) = (rows.layout.total_groups(), mean.len());
    if groups <= params {
        return Err(TrainError::FewGroups { groups, parameters: params });
    }
    if !normal.factor_undamped(rows.weights.prior, mean) {
        let (parameters, residuals) = (params + rows.layout.num_locals(), rows.layout.total());
        return Err(TrainError::Undetermined { parameters, residuals });
    }
    let (layout, mut squares) = (rows.layout, vec![0.0; params]);
    let mut score = vec![0.0; params];
    rows.each(Read::SameRows, &mut |block| {
        for group in block.groups.clone() {
            score.fill(0.0);
            let residuals = layout.residuals(group);
            for row in
                residuals.start - block.residuals.start..residuals.end - block.residuals.start
            {
                let (r, by_theta) = (block.values[row].to_f64(), &block.by_theta[row * params..]);
                score.iter_mut().zip(by_theta).for_each(|(s, j)| *s += r * j.to_f64());
            }
            normal.factor.forward(&mut score);
            normal.factor.backward(&mut score);
            squares.iter_mut().zip(&score).for_each(|(sum, s)| *sum += s * s);
        }
    })
    .map_err(|source| TrainError::Loss { step: 0, source })?;
    rows.add_up(&mut squares);
    let correction = groups as f64 / (groups - params) as f64;
    Ok(squares.into_iter().map(|square| (correction * square).sqrt()).collect())
}
