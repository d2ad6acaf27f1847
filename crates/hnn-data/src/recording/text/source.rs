//! The text of a file: read as often as it takes, and never with more than a row of it in memory.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::rc::Rc;

use super::layout::{Options, SAMPLE};

/// The most bytes of a row, and of the first lines together.
const LONGEST: u64 = 1 << 24;
/// Bytes that are decoded at once.
const CHUNK: u64 = 1 << 16;

/// Where the bytes are.
#[derive(Clone, Copy)]
pub(crate) enum Bytes<'a> {
    Memory(&'a [u8]),
    File(&'a Path),
}

impl<'a> Bytes<'a> {
    fn open(self) -> io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(bytes),
            Self::File(path) => Box::new(File::open(path)?),
        })
    }
}

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16(fn([u8; 2]) -> u16),
    Latin1,
}

/// A text in UTF-8 or UTF-16, by its byte-order mark, or else in Latin-1.
pub(crate) struct Text<'a> {
    bytes: Bytes<'a>,
    encoding: Encoding,
    /// Bytes of the byte-order mark.
    mark: u64,
    /// Whether lines end in a carriage return alone.
    has_old_ends: bool,
    /// How many there are at most.
    pub(crate) lines: usize,
    /// What was found.
    pub(crate) notes: Vec<String>,
}

impl<'a> Text<'a> {
    /// Looks through all of it: one byte tells that it is no UTF-8.
    pub(crate) fn new(bytes: Bytes<'a>) -> io::Result<Self> {
        let mut first = Vec::new();
        bytes.open()?.take(4).read_to_end(&mut first)?;
        let bare = "UTF-16 without a byte-order mark";
        let (mut encoding, mut mark, mut note) = match first[..] {
            [0xFF, 0xFE, ..] => (Encoding::Utf16(u16::from_le_bytes), 2, "UTF-16"),
            [0xFE, 0xFF, ..] => (Encoding::Utf16(u16::from_be_bytes), 2, "UTF-16"),
            // The first two letters, each with a byte of 0.
            [1..=0x7F, 0, 1..=0x7F, 0] => (Encoding::Utf16(u16::from_le_bytes), 0, bare),
            [0, 1..=0x7F, 0, 1..=0x7F] => (Encoding::Utf16(u16::from_be_bytes), 0, bare),
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3, "byte-order mark left out"),
            _ => (Encoding::Utf8, 0, ""),
        };
        let (mut new_lines, mut returns) = (0, 0);
        let (mut raw, mut is_last, mut file) = (Vec::new(), false, bytes.open()?);
        while !is_last {
            is_last = fill(&mut raw, &mut file)?;
            let mut whole = raw.len();
            if let (Encoding::Utf8, Err(error)) = (encoding, std::str::from_utf8(&raw)) {
                if error.error_len().is_none() && !is_last {
                    whole = error.valid_up_to(); // The next bytes end the letter.
                } else {
                    (encoding, mark, note) = (Encoding::Latin1, 0, "no UTF-8: read as Latin-1");
                }
            }
            let count = |end| raw[..whole].iter().filter(|byte| **byte == end).count();
            new_lines += count(b'\n');
            returns += count(b'\r');
            raw.drain(..whole);
        }
        let has_old_ends = returns > 0 && new_lines == 0;
        let lines = 1 + if has_old_ends { returns } else { new_lines };
        let notes = Vec::from_iter((!note.is_empty()).then(|| note.to_owned()));
        Ok(Self { bytes, encoding, mark, has_old_ends, lines, notes })
    }

    /// The first lines, as many as a layout is found by.
    pub(crate) fn head(&self, options: &Options) -> io::Result<String> {
        let mut text = BufReader::new(self.decoded()?.take(LONGEST));
        let (mut head, mut sampled) = (Vec::new(), 0);
        for line in 0.. {
            let begin = head.len();
            if sampled == SAMPLE || text.read_until(b'\n', &mut head)? == 0 {
                break;
            }
            let is_blank = head[begin..].trim_ascii().is_empty();
            sampled += usize::from(line >= options.skip && !is_blank);
        }
        if head.len() as u64 == LONGEST {
            return Err(too_long());
        }
        String::from_utf8(head).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }

    /// What begins at this byte of the text, to be read by [`Limited`] rows.
    pub(crate) fn after(&self, begin: usize) -> io::Result<Limited<'a>> {
        let mut text = self.decoded()?;
        io::copy(&mut text.by_ref().take(begin as u64), &mut io::sink())?;
        Ok(Limited { text, read: 0, end: Rc::new(Cell::new(LONGEST)) })
    }

    fn decoded(&self) -> io::Result<Decoder<'a>> {
        let mut bytes = self.bytes.open()?;
        io::copy(&mut bytes.by_ref().take(self.mark), &mut io::sink())?;
        let &Self { encoding, has_old_ends, .. } = self;
        let (raw, text) = (Vec::new(), io::Cursor::default());
        Ok(Decoder { bytes, encoding, has_old_ends, raw, text, is_last: false })
    }
}

/// Adds a chunk to these bytes; whether it is the last one.
fn fill(raw: &mut Vec<u8>, bytes: &mut dyn Read) -> io::Result<bool> {
    Ok((bytes.take(CHUNK).read_to_end(raw)? as u64) < CHUNK)
}

/// Bytes of a file, in UTF-8.
struct Decoder<'a> {
    bytes: Box<dyn Read + 'a>,
    encoding: Encoding,
    has_old_ends: bool,
    /// The begin of a letter.
    raw: Vec<u8>,
    text: io::Cursor<Vec<u8>>,
    is_last: bool,
}

impl Decoder<'_> {
    fn decode(&mut self) -> io::Result<()> {
        self.is_last = fill(&mut self.raw, &mut self.bytes)?;
        let mut text = match self.encoding {
            Encoding::Utf8 => std::mem::take(&mut self.raw),
            Encoding::Latin1 => String::from_iter(self.raw.drain(..).map(char::from)).into_bytes(),
            Encoding::Utf16(unit) => {
                let units = self.raw.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
                let mut units = Vec::from_iter(units);
                // Half of a letter.
                units.pop_if(|unit| !self.is_last && (0xD800..0xDC00).contains(unit));
                self.raw.drain(..2 * units.len());
                String::from_utf16_lossy(&units).into_bytes()
            }
        };
        if self.has_old_ends {
            text.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        self.text = io::Cursor::new(text);
        Ok(())
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(buffer)?;
            if read > 0 || self.is_last {
                return Ok(read);
            }
            self.decode()?;
        }
    }
}

/// A text whose rows have to end, for a reader holds all of a row.
pub(crate) struct Limited<'a> {
    text: Decoder<'a>,
    read: u64,
    /// Bytes that may be read until a row ends.
    end: Rc<Cell<u64>>,
}

impl Limited<'_> {
    /// To be called where a row ends, with the bytes so far.
    pub(crate) fn row_ends(&self) -> impl Fn(u64) + use<> {
        let end = Rc::clone(&self.end);
        move |bytes| end.set(bytes + LONGEST)
    }
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read > self.end.get() {
            return Err(too_long());
        }
        let read = self.text.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

fn too_long() -> io::Error {
    let problem =
        format!("{LONGEST} bytes and more without the end of a row: is a quote not closed?");
    io::Error::new(ErrorKind::InvalidData, problem)
}
