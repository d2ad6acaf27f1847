//! What was read, what was not, and what it allows.

use std::fmt::{self, Display, Formatter};

use crate::recording::column::Role;

/// Where the numbers come from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) source: String,
    pub(crate) unit_of_place: &'static str,
    pub(crate) notes: Vec<String>,
    pub(crate) unused: Vec<String>,
}

/// What a [`Recording`](crate::Recording) holds and what was left out of it; it prints itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Report {
    /// The file.
    pub source: String,
    /// How it was read: delimiter, decimal mark, encoding, header, lines above the table.
    pub notes: Vec<String>,
    /// Columns that nobody asked for.
    pub unused: Vec<String>,
    /// Rows that were found, those that were dropped included.
    pub rows_read: usize,
    /// Rows and lines that are in no piece, and why.
    pub dropped: Vec<Dropped>,
    /// Each trial.
    pub trials: Vec<TrialReport>,
    /// Each gap.
    pub gaps: Vec<Gap>,
    /// The coordinates of the state in their order, then derivatives, then inputs.
    pub channels: Vec<ChannelReport>,
    /// What to look at, and what to do about it.
    pub advice: Vec<String>,
    #[cfg_attr(feature = "serde", serde(skip))]
    unit_of_place: &'static str,
}

/// Rows, one after another, that were dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Dropped {
    /// The first one's line, counted from 1; of columns in memory its row, counted from 0.
    pub first: usize,
    /// The last one's.
    pub last: usize,
    /// How many.
    pub rows: usize,
    /// Why.
    pub reason: String,
}

/// A trial.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TrialReport {
    /// Its label.
    pub label: String,
    /// Rows in its pieces.
    pub rows: usize,
    /// Pieces into which gaps cut it.
    pub pieces: usize,
    /// The file's time at its begin, which is 0 here.
    pub begin: f64,
    /// Time from its first row to its last.
    pub duration: f64,
    /// Time steps, from the shortest, and how many steps are about as long.
    pub rates: Vec<(f64, usize)>,
}

/// Two rows of a trial between which rows are missing.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Gap {
    /// Index of the trial.
    pub trial: usize,
    /// Time of the last row before it, from the trial's begin.
    pub time: f64,
    /// How long it is.
    pub length: f64,
    /// Whether rows were there that lack a number; otherwise the time jumps.
    pub is_missing: bool,
}

/// A column that was read.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ChannelReport {
    /// Its name.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// What the file's numbers were multiplied by ([`degrees`](crate::Column::degrees),
    /// [`scaled`](crate::Column::scaled)): the other numbers here are those after it.
    pub factor: f64,
    /// Its smallest number, in the units of the recording.
    pub low: f64,
    /// Its largest number.
    pub high: f64,
    /// The step of which its numbers are multiples, if there is one.
    pub step: Option<f64>,
    /// The standard deviation of its noise, by differences; `None` for few rows.
    pub noise: Option<f64>,
    /// Whether all numbers are the same.
    pub is_constant: bool,
    /// Rows in which it is stuck at an end of its range.
    pub saturated: usize,
    /// Jumps by a turn that were undone.
    pub wraps: usize,
    /// Of coordinates of the state: how well their derivatives are known.
    pub slopes: Vec<Slope>,
}

/// How well a derivative is known.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Slope {
    /// 1 for the first derivative, 2 for the second.
    pub order: usize,
    /// Half the width, in time, of the window from which it is taken.
    pub half_width: f64,
    /// Its root mean square.
    pub size: f64,
    /// The root mean square of its standard error.
    pub error: f64,
}

/// Derivatives whose errors are larger, relative to themselves, are noise.
const NOISE: f64 = 0.3;

impl Slope {
    /// Its error relative to its size.
    #[must_use]
    pub fn relative_error(&self) -> f64 {
        self.error / self.size
    }

    /// Whether it is more signal than noise: a relative error of at most 0.3.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.relative_error() <= NOISE
    }
}

impl Report {
    pub(crate) fn new(
        origin: Origin,
        rows_read: usize,
        dropped: Vec<Dropped>,
        trials: Vec<TrialReport>,
        gaps: Vec<Gap>,
        channels: Vec<ChannelReport>,
        advice: Vec<String>,
    ) -> Self {
        let Origin { source, unit_of_place, notes, unused } = origin;
        Self {
            source,
            notes,
            unused,
            rows_read,
            dropped,
            trials,
            gaps,
            channels,
            advice,
            unit_of_place,
        }
    }

    /// Whether derivatives of all coordinates are more signal than noise.
    #[must_use]
    pub fn allows_derivatives(&self) -> bool {
        let states = || self.channels.iter().filter(|channel| channel.role.is_state());
        states().all(|channel| channel.is_constant || !channel.slopes.is_empty())
            && states().flat_map(|channel| &channel.slopes).all(Slope::is_usable)
    }

    /// What to do about what was found. `gains` are positions, velocities, and the gain by which the
    /// one's slope is the other.
    pub(crate) fn advise(&mut self, gains: &[(String, String, f64)]) {
        let mut advice = Vec::new();
        for channel in &self.channels {
            let ChannelReport { name, role, .. } = channel;
            if channel.is_constant {
                advice.push(match role {
                    Role::Input => format!("{name:?} is constant: what it does cannot be told from an offset; leave it out, or vary it"),
                    _ => format!("{name:?} is constant: it says nothing about the motion; leave it out"),
                });
            }
            if channel.saturated > 0 {
                advice.push(format!("{name:?} is stuck at an end of its range in {} rows: take them out, or measure with a wider range", channel.saturated));
            }
            if let (Some(step), Some(noise)) = (channel.step, channel.noise)
                && role.is_state()
                && step > noise
            {
                advice.push(format!("{name:?} is quantised by steps of {}, above its noise: take no differences of it from row to row", Short(step)));
            }
            for slope in &channel.slopes {
                if !slope.is_usable() {
                    let which = if slope.order == 1 { "derivative" } else { "second derivative" };
                    advice.push(format!("the {which} of {name:?} is mostly noise: use the weak form, or fit trajectories"));
                }
            }
            if role.is_state() && channel.slopes.is_empty() && !channel.is_constant {
                advice.push(format!("{name:?} has no piece of 8 rows for derivatives: fit trajectories, or measure longer"));
            }
        }
        for (position, velocity, gain) in gains {
            if !(0.8..1.25).contains(gain) {
                let units = match gain.abs() * 180.0 / std::f64::consts::PI {
                    ratio if (0.8..1.25).contains(&ratio) => {
                        "the velocity is in degrees, the position is not"
                    }
                    ratio if (0.8..1.25).contains(&(ratio / 3282.8)) => {
                        "the position is in degrees, the velocity is not"
                    }
                    _ if (0.8..1.25).contains(&-gain) => {
                        "one of the two counts the other way round"
                    }
                    _ => "one of the units is another one, or it is no velocity",
                };
                advice.push(format!(
                    "the slope of {position:?} is {} times {velocity:?}: {units}",
                    Short(*gain)
                ));
            }
        }
        let missing = self.dropped.iter().filter(|one| one.reason.starts_with("no number"));
        let missing: usize = missing.map(|one| one.rows).sum();
        if 4 * missing > self.rows_read {
            advice.push(format!("{missing} rows lack a number: if a column is logged less often than the others, call `held` on it"));
        }
        self.advice.extend(advice);
    }
}

/// Time steps of about the same length, from the shortest, and how many; those that are few count with
/// their neighbours.
pub(crate) fn rates<'a>(pieces: impl Iterator<Item = &'a [f64]>) -> Vec<(f64, usize)> {
    let steps = pieces.flat_map(|times| times.windows(2).map(|pair| pair[1] - pair[0]));
    let mut steps = Vec::from_iter(steps);
    steps.sort_unstable_by(f64::total_cmp);
    let groups = steps.chunk_by(|a, b| *b <= 1.2 * a);
    groups.map(|group| (group[group.len() / 2], group.len())).collect()
}

/// Lines of a list that are printed.
const MOST_LINES: usize = 12;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kept: usize = self.trials.iter().map(|trial| trial.rows).sum();
        let pieces: usize = self.trials.iter().map(|trial| trial.pieces).sum();
        writeln!(f, "{}", self.source)?;
        writeln!(
            f,
            "  {kept} of {} used, in {} and {}",
            counted(self.rows_read, "row"),
            counted(self.trials.len(), "trial"),
            counted(pieces, "piece")
        )?;
        list(f, &self.notes, |note, f| writeln!(f, "  {note}"))?;
        if !self.unused.is_empty() {
            writeln!(f, "  not asked for: {}", self.unused.join(", "))?;
        }
        list(f, &self.trials, |trial, f| {
            write!(
                f,
                "trial {}: {} over {}",
                trial.label,
                counted(trial.rows, "row"),
                Short(trial.duration)
            )?;
            if trial.begin != 0.0 {
                write!(f, " from {}", trial.begin)?;
            }
            let rates =
                trial.rates.iter().map(|(step, count)| format!("{} ({count})", Short(*step)));
            let mut rates = Vec::from_iter(rates.take(MOST_LINES));
            if trial.rates.len() > rates.len() {
                rates.push("...".into());
            }
            if rates.is_empty() {
                writeln!(f)
            } else {
                writeln!(f, ", steps of {}", rates.join(", "))
            }
        })?;
        if !self.gaps.is_empty() {
            writeln!(f, "{}", counted(self.gaps.len(), "gap"))?;
        }
        list(f, &self.gaps, |gap, f| {
            let why = if gap.is_missing { "numbers are missing" } else { "the time jumps" };
            let label = self.trials.get(gap.trial).map_or("", |trial| &trial.label);
            writeln!(
                f,
                "  trial {label}, after {}: {} long, {why}",
                Short(gap.time),
                Short(gap.length)
            )
        })?;
        if !self.dropped.is_empty() {
            let count: usize = self.dropped.iter().map(|one| one.rows).sum();
            writeln!(f, "{} dropped", counted(count, "row"))?;
        }
        list(f, &self.dropped, |one, f| {
            let unit = self.unit_of_place;
            match one.rows {
                1 => writeln!(f, "  {unit} {}: {}", one.first, one.reason),
                _ => writeln!(f, "  {unit}s {} to {}: {}", one.first, one.last, one.reason),
            }
        })?;
        list(f, &self.channels, |channel, f| writeln!(f, "{channel}"))?;
        list(f, &self.advice, |advice, f| writeln!(f, "! {advice}"))
    }
}

impl Display for ChannelReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role, self.name)?;
        if self.factor != 1.0 {
            write!(f, " * {}", Short(self.factor))?;
        }
        write!(f, ": {} to {}", Short(self.low), Short(self.high))?;
        if let Some(noise) = self.noise {
            write!(f, ", noise {}", Short(noise))?;
        }
        if let Some(step) = self.step {
            write!(f, ", steps of {}", Short(step))?;
        }
        if self.wraps > 0 {
            write!(f, ", {} undone", counted(self.wraps, "wrap"))?;
        }
        for slope in &self.slopes {
            let which = if slope.order == 1 { "derivative" } else { "second" };
            let percent = 100.0 * slope.relative_error();
            write!(
                f,
                ", {which} known to {}% (window of {})",
                Short(percent),
                Short(2.0 * slope.half_width)
            )?;
        }
        Ok(())
    }
}

/// The first items; if there are more, how many.
fn list<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    mut write: impl FnMut(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    items.iter().take(MOST_LINES).try_for_each(|item| write(item, f))?;
    match items.len().saturating_sub(MOST_LINES) {
        0 => Ok(()),
        more => writeln!(f, "  ... and {more} more"),
    }
}

pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// A number in three digits.
struct Short(f64);

impl Display for Short {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rounded: f64 = format!("{:.2e}", self.0).parse().unwrap_or(self.0);
        match rounded.abs() {
            0.0 => f.write_str("0"),
            size if (1e-3..1e5).contains(&size) => write!(f, "{rounded}"),
            _ => write!(f, "{rounded:e}"),
        }
    }
}
