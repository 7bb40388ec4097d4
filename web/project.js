import { all, call, follow, isOpen, send } from './api.js'
import { copy, count, facts, fillChip, fillCover, fillJob, find, openDrop, say, show, size, warn } from './page.js'
import { openPlayer } from './player.js'

const formats = {
  m4b: 'M4B audiobook',
  mp3_zip: 'MP3 files',
  acx: 'Files for ACX',
  audible: 'Files for Audible',
  epub3: 'EPUB with audio',
}
const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

export async function showProject(id, signal, guard) {
  const root = document.createElement('div')
  root.append(copy('project-page'))
  const job = find(root, '.job')
  const form = find(root, '.narrate')
  const playChapters = openPlayer(find(root, '.listen'), signal)
  let running = null

  const refresh = async () => {
    const [project, chapters, packages] = await Promise.all([
      call('GET', `/v1/projects/${id}`),
      all(`/v1/chapters?project_id=${id}&included=true`),
      all(`/v1/packages?project_id=${id}`, 1),
    ])
    find(root, 'h1').textContent = project.title
    find(root, '.intro .authors').textContent = project.authors.join(', ')
    find(root, '.intro .facts').textContent = [facts(project), chapters.length > 0 && count(chapters.length, 'chapter')]
      .filter(Boolean)
      .join(' · ')
    fillChip(find(root, '.intro .chip'), project)
    fillCover(find(root, '.intro .cover'), project)
    fillWarnings(find(root, '.warnings'), project.warnings)
    find(root, '.drop').hidden = project.status !== 'draft' || running !== null
    form.hidden = project.status === 'draft' || running !== null
    playChapters(chapters)
    fillPackages(find(root, '.made'), packages)
    return project
  }

  const watch = (id) => {
    running = id
    form.hidden = true
    follow(
      id,
      (moved) => {
        fillJob(job, moved)
        if (isOpen(moved)) return
        running = null
        job.hidden = true
        say(`Work ${moved.status}.`)
        guard(async () => {
          await refresh()
          tellFailure(moved)
        })
      },
      signal,
    )
  }

  find(root, '.cancel').addEventListener('click', () => guard(() => call('POST', `/v1/jobs/${running}/cancel`)))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    guard(async () =>
      watch((await call('POST', `/v1/projects/${id}/narrate`, { format: form.elements.format.value })).job_id),
    )
  })
  openDrop(find(root, '.drop'), (file, onProgress) =>
    guard(async () => {
      watch((await send(`/v1/projects/${id}/manuscript`, file, onProgress)).job_id)
      await refresh()
    }),
  )

  const [last] = (await call('GET', `/v1/jobs?subject_id=${id}&limit=1`)).items
  if (last && isOpen(last)) watch(last.id)
  const project = await refresh()
  show(root, project.title)
  tellFailure(last)
}

function tellFailure(job) {
  if (job?.status === 'failed') warn(job.error?.detail ?? 'The work failed.')
}

function fillWarnings(box, warnings) {
  box.hidden = warnings.length === 0
  find(box, 'summary').textContent = count(warnings.length, 'remark')
  find(box, 'ul').replaceChildren(
    ...warnings.map((warning) => {
      const item = document.createElement('li')
      item.textContent = warning
      return item
    }),
  )
}

function fillPackages(section, packages) {
  section.hidden = packages.length === 0
  find(section, '.packages').replaceChildren(
    ...packages.map((made) => {
      const row = copy('package-row').firstElementChild
      find(row, '.title').textContent = formats[made.format] ?? made.format
      find(row, '.facts').textContent = [
        made.file_bytes && size(made.file_bytes),
        day.format(new Date(made.created_at)),
      ]
        .filter(Boolean)
        .join(' · ')
      const link = find(row, 'a')
      link.href = `/v1/packages/${made.id}/file`
      link.setAttribute('aria-label', `Download ${formats[made.format] ?? made.format}`)
      return row
    }),
  )
}
