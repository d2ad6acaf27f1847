//! The numbers of the trajectories under way, a lane each, and what all do at once.

use super::control::Controller;
use crate::simd::Isa;
use crate::{Lane, Scalar, Tolerances, Wide};

/// Trajectories under way: each buffer holds a number for each of them, or as many as a state has,
/// coordinate-major.
#[derive(Debug, Default)]
pub(crate) struct Slots<T> {
    pub(crate) t: Vec<T>,
    /// Size of the next step, with its sign.
    pub(crate) h: Vec<T>,
    /// Last time of the trajectory, and the next one at which its state is asked for.
    pub(crate) last: Vec<T>,
    pub(crate) next_time: Vec<T>,
    /// 1 or -1.
    pub(crate) sign: Vec<T>,
    /// Logarithm of the last accepted error.
    pub(crate) log_previous: Vec<T>,
    /// How much the step may grow: nothing after a rejection.
    pub(crate) growth: Vec<T>,
    /// Length and end of the step tried, and the square of its error in units of the tolerance.
    pub(crate) dt: Vec<T>,
    pub(crate) t_end: Vec<T>,
    pub(crate) error: Vec<T>,
    pub(crate) x: Vec<T>,
    /// The least error that each coordinate may make: as if it were a share of the largest value that it
    /// has had.
    pub(crate) least: Vec<T>,
    /// State at the end of the step tried: that of the method's last stage.
    pub(crate) end: Vec<T>,
    /// Slopes, stage after stage.
    pub(crate) slopes: Vec<T>,
    /// Steps rejected, and rounds at rest, after the last time.
    pub(crate) rejected: Vec<usize>,
    pub(crate) rested: Vec<usize>,
}

impl<T: Scalar> Slots<T> {
    pub(crate) fn new(count: usize, dim: usize, stages: usize) -> Self {
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
            least: vec![T::ZERO; dim * count],
            end: vec![T::ZERO; dim * count],
            slopes: vec![T::ZERO; stages * dim * count],
            rejected: vec![0; count],
            rested: vec![0; count],
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.t.len()
    }

    pub(crate) fn dim(&self) -> usize {
        self.x.len() / self.count().max(1)
    }

    /// Whether the step of a slot is below the spacing of numbers around its time.
    #[inline(always)]
    pub(crate) fn is_too_small(&self, slot: usize) -> bool {
        let resolution = T::from_f64(10.0) * T::EPSILON * Lane::abs(self.t[slot]);
        let (h, left) = (Lane::abs(self.h[slot]), Lane::abs(self.last[slot] - self.t[slot]));
        (h <= resolution) & (h < left)
    }

    /// Moves the slots to keep to the front, in order.
    pub(crate) fn pack(&mut self, kept: &[usize]) {
        let count = self.count();
        for counts in [&mut self.rejected, &mut self.rested] {
            for (to, from) in kept.iter().enumerate() {
                counts[to] = counts[*from];
            }
            counts.truncate(kept.len());
        }
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
            &mut self.least,
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

/// The slots from `at` on, side by side.
#[inline(always)]
fn lane<T: Scalar, I: Isa, const W: usize>(lanes: &[T], at: usize) -> Wide<T, W, I> {
    Wide::load_padded(&lanes[at..])
}

/// Times and step sizes of `W` slots, side by side.
pub(crate) struct Clocks<T, const W: usize, I> {
    pub(crate) t: Wide<T, W, I>,
    h: Wide<T, W, I>,
    last: Wide<T, W, I>,
    next_time: Wide<T, W, I>,
    sign: Wide<T, W, I>,
    log_previous: Wide<T, W, I>,
    growth: Wide<T, W, I>,
    pub(crate) dt: Wide<T, W, I>,
    t_end: Wide<T, W, I>,
    error: Wide<T, W, I>,
}

impl<T: Scalar, I: Isa, const W: usize> Clocks<T, W, I> {
    #[inline(always)]
    pub(crate) fn load(slots: &Slots<T>, at: usize) -> Self {
        Self {
            t: lane(&slots.t, at),
            h: lane(&slots.h, at),
            last: lane(&slots.last, at),
            next_time: lane(&slots.next_time, at),
            sign: lane(&slots.sign, at),
            log_previous: lane(&slots.log_previous, at),
            growth: lane(&slots.growth, at),
            dt: lane(&slots.dt, at),
            t_end: lane(&slots.t_end, at),
            error: lane(&slots.error, at),
        }
    }

    /// Writes back what [`plan`](Self::plan), [`judge`](Self::judge) and
    /// [`conclude`](Self::conclude) change.
    #[inline(always)]
    pub(crate) fn store(&self, slots: &mut Slots<T>, at: usize) {
        self.t.store_padded(&mut slots.t[at..]);
        self.h.store_padded(&mut slots.h[at..]);
        self.log_previous.store_padded(&mut slots.log_previous[at..]);
        self.growth.store_padded(&mut slots.growth[at..]);
        self.dt.store_padded(&mut slots.dt[at..]);
        self.t_end.store_padded(&mut slots.t_end[at..]);
        self.error.store_padded(&mut slots.error[at..]);
    }

    /// Sets the length and the end of the next steps.
    #[inline(always)]
    pub(crate) fn plan(&mut self, max_step: T) {
        let (limit, h) = (Wide::splat(max_step), Lane::abs(self.h));
        let size = limit.choose_le(h, limit, h);
        let remaining = self.last - self.t;
        // Stretched by up to 1 %, so that no tiny step remains.
        let (stretched, left) = (size * Wide::constant(1.01), remaining * self.sign);
        let end = self.t + size * self.sign;
        self.t_end = stretched.choose_le(left, end, self.last);
        // The state goes as far as the clock, which rounds.
        self.dt = stretched.choose_le(left, end - self.t, remaining);
        self.h = size * self.sign;
    }

    /// Judges the steps tried, from the sum of the squares of the error estimates of `dim`
    /// coordinates ([`relative_error`]) and that of the coarse ones, if the pair has them: keeps the
    /// square of the error in units of the tolerance. Above 0 where a slot passes a time to save or
    /// its step is too small.
    #[inline(always)]
    pub(crate) fn judge(
        &mut self,
        dim: usize,
        fine: Wide<T, W, I>,
        coarse: Option<Wide<T, W, I>>,
    ) -> Wide<T, W, I> {
        let (zero, one) = (Wide::splat(T::ZERO), Wide::splat(T::ONE));
        let per = Wide::constant(1.0 / dim.max(1) as f64);
        self.error = fine * per;
        if let Some(coarse) = coarse {
            let ratio = fine / coarse.mul_add(Wide::constant(0.01), fine);
            self.error *= fine.choose_le(zero, fine, ratio);
        }
        let ahead = (self.t_end - self.next_time) * self.sign;
        let passed = zero.choose_le(ahead, one, zero);
        let resolution = Lane::abs(self.t) * Wide::splat(T::from_f64(10.0) * T::EPSILON);
        let (h, left) = (Lane::abs(self.h), Lane::abs(self.last - self.t));
        let short = left.choose_le(h, zero, one);
        passed + h.choose_le(resolution, short, zero)
    }

    /// Whether slots that [`judge`](Self::judge) found in need of attention need it at once. Where the
    /// last step of a trajectory is accepted, and ends with it, the next ones are of length 0: its slot
    /// rests, and so many may.
    #[inline(always)]
    pub(crate) fn is_urgent(&self, attention: Wide<T, W, I>, patience: usize) -> bool {
        let mut resting = 0;
        for w in 0..W {
            if attention.0[w] > T::ZERO {
                let at_end = self.t_end.0[w] == self.last.0[w] && self.error.0[w] <= T::ONE;
                if !at_end || self.next_time.0[w] != self.last.0[w] {
                    return true;
                }
                resting += 1;
            }
        }
        resting > patience
    }

    /// Accepts or rejects, slot by slot, and sets the next step sizes.
    #[inline(always)]
    pub(crate) fn conclude(&mut self, control: &Controller) {
        let one = Wide::splat(T::ONE);
        let (log, factor) = control.lanes(self.error, self.log_previous, self.growth);
        self.t = self.if_accepted(self.t_end, self.t);
        self.h = self.dt * factor;
        self.log_previous = self.if_accepted(log, self.log_previous);
        self.growth = self.if_accepted(Wide::constant(control.most()), one);
    }

    /// `new` where the step is accepted, else `old`.
    ///
    /// In step, or the compiler makes masked stores of it where it is written back to the place of
    /// `old`.
    #[inline(always)]
    pub(crate) fn if_accepted(&self, new: Wide<T, W, I>, old: Wide<T, W, I>) -> Wide<T, W, I> {
        self.error.choose_le(Wide::splat(T::ONE), new, old).in_step()
    }

    /// Counts the steps rejected and the rounds at rest.
    #[inline(always)]
    pub(crate) fn count(&self, slots: &mut Slots<T>, at: usize) {
        let (zero, one) = (Wide::splat(T::ZERO), Wide::splat(T::ONE));
        if self.error.choose_le(one, zero, one).any_positive() {
            for (count, error) in slots.rejected[at..].iter_mut().zip(&self.error.0) {
                *count += usize::from(!(*error <= T::ONE));
            }
        }
        if Lane::abs(self.last - self.t).choose_le(zero, one, zero).any_positive() {
            for (w, count) in slots.rested[at..].iter_mut().take(W).enumerate() {
                *count += usize::from(self.t.0[w] == self.last.0[w]);
            }
        }
    }
}

/// The larger of two numbers; the first where the second is NaN.
#[inline(always)]
pub(crate) fn larger<T: Scalar, I: Isa, const W: usize>(
    a: Wide<T, W, I>,
    b: Wide<T, W, I>,
) -> Wide<T, W, I> {
    a.choose_le(b, b, a)
}

/// Share of its largest value so far that a coordinate counts as at least.
pub(crate) const LEAST_SHARE: f64 = 0.125;

/// The least error that a coordinate may make from a value on.
#[inline(always)]
pub(crate) fn least_error<T: Scalar, I: Isa, const W: usize>(
    least: Wide<T, W, I>,
    x: Wide<T, W, I>,
    tolerances: Tolerances,
) -> Wide<T, W, I> {
    let share = Wide::<T, W, I>::constant(LEAST_SHARE * tolerances.rtol);
    larger(least, share.mul_add(Lane::abs(x), Wide::constant(tolerances.atol)))
}

/// The error of a coordinate in units of what is allowed, from the estimate for a step of length 1
/// that goes from `x` to `end`; NaN where the end is not finite.
#[inline(always)]
pub(crate) fn relative_error<T: Scalar, I: Isa, const W: usize>(
    estimate: Wide<T, W, I>,
    dt: Wide<T, W, I>,
    [x, end, least]: [Wide<T, W, I>; 3],
    tolerances: Tolerances,
) -> Wide<T, W, I> {
    let rtol = Wide::<T, W, I>::constant(tolerances.rtol);
    let size = larger(Lane::abs(x), Lane::abs(end));
    let allowed = larger(rtol.mul_add(size, Wide::constant(tolerances.atol)), least);
    // 0 is added, but NaN where the end is not finite.
    dt.mul_add(estimate, end * Wide::splat(T::ZERO)) / allowed
}

impl<T: Scalar> Slots<T> {
    /// Number `number` of the lanes of a buffer, from slot `at` on.
    #[inline(always)]
    pub(crate) fn lane_of<I: Isa, const W: usize>(
        &self,
        buffer: &[T],
        number: usize,
        at: usize,
    ) -> Wide<T, W, I> {
        let count = self.count();
        Wide::load_padded(&buffer[number * count + at..(number + 1) * count])
    }
}
