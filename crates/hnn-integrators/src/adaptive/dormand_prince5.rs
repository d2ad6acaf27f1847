//! The pair of Dormand and Prince of orders 5 and 4.

use super::{EmbeddedPair, EmbeddedRungeKutta};
use crate::runge_kutta::Tableau;

/// DOPRI5: order 5 with an error estimate of order 4 and an interpolant of order 4; seven stages,
/// six of them new in each step. The counterpart of MATLAB's `ode45` and of SciPy's `RK45`.
///
/// Dormand and Prince, *J. Comp. Appl. Math.* 6 (1980), 19-26; the interpolant is Shampine's,
/// *Math. Comp.* 46 (1986), 135-150.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DormandPrince5;

const B: [f64; 7] =
    [35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0, 0.0];

#[rustfmt::skip]
const A: [f64; 21] = [
    1.0 / 5.0,
    3.0 / 40.0, 9.0 / 40.0,
    44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0,
    19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0,
    9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0,
    B[0], B[1], B[2], B[3], B[4], B[5],
];

const PAIR: EmbeddedPair<'static> = EmbeddedPair {
    tableau: Tableau {
        name: "Dormand-Prince 5(4)",
        order: 5,
        a: &A,
        b: &B,
        c: &[0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0],
    },
    error: &[
        71.0 / 57600.0,
        0.0,
        -71.0 / 16695.0,
        71.0 / 1920.0,
        -17253.0 / 339_200.0,
        22.0 / 525.0,
        -1.0 / 40.0,
    ],
    error_order: 5,
    coarse_error: None,
    dense: &[
        quartic(
            1.0,
            -8_048_581_381.0 / 2_820_520_608.0,
            8_663_915_743.0 / 2_820_520_608.0,
            -12_715_105_075.0 / 11_282_082_432.0,
        ),
        quartic(0.0, 0.0, 0.0, 0.0),
        quartic(
            0.0,
            131_558_114_200.0 / 32_700_410_799.0,
            -68_118_460_800.0 / 10_900_136_933.0,
            87_487_479_700.0 / 32_700_410_799.0,
        ),
        quartic(
            0.0,
            -1_754_552_775.0 / 470_086_768.0,
            14_199_869_525.0 / 1_410_260_304.0,
            -10_690_763_975.0 / 1_880_347_072.0,
        ),
        quartic(
            0.0,
            127_303_824_393.0 / 49_829_197_408.0,
            -318_862_633_887.0 / 49_829_197_408.0,
            701_980_252_875.0 / 199_316_789_632.0,
        ),
        quartic(
            0.0,
            -282_668_133.0 / 205_662_961.0,
            2_019_193_451.0 / 616_988_883.0,
            -1_453_857_185.0 / 822_651_844.0,
        ),
        quartic(
            0.0,
            40_617_522.0 / 29_380_423.0,
            -110_615_467.0 / 29_380_423.0,
            69_997_945.0 / 29_380_423.0,
        ),
    ],
    extra: &[],
};

const fn quartic(a: f64, b: f64, c: f64, d: f64) -> [f64; 7] {
    [a, b, c, d, 0.0, 0.0, 0.0]
}

impl EmbeddedRungeKutta for DormandPrince5 {
    #[inline(always)]
    fn pair(&self) -> EmbeddedPair<'_> {
        PAIR
    }
}
