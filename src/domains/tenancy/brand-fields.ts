import { z } from 'zod'

/** sRGB, as `#rrggbb`. */
export const colour = z
  .string()
  .regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour as #rrggbb')
  .toLowerCase()

export const theme = z.strictObject({
  primaryColor: colour.optional(),
  secondaryColor: colour.optional(),
  textColor: colour.optional(),
  backgroundColor: colour.optional(),
  /** Names of installed fonts, as in CSS; nothing that could end the declaration it stands in. */
  fontFamily: z
    .string()
    .max(200)
    .regex(/^[\p{L}\p{N} ,'"-]*$/u, 'must be names of fonts')
    .optional(),
})
export type Theme = z.output<typeof theme>

export const assetKinds = ['logo', 'favicon', 'loginBackground'] as const
export type AssetKind = (typeof assetKinds)[number]
const asset = z.strictObject({ blob: z.string(), media_type: z.string(), size: z.number(), hash: z.string() })
export const assets = z.partialRecord(z.enum(assetKinds), asset)
export type Assets = z.output<typeof assets>

export const texts = z.strictObject({
  appName: z.string().min(1).max(100).optional(),
  tagline: z.string().max(200).optional(),
  footerText: z.string().max(500).optional(),
})
export type Texts = z.output<typeof texts>
