//! Bodies that decide, who sits in them, the papers they are asked by, votes, decisions, minutes and signatures.
//!
//! What was voted, decided, written down or signed is never changed, and nothing here is deleted.

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
    "CREATE TABLE body (
        id {uuid} NOT NULL PRIMARY KEY,
        key {text} NOT NULL UNIQUE,
        name {text} NOT NULL,
        rules {text} NOT NULL,
        version integer NOT NULL
    )",
    "CREATE TABLE seat (
        id {uuid} NOT NULL PRIMARY KEY,
        body_id {uuid} NOT NULL REFERENCES body (id),
        kind {text} NOT NULL,
        place integer NOT NULL,
        holder {text} NOT NULL,
        deputy {text},
        named_by {text} NOT NULL,
        seated_from {time} NOT NULL,
        seated_until {time},
        recorded_by {text} NOT NULL,
        recorded_at {time} NOT NULL,
        released_by {text},
        release_reason {text},
        version integer NOT NULL,
        CHECK (deputy <> holder)
    )",
    "CREATE INDEX seat_body ON seat (body_id, kind, place)",
    "CREATE INDEX seat_holder ON seat (holder)",
    "CREATE INDEX seat_deputy ON seat (deputy)",
    "CREATE TABLE paper (
        id {uuid} NOT NULL PRIMARY KEY,
        body_id {uuid} NOT NULL REFERENCES body (id),
        number {text} NOT NULL UNIQUE,
        year integer NOT NULL,
        serial integer NOT NULL,
        matter {text} NOT NULL,
        author {text} NOT NULL,
        submitted_at {time} NOT NULL,
        state {text} NOT NULL,
        edition integer NOT NULL,
        content_hash {bytes} NOT NULL,
        cites_audit boolean NOT NULL,
        round integer NOT NULL,
        session_at {time},
        votes_until {time},
        short_notice boolean NOT NULL,
        rules {text},
        withdrawn_by {text},
        withdrawal_reason {text},
        version integer NOT NULL,
        UNIQUE (body_id, year, serial)
    )",
    "CREATE INDEX paper_author ON paper (author, id)",
    "CREATE TABLE paper_edition (
        id {uuid} NOT NULL PRIMARY KEY,
        paper_id {uuid} NOT NULL REFERENCES paper (id),
        edition integer NOT NULL,
        title {text} NOT NULL,
        motion {text} NOT NULL,
        reasons {text} NOT NULL,
        attachments {text} NOT NULL,
        engagement_id {uuid} REFERENCES engagement (id),
        parameter_set_id {uuid} REFERENCES parameter_set (id),
        content_hash {bytes} NOT NULL,
        written_by {text} NOT NULL,
        written_at {time} NOT NULL,
        UNIQUE (paper_id, edition)
    )",
    "CREATE TABLE vote (
        id {uuid} NOT NULL PRIMARY KEY,
        paper_id {uuid} NOT NULL REFERENCES paper (id),
        edition integer NOT NULL,
        round integer NOT NULL,
        content_hash {bytes} NOT NULL,
        seat_id {uuid} NOT NULL REFERENCES seat (id),
        seat_kind {text} NOT NULL,
        seat_place integer NOT NULL,
        capacity {text} NOT NULL,
        voter {text} NOT NULL,
        choice {text} NOT NULL,
        opinion {text},
        waives_calling_period boolean NOT NULL,
        at {time} NOT NULL,
        UNIQUE (paper_id, round, seat_kind, seat_place, capacity),
        FOREIGN KEY (paper_id, edition) REFERENCES paper_edition (paper_id, edition)
    )",
    "CREATE TABLE decision (
        id {uuid} NOT NULL PRIMARY KEY,
        paper_id {uuid} NOT NULL REFERENCES paper (id),
        body_id {uuid} NOT NULL REFERENCES body (id),
        edition integer NOT NULL,
        round integer NOT NULL,
        content_hash {bytes} NOT NULL,
        rules {text} NOT NULL,
        outcome {text} NOT NULL,
        decided_by {text} NOT NULL,
        dissent boolean NOT NULL,
        yes integer NOT NULL,
        no integer NOT NULL,
        abstained integer NOT NULL,
        silent integer NOT NULL,
        reason {text},
        stand_in_reason {text},
        recorded_by {text} NOT NULL,
        at {time} NOT NULL,
        decision_hash {bytes} NOT NULL,
        tells_body_id {uuid} REFERENCES body (id),
        told_at_session {time},
        version integer NOT NULL,
        UNIQUE (paper_id, round),
        FOREIGN KEY (paper_id, edition) REFERENCES paper_edition (paper_id, edition)
    )",
    "CREATE INDEX decision_body ON decision (body_id, id)",
    "CREATE INDEX decision_tells ON decision (tells_body_id, told_at_session)",
    "CREATE TABLE minutes (
        id {uuid} NOT NULL PRIMARY KEY,
        paper_id {uuid} NOT NULL REFERENCES paper (id),
        edition integer NOT NULL,
        round integer NOT NULL,
        text {text} NOT NULL,
        content_hash {bytes} NOT NULL,
        recorded_by {text} NOT NULL,
        recorded_at {time} NOT NULL,
        UNIQUE (paper_id, edition)
    )",
    "CREATE TABLE signature (
        id {uuid} NOT NULL PRIMARY KEY,
        paper_id {uuid} NOT NULL REFERENCES paper (id),
        decision_id {uuid} REFERENCES decision (id),
        minutes_id {uuid} REFERENCES minutes (id),
        content_hash {bytes} NOT NULL,
        kind {text} NOT NULL,
        file_hash {bytes} NOT NULL,
        signer {text} NOT NULL,
        signed_on {date} NOT NULL,
        verification {text},
        recorded_by {text} NOT NULL,
        recorded_at {time} NOT NULL,
        CHECK ((decision_id IS NULL) <> (minutes_id IS NULL)),
        CHECK ((kind = 'QUALIFIED') = (verification IS NOT NULL))
    )",
    "CREATE INDEX signature_paper ON signature (paper_id, id)",
];

const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER body_delete BEFORE DELETE ON body
        BEGIN SELECT RAISE(ABORT, 'a body is never deleted'); END",
    "CREATE TRIGGER seat_update BEFORE UPDATE ON seat
        WHEN OLD.seated_until IS NOT NULL OR OLD.body_id <> NEW.body_id OR OLD.kind <> NEW.kind OR OLD.place <> NEW.place
            OR OLD.holder <> NEW.holder OR OLD.deputy IS NOT NEW.deputy OR OLD.named_by <> NEW.named_by
            OR OLD.seated_from <> NEW.seated_from OR OLD.recorded_by <> NEW.recorded_by OR OLD.recorded_at <> NEW.recorded_at
        BEGIN SELECT RAISE(ABORT, 'a seat is released once, never changed'); END",
    "CREATE TRIGGER seat_delete BEFORE DELETE ON seat
        BEGIN SELECT RAISE(ABORT, 'a seat is never deleted'); END",
    "CREATE TRIGGER paper_update BEFORE UPDATE ON paper
        WHEN OLD.state IN ('DECIDED', 'ADVISED', 'WITHDRAWN') OR OLD.body_id <> NEW.body_id OR OLD.number <> NEW.number
            OR OLD.year <> NEW.year OR OLD.serial <> NEW.serial OR OLD.matter <> NEW.matter OR OLD.author <> NEW.author
            OR OLD.submitted_at <> NEW.submitted_at OR OLD.edition > NEW.edition OR OLD.round > NEW.round
            OR (OLD.content_hash <> NEW.content_hash AND OLD.edition = NEW.edition)
        BEGIN SELECT RAISE(ABORT, 'a paper changes by editions, and after its decision no more'); END",
    "CREATE TRIGGER paper_delete BEFORE DELETE ON paper
        BEGIN SELECT RAISE(ABORT, 'a paper is never deleted'); END",
    "CREATE TRIGGER paper_edition_update BEFORE UPDATE ON paper_edition
        BEGIN SELECT RAISE(ABORT, 'an edition of a paper is never changed'); END",
    "CREATE TRIGGER paper_edition_delete BEFORE DELETE ON paper_edition
        BEGIN SELECT RAISE(ABORT, 'an edition of a paper is never deleted'); END",
    "CREATE TRIGGER vote_update BEFORE UPDATE ON vote
        BEGIN SELECT RAISE(ABORT, 'a vote is never changed'); END",
    "CREATE TRIGGER vote_delete BEFORE DELETE ON vote
        BEGIN SELECT RAISE(ABORT, 'a vote is never deleted'); END",
    "CREATE TRIGGER decision_update BEFORE UPDATE ON decision
        WHEN OLD.told_at_session IS NOT NULL OR OLD.paper_id <> NEW.paper_id OR OLD.body_id <> NEW.body_id
            OR OLD.edition <> NEW.edition OR OLD.round <> NEW.round OR OLD.content_hash <> NEW.content_hash
            OR OLD.rules <> NEW.rules OR OLD.outcome <> NEW.outcome OR OLD.decided_by <> NEW.decided_by
            OR OLD.dissent <> NEW.dissent OR OLD.yes <> NEW.yes OR OLD.no <> NEW.no OR OLD.abstained <> NEW.abstained
            OR OLD.silent <> NEW.silent OR OLD.reason IS NOT NEW.reason OR OLD.stand_in_reason IS NOT NEW.stand_in_reason
            OR OLD.recorded_by <> NEW.recorded_by OR OLD.at <> NEW.at OR OLD.decision_hash <> NEW.decision_hash
            OR OLD.tells_body_id IS NOT NEW.tells_body_id
        BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END",
    "CREATE TRIGGER decision_delete BEFORE DELETE ON decision
        BEGIN SELECT RAISE(ABORT, 'a decision is never deleted'); END",
    "CREATE TRIGGER minutes_update BEFORE UPDATE ON minutes
        BEGIN SELECT RAISE(ABORT, 'minutes are never changed'); END",
    "CREATE TRIGGER minutes_delete BEFORE DELETE ON minutes
        BEGIN SELECT RAISE(ABORT, 'minutes are never deleted'); END",
    "CREATE TRIGGER signature_update BEFORE UPDATE ON signature
        BEGIN SELECT RAISE(ABORT, 'a signature is never changed'); END",
    "CREATE TRIGGER signature_delete BEFORE DELETE ON signature
        BEGIN SELECT RAISE(ABORT, 'a signature is never deleted'); END",
];

const POSTGRES_GUARDS: &[&str] = &[
    "CREATE TRIGGER body_delete BEFORE DELETE ON body
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER seat_update BEFORE UPDATE ON seat
        FOR EACH ROW WHEN (OLD.seated_until IS NOT NULL
            OR (OLD.body_id, OLD.kind, OLD.place, OLD.holder, OLD.deputy, OLD.named_by, OLD.seated_from, OLD.recorded_by,
                OLD.recorded_at)
            IS DISTINCT FROM (NEW.body_id, NEW.kind, NEW.place, NEW.holder, NEW.deputy, NEW.named_by, NEW.seated_from,
                NEW.recorded_by, NEW.recorded_at))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER seat_delete BEFORE DELETE ON seat
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER paper_update BEFORE UPDATE ON paper
        FOR EACH ROW WHEN (OLD.state IN ('DECIDED', 'ADVISED', 'WITHDRAWN')
            OR (OLD.body_id, OLD.number, OLD.year, OLD.serial, OLD.matter, OLD.author, OLD.submitted_at)
            IS DISTINCT FROM (NEW.body_id, NEW.number, NEW.year, NEW.serial, NEW.matter, NEW.author, NEW.submitted_at)
            OR OLD.edition > NEW.edition OR OLD.round > NEW.round
            OR (OLD.content_hash <> NEW.content_hash AND OLD.edition = NEW.edition))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER paper_delete BEFORE DELETE ON paper
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER paper_edition_change BEFORE UPDATE OR DELETE ON paper_edition
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER vote_change BEFORE UPDATE OR DELETE ON vote
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER decision_update BEFORE UPDATE ON decision
        FOR EACH ROW WHEN (OLD.told_at_session IS NOT NULL
            OR (OLD.paper_id, OLD.body_id, OLD.edition, OLD.round, OLD.content_hash, OLD.rules, OLD.outcome, OLD.decided_by,
                OLD.dissent, OLD.yes, OLD.no, OLD.abstained, OLD.silent, OLD.reason, OLD.stand_in_reason, OLD.recorded_by,
                OLD.at, OLD.decision_hash, OLD.tells_body_id)
            IS DISTINCT FROM (NEW.paper_id, NEW.body_id, NEW.edition, NEW.round, NEW.content_hash, NEW.rules, NEW.outcome,
                NEW.decided_by, NEW.dissent, NEW.yes, NEW.no, NEW.abstained, NEW.silent, NEW.reason, NEW.stand_in_reason,
                NEW.recorded_by, NEW.at, NEW.decision_hash, NEW.tells_body_id))
        EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER decision_delete BEFORE DELETE ON decision
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER minutes_change BEFORE UPDATE OR DELETE ON minutes
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER signature_change BEFORE UPDATE OR DELETE ON signature
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
];
