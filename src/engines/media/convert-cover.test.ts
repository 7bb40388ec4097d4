import sharp from 'sharp'
import { expect, test } from 'vitest'
import { convertCover } from './convert-cover.ts'

const svg = (width: number) =>
  new TextEncoder().encode(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} 60" width="${width}" height="60"><rect width="${width}" height="60" fill="teal"/></svg>`,
  )

test('a drawing becomes a JPEG, and so does WebP', async () => {
  const drawn = await convertCover({ mediaType: 'image/svg+xml', bytes: svg(40) })
  expect(drawn).toMatchObject({ mediaType: 'image/jpeg' })
  expect(await sharp(drawn?.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 40, height: 60 })
  const webp = await sharp(svg(40)).webp().toBuffer()
  expect(await convertCover({ mediaType: 'image/webp', bytes: webp })).toMatchObject({ mediaType: 'image/jpeg' })
})

test('a JPEG or PNG stays as it is', async () => {
  const png = new Uint8Array(await sharp(svg(40)).png().toBuffer())
  expect(await convertCover({ mediaType: 'image/jpeg', bytes: png })).toEqual({ mediaType: 'image/png', bytes: png })
})

test('what is no image, or unfolds to gigapixels, gives none', async () => {
  expect(await convertCover({ mediaType: 'image/gif', bytes: new Uint8Array(100) })).toBeNull()
  expect(await convertCover({ mediaType: 'image/svg+xml', bytes: svg(3_000_000) })).toBeNull()
})
