import type { Role } from './flow.ts'

const list = (words: string): string[] => words.split('|')

/** Words that number the units of a book, by language; the first chapter word names a chapter that has only a number. */
export const unitWords: Record<string, { chapter: string[]; part: string[] }> = {
  en: {
    chapter: list('chapter|chap|stave|canto|letter|lesson|adventure|scene|fit'),
    part: list('volume|vol|book|part|section|act'),
  },
  es: {
    chapter: list('capítulo|capitulo|cap|carta|escena|jornada'),
    part: list('tomo|volumen|libro|parte|sección|acto'),
  },
  fr: { chapter: list('chapitre|lettre|chant|scène'), part: list('tome|livre|partie|acte') },
  de: {
    chapter: list('kapitel|brief|gesang|szene|aufzug'),
    part: list('band|buch|teil|abschnitt|akt'),
  },
  it: { chapter: list('capitolo|lettera|canto|scena'), part: list('tomo|libro|parte|atto') },
  pt: { chapter: list('capítulo|capitulo|carta|cena'), part: list('tomo|livro|parte|ato') },
  ca: { chapter: list('capítol'), part: list('llibre|part') },
  nl: { chapter: list('hoofdstuk|brief'), part: list('boek|deel') },
  sv: { chapter: list('kapitel|kapitlet'), part: list('bok|boken|del|delen') },
  da: { chapter: list('kapitel'), part: list('bog|del') },
  no: { chapter: list('kapittel'), part: list('bok|del') },
  fi: { chapter: list('luku'), part: list('kirja|osa') },
  pl: { chapter: list('rozdział'), part: list('tom|księga|część') },
  cs: { chapter: list('kapitola'), part: list('díl|kniha|část') },
  hu: { chapter: list('fejezet'), part: list('könyv|rész') },
  ro: { chapter: list('capitolul'), part: list('volumul|cartea|partea') },
  tr: { chapter: list('bölüm'), part: list('cilt|kitap|kısım') },
  ru: { chapter: list('глава'), part: list('том|книга|часть') },
  uk: { chapter: list('розділ|глава'), part: list('том|книга|частина') },
  el: { chapter: list('κεφάλαιο'), part: list('τόμος|βιβλίο|μέρος') },
}

const English = {
  units: list(
    'one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen',
  ),
  ordinals: list(
    'first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth',
  ),
  tens: list('twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety'),
}

const otherNumbers: string[][] = [
  list(
    'uno primero primer primera un|dos segundo segunda|tres tercero tercer tercera|cuatro cuarto cuarta|cinco quinto quinta|seis sexto sexta|siete séptimo séptima|ocho octavo octava|nueve noveno novena|diez décimo décima|once undécimo|doce duodécimo|trece|catorce|quince|dieciséis|diecisiete|dieciocho|diecinueve|veinte|veintiuno|veintidós|veintitrés|veinticuatro|veinticinco|veintiséis|veintisiete|veintiocho|veintinueve|treinta',
  ),
  list(
    'un premier première|deux deuxième second seconde|trois troisième|quatre quatrième|cinq cinquième|six sixième|sept septième|huit huitième|neuf neuvième|dix dixième|onze onzième|douze douzième|treize|quatorze|quinze|seize|dix-sept|dix-huit|dix-neuf|vingt',
  ),
  list(
    'eins erstes erster erste|zwei zweites zweiter zweite|drei drittes dritter dritte|vier viertes vierter vierte|fünf fünftes fünfter fünfte|sechs sechstes sechster sechste|sieben siebentes siebtes siebter siebte|acht achtes achter achte|neun neuntes neunter neunte|zehn zehntes zehnter zehnte|elf elftes|zwölf zwölftes|dreizehn dreizehntes|vierzehn vierzehntes|fünfzehn fünfzehntes|sechzehn sechzehntes|siebzehn siebzehntes|achtzehn achtzehntes|neunzehn neunzehntes|zwanzig zwanzigstes',
  ),
  list(
    'uno primo prima|due secondo seconda|tre terzo terza|quattro quarto quarta|cinque quinto quinta|sei sesto sesta|sette settimo settima|otto ottavo ottava|nove nono nona|dieci decimo decima',
  ),
  list(
    'um primeiro primeira|dois segundo segunda|três terceiro terceira|quatro quarto quarta|cinco quinto quinta|seis sexto sexta|sete sétimo sétima|oito oitavo oitava|nove nono nona|dez décimo décima',
  ),
  list(
    'een eerste|twee tweede|drie derde|vier vierde|vijf vijfde|zes zesde|zeven zevende|acht achtste|negen negende|tien tiende',
  ),
  list(
    'первая первый|вторая второй|третья третий|четвёртая четвертая|пятая|шестая|седьмая|восьмая|девятая|десятая|одиннадцатая|двенадцатая',
  ),
]

function numberWordTable(): Map<string, number> {
  const table = new Map<string, number>()
  English.units.forEach((word, index) => table.set(word, index + 1))
  English.ordinals.forEach((word, index) => table.set(word, index + 1))
  English.tens.forEach((ten, index) => {
    const value = (index + 2) * 10
    table.set(ten, value)
    table.set(ten.replace(/y$/, 'ieth'), value)
    for (const words of [English.units, English.ordinals])
      words.slice(0, 9).forEach((word, digit) => {
        table.set(`${ten}-${word}`, value + digit + 1)
        table.set(`${ten} ${word}`, value + digit + 1)
      })
  })
  table.set('hundred', 100)
  table.set('one hundred', 100)
  for (const words of otherNumbers)
    words.forEach((forms, index) => {
      for (const form of forms.split(' ')) if (!table.has(form)) table.set(form, index + 1)
    })
  return table
}

export const numberWords: ReadonlyMap<string, number> = numberWordTable()

/** What a section is called when it is no chapter. Kinds are those of the EPUB structural semantics vocabulary 1.1. */
export interface MatterWords {
  kind: string
  role: Role
  phrases: string[]
  /** Words may follow: "Introduction by the editor", "Appendix B". */
  open?: boolean
}

export const matterWords: MatterWords[] = [
  { kind: 'cover', role: 'front', phrases: list('cover|cubierta|couverture|umschlag|copertina|capa') },
  {
    kind: 'titlepage',
    role: 'front',
    phrases: list(
      'title page|titlepage|portada|página de título|page de titre|titelseite|frontespizio|folha de rosto|titelpagina',
    ),
  },
  {
    kind: 'halftitlepage',
    role: 'front',
    phrases: list('half title|halftitle|half title page|half-title|half-title page|anteportada|faux-titre'),
  },
  { kind: 'imprint', role: 'front', phrases: list('imprint|impressum|pie de imprenta') },
  {
    kind: 'copyright-page',
    role: 'front',
    phrases: list(
      'copyright|copyright page|copyright notice|uncopyright|legal notice|créditos|derechos de autor|página de créditos|página legal|mentions légales|urheberrecht|diritti|direitos autorais',
    ),
  },
  {
    kind: 'dedication',
    role: 'front',
    phrases: list('dedication|dedicatoria|dédicace|widmung|dedica|dedicatória|opdracht|посвящение'),
    open: true,
  },
  { kind: 'epigraph', role: 'front', phrases: list('epigraph|epígrafe|épigraphe|motto|epigrafe|эпиграф') },
  {
    kind: 'toc',
    role: 'front',
    phrases: list(
      'contents|table of contents|the contents|índice|índice general|índice de contenidos|contenido|contenidos|tabla de contenidos|table des matières|sommaire|inhalt|inhaltsverzeichnis|indice|sommario|sumário|inhoud|inhoudsopgave|содержание|оглавление|spis treści|目录|目次',
    ),
  },
  {
    kind: 'loi',
    role: 'front',
    phrases: list(
      'illustrations|list of illustrations|list of figures|list of maps|índice de ilustraciones|lista de ilustraciones|table des illustrations|abbildungsverzeichnis|lista de ilustrações',
    ),
  },
  {
    kind: 'preface',
    role: 'front',
    phrases: list(
      "preface|author's preface|prefacio|préface|avant-propos|prefazione|prefácio|voorwoord|предисловие|przedmowa|translator’s preface|translator's preface|publisher's note|editor's note|translator's note|note to the reader|to the reader|al lector|au lecteur|nota del traductor|nota del editor|note on the text|a note on the text",
    ),
    open: true,
  },
  { kind: 'foreword', role: 'front', phrases: list('foreword|vorwort|geleitwort|premessa'), open: true },
  {
    kind: 'introduction',
    role: 'front',
    phrases: list(
      "introduction|introductory|introducción|einleitung|einführung|introduzione|introdução|inleiding|введение|wstęp|editor's introduction|translator's introduction|author's introduction",
    ),
    open: true,
  },
  {
    kind: 'dramatis-personae',
    role: 'front',
    phrases: list('dramatis personae|dramatis personæ|list of characters|cast of characters|personajes'),
  },
  {
    kind: 'acknowledgments',
    role: 'back',
    phrases: list(
      'acknowledgments|acknowledgements|acknowledgment|agradecimientos|remerciements|danksagung|ringraziamenti|agradecimentos|dankwoord|благодарности',
    ),
  },
  {
    kind: 'prologue',
    role: 'body',
    phrases: list('prologue|prólogo|prolog|prologo|proloog|пролог'),
    open: true,
  },
  {
    kind: 'interlude',
    role: 'body',
    phrases: list('interlude|intermezzo|interludio|interlude|zwischenspiel|entr’acte|interlúdio'),
    open: true,
  },
  {
    kind: 'conclusion',
    role: 'body',
    phrases: list('conclusion|conclusión|schluss|conclusione|conclusão|slot'),
  },
  {
    kind: 'epilogue',
    role: 'body',
    phrases: list('epilogue|epílogo|épilogue|epilog|epilogo|epiloog|эпилог|finale'),
    open: true,
  },
  {
    kind: 'afterword',
    role: 'back',
    phrases: list(
      "afterword|postface|nachwort|postfazione|posfacio|posfácio|nawoord|послесловие|posłowie|author's note|a note from the author|nota del autor|nota de la autora|note de l'auteur|nota del’autore",
    ),
    open: true,
  },
  {
    kind: 'appendix',
    role: 'back',
    phrases: list('appendix|appendices|apéndice|apéndices|annexe|annexes|anhang|appendice|apêndice|bijlage|приложение'),
    open: true,
  },
  { kind: 'chronology', role: 'back', phrases: list('chronology|timeline|cronología') },
  {
    kind: 'glossary',
    role: 'back',
    phrases: list('glossary|glosario|glossaire|glossar|glossario|glossário|woordenlijst|глоссарий'),
  },
  {
    kind: 'bibliography',
    role: 'back',
    phrases: list(
      'bibliography|selected bibliography|references|works cited|further reading|bibliografía|bibliographie|literaturverzeichnis|bibliografia',
    ),
  },
  {
    kind: 'endnotes',
    role: 'back',
    phrases: list(
      'notes|endnotes|footnotes|end notes|notas|notas al pie|notes et références|anmerkungen|fußnoten|note|noten|примечания|przypisy',
    ),
  },
  {
    kind: 'index',
    role: 'back',
    phrases: list('index|general index|índice alfabético|índice onomástico|indice analitico|register|sachregister'),
  },
  { kind: 'colophon', role: 'back', phrases: list('colophon|colofón|kolophon|colofon|achevé d’imprimer') },
  {
    kind: 'contributors',
    role: 'back',
    phrases: list(
      "about the author|about the authors|about the translator|about the editor|the author|sobre el autor|sobre la autora|acerca del autor|à propos de l'auteur|über den autor|über die autorin|sull'autore|sobre o autor|over de auteur|об авторе|author bio|biography",
    ),
  },
  {
    kind: 'other-credits',
    role: 'back',
    phrases: list(
      "credits|also by|books by|other books by|by the same author|del mismo autor|du même auteur|advertisements|about the publisher|newsletter|praise for|praise|transcriber's note|transcriber's notes|transcriber’s note|discussion questions|reading group guide",
    ),
    open: true,
  },
]
