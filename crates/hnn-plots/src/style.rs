//! Colours that colour-blind readers tell apart, and line styles.

/// An opaque colour, red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Color(
    /// Red, 0 to 255.
    pub u8,
    /// Green, 0 to 255.
    pub u8,
    /// Blue, 0 to 255.
    pub u8,
);

/// The palette of M. Okabe and K. Ito, "Color Universal Design" (2008), told apart by readers with
/// any of the common kinds of colour blindness.
impl Color {
    /// Black: text and frames.
    pub const BLACK: Self = Self(0, 0, 0);
    /// Blue, the first model.
    pub const BLUE: Self = Self(0, 114, 178);
    /// Vermilion, the second model.
    pub const VERMILION: Self = Self(213, 94, 0);
    /// Bluish green, the third model.
    pub const GREEN: Self = Self(0, 158, 115);
    /// Reddish purple, the fourth model.
    pub const PURPLE: Self = Self(204, 121, 167);
    /// Orange, the fifth model.
    pub const ORANGE: Self = Self(230, 159, 0);
    /// Sky blue, the sixth model.
    pub const SKY_BLUE: Self = Self(86, 180, 233);
    /// Yellow: legible as an area, hardly as a line, so no model gets it by default.
    pub const YELLOW: Self = Self(240, 228, 66);
    /// Grey: the truth, behind the models.
    pub const GREY: Self = Self(150, 150, 150);

    pub(crate) const WHITE: Self = Self(255, 255, 255);
    pub(crate) const INK: Self = Self(38, 38, 38);
    pub(crate) const GRID: Self = Self(228, 228, 228);
    pub(crate) const ARROW: Self = Self(182, 190, 202);

    /// The colour of the model number `index`, counted from 0.
    pub fn for_model(index: usize) -> Self {
        const ORDER: [Color; 6] = [
            Color::BLUE,
            Color::VERMILION,
            Color::GREEN,
            Color::PURPLE,
            Color::ORANGE,
            Color::SKY_BLUE,
        ];
        ORDER[index % ORDER.len()]
    }
}

/// How a line is broken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Dash {
    /// Unbroken.
    #[default]
    Solid,
    /// Long dashes.
    Dashed,
    /// Dots.
    Dotted,
    /// Dash, dot, dash, dot.
    DashDot,
}

impl Dash {
    /// Lengths of ink and gap in units of the line's width.
    pub(crate) fn pattern(self) -> &'static [f64] {
        match self {
            Self::Solid => &[],
            Self::Dashed => &[4.5, 2.2],
            Self::Dotted => &[1.2, 1.8],
            Self::DashDot => &[5.5, 1.8, 1.2, 1.8],
        }
    }
}

/// What marks the points of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Mark {
    /// A line through the points.
    #[default]
    Line,
    /// A disc at each point.
    Points,
    /// Discs joined by a line.
    LinePoints,
    /// A dot at each of many points, such as those of a Poincaré section.
    Dots,
    /// A bar from zero (from the bottom of a logarithmic axis).
    Bars,
}

impl Mark {
    pub(crate) fn has_line(self) -> bool {
        matches!(self, Self::Line | Self::LinePoints)
    }

    pub(crate) fn has_points(self) -> bool {
        self.radius().is_some()
    }

    /// The radius of the discs, if there are any.
    pub(crate) fn radius(self) -> Option<f64> {
        match self {
            Self::Line | Self::Bars => None,
            Self::Points | Self::LinePoints => Some(3.6),
            Self::Dots => Some(0.8),
        }
    }
}
