//! How an example runs: threads, seeds, its exit code.

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

/// Checks that there is at least one seed.
///
/// # Errors
/// If there is none.
pub fn check_seeds(seeds: u64) -> Result<()> {
    if seeds > 0 {
        return Ok(());
    }
    Err(ExampleError::Option { option: "--seeds", reason: "give at least 1".to_owned() })
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
