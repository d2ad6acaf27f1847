//! Files and calls that nobody should make: each gives a result or an error, and soon.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use common::x;
use hnn_integrators::VectorField;
use hnn_sparse::{
    Ansatz, Argument, Criterion, CrossValidation, Diagnosis, Differentiation, Distillation,
    Equations, Expression, Folds, Friction, Gram, IntegralForm, Lasso, Library, Observations,
    Penalty, Samples, Selection, Shooting, SparseError, SparseHamiltonian, WeakForm,
};
use hnn_systems::Spring;
use ndarray::Array2;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

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
        (include_str!("data/exponent_100000_stack_overflow.json"), "exponent 100000"),
        (include_str!("data/exponent_i32min.json"), "exponent -2147483648"),
        (include_str!("data/friction_on_7.json"), "momentum 7"),
        (include_str!("data/friction_on_u64max.json"), "momentum 18446744073709551615"),
        (include_str!("data/odd_coordinates.json"), "number of coordinates is 3"),
    ] {
        let message = refused(part, || read(text));
        assert!(message.contains(part), "{message}");
    }
    let valid = include_str!("data/friction_on_7.json").replace("{\"FrictionOn\":7}", "\"Energy\"");
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
fn mutated_files_are_read_or_refused() {
    let energy = [
        x(2).powi(2),
        Expression::cos(1.5, 0),
        Expression::distance(&[Argument::Difference(0, 1)]).powi(-1),
        Expression::log_distance(&[Argument::Coordinate(0), Argument::Coordinate(1)]),
    ];
    let factor = Library::from_features(2, [Expression::constant(1.0), x(0).powi(2)]);
    let ansatz = Library::from_features(2, energy)
        .and_then(|l| Ansatz::new(&l)?.with_friction(&factor?, Friction::PerMomentum))
        .expect("valid");
    let model =
        SparseHamiltonian::from_coefficients(&ansatz, &[0.5, -2.0, 1.5, 0.1, 0.2, 0.3, 0.1, 0.2]);
    let text = model.and_then(|m| m.to_json()).expect("finite");
    let ansatz = serde_json::to_string(&ansatz).expect("finite");
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut read_back = 0;
    for round in 0..6000 {
        let text = mutated(&text, &mut rng);
        survives(&text, || {
            let Ok(model) = read(&text) else { return };
            read_back += 1;
            let _: Result<Vec<f64>, _> = model.eval_state(0.0, &vec![0.3; model.state_dim()]);
            let _ = (model.to_text(), model.to_latex(), model.to_rust().is_ok());
            let _ = model.to_json().expect("what was read is finite");
            let _ = model.separate();
        });
        if round % 4 == 0 {
            let text = mutated(&ansatz, &mut rng);
            survives(&text, || {
                let read: Result<Ansatz, _> = serde_json::from_str(&text);
                let Ok(ansatz) = read else { return };
                let count = ansatz.columns().len();
                let _ = (
                    ansatz.names(),
                    SparseHamiltonian::from_coefficients(&ansatz, &vec![1.0; count]).is_ok(),
                );
            });
        }
    }
    assert!((500..5500).contains(&read_back), "{read_back} of 6000 were read");
}

/// A few characters, numbers or pieces of the text changed.
fn mutated(text: &str, rng: &mut impl Rng) -> String {
    const NUMBERS: [&str; 16] = [
        "0",
        "-1",
        "1",
        "2",
        "3",
        "7",
        "1000",
        "-1000",
        "1001",
        "2147483647",
        "-2147483648",
        "18446744073709551615",
        "1e308",
        "-1e-308",
        "0.5",
        "null",
    ];
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..4) {
            0 => {
                bytes[at] =
                    *b"0123456789-e.,:[]{}\"qpR".get(rng.random_range(0..23)).unwrap_or(&b'0')
            }
            1 => {
                // One of the numbers becomes another one.
                let digit = |b: &u8| b.is_ascii_digit() || *b == b'-';
                let Some(from) = bytes[at..].iter().position(digit).map(|k| at + k) else {
                    continue;
                };
                let more = |b: &u8| !(b.is_ascii_digit() || b"-.e".contains(b));
                let to = bytes[from..].iter().position(more).map_or(bytes.len(), |k| from + k);
                let number = NUMBERS[rng.random_range(0..NUMBERS.len())];
                bytes.splice(from..to, number.bytes());
            }
            2 => {
                let to = (at + rng.random_range(1..40)).min(bytes.len());
                let piece = bytes[at..to].to_vec();
                let place = rng.random_range(0..bytes.len());
                bytes.splice(place..place, piece);
            }
            _ => {
                let to = (at + rng.random_range(1..20)).min(bytes.len());
                bytes.drain(at..to);
            }
        }
        if bytes.is_empty() {
            bytes.push(b'{');
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
    let over = || Distillation::over(&[(-1.0, 1.0), (-1.0, 1.0)]);
    too_large("samples", refused("samples", || over()?.samples(most)));
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
        WeakForm::default().width(width)?.stride(stride)?.equations(&observations, &cubic())
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
        refused("a domain", || Distillation::over(&[bounds, (-1.0, 1.0)]));
    }
    for error in [f64::NAN, f64::INFINITY, -1.0] {
        refused("derivatives", || samples.clone().with_relative_error(error).equations(&cubic()));
        let equations = samples.clone().equations(&cubic()).expect("valid");
        refused("equations", || Selection::default().run(&equations.with_relative_error(error)));
        refused("a model", || {
            let library = Library::monomials(1, 1..=2)?;
            let spring = Spring::new(1.0, 1.0).expect("valid");
            Distillation::over(&[(-1.0, 1.0); 2])?.relative_error(error).run(&spring, &library)
        });
    }
    let gram = samples.clone().equations(&cubic()).and_then(|e| Gram::of(&e)).expect("valid");
    for tolerance in [f64::NAN, -1.0] {
        refused("a gap", || Lasso::default().gap_tolerance(tolerance).solve(&gram, 0.1));
        refused("a violation", || Lasso::default().kkt_tolerance(tolerance).solve(&gram, 0.1));
    }
    refused("an estimate", || Penalty::adaptive(&gram, &vec![f64::NAN; gram.columns()], 1.0));
    refused("a weight", || samples.clone().with_weights(&[f64::INFINITY; 40]));
    refused("a criterion", || Selection::default().criterion(Criterion::Ebic { gamma: f64::NAN }));
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
    let model = SparseHamiltonian::from_coefficients(&ansatz, &[f64::NAN]);
    let message = refused("NaN", || model.and_then(|m| m.to_json()));
    assert!(message.contains("coefficient"), "{message}");
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

/// A number that somebody may give: usual, or at the ends of what there is.
fn number(rng: &mut impl Rng) -> f64 {
    const ODD: [f64; 12] = [
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        1e-300,
        1e150,
        -1.0,
    ];
    if rng.random_bool(0.2) { ODD[rng.random_range(0..12)] } else { rng.random_range(-2.0..2.0) }
}

fn count(rng: &mut impl Rng) -> usize {
    const ODD: [usize; 6] = [0, 1, 100_000, usize::MAX / 2, usize::MAX - 1, usize::MAX];
    if rng.random_bool(0.2) { ODD[rng.random_range(0..6)] } else { rng.random_range(0..6) }
}

fn feature(rng: &mut impl Rng, depth: u32) -> Expression {
    let argument = |rng: &mut ChaCha8Rng| match rng.random_bool(0.5) {
        true => Argument::Coordinate(rng.random_range(0..3)),
        false => Argument::Difference(rng.random_range(0..3), rng.random_range(0..2)),
    };
    let mut inner = ChaCha8Rng::seed_from_u64(rng.random());
    let u = argument(&mut inner);
    match rng.random_range(0..if depth == 0 { 5 } else { 9 }) {
        0 => x(count(rng)),
        1 => Expression::sin_of(number(rng), u),
        2 => Expression::cos_of(number(rng), u),
        3 => Expression::distance(&vec![u; rng.random_range(0..3)]),
        4 => Expression::log_distance(&[u]),
        5 => feature(rng, depth - 1) + feature(rng, depth - 1),
        6 => feature(rng, depth - 1) * feature(rng, depth - 1),
        7 => {
            let exponents = [i32::MIN, -3, -1, 0, 1, 2, 3, 5, 1000, i32::MAX];
            feature(rng, depth - 1).powi(exponents[rng.random_range(0..10)])
        }
        _ => number(rng) * feature(rng, depth - 1),
    }
}

/// A table of usual or odd numbers.
fn table(rng: &mut impl Rng, rows: usize, columns: usize) -> Array2<f64> {
    let scale = if rng.random_bool(0.3) { number(rng) } else { 1.0 };
    let odd = rng.random_bool(0.1);
    Array2::from_shape_simple_fn((rows, columns), || {
        if odd { number(rng) } else { scale * rng.random_range(-2.0..2.0) }
    })
}

#[test]
fn random_calls_give_results_or_errors() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut found = 0;
    for round in 0..4000 {
        let seed = rng.random();
        let what = format!("round {round}");
        survives(&what, || {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let features: Vec<_> = (0..rng.random_range(0..6)).map(|_| feature(rng, 2)).collect();
            for f in &features {
                let state = vec![number(rng); rng.random_range(0..4)];
                let _ = (f.value(&state), f.derivative(0), f.to_text(&["q"]), f.to_latex(&["q"]));
            }
            let library = match rng.random_range(0..6) {
                0 => Library::from_features(count(rng), features),
                1 => Library::monomials(count(rng), count(rng)..=count(rng)),
                2 => Library::trigonometric(count(rng), &[number(rng), 1.0], count(rng)),
                3 => Library::monomials_per_variable(&[count(rng), count(rng)]),
                4 => Library::pair_distances(count(rng), &[-1, 2, i32::MIN]),
                _ => Library::from_features(
                    1,
                    features.into_iter().chain([x(0).powi(2), x(1).powi(2)]),
                ),
            };
            let Ok(library) = library else { return };
            let small = library.len() <= 60 && library.dim() <= 6;
            let Ok(ansatz) = Ansatz::new(&library) else { return };
            if small {
                // Random data seldom have a formula: that none is found is as good a result.
                let result = fit(rng, &ansatz);
                found +=
                    usize::from(matches!(result, Ok(()) | Err(SparseError::NothingFound { .. })));
            }
        });
    }
    assert!(found > 200, "{found} of 4000 came to a selection");
}

/// Any road from random data to a formula.
fn fit(rng: &mut ChaCha8Rng, ansatz: &Ansatz) -> Result<(), SparseError> {
    let (rows, dim) = (rng.random_range(0..120), ansatz.dim());
    let mut observations = Observations::new(dim);
    let step = if rng.random_bool(0.2) { number(rng) } else { 0.1 };
    let begin = if rng.random_bool(0.2) { number(rng) } else { 0.0 };
    let times = (0..rows).map(|k| begin + step * k as f64).collect();
    let states = table(rng, rows, dim);
    observations.push(times, states.clone())?;
    let width = if rng.random_bool(0.3) { number(rng) } else { 2.0 };
    let equations: Equations = match rng.random_range(0..5) {
        0 => WeakForm::default()
            .width(width)?
            .stride(number(rng).abs())?
            .equations(&observations, ansatz)?,
        1 => WeakForm::default().equations(&observations, ansatz)?,
        2 => IntegralForm::new(width)?.equations(&observations, ansatz)?,
        3 => {
            let degree = count(rng);
            let kind = Differentiation::SavitzkyGolay { width, degree };
            kind.samples(&observations)?.equations(ansatz)?
        }
        _ => {
            let slopes = table(rng, rows, dim);
            let weights: Vec<f64> =
                (0..rows).map(|_| if rows > 60 { 1.0 } else { number(rng) }).collect();
            let samples = Samples::new(states, slopes)?.with_weights(&weights)?;
            samples.with_relative_error(number(rng).abs()).equations(ansatz)?
        }
    };
    let _ = Diagnosis::of(&equations)?.to_string();
    let gram = Gram::of(&equations)?;
    let weights: Vec<f64> = (0..gram.columns()).map(|_| number(rng).abs()).collect();
    let penalty = Penalty::default().standardize(rng.random_bool(0.5)).weights(weights);
    let penalty = penalty.and_then(|p| p.l1_share(number(rng).abs()));
    let lasso = Lasso::default().penalty(penalty.unwrap_or_default()).max_sweeps(200);
    let _ = lasso.solve(&gram, number(rng).abs());
    let folds = Folds::ByPoint { count: count(rng) };
    if let Ok(v) = CrossValidation::run(&equations, &lasso, folds, count(rng).min(20), 0.01) {
        let _ = (v.best(), v.one_std_error());
    }
    let found = Selection::default().run(&equations)?;
    let _ = (found.to_string(), found.model().to_json().is_ok());
    let _ = Shooting::default().refine(found.model(), &observations);
    Ok(())
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
        let shooting = Shooting::default().points(points)?;
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

    let message = refused("endless steps", || Shooting::default().steps(usize::MAX));
    assert!(message.contains("18446744073709551615") && message.contains("10000"), "{message}");
    let mut far = Observations::new(2);
    let (times, states) = swing(40);
    far.push(times.iter().map(|t| 1e300 * t).collect(), states).expect("valid");
    let message = refused("times without end", || fit(20, &far));
    assert!(message.contains("runs to infinity"), "{message}");

    let mut many = Observations::new(2);
    let (times, states) = swing(30_000);
    many.push(times, states).expect("valid");
    let shooting = Shooting::default().points(2).expect("valid");
    let message = refused("a large formula", || shooting.refine(&rough(16), &many));
    assert!(message.contains("more points a segment"), "{message}");
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
