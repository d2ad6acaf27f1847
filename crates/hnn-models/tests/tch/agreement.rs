//! 50 random networks: the native engine's exact formulas against automatic differentiation.

use hnn_integrators::{Parameters, Workspace, coordinate_major};
use hnn_models::tch::{TchEnergy, TchMap};
use hnn_models::{
    Angles, Baseline, DifferentiableEnergy, DifferentiableLagrangian, DifferentiableMap,
    Dissipative, FrictionForce, Hnn, JacobianMap, Keep, KineticPrior, Lnn, MechanicalLagrangian,
    Mlp,
};

use crate::device;
use crate::random::{Case, TOLERANCE, assert_close, assert_same_field, assert_same_field_at};
use crate::tensors::TensorLagrangian;

pub(crate) fn energy(native: &Mlp<f64>) -> TchEnergy<f64> {
    TchEnergy::mlp(native.clone(), device()).expect("the device is there")
}

pub(crate) fn map(native: &Mlp<f64>) -> TchMap<f64> {
    TchMap::mlp(native.clone(), device()).expect("the device is there")
}

#[test]
fn parameters_have_the_same_order() {
    for case in Case::all() {
        let native = case.network(1);
        let mut judge = energy(&native);
        let mut theta = vec![0.0; native.num_params()];
        judge.copy_params(&mut theta).expect("the lengths agree");
        assert!(theta == native.params(), "{}", case.name);
        theta.reverse();
        judge.set_params(&theta).expect("the lengths agree");
        let mut read = vec![0.0; theta.len()];
        judge.copy_params(&mut read).expect("the lengths agree");
        assert!(theta == read, "{}", case.name);
    }
}

#[test]
fn energies_and_their_gradients_agree() {
    for case in Case::all() {
        let native = case.network(1);
        let judge = energy(&native);
        let x = case.numbers(0, case.dim * case.batch);
        let evaluate = |h: &dyn Evaluate| {
            let (mut value, mut gradient) = (vec![0.0; case.batch], vec![0.0; x.len()]);
            h.evaluate(&x, &mut value, &mut gradient);
            (value, gradient)
        };
        let ((value, gradient), expected) = (evaluate(&judge), evaluate(&native));
        assert_close(&format!("{}: energy", case.name), &value, &expected.0, TOLERANCE);
        assert_close(&format!("{}: gradient", case.name), &gradient, &expected.1, TOLERANCE);
    }
}

/// An energy and its gradient, whatever its residuals are.
trait Evaluate {
    fn evaluate(&self, x: &[f64], value: &mut [f64], gradient: &mut [f64]);
}

impl<E: DifferentiableEnergy<f64>> Evaluate for E {
    fn evaluate(&self, x: &[f64], value: &mut [f64], gradient: &mut [f64]) {
        let workspace = &mut Workspace::default();
        self.energy(x, value, workspace).expect("the energy is defined");
        let keep = Keep::Nothing(workspace);
        self.gradient(value.len(), x, gradient, keep).expect("the energy is defined");
    }
}

#[test]
fn hamiltonian_networks_agree() {
    for case in Case::all() {
        let native = case.network(1);
        let judge = Hnn::new(energy(&native)).expect("D is even");
        assert_same_field(&case, "HNN", &judge, &Hnn::new(native).expect("D is even"));
    }
}

#[test]
fn friction_networks_agree() {
    for case in Case::all() {
        let (h, f) = (case.network(1), case.network(case.dim / 2));
        let judge = Hnn::with_friction(energy(&h), map(&f)).expect("the shapes fit");
        let native = Hnn::with_friction(h, f).expect("the shapes fit");
        assert_same_field(&case, "HNN with friction", &judge, &native);
    }
}

#[test]
fn dissipative_friction_agrees() {
    for case in Case::all() {
        let n = case.dim / 2;
        let (h, l) = (case.network(1), case.network(n * (n + 1) / 2));
        let friction = Dissipative::new(map(&l)).expect("the shapes fit");
        let judge = Hnn::with_friction(energy(&h), friction).expect("the shapes fit");
        let friction = Dissipative::new(l).expect("the shapes fit");
        let native = Hnn::with_friction(h, friction).expect("the shapes fit");
        assert_same_field(&case, "HNN with dissipative friction", &judge, &native);
    }
}

#[test]
fn baselines_agree() {
    for case in Case::all() {
        let native = case.network(case.dim);
        let judge = Baseline::new(map(&native)).expect("D inputs and outputs");
        assert_same_field(&case, "baseline", &judge, &Baseline::new(native).expect("D outputs"));
    }
}

#[test]
fn lagrangian_networks_agree() {
    for case in Case::all() {
        let native = Lnn::new(case.network(1)).expect("D is even");
        let judge = TensorLagrangian(energy(native.lagrangian()));
        let x = coordinate_major(case.regular_states(&native, case.batch).view());
        assert_same_field_at(&case, "LNN", &judge, &native, &x);
    }
}

#[test]
fn lagrangians_made_of_energies_agree() {
    for case in Case::all() {
        let native = Lnn::new(case.network(1)).expect("D is even");
        let judge = Lnn::new(energy(native.lagrangian())).expect("D is even");
        let x = coordinate_major(case.regular_states(&native, case.batch).view());
        assert_same_field_at(&case, "LNN of an energy", &judge, &native, &x);
    }
}

/// Angles, a kinetic prior and friction around a Lagrangian.
fn free<L: DifferentiableLagrangian<f64>, F: DifferentiableMap<f64>>(
    case: &Case,
    lagrangian: L,
    friction: F,
) -> Lnn<KineticPrior<Angles<L>>, FrictionForce<F>> {
    let lagrangian = Angles::new(lagrangian, &case.angles()).expect("the inputs fit");
    let prior = KineticPrior::new(lagrangian, 10.0).expect("a mass");
    Lnn::forced(prior, FrictionForce::new(friction)).expect("the shapes fit")
}

#[test]
fn free_lagrangians_of_angles_agree() {
    for case in Case::all() {
        let lagrangian = case.network_of(case.dim + case.dim / 2, 1);
        let friction = case.network(case.dim / 2);
        let judge = free(&case, energy(&lagrangian), map(&friction));
        assert_same_field(&case, "LNN of angles", &judge, &free(&case, lagrangian, friction));
    }
}

/// Angles around kinetic minus potential energy.
fn mechanical<N: JacobianMap<f64>, V: DifferentiableEnergy<f64>>(
    case: &Case,
    factor: N,
    potential: V,
) -> Lnn<Angles<MechanicalLagrangian<N, V>>> {
    let lagrangian = MechanicalLagrangian::new(factor, potential).expect("the shapes fit");
    // A mass matrix far from singular: what the engines differ by grows with its condition number.
    let lagrangian = lagrangian.with_epsilon(1.0).expect("positive");
    Lnn::new(Angles::new(lagrangian, &case.angles()).expect("they fit")).expect("even")
}

#[test]
fn mechanical_lagrangians_agree() {
    for case in Case::all() {
        let n = case.dim / 2;
        let factor = case.network_of(case.dim, n * (n + 1) / 2);
        let potential = case.network_of(case.dim, 1);
        let judge = mechanical(&case, map(&factor), energy(&potential));
        assert_same_field(&case, "T - V", &judge, &mechanical(&case, factor, potential));
    }
}
