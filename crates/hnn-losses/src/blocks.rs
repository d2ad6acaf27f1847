//! Work cut into blocks, on all threads, with results that do not depend on their number.

use std::ops::{Add, Range};
use std::sync::{Mutex, PoisonError};

use hnn_integrators::{Scalar, parallel};

use crate::LossError;

/// At most this many blocks have a gradient of their own; a slot takes several blocks in turn
/// beyond. A constant, so that the order of additions does not depend on the machine.
const MAX_SLOTS: usize = 32;

/// The scratch memory of a batch's blocks, and their sums of type `A`.
#[derive(Debug)]
pub(crate) struct Blocks<T, S, A = f64> {
    slots: Vec<Mutex<Slot<T, S, A>>>,
}

#[derive(Debug)]
struct Slot<T, S, A> {
    scratch: S,
    theta_bar: Vec<T>,
    sum: Result<A, LossError>,
}

impl<T, S, A> Default for Blocks<T, S, A> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<T, S: Default, A: Default> Default for Slot<T, S, A> {
    fn default() -> Self {
        Self { scratch: S::default(), theta_bar: Vec::new(), sum: Ok(A::default()) }
    }
}

/// What a slot holds.
fn of<T, S, A>(slot: &mut Mutex<Slot<T, S, A>>) -> &mut Slot<T, S, A> {
    slot.get_mut().unwrap_or_else(PoisonError::into_inner)
}

impl<T, S, A> Blocks<T, S, A>
where
    T: Scalar,
    S: Default + Send,
    A: Add<Output = A> + Copy + Default + Send,
{
    /// Calls `work(items, scratch, theta_bar)` for every block of at most `block_len` of the
    /// `items`, and returns the sum of what it returns. Where a gradient is asked for, `work` adds
    /// to the `theta_bar` it is given, and their sum is added to the caller's.
    pub(crate) fn run(
        &mut self,
        items: usize,
        block_len: usize,
        mut theta_bar: Option<&mut [T]>,
        work: impl Fn(Range<usize>, &mut S, Option<&mut [T]>) -> Result<A, LossError> + Sync,
    ) -> Result<A, LossError> {
        let blocks = items.div_ceil(block_len.max(1)).max(1);
        let used = blocks.min(MAX_SLOTS);
        let params = theta_bar.as_ref().map(|t| t.len());
        if self.slots.len() < used {
            self.slots.resize_with(used, Mutex::default);
        }
        let slots = &mut self.slots[..used];
        let shared = &*slots;
        parallel::each(used, &|index| {
            // Nobody else wants this slot. A lock is poisoned only where `work` has panicked, and then
            // its results are not looked at.
            let mut slot = shared[index].lock().unwrap_or_else(PoisonError::into_inner);
            let Slot { scratch, theta_bar, sum } = &mut *slot;
            if let Some(params) = params {
                theta_bar.clear();
                theta_bar.resize(params, T::ZERO);
            }
            let share = index * blocks / used..(index + 1) * blocks / used;
            *sum = share
                .map(|block| block * items / blocks..(block + 1) * items / blocks)
                .try_fold(A::default(), |sum, items| {
                    let gradient = params.map(|_| &mut theta_bar[..]);
                    Ok(sum + work(items, scratch, gradient)?)
                });
        });
        if let Some(theta_bar) = &mut theta_bar {
            add_gradients(slots, theta_bar);
        }
        slots.iter_mut().try_fold(A::default(), |sum, slot| Ok(sum + of(slot).sum.clone()?))
    }

    /// The scratch memory of all blocks.
    pub(crate) fn scratches(&mut self) -> impl Iterator<Item = &mut S> {
        self.slots.iter_mut().map(|slot| &mut of(slot).scratch)
    }
}

/// Does all tasks, each of which has a place of its own for what it finds. Tasks share the
/// scratch memories by their number alone.
pub(crate) fn on_all_threads<S: Default + Send, I: Send>(
    scratches: &mut Vec<S>,
    tasks: Vec<I>,
    work: impl Fn(&mut S, I) -> Result<(), LossError> + Sync,
) -> Result<(), LossError> {
    let share = tasks.len().div_ceil(MAX_SLOTS).max(1);
    let used = tasks.len().div_ceil(share);
    if scratches.len() < used {
        scratches.resize_with(used, S::default);
    }
    let mut tasks = tasks.into_iter();
    let shares: Vec<(Vec<I>, &mut S)> =
        scratches[..used].iter_mut().map(|s| (tasks.by_ref().take(share).collect(), s)).collect();
    let results = parallel::map(shares, |(tasks, scratch)| {
        tasks.into_iter().try_for_each(|task| work(scratch, task))
    });
    results.into_iter().collect()
}

/// Adds the slots' gradients, each parameter in the order of the slots.
fn add_gradients<T: Scalar, S, A>(slots: &mut [Mutex<Slot<T, S, A>>], theta_bar: &mut [T]) {
    for slot in slots {
        theta_bar.iter_mut().zip(&of(slot).theta_bar).for_each(|(sum, g)| *sum += *g);
    }
}
