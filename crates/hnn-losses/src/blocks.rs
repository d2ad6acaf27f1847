//! Work cut into blocks, on all threads, with results that do not depend on their number.

use std::mem;
use std::ops::{Add, Range};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hnn_integrators::{Scalar, parallel};

use crate::LossError;

/// At most this many blocks have a gradient of their own; a slot takes several blocks in turn
/// beyond. A constant, so that the order of additions does not depend on the machine.
const MAX_SLOTS: usize = 32;

/// The scratch memory of a batch's blocks, and their sums of type `A`.
#[derive(Debug)]
pub(crate) struct Blocks<T, S, A = f64> {
    slots: Vec<Mutex<Slot<T, A>>>,
    /// One for each thread that has worked. The one that was used last comes first: it is in a cache.
    scratches: Mutex<Vec<S>>,
}

#[derive(Debug)]
struct Slot<T, A> {
    /// All 0 between two runs, unless one has panicked.
    theta_bar: Vec<T>,
    sum: Result<A, LossError>,
}

impl<T, S, A> Default for Blocks<T, S, A> {
    fn default() -> Self {
        Self { slots: Vec::new(), scratches: Mutex::default() }
    }
}

impl<T, A: Default> Default for Slot<T, A> {
    fn default() -> Self {
        Self { theta_bar: Vec::new(), sum: Ok(A::default()) }
    }
}

/// What is behind a lock, which is held for moments in which nothing panics.
fn locked<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same without a lock.
fn of<V>(mutex: &mut Mutex<V>) -> &mut V {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
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
        let (slots, scratches) = (&mut self.slots[..used], &self.scratches);
        let shared = &*slots;
        parallel::each(used, &|index| {
            // Nobody else wants this slot.
            let mut slot = shared[index].lock().unwrap_or_else(|poisoned| {
                // Its work panicked, and left a part of a sum.
                let mut slot = poisoned.into_inner();
                slot.theta_bar.clear();
                slot
            });
            let Slot { theta_bar, sum } = &mut *slot;
            if let Some(params) = params {
                theta_bar.resize(params, T::ZERO);
            }
            let mut scratch = locked(scratches).pop().unwrap_or_default();
            let share = index * blocks / used..(index + 1) * blocks / used;
            *sum = share
                .map(|block| block * items / blocks..(block + 1) * items / blocks)
                .try_fold(A::default(), |sum, items| {
                    let gradient = params.map(|_| &mut theta_bar[..]);
                    Ok(sum + work(items, &mut scratch, gradient)?)
                });
            locked(scratches).push(scratch);
        });
        if let Some(theta_bar) = &mut theta_bar {
            add_gradients(slots, theta_bar);
        }
        slots.iter_mut().try_fold(A::default(), |sum, slot| Ok(sum + of(slot).sum.clone()?))
    }

    /// All scratch memory.
    pub(crate) fn scratches(&mut self) -> impl Iterator<Item = &mut S> {
        of(&mut self.scratches).iter_mut()
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

/// Adds the slots' gradients, each parameter in the order of the slots, and leaves 0 there.
fn add_gradients<T: Scalar, A>(slots: &mut [Mutex<Slot<T, A>>], theta_bar: &mut [T]) {
    for slot in slots {
        let of_slot = of(slot).theta_bar.iter_mut();
        theta_bar.iter_mut().zip(of_slot).for_each(|(sum, g)| *sum += mem::take(g));
    }
}
