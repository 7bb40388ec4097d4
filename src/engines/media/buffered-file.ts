import { closeSync, openSync, writeSync } from 'node:fs'

const BUFFER = 1 << 18

/** A file written in large pieces: a system call a packet would cost more than the packet. `onBytes` sees each of them, in order. */
export const bufferedFile = (file: string, onBytes?: (bytes: Uint8Array) => void) => {
  const descriptor = openSync(file, 'w')
  const buffer = Buffer.allocUnsafe(BUFFER)
  let filled = 0
  let isOpen = true
  const flush = () => {
    onBytes?.(buffer.subarray(0, filled))
    for (let at = 0; at < filled; ) at += writeSync(descriptor, buffer, at, filled - at)
    filled = 0
  }
  return {
    write(bytes: Uint8Array) {
      for (let at = 0; at < bytes.length; ) {
        const count = Math.min(BUFFER - filled, bytes.length - at)
        buffer.set(bytes.subarray(at, at + count), filled)
        filled += count
        at += count
        if (filled === BUFFER) flush()
      }
    },
    flush,
    writeAt: (position: number, bytes: Uint8Array) => writeSync(descriptor, bytes, 0, bytes.length, position),
    close() {
      if (isOpen) closeSync(descriptor)
      isOpen = false
    },
  }
}
