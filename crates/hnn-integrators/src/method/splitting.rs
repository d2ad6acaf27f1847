//! Splitting methods: drifts and kicks in turn.

use std::borrow::Cow;

use super::TableauError;
use super::conditions::differ;

/// Which of the two exact flows of a separable Hamiltonian `H = T(p) + V(q, t)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Flow {
    /// `q += a h grad T(p)`.
    Drift,
    /// `p -= b h grad V(q, t)`.
    Kick,
}

/// An explicit symplectic method: drifts and kicks in turn (Hairer, Lubich, Wanner, *Geometric
/// Numerical Integration*, II.5 and V.3).
///
/// It is a [`Stepper`](crate::Stepper) for every [`Separable`](crate::Separable) field, and
/// compiles for no other. [`VELOCITY_VERLET`](crate::VELOCITY_VERLET) and its sisters are constants;
/// a method of one's own is made, and checked, by [`new`](Self::new).
///
/// ```
/// use hnn_integrators::{
///     AnalyticField, AnalyticSeparable, Bars, Checkpoints, Flow, Grid, Interval, Lane, Rollout,
///     Splitting, Stepper, VELOCITY_VERLET, Visit, Workspace,
/// };
/// // McLachlan's method of order 2 with a small error, symmetric: two forces a step.
/// let a = 0.193_183_327_503_783_6;
/// let mclachlan = Splitting::new("McLachlan", 2, Flow::Kick, &[a, 0.5, 1.0 - 2.0 * a, 0.5, a])?;
/// assert!(mclachlan.is_symmetric());
/// assert!(Splitting::new("?", 2, Flow::Kick, &[1.0, 1.0]).is_err()); // of order 1
///
/// /// `H = (q^2 + p^2) / 2`.
/// struct Spring;
/// impl AnalyticField for Spring {
///     type State<L: Lane> = [L; 2];
///     fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] { [*p, -*q] }
/// }
/// impl AnalyticSeparable for Spring {
///     type Half<L: Lane> = [L; 1];
///     fn velocity_lanes<L: Lane>(&self, p: &[L; 1]) -> [L; 1] { *p }
///     fn force_lanes<L: Lane>(&self, _t: L, [q]: &[L; 1]) -> [L; 1] { [-*q] }
/// }
/// // One step of each method from (1, 0).
/// let error = |method: &Splitting| {
///     let (over, mut out) = (Interval::new(&[0.0], &[0.5]), [0.0; 2]);
///     method.step(&Spring, over, &[1.0, 0.0], &mut out, &mut Workspace::default())?;
///     Ok::<_, hnn_integrators::FieldError>(f64::abs(out[1] + 0.5f64.sin()))
/// };
/// assert!(error(&mclachlan)? < 0.2 * error(&VELOCITY_VERLET)?);
/// // A run, and the derivative of the last position by the start: the first row of a rotation.
/// let (grid, mut rollout, mut bar) = (Grid::equal(1, 0.0, 0.01, 100), Rollout::default(), [0.0; 2]);
/// let states = rollout.states(&mclachlan, &Spring, grid, &[1.0, 0.0])?;
/// assert!((states[200] - 1f64.cos()).abs() < 1e-5);
/// let last = |visit: Visit<'_, f64>| {
///     if let Visit::State { step: 100, x_bar, .. } = visit {
///         x_bar[0] += 1.0;
///     }
///     Ok(())
/// };
/// let kept = Checkpoints::Reversible;
/// rollout.gradient(&mclachlan, &Spring, grid, &[1.0, 0.0], kept, last, Bars::new(&mut bar))?;
/// assert!((bar[0] - 1f64.cos()).abs() < 1e-5 && (bar[1] - 1f64.sin()).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail
/// use hnn_integrators::{FixedStep, FnField, VELOCITY_VERLET};
/// use ndarray::array;
/// // A closure is not known to be separable.
/// let field = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| { dx[0] = x[1]; dx[1] = -x[0] });
/// let run = FixedStep::count(VELOCITY_VERLET, 10).run(&field, (0.0, 1.0), array![[1.0, 0.0]].view());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Splitting {
    name: Cow<'static, str>,
    order: usize,
    first: Flow,
    lengths: Cow<'static, [f64]>,
}

/// One flow of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Substep {
    pub(crate) flow: Flow,
    /// Length in units of the step.
    pub(crate) length: f64,
    /// Time of the positions before the flow, in units of the step: the sum of the drifts so far.
    pub(crate) clock: f64,
}

/// What a text says.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    name: String,
    order: usize,
    first: Flow,
    lengths: Vec<f64>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Splitting {
    type Error = TableauError;

    fn try_from(given: Unchecked) -> Result<Self, TableauError> {
        Self::new(&given.name, given.order, given.first, &given.lengths)
    }
}

impl Splitting {
    /// From the flow that comes first and the lengths of the flows in units of the step.
    ///
    /// # Errors
    /// If the lengths of a kind do not sum to 1, or order 2 or more is stated and the method has
    /// only order 1: `sum_(i <= j) a_i b_j = 1/2` over drifts `a_i` before kicks `b_j`.
    pub fn new(
        name: &str,
        order: usize,
        first: Flow,
        lengths: &[f64],
    ) -> Result<Self, TableauError> {
        let (name, lengths) = (name.to_owned().into(), lengths.to_vec().into());
        let method = Self { name, order, first, lengths };
        let steps: Vec<Substep> = method.walk(1).collect();
        let of = |flow| steps.iter().filter(move |step| step.flow == flow);
        for (name, flow) in [("drift", Flow::Drift), ("kick", Flow::Kick)] {
            let sum: f64 = of(flow).map(|step| step.length).sum();
            if differ(sum, 1.0) {
                return Err(TableauError::FlowSum { flow: name, sum });
            }
        }
        let commutator: f64 = of(Flow::Kick).map(|step| step.length * step.clock).sum();
        let residual = commutator - 0.5;
        if order >= 2 && differ(residual, 0.0) {
            let condition = "sum over kicks of length times the drifts before = 1/2";
            return Err(TableauError::Order { stated: order, condition, residual });
        }
        Ok(method)
    }

    /// A method of the literature.
    pub(crate) const fn fixed(
        name: &'static str,
        order: usize,
        first: Flow,
        lengths: &'static [f64],
    ) -> Self {
        Self { name: Cow::Borrowed(name), order, first, lengths: Cow::Borrowed(lengths) }
    }

    /// The name the literature uses.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Order of convergence `p`: the error at a fixed time falls as `h^p`.
    #[must_use]
    pub fn order(&self) -> usize {
        self.order
    }

    /// The flow that comes first.
    #[must_use]
    pub fn first(&self) -> Flow {
        self.first
    }

    /// Lengths of the flows in units of the step; those of each kind sum to 1.
    #[must_use]
    pub fn lengths(&self) -> &[f64] {
        &self.lengths
    }

    /// Whether the method is its own inverse with the step reversed: then it is time-reversible,
    /// and of even order.
    #[must_use]
    pub fn is_symmetric(&self) -> bool {
        self.lengths.len() % 2 == 1 && self.lengths.iter().eq(self.lengths.iter().rev())
    }

    /// Whether a step ends with the kind of flow that begins the next.
    #[inline(always)]
    pub(crate) fn merges(&self) -> bool {
        self.lengths.len() % 2 == 1
    }

    /// The flows of so many steps, in order: where a step ends as the next one begins, the two
    /// flows are merged, so that a force is never evaluated twice.
    #[inline(always)]
    pub(crate) fn walk(&self, steps: usize) -> Walk<'_> {
        Walk { lengths: &self.lengths, first: self.first, steps, index: 0, clock: 0.0 }
    }

    /// The flows of one step, the last one first, each with the clock before it.
    pub(crate) fn walk_back(&self) -> impl Iterator<Item = Substep> + '_ {
        let drifts = self.walk(1).filter(|step| step.flow == Flow::Drift);
        let mut clock: f64 = drifts.map(|step| step.length).sum();
        (0..self.lengths.len()).rev().map(move |i| {
            let (flow, length) = (flow_at(self.first, i), self.lengths[i]);
            if flow == Flow::Drift {
                clock -= length;
            }
            Substep { flow, length, clock }
        })
    }
}

/// The flows in turn.
#[inline(always)]
fn flow_at(first: Flow, i: usize) -> Flow {
    match (first, i.is_multiple_of(2)) {
        (Flow::Drift, true) | (Flow::Kick, false) => Flow::Drift,
        _ => Flow::Kick,
    }
}

/// See [`Splitting::walk`].
#[derive(Debug, Clone)]
pub(crate) struct Walk<'a> {
    lengths: &'a [f64],
    first: Flow,
    /// Steps still to be taken, the one at hand included.
    steps: usize,
    index: usize,
    clock: f64,
}

impl Iterator for Walk<'_> {
    type Item = Substep;

    #[inline(always)]
    fn next(&mut self) -> Option<Substep> {
        if self.steps == 0 {
            return None;
        }
        let (index, last) = (self.index, self.lengths.len().checked_sub(1)?);
        let (mut length, flow) = (self.lengths[index], flow_at(self.first, index));
        self.index += 1;
        if index == last {
            let merges = last.is_multiple_of(2);
            self.steps -= 1;
            self.index = usize::from(merges);
            if merges && self.steps > 0 {
                length += self.lengths[0];
            }
        }
        let clock = self.clock;
        if flow == Flow::Drift {
            self.clock += length;
        }
        Some(Substep { flow, length, clock })
    }
}
