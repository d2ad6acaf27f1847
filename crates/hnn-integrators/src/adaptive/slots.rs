//! The numbers of the trajectories under way, a lane each, and what all do at once.

use super::control::Controller;
use super::run::Settings;
use crate::simd::{Isa, Kernel};
use crate::{EmbeddedPair, Lane, Scalar, Wide};

/// Trajectories under way: each buffer holds a number for each of them, or as many as a state has,
/// coordinate-major.
#[derive(Debug, Default)]
pub(super) struct Slots<T> {
    pub(super) t: Vec<T>,
    /// Size of the next step, with its sign.
    pub(super) h: Vec<T>,
    /// Last time of the trajectory, and the next one at which its state is asked for.
    pub(super) last: Vec<T>,
    pub(super) next_time: Vec<T>,
    /// 1 or -1.
    pub(super) sign: Vec<T>,
    /// Logarithm of the last accepted error.
    pub(super) log_previous: Vec<T>,
    /// How much the step may grow: nothing after a rejection.
    pub(super) growth: Vec<T>,
    /// Length and end of the step tried, and the square of its error in units of the tolerance.
    pub(super) dt: Vec<T>,
    pub(super) t_end: Vec<T>,
    pub(super) error: Vec<T>,
    pub(super) x: Vec<T>,
    /// State at the end of the step tried: that of the method's last stage.
    pub(super) end: Vec<T>,
    /// Slopes, stage after stage.
    pub(super) slopes: Vec<T>,
}

impl<T: Scalar> Slots<T> {
    pub(super) fn new(count: usize, dim: usize, stages: usize) -> Self {
        let lane = || vec![T::ZERO; count];
        Self {
            t: lane(),
            h: lane(),
            last: lane(),
            next_time: vec![T::INFINITY; count],
            sign: vec![T::ONE; count],
            log_previous: lane(),
            growth: lane(),
            dt: lane(),
            t_end: lane(),
            error: lane(),
            x: vec![T::ZERO; dim * count],
            end: vec![T::ZERO; dim * count],
            slopes: vec![T::ZERO; stages * dim * count],
        }
    }

    pub(super) fn count(&self) -> usize {
        self.t.len()
    }

    /// Whether the step of a slot is below the spacing of numbers around its time.
    #[inline(always)]
    pub(super) fn is_too_small(&self, slot: usize) -> bool {
        let resolution = T::from_f64(10.0) * T::EPSILON * Lane::abs(self.t[slot]);
        let (h, left) = (Lane::abs(self.h[slot]), Lane::abs(self.last[slot] - self.t[slot]));
        (h <= resolution) & (h < left)
    }

    /// Whether the step tried reaches the next time at which the state is asked for.
    #[inline(always)]
    pub(super) fn has_passed(&self, slot: usize) -> bool {
        (self.t_end[slot] - self.next_time[slot]) * self.sign[slot] >= T::ZERO
    }

    /// Moves the slots to keep to the front, in order.
    pub(super) fn pack(&mut self, kept: &[usize]) {
        let count = self.count();
        for lanes in [
            &mut self.t,
            &mut self.h,
            &mut self.last,
            &mut self.next_time,
            &mut self.sign,
            &mut self.log_previous,
            &mut self.growth,
            &mut self.dt,
            &mut self.t_end,
            &mut self.error,
            &mut self.x,
            &mut self.end,
            &mut self.slopes,
        ] {
            // Only towards the front, so that nothing is overwritten unread.
            let rows = lanes.len() / count.max(1);
            for row in 0..rows {
                for (to, from) in kept.iter().enumerate() {
                    lanes[row * kept.len() + to] = lanes[row * count + from];
                }
            }
            lanes.truncate(rows * kept.len());
        }
    }
}

/// Lanes that are computed side by side here.
const W: usize = 16;

/// Sets the length and the end of every slot's next step.
pub(super) struct Plan<'a, T> {
    pub(super) slots: &'a mut Slots<T>,
    pub(super) max_step: f64,
}

impl<T: Scalar> Kernel for Plan<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let slots = self.slots;
        let limit = T::from_f64(self.max_step.min(f64::MAX));
        let limit = Wide::splat(if limit.is_finite() { limit } else { T::INFINITY });
        for at in (0..slots.count()).step_by(W) {
            let load = |lanes: &[T]| Wide::<T, W, I>::load_padded(&lanes[at..]);
            let (t, last, sign) = (load(&slots.t), load(&slots.last), load(&slots.sign));
            let h = Lane::abs(load(&slots.h));
            let size = limit.choose_le(h, limit, h);
            let remaining = last - t;
            // Stretched by up to 1 %, so that no tiny step remains.
            let (stretched, left) = (size * Wide::constant(1.01), remaining * sign);
            let dt = stretched.choose_le(left, size * sign, remaining);
            let t_end = stretched.choose_le(left, t + dt, last);
            dt.store_padded(&mut slots.dt[at..]);
            t_end.store_padded(&mut slots.t_end[at..]);
            (size * sign).store_padded(&mut slots.h[at..]);
        }
    }
}

/// Judges the step tried: the square of its error in units of the tolerance, NaN where a state is
/// not finite. Says whether some slot passes a time to save or has a step too small.
pub(super) struct Judge<'a, T> {
    pub(super) slots: &'a mut Slots<T>,
    pub(super) pair: &'a EmbeddedPair,
    pub(super) settings: &'a Settings,
}

impl<T: Scalar> Kernel for Judge<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        let Self { slots, pair, settings } = self;
        let (count, len) = (slots.count(), slots.x.len());
        let rtol = Wide::<T, W, I>::constant(settings.tolerances.rtol);
        let atol = Wide::constant(settings.tolerances.atol);
        let dim = len / count.max(1);
        let per = Wide::constant(1.0 / dim.max(1) as f64);
        let zero = Wide::splat(T::ZERO);
        for at in (0..count).step_by(W) {
            let (mut fine, mut coarse) = (zero, zero);
            for i in 0..dim {
                let of = i * count + at..(i + 1) * count;
                let x = Lane::abs(Wide::<T, W, I>::load_padded(&slots.x[of.clone()]));
                let end = Wide::<T, W, I>::load_padded(&slots.end[of.clone()]);
                let size = Lane::abs(end);
                let scale = rtol.mul_add(x.choose_le(size, size, x), atol);
                // 0, but NaN where the end is not finite.
                let finite = end * Wide::splat(T::ZERO);
                let add = |sum: Wide<T, W, I>, weights: &[f64]| {
                    let mut estimate = finite;
                    for (weight, slopes) in weights.iter().zip(slots.slopes.chunks_exact(len)) {
                        if *weight != 0.0 {
                            let slope = Wide::load_padded(&slopes[of.clone()]);
                            estimate = slope.mul_add(Wide::constant(*weight), estimate);
                        }
                    }
                    // 0/0 where the tolerance is relative and the state 0 counts as no error.
                    let ratio = estimate / scale;
                    let ratio = Lane::abs(estimate).choose_le(zero, estimate, ratio);
                    ratio.mul_add(ratio, sum)
                };
                fine = add(fine, &pair.error);
                if let Some(weights) = &pair.coarse_error {
                    coarse = add(coarse, weights);
                }
            }
            let dt = Wide::<T, W, I>::load_padded(&slots.dt[at..]);
            let mut error = dt * dt * fine * per;
            if pair.coarse_error.is_some() {
                let ratio = fine / coarse.mul_add(Wide::constant(0.01), fine);
                error *= fine.choose_le(zero, fine, ratio);
            }
            error.store_padded(&mut slots.error[at..]);
        }
        let mut any = false;
        for slot in 0..count {
            any |= slots.has_passed(slot) | slots.is_too_small(slot);
        }
        any
    }
}

/// Accepts or rejects, slot by slot, and sets the next step sizes; says whether one is rejected.
pub(super) struct Conclude<'a, T> {
    pub(super) slots: &'a mut Slots<T>,
    pub(super) control: Controller,
    /// Where the slopes of the step's end begin.
    pub(super) newest: usize,
}

impl<T: Scalar> Kernel for Conclude<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        let Self { slots, control, newest } = self;
        let (count, len) = (slots.count(), slots.x.len());
        let one = Wide::<T, W, I>::splat(T::ONE);
        for at in (0..count).step_by(W) {
            let load = |lanes: &[T]| Wide::<T, W, I>::load_padded(&lanes[at..]);
            let error = load(&slots.error);
            let (t, log_previous) = (load(&slots.t), load(&slots.log_previous));
            let (log, factor) = control.lanes(error, log_previous, load(&slots.growth));
            let most = Wide::constant(control.most());
            let (t_end, dt) = (load(&slots.t_end), load(&slots.dt));
            error.choose_le(one, t_end, t).store_padded(&mut slots.t[at..]);
            (dt * factor).store_padded(&mut slots.h[at..]);
            error.choose_le(one, log, log_previous).store_padded(&mut slots.log_previous[at..]);
            error.choose_le(one, most, one).store_padded(&mut slots.growth[at..]);
            for from in (at..len).step_by(count) {
                let of = from..from - at + count;
                let x = Wide::<T, W, I>::load_padded(&slots.x[of.clone()]);
                let end = Wide::load_padded(&slots.end[of.clone()]);
                error.choose_le(one, end, x).store_padded(&mut slots.x[of.clone()]);
                let first = Wide::<T, W, I>::load_padded(&slots.slopes[of.clone()]);
                let last = &slots.slopes[newest + of.start..newest + of.end];
                let chosen = error.choose_le(one, Wide::load_padded(last), first);
                chosen.store_padded(&mut slots.slopes[of]);
            }
        }
        let mut rejected = false;
        for error in &slots.error {
            rejected |= !(*error <= T::ONE);
        }
        rejected
    }
}
