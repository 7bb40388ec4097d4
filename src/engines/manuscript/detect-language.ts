import type { FlowBlock } from './flow.ts'

/** Detects from prose in the middle of the book, where no title page or licence in another language stands. */
export async function detectLanguage(blocks: FlowBlock[]): Promise<string> {
  const prose = blocks.filter(
    ({ kind, text, role }) => !role && (kind === 'paragraph' || kind === 'quotation') && text.length > 60,
  )
  const chosen = prose.length > 4 ? prose : blocks.filter(({ role, text }) => !role && text)
  const middle = Math.max(0, Math.floor(chosen.length / 2) - 20)
  const sample = chosen
    .slice(middle, middle + 40)
    .map(({ text }) => text)
    .join('\n')
    .slice(0, 6_000)
  const { detect } = await import('tinyld')
  return detect(sample) || 'en'
}
