//! What a controller reads off a system.

use hnn_integrators::{At, FieldError, StateForm, Workspace};
use hnn_systems::Hamiltonian;
use nalgebra::DMatrix;

/// A system with an energy and inputs, as a controller sees it.
pub(super) struct Plant<'a, M: ?Sized> {
    pub(super) model: &'a M,
    pub(super) form: StateForm,
}

/// At one state.
pub(super) struct Seen {
    /// The slope without inputs.
    pub(super) slope: Vec<f64>,
    /// `dx/dt` of each input, shape (D, K): `f(x, e_k) - f(x, 0)`.
    pub(super) response: DMatrix<f64>,
    /// `dH/dx`.
    pub(super) gradient: Vec<f64>,
}

impl<M: Hamiltonian<f64> + ?Sized> Plant<'_, M> {
    /// Degrees of freedom.
    pub(super) fn n(&self) -> usize {
        self.model.dim() / 2
    }

    /// What is seen at a state. The field is affine in its inputs, so that differences are exact.
    pub(super) fn see(&self, t: f64, x: &[f64]) -> Result<Seen, FieldError> {
        let (dim, inputs) = (self.model.dim(), self.model.inputs());
        FieldError::check_lengths(dim, [("the state", x.len())])?;
        let batch = inputs + 1;
        // Row 0 without inputs, row k + 1 with a unit of input k.
        let mut u = vec![0.0; inputs * batch];
        (0..inputs).for_each(|k| u[k * batch + k + 1] = 1.0);
        let states = Vec::from_iter(x.iter().flat_map(|x| std::iter::repeat_n(*x, batch)));
        let mut dx = vec![0.0; states.len()];
        let at = At { t: &vec![t; batch], u: &u };
        self.model.eval(at, &states, &mut dx, &mut Workspace::default())?;
        let entry = |i: usize, k: usize| dx[i * batch + k + 1] - dx[i * batch];
        Ok(Seen {
            slope: (0..dim).map(|i| dx[i * batch]).collect(),
            response: DMatrix::from_fn(dim, inputs, entry),
            gradient: self.model.energy_gradient_state(x)?,
        })
    }

    /// The forces `G` that a unit of each input exerts, shape (n, K): of momenta their response, of
    /// velocities that times the masses `M_ij = dH/dv_i` at `(q, v = e_j)`.
    pub(super) fn port(&self, x: &[f64], seen: &Seen) -> Result<DMatrix<f64>, FieldError> {
        let n = self.n();
        let response = seen.response.rows(n, n);
        if self.form == StateForm::Canonical {
            return Ok(response.into_owned());
        }
        let state = |k: usize| {
            let (i, j) = (k / n, k % n);
            if i < n { x[i] } else { f64::from(u8::from(i - n == j)) }
        };
        let states = Vec::from_iter((0..2 * n * n).map(state));
        let mut gradients = vec![0.0; states.len()];
        self.model.energy_gradient(n, &states, &mut gradients, &mut Workspace::default())?;
        Ok(DMatrix::from_fn(n, n, |i, j| gradients[(n + i) * n + j]) * response)
    }

    /// A state at rest.
    pub(super) fn at_rest(&self, q: &[f64]) -> Vec<f64> {
        [q, &vec![0.0; self.n()]].concat()
    }
}
