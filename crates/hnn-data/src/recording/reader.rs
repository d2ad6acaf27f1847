//! What a file does not say, and the reading of it.

mod arrays;
mod check;

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use ndarray::Array1;

use crate::recording::assemble::{Channel, Part, assemble};
use crate::recording::column::{Column, ColumnKey, Role};
use crate::recording::load_share::load_share;
use crate::recording::npz;
use crate::recording::report::Origin;
use crate::recording::table::{Table, find};
use crate::recording::text::{self, Bytes, Delimiter, Layout, Options, Rows, Text};
use crate::{DataError, Recording, Share};

/// Reads a [`Recording`]: which column is what, and how the file is written where it cannot be
/// found out. Made by [`Recording::read`] and [`Recording::from_columns`]; [`load`](Self::load)
/// reads.
///
/// ```
/// use hnn_data::{Column, Recording};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("bench.csv");
/// std::fs::write(&path, "# bench 3\ntrial;t [s];angle [deg]\na;0;90,0\na;0,1;89,5\nb;0;10,0\n")?;
/// let recording = Recording::read(&path)
///     .trial("trial")
///     .time("t")
///     .angle(Column::new("angle").degrees())
///     .load()?;
/// assert_eq!((recording.len(), recording.trials()), (3, &["a".to_owned(), "b".to_owned()][..]));
/// let first = recording.piece(0).ok_or("no piece")?;
/// assert!((first.states[[0, 0]] - 1.5707963).abs() < 1e-7);
/// println!("{}", recording.report());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "`load` reads the recording"]
pub struct RecordingReader {
    source: Source,
    trial: Option<ColumnKey>,
    roles: Vec<(Role, Column)>,
    options: Options,
    pub(crate) interval: Option<f64>,
    pub(crate) gap: f64,
}

#[derive(Debug, Clone)]
enum Source {
    File(PathBuf),
    Columns(Vec<(String, Vec<f64>)>),
}

impl RecordingReader {
    fn new(source: Source) -> Self {
        let options = Options {
            delimiter: None,
            decimal: None,
            comments: ["#", "%"].map(String::from).into(),
            missing: Vec::new(),
            has_header: None,
            skip: 0,
        };
        let (trial, roles, interval) = (None, Vec::new(), None);
        Self { source, trial, roles, options, interval, gap: 1.5 }
    }

    pub(crate) fn file(path: &Path) -> Self {
        Self::new(Source::File(path.into()))
    }

    pub(crate) fn columns(columns: Vec<(String, Vec<f64>)>) -> Self {
        Self::new(Source::Columns(columns))
    }

    fn with(mut self, role: Role, column: impl Into<Column>) -> Self {
        self.roles.push((role, column.into()));
        self
    }

    /// The column that says which trial a row belongs to: words or numbers. Without it, all rows
    /// are one trial, and where the time begins anew another one.
    pub fn trial(self, column: impl Into<ColumnKey>) -> Self {
        Self { trial: Some(column.into()), ..self }
    }

    /// The column of the time, in seconds or any other unit. Each trial's time is counted from its
    /// begin, so that time stamps of this century keep their precision.
    pub fn time(self, column: impl Into<Column>) -> Self {
        self.with(Role::Time, column)
    }

    /// There is no column of the time: rows are so far apart, also those with missing numbers.
    pub fn with_interval(self, interval: f64) -> Self {
        Self { interval: Some(interval), ..self }
    }

    /// A position that is no angle. Coordinates of one kind come in the order of the calls.
    pub fn position(self, column: impl Into<Column>) -> Self {
        self.with(Role::Position, column)
    }

    /// A position that is an angle, in radians or [`degrees`](Column::degrees): where it jumps
    /// from one end of a turn to the other, the turns are added up.
    pub fn angle(self, column: impl Into<Column>) -> Self {
        self.with(Role::Angle, column)
    }

    /// The velocity of the position of the same place.
    pub fn velocity(self, column: impl Into<Column>) -> Self {
        self.with(Role::Velocity, column)
    }

    /// The momentum of the position of the same place.
    pub fn momentum(self, column: impl Into<Column>) -> Self {
        self.with(Role::Momentum, column)
    }

    /// A coordinate of the state, whatever it is.
    pub fn state(self, column: impl Into<Column>) -> Self {
        self.with(Role::State, column)
    }

    /// The time derivative of a coordinate of the state: one for each, or, beside velocities, one
    /// for each velocity, for those of the positions are the velocities.
    pub fn derivative(self, column: impl Into<Column>) -> Self {
        self.with(Role::Derivative, column)
    }

    /// An input, such as a motor's torque.
    pub fn input(self, column: impl Into<Column>) -> Self {
        self.with(Role::Input, column)
    }

    /// The character between two fields; a blank means any number of blanks and tabs. Found out
    /// from the first rows by default.
    pub fn with_delimiter(mut self, delimiter: char) -> Self {
        self.options.delimiter = Some(match delimiter {
            ' ' => Delimiter::Blank,
            // What is no ASCII character separates nothing, and the reading says so.
            other => Delimiter::Char(u8::try_from(other).unwrap_or(0)),
        });
        self
    }

    /// The decimal mark, a point or a comma. Found out from the first rows by default.
    pub fn with_decimal(mut self, mark: char) -> Self {
        self.options.decimal = Some(mark);
        self
    }

    /// What comment lines begin with; `#` and `%` by default.
    pub fn with_comments(mut self, marks: &[&str]) -> Self {
        self.options.comments = owned(marks);
        self
    }

    /// Lines of the file that come before the table. Lines that do not look like it are left out by
    /// default.
    pub fn with_skipped_lines(mut self, lines: usize) -> Self {
        self.options.skip = lines;
        self
    }

    /// Whether the table begins with the names of the columns. Found out by default.
    pub fn with_header(mut self, has_header: bool) -> Self {
        self.options.has_header = Some(has_header);
        self
    }

    /// What stands for a missing number, besides nothing, NaN, NA, N/A, n.a., null, none, missing, -, --,
    /// and what C's libraries and spreadsheets write (1.#IND, #DIV/0!). A number counts in any of its spellings.
    pub fn with_missing(mut self, words: &[&str]) -> Self {
        self.options.missing = owned(words);
        self
    }

    /// A step in time is a gap where it is so many times as long as those around it, 1.5 by
    /// default. Infinity: none is.
    pub fn with_gap(self, factor: f64) -> Self {
        Self { gap: factor, ..self }
    }

    /// Reads the recording.
    ///
    /// # Errors
    /// If the file cannot be read, or what it holds is no table of numbers with the columns asked
    /// for; each error names the line and the column, quotes what is there, and says what to do.
    /// Also if the columns make no state, or times do not increase, and if the file has more than 256 MiB: it is
    /// read in [shares](Self::load_share).
    pub fn load(&self) -> Result<Recording, DataError> {
        self.load_share(Share::ALL)
    }

    /// Reads the trials of a share: rows, pieces and labels of [`load`](Self::load) and [`Recording::share`]. Of a text
    /// with a column of the [`trial`](Self::trial) no more rows are held at a time than a share or the largest trial has: the file
    /// may be as large as it likes, and is read four times, or, where trials take turns row by row, as often more as there
    /// are shares. Arrays, and files in which only the time tells trials apart, are held until their share is cut out.
    ///
    /// The report is of the share's rows: ranges, noise and the windows of derivatives differ from those of the whole.
    /// Whether angles wrap goes by all rows, and so do errors: of any line, they are the same for each share.
    ///
    /// ```
    /// use hnn_data::{Recording, Share};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("runs.csv");
    /// std::fs::write(&path, "run,t,q\na,0,1.0\na,1,1.1\nb,0,2.0\nb,1,2.2\n")?;
    /// let reader = Recording::read(&path).trial("run").time("t").position("q");
    /// let second = reader.load_share(Share::new(1, 2)?)?;
    /// assert_eq!((second.len(), second.trials()), (2, &["b".to_owned()][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`load`](Self::load), and if no trial is in the share, or what is to be read more than once is no file.
    pub fn load_share(&self, share: Share) -> Result<Recording, DataError> {
        let source = self.source_name();
        self.check(&source)?;
        let path = match &self.source {
            Source::File(path) => path,
            Source::Columns(columns) => {
                let arrays = columns.iter().map(|(name, numbers)| {
                    (name.clone(), Array1::from(numbers.clone()).into_dyn())
                });
                return self.load_arrays(&Vec::from_iter(arrays), share, &source);
            }
        };
        let cannot_read = |source| DataError::Read { path: path.clone(), source };
        if share != Share::ALL && is_text(path).map_err(cannot_read)? {
            let text = Text::new(Bytes::File(path)).map_err(cannot_read)?;
            return self.load_text(text, share, &source);
        }
        let bytes = hnn_files::read(path).map_err(cannot_read)?;
        if bytes.starts_with(npz::ARRAY) {
            return Err(DataError::Recording {
                source_name: source,
                problem: "it is one array without a name (.npy)".into(),
                cure: "write arrays with names, `numpy.savez(path, t=t, x=x)`".into(),
            });
        }
        if bytes.starts_with(npz::ARCHIVE) {
            return self.load_arrays(&npz::read(&bytes, path)?, share, &source);
        }
        self.load_text(Text::new(Bytes::Memory(&bytes)).map_err(cannot_read)?, share, &source)
    }

    fn source_name(&self) -> String {
        match &self.source {
            Source::File(path) => path.display().to_string(),
            Source::Columns(_) => "columns in memory".into(),
        }
    }

    fn load_text(
        &self,
        text: Text<'_>,
        share: Share,
        source: &str,
    ) -> Result<Recording, DataError> {
        let head = text.head(&self.options).map_err(|error| DataError::Recording {
            source_name: source.into(),
            problem: error.to_string(),
            cure: "give a table of numbers, with a line a row".into(),
        })?;
        let keys = self.keys();
        let wanted = Vec::from_iter(keys.iter().filter_map(|key| match key {
            ColumnKey::Name(name) => Some(name.as_str()),
            ColumnKey::Number(_) => None,
        }));
        let layout = Layout::find(&head, &self.options, &wanted, source)?;
        if self.roles.is_empty() {
            return Err(no_roles(&layout.names, layout.width, source));
        }
        let place = |key: &ColumnKey| find(&layout.names, layout.width, key, source);
        let (columns, trial) = self.places(place, source)?;
        let names = Vec::from_iter((0..layout.width).map(|column| layout.name(column)));
        let channels = self.channels(&names, &columns);
        let notes = [&text.notes[..], &layout.notes].concat();
        let origin = origin(&names, &columns, trial, notes, "line", source);
        let read = |rows: &mut dyn Rows| {
            text::read(&text, &layout, &self.options, &columns, trial, source, rows)
        };
        if trial.is_some() && share != Share::ALL {
            return load_share(self, read, &channels, origin, share);
        }
        Table::check(text.lines, columns.len())?;
        let mut table = Table::new(columns.len());
        table.labels = read(&mut table)?;
        if trial.is_none() {
            table.trials.clear();
        }
        assemble(self, table, &channels, origin, Part::Of(share))
    }

    fn keys(&self) -> Vec<&ColumnKey> {
        self.trial.iter().chain(self.roles.iter().map(|(_, column)| &column.key)).collect()
    }

    /// The places of the columns in the order of the roles, and of the trial's. A column is one
    /// quantity.
    fn places(
        &self,
        place: impl Fn(&ColumnKey) -> Result<usize, DataError>,
        source: &str,
    ) -> Result<(Vec<usize>, Option<usize>), DataError> {
        let mut all: Vec<usize> = Vec::new();
        for key in self.keys() {
            let at = place(key)?;
            if all.contains(&at) {
                return Err(DataError::Recording {
                    source_name: source.into(),
                    problem: format!("column {key} is asked for twice"),
                    cure: "give each quantity a column of its own".into(),
                });
            }
            all.push(at);
        }
        let columns = all.split_off(usize::from(self.trial.is_some()));
        Ok((columns, all.first().copied()))
    }

    /// What the columns are said to be, in the order of the roles.
    fn channels(&self, names: &[String], columns: &[usize]) -> Vec<Channel> {
        let roles = self.roles.iter().zip(columns);
        let channel = |((role, column), &place): (&(Role, Column), &usize)| Channel {
            name: names[place].clone(),
            role: *role,
            column: column.clone(),
        };
        roles.map(channel).collect()
    }
}

fn no_roles(names: &[String], width: usize, source: &str) -> DataError {
    let found = match names.is_empty() {
        true => format!("{width} columns without names"),
        false => format!("columns {}", super::table::shorten(&names.join(", "), 300)),
    };
    DataError::Recording {
        source_name: source.into(),
        problem: format!("it has {found}, of which none is said to be anything"),
        cure: "say which is the `time` and which a `position`, `angle`, `velocity` or `input`"
            .into(),
    }
}

fn origin(
    names: &[String],
    columns: &[usize],
    trial: Option<usize>,
    notes: Vec<String>,
    unit_of_place: &'static str,
    source: &str,
) -> Origin {
    let is_used = |i: &usize| columns.contains(i) || trial == Some(*i);
    let unused = (0..names.len()).filter(|i| !is_used(i)).map(|i| names[i].clone());
    Origin { source: source.into(), unit_of_place, notes, unused: unused.collect() }
}

/// Whether a file, which can be read again and again, holds no arrays.
fn is_text(path: &Path) -> io::Result<bool> {
    let mut first = Vec::new();
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        let problem = "it is no file, and a share is read more than once: write it to one";
        return Err(io::Error::new(ErrorKind::InvalidInput, problem));
    }
    file.take(npz::ARRAY.len() as u64).read_to_end(&mut first)?;
    Ok(!first.starts_with(npz::ARRAY) && !first.starts_with(npz::ARCHIVE))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
