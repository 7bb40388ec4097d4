import { Problem } from '../../kit/errors.ts'
import type { Letter } from './mail.ts'

const control = /[\p{Cc}\u2028\u2029]/u
/** One address and nothing around it: no display name, no list, no route (RFC 5321, 4.1.2, without quoted local parts). */
const oneAddress = /^[^\s@<>()[\]\\,;:"]{1,64}@[^\s@<>()[\]\\,;:"]{1,255}$/
const longestHeader = 998

const refuse = (field: string, why: string): never => {
  throw new Problem(400, 'invalid_letter', `${field}: ${why}`, { field })
}

/** A line break in a header begins another one: a letter with one is refused and never mended. */
export function checkLetter({ to, fromName, subject, unsubscribe }: Letter): void {
  for (const [field, value] of Object.entries({
    'to.address': to.address,
    'to.name': to.name ?? '',
    fromName: fromName ?? '',
    subject,
    unsubscribe: unsubscribe ?? '',
  })) {
    if (control.test(value)) refuse(field, 'must not contain control characters')
    if (value.length > longestHeader) refuse(field, `at most ${longestHeader} characters`)
  }
  if (!oneAddress.test(to.address)) refuse('to.address', 'must be one address')
  if (unsubscribe !== undefined && (!/^https?:\/\//.test(unsubscribe) || /[<>,\s]/.test(unsubscribe)))
    refuse('unsubscribe', 'must be an http address')
}
