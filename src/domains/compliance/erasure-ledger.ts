import type { BlobStore } from '../../engines/storage/storage.ts'

/** Outside of every tenant's own folder, so that one list finds them all. Holds ids that lead to nobody, and no more. */
const folder = 'erasures'
const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const pattern = new RegExp(`^${folder}/(?<tenant>${uuid})/(?<user>${uuid})\\.json$`)

/** The ledger stands beside the database too: a backup of that knows nothing of erasures after it. */
export async function rememberErasure(storage: BlobStore, tenant: string, user: string): Promise<void> {
  await storage.put(
    `${folder}/${tenant}/${user}.json`,
    Buffer.from(JSON.stringify({ user_id: user, erased_at: new Date().toISOString() })),
    { mediaType: 'application/json' },
  )
}

/** Ids of the erased, by tenant; of one tenant when it is named. */
export async function readErasures(storage: BlobStore, tenant?: string): Promise<Map<string, string[]>> {
  const users = new Map<string, string[]>()
  for await (const { name } of storage.list(tenant ? `${folder}/${tenant}` : folder)) {
    const { tenant: of, user } = pattern.exec(name)?.groups ?? {}
    if (of && user) users.set(of, [...(users.get(of) ?? []), user])
  }
  return users
}
