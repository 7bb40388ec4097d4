/** A person's name as an id: 'Mrs. O’Brien' is 'mrs-o-brien'; 'character' for a name without letters. */
export const slugName = (name: string): string =>
  name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/gu, '') || 'character'
