//! Model files.
//!
//! A model file is a [safetensors](https://github.com/huggingface/safetensors) file: the weights
//! under PyTorch's names and layouts for `Linear` layers (`linear1.weight` of shape (out, in),
//! `linear1.bias`, `linear2.weight`, ...; with a prefix where a model has several networks, as in
//! `friction.linear1.weight`), and in its metadata, under the key `hnn`, a JSON text
//!
//! ```json
//! {"format_version": 1, "scalar": "f32",
//!  "model": {"kind": "hnn", "hamiltonian": {"kind": "mlp", "sizes": [2, 200, 200, 1],
//!            "activation": "tanh", "output_bias": false}}}
//! ```
//!
//! So a file says what model it holds, and PyTorch reads the weights
//! (`safetensors.torch.load_file`). The other way, [`Mlp::load_state_dict`](crate::Mlp) reads the
//! weights that PyTorch saved. The same model gives the same bytes.
//!
//! Files are written by `hnn-files`: a reader sees the old file or the new one, never half of one.

mod many_body;
mod models;
mod reader;
mod state_dict;
mod writer;

use std::path::Path;

pub use reader::PartReader;
pub use writer::PartWriter;

use hnn_integrators::Scalar;

use crate::ModelError;

/// The version of the format that this library writes, and the newest it reads.
const FORMAT_VERSION: u64 = 1;
/// The metadata's key.
const KEY: &str = "hnn";

/// A model, or a part of one, that can be saved and loaded.
///
/// ```
/// use hnn_models::{Architecture, Hnn, Initialisation, Mlp, Persist};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// let network = Mlp::<f32>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1);
/// let model = Hnn::new(network)?;
/// model.save(&path)?;
/// assert_eq!(Hnn::<Mlp<f32>>::load(&path)?, model);
/// // A model of another kind is an error, not a surprise.
/// assert!(hnn_models::Baseline::<Mlp<f32>>::load(&path).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Persist<T: Scalar>: Sized {
    /// The name of this kind of model in files.
    const KIND: &'static str;

    /// The name of this model's kind, where one type stands for several.
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    /// Whether models of a kind are read as this type.
    fn reads(kind: &str) -> bool {
        kind == Self::KIND
    }

    /// Hands the weights and the description of this part to a file.
    ///
    /// # Errors
    /// If a weight is NaN or infinite.
    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError>;

    /// Makes this part of a file's weights and description; the kind has been checked.
    ///
    /// # Errors
    /// If the description or the weights do not make this part.
    fn read(part: &PartReader<'_>) -> Result<Self, ModelError>;

    /// Writes a model file, replacing an old one at once or not at all.
    ///
    /// # Errors
    /// If a weight is NaN or infinite, or the file cannot be written.
    fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        writer::save(self.kind(), &|part| self.write(part), path.as_ref())
    }

    /// Reads a model file. Weights saved in `f32` may be read as `f64`.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged or no model file, holds a model of another kind or
    /// of a newer format, or if a tensor is missing, left over, of another shape or scalar type
    /// than the model's, or not finite.
    fn load(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        reader::load(path.as_ref())
    }
}
