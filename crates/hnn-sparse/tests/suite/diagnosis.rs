//! What data cannot tell, and input that is refused.

use hnn_sparse::{
    Ansatz, CrossValidation, Diagnosis, Differentiation, Expression, Folds, Lasso, Library,
    Observations, Samples, Selection, SparseError, WeakForm,
};
use ndarray::{Array2, Axis, concatenate};

use crate::common::{henon_heiles, x};

/// An orbit of H = (q^2 + p^2) / 2 with its derivatives.
fn orbit(radius: f64) -> (Array2<f64>, Array2<f64>) {
    let x = Array2::from_shape_fn((80, 2), |(k, i)| {
        let t = 0.1 * k as f64;
        radius * if i == 0 { t.cos() } else { -t.sin() }
    });
    let dx = Array2::from_shape_fn((80, 2), |(k, i)| if i == 0 { x[[k, 1]] } else { -x[[k, 0]] });
    (x, dx)
}

#[test]
fn one_harmonic_trajectory_cannot_identify_the_energy_and_two_can() {
    let ansatz = Ansatz::new(&Library::monomials(1, 1..=4).expect("valid")).expect("valid");
    let (x, dx) = orbit(1.0);
    let one =
        Samples::new(x.clone(), dx.clone()).and_then(|s| s.equations(&ansatz)).expect("valid");
    let diagnosis = Diagnosis::new(&one).expect("finite");
    assert!(diagnosis.condition > 1e14, "{diagnosis}");
    assert_eq!(diagnosis.free.len(), 1, "{diagnosis}");
    let found = Selection::default().run(&one).expect("found");
    assert_eq!(found.warnings.len(), 1, "{found}");
    assert!(found.warnings[0].contains("q^2 p^2") && found.warnings[0].contains("cannot identify"));
    // Nobody misses it: it comes before the formula.
    assert!(found.to_string().starts_with("warning: the data cannot identify H"), "{found}");
    let (x2, dx2) = orbit(0.6);
    let both = |a: &Array2<f64>, b: &Array2<f64>| {
        concatenate(Axis(0), &[a.view(), b.view()]).expect("shapes")
    };
    let two = Samples::new(both(&x, &x2), both(&dx, &dx2))
        .and_then(|s| s.equations(&ansatz))
        .expect("valid");
    let diagnosis = Diagnosis::new(&two).expect("finite");
    assert!(diagnosis.condition < 1e3 && diagnosis.free.is_empty(), "{diagnosis}");
    let found = Selection::default().run(&two).expect("found");
    assert_eq!(found.names(), ["q^2", "p^2"]);
    assert!(found.warnings.is_empty());
}

#[test]
fn zero_and_duplicate_columns_are_reported_and_survived() {
    // |q1 - q2|^2 repeats q1^2 - 2 q1 q2 + q2^2; with q2 = p2 = 0 some features vanish.
    let (orbit, flow) = orbit(1.0);
    let states =
        Array2::from_shape_fn((80, 4), |(k, i)| if i % 2 == 0 { orbit[[k, i / 2]] } else { 0.0 });
    let dx =
        Array2::from_shape_fn((80, 4), |(k, i)| if i % 2 == 0 { flow[[k, i / 2]] } else { 0.0 });
    let features = [x(0).powi(2), x(2).powi(2), x(1).powi(2), 3.0 * x(0).powi(2) + x(1).powi(3)];
    let ansatz = Library::from_features(2, features).and_then(|l| Ansatz::new(&l)).expect("valid");
    let equations = Samples::new(states, dx).and_then(|s| s.equations(&ansatz)).expect("valid");
    let diagnosis = Diagnosis::new(&equations).expect("finite");
    assert_eq!(diagnosis.zero, ["q2^2"]);
    assert_eq!(diagnosis.duplicates.len(), 1, "{diagnosis}");
    let found = Selection::default().run(&equations).expect("found");
    assert_eq!(found.names(), ["q1^2", "p1^2"]);
    assert!(!found.warnings.is_empty());
}

#[test]
fn few_equations_with_noise_are_warned_of() {
    let case = henon_heiles();
    let features = case.truth.terms().iter().map(|term| term.column().feature().clone());
    let ansatz = Library::from_features(2, features).and_then(|l| Ansatz::new(&l)).expect("valid");
    for (points, noise, warned) in [(6, 0.01, true), (6, 0.0, false), (60, 0.01, false)] {
        let equations = case.samples(points, noise, 2).equations(&ansatz).expect("valid");
        let found = Selection::default().run(&equations).expect("found");
        let says = found.warnings.iter().any(|warning| warning.contains("longer or more"));
        assert_eq!(says, warned, "{points} points, noise {noise}: {found}");
    }
}

#[test]
fn noise_hides_what_the_data_cannot_tell() {
    // On states of three digits, H^2 - 2 E H shows no more than their rounding does.
    let ansatz = Ansatz::new(&Library::monomials(1, 2..=4).expect("valid")).expect("valid");
    let (x, dx) = orbit(1.0);
    let rounded = |table: &Array2<f64>| table.mapv(|v| (v * 1e3).round() * 1e-3);
    let samples = Samples::new(rounded(&x), dx).expect("finite");
    let diagnosis = samples.equations(&ansatz).and_then(|e| Diagnosis::new(&e)).expect("finite");
    let combination = diagnosis.nearly_free.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(diagnosis.free.is_empty(), "{diagnosis}");
    assert!(combination.len() == 1 && combination[0].contains("q^2 p^2"), "{diagnosis}");
}

#[test]
fn masks() {
    let case = henon_heiles();
    let ansatz = Ansatz::new(&case.library).expect("valid");
    let equations = || case.samples(300, 0.01, 3).equations(&ansatz).expect("valid");
    let found = Selection::default().require(["q1^4"]).run(&equations()).expect("found");
    assert!(found.names().contains(&"q1^4".to_owned()) && found.coefficient("q1^4").abs() < 0.01);
    let found = Selection::default().forbid(["q2^3"]).run(&equations()).expect("found");
    assert!(!found.names().contains(&"q2^3".to_owned()));
    let found = Selection::default().know("q1^2 q2", 1.0).run(&equations()).expect("found");
    assert_eq!(found.coefficient("q1^2 q2"), 1.0);
    assert!(case.compare(found.model()).0, "{found}");
    let error = Selection::default().forbid(["q9"]).run(&equations()).expect_err("unknown");
    assert!(matches!(error, SparseError::UnknownFeature { .. }));
}

#[test]
fn cross_validation_by_trajectory_and_by_point() {
    let case = henon_heiles();
    let ansatz = Ansatz::new(&case.library).expect("valid");
    let samples = case.samples(400, 0.05, 1).with_trajectories((0..400).map(|k| k / 40).collect());
    let equations = samples.and_then(|s| s.equations(&ansatz)).expect("valid");
    for folds in [Folds::ByTrajectory, Folds::ByPoint { count: 5 }] {
        let validation =
            CrossValidation::run(&equations, &Lasso::default(), folds, 40, 1e-3).expect("valid");
        let (best, one) = (validation.best(), validation.one_std_error());
        assert!(one.lambda >= best.lambda && one.support().len() <= best.support().len());
        // The residual left out is the noise's, and not less.
        let (x, y) = equations.to_arrays().expect("finite");
        let residual = &y - &x.dot(&ndarray::Array1::from(best.coefficients.clone()));
        let inside = residual.dot(&residual) / y.len() as f64;
        let smallest = validation.mean.iter().fold(f64::INFINITY, |a, &b| a.min(b));
        assert!(smallest > inside && smallest < 1.5 * inside, "{smallest} {inside}");
    }
    assert!(
        CrossValidation::run(&equations, &Lasso::default(), Folds::ByPoint { count: 1 }, 5, 0.1)
            .is_err()
    );
}

#[test]
fn refused() {
    let library = Library::monomials(1, 1..=3).expect("valid");
    let ansatz = Ansatz::new(&library).expect("valid");
    let (states, dx) = orbit(1.0);
    let mut broken = states.clone();
    broken[[5, 1]] = f64::NAN;
    let error = Samples::new(broken.clone(), dx.clone()).expect_err("NaN");
    assert!(
        matches!(error, SparseError::NotFinite { what: "the states", row: 5, column: 1 }),
        "{error}"
    );
    let few = Samples::new(
        states.slice(ndarray::s![..3, ..]).to_owned(),
        dx.slice(ndarray::s![..3, ..]).to_owned(),
    );
    let error = few.and_then(|s| s.equations(&ansatz)).expect_err("too few");
    assert!(matches!(error, SparseError::TooFew { given: 6, needed: 9, .. }), "{error}");
    assert!(Samples::new(states.clone(), dx.slice(ndarray::s![..9, ..]).to_owned()).is_err());
    let constant = Library::from_features(1, [x(0), Expression::constant(2.0)]).expect("valid");
    assert!(matches!(Ansatz::new(&constant), Err(SparseError::ConstantFeature { feature: 1 })));
    assert!(matches!(
        Library::from_features(1, [x(0), x(0)]),
        Err(SparseError::DuplicateColumns { first: 0, second: 1, .. })
    ));
    assert!(matches!(
        Library::from_features(1, [x(2)]),
        Err(SparseError::Coordinate { coordinate: 2, dim: 2, .. })
    ));
    let mut observations = Observations::new(2);
    let times: Vec<f64> = (0..80).map(|k| 0.1 * k as f64).collect();
    assert!(observations.push(times.clone(), broken).is_err());
    let mut unsorted = times.clone();
    unsorted[7] = 0.5;
    let error = observations.push(unsorted, states.clone()).expect_err("unsorted");
    assert!(matches!(error, SparseError::Times { trajectory: 0, row: 6 }), "{error}");
    observations.push(times, states).expect("valid");
    let long =
        WeakForm::default().with_width(100.0).and_then(|w| w.equations(&observations, &ansatz));
    assert!(long.is_err());
    assert!(Differentiation::savitzky_golay(0.01).samples(&observations).is_err());
    let nothing = Samples::new(Array2::ones((40, 2)), Array2::zeros((40, 2)))
        .and_then(|s| s.equations(&ansatz))
        .expect("valid");
    assert!(matches!(Selection::default().run(&nothing), Err(SparseError::NothingFound { .. })));
}
