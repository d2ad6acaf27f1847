//! The fused trajectories of RK4 and their adjoint against single steps, which go through slices.

use hnn_integrators::{AnalyticField, DifferentiableField, Lane, Rk4, Rollout};

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
    const OWN_VJP: bool = true;
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

/// All states, and the gradient of the sum of squares of them all by the first one.
fn states_and_gradient<F: DifferentiableField<f64>>(
    field: &F,
    batch: usize,
    times: &[f64],
    x0: &[f64],
) -> (Vec<f64>, Vec<f64>) {
    let mut rollout = Rollout::default();
    let run = rollout.forward(&Rk4, field, batch, times, x0);
    let states = run.expect("forward").to_vec();
    let mut bar: Vec<f64> = states.iter().map(|x| 2.0 * x).collect();
    rollout.pull_back(&Rk4, field, batch, times, &mut bar, None).expect("pull back");
    (states, bar[..x0.len()].to_vec())
}

/// 37 rows, which no number of lanes divides, each with times of its own.
fn agrees_with_single_rows<F: DifferentiableField<f64>>(field: &F) {
    let (batch, steps, dim) = (37, 20, field.dim());
    let time = |step: usize, row: usize| step as f64 * (0.01 + 1e-3 * row as f64);
    let times: Vec<f64> =
        (0..=steps).flat_map(|step| (0..batch).map(move |row| time(step, row))).collect();
    let start = |row: usize, i: usize| ((3 * row + 5 * i) as f64).sin();
    let x0: Vec<f64> = (0..dim).flat_map(|i| (0..batch).map(move |row| start(row, i))).collect();
    let (states, gradient) = states_and_gradient(field, batch, &times, &x0);
    for row in 0..batch {
        let own_times: Vec<f64> = (0..=steps).map(|step| time(step, row)).collect();
        let own_x0: Vec<f64> = (0..dim).map(|i| start(row, i)).collect();
        let (own_states, own_gradient) = states_and_gradient(field, 1, &own_times, &own_x0);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "{a}, {b}");
        for (k, own) in own_states.into_iter().enumerate() {
            close(states[k * batch + row], own);
        }
        for (i, own) in own_gradient.into_iter().enumerate() {
            close(gradient[i * batch + row], own);
        }
    }
}

#[test]
fn trajectories_and_gradients_agree_with_single_rows() {
    agrees_with_single_rows(&Driven);
    agrees_with_single_rows(&ByHand);
    agrees_with_single_rows(&Lorenz);
}
