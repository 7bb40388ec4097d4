import { getDocumentProxy } from 'unpdf'

/** A run of characters of one font on one baseline; units are points, y counts upwards from the page's foot. */
export interface PdfItem {
  text: string
  x: number
  y: number
  width: number
  height: number
  font: string
}

export interface PdfPage {
  width: number
  height: number
  items: PdfItem[]
}

export interface PdfOutlineEntry {
  title: string
  page?: number
  /** Upper edge of the place, in points from the foot; absent when only the page is named. */
  top?: number
  children: PdfOutlineEntry[]
}

export interface PdfContent {
  pages: PdfPage[]
  outline: PdfOutlineEntry[]
  info: Record<string, string>
  language?: string
}

const maxPages = 5_000
const maxItems = 4_000_000

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>

/** Takes the text and its places out of a PDF. Throws what pdf.js throws; `PasswordException` among it. */
export async function extractPages(bytes: Uint8Array): Promise<PdfContent> {
  const pdf = await getDocumentProxy(bytes, {
    verbosity: 0,
    useSystemFonts: false,
    disableFontFace: true,
  })
  if (pdf.numPages > maxPages) throw new RangeError(`it has ${pdf.numPages} pages; at most ${maxPages} are read`)
  const pages: PdfPage[] = []
  let count = 0
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number)
    const [left = 0, bottom = 0, right = 0, top = 0] = page.view
    const { items } = await page.getTextContent()
    const read: PdfItem[] = []
    for (const item of items) {
      if (!('str' in item) || item.str === '') continue
      const [a = 0, b = 0, , , x = 0, y = 0] = item.transform as number[]
      // Text set sideways is a watermark, a stamp or a table's edge.
      if (Math.abs(b) > Math.abs(a) && item.str.trim().length > 1) continue
      read.push({
        text: item.str,
        x: x - left,
        y: y - bottom,
        width: item.width,
        height: item.height || Math.abs(a),
        font: item.fontName,
      })
    }
    count += read.length
    if (count > maxItems) throw new RangeError('it holds too many pieces of text')
    pages.push({ width: right - left, height: top - bottom, items: read })
    page.cleanup()
  }
  const { info, metadata } = await pdf.getMetadata().catch(() => ({ info: {}, metadata: undefined }))
  const strings = Object.fromEntries(
    Object.entries(info as Record<string, unknown>).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  )
  const outline = await readOutline(pdf).catch(() => [])
  const language =
    strings['Language'] || (metadata as { get?(name: string): unknown } | undefined)?.get?.('dc:language')
  await pdf.loadingTask.destroy()
  return { pages, outline, info: strings, language: typeof language === 'string' ? language : undefined }
}

interface RawOutline {
  title: string
  dest: string | unknown[] | null
  items: RawOutline[]
}

async function readOutline(pdf: PdfDocument): Promise<PdfOutlineEntry[]> {
  let left = 3_000
  const visit = async (entries: RawOutline[], depth: number): Promise<PdfOutlineEntry[]> => {
    const result: PdfOutlineEntry[] = []
    for (const { title, dest, items } of entries) {
      if (depth > 8 || left-- <= 0) break
      const explicit = typeof dest === 'string' ? await pdf.getDestination(dest).catch(() => null) : dest
      const target = explicit?.[0]
      const page =
        typeof target === 'number'
          ? target
          : target
            ? await pdf.getPageIndex(target as { num: number; gen: number }).catch(() => undefined)
            : undefined
      const kind = (explicit?.[1] as { name?: string } | undefined)?.name
      const top = kind === 'XYZ' ? explicit?.[3] : kind === 'FitH' || kind === 'FitBH' ? explicit?.[2] : undefined
      result.push({
        title: title.replace(/\s+/g, ' ').trim(),
        page,
        top: typeof top === 'number' ? top : undefined,
        children: await visit(items, depth + 1),
      })
    }
    return result
  }
  return visit(((await pdf.getOutline()) ?? []) as RawOutline[], 0)
}
