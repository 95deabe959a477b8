-- Two roles: the owner changes the schema and is used by `pruefpfad migrate up` alone; the service reads and writes rows.
-- Whoever takes over the service cannot drop a trigger that keeps frozen rows as they are.
--
--   psql -v ON_ERROR_STOP=1 -v owner_password=… -v service_password=… -f deploy/postgres-roles.sql
--
-- To be run once, by a superuser, before the first `migrate up`.
CREATE ROLE pruefpfad_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE pruefpfad LOGIN PASSWORD :'service_password';
CREATE DATABASE pruefpfad OWNER pruefpfad_owner ENCODING 'UTF8' TEMPLATE template0;

\connect pruefpfad

REVOKE ALL ON DATABASE pruefpfad FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE pruefpfad TO pruefpfad;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO pruefpfad_owner;
GRANT USAGE ON SCHEMA public TO pruefpfad;
-- Tables that later migrations create are covered as well. TRUNCATE is not among the rights: it passes row triggers by.
ALTER DEFAULT PRIVILEGES FOR ROLE pruefpfad_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pruefpfad;
ALTER DEFAULT PRIVILEGES FOR ROLE pruefpfad_owner IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO pruefpfad;
-- A client that vanished in the middle of a transaction must not hold its locks for good.
ALTER ROLE pruefpfad IN DATABASE pruefpfad SET idle_in_transaction_session_timeout = '60s';
