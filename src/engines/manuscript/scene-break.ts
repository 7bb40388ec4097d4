/** Ornaments that part scenes: "* * *", "***", "#", "⁂", "~", rows of dots or dashes; never a word or a number. */
export function isSceneBreak(line: string): boolean {
  const text = line.replace(/\s+/g, '')
  if (!text || text.length > 80) return false
  if (/^[⁂❦❧☙✻✼❋✽✾✿★☆◆◇■□●○◊※#~∗✱•·*]+$/u.test(text)) return true
  return /^(?:[-–—―_=+]{2,}|[.]{3,}|…{1,}|[xX]{3}|[oO0]{3})$/.test(text) || /^[-–—~*_=<>+o•·]{3,}$/.test(text)
}
