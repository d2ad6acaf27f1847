//! Slices of wrong lengths into fields, energies and networks: an error, no panic.

use std::fmt::Display;

use hnn_integrators::{
    At, Bars, DifferentiableSeparable, FieldError, FieldObject, Kept, ThetaBar, VectorField,
    Workspace,
};

/// Batches tried: none, one state, a few, and more than a block of a kernel.
pub const BATCHES: [usize; 4] = [0, 1, 3, 17];

/// `len` different numbers.
pub fn filled(len: usize) -> Vec<f64> {
    (0..len).map(|i| 0.3 + 0.17 * i as f64).collect()
}

/// Calls with slices of the lengths expected, which must do, and with one slice of another length
/// at a time: empty, shorter, longer.
#[track_caller]
pub fn assert_checked<const N: usize, E: Display>(
    what: &str,
    expected: [usize; N],
    mut call: impl FnMut([Vec<f64>; N]) -> Result<(), E>,
) {
    check_lengths(what, &expected, &mut |lengths| {
        let slices = std::array::from_fn(|i| filled(lengths[i]));
        call(slices).map_err(|error| error.to_string())
    });
}

#[track_caller]
fn check_lengths(
    what: &str,
    expected: &[usize],
    call: &mut dyn FnMut(&[usize]) -> Result<(), String>,
) {
    if let Err(error) = call(expected) {
        panic!("{what}: lengths {expected:?} are right, but: {error}");
    }
    for slice in 0..expected.len() {
        let right = expected[slice];
        for length in (0..=right + 2).chain([2 * right + 1, 3 * right + 5]) {
            let mut lengths = expected.to_vec();
            lengths[slice] = length;
            if length != right && call(&lengths).is_ok() {
                panic!("{what}: lengths {lengths:?} instead of {expected:?} are no error");
            }
        }
    }
}

/// The slices of [`VectorField::eval`].
#[track_caller]
pub fn field_is_checked(field: &dyn VectorField<f64>) {
    for batch in BATCHES {
        let (len, inputs) = (field.dim() * batch, field.inputs() * batch);
        assert_checked("eval", [batch, len, len], |[t, x, mut dx]| {
            let u = &filled(inputs);
            field.eval(At { t: &t, u }, &x, &mut dx, &mut Workspace::default())
        });
        if field.inputs() > 0 {
            assert_checked("eval", [inputs], |[u]| {
                let (at, x, mut dx) = (At { t: &filled(batch), u: &u }, filled(len), filled(len));
                field.eval(at, &x, &mut dx, &mut Workspace::default())
            });
        }
    }
}

/// The slices of [`DifferentiableField`](hnn_integrators::DifferentiableField).
#[track_caller]
pub fn differentiable_field_is_checked(field: &dyn FieldObject<f64>) {
    field_is_checked(field);
    for batch in BATCHES {
        let (len, num_params) = (field.dim() * batch, field.num_params());
        let u = &filled(field.inputs() * batch);
        assert_checked("eval_recorded", [batch, len, len], |[t, x, mut dx]| {
            field.eval_kept(At { t: &t, u }, &x, &mut dx, &mut Kept::default())
        });
        let expected = [len, len, len, num_params];
        assert_checked("vjp", expected, |[x, v, mut x_bar, mut theta_bar]| {
            let mut residuals = Kept::default();
            let at = At { t: &vec![0.0; batch], u };
            field.eval_kept(at, &filled(len), &mut filled(len), &mut residuals)?;
            field.vjp_kept(&x, &mut residuals, &v, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
        });
        // The inputs' cotangents, and rows of the parameters'.
        let expected = [field.inputs() * batch, batch * num_params];
        assert_checked("vjp", expected, |[mut u_bar, mut rows]| {
            let (x, mut residuals) = (filled(len), Kept::default());
            let at = At { t: &vec![0.0; batch], u };
            field.eval_kept(at, &x, &mut filled(len), &mut residuals)?;
            let (mut x_bar, theta) = (filled(len), ThetaBar::rows(&mut rows, num_params));
            let bars = Bars::new(&mut x_bar).with_u(&mut u_bar[..]).with_theta(theta);
            match field.vjp_kept(&x, &mut residuals, &x, bars) {
                // Lengths that are right, of an engine that knows sums alone.
                Err(FieldError::SumsOnly) => Ok(()),
                result => result,
            }
        });
    }
    let mut theta = filled(field.num_params() + 1);
    assert!(field.copy_params(&mut theta).is_err(), "one parameter too many");
}

/// The slices of an energy `H(x)` and of its gradient (batch, states, gradient) of a system of
/// dimension `dim`.
#[track_caller]
pub fn energy_is_checked<E: Display>(
    dim: usize,
    energy: impl Fn(&[f64], &mut [f64]) -> Result<(), E>,
    gradient: impl Fn(usize, &[f64], &mut [f64]) -> Result<(), E>,
) {
    for batch in BATCHES {
        let len = dim * batch;
        assert_checked("energy", [len, batch], |[x, mut out]| energy(&x, &mut out));
        assert_checked("gradient", [len; 2], |[x, mut out]| gradient(batch, &x, &mut out));
    }
}

/// The slices of [`DifferentiableSeparable`].
#[track_caller]
pub fn separable_field_is_checked<F>(field: &F)
where
    F: DifferentiableSeparable<f64>,
{
    type Residuals<F> = <F as DifferentiableSeparable<f64>>::Residuals;
    for batch in BATCHES {
        let (len, num_params) = (field.dim() / 2 * batch, field.num_params());
        let (times, u) = (vec![0.0; batch], &filled(field.inputs() * batch));
        assert_checked("velocity", [len; 2], |[p, mut velocity]| {
            field.velocity(&p, &mut velocity, &mut Workspace::default())
        });
        assert_checked("force", [batch, len, len], |[t, q, mut force]| {
            field.force(At { t: &t, u }, &q, &mut force, &mut Workspace::default())
        });
        let expected = [len, len, len, num_params];
        assert_checked("velocity_vjp", expected, |[p, v, mut p_bar, mut theta_bar]| {
            let mut residuals = Residuals::<F>::default();
            field.velocity_recorded(&filled(len), &mut filled(len), &mut residuals)?;
            field.velocity_vjp(&p, &mut residuals, &v, &mut p_bar, (&mut theta_bar).into())
        });
        assert_checked("force_vjp", expected, |[q, v, mut q_bar, mut theta_bar]| {
            let mut residuals = Residuals::<F>::default();
            let at = At { t: &times, u };
            field.force_recorded(at, &filled(len), &mut filled(len), &mut residuals)?;
            let bars = Bars::new(&mut q_bar).with_theta(&mut theta_bar);
            field.force_vjp(&q, &mut residuals, &v, bars)
        });
    }
}
