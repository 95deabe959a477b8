-- What `psql \copy` of the import file is measured with: the columns of the file with their types, and the keys and
-- indexes that population_item has: a uuid primary key and an index over population and key column (neither table has a
-- foreign key); text with the collation of the service's tables.
-- It has no import_id, no pseudonyms (item_key, case_key), no salt, no trigger, and no table of sealed case numbers.
CREATE TABLE extract (
    id uuid NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    population_id uuid NOT NULL DEFAULT '019a0000-0001-7000-8000-000000000001',
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
