//! Slices of wrong lengths into libtorch's networks and models are errors.

use hnn_models::{
    Angles, Architecture, Hnn, Initialisation, KineticPrior, Lnn, MechanicalLagrangian, Mlp,
};

use crate::agreement::{energy, map};
use crate::lengths::{
    jacobian_is_checked, lagrangian_is_checked, map_is_checked, model_is_checked,
    network_is_checked,
};

fn network(sizes: &[usize]) -> Mlp<f64> {
    Mlp::new(Architecture::new(sizes).expect("sizes"), Initialisation::Orthogonal, 1)
}

#[test]
fn networks() {
    tch::set_num_threads(1);
    let (h, f) = (energy(&network(&[4, 6, 1])), map(&network(&[4, 6, 3])));
    network_is_checked(&h);
    lagrangian_is_checked(&h, 2);
    map_is_checked(&f);
    jacobian_is_checked(&f);
}

#[test]
fn models() {
    tch::set_num_threads(1);
    let h = || energy(&network(&[4, 6, 1]));
    model_is_checked(&Hnn::new(h()).expect("even"));
    model_is_checked(&Hnn::with_friction(h(), map(&network(&[4, 6, 2]))).expect("fits"));
    model_is_checked(&Lnn::new(KineticPrior::new(h(), 1.0).expect("positive")).expect("even"));
    let (factor, potential) = (map(&network(&[3, 6, 3])), energy(&network(&[3, 6, 1])));
    let mechanical = MechanicalLagrangian::new(factor, potential).expect("fits");
    let angles = Angles::new(mechanical, &[true, false, false, false]).expect("fits");
    model_is_checked(&Lnn::new(angles).expect("even"));
}
