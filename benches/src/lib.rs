//! A small harness for benchmarks that compare: every entry of a [`Contest`] is run in turn, round
//! after round, so that a busy machine slows all of them alike, and the medians go into a table.
//!
//! Options of every benchmark: `--quick` (smaller work, fewer rounds). Tables are printed and
//! written to `target/benchmarks/`. Other crates' solvers take part with feature `peers`.

#![allow(clippy::print_stdout, missing_debug_implementations)]

mod case;
mod clock;
mod contest;
#[cfg(feature = "peers")]
pub mod peers;
mod step;
pub mod systems;

pub use case::{Case, Run, print, serve};
pub use clock::Clock;
pub use contest::{Contest, Outcome};
pub use step::training_step;

/// What can go wrong in a benchmark.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The median of some times (the upper one of two); NaN if there are none.
pub fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The folder that is shared with peers: `HNN_PEERS`, or one beside the benchmarks' tables.
///
/// # Errors
/// If it cannot be made.
pub fn folder() -> Result<std::path::PathBuf, Error> {
    let tables = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/benchmarks");
    let folder = std::env::var_os("HNN_PEERS").map_or(tables, Into::into);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// What the command line asks for.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Less work, fewer rounds: figures are rougher.
    pub quick: bool,
}

impl Options {
    /// From the command line; arguments of other harnesses are ignored.
    #[must_use]
    pub fn from_args() -> Self {
        Self { quick: std::env::args().any(|argument| argument == "--quick") }
    }

    /// One of two values: the full one, or the quick one.
    #[must_use]
    pub fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// Says which instruction set the kernels use on this machine.
pub fn announce() {
    println!("instruction set: {}", hnn_integrators::instruction_set());
}

/// Runs `work` in a pool of `count` threads, on one of them.
///
/// # Panics
/// If the system gives no thread.
pub fn on_threads<R: Send>(count: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
    pool.expect("the system gives a thread").install(work)
}
