//! Explicit Runge-Kutta methods.
//!
//! With the cotangent `o` of a step's end: `k_bar_i = h (b_i o + sum_(j > i) a_ji X_bar_j)`,
//! `X_bar_i = J_i^T k_bar_i` and `x_bar = o + sum_i X_bar_i` (see the adjoint over slices).

use super::Way;
use super::march::{self, Adjoint, Steps};
use super::state::{MOST_STAGES, added, along, scaled, weighted, zero};
use crate::method::Coefficients;
use crate::{AnalyticField, Lane, Scalar};

/// Goes forward by the classical method; says whether it could.
pub(super) fn march_classical<T: Scalar, F: AnalyticField + ?Sized>(
    field: &F,
    way: &mut Way<'_, T>,
) -> bool {
    let Way::Forward(run) = way else { return false };
    march::forward(Classical { field }, run)
}

/// Goes back by the classical method; says whether it could.
pub(super) fn pull_back_classical<T: Scalar, F: AnalyticField + ?Sized>(
    field: &F,
    way: &mut Way<'_, T>,
) -> bool {
    let Way::Backward(run) = way else { return false };
    march::backward(Classical { field }, run)
}

/// Goes either way by an explicit method; says whether it could: there is room for so many
/// stages.
pub(super) fn march<T: Scalar, F: AnalyticField + ?Sized>(
    field: &F,
    method: Coefficients<'_>,
    way: &mut Way<'_, T>,
) -> bool {
    if method.stages() > MOST_STAGES {
        return false;
    }
    match way {
        Way::Forward(run) => march::forward(General { field, method }, run),
        Way::Backward(run) => march::backward(General { field, method }, run),
    }
}

/// The classical method, its coefficients in the code.
struct Classical<'a, F: ?Sized> {
    field: &'a F,
}

impl<F: AnalyticField + ?Sized> Steps for Classical<'_, F> {
    type State<L: Lane> = F::State<L>;
    type Scratch<L: Lane> = ();

    #[inline(always)]
    fn scratch<L: Lane>(&self) {}

    #[inline(always)]
    fn march<L: Lane>(
        &self,
        steps: usize,
        t0: L,
        dt: L,
        x: &F::State<L>,
        (): &mut (),
    ) -> F::State<L> {
        let (field, mut x) = (self.field, *x);
        for step in 0..steps {
            let t = dt.mul_add(L::splat(L::Scalar::from_usize(step)), t0);
            let (half, sixth, two) =
                (dt * L::constant(0.5), dt * L::constant(1.0 / 6.0), L::constant(2.0));
            let k1 = field.eval_lanes(t, &x);
            let k2 = field.eval_lanes(t + half, &along::<L, _>(&x, half, &k1));
            let k3 = field.eval_lanes(t + half, &along::<L, _>(&x, half, &k2));
            let sum = along::<L, _>(&k1, two, &added::<L, _>(&k2, &k3));
            let k4 = field.eval_lanes(t + dt, &along::<L, _>(&x, dt, &k3));
            x = along::<L, _>(&x, sixth, &added::<L, _>(&sum, &k4));
        }
        x
    }
}

impl<F: AnalyticField + ?Sized> Adjoint for Classical<'_, F> {
    #[inline(always)]
    fn pull_back<L: Lane>(
        &self,
        t: L,
        dt: L,
        (x, _): (&F::State<L>, &F::State<L>),
        end_bar: &F::State<L>,
        (): &mut (),
    ) -> F::State<L> {
        let field = self.field;
        let (half, sixth, third) =
            (dt * L::constant(0.5), dt * L::constant(1.0 / 6.0), dt * L::constant(1.0 / 3.0));
        let (middle, end) = (t + half, t + dt);
        let x2 = along::<L, _>(x, half, &field.eval_lanes(t, x));
        let x3 = along::<L, _>(x, half, &field.eval_lanes(middle, &x2));
        let x4 = along::<L, _>(x, dt, &field.eval_lanes(middle, &x3));
        let (outer, inner) = (scaled::<L, _>(sixth, end_bar), scaled::<L, _>(third, end_bar));
        let x4_bar = field.vjp_lanes(end, &x4, &outer);
        let x3_bar = field.vjp_lanes(middle, &x3, &along::<L, _>(&inner, dt, &x4_bar));
        let x2_bar = field.vjp_lanes(middle, &x2, &along::<L, _>(&inner, half, &x3_bar));
        let x1_bar = field.vjp_lanes(t, x, &along::<L, _>(&outer, half, &x2_bar));
        let inner = added::<L, _>(&x2_bar, &x3_bar);
        added::<L, _>(&added::<L, _>(end_bar, &x1_bar), &added::<L, _>(&inner, &x4_bar))
    }
}

/// Any tableau with at most 16 stages.
struct General<'a, F: ?Sized> {
    field: &'a F,
    method: Coefficients<'a>,
}

/// Stage states and slopes; on the way back the cotangents of the stages take the slopes' place.
struct Stages<S> {
    states: [S; MOST_STAGES],
    slopes: [S; MOST_STAGES],
}

impl<F: AnalyticField + ?Sized> Steps for General<'_, F> {
    type State<L: Lane> = F::State<L>;
    type Scratch<L: Lane> = Stages<F::State<L>>;

    #[inline(always)]
    fn scratch<L: Lane>(&self) -> Stages<F::State<L>> {
        let zero = zero::<L, F::State<L>>();
        Stages { states: [zero; MOST_STAGES], slopes: [zero; MOST_STAGES] }
    }

    #[inline(always)]
    fn march<L: Lane>(
        &self,
        steps: usize,
        t0: L,
        dt: L,
        x: &F::State<L>,
        Stages { slopes, .. }: &mut Stages<F::State<L>>,
    ) -> F::State<L> {
        let Self { field, method } = self;
        let mut x = *x;
        let mut step = 0;
        while step < steps {
            let (t, mut i) = (dt.mul_add(L::splat(L::Scalar::from_usize(step)), t0), 0);
            while i < method.stages() {
                let stage = along::<L, _>(&x, dt, &weighted::<L, _>(method.row(i), &*slopes));
                slopes[i] = field.eval_lanes(dt.mul_add(L::constant(method.c[i]), t), &stage);
                i += 1;
            }
            x = along::<L, _>(&x, dt, &weighted::<L, _>(method.b, &*slopes));
            step += 1;
        }
        x
    }
}

impl<F: AnalyticField + ?Sized> Adjoint for General<'_, F> {
    #[inline(always)]
    fn pull_back<L: Lane>(
        &self,
        t: L,
        dt: L,
        (x, _): (&F::State<L>, &F::State<L>),
        end_bar: &F::State<L>,
        Stages { states, slopes }: &mut Stages<F::State<L>>,
    ) -> F::State<L> {
        let Self { field, method } = self;
        let count = method.stages();
        let mut i = 0;
        while i < count {
            states[i] = along::<L, _>(x, dt, &weighted::<L, _>(method.row(i), &*slopes));
            if i + 1 < count {
                let now = dt.mul_add(L::constant(method.c[i]), t);
                slopes[i] = field.eval_lanes(now, &states[i]);
            }
            i += 1;
        }
        let mut sum = *end_bar;
        while i > 0 {
            i -= 1;
            let mut slope_bar = scaled::<L, _>(L::constant(method.b[i]), end_bar);
            let mut j = i + 1;
            while j < count {
                let weight = method.row(j)[i];
                if weight != 0.0 {
                    slope_bar = along::<L, _>(&slope_bar, L::constant(weight), &slopes[j]);
                }
                j += 1;
            }
            let now = dt.mul_add(L::constant(method.c[i]), t);
            let bar = field.vjp_lanes(now, &states[i], &scaled::<L, _>(dt, &slope_bar));
            sum = added::<L, _>(&sum, &bar);
            slopes[i] = bar;
        }
        sum
    }
}
