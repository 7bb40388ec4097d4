import { clock, copy, find } from './page.js'

/** Chapters to choose from and one audio element for the chosen one, with its text in step. Gives a function that takes the chapters. */
export function openPlayer(section, signal) {
  const list = find(section, '.chapters')
  const player = find(section, '.player')
  const audio = find(player, 'audio')
  let chapters = []
  let chosen = null

  const mark = () => {
    for (const row of list.children) {
      const isChosen = row.dataset.id === chosen
      find(row, 'button').setAttribute('aria-current', String(isChosen))
      row.classList.toggle('sounding', isChosen && !audio.paused)
    }
  }
  const choose = (chapter) => {
    chosen = chapter.id
    player.hidden = false
    find(player, '.playing').textContent = chapter.title
    find(player, '.line').textContent = ''
    audio.src = `/v1/chapters/${chapter.id}/audio`
    const track = document.createElement('track')
    track.kind = 'captions'
    track.src = `/v1/chapters/${chapter.id}/vtt`
    track.addEventListener('cuechange', () => {
      find(player, '.line').textContent = [...(track.track.activeCues ?? [])]
        .map((cue) => cue.getCueAsHTML().textContent)
        .join(' ')
    })
    audio.replaceChildren(track)
    // Hidden: the browser shows no captions of sound alone, and tells of their cues all the same.
    track.track.mode = 'hidden'
    audio.play().catch(() => {})
  }
  for (const event of ['play', 'pause']) audio.addEventListener(event, mark)
  audio.addEventListener('ended', () => {
    const next = chapters[chapters.findIndex(({ id }) => id === chosen) + 1]
    if (next?.audio_seconds) choose(next)
  })
  signal.addEventListener('abort', () => audio.pause())

  return (given) => {
    chapters = given
    section.hidden = chapters.length === 0
    list.replaceChildren(
      ...chapters.map((chapter, index) => {
        const row = copy('chapter-row').firstElementChild
        row.dataset.id = chapter.id
        find(row, '.number').textContent = index + 1
        find(row, '.title').textContent = chapter.title
        const button = find(row, 'button')
        const seconds = chapter.audio_seconds
        find(row, '.length').textContent = seconds ? clock(seconds) : ''
        button.disabled = !seconds
        if (seconds) button.setAttribute('aria-label', `Play ${chapter.title}, ${clock(seconds)}`)
        button.addEventListener('click', () =>
          chosen === chapter.id && !audio.paused
            ? audio.pause()
            : chosen === chapter.id
              ? audio.play()
              : choose(chapter),
        )
        return row
      }),
    )
    mark()
  }
}
