/** Published list prices, USD a million tokens (openai.com/api/pricing, 2026-11). Azure OpenAI charges the same for its global deployments. */
const listPrices: Record<string, { input: number; output: number }> = {
  'gpt-4o': { input: 2.5, output: 10 },
  'gpt-4o-mini': { input: 0.15, output: 0.6 },
  'gpt-4.1': { input: 2, output: 8 },
  'gpt-4.1-mini': { input: 0.4, output: 1.6 },
  'gpt-4.1-nano': { input: 0.1, output: 0.4 },
  'gpt-5': { input: 1.25, output: 10 },
  'gpt-5-mini': { input: 0.25, output: 2 },
  'gpt-5-nano': { input: 0.05, output: 0.4 },
}

/** USD of a call; null for a model without a known price, which is what a server of one's own has. Dated names (gpt-4o-2024-08-06) have the price of their family. */
export function billTokens(model: string, input: number, output: number): number | null {
  const family = Object.keys(listPrices)
    .filter((name) => model === name || model.startsWith(`${name}-2`))
    .sort((a, b) => b.length - a.length)[0]
  const price = family && listPrices[family]
  return price ? (input * price.input + output * price.output) / 1e6 : null
}
