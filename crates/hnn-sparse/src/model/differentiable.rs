//! The vector-Jacobian product of the formula's field.

use hnn_integrators::{
    At, Bars, DifferentiableField, FieldError, Parameters, Scalar, VectorField, Workspace,
};

use super::{Compiled, SparseHamiltonian, field};
use crate::expression::{Argument, Expression};
use crate::program::Program;

/// What an evaluation of a [`SparseHamiltonian`] keeps for its vector-Jacobian product: the inputs,
/// and scratch memory, since the derivatives are formulas of state and inputs.
#[derive(Debug, Default)]
pub struct SparseResiduals<T> {
    u: Vec<T>,
    workspace: Workspace<T>,
}

impl<T> SparseResiduals<T> {
    pub(super) fn workspace(&mut self) -> &mut Workspace<T> {
        &mut self.workspace
    }
}

/// The derivatives of a field of the coordinates from `first` on, `sum_j c_j f_j(x)`: what does
/// not change with the coefficients.
#[derive(Debug)]
pub(super) struct Derivatives {
    /// The entries `(i, k)` of the Jacobian `df_i/dx_(first + k)` that are not 0 everywhere; the
    /// columns of the inputs follow those of the coordinates.
    entries: Vec<(usize, usize)>,
    /// The pairs (term, component) of the fields that are not 0 everywhere.
    components: Vec<(usize, usize)>,
    /// Those components.
    fields: Program,
}

impl Derivatives {
    /// With the Jacobian for these coefficients; `fields[j]` is `f_j`, of states of dimension
    /// `dim` and so many inputs.
    pub(super) fn new(
        dim: usize,
        first: usize,
        inputs: usize,
        fields: &[Vec<Expression>],
        coefficients: &[f64],
    ) -> (Self, Compiled) {
        let len = fields.first().map_or(0, Vec::len);
        let along = |k: usize| match k.checked_sub(len) {
            None => Argument::Coordinate(first + k),
            Some(input) => Argument::Input(input),
        };
        let pairs = (0..len).flat_map(|i| (0..len + inputs).map(move |k| (i, k)));
        let active = |&(i, k): &(usize, usize)| {
            fields.iter().any(|f| !f[i].derivative_along(along(k)).is_zero())
        };
        let entries: Vec<_> = pairs.filter(active).collect();
        let slope = |e: usize, j: usize| {
            let (i, k): (usize, usize) = entries[e];
            fields[j][i].derivative_along(along(k))
        };
        let mut jacobian = Compiled::new(dim, entries.len(), coefficients, &slope);
        jacobian.program.renumber(first);
        let all = (0..fields.len()).flat_map(|j| (0..len).map(move |i| (j, i)));
        let components: Vec<_> = all.filter(|&(j, i)| !fields[j][i].is_zero()).collect();
        let mut fields = Program::compile(dim, components.iter().map(|&(j, i)| &fields[j][i]));
        fields.renumber(first);
        (Self { entries, components, fields }, jacobian)
    }

    /// Overwrites `bars.x = (df/dx)^T v`; adds the inputs' and the coefficients' cotangents to
    /// `bars.u` and `bars.theta`.
    pub(super) fn vjp<T: Scalar>(
        &self,
        jacobian: &Compiled,
        batch: usize,
        [x, u, v]: [&[T]; 3],
        Bars { x: x_bar, u: mut u_bar, theta: mut theta_bar }: Bars<'_, T>,
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let Self { entries, components, fields } = self;
        let lane = |k: usize| k * batch..(k + 1) * batch;
        let (values, inner) = workspace.split(batch * entries.len().max(components.len()));
        field::run(jacobian, batch, [x, u], &mut values[..batch * entries.len()], inner)?;
        x_bar.fill(T::ZERO);
        for (e, &(i, k)) in entries.iter().enumerate() {
            let bar = match (k * batch).checked_sub(x.len()) {
                None => &mut x_bar[lane(k)],
                Some(first) => match &mut u_bar {
                    Some(u_bar) => &mut u_bar[first..first + batch],
                    None => continue,
                },
            };
            let products = values[lane(e)].iter().zip(&v[lane(i)]);
            for (bar, (&slope, &v)) in bar.iter_mut().zip(products) {
                *bar += slope * v;
            }
        }
        if theta_bar.is_wanted() {
            fields.run(batch, [x, u], &mut values[..batch * components.len()], inner);
            for (c, &(j, i)) in components.iter().enumerate() {
                let products = values[lane(c)].iter().zip(&v[lane(i)]);
                theta_bar.add_rows(j, products.map(|(&f, &v)| f * v));
            }
        }
        Ok(())
    }
}

/// The coefficients, in the order of the terms.
impl<T: Scalar> Parameters<T> for SparseHamiltonian {
    fn num_params(&self) -> usize {
        self.terms.len()
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.terms.len())?;
        for (out, term) in out.iter_mut().zip(&self.terms) {
            *out = T::from_f64(term.coefficient);
        }
        Ok(())
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.terms.len())?;
        let theta: Vec<f64> = theta.iter().map(|c| c.to_f64()).collect();
        self.assign(&theta);
        Ok(())
    }
}

impl<T: Scalar> DifferentiableField<T> for SparseHamiltonian {
    type Residuals = SparseResiduals<T>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        residuals.u.clear();
        residuals.u.extend_from_slice(at.u);
        self.eval(at, x, dx, &mut residuals.workspace)
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = v.len() / self.state_dim();
        let inputs = self.inputs.len();
        bars.check(batch, [self.state_dim(), inputs, self.terms.len()], [x, v])?;
        let SparseResiduals { u, workspace } = residuals;
        FieldError::check_lengths(inputs * batch, [("the recorded inputs", u.len())])?;
        self.derivatives.vjp(&self.jacobian, batch, [x, u, v], bars, workspace)
    }
}
