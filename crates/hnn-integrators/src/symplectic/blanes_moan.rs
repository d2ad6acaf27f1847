//! A Runge-Kutta-Nystroem method of Blanes and Moan.

use super::splitting_method;

const A: [f64; 2] = [0.245_298_957_184_271, 0.604_872_665_711_08];
const B: [f64; 3] = [0.082_984_406_417_405_2, 0.396_309_801_498_368, -0.039_056_304_922_348_6];

splitting_method! {
    /// The Runge-Kutta-Nystroem method of Blanes and Moan with six stages (SRKN 6(4), "6b"): order
    /// 4, symmetric, six forces a step, the most accurate of its order.
    ///
    /// It has its order only where the kinetic energy `T` is quadratic in `p`.
    ///
    /// Blanes, Moan, *J. Comp. Appl. Math.* 142 (2002), 313-330, table 3.
    BlanesMoanSrkn6, "Blanes-Moan SRKN 6(4)", 4, Kick,
    [
        B[0], A[0], B[1], A[1], B[2], 0.5 - (A[0] + A[1]), 1.0 - 2.0 * (B[0] + B[1] + B[2]),
        0.5 - (A[0] + A[1]), B[2], A[1], B[1], A[0], B[0],
    ]
}
