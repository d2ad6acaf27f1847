//! The functions as C calls them: numbers are those of Rust, and whatever is wrong is an error.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::ptr::{null, null_mut};

use hnn_c::{
    Handle, Status, hnn_dim, hnn_energy, hnn_energy_gradient, hnn_field, hnn_free, hnn_has_energy,
    hnn_inputs, hnn_last_error, hnn_load, hnn_share, hnnf_energy, hnnf_free, hnnf_load,
};
use hnn_integrators::{At, Scalar, Workspace, coordinate_major};
use hnn_models::{
    Architecture, Baseline, Hnn, Initialisation, InputPort, Lnn, Mlp, Persist, SeparableHnn,
};
use hnn_systems::Hamiltonian;
use ndarray::Array2;

fn network<T: Scalar>(sizes: &[usize]) -> Mlp<T> {
    Mlp::new(Architecture::new(sizes).expect("sizes"), Initialisation::Orthogonal, 7)
}

fn last_error() -> String {
    // SAFETY: a text of the library's, valid until the next failure of this thread.
    unsafe { CStr::from_ptr(hnn_last_error()) }.to_str().expect("UTF-8").to_owned()
}

/// A handle that is freed in the end.
struct Model(*mut Handle<f64>);

impl Model {
    fn of(model: &impl Persist<f64>) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("model.safetensors");
        model.save(&path).expect("saves");
        Self::load(&path)
    }

    fn load(path: &Path) -> Self {
        let path = CString::new(path.to_str().expect("UTF-8")).expect("no 0");
        let mut handle = null_mut();
        assert_eq!(unsafe { hnn_load(path.as_ptr(), &mut handle) }, Status::Ok, "{}", last_error());
        Self(handle)
    }

    fn field(&self, x: &[f64], u: &[f64], dx: &mut [f64]) -> Status {
        let (x_len, u_len, dx_len) = (x.len(), u.len(), dx.len());
        unsafe { hnn_field(self.0, x.as_ptr(), x_len, u.as_ptr(), u_len, dx.as_mut_ptr(), dx_len) }
    }

    fn energy(&self, x: &[f64], energy: &mut [f64]) -> Status {
        unsafe { hnn_energy(self.0, x.as_ptr(), x.len(), energy.as_mut_ptr(), energy.len()) }
    }

    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> Status {
        let (out, len) = (gradient.as_mut_ptr(), gradient.len());
        unsafe { hnn_energy_gradient(self.0, x.as_ptr(), x.len(), out, len) }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        unsafe { hnn_free(self.0) };
    }
}

/// States in rows, of so many numbers each.
fn states(batch: usize, dim: usize) -> Array2<f64> {
    Array2::from_shape_fn((batch, dim), |(row, i)| (0.7 * row as f64 + 1.3 * i as f64).sin())
}

/// More states than a block, and one alone, against the model itself.
fn agrees<M: Persist<f64> + Hamiltonian<f64>>(model: &M) {
    let handle = Model::of(model);
    let (dim, inputs) = (model.dim(), model.inputs());
    assert_eq!(unsafe { (hnn_dim(handle.0), hnn_inputs(handle.0)) }, (dim, inputs));
    assert_eq!(unsafe { hnn_has_energy(handle.0) }, 1);
    for batch in [1, 300] {
        let (x, u) = (states(batch, dim), states(batch, inputs));
        let mut dx = Array2::zeros((batch, dim));
        let out = dx.as_slice_mut().expect("rows");
        let status = handle.field(x.as_slice().expect("rows"), u.as_slice().expect("rows"), out);
        assert_eq!(status, Status::Ok, "{}", last_error());
        let at = At { t: &vec![0.0; batch], u: &coordinate_major(u.view()) };
        let mut expected = vec![0.0; dim * batch];
        let lanes = coordinate_major(x.view());
        model.eval(at, &lanes, &mut expected, &mut Workspace::default()).expect("evaluates");
        close(&coordinate_major(dx.view()), &expected);

        let (mut energy, mut gradient) = (vec![0.0; batch], dx);
        assert_eq!(handle.energy(x.as_slice().expect("rows"), &mut energy), Status::Ok);
        close(&energy, model.energy_rows(x.view()).expect("energies").as_slice().expect("one row"));
        let out = gradient.as_slice_mut().expect("rows");
        assert_eq!(handle.gradient(x.as_slice().expect("rows"), out), Status::Ok);
        let expected = model.energy_gradient_rows(x.view()).expect("gradients");
        close(gradient.as_slice().expect("rows"), expected.as_slice().expect("rows"));
    }
}

#[track_caller]
fn close(given: &[f64], expected: &[f64]) {
    assert_eq!(given.len(), expected.len());
    for (given, expected) in given.iter().zip(expected) {
        assert!((given - expected).abs() <= 1e-12 * expected.abs().max(1.0));
    }
}

#[test]
fn numbers_are_those_of_rust() {
    agrees(&Hnn::new(network::<f64>(&[2, 24, 24, 1])).expect("even"));
    agrees(&Hnn::forced(network::<f64>(&[4, 8, 1]), InputPort::new(2)).expect("fits"));
    agrees(&SeparableHnn::new(network::<f64>(&[2, 9, 1]), network(&[2, 5, 1])).expect("fits"));
    agrees(&Lnn::new(network::<f64>(&[4, 8, 1])).expect("even"));
}

#[test]
fn a_batch_may_be_written_where_it_was() {
    let handle = Model::of(&Hnn::new(network::<f64>(&[2, 8, 1])).expect("even"));
    let x = states(3, 2).into_raw_vec_and_offset().0;
    let mut apart = vec![0.0; 6];
    assert_eq!(handle.field(&x, &[], &mut apart), Status::Ok);
    let mut same = x;
    let place = same.as_mut_ptr();
    assert_eq!(unsafe { hnn_field(handle.0, place, 6, null(), 0, place, 6) }, Status::Ok);
    assert_eq!(same, apart);
}

#[test]
fn single_precision() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("model.safetensors");
    let path = CString::new(file.to_str().expect("UTF-8")).expect("no 0");
    let model = Hnn::new(network::<f32>(&[2, 8, 1])).expect("even");
    model.save(&file).expect("saves");
    let (x, mut energy, mut handle) = ([0.3_f32, -0.2], [0.0_f32], null_mut());
    unsafe {
        assert_eq!(hnnf_load(path.as_ptr(), &mut handle), Status::Ok);
        assert_eq!(hnnf_energy(handle, x.as_ptr(), 2, energy.as_mut_ptr(), 1), Status::Ok);
        hnnf_free(handle);
    }
    assert_eq!(energy[0], model.energy_state(&x).expect("energy"));
    // Saved in double, it is none for single precision.
    Hnn::new(network::<f64>(&[2, 8, 1])).expect("even").save(&file).expect("saves");
    assert_eq!(unsafe { hnnf_load(path.as_ptr(), &mut handle) }, Status::File);
    assert!(handle.is_null() && last_error().contains("F64"), "{}", last_error());
}

#[test]
fn wrong_lengths() {
    let handle =
        Model::of(&Hnn::forced(network::<f64>(&[2, 8, 1]), InputPort::new(1)).expect("fits"));
    let (x, mut dx) = ([0.1; 4], [9.0; 4]);
    for (x_len, u_len, dx_len) in [(3, 1, 3), (4, 1, 4), (4, 2, 2), (2, 0, 2), (0, 1, 0)] {
        let status = handle.field(&x[..x_len], &x[..u_len], &mut dx[..dx_len]);
        assert_eq!(status, Status::Length);
        assert!(last_error().contains("_len` is"), "{}", last_error());
    }
    let mut energies = [9.0; 3];
    assert_eq!(handle.energy(&x, &mut energies), Status::Length);
    assert_eq!(handle.gradient(&x, &mut energies), Status::Length);
    let status = unsafe { hnn_energy(handle.0, x.as_ptr(), usize::MAX - 1, dx.as_mut_ptr(), 1) };
    assert_eq!(status, Status::Length);
    assert_eq!((dx, energies), ([9.0; 4], [9.0; 3]), "nothing is written");
    assert_eq!(handle.field(&[], &[], &mut []), Status::Ok, "no states");
}

#[test]
fn null_pointers() {
    let handle = Model::of(&Hnn::new(network::<f64>(&[2, 8, 1])).expect("even"));
    let (x, mut dx, mut other) = ([0.1; 2], [0.0; 2], null_mut());
    let (from, to) = (x.as_ptr(), dx.as_mut_ptr());
    unsafe {
        assert_eq!(hnn_field(null(), from, 2, null(), 0, to, 2), Status::Pointer);
        assert_eq!(last_error(), "`model` is null");
        assert_eq!(hnn_field(handle.0, null(), 2, null(), 0, to, 2), Status::Pointer);
        assert_eq!(hnn_field(handle.0, from, 2, null(), 0, null_mut(), 2), Status::Pointer);
        assert_eq!(hnn_field(handle.0, from, 2, null(), 1, to, 2), Status::Pointer);
        let askew = from.byte_add(1);
        assert_eq!(hnn_field(handle.0, askew, 2, null(), 0, to, 2), Status::Pointer);
        assert_eq!(hnn_energy(null(), from, 2, to, 1), Status::Pointer);
        assert_eq!(hnn_energy_gradient(handle.0, from, 2, null_mut(), 2), Status::Pointer);
        assert_eq!(hnn_share(null(), &mut other), Status::Pointer);
        assert_eq!(hnn_share(handle.0, null_mut()), Status::Pointer);
        assert_eq!(hnn_load(null(), &mut other), Status::Pointer);
        assert_eq!(hnn_load(c"model".as_ptr(), null_mut()), Status::Pointer);
        assert_eq!((hnn_dim(null()), hnn_inputs(null()), hnn_has_energy(null())), (0, 0, 0));
        hnn_free(null_mut());
    }
}

#[test]
fn files_that_hold_no_model() {
    let mut handle = null_mut();
    let missing: *const c_char = c"/nowhere/model.safetensors".as_ptr();
    assert_eq!(unsafe { hnn_load(missing, &mut handle) }, Status::File);
    assert!(handle.is_null() && last_error().contains("/nowhere/model.safetensors"));
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("network.safetensors");
    network::<f64>(&[2, 8, 1]).save(&file).expect("saves");
    let path = CString::new(file.to_str().expect("UTF-8")).expect("no 0");
    assert_eq!(unsafe { hnn_load(path.as_ptr(), &mut handle) }, Status::File);
    assert!(last_error().contains("\"mlp\""), "{}", last_error());
}

#[test]
fn a_baseline_has_no_energy() {
    let handle = Model::of(&Baseline::new(network::<f64>(&[2, 8, 2])).expect("square"));
    assert_eq!(unsafe { hnn_has_energy(handle.0) }, 0);
    assert_eq!(handle.energy(&[0.1, 0.2], &mut [0.0]), Status::NoEnergy);
    assert_eq!(handle.gradient(&[0.1, 0.2], &mut [0.0; 2]), Status::NoEnergy);
    assert_eq!(handle.field(&[0.1, 0.2], &[], &mut [0.0; 2]), Status::Ok);
}

#[test]
fn a_handle_for_each_thread() {
    struct Shared(*mut Handle<f64>);
    unsafe impl Send for Shared {}
    let first = Model::of(&Hnn::new(network::<f64>(&[2, 8, 1])).expect("even"));
    let mut expected = [0.0];
    assert_eq!(first.energy(&[0.1, 0.2], &mut expected), Status::Ok);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let mut other = null_mut();
            assert_eq!(unsafe { hnn_share(first.0, &mut other) }, Status::Ok);
            let other = Shared(other);
            std::thread::spawn(move || {
                let other = Model({ other }.0);
                let mut energy = [0.0];
                assert_eq!(other.energy(&[0.1, 0.2], &mut energy), Status::Ok);
                energy
            })
        })
        .collect();
    drop(first);
    for thread in threads {
        assert_eq!(thread.join().expect("no panic"), expected);
    }
}
