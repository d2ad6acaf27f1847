//! Functions of the state that may be conserved.

use std::fmt;

use hnn_data::DataError;
use hnn_integrators::TooLarge;
use hnn_integrators::lane::Dual;
use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::SystemError;

/// A function of a state over dual numbers, so that its gradient is exact.
type Formula = dyn Fn(&[Dual<f64, 1>]) -> Dual<f64, 1> + Send + Sync;

/// Functions of the state, each with a name: candidates for what is conserved, or what such candidates are put together of.
///
/// ```
/// use hnn_integrators::Lane;
/// use hnn_systems::Features;
/// let features = Features::monomials(&["x", "p"], 2)?.with("cos x", |x| x[0].cos());
/// assert_eq!(features.names().collect::<Vec<_>>(), ["x", "p", "x^2", "x p", "p^2", "cos x"]);
/// # Ok::<(), hnn_systems::SystemError>(())
/// ```
pub struct Features {
    dim: usize,
    list: Vec<(String, Box<Formula>)>,
}

impl Features {
    /// No feature yet, of states of dimension `dim`.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { dim, list: Vec::new() }
    }

    /// The same with one more: a formula in the coordinates of the state.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        formula: impl Fn(&[Dual<f64, 1>]) -> Dual<f64, 1> + Send + Sync + 'static,
    ) -> Self {
        self.list.push((name.into(), Box::new(formula)));
        self
    }

    /// All products of the coordinates, named here, of degree 1 to `degree`.
    ///
    /// # Errors
    /// If they are more than a call may take memory for.
    pub fn monomials(coordinates: &[&str], degree: usize) -> Result<Self, SystemError> {
        let dim = coordinates.len();
        // (dim + degree) over degree, in steps that divide.
        let choose = |count: u128, k: usize| {
            count.saturating_mul((dim as u128).saturating_add(k as u128)) / k as u128
        };
        let count = (1..=degree.min(1 << 12)).fold(1, choose);
        let each = (64 + size_of::<usize>()).saturating_mul(degree.max(1));
        TooLarge::check("monomials", count, each, "take a lower degree")?;
        let mut features = Self::new(dim);
        let mut last = vec![Vec::new()];
        for _ in 0..degree {
            let longer = |factors: &Vec<usize>| {
                let (factors, first) = (factors.clone(), factors.last().copied().unwrap_or(0));
                (first..dim).map(move |i| [&factors[..], &[i]].concat())
            };
            last = last.iter().flat_map(longer).collect();
            for factors in last.clone() {
                let name = monomial(coordinates, &factors);
                features = features.with(name, move |x| {
                    factors[1..].iter().fold(x[factors[0]], |product, i| product * x[*i])
                });
            }
        }
        Ok(features)
    }

    /// The total momentum along each axis, and the total angular momentum in each plane, of so many bodies: states
    /// axis by axis, `[x_1..x_N, y_1..y_N, .., px_1..px_N, ..]` ([`PhaseSpace`](crate::PhaseSpace)).
    ///
    /// # Errors
    /// If there is no body, or there are more coordinates than a call may take memory for.
    pub fn momenta(axes: usize, bodies: usize) -> Result<Self, SystemError> {
        let half = axes.saturating_mul(bodies);
        if half == 0 {
            return Err(SystemError::Empty { what: "body with coordinates" });
        }
        TooLarge::check("coordinates", half.saturating_mul(axes), 64, "take fewer bodies")?;
        let name = |axis: usize| match axis {
            0..3 => ["x", "y", "z"][axis].to_owned(),
            _ => format!("x{}", axis + 1),
        };
        let mut features = Self::new(2 * half);
        for a in 0..axes {
            features = features.with(format!("momentum p{}", name(a)), move |x| {
                sum((0..bodies).map(|i| x[half + a * bodies + i]))
            });
        }
        for (a, b) in (0..axes).flat_map(|a| (a + 1..axes).map(move |b| (a, b))) {
            let name = format!("angular momentum {0} p{1} - {1} p{0}", name(a), name(b));
            features = features.with(name, move |x| {
                let [q_a, q_b] = [a * bodies, b * bodies];
                sum((0..bodies)
                    .map(|i| x[q_a + i] * x[half + q_b + i] - x[q_b + i] * x[half + q_a + i]))
            });
        }
        Ok(features)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|(name, _)| name.as_str())
    }

    /// Their number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The dimension of states.
    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    pub(super) fn name(&self, k: usize) -> &str {
        &self.list[k].0
    }

    pub(super) fn value(&self, k: usize, x: ArrayView1<'_, f64>) -> f64 {
        let x = Vec::from_iter(x.iter().map(|x| Dual::fixed(*x)));
        (self.list[k].1)(&x).value
    }

    /// The gradients of a feature at states of shape (B, D); the same shape.
    pub(super) fn gradients(
        &self,
        k: usize,
        states: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>, SystemError> {
        let mut gradients = Array2::zeros(states.dim());
        for (row, (x, mut gradient)) in
            states.outer_iter().zip(gradients.outer_iter_mut()).enumerate()
        {
            let mut x = Vec::from_iter(x.iter().map(|x| Dual::fixed(*x)));
            for (i, slope) in gradient.iter_mut().enumerate() {
                x[i].tangent = [1.0];
                let value = (self.list[k].1)(&x);
                x[i].tangent = [0.0];
                *slope = value.tangent[0];
                if !(slope.is_finite() && value.value.is_finite()) {
                    let (trajectory, what, value) = (0, "features", value.tangent[0]);
                    return Err(DataError::NotFinite { trajectory, row, what, value }.into());
                }
            }
        }
        Ok(gradients)
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Features")
            .field("dim", &self.dim)
            .field("names", &self.names().collect::<Vec<_>>())
            .finish()
    }
}

fn sum(numbers: impl Iterator<Item = Dual<f64, 1>>) -> Dual<f64, 1> {
    numbers.fold(Dual::fixed(0.0), |sum, number| sum + number)
}

/// `x^2 y` of sorted factors.
fn monomial(coordinates: &[&str], factors: &[usize]) -> String {
    let powers = factors.chunk_by(|a, b| a == b).map(|run| match run.len() {
        1 => coordinates[run[0]].to_owned(),
        power => format!("{}^{power}", coordinates[run[0]]),
    });
    powers.collect::<Vec<_>>().join(" ")
}
