import { all, call, follow, isOpen, send } from './api.js'
import { copy, count, facts, fillChip, fillCover, fillJob, find, openDrop, say, show } from './page.js'

/** A browser keeps six connections to a server: the first jobs are followed, and the rest of them stay free. */
const followed = 3

export async function showProjects(signal, guard) {
  const page = copy('projects-page')
  const list = find(page, '.projects')
  const none = find(page, '.none')
  const more = find(page, '.more')
  const search = find(page, '[type=search]')
  const cards = new Map()
  let next = null

  const filter = () => {
    const wanted = search.value.trim().toLowerCase()
    let shown = 0
    for (const { card, text } of cards.values()) {
      card.hidden = !text.includes(wanted)
      if (!card.hidden) shown++
    }
    none.hidden = shown > 0
    none.textContent = cards.size
      ? `No project has “${search.value.trim()}” in its title or authors.`
      : 'No projects yet. Drop a manuscript above to make the first one.'
    if (wanted) say(count(shown, 'project'))
  }
  const add = (project) => {
    const card = copy('project-card').firstElementChild
    find(card, 'a').href = `#/projects/${project.id}`
    find(card, '.title').textContent = project.title
    find(card, '.authors').textContent = project.authors.join(', ')
    find(card, '.facts').textContent = facts(project)
    fillChip(find(card, '.chip'), project)
    fillCover(find(card, '.cover'), project)
    cards.set(project.id, { card, text: `${project.title} ${project.authors.join(' ')}`.toLowerCase() })
    list.append(card)
  }
  const load = async () => {
    const answer = await call('GET', `/v1/projects?limit=50${next ? `&after=${next}` : ''}`)
    next = answer.next
    answer.items.filter((project) => !project.archived_at).forEach(add)
    more.hidden = next === null
    filter()
  }

  more.addEventListener('click', () => guard(load))
  search.addEventListener('input', () =>
    guard(async () => {
      while (search.value && next) await load()
      filter()
    }),
  )
  openDrop(find(page, '.drop'), (file, onProgress) =>
    guard(async () => {
      const project = await call('POST', '/v1/projects', { title: 'Untitled' })
      try {
        await send(`/v1/projects/${project.id}/manuscript`, file, onProgress)
      } catch (refused) {
        // Nothing came of it: no empty project stays behind.
        await call('POST', `/v1/projects/${project.id}/archive`)
        await call('DELETE', `/v1/projects/${project.id}`)
        throw refused
      }
      location.hash = `#/projects/${project.id}`
    }),
  )

  await load()
  show(page)
  const jobs = (await Promise.all(['processing', 'queued'].map((status) => all(`/v1/jobs?status=${status}`, 1)))).flat()
  for (const [index, job] of jobs.filter(({ subject_id: id }) => cards.has(id)).entries()) {
    const { card } = cards.get(job.subject_id)
    const move = (moved) => {
      fillJob(find(card, '.job'), moved)
      if (isOpen(moved)) return
      find(card, '.job').hidden = true
      guard(async () => fillChip(find(card, '.chip'), await call('GET', `/v1/projects/${job.subject_id}`)))
    }
    move(job)
    if (index < followed) follow(job.id, move, signal)
  }
}
