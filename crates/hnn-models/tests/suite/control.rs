//! Closed loops of true and learned systems reach their set points, and their energy never rises.

use std::f64::consts::PI;

use hnn_integrators::{
    At, FieldError, FixedStep, RK4, StateForm, Tolerances, VectorField, Workspace, solve,
};
use hnn_models::control::{ClosedLoop, EnergyShaping, SwingUp};
use hnn_models::{
    Activation, Angles, Architecture, Hnn, Initialisation, InputPort, Lnn, MechanicalLagrangian,
    Mlp, Sum,
};
use hnn_models::{Dissipative, StatePort};
use hnn_systems::Hamiltonian;
use ndarray::{Array1, array, aview1};

/// `H = p^2 / (2 m) - m g cos q`, `dp/dt = -m g sin q - b dq/dt + c u`; with `velocities`, of `(q, v)`.
struct Pendulum {
    friction: f64,
    gain: f64,
    form: StateForm,
}

const MASS: f64 = 0.7;
const GRAVITY: f64 = 9.81;

impl Pendulum {
    /// `1 / m` of the second half of the state, of velocity and of force.
    fn scales(&self) -> [f64; 2] {
        match self.form {
            StateForm::Canonical => [1.0 / MASS, 1.0],
            StateForm::Lagrangian => [1.0, 1.0 / MASS],
        }
    }
}

impl VectorField<f64> for Pendulum {
    fn dim(&self) -> usize {
        2
    }

    fn inputs(&self) -> usize {
        1
    }

    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        _: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        let ([velocity, force], batch) = (self.scales(), at.batch());
        for row in 0..batch {
            let v = velocity * x[batch + row];
            let pull = -MASS * GRAVITY * x[row].sin() - self.friction * v + self.gain * at.u[row];
            (dx[row], dx[batch + row]) = (v, force * pull);
        }
        Ok(())
    }
}

impl Hamiltonian<f64> for Pendulum {
    fn energy(
        &self,
        x: &[f64],
        energy: &mut [f64],
        _: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        for (row, energy) in energy.iter_mut().enumerate() {
            let v = self.scales()[0] * x[batch + row];
            *energy = MASS * (0.5 * v * v - GRAVITY * x[row].cos());
        }
        Ok(())
    }

    fn energy_gradient(
        &self,
        batch: usize,
        x: &[f64],
        gradient: &mut [f64],
        _: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        let velocity = self.scales()[0];
        for row in 0..batch {
            gradient[row] = MASS * GRAVITY * x[row].sin();
            gradient[batch + row] = MASS * velocity * velocity * x[batch + row];
        }
        Ok(())
    }
}

/// The closed loop from a start ends at the set point at rest, and its energy never rises.
#[track_caller]
fn is_held<M: Hamiltonian<f64>>(shaping: &EnergyShaping<'_, M>, start: &[f64], target: &[f64]) {
    let held = ClosedLoop::new(shaping.model(), |t, x, u| shaping.input(t, x, u));
    let times = Array1::linspace(0.0, 25.0, 501).to_vec();
    let run = solve(&held, aview1(start), &times, Tolerances::relative(1e-11)).expect("integrates");
    let end = run.states.row(500);
    for (i, target) in target.iter().enumerate() {
        let turns = ((end[i] - target) / (2.0 * PI)).round();
        assert!((end[i] - target - 2.0 * PI * turns).abs() < 1e-4, "{end} is not {target}");
        assert!(end[start.len() / 2 + i].abs() < 1e-4, "{end} moves");
    }
    let level = |x: ndarray::ArrayView1<'_, f64>| shaping.lyapunov(&x.to_vec()).expect("evaluates");
    let levels = Vec::from_iter(run.states.outer_iter().map(level));
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1e-9 * levels[0]), "{levels:?}");
    assert!(levels[500] < 1e-7 * levels[0], "{} {}", levels[500], levels[0]);
    // A batch by steps of a fixed size goes the same way.
    let batch = ndarray::stack![ndarray::Axis(0), ndarray::arr1(start), ndarray::arr1(start)];
    let steps = FixedStep::count(RK4, 4000).run(&held, (0.0, 2.0), batch.view());
    let last = steps.expect("integrates").last().to_owned();
    let same = (&last.row(1) - &run.states.row(40)).mapv(f64::abs);
    assert!(same.iter().all(|error| *error < 1e-5), "{same}");
}

#[test]
fn a_pendulum_is_held_upright() {
    for form in [StateForm::Canonical, StateForm::Lagrangian] {
        let pendulum = Pendulum { friction: 0.05, gain: 1.3, form };
        let shaping = EnergyShaping::new(&pendulum, form, &[PI], &[3.0], &[2.0]).expect("fits");
        is_held(&shaping, &[0.1, 0.0], &[PI]);
        let shaping = shaping.with_angles(&[true]).expect("one");
        for start in [[0.1, 0.0], [-2.0, 4.0], [9.0, 3.0]] {
            is_held(&shaping, &start, &[PI]);
        }
        // Without damping and friction the shaped energy is conserved.
        let free = Pendulum { friction: 0.0, gain: 1.3, form };
        let shaping = EnergyShaping::new(&free, form, &[PI], &[3.0], &[0.0]).expect("fits");
        let loose = ClosedLoop::new(&free, |t, x, u| shaping.input(t, x, u));
        let run = solve(&loose, aview1(&[1.0, 0.5]), &[0.0, 5.0], Tolerances::relative(1e-12));
        let end = run.expect("integrates").states.row(1).to_vec();
        let [before, after] =
            [&[1.0, 0.5], &end[..]].map(|x| shaping.lyapunov(x).expect("evaluates"));
        assert!((after - before).abs() < 1e-9 * before, "{before} {after}");
    }
}

/// Models of two coupled degrees of freedom, and ports that mix them.
#[test]
fn networks_are_held() {
    let net = |sizes: &[usize], seed| {
        let architecture = Architecture::new(sizes).expect("sizes");
        let architecture = architecture.with_activation(Activation::Softplus);
        Mlp::<f64>::new(architecture, Initialisation::Glorot, seed)
    };
    let angles = |outputs, seed| {
        Angles::new(net(&[3, 8, outputs], seed), &[true, false]).expect("one angle")
    };
    let lagrangian = MechanicalLagrangian::new(angles(3, 1), angles(1, 2));
    let lagrangian = lagrangian.and_then(|l| l.with_epsilon(0.3)).expect("fits");
    let port = InputPort::with_matrix(array![[1.0, 0.4], [-0.3, 2.0]]).expect("finite");
    let resistive = Dissipative::new(net(&[4, 8, 3], 3)).expect("triangle");
    let model = Lnn::forced(lagrangian, Sum(resistive, port)).expect("fits");
    let (target, stiffness, damping) = ([0.7, -0.4], [3.0, 2.0], [3.0, 2.0]);
    let shaping = EnergyShaping::new(&model, StateForm::Lagrangian, &target, &stiffness, &damping);
    let shaping = shaping.and_then(|shaping| shaping.with_angles(&[true, false])).expect("fits");
    is_held(&shaping, &[-0.5, 0.6, 0.3, -0.2], &target);
}

#[test]
fn a_weak_motor_swings_up() {
    for form in [StateForm::Canonical, StateForm::Lagrangian] {
        let pendulum = Pendulum { friction: 0.05, gain: 1.0, form };
        let limit = 0.3 * MASS * GRAVITY;
        let shaping = EnergyShaping::new(&pendulum, form, &[PI], &[4.0], &[1.5]);
        let shaping = shaping.and_then(|shaping| shaping.with_angles(&[true])).expect("fits");
        let swing = SwingUp::new(shaping, 2.0, limit, 0.1).expect("positive");
        let driven = ClosedLoop::new(&pendulum, |t, x, u| swing.input(t, x, u));
        let times = Array1::linspace(0.0, 40.0, 2001).to_vec();
        let run = solve(&driven, aview1(&[0.05, 0.0]), &times, Tolerances::relative(1e-8));
        let states = run.expect("integrates").states;
        let end = states.row(2000).to_vec();
        assert!(end[0].cos() < -1.0 + 1e-6 && end[1].abs() < 1e-3, "{end:?}");
        assert!(swing.catches(&end).expect("evaluates"));
        let mut most = 0.0_f64;
        for (t, x) in times.iter().zip(states.outer_iter()) {
            let mut u = [0.0];
            swing.input(*t, &x.to_vec(), &mut u).expect("evaluates");
            most = most.max(u[0].abs());
        }
        assert_eq!(most, limit);
    }
}

#[test]
fn refusals() {
    let pendulum = Pendulum { friction: 0.0, gain: 1.0, form: StateForm::Canonical };
    let form = StateForm::Canonical;
    let message = |target: &[f64], stiffness: &[f64], damping: &[f64], form| {
        let shaping = EnergyShaping::new(&pendulum, form, target, stiffness, damping);
        shaping.map(drop).expect_err("refused").to_string()
    };
    assert!(message(&[PI, 0.0], &[1.0], &[1.0], form).contains("the target hold 2 numbers"));
    assert!(message(&[f64::NAN], &[1.0], &[1.0], form).contains("finite"));
    assert!(message(&[PI], &[0.0], &[1.0], form).contains("a stiffness = 0"));
    assert!(message(&[PI], &[1.0], &[-1.0], form).contains("a damping = -1"));
    let other = message(&[PI], &[1.0], &[1.0], StateForm::Lagrangian);
    assert!(other.contains("not (q, v)") && other.contains("StateForm::Canonical"), "{other}");

    let network = |inputs, outputs| {
        let architecture = Architecture::new(&[inputs, 6, outputs]).expect("sizes");
        Mlp::<f64>::new(architecture, Initialisation::Glorot, 1)
    };
    // A cart whose pole has no motor.
    let column = InputPort::with_matrix(array![[1.0], [0.0]]).expect("finite");
    let cart = Hnn::forced(network(4, 1), column).expect("fits");
    let error = EnergyShaping::new(&cart, form, &[0.0; 2], &[1.0; 2], &[1.0; 2]);
    let error = error.map(drop).expect_err("one motor").to_string();
    assert!(error.contains("2 of them, but the model has 1"), "{error}");
    // Inputs that act on positions.
    let port = StatePort::new(network(2, 2), 1).expect("fits");
    let odd = Hnn::port_hamiltonian(network(2, 1), port).expect("fits");
    assert!(EnergyShaping::new(&odd, form, &[0.0], &[1.0], &[1.0]).is_err());
    // A motor that does nothing.
    let idle = Pendulum { gain: 0.0, ..pendulum };
    let shaping = EnergyShaping::new(&idle, form, &[PI], &[1.0], &[1.0]).expect("fits");
    let error = shaping.input(0.0, &[0.0, 0.0], &mut [0.0]).expect_err("singular").to_string();
    assert!(error.contains("singular"), "{error}");
    assert!(shaping.input(0.0, &[0.0], &mut [0.0]).is_err());
    assert!(shaping.input(0.0, &[0.0; 2], &mut [0.0; 2]).is_err());
    assert!(shaping.lyapunov(&[0.0; 3]).is_err());
    assert!(shaping.with_angles(&[true; 2]).is_err());
    for settings in [[0.0, 1.0, 1.0], [1.0, f64::NAN, 1.0], [1.0, 1.0, -1.0]] {
        let shaping = EnergyShaping::new(&idle, form, &[PI], &[1.0], &[1.0]).expect("fits");
        let [gain, limit, catch] = settings;
        assert!(SwingUp::new(shaping, gain, limit, catch).is_err());
    }
}
