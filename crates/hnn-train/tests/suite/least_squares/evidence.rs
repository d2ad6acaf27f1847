//! Evidence and posterior of a model whose own are known by formula.

use hnn_train::{EvidenceRule, LeastSquares};

use super::squares::{Constants, Residual, Squares, close, fit, noise, squares};

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
