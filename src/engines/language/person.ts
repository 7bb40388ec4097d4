import type { Gender } from './cast.ts'

/** Somebody who may speak: a cluster of written names, or an unnamed figure ('the landlady'). */
export interface Person {
  name: string
  /** Every written form, most frequent first. */
  aliases: string[]
  /** `title|words` as in `NameForm`, each leading here. */
  keys: string[]
  gender: Gender | null
  /** Head nouns of descriptions: 'landlady'. Who has these and no keys goes unnamed. */
  nouns: string[]
  /** The 'I' of the narration. */
  narrator: boolean
  count: number
  /** Gendered evidence: title, given name, pronouns nearby; −1 female to 1 male. */
  maleness: number
}
