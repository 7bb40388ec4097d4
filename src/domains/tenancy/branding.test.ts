import { type Server, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { scoped } from '../../kit/database.ts'
import { answerProxies } from './answer-proxies.ts'
import { brandMail } from './brand-mail.ts'
import { loadBranding } from './branding.ts'
import { contrast, findIllegible, readableOn } from './check-contrast.ts'
import { type BrandLayer, defaultTheme, mergeBranding } from './merge-branding.ts'
import { writeCsv } from './write-csv.ts'

let app: TestApp
let seller: Person
let tiers: Record<string, string>
let internal: Server
let count = 0
/** What the name servers of the world say. */
const records = new Map<string, string[][]>()

beforeAll(async () => {
  app = await openTestApp({ work: false, environment: { VOICEPRESS_PUBLIC_URL: 'http://books.example' } })
  app.kernel.services.tenancy.resolveTxt = async (name) => {
    const found = records.get(name)
    if (!found) throw Object.assign(new Error(name), { code: 'ENOTFOUND' })
    return found
  }
  internal = await answerProxies(app.kernel.services.tenancy.resolver, { host: '127.0.0.1', port: 0 })
  tiers = Object.fromEntries(
    (await app.admin.call('GET', '/v1/subscription-plans')).items.map((plan: { name: string; id: string }) => [
      plan.name,
      plan.id,
    ]),
  )
  const made = await app.admin.call('POST', '/v1/resellers', {
    name: 'Look Ltd',
    slug: 'look',
    email: 'a@look.example',
    administrator_email: 'b@look.example',
  })
  seller = await app.addPerson(made.office, 'c@look.example', ['admin'])
})
afterAll(async () => {
  internal.close()
  await app.close()
})

async function customer(plan: string, by: Person = seller): Promise<{ id: string; slug: string; admin: Person }> {
  const slug = `tenant-${++count}`
  const { id } = await by.call('POST', '/v1/accounts', {
    name: slug,
    slug,
    subscription_plan_id: tiers[plan],
    administrator_email: `first@${slug}.example`,
  })
  return { id, slug, admin: await app.addPerson(id, `admin@${slug}.example`, ['admin']) }
}

/** `fetch` lets nobody set Host. */
function at(
  host: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: any; type: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(app.url)
    request({ port, host: '127.0.0.1', path, headers: { host, ...headers } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks)
        const type = response.headers['content-type'] ?? ''
        resolve({
          status: response.statusCode ?? 0,
          body: type.includes('json') ? JSON.parse(text.toString()) : text,
          type,
        })
      })
    })
      .on('error', reject)
      .end()
  })
}

// 1 × 1.
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

describe('a look', () => {
  test('is laid in layers: default, reseller, tenant; public by host', async () => {
    const { admin, slug } = await customer('Premium')
    const host = `${slug}.books.example`
    expect((await at(host, '/v1/branding')).body).toMatchObject({
      texts: { appName: 'Voicepress' },
      theme: { primaryColor: '#1f4e79' },
    })
    const look = await seller.call('POST', '/v1/branding-configurations', {
      name: 'Ours',
      is_default: true,
      theme: { primaryColor: '#7A0019' },
      texts: { appName: 'Look Books', footerText: 'Look Ltd' },
    })
    expect((await at(host, '/v1/branding')).body).toMatchObject({
      texts: { appName: 'Look Books', footerText: 'Look Ltd' },
      theme: { primaryColor: '#7a0019', onPrimaryColor: '#ffffff' },
    })
    await admin.call('PATCH', '/v1/white-label', { brand_name: 'Tenant Books', primary_color: '#005a3c' })
    expect((await at(host, '/v1/branding')).body).toMatchObject({
      texts: { appName: 'Tenant Books', footerText: 'Look Ltd' },
      theme: { primaryColor: '#005a3c' },
    })
    expect((await at('books.example', '/v1/branding')).body.texts.appName).toBe('Voicepress')
    const css = await at(host, '/v1/branding/style.css')
    expect(css.type).toContain('text/css')
    expect(css.body.toString()).toContain('--brand-primary: #005a3c;')
    await seller.upload(`/v1/branding-configurations/${look.id}/assets/favicon`, 'f.png', png)
    expect((await admin.upload('/v1/white-label/assets/logo', 'logo.png', png)).status).toBe(200)
    const { assets } = (await at(host, '/v1/branding')).body
    for (const path of [assets.logo, assets.favicon]) {
      const image = await at(host, path)
      expect(image).toMatchObject({ status: 200, type: 'image/png' })
      expect(image.body.equals(png)).toBe(true)
    }
    expect((await at('books.example', '/v1/branding/assets/logo')).status).toBe(404)
  })

  test('what nobody could read, and what could run, is refused', async () => {
    const { admin } = await customer('Premium')
    expect(
      (await admin.request('PATCH', '/v1/white-label', { theme: { textColor: '#777777', backgroundColor: '#888888' } }))
        .body,
    ).toMatchObject({ status: 400, type: 'urn:voicepress:problem:low_contrast', field: 'theme.textColor', least: 4.5 })
    expect((await admin.request('PATCH', '/v1/white-label', { primary_color: '#ffffee' })).body.type).toContain(
      'low_contrast',
    )
    expect(
      (await admin.request('PATCH', '/v1/white-label', { theme: { fontFamily: 'x; } body { display: none' } })).status,
    ).toBe(400)
    expect((await admin.request('PATCH', '/v1/white-label', { primary_color: 'red' })).status).toBe(400)
    expect(
      (
        await admin.upload(
          '/v1/white-label/assets/logo',
          'x.png',
          '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
        )
      ).status,
    ).toBe(415)
  })

  test('is used in mails, with nothing in a text that could be markup', async () => {
    const { id, admin } = await customer('Premium')
    await admin.call('PATCH', '/v1/white-label', { brand_name: 'A & <b>B</b>' })
    const branding = await scoped(
      app.kernel.pool,
      { tenant: id, user: null, seesAll: false },
      (tx) => loadBranding(tx),
      true,
    )
    const mail = brandMail(branding, {
      subject: 'Hello',
      paragraphs: ['<script>'],
      action: { label: 'Go', url: 'https://x.example/?a=1&b="2"' },
    })
    expect(mail.html).toContain('A &amp; &lt;b&gt;B&lt;/b&gt;')
    expect(mail.html).not.toMatch(/<script|<img|<b>/)
    expect(mail.text).toContain('Go: https://x.example/?a=1&b="2"')
  })

  const hex = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`)
  test('whatever the layers say, the merged look can be read', () => {
    const theme = fc.record({ primaryColor: hex, textColor: hex, backgroundColor: hex }, { requiredKeys: [] })
    const layer = theme.map((theme): BrandLayer => ({ layer: 'tenant', owner: '', theme, assets: {}, texts: {} }))
    fc.assert(
      fc.property(fc.array(layer, { maxLength: 2 }), (layers) => {
        const merged = mergeBranding(layers).theme
        expect(findIllegible(merged)).toBeUndefined()
        expect(contrast(merged.primaryColor, merged.onPrimaryColor)).toBeGreaterThanOrEqual(4.5)
      }),
    )
    fc.assert(fc.property(hex, (colour) => contrast(colour, readableOn(colour)) >= 4.5))
    expect(contrast('#ffffff', '#000000')).toBeCloseTo(21)
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
    expect(findIllegible(defaultTheme)).toBeUndefined()
  })

  test('CSV cells are no formulas', () => {
    expect(
      writeCsv(
        ['a', 'b'],
        [
          { a: '=1+1', b: -3 },
          { a: 'x "y", z', b: null },
        ],
      ),
    ).toBe('a,b\r\n\'=1+1,-3\r\n"x ""y"", z",\r\n')
  })
})

describe('an address', () => {
  test('leads to its tenant, and never two that disagree', async () => {
    const one = await customer('Premium')
    const other = await customer('Premium')
    const bearer = { authorization: `Bearer ${one.admin.token}` }
    expect((await at(`${one.slug}.books.example`, '/v1/tenant', bearer)).body.id).toBe(one.id)
    expect((await at('books.example', '/v1/tenant', bearer)).body.id).toBe(one.id)
    expect((await at('books.example', '/v1/tenant', { ...bearer, 'x-tenant-id': one.id })).status).toBe(200)
    const first = { authorization: `Bearer ${app.admin.token}`, 'x-tenant-id': app.admin.tenant }
    expect((await at('books.example', '/v1/tenant', first)).status).toBe(200)
    for (const [host, headers] of [
      [`${other.slug}.books.example`, bearer],
      ['books.example', { ...bearer, 'x-tenant-id': other.id }],
      ['books.example', { ...bearer, 'x-tenant-id': crypto.randomUUID() }],
      [`${one.slug}.books.example`, { 'x-tenant-id': other.id }],
    ] as const) {
      const refused = await at(host, '/v1/branding', headers)
      expect.soft(refused.body, host).toMatchObject({ status: 403, type: 'urn:voicepress:problem:tenant_mismatch' })
    }
    expect((await at('nobody.books.example', '/v1/branding')).status).toBe(404)
    await seller.call('POST', `/v1/accounts/${other.id}/suspend`, { reason: 'x' })
    app.kernel.services.tenancy.forget()
    const suspended = await at(`${other.slug}.books.example`, '/v1/branding')
    const absent = await at('absent.books.example', '/v1/branding')
    expect({ ...suspended.body, request_id: '' }).toEqual({ ...absent.body, request_id: '' })
    expect((await at('books.example', '/v1/branding', { 'x-tenant-id': other.id })).status).toBe(404)
  })

  test('of its own works once DNS proves it, and a certificate may be made for it from then on', async () => {
    const one = await customer('Enterprise')
    const other = await customer('Enterprise')
    const basic = await customer('Basic')
    expect(
      (await basic.admin.request('PUT', '/v1/tenant/domain', { domain: 'audio.example.com' })).body.type,
    ).toContain('not_entitled')
    for (const domain of ['books.example', 'x.books.example', 'localhost', '10.0.0.1', 'a..b', 'x.internal', '-a.com'])
      expect.soft((await one.admin.request('PUT', '/v1/tenant/domain', { domain })).status, domain).toBe(400)
    const wanted = await one.admin.call('PUT', '/v1/tenant/domain', { domain: 'Audio.Bücher.example.com.' })
    expect(wanted).toMatchObject({
      domain: 'audio.xn--bcher-kva.example.com',
      verified: false,
      record: { name: '_voicepress.audio.xn--bcher-kva.example.com', type: 'TXT' },
    })
    const { domain, record } = wanted
    const ask = async (name: string) =>
      (await fetch(`http://127.0.0.1:${(internal.address() as AddressInfo).port}/ask?domain=${name}`)).status
    expect(await ask(domain)).toBe(404)
    expect((await one.admin.request('POST', '/v1/tenant/domain/verify')).body).toMatchObject({
      status: 409,
      type: 'urn:voicepress:problem:domain_unproved',
      record,
    })
    // A long record comes in parts; others stand beside it.
    records.set(record.name, [['v=spf1 -all'], [record.value.slice(0, 20), record.value.slice(20)]])
    expect(await one.admin.call('POST', '/v1/tenant/domain/verify')).toMatchObject({ verified: true })
    expect((await at(domain, '/v1/tenant', { authorization: `Bearer ${one.admin.token}` })).body.id).toBe(one.id)
    expect((await at(domain, '/v1/tenant', { authorization: `Bearer ${other.admin.token}` })).status).toBe(403)
    expect([
      await ask(domain),
      await ask(`${one.slug}.books.example`),
      await ask('books.example'),
      await ask('evil.example'),
      await ask('nobody.books.example'),
    ]).toEqual([200, 200, 200, 404, 404])

    // Another tenant has to prove it too, and doesn't get it while the first one's proof stands.
    const theirs = await other.admin.call('PUT', '/v1/tenant/domain', { domain })
    expect((await other.admin.request('POST', '/v1/tenant/domain/verify')).status).toBe(409)
    records.set(record.name, [[record.value], [theirs.record.value]])
    expect((await other.admin.request('POST', '/v1/tenant/domain/verify')).body.type).toContain('domain_taken')
    records.set(record.name, [[theirs.record.value]])
    expect(await other.admin.call('POST', '/v1/tenant/domain/verify')).toMatchObject({ verified: true })
    expect(await one.admin.call('GET', '/v1/tenant/domain')).toMatchObject({ verified: false })
    expect((await at(domain, '/v1/tenant', { authorization: `Bearer ${other.admin.token}` })).body.id).toBe(other.id)
    await other.admin.call('DELETE', '/v1/tenant/domain')
    expect(await ask(domain)).toBe(404)

    // Or by a page on the server that the domain leads to now; not on this one's own network.
    const { page, record: paged } = await one.admin.call('PUT', '/v1/tenant/domain', { domain: 'pages.example.com' })
    app.kernel.services.tenancy.fetchPage = async (url) =>
      new Response(url === page ? `${paged.value}\n` : '', { status: 200 })
    expect((await one.admin.request('POST', '/v1/tenant/domain/verify')).status).toBe(409)
    expect(await one.admin.call('POST', '/v1/tenant/domain/verify', { by: 'page' })).toMatchObject({ verified: true })
  })
})
