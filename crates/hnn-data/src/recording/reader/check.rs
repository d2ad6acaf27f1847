//! Whether what the caller said of a recording goes together.

use super::RecordingReader;
use crate::DataError;
use crate::recording::column::{Column, Role, Wrap};
use crate::recording::text::Delimiter;

impl RecordingReader {
    /// Looks at what the caller said.
    pub(super) fn check(&self, source: &str) -> Result<(), DataError> {
        let refuse = |problem: String, cure: &str| {
            Err(DataError::Recording { source_name: source.into(), problem, cure: cure.into() })
        };
        if self.gap.is_nan() || self.gap <= 1.0 {
            return Err(DataError::GapFactor { given: self.gap });
        }
        if let Some(interval) = self.interval.filter(|dt| !(*dt > 0.0 && dt.is_finite())) {
            return refuse(format!("an interval of {interval}"), "give a time above 0");
        }
        if let Some(mark) = self.options.decimal.filter(|mark| !['.', ','].contains(mark)) {
            return refuse(format!("decimal mark {mark:?}"), "give '.' or ','");
        }
        let delimiter = self.options.delimiter;
        if matches!(delimiter, Some(Delimiter::Char(c)) if !c.is_ascii_graphic() && c != b'\t' || c == b'"')
        {
            return refuse(
                "a delimiter that separates nothing".into(),
                "give one character of ASCII, or a blank",
            );
        }
        if self.options.comments.iter().any(String::is_empty) {
            return refuse("an empty mark of comments".into(), "give at least one character");
        }
        for (_, column) in &self.roles {
            if column.factor == 0.0 || !column.factor.is_finite() {
                let problem = format!("column {} times {}", column.key, column.factor);
                return refuse(problem, "give a factor that is finite and not 0");
            }
        }
        if self.roles.is_empty() {
            return Ok(());
        }
        let count = |role: Role| self.roles.iter().filter(|(other, _)| *other == role).count();
        match (count(Role::Time), self.interval) {
            (1, None) | (0, Some(_)) => {}
            (0, None) => {
                return refuse(
                    "no column is the time".into(),
                    "name it by `time`, or give the spacing by `with_interval`",
                );
            }
            _ => {
                return refuse(
                    "the time is given twice".into(),
                    "give one column, or the interval",
                );
            }
        }
        let positions = count(Role::Position) + count(Role::Angle);
        let (velocities, momenta) = (count(Role::Velocity), count(Role::Momentum));
        let rates = velocities + momenta;
        let dim = positions + count(Role::State) + rates;
        if dim == 0 {
            return refuse(
                "no column is a coordinate of the state".into(),
                "name at least one by `position`, `angle` or `state`",
            );
        }
        if velocities > 0 && momenta > 0 {
            return refuse(
                format!("{velocities} velocities and {momenta} momenta"),
                "a state has the one or the other: give the velocities as `derivative`s, or leave them out",
            );
        }
        if velocities > 0 && positions == 0 {
            return refuse(
                format!("{velocities} velocities, but no position"),
                "add a column with the velocity summed over time as its `position` (where it begins makes no \
                 difference to what is free to move), or name the velocity `state`",
            );
        }
        if rates > 0 && rates != positions {
            return refuse(
                format!("{rates} velocities or momenta for {positions} positions"),
                "give one for each, or none, or name them `state`",
            );
        }
        let derivatives = count(Role::Derivative);
        if derivatives > 0 && derivatives != dim && !(velocities > 0 && derivatives == velocities) {
            return refuse(
                format!("{derivatives} derivatives for a state of {dim}"),
                "give one for each coordinate, or none",
            );
        }
        let turning =
            |(role, column): &&(Role, Column)| *role != Role::Angle && column.wrap == Wrap::Wrapped;
        if let Some((role, column)) = self.roles.iter().find(turning) {
            return refuse(
                format!("column {} is a {role} that wraps", column.key),
                "name it by `angle`",
            );
        }
        Ok(())
    }
}
