//! Constants of a formula, with standard errors: from derivatives, and from noisy angles alone.

use std::path::PathBuf;

use hnn_data::{DataSet, DerivativeScheme, Recording, Trajectory};
use hnn_integrators::{
    DifferentiableField, DualField, Lane, Parameters, RK4, Tolerances, VectorField, solve,
};
use hnn_losses::{DerivativeLoss, TrajectoryData, TrajectoryLoss, Window};
use hnn_systems::{DampedPendulum, Sampling};
use hnn_testing::{measured, recording};
use hnn_train::{LeastSquares, Posterior, Scaling, TrainError};
use ndarray::{Array1, Array2, ArrayView1, array, s};
use rand::{RngExt, SeedableRng};

/// Angles of a damped pendulum `dq/dt = 2 p, dp/dt = -3 sin q - 0.2 p`, and momenta that nobody
/// measured.
fn angles(seed: u64) -> DataSet<f64> {
    let system = DampedPendulum::new(0.2, 6.0).expect("positive");
    let sampling = Sampling { noise: 0.02, trajectories: 8, ..Sampling::pendulum() };
    sampling.sample(&system, seed).expect("samples")
}

/// `dq/dt = 2 p, dp/dt = -a sin q - b p`.
fn damped(constants: [f64; 2]) -> impl DifferentiableField<f64> {
    DualField::new(constants, |_t, [q, p]: [_; 2], [a, b]| [p + p, -a * q.sin() - b * p])
}

/// The two constants, and what is known of them.
fn fit(seed: u64) -> ([f64; 2], Posterior) {
    let data = angles(seed);
    let mut states = data.states().to_owned();
    states.column_mut(1).fill(0.0);
    let (times, lengths) = (data.times().into(), data.lengths());
    let data = TrajectoryData::new(times, states.view(), lengths);
    let mut model = damped([1.0, 0.0]);
    let mut loss = TrajectoryLoss::new(RK4, Window::Whole, data)
        .and_then(|loss| loss.with_fitted_starts(0.1))
        .and_then(|loss| loss.with_coordinate_weights(&[1.0, 0.0]))
        .expect("fits");
    let least_squares = LeastSquares::new(100).with_scaling(Scaling::Diagonal);
    least_squares.fit(&mut model, &mut loss, None, &mut ()).expect("converges");
    let posterior = least_squares.posterior(&mut model, &mut loss, None).expect("determined");
    let mut constants = [0.0; 2];
    model.copy_params(&mut constants).expect("two");
    (constants, posterior)
}

/// How much of the true motion over 10 s lies within the 95 % band about the fitted one: by 50 rollouts,
/// and to first order.
fn shares_within_bands(constants: [f64; 2], posterior: &Posterior) -> [f64; 2] {
    let times = Array1::linspace(0.0, 10.0, 51).to_vec();
    let motion = |constants: [f64; 2]| {
        let (start, tolerances) = (array![2.0, 0.0], Tolerances::both(1e-9));
        solve(&damped(constants), start.view(), &times, tolerances).expect("solved").states
    };
    let (truth, fitted) = (motion([3.0, 0.2]), motion(constants));
    let samples = posterior.samples(50, 0).expect("few");
    let squares = samples.rows().into_iter().map(|c| (motion([c[0], c[1]]) - &fitted).powi(2));
    let variances =
        squares.fold(Array2::<f64>::zeros(fitted.dim()), |sum, square| sum + square / 50.0);
    let start = array![2.0, 0.0];
    let deviations = posterior.rollout_deviations(&damped(constants), RK4, start.view(), &times);
    [variances, deviations.expect("integrated").powi(2)].map(|variances| {
        let squares = (&truth - &fitted).powi(2);
        let within = &squares.slice(s![1.., ..]) / &variances.slice(s![1.., ..]);
        within.mapv(|chi2| f64::from(chi2 < 3.84)).mean().expect("some")
    })
}

/// Of 20 data sets, 95 % intervals hold the truth as often as they should, for each constant; and so do
/// bands about rollouts.
#[test]
fn from_angles_alone_with_honest_errors() {
    let posteriors: Vec<_> = (0..20).map(fit).collect();
    let shares = posteriors.iter().map(|(constants, of)| shares_within_bands(*constants, of));
    let shares = shares.fold([0.0; 2], |sum, share| [0, 1].map(|i| sum[i] + share[i] / 20.0));
    assert!(shares.iter().all(|share| (0.9..0.98).contains(share)), "{shares:?}");
    let fits: Vec<_> = (posteriors.into_iter())
        .map(|(constants, of)| (constants, of.standard_errors()))
        .map(|(constants, errors)| [0, 1].map(|i| (constants[i], errors[i])))
        .collect();
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
        let mut rng = chacha20::ChaCha12Rng::seed_from_u64(seed);
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

/// `theta'' = -a sin theta - c theta'`.
fn pendulum(constants: [f64; 2]) -> impl DifferentiableField<f64> {
    DualField::new(constants, |_t, [q, v]: [_; 2], [a, c]| [v, -a * q.sin() - c * v])
}

/// Its constants and their standard errors, from accelerations.
fn accelerations(data: &DataSet<f64>) -> Result<[(f64, f64); 2], TrainError> {
    let mut model = pendulum([1.0, 0.0]);
    let loss =
        DerivativeLoss::from_data(data).and_then(|loss| loss.with_coordinate_weights(&[0.0, 1.0]));
    let (mut loss, solver) = (loss.expect("fits"), LeastSquares::new(20));
    solver.fit(&mut model, &mut loss, None, &mut ())?;
    let errors = solver.posterior(&mut model, &mut loss, None)?.standard_errors();
    let mut constants = [0.0; 2];
    model.copy_params(&mut constants)?;
    Ok([0, 1].map(|i| (constants[i], errors[i])))
}

/// By differences of measured rows: the constants, their standard errors, and the mean squared error of
/// `2.4 (1 - cos q) + p^2` in one rollout from the first of the test rows.
fn by_differences(
    rows: &Recording,
    test: &Recording,
    scheme: DerivativeScheme,
) -> ([(f64, f64); 2], f64) {
    let data = rows.differences(scheme).expect("segments");
    let found = accelerations(&data).expect("determined");
    let (model, data) = (pendulum(found.map(|(value, _)| value)), test.data_set().expect("valid"));
    let x = data.states();
    let run = solve(&model, x.row(0), data.times(), Tolerances::both(1e-12)).expect("solved");
    let energy = |x: ArrayView1<'_, f64>| 2.4 * (1.0 - x[0].cos()) + x[1] * x[1];
    let pairs = run.states.outer_iter().zip(x.outer_iter());
    let sum = pairs.map(|(a, b)| (energy(a) - energy(b)).powi(2)).sum::<f64>();
    (found, sum / data.len() as f64)
}

fn swings(path: PathBuf) -> Recording {
    let reader = Recording::read(path).trial(0).time(1).angle(2).velocity(3);
    reader.load().expect("readable")
}

#[test]
fn forward_differences_of_a_pendulum_make_friction() {
    use DerivativeScheme::{Central, Forward, Midpoint};
    let rows = swings(recording("noisy_pendulum.txt"));
    assert_eq!((rows.len(), rows.num_pieces()), (234, 7));
    for scheme in [Midpoint, Central] {
        let ([(a, a_error), (c, c_error)], _) = by_differences(&rows, &rows, scheme);
        // Second order in dt: a^2 dt^2 / 12 = 0.004 too large at midpoints, twice as much too small
        // for central differences.
        assert!((a - 1.295).abs() < 9e-3 && (c - 0.0095).abs() < 1e-3, "{scheme:?}: {a} {c}");
        assert!((5e-4..1e-2).contains(&a_error) && (5e-4..1e-2).contains(&c_error), "{scheme:?}");
    }
    // The artificial damping of forward differences: about a dt / 2 = 0.108 for small swings.
    let ([_, (c, _)], biased) = by_differences(&rows, &rows, Forward);
    assert!((0.09..0.12).contains(&c), "{c}");
    let (_, good) = by_differences(&rows, &rows, Midpoint);
    assert!(biased > 100.0 * good, "{biased} {good}");
}

/// Published figures of the pendulum of Schmidt and Lipson: midpoint a = 1.295, c = 0.0095,
/// forward c = 0.103, from the first 80 % of the rows; energy MSE on the rest 7.4e-4 and 0.18.
#[test]
fn measured_pendulum() {
    let Some(path) = measured("real_pend_h_1.txt") else { return };
    let rows = swings(path);
    assert_eq!((rows.len(), rows.num_pieces()), (556, 11));
    let (train, test) = rows.split_at(rows.len() * 8 / 10).expect("two parts");
    let ([(a, _), (c, _)], good) = by_differences(&train, &test, DerivativeScheme::Midpoint);
    assert!((a - 1.295).abs() < 1e-3 && (c - 0.0095).abs() < 2e-4, "{a} {c}");
    assert!((7.1e-4..7.5e-4).contains(&good), "energy MSE {good}");
    let ([_, (c, _)], biased) = by_differences(&train, &test, DerivativeScheme::Forward);
    assert!((c - 0.103).abs() < 1e-3, "{c}");
    assert!((0.17..0.2).contains(&biased), "forward: energy MSE {biased}");
}

#[test]
fn exact_accelerations_give_exact_constants_and_rest_gives_none() {
    let states = Array2::from_shape_fn((20, 2), |(k, i)| ((3 * k + i) as f64).sin() * 2.0);
    let derivatives = pendulum([2.5, 0.3]).eval_rows(0.0, states.view()).expect("field");
    let of = |states, derivatives| {
        let times = (0..20).map(f64::from).collect();
        accelerations(&DataSet::new([Trajectory::new(times, states, derivatives)]).expect("valid"))
    };
    let [(a, _), (c, _)] = of(states, derivatives).expect("determined");
    assert!((a - 2.5).abs() < 1e-12 && (c - 0.3).abs() < 1e-12, "{a} {c}");
    let rest = || Array2::zeros((20, 2));
    let error = of(rest(), rest()).expect_err("no motion");
    assert!(matches!(error, TrainError::Undetermined { .. }), "{error}");
}
