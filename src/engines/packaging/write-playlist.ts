import { oneLine, type Sheet, type Track } from './write-cue-sheet.ts'

/** An extended M3U in UTF-8. Durations are whole seconds there. */
export function writePlaylist(sheet: Sheet, tracks: Track[]): string {
  const artist = oneLine(sheet.performer)
  const lines = tracks.map((track) => {
    const title = [artist, oneLine(track.title)].filter(Boolean).join(' - ')
    return `#EXTINF:${Math.round(track.duration)},${title}\n${track.file}\n`
  })
  return `#EXTM3U\n#EXTENC:UTF-8\n#PLAYLIST:${oneLine(sheet.title)}\n${lines.join('')}`
}
