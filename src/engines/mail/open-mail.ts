import type { Sender } from './compose-message.ts'
import type { Mail } from './mail.ts'

export interface MailConfig {
  /** Of an SMTP server; letters go to the folder without one. */
  url?: string
  folder: string
  sender: Sender
}

/** What sends is loaded with the first letter: most commands send none. */
export function openMail({ url, folder, sender }: MailConfig): Mail {
  let opened: Promise<Mail> | undefined
  const open = async (): Promise<Mail> =>
    url
      ? (await import('./smtp.ts')).openSmtp({ url, sender })
      : (await import('./folder.ts')).openMailFolder({ folder, sender })
  return {
    send: async (letter) => (await (opened ??= open())).send(letter),
    close: async () => (await opened)?.close(),
  }
}
