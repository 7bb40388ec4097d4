import { type Cluster, clusterNames, formGender, formKey } from './cluster-names.ts'
import { findNames, type NameForm, nameRuns } from './find-names.ts'
import { givenNameGender } from './given-names.ts'
import { honorific } from './honorifics.ts'
import type { Person } from './person.ts'
import type { Book } from './read-paragraphs.ts'

/** The named people of a book. */
export function gatherPeople(book: Book, isName: (word: string) => boolean): Person[] {
  const forms = findNames(book, isName)
  const clusters = clusterNames([...forms.values()], countTogether(book, isName))
  return clusters
    .filter(isPerson)
    .map(toPerson)
    .toSorted((a, b) => b.count - a.count)
}

function countTogether(book: Book, isName: (word: string) => boolean): (a: string, b: string) => number {
  const counts = new Map<string, number>()
  for (const paragraph of book.paragraphs) {
    const here = new Set<string>()
    for (const run of nameRuns(paragraph.tokens, isName)) {
      if (paragraph.tokens[run.from]?.quotation === -1) here.add(formKey(run))
    }
    if (here.size > 12) continue
    for (const a of here) for (const b of here) if (a < b) counts.set(`${a}\n${b}`, (counts.get(`${a}\n${b}`) ?? 0) + 1)
  }
  return (a, b) => counts.get(a < b ? `${a}\n${b}` : `${b}\n${a}`) ?? 0
}

/** Places, firms and nations are written like people; people are titled, spoken to, said to speak, or meant by he and she. */
function isPerson(cluster: Cluster): boolean {
  const sum = (of: (form: NameForm) => number): number => cluster.forms.reduce((total, form) => total + of(form), 0)
  const count = sum((form) => form.count)
  const placed = sum((form) => form.placed) / count
  const tagged = sum((form) => form.tagged)
  const vocative = sum((form) => form.vocative)
  if (tagged > 0 && placed < 0.5) return true
  if (cluster.forms.some((form) => form.title !== '')) return placed < 0.6
  if (cluster.gender !== null) return placed < 0.4
  if (placed > 0.15) return false
  if (vocative >= 2 && vocative / count > 0.05) return true
  return sum((form) => form.acting) >= Math.max(3, count * 0.15) && sum((form) => form.he + form.she) >= count * 0.3
}

function toPerson(cluster: Cluster): Person {
  const forms = cluster.forms.toSorted((a, b) => b.count - a.count)
  const aliases = [...new Set(forms.flatMap(written))]
  const evidence = genderEvidence(forms)
  return {
    name: displayName(forms),
    aliases,
    keys: forms.map(formKey),
    gender: evidence > 0.25 ? 'male' : evidence < -0.25 ? 'female' : null,
    nouns: [...new Set(forms.flatMap((form) => titleNoun(form.title)))],
    narrator: false,
    count: cluster.count,
    maleness: evidence,
  }
}

/** Whoever is Dr. Watson may be 'the doctor' too. */
export function titleNoun(title: string): string[] {
  const noun = { dr: 'doctor', capt: 'captain', col: 'colonel', prof: 'professor', doctora: 'médico' }[title] ?? title
  return RANKS.has(noun) ? [noun] : []
}
const RANKS = new Set(
  'doctor captain colonel major general admiral lieutenant sergeant inspector detective constable officer judge coroner professor count countess duke duchess baron prince princess king queen squire nurse capitán coronel comisario padre'.split(
    ' ',
  ),
)

function written(form: NameForm): string[] {
  const title = form.title ? `${honorific(form.title)?.shown ?? form.title} ` : ''
  const plain = `${title}${properCase(form.shown)}`
  return form.title === '' && form.articled > form.count / 2 ? [`The ${plain}`, plain] : [plain]
}

/**
 * The fullest name in real use. A given name and a surname that both stand alone make one, as 'Jake' and 'Mr. Barnes' do;
 * whoever is hardly ever called in full keeps the title: 'Mr. Darcy'.
 */
function displayName(forms: NameForm[]): string {
  const total = forms.reduce((sum, form) => sum + form.count, 0)
  const top = forms[0] as NameForm
  const full = forms.filter((form) => form.words.length > 1)
  const surname = full[0]?.shown.split(' ').slice(1).join(' ')
  if (top.words.length === 1 && top.title === '' && surname && top.words[0] !== full[0]?.words.at(-1)) {
    return `${properCase(top.shown)} ${properCase(surname)}`
  }
  const worth = (form: NameForm): number => {
    const used = form.count >= Math.max(2, total / 300) || form === top ? 100 : 0
    const civil = form.words.length > 1 && /^(?:mr|miss|ms|master)$/u.test(form.title)
    return (
      used +
      Math.min(form.words.length, 3) * 10 +
      (form.title && form.words.length === 1 ? 6 : 0) -
      (civil ? 2 : 0) +
      form.count / total
    )
  }
  return written(forms.toSorted((a, b) => worth(b) - worth(a))[0] as NameForm)[0] as string
}

const properCase = (name: string): string =>
  name.replace(/\p{Lu}{3,}/gu, (word) => `${word[0]}${word.slice(1).toLowerCase()}`)

function genderEvidence(forms: NameForm[]): number {
  let score = 0
  for (const form of forms) {
    const title = form.title ? honorific(form.title)?.gender : null
    if (title) score += (title === 'male' ? 1 : -1) * Math.min(6, 2 + form.count)
    const named = form.words.length > 1 || form.title === '' ? givenNameGender(form.words[0] as string) : null
    if (named && !title) score += (named === 'male' ? 1 : -1) * 2
    else if (formGender(form) === null) score += 0
  }
  const he = forms.reduce((sum, form) => sum + form.he, 0)
  const she = forms.reduce((sum, form) => sum + form.she, 0)
  const pronouns = ((he - she) / (he + she + 3)) * Math.min(6, (he + she) / 2)
  return Math.tanh((score + pronouns) / 2)
}
