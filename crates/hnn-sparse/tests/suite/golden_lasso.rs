//! The LASSO against scikit-learn's, polished by the exact normal equations (`data/lasso.json`).

use hnn_sparse::{Gram, Lasso, Library, Penalty};
use ndarray::{Array1, Array2, concatenate, s};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../data/lasso.json")).expect("valid JSON")
}

fn vector(value: &Value) -> Vec<f64> {
    value.as_array().expect("array").iter().map(|v| v.as_f64().expect("number")).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().expect("array").iter().map(vector).collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).expect("rectangular")
}

/// Every lambda of a case, on its own and as a path, in both scales.
fn check(case: &Value, x: &Array2<f64>, y: &Array1<f64>) {
    let gram = Gram::new(x.view(), y.view()).expect("valid");
    let lasso = Lasso::default().with_penalty(Penalty::default().with_standardisation(false));
    let largest = lasso.lambda_max(&gram).expect("valid");
    assert!((largest - case["alpha_max"].as_f64().expect("number")).abs() < 1e-9);
    let path = case["path"].as_array().expect("array");
    let number = |entry: &Value, key: &str| entry[key].as_f64().expect("number");
    let alphas: Vec<f64> = path.iter().map(|entry| number(entry, "alpha")).collect();
    let warm = lasso.path_at(&gram, &alphas).expect("valid");
    for (entry, warm) in path.iter().zip(warm) {
        let rows = x.nrows();
        let given = number(entry, "lambda_sum_of_squares");
        let lambda = Penalty::lambda_from_sum_of_squares(given, rows);
        assert!((lambda / number(entry, "alpha") - 1.0).abs() < 1e-12);
        assert!((Penalty::lambda_to_sum_of_squares(lambda, rows) / given - 1.0).abs() < 1e-12);
        for solution in [warm, lasso.solve(&gram, lambda).expect("valid")] {
            assert!(solution.converged, "{:?} at {lambda}", solution.certificate);
            let expected = vector(&entry["w"]);
            for (j, (w, expected)) in solution.coefficients.iter().zip(&expected).enumerate() {
                assert!((w - expected).abs() < 1e-8, "column {j} at {lambda}: {w}, not {expected}");
                assert_eq!(*w == 0.0, *expected == 0.0, "support, column {j} at {lambda}");
            }
            let residual = y - &x.dot(&Array1::from(solution.coefficients.clone()));
            let l1: f64 = solution.coefficients.iter().map(|w| w.abs()).sum();
            let objective = residual.dot(&residual) / (2 * rows) as f64 + lambda * l1;
            assert!((objective - number(entry, "objective_sklearn")).abs() < 1e-12);
        }
    }
}

#[test]
fn random_matrix_with_a_correlated_pair() {
    let case = &golden()["random"];
    check(case, &matrix(&case["X"]), &Array1::from(vector(&case["y"])));
}

#[test]
fn henon_heiles() {
    let case = &golden()["henon_heiles"];
    check(case, &matrix(&case["X"]), &Array1::from(vector(&case["y"])));
}

#[test]
fn henon_heiles_from_our_own_library() {
    let case = &golden()["henon_heiles"];
    let (x, dx) = (matrix(&case["x"]), matrix(&case["dx"]));
    let library = Library::monomials(2, 1..=3).expect("valid");
    let gradients = library.gradients(x.view()).expect("valid");
    // dq/dt = dH/dp, dp/dt = -dH/dq, stacked coordinate by coordinate.
    let part = |i: usize, sign: f64| gradients.slice(s![.., .., i]).mapv(|g| sign * g);
    let parts = [part(2, 1.0), part(3, 1.0), part(0, -1.0), part(1, -1.0)];
    let ours = concatenate(ndarray::Axis(0), &parts.each_ref().map(|p| p.view())).expect("shapes");
    let theirs = matrix(&case["X"]);
    // Their columns follow the exponents' order; ours are found by value.
    let exponents = matrix(&case["exponents"]);
    let y = Array1::from(dx.t().iter().copied().collect::<Vec<_>>());
    let gram = Gram::new(ours.view(), y.view()).expect("valid");
    let lasso = Lasso::default().with_penalty(Penalty::default().with_standardisation(false));
    let names = library.names();
    for entry in case["path"].as_array().expect("array") {
        let alpha = entry["alpha"].as_f64().expect("number");
        let w = lasso.solve(&gram, alpha).expect("valid").coefficients;
        for (k, expected) in vector(&entry["w"]).into_iter().enumerate() {
            let power = |(name, e): (&str, &f64)| match *e as i32 {
                0 => None,
                1 => Some(name.to_owned()),
                e => Some(format!("{name}^{e}")),
            };
            let name: Vec<String> = ["q1", "q2", "p1", "p2"]
                .into_iter()
                .zip(exponents.row(k))
                .filter_map(power)
                .collect();
            let j =
                names.iter().position(|n| *n == name.join(" ")).expect("a feature of the library");
            assert!((w[j] - expected).abs() < 1e-8, "{} at {alpha}", names[j]);
            let difference = &ours.column(j) - &theirs.column(k);
            assert!(difference.iter().all(|d| d.abs() < 1e-8), "column {}", names[j]);
        }
    }
}
