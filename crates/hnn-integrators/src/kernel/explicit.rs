//! Explicit Runge-Kutta methods.
//!
//! With the cotangent `o` of a step's end: `k_bar_i = h (b_i o + sum_(j > i) a_ji X_bar_j)`,
//! `X_bar_i = J_i^T k_bar_i` and `x_bar = o + sum_i X_bar_i` (see the adjoint over slices).

use super::Way;
use super::march::{self, Adjoint, Steps};
use super::state::{MOST_STAGES, added, along, scaled, weighted, zero};
use crate::method::Coefficients;
use crate::{AnalyticField, Lane, LaneState, Scalar};

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
        [t0, _]: [L; 2],
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
        let (half, sixth, third) =
            (dt * L::constant(0.5), dt * L::constant(1.0 / 6.0), dt * L::constant(1.0 / 3.0));
        let middle = t + half;
        let mut stages = ClassicalStages {
            field: self.field,
            times: [t, middle, middle, t + dt],
            ahead: [half, half, dt],
            weights: [sixth, third, third, sixth],
            states: [*x; 4],
            end_bar,
            bar: zero::<L, F::State<L>>(),
            sum: *end_bar,
        };
        if <F::State<L> as LaneState<L>>::DIM <= 2 {
            // Written out, which is quickest.
            stages.eval(0);
            stages.eval(1);
            stages.eval(2);
            stages.pull_back(3);
            stages.pull_back(2);
            stages.pull_back(1);
            stages.pull_back(0);
        } else {
            // A large formula is long to compile at each of seven places.
            for i in 0..3 {
                stages.eval(i);
            }
            for i in (0..4).rev() {
                stages.pull_back(i);
            }
        }
        stages.sum
    }
}

/// The stages of a step of the classical method, on the way back.
struct ClassicalStages<'a, L: Lane, F: AnalyticField + ?Sized> {
    field: &'a F,
    times: [L; 4],
    /// How far ahead of the start each slope leads to the next stage.
    ahead: [L; 3],
    weights: [L; 4],
    states: [F::State<L>; 4],
    end_bar: &'a F::State<L>,
    /// Cotangent of the stage pulled back last.
    bar: F::State<L>,
    sum: F::State<L>,
}

impl<L: Lane, F: AnalyticField + ?Sized> ClassicalStages<'_, L, F> {
    /// The state of the stage after `i`.
    #[inline(always)]
    fn eval(&mut self, i: usize) {
        let slope = self.field.eval_lanes(self.times[i], &self.states[i]);
        self.states[i + 1] = along::<L, _>(&self.states[0], self.ahead[i], &slope);
    }

    #[inline(always)]
    fn pull_back(&mut self, i: usize) {
        let mut slope_bar = scaled::<L, _>(self.weights[i], self.end_bar);
        if i < 3 {
            slope_bar = along::<L, _>(&slope_bar, self.ahead[i], &self.bar);
        }
        self.bar = self.field.vjp_lanes(self.times[i], &self.states[i], &slope_bar);
        self.sum = added::<L, _>(&self.sum, &self.bar);
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
        [t0, _]: [L; 2],
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
