//! Trajectory losses against PyTorch, and their promises.

use hnn_testing::{golden, numbers};

use crate::common::{network, wave};
use hnn_integrators::{DifferentiableField, RK4, Tableau};
use hnn_losses::{
    Loss, LossError, Reduction, RowSelection, TrajectoryData, TrajectoryLoss, Window,
};
use hnn_models::{Architecture, Hnn, Mlp};
use ndarray::{Array1, Array2, array};
use serde_json::Value;

fn mlp(sizes: &[usize], weights: &Value) -> Mlp<f64> {
    let theta = ["W1", "b1", "W2", "b2", "W3"].iter().flat_map(|name| numbers(&weights[name]));
    let architecture = Architecture::new(sizes).expect("sizes");
    Mlp::from_params(architecture, theta.collect()).expect("parameters")
}

/// The golden trajectories: 3 of 11 rows, dt = 0.1.
fn golden_data(g: &Value) -> (Array1<f64>, Array2<f64>) {
    let x = Array2::from_shape_vec((33, 2), numbers(&g["x"])).expect("pairs");
    (Array1::from_shape_fn(33, |row| 0.1 * (row % 11) as f64), x)
}

fn gradient<F: DifferentiableField<f64>>(
    loss: &mut dyn Loss<f64, F>,
    field: &F,
    rows: RowSelection<'_>,
) -> (f64, Vec<f64>) {
    let mut theta_bar = vec![0.0; field.num_params()];
    let value = loss.value_and_gradient(field, rows, 1.0, &mut theta_bar).expect("evaluates");
    (value, theta_bar)
}

fn assert_golden<F: DifferentiableField<f64>>(
    field: &F,
    window: Window,
    reduction: Reduction,
    g: &Value,
    name: &str,
) {
    let (times, x) = golden_data(g);
    let data = TrajectoryData::new(times.view(), x.view(), &[11; 3]);
    let expected = g[format!("{name}_loss")].as_f64().expect("a number");
    let expected_bar = numbers(&g[format!("{name}_grad")]);
    let scale = expected_bar.iter().fold(0.0, |max: f64, g| max.max(g.abs()));
    // All tapes at once, and segments of 4 and 1 steps.
    for segment in [32, 4, 1] {
        let mut loss = TrajectoryLoss::new(RK4, window, data).expect("fits");
        loss = loss.with_reduction(reduction).with_segments(segment);
        let (value, theta_bar) = gradient(&mut loss, field, RowSelection::All);
        assert!((value / expected - 1.0).abs() < 1e-11, "{name}: {value}, expected {expected}");
        let alone = loss.value(field, RowSelection::All).expect("evaluates");
        assert!((alone / expected - 1.0).abs() < 1e-11);
        for (a, e) in theta_bar.iter().zip(&expected_bar) {
            assert!((a - e).abs() < 1e-11 * scale, "{name}: {a}, expected {e}");
        }
    }
}

#[test]
fn golden_losses_of_pytorch() {
    let g = golden("hnn_tanh_2_16_16_1");
    let hnn = Hnn::new(mlp(&[2, 16, 16, 1], &g["params"])).expect("even");
    assert_golden(&hnn, Window::Steps(1), Reduction::MaskedMean, &g, "one_step");
    assert_golden(&hnn, Window::Whole, Reduction::Mean, &g, "full_trajectory");
    assert_golden(&hnn, Window::Steps(10), Reduction::Mean, &g, "full_trajectory");
    let g = golden("friction_and_baseline");
    let (h, f) = (mlp(&[2, 16, 16, 1], &g["h_params"]), mlp(&[2, 8, 8, 1], &g["f_params"]));
    let friction = Hnn::with_friction(h, f).expect("fits");
    let masked = Reduction::MaskedMean;
    assert_golden(&friction, Window::Steps(1), masked, &g, "friction_one_step");
}

#[test]
fn reductions_differ_by_their_divisors() {
    let g = golden("hnn_tanh_2_16_16_1");
    let hnn = Hnn::new(mlp(&[2, 16, 16, 1], &g["params"])).expect("even");
    let (times, x) = golden_data(&g);
    let data = TrajectoryData::new(times.view(), x.view(), &[11; 3]);
    let value = |reduction| {
        let loss = TrajectoryLoss::new(RK4, Window::Steps(1), data).expect("fits");
        loss.with_reduction(reduction).value(&hnn, RowSelection::All).expect("evaluates")
    };
    let sum = value(Reduction::Sum);
    assert!((sum / value(Reduction::Mean) - 60.0).abs() < 1e-10);
    assert!((sum / value(Reduction::MaskedMean) - 64.0).abs() < 1e-10);
}

/// Trajectories of different lengths in one loss are the sum of what each gives alone.
#[test]
fn lengths_do_not_mix() {
    let field = Hnn::new(network(&[2, 6, 1], 3)).expect("even");
    let lengths = [4, 1, 9, 2, 6];
    let times = Array1::from_shape_fn(22, |row| 0.1 * row as f64 + 0.001 * (row * row) as f64);
    let states = wave(5, 0.2, 44).into_shape_with_order((22, 2)).expect("rows");
    for window in [Window::Steps(1), Window::Steps(3), Window::Whole] {
        let loss = |rows: std::ops::Range<usize>, lengths: &[usize]| {
            let times = times.slice(ndarray::s![rows.clone()]);
            let states = states.slice(ndarray::s![rows, ..]);
            let data = TrajectoryData::new(times, states, lengths);
            let loss = TrajectoryLoss::new(RK4, window, data)?.with_reduction(Reduction::Sum);
            Ok::<_, LossError>(gradient(&mut { loss }, &field, RowSelection::All))
        };
        let (value, theta_bar) = loss(0..22, &lengths).expect("fits");
        let (mut sum, mut sum_bar) = (0.0, vec![0.0; theta_bar.len()]);
        let mut first = 0;
        for length in lengths {
            match loss(first..first + length, &[length]) {
                Ok((value, theta_bar)) => {
                    sum += value;
                    sum_bar.iter_mut().zip(theta_bar).for_each(|(s, g)| *s += g);
                }
                Err(error) => assert!(length == 1 && matches!(error, LossError::Empty { .. })),
            }
            first += length;
        }
        assert!((value / sum - 1.0).abs() < 1e-12);
        for (a, b) in theta_bar.iter().zip(&sum_bar) {
            assert!((a - b).abs() < 1e-11 * (1.0 + b.abs()));
        }
    }
}

/// The windows that begin in a selection make a batch, in whatever order the rows are named.
#[test]
fn selections_choose_windows_by_their_first_row() {
    let field = Hnn::new(network(&[2, 6, 1], 3)).expect("even");
    let times = Array1::from_shape_fn(12, |row| 0.1 * row as f64);
    let states = wave(5, 0.2, 24).into_shape_with_order((12, 2)).expect("rows");
    let data = TrajectoryData::new(times.view(), states.view(), &[7, 5]);
    let mut loss = TrajectoryLoss::new(RK4, Window::Steps(2), data)
        .expect("fits")
        .with_reduction(Reduction::Sum);
    // Windows begin at rows 0, 2, 4 and 7, 9.
    let mut value = |rows| loss.value(&field, rows).expect("evaluates");
    let all = value(RowSelection::All);
    assert!((value(RowSelection::Rows(&[9, 4, 2, 0, 7])) / all - 1.0).abs() < 1e-12);
    let parts = value(RowSelection::Rows(&[7, 0, 1])) + value(RowSelection::Rows(&[2, 4, 9]));
    assert!((parts / all - 1.0).abs() < 1e-12);
    assert_eq!(value(RowSelection::Rows(&[1, 3, 11])), 0.0);
    let outside = loss.value(&field, RowSelection::Rows(&[12]));
    assert!(matches!(outside, Err(LossError::NoSuchRow { row: 12, rows: 12 })));
    loss.set_window(Window::Whole).expect("steps");
    assert_eq!(Loss::<f64, Hnn<Mlp<f64>>>::name(&loss), "trajectory");
    assert!(loss.value(&field, RowSelection::Rows(&[2])).expect("evaluates") == 0.0);
}

#[test]
fn a_curriculum_changes_the_window() {
    type HnnLoss = TrajectoryLoss<f64, Tableau>;
    let times = Array1::from_shape_fn(12, |row| 0.1 * row as f64);
    let states = wave(5, 0.2, 24).into_shape_with_order((12, 2)).expect("rows");
    let data = TrajectoryData::new(times.view(), states.view(), &[7, 5]);
    let new = || HnnLoss::new(RK4, Window::Steps(1), data).expect("fits");
    let stages = [(0.25, Window::Steps(3)), (0.5, Window::Whole)];
    let mut loss = new().with_curriculum(&stages).expect("increases");
    let windows: Vec<Window> = (0..8)
        .map(|step| {
            Loss::<f64, Hnn<Mlp<f64>>>::begin_step(&mut loss, step, 8).expect("has steps");
            loss.window()
        })
        .collect();
    let [one, three, whole] = [Window::Steps(1), Window::Steps(3), Window::Whole];
    assert_eq!(windows, [one, one, three, three, whole, whole, whole, whole]);
    let falling = new().with_curriculum(&[(0.5, one), (0.4, whole)]);
    assert!(matches!(falling.map(|_| ()), Err(LossError::Curriculum { .. })));
    assert!(new().with_curriculum(&[(0.0, Window::Steps(0))]).is_err());
}

#[test]
fn the_same_numbers_for_any_number_of_threads() {
    let field = Hnn::new(network(&[2, 16, 1], 3)).expect("even");
    let times = Array1::from_shape_fn(900, |row| 0.1 * row as f64);
    let states = wave(5, 0.2, 1800).into_shape_with_order((900, 2)).expect("rows");
    let data = TrajectoryData::new(times.view(), states.view(), &[3; 300]);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            let mut loss = TrajectoryLoss::new(RK4, Window::Whole, data).expect("fits");
            gradient(&mut loss, &field, RowSelection::All)
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
}

#[test]
fn bad_input_is_an_error() {
    type Rk4Loss = TrajectoryLoss<f64, Tableau>;
    let (times, states) = (array![0.0, 0.1, 0.2], array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let new = |times: &Array1<f64>, states: &Array2<f64>, lengths: &[usize], window| {
        let data = TrajectoryData::new(times.view(), states.view(), lengths);
        Rk4Loss::new(RK4, window, data).map(|_| ()).expect_err("refused")
    };
    let one = Window::Steps(1);
    assert!(matches!(new(&times, &states, &[3], Window::Steps(0)), LossError::NoSteps));
    assert!(matches!(new(&times, &states, &[2, 2], one), LossError::Shape { .. }));
    assert!(matches!(new(&times, &states, &[usize::MAX, 4], one), LossError::Shape { .. }));
    assert!(matches!(new(&array![0.0], &states, &[3], one), LossError::Shape { .. }));
    assert!(matches!(new(&times, &states, &[1, 1, 1], one), LossError::Empty { .. }));
    assert!(matches!(new(&array![], &Array2::zeros((0, 2)), &[], one), LossError::Empty { .. }));
    let unordered = new(&array![0.0, 0.1, 0.1], &states, &[3], one);
    assert!(matches!(unordered, LossError::TimeOrder { row: 2, .. }), "{unordered}");
    let nan = array![[1.0, 2.0], [f64::NAN, 4.0], [5.0, 6.0]];
    assert!(matches!(new(&times, &nan, &[3], one), LossError::NonFinite { row: 1, .. }));
    // Times of different trajectories need no order; the field must fit.
    let (times, lengths) = (array![0.0, 0.1, 0.0], &[2, 1]);
    let data = TrajectoryData::new(times.view(), states.view(), lengths);
    let mut loss = Rk4Loss::new(RK4, one, data).expect("fits");
    let other = Hnn::new(network(&[4, 3, 1], 0)).expect("even");
    assert!(matches!(loss.value(&other, RowSelection::All), Err(LossError::Field(_))));
    let fitting = Hnn::new(network(&[2, 3, 1], 0)).expect("even");
    assert!(loss.value_and_gradient(&fitting, RowSelection::All, 1.0, &mut [0.0]).is_err());
}
