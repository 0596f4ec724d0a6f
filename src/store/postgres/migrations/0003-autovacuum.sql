-- No update of these tables is HOT, since each moves an indexed number, so each leaves a dead row and dead entries in every
-- index. By default a fifth of a table may be dead, and then vacuuming it takes long: it is to be done often, and at once
-- where few rows are replaced all the time.
alter table :"schema".message set (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02
);
alter table :"schema".send set (
  autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02
);
alter table :"schema".business set (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);
alter table :"schema".probe set (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);

insert into :"schema".migration (version, serves_from) values (3, 2);
