import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { Problem } from './errors.ts'

const whole = (value: number) => z.coerce.number().int().min(0).default(value)
const url = z.url().optional()

/** Every setting, once: an environment variable, its type, its default and what it is for. `voicepress config` prints them. */
export const configSchema = z.object({
  VOICEPRESS_DATA: z
    .string()
    .default(join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'voicepress'))
    .describe('Folder for the embedded database, files and the secret'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
    .optional()
    .describe('PostgreSQL 15 or newer, as its owner; without it the embedded one is started'),
  VOICEPRESS_SECRET: z
    .string()
    .min(32)
    .optional()
    .describe('At least 32 characters; made and kept in the data folder when absent'),
  VOICEPRESS_HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  VOICEPRESS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(7420)
    .describe('Port to listen on; 0 takes a free one'),
  VOICEPRESS_PUBLIC_URL: url.describe('Where people reach this server, when a proxy stands before it'),
  VOICEPRESS_TRUST_PROXY: z
    .stringbool()
    .default(false)
    .describe('Believe X-Forwarded-* of the proxy before this server'),
  VOICEPRESS_INTERNAL_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Port at which a proxy asks whether a name is served (Caddy: ask http://127.0.0.1:PORT/ask)'),
  VOICEPRESS_INTERNAL_HOST: z.string().default('127.0.0.1').describe('Address of that port'),
  VOICEPRESS_RATE_LIMITS: z.stringbool().default(true).describe('Hold tenants to the requests a minute of their plan'),
  VOICEPRESS_API_USAGE_DAYS: whole(90).describe('Days a request is remembered one by one'),
  VOICEPRESS_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('How much is logged'),
  VOICEPRESS_WORKERS: whole(2).describe('Background jobs run at once by this process; 0 leaves them to others'),
  VOICEPRESS_POOL: whole(10).describe('Database connections of this process'),
  VOICEPRESS_MAX_UPLOAD_MB: whole(500).describe('Largest file that is accepted'),
  VOICEPRESS_CACHE_DAYS: whole(365).describe('Days a synthesised segment is kept after its last use'),
  VOICEPRESS_PACKAGE_DAYS: whole(30).describe('Days a finished package is kept'),
  STORAGE_URL: z
    .string()
    .optional()
    .describe('s3://bucket?endpoint=…&region=…&pathStyle=true or azure://container; local files without it'),
  AZURE_STORAGE_CONNECTION_STRING: z.string().optional().describe('For azure:// storage'),
  AWS_ACCESS_KEY_ID: z.string().optional().describe('For s3:// storage'),
  AWS_SECRET_ACCESS_KEY: z.string().optional().describe('For s3:// storage'),
  VOICEPRESS_PRIVATE_ADDRESSES: z
    .stringbool()
    .default(false)
    .describe(
      'Let what tenants configure, OpenID providers say, lie in this network; without it only addresses on the Internet are asked',
    ),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, 'must begin with smtp:// or smtps://')
    .optional()
    .describe('smtp://user:password@host:587 or smtps://…; letters are written to the data folder without it'),
  MAIL_FROM: z.email().default('voicepress@localhost.localdomain').describe('Whom letters come from'),
  BREACHED_PASSWORDS_URL: url.describe(
    'A range service like https://api.pwnedpasswords.com that is asked whether a password has leaked; it gets five digits of a hash',
  ),
  OPENAI_API_KEY: z.string().optional().describe('OpenAI voices'),
  AZURE_SPEECH_KEY: z.string().optional().describe('Azure voices, with AZURE_SPEECH_REGION'),
  AZURE_SPEECH_REGION: z
    .string()
    .regex(/^[a-z0-9]+$/)
    .optional()
    .describe('As in westeurope'),
  ELEVENLABS_API_KEY: z.string().optional().describe('ElevenLabs voices'),
  SPEECH_BASE_URL: url.describe('An OpenAI-compatible speech server: Kokoro, Piper and others'),
  SPEECH_API_KEY: z.string().optional().describe('Its key, when it wants one'),
  SPEECH_MODEL: z.string().default('tts-1').describe('Its model'),
  LANGUAGE_MODEL: z
    .string()
    .optional()
    .describe('Name of a language model that detects characters, or a deployment on Azure'),
  LANGUAGE_MODEL_PROVIDER: z
    .enum(['openai', 'azure', 'compatible'])
    .default('compatible')
    .describe('openai, azure, or compatible: Ollama and all others'),
  LANGUAGE_MODEL_BASE_URL: url.describe('As in http://localhost:11434/v1 for Ollama'),
  LANGUAGE_MODEL_API_KEY: z.string().optional().describe('Its key, when it wants one'),
})

export type Settings = z.output<typeof configSchema>
export interface Config extends Settings {
  /** Absolute. */
  data: string
  secret: string
}

export function readConfig(environment: Record<string, string | undefined>): Config {
  // An empty variable is one that a compose file left blank: as good as absent.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const parsed = configSchema.safeParse(given)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Problem(500, 'bad_configuration', `${issue?.path.join('.')}: ${issue?.message}`)
  }
  const data = resolve(parsed.data.VOICEPRESS_DATA)
  return { ...parsed.data, data, secret: parsed.data.VOICEPRESS_SECRET ?? ownSecret(data) }
}

function ownSecret(data: string): string {
  const path = join(data, 'secret')
  mkdirSync(data, { recursive: true })
  try {
    // 'wx': of two processes that start together one makes it and both use it.
    writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' })
    chmodSync(path, 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(path, 'utf8').trim()
}
