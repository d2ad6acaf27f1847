//! The found formula as a dynamics: derivatives, printed and saved forms, refusals.

use std::sync::Arc;

use hnn_integrators::{
    At, Bars, DifferentiableField, DifferentiableStepper, FixedStep, Interval, Parameters, RK4,
    Separable, Stepper, VectorField, Workspace, YOSHIDA4,
};
use hnn_sparse::{
    Ansatz, CustomFunction, Expression, Friction, Library, SeparableSparseHamiltonian, SparseError,
    SparseHamiltonian,
};
use hnn_systems::Hamiltonian;
use hnn_testing::{check_rows, check_step_rows, lengths};
use ndarray::array;

use crate::common::{henon_heiles, pendulum, two_body, x};

/// Every kind of term, with friction.
fn rich() -> SparseHamiltonian {
    let features = [
        x(2).powi(2),
        Expression::cos(1.5, 0),
        x(0) * x(1) * x(3),
        Expression::distance(&[hnn_sparse::Argument::Difference(0, 1)]).powi(-1),
    ];
    let factor =
        Library::from_features(2, [Expression::constant(1.0), x(0).powi(2)]).expect("valid");
    let ansatz = Library::from_features(2, features)
        .and_then(|l| Ansatz::new(&l))
        .and_then(|a| a.with_friction(&factor, Friction::PerMomentum))
        .expect("valid");
    let coefficients = [0.5, -2.0, 0.3, 1.5, 0.1, 0.2, 0.05, 1e-12];
    SparseHamiltonian::from_coefficients(&ansatz, &coefficients).expect("valid")
}

const STATES: [[f64; 4]; 3] =
    [[0.3, 1.2, -0.4, 0.8], [1.1, -0.9, 0.2, 0.1], [-0.5, 0.6, 1.0, -1.3]];

#[test]
fn the_vector_jacobian_product_is_the_derivative() {
    let mut model = rich();
    let batch = STATES.len();
    let lanes: Vec<f64> = (0..4).flat_map(|i| STATES.iter().map(move |s| s[i])).collect();
    let v: Vec<f64> = (0..lanes.len()).map(|k| (k as f64).cos()).collect();
    let dot = |model: &SparseHamiltonian, x: &[f64]| -> f64 {
        let mut dx = vec![0.0; x.len()];
        model
            .eval(At::time(&vec![0.0; batch]), x, &mut dx, &mut Workspace::default())
            .expect("defined");
        dx.iter().zip(&v).map(|(a, b)| a * b).sum()
    };
    let (mut x_bar, mut theta_bar) = (vec![9.0; lanes.len()], vec![1.0; model.terms().len()]);
    let mut residuals = Default::default();
    let mut dx = vec![0.0; lanes.len()];
    model
        .eval_recorded(At::time(&vec![0.0; batch]), &lanes, &mut dx, &mut residuals)
        .expect("defined");
    model
        .vjp(&lanes, &mut residuals, &v, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
        .expect("defined");
    let h = 1e-6;
    for k in 0..lanes.len() {
        let shift = |by: f64| {
            let mut y = lanes.clone();
            y[k] += by;
            dot(&model, &y)
        };
        let slope = (shift(h) - shift(-h)) / (2.0 * h);
        assert!(
            (x_bar[k] - slope).abs() < 1e-7 * (1.0 + slope.abs()),
            "x {k}: {} {slope}",
            x_bar[k]
        );
    }
    let theta = model.coefficients();
    for j in 0..theta.len() {
        let mut at = |value: f64| {
            let mut shifted = theta.clone();
            shifted[j] = value;
            model.set_params(&shifted).expect("as many");
            dot(&model, &lanes)
        };
        let slope = at(theta[j] + 1.0) - at(theta[j]);
        assert!((theta_bar[j] - 1.0 - slope).abs() < 1e-10 * (1.0 + slope.abs()), "theta {j}");
    }
    assert!(Parameters::<f64>::copy_params(&model, &mut [0.0; 2]).is_err());
    check_rows(&rich(), 5, 0);
    check_step_rows(&RK4, &rich(), 5, 0);
}

#[test]
fn energy_gradient_and_field_belong_together() {
    for case in [henon_heiles(), pendulum(), two_body()] {
        let model = &case.truth;
        let dim = model.state_dim();
        let state: Vec<f64> = (0..dim).map(|i| 0.7 * (1.0 + i as f64).sin()).collect();
        let energy = |x: &[f64]| {
            let mut out = [0.0];
            model.energy(x, &mut out, &mut Workspace::default()).expect("defined");
            out[0]
        };
        let mut gradient = vec![0.0; dim];
        model
            .energy_gradient(1, &state, &mut gradient, &mut Workspace::default())
            .expect("defined");
        let field: Vec<f64> = model.eval_state(0.0, &state).expect("defined");
        for i in 0..dim {
            let shift = |by: f64| {
                let mut y = state.clone();
                y[i] += by;
                energy(&y)
            };
            assert!((gradient[i] - (shift(1e-5) - shift(-1e-5)) / 2e-5).abs() < 1e-8);
            let n = dim / 2;
            let flow = if i < n { gradient[i + n] } else { -gradient[i - n] };
            assert!((field[i] - flow).abs() < 1e-14);
        }
        let single: Vec<f32> = model
            .eval_state(0.0, &state.iter().map(|x| *x as f32).collect::<Vec<_>>())
            .expect("defined");
        assert!(field.iter().zip(&single).all(|(a, b)| (a - f64::from(*b)).abs() < 1e-4));
    }
}

#[test]
fn rollouts_conserve_the_energy() {
    let model = henon_heiles().truth;
    let start = array![[0.1, 0.2, 0.3, -0.1], [0.0, -0.2, 0.2, 0.2]];
    let run = FixedStep::count(RK4, 2000).run(&model, (0.0, 20.0), start.view()).expect("defined");
    let energy = |states: ndarray::ArrayView2<'_, f64>| {
        let mut out = vec![0.0; 2];
        let lanes = hnn_integrators::coordinate_major(states);
        model.energy(&lanes, &mut out, &mut Workspace::default()).expect("defined");
        out
    };
    for (before, after) in energy(start.view()).iter().zip(energy(run.last())) {
        assert!((before - after).abs() < 1e-9);
    }
}

#[test]
fn printed_forms_hide_no_term() {
    let model = rich();
    assert_eq!(
        model.to_text(),
        "H = 0.5 p1^2 - 2 cos(1.5 q1) + 0.3 q1 q2 p2 + 1.5 |q1 - q2|^-1\n\
         D[p1] = 0.1 + 0.05 q1^2\nD[p2] = 0.2 + 1e-12 q1^2"
    );
    assert_eq!(
        model.to_latex(),
        "H = 0.5\\,p_{1}^{2} - 2\\,\\cos\\left(1.5\\,q_{1}\\right) + 0.3\\,q_{1}\\,q_{2}\\,p_{2} + \
         1.5\\,\\left|q_{1} - q_{2}\\right|^{-1} \\\\\n\
         D_{p_{1}} = 0.1 + 0.05\\,q_{1}^{2} \\\\\nD_{p_{2}} = 0.2 + 1 \\cdot 10^{-12}\\,q_{1}^{2}"
    );
    assert_eq!(format!("{:.2}", pendulum().truth), "H = p^2 - 3 cos(q)");
}

/// The Rust that [`SparseHamiltonian::to_rust`] printed, compiled.
#[allow(unreachable_pub)]
mod printed {
    include!("../data/rich.rs");
}

#[test]
fn printed_rust_is_the_model() {
    let model = rich();
    assert_eq!(model.to_rust().expect("no custom function"), include_str!("../data/rich.rs"));
    for state in STATES {
        let field: Vec<f64> = model.eval_state(0.0, &state).expect("defined");
        for (a, b) in field.iter().zip(printed::field(&state)) {
            assert!((a - b).abs() < 1e-13 * (1.0 + b.abs()), "{a} {b}");
        }
        assert!((model.hamiltonian().value(&state) - printed::energy(&state)).abs() < 1e-13);
    }
}

/// exp(-q).
struct Exponential;
impl CustomFunction for Exponential {
    fn name(&self) -> &str {
        "exp(-q)"
    }
    fn dim(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        (-x[0]).exp()
    }
    fn gradient(&self, x: &[f64], i: usize) -> f64 {
        if i == 0 { -(-x[0]).exp() } else { 0.0 }
    }
    fn hessian(&self, x: &[f64], i: usize, j: usize) -> f64 {
        if (i, j) == (0, 0) { (-x[0]).exp() } else { 0.0 }
    }
    fn depends_on(&self, i: usize) -> bool {
        i == 0
    }
}

fn toda() -> SparseHamiltonian {
    let library = Library::from_features(1, [x(1).powi(2), x(0), Expression::custom(Exponential)]);
    let ansatz = library.and_then(|l| Ansatz::new(&l)).expect("valid");
    SparseHamiltonian::from_coefficients(&ansatz, &[0.5, 1.0, 1.0]).expect("valid")
}

#[test]
fn files_read_back_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.json");
    for (model, functions) in
        [(rich(), vec![]), (toda(), vec![Arc::new(Exponential) as Arc<dyn CustomFunction>])]
    {
        model.save(&path).expect("written");
        let read = SparseHamiltonian::load(&path, &functions).expect("read");
        assert_eq!(read.terms(), model.terms());
        let state = &STATES[0][..model.state_dim()];
        let (a, b): (Vec<f64>, Vec<f64>) = (
            model.eval_state(0.0, state).expect("defined"),
            read.eval_state(0.0, state).expect("defined"),
        );
        assert_eq!(a, b);
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("listed").count(),
            1,
            "no temporary left"
        );
    }
    // To the last bit, whatever the digits.
    let mut model = rich();
    for k in 1..500 {
        let digits =
            |i: usize| (1.7 * (k * 31 + i) as f64).sin() * 10.0_f64.powi(k as i32 % 40 - 20);
        let coefficients: Vec<f64> = (0..model.terms().len()).map(digits).collect();
        model.set_coefficients(&coefficients).expect("finite");
        let text = model.to_json().expect("finite");
        let read = SparseHamiltonian::from_json(&text, &[]).expect("read");
        assert_eq!(read.coefficients(), coefficients);
    }
    assert!(matches!(
        SparseHamiltonian::load(&path, &[]),
        Err(SparseError::MissingFunction { .. })
    ));
    assert!(matches!(toda().to_rust(), Err(SparseError::NoRustForm { .. })));
    assert!(matches!(
        SparseHamiltonian::load("/nowhere/x.json", &[]),
        Err(SparseError::File { .. })
    ));
    assert!(matches!(toda().save("/"), Err(SparseError::File { .. })));
    assert!(matches!(SparseHamiltonian::from_json("{}", &[]), Err(SparseError::Json(_))));
}

#[test]
fn separability() {
    assert!(henon_heiles().truth.is_separable() && toda().is_separable());
    assert!(!rich().is_separable());
    assert!(matches!(rich().separate(), Err(SparseError::NotSeparable { .. })));
    let separable = henon_heiles().truth.separate().expect("separable");
    let x: Vec<f64> = STATES[0].to_vec();
    let whole: Vec<f64> = separable.model().eval_state(0.0, &x).expect("defined");
    let (mut velocity, mut force) = ([0.0; 2], [0.0; 2]);
    separable.velocity(&x[2..], &mut velocity, &mut Workspace::default()).expect("defined");
    separable
        .force(At::time(&[0.0]), &x[..2], &mut force, &mut Workspace::default())
        .expect("defined");
    assert_eq!([velocity, force].concat(), whole);
}

/// The discrete adjoint of a symplectic method, by the start and by the coefficients.
#[test]
fn separable_formulas_have_gradients() {
    let mut model = henon_heiles().truth.separate().expect("separable");
    check_step_rows(&YOSHIDA4, &model, 5, 0);
    let mut theta = vec![0.0; Parameters::<f64>::num_params(&model)];
    model.copy_params(&mut theta).expect("as many");
    let (start, weights) = ([0.1, -0.2, 0.3, 0.25], [0.4, -1.0, 0.7, 0.2]);
    let end = |model: &SeparableSparseHamiltonian, mut x: [f64; 4]| {
        let workspace = &mut Workspace::default();
        YOSHIDA4
            .advance(model, 1, Interval::new(&[0.0], &[0.3]), &mut x, workspace)
            .expect("defined");
        x.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>()
    };

    let (mut tape, mut out) = (Default::default(), [0.0; 4]);
    YOSHIDA4
        .record(&model, Interval::new(&[0.0], &[0.3]), &start, &mut out, &mut tape)
        .expect("defined");
    let (mut x_bar, mut theta_bar) = (weights, vec![0.0; theta.len()]);
    YOSHIDA4
        .pull_back(&model, &mut tape, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
        .expect("recorded");

    let h = 1e-5;
    for i in 0..4 {
        let at = |h: f64| {
            let mut moved = start;
            moved[i] += h;
            end(&model, moved)
        };
        assert!((x_bar[i] - (at(h) - at(-h)) / (2.0 * h)).abs() < 1e-9, "coordinate {i}");
    }
    for j in 0..theta.len() {
        let mut at = |h: f64| {
            let mut moved = theta.clone();
            moved[j] += h;
            model.set_params(&moved).expect("as many");
            end(&model, start)
        };
        assert!((theta_bar[j] - (at(h) - at(-h)) / (2.0 * h)).abs() < 1e-9, "coefficient {j}");
    }
}

#[test]
fn singular_states_are_named() {
    let model = two_body().truth;
    let mut states = ndarray::Array2::from_elem((3, 8), 0.5);
    states.row_mut(0).assign(&array![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let error = model.eval_rows(0.0, states.view()).expect_err("r = 0");
    assert!(error.to_string().contains("row 1"), "{error}");
}

#[test]
fn slices_of_wrong_lengths_are_errors() {
    let model = rich();
    lengths::differentiable_field_is_checked(&model);
    lengths::energy_is_checked(
        model.state_dim(),
        |x, energy| model.energy(x, energy, &mut Workspace::<f64>::default()),
        |batch, x, gradient| model.energy_gradient(batch, x, gradient, &mut Workspace::default()),
    );
    let features = [x(2).powi(2), x(3).powi(2), Expression::cos(1.5, 0), x(0) * x(1)];
    let library = Library::from_features(2, features).expect("valid");
    let ansatz = Ansatz::new(&library).expect("valid");
    let model = SparseHamiltonian::from_coefficients(&ansatz, &[0.5, 0.5, -1.0, 0.2]);
    let separable = model.and_then(SparseHamiltonian::separate).expect("separable");
    lengths::separable_field_is_checked(&separable);
}
