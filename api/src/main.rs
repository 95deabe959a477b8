//! The command.
fn main() { print!("{}", api::graphql::sdl()); }
