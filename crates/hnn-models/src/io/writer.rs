//! Writing model files.

use std::collections::HashMap;
use std::path::Path;

use hnn_integrators::Scalar;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{FORMAT_VERSION, KEY, Persist};
use crate::ModelError;

/// Gathers the weights and the description of a model's part for a file.
#[derive(Debug)]
pub struct PartWriter<'f> {
    file: &'f mut Contents,
    description: Map<String, Value>,
    prefix: String,
}

/// The tensors of a file, by name.
#[derive(Debug, Default)]
struct Contents {
    tensors: Vec<(String, Vec<usize>, Vec<u8>)>,
    scalar: Option<(&'static str, Dtype)>,
    numbers: usize,
}

impl PartWriter<'_> {
    /// A property of this part, to be read by [`PartReader::property`](super::PartReader).
    ///
    /// # Errors
    /// If the value has no JSON form.
    pub fn property(&mut self, name: &str, value: impl Serialize) -> Result<(), ModelError> {
        let value = serde_json::to_value(value).map_err(|e| ModelError::Description {
            name: name.to_owned(),
            reason: e.to_string(),
        })?;
        self.description.insert(name.to_owned(), value);
        Ok(())
    }

    /// A tensor of this part, row-major.
    ///
    /// # Errors
    /// If a number is NaN or infinite.
    pub fn tensor<T: Scalar>(
        &mut self,
        name: &str,
        shape: &[usize],
        data: &[T],
    ) -> Result<(), ModelError> {
        let file = &mut *self.file;
        if let Some(index) = data.iter().position(|w| !w.is_finite()) {
            let value = data[index].to_f64();
            return Err(ModelError::NonFiniteParameter { index: file.numbers + index, value });
        }
        file.numbers += data.len();
        let dtype = dtype::<T>();
        file.scalar = Some((T::NAME, dtype));
        let bytes = match dtype {
            Dtype::F32 => data.iter().flat_map(|w| (w.to_f64() as f32).to_le_bytes()).collect(),
            _ => data.iter().flat_map(|w| w.to_f64().to_le_bytes()).collect(),
        };
        file.tensors.push((format!("{}{name}", self.prefix), shape.to_vec(), bytes));
        Ok(())
    }

    /// A part of this part, whose tensors are named as if they were this part's own.
    ///
    /// # Errors
    /// The part's.
    pub fn inner<T: Scalar, P: Persist<T>>(
        &mut self,
        name: &str,
        part: &P,
    ) -> Result<(), ModelError> {
        self.part(name, "", part.kind(), &|writer| part.write(writer))
    }

    /// A part of this part, whose tensors are named `name.linear1.weight` and so on.
    ///
    /// # Errors
    /// The part's.
    pub fn child<T: Scalar, P: Persist<T>>(
        &mut self,
        name: &str,
        part: &P,
    ) -> Result<(), ModelError> {
        self.part(name, &format!("{name}."), part.kind(), &|writer| part.write(writer))
    }

    fn part(
        &mut self,
        name: &str,
        prefix: &str,
        kind: &str,
        write: Write<'_>,
    ) -> Result<(), ModelError> {
        let prefix = format!("{}{prefix}", self.prefix);
        let description = describe(self.file, prefix, kind, write)?;
        self.description.insert(name.to_owned(), description);
        Ok(())
    }
}

/// Writes a part, whichever it is.
type Write<'a> = &'a dyn Fn(&mut PartWriter<'_>) -> Result<(), ModelError>;

/// The description of a part, whose tensors go into `file`.
fn describe(
    file: &mut Contents,
    prefix: String,
    kind: &str,
    write: Write<'_>,
) -> Result<Value, ModelError> {
    let description = Map::from_iter([("kind".to_owned(), kind.into())]);
    let mut writer = PartWriter { file, description, prefix };
    write(&mut writer)?;
    Ok(Value::Object(writer.description))
}

/// How safetensors calls the scalar type.
pub(super) fn dtype<T: Scalar>() -> Dtype {
    if T::NAME == "f32" { Dtype::F32 } else { Dtype::F64 }
}

/// Writes the file of a model of a kind.
pub(super) fn save(kind: &str, write: Write<'_>, path: &Path) -> Result<(), ModelError> {
    let mut file = Contents::default();
    let model = describe(&mut file, String::new(), kind, write)?;
    let (scalar, dtype) = file.scalar.unwrap_or(("f64", Dtype::F64));
    let header = json!({ "format_version": FORMAT_VERSION, "scalar": scalar, "model": model });
    let format = |e: safetensors::SafeTensorError| ModelError::Format {
        path: path.to_owned(),
        reason: e.to_string(),
    };
    let tensors = file
        .tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(format)?;
    // One key only: the order of several would change from run to run.
    let metadata = HashMap::from([(KEY.to_owned(), header.to_string())]);
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(format)?;
    hnn_files::write_all(path, &bytes).map_err(|error| ModelError::File {
        action: "write",
        path: path.to_owned(),
        source: error.into(),
    })
}
