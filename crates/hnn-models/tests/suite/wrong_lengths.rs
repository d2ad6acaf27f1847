//! Slices of wrong lengths into networks and models, and networks of wrong outputs, are errors.

use hnn_integrators::{At, FieldError, StateForm, ThetaBar, Workspace};
use hnn_models::{
    Angles, Architecture, Baseline, ConstrainedHnn, DifferentiableEnergy, DifferentiableLagrangian,
    DifferentiableMap, Dissipative, EulerLagrange, ExternalForce, ForceBars, FrictionForce,
    FrictionLaw, FrictionTerm, GeneralisedForce, Harmonics, Hnn, Initialisation, InputForce,
    InputPort, JacobianMap, Keep, KineticPrior, LagrangianTerms, Lnn, MechanicalLagrangian, Mlp,
    MotionBars, Scales, SeparableHnn, StatePort, Sum,
};
use hnn_systems::Rods;
use hnn_testing::lengths::{
    BATCHES, assert_checked, differentiable_field_is_checked, filled, separable_field_is_checked,
};

use crate::lengths::{
    jacobian_is_checked, lagrangian_is_checked, map_is_checked, model_is_checked,
    network_is_checked,
};

const ANGLES: [bool; 4] = [true, false, false, false];

fn network(sizes: &[usize]) -> Mlp<f64> {
    Mlp::new(Architecture::new(sizes).expect("sizes"), Initialisation::Orthogonal, 1)
}

fn mechanical(inputs: usize) -> MechanicalLagrangian<Mlp<f64>, Mlp<f64>> {
    MechanicalLagrangian::new(network(&[inputs, 6, 3]), network(&[inputs, 6, 1])).expect("fits")
}

#[test]
fn networks() {
    // Few inputs and many, no hidden layer, one and two.
    for inputs in [4, 12] {
        network_is_checked(&network(&[inputs, 6, 5, 1]));
        map_is_checked(&network(&[inputs, 6, 5, 3]));
        jacobian_is_checked(&network(&[inputs, 6, 5, 3]));
        lagrangian_is_checked(&network(&[inputs, 6, 5, 1]), 2);
        network_is_checked(&network(&[inputs, 1]));
        map_is_checked(&network(&[inputs, 3]));
    }
    map_is_checked(&Dissipative::new(network(&[4, 6, 3])).expect("triangle"));
    let dropping = network(&[4, 6, 1]).with_dropout(0.5, 1).expect("a probability");
    let mut model = Hnn::new(dropping).expect("even");
    hnn_integrators::Parameters::<f64>::set_mode(
        &mut model,
        hnn_integrators::Mode::Training { step: 0 },
    );
    model_is_checked(&model);
}

#[test]
fn networks_of_angles() {
    network_is_checked(&Angles::new(network(&[5, 6, 1]), &ANGLES).expect("fits"));
    let map = Angles::new(network(&[5, 6, 3]), &ANGLES).expect("fits");
    map_is_checked(&map);
    jacobian_is_checked(&map);
    let free = Angles::new(network(&[5, 6, 1]), &ANGLES).expect("fits");
    lagrangian_is_checked(&free, 2);
    lagrangian_is_checked(&KineticPrior::new(free, 1.0).expect("positive"), 2);
    lagrangian_is_checked(&mechanical(2), 2);
    lagrangian_is_checked(&Angles::new(mechanical(3), &ANGLES).expect("fits"), 2);
}

#[test]
fn scaled_networks() {
    let x = ndarray::array![[0.1, 0.2, 0.3, 0.4], [0.5, 0.7, 0.2, 0.1]];
    let scales = Scales::new(x.view(), x.view()).expect("sizes");
    network_is_checked(&scales.energy(network(&[4, 6, 1])).expect("fits"));
    map_is_checked(&scales.map(network(&[4, 6, 4])).expect("fits"));
    map_is_checked(&scales.dissipative(network(&[4, 6, 3])).expect("fits"));
    lagrangian_is_checked(&scales.lagrangian(network(&[4, 6, 1])).expect("fits"), 2);
    let law = FrictionLaw::new(2, &[FrictionTerm::Viscous, FrictionTerm::Quadratic]);
    map_is_checked(&law.expect("terms"));
}

#[test]
fn models() {
    differentiable_field_is_checked(&Baseline::new(network(&[4, 6, 4])).expect("square"));
    let driven = Baseline::with_inputs(network(&[5, 6, 4]), 1).expect("fits");
    differentiable_field_is_checked(&driven);
    model_is_checked(&Hnn::new(network(&[4, 6, 1])).expect("even"));
    let friction = Hnn::with_friction(network(&[4, 6, 1]), network(&[4, 6, 2]));
    model_is_checked(&friction.expect("fits"));
    let friction = Dissipative::new(network(&[4, 6, 3])).expect("triangle");
    model_is_checked(&Hnn::with_friction(network(&[4, 6, 1]), friction.clone()).expect("fits"));
    let separable = SeparableHnn::new(network(&[2, 6, 1]), network(&[2, 6, 1])).expect("fits");
    model_is_checked(&separable);
    separable_field_is_checked(&separable);
    let prior = KineticPrior::new(network(&[4, 6, 1]), 2.0).expect("positive");
    model_is_checked(&Lnn::new(prior).expect("even"));
    let torque = InputForce::new(2, |t: f64, u: &mut [f64]| u.fill(t));
    let force = Sum(FrictionForce::new(friction), torque);
    model_is_checked(&Lnn::forced(mechanical(2), force).expect("fits"));
    let dissipative = Dissipative::new(network(&[4, 6, 3])).expect("triangle");
    let force = Sum(InputPort::new(2).fitted(), Sum(dissipative, InputPort::new(2)));
    model_is_checked(&Hnn::forced(network(&[4, 6, 1]), force.clone()).expect("fits"));
    model_is_checked(&Lnn::forced(mechanical(2), force).expect("fits"));
    let dissipative = Dissipative::new(network(&[4, 6, 10])).expect("triangle");
    map_is_checked(&dissipative);
    let force = Sum(dissipative, StatePort::new(network(&[4, 6, 8]), 2).expect("fits"));
    model_is_checked(&Hnn::port_hamiltonian(network(&[4, 6, 1]), force.clone()).expect("fits"));
    // On all of the state, or on the momenta: each refuses what is made for the other.
    assert!(Hnn::forced(network(&[4, 6, 1]), force.clone()).is_err());
    assert!(Lnn::forced(mechanical(2), force).is_err());
    assert!(Hnn::port_hamiltonian(network(&[4, 6, 1]), InputPort::new(2)).is_err());
    model_is_checked(&constrained(4, &[1.0, 2.0]).expect("fits").with_learned_masses());
    model_is_checked(&constrained(4, &[1.0]).expect("fits"));
    assert!(constrained(3, &[1.0]).is_err() && constrained(4, &[1.0; 3]).is_err());
    assert!(constrained(4, &[]).is_err() && constrained(4, &[1.0, 0.0]).is_err());
}

/// Two points in the plane on a chain of rods.
fn constrained(
    inputs: usize,
    masses: &[f64],
) -> Result<ConstrainedHnn<Mlp<f64>, Rods<2, 2, 2>, f64>, hnn_models::ModelError> {
    let rods = Rods::chain([0.7, 1.3]).expect("positive");
    ConstrainedHnn::new(network(&[inputs, 6, 1]), rods, StateForm::Lagrangian, masses)
}

/// Recorded by a wider network of as many inputs, or of another number of velocities.
#[test]
fn residuals_of_another_shape_are_errors() {
    let (h, other) = (network(&[4, 6, 1]), network(&[4, 9, 1]));
    let (x, mut out, mut x_bar) = (filled(4), [0.0; 4], [0.0; 4]);
    let refused = |result: Result<(), FieldError>| {
        let error = result.expect_err("another shape").to_string();
        assert!(error.starts_with("the residuals hold "), "{error}");
    };

    let mut residuals = Default::default();
    other.gradient(1, &x, &mut out, Keep::Residuals(&mut residuals)).expect("fits");
    refused(h.gradient_vjp(&x, &mut residuals, &x, &mut x_bar, ThetaBar::None));

    let mut residuals = Default::default();
    other.eval(1, &x, &mut out[..1], Keep::Residuals(&mut residuals)).expect("fits");
    refused(h.vjp(&x, &mut residuals, &[1.0], &mut x_bar, ThetaBar::None));

    let (mut y, mut residuals) = ([0.0], Default::default());
    other.jacobian(1, &x, &mut y, &mut out, Keep::Residuals(&mut residuals)).expect("fits");
    refused(h.jacobian_vjp(&x, &mut residuals, &[1.0], &[], &mut x_bar, ThetaBar::None));

    let (mut mass, mut mixed, mut residuals) = ([0.0; 4], [0.0; 2], Default::default());
    let terms = LagrangianTerms { gradient: &mut out, mass: &mut mass, mixed: &mut mixed };
    h.terms(1, &x, &[0.1; 2], terms, Keep::Residuals(&mut residuals)).expect("fits");
    let directions =
        EulerLagrange { q_dot: &[0.1], q_ddot: &[0.2; 3], eta: &[0.3], lambda: &[0.4; 3] };
    let bars = MotionBars { x: &mut x_bar, q_dot: &mut [0.0] };
    refused(h.terms_vjp(&x, &mut residuals, &directions, bars, ThetaBar::None));
}

#[test]
fn forces() {
    let torque = InputForce::new(2, |t: f64, u: &mut [f64]| u.fill(t));
    force_is_checked(&Sum(FrictionForce::new(network(&[4, 6, 2])), torque));
    let dissipative = Dissipative::new(network(&[4, 6, 3])).expect("triangle");
    let column = InputPort::with_matrix(ndarray::array![[1.0], [-2.0]]).expect("finite");
    force_is_checked(&Sum(dissipative, Sum(InputPort::new(2).fitted(), column.clone())));
    let law = FrictionLaw::new(2, &[FrictionTerm::Viscous]).expect("a term");
    force_is_checked(&Sum(law, InputPort::new(2)));
    let port = StatePort::new(network(&[4, 6, 6]), 3).expect("fits");
    force_is_checked(&port);
    let harmonics = Harmonics::window(0.0, 1.0, 3).expect("a window");
    force_is_checked(&ExternalForce::new(port, harmonics).expect("three"));
    let drive = ExternalForce::on_momenta(2, harmonics).expect("small");
    force_is_checked(&Sum(drive, StatePort::new(network(&[4, 6, 2]), 1).expect("fits")));
    for (outputs, inputs) in [(6, 0), (6, 2), (5, 1), (6, usize::MAX)] {
        assert!(StatePort::new(network(&[4, 6, outputs]), inputs).is_err());
    }
    assert!(InputPort::with_matrix(ndarray::array![[f64::NAN]]).is_err());
    assert!(Hnn::forced(network(&[2, 6, 1]), column.clone()).is_err());
    assert!(Lnn::forced(network(&[2, 6, 1]), column).is_err());
}

#[track_caller]
fn force_is_checked<Q: GeneralisedForce<f64>>(force: &Q) {
    for batch in BATCHES {
        let [x, n, u] = [4, 2, force.inputs()].map(|each| each * batch);
        let (t, q_dot) = (&filled(batch)[..], filled(n));
        assert_checked("force", [x, n, u], |[x, mut out, u]| {
            let keep = Keep::Nothing(&mut Workspace::default());
            force.add(At { t, u: &u }, &x, &q_dot, &mut out, keep)
        });
        assert_checked("force", [x, n, u], |[x, mut out, u]| {
            let keep = Keep::Residuals(&mut Q::Residuals::default());
            force.add(At { t, u: &u }, &x, &q_dot, &mut out, keep)
        });
        let at = At { t, u: &filled(u) };
        let expected = [x, n, x, u, force.num_params()];
        assert_checked("force's vjp", expected, |[x, bar, mut x_bar, mut u, mut theta_bar]| {
            let mut residuals = Q::Residuals::default();
            let keep = Keep::Residuals(&mut residuals);
            force.add(at, &filled(4 * batch), &q_dot, &mut filled(n), keep)?;
            let (u, theta) = (Some(&mut u[..]), (&mut theta_bar).into());
            let bars = ForceBars { x: &mut x_bar, q_dot: &mut filled(n), u, theta };
            force.add_vjp(&x, &q_dot, &mut residuals, &bar, bars)
        });
    }
}

#[test]
fn energies_have_one_output() {
    let two = || network(&[2, 6, 2]);
    let refusals = [
        Hnn::new(two()).map(drop),
        Lnn::new(two()).map(drop),
        SeparableHnn::new(two(), network(&[2, 6, 1])).map(drop),
        SeparableHnn::new(network(&[2, 6, 1]), two()).map(drop),
        MechanicalLagrangian::new(network(&[2, 6, 3]), two()).map(drop),
        Hnn::with_friction(two(), network(&[2, 6, 1])).map(drop),
        Angles::new(network(&[3, 6, 2]), &[true, false]).and_then(Hnn::new).map(drop),
    ];
    for refusal in refusals {
        let error = refusal.expect_err("two outputs").to_string();
        assert_eq!(error, "the energy network has 2 outputs, but the model needs 1");
    }
    let energy =
        DifferentiableEnergy::energy(&two(), &[0.1, 0.2], &mut [0.0], &mut Workspace::default());
    assert!(energy.is_err());
}
