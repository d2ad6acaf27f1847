//! Properties of the solver: optimality, weights, elastic net, and what it refuses.

use hnn_sparse::{Gram, Lasso, Penalty, SparseError};
use ndarray::{Array1, Array2, array};
use proptest::prelude::*;

/// A regression with correlated columns.
fn problem(rows: usize, columns: usize, seed: u64) -> (Array2<f64>, Array1<f64>) {
    let wave =
        |k: usize, s: u64| ((k as f64 * 12.9898 + s as f64 * 78.233).sin() * 43_758.545_3).fract();
    let mut x = Array2::from_shape_fn((rows, columns), |(i, j)| wave(i * columns + j, seed));
    for j in 1..columns {
        let before = x.column(j - 1).to_owned();
        x.column_mut(j).zip_mut_with(&before, |a, b| *a += 0.7 * b);
    }
    let y = Array1::from_shape_fn(rows, |i| {
        2.0 * x[[i, 0]] - x[[i, columns / 2]] + 0.3 * wave(i, seed + 1)
    });
    (x, y)
}

/// `(X^T (y - X w) / n)_j`.
fn gradient(x: &Array2<f64>, y: &Array1<f64>, w: &[f64]) -> Array1<f64> {
    x.t().dot(&(y - &x.dot(&Array1::from(w.to_vec())))) / x.nrows() as f64
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]
    #[test]
    fn optimality_holds_in_the_rows_themselves(
        seed in 0_u64..1000, columns in 2_usize..30, share in 0.002..0.9_f64, l1_share in 0.3..1.0_f64,
        standardize in any::<bool>(),
    ) {
        let (x, y) = problem(60, columns, seed);
        let weights: Vec<f64> = (0..columns).map(|j| [1.0, 0.5, 2.0, 0.0][(j + 1) % 4]).collect();
        let gram = Gram::new(x.view(), y.view()).expect("valid");
        let penalty = Penalty::default()
            .with_standardisation(standardize)
            .with_weights(weights.clone())
            .and_then(|p| p.with_l1_share(l1_share))
            .expect("valid");
        let lasso = Lasso::default().with_penalty(penalty);
        let lambda = share * lasso.lambda_max(&gram).expect("valid");
        let solution = lasso.solve(&gram, lambda).expect("valid");
        prop_assert!(solution.converged, "{:?}", solution.certificate);
        let gradient = gradient(&x, &y, &solution.coefficients);
        for j in 0..columns {
            let s = if standardize { gram.column_scales()[j] } else { 1.0 };
            let w = solution.coefficients[j];
            let inner = gradient[j] - lambda * weights[j] * (1.0 - l1_share) * s * s * w;
            let threshold = lambda * weights[j] * l1_share * s;
            if w == 0.0 {
                prop_assert!(inner.abs() <= threshold + 1e-11, "column {j}");
            } else {
                prop_assert!((inner - threshold * w.signum()).abs() < 1e-11, "column {j}");
            }
        }
    }
}

#[test]
fn a_path_agrees_with_single_solutions() {
    let (x, y) = problem(200, 40, 5);
    let gram = Gram::new(x.view(), y.view()).expect("valid");
    let path = Lasso::default().path(&gram, 30, 1e-4).expect("valid");
    assert!(path[0].support().is_empty());
    for warm in path {
        let cold = Lasso::default().solve(&gram, warm.lambda).expect("valid");
        assert!(warm.converged && cold.converged);
        for (a, b) in warm.coefficients.iter().zip(&cold.coefficients) {
            assert!((a - b).abs() < 1e-9, "{a} {b} at {}", warm.lambda);
        }
    }
}

#[test]
fn infinite_weights_exclude_and_adaptive_weights_follow_the_estimate() {
    let (x, y) = problem(100, 6, 1);
    let gram = Gram::new(x.view(), y.view()).expect("valid");
    let mut weights = vec![1.0; 6];
    weights[0] = f64::INFINITY;
    let lasso =
        Lasso::default().with_penalty(Penalty::default().with_weights(weights).expect("valid"));
    assert_eq!(lasso.solve(&gram, 1e-4).expect("valid").coefficients[0], 0.0);
    let estimate = [2.0, 0.0, 0.1, -1.0, 0.0, 0.0];
    let adaptive =
        Lasso::default().with_penalty(Penalty::adaptive(&gram, &estimate, 1.0).expect("valid"));
    let solution = adaptive.solve(&gram, 1e-3).expect("valid");
    assert!(solution.support().iter().all(|&j| estimate[j] != 0.0), "{:?}", solution.support());
}

#[test]
fn row_weights_are_repeated_rows() {
    let x = array![[1.0, 0.2], [0.3, 1.0], [-0.5, 0.8]];
    let y = array![1.0, 2.0, 0.5];
    let weighted = Gram::weighted(x.view(), y.view(), array![2.0, 1.0, 1.0].view()).expect("valid");
    let x2 = array![[1.0, 0.2], [1.0, 0.2], [0.3, 1.0], [-0.5, 0.8]];
    let repeated = Gram::new(x2.view(), array![1.0, 1.0, 2.0, 0.5].view()).expect("valid");
    assert!((&weighted.matrix() - &repeated.matrix()).iter().all(|d| d.abs() < 1e-14));
}

#[test]
fn a_run_that_is_cut_short_says_so() {
    let (x, y) = problem(300, 60, 2);
    let gram = Gram::new(x.view(), y.view()).expect("valid");
    let cut = Lasso::default().with_max_sweeps(0).solve(&gram, 1e-6).expect("valid");
    assert!(!cut.converged && cut.certificate.gap > 1e-6);
    let whole = Lasso::default().solve(&gram, 1e-6).expect("valid");
    assert!(whole.converged && whole.certificate.gap < 1e-12);
}

#[test]
fn the_gap_bounds_the_distance_to_the_minimum() {
    let (x, y) = problem(300, 60, 2);
    let gram = Gram::new(x.view(), y.view()).expect("valid");
    let objective = |w: &[f64], lambda: f64| {
        let r = &y - &x.dot(&Array1::from(w.to_vec()));
        let l1: f64 = w.iter().zip(gram.column_scales()).map(|(w, s)| (w * s).abs()).sum();
        r.dot(&r) / 600.0 + lambda * l1
    };
    for lambda in [1e-2, 1e-3, 1e-4] {
        let rough = Lasso::default().with_gap_tolerance(1e-2).with_kkt_tolerance(f64::INFINITY);
        let rough = rough.solve(&gram, lambda).expect("valid");
        let exact = Lasso::default().solve(&gram, lambda).expect("valid");
        let distance =
            objective(&rough.coefficients, lambda) - objective(&exact.coefficients, lambda);
        let bound = rough.certificate.gap * y.dot(&y) / 600.0;
        assert!(distance <= bound + 1e-14, "{distance} > {bound}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let (mut x, y) = problem(20, 4, 3);
    let fails = |x: &Array2<f64>, y: &Array1<f64>, lambda: f64| {
        let solved =
            Gram::new(x.view(), y.view()).and_then(|gram| Lasso::default().solve(&gram, lambda));
        solved.expect_err("refused")
    };
    for lambda in [-1.0, 0.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(fails(&x, &y, lambda), SparseError::Setting { name: "lambda", .. }));
    }
    assert!(matches!(
        fails(&x, &y.slice(ndarray::s![..19]).to_owned(), 0.1),
        SparseError::Length { given: 19, expected: 20, .. }
    ));
    let mut twice = x.clone();
    let column = -2.0 * &x.column(1);
    twice.column_mut(3).assign(&column);
    assert!(matches!(
        fails(&twice, &y, 0.1),
        SparseError::DuplicateColumns { first: 1, second: 3, .. }
    ));
    let mut zero = x.clone();
    zero.column_mut(2).fill(0.0);
    let error = fails(&zero, &y, 0.1);
    assert!(matches!(error, SparseError::ZeroColumn { column: 2, .. }));
    assert!(error.to_string().contains("column 2"), "{error}");
    x[[7, 2]] = f64::NAN;
    assert!(matches!(fails(&x, &y, 0.1), SparseError::NotFinite { what: "X", row: 7, column: 2 }));
    assert!(Penalty::default().with_weights([1.0, -1.0]).is_err());
    assert!(Penalty::default().with_l1_share(0.0).is_err());
}
