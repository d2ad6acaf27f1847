//! Systems, and what is sampled of them.

use hnn::Error;
use hnn::integrators::{
    At, Constrained, FieldError, FixedStep, FnField, RATTLE, VectorField, Workspace,
};
use hnn::systems::{
    CartForce, CartPole, Chain, ChainPendulum, Damped, DampedPendulum, DoublePendulum, Duffing,
    ElasticPendulum, EnergyShell, FromEnergy, Gyroscope, Hamiltonian, HenonHeiles, Kepler,
    Lyapunov, NBody, Pendulum, Sampling, SphericalPendulum, Spring, Starts, distances, growth_rate,
};

use crate::odd::Odd;

pub(super) fn call(odd: &mut Odd) -> Result<(), Error> {
    match odd.below(6) {
        0 | 1 => constants(odd),
        2 => sampling(odd),
        3 => starts(odd),
        4 => chaos(odd),
        _ => rates(odd),
    }
}

/// A system without its kernels: they take long to compile, and those of the systems that are
/// integrated here are enough.
struct Plain<S>(S);

fn plain<S: Hamiltonian<f64> + 'static>(system: S) -> Box<dyn Hamiltonian<f64>> {
    Box::new(Plain(system))
}

impl<S: Hamiltonian<f64>> VectorField<f64> for Plain<S> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        self.0.eval(at, x, dx, workspace)
    }
}

impl<S: Hamiltonian<f64>> Hamiltonian<f64> for Plain<S> {
    fn energy(
        &self,
        x: &[f64],
        energy: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        self.0.energy(x, energy, workspace)
    }
    fn energy_gradient(
        &self,
        batch: usize,
        x: &[f64],
        gradient: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        self.0.energy_gradient(batch, x, gradient, workspace)
    }
}

fn system(odd: &mut Odd) -> Result<Box<dyn Hamiltonian<f64>>, Error> {
    let (a, b, c) = (odd.positive(), odd.positive(), odd.positive());
    Ok(match odd.below(17) {
        0 => plain(Spring::new(a, b)?),
        1 => plain(Pendulum::new(a, b)?),
        2 => plain(Pendulum::from_omega_squared(a)?),
        3 => plain(DampedPendulum::new(odd.number(), a)?),
        4 => plain(Damped::from_system(Spring::new(a, b)?, c)?),
        5 => plain(Duffing::new(odd.number(), odd.number())?.with_damping(a)?.with_forcing(b, c)?),
        6 => plain(HenonHeiles::new(odd.number())?),
        7 => plain(ElasticPendulum::new(a, b, c, odd.positive())?),
        8 => plain(Chain::<3>::new(a, b)?.with_nonlinearity(odd.number(), odd.number())?),
        9 => plain(NBody::<2>::new([a, b], c)?.with_softening(odd.positive())?),
        10 => plain(Kepler::new(a, b)?),
        11 => plain(DoublePendulum::new([a, b], [c, odd.positive()], odd.positive())?),
        12 => plain(CartPole::new(a, b, c, odd.positive())?.with_friction(a, b)?),
        13 => {
            Box::new(ChainPendulum::<2, f64>::chain([a, b], [c, odd.positive()], odd.positive())?)
        }
        14 => Box::new(SphericalPendulum::<f64>::spherical(a, b, c)?.in_velocities()),
        15 => Box::new(Gyroscope::<f64>::gyroscope([a, b, c], odd.positive())?),
        _ => plain(FromEnergy(Spring::new(a, b)?)),
    })
}

fn constants(odd: &mut Odd) -> Result<(), Error> {
    let system = system(odd)?;
    let x = odd.numbers(system.dim());
    system.energy_state(&x)?;
    system.energy_gradient_state(&x)?;
    let x = odd.states(0..=3, system.dim());
    system.energy_rows(x.view())?;
    system.energy_gradient_rows(x.view())?;
    system.eval_rows(odd.number(), x.view())?;
    let chain = Chain::<3>::new(odd.positive(), odd.positive())?;
    let mode = odd.count(4);
    let _ = (chain.mode_frequency(mode), chain.mode_shape(mode));
    let kepler = Kepler::new(odd.positive(), odd.positive())?;
    let (axis, eccentricity) = (odd.positive(), odd.or_odd(0.3));
    let _ = (kepler.period(axis), kepler.periapsis(axis, eccentricity)?);
    let pole = CartPole::default();
    let pushed = pole.with_force(CartForce::Constant(odd.number()));
    VectorField::<f64>::eval_state(&pushed, 0.0, &[0.1; 4])?;
    let (amplitude, omega, phase) = (odd.number(), odd.number(), odd.number());
    let shaken = pole.with_force(CartForce::Harmonic { amplitude, omega, phase });
    VectorField::<f64>::eval_state(&shaken, odd.number(), &[0.1; 4])?;
    let chain = ChainPendulum::<1, f64>::chain([1.0], [odd.positive()], odd.positive())?;
    let x = chain.from_angles(odd.table(2, 2).view())?;
    chain.to_angles(x.view())?;
    chain.violation_rows(odd.table(2, 4).view())?;
    chain.project_rows(odd.table(2, 4).view())?;
    let run = FixedStep::count(RATTLE, 1 + odd.below(9)).run(&chain, (0.0, 1.0), x.view())?;
    assert!(run.states.iter().all(|x| x.is_finite()));
    let double = DoublePendulum::default();
    let x = odd.table(2, 4);
    double.to_canonical(double.to_lagrangian(x.view())?.view())?;
    Ok(())
}

fn law(odd: &mut Odd) -> Starts {
    let low = odd.positive();
    let high = if odd.is_odd() { odd.number() } else { low + 1.0 };
    match odd.below(5) {
        0 => Starts::Ring { low, high },
        1 => Starts::Signed { low, high },
        2 => Starts::Box((0..odd.length(2)).map(|_| (low, high)).collect()),
        3 => Starts::TwoBodies { low, high, noise: odd.or_odd(0.1) },
        _ => Starts::ThreeBodies { low, high, noise: odd.or_odd(0.1) },
    }
}

fn starts(odd: &mut Odd) -> Result<(), Error> {
    let law = law(odd);
    let dim = match law {
        Starts::TwoBodies { .. } => 8,
        Starts::ThreeBodies { .. } => 12,
        _ => odd.count(5),
    };
    let states = law.draw(odd.count(9), dim, 0)?;
    assert!(states.iter().all(|x| x.is_finite()));
    let (a, b) = (odd.number(), odd.number());
    let shell = EnergyShell {
        positions: vec![(a, a + odd.positive()); odd.length(1)],
        energies: (b, b + odd.positive()),
    };
    shell.draw(&Pendulum::default(), odd.count(3), 1)?;
    Ok(())
}

fn sampling(odd: &mut Odd) -> Result<(), Error> {
    // Systems of any period would take the solver's million steps.
    let (t0, force) = (odd.positive(), odd.number());
    let system: Box<dyn VectorField<f64>> = match odd.below(3) {
        0 => Box::new(Pendulum::default()),
        1 => Box::new(Duffing::default().with_forcing(force.clamp(-2.0, 2.0), 1.0)?),
        _ => Box::new(FnField::new(2, move |t: f64, x: &[f64], dx: &mut [f64]| {
            (dx[0], dx[1]) = (x[1] / (t - t0), x[0].sqrt());
        })),
    };
    let starts = law(odd);
    // A thousand trajectories that turn so fast take a million steps each: what was asked for.
    let trajectories = match odd.count(4) {
        1000 => 50,
        count => count,
    };
    let sampling = Sampling {
        starts,
        trajectories,
        t_start: if odd.is_odd() { odd.number().clamp(-100.0, 1e300) } else { 0.0 },
        t_end: odd.duration(),
        points: odd.count(9),
        noise: odd.or_odd(0.1).abs(),
        tolerance: odd.or_odd(1e-6),
    };
    let data = if odd.yes(0.5) {
        sampling.sample(system.as_ref(), 3)?
    } else {
        let starts = odd.table(2, 2).mapv(|x| x.clamp(-10.0, 10.0));
        sampling.sample_from(system.as_ref(), starts.view(), 3)?
    };
    assert!(data.states().iter().chain(data.derivatives()).all(|x| x.is_finite()));
    Ok(())
}

fn chaos(odd: &mut Odd) -> Result<(), Error> {
    let system = system(odd)?;
    let (transient, intervals) = (odd.count(3), odd.count(5));
    // A thousand intervals of a hundred time units take as long as they are: what was asked for.
    let longest = if transient.max(intervals) > 100 { 10.0 } else { f64::INFINITY };
    let lyapunov = Lyapunov {
        distance: odd.or_odd(1e-6),
        interval: odd.duration().min(longest),
        transient,
        intervals,
        tolerance: odd.or_odd(1e-6),
    };
    let field: &dyn VectorField<f64> = &Pendulum::default();
    // Fast turns would take the solver's million steps.
    let start: Vec<f64> = odd.numbers(2).into_iter().map(|x| x.clamp(-10.0, 10.0)).collect();
    let found = lyapunov.exponent(field, &start)?;
    assert!(found.exponent.is_finite() && found.rates.len() >= 2, "{lyapunov:?}: {found:?}");
    system.energy_state(&vec![odd.number(); system.dim()])?;
    Ok(())
}

fn rates(odd: &mut Odd) -> Result<(), Error> {
    let (a, b) = (odd.table(4, 2), odd.table(4, 2));
    let apart = distances(a.view(), b.view())?;
    let rate = growth_rate(&odd.times(4), &apart, odd.or_odd(3.0))?;
    assert!(rate.is_finite());
    Ok(())
}
