-- The record of the migrations that were run. `serves_from` is the lowest version whose nodes can still work with the
-- schema as it is after this one.
create schema if not exists :"schema";

create table :"schema".migration (
  version integer primary key,
  serves_from integer not null,
  applied_at timestamptz not null default now()
);

insert into :"schema".migration (version, serves_from) values (1, 1);
