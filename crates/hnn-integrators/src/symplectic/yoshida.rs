//! Yoshida's compositions of Verlet steps.
//!
//! Yoshida, *Phys. Lett. A* 150 (1990), 262-268.

use super::{composed, splitting_method};

/// `1 / (2 - 2^(1/3))`.
const TRIPLE_JUMP: f64 = 1.351_207_191_959_657_8;

splitting_method! {
    /// Yoshida's method of order 4, the triple jump of Forest and Ruth: symmetric, three forces a
    /// step. [`Pefrl`](crate::Pefrl) is far more accurate for one more force.
    ///
    /// Forest, Ruth, *Physica D* 43 (1990), 105; Yoshida, *Phys. Lett. A* 150 (1990), 262.
    Yoshida4, "Yoshida 4", 4, Kick,
    composed::<2, 7>([TRIPLE_JUMP, 1.0 - 2.0 * TRIPLE_JUMP])
}

const SIX: [f64; 3] = [0.784_513_610_477_557_3, 0.235_573_213_359_358_13, -1.177_679_984_178_871];

splitting_method! {
    /// Yoshida's method of order 6, solution A: symmetric, seven forces a step.
    ///
    /// Yoshida, *Phys. Lett. A* 150 (1990), 262, table 1.
    Yoshida6, "Yoshida 6", 6, Kick,
    composed::<4, 15>([SIX[0], SIX[1], SIX[2], 1.0 - 2.0 * (SIX[0] + SIX[1] + SIX[2])])
}

const EIGHT: [f64; 7] = [
    1.042_426_208_699_91,
    1.820_206_309_707_14,
    0.157_739_928_123_617,
    2.440_027_326_167_35,
    -0.007_169_894_197_081_2,
    -2.446_991_823_705_24,
    -1.615_823_741_500_97,
];

splitting_method! {
    /// Yoshida's method of order 8, solution D: symmetric, fifteen forces a step.
    /// [`KahanLi8`](crate::KahanLi8) is far more accurate for two more.
    ///
    /// Yoshida, *Phys. Lett. A* 150 (1990), 262, table 2.
    Yoshida8, "Yoshida 8", 8, Kick,
    composed::<8, 31>([
        EIGHT[0], EIGHT[1], EIGHT[2], EIGHT[3], EIGHT[4], EIGHT[5], EIGHT[6],
        1.0 - 2.0 * (EIGHT[0] + EIGHT[1] + EIGHT[2] + EIGHT[3] + EIGHT[4] + EIGHT[5] + EIGHT[6]),
    ])
}
