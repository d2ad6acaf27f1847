//! The functions of the header, for each type of number.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};

use crate::Handle;
use crate::raw::{self, Array};
use crate::status::{Status, report};

/// A handle's number, or 0 if it is null or there is a panic.
///
/// # Safety
/// As [`raw::reference`].
unsafe fn number<V, R: Default>(model: *const V, of: impl FnOnce(&V) -> R) -> R {
    let mut result = R::default();
    report(|| {
        // SAFETY: the caller vouches for it.
        result = of(unsafe { raw::reference("model", model) }?);
        Ok(())
    });
    result
}

macro_rules! exports {
    ($t:ty: $load:ident, $share:ident, $free:ident, $dim:ident, $inputs:ident, $has_energy:ident,
        $field:ident, $energy:ident, $energy_gradient:ident) => {
        /// Reads a model file.
        ///
        /// # Safety
        /// `path` must be null or end with a 0, `model` null or a place for a pointer.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $load(path: *const c_char, model: *mut *mut Handle<$t>) -> Status {
            // SAFETY: the caller vouches for both pointers.
            report(|| unsafe { raw::give("model", model, || Handle::load(&raw::path(path)?)) })
        }

        /// Another handle of the same model.
        ///
        /// # Safety
        /// `model` must be null or a live handle, `other` null or a place for a pointer.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $share(
            model: *const Handle<$t>,
            other: *mut *mut Handle<$t>,
        ) -> Status {
            // SAFETY: the caller vouches for both pointers.
            report(|| unsafe {
                raw::give("other", other, || Ok(raw::reference("model", model)?.share()))
            })
        }

        /// Frees a handle.
        ///
        /// # Safety
        /// `model` must be null or a live handle, which is not used afterwards.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $free(model: *mut Handle<$t>) {
            report(|| {
                // SAFETY: the caller vouches for it.
                unsafe { raw::take_back(model) };
                Ok(())
            });
        }

        /// Numbers of a state.
        ///
        /// # Safety
        /// `model` must be null or a live handle.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $dim(model: *const Handle<$t>) -> usize {
            // SAFETY: the caller vouches for it.
            unsafe { number(model, Handle::dim) }
        }

        /// Numbers of inputs.
        ///
        /// # Safety
        /// `model` must be null or a live handle.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $inputs(model: *const Handle<$t>) -> usize {
            // SAFETY: the caller vouches for it.
            unsafe { number(model, Handle::inputs) }
        }

        /// Whether the model has an energy.
        ///
        /// # Safety
        /// `model` must be null or a live handle.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $has_energy(model: *const Handle<$t>) -> c_int {
            // SAFETY: the caller vouches for it.
            unsafe { number(model, |model| c_int::from(model.has_energy())) }
        }

        /// `dx/dt = f(x, u)`.
        ///
        /// # Safety
        /// `model` must be null or a live handle, each array null or of as many numbers as are said
        /// to be there, which no other thread writes.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $field(
            model: *const Handle<$t>,
            x: *const $t,
            x_len: usize,
            u: *const $t,
            u_len: usize,
            dx: *mut $t,
            dx_len: usize,
        ) -> Status {
            report(|| {
                // SAFETY: the caller vouches for the handle and the arrays.
                let (model, x, u, dx) = unsafe {
                    let model = raw::reference("model", model)?;
                    let x = Array::<*const $t>::new("x", x, x_len)?;
                    let u = Array::<*const $t>::new("u", u, u_len)?;
                    (model, x, u, Array::<*mut $t>::new("dx", dx, dx_len)?)
                };
                model.field(&x, &u, &dx)
            })
        }

        /// `H(x)`.
        ///
        /// # Safety
        /// As for the field.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $energy(
            model: *const Handle<$t>,
            x: *const $t,
            x_len: usize,
            energy: *mut $t,
            energy_len: usize,
        ) -> Status {
            report(|| {
                // SAFETY: the caller vouches for the handle and the arrays.
                let (model, x, energy) = unsafe {
                    let model = raw::reference("model", model)?;
                    let x = Array::<*const $t>::new("x", x, x_len)?;
                    (model, x, Array::<*mut $t>::new("energy", energy, energy_len)?)
                };
                model.energy(&x, &energy)
            })
        }

        /// The gradient of `H`.
        ///
        /// # Safety
        /// As for the field.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $energy_gradient(
            model: *const Handle<$t>,
            x: *const $t,
            x_len: usize,
            gradient: *mut $t,
            gradient_len: usize,
        ) -> Status {
            report(|| {
                // SAFETY: the caller vouches for the handle and the arrays.
                let (model, x, gradient) = unsafe {
                    let model = raw::reference("model", model)?;
                    let x = Array::<*const $t>::new("x", x, x_len)?;
                    (model, x, Array::<*mut $t>::new("gradient", gradient, gradient_len)?)
                };
                model.energy_gradient(&x, &gradient)
            })
        }
    };
}

exports!(f64: hnn_load, hnn_share, hnn_free, hnn_dim, hnn_inputs, hnn_has_energy, hnn_field,
    hnn_energy, hnn_energy_gradient);
exports!(f32: hnnf_load, hnnf_share, hnnf_free, hnnf_dim, hnnf_inputs, hnnf_has_energy, hnnf_field,
    hnnf_energy, hnnf_energy_gradient);
