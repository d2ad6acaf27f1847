//! How much memory features, and the columns that they make, take.

use hnn_integrators::TooLarge;

use crate::expression::Expression;

/// Checks the memory for derivatives of features.
pub(crate) fn require_room_for_derivatives<'a>(
    features: impl IntoIterator<Item = &'a Expression>,
    order: u32,
) -> Result<(), TooLarge> {
    let (mut count, mut bytes) = (0_u128, 0_u128);
    for feature in features {
        count += 1;
        bytes = bytes.saturating_add(feature.bytes_of_derivatives(order));
    }
    let remedy = "take fewer features, or products of fewer factors";
    TooLarge::check_bytes("features with derivatives", count, bytes, remedy)
}

/// The same for what takes a square matrix of numbers, as the columns of a regression do.
pub(crate) fn require_square(
    what: &'static str,
    count: impl TryInto<u128>,
    remedy: &'static str,
) -> Result<(), TooLarge> {
    let count = count.try_into().unwrap_or(u128::MAX);
    TooLarge::check_bytes(what, count, count.saturating_mul(count).saturating_mul(8), remedy)
}

/// `binomial(n, k)` for `k <= n`, or the largest number. It at least doubles with each factor, so
/// there are few.
pub(crate) fn binomial(n: u128, k: u128) -> u128 {
    let mut value = 1_u128;
    for i in 0..k.min(n.saturating_sub(k)) {
        value = match value.checked_mul(n - i) {
            Some(product) => product / (i + 1),
            None => return u128::MAX,
        };
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_binomials_are_exact_and_large_ones_saturate() {
        assert_eq!([binomial(5, 2), binomial(26, 6), binomial(7, 0)], [10, 230_230, 1]);
        assert_eq!(binomial(50, 10), 10_272_278_170);
        assert_eq!(binomial(u128::MAX, u128::MAX / 2), u128::MAX);
    }

    #[test]
    fn squares_are_checked() {
        let error = require_square("features of a library", 230_229_u128, "lower the degrees");
        let message = error.expect_err("too many").to_string();
        for part in ["230229 features of a library", "424043139528 bytes", "lower the degrees"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(require_square("columns", 10_625_usize, "fewer").is_ok());
    }
}
