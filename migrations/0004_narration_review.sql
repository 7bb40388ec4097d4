-- Working on what was made: lines that can be put back as they were, remarks by those who only comment, shares that the owner sees, jobs by the clock.

-- What a detection found, while a person's own text stands in its place.
alter table segments add source_text text check (length(source_text) <= 5000);

-- How a line was before each change.
create table segment_revisions (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  project_id uuid not null,
  segment_id uuid not null,
  user_id uuid default acting_user(),
  -- The operation that changed it.
  action text not null check (length(action) <= 100),
  before jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_project_table('segment_revisions', null);
alter table segment_revisions add foreign key (tenant_id, segment_id) references segments (tenant_id, id) on delete cascade;
create index segment_revisions_segment on segment_revisions (tenant_id, segment_id, id);

-- Whoever may comment may ask for a line to be done again, and change nothing else of it. Runs as the owner, whom the tenant's policy binds and the
-- rules of projects don't; so it asks them itself.
create function revise_segment(segment uuid, notes text) returns boolean language sql volatile security definer set search_path = public, pg_temp as $$
  with revised as (
    update segments set status = 'needs_revision', revision_notes = notes, approved_at = null, error = null, updated_at = now()
    where id = segment and (sees_all() or project_id = any (commentable_projects()))
    returning id)
  select exists (select from revised)
$$;

-- Whose shares a person sees and changes: those of projects that they own or may edit. As the owner: the policy of projects asks for shares, so that
-- of shares can't ask for projects.
create function managed_projects() returns uuid[] language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(id), '{}') from projects
  where owner_id = acting_user() or id in (select project_id from project_shares where user_id = acting_user() and revoked_at is null and can_edit)
$$;
drop policy seen on project_shares;
drop policy changed on project_shares;
drop policy removed on project_shares;
create policy seen on project_shares as restrictive for select to voicepress_app using ((select sees_all())
  or user_id = (select acting_user()) or project_id = any ((select managed_projects())::uuid[]));
create policy changed on project_shares as restrictive for update to voicepress_app using ((select sees_all())
  or project_id = any ((select managed_projects())::uuid[]));
create policy removed on project_shares as restrictive for delete to voicepress_app using ((select sees_all())
  or project_id = any ((select managed_projects())::uuid[]));

-- Starts a job in every tenant; one that is still open there is not doubled.
create function schedule_job(job_kind text) returns void language sql volatile security definer set search_path = public, pg_temp as $$
  insert into jobs (tenant_id, kind, payload, unique_key)
  select id, job_kind, '{}', job_kind from tenants where suspended_at is null
  on conflict (tenant_id, unique_key) where status in ('queued', 'processing') do nothing
$$;
grant insert, select (tenant_id, unique_key, status) on jobs to voicepress_platform;
create policy platform on jobs to voicepress_platform using (true);
alter function schedule_job(text) owner to voicepress_platform;
revoke execute on function schedule_job(text) from public;
grant execute on function schedule_job(text) to voicepress_worker;

revoke execute on function revise_segment(uuid, text), managed_projects() from public;
grant execute on function revise_segment(uuid, text), managed_projects() to voicepress_app;

-- down

drop function schedule_job(text);
drop policy platform on jobs;
revoke insert, select (tenant_id, unique_key, status) on jobs from voicepress_platform;
drop policy seen on project_shares;
drop policy changed on project_shares;
drop policy removed on project_shares;
create policy seen on project_shares as restrictive for select to voicepress_app using ((select sees_all()) or user_id = (select acting_user()) or shared_by = (select acting_user()));
create policy changed on project_shares as restrictive for update to voicepress_app using ((select sees_all()) or shared_by = (select acting_user()));
create policy removed on project_shares as restrictive for delete to voicepress_app using ((select sees_all()) or shared_by = (select acting_user()));
drop function managed_projects(), revise_segment(uuid, text);
drop table segment_revisions;
alter table segments drop source_text;
