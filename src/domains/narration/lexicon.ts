import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { checkPhonemes } from '../../engines/speech/check-phonemes.ts'
import { parsePls } from '../../engines/speech/parse-pls.ts'
import { writePls } from '../../engines/speech/write-pls.ts'
import { slug } from '../../engines/packaging/name-files.ts'
import type { Row } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, file, operation, upload } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { textReply } from './blob-reply.ts'
import { lexiconRows } from './lexicon-rows.ts'
import { projectLexicon } from './line-settings.ts'
import { markStale } from './mark-stale.ts'
import { lexiconEntries } from './narration.table.ts'
import { findProject, requireEditable } from './project-state.ts'

const { list, get, create, update, remove } = resource(lexiconEntries)
const grapheme = z.string().trim().min(1).max(200)
const byId = z.object({ id: Id })

type Entry = Pick<Row<typeof lexiconEntries>, 'alias' | 'phoneme' | 'alphabet'>

function requireSaid({ alias, phoneme, alphabet }: Entry): void {
  if (!alias?.trim() && !phoneme?.trim())
    throw new Problem(400, 'invalid_input', 'alias: an entry needs an alias or a phoneme', { field: 'alias' })
  if (phoneme) checkPhonemes(phoneme, alphabet)
}

async function findEntry({ tx }: Pick<Context, 'tx'>, id: string): Promise<Row<typeof lexiconEntries>> {
  return tx
    .selectFrom('lexicon_entries')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound('lexicon entry'))
}

export const lexiconOperations = {
  list,
  get,
  create: operation({
    ...create,
    summary: 'Say how a word is pronounced: like other words (alias), or in IPA or X-SAMPA (phoneme)',
    input: lexiconEntries.create.extend({ grapheme }),
    async run(context, input) {
      await requireEditable(context.tx, input.project_id)
      requireSaid({ alias: input.alias ?? null, phoneme: input.phoneme ?? null, alphabet: input.alphabet ?? 'ipa' })
      const made = await create.run(context, input)
      await markStale(context.tx, context.services, input.project_id)
      return made
    },
  }),
  update: operation({
    ...update,
    input: lexiconEntries.update.extend({ id: Id, grapheme: grapheme.optional() }),
    async run(context, input) {
      const before = await findEntry(context, input.id)
      await requireEditable(context.tx, before.project_id)
      const { alias = before.alias, phoneme = before.phoneme, alphabet = before.alphabet } = input
      requireSaid({ alias, phoneme, alphabet })
      const after = await update.run(context, input)
      await markStale(context.tx, context.services, before.project_id)
      return after
    },
  }),
  remove: operation({
    ...remove,
    async run(context, input) {
      const { project_id } = await findEntry(context, input.id)
      await requireEditable(context.tx, project_id)
      const removed = await remove.run(context, input)
      await markStale(context.tx, context.services, project_id)
      return removed
    },
  }),
  import: operation({
    name: 'lexicon.import',
    method: 'POST',
    path: '/v1/projects/:id/lexicon',
    summary: 'Take in a pronunciation lexicon (W3C PLS); words that are there already get its pronunciations',
    input: byId.extend({ file: upload() }),
    output: z.object({ imported: z.number(), replaced: z.number() }),
    async run({ tx, services }, { id, file }) {
      await requireEditable(tx, id)
      if (file.size > longestLexicon)
        throw new Problem(413, 'file_too_large', `file: a lexicon may be ${longestLexicon / 1_000_000} MB long`, {
          field: 'file',
          limit: longestLexicon,
        })
      const rows = lexiconRows(id, parsePls(await readFile(file.path, 'utf8')))
      const unique = [...new Map(rows.map((row) => [row.grapheme, row])).values()]
      const known = new Set(
        (await tx.selectFrom('lexicon_entries').select('grapheme').where('project_id', '=', id).execute()).map(
          (row) => row.grapheme,
        ),
      )
      // 65,535 parameters at most in one statement.
      for (let from = 0; from < unique.length; from += 5000) {
        await tx
          .insertInto('lexicon_entries')
          .values(unique.slice(from, from + 5000))
          .onConflict((conflict) =>
            conflict.columns(['tenant_id', 'project_id', 'grapheme']).doUpdateSet((excluded) => ({
              alias: excluded.ref('excluded.alias'),
              phoneme: excluded.ref('excluded.phoneme'),
              alphabet: excluded.ref('excluded.alphabet'),
              updated_at: excluded.fn('now', []),
            })),
          )
          .execute()
      }
      await markStale(tx, services, id)
      return { imported: unique.length, replaced: unique.filter((row) => known.has(row.grapheme)).length }
    },
  }),
  export: operation({
    name: 'lexicon.export',
    method: 'GET',
    path: '/v1/projects/:id/lexicon',
    summary: "Download a project's pronunciations (W3C PLS)",
    input: byId,
    output: file('application/pls+xml'),
    async run({ tx }, { id }) {
      const project = await findProject(tx, id)
      const filename = `${slug(project.title)}.pls`
      return textReply(writePls(await projectLexicon(tx, project)), { filename, mediaType: 'application/pls+xml' })
    },
  }),
}

/** Bytes. */
const longestLexicon = 20_000_000
