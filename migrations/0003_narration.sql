-- A manuscript on its way to an audiobook.

create table projects (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant() references tenants on delete cascade,
  owner_id uuid not null default acting_user(),
  title text not null check (length(title) <= 500),
  subtitle text check (length(subtitle) <= 500),
  authors text[] not null default '{}',
  narrators text[] not null default '{}',
  translators text[] not null default '{}',
  adaptors text[] not null default '{}',
  language text not null default 'en' check (length(language) <= 35),
  description text check (length(description) <= 10000),
  publisher text check (length(publisher) <= 255),
  published text check (length(published) <= 10),
  isbn text check (length(isbn) <= 20),
  cover_blob text check (length(cover_blob) <= 1024),
  cover_type text check (length(cover_type) <= 100),
  manuscript_blob text check (length(manuscript_blob) <= 1024),
  manuscript_filename text check (length(manuscript_filename) <= 255),
  -- SHA-256 of the file and the settings it was read with: the same again needs no reading.
  manuscript_key text check (length(manuscript_key) <= 64),
  manuscript_word_count integer check (manuscript_word_count >= 0),
  manuscript_character_count integer check (manuscript_character_count >= 0),
  estimated_seconds double precision check (estimated_seconds >= 0),
  warnings text[] not null default '{}',
  status text not null default 'draft' check (status in ('draft', 'manuscript_uploaded', 'characters_detected', 'voices_assigned', 'audio_generated', 'packaged', 'completed')),
  workflow_completed jsonb not null default '{}',
  settings jsonb not null default '{}',
  -- Where a command-line project came from, so that the same book goes on where it was.
  source_key text check (length(source_key) <= 100),
  -- What the cast was detected from: the same again needs no detecting.
  cast_key text check (length(cast_key) <= 64),
  completed_at timestamptz,
  archived_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  foreign key (tenant_id, owner_id) references users (tenant_id, id)
);
select make_tenant_table('projects', '{source_key,manuscript_key,cast_key}');
create index projects_owner on projects (tenant_id, owner_id, id);
create index projects_status on projects (tenant_id, status, id);
create unique index projects_source on projects (tenant_id, source_key) where archived_at is null;

create table project_shares (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  project_id uuid not null,
  user_id uuid not null,
  can_comment boolean not null default false,
  can_edit boolean not null default false,
  shared_by uuid not null default acting_user(),
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, project_id, user_id)
);
select make_tenant_table('project_shares');
alter table project_shares add foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade,
  add foreign key (tenant_id, user_id) references users (tenant_id, id) on delete cascade;
create index project_shares_user on project_shares (tenant_id, user_id);

-- What a person sees of a tenant's projects: their own and what is shared with them. Rules that narrow are restrictive, for permissive ones are OR-ed.
create function shared_projects(to_edit boolean) returns uuid[] language sql stable as $$
  select coalesce(array_agg(project_id), '{}') from project_shares
  where user_id = acting_user() and revoked_at is null and (can_edit or not to_edit)
$$;
create policy seen on projects as restrictive for select to voicepress_app
  using ((select sees_all()) or owner_id = (select acting_user()) or id = any ((select shared_projects(false))::uuid[]));
create policy changed on projects as restrictive for update to voicepress_app
  using ((select sees_all()) or owner_id = (select acting_user()) or id = any ((select shared_projects(true))::uuid[]));
create policy made on projects as restrictive for insert to voicepress_app with check ((select sees_all()) or owner_id = (select acting_user()));
create policy removed on projects as restrictive for delete to voicepress_app using ((select sees_all()) or owner_id = (select acting_user()));

create function editable_projects() returns uuid[] language sql stable as $$
  select coalesce(array_agg(id), '{}') from projects where owner_id = acting_user() or id = any (shared_projects(true))
$$;
create function visible_projects() returns uuid[] language sql stable as $$ select coalesce(array_agg(id), '{}') from projects $$;

-- Costs are seen with their project, or by whom they were made for.
create policy seen on cost_entries as restrictive for select to voicepress_app
  using ((select sees_all()) or user_id = (select acting_user()) or project_id = any ((select visible_projects())::uuid[]));

-- What lies in a project is seen by those who see it, and changed by those who may edit it.
create function make_project_table(t regclass, secrets text[] default '{}') returns void language plpgsql as $$
begin
  perform make_tenant_table(t, secrets);
  execute format('alter table %s add foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade', t);
  execute format('create index on %s (tenant_id, project_id, id)', t);
  execute format('create policy seen on %s as restrictive for select to voicepress_app using ((select sees_all()) or project_id = any ((select visible_projects())::uuid[]))', t);
  execute format('create policy changed on %s as restrictive for update to voicepress_app using ((select sees_all()) or project_id = any ((select editable_projects())::uuid[]))', t);
  execute format('create policy made on %s as restrictive for insert to voicepress_app with check ((select sees_all()) or project_id = any ((select editable_projects())::uuid[]))', t);
  execute format('create policy removed on %s as restrictive for delete to voicepress_app using ((select sees_all()) or project_id = any ((select editable_projects())::uuid[]))', t);
end $$;

-- Only those who own or may edit a project share it.
create policy seen on project_shares as restrictive for select to voicepress_app using ((select sees_all()) or user_id = (select acting_user()) or shared_by = (select acting_user()));
create policy changed on project_shares as restrictive for update to voicepress_app using ((select sees_all()) or shared_by = (select acting_user()));
create policy made on project_shares as restrictive for insert to voicepress_app with check ((select sees_all()) or project_id = any ((select editable_projects())::uuid[]));
create policy removed on project_shares as restrictive for delete to voicepress_app using ((select sees_all()) or shared_by = (select acting_user()));

create table chapters (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  project_id uuid not null,
  number integer not null check (number >= 1),
  title text not null check (length(title) <= 500),
  role text not null default 'body' check (role in ('front', 'body', 'back')),
  kind text not null default 'chapter' check (length(kind) <= 50),
  parents text[] not null default '{}',
  included boolean not null default true,
  text text not null check (length(text) <= 70000000),
  blocks jsonb not null default '[]',
  -- SHA-256 of what was read, and of the segments that were made of it: the same again needs no writing.
  content_key text check (length(content_key) <= 64),
  segments_key text check (length(segments_key) <= 64),
  word_count integer not null default 0 check (word_count >= 0),
  character_count integer not null default 0 check (character_count >= 0),
  estimated_seconds double precision not null default 0 check (estimated_seconds >= 0),
  status text not null default 'draft' check (status in ('draft', 'segmented', 'audio_generating', 'audio_complete', 'error')),
  audio_blob text check (length(audio_blob) <= 1024),
  -- Hash of everything the audio depends on.
  audio_key text check (length(audio_key) <= 64),
  audio_seconds double precision check (audio_seconds >= 0),
  audio_bytes bigint check (audio_bytes >= 0),
  audio_generated_at timestamptz,
  levels jsonb,
  -- Where each segment begins and ends in the audio, in seconds.
  timings jsonb,
  -- The pieces that the audio was encoded in: a change makes only its own anew.
  audio_blocks jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, project_id, number)
);
select make_project_table('chapters', null);

create table characters (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  project_id uuid not null,
  -- Stable from detection to detection.
  slug text not null check (length(slug) <= 200),
  name text not null check (length(name) <= 255),
  aliases text[] not null default '{}',
  role text not null default 'supporting' check (role in ('narrator', 'protagonist', 'antagonist', 'supporting', 'minor')),
  description text check (length(description) <= 2000),
  gender text check (gender in ('male', 'female', 'neutral', 'other')),
  age_range text check (age_range in ('child', 'teen', 'young_adult', 'adult', 'elderly')),
  voice_id text check (length(voice_id) <= 255),
  voice_settings jsonb not null default '{}',
  -- A voice that a person chose is never changed by automatic casting.
  voice_chosen boolean not null default false,
  detected_by text check (length(detected_by) <= 50),
  confidence double precision check (confidence between 0 and 1),
  lines integer not null default 0 check (lines >= 0),
  words integer not null default 0 check (words >= 0),
  first_chapter integer check (first_chapter >= 0),
  first_start integer check (first_start >= 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, project_id, slug)
);
select make_project_table('characters');

create table segments (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  project_id uuid not null,
  chapter_id uuid not null,
  number integer not null check (number >= 1),
  -- UTF-16 offsets in the chapter's text.
  start_offset integer not null check (start_offset >= 0),
  end_offset integer not null check (end_offset >= start_offset),
  kind text not null check (kind in ('narration', 'speech')),
  text text not null check (length(text) <= 5000),
  -- Written by a person; without it the SSML is made from text, structure and lexicon.
  ssml text check (length(ssml) <= 20000),
  word_count integer not null default 0 check (word_count >= 0),
  character_count integer not null default 0 check (character_count >= 0),
  character_id uuid,
  rule text check (length(rule) <= 50),
  confidence double precision check (confidence between 0 and 1),
  -- Over the character's own.
  voice_id text check (length(voice_id) <= 255),
  voice_settings jsonb,
  gap_after double precision not null default 0 check (gap_after between 0 and 60),
  status text not null default 'pending' check (status in ('pending', 'generating', 'complete', 'error', 'needs_revision')),
  revision_notes text check (length(revision_notes) <= 5000),
  approved_at timestamptz,
  cache_key text check (length(cache_key) <= 64),
  error jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, chapter_id, number),
  check (status <> 'error' or error is not null)
);
select make_project_table('segments', null);
alter table segments
  add foreign key (tenant_id, chapter_id) references chapters (tenant_id, id) on delete cascade,
  add foreign key (tenant_id, character_id) references characters (tenant_id, id) on delete set null (character_id);
create index segments_character on segments (tenant_id, character_id);
create index segments_open on segments (tenant_id, project_id, status) where status <> 'complete';

create table audio_cache (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  -- SHA-256 of text or SSML, voice, settings, language and engine version.
  cache_key text not null check (length(cache_key) = 64),
  text text not null check (length(text) <= 20000),
  voice_id text not null check (length(voice_id) <= 255),
  voice_settings jsonb not null default '{}',
  audio_blob text not null check (length(audio_blob) <= 1024),
  media_type text not null check (length(media_type) <= 100),
  audio_seconds double precision check (audio_seconds >= 0),
  audio_bytes bigint not null check (audio_bytes >= 0),
  -- Mean squares against full scale 1, without rumble; weighted as loudness is.
  power double precision not null,
  weighted_power double precision not null,
  -- Word timings: [start, end, from, to] each.
  words jsonb not null default '[]',
  hit_count integer not null default 0 check (hit_count >= 0),
  last_accessed_at timestamptz not null default now(),
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, cache_key)
);
select make_tenant_table('audio_cache', null);
create index audio_cache_expires on audio_cache (tenant_id, expires_at);

create table packages (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  project_id uuid not null,
  format text not null check (format in ('m4b', 'acx', 'audible', 'mp3_zip', 'epub3')),
  platform text not null default 'generic' check (platform in ('audible', 'acx', 'findaway', 'google_play', 'apple', 'generic')),
  options jsonb not null default '{}',
  -- Hash of everything the file depends on.
  package_key text check (length(package_key) <= 64),
  package_blob text check (length(package_blob) <= 1024),
  filename text check (length(filename) <= 255),
  media_type text check (length(media_type) <= 100),
  file_bytes bigint check (file_bytes >= 0),
  sha256 text check (length(sha256) = 64),
  manifest jsonb,
  delivery jsonb,
  created_by uuid default acting_user(),
  expires_at timestamptz,
  downloaded_at timestamptz,
  download_count integer not null default 0 check (download_count >= 0),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_project_table('packages');

create table lexicon_entries (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  project_id uuid not null,
  grapheme text not null check (length(grapheme) between 1 and 200),
  alias text check (length(alias) <= 200),
  phoneme text check (length(phoneme) <= 200),
  alphabet text not null default 'ipa' check (alphabet in ('ipa', 'x-sampa')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (tenant_id, project_id, grapheme),
  check (alias is not null or phoneme is not null)
);
select make_project_table('lexicon_entries');

create table comments (
  id uuid not null default uuid_v7(),
  tenant_id uuid not null default current_tenant(),
  project_id uuid not null,
  chapter_id uuid,
  segment_id uuid,
  -- Seconds in the chapter's audio.
  at_seconds double precision check (at_seconds >= 0),
  text text not null check (length(text) between 1 and 5000),
  user_id uuid not null default acting_user(),
  resolved_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
select make_project_table('comments');
alter table comments add foreign key (tenant_id, chapter_id) references chapters (tenant_id, id) on delete cascade;
-- Whoever was given a project to comment on may comment, and no more.
create function commentable_projects() returns uuid[] language sql stable as $$
  select coalesce(array_agg(id), '{}') from projects
  where owner_id = acting_user() or id in (select project_id from project_shares where user_id = acting_user() and revoked_at is null and (can_comment or can_edit))
$$;
drop policy made on comments;
create policy made on comments as restrictive for insert to voicepress_app
  with check (((select sees_all()) or project_id = any ((select commentable_projects())::uuid[])) and user_id = (select acting_user()));
drop policy changed on comments;
create policy changed on comments as restrictive for update to voicepress_app
  using ((select sees_all()) or user_id = (select acting_user()) or project_id = any ((select editable_projects())::uuid[]));
drop policy removed on comments;
create policy removed on comments as restrictive for delete to voicepress_app using ((select sees_all()) or user_id = (select acting_user()));

-- down

drop table comments, lexicon_entries, packages, audio_cache, segments, characters, chapters;
drop policy made on project_shares;
drop policy seen on cost_entries;
drop policy seen on projects;
drop policy changed on projects;
drop table project_shares;
drop function commentable_projects(), make_project_table(regclass, text[]), editable_projects(), visible_projects(), shared_projects(boolean);
drop table projects;
