//! Networks, and the fields made of them.

use hnn::Error;
use hnn::integrators::{At, Bars, DifferentiableField, Mode, Parameters, StateForm};
use hnn::models::control::{EnergyShaping, SwingUp};
use hnn::models::{
    Activation, Angles, Architecture, Baseline, ConstrainedHnn, Dissipative, ExternalForce,
    FrictionForce, FrictionLaw, FrictionTerm, Harmonics, Hnn, Initialisation, InputPort,
    KineticPrior, Lnn, MechanicalLagrangian, Mlp, Persist, Scales, SeparableHnn, StatePort, Sum,
};
use hnn::systems::{Hamiltonian, Rods};

use crate::odd::Odd;

pub(super) fn call(odd: &mut Odd) -> Result<(), Error> {
    match odd.below(13) {
        0 => networks(odd),
        1 => run(Baseline::new(network(odd, 2, 2)?)?, odd),
        2 => hamiltonian(odd),
        3 => {
            let (inputs, outputs) = (odd.length(2), odd.length(1));
            let friction = network(odd, inputs, outputs)?;
            run(Hnn::with_friction(network(odd, 2, 1)?, friction)?, odd)
        }
        4 => {
            let port = InputPort::with_matrix(odd.table(1, 1))?;
            let dissipative = Dissipative::new(network(odd, 2, 1)?)?;
            let force = Sum(FrictionForce::new(dissipative), port);
            run(Hnn::forced(network(odd, 2, 1)?, force)?, odd)
        }
        10 => {
            let dissipative = Dissipative::new(network(odd, 2, 3)?)?;
            let port = StatePort::new(network(odd, 2, 4)?, odd.length(2))?;
            let harmonics = match odd.yes(0.5) {
                true => Harmonics::periodic(odd.positive(), odd.length(1))?,
                false => Harmonics::window(odd.number(), odd.number(), odd.length(2))?,
            };
            ExternalForce::on_momenta(odd.length(1), harmonics)?;
            let force = Sum(dissipative, ExternalForce::new(port, harmonics)?);
            run(Hnn::port_hamiltonian(network(odd, 2, 1)?, force)?, odd)
        }
        5 => evaluate(&mut SeparableHnn::new(network(odd, 1, 1)?, network(odd, 1, 1)?)?, odd),
        6 => {
            let prior = KineticPrior::new(network(odd, 2, 1)?, odd.positive())?;
            let angles = vec![true; odd.length(1)];
            let lagrangian = Angles::new(KineticPrior::new(network(odd, 3, 1)?, 1.0)?, &angles);
            let _ = Lnn::new(lagrangian?)?;
            run(Lnn::new(prior)?, odd)
        }
        7 => scaled(odd),
        9 => {
            let rods = Rods::<2, 1, 1>::chain([odd.positive()])?;
            let masses = [odd.positive()];
            let form = StateForm::Lagrangian;
            let model = ConstrainedHnn::new(network(odd, 2, 1)?, rods, form, &masses)?;
            run(model.with_learned_masses(), odd)
        }
        8 => {
            let law = law(odd)?.with_constants(odd.table(2, 1).view())?;
            run(Hnn::forced(network(odd, 2, 1)?, law)?, odd)
        }
        11 => control(odd),
        _ => {
            let lagrangian = MechanicalLagrangian::new(network(odd, 1, 1)?, network(odd, 1, 1)?)?;
            let lagrangian = lagrangian.with_epsilon(odd.or_odd(1e-6))?;
            let model = Lnn::forced(lagrangian, InputPort::new(odd.length(1)))?;
            run(model.with_rcond(odd.or_odd(1e-10))?, odd)
        }
    }
}

/// Controllers of a network, asked for inputs anywhere.
fn control(odd: &mut Odd) -> Result<(), Error> {
    let model = Hnn::forced(network(odd, 2, 1)?, InputPort::new(odd.length(1)))?;
    let form = odd.pick(&[StateForm::Canonical, StateForm::Lagrangian]);
    let [target, stiffness, damping] = [0; 3].map(|_| odd.numbers(1));
    let shaping = EnergyShaping::new(&model, form, &target, &stiffness, &damping)?;
    let shaping = shaping.with_angles(&vec![true; odd.length(1)])?;
    let swing = SwingUp::new(shaping, odd.positive(), odd.positive(), odd.positive())?;
    let mut u = vec![0.0; odd.length(1)];
    let len = odd.length(2);
    swing.input(odd.number(), &odd.numbers(len), &mut u)?;
    swing.shaping().input(odd.number(), &odd.numbers(len), &mut u)?;
    Ok(())
}

fn law(odd: &mut Odd) -> Result<FrictionLaw<f64>, Error> {
    let terms = [FrictionTerm::Viscous, FrictionTerm::Coulomb { width: odd.positive() }];
    let law = FrictionLaw::new(odd.length(1), &terms)?;
    Ok(if odd.yes(0.5) { law.non_negative() } else { law })
}

fn scaled(odd: &mut Odd) -> Result<(), Error> {
    let scales = Scales::new(odd.table(5, 2).view(), odd.table(5, 2).view())?;
    let friction = scales.dissipative(network(odd, 2, 1)?)?;
    let law = scales.on_momenta().friction_law(&[FrictionTerm::Quadratic])?;
    let (x, dx) = (odd.table(5, 2), odd.table(5, 2));
    let scales = match odd.yes(0.5) {
        true => Scales::from_forces(x.view(), dx.view(), odd.table(5, 1).view())?,
        false => Scales::from_velocities(x.view(), dx.view())?,
    };
    match odd.below(3) {
        0 => run(Baseline::new(scales.map(network(odd, 2, 2)?)?)?, odd),
        1 => {
            let law = FrictionForce::new(law);
            run(Hnn::forced(scales.energy(network(odd, 2, 1)?)?, Sum(friction, law))?, odd)
        }
        _ => run(Lnn::forced(scales.lagrangian(network(odd, 2, 1)?)?, friction)?, odd),
    }
}

/// A small network of random weights, of which some may be none.
pub(super) fn network(odd: &mut Odd, inputs: usize, outputs: usize) -> Result<Mlp<f64>, Error> {
    let activations = [
        Activation::Tanh,
        Activation::Softplus,
        Activation::Sin,
        Activation::Sigmoid,
        Activation::Swish,
    ];
    let kinds = [Initialisation::Orthogonal, Initialisation::Glorot, Initialisation::He];
    let sizes = [odd.length(inputs), 1 + odd.below(6), odd.length(outputs)];
    let architecture = Architecture::new(&sizes)?.with_activation(odd.pick(&activations));
    let mut network = Mlp::new(architecture, odd.pick(&kinds), 5);
    if odd.is_odd() {
        let theta = odd.numbers(network.num_params());
        network = Mlp::from_params(network.architecture().clone(), theta)?;
    }
    if odd.yes(0.1) {
        network = network.with_dropout(odd.or_odd(0.2), 1)?;
    }
    Ok(network)
}

fn networks(odd: &mut Odd) -> Result<(), Error> {
    let sizes = odd.some(4, |odd| odd.count(6));
    let architecture = Architecture::new(&sizes)?.with_output_bias(odd.yes(0.5));
    let network = Mlp::<f32>::new(architecture.clone(), Initialisation::Glorot, 0);
    assert_eq!(network.params().len(), architecture.num_params());
    let theta = vec![odd.number(); odd.length(architecture.num_params())];
    Mlp::from_params(architecture, theta)?.with_dropout(odd.positive(), 1)?;
    Ok(())
}

fn hamiltonian(odd: &mut Odd) -> Result<(), Error> {
    let angles = vec![odd.yes(0.7); odd.length(1)];
    let inputs = if odd.is_odd() { 2 } else { 2 + usize::from(angles.contains(&true)) };
    let model = Hnn::new(Angles::new(network(odd, inputs, 1)?, &angles)?)?;
    model.energy_rows(odd.table(3, 2).view())?;
    model.energy_gradient_state(&odd.numbers(2))?;
    run(model, odd)
}

/// Evaluates a model and pulls back, and sets its parameters.
fn evaluate<M: DifferentiableField<f64>>(model: &mut M, odd: &mut Odd) -> Result<(), Error> {
    let batch = odd.below(4);
    let (dim, inputs) = (odd.length(model.dim()), odd.length(model.inputs()));
    let (t, u, x) = (odd.numbers(batch), odd.numbers(inputs * batch), odd.numbers(dim * batch));
    model.set_mode(Mode::Training { step: odd.count(9) as u64 });
    let (mut dx, mut x_bar, mut residuals) = (x.clone(), x.clone(), M::Residuals::default());
    let at = At { t: &t, u: &u };
    if odd.yes(0.9) {
        model.eval_recorded(at, &x, &mut dx, &mut residuals)?;
    }
    let mut theta_bar = odd.numbers(model.num_params().min(99));
    let theta_bar = odd.yes(0.5).then_some(&mut theta_bar[..]);
    let bars = Bars::new(&mut x_bar).with_theta(theta_bar);
    model.vjp(&x, &mut residuals, &dx, bars)?;
    model.set_mode(Mode::Evaluation);
    let mut theta = vec![0.0; odd.length(model.num_params())];
    model.copy_params(&mut theta)?;
    Ok(model.set_params(&theta)?)
}

/// The same, and sometimes saves and loads.
fn run<M>(mut model: M, odd: &mut Odd) -> Result<(), Error>
where
    M: DifferentiableField<f64> + Persist<f64>,
{
    evaluate(&mut model, odd)?;
    if odd.yes(0.05) {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
        let path = folder.path().join("model");
        model.save(&path)?;
        let again = M::load(&path)?;
        assert_eq!(again.num_params(), model.num_params());
    }
    Ok(())
}
