//! Grants to people from outside, and their comments. Whom a grant is for and what it reaches is never changed.

use sea_orm_migration::prelude::*;

use crate::{apply, apply_each};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(manager, TABLES).await?;
        let changed = |joined: &str| {
            FIXED
                .iter()
                .map(|column| format!("OLD.{column} {joined} NEW.{column}"))
                .collect::<Vec<_>>()
                .join(" OR ")
        };
        // What was ended stays ended, also for whoever writes to the database by hand.
        let ended = "OLD.state IN ('REVOKED', 'WITHDRAWN')";
        let sqlite = format!(
            "CREATE TRIGGER access_grant_update BEFORE UPDATE ON access_grant
                WHEN {ended} OR OLD.read_used > NEW.read_used OR {}
                BEGIN SELECT RAISE(ABORT, 'a grant is never changed'); END",
            changed("IS NOT")
        );
        let postgres = format!(
            "CREATE TRIGGER access_grant_update BEFORE UPDATE ON access_grant
                FOR EACH ROW WHEN ({ended} OR OLD.read_used > NEW.read_used OR {})
                EXECUTE FUNCTION refuse_change()",
            changed("IS DISTINCT FROM")
        );
        apply_each(
            manager,
            &[
                &sqlite,
                "CREATE TRIGGER access_grant_delete BEFORE DELETE ON access_grant
                    BEGIN SELECT RAISE(ABORT, 'a grant is never deleted'); END",
                "CREATE TRIGGER comment_update BEFORE UPDATE ON comment
                    BEGIN SELECT RAISE(ABORT, 'a comment is never changed'); END",
                "CREATE TRIGGER comment_delete BEFORE DELETE ON comment
                    BEGIN SELECT RAISE(ABORT, 'a comment is never deleted'); END",
            ],
            &[
                &postgres,
                "CREATE TRIGGER access_grant_delete BEFORE DELETE ON access_grant
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
                "CREATE TRIGGER access_grant_truncate BEFORE TRUNCATE ON access_grant
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
                "CREATE TRIGGER comment_change BEFORE UPDATE OR DELETE ON comment
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
                "CREATE TRIGGER comment_truncate BEFORE TRUNCATE ON comment
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()",
            ],
        )
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const TABLES: &[&str] = &[
    "CREATE TABLE access_grant (
        id {uuid} NOT NULL PRIMARY KEY,
        year integer NOT NULL,
        serial integer NOT NULL,
        number {text} NOT NULL UNIQUE,
        kind {text} NOT NULL,
        body_kind {text} NOT NULL,
        recipient_body {text} NOT NULL,
        recipient_name {text} NOT NULL,
        recipient_subject {text},
        recipient_key {text},
        basis {text} NOT NULL,
        purpose {text} NOT NULL,
        coverage {text} NOT NULL,
        classes {text} NOT NULL,
        not_before {time} NOT NULL,
        expires_at {time},
        read_budget bigint,
        read_used bigint NOT NULL,
        addresses {text} NOT NULL,
        contract {text},
        team_role {text},
        retrieval_procedure {text},
        verpflichtung_on {date},
        verpflichtung_text {text},
        staff_instructed_on {date},
        verpflichtung_recorded_by {text},
        reads_withheld boolean NOT NULL,
        state {text} NOT NULL,
        proposed_by {text} NOT NULL,
        proposed_at {time} NOT NULL,
        issued_by {text},
        issued_at {time},
        ended_by {text},
        ended_at {time},
        end_reason {text},
        version integer NOT NULL,
        UNIQUE (year, serial)
    )",
    "CREATE INDEX access_grant_recipient ON access_grant (recipient_subject, id)",
    "CREATE TABLE comment (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        sample_item_id {uuid} REFERENCES sample_item (id),
        grant_id {uuid} NOT NULL REFERENCES access_grant (id),
        author {text} NOT NULL,
        author_name {text} NOT NULL,
        text {text} NOT NULL,
        at {time} NOT NULL
    )",
    "CREATE INDEX comment_engagement ON comment (engagement_id, id)",
    "ALTER TABLE item_check ADD COLUMN grant_id {uuid} REFERENCES access_grant (id)",
];

/// What nobody changes once a grant was proposed.
const FIXED: &[&str] = &[
    "id",
    "year",
    "serial",
    "number",
    "kind",
    "body_kind",
    "recipient_body",
    "recipient_name",
    "recipient_subject",
    "recipient_key",
    "basis",
    "purpose",
    "coverage",
    "classes",
    "not_before",
    "addresses",
    "contract",
    "team_role",
    "retrieval_procedure",
    "reads_withheld",
    "proposed_by",
    "proposed_at",
];
