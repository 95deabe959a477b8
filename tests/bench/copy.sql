-- What `psql \copy` of the import file is measured with: the columns of the file with their types, and the keys and
-- indexes that population_item has: a uuid primary key, a foreign key to the population, an index over population and
-- key column; every column with the collation the service's table has.
-- It has no import_id, no pseudonyms (item_key, case_key), no salt and no table of sealed case numbers: \copy makes none.
CREATE TABLE extract (
    id uuid NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    population_id uuid NOT NULL DEFAULT '019a0000-0001-7000-8000-000000000001' REFERENCES population (id),
    document text COLLATE "C" NOT NULL,
    case_number text COLLATE "C" NOT NULL,
    office text COLLATE "C" NOT NULL,
    benefit text COLLATE "C" NOT NULL,
    month date NOT NULL,
    decided date NOT NULL,
    amount numeric(14, 2) NOT NULL,
    bund numeric(14, 2) NOT NULL,
    kommune numeric(14, 2) NOT NULL,
    product text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    authority text COLLATE "C" NOT NULL,
    own_staff boolean NOT NULL
);
CREATE INDEX extract_key ON extract (population_id, document);
INSERT INTO population (id, engagement_id, name, unit, source, state, item_count, sum_cents, positive_count,
        positive_cents, zero_count, negative_count, negative_cents, created_by, created_at, version)
    SELECT '019a0000-0001-7000-8000-000000000001', id, 'Vergleich', 'PAYMENT', 'Benchmark', 'OPEN', 0, 0, 0, 0, 0, 0, 0,
        'bench', '2026-01-05 08:00:00+00', 1
    FROM engagement;
