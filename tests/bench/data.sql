-- A frozen population and its drawn samples, written past the service: building them through it is not what is measured.
-- Variables of psql: items (population items), samples and size (items of each), checked (of ten items of a sample, so many).

CREATE TEMP TABLE office AS
    SELECT id, (row_number() OVER (ORDER BY number))::int - 1 AS place
    FROM bezirksstelle WHERE kind = 'BEZIRKSSTELLE';

-- Ids ascend as those of an import do; amounts are skewed, one in a hundred is zero and one in a hundred a reversal.
CREATE FUNCTION pg_temp.ascending_id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT ('019a0000-' || lpad(to_hex(kind), 4, '0') || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;

INSERT INTO population (id, engagement_id, name, unit, source, state, item_count, sum_cents, positive_count,
        positive_cents, zero_count, negative_count, negative_cents, created_by, created_at, version)
    SELECT pg_temp.ascending_id(1, 1), id, 'Zahlungen 2025', 'PAYMENT', 'Benchmark', 'OPEN', 0, 0, 0, 0, 0, 0, 0, 'bench',
        '2026-01-05 08:00:00+00', 1
    FROM engagement;

INSERT INTO population_item
    SELECT pg_temp.ascending_id(2, n), pg_temp.ascending_id(1, 1), pg_temp.ascending_id(3, 1), n + 1,
        decode(md5('item' || n), 'hex'), decode(md5('case' || n % 80000), 'hex'), office.id, amount,
        amount - amount / 3, amount / 3, 0, 0, '312300.5461', date '2025-01-01' + (n % 12 * interval '1 month'),
        date '2025-01-01' + (n % 365)::int, 'AUSZAHLUNG', n % 500 = 0,
        '{"Anordnungsbefugnis":"Sachbearbeitung","Leistungsart":"Bürgergeld"}', 'Z2025-' || lpad(n::text, 7, '0'),
        sha256(int8send(n))
    FROM (
        SELECT n, CASE hash % 100 WHEN 0 THEN 0 WHEN 1 THEN -(hash / 100 % 90000) - 1
            ELSE (hash / 100 % 300) * (hash / 30000 % 300) + 1000 END AS amount
        FROM (SELECT n, hashint8(n)::bigint & 2147483647 AS hash FROM generate_series(1, :items::bigint) AS n) AS hashed
    ) AS made
    JOIN office ON office.place = n % 10;

UPDATE population SET
    item_count = total.n, sum_cents = total.cents, positive_count = total.positive_n, positive_cents = total.positive_cents,
    zero_count = total.zero_n, negative_count = total.negative_n, negative_cents = total.negative_cents,
    state = 'FROZEN', merkle_root = sha256('benchmark'), frozen_by = 'bench', frozen_at = '2026-01-06 08:00:00+00', version = 2
    FROM (
        SELECT count(*) AS n, sum(amount_cents) AS cents,
            count(*) FILTER (WHERE amount_cents > 0) AS positive_n,
            sum(amount_cents) FILTER (WHERE amount_cents > 0) AS positive_cents,
            count(*) FILTER (WHERE amount_cents = 0) AS zero_n,
            count(*) FILTER (WHERE amount_cents < 0) AS negative_n,
            coalesce(sum(amount_cents) FILTER (WHERE amount_cents < 0), 0) AS negative_cents
        FROM population_item
    ) AS total;

INSERT INTO draw_event
    SELECT pg_temp.ascending_id(4, 0), e.id, 1, 'FREEZE', p.id, NULL, NULL, 'bench', p.frozen_at
    FROM engagement e, population p;

INSERT INTO sample (id, engagement_id, population_id, name, method, state, size, parameters, checks_per_item, seed,
        algorithm, population_root, frame_count, frame_cents, planned_by, planned_at, decided_by, decided_at, version)
    SELECT pg_temp.ascending_id(5, s), p.engagement_id, p.id, 'Stichprobe ' || s, 'SIMPLE_RANDOM', 'DRAWN', :size, '{"sizeSource":"GIVEN","requestedSize":' || :size || '}', 1,
        'bench', 'simple-random/1', p.merkle_root, p.item_count, p.sum_cents, 'bench', '2026-01-07 08:00:00+00', 'bench',
        '2026-01-08 08:00:00+00', 2
    FROM population p, generate_series(1, :samples) AS s;

INSERT INTO draw_event
    SELECT pg_temp.ascending_id(4, row_number() OVER (ORDER BY id)), engagement_id, 1 + row_number() OVER (ORDER BY id),
        'DRAW', population_id, id, NULL, 'bench', decided_at
    FROM sample;

INSERT INTO sample_stratum
    SELECT pg_temp.ascending_id(6, row_number() OVER (ORDER BY id)), id, 1, NULL, 'Gesamt', frame_count, frame_cents, size
    FROM sample;

-- So many in ten are checked, the others open, half checked or disputed.
INSERT INTO sample_item
    SELECT pg_temp.ascending_id(7, s.place * :size + i), s.id, t.id, p.id, s.engagement_id, i, md5(s.id::text || i), 1,
        p.bezirksstelle_id, p.amount_cents, p.reference, CASE WHEN i % 2 = 0 THEN s.decided_at END,
        CASE WHEN i % 10 < :checked THEN 'CHECKED' WHEN i % 10 < 8 THEN 'OPEN' WHEN i % 10 = 8 THEN 'PARTLY_CHECKED'
            ELSE 'DISPUTED' END,
        CASE WHEN i % 10 < :checked THEN CASE WHEN i % 7 = 0 THEN 'ERROR' ELSE 'NO_ERROR' END END, 2
    FROM (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM sample) AS s
    JOIN sample_stratum t ON t.sample_id = s.id
    CROSS JOIN generate_series(1, :size) AS i
    JOIN population_item p ON p.id = pg_temp.ascending_id(2, 1 + (i::bigint * 7919 + s.place * 104729) % :items);

-- One check each, two where four eyes looked.
INSERT INTO item_check
    SELECT pg_temp.ascending_id(8, 2 * row_number() OVER (ORDER BY i.id) + eye), i.id, 'basis/1', 'pruefer-' || eye,
        'Prüferin ' || eye, 1,
        CASE WHEN i.result = 'ERROR' OR (i.state = 'DISPUTED' AND eye = 1) THEN 'OVERPAYMENT' ELSE 'NONE' END,
        i.amount_cents, 0, 0, 0, i.amount_cents, 0, 0, 0, 'Akte vollständig, Berechnung nachvollzogen.',
        '2026-02-01 08:00:00+00'::timestamptz + i.draw_order * interval '1 minute' + eye * interval '1 day'
    FROM sample_item i CROSS JOIN generate_series(0, 1) AS eye
    WHERE i.state <> 'OPEN' AND (eye = 0 OR i.state = 'DISPUTED' OR (i.state = 'CHECKED' AND i.draw_order % 3 = 0));

INSERT INTO check_answer
    SELECT c.id, a.attribute, a.dimension, CASE WHEN c.error_class = 'NONE' THEN 'YES' ELSE 'NO' END, ''
    FROM item_check c CROSS JOIN (VALUES ('L1', 'LEGALITY'), ('R1', 'REGULARITY'), ('C1', 'CALCULATION'),
        ('P1', 'PAYMENT'), ('F1', 'FUNDING')) AS a (attribute, dimension);
