-- For STORE_MIGRATE=false: the role of role.sql may use tables and make none. Run it in the database of the gateway, as
-- the role that runs the migrations (src/store/postgres/migrations), and before them: what they make later has the same
-- rights by the default privileges.
--
--   psql -v ON_ERROR_STOP=1 -d gateway -f role-without-ddl.sql
--   psql -v ON_ERROR_STOP=1 -d gateway -1 -v schema=pingup_gateway -f migrations/0001-….sql
revoke create on database gateway from gateway;
create schema if not exists pingup_gateway;
grant usage on schema pingup_gateway to gateway;
grant select, insert, update, delete on all tables in schema pingup_gateway to gateway;
grant usage, select, update on all sequences in schema pingup_gateway to gateway;
alter default privileges in schema pingup_gateway grant select, insert, update, delete on tables to gateway;
alter default privileges in schema pingup_gateway grant usage, select, update on sequences to gateway;
