/** What a letter says; `{names}` are filled in. */
interface Wording {
  subject: string
  paragraphs: string[]
  action: string
}

export type LetterName =
  | 'reset'
  | 'no_account'
  | 'verify'
  | 'invite'
  | 'email_changed'
  | 'password_changed'
  | 'new_address'
  | 'second_factor_changed'
interface Language {
  letters: Record<LetterName, Wording>
  /** Under letters of a kind that one may do without. */
  unsubscribe: string
}

const english: Language = {
  unsubscribe: 'No more letters of this kind: {url}',
  letters: {
    reset: {
      subject: 'A new password for {app}',
      paragraphs: [
        'Somebody, we hope you, asked for a new password. This link works once and for an hour.',
        'If it was not you, do nothing: your password stays as it is.',
      ],
      action: 'Choose a new password',
    },
    no_account: {
      subject: 'A new password for {app}',
      paragraphs: ['Somebody asked for a new password for this address, but there is no account with it.'],
      action: '',
    },
    verify: {
      subject: 'Is this your address?',
      paragraphs: ['Please confirm that this address is yours. The link works once and for three days.'],
      action: 'Confirm the address',
    },
    invite: {
      subject: '{inviter} invites you to {app}',
      paragraphs: ['{inviter} invites you to {tenant}. The link works once and for seven days.'],
      action: 'Accept the invitation',
    },
    email_changed: {
      subject: 'Your address was changed',
      paragraphs: ['You now sign in to {app} with {email}. If that was not you, tell your administrator at once.'],
      action: '',
    },
    password_changed: {
      subject: 'Your password was changed',
      paragraphs: [
        'The password of your account was changed on {time}. If that was not you, choose a new one at once.',
      ],
      action: 'Choose a new password',
    },
    new_address: {
      subject: 'You signed in from a new place',
      paragraphs: ['Somebody, we hope you, signed in to your account from the address {address} on {time}.'],
      action: 'See where you are signed in',
    },
    second_factor_changed: {
      subject: 'How you sign in was changed',
      paragraphs: [
        'A second factor or a passkey of your account was added, removed or used up on {time}. If that was not you, tell your administrator at once.',
      ],
      action: 'See how you sign in',
    },
  },
}

const german: Language = {
  unsubscribe: 'Keine solchen Nachrichten mehr: {url}',
  letters: {
    reset: {
      subject: 'Ein neues Passwort für {app}',
      paragraphs: [
        'Jemand, hoffentlich du, hat um ein neues Passwort gebeten. Dieser Link gilt einmal und eine Stunde lang.',
        'Warst du es nicht, tu nichts: dein Passwort bleibt, wie es ist.',
      ],
      action: 'Neues Passwort wählen',
    },
    no_account: {
      subject: 'Ein neues Passwort für {app}',
      paragraphs: ['Jemand hat für diese Adresse um ein neues Passwort gebeten, aber es gibt kein Konto mit ihr.'],
      action: '',
    },
    verify: {
      subject: 'Ist das deine Adresse?',
      paragraphs: ['Bitte bestätige, dass diese Adresse dir gehört. Der Link gilt einmal und drei Tage lang.'],
      action: 'Adresse bestätigen',
    },
    invite: {
      subject: '{inviter} lädt dich zu {app} ein',
      paragraphs: ['{inviter} lädt dich zu {tenant} ein. Der Link gilt einmal und sieben Tage lang.'],
      action: 'Einladung annehmen',
    },
    email_changed: {
      subject: 'Deine Adresse wurde geändert',
      paragraphs: [
        'Bei {app} meldest du dich jetzt mit {email} an. Warst du das nicht, sag es sofort deinem Administrator.',
      ],
      action: '',
    },
    password_changed: {
      subject: 'Dein Passwort wurde geändert',
      paragraphs: ['Das Passwort deines Kontos wurde am {time} geändert. Warst du das nicht, wähle sofort ein neues.'],
      action: 'Neues Passwort wählen',
    },
    new_address: {
      subject: 'Anmeldung von einem neuen Ort',
      paragraphs: ['Jemand, hoffentlich du, hat sich am {time} von der Adresse {address} an deinem Konto angemeldet.'],
      action: 'Zeigen, wo du angemeldet bist',
    },
    second_factor_changed: {
      subject: 'Deine Anmeldung wurde geändert',
      paragraphs: [
        'Ein zweiter Faktor oder Passkey deines Kontos wurde am {time} hinzugefügt, entfernt oder verbraucht. Warst du das nicht, sag es sofort deinem Administrator.',
      ],
      action: 'Zeigen, wie du dich anmeldest',
    },
  },
}

const spanish: Language = {
  unsubscribe: 'No recibir más mensajes de este tipo: {url}',
  letters: {
    reset: {
      subject: 'Una contraseña nueva para {app}',
      paragraphs: [
        'Alguien, esperamos que tú, ha pedido una contraseña nueva. Este enlace sirve una vez y durante una hora.',
        'Si no has sido tú, no hagas nada: tu contraseña sigue igual.',
      ],
      action: 'Elegir una contraseña nueva',
    },
    no_account: {
      subject: 'Una contraseña nueva para {app}',
      paragraphs: ['Alguien ha pedido una contraseña nueva para esta dirección, pero no hay ninguna cuenta con ella.'],
      action: '',
    },
    verify: {
      subject: '¿Es esta tu dirección?',
      paragraphs: ['Confirma que esta dirección es tuya. El enlace sirve una vez y durante tres días.'],
      action: 'Confirmar la dirección',
    },
    invite: {
      subject: '{inviter} te invita a {app}',
      paragraphs: ['{inviter} te invita a {tenant}. El enlace sirve una vez y durante siete días.'],
      action: 'Aceptar la invitación',
    },
    email_changed: {
      subject: 'Tu dirección ha cambiado',
      paragraphs: ['Ahora entras en {app} con {email}. Si no has sido tú, avisa enseguida a tu administrador.'],
      action: '',
    },
    password_changed: {
      subject: 'Tu contraseña ha cambiado',
      paragraphs: ['La contraseña de tu cuenta cambió el {time}. Si no has sido tú, elige otra enseguida.'],
      action: 'Elegir una contraseña nueva',
    },
    new_address: {
      subject: 'Has entrado desde otro lugar',
      paragraphs: ['Alguien, esperamos que tú, ha entrado en tu cuenta desde la dirección {address} el {time}.'],
      action: 'Ver dónde has entrado',
    },
    second_factor_changed: {
      subject: 'Tu forma de entrar ha cambiado',
      paragraphs: [
        'El {time} se añadió, se quitó o se gastó un segundo factor o una llave de acceso de tu cuenta. Si no has sido tú, avisa enseguida a tu administrador.',
      ],
      action: 'Ver cómo entras',
    },
  },
}

const languages: Record<string, Language> = { en: english, de: german, es: spanish }
const languageOf = (locale: string): Language => languages[locale.split('-')[0] ?? ''] ?? english

/** A name that breaks a line in a subject would be refused when it is sent. */
const fill = (text: string, values: Record<string, string>): string =>
  text.replaceAll(/\{(\w+)\}/g, (_, name: string) => (values[name] ?? '').replaceAll(/\p{Cc}+/gu, ' '))

/** The letter in the person's language, or in English. */
export function wordLetter(name: LetterName, locale: string, values: Record<string, string>): Wording {
  const { subject, paragraphs, action } = languageOf(locale).letters[name]
  return {
    subject: fill(subject, values),
    paragraphs: paragraphs.map((paragraph) => fill(paragraph, values)),
    action: fill(action, values),
  }
}

export const wordUnsubscribe = (locale: string, url: string): string => fill(languageOf(locale).unsubscribe, { url })

export const wordTime = (locale: string, at: Date): string =>
  `${new Intl.DateTimeFormat(languages[locale.split('-')[0] ?? ''] ? locale : 'en', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }).format(at)} UTC`
