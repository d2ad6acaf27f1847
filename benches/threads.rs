//! Two threads against one: RK4 on pendulums, and the gradient of an HNN's derivative loss.

use hnn_benches::systems::{Pendulum, start};
use hnn_benches::{Contest, Error, Options, on_threads};
use hnn_integrators::{FixedStep, Parameters, RK4};
use hnn_losses::{DerivativeLoss, Loss, RowSelection};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use ndarray::{Array1, Array2};

fn starts(count: usize) -> Array2<f64> {
    Array2::from_shape_fn((count, 2), |(row, i)| start(row)[i])
}

fn steps(options: Options) {
    // Whole blocks of 1024, the same number for either thread.
    let x0 = starts(options.pick(80, 16) * 1024);
    let run = FixedStep::count(RK4, 1000);
    let total = || run.run(&Pendulum, (0.0, 10.0), x0.view()).expect("run").last().sum();
    let work = (x0.nrows() * 1000) as f64;
    let mut contest =
        Contest::new("threads, RK4, wall time", "trajectory-steps", options).on_the_wall();
    contest.entry("two", work, || on_threads(2, total));
    contest.entry("one", work, || on_threads(1, total));
    let outcome = contest.run();
    outcome.bar("two threads against one", outcome.rate("two") / outcome.rate("one"), 1.8);
}

/// 2-200-200-1, tanh, `f32`, 750 states.
fn gradient(options: Options) -> Result<(), Error> {
    let network =
        Mlp::<f32>::new(Architecture::new(&[2, 200, 200, 1])?, Initialisation::Orthogonal, 0);
    let model = Hnn::new(network)?;
    let x = starts(750).mapv(|x| x as f32);
    let mut loss = DerivativeLoss::new(Array1::zeros(750).view(), x.view(), x.view())?;
    let mut theta_bar = vec![0.0; model.num_params()];
    let mut value = |threads| {
        on_threads(threads, || {
            (0..20)
                .map(|_| {
                    let all = RowSelection::All;
                    let value = loss.value_and_gradient(&model, all, 1.0, &mut theta_bar);
                    value.expect("value")
                })
                .sum()
        })
    };
    let value = std::cell::RefCell::new(&mut value);
    let work = f64::from(20 * 750);
    let mut contest = Contest::new(
        "threads, gradient of an HNN's loss at 750 states, wall time",
        "states",
        options,
    )
    .on_the_wall();
    contest.entry("two", work, || value.borrow_mut()(2));
    contest.entry("one", work, || value.borrow_mut()(1));
    let outcome = contest.run();
    outcome.bar("two threads against one", outcome.rate("two") / outcome.rate("one"), 1.7);
    Ok(())
}

fn main() -> Result<(), Error> {
    let options = Options::from_args();
    steps(options);
    gradient(options)
}
