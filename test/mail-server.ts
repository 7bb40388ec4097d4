import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer } from 'smtp-server'
import { until } from './sign-in.ts'

export interface MailServer {
  url: string
  /** Waits for a letter and takes it out of the box. */
  letterTo(address: string, subject?: RegExp): Promise<Email>
  boxOf(address: string): Email[]
  close(): Promise<void>
}

/** A real SMTP server that keeps what it gets. */
export async function openMailServer(): Promise<MailServer> {
  let letters: Email[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, _, done) {
      const chunks: Uint8Array[] = []
      stream.on('data', (chunk: Uint8Array) => chunks.push(chunk))
      stream.on(
        'end',
        () => void PostalMime.parse(Buffer.concat(chunks)).then((letter) => (letters.push(letter), done())),
      )
    },
  })
  const port = await new Promise<number>((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve((listening.address() as { port: number }).port))
  })
  const boxOf = (address: string) => letters.filter((letter) => letter.to?.[0]?.address === address)
  return {
    url: `smtp://127.0.0.1:${port}`,
    boxOf,
    letterTo: (address, subject) =>
      until(async () => {
        const found = boxOf(address).find((letter) => !subject || subject.test(letter.subject ?? ''))
        letters = letters.filter((letter) => letter !== found)
        return found
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

export const tokenIn = (letter: Email): string => /#token=([\w-]+)/.exec(letter.text ?? '')?.[1] ?? 'none'
