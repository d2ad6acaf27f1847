//! Which joints rub, and how: viscous friction, dry friction, or both.

use hnn_sparse::{
    Equations, Expression, FoundTerm, InverseDynamics, Selection, SparseFit, SparseLagrangian,
};

use crate::IdentifyError;
use crate::candidate::Constant;
use crate::problem::Problem;

/// Frictions below this share of the torque, with three standard errors, are none.
const SMALL: f64 = 0.01;
/// Criteria that differ by less tell no law from another (Kass and Raftery 1995).
const TOLD: f64 = 2.0;
/// So many standard errors below 0 are no noise.
const NEGATIVE: f64 = 3.0;

/// The kinds, in the order of [`Expression::friction`].
const KINDS: [&str; 2] = ["viscous", "dry"];

type Found = SparseFit<SparseLagrangian>;

/// One kind of friction on one joint.
pub(super) struct Friction {
    name: String,
    joint: usize,
    kind: &'static str,
    /// Coefficients below are negligible.
    least: f64,
}

impl Friction {
    /// Adds all kinds on all joints to the unknowns.
    pub(super) fn of_joints(
        problem: &Problem,
        dynamics: &mut InverseDynamics,
    ) -> Result<Vec<Self>, IdentifyError> {
        let n = problem.degrees;
        let mut all = Vec::new();
        for joint in 0..n {
            let features = Expression::friction(n + joint, problem.friction_width(joint));
            let first = dynamics.names().len();
            let features = features.into_iter().take(KINDS.len());
            *dynamics = dynamics.clone().with_friction(joint, features)?;
            let torque = problem.train.measured.inputs().column(joint).std(0.0);
            // How large what they multiply is: a velocity, and a sign.
            let sizes = [problem.scales.size()[n + joint], 1.0];
            let names = dynamics.names().into_iter().skip(first);
            all.extend(names.zip(KINDS).zip(sizes).map(|((name, kind), size)| Self {
                name,
                joint,
                kind,
                least: SMALL * torque / size,
            }));
        }
        Ok(all)
    }

    /// Whether it would put energy in, or is known to be negligible.
    fn is_refused(&self, found: &Found) -> bool {
        found.term(&self.name).is_some_and(|term| {
            term.coefficient < 0.0 || term.coefficient + 3.0 * term.std_error < self.least
        })
    }
}

/// What is chosen, and what else there was.
pub(super) struct Rubbing {
    pub(super) found: Found,
    pub(super) dropped: Vec<Constant>,
    pub(super) doubts: Vec<String>,
}

/// A choice of frictions by two principles: friction takes energy out, so that no coefficient is negative; and
/// joints rub, so that one kind stays on each, unless it is known to be negligible. For what is left out only because
/// it is not known well, other constants make up.
pub(super) struct Choice {
    pub(super) equations: Equations<InverseDynamics>,
    pub(super) frictions: Vec<Friction>,
}

impl Choice {
    /// From all frictions, the one whose loss costs least goes, as long as that is no loss.
    pub(super) fn run(&self, problem: &Problem) -> Result<Rubbing, IdentifyError> {
        let mut kept = vec![true; self.frictions.len()];
        let mut found = self.fit(&kept)?;
        loop {
            let fewer = (0..kept.len()).filter(|k| self.may_go(*k, &kept, &found));
            let fits = fewer.filter_map(|k| Some((k, self.fit(&toggled(&kept, k)).ok()?)));
            let least = fits.min_by(|a, b| self.order(&a.1, &b.1));
            match least.filter(|(_, fewer)| self.order(fewer, &found).is_lt()) {
                Some((k, fewer)) => (kept[k], found) = (false, fewer),
                None => break,
            }
        }
        let (mut dropped, mut doubts) = (Vec::new(), Vec::new());
        for k in (0..kept.len()).filter(|k| !kept[*k]) {
            self.say(k, &kept, &found, problem, (&mut dropped, &mut doubts));
        }
        Ok(Rubbing { found, dropped, doubts })
    }

    /// With these frictions alone, all of them.
    fn fit(&self, kept: &[bool]) -> Result<Found, IdentifyError> {
        let names = |is_kept: bool| {
            let all = self.frictions.iter().zip(kept);
            all.filter(move |(_, kept)| **kept == is_kept).map(|(friction, _)| &friction.name)
        };
        Ok(Selection::default().require(names(true)).forbid(names(false)).run(&self.equations)?)
    }

    fn may_go(&self, k: usize, kept: &[bool], found: &Found) -> bool {
        let of_joint = self
            .frictions
            .iter()
            .zip(kept)
            .filter(|(friction, kept)| **kept && friction.joint == self.frictions[k].joint);
        kept[k] && (of_joint.count() > 1 || self.frictions[k].is_refused(found))
    }

    /// First by how many frictions are refused, then by the criterion.
    fn order(&self, a: &Found, b: &Found) -> std::cmp::Ordering {
        let refused = |found: &Found| self.frictions.iter().filter(|f| f.is_refused(found)).count();
        refused(a).cmp(&refused(b)).then(a.score.total_cmp(&b.score))
    }

    /// What is to be said about a friction that is left out: its value beside the others, and whether in place of
    /// the other kind it would do as well.
    fn say(
        &self,
        k: usize,
        kept: &[bool],
        found: &Found,
        problem: &Problem,
        (dropped, doubts): (&mut Vec<Constant>, &mut Vec<String>),
    ) {
        let Friction { name, joint, kind, .. } = &self.frictions[k];
        let beside = toggled(kept, k);
        let with = self.fit(&beside).ok();
        if let Some(term) = with.as_ref().and_then(|with| with.term(name)) {
            if term.coefficient < -NEGATIVE * term.std_error {
                doubts.push(format!(
                    "{} would put energy in, and is left out: an input or a velocity that is late does that",
                    constant(term)
                ));
            } else {
                dropped.push(constant(term));
            }
        }
        let other = (0..kept.len()).find(|o| kept[*o] && self.frictions[*o].joint == *joint);
        let Some(other) = other else { return };
        let Ok(instead) = self.fit(&toggled(&beside, other)) else { return };
        if instead.score - found.score < TOLD && !self.frictions[k].is_refused(&instead) {
            let constants = instead.terms.iter().map(|term| constant(term).to_string());
            doubts.push(format!(
                "{kind} friction of {} explains {} as well as {} friction does, with {}: longer trials, at other \
                 speeds, tell them apart",
                problem.positions[*joint],
                problem.inputs[*joint],
                self.frictions[other].kind,
                Vec::from_iter(constants).join(", ")
            ));
        }
    }
}

fn toggled(kept: &[bool], k: usize) -> Vec<bool> {
    kept.iter().enumerate().map(|(at, kept)| *kept != (at == k)).collect()
}

pub(super) fn constant(term: &FoundTerm) -> Constant {
    Constant { name: term.name.clone(), value: term.coefficient, error: term.std_error }
}
