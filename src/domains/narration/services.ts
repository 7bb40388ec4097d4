import type { LanguageModel } from 'ai'
import type { Media } from '../../engines/media/media.ts'
import type { Speech } from '../../engines/speech/open-speech.ts'
import type { BlobStore } from '../../engines/storage/storage.ts'
import type { Config } from '../../kit/config.ts'

declare module '../../kit/operation.ts' {
  interface Services {
    config: Config
    storage: BlobStore
    speech: Speech
    media: Media
    /** null when none is configured; its client is loaded with the first call. */
    languageModel: (() => Promise<LanguageModel>) | null
    /** A folder on this machine for files that live as long as one step. */
    scratch: string
  }
}

declare module '../../kit/events.ts' {
  interface EventPayloads {
    'manuscript.read': { project_id: string }
    'characters.detected': { project_id: string }
    'chapter.narrated': { project_id: string; chapter_id: string; number: number }
    'package.made': { project_id: string; package_id: string; format: string }
  }
}
