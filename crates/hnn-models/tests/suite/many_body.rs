//! Energies of many bodies: derivatives, invariances, what rollouts conserve, known systems.

use hnn_integrators::{RK4, Tolerances, VELOCITY_VERLET, VectorField, Workspace, rows, solve};
use hnn_models::{
    Activation, Angles, Architecture, DifferentiableEnergy, EnergySum, FrictionLaw, FrictionTerm,
    Hnn, Initialisation, KineticEnergy, Mlp, ModelError, OneBodyEnergy, PairEnergy,
    SeparableEnergy, SeparableHnn, Separation,
};
use hnn_systems::{Chain, Hamiltonian, NBody};
use hnn_testing::{check_step_rows, check_vjp, wave};
use ndarray::{Array1, Array2, array};

use crate::lengths::{model_is_checked, network_is_checked};

fn network(inputs: usize, seed: u64) -> Mlp<f64> {
    let architecture = Architecture::new(&[inputs, 7, 5, 1]).expect("sizes");
    Mlp::new(architecture.with_activation(Activation::Softplus), Initialisation::Glorot, seed)
}

/// A line: the value is `slope` times the input.
fn line(slope: f64) -> Mlp<f64> {
    Mlp::from_params(Architecture::new(&[1, 1]).expect("sizes"), vec![slope]).expect("one weight")
}

fn pairs(separation: Separation, axes: usize, bodies: usize) -> PairEnergy<Mlp<f64>> {
    PairEnergy::new(network(1, 3), separation, axes, bodies).expect("fits")
}

/// A chain between two walls in the plane, and one bond across.
fn bonds(separation: Separation) -> PairEnergy<Mlp<f64>> {
    let walls = array![[-2.0, 0.3], [2.5, -0.4]];
    let list = [(3, 0), (0, 1), (1, 2), (2, 4), (2, 0)];
    PairEnergy::between(network(1, 4), separation, 2, 3, walls.view(), &list).expect("fits")
}

fn kinetic(coordinates: usize) -> KineticEnergy<f64> {
    KineticEnergy::new(&[0.7, 1.3], coordinates).expect("masses").with_learned_masses()
}

fn ions() -> EnergySum<PairEnergy<Mlp<f64>>, OneBodyEnergy<Mlp<f64>>> {
    let trap = OneBodyEnergy::new(network(2, 5), 4).expect("four");
    EnergySum::new(pairs(Separation::Distance, 2, 4), trap).expect("fits")
}

type Model = SeparableHnn<KineticEnergy<f64>, PairEnergy<Mlp<f64>>>;

/// Three bodies of learned masses in space.
fn three_bodies(separation: Separation) -> Model {
    let kinetic = KineticEnergy::new(&[0.7, 1.3, 1.0], 9).expect("masses");
    SeparableHnn::new(kinetic, pairs(separation, 3, 3)).expect("fits")
}

#[test]
fn cotangents() {
    for separation in Separation::ALL {
        let of = |axes, bodies| {
            SeparableHnn::new(kinetic(axes * bodies), pairs(separation, axes, bodies))
        };
        for (axes, bodies) in [(1, 2), (2, 4), (3, 2)] {
            check_vjp(&mut of(axes, bodies).expect("fits"), 3, 1);
        }
        let chain =
            SeparableHnn::new(KineticEnergy::new(&[2.0], 6).expect("mass"), bonds(separation));
        check_vjp(&mut chain.expect("fits"), 4, 2);
        check_step_rows(&RK4, &of(2, 2).expect("fits"), 5, 1);
        check_step_rows(&VELOCITY_VERLET, &of(2, 2).expect("fits"), 5, 1);
    }
    let energy = SeparableEnergy::new(kinetic(8), ions()).expect("fits");
    check_vjp(&mut Hnn::new(energy.clone()).expect("even"), 3, 3);
    let law = FrictionLaw::new(8, &[FrictionTerm::Viscous, FrictionTerm::Quadratic]);
    check_vjp(&mut Hnn::forced(energy, law.expect("terms")).expect("fits"), 3, 4);
    // A kinetic energy of each body, and bodies on a ring.
    let each = OneBodyEnergy::new(network(2, 5), 4).expect("four");
    check_vjp(&mut SeparableHnn::new(each, ions()).expect("fits"), 3, 5);
    let ring = Angles::new(network(2, 6), &[true]).expect("fits");
    let ring = OneBodyEnergy::new(ring, 4).expect("four");
    check_vjp(&mut SeparableHnn::new(kinetic(4), ring).expect("fits"), 3, 6);
}

#[test]
fn lengths() {
    network_is_checked(&pairs(Separation::Distance, 2, 3));
    network_is_checked(&bonds(Separation::Logarithm));
    network_is_checked(&kinetic(4));
    network_is_checked(&KineticEnergy::<f64>::new(&[1.0], 3).expect("mass"));
    network_is_checked(&ions());
    network_is_checked(&SeparableEnergy::new(kinetic(8), ions()).expect("fits"));
    model_is_checked(&three_bodies(Separation::Distance));
}

/// Rolls, turns and renames bodies: the energy stays, and the field turns with them.
#[test]
fn invariances() {
    let (sin, cos) = 0.83_f64.sin_cos();
    let turn = |v: &[f64]| {
        let mut out = v.to_vec();
        for block in [0, 9] {
            for i in block..block + 3 {
                (out[i], out[i + 3]) = (cos * v[i] - sin * v[i + 3], sin * v[i] + cos * v[i + 3]);
            }
        }
        out
    };
    let rename = |v: &[f64]| Vec::from_iter((0..18).map(|k| v[k / 3 * 3 + (k + 1) % 3]));
    let shift = |v: &[f64]| {
        Vec::from_iter((0..18).map(|k| if k < 9 { v[k] + [3.0, -1.0, 0.5][k / 3] } else { v[k] }))
    };
    let x = wave(0.4, 18);
    for separation in Separation::ALL {
        let equal = KineticEnergy::new(&[1.4], 9).expect("mass");
        let model = SeparableHnn::new(equal, pairs(separation, 3, 3)).expect("fits");
        let energy = model.energy_state(&x).expect("evaluates");
        let field = model.eval_state(0.0, &x).expect("evaluates");
        let check = |moved: &[f64], expected: &[f64]| {
            let now = model.energy_state(moved).expect("evaluates");
            assert!((now - energy).abs() < 1e-12 * energy.abs(), "{separation:?}: {now}, {energy}");
            let size = expected.iter().fold(1.0_f64, |size, f| size.max(f.abs()));
            for (a, b) in model.eval_state(0.0, moved).expect("evaluates").iter().zip(expected) {
                assert!((a - b).abs() < 1e-12 * size, "{separation:?}: {a}, {b}");
            }
        };
        check(&turn(&x), &turn(&field));
        check(&rename(&x), &rename(&field));
        check(&shift(&x), &field);
    }
}

/// Momentum and angular momentum along a rollout of a network that was never trained, of bodies of
/// different masses.
#[test]
fn rollouts_conserve_momenta() {
    for separation in [Separation::Distance, Separation::Square, Separation::Logarithm] {
        let model = three_bodies(separation);
        let x0 = Array1::from(wave(0.4, 18));
        let times = Vec::from_iter((0..40).map(|k| 0.25 * k as f64));
        let run = solve(&model, x0.view(), &times, Tolerances::relative(1e-11)).expect("solves");
        let moved = (&run.states.row(39) - &x0).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        assert!(moved > 0.1, "nothing moves: {moved}");
        let conserved = |x: &[f64]| {
            let sum = |axis: usize| x[9 + 3 * axis..12 + 3 * axis].iter().sum::<f64>();
            let turn = |a: usize, b: usize| {
                let of =
                    |i: usize| x[3 * a + i] * x[9 + 3 * b + i] - x[3 * b + i] * x[9 + 3 * a + i];
                (0..3).map(of).sum::<f64>()
            };
            let energy = model.energy_state(x).expect("evaluates");
            [sum(0), sum(1), sum(2), turn(0, 1), turn(1, 2), turn(2, 0), energy]
        };
        let first = conserved(&x0.to_vec());
        for x in run.states.outer_iter() {
            for (k, (now, first)) in conserved(&x.to_vec()).iter().zip(first).enumerate() {
                assert!((now - first).abs() < 1e-8, "{separation:?}, {k}: {now}, {first}");
            }
        }
    }
}

/// A network that is a line is gravity of the inverse distance, and a spring of its square.
#[test]
fn lines_are_known_systems() {
    fn same<A: Hamiltonian<f64>>(model: &impl Hamiltonian<f64>, truth: &A) {
        let batch = 5;
        let x = wave(0.9, truth.dim() * batch);
        let states = rows(&x, batch, truth.dim());
        let close = |a: &Array2<f64>, b: &Array2<f64>| {
            let most = (a - b).iter().fold(0.0_f64, |most, d| most.max(d.abs()));
            assert!(most < 1e-12 * b.iter().fold(1.0_f64, |most, x| most.max(x.abs())), "{most}");
        };
        for row in states.outer_iter() {
            let [a, b] =
                [model.eval_state(0.0, &row.to_vec()), truth.eval_state(0.0, &row.to_vec())].map(
                    |slope| Array2::from_shape_vec((1, x.len() / batch), slope.expect("evaluates")),
                );
            close(&a.expect("a row"), &b.expect("a row"));
        }
        let energy = |h: &dyn Hamiltonian<f64>| h.energy_rows(states.view()).expect("evaluates");
        let gradient =
            |h: &dyn Hamiltonian<f64>| h.energy_gradient_rows(states.view()).expect("evaluates");
        let column = |energy: Array1<f64>| energy.insert_axis(ndarray::Axis(1));
        close(&column(energy(model)), &column(energy(truth)));
        close(&gradient(model), &gradient(truth));
    }
    let gravity = PairEnergy::new(line(-1.3), Separation::Inverse, 2, 3).expect("fits");
    let equal = KineticEnergy::new(&[1.0], 6).expect("mass");
    same(
        &SeparableHnn::new(equal.clone(), gravity.clone()).expect("fits"),
        &NBody::<3>::new([1.0; 3], 1.3).expect("positive"),
    );
    same(
        &Hnn::new(SeparableEnergy::new(equal, gravity).expect("fits")).expect("even"),
        &NBody::<3>::new([1.0; 3], 1.3).expect("positive"),
    );
    let springs = [(3, 0), (0, 1), (1, 2), (2, 4)];
    let walls = array![[0.0], [0.0]];
    let chain = PairEnergy::between(line(0.85), Separation::Square, 1, 3, walls.view(), &springs)
        .expect("fits");
    let masses = KineticEnergy::new(&[0.6], 3).expect("mass");
    same(
        &SeparableHnn::new(masses, chain).expect("fits"),
        &Chain::<3>::new(0.6, 1.7).expect("positive"),
    );
}

/// What a network sees and makes of data in other units is the same.
#[test]
fn scales() {
    let states =
        Array2::from_shape_fn((30, 12), |(row, k)| (1.3 * row as f64 + 2.1 * k as f64).sin());
    let slopes =
        Array2::from_shape_fn((30, 12), |(row, k)| (0.3 + 1.9 * row as f64 + k as f64).sin());
    for separation in Separation::ALL {
        let of = |length: f64, force: f64| {
            let unit = Array1::from_shape_fn(12, |k| if k < 6 { length } else { 1.0 });
            let slope = Array1::from_shape_fn(12, |k| if k < 6 { 1.0 } else { force });
            let pairs =
                pairs(separation, 2, 3).scaled((&states * &unit).view(), (&slopes * &slope).view());
            let mut gradient = [0.0; 6];
            let x = Vec::from_iter(states.row(3).iter().take(6).map(|x| x * length));
            let keep = hnn_models::Keep::Nothing(&mut Workspace::default());
            pairs.expect("scales").gradient(1, &x, &mut gradient, keep).expect("evaluates");
            gradient.map(|slope| slope / force)
        };
        for (a, b) in of(1.0, 1.0).iter().zip(of(1e5, 1e-7)) {
            assert!((a - b).abs() < 1e-9 * (1.0 + a.abs()), "{separation:?}: {a}, {b}");
        }
    }
    let still = pairs(Separation::Distance, 2, 3).scaled(states.view(), (&slopes * 0.0).view());
    assert!(still.expect_err("no force").to_string().contains("all forces are 0"));
    let together = pairs(Separation::Inverse, 2, 3).scaled((&states * 0.0).view(), slopes.view());
    assert!(together.expect_err("no distance").to_string().contains("at the same place"));
}

#[test]
fn what_makes_no_energy() {
    let of = |axes, bodies| PairEnergy::new(network(1, 1), Separation::Distance, axes, bodies);
    assert!(matches!(of(0, 3), Err(ModelError::Bodies { .. })));
    assert!(matches!(of(2, 0), Err(ModelError::Bodies { .. })));
    assert!(matches!(of(2, usize::MAX), Err(ModelError::TooLarge(_))));
    assert!(matches!(of(1, 1 << 20), Err(ModelError::TooLarge(_))));
    let two = PairEnergy::new(network(2, 1), Separation::Distance, 2, 3);
    assert!(matches!(two, Err(ModelError::InputSize { .. })));
    let walls = array![[0.0], [1.0]];
    let between =
        |pair| PairEnergy::between(network(1, 1), Separation::Square, 1, 2, walls.view(), &[pair]);
    assert!(between((0, 3)).is_ok() && between((2, 1)).is_ok());
    for pair in [(0, 0), (2, 3), (0, 4), (usize::MAX, 0)] {
        assert!(matches!(between(pair), Err(ModelError::Pair { .. })), "{pair:?}");
    }
    let nowhere = array![[f64::NAN]];
    let nan = PairEnergy::between(network(1, 1), Separation::Square, 1, 2, nowhere.view(), &[]);
    assert!(matches!(nan, Err(ModelError::Setting { .. })));
    assert!(matches!(KineticEnergy::<f64>::new(&[], 2), Err(ModelError::Masses { .. })));
    assert!(matches!(KineticEnergy::<f64>::new(&[1.0, 2.0], 3), Err(ModelError::Masses { .. })));
    assert!(matches!(KineticEnergy::<f64>::new(&[-1.0], 3), Err(ModelError::Mass { .. })));
    let uneven = SeparableEnergy::new(kinetic(4), pairs(Separation::Square, 2, 3));
    assert!(matches!(uneven, Err(ModelError::InputSize { .. })));
}
