import type { FastifyReply, FastifyRequest } from 'fastify'

/** Nothing that this server sends is a page of scripts, unless a page says otherwise of itself. */
const strictest =
  "default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/** The policy of a page of ours: its own files and nothing from elsewhere. `more` adds directives, or replaces them by name. */
export function pagePolicy(more: Record<string, string> = {}): string {
  const directives = {
    'default-src': "'self'",
    'img-src': "'self' data:",
    'object-src': "'none'",
    'frame-ancestors': "'none'",
    'base-uri': "'none'",
    'form-action': "'self'",
    ...more,
  }
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ')
}

/** Headers of every reply, errors and files too (OWASP Secure Headers). */
export function setReplyHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({
    'x-request-id': request.id,
    'content-security-policy': strictest,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
    // A year; only over https, where a browser heeds it.
    ...(request.protocol === 'https' && { 'strict-transport-security': 'max-age=31536000' }),
  })
}
