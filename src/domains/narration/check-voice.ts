import { Problem } from '../../kit/errors.ts'
import type { Services } from '../../kit/operation.ts'

/**
 * @param field of the input, for the Problem
 * @throws Problem 400 voice_unknown
 */
export async function requireVoice(
  { speech }: Pick<Services, 'speech'>,
  voice: string,
  field = 'voice_id',
): Promise<void> {
  const engine = speech.engines.find(({ provider }) => voice.startsWith(`${provider}:`))
  // A provider that doesn't answer now can't say that it hasn't the voice.
  const own = engine && (await engine.voices().catch(() => null))
  if (own === null || own?.some(({ id }) => id === voice)) return
  const { voices } = await speech.voices()
  const near = voices.filter(({ id }) => id.endsWith(`:${voice}`) || id.toLowerCase() === voice.toLowerCase())
  const hint =
    near.length > 0
      ? ` Did you mean ${near
          .slice(0, 3)
          .map(({ id }) => id)
          .join(' or ')}?`
      : ''
  throw new Problem(400, 'voice_unknown', `${field}: there is no voice '${voice}'.${hint}`, { field, voice })
}
