-- Whom tenants belong to, what they have booked, how they look, under which name they are reached; what requests and models used.

-- The application renames its tenant and nothing more: plan, state, reseller and domain are set through the second door.
revoke update on tenants from voicepress_app;
grant update (name, updated_at) on tenants to voicepress_app;
revoke update on tenant_quotas from voicepress_app;

create table resellers (
  id uuid not null default uuid_v7() unique,
  -- Its office: the tenant that its own people belong to and sign in to.
  tenant_id uuid not null default current_tenant() unique references tenants on delete cascade,
  name text not null check (length(name) between 1 and 255),
  email text not null check (length(email) <= 254),
  phone text check (length(phone) <= 50),
  -- Percent.
  commission_rate numeric(5,2) not null default 0 check (commission_rate between 0 and 100),
  status text not null default 'active' check (status in ('active', 'suspended')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('resellers');
revoke insert, update, delete on resellers from voicepress_app;

create table subscription_plans (
  id uuid not null default uuid_v7() unique,
  tenant_id uuid not null default current_tenant() references tenants on delete cascade,
  -- None: a system tier.
  reseller_id uuid,
  name text not null check (length(name) between 1 and 100),
  description text check (length(description) <= 2000),
  tier text not null default 'single' check (tier in ('single', 'team', 'enterprise')),
  price_monthly numeric(10,2) not null default 0 check (price_monthly >= 0),
  price_yearly numeric(10,2) not null default 0 check (price_yearly >= 0),
  storage_quota_mb integer not null check (storage_quota_mb between 0 and 2147483647),
  processing_quota_minutes integer not null check (processing_quota_minutes between 0 and 2147483647),
  max_users integer not null check (max_users between 0 and 2147483647),
  max_projects integer not null default 10 check (max_projects between 0 and 2147483647),
  max_podcasts integer not null default 5 check (max_podcasts between 0 and 2147483647),
  max_campaigns integer not null default 10 check (max_campaigns between 0 and 2147483647),
  features jsonb not null default '{}',
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, name),
  foreign key (tenant_id, reseller_id) references resellers (tenant_id, id) on delete cascade,
  check (reseller_id is not null or tenant_id = '00000000-0000-0000-0000-000000000001')
);
select make_tenant_table('subscription_plans');

create table branding_configurations (
  id uuid not null default uuid_v7() unique,
  tenant_id uuid not null default current_tenant() references tenants on delete cascade,
  reseller_id uuid not null,
  name text not null check (length(name) between 1 and 100),
  is_default boolean not null default false,
  theme jsonb not null default '{}',
  assets jsonb not null default '{}',
  texts jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, name),
  foreign key (tenant_id, reseller_id) references resellers (tenant_id, id) on delete cascade
);
select make_tenant_table('branding_configurations');
create unique index branding_configurations_default on branding_configurations (tenant_id) where is_default;

create table white_label_settings (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() unique references tenants on delete cascade,
  brand_name text check (length(brand_name) <= 100),
  logo_url text check (length(logo_url) <= 2000),
  primary_color text check (length(primary_color) <= 7),
  -- Wanted; tenants.domain is the one that was proved.
  custom_domain text check (length(custom_domain) <= 253),
  domain_token text check (length(domain_token) <= 64),
  domain_verified_at timestamptz,
  theme jsonb not null default '{}',
  assets jsonb not null default '{}',
  texts jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('white_label_settings');

alter table tenants
  -- A custom domain that was proved; only one tenant holds it.
  add column domain text unique check (length(domain) <= 253),
  -- None: the platform's own.
  add column reseller_id uuid references resellers (id),
  -- To whom it is being handed over, until they accept.
  add column pending_reseller_id uuid references resellers (id),
  add column subscription_plan_id uuid references subscription_plans (id),
  add column branding_configuration_id uuid references branding_configurations (id) on delete set null,
  add column trial_ends_at timestamptz,
  -- Paid until then, when it is cancelled.
  add column current_period_ends_at timestamptz,
  add column past_due_since timestamptz,
  add column stripe_customer_id text check (length(stripe_customer_id) <= 255),
  -- RevenueCat's or Stripe's.
  add column subscription_id text check (length(subscription_id) <= 255);
create index tenants_reseller on tenants (reseller_id);
create index tenants_plan on tenants (subscription_plan_id);

-- What running jobs will use: counted as used until they end or have used it.
create table quota_reservations (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  quota text not null check (quota in ('processing', 'storage')),
  amount double precision not null,
  job_id uuid not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, quota, job_id),
  foreign key (tenant_id, job_id) references jobs (tenant_id, id) on delete cascade
);
select make_tenant_table('quota_reservations', null);
-- Counted by job below.
create index usage_records_job on usage_records (tenant_id, job_id) where job_id is not null;

-- One token bucket a tenant, shared by all processes; what a crash loses is a full bucket.
create unlogged table request_buckets (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() unique,
  tokens double precision not null,
  refilled_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('request_buckets', null);
revoke insert, update, delete on request_buckets from voicepress_app;

create table ai_token_usage (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid,
  project_id uuid,
  job_id uuid,
  usage_type text not null check (length(usage_type) <= 50),
  model text check (length(model) <= 100),
  token_count integer not null check (token_count between 0 and 2147483647),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_tenant_table('ai_token_usage', null);
revoke update, delete on ai_token_usage from voicepress_app;
create index ai_token_usage_user on ai_token_usage (tenant_id, user_id, created_at);

-- Whoever has a row here may use as many tokens as it holds; whoever has none is bounded by the plan alone.
create table ai_token_balances (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  user_id uuid not null,
  balance bigint not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, user_id),
  foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade
);
select make_tenant_table('ai_token_balances', null);

-- One row a request, in day partitions. Written in batches, distributable as it is: no foreign key, no trigger, no subquery in its policy.
create table api_usage (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  api_key_id uuid,
  user_id uuid,
  endpoint text not null check (length(endpoint) <= 200),
  method text not null check (length(method) <= 10),
  status_code integer not null check (status_code between 100 and 599),
  response_time_ms double precision not null check (response_time_ms >= 0),
  occurred_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, occurred_at, id)
) partition by range (occurred_at);
create table api_usage_default partition of api_usage default;
alter table api_usage enable row level security;
alter table api_usage force row level security;
create policy tenant on api_usage using (tenant_id = nullif(current_setting('app.current_tenant', true), '')::uuid);
grant select, insert on api_usage to voicepress_app;
create index api_usage_id on api_usage (tenant_id, id);

-- The second door. It sees accounts and sums; of what tenants make it sees that there is something, and no column of it.
grant update on tenants to voicepress_platform;
grant select, insert, update on resellers, subscription_plans, tenant_quotas, white_label_settings, request_buckets to voicepress_platform;
grant select on branding_configurations, usage_records, cost_entries, ai_token_usage, api_usage, quota_reservations to voicepress_platform;
grant select (tenant_id, id, archived_at) on projects to voicepress_platform;
grant select (id) on jobs to voicepress_platform;
grant insert on events to voicepress_platform;
drop policy platform on tenant_quotas;
do $$
declare t text;
begin
  foreach t in array array['resellers', 'subscription_plans', 'branding_configurations', 'white_label_settings', 'tenant_quotas', 'request_buckets', 'usage_records',
    'cost_entries', 'ai_token_usage', 'api_usage', 'quota_reservations', 'projects', 'events'] loop
    execute format('create policy platform on %I to voicepress_platform using (true)', t);
  end loop;
end $$;

-- What a tenant may do now: its state, but for one whose time is over. Fourteen days of grace when a payment is missing.
create function standing_of(t tenants) returns text language sql stable as $$
  select case
    when t.subscription_status = 'trial' and t.trial_ends_at <= now() then 'expired'
    when t.subscription_status = 'cancelled' and coalesce(t.current_period_ends_at, '-infinity') <= now() then 'expired'
    when t.subscription_status = 'past_due' and t.past_due_since + interval '14 days' <= now() then 'expired'
    else t.subscription_status
  end
$$;

create function used_by(here uuid, wanted text) returns double precision language plpgsql volatile as $$
declare used double precision;
begin
  if wanted = 'users' then select count(*) into used from users where tenant_id = here and deleted_at is null;
  elsif wanted = 'projects' then select count(*) into used from projects where tenant_id = here and archived_at is null;
  elsif wanted in ('storage', 'processing') then
    select coalesce(sum(amount), 0) into used from usage_records
    where tenant_id = here and case wanted when 'storage' then resource_type = 'storage' else resource_type in ('narration', 'transcription') end
      and (wanted = 'storage' or recorded_at >= date_trunc('month', now() at time zone 'utc') at time zone 'utc');
    -- Of what is reserved, that which its job has not used yet.
    select used + coalesce(sum(greatest(r.amount - coalesce((
      select sum(u.amount) from usage_records u
      where u.tenant_id = here and u.job_id = r.job_id and u.recorded_at >= r.updated_at
        and case wanted when 'storage' then u.resource_type = 'storage' else u.resource_type in ('narration', 'transcription') end), 0), 0)), 0) into used
    from quota_reservations r join jobs j on j.tenant_id = r.tenant_id and j.id = r.job_id and j.status in ('queued', 'processing')
    where r.tenant_id = here and r.quota = wanted;
  elsif wanted in ('podcasts', 'campaigns') then
    used := 0;
    if to_regclass('public.' || wanted) is not null then execute format('select count(*) from %I where tenant_id = $1', wanted) into used using here; end if;
  else raise exception 'no quota %', wanted using errcode = '22023';
  end if;
  return used;
end $$;

-- A limit and what is used of it, with everybody else who asks for the same one kept waiting until this transaction ends. Volatile: what was
-- committed while this one waited is seen. Counts what the person who asks may not see, too.
create function take_quota(wanted text, out allowed double precision, out used double precision, out standing text)
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare here uuid := current_tenant();
begin
  perform pg_advisory_xact_lock(hashtextextended(here::text || wanted, 12));
  select case wanted when 'users' then max_users when 'projects' then max_projects when 'podcasts' then max_podcasts when 'campaigns' then max_campaigns
    when 'storage' then max_storage_bytes when 'processing' then max_processing_minutes end into allowed from tenant_quotas where tenant_id = here;
  select standing_of(t) into standing from tenants t where id = here;
  used := used_by(here, wanted);
end $$;

create function quota_used(wanted text) returns double precision language sql volatile security definer set search_path = public, pg_temp as $$
  select used_by(current_tenant(), wanted)
$$;

-- What the door asks about a tenant before each request; kept for seconds by each process.
create function tenant_facts(wanted uuid) returns table (tier text, standing text, features jsonb, suspended boolean)
language sql stable security definer set search_path = public, pg_temp as $$
  select t.plan, standing_of(t), p.features, t.suspended_at is not null
  from tenants t left join subscription_plans p on p.id = t.subscription_plan_id where t.id = wanted
$$;

-- Takes the place of find_tenant.
drop function find_tenant(text);
-- Who is meant by an address: a proved domain first, then a name before the first dot.
create function find_address(host text, label text) returns table (id uuid, suspended boolean)
language sql stable security definer set search_path = public, pg_temp as $$
  select t.id, t.suspended_at is not null from tenants t where t.domain = host or t.slug = label order by t.domain is not distinct from host desc limit 1
$$;

create function lease_requests(here uuid, wanted integer, per_minute integer, burst integer, out granted integer, out remaining double precision)
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare held double precision;
begin
  insert into request_buckets (tenant_id, tokens, refilled_at) values (here, burst, clock_timestamp()) on conflict (tenant_id) do nothing;
  select least(burst, tokens + greatest(extract(epoch from clock_timestamp() - refilled_at), 0) * per_minute / 60) into held from request_buckets where tenant_id = here for update;
  -- Negative: what was leased and not used comes back.
  granted := least(wanted, floor(held))::integer;
  remaining := least(burst, held - granted);
  update request_buckets set tokens = remaining, refilled_at = clock_timestamp(), updated_at = now() where tenant_id = here;
end $$;

-- Plans a tenant may choose from, with the one it has.
create function offered_plans() returns setof subscription_plans language sql stable security definer set search_path = public, pg_temp as $$
  select p.* from subscription_plans p join tenants t on t.id = current_tenant()
  where p.id = t.subscription_plan_id or (p.is_active and (p.reseller_id is null or p.reseller_id = t.reseller_id))
  order by p.price_monthly, p.id
$$;
create view subscription_tiers with (security_invoker = true) as
  select id, name, description, tier, price_monthly, price_yearly, features from offered_plans() where reseller_id is null;
grant select on subscription_tiers to voicepress_app;

-- What lies over the default look: the reseller's (the one chosen for this tenant, or its default), then the tenant's own, if its plan has that.
create function branding_layers() returns table (layer text, owner uuid, theme jsonb, assets jsonb, texts jsonb)
language sql stable security definer set search_path = public, pg_temp as $$
  with here as (select t.*, p.features from tenants t left join subscription_plans p on p.id = t.subscription_plan_id where t.id = current_tenant())
  (select 'reseller', b.tenant_id, b.theme, b.assets, b.texts from here join branding_configurations b
    on b.reseller_id = coalesce(here.reseller_id, (select r.id from resellers r where r.tenant_id = here.id), '00000000-0000-0000-0000-000000000001')
    and (b.id = here.branding_configuration_id or b.is_default)
   order by b.id = here.branding_configuration_id desc nulls last limit 1)
  union all
  select 'tenant', w.tenant_id,
    w.theme || jsonb_strip_nulls(jsonb_build_object('primaryColor', w.primary_color)), w.assets, w.texts || jsonb_strip_nulls(jsonb_build_object('appName', w.brand_name))
  from here join white_label_settings w on w.tenant_id = here.id
  where here.subscription_plan_id is null or coalesce((here.features ->> 'white_label')::boolean, false)
$$;

-- Gives the current tenant the domain it asked for if its token is among those found there; takes it from one whose token is there no more.
create function claim_domain(proofs text[]) returns boolean language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare wanted white_label_settings; holder tenants;
begin
  select * into wanted from white_label_settings where tenant_id = current_tenant();
  if wanted.custom_domain is null or not wanted.domain_token = any (proofs) then return false; end if;
  perform pg_advisory_xact_lock(hashtextextended(wanted.custom_domain, 13));
  select * into holder from tenants where domain = wanted.custom_domain and id <> current_tenant();
  if holder.id is not null then
    if exists (select from white_label_settings where tenant_id = holder.id and domain_token = any (proofs)) then return false; end if;
    update tenants set domain = null, updated_at = now() where id = holder.id;
    update white_label_settings set domain_verified_at = null, updated_at = now() where tenant_id = holder.id;
  end if;
  update tenants set domain = wanted.custom_domain, updated_at = now() where id = current_tenant();
  update white_label_settings set domain_verified_at = now(), updated_at = now() where tenant_id = current_tenant();
  return true;
end $$;

create function release_domain() returns void language sql volatile security definer set search_path = public, pg_temp as $$
  update tenants set domain = null, updated_at = now() where id = current_tenant() and domain is not null
$$;

do $$
declare f text;
begin
  foreach f in array array['take_quota(text)', 'quota_used(text)', 'tenant_facts(uuid)', 'find_address(text, text)', 'lease_requests(uuid, integer, integer, integer)',
    'offered_plans()', 'branding_layers()', 'claim_domain(text[])', 'release_domain()'] loop
    execute format('revoke execute on function %s from public', f);
    execute format('grant execute on function %s to voicepress_app', f);
    execute format('alter function %s owner to voicepress_platform', f);
  end loop;
end $$;
revoke execute on function used_by(uuid, text) from public;
alter function used_by(uuid, text) owner to voicepress_platform;

-- down

drop view subscription_tiers;
drop function release_domain(), claim_domain(text[]), branding_layers(), offered_plans(), lease_requests(uuid, integer, integer, integer), find_address(text, text),
  tenant_facts(uuid), quota_used(text), take_quota(text), used_by(uuid, text), standing_of(tenants);
do $$
declare t text;
begin
  foreach t in array array['tenant_quotas', 'usage_records', 'cost_entries', 'projects', 'events'] loop
    execute format('drop policy platform on %I', t);
  end loop;
end $$;
create function find_tenant(wanted text) returns uuid language sql stable security definer set search_path = public, pg_temp as $$
  select id from tenants where slug = wanted and suspended_at is null
$$;
alter function find_tenant(text) owner to voicepress_platform;
revoke execute on function find_tenant(text) from public;
grant execute on function find_tenant(text) to voicepress_app;
create policy platform on tenant_quotas for insert to voicepress_platform with check (true);
revoke insert on events from voicepress_platform;
revoke select (id) on jobs from voicepress_platform;
revoke select (tenant_id, id, archived_at) on projects from voicepress_platform;
revoke select on usage_records, cost_entries from voicepress_platform;
revoke select, update on tenant_quotas from voicepress_platform;
revoke update on tenants from voicepress_platform;
drop index usage_records_job;
drop table api_usage, ai_token_balances, ai_token_usage, request_buckets, quota_reservations, white_label_settings;
alter table tenants drop column domain, drop column reseller_id, drop column pending_reseller_id, drop column subscription_plan_id,
  drop column branding_configuration_id, drop column trial_ends_at, drop column current_period_ends_at, drop column past_due_since,
  drop column stripe_customer_id, drop column subscription_id;
drop table branding_configurations, subscription_plans, resellers;
grant update on tenant_quotas to voicepress_app;
revoke update (name, updated_at) on tenants from voicepress_app;
grant update on tenants to voicepress_app;
