//! Symplectic steps and gradients.

use hnn_benches::systems::{Pendulum, start};
use hnn_benches::{Contest, Options, Outcome, on_threads};
use hnn_integrators::{
    Adjoint, Bars, Checkpoints, DifferentiableStepper, FixedStep, Grid, HEUN, KAHAN_LI8, RK4,
    Rollout, VELOCITY_VERLET, Visit, coordinate_major,
};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

const DT: f64 = 0.01;

fn starts(count: usize) -> Array2<f64> {
    Array2::from_shape_fn((count, 2), |(row, i)| start(row)[i])
}

fn verlet(options: Options) {
    let x0 = starts(options.pick(10_000, 1_000));
    let (steps, end) = (1000, 10.0);
    let work = (x0.nrows() * steps) as f64;
    let ours = FixedStep::count(VELOCITY_VERLET, steps);
    let kahan_li = FixedStep::count(KAHAN_LI8, steps);
    let mut contest =
        Contest::new("velocity Verlet, pendulums x 1000 steps", "trajectory-steps", options);
    contest.entry("hnn", work, || {
        ours.run(&Pendulum, (0.0, end), x0.view()).expect("run").last().index_axis(Axis(1), 0).sum()
    });
    contest.entry("hnn Kahan-Li 8", work, || {
        let run = kahan_li.run(&Pendulum, (0.0, end), x0.view()).expect("run");
        run.last().index_axis(Axis(1), 0).sum()
    });
    #[cfg(feature = "peers")]
    contest.entry("peer ivp", work, || {
        x0.rows().into_iter().map(|x| hnn_benches::peers::ivp_verlet([x[0], x[1]], end, DT)).sum()
    });
    let outcome = contest.run();
    outcome.bar("against the peer", outcome.rate("hnn") / outcome.best("peer"), 20.0);
}

fn gradient<S>(name: &str, stepper: S, options: Options) -> Outcome
where
    S: DifferentiableStepper<f64, Pendulum> + Clone,
{
    let (batch, steps) = (128, 1000);
    let starts = starts(batch);
    let x0 = coordinate_major(starts.view());
    let work = (batch * steps) as f64;
    let grid = Grid::equal(batch, 0.0, DT, steps);
    let (mut forward, mut both) = (Rollout::default(), Rollout::default());
    let mut bar = vec![0.0; 2 * batch];
    let title = format!("gradient through 1000 {name} steps");
    let mut contest = Contest::new(&title, "trajectory-steps", options);
    contest.entry("forward", work, || {
        let states = forward.states(&stepper, &Pendulum, grid, &x0).expect("forward");
        states[states.len() - 1]
    });
    contest.entry("value and gradient", work, || {
        let at_end = |visit: Visit<'_, f64>| {
            if let Visit::State { step: 1000, x, x_bar, .. } = visit {
                x_bar.copy_from_slice(x);
            }
            Ok(())
        };
        let kept = Checkpoints::All;
        both.gradient(&stepper, &Pendulum, grid, &x0, kept, at_end, Bars::new(&mut bar))
            .expect("gradient");
        bar[0]
    });
    contest.entry("logarithmic checkpoints", work, || {
        let end = steps as f64 * DT;
        let at_end = |step, x: ArrayView2<'_, f64>, mut x_bar: ArrayViewMut2<'_, f64>| {
            if step == steps {
                x_bar.assign(&x);
            }
        };
        let adjoint = Adjoint::count(stepper.clone(), steps);
        adjoint.run(&Pendulum, (0.0, end), starts.view(), at_end).expect("run").start_bar[[0, 0]]
    });
    contest.run()
}

fn gradients(options: Options) {
    let outcome = gradient("RK4", RK4, options);
    let ratio = outcome.rate("value and gradient") / outcome.rate("forward");
    outcome.bar("share of the forward run's speed", ratio, 1.0 / 3.0);
    gradient("Heun", HEUN, options);
    gradient("velocity Verlet", VELOCITY_VERLET, options);
}

fn main() {
    let options = Options::from_args();
    on_threads(1, || {
        verlet(options);
        gradients(options);
    });
}
