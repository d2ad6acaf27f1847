//! One or several panels as one image.

use std::path::Path;

use crate::layout::{Margins, Plan};
use crate::legend::{self, Place};
use crate::panel::{Entry, Panel};
use crate::scene::{Anchor, Rect, Scene};
use crate::series::Series;
use crate::style::Color;
use crate::{PlotError, draw, font, png, save, svg};

const BORDER: f64 = 6.0;
const SUPTITLE_SIZE: f64 = 16.0;
const SUPTITLE_ROOM: f64 = 30.0;

/// One panel, or several side by side, as one image.
///
/// A label has one colour throughout. The legend stands where it covers no curve: in a corner that
/// is free, else above the axes; once for the whole figure where all panels show the same labels.
///
/// ```
/// use hnn_plots::{Figure, Panel, Series};
/// let panel = |title| -> Result<Panel, hnn_plots::PlotError> {
///     let line = Series::new("HNN", [0.0, 1.0], [1.0, 0.5])?;
///     Ok(Panel::new(title).series(line))
/// };
/// let figure = Figure::grid(2, vec![panel("first")?, panel("second")?])?.with_title("Both");
/// let folder = tempfile::tempdir().expect("a temporary folder");
/// figure.save(folder.path().join("both.png"))?;
/// # Ok::<(), hnn_plots::PlotError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Figure {
    title: String,
    panels: Vec<Panel>,
    columns: usize,
    size: (u32, u32),
}

impl Figure {
    /// A figure of one panel, 1600 x 1000 pixels.
    pub fn new(panel: Panel) -> Self {
        Self { title: String::new(), panels: vec![panel], columns: 1, size: (1600, 1000) }
    }

    /// Panels in rows of `columns`, from left to right, then downwards.
    ///
    /// # Errors
    /// If there is no panel, or no column.
    pub fn grid(columns: usize, panels: Vec<Panel>) -> Result<Self, PlotError> {
        if panels.is_empty() || columns == 0 {
            return Err(PlotError::EmptyFigure { panels: panels.len(), columns });
        }
        let columns = columns.min(panels.len());
        let rows = panels.len().div_ceil(columns);
        let side = |panels: usize, one: usize, each: usize| match panels {
            1 => one as u32,
            n => u32::try_from(n.saturating_mul(each)).unwrap_or(u32::MAX),
        };
        let size = (side(columns, 1600, 1100), side(rows, 900, 720));
        Ok(Self { title: String::new(), panels, columns, size })
    }

    /// Sets a title above all panels.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the size of the PNG in pixels; an SVG is drawn at half of it, with the same look.
    #[must_use]
    pub fn with_size(mut self, width: u32, height: u32) -> Self {
        self.size = (width, height);
        self
    }

    /// The figure as SVG.
    ///
    /// # Errors
    /// If a panel is empty, its range unusable, or the image too small or too large.
    pub fn to_svg(&self) -> Result<String, PlotError> {
        Ok(svg::document(&self.scene()?))
    }

    /// The figure as the bytes of a PNG file.
    ///
    /// # Errors
    /// As [`Figure::to_svg`].
    pub fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        png::bytes(&self.scene()?)
    }

    /// Writes the figure: PNG or SVG by the ending of `path`. Folders on the way are made; an
    /// interrupted write leaves the old file, or none.
    ///
    /// # Errors
    /// As [`Figure::to_svg`]; if the ending is another, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        let path = path.as_ref();
        let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        let bytes = match ending.as_deref() {
            Some("png") => self.to_png()?,
            Some("svg") => self.to_svg()?.into_bytes(),
            _ => return Err(PlotError::UnknownFormat { path: path.into() }),
        };
        save::with_folders(path, &bytes)
    }

    fn scene(&self) -> Result<Scene, PlotError> {
        let (width, height) = self.size;
        let rows = self.panels.len().div_ceil(self.columns);
        let too_small =
            width < 200 * self.columns.min(80) as u32 || height < 200 * rows.min(80) as u32;
        if too_small || width > 16_000 || height > 16_000 {
            return Err(PlotError::Size { width, height });
        }
        let mut scene = Scene::new(f64::from(width) / png::PIXELS, f64::from(height) / png::PIXELS);

        let names = self.model_names();
        let color_of =
            |label: &str| Color::for_model(names.iter().position(|n| *n == label).unwrap_or(0));
        let entries: Vec<_> = self.panels.iter().map(|p| legend::entries(p, color_of)).collect();
        let shared = shared_legend(&entries);
        let mut plans = self
            .panels
            .iter()
            .zip(entries)
            .map(|(panel, entries)| {
                Plan::new(panel, if shared.is_some() { vec![] } else { entries })
            })
            .collect::<Result<Vec<_>, _>>()?;

        let top = self.draw_heading(&mut scene, shared.as_deref());
        let cells = self.cells(&scene, top, rows);
        let areas = self.areas(&mut plans, &cells, rows);
        let color = |series: &Series| series.color.unwrap_or_else(|| color_of(&series.label));
        for ((plan, cell), area) in plans.iter().zip(cells).zip(areas) {
            draw::panel(&mut scene, plan, cell, area, &color);
        }
        Ok(scene)
    }

    /// The labels that get a colour of the palette, in order.
    fn model_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for series in self.panels.iter().flat_map(|p| &p.series).filter(|s| s.color.is_none()) {
            if !names.contains(&series.label.as_str()) {
                names.push(&series.label);
            }
        }
        names
    }

    /// Draws title and shared legend; the panels start at the height it returns.
    fn draw_heading(&self, scene: &mut Scene, legend: Option<&[Entry]>) -> f64 {
        let mut top = BORDER;
        let left = BORDER + 14.0;
        if !self.title.is_empty() {
            let size = font::fitting(&self.title, SUPTITLE_SIZE, scene.width - 2.0 * left);
            scene.text(&self.title, (left, top + 20.0), size, Anchor::Start);
            top += SUPTITLE_ROOM;
        }
        if let Some(entries) = legend {
            let width = scene.width - 2.0 * left;
            legend::draw_rows(scene, entries, (left, top + 2.0), width);
            top += legend::rows_height(entries, width) + 2.0;
        }
        top
    }

    fn cells(&self, scene: &Scene, top: f64, rows: usize) -> Vec<Rect> {
        let width = (scene.width - 2.0 * BORDER) / self.columns as f64;
        let height = (scene.height - top - BORDER) / rows as f64;
        let cell = |i: usize| Rect {
            left: BORDER + (i % self.columns) as f64 * width,
            top: top + (i / self.columns) as f64 * height,
            width,
            height,
        };
        (0..self.panels.len()).map(cell).collect()
    }

    /// Places legends, and aligns the axes of each column and row.
    fn areas(&self, plans: &mut [Plan<'_>], cells: &[Rect], rows: usize) -> Vec<Rect> {
        for (plan, cell) in plans.iter_mut().zip(cells) {
            plan.place_legend(*cell);
        }
        let margins: Vec<Margins> = plans.iter().zip(cells).map(|(p, c)| p.margins(*c)).collect();
        let place = |i: usize| (i % self.columns, i / self.columns);
        let mut columns = vec![Margins::default(); self.columns];
        let mut lines = vec![Margins::default(); rows];
        for (i, margins) in margins.iter().enumerate() {
            let (column, row) = place(i);
            columns[column] = columns[column].max(margins);
            lines[row] = lines[row].max(margins);
        }
        let mut areas = Vec::with_capacity(plans.len());
        for (i, (plan, cell)) in plans.iter_mut().zip(cells).enumerate() {
            let (column, row) = place(i);
            let Margins { left, right, .. } = columns[column];
            let Margins { top, bottom, .. } = lines[row];
            let area = Margins { left, right, top, bottom }.inside(*cell);
            if matches!(plan.place, Place::Inside(_)) {
                plan.settle_inside(area);
            }
            areas.push(area);
        }
        areas
    }
}

/// The legend of all panels, where they are several and show the same labels in the same style.
fn shared_legend(entries: &[Vec<Entry>]) -> Option<Vec<Entry>> {
    let first = entries.first()?;
    let same = entries.len() > 1 && first.len() > 1 && entries.iter().all(|e| e == first);
    same.then(|| first.clone())
}
