//! Formulas in files.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ModelTerm, SparseHamiltonian};
use crate::SparseError;
use crate::expression::{Atom, CustomFunction};

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Document {
    format: Format,
    version: u32,
    /// For people; not read back.
    #[serde(default)]
    formula: String,
    coordinates: Vec<String>,
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
    /// If a coefficient is not finite.
    pub fn to_json(&self) -> Result<String, SparseError> {
        Ok(serde_json::to_string_pretty(&Document {
            format: Format::SparseHamiltonian,
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
        let mut document: Document = serde_json::from_str(text)?;
        let dim = document.coordinates.len();
        let known = document.version <= VERSION;
        crate::error::require(known, "the format's version", document.version, "at most 1")?;
        for (feature, term) in document.terms.iter_mut().enumerate() {
            for atom in term.column.feature.atoms_mut() {
                if let Atom::Custom(custom, _) = atom
                    && !custom.resolve(functions)
                {
                    return Err(SparseError::MissingFunction { name: custom.name().to_owned() });
                }
            }
            let last = term.column.feature.last_coordinate();
            if let Some(coordinate) = last.filter(|&last| last >= dim) {
                return Err(SparseError::Coordinate { feature, coordinate, dim });
            }
        }
        Ok(Self::of_terms(document.coordinates, document.terms))
    }

    /// Writes it to a file: first to a temporary one beside it, which then takes its name, so that
    /// an interrupted run leaves no half of a file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), SparseError> {
        let path = path.as_ref();
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(name);
        let text = self.to_json()?;
        let write = || {
            let mut file = File::create(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        };
        write().map_err(|source| SparseError::File { action: "write", path: path.into(), source })
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
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|source| SparseError::File {
            action: "read",
            path: path.into(),
            source,
        })?;
        Self::from_json(&text, functions)
    }
}
