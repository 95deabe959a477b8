//! Checks (Prüfblätter) of sample items and their answers. A correction is a new version; nothing is overwritten.

use sea_orm_migration::prelude::*;

use crate::{apply, apply_each};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(
            manager,
            &[
                "CREATE TABLE item_check (
                    id {uuid} NOT NULL PRIMARY KEY,
                    sample_item_id {uuid} NOT NULL REFERENCES sample_item (id),
                    programme {text} NOT NULL,
                    tester {text} NOT NULL,
                    tester_name {text},
                    version integer NOT NULL,
                    error_class {text} NOT NULL,
                    booked_bund_cents bigint NOT NULL,
                    booked_kommune_cents bigint NOT NULL,
                    booked_land_cents bigint NOT NULL,
                    booked_eu_cents bigint NOT NULL,
                    correct_bund_cents bigint NOT NULL,
                    correct_kommune_cents bigint NOT NULL,
                    correct_land_cents bigint NOT NULL,
                    correct_eu_cents bigint NOT NULL,
                    remark {text} NOT NULL,
                    at {time} NOT NULL,
                    UNIQUE (sample_item_id, tester, version)
                )",
                "CREATE TABLE check_answer (
                    check_id {uuid} NOT NULL REFERENCES item_check (id),
                    attribute {text} NOT NULL,
                    dimension {text} NOT NULL,
                    answer {text} NOT NULL,
                    remark {text} NOT NULL,
                    PRIMARY KEY (check_id, attribute)
                )",
            ],
        )
        .await?;
        apply_each(
            manager,
            &[
                "CREATE TRIGGER item_check_update BEFORE UPDATE ON item_check
                    BEGIN SELECT RAISE(ABORT, 'a check is never changed'); END",
                "CREATE TRIGGER item_check_delete BEFORE DELETE ON item_check
                    BEGIN SELECT RAISE(ABORT, 'a check is never deleted'); END",
                "CREATE TRIGGER check_answer_update BEFORE UPDATE ON check_answer
                    BEGIN SELECT RAISE(ABORT, 'an answer is never changed'); END",
                "CREATE TRIGGER check_answer_delete BEFORE DELETE ON check_answer
                    BEGIN SELECT RAISE(ABORT, 'an answer is never deleted'); END",
            ],
            &[
                "CREATE TRIGGER item_check_change BEFORE UPDATE OR DELETE ON item_check
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
                "CREATE TRIGGER check_answer_change BEFORE UPDATE OR DELETE ON check_answer
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
            ],
        )
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
