//! Ranks that are threads of one process.

use std::panic::resume_unwind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::Ranks;

/// What each of `count` ranks makes of it, where the ranks are threads of this process: a program for
/// many ranks, tried without MPI.
///
/// # Panics
/// If `work` panics on a rank, or a rank ends while others wait for it.
///
/// ```
/// let sums = hnn_losses::on_threads(3, |ranks| {
///     let mut rank = [ranks.rank() as f64];
///     ranks.add_up(&mut rank);
///     rank[0]
/// });
/// assert_eq!(sums, [3.0; 3]);
/// ```
pub fn on_threads<R: Send>(count: usize, work: impl Fn(&Arc<dyn Ranks>) -> R + Sync) -> Vec<R> {
    let table = Arc::new(Table::new(count));
    std::thread::scope(|scope| {
        let start = |rank| {
            let thread = Thread { rank, count, table: Arc::clone(&table) };
            let work = &work;
            scope.spawn(move || {
                let _leaving = Leaving(Arc::clone(&thread.table));
                let ranks: Arc<dyn Ranks> = Arc::new(thread);
                work(&ranks)
            })
        };
        let threads = Vec::from_iter((0..count).map(start));
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|e| resume_unwind(e)))
            .collect()
    })
}

#[derive(Debug)]
struct Thread {
    rank: usize,
    count: usize,
    table: Arc<Table>,
}

impl Ranks for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.count
    }

    fn add_up(&self, numbers: &mut [f64]) {
        let own = Vec::from_iter(numbers.iter().flat_map(|x| x.to_le_bytes()));
        numbers.fill(0.0);
        for given in self.gather(&own) {
            let given = given.as_chunks().0.iter().map(|x| f64::from_le_bytes(*x));
            numbers.iter_mut().zip(given).for_each(|(sum, x)| *sum += x);
        }
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        self.table.exchange(self.rank, own.to_vec())
    }
}

/// Where threads lay down what they give to each other.
#[derive(Debug)]
struct Table {
    round: Mutex<Round>,
    changed: Condvar,
}

#[derive(Debug)]
struct Round {
    number: usize,
    given: Vec<Option<Vec<u8>>>,
    /// What all gave in the round before.
    complete: Vec<Vec<u8>>,
    /// A thread has left.
    left: bool,
}

impl Table {
    fn new(count: usize) -> Self {
        let (given, complete) = (vec![None; count], Vec::new());
        let round = Mutex::new(Round { number: 0, given, complete, left: false });
        Self { round, changed: Condvar::new() }
    }

    fn round(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exchange(&self, rank: usize, own: Vec<u8>) -> Vec<Vec<u8>> {
        let mut round = self.round();
        let number = round.number;
        round.given[rank] = Some(own);
        if round.given.iter().all(Option::is_some) {
            round.complete = round.given.iter_mut().flat_map(Option::take).collect();
            round.number += 1;
            self.changed.notify_all();
        }
        let goes_on = |round: &mut Round| round.number == number && !round.left;
        let round = self.changed.wait_while(round, goes_on).unwrap_or_else(PoisonError::into_inner);
        assert!(round.number > number, "a rank has ended while rank {rank} waits for it");
        round.complete.clone()
    }
}

/// Tells the others when a thread leaves.
struct Leaving(Arc<Table>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.round().left = true;
        self.0.changed.notify_all();
    }
}
