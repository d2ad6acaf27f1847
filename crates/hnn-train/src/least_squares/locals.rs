//! Unknowns of single groups, eliminated block by block.

use std::ops::Range;

use hnn_integrators::{Scalar, parallel};
use hnn_losses::ResidualLayout;

use super::rows::Block;

/// The normal equations of the locals alone: `C_g = J_g^T J_g` and `b_g = J_g^T r_g` of each group.
#[derive(Debug, Default)]
pub(super) struct Locals {
    groups: Vec<Group>,
    /// The place in `groups` of each local's.
    of_local: Vec<usize>,
    /// The most locals of a group: a row of `blocks` and `factors`.
    width: usize,
    blocks: Vec<f64>,
    gradient: Vec<f64>,
    /// `L` of `C + lambda D = L L^T`.
    factors: Vec<f64>,
}

/// A group with locals.
#[derive(Debug, Clone)]
pub(super) struct Group {
    number: usize,
    pub(super) residuals: Range<usize>,
    pub(super) locals: Range<usize>,
    /// Where its numbers begin among the rows by locals of all groups.
    begin: usize,
}

/// A group's rows by its locals, in a block.
pub(super) fn rows_of<'a, T>(group: &Group, base: usize, block: &Block<'a, T>) -> &'a [T] {
    let begin = group.begin - base;
    &block.by_locals[begin..begin + group.residuals.len() * group.locals.len()]
}

impl Locals {
    /// Begins anew.
    pub(super) fn clear(&mut self, layout: &ResidualLayout) {
        self.groups.clear();
        self.of_local.clear();
        let (mut begin, mut width) = (0, 0);
        for number in 0..layout.num_groups() {
            let (residuals, locals) = (layout.residuals(number), layout.locals(number));
            if locals.is_empty() {
                continue;
            }
            width = width.max(locals.len());
            self.of_local.resize(locals.end, self.groups.len());
            let numbers = residuals.len() * locals.len();
            self.groups.push(Group { number, residuals, locals, begin });
            begin += numbers;
        }
        self.width = width;
        for (numbers, count) in [
            (&mut self.blocks, self.of_local.len() * width),
            (&mut self.gradient, self.of_local.len()),
            (&mut self.factors, self.of_local.len() * width),
        ] {
            numbers.clear();
            numbers.resize(count, 0.0);
        }
    }

    /// Number of locals.
    pub(super) fn len(&self) -> usize {
        self.of_local.len()
    }

    /// The groups with locals.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group of a local.
    pub(super) fn group_of(&self, local: usize) -> &Group {
        &self.groups[self.of_local[local]]
    }

    /// The groups with locals in a block, and where the first one's numbers begin.
    pub(super) fn in_block<T>(&self, block: &Block<'_, T>) -> (&[Group], usize) {
        let place = |group: usize| self.groups.partition_point(|g| g.number < group);
        let groups = &self.groups[place(block.groups.start)..place(block.groups.end)];
        (groups, groups.first().map_or(0, |group| group.begin))
    }

    /// `b`.
    pub(super) fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// Copies `b` and the diagonal of `C`.
    pub(super) fn summarise(&self, gradient: &mut [f64], diagonal: &mut [f64]) {
        gradient.copy_from_slice(&self.gradient);
        for (local, diagonal) in diagonal.iter_mut().enumerate() {
            let own = local - self.group_of(local).locals.start;
            *diagonal = self.blocks[local * self.width + own];
        }
    }

    /// Takes the rows of a block in.
    pub(super) fn add<T: Scalar>(&mut self, block: &Block<'_, T>) {
        let (groups, base) = self.in_block(block);
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return };
        let locals = first.locals.start..last.locals.end;
        let (width, all, of_local) = (self.width, &self.groups, &self.of_local);
        let equations = |local: usize| {
            let group = &all[of_local[local]];
            let own = local - group.locals.start;
            let values = &block.values[group.residuals.start - block.residuals.start..];
            let rows = rows_of(group, base, block).chunks_exact(group.locals.len());
            rows.zip(values).map(move |(row, value)| (row[own].to_f64(), row, value.to_f64()))
        };
        let blocks = &mut self.blocks[locals.start * width..locals.end * width];
        parallel::chunks_mut(blocks, width, &|k, c| {
            for (factor, row, _) in equations(locals.start + k) {
                c.iter_mut().zip(row).for_each(|(c, j)| *c += factor * j.to_f64());
            }
        });
        for (b, local) in self.gradient[locals.clone()].iter_mut().zip(locals) {
            equations(local).for_each(|(factor, _, value)| *b += factor * value);
        }
    }

    /// Factors `C + lambda D` of all groups. False if one is not positive definite.
    pub(super) fn factor(&mut self, damping: &dyn Fn(usize) -> f64) -> bool {
        let width = self.width;
        for group in &self.groups {
            let begin = group.locals.start;
            let numbers = begin * width..group.locals.end * width;
            let (c, l) = (&self.blocks[numbers.clone()], &mut self.factors[numbers]);
            for i in 0..group.locals.len() {
                for j in 0..=i {
                    let known: f64 = (0..j).map(|k| l[i * width + k] * l[j * width + k]).sum();
                    let entry = c[i * width + j];
                    if i > j {
                        l[i * width + j] = (entry - known) / l[j * width + j];
                        continue;
                    }
                    let entry = entry + damping(begin + i);
                    let pivot = entry - known;
                    if !(pivot > f64::EPSILON * entry && pivot.is_finite()) {
                        return false;
                    }
                    l[i * width + i] = pivot.sqrt();
                }
            }
        }
        true
    }

    /// A row of `L`, up to the diagonal.
    pub(super) fn factor_row(&self, group: &Group, i: usize) -> &[f64] {
        &self.factors[(group.locals.start + i) * self.width..][..=i]
    }

    /// `x <- (C + lambda D)^-1 x` of a group.
    pub(super) fn solve(&self, group: &Group, x: &mut [f64]) {
        for i in 0..x.len() {
            let row = self.factor_row(group, i);
            let known: f64 = row[..i].iter().zip(&*x).map(|(l, x)| l * x).sum();
            x[i] = (x[i] - known) / row[i];
        }
        for i in (0..x.len()).rev() {
            let row = self.factor_row(group, i);
            x[i] /= row[i];
            for j in 0..i {
                x[j] -= row[j] * x[i];
            }
        }
    }

    /// `sum of ln det (C + lambda D)`.
    pub(super) fn log_determinant(&self) -> f64 {
        let pivots = self
            .groups
            .iter()
            .flat_map(|group| (0..group.locals.len()).map(|i| self.factor_row(group, i)[i].ln()));
        2.0 * pivots.sum::<f64>()
    }
}
