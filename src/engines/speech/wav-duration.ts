/** Seconds of a RIFF WAVE file by its own header; undefined when it is none. Streamed files say 0 or 2³²−1 bytes of samples: then what is there counts. */
export function wavDuration(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const name = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))
  if (bytes.length < 44 || name(0) !== 'RIFF' || name(8) !== 'WAVE') return undefined
  let byteRate = 0
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true)
    if (name(at) === 'fmt ' && at + 20 <= bytes.length) byteRate = view.getUint32(at + 16, true)
    if (name(at) === 'data') {
      const there = bytes.length - at - 8
      return byteRate > 0 ? (size > 0 && size <= there ? size : there) / byteRate : undefined
    }
    at += 8 + size + (size % 2)
  }
  return undefined
}
