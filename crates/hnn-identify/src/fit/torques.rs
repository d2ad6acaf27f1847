//! Inverse dynamics: the inputs, one for each degree of freedom, as sums of what they do.

use hnn_sparse::{Expression, InverseDynamics, Library, Selection, WeakForm};

use super::formula::{names, observations};
use crate::IdentifyError;
use crate::candidate::{Candidate, Constant, Model};
use crate::problem::Problem;

/// The weak form's windows, in periods: wide, for the noise of a torque that a controller makes is fast.
const WIDTH: f64 = 0.25;
/// From one window to the next, in widths.
const STRIDE: f64 = 0.1;

/// `u = d/dt dL/dv - dL/dq + friction`, regressed in its weak form.
///
/// A measured torque is noisy. On the left of the equations its noise averages out, and biases nothing;
/// as the input of trajectories it does.
pub(crate) fn torques(problem: &Problem) -> Result<Candidate, IdentifyError> {
    let n = problem.degrees;
    let library = Library::from_features(n, features(problem))?;
    let library = library.with_coordinate_names(names(problem))?;
    let mut dynamics = InverseDynamics::new(&library)?;
    for i in 0..n {
        let friction = Expression::friction(n + i, problem.friction_width(i));
        dynamics = dynamics.with_friction(i, friction)?;
    }
    let form = WeakForm::default().width(WIDTH * problem.period)?.stride(STRIDE)?;
    let equations = form.equations(&observations(problem)?, &dynamics)?;
    let found = Selection::default().run(&equations)?;
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
