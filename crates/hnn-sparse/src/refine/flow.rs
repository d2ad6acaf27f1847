//! States of many segments with their derivatives by start and coefficients, step by step.

use hnn_integrators::Workspace;

use crate::{SparseError, SparseHamiltonian};

/// `x`, `dx/dx_0` (D, D) and `dx/dtheta` (D, P) of `B` segments, each number a lane of `B`.
pub(super) struct Flow<'a> {
    model: &'a SparseHamiltonian,
    batch: usize,
    z: Vec<f64>,
    stages: [Vec<f64>; 5],
    scratch: Vec<f64>,
    workspace: Workspace<f64>,
}

impl<'a> Flow<'a> {
    /// At these starts, `D * B` numbers, coordinate-major.
    pub(super) fn new(model: &'a SparseHamiltonian, starts: &[f64]) -> Self {
        let (dim, params) = (model.state_dim(), model.terms().len());
        let batch = starts.len() / dim;
        let mut z = starts.to_vec();
        z.resize(dim * (1 + dim + params) * batch, 0.0);
        for i in 0..dim {
            let diagonal = (dim + i * dim + i) * batch;
            z[diagonal..diagonal + batch].fill(1.0);
        }
        let stages = std::array::from_fn(|_| vec![0.0; z.len()]);
        let workspace = Workspace::default();
        Self { model, batch, z, stages, scratch: vec![], workspace }
    }

    /// Steps of the classical Runge-Kutta method, each lane with a step size of its own (0: the
    /// lane stands still). The inputs go in straight lines from their values at the begin of the
    /// first step to those at the end of the last one.
    pub(super) fn advance(
        &mut self,
        steps: usize,
        dt: &[f64],
        [begin, end]: [&[f64]; 2],
    ) -> Result<(), SparseError> {
        const NODES: [f64; 4] = [0.0, 0.5, 0.5, 1.0];
        const WEIGHTS: [f64; 4] = [1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0];
        let mut stages = std::mem::take(&mut self.stages);
        let mut u = begin.to_vec();
        for step in 0..steps {
            let (point, rates) = stages.split_at_mut(1);
            for stage in 0..4 {
                point[0].copy_from_slice(&self.z);
                if stage > 0 {
                    self.add(&mut point[0], NODES[stage], dt, &rates[stage - 1]);
                }
                let share = (step as f64 + NODES[stage]) / steps as f64;
                for (u, (begin, end)) in u.iter_mut().zip(begin.iter().zip(end)) {
                    *u = begin + share * (end - begin);
                }
                self.rates(&point[0], &u, &mut rates[stage])?;
            }
            let mut next = std::mem::take(&mut self.z);
            for (weight, rate) in WEIGHTS.iter().zip(rates) {
                self.add(&mut next, *weight, dt, rate);
            }
            self.z = next;
        }
        self.stages = stages;
        Ok(())
    }

    fn add(&self, z: &mut [f64], weight: f64, dt: &[f64], rate: &[f64]) {
        let lanes = z.chunks_exact_mut(self.batch).zip(rate.chunks_exact(self.batch));
        for (z, rate) in lanes {
            for ((z, rate), dt) in z.iter_mut().zip(rate).zip(dt) {
                *z += weight * dt * rate;
            }
        }
    }

    /// `(f, J dx/dx_0, J dx/dtheta + df/dtheta)`.
    fn rates(&mut self, z: &[f64], u: &[f64], rates: &mut [f64]) -> Result<(), SparseError> {
        let (batch, dim) = (self.batch, self.model.state_dim());
        let params = self.model.terms().len();
        let lane = |k: usize| k * batch..(k + 1) * batch;
        let x = &z[..dim * batch];
        rates.fill(0.0);
        self.model.field_at(batch, [x, u], &mut rates[..dim * batch], &mut self.workspace)?;
        let entries =
            self.model.jacobian_at(batch, [x, u], &mut self.scratch, &mut self.workspace)?;
        let of_states = entries.iter().enumerate().filter(|(_, (_, k))| *k < dim);
        for (e, &(i, k)) in of_states {
            let slopes = &self.scratch[lane(e)];
            let columns = (0..dim).map(|l| (dim + i * dim + l, dim + k * dim + l));
            let first = dim + dim * dim;
            let sensitivities =
                (0..params).map(|j| (first + i * params + j, first + k * params + j));
            for (to, from) in columns.chain(sensitivities) {
                let products = slopes.iter().zip(&z[lane(from)]);
                rates[lane(to)].iter_mut().zip(products).for_each(|(r, (s, z))| *r += s * z);
            }
        }
        let components = self.model.terms_at(batch, [x, u], &mut self.scratch, &mut self.workspace);
        for (c, &(j, i)) in components.iter().enumerate() {
            let to = dim + dim * dim + i * params + j;
            rates[lane(to)].iter_mut().zip(&self.scratch[lane(c)]).for_each(|(r, f)| *r += f);
        }
        Ok(())
    }

    /// State, `dx/dx_0` (row after row) and `dx/dtheta` (row after row) of one segment.
    pub(super) fn segment(&self, lane: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let (dim, params) = (self.model.state_dim(), self.model.terms().len());
        let pick = |from: usize, count: usize| -> Vec<f64> {
            (from..from + count).map(|k| self.z[k * self.batch + lane]).collect()
        };
        (pick(0, dim), pick(dim, dim * dim), pick(dim + dim * dim, dim * params))
    }
}
