//! Readers of measured rows.

use std::path::Path;

use ndarray::Array2;

use crate::{DataError, Measurements};

/// Which columns of a CSV file are what, by the names in its header.
///
/// ```
/// use hnn_data::CsvColumns;
/// let motor = CsvColumns::new("time", &["position", "velocity"]).with_inputs(&["torque"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvColumns {
    trial: Option<String>,
    time: String,
    state: Vec<String>,
    inputs: Vec<String>,
}

impl CsvColumns {
    /// A column of times, and the columns of the state's coordinates. All rows are one trial.
    #[must_use]
    pub fn new(time: &str, state: &[&str]) -> Self {
        Self { trial: None, time: time.into(), state: owned(state), inputs: Vec::new() }
    }

    /// Names a column with the trial's number.
    #[must_use]
    pub fn with_trial(self, trial: &str) -> Self {
        Self { trial: Some(trial.into()), ..self }
    }

    /// Names columns of inputs, such as a motor's torque.
    #[must_use]
    pub fn with_inputs(self, inputs: &[&str]) -> Self {
        Self { inputs: owned(inputs), ..self }
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.into()).collect()
}

impl Measurements {
    /// Reads rows of numbers between blanks: trial, time, then the state's coordinates (angle
    /// and angular velocity, say). Lines that begin with `%` or `#`, and empty ones, are skipped.
    ///
    /// This is the format of the pendulum measured by Schmidt and Lipson (Science 324, 2009),
    /// `real_pend_h_1.txt`.
    ///
    /// # Errors
    /// If the file cannot be read or holds no rows; if a row has something that is no number or
    /// another number of columns than the first (the error names the line); and as
    /// [`new`](Self::new).
    pub fn read_text(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let mut rows = Rows::new(path);
        for (index, line) in read(path)?.lines().enumerate() {
            let line_number = index + 1;
            let line = line.trim();
            if line.is_empty() || line.starts_with(['%', '#']) {
                continue;
            }
            let fields = Vec::from_iter(line.split_whitespace());
            rows.check_columns(line_number, fields.len())?;
            let trial = rows.trial(line_number, fields[0])?;
            rows.push_time(line_number, trial, fields[1])?;
            for field in &fields[2..] {
                rows.states.push(rows.number(line_number, field)?);
            }
        }
        rows.into_measurements(0)
    }

    /// Reads a CSV file with a header; see [`CsvColumns`]. Other columns are not looked at.
    ///
    /// # Errors
    /// If the file cannot be read or holds no rows; if a column is missing from the header, is there
    /// twice, or is asked for twice; if no coordinate of the state is named; if a row has something
    /// that is no number or another number of fields than the header (the error names the line);
    /// and as [`new`](Self::new).
    pub fn read_csv(path: impl AsRef<Path>, columns: &CsvColumns) -> Result<Self, DataError> {
        let path = path.as_ref();
        let text = read(path)?;
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let mut rows = Rows::new(path);
        let header = reader.headers().map_err(|error| rows.csv_error(&error))?.clone();
        if columns.state.is_empty() {
            let reason = "no column of the state is named: give at least one coordinate";
            return Err(rows.error(1, reason.into()));
        }
        let mut taken = Vec::new();
        let mut place = |name: &String| {
            let at = find_column(&header, name).map_err(|reason| rows.error(1, reason))?;
            if taken.contains(&at) {
                let reason =
                    format!("column {name:?} is asked for twice: a column is one quantity");
                return Err(rows.error(1, reason));
            }
            taken.push(at);
            Ok(at)
        };
        let trial = columns.trial.as_ref().map(&mut place).transpose()?;
        let time = place(&columns.time)?;
        let mut places =
            |names: &[String]| names.iter().map(&mut place).collect::<Result<Vec<_>, _>>();
        let (state, inputs) = (places(&columns.state)?, places(&columns.inputs)?);
        for record in reader.records() {
            let record = record.map_err(|error| rows.csv_error(&error))?;
            let line = record.position().map_or(0, |position| position.line() as usize);
            let number = |rows: &Rows<'_>, column: usize| rows.number(line, &record[column]);
            let trial = trial.map_or(Ok(0), |column| rows.trial(line, &record[column]))?;
            rows.push_time(line, trial, &record[time])?;
            for &column in &state {
                rows.states.push(number(&rows, column)?);
            }
            for &column in &inputs {
                rows.inputs.push(number(&rows, column)?);
            }
        }
        rows.into_measurements(inputs.len())
    }
}

/// The place of the one column of that name, or what is wrong with the header.
fn find_column(header: &csv::StringRecord, name: &str) -> Result<usize, String> {
    let mut places = header.iter().enumerate().filter(|(_, column)| *column == name);
    match (places.next(), places.next()) {
        (Some((place, _)), None) => Ok(place),
        (None, _) => {
            let found = Vec::from_iter(header).join(", ");
            Err(format!("no column {name:?}; the header has: {found}"))
        }
        (Some((first, _)), Some((second, _))) => Err(format!(
            "columns {} and {} are both named {name:?}: rename one of them",
            first + 1,
            second + 1
        )),
    }
}

fn read(path: &Path) -> Result<String, DataError> {
    hnn_files::read_text(path).map_err(|source| DataError::Read { path: path.into(), source })
}

/// Rows read so far.
struct Rows<'a> {
    path: &'a Path,
    columns: Option<usize>,
    trials: Vec<u64>,
    times: Vec<f64>,
    states: Vec<f64>,
    inputs: Vec<f64>,
}

impl<'a> Rows<'a> {
    fn new(path: &'a Path) -> Self {
        let (trials, times, states, inputs) = Default::default();
        Self { path, columns: None, trials, times, states, inputs }
    }

    fn error(&self, line: usize, reason: String) -> DataError {
        DataError::Parse { path: self.path.into(), line, reason }
    }

    fn csv_error(&self, error: &csv::Error) -> DataError {
        let line = error.position().map_or(1, |position| position.line() as usize);
        let reason = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} fields, but the header has {expected_len}")
            }
            _ => error.to_string(),
        };
        self.error(line, reason)
    }

    fn check_columns(&mut self, line: usize, given: usize) -> Result<(), DataError> {
        if given < 3 {
            let reason = format!("{given} columns, but trial, time and a state are expected");
            return Err(self.error(line, reason));
        }
        match *self.columns.get_or_insert(given) {
            expected if expected == given => Ok(()),
            expected => {
                Err(self.error(line, format!("{given} columns, but the first row has {expected}")))
            }
        }
    }

    fn number(&self, line: usize, field: &str) -> Result<f64, DataError> {
        match field.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(self.error(line, format!("{field:?} is no finite number"))),
        }
    }

    /// Trials are whole numbers, perhaps written as `1.0e+000`.
    fn trial(&self, line: usize, field: &str) -> Result<u64, DataError> {
        let number = self.number(line, field)?;
        if number >= 0.0 && number.fract() == 0.0 && number < 9.0e15 {
            Ok(number as u64)
        } else {
            Err(self.error(line, format!("{field:?} is no trial's number: 0, 1, 2, ...")))
        }
    }

    /// Starts a row. Within a trial, times must increase.
    fn push_time(&mut self, line: usize, trial: u64, field: &str) -> Result<(), DataError> {
        let time = self.number(line, field)?;
        if let (Some(&last_trial), Some(&last)) = (self.trials.last(), self.times.last())
            && last_trial == trial
            && time <= last
        {
            let reason = format!("time {time} does not come after {last}, the time before it");
            return Err(self.error(line, reason));
        }
        self.trials.push(trial);
        self.times.push(time);
        Ok(())
    }

    fn into_measurements(self, num_inputs: usize) -> Result<Measurements, DataError> {
        let n = self.times.len();
        if n == 0 {
            return Err(self.error(1, "the file holds no rows".into()));
        }
        let array = |numbers: Vec<f64>, columns: usize| {
            Array2::from_shape_fn((n, columns), |(row, i)| numbers[row * columns + i])
        };
        let dim = self.states.len() / n;
        let (states, inputs) = (array(self.states, dim), array(self.inputs, num_inputs));
        Measurements::new(self.trials, self.times, states, inputs)
    }
}
