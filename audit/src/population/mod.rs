//! A population (Grundgesamtheit): filled by imports, reconciled to an independent control total, frozen for good.
//!
//! Reading a file is in [`import`] (pure), writing its lines in `sink`; `intake` joins the two. [`canonical`] and
//! [`reconciliation`] are pure.

mod batch;
pub mod canonical;
mod control;
mod freeze;
pub mod import;
mod intake;
pub mod reconciliation;
mod service;
mod sink;

pub use batch::{control_totals_of, imports_of, of_engagements};
pub use control::{
    CellInput, Comparison, ControlTotalInput, approve_difference, cells_from_csv, control_totals,
    differences, enter_control_total, explain_difference, find_differences, population_cells,
};
pub use freeze::freeze;
pub(crate) use freeze::number_event;
pub(crate) use intake::open_case_number;
pub use intake::{IntakeLimits, import_file, run_import, sweep};
pub use service::{
    Create, OpenImport, create, discard, find_imports, find_many, imports, list, open_import, rejections,
};
