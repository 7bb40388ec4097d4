import { speakable } from './spoken-runs.ts'

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
}

/** Character data of XML 1.0; what XML can't hold becomes a space. */
export const xmlText = (text: string): string => speakable(text).replace(/[&<>]/g, (character) => ENTITIES[character]!)

/** An attribute's value for double quotes. */
export const xmlAttribute = (text: string): string =>
  speakable(text).replace(/[&<>"\t\n]/g, (character) => ENTITIES[character]!)
