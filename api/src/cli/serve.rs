//! `pruefpfad serve`.

use std::process::ExitCode;

use super::ServeArgs;
use crate::app;
use crate::config::Settings;
use crate::http::is_built;
use crate::language::Language;
use crate::telemetry::Telemetry;

/// Serves until a signal ends it.
pub(super) async fn run(
    arguments: &ServeArgs,
    settings: &Settings,
    language: Language,
) -> anyhow::Result<ExitCode> {
    let telemetry = Telemetry::start(&settings.telemetry)?;
    let (db, sources) = (app::connect(settings).await?, app::sources(settings)?);
    let migrate = arguments.migrate || settings.database.migrate_on_start;
    app::prepare(settings, &db, &sources, migrate).await?;
    let running = app::start(settings, db, sources).await?;
    tracing::info!(address = %running.address, "serving");
    if settings.explorer.enabled && !is_built(&settings.explorer) {
        tracing::warn!(
            "{}",
            language.say(
                "Explorer nicht gebaut: cd api/explorer && npm ci && npm run build",
                "explorer not built: cd api/explorer && npm ci && npm run build"
            )
        );
    }
    running.wait().await?;
    telemetry.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
