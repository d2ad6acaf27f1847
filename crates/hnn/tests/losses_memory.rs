//! How much memory a trajectory loss takes, by a counting allocator.
#![allow(missing_docs)]

use allocation_counter::measure;
use hnn_integrators::{At, Parameters, RK4, Tableau, Workspace};
use hnn_losses::{Loss, RowSelection, TrajectoryData, TrajectoryLoss, Window};
use hnn_models::{
    Architecture, Dissipative, Hnn, Initialisation, InputPort, Lnn, Mlp, SeparableHnn, Sum,
};
use hnn_systems::Hamiltonian;
use ndarray::{Array1, Array2};

type Model = Hnn<Mlp<f64>>;

fn model() -> Model {
    let architecture = Architecture::new(&[2, 32, 32, 1]).expect("sizes");
    Hnn::new(Mlp::new(architecture, Initialisation::Glorot, 0)).expect("even")
}

/// Trajectories of `steps` steps of the spring.
fn loss(trajectories: usize, steps: usize) -> TrajectoryLoss<f64, Tableau> {
    let rows = steps + 1;
    let times = Array1::from_shape_fn(trajectories * rows, |row| 0.001 * (row % rows) as f64);
    let states = Array2::from_shape_fn((trajectories * rows, 2), |(row, i)| {
        let angle = 2.0 * times[row] + (row / rows) as f64;
        if i == 0 { angle.cos() } else { -angle.sin() }
    });
    let lengths = vec![rows; trajectories];
    let data = TrajectoryData::new(times.view(), states.view(), &lengths);
    TrajectoryLoss::new(RK4, Window::Whole, data).expect("fits")
}

fn on_one_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("pool");
    pool.install(work)
}

/// The gradient of 10 000 steps takes less than 3 times the memory of that of 100 steps.
#[test]
fn memory_of_long_trajectories() {
    let model = model();
    let peak = |steps| {
        let mut loss = loss(4, steps);
        let mut theta_bar = vec![0.0; model.num_params()];
        on_one_thread(|| {
            let info = measure(|| {
                loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut theta_bar)
                    .expect("evaluates");
            });
            info.bytes_max
        })
    };
    let (short, long) = (peak(100), peak(10_000));
    assert!(long < 3 * short, "{long} bytes for 10 000 steps, {short} for 100");
}

/// Once its buffers have grown, a loss does not allocate. (One trajectory, because the matrix
/// products of a batch allocate their packed operands.)
#[test]
fn no_allocation_in_steady_state() {
    let model = model();
    let mut theta_bar = vec![0.0; model.num_params()];
    let mut loss = loss(1, 40);
    on_one_thread(|| {
        let mut evaluate = || {
            loss.value(&model, RowSelection::Rows(&[0])).expect("evaluates");
            loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut theta_bar)
                .expect("evaluates");
        };
        evaluate();
        assert_eq!(measure(evaluate).count_total, 0);
    });
}

/// Nor does an evaluation of a model: of one state or a batch, its field, energy and gradient.
#[test]
fn no_allocation_in_an_evaluation() {
    let network = |sizes: &[usize]| -> Mlp<f64> {
        Mlp::new(Architecture::new(sizes).expect("sizes"), Initialisation::Glorot, 0)
    };
    let friction = Dissipative::new(network(&[2, 8, 1])).expect("triangle");
    let force = Sum(friction, InputPort::new(1));
    let kinds: [&dyn Hamiltonian<f64>; 4] = [
        &Hnn::forced(network(&[2, 32, 32, 1]), force).expect("fits"),
        &Hnn::with_friction(network(&[2, 32, 1]), network(&[2, 8, 1])).expect("fits"),
        &SeparableHnn::new(network(&[1, 32, 1]), network(&[1, 16, 1])).expect("fits"),
        &Lnn::new(network(&[2, 32, 32, 1])).expect("even"),
    ];
    for model in kinds {
        let mut workspace = Workspace::default();
        for batch in [1, 5, 300] {
            let x: Vec<f64> = (0..2 * batch).map(|k| (k as f64).sin()).collect();
            let (t, u) = (vec![0.0; batch], vec![0.5; model.inputs() * batch]);
            let (mut out, mut energy) = (x.clone(), t.clone());
            let mut evaluate = || {
                model.eval(At { t: &t, u: &u }, &x, &mut out, &mut workspace).expect("field");
                model.energy(&x, &mut energy, &mut workspace).expect("energy");
                model.energy_gradient(batch, &x, &mut out, &mut workspace).expect("gradient");
            };
            evaluate();
            assert_eq!(measure(evaluate).count_total, 0, "{batch} states");
        }
    }
}
