//! When noise and prior are estimated, and what they are.

use hnn_losses::ResidualLayout;

use super::evidence::Evidence;
use super::linear::Weights;
use super::settings::EvidenceRule;
use crate::TrainError;
use crate::error::require;
use crate::optimiser::take;

/// Estimates that change by less than this fraction are settled.
const SETTLED: f64 = 0.01;

/// Noise and prior, as far as they are known.
#[derive(Debug)]
pub(super) struct Estimates {
    rule: EvidenceRule,
    terms: usize,
    has_begun: bool,
    /// Steps since the last estimate.
    steps: usize,
    /// None before the first estimate: those of the loss.
    pub(super) weights: Option<Weights>,
}

impl Estimates {
    pub(super) fn new(rule: EvidenceRule, layout: &ResidualLayout) -> Result<Self, TrainError> {
        for (name, _) in &rule.variances {
            let exists = layout.terms().contains(name);
            require(exists, "the term of a known variance", name, "the name of a term")?;
        }
        let terms = layout.terms().len();
        Ok(Self { rule, terms, has_begun: false, steps: 0, weights: None })
    }

    /// Whether it is time to estimate, at a point that has been read.
    pub(super) fn is_due(&self) -> bool {
        self.has_begun && (self.weights.is_none() || self.steps >= self.rule.every)
    }

    /// Counts a step that gained this fraction.
    pub(super) fn count(&mut self, gain: f64) {
        self.steps += 1;
        self.has_begun |= gain < self.rule.begin;
    }

    /// Takes new estimates. Whether they are the old ones.
    pub(super) fn update(&mut self, evidence: &Evidence, theta: &[f64], least: f64) -> bool {
        let new = evidence.estimate(&self.rule, theta, least);
        let pairs = |old: &Weights| {
            let terms = old.of_terms.iter().copied().zip(new.of_terms.iter().copied());
            terms.chain([(old.prior, new.prior)]).collect::<Vec<_>>()
        };
        let settled = self.weights.as_ref().is_some_and(|old| {
            pairs(old).iter().all(|(old, new)| (old - new).abs() <= SETTLED * new.abs())
        });
        (self.steps, self.has_begun) = (0, true);
        self.weights = Some(new);
        settled
    }

    pub(super) fn save(&self, state: &mut Vec<f64>) {
        let has_begun = f64::from(u8::from(self.has_begun));
        let weighted = f64::from(u8::from(self.weights.is_some()));
        state.extend([has_begun, self.steps as f64, weighted]);
        if let Some(weights) = &self.weights {
            state.push(weights.prior);
            state.extend(&weights.of_terms);
        }
    }

    pub(super) fn restore(&mut self, state: &mut &[f64]) -> Result<(), TrainError> {
        let head = take(state, 3)?;
        (self.has_begun, self.steps) = (head[0] > 0.0, head[1] as usize);
        self.weights = None;
        if head[2] > 0.0 {
            let prior = take(state, 1)?[0];
            self.weights = Some(Weights { prior, of_terms: take(state, self.terms)?.to_vec() });
        }
        Ok(())
    }
}
