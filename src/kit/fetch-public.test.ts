import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { openPublicFetch } from './fetch-public.ts'

test('goes nowhere but to the Internet, however the address is written', async () => {
  const fetch = openPublicFetch({ allowPrivate: false })
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '169.254.169.254',
    'localhost',
    '0',
    '[64:ff9b::a9fe:a9fe]',
  ])
    await expect.soft(fetch(`https://${host}:9/`), host).rejects.toMatchObject({ type: 'address_refused' })
  for (const address of ['http://example.com/', 'file:///etc/passwd', 'ftp://example.com/', 'data:text/plain,x'])
    await expect.soft(fetch(address), address).rejects.toMatchObject({ type: 'address_refused' })
})

test('follows no redirect, and reads no more than it is told', async () => {
  const server = createServer((request, reply) => {
    if (request.url === '/away') reply.writeHead(302, { location: '/secret' }).end('moved')
    else if (request.url === '/much') reply.end('x'.repeat(5000))
    else if (request.url === '/slow') return
    else reply.writeHead(200, { 'content-type': 'text/plain' }).end(`${request.method} ${request.headers['x-sent']}`)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const fetch = openPublicFetch({ allowPrivate: true, maximumBytes: 1000, milliseconds: 300 })
  const at = (path: string) => `http://127.0.0.1:${port}${path}`
  const plain = await fetch(at('/'), { method: 'POST', headers: { 'x-sent': 'yes' }, body: 'hello' })
  expect([plain.status, await plain.text(), plain.headers.get('content-type')]).toEqual([200, 'POST yes', 'text/plain'])
  expect((await fetch(at('/away'))).status).toBe(302)
  await expect(fetch(at('/much'))).rejects.toMatchObject({ type: 'reply_too_large' })
  await expect(fetch(at('/slow'))).rejects.toThrow()
  server.closeAllConnections()
  server.close()
})
