//! Weights move between the engines, and to and from PyTorch.

use std::path::{Path, PathBuf};
use std::process::Command;

use hnn_integrators::{Parameters, VectorField};
use hnn_models::tch::{TchEnergy, TchMap, TchMlp};
use hnn_models::{
    Activation, Architecture, Baseline, Dissipative, FrictionForce, Hnn, Initialisation, Mlp,
    ModelError, Persist,
};
use tch::nn;

use hnn_testing::{assert_close, numbers};

use crate::common::own_golden;
use crate::device;

fn network(sizes: &[usize], seed: u64) -> Mlp<f64> {
    let architecture = Architecture::new(sizes).expect("sizes").with_activation(Activation::Swish);
    Mlp::new(architecture, Initialisation::Orthogonal, seed)
}

fn energy(mlp: impl Into<TchMlp<f64>>) -> TchEnergy<f64> {
    TchEnergy::mlp(mlp, device()).expect("a device")
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("model.safetensors")
}

#[test]
fn either_engine_loads_what_the_other_saved() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = file(&folder);
    let native = Hnn::new(network(&[4, 8, 8, 1], 1)).expect("even");
    native.save(&path).expect("saves");
    let judge = Hnn::<TchEnergy<f64>>::load(&path).expect("loads");
    let x = [0.1, -0.4, 0.8, 0.3];
    let fields = |f: Vec<f64>, g: Vec<f64>| assert_close("field", &f, &g, 1e-14);
    fields(judge.eval_state(0.0, &x).expect("ok"), native.eval_state(0.0, &x).expect("ok"));
    judge.save(&path).expect("saves");
    assert_eq!(Hnn::<Mlp<f64>>::load(&path).expect("loads"), native);

    let friction = Dissipative::new(network(&[4, 6, 3], 2)).expect("triangle");
    let native = Hnn::with_friction(network(&[4, 5, 1], 3), friction).expect("fits");
    native.save(&path).expect("saves");
    type Judge = Hnn<TchEnergy<f64>, FrictionForce<Dissipative<TchMap<f64>>>>;
    let judge = Judge::load(&path).expect("loads");
    fields(judge.eval_state(0.0, &x).expect("ok"), native.eval_state(0.0, &x).expect("ok"));
    assert!(Baseline::<TchMap<f64>>::load(&path).is_err(), "another kind of model");
}

/// The file was written by PyTorch (`tests/data/pytorch_state_dict.py`), and so were the numbers.
#[test]
fn a_state_dict_of_pytorch_loads() {
    let data = own_golden("pytorch_state_dict");
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pytorch_state_dict.safetensors");
    let architecture = || Architecture::new(&[2, 8, 8, 1]).expect("sizes");
    let mut by_name = energy(Mlp::new(architecture(), Initialisation::Glorot, 9));
    by_name.network_mut().load_variables(&path).expect("the same names and shapes");
    let native = Mlp::load_state_dict(&path, architecture(), "").expect("the same layers");
    assert_eq!(by_name.network().native().expect("a perceptron"), native);

    let model = Hnn::new(by_name).expect("even");
    for (x, g) in numbers(&data["x"]).chunks(2).zip(numbers(&data["grad_H"]).chunks(2)) {
        let f = model.eval_state(0.0, x).expect("defined");
        assert_close("field", &f, &[g[1], -g[0]], 1e-13);
    }
    // A file of another architecture is refused.
    let mut other = energy(network(&[2, 7, 8, 1], 1));
    assert!(other.network_mut().load_variables(&path).is_err());
    assert!(other.network_mut().load_variables(path.with_file_name("no.safetensors")).is_err());
}

/// With PyTorch and safetensors in the active Python; skipped, with a word, elsewhere.
#[test]
fn pytorch_loads_what_is_saved() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let run = |code: &str, path: &Path| Command::new(&python).args(["-c", code]).arg(path).output();
    if !run("import torch, safetensors.torch", Path::new("-")).is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: {python} has no torch and safetensors");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = file(&folder);
    let native = network(&[2, 8, 1], 4);
    let code = "\
import sys, torch
from safetensors.torch import load_file
m = torch.nn.Sequential()
m.add_module('linear1', torch.nn.Linear(2, 8))
m.add_module('act', torch.nn.SiLU())
m.add_module('linear2', torch.nn.Linear(8, 1, bias=False))
m.double().load_state_dict(load_file(sys.argv[1]))
x = torch.tensor([[0.3, -0.7]], dtype=torch.float64, requires_grad=True)
g, = torch.autograd.grad(m(x).sum(), x)
print(*g[0].tolist())";
    let expected = Hnn::new(native.clone()).expect("even").eval_state(0.0, &[0.3, -0.7]);
    let expected = expected.expect("defined");
    let model_file = |path: &Path| Hnn::new(native.clone()).expect("even").save(path);
    let variables = |path: &Path| energy(native.clone()).network().save_variables(path);
    for save in [&model_file as &dyn Fn(&Path) -> Result<(), ModelError>, &variables] {
        save(&path).expect("saves");
        let output = run(code, &path).expect("Python runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let g: Vec<f64> = text.split_whitespace().map(|g| g.parse().expect("a number")).collect();
        assert_close("field", &[g[1], -g[0]], &expected, 1e-13);
    }
}

#[test]
fn layers_are_named_as_asked() {
    let named = TchMlp::from(network(&[2, 3, 1], 1)).with_layer_prefix("fc");
    let named = energy(named).network().named_tensors();
    let names: Vec<_> = named.iter().map(|(name, tensor)| (name.as_str(), tensor.size())).collect();
    let expected = [("fc1.bias", vec![3]), ("fc1.weight", vec![3, 2]), ("fc2.weight", vec![1, 3])];
    assert_eq!(names, expected);
}

#[test]
fn modules_of_ones_own_save_their_variables() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = file(&folder);
    let build = || {
        let store = nn::VarStore::new(device());
        let root = store.root();
        let module = nn::seq()
            .add(nn::linear(&root / "a", 2, 4, Default::default()))
            .add_fn(|x| x.cos())
            .add(nn::linear(&root / "b", 4, 1, Default::default()));
        TchEnergy::<f64>::new(store, 2, module).expect("fits")
    };
    let (first, mut second) = (build(), build());
    first.network().save_variables(&path).expect("saves");
    let theta = |energy: &TchEnergy<f64>| {
        let mut theta = vec![0.0; energy.num_params()];
        energy.copy_params(&mut theta).expect("the lengths agree");
        theta
    };
    assert_ne!(theta(&first), theta(&second));
    second.network_mut().load_variables(&path).expect("loads");
    assert_eq!(theta(&first), theta(&second));
    // It has no native copy, and so no model file.
    assert!(matches!(first.network().native(), Err(ModelError::NotPerceptron)));
    assert!(Hnn::new(first).expect("even").save(&path).is_err());
}
