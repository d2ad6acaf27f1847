//! Slices of wrong lengths into systems are errors.

use hnn_systems::{ChainPendulum, DampedPendulum, HenonHeiles, Spring};
use hnn_testing::lengths::{differentiable_field_is_checked, separable_field_is_checked};

use crate::common::hamiltonian_is_checked;

#[test]
fn of_systems() {
    let damped = DampedPendulum::new(0.1, 6.0).expect("positive");
    differentiable_field_is_checked(&damped);
    hamiltonian_is_checked(&damped);
    separable_field_is_checked(&Spring::default());
    differentiable_field_is_checked(&HenonHeiles::default());
    hamiltonian_is_checked(&HenonHeiles::default());
    separable_field_is_checked(&HenonHeiles::default());
    let chain = ChainPendulum::<2, f64>::chain([1.0; 2], [1.0; 2], 9.81).expect("positive");
    differentiable_field_is_checked(&chain);
    hamiltonian_is_checked(&chain);
}
