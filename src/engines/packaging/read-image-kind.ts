export interface ImageKind {
  mediaType: 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp' | 'image/svg+xml'
  extension: 'jpg' | 'png' | 'gif' | 'webp' | 'svg'
  /** Pixels; null where the format gives none at its start. */
  width: number | null
  height: number | null
}

/** What kind of image the bytes are, by their own signature; null when none of those that e-books and players take. */
export function readImageKind(bytes: Uint8Array): ImageKind | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length > 24 && view.readUInt32BE(0) === 0x89504e47)
    return { mediaType: 'image/png', extension: 'png', width: view.readUInt32BE(16), height: view.readUInt32BE(20) }
  if (view.length > 10 && view.toString('latin1', 0, 4) === 'GIF8')
    return { mediaType: 'image/gif', extension: 'gif', width: view.readUInt16LE(6), height: view.readUInt16LE(8) }
  if (view.length > 4 && view.readUInt16BE(0) === 0xffd8)
    return { mediaType: 'image/jpeg', extension: 'jpg', ...sizeOfJpeg(view) }
  if (view.toString('latin1', 0, 4) === 'RIFF' && view.toString('latin1', 8, 12) === 'WEBP')
    return { mediaType: 'image/webp', extension: 'webp', width: null, height: null }
  if (/^\uFEFF?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]/s.test(view.toString('utf8', 0, 4096)))
    return { mediaType: 'image/svg+xml', extension: 'svg', width: null, height: null }
  return null
}

/** ITU-T T.81 annex B: segments until a start of frame (SOF0–SOF15 but DHT, JPG and DAC), which holds height and width. */
function sizeOfJpeg(view: Buffer): { width: number | null; height: number | null } {
  let at = 2
  while (at + 9 < view.length && view[at] === 0xff) {
    const marker = view[at + 1] ?? 0
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { height: view.readUInt16BE(at + 5), width: view.readUInt16BE(at + 7) }
    at += 2 + view.readUInt16BE(at + 2)
  }
  return { width: null, height: null }
}
