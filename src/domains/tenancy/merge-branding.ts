import type { AssetKind, Assets, Texts, Theme } from './brand-fields.ts'
import { findIllegible, readableOn } from './check-contrast.ts'

export interface BrandLayer {
  layer: 'reseller' | 'tenant'
  /** Whose files its assets are. */
  owner: string
  theme: Theme
  assets: Assets
  texts: Texts
}

export interface Branding {
  theme: Required<Theme> & { onPrimaryColor: string }
  assets: Partial<Record<AssetKind, Assets[AssetKind]>>
  texts: Required<Texts>
}

export const defaultTheme: Required<Theme> = {
  primaryColor: '#1f4e79',
  secondaryColor: '#6b7a8f',
  textColor: '#1c2430',
  backgroundColor: '#ffffff',
  fontFamily: 'system-ui, sans-serif',
}
const defaultTexts: Required<Texts> = { appName: 'Voicepress', tagline: '', footerText: '' }

/**
 * Lays each layer over the one below: default, reseller, tenant. Colours of a layer that cannot be read over what lies below it (the
 * reseller changed its own after the tenant had chosen) are left out; the rest of it stays.
 */
export function mergeBranding(layers: BrandLayer[]): Branding {
  let theme = defaultTheme
  for (const layer of layers) {
    const laid = { ...theme, ...layer.theme }
    theme = findIllegible(laid) ? { ...theme, fontFamily: laid.fontFamily } : laid
  }
  return {
    theme: { ...theme, onPrimaryColor: readableOn(theme.primaryColor) },
    assets: Object.assign({}, ...layers.map(({ assets }) => assets)),
    texts: Object.assign({}, defaultTexts, ...layers.map(({ texts }) => texts)),
  }
}

/** Custom properties for a page; every value has passed its schema, so none can end its declaration. */
export const writeStyle = ({ theme }: Branding): string => `:root {
  --brand-primary: ${theme.primaryColor};
  --brand-on-primary: ${theme.onPrimaryColor};
  --brand-secondary: ${theme.secondaryColor};
  --brand-text: ${theme.textColor};
  --brand-background: ${theme.backgroundColor};
  --brand-font: ${theme.fontFamily};
}
`
