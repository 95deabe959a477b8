//! The service whose read records are kept nowhere, so that the benchmark can tell what they cost. The product has no such
//! switch.

use api::app;
use api::config::Layers;
use audit::Result;
use audit::reads::KeepsReads;
use entity::read_record::Model;
use futures_util::future::{BoxFuture, FutureExt as _};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Nowhere;

impl KeepsReads for Nowhere {
    fn keep(&self, records: Vec<Model>) -> BoxFuture<'_, Result<()>> {
        drop(records);
        async { Ok(()) }.boxed()
    }
}

/// Configured by the environment alone, like the service beside it.
#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let layers = Layers {
        environment: std::env::vars().collect(),
        ..Layers::default()
    };
    let settings = layers
        .load()
        .map_err(|error| anyhow::anyhow!(error.text(api::language::Language::En)))?
        .settings;
    let telemetry = api::telemetry::Telemetry::start(&settings.telemetry)?;
    let (db, sources) = (app::connect(&settings).await?, app::sources(&settings)?);
    app::prepare(&settings, &db, &sources, false).await?;
    app::start_keeping(&settings, db, sources, Nowhere)
        .await?
        .wait()
        .await?;
    telemetry.shutdown().await;
    Ok(())
}
