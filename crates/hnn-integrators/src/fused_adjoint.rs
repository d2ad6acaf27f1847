//! Trajectories of the classical Runge-Kutta method with their discrete adjoint, in kernels.
//!
//! Step by step over all rows, so that memory is read and written in order: a step of some lanes
//! is loaded, computed in registers and stored. The way back recomputes the stages, and pulls the
//! cotangent back through them: by the field's own vector-Jacobian product where it has one, else
//! by its Jacobian from dual numbers.

use crate::fused::{Lanes, added, along, classical_step};
use crate::lane::{Aligned, Dual};
use crate::simd::{Isa, Kernel, dispatch};
use crate::{AnalyticField, Lane, LaneState, Scalar, Wide};

/// Coordinates whose Jacobian the kernel has room for.
const MOST_COORDINATES: usize = 8;
/// Fewer rows than this do not pay for lanes.
const LEAST_ROWS: usize = 4;

/// Fills in all states of a trajectory from the first one; says whether it could.
pub(crate) fn fly<T: Scalar, F: AnalyticField>(
    field: &F,
    batch: usize,
    times: &[T],
    states: &mut [T],
) -> bool {
    if batch < LEAST_ROWS {
        return false;
    }
    dispatch(Fly { field, batch, times, states });
    true
}

/// Pulls the cotangents of all states back to the first one; says whether it could.
pub(crate) fn pull_back<T: Scalar, F: AnalyticField>(
    field: &F,
    batch: usize,
    times: &[T],
    states: &[T],
    bars: &mut [T],
) -> bool {
    let dim = <F::State<T> as LaneState<T>>::DIM;
    if batch < LEAST_ROWS || dim > MOST_COORDINATES {
        return false;
    }
    dispatch(PullBack { field, batch, times, states, bars });
    true
}

struct Fly<'a, T, F> {
    field: &'a F,
    batch: usize,
    times: &'a [T],
    states: &'a mut [T],
}

impl<T: Scalar, F: AnalyticField> Kernel for Fly<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        match Lanes::<T, I>::COUNT {
            64 => self.fly::<I, 64>(),
            32 => self.fly::<I, 32>(),
            16 => self.fly::<I, 16>(),
            8 => self.fly::<I, 8>(),
            _ => self.fly::<I, 4>(),
        }
    }
}

impl<T: Scalar, F: AnalyticField> Fly<'_, T, F> {
    #[inline(always)]
    fn fly<I: Isa, const W: usize>(self) {
        let batch = self.batch;
        let len = <F::State<T> as LaneState<T>>::DIM * batch;
        for (step, times) in self.times.windows(2 * batch).step_by(batch).enumerate() {
            let (done, next) = self.states[step * len..(step + 2) * len].split_at_mut(len);
            for row in (0..batch).step_by(W) {
                let (t, dt) = interval::<T, I, W>(times, batch, row);
                let x = load::<T, F::State<_>, I, W>(done, batch, row);
                let end = Aligned(classical_step(self.field, t, dt, &x));
                store::<T, F::State<_>, I, W>(&end.0, next, batch, row);
            }
        }
    }
}

struct PullBack<'a, T, F> {
    field: &'a F,
    batch: usize,
    times: &'a [T],
    states: &'a [T],
    bars: &'a mut [T],
}

impl<T: Scalar, F: AnalyticField> Kernel for PullBack<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        match Lanes::<T, I>::COUNT {
            64 => self.pull_back::<I, 64>(),
            32 => self.pull_back::<I, 32>(),
            16 => self.pull_back::<I, 16>(),
            8 => self.pull_back::<I, 8>(),
            _ => self.pull_back::<I, 4>(),
        }
    }
}

impl<T: Scalar, F: AnalyticField> PullBack<'_, T, F> {
    #[inline(always)]
    fn pull_back<I: Isa, const W: usize>(self) {
        let batch = self.batch;
        let len = <F::State<T> as LaneState<T>>::DIM * batch;
        for (step, times) in self.times.windows(2 * batch).step_by(batch).enumerate().rev() {
            let states = &self.states[step * len..(step + 1) * len];
            let (own, later) = self.bars[step * len..(step + 2) * len].split_at_mut(len);
            for row in (0..batch).step_by(W) {
                let (t, dt) = interval::<T, I, W>(times, batch, row);
                let x = load::<T, F::State<_>, I, W>(states, batch, row);
                let end_bar = load::<T, F::State<_>, I, W>(later, batch, row);
                let x_bar = pull_back_step(self.field, t, dt, &x, &end_bar);
                let sum = added(&load::<T, F::State<_>, I, W>(own, batch, row), &x_bar);
                store::<T, F::State<_>, I, W>(&sum, own, batch, row);
            }
        }
    }
}

/// Times and step sizes of some rows.
#[inline(always)]
fn interval<T: Scalar, I: Isa, const W: usize>(
    times: &[T],
    batch: usize,
    row: usize,
) -> (Wide<T, W, I>, Wide<T, W, I>) {
    let (now, next) = times.split_at(batch);
    let t = Wide::load_padded(&now[row..]);
    (t, Wide::load_padded(&next[row..]) - t)
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

/// Cotangent of `x` from that of the end of its step, `o`:
/// `k_bar_i = h (b_i o + sum_(j > i) a_ji X_bar_j)`, `X_bar_i = J_i^T k_bar_i` and
/// `x_bar = o + sum_i X_bar_i` (see the adjoint over slices).
#[inline(always)]
fn pull_back_step<L: Lane, F: AnalyticField>(
    field: &F,
    t: L,
    dt: L,
    x: &F::State<L>,
    end_bar: &F::State<L>,
) -> F::State<L> {
    let (half, sixth, third) =
        (dt * L::constant(0.5), dt * L::constant(1.0 / 6.0), dt * L::constant(1.0 / 3.0));
    let p1 = Point::<L, F>::new(field, t, x);
    let p2 = Point::<L, F>::new(field, t + half, &along::<L, _>(x, half, &p1.slope));
    let p3 = Point::<L, F>::new(field, t + half, &along::<L, _>(x, half, &p2.slope));
    let p4 = Point::<L, F>::new(field, t + dt, &along::<L, _>(x, dt, &p3.slope));
    let (outer, inner) = (scaled::<L, _>(sixth, end_bar), scaled::<L, _>(third, end_bar));
    let x4 = p4.pull_back(field, &outer);
    let x3 = p3.pull_back(field, &along::<L, _>(&inner, dt, &x4));
    let x2 = p2.pull_back(field, &along::<L, _>(&inner, half, &x3));
    let x1 = p1.pull_back(field, &along::<L, _>(&outer, half, &x2));
    let stages = added::<L, _>(&added::<L, _>(&x1, &x2), &added::<L, _>(&x3, &x4));
    added::<L, _>(end_bar, &stages)
}

/// A stage: where it is, the slope there, and its derivative by each coordinate (unless the field
/// has a vector-Jacobian product of its own).
struct Point<L: Lane, F: AnalyticField> {
    t: L,
    x: F::State<L>,
    slope: F::State<L>,
    jacobian: [F::State<L>; MOST_COORDINATES],
}

impl<L: Lane, F: AnalyticField> Point<L, F> {
    #[inline(always)]
    fn new(field: &F, t: L, x: &F::State<L>) -> Self {
        let mut point = Self { t, x: *x, slope: *x, jacobian: [*x; MOST_COORDINATES] };
        if F::OWN_VJP {
            point.slope = field.eval_lanes(t, x);
            return point;
        }
        match <F::State<L> as LaneState<L>>::DIM {
            1 => point.linearise::<1>(field),
            2 => point.linearise::<2>(field),
            _ => point.linearise::<4>(field),
        }
        point
    }

    /// Slope and Jacobian, `N` directions at a time.
    #[inline(always)]
    fn linearise<const N: usize>(&mut self, field: &F) {
        let dim = <F::State<L> as LaneState<L>>::DIM;
        for first in (0..dim).step_by(N) {
            let x = F::State::<Dual<L, N>>::from_fn(|i| {
                Dual::variable(self.x.as_ref()[i], i.wrapping_sub(first))
            });
            let value = field.eval_lanes(Dual::fixed(self.t), &x);
            for i in 0..dim {
                self.slope.as_mut()[i] = value.as_ref()[i].value;
                for k in first..dim.min(first + N) {
                    self.jacobian[k].as_mut()[i] = value.as_ref()[i].tangent[k - first];
                }
            }
        }
    }

    /// `J^T v`.
    #[inline(always)]
    fn pull_back(&self, field: &F, v: &F::State<L>) -> F::State<L> {
        if F::OWN_VJP {
            return field.vjp_lanes(self.t, &self.x, v);
        }
        let mut product = *v;
        for k in 0..<F::State<L> as LaneState<L>>::DIM {
            let slope = self.jacobian[k].as_ref();
            let mut sum = slope[0] * v.as_ref()[0];
            for i in 1..slope.len() {
                sum = slope[i].mul_add(v.as_ref()[i], sum);
            }
            product.as_mut()[k] = sum;
        }
        product
    }
}

#[inline(always)]
fn scaled<L: Lane, S: LaneState<L>>(weight: L, x: &S) -> S {
    let mut product = *x;
    for i in 0..S::DIM {
        product.as_mut()[i] *= weight;
    }
    product
}
