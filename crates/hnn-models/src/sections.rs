//! Buffers taken apart.

/// Takes slices of the lengths asked for off the front of a buffer, one after the other.
///
/// Panics where the buffer is used up: its owner has made it long enough.
pub(crate) fn sections<'a, T>(buffer: &'a mut [T]) -> impl FnMut(usize) -> &'a mut [T] {
    let mut rest = buffer;
    move |len| {
        let (head, tail) = std::mem::take(&mut rest).split_at_mut(len);
        rest = tail;
        head
    }
}
