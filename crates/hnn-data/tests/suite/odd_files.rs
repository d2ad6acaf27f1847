//! Ways in which a file can be odd: each is read, with a word in the report where it is not obvious,
//! or refused with a sentence that names the place and the cure.

use std::io::Write;

use hnn_data::{Column, Recording, RecordingReader};

use crate::shares::assert_shares_are_those_of_the_whole;

/// What is to happen.
enum Outcome {
    /// It is read: rows, pieces, the first state, and words of the report.
    Read(usize, usize, f64, &'static [&'static str]),
    /// It is refused: words of the error.
    Refused(&'static [&'static str]),
}

use Outcome::{Read, Refused};

type Setting = fn(RecordingReader) -> RecordingReader;

const PLAIN: Setting = |reader| reader.time("t").position("q");
const TRIALS: Setting = |reader| reader.trial("run").time("t").position("q");

fn odd_files() -> Vec<(&'static str, Vec<u8>, Setting, Outcome)> {
    let utf16 = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xFF, 0xFE].into_iter().chain(units).collect::<Vec<u8>>()
    };
    let mut counts = String::from("t,q\n");
    (0..60).for_each(|k| counts += &format!("{k},{}\n", 75 * k % 1024));
    let clock = |times: &[f64]| {
        let rows = times.iter().enumerate().map(|(k, t)| format!("{t},{k}\n"));
        ("t,q\n".to_owned() + &String::from_iter(rows)).into_bytes()
    };
    let swing = |k: usize| (0.1 * k as f64).sin();
    let logged = |of: &dyn Fn(usize) -> f64| {
        let rows = (0..80).map(|k| format!("{k},{}\n", of(k)));
        ("t,q\n".to_owned() + &String::from_iter(rows)).into_bytes()
    };
    let latin: Vec<u8> = b"t;q [\xB0]\n0;1\n1;2\n".into();
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (
            "byte-order mark",
            text("\u{FEFF}t,q\n0,1\n1,2\n"),
            PLAIN,
            Read(2, 1, 1.0, &["byte-order mark"]),
        ),
        ("UTF-16", utf16("t\tq\n0\t1\n1\t2\n"), PLAIN, Read(2, 1, 1.0, &["UTF-16", "tabs"])),
        ("Latin-1", latin, PLAIN, Read(2, 1, 1.0, &["Latin-1"])),
        ("ends of lines of Windows", text("t,q\r\n0,1\r\n1,2\r\n"), PLAIN, Read(2, 1, 1.0, &[])),
        ("ends of lines of old", text("t,q\r0,1\r1,2\r"), PLAIN, Read(2, 1, 1.0, &[])),
        ("no end of the last line", text("t,q\n0,1\n1,2"), PLAIN, Read(2, 1, 1.0, &[])),
        (
            "semicolons and decimal commas",
            text("t;q\n0,0;1,5\n0,1;2,5\n"),
            PLAIN,
            Read(2, 1, 1.5, &["semicolons, decimal mark ','"]),
        ),
        (
            "blanks and decimal commas",
            text("t q\n0,0  1,5\n0,1  2,5\n"),
            PLAIN,
            Read(2, 1, 1.5, &["blanks, decimal mark ','"]),
        ),
        ("bars", text("t|q\n0|1\n1|2\n"), PLAIN, Read(2, 1, 1.0, &["bars"])),
        ("quotes", text("\"t\",\"q\"\n\"0\",\"1\"\n\"1\",\"2\"\n"), PLAIN, Read(2, 1, 1.0, &[])),
        (
            "lines above the table",
            text("Logger 7\nDate: 1.2.2026\n\nt,q\n0,1\n1,2\n"),
            PLAIN,
            Read(2, 1, 1.0, &["2 lines above the table"]),
        ),
        (
            "comments above, within and below",
            text("# one\nt,q\n0,1\n# two\n1,2\n# three\n"),
            PLAIN,
            Read(2, 1, 1.0, &["1 comment line", "line 4: a comment", "line 6: a comment"]),
        ),
        (
            "a row of units",
            text("t,q\ns,rad\n0,1\n1,2\n"),
            PLAIN,
            Read(2, 1, 1.0, &["line 2 has the units: \"s,rad\"", "position q [rad]"]),
        ),
        (
            "units that are not those of the SI",
            text("t,q\n[ms],[deg]\n0,1\n1,2\nt,q\n[ms],[deg]\n2,3\n"),
            PLAIN,
            Read(
                3,
                1,
                1.0,
                &["\"t [ms]\" is in milliseconds", "`scaled(1e-3)`", "\"q [deg]\" says degrees"],
            ),
        ),
        (
            "degrees that nothing says",
            text("t,q\n0,-70\n1,60\n2,-50\n3,40\n4,-30\n5,20\n"),
            |r| r.time("t").angle("q"),
            Read(6, 1, -70.0, &["\"q\" goes 21 turns there and back: if it is in degrees"]),
        ),
        (
            "degrees with two decimals",
            text("t;q [deg]\n0;0,01\n1;0,04\n2;0,02\n3;0,05\n4;0,09\n5;0,06\n6;0,03\n"),
            |r| r.time("t").angle(Column::new("q").degrees()),
            // The step in radians.
            Read(7, 1, 0.01_f64.to_radians(), &["steps of 1.75e-4"]),
        ),
        (
            "microseconds by the name",
            text("micros,q\n8000000000,1\n8000020000,2\n"),
            |r| r.time("micros").position("q"),
            Read(2, 1, 1.0, &["is in microseconds", "`scaled(1e-6)`"]),
        ),
        (
            "microseconds that overflow in 32 bits",
            clock(&[4294900000., 4294920000., 4294940010., 4294960000., 12704., 32704., 52700.]),
            |r| r.time(Column::new("t").scaled(1e-6)).position("q"),
            Read(
                7,
                1,
                0.0,
                &["7 rows over 0.12 from", "1 overflow of 2^32 ticks undone, first in line 6"],
            ),
        ),
        (
            "milliseconds of a clock of microseconds that overflows",
            clock(&[4294960., 4294962., 4294964., 4294966., 0.704, 2.704]),
            PLAIN,
            Read(6, 1, 0.0, &["6 rows over 10 from", "1 overflow of 2^32 ticks"]),
        ),
        (
            "ticks that overflow in 16 bits, twice",
            clock(&[1e4, 3e4, 5e4, 4464., 24464., 44464., 64464., 18928.]),
            PLAIN,
            Read(8, 1, 0.0, &["8 rows over 1.4e5", "2 overflows of 2^16 ticks"]),
        ),
        (
            "milliseconds that begin anew",
            clock(&[65000., 65020., 65040., 0., 20., 40.]),
            PLAIN,
            Read(6, 2, 0.0, &["2 trials"]),
        ),
        (
            "spikes",
            logged(&|k| if [20, 40, 41].contains(&k) { 57.3 } else { swing(k) }),
            |r| r.time("t").angle("q"),
            Read(80, 1, 0.0, &["\"q\" is far from the rows around in 3 rows (first in line 22)"]),
        ),
        (
            "a sensor that hung",
            logged(&|k| swing(if (30..50).contains(&k) { 30 } else { k })),
            PLAIN,
            Read(80, 1, 0.0, &["\"q\" stands still in 19 rows (first in line 33), then jumps"]),
        ),
        (
            "velocities that count the other way round",
            b"t,q,v\n0,0,-1\n1,1,-1\n2,2,-1\n3,3,-1\n4,4,-1\n5,5,-1\n6,6,-1\n7,7,-1\n8,8,-1\n9,9,-1\n".into(),
            |r| r.time("t").position("q").velocity("v"),
            Read(10, 1, 0.0, &["is -1 times \"v\": one of the two counts the other way round"]),
        ),
        (
            "days of a spreadsheet",
            text("t,q\n45413.5,1\n45413.5000002,2\n45413.5000004,3\n"),
            PLAIN,
            Read(3, 1, 1.0, &["the days of a spreadsheet", "`scaled(86400.0)`"]),
        ),
        (
            "a time zone",
            text("t,q\n2024-05-01T12:00:00.010Z,1\n2024-05-01T12:00:00.020Z,2\n"),
            PLAIN,
            Refused(&["line 2, column \"t\"", "time in seconds"]),
        ),
        (
            "counts of an encoder that begin anew",
            text(&counts),
            |r| r.time("t").angle("q"),
            Read(
                60,
                1,
                0.0,
                &["jumps from one end of its range to the other 4 times", "scaled(TAU / counts)"],
            ),
        ),
        (
            "counts of an encoder that begin anew, scaled",
            text(&counts),
            |r| r.time("t").angle(Column::new("q").scaled(std::f64::consts::TAU / 1024.0)),
            Read(60, 1, 0.0, &["4 wraps"]),
        ),
        (
            "UTF-16 without a mark",
            utf16("t\tq\n0\t1\n1\t2\n")[2..].to_vec(),
            PLAIN,
            Read(2, 1, 1.0, &["UTF-16 without a byte-order mark"]),
        ),
        (
            "no numbers of C and of spreadsheets",
            text("t,q\n0,1\n1,-1.#IND\n2,nan(ind)\n3,#DIV/0!\n4,<NA>\n5,2\n"),
            PLAIN,
            Read(2, 2, 1.0, &["4 rows dropped", "lines 3 to 6: no number in q"]),
        ),
        (
            "quoted thousands",
            text("t,q\n\"0.5\",\"1\"\n\"1,000.5\",\"2\"\n"),
            PLAIN,
            Refused(&["line 3, column \"t\": \"1,000.5\"", "thousands separators"]),
        ),
        (
            "time that goes back throughout",
            text("t,q\n3,1\n2,2\n1,3\n"),
            PLAIN,
            Refused(&["line 3", "\"2 after 3\"", "sort the rows"]),
        ),
        (
            "an array without a name",
            b"\x93NUMPY\x01\0\x02\0{}".into(),
            PLAIN,
            Refused(&[".npy", "numpy.savez"]),
        ),
        (
            "units behind underscores",
            text("t_us,q_deg\n0,1\n1,2\n"),
            |r| r.time("t_us").angle("q_deg"),
            Read(2, 1, 1.0, &["`scaled(1e-6)`", "\"q_deg\" says degrees"]),
        ),
        (
            "names in a comment",
            text("% t q\n0 1\n1 2\n"),
            PLAIN,
            Read(2, 1, 1.0, &["in a comment"]),
        ),
        (
            "no header, columns by name",
            text("0,1\n1,2\n"),
            PLAIN,
            Refused(&["no header", "by their numbers"]),
        ),
        (
            "no header, columns by number",
            text("0,1\n1,2\n"),
            |r| r.time(0).position(1),
            Read(2, 1, 1.0, &["no header"]),
        ),
        (
            "a header of numbers",
            text("0,1\n0,5\n1,6\n"),
            |r| r.with_header(true).time("0").position("1"),
            Read(2, 1, 5.0, &[]),
        ),
        ("a delimiter behind each row", text("t,q\n0,1,\n1,2,\n"), PLAIN, Read(2, 1, 1.0, &[])),
        (
            "the header again",
            text("t,q\n0,1\n1,2\nt,q\n2,3\n"),
            PLAIN,
            Read(3, 1, 1.0, &["line 4: the header again"]),
        ),
        (
            "a last line that is cut off",
            text("t,q\n0,1\n1,2\n2"),
            PLAIN,
            Read(2, 1, 1.0, &["1 row dropped", "line 4: the last line is cut off"]),
        ),
        (
            "a row that is too short",
            text("t,q\n0,1\n1\n2,3\n"),
            PLAIN,
            Refused(&["line 3", "1 fields where the table has 2"]),
        ),
        (
            "missing numbers of many kinds",
            text("t,q\n0,1\n1,\n2,NA\n3,n.a.\n4,null\n5,-\n6,2\n"),
            PLAIN,
            Read(2, 2, 1.0, &["5 rows dropped", "lines 3 to 7: no number in q"]),
        ),
        (
            "a number that stands for none",
            text("t,q\n0,1\n1,-999.0\n2,3\n"),
            |r| r.with_missing(&["-999"]).time("t").position("q"),
            Read(2, 2, 1.0, &["line 3: no number in q"]),
        ),
        (
            "infinity",
            text("t,q\n0,1\n1,inf\n"),
            PLAIN,
            Refused(&["line 3, column \"q\": \"inf\"", "`with_missing`"]),
        ),
        (
            "a word among numbers",
            text("t,q\n0,1\n1,open\n"),
            PLAIN,
            Refused(&["line 3, column \"q\": \"open\"", "`with_missing`"]),
        ),
        (
            "thousands separators",
            text("t;q\n0;1,5\n1;1.234,5\n"),
            PLAIN,
            Refused(&["line 3", "thousands separators"]),
        ),
        (
            "dates",
            text("t,q\n2026-01-02 10:00:00,1\n2026-01-02 10:00:01,2\n"),
            PLAIN,
            Refused(&["line 2, column \"t\"", "time in seconds"]),
        ),
        (
            "exponents of Fortran",
            text("t q\n0.0D0 1.5D+00\n1.0D0 2.5D+00\n"),
            |r| r.with_header(true).time("t").position("q"),
            Read(2, 1, 1.5, &[]),
        ),
        ("a minus of typographers", text("t,q\n0,\u{2212}1\n1,2\n"), PLAIN, Read(2, 1, -1.0, &[])),
        (
            "a row twice",
            text("t,q\n0,1\n1,2\n1,2\n2,3\n"),
            PLAIN,
            Read(3, 1, 1.0, &["line 4: the same as the row before"]),
        ),
        (
            "a time twice",
            text("t,q\n0,1\n1,2\n1,3\n"),
            PLAIN,
            Refused(&["line 4", "\"1 after 1\"", "`with_interval`"]),
        ),
        (
            "rows out of order",
            text("t,q\n0,1\n1,2\n3,3\n2,3\n"),
            PLAIN,
            Refused(&["line 5", "\"2 after 3\"", "sort the rows"]),
        ),
        (
            "time that begins anew",
            text("t,q\n0,1\n1,2\n2,3\n0,4\n1,5\n2,6\n"),
            PLAIN,
            Read(6, 2, 1.0, &["2 trials"]),
        ),
        (
            "trials that alternate",
            text("run,t,q\nA,0,1\nB,0,5\nA,1,2\nB,1,6\n"),
            TRIALS,
            Read(4, 2, 1.0, &["trial A: 2 rows", "trial B: 2 rows"]),
        ),
        (
            "two columns of one name",
            text("t,q,q\n0,1,2\n1,2,3\n"),
            PLAIN,
            Refused(&["columns 1 and 2 (counted from 0) are both named \"q\""]),
        ),
        (
            "a column that is not there",
            text("t,p\n0,1\n"),
            PLAIN,
            Refused(&["no column \"q\"; the header has: t, p"]),
        ),
        (
            "a column beyond the last",
            text("t,q\n0,1\n"),
            |r| r.time(0).position(2),
            Refused(&["column 2 asked for, but there are 2"]),
        ),
        (
            "one column for two roles",
            text("t,q\n0,1\n"),
            |r| r.time("t").position("q").input("q"),
            Refused(&["asked for twice"]),
        ),
        ("nothing", text(""), PLAIN, Refused(&["no rows"])),
        ("a header alone", text("t,q\n"), PLAIN, Refused(&["no row of numbers"])),
        (
            "prose",
            text("Dear all,\nthe data are late.\n"),
            PLAIN,
            Refused(&["no row of numbers", "Dear all"]),
        ),
        (
            "no row with all numbers",
            text("t,q,u\n0,1,\n1,,2\n"),
            |r| r.time("t").position("q").input("u"),
            Refused(&["of 2 rows none has all numbers", "`held`"]),
        ),
        (
            "a quote that is not closed",
            text("t,q\n0,1\n1,\"2\n2,3\n3,4\n"),
            PLAIN,
            Refused(&["line 3", "quote"]),
        ),
        ("bytes of nothing", vec![0; 64], PLAIN, Refused(&[])),
        (
            "an archive that is none",
            b"PK\x03\x04 and no more".into(),
            PLAIN,
            Refused(&["numpy.savez"]),
        ),
        (
            "nobody says what is what",
            text("time,angle\n0,1\n"),
            |r| r,
            Refused(&["time, angle", "`time`"]),
        ),
    ]
}

#[test]
fn odd_files_are_read_or_refused_with_the_cure() {
    let mut wrong = Vec::new();
    for (name, content, setting, outcome) in odd_files() {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(&content).expect("written");
        let reader = setting(Recording::read(file.path()));
        assert_shares_are_those_of_the_whole(&reader, name);
        let result = reader.load();
        match (result, outcome) {
            (Ok(recording), Read(rows, pieces, first, words)) => {
                let report = recording.report();
                let text = report.to_string();
                let found = recording.piece(0).expect("a piece").states[[0, 0]];
                if (recording.len(), recording.num_pieces(), found) != (rows, pieces, first) {
                    wrong.push(format!("{name}: {found} first\n{text}"));
                }
                for word in words.iter().filter(|word| !text.contains(**word)) {
                    wrong.push(format!("{name}: no {word:?} in\n{text}"));
                }
                // Each row is used, or stands in the report.
                let inside = |reason: &str| {
                    !reason.contains("comment")
                        && !reason.contains("header")
                        && !reason.contains("cut off")
                };
                let dropped = report.dropped.iter().filter(|one| inside(&one.reason));
                let dropped: usize = dropped.map(|one| one.rows).sum();
                assert_eq!(recording.len() + dropped, report.rows_read, "{name}: {text}");
            }
            (Err(error), Refused(words)) => {
                let text = error.to_string();
                assert!(text.len() < 700, "{name}: {text}");
                for word in words.iter().filter(|word| !text.contains(**word)) {
                    wrong.push(format!("{name}: no {word:?} in\n{text}"));
                }
            }
            (Ok(recording), Refused(_)) => {
                wrong.push(format!("{name}: read\n{}", recording.report()))
            }
            (Err(error), Read(..)) => wrong.push(format!("{name}: refused: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_said_about_a_file_is_checked() {
    let t = [0.0, 1.0];
    let columns = || Recording::from_columns([("t", &t[..]), ("q", &t), ("v", &t), ("p", &t)]);
    let refused = |reader: RecordingReader, word: &str| {
        let error = reader.load().expect_err(word).to_string();
        assert!(error.contains(word), "{error}");
    };
    refused(columns().position("q"), "no column is the time");
    refused(columns().time("t").with_interval(0.1).position("q"), "the time is given twice");
    refused(columns().time("t"), "no column is a coordinate");
    refused(columns().time("t").velocity("v"), "1 velocities, but no position; add a column");
    refused(columns().time("t").momentum("v"), "1 velocities or momenta for 0 positions");
    refused(columns().time("t").position("q").velocity("v").momentum("p"), "1 velocities and 1");
    refused(
        columns().time("t").state("q").state("p").derivative("v"),
        "1 derivatives for a state of 2",
    );
    refused(columns().with_interval(f64::NAN).position("q"), "an interval of NaN");
    refused(columns().time("t").position("q").with_decimal('x'), "decimal mark 'x'");
    refused(columns().time("t").position("q").with_delimiter('\u{3b8}'), "separates nothing");
    refused(columns().time("t").position("q").with_comments(&[""]), "an empty mark");
    let turning = hnn_data::Column::new("q");
    refused(columns().time("t").position(turning.clone().wrapped()), "name it by `angle`");
    refused(columns().time("t").position(turning.scaled(0.0)), "a factor that is finite");
    let error = Recording::read("no/such/file.csv").time("t").position("q").load();
    let error = error.expect_err("missing").to_string();
    assert!(error.starts_with("cannot read no/such/file.csv: "), "{error}");
}

/// Whatever becomes of a file, no row is lost without a word, and nothing panics.
#[test]
fn changed_files_are_read_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("changed");
    let arrays = ["swing.npz", "batch.npz"].map(|name| {
        let setting: Setting = |reader| reader;
        (std::fs::read(hnn_testing::recording(name)).expect("a file"), setting)
    });
    let texts = odd_files().into_iter().map(|(_, content, setting, _)| (content, setting));
    let seeds = Vec::from_iter(texts.chain(arrays));
    let mut state = 1_u64;
    let mut draw = |end: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % end
    };
    let mut read = 0;
    for round in 0..600 {
        let (content, setting) = &seeds[round % seeds.len()];
        let mut bytes = content.clone();
        for _ in 0..1 + draw(3) {
            let at = draw(bytes.len() + 1);
            let pieces: [&[u8]; 12] = [
                b"",
                b",",
                b"\n",
                b"\"",
                b"e308",
                b"-1e308",
                b"nan",
                b"0",
                b";",
                b"\xFF",
                b"5e-324",
                b"t,q\n1,2\n",
            ];
            let to = (at + draw(3)).min(bytes.len());
            bytes.splice(at..to, pieces[draw(pieces.len())].iter().copied());
        }
        std::fs::write(&path, &bytes).expect("written");
        let reader = setting(Recording::read(&path));
        assert_shares_are_those_of_the_whole(&reader, "changed");
        let Ok(recording) = reader.load() else { continue };
        read += 1;
        let data = recording.data_set().expect("what was read is a data set");
        assert_eq!(data.len(), recording.len());
        let _ = (recording.report().to_string(), recording.differentiate());
    }
    assert!((60..540).contains(&read), "{read} of 600");
}
