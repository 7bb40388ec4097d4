/** A copy of a template of index.html. */
export const copy = (id) => document.querySelector(`#${id}`).content.cloneNode(true)

export const find = (root, selector) => root.querySelector(selector)

/** Puts a page into place and the focus on its heading, so that a screen reader begins there. */
export function show(page, title) {
  const main = document.querySelector('#main')
  main.replaceChildren(page)
  document.title = title ? `${title} – Voicepress` : 'Voicepress'
  const heading = main.querySelector('h1')
  heading?.setAttribute('tabindex', '-1')
  heading?.focus({ preventScroll: true })
  window.scrollTo(0, 0)
}

/** Says something to those who don't see the page move. */
export function say(text) {
  document.querySelector('#status').textContent = text
}

export function warn(text) {
  document.querySelector('#alert').textContent = text ?? ''
}

const units = [
  ['hour', 3600],
  ['minute', 60],
]

/** 5400 → '1 hr 30 min' */
export function duration(seconds) {
  if (!(seconds >= 60)) return `${Math.round(seconds ?? 0)} s`
  let left = Math.round(seconds / 60) * 60
  return units
    .flatMap(([unit, size]) => {
      const count = Math.floor(left / size)
      left -= count * size
      return count ? [new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'short' }).format(count)] : []
    })
    .join(' ')
}

/** 83 → '1:23' */
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`

export const count = (number, noun) => `${new Intl.NumberFormat('en').format(number)} ${noun}${number === 1 ? '' : 's'}`

export const size = (bytes) =>
  new Intl.NumberFormat('en', {
    style: 'unit',
    unit: bytes < 1e6 ? 'kilobyte' : 'megabyte',
    maximumFractionDigits: bytes < 1e7 ? 1 : 0,
  }).format(bytes / (bytes < 1e6 ? 1e3 : 1e6))

const statuses = {
  draft: 'Empty',
  manuscript_uploaded: 'Read',
  characters_detected: 'Cast',
  voices_assigned: 'Ready to narrate',
  audio_generated: 'Narrated',
  packaged: 'Packaged',
  completed: 'Completed',
}
export function fillChip(chip, project) {
  chip.textContent = project.archived_at ? 'Archived' : (statuses[project.status] ?? project.status)
  chip.dataset.status = project.archived_at ? 'archived' : project.status
}

const steps = {
  manuscript: 'Reading the manuscript',
  characters: 'Finding who speaks',
  voice: 'Narrating',
  packaging: 'Packing',
  queue: 'Waiting for its turn',
}

export function fillJob(box, job) {
  const waiting = job.status === 'queued'
  const bar = find(box, 'progress')
  if (waiting && !job.progress) bar.removeAttribute('value')
  else bar.value = job.progress
  const step = steps[waiting ? 'queue' : job.detail?.step] ?? 'Working'
  const chapter = job.detail?.chapter?.title ?? job.detail?.chapter
  find(box, '.step').textContent =
    `${step}${typeof chapter === 'string' ? `: ${chapter}` : ''}${waiting ? '' : ` · ${Math.floor(job.progress)} %`}`
  box.hidden = false
}

export function fillCover(cover, project) {
  if (project.cover_type) {
    const image = document.createElement('img')
    image.src = `/v1/projects/${project.id}/cover`
    image.alt = ''
    image.loading = 'lazy'
    cover.replaceChildren(image)
  } else cover.textContent = [...project.title.replace(/^(the|an?) /i, '')][0]?.toUpperCase() ?? ''
}

export const facts = (project) =>
  [
    project.manuscript_word_count && count(project.manuscript_word_count, 'word'),
    project.estimated_seconds && `about ${duration(project.estimated_seconds)}`,
    project.manuscript_word_count && new Intl.DisplayNames('en', { type: 'language' }).of(project.language),
  ]
    .filter(Boolean)
    .join(' · ')

/** A label with a file input that takes dropped files too. */
export function openDrop(drop, onFile) {
  const input = find(drop, 'input')
  const take = async (file) => {
    if (!file) return
    const bar = find(drop, 'progress')
    bar.hidden = false
    input.disabled = true
    try {
      await onFile(file, (part) => {
        bar.value = part
      })
    } finally {
      bar.hidden = true
      input.disabled = false
      input.value = ''
    }
  }
  input.addEventListener('change', () => take(input.files[0]))
  for (const kind of ['dragover', 'dragleave', 'drop'])
    drop.addEventListener(kind, (event) => {
      event.preventDefault()
      drop.classList.toggle('over', kind === 'dragover')
      if (kind === 'drop') take(event.dataTransfer.files[0])
    })
}
