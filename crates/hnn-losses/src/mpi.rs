//! Ranks of MPI.

use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;

use mpi::Threading;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

use crate::Ranks;

/// Runs a program on all ranks of MPI (`mpirun -n 4 PROGRAM`): `main` gets them. An error on one rank, or a
/// panic, is told there with the rank's number, and ends the program on all of them.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     hnn_losses::mpi::run(|ranks| -> Result<(), hnn_losses::LossError> {
///         let mut rows = [1000.0 + ranks.rank() as f64];
///         ranks.add_up(&mut rows);
///         if ranks.rank() == 0 {
///             println!("{} rows", rows[0]);
///         }
///         Ok(())
///     })
/// }
/// ```
///
/// MPI is begun and ended here, once a process: a second call is refused with an error.
pub fn run<E: Display>(main: impl FnOnce(&Arc<dyn Ranks>) -> Result<(), E>) -> ExitCode {
    // One thread at a time calls MPI: that of the training, which need not be the first.
    let Some((universe, threading)) = mpi::initialize_with_threading(Threading::Serialized) else {
        eprintln!("error: MPI has been begun before in this process: call `mpi::run` once");
        return ExitCode::FAILURE;
    };
    let world = universe.world();
    let rank = world.rank();
    if threading < Threading::Serialized {
        eprintln!("error: this MPI serves one thread only: take one built for threads");
        world.abort(1);
    }
    let ranks: Arc<dyn Ranks> = Arc::new(World);
    let abort = AbortOnPanic { rank };
    let result = main(&ranks);
    drop(abort);
    if let Err(error) = result {
        eprintln!("error on rank {rank} of {}: {error}", world.size());
        world.abort(1);
    }
    drop(universe);
    ExitCode::SUCCESS
}

/// Other ranks would wait for one that panics.
struct AbortOnPanic {
    rank: i32,
}

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("rank {} panicked", self.rank);
            SimpleCommunicator::world().abort(101);
        }
    }
}

/// All processes of the program.
#[derive(Debug)]
struct World;

impl Ranks for World {
    fn rank(&self) -> usize {
        SimpleCommunicator::world().rank().unsigned_abs() as usize
    }

    fn count(&self) -> usize {
        SimpleCommunicator::world().size().unsigned_abs() as usize
    }

    /// Each rank adds up one part of the places for all: a part goes to its rank, and its sums to all. As many
    /// numbers go over the network as in MPI's own reduction, whose order of additions is left to the
    /// implementation.
    fn add_up(&self, numbers: &mut [f64]) {
        let (count, world) = (self.count(), SimpleCommunicator::world());
        if count == 1 || numbers.is_empty() {
            return;
        }
        let part = numbers.len().div_ceil(count);
        let mut sent = numbers.to_vec();
        sent.resize(part * count, 0.0);
        let mut parts = vec![0.0; part * count];
        world.all_to_all_into(&sent[..], &mut parts[..]);
        let (sums, others) = parts.split_at_mut(part);
        for other in others.chunks_exact(part) {
            sums.iter_mut().zip(other).for_each(|(sum, number)| *sum += number);
        }
        world.all_gather_into(&*sums, &mut sent[..]);
        numbers.copy_from_slice(&sent[..numbers.len()]);
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let (count, world) = (self.count(), SimpleCommunicator::world());
        let mut lengths = vec![0_u64; count];
        world.all_gather_into(&(own.len() as u64), &mut lengths[..]);
        // Padded to the longest: no length is beyond what MPI counts in.
        let longest = lengths.iter().copied().max().unwrap_or(0) as usize;
        if longest == 0 {
            return vec![Vec::new(); count];
        }
        let mut padded = own.to_vec();
        padded.resize(longest, 0);
        let mut all = vec![0; longest * count];
        world.all_gather_into(&padded[..], &mut all[..]);
        let parts = all.chunks_exact(longest).zip(lengths);
        parts.map(|(part, length)| part[..length as usize].to_vec()).collect()
    }
}
