//! What the engine costs, case by case, on one thread: training steps, evaluations, rollouts, and the
//! methods that have a peer in Python.
//!
//! `cargo bench -p hnn-benches --bench engine -- NAME` prints the cases whose names contain NAME; `benches/peers/run`
//! runs them in turn with the same cases of JAX, PyTorch and others, which this program serves them to
//! (`--serve`). With feature `tch` (`scripts/with-libtorch cargo bench ..`), `--libtorch` takes the second engine.
#![allow(clippy::print_stdout)]

mod batches;
mod formulas;
mod lagrangian;
mod lasso;
mod rollout;
mod training;

use hnn_benches::{Case, Error, Options, on_threads};

fn main() -> Result<(), Error> {
    let options = Options::from_args();
    let flag = |name: &str| std::env::args().any(|argument| argument == name);
    let part = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    on_threads(1, || {
        let mut cases = cases(flag("--libtorch"))?;
        if flag("--serve") {
            return hnn_benches::serve(&mut cases);
        }
        hnn_benches::announce();
        let (rounds, seconds) = (options.pick(7, 3), options.pick(0.2, 0.05));
        hnn_benches::print(&mut cases, &part.unwrap_or_default(), rounds, seconds);
        Ok(())
    })
}

fn cases(libtorch: bool) -> Result<Vec<Case>, Error> {
    if libtorch {
        #[cfg(feature = "tch")]
        return Ok(training::libtorch_cases()
            .into_iter()
            .chain(lagrangian::libtorch_cases())
            .collect());
        #[cfg(not(feature = "tch"))]
        return Err("build with feature `tch` for the libtorch engine".into());
    }
    let mut cases = training::cases();
    cases.extend(batches::cases());
    cases.extend(lagrangian::cases());
    cases.extend(rollout::cases());
    cases.extend(formulas::cases());
    cases.extend(lasso::cases());
    Ok(cases)
}
