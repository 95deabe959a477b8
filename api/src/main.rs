//! The binary.

use std::process::ExitCode;
use std::sync::Arc;

use api::cli::{Cli, Surroundings, run};
use api::config::Language;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    let language = Language::from_variable(std::env::var_os("PRUEFPFAD_LANG").as_deref());
    let cli = Cli::from_process(language);
    match run(cli, Surroundings { language, now: Arc::new(chrono::Utc::now) }).await {
        Ok(code) => code,
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}
