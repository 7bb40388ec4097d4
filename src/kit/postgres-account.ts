import { readFile } from 'node:fs/promises'
import { Problem } from './errors.ts'

/** A system user, as /etc/passwd has it. */
export interface Account {
  name: string
  uid: number
  gid: number
}

/**
 * The user that PostgreSQL runs as when we are root, which it refuses to be; null when we are not root, and it runs as us.
 * `owner` is the user id of an existing cluster, which has to stay its owner.
 */
export async function choosePostgresAccount(
  owner: number | null,
  passwd = '/etc/passwd',
  uid = process.getuid?.(),
): Promise<Account | null> {
  if (uid !== 0) return null
  const accounts = parsePasswd(await readFile(passwd, 'utf8').catch(() => ''))
  if (owner) return accounts.find((account) => account.uid === owner) ?? { name: String(owner), uid: owner, gid: owner }
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find((candidate) => candidate.name === name && candidate.uid > 0)
    if (account) return account
  }
  throw new Problem(
    500,
    'user_missing',
    'PostgreSQL refuses to run as root, and this system has neither a user postgres nor a user nobody. Add one, or set DATABASE_URL.',
  )
}

/** passwd(5): name:password:uid:gid:comment:home:shell. */
function parsePasswd(text: string): Account[] {
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}
