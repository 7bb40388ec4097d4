import { Problem } from '../../kit/errors.ts'
import type { Theme } from './brand-fields.ts'

/** WCAG 2.2, relative luminance: sRGB made linear, weighted by how bright each primary looks. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** WCAG 2.2, contrast ratio: 1 to 21. */
export function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

/** Black or white, whichever reads better on the colour; one of them always has at least 4.5. */
export const readableOn = (colour: string): '#000000' | '#ffffff' =>
  contrast(colour, '#ffffff') >= contrast(colour, '#000000') ? '#ffffff' : '#000000'

interface Pair {
  fields: ['textColor' | 'primaryColor' | 'secondaryColor', 'backgroundColor']
  /** SC 1.4.3 for text, SC 1.4.11 for what a control is known by. */
  least: number
}
const pairs: Pair[] = [
  { fields: ['textColor', 'backgroundColor'], least: 4.5 },
  { fields: ['primaryColor', 'backgroundColor'], least: 3 },
]

/** The first pair of colours that cannot be told apart well enough; undefined when all can. */
export function findIllegible(
  theme: Required<Theme>,
): { fields: Pair['fields']; ratio: number; least: number } | undefined {
  for (const { fields, least } of pairs) {
    const ratio = contrast(theme[fields[0]], theme[fields[1]])
    if (ratio < least) return { fields, ratio, least }
  }
  return undefined
}

/** @throws Problem 400 low_contrast with `field`, `ratio` and `least` */
export function requireLegible(theme: Required<Theme>): void {
  const found = findIllegible(theme)
  if (!found) return
  const { fields, ratio, least } = found
  throw new Problem(
    400,
    'low_contrast',
    `theme.${fields[0]}: its contrast with ${fields[1]} is ${ratio.toFixed(2)}, and people need ${least} (WCAG 2.2)`,
    { field: `theme.${fields[0]}`, against: fields[1], ratio, least },
  )
}
