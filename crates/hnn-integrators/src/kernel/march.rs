//! Steps of a method, forward and backward, in lanes.
//!
//! Lanes of rows are loaded once, taken through all steps in registers, and stored: at the end, or
//! after each step where the states are kept.

use super::lanes::{LaneKernel, try_lanes};
use super::state::{added, load, load_aligned, store};
use super::{Backward, Clock, Forward};
use crate::lane::Aligned;
use crate::simd::Isa;
use crate::{Lane, LaneState, Scalar, Wide};

/// A method, applied to a field given by formulas.
pub(super) trait Steps {
    /// `[L; D]`.
    type State<L: Lane>: LaneState<L>;
    /// What a step leaves behind for the next one to overwrite.
    type Scratch<L: Lane>;

    /// Room for a step.
    fn scratch<L: Lane>(&self) -> Self::Scratch<L>;

    /// What the first step at `x(t)` finds left behind.
    #[inline(always)]
    fn begin<L: Lane>(&self, _t: L, _x: &Self::State<L>, _scratch: &mut Self::Scratch<L>) {}

    /// `x(end) = x(t + steps dt)` by so many equal steps.
    fn march<L: Lane>(
        &self,
        steps: usize,
        t_and_end: [L; 2],
        dt: L,
        x: &Self::State<L>,
        scratch: &mut Self::Scratch<L>,
    ) -> Self::State<L>;
}

/// Its discrete adjoint: [`pull_back`](Self::pull_back) from the last step to the first one, then
/// [`finish`](Self::finish).
pub(super) trait Adjoint: Steps {
    /// Cotangent of `x` from that of `x(t + dt)`, both of which are known.
    fn pull_back<L: Lane>(
        &self,
        t: L,
        dt: L,
        x_and_end: (&Self::State<L>, &Self::State<L>),
        end_bar: &Self::State<L>,
        scratch: &mut Self::Scratch<L>,
    ) -> Self::State<L>;

    /// What the way back has put off, at the first state: the total cotangent there.
    #[inline(always)]
    fn finish<L: Lane>(
        &self,
        _t: L,
        _x: &Self::State<L>,
        bar: Self::State<L>,
        _scratch: &mut Self::Scratch<L>,
    ) -> Self::State<L> {
        bar
    }
}

/// The steps of a run; says whether this processor has kernels.
pub(super) fn forward<T: Scalar, S: Steps>(method: S, run: &mut Forward<'_, T>) -> bool {
    try_lanes(run.batch, March { method, run })
}

/// Their adjoint, likewise.
pub(super) fn backward<T: Scalar, S: Adjoint>(method: S, run: &mut Backward<'_, T>) -> bool {
    try_lanes(run.batch, PullBack { method, run })
}

struct March<'a, 'b, T, S> {
    method: S,
    run: &'a mut Forward<'b, T>,
}

impl<T: Scalar, S: Steps> LaneKernel<T> for March<'_, '_, T, S> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let Forward { clock, batch, steps, states } = self.run;
        let (clock, batch, steps) = (*clock, *batch, *steps);
        let len = <S::State<T> as LaneState<T>>::DIM * batch;
        let keeps = states.len() > len;
        // Times of their own need a step at a time, and so do states that are kept.
        let one_by_one = keeps || matches!(clock, Clock::Times(_));
        let (rounds, at_once) = if one_by_one { (steps, 1) } else { (1, steps) };
        let mut scratch = Aligned(self.method.scratch());
        let mut row = 0;
        while row < batch {
            let mut x = load_aligned::<T, S::State<_>, I, W>(&states[..len], batch, row);
            let mut step = 0;
            if steps > 0 {
                let (t, _) = clock.interval::<I, W>(0, batch, row);
                self.method.begin(t, &x.0, &mut scratch.0);
            }
            while step < rounds {
                let (t, dt) = clock.interval::<I, W>(step, batch, row);
                let end = clock.time::<I, W>(step + at_once, batch, row);
                x = Aligned(self.method.march(at_once, [t, end], dt, &x.0, &mut scratch.0));
                if keeps {
                    let out = &mut states[(step + 1) * len..(step + 2) * len];
                    store::<T, S::State<_>, I, W>(&x.0, out, batch, row);
                }
                step += 1;
            }
            if !keeps {
                store::<T, S::State<_>, I, W>(&x.0, states, batch, row);
            }
            row += W;
        }
    }
}

struct PullBack<'a, 'b, T, S> {
    method: S,
    run: &'a mut Backward<'b, T>,
}

impl<T: Scalar, S: Adjoint> LaneKernel<T> for PullBack<'_, '_, T, S> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let Backward { clock, batch, steps, states, states_bar } = self.run;
        let (clock, batch, steps) = (*clock, *batch, *steps);
        let len = <S::State<T> as LaneState<T>>::DIM * batch;
        let mut scratch = Aligned(self.method.scratch());
        let mut row = 0;
        while row < batch {
            let own = |step: usize| step * len..(step + 1) * len;
            let mut bar = load_aligned::<T, S::State<_>, I, W>(&states_bar[own(steps)], batch, row);
            let mut left = steps;
            while left > 0 {
                left -= 1;
                let step = left;
                let (t, dt) = clock.interval::<I, W>(step, batch, row);
                let x = load::<T, S::State<_>, I, W>(&states[own(step)], batch, row);
                let end = load::<T, S::State<_>, I, W>(&states[own(step + 1)], batch, row);
                let pulled = self.method.pull_back(t, dt, (&x, &end), &bar.0, &mut scratch.0);
                let given = load::<T, S::State<_>, I, W>(&states_bar[own(step)], batch, row);
                bar = Aligned(added(&given, &pulled));
            }
            if steps > 0 {
                let (t, _) = clock.interval::<I, W>(0, batch, row);
                let x = load::<T, S::State<_>, I, W>(&states[own(0)], batch, row);
                bar = Aligned(self.method.finish(t, &x, bar.0, &mut scratch.0));
            }
            store::<T, S::State<_>, I, W>(&bar.0, &mut states_bar[..len], batch, row);
            row += W;
        }
    }
}

impl<T: Scalar> Clock<'_, T> {
    /// Time and step size of the rows from `row` on in a step.
    #[inline(always)]
    fn interval<I: Isa, const W: usize>(
        &self,
        step: usize,
        batch: usize,
        row: usize,
    ) -> (Wide<T, W, I>, Wide<T, W, I>) {
        let t = self.time::<I, W>(step, batch, row);
        match self {
            Clock::Equal { dt, .. } => (t, Wide::load_padded(&dt[row..])),
            Clock::Times(_) => (t, self.time::<I, W>(step + 1, batch, row) - t),
        }
    }

    /// Time of the rows from `row` on at a state.
    #[inline(always)]
    fn time<I: Isa, const W: usize>(
        &self,
        state: usize,
        batch: usize,
        row: usize,
    ) -> Wide<T, W, I> {
        match *self {
            Clock::Equal { t, dt, first } => {
                let (t, dt) =
                    (Wide::load_padded(&t[row..]), Wide::<T, W, I>::load_padded(&dt[row..]));
                dt.mul_add(Wide::splat(T::from_usize(first + state)), t)
            }
            Clock::Times(times) => {
                Wide::load_padded(&times[state * batch..(state + 1) * batch][row..])
            }
        }
    }
}
