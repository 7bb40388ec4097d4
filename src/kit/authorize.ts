import type { Tx } from './database.ts'
import type { AnyOperation, Principal, Request } from './operation.ts'

/** One call: who wants what done, and on what. */
export interface Question {
  principal: Principal
  operation: AnyOperation
  input: unknown
  request: Request
}

/** Decides what permissions alone do not say, and writes down what was refused. */
export interface Authorizer {
  /** Asked in the call's transaction, with its input parsed, before it runs. Throws `Problem` 403; undefined where there is nothing to wait for. */
  authorize(question: Question & { tx: Tx }): Promise<void> | undefined
  /** Told of what the principal's permissions refused, before there was a transaction. */
  refused(question: Question): void
  /** Told that rows of a tenant may have changed. */
  changed(tenant: string): void
}

declare module './operation.ts' {
  interface Services {
    authorizer?: Authorizer
  }
}
