//! How an example runs: threads, seeds, its exit code.

use std::ops::Range;

use crate::{ExampleError, Result};

/// Makes everything run on so many threads; on all cores if `None`. The numbers do not depend on
/// it.
///
/// # Errors
/// If it is 0, or the threads cannot be started.
pub fn use_threads(threads: Option<usize>) -> Result<()> {
    let option = "--threads";
    match threads {
        None => Ok(()),
        Some(0) => Err(ExampleError::Option { option, reason: "give at least 1".to_owned() }),
        Some(threads) => rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|e| ExampleError::Option { option, reason: e.to_string() }),
    }
}

/// The most seeds of an experiment, and the largest first one.
const MOST_SEEDS: u64 = 1_000_000;
const LAST_FIRST_SEED: u64 = u32::MAX as u64;

/// So many seeds from the first one on.
///
/// # Errors
/// If there is none, or there are more than a million, or the first one is beyond 32 bits.
pub fn seed_range(first: u64, count: u64) -> Result<Range<u64>> {
    let refuse = |option, reason| Err(ExampleError::Option { option, reason });
    if !(1..=MOST_SEEDS).contains(&count) {
        return refuse("--seeds", format!("{count} is not 1 to {MOST_SEEDS}"));
    }
    if first > LAST_FIRST_SEED {
        return refuse("--first-seed", format!("{first} is not 0 to {LAST_FIRST_SEED}"));
    }
    Ok(first..first + count)
}

/// Runs an example, and reports its error.
pub fn exit(result: Result<(), impl std::fmt::Display>) -> std::process::ExitCode {
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
