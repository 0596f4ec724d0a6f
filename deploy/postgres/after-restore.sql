-- After a restore, before the gateways start: change numbers that were given after the restored moment will be given again,
-- so readers that have seen them must not go on from them. As the gateway's role, or as an administrator:
--
--   psql -v ON_ERROR_STOP=1 -1 -d gateway -f after-restore.sql
--
-- Cursors of before are refused then, and whoever has one reads anew. If STORE_SCHEMA names another schema, name it here.
update pingup_gateway.epoch set epoch = gen_random_uuid()::text;
select setval('pingup_gateway.change_number', last_value + 1000000000) from pingup_gateway.change_number;
