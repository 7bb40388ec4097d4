import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import nodemailer from 'nodemailer'
import { type Sender, composeMessage } from './compose-message.ts'
import type { Mail } from './mail.ts'

/** Writes each letter to a folder as an .eml file that any mail program opens, the oldest first by name. */
export function openMailFolder({ folder, sender }: { folder: string; sender: Sender }): Mail {
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  return {
    async send(letter) {
      const composed = composeMessage(letter, sender)
      const { message } = await transport.sendMail(composed)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, `${new Date().toISOString().replaceAll(':', '-')}-${randomUUID().slice(0, 8)}`)
      // What lies there may sign somebody in.
      await writeFile(`${path}.part`, message as Buffer, { mode: 0o600 })
      await rename(`${path}.part`, `${path}.eml`)
      return { id: composed.messageId }
    },
    close: async () => {},
  }
}
