import { Refusal, call } from './api.js'
import { copy, find, show, warn } from './page.js'
import { showProject } from './project.js'
import { showProjects } from './projects.js'

let leaving = new AbortController()

/** Runs something that a person asked for: what goes wrong is told, and who is signed out signs in. */
async function guard(work) {
  warn('')
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return showSignIn()
    warn(error.message)
    if (!(error instanceof Refusal)) throw error
  }
}

function open() {
  leaving.abort()
  leaving = new AbortController()
  const { signal } = leaving
  const [, room, id] = location.hash.split('/')
  guard(async () => {
    if (room === 'projects' && id) await showProject(id, signal, guard)
    else await showProjects(signal, guard)
  })
}

function showSignIn() {
  find(document, '#who').hidden = true
  const page = copy('sign-in-page')
  const form = find(page, 'form')
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    warn('')
    try {
      const { user } = await call('POST', '/v1/sessions', {
        email: form.elements.email.value,
        password: form.elements.password.value,
      })
      welcome(user)
      open()
    } catch (error) {
      warn(error.message)
      form.elements.password.select()
    }
  })
  show(page, 'Sign in')
  find(document, '[name=email]').focus()
}

function welcome(user) {
  find(document, '#email').textContent = user.email
  find(document, '#who').hidden = false
}

find(document, '#sign-out').addEventListener('click', () =>
  guard(async () => {
    await call('DELETE', '/v1/sessions/current')
    leaving.abort()
    showSignIn()
  }),
)
window.addEventListener('hashchange', open)
// A file dropped beside its place must not replace the page.
for (const kind of ['dragover', 'drop']) window.addEventListener(kind, (event) => event.preventDefault())

await guard(async () => {
  welcome(await call('GET', '/v1/me'))
  open()
})
