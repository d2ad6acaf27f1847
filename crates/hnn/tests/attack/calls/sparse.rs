//! Libraries, and all roads from data to a formula.

use hnn::Error;
use hnn::ndarray::Array2;
use hnn::sparse::{
    Ansatz, Argument, CrossValidation, Diagnosis, Differentiation, Distillation, Equations,
    Expression, Folds, Friction, Gram, IntegralForm, Lasso, Library, Observations, Penalty,
    Samples, Selection, Shooting, SparseError, SparseHamiltonian, WeakForm,
};
use hnn::systems::Spring;

use crate::odd::Odd;

pub(super) fn call(odd: &mut Odd) -> Result<(), Error> {
    let features = odd.some(5, |odd| feature(odd, 2));
    for feature in &features {
        let length = odd.below(4);
        let state = odd.numbers(length);
        let _ = (feature.value(&state), feature.derivative(0), feature.derivative(odd.count(3)));
        let _ = (feature.to_text(&["q"]), feature.to_latex(&["q"]));
    }
    let library = library(odd, features)?;
    let position = library.position(odd.pick(&["q", "p^2", "x"])).is_ok();
    let mut ansatz = Ansatz::new(&library)?;
    if position && odd.yes(0.3) {
        ansatz =
            ansatz.with_friction(&library, odd.pick(&[Friction::Shared, Friction::PerMomentum]))?;
    }
    if library.len() > 60 || library.dim() > 6 {
        return Ok(());
    }
    let _ = library.values(odd.table(3, library.dim()).view())?;
    model(odd, &ansatz)?;
    match odd.below(5) {
        0 => distill(odd, &library),
        // Random data seldom have a formula: that none is found is as good a result.
        _ => match fit(odd, &ansatz) {
            Err(Error::Sparse(SparseError::NothingFound { .. })) => Ok(()),
            result => result,
        },
    }
}

fn feature(odd: &mut Odd, depth: u32) -> Expression {
    let u = match odd.yes(0.5) {
        true => Argument::Coordinate(odd.below(3)),
        false => Argument::Difference(odd.below(3), odd.below(2)),
    };
    match odd.below(if depth == 0 { 5 } else { 9 }) {
        0 => Expression::coordinate(odd.count(3)),
        1 => Expression::sin_of(odd.number(), u),
        2 => Expression::cos_of(odd.number(), u),
        3 => Expression::distance(&vec![u; odd.below(3)]),
        4 => Expression::log_distance(&[u]),
        5 => feature(odd, depth - 1) + feature(odd, depth - 1),
        6 => feature(odd, depth - 1) * feature(odd, depth - 1),
        7 => {
            let exponent = odd.exponent();
            feature(odd, depth - 1).powi(exponent)
        }
        _ => odd.number() * feature(odd, depth - 1),
    }
}

fn library(odd: &mut Odd, features: Vec<Expression>) -> Result<Library, Error> {
    let usual = || [0, 1].map(|i| Expression::coordinate(i).powi(2));
    let few = 1 + odd.below(2);
    let n = if odd.is_odd() { odd.count(3) } else { few };
    let mut library = match odd.below(7) {
        0 => Library::from_features(n, features)?,
        1 => Library::monomials(n, odd.count(2)..=odd.count(5))?,
        2 => Library::trigonometric(n, &[odd.number(), 1.0], odd.count(3))?,
        3 => Library::monomials_per_variable(&[odd.count(4), odd.count(4)])?,
        4 => Library::pair_distances(n, &[-1, odd.exponent()])?,
        5 => {
            let distance = odd.some(2, |odd| Argument::Coordinate(odd.count(2)));
            Library::radial(n, &[distance], &[odd.exponent()], odd.yes(0.5))?
        }
        _ => Library::from_features(1, features.into_iter().chain(usual()))?,
    };
    if odd.yes(0.2) {
        library = library.product(&Library::from_features(n, usual())?)?;
    }
    if odd.yes(0.2) {
        library = library.union(&Library::from_features(n, usual())?)?;
    }
    Ok(library)
}

fn model(odd: &mut Odd, ansatz: &Ansatz) -> Result<(), Error> {
    let mut coefficients = odd.numbers(ansatz.columns().len().min(99));
    coefficients.truncate(odd.length(coefficients.len()));
    let mut model = SparseHamiltonian::from_coefficients(ansatz, &coefficients)?;
    let _ = (model.to_text(), model.to_latex(), model.to_rust().is_ok());
    let again = SparseHamiltonian::from_json(&model.to_json()?, &[])?;
    assert_eq!(again.coefficients(), model.coefficients());
    let length = odd.length(coefficients.len());
    model.set_coefficients(&odd.numbers(length))?;
    assert!(model.coefficients().iter().all(|c| c.is_finite()));
    Ok(())
}

fn distill(odd: &mut Odd, library: &Library) -> Result<(), Error> {
    let domain: Vec<_> = (0..odd.length(2)).map(|_| (-odd.positive(), odd.positive())).collect();
    let distillation = Distillation::new(&domain)?
        .with_samples(odd.count(200))?
        .with_relative_error(odd.or_odd(1e-6));
    let found = distillation.run(&Spring::default(), library)?;
    let _ = (found.found.to_string(), found.found.model().to_json()?);
    Ok(())
}

/// Any road from random data to a formula.
fn fit(odd: &mut Odd, ansatz: &Ansatz) -> Result<(), Error> {
    let (rows, dim) = (odd.below(120), ansatz.dim());
    let mut observations = Observations::new(dim);
    let (step, begin) = (odd.or_odd(0.1), odd.or_odd(0.0));
    let times = (0..rows).map(|k| begin + step * k as f64).collect();
    let states = states(odd, rows, dim);
    observations.push(times, states.clone())?;
    let width = odd.or_odd(2.0);
    let equations: Equations = match odd.below(5) {
        0 => WeakForm::default()
            .with_width(width)?
            .with_stride(odd.or_odd(0.2))?
            .equations(&observations, ansatz)?,
        1 => WeakForm::default().equations(&observations, ansatz)?,
        2 => IntegralForm::new(width)?.equations(&observations, ansatz)?,
        3 => {
            let kind = Differentiation::SavitzkyGolay { width, degree: odd.count(5) };
            kind.samples(&observations)?.equations(ansatz)?
        }
        _ => {
            let weights = odd.numbers(rows).into_iter().map(f64::abs).collect::<Vec<_>>();
            let slopes = odd.table(rows, dim);
            let samples = Samples::new(states, slopes)?.with_weights(&weights)?;
            samples.with_relative_error(odd.or_odd(1e-3)).equations(ansatz)?
        }
    };
    let _ = Diagnosis::new(&equations)?.to_string();
    let gram = Gram::from_equations(&equations)?;
    let weights: Vec<f64> = (0..gram.columns()).map(|_| odd.positive()).collect();
    let penalty = Penalty::default().with_standardisation(odd.yes(0.5)).with_weights(weights);
    let penalty = penalty.and_then(|p| p.with_l1_share(odd.or_odd(1.0)));
    let lasso = Lasso::default().with_penalty(penalty.unwrap_or_default()).with_max_sweeps(200);
    if let Ok(solution) = lasso.solve(&gram, odd.positive()) {
        assert!(solution.coefficients.iter().all(|w| w.is_finite()));
    }
    let folds = Folds::ByPoint { count: odd.count(6) };
    if let Ok(v) = CrossValidation::run(&equations, &lasso, folds, odd.count(20), 0.01) {
        let _ = (v.best(), v.one_std_error());
    }
    let found = Selection::default().run(&equations)?;
    assert!(found.terms.iter().all(|term| term.coefficient.is_finite()), "{found}");
    let _ = (found.to_string(), found.model().to_json()?);
    // So many steps as make a fit long are no fault.
    let steps = odd.count(9);
    let steps = if steps == 1000 { 9 } else { steps };
    let shooting = Shooting::default().with_points(odd.count(20))?.with_steps(steps)?;
    if let Ok(refined) = shooting.refine(found.model(), &observations) {
        assert!(refined.model.coefficients().iter().all(|c| c.is_finite()));
    }
    Ok(())
}

/// States at random, or along a circle.
fn states(odd: &mut Odd, rows: usize, dim: usize) -> Array2<f64> {
    if odd.yes(0.5) {
        return odd.table(rows, dim);
    }
    let scale = odd.or_odd(1.0);
    Array2::from_shape_fn((rows, dim), |(k, i)| scale * (0.1 * k as f64 + 1.5 * i as f64).cos())
}
