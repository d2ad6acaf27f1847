//! Many steps in one kernel: the state stays in registers.
//!
//! A field given by a formula ([`AnalyticField`]) is compiled, together with the method, into one
//! loop for each instruction set. Lanes of trajectories are loaded once, advanced by all steps,
//! and stored once.

use crate::lane::Aligned;
use crate::lane_kernel::{LaneKernel, dispatch_lanes};
use crate::runge_kutta::{ExplicitRungeKutta, Rk4, Tableau};
use crate::simd::Isa;
use crate::{AnalyticField, FieldError, Lane, LaneState, Scalar, Wide};

/// Equal steps of an explicit Runge-Kutta method over a batch of `B = t.len()` states.
#[derive(Debug)]
pub struct ExplicitRun<'a, T> {
    /// The method.
    pub tableau: Tableau<'a>,
    /// Number of steps.
    pub steps: usize,
    /// Time of each row at the first step.
    pub t: &'a [T],
    /// Step size of each row.
    pub dt: &'a [T],
    /// The states, advanced in place: `D * B` numbers, coordinate-major.
    pub x: &'a mut [T],
}

/// The states of the rows from `row` on, side by side.
///
/// Not inlined, so that the caller has an aligned variable on its stack (see [`Aligned`]).
#[inline(never)]
pub(crate) fn side_by_side<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize>(
    x: &[T],
    batch: usize,
    row: usize,
) -> Aligned<S> {
    Aligned(S::from_fn(|i| Wide::load_padded(&x[i * batch + row..(i + 1) * batch])))
}

/// Stages that the kernel for any tableau has room for; longer methods step through slices.
pub(crate) const MOST_STAGES: usize = 16;

/// Runs the steps in lanes; says whether the kernel could: it has room for 16 stages, and the
/// slices must go together.
pub(crate) fn advance<T: Scalar, F: AnalyticField>(
    field: &F,
    run: &mut ExplicitRun<'_, T>,
) -> bool {
    let dim = <F::State<T> as LaneState<T>>::DIM;
    let fits = FieldError::check_step(dim, (run.t, run.dt), [("the states", run.x.len())]).is_ok();
    if !fits || run.tableau.stages() > MOST_STAGES {
        return false;
    }
    dispatch_lanes(run.t.len(), Advance { field, run });
    true
}

struct Advance<'a, 'b, T, F> {
    field: &'a F,
    run: &'a mut ExplicitRun<'b, T>,
}

impl<T: Scalar, F: AnalyticField> LaneKernel<T> for Advance<'_, '_, T, F> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(mut self) {
        for row in (0..self.run.t.len()).step_by(W) {
            self.advance_at::<I, W>(row);
        }
    }
}

impl<T: Scalar, F: AnalyticField> Advance<'_, '_, T, F> {
    #[inline(always)]
    fn advance_at<I: Isa, const W: usize>(&mut self, row: usize) {
        let batch = self.run.t.len();
        let t = Wide::<T, W, I>::load_padded(&self.run.t[row..]);
        let dt = Wide::<T, W, I>::load_padded(&self.run.dt[row..]);
        let x = side_by_side::<T, F::State<_>, I, W>(self.run.x, batch, row).0;
        let x = if self.run.tableau == Rk4.tableau() {
            classical(self.field, self.run.steps, t, dt, x)
        } else {
            general(self.field, &self.run.tableau, self.run.steps, t, dt, x)
        };
        for (i, lane) in x.as_ref().iter().enumerate() {
            lane.store_padded(&mut self.run.x[i * batch + row..(i + 1) * batch]);
        }
    }
}

/// The classical method.
#[inline(always)]
fn classical<L: Lane, F: AnalyticField>(
    field: &F,
    steps: usize,
    t0: L,
    dt: L,
    mut x: F::State<L>,
) -> F::State<L> {
    for step in 0..steps {
        let t = dt.mul_add(L::splat(L::Scalar::from_usize(step)), t0);
        x = classical_step(field, t, dt, &x);
    }
    x
}

/// A step of the classical method, its coefficients in the code.
#[inline(always)]
pub(crate) fn classical_step<L: Lane, F: AnalyticField>(
    field: &F,
    t: L,
    dt: L,
    x: &F::State<L>,
) -> F::State<L> {
    let (half, sixth, two) = (dt * L::constant(0.5), dt * L::constant(1.0 / 6.0), L::constant(2.0));
    let k1 = field.eval_lanes(t, x);
    let k2 = field.eval_lanes(t + half, &along::<L, _>(x, half, &k1));
    let k3 = field.eval_lanes(t + half, &along::<L, _>(x, half, &k2));
    let sum = along::<L, _>(&k1, two, &added::<L, _>(&k2, &k3));
    let k4 = field.eval_lanes(t + dt, &along::<L, _>(x, dt, &k3));
    along::<L, _>(x, sixth, &added::<L, _>(&sum, &k4))
}

/// Any tableau.
#[inline(always)]
fn general<L: Lane, F: AnalyticField>(
    field: &F,
    tableau: &Tableau<'_>,
    steps: usize,
    t0: L,
    dt: L,
    mut x: F::State<L>,
) -> F::State<L> {
    let zero = F::State::<L>::from_fn(|_| L::constant(0.0));
    let mut slopes = [zero; MOST_STAGES];
    for step in 0..steps {
        let t = dt.mul_add(L::splat(L::Scalar::from_usize(step)), t0);
        x = general_step(field, tableau, t, dt, &x, &mut slopes);
    }
    x
}

/// A step of any tableau with at most 16 stages.
#[inline(always)]
pub(crate) fn general_step<L: Lane, F: AnalyticField>(
    field: &F,
    tableau: &Tableau<'_>,
    t: L,
    dt: L,
    x: &F::State<L>,
    slopes: &mut [F::State<L>; MOST_STAGES],
) -> F::State<L> {
    let zero = F::State::<L>::from_fn(|_| L::constant(0.0));
    for i in 0..tableau.stages() {
        let stage = along::<L, _>(x, dt, &weighted::<L, _>(tableau.row(i), &*slopes, zero));
        slopes[i] = field.eval_lanes(dt.mul_add(L::constant(tableau.c[i]), t), &stage);
    }
    along::<L, _>(x, dt, &weighted::<L, _>(tableau.b, &*slopes, zero))
}

/// `x + h k`.
///
/// (Loops here, not closures: a closure that is not inlined is compiled for the baseline.)
#[inline(always)]
pub(crate) fn along<L: Lane, S: LaneState<L>>(x: &S, h: L, k: &S) -> S {
    let mut sum = *x;
    for i in 0..S::DIM {
        sum.as_mut()[i] = h.mul_add(k.as_ref()[i], x.as_ref()[i]);
    }
    sum
}

#[inline(always)]
pub(crate) fn added<L: Lane, S: LaneState<L>>(a: &S, b: &S) -> S {
    let mut sum = *a;
    for i in 0..S::DIM {
        sum.as_mut()[i] += b.as_ref()[i];
    }
    sum
}

/// `sum_j weights_j slopes_j`; stages of weight 0 are skipped.
#[inline(always)]
pub(crate) fn weighted<L: Lane, S: LaneState<L>>(weights: &[f64], slopes: &[S], zero: S) -> S {
    let mut sum = zero;
    for (weight, slope) in weights.iter().zip(slopes) {
        if *weight != 0.0 {
            sum = along::<L, _>(&sum, L::constant(*weight), slope);
        }
    }
    sum
}
