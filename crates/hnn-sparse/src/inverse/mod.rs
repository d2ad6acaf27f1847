//! Torques as the target: inverse dynamics.

mod field;
mod json;
mod lagrangian;

use hnn_integrators::TooLarge;

use crate::expression::Expression;
use crate::size::{require_room_for_derivatives, require_square};
use crate::unknowns::{Balance, Unknowns};
use crate::{Library, SparseError, error::require, error::same_length};
use lagrangian::LagrangianTerm;
pub use lagrangian::SparseLagrangian;

/// The unknowns of a regression of torques: features of a Lagrangian `L(q, v)`, and of a friction
/// on each joint,
///
/// ```text
/// tau_i = d/dt dL/dv_i - dL/dq_i + friction_i,   L = sum_j c_j phi_j(q, v)
/// ```
///
/// which is linear in the coefficients. The state is `[q, v]`, the velocities `v = dq/dt`; the
/// inputs are the torques, one a joint.
///
/// With the torque as the target, its noise does no harm. The other way round, with the acceleration
/// as the target and the torque among the features, noise of the torque makes every coefficient too
/// small.
///
/// Equations come from [`Samples`](crate::Samples), row by row out of measured accelerations, or from
/// the [`WeakForm`](crate::WeakForm) out of states alone: the derivative goes to a test function
/// `phi`, so that no acceleration is needed. That is the road for noisy or quantised recordings:
///
/// ```text
/// integral phi tau_i dt = sum_j c_j (- integral phi' dphi_j/dv_i dt - integral phi dphi_j/dq_i dt)
/// ```
///
/// ```
/// use hnn_data::{DataSet, Trajectory};
/// use hnn_sparse::{Expression, InverseDynamics, Library, Samples, Selection};
/// use ndarray::Array2;
/// // A pendulum with I = 0.5 and m g l = 2, driven by tau.
/// let t: Vec<f64> = (0..50).map(|k| 0.1 * k as f64).collect();
/// let of_time = |f: &dyn Fn(f64) -> [f64; 2]| Array2::from_shape_fn((50, 2), |(k, i)| f(t[k])[i]);
/// let states = of_time(&|t| [t.sin(), t.cos()]);
/// let derivatives = of_time(&|t| [t.cos(), -t.sin()]);
/// let tau = Array2::from_shape_fn((50, 1), |(k, _)| -0.5 * t[k].sin() + 2.0 * t[k].sin().sin());
/// let data = DataSet::new([Trajectory { times: t, states, derivatives, inputs: tau }])?;
///
/// let energy = Library::from_features(1, [0.5 * Expression::coordinate(1).powi(2), Expression::cos(1.0, 0)])?
///     .with_coordinate_names(["q", "v"])?;
/// let dynamics = InverseDynamics::new(&energy)?.with_friction(0, Expression::friction(1, 0.1))?;
/// let found = Selection::default().run(&Samples::try_from(&data)?.equations(&dynamics)?)?;
/// assert_eq!(found.names(), ["0.5 v^2", "cos(q)"]);
/// assert_eq!(found.model().to_text(), "L = 0.25 v^2 + 2 cos(q)");
/// assert!((found.coefficient("cos(q)") - 2.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct InverseDynamics {
    coordinates: Vec<String>,
    terms: Vec<TorqueTerm>,
}

/// One unknown of the torques.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct TorqueTerm {
    feature: Expression,
    /// The joint that it rubs at; none if it is a term of `L`.
    joint: Option<usize>,
}

impl TorqueTerm {
    fn name(&self, coordinates: &[String]) -> String {
        let text = self.feature.to_text(coordinates);
        match self.joint {
            None => text,
            Some(i) => format!("friction on {}[{text}]", coordinates[i]),
        }
    }

    /// Component `i` of the momenta `dL/dv`.
    fn momentum(&self, i: usize, n: usize) -> Expression {
        match self.joint {
            None => self.feature.derivative(n + i),
            Some(_) => Expression::constant(0.0),
        }
    }

    /// What torque `i` has beside the derivative of the momentum.
    fn rest(&self, i: usize) -> Expression {
        match self.joint {
            None => -self.feature.derivative(i),
            Some(joint) if joint == i => self.feature.clone(),
            Some(_) => Expression::constant(0.0),
        }
    }
}

/// That a friction is on one of `n` joints.
fn check_joint(joint: usize, n: usize) -> Result<(), SparseError> {
    require(joint < n, "the joint", joint, "below the number of positions")
}

const FEWER: &str = "take fewer features";

impl InverseDynamics {
    /// A Lagrangian made of these features of positions and velocities (the library's momenta).
    ///
    /// # Errors
    /// If there is no feature, or one is constant.
    pub fn new(lagrangian: &Library) -> Result<Self, SparseError> {
        require(!lagrangian.is_empty(), "the number of features", 0, "at least 1")?;
        if let Some(feature) = lagrangian.features().iter().position(Expression::is_constant) {
            return Err(SparseError::ConstantFeature { feature });
        }
        let term = |feature: &Expression| TorqueTerm { feature: feature.clone(), joint: None };
        Ok(Self {
            coordinates: lagrangian.coordinate_names().to_vec(),
            terms: lagrangian.features().iter().map(term).collect(),
        })
    }

    /// Adds a friction on a joint (from 0), made of these features, as
    /// [`Expression::friction`] makes them of its velocity: `tau_i` has `+ c feature` for each.
    ///
    /// # Errors
    /// If there is no such joint, a feature names a coordinate that there is not, or there are too
    /// many.
    pub fn with_friction(
        mut self,
        joint: usize,
        features: impl IntoIterator<Item = Expression>,
    ) -> Result<Self, SparseError> {
        check_joint(joint, self.joints())?;
        for feature in features {
            let second = self.terms.len();
            feature.check(second, self.coordinates.len(), 0)?;
            require_square("unknowns of the torques", second + 1, FEWER)?;
            let term = TorqueTerm { feature, joint: Some(joint) };
            if let Some(first) = self.terms.iter().position(|known| *known == term) {
                let name = term.name(&self.coordinates);
                let (first_name, second_name) = (name.clone(), name);
                return Err(SparseError::DuplicateColumns {
                    first,
                    first_name,
                    second,
                    second_name,
                });
            }
            self.terms.push(term);
        }
        Ok(self)
    }

    /// Number of joints `n`: positions, velocities, or torques.
    #[must_use]
    pub fn joints(&self) -> usize {
        self.coordinates.len() / 2
    }

    /// Names of the coordinates `[q, v]`.
    #[must_use]
    pub fn coordinate_names(&self) -> &[String] {
        &self.coordinates
    }

    /// Names of the unknowns.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.terms.iter().map(|term| term.name(&self.coordinates)).collect()
    }
}

impl Unknowns for InverseDynamics {
    type Model = SparseLagrangian;
    const ENERGY: &'static str = "L";
    const OF_RATES: bool = false;

    fn names(&self) -> Vec<String> {
        Self::names(self)
    }

    fn variables(&self) -> Vec<String> {
        self.coordinates.iter().cloned().chain(self.components()).collect()
    }

    fn components(&self) -> Vec<String> {
        self.coordinates[..self.joints()].iter().map(|name| format!("tau[{name}]")).collect()
    }

    fn check(&self, dim: usize, inputs: usize) -> Result<(), SparseError> {
        same_length("coordinates of the states", dim, self.coordinates.len())?;
        same_length("inputs: the torques, one a joint", inputs, self.joints())
    }

    fn balance(&self) -> Result<Balance, SparseError> {
        let n = self.joints();
        let count = self.terms.len() as u128 * n as u128;
        TooLarge::check("components of the torques", count, 4096, FEWER)?;
        require_room_for_derivatives(self.terms.iter().map(|term| &term.feature), 2)?;
        let all = |of: &dyn Fn(&TorqueTerm, usize) -> Expression| -> Vec<Expression> {
            self.terms.iter().flat_map(|term| (0..n).map(move |i| of(term, i))).collect()
        };
        let (mut rates, mut rest) =
            (all(&|term, i| term.momentum(i, n)), all(&|term, i| term.rest(i)));
        rates.resize(rates.len() + n, Expression::constant(0.0));
        rest.extend((0..n).map(Expression::input));
        Ok(Balance { rates, rest })
    }

    fn of_components(&self, of_coordinates: &[f64]) -> Vec<f64> {
        of_coordinates[self.joints()..].to_vec()
    }

    fn model(&self, terms: &[(usize, f64, f64)]) -> Result<SparseLagrangian, SparseError> {
        let term = |&(column, coefficient, std_error): &(usize, f64, f64)| LagrangianTerm {
            term: self.terms[column].clone(),
            coefficient,
            std_error,
        };
        SparseLagrangian::of_terms(self.coordinates.clone(), terms.iter().map(term).collect())
    }
}
