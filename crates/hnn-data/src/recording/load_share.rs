//! The trials of a share of a text, without the others in memory: rows are counted, then all trials are looked at, some
//! at a time, for what only all of them tell (which of them there are, whether an angle wraps), then its own are kept.

use std::collections::HashMap;
use std::ops::Range;

use crate::recording::assemble::{
    Channel, Part, Survey, assemble, changed, none_has_all, runs, survey,
};
use crate::recording::report::Origin;
use crate::recording::table::Table;
use crate::recording::text::Rows;
use crate::{DataError, Recording, RecordingReader, Share};

/// `read` passes over the file and returns the labels of its trials.
pub(crate) fn load_share(
    reader: &RecordingReader,
    read: impl Fn(&mut dyn Rows) -> Result<Vec<String>, DataError>,
    channels: &[Channel],
    origin: Origin,
    share: Share,
) -> Result<Recording, DataError> {
    let mut census = Census(Vec::new());
    read(&mut census)?;
    let rows = census.0;
    let (surveys, trials) = Surveyor::new(reader, channels, &origin, &rows, share)?.run(&read)?;
    let count: usize = trials.iter().sum();
    if count == 0 {
        return Err(none_has_all(&origin, rows.iter().sum()));
    }
    let own = share.of(count);
    if own.is_empty() {
        return Err(DataError::Empty { what: "trial" });
    }
    let (labels, before) = labels_of(&trials, &own);
    let own_rows = rows[labels.clone()].iter().sum();
    Table::check(own_rows, channels.len())?;

    let mut kept = Own { labels: labels.clone(), is_own: false, table: Table::new(channels.len()) };
    let names = read(&mut kept)?;
    let mut table = kept.table;
    if table.places.len() != own_rows || names.len() != rows.len() {
        return Err(changed(&origin));
    }
    table.labels = names[labels].to_vec();
    let part = Part::Surveyed { surveys, own: own.start - before..own.end - before, of: count };
    assemble(reader, table, channels, origin, part)
}

/// The labels of these of the trials into which labels fall, and how many trials come before. What has none is with
/// the trials that come next.
fn labels_of(trials: &[usize], own: &Range<usize>) -> (Range<usize>, usize) {
    let ends = trials.iter().scan(0, |end, count| {
        *end += count;
        Some(*end)
    });
    let ends = Vec::from_iter(ends);
    let reach = |trial: usize| ends.partition_point(|end| *end < trial);
    let first = match reach(own.start) {
        _ if own.start == 0 => 0,
        label => label + usize::from(ends.get(label) == Some(&own.start)),
    };
    let last = if ends.last() == Some(&own.end) { ends.len() } else { reach(own.end) + 1 };
    (first..last, first.checked_sub(1).map_or(0, |label| ends[label]))
}

/// The rows of each label.
struct Census(Vec<usize>);

impl Rows for Census {
    fn wants(&mut self, _: usize) -> bool {
        true
    }

    fn row(&mut self, _: usize, trial: usize, _: &[f64]) -> Result<(), DataError> {
        if trial == self.0.len() {
            self.0.push(0);
        }
        self.0[trial] += 1;
        Ok(())
    }

    fn skipped(&mut self, _: usize, _: &'static str) {}
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Waiting,
    /// There was no room when its first row came: for the next pass.
    Passed,
    Open,
    Done,
}

/// Looks at each label's rows once they are all there, and forgets them. Where trials follow one another that is
/// one pass; where they take turns, as many are held as there is room for.
struct Surveyor<'a> {
    reader: &'a RecordingReader,
    channels: &'a [Channel],
    origin: &'a Origin,
    /// Of each label, in the file.
    rows: &'a [usize],
    total: usize,
    states: Vec<State>,
    open: HashMap<usize, Table>,
    /// Rows that may still be held.
    room: usize,
    surveys: Vec<Survey>,
    /// The trials into which each label falls.
    runs: Vec<usize>,
    /// That of the first label that has one.
    error: Option<(usize, DataError)>,
}

impl<'a> Surveyor<'a> {
    fn new(
        reader: &'a RecordingReader,
        channels: &'a [Channel],
        origin: &'a Origin,
        rows: &'a [usize],
        share: Share,
    ) -> Result<Self, DataError> {
        let total: usize = rows.iter().sum();
        let largest = rows.iter().copied().max().unwrap_or(0);
        let room = largest.max(total.div_ceil(share.count()));
        Table::check(room, channels.len())?;
        let (states, runs) = (vec![State::Waiting; rows.len()], vec![0; rows.len()]);
        let surveys = vec![Survey::default(); channels.len()];
        let (open, error) = (HashMap::new(), None);
        Ok(Self { reader, channels, origin, rows, total, states, open, room, surveys, runs, error })
    }

    /// What all trials say of each channel, and into how many trials each label falls.
    fn run(
        mut self,
        read: &impl Fn(&mut dyn Rows) -> Result<Vec<String>, DataError>,
    ) -> Result<(Vec<Survey>, Vec<usize>), DataError> {
        while self.left() > 0 {
            let before = self.left();
            read(&mut self)?;
            if self.left() == before {
                return Err(changed(self.origin));
            }
            let passed = self.states.iter_mut().filter(|state| **state == State::Passed);
            passed.for_each(|state| *state = State::Waiting);
        }
        self.surveys.iter_mut().for_each(Survey::sort);
        match self.error {
            Some((_, error)) => Err(error),
            None => Ok((self.surveys, self.runs)),
        }
    }

    fn left(&self) -> usize {
        self.states.iter().filter(|state| **state != State::Done).count()
    }

    fn close(&mut self, label: usize, mut table: Table) {
        self.states[label] = State::Done;
        self.room += self.rows[label];
        match runs(self.reader, &mut table, self.channels, &mut self.origin.clone()) {
            Ok((runs, _)) => {
                survey(&mut self.surveys, &table, self.channels, &runs, self.total);
                self.runs[label] = runs.len();
            }
            Err(error) if self.error.as_ref().is_none_or(|(other, _)| label < *other) => {
                self.error = Some((label, error));
            }
            Err(_) => {}
        }
    }
}

impl Rows for Surveyor<'_> {
    fn wants(&mut self, label: usize) -> bool {
        let Some(state) = self.states.get_mut(label) else { return false };
        if *state == State::Waiting {
            *state = State::Passed;
            if let Some(room) = self.room.checked_sub(self.rows[label]) {
                (self.room, *state) = (room, State::Open);
                self.open.insert(label, Table::new(self.channels.len()));
            }
        }
        *state == State::Open
    }

    fn row(&mut self, place: usize, label: usize, numbers: &[f64]) -> Result<(), DataError> {
        let Some(table) = self.open.get_mut(&label) else { return Ok(()) };
        table.row(place, 0, numbers)?;
        if table.places.len() == self.rows[label]
            && let Some(mut table) = self.open.remove(&label)
        {
            table.labels.push(String::new());
            self.close(label, table);
        }
        Ok(())
    }

    fn skipped(&mut self, _: usize, _: &'static str) {}
}

/// Keeps the rows of some labels, and what stands between them.
struct Own {
    labels: Range<usize>,
    is_own: bool,
    table: Table,
}

impl Rows for Own {
    fn wants(&mut self, label: usize) -> bool {
        self.is_own = self.labels.contains(&label);
        self.is_own
    }

    fn row(&mut self, place: usize, label: usize, numbers: &[f64]) -> Result<(), DataError> {
        self.table.row(place, label - self.labels.start, numbers)
    }

    fn skipped(&mut self, place: usize, why: &'static str) {
        if self.is_own {
            self.table.skipped(place, why);
        }
    }
}
