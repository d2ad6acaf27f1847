//! Work cut into blocks, on all threads, with results that do not depend on their number.

use std::mem;
use std::ops::{Add, Range};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hnn_integrators::{Scalar, parallel};

use crate::LossError;

/// At most this many pieces of work are shared out; a piece is several blocks in turn beyond. A constant,
/// so that the order of additions does not depend on the machine.
const MAX_PIECES: usize = 64;

/// The scratch memory of a batch's blocks, and their sums of type `A`.
#[derive(Debug)]
pub(crate) struct Blocks<T, S, A = f64> {
    /// One for each thread that has worked. The one that was used last comes first: it is in a cache.
    scratches: Mutex<Vec<S>>,
    /// What each piece returns.
    sums: Vec<Mutex<Result<A, LossError>>>,
    gradients: TreeSum<T>,
}

impl<T, S, A> Default for Blocks<T, S, A> {
    fn default() -> Self {
        Self { scratches: Mutex::default(), sums: Vec::new(), gradients: TreeSum::default() }
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
        theta_bar: Option<&mut [T]>,
        work: impl Fn(Range<usize>, &mut S, Option<&mut [T]>) -> Result<A, LossError> + Sync,
    ) -> Result<A, LossError> {
        let blocks = items.div_ceil(block_len.max(1)).max(1);
        let pieces = blocks.min(MAX_PIECES);
        let params = theta_bar.as_ref().map(|theta_bar| theta_bar.len());
        self.sums.resize_with(pieces, || Mutex::new(Ok(A::default())));
        self.gradients.begin(pieces);
        let Self { scratches, sums, gradients } = &*self;
        parallel::each(pieces, &|piece| {
            let mut scratch = locked(scratches).pop().unwrap_or_default();
            let mut gradient = params.map(|params| gradients.term(params));
            let share = piece * blocks / pieces..(piece + 1) * blocks / pieces;
            let sum = share
                .map(|block| block * items / blocks..(block + 1) * items / blocks)
                .try_fold(A::default(), |sum, items| {
                    Ok(sum + work(items, &mut scratch, gradient.as_deref_mut())?)
                });
            *locked(&sums[piece]) = sum;
            locked(scratches).push(scratch);
            if let Some(gradient) = gradient {
                gradients.add(piece, pieces, gradient);
            }
        });
        if let Some(theta_bar) = theta_bar {
            self.gradients.finish(theta_bar);
        }
        self.sums.iter_mut().try_fold(A::default(), |all, sum| Ok(all + of(sum).clone()?))
    }

    /// All scratch memory.
    pub(crate) fn scratches(&mut self) -> impl Iterator<Item = &mut S> {
        of(&mut self.scratches).iter_mut()
    }
}

/// A sum of gradients along a binary tree: who comes second to a node adds what both have. So the order of
/// the additions is that of the tree, whoever does them, and a few gradients are alive at a time.
#[derive(Debug)]
struct TreeSum<T> {
    /// What the first of two has left, level by level, and at the end the sum.
    nodes: Vec<Mutex<Option<Vec<T>>>>,
    /// All 0.
    spare: Mutex<Vec<Vec<T>>>,
}

impl<T> Default for TreeSum<T> {
    fn default() -> Self {
        Self { nodes: Vec::new(), spare: Mutex::default() }
    }
}

impl<T: Scalar> TreeSum<T> {
    /// Forgets what a sum that came to no end has left.
    fn begin(&mut self, terms: usize) {
        self.nodes.clear();
        self.nodes.resize_with(terms, Mutex::default);
    }

    /// A term, 0 yet.
    fn term(&self, len: usize) -> Vec<T> {
        let mut term = locked(&self.spare).pop().unwrap_or_default();
        term.resize(len, T::ZERO);
        term
    }

    /// Adds term number `index` of `count`.
    fn add(&self, index: usize, count: usize, mut sum: Vec<T>) {
        let (mut index, mut count, mut first) = (index, count, 0);
        while count > 1 {
            let has_sibling = (index ^ 1) < count;
            let (node, pairs) = (index / 2, count / 2);
            if has_sibling {
                let mut place = locked(&self.nodes[first + node]);
                let Some(other) = place.take() else {
                    *place = Some(sum);
                    return;
                };
                drop(place);
                self.add_to(&mut sum, other);
            }
            (index, count, first) = (node, count - pairs, first + pairs);
        }
        *locked(&self.nodes[first]) = Some(sum);
    }

    /// Adds the sum of all terms.
    fn finish(&mut self, theta_bar: &mut [T]) {
        if let Some(sum) = self.nodes.last_mut().and_then(|root| of(root).take()) {
            self.add_to(theta_bar, sum);
        }
    }

    /// `sum += term`, whose memory is set to 0 and kept.
    fn add_to(&self, sum: &mut [T], mut term: Vec<T>) {
        sum.iter_mut().zip(&mut term).for_each(|(sum, term)| *sum += mem::take(term));
        locked(&self.spare).push(term);
    }
}

/// Does all tasks, each of which has a place of its own for what it finds. Tasks share the
/// scratch memories by their number alone.
pub(crate) fn on_all_threads<S: Default + Send, I: Send>(
    scratches: &mut Vec<S>,
    tasks: Vec<I>,
    work: impl Fn(&mut S, I) -> Result<(), LossError> + Sync,
) -> Result<(), LossError> {
    let share = tasks.len().div_ceil(MAX_PIECES).max(1);
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
