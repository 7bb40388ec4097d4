import type { NameForm } from './find-names.ts'
import { givenNameGender, sameGivenName } from './given-names.ts'
import { honorific } from './honorifics.ts'
import type { Gender } from './cast.ts'

/** Names that are one person's. */
export interface Cluster {
  forms: NameForm[]
  given: string | null
  surname: string | null
  gender: Gender | null
  /** Known by a married woman's title, so never the daughter. */
  married: boolean
  count: number
}

/** Spellings of one title have one key: 'Doctor Watson', 'Dr. Watson'. */
export const formKey = (form: { title: string; words: string[] }): string =>
  `${sameTitle(form.title)}|${form.words.join(' ')}`

const MARRIED = new Set(['mrs', 'missus', 'mme', 'madame', 'frau', 'señora', 'sra', 'lady', 'countess', 'signora'])
const CIVIL = new Set(['mr', 'mister', 'mrs', 'miss', 'ms', 'monsieur', 'señor', 'sr'])
/** Nobody calls Lady Catherine Kitty. */
const NOBLE = new Set(['lady', 'lord', 'sir', 'count', 'countess', 'duke', 'duchess', 'king', 'queen'])
const SAME_TITLE: Record<string, string> = {
  mister: 'mr',
  missus: 'mrs',
  doctor: 'dr',
  professor: 'prof',
  reverend: 'rev',
  capt: 'captain',
  col: 'colonel',
  madame: 'mme',
  mademoiselle: 'mlle',
  señor: 'sr',
  señora: 'sra',
  señorita: 'srta',
  auntie: 'aunt',
}
export const sameTitle = (title: string): string => SAME_TITLE[title] ?? title

/** How often two forms stand in one paragraph: two people do, one person's names seldom. */
export type Together = (a: string, b: string) => number

/**
 * Gathers forms into people. Full names are anchors; given names, nicknames, titles with a surname and bare surnames join the
 * anchor they fit, unless sex, marriage or standing side by side in the text tells them apart.
 */
export function clusterNames(all: NameForm[], together: Together): Cluster[] {
  const clusters: Cluster[] = []
  const forms = all.filter((form) => !isFamily(form, all))
  const byCount = forms.toSorted((a, b) => b.count - a.count)
  const surnames = new Set(forms.filter((form) => form.words.length > 1).map((form) => form.words.at(-1) as string))
  for (const form of forms)
    if (form.words.length === 1 && honorific(form.title)?.surname && !givenNameGender(form.words[0] as string))
      surnames.add(form.words[0] as string)

  const full = byCount.filter((form) => form.words.length > 1)
  const titledGiven = byCount.filter((form) => form.words.length === 1 && form.title !== '' && isGiven(form, surnames))
  const single = byCount.filter((form) => form.words.length === 1 && form.title === '')
  const titledSurname = byCount.filter(
    (form) => form.words.length === 1 && form.title !== '' && !isGiven(form, surnames),
  )
  for (const form of full)
    add(
      clusters,
      form,
      clusters.filter((cluster) => sameFullName(cluster, form)),
      together,
      true,
    )
  const ranks = single.filter((one) => honorific(one.words[0] as string) && one.articled > one.count / 2)
  for (const form of single.filter((one) => !surnames.has(one.words[0] as string) && !ranks.includes(one))) {
    const fits = clusters.filter((cluster) => givenMatches(cluster, form))
    add(clusters, form, fits, together, false)
  }
  for (const form of titledGiven) {
    const fits = clusters.filter((cluster) => givenMatches(cluster, form))
    const peers = fits.filter((cluster) => cluster.forms.some((one) => one.title === form.title))
    add(clusters, form, NOBLE.has(form.title) ? peers : fits, together, false)
  }
  for (const form of titledSurname) add(clusters, form, surnameMatches(clusters, form), together, false)
  for (const form of single.filter((one) => surnames.has(one.words[0] as string))) {
    const word = form.words[0] as string
    const fits = clusters.filter((cluster) => cluster.surname === word || cluster.given === word)
    const certain = fits.filter((cluster) => cluster.gender === 'male')
    const men = certain.length > 0 ? certain : fits.filter((cluster) => cluster.gender !== 'female')
    add(clusters, form, givenNameGender(word) === null && men.length > 0 ? men : fits, together, false)
  }
  // 'The Admiral' is the admiral there is.
  for (const form of ranks.filter((one) => !surnames.has(one.words[0] as string))) {
    const title = sameTitle(form.words[0] as string)
    add(
      clusters,
      form,
      clusters.filter((cluster) => cluster.forms.some((one) => sameTitle(one.title) === title)),
      together,
      false,
    )
  }
  return clusters
}

/** 'The Bennets', 'Miss Steeles': more than one. */
function isFamily({ words, title, articled, count }: NameForm, all: NameForm[]): boolean {
  const last = words.at(-1) as string
  if (!last.endsWith('s') || !(articled > count / 2 || title === 'miss')) return false
  const stems = [last.slice(0, -1), ...(last.endsWith('es') ? [last.slice(0, -2)] : [])]
  return all.some((other) => stems.includes(other.words.at(-1) as string))
}

/** 'Sir Walter', 'Aunt Polly', 'Miss Daisy': the word after the title is a given name. */
function isGiven(form: NameForm, surnames: Set<string>): boolean {
  const word = form.words[0] as string
  const title = honorific(form.title)
  return title !== undefined && (!title.surname || (givenNameGender(word) !== null && !surnames.has(word)))
}

export function formGender(form: Pick<NameForm, 'title' | 'words' | 'he' | 'she'>): Gender | null {
  const title = form.title ? honorific(form.title)?.gender : null
  if (title) return title
  const first = form.words[0] as string
  const named = form.words.length > 1 || form.title === '' ? givenNameGender(first) : null
  if (named) return named
  if (form.he >= 2 * form.she + 3) return 'male'
  return form.she >= 2 * form.he + 3 ? 'female' : null
}

function add(clusters: Cluster[], form: NameForm, fits: Cluster[], together: Together, isFull: boolean): void {
  const gender = formGender(form)
  const home = fits
    .filter((cluster) => !gender || !cluster.gender || gender === cluster.gender)
    .filter((cluster) => isFull || !apart(cluster, form, together))
    .toSorted((a, b) => b.count - a.count)[0]
  const words = form.words
  const titled = form.title !== '' && honorific(form.title)?.surname === true
  const given = words.length > 1 || !titled ? (words[0] as string) : null
  const surname = words.length > 1 ? (words.at(-1) as string) : titled ? (words[0] as string) : null
  const married = MARRIED.has(form.title)
  if (!home) {
    clusters.push({ forms: [form], given, surname, gender, married, count: form.count })
    return
  }
  home.forms.push(form)
  home.count += form.count
  home.gender ??= gender
  home.married ||= married
  if (words.length > 1) {
    home.given ??= given
    home.surname ??= surname
  }
}

function sameFullName(cluster: Cluster, form: NameForm): boolean {
  if (cluster.surname !== form.words.at(-1)) return false
  const husband = (one: { married: boolean; given: string | null }): boolean =>
    one.married && one.given !== null && givenNameGender(one.given) === 'male'
  const given = form.words[0] as string
  if (husband(cluster) !== husband({ married: MARRIED.has(form.title), given })) return false
  return cluster.given !== null && sameGivenName(cluster.given, given)
}

function givenMatches(cluster: Cluster, form: NameForm): boolean {
  const word = form.words[0] as string
  if (cluster.given === null || (cluster.married && givenNameGender(cluster.given) === 'male')) return false
  if (cluster.given === word) return true
  return (
    cluster.surname !== null && !cluster.forms.some((one) => NOBLE.has(one.title)) && sameGivenName(cluster.given, word)
  )
}

function surnameMatches(clusters: Cluster[], form: NameForm): Cluster[] {
  const word = form.words[0] as string
  const named = clusters.filter((cluster) => cluster.surname === word)
  const title = sameTitle(form.title)
  const same = named.filter((cluster) => cluster.forms.some((one) => sameTitle(one.title) === title))
  if (MARRIED.has(form.title)) return same.filter((cluster) => cluster.married && !isElder(cluster, form))
  const open = named.filter((cluster) => !cluster.married)
  if (title === 'miss' || title === 'ms' || title === 'mlle' || title === 'srta') {
    // The eldest is 'Miss Bennet', her sisters 'Miss Eliza', 'Miss Mary'.
    const eldest = open.filter(
      (cluster) => !cluster.forms.some((one) => one.title === form.title && one.words[0] === cluster.given),
    )
    return eldest.length > 0 ? eldest : open
  }
  const others = open.filter(
    (cluster) => cluster.gender !== 'female' && !isElder(cluster, form) && !otherStation(cluster, form),
  )
  const certain = others.filter((cluster) => cluster.gender === 'male')
  const men = certain.length > 0 ? certain : others
  const ranked = men.filter((cluster) =>
    cluster.forms.every((one) => one.title === '' || CIVIL.has(one.title) || sameTitle(one.title) === title),
  )
  const namesakes = same.filter((cluster) => !isElder(cluster, form))
  if (namesakes.length > 0) {
    const bareTitle = namesakes.filter((cluster) =>
      cluster.forms.some((one) => one.words.length === 1 && sameTitle(one.title) === title),
    )
    return bareTitle.length > 0 ? bareTitle : namesakes
  }
  if (CIVIL.has(form.title))
    return men.length === 1
      ? men
      : men.filter((cluster) => cluster.count * 5 < form.count).length === men.length
        ? men
        : []
  return ranked.length === 1 ? ranked : []
}

/**
 * 'Mr. Knightley' long before any 'Mr. John Knightley' is another man; one who is brought in by his full name
 * ('Mr. Sherlock Holmes') is the same.
 */
function isElder(cluster: Cluster, form: NameForm): boolean {
  const titled = cluster.forms.filter((one) => one.words.length > 1 && sameTitle(one.title) === sameTitle(form.title))
  const plain = cluster.forms.filter((one) => one.title === '')
  const sum = (forms: NameForm[]): number => forms.reduce((total, one) => total + one.narrated, 0)
  if (sum(titled) < 5 || sum(plain) > 2 * sum(titled)) return false
  if (MARRIED.has(form.title) && sum(titled) >= 10 && form.narrated > sum(titled)) return true
  const first = Math.min(...titled.flatMap((one) => one.seen))
  return form.seen.filter((place) => place < first).length >= 8
}

/** Mr. Elliot is not Sir Walter Elliot, nor General Tilney the Mr. Tilney of the same page. */
function otherStation(cluster: Cluster, form: NameForm): boolean {
  if (CIVIL.has(form.title)) return cluster.forms.some((one) => NOBLE.has(one.title))
  const civil = cluster.forms.filter((one) => CIVIL.has(one.title)).reduce((sum, one) => sum + one.count, 0)
  return civil >= 5 && form.count >= 5
}

function apart(cluster: Cluster, form: NameForm, together: Together): boolean {
  if (form.words.length === 1 && form.title === '') return false
  return cluster.forms.some((other) => {
    if (other.words.length === 1 && other.title === '') return false
    if (other.title === form.title && (other.title === '' || other.words.some((word) => form.words.includes(word))))
      return false
    const least = Math.min(other.narrated, form.narrated)
    const both = together(formKey(other), formKey(form))
    return both >= 3 && both > 0.25 * least
  })
}
