import { classifyHeading, type Heading } from './classify-heading.ts'
import { unitWords } from './section-words.ts'

const finish = (title: string): string =>
  title
    .replace(/\s+/g, ' ')
    .replace(/[\s.:;,—–-]+$/u, (end) => (/\.\.\.$|…$/.test(title) ? end : ''))
    .trim()

const chapterWord = (language: string): string => {
  const word = (unitWords[language.split('-')[0] ?? 'en'] ?? unitWords['en'])?.chapter[0] ?? 'chapter'
  return capitalise(word)
}

const capitalise = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

const smallWords = new Set(['the', 'and', 'el', 'la', 'le', 'der', 'die', 'das', 'o', 'a'])

function sentenceCase(words: string): string {
  if (words !== words.toUpperCase()) return words
  return words
    .toLowerCase()
    .split(/([\s-])/)
    .map((word) => (smallWords.has(word) ? word : capitalise(word)))
    .join('')
}

/** 'Chapter 7' for CHAPTER VII, Chapter Seven kept as it is: what a narrator says. */
function sayUnit(heading: Extract<Heading, { numeral: string }>, language: string): string {
  if (heading.is === 'numeral') return `${chapterWord(language)} ${heading.value}`
  const word = capitalise(sentenceCase(heading.word))
  if (!heading.numeral) return word
  const number =
    /^(\d+|[ivxlc]+)$/i.test(heading.numeral) && heading.value !== undefined && !/^(first|one)$/i.test(heading.numeral)
      ? String(heading.value)
      : sentenceCase(heading.numeral)
  return `${word} ${number}`
}

/** The headings of one section, as one line that is read aloud: "Chapter 7. The Storm". */
export function nameFromHeadings(headings: string[], language: string): string {
  const [first, ...others] = headings.filter((heading) => heading.trim())
  if (!first) return ''
  const heading = classifyHeading(first)
  const more = others.map(finish).filter((other) => other !== finish(first))
  if (heading.is === 'matter' || heading.is === 'other') return finish(heading.title)
  const said = sayUnit(heading, language)
  const title = finish(heading.title) || more.join('. ')
  return title && title.length < 400 ? `${said}. ${title}` : said
}

/** Chooses between what the text's own headings and the file's navigation say. */
export function nameSection(headings: string[], navigation: string | undefined, language: string): string {
  const own = nameFromHeadings(headings, language)
  if (!navigation) return own
  const listed = nameFromHeadings([navigation], language)
  if (!own) return listed
  const ownHeading = classifyHeading(headings[0] ?? '')
  const listedHeading = classifyHeading(navigation)
  // "190" in the text and "190 A Four-Leaved Clover" in the navigation, without a sign between them.
  if (ownHeading.is === 'numeral' && headings.length === 1 && navigation.startsWith(`${ownHeading.numeral} `))
    return nameFromHeadings([ownHeading.numeral, navigation.slice(ownHeading.numeral.length)], language)
  const untitled = ownHeading.is !== 'other' && ownHeading.is !== 'matter' && headings.length === 1 && !ownHeading.title
  const fuller = listedHeading.is !== 'other' && listedHeading.is !== 'matter' && listedHeading.title
  if (untitled && fuller) return listed
  // Headings set as pictures leave a bare rest; navigation that begins with the heading and a number says more.
  if (ownHeading.is === 'other' && fuller && listedHeading.title.toLowerCase().includes(own.toLowerCase()))
    return listed
  return own
}

/** A part keeps its numeral as printed: 'Volume II', 'Book the First. Sowing'. */
export function namePart(headings: string[]): string {
  const [first = '', ...others] = headings
  const heading = classifyHeading(first)
  if (heading.is !== 'part' && heading.is !== 'chapter') return finish([first, ...others].map(finish).join('. '))
  const roman = /^[ivxlc]+$/i.test(heading.numeral)
  const unit = [
    capitalise(sentenceCase(heading.word)),
    roman ? heading.numeral.toUpperCase() : sentenceCase(heading.numeral),
  ]
    .filter(Boolean)
    .join(' ')
  return [unit, finish(heading.title), ...others.map(finish)].filter(Boolean).join('. ')
}
