//! Room on the stack that costs nothing until it is filled.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// Room for `N` items at the beginning of a line of the cache, filled from the front.
#[repr(C, align(64))]
pub(crate) struct Room<T, const N: usize> {
    items: [MaybeUninit<T>; N],
    /// How many of them are there.
    len: usize,
}

impl<T: Copy, const N: usize> Room<T, N> {
    /// Nothing yet.
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self { items: [const { MaybeUninit::uninit() }; N], len: 0 }
    }

    /// Forgets all items.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds an item; there must be room.
    #[inline(always)]
    pub(crate) fn push(&mut self, item: T) {
        self.items[self.len].write(item);
        self.len += 1;
    }

    /// What is there.
    #[inline(always)]
    pub(crate) fn items(&self) -> &[T] {
        let items: *const [MaybeUninit<T>] = &self.items[..self.len];
        // SAFETY: only `push` makes `len` greater, and it has written that item.
        unsafe { &*(items as *const [T]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_is_there() {
        let mut room = Room::<[f32; 3], 4>::new();
        assert!(room.items().is_empty());
        for i in 0..4_u8 {
            room.push([f32::from(i); 3]);
            assert_eq!(room.items().len(), usize::from(i) + 1);
        }
        assert_eq!(room.items(), [[0.0; 3], [1.0; 3], [2.0; 3], [3.0; 3]]);
        assert_eq!(room.items().as_ptr().addr() % 64, 0);
        room.clear();
        assert!(room.items().is_empty());
        room.push([7.0; 3]);
        assert_eq!(room.items(), [[7.0; 3]]);
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn there_is_no_more_room() {
        let mut room = Room::<u8, 1>::new();
        room.push(0);
        room.push(1);
    }
}
