import { z } from 'zod'
import { auditLogs } from '../../kit/audit.table.ts'
import { Problem } from '../../kit/errors.ts'
import { file, operation } from '../../kit/operation.ts'
import { page, pageOf, resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { exportAudit } from './export-audit.ts'
import { auditFilter, selectAudit } from './select-audit.ts'
import { verification, verifyAudit } from './verify-audit.ts'
import { readHead, writeWitness } from './witness-chain.ts'

const { get } = resource(auditLogs)

export const auditLogOperations = {
  list: operation({
    name: 'audit_logs.list',
    method: 'GET',
    path: '/v1/audit-logs',
    summary: 'List audit entries, newest first',
    input: auditFilter.extend({ limit: z.number().int().min(1).max(200).default(50), after: Id.optional() }),
    output: page(auditLogs.row),
    async run({ tx }, { limit, after, ...filter }) {
      const query = selectAudit(tx, filter)
        .orderBy('id', 'desc')
        .limit(limit + 1)
      return pageOf(await (after ? query.where('id', '<', after) : query).execute(), limit)
    },
  }),
  get,
}

export const auditOperations = {
  verify: operation({
    name: 'audit.verify',
    method: 'GET',
    path: '/v1/audit/verify',
    summary:
      'Look for entries of the audit trail that were removed or altered; name the end of an earlier verification to have it checked too',
    input: z.object({ sequence: z.number().int().min(1).optional(), hash: z.string().length(64).optional() }),
    output: verification,
    run(context, { sequence, hash }) {
      if ((sequence === undefined) !== (hash === undefined))
        throw new Problem(400, 'invalid_input', 'Name both sequence and hash, or neither.', {
          field: sequence === undefined ? 'sequence' : 'hash',
        })
      return verifyAudit(context, sequence === undefined || hash === undefined ? undefined : { sequence, hash })
    },
  }),
  export: operation({
    name: 'audit.export',
    method: 'GET',
    writes: true,
    path: '/v1/audit/export',
    summary: 'Download audit entries, oldest first, as CSV or as lines of JSON',
    input: auditFilter.extend({ format: z.enum(['csv', 'jsonl']).default('jsonl') }),
    output: file(),
    run: (context, { format, ...filter }) => exportAudit(context, format, filter),
  }),
  acknowledge: operation({
    name: 'audit.acknowledge',
    method: 'POST',
    path: '/v1/audit/acknowledge',
    summary:
      'Write down why the audit trail does not go through its witness any more, a restored backup say, and let it go on from here',
    input: z.object({ reason: z.string().min(10).max(2000) }),
    output: z.object({ sequence: z.number(), hash: z.string() }),
    async run({ tx, services, principal, afterCommit, emit, request }, { reason }) {
      const head = await readHead(tx)
      await emit('security.audit_chain_acknowledged', {
        user_id: principal.user,
        severity: 'high',
        ip_address: request.address,
        details: { reason, sequence: head.sequence },
      })
      afterCommit(() => writeWitness(services.storage, services.config.secret, principal.tenant, head))
      return head
    },
  }),
}
