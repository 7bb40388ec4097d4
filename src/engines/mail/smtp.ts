import nodemailer from 'nodemailer'
import { Problem } from '../../kit/errors.ts'
import { type Sender, composeMessage } from './compose-message.ts'
import type { Mail } from './mail.ts'

export interface SmtpOptions {
  /**
   * smtp://user:password@host:587 or smtps://…:465. Without TLS nothing is sent to another machine; `?tls=optional` takes it when it is
   * offered, and `?tls=insecure` takes any certificate.
   */
  url: string
  sender: Sender
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

export function openSmtp({ url, sender }: SmtpOptions): Mail {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url)
  const secure = protocol === 'smtps:'
  const tls = searchParams.get('tls')
  const transport = nodemailer.createTransport({
    pool: true,
    maxConnections: 2,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port ? Number(port) : secure ? 465 : 587,
    secure,
    requireTLS: !secure && tls !== 'optional' && !loopback.test(hostname),
    tls: { rejectUnauthorized: tls !== 'insecure' },
    ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: 15_000,
    greetingTimeout: 15_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send(letter) {
      const message = composeMessage(letter, sender)
      try {
        await transport.sendMail(message)
      } catch (error) {
        const { responseCode, message: reason } = error as { responseCode?: number; message: string }
        // 5xx is final (RFC 5321, 4.2.1): trying again would change nothing.
        if (responseCode !== undefined && responseCode >= 500)
          throw new Problem(502, 'mail_refused', `The mail server refused the letter: ${reason}`)
        throw error
      }
      return { id: message.messageId }
    },
    close: async () => transport.close(),
  }
}
