//! What a call comes to, and why.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a call comes to: `hnn_status` of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Status {
    /// `HNN_OK`.
    Ok = 0,
    /// `HNN_POINTER`: a pointer is null, or not aligned.
    Pointer = 1,
    /// `HNN_LENGTH`: a length does not fit.
    Length = 2,
    /// `HNN_FILE`: no model file.
    File = 3,
    /// `HNN_NO_ENERGY`: the model has no energy.
    NoEnergy = 4,
    /// `HNN_EVALUATION`: the model is not defined at a state.
    Evaluation = 5,
    /// `HNN_BUSY`: another thread is in a call with this handle.
    Busy = 6,
    /// `HNN_PANIC`: a fault of the library.
    Panic = 7,
}

/// A call that failed.
pub(crate) struct Failure {
    status: Status,
    reason: String,
}

impl Failure {
    pub(crate) fn new(status: Status, reason: impl ToString) -> Self {
        Self { status, reason: reason.to_string() }
    }
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// Runs a call: a panic becomes a status, and a failure's reason is kept for [`hnn_last_error`].
pub(crate) fn report(call: impl FnOnce() -> Result<(), Failure>) -> Status {
    let panicked = || Failure::new(Status::Panic, "the library panicked: please report it");
    // What a panic leaves behind is scratch memory, which is overwritten before it is read.
    let result = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(panicked()));
    let Err(Failure { status, reason }) = result else { return Status::Ok };
    let reason = CString::new(reason.replace('\0', " ")).unwrap_or_default();
    // A thread that is ending has no place for it any more.
    let _ = LAST_ERROR.try_with(|last| last.replace(reason));
    status
}

/// Why the last call of this thread that failed did so; empty if none has failed. Valid until the
/// next one that fails.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
pub extern "C" fn hnn_last_error() -> *const c_char {
    LAST_ERROR.try_with(|last| last.borrow().as_ptr()).unwrap_or(<&CStr>::default().as_ptr())
}
