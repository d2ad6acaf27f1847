//! Independent pieces of work on all cores.

use std::sync::Mutex;

/// Applies `f` to every item, in parallel where the feature `threads` is on, and returns the
/// results in the order of the items.
///
/// Uses rayon's current thread pool: run inside `ThreadPool::install` to choose another.
pub fn map<I: Send, R: Send>(items: Vec<I>, f: impl Fn(I) -> R + Sync) -> Vec<R> {
    let slots: Vec<Mutex<(Option<I>, Option<R>)>> =
        items.into_iter().map(|item| Mutex::new((Some(item), None))).collect();
    each(slots.len(), &|index| {
        // A lock is poisoned only where `f` has panicked, and then nobody comes here again.
        let Ok(mut slot) = slots[index].lock() else { return };
        slot.1 = slot.0.take().map(&f);
    });
    slots.into_iter().filter_map(|slot| slot.into_inner().ok()?.1).collect()
}

/// Calls `f` with every chunk of `len` items, at least one (the last one may be shorter), and its
/// number.
pub fn chunks_mut<T: Send>(items: &mut [T], len: usize, f: &(dyn Fn(usize, &mut [T]) + Sync)) {
    let len = len.max(1);
    #[cfg(feature = "threads")]
    if items.len() > len {
        use rayon::prelude::*;
        return items.par_chunks_mut(len).enumerate().for_each(|(k, chunk)| f(k, chunk));
    }
    items.chunks_mut(len).enumerate().for_each(|(k, chunk)| f(k, chunk));
}

/// Calls `f` with every index below `count`: one driver for all closures, so that a thread pool's
/// plumbing is compiled once.
pub fn each(count: usize, f: &(dyn Fn(usize) + Sync)) {
    #[cfg(feature = "threads")]
    if count > 1 {
        use rayon::prelude::*;
        return (0..count).into_par_iter().for_each(f);
    }
    (0..count).for_each(f);
}
