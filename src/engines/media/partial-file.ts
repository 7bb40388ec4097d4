/** Where a process keeps a file until it is whole. */
export const partialFile = (file: string, processId: number): string => `${file}.${processId}.part`
