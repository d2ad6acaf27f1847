//! Conserved quantities and symmetries of any field, true or learned.

mod features;
mod null_space;
mod report;
mod sample;

pub use features::Features;
pub use report::{ConservationReport, Quantity};

use hnn_integrators::{TooLarge, VectorField};
use ndarray::{Array2, ArrayView1, ArrayView2};

use self::null_space::null_space;
use self::sample::{Rollouts, Sample};
use crate::error::Constants;
use crate::{Hamiltonian, SystemError};

/// What a field conserves: candidates are tested, and others are found among combinations of features.
///
/// The *drift* of a quantity `Q(x)` is its rate `dQ/dt = grad Q . f(x)`, relative to how fast it could change: the root
/// mean square over the states, over that of `|s grad Q|` times the largest `|f_i| / s_i`, with the standard deviation `s_i` of
/// each coordinate. So units make no difference, a constant is no quantity, and 1 means no conservation at all. A
/// quantity counts as conserved where its drift is at most [`tolerance`](Self::tolerance).
///
/// ```
/// use hnn_integrators::Lane;
/// use hnn_systems::{Conservation, EnergyShell, Features, Kepler};
/// // Bound orbits of energies about that of the unit circle.
/// let law = EnergyShell { positions: vec![(0.5, 1.5), (-0.5, 0.5)], energies: (-0.6, -0.4) };
/// let states = law.draw(&Kepler::default(), 200, 1)?;
/// let library = Features::monomials(&["x", "y", "px", "py"], 2)?
///     .with("1/r", |x| (x[0] * x[0] + x[1] * x[1]).sqrt().powi(-1));
/// let found = Conservation::default().find(&Kepler::default(), states.view(), &library)?;
/// assert_eq!(found.quantities.len(), 2, "angular momentum and energy: {found}");
/// # Ok::<(), hnn_systems::SystemError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Conservation {
    /// Up to what drift a quantity counts as conserved: 1e-6 for exact fields; of a learned model somewhat above its
    /// own relative error.
    pub tolerance: f64,
    /// From how many of the states the field is rolled out, to see how far quantities drift; 0 for none.
    pub rollouts: usize,
    /// How long, in units of the time in which the fastest coordinate passes its standard deviation.
    pub duration: f64,
}

impl Default for Conservation {
    fn default() -> Self {
        Self { tolerance: 1e-6, rollouts: 5, duration: 20.0 }
    }
}

impl Conservation {
    /// Tests each feature for itself, at states of shape (B, D).
    ///
    /// ```
    /// use hnn_systems::{Conservation, Features, NBody, Sampling};
    /// let system = NBody::<3>::default();
    /// let sampling = Sampling { trajectories: 10, ..Sampling::three_bodies() };
    /// let data = sampling.sample(&system, 0)?;
    /// let momenta = Features::momenta(2, 3)?;
    /// let report = Conservation::default().test(&system, data.states(), &momenta)?;
    /// assert!(report.quantities.iter().all(|quantity| quantity.conserved), "{report}");
    /// # Ok::<(), hnn_systems::SystemError>(())
    /// ```
    ///
    /// # Errors
    /// If the dimensions differ, there are fewer than two states, a number is not finite, nothing moves, a setting is out of range, or
    /// a rollout fails.
    pub fn test(
        &self,
        field: &dyn VectorField<f64>,
        states: ArrayView2<'_, f64>,
        features: &Features,
    ) -> Result<ConservationReport, SystemError> {
        let (sample, rollouts) = self.prepare(field, states, Some(features))?;
        let of = |k: usize| self.combination(&sample, &rollouts, features, &[(1.0, k)]);
        let quantities = (0..features.len()).map(of).collect::<Result<_, _>>()?;
        Ok(self.report("conserved", &sample, &rollouts, quantities))
    }

    /// Tests the energy of the model itself.
    ///
    /// # Errors
    /// As [`test`](Self::test).
    pub fn test_energy(
        &self,
        model: &dyn Hamiltonian<f64>,
        states: ArrayView2<'_, f64>,
    ) -> Result<ConservationReport, SystemError> {
        let (sample, rollouts) = self.prepare(model, states, None)?;
        let gradient = model.energy_gradient_rows(states)?;
        let size = sample.size(gradient.view());
        let drift = sample.drift(sample.rates(gradient.view()).view(), size);
        let along = rollouts
            .drift(size, &mut |x: ArrayView1<'_, f64>| Ok(model.energy_state(&x.to_vec())?))?;
        let terms = vec![(1.0, "energy of the model".to_owned())];
        let quantity = Quantity { terms, drift, along, conserved: drift <= self.tolerance };
        Ok(self.report("conserved", &sample, &rollouts, vec![quantity]))
    }

    /// Tests which transformations leave the energy as it is, forces or not: each given by the quantity that generates it
    /// (Noether), momentum a translation, angular momentum a rotation ([`Features::momenta`]).
    ///
    /// # Errors
    /// As [`test`](Self::test), or if states have no momenta.
    pub fn symmetries(
        &self,
        model: &dyn Hamiltonian<f64>,
        states: ArrayView2<'_, f64>,
        generators: &Features,
    ) -> Result<ConservationReport, SystemError> {
        self.check(model.dim(), states, Some(generators))?;
        let (gradient, n) = (model.energy_gradient_rows(states)?, states.ncols() / 2);
        if 2 * n != states.ncols() {
            let (what, given, expected) = ("canonical states", states.ncols(), 2 * n + 2);
            return Err(SystemError::Dimension { what, given, expected });
        }
        // The flow of H alone.
        let slopes = Array2::from_shape_fn(gradient.dim(), |(row, i)| match i < n {
            true => gradient[[row, i + n]],
            false => -gradient[[row, i - n]],
        });
        let (sample, rollouts) = (Sample::new(states, slopes)?, Rollouts::none());
        let of = |k: usize| self.combination(&sample, &rollouts, generators, &[(1.0, k)]);
        let quantities = (0..generators.len()).map(of).collect::<Result<_, _>>()?;
        Ok(self.report("a symmetry of the energy", &sample, &rollouts, quantities))
    }

    /// Finds the combinations `Q(x) = sum_k c_k phi_k(x)` of features that are conserved, at states of shape (B, D).
    ///
    /// The rates of all features are a matrix, and the conserved combinations its null space: singular values of up to the tolerance,
    /// among combinations of unit size. Any combination of conserved quantities is conserved; of all of them
    /// those of the fewest terms are looked for, by elimination. Products of what is conserved are found, too, where the
    /// features hold them.
    ///
    /// # Errors
    /// As [`test`](Self::test), or if there are fewer states than features, or so many of both that a call may not take memory for them.
    pub fn find(
        &self,
        field: &dyn VectorField<f64>,
        states: ArrayView2<'_, f64>,
        library: &Features,
    ) -> Result<ConservationReport, SystemError> {
        let (given, needed) = (states.nrows(), library.len());
        if given < needed {
            let (what, purpose) = ("states", "a library of so many features");
            return Err(SystemError::TooFew { what, purpose, given, needed });
        }
        // Gradients, those in the coordinates' sizes, and the matrix of them.
        let (slopes, each) = (states.len().saturating_mul(needed), 3 * size_of::<f64>());
        TooLarge::check("slopes of features", slopes, each, "take fewer states or features")?;
        let (sample, rollouts) = self.prepare(field, states, Some(library))?;
        let gradients = (0..library.len()).map(|k| library.gradients(k, states));
        let gradients = gradients.collect::<Result<Vec<_>, _>>()?;
        let mut quantities = null_space(&sample, &gradients, self.tolerance)?
            .iter()
            .map(|terms| self.combination(&sample, &rollouts, library, terms))
            .collect::<Result<Vec<_>, _>>()?;
        quantities.sort_by_key(|quantity| quantity.terms.len());
        Ok(self.report("conserved", &sample, &rollouts, quantities))
    }

    fn prepare(
        &self,
        field: &dyn VectorField<f64>,
        states: ArrayView2<'_, f64>,
        features: Option<&Features>,
    ) -> Result<(Sample, Rollouts), SystemError> {
        self.check(field.dim(), states, features)?;
        let slopes = field.eval_rows(0.0, states)?;
        let sample = Sample::new(states, slopes)?;
        let starts = states.slice(ndarray::s![..self.rollouts.min(states.nrows()), ..]);
        let rollouts = Rollouts::new(field, starts, self.duration / sample.rate)?;
        Ok((sample, rollouts))
    }

    fn check(
        &self,
        dim: usize,
        states: ArrayView2<'_, f64>,
        features: Option<&Features>,
    ) -> Result<(), SystemError> {
        let check = Constants("conservation");
        check.positive("tolerance", self.tolerance)?;
        check.positive("duration", self.duration)?;
        if states.nrows() < 2 {
            let (what, purpose, given) = ("states", "a deviation", states.nrows());
            return Err(SystemError::TooFew { what, purpose, given, needed: 2 });
        }
        let widths =
            [("states", states.ncols()), ("features", features.map_or(dim, Features::dim))];
        match widths.into_iter().find(|(_, given)| *given != dim) {
            None => Ok(()),
            Some((what, given)) => Err(SystemError::Dimension { what, given, expected: dim }),
        }
    }

    /// A combination of features, judged.
    fn combination(
        &self,
        sample: &Sample,
        rollouts: &Rollouts,
        features: &Features,
        terms: &[(f64, usize)],
    ) -> Result<Quantity, SystemError> {
        let mut gradient = Array2::zeros(sample.states.dim());
        for &(c, k) in terms {
            gradient.scaled_add(c, &features.gradients(k, sample.states.view())?);
        }
        let size = sample.size(gradient.view());
        let drift = sample.drift(sample.rates(gradient.view()).view(), size);
        let along = rollouts.drift(size, &mut |x: ArrayView1<'_, f64>| {
            Ok(terms.iter().map(|&(c, k)| c * features.value(k, x)).sum())
        })?;
        let terms = terms.iter().map(|&(c, k)| (c, features.name(k).to_owned())).collect();
        Ok(Quantity { terms, drift, along, conserved: drift <= self.tolerance })
    }

    fn report(
        &self,
        what: &'static str,
        sample: &Sample,
        rollouts: &Rollouts,
        quantities: Vec<Quantity>,
    ) -> ConservationReport {
        let (states, tolerance) = (sample.states.nrows(), self.tolerance);
        let (rollouts, duration) = (rollouts.len(), self.duration / sample.rate);
        ConservationReport { what, quantities, states, tolerance, rollouts, duration }
    }
}
