//! Inverse dynamics: the inputs, one for each degree of freedom, as sums of what they do.

use hnn_sparse::{Expression, InverseDynamics, Library, WeakForm};

use super::formula::{names, observations};
use super::friction::{Choice, Friction, Rubbing, constant};
use crate::IdentifyError;
use crate::candidate::{Candidate, Model};
use crate::problem::Problem;

/// `u = d/dt dL/dv - dL/dq + friction`, regressed in its weak form.
///
/// A measured torque is noisy. On the left of the equations its noise averages out, and biases nothing;
/// as the input of trajectories it does. States are as they were measured, for windows average their noise, and
/// smoothing would blur what the torque does.
pub(crate) fn torques(problem: &Problem) -> Result<Candidate, IdentifyError> {
    let library = Library::from_features(problem.degrees, features(problem))?;
    let library = library.with_coordinate_names(names(problem))?;
    let mut dynamics = InverseDynamics::new(&library)?;
    let frictions = Friction::of_joints(problem, &mut dynamics)?;
    let observations = observations(problem, problem.train.raw.view())?;
    let equations = WeakForm::default().equations(&observations, &dynamics)?;
    let Rubbing { found, dropped, doubts } = Choice { equations, frictions }.run(problem)?;
    let constants = found.terms.iter().map(constant).collect();
    let model = found.into_model();
    Ok(Candidate {
        constants,
        dropped,
        doubts,
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
