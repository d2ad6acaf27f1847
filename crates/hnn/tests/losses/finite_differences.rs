//! Every loss x model x stepper: gradients against central differences, and the joint loss against
//! the sum of its parts.

use crate::common::{lengths_of, network, params, wave};
use crate::erased::{Erased, erased};
use hnn_integrators::{
    BLANES_MOAN_SRKN6, DifferentiableField, DifferentiableStepper, EULER, GAUSS_LEGENDRE4,
    GAUSS_LEGENDRE6, HEUN, IMPLICIT_MIDPOINT, KAHAN_LI8, MIDPOINT, PEFRL, POSITION_VERLET,
    Parameters, RALSTON3, RK4, RUTH3, SYMPLECTIC_EULER, THREE_EIGHTHS, Tableau, VELOCITY_VERLET,
    VectorField, YOSHIDA4, YOSHIDA6, YOSHIDA8,
};
use hnn_losses::{
    DerivativeLoss, JointLoss, L1Penalty, L2Penalty, Loss, RowSelection, TotalLoss, TrajectoryData,
    TrajectoryLoss, Window,
};
use hnn_models::{
    Angles, Baseline, Dissipative, FrictionForce, Hnn, InputForce, KineticPrior, Lnn,
    MechanicalLagrangian, SeparableHnn, Sum,
};
use hnn_testing::slope;
use ndarray::{Array1, Array2};
use proptest::prelude::*;

/// A model by its name, with `n` degrees of freedom.
const MODELS: [fn(usize, u64) -> Erased; 9] = [
    |n, seed| erased(Baseline::new(network(&[2 * n, 7, 5, 2 * n], seed)).expect("square")),
    |n, seed| erased(Hnn::new(network(&[2 * n, 7, 5, 1], seed)).expect("even")),
    |n, seed| {
        // The first coordinate is an angle.
        let angles: Vec<bool> = (0..2 * n).map(|i| i == 0).collect();
        let net = Angles::new(network(&[2 * n + 1, 7, 1], seed), &angles).expect("fits");
        erased(Hnn::new(net).expect("even"))
    },
    |n, seed| erased(separable(n, seed)),
    |n, seed| {
        let (h, f) = (network(&[2 * n, 7, 1], seed), network(&[2 * n, 5, n], seed + 1));
        erased(Hnn::with_friction(h, f).expect("fits"))
    },
    |n, seed| {
        let entries = network(&[2 * n, 5, n * (n + 1) / 2], seed + 1);
        let friction = Dissipative::new(entries).expect("triangle");
        erased(Hnn::with_friction(network(&[2 * n, 7, 1], seed), friction).expect("fits"))
    },
    // Mass matrices far from singular: accelerations are moderate, and differences accurate.
    |n, seed| {
        let net = KineticPrior::new(network(&[2 * n, 5, 1], seed), 8.0).expect("positive");
        erased(Lnn::new(net).expect("even"))
    },
    |n, seed| erased(Lnn::new(mechanical(n, seed)).expect("even")),
    |n, seed| {
        let friction = FrictionForce::new(network(&[2 * n, 5, n], seed + 2));
        let input = InputForce::new::<f64>(n, |t: f64, out: &mut [f64]| out.fill(t.sin()));
        let force = Sum(friction, input);
        erased(Lnn::forced(mechanical(n, seed), force).expect("fits"))
    },
];

type SeparableNet = SeparableHnn<hnn_models::Mlp<f64>, hnn_models::Mlp<f64>>;

fn separable(n: usize, seed: u64) -> SeparableNet {
    let (kinetic, potential) = (network(&[n, 7, 1], seed), network(&[n, 5, 1], seed + 1));
    SeparableHnn::new(kinetic, potential).expect("fits")
}

fn mechanical(
    n: usize,
    seed: u64,
) -> MechanicalLagrangian<hnn_models::Mlp<f64>, hnn_models::Mlp<f64>> {
    let factor = network(&[n, 5, n * (n + 1) / 2], seed);
    let potential = network(&[n, 7, 1], seed + 1);
    MechanicalLagrangian::new(factor, potential)
        .and_then(|lagrangian| lagrangian.with_epsilon(1.0))
        .expect("fits")
}

/// Random ragged trajectories with uneven steps of 0.05 to 0.2.
struct Data {
    lengths: Vec<usize>,
    times: Array1<f64>,
    states: Array2<f64>,
    dx: Array2<f64>,
}

impl Data {
    fn new(dim: usize, seed: u64) -> Self {
        let lengths = lengths_of(seed);
        let rows = lengths.iter().sum();
        let steps = wave(seed, 0.3, rows).mapv(|w| 0.125 + 0.075 * w);
        let times = steps.iter().scan(0.0, |t, dt| Some(std::mem::replace(t, *t + dt))).collect();
        let table =
            |phase| wave(seed, phase, rows * dim).into_shape_with_order((rows, dim)).expect("rows");
        Self { lengths, times, states: table(1.9), dx: table(0.4) }
    }

    fn derivative(&self) -> DerivativeLoss<f64> {
        DerivativeLoss::new(self.times.view(), self.states.view(), self.dx.view()).expect("fits")
    }

    fn trajectory<S>(&self, stepper: S, window: Window, segment: usize) -> TrajectoryLoss<f64, S> {
        let (times, states) = (self.times.view(), self.states.view());
        let data = TrajectoryData::new(times, states, &self.lengths);
        TrajectoryLoss::new(stepper, window, data).expect("fits").with_segments(segment)
    }
}

fn gradient<F: DifferentiableField<f64>>(
    loss: &mut dyn Loss<f64, F>,
    field: &F,
) -> (f64, Vec<f64>) {
    let mut theta_bar = vec![0.0; field.num_params()];
    let value = loss.value_and_gradient(field, RowSelection::All, 1.0, &mut theta_bar);
    (value.expect("evaluates"), theta_bar)
}

/// A loss against central differences along a direction of the parameters.
fn check<F: DifferentiableField<f64>>(
    what: &str,
    field: &mut F,
    loss: &mut dyn Loss<f64, F>,
    seed: u64,
) {
    let (value, theta_bar) = gradient(loss, field);
    let theta = params(field);
    let direction = wave(seed, 0.7, theta.len());
    let mut at = |h: f64| {
        let shifted: Vec<f64> = theta.iter().zip(&direction).map(|(w, d)| w + h * d).collect();
        field.set_params(&shifted).expect("fits");
        loss.value(field, RowSelection::All).expect("evaluates")
    };
    let alone = at(0.0);
    assert!((alone - value).abs() <= 1e-12 * value, "{what}: {alone} alone, {value}");
    let difference = slope(5e-5, &mut at);
    at(0.0);
    let exact: f64 = theta_bar.iter().zip(&direction).map(|(g, d)| g * d).sum();
    let scale = value + difference.abs();
    assert!(
        (exact - difference).abs() < 1e-7 * scale,
        "{what}: {exact}, by differences {difference}"
    );
}

/// What a case is made of.
#[derive(Debug, Clone, Copy)]
struct Case {
    window: Window,
    segment: usize,
    n: usize,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let windows = prop_oneof![Just(Window::Whole), (1..6_usize).prop_map(Window::Steps)];
    (windows, 1..5_usize, 1..3_usize, 0..999_u64).prop_map(|(window, segment, n, seed)| Case {
        window,
        segment,
        n,
        seed,
    })
}

/// All losses of one model and one stepper.
fn check_losses<F, S>(field: &mut F, stepper: &S, case: Case)
where
    F: DifferentiableField<f64>,
    S: DifferentiableStepper<f64, F> + Clone,
{
    let Case { window, segment, seed, .. } = case;
    let what = format!("{}, {case:?}", stepper.name());
    let data = Data::new(field.dim(), seed);
    let trajectory = || data.trajectory(stepper.clone(), window, segment);
    check(&format!("trajectory loss, {what}"), field, &mut trajectory(), seed);

    // With moved starts, and with derivatives along the windows.
    let weights = Vec::from_iter((0..field.dim()).map(|i| 0.5 + i as f64));
    let mut shooting = trajectory()
        .with_fitted_starts(0.1)
        .and_then(|loss| loss.with_derivatives(0.7, data.dx.view()))
        .and_then(|loss| loss.with_derivative_weights(&weights))
        .expect("fits");
    gradient(&mut shooting, field);
    Loss::<f64, F>::begin_step(&mut shooting, 1, 2).expect("moves");
    check(&format!("multiple shooting, {what}"), field, &mut shooting, seed);

    let mut joint = JointLoss::new(data.derivative(), 3.0, trajectory()).expect("fits");
    check(&format!("joint loss, {what}"), field, &mut joint, seed);
    let (value, theta_bar) = gradient(&mut joint, field);
    let (first, mut sum) = gradient(&mut data.derivative(), field);
    let (second, second_bar) = gradient(&mut trajectory(), field);
    sum.iter_mut().zip(&second_bar).for_each(|(sum, bar)| *sum += 3.0 * bar);
    let scale = sum.iter().fold(1e-3, |max: f64, g| max.max(g.abs()));
    assert!((value - first - 3.0 * second).abs() < 1e-12 * value, "joint loss, {what}");
    for (a, b) in theta_bar.iter().zip(&sum) {
        assert!((a - b).abs() < 1e-12 * scale, "joint loss, {what}: {a}, its parts {b}");
    }
}

/// A stepper with every model.
fn check_models(stepper: impl DifferentiableStepper<f64, Erased> + Clone, case: Case) {
    for model in MODELS {
        check_losses(&mut model(case.n, case.seed), &stepper, case);
    }
}

/// A symplectic stepper with separable models.
fn check_separable(stepper: impl DifferentiableStepper<f64, SeparableNet> + Clone, case: Case) {
    check_losses(&mut separable(case.n, case.seed), &stepper, case);
}

/// Ralston's second-order method.
fn ralston2() -> Tableau {
    let (a, c): (&[&[f64]], _) = (&[&[], &[2.0 / 3.0]], &[0.0, 2.0 / 3.0]);
    Tableau::new("Ralston 2", 2, a, &[0.25, 0.75], c).expect("consistent")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn derivative_losses_and_penalties(case in cases()) {
        for model in MODELS {
            let mut field = model(case.n, case.seed);
            let derivative = Data::new(field.dim(), case.seed).derivative();
            let mut loss = TotalLoss::new(derivative)
                .plus(0.1, L2Penalty::new())
                .and_then(|loss| loss.plus(0.2, L1Penalty::new()))
                .expect("weights");
            // An absolute value has no derivative at 0, where biases begin.
            let theta: Vec<f64> = params(&field).iter().map(|w| w + 0.3 * w.signum()).collect();
            field.set_params(&theta).expect("fits");
            check(&format!("derivative loss, {case:?}"), &mut field, &mut loss, case.seed);
        }
    }

    #[test]
    fn explicit_steps_of_low_order(case in cases()) {
        check_models(EULER, case);
        check_models(MIDPOINT, case);
        check_models(HEUN, case);
        check_models(ralston2(), case);
    }

    #[test]
    fn explicit_steps_of_high_order(case in cases()) {
        check_models(RALSTON3, case);
        check_models(RK4, case);
        check_models(THREE_EIGHTHS, case);
    }

    #[test]
    fn implicit_steps(case in cases()) {
        check_models(IMPLICIT_MIDPOINT, case);
        check_models(GAUSS_LEGENDRE4, case);
        check_models(GAUSS_LEGENDRE6, case);
    }

    #[test]
    fn symplectic_steps(case in cases()) {
        check_separable(SYMPLECTIC_EULER, case);
        check_separable(VELOCITY_VERLET, case);
        check_separable(POSITION_VERLET, case);
        check_separable(RUTH3, case);
        check_separable(YOSHIDA4, case);
        check_separable(PEFRL, case);
        check_separable(BLANES_MOAN_SRKN6, case);
        check_separable(YOSHIDA6, case);
        check_separable(YOSHIDA8, case);
        check_separable(KAHAN_LI8, case);
    }
}
