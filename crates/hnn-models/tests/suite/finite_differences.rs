//! Every model's vector-Jacobian product against finite differences, for random networks.

use hnn_integrators::{
    Adjoint, At, Bars, Checkpoints, Constrained, DifferentiableField, DifferentiableStepper,
    DualField, FixedStep, FnField, GAUSS_LEGENDRE4, Grid, GridInputs, Lane, Mode, Parameters,
    Projected, RATTLE, RK4, Rollout, StateForm, Tolerances, VELOCITY_VERLET, VectorField, Visit,
    Workspace, solve,
};
use hnn_models::{
    Activation, Angles, Architecture, Baseline, ConstrainedHnn, DifferentiableMap, Dissipative,
    ExternalForce, FrictionForce, FrictionLaw, FrictionTerm, GeneralisedForce, Harmonics, Hnn,
    Initialisation, InputForce, InputPort, Keep, KineticPrior, Lnn, MechanicalLagrangian, Mlp,
    ModelError, PowerBalance, Scales, SeparableHnn, StatePort, Sum,
};
use hnn_systems::{Hamiltonian, Rods};
use hnn_testing::{check_step_inputs, check_step_rows, check_vjp as check, slope, wave};
use ndarray::{Array2, array};
use proptest::prelude::*;

fn activation() -> impl Strategy<Value = Activation> {
    prop::sample::select(Activation::ALL.to_vec())
}

/// Degrees of freedom, hidden sizes (0 to 4 layers), activation, batch, seed.
fn cases() -> impl Strategy<Value = (usize, Vec<usize>, Activation, usize, u64)> {
    (1..4_usize, prop::collection::vec(1..24_usize, 0..5), activation(), 1..5_usize, 0..1000_u64)
}

fn network(
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
    activation: Activation,
    seed: u64,
) -> Mlp<f64> {
    let sizes = [&[inputs], hidden, &[outputs]].concat();
    let architecture = Architecture::new(&sizes).expect("sizes").with_activation(activation);
    Mlp::new(architecture.with_output_bias(seed.is_multiple_of(2)), Initialisation::Glorot, seed)
}

fn dissipative(
    n: usize,
    hidden: &[usize],
    activation: Activation,
    seed: u64,
) -> Dissipative<Mlp<f64>> {
    Dissipative::new(network(2 * n, hidden, n * (n + 1) / 2, activation, seed)).expect("triangle")
}

/// Two inputs on all momenta.
fn port(n: usize) -> InputPort {
    let entry = |(i, k): (usize, usize)| 0.5 + i as f64 - 1.5 * k as f64;
    InputPort::with_matrix(ndarray::Array2::from_shape_fn((n, 2), entry)).expect("finite").fitted()
}

/// The port of two inputs and a force of the clock, both of gains that depend on the state.
fn clocked_ports(
    n: usize,
    rows: usize,
    hidden: &[usize],
    activation: Activation,
    seed: u64,
) -> Sum<StatePort<Mlp<f64>>, ExternalForce<StatePort<Mlp<f64>>>> {
    let port = |inputs, seed| {
        StatePort::new(network(2 * n, hidden, rows * inputs, activation, seed), inputs)
    };
    let harmonics = Harmonics::periodic(1.9, 2).expect("a period");
    let force = ExternalForce::new(port(4, seed + 1).expect("fits"), harmonics);
    Sum(port(2, seed).expect("fits"), force.expect("four functions"))
}

/// Dissipation, ports and the clock on all of the state.
fn on_state(
    n: usize,
    hidden: &[usize],
    activation: Activation,
    seed: u64,
) -> Hnn<Angles<Mlp<f64>>, impl GeneralisedForce<f64> + use<>> {
    let angles = |outputs, seed| {
        let marks = Vec::from_iter((0..2 * n).map(|i| i < n));
        Angles::new(network(3 * n, hidden, outputs, activation, seed), &marks).expect("fits")
    };
    let dissipative = Dissipative::new(angles(n * (2 * n + 1), seed + 1)).expect("triangle");
    let ports = clocked_ports(n, 2 * n, hidden, activation, seed + 2);
    let port = StatePort::new(angles(2 * n, seed + 3), 1).expect("fits");
    let force = Sum(Sum(dissipative, ports), port);
    Hnn::port_hamiltonian(angles(1, seed), force).expect("fits")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn baseline((n, hidden, activation, batch, seed) in cases()) {
        let inputs = (seed % 3) as usize;
        let net = network(2 * n + inputs, &hidden, 2 * n, activation, seed);
        check(&mut Baseline::with_inputs(net, inputs).expect("fits"), batch, seed);
    }

    #[test]
    fn hnn((n, hidden, activation, batch, seed) in cases()) {
        let net = network(2 * n, &hidden, 1, activation, seed);
        check(&mut Hnn::new(net).expect("even"), batch, seed);
    }

    #[test]
    fn hnn_with_free_friction((n, hidden, activation, batch, seed) in cases()) {
        let energy = network(2 * n, &hidden, 1, activation, seed);
        let friction = network(2 * n, &hidden, n, activation, seed + 1);
        check(&mut Hnn::with_friction(energy, friction).expect("fits"), batch, seed);
    }

    #[test]
    fn hnn_with_dissipative_friction((n, hidden, activation, batch, seed) in cases()) {
        let energy = network(2 * n, &hidden, 1, activation, seed);
        let friction = dissipative(n, &hidden, activation, seed + 1);
        check(&mut Hnn::with_friction(energy, friction).expect("fits"), batch, seed);
    }

    /// `dx/dt = (J - R) dH/dx + G u`, with a free friction and a torque on top.
    #[test]
    fn port_hamiltonian((n, hidden, activation, batch, seed) in cases()) {
        let energy = network(2 * n, &hidden, 1, activation, seed);
        let dissipative = dissipative(n, &hidden, activation, seed + 1);
        let free = FrictionForce::new(network(2 * n, &hidden, n, activation, seed + 2));
        let torque = InputForce::new(n, |t: f64, out: &mut [f64]| out.fill(t + 1.0));
        let force = Sum(Sum(port(n), dissipative), Sum(free, Sum(torque, InputPort::new(n))));
        check(&mut Hnn::forced(energy, force).expect("fits"), batch, seed);
    }

    /// `dx/dt = (J - R(x)) dH/dx + G(x) u + F(x, t)` on all of the state, whose positions are angles.
    #[test]
    fn port_hamiltonian_on_all_of_the_state((n, hidden, activation, batch, seed) in cases()) {
        check(&mut on_state(n, &hidden, activation, seed), batch, seed);
    }

    /// Ports and clocks of Hamiltonian and Lagrangian networks.
    #[test]
    fn state_ports((n, hidden, activation, batch, seed) in cases()) {
        let force = |seed| {
            let ports = clocked_ports(n, n, &hidden, activation, seed);
            let window = Harmonics::window(-0.3, 1.7, 3).expect("a window");
            Sum(ports, ExternalForce::on_momenta(n, window).expect("small"))
        };
        let energy = network(2 * n, &hidden, 1, activation, seed);
        check(&mut Hnn::forced(energy, force(seed)).expect("fits"), batch, seed);
        let free = network(2 * n, &hidden, 1, activation, seed);
        let free = KineticPrior::new(free, 2.0).expect("a mass");
        check(&mut Lnn::forced(free, force(seed + 1)).expect("fits"), batch, seed);
    }

    /// The energy changes by what R takes and the port feeds in: `dH/dt = -e . R e + y . u`,
    /// `y = G^T e`, with `e = dH/dp` or `e = dH/dx`.
    #[test]
    fn power_balance((n, hidden, activation, _, seed) in cases()) {
        let energy = network(2 * n, &hidden, 1, activation, seed);
        let x = Array2::from_shape_fn((3, 2 * n), |(row, i)| (seed as f64 + 2.3 * i as f64 + row as f64).sin());
        let (t, u) = (array![0.1, 0.2, 0.3], array![[1.3, -0.7], [0.2, 0.9], [0.0, -2.0]]);
        for m in [n, 2 * n] {
            let triangle = m * (m + 1) / 2;
            let factor = network(2 * n, &hidden, triangle, activation, seed + 1);
            let gains = network(2 * n, &hidden, 2 * m, activation, seed + 2);
            let dissipative = Dissipative::new(factor.clone()).expect("triangle");
            let force = Sum(dissipative, StatePort::new(gains.clone(), 2).expect("fits"));
            let model = match m == n {
                true => Hnn::forced(energy.clone(), force),
                false => Hnn::port_hamiltonian(energy.clone(), force),
            };
            let model = model.expect("fits");
            let found = model.power_balance(t.view(), x.view(), u.view()).expect("evaluates");
            for row in 0..3 {
                let state = x.row(row).to_vec();
                let gradient = model.energy_gradient_state(&state).expect("evaluates");
                let effort = &gradient[2 * n - m..];
                let (mut y, mut g) = (vec![0.0; triangle], vec![0.0; 2 * m]);
                let workspace = &mut Workspace::default();
                factor.eval(1, &state, &mut y, Keep::Nothing(workspace)).expect("evaluates");
                gains.eval(1, &state, &mut g, Keep::Nothing(workspace)).expect("evaluates");
                // R = L L^T from the network's outputs.
                let l = |i: usize, k: usize| {
                    let entry = y[i * (i + 1) / 2 + k];
                    if i == k { entry.exp().ln_1p().sqrt() } else { entry }
                };
                let column = |k| (k..m).map(|i| l(i, k) * effort[i]).sum::<f64>();
                let taken: f64 = (0..m).map(|k| column(k).powi(2)).sum();
                let output = |k| (0..m).map(|i| g[2 * i + k] * effort[i]).sum::<f64>();
                let fed: f64 = (0..2).map(|k| output(k) * u[[row, k]]).sum();
                let scale = 1.0 + taken + gradient.iter().map(|g| g * g).sum::<f64>();
                let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * scale;
                prop_assert!(close(found.outputs[[row, 0]], output(0)));
                prop_assert!(close(found.outputs[[row, 1]], output(1)));
                prop_assert!(close(found.supplied[row], fed) && close(found.dissipated[row], taken));
                prop_assert!(close(found.rate[row], fed - taken), "{} {fed} {taken}", found.rate[row]);
            }
        }
    }

    #[test]
    fn separable_hnn((n, hidden, activation, batch, seed) in cases()) {
        let kinetic = network(n, &hidden, 1, activation, seed);
        let potential = network(n, &hidden, 1, activation, seed + 1);
        check(&mut SeparableHnn::new(kinetic, potential).expect("fits"), batch, seed);
    }

    /// The thinned network's derivatives are those of the function it computes.
    #[test]
    fn dropout((n, hidden, activation, batch, seed) in cases()) {
        let dropping = |net: Mlp<f64>| net.with_dropout(0.3, seed).expect("a probability");
        let energy = dropping(network(2 * n, &hidden, 1, activation, seed));
        let friction = dropping(network(2 * n, &hidden, n, activation, seed + 1));
        let mut model = Hnn::with_friction(energy, friction).expect("fits");
        model.set_mode(Mode::Training { step: seed });
        check(&mut model, batch, seed);
    }

    /// p . F >= 0, and F = 0 at rest.
    #[test]
    fn dissipative_friction_never_feeds_energy((n, hidden, activation, _, seed) in cases()) {
        let friction = dissipative(n, &hidden, activation, seed);
        let x: Vec<f64> = (0..2 * n).map(|i| (seed as f64 + 2.3 * i as f64).sin()).collect();
        let mut force = vec![0.0; n];
        friction.eval(1, &x, &mut force, Keep::Nothing(&mut Workspace::default())).expect("evaluates");
        let power: f64 = x[n..].iter().zip(&force).map(|(p, f)| p * f).sum();
        prop_assert!(power >= 0.0);
        let rest: Vec<f64> = x[..n].iter().copied().chain(vec![0.0; n]).collect();
        friction.eval(1, &rest, &mut force, Keep::Nothing(&mut Workspace::default())).expect("evaluates");
        prop_assert!(force.iter().all(|f| *f == 0.0));
    }
}

/// The parameters' cotangents row by row and those of the inputs, back through a step.
#[test]
fn rows_and_inputs_through_steps() {
    fn check<F: DifferentiableField<f64>>(field: &F) {
        check_step_rows(&RK4, field, 5, 1);
        check_step_rows(&GAUSS_LEGENDRE4, field, 5, 2);
        check_step_inputs(&RK4, field, 5, 1);
        check_step_inputs(&GAUSS_LEGENDRE4, field, 5, 2);
    }
    let network =
        |inputs, outputs, seed| network(inputs, &[9, 33], outputs, Activation::Softplus, seed);
    let dissipative = |seed| Dissipative::new(network(4, 3, seed)).expect("triangle");
    check(&Baseline::new(network(4, 4, 1)).expect("square"));
    check(&Baseline::with_inputs(network(6, 4, 1), 2).expect("fits"));
    check(&Hnn::new(network(4, 1, 2)).expect("even"));
    check(&Hnn::with_friction(network(4, 1, 3), network(4, 2, 4)).expect("fits"));
    let angles = Angles::new(network(6, 1, 5), &[true, true, false, false]).expect("fits");
    check(&Hnn::forced(angles, dissipative(6)).expect("fits"));
    let force = Sum(dissipative(7), port(2));
    check(&Hnn::forced(network(4, 1, 8), force.clone()).expect("fits"));
    check(&on_state(2, &[9], Activation::Softplus, 3));
    let separable = SeparableHnn::new(network(2, 1, 9), network(2, 1, 10)).expect("fits");
    check(&separable);
    check_step_rows(&VELOCITY_VERLET, &separable, 5, 3);
    let free = KineticPrior::new(network(4, 1, 11), 2.0).expect("a mass");
    check(&Lnn::forced(free, Sum(port(2), InputPort::new(2))).expect("fits"));
    let mechanical = MechanicalLagrangian::new(network(2, 3, 12), network(2, 1, 13));
    check(&Lnn::forced(mechanical.expect("fits"), force).expect("fits"));
    let terms = [FrictionTerm::Viscous, FrictionTerm::Quadratic];
    let law = FrictionLaw::new(2, &terms)
        .expect("terms")
        .with_constants(array![[0.2, 0.3], [0.1, 0.4]].view());
    let force = Sum(FrictionForce::new(law.expect("finite")), port(2));
    check(&Hnn::forced(network(4, 1, 14), force).expect("fits"));
    check(&DualField::new([1.3, 0.2], |_t, [q, p]: [_; 2], [a, c]| [p, -a * q.sin() - c * p]));
}

/// Along a rollout the energy changes by the integral of the power.
#[test]
fn power_along_rollouts() {
    fn check<M: Hamiltonian<f64>>(
        model: &M,
        balance: impl Fn(f64, &[f64], &[f64]) -> PowerBalance<f64> + Send + Sync,
    ) {
        let dim = model.dim();
        let inputs = |t: f64| [t.sin(), 0.3 - t];
        // The last coordinate is what was supplied less what was dissipated.
        let watched = FnField::new(dim + 1, |t: f64, x: &[f64], dx: &mut [f64]| {
            let (u, x) = (inputs(t), &x[..dim]);
            let at = At { t: &[t], u: &u };
            model.eval(at, x, &mut dx[..dim], &mut Workspace::default()).expect("evaluates");
            let power = balance(t, x, &u);
            dx[dim] = power.supplied[0] - power.dissipated[0];
        });
        let mut x = wave(0.4, dim + 1);
        x[dim] = 0.0;
        let first = model.energy_state(&x[..dim]).expect("evaluates");
        let run = solve(&watched, ndarray::aview1(&x), &[0.0, 2.0], Tolerances::relative(1e-13))
            .expect("integrates");
        let end = run.states.row(1).to_vec();
        let change = model.energy_state(&end[..dim]).expect("evaluates") - first;
        assert!(change.abs() > 1e-3 && (change - end[dim]).abs() < 1e-11, "{change} {}", end[dim]);
    }
    macro_rules! watched {
        ($model:expr) => {{
            let model = $model;
            check(&model, |t, x, u| {
                let row =
                    |x: &[f64]| Array2::from_shape_vec((1, x.len()), x.to_vec()).expect("a row");
                let balance = model.power_balance(array![t].view(), row(x).view(), row(u).view());
                balance.expect("evaluates")
            });
        }};
    }
    let net = |inputs, outputs, seed| network(inputs, &[9], outputs, Activation::Softplus, seed);
    let ports = |rows, seed| clocked_ports(2, rows, &[9], Activation::Softplus, seed);
    let resistive = |outputs| Dissipative::new(net(4, outputs, 2)).expect("triangle");
    watched!(Hnn::forced(net(4, 1, 1), Sum(resistive(3), ports(2, 3))).expect("fits"));
    watched!(Hnn::port_hamiltonian(net(4, 1, 1), Sum(resistive(10), ports(4, 3))).expect("fits"));
    let mechanical = MechanicalLagrangian::new(net(2, 3, 5), net(2, 1, 6)).expect("fits");
    watched!(Lnn::forced(mechanical, Sum(resistive(3), ports(2, 3))).expect("fits"));
}

/// A constant force is a tilted potential, and so has no place in a force of the clock.
#[test]
fn external_forces_have_zero_mean() {
    for harmonics in [Harmonics::periodic(1.3, 3), Harmonics::window(-0.2, 1.1, 5)] {
        let mut force = ExternalForce::on_momenta(2, harmonics.expect("positive")).expect("small");
        let theta = wave(0.7, Parameters::<f64>::num_params(&force));
        force.set_params(&theta).expect("as many");
        let (count, x) = (64, [0.0; 4 * 64]);
        let t = Vec::from_iter((0..count).map(|k| -0.2 + 1.3 * (k as f64 + 0.5) / count as f64));
        let mut sums = vec![0.0; 2 * count];
        let keep = Keep::Nothing(&mut Workspace::default());
        force.add(At::time(&t), &x, &x[..2 * count], &mut sums, keep).expect("evaluates");
        for force in sums.chunks(count) {
            let most = force.iter().fold(0.0_f64, |most, f| most.max(f.abs()));
            assert!(most > 0.3 && force.iter().sum::<f64>().abs() < 1e-12, "{force:?}");
        }
    }
    for (period, count) in [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (f64::INFINITY, 1), (1.0, 0)] {
        assert!(Harmonics::periodic(period, count).is_err());
        assert!(Harmonics::window(0.0, period, count).is_err());
    }
    let harmonics = Harmonics::periodic(1.0, usize::MAX).expect("a number");
    assert!(ExternalForce::on_momenta(usize::MAX, harmonics).is_err());
    assert!(ExternalForce::new::<f64>(InputPort::new(3), harmonics).is_err());
}

/// What is done with each model that scales are given to.
trait WithModel {
    fn with(&mut self, name: &str, model: impl DifferentiableField<f64>);
}

/// Every kind of model of two degrees of freedom, with scales taken from states and derivatives, and
/// forces; velocities are in units of `v`.
fn scaled_models(
    (x, dx): (&Array2<f64>, &Array2<f64>),
    forces: &Array2<f64>,
    v: f64,
    visit: &mut impl WithModel,
) {
    let net = |inputs, outputs, seed| network(inputs, &[9], outputs, Activation::Tanh, seed);
    let marks = [true, false, false, false];
    let angles =
        |seed| Angles::new(network(5, &[9], 1, Activation::Softplus, seed), &marks).expect("fits");
    let scales = Scales::new(x.view(), dx.view()).expect("sizes");
    let energy = |seed| scales.energy(angles(seed)).expect("fits");
    visit.with("baseline", Baseline::new(scales.map(net(4, 4, 1)).expect("fits")).expect("fits"));
    let free = scales.friction(net(4, 2, 2)).expect("fits");
    visit.with("free friction", Hnn::with_friction(energy(3), free).expect("fits"));
    let dissipative = scales.dissipative(net(4, 3, 4)).expect("fits");
    visit.with("dissipative", Hnn::forced(energy(5), dissipative).expect("fits"));
    let inputs = x.slice(ndarray::s![.., ..1]).mapv(f64::cos);
    let driven = scales.clone().with_inputs(inputs.view()).expect("a column");
    let all = Sum(
        scales.dissipative(net(4, 10, 4)).expect("fits"),
        driven.port(net(4, 4, 2)).expect("fits"),
    );
    visit.with("on the state", Hnn::port_hamiltonian(energy(5), all).expect("fits"));
    let port = driven.port(net(4, 2, 2)).expect("fits");
    visit.with("port", Hnn::forced(energy(5), port).expect("fits"));
    let on_momenta = scales.clone().on_momenta();
    let friction = on_momenta.dissipative(net(4, 3, 6)).expect("fits");
    visit.with("dissipative, momenta", Hnn::with_friction(energy(7), friction).expect("fits"));
    let separable = (scales.kinetic(net(2, 1, 8)), scales.potential(net(2, 1, 9)));
    let separable = SeparableHnn::new(separable.0.expect("fits"), separable.1.expect("fits"));
    visit.with("separable", separable.expect("fits"));
    let terms =
        [FrictionTerm::Viscous, FrictionTerm::Coulomb { width: 0.3 * v }, FrictionTerm::Quadratic];
    let law = |scales: &Scales| {
        let mut law = scales.friction_law::<f64>(&terms).expect("units");
        law.set_params(&[0.3, 0.4, 0.5, 0.7, 0.2, 0.1]).expect("six");
        law
    };
    visit.with("law", Hnn::forced(energy(10), law(&scales)).expect("fits"));
    let squares = law(&scales).non_negative();
    assert_eq!(squares.constants().mapv(|c| c > 0.0), Array2::from_elem((3, 2), true));
    visit.with("law of squares", Hnn::forced(energy(10), squares).expect("fits"));

    let scales = Scales::from_forces(x.view(), dx.view(), forces.view()).expect("sizes");
    let prior = KineticPrior::new(angles(11), 1.0).expect("positive");
    let force = Sum(law(&scales), scales.dissipative(net(4, 3, 12)).expect("fits"));
    let lagrangian = scales.lagrangian(prior).expect("fits");
    visit.with("prior", Lnn::forced(lagrangian, force).expect("fits"));
    let mechanical = MechanicalLagrangian::new(net(2, 3, 13), net(2, 1, 14)).expect("fits");
    let lagrangian = scales.lagrangian(mechanical).expect("fits");
    let friction = FrictionForce::new(scales.friction(net(4, 2, 15)).expect("fits"));
    visit.with("mechanical", Lnn::forced(lagrangian, friction).expect("fits"));
}

/// States, derivatives and forces of no pattern; the angle comes first.
fn motion() -> [Array2<f64>; 3] {
    let rows = |phase: f64, columns| {
        Array2::from_shape_fn((40, columns), |(row, i)| {
            (phase + 1.3 * row as f64 + 2.1 * i as f64).sin() + 0.2 * i as f64
        })
    };
    [rows(0.1, 4), rows(0.7, 4), rows(1.9, 2)]
}

/// Scaled models' cotangents against finite differences, and row by row through a step.
#[test]
fn scaled() {
    struct Check;
    impl WithModel for Check {
        fn with(&mut self, _name: &str, mut model: impl DifferentiableField<f64>) {
            check(&mut model, 3, 1);
            check_step_rows(&RK4, &model, 5, 1);
        }
    }
    let [x, dx, forces] = motion();
    scaled_models((&x, &dx), &forces, 1.0, &mut Check);
}

/// The same model of data in other units is the same model: also where the units of the degrees of
/// freedom differ, and far from 1.
#[test]
fn units_make_no_difference() {
    struct Slopes<'a> {
        units: [f64; 4],
        time: f64,
        found: &'a mut Vec<(String, Vec<f64>)>,
    }
    impl WithModel for Slopes<'_> {
        fn with(&mut self, name: &str, model: impl DifferentiableField<f64>) {
            let x = std::array::from_fn::<f64, 4, _>(|i| (0.3 - 0.4 * i as f64) * self.units[i]);
            let (mut dx, u) = ([0.0; 4], vec![0.7; model.inputs()]);
            let at = At { t: &[0.0], u: &u };
            model.eval(at, &x, &mut dx, &mut Workspace::default()).expect("evaluates");
            let slopes = dx.iter().zip(self.units).map(|(dx, unit)| dx * self.time / unit);
            self.found.push((name.to_owned(), slopes.collect()));
        }
    }
    let [x, dx, forces] = motion();
    let slopes = |units: [f64; 4], time: f64, force: [f64; 2], v: f64| {
        let unit = ndarray::arr1(&units);
        let mut found = Vec::new();
        let data = (&(&x * &unit), &(&dx * &unit / time));
        let mut visit = Slopes { units, time, found: &mut found };
        scaled_models(data, &(&forces * &ndarray::arr1(&force)), v, &mut visit);
        found
    };
    let first = slopes([1.0; 4], 1.0, [1.0; 2], 1.0);
    let same = |now: &[(String, Vec<f64>)], names: &[&str]| {
        for ((name, first), (_, now)) in first.iter().zip(now) {
            let is_meant = names.is_empty() || names.contains(&name.as_str());
            for (a, b) in first.iter().zip(now).filter(|_| is_meant) {
                assert!((a - b).abs() < 1e-9 * (1.0 + a.abs()), "{name}: {a} and {b}");
            }
        }
    };
    for c in [1e-9, 1e4, 1e12] {
        // Time and momenta (or velocities, and forces), with the angle as it is.
        same(&slopes([1.0, 1.0, c, c], 1.0 / c, [c; 2], c), &[]);
        // Each degree of freedom in units of its own: momenta, then velocities.
        let now = slopes([1.0, 1e5, c, c * 1e-5], 1e3, [1.0; 2], 1.0);
        same(
            &now,
            &["baseline", "free friction", "dissipative", "on the state", "port", "separable"],
        );
        same(&slopes([1.0, 1e5, c, 1e5 * c], 1.0 / c, [7.0, 7e-5], 1.0), &["mechanical"]);
    }
}

/// With known torques the mass matrix of a two-joint arm starts near its own, whatever the units and
/// the network.
#[test]
fn masses_start_at_the_data() {
    let [x, dx, _] = motion();
    for unit in [1.0, 1e-7, 1e9] {
        let torques = Array2::from_shape_fn((x.nrows(), 2), |(row, i)| {
            let (q, a) = (x.row(row), dx.row(row));
            let (m11, m12, m22) = (1.4 + q[1].cos(), 0.5 + 0.5 * q[1].cos(), 0.5);
            let gravity = [0.8 * q[0].cos() + 0.5 * (q[0] + q[1]).cos(), 0.5 * (q[0] + q[1]).cos()];
            unit * (gravity[i]
                + if i == 0 { m11 * a[2] + m12 * a[3] } else { m12 * a[2] + m22 * a[3] })
        });
        let scales = Scales::from_forces(x.view(), dx.view(), torques.view()).expect("sizes");
        let near = |masses: ndarray::Array3<f64>| {
            let mean = masses.mean_axis(ndarray::Axis(0)).expect("rows");
            for (i, truth) in [(0, 2.0), (1, 0.5)] {
                let ratio = mean[[i, i]] / unit / truth;
                assert!((0.2..5.0).contains(&ratio), "{unit}: {ratio} times the mass {i}");
            }
        };
        for activation in [Activation::Softplus, Activation::Tanh] {
            let net = network(4, &[32, 32], 1, activation, 1);
            let prior = KineticPrior::new(net, 1.0).expect("positive");
            let model = Lnn::new(scales.lagrangian(prior).expect("fits")).expect("even");
            near(model.mass_matrices(x.view()).expect("evaluates"));
        }
        let net = |outputs, seed| network(2, &[32, 32], outputs, Activation::Tanh, seed);
        let mechanical = MechanicalLagrangian::new(net(3, 2), net(1, 3)).expect("fits");
        let lagrangian = scales.lagrangian(mechanical).expect("fits");
        near(Lnn::new(lagrangian).expect("even").mass_matrices(x.view()).expect("evaluates"));
    }
}

/// Constant, resting and huge columns have sizes; what is no data is refused in words.
#[test]
fn scales_of_odd_data() {
    let x = array![[3.0, 0.0, 1e200, 5.0], [3.0, 0.0, -1e200, 5.0 + 1e-15]];
    let dx = array![[0.0, 0.0, 1e201, 2.0], [0.0, 0.0, 1e201, -2.0]];
    let scales = Scales::new(x.view(), dx.view()).expect("sizes");
    assert_eq!(scales.size()[..2], [3.0, 1.0]);
    assert!((scales.size()[2] / 1e200 - 1.0).abs() < 1e-12 && scales.size()[3] == 5.0);
    assert!(scales.rate().iter().all(|rate| *rate > 0.0));
    let message = |result: Result<_, ModelError>| match result {
        Ok(()) => "none".to_owned(),
        Err(error) => error.to_string(),
    };
    let net = |inputs, outputs| network(inputs, &[4], outputs, Activation::Tanh, 1);
    let beyond = message(scales.energy(net(4, 1)).map(drop));
    assert!(beyond.contains("beyond the range of f64: take units"), "{beyond}");
    let [x, dx, forces] = motion();
    let other = dx.slice(ndarray::s![..3, ..]);
    assert!(message(Scales::new(x.view(), other).map(drop)).contains("there are 3 for 40 states"));
    let mut odd = dx.clone();
    odd[[7, 2]] = f64::NAN;
    let error = message(Scales::new(x.view(), odd.view()).map(drop));
    assert!(error.contains("number 2 of row 7 is NaN"), "{error}");
    let scales = Scales::new(x.view(), dx.view()).expect("sizes");
    assert!(message(scales.energy(net(3, 1)).map(drop)).contains("has 3 inputs"));
    assert!(message(scales.energy(net(4, 2)).map(drop)).contains("has 2 outputs"));
    assert!(message(scales.friction(net(4, 3)).map(drop)).contains("has 3 outputs"));
    let dissipative = Dissipative::new(net(4, 3)).expect("triangle");
    let nested = scales.dissipative(dissipative.clone());
    assert!(message(nested.map(drop)).contains("hand over its network"));
    assert!(message(scales.friction(dissipative).map(drop)).contains("`Scales::dissipative`"));
    let of_forces = |forces: Array2<f64>| {
        message(Scales::from_forces(x.view(), dx.view(), forces.view()).map(drop))
    };
    assert!(of_forces(forces.slice(ndarray::s![.., ..1]).to_owned()).contains("2 are needed"));
    assert!(
        of_forces(forces.slice(ndarray::s![1.., ..]).to_owned())
            .contains("there are 39 for 40 states")
    );
    assert!(of_forces(Array2::zeros((40, 2))).contains("all are 0"));
    // One motor for two joints.
    assert_eq!(of_forces(&forces * &array![1.0, 0.0]), "none");
    for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(FrictionLaw::<f64>::new(1, &[FrictionTerm::Coulomb { width }]).is_err());
    }
    assert!(FrictionLaw::<f64>::new(usize::MAX, &[FrictionTerm::Viscous]).is_err());
    assert!(FrictionLaw::<f64>::new(0, &[FrictionTerm::Viscous]).is_err());
    assert!(FrictionLaw::<f64>::new(1, &[]).is_err());
    let law = FrictionLaw::<f64>::new(1, &[FrictionTerm::Viscous]).expect("a term");
    assert!(Hnn::forced(net(4, 1), law.clone()).is_err());
    assert!(law.non_negative().with_constants(array![[-1.0]].view()).is_err());
}

/// The samples' cotangents through a rollout, whatever states are kept.
#[test]
fn inputs_through_rollouts() {
    let (n, batch, steps) = (2, 3, 37);
    let energy = network(2 * n, &[12, 12], 1, Activation::Tanh, 1);
    let force = Sum(dissipative(n, &[8], Activation::Tanh, 2), port(n));
    let model = Hnn::forced(energy, force).expect("fits");
    let len = 2 * n * batch;
    let (x0, weights) = (wave(0.3, len), wave(1.1, (steps + 1) * len));
    let samples = wave(0.2, (steps + 1) * 2 * batch);
    let direction = wave(1.9, samples.len());
    fn with(held: bool, samples: &[f64]) -> GridInputs<'_, f64> {
        if held { GridInputs::Held(samples) } else { GridInputs::Linear(samples) }
    }
    for held in [true, false] {
        let grid = Grid::equal(batch, 0.0, 0.1, steps);
        let difference = slope(1e-5, |h| {
            let moved: Vec<_> = samples.iter().zip(&direction).map(|(u, d)| u + h * d).collect();
            let mut rollout = Rollout::default();
            let states = rollout.states(&RK4, &model, grid.with_inputs(with(held, &moved)), &x0);
            states.expect("steps").iter().zip(&weights).map(|(x, w)| x * w).sum()
        });
        for kept in [Checkpoints::All, Checkpoints::Segments(5), Checkpoints::Count(1)] {
            let visit = |visit: Visit<'_, f64>| {
                if let Visit::State { step, x_bar, .. } = visit {
                    let weights = &weights[step * len..(step + 1) * len];
                    x_bar.iter_mut().zip(weights).for_each(|(bar, w)| *bar += w);
                }
                Ok(())
            };
            let (mut start_bar, mut u_bar) = (vec![0.0; len], vec![0.0; samples.len()]);
            let bars = Bars::new(&mut start_bar).with_u(&mut u_bar[..]);
            let grid = grid.with_inputs(with(held, &samples));
            let run = Rollout::default().gradient(&RK4, &model, grid, &x0, kept, visit, bars);
            run.expect("pulls back");
            let exact: f64 = u_bar.iter().zip(&direction).map(|(g, d)| g * d).sum();
            let error = (exact - difference).abs();
            assert!(error < 1e-8 * (1.0 + difference.abs()), "{kept:?}: {exact}, {difference}");
            // What is held from the last state on is seen by no step.
            let last = &u_bar[steps * 2 * batch..];
            assert_eq!(held, last.iter().all(|bar| *bar == 0.0));
        }
    }
}

#[test]
fn activations_against_finite_differences() {
    for activation in Activation::ALL {
        for i in -40..=40 {
            let (z, h) = (0.25 * f64::from(i), 1e-4);
            let exact = activation.derivatives(z);
            let (plus, minus) = (activation.derivatives(z + h), activation.derivatives(z - h));
            for k in 0..3 {
                let difference = (plus[k] - minus[k]) / (2.0 * h);
                let error = (exact[k + 1] - difference).abs();
                assert!(error < 1e-7, "{activation:?}, derivative {} at {z}: {error}", k + 1);
            }
        }
    }
}

/// The mask is a function of seed and step; its mean is 1; in evaluation there is none.
#[test]
fn dropout_masks() {
    // The output is the sum of 1000 units of activation tanh(0.5).
    let architecture = Architecture::new(&[1, 1000, 1]).expect("sizes");
    let theta = [vec![0.5; 1000], vec![0.0; 1000], vec![1.0; 1000]].concat();
    let plain = Mlp::from_params(architecture, theta).expect("parameters");
    let full = 1000.0 * 0.5_f64.tanh();
    let model = |seed| Baseline::new(plain.clone().with_dropout(0.25, seed).expect("rate"));
    let output = |seed, step| {
        let mut model = model(seed).expect("square");
        model.set_mode(Mode::Training { step });
        model.eval_state(0.0, &[1.0]).expect("evaluates")[0]
    };
    assert_eq!(output(1, 5), output(1, 5));
    assert!(output(1, 5) != output(1, 6) && output(1, 5) != output(2, 5));
    let mean = (0..200).map(|step| output(3, step)).sum::<f64>() / 200.0;
    // The mean of 200 sums of 1000 units deviates by 0.13 %.
    assert!((mean / full - 1.0).abs() < 0.01, "{mean}, expected {full}");
    let mut model = model(1).expect("square");
    model.set_mode(Mode::Training { step: 0 });
    model.set_mode(Mode::Evaluation);
    let value = model.eval_state(0.0, &[1.0]).expect("evaluates")[0];
    assert!((value / full - 1.0).abs() < 1e-12);
    assert!(plain.clone().with_dropout(1.0, 0).is_err() && plain.with_dropout(-0.1, 0).is_err());
}

#[test]
fn initial_weights() {
    let architecture = Architecture::new(&[2, 40, 30, 1]).expect("sizes");
    let mlp = Mlp::<f64>::new(architecture.clone(), Initialisation::Orthogonal, 7);
    assert_eq!(mlp, Mlp::new(architecture.clone(), Initialisation::Orthogonal, 7));
    assert_ne!(mlp, Mlp::new(architecture.clone(), Initialisation::Orthogonal, 8));
    // The second layer has 30 orthonormal rows of 40.
    let layer = architecture.layers()[1];
    let w = &mlp.params()[layer.start..layer.bias()];
    for i in 0..30 {
        for j in 0..30 {
            let dot: f64 = (0..40).map(|k| w[i * 40 + k] * w[j * 40 + k]).sum();
            assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
        }
    }
    let bound = 1.0 / 40.0_f64.sqrt();
    assert!(mlp.params()[layer.bias()..layer.end()].iter().all(|b| b.abs() <= bound));
}

#[test]
fn bad_input_is_an_error() {
    assert!(Architecture::new(&[2]).is_err());
    assert!(Architecture::new(&[2, 0, 1]).is_err());
    // Refused before anything is allocated, and in words that fit a line.
    let max = usize::MAX;
    for sizes in [&[2, max, 1][..], &[max, max], &[2, 1 << 20, 1 << 20, 1], &[1 << 20; 100_000]] {
        let error = Architecture::new(sizes).expect_err("absurd");
        assert!(matches!(error, ModelError::TooLarge(_)), "{error}");
        assert!(error.to_string().len() < 400, "{error}");
    }
    for text in [
        r#"{"sizes": [], "activation": "tanh", "output_bias": false}"#,
        r#"{"sizes": [2, 18446744073709551615, 1], "activation": "tanh", "output_bias": false}"#,
    ] {
        assert!(serde_json::from_str::<Architecture>(text).is_err(), "{text}");
    }
    let net = |sizes: &[usize]| {
        Mlp::<f64>::new(Architecture::new(sizes).expect("sizes"), Initialisation::He, 0)
    };
    assert!(Hnn::new(net(&[3, 4, 1])).is_err());
    assert!(Baseline::new(net(&[2, 4, 1])).is_err());
    assert!(Baseline::with_inputs(net(&[3, 4, 2]), 2).is_err());
    assert!(Baseline::with_inputs(net(&[3, 4, 2]), usize::MAX).is_err());
    assert!(Hnn::with_friction(net(&[4, 4, 1]), net(&[4, 4, 1])).is_err());
    assert!(Hnn::with_friction(net(&[2, 4, 1]), net(&[4, 4, 1])).is_err());
    assert!(Dissipative::new(net(&[4, 4, 2])).is_err());
    let architecture = Architecture::new(&[2, 4, 1]).expect("sizes");
    assert!(Mlp::from_params(architecture.clone(), vec![0.0; 3]).is_err());
    let mut theta = vec![0.0; architecture.num_params()];
    theta[5] = f64::NAN;
    let error = Mlp::from_params(architecture, theta).expect_err("NaN");
    assert!(error.to_string().contains("parameter 5"));
}

type Chain = ConstrainedHnn<Mlp<f64>, Rods<2, 3, 3>, f64>;

/// Three points on a chain, with masses that are learned.
fn chain(form: StateForm, seed: u64) -> Chain {
    let rods = Rods::chain([0.8, 1.1, 0.9]).expect("positive");
    let net = network(6, &[7, 5], 1, Activation::Tanh, seed);
    let model = ConstrainedHnn::new(net, rods, form, &[1.2, 0.8, 1.5]).expect("fits");
    model.with_learned_masses()
}

#[test]
fn constrained_networks() {
    for (seed, form) in [StateForm::Canonical, StateForm::Lagrangian].into_iter().enumerate() {
        let mut model = chain(form, seed as u64);
        check(&mut model, 3, seed as u64);
        // Masses that are known are no parameters.
        let theta = model.num_params();
        let known = ConstrainedHnn::new(
            model.potential().clone(),
            *model.constraint(),
            form,
            &[1.2, 0.8, 1.5],
        );
        let mut known = known.expect("fits");
        assert_eq!(known.num_params() + 3, theta);
        check(&mut known, 2, 1);
        let x = wave(0.2, 12);
        let same = |model: &Chain| model.eval_state(0.0, &x).expect("evaluates");
        hnn_testing::assert_close("the same field", &same(&model), &same(&known), 1e-14);
        // The energy's gradient, by differences.
        let (gradient, x_dot) =
            (model.energy_gradient_state(&x).expect("a gradient"), wave(1.3, 12));
        let by_x = slope(1e-3, |h| {
            let x = Vec::from_iter(x.iter().zip(&x_dot).map(|(x, d)| x + h * d));
            model.energy_state(&x).expect("an energy")
        });
        let exact: f64 = gradient.iter().zip(&x_dot).map(|(g, d)| g * d).sum();
        assert!((exact - by_x).abs() < 1e-9 * by_x.abs().max(1.0), "{exact}, {by_x}");
    }
}

/// The gradients of runs by the methods that keep constraints, by start and by parameters.
#[test]
fn gradients_of_constrained_runs() {
    fn check<S: DifferentiableStepper<f64, Chain> + Clone>(stepper: S) {
        let mut model = chain(StateForm::Lagrangian, 3);
        let start = array![[0.5, 1.2, 1.0, -0.6, -1.4, -2.3, 0.3, 0.1, -0.4, 0.2, 0.5, 0.1]];
        let start = model.project_rows(start.view()).expect("near");
        let last = 12;
        let gradient = Adjoint::count(stepper.clone(), last)
            .run(&model, (0.0, 0.6), start.view(), |step, x, mut x_bar| {
                if step == last {
                    x_bar.assign(&x);
                }
            })
            .expect("runs");
        let value = |model: &Chain, start: &Array2<f64>| {
            let run = FixedStep::count(stepper.clone(), last).run(model, (0.0, 0.6), start.view());
            run.expect("runs").last().iter().map(|x| 0.5 * x * x).sum::<f64>()
        };
        let along = Array2::from_shape_vec((1, 12), wave(0.7, 12)).expect("twelve");
        let by_x = slope(1e-4, |h| value(&model, &(&start + &(h * &along))));
        let exact = (&gradient.start_bar * &along).sum();
        assert!((exact - by_x).abs() < 1e-7 * by_x.abs().max(1.0), "{exact}, {by_x}");
        let mut theta = vec![0.0; model.num_params()];
        model.copy_params(&mut theta).expect("fits");
        let along = wave(1.9, theta.len());
        let by_theta = slope(1e-4, |h| {
            let theta = Vec::from_iter(theta.iter().zip(&along).map(|(t, d)| t + h * d));
            model.set_params(&theta).expect("fits");
            value(&model, &start)
        });
        let exact: f64 = gradient.theta_bar.iter().zip(&along).map(|(g, d)| g * d).sum();
        assert!((exact - by_theta).abs() < 1e-7 * by_theta.abs().max(1.0), "{exact}, {by_theta}");
    }
    check(RATTLE);
    check(Projected(RK4));
}
