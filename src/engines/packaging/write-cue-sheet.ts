export interface Track {
  /** As it lies beside the sheet. */
  file: string
  title: string
  /** Seconds. */
  duration: number
}

export interface Sheet {
  title: string
  performer: string
  /** ISO 8601 date; its year goes to the sheet. */
  date?: string
}

// The format numbers tracks with two digits, as on the compact disc.
const mostTracks = 99

/**
 * Cue sheets (CDRWIN user's guide, appendix A) with one file a track, as many as it takes: a sheet holds 99 tracks. The format has no
 * escape for the double quotation mark, so it becomes an apostrophe. A byte order mark goes first where there is more than ASCII.
 */
export function writeCueSheets(sheet: Sheet, tracks: Track[]): string[] {
  const sheets: string[] = []
  for (let first = 0; first < tracks.length; first += mostTracks) {
    const lines = [
      'REM GENRE Audiobook',
      ...(sheet.date ? [`REM DATE ${sheet.date.slice(0, 4)}`] : []),
      `PERFORMER ${quote(sheet.performer)}`,
      `TITLE ${quote(sheet.title)}`,
      ...tracks
        .slice(first, first + mostTracks)
        .flatMap((track, index) => [
          `FILE ${quote(track.file)} MP3`,
          `  TRACK ${String(index + 1).padStart(2, '0')} AUDIO`,
          `    TITLE ${quote(track.title)}`,
          `    PERFORMER ${quote(sheet.performer)}`,
          '    INDEX 01 00:00:00',
        ]),
    ]
    const text = `${lines.join('\r\n')}\r\n`
    sheets.push(/[^\p{ASCII}]/u.test(text) ? `\uFEFF${text}` : text)
  }
  return sheets
}

const quote = (text: string): string => `"${oneLine(text).replaceAll('"', "'")}"`

/** Without line breaks and control characters, which would end the line it stands in. */
export const oneLine = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029\s]+/gu, ' ')
    .trim()
