-- Who may do what: roles and what they grant, rules about attributes, whose a thing is, and what was refused.

-- The installation's and not a tenant's: what this version can do, and the roles that every tenant begins with. Written when it starts
-- (synchronize_permissions), read by everyone.
create table permissions (
  name text primary key check (length(name) <= 100),
  resource_type text not null check (length(resource_type) <= 100),
  action text not null check (length(action) <= 100),
  description text not null,
  is_public boolean not null,
  -- Hash of all that was written with it: the same again needs no writing.
  version text not null
);
create table system_roles (
  name text primary key check (length(name) <= 63),
  description text not null,
  permissions text[] not null
);
grant select on permissions, system_roles to voicepress_app;

create table roles (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() references tenants on delete cascade,
  name text not null check (length(name) <= 63),
  description text not null default '' check (length(description) <= 500),
  -- Comes with the software and follows its versions; the others are the tenant's own.
  is_system boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, name)
);
select make_tenant_table('roles', null);

create table role_permissions (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  role_id uuid not null,
  -- An operation's name, or projects.*, or *.
  permission text not null check (length(permission) <= 100),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, role_id, permission),
  foreign key (tenant_id, role_id) references roles (tenant_id, id) on delete cascade
);
select make_tenant_table('role_permissions', null);

-- Not what a new tenant is born with, which would be a hundred entries that nobody did.
create trigger audit after insert or update or delete on roles for each row when (pg_trigger_depth() = 0) execute function audit_change();
create trigger audit after insert or update or delete on role_permissions for each row when (pg_trigger_depth() = 0) execute function audit_change();

create table user_roles (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  role_id uuid not null,
  assigned_by uuid default acting_user(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, user_id, role_id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade,
  foreign key (tenant_id, role_id) references roles (tenant_id, id) on delete cascade
);
select make_tenant_table('user_roles', null);
create index user_roles_role on user_roles (tenant_id, role_id);

-- What rules about attributes may ask of a person, as text by name.
alter table users add column attributes jsonb not null default '{}';

-- users.roles is what user_roles says, by name, so that whose token it is needs no join. Whichever is written, the other follows.
create function follow_role_names() returns trigger language plpgsql as $$
declare unknown text;
begin
  select name into unknown from unnest(new.roles) as name where not exists (select from roles where roles.tenant_id = new.tenant_id and roles.name = name.name) limit 1;
  if unknown is not null then raise exception 'there is no role %', unknown using errcode = 'foreign_key_violation', constraint = 'users_roles'; end if;
  -- One statement, after which both are as they shall be.
  with taken as (
    delete from user_roles using roles
    where (user_roles.tenant_id, user_roles.user_id) = (new.tenant_id, new.id) and (roles.tenant_id, roles.id) = (user_roles.tenant_id, user_roles.role_id) and roles.name <> all (new.roles))
  insert into user_roles (tenant_id, user_id, role_id) select new.tenant_id, new.id, id from roles where tenant_id = new.tenant_id and name = any (new.roles)
  on conflict (tenant_id, user_id, role_id) do nothing;
  return null;
end $$;
create trigger follow_role_names after insert or update of roles on users for each row when (pg_trigger_depth() = 0) execute function follow_role_names();

create function name_user_roles() returns trigger language plpgsql as $$
begin
  update users set roles = named.roles
  from (
    select of.tenant_id, of.user_id, array(
      select roles.name from user_roles join roles on (roles.tenant_id, roles.id) = (user_roles.tenant_id, user_roles.role_id)
      where (user_roles.tenant_id, user_roles.user_id) = (of.tenant_id, of.user_id) order by roles.name) as roles
    from (select distinct tenant_id, user_id from changed) as of) as named
  where (users.tenant_id, users.id) = (named.tenant_id, named.user_id) and not (users.roles @> named.roles and users.roles <@ named.roles);
  return null;
end $$;
create trigger names_given after insert on user_roles referencing new table as changed for each statement execute function name_user_roles();
create trigger names_taken after delete on user_roles referencing old table as changed for each statement execute function name_user_roles();

create table resource_ownership (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  resource_type text not null check (length(resource_type) <= 100),
  resource_id uuid not null,
  owner_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, resource_type, resource_id),
  foreign key (tenant_id, owner_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('resource_ownership');
create index resource_ownership_owner on resource_ownership (tenant_id, owner_id);

create table access_control_policies (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() references tenants on delete cascade,
  name text not null check (length(name) <= 100),
  description text not null default '' check (length(description) <= 1000),
  -- Cedar's JSON form of one policy, checked against the schema before it comes here.
  policy_definition jsonb not null,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, name)
);
select make_tenant_table('access_control_policies');

-- An event table: month partitions, tenant_id and time in the key, nothing that fires or refers, and no subquery in its policies, so that Citus can spread it.
create table access_logs (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid,
  action text not null check (length(action) <= 100),
  resource_type text check (length(resource_type) <= 100),
  resource_id uuid,
  allowed boolean not null,
  reason text not null check (length(reason) <= 500),
  ip_address inet,
  user_agent text check (length(user_agent) <= 500),
  request_id text check (length(request_id) <= 100),
  occurred_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, occurred_at, id)
) partition by range (occurred_at);
create table access_logs_default partition of access_logs default;
create index on access_logs (tenant_id, id);
alter table access_logs enable row level security;
alter table access_logs force row level security;
create policy tenant on access_logs using (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
create policy readers on access_logs as restrictive for select using (sees_all());
grant select, insert on access_logs to voicepress_app;

-- A tenant begins with the system's roles. Always: without them nobody in it could do anything, in a replica's session too.
grant select on system_roles to voicepress_platform;
grant select, insert, update, delete on permissions, system_roles, roles, role_permissions, user_roles to voicepress_platform;
grant update (roles) on users to voicepress_platform;
create policy platform on roles to voicepress_platform using (true);
create policy platform on role_permissions to voicepress_platform using (true);
create policy platform on user_roles to voicepress_platform using (true);
create function seed_roles() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into roles (tenant_id, name, description, is_system) select new.id, name, description, true from system_roles;
  insert into role_permissions (tenant_id, role_id, permission)
  select new.id, roles.id, unnest(system_roles.permissions) from roles join system_roles using (name) where roles.tenant_id = new.id;
  return null;
end $$;
alter function seed_roles() owner to voicepress_platform;
revoke execute on function seed_roles() from public;
create trigger seed_roles after insert on tenants for each row execute function seed_roles();
alter table tenants enable always trigger seed_roles;

-- Run by the owner at each start with what this version declares; writes only when that has changed.
create function synchronize_permissions(operations jsonb, declared_roles jsonb, wanted text) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtext('synchronize_permissions'));
  if exists (select from permissions where version = wanted) then return false; end if;
  delete from permissions;
  insert into permissions select name, resource_type, action, description, is_public, wanted
    from jsonb_to_recordset(operations) as declared (name text, resource_type text, action text, description text, is_public boolean);
  delete from system_roles;
  insert into system_roles select * from jsonb_to_recordset(declared_roles) as declared (name text, description text, permissions text[]);

  insert into roles (tenant_id, name, description, is_system) select tenants.id, system_roles.name, system_roles.description, true from tenants cross join system_roles
  -- A tenant's own role of that name stays its own.
  on conflict (tenant_id, name) do update set description = excluded.description where roles.is_system and roles.description <> excluded.description;
  delete from role_permissions using roles, system_roles
  where (roles.tenant_id, roles.id) = (role_permissions.tenant_id, role_permissions.role_id) and roles.is_system and system_roles.name = roles.name and permission <> all (system_roles.permissions);
  insert into role_permissions (tenant_id, role_id, permission)
  select tenant_id, id, unnest(permissions) from roles join system_roles using (name) where is_system
  on conflict (tenant_id, role_id, permission) do nothing;

  -- People from before there was user_roles.
  insert into user_roles (tenant_id, user_id, role_id, assigned_by)
  select users.tenant_id, users.id, roles.id, null from users join roles on roles.tenant_id = users.tenant_id and roles.name = any (users.roles)
  on conflict (tenant_id, user_id, role_id) do nothing;
  return true;
end $$;
alter function synchronize_permissions(jsonb, jsonb, text) owner to voicepress_platform;
revoke execute on function synchronize_permissions(jsonb, jsonb, text) from public;

-- down

drop function synchronize_permissions(jsonb, jsonb, text);
drop trigger seed_roles on tenants;
drop function seed_roles();
revoke update (roles) on users from voicepress_platform;
drop table access_logs, access_control_policies, resource_ownership, user_roles;
drop trigger follow_role_names on users;
drop function name_user_roles(), follow_role_names();
alter table users drop column attributes;
drop table role_permissions, roles, system_roles, permissions;
