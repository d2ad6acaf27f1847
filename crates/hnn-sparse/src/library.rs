//! Libraries of features: the terms that a Hamiltonian may have.

use hnn_integrators::TooLarge;
use std::collections::{BTreeMap, HashMap};
use std::ops::{Range, RangeInclusive};

use ndarray::{Array2, Array3, ArrayView2};

use crate::expression::{Argument, Expression, Monomial};
use crate::program::Program;
use crate::size::{binomial, require_room_for_derivatives, require_square};
use crate::{SparseError, error::require, error::same_length};

/// Features of the state `x = [q_1..q_n, p_1..p_n]`, from which a Hamiltonian is made.
///
/// A regression on `m` features takes `m^2` numbers. Every constructor returns an error where that
/// is more than 1 GiB, before it makes the features.
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
    /// The place of every feature.
    places: HashMap<Vec<(u64, Monomial)>, usize>,
}

const FEWER: &str = "lower the degrees, or choose the features that you expect";

impl Library {
    /// A library of these features over `degrees_of_freedom` positions and as many momenta.
    ///
    /// # Errors
    /// If a feature uses a coordinate that there is not, has no finite value or an exponent beyond
    /// 1000, or is there twice, or if there are too many.
    pub fn from_features(
        degrees_of_freedom: usize,
        features: impl IntoIterator<Item = Expression>,
    ) -> Result<Self, SparseError> {
        let mut library = Self {
            coordinates: canonical_names(degrees_of_freedom)?,
            features: vec![],
            places: HashMap::new(),
        };
        for feature in features {
            library.push(feature)?;
        }
        Ok(library)
    }

    /// Monomials in positions and momenta whose total degree lies in `degrees`.
    ///
    /// # Errors
    /// If there are too many: `binomial(2 n + d, d)` up to degree `d`.
    pub fn monomials(
        degrees_of_freedom: usize,
        degrees: RangeInclusive<usize>,
    ) -> Result<Self, SparseError> {
        check_degrees_of_freedom(degrees_of_freedom)?;
        let all = 0..2 * degrees_of_freedom;
        if !degrees.is_empty() {
            require_square("features of a library", count_up_to(&all, *degrees.end()), FEWER)?;
        }
        let features = degrees.flat_map(|degree| monomials_of(all.clone(), degree));
        Self::from_features(degrees_of_freedom, features)
    }

    /// Monomials whose degree in coordinate `i` is at most `largest[i]` (`2 n` numbers), without
    /// the constant.
    ///
    /// # Errors
    /// If `largest` has an odd length, or there are too many.
    pub fn monomials_per_variable(largest: &[usize]) -> Result<Self, SparseError> {
        let n = largest.len() / 2;
        same_length("degrees, one a coordinate (positions, then momenta)", largest.len(), 2 * n)?;
        let choices = largest.iter().map(|&most| most as u128 + 1);
        let count = choices.fold(1_u128, u128::saturating_mul);
        require_square("features of a library", count, FEWER)?;
        Self::from_features(n, monomials_below(largest))
    }

    /// `sin(k q_i)` and `cos(k q_i)` for every `k` given, times monomials in the momenta of total
    /// degree at most `momentum_degree` (0: none).
    ///
    /// # Errors
    /// If a frequency is there twice or not finite, or there are too many.
    pub fn trigonometric(
        degrees_of_freedom: usize,
        frequencies: &[f64],
        momentum_degree: usize,
    ) -> Result<Self, SparseError> {
        let n = degrees_of_freedom;
        check_degrees_of_freedom(n)?;
        let momenta = n..2 * n;
        let count = count_up_to(&momenta, momentum_degree)
            .saturating_mul(frequencies.len() as u128)
            .saturating_mul(2 * n as u128);
        require_square("features of a library", count, FEWER)?;
        if count == 0 {
            return Self::from_features(n, []);
        }
        let powers = (0..=momentum_degree).flat_map(|degree| monomials_of(momenta.clone(), degree));
        let features = powers.flat_map(|power| {
            let waves = frequencies.iter().flat_map(|&k| {
                (0..n).flat_map(move |i| [Expression::sin(k, i), Expression::cos(k, i)])
            });
            waves.map(move |wave| wave * power.clone()).collect::<Vec<_>>()
        });
        Self::from_features(n, features)
    }

    /// `|q_i - q_j|^k` for every pair and every exponent `k` given: springs, walls, forces between
    /// particles on a line.
    ///
    /// # Errors
    /// If an exponent is there twice or beyond 1000, or there are too many.
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
    /// If a distance uses a coordinate that there is not, has no argument, or is there twice.
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
    /// As [`from_features`](Self::from_features).
    pub fn push(&mut self, feature: Expression) -> Result<(), SparseError> {
        let second = self.len();
        feature.check(second, self.dim(), 0)?;
        match self.insert(feature)? {
            None => Ok(()),
            Some(first) => {
                let name = self.features[first].to_text(&self.coordinates);
                let (first_name, second_name) = (name.clone(), name);
                Err(SparseError::DuplicateColumns { first, first_name, second, second_name })
            }
        }
    }

    /// Adds a feature if it is not there; otherwise says where it is.
    fn insert(&mut self, feature: Expression) -> Result<Option<usize>, SparseError> {
        let place = self.len();
        let key = feature.key();
        if let Some(&known) = self.places.get(&key) {
            return Ok(Some(known));
        }
        require_square("features of a library", place + 1, FEWER)?;
        self.places.insert(key, place);
        self.features.push(feature);
        Ok(None)
    }

    /// The features of both; those of `other` that are here already are not repeated.
    ///
    /// # Errors
    /// If the two are over states of different dimensions, or there are too many.
    pub fn union(mut self, other: &Self) -> Result<Self, SparseError> {
        same_length("coordinates of the second library", other.dim(), self.dim())?;
        for feature in &other.features {
            self.insert(feature.clone())?;
        }
        Ok(self)
    }

    /// Every feature of this library times every feature of the other; the same product is there
    /// once, a product that is constant not at all.
    ///
    /// # Errors
    /// If the two are over states of different dimensions, a product has no finite value or an
    /// exponent beyond 1000, or there are too many.
    pub fn product(&self, other: &Self) -> Result<Self, SparseError> {
        same_length("coordinates of the second library", other.dim(), self.dim())?;
        let coordinates = self.coordinates.clone();
        let mut products = Self { coordinates, features: vec![], places: HashMap::new() };
        for (a, b) in self.features.iter().flat_map(|a| other.features.iter().map(move |b| (a, b)))
        {
            let product = a.clone() * b.clone();
            product.check(products.len(), self.dim(), 0)?;
            if !product.is_constant() {
                products.insert(product)?;
            }
        }
        Ok(products)
    }

    /// Keeps the features for which `keep(name, feature)` holds: terms known to be absent go.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&str, &Expression) -> bool) -> Self {
        let coordinates = &self.coordinates;
        self.features.retain(|feature| keep(&feature.to_text(coordinates), feature));
        let kept = self.features.iter().enumerate();
        self.places = kept.map(|(place, feature)| (feature.key(), place)).collect();
        self
    }

    /// Replaces the names of the coordinates (`q, p` or `q1.., p1..`) by others.
    ///
    /// # Errors
    /// If there are not as many names as coordinates, or one is empty or there twice.
    pub fn with_coordinate_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, SparseError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        same_length("names of coordinates", names.len(), self.dim())?;
        check_names(&names)?;
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
        TooLarge::check("derivatives of features", self.len() as u128 * dim as u128, 64, FEWER)?;
        require_room_for_derivatives(&self.features, 1)?;
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
        let count = [shape.0, shape.1, shape.2].map(|n| n as u128).iter().product::<u128>();
        TooLarge::check("second derivatives of features", count, 8, FEWER)?;
        require_room_for_derivatives(&self.features, 2)?;
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
        let count = program.outputs() as u128 * x.nrows() as u128;
        TooLarge::check("values of features", count, 8, "give fewer states at once")?;
        let mut out = vec![0.0; program.outputs() * x.nrows()];
        let lanes = hnn_integrators::coordinate_major(x);
        program.run(x.nrows(), [&lanes, &[]], &mut out, &mut Default::default());
        Ok(out)
    }
}

/// `q, p` for one degree of freedom, `q1, q2, .., p1, p2, ..` for more.
fn canonical_names(n: usize) -> Result<Vec<String>, SparseError> {
    check_degrees_of_freedom(n)?;
    if n == 1 {
        return Ok(vec!["q".to_owned(), "p".to_owned()]);
    }
    let numbered = |letter: char| (1..=n).map(move |i| format!("{letter}{i}"));
    Ok(numbered('q').chain(numbered('p')).collect())
}

fn check_degrees_of_freedom(n: usize) -> Result<(), SparseError> {
    require(n > 0, "the number of degrees of freedom", n, "at least 1")?;
    let remedy = "their Jacobian is too large; leave out degrees of freedom";
    Ok(require_square("coordinates", 2 * n as u128, remedy)?)
}

/// That names of coordinates tell them apart.
pub(crate) fn check_names<'a>(
    names: impl IntoIterator<Item = &'a String>,
) -> Result<(), SparseError> {
    let mut places = BTreeMap::new();
    for (place, name) in names.into_iter().enumerate() {
        let known = places.insert(name, place);
        let given = || {
            known.map_or("empty".to_owned(), |first| format!("`{name}` twice ({first}, {place})"))
        };
        require(
            known.is_none() && !name.is_empty(),
            "a coordinate's name",
            given(),
            "one of its own",
        )?;
    }
    Ok(())
}

/// How many monomials in these coordinates have this degree or a lower one.
fn count_up_to(coordinates: &Range<usize>, degree: usize) -> u128 {
    let (n, d) = (coordinates.len() as u128, degree as u128);
    binomial(n + d, d)
}

/// The monomials of a degree in these coordinates, high powers of the first ones first.
fn monomials_of(coordinates: Range<usize>, degree: usize) -> impl Iterator<Item = Expression> {
    // Factors in order: q q, q p, p p. The next product raises the last factor that can be raised,
    // and those after it to the same.
    let first = (!coordinates.is_empty() || degree == 0).then(|| vec![coordinates.start; degree]);
    let next = move |factors: &Vec<usize>| {
        let place = factors.iter().rposition(|&factor| factor + 1 < coordinates.end)?;
        let mut next = factors.clone();
        next[place..].fill(factors[place] + 1);
        Some(next)
    };
    std::iter::successors(first, next)
        .map(|factors| Expression::monomial(factors.into_iter().map(|factor| (factor, 1))))
}

/// The monomials with exponents up to `largest`, without the constant, by rising degree, then high
/// powers of the first coordinates first.
fn monomials_below(largest: &[usize]) -> Vec<Expression> {
    let mut all: Vec<Vec<(usize, usize)>> = vec![vec![]];
    for (i, &most) in largest.iter().enumerate().filter(|(_, most)| **most > 0) {
        let longer = |head: Vec<(usize, usize)>| {
            (0..=most).rev().map(move |k| [head.as_slice(), &[(i, k)]].concat())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    let degree = |powers: &Vec<(usize, usize)>| powers.iter().map(|(_, k)| k).sum::<usize>();
    all.sort_by_key(degree);
    let power = |&(i, k): &(usize, usize)| (i, i32::try_from(k).unwrap_or(i32::MAX));
    let features = all.iter().filter(|powers| degree(powers) > 0);
    features.map(|powers| Expression::monomial(powers.iter().map(power))).collect()
}
