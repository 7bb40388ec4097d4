import type { Cast, CastChapter, CastOptions } from '../../engines/language/cast.ts'
import { detectCastWithModel } from '../../engines/language/detect-cast-with-model.ts'
import { billTokens } from '../../engines/language/prices.ts'
import { Problem } from '../../kit/errors.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { meter, requireTokens } from '../metering/meter.ts'

/** The rules' cast, judged by the configured language model; what it used is written down whether or not it was of use. */
export async function castWithModel(
  context: JobContext,
  project: string,
  chapters: CastChapter[],
  options: CastOptions,
): Promise<Cast> {
  const { languageModel, config } = context.services
  if (!languageModel || !config.LANGUAGE_MODEL)
    throw new Problem(
      409,
      'no_language_model',
      'settings.detector: this server has no language model (LANGUAGE_MODEL); use the rules instead.',
      { field: 'settings.detector' },
    )
  const model = config.LANGUAGE_MODEL
  await context.scoped((tx) => requireTokens(tx, context.principal.user), true)
  const { cast, usage } = await detectCastWithModel(chapters, { ...options, model: await languageModel() })
  const price = billTokens(model, usage.inputTokens, usage.outputTokens)
  await context.scoped((tx) =>
    meter(tx, [
      {
        user: context.principal.user,
        project,
        job: context.id,
        cost: {
          service: `${config.LANGUAGE_MODEL_PROVIDER}_language`,
          operation: 'character_detection',
          model,
          units: usage.inputTokens + usage.outputTokens,
          unitType: 'tokens',
          promptTokens: usage.inputTokens,
          completionTokens: usage.outputTokens,
          costUsd: price ?? 0,
          metadata: { ...usage, price: price === null ? 'unknown' : 'list' },
        },
      },
    ]),
  )
  return cast
}
