//! Random networks, states, and a comparison that says where two results part.

use chacha20::ChaCha12Rng;
use hnn_integrators::{At, Bars, DifferentiableField, Workspace};
use hnn_models::{Activation, Architecture, Initialisation, Lnn, Mlp};
use ndarray::{Array2, Axis};
use rand::{RngExt, SeedableRng};

/// Relative difference that the two engines may have.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// The 50 cases of the comparison: depth 1 to 4, width 3 to 64, every activation, D = 2 to 8.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) dim: usize,
    pub(crate) batch: usize,
    hidden: Vec<usize>,
    activation: Activation,
    seed: u64,
}

impl Case {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        // The networks are small, and the tests run side by side.
        tch::set_num_threads(1);
        (0..50).map(|index| {
            let rng = &mut ChaCha12Rng::seed_from_u64(index);
            let depth = 1 + index as usize % 4;
            let activation = Activation::ALL[index as usize % Activation::ALL.len()];
            let hidden: Vec<usize> = (0..depth).map(|_| rng.random_range(3..=64)).collect();
            let dim = 2 * rng.random_range(1..=4);
            let batch = rng.random_range(1..=17);
            let name = format!("case {index}: {dim}-{hidden:?}, {activation:?}, batch {batch}");
            Self { name, dim, batch, hidden, activation, seed: index }
        })
    }

    /// A native network of this case with `outputs` outputs.
    pub(crate) fn network(&self, outputs: usize) -> Mlp<f64> {
        self.network_of(self.dim, outputs)
    }

    /// The positions are angles, the velocities are not.
    pub(crate) fn angles(&self) -> Vec<bool> {
        (0..self.dim).map(|i| i < self.dim / 2).collect()
    }

    /// The same with another number of inputs.
    pub(crate) fn network_of(&self, inputs: usize, outputs: usize) -> Mlp<f64> {
        let sizes: Vec<usize> =
            [inputs].into_iter().chain(self.hidden.iter().copied()).chain([outputs]).collect();
        let architecture = Architecture::new(&sizes)
            .expect("sizes are positive")
            .with_activation(self.activation)
            .with_output_bias(self.seed.is_multiple_of(2));
        Mlp::new(architecture, Initialisation::Glorot, self.seed * 10 + outputs as u64)
    }

    /// `count` states, a row each, at which a Lagrangian's mass matrix is far from singular: what
    /// the two engines may differ by grows with its condition number.
    pub(crate) fn regular_states(&self, model: &Lnn<Mlp<f64>>, count: usize) -> Array2<f64> {
        let candidates = 20 * count;
        let numbers = self.numbers(9, candidates * self.dim);
        let states = Array2::from_shape_vec((candidates, self.dim), numbers).expect("all there");
        let conditioning = model.conditioning(states.view()).expect("the Hessian is defined");
        let mut order: Vec<usize> = (0..candidates).collect();
        order.sort_by(|a, b| conditioning[*b].total_cmp(&conditioning[*a]));
        states.select(Axis(0), &order[..count])
    }

    /// `len` numbers in [-1.5, 1.5].
    pub(crate) fn numbers(&self, stream: u64, len: usize) -> Vec<f64> {
        let mut rng = ChaCha12Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        (0..len).map(|_| rng.random_range(-1.5..1.5)).collect()
    }
}

/// `max |a - b| / max |b|`.
pub(crate) fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let scale = b.iter().fold(f64::MIN_POSITIVE, |m, b| m.max(b.abs()));
    a.iter().zip(b).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs())) / scale
}

#[track_caller]
pub(crate) fn assert_close(what: &str, a: &[f64], b: &[f64], tolerance: f64) {
    let difference = difference(a, b);
    assert!(
        difference <= tolerance,
        "{what} differs by {difference:.2e} (at most {tolerance:.0e})"
    );
}

/// A field's value, `x_bar` and `theta_bar` at a batch.
pub(crate) fn field_and_vjp<F: DifferentiableField<f64>>(
    field: &F,
    x: &[f64],
    v: &[f64],
) -> [Vec<f64>; 4] {
    let batch = x.len() / field.dim();
    let (mut plain, mut recorded, mut x_bar) =
        (vec![0.0; x.len()], vec![0.0; x.len()], vec![0.0; x.len()]);
    let mut theta_bar = vec![1.0; field.num_params()];
    let mut residuals = F::Residuals::default();
    let t = vec![0.0; batch];
    field
        .eval(At::time(&t), x, &mut plain, &mut Workspace::default())
        .expect("the field is defined");
    field
        .eval_recorded(At::time(&t), x, &mut recorded, &mut residuals)
        .expect("the field is defined");
    field
        .vjp(x, &mut residuals, v, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
        .expect("it was recorded");
    // `theta_bar` is added to, not overwritten.
    theta_bar.iter_mut().for_each(|g| *g -= 1.0);
    [plain, recorded, x_bar, theta_bar]
}

/// Asserts that two fields of the same weights agree in value and derivatives.
#[track_caller]
pub(crate) fn assert_same_field<A, B>(case: &Case, what: &str, judge: &A, native: &B)
where
    A: DifferentiableField<f64>,
    B: DifferentiableField<f64>,
{
    assert_same_field_at(case, what, judge, native, &case.numbers(1, case.dim * case.batch));
}

/// As [`assert_same_field`], at given states.
#[track_caller]
pub(crate) fn assert_same_field_at<A, B>(case: &Case, what: &str, judge: &A, native: &B, x: &[f64])
where
    A: DifferentiableField<f64>,
    B: DifferentiableField<f64>,
{
    let v = case.numbers(2, case.dim * case.batch);
    let (a, b) = (field_and_vjp(judge, x, &v), field_and_vjp(native, x, &v));
    for (part, (a, b)) in
        ["value", "recorded value", "x_bar", "theta_bar"].iter().zip(a.iter().zip(&b))
    {
        // Subtracting the 1 that theta_bar began with costs digits where gradients are small.
        let tolerance =
            if *part == "theta_bar" { TOLERANCE.max(1e-15 / size(b)) } else { TOLERANCE };
        assert_close(&format!("{}: {what}, {part}", case.name), a, b, tolerance);
    }
}

fn size(a: &[f64]) -> f64 {
    a.iter().fold(f64::MIN_POSITIVE, |m, a| m.max(a.abs()))
}
