import { Agent, get } from 'node:http'

/** Keeps 32 requests in flight for two seconds and tells how many a second were answered. */
const [url = '', token = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 32 })
const end = performance.now() + 2000
let answered = 0

const once = () =>
  new Promise<void>((resolve, reject) => {
    get(url, { agent, headers: token ? { authorization: `Bearer ${token}` } : {} }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url}: ${response.statusCode}`))
      response.resume().on('end', resolve)
    }).on('error', reject)
  })

await Promise.all(
  Array.from({ length: 32 }, async () => {
    while (performance.now() < end) {
      await once()
      answered++
    }
  }),
)
agent.destroy()
process.send?.(answered / 2, () => process.exit(0))
