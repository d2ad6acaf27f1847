//! The weights that PyTorch saved.

use std::path::Path;

use hnn_integrators::Scalar;

use super::reader::{ModelFile, read_bytes};
use crate::ModelError;
use crate::mlp::{Architecture, Mlp};

impl<T: Scalar> Mlp<T> {
    /// Reads a network out of a PyTorch state dict, saved with `safetensors.torch.save_file(
    /// model.state_dict(), path)`.
    ///
    /// The file does not say what the network is, so `architecture` must. `prefix` picks one of
    /// several networks, as in `"friction."`; `""` takes the whole file, which then may hold
    /// nothing else. The layers are the tensors `<prefix><name>.weight` in the order of the numbers
    /// in their names (`linear1`, `linear2`, ..; `0`, `2`, .. of a `Sequential`), with `<name>.bias`
    /// beside them.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged, or its tensors under the prefix are not those of
    /// the architecture.
    pub fn load_state_dict(
        path: impl AsRef<Path>,
        architecture: Architecture,
        prefix: &str,
    ) -> Result<Self, ModelError> {
        let path = path.as_ref();
        let bytes = read_bytes(path)?;
        let file = ModelFile::open(path, &bytes)?;
        let layers = layer_names(&file, prefix);
        let (given, expected) = (layers.len(), architecture.sizes().len() - 1);
        if given != expected {
            return Err(file.fault(format!(
                "it holds {given} layers named {prefix:?} (tensors {:?}), but the architecture has {expected}",
                file.names()
            )));
        }
        let theta = flat(&architecture, |index, shape, is_bias| {
            let name = &layers[index];
            let part = if is_bias { "bias" } else { "weight" };
            file.tensor(&format!("{name}{part}"), shape)
        })?;
        file.check_all_taken(prefix)?;
        Self::from_params(architecture, theta).map_err(|e| file.fault(e))
    }
}

/// The flat parameter vector of an architecture, from `tensor(layer, shape, whether a bias)`.
pub(super) fn flat<T: Scalar>(
    architecture: &Architecture,
    tensor: impl Fn(usize, &[usize], bool) -> Result<Vec<T>, ModelError>,
) -> Result<Vec<T>, ModelError> {
    let mut theta = Vec::new();
    let last = architecture.sizes().len() - 2;
    for (index, pair) in architecture.sizes().windows(2).enumerate() {
        theta.extend(tensor(index, &[pair[1], pair[0]], false)?);
        if index < last || architecture.output_bias() {
            theta.extend(tensor(index, &[pair[1]], true)?);
        }
    }
    Ok(theta)
}

/// `"<prefix><name>."` of each layer, in the order of the numbers in the names.
fn layer_names(file: &ModelFile<'_>, prefix: &str) -> Vec<String> {
    let mut names: Vec<String> = file
        .names()
        .into_iter()
        .filter(|name| name.starts_with(prefix))
        .filter_map(|name| name.strip_suffix("weight"))
        .map(str::to_owned)
        .collect();
    names.sort_by_cached_key(|name| {
        let name = &name[prefix.len()..];
        let numbers = name.split(|c: char| !c.is_ascii_digit());
        let numbers: Vec<u64> = numbers.filter_map(|n| n.parse().ok()).collect();
        (numbers, name.to_owned())
    });
    names
}
