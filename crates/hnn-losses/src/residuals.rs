//! The residuals of losses that are sums of squares.

use std::ops::Range;

use hnn_integrators::{FieldError, Scalar};

use crate::LossError;

/// How the residuals `r` of a loss `L = |r|^2 + prior |theta|^2` lie, and on what they depend.
///
/// They come in groups. The residuals of a group depend on the parameters `theta`, and on *locals*
/// of the group: unknowns on which no other group depends, such as the fitted start of a window. So
/// the normal equations have the form of an arrow, and locals cost little.
///
/// Each residual belongs to a *term*: residuals of one kind, whose errors have one size (the states of
/// windows, the derivatives along them).
///
/// ```
/// use hnn_losses::ResidualLayout;
/// // Two windows with ten errors of states, six of derivatives and a start of two coordinates each,
/// // and thirty residuals of another term.
/// let mut layout = ResidualLayout::default();
/// let (states, slopes) = (layout.add_term("window"), layout.add_term("derivative"));
/// for _ in 0..2 {
///     layout.push_group([(states, 10), (slopes, 6)], 2);
/// }
/// let other = layout.add_term("other");
/// layout.push_group([(other, 30)], 0);
/// assert_eq!((layout.len(), layout.num_locals()), (62, 4));
/// assert_eq!((layout.residuals(1), layout.locals(1)), (16..32, 2..4));
/// assert_eq!(layout.runs().nth(3), Some((26..32, slopes)));
/// assert_eq!(layout.terms(), ["window", "derivative", "other"]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResidualLayout {
    /// Where the residuals and the locals of each group end.
    ends: Vec<(usize, usize)>,
    terms: Vec<String>,
    /// Where runs of residuals of one term end, and the term.
    runs: Vec<(usize, usize)>,
    /// What other ranks have: their groups, then their residuals of each term; none where there are none.
    elsewhere: Vec<usize>,
    /// The factor of `|theta|^2`.
    pub prior: f64,
}

impl ResidualLayout {
    /// Adds a term; gives its index.
    pub fn add_term(&mut self, name: impl Into<String>) -> usize {
        self.terms.push(name.into());
        self.terms.len() - 1
    }

    /// Appends a group: its residuals, run after run with the term of each run and their number,
    /// and the number of its locals.
    pub fn push_group(&mut self, runs: impl IntoIterator<Item = (usize, usize)>, locals: usize) {
        let mut end = self.len();
        for (term, residuals) in runs {
            end += residuals;
            match self.runs.last_mut() {
                Some((last, of)) if *of == term => *last = end,
                _ => self.runs.push((end, term)),
            }
        }
        self.ends.push((end, self.num_locals() + locals));
    }

    /// Appends all of another layout; its prior is added `weight` times.
    pub fn append(&mut self, other: Self, weight: f64) {
        let (terms, residuals, locals) = (self.terms.len(), self.len(), self.num_locals());
        self.ends.extend(other.ends.into_iter().map(|(r, l)| (residuals + r, locals + l)));
        self.runs.extend(other.runs.into_iter().map(|(end, of)| (residuals + end, terms + of)));
        self.terms.extend(other.terms);
        self.prior += weight * other.prior;
    }

    /// Number of residuals.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.last().map_or(0, |(residuals, _)| *residuals)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of locals of all groups.
    #[must_use]
    pub fn num_locals(&self) -> usize {
        self.ends.last().map_or(0, |(_, locals)| *locals)
    }

    /// Number of groups.
    #[must_use]
    pub fn num_groups(&self) -> usize {
        self.ends.len()
    }

    /// Where the residuals and the locals of a group begin (those of the last one end, for the
    /// number of groups).
    fn begin(&self, group: usize) -> (usize, usize) {
        group.checked_sub(1).map_or((0, 0), |before| self.ends[before])
    }

    /// The residuals of a group, less than [`num_groups`](Self::num_groups).
    ///
    /// # Panics
    /// If there is no such group.
    #[must_use]
    pub fn residuals(&self, group: usize) -> Range<usize> {
        self.begin(group).0..self.ends[group].0
    }

    /// The locals of a group, less than [`num_groups`](Self::num_groups).
    ///
    /// # Panics
    /// If there is no such group.
    #[must_use]
    pub fn locals(&self, group: usize) -> Range<usize> {
        self.begin(group).1..self.ends[group].1
    }

    /// The names of the terms.
    #[must_use]
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// The residuals cut into runs of one term, and the index of each one's term.
    pub fn runs(&self) -> impl Iterator<Item = (Range<usize>, usize)> {
        let begins = std::iter::once(0).chain(self.runs.iter().map(|(end, _)| *end));
        self.runs.iter().zip(begins).map(|((end, term), begin)| (begin..*end, *term))
    }
}

/// Numbers of the whole, of which other ranks may have a part.
impl ResidualLayout {
    /// Number of residuals of a term, on all ranks.
    #[must_use]
    pub fn total_of(&self, term: usize) -> usize {
        self.own_of(term) + self.elsewhere.get(term + 1).copied().unwrap_or(0)
    }

    /// Number of residuals, on all ranks.
    #[must_use]
    pub fn total(&self) -> usize {
        self.len() + self.elsewhere.iter().skip(1).sum::<usize>()
    }

    /// Number of groups, on all ranks.
    #[must_use]
    pub fn total_groups(&self) -> usize {
        self.num_groups() + self.elsewhere.first().copied().unwrap_or(0)
    }

    fn own_of(&self, term: usize) -> usize {
        self.runs().filter(|(_, of)| *of == term).map(|(run, _)| run.len()).sum()
    }

    /// Appends what ranks add up: the prior, and the numbers of groups and of residuals of each term.
    pub(crate) fn copy_counts(&self, counts: &mut Vec<f64>) {
        counts.extend([self.prior, self.num_groups() as f64]);
        counts.extend((0..self.terms.len()).map(|term| self.own_of(term) as f64));
    }

    /// Takes their sums.
    pub(crate) fn set_counts(&mut self, counts: &[f64]) {
        let Some((prior, all)) = counts.split_first() else { return };
        self.prior = *prior;
        let own = std::iter::once(self.num_groups())
            .chain((0..self.terms.len()).map(|term| self.own_of(term)));
        self.elsewhere = all.iter().zip(own).map(|(all, own)| *all as usize - own).collect();
    }
}

/// Where a loss writes the residuals of some groups, and their Jacobian where it is asked for.
#[derive(Debug)]
pub struct ResidualRows<'a, T> {
    /// The `n` residuals.
    pub values: &'a mut [T],
    /// Their derivatives by the `P` parameters, a row a residual (`n * P` numbers), and by the
    /// locals of each one's group, likewise.
    pub jacobian: Option<JacobianRows<'a, T>>,
}

/// The rows of a Jacobian; overwritten.
#[derive(Debug)]
pub struct JacobianRows<'a, T> {
    /// `dr/dtheta`: `P` numbers for each residual.
    pub by_theta: &'a mut [T],
    /// `dr/dlocals`: as many numbers for each residual as its group has locals; group after group.
    pub by_locals: &'a mut [T],
}

impl<'a, T> ResidualRows<'a, T> {
    /// The rows of the first groups, and the others: so many residuals of a model of so many
    /// parameters, and so many derivatives by locals.
    pub(crate) fn split_at(
        self,
        residuals: usize,
        params: usize,
        by_locals: usize,
    ) -> (Self, Self) {
        let (values, other_values) = self.values.split_at_mut(residuals);
        let (jacobian, other_jacobian) = self.jacobian.map_or((None, None), |jacobian| {
            let (by_theta, other_theta) = jacobian.by_theta.split_at_mut(residuals * params);
            let (by_locals, other_locals) = jacobian.by_locals.split_at_mut(by_locals);
            let other = JacobianRows { by_theta: other_theta, by_locals: other_locals };
            (Some(JacobianRows { by_theta, by_locals }), Some(other))
        });
        (Self { values, jacobian }, Self { values: other_values, jacobian: other_jacobian })
    }
}

impl ResidualLayout {
    /// The residuals of some groups.
    fn residuals_of(&self, groups: &Range<usize>) -> Range<usize> {
        self.begin(groups.start).0..self.begin(groups.end).0
    }

    /// The locals of some groups.
    pub(crate) fn locals_of(&self, groups: &Range<usize>) -> Range<usize> {
        self.begin(groups.start).1..self.begin(groups.end).1
    }

    /// Number of derivatives of the residuals of some groups by the locals of each.
    fn num_by_locals(&self, groups: &Range<usize>) -> usize {
        groups.clone().map(|g| self.residuals(g).len() * self.locals(g).len()).sum()
    }

    /// Checks that there are such groups, and a place for what belongs to them.
    pub(crate) fn check<T>(
        &self,
        groups: &Range<usize>,
        params: usize,
        rows: &ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        if groups.start > groups.end || groups.end > self.num_groups() {
            return Err(LossError::NoSuchRow { row: groups.end, rows: self.num_groups() });
        }
        let residuals = self.residuals_of(groups).len();
        FieldError::check_lengths(residuals, [("the residuals", rows.values.len())])?;
        if let Some(JacobianRows { by_theta, by_locals }) = &rows.jacobian {
            let given = [("the derivatives by the parameters", by_theta.len())];
            FieldError::check_lengths(residuals.saturating_mul(params), given)?;
            let given = [("the derivatives by the locals", by_locals.len())];
            FieldError::check_lengths(self.num_by_locals(groups), given)?;
        }
        Ok(())
    }

    /// Cuts the rows of some groups, checked, into those of consecutive parts of them.
    pub(crate) fn cut<'a, T>(
        &self,
        params: usize,
        mut rows: ResidualRows<'a, T>,
        parts: impl IntoIterator<Item = Range<usize>>,
    ) -> Vec<(Range<usize>, ResidualRows<'a, T>)> {
        let cut = |groups: Range<usize>| {
            let residuals = self.residuals_of(&groups).len();
            let empty = ResidualRows { values: &mut [], jacobian: None };
            let all = std::mem::replace(&mut rows, empty);
            let (own, rest) = all.split_at(residuals, params, self.num_by_locals(&groups));
            rows = rest;
            (groups, own)
        };
        parts.into_iter().map(cut).collect()
    }
}

impl<T: Scalar> ResidualRows<'_, T> {
    /// For how many parameters there is a place in each row; 0 without a Jacobian.
    pub(crate) fn num_params(&self) -> usize {
        let by_theta = self.jacobian.as_ref().map_or(0, |rows| rows.by_theta.len());
        by_theta / self.values.len().max(1)
    }

    /// The same places, lent for a shorter time.
    pub(crate) fn reborrow(&mut self) -> ResidualRows<'_, T> {
        let jacobian = self
            .jacobian
            .as_mut()
            .map(|JacobianRows { by_theta, by_locals }| JacobianRows { by_theta, by_locals });
        ResidualRows { values: &mut *self.values, jacobian }
    }

    /// Multiplies all by a factor.
    pub(crate) fn multiply(&mut self, factor: T) {
        if factor == T::ONE {
            return;
        }
        let jacobian = self.jacobian.as_mut();
        let by = jacobian.map(|rows| [&mut *rows.by_theta, &mut *rows.by_locals]);
        for numbers in std::iter::once(&mut *self.values).chain(by.into_iter().flatten()) {
            numbers.iter_mut().for_each(|number| *number *= factor);
        }
    }
}
