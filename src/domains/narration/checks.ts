import { z } from 'zod'
import { operation, upload } from '../../kit/operation.ts'
import { nameDelivery } from './name-delivery.ts'

const profiles = ['acx', 'm4b', 'podcast'] as const
const verdict = z.enum(['pass', 'warn', 'fail'])

export const checkOperations = {
  create: operation({
    name: 'checks.create',
    method: 'POST',
    path: '/v1/checks',
    summary: 'Measure an audio file against what a shop asks for; nothing of it is kept',
    input: z.strictObject({ file: upload(), profile: z.enum(profiles).optional() }),
    output: z
      .object({
        profile: z.enum(profiles),
        verdict,
        files: z.array(
          z.object({
            file: z.string(),
            verdict,
            figures: z.array(
              z.object({
                name: z.string(),
                value: z.union([z.number(), z.string(), z.boolean()]),
                unit: z.string(),
                limit: z.string(),
                verdict,
                note: z.string().optional(),
              }),
            ),
          }),
        ),
      })
      .meta({ id: 'delivery_check' }),
    run: async ({ services }, { file, profile }) =>
      nameDelivery(await services.media.check([file.path], profile), () => file.filename),
  }),
}
