//! What a field may be made of: an energy's features, and friction's.

use crate::expression::Expression;
use crate::library::check_names;
use crate::size::{require_room_for_derivatives, require_square};
use crate::{Library, SparseError, error::require, error::same_length};
use hnn_integrators::TooLarge;

/// How a friction feature `d(q, p)` acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Friction {
    /// `dp_i/dt` has `-c d(q, p) p_i` with one `c` for every `i`.
    Shared,
    /// Each `dp_i/dt` has a `c_i` of its own.
    PerMomentum,
}

/// One unknown: a term of the field, `dx/dt = ... + c F(x)`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Column {
    pub(crate) feature: Expression,
    pub(crate) role: Role,
}

/// What a feature is to the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Role {
    /// A term of `H`: `F = J grad feature`.
    Energy,
    /// `F = -feature p_i` in every `dp_i/dt`.
    Friction,
    /// The same in `dp_i/dt` for one momentum `i` alone.
    FrictionOn(usize),
}

impl Column {
    /// The feature: a term of `H`, or of the friction's factor `D`.
    #[must_use]
    pub fn feature(&self) -> &Expression {
        &self.feature
    }

    /// Whether it is a term of the energy (or else of the friction).
    #[must_use]
    pub fn is_energy(&self) -> bool {
        self.role == Role::Energy
    }

    /// That states of dimension `dim` have what it names; `place` is its own, for the error.
    pub(crate) fn check(&self, place: usize, dim: usize) -> Result<(), SparseError> {
        match self.role {
            Role::FrictionOn(momentum) if momentum >= dim / 2 => {
                Err(SparseError::Momentum { term: place, momentum, momenta: dim / 2 })
            }
            _ => self.feature.check(place, dim),
        }
    }

    /// Component `i` of `F` for states of dimension `dim`.
    pub(crate) fn field(&self, i: usize, dim: usize) -> Expression {
        let n = dim / 2;
        match self.role {
            Role::Energy if i < n => self.feature.derivative(i + n),
            Role::Energy => -self.feature.derivative(i - n),
            Role::Friction if i >= n => -1.0 * (self.feature.clone() * Expression::coordinate(i)),
            Role::FrictionOn(k) if i.checked_sub(n) == Some(k) => {
                -1.0 * (self.feature.clone() * Expression::coordinate(i))
            }
            _ => Expression::constant(0.0),
        }
    }

    pub(crate) fn name(&self, coordinates: &[String]) -> String {
        let (text, n) = (self.feature.to_text(coordinates), coordinates.len() / 2);
        match self.role {
            Role::Energy => text,
            Role::Friction => format!("friction[{text}]"),
            Role::FrictionOn(k) => format!("friction on {}[{text}]", coordinates[n + k]),
        }
    }
}

/// The unknowns of an identification: the features of the energy, and those of a friction
/// `-D(q, p) p` if there may be any.
///
/// ```
/// use hnn_sparse::{Ansatz, Expression, Friction, Library};
/// let energy = Library::monomials(1, 1..=2)?;
/// let drag = Library::from_features(1, [Expression::constant(1.0)])?;
/// let ansatz = Ansatz::new(&energy)?.with_friction(&drag, Friction::Shared)?;
/// assert_eq!(ansatz.names(), ["q", "p", "q^2", "q p", "p^2", "friction[1]"]);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Ansatz {
    pub(crate) coordinates: Vec<String>,
    pub(crate) columns: Vec<Column>,
}

/// An ansatz as a file has it.
#[derive(serde::Deserialize)]
struct Unchecked {
    coordinates: Vec<String>,
    columns: Vec<Column>,
}

impl TryFrom<Unchecked> for Ansatz {
    type Error = SparseError;

    fn try_from(Unchecked { coordinates, columns }: Unchecked) -> Result<Self, SparseError> {
        check_coordinates(&coordinates)?;
        require_square("columns of an ansatz", columns.len(), FEWER)?;
        for (place, column) in columns.iter().enumerate() {
            column.check(place, coordinates.len())?;
        }
        Ok(Self { coordinates, columns })
    }
}

const FEWER: &str = "take fewer features";

/// That these are positions and as many momenta, with a name each.
pub(crate) fn check_coordinates(names: &[String]) -> Result<(), SparseError> {
    let paired = !names.is_empty() && names.len().is_multiple_of(2);
    let expected = "even and not 0: positions, then as many momenta";
    require(paired, "the number of coordinates", names.len(), expected)?;
    check_names(names)
}

impl Ansatz {
    /// A Hamiltonian made of these features.
    ///
    /// # Errors
    /// If there is no feature, or one is constant.
    pub fn new(energy: &Library) -> Result<Self, SparseError> {
        if energy.is_empty() {
            return Err(SparseError::TooFew { what: "features", given: 0, needed: 1 });
        }
        if let Some(feature) = energy.features().iter().position(Expression::is_constant) {
            return Err(SparseError::ConstantFeature { feature });
        }
        let column = |feature: &Expression| Column { feature: feature.clone(), role: Role::Energy };
        Ok(Self {
            coordinates: energy.coordinate_names().to_vec(),
            columns: energy.features().iter().map(column).collect(),
        })
    }

    /// Adds a friction `-D(q, p) p` to the momenta's equations, `D` made of these features (the
    /// constant 1 is linear drag).
    ///
    /// # Errors
    /// If the library is over states of another dimension, or there are too many columns.
    pub fn with_friction(
        mut self,
        factor: &Library,
        friction: Friction,
    ) -> Result<Self, SparseError> {
        same_length("coordinates of the friction's library", factor.dim(), self.dim())?;
        let each = match friction {
            Friction::Shared => 1,
            Friction::PerMomentum => self.dim() as u128 / 2,
        };
        let count = self.columns.len() as u128 + factor.len() as u128 * each;
        require_square("columns of an ansatz", count, FEWER)?;
        for feature in factor.features() {
            let mut add = |role| self.columns.push(Column { feature: feature.clone(), role });
            match friction {
                Friction::Shared => add(Role::Friction),
                Friction::PerMomentum => {
                    (0..factor.dim() / 2).for_each(|i| add(Role::FrictionOn(i)));
                }
            }
        }
        Ok(self)
    }

    /// Dimension `D` of the states.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.coordinates.len()
    }

    /// Names of the coordinates.
    #[must_use]
    pub fn coordinate_names(&self) -> &[String] {
        &self.coordinates
    }

    /// The unknowns, in the order of the coefficients.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Names of the unknowns.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name(&self.coordinates)).collect()
    }

    /// Every component of the field of every column: `D` expressions a column.
    pub(crate) fn fields(&self) -> Result<Vec<Expression>, SparseError> {
        let dim = self.dim();
        // A block of 256 states has as many numbers of each.
        let count = self.columns.len() as u128 * dim as u128;
        TooLarge::check("components of the columns' fields", count, 2048, FEWER)?;
        require_room_for_derivatives(self.columns.iter().map(|column| &column.feature), 1)?;
        let components =
            |column: &Column| -> Vec<_> { (0..dim).map(|i| column.field(i, dim)).collect() };
        Ok(self.columns.iter().flat_map(components).collect())
    }
}
