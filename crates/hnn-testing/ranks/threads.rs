//! Ranks that are threads of a test: a module of the tests of several crates, which this crate, below all of
//! them, cannot have itself.

use std::sync::{Arc, Barrier, Mutex};

use hnn_losses::Ranks;

/// What the threads of a team pass on to each other.
#[derive(Debug)]
struct Table {
    given: Mutex<Vec<Vec<u8>>>,
    barrier: Barrier,
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
        let own: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        numbers.fill(0.0);
        for given in self.gather(&own) {
            let given = given.as_chunks().0.iter().map(|x| f64::from_le_bytes(*x));
            numbers.iter_mut().zip(given).for_each(|(sum, x)| *sum += x);
        }
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        self.table.given.lock().unwrap()[self.rank] = own.to_vec();
        self.table.barrier.wait();
        let all = self.table.given.lock().unwrap().clone();
        self.table.barrier.wait();
        all
    }
}

/// What each of so many ranks makes of it.
pub(crate) fn on_ranks<R: Send>(
    count: usize,
    work: impl Fn(&Arc<dyn Ranks>) -> R + Sync,
) -> Vec<R> {
    let given = Mutex::new(vec![Vec::new(); count]);
    let table = Arc::new(Table { given, barrier: Barrier::new(count) });
    std::thread::scope(|scope| {
        let start = |rank| {
            let (table, work) = (Arc::clone(&table), &work);
            scope.spawn(move || {
                let ranks: Arc<dyn Ranks> = Arc::new(Thread { rank, count, table });
                work(&ranks)
            })
        };
        let threads: Vec<_> = (0..count).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
