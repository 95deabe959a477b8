//! The binary.

use std::process::ExitCode;

use api::auth::system_clock;
use api::cli::{Cli, Surroundings, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    let language = std::env::var("PRUEFPFAD_LANG")
        .ok()
        .and_then(|tag| tag.parse().ok())
        .unwrap_or_default();
    let cli = match Cli::from_process(language) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let surroundings = Surroundings {
        language,
        now: system_clock(),
    };
    match Box::pin(run(cli, surroundings)).await {
        Ok(code) => code,
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}
