import { deriveKey, readSigned, sign } from '../../kit/seal.ts'
import { type MailKind, mailKinds } from './mail-preferences.table.ts'

export interface Unsubscribing {
  tenant: string
  user: string
  kind: MailKind
}

const keyOf = (secret: string): Buffer => deriveKey(secret, 'unsubscribe links')

/** Works for as long as the letter lies in its box, and says nothing but whose letters of which kind. */
export const unsubscribeToken = (secret: string, { tenant, user, kind }: Unsubscribing): string =>
  sign(keyOf(secret), `${tenant} ${user} ${kind}`)

export function readUnsubscribeToken(secret: string, token: string): Unsubscribing | null {
  const [tenant, user, kind] = readSigned(keyOf(secret), token)?.split(' ') ?? []
  return tenant && user && mailKinds.includes(kind as MailKind) ? { tenant, user, kind: kind as MailKind } : null
}
