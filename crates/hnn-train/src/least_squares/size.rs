//! How much memory the equations of a step take.

use hnn_integrators::TooLarge;
use hnn_losses::ResidualLayout;

use crate::linalg::Symmetric;

/// Checks the normal equations, with or without evidence.
pub(super) fn check_normal(
    num_params: usize,
    layout: &ResidualLayout,
    evidence: bool,
) -> Result<(), TooLarge> {
    // The sums and a factor; for evidence also an inverse, on its way, and a term's own sums.
    let matrices = if evidence { 5 } else { 2 };
    let cross = 8 * layout.num_locals() as u128 * num_params as u128;
    let bytes = matrices * Symmetric::bytes(num_params) + cross;
    let remedy = "take a smaller model, or without evidence the matrix-free form";
    check("parameters in normal equations", num_params, bytes, remedy)
}

/// Checks the dual form of scalars of some bytes, with all rows.
pub(super) fn check_dual(
    num_params: usize,
    layout: &ResidualLayout,
    scalar: usize,
) -> Result<(), TooLarge> {
    let rows = layout.len() as u128 * num_params as u128 * scalar as u128;
    let bytes = 2 * Symmetric::bytes(layout.len()) + rows;
    let remedy = "take the normal or the matrix-free form";
    check("residuals in dual equations", layout.len(), bytes, remedy)
}

/// Rows of a group are in memory together.
pub(super) fn check_groups(
    num_params: usize,
    layout: &ResidualLayout,
    scalar: usize,
) -> Result<(), TooLarge> {
    let groups = (0..layout.num_groups()).map(|group| layout.residuals(group).len());
    let largest = groups.max().unwrap_or(0);
    let bytes = largest as u128 * num_params as u128 * scalar as u128;
    let remedy = "take a smaller model, or shorter windows";
    check("rows of residuals of one group", largest, bytes, remedy)
}

fn check(
    what: &'static str,
    count: usize,
    bytes: u128,
    remedy: &'static str,
) -> Result<(), TooLarge> {
    TooLarge::check_bytes(what, count as u128, bytes, remedy)
}
