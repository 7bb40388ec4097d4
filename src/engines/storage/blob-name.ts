import { Problem } from '../../kit/errors.ts'

const maximumLength = 1_024
/** What file systems allow one part of a path. */
const maximumPartLength = 255

/** Returns the name. Throws `Problem` 400 invalid_blob_name, so that no backend ever sees `..`, an empty part or a foreign character. */
export function checkBlobName(name: string): string {
  const isValid =
    name.length <= maximumLength &&
    name
      .split('/')
      .every(
        (part) => /^[A-Za-z0-9._-]+$/.test(part) && part.length <= maximumPartLength && part !== '.' && part !== '..',
      )
  if (isValid) return name
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
  throw new Problem(
    400,
    'invalid_blob_name',
    `${shown} cannot be a file's name here: parts of A-Z a-z 0-9 . _ - between slashes, ${maximumPartLength} characters each, ${maximumLength} in all.`,
  )
}

/** A prefix is a folder, with or without its last slash; '' is everything. Returns it with a slash, or ''. */
export function checkBlobPrefix(prefix: string): string {
  if (prefix === '') return ''
  return `${checkBlobName(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix)}/`
}
