// J. C. Wells, "Computer-coding the IPA: a proposed extension of SAMPA" (1995), tables of X-SAMPA.
const SYMBOLS: Record<string, string> = Object.fromEntries(
  `b_< ɓ|d\` ɖ|d_< ɗ|g_< ɠ|h\\ ɦ|j\\ ʝ|l\` ɭ|l\\ ɺ|n\` ɳ|p\\ ɸ|r\` ɽ|r\\ ɹ|r\\\` ɻ|s\` ʂ|s\\ ɕ|t\` ʈ|v\\ ʋ|x\\ ɧ|z\` ʐ|z\\ ʑ|A ɑ|B β|B\\ ʙ|C ç|D ð|E ɛ|F ɱ|G ɣ|G\\ ɢ|G\\_< ʛ|
H ɥ|H\\ ʜ|I ɪ|I\\ ᵻ|J ɲ|J\\ ɟ|J\\_< ʄ|K ɬ|K\\ ɮ|L ʎ|L\\ ʟ|M ɯ|M\\ ɰ|N ŋ|N\\ ɴ|O ɔ|O\\ ʘ|P ʋ|Q ɒ|R ʁ|R\\ ʀ|S ʃ|T θ|U ʊ|U\\ ᵿ|V ʌ|W ʍ|X χ|X\\ ħ|Y ʏ|Z ʒ|. .|" ˈ|% ˌ|' ʲ|: ː|:\\ ˑ|
@ ə|@\` ɚ|@\\ ɘ|{ æ|} ʉ|1 ɨ|2 ø|3 ɜ|3\` ɝ|3\\ ɞ|4 ɾ|5 ɫ|6 ɐ|7 ɤ|8 ɵ|9 œ|& ɶ|? ʔ|?\\ ʕ|<\\ ʢ|>\\ ʡ|^ ꜛ|! ꜜ|!\\ ǃ|| ǀ|=\\ ǂ|-\\ ‿|
_" \u0308|_+ \u031f|_- \u0320|_0 \u0325|= \u0329|_= \u0329|_> ʼ|_^ \u032f|_} \u031a|\` ˞|~ \u0303|_~ \u0303|_A \u0318|_a \u033a|_c \u031c|_d \u032a|_e \u0334|_G ˠ|_h ʰ|_j ʲ|_k \u0330|_l ˡ|_m \u033b|_N \u033c|
_n ⁿ|_O \u0339|_o \u031e|_q \u0319|_r \u031d|_t \u0324|_v \u032c|_w ʷ|_x \u033d|_? ˤ`
    .replaceAll('\n', '')
    .split('|')
    .filter(Boolean)
    .map((pair) => pair.split(' ') as [string, string]),
)
// The separator of the table above is itself a symbol.
SYMBOLS['|\\'] = 'ǀ'
SYMBOLS['||'] = '‖'

const LONGEST = Math.max(...Object.keys(SYMBOLS).map((symbol) => symbol.length))

/** X-SAMPA written in the International Phonetic Alphabet; what X-SAMPA doesn't define stays as it is (most lower-case letters are the same in both). */
export function xSampaToIpa(text: string): string {
  let ipa = ''
  for (let at = 0; at < text.length; ) {
    let length = Math.min(LONGEST, text.length - at)
    while (length > 1 && !(text.slice(at, at + length) in SYMBOLS)) length--
    const symbol = text.slice(at, at + length)
    ipa += SYMBOLS[symbol] ?? symbol
    at += length
  }
  return ipa
}
