import { auditLogs } from '../../kit/audit.table.ts'
import { resource } from '../../kit/resource.ts'

const { list, get } = resource(auditLogs)
export const operations = { list, get }
