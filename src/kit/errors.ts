/**
 * The one error that reaches a person. Sent as RFC 9457 `application/problem+json`; the command line prints `detail`.
 * `type` is a stable word a program can branch on; `extra` holds its members (field, limit, used, unit, …).
 */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly type: string
  readonly extra: Record<string, unknown>

  constructor(
    status: number,
    type: string,
    detail: string,
    extra: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(detail, options)
    this.status = status
    this.type = type
    this.extra = extra
  }

  toJSON(): Record<string, unknown> {
    return {
      type: `urn:voicepress:problem:${this.type}`,
      title: this.type.replaceAll('_', ' '),
      status: this.status,
      detail: this.message,
      ...this.extra,
    }
  }
}

/** What cannot be seen and what is not there are told apart by nobody. */
export const notFound = (what: string): Problem => new Problem(404, 'not_found', `There is no such ${what}.`)
