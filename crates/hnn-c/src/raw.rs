//! What comes from C: pointers, lengths and paths, checked as far as they can be.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::path::PathBuf;

use crate::status::{Failure, Status};

/// An array of the caller's: its name in the header, its first number, and how many there are.
///
/// Numbers are copied in and out, so that arrays may overlap: no two references to them are alive
/// at once.
pub(crate) struct Array<P> {
    name: &'static str,
    first: P,
    len: usize,
}

impl<P> Array<P> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> Array<*const T> {
    /// An array to read.
    ///
    /// # Safety
    /// It must have `len` numbers, which no other thread writes, for as long as this value lives.
    pub(crate) unsafe fn new(
        name: &'static str,
        first: *const T,
        len: usize,
    ) -> Result<Self, Failure> {
        check(name, first, len)?;
        Ok(Self { name, first, len })
    }

    /// Calls `read` with a part of the array.
    pub(crate) fn with(&self, part: std::ops::Range<usize>, read: impl FnOnce(&[T])) {
        assert!(part.start <= part.end && part.end <= self.len);
        if part.is_empty() {
            return read(&[]);
        }
        // SAFETY: `new`'s caller vouches for the numbers; the part is within them, and the pointer is
        // aligned and not null, since the array is not empty.
        read(unsafe { std::slice::from_raw_parts(self.first.add(part.start), part.len()) });
    }
}

impl<T> Array<*mut T> {
    /// An array to write.
    ///
    /// # Safety
    /// It must have `len` numbers, which no other thread uses, for as long as this value lives.
    pub(crate) unsafe fn new(
        name: &'static str,
        first: *mut T,
        len: usize,
    ) -> Result<Self, Failure> {
        check(name, first.cast_const(), len)?;
        Ok(Self { name, first, len })
    }

    /// Calls `write` with a part of the array.
    pub(crate) fn with(&self, part: std::ops::Range<usize>, write: impl FnOnce(&mut [T])) {
        assert!(part.start <= part.end && part.end <= self.len);
        if part.is_empty() {
            return write(&mut []);
        }
        // SAFETY: `new`'s caller vouches for the numbers; the part is within them, and the pointer is
        // aligned and not null, since the array is not empty.
        write(unsafe { std::slice::from_raw_parts_mut(self.first.add(part.start), part.len()) });
    }
}

fn check<T>(name: &str, first: *const T, len: usize) -> Result<(), Failure> {
    if len > 0 && first.is_null() {
        let reason = format!("`{name}` is null, but {len} numbers are said to be there");
        return Err(Failure::new(Status::Pointer, reason));
    }
    if len > 0 && !first.is_aligned() {
        let reason = format!("`{name}` is not aligned to {} bytes", align_of::<T>());
        return Err(Failure::new(Status::Pointer, reason));
    }
    if len > isize::MAX as usize / size_of::<T>() {
        let reason = format!("`{name}` is said to hold {len} numbers, more than memory does");
        return Err(Failure::new(Status::Length, reason));
    }
    Ok(())
}

/// What a pointer points to.
///
/// # Safety
/// It must be null or point to a value that lives for `'a`.
pub(crate) unsafe fn reference<'a, V>(name: &str, pointer: *const V) -> Result<&'a V, Failure> {
    // SAFETY: the caller vouches for it.
    let value = unsafe { pointer.as_ref() };
    value.ok_or_else(|| Failure::new(Status::Pointer, format!("`{name}` is null")))
}

/// Makes `make`'s value, and a pointer to it the caller's; a null pointer if there is none.
///
/// # Safety
/// `place` must be null or a place for a pointer.
pub(crate) unsafe fn give<V>(
    name: &str,
    place: *mut *mut V,
    make: impl FnOnce() -> Result<V, Failure>,
) -> Result<(), Failure> {
    if place.is_null() {
        return Err(Failure::new(Status::Pointer, format!("`{name}` is null")));
    }
    // SAFETY: the caller vouches for the place; a pointer is written without reading what is there.
    unsafe { place.write(std::ptr::null_mut()) };
    let value = make()?;
    // SAFETY: as above.
    unsafe { place.write(Box::into_raw(Box::new(value))) };
    Ok(())
}

/// Frees what [`give`] gave.
///
/// # Safety
/// The pointer must be null or one that [`give`] wrote, and is not used afterwards.
pub(crate) unsafe fn take_back<V>(pointer: *mut V) {
    if !pointer.is_null() {
        // SAFETY: it came out of a box, as the caller vouches.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

/// A path.
///
/// # Safety
/// The pointer must be null or point to bytes of which one is 0.
pub(crate) unsafe fn path(path: *const c_char) -> Result<PathBuf, Failure> {
    if path.is_null() {
        return Err(Failure::new(Status::Pointer, "`path` is null"));
    }
    // SAFETY: the caller vouches for it.
    let path = unsafe { CStr::from_ptr(path) };
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Ok(std::ffi::OsStr::from_bytes(path.to_bytes()).into())
    }
    #[cfg(not(unix))]
    {
        let path = path.to_str();
        path.map(PathBuf::from).map_err(|e| Failure::new(Status::File, format!("the path: {e}")))
    }
}
