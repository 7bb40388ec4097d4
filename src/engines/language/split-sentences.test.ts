import { expect, it } from 'vitest'
import { sentenceEnds } from './split-sentences.ts'

const split = (text: string): string[] => {
  const ends = sentenceEnds(text)
  return ends.map((end, at) => text.slice(ends[at - 1] ?? 0, end).trim())
}

it.each([
  ['Mr. Vane left. She stayed! Did J. S. Mill?', ['Mr. Vane left.', 'She stayed!', 'Did J. S. Mill?']],
  ['“Is it?” said he. “It is.” They sat.', ['“Is it?” said he.', '“It is.”', 'They sat.']],
  ['吾輩は猫である。名前はまだ無い。どこで生れたか？', ['吾輩は猫である。', '名前はまだ無い。', 'どこで生れたか？']],
  ['「本当？」と彼は言った。「そうだ。」「まさか！」', ['「本当？」と彼は言った。', '「そうだ。」', '「まさか！」']],
  ['“你好！”他说。天黑了！！他走了……', ['“你好！”他说。', '天黑了！！', '他走了……']],
  ['猫（ねこ。）は寝た。 犬も寝た。', ['猫（ねこ。）は寝た。', '犬も寝た。']],
])('splits %s', (text, sentences) => expect(split(text)).toEqual(sentences))
