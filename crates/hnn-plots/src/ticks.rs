//! Where an axis has its ticks, and what they say.

/// A tick at a coordinate of the axis (the logarithm on a logarithmic one).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: f64,
    /// Empty on minor ticks.
    pub(crate) label: String,
}

/// Ticks, and the power of ten that their labels are multiples of (0 unless numbers would be long).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticks {
    pub(crate) ticks: Vec<Tick>,
    pub(crate) exponent: i32,
}

impl Ticks {
    /// Those that say something.
    pub(crate) fn labelled(&self) -> impl Iterator<Item = &Tick> {
        self.ticks.iter().filter(|tick| !tick.label.is_empty())
    }
}

/// Whether the labels of some ticks have room side by side.
pub(crate) type HasRoom<'a> = &'a dyn Fn(&Ticks) -> bool;

/// Labels that an axis should have: of one alone nobody reads a scale.
const LEAST: usize = 2;
const WANTED: usize = 3;

/// The first ticks of ever finer ones that have as many labels as wanted; before that the last that
/// have room, if these are no fewer than the least.
fn first_enough(mut finer: impl Iterator<Item = Ticks>, has_room: HasRoom<'_>) -> Ticks {
    let mut best = Ticks { ticks: Vec::new(), exponent: 0 };
    while best.labelled().count() < WANTED {
        let is_enough = best.labelled().count() >= LEAST;
        match finer.next() {
            Some(ticks) if !is_enough || has_room(&ticks) => best = ticks,
            _ => break,
        }
    }
    best
}

/// Ticks at multiples of 1, 2, 2.5 or 5 times a power of ten, about `target` of them; more where these
/// are too few to read a scale from.
pub(crate) fn linear(low: f64, high: f64, target: usize, has_room: HasRoom<'_>) -> Ticks {
    let steps = finer_steps((high - low) / target.max(1) as f64);
    first_enough(steps.map(|step| multiples(low, high, step)), has_room)
}

/// Ticks at the multiples of a step with so many decimals.
fn multiples(low: f64, high: f64, (step, decimals): (f64, i32)) -> Ticks {
    let largest = low.abs().max(high.abs());
    let exponent = if (1e-3..1e5).contains(&largest) { 0 } else { largest.log10().floor() as i32 };
    let decimals = (decimals + exponent).max(0) as usize;
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    let ticks = (first..=last)
        .map(|k| {
            let at = k as f64 * step;
            Tick { at, label: number(at / 10f64.powi(exponent), decimals) }
        })
        .collect();
    Ticks { ticks, exponent }
}

/// Ticks at powers of ten between `low` and `high`, which are decimal logarithms; where these are
/// few, at 2 and 5 times them too.
pub(crate) fn logarithmic(low: f64, high: f64, target: usize, has_room: HasRoom<'_>) -> Ticks {
    let count = ((high + 1e-9).floor() - (low - 1e-9).ceil() + 1.0).max(0.0) as usize;
    let stride = count.div_ceil(target.max(1)).max(1);
    let strides = (1..=stride).rev().map(|stride| decades(low, high, stride as i32));
    let ticks = first_enough(strides, has_room);
    if ticks.labelled().count() < LEAST {
        return within_a_decade(low, high, target, has_room);
    }
    ticks
}

/// Ticks of which every so many powers of ten have a label.
fn decades(low: f64, high: f64, stride: i32) -> Ticks {
    let decades = (low - 1e-9).ceil() as i32..=(high + 1e-9).floor() as i32;
    let count = decades.clone().count();
    let multiples: &[u32] = match count {
        0 | 1 => &[1, 2, 3, 5],
        2 => &[1, 3],
        _ => &[1],
    };
    // Powers of ten throughout, or plain numbers throughout.
    let plain = *decades.start() >= -2 && *decades.end() <= 3;
    let mut ticks = Vec::new();
    for decade in decades.start() - 1..=*decades.end() {
        for multiple in 1..10u32 {
            let at = f64::from(decade) + f64::from(multiple).log10();
            let labelled = multiples.contains(&multiple) && decade % stride == 0;
            // Minor ticks would merge where decades are narrow.
            let shown = labelled || stride == 1 && count <= 10 || multiple == 1;
            if shown && at >= low - 1e-9 && at <= high + 1e-9 {
                let label = if labelled { power(multiple, decade, plain) } else { String::new() };
                ticks.push(Tick { at, label });
            }
        }
    }
    Ticks { ticks, exponent: 0 }
}

/// Round values on a stretch of a logarithmic axis too short for powers of ten.
fn within_a_decade(low: f64, high: f64, target: usize, has_room: HasRoom<'_>) -> Ticks {
    let mut ticks = linear(10f64.powf(low), 10f64.powf(high), target.min(6), has_room);
    ticks.ticks.retain(|tick| tick.at > 0.0);
    for tick in &mut ticks.ticks {
        tick.at = tick.at.log10();
    }
    ticks
}

/// Steps of 1, 2, 2.5, 5 times a power of ten with their decimals, ever smaller, from the least one that is at
/// least `least`.
fn finer_steps(least: f64) -> impl Iterator<Item = (f64, i32)> {
    const NICE: [(f64, i32); 4] = [(5.0, 0), (2.5, 1), (2.0, 0), (1.0, 0)];
    /// Two powers of ten below.
    const MOST: usize = 8;
    let exponent = least.log10().floor() as i32;
    let mantissa = least / 10f64.powi(exponent);
    let begin = match mantissa {
        m if m <= 1.0 + 1e-9 => 3,
        m if m <= 2.0 => 2,
        m if m <= 2.5 => 1,
        m if m <= 5.0 => 0,
        _ => -1,
    };
    (begin..).take(MOST).map(move |place: i32| {
        let (nice, decimals) = NICE[place.rem_euclid(4) as usize];
        let exponent = exponent - place.div_euclid(4);
        (nice * 10f64.powi(exponent), decimals - exponent)
    })
}

/// A number with a true minus sign, never "-0".
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| c == '0' || c == '.') => digits.into(),
        Some(digits) => format!("\u{2212}{digits}"),
        None => text,
    }
}

/// `multiple` times ten to the `exponent`.
fn power(multiple: u32, exponent: i32, plain: bool) -> String {
    match multiple {
        _ if plain => {
            let decimals = (-exponent).max(0) as usize;
            format!("{:.decimals$}", f64::from(multiple) * 10f64.powi(exponent))
        }
        1 => format!("10{}", superscript(exponent)),
        _ => format!("{multiple}\u{d7}10{}", superscript(exponent)),
    }
}

/// An integer in superscript digits.
pub(crate) fn superscript(number: i32) -> String {
    let raised = |c| match c {
        '-' => '\u{207b}',
        '1' => '\u{b9}',
        '2' => '\u{b2}',
        '3' => '\u{b3}',
        digit => char::from_u32(digit as u32 - '0' as u32 + 0x2070).unwrap_or(digit),
    };
    number.to_string().chars().map(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if there were room for any labels.
    fn linear(low: f64, high: f64, target: usize) -> Ticks {
        super::linear(low, high, target, &|_| true)
    }

    fn logarithmic(low: f64, high: f64, target: usize) -> Ticks {
        super::logarithmic(low, high, target, &|_| true)
    }

    fn labels(ticks: &Ticks) -> Vec<&str> {
        ticks.labelled().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(
            labels(&linear(-1.04, 1.04, 5)),
            ["\u{2212}1.0", "\u{2212}0.5", "0.0", "0.5", "1.0"]
        );
        assert_eq!(
            labels(&linear(0.0, 20.0, 8)),
            ["0.0", "2.5", "5.0", "7.5", "10.0", "12.5", "15.0", "17.5", "20.0"]
        );
    }

    #[test]
    fn small_and_large_numbers_share_an_exponent() {
        let ticks = linear(0.0, 4.2e-7, 5);
        assert_eq!(ticks.exponent, -7);
        assert_eq!(labels(&ticks), ["0", "1", "2", "3", "4"]);
        assert_eq!(linear(0.0, 3e8, 4).exponent, 8);
    }

    #[test]
    fn decades_are_labelled_as_powers() {
        assert_eq!(
            labels(&logarithmic(-5.2, -2.8, 8)),
            ["10\u{207b}\u{2075}", "10\u{207b}\u{2074}", "10\u{207b}\u{b3}"]
        );
        assert_eq!(labels(&logarithmic(-0.1, 2.1, 8)), ["1", "10", "100"]);
    }

    #[test]
    fn many_decades_are_thinned_and_few_are_filled() {
        assert!(labels(&logarithmic(-30.0, 0.0, 6)).len() <= 7);
        assert!(labels(&logarithmic(0.01, 0.4, 6)).len() >= 2);
        assert!(labels(&logarithmic(0.01, 0.011, 6)).len() >= 2);
    }

    #[test]
    fn low_panels_have_several_ticks() {
        assert_eq!(labels(&linear(-0.8, 6.4, 2)), ["0.0", "2.5", "5.0"]);
        assert_eq!(labels(&linear(1.3, 3.4, 1)), ["1.5", "2.0", "2.5", "3.0"]);
        assert_eq!(labels(&linear(-3.4, 2.0, 0)), ["\u{2212}2", "0", "2"]);
        for target in 0..6 {
            for k in 0..200 {
                let (low, width) = (f64::from(k).sin() * 7.0, f64::from(k + 1).sqrt());
                for has_room in [true, false] {
                    let has_room: HasRoom<'_> = &move |_| has_room;
                    let ticks = [super::linear, super::logarithmic];
                    let least = ticks.map(|f| labels(&f(low, low + width, target, has_room)).len());
                    assert!(
                        least.into_iter().all(|count| count >= LEAST),
                        "{low} {width} {target}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_third_tick_needs_room() {
        let crowded = super::linear(-0.8, 6.4, 2, &|_| false);
        assert_eq!(labels(&crowded), ["0", "5"]);
        let crowded = super::logarithmic(-5.2, -0.8, 1, &|_| false);
        assert_eq!(labels(&crowded), ["10\u{207b}\u{2074}", "10\u{207b}\u{b2}"]);
    }

    #[test]
    fn superscripts_cover_every_digit() {
        assert_eq!(superscript(-1_234_567_890), "⁻¹²³⁴⁵⁶⁷⁸⁹⁰");
    }
}
