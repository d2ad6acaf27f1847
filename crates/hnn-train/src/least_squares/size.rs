//! How much memory the equations of a step take.

use hnn_losses::ResidualLayout;

use crate::TrainError;
use crate::linalg::Symmetric;

/// Bytes of the normal equations, with or without evidence.
fn normal(num_params: usize, layout: &ResidualLayout, evidence: bool) -> u128 {
    // The sums and a factor; for evidence also an inverse, on its way, and a term's own sums.
    let matrices = if evidence { 5 } else { 2 };
    let cross = 8 * layout.num_locals() as u128 * num_params as u128;
    matrices * Symmetric::bytes(num_params) + cross
}

/// Bytes of the dual form, with all rows.
fn dual(num_params: usize, layout: &ResidualLayout, row: u128) -> u128 {
    2 * Symmetric::bytes(layout.len()) + layout.len() as u128 * row * num_params as u128
}

pub(super) fn check_normal(
    memory: usize,
    num_params: usize,
    layout: &ResidualLayout,
    evidence: bool,
) -> Result<(), TrainError> {
    let remedy =
        "raise the memory, take a smaller model, or the matrix-free form (not with evidence)";
    let bytes = normal(num_params, layout, evidence);
    check(memory, ("parameters in normal equations", num_params, bytes), remedy)
}

pub(super) fn check_dual(
    memory: usize,
    num_params: usize,
    layout: &ResidualLayout,
    scalar: usize,
) -> Result<(), TrainError> {
    let remedy = "raise the memory, or take the normal or the matrix-free form";
    let bytes = dual(num_params, layout, scalar as u128);
    check(memory, ("residuals in dual equations", layout.len(), bytes), remedy)
}

/// Rows of a group are in memory together.
pub(super) fn check_groups(
    memory: usize,
    num_params: usize,
    layout: &ResidualLayout,
    scalar: usize,
) -> Result<(), TrainError> {
    let groups = (0..layout.num_groups()).map(|group| layout.residuals(group).len());
    let largest = groups.max().unwrap_or(0);
    let bytes = largest as u128 * num_params as u128 * scalar as u128;
    let remedy = "raise the memory, or make a loss of smaller groups";
    check(memory, ("residuals of one group", largest, bytes), remedy)
}

fn check(
    memory: usize,
    (what, count, bytes): (&'static str, usize, u128),
    remedy: &'static str,
) -> Result<(), TrainError> {
    if bytes <= memory as u128 {
        Ok(())
    } else {
        Err(TrainError::TooLarge { what, count, bytes, memory, remedy })
    }
}
