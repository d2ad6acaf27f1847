//! Summands of an acceleration.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

/// What multiplies a constant in a [`Law`](crate::Law): a function of one number, which is a position,
/// a velocity or an input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Feature {
    /// 1: a constant force.
    One,
    /// `q_i`: a spring.
    Position(usize),
    /// `q_i^3`: a spring that stiffens.
    Cube(usize),
    /// `sin q_i`: the weight of a pendulum.
    Sin(usize),
    /// `cos q_i`: with `sin q_i`, the weight of a pendulum whose zero is not straight down.
    Cos(usize),
    /// `v_i`: viscous friction.
    Velocity(usize),
    /// `tanh(v_i / width)`: dry (Coulomb) friction, finite and smooth at rest.
    Coulomb {
        /// Whose velocity.
        of: usize,
        /// In units of the velocity.
        width: f64,
    },
    /// `|v_i| v_i`: drag.
    Drag(usize),
    /// `u_k`: an input.
    Input(usize),
}

/// What a feature is a function of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    Nothing,
    Position(usize),
    Velocity(usize),
    Input(usize),
}

impl Feature {
    pub(super) fn argument(self) -> Argument {
        match self {
            Self::One => Argument::Nothing,
            Self::Position(i) | Self::Cube(i) | Self::Sin(i) | Self::Cos(i) => {
                Argument::Position(i)
            }
            Self::Velocity(i) | Self::Coulomb { of: i, .. } | Self::Drag(i) => {
                Argument::Velocity(i)
            }
            Self::Input(k) => Argument::Input(k),
        }
    }

    /// The feature and its derivative by its argument.
    pub(super) fn of(self, x: f64) -> (f64, f64) {
        match self {
            Self::One => (1.0, 0.0),
            Self::Position(_) | Self::Velocity(_) | Self::Input(_) => (x, 1.0),
            Self::Cube(_) => (x * x * x, 3.0 * x * x),
            Self::Sin(_) => x.sin_cos(),
            Self::Cos(_) => (x.cos(), -x.sin()),
            Self::Coulomb { width, .. } => {
                let sign = (x / width).tanh();
                (sign, (1.0 - sign * sign) / width)
            }
            Self::Drag(_) => (x.abs() * x, 2.0 * x.abs()),
        }
    }

    fn index(self) -> usize {
        match self.argument() {
            Argument::Nothing => 0,
            Argument::Position(i) | Argument::Velocity(i) | Argument::Input(i) => i,
        }
    }

    /// With the names of positions and inputs.
    pub(crate) fn text(self, positions: &[String], inputs: &[String]) -> String {
        let name = match self.argument() {
            Argument::Input(k) => inputs.get(k),
            Argument::Nothing => None,
            _ => positions.get(self.index()),
        };
        let name = name.cloned().unwrap_or_else(|| self.index().to_string());
        match self {
            Self::One => "1".into(),
            Self::Position(_) | Self::Input(_) => name,
            Self::Cube(_) => format!("{name}^3"),
            Self::Sin(_) => format!("sin({name})"),
            Self::Cos(_) => format!("cos({name})"),
            Self::Velocity(_) => format!("{name}'"),
            Self::Coulomb { width, .. } => format!("tanh({name}'/{width:.3})"),
            Self::Drag(_) => format!("|{name}'| {name}'"),
        }
    }
}

impl Display for Feature {
    /// With positions `q0`, `q1`, ... and inputs `u0`, `u1`, ....
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names =
            |letter: char| Vec::from_iter((0..=self.index()).map(|i| format!("{letter}{i}")));
        f.write_str(&self.text(&names('q'), &names('u')))
    }
}
