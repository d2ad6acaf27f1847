//! What the experiments with the double pendulum share: training, judging, an animation.

mod animation;
mod contest;

pub use animation::write_animation;
pub use contest::{Contender, Judge, Training, Verdict, valid_prediction_time};
