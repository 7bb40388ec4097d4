/** "[Illustration: Mr. and Mrs. Bennet]" is a caption; without words it is '' and nothing to read. Any other text gives undefined. */
export function readIllustration(text: string): string | undefined {
  return /^\s*\[(?:Illustration|Ilustración|Image|Imagen|Frontispiece)\b[.:]?\s*([^[\]]*)\]\s*$/i
    .exec(text)?.[1]
    ?.replace(/\s+/g, ' ')
    .trim()
}
