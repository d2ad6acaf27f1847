//! Friction laws with fitted constants.

use hnn_integrators::DifferentiableField;
use hnn_losses::DerivativeLoss;
use hnn_models::{
    Activation, Angles, Architecture, FrictionForce, FrictionLaw, FrictionTerm, Hnn,
    Initialisation, Mlp, Scales,
};
use hnn_train::LeastSquares;
use ndarray::{Array1, Array2, array};

const WIDTH: f64 = 0.05;
const TERMS: [FrictionTerm; 2] = [FrictionTerm::Viscous, FrictionTerm::Coulomb { width: WIDTH }];
/// Viscous and dry friction.
const TRUTH: [f64; 2] = [0.05, 0.1];

/// States (theta, theta') of `theta'' = -6 sin theta - b theta' - c sign theta'`, and derivatives.
fn motion() -> [Array2<f64>; 2] {
    let x = Array2::from_shape_fn((300, 2), |(row, i)| {
        let wave = (0.7 * row as f64 + 0.013 * (row * row) as f64 + 2.0 * i as f64).sin();
        wave * if i == 0 { 2.0 } else { 3.0 }
    });
    let slope = |q: f64, v: f64| -6.0 * q.sin() - TRUTH[0] * v - TRUTH[1] * (v / WIDTH).tanh();
    let dx = Array2::from_shape_fn(x.dim(), |(row, i)| match i {
        0 => x[[row, 1]],
        _ => slope(x[[row, 0]], x[[row, 1]]),
    });
    [x, dx]
}

fn network(sizes: &[usize], seed: u64) -> Angles<Mlp<f64>> {
    let architecture = Architecture::new(sizes).expect("sizes").with_activation(Activation::Tanh);
    let marks: Vec<bool> = (0..sizes[0] - 1).map(|i| i == 0).collect();
    Angles::new(Mlp::new(architecture, Initialisation::Orthogonal, seed), &marks).expect("fits")
}

fn fit<F: DifferentiableField<f64> + 'static>(model: &mut F, x: &Array2<f64>, dx: &Array2<f64>) {
    let scales = Scales::new(x.view(), dx.view()).expect("sizes");
    let t = Array1::zeros(x.nrows());
    let mut loss = DerivativeLoss::new(t.view(), x.view(), dx.view())
        .and_then(|loss| loss.with_coordinate_weights(&scales.derivative_weights()))
        .expect("fits");
    LeastSquares::new(60).fit(model, &mut loss, None, &mut ()).expect("fits");
}

fn check(law: &FrictionLaw<f64>, units: f64) {
    for (constant, truth) in law.constants().iter().zip(TRUTH) {
        let error = constant / units / truth - 1.0;
        assert!(error.abs() < 0.01, "{}: {:?}", units, law.constants());
    }
}

/// On dq/dt and on the momentum; signed and not; in other units.
#[test]
fn constants_are_found() {
    let [x, dx] = motion();
    for (mass, non_negative) in [(1.0, false), (1.0, true), (1e-6, true)] {
        // A pendulum of this mass: p = m theta', and forces likewise.
        let unit = array![1.0, mass];
        let [x, dx] = [&x * &unit, &dx * &unit];
        let scales = Scales::new(x.view(), dx.view()).expect("sizes");
        let energy = scales.energy(network(&[3, 12, 1], 1)).expect("fits");
        let law = scales.friction_law(&TERMS).expect("units");
        let law = if non_negative { law.non_negative() } else { law };
        let mut model = Hnn::forced(energy, law).expect("fits");
        fit(&mut model, &x, &dx);
        check(model.force(), mass);
    }
    let scales = Scales::new(x.view(), dx.view()).expect("sizes");
    let law = scales.clone().on_momenta().friction_law(&TERMS).expect("units");
    let energy = scales.energy(network(&[3, 12, 1], 2)).expect("fits");
    let mut model = Hnn::forced(energy, FrictionForce::new(law)).expect("fits");
    fit(&mut model, &x, &dx);
    check(model.force().friction(), 1.0);
}
