//! Explicit Runge-Kutta methods.
//!
//! With the cotangent `o` of a step's end: `k_bar_i = h (b_i o + sum_(j > i) a_ji X_bar_j)`,
//! `X_bar_i = J_i^T k_bar_i` and `x_bar = o + sum_i X_bar_i` (see the adjoint over slices).

use super::{LaneStep, Way};
use crate::fused::{MOST_STAGES, added, along, classical_step, general_step, weighted};
use crate::runge_kutta::{ExplicitRungeKutta, Rk4, Tableau};
use crate::{AnalyticField, Lane, LaneState, Scalar};

/// Goes along a trajectory; says whether there is room for the method's stages.
pub(crate) fn explicit<T: Scalar, F: AnalyticField>(
    field: &F,
    tableau: Tableau<'_>,
    way: Way<'_, '_, T>,
) -> bool {
    if tableau == Rk4.tableau() {
        way.go(Classical { field })
    } else {
        tableau.stages() <= MOST_STAGES && way.go(General { field, tableau })
    }
}

/// The classical method, its coefficients in the code.
struct Classical<'a, F> {
    field: &'a F,
}

impl<F: AnalyticField> LaneStep for Classical<'_, F> {
    type State<L: Lane> = F::State<L>;
    type Scratch<L: Lane> = ();

    #[inline(always)]
    fn scratch<L: Lane>(&self) {}

    #[inline(always)]
    fn advance<L: Lane>(&self, t: L, dt: L, x: &F::State<L>, (): &mut ()) -> F::State<L> {
        classical_step(self.field, t, dt, x)
    }

    #[inline(always)]
    fn pull_back<L: Lane>(
        &self,
        t: L,
        dt: L,
        x: &F::State<L>,
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
        let stages =
            added::<L, _>(&added::<L, _>(&x1_bar, &x2_bar), &added::<L, _>(&x3_bar, &x4_bar));
        added::<L, _>(end_bar, &stages)
    }
}

/// Any tableau with at most 16 stages.
struct General<'a, F> {
    field: &'a F,
    tableau: Tableau<'a>,
}

/// Stage states and slopes; on the way back the cotangents of the stages take the slopes' place.
struct Stages<S> {
    states: [S; MOST_STAGES],
    slopes: [S; MOST_STAGES],
}

impl<F: AnalyticField> LaneStep for General<'_, F> {
    type State<L: Lane> = F::State<L>;
    type Scratch<L: Lane> = Stages<F::State<L>>;

    #[inline(always)]
    fn scratch<L: Lane>(&self) -> Stages<F::State<L>> {
        let zero = F::State::<L>::from_fn(|_| L::constant(0.0));
        Stages { states: [zero; MOST_STAGES], slopes: [zero; MOST_STAGES] }
    }

    #[inline(always)]
    fn advance<L: Lane>(
        &self,
        t: L,
        dt: L,
        x: &F::State<L>,
        scratch: &mut Stages<F::State<L>>,
    ) -> F::State<L> {
        general_step(self.field, &self.tableau, t, dt, x, &mut scratch.slopes)
    }

    #[inline(always)]
    fn pull_back<L: Lane>(
        &self,
        t: L,
        dt: L,
        x: &F::State<L>,
        end_bar: &F::State<L>,
        scratch: &mut Stages<F::State<L>>,
    ) -> F::State<L> {
        let Self { field, tableau } = self;
        let Stages { states, slopes } = scratch;
        let time = |i: usize| dt.mul_add(L::constant(tableau.c[i]), t);
        let zero = F::State::<L>::from_fn(|_| L::constant(0.0));
        let count = tableau.stages();
        for i in 0..count {
            let slope = weighted::<L, _>(tableau.row(i), slopes, zero);
            states[i] = along::<L, _>(x, dt, &slope);
            if i + 1 < count {
                slopes[i] = field.eval_lanes(time(i), &states[i]);
            }
        }
        let mut sum = *end_bar;
        for i in (0..count).rev() {
            let mut slope_bar = scaled::<L, _>(L::constant(tableau.b[i]), end_bar);
            for j in i + 1..count {
                let weight = tableau.row(j)[i];
                if weight != 0.0 {
                    slope_bar = along::<L, _>(&slope_bar, L::constant(weight), &slopes[j]);
                }
            }
            slopes[i] = field.vjp_lanes(time(i), &states[i], &scaled::<L, _>(dt, &slope_bar));
            sum = added::<L, _>(&sum, &slopes[i]);
        }
        sum
    }
}

#[inline(always)]
fn scaled<L: Lane, S: LaneState<L>>(weight: L, x: &S) -> S {
    let mut product = *x;
    for i in 0..S::DIM {
        product.as_mut()[i] *= weight;
    }
    product
}
