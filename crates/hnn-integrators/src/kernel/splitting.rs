//! Splitting methods: each flow moves one half of the state by a function of the other (see the
//! adjoint over slices).

use super::Way;
use super::march::{self, Adjoint, Steps};
use super::state::{added, along, for_each_coordinate, scaled, zero};
use crate::formula::{Force, Velocity};
use crate::{AnalyticField, AnalyticSeparable, Flow, Lane, LaneState, Scalar, Splitting};

/// Flows that the kernel has room for; longer methods step through slices.
const MOST_FLOWS: usize = 48;

/// Goes either way by a splitting method; says whether it could: there is room for so many
/// flows.
pub(super) fn march<T: Scalar, F: AnalyticSeparable + ?Sized>(
    field: &F,
    method: &Splitting,
    way: &mut Way<'_, T>,
) -> bool {
    let halves = 2 * <F::Half<T> as LaneState<T>>::DIM == <F::State<T> as LaneState<T>>::DIM;
    if !halves || method.lengths().len() > MOST_FLOWS {
        return false;
    }
    match way {
        Way::Forward(run) => march::forward(Flows { field, method }, run),
        Way::Backward(run) => march::backward(Flows { field, method }, run),
    }
}

struct Flows<'a, F: ?Sized> {
    field: &'a F,
    method: &'a Splitting,
}

/// What the flows of a step leave behind.
struct Left<H> {
    /// Of methods whose steps merge: the slope of the last flow, which is that of the next step's first
    /// one, too.
    slope: H,
    /// The half state that each flow read.
    halves: [H; MOST_FLOWS],
    /// The cotangent still to be pulled back through a step's first flow, which is the last one of the
    /// step before.
    open: H,
}

impl<F: AnalyticSeparable + ?Sized> Flows<'_, F> {
    #[inline(always)]
    fn velocity_bar<L: Lane>(&self, p: &F::Half<L>, v: &F::Half<L>) -> F::Half<L> {
        Velocity(self.field).vjp_lanes(L::constant(0.0), p, v)
    }

    #[inline(always)]
    fn force_bar<L: Lane>(&self, now: L, q: &F::Half<L>, v: &F::Half<L>) -> F::Half<L> {
        Force(self.field).vjp_lanes(now, q, v)
    }

    /// Through a step of Verlet's method, or of another one with two kicks and a drift between: what the
    /// kicks read is known, and what the drift reads is not computed where velocities are linear in it.
    #[inline(always)]
    fn pull_back_verlet<L: Lane>(
        &self,
        [first, drift, last]: [L; 3],
        (t, dt): (L, L),
        (x, end): (&F::State<L>, &F::State<L>),
        end_bar: &F::State<L>,
        open: &mut F::Half<L>,
    ) -> F::State<L> {
        let ((q, p), (q_end, _)) = (halves::<L, F>(x), halves::<L, F>(end));
        let (mut q_bar, mut p_bar) = halves::<L, F>(end_bar);
        let half = along::<L, _>(&p, dt * first, &self.field.force_lanes(t, &q));
        let v = along::<L, _>(open, dt * last, &p_bar);
        q_bar = added::<L, _>(&q_bar, &self.force_bar(t + dt, &q_end, &v));
        let v = scaled::<L, _>(dt * drift, &q_bar);
        p_bar = added::<L, _>(&p_bar, &self.velocity_bar(&half, &v));
        *open = scaled::<L, _>(dt * first, &p_bar);
        whole::<L, F>(&q_bar, &p_bar)
    }
}

impl<F: AnalyticSeparable + ?Sized> Steps for Flows<'_, F> {
    type State<L: Lane> = F::State<L>;
    type Scratch<L: Lane> = Left<F::Half<L>>;

    #[inline(always)]
    fn scratch<L: Lane>(&self) -> Left<F::Half<L>> {
        let half = zero::<L, F::Half<L>>();
        Left { slope: half, halves: [half; MOST_FLOWS], open: half }
    }

    #[inline(always)]
    fn begin<L: Lane>(&self, t: L, x: &F::State<L>, left: &mut Left<F::Half<L>>) {
        let (q, p) = halves::<L, F>(x);
        if self.method.merges() {
            left.slope = match self.method.first() {
                Flow::Kick => self.field.force_lanes(t, &q),
                Flow::Drift => self.field.velocity_lanes(&p),
            };
        }
    }

    /// Flows in pairs (the second kind, then the first), after an opening flow where steps merge:
    /// no flow is chosen inside the loop.
    #[inline(always)]
    fn march<L: Lane>(
        &self,
        steps: usize,
        [t, end]: [L; 2],
        dt: L,
        x: &F::State<L>,
        left: &mut Left<F::Half<L>>,
    ) -> F::State<L> {
        let (mut q, mut p) = halves::<L, F>(x);
        let (merges, kick_first) = (self.method.merges(), self.method.first() == Flow::Kick);
        let lengths = self.method.lengths();
        let (opening, pairs) = if merges { (lengths[0], &lengths[1..]) } else { (0.0, lengths) };
        let size = |length: f64| dt * L::constant(length);
        let (mut clock, mut slope) = (0.0, left.slope);
        if merges && kick_first {
            p = along::<L, _>(&p, size(opening), &slope);
        } else if merges {
            q = along::<L, _>(&q, size(opening), &slope);
            clock = opening;
        }
        // After an opening kick the pairs are (drift, kick); an even method begins with its own kind.
        let drift_first = kick_first == merges;
        let mut step = 0;
        while step < steps {
            for (k, pair) in pairs.chunks_exact(2).enumerate() {
                let (is_last, merged) = (2 * k + 2 == pairs.len(), merges && step + 1 < steps);
                let length = if is_last && merged { pair[1] + opening } else { pair[1] };
                let (first, second) = (pair[0], length);
                if drift_first {
                    q = along::<L, _>(&q, size(first), &self.field.velocity_lanes(&p));
                    clock += first;
                    let now = dt.mul_add(L::constant(clock), t);
                    // The very time at which the next step begins.
                    let now = if is_last && merges && step + 1 == steps { end } else { now };
                    slope = self.field.force_lanes(now, &q);
                    p = along::<L, _>(&p, size(second), &slope);
                } else {
                    let force = self.field.force_lanes(dt.mul_add(L::constant(clock), t), &q);
                    p = along::<L, _>(&p, size(first), &force);
                    slope = self.field.velocity_lanes(&p);
                    q = along::<L, _>(&q, size(second), &slope);
                    clock += second;
                }
            }
            step += 1;
        }
        left.slope = slope;
        whole::<L, F>(&q, &p)
    }
}

impl<F: AnalyticSeparable + ?Sized> Adjoint for Flows<'_, F> {
    /// A flow that ends a step and the one that begins the next read the same half state: both are
    /// pulled back at once, with the earlier of the two steps.
    #[inline(always)]
    fn pull_back<L: Lane>(
        &self,
        t: L,
        dt: L,
        (x, end): (&F::State<L>, &F::State<L>),
        end_bar: &F::State<L>,
        left: &mut Left<F::Half<L>>,
    ) -> F::State<L> {
        if let (Flow::Kick, &[first, drift, last]) = (self.method.first(), self.method.lengths()) {
            let lengths = [first, drift, last].map(L::constant);
            return self.pull_back_verlet(lengths, (t, dt), (x, end), end_bar, &mut left.open);
        }
        let (mut q, mut p) = halves::<L, F>(x);
        let (lengths, merges) = (self.method.lengths(), self.method.merges());
        let (last, size) = (lengths.len() - 1, |length: f64| dt * L::constant(length));
        let (mut i, mut kicks, mut clock) = (0, self.method.first() == Flow::Kick, 0.0);
        // What the last flow moves is not read again.
        while i < last {
            if kicks {
                left.halves[i] = q;
                let force = self.field.force_lanes(dt.mul_add(L::constant(clock), t), &q);
                p = along::<L, _>(&p, size(lengths[i]), &force);
            } else {
                left.halves[i] = p;
                q = along::<L, _>(&q, size(lengths[i]), &self.field.velocity_lanes(&p));
                clock += lengths[i];
            }
            (i, kicks) = (i + 1, !kicks);
        }
        left.halves[last] = if kicks { q } else { p };
        let (mut q_bar, mut p_bar) = halves::<L, F>(end_bar);
        loop {
            let mut v = scaled::<L, _>(size(lengths[i]), if kicks { &p_bar } else { &q_bar });
            if merges && i == last {
                v = added::<L, _>(&v, &left.open);
            }
            if merges && i == 0 {
                left.open = v;
            } else if kicks {
                let now = dt.mul_add(L::constant(clock), t);
                q_bar = added::<L, _>(&q_bar, &self.force_bar(now, &left.halves[i], &v));
            } else {
                p_bar = added::<L, _>(&p_bar, &self.velocity_bar(&left.halves[i], &v));
            }
            if i == 0 {
                return whole::<L, F>(&q_bar, &p_bar);
            }
            (i, kicks) = (i - 1, !kicks);
            if !kicks {
                clock -= lengths[i];
            }
        }
    }

    #[inline(always)]
    fn finish<L: Lane>(
        &self,
        t: L,
        x: &F::State<L>,
        bar: F::State<L>,
        left: &mut Left<F::Half<L>>,
    ) -> F::State<L> {
        if !self.method.merges() {
            return bar;
        }
        let ((q, p), (mut q_bar, mut p_bar)) = (halves::<L, F>(x), halves::<L, F>(&bar));
        match self.method.first() {
            Flow::Drift => p_bar = added::<L, _>(&p_bar, &self.velocity_bar(&p, &left.open)),
            Flow::Kick => q_bar = added::<L, _>(&q_bar, &self.force_bar(t, &q, &left.open)),
        }
        left.open = zero::<L, F::Half<L>>();
        whole::<L, F>(&q_bar, &p_bar)
    }
}

/// Positions and momenta.
#[inline(always)]
fn halves<L: Lane, F: AnalyticSeparable + ?Sized>(x: &F::State<L>) -> (F::Half<L>, F::Half<L>) {
    let (mut q, mut p) = (zero::<L, F::Half<L>>(), zero::<L, F::Half<L>>());
    let n = <F::Half<L> as LaneState<L>>::DIM;
    let (x, first, second) = (x.as_ref(), q.as_mut(), p.as_mut());
    for_each_coordinate!(F::Half<L>, i => {
        (first[i], second[i]) = (x[i], x[n + i]);
    });
    (q, p)
}

#[inline(always)]
fn whole<L: Lane, F: AnalyticSeparable + ?Sized>(q: &F::Half<L>, p: &F::Half<L>) -> F::State<L> {
    let mut x = zero::<L, F::State<L>>();
    let n = <F::Half<L> as LaneState<L>>::DIM;
    let (lanes, q, p) = (x.as_mut(), q.as_ref(), p.as_ref());
    for_each_coordinate!(F::Half<L>, i => {
        (lanes[i], lanes[n + i]) = (q[i], p[i]);
    });
    x
}
