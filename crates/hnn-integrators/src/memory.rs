//! How much memory a call may take for what its caller asked.

use thiserror::Error;

/// The most bytes that one call takes for what its caller asked, in any of the crates: one
/// gibibyte. A count given by mistake is an error before it fills the memory.
pub const MOST_BYTES: u128 = 1 << 30;

/// What was asked for takes more memory than one call may, [`MOST_BYTES`].
///
/// ```
/// use hnn_integrators::TooLarge;
/// assert!(TooLarge::check("samples", 1000, 16, "take fewer").is_ok());
/// let error = TooLarge::check("samples", 1_u64 << 40, 16, "take fewer").expect_err("too many");
/// let message = "1099511627776 samples would take 17592186044416 bytes, but a call may take \
///                1073741824 at most: take fewer";
/// assert_eq!(error.to_string(), message);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{count} {what} would take {bytes} bytes, but a call may take {MOST_BYTES} at most: {remedy}"
)]
pub struct TooLarge {
    /// What was asked for.
    pub what: &'static str,
    /// How many, as far as 64 bits tell.
    pub count: u64,
    /// The memory they take, likewise.
    pub bytes: u64,
    /// What to do.
    pub remedy: &'static str,
}

impl TooLarge {
    /// Checks the memory for `count` things of `each` bytes, before it is allocated.
    ///
    /// # Errors
    /// If they take more than [`MOST_BYTES`].
    pub fn check(
        what: &'static str,
        count: impl TryInto<u128>,
        each: usize,
        remedy: &'static str,
    ) -> Result<(), Self> {
        let count = count.try_into().unwrap_or(u128::MAX);
        Self::check_bytes(what, count, count.saturating_mul(each as u128), remedy)
    }

    /// The same for things that take so many bytes in all.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_bytes(
        what: &'static str,
        count: u128,
        bytes: u128,
        remedy: &'static str,
    ) -> Result<(), Self> {
        if bytes <= MOST_BYTES {
            return Ok(());
        }
        let [count, bytes] = [count, bytes].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        Err(Self { what, count, bytes, remedy })
    }
}
