//! Elementary functions of SIMD lanes against the standard library.

use hnn_integrators::simd::{Avx2Fma, Baseline, Isa, Kernel, dispatch, instruction_set};
use hnn_integrators::{Lane, Scalar, Wide};

/// Applies a function to a slice, four numbers at a time, with the best instruction set.
struct Apply<'a, T>(&'a [T], &'a str);

impl<T: Scalar> Kernel for Apply<'_, T> {
    type Output = Vec<T>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Vec<T> {
        let mut out = vec![T::ZERO; self.0.len()];
        for (x, y) in self.0.chunks_exact(4).zip(out.chunks_exact_mut(4)) {
            apply(Wide::<T, 4, I>::load(x), self.1).store(y);
        }
        out
    }
}

#[inline(always)]
fn apply<L: Lane>(x: L, name: &str) -> L {
    match name {
        "sin" => x.sin(),
        "cos" => x.cos(),
        "exp" => x.exp(),
        "ln" => x.ln(),
        "tanh" => x.tanh(),
        "ln_1p" => x.ln_1p(),
        _ => unreachable!(),
    }
}

/// Largest error in units of the last place of the `f64` reference rounded to `T`.
fn worst_ulp<T: Scalar>(name: &str, low: f64, high: f64) -> f64 {
    let x: Vec<T> =
        (0..40_000).map(|i| T::from_f64(low + (high - low) * i as f64 / 39_999.0)).collect();
    let mut worst = 0.0_f64;
    let paths = [
        dispatch(Apply(&x, name)),
        Apply(&x, name).run::<Baseline>(),
        Apply(&x, name).run::<Avx2Fma>(),
    ];
    for y in paths {
        for (x, y) in x.iter().zip(y) {
            let exact = apply(x.to_f64(), name);
            let ulp = T::EPSILON.to_f64() * exact.abs().max(1e-30);
            worst = worst.max((y.to_f64() - exact).abs() / ulp);
        }
    }
    worst
}

#[test]
fn agree_with_the_standard_library() {
    for (name, low, high, bound) in [
        ("exp", -80.0, 80.0, 2.0),
        ("tanh", -20.0, 20.0, 3.0),
        ("tanh", -0.01, 0.01, 3.0),
        ("ln", 1e-6, 50.0, 2.0),
        ("ln_1p", 0.0, 3.0, 2.0),
    ] {
        let double = worst_ulp::<f64>(name, low, high);
        let single = worst_ulp::<f32>(name, low, high);
        assert!(double <= bound, "{name} on [{low}, {high}], f64: {double} ulp");
        assert!(single <= bound, "{name} on [{low}, {high}], f32: {single} ulp");
    }
}

/// Sine and cosine (first alone, then together) of four numbers at a time.
struct SineCosine<'a>(&'a [f64]);

impl Kernel for SineCosine<'_> {
    type Output = Vec<[f64; 4]>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Self::Output {
        let mut out = Vec::new();
        for x in self.0.chunks_exact(4) {
            let x = Wide::<f64, 4, I>::load(x);
            let (sin, cos, (s, c)) = (x.sin(), x.cos(), x.sin_cos());
            out.extend((0..4).map(|i| [sin.0[i], cos.0[i], s.0[i], c.0[i]]));
        }
        out
    }
}

/// Distance to the next number of the same binade.
fn ulp(x: f64) -> f64 {
    let x = x.abs();
    f64::from_bits(x.to_bits() + 1) - x
}

/// Largest errors in ulp found in 77 000 numbers: 1.43 with fused multiply-add, 2.01 without.
#[test]
fn sine_and_cosine_against_high_precision() {
    let rows: Vec<Vec<f64>> = include_str!("../data/sine_cosine.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let bits = |word| f64::from_bits(u64::from_str_radix(word, 16).expect("bits"));
            line.split(' ').map(bits).collect()
        })
        .collect();
    let x: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let fused = cfg!(target_arch = "aarch64") || instruction_set() != "baseline";
    for (values, bound) in [
        (dispatch(SineCosine(&x)), if fused { 1.5 } else { 2.1 }),
        (SineCosine(&x).run::<Baseline>(), 2.1),
        (SineCosine(&x).run::<Avx2Fma>(), 1.5),
    ] {
        for (row, values) in rows.iter().zip(values) {
            for (k, y) in values.into_iter().enumerate() {
                let (value, rest) = (row[1 + 2 * (k % 2)], row[2 + 2 * (k % 2)]);
                let error = ((y - value) - rest).abs();
                // The second term tells only next to a zero of the function.
                let allowed = bound * ulp(value) + 4e-33 * row[0].abs();
                assert!(error <= allowed, "function {k} at {:e}: off by {error:e}", row[0]);
            }
        }
    }
}

#[test]
fn sine_and_cosine_of_zero_are_exact() {
    let zeros = [0.0, -0.0, 0.0, 0.0];
    for values in [dispatch(SineCosine(&zeros)), SineCosine(&zeros).run::<Baseline>()] {
        assert!(values.iter().all(|values| *values == [0.0, 1.0, 0.0, 1.0]), "{values:?}");
    }
    let single = |name| dispatch(Apply(&[0.0_f32; 4], name));
    assert_eq!((single("sin")[0], single("cos")[0]), (0.0, 1.0));
}

/// The single-precision functions against double precision.
#[test]
fn single_precision_sine_and_cosine() {
    let x: Vec<f32> = (0..40_000).map(|i| (i as f32 - 20_000.0) * 3.7e-3).collect();
    for name in ["sin", "cos"] {
        for (x, y) in x.iter().zip(dispatch(Apply(&x, name))) {
            let exact = apply(f64::from(*x), name);
            assert!((f64::from(y) - exact).abs() < 1.2e-7, "{name}({x}) = {y}, not {exact}");
        }
    }
}

#[test]
fn absolute_error_of_sine_over_many_periods() {
    let x: Vec<f64> = (0..40_000).map(|i| (i as f64 - 20_000.0) * 0.37).collect();
    for (x, y) in x.iter().zip(dispatch(Apply(&x, "sin"))) {
        assert!((y - x.sin()).abs() < 3e-16, "sin({x}) = {y}");
    }
}

/// Beyond the reduction's range the lanes take the standard library's way.
#[test]
fn large_arguments_of_sine_and_cosine() {
    let x = [1e7, -3e12, 0.5, 1e300];
    for (x, y) in x.iter().zip(dispatch(Apply(&x, "sin"))) {
        assert!((y - x.sin()).abs() < 4e-16, "sin({x}) = {y}");
    }
    for (x, y) in x.iter().zip(dispatch(Apply(&x, "cos"))) {
        assert!((y - x.cos()).abs() < 4e-16, "cos({x}) = {y}");
    }
}

#[test]
fn special_values() {
    let x = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0];
    let run = |name| dispatch(Apply(&x, name));
    assert!(run("exp")[0].is_nan() && run("tanh")[0].is_nan() && run("ln")[0].is_nan());
    assert_eq!(run("exp")[1..], [f64::INFINITY, 0.0, 1.0]);
    assert_eq!(run("tanh")[1..], [1.0, -1.0, 0.0]);
    assert_eq!(run("ln")[1], f64::INFINITY);
    assert!(run("ln")[2].is_nan());
    assert_eq!(run("ln")[3], f64::NEG_INFINITY);
    assert!(run("sin")[0].is_nan() && run("sin")[1].is_nan());
}
