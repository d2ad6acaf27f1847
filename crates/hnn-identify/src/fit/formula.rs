//! A formula of few terms, by sparse regression on the weak form, refined by trajectories.

use hnn_integrators::Between;
use hnn_sparse::{
    Ansatz, Expression, Library, Observations, Selection, Shooting, SparseHamiltonian, WeakForm,
};
use ndarray::{ArrayView2, s};

use crate::IdentifyError;
use crate::candidate::{Candidate, Constant, Model};
use crate::problem::Problem;

/// Powers of a coordinate in the energy.
const DEGREE: i32 = 4;

/// `H(q, p)` and forces of friction and inputs, few terms of many.
pub(crate) fn formula(problem: &Problem) -> Result<Candidate, IdentifyError> {
    let ansatz = ansatz(problem)?;
    let observations = observations(problem, problem.train.measured.states())?;
    let equations = WeakForm::default().equations(&observations, &ansatz)?;
    let found = Selection::default().run(&equations)?;
    let rough = found.model().clone();
    let refined = Shooting::default().refine(&rough, &observations);
    let model: SparseHamiltonian = refined.map_or(rough, |refined| refined.model);
    let constants = model.terms().iter().zip(found.names()).map(|(term, name)| Constant {
        name,
        value: term.coefficient(),
        error: term.std_error(),
    });
    Ok(Candidate {
        constants: constants.collect(),
        formula: Some(model.to_text()),
        ..Candidate::new("sparse formula", Model::Formula(Box::new(model)))
    })
}

/// The training rows, with these states.
pub(super) fn observations(
    problem: &Problem,
    states: ArrayView2<'_, f64>,
) -> Result<Observations, IdentifyError> {
    let observations = Observations::new(2 * problem.degrees).with_inputs(problem.inputs.len());
    let mut observations = match problem.between {
        Between::Held => observations.held(),
        _ => observations,
    };
    let mut first = 0;
    for one in problem.train.measured.iter() {
        let rows = s![first..first + one.times.len(), ..];
        let (states, inputs) = (states.slice(rows).to_owned(), one.inputs.to_owned());
        observations.push_with_inputs(one.times.to_vec(), states, inputs)?;
        first += one.times.len();
    }
    Ok(observations)
}

/// Names of the coordinates.
pub(super) fn names(problem: &Problem) -> Vec<String> {
    let rates = problem.positions.iter().map(|name| match problem.has_momenta {
        true => format!("p_{name}"),
        false => format!("{name}'"),
    });
    problem.positions.iter().cloned().chain(rates).collect()
}

fn ansatz(problem: &Problem) -> Result<Ansatz, IdentifyError> {
    let n = problem.degrees;
    let mut features = vec![];
    for i in 0..n {
        let (q, p) = (Expression::coordinate(i), Expression::coordinate(n + i));
        match problem.angles[i] {
            true => features.extend([Expression::sin(1.0, i), Expression::cos(1.0, i)]),
            false => features.extend((1..=DEGREE).map(|power| q.powi(power))),
        }
        features.push(p.powi(2));
        features.push(q * p.powi(2));
        features.push(p.powi(4));
        for j in i + 1..n {
            features.push(Expression::coordinate(n + i) * Expression::coordinate(n + j));
            features.push(match problem.angles[i] && problem.angles[j] {
                true => Expression::cos_of(1.0, hnn_sparse::Argument::Difference(i, j)),
                false => Expression::coordinate(i) * Expression::coordinate(j),
            });
        }
    }
    let energy = Library::from_features(n, features)?.with_coordinate_names(names(problem))?;
    let mut ansatz = Ansatz::new(&energy)?.with_inputs(problem.inputs.clone())?;
    for i in 0..n {
        let width = problem.friction_width(i);
        let inputs = (0..problem.inputs.len()).map(Expression::input);
        ansatz =
            ansatz.with_force(i, Expression::friction(n + i, width).into_iter().chain(inputs))?;
    }
    Ok(ansatz)
}
