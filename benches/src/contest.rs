//! Entries run in turn, and the table of their medians.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::{Clock, Options, median};

/// A comparison of several ways to do the same work.
pub struct Contest<'a> {
    title: String,
    unit: &'static str,
    options: Options,
    wall: bool,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    name: String,
    /// How much work one run does, in millions of the unit.
    work: f64,
    run: Box<dyn FnMut() -> f64 + 'a>,
    seconds: Vec<f64>,
    check: f64,
    /// It panicked: some peers do not reach the end of very long runs.
    failed: bool,
}

/// Median throughput of each entry.
#[derive(Debug, Clone)]
pub struct Outcome {
    rates: Vec<(String, f64)>,
}

impl<'a> Contest<'a> {
    /// A comparison whose work is counted in `unit` (throughputs are in millions of it a second).
    #[must_use]
    pub fn new(title: &str, unit: &'static str, options: Options) -> Self {
        Self { title: title.into(), unit, options, wall: false, entries: Vec::new() }
    }

    /// Measures wall time: for work on several threads.
    #[must_use]
    pub fn on_the_wall(mut self) -> Self {
        self.wall = true;
        self
    }

    /// Adds an entry that does `work` units at each run and returns a number that depends on all
    /// of it (printed, so that results can be compared).
    pub fn entry(&mut self, name: &str, work: f64, run: impl FnMut() -> f64 + 'a) {
        let entry = Entry {
            name: name.into(),
            work: work * 1e-6,
            run: Box::new(run),
            seconds: Vec::new(),
            check: 0.0,
            failed: false,
        };
        self.entries.push(entry);
    }

    /// Runs all entries in alternating rounds, prints the table and writes it to
    /// `target/benchmarks/`.
    pub fn run(mut self) -> Outcome {
        // The clock ticks every few milliseconds: runs are repeated until they are long enough.
        let long_enough = self.options.pick(0.3, 0.1);
        for _ in 0..self.options.pick(7, 3) {
            for entry in &mut self.entries {
                entry.measure(long_enough, self.wall);
            }
        }
        let rates = self.entries.iter().map(Entry::rate).collect();
        let outcome = Outcome { rates };
        let table = self.table(&outcome);
        println!("{table}");
        self.write(&table);
        outcome
    }

    fn table(&self, outcome: &Outcome) -> String {
        let mut table = format!("### {}\n\n", self.title);
        let _ =
            writeln!(table, "| | million {} / s | times slower | best round | check |", self.unit);
        let _ = writeln!(table, "|---|---|---|---|---|");
        for (entry, (name, rate)) in self.entries.iter().zip(&outcome.rates) {
            if entry.failed {
                let _ = writeln!(table, "| {name} | failed | | | |");
                continue;
            }
            let slower = entry.slower_than(&self.entries[0]);
            let (best, check) = (entry.work / entry.best(), entry.check);
            let _ = writeln!(table, "| {name} | {rate:.4} | {slower} | {best:.4} | {check:.12} |");
        }
        table
    }

    /// A table that cannot be written is still on the screen.
    fn write(&self, table: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/benchmarks");
        let name: String =
            self.title.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let file = folder.join(format!("{name}.md"));
        let made = std::fs::create_dir_all(&folder);
        if made.is_err() || hnn_files::write_all(&file, table.as_bytes()).is_err() {
            println!("(could not write {})", file.display());
        }
    }
}

impl Entry<'_> {
    /// Runs it until `long_enough` seconds have passed. A panic ends its part in the contest.
    fn measure(&mut self, long_enough: f64, wall: bool) {
        let (clock, mut runs, mut seconds) = (Clock::start(), 0.0, 0.0);
        while seconds < long_enough && !self.failed {
            match catch_unwind(AssertUnwindSafe(&mut self.run)) {
                Ok(check) => self.check = std::hint::black_box(check),
                Err(_) => self.failed = true,
            }
            seconds = if wall { clock.wall_seconds() } else { clock.seconds() };
            runs += 1.0;
        }
        self.seconds.push(seconds / runs);
    }

    fn rate(&self) -> (String, f64) {
        if self.failed {
            return (self.name.clone(), f64::NAN);
        }
        (self.name.clone(), self.work / median(&mut self.seconds.clone()))
    }

    fn best(&self) -> f64 {
        self.seconds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// How many times slower it is than another: the median over the rounds, and their range.
    fn slower_than(&self, other: &Self) -> String {
        let rounds = self.seconds.iter().zip(&other.seconds);
        let mut ratios: Vec<f64> =
            rounds.map(|(own, other_s)| own / self.work / (other_s / other.work)).collect();
        let median = median(&mut ratios);
        let [least, most] = [ratios[0], ratios[ratios.len() - 1]];
        format!("{median:.2} ({least:.2} to {most:.2})")
    }
}

impl Outcome {
    /// Throughput of an entry, in millions of units a second; NaN if there is none of this name.
    #[must_use]
    pub fn rate(&self, name: &str) -> f64 {
        self.rates.iter().find(|(entry, _)| entry == name).map_or(f64::NAN, |(_, rate)| *rate)
    }

    /// The best throughput among the entries whose name contains `part`.
    #[must_use]
    pub fn best(&self, part: &str) -> f64 {
        let matching = self.rates.iter().filter(|(name, _)| name.contains(part));
        matching.fold(f64::NAN, |best, (_, rate)| best.max(*rate))
    }

    /// Prints a ratio beside its bar; one to peers that were not built (feature `peers`) is NaN.
    pub fn bar(&self, what: &str, value: f64, bar: f64) {
        let verdict = if value >= bar {
            "met"
        } else if value.is_nan() {
            "not measured"
        } else {
            "MISSED"
        };
        println!("{what}: {value:.2} (bar {bar}) {verdict}");
    }
}
