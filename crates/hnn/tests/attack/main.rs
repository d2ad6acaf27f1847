//! Files and calls that nobody should make: each gives a result or an error, without a panic, within
//! 5 seconds of a processor and a gibibyte.
//!
//! 20 000 files and 20 000 calls; `HNN_ATTACK=100000` makes as many as it says, and `HNN_ATTACK_ROUND=7` that one
//! round of each kind.

mod calls;
mod files;
mod odd;
#[allow(unreachable_pub, reason = "the fuzz targets are these functions")]
mod readers;
mod watch;
