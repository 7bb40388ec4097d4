import { basename } from 'node:path'
import type { DeliveryReport, Figure } from '../engines/media/media.ts'
import { table } from './print-table.ts'

const signs = { pass: '✓', warn: '!', fail: '✗' }

/** Every figure of every file beside its limit. */
export const printDelivery = ({ files, profile, verdict }: DeliveryReport): string =>
  [
    ...files.map(
      ({ file, figures, verdict }) =>
        `${signs[verdict]} ${basename(file)}\n${table(['', 'Figure', 'Measured', 'Unit', 'Limit', 'Note'], figures.map(row))}`,
    ),
    `${signs[verdict]} ${profile}: ${verdict}`,
  ].join('\n')

const row = ({ name, value, unit, limit, verdict, note = '' }: Figure): string[] => [
  signs[verdict],
  name,
  typeof value === 'number' ? String(Math.round(value * 100) / 100) : String(value),
  unit,
  limit,
  note,
]
