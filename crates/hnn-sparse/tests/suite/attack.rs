//! Files and calls that nobody should make: each gives a result or an error, and soon.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use hnn_integrators::{At, VectorField, Workspace};
use hnn_sparse::{
    Ansatz, Argument, Criterion, CrossValidation, Differentiation, Distillation, Expression, Folds,
    Gram, IntegralForm, Lasso, Library, Observations, Penalty, Samples, Selection, Shooting,
    SparseError, SparseHamiltonian, SparseLagrangian, WeakForm,
};
use hnn_systems::Spring;
use ndarray::Array2;

use crate::common::x;

/// Runs it, and fails if it panics or takes seconds.
fn survives<T>(what: &str, call: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(call));
    let elapsed = begin.elapsed();
    assert!(elapsed < Duration::from_secs(5), "{what} took {elapsed:?}");
    result.unwrap_or_else(|_| panic!("{what} panicked"))
}

/// The message of an error that must come.
fn refused<T>(what: &str, call: impl FnOnce() -> Result<T, SparseError>) -> String {
    match survives(what, call) {
        Ok(_) => panic!("{what} was accepted"),
        Err(error) => error.to_string(),
    }
}

fn read(text: &str) -> Result<SparseHamiltonian, SparseError> {
    SparseHamiltonian::from_json(text, &[])
}

#[test]
fn files_with_nonsense_are_refused_by_name() {
    for (text, part) in [
        (include_str!("../data/exponent_100000_stack_overflow.json"), "exponent 100000"),
        (include_str!("../data/exponent_i32min.json"), "exponent -2147483648"),
        (include_str!("../data/friction_on_7.json"), "momentum 7"),
        (include_str!("../data/friction_on_u64max.json"), "momentum 18446744073709551615"),
        (include_str!("../data/odd_coordinates.json"), "number of coordinates is 3"),
    ] {
        let message = refused(part, || read(text));
        assert!(message.contains(part), "{message}");
    }
    let valid =
        include_str!("../data/friction_on_7.json").replace("{\"FrictionOn\":7}", "\"Energy\"");
    assert!(read(&valid).is_ok());
    for (from, to, part) in [
        ("\"version\":1", "\"version\":0", "version is 0"),
        ("\"version\":1", "\"version\":2", "version is 2"),
        ("[\"q\",\"p\"]", "[]", "number of coordinates is 0"),
        ("[\"q\",\"p\"]", "[\"q\",\"q\"]", "`q` twice"),
        ("[\"q\",\"p\"]", "[\"q\",\"\"]", "coordinate's name is empty"),
        ("\"Coordinate\":1", "\"Coordinate\":2", "coordinate 2"),
        ("{\"Linear\":{\"Coordinate\":1}}", "{\"Radius\":[]}", "no argument"),
        ("\"coefficient\":1.0", "\"coefficient\":null", "null"),
        ("\"coefficient\":1.0", "\"coefficient\":1e999", "out of range"),
    ] {
        assert!(valid.contains(from));
        let message = refused(part, || read(&valid.replace(from, to)));
        assert!(message.contains(part), "{message}");
    }
    let names: Vec<String> = (0..20_000).map(|i| format!("\"x{i}\"")).collect();
    let many = valid.replace("\"q\",\"p\"", &names.join(","));
    let begin = Instant::now();
    let message = refused("20 000 coordinates", || read(&many));
    assert!(message.contains("fewer coordinates"), "{message}");
    assert!(begin.elapsed() < Duration::from_secs(1));
    // A file without an end.
    if std::path::Path::new("/dev/zero").exists() {
        refused("/dev/zero", || SparseHamiltonian::load("/dev/zero", &[]));
    }
}

#[test]
fn forces_and_lagrangians_with_nonsense_are_refused_by_name() {
    let force =
        include_str!("../data/friction_on_7.json").replace("{\"FrictionOn\":7}", "{\"Force\":0}");
    let force = force.replace("{\"Coordinate\":1}", "{\"Input\":0}");
    let inputs = force.replace("[\"q\",\"p\"]", "[\"q\",\"p\"],\"inputs\":[\"u\"]");
    assert!(read(&inputs).is_ok());
    for (text, part) in [
        (force, "uses input 0"),
        (inputs.replace("\"Force\":0", "\"Force\":1"), "momentum 1"),
        (inputs.replace("{\"Force\":0}", "\"Energy\""), "in forces only"),
        (inputs.replace("[\"u\"]", "[\"p\"]"), "`p` twice"),
        (
            inputs.replace("\"Input\":0", "\"Input\":18446744073709551615"),
            "input 18446744073709551615",
        ),
    ] {
        let message = refused(part, || read(&text));
        assert!(message.contains(part), "{message}");
    }
    let lagrangian = |coordinates: &[String], joint: &str| {
        let terms = format!(
            "{{\"term\":{{\"feature\":{{\"terms\":[{{\"number\":1.0,\"monomial\":[[{{\"Linear\":{{\"Coordinate\":1}}}},2]]}}]}},\
             \"joint\":{joint}}},\"coefficient\":1.0,\"std_error\":0.0}}"
        );
        let names = coordinates.join("\",\"");
        format!(
            "{{\"format\":\"sparse-lagrangian\",\"version\":1,\"coordinates\":[\"{names}\"],\"terms\":[{terms}]}}"
        )
    };
    let read = |text: String| SparseLagrangian::from_json(&text, &[]);
    let two = ["q".to_owned(), "v".to_owned()];
    let model = read(lagrangian(&two, "null")).expect("valid");
    assert_eq!(model.mass(0, 0).value(&[0.0, 0.0]), 2.0);
    assert!(model.mass(0, usize::MAX).is_zero() && model.friction(usize::MAX).is_zero());
    assert!(refused("a joint", || read(lagrangian(&two, "1"))).contains("joint is 1"));
    let names: Vec<String> = (0..20_000).map(|i| format!("x{i}")).collect();
    let message = refused("20 000 coordinates", || read(lagrangian(&names, "null")));
    assert!(message.contains("fewer joints"), "{message}");
    // A mass of 0 has no acceleration.
    let massless = read(lagrangian(&two, "0")).expect("friction alone");
    let (at, mut dx) = (At { t: &[0.0], u: &[1.0] }, [0.0; 2]);
    let error = massless.eval(at, &[0.0, 1.0], &mut dx, &mut Workspace::default());
    assert!(error.expect_err("singular").to_string().contains("mass matrix is singular"));
    for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let library = Library::from_features(1, [x(1).powi(2)]).expect("valid");
        let ansatz = || Ansatz::new(&library)?.with_force(0, Expression::friction(1, width));
        refused("a width", ansatz);
    }
}

#[test]
fn powers_of_any_size_are_numbers_or_refused() {
    let (q, p) = (x(0), x(1));
    let library = |feature: Expression| Library::from_features(1, [feature]);
    let message = refused("q^100000", || library(q.powi(100_000)));
    assert!(message.contains("exponent 100000"), "{message}");
    for exponent in [i32::MIN, i32::MIN + 1, -65_536, -1001, 1001, 65_536, i32::MAX] {
        for base in [q.clone(), q.clone() * p.clone(), q.clone() + p.clone(), 2.0 * q.clone()] {
            survives("a power", || {
                let power = base.powi(exponent);
                let _ = (power.value(&[1.0, 1.0]), power.derivative(0).derivative(0));
                let _ = (power.powi(exponent).powi(-1), power.clone() * power.clone());
                assert!(library(power).is_err());
            });
        }
    }
    assert_eq!(q.powi(i32::MIN).value(&[-1.0]), 1.0);
    assert!(library(q.powi(65_536).powi(65_536)).is_err());
    for exponent in [-1000, -999, 17, 999, 1000] {
        let ansatz = library(q.powi(exponent)).and_then(|l| Ansatz::new(&l)).expect("valid");
        let model = SparseHamiltonian::from_coefficients(&ansatz, &[1.0]).expect("valid");
        let dx: Vec<f64> = model.eval_state(0.0, &[1.001, 0.0]).expect("defined");
        let exact = -f64::from(exponent) * 1.001_f64.powi(exponent - 1);
        assert!((dx[1] / exact - 1.0).abs() < 1e-12, "{exponent}: {} {exact}", dx[1]);
    }
    assert_eq!((q.clone() + p).powi(3).value(&[1.0, 2.0]), 27.0);
    assert!(q.value(&[]).is_nan());
    assert_eq!((q.clone() - x(3)).to_text(&["q"]), "q - x[3]");
    assert_eq!(Expression::distance(&[]), Expression::constant(0.0));
}

#[test]
fn absurd_counts_name_number_bytes_and_remedy() {
    let too_large = |what: &str, message: String| {
        assert!(message.contains("bytes") && message.contains(what), "{message}");
    };
    let (most, features) = (usize::MAX, "features of a library");
    too_large(features, refused("1 to all", || Library::monomials(1, 1..=most)));
    too_large(features, refused("20 coordinates", || Library::monomials(10, 1..=6)));
    too_large("10272278170 features", refused("degree 40", || Library::monomials(5, 0..=40)));
    too_large("coordinates", refused("coordinates", || Library::monomials(most, 1..=1)));
    too_large(features, refused("each", || Library::monomials_per_variable(&[most, most])));
    too_large(features, refused("waves", || Library::trigonometric(2, &[1.0], most)));
    too_large("coordinates", refused("names", || Library::from_features(most / 2, [])));
    assert!(refused("none", || Library::monomials(0, 0..=most)).contains("at least 1"));
    // As many as fit are made at once: a look at each is not a look at all others.
    let large = survives("ten thousand", || Library::monomials(10, 1..=4)).expect("fits");
    assert_eq!(large.len(), 10_625);
    too_large(features, refused("products", || large.product(&large)));
    let over = || Distillation::new(&[(-1.0, 1.0), (-1.0, 1.0)]);
    too_large("samples", refused("samples", || over()?.with_samples(most)));
    too_large("samples", refused("draws", || over()?.draw(most, 0)));
    let equations = || orbit(40).0.equations(&cubic());
    let lasso = Lasso::default();
    let folds = Folds::ByPoint { count: 5 };
    too_large(
        "lambdas",
        refused("a path", || CrossValidation::run(&equations()?, &lasso, folds, most, 0.1)),
    );
    let validate = |count, folds| CrossValidation::run(&equations()?, &lasso, folds, count, 0.1);
    assert!(refused("no lambda", || validate(0, folds)).contains("number of lambdas"));
    for count in [0, 1, 81, most] {
        let message = refused("folds", || validate(5, Folds::ByPoint { count }));
        assert!(message.contains("number of folds"), "{message}");
    }
    // A product's second derivatives have a term for each pair of factors.
    let waves = (1..=400).map(|k| Expression::sin(f64::from(k), 0));
    let long = waves.reduce(|product, wave| product * wave).expect("some");
    let library = Library::from_features(1, [long]).expect("one feature");
    let model = || SparseHamiltonian::from_coefficients(&Ansatz::new(&library)?, &[1.0]);
    too_large("features with derivatives", refused("a long product", model));
    too_large(
        "features with derivatives",
        refused("its Hessian", || library.hessians(&[0.1, 0.2])),
    );
    // A column that is there in one trajectory only is left out with it.
    let step = Expression::distance(&[Argument::Coordinate(0)]) + x(0);
    let library = Library::from_features(1, [x(0).powi(2), x(1).powi(2), step * x(0)]);
    let ansatz = library.and_then(|l| Ansatz::new(&l)).expect("valid");
    let states = Array2::from_shape_fn((60, 2), |(k, i)| {
        let q = (1.0 + k as f64).sin().abs() * if k < 20 { 1.0 } else { -1.0 };
        if i == 0 { q } else { (1.7 * k as f64).cos() }
    });
    let slopes =
        Array2::from_shape_fn(
            (60, 2),
            |(k, i)| {
                if i == 0 { states[[k, 1]] } else { -states[[k, 0]] }
            },
        );
    let samples = Samples::new(states, slopes);
    let samples = samples.and_then(|s| s.with_trajectories((0..60).map(|k| k / 20).collect()));
    let equations = samples.and_then(|s| s.equations(&ansatz)).expect("valid");
    let validation = CrossValidation::run(&equations, &lasso, Folds::ByTrajectory, 20, 1e-4);
    assert_eq!(validation.expect("valid").best().support(), [0, 1]);
    // Labels of trajectories are any numbers.
    let labelled = orbit(40).0.with_trajectories((0..40).map(|k| most - k / 20).collect());
    let equations = labelled.and_then(|s| s.equations(&cubic())).expect("valid");
    assert_eq!(equations.trajectories(), 2);
    assert!(CrossValidation::run(&equations, &lasso, Folds::ByTrajectory, 5, 0.1).is_ok());
}

#[test]
fn settings_are_checked() {
    let (samples, observations) = orbit(40);
    let smooth = |width, degree| {
        Differentiation::SavitzkyGolay { width, degree }.samples(&observations).map(|_| ())
    };
    for (width, degree) in
        [(1.0, 0), (1.0, 21), (1.0, usize::MAX), (f64::NAN, 2), (1e-300, 2), (1e300, 2)]
    {
        refused("a smoothing", || smooth(width, degree));
    }
    let weak = |width: f64, stride: f64| {
        WeakForm::default()
            .with_width(width)?
            .with_stride(stride)?
            .equations(&observations, &cubic())
    };
    for (width, stride) in
        [(1e-300, 0.1), (1e300, 0.1), (2.0, 1e-300), (2.0, 1e-9), (f64::NAN, 0.1), (2.0, f64::NAN)]
    {
        refused("windows", || weak(width, stride));
    }
    for width in [1e-300, 1e300] {
        let integral = || IntegralForm::new(width)?.equations(&observations, &cubic());
        survives("an integral form", || assert!(integral().is_err() == (width > 1.0)));
    }
    for bounds in [(f64::MIN, f64::MAX), (0.0, f64::INFINITY), (1.0, 1.0), (f64::NAN, 1.0)] {
        refused("a domain", || Distillation::new(&[bounds, (-1.0, 1.0)]));
    }
    for error in [f64::NAN, f64::INFINITY, -1.0] {
        refused("derivatives", || samples.clone().with_relative_error(error).equations(&cubic()));
        let equations = samples.clone().equations(&cubic()).expect("valid");
        refused("equations", || Selection::default().run(&equations.with_relative_error(error)));
        refused("a model", || {
            let library = Library::monomials(1, 1..=2)?;
            let spring = Spring::new(1.0, 1.0).expect("valid");
            Distillation::new(&[(-1.0, 1.0); 2])?.with_relative_error(error).run(&spring, &library)
        });
    }
    let gram =
        samples.clone().equations(&cubic()).and_then(|e| Gram::from_equations(&e)).expect("valid");
    for tolerance in [f64::NAN, -1.0] {
        refused("a gap", || Lasso::default().with_gap_tolerance(tolerance).solve(&gram, 0.1));
        refused("a violation", || Lasso::default().with_kkt_tolerance(tolerance).solve(&gram, 0.1));
    }
    refused("an estimate", || Penalty::adaptive(&gram, &vec![f64::NAN; gram.columns()], 1.0));
    refused("a weight", || samples.clone().with_weights(&[f64::INFINITY; 40]));
    refused("a criterion", || {
        Selection::default().with_criterion(Criterion::Ebic { gamma: f64::NAN })
    });
    let equations = samples.equations(&cubic()).expect("valid");
    for selection in [
        Selection::default().know("q^2", f64::NAN),
        Selection::default().know("q^2", 0.5).know("q^2", 0.4),
        Selection::default().require(["q^2"]).forbid(["q^2"]),
        Selection::default().require(["q^2"]).know("q^2", 0.5),
    ] {
        refused("a mask", || selection.run(&equations));
    }
    let mut observations = Observations::new(2);
    for times in [vec![f64::NAN], vec![0.0, f64::NAN], vec![0.0, f64::INFINITY]] {
        let states = Array2::zeros((times.len(), 2));
        let message = refused("times", || observations.push(times, states));
        assert!(message.contains("the times"), "{message}");
    }
    let ansatz = Library::from_features(1, [x(0)]).and_then(|l| Ansatz::new(&l)).expect("valid");
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let message = refused("NaN", || SparseHamiltonian::from_coefficients(&ansatz, &[bad]));
        assert!(message.contains("coefficient"), "{message}");
        let mut model = SparseHamiltonian::from_coefficients(&ansatz, &[2.0]).expect("valid");
        let message = refused("NaN", || model.set_coefficients(&[bad]));
        assert!(message.contains("coefficient"), "{message}");
        assert_eq!(model.coefficients(), [2.0]);
    }
}

fn cubic() -> Ansatz {
    Library::monomials(1, 1..=3).and_then(|l| Ansatz::new(&l)).expect("valid")
}

/// A spring's orbit with its derivatives, and without.
fn orbit(count: usize) -> (Samples, Observations) {
    let times: Vec<f64> = (0..count).map(|k| 0.2 * k as f64).collect();
    let at = |k: usize, i: usize| if i == 0 { times[k].cos() } else { -times[k].sin() };
    let states = Array2::from_shape_fn((count, 2), |(k, i)| at(k, i));
    let slopes =
        Array2::from_shape_fn((count, 2), |(k, i)| if i == 0 { at(k, 1) } else { -at(k, 0) });
    let mut observations = Observations::new(2);
    observations.push(times, states.clone()).expect("valid");
    (Samples::new(states, slopes).expect("finite"), observations)
}

/// A spring's motion, `count` points 0.2 apart in time.
fn swing(count: usize) -> (Vec<f64>, Array2<f64>) {
    let times: Vec<f64> = (0..count).map(|k| 0.2 * k as f64).collect();
    let states =
        Array2::from_shape_fn(
            (count, 2),
            |(k, i)| {
                if i == 0 { times[k].cos() } else { -times[k].sin() }
            },
        );
    (times, states)
}

/// A formula of monomials up to a degree, the coefficients of `p^2` and `q^2` a little off.
fn rough(degree: usize) -> SparseHamiltonian {
    let library = if degree == 2 {
        Library::from_features(1, [x(0).powi(2), x(1).powi(2)]).expect("valid")
    } else {
        Library::monomials(1, 1..=degree).expect("valid")
    };
    let ansatz = Ansatz::new(&library).expect("valid");
    let w: Vec<f64> = (0..ansatz.columns().len()).map(|_| 0.48).collect();
    SparseHamiltonian::from_coefficients(&ansatz, &w).expect("valid")
}

#[test]
fn shooting_has_bounds() {
    let mut observations = Observations::new(2);
    let (times, states) = swing(40);
    observations.push(times, states).expect("valid");
    let fit = |points: usize, observations: &Observations| {
        let shooting = Shooting::default().with_points(points)?;
        Ok(shooting.refine(&rough(2), observations)?.model.coefficients())
    };
    let whole = survives("all points", || fit(39, &observations)).expect("converges");
    assert!(whole.iter().all(|c| (c - 0.5).abs() < 1e-4), "{whole:?}");
    let more = survives("more points than any", || fit(usize::MAX, &observations));
    assert_eq!(more.expect("converges"), whole);

    // A trajectory without points says nothing, and changes nothing.
    observations.push(vec![], Array2::zeros((0, 2))).expect("valid");
    let beside = survives("no points", || fit(39, &observations)).expect("converges");
    assert_eq!(beside, whole);
    let mut nothing = Observations::new(2);
    nothing.push(vec![], Array2::zeros((0, 2))).expect("valid");
    assert!(refused("no points at all", || fit(39, &nothing)).contains("0 given"));

    let message = refused("endless steps", || Shooting::default().with_steps(usize::MAX));
    assert!(message.contains("18446744073709551615") && message.contains("10000"), "{message}");
    let mut far = Observations::new(2);
    let (times, states) = swing(40);
    far.push(times.iter().map(|t| 1e300 * t).collect(), states).expect("valid");
    let message = refused("times without end", || fit(20, &far));
    assert!(message.contains("runs to infinity"), "{message}");

    let mut many = Observations::new(2);
    let (times, states) = swing(200);
    many.push(times, states).expect("valid");
    let shooting = Shooting::default().with_steps(10_000).expect("valid");
    let message = refused("a large formula", || shooting.refine(&rough(16), &many));
    assert!(message.contains("fewer steps between points"), "{message}");
}

#[test]
fn shooting_stands_a_coordinate_at_rest() {
    // Two springs, the second at rest.
    let features = [0, 1, 2, 3].map(|i| x(i).powi(2));
    let library = Library::from_features(2, features).expect("valid");
    let ansatz = Ansatz::new(&library).expect("valid");
    let model = SparseHamiltonian::from_coefficients(&ansatz, &[0.48; 4]).expect("valid");
    let (times, one) = swing(40);
    let states =
        Array2::from_shape_fn((40, 4), |(k, i)| if i % 2 == 0 { one[[k, i / 2]] } else { 0.0 });
    let mut observations = Observations::new(4);
    observations.push(times, states).expect("valid");
    let message = refused("a spring at rest", || Shooting::default().refine(&model, &observations));
    assert!(message.contains("do not determine all coefficients"), "{message}");
}
