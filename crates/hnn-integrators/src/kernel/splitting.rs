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

/// The half state that each flow read, and when; and the cotangent that is still to be pulled back
/// through a step's first flow, which is the last one of the step before.
struct Read<L, H> {
    halves: [H; MOST_FLOWS],
    times: [L; MOST_FLOWS],
    open: H,
}

impl<F: AnalyticSeparable + ?Sized> Flows<'_, F> {
    #[inline(always)]
    fn drift<L: Lane>(&self, length: f64, dt: L, q: &mut F::Half<L>, p: &F::Half<L>) {
        *q = along::<L, _>(q, dt * L::constant(length), &self.field.velocity_lanes(p));
    }

    #[inline(always)]
    fn kick<L: Lane>(&self, length: f64, now: L, dt: L, q: &F::Half<L>, p: &mut F::Half<L>) {
        *p = along::<L, _>(p, dt * L::constant(length), &self.field.force_lanes(now, q));
    }

    /// Pulls `v`, the cotangent of what a flow read the half state for, back to that half.
    #[inline(always)]
    fn pull_back_flow<L: Lane>(
        &self,
        flow: Flow,
        (now, half): (L, &F::Half<L>),
        v: &F::Half<L>,
        (q_bar, p_bar): (&mut F::Half<L>, &mut F::Half<L>),
    ) {
        match flow {
            Flow::Drift => {
                *p_bar = added::<L, _>(p_bar, &Velocity(self.field).vjp_lanes(now, half, v));
            }
            Flow::Kick => {
                *q_bar = added::<L, _>(q_bar, &Force(self.field).vjp_lanes(now, half, v));
            }
        }
    }
}

impl<F: AnalyticSeparable + ?Sized> Steps for Flows<'_, F> {
    type State<L: Lane> = F::State<L>;
    type Scratch<L: Lane> = Read<L, F::Half<L>>;

    #[inline(always)]
    fn scratch<L: Lane>(&self) -> Read<L, F::Half<L>> {
        let half = zero::<L, F::Half<L>>();
        Read { halves: [half; MOST_FLOWS], times: [L::constant(0.0); MOST_FLOWS], open: half }
    }

    /// Flows in pairs (the second kind, then the first), after an opening flow where steps merge:
    /// no flow is chosen inside the loop.
    #[inline(always)]
    fn march<L: Lane>(
        &self,
        steps: usize,
        t: L,
        dt: L,
        x: &F::State<L>,
        _scratch: &mut Read<L, F::Half<L>>,
    ) -> F::State<L> {
        let (mut q, mut p) = halves::<L, F>(x);
        let (merges, kick_first) = (self.method.merges(), self.method.first() == Flow::Kick);
        let lengths = self.method.lengths();
        let (opening, pairs) = if merges { (lengths[0], &lengths[1..]) } else { (0.0, lengths) };
        let mut clock = 0.0;
        if merges && kick_first {
            self.kick(opening, t, dt, &q, &mut p);
        } else if merges {
            self.drift(opening, dt, &mut q, &p);
            clock = opening;
        }
        // After an opening kick the pairs are (drift, kick); an even method begins with its own kind.
        let drift_first = kick_first == merges;
        let mut step = 0;
        while step < steps {
            for (k, pair) in pairs.chunks_exact(2).enumerate() {
                let closing = merges && step + 1 < steps && 2 * k + 2 == pairs.len();
                let (first, second) = (pair[0], if closing { pair[1] + opening } else { pair[1] });
                if drift_first {
                    self.drift(first, dt, &mut q, &p);
                    clock += first;
                    let now = dt.mul_add(L::constant(clock), t);
                    self.kick(second, now, dt, &q, &mut p);
                } else {
                    let now = dt.mul_add(L::constant(clock), t);
                    self.kick(first, now, dt, &q, &mut p);
                    self.drift(second, dt, &mut q, &p);
                    clock += second;
                }
            }
            step += 1;
        }
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
        x: &F::State<L>,
        end_bar: &F::State<L>,
        read: &mut Read<L, F::Half<L>>,
    ) -> F::State<L> {
        let (mut q, mut p) = halves::<L, F>(x);
        let (flows, merges) = (self.method.lengths().len(), self.method.merges());
        for (i, step) in self.method.walk(1).enumerate() {
            let now = dt.mul_add(L::constant(step.clock), t);
            read.times[i] = now;
            match step.flow {
                Flow::Drift => {
                    read.halves[i] = p;
                    // What the last flow moves is not read again.
                    if i + 1 < flows {
                        self.drift(step.length, dt, &mut q, &p);
                    }
                }
                Flow::Kick => {
                    read.halves[i] = q;
                    if i + 1 < flows {
                        self.kick(step.length, now, dt, &q, &mut p);
                    }
                }
            }
        }
        let (mut q_bar, mut p_bar) = halves::<L, F>(end_bar);
        for (i, step) in (0..flows).rev().zip(self.method.walk_back()) {
            let size = dt * L::constant(step.length);
            let moved = if step.flow == Flow::Drift { q_bar } else { p_bar };
            let mut v = scaled::<L, _>(size, &moved);
            if merges && i + 1 == flows {
                v = added::<L, _>(&v, &read.open);
            }
            if merges && i == 0 {
                read.open = v;
            } else {
                let at = (read.times[i], &read.halves[i]);
                self.pull_back_flow(step.flow, at, &v, (&mut q_bar, &mut p_bar));
            }
        }
        whole::<L, F>(&q_bar, &p_bar)
    }

    #[inline(always)]
    fn finish<L: Lane>(
        &self,
        t: L,
        x: &F::State<L>,
        bar: F::State<L>,
        read: &mut Read<L, F::Half<L>>,
    ) -> F::State<L> {
        if !self.method.merges() {
            return bar;
        }
        let ((q, p), (mut q_bar, mut p_bar)) = (halves::<L, F>(x), halves::<L, F>(&bar));
        let flow = self.method.first();
        let half = if flow == Flow::Drift { p } else { q };
        let open = read.open;
        read.open = zero::<L, F::Half<L>>();
        self.pull_back_flow(flow, (t, &half), &open, (&mut q_bar, &mut p_bar));
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
