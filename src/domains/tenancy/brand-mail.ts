import type { Branding } from './merge-branding.ts'

export interface MailText {
  subject: string
  /** Paragraphs of plain text. */
  paragraphs: string[]
  /** What the mail is for, as a button; its address stands in the text too. */
  action?: { label: string; url: string }
  /** Under the line: why somebody gets this, how to have no more of it. */
  footnote?: string
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** A mail in a tenant's look, as HTML and as text. No image is fetched from anywhere: a mail that asks a server tells when it was read. */
export function brandMail(
  { theme, texts }: Branding,
  { subject, paragraphs, action, footnote }: MailText,
): { from: string; subject: string; text: string; html: string } {
  const last = [footnote, texts.footerText].filter((line): line is string => !!line)
  const line = (text: string, style = '') => `<p style="margin:0 0 16px;${style}">${escape(text)}</p>`
  const button = action
    ? `<p style="margin:0 0 16px"><a href="${escape(action.url)}" style="display:inline-block;padding:12px 20px;border-radius:6px;background:${theme.primaryColor};color:${theme.onPrimaryColor};text-decoration:none">${escape(action.label)}</a></p>`
    : ''
  return {
    from: texts.appName,
    subject,
    text: [
      ...paragraphs,
      ...(action ? [`${action.label}: ${action.url}`] : []),
      ...(last.length ? ['-- ', ...last] : []),
    ].join('\n\n'),
    html: `<!doctype html>
<html><head><meta charset="utf-8"><title>${escape(subject)}</title></head>
<body style="margin:0;padding:24px;background:${theme.backgroundColor};color:${theme.textColor};font-family:${escape(theme.fontFamily)};line-height:1.5">
<div style="max-width:560px;margin:0 auto"><p style="margin:0 0 24px;font-size:20px;font-weight:600">${escape(texts.appName)}</p>
${paragraphs.map((text) => line(text)).join('\n')}
${button}
${last.map((text) => line(text, 'font-size:13px')).join('\n')}
</div></body></html>
`,
  }
}
