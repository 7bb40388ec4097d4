import type { Gender } from './cast.ts'

const FEMALE = `abigail ada adela adele agatha agnes aileen alexandra alice alicia alison amanda amelia amy ana andrea angela angelica anita ann anna annabel anne annie antonia arabella
astrid audrey augusta aurora barbara beatrice beatriz becky bella bertha bess bessie betsy betty beth blanca blanche brenda bridget camila camille candace carlota carmen carol carolina caroline catalina catherine
cathy cecilia celia charlotte chloe christina christine clara clarissa claire claudia clementina concha constance consuelo cora cordelia cristina cynthia daisy daniela daphne deborah delia diana dinah dolores dora doris dorothea
dorothy edith edna eleanor elena elinor elisa eliza elizabeth ella ellen elsa elsie elvira emilia emily emma enid esperanza estella esther ethel eugenia eugenie eva eve evelyn fanny fatima felicia felicity fiona flora florence frances
francisca gabriela genevieve georgiana gertrude gladys gloria grace greta gretchen gwendolen hannah harriet hazel heidi helen helena henrietta hermione hester hilda ida ines inés inez irene iris isabel isabella isabelle ivy jacqueline jane janet jean
jemima jennifer jenny jessica jessie joan joanna josefa josephine joyce juana judith judy julia juliana julie juliet justina karen kate katherine kathleen katie kitty laura lavinia leah leonor leticia letitia lilian lillian lily linda lisa lizzie lizzy lois
lola lottie louisa louise lucia lucía lucille lucinda lucy luisa lydia mabel madeleine madge maggie manuela marcela margaret margarita margery maria maría marian mariana marianne marie marina marion marjorie marta martha mary matilda maud may mercedes
meg mercy mildred millicent millie minnie miranda miriam moira molly monica mónica muriel myra myrtle nancy natalia natalie natasha nell nellie nelly nina nora norah nuria olga olive olivia ophelia pamela pansy patricia paula paulina pauline pearl peggy penelope
phoebe phyllis pilar polly portia priscilla prudence rachel ramona raquel rebecca rhoda rita rosa rosalie rosalind rosamond rosario rose rosie rosina roxana ruby ruth sabina sally samantha sandra sara sarah selina silvia sofia sofía sonia sophia sophie
soledad stella susan susana susanna sybil sylvia teresa tess thelma theodora theresa ursula valentina valeria vanessa vera verónica veronica victoria viola violet virginia vivian winifred yolanda yvonne zoe
francesca lettice rosamund philippa hedwig ingrid liesel lotte ottilie adelheid amelie colette odette jeanne`
const MALE = `aaron abel abner abraham adam adolfo adrian alan albert alberto alejandro alexander alec alfred alfredo algernon allan allen alonso ambrose amos andre andres andrés andrew anthony antonio antony archibald archie armando arnold arthur arturo august augustus aubrey
barnaby bartholomew basil ben benjamin benito bernard bertram bertrand bill billy bob bobby boris bruce bruno caleb carl carlos cecil cesar césar charles charley charlie chester christian christopher clarence claude clement clifford clive colin conrad constantine cornelius cristóbal cuthbert cyril
daniel dan david denis dennis diego dick donald douglas duncan ebenezer edgar edmund eduardo edward edwin eli elijah emil emilio emmanuel enoch enrique eric ernest ernesto esteban eugene ezra felipe felix ferdinand fernando francis francisco frank franklin frederic frederick fred freddy fritz
gabriel gareth gaston geoffrey george gerald gerard gerardo gilbert gideon giles godfrey gonzalo gordon graham gregory guillermo gustav gustavo guy hal hans harold harry harvey hector henri henry herbert herman horace horatio howard hubert hugh hugo humphrey ian ignacio isaac ivan
jack jacob jacques jaime jake james jasper javier jeremiah jeremy jerome jerry jesús jim jimmy joaquin joaquín joe joel john johnny jonas jonathan jorge josé jose joseph joshua josiah juan jude julian julián julio julius justin karl keith kenneth konrad lancelot laurence lawrence leo leon leonard leonardo leopold
leslie lewis lionel lorenzo louis lucas lucian luis luke luther malcolm manuel marcel marcos marcus mariano mario mark martin martín matías matthew maurice max michael miguel miles mike mordecai mortimer moses nathan nathaniel ned neil nicholas nicolas nicolás nigel noah noel norman oliver oscar óscar oswald otto owen
pablo patrick paul pedro percival percy peter phil philip phillip pierre pip quentin quincy rafael ralph ramón ramon randolph raphael raul raúl raymond reginald rene ricardo richard rob robert roberto robin roderick rodrigo roger roland romeo ronald rufus rupert salvador sam samuel samson sancho santiago saul sebastian
sebastián septimus sergio seth sidney silas silvester simon solomon stanley stephen steven steve stuart sylvester ted terence thaddeus theodore thomas tim timothy toby tom tomás tommy tony tristan ulrich valentine vernon vicente victor víctor vincent vladimir wallace walter wilfred wilhelm will willie william
winston günther heinrich jürgen klaus ludwig wolfgang friedrich jean-pierre françois étienne marcello giovanni giuseppe luigi paolo pietro edmond gus jem
philippe archibaldo evaristo ismael`

export const GIVEN_NAMES: ReadonlyMap<string, Gender> = new Map([
  ...FEMALE.split(/\s+/u).map((name) => [name, 'female'] as const),
  ...MALE.split(/\s+/u).map((name) => [name, 'male'] as const),
])

const HYPOCORISMS = `elizabeth: lizzy lizzie eliza liza liz beth betty betsy bess bessie libby lisbeth elsie
margaret: maggie meg peggy madge daisy margery marge greta maisie
catherine: kate kitty cathy katie kathy cathie kit
katherine: kate kitty kathy katie
mary: molly polly may mamie minnie
anne: annie nan nancy nanny
ann: annie nan nancy
anna: annie
jane: jenny janey janet
susan: sue susie susy sukey
sarah: sally sadie
martha: patty mattie
frances: fanny frankie
dorothy: dolly dot dora dottie
dorothea: dodo dolly dora
eleanor: nell nellie nora ellie
ellen: nell nellie nelly
helen: nell nellie nelly
harriet: hatty hattie harry
henrietta: hetty etta
charlotte: lottie lotty charley
caroline: carrie caro
josephine: jo josie
louisa: lou
isabella: bella belle ella
rebecca: becky
georgiana: georgy
penelope: penny
victoria: vicky
theresa: tess tessa terry
emily: em emmy
amelia: emmy millie
matilda: tilly matty
wilhelmina: mina minnie
philippa: pip pippa
cecilia: cissy sissy celia
priscilla: prissy cilla
lydia: liddy
deborah: debby deb
abigail: abby
judith: judy
samantha: sam
jacqueline: jackie
alexandra: sandra alex sasha
barbara: barby babs
gertrude: gertie trudy
florence: flo flossie
winifred: winnie freda
william: will bill billy willie willy
robert: bob bobby rob robin robbie bert
richard: dick dickie rick ricky
thomas: tom tommy
john: jack johnny johnnie jock
james: jim jimmy jem jamie
edward: ned ted teddy ed eddie
henry: harry hal hank
charles: charley charlie chuck
george: georgie georgy
frederick: fred freddy freddie fritz
francis: frank frankie
joseph: joe joey
samuel: sam sammy
michael: mike mick micky
nicholas: nick
benjamin: ben benny
alexander: alec alex sandy sandro sasha
andrew: andy drew
anthony: tony
antony: tony
daniel: dan danny
david: dave davy
christopher: kit chris
edmund: ned ted
philip: phil pip
peter: pete
stephen: steve stevie
matthew: matt
timothy: tim
theodore: ted teddy theo
walter: walt wat
lawrence: larry laurie
laurence: larry laurie
albert: bert bertie al
herbert: bert bertie
arthur: art
archibald: archie
abraham: abe
jacob: jake
nathaniel: nat nate
oliver: noll
patrick: pat paddy
reginald: reggie
geoffrey: jeff
ernest: ernie
bartholomew: bart
gilbert: gil
jonathan: jon
josé: pepe
francisco: paco pancho curro
ignacio: nacho
manuel: manolo
dolores: lola
josefa: pepa
concepción: concha
guadalupe: lupe
enrique: quique
rafael: rafa
isabel: isa chabela
teresa: tere
mercedes: merche
rosario: charo
eduardo: lalo edu
antonio: toño toni`

/** Short form → the full names it may stand for. */
export const FULL_NAMES: ReadonlyMap<string, readonly string[]> = (() => {
  const map = new Map<string, string[]>()
  for (const line of HYPOCORISMS.split('\n')) {
    const [full, short] = line.split(': ') as [string, string]
    for (const name of short.split(' ')) map.set(name, [...(map.get(name) ?? []), full])
  }
  return map
})()

/** May two given names be one person's: Lizzy and Elizabeth, Eliza and Lizzy. */
export function sameGivenName(a: string, b: string): boolean {
  if (a === b) return true
  const of = (name: string): readonly string[] => [name, ...(FULL_NAMES.get(name) ?? [])]
  return of(a).some((full) => of(b).includes(full))
}

export function givenNameGender(name: string): Gender | null {
  const known = GIVEN_NAMES.get(name)
  if (known) return known
  for (const full of FULL_NAMES.get(name) ?? []) {
    const gender = GIVEN_NAMES.get(full)
    if (gender) return gender
  }
  return null
}
