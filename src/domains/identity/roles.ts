const making = [
  'projects.*',
  'chapters.*',
  'segments.*',
  'characters.*',
  'packages.*',
  'project_shares.*',
  'comments.*',
  'lexicon.*',
  'lexicon_entries.*',
  'voices.*',
  'checks.*',
  'jobs.*',
  'costs.*',
]
const looking = [
  'projects.list',
  'projects.get',
  'projects.cover',
  'chapters.list',
  'chapters.get',
  'chapters.audio',
  'chapters.vtt',
  'chapters.timings',
  'segments.list',
  'segments.get',
  'segments.audio',
  'segments.ssml',
  'segments.revisions',
  'characters.list',
  'characters.get',
  'voices.list',
  'lexicon_entries.list',
  'lexicon_entries.get',
  'lexicon.export',
  'project_shares.list',
  'project_shares.get',
]

/** What the law gives everyone about themselves (GDPR, 15 to 20), with what endangered their own account. */
const ownRights = [
  'gdpr_requests.list',
  'gdpr_requests.get',
  'gdpr_requests.create',
  'gdpr_requests.cancel',
  'gdpr_requests.download',
  'security_events.list',
  'security_events.get',
]

/** Of one's own: row security shows no others. */
const own = ['me.*', 'profiles.*', 'sessions.list', 'sessions.remove', ...ownRights]

/** What each role grants: names of operations, or `projects.*`. Sharing and ownership narrow it further, row by row. */
export const rolePermissions: Record<string, readonly string[]> = {
  admin: ['*'],
  manager: [
    ...making,
    'users.list',
    'users.get',
    'tenant.get',
    'tenant.quotas',
    'tenant.usage',
    'tenant.subscription',
    'statements.*',
    ...own,
    'api_keys.*',
  ],
  creator: [...making, ...own, 'api_keys.*'],
  validator: [...looking, 'segments.revise', 'comments.*', 'jobs.list', 'jobs.get', 'jobs.events', ...own],
  analyst: [
    'projects.list',
    'projects.get',
    'chapters.list',
    'costs.*',
    'usage.list',
    'statements.*',
    'ai_token_usage.list',
    'api_usage.list',
    'jobs.list',
    'jobs.get',
    ...own,
  ],
  viewer: [
    ...looking,
    'comments.list',
    'comments.get',
    'packages.list',
    'packages.get',
    'jobs.list',
    'jobs.get',
    'jobs.events',
    ...own,
  ],
}

/** For the roles of the system, which every tenant begins with. */
export const roleDescriptions: Record<string, string> = {
  admin: 'Everything, and sees every project',
  manager: 'Runs projects and sees people and costs',
  creator: 'Makes projects, and reads, changes and packages their own',
  validator: 'Listens to, reads and comments on what is shared with them',
  analyst: 'Reads projects and their costs',
  viewer: 'Reads and listens to what is shared with them',
}

/** Whether one pattern grants all that the other asks for. */
export const covers = (granted: string, wanted: string): boolean =>
  granted === '*' || granted === wanted || (granted.endsWith('.*') && wanted.startsWith(granted.slice(0, -1)))

/** A key's scopes never reach beyond what its owner may do, now: a role that was taken away narrows the keys too. */
export const narrow = (scopes: readonly string[], permissions: readonly string[]): string[] =>
  scopes.flatMap((scope) =>
    permissions.some((granted) => covers(granted, scope))
      ? [scope]
      : permissions.filter((granted) => covers(scope, granted)),
  )
