import { BlobServiceClient } from '@azure/storage-blob'
import { afterAll, expect, test } from 'vitest'
import { startAzurite } from '../../../test/storage-server.ts'
import { openStorage } from './open-storage.ts'
import { describeStorage } from './storage-contract.ts'

const server = await startAzurite()
afterAll(() => server.stop())

// Azurite's one account, the same everywhere (learn.microsoft.com, "Use the Azurite emulator").
const account = 'devstoreaccount1'
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const endpoint = `http://127.0.0.1:${server.port}/${account}`
const connectionString = `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${endpoint};`

describeStorage('Azure Blob', async () => {
  await BlobServiceClient.fromConnectionString(connectionString).createContainer('voicepress')
  return openStorage({ kind: 'azure', container: 'voicepress', connectionString })
})

test('opens with an account and its key, or with a signature', async () => {
  const service = BlobServiceClient.fromConnectionString(connectionString)
  const sas = new URL(service.generateAccountSasUrl(new Date(Date.now() + 3_600_000), undefined, 'sco')).search
  for (const access of [{ account, key }, { sas }, { sas: sas.slice(1) }]) {
    const store = await openStorage({ kind: 'azure', container: 'voicepress', endpoint, ...access })
    expect(await store.stat('t/missing')).toBeNull()
    await store.close()
  }
})

test('says so when the container or the access is missing', async () => {
  const unavailable = { type: 'storage_unavailable' }
  await expect(openStorage({ kind: 'azure', container: 'missing', connectionString })).rejects.toMatchObject(
    unavailable,
  )
  await expect(openStorage({ kind: 'azure', container: 'voicepress', account })).rejects.toMatchObject(unavailable)
})
