import { randomUUID } from 'node:crypto'
import type { SendMailOptions } from 'nodemailer'
import { checkLetter } from './check-letter.ts'
import type { Letter } from './mail.ts'

export interface Sender {
  address: string
  name: string
}

/** A letter as nodemailer takes it. Throws `Problem` 400 invalid_letter. */
export function composeMessage(letter: Letter, sender: Sender): SendMailOptions & { messageId: string } {
  checkLetter(letter)
  const { to, fromName = sender.name, subject, text, html, unsubscribe } = letter
  return {
    from: { name: fromName, address: sender.address },
    to: { name: to.name ?? '', address: to.address },
    subject,
    text,
    html,
    messageId: `<${randomUUID()}@${sender.address.split('@')[1]}>`,
    // Keeps holiday replies from answering (RFC 3834, 5).
    headers: {
      'Auto-Submitted': 'auto-generated',
      ...(unsubscribe && {
        'List-Unsubscribe': { prepared: true, value: `<${unsubscribe}>` },
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      }),
    },
    // Our letters carry no files: nothing in one may make us read or fetch any.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}
