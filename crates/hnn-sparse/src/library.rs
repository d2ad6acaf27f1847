//! Libraries of features: the terms that a Hamiltonian may have.

use std::ops::RangeInclusive;

use ndarray::{Array2, Array3, ArrayView2};

use crate::expression::{Argument, Expression};
use crate::program::Program;
use crate::{SparseError, error::same_length};

/// Features of the state `x = [q_1..q_n, p_1..p_n]`, from which a Hamiltonian is made.
///
/// ```
/// use hnn_sparse::Library;
/// let library = Library::monomials(1, 1..=2)?.union(&Library::trigonometric(1, &[1.0], 0)?)?;
/// assert_eq!(library.names(), ["q", "p", "q^2", "q p", "p^2", "sin(q)", "cos(q)"]);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Library {
    coordinates: Vec<String>,
    features: Vec<Expression>,
}

impl Library {
    /// A library of these features over `degrees_of_freedom` positions and as many momenta.
    ///
    /// # Errors
    /// If a feature uses a coordinate that there is not, or is there twice.
    pub fn from_features(
        degrees_of_freedom: usize,
        features: impl IntoIterator<Item = Expression>,
    ) -> Result<Self, SparseError> {
        let mut library =
            Self { coordinates: canonical_names(degrees_of_freedom), features: vec![] };
        for feature in features {
            library.push(feature)?;
        }
        Ok(library)
    }

    /// Monomials in positions and momenta whose total degree lies in `degrees`.
    ///
    /// # Errors
    /// None for degrees from 1 on.
    pub fn monomials(
        degrees_of_freedom: usize,
        degrees: RangeInclusive<usize>,
    ) -> Result<Self, SparseError> {
        let dim = 2 * degrees_of_freedom;
        let largest = vec![*degrees.end(); dim];
        let exponents = exponents(&largest, *degrees.end()).into_iter();
        let wanted = exponents.filter(|e| degrees.contains(&e.iter().sum()));
        Self::from_features(degrees_of_freedom, wanted.map(|e| monomial(&e)))
    }

    /// Monomials whose degree in coordinate `i` is at most `largest[i]` (`2 n` numbers), without
    /// the constant.
    ///
    /// # Errors
    /// If `largest` has an odd length.
    pub fn monomials_per_variable(largest: &[usize]) -> Result<Self, SparseError> {
        let n = largest.len() / 2;
        same_length("degrees, one a coordinate (positions, then momenta)", largest.len(), 2 * n)?;
        let wanted =
            exponents(largest, usize::MAX).into_iter().filter(|e| e.iter().any(|&k| k > 0));
        Self::from_features(n, wanted.map(|e| monomial(&e)))
    }

    /// `sin(k q_i)` and `cos(k q_i)` for every `k` given, times monomials in the momenta of total
    /// degree at most `momentum_degree` (0: none).
    ///
    /// # Errors
    /// If a frequency is there twice.
    pub fn trigonometric(
        degrees_of_freedom: usize,
        frequencies: &[f64],
        momentum_degree: usize,
    ) -> Result<Self, SparseError> {
        let n = degrees_of_freedom;
        let mut features = vec![];
        let mut largest = vec![0; n];
        largest.resize(2 * n, momentum_degree);
        for power in &exponents(&largest, momentum_degree) {
            for &k in frequencies {
                for i in 0..n {
                    features.push(Expression::sin(k, i) * monomial(power));
                    features.push(Expression::cos(k, i) * monomial(power));
                }
            }
        }
        Self::from_features(n, features)
    }

    /// `|q_i - q_j|^k` for every pair and every exponent `k` given: springs, walls, forces between
    /// particles on a line.
    ///
    /// # Errors
    /// If an exponent is there twice.
    pub fn pair_distances(
        degrees_of_freedom: usize,
        exponents: &[i32],
    ) -> Result<Self, SparseError> {
        let n = degrees_of_freedom;
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| Argument::Difference(i, j)));
        let features =
            pairs.flat_map(|u| exponents.iter().map(move |&k| Expression::distance(&[u]).powi(k)));
        Self::from_features(n, features)
    }

    /// `r^k` for every exponent given, and `ln r` if asked for, of every distance
    /// `r = sqrt(u_1^2 + u_2^2 + ...)` given by its arguments: `[q_1, q_2]` for a central force in
    /// the plane, `[q_1 - q_3, q_2 - q_4]` for two bodies.
    ///
    /// # Errors
    /// If a distance uses a coordinate that there is not, or is there twice.
    pub fn radial(
        degrees_of_freedom: usize,
        distances: &[Vec<Argument>],
        exponents: &[i32],
        logarithm: bool,
    ) -> Result<Self, SparseError> {
        let mut features = vec![];
        for arguments in distances {
            features.extend(exponents.iter().map(|&k| Expression::distance(arguments).powi(k)));
            features.extend(logarithm.then(|| Expression::log_distance(arguments)));
        }
        Self::from_features(degrees_of_freedom, features)
    }

    /// Adds a feature.
    ///
    /// # Errors
    /// If it uses a coordinate that there is not, or is there already.
    pub fn push(&mut self, feature: Expression) -> Result<(), SparseError> {
        let (position, dim) = (self.len(), self.dim());
        if let Some(coordinate) = feature.last_coordinate().filter(|&c| c >= dim) {
            return Err(SparseError::Coordinate { feature: position, coordinate, dim });
        }
        if let Some(first) = self.features.iter().position(|f| *f == feature) {
            let name = feature.to_text(&self.coordinates);
            return Err(SparseError::DuplicateColumns {
                first,
                first_name: name.clone(),
                second: position,
                second_name: name,
            });
        }
        self.features.push(feature);
        Ok(())
    }

    /// The features of both; those of `other` that are here already are not repeated.
    ///
    /// # Errors
    /// If the two are over states of different dimensions.
    pub fn union(mut self, other: &Self) -> Result<Self, SparseError> {
        same_length("coordinates of the second library", other.dim(), self.dim())?;
        for feature in &other.features {
            if !self.features.contains(feature) {
                self.features.push(feature.clone());
            }
        }
        Ok(self)
    }

    /// Every feature of this library times every feature of the other; the same product is there
    /// once, a product that is constant not at all.
    ///
    /// # Errors
    /// If the two are over states of different dimensions.
    pub fn product(&self, other: &Self) -> Result<Self, SparseError> {
        same_length("coordinates of the second library", other.dim(), self.dim())?;
        let mut features: Vec<Expression> = vec![];
        for (a, b) in self.features.iter().flat_map(|a| other.features.iter().map(move |b| (a, b)))
        {
            let product = a.clone() * b.clone();
            if !product.is_constant() && !features.contains(&product) {
                features.push(product);
            }
        }
        Ok(Self { coordinates: self.coordinates.clone(), features })
    }

    /// Keeps the features for which `keep(name, feature)` holds: terms known to be absent go.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&str, &Expression) -> bool) -> Self {
        let coordinates = &self.coordinates;
        self.features.retain(|feature| keep(&feature.to_text(coordinates), feature));
        self
    }

    /// Replaces the names of the coordinates (`q, p` or `q1.., p1..`) by others.
    ///
    /// # Errors
    /// If there are not as many names as coordinates.
    pub fn with_coordinate_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, SparseError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        same_length("names of coordinates", names.len(), self.dim())?;
        self.coordinates = names;
        Ok(self)
    }

    /// Number of features.
    #[must_use]
    pub fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether it has no feature.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// Dimension `D = 2 n` of the states.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.coordinates.len()
    }

    /// Names of the coordinates.
    #[must_use]
    pub fn coordinate_names(&self) -> &[String] {
        &self.coordinates
    }

    /// The features.
    #[must_use]
    pub fn features(&self) -> &[Expression] {
        &self.features
    }

    /// Names of the features: their formulas.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.features.iter().map(|f| f.to_text(&self.coordinates)).collect()
    }

    /// Position of the feature with this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn position(&self, name: &str) -> Result<usize, SparseError> {
        let names = self.names();
        names.iter().position(|known| known == name).ok_or_else(|| SparseError::UnknownFeature {
            name: name.to_owned(),
            known: names.join(", "),
        })
    }

    /// Values of the features at states of shape (B, D): (B, m).
    ///
    /// # Errors
    /// If the states have another dimension.
    pub fn values(&self, x: ArrayView2<'_, f64>) -> Result<Array2<f64>, SparseError> {
        let out = self.evaluate(x, self.features.iter())?;
        Ok(Array2::from_shape_fn((x.nrows(), self.len()), |(row, j)| out[j * x.nrows() + row]))
    }

    /// Gradients of the features at states of shape (B, D): (B, m, D).
    ///
    /// # Errors
    /// If the states have another dimension.
    pub fn gradients(&self, x: ArrayView2<'_, f64>) -> Result<Array3<f64>, SparseError> {
        let dim = self.dim();
        let gradients: Vec<_> =
            self.features.iter().flat_map(|f| (0..dim).map(|i| f.derivative(i))).collect();
        let out = self.evaluate(x, &gradients)?;
        let at = |(row, j, i)| out[(j * dim + i) * x.nrows() + row];
        Ok(Array3::from_shape_fn((x.nrows(), self.len(), dim), at))
    }

    /// Hessians of the features at one state: (m, D, D).
    ///
    /// # Errors
    /// If the state has another dimension.
    pub fn hessians(&self, x: &[f64]) -> Result<Array3<f64>, SparseError> {
        same_length("coordinates of the state", x.len(), self.dim())?;
        let shape = (self.len(), self.dim(), self.dim());
        Ok(Array3::from_shape_fn(shape, |(j, i, k)| {
            self.features[j].derivative(i).derivative(k).value(x)
        }))
    }

    fn evaluate<'a>(
        &self,
        x: ArrayView2<'_, f64>,
        outputs: impl IntoIterator<Item = &'a Expression>,
    ) -> Result<Vec<f64>, SparseError> {
        same_length("coordinates of the states", x.ncols(), self.dim())?;
        let program = Program::compile(self.dim(), outputs);
        let mut out = vec![0.0; program.outputs() * x.nrows()];
        let lanes = hnn_integrators::coordinate_major(x);
        program.run(x.nrows(), &lanes, &mut out, &mut Default::default());
        Ok(out)
    }
}

/// `q, p` for one degree of freedom, `q1, q2, .., p1, p2, ..` for more.
fn canonical_names(n: usize) -> Vec<String> {
    if n == 1 {
        return vec!["q".to_owned(), "p".to_owned()];
    }
    let numbered = |letter: char| (1..=n).map(move |i| format!("{letter}{i}"));
    numbered('q').chain(numbered('p')).collect()
}

fn monomial(exponents: &[usize]) -> Expression {
    let powers =
        exponents.iter().enumerate().map(|(i, &k)| Expression::coordinate(i).powi(k as i32));
    powers.fold(Expression::constant(1.0), |product, power| product * power)
}

/// Every vector of exponents up to `largest` whose sum is at most `total`, by rising sum, then high
/// powers of the first coordinates first.
fn exponents(largest: &[usize], total: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![vec![]];
    for &most in largest {
        let longer = |head: Vec<usize>| {
            let left = total - head.iter().sum::<usize>();
            (0..=most.min(left)).rev().map(move |k| [head.as_slice(), &[k]].concat())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all.sort_by_key(|e| e.iter().sum::<usize>());
    all
}
