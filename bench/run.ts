import { readdir } from 'node:fs/promises'

/** `npm run bench -- NAME ARGUMENTS`: one file a benchmark; each prints ratios that were measured in one run. */
const [name, ...args] = process.argv.slice(2)
const names = (await readdir(import.meta.dirname)).flatMap(
  (file) => /^(?!run\.|bare-|train-)(.+)\.ts$/.exec(file)?.[1] ?? [],
)
if (!name || !names.includes(name)) {
  console.error(`Usage: npm run bench -- NAME …\nBenchmarks: ${names.join(', ')}`)
  process.exit(2)
}
const { run } = (await import(`./${name}.ts`)) as { run(args: string[]): Promise<void> }
await run(args)
