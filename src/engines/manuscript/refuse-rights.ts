import { Problem } from '../../kit/errors.ts'
import { decodeText } from './decode-text.ts'
import { elements, findAll, find, parseXml } from './markup-tree.ts'
import type { Archive } from './open-archive.ts'

/** Obfuscation of embedded fonts (EPUB OCF 3.3, 4.4.4, and Adobe's older one) hides no text. */
const fontObfuscation = new Set(['http://www.idpf.org/2008/embedding', 'http://ns.adobe.com/pdf/enc#RC'])

/** @throws Problem `protected` when the parts of an EPUB are encrypted (OCF 3.3, 4.2.6.3.2). */
export async function refuseRights(archive: Archive): Promise<void> {
  const path = 'META-INF/encryption.xml'
  if (!archive.has(path)) return
  let encrypted
  try {
    encrypted = findAll(parseXml(decodeText(await archive.read(path)).text), 'EncryptedData')
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(
      422,
      'damaged_epub',
      'META-INF/encryption.xml of this EPUB cannot be read, so it may be protected.',
      {},
      { cause: error },
    )
  }
  const locked = encrypted.filter(
    (data) =>
      !fontObfuscation.has(
        elements(data).find(({ name }) => name === 'EncryptionMethod')?.attributes['Algorithm'] ?? '',
      ),
  )
  if (locked.length === 0) return
  const example = locked.map((data) => find(data, 'CipherReference')?.attributes['URI']).find(Boolean)
  throw new Problem(
    422,
    'protected',
    `This EPUB is protected by digital rights management: ${locked.length} of its parts are encrypted${example ? `, ${example} among them` : ''}. Only a file without protection can be read.`,
    { encrypted: locked.length },
  )
}
