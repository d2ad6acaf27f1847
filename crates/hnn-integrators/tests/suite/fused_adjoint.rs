//! The fused trajectories and their adjoint against recorded steps, which go through slices.

use hnn_integrators::{
    AnalyticField, AnalyticSeparable, BLANES_MOAN_SRKN6, DifferentiableStepper, EULER, HEUN,
    KAHAN_LI8, Lane, MIDPOINT, POSITION_VERLET, Parameters, RALSTON3, RK4, RUTH3, Rollout,
    SYMPLECTIC_EULER, Scalar, THREE_EIGHTHS, Tableau, VELOCITY_VERLET, VectorField, YOSHIDA4,
};

/// `H = p^2/2 - cos q` with a drive, its vector-Jacobian product by dual numbers.
struct Driven;
impl AnalyticField for Driven {
    type State<L: Lane> = [L; 2];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, [q, p]: &[L; 2]) -> [L; 2] {
        [*p, t.cos() - q.sin()]
    }
}

/// The same, the vector-Jacobian product by hand.
struct ByHand;
impl AnalyticField for ByHand {
    type State<L: Lane> = [L; 2];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, x: &[L; 2]) -> [L; 2] {
        Driven.eval_lanes(t, x)
    }
    #[inline(always)]
    fn vjp_lanes<L: Lane>(&self, _t: L, [q, _p]: &[L; 2], [a, b]: &[L; 2]) -> [L; 2] {
        [-(q.cos() * *b), *a]
    }
}

/// Three coordinates: the Jacobian's directions do not fill their group.
struct Lorenz;
impl AnalyticField for Lorenz {
    type State<L: Lane> = [L; 3];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [x, y, z]: &[L; 3]) -> [L; 3] {
        let c = L::constant;
        [c(10.0) * (*y - *x), *x * (c(28.0) - *z) - *y, *x * *y - c(8.0 / 3.0) * *z]
    }
}

/// `H = p_1^2/2 + p_2^2/3 + V(q, t)`: two coordinates, which pull at each other, and a drive.
struct Pair;
impl AnalyticField for Pair {
    type State<L: Lane> = [L; 4];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, [q1, q2, p1, p2]: &[L; 4]) -> [L; 4] {
        let ([v1, v2], [f1, f2]) =
            (self.velocity_lanes(&[*p1, *p2]), self.force_lanes(t, &[*q1, *q2]));
        [v1, v2, f1, f2]
    }
}
impl AnalyticSeparable for Pair {
    type Half<L: Lane> = [L; 2];
    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, [p1, p2]: &[L; 2]) -> [L; 2] {
        [*p1, L::constant(2.0 / 3.0) * *p2]
    }
    #[inline(always)]
    fn force_lanes<L: Lane>(&self, t: L, [q1, q2]: &[L; 2]) -> [L; 2] {
        let pull = (*q1 - *q2).sin();
        [t.cos() - pull, pull - *q2]
    }
}

/// 0 to 2, all different.
fn start<T: Scalar>(k: usize) -> T {
    T::from_f64(1.0 + (0.7 * k as f64).sin())
}

/// All states, and the gradient of half the sum of squares of them all by the first one.
fn fused<T, S, F>(stepper: &S, field: &F, batch: usize, times: &[T], x0: &[T]) -> (Vec<T>, Vec<T>)
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: VectorField<T> + Parameters<T>,
{
    let mut rollout = Rollout::default();
    let states = rollout.forward(stepper, field, batch, times, x0).expect("forward").to_vec();
    let mut bar = states.clone();
    rollout.pull_back(stepper, field, batch, times, &mut bar, None).expect("pull back");
    bar.truncate(x0.len());
    (states, bar)
}

/// The same by recording every step.
fn recorded<T, S, F>(
    stepper: &S,
    field: &F,
    batch: usize,
    times: &[T],
    x0: &[T],
) -> (Vec<T>, Vec<T>)
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: VectorField<T> + Parameters<T>,
{
    let (mut states, mut tapes, mut out) = (x0.to_vec(), Vec::new(), x0.to_vec());
    for pair in times.windows(2 * batch).step_by(batch) {
        let (t, next) = pair.split_at(batch);
        let dt: Vec<T> = t.iter().zip(next).map(|(t, next)| *next - *t).collect();
        let (x, mut tape) = (out.clone(), S::Tape::default());
        stepper.record(field, t, &dt, &x, &mut out, &mut tape).expect("record");
        states.extend_from_slice(&out);
        tapes.push(tape);
    }
    let mut bar = out;
    for (step, mut tape) in tapes.into_iter().enumerate().rev() {
        stepper.pull_back(field, &mut tape, &mut bar, None).expect("pull back");
        let own = &states[step * x0.len()..];
        bar.iter_mut().zip(own).for_each(|(bar, x)| *bar += *x);
    }
    (states, bar)
}

/// Batches that lanes do and do not divide, each row with times of its own.
fn agrees<T, S, F>(stepper: &S, field: &F)
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: VectorField<T> + Parameters<T>,
{
    let steps = 12;
    for batch in [1, 3, 4, 37] {
        let time = |step: usize, row: usize| step as f64 * (0.03 + 1e-3 * row as f64);
        let times: Vec<T> = (0..=steps)
            .flat_map(|step| (0..batch).map(move |row| T::from_f64(time(step, row))))
            .collect();
        let x0: Vec<T> = (0..field.dim() * batch).map(start).collect();
        let ours = fused(stepper, field, batch, &times, &x0);
        let theirs = recorded(stepper, field, batch, &times, &x0);
        let tolerance = 1000.0 * T::EPSILON.to_f64();
        let both = ours.0.iter().zip(&theirs.0).chain(ours.1.iter().zip(&theirs.1));
        for (ours, theirs) in both {
            let (ours, theirs) = (ours.to_f64(), theirs.to_f64());
            let name = stepper.name();
            assert!(
                (ours - theirs).abs() < tolerance * (10.0 + theirs.abs()),
                "{name}, {batch} rows: {ours}, {theirs}"
            );
        }
    }
}

#[test]
fn runge_kutta_methods_agree_with_recorded_steps() {
    fn all<T: Scalar, F: AnalyticField>(field: &F) {
        // Weights and coefficients of 0 and below 0.
        let custom = Tableau::new(
            "Kutta 3",
            3,
            &[&[], &[0.5], &[-1.0, 2.0]],
            &[1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0],
            &[0.0, 0.5, 1.0],
        );
        agrees::<T, _, F>(&custom.expect("consistent"), field);
        agrees::<T, _, F>(&EULER, field);
        agrees::<T, _, F>(&MIDPOINT, field);
        agrees::<T, _, F>(&HEUN, field);
        agrees::<T, _, F>(&RALSTON3, field);
        agrees::<T, _, F>(&RK4, field);
        agrees::<T, _, F>(&THREE_EIGHTHS, field);
    }
    all::<f64, _>(&Driven);
    all::<f32, _>(&ByHand);
    all::<f64, _>(&Lorenz);
}

#[test]
fn splitting_methods_agree_with_recorded_steps() {
    agrees::<f64, _, _>(&SYMPLECTIC_EULER, &Pair);
    agrees::<f64, _, _>(&VELOCITY_VERLET, &Pair);
    agrees::<f64, _, _>(&POSITION_VERLET, &Pair);
    agrees::<f64, _, _>(&RUTH3, &Pair);
    agrees::<f64, _, _>(&YOSHIDA4, &Pair);
    agrees::<f64, _, _>(&BLANES_MOAN_SRKN6, &Pair);
    agrees::<f64, _, _>(&KAHAN_LI8, &Pair);
}

/// The vector-Jacobian product by hand is that of the dual numbers.
#[test]
fn a_product_by_hand_agrees_with_dual_numbers() {
    let (x, v) = ([0.7, -0.3], [1.3, 0.4]);
    let (ours, duals) = (ByHand.vjp_lanes(0.2, &x, &v), Driven.vjp_lanes(0.2, &x, &v));
    assert!((0..2).all(|i| (ours[i] - duals[i]).abs() < 1e-15));
}
