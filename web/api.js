/** What went wrong, in the server's words (RFC 9457). */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `The server answered ${status}.`)
    this.status = status
    this.problem = problem
  }
}

async function read(response) {
  const body = response.headers.get('content-type')?.includes('json') ? await response.json() : null
  if (!response.ok) throw new Refusal(response.status, body)
  return body
}

/** Calls an operation; throws `Refusal`. */
export async function call(method, path, body) {
  const sent = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(path, { method, ...sent }).catch(() => {
    throw new Refusal(0, { detail: 'The server cannot be reached.' })
  })
  return read(response)
}

/** Sends a file; `onProgress` gets the part that is sent, 0–1. XMLHttpRequest, for fetch tells nothing of an upload. */
export function send(path, file, onProgress) {
  const form = new FormData()
  form.set('file', file, file.name)
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0)
    request.onerror = () => reject(new Refusal(0, { detail: 'The upload was cut off; try again.' }))
    request.onload = () => {
      let body = null
      try {
        body = JSON.parse(request.responseText)
      } catch {
        // Something between here and the server answered.
      }
      if (request.status >= 200 && request.status < 300) resolve(body)
      else reject(new Refusal(request.status, body))
    }
    request.send(form)
  })
}

/** Every page of a list, or the first `pages`. */
export async function all(path, pages = 20) {
  const items = []
  let after = ''
  for (let page = 0; page < pages; page++) {
    const answer = await call('GET', `${path}${path.includes('?') ? '&' : '?'}limit=200${after}`)
    items.push(...answer.items)
    if (answer.next === null) break
    after = `&after=${answer.next}`
  }
  return items
}

const ended = ['completed', 'failed', 'cancelled']
export const isOpen = (job) => !ended.includes(job.status)

/** Follows a job until it ends or `signal` aborts; `onMove` gets its row each time it moves. */
export function follow(id, onMove, signal) {
  const events = new EventSource(`/v1/jobs/${id}/events`)
  signal.addEventListener('abort', () => events.close())
  events.onmessage = ({ data }) => {
    const job = JSON.parse(data)
    if (!isOpen(job)) events.close()
    onMove(job)
  }
}
