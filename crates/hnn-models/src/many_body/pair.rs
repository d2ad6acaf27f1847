//! The potential energy of pairs of bodies.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};
use ndarray::ArrayView2;

use super::Separation;
use super::pairs::Pairs;
use crate::parameters::parameters;
use crate::sections::sections;
use crate::{DifferentiableEnergy, Keep, ModelError, Network, Record, Scaled};

/// A potential energy `sum over pairs of V(s(|x_i - x_j|))` with one network `V` for all pairs.
///
/// It is invariant under translations, rotations and permutations of the bodies (with all pairs and
/// no fixed body), so that momentum and angular momentum are conserved exactly, and what is learned at one pair
/// holds for all. Its cost is linear in the number of pairs, which go through the network together.
///
/// States are the positions of `N` bodies in `D` dimensions, axis by axis
/// ([`PhaseSpace`](hnn_systems::PhaseSpace)). With the momenta's [`KineticEnergy`](crate::KineticEnergy)
/// it makes a [`SeparableHnn`](crate::SeparableHnn), or an [`Hnn`](crate::Hnn) of a
/// [`SeparableEnergy`](crate::SeparableEnergy), which may have forces. Where two bodies of a pair are at the same
/// place the gradient is not finite, but for [`Separation::Square`].
///
/// Parameters: those of `V`.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_models::{
///     Architecture, Initialisation, KineticEnergy, Mlp, PairEnergy, Separation, SeparableHnn,
/// };
/// let network = Mlp::<f64>::new(Architecture::new(&[1, 16, 1])?, Initialisation::Orthogonal, 1);
/// // Three bodies in the plane, of mass 1.
/// let pairs = PairEnergy::new(network, Separation::Logarithm, 2, 3)?;
/// let model = SeparableHnn::new(KineticEnergy::new(&[1.0], 6)?, pairs)?;
/// let dx = model.eval_state(0.0, &[0.0, 1.0, 0.3, 0.0, 0.1, 2.0, 1.0, 2.0, 3.0, 0.5, 0.0, 0.0])?;
/// assert_eq!(dx[..6], [1.0, 2.0, 3.0, 0.5, 0.0, 0.0]);
/// // Whatever the network is, the forces along each axis add up to 0.
/// assert!((dx[6] + dx[7] + dx[8]).abs() < 1e-15 && (dx[9] + dx[10] + dx[11]).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PairEnergy<V> {
    network: V,
    separation: Separation,
    pairs: Pairs,
}

impl<V> PairEnergy<V> {
    /// Of all pairs of `bodies` bodies in `axes` dimensions.
    ///
    /// # Errors
    /// If the network has another number of inputs or outputs than one, there is no body or no axis, or there are more
    /// pairs than a call may take memory for.
    pub fn new<T: Scalar>(
        network: V,
        separation: Separation,
        axes: usize,
        bodies: usize,
    ) -> Result<Self, ModelError>
    where
        V: DifferentiableEnergy<T>,
    {
        Self::of(network, separation, Pairs::all(axes, bodies)?)
    }

    /// Of the pairs listed, such as neighbours in a chain, among `bodies` bodies that move, which are counted from 0
    /// on, and bodies at `fixed` places, shape (F, D), which are counted after them.
    ///
    /// ```
    /// use hnn_models::{Architecture, DifferentiableEnergy, Mlp, PairEnergy, Separation};
    /// use ndarray::array;
    /// // Springs of stiffness 2, each k r^2 / 2, from a wall at 0 to a mass, and on to another one.
    /// let network = Mlp::from_params(Architecture::new(&[1, 1])?, vec![1.0])?;
    /// let springs = [(2, 0), (0, 1)];
    /// let walls = array![[0.0]];
    /// let chain = PairEnergy::between(network, Separation::Square, 1, 2, walls.view(), &springs)?;
    /// let mut energy = [0.0];
    /// chain.energy(&[3.0, 5.0], &mut energy, &mut Default::default())?;
    /// assert_eq!(energy[0], 9.0 + 4.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the network has another number of inputs or outputs than one, there is no body or no axis, a fixed place has
    /// another number of axes or is not finite, or a pair is none of two different bodies of which at least one moves.
    pub fn between<T: Scalar>(
        network: V,
        separation: Separation,
        axes: usize,
        bodies: usize,
        fixed: ArrayView2<'_, f64>,
        pairs: &[(usize, usize)],
    ) -> Result<Self, ModelError>
    where
        V: DifferentiableEnergy<T>,
    {
        Self::of(network, separation, Pairs::some(axes, bodies, fixed, pairs)?)
    }

    fn of<T: Scalar>(network: V, separation: Separation, pairs: Pairs) -> Result<Self, ModelError>
    where
        V: DifferentiableEnergy<T>,
    {
        network.check()?;
        let (given, expected) = (network.input_dim(), 1);
        if given != expected {
            return Err(ModelError::InputSize { role: "pair energy", given, expected });
        }
        Ok(Self { network, separation, pairs })
    }

    /// The network `V`.
    pub fn network(&self) -> &V {
        &self.network
    }

    /// What the network sees.
    #[must_use]
    pub fn separation(&self) -> Separation {
        self.separation
    }

    /// Number of axes, and of bodies that move.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        [self.pairs.axes, self.pairs.bodies]
    }

    /// Places of the bodies that do not move, shape (F, D).
    #[must_use]
    pub fn fixed(&self) -> ArrayView2<'_, f64> {
        self.pairs.fixed.view()
    }

    /// The pairs.
    #[must_use]
    pub fn pairs(&self) -> &[(usize, usize)] {
        &self.pairs.list
    }

    /// Whether they are all pairs of bodies that move, and no other body is there.
    pub(crate) fn has_all_pairs(&self) -> bool {
        self.pairs.are_all()
    }

    /// The same with the network in the units of data, states `(q, p)` and their derivatives, both of
    /// shape (B, 2 D N): it sees `(s - m) / d` with the mean and the standard deviation of what the pairs' `s` are, and
    /// its value is multiplied by an energy, so that a slope of 1 makes forces of the size of the data's.
    ///
    /// ```
    /// use hnn_models::{Architecture, Initialisation, Mlp, PairEnergy, Separation};
    /// use hnn_systems::{NBody, Sampling};
    /// let sampling = Sampling { trajectories: 20, ..Sampling::three_bodies() };
    /// let data = sampling.sample(&NBody::<3>::default(), 0)?;
    /// let network = Mlp::<f64>::new(Architecture::new(&[1, 16, 1])?, Initialisation::Orthogonal, 1);
    /// let pairs = PairEnergy::new(network, Separation::Distance, 2, 3)?;
    /// let pairs = pairs.scaled(data.states(), data.derivatives())?;
    /// // The bodies are about 1.8 apart.
    /// assert!((pairs.network().mean()[0] - 1.8).abs() < 0.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the shapes are not those of the states, there is no row, two bodies of a pair are at the same place, all forces
    /// are 0, or a scale is beyond the range of the scalar type.
    pub fn scaled<T: Scalar>(
        self,
        states: ArrayView2<'_, T>,
        derivatives: ArrayView2<'_, T>,
    ) -> Result<PairEnergy<Scaled<V>>, ModelError>
    where
        V: DifferentiableEnergy<T>,
    {
        let Self { network, separation, pairs } = self;
        let [mean, size, energy] = pairs.scales(separation, states, derivatives)?;
        let network = Scaled::new(network, vec![mean], vec![size], vec![energy])?;
        Ok(PairEnergy { network, separation, pairs })
    }

    fn check_lengths<const K: usize>(
        &self,
        batch: usize,
        slices: [(&'static str, usize); K],
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.pairs.coordinates() * batch, slices)
    }

    /// What the network sees of each pair, `[pair][row]`; `d` is where the differences go.
    fn see<T: Scalar>(&self, batch: usize, x: &[T], d: &mut [T], [square, s]: [&mut [T]; 2]) {
        self.pairs.differences(batch, x, d);
        self.pairs.twice_dot(batch, [d, d], square);
        for (s, square) in s.iter_mut().zip(square) {
            *square *= T::from_f64(0.5);
            [*s, ..] = self.separation.derivatives(*square);
        }
    }

    /// Lengths of the record: of numbers a pair, and of those an axis of a pair.
    fn lengths(&self, batch: usize) -> [usize; 2] {
        let len = self.pairs.list.len() * batch;
        [len, len * self.pairs.axes]
    }

    fn record_len(&self, batch: usize) -> usize {
        let [len, wide] = self.lengths(batch);
        6 * len + 2 * wide
    }

    fn sections<'a, T>(&self, batch: usize, numbers: &'a mut [T]) -> Sections<'a, T> {
        let [len, wide] = self.lengths(batch);
        let mut take = sections(numbers);
        Sections {
            d: take(wide),
            e: take(wide),
            square: take(len),
            s: take(len),
            slope: take(len),
            along: take(len),
            t: take(len),
            bar: take(len),
        }
    }
}

/// What is kept of a batch of pairs.
struct Sections<'a, T> {
    /// `x_i - x_j`.
    d: &'a mut [T],
    /// `w_i - w_j`, then the cotangent of `d`.
    e: &'a mut [T],
    /// `|d|^2`, which the network's input `s` is a function of.
    square: &'a mut [T],
    s: &'a mut [T],
    /// `dV/ds`.
    slope: &'a mut [T],
    /// The derivative of the square along `w`.
    along: &'a mut [T],
    /// That of `s`.
    t: &'a mut [T],
    /// The cotangent of `s`.
    bar: &'a mut [T],
}

parameters!(PairEnergy<V>: network);

impl<T: Scalar, V: DifferentiableEnergy<T>> Network<T> for PairEnergy<V> {
    fn input_dim(&self) -> usize {
        self.pairs.coordinates()
    }
}

/// With `R = |d|^2`, `d = x_i - x_j`: `dV/dd = 2 V' s' d`. For directions `w`, with `e = w_i - w_j`,
/// `w . grad V = V' s' h` with `h = 2 d . e`; its derivative by `d` is `2 (V'' s'^2 h + V' s'' h) d + 2 V' s' e`.
impl<T: Scalar, V: DifferentiableEnergy<T>> DifferentiableEnergy<T> for PairEnergy<V> {
    /// The pairs' own; of the network those of each pair, so that a row of the batch keeps its cotangents apart from
    /// those of others.
    type Residuals = Record<T, Vec<V::Residuals>>;

    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        self.check_lengths(batch, [("the states", x.len())])?;
        let [len, wide] = self.lengths(batch);
        let (numbers, inner) = workspace.split(2 * len + wide);
        let mut take = sections(numbers);
        let (d, values, s) = (take(wide), take(len), take(len));
        self.see(batch, x, d, [values, s]);
        self.network.energy(s, values, inner)?;
        energy.fill(T::ZERO);
        for values in values.chunks_exact(batch.max(1)) {
            energy.iter_mut().zip(values).for_each(|(sum, value)| *sum += *value);
        }
        Ok(())
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        self.check_lengths(batch, [("the states", x.len()), ("the gradients", gradient.len())])?;
        let (numbers, keep) = keep.split(batch, self.record_len(batch));
        let Sections { d, e, square, s, slope, t, .. } = self.sections(batch, numbers);
        self.see(batch, x, d, [square, s]);
        match keep {
            Keep::Nothing(workspace) => {
                self.network.gradient(s.len(), s, slope, Keep::Nothing(workspace))?;
            }
            Keep::Residuals(kept) => {
                kept.resize_with(self.pairs.list.len(), Default::default);
                let rows = s.chunks_exact(batch.max(1)).zip(slope.chunks_exact_mut(batch.max(1)));
                for ((s, slope), kept) in rows.zip(kept) {
                    self.network.gradient(batch, s, slope, Keep::Residuals(kept))?;
                }
            }
        }
        for ((t, square), slope) in t.iter_mut().zip(&*square).zip(&*slope) {
            let [_, s1, _] = self.separation.derivatives(*square);
            *t = (s1 + s1) * *slope;
        }
        e.fill(T::ZERO);
        self.pairs.add_scaled(batch, t, d, e);
        gradient.fill(T::ZERO);
        self.pairs.pull(batch, e, gradient);
        Ok(())
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        w: &[T],
        x_bar: &mut [T],
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        FieldError::check_cotangents(self.pairs.coordinates() * batch, [x, w, &*x_bar])?;
        theta_bar.check(self.network.num_params(), batch)?;
        let (numbers, kept) = residuals.recorded(self.record_len(batch))?;
        let Sections { d, e, square, s, slope, along, t, bar } = self.sections(batch, numbers);
        self.pairs.directions(batch, w, e);
        self.pairs.twice_dot(batch, [d, e], along);
        for ((t, along), square) in t.iter_mut().zip(&*along).zip(&*square) {
            let [_, s1, _] = self.separation.derivatives(*square);
            *t = s1 * *along;
        }
        let size = batch.max(1);
        let inputs = s.chunks_exact(size).zip(t.chunks_exact(size));
        for (((s, t), bar), kept) in inputs.zip(bar.chunks_exact_mut(size)).zip(kept) {
            self.network.gradient_vjp(s, kept, t, bar, theta_bar.reborrow())?;
        }
        // The cotangents of d by way of the square, and by way of its change along e.
        for (k, square) in square.iter().enumerate() {
            let [_, s1, s2] = self.separation.derivatives(*square);
            let by_square = bar[k] * s1 + slope[k] * s2 * along[k];
            bar[k] = by_square + by_square;
            t[k] = (s1 + s1) * slope[k];
        }
        self.pairs.scale(batch, t, e);
        self.pairs.add_scaled(batch, bar, d, e);
        x_bar.fill(T::ZERO);
        self.pairs.pull(batch, e, x_bar);
        Ok(())
    }

    /// Fewer states of many pairs.
    fn block_len(&self) -> usize {
        let most = self.network.block_len().max(1);
        (16 * most / self.pairs.list.len().max(1)).clamp(most.div_ceil(16), most)
    }
}
