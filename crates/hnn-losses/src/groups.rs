//! The residuals of samples: those that are evaluated together make a group.

use hnn_integrators::Scalar;

use crate::checks::selected;
use crate::{LossError, ResidualLayout, RowSelection};

/// The samples of a layout, in blocks of about the same size.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    rows: Vec<usize>,
    /// Where the samples of each group end.
    ends: Vec<usize>,
    /// The numbers of a sample that count: what has no weight is no residual.
    pub(crate) columns: Vec<usize>,
    pub(crate) layout: ResidualLayout,
}

impl Groups {
    /// Groups of at most about `block_len` residuals each of one term, for samples whose errors have
    /// weights.
    pub(crate) fn new<T: Scalar>(
        term: &str,
        (selection, samples): (RowSelection<'_>, usize),
        weights: &[T],
        block_len: usize,
    ) -> Result<Self, LossError> {
        let count = selected(selection, samples)?;
        let rows: Vec<usize> = match selection {
            RowSelection::All => (0..count).collect(),
            RowSelection::Rows(chosen) => chosen.to_vec(),
        };
        let columns = counted(weights);
        let blocks = count.div_ceil((block_len / columns.len().max(1)).max(1));
        let ends: Vec<usize> = (1..=blocks).map(|block| block * count / blocks).collect();
        let (mut layout, mut begin) = (ResidualLayout::default(), 0);
        let term = layout.add_term(term);
        for end in &ends {
            layout.push_group([(term, (end - begin) * columns.len())], 0);
            begin = *end;
        }
        Ok(Self { rows, ends, columns, layout })
    }

    /// Number of samples.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The samples of a group.
    pub(crate) fn samples(&self, group: usize) -> &[usize] {
        let begin = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[begin..self.ends[group]]
    }
}

/// The coordinates that have a weight.
pub(crate) fn counted<T: Scalar>(weights: &[T]) -> Vec<usize> {
    (0..weights.len()).filter(|i| weights[*i] > T::ZERO).collect()
}
