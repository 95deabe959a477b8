//! Deadlines with every end they had, what the scheduler looks at next, and notices with who has read them.

use sea_orm_migration::prelude::*;

use crate::{apply, apply_each};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(manager, TABLES).await?;
        apply_each(manager, SQLITE_GUARDS, POSTGRES_GUARDS).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const TABLES: &[&str] = &[
    "CREATE TABLE deadline (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        bezirksstelle_id {uuid} REFERENCES bezirksstelle (id),
        serial integer NOT NULL,
        number {text} NOT NULL UNIQUE,
        subject_kind {text},
        subject_id {uuid},
        title {text} NOT NULL,
        legal_basis {text} NOT NULL,
        expiry {text} NOT NULL,
        start {text} NOT NULL,
        length_count integer,
        length_unit {text},
        free_days {text} NOT NULL,
        trigger_on {date},
        ends_on {date},
        ends_at {time},
        state {text} NOT NULL,
        rung integer NOT NULL,
        set_by {text} NOT NULL,
        set_at {time} NOT NULL,
        acknowledged_by {text},
        acknowledged_at {time},
        settled_by {text},
        settled_at {time},
        settled_reason {text},
        version integer NOT NULL,
        CHECK ((length_count IS NULL) = (length_unit IS NULL)),
        CHECK ((ends_on IS NULL) = (ends_at IS NULL)),
        CHECK (state IN ('NOT_STARTED', 'CANCELLED') OR ends_at IS NOT NULL),
        CHECK (state <> 'CONFIRMED' OR settled_by <> set_by)
    )",
    "CREATE INDEX deadline_engagement ON deadline (engagement_id, id)",
    "CREATE INDEX deadline_bezirksstelle ON deadline (bezirksstelle_id, id)",
    "CREATE INDEX deadline_ends ON deadline (ends_at, id)",
    "CREATE TABLE deadline_date (
        deadline_id {uuid} NOT NULL REFERENCES deadline (id),
        ordinal integer NOT NULL,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        kind {text} NOT NULL,
        ends_on {date} NOT NULL,
        ends_at {time} NOT NULL,
        derivation {text} NOT NULL,
        reason {text},
        made_by {text} NOT NULL,
        made_at {time} NOT NULL,
        PRIMARY KEY (deadline_id, ordinal),
        CHECK (kind = 'SET' OR reason IS NOT NULL)
    )",
    "CREATE TABLE deadline_due (
        deadline_id {uuid} NOT NULL PRIMARY KEY REFERENCES deadline (id),
        at {time} NOT NULL,
        lease {uuid},
        leased_at {time},
        leased_until {time}
    )",
    "CREATE INDEX deadline_due_at ON deadline_due (at)",
    "CREATE TABLE notice (
        id {uuid} NOT NULL PRIMARY KEY,
        engagement_id {uuid} NOT NULL REFERENCES engagement (id),
        deadline_id {uuid} NOT NULL REFERENCES deadline (id),
        number {text} NOT NULL,
        kind {text} NOT NULL,
        ends_on {date},
        to_subject {text},
        to_role {text},
        bezirksstelle_id {uuid} REFERENCES bezirksstelle (id),
        at {time} NOT NULL,
        CHECK ((to_subject IS NULL) <> (to_role IS NULL))
    )",
    "CREATE INDEX notice_subject ON notice (to_subject, id)",
    "CREATE INDEX notice_role ON notice (to_role, bezirksstelle_id, id)",
    "CREATE INDEX notice_deadline ON notice (deadline_id)",
    "CREATE TABLE notice_read (
        notice_id {uuid} NOT NULL REFERENCES notice (id),
        reader {text} NOT NULL,
        at {time} NOT NULL,
        PRIMARY KEY (notice_id, reader)
    )",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER deadline_update BEFORE UPDATE ON deadline
        WHEN OLD.state IN ('MET', 'CONFIRMED', 'CANCELLED')
            OR (OLD.state = 'EXPIRED' AND OLD.expiry = 'MAY_PROCEED')
            OR OLD.engagement_id <> NEW.engagement_id OR OLD.bezirksstelle_id IS NOT NEW.bezirksstelle_id
            OR OLD.number <> NEW.number OR OLD.subject_kind IS NOT NEW.subject_kind OR OLD.subject_id IS NOT NEW.subject_id
            OR OLD.title <> NEW.title OR OLD.legal_basis <> NEW.legal_basis OR OLD.expiry <> NEW.expiry
            OR OLD.start <> NEW.start OR OLD.length_count IS NOT NEW.length_count OR OLD.length_unit IS NOT NEW.length_unit
            OR OLD.free_days <> NEW.free_days OR OLD.set_by <> NEW.set_by OR OLD.set_at <> NEW.set_at
            OR NEW.ends_at < OLD.ends_at
        BEGIN SELECT RAISE(ABORT, 'what a deadline was set for is never changed, nor is its end moved forward'); END",
    "CREATE TRIGGER deadline_delete BEFORE DELETE ON deadline
        WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'deadline rows are deleted by the deletion job alone'); END",
    "CREATE TRIGGER deadline_date_update BEFORE UPDATE ON deadline_date
        BEGIN SELECT RAISE(ABORT, 'an end is never changed'); END",
    "CREATE TRIGGER deadline_date_delete BEFORE DELETE ON deadline_date
        WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'deadline_date rows are deleted by the deletion job alone'); END",
    "CREATE TRIGGER notice_update BEFORE UPDATE ON notice
        BEGIN SELECT RAISE(ABORT, 'a notice is never changed'); END",
    "CREATE TRIGGER notice_delete BEFORE DELETE ON notice
        WHEN NOT EXISTS (SELECT 1 FROM retention_gate)
        BEGIN SELECT RAISE(ABORT, 'notice rows are deleted by the deletion job alone'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER deadline_update BEFORE UPDATE ON deadline
        FOR EACH ROW WHEN (OLD.state IN ('MET', 'CONFIRMED', 'CANCELLED')
            OR (OLD.state = 'EXPIRED' AND OLD.expiry = 'MAY_PROCEED')
            OR NEW.ends_at < OLD.ends_at
            OR (OLD.engagement_id, OLD.bezirksstelle_id, OLD.number, OLD.subject_kind, OLD.subject_id, OLD.title,
                OLD.legal_basis, OLD.expiry, OLD.start, OLD.length_count, OLD.length_unit, OLD.free_days, OLD.set_by, OLD.set_at)
            IS DISTINCT FROM (NEW.engagement_id, NEW.bezirksstelle_id, NEW.number, NEW.subject_kind, NEW.subject_id, NEW.title,
                NEW.legal_basis, NEW.expiry, NEW.start, NEW.length_count, NEW.length_unit, NEW.free_days, NEW.set_by, NEW.set_at))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER deadline_delete BEFORE DELETE ON deadline
        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()",
    "CREATE TRIGGER deadline_date_update BEFORE UPDATE ON deadline_date
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER deadline_date_delete BEFORE DELETE ON deadline_date
        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()",
    "CREATE TRIGGER notice_update BEFORE UPDATE ON notice
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER notice_delete BEFORE DELETE ON notice
        FOR EACH STATEMENT EXECUTE FUNCTION only_through_retention_gate()",
];
