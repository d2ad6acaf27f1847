//! Laws with constants, by least squares on trajectories.

use hnn_train::{LeastSquares, Scaling};
use ndarray::{Array1, Array2, Axis};

use super::{derivative_loss, trajectory_loss};
use crate::candidate::{Candidate, Constant, Model};
use crate::problem::Problem;
use crate::{Feature, IdentifyError, Law};

/// Steps of a fit at most.
const STEPS: usize = 60;
/// Windows, in periods, each of which begins where the one before has led to.
const WINDOWS: [f64; 3] = [0.25, 1.0, 3.0];
/// Constants of fewer standard errors are not supported by the data.
const SUPPORTED: f64 = 3.0;
/// Terms that are smaller than this share of the accelerations are not, either: the method's own errors
/// are as large.
const SHARE: f64 = 1e-3;

/// Which features a law has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recipe {
    /// Springs between all positions, viscous friction, inputs.
    Oscillator,
    /// Weight and viscous friction, inputs: the least that a pendulum has.
    Pendulum,
    /// All features; those that the data do not support are left out again.
    Supported,
}

impl Recipe {
    pub(crate) fn name(self, problem: &Problem) -> &'static str {
        match self {
            Self::Oscillator => "linear oscillator",
            Self::Pendulum => "pendulum, viscous friction",
            Self::Supported if problem.angles.contains(&true) => "pendulum, all supported terms",
            Self::Supported => "oscillator, all supported terms",
        }
    }

    pub(crate) fn features(self, problem: &Problem) -> Vec<Feature> {
        let (n, angles) = (problem.degrees, &problem.angles);
        let all = |feature: fn(usize) -> Feature| (0..n).map(feature);
        let mut features = Vec::new();
        match self {
            Self::Oscillator => {
                features.push(Feature::One);
                features.extend(all(Feature::Position));
                features.extend(all(Feature::Velocity));
            }
            Self::Pendulum => {
                features.extend(all(Feature::Sin));
                features.extend(all(Feature::Velocity));
            }
            Self::Supported => {
                for i in 0..n {
                    match angles[i] {
                        true => features.extend([Feature::Sin(i), Feature::Cos(i)]),
                        false => features.extend([Feature::Position(i), Feature::Cube(i)]),
                    }
                    let width = problem.friction_width(i);
                    features.push(Feature::Velocity(i));
                    features.extend([Feature::Coulomb { of: i, width }, Feature::Drag(i)]);
                }
                features.push(Feature::One);
            }
        }
        features.extend((0..problem.inputs.len()).map(Feature::Input));
        features
    }
}

/// The law that the data choose.
pub(crate) fn law(problem: &Problem, recipe: Recipe) -> Result<Candidate, IdentifyError> {
    let mut features = recipe.features(problem);
    let (n, inputs) = (problem.degrees, problem.inputs.len());
    let mut law = Law::new(n, inputs, &features, &vec![0.0; n * features.len()])?;
    LeastSquares::new(STEPS).with_scaling(Scaling::Diagonal).fit(
        &mut law,
        &mut derivative_loss(problem)?,
        None,
        &mut (),
    )?;
    let mut covariance = fit(problem, &mut law, &WINDOWS)?;
    let mut dropped = Vec::new();
    if recipe == Recipe::Supported {
        while features.len() > 1 {
            let errors = covariance.diag().mapv(f64::sqrt);
            let terms = features.len();
            // A feature's is the largest of its constants' ratios to their standard errors.
            let sizes = law.sizes(&problem.train.measured);
            let support = |k: usize| {
                let ratios = (0..n).map(|i| {
                    let constant = law.constants()[i * terms + k].abs();
                    let share = constant * sizes[k] / problem.scales.rate()[n + i];
                    if share < SHARE { 0.0 } else { constant / errors[i * terms + k] }
                });
                ratios.fold(0.0, f64::max)
            };
            let main = |k: usize| {
                matches!(features[k], Feature::Sin(_) | Feature::Position(_) | Feature::Input(_))
            };
            let weakest =
                (0..terms).filter(|k| !main(*k)).min_by(|a, b| support(*a).total_cmp(&support(*b)));
            let Some(k) = weakest.filter(|k| support(*k) < SUPPORTED) else { break };
            dropped.extend((0..n).map(|i| {
                let (value, error) = (law.constants()[i * terms + k], errors[i * terms + k]);
                Constant { name: name(problem, i, features[k]), value, error }
            }));
            features.remove(k);
            let kept = law.constants().iter().enumerate().filter(|(place, _)| place % terms != k);
            let constants = Vec::from_iter(kept.map(|(_, constant)| *constant));
            law = Law::new(n, inputs, &features, &constants)?;
            covariance = fit(problem, &mut law, &WINDOWS[WINDOWS.len() - 1..])?;
        }
    }
    let errors = covariance.diag().mapv(f64::sqrt);
    let constants = Vec::from_iter(law.constants().iter().zip(&errors).enumerate().map(
        |(place, (value, error))| {
            let (i, feature) = (place / features.len(), features[place % features.len()]);
            Constant { name: name(problem, i, feature), value: *value, error: *error }
        },
    ));
    let by_input = by_input(problem, &law, &covariance);
    Ok(Candidate {
        constants,
        by_input,
        dropped,
        formula: Some(law.text(&problem.positions, &problem.inputs)),
        ..Candidate::new(recipe.name(problem), Model::Law(law))
    })
}

fn name(problem: &Problem, degree: usize, feature: Feature) -> String {
    let text = feature.text(&problem.positions, &problem.inputs);
    if problem.degrees == 1 { text } else { format!("{} in {}''", text, problem.positions[degree]) }
}

/// Fits trajectories over longer and longer windows, and gives the constants' covariance; a window that cannot
/// be fitted ends it.
fn fit(problem: &Problem, law: &mut Law, windows: &[f64]) -> Result<Array2<f64>, IdentifyError> {
    let solver = LeastSquares::new(STEPS).with_scaling(Scaling::Diagonal);
    let mut last = None;
    for periods in windows {
        let mut loss = trajectory_loss(problem, periods * problem.period)?;
        let covariance = solver
            .fit(law, &mut loss, None, &mut ())
            .and_then(|_| solver.posterior(law, &mut loss, None))
            .and_then(|posterior| {
                let all = Vec::from_iter(0..law.constants().len());
                let mut covariance = posterior.covariance(&all)?;
                // Residuals hang together where the law misses something; too few windows do not tell.
                if let Ok(robust) = solver.robust_errors(law, &mut loss) {
                    let scale = |i: usize| (robust[i] / covariance[[i, i]].sqrt()).max(1.0);
                    let scales = Array1::from_shape_fn(robust.len(), scale);
                    covariance *= &scales;
                    covariance *= &scales.insert_axis(Axis(1));
                }
                Ok(covariance)
            });
        match (covariance, &last) {
            (Ok(covariance), _) => last = Some(covariance),
            (Err(error), None) => return Err(error.into()),
            (Err(_), Some(_)) => break,
        }
    }
    last.ok_or(IdentifyError::Law { reason: "there is no window to fit".into() })
}

/// Where one input drives one degree of freedom: all constants in the input's units, with the inertia in
/// place of the gain, `I q'' = u + sum of the others`.
fn by_input(problem: &Problem, law: &Law, covariance: &Array2<f64>) -> Vec<Constant> {
    let gains = law.features().iter().position(|feature| matches!(feature, Feature::Input(_)));
    let (Some(k), 1, 1) = (gains, problem.degrees, problem.inputs.len()) else { return vec![] };
    let constants = law.constants();
    let gain = constants[k];
    let input = &problem.inputs[0];
    Vec::from_iter(law.features().iter().enumerate().map(|(j, feature)| {
        if j == k {
            let error = covariance[[k, k]].sqrt() / (gain * gain);
            let name = format!("inertia ({input} per {}'')", problem.positions[0]);
            return Constant { name, value: 1.0 / gain, error: error.abs() };
        }
        let (of, ratio) = (1.0 / gain, constants[j] / gain);
        let variance = covariance[[j, j]] - 2.0 * ratio * covariance[[j, k]]
            + ratio * ratio * covariance[[k, k]];
        let text = feature.text(&problem.positions, &problem.inputs);
        let name = format!("{input} of {text}");
        Constant { name, value: ratio, error: (variance.max(0.0)).sqrt() * of.abs() }
    }))
}
