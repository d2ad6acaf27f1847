//! Conjugate gradients on products with rows.

use hnn_integrators::{Scalar, parallel};
use hnn_losses::LossError;

use super::dual::{add_squares, add_transposed};
use super::linear::{Damped, Linear};
use super::locals::{Locals, rows_of};
use super::rows::{Block, Read, Rows};
use crate::linalg::{axpy, dot};

/// The normal equations without their matrix: preconditioned conjugate gradients (Hestenes and
/// Stiefel 1952) on `v -> J^T (J v)`, locals eliminated in each product.
///
/// The solution is rough; whatever is left over, it lowers the linearised squares.
#[derive(Debug, Default)]
pub(super) struct MatrixFree {
    locals: Locals,
    /// The right-hand side, then what is left of it.
    left: Vec<f64>,
    direction: Vec<f64>,
    product: Vec<f64>,
    /// Numbers of a block's residuals, and of a group's locals.
    image: Vec<f64>,
    of_group: Vec<f64>,
}

/// What is left of the right-hand side at the end.
const TOLERANCE: f64 = 1e-3;
/// The most products of a step.
const MOST_PRODUCTS: usize = 200;

impl MatrixFree {
    /// Reads all rows once: the gradient and the diagonal.
    pub(super) fn linearise<T: Scalar>(
        &mut self,
        rows: &mut Rows<'_, T>,
        linear: &mut Linear,
    ) -> Result<(), LossError> {
        self.locals.clear(rows.layout);
        let p = rows.num_params;
        rows.each(Read::Rows, &mut |block| {
            self.image.clear();
            self.image.extend(block.values.iter().map(|r| r.to_f64()));
            add_transposed(block.by_theta, &self.image, &mut linear.gradient[..p]);
            add_squares(block.by_theta, &mut linear.diagonal[..p]);
            self.locals.add(block);
        })?;
        rows.add_up(&mut linear.gradient[..p]);
        rows.add_up(&mut linear.diagonal[..p]);
        self.locals.summarise(&mut linear.gradient[p..], &mut linear.diagonal[p..]);
        Ok(())
    }

    /// The step. False if there is none with this damping.
    pub(super) fn solve<T: Scalar>(
        &mut self,
        rows: &mut Rows<'_, T>,
        damped: &Damped<'_>,
        step: &mut [f64],
    ) -> Result<bool, LossError> {
        let n = damped.theta.len();
        if !self.locals.factor(&|i| damped.of(n + i)) {
            return Ok(false);
        }
        let (of_theta, of_locals) = step.split_at_mut(n);
        self.left.clear();
        self.left.resize(n, 0.0);
        if self.locals.len() == 0 {
            self.left.copy_from_slice(&damped.linear.gradient);
        } else {
            self.pass(rows, Image::Residuals, of_locals)?;
            std::mem::swap(&mut self.left, &mut self.product);
            for (left, w) in self.left.iter_mut().zip(damped.theta) {
                *left += damped.prior * w;
            }
        }
        self.left.iter_mut().for_each(|left| *left = -*left);
        if !self.iterate(rows, damped, of_theta, of_locals)? {
            return Ok(false);
        }
        if self.locals.len() > 0 {
            self.direction.copy_from_slice(of_theta);
            self.pass(rows, Image::Both, of_locals)?;
        }
        Ok(true)
    }

    /// Solves for the parameters.
    fn iterate<T: Scalar>(
        &mut self,
        rows: &mut Rows<'_, T>,
        damped: &Damped<'_>,
        x: &mut [f64],
        of_locals: &mut [f64],
    ) -> Result<bool, LossError> {
        let conditioner = |i: usize| 1.0 / (damped.linear.diagonal[i] + damped.of(i));
        let size = |left: &[f64]| -> f64 {
            left.iter().enumerate().map(|(i, l)| l * l * conditioner(i)).sum()
        };
        x.fill(0.0);
        self.direction.clear();
        self.direction.extend(self.left.iter().enumerate().map(|(i, l)| l * conditioner(i)));
        let (first, mut now) = (size(&self.left), size(&self.left));
        for _ in 0..MOST_PRODUCTS.min(x.len()) {
            if !(now > TOLERANCE * TOLERANCE * first) {
                break;
            }
            self.pass(rows, Image::Direction, of_locals)?;
            for (i, product) in self.product.iter_mut().enumerate() {
                *product += (damped.prior + damped.of(i)) * self.direction[i];
            }
            let curvature = dot(&self.product, &self.direction);
            if !(curvature > 0.0) {
                return Ok(false);
            }
            let length = now / curvature;
            axpy(length, &self.direction, x);
            axpy(-length, &self.product, &mut self.left);
            let before = std::mem::replace(&mut now, size(&self.left));
            for (i, d) in self.direction.iter_mut().enumerate() {
                *d = self.left[i] * conditioner(i) + now / before * *d;
            }
        }
        Ok(now.is_finite())
    }

    /// One pass over the rows: `product = J^T P u`, where `P` takes the locals' part out of the
    /// residuals `u`, and that part, negative, into `of_locals`.
    fn pass<T: Scalar>(
        &mut self,
        rows: &mut Rows<'_, T>,
        image: Image,
        of_locals: &mut [f64],
    ) -> Result<(), LossError> {
        let Self { locals, direction, product, image: u, of_group, .. } = self;
        let p = rows.num_params;
        product.clear();
        product.resize(p, 0.0);
        rows.each(Read::SameRows, &mut |block| {
            u.clear();
            u.resize(block.values.len(), 0.0);
            parallel::chunks_mut(u, 1, &|k, u| {
                let (row, r) = (&block.by_theta[k * p..][..p], block.values[k].to_f64());
                u[0] = match image {
                    Image::Residuals => r,
                    Image::Direction => dot(row, direction),
                    Image::Both => r + dot(row, direction),
                };
            });
            eliminate(locals, block, u, of_group, of_locals);
            add_transposed(block.by_theta, u, product);
        })?;
        rows.add_up(product);
        Ok(())
    }
}

/// What residuals a pass takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Image {
    /// `r`.
    Residuals,
    /// `J d`.
    Direction,
    /// `r + J d`.
    Both,
}

/// Takes the locals' part out of a block's residuals: `u -= J_g (C_g + lambda D)^-1 J_g^T u`.
fn eliminate<T: Scalar>(
    locals: &Locals,
    block: &Block<'_, T>,
    u: &mut [f64],
    of_group: &mut Vec<f64>,
    of_locals: &mut [f64],
) {
    let (groups, base) = locals.in_block(block);
    for group in groups {
        let count = group.locals.len();
        let u = &mut u[group.residuals.start - block.residuals.start..][..group.residuals.len()];
        let rows = || rows_of(group, base, block).chunks_exact(count);
        of_group.clear();
        of_group.resize(count, 0.0);
        for (row, u) in rows().zip(&*u) {
            axpy(*u, row, of_group);
        }
        locals.solve(group, of_group);
        for (row, u) in rows().zip(u) {
            *u -= dot(row, of_group);
        }
        let out = &mut of_locals[group.locals.clone()];
        out.iter_mut().zip(&*of_group).for_each(|(out, z)| *out = -z);
    }
}
