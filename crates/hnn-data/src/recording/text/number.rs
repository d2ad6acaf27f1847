//! Numbers as loggers write them.

/// What stands for a missing number, in small letters.
const MISSING: [&str; 20] = [
    "",
    "nan",
    "-nan",
    "na",
    "n/a",
    "n.a.",
    "#n/a",
    "null",
    "none",
    "missing",
    "-",
    "--",
    "<na>",
    "nan(ind)",
    "-nan(ind)",
    "1.#qnan",
    "1.#ind",
    "-1.#ind",
    "#value!",
    "#div/0!",
];

pub(crate) struct Numbers<'a> {
    decimal: char,
    missing: &'a [String],
    /// Those of `missing` that are numbers.
    sentinels: Vec<f64>,
}

impl<'a> Numbers<'a> {
    pub(crate) fn new(decimal: char, missing: &'a [String]) -> Self {
        let sentinels = missing.iter().filter_map(|text| text.parse().ok()).collect();
        Self { decimal, missing, sentinels }
    }

    /// The number of a field, NaN where it is missing; or what to do.
    pub(crate) fn parse(&self, field: &str) -> Result<f64, &'static str> {
        let parsed = match self.decimal {
            '.' => field.parse::<f64>().ok(),
            _ => with_comma(field),
        };
        match parsed {
            Some(number) if self.sentinels.contains(&number) => Ok(f64::NAN),
            Some(number) if number.is_infinite() => {
                Err("mend the row, or say by `with_missing` that this stands for no number")
            }
            Some(number) => Ok(number),
            None => self.parse_odd(field),
        }
    }

    fn parse_odd(&self, field: &str) -> Result<f64, &'static str> {
        let small = field.to_lowercase();
        if MISSING.contains(&small.as_str()) || self.missing.iter().any(|text| text == field) {
            return Ok(f64::NAN);
        }
        // Fortran's exponents, and the typographers' minus.
        let plain = small.replace('d', "e").replace('\u{2212}', "-");
        let plain = if self.decimal == '.' { plain } else { plain.replace(',', ".") };
        match plain.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(cure(field)),
        }
    }
}

/// A number with a decimal comma. One with a point beside it may mean anything.
fn with_comma(field: &str) -> Option<f64> {
    if !field.contains(',') {
        return field.parse().ok().filter(|_| !field.contains('.'));
    }
    if field.contains('.') {
        return None;
    }
    field.replacen(',', ".", 1).parse().ok()
}

fn cure(field: &str) -> &'static str {
    let count = |mark| field.matches(mark).count();
    let has_digit = field.contains(|c: char| c.is_ascii_digit());
    if has_digit && (count(':') >= 1 || count('-') >= 2 || count('/') == 2) {
        return "dates and times of day are not read: write the time in seconds";
    }
    if has_digit && count(',') + count('.') >= 1 && !field.contains(|c: char| c.is_alphabetic()) {
        return "write numbers without thousands separators, with one decimal mark, and say which by `with_decimal`";
    }
    "write a number; if it stands for none, say so by `with_missing`; labels of trials go by `trial`"
}

/// Whether a field is a number, with either mark.
pub(crate) fn is_number(field: &str) -> bool {
    let begins = |c: char| c.is_ascii_digit() || "+-.\u{2212}".contains(c);
    let plain = || field.to_lowercase().replace('d', "e").replace('\u{2212}', "-");
    let is_odd = || field.starts_with(begins) && plain().parse::<f64>().is_ok();
    field.parse::<f64>().is_ok() || is_comma_number(field) || is_odd()
}

/// Whether a field is a number with a decimal comma.
pub(crate) fn is_comma_number(field: &str) -> bool {
    field.matches(',').count() == 1 && field.replacen(',', ".", 1).parse::<f64>().is_ok()
}
