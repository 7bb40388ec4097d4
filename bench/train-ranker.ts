import type { Ranker } from '../src/engines/language/ranker.ts'

export interface Group {
  rows: Float32Array[]
  gold: boolean[]
}

/** A repeatable source of numbers in 0–1 (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Softmax over the candidates of each group, by Adam with weight decay, dropping a tenth of the inputs. */
export function trainRanker(
  groups: Group[],
  size: number,
  hidden: number,
  { epochs, seed }: { epochs: number; seed: number },
): Ranker {
  const next = random(seed)
  const counts = { input: size * hidden, line: size, bias: hidden, output: hidden }
  const total = counts.input + counts.line + counts.bias + counts.output
  const weights = new Float32Array(total)
  const gradient = new Float32Array(total)
  const mean = new Float32Array(total)
  const square = new Float32Array(total)
  const parts = (array: Float32Array): Pick<Ranker, 'input' | 'line' | 'bias' | 'output'> => ({
    input: array.subarray(0, counts.input),
    line: array.subarray(counts.input, counts.input + size),
    bias: array.subarray(counts.input + size, counts.input + size + hidden),
    output: array.subarray(counts.input + size + hidden),
  })
  const w = parts(weights)
  const g = parts(gradient)
  for (let i = 0; i < counts.input; i++) w.input[i] = (next() - 0.5) * 0.5
  for (let i = 0; i < hidden; i++) w.output[i] = (next() - 0.5) * 0.5
  const order = groups.map((_, index) => index)
  const batch = 32
  const decay = 1e-4
  let step = 0
  const units: Float32Array[] = Array.from({ length: 64 }, () => new Float32Array(hidden))
  const scores = new Float64Array(64)
  const steps = epochs * Math.ceil(groups.length / batch)
  const kept = new Uint8Array(size)
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1))
      const swap = order[i] as number
      order[i] = order[j] as number
      order[j] = swap
    }
    for (let from = 0; from < order.length; from += batch) {
      gradient.fill(0)
      const to = Math.min(order.length, from + batch)
      for (let at = from; at < to; at++) {
        const { rows, gold } = groups[order[at] as number] as Group
        for (let i = 0; i < size; i++) kept[i] = next() < 0.1 ? 0 : 1
        let top = -Infinity
        rows.forEach((row, r) => {
          const layer = units[r] as Float32Array
          layer.set(w.bias)
          let score = 0
          for (let i = 0; i < size; i++) {
            const value = row[i] as number
            if (value === 0 || kept[i] === 0) continue
            score += (w.line[i] as number) * value
            const base = i * hidden
            for (let u = 0; u < hidden; u++) layer[u] = (layer[u] as number) + (w.input[base + u] as number) * value
          }
          for (let u = 0; u < hidden; u++)
            if ((layer[u] as number) > 0) score += (w.output[u] as number) * (layer[u] as number)
          scores[r] = score
          top = Math.max(top, score)
        })
        let sum = 0
        let right = 0
        for (let r = 0; r < rows.length; r++) {
          scores[r] = Math.exp((scores[r] as number) - top)
          sum += scores[r] as number
          if (gold[r]) right += scores[r] as number
        }
        rows.forEach((row, r) => {
          const p = (scores[r] as number) / sum
          const error = p - (gold[r] ? (scores[r] as number) / right : 0)
          if (Math.abs(error) < 1e-5) return
          const layer = units[r] as Float32Array
          for (let u = 0; u < hidden; u++) {
            if ((layer[u] as number) <= 0) {
              layer[u] = 0
              continue
            }
            g.output[u] = (g.output[u] as number) + error * (layer[u] as number)
            layer[u] = error * (w.output[u] as number)
            g.bias[u] = (g.bias[u] as number) + (layer[u] as number)
          }
          for (let i = 0; i < size; i++) {
            const value = row[i] as number
            if (value === 0 || kept[i] === 0) continue
            g.line[i] = (g.line[i] as number) + error * value
            const base = i * hidden
            for (let u = 0; u < hidden; u++)
              g.input[base + u] = (g.input[base + u] as number) + (layer[u] as number) * value
          }
        })
      }
      step++
      const rate = 0.004 * (1 - (step - 1) / steps)
      const one = 1 - 0.9 ** step
      const two = 1 - 0.999 ** step
      for (let i = 0; i < total; i++) {
        const slope = (gradient[i] as number) / (to - from) + decay * (weights[i] as number)
        mean[i] = 0.9 * (mean[i] as number) + 0.1 * slope
        square[i] = 0.999 * (square[i] as number) + 0.001 * slope * slope
        weights[i] =
          (weights[i] as number) -
          (rate * ((mean[i] as number) / one)) / (Math.sqrt((square[i] as number) / two) + 1e-8)
      }
    }
  }
  // Training drops a tenth of the inputs, so the whole of them weighs a tenth too much.
  for (const part of [w.input, w.line]) for (let i = 0; i < part.length; i++) part[i] = (part[i] as number) * 0.9
  return { size, hidden, ...w }
}
