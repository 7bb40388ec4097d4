import type { Gender } from './cast.ts'

const FEMALE = `woman girl lady jewess frenchwoman englishwoman mother aunt sister daughter wife widow landlady nurse maid housemaid housekeeper queen duchess countess princess governess mistress hostess actress waitress
nun abbess witch matron grandmother niece bride schoolmistress charwoman gentlewoman parlourmaid lass dame stepmother
mujer chica muchacha niña señora señorita madre tía hermana hija esposa viuda abuela criada enfermera reina anciana vieja camarera maestra monja doncella
femme fille dame mère tante soeur sœur veuve servante reine vieille frau mädchen mutter tante schwester tochter königin magd`
const MALE = `man boy gentleman father uncle brother son husband widower landlord king duke count prince lord master host waiter monk priest wizard grandfather nephew
squire coachman footman policeman postman fisherman workman clergyman schoolmaster butler groom porter constable sergeant captain colonel general admiral soldier sailor
lad fellow chap frenchman englishman irishman scotchman scotsman welshman dutchman jew hermit chairman barman cabman navvy waggoner carrier beadle undertaker vicar curate parson clerk sexton magistrate barber carpenter blacksmith innkeeper publican tramp mariner driver
hombre chico muchacho niño señor caballero padre tío hermano hijo esposo marido viudo abuelo criado rey anciano viejo camarero maestro cura soldado capitán coronel sargento guardia
homme garçon monsieur père oncle frère fils mari roi vieux curé mann junge vater onkel bruder sohn könig knecht pfarrer`
const EITHER = `child doctor inspector detective teacher servant stranger visitor voice physician surgeon lawyer attorney officer guest friend neighbour neighbor cousin baby cook gardener
keeper guide guard person patient student pupil companion manager secretary coroner judge president speaker other farmer baker butcher chemist shopkeeper bartender jailer jailor turnkey
critic artist painter poet professor author editor reporter chauffeur conductor passenger robber thief prisoner belgian german italian spaniard american russian pole negro looker-on invalid creature bystander
doctor médico policía juez desconocido forastero vecino amigo amiga vecina voz paciente periodista pintor profesor profesora abogado notario
médecin inconnu ami voix enfant arzt fremder freund stimme kind`

/** Common nouns for people: 'the landlady' may speak as well as a name does. */
export const PERSON_NOUNS: ReadonlyMap<string, Gender | null> = new Map<string, Gender | null>([
  ...EITHER.split(/\s+/u).map((noun) => [noun, null] as const),
  ...FEMALE.split(/\s+/u).map((noun) => [noun, 'female'] as const),
  ...MALE.split(/\s+/u).map((noun) => [noun, 'male'] as const),
])

/** Kin and stations that a name answers to only in its place: 'her mother' is Mrs. Bennet here, someone else there. */
export const KIN = new Set(
  `mother father sister brother aunt uncle cousin wife husband son daughter niece nephew friend grandmother grandfather companion
madre padre hermana hermano tía tío prima primo esposa esposo mujer marido hijo hija amigo amiga abuela abuelo mère père soeur sœur frère ami mutter vater bruder schwester`.split(
    /\s+/u,
  ),
)
