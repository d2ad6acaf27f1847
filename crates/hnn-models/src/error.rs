//! Errors of this crate.

use std::path::PathBuf;

use hnn_integrators::{FieldError, StateForm, TooLarge};
use thiserror::Error;

/// What can go wrong when a model is built, saved or loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The sizes of a network's layers make no network.
    #[error(
        "layer sizes {} make no network: give an input size, any number of hidden sizes and an output size, all at least 1",
        list(sizes)
    )]
    LayerSizes {
        /// The sizes given.
        sizes: Vec<usize>,
    },
    /// The sizes of a network's layers make more parameters than one call may take memory for.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The network has another output size than the model needs.
    #[error("the {role} network has {given} outputs, but the model needs {expected}")]
    OutputSize {
        /// What the network is used for.
        role: &'static str,
        /// Its number of outputs.
        given: usize,
        /// The number needed.
        expected: usize,
    },
    /// The network has another input size than the model needs.
    #[error("the {role} network has {given} inputs, but the model needs {expected}")]
    InputSize {
        /// What the network is used for.
        role: &'static str,
        /// Its number of inputs.
        given: usize,
        /// The number needed.
        expected: usize,
    },
    /// A dropout rate that is no probability below 1.
    #[error("the dropout rate is {rate}, but must be in [0, 1): 0.1 drops a tenth of the units")]
    DropoutRate {
        /// The rate given.
        rate: f64,
    },
    /// A state of odd dimension has no canonical coordinates.
    #[error(
        "a state of dimension {dim} has no canonical coordinates (q, p): the dimension must be even and at least 2"
    )]
    OddDimension {
        /// The dimension given.
        dim: usize,
    },
    /// A velocity is marked as an angle.
    #[error(
        "coordinate {index} of the state is marked as an angle, but it is a velocity: only the first {coordinates} coordinates can be angles"
    )]
    VelocityAngle {
        /// The coordinate marked.
        index: usize,
        /// How many coordinates can be angles.
        coordinates: usize,
    },
    /// No bodies, or bodies without coordinates.
    #[error("{bodies} bodies of {axes} coordinates each: give at least one body of one coordinate")]
    Bodies {
        /// Coordinates of a body.
        axes: usize,
        /// Bodies.
        bodies: usize,
    },
    /// Bodies that make no pair.
    #[error(
        "({}, {}) is no pair: give two different bodies of the {count}, at least one of the first {bodies}, which move",
        pair.0, pair.1
    )]
    Pair {
        /// The pair given.
        pair: (usize, usize),
        /// Bodies that move.
        bodies: usize,
        /// All bodies.
        count: usize,
    },
    /// As many masses as cannot be given to the coordinates.
    #[error(
        "{given} masses for {coordinates} coordinates: give one for each, or so many that they repeat to all of them, such as one for each point"
    )]
    Masses {
        /// Masses given.
        given: usize,
        /// Coordinates.
        coordinates: usize,
    },
    /// A mass is not positive.
    #[error("the mass is {mass}, but must be a positive number: 1 is a good start")]
    Mass {
        /// The mass given.
        mass: f64,
    },
    /// A setting of a Lagrangian model is out of range.
    #[error("{name} = {given}, but it must be {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The value given.
        given: f64,
        /// The range of values that make sense.
        expected: &'static str,
    },
    /// A system that is not fully actuated.
    #[error(
        "energy shaping needs an input for each coordinate, {coordinates} of them, but the model has {inputs}: give it a port (`InputPort` of a learned model, `Ansatz::with_inputs` of a formula), or control an underactuated system by other means"
    )]
    Actuation {
        /// Inputs of the model.
        inputs: usize,
        /// Its coordinates.
        coordinates: usize,
    },
    /// States of another form than was said.
    #[error(
        "the model's states are not {}: {}",
        match form { StateForm::Canonical => "(q, p)", StateForm::Lagrangian => "(q, v)" },
        match form {
            StateForm::Canonical => "dq/dt is not dH/dp, or inputs act on q; states of positions and velocities are StateForm::Lagrangian",
            StateForm::Lagrangian => "dq/dt is not v, or inputs act on q; states of positions and momenta are StateForm::Canonical",
        }
    )]
    StateForm {
        /// The form given.
        form: StateForm,
    },
    /// A parameter is NaN or infinite.
    #[error("parameter {index} is {value}: the weights are not those of a trained model")]
    NonFiniteParameter {
        /// Index in the flat parameter vector.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A property of a model has no form in its file.
    #[error("the model's {name:?} cannot be written to a file: {reason}")]
    Description {
        /// The property.
        name: String,
        /// Why.
        reason: String,
    },
    /// Scales cannot be taken from data.
    #[error("no scales can be taken from the {what}: {reason}")]
    Scales {
        /// The data.
        what: &'static str,
        /// What is wrong with them.
        reason: String,
    },
    /// A scale is beyond what a network can be multiplied by.
    #[error(
        "a scale of {given:e} is beyond the range of {scalar}: take units in which the numbers are nearer to 1"
    )]
    ScaleRange {
        /// The scale.
        given: f64,
        /// The scalar type.
        scalar: &'static str,
    },
    /// A friction that vanishes at rest, scaled from outside, would feed energy in.
    #[error(
        "a friction that vanishes at rest is not scaled as a whole, or it could feed energy in: make it by `Scales::dissipative` of its network, or by `Scales::friction_law`"
    )]
    ScaledFriction,
    /// A friction in the place of a network.
    #[error(
        "a dissipative friction or a port is made of the network that gives its entries, but was given a friction: hand over its network, such as an `Mlp`"
    )]
    NestedFriction,
    /// A device that a network was to live on is not there.
    #[error("device {device} cannot be used: {reason}")]
    Device {
        /// The device asked for.
        device: String,
        /// What is missing, and what to use.
        reason: String,
    },
    /// A libtorch module of another kind than a perceptron has no native copy and no model file.
    #[error(
        "this libtorch module is no perceptron of the library's own, so it has no native copy and no model file: save its variables by `save_variables` instead"
    )]
    NotPerceptron,
    /// The field's own error.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// `"read"` or `"write"`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file is no model file, or is damaged.
    #[error("{} is no file of this model: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The begin of a list, of any length.
fn list(sizes: &[usize]) -> String {
    let shown = &sizes[..sizes.len().min(10)];
    match sizes.len() - shown.len() {
        0 => format!("{shown:?}"),
        more => format!("{shown:?} and {more} more"),
    }
}
