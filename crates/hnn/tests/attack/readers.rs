//! What is done with the bytes of a file: read it, and use what was read. An error is as good as
//! a result; a panic, a hang, or memory without bounds is a fault.

use std::path::{Path, PathBuf};

use crc::{CRC_32_ISCSI, Crc};
use hnn::data::{Column, DerivativeScheme, Recording, RecordingReader, Share};
use hnn::integrators::VectorField;
use hnn::losses::DerivativeLoss;
use hnn::models::{
    Architecture, Baseline, Dissipative, FrictionForce, Hnn, Initialisation, InputPort,
    KineticPrior, Lnn, MechanicalLagrangian, Mlp, Persist, Sum, Unforced,
};
use hnn::sparse::{Ansatz, Expression, SparseHamiltonian};
use hnn::systems::Hamiltonian;
use hnn::train::{Checkpoint, TrainError, Trainer};
use ndarray::array;
use tempfile::TempDir;

thread_local! {
    /// In memory where there is such a folder: what readers save is synced to the disk.
    static FOLDER: TempDir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary folder");
}

/// Readers take paths: a file in a folder of this thread's own, which its next input replaces.
fn file(data: &[u8]) -> PathBuf {
    let path = FOLDER.with(|folder| folder.path().join("input"));
    std::fs::write(&path, data).expect("a file is written");
    path
}

/// Reads, and uses all that was read.
fn load_recording(reader: &RecordingReader) -> bool {
    let second = Share::new(1, 2).expect("a share");
    let own = reader.load_share(second);
    let Ok(recording) = reader.load() else {
        assert!(own.is_err(), "a share of what is refused");
        return false;
    };
    match (own, recording.share(second)) {
        (Ok(own), Ok(part)) => assert_eq!((own.len(), own.trials()), (part.len(), part.trials())),
        (own, part) => assert!(own.is_err() && part.is_err(), "{own:?}, but {part:?}"),
    }
    assert!(recording.report().to_string().contains("rows used") || recording.len() == 1);
    let data = recording.data_set().expect("what was read is a data set");
    assert_eq!(data.len(), recording.len());
    for scheme in [DerivativeScheme::Midpoint, DerivativeScheme::Central] {
        let _ = recording.differences(scheme);
    }
    if let Ok(found) = recording.differentiate() {
        assert_eq!(found.data.len() + found.left_out, recording.len());
    }
    true
}

/// Rows of numbers between blanks. Says, as all of these, whether something was read.
pub fn text(data: &[u8]) -> bool {
    load_recording(&Recording::read(file(data)).trial(0).time(1).angle(2).velocity(3))
}

/// CSV with a header.
pub fn csv(data: &[u8]) -> bool {
    let reader = Recording::read(file(data)).time("t");
    let plain = reader.clone().position("q").momentum("p");
    let angle = Column::new("q").degrees().wrapped();
    let more = reader.trial("trial").angle(angle).momentum("p").input(Column::new("u").held());
    [plain, more].map(|reader| load_recording(&reader)).contains(&true)
}

/// Arrays of numpy.
pub fn arrays(data: &[u8]) -> bool {
    load_recording(&Recording::read(file(data)))
}

/// Reads a model and evaluates it.
fn load<M: Persist<f64> + VectorField<f64>>(path: &Path) -> bool {
    let Ok(model) = M::load(path) else { return false };
    let _ = model.eval_state(0.0, &vec![0.1; model.dim().min(1 << 10)]);
    let copy = path.with_extension("copy");
    model.save(&copy).expect("what was read can be written");
    assert!(M::load(&copy).is_ok(), "what was written can be read");
    true
}

/// Model files of every kind.
pub fn model(data: &[u8]) -> bool {
    type Net = Mlp<f64>;
    let loads = [
        load::<Baseline<Net>>,
        load::<Hnn<Net>>,
        load::<Hnn<Net, FrictionForce<Net>>>,
        load::<Hnn<Net, Sum<FrictionForce<Dissipative<Net>>, InputPort>>>,
        load::<Lnn<Net, Unforced>>,
        load::<Lnn<KineticPrior<Net>, FrictionForce<Net>>>,
        load::<Lnn<MechanicalLagrangian<Net, Net>, Unforced>>,
    ];
    let path = file(data);
    loads.map(|load| load(&path)).contains(&true)
}

/// PyTorch's weights.
pub fn state_dict(data: &[u8]) -> bool {
    let (path, mut read) = (file(data), false);
    for sizes in [&[2, 8, 8, 1][..], &[2, 3, 1]] {
        for output_bias in [false, true] {
            let architecture = Architecture::new(sizes).expect("small");
            let architecture = architecture.with_output_bias(output_bias);
            read |= Mlp::<f32>::load_state_dict(&path, architecture.clone(), "").is_ok();
            read |= Mlp::<f64>::load_state_dict(&path, architecture.clone(), "").is_ok();
            read |= Mlp::<f64>::load_state_dict(&path, architecture, "friction.").is_ok();
        }
    }
    read
}

/// A sparse Hamiltonian in JSON.
pub fn formula(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Ok(model) = SparseHamiltonian::from_json(text, &[]) else { return false };
    let x = vec![0.5; model.state_dim()];
    let _: Result<Vec<f64>, _> = model.eval_state(0.0, &x);
    let _: Result<f64, _> = model.energy_state(&x);
    let _ = (model.to_text(), model.to_latex(), model.to_rust());
    let _ = (model.is_separable(), model.clone().separate());
    let again = model.to_json().expect("what was read can be written");
    assert!(SparseHamiltonian::from_json(&again, &[]).is_ok(), "what was written can be read");
    true
}

/// An expression in JSON.
pub fn expression(data: &[u8]) -> bool {
    let Ok(expression) = serde_json::from_slice::<Expression>(data) else { return false };
    let dim = expression.last_coordinate().map_or(1, |last| last.saturating_add(1));
    if dim > 16 {
        return true;
    }
    let _ = expression.value(&vec![0.5; dim]);
    let _ = (expression.is_zero(), expression.is_constant());
    let names: Vec<String> = (0..dim).map(|i| format!("x{i}")).collect();
    let _ = (expression.to_text(&names), expression.to_latex(&names));
    for i in 0..dim {
        let _ = expression.derivative(i).value(&vec![0.5; dim]);
    }
    true
}

/// An ansatz in JSON.
pub fn ansatz(data: &[u8]) -> bool {
    let Ok(ansatz) = serde_json::from_slice::<Ansatz>(data) else { return false };
    let ones = vec![1.0; ansatz.columns().len()];
    let _ = (ansatz.names(), SparseHamiltonian::from_coefficients(&ansatz, &ones).is_ok());
    true
}

/// What a checkpoint begins with.
const MAGIC: &[u8] = b"hnn-train run 2\n";

/// Trains a little, going on from the checkpoint in a file.
pub(crate) fn train_from(path: &Path) -> Result<(), TrainError> {
    let network = Mlp::<f64>::new(
        Architecture::new(&[2, 3, 1]).expect("small"),
        Initialisation::Orthogonal,
        0,
    );
    let mut model = Hnn::new(network).expect("an energy");
    let x = array![[1.0, 0.0], [0.0, 0.5], [0.3, -0.4]];
    let dx = array![[0.0, -2.0], [1.0, 0.0], [-0.8, -0.6]];
    let mut loss = DerivativeLoss::new(array![0.0, 0.0, 0.0].view(), x.view(), dx.view())
        .expect("finite numbers");
    let checkpoint = Checkpoint::new(path).with_step_interval(2).with_resume(true);
    let mut trainer = Trainer::new(4).with_checkpoint(checkpoint);
    trainer.fit(&mut model, &mut loss, None, &mut ()).map(drop)
}

/// What a trainer saves today, and what of it the sum guards.
pub fn saved_checkpoint() -> [Vec<u8>; 2] {
    let path = FOLDER.with(|folder| folder.path().join("saved"));
    train_from(&path).expect("nothing to go on from");
    let file = std::fs::read(path).expect("it was saved");
    let content = file[MAGIC.len()..file.len() - 4].to_vec();
    [file, content]
}

/// A checkpoint as it is; and, since no one guesses the sum that guards it, one of these contents.
pub fn checkpoint(data: &[u8]) -> bool {
    let sum = Crc::<u32>::new(&CRC_32_ISCSI).checksum(data).to_le_bytes();
    let content = [MAGIC, data, &sum].concat();
    [data, &content].map(|bytes| train_from(&file(bytes)).is_ok()).contains(&true)
}
