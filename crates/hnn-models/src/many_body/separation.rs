//! What a network sees of the distance of two bodies.

use hnn_integrators::Scalar;
use serde::{Deserialize, Serialize};

/// What the network of a [`PairEnergy`](crate::PairEnergy) sees of the distance `r` of two bodies.
///
/// A network is smooth in what it sees. Where forces grow without bound at encounters, the
/// logarithm or the inverse of the distance spreads small distances out; where bodies pass through
/// each other, the square has no kink there, which all others have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separation {
    /// `r`.
    Distance,
    /// `r^2`.
    Square,
    /// `1 / r`.
    Inverse,
    /// `ln r`.
    Logarithm,
}

impl Separation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Distance, Self::Square, Self::Inverse, Self::Logarithm];

    /// `[s, ds/dR, d2s/dR2]` of `s` as a function of `R = r^2`.
    ///
    /// ```
    /// use hnn_models::Separation;
    /// assert_eq!(Separation::Inverse.derivatives(4.0), [0.5, -0.0625, 0.0234375]);
    /// ```
    #[must_use]
    pub fn derivatives<T: Scalar>(self, square: T) -> [T; 3] {
        let c = T::from_f64;
        match self {
            Self::Distance => {
                let (r, slope) = (square.sqrt(), c(0.5) / square.sqrt());
                [r, slope, c(-0.5) * slope / square]
            }
            Self::Square => [square, T::ONE, T::ZERO],
            Self::Inverse => {
                let inverse = T::ONE / square.sqrt();
                let slope = c(-0.5) * inverse / square;
                [inverse, slope, c(-1.5) * slope / square]
            }
            Self::Logarithm => {
                let slope = c(0.5) / square;
                [c(0.5) * square.ln(), slope, -slope / square]
            }
        }
    }
}
