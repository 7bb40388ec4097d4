import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { sql } from 'kysely'
import { z } from 'zod'
import { readImageKind } from '../../engines/packaging/read-image-kind.ts'
import type { Tx } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, type FileReply, type Upload, file, operation, upload } from '../../kit/operation.ts'
import { resource, toColumns } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { type AssetKind, type Assets, assetKinds, texts, theme } from './brand-fields.ts'
import { requireLegible } from './check-contrast.ts'
import { requireFeature } from './features.ts'
import { type BrandLayer, type Branding, defaultTheme, mergeBranding, writeStyle } from './merge-branding.ts'
import { requireReseller } from './plans.ts'
import { brandingConfigurations, whiteLabelSettings } from './resellers.table.ts'
import { etagOf } from './write-csv.ts'

const kind = z.enum(assetKinds)
const none = z.object({})
const byId = z.object({ id: Id })
const largestAsset = 1024 * 1024

const layersOf = async (tx: Tx): Promise<BrandLayer[]> =>
  (await sql<BrandLayer>`select * from branding_layers()`.execute(tx)).rows

/** How the current tenant looks: default, its reseller's, its own. */
export const loadBranding = async (tx: Tx): Promise<Branding> => mergeBranding(await layersOf(tx))

const text = (body: string, filename: string, mediaType: string): FileReply => {
  const bytes = Buffer.from(body)
  return {
    filename,
    mediaType,
    inline: true,
    size: bytes.length,
    etag: etagOf(bytes),
    open: async (range) => Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes]),
  }
}

/** What everyone may see of a host before they sign in. */
export const brandingOperations = {
  show: operation({
    name: 'branding.show',
    method: 'GET',
    path: '/v1/branding',
    summary: 'Show how this host looks: colours, texts, where its images are',
    public: true,
    input: none,
    output: z.object({
      theme: theme.required().extend({ onPrimaryColor: z.string() }),
      assets: z.partialRecord(kind, z.string()),
      texts: texts.required(),
    }),
    async run({ tx }) {
      const branding = await loadBranding(tx)
      return {
        ...branding,
        assets: Object.fromEntries(
          Object.entries(branding.assets).map(([name, asset]) => [
            name,
            `/v1/branding/assets/${name}?v=${asset?.hash.slice(0, 12)}`,
          ]),
        ),
      }
    },
  }),
  style: operation({
    name: 'branding.style',
    method: 'GET',
    path: '/v1/branding/style.css',
    summary: 'The same colours and font as CSS custom properties',
    public: true,
    input: none,
    output: file('text/css'),
    run: async ({ tx }) => text(writeStyle(await loadBranding(tx)), 'style.css', 'text/css; charset=utf-8'),
  }),
  asset: operation({
    name: 'branding.asset',
    method: 'GET',
    path: '/v1/branding/assets/:kind',
    summary: "An image of this host's look",
    public: true,
    input: z.object({ kind, v: z.string().max(64).optional() }),
    output: file('image/*'),
    async run({ tx, services }, { kind }): Promise<FileReply> {
      const asset = (await loadBranding(tx)).assets[kind]
      if (!asset) throw notFound('image')
      return {
        filename: `${kind}.${asset.blob.split('.').at(-1)}`,
        mediaType: asset.media_type,
        inline: true,
        size: asset.size,
        etag: asset.hash,
        open: (range) => services.storage.get(asset.blob, range),
      }
    },
  }),
}

/** Stores an image under its hash. SVG may hold scripts and is refused. */
async function storeAsset(context: Context, kind: AssetKind, received: Upload): Promise<Assets> {
  if (received.size > largestAsset)
    throw new Problem(413, 'file_too_large', 'file: an image of at most 1 MiB', {
      field: 'file',
      limit: largestAsset,
      unit: 'bytes',
    })
  const bytes = await readFile(received.path)
  const image = readImageKind(bytes)
  if (!image || image.extension === 'svg')
    throw new Problem(415, 'unsupported_media_type', 'file: a PNG, JPEG, GIF or WebP image', { field: 'file' })
  const hash = createHash('sha256').update(bytes).digest('hex')
  const blob = `tenants/${context.principal.tenant}/branding/${kind}-${hash.slice(0, 32)}.${image.extension}`
  await context.services.storage.put(blob, createReadStream(received.path), { mediaType: image.mediaType })
  return { [kind]: { blob, media_type: image.mediaType, size: bytes.length, hash } } as Assets
}

const looks = resource(brandingConfigurations)
const configuration = brandingConfigurations.create

/** A reseller's; over the default look they are checked as they would show. */
export const brandingConfigurationOperations = {
  list: looks.list,
  get: looks.get,
  create: operation({
    ...looks.create,
    async run({ tx }, input: z.output<typeof configuration>) {
      const seller = await requireReseller(tx)
      requireLegible({ ...defaultTheme, ...input.theme })
      if (input.is_default)
        await tx
          .updateTable('branding_configurations')
          .set({ is_default: false })
          .where('is_default', '=', true)
          .execute()
      return tx
        .insertInto('branding_configurations')
        .values({ ...(toColumns(brandingConfigurations, input) as typeof input), reseller_id: seller })
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
  update: operation({
    ...looks.update,
    async run(context, input) {
      await requireReseller(context.tx)
      if (input.theme) requireLegible({ ...defaultTheme, ...input.theme })
      if (input.is_default)
        await context.tx
          .updateTable('branding_configurations')
          .set({ is_default: false })
          .where('is_default', '=', true)
          .where('id', '<>', input.id)
          .execute()
      return looks.update.run(context, input)
    },
  }),
  upload: operation({
    name: 'branding_configurations.upload',
    method: 'POST',
    path: '/v1/branding-configurations/:id/assets/:kind',
    summary: 'Store the logo, favicon or sign-in background of a branding',
    input: byId.extend({ kind, file: upload() }),
    output: brandingConfigurations.row,
    async run(context, { id, kind, file }) {
      await requireReseller(context.tx)
      await looks.get.run(context, { id })
      const added = await storeAsset(context, kind, file)
      return context.tx
        .updateTable('branding_configurations')
        .set({ assets: sql`assets || ${JSON.stringify(added)}::jsonb`, updated_at: sql`now()` })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
  remove: looks.remove,
}

const ownLook = async (tx: Tx) => tx.selectFrom('white_label_settings').selectAll().executeTakeFirst()

/** The row of the current tenant, made when there is none. */
export async function changeOwnLook(tx: Tx, changes: Record<string, unknown>) {
  await sql`insert into white_label_settings default values on conflict (tenant_id) do nothing`.execute(tx)
  return tx
    .updateTable('white_label_settings')
    .set({ ...toColumns(whiteLabelSettings, changes), updated_at: sql`now()` })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** A tenant's own look over its reseller's. */
export const whiteLabelOperations = {
  get: operation({
    name: 'white_label.get',
    method: 'GET',
    path: '/v1/white-label',
    summary: "Show your tenant's own look and domain",
    input: none,
    output: whiteLabelSettings.row.nullable(),
    run: async ({ tx }) => (await ownLook(tx)) ?? null,
  }),
  update: operation({
    name: 'white_label.update',
    method: 'PATCH',
    path: '/v1/white-label',
    summary: "Change your tenant's own look; what is not set is your reseller's",
    input: whiteLabelSettings.update,
    output: whiteLabelSettings.row,
    async run({ tx }, changes) {
      await requireFeature(tx, 'white_label')
      const before = await ownLook(tx)
      const primary = changes.primary_color === undefined ? before?.primary_color : changes.primary_color
      const below = mergeBranding((await layersOf(tx)).filter(({ layer }) => layer === 'reseller'))
      requireLegible({ ...below.theme, ...(changes.theme ?? before?.theme), ...(primary && { primaryColor: primary }) })
      return changeOwnLook(tx, changes)
    },
  }),
  upload: operation({
    name: 'white_label.upload',
    method: 'POST',
    path: '/v1/white-label/assets/:kind',
    summary: "Store your tenant's own logo, favicon or sign-in background",
    input: z.object({ kind, file: upload() }),
    output: whiteLabelSettings.row,
    async run(context, { kind, file }) {
      await requireFeature(context.tx, 'white_label')
      const added = await storeAsset(context, kind, file)
      const before = await ownLook(context.tx)
      return changeOwnLook(context.tx, {
        assets: { ...before?.assets, ...added },
        ...(kind === 'logo' && { logo_url: `/v1/branding/assets/logo?v=${added.logo?.hash.slice(0, 12)}` }),
      })
    },
  }),
}
