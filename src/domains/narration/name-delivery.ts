import { basename } from 'node:path'
import type { DeliveryReport, FileReport } from '../../engines/media/media.ts'

/** A report as it may leave this machine: files by their own names and not by where they lie, and figures that JSON has (digital silence is −∞ dB). */
export const nameDelivery = (
  report: DeliveryReport,
  nameOf: (file: string) => string = (file) => basename(file),
): DeliveryReport => ({
  ...report,
  files: report.files.map(
    (one): FileReport => ({
      ...one,
      file: nameOf(one.file),
      figures: one.figures.map((figure) => ({
        ...figure,
        value: typeof figure.value === 'number' && !Number.isFinite(figure.value) ? String(figure.value) : figure.value,
      })),
    }),
  ),
})
