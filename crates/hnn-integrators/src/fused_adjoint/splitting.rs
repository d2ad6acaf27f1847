//! Splitting methods: each flow is a shear (see the adjoint over slices).

use super::{LaneStep, Way};
use crate::fused::{added, along};
use crate::symplectic::{Flow, Force, Splitting, Velocity};
use crate::{AnalyticField, AnalyticSeparable, Lane, LaneState, Scalar};

/// Flows that the kernel has room for; longer methods step through slices.
const MOST_FLOWS: usize = 48;

/// Goes along a trajectory; says whether there is room for the method's flows.
pub(crate) fn splitting<T: Scalar, F: AnalyticSeparable>(
    field: &F,
    splitting: Splitting<'_>,
    way: Way<'_, '_, T>,
) -> bool {
    let halves = 2 * <F::Half<T> as LaneState<T>>::DIM == <F::State<T> as LaneState<T>>::DIM;
    halves && splitting.lengths.len() <= MOST_FLOWS && way.go(Shears { field, splitting })
}

struct Shears<'a, F> {
    field: &'a F,
    splitting: Splitting<'a>,
}

/// The half state that each flow read, and when.
struct Read<L, H> {
    halves: [H; MOST_FLOWS],
    times: [L; MOST_FLOWS],
}

impl<F: AnalyticSeparable> Shears<'_, F> {
    /// One step in place; what the flows read is kept where asked for.
    #[inline(always)]
    fn follow<L: Lane>(
        &self,
        t: L,
        dt: L,
        q: &mut F::Half<L>,
        p: &mut F::Half<L>,
        mut keep: impl FnMut(usize, L, &F::Half<L>),
    ) {
        let mut clock = 0.0;
        for (i, (flow, length)) in self.splitting.flows().enumerate() {
            let now = dt.mul_add(L::constant(clock), t);
            let size = dt * L::constant(length);
            match flow {
                Flow::Drift => {
                    keep(i, now, p);
                    *q = along::<L, _>(q, size, &self.field.velocity_lanes(p));
                    clock += length;
                }
                Flow::Kick => {
                    keep(i, now, q);
                    *p = along::<L, _>(p, size, &self.field.force_lanes(now, q));
                }
            }
        }
    }
}

impl<F: AnalyticSeparable> LaneStep for Shears<'_, F> {
    type State<L: Lane> = F::State<L>;
    type Scratch<L: Lane> = Read<L, F::Half<L>>;

    #[inline(always)]
    fn scratch<L: Lane>(&self) -> Read<L, F::Half<L>> {
        let zero = L::constant(0.0);
        let half = F::Half::<L>::from_fn(|_| zero);
        Read { halves: [half; MOST_FLOWS], times: [zero; MOST_FLOWS] }
    }

    #[inline(always)]
    fn advance<L: Lane>(
        &self,
        t: L,
        dt: L,
        x: &F::State<L>,
        _scratch: &mut Read<L, F::Half<L>>,
    ) -> F::State<L> {
        let (mut q, mut p) = halves::<L, F>(x);
        self.follow(t, dt, &mut q, &mut p, |_, _, _| {});
        whole::<L, F>(&q, &p)
    }

    #[inline(always)]
    fn pull_back<L: Lane>(
        &self,
        t: L,
        dt: L,
        x: &F::State<L>,
        end_bar: &F::State<L>,
        scratch: &mut Read<L, F::Half<L>>,
    ) -> F::State<L> {
        let (mut q, mut p) = halves::<L, F>(x);
        self.follow(t, dt, &mut q, &mut p, |i, now, half| {
            scratch.halves[i] = *half;
            scratch.times[i] = now;
        });
        let (mut q_bar, mut p_bar) = halves::<L, F>(end_bar);
        let zero = F::Half::<L>::from_fn(|_| L::constant(0.0));
        for (i, (flow, length)) in self.splitting.flows().enumerate().rev() {
            let (now, read, size) =
                (scratch.times[i], &scratch.halves[i], dt * L::constant(length));
            match flow {
                Flow::Drift => {
                    let v = along::<L, _>(&zero, size, &q_bar);
                    let bar = Velocity(self.field).vjp_lanes(now, read, &v);
                    p_bar = added::<L, _>(&p_bar, &bar);
                }
                Flow::Kick => {
                    let v = along::<L, _>(&zero, size, &p_bar);
                    let bar = Force(self.field).vjp_lanes(now, read, &v);
                    q_bar = added::<L, _>(&q_bar, &bar);
                }
            }
        }
        whole::<L, F>(&q_bar, &p_bar)
    }
}

/// Positions and momenta.
#[inline(always)]
fn halves<L: Lane, F: AnalyticSeparable>(x: &F::State<L>) -> (F::Half<L>, F::Half<L>) {
    let (x, n) = (x.as_ref(), <F::Half<L> as LaneState<L>>::DIM);
    (F::Half::from_fn(|i| x[i]), F::Half::from_fn(|i| x[n + i]))
}

#[inline(always)]
fn whole<L: Lane, F: AnalyticSeparable>(q: &F::Half<L>, p: &F::Half<L>) -> F::State<L> {
    let n = <F::Half<L> as LaneState<L>>::DIM;
    F::State::from_fn(|i| if i < n { q.as_ref()[i] } else { p.as_ref()[i - n] })
}
