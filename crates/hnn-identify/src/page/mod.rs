//! An identification as a page.

use std::fmt::{self, Display, Formatter, Write};
use std::fs;
use std::path::{Path, PathBuf};

use crate::identification::LEFT_OUT;
use crate::{Identification, IdentifyError};

#[cfg(feature = "plots")]
mod figures;

/// Text in HTML.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            _ => f.write_char(c),
        })
    }
}

/// Wide things scroll in boxes of their own, so that the page fits a telephone.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;\
color:#222;background:#fff}h1{line-height:1.2;overflow-wrap:anywhere}figure{margin:1rem 0}\
li,p{overflow-wrap:break-word}.wide{overflow-x:auto}table{border-collapse:collapse}\
th,td{padding:.25rem .75rem;border-bottom:1px solid #ccc;text-align:right;white-space:nowrap}\
th:first-child,td:first-child{text-align:left}tr.best{font-weight:bold;background:#eef4ff}\
td:first-child{white-space:normal}pre{background:#f5f5f5;padding:.75rem;white-space:pre-wrap;\
overflow-wrap:anywhere}img{max-width:100%;height:auto}\
.warning{border-left:4px solid #b35900;padding:.25rem .75rem;background:#fff6ea}";

impl Identification {
    /// Writes `index.html` into a folder, which is made where it is not there, with the report, the table,
    /// the formula and its constants, figures of the held-out rows (feature `plots`), and the
    /// best model's file. Says where the page is.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: impl AsRef<Path>) -> Result<PathBuf, IdentifyError> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder)
            .map_err(|source| IdentifyError::Folder { path: folder.to_owned(), source })?;
        let model = self.model().model.save(folder)?;
        #[cfg(feature = "plots")]
        let figures = self.figures(folder)?;
        #[cfg(not(feature = "plots"))]
        let figures: Vec<(String, String)> = Vec::new();
        let page = folder.join("index.html");
        hnn_files::write_all(&page, self.html(&model, &figures).as_bytes())?;
        Ok(page)
    }

    fn html(&self, model: &Path, figures: &[(String, String)]) -> String {
        // Where it lies stands in the report.
        let source = Path::new(&self.report.source).file_name().unwrap_or_default();
        let source = Escaped(&source.to_string_lossy()).to_string();
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>Identification of {source}</title>\n<style>{STYLE}</style></head>\n<body><main>\n\
             <h1>Identification of {source}</h1>\n"
        );
        for warning in self.warnings.iter().chain(&self.report.advice) {
            html += &format!("<p class=\"warning\" role=\"note\">{}</p>\n", Escaped(warning));
        }
        html += "<h2>Supported by the data</h2>\n<pre>";
        for line in self.verdict() {
            html += &format!("{}\n", Escaped(&line));
        }
        html += "</pre>\n";
        let best = self.model();
        let lists = [
            ("Constants and standard errors", &best.constants),
            ("In units of the input", &best.by_input),
            (LEFT_OUT, &best.dropped),
        ];
        for (head, constants) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            html += &format!("<h3>{head}</h3>\n<ul>\n");
            for constant in constants {
                let constant = constant.to_string().replace("+-", "\u{b1}");
                html += &format!("<li>{}</li>\n", Escaped(&constant));
            }
            html += "</ul>\n";
        }
        if !best.doubts.is_empty() {
            html += "<h3>Not told by the data</h3>\n";
        }
        for doubt in &best.doubts {
            html += &format!("<p>{}</p>\n", Escaped(&doubt.replace("+-", "\u{b1}")));
        }
        html += "<h2>Models</h2>\n<div class=\"wide\" role=\"region\" aria-label=\"Models\" tabindex=\"0\"><table>\n";
        for (row, cells) in self.table().iter().enumerate() {
            let (class, cell) = match row {
                0 => ("", "th"),
                _ if cells[0] == best.name => (" class=\"best\"", "td"),
                _ => ("", "td"),
            };
            html += &format!("<tr{class}>");
            for text in cells {
                let text = text.replace("+-", "\u{b1}");
                html += &format!("<{cell}>{}</{cell}>", Escaped(&text));
            }
            html += "</tr>\n";
        }
        html += &format!("</table></div>\n<p>{}</p>\n", Escaped(&self.legend()));
        for (file, text) in figures {
            let text = Escaped(text);
            html += &format!(
                "<figure><img src=\"{file}\" alt=\"{text}\"><figcaption>{text}</figcaption></figure>\n"
            );
        }
        let name = model.file_name().unwrap_or_default().to_string_lossy();
        html += &format!(
            "<h2>Model file</h2>\n<p><a href=\"{0}\">{0}</a></p>\n<h2>The recording</h2>\n<pre>{1}</pre>\n\
             </main></body></html>\n",
            Escaped(&name),
            Escaped(&self.report.to_string())
        );
        html
    }
}
