//! Trajectories and their discrete adjoint, in kernels.
//!
//! Step by step over all rows, so that memory is read and written in order: a step of some lanes
//! is loaded, computed in registers and stored. The way back recomputes what a step went through,
//! and pulls the cotangent back through it by the field's vector-Jacobian products.

mod explicit;
mod run;
mod splitting;

pub(crate) use explicit::explicit;
pub use run::{AdjointRun, Clock, RolloutRun};
pub(crate) use splitting::splitting;

use crate::fused::added;
use crate::lane::Aligned;
use crate::lane_kernel::{LaneKernel, dispatch_lanes};
use crate::simd::Isa;
use crate::{Lane, LaneState, Scalar, Wide};

/// A step of a method over a field given by formulas.
pub(crate) trait LaneStep {
    /// `[L; D]`.
    type State<L: Lane>: LaneState<L>;
    /// What a step leaves behind for the next one to overwrite.
    type Scratch<L: Lane>;

    /// Room for a step.
    fn scratch<L: Lane>(&self) -> Self::Scratch<L>;

    /// `x(t + dt)`.
    fn advance<L: Lane>(
        &self,
        t: L,
        dt: L,
        x: &Self::State<L>,
        scratch: &mut Self::Scratch<L>,
    ) -> Self::State<L>;

    /// Cotangent of `x` from that of `x(t + dt)`.
    fn pull_back<L: Lane>(
        &self,
        t: L,
        dt: L,
        x: &Self::State<L>,
        end_bar: &Self::State<L>,
        scratch: &mut Self::Scratch<L>,
    ) -> Self::State<L>;
}

/// Either way along a trajectory.
pub(crate) enum Way<'a, 'b, T> {
    /// Fill in the states.
    There(&'a mut RolloutRun<'b, T>),
    /// Pull their cotangents back.
    Back(&'a mut AdjointRun<'b, T>),
}

impl<T: Scalar> Way<'_, '_, T> {
    /// Goes the way by the steps of a method; says whether its slices go together, else nothing is
    /// touched.
    pub(crate) fn go<S: LaneStep>(self, step: S) -> bool {
        let dim = <S::State<T> as LaneState<T>>::DIM;
        let fits = match &self {
            Way::There(run) => run.fits(dim),
            Way::Back(run) => run.fits(dim),
        };
        match self {
            _ if !fits => {}
            Way::There(run) => dispatch_lanes(run.batch, There { step, run }),
            Way::Back(run) => dispatch_lanes(run.batch, Back { step, run }),
        }
        fits
    }
}

struct There<'a, 'b, T, S> {
    step: S,
    run: &'a mut RolloutRun<'b, T>,
}

impl<T: Scalar, S: LaneStep> LaneKernel<T> for There<'_, '_, T, S> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let RolloutRun { clock, batch, states } = self.run;
        let (batch, mut scratch) = (*batch, Aligned(self.step.scratch()));
        let len = <S::State<T> as LaneState<T>>::DIM * batch;
        for step in 0..states.len() / len - 1 {
            let (done, next) = states[step * len..(step + 2) * len].split_at_mut(len);
            for row in (0..batch).step_by(W) {
                let (t, dt) = clock.interval::<I, W>(step, batch, row);
                let x = load::<T, S::State<_>, I, W>(done, batch, row);
                let end = Aligned(self.step.advance(t, dt, &x, &mut scratch.0));
                store::<T, S::State<_>, I, W>(&end.0, next, batch, row);
            }
        }
    }
}

struct Back<'a, 'b, T, S> {
    step: S,
    run: &'a mut AdjointRun<'b, T>,
}

impl<T: Scalar, S: LaneStep> LaneKernel<T> for Back<'_, '_, T, S> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let AdjointRun { clock, batch, states, states_bar } = self.run;
        let (batch, mut scratch) = (*batch, Aligned(self.step.scratch()));
        let len = <S::State<T> as LaneState<T>>::DIM * batch;
        for step in (0..states_bar.len() / len - 1).rev() {
            let states = &states[step * len..(step + 1) * len];
            let (own, later) = states_bar[step * len..(step + 2) * len].split_at_mut(len);
            for row in (0..batch).step_by(W) {
                let (t, dt) = clock.interval::<I, W>(step, batch, row);
                let x = load::<T, S::State<_>, I, W>(states, batch, row);
                let end_bar = load::<T, S::State<_>, I, W>(later, batch, row);
                let x_bar = self.step.pull_back(t, dt, &x, &end_bar, &mut scratch.0);
                let sum = added(&load::<T, S::State<_>, I, W>(own, batch, row), &x_bar);
                store::<T, S::State<_>, I, W>(&sum, own, batch, row);
            }
        }
    }
}

#[inline(always)]
fn load<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize>(
    x: &[T],
    batch: usize,
    row: usize,
) -> S {
    S::from_fn(|i| Wide::load_padded(&x[i * batch + row..(i + 1) * batch]))
}

#[inline(always)]
fn store<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize>(
    state: &S,
    out: &mut [T],
    batch: usize,
    row: usize,
) {
    for (i, lane) in state.as_ref().iter().enumerate() {
        lane.store_padded(&mut out[i * batch + row..(i + 1) * batch]);
    }
}
