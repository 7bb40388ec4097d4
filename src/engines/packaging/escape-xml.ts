// All but XML 1.0 section 2.2, production [2] Char.
const illegal = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;' }

/** Text for element content and double-quoted attributes of XML 1.0; what XML can't carry is dropped. */
export const escapeXml = (text: string): string =>
  text.replace(illegal, '').replace(/[&<>"\r]/g, (character) => entities[character] ?? '')
