//! Explicit symplectic methods of the literature.
//!
//! Yoshida's are in *Phys. Lett. A* 150 (1990), 262-268.

use super::{Flow, Splitting};

/// The symplectic Euler method (a kick, then a drift): order 1, one force a step.
///
/// Hairer, Lubich, Wanner, *Geometric Numerical Integration*, I.1.2; de Vogelaere (1956).
pub const SYMPLECTIC_EULER: Splitting =
    Splitting::fixed("symplectic Euler", 1, Flow::Kick, &[1.0, 1.0]);

/// The Stoermer-Verlet method in velocity form (half a kick, a drift, half a kick), also called
/// leapfrog: order 2, symmetric, one force a step.
///
/// Verlet, *Phys. Rev.* 159 (1967), 98; Hairer, Lubich, Wanner, *Acta Numerica* 12 (2003), 399.
pub const VELOCITY_VERLET: Splitting =
    Splitting::fixed("velocity Verlet", 2, Flow::Kick, &[0.5, 1.0, 0.5]);

/// The Stoermer-Verlet method in position form (half a drift, a kick, half a drift): order 2,
/// symmetric, one force a step.
///
/// Sources as for [`VELOCITY_VERLET`].
pub const POSITION_VERLET: Splitting =
    Splitting::fixed("position Verlet", 2, Flow::Drift, &[0.5, 1.0, 0.5]);

/// Ruth's method of order 3: three forces a step, not symmetric.
///
/// Ruth, *IEEE Trans. Nucl. Sci.* NS-30 (1983), 2669.
pub const RUTH3: Splitting = Splitting::fixed(
    "Ruth 3",
    3,
    Flow::Kick,
    &[7.0 / 24.0, 2.0 / 3.0, 3.0 / 4.0, -2.0 / 3.0, -1.0 / 24.0, 1.0],
);

/// `1 / (2 - 2^(1/3))`.
const TRIPLE_JUMP: f64 = 1.351_207_191_959_657_8;

/// Yoshida's method of order 4, the triple jump of Forest and Ruth: symmetric, three forces a step.
/// [`PEFRL`] is far more accurate for one more force.
///
/// Forest, Ruth, *Physica D* 43 (1990), 105; Yoshida, *Phys. Lett. A* 150 (1990), 262.
pub const YOSHIDA4: Splitting = Splitting::fixed(
    "Yoshida 4",
    4,
    Flow::Kick,
    &composed::<2, 7>([TRIPLE_JUMP, 1.0 - 2.0 * TRIPLE_JUMP]),
);

const SIX: [f64; 3] = [0.784_513_610_477_557_3, 0.235_573_213_359_358_13, -1.177_679_984_178_871];

/// Yoshida's method of order 6, solution A: symmetric, seven forces a step.
///
/// Yoshida, *Phys. Lett. A* 150 (1990), 262, table 1.
pub const YOSHIDA6: Splitting = Splitting::fixed(
    "Yoshida 6",
    6,
    Flow::Kick,
    &composed::<4, 15>([SIX[0], SIX[1], SIX[2], 1.0 - 2.0 * (SIX[0] + SIX[1] + SIX[2])]),
);

const EIGHT: [f64; 7] = [
    1.042_426_208_699_91,
    1.820_206_309_707_14,
    0.157_739_928_123_617,
    2.440_027_326_167_35,
    -0.007_169_894_197_081_2,
    -2.446_991_823_705_24,
    -1.615_823_741_500_97,
];

/// Yoshida's method of order 8, solution D: symmetric, fifteen forces a step. [`KAHAN_LI8`] is far
/// more accurate for two more.
///
/// Yoshida, *Phys. Lett. A* 150 (1990), 262, table 2.
pub const YOSHIDA8: Splitting = Splitting::fixed(
    "Yoshida 8",
    8,
    Flow::Kick,
    &composed::<8, 31>([
        EIGHT[0],
        EIGHT[1],
        EIGHT[2],
        EIGHT[3],
        EIGHT[4],
        EIGHT[5],
        EIGHT[6],
        1.0 - 2.0 * (EIGHT[0] + EIGHT[1] + EIGHT[2] + EIGHT[3] + EIGHT[4] + EIGHT[5] + EIGHT[6]),
    ]),
);

/// The composition of Kahan and Li of order 8 (s17odr8a): symmetric, seventeen forces a step; the
/// choice for energies good to rounding.
///
/// Kahan, Li, *Math. Comp.* 66 (1997), 1089-1099.
pub const KAHAN_LI8: Splitting = Splitting::fixed(
    "Kahan-Li 8",
    8,
    Flow::Kick,
    &composed::<9, 35>([
        0.130_202_483_088_890_08,
        0.561_162_981_775_108_4,
        -0.389_474_962_644_847_3,
        0.158_841_906_555_155_6,
        -0.395_903_894_133_237_6,
        0.184_539_640_978_315_7,
        0.258_374_387_686_322_05,
        0.295_011_723_609_310_3,
        -0.605_508_533_830_034_5,
    ]),
);

const XI: f64 = 0.178_617_895_844_809_1;
const LAMBDA: f64 = -0.212_341_831_062_605_4;
const CHI: f64 = -0.066_264_582_669_818_5;

/// The position-extended Forest-Ruth-like method: order 4, symmetric, four forces a step, an error
/// some 26 times below that of [`YOSHIDA4`] for the same work.
///
/// Omelyan, Mryglod, Folk, *Comp. Phys. Comm.* 146 (2002), 188.
pub const PEFRL: Splitting = Splitting::fixed(
    "PEFRL",
    4,
    Flow::Drift,
    &[XI, 0.5 - LAMBDA, CHI, LAMBDA, 1.0 - 2.0 * (CHI + XI), LAMBDA, CHI, 0.5 - LAMBDA, XI],
);

const A: [f64; 2] = [0.245_298_957_184_271, 0.604_872_665_711_08];
const B: [f64; 3] = [0.082_984_406_417_405_2, 0.396_309_801_498_368, -0.039_056_304_922_348_6];

/// The Runge-Kutta-Nystroem method of Blanes and Moan with six stages (SRKN 6(4), "6b"): order 4,
/// symmetric, six forces a step, the most accurate of its order.
///
/// It has its order only where the kinetic energy `T` is quadratic in `p`.
///
/// Blanes, Moan, *J. Comp. Appl. Math.* 142 (2002), 313-330, table 3.
pub const BLANES_MOAN_SRKN6: Splitting = Splitting::fixed(
    "Blanes-Moan SRKN 6(4)",
    4,
    Flow::Kick,
    &[
        B[0],
        A[0],
        B[1],
        A[1],
        B[2],
        0.5 - (A[0] + A[1]),
        1.0 - 2.0 * (B[0] + B[1] + B[2]),
        0.5 - (A[0] + A[1]),
        B[2],
        A[1],
        B[1],
        A[0],
        B[0],
    ],
);

/// The flows `w_1/2, w_1, (w_1 + w_2)/2, w_2, ..., w_1/2` of a symmetric composition of Verlet
/// steps `w_1, w_2, ..., w_m, ..., w_2, w_1`, from its first half including the middle one.
/// `N = 4 m - 1` flows for `m` numbers given.
const fn composed<const M: usize, const N: usize>(half: [f64; M]) -> [f64; N] {
    assert!(N == 4 * M - 1);
    let mut lengths = [0.0; N];
    let steps = 2 * M - 1;
    let mut i = 0;
    while i < steps {
        let weight = if i < M { half[i] } else { half[steps - 1 - i] };
        lengths[2 * i] += 0.5 * weight;
        lengths[2 * i + 1] = weight;
        lengths[2 * i + 2] += 0.5 * weight;
        i += 1;
    }
    lengths
}
