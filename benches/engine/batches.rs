//! How the cost of an HNN (2-200-200-1, tanh) grows with the number of states, in `f32` and `f64`: the
//! gradient of the derivative loss, the field, and of one state the energy's gradient.

use std::hint::black_box;

use hnn_benches::{Case, Error, Run};
use hnn_integrators::{At, Scalar, VectorField, Workspace, coordinate_major};
use hnn_losses::{DerivativeLoss, Loss, RowSelection};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_systems::Hamiltonian;
use ndarray::{Array2, ArrayView1};

/// Numbers of states.
const BATCHES: [usize; 5] = [1, 8, 32, 750, 4096];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = cases_of::<f32>();
    cases.extend(cases_of::<f64>());
    cases
}

fn cases_of<T: Scalar>() -> Vec<Case> {
    let mut cases = vec![Case::new(format!("energy-gradient {}", T::NAME), energy_gradient::<T>)];
    for batch in BATCHES {
        let name = |what| format!("{what} {} {batch}", T::NAME);
        cases.push(Case::new(name("gradient"), move || gradient::<T>(batch)));
        cases.push(Case::new(name("field"), move || field::<T>(batch)));
    }
    cases
}

fn model<T: Scalar>() -> Result<Hnn<Mlp<T>>, Error> {
    let architecture = Architecture::new(&[2, 200, 200, 1])?;
    Ok(Hnn::new(Mlp::new(architecture, Initialisation::Orthogonal, 0))?)
}

fn states<T: Scalar>(batch: usize) -> Array2<T> {
    Array2::from_shape_fn((batch, 2), |(row, i)| T::from_f64((row as f64 + 1.5 * i as f64).sin()))
}

fn gradient<T: Scalar>(batch: usize) -> Result<Run, Error> {
    let (model, x, times) = (model::<T>()?, states(batch), vec![T::ZERO; batch]);
    let mut loss = DerivativeLoss::new(ArrayView1::from(&times), x.view(), x.view())?;
    let mut theta_bar = vec![T::ZERO; model.energy_network().params().len()];
    Ok(Box::new(move || {
        theta_bar.fill(T::ZERO);
        black_box(loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut theta_bar)?);
        Ok(())
    }))
}

fn field<T: Scalar>(batch: usize) -> Result<Run, Error> {
    let (model, times) = (model::<T>()?, vec![T::ZERO; batch]);
    let (x, mut dx) = (coordinate_major(states(batch).view()), vec![T::ZERO; 2 * batch]);
    let mut workspace = Workspace::default();
    Ok(Box::new(move || {
        model.eval(At::time(&times), black_box(&x), &mut dx, &mut workspace)?;
        black_box(&dx);
        Ok(())
    }))
}

fn energy_gradient<T: Scalar>() -> Result<Run, Error> {
    let (model, mut workspace) = (model::<T>()?, Workspace::default());
    let (x, mut gradient) = ([T::from_f64(0.1), T::from_f64(0.2)], [T::ZERO; 2]);
    Ok(Box::new(move || {
        model.energy_gradient(1, black_box(&x), &mut gradient, &mut workspace)?;
        black_box(&gradient);
        Ok(())
    }))
}
