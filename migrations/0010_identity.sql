-- How people come in, prove who they are, and are told about it.

alter table users
  add username text check (length(username) <= 100),
  add first_name text check (length(first_name) <= 100),
  add last_name text check (length(last_name) <= 100),
  add display_name text check (length(display_name) <= 255),
  add avatar_blob text check (length(avatar_blob) <= 255),
  add locale text not null default 'en' check (length(locale) <= 35),
  add metadata jsonb not null default '{}',
  add password_changed_at timestamptz,
  add oidc_provider_id uuid,
  -- Who they are to that provider: its `sub`, which unlike an address is never given to somebody else.
  add external_subject text check (length(external_subject) <= 255),
  drop constraint users_tenant_id_email_key;
-- An address is free again when its person was removed.
create unique index users_email on users (tenant_id, email) where deleted_at is null;
create unique index users_username on users (tenant_id, lower(username)) where deleted_at is null;
create unique index users_external_subject on users (tenant_id, oidc_provider_id, external_subject) where deleted_at is null;
drop trigger audit on users;
create trigger audit after insert or update or delete on users for each row execute function audit_change('password_hash', 'last_login_at');

-- What members of a tenant see of each other.
create view profiles with (security_invoker = true) as
  select id, tenant_id, id as user_id, coalesce(display_name, full_name, nullif(concat_ws(' ', first_name, last_name), ''), username) as display_name,
    case when avatar_blob is not null then '/v1/profiles/' || id || '/avatar' end as avatar_url, created_at
  from users where deleted_at is null;
grant select on profiles to voicepress_app;

alter table sessions
  -- Of a browser it is the cookie's; a program's is found by its id, which its signed access tokens name.
  add kind text not null default 'browser' check (kind in ('browser', 'program')),
  add method text not null default 'password' check (method in ('password', 'second_factor', 'passkey', 'oidc')),
  -- What it may do until a second factor is set up; null: all that its person may.
  add scopes text[] check (cardinality(scopes) <= 200);
drop trigger audit on sessions;
create trigger audit after insert or update or delete on sessions for each row execute function audit_change('token_hash', 'last_accessed_at');

alter table api_keys
  -- The key that this one takes the place of; both work until the old one expires.
  add replaces uuid;
drop trigger audit on api_keys;
create trigger audit after insert or update or delete on api_keys for each row execute function audit_change('key_hash', 'last_used_at');

create table refresh_tokens (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  -- The family: all tokens that came from one sign-in.
  session_id uuid not null,
  token_hash text not null unique check (length(token_hash) <= 64),
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('refresh_tokens', null);
alter table refresh_tokens add foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade;
create index refresh_tokens_session on refresh_tokens (tenant_id, session_id);
create policy mine on refresh_tokens as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

create table email_verification_tokens (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  -- The address that is proved; another than the person's own when they change it.
  email text not null check (length(email) <= 254),
  token_hash text not null unique check (length(token_hash) <= 64),
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('email_verification_tokens', '{token_hash}');
create index email_verification_tokens_user on email_verification_tokens (tenant_id, user_id);
create policy mine on email_verification_tokens as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

create table password_reset_tokens (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  token_hash text not null unique check (length(token_hash) <= 64),
  expires_at timestamptz not null,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('password_reset_tokens', '{token_hash}');
create index password_reset_tokens_user on password_reset_tokens (tenant_id, user_id);
create policy mine on password_reset_tokens as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

create table invitations (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  email text not null check (length(email) <= 254),
  full_name text check (length(full_name) <= 255),
  roles text[] not null check (cardinality(roles) between 1 and 20),
  locale text not null default 'en' check (length(locale) <= 35),
  invited_by uuid,
  token_hash text unique check (length(token_hash) <= 64),
  expires_at timestamptz not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  user_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('invitations', '{token_hash}');
create unique index invitations_open on invitations (tenant_id, email) where accepted_at is null and revoked_at is null;
create policy mine on invitations as restrictive to voicepress_app using ((select sees_all()) or invited_by = (select acting_user()));

create table user_email_preferences (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  activity boolean not null default true,
  reports boolean not null default true,
  product_updates boolean not null default true,
  marketing_emails boolean not null default false,
  security_alerts boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, user_id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('user_email_preferences');
create policy mine on user_email_preferences as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

create table totp_secrets (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  secret_encrypted text not null check (length(secret_encrypted) <= 255),
  confirmed_at timestamptz,
  -- The step of the last code that was taken: a code works once (RFC 6238, 5.2).
  last_step bigint not null default 0 check (last_step >= 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, user_id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('totp_secrets', '{secret_encrypted, last_step}');
create policy mine on totp_secrets as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

create table recovery_codes (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  code_hash text not null check (length(code_hash) <= 64),
  used_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, user_id, code_hash),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('recovery_codes', '{code_hash}');
create policy mine on recovery_codes as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

-- Passkeys (Web Authentication Level 3).
create table user_credentials (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  name text not null check (length(name) <= 100),
  credential_id text not null check (length(credential_id) <= 1400),
  public_key text not null check (length(public_key) <= 2000),
  counter bigint not null default 0 check (counter >= 0),
  transports text[] not null default '{}',
  backed_up boolean not null default false,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, credential_id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('user_credentials', '{public_key, counter, last_used_at}');
create index user_credentials_user on user_credentials (tenant_id, user_id);
create policy mine on user_credentials as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

-- A ceremony between its two requests: what a passkey signs, what a provider sends back.
create table challenges (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  kind text not null check (kind in ('add_passkey', 'passkey', 'oidc')),
  user_id uuid,
  token_hash text not null check (length(token_hash) <= 64),
  sealed text check (length(sealed) <= 4000),
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, token_hash)
);
select make_tenant_table('challenges', null);
create index challenges_expired on challenges (tenant_id, expires_at);
create policy mine on challenges as restrictive to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

create table oidc_providers (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  key text not null check (length(key) <= 63),
  name text not null check (length(name) <= 100),
  issuer text not null check (length(issuer) <= 500),
  client_id text not null check (length(client_id) <= 255),
  client_secret_encrypted text check (length(client_secret_encrypted) <= 2000),
  scopes text[] not null default '{openid,email,profile}',
  enabled boolean not null default true,
  -- Makes an account for whoever it vouches for.
  creates_users boolean not null default false,
  default_roles text[] not null default '{viewer}',
  -- Takes its word for an address although it doesn't say that it verified it.
  trusts_addresses boolean not null default false,
  -- Asks for second factors itself, so that we don't.
  handles_second_factor boolean not null default true,
  allowed_domains text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, key)
);
select make_tenant_table('oidc_providers', '{client_secret_encrypted}');
create policy administrators on oidc_providers as restrictive to voicepress_app using ((select sees_all()));
alter table users add foreign key (tenant_id, oidc_provider_id) references oidc_providers (tenant_id, id) on delete set null (oidc_provider_id);

-- What limits guessing. Accounts stand in it as keyed hashes, whether they exist or not.
create table login_attempts (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  kind text not null check (kind in ('password', 'second_factor', 'reset', 'verification')),
  account_hash text not null check (length(account_hash) <= 64),
  -- An IPv6 network of 64 bits, or an IPv4 address.
  ip_address inet,
  succeeded boolean not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('login_attempts', null);
create index login_attempts_account on login_attempts (tenant_id, account_hash, created_at);
create index login_attempts_address on login_attempts (tenant_id, ip_address, created_at);
create policy administrators on login_attempts as restrictive to voicepress_app using ((select sees_all()));

create or replace function find_credential(hash text)
returns table (kind text, credential uuid, tenant_id uuid, user_id uuid, email text, roles text[], scopes text[])
language sql stable security definer set search_path = public, pg_temp as $$
  with held as (
    select 'session' as kind, id, tenant_id, user_id, scopes from sessions
    where token_hash = hash and revoked_at is null and expires_at > now()
    union all
    select 'api_key', id, tenant_id, user_id, scopes from api_keys
    where key_hash = hash and revoked_at is null and (expires_at is null or expires_at > now()))
  select held.kind, held.id, held.tenant_id, held.user_id, users.email, users.roles, held.scopes
  from held
  join users on users.tenant_id = held.tenant_id and users.id = held.user_id and users.suspended_at is null and users.deleted_at is null
  join tenants on tenants.id = held.tenant_id and tenants.suspended_at is null
$$;

-- down

create or replace function find_credential(hash text)
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
drop view profiles;
alter table users drop oidc_provider_id, drop external_subject;
drop table login_attempts, oidc_providers, challenges, user_credentials, recovery_codes, totp_secrets, user_email_preferences, invitations,
  password_reset_tokens, email_verification_tokens, refresh_tokens;
drop trigger audit on api_keys;
create trigger audit after insert or update or delete on api_keys for each row execute function audit_change('key_hash');
alter table api_keys drop replaces;
drop trigger audit on sessions;
create trigger audit after insert or update or delete on sessions for each row execute function audit_change('token_hash');
alter table sessions drop kind, drop method, drop scopes;
drop trigger audit on users;
create trigger audit after insert or update or delete on users for each row execute function audit_change('password_hash');
-- Two people may have had the same address, one after the other; the database knew of one only.
delete from users where deleted_at is not null and email in (select email from users other where other.tenant_id = users.tenant_id and other.id <> users.id);
drop index users_email, users_username;
alter table users drop username, drop first_name, drop last_name, drop display_name, drop avatar_blob, drop locale, drop metadata, drop password_changed_at,
  add unique (tenant_id, email);
