//! Constrained networks learn from states alone.

use hnn_data::DataSet;
use hnn_integrators::{
    Constrained, DifferentiableField, FixedStep, Projected, RATTLE, RK4, StateForm, Tolerances,
    solve,
};
use hnn_losses::{TrajectoryLoss, Window};
use hnn_models::{ConstrainedHnn, Mlp, Scales};
use hnn_systems::{ChainPendulum, Sampling, Starts};
use hnn_train::{LeastSquares, Schedule, Trainer};
use ndarray::s;

use crate::common::network;

type Chain<V> = ConstrainedHnn<V, hnn_systems::Rods<2, 2, 2>, f64>;

fn truth() -> ChainPendulum<2> {
    ChainPendulum::chain([1.2, 0.8], [1.0, 0.9], 9.81).expect("positive").in_velocities()
}

/// Some short motions, `(q, v)`.
fn data() -> DataSet<f64> {
    let bounds = vec![(-1.5, 1.5), (-1.5, 1.5), (-1.0, 1.0), (-1.0, 1.0)];
    let starts = Starts::Box(bounds).draw(60, 4, 1).expect("draws");
    let starts = truth().from_angles(starts.view()).expect("four");
    let sampling = Sampling { t_end: 0.12, points: 5, ..Sampling::spring() };
    sampling.sample_from(&truth(), starts.view(), 1).expect("samples")
}

fn model(data: &DataSet<f64>) -> Chain<hnn_models::Scaled<Mlp<f64>>> {
    let scales = Scales::from_velocities(data.states(), data.derivatives()).expect("sizes");
    let potential = scales.potential(network(&[4, 6, 1], 1)).expect("fits");
    let rods = *truth().constraint();
    let model = ConstrainedHnn::new(potential, rods, StateForm::Lagrangian, &[1.0, 1.0]);
    model.expect("fits").with_learned_masses()
}

/// Of masses and potential the ratio is known, so that of the masses is.
fn check<V>(model: &Chain<V>, error: f64)
where
    Chain<V>: DifferentiableField<f64>,
    V: hnn_models::DifferentiableEnergy<f64>,
{
    let logs = model.log_masses();
    let ratio = (logs[0] - logs[1]).exp() / 1.5;
    assert!((ratio - 1.0).abs() < error, "{ratio}");
    let start = truth().from_angles(ndarray::array![[0.8, -0.5, 0.3, 0.0]].view()).expect("four");
    let end = |field: &dyn hnn_integrators::VectorField<f64>| {
        let run =
            solve(field, start.row(0), &[0.0, 0.5], Tolerances::relative(1e-9)).expect("solves");
        run.states.slice(s![1, ..]).to_owned()
    };
    let off = end(model) - end(&truth());
    assert!(off.iter().all(|off| off.abs() < error), "{off}");
    // What is learned keeps the rods.
    let run = FixedStep::size(RATTLE, 0.01).run(model, (0.0, 2.0), start.view()).expect("runs");
    let off = model.violation_rows(run.last()).expect("a state");
    assert!(off.iter().all(|off| off.abs() < 1e-12), "{off}");
}

/// By least squares, through the steps of a projected method.
#[test]
fn least_squares_find_masses_and_potential() {
    let data = data();
    let mut model = model(&data);
    let mut loss = TrajectoryLoss::new(Projected(RK4), Window::Steps(2), &data).expect("fits");
    LeastSquares::new(30).fit(&mut model, &mut loss, None, &mut ()).expect("fits");
    check(&model, 1e-3);
}

/// By a trainer, through those of RATTLE.
#[test]
fn a_trainer_lessens_the_loss() {
    let data = data();
    let mut model = model(&data);
    let mut loss = TrajectoryLoss::new(RATTLE, Window::Whole, &data).expect("fits");
    let mut trainer = Trainer::new(40).with_schedule(Schedule::Constant(0.02));
    let record = trainer.fit(&mut model, &mut loss, None, &mut ()).expect("fits");
    let (start, end) = (record.steps[0].loss, record.final_loss());
    assert!(end < 0.3 * start, "{start}, {end}");
}
