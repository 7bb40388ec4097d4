-- What every table stands on: roles' rights, the transaction's scope, row security by one function, jobs, outbox, audit.
-- Roles are made before migrations run (src/kit/migrate.ts):
--   voicepress_owner     owns everything here; nobody logs in as it
--   voicepress_app       runs operations and jobs; owns nothing, bypasses nothing
--   voicepress_platform  the second door: owns the few functions that cross tenants; nobody logs in as it
--   voicepress_worker    owns graphile_worker's schema and runs its queue; sees jobs and outbox events of all tenants, nothing else

-- UUID version 7 (RFC 9562, 5.7): ids in order of time, so that lists page by primary key.
create function uuid_v7() returns uuid language sql volatile parallel safe as $$
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid()) placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
      52, 1), 53, 1), 'hex')::uuid
$$;

-- For the transaction only: SET LOCAL, which also reaches Citus workers; set_config(…, true) doesn't.
create function set_tenant_context(tenant uuid, "user" uuid, sees_all boolean default false, action text default null, request text default null)
returns void language plpgsql as $$
begin
  execute format('set local app.current_tenant = %L', tenant);
  execute format('set local app."current_user" = %L', coalesce("user"::text, ''));
  execute format('set local app.sees_all = %L', case when sees_all then 'on' else 'off' end);
  execute format('set local app."action" = %L', coalesce(action, ''));
  execute format('set local app.request = %L', coalesce(request, ''));
end $$;

-- After its first use in a session an unset setting is '' and not NULL.
create function current_tenant() returns uuid language sql stable parallel safe as $$ select nullif(current_setting('app.current_tenant', true), '')::uuid $$;
create function acting_user() returns uuid language sql stable parallel safe as $$ select nullif(current_setting('app.current_user', true), '')::uuid $$;
create function sees_all() returns boolean language sql stable parallel safe as $$ select coalesce(current_setting('app.sees_all', true), '') = 'on' $$;

-- Audit: one row for each operation that may change something (written by the door), and one for each changed row of an audited table
-- (written here), joined by request. Columns that hold secrets are never written down.
create table audit_logs (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid,
  user_email text check (length(user_email) <= 254),
  action text not null check (length(action) <= 100),
  resource_type text check (length(resource_type) <= 100),
  resource_id uuid,
  details jsonb not null default '{}',
  ip_address inet,
  user_agent text check (length(user_agent) <= 500),
  request_id text check (length(request_id) <= 100),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, created_at, id)
) partition by range (created_at);
create table audit_logs_default partition of audit_logs default;
create index on audit_logs (tenant_id, id);

create function audit_change() returns trigger language plpgsql as $$
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

-- Row security of a tenant's table: on, forced, one policy, grants. Never granted on partitions: read directly they show every tenant.
create function secure_tenant_table(t regclass) returns void language plpgsql as $$
begin
  execute format('alter table %s enable row level security', t);
  execute format('alter table %s force row level security', t);
  execute format('create policy tenant on %s using (tenant_id = (select nullif(current_setting(''app.current_tenant'', true), '''')::uuid))', t);
  execute format('grant select, insert, update, delete on %s to voicepress_app', t);
end $$;

-- Makes a table a tenant's. `secrets`: columns that the audit trail leaves out; null: its rows are made by machine in bulk and are not audited one by one.
create function make_tenant_table(t regclass, secrets text[] default '{}') returns void language plpgsql as $$
begin
  execute format('alter table %s add primary key (tenant_id, id)', t);
  perform secure_tenant_table(t);
  if secrets is not null then
    execute format('create trigger audit after insert or update or delete on %s for each row execute function audit_change(%s)',
      t, (select string_agg(quote_literal(s), ', ') from unnest(secrets) s));
  end if;
end $$;

select secure_tenant_table('audit_logs');
revoke update, delete on audit_logs from voicepress_app;
-- Administrators only; what others do is still written.
create policy readers on audit_logs as restrictive for select using ((select sees_all()));

create table jobs (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid,
  kind text not null check (length(kind) <= 100),
  subject_id uuid,
  workflow_id uuid,
  payload jsonb not null,
  status text not null default 'queued' check (status in ('queued', 'processing', 'completed', 'failed', 'cancelled')),
  priority integer not null default 0 check (priority between -100 and 100),
  progress double precision not null default 0 check (progress between 0 and 100),
  detail jsonb,
  attempts integer not null default 0 check (attempts >= 0),
  error jsonb,
  result jsonb,
  cancel_requested boolean not null default false,
  unique_key text check (length(unique_key) <= 200),
  heartbeat_at timestamptz,
  started_at timestamptz,
  completed_at timestamptz,
  processing_seconds double precision not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('jobs', null);
create index jobs_subject on jobs (tenant_id, subject_id);
create index jobs_open on jobs (status, heartbeat_at) where status in ('queued', 'processing');
create unique index jobs_unique_key on jobs (tenant_id, unique_key) where status in ('queued', 'processing');
-- A person sees the jobs that are theirs; administrators see all.
create policy mine on jobs as restrictive for select to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));
create policy worker on jobs to voicepress_worker using (true);
grant select, update on jobs to voicepress_worker;

-- The outbox: an event is committed with what it tells of, and delivered after.
create table events (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  name text not null check (length(name) <= 100),
  payload jsonb not null,
  delivered_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('events', null);
create policy worker on events to voicepress_worker using (true);
grant select, update, delete on events to voicepress_worker;

-- The application's role can't call the queue; these triggers can, as the queue's own role.
create function enqueue_job() returns trigger language plpgsql security definer set search_path = graphile_worker, public, pg_temp as $$
begin
  perform graphile_worker.add_job('job', json_build_object('id', new.id, 'tenant', new.tenant_id), job_key => new.id::text,
    -- One at a time on one subject: two jobs on a project would undo each other's work.
    queue_name => new.subject_id::text, priority => (-new.priority)::int, max_attempts => 100);
  return null;
end $$;
create function enqueue_event() returns trigger language plpgsql security definer set search_path = graphile_worker, public, pg_temp as $$
begin
  perform graphile_worker.add_job('event', json_build_object('id', new.id, 'tenant', new.tenant_id), job_key => new.id::text, max_attempts => 25);
  return null;
end $$;
alter function enqueue_job() owner to voicepress_worker;
alter function enqueue_event() owner to voicepress_worker;
revoke execute on function enqueue_job(), enqueue_event() from public;
create trigger enqueue after insert on jobs for each row execute function enqueue_job();
create trigger enqueue after insert on events for each row execute function enqueue_event();

-- How many wait, for the metrics page: a number, and nobody's.
create function queue_length() returns bigint language sql stable security definer set search_path = public, pg_temp as $$
  select count(*) from jobs where status = 'queued'
$$;
alter function queue_length() owner to voicepress_worker;
revoke execute on function queue_length() from public;
grant execute on function queue_length() to voicepress_app;

-- Tells listeners which job moved; what it holds they read themselves, under their own scope.
create function tell_job() returns trigger language plpgsql as $$
begin
  perform pg_notify('voicepress_jobs', new.tenant_id || ' ' || new.id || ' ' || new.status || ' ' || new.cancel_requested);
  return null;
end $$;
create trigger tell after insert or update of status, progress, detail, cancel_requested on jobs for each row execute function tell_job();

create table idempotency_keys (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  key text not null check (length(key) between 1 and 255),
  operation text not null check (length(operation) <= 100),
  request_hash text not null check (length(request_hash) <= 64),
  response jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, user_id, key)
);
select make_tenant_table('idempotency_keys', null);

-- down

drop function queue_length();
drop table idempotency_keys, events, jobs, audit_logs;
drop function tell_job(), enqueue_event(), enqueue_job(), make_tenant_table(regclass, text[]), secure_tenant_table(regclass), audit_change(),
  sees_all(), acting_user(), current_tenant(), set_tenant_context(uuid, uuid, boolean, text, text), uuid_v7();
