//! Steps of many trajectories, each with a size of its own.

use std::marker::PhantomData;

use super::control::Controller;
use super::lanes::{LaneKernel, dispatch_lanes, try_lanes};
use super::slots::{Clocks, Slots, least_error, relative_error};
use super::state::{MOST_STAGES, along, for_each_coordinate, load, store, weighted, zero};
use crate::lane::Aligned;
use crate::simd::{Isa, Kernel};
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

/// Takes the steps with the field inside; says whether it could: there is room for so many
/// stages. The last step is judged, but not concluded.
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
        match W {
            1 if self.steps.law.pair.tableau.stages() == 7 => self.run_stages::<I, W, 7>(),
            _ => self.run_stages::<I, W, 0>(),
        }
    }
}

impl<T: Scalar, F: AnalyticField + ?Sized> Run<'_, '_, T, F> {
    /// With `S` stages; with as many as the pair has where it is 0.
    #[inline(always)]
    fn run_stages<I: Isa, const W: usize, const S: usize>(self) {
        *self.steps.width = W;
        if self.steps.slots.count() == 0 || self.steps.slots.count() > W {
            return;
        }
        let pair = self.steps.law.pair;
        let stages = if S > 0 { S } else { pair.tableau.stages() };
        // Apart from the field, so that it is compiled once for the fields of a dimension; but what is
        // alone would wait for numbers that go through memory.
        let mut trial = match S {
            0 => I::apart(Load::<T, F::State<Wide<T, W, I>>, I, W>::new(self.steps)),
            _ => Trial::load(self.steps),
        };
        loop {
            trial.try_step(self.field, pair, stages);
            let over = match S {
                0 => I::apart(GoOn { trial: &mut trial, steps: self.steps, stages }),
                _ => trial.judge_and_go_on(self.steps, stages),
            };
            if over {
                return;
            }
        }
    }
}

/// A step of the slots, side by side, whose states are `S`.
struct Trial<T, S, I, const W: usize> {
    clocks: Aligned<Clocks<T, W, I>>,
    x: Aligned<S>,
    least: Aligned<S>,
    slopes: Aligned<[S; MOST_STAGES]>,
    /// State and slope at the end of the step.
    end: Aligned<S>,
    newest: Aligned<S>,
}

impl<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize> Trial<T, S, I, W> {
    /// The first step from where the slots are, planned.
    #[inline(always)]
    fn load(AdaptiveSteps { slots, law, .. }: &AdaptiveSteps<'_, T>) -> Self {
        let count = slots.count();
        let x = Aligned(load::<T, S, I, W>(&slots.x, count, 0));
        let least = Aligned(load::<T, S, I, W>(&slots.least, count, 0));
        let mut slopes = Aligned([zero::<Wide<T, W, I>, S>(); MOST_STAGES]);
        slopes.0[0] = load::<T, S, I, W>(&slots.slopes[..S::DIM * count], count, 0);
        let mut clocks = Aligned(Clocks::<T, W, I>::load(slots, 0));
        clocks.0.plan(law.max_step);
        Self { clocks, x, least, slopes, end: x, newest: x }
    }

    /// Sets the state and the slopes at the end of the step.
    #[inline(always)]
    fn try_step<F>(&mut self, field: &F, pair: &EmbeddedPair, stages: usize)
    where
        F: AnalyticField<State<Wide<T, W, I>> = S> + ?Sized,
    {
        let (method, x) = (pair.tableau.coefficients(), self.x.0);
        let (t, dt) = (self.clocks.0.t, self.clocks.0.dt);
        let (mut state, mut newest) = (x, self.slopes.0[0]);
        let mut i = 1;
        while i < stages {
            let sum = combined(method.row(i), &self.slopes.0, &newest);
            state = along::<_, _>(&x, dt, &sum);
            newest = field.eval_lanes(dt.mul_add(Wide::constant(method.c[i]), t), &state);
            // Or the compiler stores it in odd pieces.
            let slopes = newest.as_mut();
            for_each_coordinate!(S, i => {
                slopes[i] = slopes[i].in_step();
            });
            self.slopes.0[i] = newest;
            i += 1;
        }
        (self.end.0, self.newest.0) = (state, newest);
    }

    /// Judges the step. Where a slot needs attention, writes all back, and says so; else goes on to
    /// the next step.
    #[inline(always)]
    fn judge_and_go_on(&mut self, steps: &mut AdaptiveSteps<'_, T>, stages: usize) -> bool {
        let law = &steps.law;
        let fine = self.square_sum(&law.pair.error[..stages], law.tolerances);
        let mut coarse = None;
        if let Some(weights) = &law.pair.coarse_error {
            coarse = Some(self.square_sum(&weights[..stages], law.tolerances));
        }
        let attention = self.clocks.0.judge(S::DIM, fine, coarse);
        *steps.round += 1;
        let urgent = attention.any_positive()
            && (self.clocks.0.is_urgent(attention, steps.patience) || !is_finite(&self.newest.0));
        if urgent || *steps.round >= steps.deadline {
            self.store(steps.slots, stages);
            return true;
        }
        self.clocks.0.count(steps.slots, 0);
        self.go_on(&law.control, law.tolerances);
        self.clocks.0.plan(law.max_step);
        false
    }

    #[inline(always)]
    fn store(&self, slots: &mut Slots<T>, stages: usize) {
        let count = slots.count();
        let len = S::DIM * count;
        self.clocks.0.store(slots, 0);
        store::<T, S, I, W>(&self.x.0, &mut slots.x, count, 0);
        store::<T, S, I, W>(&self.least.0, &mut slots.least, count, 0);
        store::<T, S, I, W>(&self.end.0, &mut slots.end, count, 0);
        for i in 0..stages {
            let out = &mut slots.slopes[i * len..(i + 1) * len];
            store::<T, S, I, W>(&self.slopes.0[i], out, count, 0);
        }
    }

    /// States and first slopes move on where the step is accepted.
    #[inline(always)]
    fn go_on(&mut self, control: &Controller, tolerances: Tolerances) {
        let Self { clocks: Aligned(clocks), x, least, slopes, end, newest } = self;
        let (x, least, first) = (x.0.as_mut(), least.0.as_mut(), slopes.0[0].as_mut());
        let (end, newest) = (end.0.as_ref(), newest.0.as_ref());
        for_each_coordinate!(S, i => {
            x[i] = clocks.if_accepted(end[i], x[i]);
            least[i] = least_error(least[i], x[i], tolerances);
            first[i] = clocks.if_accepted(newest[i], first[i]);
        });
        clocks.conclude(control);
    }

    /// Sum of the squares of the errors, by these weights of the slopes, in units of what is allowed.
    #[inline(always)]
    fn square_sum(&self, weights: &[f64], tolerances: Tolerances) -> Wide<T, W, I> {
        let estimate = combined(weights, &self.slopes.0, &self.newest.0);
        let (x, end, least) = (self.x.0.as_ref(), self.end.0.as_ref(), self.least.0.as_ref());
        let (mut sum, estimate) = (Wide::splat(T::ZERO), estimate.as_ref());
        for_each_coordinate!(S, i => {
            let states = [x[i], end[i], least[i]];
            let error = relative_error(estimate[i], self.clocks.0.dt, states, tolerances);
            sum = error.mul_add(error, sum);
        });
        sum
    }
}

/// [`Trial::load`].
struct Load<'r, 'a, T, S, I, const W: usize> {
    steps: &'r AdaptiveSteps<'a, T>,
    trial: PhantomData<(S, I)>,
}

impl<'r, 'a, T, S, I, const W: usize> Load<'r, 'a, T, S, I, W> {
    #[inline(always)]
    fn new(steps: &'r AdaptiveSteps<'a, T>) -> Self {
        Self { steps, trial: PhantomData }
    }
}

impl<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize> Kernel
    for Load<'_, '_, T, S, I, W>
{
    type Output = Trial<T, S, I, W>;

    #[inline(always)]
    fn run<J: Isa>(self) -> Self::Output {
        Trial::load(self.steps)
    }
}

/// [`Trial::judge_and_go_on`].
struct GoOn<'r, 'a, T, S, I, const W: usize> {
    trial: &'r mut Trial<T, S, I, W>,
    steps: &'r mut AdaptiveSteps<'a, T>,
    stages: usize,
}

impl<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize> Kernel
    for GoOn<'_, '_, T, S, I, W>
{
    type Output = bool;

    #[inline(always)]
    fn run<J: Isa>(self) -> bool {
        self.trial.judge_and_go_on(self.steps, self.stages)
    }
}

/// `sum_j weights_j slopes_j`, the last slope being `newest`.
///
/// A trajectory alone would wait for its newest slope to come back from memory, and for branches that
/// skip weights of 0; where there are many, registers for it are what is scarce.
#[inline(always)]
fn combined<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize>(
    weights: &[f64],
    slopes: &[S],
    newest: &S,
) -> S {
    match W {
        1 => {
            let (mut sum, last) = (zero(), weights.len().saturating_sub(1));
            let mut j = 0;
            while j < last {
                sum = along::<_, _>(&sum, Wide::constant(weights[j]), &slopes[j]);
                j += 1;
            }
            match weights.last() {
                Some(weight) => along::<_, _>(&sum, Wide::constant(*weight), newest),
                None => sum,
            }
        }
        _ => weighted::<_, _>(weights, slopes),
    }
}

/// Whether a trajectory can rest at its end, where its slope is this one.
#[inline(always)]
fn is_finite<T: Scalar, I: Isa, const W: usize, S: LaneState<Wide<T, W, I>>>(slope: &S) -> bool {
    let (mut finite, slope) = (true, slope.as_ref());
    for_each_coordinate!(S, i => {
        for number in &slope[i].0 {
            finite &= number.is_finite();
        }
    });
    finite
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

/// [`Trial::square_sum`] of the slopes in the slots.
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
