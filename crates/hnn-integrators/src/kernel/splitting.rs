//! Splitting methods: each flow moves one half of the state by a function of the other (see the
//! adjoint over slices).

use super::Way;
use super::march::{self, Adjoint, Steps};
use super::state::{added, along, scaled, zero};
use crate::formula::{Force, Velocity};
use crate::method::Substep;
use crate::{AnalyticField, AnalyticSeparable, Flow, Lane, LaneState, Scalar, Splitting};

/// Flows that the kernel has room for; longer methods step through slices.
const MOST_FLOWS: usize = 48;

/// Goes either way by a splitting method; says whether there is room for its flows.
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
    true
}

struct Flows<'a, F: ?Sized> {
    field: &'a F,
    method: &'a Splitting,
}

/// The half state that each flow read, and when.
struct Read<L, H> {
    halves: [H; MOST_FLOWS],
    times: [L; MOST_FLOWS],
}

impl<F: AnalyticSeparable + ?Sized> Flows<'_, F> {
    /// One flow, in place.
    #[inline(always)]
    fn flow<L: Lane>(&self, step: Substep, now: L, dt: L, q: &mut F::Half<L>, p: &mut F::Half<L>) {
        let size = dt * L::constant(step.length);
        match step.flow {
            Flow::Drift => *q = along::<L, _>(q, size, &self.field.velocity_lanes(p)),
            Flow::Kick => *p = along::<L, _>(p, size, &self.field.force_lanes(now, q)),
        }
    }
}

impl<F: AnalyticSeparable + ?Sized> Steps for Flows<'_, F> {
    type State<L: Lane> = F::State<L>;
    type Scratch<L: Lane> = Read<L, F::Half<L>>;

    #[inline(always)]
    fn scratch<L: Lane>(&self) -> Read<L, F::Half<L>> {
        let half = zero::<L, F::Half<L>>();
        Read { halves: [half; MOST_FLOWS], times: [L::constant(0.0); MOST_FLOWS] }
    }

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
        for step in self.method.walk(steps) {
            let now = dt.mul_add(L::constant(step.clock), t);
            self.flow(step, now, dt, &mut q, &mut p);
        }
        whole::<L, F>(&q, &p)
    }
}

impl<F: AnalyticSeparable + ?Sized> Adjoint for Flows<'_, F> {
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
        let flows = self.method.lengths().len();
        for (i, step) in self.method.walk(1).enumerate() {
            let now = dt.mul_add(L::constant(step.clock), t);
            read.halves[i] = if step.flow == Flow::Drift { p } else { q };
            read.times[i] = now;
            // What the last flow moves is not read again.
            if i + 1 < flows {
                self.flow(step, now, dt, &mut q, &mut p);
            }
        }
        let (mut q_bar, mut p_bar) = halves::<L, F>(end_bar);
        for (i, step) in (0..flows).rev().zip(self.method.walk_back()) {
            let (now, half) = (read.times[i], &read.halves[i]);
            let size = dt * L::constant(step.length);
            match step.flow {
                Flow::Drift => {
                    let v = scaled::<L, _>(size, &q_bar);
                    let bar = Velocity(self.field).vjp_lanes(now, half, &v);
                    p_bar = added::<L, _>(&p_bar, &bar);
                }
                Flow::Kick => {
                    let v = scaled::<L, _>(size, &p_bar);
                    let bar = Force(self.field).vjp_lanes(now, half, &v);
                    q_bar = added::<L, _>(&q_bar, &bar);
                }
            }
        }
        whole::<L, F>(&q_bar, &p_bar)
    }
}

/// Positions and momenta.
#[inline(always)]
fn halves<L: Lane, F: AnalyticSeparable + ?Sized>(x: &F::State<L>) -> (F::Half<L>, F::Half<L>) {
    let (x, n) = (x.as_ref(), <F::Half<L> as LaneState<L>>::DIM);
    (F::Half::from_fn(|i| x[i]), F::Half::from_fn(|i| x[n + i]))
}

#[inline(always)]
fn whole<L: Lane, F: AnalyticSeparable + ?Sized>(q: &F::Half<L>, p: &F::Half<L>) -> F::State<L> {
    let n = <F::Half<L> as LaneState<L>>::DIM;
    F::State::from_fn(|i| if i < n { q.as_ref()[i] } else { p.as_ref()[i - n] })
}
