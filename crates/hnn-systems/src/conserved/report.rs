//! What was found, to be read and to be printed.

use std::fmt;

/// A quantity `Q(x)` and how well it is conserved.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Quantity {
    /// Its terms: a coefficient, and the name of the feature that is multiplied by it.
    pub terms: Vec<(f64, String)>,
    /// Its rate at the states, relative to how fast it could change ([`Conservation`](crate::Conservation)).
    pub drift: f64,
    /// The root mean square of `Q(t) - Q(0)` along rollouts, in units of the size of `Q`; none without rollouts.
    pub along: Option<f64>,
    /// Whether its drift is within the tolerance.
    pub conserved: bool,
}

/// The formula.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (c, name)) in self.terms.iter().enumerate() {
            match (index, c.is_sign_negative()) {
                (0, false) => {}
                (0, true) => f.write_str("-")?,
                (_, false) => f.write_str(" + ")?,
                (_, true) => f.write_str(" - ")?,
            }
            let size = rounded(c.abs());
            if size != 1.0 {
                write!(f, "{size} ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// To six digits.
fn rounded(c: f64) -> f64 {
    format!("{c:.5e}").parse().unwrap_or(c)
}

/// Quantities and how well they are conserved; prints as a table.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ConservationReport {
    /// What they are tested for.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) what: &'static str,
    /// The quantities.
    pub quantities: Vec<Quantity>,
    /// Number of states.
    pub states: usize,
    /// Up to what drift a quantity counts as conserved.
    pub tolerance: f64,
    /// Number of rollouts.
    pub rollouts: usize,
    /// How long they are, in units of time.
    pub duration: f64,
}

impl fmt::Display for ConservationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, states, tolerance, rollouts, duration, .. } = self;
        write!(f, "{what}: relative drift at {states} states (yes: up to {tolerance:.0e})")?;
        if *rollouts > 0 {
            write!(f, ", and along {rollouts} rollouts of {} time units", rounded(*duration))?;
        }
        if self.quantities.is_empty() {
            f.write_str("\n  none")?;
        }
        for quantity in &self.quantities {
            let answer = if quantity.conserved { "yes" } else { "no" };
            write!(f, "\n  {answer:<4} {:<8.1e} ", quantity.drift)?;
            if let Some(along) = quantity.along {
                write!(f, "{along:<8.1e} ")?;
            }
            write!(f, "{quantity}")?;
        }
        Ok(())
    }
}
