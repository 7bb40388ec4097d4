import Fastify from 'fastify'
import pg from 'pg'

/** The floor for an operation: the same query, in the same pipelined transaction, and nothing else. */
const [url, tenant] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: url, max: 10, pipeline: true } as pg.PoolConfig)
const server = Fastify()
server.get('/tenant', async () => {
  const client = await pool.connect()
  void client.query(`begin read only; select set_tenant_context('${tenant}', null)`)
  const { rows } = await client.query('select * from tenants')
  client.query('commit').then(
    () => client.release(),
    (error) => client.release(error),
  )
  return rows[0]
})
process.send?.(await server.listen({ host: '127.0.0.1', port: 0 }))
