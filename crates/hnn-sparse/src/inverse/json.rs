//! Lagrangians in files.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::lagrangian::LagrangianTerm;
use super::{SparseLagrangian, check_joint};
use crate::ansatz::check_coordinates;
use crate::model::json;
use crate::{CustomFunction, SparseError, error::require};

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Document {
    format: Format,
    version: u32,
    /// For people; not read back.
    #[serde(default)]
    formula: String,
    coordinates: Vec<String>,
    terms: Vec<LagrangianTerm>,
}

#[derive(Serialize, Deserialize)]
enum Format {
    #[serde(rename = "sparse-lagrangian")]
    SparseLagrangian,
}

/// Version of the format that is written; older ones are read.
const VERSION: u32 = 1;

impl SparseLagrangian {
    /// As JSON. Every number is written so that it reads back the same.
    ///
    /// # Errors
    /// If a coefficient or its standard error is not finite: JSON has no such numbers.
    pub fn to_json(&self) -> Result<String, SparseError> {
        let mut terms = self.terms.iter().enumerate();
        terms.try_for_each(|(row, t)| json::check_finite(t.coefficient, t.std_error, row))?;
        Ok(serde_json::to_string_pretty(&Document {
            format: Format::SparseLagrangian,
            version: VERSION,
            formula: self.to_text(),
            coordinates: self.coordinates.clone(),
            terms: self.terms.clone(),
        })?)
    }

    /// From [`to_json`](Self::to_json)'s text; `functions` are the custom functions it may use.
    ///
    /// # Errors
    /// If it is something else, or uses a function that was not given.
    pub fn from_json(
        text: &str,
        functions: &[Arc<dyn CustomFunction>],
    ) -> Result<Self, SparseError> {
        let Document { version, coordinates, mut terms, .. } = serde_json::from_str(text)?;
        require((1..=VERSION).contains(&version), "the format's version", version, "1")?;
        check_coordinates(&coordinates, &[])?;
        for (place, LagrangianTerm { term, coefficient, std_error }) in terms.iter_mut().enumerate()
        {
            json::resolve(&mut term.feature, functions)?;
            term.feature.check(place, coordinates.len(), 0)?;
            term.joint.map_or(Ok(()), |joint| check_joint(joint, coordinates.len() / 2))?;
            json::check_finite(*coefficient, *std_error, place)?;
        }
        Self::of_terms(coordinates, terms)
    }

    /// Writes it to a file, as a whole or not at all ([`hnn_files::write`]).
    ///
    /// # Errors
    /// If the file cannot be written, or as [`to_json`](Self::to_json).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SparseError> {
        json::write(path.as_ref(), &self.to_json()?)
    }

    /// Reads a file that [`save`](Self::save) wrote; `functions` are the custom functions it may
    /// use.
    ///
    /// # Errors
    /// If the file cannot be read, or as [`from_json`](Self::from_json).
    pub fn load(
        path: impl AsRef<Path>,
        functions: &[Arc<dyn CustomFunction>],
    ) -> Result<Self, SparseError> {
        Self::from_json(&json::read(path.as_ref())?, functions)
    }
}
