//! Model files: what is saved is loaded, and whatever is wrong with a file is an error.

use std::collections::HashMap;
use std::path::Path;

use hnn_integrators::{At, Scalar, StateForm, VectorField, Workspace};
use hnn_models::{
    Activation, Angles, AnyModel, Architecture, Baseline, ConstrainedHnn, Dissipative, EnergySum,
    ExternalForce, FrictionForce, FrictionLaw, FrictionTerm, Harmonics, Hnn, Initialisation,
    InputPort, KineticEnergy, KineticPrior, Lnn, MechanicalLagrangian, Mlp, ModelError,
    OneBodyEnergy, PairEnergy, Persist, Scales, SeparableEnergy, SeparableHnn, Separation,
    StatePort, Sum,
};
use hnn_systems::{End, Rod, Rods};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use tempfile::TempDir;

fn network<T: Scalar>(sizes: &[usize], seed: u64) -> Mlp<T> {
    let architecture = Architecture::new(sizes)
        .expect("sizes")
        .with_activation(Activation::Swish)
        .with_output_bias(seed % 2 == 1);
    Mlp::new(architecture, Initialisation::Orthogonal, seed)
}

fn hnn(seed: u64) -> Hnn<Mlp<f32>> {
    Hnn::new(network(&[4, 8, 8, 1], seed)).expect("even")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("temporary folder")
}

/// Saves, loads and compares.
fn round_trip<T: Scalar, M: Persist<T> + PartialEq + std::fmt::Debug>(model: &M) {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    model.save(&path).expect("saves");
    assert_eq!(&M::load(&path).expect("loads"), model);
    let first = std::fs::read(&path).expect("reads");
    model.save(&path).expect("saves again");
    assert_eq!(first, std::fs::read(&path).expect("reads"), "the same model, the same bytes");
    let files = std::fs::read_dir(folder.path()).expect("lists").count();
    assert_eq!(files, 1, "no temporary file stays");
}

/// The same, and as a model of any kind: of the same field, and written again byte by byte.
fn field_round_trip<T: Scalar, M>(model: &M)
where
    M: Persist<T> + VectorField<T> + PartialEq + std::fmt::Debug,
{
    round_trip(model);
    let folder = folder();
    let [path, again] = ["model", "again"].map(|name| folder.path().join(name));
    model.save(&path).expect("saves");
    let any = AnyModel::<T>::load(&path).expect("loads");
    any.save(&again).expect("saves");
    assert!(std::fs::read(&path).expect("reads") == std::fs::read(&again).expect("reads"));
    assert_eq!((any.kind(), any.hamiltonian().is_some()), (M::KIND, M::KIND != "baseline"));
    assert_eq!(
        (any.dim(), any.inputs(), any.block_len()),
        (model.dim(), model.inputs(), model.block_len())
    );
    let numbers = |len| (0..len).map(|k| T::from_f64((k as f64).sin())).collect::<Vec<_>>();
    for batch in [1, 3] {
        let (x, u) = (numbers(batch * model.dim()), numbers(batch * model.inputs()));
        let at = At { t: &vec![T::ZERO; batch], u: &u };
        let [mut given, mut expected] = [vec![T::ZERO; x.len()], vec![T::ZERO; x.len()]];
        any.eval(at, &x, &mut given, &mut Workspace::default()).expect("evaluates");
        model.eval(at, &x, &mut expected, &mut Workspace::default()).expect("evaluates");
        assert_eq!(given, expected);
    }
}

fn every_model<T: Scalar>() {
    let free = Hnn::with_friction(network::<T>(&[4, 8, 1], 1), network(&[4, 3, 2], 2));
    let entries = Dissipative::new(network::<T>(&[4, 6, 3], 3)).expect("triangle");
    let dissipative = Hnn::with_friction(network::<T>(&[4, 8, 8, 1], 4), entries);
    let friction = FrictionForce::new(network::<T>(&[4, 5, 2], 7));
    let damped = Lnn::forced(network::<T>(&[4, 8, 8, 1], 8), friction).expect("fits");
    field_round_trip::<T, _>(&damped.with_rcond(1e-3).expect("below 1"));
    field_round_trip::<T, _>(&Lnn::new(network::<T>(&[4, 8, 1], 9)).expect("even"));
    let periodic = Angles::new(network::<T>(&[6, 8, 1], 3), &[true, true, false, false]);
    let prior = KineticPrior::new(periodic.expect("fits"), 2.0).expect("positive");
    let drag = |seed| FrictionForce::new(network::<T>(&[4, 3, 2], seed));
    field_round_trip::<T, _>(&Lnn::forced(prior, Sum(drag(1), drag(2))).expect("fits"));
    let mechanical = MechanicalLagrangian::new(network::<T>(&[4, 8, 3], 1), network(&[4, 8, 1], 2));
    let mechanical = mechanical.and_then(|l| l.with_epsilon(1e-3)).expect("triangle");
    let wrapped = Angles::new(mechanical, &[true, true, false, false]).expect("fits");
    field_round_trip::<T, _>(&Lnn::new(wrapped).expect("even"));
    let periodic = Angles::new(network::<T>(&[3, 8, 1], 2), &[true, false]).expect("fits");
    field_round_trip::<T, _>(&Hnn::new(periodic).expect("even"));
    round_trip::<T, _>(&network::<T>(&[3, 5], 1));
    field_round_trip::<T, _>(&Baseline::new(network::<T>(&[2, 16, 2], 5)).expect("square"));
    field_round_trip::<T, _>(
        &Baseline::with_inputs(network::<T>(&[3, 16, 2], 5), 1).expect("fits"),
    );
    field_round_trip::<T, _>(&Hnn::new(network::<T>(&[2, 16, 16, 16, 1], 6)).expect("even"));
    field_round_trip::<T, _>(&free.expect("fits"));
    let port = InputPort::with_matrix(ndarray::array![[0.1, 0.0, 3.0], [-1.0, 2.0, 0.0]]);
    let port = port.expect("finite");
    field_round_trip::<T, _>(
        &Hnn::forced(network::<T>(&[4, 5, 1], 1), port.clone()).expect("fits"),
    );
    let resistive = Dissipative::new(network::<T>(&[4, 6, 3], 3)).expect("triangle");
    let model = Hnn::forced(network::<T>(&[4, 5, 1], 1), resistive.clone()).expect("fits");
    field_round_trip::<T, _>(&model);
    let separable = SeparableHnn::new(network::<T>(&[2, 5, 1], 1), network(&[2, 4, 1], 2));
    field_round_trip::<T, _>(&separable.expect("fits"));
    let force = Sum(resistive, port.fitted());
    field_round_trip::<T, _>(
        &Hnn::forced(network::<T>(&[4, 5, 1], 1), force.clone()).expect("fits"),
    );
    field_round_trip::<T, _>(&Lnn::forced(network::<T>(&[4, 5, 1], 1), force).expect("fits"));
    field_round_trip::<T, _>(&dissipative.expect("fits"));
    forces_of_state_and_time::<T>();
    constrained_models::<T>();
    many_bodies::<T>();
    scaled_models::<T>();
}

fn forces_of_state_and_time<T: Scalar>() {
    let energy = || network::<T>(&[4, 5, 1], 1);
    let port = |outputs| StatePort::new(network::<T>(&[4, 5, outputs], 2), 3).expect("fits");
    let window = Harmonics::window(-0.1, 2.0, 3).expect("a window");
    let clock = |outputs| ExternalForce::new(port(outputs), window).expect("three");
    field_round_trip::<T, _>(&Hnn::forced(energy(), port(6)).expect("fits"));
    field_round_trip::<T, _>(&Lnn::forced(energy(), clock(6)).expect("fits"));
    let periodic = Harmonics::periodic(0.7, 2).expect("a period");
    let force = ExternalForce::on_momenta(2, periodic).expect("small");
    field_round_trip::<T, _>(&Hnn::forced(energy(), force).expect("fits"));
    let resistive = Dissipative::new(network::<T>(&[4, 6, 10], 3)).expect("triangle");
    let force = Sum(resistive.clone(), Sum(port(12), clock(12)));
    field_round_trip::<T, _>(&Hnn::port_hamiltonian(energy(), force).expect("fits"));
    let friction = FrictionForce::new(network::<T>(&[4, 3, 4], 1));
    field_round_trip::<T, _>(&Hnn::port_hamiltonian(energy(), friction).expect("fits"));
    field_round_trip::<T, _>(&Hnn::port_hamiltonian(energy(), resistive).expect("fits"));
}

fn many_bodies<T: Scalar>() {
    let pairs = || PairEnergy::new(network::<T>(&[1, 5, 1], 1), Separation::Logarithm, 2, 3);
    let kinetic = KineticEnergy::<T>::new(&[1.0, 0.3, 2.0], 6).expect("masses");
    let model = SeparableHnn::new(kinetic.clone(), pairs().expect("fits")).expect("fits");
    field_round_trip::<T, _>(&model);
    let walls = ndarray::array![[0.3, -1.0]];
    let list = [(0, 1), (3, 2)];
    let bonds = PairEnergy::between(
        network::<T>(&[1, 5, 1], 1),
        Separation::Square,
        2,
        3,
        walls.view(),
        &list,
    );
    let trap = OneBodyEnergy::new(network::<T>(&[2, 5, 1], 2), 3).expect("three");
    let potential = EnergySum::new(bonds.expect("fits"), trap).expect("fits");
    let energy = SeparableEnergy::new(kinetic.with_learned_masses(), potential).expect("fits");
    let law = FrictionLaw::new(6, &[FrictionTerm::Viscous]).expect("terms");
    field_round_trip::<T, _>(&Hnn::forced(energy, law).expect("fits"));
    let x = ndarray::Array2::from_shape_fn((9, 12), |(row, i)| {
        T::from_f64((1.3 * row as f64 + 0.7 * i as f64).sin())
    });
    let scaled = pairs().and_then(|pairs| pairs.scaled(x.view(), x.view())).expect("scales");
    let kinetic = KineticEnergy::new(&[0.4], 6).expect("mass");
    field_round_trip::<T, _>(&SeparableHnn::new(kinetic, scaled).expect("fits"));
}

fn constrained_models<T: Scalar>() {
    let rods = Rods::<2, 2, 2>::new([
        Rod { from: End::Fixed([0.1, -0.2]), to: 1, length: 0.7 },
        Rod { from: End::Point(1), to: 0, length: 1.3 },
    ]);
    let rods = rods.expect("rods");
    let of = |form| {
        ConstrainedHnn::<_, _, T>::new(network(&[4, 8, 1], 1), rods, form, &[1.5, 0.1])
            .expect("fits")
    };
    round_trip::<T, _>(&of(StateForm::Canonical));
    round_trip::<T, _>(&of(StateForm::Lagrangian).with_learned_masses());
    // Other constraints than the file's.
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    of(StateForm::Canonical).save(&path).expect("saves");
    type Chain<T, const D: usize, const N: usize, const C: usize> =
        ConstrainedHnn<Mlp<T>, Rods<D, N, C>, T>;
    assert!(Chain::<T, 2, 2, 2>::load(&path).is_ok());
    assert!(Chain::<T, 2, 2, 1>::load(&path).is_err());
    assert!(Chain::<T, 2, 3, 2>::load(&path).is_err());
    assert!(Chain::<T, 1, 2, 2>::load(&path).is_err());
}

fn scaled_models<T: Scalar>() {
    let number = T::from_f64;
    let x =
        ndarray::Array2::from_shape_fn((9, 4), |(row, i)| number((1.3 * (row + i) as f64).sin()));
    let scales = Scales::new(x.view(), x.mapv(|x| x * number(0.1)).view()).expect("sizes");
    let energy = || scales.energy(network::<T>(&[4, 5, 1], 1)).expect("fits");
    let terms = [FrictionTerm::Viscous, FrictionTerm::Coulomb { width: 0.1 }];
    let law = FrictionLaw::new(2, &terms).expect("terms");
    field_round_trip::<T, _>(&Hnn::forced(energy(), law.non_negative()).expect("fits"));
    let law = scales.friction_law::<T>(&terms).expect("units");
    field_round_trip::<T, _>(&Hnn::with_friction(energy(), law.clone()).expect("fits"));
    let dissipative = scales.dissipative(network::<T>(&[4, 5, 3], 2)).expect("fits");
    let lagrangian = scales.lagrangian(network::<T>(&[4, 5, 1], 3)).expect("fits");
    field_round_trip::<T, _>(&Lnn::forced(lagrangian, Sum(dissipative, law)).expect("fits"));
    field_round_trip::<T, _>(
        &Baseline::new(scales.map(network(&[4, 5, 4], 4)).expect("fits")).expect("fits"),
    );
}

#[test]
fn every_model_in_f32() {
    every_model::<f32>();
}

#[test]
fn every_model_in_f64() {
    every_model::<f64>();
}

/// Files of format 1 as they were first written are read, and written again byte by byte.
#[test]
fn files_of_format_1() {
    fn same<M: Persist<f32>>(name: &str) {
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
        let (old, folder) = (format!("{data}/format1_{name}.safetensors"), folder());
        let new = folder.path().join("model.safetensors");
        M::load(&old).expect("loads").save(&new).expect("saves");
        let [old, new] = [Path::new(&old), &new].map(|path| std::fs::read(path).expect("reads"));
        assert!(old == new, "{name}");
    }
    type Net = Mlp<f32>;
    type Free = KineticPrior<Angles<Net>>;
    same::<Hnn<Net>>("hnn");
    same::<Hnn<Net, FrictionForce<Dissipative<Net>>>>("hnn_friction");
    same::<Lnn<Free, Sum<FrictionForce<Net>, FrictionForce<Dissipative<Net>>>>>("lnn_sum");
    same::<Lnn<MechanicalLagrangian<Angles<Net>, Angles<Net>>>>("mechanical");
}

#[test]
fn tensors_have_the_names_and_layouts_of_pytorch() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let model = Hnn::with_friction(network::<f32>(&[2, 3, 1], 1), network(&[2, 4, 1], 2));
    let model = model.expect("fits");
    model.save(&path).expect("saves");
    let bytes = std::fs::read(&path).expect("reads");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let mut names = file.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "friction.linear1.bias",
            "friction.linear1.weight",
            "friction.linear2.weight",
            "hamiltonian.linear1.bias",
            "hamiltonian.linear1.weight",
            "hamiltonian.linear2.bias",
            "hamiltonian.linear2.weight",
        ]
    );
    let w = file.tensor("friction.linear1.weight").expect("there");
    assert_eq!((w.dtype(), w.shape()), (Dtype::F32, &[4, 2][..]));
    let first = f32::from_le_bytes(w.data()[..4].try_into().expect("4 bytes"));
    assert_eq!(first, model.force().friction().params()[0]);
    // The networks load one by one, as PyTorch's would.
    let architecture = model.force().friction().architecture().clone();
    let friction = Mlp::<f32>::load_state_dict(&path, architecture, "friction.");
    assert_eq!(&friction.expect("loads"), model.force().friction());
}

#[test]
fn f32_widens_and_f64_does_not_narrow() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let model = hnn(1);
    model.save(&path).expect("saves");
    let wide = Hnn::<Mlp<f64>>::load(&path).expect("widens");
    let (wide, narrow) = (wide.energy_network().params(), model.energy_network().params());
    assert!(wide.iter().zip(narrow).all(|(w, n)| *w == f64::from(*n)));

    Hnn::new(network::<f64>(&[2, 4, 1], 1)).expect("even").save(&path).expect("saves");
    assert_fault(Hnn::<Mlp<f32>>::load(&path), "is of type F64, but the model's is f32");
}

#[track_caller]
fn assert_fault<M: std::fmt::Debug>(result: Result<M, ModelError>, expected: &str) {
    let error = result.expect_err("a fault");
    assert!(matches!(error, ModelError::Format { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    assert!(message.contains("model.safetensors"), "{message:?} names no file");
}

/// Tensors of f32, by name.
type Tensors = HashMap<String, (Vec<usize>, Vec<f32>)>;

fn tensors(path: &Path) -> (Value, Tensors) {
    let bytes = std::fs::read(path).expect("reads");
    let (_, metadata) = SafeTensors::read_metadata(&bytes).expect("header");
    let header = &metadata.metadata().as_ref().expect("metadata")["hnn"];
    let numbers = |b: &[u8]| -> Vec<f32> {
        b.chunks(4).map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes"))).collect()
    };
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let tensors = file.iter().map(|(n, t)| (n.to_owned(), (t.shape().to_vec(), numbers(t.data()))));
    (serde_json::from_str(header).expect("JSON"), tensors.collect())
}

fn write(path: &Path, header: Option<&str>, tensors: &Tensors) {
    let bytes: HashMap<_, Vec<u8>> = tensors
        .iter()
        .map(|(n, (_, data))| (n, data.iter().flat_map(|w| w.to_le_bytes()).collect()))
        .collect();
    let views = tensors.iter().map(|(n, (shape, _))| {
        (n, TensorView::new(Dtype::F32, shape.clone(), &bytes[n]).expect("fits"))
    });
    let metadata = header.map(|h| HashMap::from([("hnn".to_owned(), h.to_owned())]));
    std::fs::write(path, safetensors::serialize(views, metadata).expect("serialises"))
        .expect("writes");
}

/// Saves a model, changes its header and tensors, and loads it.
fn load_changed(
    change: impl FnOnce(&mut Value, &mut Tensors),
) -> Result<Hnn<Mlp<f32>>, ModelError> {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    hnn(3).save(&path).expect("saves");
    let (mut header, mut tensors) = tensors(&path);
    change(&mut header, &mut tensors);
    write(&path, Some(&header.to_string()), &tensors);
    Hnn::load(&path)
}

#[test]
fn changed_contents_are_faults() {
    assert_eq!(load_changed(|_, _| {}).expect("unchanged"), hnn(3));
    let fault = |change: fn(&mut Value, &mut Tensors), expected| {
        assert_fault(load_changed(change), expected);
    };
    fault(|_, t| drop(t.remove("linear2.bias")), "\"linear2.bias\" is missing");
    fault(
        |_, t| drop(t.insert("linear9.bias".into(), (vec![1], vec![0.0]))),
        "does not have: [\"linear9.bias\"]",
    );
    fault(
        |_, t| t.get_mut("linear1.weight").expect("there").0 = vec![4, 8],
        "\"linear1.weight\" is [4, 8], not [8, 4]",
    );
    fault(
        |_, t| t.get_mut("linear1.weight").expect("there").1[5] = f32::NAN,
        "number 5 of the tensor \"linear1.weight\" is NaN",
    );
    fault(
        |_, t| t.get_mut("linear3.weight").expect("there").1[0] = f32::INFINITY,
        "number 0 of the tensor \"linear3.weight\" is inf",
    );
    fault(|h, _| h["format_version"] = json!(2), "format version is 2");
    fault(|h, _| h["format_version"] = json!("one"), "format version is unknown");
    fault(|h, _| h["model"]["kind"] = json!("baseline"), "kind \"baseline\", but \"hnn\"");
    fault(|h, _| h["model"] = Value::Null, "kind \"nothing\"");
    fault(|h, _| h["model"]["hamiltonian"]["kind"] = json!("angles"), "\"mlp\" is asked for");
    fault(|h, _| h["model"]["hamiltonian"]["activation"] = json!("relu"), "\"activation\"");
    fault(|h, _| h["model"]["hamiltonian"]["sizes"] = json!([4]), "make no network");
    fault(|h, _| h["model"]["hamiltonian"]["sizes"] = json!([4, -1]), "\"sizes\"");
    fault(
        |h, _| h["model"]["hamiltonian"]["sizes"] = json!([1_u64 << 40, 1_u64 << 40, 1]),
        "parameters of a network would take",
    );
    fault(
        |h, _| h["model"]["hamiltonian"]["sizes"] = json!([1 << 16, 64, 1]),
        "\"linear1.weight\" is [8, 4], not",
    );
    fault(|h, _| h["model"]["hamiltonian"]["sizes"] = json!([4, 8, 1]), "linear2.weight");
    fault(|h, _| h["model"] = json!({ "kind": "hnn" }), "lacks \"hamiltonian\"");
}

#[test]
fn a_part_of_a_model_must_fit_the_model() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let net = network::<f32>(&[3, 4, 1], 1);
    net.save(&path).expect("saves");
    let (header, tensors) = tensors(&path);
    let header = json!({
        "format_version": 1,
        "model": { "kind": "hnn", "hamiltonian": header["model"] },
    });
    write(&path, Some(&header.to_string()), &tensors);
    assert_fault(Hnn::<Mlp<f32>>::load(&path), "no canonical coordinates");
}

#[test]
fn damaged_and_foreign_files_are_faults() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let load = || Hnn::<Mlp<f32>>::load(&path);
    assert!(matches!(load(), Err(ModelError::File { action: "read", .. })));

    hnn(1).save(&path).expect("saves");
    let bytes = std::fs::read(&path).expect("reads");
    for length in (0..bytes.len()).step_by(7) {
        std::fs::write(&path, &bytes[..length]).expect("writes");
        assert_fault(load(), "is no file of this model");
    }
    std::fs::write(&path, b"a text file, and no model at all").expect("writes");
    assert_fault(load(), "is no file of this model");
    std::fs::write(&path, [0xff; 64]).expect("writes");
    assert_fault(load(), "is no file of this model");

    write(&path, None, &Tensors::new());
    assert_fault(load(), "does not say what model it holds");
    write(&path, Some("not JSON"), &Tensors::new());
    assert_fault(load(), "is no file of this model");
}

#[test]
fn nothing_replaces_a_good_file_when_saving_fails() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let good = network::<f64>(&[2, 4, 1], 1);
    good.save(&path).expect("saves");
    let mut broken = good.clone();
    let mut theta = good.params().to_vec();
    theta[3] = f64::NAN;
    hnn_integrators::Parameters::set_params(&mut broken, &theta).expect("fits");
    let error = broken.save(&path).expect_err("NaN");
    assert!(matches!(error, ModelError::NonFiniteParameter { index: 3, .. }), "{error}");
    assert_eq!(Mlp::<f64>::load(&path).expect("loads"), good);
    let nowhere = folder.path().join("nowhere").join("model.safetensors");
    assert!(matches!(good.save(&nowhere), Err(ModelError::File { action: "write", .. })));
}

#[test]
fn state_dicts_of_pytorch() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let net = network::<f32>(&[2, 3, 3, 1], 8);
    let architecture = net.architecture().clone();
    let load = |prefix| Mlp::<f32>::load_state_dict(&path, architecture.clone(), prefix);
    let layers = architecture.layers();
    let state_dict = |names: [&str; 3]| -> Tensors {
        let mut tensors = Tensors::new();
        for (name, l) in names.iter().zip(&layers) {
            let w = net.params()[l.start..l.bias()].to_vec();
            tensors.insert(format!("{name}.weight"), (vec![l.rows, l.cols], w));
            if l.has_bias {
                let b = net.params()[l.bias()..l.end()].to_vec();
                tensors.insert(format!("{name}.bias"), (vec![l.rows], b));
            }
        }
        tensors
    };
    // A module of its own, a Sequential (10 after 2, as numbers), and one network of several.
    for names in [["linear1", "linear2", "linear3"], ["net.0", "net.2", "net.10"]] {
        write(&path, None, &state_dict(names));
        assert_eq!(load("").expect("loads"), net);
    }
    let mut two = state_dict(["h.0", "h.2", "h.4"]);
    two.insert("f.0.weight".into(), (vec![1, 1], vec![0.5]));
    write(&path, None, &two);
    assert_eq!(load("h.").expect("loads"), net);
    assert_fault(load(""), "4 layers");
    assert_fault(load("g."), "0 layers");

    let mut extra = state_dict(["linear1", "linear2", "linear3"]);
    extra.insert("linear3.bias".into(), (vec![1], vec![0.5]));
    write(&path, None, &extra);
    assert_fault(load(""), "does not have: [\"linear3.bias\"]");
    extra.remove("linear3.bias");
    extra.remove("linear2.bias");
    write(&path, None, &extra);
    assert_fault(load(""), "\"linear2.bias\" is missing");
}

/// A part is no model, nor is a file of a kind that nobody knows.
#[test]
fn models_of_unknown_kinds() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    network::<f64>(&[2, 5, 1], 1).save(&path).expect("saves");
    let error = AnyModel::<f64>::load(&path).expect_err("a network").to_string();
    assert!(error.contains("\"mlp\", which is no field of its own"), "{error}");
}
