//! The arrow structure: locals touch the parameters, but not each other across groups.
//!
//! With `A`, `g` of the parameters, `C_g`, `b_g` of a group's locals and `B_g = J^T J_g` between
//! them, the locals' step is `-C_g^-1 (b_g + B_g^T s)`, and the parameters' solves
//! `(A - sum_g B_g C_g^-1 B_g^T) s = -(g - sum_g B_g C_g^-1 b_g)`, the Schur complement.

use hnn_integrators::{Scalar, parallel};
use hnn_losses::ResidualLayout;

use super::locals::{Group, Locals, rows_of};
use super::rows::Block;
use crate::linalg::{Panels, Symmetric, axpy, dot, pack_columns};

/// Locals that are eliminated at a time.
const DEPTH: usize = 128;

/// Locals, and what lies between them and the parameters.
#[derive(Debug, Default)]
pub(super) struct Arrow {
    pub(super) locals: Locals,
    num_params: usize,
    /// `B^T`, a row of `P` numbers a local.
    cross: Vec<f64>,
}

impl Arrow {
    /// Begins anew.
    pub(super) fn clear(&mut self, layout: &ResidualLayout, num_params: usize) {
        self.num_params = num_params;
        self.locals.clear(layout);
        self.cross.clear();
        self.cross.resize(self.locals.len() * num_params, 0.0);
    }

    /// Takes the rows of a block in.
    pub(super) fn add<T: Scalar>(&mut self, block: &Block<'_, T>) {
        self.locals.add(block);
        let (groups, base) = self.locals.in_block(block);
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return };
        let (p, locals) = (self.num_params, first.locals.start..last.locals.end);
        let cross = &mut self.cross[locals.start * p..locals.end * p];
        parallel::chunks_mut(cross, p, &|k, cross| {
            let local = locals.start + k;
            let group = self.locals.group_of(local);
            let own = local - group.locals.start;
            let begin = group.residuals.start - block.residuals.start;
            let by_theta = block.by_theta[begin * p..].chunks_exact(p);
            let by_locals = rows_of(group, base, block).chunks_exact(group.locals.len());
            for (row, of_locals) in by_theta.zip(by_locals) {
                axpy(of_locals[own].to_f64(), row, cross);
            }
        });
    }

    /// Subtracts `B C^-1 [B^T b]` from the equations of the parameters. The locals have been
    /// factored.
    pub(super) fn eliminate(&self, equations: &mut Symmetric, packed: &mut Panels) {
        let mut groups = self.locals.groups();
        while !groups.is_empty() {
            let begin = groups[0].locals.start;
            let fits = groups.iter().take_while(|group| group.locals.end - begin <= DEPTH);
            let (batch, rest) = groups.split_at(fits.count().max(1));
            groups = rest;
            let count = batch[batch.len() - 1].locals.end - begin;
            let panels = equations.panels();
            packed.pack(count, panels, |panel, lanes| {
                for group in batch {
                    let lanes = &mut lanes[group.locals.start - begin..][..group.locals.len()];
                    self.load(group, (panel + 1 < panels).then_some(panel), lanes);
                    self.forward(group, lanes);
                }
            });
            equations.add_packed(packed, -1.0);
        }
    }

    /// Eight columns of `B^T`, or `b` and zeros.
    fn load(&self, group: &Group, panel: Option<usize>, lanes: &mut [[f64; 8]]) {
        let locals = group.locals.clone();
        if let Some(panel) = panel {
            let rows = &self.cross[locals.start * self.num_params..];
            pack_columns(lanes, rows, self.num_params, panel * 8);
        } else {
            let gradient = &self.locals.gradient()[locals];
            lanes.iter_mut().zip(gradient).for_each(|(lane, b)| {
                *lane = [0.0; 8];
                lane[0] = *b;
            });
        }
    }

    /// `lanes <- L^-1 lanes`.
    fn forward(&self, group: &Group, lanes: &mut [[f64; 8]]) {
        for i in 0..lanes.len() {
            let row = self.locals.factor_row(group, i);
            let (known, rest) = lanes.split_at_mut(i);
            for (known, l) in known.iter().zip(row) {
                rest[0].iter_mut().zip(known).for_each(|(x, k)| *x -= l * k);
            }
            rest[0].iter_mut().for_each(|x| *x /= row[i]);
        }
    }

    /// The locals' part of a step, from that of the parameters.
    pub(super) fn back(&self, step: &[f64], of_locals: &mut [f64]) {
        for group in self.locals.groups() {
            let x = &mut of_locals[group.locals.clone()];
            for (x, local) in x.iter_mut().zip(group.locals.clone()) {
                let cross = &self.cross[local * self.num_params..][..self.num_params];
                *x = -(self.locals.gradient()[local] + dot(cross, step));
            }
            self.locals.solve(group, x);
        }
    }

    /// Takes the locals' part out of a row by the parameters, `j - B C^-1 j_g`, for the row `j_g` by
    /// the locals, which is overwritten.
    pub(super) fn project(&self, group: &Group, of_locals: &mut [f64], row: &mut [f64]) {
        self.locals.solve(group, of_locals);
        for (z, local) in of_locals.iter().zip(group.locals.clone()) {
            let cross = &self.cross[local * self.num_params..][..self.num_params];
            axpy(-z, cross, row);
        }
    }
}
