/** Verbs that introduce speech, as they stand beside a quotation. */
const ENGLISH = `say says said saying reply replies replied replying answer answers answered answering ask asks asked asking cry cries cried crying
exclaim exclaims exclaimed exclaiming whisper whispers whispered whispering murmur murmurs murmured murmuring mutter mutters muttered muttering
shout shouts shouted shouting return returned returns returning rejoin rejoined continue continued continuing add added adds adding observe observed observes observing
remark remarked remarks remarking repeat repeated repeats repeating inquire inquired enquire enquired inquiring demand demanded demands demanding
begin began begun resume resumed resuming interrupt interrupted interrupting interpose interposed protest protested protesting explain explained explains explaining
declare declared declaring announce announced announcing suggest suggested suggesting scream screamed screaming call called calls calling calling
sob sobbed gasp gasped gasping groan groaned sigh sighed sighing laugh laughed laughing yell yelled roar roared growl growled growling grumble grumbled
snap snapped retort retorted respond responded responding admit admitted agree agreed agreeing insist insisted urge urged urging beg begged plead pleaded
command commanded order ordered warn warned persist persisted pursue pursued proceed proceeded conclude concluded concluding assent assented stammer stammered falter faltered
ejaculate ejaculated mumble mumbled think thought state stated tell told speak spoke quoth sing sang chant chanted read wonder wondered comment commented acknowledge acknowledged
hiss hissed bellow bellowed squeak squeaked shriek shrieked chuckle chuckled snarl snarled drawl drawled pant panted wail wailed moan moaned snort snorted
confess confessed assure assured advise advised argue argued object objected promise promised recommend recommended reflect reflected echo echoed
croak croaked bark barked breathe breathed grunt grunted giggle giggled volunteer volunteered thunder thundered hazard hazarded correct corrected
entreat entreated implore implored reason reasoned soliloquise soliloquised soliloquize soliloquized apologise apologised apologize apologized boast boasted blurt blurted
greet greeted hail hailed hesitate hesitated howl howled lisp lisped mock mocked offer offered prompt prompted quote quoted rasp rasped scold scolded
sneer sneered sniff sniffed splutter spluttered sputter sputtered stutter stuttered swear swore taunt taunted tease teased threaten threatened venture ventured
vociferate vociferated vow vowed whimper whimpered whine whined yelp yelped finish finished went cautioned decided smiled grinned nodded frowned asserted affirmed`
const SPANISH = `dijo dice decía digo dije dijeron diciendo respondió responde respondí respondía respondieron contestó contesta contesté contestaba contestaron preguntó pregunta pregunté preguntaba preguntaron
exclamó exclama exclamé exclamaba exclamaron gritó grita grité gritaba gritaron susurró susurra susurré susurraba murmuró murmura murmuré murmuraba musitó musita añadió añade añadí agregó agrega replicó replica repliqué
repuso repone repuse continuó continúa continué prosiguió prosigue siguió insistió insiste insistí explicó explica expliqué interrumpió interrumpe intervino interviene
comentó comenta comenté observó observa admitió admite admití afirmó afirma aseguró asegura aseguré asintió asiente advirtió advierte aclaró aclara anunció anuncia ordenó ordena pidió pide pedí
suplicó suplica rogó ruega suspiró suspira sollozó solloza balbuceó balbucea tartamudeó rió ríe rio sonrió sonríe bromeó gruñó gruñe protestó protesta reconoció reconoce confesó confiesa
concluyó concluye terminó apuntó apunta señaló señala sugirió sugiere propuso propone quiso inquirió interrogó indagó repitió repite llamó llama chilló chilla vociferó bramó rugió
declaró declara sentenció objetó reprochó recordó recuerda pensó piensa corrigió apostilló espetó soltó saludó prometió juró avisó propuso dudó mintió presumió opinó aventuró rezongó refunfuñó gimió resopló ironizó aconsejó animó contó lamentó quejó masculló farfulló cuchicheó`
const FRENCH = `dit dis disait répondit répond demanda demande cria crie écria murmura murmure ajouta ajoute reprit répliqua réplique continua fit poursuivit interrompit observa remarqua déclara soupira
balbutia hurla souffla chuchota lança expliqua protesta insista s'écria s’écria riposta gronda affirma avoua conclut songea`
const GERMAN = `sagte sagt fragte fragt antwortete antwortet rief ruft flüsterte murmelte erwiderte entgegnete meinte schrie brüllte stammelte seufzte lachte fügte
fuhr begann erklärte bemerkte versetzte wiederholte befahl bat sprach`
const PORTUGUESE_ITALIAN = `disse perguntou respondeu falou exclamou gritou murmurou sussurrou rispose chiese domandò esclamò gridò mormorò aggiunse replicò`

const words = (...lists: string[]): Set<string> => new Set(lists.join(' ').split(/\s+/u))

export const SPEECH_VERBS = words(ENGLISH, SPANISH, FRENCH, GERMAN, PORTUGUESE_ITALIAN)
/** The plainest: whoever stands beside one of these is the speaker. */
export const PLAIN_SPEECH_VERBS = words(
  `said says replied answered asked cried exclaimed whispered murmured muttered shouted rejoined remarked inquired
enquired demanded returned retorted repeated responded observed added say continued interrupted protested explained ejaculated screamed yelled`,
  SPANISH,
  FRENCH,
  GERMAN,
)
/** Verbs of manner that carry speech only when nothing else does. */
export const WEAK_SPEECH_VERBS =
  words(`went began begun finished think thought read wonder wondered laughed smiled grinned nodded frowned sighed tell told speak spoke
called offered mocked reflected greeted decided hesitated return returns returning call calls began finish pursued proceeded sang`)
