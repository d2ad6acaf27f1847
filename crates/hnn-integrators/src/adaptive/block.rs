//! A block of trajectories, each with a step size of its own.

use super::AdaptiveRun;
use super::drive::Drive;
use super::ledger::Entry;
use super::observe::Observer;
use super::starts::Starts;
use crate::kernel::{AdaptiveSteps, Controller, Job, Law, Part, Slots, Work, do_part};
use crate::step::add_scaled_stages;
use crate::{At, FieldError, Interval, Scalar, VectorField, Workspace};

/// A block of trajectories to be integrated adaptively.
#[expect(missing_debug_implementations, reason = "hidden from users")]
pub struct AdaptiveJob<'r, 'a, T> {
    pub(super) field: &'r dyn VectorField<T>,
    pub(super) run: &'r mut AdaptiveRun<'a, T>,
    /// Sees every accepted step.
    pub(super) observer: Option<&'r mut dyn Observer<T>>,
}

impl<T: Scalar> AdaptiveJob<'_, '_, T> {
    /// Runs every trajectory to its last time, or to its failure.
    pub(crate) fn run(self) {
        Block::new(self).run();
    }
}

pub(super) struct Block<'r, 'a, T> {
    pub(super) field: &'r dyn VectorField<T>,
    pub(super) run: &'r mut AdaptiveRun<'a, T>,
    pub(super) law: Law<'a, T>,
    /// Whether the field has a kernel.
    pub(super) fused: bool,
    /// The inputs.
    pub(super) drive: Drive<'r, T>,
    pub(super) dim: usize,
    pub(super) slots: Slots<T>,
    /// What is under way in each slot; `None` where it is over, and the slot at rest.
    pub(super) ledger: Vec<Option<Entry>>,
    /// The next trajectory to take up.
    pub(super) waiting: usize,
    /// Steps tried by every slot since the block began.
    pub(super) round: usize,
    /// The round in which a slot makes its last step, if its trajectory has not ended by then.
    pub(super) deadline: usize,
    pub(super) weights: Vec<f64>,
    pub(super) scratch: Scratch<T>,
    pub(super) observer: Option<&'r mut dyn Observer<T>>,
}

#[derive(Debug, Default)]
pub(super) struct Scratch<T> {
    pub(super) t: Vec<T>,
    pub(super) stage: Vec<T>,
    pub(super) u: Vec<T>,
    pub(super) empty: Vec<usize>,
    /// Slots that go on to another piece of their signal, and the steps that they had planned.
    pub(super) turning: Vec<(usize, T)>,
    pub(super) starts: Starts<T>,
    pub(super) workspace: Workspace<T>,
}

impl<'r, 'a, T: Scalar> Block<'r, 'a, T> {
    fn new(AdaptiveJob { field, run, observer }: AdaptiveJob<'r, 'a, T>) -> Self {
        let (batch, dim) = run.x0.dim();
        let max_step = T::from_f64(run.settings.max_step.min(f64::MAX));
        let law = Law {
            pair: run.pair,
            control: Controller::new(run.pair.error_order),
            tolerances: run.settings.tolerances,
            max_step: if max_step.is_finite() { max_step } else { T::INFINITY },
        };
        let (stages, drive) = (run.pair.all_stages(), Drive::new(field, run.first));
        let mut block = Self {
            field,
            run,
            law,
            fused: false,
            drive,
            dim,
            slots: Slots::new(0, dim, stages),
            ledger: Vec::new(),
            waiting: 0,
            round: 0,
            deadline: usize::MAX,
            weights: vec![0.0; stages],
            scratch: Scratch::default(),
            observer,
        };
        // Asked by steps of no slots.
        let mut width = batch;
        block.fused = block.try_fused(&mut width);
        let count = batch.min(width);
        block.slots = Slots::new(count, dim, stages);
        block.ledger = vec![None; count];
        block.drive.resize(count);
        block.round = 0;
        block
    }

    /// Runs every trajectory to its last time, or to its failure.
    fn run(mut self) {
        self.refill();
        while self.slots.count() > 0 {
            if !self.fused {
                do_part(&mut self.slots, &self.law, Part::Plan);
                if let Err(error) = self.try_step() {
                    self.object(error);
                    continue;
                }
                let passes = do_part(&mut self.slots, &self.law, Part::Judge);
                self.round += 1;
                if !passes && self.observer.is_none() && self.round < self.deadline {
                    do_part(&mut self.slots, &self.law, Part::Conclude);
                    continue;
                }
            } else {
                self.try_fused(&mut 0);
            }
            self.attend();
        }
    }

    /// Steps in one kernel until a slot needs attention; says whether the field has one.
    fn try_fused(&mut self, width: &mut usize) -> bool {
        let deadline = if self.observer.is_some() { 0 } else { self.deadline };
        // A piece of a signal goes on with the step that was planned: at rest it would be lost.
        let patience = if self.drive.has_pieces() { 0 } else { self.slots.count() / 8 };
        let (slots, law, round) = (&mut self.slots, self.law, &mut self.round);
        let steps = AdaptiveSteps { slots, law, round, deadline, patience, width };
        self.field.kernel(&mut Job(Work::Adaptive(steps)))
    }

    /// The stages of a step of every slot.
    fn try_step(&mut self) -> Result<(), FieldError> {
        let method = self.run.pair.tableau.coefficients();
        for stage in 1..method.stages() {
            self.evaluate(stage, method.c[stage], method.row(stage))?;
        }
        std::mem::swap(&mut self.scratch.stage, &mut self.slots.end);
        Ok(())
    }

    /// Slope number `stage`, of all slots.
    pub(super) fn evaluate(
        &mut self,
        stage: usize,
        node: f64,
        weights: &[f64],
    ) -> Result<(), FieldError> {
        let Slots { t, dt, x, slopes, .. } = &mut self.slots;
        let Scratch { t: now, stage: state, u, workspace, .. } = &mut self.scratch;
        let len = x.len();
        now.resize(t.len(), T::ZERO);
        state.resize(len, T::ZERO);
        let (done, slope) = slopes[..(stage + 1) * len].split_at_mut(stage * len);
        Interval::new(t, dt).at(node, now, &mut []);
        add_scaled_stages(x, dt, weights, done, state);
        self.drive.write(0..now.len(), now, u)?;
        self.field.eval(At { t: now, u }, state, slope, workspace)
    }

    /// Saves what the judged steps pass, and ends them.
    fn attend(&mut self) {
        if let Err(error) = self.evaluate_extra() {
            self.round -= 1;
            return self.object(error);
        }
        self.save();
        self.find_turning();
        do_part(&mut self.slots, &self.law, Part::Conclude);
        self.turn();
        self.retire();
    }

    /// The field refused a stage: that slot tries a smaller step. Any other error ends them all.
    fn object(&mut self, error: FieldError) {
        match error {
            FieldError::Undefined { row, .. }
                if self.ledger.get(row).is_some_and(Option::is_some) =>
            {
                let shorter = self.law.control.rejected(f64::NAN);
                self.slots.h[row] = self.slots.dt[row] * T::from_f64(shorter);
                self.slots.growth[row] = T::ONE;
                if let Some(entry) = &mut self.ledger[row] {
                    entry.refused += 1;
                    entry.complaint = Some(error);
                }
            }
            error => {
                for slot in 0..self.ledger.len() {
                    self.fail_with(slot, error.clone());
                }
            }
        }
        self.retire();
    }
}
