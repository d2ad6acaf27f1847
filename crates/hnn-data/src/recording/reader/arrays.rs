//! Reading a recording of named arrays.

use ndarray::ArrayD;

use super::{RecordingReader, no_roles, origin};
use crate::recording::arrays::Columns;
use crate::recording::assemble::{Part, assemble};
use crate::recording::column::{ColumnKey, Role};
use crate::recording::table::find;
use crate::{DataError, Recording, Share};

impl RecordingReader {
    pub(super) fn load_arrays(
        &self,
        arrays: &[(String, ArrayD<f64>)],
        share: Share,
        source: &str,
    ) -> Result<Recording, DataError> {
        let columns = Columns::new(arrays, source)?;
        let names = columns.names.clone();
        let reader =
            if self.roles.is_empty() { self.by_names(&names, source)? } else { self.clone() };
        let place = |key: &ColumnKey| find(&names, names.len(), key, source);
        let (wanted, trial) = reader.places(place, source)?;
        let shapes = arrays.iter().map(|(name, array)| format!("{name} {:?}", array.shape()));
        let notes = vec![format!("arrays {}", Vec::from_iter(shapes).join(", "))];
        let channels = reader.channels(&names, &wanted);
        let origin = origin(&names, &wanted, trial, notes, "row", source);
        assemble(&reader, columns.table(&wanted, trial), &channels, origin, Part::Of(share))
    }

    /// Arrays named t, x, dx, u say themselves what they are.
    fn by_names(&self, names: &[String], source: &str) -> Result<Self, DataError> {
        let mut reader = self.clone();
        for name in names {
            let role = match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
                "t" => Role::Time,
                "x" => Role::State,
                "dx" => Role::Derivative,
                "u" => Role::Input,
                _ => continue,
            };
            reader = reader.with(role, name.as_str());
        }
        if reader.roles.is_empty() {
            return Err(no_roles(names, names.len(), source));
        }
        reader.check(source)?;
        Ok(reader)
    }
}
