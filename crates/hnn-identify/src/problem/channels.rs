//! What the channels of a recording are, and how well each is known.

use hnn_data::{ChannelReport, Recording, Role};
use ndarray::ArrayView2;

use crate::IdentifyError;

/// Errors below this share of a coordinate's size are rounding: numbers are never better than that.
const ROUNDING: f64 = 1e-9;
/// Noise is seldom all that is wrong with a number: relative errors are taken to be so many times the least one
/// at least.
const LEAST: f64 = 10.0;

/// The channels of a recording by what they are, those of a mechanical state.
pub(super) struct Channels<'a> {
    pub(super) positions: Vec<&'a ChannelReport>,
    pub(super) velocities: Vec<&'a ChannelReport>,
    pub(super) momenta: Vec<&'a ChannelReport>,
    pub(super) inputs: Vec<&'a ChannelReport>,
}

impl<'a> Channels<'a> {
    /// Positions, with as many velocities, as many momenta or neither.
    pub(super) fn of(recording: &'a Recording) -> Result<Self, IdentifyError> {
        let all = recording.report().channels.iter();
        let of = |roles: &[Role]| Vec::from_iter(all.clone().filter(|c| roles.contains(&c.role)));
        let found = Self {
            positions: of(&[Role::Position, Role::Angle]),
            velocities: of(&[Role::Velocity]),
            momenta: of(&[Role::Momentum]),
            inputs: of(&[Role::Input]),
        };
        let [degrees, velocities, momenta, others] =
            [&found.positions, &found.velocities, &found.momenta, &of(&[Role::State])]
                .map(Vec::len);
        let rates = [velocities, momenta];
        let is_whole = [[0, 0], [degrees, 0], [0, degrees]].contains(&rates);
        if degrees == 0 || !is_whole || others > 0 {
            let given = format!(
                "{degrees} positions, {velocities} velocities, {momenta} momenta and {others} other coordinates"
            );
            let cure = "declare each coordinate as a position or an angle, and for all of them or for \
                        none a velocity or a momentum";
            return Err(IdentifyError::State { given, cure: cure.into() });
        }
        Ok(found)
    }

    /// Noise over size of the noisiest input.
    pub(super) fn input_noise(&self, inputs: ArrayView2<'_, f64>) -> f64 {
        let columns = self.inputs.iter().zip(inputs.columns());
        let shares = columns.map(|(channel, u)| channel.noise.unwrap_or(0.0) / u.std(0.0));
        shares.filter(|share| share.is_finite()).fold(0.0, f64::max)
    }

    /// `1 / noise^2` of each coordinate of these sizes, relative to the best one; 0 for those that are not
    /// measured, or whose measurements are not used.
    pub(super) fn weights(&self, sizes: &[f64], has_better_velocities: bool) -> Vec<f64> {
        let degrees = self.positions.len();
        let measured = self.positions.iter().chain(&self.velocities).chain(&self.momenta);
        let is_used = |i: usize| i < degrees || !has_better_velocities;
        let noise = |(i, (channel, size)): (usize, (&&ChannelReport, &f64))| {
            let step = channel.step.unwrap_or(0.0) / 12f64.sqrt();
            let noise = channel.noise.unwrap_or(0.0).max(step).max(ROUNDING * size);
            is_used(i).then_some(noise)
        };
        let mut noises = Vec::from_iter(measured.zip(sizes).enumerate().map(noise));
        noises.resize(sizes.len(), None);
        let relative = noises.iter().zip(sizes).filter_map(|(noise, size)| Some((*noise)? / size));
        let best = relative.fold(f64::INFINITY, f64::min);
        let weight = |(noise, size): (&Option<f64>, &f64)| {
            noise.map_or(0.0, |noise| (noise.max(LEAST * best * size) / best).powi(-2))
        };
        noises.iter().zip(sizes).map(weight).collect()
    }
}

/// Names of channels, without the unit in brackets.
pub(super) fn names(channels: &[&ChannelReport]) -> Vec<String> {
    let bare = |name: &str| name.split('[').next().unwrap_or(name).trim().to_owned();
    channels.iter().map(|channel| bare(&channel.name)).collect()
}
