//! Slices of wrong lengths into energies, for the tests of every crate that has them.
#![allow(dead_code)]

#[path = "../../../hnn-integrators/tests/lengths/mod.rs"]
mod fields;

#[allow(unused_imports)]
pub(crate) use fields::{
    BATCHES, assert_checked, differentiable_field_is_checked, filled, separable_field_is_checked,
};
use hnn_integrators::Workspace;
use hnn_systems::Hamiltonian;

/// The slices of [`Hamiltonian`].
#[track_caller]
pub(crate) fn hamiltonian_is_checked(system: &impl Hamiltonian<f64>) {
    for batch in BATCHES {
        let len = system.dim() * batch;
        assert_checked("energy", [len, batch], |[x, mut energy]| {
            system.energy(&x, &mut energy, &mut Workspace::default())
        });
        assert_checked("energy_gradient", [len; 2], |[x, mut gradient]| {
            system.energy_gradient(batch, &x, &mut gradient, &mut Workspace::default())
        });
    }
}
