//! What `controller.c` does, in Rust: `controller MODEL` does it with the model of a file, which it writes where there
//! is none, an HNN with friction and a motor.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use hnn_integrators::{At, FieldError, VectorField, Workspace};
use hnn_models::{
    AnyModel, Architecture, Dissipative, Hnn, Initialisation, InputPort, Mlp, Persist, Sum,
};

const STEPS: usize = 1000;
const SHOWN: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: controller MODEL")?;
    let path = Path::new(&path);
    if !path.exists() {
        write(path)?;
    }
    let model = AnyModel::<f64>::load(path)?;
    if model.dim() != 2 || model.inputs() > 1 {
        return Err("the model's states are not (q, p), or it has several inputs".into());
    }
    let (mut x, mut seconds, mut workspace) = ([1.0, 0.0], Duration::ZERO, Workspace::default());
    for shown in 0..=SHOWN {
        let mut energy = [0.0];
        if let Some(h) = model.hamiltonian() {
            h.energy(&x, &mut energy, &mut workspace)?;
        }
        println!("{} {} {}", x[0], x[1], energy[0]);
        let begin = Instant::now();
        for _ in 0..if shown == SHOWN { 0 } else { STEPS } {
            let u = [-3.0 * x[0] - x[1]];
            step(&model, 0.002, &u[..model.inputs()], &mut x, &mut workspace)?;
        }
        seconds += begin.elapsed();
    }
    eprintln!("{:.3} microseconds a step", 1e6 * seconds.as_secs_f64() / (STEPS * SHOWN) as f64);
    Ok(())
}

/// Writes a model with weights at random: what it costs is what a trained one does.
fn write(path: &Path) -> Result<(), Box<dyn Error>> {
    let network = |sizes: &[usize], seed| -> Result<_, Box<dyn Error>> {
        Ok(Mlp::<f64>::new(Architecture::new(sizes)?, Initialisation::Orthogonal, seed))
    };
    let friction = Dissipative::new(network(&[2, 16, 1], 1)?)?;
    let force = Sum(friction, InputPort::new(1));
    Ok(Hnn::forced(network(&[2, 200, 200, 1], 0)?, force)?.save(path)?)
}

/// One step of the classical Runge-Kutta method, the inputs held.
fn step(
    model: &AnyModel<f64>,
    h: f64,
    u: &[f64],
    x: &mut [f64; 2],
    workspace: &mut Workspace<f64>,
) -> Result<(), FieldError> {
    let at = At { t: &[0.0], u };
    let along = |x: &[f64; 2], h: f64, dx: [f64; 2]| [x[0] + h * dx[0], x[1] + h * dx[1]];
    let mut slope = |x: &[f64; 2]| -> Result<[f64; 2], FieldError> {
        let mut dx = [0.0; 2];
        model.eval(at, x, &mut dx, workspace)?;
        Ok(dx)
    };
    let k1 = slope(x)?;
    let k2 = slope(&along(x, h / 2.0, k1))?;
    let k3 = slope(&along(x, h / 2.0, k2))?;
    let k4 = slope(&along(x, h, k3))?;
    for i in 0..2 {
        x[i] += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
    }
    Ok(())
}
