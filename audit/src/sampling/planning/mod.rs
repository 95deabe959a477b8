//! Sample sizes, and how a sample is shared out over strata.
//!
//! Rates are exact decimals between 0 and 1, amounts whole cents or euros. Products of a rate and a count are
//! formed in integers: a float that comes out 1e-15 too large would plan one deviation more and make the
//! sample up to 6 % larger.
//!
//! - [`attribute`]: sizes for deviations in items (binomial, Poisson, hypergeometric), discovery, stages, a
//!   page of sizes
//! - [`monetary`]: sizes for monetary unit samples, EC standard and conservative, the exhaustive stratum of
//!   high values
//! - [`variables`]: sizes for estimates of an amount, unstratified and stratified
//! - [`risk`]: from the audit risk to the confidence of the sample
//! - [`strata`]: where to cut a population into strata
//! - [`allocation`]: shares of strata
//! - [`stored`]: the two methods stored samples are planned by
//!
//! Sources: AICPA Audit Guide Audit Sampling (2017), tables A-1/A-2 (attributes) and C-1 (monetary units); EC
//! guidance EGESIF 16-0014-01 (2017); Touw and Hoogduin, Statistiek voor audit en controlling (2011); each
//! file names its own.

pub mod allocation;
pub mod attribute;
mod error;
mod exact;
pub mod monetary;
pub mod risk;
pub mod stored;
pub mod strata;
pub mod variables;

#[cfg(test)]
mod speed;

pub use crate::sampling::guidance::FactorProfile;
pub use allocation::{MINIMUM_PER_STRATUM, ShareRounding, StratumSize, allocate};
pub use error::{PlanError, SizeError};
pub use exact::{FiniteCorrection, Rounding, Unit};
pub use stored::{
    ATTRIBUTE_METHOD, AttributePlan, LARGEST_MONETARY_SIZE, MONETARY_METHOD, MonetaryPlan, VERSION,
    attribute_size, monetary_size,
};
