import fc from 'fast-check'
import PostalMime, { type Email } from 'postal-mime'
import { expect, test } from 'vitest'
import type { Letter, Mail } from './mail.ts'

export const sender = { address: 'voicepress@example.com', name: 'Voicepress' }

export interface MailUnderTest {
  mail: Mail
  /** What has arrived since the last call, as it went over the wire. */
  received(): Promise<{ raw: Uint8Array; recipients?: string[] }[]>
}

const letter: Letter = {
  to: { address: 'ada@example.org', name: 'Ada, "Countess" of Lovelace' },
  subject: 'Dein Hörbuch ist fertig — ¡ya está!',
  text: 'Plain.\nA line that begins with a dot:\n.hidden\n',
  html: '<p>Fancy &amp; plain.</p>',
  unsubscribe: 'https://voicepress.example/v1/mail/unsubscribe?token=abc.def',
}

/** What every way of sending mail does alike. */
export function mailContract(open: () => MailUnderTest): void {
  const parse = async ({ raw }: { raw: Uint8Array }): Promise<Email> => PostalMime.parse(raw as Uint8Array<ArrayBuffer>)
  const header = (email: Email, name: string) =>
    email.headers.filter(({ key }) => key === name).map(({ value }) => value)

  test('sends text and HTML, names and subjects in any script, and one click to end it', async () => {
    const { mail, received } = open()
    const { id } = await mail.send(letter)
    const [arrived] = await received()
    const email = await parse(arrived!)
    expect(email.from).toMatchObject({ address: sender.address, name: sender.name })
    expect(email.to).toMatchObject([{ address: letter.to.address, name: letter.to.name }])
    expect(email).toMatchObject({ subject: letter.subject, messageId: id })
    expect(email.text?.replaceAll('\r\n', '\n').trimEnd()).toBe(letter.text.trimEnd())
    expect(email.html?.trim()).toBe(letter.html)
    expect(header(email, 'list-unsubscribe')).toEqual([`<${letter.unsubscribe}>`])
    expect(header(email, 'list-unsubscribe-post')).toEqual(['List-Unsubscribe=One-Click'])
    expect(header(email, 'auto-submitted')).toEqual(['auto-generated'])
  })

  test('a letter that nobody can do without has no way to end it', async () => {
    const { mail, received } = open()
    await mail.send({ ...letter, unsubscribe: undefined })
    const [arrived] = await received()
    expect(header(await parse(arrived!), 'list-unsubscribe')).toEqual([])
  })

  test('no text in a header begins another header, another recipient or the body', async () => {
    const { mail, received } = open()
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom(
        'a\r\nBcc: eve@evil.example',
        'a\nX-Evil: 1',
        'a\r\n\r\nbody',
        '"<eve@evil.example>, b',
        'x\u2028Bcc: eve@evil.example',
        '=?utf-8?q?a=0D=0ABcc:_eve@evil.example?=',
      ),
    )
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (subject, name, fromName) => {
        const sent = await mail.send({ ...letter, subject, fromName, to: { ...letter.to, name } }).then(
          () => true,
          (error) => {
            expect(error).toMatchObject({ name: 'Problem', type: 'invalid_letter' })
            return false
          },
        )
        const arrived = await received()
        expect(arrived).toHaveLength(sent ? 1 : 0)
        for (const one of arrived) {
          const email = await parse(one)
          expect(email.to?.map(({ address }) => address)).toEqual([letter.to.address])
          expect(email.headers.filter(({ key }) => /^(bcc|cc|x-evil)$/.test(key))).toEqual([])
          expect(email.from?.address).toBe(sender.address)
          if (one.recipients) expect(one.recipients).toEqual([letter.to.address])
        }
      }),
      { numRuns: 40 },
    )
  })

  test('an address is one address', async () => {
    const { mail, received } = open()
    for (const address of [
      'a@b.example, eve@evil.example',
      'a@b.example\r\nRCPT TO:<eve@evil.example>',
      '<a@b.example>',
      'a@b.example eve@evil.example',
      'nobody',
      '@b.example',
      'a@b@c.example',
    ])
      await expect(mail.send({ ...letter, to: { address } })).rejects.toMatchObject({ type: 'invalid_letter' })
    expect(await received()).toEqual([])
  })
}
