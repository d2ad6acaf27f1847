//! Time that a busy machine does not stretch.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// What this thread has had of a processor, which the machine's other work does not change; the time
/// gone by where the system does not say.
#[must_use]
pub fn processor_time() -> Duration {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = told.and_then(|numbers| numbers.split(' ').next()?.parse().ok());
    spent.map_or_else(|| BEGIN.elapsed(), Duration::from_nanos)
}
