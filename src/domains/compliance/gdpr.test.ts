import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import yauzl from 'yauzl'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { declaredTables } from '../../../test/declared-tables.ts'
import { findTexts, plantPerson } from '../../../test/plant-person.ts'
import type { Field, Table } from '../../kit/table.ts'
import { accountHash } from '../identity/limit-attempts.ts'
import { eraseRestored } from './erase-again.ts'
import { sealTenant } from './seal-audit.ts'

let app: TestApp
let owner: pg.Client
beforeAll(async () => {
  app = await openTestApp()
  owner = new pg.Client({ connectionString: app.kernel.urls.owner })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await app.close()
})

async function plant(person: Person) {
  const { services } = app.kernel
  const login = accountHash({ services, principal: { tenant: person.tenant } as never }, person.email)
  return plantPerson(app.kernel.urls.owner, { ...person, login }, (name, text) =>
    services.storage.put(name, Buffer.from(text)),
  )
}

async function settle(person: Person, path: string): Promise<any> {
  for (;;) {
    const request = await person.call('GET', path)
    if (!['pending', 'processing'].includes(request.status)) return request
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function unzip(bytes: Buffer): Promise<Map<string, string>> {
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(bytes, { lazyEntries: true }, (error, archive) => {
      if (error) return reject(error)
      const files = new Map<string, string>()
      archive.on('entry', (entry: yauzl.Entry) =>
        archive.openReadStream(entry, async (failed, stream) => {
          if (failed) return reject(failed)
          const chunks: Buffer[] = []
          for await (const chunk of stream) chunks.push(chunk)
          files.set(entry.fileName, Buffer.concat(chunks).toString('utf8'))
          archive.readEntry()
        }),
      )
      archive.once('end', () => resolve(files)).readEntry()
    })
  })
}

const fieldsOf = (table: Table): [string, Field][] => Object.entries(table.fields)

describe('declarations', () => {
  test('say of every column that names a person what becomes of its row', () => {
    const usual = /^(user_id|owner_id|shared_by|created_by|assigned_by|invited_by|requested_by|acknowledged_by)$/
    const silent = declaredTables.flatMap((table) =>
      fieldsOf(table).flatMap(([name, { column, privacy }]) =>
        (usual.test(name) || column.references === 'users') && !privacy.names ? [`${table.name}.${name}`] : [],
      ),
    )
    expect(silent).toEqual([])
  })

  test('let no personal column stand in a row that names nobody, or that is kept', () => {
    const lost = declaredTables.flatMap((table) => {
      const fields = fieldsOf(table)
      const erases = fields.some(([, { privacy }]) => typeof privacy.names?.erasure === 'string')
      return erases
        ? []
        : fields.flatMap(([name, { privacy }]) => (privacy.isPersonal ? [`${table.name}.${name}`] : []))
    })
    expect(lost).toEqual([])
  })
})

describe('who is planted everywhere', () => {
  let admin: Person
  let person: Person
  let other: Person
  let planted: Awaited<ReturnType<typeof plant>>
  let othersMarks: string[]
  const marksOf = (marks: Awaited<ReturnType<typeof plant>>) => [
    ...new Set(marks.filter(({ isKept }) => !isKept).map(({ marker }) => marker)),
  ]

  /** Whoever is planted in the ledger too would be erased. */
  const forgetErasures = () => owner.query(`delete from gdpr_erasures where tenant_id = '${admin.tenant}'`)

  beforeAll(async () => {
    const tenant = await app.addTenant('planted')
    admin = await app.addPerson(tenant, 'planted-admin@example.com', ['admin'])
    person = await app.addPerson(tenant, 'ada.planted@example.com', ['creator'])
    other = await app.addPerson(tenant, 'other.planted@example.com', ['creator'])
    // What a person leaves by using it.
    await person.call('PATCH', '/v1/me', { full_name: 'Ada Augusta Planted' })
    await admin.call('GET', `/v1/users/${person.id}`)
    await sealTenant(app.kernel, tenant)
    ;[planted, othersMarks] = [await plant(person), marksOf(await plant(other))]
    await forgetErasures()
  })

  test('stands in every table that says whom its rows are about', async () => {
    expect(planted.length).toBeGreaterThan(30)
    const found = await findTexts(app.kernel.urls.owner, marksOf(planted))
    for (const table of [
      'users',
      'sessions',
      'invitations',
      'comments',
      'audit_logs',
      'access_logs',
      'security_events',
      'events',
      'gdpr_requests',
      'resellers',
      'jobs',
    ])
      expect(
        found.some((line) => line.startsWith(`${table}:`)),
        table,
      ).toBe(true)
  })

  test('gets all of it with an access request, and nothing of anybody else', async () => {
    const { id } = await person.call('POST', '/v1/gdpr-requests', { request_type: 'access' })
    const done = await settle(person, `/v1/gdpr-requests/${id}`)
    expect(done).toMatchObject({ status: 'completed', report: { files: expect.any(Number) } })
    const reply = await fetch(`${app.url}/v1/gdpr-requests/${id}/archive`, {
      headers: { authorization: `Bearer ${person.token}` },
    })
    expect(reply.headers.get('content-type')).toBe('application/zip')
    const files = await unzip(Buffer.from(await reply.arrayBuffer()))
    const all = [...files.values()].join('\n')
    const missing = planted.filter(
      ({ marker, isSecret, isNamed, isKept }) => !isSecret && isNamed && !isKept && !all.includes(marker),
    )
    expect(missing).toEqual([])
    for (const name of ['about.json', 'README.txt', 'data/users.json', 'data/audit_logs.json'])
      expect([...files.keys()]).toContain(name)
    expect([...files].filter(([name]) => name.startsWith('files/')).map(([, text]) => text)).toContain(
      planted.find(({ column }) => column === 'avatar_blob')?.marker,
    )
    for (const [name, text] of files) if (name.endsWith('.json')) JSON.parse(text)
    expect(othersMarks.filter((mark) => all.includes(mark))).toEqual([])
    expect(all).not.toMatch(/token_hash|password_hash|key_hash|secret_encrypted|argon2/)
    expect((await other.request('GET', `/v1/gdpr-requests/${id}/archive`)).status).toBe(404)
  })

  test('is nowhere after an erasure; others are where they were; the trail holds', async () => {
    const before = await findTexts(app.kernel.urls.owner, othersMarks)
    const { id } = await person.call('POST', '/v1/gdpr-requests', {
      request_type: 'erasure',
      notes: 'Please forget Ada Augusta Planted.',
    })
    expect((await person.request('POST', `/v1/gdpr-requests/${id}/carry-out`)).status).toBe(403)
    await admin.call('POST', `/v1/gdpr-requests/${id}/carry-out`)
    const done = await settle(admin, `/v1/gdpr-requests/${id}`)
    expect(done).toMatchObject({ status: 'completed', notes: null, completed_at: expect.any(String) })
    const told = Object.fromEntries(done.report.tables.map((line: { table: string }) => [line.table, line]))
    expect(told).toMatchObject({
      users: { pseudonymised: 1 },
      comments: { pseudonymised: 1 },
      projects: { kept: 1, because: [expect.stringContaining('tenant')] },
    })
    expect(told.sessions.deleted).toBeGreaterThan(0)
    expect(done.report.files).toBeGreaterThan(0)

    expect(await findTexts(app.kernel.urls.owner, [...marksOf(planted), person.email, 'Ada Augusta'])).toEqual([])
    expect(await filesWith([...marksOf(planted), person.email])).toEqual([])
    expect(await findTexts(app.kernel.urls.owner, othersMarks)).toEqual(before)
    expect((await person.request('GET', '/v1/me')).status).toBe(401)
    await sealTenant(app.kernel, person.tenant)
    const verified = await admin.call('GET', '/v1/audit/verify')
    expect(verified).toMatchObject({ faults: [], holds: true, unsealed: 0 })
    expect(verified.erased).toBeGreaterThan(0)
  })

  test('is erased again when a backup brings them back', async () => {
    // As it was before: the account, its rows, and a ledger that knows nothing of it.
    const again = await plant(person)
    await forgetErasures()
    expect((await findTexts(app.kernel.urls.owner, marksOf(again))).length).toBeGreaterThan(10)
    await eraseRestored(app.kernel)
    await expect
      .poll(() => findTexts(app.kernel.urls.owner, [...marksOf(again), person.email]), { timeout: 20_000 })
      .toEqual([])
    const reapplied = await admin.call('POST', '/v1/gdpr/reapply', {})
    expect(reapplied).toMatchObject({ people: 1 })
    expect((await app.waitForJob(admin, reapplied.job_ids[0])).status).toBe('completed')
  })

  async function filesWith(texts: string[]): Promise<string[]> {
    const found: string[] = []
    const { storage } = app.kernel.services
    for (const folder of ['tenants', 'erasures'])
      for await (const { name } of storage.list(folder)) {
        const text = Buffer.from(await storage.read(name)).toString('latin1')
        if (texts.some((one) => text.includes(one) || name.includes(one))) found.push(name)
      }
    return found
  }
})
