//! How much memory a trajectory loss takes, by a counting allocator.
#![allow(missing_docs)]

use allocation_counter::measure;
use hnn_integrators::{Parameters, RK4, Tableau};
use hnn_losses::{Loss, Selection, TrajectoryData, TrajectoryLoss, Window};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
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
                loss.value_and_gradient(&model, Selection::All, 1.0, &mut theta_bar)
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
            loss.value(&model, Selection::Rows(&[0])).expect("evaluates");
            loss.value_and_gradient(&model, Selection::All, 1.0, &mut theta_bar)
                .expect("evaluates");
        };
        evaluate();
        assert_eq!(measure(evaluate).count_total, 0);
    });
}
