//! Constants of a formula, with standard errors, from noisy angles alone.

use hnn_data::DataSet;
use hnn_integrators::{DualField, Lane, Parameters, RK4};
use hnn_losses::{DerivativeLoss, TrajectoryData, TrajectoryLoss, Window};
use hnn_systems::{DampedPendulum, Sampling};
use hnn_train::{LeastSquares, Scaling};
use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng};

/// Angles of a damped pendulum `dq/dt = 2 p, dp/dt = -3 sin q - 0.2 p`, and momenta that nobody
/// measured.
fn angles(seed: u64) -> DataSet<f64> {
    let system = DampedPendulum::new(0.2, 6.0).expect("positive");
    let sampling = Sampling { noise: 0.02, trajectories: 8, ..Sampling::pendulum() };
    sampling.sample(&system, seed).expect("samples")
}

/// The two constants and their standard errors.
fn fit(seed: u64) -> [(f64, f64); 2] {
    let data = angles(seed);
    let mut states = data.states().to_owned();
    states.column_mut(1).fill(0.0);
    let (times, lengths) = (data.times().into(), data.lengths());
    let data = TrajectoryData::new(times, states.view(), lengths);
    let mut model =
        DualField::new([1.0, 0.0], |_t, [q, p]: [_; 2], [a, b]| [p + p, -a * q.sin() - b * p]);
    let mut loss = TrajectoryLoss::new(RK4, Window::Whole, data)
        .and_then(|loss| loss.with_fitted_starts(0.1))
        .and_then(|loss| loss.with_coordinate_weights(&[1.0, 0.0]))
        .expect("fits");
    let least_squares = LeastSquares::new(100).with_scaling(Scaling::Diagonal);
    least_squares.fit(&mut model, &mut loss, None, &mut ()).expect("converges");
    let posterior = least_squares.posterior(&mut model, &mut loss, None).expect("determined");
    let mut constants = [0.0; 2];
    model.copy_params(&mut constants).expect("two");
    let errors = posterior.standard_errors();
    [(constants[0], errors[0]), (constants[1], errors[1])]
}

/// Of 20 data sets, 95 % intervals hold the truth as often as they should, for each constant.
#[test]
fn from_angles_alone_with_honest_errors() {
    let fits: Vec<_> = (0..20).map(fit).collect();
    for (constant, truth) in [3.0, 0.2].into_iter().enumerate() {
        let within = |(value, error): (f64, f64)| (value - truth).abs() < 1.96 * error;
        let held = fits.iter().filter(|fit| within(fit[constant])).count();
        assert!(held >= 16, "{held} of 20: {fits:?}");
        for fit in &fits {
            let (value, error) = fit[constant];
            assert!(error < 0.01 && (value - truth).abs() < 4.0 * error, "{fit:?}");
        }
    }
}

/// Errors that last for 40 rows: of 60 data sets, robust intervals hold the truth as often as they
/// should, those of independent residuals do not.
#[test]
fn robust_errors_where_noise_lasts() {
    let (rows, mut held) = (6000, [0; 2]);
    let x = Array2::from_shape_fn((rows, 1), |(row, _)| (0.013 * row as f64).sin());
    for seed in 0..60 {
        let mut rng = rand_chacha::ChaCha12Rng::seed_from_u64(seed);
        let noise = Array1::from_shape_fn(rows / 40, |_| rng.random_range(-1.0..1.0));
        let dx = Array2::from_shape_fn((rows, 1), |(row, _)| 0.7 * x[[row, 0]] + noise[row / 40]);
        let mut model = DualField::new([0.0], |_t, [x]: [_; 1], [a]| [a * x]);
        let loss = DerivativeLoss::new(Array1::zeros(rows).view(), x.view(), dx.view());
        let (mut loss, least_squares) = (loss.expect("fits"), LeastSquares::new(10));
        least_squares.fit(&mut model, &mut loss, None, &mut ()).expect("converges");
        let posterior = least_squares.posterior(&mut model, &mut loss, None).expect("enough");
        let robust = least_squares.robust_errors(&mut model, &mut loss).expect("47 groups");
        let mut constant = [0.0];
        model.copy_params(&mut constant).expect("one");
        for (held, errors) in held.iter_mut().zip([robust, posterior.standard_errors()]) {
            *held += usize::from((constant[0] - 0.7).abs() < 1.96 * errors[0]);
        }
    }
    assert!(held[0] >= 50 && held[1] <= 30, "{held:?} of 60");
}

/// More groups than parameters are needed.
#[test]
fn too_few_groups() {
    let x = Array2::from_shape_fn((20, 1), |(row, _)| row as f64);
    let mut model = DualField::new([0.0], |_t, [x]: [_; 1], [a]| [a * x]);
    let loss = DerivativeLoss::new(Array1::zeros(20).view(), x.view(), x.view());
    let error = LeastSquares::new(1).robust_errors(&mut model, &mut loss.expect("fits"));
    let error = error.expect_err("one group").to_string();
    assert!(error.contains("1 groups of residuals"), "{error}");
}
