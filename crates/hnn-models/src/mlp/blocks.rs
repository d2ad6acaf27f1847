//! Large batches, cut into blocks of states that stay in the cache through all layers.

use hnn_integrators::{Scalar, Workspace};

/// States of a block, at most.
const BLOCK: usize = 144;

/// What is done with a block: `work(batch, x, out, workspace)`.
type Work<'a, T> = dyn FnMut(usize, &[T], &mut [T], &mut Workspace<T>) + 'a;

/// Calls `work(batch, x, out, workspace)` for block after block of a batch.
pub(super) fn in_blocks<T: Scalar>(
    batch: usize,
    x: &[T],
    out: &mut [T],
    workspace: &mut Workspace<T>,
    work: &mut Work<'_, T>,
) {
    if batch <= BLOCK {
        return work(batch, x, out, workspace);
    }
    let (inputs, outputs) = (x.len() / batch, out.len() / batch);
    let (buffer, workspace) = workspace.split((inputs + outputs) * BLOCK);
    let blocks = batch.div_ceil(BLOCK);
    for block in 0..blocks {
        let (begin, end) = (block * batch / blocks, (block + 1) * batch / blocks);
        let size = end - begin;
        let (block_x, rest) = buffer.split_at_mut(inputs * size);
        let block_out = &mut rest[..outputs * size];
        for (to, from) in block_x.chunks_exact_mut(size).zip(x.chunks_exact(batch)) {
            to.copy_from_slice(&from[begin..end]);
        }
        work(size, block_x, block_out, workspace);
        for (to, from) in out.chunks_exact_mut(batch).zip(block_out.chunks_exact(size)) {
            to[begin..end].copy_from_slice(from);
        }
    }
}
