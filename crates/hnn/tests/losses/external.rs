//! An unknown force of the clock, learned beside the energy; and a learned pendulum held upright.

use std::f64::consts::{PI, TAU};

use hnn_integrators::{FnField, StateForm, Tolerances, VectorField, solve};
use hnn_losses::{DerivativeLoss, Loss, RowSelection};
use hnn_models::control::{ClosedLoop, EnergyShaping};
use hnn_models::{
    Angles, Architecture, ExternalForce, GeneralisedForce, Harmonics, Hnn, Initialisation,
    InputPort, Mlp, Sum,
};
use hnn_systems::Hamiltonian;
use hnn_train::LeastSquares;
use ndarray::{Array1, Array2};

const PERIOD: f64 = 1.7;
/// A steady push, and the amplitudes of the drive: two cosines, two sines.
const PUSH: f64 = 0.8;
const DRIVE: [f64; 4] = [0.0, 0.3, 0.6, -0.2];

/// Times and states without a pattern.
fn states(rows: usize) -> (Array1<f64>, Array2<f64>) {
    let wave = |row: usize, c: f64| (c * row as f64 + 0.011 * (row * row) as f64).sin();
    let t = Array1::from_shape_fn(rows, |row| 2.0 * wave(row, 0.9));
    (t, Array2::from_shape_fn((rows, 2), |(row, i)| 2.0 * wave(row, [0.7, 1.3][i])))
}

fn slopes(t: &Array1<f64>, x: &Array2<f64>) -> Array2<f64> {
    Array2::from_shape_fn(x.dim(), |(row, i)| {
        let angle = TAU * t[row] / PERIOD;
        let values = [angle.cos(), (2.0 * angle).cos(), angle.sin(), (2.0 * angle).sin()];
        let drive: f64 = DRIVE.iter().zip(values).map(|(a, c)| a * c).sum();
        if i == 0 { x[[row, 1]] } else { PUSH + drive - 3.0 * x[[row, 0]].sin() }
    })
}

type Driven<Q> = Hnn<Mlp<f64>, Q>;

/// Fits an energy and a force of the clock, and perhaps others, to a driven pendulum.
fn fit<Q: GeneralisedForce<f64> + 'static>(force: Q, seed: u64) -> Driven<Q> {
    let (t, x) = states(120);
    let architecture = Architecture::new(&[2, 12, 1]).expect("sizes");
    let network = Mlp::new(architecture, Initialisation::Orthogonal, seed);
    let mut model = Hnn::forced(network, force).expect("fits");
    let (dx, ones) = (slopes(&t, &x), Array2::ones((t.len(), VectorField::<f64>::inputs(&model))));
    let loss = DerivativeLoss::new(t.view(), x.view(), dx.view());
    let mut loss = loss.and_then(|loss| loss.with_inputs(ones.view())).expect("fits");
    LeastSquares::new(50).fit(&mut model, &mut loss, None, &mut ()).expect("fits");
    let value = loss.value(&model, RowSelection::All).expect("evaluates");
    assert!(value < 1e-5, "{value}");
    model
}

/// `dH/dq` at some states, less that of the pendulum alone.
fn tilts<Q: GeneralisedForce<f64>>(model: &Driven<Q>) -> Vec<f64> {
    let tilt = |q: f64| {
        let gradient = model.energy_gradient_state(&[q, 0.3]).expect("evaluates");
        gradient[0] - 3.0 * q.sin()
    };
    [-1.2, -0.3, 0.2, 0.9].map(tilt).to_vec()
}

/// Of zero mean, the force is found, and the steady push is in the potential. Where a constant force
/// is let in beside it, it takes any share of the push: the data do not tell.
#[test]
fn drives_are_found() {
    let clock = || {
        let harmonics = Harmonics::periodic(PERIOD, 2).expect("a period");
        ExternalForce::on_momenta(1, harmonics).expect("small")
    };
    for seed in [1, 2] {
        let model = fit(clock(), seed);
        for (found, truth) in model.force().port().matrix().iter().zip(DRIVE) {
            assert!((found - truth).abs() < 5e-3, "{found} is not {truth}");
        }
        let tilts = tilts(&model);
        assert!(tilts.iter().all(|tilt| (tilt + PUSH).abs() < 2e-2), "{tilts:?}");
    }
    let constants = [-2.0, 2.0].map(|start| {
        let constant = InputPort::with_matrix(ndarray::array![[start]]).expect("finite");
        let model = fit(Sum(clock(), constant.fitted()), 1);
        let constant = model.force().1.matrix()[[0, 0]];
        let tilts = tilts(&model);
        assert!(tilts.iter().all(|tilt| (constant - tilt - PUSH).abs() < 2e-2), "{tilts:?}");
        constant
    });
    assert!((constants[0] - constants[1]).abs() > 0.1, "{constants:?}");
}

/// A pendulum with a motor of unknown gain, learned; a controller from its energy holds the true one.
#[test]
fn learned_energies_control() {
    let truth = FnField::with_inputs(2, 1, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
        dx[0] = x[1] / 0.8;
        dx[1] = 1.3 * u[0] - 3.0 * x[0].sin();
    });
    let (t, mut x) = states(250);
    x *= 1.6;
    let u = Array2::from_shape_fn((t.len(), 1), |(row, _)| (1.1 * row as f64).cos());
    let mut dx = Array2::zeros(x.dim());
    for (row, mut slope) in dx.outer_iter_mut().enumerate() {
        let x = x.row(row);
        (slope[0], slope[1]) = (x[1] / 0.8, 1.3 * u[[row, 0]] - 3.0 * x[0].sin());
    }
    let architecture = Architecture::new(&[3, 16, 1]).expect("sizes");
    let network = Mlp::<f64>::new(architecture, Initialisation::Glorot, 3);
    let energy = Angles::new(network, &[true, false]).expect("fits");
    let mut model = Hnn::forced(energy, InputPort::new(1).fitted()).expect("fits");
    let loss = DerivativeLoss::new(t.view(), x.view(), dx.view());
    let mut loss = loss.and_then(|loss| loss.with_inputs(u.view())).expect("fits");
    LeastSquares::new(60).fit(&mut model, &mut loss, None, &mut ()).expect("fits");
    assert!((model.force().matrix()[[0, 0]] - 1.3).abs() < 1e-3);

    let form = StateForm::Canonical;
    let shaping = EnergyShaping::new(&model, form, &[PI], &[3.0], &[2.0]).expect("fits");
    let held = ClosedLoop::new(&truth, |t, x, u| shaping.input(t, x, u));
    let times = Array1::linspace(0.0, 15.0, 301).to_vec();
    let run = solve(&held, ndarray::aview1(&[0.2, 0.0]), &times, Tolerances::relative(1e-9))
        .expect("integrates");
    let end = run.states.row(300).to_vec();
    assert!((end[0] - PI).abs() < 1e-2 && end[1].abs() < 1e-3, "{end:?}");
    let level = |row: usize| shaping.lyapunov(&run.states.row(row).to_vec()).expect("evaluates");
    let first = level(0);
    assert!((1..=300).all(|row| level(row) <= level(row - 1) + 1e-3 * first));
    assert!(level(300) < 1e-3 * first);
}
