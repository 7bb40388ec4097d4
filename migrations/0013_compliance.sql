-- What is proved afterwards: an audit trail that nothing is missing from, what endangered somebody's account, and what people asked for about
-- themselves.

-- Columns that hold secrets are never written down; of an erasure only which columns it emptied.
create or replace function audit_change() returns trigger language plpgsql as $$
declare
  before jsonb; after jsonb; secret text; erasing boolean := coalesce(current_setting('app.erasing', true), '') = 'on';
begin
  if tg_op <> 'INSERT' then before := to_jsonb(old); end if;
  if tg_op <> 'DELETE' then after := to_jsonb(new); end if;
  foreach secret in array coalesce(tg_argv, '{}') loop
    before := before - secret; after := after - secret;
  end loop;
  if tg_op = 'UPDATE' then
    -- Only what changed.
    select jsonb_object_agg(key, value) into after from jsonb_each(after) a where before -> a.key is distinct from a.value and a.key <> 'updated_at';
    if after is null then return null; end if;
    select jsonb_object_agg(key, before -> key) into before from jsonb_object_keys(after) as key;
  end if;
  insert into audit_logs (tenant_id, user_id, action, resource_type, resource_id, details, request_id)
  values (
    coalesce(new.tenant_id, old.tenant_id), acting_user(),
    coalesce(nullif(current_setting('app.action', true), ''), lower(tg_op)), tg_table_name, coalesce(new.id, old.id),
    case when erasing then jsonb_build_object('change', lower(tg_op), 'erased', (select jsonb_agg(key) from jsonb_object_keys(coalesce(before, after)) as key))
      else jsonb_strip_nulls(jsonb_build_object('change', lower(tg_op), 'before', before, 'after', after)) end,
    nullif(current_setting('app.request', true), ''));
  return null;
end $$;

-- An entry is hashed some seconds after it was committed, beside the requests' path: a tenant's entries form one chain in the order of `sequence`.
-- Who did it, and the details, are in it as salted digests, so that an erasure can empty them and the chain still holds.
alter table audit_logs
  add sequence bigint check (sequence >= 0),
  add prev_hash text check (length(prev_hash) <= 64),
  add hash text check (length(hash) <= 64),
  add mac text check (length(mac) <= 64),
  add who_salt text check (length(who_salt) <= 32),
  add who_digest text check (length(who_digest) <= 64),
  add details_salt text check (length(details_salt) <= 32),
  add details_digest text check (length(details_digest) <= 64),
  add erasure_id uuid;
create index audit_logs_unsealed on audit_logs (tenant_id, created_at, id) where sequence is null;
create index audit_logs_chain on audit_logs (tenant_id, sequence);
create index audit_logs_user on audit_logs (user_id, tenant_id);
create index audit_logs_resource on audit_logs (tenant_id, resource_id);

-- Where each chain has come to.
create table audit_chains (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() unique,
  sequence bigint not null default 0 check (sequence >= 0),
  hash text not null default repeat('0', 64) check (length(hash) <= 64),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('audit_chains', null);
revoke insert, update, delete on audit_chains from voicepress_app;
create policy readers on audit_chains as restrictive for select to voicepress_app using ((select sees_all()));

create table security_events (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  -- Whose account it is about.
  user_id uuid,
  event_type text not null check (length(event_type) <= 100),
  severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
  details jsonb not null default '{}',
  ip_address inet,
  user_agent text check (length(user_agent) <= 500),
  occurred_at timestamptz not null default now(),
  acknowledged_by uuid,
  acknowledged_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('security_events', null);
create index security_events_user on security_events (tenant_id, user_id);
create policy readers on security_events as restrictive for select to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));
create policy changed on security_events as restrictive for update to voicepress_app using ((select sees_all()));
create policy removed on security_events as restrictive for delete to voicepress_app using ((select sees_all()));

create table gdpr_requests (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() references tenants on delete cascade,
  -- Whom it is about; they may have asked by letter, and somebody else have written it down.
  user_id uuid not null,
  requested_by uuid default acting_user(),
  request_type text not null check (request_type in ('access', 'portability', 'rectification', 'erasure')),
  status text not null default 'pending' check (status in ('pending', 'processing', 'completed', 'refused', 'cancelled', 'failed')),
  requested_at timestamptz not null default now(),
  -- One month (GDPR, 12(3)); three, when the person was told why.
  due_at timestamptz not null,
  extended_because text check (length(extended_because) <= 2000),
  refused_because text check (length(refused_because) <= 2000),
  notes text check (length(notes) <= 5000),
  -- What is to be corrected.
  changes jsonb,
  job_id uuid,
  result_blob text check (length(result_blob) <= 1024),
  result_bytes bigint check (result_bytes >= 0),
  result_expires_at timestamptz,
  -- What was done, table by table, and what was kept and why.
  report jsonb,
  warned_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('gdpr_requests', '{changes,notes,result_blob}');
create index gdpr_requests_user on gdpr_requests (tenant_id, user_id);
create unique index gdpr_requests_open on gdpr_requests (tenant_id, user_id, request_type) where status in ('pending', 'processing');
create policy mine on gdpr_requests as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));
revoke delete on gdpr_requests from voicepress_app;

-- Who was erased, by an id that leads to nobody: a backup that is restored is erased again by it.
create table gdpr_erasures (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  request_id uuid,
  erased_at timestamptz not null default now(),
  applied_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, user_id)
);
select make_tenant_table('gdpr_erasures');
revoke update, delete on gdpr_erasures from voicepress_app;
grant update (applied_at, updated_at) on gdpr_erasures to voicepress_app;
create policy administrators on gdpr_erasures as restrictive to voicepress_app using ((select sees_all()));

-- Nobody logs in as voicepress_auditor: it owns the functions that seal the trail and empty what an erasure has to empty, and nothing else
-- changes an entry.
grant select, insert, update on audit_logs to voicepress_auditor;
grant select, insert, update on audit_chains to voicepress_auditor;
grant select on gdpr_erasures, gdpr_requests to voicepress_auditor;
grant select, update on access_logs, resellers to voicepress_auditor;
create policy auditor on audit_logs to voicepress_auditor using (true);
create policy auditor on audit_chains to voicepress_auditor using (true);
create policy auditor on gdpr_erasures for select to voicepress_auditor using (true);
create policy auditor on gdpr_requests for select to voicepress_auditor using (true);
create policy auditor on access_logs to voicepress_auditor using (true);
create policy auditor on resellers to voicepress_auditor using (true);
-- Its readers' rule is the application's.
drop policy readers on audit_logs;
create policy readers on audit_logs as restrictive for select to voicepress_app using ((select sees_all()));

-- Holds for the owner of the tables too: a mistake at the console is refused, and whoever goes around it leaves a broken chain.
create function keep_audit() returns trigger language plpgsql as $$
declare
  seal text[] := '{sequence,prev_hash,hash,mac,who_salt,who_digest,details_salt,details_digest}';
  erasable text[] := '{user_email,ip_address,user_agent,who_salt,details,details_salt,erasure_id}';
begin
  if tg_op = 'UPDATE' and current_user = 'voicepress_auditor' then
    if old.sequence is null and new.sequence is not null and to_jsonb(new) - seal = to_jsonb(old) - seal then return new; end if;
    if new.erasure_id is not null and to_jsonb(new) - erasable = to_jsonb(old) - erasable then return new; end if;
  end if;
  raise exception 'audit_logs is append-only' using errcode = '42501';
end $$;
create trigger keep_audit before update or delete on audit_logs for each row execute function keep_audit();
create trigger keep_audit_whole before truncate on audit_logs for each statement execute function keep_audit();

-- The end of the current tenant's chain, with everybody else who would go on with it kept waiting until this transaction ends.
create function lock_audit_chain(out sequence bigint, out hash text) language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  insert into audit_chains (tenant_id) values (current_tenant()) on conflict (tenant_id) do nothing;
  select c.sequence, c.hash into sequence, hash from audit_chains c where c.tenant_id = current_tenant() for update;
end $$;

-- Goes on with the chain where it ends; refuses what doesn't fit there.
create function seal_audit_logs(seals jsonb) returns void language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare ending audit_chains; filled integer; wanted integer := jsonb_array_length(seals);
begin
  select * into ending from audit_chains where tenant_id = current_tenant() for update;
  if wanted = 0 or (seals -> 0 ->> 'sequence')::bigint <> ending.sequence + 1 or seals -> 0 ->> 'prev_hash' <> ending.hash then
    raise exception 'the chain does not end there' using errcode = '40001';
  end if;
  update audit_logs a set sequence = s.sequence, prev_hash = s.prev_hash, hash = s.hash, mac = s.mac,
    who_salt = s.who_salt, who_digest = s.who_digest, details_salt = s.details_salt, details_digest = s.details_digest
  from jsonb_to_recordset(seals) as s (id uuid, created_at timestamptz, sequence bigint, prev_hash text, hash text, mac text,
    who_salt text, who_digest text, details_salt text, details_digest text)
  where a.tenant_id = current_tenant() and a.created_at = s.created_at and a.id = s.id and a.sequence is null;
  get diagnostics filled = row_count;
  if filled <> wanted then raise exception '% of % entries could be sealed', filled, wanted using errcode = '40001'; end if;
  update audit_chains set sequence = ending.sequence + wanted, hash = seals -> -1 ->> 'hash', updated_at = now() where tenant_id = current_tenant();
end $$;

-- Tenants that have entries to seal: ids, and nothing else of theirs.
create function unsealed_tenants() returns setof uuid language sql stable security definer set search_path = public, pg_temp as $$
  select distinct tenant_id from audit_logs where sequence is null
$$;

-- Tenants with requests whose time is nearly over, or with archives that are kept no longer.
create function tenants_with_due_requests() returns setof uuid language sql stable security definer set search_path = public, pg_temp as $$
  select distinct tenant_id from gdpr_requests
  where (status in ('pending', 'processing', 'failed') and warned_at is null and due_at < now() + interval '7 days') or (result_blob is not null and result_expires_at < now())
$$;

-- Which of these erasures there were, in whatever tenant: somebody of the platform's leaves entries in its customers' trails.
create function known_erasures(wanted uuid[]) returns setof uuid language sql stable security definer set search_path = public, pg_temp as $$
  select id from gdpr_erasures where id = any (wanted)
$$;

-- Empties what the application can't: entries that somebody left in the trails, those that speak of them, and a reseller's contact.
-- `subjects` are the rows about them, `words` what those rows said; only for somebody whose erasure stands in the ledger.
create function erase_kept(erasure uuid, address text, subjects uuid[], words text[], out entries integer, out accesses integer, out contacts integer)
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare person uuid; here uuid := current_tenant(); filled integer; 
begin
  select user_id into person from gdpr_erasures where tenant_id = here and id = erasure;
  if person is null then raise exception 'no such erasure' using errcode = '42501'; end if;
  update audit_logs a set user_email = null, ip_address = null, user_agent = null, who_salt = null, erasure_id = erasure
  where a.user_id = person and (a.user_email is not null or a.ip_address is not null or a.user_agent is not null);
  get diagnostics entries = row_count;
  update audit_logs a set details = '{}', details_salt = null, erasure_id = erasure
  where a.tenant_id = here and a.details <> '{}' and not a.details ? 'erased'
    and (a.resource_id = any (subjects) or position(lower(address) in lower(a.details::text)) > 0
      or jsonb_path_exists(a.details, '$.** ? (@ == $words[*])', jsonb_build_object('words', words), true));
  get diagnostics filled = row_count;
  entries := entries + filled;
  update access_logs l set ip_address = null, user_agent = null where l.user_id = person and (l.ip_address is not null or l.user_agent is not null);
  get diagnostics accesses = row_count;
  update resellers r set email = r.id || '@removed.invalid', phone = null, updated_at = now() where r.tenant_id = here and lower(r.email) = lower(address);
  get diagnostics contacts = row_count;
end $$;

do $$
declare f text;
begin
  foreach f in array array['lock_audit_chain()', 'seal_audit_logs(jsonb)', 'unsealed_tenants()', 'tenants_with_due_requests()', 'known_erasures(uuid[])', 'erase_kept(uuid, text, uuid[], text[])'] loop
    execute format('alter function %s owner to voicepress_auditor', f);
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to voicepress_app', f);
  end loop;
end $$;

-- down

drop function erase_kept(uuid, text, uuid[], text[]), known_erasures(uuid[]), tenants_with_due_requests(), unsealed_tenants(), seal_audit_logs(jsonb), lock_audit_chain();
drop trigger keep_audit on audit_logs;
drop trigger keep_audit_whole on audit_logs;
drop function keep_audit();
drop policy readers on audit_logs;
create policy readers on audit_logs as restrictive for select using ((select sees_all()));
drop policy auditor on resellers;
drop policy auditor on access_logs;
drop policy auditor on audit_logs;
revoke select, update on access_logs, resellers from voicepress_auditor;
revoke select, insert, update on audit_logs from voicepress_auditor;
drop table gdpr_erasures, gdpr_requests, security_events, audit_chains;
drop index audit_logs_unsealed, audit_logs_chain, audit_logs_user, audit_logs_resource;
alter table audit_logs drop sequence, drop prev_hash, drop hash, drop mac, drop who_salt, drop who_digest, drop details_salt, drop details_digest, drop erasure_id;
create or replace function audit_change() returns trigger language plpgsql as $$
declare
  before jsonb; after jsonb; secret text;
begin
  if tg_op <> 'INSERT' then before := to_jsonb(old); end if;
  if tg_op <> 'DELETE' then after := to_jsonb(new); end if;
  foreach secret in array coalesce(tg_argv, '{}') loop
    before := before - secret; after := after - secret;
  end loop;
  if tg_op = 'UPDATE' then
    -- Only what changed.
    select jsonb_object_agg(key, value) into after from jsonb_each(after) a where before -> a.key is distinct from a.value and a.key <> 'updated_at';
    if after is null then return null; end if;
    select jsonb_object_agg(key, before -> key) into before from jsonb_object_keys(after) as key;
  end if;
  insert into audit_logs (tenant_id, user_id, action, resource_type, resource_id, details, request_id)
  values (
    coalesce(new.tenant_id, old.tenant_id), acting_user(),
    coalesce(nullif(current_setting('app.action', true), ''), lower(tg_op)), tg_table_name, coalesce(new.id, old.id),
    jsonb_strip_nulls(jsonb_build_object('change', lower(tg_op), 'before', before, 'after', after)),
    nullif(current_setting('app.request', true), ''));
  return null;
end $$;
