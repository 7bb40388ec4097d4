-- Tenants, their limits, their people and how those prove who they are; what is used and what it costs.

create table tenants (
  id uuid primary key default uuid_v7(),
  name text not null check (length(name) between 1 and 255),
  -- acme in acme.example.com
  slug text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  plan text not null default 'single' check (plan in ('single', 'team', 'enterprise')),
  subscription_status text not null default 'active' check (subscription_status in ('trial', 'active', 'past_due', 'cancelled', 'expired')),
  suspended_at timestamptz,
  suspended_reason text check (length(suspended_reason) <= 1000),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenant on tenants using (id = (select current_tenant()));
grant select, update on tenants to voicepress_app;

create table tenant_settings (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() unique references tenants on delete cascade,
  settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('tenant_settings');

create table tenant_quotas (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() unique references tenants on delete cascade,
  max_users integer not null default 5 check (max_users >= 0),
  max_projects integer not null default 10 check (max_projects >= 0),
  max_podcasts integer not null default 5 check (max_podcasts >= 0),
  max_campaigns integer not null default 10 check (max_campaigns >= 0),
  max_storage_bytes bigint not null default 107374182400 check (max_storage_bytes >= 0),
  -- Minutes of audio made or transcribed in a calendar month, UTC.
  max_processing_minutes integer not null default 6000 check (max_processing_minutes >= 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('tenant_quotas');
revoke insert, delete on tenant_quotas from voicepress_app;

create table users (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() references tenants on delete cascade,
  email text not null check (length(email) <= 254 and email = lower(email)),
  full_name text check (length(full_name) <= 255),
  roles text[] not null default '{viewer}' check (cardinality(roles) between 1 and 20),
  password_hash text check (length(password_hash) <= 255),
  email_verified boolean not null default false,
  suspended_at timestamptz,
  last_login_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, email)
);
select make_tenant_table('users', '{password_hash}');

create table sessions (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  token_hash text not null unique check (length(token_hash) <= 64),
  ip_address inet,
  user_agent text check (length(user_agent) <= 500),
  last_accessed_at timestamptz not null default now(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (expires_at > created_at),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('sessions', '{token_hash}');
create index sessions_user on sessions (tenant_id, user_id);
create policy mine on sessions as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

create table api_keys (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  name text not null check (length(name) between 1 and 100),
  key_hash text not null unique check (length(key_hash) <= 64),
  -- The first characters, so that a person can tell keys apart.
  prefix text not null check (length(prefix) <= 20),
  scopes text[] not null check (cardinality(scopes) <= 200),
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('api_keys', '{key_hash}');
create index api_keys_user on api_keys (tenant_id, user_id);
create policy mine on api_keys as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

-- The second door. Each function answers one question about one thing that the caller already holds.
grant select on tenants, users, sessions, api_keys to voicepress_platform;
create policy platform on tenants to voicepress_platform using (true);
create policy platform on users to voicepress_platform using (true);
create policy platform on sessions to voicepress_platform using (true);
create policy platform on api_keys to voicepress_platform using (true);

create function find_credential(hash text)
returns table (kind text, credential uuid, tenant_id uuid, user_id uuid, email text, roles text[], scopes text[])
language sql stable security definer set search_path = public, pg_temp as $$
  with held as (
    select 'session' as kind, id, tenant_id, user_id, null::text[] as scopes from sessions
    where token_hash = hash and revoked_at is null and expires_at > now()
    union all
    select 'api_key', id, tenant_id, user_id, scopes from api_keys
    where key_hash = hash and revoked_at is null and (expires_at is null or expires_at > now()))
  select held.kind, held.id, held.tenant_id, held.user_id, users.email, users.roles, held.scopes
  from held
  join users on users.tenant_id = held.tenant_id and users.id = held.user_id and users.suspended_at is null and users.deleted_at is null
  join tenants on tenants.id = held.tenant_id and tenants.suspended_at is null
$$;
alter function find_credential(text) owner to voicepress_platform;

create function find_tenant(wanted text) returns uuid language sql stable security definer set search_path = public, pg_temp as $$
  select id from tenants where slug = wanted and suspended_at is null
$$;
alter function find_tenant(text) owner to voicepress_platform;
revoke execute on function find_credential(text), find_tenant(text) from public;
grant execute on function find_credential(text), find_tenant(text) to voicepress_app;

-- Makes a tenant with its limits; run by the owner at the first start, and later by those who may make tenants.
grant insert on tenants, tenant_quotas, audit_logs to voicepress_platform;
create policy platform on audit_logs for insert to voicepress_platform with check (true);
create policy platform on tenant_quotas for insert to voicepress_platform with check (true);
create function make_tenant(name text, slug text, id uuid default uuid_v7()) returns uuid
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into tenants (id, name, slug) values (id, name, slug);
  insert into tenant_quotas (tenant_id) values (id);
  return id;
end $$;
alter function make_tenant(text, text, uuid) owner to voicepress_platform;
revoke execute on function make_tenant(text, text, uuid) from public;

create table cost_entries (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  project_id uuid,
  user_id uuid,
  job_id uuid,
  service text not null check (length(service) <= 50),
  operation text not null check (length(operation) <= 100),
  model text check (length(model) <= 100),
  prompt_tokens integer not null default 0 check (prompt_tokens >= 0),
  completion_tokens integer not null default 0 check (completion_tokens >= 0),
  units double precision not null default 0,
  unit_type text not null check (length(unit_type) <= 50),
  cost_usd numeric(14,6) not null check (cost_usd >= 0),
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('cost_entries', null);
revoke update, delete on cost_entries from voicepress_app;
create index cost_entries_project on cost_entries (tenant_id, project_id, id);

create table usage_records (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid,
  job_id uuid,
  project_id uuid,
  resource_type text not null check (resource_type in ('storage', 'narration', 'transcription')),
  -- May be negative: storage that was given back.
  amount double precision not null,
  unit text not null check (unit in ('bytes', 'minutes')),
  recorded_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('usage_records', null);
revoke update, delete on usage_records from voicepress_app;
create index usage_records_type on usage_records (tenant_id, resource_type, recorded_at);

-- down

drop policy platform on audit_logs;
revoke insert on audit_logs from voicepress_platform;
drop table usage_records, cost_entries;
drop function make_tenant(text, text, uuid), find_tenant(text), find_credential(text);
drop table api_keys, sessions, users, tenant_quotas, tenant_settings, tenants;
