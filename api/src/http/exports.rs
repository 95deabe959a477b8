//! Lists on their way out: `GET /exports/sample-items.csv`, streamed page by page.
//!
//! UTF-8 with a byte order mark (spreadsheets recognise it), semicolons, amounts with a decimal comma. A text cell that a
//! spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV Injection).

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header;
use actix_web::web::{Bytes, Data, Query, ServiceConfig, get};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};
use async_stream::stream;
use audit::access::{Action, Class, Classes, disclose};
use audit::page::{PageArgs, Position};
use audit::population::import::amount::{self, Decimals};
use audit::reads::{Asked, Export, RECORDED, Reads, operation_hash};
use audit::sample::{ItemFilter, ItemOrder, ItemSort, items};
use audit::{Ctx, Db, Language, jobcenter};
use entity::{BezirksstelleId, Cents, EngagementId, ListedItem, SampleId, StratumId, sample_item};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::callers::{House, deny};
use super::edge::lacks_right;
use super::transport::Fault;
use crate::auth::{Actor, Refused};
use crate::graphql::{NodeKind, euro, refusal_json};
use crate::language::language_of;
use crate::telemetry::Metrics;

/// The download as an operation.
const ADDRESS: &str = "GET /exports/sample-items.csv";
/// Rows fetched at once.
const PAGE: u64 = 1_000;

/// Where lists are fetched from.
pub fn export_routes(routes: &mut ServiceConfig) {
    routes.route("/exports/sample-items.csv", get().to(sample_items));
}

/// The filters of the list, as in the API's `SampleItemFilter`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Parameters {
    engagement: Option<String>,
    sample: Option<String>,
    bezirksstelle: Option<String>,
    stratum: Option<String>,
    state: Option<sample_item::State>,
    result: Option<sample_item::CheckResult>,
    amount_from: Option<String>,
    amount_to: Option<String>,
    reference: Option<String>,
    announced: Option<bool>,
    #[serde(default)]
    mine: bool,
    order: Option<Sort>,
    #[serde(default)]
    descending: bool,
}

/// What the list is sorted by, as in the API's `SampleItemSort`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Sort {
    DrawOrder,
    Amount,
    Reference,
    Id,
}

async fn sample_items(
    request: HttpRequest,
    parameters: Result<Query<Parameters>, actix_web::Error>,
    actor: Actor,
    house: Data<House>,
    metrics: Data<Metrics>,
) -> HttpResponse {
    let language = language_of(&request);
    let ctx = match house.context(Some(&actor), &request).await {
        Ok(ctx) => ctx,
        Err(error) => return Refused { error, language }.error_response(),
    };
    let refuse = |path: &str| {
        refusal_json(
            &audit::Error::refused(audit::Code::InvalidValue, path),
            &ctx,
            language,
        )
    };
    let Ok(Query(parameters)) = parameters else {
        return refuse("query");
    };
    let Some((filter, order)) = parameters.resolve(&ctx) else {
        return refuse("query");
    };
    if let Err(error) = disclose(&ctx, Action::SampleItemRead, HELD) {
        let lacking = Asked {
            classes: HELD.and(RECORDED).beyond(ctx.caller.classes()),
            ..asked(ADDRESS)
        };
        if !lacking.classes.is_empty() {
            deny(&ctx, &house.db, &lacking).await;
        }
        return refusal_json(&error, &ctx, language);
    }
    // The first page tells whether the caller may see the list at all, while there is still a status to say so.
    let first = match page(&ctx, &house.db, &filter, order, None).await {
        Ok(first) => first,
        Err(error) => {
            if lacks_right(&error) {
                deny(&ctx, &house.db, &asked(ADDRESS)).await;
            }
            return refusal_json(&error, &ctx, language);
        }
    };
    let reads = Recording {
        reads: house.reads.clone(),
        metrics: metrics.into_inner(),
    };
    let mut export = match reads.begin(&ctx, ADDRESS, &filter, order, &first.0).await {
        Ok(export) => export,
        Err(error) => return unrecorded(&error, &ctx, language),
    };
    let (db, columns) = (house.db.clone(), header_row(language));
    let body = stream! {
        let names = jobcenter::bezirksstellen(&db).await.map(names).unwrap_or_default();
        yield Ok::<_, Infallible>(Bytes::from(columns));
        let (mut rows, mut after) = first;
        loop {
            export.add(ctx.notes.take());
            let Some(position) = after else { break };
            yield Ok(Bytes::from(lines(&ctx, &rows, &names)));
            match page(&ctx, &db, &filter, order, Some(position)).await {
                Ok(found) => (rows, after) = found,
                Err(error) => {
                    tracing::error!(%error, "an export broke off");
                    yield Ok(Bytes::from_static(BROKEN_OFF));
                    return;
                }
            }
        }
        // The last part leaves when the record of the whole is durable.
        yield Ok(match reads.end(&ctx, export).await {
            Ok(()) => Bytes::from(lines(&ctx, &rows, &names)),
            Err(error) => {
                tracing::error!(request_id = %ctx.request_id, %error, "an export without read record broke off");
                Bytes::from_static(BROKEN_OFF)
            }
        });
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"sample-items.csv\"",
        ))
        .streaming(body)
}

/// Says at the end of a list that it is not whole: the status was sent long ago.
pub(super) const BROKEN_OFF: &[u8] = b"# ABGEBROCHEN / BROKEN OFF\r\n";

/// Records of a list on its way out: one before its first byte, one before its last part. A list that broke off has the first
/// alone; what left then is a beginning of what it asked for.
struct Recording {
    reads: Arc<Reads>,
    metrics: Arc<Metrics>,
}

impl Recording {
    async fn begin(
        &self,
        ctx: &Ctx,
        operation: &str,
        filter: &ItemFilter,
        order: ItemOrder,
        first: &[ListedItem],
    ) -> audit::Result<Export> {
        let begun = Instant::now();
        let outcome = begin(&self.reads, ctx, operation, filter, order, first).await;
        self.metrics.read_record(outcome.is_ok(), begun.elapsed());
        outcome
    }

    async fn end(&self, ctx: &Ctx, export: Export) -> audit::Result<()> {
        let begun = Instant::now();
        let outcome = self.reads.end_export(ctx, export).await;
        self.metrics.read_record(outcome.is_ok(), begun.elapsed());
        outcome
    }
}

async fn begin(
    reads: &Reads,
    ctx: &Ctx,
    operation: &str,
    filter: &ItemFilter,
    order: ItemOrder,
    first: &[ListedItem],
) -> audit::Result<Export> {
    // A sample is of one engagement.
    let of_sample = filter.sample.and(first.first()).map(|row| row.engagement_id);
    let query = query(filter, order).to_string();
    let engagement = filter.engagement.or(of_sample);
    let within: Vec<Uuid> = [
        filter.sample.map(|id| id.0),
        filter.bezirksstelle.map(|id| id.0),
        filter.stratum.map(|id| id.0),
    ]
    .into_iter()
    .flatten()
    .collect();
    reads
        .begin_export(ctx, asked(operation), &query, engagement, &within)
        .await
}

fn asked(operation: &str) -> Asked {
    Asked {
        classes: HELD.and(RECORDED),
        operation: operation_hash(operation, None),
    }
}

/// Nothing of a list leaves whose record could not be written.
pub(super) fn unrecorded(error: &audit::Error, ctx: &Ctx, language: Language) -> HttpResponse {
    tracing::error!(request_id = %ctx.request_id, %error, "an export without read record was refused");
    let fault = Fault::Unrecorded { changed: false };
    HttpResponse::ServiceUnavailable().json(json!({
        "error": { "code": fault.code(), "message": fault.error(language).message, "requestId": ctx.request_id },
    }))
}

/// What a list asks for, as its record says it. Who looks at records learns that a text was searched for, not which.
fn query(filter: &ItemFilter, order: ItemOrder) -> serde_json::Value {
    let id = |kind: NodeKind, row: Option<Uuid>| row.map(|row| kind.id(row).0);
    let amount = |cents: Option<Cents>| cents.map(|cents| amount::format(cents.0, Decimals::English, false));
    let mut query = json!({
        "engagement": id(NodeKind::Engagement, filter.engagement.map(|id| id.0)),
        "sample": id(NodeKind::Sample, filter.sample.map(|id| id.0)),
        "bezirksstelle": id(NodeKind::Bezirksstelle, filter.bezirksstelle.map(|id| id.0)),
        "stratum": id(NodeKind::Stratum, filter.stratum.map(|id| id.0)),
        "state": filter.state, "result": filter.result,
        "amountFrom": amount(filter.amount_from), "amountTo": amount(filter.amount_to),
        "reference": filter.reference.as_ref().map(|_| "*"), "announced": filter.announced, "mine": filter.mine.then_some(true),
        "order": match order.by {
            ItemSort::DrawOrder => "DRAW_ORDER",
            ItemSort::Amount => "AMOUNT",
            ItemSort::Reference => "REFERENCE",
            ItemSort::Id => "ID",
        },
        "descending": order.descending,
    });
    if let Some(fields) = query.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    query
}

/// Writes a sample's items as CSV, page by page, with the same records.
pub async fn write_sample_items(
    ctx: &Ctx,
    db: &Db,
    reads: &Reads,
    sample: SampleId,
    language: Language,
    output: &mut dyn std::io::Write,
) -> anyhow::Result<u64> {
    let filter = ItemFilter {
        sample: Some(sample),
        ..ItemFilter::default()
    };
    let names = names(jobcenter::bezirksstellen(db).await?);
    let order = ItemOrder::usual(ctx);
    let (mut rows, mut after) = page(ctx, db, &filter, order, None).await?;
    let operation = "pruefpfad export sample-items";
    let mut export = begin(reads, ctx, operation, &filter, order, &rows).await?;
    output.write_all(header_row(language).as_bytes())?;
    let mut written = 0;
    loop {
        export.add(ctx.notes.take());
        written += rows.len() as u64;
        let Some(position) = after else { break };
        output.write_all(lines(ctx, &rows, &names).as_bytes())?;
        (rows, after) = page(ctx, db, &filter, order, Some(position)).await?;
    }
    reads.end_export(ctx, export).await?;
    output.write_all(lines(ctx, &rows, &names).as_bytes())?;
    Ok(written)
}

impl Parameters {
    fn resolve(self, ctx: &Ctx) -> Option<(ItemFilter, ItemOrder)> {
        let optional = |text: &Option<String>, kind: NodeKind| match text {
            None => Some(None),
            Some(text) => kind.parse(text).map(Some),
        };
        let amount = |text: &Option<String>| match text {
            None => Some(None),
            Some(text) => euro(text).map(Some),
        };
        let filter = ItemFilter {
            engagement: optional(&self.engagement, NodeKind::Engagement)?.map(EngagementId),
            sample: optional(&self.sample, NodeKind::Sample)?.map(SampleId),
            bezirksstelle: optional(&self.bezirksstelle, NodeKind::Bezirksstelle)?.map(BezirksstelleId),
            stratum: optional(&self.stratum, NodeKind::Stratum)?.map(StratumId),
            state: self.state,
            result: self.result,
            amount_from: amount(&self.amount_from)?,
            amount_to: amount(&self.amount_to)?,
            reference: self.reference,
            announced: self.announced,
            mine: self.mine,
        };
        let order = match self.order {
            None => ItemOrder {
                descending: self.descending,
                ..ItemOrder::usual(ctx)
            },
            Some(order) => ItemOrder {
                by: match order {
                    Sort::DrawOrder => ItemSort::DrawOrder,
                    Sort::Amount => ItemSort::Amount,
                    Sort::Reference => ItemSort::Reference,
                    Sort::Id => ItemSort::Id,
                },
                descending: self.descending,
            },
        };
        Some((filter, order))
    }
}

/// What every line holds; what is a working paper is left empty for whoever sees none.
const HELD: Classes = Classes::of(&[Class::Internal, Class::SocialData]);

type Rows = (Vec<ListedItem>, Option<Position>);

async fn page(
    ctx: &Ctx,
    db: &Db,
    filter: &ItemFilter,
    order: ItemOrder,
    after: Option<Position>,
) -> audit::Result<Rows> {
    let args = PageArgs {
        after,
        before: None,
        limit: PAGE,
        backward: false,
    };
    let (page, _) = items(ctx, db, filter, order, &args, false).await?;
    let next = if page.has_next {
        page.rows.last().map(|row| Position { id: row.id.0 })
    } else {
        None
    };
    Ok((page.rows, next))
}

fn names(rows: Vec<entity::bezirksstelle::Model>) -> HashMap<BezirksstelleId, (String, String)> {
    rows.into_iter()
        .map(|row| (row.id, (row.number, row.name)))
        .collect()
}

fn header_row(language: Language) -> String {
    let columns = language.say(
        [
            "Position",
            "Referenz",
            "Nummer",
            "Bezirksstelle",
            "Betrag",
            "Treffer",
            "Ticket",
            "Stand",
            "Ergebnis",
            "Sichtbar ab",
        ],
        [
            "Position",
            "Reference",
            "Number",
            "Bezirksstelle",
            "Amount",
            "Hits",
            "Ticket",
            "State",
            "Result",
            "Visible from",
        ],
    );
    format!("\u{feff}{}\r\n", columns.join(";"))
}

fn lines(ctx: &Ctx, rows: &[ListedItem], names: &HashMap<BezirksstelleId, (String, String)>) -> String {
    // Position, ticket, state and result are working papers.
    let papers = ctx.caller.classes().contains(Class::Audit);
    let only = |text: String| if papers { text } else { String::new() };
    let mut text = String::with_capacity(rows.len() * 120);
    for row in rows {
        let (number, name) = names.get(&row.bezirksstelle_id).cloned().unwrap_or_default();
        let cells = [
            only(row.draw_order.to_string()),
            safe(&row.reference),
            safe(&number),
            safe(&name),
            amount::format(row.amount_cents.0, Decimals::German, false),
            row.hits.to_string(),
            only(row.ticket.as_deref().map(safe).unwrap_or_default()),
            only(row.state.as_str().to_owned()),
            only(
                row.result
                    .map(|result| result.as_str().to_owned())
                    .unwrap_or_default(),
            ),
            row.visible_from
                .map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
                .unwrap_or_default(),
        ];
        text.push_str(&cells.join(";"));
        text.push_str("\r\n");
    }
    text
}

/// A text cell: quoted where it must be, and never a formula.
fn safe(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guarded = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains(['"', ';', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn text_cells_are_no_formulas_and_stay_one_cell() {
        for (text, cell) in [
            ("Z2025-0000001", "Z2025-0000001"),
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-5", "'-5"),
            ("a;b", "\"a;b\""),
            ("=\"a\"", "\"'=\"\"a\"\"\""),
        ] {
            assert_eq!(safe(text), cell);
        }
    }
}
