import type { Sender } from './compose-message.ts'
import { openMailFolder } from './folder.ts'
import type { Mail } from './mail.ts'
import { openSmtp } from './smtp.ts'

export interface MailConfig {
  /** Of an SMTP server; letters go to the folder without one. */
  url?: string
  folder: string
  sender: Sender
}

export const openMail = ({ url, folder, sender }: MailConfig): Mail =>
  url ? openSmtp({ url, sender }) : openMailFolder({ folder, sender })
