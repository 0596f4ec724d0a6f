-- Everything that the store keeps. Each key begins with the business, so that the tables can be partitioned or distributed
-- by it. Texts from outside are escaped (text.ts), and compared byte by byte. Instants are milliseconds since the epoch.

-- One number for each change, of a row or a deletion. Whoever takes one holds pg_advisory_xact_lock of the business
-- (locks.ts) until its commit, so that the order of a business' numbers is the order of its commits.
create sequence :"schema".change_number;

-- Which data this is, from when the tables were made; which history of it, so that change numbers can be compared; and on
-- which timeline of the server it was written last (epoch.ts).
create table :"schema".epoch (
  one boolean primary key default true check (one),
  store text not null,
  epoch text not null,
  timeline integer not null
);
insert into :"schema".epoch (store, epoch, timeline) values (
  gen_random_uuid()::text,
  gen_random_uuid()::text,
  ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer
);

-- What is counted for each business: the last numbers that were given, which are never given again, what is there at
-- present, and the change number of the last deletion. The row with the highest change is the current one. count_up()
-- replaces it under another key, as a row that is updated in place costs more the longer somebody else reads.
create table :"schema".business (
  business text collate "C" not null,
  change bigint not null,
  last_message bigint not null,
  last_send bigint not null,
  last_quarantined bigint not null,
  callback_only_messages bigint not null,
  quarantine_entries bigint not null,
  quarantine_bytes bigint not null,
  deleted_change bigint not null,
  primary key (business, change)
);

-- Adds to the counts of a business, and returns what they are then. The caller holds the lock of the business.
create function :"schema".count_up(
  whose text,
  messages bigint default 0,
  sends bigint default 0,
  quarantined bigint default 0,
  callback_only bigint default 0,
  entries bigint default 0,
  bytes bigint default 0,
  deletes boolean default false
) returns :"schema".business language plpgsql volatile set search_path = :"schema", pg_temp as $$
declare
  former business;
  number bigint := nextval('change_number');
  latest business;
begin
  select * into former from business where business = whose order by change desc limit 1;
  latest.business := whose;
  latest.change := number;
  latest.last_message := coalesce(former.last_message, 0) + messages;
  latest.last_send := coalesce(former.last_send, 0) + sends;
  latest.last_quarantined := coalesce(former.last_quarantined, 0) + quarantined;
  latest.callback_only_messages := coalesce(former.callback_only_messages, 0) + callback_only;
  latest.quarantine_entries := coalesce(former.quarantine_entries, 0) + entries;
  latest.quarantine_bytes := coalesce(former.quarantine_bytes, 0) + bytes;
  latest.deleted_change := case when deletes then number else coalesce(former.deleted_change, 0) end;
  insert into business select latest.*;
  delete from business where business = former.business and change = former.change;
  return latest;
end
$$;

-- All that is known of a message. number counts the messages of a business as they were first heard of. details is null
-- while only callbacks have told of it, and then so are client, client_phone and scheduled_for, which are taken from it.
-- send is the number of the send that it came of. accepted to read are the events, one for each status (event-text.ts):
-- 16 digits are when it happened, 16 more when it was received; of two, the lesser text is the one to keep.
create table :"schema".message (
  business text collate "C" not null,
  id text collate "C" not null,
  number bigint not null,
  change bigint not null,
  created_at bigint not null,
  send bigint,
  scheduled_for bigint,
  client text collate "C",
  client_phone text collate "C",
  details text collate "C",
  accepted text collate "C",
  sent text collate "C",
  failed text collate "C",
  delivered text collate "C",
  read text collate "C",
  updated_at bigint not null generated always as (
    greatest(
      substr(accepted, 18, 16), substr(sent, 18, 16), substr(failed, 18, 16), substr(delivered, 18, 16), substr(read, 18, 16)
    )::bigint
  ) stored,
  status text collate "C" not null generated always as (
    case
      when read is not null then 'READ'
      when delivered is not null then 'DELIVERED'
      when failed is not null then 'FAILED'
      when sent is not null then 'SENT'
      else 'ACCEPTED'
    end
  ) stored
);
-- Watches read on along it, and retention too: what was touched longest ago comes first.
create index message_by_change on :"schema".message (business, change);
create index message_by_status on :"schema".message (business, status, number);
create index message_by_client on :"schema".message (business, client, status, number) where client is not null;
create index message_by_phone on :"schema".message (business, client_phone) where client_phone is not null;
create index message_from_callbacks on :"schema".message (business, created_at) where details is null;
-- Last, so that the planner looks at it first: while a table is small, other indexes look as good for finding a row.
alter table :"schema".message add primary key (business, id);

-- number counts the sends of a business. outcome is a SendOutcome, and error_code says why it is none of PENDING and
-- ACCEPTED. idempotency_key and fingerprint are null if there is no key, and if the key was given back. token is whoever
-- began it. client and client_phone are those of input.
create table :"schema".send (
  business text collate "C" not null,
  number bigint not null,
  token text collate "C" not null,
  begun_at bigint not null,
  settled_at bigint,
  outcome text collate "C" not null,
  error_code text collate "C",
  message_id text collate "C",
  idempotency_key text collate "C",
  fingerprint text collate "C",
  client text collate "C",
  client_phone text collate "C",
  input text collate "C" not null
);
create unique index send_by_key on :"schema".send (business, idempotency_key) where idempotency_key is not null;
create index send_by_outcome on :"schema".send (business, outcome, number);
create index send_pending on :"schema".send (business, begun_at) where outcome = 'PENDING';
create index send_by_client on :"schema".send (business, client) where client is not null;
create index send_by_phone on :"schema".send (business, client_phone) where client_phone is not null;
alter table :"schema".send add primary key (business, number);

-- number counts what came into the quarantine of a business. body is what was not understood, compressed by Zstandard;
-- characters is its length before that, and bytes what the entry counts for.
create table :"schema".quarantine (
  business text collate "C" not null,
  number bigint not null,
  sha256 bytea not null,
  characters integer not null,
  bytes bigint not null,
  times bigint not null,
  first_received_at bigint not null,
  last_received_at bigint not null,
  reason text collate "C" not null,
  body bytea not null
);
alter table :"schema".quarantine alter column body set storage external;
create unique index quarantine_by_body on :"schema".quarantine (business, sha256);
alter table :"schema".quarantine add primary key (business, number);

-- About when the store was last written, by the server's clock, and until when nothing expires (clock.ts).
create table :"schema".clock (
  one boolean primary key default true check (one),
  last_write bigint,
  waits_until bigint
);
insert into :"schema".clock default values;

-- What a health check writes: a row for each of a few slots, so that nodes rarely wait for each other.
create table :"schema".probe (slot integer primary key, writes bigint not null);

insert into :"schema".migration (version, serves_from) values (2, 2);
