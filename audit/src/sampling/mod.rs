//! The statistics of audit sampling: how large a sample must be, which items it holds, what its result says.
//!
//! Pure from end to end: no I/O, no clock, no database, no randomness of its own. The same inputs give the same
//! answer on every machine, so an outside auditor can read and run this folder alone.
//!
//! - [`planning`]: sample sizes and their allocation to strata
//! - [`selection`]: which items a sample holds, by record or by monetary unit, streaming
//! - [`ceremony`]: how the seed comes about, and who could steer it
//! - [`redraw`]: the draw repeated from the draw file and the draw record
//! - [`evaluation`]: exact limits, projected error, Stringer bound, conclusion
//! - [`numerics`]: quantiles and tail probabilities behind them
//! - [`derivation`]: how a result came about, step by step
//! - [`refusal`]: why there is no result, and which part of the input has to change
//! - [`calculator`]: the methods by name, with JSON in and out
//! - [`of_sample`]: the same on a stored sample
//!
//! Every result names its method and the method's version; a change that could alter a figure raises the version.

pub mod calculator;
pub mod ceremony;
pub mod derivation;
pub mod evaluation;
mod guidance;
pub mod numerics;
pub mod of_sample;
pub mod planning;
pub mod redraw;
pub mod refusal;
pub mod selection;
