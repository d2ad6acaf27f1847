//! The residuals of a loss and the rows of their Jacobian, block by block.

use std::ops::Range;

use hnn_integrators::{Scalar, parallel};
use hnn_losses::{JacobianRows, LossError, ResidualLayout, ResidualRows};

use super::linear::Weights;
use crate::fitting::Fitting;
use crate::linalg::Symmetric;

/// Where rows are written.
#[derive(Debug)]
pub(super) struct Buffer<T> {
    /// Rows of a block take no more bytes, unless one group does.
    memory: usize,
    values: Vec<T>,
    by_theta: Vec<T>,
    by_locals: Vec<T>,
    /// The square roots of weights.
    factors: Vec<T>,
    /// The groups whose rows are here.
    held: Option<Range<usize>>,
    /// The weighted squares of each term, as far as they have been read.
    squares: Vec<f64>,
}

/// Consecutive groups, and their rows (of no meaning where only values were asked for), multiplied by
/// the square root of their weights.
#[derive(Debug)]
pub(super) struct Block<'a, T> {
    pub(super) groups: Range<usize>,
    pub(super) residuals: Range<usize>,
    pub(super) values: &'a [T],
    pub(super) by_theta: &'a [T],
    pub(super) by_locals: &'a [T],
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// Residuals alone.
    Values,
    /// Residuals and rows.
    Rows,
    /// The same, which may be here since they were read last.
    SameRows,
}

/// A loss at the parameters of a model.
pub(super) struct Rows<'a, T> {
    pub(super) problem: &'a mut dyn Fitting<T>,
    pub(super) layout: &'a ResidualLayout,
    pub(super) weights: &'a Weights,
    pub(super) num_params: usize,
    pub(super) buffer: &'a mut Buffer<T>,
}

impl<T: Scalar> Buffer<T> {
    pub(super) fn new(memory: usize) -> Self {
        let (values, by_theta, by_locals, factors) = Default::default();
        Self { memory, values, by_theta, by_locals, factors, held: None, squares: Vec::new() }
    }

    /// Rows that were read are those of other parameters.
    pub(super) fn forget(&mut self) {
        self.held = None;
    }

    /// The rows by the parameters that were read last.
    pub(super) fn by_theta(&self) -> &[T] {
        &self.by_theta
    }

    /// The weighted squares of each term that were read last.
    pub(super) fn squares(&self) -> &[f64] {
        &self.squares
    }

    /// Where a block ends.
    fn end(&self, layout: &ResidualLayout, first: usize, width: usize) -> usize {
        let most = self.memory / (width * size_of::<T>()).max(1);
        let begin = layout.residuals(first).start;
        let fits = |group: &usize| layout.residuals(*group).end - begin <= most;
        (first + 1..layout.num_groups()).take_while(fits).last().unwrap_or(first) + 1
    }

    /// Adds up the squares of each term, weighted.
    fn add_squares(
        &mut self,
        residuals: &Range<usize>,
        layout: &ResidualLayout,
        weights: &Weights,
    ) {
        for (run, term) in runs_within(layout, residuals) {
            let square: f64 = self.values[run].iter().map(|r| r.to_f64().powi(2)).sum();
            self.squares[term] += weights.of_term(term) * square;
        }
    }

    /// Multiplies residuals and rows by the square roots of their weights.
    fn weigh(&mut self, groups: Range<usize>, layout: &ResidualLayout, weights: &Weights) {
        let first = layout.residuals(groups.start).start;
        let residuals = first..first + self.values.len();
        let width = self.by_theta.len() / self.values.len().max(1);
        self.factors.resize(self.values.len(), T::ONE);
        for (run, term) in runs_within(layout, &residuals) {
            self.factors[run].fill(T::from_f64(weights.of_term(term).sqrt()));
        }
        self.values.iter_mut().zip(&self.factors).for_each(|(r, factor)| *r *= *factor);
        let scale = |(row, factor): (&mut [T], &T)| row.iter_mut().for_each(|j| *j *= *factor);
        let factors = &self.factors;
        parallel::chunks_mut(&mut self.by_theta, width.max(1), &|k, row| scale((row, &factors[k])));
        let mut by_locals = &mut self.by_locals[..];
        for group in groups {
            let (residuals, locals) = (layout.residuals(group), layout.locals(group).len());
            let factors = &self.factors[residuals.start - first..residuals.end - first];
            let (rows, rest) = by_locals.split_at_mut(residuals.len() * locals);
            rows.chunks_exact_mut(locals.max(1)).zip(factors).for_each(scale);
            by_locals = rest;
        }
    }
}

/// The runs within a block of residuals, counted from its first one.
pub(super) fn runs_within(
    layout: &ResidualLayout,
    block: &Range<usize>,
) -> impl Iterator<Item = (Range<usize>, usize)> {
    let Range { start, end } = *block;
    let within =
        move |(run, term): (Range<usize>, usize)| (run.start.max(start)..run.end.min(end), term);
    let runs = layout.runs().map(within).filter(|(run, _)| !run.is_empty());
    runs.map(move |(run, term)| (run.start - start..run.end - start, term))
}

impl<T: Scalar> Rows<'_, T> {
    /// Visits all groups that are here. The squares are those of all ranks.
    pub(super) fn each(
        &mut self,
        read: Read,
        visit: &mut dyn FnMut(&Block<'_, T>),
    ) -> Result<(), LossError> {
        if read != Read::SameRows {
            self.buffer.squares.clear();
            self.buffer.squares.resize(self.layout.terms().len(), 0.0);
        }
        let visited = self.each_here(read, visit);
        let Some(share) = self.problem.row_share() else { return visited };
        match read {
            Read::SameRows => share.agree(visited),
            Read::Values | Read::Rows => share.add_up(visited, &mut self.buffer.squares),
        }
    }

    /// Adds up, over the ranks, what has been summed over the groups that are here.
    pub(super) fn add_up(&self, sums: &mut [f64]) {
        if let Some(share) = self.problem.row_share() {
            share.ranks().add_up(sums);
        }
    }

    /// The same of a symmetric matrix and its vector.
    pub(super) fn add_up_matrix(&self, sums: &mut Symmetric) {
        if let Some(share) = self.problem.row_share() {
            sums.change_all(|sums| share.ranks().add_up(sums));
        }
    }

    fn each_here(
        &mut self,
        read: Read,
        visit: &mut dyn FnMut(&Block<'_, T>),
    ) -> Result<(), LossError> {
        let mut first = 0;
        while first < self.layout.num_groups() {
            let groups = first..self.buffer.end(self.layout, first, self.num_params);
            first = groups.end;
            let residuals = self.layout.residuals(groups.start).start
                ..self.layout.residuals(groups.end - 1).end;
            self.read(read, &groups, &residuals)?;
            let Buffer { values, by_theta, by_locals, .. } = &*self.buffer;
            visit(&Block { groups, residuals, values, by_theta, by_locals });
        }
        Ok(())
    }

    fn read(
        &mut self,
        read: Read,
        groups: &Range<usize>,
        residuals: &Range<usize>,
    ) -> Result<(), LossError> {
        if read == Read::SameRows && self.buffer.held.as_ref() == Some(groups) {
            return Ok(());
        }
        let Buffer { values, by_theta, by_locals, held, .. } = &mut *self.buffer;
        *held = None;
        values.resize(residuals.len(), T::ZERO);
        let jacobian = if read == Read::Values {
            None
        } else {
            let of_locals =
                |group| self.layout.residuals(group).len() * self.layout.locals(group).len();
            by_theta.resize(residuals.len() * self.num_params, T::ZERO);
            by_locals.resize(groups.clone().map(of_locals).sum(), T::ZERO);
            Some(JacobianRows { by_theta, by_locals })
        };
        self.problem.residuals(groups.clone(), ResidualRows { values, jacobian })?;
        if read != Read::SameRows {
            self.buffer.add_squares(residuals, self.layout, self.weights);
        }
        if read != Read::Values {
            if !self.weights.of_terms.is_empty() {
                self.buffer.weigh(groups.clone(), self.layout, self.weights);
            }
            self.buffer.held = Some(groups.clone());
        }
        Ok(())
    }
}
