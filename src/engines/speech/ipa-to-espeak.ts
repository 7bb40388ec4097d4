import { xSampaToIpa } from './x-sampa-to-ipa.ts'

type Table = Record<string, string>

const table = (pairs: string): Table =>
  Object.fromEntries(
    pairs
      .trim()
      .split(/\s+/)
      .map((pair) => pair.split('=', 2) as [string, string]),
  )

/** Phoneme names that eSpeak NG's base table and most of its languages share (docs/phonemes.md of eSpeak NG). */
const COMMON = table(`
  p=p b=b t=t d=d k=k g=g ɡ=g f=f v=v s=s z=z h=h m=m n=n l=l j=j w=w θ=T ð=D ʃ=S ʒ=Z ŋ=N ɲ=n^ ʎ=l^ ʔ=? x=x ç=C β=B ɣ=Q ɹ=r r=r ɾ=* ʁ=r χ=x ʀ=r ħ=h ɦ=h ɫ=l ʍ=w ɥ=w ɸ=f c=k ɟ=g
  tʃ=tS dʒ=dZ ʧ=tS ʤ=dZ ts=ts ʦ=ts dz=dz ʣ=dz pf=pf
  a=a e=e i=i o=o u=u ɛ=E ɔ=O ə=@ ɪ=I ʊ=U y=y ø=Y œ=W æ=a ɑ=A ɐ=a ʌ=V ɒ=0 ɨ=i ʉ=u ɯ=u ɵ=Y ɤ=o ʏ=y ɘ=@ ɜ=@
  aː=a: eː=e: iː=i: oː=o: uː=u: ɛː=E: ɔː=O: ɑː=A: yː=y: øː=Y: ai=aI au=aU ei=eI oi=OI aɪ=aI aʊ=aU eɪ=eI ɔɪ=OI ɔʏ=OI
  ɑ̃=A~ ɛ̃=E~ ɔ̃=O~ œ̃=W~ ã=A~ õ=O~ ẽ=E~ ĩ=i~ ũ=u~
  ˈ=' ˌ=, '=' ‖=_: |=_:`)

const ENGLISH = table(`
  æ=a a=a ɑ=A: ɑː=A: ɒ=0 ɒː=0 ɔ=O: ɔː=O: ɔɹ=O@ ɔːɹ=O@ ɑɹ=A@ ɑːɹ=A@ o=oU oː=oU oʊ=oU əʊ=oU ou=oU e=E ɛ=E eː=eI eɪ=eI ei=eI aɪ=aI ai=aI aʊ=aU au=aU ɔɪ=OI oɪ=OI ɔi=OI
  i=i: iː=i: ɪ=I u=u: uː=u: ʊ=U ʌ=V ɐ=V ə=@ ɜ=3: ɜː=3: ɝ=3: ɝː=3: ɜɹ=3: ɜːɹ=3: ɚ=3 əɹ=3 ɪə=i@ ɪɹ=i@ eə=e@ ɛə=e@ ɛɹ=e@ ʊə=U@ ʊɹ=U@ ɨ=I2 ᵻ=I2 l̩=@L n̩=@n m̩=@m ɾ=t#
  x=x ç=h r=r ɹ=r ʁ=r y=u: ø=3: œ=3: ɲ=nj ʎ=lj β=v ɣ=g ts=ts ɑ̃=A:n ɔ̃=O:n ɛ̃=an œ̃=Vn ã=A:n õ=O:n ẽ=En`)

const SPANISH = table('r=R rr=R ɾ=** ɹ=** ɛ=e ɔ=o ʎ=l^ ɲ=n^ ʝ=J^ x=x θ=T β=B ð=D ɣ=Q tʃ=tS ai=aI au=aU ei=eI oi=OI')
const FRENCH = table('ʁ=r r=r ø=Y œ=W ə=@ ɥ=y w=w o=o ɔ=O ɑ=a ɲ=n^ y=y eɪ=e')
const GERMAN = table(
  'r=r ʁ=r ɐ=3 ə=@ ɛ=E ɪ=I ʊ=U ɔ=O œ=W ʏ=y ø=Y: øː=Y: y=y: e=e: o=o: i=i: u=u: aɪ=aI aʊ=aU ɔʏ=OY ɔɪ=OY ç=C x=x pf=pF ts=ts',
)

const BY_LANGUAGE: Record<string, Table> = { en: ENGLISH, es: SPANISH, fr: FRENCH, de: GERMAN }

const LONGEST = 4
// Syllable breaks, ties, links, tones, and diacritics that eSpeak NG's names can't tell apart.
const IGNORED = /[.‿ʰʲʷˠˤˡⁿʼˑ˞˥˦˧˨˩ꜛꜜ\s-]|\p{Mn}/u

/**
 * Phonemes in eSpeak NG's own names for what goes into [[ ]], by greedy longest match. Sounds that a language lacks become its nearest.
 * @returns undefined for another alphabet, or where a symbol has no name: then the spelling is read
 */
export function ipaToEspeak({ alphabet, ph }: { alphabet: string; ph: string }, language: string): string | undefined {
  const known = alphabet.toLowerCase()
  if (known !== 'ipa' && known !== 'x-sampa') return undefined
  const ipa = (known === 'ipa' ? ph : xSampaToIpa(ph))
    .normalize('NFD')
    .replaceAll(/[\u035c\u0361]/g, '')
    .replaceAll('ç'.normalize('NFD'), 'ç')
  const own = BY_LANGUAGE[language.split('-')[0]!.toLowerCase()] ?? {}
  const names: string[] = []
  for (let at = 0; at < ipa.length; ) {
    let length = Math.min(LONGEST, ipa.length - at)
    let name: string | undefined
    for (; length > 0; length--) {
      const symbol = ipa.slice(at, at + length).normalize('NFC')
      name = own[symbol] ?? own[symbol.normalize('NFD')] ?? COMMON[symbol] ?? COMMON[symbol.normalize('NFD')]
      if (name !== undefined) break
    }
    if (name !== undefined) {
      names.push(name)
      at += length
      // A length that the name doesn't already hold.
      if (ipa[at] === 'ː') at++
    } else if (IGNORED.test(ipa[at]!)) at++
    else return undefined
  }
  return joinNames(names)
}

/** A name that could be read on into the next is cut off by '|'. */
function joinNames(names: string[]): string {
  let joined = ''
  for (const name of names) {
    const ambiguous = /[A-Za-z@0-9:~^#*]$/.test(joined) && /^[:~^#*@LIUSZHTYn3-9]/.test(name)
    joined += ambiguous ? `|${name}` : name
  }
  return joined
}
