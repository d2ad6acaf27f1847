//! Whoever is called gives a result or an error: without a panic, soon, and in bounded memory.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use hnn_testing::processor_time;

/// A call that takes a processor for longer hangs.
const HANG: Duration = Duration::from_secs(5);
/// A call that has not come back by then never will.
const NEVER: Duration = Duration::from_secs(120);
const MOST_BYTES: u64 = 1 << 30;

/// As many rounds as `HNN_ATTACK` says, or so many.
pub(crate) fn rounds(quick: u64) -> u64 {
    std::env::var("HNN_ATTACK").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(quick)
}

/// Makes the call of each round, and fails with all that went wrong. A round says whether it came to
/// a result; their share is returned.
pub(crate) fn attack(name: &str, rounds: u64, round: impl Fn(u64) -> bool + Sync) -> f64 {
    let now = Mutex::new((0, Instant::now()));
    let over = AtomicBool::new(false);
    let run = || {
        let (mut faults, mut results) = (Vec::new(), 0_u64);
        let only = std::env::var("HNN_ATTACK_ROUND").ok().and_then(|k| k.parse().ok());
        for k in only.map_or(0..rounds, |k| k..k + 1) {
            *now.lock().expect("no panic holds it") = (k, Instant::now());
            let begin = processor_time();
            let mut end = Ok(false);
            let bytes = measure(|| end = catch_unwind(AssertUnwindSafe(|| round(k)))).bytes_max;
            let elapsed = processor_time() - begin;
            match end {
                Ok(result) => results += u64::from(result),
                Err(_) => faults.push(format!("{name}, round {k} panicked")),
            }
            if elapsed > HANG {
                faults.push(format!("{name}, round {k} took {elapsed:?}"));
            }
            if bytes > MOST_BYTES {
                faults.push(format!("{name}, round {k} took {bytes} bytes"));
            }
        }
        over.store(true, Ordering::Relaxed);
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
        results as f64 / rounds as f64
    };
    let watch = || {
        while !over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
            let (k, begin) = *now.lock().expect("no panic holds it");
            if begin.elapsed() > NEVER {
                // Not by a macro, whose output a test captures.
                let _ = writeln!(std::io::stderr(), "{name}, round {k} never ends");
                std::process::abort();
            }
        }
    };
    // On one thread all that is allocated is counted.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    thread::scope(|scope| {
        scope.spawn(watch);
        pool.install(run)
    })
}
