//! Arrays of numpy: archives (`.npz`) of files (`.npy`) that hold one array each.

use std::io::Read;
use std::path::Path;

use flate2::bufread::DeflateDecoder;
use hnn_integrators::MOST_BYTES;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use rawzip::{CompressionMethod, ZipArchive};

use crate::DataError;

/// What every archive begins with, and every array.
pub(crate) const ARCHIVE: &[u8] = b"PK\x03\x04";
pub(crate) const ARRAY: &[u8] = b"\x93NUMPY";

/// The arrays of an archive and their names.
pub(crate) fn read(bytes: &[u8], path: &Path) -> Result<Vec<(String, ArrayD<f64>)>, DataError> {
    let refuse = |name: &str, problem: String| DataError::Recording {
        source_name: path.display().to_string(),
        problem: if name.is_empty() { problem } else { format!("array {name:?}: {problem}") },
        cure: "write it by numpy.savez, with arrays of floats or integers".into(),
    };
    let damaged = |error: rawzip::Error| refuse("", error.to_string());
    let archive = ZipArchive::from_slice(bytes).map_err(damaged)?;
    let mut left = MOST_BYTES as u64 / 4;
    let mut arrays = Vec::new();
    for entry in archive.entries() {
        let entry = entry.map_err(damaged)?;
        let path = entry.file_path().try_normalize().map_err(damaged)?;
        let name = path.as_ref().trim_end_matches(".npy").to_owned();
        let file = archive.get_entry(entry.wayfinder()).map_err(damaged)?;
        let packed: Box<dyn Read> = match entry.compression_method() {
            CompressionMethod::STORE => Box::new(file.data()),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(file.data())),
            other => return Err(refuse(&name, format!("it is packed by {other:?}"))),
        };
        let mut content = Vec::new();
        // What is small may become large.
        let read = file.verifying_reader(packed).take(left + 1).read_to_end(&mut content);
        read.map_err(|error| refuse(&name, error.to_string()))?;
        left = left.checked_sub(content.len() as u64).ok_or_else(|| {
            refuse(&name, format!("the arrays take more than {} bytes", MOST_BYTES / 4))
        })?;
        let array = array(&content).map_err(|problem| refuse(&name, problem))?;
        arrays.push((name, array));
    }
    Ok(arrays)
}

/// One array: a magic string, a header that is a dictionary of Python, and the numbers.
fn array(bytes: &[u8]) -> Result<ArrayD<f64>, String> {
    let no_array = || "it is no array of numpy".to_owned();
    let rest = bytes.strip_prefix(ARRAY).ok_or_else(no_array)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(no_array)?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(no_array)?;
            (u16::from_le_bytes(*length) as usize, rest)
        }
        _ => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(no_array)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(no_array)?;
    let header = std::str::from_utf8(header).map_err(|_| no_array())?;
    let kind = value(header, "descr").ok_or_else(no_array)?;
    if kind.starts_with('[') {
        return Err("it has fields of its own; write each of them as an array by itself".into());
    }
    let kind = kind.trim_matches(['\'', '"']);
    let (width, number) = decoder(kind).ok_or_else(|| {
        format!("its numbers are of type {kind:?}, but floats or integers are expected")
    })?;
    let shape = value(header, "shape").ok_or_else(no_array)?;
    let shape = shape.trim_matches(['(', ')']).split(',').map(str::trim);
    let shape: Result<Vec<usize>, _> =
        shape.filter(|size| !size.is_empty()).map(str::parse).collect();
    let shape = shape.map_err(|_| no_array())?;
    let count = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    if count.and_then(|count| count.checked_mul(width)) != Some(data.len()) {
        return Err(format!("shape {shape:?} does not go with {} bytes", data.len()));
    }
    let is_fortran = value(header, "fortran_order") == Some("True");
    let numbers = data.chunks_exact(width).map(number).collect();
    ArrayD::from_shape_vec(IxDyn(&shape).set_f(is_fortran), numbers)
        .map_err(|error| error.to_string())
}

/// The value of a key in the header.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("'{key}':"))?;
    let rest = rest.trim_start();
    let end = match rest.starts_with('(') {
        true => rest.find(')')? + 1,
        false => rest.find([',', '}'])?,
    };
    Some(rest[..end].trim())
}

type Number = fn(&[u8]) -> f64;

/// The bytes of a number, and how they make one; numpy's names of types.
fn decoder(kind: &str) -> Option<(usize, Number)> {
    macro_rules! decode {
        ($type:ty, $from:ident) => {
            (size_of::<$type>(), |bytes| {
                <[u8; size_of::<$type>()]>::try_from(bytes)
                    .map_or(f64::NAN, |bytes| <$type>::$from(bytes) as f64)
            })
        };
    }
    Some(match kind {
        "<f8" => decode!(f64, from_le_bytes),
        ">f8" => decode!(f64, from_be_bytes),
        "<f4" => decode!(f32, from_le_bytes),
        ">f4" => decode!(f32, from_be_bytes),
        "<i8" => decode!(i64, from_le_bytes),
        ">i8" => decode!(i64, from_be_bytes),
        "<u8" => decode!(u64, from_le_bytes),
        "<i4" => decode!(i32, from_le_bytes),
        ">i4" => decode!(i32, from_be_bytes),
        "<u4" => decode!(u32, from_le_bytes),
        "<i2" => decode!(i16, from_le_bytes),
        "<u2" => decode!(u16, from_le_bytes),
        "|i1" => decode!(i8, from_le_bytes),
        "|u1" | "|b1" => decode!(u8, from_le_bytes),
        _ => return None,
    })
}
