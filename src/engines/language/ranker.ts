/** A small network of one hidden layer beside a straight line: score = output · relu(input x + bias) + line · x. */
export interface Ranker {
  size: number
  hidden: number
  input: Float32Array
  line: Float32Array
  bias: Float32Array
  output: Float32Array
}

/**
 * Reads a table of weights: a line for each feature with its straight-line weight and its weights to the hidden units, then the
 * lines 'bias' and 'output'. Throws where a feature has no line.
 */
export function parseRanker(table: string, features: string[]): Ranker {
  const rows = new Map(
    table
      .trim()
      .split('\n')
      .map((line) => {
        const [name, ...numbers] = line.trim().split(/\s+/u)
        return [name as string, numbers.map(Number)] as const
      }),
  )
  const row = (name: string): number[] => {
    const found = rows.get(name)
    if (!found) throw new Error(`The ranker has no weights for '${name}'.`)
    return found
  }
  return {
    size: features.length,
    hidden: row('output').length,
    input: Float32Array.from(features.flatMap((name) => row(name).slice(1))),
    line: Float32Array.from(features, (name) => row(name)[0] as number),
    bias: Float32Array.from(row('bias')),
    output: Float32Array.from(row('output')),
  }
}

export function printRanker({ hidden, input, line, bias, output }: Ranker, features: string[]): string {
  const show = (numbers: Iterable<number>): string =>
    Array.from(numbers, (value) => String(Math.round(value * 1000) / 1000)).join(' ')
  return [
    ...features.map(
      (name, index) => `${name} ${show([line[index] as number, ...input.slice(index * hidden, (index + 1) * hidden)])}`,
    ),
    `bias ${show(bias)}`,
    `output ${show(output)}`,
  ].join('\n')
}

function scoreRow(ranker: Ranker, row: Float32Array, units: Float32Array): number {
  const { size, hidden, input, line, bias, output } = ranker
  units.set(bias)
  let score = 0
  for (let i = 0; i < size; i++) {
    const value = row[i] as number
    if (value === 0) continue
    score += (line[i] as number) * value
    const base = i * hidden
    for (let unit = 0; unit < hidden; unit++)
      units[unit] = (units[unit] as number) + (input[base + unit] as number) * value
  }
  for (let unit = 0; unit < hidden; unit++)
    if ((units[unit] as number) > 0) score += (output[unit] as number) * (units[unit] as number)
  return score
}

/** Probabilities of the candidates of one utterance; they sum to 1. */
export function probabilities(ranker: Ranker, rows: Float32Array[]): number[] {
  const units = new Float32Array(ranker.hidden)
  const scores = rows.map((row) => scoreRow(ranker, row, units))
  const top = Math.max(...scores)
  const raised = scores.map((score) => Math.exp(score - top))
  const total = raised.reduce((sum, value) => sum + value, 0)
  return raised.map((value) => value / total)
}
