//! Progress while models train.

use hnn_train::{Control, Progress};
use indicatif::{ProgressBar, ProgressStyle};

/// One bar over all training runs of an example.
pub struct Bars {
    bar: ProgressBar,
}

impl Bars {
    /// A bar over so many steps in all.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64);
        let template = "{elapsed_precise} {wide_bar} {pos}/{len} steps, {eta} left, {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// An observer of one run; every thread may have its own.
    pub fn observer<'a>(&'a self, label: &'a str) -> impl FnMut(&Progress<'_>) -> Control + 'a {
        let mut done = 0;
        move |progress: &Progress<'_>| {
            // A resumed run has made its first steps before.
            let step = progress.record.step as u64;
            self.bar.inc(step + 1 - std::mem::replace(&mut done, step + 1));
            if progress.record.step.is_multiple_of(100) {
                self.bar.set_message(format!("{label}: loss {:.2e}", progress.record.loss));
            }
            Control::Continue
        }
    }

    /// A line above the bar; also where there is no terminal.
    pub fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            println!("{text}");
        } else {
            self.bar.println(text);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
