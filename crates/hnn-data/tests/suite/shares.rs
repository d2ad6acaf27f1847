//! A share of a file's trials, read without the others: what the whole, cut afterwards, has.

use std::fmt::Write;
use std::path::Path;

use allocation_counter::measure;
use hnn_data::{Column, DataError, Recording, RecordingReader, Share};

/// Whether `load_share` gives what `load` and `share` give, numbers and errors.
pub(crate) fn assert_shares_are_those_of_the_whole(reader: &RecordingReader, name: &str) {
    let all = reader.load();
    for count in 1..=4 {
        for index in 0..count {
            let share = Share::new(index, count).expect("a share");
            let whole = match &all {
                Ok(recording) => recording.share(share).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match (reader.load_share(share), whole) {
                (Ok(own), Ok(whole)) => {
                    assert_eq!(own.trials(), whole.trials(), "{name}, {share}");
                    assert_eq!(own.num_pieces(), whole.num_pieces(), "{name}, {share}");
                    for ((trial, a), (other, b)) in own.pieces().zip(whole.pieces()) {
                        assert_eq!((trial, a.times), (other, b.times), "{name}, {share}");
                        assert_eq!((a.states, a.inputs), (b.states, b.inputs), "{name}, {share}");
                        assert_eq!(a.derivatives, b.derivatives, "{name}, {share}");
                    }
                    let report = own.report();
                    assert_eq!(report.trials.len(), own.trials().len(), "{name}, {share}");
                    assert_eq!(report.gaps.len() + own.trials().len(), own.num_pieces());
                }
                (Err(own), Err(whole)) => assert_eq!(own.to_string(), whole, "{name}"),
                (own, whole) => panic!("{name}, {share}: {own:?}, but {whole:?}"),
            }
        }
    }
}

fn written(text: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("written");
    file
}

fn reader(path: &Path) -> RecordingReader {
    Recording::read(path).trial("run").time("t").angle("q")
}

/// Rows `run,t,q` of trials one after another, or by turns.
fn log(trials: usize, rows: usize, by_turns: bool, q: impl Fn(usize, usize) -> f64) -> String {
    let mut text = String::from("run,t,q\n");
    for k in 0..trials * rows {
        let (trial, row) = if by_turns { (k % trials, k / trials) } else { (k / rows, k % rows) };
        writeln!(text, "r{trial},{row},{:.9}", q(trial, row)).expect("a string takes it");
    }
    text
}

#[test]
fn shares_are_those_of_the_whole() {
    use std::f64::consts::TAU;
    let wrap = |x: f64| (x + 0.5 * TAU).rem_euclid(TAU) - 0.5 * TAU;
    let swing = |trial: usize, row: usize| 0.3 * (0.2 * row as f64 + trial as f64).sin();
    // One trial alone turns, jumps by counts, or has a spike; another goes farther than a turn.
    let turns = |trial, row| if trial == 4 { wrap(0.5 * row as f64) } else { swing(trial, row) };
    let counts = |trial, row| if trial == 4 { (0.3 * row as f64) % 5.0 } else { 0.1 };
    let spike = |trial, row| if (trial, row) == (0, 20) { 57.3 } else { turns(trial, row) };
    let far = |trial, row| if trial == 0 { 0.2 * row as f64 } else { turns(trial, row) };
    let all: [&dyn Fn(usize, usize) -> f64; 5] = [&swing, &turns, &counts, &spike, &far];
    for by_turns in [false, true] {
        for (k, q) in all.into_iter().enumerate() {
            let file = written(log(5, 60, by_turns, q).as_bytes());
            let name = format!("angle {k}, by turns: {by_turns}");
            let reader = reader(file.path());
            assert_shares_are_those_of_the_whole(&reader, &name);
            let angle = Recording::read(file.path()).trial("run").time("t");
            let wrapped = angle.angle(Column::new("q").wrapped());
            assert_shares_are_those_of_the_whole(&wrapped, &name);
        }
    }
    let files: [(&str, &[u8]); 8] = [
        (
            "trials whose time begins anew",
            b"run,t,q\na,0,1\na,1,2\na,0,3\na,1,4\nb,5,5\na,0,6\na,1,7\nb,6,8\n",
        ),
        ("trials without rows", b"run,t,q\na,0,\nb,0,1\nb,1,2\nc,0,\nd,0,3\nd,1,\nd,2,4\ne,0,\n"),
        ("no rows at all", b"run,t,q\na,0,\nb,0,\n"),
        (
            "a row out of order",
            b"run,t,q\na,0,1\nb,0,1\nb,1,1\nb,3,1\nb,2,1\na,2,1\na,1,2\na,0,3\n",
        ),
        ("a word", b"run,t,q\na,0,1\na,1,2\nb,0,1\nb,1,open\n"),
        ("a short row", b"run,t,q\na,0,1\na,1\nb,0,1\nb,1,2\n"),
        ("a last row cut off", b"run,t,q\na,0,1\na,1,2\nb,0,1\nb,1\n"),
        ("an open quote", b"run,t,q\na,0,1\na,1,\"2\nb,0,1\nb,1,2\n"),
    ];
    for (name, text) in files {
        assert_shares_are_those_of_the_whole(&reader(written(text).path()), name);
    }
    // What no line tells by itself: Latin-1 by its last byte, letters across chunks.
    let mut text = log(5, 1_500, false, swing).into_bytes();
    text.splice(0..0, "# \u{3b8}\u{3b8}\u{3b8}\n".bytes());
    assert_shares_are_those_of_the_whole(&reader(written(&text).path()), "UTF-8");
    text.extend(b"# \xE9\n");
    assert_shares_are_those_of_the_whole(&reader(written(&text).path()), "Latin-1");
}

#[test]
fn the_report_is_of_the_share() {
    let text =
        "run,t,q,u\n# one\na,0,1,0\na,1,2,\n# two\na,2,3,5\nb,0,10,0\n# three\nb,1,20,\nb,4,30,0\n";
    let file = written(text.as_bytes());
    let reader = Recording::read(file.path()).trial("run").time("t").position("q").input("u");
    let share = |index| reader.load_share(Share::new(index, 2).expect("a share")).expect("read");
    let (first, second) = (share(0), share(1));
    let (one, two) = (first.report(), second.report());
    assert_eq!((one.rows_read, two.rows_read), (3, 3));
    let lines = |report: &hnn_data::Report| Vec::from_iter(report.dropped.iter().map(|d| d.first));
    assert_eq!((lines(one), lines(two)), (vec![4, 5], vec![8, 9]));
    assert_eq!((one.channels[0].high, two.channels[0].low), (3.0, 10.0));
    assert!(one.to_string().contains("1 of 2 trials"), "{one}");
    let none = reader.load_share(Share::new(0, 3).expect("a share"));
    assert!(matches!(none, Err(DataError::Empty { what: "trial" })), "{none:?}");
}

/// What a share takes while it is read, in bytes at once.
fn peak(reader: &RecordingReader, share: Share) -> u64 {
    measure(|| assert!(reader.load_share(share).expect("readable").len() > 0)).bytes_max
}

#[test]
fn a_share_takes_the_memory_of_a_share() {
    for by_turns in [false, true] {
        let text = log(64, 2_000, by_turns, |trial, row| (0.01 * (trial + row) as f64).sin());
        let file = written(text.as_bytes());
        let reader = reader(file.path());
        let whole = peak(&reader, Share::ALL);
        let eighth = peak(&reader, Share::new(3, 8).expect("a share"));
        assert!(6 * eighth < whole, "by turns: {by_turns}: {eighth} of {whole} bytes");
        assert!(eighth < text.len() as u64, "{eighth} bytes for a text of {}", text.len());
    }
}

/// A row that does not end takes no more than the longest row may.
#[test]
fn what_does_not_end_takes_no_memory() {
    let mut text = b"run,t,q\na,0,1\na,1,\"2\n".to_vec();
    text.resize(100 << 20, b'\n');
    for (begin, cure) in [(0, "quote"), (22, "line")] {
        text[begin..].fill(b'x');
        let file = written(&text);
        let mut error = String::new();
        let share = Share::new(0, 2).expect("a share");
        let taken = measure(|| {
            error = reader(file.path()).load_share(share).expect_err("no end").to_string();
        });
        assert!(error.contains(cure) && error.len() < 500, "{error}");
        assert!(taken.bytes_max < 60 << 20, "{} bytes", taken.bytes_max);
    }
}

#[test]
fn what_is_read_once_has_no_shares() {
    let share = Share::new(0, 2).expect("a share");
    for path in ["/dev/zero", "/", "no/such/file.csv"] {
        let error = reader(Path::new(path)).load_share(share).expect_err("no file").to_string();
        assert!(error.starts_with(&format!("cannot read {path}: ")), "{error}");
    }
}
