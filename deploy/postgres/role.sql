-- The gateway's database and its role, for a PostgreSQL of version 14 or later. Once, as an administrator:
--
--   psql -v ON_ERROR_STOP=1 -f role.sql
--   psql -c '\password gateway'
--
-- The gateway makes its schema by itself (STORE_MIGRATE=true). If no role may do that but yours, run role-without-ddl.sql
-- as well, before it starts.
create role gateway login;
create database gateway encoding 'UTF8' template template0;
revoke all on database gateway from public;
grant connect, create on database gateway to gateway;

-- For the metrics gateway_postgres_*: without it they count the gateway's own sessions alone, and no standby.
grant pg_read_all_stats to gateway;
