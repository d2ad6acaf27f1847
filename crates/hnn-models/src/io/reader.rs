//! Reading model files.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use hnn_integrators::Scalar;
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::writer::dtype;
use super::{FORMAT_VERSION, KEY, Persist};
use crate::ModelError;

/// The weights and the description of a model's part in a file.
#[derive(Debug)]
pub struct PartReader<'f> {
    file: &'f ModelFile<'f>,
    description: &'f Value,
    prefix: String,
}

/// An open file.
#[derive(Debug)]
pub(super) struct ModelFile<'f> {
    path: &'f Path,
    tensors: SafeTensors<'f>,
    /// Tensors that the model has taken.
    taken: RefCell<BTreeSet<String>>,
}

impl PartReader<'_> {
    /// The name of this part's kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.description.get("kind").and_then(Value::as_str).unwrap_or("nothing")
    }

    /// A property of this part, written by [`PartWriter::property`](super::PartWriter).
    ///
    /// # Errors
    /// If it is missing or of another type.
    pub fn property<V: DeserializeOwned>(&self, name: &str) -> Result<V, ModelError> {
        let value = self.description.get(name).unwrap_or(&Value::Null).clone();
        serde_json::from_value(value)
            .map_err(|e| self.file.fault(format!("its description's {name:?}: {e}")))
    }

    /// A tensor of this part, row-major, of the given shape.
    ///
    /// # Errors
    /// If it is missing, of another shape or a wider scalar type, or not finite.
    pub fn tensor<T: Scalar>(&self, name: &str, shape: &[usize]) -> Result<Vec<T>, ModelError> {
        self.file.tensor(&format!("{}{name}", self.prefix), shape)
    }

    /// Whether this part has a tensor of this name.
    #[must_use]
    pub fn has_tensor(&self, name: &str) -> bool {
        self.file.tensors.tensor(&format!("{}{name}", self.prefix)).is_ok()
    }

    /// A part written by [`PartWriter::inner`](super::PartWriter::inner).
    ///
    /// # Errors
    /// If it is missing, of another kind, or the part's own.
    pub fn inner<T: Scalar, P: Persist<T>>(&self, name: &str) -> Result<P, ModelError> {
        read_part(&self.part(name, "")?)
    }

    /// A part written by [`PartWriter::child`](super::PartWriter::child).
    ///
    /// # Errors
    /// If it is missing, of another kind, or the part's own.
    pub fn child<T: Scalar, P: Persist<T>>(&self, name: &str) -> Result<P, ModelError> {
        read_part(&self.part(name, &format!("{name}."))?)
    }

    /// The error of a file that holds no such part, for whatever a constructor says.
    #[must_use]
    pub fn fault(&self, reason: impl ToString) -> ModelError {
        self.file.fault(reason)
    }

    fn part(&self, name: &str, prefix: &str) -> Result<PartReader<'_>, ModelError> {
        let Some(description) = self.description.get(name) else {
            return Err(self.file.fault(format!("its description lacks {name:?}")));
        };
        let prefix = format!("{}{prefix}", self.prefix);
        Ok(PartReader { file: self.file, description, prefix })
    }

    /// The error of a part of another kind than is asked for.
    fn of_another_kind(&self, asked: &str) -> ModelError {
        let kind = self.kind();
        self.fault(format!(
            "it holds a model of kind {kind:?}, but {asked:?} is asked for: load it as the type that was saved"
        ))
    }
}

fn read_part<T: Scalar, P: Persist<T>>(part: &PartReader<'_>) -> Result<P, ModelError> {
    if P::reads(part.kind()) { P::read(part) } else { Err(part.of_another_kind(P::KIND)) }
}

impl<'f> ModelFile<'f> {
    pub(super) fn open(path: &'f Path, bytes: &'f [u8]) -> Result<Self, ModelError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| fault(path, e))?;
        Ok(Self { path, tensors, taken: RefCell::default() })
    }

    pub(super) fn fault(&self, reason: impl ToString) -> ModelError {
        fault(self.path, reason)
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.tensors.names()
    }

    /// The numbers of a tensor.
    pub(super) fn tensor<T: Scalar>(
        &self,
        name: &str,
        shape: &[usize],
    ) -> Result<Vec<T>, ModelError> {
        let Ok(tensor) = self.tensors.tensor(name) else {
            return Err(self.fault(format!("the tensor {name:?} is missing")));
        };
        if tensor.shape() != shape {
            let given = tensor.shape();
            return Err(self.fault(format!("the tensor {name:?} is {given:?}, not {shape:?}")));
        }
        let bytes = tensor.data();
        let data: Vec<T> = match (tensor.dtype(), dtype::<T>()) {
            (Dtype::F32, _) => numbers(bytes, |b| T::from_f64(f64::from(f32::from_le_bytes(b)))),
            (Dtype::F64, Dtype::F64) => numbers(bytes, |b| T::from_f64(f64::from_le_bytes(b))),
            (given, _) => {
                let expected = T::NAME;
                return Err(self.fault(format!(
                    "the tensor {name:?} is of type {given:?}, but the model's is {expected}: load it as f64, and train in f32 what is to run in f32"
                )));
            }
        };
        if let Some(index) = data.iter().position(|w| !w.is_finite()) {
            let value = data[index];
            return Err(self.fault(format!("number {index} of the tensor {name:?} is {value}")));
        }
        self.taken.borrow_mut().insert(name.to_owned());
        Ok(data)
    }

    /// Every tensor whose name begins with `prefix` must have been taken.
    pub(super) fn check_all_taken(&self, prefix: &str) -> Result<(), ModelError> {
        let taken = self.taken.borrow();
        let mut left = self.names();
        left.retain(|name| name.starts_with(prefix) && !taken.contains(*name));
        left.sort_unstable();
        if left.is_empty() {
            return Ok(());
        }
        Err(self.fault(format!("it holds tensors that the model does not have: {left:?}")))
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| number(*chunk)).collect()
}

fn fault(path: &Path, reason: impl ToString) -> ModelError {
    ModelError::Format { path: path.to_owned(), reason: reason.to_string() }
}

pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, ModelError> {
    let error = |source| ModelError::File { action: "read", path: path.to_owned(), source };
    hnn_files::read(path).map_err(error)
}

pub(super) fn load<T: Scalar, P: Persist<T>>(path: &Path) -> Result<P, ModelError> {
    let bytes = read_bytes(path)?;
    let model = description(path, &bytes)?;
    let file = ModelFile::open(path, &bytes)?;
    let part = PartReader { file: &file, description: &model, prefix: String::new() };
    let model = read_part(&part)?;
    file.check_all_taken("")?;
    Ok(model)
}

/// The description of a file's model.
fn description(path: &Path, bytes: &[u8]) -> Result<Value, ModelError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| fault(path, e))?;
    let Some(header) = metadata.metadata().as_ref().and_then(|m| m.get(KEY)) else {
        let reason = "it does not say what model it holds (for weights saved by PyTorch, give the architecture to `Mlp::load_state_dict`)";
        return Err(fault(path, reason));
    };
    let mut header: Value = serde_json::from_str(header).map_err(|e| fault(path, e))?;
    let version = header.get("format_version").and_then(Value::as_u64);
    if !version.is_some_and(|v| (1..=FORMAT_VERSION).contains(&v)) {
        let given = version.map_or("unknown".to_owned(), |v| v.to_string());
        return Err(fault(
            path,
            format!("its format version is {given}, but this library reads 1 to {FORMAT_VERSION}"),
        ));
    }
    Ok(header.get_mut("model").map_or(Value::Null, Value::take))
}
