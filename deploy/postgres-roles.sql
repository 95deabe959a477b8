-- Two roles: the owner changes the schema and is used by `pruefpfad migrate up` alone; the service reads and writes rows.
-- Whoever takes over the service cannot drop a trigger that keeps frozen rows as they are.
--
--   psql -v ON_ERROR_STOP=1 -v owner_password=… -v service_password=… -f deploy/postgres-roles.sql
--
-- To be run once, by a superuser, before the first `migrate up`. `-v name=…` names database and service role otherwise; the
-- owner is called the same with `_owner` behind it.
\if :{?name}
\else
  \set name pruefpfad
\endif
\set owner :name _owner

CREATE ROLE :"owner" LOGIN PASSWORD :'owner_password';
CREATE ROLE :"name" LOGIN PASSWORD :'service_password';
CREATE DATABASE :"name" OWNER :"owner" ENCODING 'UTF8' TEMPLATE template0;

\connect :"name"

REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE :"name" TO :"name";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO :"owner";
GRANT USAGE ON SCHEMA public TO :"name";
-- Tables that later migrations create are covered as well. TRUNCATE is not among the rights: it passes row triggers by.
-- A migration takes UPDATE and DELETE back where rows are never changed: on the trail and its log.
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"name";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO :"name";
-- A client that vanished in the middle of a transaction must not hold its locks for good.
ALTER ROLE :"name" IN DATABASE :"name" SET idle_in_transaction_session_timeout = '60s';
