//! The port of the inputs, its matrix a function of the state.

use hnn_integrators::{At, FieldError, Scalar};

use super::{GeneralisedForce, add, check_network, check_no_friction};
use crate::parameters::parameters;
use crate::sections::sections;
use crate::{DifferentiableMap, ForceBars, Keep, ModelError, Record};

/// The port of K inputs with a matrix that a map of the state gives: `Q = G(x) u`.
///
/// The map gives the entries of `G(x)`, of shape (m, K), row by row. Of a state of dimension D = 2n,
/// m is n, or D in [`Hnn::port_hamiltonian`](crate::Hnn::port_hamiltonian). With
/// [`Angles`](crate::Angles) around the map, `G` is periodic in the angles.
///
/// ```
/// use hnn_integrators::{At, VectorField, Workspace};
/// use hnn_models::{Angles, Architecture, Hnn, Initialisation, Mlp, StatePort};
/// let network = |outputs, seed| -> Result<_, hnn_models::ModelError> {
///     let architecture = Architecture::new(&[3, 16, outputs])?;
///     let network = Mlp::<f64>::new(architecture, Initialisation::Orthogonal, seed);
///     Angles::new(network, &[true, false])
/// };
/// // Two inputs on one momentum, as strong as the angle lets them be.
/// let model = Hnn::forced(network(1, 1)?, StatePort::new(network(2, 2)?, 2)?)?;
/// assert_eq!(VectorField::<f64>::inputs(&model), 2);
/// let mut dx = [0.0; 2];
/// let at = At { t: &[0.0], u: &[2.0, -1.0] };
/// model.eval(at, &[0.3, 0.5], &mut dx, &mut Workspace::default())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct StatePort<N> {
    network: N,
    inputs: usize,
}

impl<N> StatePort<N> {
    /// The port of a map and a number of inputs K.
    ///
    /// # Errors
    /// If there is no input, or the map of D = 2n numbers gives neither `n K` nor `D K`, or is a friction.
    pub fn new<T: Scalar>(network: N, inputs: usize) -> Result<Self, ModelError>
    where
        N: DifferentiableMap<T>,
    {
        check_no_friction(&network)?;
        let (dim, given) = (network.input_dim(), network.output_dim());
        let fits = |rows: usize| rows > 0 && rows.checked_mul(inputs) == Some(given);
        if inputs > 0 && (fits(dim / 2) || fits(dim)) {
            return Ok(Self { network, inputs });
        }
        let expected = (dim / 2).max(1).saturating_mul(inputs.max(1));
        Err(ModelError::OutputSize { role: "input port", given, expected })
    }

    /// The map that gives `G`.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// Runs over the entries of `G`: each with the rows of a batch of its force and of its input.
    fn each<T: Scalar>(
        &self,
        batch: usize,
        mut visit: impl FnMut(usize, std::ops::Range<usize>, std::ops::Range<usize>),
    ) where
        N: DifferentiableMap<T>,
    {
        for entry in 0..self.network.output_dim() {
            let rows = |index: usize| index * batch..(index + 1) * batch;
            visit(entry * batch, rows(entry / self.inputs), rows(entry % self.inputs));
        }
    }

    /// The lengths of `G`, the inputs and the states' cotangent, for a batch.
    fn lengths<T: Scalar>(&self, batch: usize) -> [usize; 3]
    where
        N: DifferentiableMap<T>,
    {
        [self.network.output_dim(), self.inputs, self.network.input_dim()].map(|each| each * batch)
    }
}

parameters!(StatePort<N>: network);

impl<T: Scalar, N: DifferentiableMap<T>> GeneralisedForce<T> for StatePort<N> {
    /// `G` or its cotangent, the inputs, and the states' cotangent.
    type Residuals = Record<T, N::Residuals>;

    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError> {
        check_network(&self.network, "input port", dim, rows * self.inputs)
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn add(
        &self,
        At { t, u }: At<'_, T>,
        x: &[T],
        _q_dot: &[T],
        force: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        let [entries, inputs, states] = self.lengths(t.len());
        FieldError::check_lengths(states, [("the states", x.len())])?;
        FieldError::check_lengths(inputs, [("the inputs", u.len())])?;
        FieldError::check_lengths(entries / self.inputs, [("the forces", force.len())])?;
        let (numbers, parts) = keep.split(t.len(), entries + inputs + states);
        let mut take = sections(numbers);
        let (g, kept) = (take(entries), take(inputs));
        kept.copy_from_slice(u);
        self.network.eval(t.len(), x, g, parts)?;
        self.each(t.len(), |entry, forces, inputs| {
            let products = g[entry..].iter().zip(&u[inputs]);
            force[forces].iter_mut().zip(products).for_each(|(force, (g, u))| *force += *g * *u);
        });
        Ok(())
    }

    fn add_vjp(
        &self,
        x: &[T],
        _q_dot: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        mut bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        let [entries, inputs, states] = self.lengths(batch);
        let slices = [("the states", x.len()), ("the states' cotangents", bars.x.len())];
        FieldError::check_lengths(states, slices)?;
        FieldError::check_lengths(entries / self.inputs, [("the cotangents", force_bar.len())])?;
        bars.check_inputs(inputs)?;
        let (numbers, network) = residuals.recorded(entries + inputs + states)?;
        let mut take = sections(numbers);
        let (g, u, x_bar) = (take(entries), take(inputs), take(states));
        self.each(batch, |entry, forces, inputs| {
            let (g, force_bar) = (&mut g[entry..entry + batch], &force_bar[forces]);
            if let Some(u_bar) = bars.u.as_deref_mut() {
                let products = g.iter().zip(force_bar);
                let u_bar = u_bar[inputs.clone()].iter_mut().zip(products);
                u_bar.for_each(|(bar, (g, force))| *bar += *g * *force);
            }
            let products = force_bar.iter().zip(&u[inputs]);
            g.iter_mut().zip(products).for_each(|(g, (force, u))| *g = *force * *u);
        });
        self.network.vjp(x, network, g, x_bar, bars.theta)?;
        add(bars.x, x_bar);
        Ok(())
    }
}
