import { join } from 'node:path'
import type { LanguageModel } from 'ai'
import type { MailConfig } from './engines/mail/open-mail.ts'
import type { SpeechEngine } from './engines/speech/speech.ts'
import type { SpeechOptions } from './engines/speech/open-speech.ts'
import type { StorageConfig } from './engines/storage/open-storage.ts'
import type { Config } from './kit/config.ts'
import { Problem } from './kit/errors.ts'

/** Local files, unless STORAGE_URL names a bucket or a container. */
export function storageSettings(config: Config): StorageConfig {
  if (!config.STORAGE_URL) return { kind: 'file', folder: join(config.data, 'files') }
  const url = new URL(config.STORAGE_URL)
  if (url.protocol === 's3:')
    return {
      kind: 's3',
      bucket: url.hostname,
      endpoint: url.searchParams.get('endpoint') ?? undefined,
      region: url.searchParams.get('region') ?? undefined,
      forcePathStyle: url.searchParams.get('pathStyle') === 'true',
      accessKeyId: config.AWS_ACCESS_KEY_ID,
      secretAccessKey: config.AWS_SECRET_ACCESS_KEY,
    }
  if (url.protocol === 'azure:' && config.AZURE_STORAGE_CONNECTION_STRING)
    return { kind: 'azure', container: url.hostname, connectionString: config.AZURE_STORAGE_CONNECTION_STRING }
  throw new Problem(
    500,
    'bad_configuration',
    'STORAGE_URL: must be s3://bucket, or azure://container with AZURE_STORAGE_CONNECTION_STRING',
  )
}

/** An SMTP server, or a folder beside the other data. */
export const mailSettings = (config: Config): MailConfig => ({
  url: config.SMTP_URL,
  folder: join(config.data, 'mail'),
  sender: { address: config.MAIL_FROM, name: 'Voicepress' },
})

/** The providers whose keys are there. Their clients are loaded only then: they would double the time of a start. */
export async function speechSettings(config: Config): Promise<SpeechOptions> {
  const engines: SpeechEngine[] = []
  if (config.OPENAI_API_KEY)
    engines.push((await import('./engines/speech/openai.ts')).openOpenai({ apiKey: config.OPENAI_API_KEY }))
  if (config.AZURE_SPEECH_KEY) {
    if (!config.AZURE_SPEECH_REGION)
      throw new Problem(500, 'bad_configuration', 'AZURE_SPEECH_REGION: is needed with AZURE_SPEECH_KEY')
    engines.push(
      (await import('./engines/speech/azure.ts')).openAzureSpeech({
        apiKey: config.AZURE_SPEECH_KEY,
        region: config.AZURE_SPEECH_REGION,
      }),
    )
  }
  if (config.ELEVENLABS_API_KEY)
    engines.push((await import('./engines/speech/elevenlabs.ts')).openElevenlabs({ apiKey: config.ELEVENLABS_API_KEY }))
  if (config.SPEECH_BASE_URL) {
    const { openCompatible } = await import('./engines/speech/compatible.ts')
    engines.push(
      openCompatible({
        provider: 'server',
        baseUrl: config.SPEECH_BASE_URL,
        apiKey: config.SPEECH_API_KEY,
        model: config.SPEECH_MODEL,
        local: true,
      }),
    )
  }
  return { engines }
}

/** The language model that may judge who speaks; none without LANGUAGE_MODEL. */
export function languageModelSettings(config: Config): (() => Promise<LanguageModel>) | null {
  const {
    LANGUAGE_MODEL: model,
    LANGUAGE_MODEL_PROVIDER: provider,
    LANGUAGE_MODEL_BASE_URL: baseURL,
    LANGUAGE_MODEL_API_KEY: apiKey,
  } = config
  if (!model) return null
  if (provider === 'compatible' && !baseURL)
    throw new Problem(
      500,
      'bad_configuration',
      'LANGUAGE_MODEL_BASE_URL: is needed for a compatible server, as in http://localhost:11434/v1',
    )
  return async () => {
    if (provider === 'openai') return (await import('@ai-sdk/openai')).createOpenAI({ apiKey, baseURL })(model)
    if (provider === 'azure') return (await import('@ai-sdk/azure')).createAzure({ apiKey, baseURL })(model)
    return (await import('@ai-sdk/openai-compatible')).createOpenAICompatible({
      name: 'server',
      apiKey,
      baseURL: baseURL ?? '',
      supportsStructuredOutputs: true,
    })(model)
  }
}
