//! Steps of many trajectories, each with a size of its own.

use super::control::Controller;
use super::lanes::{LaneKernel, dispatch_lanes, try_lanes};
use super::slots::{Clocks, Slots, least_error, relative_error};
use super::state::{MOST_STAGES, along, load, store, weighted, zero};
use crate::lane::Aligned;
use crate::simd::Isa;
use crate::{AnalyticField, EmbeddedPair, Lane, LaneState, Scalar, Tolerances, Wide};

/// Steps of an embedded pair in all slots, until one of them needs attention.
#[derive(Debug)]
pub(crate) struct AdaptiveSteps<'a, T> {
    pub(crate) slots: &'a mut Slots<T>,
    pub(crate) law: Law<'a, T>,
    /// Steps tried so far, and how many may be tried before the slots need attention anyway.
    pub(crate) round: &'a mut usize,
    pub(crate) deadline: usize,
    /// How many slots whose trajectory has come to its end may wait for attention, at rest.
    pub(crate) patience: usize,
    /// How many slots go side by side: told where there are none.
    pub(crate) width: &'a mut usize,
}

/// By what steps are taken and judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Law<'a, T> {
    pub(crate) pair: &'a EmbeddedPair,
    pub(crate) control: Controller,
    pub(crate) tolerances: Tolerances,
    pub(crate) max_step: T,
}

/// Takes the steps with the field inside; says whether there is room for the pair's stages. The
/// last one is judged, but not concluded.
pub(super) fn run<T: Scalar, F: AnalyticField + ?Sized>(
    field: &F,
    steps: &mut AdaptiveSteps<'_, T>,
) -> bool {
    let (dim, count) = (<F::State<T> as LaneState<T>>::DIM, steps.slots.count());
    let stages = steps.law.pair.tableau.stages();
    let fits = steps.slots.x.len() == dim * count
        && steps.slots.slopes.len() >= stages * dim * count
        && stages <= MOST_STAGES;
    fits && try_lanes(count, Run { field, steps })
}

struct Run<'r, 'a, T, F: ?Sized> {
    field: &'r F,
    steps: &'r mut AdaptiveSteps<'a, T>,
}

impl<T: Scalar, F: AnalyticField + ?Sized> LaneKernel<T> for Run<'_, '_, T, F> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        // A trajectory alone waits for one operation after another: it is worth code of its own.
        if W == 1 && self.steps.law.pair.tableau.stages() == 7 {
            self.run_stages::<I, W, 7>();
        } else {
            self.run_stages::<I, W, 0>();
        }
    }
}

impl<T: Scalar, F: AnalyticField + ?Sized> Run<'_, '_, T, F> {
    /// With `S` stages; with as many as the pair has where it is 0.
    #[inline(always)]
    fn run_stages<I: Isa, const W: usize, const S: usize>(self) {
        let AdaptiveSteps { slots, law, round, deadline, patience, width } = self.steps;
        let (dim, count) = (<F::State<T> as LaneState<T>>::DIM, slots.count());
        **width = W;
        if count == 0 || count > W {
            return;
        }
        let len = dim * count;
        let stages = if S > 0 { S } else { law.pair.tableau.stages() };
        let mut clocks = Aligned(Clocks::<T, W, I>::load(slots, 0));
        let mut x = Aligned(load::<T, F::State<_>, I, W>(&slots.x, count, 0));
        let mut slopes = Aligned([zero::<Wide<T, W, I>, F::State<_>>(); MOST_STAGES]);
        slopes.0[0] = load::<T, F::State<_>, I, W>(&slots.slopes[..len], count, 0);
        let mut least = Aligned(load::<T, F::State<_>, I, W>(&slots.least, count, 0));
        loop {
            clocks.0.plan(law.max_step);
            let (field, pair) = (self.field, law.pair);
            let (end, newest) = try_step(field, pair, stages, &clocks.0, &x.0, &mut slopes.0);
            let (dt, states) = (clocks.0.dt, [&x.0, &end, &least.0]);
            let error = combined::<T, F, I, W>(&law.pair.error[..stages], &slopes.0, &newest);
            let fine = square_sum::<T, F, I, W>(&error, dt, states, law.tolerances);
            let mut coarse = None;
            if let Some(weights) = &law.pair.coarse_error {
                let error = combined::<T, F, I, W>(&weights[..stages], &slopes.0, &newest);
                coarse = Some(square_sum::<T, F, I, W>(&error, dt, states, law.tolerances));
            }
            let attention = clocks.0.judge(dim, fine, coarse);
            **round += 1;
            let urgent = attention.any_positive()
                && (clocks.0.is_urgent(attention, *patience) || !is_finite(&newest));
            if urgent || **round >= *deadline {
                clocks.0.store(slots, 0);
                store::<T, F::State<_>, I, W>(&x.0, &mut slots.x, count, 0);
                store::<T, F::State<_>, I, W>(&least.0, &mut slots.least, count, 0);
                store::<T, F::State<_>, I, W>(&end, &mut slots.end, count, 0);
                for i in 0..stages {
                    let out = &mut slots.slopes[i * len..(i + 1) * len];
                    store::<T, F::State<_>, I, W>(&slopes.0[i], out, count, 0);
                }
                return;
            }
            clocks.0.count(slots, 0);
            for i in 0..dim {
                let (old, first) = (x.0.as_ref()[i], slopes.0[0].as_ref()[i]);
                let now = clocks.0.if_accepted(end.as_ref()[i], old);
                x.0.as_mut()[i] = now;
                least.0.as_mut()[i] = least_error(least.0.as_ref()[i], now, law.tolerances);
                slopes.0[0].as_mut()[i] = clocks.0.if_accepted(newest.as_ref()[i], first);
            }
            clocks.0.conclude(&law.control);
        }
    }
}

/// A state of a field in lanes.
type StateOf<F, T, const W: usize, I> = <F as AnalyticField>::State<Wide<T, W, I>>;

/// The state and the slope at the end of a step; its slopes are kept.
#[inline(always)]
fn try_step<T: Scalar, F: AnalyticField + ?Sized, I: Isa, const W: usize>(
    field: &F,
    pair: &EmbeddedPair,
    stages: usize,
    clocks: &Clocks<T, W, I>,
    x: &F::State<Wide<T, W, I>>,
    slopes: &mut [F::State<Wide<T, W, I>>; MOST_STAGES],
) -> (StateOf<F, T, W, I>, StateOf<F, T, W, I>) {
    let method = pair.tableau.coefficients();
    let (mut state, mut newest) = (*x, slopes[0]);
    for i in 1..stages {
        let sum = combined::<T, F, I, W>(method.row(i), slopes, &newest);
        state = along::<_, _>(x, clocks.dt, &sum);
        let node = clocks.dt.mul_add(Wide::constant(method.c[i]), clocks.t);
        newest = field.eval_lanes(node, &state);
        // Or the compiler stores it in odd pieces.
        for slope in newest.as_mut() {
            *slope = slope.in_step();
        }
        slopes[i] = newest;
    }
    (state, newest)
}

/// `sum_j weights_j slopes_j`, the last slope being `newest`.
///
/// A trajectory alone would wait for its newest slope to come back from memory, and for branches that
/// skip weights of 0; where there are many, registers for it are what is scarce.
#[inline(always)]
fn combined<T: Scalar, F: AnalyticField + ?Sized, I: Isa, const W: usize>(
    weights: &[f64],
    slopes: &[F::State<Wide<T, W, I>>],
    newest: &F::State<Wide<T, W, I>>,
) -> F::State<Wide<T, W, I>> {
    if W > 1 {
        return weighted::<_, _>(weights, slopes);
    }
    let mut sum = zero();
    let Some((last, earlier)) = weights.split_last() else { return sum };
    for (weight, slope) in earlier.iter().zip(slopes) {
        sum = along::<_, _>(&sum, Wide::constant(*weight), slope);
    }
    along::<_, _>(&sum, Wide::constant(*last), newest)
}

/// Whether a trajectory can rest at its end, where its slope is this one.
#[inline(always)]
fn is_finite<T: Scalar, I: Isa, const W: usize, S: LaneState<Wide<T, W, I>>>(slope: &S) -> bool {
    slope.as_ref().iter().all(|lane| lane.0.iter().all(|slope| slope.is_finite()))
}

/// Sum of the squares of the errors, in units of what is allowed, of a step between two states; the last
/// of the three is the least that is allowed.
#[inline(always)]
fn square_sum<T: Scalar, F: AnalyticField + ?Sized, I: Isa, const W: usize>(
    estimate: &F::State<Wide<T, W, I>>,
    dt: Wide<T, W, I>,
    [x, end, least]: [&F::State<Wide<T, W, I>>; 3],
    tolerances: Tolerances,
) -> Wide<T, W, I> {
    let mut sum = Wide::splat(T::ZERO);
    for i in 0..<F::State<T> as LaneState<T>>::DIM {
        let states = [x.as_ref()[i], end.as_ref()[i], least.as_ref()[i]];
        let error = relative_error(estimate.as_ref()[i], dt, states, tolerances);
        sum = error.mul_add(error, sum);
    }
    sum
}

/// One part of a step of all slots, where the field has no kernel.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Plan,
    /// Says whether a slot needs attention.
    Judge,
    Conclude,
}

/// Does a part of a step of all slots.
pub(crate) fn do_part<T: Scalar>(slots: &mut Slots<T>, law: &Law<'_, T>, part: Part) -> bool {
    let (count, mut attention) = (slots.count(), false);
    dispatch_lanes(count, DoPart { slots, law, part, attention: &mut attention });
    attention
}

struct DoPart<'a, 'b, T> {
    slots: &'a mut Slots<T>,
    law: &'a Law<'b, T>,
    part: Part,
    attention: &'a mut bool,
}

impl<T: Scalar> LaneKernel<T> for DoPart<'_, '_, T> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let Self { slots, law, part, attention } = self;
        let (mut sum, mut at) = (Wide::<T, W, I>::splat(T::ZERO), 0);
        while at < slots.count() {
            let mut clocks = Clocks::<T, W, I>::load(slots, at);
            match part {
                Part::Plan => clocks.plan(law.max_step),
                Part::Judge => {
                    let fine = square_sum_of(slots, &law.pair.error, at, clocks.dt, law);
                    let coarse = law.pair.coarse_error.as_ref();
                    let coarse =
                        coarse.map(|weights| square_sum_of(slots, weights, at, clocks.dt, law));
                    sum += clocks.judge(slots.dim(), fine, coarse);
                }
                Part::Conclude => {
                    clocks.count(slots, at);
                    conclude_states(slots, &clocks, at, law);
                    clocks.conclude(&law.control);
                }
            }
            clocks.store(slots, at);
            at += W;
        }
        *attention = sum.any_positive();
    }
}

/// [`square_sum`] of the slopes in the slots.
#[inline(always)]
fn square_sum_of<T: Scalar, I: Isa, const W: usize>(
    slots: &Slots<T>,
    weights: &[f64],
    at: usize,
    dt: Wide<T, W, I>,
    law: &Law<'_, T>,
) -> Wide<T, W, I> {
    let (dim, mut total) = (slots.dim(), Wide::<T, W, I>::splat(T::ZERO));
    for i in 0..dim {
        let mut estimate = Wide::<T, W, I>::splat(T::ZERO);
        for j in 0..weights.len() {
            if weights[j] != 0.0 {
                let slope = slots.lane_of::<I, W>(&slots.slopes, j * dim + i, at);
                estimate = slope.mul_add(Wide::constant(weights[j]), estimate);
            }
        }
        let (x, end) = (slots.lane_of(&slots.x, i, at), slots.lane_of(&slots.end, i, at));
        let states = [x, end, slots.lane_of(&slots.least, i, at)];
        let error = relative_error(estimate, dt, states, law.tolerances);
        total = error.mul_add(error, total);
    }
    total
}

/// States and first slopes move on where the step is accepted.
#[inline(always)]
fn conclude_states<T: Scalar, I: Isa, const W: usize>(
    slots: &mut Slots<T>,
    clocks: &Clocks<T, W, I>,
    at: usize,
    law: &Law<'_, T>,
) {
    let (count, dim) = (slots.count(), slots.dim());
    let newest = (law.pair.tableau.stages() - 1) * dim;
    for i in 0..dim {
        let of = i * count + at..(i + 1) * count;
        let (x, end) = (slots.lane_of(&slots.x, i, at), slots.lane_of(&slots.end, i, at));
        let now = clocks.if_accepted(end, x);
        now.store_padded(&mut slots.x[of.clone()]);
        let least = least_error(slots.lane_of(&slots.least, i, at), now, law.tolerances);
        least.store_padded(&mut slots.least[of.clone()]);
        let first = slots.lane_of(&slots.slopes, i, at);
        let last = slots.lane_of(&slots.slopes, newest + i, at);
        clocks.if_accepted(last, first).store_padded(&mut slots.slopes[of]);
    }
}
