//! Least squares against certified results, and their promises.

use std::ops::Range;

use hnn_data::DataSet;
use hnn_integrators::{FieldError, Parameters, RK4, Scalar};
use hnn_losses::{
    DerivativeLoss, JacobianRows, L2Penalty, Loss, LossError, ResidualLayout, ResidualRows,
    Selection, TotalLoss, TrajectoryLoss, Window,
};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_systems::{Sampling, Spring};
use hnn_train::{
    Checkpoint, Control, EarlyStopping, EvidenceRule, Form, LeastSquares, Progress, Scaling,
    StopReason, StopTolerances, TrainError, TrainingRecord,
};

/// A model that is its parameters.
#[derive(Clone)]
struct Constants<T = f64>(Vec<T>);

impl<T: Scalar> Parameters<T> for Constants<T> {
    fn num_params(&self) -> usize {
        self.0.len()
    }
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        self.0.copy_from_slice(theta);
        Ok(())
    }
}

/// A residual: its value, its derivatives by the parameters and by the group's locals.
type Residual = (f64, Vec<f64>, Vec<f64>);

/// Residuals as a function of the parameters, a group's locals, and the residual's number.
struct Squares<R> {
    residual: R,
    /// Numbers of residuals and of locals of each group, by term.
    terms: Vec<(&'static str, Vec<(usize, usize)>)>,
    locals: Vec<f64>,
    prior: f64,
    layout: ResidualLayout,
    values: usize,
    jacobians: usize,
}

fn squares<R: Fn(&[f64], &[f64], usize) -> Residual + Send>(
    groups: Vec<(usize, usize)>,
    residual: R,
) -> Squares<R> {
    let locals = vec![1.0; groups.iter().map(|(_, locals)| locals).sum()];
    let (layout, terms) = (ResidualLayout::default(), vec![("squares", groups)]);
    Squares { residual, terms, locals, prior: 0.0, layout, values: 0, jacobians: 0 }
}

impl<R: Fn(&[f64], &[f64], usize) -> Residual> Squares<R> {
    fn layout(&self) -> ResidualLayout {
        let mut layout = ResidualLayout::default();
        layout.prior = self.prior;
        for (name, groups) in &self.terms {
            let term = layout.add_term(*name);
            groups.iter().for_each(|(n, locals)| layout.push_group([(term, *n)], *locals));
        }
        layout
    }

    fn at<T: Scalar>(&self, theta: &[T], group: usize, residual: usize) -> Residual {
        let theta: Vec<f64> = theta.iter().map(|w| w.to_f64()).collect();
        (self.residual)(&theta, &self.locals[self.layout.locals(group)], residual)
    }
}

impl<T: Scalar, R> Loss<T, Constants<T>> for Squares<R>
where
    R: Fn(&[f64], &[f64], usize) -> Residual + Send,
{
    fn name(&self) -> &str {
        "squares"
    }
    fn value(&mut self, model: &Constants<T>, _: Selection<'_>) -> Result<f64, LossError> {
        self.layout = self.layout();
        self.values += 1;
        let mut sum = self.prior * model.0.iter().map(|w| w.to_f64().powi(2)).sum::<f64>();
        for group in 0..self.layout.num_groups() {
            for i in self.layout.residuals(group) {
                sum += self.at(&model.0, group, i).0.powi(2);
            }
        }
        Ok(sum)
    }
    fn value_and_gradient(
        &mut self,
        _: &Constants<T>,
        _: Selection<'_>,
        _: f64,
        _: &mut [T],
    ) -> Result<f64, LossError> {
        Err(LossError::NoSteps)
    }
    fn residual_layout(
        &mut self,
        _: &Constants<T>,
        _: Selection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        self.layout = self.layout();
        Ok(self.layout.clone())
    }
    fn residuals(
        &mut self,
        model: &Constants<T>,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        let (mut values, mut by_theta, mut by_locals) = (Vec::new(), Vec::new(), Vec::new());
        for group in groups {
            for i in self.layout.residuals(group) {
                let (value, theta, locals) = self.at(&model.0, group, i);
                assert_eq!(locals.len(), self.layout.locals(group).len());
                values.push(T::from_f64(value));
                by_theta.extend(theta.into_iter().map(T::from_f64));
                by_locals.extend(locals.into_iter().map(T::from_f64));
            }
        }
        rows.values.copy_from_slice(&values);
        if let Some(JacobianRows { by_theta: theta, by_locals: locals }) = rows.jacobian {
            theta.copy_from_slice(&by_theta);
            locals.copy_from_slice(&by_locals);
            self.jacobians += 1;
        }
        Ok(())
    }
    fn copy_locals(&self, out: &mut [T]) -> Result<(), LossError> {
        assert_eq!(out.len(), self.locals.len());
        out.iter_mut().zip(&self.locals).for_each(|(x, l)| *x = T::from_f64(*l));
        Ok(())
    }
    fn set_locals(&mut self, locals: &[T]) -> Result<(), LossError> {
        assert_eq!(locals.len(), self.locals.len());
        self.locals = locals.iter().map(|x| x.to_f64()).collect();
        Ok(())
    }
    fn save_state(&self, state: &mut Vec<f64>) {
        state.extend(&self.locals);
    }
    fn restore_state(&mut self, state: &mut &[f64]) -> Result<(), LossError> {
        let locals = state.split_off(..self.locals.len()).ok_or(LossError::NoSteps)?;
        self.locals = locals.to_vec();
        Ok(())
    }
}

fn fit<T: Scalar>(
    settings: &LeastSquares,
    start: &[f64],
    loss: &mut dyn Loss<T, Constants<T>>,
) -> (Vec<f64>, TrainingRecord) {
    let mut model = Constants(start.iter().map(|w| T::from_f64(*w)).collect());
    let record = settings.fit(&mut model, loss, None, &mut ()).expect("fits");
    (model.0.iter().map(|w| w.to_f64()).collect(), record)
}

fn close(given: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(given.len(), expected.len());
    for (a, b) in given.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance * b.abs(), "{given:?}, expected {expected:?}");
    }
}

/// NIST's Misra1a: `y = b1 (1 - exp(-b2 x))`.
const MISRA1A: [(f64, f64); 14] = [
    (10.07, 77.6),
    (14.73, 114.9),
    (17.94, 141.1),
    (23.93, 190.8),
    (29.61, 239.9),
    (35.18, 289.0),
    (40.02, 332.8),
    (44.82, 378.4),
    (50.76, 434.8),
    (55.05, 477.3),
    (61.01, 536.8),
    (66.40, 593.1),
    (75.47, 689.1),
    (81.78, 760.0),
];

fn misra1a(b: &[f64], _: &[f64], i: usize) -> Residual {
    let (y, x) = MISRA1A[i];
    let decay = (-b[1] * x).exp();
    (b[0] * (1.0 - decay) - y, vec![1.0 - decay, b[0] * x * decay], vec![])
}

/// NIST's Thurber: a ratio of cubics.
const THURBER: [(f64, f64); 37] = [
    (80.574, -3.067),
    (84.248, -2.981),
    (87.264, -2.921),
    (87.195, -2.912),
    (89.076, -2.840),
    (89.608, -2.797),
    (89.868, -2.702),
    (90.101, -2.699),
    (92.405, -2.633),
    (95.854, -2.481),
    (100.696, -2.363),
    (101.060, -2.322),
    (401.672, -1.501),
    (390.724, -1.460),
    (567.534, -1.274),
    (635.316, -1.212),
    (733.054, -1.100),
    (759.087, -1.046),
    (894.206, -0.915),
    (990.785, -0.714),
    (1090.109, -0.566),
    (1080.914, -0.545),
    (1122.643, -0.400),
    (1178.351, -0.309),
    (1260.531, -0.109),
    (1273.514, -0.103),
    (1288.339, 0.010),
    (1327.543, 0.119),
    (1353.863, 0.377),
    (1414.509, 0.790),
    (1425.208, 0.963),
    (1421.384, 1.006),
    (1442.962, 1.115),
    (1464.350, 1.572),
    (1468.705, 1.841),
    (1447.894, 2.047),
    (1457.628, 2.200),
];

fn thurber(b: &[f64], _: &[f64], i: usize) -> Residual {
    let (y, x) = THURBER[i];
    let above = b[0] + x * (b[1] + x * (b[2] + x * b[3]));
    let below = 1.0 + x * (b[4] + x * (b[5] + x * b[6]));
    let value = above / below;
    let of_above = [1.0, x, x * x, x * x * x].map(|power| power / below);
    let of_below = [x, x * x, x * x * x].map(|power| -value * power / below);
    (value - y, [&of_above[..], &of_below].concat(), vec![])
}

#[test]
fn nist_s_certified_values() {
    let b = [2.389_421_291_8e2, 5.501_564_318_1e-4];
    let errors = [2.707_007_524_1, 7.266_868_843_6e-6];
    for start in [[500.0, 0.0001], [250.0, 0.0005]] {
        let mut loss = squares(vec![(1, 0); 14], misra1a);
        let settings = LeastSquares::new(300).with_scaling(Scaling::Diagonal);
        let (theta, record) = fit::<f64>(&settings, &start, &mut loss);
        close(&theta, &b, 1e-6);
        close(&[record.final_loss()], &[1.245_513_889_4e-1], 1e-9);
        assert!(record.stopped_early(), "{:?}", record.stop);
        let mut model = Constants(theta);
        let posterior = settings.posterior(&mut model, &mut loss, None).expect("determined");
        close(&posterior.standard_errors().to_vec(), &errors, 1e-5);
    }
    let b = [
        1.288_139_680_0e3,
        1.491_079_253_5e3,
        5.832_383_687_7e2,
        7.541_664_429_1e1,
        9.662_950_286_4e-1,
        3.979_728_579_7e-1,
        4.972_729_734_9e-2,
    ];
    let errors = [
        4.664_796_334_4,
        3.957_115_608_6e1,
        2.869_869_610_2e1,
        5.567_537_027_0,
        3.133_334_068_7e-2,
        1.498_492_819_8e-2,
        6.584_234_462_3e-3,
    ];
    for start in [
        [1000.0, 1000.0, 400.0, 40.0, 0.7, 0.3, 0.03],
        [1300.0, 1500.0, 500.0, 75.0, 1.0, 0.4, 0.05],
    ] {
        let mut loss = squares(vec![(37, 0)], thurber);
        let settings = LeastSquares::new(300).with_scaling(Scaling::Diagonal);
        let (theta, record) = fit::<f64>(&settings, &start, &mut loss);
        close(&theta, &b, 1e-6);
        close(&[record.final_loss()], &[5.642_708_239_7e3], 1e-9);
        let mut model = Constants(theta);
        let posterior = settings.posterior(&mut model, &mut loss, None).expect("determined");
        close(&posterior.standard_errors().to_vec(), &errors, 1e-4);
    }
}

/// Numbers that look random, in (-1, 1).
fn noise(i: usize) -> f64 {
    let x = (12.9898 * (i as f64 + 1.0)).sin() * 43_758.545_3;
    2.0 * (x - x.floor()) - 1.0
}

/// Decays of twelve groups with amplitudes of their own: `a_g exp(-b t) + c`.
fn decay(b: &[f64], amplitude: f64, i: usize) -> (f64, [f64; 3]) {
    let (group, t) = (i / 10, (i % 10) as f64 / 5.0);
    let truth = (1.0 + 0.3 * group as f64) * (-0.7 * t).exp() + 0.4;
    let factor = (-b[0] * t).exp();
    let residual = amplitude * factor + b[1] - truth - 0.01 * noise(i);
    (residual, [-t * amplitude * factor, 1.0, factor])
}

fn with_locals() -> Squares<impl Fn(&[f64], &[f64], usize) -> Residual + Send> {
    squares(vec![(10, 1); 12], |b, amplitudes, i| {
        let (residual, [by_b, by_c, by_a]) = decay(b, amplitudes[0], i);
        (residual, vec![by_b, by_c], vec![by_a])
    })
}

#[test]
fn locals_cost_nothing_but_give_the_same() {
    let mut arrow = with_locals();
    let mut dense = squares(vec![(10, 0); 12], |b: &[f64], _: &[f64], i| {
        let (residual, [by_b, by_c, by_a]) = decay(b, b[2 + i / 10], i);
        let mut row = vec![0.0; 14];
        (row[0], row[1], row[2 + i / 10]) = (by_b, by_c, by_a);
        (residual, row, vec![])
    });
    let settings = LeastSquares::new(100).with_scaling(Scaling::Diagonal);
    let (theta, record) = fit::<f64>(&settings, &[0.1, 0.0], &mut arrow);
    let start = [&[0.1, 0.0][..], &[1.0; 12]].concat();
    let (expected, of_dense) = fit::<f64>(&settings, &start, &mut dense);
    close(&theta, &expected[..2], 1e-7);
    close(&arrow.locals, &expected[2..], 1e-7);
    close(&[record.final_loss()], &[of_dense.final_loss()], 1e-10);
    let errors = |theta: &[f64], loss: &mut dyn Loss<f64, Constants>| {
        let posterior = settings.posterior(&mut Constants(theta.to_vec()), loss, None);
        let posterior = posterior.expect("determined");
        (posterior.standard_errors().to_vec(), posterior.variance())
    };
    let (of_arrow, variance) = errors(&theta, &mut arrow);
    let (of_dense, same) = errors(&expected, &mut dense);
    close(&of_arrow, &of_dense[..2], 1e-6);
    close(&[variance], &[same], 1e-9);
    // Without a matrix, as well.
    let mut free = with_locals();
    let settings = settings.with_form(Form::MatrixFree);
    let (theta, _) = fit::<f64>(&settings, &[0.1, 0.0], &mut free);
    close(&theta, &expected[..2], 1e-7);
    close(&free.locals, &expected[2..], 1e-7);
}

/// Fewer residuals than parameters, and a prior: sums of sines of frequencies that are parameters.
fn wide() -> Squares<impl Fn(&[f64], &[f64], usize) -> Residual + Send> {
    let mut loss = squares(vec![(3, 0); 7], |b: &[f64], _: &[f64], i| {
        let t = i as f64 / 10.0;
        let row = |k: usize| (b[k] * t).sin();
        let sum: f64 = (0..40).map(row).sum();
        let row = (0..40).map(|k| t * (b[k] * t).cos()).collect();
        (sum - 3.0 * (2.0 * t).cos(), row, vec![])
    });
    loss.prior = 1e-3;
    loss
}

#[test]
fn all_forms_give_the_same_steps() {
    let start: Vec<f64> = (0..40).map(|k| 2.0 * noise(100 + k)).collect();
    let run = |settings: LeastSquares| fit::<f64>(&settings, &start, &mut wide());
    let new = || LeastSquares::new(6);
    let (normal, record) = run(new().with_form(Form::Normal));
    assert!(record.final_loss() < 0.5 * record.steps[0].loss, "{record:?}");
    let (dual, same) = run(new().with_form(Form::Dual));
    close(&dual, &normal, 1e-8);
    close(&[same.final_loss()], &[record.final_loss()], 1e-8);
    let (chosen, same) = run(new());
    assert_eq!((chosen, same.steps), (dual, run(new().with_form(Form::Dual)).1.steps));
    // Conjugate gradients stop early, and single precision rounds: other steps, as good ones.
    let (_, free) = run(new().with_form(Form::MatrixFree));
    assert!(free.final_loss() < 1.2 * record.final_loss(), "{free:?}");
    let (_, single) = fit::<f32>(&new(), &start, &mut wide());
    assert!(single.final_loss() < 1.2 * record.final_loss(), "{single:?}");
}

/// A line through twenty points of noise 0.3, and five repeated measurements of its slope of noise
/// 0.05, over many parameters of which a prior decides: a model that is linear in them.
fn linear() -> Squares<impl Fn(&[f64], &[f64], usize) -> Residual + Send> {
    let mut loss = squares(vec![], |b: &[f64], _: &[f64], i| {
        let row = linear_row(i);
        let value: f64 = row.iter().zip(b).map(|(x, b)| x * b).sum();
        (value - linear_datum(i), row, vec![])
    });
    loss.terms = vec![("rough", vec![(30, 0); 5]), ("fine", vec![(50, 0)])];
    loss
}

fn linear_row(i: usize) -> Vec<f64> {
    (0..12).map(|k| noise(12 * i + k)).collect()
}

fn linear_datum(i: usize) -> f64 {
    let truth = |k: usize| 2.0 * noise(5000 + 7 * k);
    let exact: f64 = linear_row(i).iter().enumerate().map(|(k, x)| x * truth(k)).sum();
    // Uniform noise in (-1, 1) has the variance 1/3.
    exact + if i < 150 { 0.6 } else { 0.05 } * noise(9000 + i)
}

/// `ln p(data)` of the linear model: Gaussian with the covariance `sigma^2 + X X^T / alpha`.
fn exact_evidence(prior: f64, variances: [f64; 2]) -> f64 {
    let n = 200;
    let mut covariance = vec![vec![0.0; n]; n];
    let rows: Vec<Vec<f64>> = (0..n).map(linear_row).collect();
    for i in 0..n {
        for j in 0..n {
            let product: f64 = rows[i].iter().zip(&rows[j]).map(|(a, b)| a * b).sum();
            covariance[i][j] = product / prior;
        }
        covariance[i][i] += variances[usize::from(i >= 150)];
    }
    // By elimination: `ln det` and `y^T C^-1 y`.
    let mut y: Vec<f64> = (0..n).map(linear_datum).collect();
    let (mut log_determinant, mut square) = (0.0, 0.0);
    for k in 0..n {
        let pivot = covariance[k][k];
        log_determinant += pivot.ln();
        square += y[k] * y[k] / pivot;
        for i in k + 1..n {
            let factor = covariance[i][k] / pivot;
            for j in k + 1..n {
                covariance[i][j] -= factor * covariance[k][j];
            }
            y[i] -= factor * y[k];
        }
    }
    -0.5 * (square + log_determinant + n as f64 * std::f64::consts::TAU.ln())
}

#[test]
fn evidence_finds_noise_and_prior() {
    let settings = LeastSquares::new(50).with_evidence(EvidenceRule::default());
    let mut loss = linear();
    let (theta, record) = fit::<f64>(&settings, &[0.0; 12], &mut loss);
    assert!(record.stopped_early(), "{record:?}");
    let evidence = record.evidence.expect("determined");
    let [rough, fine] = &evidence.terms[..] else { panic!("{evidence:?}") };
    assert_eq!(
        (&*rough.name, rough.residuals, &*fine.name, fine.residuals),
        ("rough", 150, "fine", 50)
    );
    close(&[rough.variance, fine.variance], &[0.12, 0.05_f64.powi(2) / 3.0], 0.25);
    close(&[rough.reduced_chi2, fine.reduced_chi2], &[1.0, 1.0], 0.03);
    let determined = rough.effective_parameters + fine.effective_parameters;
    close(&[determined], &[evidence.effective_parameters], 1e-9);
    assert!(fine.effective_parameters > 0.8 * determined && determined < 12.0);
    // The evidence is exact for a linear model, and largest where it was estimated.
    let (prior, variances) = (evidence.prior, [rough.variance, fine.variance]);
    let exact = exact_evidence(prior, variances);
    close(&[evidence.log_evidence], &[exact], 1e-6);
    for factor in [0.8, 1.25] {
        assert!(exact_evidence(factor * prior, variances) < exact);
        assert!(exact_evidence(prior, [factor * variances[0], variances[1]]) < exact);
        assert!(exact_evidence(prior, [variances[0], factor * variances[1]]) < exact);
    }
    // What is known is kept.
    let known =
        EvidenceRule { variances: vec![("fine".to_owned(), 1e-3)], ..EvidenceRule::default() };
    let (_, record) =
        fit::<f64>(&LeastSquares::new(50).with_evidence(known), &[0.0; 12], &mut loss);
    let fine = &record.evidence.expect("determined").terms[1];
    close(&[fine.variance, fine.reduced_chi2], &[1e-3, 0.05_f64.powi(2) / 3e-3], 0.3);
    // Its posterior: two standard errors hold nearly all true parameters, and the bands theirs.
    let mut model = Constants(theta.clone());
    let posterior = settings.posterior(&mut model, &mut loss, Some(&evidence)).expect("determined");
    let truth = |k: usize| 2.0 * noise(5000 + 7 * k);
    let within =
        (0..12).filter(|k| (theta[*k] - truth(*k)).abs() < 2.0 * posterior.standard_errors()[*k]);
    assert!(within.count() >= 10);
    let rows = ndarray::Array2::from_shape_fn((2, 12), |(i, k)| linear_row(i)[k]);
    let bands = posterior.standard_deviations(rows.view()).expect("fits");
    let draws = posterior.samples(4000, 1).expect("few");
    assert!(posterior.samples(usize::MAX / 100, 1).is_err());
    for (row, band) in rows.rows().into_iter().zip(bands) {
        let values = draws.dot(&row);
        close(&[values.std(0.0)], &[band], 0.05);
        close(
            &[values.mean().expect("some")],
            &[row.iter().zip(&theta).map(|(x, b)| x * b).sum()],
            0.01,
        );
    }
    let pair = posterior.covariance(&[3, 5]).expect("there");
    close(&[pair[[0, 0]].sqrt()], &[posterior.standard_errors()[3]], 1e-9);
    assert!(pair[[0, 1]] == pair[[1, 0]] && pair[[0, 1]] != 0.0);
    assert!(posterior.covariance(&[12]).is_err());
    assert!(posterior.standard_deviations(rows.slice(ndarray::s![.., ..5])).is_err());
}

/// All that has a state: locals, two terms, noise, a validation loss.
fn eventful(
    settings: LeastSquares,
    observer: &mut dyn FnMut(&Progress<'_>) -> Control,
) -> (Vec<f64>, Vec<f64>, TrainingRecord) {
    let mut loss = with_locals();
    loss.terms = vec![("early", vec![(10, 1); 5]), ("late", vec![(10, 1); 7])];
    let mut validation = with_locals();
    let settings = settings
        .with_scaling(Scaling::Diagonal)
        .with_evidence(EvidenceRule { every: 2, begin: 0.9, ..EvidenceRule::default() })
        .with_early_stopping(EarlyStopping {
            every: 1,
            keep_best: false,
            ..EarlyStopping::default()
        });
    let mut model = Constants(vec![0.1, 0.0]);
    let mut observer = |progress: &Progress<'_>| observer(progress);
    let record = settings.fit(&mut model, &mut loss, Some(&mut validation), &mut observer);
    (model.0, loss.locals, TrainingRecord { seconds: 0.0, ..record.expect("fits") })
}

#[test]
fn a_run_that_is_stopped_goes_on_bit_for_bit_on_any_number_of_threads() {
    let run = |threads: usize, settings: LeastSquares, stop: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            eventful(settings, &mut |progress| match progress.record.step {
                step if step == stop => Control::Stop,
                _ => Control::Continue,
            })
        })
    };
    let whole = run(1, LeastSquares::new(40), usize::MAX);
    assert!(whole.2.steps.len() > 6 && whole.2.evidence.is_some(), "{whole:?}");
    assert_eq!(run(3, LeastSquares::new(40), usize::MAX), whole);
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoint = Checkpoint::new(folder.path().join("run")).resuming(true);
    let going_on = |stop| run(2, LeastSquares::new(40).with_checkpoint(checkpoint.clone()), stop);
    for stop in [1, 4] {
        let part = going_on(stop);
        assert_eq!((part.2.steps.len(), part.2.stop), (stop + 1, StopReason::Observer));
    }
    let (theta, locals, record) = going_on(usize::MAX);
    assert_eq!((&theta, &locals, &record), (&whole.0, &whole.1, &whole.2));
    // It is over, and stays so.
    assert_eq!(going_on(0), whole);
    let other = LeastSquares::new(41).with_checkpoint(checkpoint);
    let mut model = Constants(vec![0.1, 0.0]);
    let error = other.fit(&mut model, &mut with_locals(), None, &mut ()).expect_err("another run");
    assert!(matches!(error, TrainError::Checkpoint { .. }), "{error}");
}

#[test]
fn a_run_says_why_it_ended() {
    let reason = |settings: LeastSquares, loss: &mut dyn Loss<f64, Constants>| {
        fit(&settings, &[250.0, 0.0005], loss).1.stop
    };
    let new = || LeastSquares::new(100).with_scaling(Scaling::Diagonal);
    let misra = || squares(vec![(14, 0)], misra1a);
    let tolerances = |gradient, step, reduction| StopTolerances { gradient, step, reduction };
    let with = |t: StopTolerances| reason(new().with_tolerances(t), &mut misra());
    assert_eq!(with(tolerances(1e-4, 0.0, 0.0)), StopReason::Gradient);
    assert_eq!(with(tolerances(0.0, 1e-4, 0.0)), StopReason::Step);
    assert_eq!(with(tolerances(0.0, 0.0, 1e-6)), StopReason::Reduction);
    let few = LeastSquares::new(2);
    assert_eq!(reason(few, &mut misra()), StopReason::Steps);
    // Derivatives that point the wrong way.
    let mut wrong = squares(vec![(14, 0)], |b: &[f64], locals: &[f64], i| {
        let (value, row, none) = misra1a(b, locals, i);
        (value, row.into_iter().map(|j| -j).collect(), none)
    });
    assert_eq!(reason(new(), &mut wrong), StopReason::NothingBetter);
    // A validation loss that rises, and parameters that were best by it.
    let mut model = Constants(vec![250.0_f64, 0.0005]);
    let mut far =
        squares(vec![(1, 0)], |b: &[f64], _: &[f64], _| (b[0] - 247.0, vec![1.0, 0.0], vec![]));
    let stopping = EarlyStopping { every: 1, patience: 2, ..EarlyStopping::default() };
    let record = new()
        .with_early_stopping(stopping)
        .fit(&mut model, &mut misra(), Some(&mut far), &mut ())
        .expect("fits");
    assert_eq!(record.stop, StopReason::Validation);
    assert!(record.kept_step + 2 < record.steps.len() + 1 && (model.0[0] - 247.0).abs() < 5.0);
}

#[test]
fn only_accepted_steps_read_rows_and_failed_trials_are_no_failures() {
    // No value beyond b = 2, where the first steps lead.
    let mut loss = squares(vec![(2, 0)], |b: &[f64], _: &[f64], i| {
        let value = if i == 0 { (2.0 - b[0]).sqrt() - 0.1 } else { 0.0 };
        (value, vec![if i == 0 { -0.5 / (2.0 - b[0]).sqrt() } else { 0.0 }], vec![])
    });
    let settings = LeastSquares::new(50).with_damping(1e-12);
    let (theta, record) = fit::<f64>(&settings, &[-200.0], &mut loss);
    close(&theta, &[1.99], 1e-6);
    assert_eq!(loss.jacobians, record.steps.len());
    assert!(loss.values > 2 * record.steps.len(), "{} values", loss.values);
    // Not finite at the start: an error that names the loss, and nothing is changed.
    let mut model = Constants(vec![3.0]);
    let error = settings.fit(&mut model, &mut loss, None, &mut ()).expect_err("no value");
    assert!(matches!(&error, TrainError::NotFinite { step: 0, loss, .. } if loss == "squares"));
    assert_eq!(model.0, [3.0]);
    let mut rows = squares(vec![(2, 0)], |b: &[f64], _: &[f64], _| (b[0], vec![f64::NAN], vec![]));
    let error = settings.fit(&mut model, &mut rows, None, &mut ()).expect_err("no rows");
    assert!(matches!(error, TrainError::NotFinite { .. }), "{error}");
}

#[test]
fn settings_of_least_squares_are_checked() {
    let refused = |settings: LeastSquares, word: &str| {
        let mut model = Constants(vec![250.0_f64, 0.0005]);
        let mut loss = squares(vec![(14, 0)], misra1a);
        let error = settings.fit(&mut model, &mut loss, None, &mut ()).expect_err(word);
        assert!(error.to_string().contains(word), "{error}");
    };
    let new = || LeastSquares::new(5);
    for bad in [f64::NAN, -1.0, 1.0] {
        for tolerances in [
            StopTolerances { gradient: bad, ..StopTolerances::default() },
            StopTolerances { step: bad, ..StopTolerances::default() },
            StopTolerances { reduction: bad, ..StopTolerances::default() },
        ] {
            refused(new().with_tolerances(tolerances), "tolerance");
        }
    }
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        refused(new().with_damping(bad), "damping");
        let variances = vec![("squares".to_owned(), bad)];
        refused(new().with_evidence(EvidenceRule { variances, ..Default::default() }), "variance");
    }
    refused(new().with_evidence(EvidenceRule { every: 0, ..Default::default() }), "interval");
    refused(new().with_evidence(EvidenceRule { begin: 0.0, ..Default::default() }), "reduction");
    let variances = vec![("dust".to_owned(), 1.0)];
    refused(new().with_evidence(EvidenceRule { variances, ..Default::default() }), "dust");
    refused(new().with_form(Form::Dual).with_evidence(EvidenceRule::default()), "form");
    refused(new().with_form(Form::MatrixFree).with_evidence(EvidenceRule::default()), "form");
    refused(new().with_early_stopping(EarlyStopping::default()), "validation");
    // What no memory holds, before anything is evaluated.
    let too_large = |settings: LeastSquares, params: usize, groups: Vec<(usize, usize)>| {
        let mut loss = squares(groups, |_: &[f64], _: &[f64], _| panic!("evaluated"));
        let mut model = Constants(vec![1.0; params]);
        let error = settings.fit::<f64, _>(&mut model, &mut loss, None, &mut ());
        let error = error.expect_err("too large");
        assert!(matches!(error, TrainError::TooLarge(_)), "{error}");
        error.to_string()
    };
    let error = too_large(new().with_form(Form::Normal), 20_000, vec![(1, 0)]);
    assert!(error.starts_with("20000 parameters in normal equations would take 6"), "{error}");
    too_large(new().with_evidence(EvidenceRule::default()), 20_000, vec![(1, 0)]);
    too_large(new().with_form(Form::Dual), 1, vec![(20_000, 0)]);
    too_large(new(), 20, vec![(1 << 24, 0)]);
    let mut model = Constants(vec![1.0; 20]);
    let mut flat = squares(vec![(14, 0)], |_: &[f64], _: &[f64], _| (1.0, vec![0.0; 20], vec![]));
    let error = new().posterior(&mut model, &mut flat, None).expect_err("undetermined");
    assert!(matches!(error, TrainError::Undetermined { parameters: 20, residuals: 14 }), "{error}");
    // Other losses say that they have no residuals.
    struct Value;
    impl Loss<f64, Constants> for Value {
        fn name(&self) -> &str {
            "value"
        }
        fn value(&mut self, _: &Constants, _: Selection<'_>) -> Result<f64, LossError> {
            Ok(1.0)
        }
        fn value_and_gradient(
            &mut self,
            _: &Constants,
            _: Selection<'_>,
            _: f64,
            _: &mut [f64],
        ) -> Result<f64, LossError> {
            Ok(1.0)
        }
    }
    let error = new().fit(&mut model, &mut Value, None, &mut ()).expect_err("no squares");
    assert!(matches!(error, TrainError::Loss { source: LossError::NoResiduals { .. }, .. }));
}

/// A network, by the losses of this workspace: derivatives, windows with fitted starts, a penalty.
#[test]
fn a_network_is_fitted_in_few_steps() {
    fn fit<T: Scalar>(noise: f64, evidence: bool) -> TrainingRecord {
        let sampling = Sampling { trajectories: 4, points: 13, noise, ..Sampling::spring() };
        let data: DataSet<T> =
            sampling.sample(&Spring::default(), 3).expect("samples").cast().expect("finite");
        let architecture = Architecture::new(&[2, 8, 1]).expect("sizes");
        let network = Mlp::<T>::new(architecture, Initialisation::Orthogonal, 1);
        let mut model = Hnn::new(network).expect("even");
        let derivative =
            DerivativeLoss::new(data.times().into(), data.states(), data.derivatives());
        let windows = TrajectoryLoss::new(RK4, Window::Steps(6), &data)
            .and_then(|windows| windows.with_fitted_starts(0.1));
        let mut loss = TotalLoss::new(derivative.expect("fits"))
            .plus(10.0, windows.expect("fits"))
            .and_then(|loss| loss.plus(1e-9, L2Penalty::new()))
            .expect("weights");
        let mut settings = LeastSquares::new(40);
        if evidence {
            settings = settings.with_evidence(EvidenceRule::default());
        }
        settings.fit(&mut model, &mut loss, None, &mut ()).expect("fits")
    }
    let record = fit::<f64>(0.0, false);
    assert!(record.final_loss() < 1e-5, "{record:?}");
    assert!(record.steps.windows(2).all(|pair| pair[1].loss <= pair[0].loss));
    assert!(fit::<f32>(0.0, false).final_loss() < 1e-4);
    let noisy = fit::<f64>(0.1, true);
    let evidence = noisy.evidence.expect("determined");
    // 104 numbers of states, of which the windows' starts and the network take some.
    let windows = &evidence.terms[1];
    let variance = windows.variance * windows.residuals as f64 / 10.0;
    assert!((0.5..2.0).contains(&(variance / 0.01)), "{variance} {evidence:?}");
}
