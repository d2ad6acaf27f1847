//! Cases that are timed one by one, on demand: so that a program can have ours and those of peers run
//! in turn.

use std::io::{BufRead, Write};

use crate::{Clock, Error};

/// What is timed: one run.
pub type Run = Box<dyn FnMut() -> Result<(), Error>>;

/// A piece of work with a name, made when it is first asked for.
pub struct Case {
    name: String,
    make: Box<dyn Fn() -> Result<Run, Error>>,
    run: Option<Run>,
}

impl Case {
    /// A case of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, make: impl Fn() -> Result<Run, Error> + 'static) -> Self {
        Self { name: name.into(), make: Box::new(make), run: None }
    }

    /// Microseconds of processor time a run, of runs that take `seconds` together; after some runs to
    /// warm up, if it is the first time.
    fn measure(&mut self, seconds: f64) -> Result<f64, Error> {
        let run = match &mut self.run {
            Some(run) => run,
            none => {
                let mut run = (self.make)()?;
                time(&mut run, 0.05)?;
                none.insert(run)
            }
        };
        time(run, seconds)
    }
}

fn time(run: &mut Run, seconds: f64) -> Result<f64, Error> {
    // A clock is read as rarely as tells when the time is up.
    let (clock, mut runs, mut count) = (Clock::start(), 0.0, 1);
    loop {
        for _ in 0..count {
            run()?;
        }
        runs += f64::from(count);
        let passed = clock.seconds();
        if passed >= seconds {
            return Ok(1e6 * passed / runs);
        }
        let wanted = runs * (seconds / passed.max(1e-7) - 1.0);
        count = wanted.clamp(1.0, 2.0 * runs) as u32;
    }
}

/// Answers requests on the standard input, a line `SECONDS NAME` each, by a line with the microseconds of
/// a run of that case, or `error: ...`; says `ready` and the names first.
///
/// # Errors
/// If input or output ends.
pub fn serve(cases: &mut [Case]) -> Result<(), Error> {
    let mut out = std::io::stdout().lock();
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    writeln!(out, "ready {}", names.join("|"))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (seconds, name) = line.split_once(' ').ok_or("a request is `SECONDS NAME`")?;
        let seconds = seconds.parse()?;
        match cases.iter_mut().find(|case| case.name == name) {
            Some(case) => match case.measure(seconds) {
                Ok(micros) => writeln!(out, "{micros}")?,
                Err(error) => writeln!(out, "error: {error}")?,
            },
            None => writeln!(out, "error: there is no case {name}")?,
        }
        out.flush()?;
    }
    Ok(())
}

/// Times all cases whose name contains `part`, in turn, and prints the medians. A case that fails says
/// why, and is left out.
pub fn print(cases: &mut [Case], part: &str, rounds: usize, seconds: f64) {
    let chosen = cases.iter_mut().filter(|case| case.name.contains(part));
    let mut chosen: Vec<(&mut Case, Vec<f64>)> = chosen.map(|case| (case, Vec::new())).collect();
    for _ in 0..rounds {
        chosen.retain_mut(|(case, times)| match case.measure(seconds) {
            Ok(micros) => {
                times.push(micros);
                true
            }
            Err(error) => {
                println!("  {}: {error}", case.name);
                false
            }
        });
    }
    println!("median of {rounds} rounds, microseconds:");
    for (case, times) in &mut chosen {
        println!("  {:34} {:12.2}", case.name, crate::median(times));
    }
}
