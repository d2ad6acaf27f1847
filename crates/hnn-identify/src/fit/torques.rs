//! Inverse dynamics: the inputs, one for each degree of freedom, as sums of what they do.

use hnn_sparse::{Expression, InverseDynamics, Library, Selection, WeakForm};

use super::formula::{names, observations};
use crate::IdentifyError;
use crate::candidate::{Candidate, Constant, Model};
use crate::problem::Problem;

/// Frictions below this share of the torque, with three standard errors, are none.
const SMALL: f64 = 0.01;

/// `u = d/dt dL/dv - dL/dq + friction`, regressed in its weak form.
///
/// A measured torque is noisy. On the left of the equations its noise averages out, and biases nothing;
/// as the input of trajectories it does.
pub(crate) fn torques(problem: &Problem) -> Result<Candidate, IdentifyError> {
    let n = problem.degrees;
    let library = Library::from_features(n, features(problem))?;
    let library = library.with_coordinate_names(names(problem))?;
    let mut dynamics = InverseDynamics::new(&library)?;
    let mut frictions = Vec::new();
    for i in 0..n {
        let features = Expression::friction(n + i, problem.friction_width(i));
        let first = dynamics.names().len();
        dynamics = dynamics.with_friction(i, features)?;
        // How large what they multiply is: a velocity, and a sign.
        let sizes = [problem.scales.size()[n + i], 1.0];
        let names = dynamics.names().into_iter().skip(first);
        frictions.extend(names.zip(sizes).map(|(name, size)| (name, size, i)));
    }
    let equations = WeakForm::default().equations(&observations(problem)?, &dynamics)?;
    // Joints rub. What is left out only because it is not known well, other constants make up for.
    let all = Selection::default().require(frictions.iter().map(|(name, ..)| name));
    let with_all = all.run(&equations)?;
    let torques = problem.train.measured.inputs();
    let is_known_to_be_small = |(name, size, i): &&(String, f64, usize)| {
        let most = with_all.term(name).map_or(0.0, |t| t.coefficient.abs() + 3.0 * t.std_error);
        let torque = torques.column(*i).std(0.0);
        most * size < SMALL * torque
    };
    let small = Vec::from_iter(frictions.iter().filter(is_known_to_be_small));
    let found = match small.is_empty() {
        true => with_all,
        false => {
            let small = Vec::from_iter(small.iter().map(|(name, ..)| name));
            let kept = frictions.iter().map(|(name, ..)| name).filter(|name| !small.contains(name));
            Selection::default().require(kept).forbid(small.iter().copied()).run(&equations)?
        }
    };
    let constants = found.terms.iter().map(|term| Constant {
        name: term.name.clone(),
        value: term.coefficient,
        error: term.std_error,
    });
    let constants = constants.collect();
    let model = found.into_model();
    Ok(Candidate {
        constants,
        formula: Some(model.to_text()),
        ..Candidate::new("inverse dynamics", Model::Torques(Box::new(model)))
    })
}

/// Summands of a Lagrangian: kinetic energies, alone and times the cosine of an angle; weights and springs.
fn features(problem: &Problem) -> Vec<Expression> {
    let n = problem.degrees;
    let q = Expression::coordinate;
    let v = |i: usize| Expression::coordinate(n + i);
    let is_angle = |i: usize| problem.angles[i];
    let mut features = Vec::new();
    for i in 0..n {
        for j in i..n {
            let product = if i == j { 0.5 * v(i).powi(2) } else { v(i) * v(j) };
            features.push(product.clone());
            // An inertia depends on the shape: on the angles after the first.
            let shapes = (1..n).filter(|k| is_angle(*k));
            features.extend(shapes.map(|k| product.clone() * Expression::cos(1.0, k)));
        }
    }
    for i in 0..n {
        let (sin, cos) = (|i| Expression::sin(1.0, i), |i| Expression::cos(1.0, i));
        if !is_angle(i) {
            features.extend([q(i), q(i).powi(2), q(i).powi(4)]);
            continue;
        }
        features.extend([sin(i), cos(i)]);
        if i > 0 && is_angle(i - 1) {
            let j = i - 1;
            // The sine and the cosine of the sum.
            features.push(sin(j) * cos(i) + cos(j) * sin(i));
            features.push(cos(j) * cos(i) - sin(j) * sin(i));
        }
    }
    features
}
