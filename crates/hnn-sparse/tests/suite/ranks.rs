//! Equations shared out among ranks are those of one process.

use std::error::Error;

use hnn_losses::on_threads;
use hnn_sparse::{
    Ansatz, CrossValidation, Diagnosis, Equations, Folds, Gram, Lasso, Library, Samples, Selection,
};
use ndarray::{Array2, s};

/// `H = p^2/2 + q^4/4`, coordinates of different sizes on different ranks.
fn equations(rows: std::ops::Range<usize>) -> Result<Equations, Box<dyn Error>> {
    let size = |k: usize| 0.2 + k as f64 / 40.0;
    let x = Array2::from_shape_fn((60, 2), |(k, i)| size(k) * ((7 * k + 3 * i) as f64).sin());
    let noise = |k: usize| 1e-3 * ((13 * k) as f64).cos();
    let dx = Array2::from_shape_fn((60, 2), |(k, i)| match i {
        0 => x[[k, 1]] + noise(k),
        _ => -x[[k, 0]].powi(3) + noise(k + 60),
    });
    let own = |all: &Array2<f64>| all.slice(s![rows.clone(), ..]).to_owned();
    let ansatz = Ansatz::new(&Library::monomials(1, 1..=5)?)?;
    Ok(Samples::new(own(&x), own(&dx))?.equations(&ansatz)?)
}

/// What is found in equations.
fn found(equations: &Equations) -> Result<(Vec<String>, Vec<f64>), Box<dyn Error>> {
    let found = Selection::default().run(equations)?;
    let mut numbers = vec![found.rows as f64, found.relative_residual, found.score];
    numbers.extend(found.terms.iter().flat_map(|term| [term.coefficient, term.std_error]));
    numbers.push(Diagnosis::new(equations)?.condition);
    let gram = Gram::from_equations(equations)?;
    numbers.extend([gram.rows() as f64, gram.target_square()]);
    numbers.extend(gram.matrix());
    let lasso = Lasso::default().solve(&gram, 1e-3)?;
    numbers.extend(lasso.coefficients);
    Ok((found.names(), numbers))
}

#[test]
fn equations_of_all_ranks_are_those_of_one_process() -> Result<(), Box<dyn Error>> {
    let (names, one) = found(&equations(0..60)?)?;
    assert_eq!(names, ["p^2", "q^4"]);
    for count in 1..=3 {
        let all = on_threads(count, |ranks| {
            let own = ranks.rank() * 60 / count..(ranks.rank() + 1) * 60 / count;
            let found = || found(&equations(own)?.over_ranks(ranks)?);
            found().map_err(|error| error.to_string())
        });
        let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
        assert!(all.iter().all(|of_rank| *of_rank == all[0]), "ranks differ");
        assert_eq!((&all[0].0, all[0].1.len()), (&names, one.len()));
        for (given, expected) in all[0].1.iter().zip(&one) {
            let error = (given - expected).abs();
            assert!(error <= 1e-12 * expected.abs().max(1.0), "{given} instead of {expected}");
        }
    }
    Ok(())
}

#[test]
fn cross_validation_over_ranks_is_refused() {
    on_threads(2, |ranks| {
        let equations =
            equations(0..30).expect("equations").over_ranks(ranks).expect("of all ranks");
        let folds = Folds::ByPoint { count: 3 };
        let lasso = Lasso::default();
        let error =
            CrossValidation::run(&equations, &lasso, folds, 5, 1e-3).expect_err("folds over ranks");
        assert!(error.to_string().contains("ranks of a cross-validation"), "{error}");
    });
}
