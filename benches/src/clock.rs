//! Time that this thread has run.

use std::time::Instant;

/// A running clock: processor time of the current thread where the system tells it (Linux), so
/// that other processes do not count; wall time elsewhere.
#[derive(Debug)]
pub struct Clock {
    wall: Instant,
    thread: Option<f64>,
}

impl Clock {
    /// Starts a clock.
    #[must_use]
    pub fn start() -> Self {
        Self { wall: Instant::now(), thread: thread_seconds() }
    }

    /// Seconds this thread has run since the start.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        match (self.thread, thread_seconds()) {
            (Some(then), Some(now)) => now - then,
            _ => self.wall_seconds(),
        }
    }

    /// Seconds on the wall since the start.
    #[must_use]
    pub fn wall_seconds(&self) -> f64 {
        self.wall.elapsed().as_secs_f64()
    }
}

/// Processor time of this thread, exact to well under a microsecond.
#[cfg(target_os = "linux")]
fn thread_seconds() -> Option<f64> {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Some(time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64)
}

#[cfg(not(target_os = "linux"))]
fn thread_seconds() -> Option<f64> {
    None
}
