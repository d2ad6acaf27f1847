//! Independent pieces of work on all cores.

/// Applies `f` to every item, in parallel where the feature `threads` is on, and returns the
/// results in the order of the items.
///
/// Uses rayon's current thread pool: run inside `ThreadPool::install` to choose another.
pub(crate) fn map<I: Send, R: Send>(items: Vec<I>, f: impl Fn(I) -> R + Sync + Send) -> Vec<R> {
    #[cfg(feature = "threads")]
    if items.len() > 1 {
        use rayon::prelude::*;
        return items.into_par_iter().map(f).collect();
    }
    items.into_iter().map(f).collect()
}
