//! Files as accidents and malice leave them.

use std::path::Path;

use rand::RngExt;

use crate::odd::Odd;
use crate::readers;
use crate::watch::{attack, rounds};

/// Reads a file of one kind.
type OfPath = fn(&Path) -> Result<(), hnn::Error>;

type Reader = fn(&[u8]) -> bool;

/// Each reader's seeds and how many of a hundred files it gets: those that save take longer.
const READERS: [(&str, Reader, usize); 9] = [
    ("text", readers::text, 20),
    ("csv", readers::csv, 20),
    ("arrays", readers::arrays, 10),
    ("formula", readers::formula, 20),
    ("expression", readers::expression, 12),
    ("ansatz", readers::ansatz, 8),
    ("model", readers::model, 8),
    ("state_dict", readers::state_dict, 8),
    ("checkpoint", readers::checkpoint, 4),
];

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder of seeds")
        .map(|file| file.expect("an entry").path())
        .collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("a seed")).collect()
}

#[test]
fn mutated_files_are_read_or_refused() {
    let all = rounds(20_000);
    for (name, reader, share) in READERS {
        let mut seeds = seeds(name);
        if name == "checkpoint" {
            seeds.extend(readers::saved_checkpoint());
        }
        assert!(!seeds.is_empty(), "{name}");
        for seed in &seeds {
            reader(seed);
        }
        let read = attack(name, all * share as u64 / 100, |round| {
            let mut odd = Odd::new(1, round);
            let seed = odd.pick(&seeds);
            reader(&mutated(&seed, &mut odd))
        });
        assert!((0.01..0.99).contains(&read), "{name}: {read} of the files were read");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn files_without_an_end_are_refused() {
    use hnn::data::Recording;
    use hnn::models::{Baseline, Mlp, Persist};
    let path = Path::new("/dev/zero");
    let readers: [OfPath; 3] = [
        |path| Ok(Recording::read(path).time(0).state(1).load().map(drop)?),
        |path| Ok(<Baseline<Mlp<f64>> as Persist<f64>>::load(path).map(drop)?),
        |path| Ok(hnn::sparse::SparseHamiltonian::load(path, &[]).map(drop)?),
    ];
    for reader in readers {
        let error = reader(path).expect_err("no end").to_string();
        assert!(error.contains("larger than 268435456 bytes"), "{error}");
    }
    let error = readers::train_from(path).expect_err("no end").to_string();
    assert!(error.contains("larger than 268435456 bytes"), "{error}");
}

/// A few bytes, numbers or pieces changed.
fn mutated(seed: &[u8], odd: &mut Odd) -> Vec<u8> {
    match header(seed) {
        // Past the length, into what it is the length of.
        Some((header, rest)) if odd.yes(0.7) => {
            let (mut header, mut rest) = (header.to_vec(), rest.to_vec());
            change(if odd.yes(0.8) { &mut header } else { &mut rest }, odd);
            [&(header.len() as u64).to_le_bytes()[..], &header, &rest].concat()
        }
        _ => {
            let mut bytes = seed.to_vec();
            change(&mut bytes, odd);
            bytes
        }
    }
}

/// The header of a safetensors file, and the numbers after it.
fn header(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

const NUMBERS: [&str; 17] = [
    "0",
    "-1",
    "1",
    "2",
    "3",
    "7",
    "1000",
    "-1000",
    "1001",
    "2147483647",
    "-2147483648",
    "18446744073709551615",
    "1e308",
    "-1e-308",
    "0.5",
    "null",
    "NaN",
];

fn change(bytes: &mut Vec<u8>, odd: &mut Odd) {
    for _ in 0..1 + odd.below(3) {
        if bytes.is_empty() {
            bytes.push(b'{');
        }
        let at = odd.below(bytes.len());
        let until = |most, odd: &mut Odd| (at + 1 + odd.below(most)).min(bytes.len());
        match odd.below(6) {
            0 => bytes[at] = odd.pick(b"0123456789-e.,:;[]{}\"\n\tqpR"),
            1 => bytes[at] ^= 1 << odd.below(8),
            2 | 3 => {
                // One of the numbers becomes another one.
                let digit = |b: &u8| b.is_ascii_digit() || *b == b'-';
                let Some(from) = bytes[at..].iter().position(digit).map(|k| at + k) else {
                    continue;
                };
                let more = |b: &u8| !(b.is_ascii_digit() || b"-.e".contains(b));
                let to = bytes[from..].iter().position(more).map_or(bytes.len(), |k| from + k);
                bytes.splice(from..to, odd.pick(&NUMBERS).bytes());
            }
            4 => {
                let piece = bytes[at..until(40, odd)].to_vec();
                let place = odd.below(bytes.len());
                bytes.splice(place..place, piece);
            }
            _ if odd.yes(0.1) => bytes.truncate(at),
            _ => drop(bytes.drain(at..until(20, odd))),
        }
    }
    if odd.yes(0.01) {
        let noise: Vec<u8> = (0..64).map(|_| odd.rng().random()).collect();
        bytes.extend(noise);
    }
}
