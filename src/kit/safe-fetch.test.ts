import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type SafeFetchOptions, parsePublicUrl, safeFetch } from './safe-fetch.ts'

type Answer = (request: IncomingMessage, reply: ServerResponse) => void
const answers = new Map<string, Answer>()
const asked: { host: string; path: string; headers: IncomingMessage['headers']; method: string; body: string }[] = []
let server: Server
let port: number

/** A server on loopback that stands for public ones: names in `.example` lead to it, as 127.0.0.1, which is let through by name. */
beforeAll(async () => {
  server = createServer(async (request, reply) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    asked.push({
      host: request.headers.host ?? '',
      path: request.url ?? '',
      headers: request.headers,
      method: request.method ?? '',
      body,
    })
    const answer = answers.get(request.url ?? '')
    if (answer) answer(request, reply)
    else reply.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  port = (server.address() as { port: number }).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const outside: Partial<SafeFetchOptions> = {
  resolve: async () => ['127.0.0.1'],
  isAllowed: (address) => address === '127.0.0.1',
}
const get = (path: string, options: Partial<SafeFetchOptions> = {}) =>
  safeFetch(`http://site.example:${port}${path}`, { maxBytes: 10_000, ...outside, ...options })
const redirect = (path: string, location: string, status = 302) =>
  answers.set(path, (_, reply) => reply.writeHead(status, { location }).end('elsewhere'))

describe('refuses', () => {
  test.each([
    'ftp://site.example/',
    'file:///etc/passwd',
    'gopher://site.example/',
    'data:text/plain,x',
    'javascript:1',
    'http://',
    'site.example',
    '//site.example/',
    'http://user@site.example/',
    'http://:password@site.example/',
    'http://site.example:25/',
    'http://site.example:22/',
    'https://site.example:0/',
    'unix:/run/docker.sock',
  ])('%s', (address) => {
    expect(() => parsePublicUrl(address)).toThrow(expect.objectContaining({ type: 'address_refused' }))
  })

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::a9fe:a9fe]',
    '[fd00::1]',
    '[fe80::1]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '\uff11\uff12\uff17.0.0.1',
    '127\u30020\u30020\u30021',
    'localhost',

    'LOCALHOST',
  ])('http://%s', async (host) => {
    const before = asked.length
    await expect(safeFetch(`http://${host}:${port}/`, { maxBytes: 100 })).rejects.toMatchObject({
      type: 'address_refused',
    })
    expect(asked).toHaveLength(before)
  })

  test('a name one of whose addresses is not public, in whatever order', async () => {
    for (const addresses of [
      ['8.8.8.8', '10.0.0.1'],
      ['10.0.0.1', '8.8.8.8'],
      ['::ffff:10.0.0.1'],
      ['::1'],
      [],
      ['not an address'],
      ['fe80::1%eth0'],
    ])
      await expect(
        safeFetch('http://two-faced.example/', { maxBytes: 100, resolve: async () => addresses }),
      ).rejects.toMatchObject({ type: 'address_refused' })
  })

  test('what a redirect leads to, judged like the first address, before it is asked', async () => {
    for (const location of [
      `http://127.0.0.1:${port}/inside`,
      'http://169.254.169.254/latest/meta-data/',
      `//localhost:${port}/inside`,
      'file:///etc/passwd',
      `http://[::ffff:7f00:1]:${port}/inside`,
      'http://a:b@site.example/',
      'https://site.example:22/',
    ]) {
      redirect('/away', location)
      const resolve = async (host: string) =>
        host === 'site.example' ? ['127.0.0.1'] : host === 'localhost' ? ['127.0.0.2'] : []
      // 127.0.0.1 stands for a public address by name; written out it is what it is.
      const isAllowed = (address: string) => address === '127.0.0.1' && allowed
      let allowed = true
      answers.set('/away', (_, reply) => {
        allowed = false
        reply.writeHead(302, { location }).end()
      })
      const before = asked.length
      await expect
        .soft(get('/away', { resolve, isAllowed }), location)
        .rejects.toMatchObject({ type: 'address_refused' })
      expect
        .soft(
          asked.slice(before).map(({ path }) => path),
          location,
        )
        .toEqual(['/away'])
    }
  })

  test('to be led around without end', async () => {
    redirect('/round', '/round')
    const before = asked.length
    await expect(get('/round', { maxRedirects: 3 })).rejects.toMatchObject({ type: 'address_refused' })
    expect(asked.length - before).toBe(4)
  })
})

test('a name is asked for once, and what it means later changes nothing (DNS rebinding)', async () => {
  answers.set('/once', (_, reply) => reply.end('from the first address'))
  let questions = 0
  const resolve = async () => (++questions === 1 ? ['127.0.0.1'] : ['10.0.0.1'])
  const reply = await get('/once', { resolve })
  expect((await reply.bytes()).toString()).toBe('from the first address')
  expect(questions).toBe(1)
  expect(asked.at(-1)?.host).toBe(`site.example:${port}`)
  // The second visit asks anew, and hears what it may not go to.
  await expect(get('/once', { resolve })).rejects.toMatchObject({ type: 'address_refused' })
})

describe('follows redirects', () => {
  test('to other paths and hosts, without taking along what belongs to the first', async () => {
    redirect('/first', `http://other.example:${port}/second`)
    redirect('/second', '/third?x=1')
    answers.set('/third?x=1', (_, reply) => reply.end('here'))
    const reply = await get('/first', {
      headers: { authorization: 'Bearer secret', cookie: 'secret', 'x-plain': 'stays' },
    })
    expect([reply.status, reply.url, (await reply.bytes()).toString()]).toEqual([
      200,
      `http://other.example:${port}/third?x=1`,
      'here',
    ])
    const [first, second, third] = asked.slice(-3)
    expect(first?.headers).toMatchObject({ authorization: 'Bearer secret' })
    for (const later of [second, third]) {
      expect(later?.headers).toMatchObject({ 'x-plain': 'stays', host: `other.example:${port}` })
      expect(later?.headers.authorization ?? later?.headers.cookie).toBeUndefined()
    }
  })

  test.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'hello'],
    [308, 'POST', 'hello'],
  ])('with the method that %i asks for', async (status, method, body) => {
    redirect('/post', '/posted', status)
    answers.set('/posted', (_, reply) => reply.end('done'))
    await (await get('/post', { method: 'POST', body: 'hello', headers: { 'content-type': 'text/plain' } })).bytes()
    expect(asked.at(-1)).toMatchObject({ path: '/posted', method, body })
  })

  test('or not at all', async () => {
    redirect('/stay', 'http://127.0.0.1/')
    expect((await get('/stay', { maxRedirects: 0 })).status).toBe(302)
  })
})

describe('limits', () => {
  test('size, as it comes: announced, unannounced, and unfolding', async () => {
    answers.set('/announced', (_, reply) =>
      reply.writeHead(200, { 'content-length': 10_001 }).end(Buffer.alloc(10_001)),
    )
    answers.set('/endless', (_, reply) => {
      const more = () => {
        while (!reply.destroyed && reply.write(Buffer.alloc(65_536)));
      }
      reply.on('drain', more)
      more()
    })
    await expect(get('/announced')).rejects.toMatchObject({ type: 'reply_too_large' })
    await expect((await get('/endless')).bytes()).rejects.toMatchObject({
      type: 'reply_too_large',
      extra: { limit: 10_000, unit: 'bytes' },
    })
    for (const [encoding, pack] of Object.entries({ gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync })) {
      answers.set('/bomb', (_, reply) =>
        reply.writeHead(200, { 'content-encoding': encoding }).end(pack(Buffer.alloc(50_000_000))),
      )
      await expect.soft((await get('/bomb')).bytes(), encoding).rejects.toMatchObject({ type: 'reply_too_large' })
      answers.set('/packed', (_, reply) => reply.writeHead(200, { 'content-encoding': encoding }).end(pack('hello')))
      expect.soft((await (await get('/packed')).bytes()).toString(), encoding).toBe('hello')
    }
    answers.set('/just', (_, reply) => reply.end(Buffer.alloc(10_000)))
    expect((await (await get('/just')).bytes()).length).toBe(10_000)
  })

  test('time: of a name server, of a server that says nothing, of one that drips', async () => {
    answers.set('/silent', () => {})
    answers.set('/drip', (_, reply) => {
      const timer = setInterval(() => reply.write('.'), 20)
      reply.on('close', () => clearInterval(timer))
    })
    const slow = { milliseconds: 150 }
    await expect(get('/', { ...slow, resolve: () => new Promise(() => {}) })).rejects.toMatchObject({
      type: 'address_too_slow',
    })
    await expect(get('/silent', slow)).rejects.toMatchObject({ type: 'address_too_slow' })
    await expect((await get('/drip', slow)).bytes()).rejects.toMatchObject({ type: 'address_too_slow' })
    const stopping = new AbortController()
    const stopped = get('/silent', { signal: stopping.signal })
    stopping.abort(new Error('not wanted any more'))
    await expect(stopped).rejects.toThrow('not wanted any more')
  })

  test('type', async () => {
    answers.set('/typed', (_, reply) => reply.writeHead(200, { 'content-type': 'Image/PNG; x=y' }).end('png'))
    answers.set('/untyped', (_, reply) => reply.end('?'))
    for (const types of [['image/png'], ['image/*'], ['text/plain', 'image/png']])
      expect((await get('/typed', { types })).mediaType).toBe('image/png')
    for (const path of ['/typed', '/untyped'])
      await expect(get(path, { types: ['text/html', 'imag/*'] })).rejects.toMatchObject({
        type: 'unsupported_media_type',
      })
  })

  test('what breaks off, or unpacks to nothing, is told', async () => {
    answers.set('/broken', (_, reply) => {
      reply.writeHead(200, { 'content-length': 1000 }).write('part')
      setTimeout(() => reply.destroy(), 20)
    })
    answers.set('/garbled', (_, reply) => reply.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip at all'))
    for (const path of ['/broken', '/garbled'])
      await expect.soft((await get(path)).bytes(), path).rejects.toMatchObject({ type: 'address_unreachable' })
    await expect(
      safeFetch('http://site.example:1025/', { maxBytes: 10, ...outside, resolve: async () => ['127.0.0.1'] }),
    ).rejects.toMatchObject({ type: 'address_unreachable' })
    await expect(get('/', { resolve: () => Promise.reject(new Error('no such name')) })).rejects.toMatchObject({
      type: 'address_unreachable',
    })
  })

  test('what nobody reads any further is not fetched any further', async () => {
    let closed = false
    answers.set('/left', (_, reply) => {
      reply.on('close', () => {
        closed = true
      })
      reply.write(Buffer.alloc(1000))
    })
    const { body } = await get('/left')
    body.destroy()
    await expect.poll(() => closed).toBe(true)
  })
})
