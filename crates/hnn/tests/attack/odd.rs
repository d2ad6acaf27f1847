//! What a user may hand over: usual things, and those at the ends of what there is.

use std::ops::RangeInclusive;

use chacha20::ChaCha8Rng;
use ndarray::{Array1, Array2};
use rand::{Rng, RngExt, SeedableRng};

const NUMBERS: [f64; 14] = [
    0.0,
    -0.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5e-324,
    1e-300,
    1e150,
    1e17,
    -1.0,
    1.0,
];

const COUNTS: [usize; 7] = [0, 1, 1000, 1 << 40, usize::MAX / 2, usize::MAX - 1, usize::MAX];

/// A stream of inputs, mostly usual ones.
pub(crate) struct Odd {
    rng: ChaCha8Rng,
    /// How often a value is an odd one: in half of the streams seldom, so that calls come through.
    oddness: f64,
}

impl Odd {
    pub(crate) fn new(seed: u64, round: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(round);
        let oddness = if rng.random() { 0.2 } else { 0.01 };
        Self { rng, oddness }
    }

    pub(crate) fn rng(&mut self) -> &mut impl Rng {
        &mut self.rng
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    pub(crate) fn yes(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    pub(crate) fn is_odd(&mut self) -> bool {
        self.yes(self.oddness)
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub(crate) fn number(&mut self) -> f64 {
        if self.is_odd() { self.pick(&NUMBERS) } else { self.rng.random_range(-2.0..2.0) }
    }

    /// A size, a rate, a duration.
    pub(crate) fn positive(&mut self) -> f64 {
        if self.is_odd() { self.pick(&NUMBERS) } else { self.rng.random_range(0.05..2.0) }
    }

    /// A time that a run may take: an endless one is as endless as it was asked to be.
    pub(crate) fn duration(&mut self) -> f64 {
        let t = self.positive();
        if (100.0..f64::INFINITY).contains(&t) { 100.0 } else { t }
    }

    /// Where a value must be one of few kinds: the usual one, or odd.
    pub(crate) fn or_odd(&mut self, usual: f64) -> f64 {
        if self.is_odd() { self.pick(&NUMBERS) } else { usual }
    }

    /// A count, usually below a bound.
    pub(crate) fn count(&mut self, end: usize) -> usize {
        if self.is_odd() { self.pick(&COUNTS) } else { self.below(end) }
    }

    pub(crate) fn exponent(&mut self) -> i32 {
        if self.is_odd() {
            self.pick(&[i32::MIN, i32::MIN + 1, -1000, 1000, 65_536, i32::MAX])
        } else {
            self.pick(&[-2, -1, 0, 1, 2, 3, 4])
        }
    }

    /// A length that arrays share, or, seldom, do not.
    pub(crate) fn length(&mut self, shared: usize) -> usize {
        if self.yes(0.1 * self.oddness) { self.below(7) } else { shared }
    }

    pub(crate) fn numbers(&mut self, shared: usize) -> Vec<f64> {
        let odd = self.is_odd();
        let scale = if self.is_odd() { self.pick(&[1e-300, 1e-12, 1e12, 1e300]) } else { 1.0 };
        (0..self.length(shared))
            .map(|_| if odd { self.number() } else { scale * self.rng.random_range(-2.0..2.0) })
            .collect()
    }

    pub(crate) fn array(&mut self, shared: usize) -> Array1<f64> {
        self.numbers(shared).into()
    }

    /// A table, a row a state.
    pub(crate) fn table(&mut self, rows: usize, columns: usize) -> Array2<f64> {
        let shape = (self.length(rows), self.length(columns));
        let mut numbers = self.numbers(shape.0 * shape.1);
        numbers.resize(shape.0 * shape.1, 0.5);
        Array2::from_shape_vec(shape, numbers).expect("as many numbers as the shape has")
    }

    /// As [`table`](Self::table), of some rows.
    pub(crate) fn states(&mut self, rows: RangeInclusive<usize>, columns: usize) -> Array2<f64> {
        let rows = self.rng.random_range(rows);
        self.table(rows, columns)
    }

    /// Times, mostly increasing.
    pub(crate) fn times(&mut self, shared: usize) -> Vec<f64> {
        let (mut t, step) = (self.or_odd(0.0), self.duration());
        let uneven = self.yes(0.3);
        let mut times = Vec::new();
        for _ in 0..self.length(shared) {
            times.push(t);
            t += if uneven { self.duration() } else { 0.2 * step };
        }
        times
    }

    /// As [`Iterator::map`] over as many as `count` says, but never more than a few.
    pub(crate) fn some<T>(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| one(self)).collect()
    }
}
