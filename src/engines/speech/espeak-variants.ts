import type { AgeRange, Gender } from '../language/cast.ts'

/** A way of speaking any language: formants, pitch and breath of one speaker. */
export interface EspeakVariant {
  /** File below `voices/!v/`; '' is the language's own voice. */
  file: string
  name: string
  gender: Gender
  age: AgeRange
  /** See `Voice.castRank`. */
  castRank: number | null
}

const row = (file: string, name: string, gender: Gender, age: AgeRange, castRank: number | null): EspeakVariant => ({
  file,
  name,
  gender,
  age,
  castRank,
})

/**
 * Gender and age are the variant's own where its file tells, and otherwise judged by its median pitch on one English sentence (male 75–130 Hz,
 * female 170–260 Hz). Ranks put voices first that don't clip and lie apart in pitch and brightness, and m7 before all, which takes half the time of f3; whispers, robots and clipping ones are for a
 * person to choose.
 */
export const ESPEAK_VARIANTS: EspeakVariant[] = [
  row('', '', 'male', 'adult', 12),
  row('f1', 'Female 1', 'female', 'elderly', 20),
  row('f2', 'Female 2', 'female', 'adult', 14),
  row('f3', 'Female 3', 'female', 'adult', 10),
  row('f4', 'Female 4', 'female', 'adult', 16),
  row('f5', 'Female 5', 'female', 'young_adult', 11),
  row('m1', 'Male 1', 'male', 'elderly', 20),
  row('m2', 'Male 2', 'male', 'adult', 15),
  row('m3', 'Male 3', 'male', 'adult', 11),
  row('m4', 'Male 4', 'male', 'adult', 16),
  row('m5', 'Male 5', 'male', 'adult', 30),
  row('m6', 'Male 6', 'male', 'adult', 18),
  row('m7', 'Male 7', 'male', 'adult', 8),
  row('m8', 'Male 8', 'male', 'adult', 13),
  row('Alex', 'Alex', 'male', 'adult', 22),
  row('Alicia', 'Alicia', 'female', 'teen', 12),
  row('Annie', 'Annie', 'female', 'young_adult', 13),
  row('Denis', 'Denis', 'male', 'adult', 24),
  row('Diogo', 'Diogo', 'male', 'young_adult', 13),
  row('Mario', 'Mario', 'male', 'adult', 28),
  row('Michael', 'Michael', 'male', 'adult', 26),
  row('Mike', 'Mike', 'male', 'adult', 19),
  row('Nguyen', 'Nguyen', 'male', 'teen', 12),
  row('anika', 'Anika', 'female', 'child', 12),
  row('aunty', 'Aunty', 'female', 'adult', 18),
  row('boris', 'Boris', 'male', 'adult', 29),
  row('grandma', 'Grandma', 'female', 'elderly', 11),
  row('grandpa', 'Grandpa', 'male', 'elderly', 11),
  row('linda', 'Linda', 'female', 'young_adult', 15),
  row('marcelo', 'Marcelo', 'male', 'adult', 17),
  row('max', 'Max', 'male', 'adult', 32),
  row('michel', 'Michel', 'male', 'young_adult', 15),
  row('quincy', 'Quincy', 'male', 'adult', 21),
  row('robert', 'Robert', 'male', 'adult', 25),
  row('shelby', 'Shelby', 'female', 'young_adult', 17),
  row('steph', 'Steph', 'female', 'adult', 19),
  row('victor', 'Victor', 'male', 'young_adult', 18),
  row('zac', 'Zac', 'male', 'child', 14),
  row('Andrea', 'Andrea', 'female', 'young_adult', null),
  row('Gene', 'Gene', 'male', 'adult', null),
  row('Storm', 'Storm', 'male', 'adult', null),
  row('belinda', 'Belinda', 'female', 'adult', null),
  row('croak', 'Croak', 'male', 'elderly', null),
  row('klatt2', 'Klatt 2', 'neutral', 'adult', null),
  row('klatt4', 'Klatt 4', 'neutral', 'adult', null),
  row('paul', 'Paul', 'male', 'adult', null),
  row('UniRobot', 'Robot', 'neutral', 'adult', null),
  row('whisper', 'Whisper', 'male', 'adult', null),
  row('whisperf', 'Whisper, female', 'female', 'adult', null),
]
