//! The fused trajectories and their adjoint against recorded steps, which go through slices.

use hnn_integrators::{
    AnalyticField, BLANES_MOAN_SRKN6, Bars, Checkpoints, DifferentiableStepper, EULER, Flow, Grid,
    HEUN, Interval, KAHAN_LI8, Lane, MIDPOINT, POSITION_VERLET, Parameters, RALSTON3, RK4, RUTH3,
    Rollout, SYMPLECTIC_EULER, Scalar, Splitting, THREE_EIGHTHS, Tableau, VELOCITY_VERLET,
    VectorField, Visit, YOSHIDA4,
};

use crate::common::{ByHand, Lorenz, Method, Pair, Pendulum};

const BY_HAND: ByHand = ByHand { drive: 1.0, cubic: 0.5 };

/// The formula of [`ByHand`], its vector-Jacobian product by dual numbers.
struct ByDuals;
impl AnalyticField for ByDuals {
    type State<L: Lane> = [L; 2];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, x: &[L; 2]) -> [L; 2] {
        BY_HAND.eval_lanes(t, x)
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
    let (mut rollout, mut bar) = (Rollout::default(), vec![T::ZERO; x0.len()]);
    let grid = Grid::times(batch, times);
    let states = rollout.states(stepper, field, grid, x0).expect("states").to_vec();
    let visit = |visit: Visit<'_, T>| {
        if let Visit::State { x, x_bar, .. } = visit {
            x_bar.iter_mut().zip(x).for_each(|(bar, x)| *bar += *x);
        }
        Ok(())
    };
    let kept = Checkpoints::default();
    rollout.gradient(stepper, field, grid, x0, kept, visit, Bars::new(&mut bar)).expect("gradient");
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
        stepper.record(field, Interval::new(t, &dt), &x, &mut out, &mut tape).expect("record");
        states.extend_from_slice(&out);
        tapes.push(tape);
    }
    let mut bar = out;
    for (step, mut tape) in tapes.into_iter().enumerate().rev() {
        stepper.pull_back(field, &mut tape, Bars::new(&mut bar)).expect("pull back");
        let own = &states[step * x0.len()..];
        bar.iter_mut().zip(own).for_each(|(bar, x)| *bar += *x);
    }
    (states, bar)
}

/// Batches that lanes do and do not divide, each row with times of its own.
fn agrees<T, S, F>(stepper: &S, field: &F)
where
    T: Scalar,
    S: DifferentiableStepper<T, F> + Method,
    F: VectorField<T> + Parameters<T>,
{
    let steps = 20;
    for batch in [1, 3, 4, 37] {
        let time = |step: usize, row: usize| step as f64 * (0.015 + 5e-4 * row as f64);
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
    all::<f64, _>(&Pendulum);
    all::<f32, _>(&BY_HAND);
    all::<f64, _>(&Lorenz { end: 9.0 });
    all::<f64, _>(&Pair);
}

#[test]
fn splitting_methods_agree_with_recorded_steps() {
    let uneven = Splitting::new("uneven", 1, Flow::Kick, &[0.3, 1.0, 0.7]);
    agrees::<f64, _, _>(&uneven.expect("consistent"), &Pair);
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
    let (ours, duals) = (BY_HAND.vjp_lanes(0.2, &x, &v), ByDuals.vjp_lanes(0.2, &x, &v));
    assert!((0..2).all(|i| (ours[i] - duals[i]).abs() < 1e-15));
}

/// What is kept and what is computed again makes no difference.
#[test]
fn checkpoints_do_not_change_the_gradient() {
    fn gradient<S: DifferentiableStepper<f64, Pair>>(stepper: &S, kept: Checkpoints) -> Vec<f64> {
        // So many that the rounding of times shows.
        let (batch, grid) = (64, Grid::equal(64, 0.3, 0.0021, 2000));
        let x0: Vec<f64> = (0..4 * batch).map(start).collect();
        let (mut rollout, mut bar) = (Rollout::default(), vec![0.0; x0.len()]);
        let visit = |visit: Visit<'_, f64>| {
            if let Visit::State { x, x_bar, .. } = visit {
                x_bar.iter_mut().zip(x).for_each(|(bar, x)| *bar += *x);
            }
            Ok(())
        };
        let bars = Bars::new(&mut bar);
        rollout.gradient(stepper, &Pair, grid, &x0, kept, visit, bars).expect("gradient");
        bar
    }
    fn agree<S: DifferentiableStepper<f64, Pair>>(stepper: &S, slack: f64) {
        let all = gradient(stepper, Checkpoints::All);
        for kept in [Checkpoints::Logarithmic, Checkpoints::Count(2)] {
            assert_eq!(gradient(stepper, kept), all, "{kept:?}");
        }
        for (some, all) in gradient(stepper, Checkpoints::Segments(7)).iter().zip(&all) {
            assert!((some - all).abs() <= slack * (1.0 + all.abs()), "{some}, {all}");
        }
    }
    agree(&RK4, 0.0);
    // Flows of neighbouring steps are pulled back at once, but where a segment ends.
    agree(&VELOCITY_VERLET, 1e-12);
    agree(&POSITION_VERLET, 1e-12);
    agree(&YOSHIDA4, 1e-12);
}
