//! The position-extended Forest-Ruth-like method.

use super::splitting_method;

const XI: f64 = 0.178_617_895_844_809_1;
const LAMBDA: f64 = -0.212_341_831_062_605_4;
const CHI: f64 = -0.066_264_582_669_818_5;

splitting_method! {
    /// The position-extended Forest-Ruth-like method: order 4, symmetric, four forces a step, an
    /// error some 26 times below that of [`Yoshida4`](crate::Yoshida4) for the same work.
    ///
    /// Omelyan, Mryglod, Folk, *Comp. Phys. Comm.* 146 (2002), 188.
    Pefrl, "PEFRL", 4, Drift,
    [
        XI, 0.5 - LAMBDA, CHI, LAMBDA, 1.0 - 2.0 * (CHI + XI), LAMBDA, CHI, 0.5 - LAMBDA, XI,
    ]
}
