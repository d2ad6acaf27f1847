//! The inputs of the slots.

use crate::signal::Signals;
use crate::{FieldError, Scalar, VectorField};

/// Whose signal each slot follows, and on which of its pieces.
pub(super) struct Drive<'a, T> {
    signals: Option<Signals<'a, T>>,
    inputs: usize,
    /// Number of the block's first trajectory.
    first: usize,
    /// Index of the trajectory in the block, and the piece of its signal.
    slots: Vec<(usize, usize)>,
}

impl<'a, T: Scalar> Drive<'a, T> {
    pub(super) fn new(field: &'a dyn VectorField<T>, first: usize) -> Self {
        Self { signals: field.signals(), inputs: field.inputs(), first, slots: Vec::new() }
    }

    pub(super) fn resize(&mut self, count: usize) {
        self.slots.resize(count, (0, 0));
    }

    /// A trajectory takes up a slot.
    pub(super) fn take_up(&mut self, slot: usize, index: usize, t: T, forward: bool) {
        let piece = match self.signals {
            Some(Signals::Sampled(signals)) => signals[self.first + index].piece(t, forward),
            _ => 0,
        };
        self.slots[slot] = (index, piece);
    }

    /// Whether signals have pieces.
    pub(super) fn has_pieces(&self) -> bool {
        matches!(self.signals, Some(Signals::Sampled(_)))
    }

    /// Where the piece at hand ends, if it does.
    pub(super) fn end(&self, slot: usize, forward: bool) -> Option<T> {
        let Some(Signals::Sampled(signals)) = self.signals else { return None };
        let (index, piece) = self.slots[slot];
        signals[self.first + index].end_of(piece, forward)
    }

    /// The slot goes on to the next piece; says whether its inputs may have jumped.
    pub(super) fn turn(&mut self, slot: usize, forward: bool) -> bool {
        let Some(Signals::Sampled(signals)) = self.signals else { return false };
        let (index, piece) = &mut self.slots[slot];
        *piece = if forward { *piece + 1 } else { piece.saturating_sub(1) };
        signals[self.first + *index].jumps()
    }

    /// A slot follows what another one follows.
    pub(super) fn follow(&mut self, slot: usize, other: usize) {
        self.slots[slot] = self.slots[other];
    }

    /// Keeps these slots, in order.
    pub(super) fn pack(&mut self, kept: &[usize]) {
        self.slots = kept.iter().map(|slot| self.slots[*slot]).collect();
    }

    /// Writes the inputs of some slots at their times, coordinate-major.
    pub(super) fn write(
        &self,
        slots: impl Iterator<Item = usize>,
        t: &[T],
        u: &mut Vec<T>,
    ) -> Result<(), FieldError> {
        let batch = t.len();
        u.clear();
        u.resize(self.inputs * batch, T::ZERO);
        let Some(signals) = self.signals else { return Ok(()) };
        let mut own = vec![T::ZERO; self.inputs];
        for (row, (slot, t)) in slots.zip(t).enumerate() {
            let (index, piece) = self.slots[slot];
            let trajectory = self.first + index;
            match signals {
                Signals::Sampled(signals) => {
                    let signal = &signals[trajectory];
                    own.iter_mut().enumerate().for_each(|(k, u)| *u = signal.value(piece, *t, k));
                }
                Signals::Function(function) => function(trajectory, *t, &mut own),
            }
            for (k, value) in own.iter().enumerate() {
                if !value.is_finite() {
                    let reason = format!("input {k} is {value} at t = {t}: pass a finite signal");
                    return Err(FieldError::Undefined { row, reason });
                }
                u[k * batch + row] = *value;
            }
        }
        Ok(())
    }
}
