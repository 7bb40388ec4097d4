import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApp, openTestApp } from './app.ts'
import { openBrowser, watchPage } from './browser.ts'

interface Described {
  operationId: string
  summary?: string
  tags: string[]
  parameters: { name: string; in: string; required: boolean }[]
  responses: Record<string, { description: string; content: Record<string, unknown> }>
  security?: unknown[]
  'x-permission'?: string
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Described>>
  components: { schemas: Record<string, unknown> }
}

let app: TestApp
let document: Document

beforeAll(async () => {
  app = await openTestApp({ work: false })
  document = (await (await fetch(`${app.url}/openapi.json`)).json()) as Document
})
afterAll(() => app.close())

const described = () => Object.values(document.paths).flatMap((methods) => Object.values(methods))

test('is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  const { valid, errors } = await validator.validate({ ...structuredClone(document) })
  expect(errors).toBeUndefined()
  expect(valid).toBe(true)
  expect(document.openapi).toMatch(/^3\.1\./)
})

test('every reference leads to a schema, and every schema is referred to', () => {
  const references = new Set(
    [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, target]) => target as string),
  )
  const schemas = new Set(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`))
  expect([...references].filter((target) => !schemas.has(target))).toEqual([])
  expect([...schemas].filter((name) => !references.has(name))).toEqual([])
})

test('has every operation once, with what a reader needs', () => {
  const ids = described().map(({ operationId }) => operationId)
  expect(ids.toSorted()).toEqual([...app.kernel.operations.keys()].toSorted())
  for (const operation of described()) {
    const { operationId, summary, tags, responses, security } = operation
    expect.soft(summary, operationId).toMatch(/^[A-Z]/)
    expect.soft(tags, operationId).toHaveLength(1)
    expect.soft(tags, operationId).not.toContain('system')
    expect.soft(Object.keys(responses), operationId).toEqual(['200', 'default'])
    expect.soft(Object.keys(responses[200]?.content ?? {}), operationId).toHaveLength(1)
    if (app.kernel.operations.get(operationId)?.public) expect.soft(security, operationId).toEqual([])
    else expect.soft(operation['x-permission'], operationId).toBe(operationId)
  }
})

test('no two operations share a path and a method, and every part of a path is described', () => {
  const operations = [...app.kernel.operations.values()]
  expect(new Set(operations.map(({ method, path }) => `${method} ${path.replaceAll(/:[a-z_]+/g, ':')}`)).size).toBe(
    operations.length,
  )
  for (const [path, methods] of Object.entries(document.paths))
    for (const { operationId, parameters } of Object.values(methods)) {
      const names = [...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => name)
      expect
        .soft(
          parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
          operationId,
        )
        .toEqual(names)
    }
})

test('the reference at /docs shows every operation and asks no other host for anything', async () => {
  const browser = await openBrowser()
  try {
    const page = await browser.newPage()
    const { foreign, errors } = watchPage(page, app.url)
    await page.goto(`${app.url}/docs`)
    await page.getByRole('heading', { name: 'Voicepress', exact: true }).first().waitFor()
    const [first] = app.kernel.operations.values()
    await page
      .getByText(first?.summary ?? '')
      .first()
      .waitFor()
    await page.waitForTimeout(1000)
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/docs.png` })
    expect(foreign).toEqual([])
    expect(errors).toEqual([])
  } finally {
    await browser.close()
  }
})
