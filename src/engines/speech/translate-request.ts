import { azureSsml } from './azure.ts'
import { breakTag } from './elevenlabs.ts'
import { toEspeakSource } from './espeak-source.ts'
import { ipaToEspeak } from './ipa-to-espeak.ts'
import { toPlainText } from './plain-text.ts'
import type { SynthesisRequest } from './speech.ts'
import { spokenRuns } from './spoken-runs.ts'

export interface TranslatedRequest {
  provider: string
  mediaType: string
  content: string
}

/** What a provider is sent for a request: Azure its own SSML, eSpeak NG text with phonemes in [[ ]], the others text with aliases said. For people to look at. */
export function translateRequest(request: SynthesisRequest): TranslatedRequest {
  const [provider = '', name = ''] = split(request.voice)
  if (provider === 'azure')
    return { provider, mediaType: 'application/ssml+xml', content: azureSsml(request, name).document }
  const runs = spokenRuns(request)
  const content =
    provider === 'espeak'
      ? toEspeakSource(runs, request.language, ipaToEspeak).source
      : toPlainText(runs, breakTag).text
  return { provider, mediaType: 'text/plain', content }
}

const split = (voice: string): string[] => [voice.slice(0, voice.indexOf(':')), voice.slice(voice.indexOf(':') + 1)]
