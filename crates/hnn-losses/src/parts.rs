//! Losses whose residuals stand one behind the other.

use std::ops::Range;

use hnn_integrators::Scalar;

use crate::{LossError, ResidualLayout, ResidualRows};

/// The layout of a sum of losses.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    layout: ResidualLayout,
    /// The groups and the weight of each part.
    parts: Vec<(Range<usize>, f64)>,
}

impl Parts {
    /// Appends a loss's layout; the loss has a weight.
    pub(crate) fn push(&mut self, layout: ResidualLayout, weight: f64) {
        let begin = self.layout.num_groups();
        self.layout.append(layout, weight);
        self.parts.push((begin..self.layout.num_groups(), weight));
    }

    /// The layout of all.
    pub(crate) fn layout(&self) -> &ResidualLayout {
        &self.layout
    }

    /// Has each part write its share of some groups: `write(part, groups, rows)`, with the groups
    /// as the part counts them. What it wrote is multiplied by the root of its weight.
    pub(crate) fn write<T: Scalar>(
        &self,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
        mut write: impl FnMut(usize, Range<usize>, ResidualRows<'_, T>) -> Result<(), LossError>,
    ) -> Result<(), LossError> {
        let params = rows.num_params();
        self.layout.check(&groups, params, &rows)?;
        let share = |(part, _): &(Range<usize>, f64)| {
            let start = part.start.clamp(groups.start, groups.end);
            start..part.end.clamp(start, groups.end)
        };
        let shares = self.layout.cut(params, rows, self.parts.iter().map(share));
        for (index, (groups, mut rows)) in shares.into_iter().enumerate() {
            let (part, weight) = &self.parts[index];
            if groups.is_empty() {
                continue;
            }
            let own = groups.start - part.start..groups.end - part.start;
            write(index, own, rows.reborrow())?;
            rows.multiply(T::from_f64(weight.sqrt()));
        }
        Ok(())
    }

    /// The locals of each part.
    pub(crate) fn locals(&self) -> impl Iterator<Item = Range<usize>> {
        self.parts.iter().map(|(groups, _)| self.layout.locals_of(groups))
    }
}
