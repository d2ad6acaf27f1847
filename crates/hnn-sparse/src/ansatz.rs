//! What a field may be made of: features of an energy, of a friction, and of forces.

use crate::expression::{Expression, Names, Syntax};
use crate::library::check_names;
use crate::size::{require_room_for_derivatives, require_square};
use crate::unknowns::{Balance, Unknowns};
use crate::{Library, SparseError, SparseHamiltonian, error::require, error::same_length};
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
pub struct AnsatzColumn {
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
    /// `F = feature(x, u)` in `dp_i/dt` for one momentum `i`.
    Force(usize),
}

impl AnsatzColumn {
    /// The feature: a term of `H`, of the friction's factor `D`, or of a force.
    #[must_use]
    pub fn feature(&self) -> &Expression {
        &self.feature
    }

    /// Whether it is a term of the energy (or else of a friction or force).
    #[must_use]
    pub fn is_energy(&self) -> bool {
        self.role == Role::Energy
    }

    /// That states of dimension `dim` with so many inputs have what it names; `place` is its own, for
    /// the error.
    pub(crate) fn check(&self, place: usize, dim: usize, inputs: usize) -> Result<(), SparseError> {
        match self.role {
            Role::FrictionOn(momentum) | Role::Force(momentum) if momentum >= dim / 2 => {
                Err(SparseError::Momentum { term: place, momentum, momenta: dim / 2 })
            }
            Role::Force(_) => self.feature.check(place, dim, inputs),
            _ => self.feature.check(place, dim, 0),
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
            Role::Force(k) if i.checked_sub(n) == Some(k) => self.feature.clone(),
            _ => Expression::constant(0.0),
        }
    }

    pub(crate) fn name(&self, names: Names<'_, String>) -> String {
        let text = self.feature.print(Syntax::Text, names);
        let Names { coordinates, .. } = names;
        let n = coordinates.len() / 2;
        match self.role {
            Role::Force(k) => format!("force on {}[{text}]", coordinates[n + k]),
            Role::Energy => text,
            Role::Friction => format!("friction[{text}]"),
            Role::FrictionOn(k) => format!("friction on {}[{text}]", coordinates[n + k]),
        }
    }
}

/// The unknowns of an identification: the features of the energy, those of a friction
/// `-D(q, p) p`, and those of forces `F_i(q, p, u)`, if there may be any:
///
/// ```text
/// dq_i/dt = dH/dp_i,   dp_i/dt = -dH/dq_i - D p_i + F_i
/// ```
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
    pub(crate) inputs: Vec<String>,
    pub(crate) columns: Vec<AnsatzColumn>,
}

/// An ansatz as a file has it.
#[derive(serde::Deserialize)]
struct Unchecked {
    coordinates: Vec<String>,
    #[serde(default)]
    inputs: Vec<String>,
    columns: Vec<AnsatzColumn>,
}

impl TryFrom<Unchecked> for Ansatz {
    type Error = SparseError;

    fn try_from(
        Unchecked { coordinates, inputs, columns }: Unchecked,
    ) -> Result<Self, SparseError> {
        check_coordinates(&coordinates, &inputs)?;
        require_square("columns of an ansatz", columns.len(), FEWER)?;
        for (place, column) in columns.iter().enumerate() {
            column.check(place, coordinates.len(), inputs.len())?;
        }
        Ok(Self { coordinates, inputs, columns })
    }
}

const FEWER: &str = "take fewer features";

/// That these are positions and as many momenta, and inputs, with a name each.
pub(crate) fn check_coordinates(names: &[String], inputs: &[String]) -> Result<(), SparseError> {
    let paired = !names.is_empty() && names.len().is_multiple_of(2);
    let expected = "even and not 0: positions, then as many momenta";
    require(paired, "the number of coordinates", names.len(), expected)?;
    check_names(names.iter().chain(inputs))
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
        let column =
            |feature: &Expression| AnsatzColumn { feature: feature.clone(), role: Role::Energy };
        Ok(Self {
            coordinates: energy.coordinate_names().to_vec(),
            inputs: vec![],
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
            let mut add = |role| self.columns.push(AnsatzColumn { feature: feature.clone(), role });
            match friction {
                Friction::Shared => add(Role::Friction),
                Friction::PerMomentum => {
                    (0..factor.dim() / 2).for_each(|i| add(Role::FrictionOn(i)));
                }
            }
        }
        Ok(self)
    }

    /// Gives the field inputs, known over time beside the states: forces may be functions of them.
    ///
    /// ```
    /// use hnn_sparse::{Ansatz, Expression, Library};
    /// let energy = Library::from_features(1, [Expression::coordinate(1).powi(2), Expression::cos(1.0, 0)])?;
    /// // A motor's torque, with a gain to be found, and friction that is finite at rest.
    /// let ansatz = Ansatz::new(&energy)?
    ///     .with_inputs(["u"])?
    ///     .with_force(0, [Expression::input(0)])?
    ///     .with_force(0, Expression::friction(1, 0.01))?;
    /// let forces = ["force on p[u]", "force on p[p]", "force on p[tanh(100 p)]", "force on p[p |p|]"];
    /// assert_eq!(ansatz.names()[2..], forces);
    /// # Ok::<(), hnn_sparse::SparseError>(())
    /// ```
    ///
    /// A gain that is known is said to the selection: `know("force on p[u]", 1.0)`.
    ///
    /// # Errors
    /// If a name is empty, there twice, or a coordinate's.
    pub fn with_inputs<S: Into<String>>(
        self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, SparseError> {
        let inputs: Vec<String> = names.into_iter().map(Into::into).collect();
        check_coordinates(&self.coordinates, &inputs)?;
        Ok(Self { inputs, ..self })
    }

    /// Adds a force `F_i(q, p, u)` on a momentum (from 0), made of these features: `dp_i/dt` has
    /// `+ c feature` for each.
    ///
    /// # Errors
    /// If there is no such momentum, a feature names what there is not (inputs are declared by
    /// [`with_inputs`](Self::with_inputs) first), or is there twice, or there are too many.
    pub fn with_force(
        mut self,
        momentum: usize,
        features: impl IntoIterator<Item = Expression>,
    ) -> Result<Self, SparseError> {
        for feature in features {
            let (column, second) =
                (AnsatzColumn { feature, role: Role::Force(momentum) }, self.columns.len());
            column.check(second, self.dim(), self.inputs.len())?;
            require_square("columns of an ansatz", second + 1, FEWER)?;
            if let Some(first) = self.columns.iter().position(|known| *known == column) {
                let name = column.name(self.all_names());
                let (first_name, second_name) = (name.clone(), name);
                return Err(SparseError::DuplicateColumns {
                    first,
                    first_name,
                    second,
                    second_name,
                });
            }
            self.columns.push(column);
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

    /// Names of the inputs.
    #[must_use]
    pub fn input_names(&self) -> &[String] {
        &self.inputs
    }

    pub(crate) fn all_names(&self) -> Names<'_, String> {
        Names { coordinates: &self.coordinates, inputs: &self.inputs }
    }

    /// The unknowns, in the order of the coefficients.
    #[must_use]
    pub fn columns(&self) -> &[AnsatzColumn] {
        &self.columns
    }

    /// Names of the unknowns.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name(self.all_names())).collect()
    }

    /// Every component of the field of every column: `D` expressions a column.
    pub(crate) fn fields(&self) -> Result<Vec<Expression>, SparseError> {
        let dim = self.dim();
        // A block of 256 states has as many numbers of each.
        let count = self.columns.len() as u128 * dim as u128;
        TooLarge::check("components of the columns' fields", count, 2048, FEWER)?;
        require_room_for_derivatives(self.columns.iter().map(|column| &column.feature), 1)?;
        let components =
            |column: &AnsatzColumn| -> Vec<_> { (0..dim).map(|i| column.field(i, dim)).collect() };
        Ok(self.columns.iter().flat_map(components).collect())
    }
}

impl Unknowns for Ansatz {
    type Model = SparseHamiltonian;
    const ENERGY: &'static str = "H";
    const OF_RATES: bool = true;

    fn names(&self) -> Vec<String> {
        Self::names(self)
    }

    fn variables(&self) -> Vec<String> {
        self.coordinates.iter().chain(&self.inputs).cloned().collect()
    }

    fn check(&self, dim: usize, inputs: usize) -> Result<(), SparseError> {
        same_length("coordinates of the states", dim, self.dim())?;
        let (given, expected) = (inputs, self.inputs.len());
        if given == expected { Ok(()) } else { Err(SparseError::Inputs { given, expected }) }
    }

    fn balance(&self) -> Result<Balance, SparseError> {
        let (mut rest, states) = (self.fields()?, (0..self.dim()).map(Expression::coordinate));
        let zero = Expression::constant(0.0);
        let mut rates = vec![zero.clone(); rest.len()];
        rates.extend(states);
        rest.resize(rates.len(), zero);
        Ok(Balance { rates, rest })
    }

    fn of_components(&self, of_coordinates: &[f64]) -> Vec<f64> {
        of_coordinates.to_vec()
    }

    fn components(&self) -> Vec<String> {
        self.coordinates.iter().map(|name| format!("d{name}/dt")).collect()
    }

    fn model(&self, terms: &[(usize, f64, f64)]) -> Result<SparseHamiltonian, SparseError> {
        SparseHamiltonian::new(self, terms)
    }
}
