-- How resellers, and the platform as the first of them, run accounts: each use asks whether the account is theirs, and is written down on its
-- side; the door writes it down on the other. They see accounts and sums, and no row that a tenant made.

-- The platform is the first reseller; its office is the first tenant. Makes it, and the system's tiers, when that tenant is there.
create function seed_platform() returns void language sql volatile as $$
  update tenants set plan = 'enterprise' where id = '00000000-0000-0000-0000-000000000001';
  insert into resellers (id, tenant_id, name, email)
  select id, id, 'Voicepress', 'admin@voicepress.local' from tenants where id = '00000000-0000-0000-0000-000000000001' on conflict do nothing;
  insert into subscription_plans (tenant_id, name, tier, price_monthly, price_yearly, storage_quota_mb, processing_quota_minutes, max_users, max_projects, max_podcasts,
    max_campaigns, features)
  select t.id, p.* from tenants t, (values
    ('Basic', 'single', 9.99, 99.99, 5000, 300, 5, 10, 5, 10, '{"models": ["tiny", "base", "small"]}'::jsonb),
    ('Premium', 'team', 19.99, 199.99, 20000, 1000, 20, 50, 20, 50,
     '{"models": ["tiny", "base", "small", "medium"], "diarization": true, "music_removal": true, "translation": true, "white_label": true}'),
    ('Enterprise', 'enterprise', 49.99, 499.99, 100000, 5000, 100, 500, 100, 500,
     '{"models": ["tiny", "base", "small", "medium", "large"], "diarization": true, "music_removal": true, "translation": true, "white_label": true, "custom_domain": true}')
  ) p where t.id = '00000000-0000-0000-0000-000000000001' on conflict do nothing;
$$;
alter function seed_platform() owner to voicepress_platform;
revoke execute on function seed_platform() from public;
do $$ begin
  set local role voicepress_platform;
  perform seed_platform();
  set local role voicepress_owner;
end $$;

create or replace function make_tenant(name text, slug text, id uuid default uuid_v7()) returns uuid
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into tenants (id, name, slug) values (id, name, slug);
  insert into tenant_quotas (tenant_id) values (id);
  if id = '00000000-0000-0000-0000-000000000001' then perform seed_platform(); end if;
  return id;
end $$;

-- The reseller whose office this transaction acts in, while it is not suspended.
create function acting_reseller() returns uuid language sql stable as $$
  select id from resellers where tenant_id = current_tenant() and status = 'active'
$$;
create function acts_for_platform() returns boolean language sql stable as $$
  select current_tenant() = '00000000-0000-0000-0000-000000000001'
$$;

-- Refuses whoever has no say over the account, in the words of what isn't there; else writes down, on the account's side, who did what.
-- `offered`: an account that is being handed over counts as theirs already.
create function enter_account(wanted uuid, doing jsonb default '{}', offered boolean default false) returns tenants language plpgsql volatile as $$
declare account tenants; office resellers;
begin
  select * into office from resellers where id = acting_reseller();
  select * into account from tenants where id = wanted and (acts_for_platform() or reseller_id = office.id or (offered and pending_reseller_id = office.id));
  if office.id is null or account.id is null then raise exception 'no such account' using errcode = '42501'; end if;
  insert into audit_logs (tenant_id, user_id, user_email, action, resource_type, resource_id, details, request_id)
  values (wanted, acting_user(), (select email from users where tenant_id = office.tenant_id and id = acting_user()),
    coalesce(nullif(current_setting('app.action', true), ''), 'accounts'), 'tenants', wanted,
    doing || jsonb_build_object('reseller', office.name, 'reseller_id', office.id), nullif(current_setting('app.request', true), ''));
  return account;
end $$;

create function managed_accounts(wanted uuid, after uuid, most integer, state text)
returns table (id uuid, name text, slug text, domain text, is_office boolean, reseller_id uuid, pending_reseller_id uuid, subscription_plan_id uuid, plan text,
  subscription_status text, standing text, trial_ends_at timestamptz, current_period_ends_at timestamptz, branding_configuration_id uuid,
  stripe_customer_id text, subscription_id text, suspended_at timestamptz, suspended_reason text, created_at timestamptz, updated_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
  select t.id, t.name, t.slug, t.domain, exists (select from resellers r where r.tenant_id = t.id), t.reseller_id, t.pending_reseller_id, t.subscription_plan_id, t.plan,
    t.subscription_status, standing_of(t), t.trial_ends_at, t.current_period_ends_at, t.branding_configuration_id,
    t.stripe_customer_id, t.subscription_id, t.suspended_at, t.suspended_reason, t.created_at, t.updated_at
  from tenants t
  where (select acting_reseller()) is not null
    and ((select acts_for_platform()) or t.reseller_id = (select acting_reseller()) or t.pending_reseller_id = (select acting_reseller()))
    and (wanted is null or t.id = wanted) and (after is null or t.id < after) and (state is null or standing_of(t) = state)
  order by t.id desc limit most
$$;

create function account_usage(wanted uuid)
returns table (users double precision, projects double precision, storage_bytes double precision, processing_minutes double precision, limits jsonb)
language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  perform enter_account(wanted);
  return query select used_by(wanted, 'users'), used_by(wanted, 'projects'), used_by(wanted, 'storage'), used_by(wanted, 'processing'),
    to_jsonb(q) - array['id', 'tenant_id', 'created_at', 'updated_at'] from tenant_quotas q where q.tenant_id = wanted;
end $$;

-- A plan that this account may have: a system tier, or one of its reseller's.
create function book_plan(account uuid, seller uuid, booked uuid) returns void language plpgsql volatile as $$
declare p subscription_plans;
begin
  select * into p from subscription_plans where id = booked and (reseller_id is null or reseller_id = seller);
  if p.id is null then raise exception 'no such plan' using errcode = '42501'; end if;
  update tenants set subscription_plan_id = p.id, plan = p.tier, updated_at = now() where id = account;
  update tenant_quotas set max_users = p.max_users, max_projects = p.max_projects, max_podcasts = p.max_podcasts, max_campaigns = p.max_campaigns,
    max_storage_bytes = p.storage_quota_mb::bigint * 1000000, max_processing_minutes = p.processing_quota_minutes, updated_at = now() where tenant_id = account;
end $$;

-- Its first administrator is invited by whoever listens for `tenant.created`.
create function open_account(title text, label text, booked uuid, administrator text, origin text, trial_days integer, seller uuid default null) returns uuid
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare account uuid;
begin
  seller := coalesce(seller, nullif(acting_reseller(), '00000000-0000-0000-0000-000000000001'));
  if acting_reseller() is null or (seller is not null and seller <> acting_reseller() and not acts_for_platform()) then raise exception 'not a reseller' using errcode = '42501'; end if;
  account := make_tenant(title, label);
  update tenants set reseller_id = seller, subscription_status = case when trial_days > 0 then 'trial' else 'active' end,
    trial_ends_at = case when trial_days > 0 then now() + trial_days * interval '1 day' end where id = account;
  if booked is not null then perform book_plan(account, seller, booked); end if;
  insert into events (tenant_id, name, payload) values (account, 'tenant.created', jsonb_build_object('email', lower(administrator), 'origin', origin));
  perform enter_account(account, jsonb_build_object('name', title, 'slug', label));
  return account;
end $$;

create function change_account(wanted uuid, changes jsonb) returns void language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare account tenants := enter_account(wanted, jsonb_build_object('changes', changes)); look uuid := (changes ->> 'branding_configuration_id')::uuid;
begin
  -- Nobody locks themselves out.
  if changes ? 'subscription_status' and wanted = current_tenant() then raise exception 'your own' using errcode = '42501'; end if;
  if changes ? 'subscription_plan_id' then perform book_plan(wanted, account.reseller_id, (changes ->> 'subscription_plan_id')::uuid); end if;
  if look is not null and not exists (select from branding_configurations b where b.id = look and b.reseller_id = coalesce(account.reseller_id, '00000000-0000-0000-0000-000000000001'))
  then raise exception 'no such branding' using errcode = '42501'; end if;
  update tenants t set
    name = coalesce(changes ->> 'name', name),
    branding_configuration_id = case when changes ? 'branding_configuration_id' then look else branding_configuration_id end,
    subscription_status = coalesce(changes ->> 'subscription_status', subscription_status),
    past_due_since = case when changes ->> 'subscription_status' = 'past_due' then coalesce(past_due_since, now()) when changes ? 'subscription_status' then null else past_due_since end,
    trial_ends_at = case when changes ? 'trial_ends_at' then (changes ->> 'trial_ends_at')::timestamptz else trial_ends_at end,
    current_period_ends_at = case when changes ? 'current_period_ends_at' then (changes ->> 'current_period_ends_at')::timestamptz else current_period_ends_at end,
    stripe_customer_id = case when changes ? 'stripe_customer_id' then changes ->> 'stripe_customer_id' else stripe_customer_id end,
    subscription_id = case when changes ? 'subscription_id' then changes ->> 'subscription_id' else subscription_id end,
    updated_at = now()
  where id = wanted;
end $$;

create function suspend_account(wanted uuid, reason text) returns void language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  perform enter_account(wanted, jsonb_build_object('reason', reason));
  -- Nobody locks themselves out.
  if wanted = current_tenant() then raise exception 'your own' using errcode = '42501'; end if;
  update tenants set suspended_at = case when reason is not null then coalesce(suspended_at, now()) end, suspended_reason = reason, updated_at = now() where id = wanted;
end $$;

-- To another reseller, who has to accept; null takes the offer back.
create function offer_account(wanted uuid, receiver uuid) returns void language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare account tenants := enter_account(wanted, jsonb_build_object('receiver', receiver));
begin
  if not acts_for_platform() and account.reseller_id is distinct from acting_reseller() then raise exception 'not yours' using errcode = '42501'; end if;
  if receiver is not null and not exists (select from resellers where id = receiver and status = 'active') then raise exception 'no such reseller' using errcode = '42501'; end if;
  if exists (select from resellers where tenant_id = wanted) then raise exception 'an office' using errcode = '42501'; end if;
  update tenants set pending_reseller_id = receiver, updated_at = now() where id = wanted;
end $$;

-- A plan and a look of the former reseller's don't come along.
create function accept_account(wanted uuid, booked uuid) returns void language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare account tenants := enter_account(wanted, jsonb_build_object('plan', booked), true); own uuid := acting_reseller();
begin
  if account.pending_reseller_id is distinct from own then raise exception 'not offered' using errcode = '42501'; end if;
  update tenants set reseller_id = nullif(own, '00000000-0000-0000-0000-000000000001'), pending_reseller_id = null, branding_configuration_id = null, updated_at = now() where id = wanted;
  if booked is not null then perform book_plan(wanted, own, booked);
  elsif exists (select from subscription_plans where id = account.subscription_plan_id and reseller_id is not null) then
    raise exception 'a plan is needed' using errcode = '23514', constraint = 'plan_needed';
  end if;
end $$;

-- Usage and commission of a stretch of time [since, until), a line an account; of one reseller, for the platform.
create function account_statement(since timestamptz, until timestamptz, seller uuid)
returns table (id uuid, name text, slug text, plan_name text, standing text, users double precision, storage_bytes double precision, narration_minutes double precision,
  transcription_minutes double precision, ai_tokens double precision, api_requests double precision, cost_usd double precision, price_monthly double precision,
  commission_rate double precision, commission double precision)
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare account uuid;
begin
  if seller is not null and not acts_for_platform() and seller is distinct from acting_reseller() then raise exception 'not yours' using errcode = '42501'; end if;
  for account in select m.id from managed_accounts(null, null, null, null) m where (seller is null or m.reseller_id = seller) and m.created_at < until
      and (acts_for_platform() or m.reseller_id = acting_reseller()) loop
    perform enter_account(account, jsonb_build_object('since', since, 'until', until));
    return query
      with minutes as (
        select coalesce(sum(amount) filter (where resource_type = 'narration'), 0) as narration, coalesce(sum(amount) filter (where resource_type = 'transcription'), 0) as transcription
        from usage_records u where u.tenant_id = account and u.recorded_at >= since and u.recorded_at < until)
      select t.id, t.name, t.slug, p.name, standing_of(t), used_by(t.id, 'users'),
        (select coalesce(sum(amount), 0) from usage_records u where u.tenant_id = account and u.resource_type = 'storage' and u.recorded_at < until),
        minutes.narration, minutes.transcription,
        (select coalesce(sum(token_count), 0)::double precision from ai_token_usage u where u.tenant_id = account and u.created_at >= since and u.created_at < until),
        (select count(*)::double precision from api_usage u where u.tenant_id = account and u.occurred_at >= since and u.occurred_at < until),
        (select coalesce(sum(c.cost_usd), 0)::double precision from cost_entries c where c.tenant_id = account and c.created_at >= since and c.created_at < until),
        due.price, r.commission_rate::double precision, round((due.price * r.commission_rate / 100)::numeric, 2)::double precision
      from tenants t cross join minutes left join subscription_plans p on p.id = t.subscription_plan_id left join resellers r on r.id = t.reseller_id
        cross join lateral (select case when standing_of(t) in ('active', 'past_due', 'cancelled') then coalesce(p.price_monthly, 0) else 0 end::double precision as price) due
      where t.id = account;
  end loop;
end $$;

-- Resellers themselves: the platform's affair.
create function managed_resellers(wanted uuid, after uuid, most integer) returns setof resellers language sql stable security definer set search_path = public, pg_temp as $$
  select * from resellers where (select acts_for_platform()) and (wanted is null or id = wanted) and (after is null or id < after) order by id desc limit most
$$;

create function open_reseller(title text, label text, contact text, telephone text, rate double precision, administrator text, origin text) returns uuid
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare office uuid; made uuid;
begin
  if not acts_for_platform() then raise exception 'not the platform' using errcode = '42501'; end if;
  office := open_account(title, label, null, administrator, origin, 0);
  insert into resellers (tenant_id, name, email, phone, commission_rate) values (office, title, contact, telephone, rate) returning id into made;
  return made;
end $$;

create function change_reseller(wanted uuid, changes jsonb) returns void language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare office uuid;
begin
  if not acts_for_platform() then raise exception 'not the platform' using errcode = '42501'; end if;
  select tenant_id into office from resellers where id = wanted;
  if office is null or (office = current_tenant() and changes ->> 'status' = 'suspended') then raise exception 'no such reseller' using errcode = '42501'; end if;
  perform enter_account(office, jsonb_build_object('changes', changes));
  update resellers set name = coalesce(changes ->> 'name', name), email = coalesce(changes ->> 'email', email),
    phone = case when changes ? 'phone' then changes ->> 'phone' else phone end,
    commission_rate = coalesce((changes ->> 'commission_rate')::numeric, commission_rate), status = coalesce(changes ->> 'status', status), updated_at = now()
  where id = wanted;
end $$;

do $$
declare f text;
begin
  foreach f in array array['acting_reseller()', 'acts_for_platform()', 'enter_account(uuid, jsonb, boolean)', 'managed_accounts(uuid, uuid, integer, text)', 'account_usage(uuid)',
    'book_plan(uuid, uuid, uuid)', 'open_account(text, text, uuid, text, text, integer, uuid)', 'change_account(uuid, jsonb)', 'suspend_account(uuid, text)', 'offer_account(uuid, uuid)',
    'accept_account(uuid, uuid)', 'account_statement(timestamptz, timestamptz, uuid)', 'managed_resellers(uuid, uuid, integer)',
    'open_reseller(text, text, text, text, double precision, text, text)', 'change_reseller(uuid, jsonb)'] loop
    execute format('alter function %s owner to voicepress_platform', f);
    execute format('revoke execute on function %s from public', f);
    if f !~ '^(enter_account|book_plan|seed_platform)' then execute format('grant execute on function %s to voicepress_app', f); end if;
  end loop;
end $$;

-- down

drop function change_reseller(uuid, jsonb), open_reseller(text, text, text, text, double precision, text, text), managed_resellers(uuid, uuid, integer),
  account_statement(timestamptz, timestamptz, uuid), accept_account(uuid, uuid), offer_account(uuid, uuid), suspend_account(uuid, text), change_account(uuid, jsonb),
  open_account(text, text, uuid, text, text, integer, uuid), book_plan(uuid, uuid, uuid), account_usage(uuid), managed_accounts(uuid, uuid, integer, text),
  enter_account(uuid, jsonb, boolean), acts_for_platform(), acting_reseller();
create or replace function make_tenant(name text, slug text, id uuid default uuid_v7()) returns uuid
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into tenants (id, name, slug) values (id, name, slug);
  insert into tenant_quotas (tenant_id) values (id);
  return id;
end $$;
drop function seed_platform();
