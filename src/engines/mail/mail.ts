/** One letter to one person. `text` says the same as `html`, for those who read without. */
export interface Letter {
  to: { address: string; name?: string }
  /** Shown beside our address; the address itself is the installation's. */
  fromName?: string
  subject: string
  text: string
  html: string
  /** Where one click, a POST without a page, ends letters of this kind (RFC 8058). Letters that nobody can do without have none. */
  unsubscribe?: string
}

/** Sends letters. Throws `Problem` 400 invalid_letter for what can't stand in a header, and 502 mail_refused when the server takes it from nobody. */
export interface Mail {
  /** Answers the Message-ID (RFC 5322, 3.6.4). */
  send(letter: Letter): Promise<{ id: string }>
  close(): Promise<void>
}
