//! The residuals of losses that are sums of squares.

use std::ops::Range;

/// How the residuals `r` of a loss `L = |r|^2 + prior |theta|^2` lie, and on what they depend.
///
/// They come in groups. The residuals of a group depend on the parameters `theta`, and on *locals*
/// of the group: unknowns on which no other group depends, such as the fitted start of a window. So
/// the normal equations have the form of an arrow, and locals cost little.
///
/// ```
/// use hnn_losses::ResidualLayout;
/// // Two windows of ten residuals, each with a start of two coordinates, and a group without.
/// let mut layout = ResidualLayout::default();
/// layout.push_term("window", [(10, 2), (10, 2)]);
/// layout.push_term("derivative", [(30, 0)]);
/// assert_eq!((layout.len(), layout.num_locals()), (50, 4));
/// assert_eq!((layout.residuals(1), layout.locals(1)), (10..20, 2..4));
/// assert_eq!(layout.terms().next(), Some(("window", 0..2)));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResidualLayout {
    /// Where the residuals and the locals of each group end.
    ends: Vec<(usize, usize)>,
    /// The name of each term, and the number of groups with those of the terms before.
    terms: Vec<(String, usize)>,
    /// The factor of `|theta|^2`.
    pub prior: f64,
}

impl ResidualLayout {
    /// Appends a term: the numbers of residuals and of locals of each of its groups.
    pub fn push_term(
        &mut self,
        name: impl Into<String>,
        groups: impl IntoIterator<Item = (usize, usize)>,
    ) {
        for (residuals, locals) in groups {
            self.ends.push((self.len() + residuals, self.num_locals() + locals));
        }
        self.terms.push((name.into(), self.num_groups()));
    }

    /// Appends all of another layout; its prior is added `weight` times.
    pub fn append(&mut self, other: &Self, weight: f64) {
        let (first, residuals, locals) = (self.num_groups(), self.len(), self.num_locals());
        self.ends.extend(other.ends.iter().map(|(r, l)| (residuals + r, locals + l)));
        self.terms.extend(other.terms.iter().map(|(name, end)| (name.clone(), first + end)));
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

    /// The terms: the name and the groups of each.
    pub fn terms(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let begins = std::iter::once(0).chain(self.terms.iter().map(|(_, end)| *end));
        self.terms.iter().zip(begins).map(|((name, end), begin)| (&**name, begin..*end))
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
