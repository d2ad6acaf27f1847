//! Formulas in files.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ModelTerm, SparseHamiltonian};
use crate::ansatz::check_coordinates;
use crate::expression::{Atom, CustomFunction, Expression};
use crate::{SparseError, error::require};

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Document {
    format: Format,
    version: u32,
    /// For people; not read back.
    #[serde(default)]
    formula: String,
    coordinates: Vec<String>,
    #[serde(default)]
    inputs: Vec<String>,
    terms: Vec<ModelTerm>,
}

#[derive(Serialize, Deserialize)]
enum Format {
    #[serde(rename = "sparse-hamiltonian")]
    SparseHamiltonian,
}

/// Version of the format that is written; older ones are read.
const VERSION: u32 = 1;

impl SparseHamiltonian {
    /// As JSON. Every number is written so that it reads back the same.
    ///
    /// # Errors
    /// If a coefficient or its standard error is not finite: JSON has no such numbers.
    pub fn to_json(&self) -> Result<String, SparseError> {
        let mut terms = self.terms.iter().enumerate();
        terms.try_for_each(|(row, t)| check_finite(t.coefficient, t.std_error, row))?;
        Ok(serde_json::to_string_pretty(&Document {
            format: Format::SparseHamiltonian,
            version: VERSION,
            formula: self.to_text(),
            coordinates: self.coordinates.clone(),
            inputs: self.inputs.clone(),
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
        let mut document: Document = serde_json::from_str(text)?;
        let (dim, inputs) = (document.coordinates.len(), document.inputs.len());
        let known = (1..=VERSION).contains(&document.version);
        require(known, "the format's version", document.version, "1")?;
        check_coordinates(&document.coordinates, &document.inputs)?;
        for (place, term) in document.terms.iter_mut().enumerate() {
            resolve(&mut term.column.feature, functions)?;
            term.column.check(place, dim, inputs)?;
            check_finite(term.coefficient, term.std_error, place)?;
        }
        Self::of_terms([document.coordinates, document.inputs], document.terms)
    }

    /// Writes it to a file, as a whole or not at all ([`hnn_files::write`]).
    ///
    /// # Errors
    /// If the file cannot be written, or as [`to_json`](Self::to_json).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SparseError> {
        write(path.as_ref(), &self.to_json()?)
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
        Self::from_json(&read(path.as_ref())?, functions)
    }
}

/// Writes a file as a whole or not at all.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), SparseError> {
    hnn_files::write_all(path, text.as_bytes()).map_err(|error| SparseError::File {
        action: "write",
        path: path.into(),
        source: error.into(),
    })
}

pub(crate) fn read(path: &Path) -> Result<String, SparseError> {
    hnn_files::read_text(path).map_err(|source| SparseError::File {
        action: "read",
        path: path.into(),
        source,
    })
}

/// Gives a feature's custom functions their values.
pub(crate) fn resolve(
    feature: &mut Expression,
    functions: &[Arc<dyn CustomFunction>],
) -> Result<(), SparseError> {
    for atom in feature.atoms_mut() {
        if let Atom::Custom(custom, _) = atom
            && !custom.resolve(functions)
        {
            return Err(SparseError::MissingFunction { name: custom.name().to_owned() });
        }
    }
    Ok(())
}

/// That the numbers of a term can be written; `row` is its place, for the error.
pub(crate) fn check_finite(
    coefficient: f64,
    std_error: f64,
    row: usize,
) -> Result<(), SparseError> {
    match [coefficient, std_error].iter().position(|number| !number.is_finite()) {
        Some(column) => {
            let what = "the table of coefficients and standard errors, a row a term,";
            Err(SparseError::NotFinite { what, row, column })
        }
        None => Ok(()),
    }
}
