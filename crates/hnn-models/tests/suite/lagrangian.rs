//! Lagrangian networks against PyTorch, finite differences and closed forms.

use hnn_integrators::{
    At, Bars, DifferentiableField, FixedStep, Mode, Parameters, RK4, VectorField, Workspace,
};
use hnn_models::{
    Activation, Angles, Architecture, Baseline, DifferentiableLagrangian, DifferentiableMap,
    Dissipative, FrictionForce, Hnn, Initialisation, InputForce, InputPort, Keep, KineticPrior,
    LagrangianTerms, Lnn, MechanicalLagrangian, Mlp, Sum,
};
use hnn_systems::Hamiltonian;
use hnn_testing::{assert_close, check_states, check_vjp, numbers};
use ndarray::{Array2, ArrayView2, array};
use proptest::prelude::*;

use crate::common::{lanes, network as golden_network, own_golden, transpose};

const TOLERANCE: f64 = 1e-9;

#[test]
fn golden_accelerations_and_gradients() {
    let g = own_golden("lnn_softplus_4_16_16_1");
    let model = Lnn::new(golden_network(&g["params"], Activation::Softplus)).expect("even");
    let (batch, x) = lanes(&g["x"]);
    let rows = Array2::from_shape_vec((batch, 4), numbers(&g["x"])).expect("rows");
    let mass = model.mass_matrices(rows.view()).expect("evaluates");
    assert_close("M", mass.as_slice().expect("contiguous"), &numbers(&g["M"]), TOLERANCE);

    let target = numbers(&g["target"]);
    let mut dx = vec![0.0; x.len()];
    let mut residuals = Default::default();
    model
        .eval_recorded(At::time(&vec![0.0; batch]), &x, &mut dx, &mut residuals)
        .expect("evaluates");
    let acceleration = transpose(&dx[2 * batch..], 2);
    assert_close("acc", &acceleration, &numbers(&g["acc"]), TOLERANCE);
    let mut unrecorded = vec![0.0; x.len()];
    model
        .eval(At::time(&vec![0.0; batch]), &x, &mut unrecorded, &mut Workspace::default())
        .expect("evaluates");
    assert_eq!(dx, unrecorded);

    let count = target.len() as f64;
    let error: Vec<f64> = acceleration.iter().zip(&target).map(|(f, y)| f - y).collect();
    let loss = error.iter().map(|e| e * e).sum::<f64>() / count;
    assert_close("loss", &[loss], &numbers(&g["loss"]), TOLERANCE);
    let mut v = vec![0.0; 2 * batch];
    let scaled: Vec<f64> = error.iter().map(|e| 2.0 * e / count).collect();
    v.extend(transpose(&scaled, batch));
    let (mut x_bar, mut theta_bar) = (vec![0.0; x.len()], vec![0.0; model.num_params()]);
    model
        .vjp(&x, &mut residuals, &v, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
        .expect("pulls back");
    assert_close("gradient", &theta_bar, &numbers(&g["grad"]), TOLERANCE);
}

#[test]
fn golden_trajectory() {
    let g = own_golden("lnn_softplus_4_16_16_1");
    let model = Lnn::new(golden_network(&g["params"], Activation::Softplus)).expect("even");
    let x0 = Array2::from_shape_vec((1, 4), numbers(&g["rk4_x0"])).expect("one row");
    let run = FixedStep::count(RK4, 10).with_save_every(1).run(&model, (0.0, 0.1), x0.view());
    let states = run.expect("integrates").states;
    let states = states.as_slice().expect("contiguous");
    assert_close("states", states, &numbers(&g["rk4_states"]), TOLERANCE);
}

/// Degrees of freedom, hidden sizes, activation, batch, seed.
fn cases() -> impl Strategy<Value = (usize, Vec<usize>, Activation, usize, u64)> {
    let activation = prop::sample::select(Activation::ALL.to_vec());
    (1..6_usize, prop::collection::vec(12..32_usize, 1..4), activation, 1..5_usize, 0..1000_u64)
}

fn network(sizes: &[usize], activation: Activation, seed: u64) -> Mlp<f64> {
    let architecture = Architecture::new(sizes).expect("sizes").with_activation(activation);
    Mlp::new(architecture.with_output_bias(seed.is_multiple_of(2)), Initialisation::He, seed)
}

/// Smallest size of the mass matrices' eigenvalues. Finite differences mean nothing near a
/// singular matrix.
fn smallest_mass<L, Q>(model: &Lnn<L, Q>, batch: usize, seed: u64) -> f64
where
    L: DifferentiableLagrangian<f64>,
{
    let x = check_states(model.lagrangian().input_dim(), batch, seed);
    let mass = model.mass_matrices(x.view()).expect("evaluates");
    let size = |m: ArrayView2<'_, f64>| {
        let m = nalgebra::DMatrix::from_fn(m.nrows(), m.ncols(), |i, j| m[[i, j]]);
        m.symmetric_eigenvalues().abs().min()
    };
    mass.outer_iter().map(size).fold(f64::INFINITY, f64::min)
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 10_000, failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn free_network((n, hidden, activation, batch, seed) in cases()) {
        let sizes = [&[2 * n], &hidden[..], &[1]].concat();
        let mut model = Lnn::new(network(&sizes, activation, seed)).expect("even");
        prop_assume!(smallest_mass(&model, batch, seed) > 0.1);
        check_vjp(&mut model, batch, seed);
    }

    #[test]
    fn forced_network((n, hidden, activation, batch, seed) in cases()) {
        let sizes = [&[2 * n], &hidden[..], &[1]].concat();
        let lagrangian = network(&sizes, activation, seed);
        let free = network(&[2 * n, 8, n], activation, seed + 1);
        let entries = network(&[2 * n, 8, n * (n + 1) / 2], activation, seed + 2);
        let torque = InputForce::new(n, |t: f64, u: &mut [f64]| u.fill(t + 1.0));
        let friction = Dissipative::new(entries).expect("triangle");
        let friction = Sum(FrictionForce::new(friction.clone()), friction);
        let force = Sum(FrictionForce::new(free), Sum(torque, Sum(friction, InputPort::new(n))));
        let mut model = Lnn::forced(lagrangian, force).expect("fits");
        prop_assume!(smallest_mass(&model, batch, seed) > 0.1);
        check_vjp(&mut model, batch, seed);
    }

    /// The energy's gradient is the gradient of the energy, and orthogonal to the field.
    #[test]
    fn energy((n, hidden, activation, _, seed) in cases()) {
        let sizes = [&[2 * n], &hidden[..], &[1]].concat();
        let model = Lnn::new(network(&sizes, activation, seed)).expect("even");
        prop_assume!(smallest_mass(&model, 1, seed) > 0.1);
        let x = check_states(2 * n, 1, seed).row(0).to_vec();
        let gradient = model.energy_gradient_state(&x).expect("evaluates");
        for i in 0..2 * n {
            let shifted = |h: f64| {
                let mut x = x.clone();
                x[i] += h;
                model.energy_state(&x).expect("evaluates")
            };
            let difference = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            prop_assert!((difference - gradient[i]).abs() < 1e-7 * (1.0 + difference.abs()));
        }
        let dx = model.eval_state(0.0, &x).expect("evaluates");
        let rate: f64 = gradient.iter().zip(&dx).map(|(g, f)| g * f).sum();
        let size: f64 = gradient.iter().zip(&dx).map(|(g, f)| (g * f).abs()).sum();
        prop_assert!(rate.abs() < 1e-11 * size.max(1.0), "{rate} of {size}");
    }
}

/// Every derivative of the Euler-Lagrange terms against differences of the Lagrangian's values.
fn check_terms<L: DifferentiableLagrangian<f64>>(lagrangian: L, seed: u64) {
    let n = lagrangian.input_dim() / 2;
    let value = |x: &[f64]| {
        let mut value = [0.0];
        lagrangian.lagrangian(x, &mut value, &mut Workspace::default()).expect("evaluates");
        value[0]
    };
    let x = check_states(2 * n, 1, seed).row(0).to_vec();
    let q_dot: Vec<f64> = (0..n).map(|i| (seed as f64 - 1.9 * i as f64).cos()).collect();
    let (mut gradient, mut mass, mut mixed) = (vec![0.0; 2 * n], vec![0.0; n * n], vec![0.0; n]);
    let terms = LagrangianTerms { gradient: &mut gradient, mass: &mut mass, mixed: &mut mixed };
    lagrangian
        .terms(1, &x, &q_dot, terms, Keep::Nothing(&mut Workspace::default()))
        .expect("evaluates");
    let close = |name: &str, exact: f64, difference: f64| {
        let error = (exact - difference).abs() / (1.0 + exact.abs());
        assert!(error < 2e-6, "{name}: {exact}, {difference}");
    };
    let unit = |k: usize| -> Vec<f64> { (0..2 * n).map(|i| f64::from(u8::from(i == k))).collect() };
    let shifted = |a: &[f64], b: &[f64], s: f64, t: f64| -> f64 {
        let moved: Vec<f64> = (0..2 * n).map(|i| x[i] + s * a[i] + t * b[i]).collect();
        value(&moved)
    };
    let h = 1e-3;
    // Second differences of second order, extrapolated to fourth.
    let second = |a: &[f64], b: &[f64]| {
        let at = |h: f64| {
            let f = |s: f64, t: f64| shifted(a, b, s * h, t * h);
            (f(1.0, 1.0) - f(1.0, -1.0) - f(-1.0, 1.0) + f(-1.0, -1.0)) / (4.0 * h * h)
        };
        (4.0 * at(h) - at(2.0 * h)) / 3.0
    };
    let rate: Vec<f64> = q_dot.iter().copied().chain(vec![0.0; n]).collect();
    for i in 0..2 * n {
        let difference = (8.0
            * (shifted(&unit(i), &rate, h, 0.0) - shifted(&unit(i), &rate, -h, 0.0))
            - (shifted(&unit(i), &rate, 2.0 * h, 0.0) - shifted(&unit(i), &rate, -2.0 * h, 0.0)))
            / (12.0 * h);
        close("gradient", gradient[i], difference);
    }
    for i in 0..n {
        close("mixed", mixed[i], second(&unit(n + i), &rate));
        for j in 0..n {
            close("mass", mass[i * n + j], second(&unit(n + i), &unit(n + j)));
        }
    }
}

/// A mechanical Lagrangian of n degrees of freedom that sees `inputs` numbers for the coordinates.
fn mechanical(
    n: usize,
    inputs: usize,
    hidden: &[usize],
    activation: Activation,
    seed: u64,
) -> MechanicalLagrangian<Mlp<f64>, Mlp<f64>> {
    let sizes = |outputs: usize| [&[inputs], hidden, &[outputs]].concat();
    let factor = network(&sizes(n * (n + 1) / 2), activation, seed);
    let potential = network(&sizes(1), activation, seed + 1);
    MechanicalLagrangian::new(factor, potential)
        .and_then(|l| l.with_epsilon(0.2))
        .expect("triangle")
}

/// The first, third, .. of n coordinates are angles.
fn marks(n: usize, velocities: usize) -> Vec<bool> {
    (0..n + velocities).map(|i| i < n && i % 2 == 0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_global_rejects: 10_000,
        failure_persistence: None,
        ..ProptestConfig::with_cases(24)
    })]

    #[test]
    fn terms((n, hidden, activation, _, seed) in cases()) {
        let angles = n.div_ceil(2);
        let sizes = |inputs: usize| [&[inputs], &hidden[..], &[1]].concat();
        check_terms(network(&sizes(2 * n), activation, seed), seed);
        check_terms(mechanical(n, n, &hidden, activation, seed), seed);
        let free = network(&sizes(2 * n + angles), activation, seed);
        check_terms(Angles::new(free, &marks(n, n)).expect("fits"), seed);
        let structured = mechanical(n, n + angles, &hidden, activation, seed);
        check_terms(Angles::new(structured, &marks(n, n)).expect("fits"), seed);
    }

    #[test]
    fn mechanical_lagrangian((n, hidden, activation, batch, seed) in cases()) {
        let lagrangian = mechanical(n, n, &hidden, activation, seed);
        let mut model = Lnn::new(lagrangian).expect("even");
        prop_assert!(smallest_mass(&model, batch, seed) >= 0.2 * (1.0 - 1e-9));
        check_vjp(&mut model, batch, seed);
    }

    #[test]
    fn angles_of_a_free_lagrangian((n, hidden, activation, batch, seed) in cases()) {
        let sizes = [&[2 * n + n.div_ceil(2)], &hidden[..], &[1]].concat();
        let free = network(&sizes, activation, seed);
        let lagrangian = Angles::new(free, &marks(n, n)).expect("fits");
        let mut model = Lnn::new(lagrangian).expect("even");
        prop_assume!(smallest_mass(&model, batch, seed) > 0.1);
        check_vjp(&mut model, batch, seed);
    }

    #[test]
    fn kinetic_prior((n, hidden, activation, batch, seed) in cases()) {
        let sizes = [&[2 * n + n.div_ceil(2)], &hidden[..], &[1]].concat();
        let free = Angles::new(network(&sizes, activation, seed), &marks(n, n));
        let lagrangian = KineticPrior::new(free.expect("fits"), 3.0).expect("positive");
        check_terms(lagrangian.clone(), seed);
        let mut model = Lnn::new(lagrangian).expect("even");
        prop_assume!(smallest_mass(&model, batch, seed) > 0.1);
        check_vjp(&mut model, batch, seed);
    }

    /// Angles around the whole Lagrangian, or around each of its networks: the same model.
    #[test]
    fn angles_of_a_mechanical_lagrangian((n, hidden, activation, batch, seed) in cases()) {
        let whole = mechanical(n, n + n.div_ceil(2), &hidden, activation, seed);
        let (factor, potential) = (whole.factor().clone(), whole.potential().clone());
        let parts = MechanicalLagrangian::new(
            Angles::new(factor, &marks(n, 0)).expect("fits"),
            Angles::new(potential, &marks(n, 0)).expect("fits"),
        );
        let mut parts = Lnn::new(parts.and_then(|l| l.with_epsilon(0.2)).expect("fits")).expect("even");
        let whole = Angles::new(whole, &marks(n, n)).expect("fits");
        let mut whole = Lnn::new(whole).expect("even");
        check_vjp(&mut whole, batch, seed);
        check_vjp(&mut parts, batch, seed);
        let x = check_states(2 * n, batch, seed);
        let a = parts.eval_rows(0.0, x.view()).expect("evaluates");
        let b = whole.eval_rows(0.0, x.view()).expect("evaluates");
        let (a, b) = (a.as_slice().expect("contiguous"), b.as_slice().expect("contiguous"));
        assert_close("acceleration", a, b, 1e-9);
    }

    #[test]
    fn angles_of_energies_and_maps((n, hidden, activation, batch, seed) in cases()) {
        let sizes = |outputs| [&[2 * n + n.div_ceil(2)], &hidden[..], &[outputs]].concat();
        let energy = network(&sizes(1), activation, seed);
        let map = network(&sizes(2 * n), activation, seed);
        let energy = Angles::new(energy, &marks(n, n)).expect("fits");
        check_vjp(&mut Hnn::new(energy).expect("even"), batch, seed);
        let map = Angles::new(map, &marks(n, n)).expect("fits");
        check_vjp(&mut Baseline::new(map).expect("square"), batch, seed);
    }
}

/// The mode reaches the networks of a Lagrangian, and what is thinned is one function.
#[test]
fn dropout_acts_in_both_networks_of_a_mechanical_lagrangian() {
    let net = |outputs, seed| network(&[2, 12, 10, outputs], Activation::Tanh, seed);
    let dropping = |net: Mlp<f64>| net.with_dropout(0.4, 9).expect("a probability");
    for [factor, potential] in [[dropping(net(3, 1)), net(1, 2)], [net(3, 1), dropping(net(1, 2))]]
    {
        let lagrangian = MechanicalLagrangian::new(factor, potential).expect("triangle");
        let mut model = Lnn::new(lagrangian.with_epsilon(0.2).expect("positive")).expect("even");
        let whole = model.eval_state(0.0, &[0.1, 0.2, 0.3, 0.4]).expect("evaluates");
        model.set_mode(Mode::Training { step: 1 });
        let thinned = model.eval_state(0.0, &[0.1, 0.2, 0.3, 0.4]).expect("evaluates");
        assert_ne!(thinned, whole);
        check_vjp(&mut model.clone(), 3, 5);
        model.set_mode(Mode::Evaluation);
        assert_eq!(model.eval_state(0.0, &[0.1, 0.2, 0.3, 0.4]).expect("evaluates"), whole);
    }
}

#[test]
fn angles_are_periodic() {
    let net = network(&[5, 16, 1], Activation::Softplus, 4);
    let model = Lnn::new(Angles::new(net, &[false, true, false, false]).expect("fits"));
    let model = model.expect("even");
    let turn = 2.0 * std::f64::consts::PI;
    let x =
        array![[0.3, -0.2, 0.5, 0.1], [0.3, turn - 0.2, 0.5, 0.1], [turn + 0.3, -0.2, 0.5, 0.1]];
    let dx = model.eval_rows(0.0, x.view()).expect("evaluates");
    for j in 0..4 {
        assert!((dx[[0, j]] - dx[[1, j]]).abs() < 1e-11);
    }
    assert!((dx[[0, 2]] - dx[[2, 2]]).abs() > 1e-3, "the other coordinate is no angle");
}

#[test]
fn forces_enter_the_right_hand_side() {
    let net = network(&[4, 16, 16, 1], Activation::Softplus, 3);
    let x = array![[0.3, -0.2, 0.5, 0.1]];
    let mass = Lnn::new(net.clone()).expect("even").mass_matrices(x.view()).expect("evaluates");
    let free = Lnn::new(net.clone()).expect("even").eval_rows(2.0, x.view()).expect("evaluates");
    let torque = InputForce::new(2, |t: f64, u: &mut [f64]| u.copy_from_slice(&[t, -3.0]));
    let driven = Lnn::forced(net, torque).expect("fits").eval_rows(2.0, x.view());
    let driven = driven.expect("evaluates");
    // A (driven - free) = u(2).
    for (i, u) in [2.0, -3.0].into_iter().enumerate() {
        let sum: f64 =
            (0..2).map(|j| mass[[0, i, j]] * (driven[[0, 2 + j]] - free[[0, 2 + j]])).sum();
        assert!((sum - u).abs() < 1e-12, "{sum} is not {u}");
    }
}

/// The power of the port and of the friction: `dE/dt = v . G u - v . R v`.
#[test]
fn the_port_feeds_the_energy() {
    let port = InputPort::with_matrix(array![[1.0, 0.0, 2.0], [-1.0, 0.5, 0.0]]).expect("finite");
    let g = port.matrix().to_owned();
    let dissipative = Dissipative::new(network(&[4, 8, 3], Activation::Tanh, 4)).expect("triangle");
    let prior = KineticPrior::new(network(&[4, 16, 1], Activation::Softplus, 3), 2.0);
    let model = Lnn::forced(prior.expect("positive"), Sum(port, dissipative.clone()));
    let model = model.expect("fits");
    let (x, u) = ([0.3, -0.2, 0.5, 0.1], [0.7, -1.1, 0.4]);
    let (mut dx, mut drag, workspace) = ([0.0; 4], [0.0; 2], &mut Workspace::default());
    model.eval(At { t: &[0.0], u: &u }, &x, &mut dx, workspace).expect("evaluates");
    dissipative.eval(1, &x, &mut drag, Keep::Nothing(workspace)).expect("evaluates");
    let gradient = model.energy_gradient_state(&x).expect("evaluates");
    let change: f64 = gradient.iter().zip(dx).map(|(g, f)| g * f).sum();
    let forces = g.dot(&ndarray::arr1(&u)) - ndarray::arr1(&drag);
    let power = x[2] * forces[0] + x[3] * forces[1];
    assert!((change - power).abs() < 1e-13, "{change} is not {power}");
}

#[test]
fn singular_mass_matrices_take_the_pseudo_inverse() {
    // A linear network: no mass at all. Zero accelerations, no NaN.
    let linear = Lnn::new(network(&[4, 1], Activation::Tanh, 1)).expect("even");
    let x = array![[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]];
    let dx = linear.eval_rows(0.0, x.view()).expect("evaluates");
    assert_eq!(dx.column(2).to_vec(), [0.0, 0.0]);
    assert_eq!(linear.conditioning(x.view()).expect("evaluates").to_vec(), [0.0, 0.0]);
    // One hidden unit: a mass matrix of rank 1, along the unit's weights of the velocities.
    let rank_one = network(&[4, 1, 1], Activation::Softplus, 2);
    let w = rank_one.params()[2..4].to_vec();
    let model = Lnn::new(rank_one).expect("even");
    let dx = model.eval_rows(0.0, x.view()).expect("evaluates");
    for row in dx.rows() {
        let across = row[2] * w[1] - row[3] * w[0];
        assert!(across.abs() < 1e-9 * (row[2].abs() + row[3].abs()), "{row}");
    }
    let conditioning = model.conditioning(x.view()).expect("evaluates");
    assert!(conditioning.iter().all(|c| *c < 1e-14), "{conditioning}");
}

#[test]
fn one_state_at_a_time_gives_the_same_in_f32_as_well() {
    let architecture = Architecture::new(&[4, 40, 33, 1]).expect("sizes");
    let architecture = architecture.with_activation(Activation::Softplus);
    let net = Mlp::<f32>::new(architecture, Initialisation::Glorot, 5);
    let model = Lnn::new(net).expect("even");
    let x = Array2::from_shape_fn((37, 4), |(i, j)| (1.3 * i as f32 + 0.7 * j as f32).sin());
    let together = model.eval_rows(0.0, x.view()).expect("evaluates");
    let conditioning = model.conditioning(x.view()).expect("evaluates");
    for (i, row) in x.rows().into_iter().enumerate() {
        let alone = model.eval_state(0.0, &row.to_vec()).expect("evaluates");
        let size = alone.iter().fold(1.0_f32, |m, f| m.max(f.abs()));
        let tolerance = 1e-5 * size / conditioning[i] as f32;
        for (a, b) in alone.iter().zip(together.row(i)) {
            assert!((a - b).abs() < tolerance, "{a} and {b} at row {i}");
        }
    }
}

#[test]
fn bad_input_is_an_error() {
    let net = |sizes: &[usize]| network(sizes, Activation::Softplus, 0);
    assert!(Lnn::new(net(&[3, 4, 1])).is_err());
    assert!(Lnn::forced(net(&[4, 4, 1]), FrictionForce::new(net(&[4, 4, 1]))).is_err());
    assert!(Lnn::forced(net(&[4, 4, 1]), FrictionForce::new(net(&[2, 4, 2]))).is_err());
    let torque = InputForce::new(1, |_: f64, _: &mut [f64]| {});
    assert!(Lnn::forced(net(&[4, 4, 1]), torque).is_err());
    let model = Lnn::new(net(&[4, 4, 1])).expect("even");
    assert!(model.mass_matrices(ArrayView2::from(&[[1.0, 2.0]])).is_err());
    assert!(model.eval_state(0.0, &[1.0]).is_err());
    let net = |sizes: &[usize]| network(sizes, Activation::Softplus, 0);
    assert!(Angles::new(net(&[4, 4, 1]), &[true, false]).is_err());
    assert!(Angles::new(net(&[4, 4, 1]), &[true, false, true]).is_err());
    let velocity = Angles::new(net(&[3, 4, 1]), &[false, true]).expect("fits");
    let error = Lnn::new(velocity).expect_err("the velocity is no angle").to_string();
    assert!(error.contains("coordinate 1"), "{error}");
    assert!(KineticPrior::new(net(&[4, 4, 1]), 0.0).is_err());
    let uneven = KineticPrior::new(net(&[5, 4, 1]), 1.0).expect("positive");
    assert!(
        Angles::new(uneven, &[true, false, false, false]).map(Lnn::new).is_ok_and(|m| m.is_err())
    );
    assert!(MechanicalLagrangian::new(net(&[2, 4, 2]), net(&[2, 4, 1])).is_err());
    assert!(MechanicalLagrangian::new(net(&[2, 4, 3]), net(&[3, 4, 1])).is_err());
    for bad in [f64::NAN, f64::INFINITY, -1e-9] {
        let mechanical = MechanicalLagrangian::new(net(&[2, 4, 3]), net(&[2, 4, 1]));
        let error = mechanical.and_then(|l| l.with_epsilon(bad)).expect_err("refused").to_string();
        assert_eq!(error, format!("epsilon = {bad}, but it must be finite and not negative"));
    }
    for bad in [f64::NAN, f64::INFINITY, -1e-9, 1.0] {
        let error = model.clone().with_rcond(bad).expect_err("refused").to_string();
        assert!(error.starts_with(&format!("rcond = {bad}, but it must be in [0, 1)")), "{error}");
    }
    // One velocity beside three coordinates.
    let odd = MechanicalLagrangian::new(net(&[3, 4, 1]), net(&[3, 4, 1])).expect("triangle");
    assert!(Lnn::new(odd).is_err());
}
