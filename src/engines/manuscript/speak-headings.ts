import { readRoman } from './classify-heading.ts'
import type { Block, Section } from './manuscript.ts'

/**
 * A section's blocks, with what is said for a leading heading that is only a number: 'VII' is printed, 'Chapter 7' is said, as the
 * section's title has it. ACX wants every section's header read aloud.
 */
export function speakHeadings({ title, blocks }: Pick<Section, 'title' | 'blocks'>): Block[] {
  const body = blocks.findIndex((block) => block.kind !== 'heading')
  const [name = ''] = title.split('. ')
  return blocks.map((block, index) => {
    const isLeading = block.kind === 'heading' && (body < 0 || index < body)
    if (!isLeading || !isNumber(block.text) || name === block.text || isNumber(name)) return block
    return { ...block, marks: [...block.marks, { start: 0, end: block.text.length, kind: 'alias', alias: name }] }
  })
}

const isNumber = (text: string): boolean => {
  const bare = text.trim().replace(/\.$/, '')
  return /^\d{1,4}$/.test(bare) || readRoman(bare) !== undefined
}
