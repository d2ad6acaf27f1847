//! The models that both examples compare.

use hnn_examples::Model;

/// A model of the double pendulum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A network that learns the field itself.
    Baseline,
    /// A Hamiltonian network.
    Hnn,
    /// A Lagrangian network whose Lagrangian is any function of (q, v).
    Lnn,
    /// One with a mass matrix and a potential energy.
    Mechanical,
}

impl Kind {
    /// Those in canonical coordinates.
    pub const CANONICAL: [Self; 2] = [Self::Baseline, Self::Hnn];
    /// Those in Lagrangian coordinates.
    pub const LAGRANGIAN: [Self; 3] = [Self::Baseline, Self::Lnn, Self::Mechanical];

    /// The name in `results.json` and of files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Hnn => "hnn",
            Self::Lnn => "lnn",
            Self::Mechanical => "mechanical",
        }
    }

    /// The name in tables and figures.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Hnn => "HNN",
            Self::Lnn => "LNN, any L(q, v)",
            Self::Mechanical => "LNN, T - V",
        }
    }

    /// One with a seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Model<'static, Self> {
        Model { kind: self, seed, key: self.key(), label: self.label() }
    }
}
