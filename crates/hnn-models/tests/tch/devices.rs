//! Devices that are not there, modules that do not fit, and what is said about it.

use hnn_integrators::{Parameters, VectorField};
use hnn_models::tch::{TchEnergy, TchMap, parse_device, require_device};
use hnn_models::{Architecture, Hnn, Initialisation, Lnn, Mlp, ModelError};
use tch::nn::{self, VarStore};
use tch::{Cuda, Device, Kind, Tensor, utils};

use crate::device;

fn network() -> Mlp<f64> {
    let architecture = Architecture::new(&[2, 8, 1]).expect("sizes are positive");
    Mlp::new(architecture, Initialisation::Orthogonal, 1)
}

#[test]
fn absent_devices_are_refused_with_advice() {
    if !Cuda::is_available() {
        let error = TchEnergy::mlp(network(), Device::Cuda(0)).expect_err("there is no GPU");
        assert!(matches!(error, ModelError::Device { .. }), "{error}");
        assert!(error.to_string().contains("use cpu"), "{error}");
    }
    let beyond = Device::Cuda(Cuda::device_count().max(0) as usize);
    assert!(matches!(require_device(beyond), Err(ModelError::Device { .. })));
    if !utils::has_mps() {
        let error = parse_device("mps").expect_err("this is no Apple machine");
        assert!(error.to_string().contains("use cpu"), "{error}");
    }
    for name in ["", "gpu", "cuda:", "cuda:x", "cpu:1", "mps:3"] {
        assert!(parse_device(name).is_err(), "{name}");
    }
}

/// Runs on a GPU where there is one: the numbers are the CPU's.
#[test]
fn present_devices_compute_the_same() {
    let gpus = [(Device::Cuda(0), Cuda::is_available()), (Device::Mps, utils::has_mps())];
    let cpu = Hnn::new(TchEnergy::mlp(network(), Device::Cpu).expect("a CPU")).expect("D is even");
    let expected = cpu.eval_state(0.0, &[0.3, -0.7]).expect("defined");
    for (device, _) in gpus.into_iter().filter(|(device, there)| *there && *device != Device::Mps) {
        let model =
            Hnn::new(TchEnergy::mlp(network(), device).expect("it is there")).expect("even");
        let f = model.eval_state(0.0, &[0.3, -0.7]).expect("defined");
        crate::random::assert_close(&format!("{device:?}"), &f, &expected, 1e-12);
    }
}

#[test]
fn single_precision_stores_become_double() {
    let store = VarStore::new(device());
    let linear = nn::linear(store.root(), 2, 1, Default::default());
    let energy = TchEnergy::<f64>::new(store, 2, linear).expect("shapes fit");
    let f = Hnn::new(energy).expect("even").eval_state(0.0, &[0.3, 0.1]).expect("defined");
    assert_eq!(f.len(), 2);
}

#[test]
fn modules_of_a_wrong_shape_are_refused_at_construction() {
    let linear = |outputs| {
        let store = VarStore::new(device());
        let layer = nn::linear(store.root(), 3, outputs, Default::default());
        (store, layer)
    };
    let (store, layer) = linear(2);
    let error = TchEnergy::<f32>::new(store, 3, layer).expect_err("two outputs");
    assert!(error.to_string().contains("[2] or [2, 1]"), "{error}");
    let (store, layer) = linear(1);
    let error = TchEnergy::<f32>::new(store, 4, layer).expect_err("four inputs for three");
    assert!(error.to_string().contains("the module panicked"), "{error}");
    let sum = |x: &Tensor, _: bool| x.sum(None::<Kind>);
    assert!(TchMap::<f64>::from_fn(VarStore::new(device()), 2, sum).is_err());
    let sums = |x: &Tensor, _: bool| x.sum_dim_intlist(1, false, None::<Kind>);
    let energy = TchEnergy::<f64>::from_fn(VarStore::new(device()), 3, sums).expect("fits");
    let error = Lnn::new(energy).expect_err("odd");
    assert!(matches!(error, ModelError::OddDimension { dim: 3 }));
}

#[test]
fn parameter_vectors_of_a_wrong_length_are_refused() {
    let mut energy = TchEnergy::mlp(network(), device()).expect("a device");
    assert!(energy.set_params(&[0.0; 3]).is_err());
    assert!(energy.copy_params(&mut [0.0; 3]).is_err());
}

/// `L = q v` has no kinetic energy, `A = 0`: the pseudo-inverse.
#[test]
fn a_singular_mass_matrix() {
    let product = |x: &Tensor, _: bool| x.select(1, 0) * x.select(1, 1);
    let energy = TchEnergy::<f64>::from_fn(VarStore::new(device()), 2, product).expect("fits");
    let model = Lnn::new(energy).expect("even");
    assert_eq!(model.eval_state(0.0, &[0.3, 0.7]).expect("defined"), [0.7, 0.0]);
}
