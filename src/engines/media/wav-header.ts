import { MASTER_RATE } from './mono.ts'

const RIFF_LIMIT = 0xffffffff

/**
 * 80 bytes before 16-bit mono samples at the master rate: RIFF with a JUNK chunk that becomes ds64 when the samples pass 4 GiB
 * (RF64, EBU Tech 3306).
 */
export const wavHeader = (sampleCount: number): Buffer => {
  const header = Buffer.alloc(80)
  const dataBytes = sampleCount * 2
  const isLarge = dataBytes + 72 > RIFF_LIMIT
  header.write(isLarge ? 'RF64' : 'RIFF', 0, 'latin1')
  header.writeUInt32LE(isLarge ? RIFF_LIMIT : dataBytes + 72, 4)
  header.write(isLarge ? 'WAVEds64' : 'WAVEJUNK', 8, 'latin1')
  header.writeUInt32LE(28, 16)
  if (isLarge) {
    header.writeBigUInt64LE(BigInt(dataBytes + 72), 20)
    header.writeBigUInt64LE(BigInt(dataBytes), 28)
    header.writeBigUInt64LE(BigInt(sampleCount), 36)
  }
  header.write('fmt ', 48, 'latin1')
  header.writeUInt32LE(16, 52)
  header.writeUInt16LE(1, 56)
  header.writeUInt16LE(1, 58)
  header.writeUInt32LE(MASTER_RATE, 60)
  header.writeUInt32LE(MASTER_RATE * 2, 64)
  header.writeUInt16LE(2, 68)
  header.writeUInt16LE(16, 70)
  header.write('data', 72, 'latin1')
  header.writeUInt32LE(isLarge ? RIFF_LIMIT : dataBytes, 76)
  return header
}
