import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { hasLeaked } from './judge-password.ts'

test('a password that leaked elsewhere is refused; a list that does not answer refuses nothing', async () => {
  const leaks = createServer((request, reply) =>
    reply.end(
      request.url === '/range/7C4A8'
        ? 'D09CA3762AF61E59520943DC26494F8941B:5'
        : '003D68EB55068C33ACE09247EE4C639306B:3',
    ),
  ).listen(0, '127.0.0.1')
  await new Promise((resolve) => leaks.once('listening', resolve))
  const service = `http://127.0.0.1:${(leaks.address() as { port: number }).port}`
  expect([
    await hasLeaked(service, '123456'),
    await hasLeaked(service, 'sovereign-marmalade-92-tulip'),
    await hasLeaked('http://127.0.0.1:9', '123456'),
  ]).toEqual([true, false, false])
  leaks.close()
})
