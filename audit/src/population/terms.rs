//! The two closed lists every population speaks: who bears the money, and what one line is.

pub use entity::Fund;
pub use entity::population::Unit;
