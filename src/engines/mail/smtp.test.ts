import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mailContract, sender } from './mail-contract.ts'
import { openMail } from './open-mail.ts'
import type { Mail } from './mail.ts'

let arrived: { raw: Uint8Array; recipients: string[]; user: string | null; secure: boolean }[] = []
let refusing = false
let server: SMTPServer
let mail: Mail
let port: number

beforeAll(async () => {
  server = new SMTPServer({
    authOptional: true,
    logger: false,
    onAuth({ username, password }, _, done) {
      done(password === 'p@ss/word' ? null : new Error('wrong'), { user: username })
    },
    onData(stream, session, done) {
      const chunks: Uint8Array[] = []
      stream.on('data', (chunk: Uint8Array) => chunks.push(chunk))
      stream.on('end', () => {
        if (refusing) return done(Object.assign(new Error('no such mailbox'), { responseCode: 550 }))
        arrived.push({
          raw: Buffer.concat(chunks),
          recipients: session.envelope.rcptTo.map(({ address }) => address),
          user: session.user ? String(session.user) : null,
          secure: session.secure,
        })
        done()
      })
    },
  })
  server.on('error', () => {})
  port = await new Promise((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve((listening.address() as { port: number }).port))
  })
  mail = openMail({ url: `smtp://ada:p%40ss%2Fword@127.0.0.1:${port}?tls=insecure`, folder: '', sender })
})
afterAll(async () => {
  await mail.close()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

const take = async () => {
  const taken = arrived
  arrived = []
  return taken
}

mailContract(() => ({ mail, received: take }))

const letter = { to: { address: 'ada@example.org' }, subject: 'Hello', text: 'Hello.', html: '<p>Hello.</p>' }

test('signs in to the server, over TLS where it is offered', async () => {
  await mail.send(letter)
  expect(await take()).toMatchObject([{ user: 'ada', secure: true, recipients: ['ada@example.org'] }])
})

test('a certificate that nobody vouches for is not believed', async () => {
  const strict = openMail({ url: `smtp://127.0.0.1:${port}`, folder: '', sender })
  await expect(strict.send(letter)).rejects.toThrow(/certificate/)
  await strict.close()
})

test('a refusal for good is told as one, so that nobody tries again', async () => {
  refusing = true
  await expect(mail.send(letter)).rejects.toMatchObject({ type: 'mail_refused' })
  refusing = false
})

test('a server that is not there is an error that may pass', async () => {
  const nowhere = openMail({ url: 'smtp://127.0.0.1:9', folder: '', sender })
  await expect(nowhere.send(letter)).rejects.not.toMatchObject({ name: 'Problem' })
  await nowhere.close()
})
