//! Laws of motion that are linear in unknown constants.

mod feature;

use std::path::Path;

use hnn_data::DataSet;
use hnn_integrators::{
    At, Bars, DifferentiableField, FieldError, Parameters, VectorField, Workspace, coordinate_major,
};
use serde::{Deserialize, Serialize};

use self::feature::Argument;
pub use self::feature::Feature;
use crate::IdentifyError;

/// A law of motion with unknown constants: `dq_i/dt = v_i`, `dv_i/dt = sum_k c_ik g_k(q, v, u)`.
///
/// The state is `(q_1..q_n, v_1..v_n)`; the constants, its parameters, go row by row: those of the first
/// acceleration, one for each [`Feature`] `g_k`, then those of the second.
///
/// ```
/// use hnn_identify::{Feature, Law};
/// use hnn_integrators::{At, VectorField, Workspace};
/// // A pendulum with a motor: q'' = -9 sin q - 0.1 q' + 2 u.
/// let features = [Feature::Sin(0), Feature::Velocity(0), Feature::Input(0)];
/// let law = Law::new(1, 1, &features, &[-9.0, -0.1, 2.0])?;
/// let (at, mut dx) = (At { t: &[0.0], u: &[0.5] }, [0.0; 2]);
/// law.eval(at, &[0.0, 1.0], &mut dx, &mut Workspace::default())?;
/// assert_eq!(dx, [1.0, -0.1 + 1.0]);
/// assert_eq!(law.to_string(), "q0'' = -9 sin(q0) - 0.1 q0' + 2 u0");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Law {
    degrees: usize,
    inputs: usize,
    features: Vec<Feature>,
    constants: Vec<f64>,
}

/// What a text or a file says.
#[derive(Deserialize)]
struct Unchecked {
    degrees: usize,
    inputs: usize,
    features: Vec<Feature>,
    constants: Vec<f64>,
}

impl TryFrom<Unchecked> for Law {
    type Error = IdentifyError;

    fn try_from(given: Unchecked) -> Result<Self, IdentifyError> {
        Self::new(given.degrees, given.inputs, &given.features, &given.constants)
    }
}

impl Law {
    /// The law of `degrees` degrees of freedom and `inputs` inputs with these features and constants.
    ///
    /// # Errors
    /// If there is no degree of freedom or no feature, a feature is of a position, velocity or input that
    /// is not there, or of a width that is not positive, or there are not `degrees * features` finite
    /// constants.
    pub fn new(
        degrees: usize,
        inputs: usize,
        features: &[Feature],
        constants: &[f64],
    ) -> Result<Self, IdentifyError> {
        let refused = |reason: String| IdentifyError::Law { reason };
        if degrees == 0 || features.is_empty() {
            return Err(refused("it has no degree of freedom or no feature".into()));
        }
        for feature in features {
            let there = match feature.argument() {
                Argument::Nothing => true,
                Argument::Position(i) | Argument::Velocity(i) => i < degrees,
                Argument::Input(k) => k < inputs,
            };
            let wide = !matches!(feature, Feature::Coulomb { width, .. } if !(*width > 0.0 && width.is_finite()));
            if !(there && wide) {
                let of = format!("{degrees} degrees of freedom and {inputs} inputs");
                return Err(refused(format!("{feature:?} is no feature of {of}")));
            }
        }
        let expected = degrees * features.len();
        if constants.len() != expected || constants.iter().any(|c| !c.is_finite()) {
            let given = constants.len();
            return Err(refused(format!(
                "it takes {expected} finite constants; {given} are given"
            )));
        }
        let (features, constants) = (features.to_vec(), constants.to_vec());
        Ok(Self { degrees, inputs, features, constants })
    }

    /// The features.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The constants, row by row.
    #[must_use]
    pub fn constants(&self) -> &[f64] {
        &self.constants
    }

    /// The law as text, with names of positions and inputs.
    #[must_use]
    pub fn text(&self, positions: &[String], inputs: &[String]) -> String {
        let rows = self.constants.chunks_exact(self.features.len()).enumerate();
        let lines = rows.map(|(i, row)| {
            let name = positions.get(i).cloned().unwrap_or_else(|| format!("q{i}"));
            let mut line = format!("{name}'' =");
            for (k, (constant, feature)) in row.iter().zip(&self.features).enumerate() {
                let sign = match (k, *constant < 0.0) {
                    (0, false) => " ",
                    (0, true) => " -",
                    (_, false) => " + ",
                    (_, true) => " - ",
                };
                line += sign;
                line += &significant(constant.abs());
                if *feature != Feature::One {
                    line.push(' ');
                    line += &feature.text(positions, inputs);
                }
            }
            line
        });
        Vec::from_iter(lines).join("\n")
    }

    /// Writes the law as JSON, replacing an old file at once or not at all.
    ///
    /// # Errors
    /// If a constant is not finite, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), IdentifyError> {
        // JSON has no other numbers.
        if self.constants.iter().any(|constant| !constant.is_finite()) {
            return Err(IdentifyError::Law { reason: "a constant is not finite".into() });
        }
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| IdentifyError::Law { reason: error.to_string() })?;
        Ok(hnn_files::write_all(path, &json)?)
    }

    /// Reads what [`save`](Self::save) has written.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no law.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, IdentifyError> {
        let path = path.as_ref();
        let text = hnn_files::read_text(path)
            .map_err(|source| IdentifyError::Read { path: path.to_owned(), source })?;
        serde_json::from_str(&text)
            .map_err(|e| IdentifyError::Law { reason: format!("{}: {e}", path.display()) })
    }

    /// The root mean square of each feature over states with inputs.
    pub(crate) fn sizes(&self, data: &DataSet<f64>) -> Vec<f64> {
        let [x, u] = [data.states(), data.inputs()].map(coordinate_major);
        let mut squares = vec![0.0; self.features.len()];
        let at = At { t: data.times(), u: &u };
        self.each(&at, &x, |_, k, value, _| squares[k] += value * value);
        squares.iter().map(|square| (square / data.len() as f64).sqrt()).collect()
    }

    /// The number that a feature is of, in row `row` of a batch.
    fn argument(&self, feature: Feature, at: &At<'_, f64>, x: &[f64], row: usize) -> f64 {
        let batch = at.batch();
        match feature.argument() {
            Argument::Nothing => 0.0,
            Argument::Position(i) => x[i * batch + row],
            Argument::Velocity(i) => x[(self.degrees + i) * batch + row],
            Argument::Input(k) => at.u[k * batch + row],
        }
    }

    /// Calls `each(row, k, g_k, g_k')` for every row and feature.
    fn each(&self, at: &At<'_, f64>, x: &[f64], mut each: impl FnMut(usize, usize, f64, f64)) {
        for (k, feature) in self.features.iter().enumerate() {
            for row in 0..at.batch() {
                let (value, slope) = feature.of(self.argument(*feature, at, x, row));
                each(row, k, value, slope);
            }
        }
    }
}

/// Five digits of a number.
fn significant(x: f64) -> String {
    if x != 0.0 && !(1e-3..1e5).contains(&x) {
        return format!("{x:.4e}");
    }
    let digits = (4 - x.max(1e-3).log10().floor() as i32).max(0) as usize;
    let text = format!("{x:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

impl std::fmt::Display for Law {
    /// With positions `q0`, `q1`, ... and inputs `u0`, `u1`, ....
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = |letter: char, n| Vec::from_iter((0..n).map(|i| format!("{letter}{i}")));
        f.write_str(&self.text(&names('q', self.degrees), &names('u', self.inputs)))
    }
}

impl Parameters<f64> for Law {
    fn num_params(&self) -> usize {
        self.constants.len()
    }

    fn copy_params(&self, out: &mut [f64]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.constants.len())?;
        out.copy_from_slice(&self.constants);
        Ok(())
    }

    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.constants.len())?;
        self.constants.copy_from_slice(theta);
        Ok(())
    }
}

impl VectorField<f64> for Law {
    fn dim(&self) -> usize {
        2 * self.degrees
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        let batch = at.batch();
        FieldError::check_lengths(self.inputs * batch, [("the inputs", at.u.len())])?;
        let len = 2 * self.degrees * batch;
        FieldError::check_lengths(len, [("the states", x.len()), ("the slopes", dx.len())])?;
        let half = self.degrees * at.batch();
        dx[..half].copy_from_slice(&x[half..]);
        let acceleration = &mut dx[half..];
        acceleration.fill(0.0);
        self.each(&at, x, |row, k, value, _| {
            for i in 0..self.degrees {
                acceleration[i * at.batch() + row] +=
                    self.constants[i * self.features.len() + k] * value;
            }
        });
        Ok(())
    }
}

/// Times and inputs of an evaluation.
#[derive(Debug, Default)]
pub struct LawResiduals {
    t: Vec<f64>,
    u: Vec<f64>,
}

impl DifferentiableField<f64> for Law {
    type Residuals = LawResiduals;

    fn eval_recorded(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut LawResiduals,
    ) -> Result<(), FieldError> {
        residuals.t.clear();
        residuals.t.extend_from_slice(at.t);
        residuals.u.clear();
        residuals.u.extend_from_slice(at.u);
        self.eval(at, x, dx, &mut Workspace::default())
    }

    fn vjp(
        &self,
        x: &[f64],
        residuals: &mut LawResiduals,
        v: &[f64],
        mut bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        let at = At { t: &residuals.t, u: &residuals.u };
        let (batch, terms) = (at.batch(), self.features.len());
        bars.check(batch, [2 * self.degrees, self.inputs, self.constants.len()], [x, v])?;
        let half = self.degrees * batch;
        let (of_velocity, of_acceleration) = v.split_at(half);
        bars.x[..half].fill(0.0);
        bars.x[half..].copy_from_slice(of_velocity);
        self.each(&at, x, |row, k, value, slope| {
            let mut bar = 0.0;
            for i in 0..self.degrees {
                let (v, place) = (of_acceleration[i * batch + row], i * terms + k);
                bars.theta.add(row, place, v * value);
                bar += v * self.constants[place] * slope;
            }
            match self.features[k].argument() {
                Argument::Nothing => {}
                Argument::Position(i) => bars.x[i * batch + row] += bar,
                Argument::Velocity(i) => bars.x[half + i * batch + row] += bar,
                Argument::Input(of) => {
                    if let Some(u_bar) = bars.u.as_deref_mut() {
                        u_bar[of * batch + row] += bar;
                    }
                }
            }
        });
        Ok(())
    }
}
