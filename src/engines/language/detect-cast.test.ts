import { expect, test } from 'vitest'
import { placeBlocks } from '../manuscript/manuscript.ts'
import type { CastChapter } from './cast.ts'
import { detectCast } from './detect-cast.ts'

/** A chapter from lines `speaker | paragraph`; the speaker of narration is left empty. */
function chapterOf(script: string): { chapter: CastChapter; speakers: string[] } {
  const lines = script
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((part) => part.trim()) as [string, string])
  return {
    chapter: { title: 'Uno', ...placeBlocks(lines.map(([, text]) => ({ kind: 'paragraph', text, marks: [] }))) },
    speakers: lines.map(([speaker]) => speaker),
  }
}

/** Share of the paragraphs with speech whose speaker is found by name. */
async function accuracy(
  script: string,
  language: string,
): Promise<{ share: number; wrong: string[]; names: string[] }> {
  const { chapter, speakers } = chapterOf(script)
  const { characters, segments } = await detectCast([chapter], { language })
  const names = new Map(characters.map(({ id, name }) => [id, name]))
  const wrong: string[] = []
  let all = 0
  chapter.blocks.forEach((block, index) => {
    const wanted = speakers[index]
    if (!wanted) return
    all++
    const spoken = (segments[0] ?? []).filter(
      ({ kind, start, end }) => kind === 'speech' && start >= block.start && end <= block.end,
    )
    const found = names.get(spoken[0]?.speaker ?? '') ?? 'nobody'
    if (found !== wanted) wrong.push(`${block.text} — ${found}, not ${wanted}`)
  })
  return { share: (all - wrong.length) / all, wrong, names: [...names.values()] }
}

const TALLER = `
 | Elena Robles abrió la puerta del taller. Don Julián levantó la vista del banco y dejó la lima sobre la mesa. Hacía frío.
Elena Robles | —Buenos días —dijo Elena—. ¿Ha llegado mi encargo?
don Julián | —Todavía no, señorita —respondió don Julián—. El camión viene mañana.
Elena Robles | —¿Mañana? —preguntó ella—. Usted me lo prometió para hoy.
don Julián | —Lo sé, y lo siento mucho.
Elena Robles | —No me sirve que lo sienta.
 | Él se encogió de hombros. Detrás de la cortina se oyó una tos y apareció Tomás, el aprendiz, con las manos llenas de grasa.
Tomás | —Yo puedo llevárselo esta noche —dijo Tomás.
don Julián | —Tú te quedas aquí —gruñó don Julián.
Tomás | —Pero, maestro, si no queda lejos.
don Julián | —He dicho que te quedas.
 | Elena miró al muchacho y sonrió.
Elena Robles | —Gracias, Tomás —murmuró—. Eres muy amable.
Tomás | —No es nada —contestó él, y se puso colorado.
 | La campana de la iglesia dio las nueve. Entró una vieja envuelta en un mantón negro.
La vieja | —¿Quién da voces aquí? —gritó la vieja.
don Julián | —Nadie, señora —dijo don Julián—. Pase usted.
Elena Robles | —Me voy —anunció Elena, y recogió el bolso—. Volveré mañana a primera hora.
don Julián | —Aquí estaré —prometió don Julián.
 | Tomás la acompañó hasta la calle.
Tomás | —No le haga caso —dijo Tomás en voz baja—. Siempre está de mal humor.
Elena Robles | —¿Siempre? —preguntó Elena.
Tomás | —Desde que murió su hermano —respondió el muchacho.
Elena Robles | —No lo sabía.
`

test('Spanish dialogue with dashes: tags, pronouns, turns without a tag, usted', async () => {
  const { share, wrong } = await accuracy(TALLER, 'es')
  expect(wrong.length).toBeLessThanOrEqual(1)
  expect(share).toBeGreaterThan(0.9)
})

const FRENCH = `
 | Claire Morel attendait sur le quai. Paul Garnier arriva en courant, son chapeau à la main.
Paul Garnier | — Je suis en retard, dit Paul. Le train est parti ?
Claire Morel | — Il part dans une minute, répondit Claire.
Paul Garnier | — Alors montons ! s’écria Paul.
Claire Morel | — Vous avez les billets ? demanda Claire.
`
const GERMAN = `
 | Anna Weber stand am Fenster. Herr Lorenz kam herein und legte den Brief auf den Tisch.
Herr Lorenz | „Er ist heute gekommen“, sagte Herr Lorenz.
Anna Weber | „Von wem?“, fragte Anna.
Herr Lorenz | „Von Ihrem Bruder“, antwortete Herr Lorenz.
`
test.each([
  ['fr', FRENCH],
  ['de', GERMAN],
])('plain tags in %s', async (language, script) => {
  expect((await accuracy(script, language)).wrong).toEqual([])
})

const ENGLISH = `
 | Mrs. Ada Thorne kept the inn at Wexcombe with her son Will. On the Monday a stranger came in out of the rain, and Will took his coat.
Mrs. Thorne | “You are wet through, sir,” said Mrs. Thorne. “Will, a chair.”
Will | “Here you are, sir,” said Will.
The stranger | “Thank you,” said the stranger. “I have come from the coast.”
Mrs. Thorne | “In this weather!” cried Mrs. Thorne.
The stranger | “There was no other to be had,” the stranger answered.
 | Will laughed, and his mother looked at him.
Mrs. Thorne | “Will,” she said, “see to the fire.”
`
test('English: tags, pronouns, an unnamed speaker, sexes and ids', async () => {
  const { chapter } = chapterOf(ENGLISH)
  const { characters } = await detectCast([chapter], { language: 'en' })
  expect((await accuracy(ENGLISH, 'en')).wrong).toEqual([])
  expect(characters[0]).toMatchObject({ id: 'narrator', role: 'narrator' })
  expect(characters.find(({ name }) => name === 'Will')).toMatchObject({ id: 'will', gender: 'male' })
  expect(characters.find(({ name }) => name === 'Mrs. Thorne')).toMatchObject({ gender: 'female' })
  expect(new Set(characters.map(({ id }) => id)).size).toBe(characters.length)
})

const TELLER = `
 | I had known Sam Pruett for years, and I liked him. My boat lay beside his in the harbour, and I could see my lamp in his window.
Sam Pruett | “Morning, Ned,” said Sam Pruett.
Ned | “Morning,” I said. “Going out?”
Sam Pruett | “Not today, Ned. Not in that.” Sam pointed at the sky.
Ned | “I am going,” said I.
Sam Pruett | “Then you are a fool, Ned,” said Sam.
 | I laughed at him. I took up my oars, and I went down to my boat. My hands were cold. I thought of what Sam had said, and I was sorry that I had laughed at my friend.
Ned | “Well, wish me luck,” I called to him.
Sam Pruett | “Luck, Ned,” said Sam.
`
test('a first-person narrator has the name that others call them', async () => {
  const script = `${TELLER.trim()}\n${Array.from({ length: 4 }, () => '| I went on alone. I did not look back at my house, and I kept my eyes on the water before me, as I had always done when I was a boy and my father rowed.').join('\n')}`
  const { wrong } = await accuracy(script, 'en')
  expect(wrong).toEqual([])
})

test('the same book gives the same cast', async () => {
  const { chapter } = chapterOf(TALLER)
  expect(await detectCast([chapter], { language: 'es' })).toEqual(await detectCast([chapter], { language: 'es' }))
})

test('no chapters, empty chapters and an abort', async () => {
  expect(await detectCast([], { language: 'en' })).toMatchObject({ segments: [], characters: [{ id: 'narrator' }] })
  expect((await detectCast([{ title: '', text: '', blocks: [] }], { language: 'en' })).segments).toEqual([[]])
  await expect(detectCast([], { language: 'en', signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow(
    'stopped',
  )
})
