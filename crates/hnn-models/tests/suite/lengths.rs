//! Slices of wrong lengths into networks and models.
#![allow(dead_code)]

use hnn_integrators::{DifferentiableField, Workspace};
use hnn_models::{
    DifferentiableEnergy, DifferentiableLagrangian, DifferentiableMap, EulerLagrange, JacobianMap,
    Keep, LagrangianTerms, MotionBars,
};
use hnn_systems::Hamiltonian;
use hnn_testing::lengths::{
    BATCHES, assert_checked, differentiable_field_is_checked, energy_is_checked, filled,
};

#[track_caller]
pub(crate) fn model_is_checked(model: &(impl DifferentiableField<f64> + Hamiltonian<f64>)) {
    differentiable_field_is_checked(model);
    energy_is_checked(
        model.dim(),
        |x, energy| model.energy(x, energy, &mut Workspace::default()),
        |batch, x, gradient| model.energy_gradient(batch, x, gradient, &mut Workspace::default()),
    );
}

#[track_caller]
pub(crate) fn network_is_checked<E: DifferentiableEnergy<f64>>(h: &E) {
    energy_is_checked(
        h.input_dim(),
        |x, energy| h.energy(x, energy, &mut Workspace::default()),
        |batch, x, gradient| {
            h.gradient(batch, x, gradient, Keep::Nothing(&mut Workspace::default()))
        },
    );
    for batch in BATCHES {
        let len = h.input_dim() * batch;
        assert_checked("recorded gradient", [len; 2], |[x, mut gradient]| {
            h.gradient(batch, &x, &mut gradient, Keep::Residuals(&mut E::Residuals::default()))
        });
        let expected = [len, len, len, h.num_params()];
        assert_checked("gradient_vjp", expected, |[x, w, mut x_bar, mut theta_bar]| {
            let mut residuals = E::Residuals::default();
            let keep = Keep::Residuals(&mut residuals);
            h.gradient(batch, &filled(len), &mut filled(len), keep)?;
            h.gradient_vjp(&x, &mut residuals, &w, &mut x_bar, (&mut theta_bar).into())
        });
    }
}

#[track_caller]
pub(crate) fn map_is_checked<N: DifferentiableMap<f64>>(map: &N) {
    for batch in BATCHES {
        let [inputs, outputs] = [map.input_dim(), map.output_dim()].map(|each| each * batch);
        assert_checked("map", [inputs, outputs], |[x, mut y]| {
            map.eval(batch, &x, &mut y, Keep::Nothing(&mut Workspace::default()))
        });
        assert_checked("recorded map", [inputs, outputs], |[x, mut y]| {
            map.eval(batch, &x, &mut y, Keep::Residuals(&mut N::Residuals::default()))
        });
        let expected = [inputs, outputs, inputs, map.num_params()];
        assert_checked("map's vjp", expected, |[x, y_bar, mut x_bar, mut theta_bar]| {
            let mut residuals = N::Residuals::default();
            let keep = Keep::Residuals(&mut residuals);
            map.eval(batch, &filled(inputs), &mut filled(outputs), keep)?;
            map.vjp(&x, &mut residuals, &y_bar, &mut x_bar, (&mut theta_bar).into())
        });
    }
}

#[track_caller]
pub(crate) fn jacobian_is_checked<N: JacobianMap<f64>>(map: &N) {
    type Residuals<N> = <N as JacobianMap<f64>>::JacobianResiduals;
    for batch in BATCHES {
        let [inputs, outputs] = [map.input_dim(), map.output_dim()].map(|each| each * batch);
        let slopes = map.input_dim() * outputs;
        assert_checked("jacobian", [inputs, outputs, slopes], |[x, mut y, mut jacobian]| {
            let workspace = &mut Workspace::default();
            map.jacobian(batch, &x, &mut y, &mut jacobian, Keep::Nothing(workspace))
        });
        let record = |x: &[f64], y: &mut [f64], jacobian: &mut [f64], residuals: &mut _| {
            map.jacobian(batch, x, y, jacobian, Keep::Residuals(residuals))
        };
        assert_checked("recorded jacobian", [inputs, outputs, slopes], |[x, mut y, mut j]| {
            record(&x, &mut y, &mut j, &mut Residuals::<N>::default())
        });
        let expected = [inputs, outputs, inputs, outputs, inputs, map.num_params()];
        assert_checked("jacobian_vjp", expected, |[x, y_bar, t, y_dot_bar, mut x_bar, mut bar]| {
            let mut residuals = Residuals::<N>::default();
            let (mut y, mut jacobian) = (filled(outputs), filled(slopes));
            record(&filled(inputs), &mut y, &mut jacobian, &mut residuals)?;
            let tangents = [(&t[..], &y_dot_bar[..])];
            let theta_bar = (&mut bar).into();
            map.jacobian_vjp(&x, &mut residuals, &y_bar, &tangents, &mut x_bar, theta_bar)
        });
    }
}

/// With `n` velocities.
#[track_caller]
pub(crate) fn lagrangian_is_checked<L: DifferentiableLagrangian<f64>>(lagrangian: &L, n: usize) {
    let m = lagrangian.input_dim() - n;
    for batch in BATCHES {
        let [x, q, v, mass] = [m + n, m, n, n * n].map(|each| each * batch);
        assert_checked("lagrangian", [x, batch], |[x, mut value]| {
            lagrangian.lagrangian(&x, &mut value, &mut Workspace::default())
        });
        let expected = [x, q, x, mass, v];
        assert_checked("terms", expected, |[x, q_dot, mut gradient, mut mass, mut mixed]| {
            let (gradient, mass, mixed) = (&mut gradient[..], &mut mass[..], &mut mixed[..]);
            let terms = LagrangianTerms { gradient, mass, mixed };
            let workspace = &mut Workspace::default();
            lagrangian.terms(batch, &x, &q_dot, terms, Keep::Nothing(workspace))
        });
        let record = |[x, q_dot, mut gradient, mut mass, mut mixed]: [Vec<f64>; 5],
                      residuals: &mut L::Residuals| {
            let (gradient, mass, mixed) = (&mut gradient[..], &mut mass[..], &mut mixed[..]);
            let terms = LagrangianTerms { gradient, mass, mixed };
            lagrangian.terms(batch, &x, &q_dot, terms, Keep::Residuals(residuals))
        };
        assert_checked("recorded terms", expected, |slices| {
            record(slices, &mut L::Residuals::default())
        });
        let bars = [x, q, lagrangian.num_params()];
        let [x_len, q_len, params] = bars;
        let directions = [x, q, v, q, v, x_len, q_len, params];
        assert_checked("terms_vjp", directions, |slices| {
            let [x, q_dot, q_ddot, eta, lambda, mut x_bar, mut q_dot_bar, mut theta_bar] = slices;
            let mut residuals = L::Residuals::default();
            record(expected.map(filled), &mut residuals)?;
            let (q_dot, q_ddot, eta, lambda) = (&q_dot[..], &q_ddot[..], &eta[..], &lambda[..]);
            let directions = EulerLagrange { q_dot, q_ddot, eta, lambda };
            let bars = MotionBars { x: &mut x_bar, q_dot: &mut q_dot_bar };
            let theta_bar = (&mut theta_bar).into();
            lagrangian.terms_vjp(&x, &mut residuals, &directions, bars, theta_bar)
        });
    }
}
