import pg from 'pg'

/** Work of the schema's owner, who creates what the application only uses: partitions, the permissions of this version. */
export async function withOwner<T>(ownerUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'voicepress owner' })
  await client.connect()
  try {
    await client.query('set role voicepress_owner')
    return await work(client)
  } finally {
    await client.end()
  }
}
