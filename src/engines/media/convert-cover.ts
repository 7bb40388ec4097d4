import sharp from 'sharp'
import { coverKind } from './m4b-tags.ts'

export interface CoverImage {
  mediaType: string
  bytes: Uint8Array
}

/** Longer side in pixels; shops ask for 2,400 at least and players show less. */
const longest = 2400
/** Pixels of the original, so that a small file can't unfold to gigabytes. */
const limitInputPixels = 100_000_000
const tooLarge = 4 * 1024 * 1024

/** A cover as every player shows it: JPEG or PNG as it is, anything else (SVG, WebP, GIF, AVIF) as JPEG. null when it is no image that can be read. */
export async function convertCover({ bytes }: CoverImage): Promise<CoverImage | null> {
  const kind = coverKind(bytes)
  if (kind && bytes.length <= tooLarge) return { mediaType: kind, bytes }
  try {
    const jpeg = await sharp(bytes, { limitInputPixels, failOn: 'error' })
      .resize({ width: longest, height: longest, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality: 88 })
      .toBuffer()
    return { mediaType: 'image/jpeg', bytes: jpeg }
  } catch {
    return null
  }
}
